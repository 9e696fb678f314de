//! A run: every request of one collector at one due instant, from the fetch to the record.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::archive::{Archive, ArchiveError};
use super::ask::{Manner, ask_each};
use super::bench::{Bench, take_files};
pub use super::bench::{EvidenceCounts, aside, judge_attempt};
use super::collector::{Collector, Source};
pub use super::hours::HourCounts;
use super::hours::changed_hours;
use super::read::Known;
use super::settle::{interrupt, outcome, settle, trouble};
use super::source::{Failure, Politeness};
use crate::catalogue::{Catalogue, LoadedCollector};
use crate::model::{Reason, RunId, RunState, Scope, Trigger, Ts};
use crate::rollup::FromRecords;
use crate::settings::Settings;
use crate::store::{AttemptRow, Claim, Db, KnownSince, Recorded, RequestRecord, RunRecord, StoreError, Terms, Watched};

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
    /// Who runs: `serve:HOST:PID:START` or `cli:…`.
    pub owner: &'a str,
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

    /// Since when what is recorded now counts as known.
    fn known_since(self) -> KnownSince {
        match self {
            When::Now | When::Due(_) => KnownSince::Clock(Ts::now()),
            When::Stated(at) => KnownSince::Stated(at),
        }
    }

    /// When an answer counts as given: as it was, but never after a stated instant.
    pub(super) fn given(self, at: Ts) -> Ts {
        match self {
            When::Now | When::Due(_) => at,
            When::Stated(stated) => at.min(stated),
        }
    }
}

/// How a run is carried out.
pub struct Conduct<'a> {
    /// The whole run, or a careful look at a source that was left alone.
    pub manner: Manner,
    /// Ends the run early; it is then kept as interrupted.
    pub stop: &'a CancellationToken,
    /// When a run that ended so may be claimed again.
    pub again: &'a (dyn Fn(&Ended) -> Option<Ts> + Sync),
    /// Whether to wait for a database that is away, until `stop`, instead of giving the run up.
    pub patient: bool,
}

impl<'a> Conduct<'a> {
    /// As somebody who waits for the result wants it.
    pub fn by_hand(stop: &'a CancellationToken) -> Conduct<'a> {
        // A failed run may be made again by whoever asks for it; a quarantined one has its evidence and is replayed.
        Conduct { manner: Manner::Whole, stop, again: &|ended| (ended.state == RunState::Failed).then_some(ended.at), patient: false }
    }
}

/// How a run ended, before it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub state: RunState,
    /// The failure that tells most of it.
    pub reason: Option<Reason>,
    /// When, by the clock.
    pub at: Ts,
}

/// What became of a run.
#[derive(Debug)]
pub struct Ran {
    /// Which.
    pub run: RunId,
    /// How it ended.
    pub state: RunState,
    /// The failure that tells most of it, and in words.
    pub reason: Option<(Reason, String)>,
    /// When it began.
    pub started_at: Ts,
    /// When it ended.
    pub ended_at: Ts,
    /// Its requests, findings, gate results and readings.
    pub requests: Vec<RequestRecord>,
    /// How many observations came of it.
    pub recorded: Recorded,
    /// What became of the hours of a monitor's records.
    pub hours: HourCounts,
    /// What its evidence cost.
    pub evidence: EvidenceCounts,
    /// When the source's certificate ends, if one was seen.
    pub certificate_until: Option<Ts>,
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

/// The story of one run that somebody asked for: claim it, and carry it out.
///
/// # Errors
/// Only our own trouble; what a source did wrong is recorded.
pub async fn run_once(place: &Workplace<'_>, loaded: &LoadedCollector, when: When, trigger: Trigger) -> Result<Ran, RunError> {
    let run = RunId { collector: loaded.collector.id.get_ref().clone(), due_at: when.due() };
    let claim = claim_run(place, loaded, &run, trigger).await?;
    run_claimed(place, loaded, &claim, when, &Conduct::by_hand(&CancellationToken::new())).await
}

/// The story of one claimed run: ask, keep the bytes, read and judge, one answer after the other; record.
///
/// # Errors
/// Only our own trouble; what a source did wrong is recorded.
pub async fn run_claimed(
    place: &Workplace<'_>,
    loaded: &LoadedCollector,
    claim: &Claim,
    when: When,
    conduct: &Conduct<'_>,
) -> Result<Ran, RunError> {
    let started_at = when.now();
    let taken = match in_time(READ_LIMIT, Known::load(place.db, loaded, started_at)).await {
        Ok(known) => {
            let mut bench = Bench::new(place, loaded, &known, when);
            take_all(&mut bench, claim.run.due_at, conduct).await.map(|()| bench.done())
        }
        Err(error) => Err(error.into()),
    };
    match taken {
        Ok(taken) => record_run(place, claim, &loaded.collector, when, started_at, taken, conduct).await,
        Err(error) => Err(give_back(place.db, claim, started_at, error, conduct).await),
    }
}

async fn take_all(bench: &mut Bench<'_>, due: Ts, conduct: &Conduct<'_>) -> Result<(), RunError> {
    let (place, collector) = (bench.place, &bench.loaded.collector);
    match &collector.source {
        Source::File(source) => take_files(bench, source, due).await,
        Source::Probe(_) => {
            let text = "a probe watches by itself while the service runs; a single look is: thuocdo probe URL";
            let scope = Scope { due, period: None, unit: None, portal: None, province: place.settings.province.clone() };
            bench.take_failure(scope, "PROBE", Failure::new(Reason::Config, text))
        }
        Source::Http(_) => {
            let take = &mut |fetched| bench.take(fetched);
            let ask = (conduct.manner, conduct.stop);
            Ok(ask_each(place.settings, place.catalogue, collector, due, place.politeness, ask, take).await?)
        }
    }
}

/// Ends a run that our own trouble kept us from making: failed, without a request.
async fn give_back(db: &Db, claim: &Claim, started_at: Ts, error: RunError, conduct: &Conduct<'_>) -> RunError {
    let at = Ts::now().max(started_at);
    let retry_at = (conduct.again)(&Ended { state: RunState::Failed, reason: Some(Reason::Store), at });
    let (state, reason) = (RunState::Failed, Some(Reason::Store));
    let record = RunRecord { started_at, ended_at: at, state, retry_at, reason, error: error.to_string(), requests: Vec::new() };
    let brought = Brought { record, watched: BTreeMap::new() };
    match record_patiently(db, claim, &brought, || KnownSince::Clock(Ts::now()), conduct).await {
        // If the database does not take it either, the claim runs out by itself; the first error is the one to mend.
        Ok(_) | Err(_) => error,
    }
}

/// What was taken of a source.
pub(super) struct Taken {
    pub requests: Vec<RequestRecord>,
    /// What the records of a monitor say, by number of the request.
    pub watched: BTreeMap<i32, FromRecords>,
    pub evidence: EvidenceCounts,
    pub certificate_until: Option<Ts>,
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
    taken: Taken,
    conduct: &Conduct<'_>,
) -> Result<Ran, RunError> {
    let Taken { mut requests, watched, evidence, certificate_until } = taken;
    settle(collector, &mut requests);
    interrupt(&mut requests);
    let (state, trouble) = (outcome(&requests), trouble(&requests));
    let ended_at = when.now().max(started_at);
    let (reason, error) = trouble.clone().unzip();
    let retry_at = (conduct.again)(&Ended { state, reason, at: Ts::now() });
    let record = RunRecord { started_at, ended_at, state, retry_at, reason, error: error.unwrap_or_default(), requests };
    let brought = Brought { record, watched };
    let (recorded, hours) = record_patiently(place.db, claim, &brought, || when.known_since(), conduct).await?;
    let (run, requests) = (claim.run.clone(), brought.record.requests);
    Ok(Ran { run, state, reason: trouble, started_at, ended_at, requests, recorded, hours, evidence, certificate_until })
}

/// A database that has not answered by then is away: its host may have vanished without a word.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// As long as recording the largest run may take, many times over.
const RECORD_LIMIT: Duration = Duration::from_secs(300);

async fn in_time<T>(limit: Duration, question: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(limit, question).await.unwrap_or(Err(StoreError::NoAnswer { after: limit }))
}

/// Between two tries at a database that is away.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// What is recorded of a run.
struct Brought {
    record: RunRecord,
    watched: BTreeMap<i32, FromRecords>,
}

impl Brought {
    /// Records it, with those hours that say something new.
    async fn write(&self, db: &Db, claim: &Claim, known_since: impl Fn() -> KnownSince) -> Result<(Recorded, HourCounts), StoreError> {
        let (hours, counts) = changed_hours(db, &claim.run.collector, &self.record.requests, &self.watched).await?;
        let recorded = db.record_watched(claim, &self.record, &Watched { hours: &hours, days: &[] }, known_since()).await?;
        Ok((recorded, counts))
    }
}

/// Records a run; a patient conduct waits for a database that is away. What is recorded is known since it could be.
async fn record_patiently(
    db: &Db,
    claim: &Claim,
    brought: &Brought,
    known_since: impl Fn() -> KnownSince,
    conduct: &Conduct<'_>,
) -> Result<(Recorded, HourCounts), StoreError> {
    let mut wait = FIRST_WAIT;
    let mut is_first = true;
    loop {
        let error = match in_time(RECORD_LIMIT, brought.write(db, claim, &known_since)).await {
            Ok(recorded) => return Ok(recorded),
            // A commit whose answer was lost took effect all the same.
            Err(StoreError::ClaimLost { .. }) if !is_first && is_recorded(db, claim, &brought.record).await? => {
                return Ok(Default::default());
            }
            Err(error) => error,
        };
        if !conduct.patient || !error.passes() {
            return Err(error);
        }
        tracing::warn!(run.id = %claim.run, error = %chain(&error), "the database does not take the run; trying again in {wait:?}");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // A last try: the database may take it after all.
            () = conduct.stop.cancelled() => return in_time(READ_LIMIT, brought.write(db, claim, &known_since)).await,
        }
        is_first = false;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether this very attempt is recorded already.
async fn is_recorded(db: &Db, claim: &Claim, record: &RunRecord) -> Result<bool, StoreError> {
    let is_ours = |row: &AttemptRow| row.attempt == claim.attempt && row.owner == claim.owner && row.ended_at == record.ended_at;
    Ok(db.attempts_at(&claim.run).await?.iter().any(is_ours))
}

/// An error with its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// How long a claim outlives the run's own deadline, so that nobody takes over a run that is still recording.
pub const CLAIM_MARGIN: Duration = Duration::from_secs(120);

/// How long a run of this collector may take.
pub fn run_limit(collector: &Collector) -> Duration {
    match &collector.source {
        Source::Http(http) => http.limits.run.0,
        Source::File(_) | Source::Probe(_) => Duration::from_secs(20 * 60),
    }
}

/// Claims a run by the real clock, whatever instant it is due.
///
/// # Errors
/// `NotOurs`, or the database.
pub(super) async fn claim_run(place: &Workplace<'_>, loaded: &LoadedCollector, run: &RunId, trigger: Trigger) -> Result<Claim, RunError> {
    let now = Ts::now();
    let until = now.plus(run_limit(&loaded.collector) + CLAIM_MARGIN);
    let terms = Terms { owner: place.owner, now, until, spec: (&loaded.sha256, Some(&loaded.text)) };
    let claimed = place.db.claim_run(run, trigger, &terms).await?;
    claimed.ok_or_else(|| RunError::NotOurs(run.clone()))
}
