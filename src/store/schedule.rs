//! Schedules: up to when the windows of each collector are planned, and which were missed.

use sqlx::QueryBuilder;

use super::version::just_after;
use super::{Db, ROWS_PER_INSERT, StoreError, Tx, on};
use crate::model::{Missed, MissedWhy, RunState, Sha256, Trigger, Ts};

/// Where a collector's schedule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Collector id.
    pub collector: String,
    /// The cron line by which it was planned last.
    pub cron: String,
    /// IANA zone name of the cron line.
    pub timezone: String,
    /// Windows due until then are runs or counted as missed.
    pub planned_until: Ts,
    /// When the collector was first seen.
    pub since: Ts,
    /// Since when it is paused; `None` if it is not.
    pub paused_at: Option<Ts>,
}

type Columns = (String, String, String, Ts, Ts, Option<Ts>);

impl From<Columns> for ScheduleRow {
    fn from((collector, cron, timezone, planned_until, since, paused_at): Columns) -> ScheduleRow {
        ScheduleRow { collector, cron, timezone, planned_until, since, paused_at }
    }
}

/// A step of a collector's schedule: which windows become runs, which were missed, and where it stands then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleStep {
    /// As it was when the step was planned; if it is not any more, the step is not taken.
    pub from: ScheduleRow,
    /// As it is afterwards.
    pub to: ScheduleRow,
    /// Windows that become runs, oldest first.
    pub run: Vec<(Ts, Trigger)>,
    /// Windows that never will.
    pub missed: Vec<Missed>,
    /// Whether older windows that wait or are to be tried again give way: to these, or to where the schedule stands then.
    pub replaces_older: bool,
}

impl Db {
    /// Every schedule, by collector.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        const SQL: &str = "select collector, cron, timezone, planned_until, since, paused_at from schedule order by collector";
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing("read the schedules"))?.into_iter().map(ScheduleRow::from).collect())
    }

    /// One schedule; `None` if the collector was never scheduled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedule(&self, collector: &str) -> Result<Option<ScheduleRow>, StoreError> {
        const SQL: &str = "
            select collector, cron, timezone, planned_until, since, paused_at from schedule where collector = $1";
        let row: Result<Option<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).fetch_optional(pool).await);
        Ok(row.map_err(StoreError::while_doing(format!("read the schedule of collector {collector}")))?.map(ScheduleRow::from))
    }

    /// Adds schedules of collectors that have none yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_schedules(&self, rows: &[ScheduleRow]) -> Result<(), StoreError> {
        const SQL: &str = "
            insert into schedule (collector, cron, timezone, planned_until, since, paused_at) values ($1, $2, $3, $4, $5, $6)
            on conflict (collector) do nothing";
        if rows.is_empty() {
            return Ok(());
        }
        let added = async {
            let mut tx = self.begin().await?;
            for row in rows {
                on!(&mut tx, |tx| {
                    let insert = sqlx::query(SQL).bind(&row.collector).bind(&row.cron).bind(&row.timezone);
                    insert.bind(row.planned_until).bind(row.since).bind(row.paused_at).execute(&mut **tx).await.map(drop)
                })?;
            }
            tx.commit().await
        };
        added.await.map_err(StoreError::while_doing("add schedules"))
    }

    /// Takes steps in one transaction; those whose schedule another copy has moved since are left out. The
    /// collectors whose step was taken, each with how many older windows were passed over.
    ///
    /// # Errors
    /// When the database does not answer; then none is taken.
    pub async fn take_steps(&self, steps: &[ScheduleStep], now: Ts) -> Result<Vec<(String, u64)>, StoreError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let taken = async {
            let mut tx = self.begin().await?;
            let mut taken = Vec::new();
            for step in steps {
                if move_schedule(&mut tx, step).await? {
                    let passed_over = take(&mut tx, step, now).await?;
                    taken.push((step.to.collector.clone(), passed_over));
                }
            }
            tx.commit().await?;
            Ok(taken)
        };
        taken.await.map_err(StoreError::while_doing(format!("plan the windows of {} collectors", steps.len())))
    }

    /// The stretches of missed windows of a collector, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missed(&self, collector: &str, limit: i64) -> Result<Vec<Missed>, StoreError> {
        const SQL: &str = "
            select first_due, last_due, n, why from missed where collector = $1 order by first_due desc, why limit $2";
        let rows: Result<Vec<(Ts, Ts, i64, MissedWhy)>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).bind(limit).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read what collector {collector} missed")))?;
        Ok(rows.into_iter().map(|(first_due, last_due, n, why)| Missed { first_due, last_due, n, why }).collect())
    }
}

/// Moves a schedule from where the step begins; false if it is not there any more.
async fn move_schedule(tx: &mut Tx, step: &ScheduleStep) -> Result<bool, sqlx::Error> {
    const SQL: &str = "
        update schedule set cron = $5, timezone = $6, planned_until = $7, paused_at = $8
        where collector = $1 and cron = $2 and timezone = $3 and planned_until = $4
            and coalesce(paused_at, since) = coalesce($9, since)";
    let (from, to) = (&step.from, &step.to);
    on!(tx, |tx| {
        let update = sqlx::query(SQL).bind(&from.collector).bind(&from.cron).bind(&from.timezone).bind(from.planned_until);
        let update = update.bind(&to.cron).bind(&to.timezone).bind(to.planned_until).bind(to.paused_at).bind(from.paused_at);
        update.execute(&mut **tx).await.map(|done| done.rows_affected() == 1)
    })
}

/// How many older windows were passed over.
async fn take(tx: &mut Tx, step: &ScheduleStep, now: Ts) -> Result<u64, sqlx::Error> {
    let newest = step.run.last().map_or(just_after(step.to.planned_until), |(due, _)| *due);
    let passed_over = match step.replaces_older {
        true => replace_older(tx, &step.to.collector, newest, now).await?,
        false => 0,
    };
    for windows in step.run.chunks(ROWS_PER_INSERT) {
        insert_due(tx, &step.to.collector, windows, now).await?;
    }
    for missed in &step.missed {
        insert_missed(tx, &step.to.collector, missed, now).await?;
    }
    Ok(passed_over)
}

/// A window that waits becomes missed; one that failed is not tried again.
async fn replace_older(tx: &mut Tx, collector: &str, newest: Ts, now: Ts) -> Result<u64, sqlx::Error> {
    const SQL: &str = "
        update run
        set state = case state when 'due' then 'missed' else state end, ended_at = coalesce(ended_at, $3), retry_at = null
        where (state in ('due', 'running') or retry_at is not null) and collector = $1 and due_at < $2
            and state in ('due', 'failed')
        returning due_at, state";
    let older: Vec<(Ts, RunState)> =
        on!(&mut *tx, |tx| sqlx::query_as(SQL).bind(collector).bind(newest).bind(now).fetch_all(&mut **tx).await?);
    let passed_over: Vec<Ts> = older.into_iter().filter(|(_, state)| *state == RunState::Missed).map(|(due, _)| due).collect();
    for due in &passed_over {
        insert_missed(tx, collector, &Missed { first_due: *due, last_due: *due, n: 1, why: MissedWhy::Newer }, now).await?;
    }
    Ok(passed_over.len() as u64)
}

/// Runs that wait to be claimed. Their file is known when they are claimed.
async fn insert_due(tx: &mut Tx, collector: &str, windows: &[(Ts, Trigger)], now: Ts) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into run (collector, due_at, attempt, trigger, state, claim_until, started_at, spec_sha256, owner) ";
    let no_file = Sha256::of(b"");
    on!(tx, |tx| {
        let mut sql = QueryBuilder::new(SQL);
        sql.push_values(windows, |mut row, (due_at, trigger)| {
            row.push_bind(collector).push_bind(*due_at).push_bind(0).push_bind(*trigger).push_bind(RunState::Due);
            row.push_bind(now).push_bind(now).push_bind(&no_file).push_bind("");
        });
        sql.push(" on conflict (collector, due_at) do nothing").build().execute(&mut **tx).await.map(drop)
    })
}

async fn insert_missed(tx: &mut Tx, collector: &str, missed: &Missed, now: Ts) -> Result<(), sqlx::Error> {
    const SQL: &str = "
        insert into missed (collector, first_due, last_due, n, why, recorded_at) values ($1, $2, $3, $4, $5, $6)
        on conflict (collector, first_due, why) do nothing";
    on!(tx, |tx| {
        let insert = sqlx::query(SQL).bind(collector).bind(missed.first_due).bind(missed.last_due).bind(missed.n);
        insert.bind(missed.why).bind(now).execute(&mut **tx).await.map(drop)
    })
}
