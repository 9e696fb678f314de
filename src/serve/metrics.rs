//! Metrics: what the service counts of itself, for Prometheus. Only what lies in memory is ever read for a scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use prometheus::core::Collector as Metric;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::service::Operation;
use super::{Live, SourceState, State};
use crate::collect::gate::Gate;
use crate::collect::run::Ran;
use crate::model::{GateOutcome, Reason, RequestOutcome, RunState, Trigger, Ts};
use crate::store::StoreError;

/// Everything that is counted. Each series exists from the start, with 0.
pub struct Metrics {
    registry: Registry,
    known: Mutex<BTreeSet<String>>,
    config_last_reload_successful: IntGauge,
    config_invalid_files: IntGauge,
    collectors: IntGaugeVec,
    /// When the scheduler last looked at what is due.
    pub scheduler_heartbeat: Gauge,
    /// Windows that became due.
    pub runs_due: IntCounter,
    /// Windows that were never run.
    pub runs_missed: IntCounter,
    runs: IntCounterVec,
    run_failures: IntCounterVec,
    runs_quarantined: IntCounterVec,
    run_duration: Histogram,
    /// From when a run may begin until it does.
    pub run_start_delay: Histogram,
    run_last_success: GaugeVec,
    run_next: GaugeVec,
    /// Runs at work in this copy.
    pub runs_in_progress: IntGauge,
    data_last_period_end: GaugeVec,
    requests: IntCounter,
    request_failures: IntCounterVec,
    request_retries: IntCounter,
    response_bytes: IntCounter,
    request_duration: Histogram,
    circuit_open: IntGaugeVec,
    source_stale: IntGaugeVec,
    observations: IntCounter,
    observations_restated: IntCounter,
    observations_rejected: IntCounterVec,
    units_expected: IntGaugeVec,
    units_reported: IntGaugeVec,
    codes_unmapped: IntGaugeVec,
    evidence_objects: IntCounter,
    evidence_bytes: IntCounter,
    evidence_deduplicated: IntCounter,
    store_errors: IntCounterVec,
    store_operation_duration: HistogramVec,
    credential_expiry: GaugeVec,
    /// Known-answer runs that did not give the known answer.
    pub canary_failures: IntCounter,
    http_requests: IntCounterVec,
    http_request_duration: HistogramVec,
}

/// Makes metrics and registers them; names and labels are constants, so nothing can go wrong that a test does not see.
struct Maker(Registry);

const SOUND: &str = "names and labels are constants that a test has registered";

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

    /// Every series whose labels are known from the start.
    fn begin(&self) {
        State::ALL.iter().for_each(|state| self.collectors.with_label_values(&[state.label()]).set(0));
        Reason::ALL.iter().for_each(|reason| self.request_failures.with_label_values(&[reason.label()]).reset());
        for gate in Gate::KINDS.iter().chain(&["finding"]) {
            self.observations_rejected.with_label_values(&[*gate]).reset();
        }
        for operation in Operation::ALL {
            self.store_errors.with_label_values(&[operation.label()]).reset();
            let _exists_now = self.store_operation_duration.with_label_values(&[operation.label()]);
        }
    }

    /// Every series of the routes that are served.
    pub fn set_routes(&self, routes: &[&str]) {
        for route in routes {
            let _exists_now = self.http_request_duration.with_label_values(&[*route]);
            for code in ["2xx", "3xx", "4xx", "5xx"] {
                self.http_requests.with_label_values(&[*route, code]).reset();
            }
        }
    }

    /// What the declarative files say: their faults, and a series for every collector.
    pub fn set_live(&self, live: &Live) {
        self.config_last_reload_successful.set(i64::from(live.problems.is_empty()));
        self.config_invalid_files.set(i64::try_from(live.wrong_files().len()).unwrap_or(i64::MAX));
        let ids: BTreeSet<String> =
            live.catalogue.collectors.keys().cloned().chain(live.disabled().into_keys().map(str::to_owned)).collect();
        let mut known = self.known.lock().expect("no one panics while holding the names");
        known.difference(&ids).for_each(|gone| self.forget(gone));
        ids.difference(&known).for_each(|new| self.begin_collector(new));
        *known = ids;
    }

    /// A reading of the declarative files that left the old ones in force.
    pub fn reload_failed(&self) {
        self.config_last_reload_successful.set(0);
    }

    fn begin_collector(&self, id: &str) {
        for trigger in Trigger::ALL {
            self.runs.with_label_values(&[id, trigger.label()]).reset();
        }
        for reason in Reason::ALL {
            self.run_failures.with_label_values(&[id, reason.label()]).reset();
        }
        self.runs_quarantined.with_label_values(&[id]).reset();
        for gauge in [&self.run_last_success, &self.run_next, &self.data_last_period_end] {
            gauge.with_label_values(&[id]).set(0.0);
        }
        for gauge in [&self.circuit_open, &self.source_stale, &self.units_expected, &self.units_reported, &self.codes_unmapped] {
            gauge.with_label_values(&[id]).set(0);
        }
        for kind in ["certificate", "secret"] {
            self.credential_expiry.with_label_values(&[id, kind]).set(0.0);
        }
    }

    /// A series that was never there cannot be removed, which is as well.
    fn forget(&self, id: &str) {
        for trigger in Trigger::ALL {
            let _gone = self.runs.remove_label_values(&[id, trigger.label()]);
        }
        for reason in Reason::ALL {
            let _gone = self.run_failures.remove_label_values(&[id, reason.label()]);
        }
        let _gone = self.runs_quarantined.remove_label_values(&[id]);
        for gauge in [&self.run_last_success, &self.run_next, &self.data_last_period_end] {
            let _gone = gauge.remove_label_values(&[id]);
        }
        for gauge in [&self.circuit_open, &self.source_stale, &self.units_expected, &self.units_reported, &self.codes_unmapped] {
            let _gone = gauge.remove_label_values(&[id]);
        }
        for kind in ["certificate", "secret"] {
            let _gone = self.credential_expiry.remove_label_values(&[id, kind]);
        }
    }

    /// How the sources stand, as the store knows it: so the gauges are right after a restart.
    pub fn set_sources(&self, sources: &[SourceState]) {
        for state in State::ALL {
            let n = sources.iter().filter(|source| source.state == *state).count();
            self.collectors.with_label_values(&[state.label()]).set(i64::try_from(n).unwrap_or(i64::MAX));
        }
        for source in sources {
            let id = [source.id.as_str()];
            self.run_last_success.with_label_values(&id).set(source.last_success.map_or(0.0, seconds));
            let next = source.next_due.into_iter().chain(source.retry_at).min();
            self.run_next.with_label_values(&id).set(next.map_or(0.0, seconds));
            self.circuit_open.with_label_values(&id).set(i64::from(source.left_alone.is_some()));
            self.source_stale.with_label_values(&id).set(i64::from(source.stale));
            self.data_last_period_end.with_label_values(&id).set(source.data_until.map_or(0.0, seconds));
            self.credential_expiry.with_label_values(&[id[0], "secret"]).set(source.secret_until.map_or(0.0, seconds));
        }
    }

    /// When certificates end, as any copy saw them last.
    pub fn set_certificates(&self, certificates: &BTreeMap<String, Ts>) {
        let known = self.known.lock().expect("no one panics while holding the names");
        for (id, ends) in certificates.iter().filter(|(id, _)| known.contains(*id)) {
            self.credential_expiry.with_label_values(&[id.as_str(), "certificate"]).set(seconds(*ends));
        }
    }

    /// An attempt at a run that ended and was recorded.
    pub fn observe_run(&self, ran: &Ran, trigger: Trigger, units_expected: Option<usize>) {
        let id = ran.run.collector.as_str();
        self.runs.with_label_values(&[id, trigger.label()]).inc();
        self.run_duration.observe(ran.ended_at.since(ran.started_at).as_secs_f64());
        match (ran.state, &ran.reason) {
            (RunState::Failed, reason) => self.run_failed(id, reason.as_ref().map_or(Reason::Internal, |(reason, _)| *reason)),
            (RunState::Quarantined, _) => self.runs_quarantined.with_label_values(&[id]).inc(),
            (RunState::Recorded | RunState::Partial, _) => self.run_last_success.with_label_values(&[id]).set(seconds(ran.run.due_at)),
            (RunState::Due | RunState::Missed | RunState::Running, _) => {}
        }
        let recorded = ran.recorded.observations_new + ran.recorded.observations_restated;
        self.observations.inc_by(recorded as u64);
        self.observations_restated.inc_by(ran.recorded.observations_restated as u64);
        self.evidence_objects.inc_by(ran.evidence.objects);
        self.evidence_bytes.inc_by(ran.evidence.bytes);
        self.evidence_deduplicated.inc_by(ran.evidence.deduplicated);
        if let Some(ends) = ran.certificate_until {
            self.credential_expiry.with_label_values(&[id, "certificate"]).set(seconds(ends));
        }
        self.observe_requests(ran);
        if matches!(ran.state, RunState::Recorded | RunState::Partial | RunState::Quarantined) {
            self.observe_units(ran, units_expected);
        }
    }

    /// An attempt that brought no answer, or could not even be recorded.
    pub fn run_failed(&self, collector: &str, reason: Reason) {
        self.run_failures.with_label_values(&[collector, reason.label()]).inc();
    }

    fn observe_requests(&self, ran: &Ran) {
        let mut asked = BTreeSet::new();
        for record in &ran.requests {
            let request = &record.request;
            // What was never sent has no address.
            if !request.url.is_empty() {
                self.requests.inc();
                self.request_duration.observe(Duration::from_micros(u64::try_from(request.elapsed_micros).unwrap_or(0)).as_secs_f64());
                if !asked.insert((format!("{:?}", request.scope), request.url.as_str())) {
                    self.request_retries.inc();
                }
            }
            self.response_bytes.inc_by(u64::try_from(request.size_bytes).unwrap_or(0));
            if let Some(reason) = request.reason {
                self.request_failures.with_label_values(&[reason.label()]).inc();
            }
            if request.outcome == RequestOutcome::Quarantined {
                let failed = record.gates.iter().find(|gate| gate.outcome == GateOutcome::Failed);
                let kind = failed.and_then(|gate| gate.gate.split(' ').next()).filter(|kind| Gate::KINDS.contains(kind));
                self.observations_rejected.with_label_values(&[kind.unwrap_or("finding")]).inc_by(record.readings.len() as u64);
            }
        }
    }

    fn observe_units(&self, ran: &Ran, expected: Option<usize>) {
        let id = [ran.run.collector.as_str()];
        let units: BTreeSet<&str> =
            ran.requests.iter().flat_map(|record| record.readings.iter().map(|reading| reading.unit.as_str())).collect();
        let unmapped = |record: &&crate::model::Finding| record.reason == Reason::UnmappedUnit;
        let codes: BTreeSet<&str> =
            ran.requests.iter().flat_map(|record| record.findings.iter().filter(unmapped).map(|finding| finding.text.as_str())).collect();
        let n = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.units_reported.with_label_values(&id).set(n(units.len()));
        self.units_expected.with_label_values(&id).set(n(expected.unwrap_or(0)));
        self.codes_unmapped.with_label_values(&id).set(n(codes.len()));
    }

    /// One operation of the database.
    pub fn observe_store(&self, operation: Operation, took: Duration, error: Option<&StoreError>) {
        self.store_operation_duration.with_label_values(&[operation.label()]).observe(took.as_secs_f64());
        if error.is_some() {
            self.store_errors.with_label_values(&[operation.label()]).inc();
        }
    }

    /// One request that we answered.
    pub fn observe_http(&self, route: &str, status: u16, took: Duration) {
        let code = match status {
            0..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            500.. => "5xx",
        };
        self.http_requests.with_label_values(&[route, code]).inc();
        self.http_request_duration.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// The value of the first series that a line begins so; for tests and the page.
    pub fn value(&self, series: &str) -> Option<f64> {
        let text = self.text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
    }

    /// The text format of Prometheus, version 0.0.4.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect(SOUND);
        String::from_utf8(text).expect("the format is UTF-8")
    }
}

/// As Prometheus counts time.
fn seconds(at: Ts) -> f64 {
    at.micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Files;

    #[test]
    fn every_series_exists_from_the_start_and_goes_with_its_collector() {
        let now = "2026-11-24T00:00:00Z".parse().expect("an instant");
        let live = |files| Live::load(files, vec![], &BTreeMap::new(), now);
        let metrics = Metrics::new();
        metrics.set_live(&live(Files::embedded()));
        let text = metrics.text();
        for line in [
            "thuocdo_config_last_reload_successful 1",
            "thuocdo_config_invalid_files 0",
            "thuocdo_runs_total{collector=\"npsp-progress\",trigger=\"catch_up\"} 0",
            "thuocdo_run_failures_total{collector=\"npsp-progress\",reason=\"timeout\"} 0",
            "thuocdo_request_failures_total{reason=\"decode\"} 0",
            "thuocdo_observations_rejected_total{gate=\"covers\"} 0",
            "thuocdo_store_errors_total{operation=\"claim\"} 0",
            "thuocdo_circuit_open{collector=\"npsp-progress\"} 0",
            "thuocdo_collectors{state=\"stale\"} 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}");
        }
        assert!(text.contains("process_resident_memory_bytes ") && text.contains("thuocdo_build_info{version="));
        metrics.set_live(&live(Files::default()));
        assert!(!metrics.text().contains("npsp-progress"));
    }
}
