//! Figures of a timeline: time by state, availability with its coverage and bounds, outages.

use serde::Serialize;

use super::terms::Terms;
use super::timeline::Segment;
use crate::model::{Cause, Exact, SlotState, Window};

/// Time by state, in microseconds; what lies outside the service hours is in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Answered as it should be.
    pub up: i64,
    /// Answered slowly.
    pub degraded: i64,
    /// Down, and not announced.
    pub down: i64,
    /// Announced in time.
    pub maintenance: i64,
    /// Not known.
    pub unknown: i64,
}

impl Tally {
    /// Both together.
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            up: self.up + other.up,
            degraded: self.degraded + other.degraded,
            down: self.down + other.down,
            maintenance: self.maintenance + other.maintenance,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// Time by state of a timeline that was laid over.
pub fn tally(laid: &[Segment]) -> Tally {
    let mut tally = Tally::default();
    for segment in laid {
        let micros = segment.window.micros();
        match segment.state {
            SlotState::Up => tally.up += micros,
            SlotState::Degraded => tally.degraded += micros,
            SlotState::Down => tally.down += micros,
            SlotState::Maintenance => tally.maintenance += micros,
            SlotState::Unknown => tally.unknown += micros,
        }
    }
    tally
}

/// Decimals of a share: a second of a year has eight.
const SHARE_DECIMALS: u32 = 9;

/// Availability and how much of it is known; shares from 0 to 1, rounded half-up to 9 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// U / (U + D); `None` if nothing was seen.
    pub share: Option<Exact>,
    /// (U + D) / (U + D + X); `None` if there was nothing to see, all of it being maintenance.
    pub coverage: Option<Exact>,
    /// U / (U + D + X): everything unknown was down.
    pub least: Option<Exact>,
    /// (U + X) / (U + D + X): everything unknown was up.
    pub most: Option<Exact>,
}

impl Availability {
    /// Of time by state, on these terms.
    pub fn of(tally: Tally, terms: &Terms<'_>) -> Availability {
        let (up, down) = match terms.degraded_is_up {
            true => (tally.up + tally.degraded, tally.down),
            false => (tally.up, tally.down + tally.degraded),
        };
        let (known, all) = (up + down, up + down + tally.unknown);
        Availability { share: share(up, known), coverage: share(known, all), least: share(up, all), most: share(up + tally.unknown, all) }
    }
}

/// `None` of nothing.
fn share(part: i64, whole: i64) -> Option<Exact> {
    // Microseconds of centuries fit; only a whole of 0 does not.
    Exact::quotient_half_up(&[Exact::from(part)], &[Exact::from(whole)], SHARE_DECIMALS).ok()
}

/// A stretch in which a portal was down without a notice that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// From its first slot to the end of its last.
    pub window: Window,
    /// What was seen first.
    pub cause: Cause,
    /// In words.
    pub text: String,
    /// Attempts that prove it.
    pub attempts: i64,
}

/// The outages of a timeline that was laid over, in order. Slots that are down one after the other are one outage, whatever
/// their causes; a slot between them of any other state, not known included, ends it.
pub fn outages(laid: &[Segment]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    for segment in laid.iter().filter(|segment| segment.state == SlotState::Down) {
        match outages.last_mut().filter(|last| last.window.to == segment.window.from) {
            Some(last) => {
                last.window.to = segment.window.to;
                last.attempts += segment.attempts;
            }
            None => outages.push(Outage {
                window: segment.window,
                cause: segment.cause,
                text: segment.text.clone(),
                attempts: segment.attempts,
            }),
        }
    }
    outages
}
