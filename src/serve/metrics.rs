//! Metrics: what the service counts of itself, for Prometheus. Only what lies in memory is ever read for a scrape.

mod probes;
mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prometheus::{Encoder, TextEncoder};

pub use series::Metrics;
use series::SOUND;

use super::service::Operation;
use super::{Live, SourceState, State};
use crate::collect::gate::Gate;
use crate::collect::run::Ran;
use crate::model::{GateOutcome, Reason, RequestOutcome, RunState, Trigger, Ts};
use crate::store::StoreError;

impl Metrics {
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
        self.forget_probe(id);
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
