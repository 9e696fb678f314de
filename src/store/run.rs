//! Runs: who may do one, and how each stands.

use super::{Db, StoreError, Tx, on};
use crate::model::{RunId, RunState, Sha256, Trigger, Ts};

/// The right to record one run, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// From 1; a later attempt fences off the earlier ones.
    pub attempt: i32,
}

/// One run as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its identity.
    pub run: RunId,
    /// The attempt that was claimed last, from 1.
    pub attempt: i32,
    /// Why it happened.
    pub trigger: Trigger,
    /// How far it is.
    pub state: RunState,
    /// Until when the claim holds against others while it is running.
    pub claim_until: Ts,
    /// When the last attempt began.
    pub started_at: Ts,
    /// When it ended; `None` while it is running.
    pub ended_at: Option<Ts>,
    /// From when a failed run may be claimed again; `None` for never.
    pub retry_at: Option<Ts>,
    /// The collector file that was used.
    pub spec: Sha256,
}

type Columns = (String, Ts, i32, Trigger, RunState, Ts, Ts, Option<Ts>, Option<Ts>, Sha256);

impl From<Columns> for RunRow {
    fn from((collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec): Columns) -> RunRow {
        let run = RunId { collector, due_at };
        RunRow { run, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec }
    }
}

impl Db {
    /// Claims a run: one that nobody had, one that failed and may be tried again, or one whose claim ran out.
    ///
    /// Of any number of copies that try at once, one gets it; the others get `None`. The collector
    /// file is kept with the first run that uses it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_run(
        &self,
        run: &RunId,
        trigger: Trigger,
        now: Ts,
        claim_until: Ts,
        spec_sha: &Sha256,
        spec_text: &str,
    ) -> Result<Option<Claim>, StoreError> {
        let claimed = async {
            let mut tx = self.begin().await?;
            let attempt = claim(&mut tx, run, trigger, now, claim_until, spec_sha).await?;
            if attempt.is_some() {
                keep_spec(&mut tx, &run.collector, spec_sha, spec_text).await?;
            }
            tx.commit().await?;
            Ok(attempt.map(|attempt| Claim { run: run.clone(), attempt }))
        };
        claimed.await.map_err(StoreError::while_doing(format!("claim run {run}")))
    }

    /// The newest runs by due instant, of one collector or of all.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn runs(&self, collector: Option<&str>, limit: i64) -> Result<Vec<RunRow>, StoreError> {
        const SQL: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256
            from run
            where cast($1 as text) is null or collector = $1
            order by due_at desc, collector
            limit $2";
        let rows: Result<Vec<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).bind(limit).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing("list the runs"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    /// One run; `None` if it was never claimed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self, run: &RunId) -> Result<Option<RunRow>, StoreError> {
        const SQL: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256
            from run
            where collector = $1 and due_at = $2";
        let row: Result<Option<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(&run.collector).bind(run.due_at).fetch_optional(pool).await);
        Ok(row.map_err(StoreError::while_doing(format!("look up run {run}")))?.map(RunRow::from))
    }

    /// The text of a collector file that some run used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn spec(&self, sha: &Sha256) -> Result<Option<String>, StoreError> {
        const SQL: &str = "select text from spec where sha256 = $1";
        let text = on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(sha).fetch_optional(pool).await);
        text.map_err(StoreError::while_doing(format!("look up collector file {sha}")))
    }
}

/// The attempt that is ours now; `None` if the run is not to be had.
async fn claim(
    tx: &mut Tx,
    run: &RunId,
    trigger: Trigger,
    now: Ts,
    claim_until: Ts,
    spec_sha: &Sha256,
) -> Result<Option<i32>, sqlx::Error> {
    // Whoever's insert or update takes effect has the run: a condition that no longer holds returns no row.
    const SQL: &str = "
        insert into run (collector, due_at, attempt, trigger, state, claim_until, started_at, spec_sha256)
        values ($1, $2, 1, $3, 'running', $4, $5, $6)
        on conflict (collector, due_at) do update
        set attempt = run.attempt + 1, trigger = excluded.trigger, state = 'running', claim_until = excluded.claim_until,
            started_at = excluded.started_at, ended_at = null, retry_at = null, spec_sha256 = excluded.spec_sha256
        where (run.state = 'failed' and run.retry_at <= $5) or (run.state = 'running' and run.claim_until < $5)
        returning attempt";
    on!(tx, |tx| {
        let insert = sqlx::query_scalar(SQL).bind(&run.collector).bind(run.due_at).bind(trigger).bind(claim_until).bind(now);
        insert.bind(spec_sha).fetch_optional(&mut **tx).await
    })
}

async fn keep_spec(tx: &mut Tx, collector: &str, sha: &Sha256, text: &str) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into spec (sha256, collector, text) values ($1, $2, $3) on conflict (sha256) do nothing";
    on!(tx, |tx| sqlx::query(SQL).bind(sha).bind(collector).bind(text).execute(&mut **tx).await.map(drop))
}
