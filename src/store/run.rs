//! Runs: who may do one, and how each stands.

use super::{Db, StoreError, Tx, attempt, on};
use crate::model::{CANARY, Reason, RunId, RunState, Sha256, Trigger, Ts};

/// The right to record one run, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// From 1; a later attempt fences off the earlier ones.
    pub attempt: i32,
    /// Why the run happens.
    pub trigger: Trigger,
    /// Who has it.
    pub owner: String,
}

/// On what terms a run is claimed.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who claims: `serve:HOST:PID:START` or `cli:…`.
    pub owner: &'a str,
    /// The clock.
    pub now: Ts,
    /// Until when nobody else may have it.
    pub until: Ts,
    /// SHA-256 and text of the collector file; kept with the first run that uses it. Without the text it is known to be kept.
    pub spec: (&'a Sha256, Option<&'a str>),
}

/// One run as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its identity.
    pub run: RunId,
    /// The attempt that was claimed last, from 1; 0 while it is only planned.
    pub attempt: i32,
    /// Why it happened.
    pub trigger: Trigger,
    /// How far it is.
    pub state: RunState,
    /// Until when the claim holds against others while it is running.
    pub claim_until: Ts,
    /// When the last attempt began; when it was planned, before the first.
    pub started_at: Ts,
    /// When it ended; `None` while it is running.
    pub ended_at: Option<Ts>,
    /// From when a failed run may be claimed again; `None` for never.
    pub retry_at: Option<Ts>,
    /// The collector file that was used.
    pub spec: Sha256,
    /// Whose attempt it is, "" for one from before owners were kept.
    pub owner: String,
}

type Columns = (String, Ts, i32, Trigger, RunState, Ts, Ts, Option<Ts>, Option<Ts>, Sha256, String);

impl From<Columns> for RunRow {
    fn from((collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec, owner): Columns) -> RunRow {
        let run = RunId { collector, due_at };
        RunRow { run, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec, owner }
    }
}

/// A run that may be claimed, and the trouble of its collector's last attempt.
struct OpenRun(RunRow, Option<Reason>);

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for OpenRun
where
    Columns: sqlx::FromRow<'r, R>,
    Option<Reason>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    usize: sqlx::ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> Result<OpenRun, sqlx::Error> {
        Ok(OpenRun(Columns::from_row(row)?.into(), row.try_get(11)?))
    }
}

impl Db {
    /// Claims a run: one that nobody had, one that is planned, one that failed and may be tried again, or one whose
    /// claim ran out.
    ///
    /// Of any number of copies that try at once, one gets it; the others get `None`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_run(&self, run: &RunId, trigger: Trigger, terms: &Terms<'_>) -> Result<Option<Claim>, StoreError> {
        let claimed = async {
            let mut tx = self.begin().await?;
            let attempt = claim(&mut tx, run, trigger, terms).await?;
            if attempt.is_some() {
                keep_spec(&mut tx, &run.collector, terms.spec).await?;
            }
            tx.commit().await?;
            Ok(attempt.map(|attempt| Claim { run: run.clone(), attempt, trigger, owner: terms.owner.to_owned() }))
        };
        claimed.await.map_err(StoreError::while_doing(format!("claim run {run}")))
    }

    /// Claims a run whatever became of it, unless somebody else is at work on it: what this attempt brings stands beside what
    /// earlier ones brought.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_anew(&self, run: &RunId, trigger: Trigger, terms: &Terms<'_>) -> Result<Option<Claim>, StoreError> {
        const SQL: &str = "
            update run set attempt = attempt + 1, state = 'running', claim_until = $3, started_at = $4, ended_at = null, retry_at = null,
                spec_sha256 = $5, owner = $6, trigger = $7
            where collector = $1 and due_at = $2 and (state <> 'running' or claim_until < $4 or owner = $6)
            returning attempt";
        let claimed = async {
            let mut tx = self.begin().await?;
            let again: Option<i32> = on!(&mut tx, |tx| {
                let update = sqlx::query_scalar(SQL).bind(&run.collector).bind(run.due_at).bind(terms.until).bind(terms.now);
                update.bind(terms.spec.0).bind(terms.owner).bind(trigger).fetch_optional(&mut **tx).await?
            });
            let attempt = match again {
                Some(attempt) => Some(attempt),
                None => claim(&mut tx, run, trigger, terms).await?,
            };
            if attempt.is_some() {
                keep_spec(&mut tx, &run.collector, terms.spec).await?;
            }
            tx.commit().await?;
            let (run, owner) = (run.clone(), terms.owner.to_owned());
            Ok(attempt.map(|attempt| Claim { run, attempt, trigger, owner }))
        };
        claimed.await.map_err(StoreError::while_doing(format!("claim run {run}")))
    }

    /// What may be claimed now, the oldest of each collector: planned, failed and to be tried again, or left behind
    /// by a copy whose claim ran out; each with the trouble of the collector's last attempt. Oldest first.
    /// What somebody ran by hand is for them to run again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_runs(&self, now: Ts) -> Result<Vec<(RunRow, Option<Reason>)>, StoreError> {
        // From one collector with open runs to the next by index, and then to its oldest: the cost grows neither with the
        // backlog nor with the collectors that have nothing open. The first condition is the index's own, word for word:
        // SQLite uses it only then; and `cross join` keeps it from walking all runs.
        const SQL: &str = "
            with recursive waiting (collector) as (
                select (
                    select f.collector from run f where (f.state in ('due', 'running') or f.retry_at is not null)
                    order by f.collector limit 1)
                union all
                select (
                    select n.collector from run n
                    where (n.state in ('due', 'running') or n.retry_at is not null) and n.collector > w.collector
                    order by n.collector limit 1)
                from waiting w where w.collector is not null)
            select r.collector, r.due_at, r.attempt, r.trigger, r.state, r.claim_until, r.started_at, r.ended_at, r.retry_at,
                r.spec_sha256, r.owner,
                (select a.reason from attempt a where a.collector = r.collector
                    order by a.ended_at desc, a.due_at desc, a.attempt desc limit 1)
            from waiting w cross join run r
            where r.collector = w.collector and r.due_at = (
                select o.due_at from run o
                where (o.state in ('due', 'running') or o.retry_at is not null) and o.collector = w.collector
                    and (o.state = 'due' or (o.trigger in ('schedule', 'catch_up')
                        and ((o.state = 'failed' and o.retry_at <= $1) or (o.state = 'running' and o.claim_until < $1))))
                order by o.due_at limit 1)
            order by r.due_at, r.collector";
        let rows: Result<Vec<OpenRun>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(now).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing("list the runs that are open"))?;
        Ok(rows.into_iter().map(|OpenRun(row, reason)| (row, reason)).collect())
    }

    /// Claims open runs in one transaction, each on its own terms; those that another copy has by now, or whose
    /// collector is at work on another window, are left out.
    ///
    /// # Errors
    /// When the database does not answer; then none is claimed.
    pub async fn claim_open(&self, wanted: &[(&RunRow, Terms<'_>)]) -> Result<Vec<Claim>, StoreError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let claimed = async {
            let mut tx = self.begin().await?;
            let mut claims = Vec::new();
            for (row, terms) in wanted {
                let Some(claim) = claim_planned(&mut tx, row, terms).await? else { continue };
                if row.state == RunState::Running {
                    attempt::insert_lost(&mut tx, row).await?;
                }
                keep_spec(&mut tx, &row.run.collector, terms.spec).await?;
                claims.push(claim);
            }
            tx.commit().await?;
            Ok(claims)
        };
        claimed.await.map_err(StoreError::while_doing(format!("claim {} runs", wanted.len())))
    }

    /// Gives back what the owners whose name begins so left at work, but for what is really at work. Each attempt is kept
    /// as interrupted; the run may be claimed again at once the first time, later each time after it. How many there were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_back(&self, owner: &str, at_work: &[RunId], now: Ts) -> Result<usize, StoreError> {
        const LEFT: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256, owner
            from run
            where state = 'running'";
        const SQL: &str = "
            update run set state = 'failed', ended_at = $3, retry_at = $4
            where collector = $1 and due_at = $2 and attempt = $5 and state = 'running'";
        let taken = async {
            let left: Vec<Columns> = on!(self.reader(), |pool| sqlx::query_as(LEFT).fetch_all(pool).await?);
            let is_left = |row: &RunRow| row.owner.starts_with(owner) && !at_work.contains(&row.run);
            let left: Vec<RunRow> = left.into_iter().map(RunRow::from).filter(is_left).collect();
            if left.is_empty() {
                return Ok(0);
            }
            let mut tx = self.begin().await?;
            for row in &left {
                attempt::insert_lost(&mut tx, &RunRow { claim_until: now, ..row.clone() }).await?;
                let retry_at = now.plus(wait_after_loss(row.attempt));
                on!(&mut tx, |tx| {
                    let give = sqlx::query(SQL).bind(&row.run.collector).bind(row.run.due_at).bind(now).bind(retry_at);
                    give.bind(row.attempt).execute(&mut **tx).await.map(drop)
                })?;
            }
            tx.commit().await?;
            Ok(left.len())
        };
        taken.await.map_err(StoreError::while_doing("take back runs that were left at work"))
    }

    /// When the next try at a failed run of each collector may begin.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn retries(&self) -> Result<Vec<(String, Ts)>, StoreError> {
        const SQL: &str = "
            select collector, min(retry_at) from run
            where retry_at is not null and trigger in ('schedule', 'catch_up')
            group by collector order by collector";
        let rows: Result<Vec<(String, Ts)>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).fetch_all(pool).await);
        rows.map_err(StoreError::while_doing("list the runs that are tried again"))
    }

    /// The runs whose claims hold: somebody is at work on them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn running(&self, now: Ts) -> Result<Vec<RunRow>, StoreError> {
        const SQL: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256, owner
            from run
            where state = 'running' and claim_until >= $1
            order by collector, due_at";
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(now).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing("list the runs at work"))?.into_iter().map(RunRow::from).collect())
    }

    /// The newest runs by due instant, of one collector or of all but the known-answer one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn runs(&self, collector: Option<&str>, limit: i64) -> Result<Vec<RunRow>, StoreError> {
        const SQL: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256, owner
            from run
            where collector = $1 or (cast($1 as text) is null and collector <> $3)
            order by due_at desc, collector
            limit $2";
        let rows: Result<Vec<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).bind(limit).bind(CANARY).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing("list the runs"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    /// One run; `None` if it was never planned or claimed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self, run: &RunId) -> Result<Option<RunRow>, StoreError> {
        const SQL: &str = "
            select collector, due_at, attempt, trigger, state, claim_until, started_at, ended_at, retry_at, spec_sha256, owner
            from run
            where collector = $1 and due_at = $2";
        let row: Result<Option<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(&run.collector).bind(run.due_at).fetch_optional(pool).await);
        Ok(row.map_err(StoreError::while_doing(format!("look up run {run}")))?.map(RunRow::from))
    }

    /// When the last attempt of any scheduled collector ended. A clock that shows less is wrong.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_instant(&self) -> Result<Option<Ts>, StoreError> {
        const SQL: &str = "
            select max(newest) from (
                select (select max(a.ended_at) from attempt a where a.collector = s.collector) as newest from schedule s) n";
        let latest: Result<Option<Ts>, _> = on!(self.reader(), |pool| sqlx::query_scalar(SQL).fetch_one(pool).await);
        latest.map_err(StoreError::while_doing("look up the newest attempt"))
    }

    /// The text of the collector file that the newest run of a collector used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_spec(&self, collector: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "
            select s.text from run r join spec s on s.sha256 = r.spec_sha256
            where r.collector = $1 and r.attempt > 0
            order by r.due_at desc limit 1";
        let text = on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(collector).fetch_optional(pool).await);
        text.map_err(StoreError::while_doing(format!("look up the last file of collector {collector}")))
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

/// A run that ends the process that carries it out must not do so every few seconds.
fn wait_after_loss(attempt: i32) -> std::time::Duration {
    let doubled = 60 * 2u64.saturating_pow(u32::try_from(attempt - 2).unwrap_or(0).min(6));
    std::time::Duration::from_secs(if attempt <= 1 { 0 } else { doubled.min(3600) })
}

/// The attempt that is ours now; `None` if the run is not to be had.
async fn claim(tx: &mut Tx, run: &RunId, trigger: Trigger, terms: &Terms<'_>) -> Result<Option<i32>, sqlx::Error> {
    // Whoever's insert or update takes effect has the run: a condition that no longer holds returns no row.
    const SQL: &str = "
        insert into run (collector, due_at, attempt, trigger, state, claim_until, started_at, spec_sha256, owner)
        values ($1, $2, 1, $3, 'running', $4, $5, $6, $7)
        on conflict (collector, due_at) do update
        set attempt = run.attempt + 1, trigger = excluded.trigger, state = 'running', claim_until = excluded.claim_until,
            started_at = excluded.started_at, ended_at = null, retry_at = null, spec_sha256 = excluded.spec_sha256,
            owner = excluded.owner
        where run.state in ('due', 'missed') or (run.state = 'failed' and run.retry_at <= $5)
            or (run.state = 'running' and run.claim_until < $5)
        returning attempt";
    on!(tx, |tx| {
        let insert = sqlx::query_scalar(SQL).bind(&run.collector).bind(run.due_at).bind(trigger).bind(terms.until).bind(terms.now);
        insert.bind(terms.spec.0).bind(terms.owner).fetch_optional(&mut **tx).await
    })
}

/// Claims a run as it was listed; `None` if it is not as it was, or the collector is at work on another window.
async fn claim_planned(tx: &mut Tx, row: &RunRow, terms: &Terms<'_>) -> Result<Option<Claim>, sqlx::Error> {
    const SQL: &str = "
        update run
        set attempt = attempt + 1, state = 'running', claim_until = $4, started_at = $5, ended_at = null, retry_at = null,
            spec_sha256 = $6, owner = $7
        where collector = $1 and due_at = $2 and attempt = $3
            and (state = 'due' or (state = 'failed' and retry_at <= $5) or (state = 'running' and claim_until < $5))
            and not exists (
                select 1 from run o
                where o.state = 'running' and o.collector = $1 and o.claim_until >= $5 and o.due_at <> $2)
        returning attempt, trigger";
    let run = &row.run;
    let claimed: Option<(i32, Trigger)> = on!(tx, |tx| {
        let update = sqlx::query_as(SQL).bind(&run.collector).bind(run.due_at).bind(row.attempt).bind(terms.until).bind(terms.now);
        update.bind(terms.spec.0).bind(terms.owner).fetch_optional(&mut **tx).await?
    });
    Ok(claimed.map(|(attempt, trigger)| Claim { run: run.clone(), attempt, trigger, owner: terms.owner.to_owned() }))
}

async fn keep_spec(tx: &mut Tx, collector: &str, (sha, text): (&Sha256, Option<&str>)) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into spec (sha256, collector, text) values ($1, $2, $3) on conflict (sha256) do nothing";
    let Some(text) = text else { return Ok(()) };
    on!(tx, |tx| sqlx::query(SQL).bind(sha).bind(collector).bind(text).execute(&mut **tx).await.map(drop))
}
