//! The series that the service counts: names, help and labels in one place.

use std::collections::BTreeSet;
use std::sync::Mutex;

use prometheus::core::Collector as Metric;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Everything that is counted. Each series exists from the start, with 0.
pub struct Metrics {
    pub(super) registry: Registry,
    pub(super) known: Mutex<BTreeSet<String>>,
    pub(super) config_last_reload_successful: IntGauge,
    pub(super) config_invalid_files: IntGauge,
    pub(super) collectors: IntGaugeVec,
    /// When the scheduler last looked at what is due.
    pub scheduler_heartbeat: Gauge,
    /// Windows that became due.
    pub runs_due: IntCounter,
    /// Windows that were never run.
    pub runs_missed: IntCounter,
    pub(super) runs: IntCounterVec,
    pub(super) run_failures: IntCounterVec,
    pub(super) runs_quarantined: IntCounterVec,
    pub(super) run_duration: Histogram,
    /// From when a run may begin until it does.
    pub run_start_delay: Histogram,
    pub(super) run_last_success: GaugeVec,
    pub(super) run_next: GaugeVec,
    /// Runs at work in this copy.
    pub runs_in_progress: IntGauge,
    pub(super) data_last_period_end: GaugeVec,
    pub(super) requests: IntCounter,
    pub(super) request_failures: IntCounterVec,
    pub(super) request_retries: IntCounter,
    pub(super) response_bytes: IntCounter,
    pub(super) request_duration: Histogram,
    pub(super) circuit_open: IntGaugeVec,
    pub(super) source_stale: IntGaugeVec,
    pub(super) observations: IntCounter,
    pub(super) observations_restated: IntCounter,
    pub(super) observations_rejected: IntCounterVec,
    pub(super) units_expected: IntGaugeVec,
    pub(super) units_reported: IntGaugeVec,
    pub(super) codes_unmapped: IntGaugeVec,
    pub(super) evidence_objects: IntCounter,
    pub(super) evidence_bytes: IntCounter,
    pub(super) evidence_deduplicated: IntCounter,
    pub(super) store_errors: IntCounterVec,
    pub(super) store_operation_duration: HistogramVec,
    pub(super) credential_expiry: GaugeVec,
    pub(super) probe_targets: IntGaugeVec,
    pub(super) probe_attempts: IntCounterVec,
    pub(super) probe_slots_skipped: IntCounterVec,
    pub(super) probe_spool_errors: IntCounterVec,
    pub(super) probe_lateness: GaugeVec,
    /// Known-answer runs that did not give the known answer.
    pub canary_failures: IntCounter,
    pub(super) http_requests: IntCounterVec,
    pub(super) http_request_duration: HistogramVec,
}

/// Makes metrics and registers them; names and labels are constants, so nothing can go wrong that a test does not see.
struct Maker(Registry);

pub(super) const SOUND: &str = "names and labels are constants that a test has registered";

impl Maker {
    fn register<M: Metric + Clone + 'static>(&self, metric: Result<M, prometheus::Error>) -> M {
        let metric = metric.expect(SOUND);
        self.0.register(Box::new(metric.clone())).expect(SOUND);
        metric
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(opts(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(opts(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(opts(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(opts(name, help), labels))
    }

    fn instant(&self, name: &str, help: &str) -> Gauge {
        self.register(Gauge::with_opts(opts(name, help)))
    }

    fn instants(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.register(GaugeVec::new(opts(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.register(Histogram::with_opts(timed(name, help, buckets)))
    }

    fn histograms(&self, name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> HistogramVec {
        self.register(HistogramVec::new(timed(name, help, buckets), labels))
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("thuocdo")
}

fn timed(name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(name, help).namespace("thuocdo").buckets(buckets.to_vec())
}

/// Seconds of a request or database operation.
const SHORT: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];
/// Seconds of a run.
const LONG: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1200.0];

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Everything at 0.
    pub fn new() -> Metrics {
        let registry = Registry::new();
        let make = Maker(registry.clone());
        let metrics = Metrics {
            known: Mutex::default(),
            config_last_reload_successful: make
                .gauge("config_last_reload_successful", "Whether the last reading of the declarative files found no fault, 1 or 0."),
            config_invalid_files: make.gauge("config_invalid_files", "Declarative files that are wrong now."),
            collectors: make.gauges("collectors", "Collectors by the state of their source.", &["state"]),
            scheduler_heartbeat: make.instant("scheduler_heartbeat_timestamp_seconds", "When the scheduler last looked at what is due."),
            runs_due: make.counter("runs_due_total", "Windows of schedules that became due."),
            runs_missed: make.counter("runs_missed_total", "Windows of schedules that were never run."),
            runs: make.counters("runs_total", "Attempts at runs that ended.", &["collector", "trigger"]),
            run_failures: make.counters(
                "run_failures_total",
                "Attempts at runs that brought no answer, by reason.",
                &["collector", "reason"],
            ),
            runs_quarantined: make.counters(
                "runs_quarantined_total",
                "Runs whose answers were all refused by a finding or gate.",
                &["collector"],
            ),
            run_duration: make.histogram("run_duration_seconds", "How long runs took.", &LONG),
            run_start_delay: make.histogram("run_start_delay_seconds", "From when a run may begin until it does.", &LONG),
            run_last_success: make.instants(
                "run_last_success_timestamp_seconds",
                "Due instant of the newest run that recorded something; 0 before the first.",
                &["collector"],
            ),
            run_next: make.instants("run_next_timestamp_seconds", "When the collector is due next; 0 if it does not run.", &["collector"]),
            runs_in_progress: make.gauge("runs_in_progress", "Runs at work in this copy."),
            data_last_period_end: make.instants(
                "data_last_period_end_timestamp_seconds",
                "End of the newest period that values were recorded about, in Vietnam; 0 before the first.",
                &["collector"],
            ),
            requests: make.counter("requests_total", "Requests made to sources, every attempt."),
            request_failures: make.counters(
                "request_failures_total",
                "Requests to sources without a usable answer, by reason.",
                &["reason"],
            ),
            request_retries: make.counter("request_retries_total", "Requests to sources that repeated one of the same run."),
            response_bytes: make.counter("response_bytes_total", "Bytes of answers, content coding removed."),
            request_duration: make.histogram("request_duration_seconds", "From sending a request to a source until its last byte.", &SHORT),
            circuit_open: make.gauges("circuit_open", "Whether the source is left alone, 1 or 0.", &["collector"]),
            source_stale: make.gauges("source_stale", "Whether the data of the source is older than it may be, 1 or 0.", &["collector"]),
            observations: make.counter("observations_total", "Values that were recorded, new or restated."),
            observations_restated: make.counter("observations_restated_total", "Values that differed from the one known before."),
            observations_rejected: make.counters(
                "observations_rejected_total",
                "Readings kept apart, by the gate that refused them (finding: none did).",
                &["gate"],
            ),
            units_expected: make.gauges(
                "units_expected",
                "Units that the collector's last answered run should have named.",
                &["collector"],
            ),
            units_reported: make.gauges("units_reported", "Units that the collector's last answered run named.", &["collector"]),
            codes_unmapped: make.gauges(
                "codes_unmapped",
                "Codes in the collector's last answered run that no code map lists.",
                &["collector"],
            ),
            evidence_objects: make.counter("evidence_objects_total", "Bodies kept that were not there yet."),
            evidence_bytes: make.counter("evidence_bytes_total", "Bytes written for evidence, compressed."),
            evidence_deduplicated: make.counter("evidence_deduplicated_total", "Bodies that were there already."),
            store_errors: make.counters("store_errors_total", "Operations that the database refused or did not answer.", &["operation"]),
            store_operation_duration: make.histograms(
                "store_operation_duration_seconds",
                "How long the database took.",
                &SHORT,
                &["operation"],
            ),
            probe_targets: make.gauges("probe_targets", "Portals that this copy watches.", &["collector"]),
            probe_attempts: make.counters(
                "probe_attempts_total",
                "Attempts at portals: answered as they should be (well), not so (badly), or kept from it by our own side (ours, over IPv6 ours_ipv6).",
                &["collector", "ended"],
            ),
            probe_slots_skipped: make.counters(
                "probe_slots_skipped_total",
                "Slots that nobody looked at, because the look before was still at work.",
                &["collector"],
            ),
            probe_spool_errors: make.counters("probe_spool_errors_total", "Attempts that the disk did not take.", &["collector"]),
            probe_lateness: make.instants(
                "probe_lateness_seconds",
                "How long after their planned instant looks began, in this hour and the one before, by quantile.",
                &["collector", "quantile"],
            ),
            credential_expiry: make.instants(
                "credential_expiry_timestamp_seconds",
                "When the source's certificate, or the first of our secrets for it, ends; 0 if that is not known.",
                &["collector", "kind"],
            ),
            canary_failures: make.counter("canary_failures_total", "Known-answer runs that did not give the known answer."),
            http_requests: make.counters(
                "http_requests_total",
                "Requests that we answered, by route and class of status.",
                &["route", "code"],
            ),
            http_request_duration: make.histograms(
                "http_request_duration_seconds",
                "How long answering took, by route.",
                &SHORT,
                &["route"],
            ),
            registry,
        };
        let info = make.gauges("build_info", "Constantly 1; the version is in the labels.", &["version"]);
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        make.0.register(Box::new(ProcessCollector::for_self())).expect(SOUND);
        metrics.begin();
        metrics
    }
}
