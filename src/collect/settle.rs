//! Settling: what only all answers of a run together can tell. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::collector::{Collector, Source};
use crate::model::{Finding, GateOutcome, Period, Reading, Reason, RequestOutcome, RunState, Severity, Sha256};
use crate::store::RequestRecord;

/// What only all answers of a run together can tell; nothing changes when it is done twice.
pub(super) fn settle(collector: &Collector, requests: &mut [RequestRecord]) {
    settle_contradictions(collector, requests);
    doubt_same_bytes(requests);
}

/// Two answers of one run that give one value differently. Of two files the newer one holds; two answers of one
/// source at one moment contradict each other, and neither can be trusted.
fn settle_contradictions(collector: &Collector, requests: &mut [RequestRecord]) {
    let clashes = clashes(requests);
    for clash in clashes {
        match &collector.source {
            Source::File(_) => give_way(&mut requests[clash.earlier], &clash),
            Source::Http(_) | Source::Probe(_) => {
                refuse(&mut requests[clash.earlier], clash.later, &clash);
                refuse(&mut requests[clash.later], clash.earlier, &clash);
            }
        }
    }
}

/// The same bytes for periods that began on different days: the source ignores what it is asked, and its answers do not
/// say which period they answer, so none of them can be trusted. (In January, month, quarter and year may well be equal.)
fn doubt_same_bytes(requests: &mut [RequestRecord]) {
    let mut begun: BTreeMap<Sha256, BTreeSet<Option<chrono::NaiveDate>>> = BTreeMap::new();
    let start = |record: &RequestRecord| record.request.scope.period.map(Period::start);
    for record in requests.iter() {
        if let Some(sha256) = &record.request.evidence {
            begun.entry(sha256.clone()).or_default().insert(start(record));
        }
    }
    for record in requests.iter_mut().filter(|record| record.request.outcome == RequestOutcome::Recorded) {
        if record.request.evidence.as_ref().is_some_and(|sha256| begun[sha256].len() > 1) {
            let text = "another request of the run, about a period that began on another day, brought the same bytes: the source does not look at the period";
            record.findings.push(Finding::quarantine(Reason::ErrorInBody, "run", text));
            record.request.outcome = RequestOutcome::Quarantined;
        }
    }
}

/// One value that two requests give differently.
struct Clash {
    earlier: usize,
    later: usize,
    key: (String, String, String, Period),
}

fn clashes(requests: &[RequestRecord]) -> Vec<Clash> {
    let mut seen: BTreeMap<_, Vec<(usize, &Reading)>> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (index, record) in requests.iter().enumerate().filter(|(_, record)| record.request.outcome == RequestOutcome::Recorded) {
        for reading in &record.readings {
            let holders = seen.entry((&reading.indicator, &reading.unit, &reading.item, reading.period)).or_default();
            for (earlier, other) in holders.iter() {
                if (other.value, &other.flag) != (reading.value, &reading.flag) {
                    let key = (reading.indicator.clone(), reading.unit.clone(), reading.item.clone(), reading.period);
                    clashes.push(Clash { earlier: *earlier, later: index, key });
                }
            }
            holders.push((index, reading));
        }
    }
    clashes
}

/// The reading of the older file is left out; its bytes stay.
fn give_way(record: &mut RequestRecord, clash: &Clash) {
    let (indicator, unit, item, period) = &clash.key;
    record.readings.retain(|r| (&r.indicator, &r.unit, &r.item, &r.period) != (indicator, unit, item, period));
    let text = format!("{indicator} of {unit} for {period}: the newer file of request {} holds", clash.later + 1);
    record.findings.push(Finding::warn(Reason::DuplicateKey, "run", text));
}

fn refuse(record: &mut RequestRecord, other: usize, clash: &Clash) {
    let (indicator, unit, _, period) = &clash.key;
    let text = format!("request {} gives another value of {indicator} of {unit} for {period}", other + 1);
    record.findings.push(Finding::quarantine(Reason::DuplicateKey, "run", text));
    record.request.outcome = RequestOutcome::Quarantined;
}

/// A run that was stopped before it was whole gives nothing: it is made again, and a value must lead to one attempt's
/// request. The answers that came are kept as evidence.
pub(super) fn interrupt(requests: &mut [RequestRecord]) {
    if !requests.iter().any(|record| record.request.reason == Some(Reason::Interrupted)) {
        return;
    }
    for record in requests.iter_mut().filter(|record| record.request.reason.is_none()) {
        record.request.outcome = RequestOutcome::Failed;
        record.request.reason = Some(Reason::Interrupted);
        record.request.error = "answered, but the run was stopped before it was whole; it is made again".to_owned();
        record.readings.clear();
    }
}

/// The last attempt at each request, in order.
fn last_attempts(requests: &[RequestRecord]) -> Vec<&RequestRecord> {
    let mut last: Vec<&RequestRecord> = Vec::new();
    for record in requests {
        let same = |other: &&&RequestRecord| (&other.request.scope, &other.request.url) == (&record.request.scope, &record.request.url);
        match last.iter().position(|other| same(&other)) {
            Some(at) => last[at] = record,
            None => last.push(record),
        }
    }
    last
}

/// How the run ended, by what became of the last attempt at each request.
pub(super) fn outcome(requests: &[RequestRecord]) -> RunState {
    let last = last_attempts(requests);
    let n = |outcome: RequestOutcome| last.iter().filter(|record| record.request.outcome == outcome).count();
    match (n(RequestOutcome::Recorded), n(RequestOutcome::Quarantined), n(RequestOutcome::Failed)) {
        (0, 0, _) => RunState::Failed,
        (0, _, _) => RunState::Quarantined,
        (_, 0, 0) => RunState::Recorded,
        (_, _, _) => RunState::Partial,
    }
}

/// The failure that tells most of a run: why the first request failed for good (what was not asked for that reason says
/// less), else why the first answer was refused; `None` if nothing was.
pub(super) fn trouble(requests: &[RequestRecord]) -> Option<(Reason, String)> {
    let last = last_attempts(requests);
    let failed = |record: &&RequestRecord| record.request.reason.map(|reason| (reason, record.request.error.clone()));
    let failures: Vec<(Reason, String)> = last.iter().filter_map(failed).collect();
    let first = failures.iter().find(|(reason, _)| *reason != Reason::Cancelled).or(failures.first()).cloned();
    first.or_else(|| last.iter().find_map(|record| refusal(record)))
}

/// Why an answer that was read is not trusted.
fn refusal(record: &RequestRecord) -> Option<(Reason, String)> {
    let finding = record.findings.iter().find(|finding| finding.severity == Severity::Quarantine);
    let finding = finding.map(|finding| (finding.reason, format!("{}: {}", finding.place, finding.text)));
    let gate = || record.gates.iter().find(|gate| gate.outcome == GateOutcome::Failed);
    finding.or_else(|| gate().map(|gate| (Reason::Gate, format!("{}: {}", gate.gate, gate.detail))))
}
