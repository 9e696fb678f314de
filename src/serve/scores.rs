//! Automatic scoring: what brings new values brings new scores, and every day everything is looked at.
//!
//! What changed is read from the attempts, so it does not matter which copy recorded it; the channel only says that a look
//! is worth while. Of several copies only the holder of the lease scores; one that takes over looks at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use tokio::sync::mpsc::Receiver;

use super::service::Operation;
use super::{Live, Service};
use crate::collect::collector::Source;
use crate::collect::run::chain;
use crate::model::{Period, PeriodKind, RunId, Sha256, Ts};
use crate::score::ScoreRun;
use crate::score::criteria::CriteriaSet;
use crate::scoring::Scoring;
use crate::store::{AttemptRow, ScoreRunRow, StoreError};

/// How often is looked, and how long changes are gathered first.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After a recording, until it is looked what it changed.
    pub gather: Duration,
    /// Between two looks if nobody says that something was recorded: other copies record too.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { gather: Duration::from_secs(5), look: Duration::from_secs(60) }
    }
}

const LEASE: &str = "scores";

/// How long one scoring and the wait for the next look may take, before another copy takes over.
const HELD: Duration = Duration::from_secs(180);

/// An attempt may be recorded later than it ended: so long after is looked for it. What comes later waits for the daily look.
const LATE: Duration = Duration::from_secs(2 * 60);

/// Scores what changes, until the service stops. Collectors that recorded come through the channel.
pub async fn run(service: Arc<Service>, recorded: Receiver<String>) {
    run_at(service, recorded, Pace::default()).await;
}

/// The same at another pace.
pub async fn run_at(service: Arc<Service>, mut recorded: Receiver<String>, pace: Pace) {
    let mut memory = Memory::default();
    loop {
        if let Err(error) = look(&service, &mut memory).await {
            tracing::warn!(error = %chain(&error), "what changed cannot be scored now; it is tried again");
        }
        tokio::select! {
            () = service.stopping.cancelled() => break,
            () = tokio::time::sleep(pace.look) => {}
            Some(_) = recorded.recv() => {
                tokio::select! {
                    () = service.stopping.cancelled() => break,
                    () = tokio::time::sleep(pace.gather) => while recorded.try_recv().is_ok() {},
                }
            }
        }
    }
    if let Err(error) = service.db.release(LEASE, 1, &service.owner, Ts::now()).await {
        tracing::warn!(error = %chain(&error), "the right to score could not be given back; it ends by itself");
    }
}

/// What the holder of the lease remembers from look to look.
#[derive(Debug, Default)]
struct Memory {
    /// What is still to be scored.
    pending: BTreeSet<(String, Period)>,
    /// The day, in Vietnam, and the files of the last look at everything.
    whole: Option<(NaiveDate, Ts)>,
    /// Attempts that ended before it were looked at.
    since: Option<Ts>,
    /// Attempts that ended later and were looked at, with their ends.
    seen: BTreeMap<(RunId, i32), Ts>,
    /// The fault of each set that cannot be scored, so that it is said once.
    faults: BTreeMap<String, String>,
}

impl Memory {
    /// What follows from what changed: pure.
    fn note(&mut self, live: &Live, changed: &[AttemptRow], now: Ts) {
        let today = local_date(now);
        let whole = Some((today, live.loaded_at));
        if self.whole != whole {
            self.want(live.catalogue.criteria.values(), &periods_at(today));
            self.whole = whole;
        }
        for attempt in changed {
            if self.seen.insert((attempt.run.clone(), attempt.attempt), attempt.ended_at).is_none() {
                let periods: Vec<Period> = periods_of(attempt).into_iter().filter(|period| period.start() <= today).collect();
                self.want(resting_on(live, &attempt.run.collector), &periods);
            }
        }
        let since = now.minus(LATE);
        self.seen.retain(|_, ended_at| *ended_at > since);
        self.since = Some(since);
    }

    fn want<'a>(&mut self, sets: impl IntoIterator<Item = &'a CriteriaSet>, periods: &[Period]) {
        for set in sets {
            let in_force = periods.iter().filter(|period| set.in_force.touches(**period));
            self.pending.extend(in_force.map(|period| (set.id.clone(), *period)));
        }
    }
}

/// One look: the right to score, what changed, and the scores of it.
async fn look(service: &Arc<Service>, memory: &mut Memory) -> Result<(), StoreError> {
    if !hold(service).await? {
        // Another copy scores; whoever takes over from it looks at everything.
        *memory = Memory::default();
        return Ok(());
    }
    let live = service.live();
    let since = match memory.since {
        Some(since) => since,
        // What was recorded while nobody scored: since the newest score there is.
        None => {
            let newest = service.stored(Operation::Read, service.db.score_runs(None, 1)).await?;
            newest.first().map_or(Ts::now(), |row| row.as_of).minus(LATE)
        }
    };
    let changed = service.stored(Operation::Read, service.db.changed_since(since)).await?;
    // Later than everything that was read as changed.
    let as_of = Ts::now();
    memory.note(&live, &changed, as_of);
    while let Some((set, period)) = memory.pending.first().cloned() {
        if service.stopping.is_cancelled() || !hold(service).await? {
            break;
        }
        score_one(service, &live, memory, &set, period, as_of).await?;
        memory.pending.remove(&(set, period));
    }
    Ok(())
}

/// Takes or keeps the right to score.
async fn hold(service: &Service) -> Result<bool, StoreError> {
    let now = Ts::now();
    let taken = service.db.lease(LEASE, 1, &service.owner, now, now.plus(HELD));
    Ok(service.stored(Operation::Write, taken).await?.is_some())
}

/// Scores a set for a period and keeps that it came to something else, if it did.
async fn score_one(
    service: &Arc<Service>,
    live: &Arc<Live>,
    memory: &mut Memory,
    set: &str,
    period: Period,
    as_of: Ts,
) -> Result<(), StoreError> {
    let fault = match scored(Arc::clone(service), Arc::clone(live), set.to_owned(), period, as_of).await {
        Ok(None) => return Ok(()),
        Ok(Some(row)) => return add(service, memory, &row).await,
        Err(error) => match error.downcast::<StoreError>() {
            Ok(error) if error.passes() => return Err(error),
            Ok(error) => chain(&error),
            Err(error) => format!("{error:#}"),
        },
    };
    if memory.faults.get(set) != Some(&fault) {
        tracing::error!(set.id = set, error = fault, "criteria set {set} cannot be scored");
        memory.faults.insert(set.to_owned(), fault);
    }
    Ok(())
}

async fn add(service: &Service, memory: &mut Memory, row: &ScoreRunRow) -> Result<(), StoreError> {
    let (set, period) = (&row.criteria_set, row.period);
    memory.faults.remove(set);
    if service.stored(Operation::Write, service.db.add_score_run(row)).await? {
        tracing::info!(set.id = set, period = %period, n_sheets = row.n_sheets, "{set} gave another result for {period}");
    }
    Ok(())
}

/// The scoring as a row; `None` if nothing is known of the period, or the set is gone.
async fn scored(service: Arc<Service>, live: Arc<Live>, set: String, period: Period, as_of: Ts) -> anyhow::Result<Option<ScoreRunRow>> {
    // Scoring computes for a while: on a thread of its own.
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let Some(set) = live.catalogue.criteria.get(&set) else { return Ok(None) };
        let province = Some(service.settings.province_unit());
        let scoring = runtime.block_on(Scoring::of(&live.catalogue, set, province, period, as_of, &service.db))?;
        if scoring.observations.is_empty() {
            return Ok(None);
        }
        row(&scoring.score()?).map(Some)
    };
    tokio::task::spawn_blocking(work).await.context("scoring did not end")?
}

/// A result as it is kept: its hash is that of its JSON without `as_of`.
fn row(run: &ScoreRun<'_>) -> anyhow::Result<ScoreRunRow> {
    let mut json = serde_json::to_value(run)?;
    if let Some(object) = json.as_object_mut() {
        object.shift_remove("as_of");
    }
    Ok(ScoreRunRow {
        criteria_set: run.set.to_owned(),
        period: run.period,
        as_of: run.as_of,
        criteria_sha256: run.criteria_sha256.clone(),
        result_sha256: Sha256::of(json.to_string().as_bytes()),
        n_sheets: i32::try_from(run.sheets.len())?,
    })
}

/// The sets that read an indicator which this collector brings.
fn resting_on<'a>(live: &'a Live, collector: &str) -> Vec<&'a CriteriaSet> {
    let Some(loaded) = live.catalogue.collectors.get(collector) else { return Vec::new() };
    let reads = loaded.collector.rows.iter().flat_map(|rows| &rows.read).map(|read| read.indicator.get_ref().as_str());
    // Checks of pages and probes yield indicators that their files need not name.
    let is_about_portals =
        loaded.collector.rows.iter().any(|rows| !rows.check.is_empty()) || matches!(loaded.collector.source, Source::Probe(_));
    let of_portals = live.catalogue.registry.indicators().filter(|indicator| is_about_portals && indicator.per.is_some());
    let brings: BTreeSet<&str> = reads.chain(of_portals.map(|indicator| indicator.id.as_str())).collect();
    live.catalogue.criteria.values().filter(|set| set.input_indicators().iter().any(|id| brings.contains(id))).collect()
}

/// The month, quarter and year that hold a date, and those before them: sources restate a period for a while after it.
fn periods_at(date: NaiveDate) -> Vec<Period> {
    let holding = |kind| Period::holding(kind, date);
    [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Year].map(holding).into_iter().flat_map(|now| [now, now.previous()]).collect()
}

/// What an attempt may have brought values about: the periods around its due instant (its own, if it was of the past), and
/// the newest that it named.
fn periods_of(attempt: &AttemptRow) -> Vec<Period> {
    let named = attempt.data_period.filter(|period| period.kind() != PeriodKind::Day);
    periods_at(local_date(attempt.run.due_at)).into_iter().chain(named).collect()
}

fn local_date(at: Ts) -> NaiveDate {
    at.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Files;
    use crate::model::{RunState, Trigger};
    use crate::store::Recorded;

    fn ts(text: &str) -> Ts {
        text.parse().expect("an instant")
    }

    fn attempt(collector: &str, due: &str) -> AttemptRow {
        AttemptRow {
            run: RunId { collector: collector.to_owned(), due_at: ts(due) },
            attempt: 1,
            trigger: Trigger::Schedule,
            owner: String::new(),
            started_at: ts(due),
            ended_at: ts("2026-11-24T00:59:00Z"),
            state: RunState::Recorded,
            reason: None,
            error: String::new(),
            drift: false,
            recorded: Recorded::default(),
            data_period: None,
        }
    }

    /// `qd766-2026 2026-11`, one for each that is pending.
    fn wanted(memory: &mut Memory) -> Vec<String> {
        std::mem::take(&mut memory.pending).into_iter().map(|(set, period)| format!("{set} {period}")).collect()
    }

    #[test]
    fn everything_at_first_and_every_day_then_what_changed_once() {
        let now = ts("2026-11-24T01:00:00Z");
        let live = Live::load(Files::embedded(), vec![], &BTreeMap::new(), now);
        let mut memory = Memory::default();
        memory.note(&live, &[], now);
        let whole = wanted(&mut memory);
        for set in live.catalogue.criteria.keys() {
            assert!(whole.contains(&format!("{set} 2026-11")), "{whole:?}");
        }
        assert!(
            !whole.contains(&"qd766-2026 2025".to_owned()) && whole.contains(&"qd766-published 2025".to_owned()),
            "in force: {whole:?}"
        );
        memory.note(&live, &[], now);
        assert_eq!(wanted(&mut memory), [""; 0]);

        let changed = [attempt("documents", "2026-11-24T00:00:00Z"), attempt("gone", "2026-11-24T00:00:00Z")];
        memory.note(&live, &changed, now);
        let around = ["2025", "2026", "2026-10", "2026-11", "2026-Q3", "2026-Q4"];
        let mut of_documents = wanted(&mut memory);
        of_documents.sort();
        assert_eq!(of_documents, around.map(|period| format!("qn-documents {period}")));
        memory.note(&live, &changed, now.plus(Duration::from_secs(60)));
        assert_eq!(wanted(&mut memory), [""; 0], "looked at already");

        memory.note(&live, &[attempt("documents", "2026-03-02T00:00:00Z")], now);
        let backfilled = wanted(&mut memory);
        assert!(backfilled.contains(&"qn-documents 2026-02".to_owned()) && !backfilled.contains(&"qn-documents 2026-11".to_owned()));

        memory.note(&live, &[], ts("2026-11-24T17:00:00Z"));
        assert_eq!(wanted(&mut memory), whole, "a new day in Vietnam");
        let reloaded = Live::load(Files::embedded(), vec![], &BTreeMap::new(), now.plus(LATE));
        memory.note(&reloaded, &[], ts("2026-11-24T17:01:00Z"));
        assert_eq!(wanted(&mut memory), whole, "other files");
    }
}
