//! What watching counts of itself; read by whoever shows it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::Ts;
use crate::rollup::{Attempt, Ended, Family, Histogram, Latency};

/// Counts of one probe, from the start of the process.
#[derive(Debug, Default)]
pub struct Meter {
    well: AtomicU64,
    badly: AtomicU64,
    ours: AtomicU64,
    ours_v6: AtomicU64,
    skipped: AtomicU64,
    not_kept: AtomicU64,
    late: Mutex<Lateness>,
}

/// How late looks began in this hour and in the one before: what was long ago says nothing of now.
#[derive(Debug, Default)]
struct Lateness {
    hour: i64,
    now: Histogram,
    before: Histogram,
}

/// A reading of a meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts that were answered as they should be.
    pub well: u64,
    /// Attempts that were not.
    pub badly: u64,
    /// Attempts over IPv4 that something on our side kept from an answer.
    pub ours: u64,
    /// Those of them over IPv6, which a machine may not have at all.
    pub ours_v6: u64,
    /// Slots that nobody looked at, because the look before was still at work.
    pub skipped: u64,
    /// Attempts that the disk did not take.
    pub not_kept: u64,
    /// How late looks began, in this hour and the one before.
    pub late: Histogram,
}

impl Lateness {
    fn both(&self) -> Histogram {
        let mut both = self.now.clone();
        both.merge(&self.before);
        both
    }
}

impl Meter {
    pub(super) fn attempt(&self, attempt: &Attempt) {
        let count = match attempt.ended {
            Ended::Well => &self.well,
            Ended::Badly(_, reason) if reason.is_ours() && attempt.family == Family::V6 => &self.ours_v6,
            Ended::Badly(_, reason) if reason.is_ours() => &self.ours,
            Ended::Badly(..) => &self.badly,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn began(&self, hour: Ts, late: Duration) {
        if let Ok(mut lateness) = self.late.lock() {
            if lateness.hour != hour.micros() {
                lateness.hour = hour.micros();
                lateness.before = std::mem::take(&mut lateness.now);
            }
            lateness.now.add(Latency::of(late));
        }
    }

    pub(super) fn skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_kept(&self, n: u64) {
        self.not_kept.fetch_add(n, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn counts(&self) -> Counts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            well: of(&self.well),
            badly: of(&self.badly),
            ours: of(&self.ours),
            ours_v6: of(&self.ours_v6),
            skipped: of(&self.skipped),
            not_kept: of(&self.not_kept),
            late: self.late.lock().map(|late| late.both()).unwrap_or_default(),
        }
    }
}
