//! A closed day of one target, or of all portals of a unit taken as one; longer periods are sums of days.

use super::figures::{Tally, outages, tally};
use super::histogram::Histogram;
use super::timeline::Segment;
use crate::model::{Period, Ts, Window};

/// A day in Vietnam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// Which day.
    pub day: Period,
    /// Time by state.
    pub tally: Tally,
    /// Outages that began in it.
    pub outages: i64,
    /// Latency of what was answered.
    pub latency: Histogram,
    /// When the certificate ends that was seen last.
    pub certificate_until: Option<Ts>,
}

impl DayRow {
    /// Of a timeline that was laid over. `before` is the same timeline of the hour before the day: an outage that goes on
    /// from it began yesterday.
    pub fn of(day: Period, laid: &[Segment], before: &[Segment], latency: Histogram, certificate_until: Option<Ts>) -> DayRow {
        let began = outages(laid);
        let goes_on = |window: Window| outages(before).last().is_some_and(|last| last.window.to == window.from);
        let n = began.len() - usize::from(began.first().is_some_and(|first| goes_on(first.window)));
        DayRow { day, tally: tally(laid), outages: i64::try_from(n).unwrap_or(i64::MAX), latency, certificate_until }
    }

    /// Adds a later day.
    pub fn add(&mut self, later: &DayRow) {
        self.tally = self.tally.plus(later.tally);
        self.outages += later.outages;
        self.latency.merge(&later.latency);
        self.certificate_until = later.certificate_until.or(self.certificate_until);
    }
}
