//! Figures on the terms of a criterion or of whoever asks: which notices count, when a portal must be up. Pure.

use super::close::Ground;
use crate::model::{Period, PeriodKind, Portal, Window};
use crate::rollup::{HourPart, Segment, ServiceHours, Terms, counted_windows, lay_over, timeline};

/// What is asked for beside the portal and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether a slow answer counts as up.
    pub degraded_is_up: bool,
    /// So many whole working days before it begins, maintenance must have been announced; before it begins if not stated.
    pub notice_working_days: Option<u32>,
    /// When portals must be up; always if not stated.
    pub service_hours: Option<ServiceHours>,
}

impl Default for Options {
    fn default() -> Options {
        Options { degraded_is_up: true, notice_working_days: None, service_hours: None }
    }
}

impl std::fmt::Display for Options {
    /// `notice 7 days; hours working 07:30-17:00; slow is down`; "" if nothing is asked for.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let notice = self.notice_working_days.map(|n| format!("notice {n} working days"));
        let hours = self.service_hours.as_ref().map(|hours| format!("hours {hours}"));
        let slow = (!self.degraded_is_up).then(|| "slow is down".to_owned());
        let parts: Vec<String> = [notice, hours, slow].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}

impl<'a> Ground<'a> {
    /// On which terms a timeline is judged.
    pub fn terms<'o>(&'o self, options: &'o Options) -> Terms<'o> {
        Terms { degraded_is_up: options.degraded_is_up, service: options.service_hours.as_ref(), calendar: self.calendar }
    }

    /// The timeline of a target with maintenance of its portal laid over it.
    pub fn laid(&self, portal: &str, parts: &[HourPart], window: Window, options: &Options) -> Vec<Segment> {
        let maintenance = counted_windows(self.notices, portal, options.notice_working_days, self.calendar);
        lay_over(&timeline(parts, window, self.probe.slot_micros()), &maintenance, &self.terms(options))
    }

    /// The part of a window in which a portal was to be watched; `None` for no part.
    pub fn watched_within(&self, portal: &Portal, window: Window) -> Option<Window> {
        let day = |date| super::close::window_of(Period::holding(PeriodKind::Day, date));
        let from = portal.from.map_or(window.from, |date| day(date).from);
        let to = portal.to.map_or(window.to, |date| day(date).to);
        window.overlap(Window { from, to })
    }
}
