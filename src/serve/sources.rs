//! The state of every source: is it well, is it stale, what failed, when is it asked again. The page, the health check,
//! the metrics and the alerts all say the same, because they say this.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeZone;
use serde::Serialize;

use super::service::Operation;
use super::{Live, Service};
use crate::catalogue::LoadedCollector;
use crate::collect::breaker::{ATTEMPTS_JUDGED, Circuit, circuit};
use crate::collect::collector::{Auth, Schedule, Source, Title};
use crate::model::{Period, PeriodKind, Reason, RunId, RunState, Ts};
use crate::store::{AttemptRow, Newest, ScheduleRow, StoreError};

crate::model::labelled! {
    /// How a source stands; the first that holds, from the top.
    State {
        /// Its file is wrong and has no good version: it does not run.
        Disabled = "disabled",
        /// A setting or secret is missing: it does not run.
        Waiting = "waiting",
        /// Somebody paused it.
        Paused = "paused",
        /// It refused or failed too often, and is only probed now and then.
        LeftAlone = "left_alone",
        /// The last run brought no answer.
        Failing = "failing",
        /// The last run could not be made for a reason of our own.
        OwnTrouble = "own_trouble",
        /// The last answers were refused by a finding or gate.
        Quarantined = "quarantined",
        /// Its data is older than it may be.
        Stale = "stale",
        /// Some requests of the last run were not recorded.
        Partial = "partial",
        /// It was never run.
        New = "new",
        /// All is well.
        Ok = "ok",
    }
}

/// One source as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceState {
    /// Collector id.
    pub id: String,
    /// What it is called.
    pub title: Title,
    /// Whom to call.
    pub owner: String,
    /// How it stands.
    pub state: State,
    /// Whether its data is older than it may be; never for one that does not run.
    pub stale: bool,
    /// How old its data may be.
    pub stale_after_s: u64,
    /// Whether its last answers were not as they are known.
    pub drift: bool,
    /// The failure of the last attempt, in words, "" for none; for one that does not run, what is missing or wrong.
    pub error: String,
    /// The failure of the last attempt.
    pub reason: Option<Reason>,
    /// The last attempt that ended.
    pub last_run: Option<RunId>,
    /// When it ended.
    pub last_checked: Option<Ts>,
    /// When something was last recorded: the due instant of that run.
    pub last_success: Option<Ts>,
    /// When a value was new or another.
    pub last_changed: Option<Ts>,
    /// The next window of its schedule; `None` for one that does not run.
    pub next_due: Option<Ts>,
    /// When a failed run is tried again, if that comes first.
    pub retry_at: Option<Ts>,
    /// Since when it is left alone, and when the next probe is made.
    pub left_alone: Option<(Ts, Ts)>,
    /// The end of the newest period that values were recorded about, in Vietnam.
    pub data_until: Option<Ts>,
    /// When the first of our secrets for it ends, if the file says.
    pub secret_until: Option<Ts>,
    /// Whether its file is wrong and the last good version goes on.
    pub fallen_back: bool,
    /// Whether it is at work now.
    pub running: bool,
}

impl SourceState {
    /// Whether it is meant to run; one that waits for a setting or secret is, and its data grows old.
    pub fn enabled(&self) -> bool {
        !matches!(self.state, State::Disabled | State::Paused)
    }

    /// Whether somebody must look at it.
    pub fn is_broken(&self) -> bool {
        match self.state {
            State::Disabled
            | State::Waiting
            | State::LeftAlone
            | State::Failing
            | State::OwnTrouble
            | State::Quarantined
            | State::Stale
            | State::Partial => true,
            State::Paused | State::New | State::Ok => self.stale || self.drift,
        }
    }
}

/// What the store knows of the sources.
#[derive(Debug, Default)]
pub struct KnownOfSources {
    /// Schedules by collector.
    pub schedules: BTreeMap<String, ScheduleRow>,
    /// The attempt that ended last.
    pub ended: BTreeMap<String, AttemptRow>,
    /// The last that recorded something.
    pub success: BTreeMap<String, AttemptRow>,
    /// The last that brought something new.
    pub changed: BTreeMap<String, AttemptRow>,
    /// When a failed run may be tried again.
    pub retries: BTreeMap<String, Ts>,
    /// Attempts, newest first, of collectors whose last one failed.
    pub attempts: BTreeMap<String, Vec<AttemptRow>>,
    /// Collectors at work.
    pub running: Vec<String>,
}

/// The state of every source, by id.
///
/// # Errors
/// When the database does not answer.
pub async fn sources(service: &Service, live: &Live, now: Ts) -> Result<Vec<SourceState>, StoreError> {
    let known = service.stored(Operation::Read, load(service, now)).await?;
    Ok(judge_all(service, live, &known, now))
}

async fn load(service: &Service, now: Ts) -> Result<KnownOfSources, StoreError> {
    let db = &service.db;
    let by_collector = |rows: Vec<AttemptRow>| rows.into_iter().map(|row| (row.run.collector.clone(), row)).collect::<BTreeMap<_, _>>();
    let ended = by_collector(db.newest_attempts(Newest::Ended).await?);
    let mut attempts = BTreeMap::new();
    for (id, last) in &ended {
        if last.reason.is_some() {
            attempts.insert(id.clone(), db.telling_attempts(id, ATTEMPTS_JUDGED).await?);
        }
    }
    Ok(KnownOfSources {
        schedules: db.schedules().await?.into_iter().map(|row| (row.collector.clone(), row)).collect(),
        success: by_collector(db.newest_attempts(Newest::Success).await?),
        changed: by_collector(db.newest_attempts(Newest::Changed).await?),
        retries: db.retries().await?.into_iter().collect(),
        running: db.running(now).await?.into_iter().map(|row| row.run.collector).collect(),
        ended,
        attempts,
    })
}

fn judge_all(service: &Service, live: &Live, known: &KnownOfSources, now: Ts) -> Vec<SourceState> {
    let disabled = live.disabled().into_iter().map(|(id, problem)| disabled(id, problem.to_string(), known));
    let loaded = live.catalogue.collectors.values().map(|loaded| {
        let lacks = loaded.lacks(&service.settings);
        let fallen_back = live.fallen_back.contains(&loaded.file);
        SourceState { fallen_back, ..judge(loaded, &lacks, known, now) }
    });
    let mut all: Vec<SourceState> = disabled.chain(loaded).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// A collector whose file cannot be used.
fn disabled(id: &str, error: String, known: &KnownOfSources) -> SourceState {
    let title = Title { vi: id.to_owned(), en: id.to_owned() };
    let facts = Facts::of(id, known);
    SourceState { title, state: State::Disabled, error, ..facts.source(id) }
}

/// One source; pure.
pub fn judge(loaded: &LoadedCollector, lacks: &[String], known: &KnownOfSources, now: Ts) -> SourceState {
    let (collector, id) = (&loaded.collector, loaded.collector.id.get_ref().as_str());
    let facts = Facts::of(id, known);
    let schedule = known.schedules.get(id);
    let paused = schedule.is_some_and(|row| row.paused_at.is_some());
    let circuit = match (&collector.source, known.attempts.get(id)) {
        (Source::Http(http), Some(attempts)) => circuit(&http.breaker, attempts),
        (Source::Http(_), None) | (Source::File(_) | Source::Probe(_), _) => Circuit::Closed,
    };
    let enabled = lacks.is_empty() && !paused;
    let newest = facts.success.map(|row| row.run.due_at).or(schedule.map(|row| row.since));
    let limit = stale_after(&collector.schedule, newest.unwrap_or(now));
    let stale = !paused && newest.is_some_and(|newest| now.since(newest) > limit);
    let state = match facts.ended {
        _ if !lacks.is_empty() => State::Waiting,
        _ if paused => State::Paused,
        _ if circuit != Circuit::Closed => State::LeftAlone,
        Some(last) => of_attempt(last, stale),
        None if stale => State::Stale,
        None => State::New,
    };
    let source = facts.source(id);
    SourceState {
        title: collector.title.clone(),
        owner: collector.owner.clone(),
        state,
        stale,
        stale_after_s: limit.as_secs(),
        error: if lacks.is_empty() { source.error.clone() } else { lacks.join("; ") },
        next_due: enabled.then(|| collector.schedule.cron.next_after(collector.schedule.timezone.0, now)).flatten(),
        secret_until: secret_until(loaded),
        left_alone: match circuit {
            Circuit::Open { since, probe_at, .. } => Some((since, probe_at)),
            Circuit::Closed => None,
        },
        ..source
    }
}

fn of_attempt(last: &AttemptRow, stale: bool) -> State {
    match last.state {
        RunState::Failed if last.reason.is_some_and(Reason::is_ours) => State::OwnTrouble,
        RunState::Failed => State::Failing,
        RunState::Quarantined => State::Quarantined,
        RunState::Partial | RunState::Recorded if stale => State::Stale,
        RunState::Partial => State::Partial,
        RunState::Recorded => State::Ok,
        RunState::Due | RunState::Missed | RunState::Running => State::New,
    }
}

/// How old a collector's data may be that is of this instant: as its file says, else until an hour after the second
/// window that follows, however far apart its windows lie.
pub fn stale_after(schedule: &Schedule, newest: Ts) -> Duration {
    match schedule.stale_after {
        Some(span) => span.0,
        None => {
            let following = schedule.cron.upcoming(schedule.timezone.0, newest, 2);
            following.last().map_or(Duration::MAX, |second| second.since(newest).saturating_add(Duration::from_secs(3600)))
        }
    }
}

/// The time between the next two windows.
pub fn interval(schedule: &Schedule, now: Ts) -> Duration {
    match schedule.cron.upcoming(schedule.timezone.0, now, 2).as_slice() {
        [first, second] => second.since(*first),
        _ => Duration::from_secs(24 * 3600),
    }
}

/// When a period is over, in Vietnam.
fn end_of(period: Period) -> Ts {
    let next = period.last().succ_opt().unwrap_or(period.last());
    let midnight = next.and_time(chrono::NaiveTime::MIN);
    let local = chrono_tz::Asia::Ho_Chi_Minh.from_local_datetime(&midnight).earliest();
    local.map_or(Ts::from(midnight.and_utc()), |local| Ts::from(local.to_utc()))
}

/// When the first of a collector's secrets ends, if the file says.
fn secret_until(loaded: &LoadedCollector) -> Option<Ts> {
    let Source::Http(http) = &loaded.collector.source else { return None };
    let secrets = http.auth.as_ref().map(Auth::secrets).unwrap_or_default();
    let last_days = secrets.into_iter().filter_map(|secret| secret.expires);
    last_days.min().map(|day| end_of(Period::holding(PeriodKind::Day, day)))
}

/// Whether the newest answer was not as answers are known; attempts that brought none do not say.
fn drifts(id: &str, known: &KnownOfSources) -> bool {
    let attempts = known.attempts.get(id).map(Vec::as_slice).unwrap_or_default();
    let answered = attempts.iter().find(|row| row.drift || row.state != RunState::Failed);
    answered.or(known.ended.get(id)).is_some_and(|row| row.drift)
}

/// What the store knows of one source.
struct Facts<'a> {
    ended: Option<&'a AttemptRow>,
    success: Option<&'a AttemptRow>,
    changed: Option<&'a AttemptRow>,
    retry_at: Option<Ts>,
    drift: bool,
    running: bool,
}

impl<'a> Facts<'a> {
    fn of(id: &str, known: &'a KnownOfSources) -> Facts<'a> {
        Facts {
            ended: known.ended.get(id),
            success: known.success.get(id),
            changed: known.changed.get(id),
            retry_at: known.retries.get(id).copied(),
            drift: drifts(id, known),
            running: known.running.iter().any(|of| of == id),
        }
    }

    /// The source as far as the store alone tells.
    fn source(&self, id: &str) -> SourceState {
        SourceState {
            id: id.to_owned(),
            title: Title { vi: String::new(), en: String::new() },
            owner: String::new(),
            state: State::New,
            stale: false,
            stale_after_s: 0,
            drift: self.drift,
            error: self.ended.map(|row| row.error.clone()).unwrap_or_default(),
            reason: self.ended.and_then(|row| row.reason),
            last_run: self.ended.map(|row| row.run.clone()),
            last_checked: self.ended.map(|row| row.ended_at),
            last_success: self.success.map(|row| row.run.due_at),
            last_changed: self.changed.map(|row| row.ended_at),
            next_due: None,
            retry_at: self.retry_at,
            left_alone: None,
            data_until: self.success.and_then(|row| row.data_period).map(end_of),
            secret_until: None,
            fallen_back: false,
            running: self.running,
        }
    }
}
