//! A run: every request of one collector at one due instant, from the fetch to the record.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use super::archive::{Archive, ArchiveError};
use super::ask::{Fetched, ask_each, failed};
use super::collector::{Collector, FileSource, Source};
use super::read::{Judged, Known, judge_answer};
use super::source::{Attempt, Failure, Politeness, file};
use crate::catalogue::{Catalogue, LoadedCollector};
use crate::model::{Finding, Period, Reading, Reason, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts};
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

/// When a run is due, and by which clock it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// At a scheduled instant; what it brings is known when it is recorded.
    Due(Ts),
    /// At an instant that a person states (`--at`): the answers are of then and count as known since then.
    Stated(Ts),
}

impl When {
    /// The due instant.
    pub(super) fn due(self) -> Ts {
        match self {
            When::Now => Ts::now(),
            When::Due(at) | When::Stated(at) => at,
        }
    }

    /// What the clock of the run shows.
    pub(super) fn now(self) -> Ts {
        match self {
            When::Now | When::Due(_) => Ts::now(),
            When::Stated(at) => at,
        }
    }

    /// When an answer counts as given: as it was, but never after a stated instant.
    fn given(self, at: Ts) -> Ts {
        match self {
            When::Now | When::Due(_) => at,
            When::Stated(stated) => at.min(stated),
        }
    }
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
    #[error(
        "the run {0} is done or at work already; a run is made once for each due instant: run it --at another one, or read it again with replay"
    )]
    NotOurs(RunId),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive said no: nothing is recorded without its evidence.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// The story of one run: claim it; ask, keep the bytes, read and judge, one answer after the other; record.
///
/// # Errors
/// Only our own trouble; what a source did wrong is recorded.
pub async fn run_once(place: &Workplace<'_>, loaded: &LoadedCollector, when: When, trigger: Trigger) -> Result<Ran, RunError> {
    let run = RunId { collector: loaded.collector.id.get_ref().clone(), due_at: when.due() };
    let claim = claim_run(place, loaded, &run, trigger).await?;
    let started_at = when.now();
    let known = Known::load(place.db, loaded, started_at).await?;
    let mut bench = Bench { place, loaded, known: &known, when, requests: Vec::new() };
    let done = match take_all(&mut bench, run.due_at).await {
        Ok(()) => record_run(place, &claim, &loaded.collector, when, started_at, bench.requests).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(ran) => Ok(ran),
        Err(error) => Err(give_back(place.db, &claim, started_at, error).await),
    }
}

async fn take_all(bench: &mut Bench<'_>, due: Ts) -> Result<(), RunError> {
    let (place, collector) = (bench.place, &bench.loaded.collector);
    match &collector.source {
        Source::File(source) => take_files(bench, source, due).await,
        Source::Http(_) => {
            let take = &mut |fetched| bench.take(fetched);
            Ok(ask_each(place.settings, place.catalogue, collector, due, place.politeness, take).await?)
        }
    }
}

/// Ends a run that we could not make as failed, without a request and to be claimed again at once.
async fn give_back(db: &Db, claim: &Claim, at: Ts, error: RunError) -> RunError {
    let record = RunRecord { started_at: at, ended_at: at, state: RunState::Failed, retry_at: Some(Ts::now()), requests: Vec::new() };
    // If the database does not take it either, the claim runs out by itself; the first error is the one to mend.
    match db.record_run(claim, &record, at).await {
        Ok(_) | Err(_) => error,
    }
}

/// Records what was taken, as the last step of a run and of a replay.
///
/// # Errors
/// The database.
pub(super) async fn record_run(
    place: &Workplace<'_>,
    claim: &Claim,
    collector: &Collector,
    when: When,
    started_at: Ts,
    mut requests: Vec<RequestRecord>,
) -> Result<Ran, RunError> {
    settle(collector, &mut requests);
    let state = outcome(&requests);
    let ended_at = when.now().max(started_at);
    // A failed run may be made again by whoever asks for it; a quarantined one has its evidence and is replayed.
    let retry_at = (state == RunState::Failed).then(Ts::now);
    let record = RunRecord { started_at, ended_at, state, retry_at, requests };
    let recorded = place.db.record_run(claim, &record, ended_at).await?;
    Ok(Ran { run: claim.run.clone(), state, requests: record.requests, recorded })
}

/// Claims a run by the real clock, whatever instant it is due.
///
/// # Errors
/// `NotOurs`, or the database.
pub(super) async fn claim_run(place: &Workplace<'_>, loaded: &LoadedCollector, run: &RunId, trigger: Trigger) -> Result<Claim, RunError> {
    let limit = match &loaded.collector.source {
        Source::Http(http) => http.limits.run.0,
        Source::File(_) => std::time::Duration::from_secs(20 * 60),
    };
    let now = Ts::now();
    // The claim outlives the run's own deadline, so that nobody takes over a run that is still recording.
    let until = Ts::from(now.utc() + Duration::from_std(limit).unwrap_or(Duration::hours(1)) + Duration::minutes(5));
    let claimed = place.db.claim_run(run, trigger, now, until, &loaded.sha256, &loaded.text).await?;
    claimed.ok_or_else(|| RunError::NotOurs(run.clone()))
}

/// Where the answers of one run are kept, read and judged, one after the other.
struct Bench<'a> {
    place: &'a Workplace<'a>,
    loaded: &'a LoadedCollector,
    known: &'a Known,
    when: When,
    requests: Vec<RequestRecord>,
}

impl Bench<'_> {
    /// Takes what could not even be tried.
    fn take_failure(&mut self, scope: Scope, what: &str, failure: Failure) -> Result<(), RunError> {
        self.take(Fetched { scope, attempt: failed("FILE", what, failure) })?;
        Ok(())
    }

    /// Keeps the bytes, then reads and judges them. Returns why there is no usable answer, if there is none.
    fn take(&mut self, fetched: Fetched) -> Result<Option<Reason>, ArchiveError> {
        let Fetched { scope, attempt } = fetched;
        let evidence = attempt.body.as_deref().map(|body| self.place.archive.keep(body)).transpose()?;
        let judged = judge_attempt(self.place.settings, self.place.catalogue, self.loaded, self.known, &scope, &attempt);
        let reason = judged.failure.as_ref().map(|failure| failure.reason);
        let request = Request {
            no: i32::try_from(self.requests.len()).unwrap_or(i32::MAX - 1) + 1,
            scope,
            method: attempt.method,
            url: attempt.url,
            body: attempt.request_body,
            at: self.when.given(attempt.at),
            elapsed_micros: attempt.elapsed_micros,
            status: attempt.status.map(i32::from),
            content_type: attempt.content_type,
            size_bytes: attempt.body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
            evidence,
            outcome: judged.outcome,
            reason,
            error: judged.failure.map(|failure| failure.text).unwrap_or_default(),
        };
        let Judged { findings, gates, readings, shapes, .. } = judged;
        self.requests.push(RequestRecord { request, findings, gates, readings, shapes });
        Ok(reason)
    }
}

/// Reads and judges one attempt; an attempt without a usable answer has failed.
pub fn judge_attempt(
    settings: &Settings,
    catalogue: &Catalogue,
    loaded: &LoadedCollector,
    known: &Known,
    scope: &Scope,
    attempt: &Attempt,
) -> Judged {
    match (&attempt.failure, &attempt.body) {
        (None, Some(body)) => judge_answer(settings, catalogue, loaded, known, scope, body, &attempt.content_type),
        (Some(failure), _) => Judged::failed(failure.clone()),
        (None, None) => Judged::failed(Failure::new(Reason::Internal, "no answer and no reason")),
    }
}

/// Takes every settled file that was not recorded before, oldest first; if there is none, looks at the newest known again.
///
/// What a file says, it says as of its last change, and before any later file that was recorded already. The store lets
/// older evidence restate nothing, so a file that turns up late, or passes its gates late, does not undo a newer one.
async fn take_files(bench: &mut Bench<'_>, source: &FileSource, due: Ts) -> Result<(), RunError> {
    let scope = Scope { due, period: None, unit: None, province: bench.place.settings.province.clone() };
    let pattern = &source.glob.get_ref().0;
    let files = match file::settled(source, &bench.place.settings.drop) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => return bench.take_failure(scope, pattern, Failure::new(Reason::Config, format!("no settled file matches {pattern:?}"))),
        Err(failure) => return bench.take_failure(scope, pattern, failure),
    };
    let mut known = Vec::new();
    for path in &files {
        let body = file::read(source, path).body;
        known.push(match body.as_deref().map(Sha256::of) {
            Some(sha256) => bench.place.db.recorded_at(bench.loaded.collector.id.get_ref(), &sha256).await?,
            None => None,
        });
    }
    for (index, path) in files.iter().enumerate().filter(|(index, _)| known[*index].is_none()) {
        let mut attempt = file::read(source, path);
        if let Some(newer) = known[index..].iter().flatten().min() {
            attempt.at = attempt.at.min(Ts::from(newer.utc() - Duration::microseconds(1)));
        }
        bench.take(Fetched { scope: scope.clone(), attempt })?;
    }
    if let (true, Some(newest)) = (bench.requests.is_empty(), files.last()) {
        bench.take(Fetched { scope, attempt: file::read(source, newest) })?;
    }
    Ok(())
}

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
            Source::Http(_) => {
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

/// How the run ended, by what became of the last attempt at each request.
fn outcome(requests: &[RequestRecord]) -> RunState {
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
