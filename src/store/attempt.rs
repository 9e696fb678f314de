//! Attempts: how every try at a run ended. The breaker, the page and the metrics are functions of these rows.

use sqlx::QueryBuilder;

use super::record::RunRecord;
use super::run::{Claim, RunRow};
use super::types::text;
use super::{Db, Recorded, StoreError, Tx, on};
use crate::model::{Period, Reason, RunId, RunState, Trigger, Ts};

/// One try at a run, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The run.
    pub run: RunId,
    /// From 1.
    pub attempt: i32,
    /// Why the run happened.
    pub trigger: Trigger,
    /// Who tried.
    pub owner: String,
    /// When it began.
    pub started_at: Ts,
    /// When it ended.
    pub ended_at: Ts,
    /// How.
    pub state: RunState,
    /// The failure that tells most of it, if something failed.
    pub reason: Option<Reason>,
    /// That failure in words, "" for none.
    pub error: String,
    /// Whether an answer was not as it is known: the source changed.
    pub drift: bool,
    /// What it changed; `superseded` is not kept.
    pub recorded: Recorded,
    /// The newest period that something was recorded about.
    pub data_period: Option<Period>,
}

type Columns = (String, Ts, i32, Trigger, String, Ts, Ts, RunState, Option<Reason>, String, i32, i32, i32, i32, i32, Option<Period>);

impl AttemptRow {
    fn of(columns: Columns) -> AttemptRow {
        let (
            collector,
            due_at,
            attempt,
            trigger,
            owner,
            started_at,
            ended_at,
            state,
            reason,
            error,
            drift,
            new,
            restated,
            same,
            apart,
            data_period,
        ) = columns;
        let n = |count: i32| usize::try_from(count).unwrap_or_default();
        AttemptRow {
            run: RunId { collector, due_at },
            attempt,
            trigger,
            owner,
            started_at,
            ended_at,
            state,
            reason,
            error,
            drift: drift != 0,
            recorded: Recorded {
                observations_new: n(new),
                observations_restated: n(restated),
                observations_unchanged: n(same),
                superseded: 0,
                quarantined: n(apart),
            },
            data_period,
        }
    }
}

/// A statement that reads attempts `a` in the order of `Columns`.
macro_rules! select_attempt {
    ($rest:literal) => {
        concat!(
            "select a.collector, a.due_at, a.attempt, a.trigger, a.owner, a.started_at, a.ended_at, a.state, a.reason, a.error,
                a.drift, a.n_new, a.n_restated, a.n_unchanged, a.n_quarantined, a.data_period ",
            $rest
        )
    };
}

/// Which attempt of each collector; one that only read old evidence again is neither the last nor a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newest {
    /// The one that ended last.
    Ended,
    /// The last that recorded something, by due instant.
    Success,
    /// The last that brought a new or another value.
    Changed,
}

impl Db {
    /// The newest such attempt of every collector that is scheduled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_attempts(&self, which: Newest) -> Result<Vec<AttemptRow>, StoreError> {
        // One look into an index per collector, however many years lie behind it.
        const ENDED: &str = select_attempt!(
            "from schedule s cross join attempt a where a.collector = s.collector and (a.due_at, a.attempt) =
                (select n.due_at, n.attempt from attempt n where n.collector = s.collector and n.trigger <> 'replay'
                    order by n.ended_at desc, n.due_at desc, n.attempt desc limit 1)
            order by a.collector"
        );
        const SUCCESS: &str = select_attempt!(
            "from schedule s cross join attempt a where a.collector = s.collector and (a.due_at, a.attempt) =
                (select n.due_at, n.attempt from attempt n where n.collector = s.collector and n.state in ('recorded', 'partial')
                    and n.trigger <> 'replay'
                    order by n.due_at desc, n.attempt desc limit 1)
            order by a.collector"
        );
        const CHANGED: &str = select_attempt!(
            "from schedule s cross join attempt a where a.collector = s.collector and (a.due_at, a.attempt) =
                (select n.due_at, n.attempt from attempt n where n.collector = s.collector and n.n_new + n.n_restated > 0
                    order by n.ended_at desc, n.due_at desc, n.attempt desc limit 1)
            order by a.collector"
        );
        let sql = match which {
            Newest::Ended => ENDED,
            Newest::Success => SUCCESS,
            Newest::Changed => CHANGED,
        };
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(sql).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing("read the newest attempts"))?;
        Ok(rows.into_iter().map(AttemptRow::of).collect())
    }

    /// The attempts of scheduled collectors that brought a new or another value and ended after an instant, by collector and end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changed_since(&self, at: Ts) -> Result<Vec<AttemptRow>, StoreError> {
        const SQL: &str = select_attempt!(
            "from schedule s cross join attempt a
            where a.collector = s.collector and a.n_new + a.n_restated > 0 and a.ended_at > $1
            order by a.collector, a.ended_at, a.due_at, a.attempt"
        );
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(at).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read what brought changes since {at}")))?;
        Ok(rows.into_iter().map(AttemptRow::of).collect())
    }

    /// The attempts of a collector that ended last, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn attempts(&self, collector: &str, limit: i64) -> Result<Vec<AttemptRow>, StoreError> {
        const SQL: &str =
            select_attempt!("from attempt a where a.collector = $1 order by a.ended_at desc, a.due_at desc, a.attempt desc limit $2");
        let rows: Result<Vec<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).bind(limit).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read the attempts of collector {collector}")))?;
        Ok(rows.into_iter().map(AttemptRow::of).collect())
    }

    /// The attempts of a collector that say something of its source, newest first: not those that only read old evidence
    /// again, and not those that trouble of our own ended, of which there may be any number in between.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn telling_attempts(&self, collector: &str, limit: i64) -> Result<Vec<AttemptRow>, StoreError> {
        const SQL: &str = select_attempt!("from attempt a where a.trigger <> 'replay' and a.collector = ");
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| {
            let mut sql = QueryBuilder::new(SQL);
            sql.push_bind(collector).push(" and (a.reason is null or a.reason not in (");
            let mut ours = sql.separated(", ");
            for reason in Reason::ALL.iter().filter(|reason| reason.is_ours()) {
                ours.push_bind(*reason);
            }
            sql.push(")) order by a.ended_at desc, a.due_at desc, a.attempt desc limit ").push_bind(limit);
            sql.build_query_as().fetch_all(pool).await
        });
        let rows = rows.map_err(StoreError::while_doing(format!("read what the attempts of collector {collector} say")))?;
        Ok(rows.into_iter().map(AttemptRow::of).collect())
    }

    /// The attempts at one run, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn attempts_at(&self, run: &RunId) -> Result<Vec<AttemptRow>, StoreError> {
        const SQL: &str = select_attempt!("from attempt a where a.collector = $1 and a.due_at = $2 order by a.attempt");
        let rows: Result<Vec<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(&run.collector).bind(run.due_at).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read the attempts at run {run}")))?;
        Ok(rows.into_iter().map(AttemptRow::of).collect())
    }
}

/// Keeps how an attempt ended.
pub(super) async fn insert(tx: &mut Tx, claim: &Claim, record: &RunRecord, recorded: &Recorded) -> Result<(), sqlx::Error> {
    let row = AttemptRow {
        run: claim.run.clone(),
        attempt: claim.attempt,
        trigger: claim.trigger,
        owner: claim.owner.clone(),
        started_at: record.started_at,
        ended_at: record.ended_at,
        state: record.state,
        reason: record.reason,
        error: record.error.clone(),
        drift: record.drift(),
        recorded: *recorded,
        data_period: record.data_period(),
    };
    insert_row(tx, &row).await
}

/// Keeps that an attempt was never heard of again: its copy died, or was paused past its claim.
pub(super) async fn insert_lost(tx: &mut Tx, lost: &RunRow) -> Result<(), sqlx::Error> {
    let row = AttemptRow {
        run: lost.run.clone(),
        attempt: lost.attempt,
        trigger: lost.trigger,
        owner: lost.owner.clone(),
        started_at: lost.started_at,
        ended_at: lost.claim_until,
        state: RunState::Failed,
        reason: Some(Reason::Interrupted),
        error: "the copy that was at work on it was not heard of again".to_owned(),
        drift: false,
        recorded: Recorded::default(),
        data_period: None,
    };
    insert_row(tx, &row).await
}

async fn insert_row(tx: &mut Tx, row: &AttemptRow) -> Result<(), sqlx::Error> {
    const SQL: &str = "
        insert into attempt (collector, due_at, attempt, trigger, owner, started_at, ended_at, state, reason, error, drift,
            n_new, n_restated, n_unchanged, n_quarantined, data_period)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict (collector, due_at, attempt) do nothing";
    let n = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let counts = row.recorded;
    on!(tx, |tx| {
        let insert = sqlx::query(SQL).bind(&row.run.collector).bind(row.run.due_at).bind(row.attempt).bind(row.trigger);
        let insert = insert.bind(&row.owner).bind(row.started_at).bind(row.ended_at).bind(row.state).bind(row.reason);
        let insert = insert.bind(text(&row.error).into_owned()).bind(i32::from(row.drift)).bind(n(counts.observations_new));
        let insert = insert.bind(n(counts.observations_restated)).bind(n(counts.observations_unchanged));
        insert.bind(n(counts.quarantined)).bind(row.data_period).execute(&mut **tx).await.map(drop)
    })
}
