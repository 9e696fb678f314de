//! What watching counts of itself; read by whoever shows it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::rollup::{Attempt, Ended, Histogram, Latency};

/// Counts of one probe, from the start of the process.
#[derive(Debug, Default)]
pub struct Meter {
    well: AtomicU64,
    badly: AtomicU64,
    ours: AtomicU64,
    skipped: AtomicU64,
    not_kept: AtomicU64,
    late: Mutex<Histogram>,
}

/// A reading of a meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts that were answered as they should be.
    pub well: u64,
    /// Attempts that were not.
    pub badly: u64,
    /// Attempts that something on our side kept from an answer.
    pub ours: u64,
    /// Slots that nobody looked at, because the look before was still at work.
    pub skipped: u64,
    /// Attempts that the disk did not take.
    pub not_kept: u64,
    /// How late looks began.
    pub late: Histogram,
}

impl Meter {
    pub(super) fn attempt(&self, attempt: &Attempt) {
        let count = match attempt.ended {
            Ended::Well => &self.well,
            Ended::Badly(_, reason) if reason.is_ours() => &self.ours,
            Ended::Badly(..) => &self.badly,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn began(&self, late: Duration) {
        if let Ok(mut histogram) = self.late.lock() {
            histogram.add(Latency::of(late));
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
            skipped: of(&self.skipped),
            not_kept: of(&self.not_kept),
            late: self.late.lock().map(|late| late.clone()).unwrap_or_default(),
        }
    }
}
