//! A run: every request of one collector at one due instant, from the fetch to the record.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::Duration;

use super::archive::{Archive, ArchiveError};
use super::collector::{Collector, Source};
use super::read::{Judged, Known, judge_answer};
use super::source::{Attempt, Failure, Politeness, file, http};
use super::template::Filling;
use crate::catalogue::{Catalogue, LoadedCollector};
use crate::model::{Finding, Reason, Request, RequestOutcome, RunId, RunState, Scope, Severity, Trigger, Ts, Unit};
use crate::settings::Settings;
use crate::store::{Claim, Db, Recorded, RequestRecord, RunRecord, StoreError};

/// What a run needs around it.
pub struct Workplace<'a> {
    /// Settings of the installation.
    pub settings: &'a Settings,
    /// Declarative files.
    pub catalogue: &'a Catalogue,
    /// Where runs are recorded.
    pub db: &'a Db,
    /// Where evidence is kept.
    pub archive: &'a Archive,
    /// Rates shared by all collectors of this process.
    pub politeness: &'a Politeness,
}

/// What became of a run.
#[derive(Debug)]
pub struct Ran {
    /// Which.
    pub run: RunId,
    /// How it ended.
    pub state: RunState,
    /// Its requests, findings, gate results and readings.
    pub requests: Vec<RequestRecord>,
    /// How many observations came of it.
    pub recorded: Recorded,
}

/// Why a run could not be made or recorded; a source's failure is no such reason, it is part of the record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Somebody else has it, or it is done.
    #[error("the run {0} is done or at work already; a run is made once for each due instant")]
    NotOurs(RunId),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive said no: nothing is recorded without its evidence.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// The story of one run: claim it, fetch, keep the bytes, read, judge, record.
///
/// `at` is when the run is due and when its values are known.
///
/// # Errors
/// Only our own trouble; what a source did wrong is recorded.
pub async fn run_once(place: &Workplace<'_>, loaded: &LoadedCollector, at: Ts, trigger: Trigger) -> Result<Ran, RunError> {
    let run = RunId { collector: loaded.collector.id.get_ref().clone(), due_at: at };
    let started_at = at;
    // `at` may lie in the past (an export of October recorded in November): then the run's whole clock does.
    let shift = at.utc() - Ts::now().utc();
    let claim = claim(place, loaded, &run, trigger).await?;
    let known = Known::load(place.db, loaded, at).await?;
    let mut requests: Vec<RequestRecord> = Vec::new();
    for mut fetched in fetch_all(place, loaded, at).await? {
        fetched.attempt.at = Ts::from(fetched.attempt.at.utc() + shift).max(at);
        let no = i32::try_from(requests.len()).unwrap_or(i32::MAX - 1) + 1;
        requests.push(archive_and_judge(place, loaded, &known, no, fetched)?);
    }
    refuse_contradictions(&mut requests);
    let state = outcome(&requests);
    let record = RunRecord { started_at, ended_at: Ts::from(Ts::now().utc() + shift).max(at), state, retry_at: None, requests };
    let recorded = place.db.record_run(&claim, &record, at).await?;
    Ok(Ran { run, state, requests: record.requests, recorded })
}

async fn claim(place: &Workplace<'_>, loaded: &LoadedCollector, run: &RunId, trigger: Trigger) -> Result<Claim, RunError> {
    let limit = Duration::from_std(run_limit(&loaded.collector)).unwrap_or(Duration::hours(1));
    // The claim outlives the run's own deadline, so that nobody takes over a run that is still recording.
    let until = Ts::from(run.due_at.utc() + limit + Duration::minutes(5));
    let claimed = place.db.claim_run(run, trigger, run.due_at, until, &loaded.sha256, &loaded.text).await?;
    claimed.ok_or_else(|| RunError::NotOurs(run.clone()))
}

/// How long a run may take.
fn run_limit(collector: &Collector) -> std::time::Duration {
    match &collector.source {
        Source::Http(http) => http.limits.run.0,
        Source::File(_) => std::time::Duration::from_secs(20 * 60),
    }
}

/// One attempt and what it was about.
pub struct Fetched {
    /// What was asked.
    pub scope: Scope,
    /// What came.
    pub attempt: Attempt,
}

/// Every attempt of every request.
///
/// # Errors
/// The database, when it must be asked which files are known already.
async fn fetch_all(place: &Workplace<'_>, loaded: &LoadedCollector, at: Ts) -> Result<Vec<Fetched>, RunError> {
    match &loaded.collector.source {
        Source::Http(_) => Ok(fetch_http(place.settings, place.catalogue, &loaded.collector, at, place.politeness).await),
        Source::File(source) => {
            let scope = Scope { due: at, period: None, unit: None, province: place.settings.province.clone() };
            let fetched = |attempt| Fetched { scope: scope.clone(), attempt };
            let files = match file::settled(source, &place.settings.drop) {
                Ok(files) => files,
                Err(failure) => return Ok(vec![fetched(failed("FILE", &source.glob.get_ref().0, failure))]),
            };
            let mut fresh = Vec::new();
            let mut newest_known = None;
            for path in files {
                let attempt = file::read(source, &path);
                let sha256 = attempt.body.as_deref().map(crate::model::Sha256::of);
                match sha256 {
                    Some(sha256) if place.db.is_recorded(loaded.collector.id.get_ref(), &sha256).await? => newest_known = Some(attempt),
                    Some(_) | None => fresh.push(attempt),
                }
            }
            // Files taken before must not be taken again (an old one would undo a newer one);
            // when nothing is new, the newest is looked at again, so that its values count as checked.
            if fresh.is_empty() {
                fresh.extend(newest_known);
            }
            Ok(fresh.into_iter().map(fetched).collect())
        }
    }
}

/// Every request of an HTTP collector, one after the other; nothing is stored.
pub async fn fetch_http(
    settings: &Settings,
    catalogue: &Catalogue,
    collector: &Collector,
    at: Ts,
    politeness: &Politeness,
) -> Vec<Fetched> {
    let Source::Http(source) = &collector.source else { return Vec::new() };
    let deadline = Instant::now() + source.limits.run.0;
    let asker = http::Asker::new(source, settings, politeness, deadline);
    let mut all = Vec::new();
    for scope in scopes(settings, catalogue, collector, at) {
        let unit = scope.unit.as_deref().and_then(|id| catalogue.registry.unit(id));
        let code_of = |system: &str| code_of(catalogue, system, unit, &scope);
        let filling = Filling { scope: &scope, unit, code_of: &code_of, zone: collector.schedule.timezone.0 };
        let prepared = http::prepare(source, settings, &filling);
        let attempts = match (&asker, prepared) {
            (Ok(asker), Ok(prepared)) => asker.ask(&prepared).await,
            (Err(failure), _) => vec![failed("", "", failure.clone())],
            (_, Err(failure)) => vec![failed("", "", failure)],
        };
        all.extend(attempts.into_iter().map(|attempt| Fetched { scope: scope.clone(), attempt }));
    }
    all
}

fn code_of(catalogue: &Catalogue, system: &str, unit: Option<&Unit>, scope: &Scope) -> Option<String> {
    let period = scope.period.unwrap_or_else(|| crate::model::Period::holding(crate::model::PeriodKind::Day, scope.due.utc().date_naive()));
    catalogue.registry.codes(system)?.code_of(&unit?.id, period).map(str::to_owned)
}

fn failed(method: &str, url: &str, failure: Failure) -> Attempt {
    Attempt {
        method: method.to_owned(),
        url: url.to_owned(),
        request_body: String::new(),
        at: Ts::now(),
        elapsed_micros: 0,
        status: None,
        content_type: String::new(),
        body: None,
        failure: Some(failure),
    }
}

/// What a collector asks about at a due instant, one request each.
pub fn scopes(settings: &Settings, catalogue: &Catalogue, collector: &Collector, at: Ts) -> Vec<Scope> {
    let Source::Http(source) = &collector.source else { return Vec::new() };
    let today = at.utc().with_timezone(&collector.schedule.timezone.0).date_naive();
    let periods: Vec<Option<crate::model::Period>> = match source.for_each.period.as_slice() {
        [] => vec![None],
        choices => choices.iter().map(|choice| Some(choice.on(today))).collect(),
    };
    let mut scopes = Vec::new();
    for period in periods {
        let base = Scope { due: at, period, unit: None, province: settings.province.clone() };
        match source.for_each.unit {
            None => scopes.push(base),
            Some(group) => {
                let on = period.unwrap_or_else(|| crate::model::Period::holding(crate::model::PeriodKind::Day, today));
                let below = catalogue.registry.below(settings.province_unit(), on);
                scopes.extend(
                    below
                        .into_iter()
                        .filter(|unit| unit.unit_group == group)
                        .map(|unit| Scope { unit: Some(unit.id.clone()), ..base.clone() }),
                );
            }
        }
    }
    scopes
}

/// Keeps the bytes, then reads and judges them.
fn archive_and_judge(
    place: &Workplace,
    loaded: &LoadedCollector,
    known: &Known,
    no: i32,
    fetched: Fetched,
) -> Result<RequestRecord, RunError> {
    let evidence = fetched.attempt.body.as_deref().map(|body| place.archive.keep(body)).transpose()?;
    let Fetched { scope, attempt } = fetched;
    let judged = match (&attempt.failure, &attempt.body) {
        (None, Some(body)) => judge_answer(place.settings, place.catalogue, loaded, known, &scope, body, &attempt.content_type),
        (failure, _) => Judged::failed(failure.clone().unwrap_or_else(|| Failure::new(Reason::Internal, "no answer and no reason"))),
    };
    let request = Request {
        no,
        scope,
        method: attempt.method,
        url: attempt.url,
        body: attempt.request_body,
        at: attempt.at,
        elapsed_micros: attempt.elapsed_micros,
        status: attempt.status.map(i32::from),
        content_type: attempt.content_type,
        size_bytes: attempt.body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
        evidence,
        outcome: judged.outcome,
        reason: judged.failure.as_ref().map(|failure| failure.reason),
        error: judged.failure.map(|failure| failure.text).unwrap_or_default(),
    };
    Ok(RequestRecord { request, findings: judged.findings, gates: judged.gates, readings: judged.readings, shapes: judged.shapes })
}

/// Two answers of one run that give one value differently: neither can be trusted.
fn refuse_contradictions(requests: &mut [RequestRecord]) {
    let mut seen = BTreeMap::new();
    let mut clashes = Vec::new();
    for (index, record) in requests.iter().enumerate().filter(|(_, record)| record.request.outcome == RequestOutcome::Recorded) {
        for reading in &record.readings {
            let key = (&reading.indicator, &reading.unit, &reading.item, reading.period);
            match seen.insert(key, (index, reading.value)) {
                Some((other, value)) if value != reading.value => {
                    clashes.push((other, index, format!("{} of {} for {}", reading.indicator, reading.unit, reading.period)))
                }
                Some(_) | None => (),
            }
        }
    }
    for (one, other, what) in clashes {
        for (index, against) in [(one, other), (other, one)] {
            let text = format!("request {} gives another value of {what}", against + 1);
            requests[index].findings.push(Finding {
                reason: Reason::DuplicateKey,
                severity: Severity::Quarantine,
                place: "run".to_owned(),
                text,
            });
            requests[index].request.outcome = RequestOutcome::Quarantined;
        }
    }
}

/// How the run ended, by what became of the last attempt at each request.
pub(super) fn outcome(requests: &[RequestRecord]) -> RunState {
    let last: BTreeMap<(String, &str), RequestOutcome> = requests
        .iter()
        .map(|record| ((format!("{:?}", record.request.scope), record.request.url.as_str()), record.request.outcome))
        .collect();
    let n = |outcome: RequestOutcome| last.values().filter(|of| **of == outcome).count();
    match (n(RequestOutcome::Recorded), n(RequestOutcome::Quarantined), n(RequestOutcome::Failed)) {
        (0, 0, _) => RunState::Failed,
        (0, _, _) => RunState::Quarantined,
        (_, 0, 0) => RunState::Recorded,
        (_, _, _) => RunState::Partial,
    }
}
