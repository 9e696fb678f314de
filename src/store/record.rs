//! Recording a run: everything that it brought, or nothing, in one transaction.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::series::SeriesKey;
use super::types::text;
use super::version::{Seen, observe};
use super::{Claim, Db, StoreError, TwoValues, Tx, answer, attempt, availability, horizon, on, shape};
use crate::model::{Finding, GateResult, Period, Reading, Reason, Request, RequestOutcome, RunState, Ts};
use crate::rollup::{DayRow, HourPart};

/// What a run brought and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// When this attempt began.
    pub started_at: Ts,
    /// When it ended.
    pub ended_at: Ts,
    /// How it ended; never `Running`.
    pub state: RunState,
    /// From when a failed run may be claimed again; `None` for never.
    pub retry_at: Option<Ts>,
    /// The failure that tells most of it, if something failed.
    pub reason: Option<Reason>,
    /// That failure in words, "" for none.
    pub error: String,
    /// Its requests, in order.
    pub requests: Vec<RequestRecord>,
}

impl RunRecord {
    /// Whether an answer was not as it is known: a finding or failure says that the source changed.
    pub fn drift(&self) -> bool {
        let found = self.requests.iter().flat_map(|one| one.findings.iter().map(|finding| finding.reason).chain(one.request.reason));
        found.into_iter().any(Reason::is_drift)
    }

    /// The newest period that something was recorded about: the one that ends last, the longest of those.
    pub fn data_period(&self) -> Option<Period> {
        let recorded = self.requests.iter().filter(|one| is_trusted(one.request.outcome));
        recorded.flat_map(|one| one.readings.iter().map(|reading| reading.period)).max_by_key(|period| (period.last(), period.kind()))
    }
}

/// What a run watched: hours by target, and the days that they close.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched<'a> {
    /// Hours, each target once per hour.
    pub hours: &'a [(String, HourPart)],
    /// Days, each target once per day.
    pub days: &'a [(String, DayRow)],
}

/// Since when what a run brings counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownSince {
    /// Since it is recorded, by this clock; never before what was scored already.
    Clock(Ts),
    /// Since an instant that a person vouches for.
    Stated(Ts),
}

/// One request of a run with everything that was read from its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The request; its outcome decides whether the readings become observations or are kept apart.
    pub request: Request,
    /// What was not as it should be.
    pub findings: Vec<Finding>,
    /// What the gates said.
    pub gates: Vec<GateResult>,
    /// What the answer said.
    pub readings: Vec<Reading>,
    /// The shape of each list of rows, by its number in the collector; the first recorded one becomes the accepted one.
    pub shapes: Vec<(i32, String)>,
}

/// What recording a run changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Numbers seen for the first time.
    pub observations_new: usize,
    /// Numbers whose value or flag differs from the one known so far: a later version each.
    pub observations_restated: usize,
    /// Numbers that are as known: only the time of the last check moved.
    pub observations_unchanged: usize,
    /// Numbers that differ from what newer evidence said already: no version is written.
    pub superseded: usize,
    /// Readings that were kept apart.
    pub quarantined: usize,
}

impl Db {
    /// Records a claimed run in one transaction: the requests with what was found in them, and the observations.
    ///
    /// A reading of a recorded request becomes a new version only if its value or flag differs from the latest
    /// one of its series and period; otherwise only `last_checked` moves, to the instant of the request and never
    /// back. A reading that differs but whose request is older than the last check is superseded and writes nothing.
    /// A version is recorded at `known`, or just after the one it replaces if the clock was set back; unless it is
    /// stated, always after every instant that was scored as of (`settle`), so that no such score can change.
    /// Readings of any other request are kept apart.
    ///
    /// # Errors
    /// `ClaimLost` when the attempt is not ours any more, `TwoValues` when two readings of the run contradict
    /// each other, `NotEnded`, and when the database does not answer. Nothing is recorded then.
    pub async fn record_run(&self, claim: &Claim, record: &RunRecord, known: KnownSince) -> Result<Recorded, StoreError> {
        self.record_watched(claim, record, &Watched::default(), known).await
    }

    /// Records a run together with what it watched, in the same transaction.
    ///
    /// # Errors
    /// As `record_run`.
    pub async fn record_watched(
        &self,
        claim: &Claim,
        record: &RunRecord,
        watched: &Watched<'_>,
        known: KnownSince,
    ) -> Result<Recorded, StoreError> {
        if matches!(record.state, RunState::Due | RunState::Missed | RunState::Running) {
            return Err(StoreError::NotEnded { run: claim.run.clone() });
        }
        let trusted = trusted(claim, record)?;
        let recorded = async {
            let mut tx = self.begin().await?;
            if !end_run(&mut tx, claim, record).await? {
                return Ok(None);
            }
            let now = match known {
                KnownSince::Clock(now) => horizon::after(horizon::hold(&mut tx).await?, now),
                KnownSince::Stated(at) => at,
            };
            lock_collector(&mut tx, &claim.run.collector).await?;
            answer::insert_requests(&mut tx, claim, &record.requests).await?;
            answer::insert_findings(&mut tx, claim, &record.requests).await?;
            answer::insert_gate_results(&mut tx, claim, &record.requests).await?;
            let quarantined = answer::insert_quarantined(&mut tx, claim, &record.requests).await?;
            shape::keep_first_shapes(&mut tx, claim, &record.requests, now).await?;
            let observed = if trusted.is_empty() { Recorded::default() } else { observe(&mut tx, claim, trusted, now).await? };
            let recorded = Recorded { quarantined, ..observed };
            if !watched.hours.is_empty() || !watched.days.is_empty() {
                availability::insert_hours(&mut tx, claim, watched.hours, now).await?;
                availability::put_days(&mut tx, &claim.run.collector, watched.days).await?;
            }
            attempt::insert(&mut tx, claim, record, &recorded).await?;
            tx.commit().await?;
            Ok(Some(recorded))
        };
        let recorded = recorded.await.map_err(StoreError::while_doing(format!("record run {}", claim.run)))?;
        recorded.ok_or_else(|| StoreError::ClaimLost { run: claim.run.clone(), attempt: claim.attempt })
    }
}

/// What the recorded requests say, once per series and period.
fn trusted(claim: &Claim, record: &RunRecord) -> Result<BTreeMap<(SeriesKey, Period), Seen>, StoreError> {
    let mut trusted = BTreeMap::new();
    for recorded in record.requests.iter().filter(|recorded| is_trusted(recorded.request.outcome)) {
        for reading in &recorded.readings {
            let seen = Seen::of(reading, &recorded.request);
            match trusted.entry((SeriesKey::of(reading), reading.period)) {
                Entry::Vacant(entry) => {
                    entry.insert(seen);
                }
                Entry::Occupied(mut entry) if entry.get().says_as(seen.value, &seen.flag) => {
                    let first: &mut Seen = entry.get_mut();
                    first.at = first.at.max(seen.at);
                }
                Entry::Occupied(entry) => return Err(two_values(claim, reading, entry.get(), &seen)),
            }
        }
    }
    Ok(trusted)
}

/// Whether the readings of such a request are observations.
pub(super) fn is_trusted(outcome: RequestOutcome) -> bool {
    match outcome {
        RequestOutcome::Recorded => true,
        RequestOutcome::Quarantined | RequestOutcome::Failed => false,
    }
}

fn two_values(claim: &Claim, reading: &Reading, first: &Seen, second: &Seen) -> StoreError {
    let said = |seen: &Seen| (seen.value, seen.flag.clone(), seen.request);
    StoreError::TwoValues(Box::new(TwoValues {
        run: claim.run.clone(),
        indicator: reading.indicator.clone(),
        unit: reading.unit.clone(),
        item: text(&reading.item).into_owned(),
        period: reading.period,
        first: said(first),
        second: said(second),
    }))
}

/// Ends the run if this attempt still has it; the row stays locked until the transaction is over.
async fn end_run(tx: &mut Tx, claim: &Claim, record: &RunRecord) -> Result<bool, sqlx::Error> {
    const SQL: &str = "
        update run
        set state = $4, started_at = $5, ended_at = $6, retry_at = $7
        where collector = $1 and due_at = $2 and attempt = $3 and state = 'running'";
    on!(tx, |tx| {
        let update = sqlx::query(SQL).bind(&claim.run.collector).bind(claim.run.due_at).bind(claim.attempt).bind(record.state);
        let update = update.bind(record.started_at).bind(record.ended_at).bind(record.retry_at);
        update.execute(&mut **tx).await.map(|done| done.rows_affected() == 1)
    })
}

/// One run of a collector records at a time: two that compare with the same latest version would both write the next one.
async fn lock_collector(tx: &mut Tx, collector: &str) -> Result<(), sqlx::Error> {
    match tx {
        // The write transaction is the only one.
        Tx::Sqlite(_) => Ok(()),
        Tx::Postgres(tx) => {
            const SQL: &str = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
            sqlx::query(SQL).bind(collector).execute(&mut **tx).await.map(drop)
        }
    }
}
