//! What watching portals counts of itself.

use super::Metrics;
use crate::collect::watch::Counts;
use crate::model::RunId;
use crate::store::Recorded;

/// How an attempt ended, as a label.
const ENDED: [&str; 4] = ["well", "badly", "ours", "ours_ipv6"];
/// Which quantiles of lateness are shown, in per cent and as a label.
const QUANTILES: [(u64, &str); 3] = [(50, "0.5"), (99, "0.99"), (100, "1")];

impl Metrics {
    /// How a probe stands: its counters go on from the start of the process.
    pub fn set_probe(&self, id: &str, targets: usize, counts: &Counts) {
        self.probe_targets.with_label_values(&[id]).set(i64::try_from(targets).unwrap_or(i64::MAX));
        for (ended, count) in ENDED.iter().zip([counts.well, counts.badly, counts.ours, counts.ours_v6]) {
            raise(&self.probe_attempts.with_label_values(&[id, *ended]), count);
        }
        raise(&self.probe_slots_skipped.with_label_values(&[id]), counts.skipped);
        raise(&self.probe_spool_errors.with_label_values(&[id]), counts.not_kept);
        for (per_cent, quantile) in QUANTILES {
            let seconds = counts.late.quantile_micros(per_cent).map_or(0.0, |micros| micros as f64 / 1e6);
            self.probe_lateness.with_label_values(&[id, quantile]).set(seconds);
        }
    }

    /// An hour of a probe that was recorded.
    pub fn observe_hour(&self, run: &RunId, evidence_bytes: u64, recorded: &Recorded) {
        self.runs.with_label_values(&[run.collector.as_str(), "schedule"]).inc();
        self.observations.inc_by((recorded.observations_new + recorded.observations_restated) as u64);
        self.observations_restated.inc_by(recorded.observations_restated as u64);
        self.evidence_objects.inc();
        self.evidence_bytes.inc_by(evidence_bytes);
    }

    pub(super) fn forget_probe(&self, id: &str) {
        let _gone = self.probe_targets.remove_label_values(&[id]);
        for ended in ENDED {
            let _gone = self.probe_attempts.remove_label_values(&[id, ended]);
        }
        for counter in [&self.probe_slots_skipped, &self.probe_spool_errors] {
            let _gone = counter.remove_label_values(&[id]);
        }
        for (_, quantile) in QUANTILES {
            let _gone = self.probe_lateness.remove_label_values(&[id, quantile]);
        }
    }
}

fn raise(counter: &prometheus::IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
