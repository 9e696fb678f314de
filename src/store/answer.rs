//! What the requests of a run brought: the requests, findings, gate results and readings that were kept apart.

use sqlx::QueryBuilder;

use super::record::is_trusted;
use super::types::{text, value};
use super::{Claim, Db, ROWS_PER_INSERT, RequestRecord, StoreError, Tx, on};
use crate::model::{
    Exact, Finding, GateOutcome, GateResult, Period, Reading, Reason, Request, RequestOutcome, RunId, Scope, Severity, Sha256, Ts,
};

type RequestColumns =
    (i32, Scope, String, String, String, Ts, i64, Option<i32>, String, Option<Sha256>, i64, RequestOutcome, Option<Reason>, String);
type ReadingColumns = (i32, String, String, String, Period, Option<Exact>, String, String, String);

/// Reads what belongs to the last attempt of a run, in order: a statement, its columns, the run.
macro_rules! of_last_attempt {
    ($db:expr, $sql:expr, $columns:ty, $run:expr, $what:literal) => {{
        let run: &RunId = $run;
        let rows: Result<Vec<$columns>, sqlx::Error> =
            on!($db.reader(), |pool| sqlx::query_as($sql).bind(&run.collector).bind(run.due_at).fetch_all(pool).await);
        rows.map_err(StoreError::while_doing(format!("read the {} of run {run}", $what)))
    }};
}

impl Db {
    /// The requests of a run's last attempt, in order; none while that attempt is running.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn requests(&self, run: &RunId) -> Result<Vec<Request>, StoreError> {
        const SQL: &str = "
            select q.no, q.scope, q.method, q.url, q.body, q.at, q.elapsed_micros, q.status, q.content_type, q.evidence,
                q.size_bytes, q.outcome, q.reason, q.error
            from run r
            join request q on q.collector = r.collector and q.due_at = r.due_at and q.attempt = r.attempt
            where r.collector = $1 and r.due_at = $2
            order by q.no";
        Ok(of_last_attempt!(self, SQL, RequestColumns, run, "requests")?.into_iter().map(request).collect())
    }

    /// The findings of a run's last attempt, each with the number of its request.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn findings(&self, run: &RunId) -> Result<Vec<(i32, Finding)>, StoreError> {
        const SQL: &str = "
            select f.request, f.reason, f.severity, f.place, f.text
            from run r
            join finding f on f.collector = r.collector and f.due_at = r.due_at and f.attempt = r.attempt
            where r.collector = $1 and r.due_at = $2
            order by f.request, f.no";
        let rows = of_last_attempt!(self, SQL, (i32, Reason, Severity, String, String), run, "findings")?;
        Ok(rows.into_iter().map(|(no, reason, severity, place, text)| (no, Finding { reason, severity, place, text })).collect())
    }

    /// What the gates said in a run's last attempt, each with the number of its request.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn gate_results(&self, run: &RunId) -> Result<Vec<(i32, GateResult)>, StoreError> {
        const SQL: &str = "
            select g.request, g.gate, g.outcome, g.detail
            from run r
            join gate_result g on g.collector = r.collector and g.due_at = r.due_at and g.attempt = r.attempt
            where r.collector = $1 and r.due_at = $2
            order by g.request, g.no";
        let rows = of_last_attempt!(self, SQL, (i32, String, GateOutcome, String), run, "gate results")?;
        Ok(rows.into_iter().map(|(no, gate, outcome, detail)| (no, GateResult { gate, outcome, detail })).collect())
    }

    /// The readings of a run's last attempt that were kept apart, each with the number of its request.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn quarantined(&self, run: &RunId) -> Result<Vec<(i32, Reading)>, StoreError> {
        const SQL: &str = "
            select q.request, q.indicator, q.unit, q.item, q.period, q.value, q.flag, q.place, q.text
            from run r
            join quarantined_reading q on q.collector = r.collector and q.due_at = r.due_at and q.attempt = r.attempt
            where r.collector = $1 and r.due_at = $2
            order by q.request, q.no";
        Ok(of_last_attempt!(self, SQL, ReadingColumns, run, "quarantined readings")?.into_iter().map(reading).collect())
    }

    /// Every address of evidence that some request brought, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn evidence(&self) -> Result<Vec<Sha256>, StoreError> {
        const SQL: &str = "select distinct evidence from request where evidence is not null order by evidence";
        let rows: Result<Vec<Sha256>, _> = on!(self.reader(), |pool| sqlx::query_scalar(SQL).fetch_all(pool).await);
        rows.map_err(StoreError::while_doing("list the evidence".to_owned()))
    }

    /// When the last recorded request of the collector that brought exactly these bytes was made; `None` if there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recorded_at(&self, collector: &str, evidence: &Sha256) -> Result<Option<Ts>, StoreError> {
        const SQL: &str = "select at from request where collector = $1 and evidence = $2 and outcome = 'recorded' order by at desc limit 1";
        let row: Result<Option<Ts>, _> =
            on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(collector).bind(evidence).fetch_optional(pool).await);
        row.map_err(StoreError::while_doing(format!("look for evidence {evidence} of collector {collector}")))
    }
}

fn request(columns: RequestColumns) -> Request {
    let (no, scope, method, url, body, at, elapsed_micros, status, content_type, evidence, size_bytes, outcome, reason, error) = columns;
    Request { no, scope, method, url, body, at, elapsed_micros, status, content_type, evidence, size_bytes, outcome, reason, error }
}

fn reading((no, indicator, unit, item, period, number, flag, place, text): ReadingColumns) -> (i32, Reading) {
    (no, Reading { indicator, unit, item, period, value: value(number), flag, place, text })
}

/// Inserts rows that begin with the attempt they belong to: `$bind` pushes the other columns of one row.
macro_rules! insert_rows {
    ($tx:expr, $claim:expr, $sql:expr, $rows:expr, |$row:ident, $one:pat_param| $bind:expr) => {{
        let claim: &Claim = $claim;
        for chunk in $rows.chunks(ROWS_PER_INSERT) {
            on!(&mut *$tx, |tx| {
                let mut sql = QueryBuilder::new($sql);
                sql.push_values(chunk, |mut $row, $one| {
                    $row.push_bind(&claim.run.collector).push_bind(claim.run.due_at).push_bind(claim.attempt);
                    $bind;
                });
                sql.build().execute(&mut **tx).await?;
            });
        }
    }};
}

pub(super) async fn insert_requests(tx: &mut Tx, claim: &Claim, requests: &[RequestRecord]) -> Result<(), sqlx::Error> {
    const SQL: &str = "
        insert into request (collector, due_at, attempt, no, scope, method, url, body, at, elapsed_micros, status,
            content_type, evidence, size_bytes, outcome, reason, error) ";
    insert_rows!(tx, claim, SQL, requests, |row, RequestRecord { request, .. }| {
        row.push_bind(request.no).push_bind(&request.scope).push_bind(text(&request.method)).push_bind(text(&request.url));
        row.push_bind(text(&request.body)).push_bind(request.at).push_bind(request.elapsed_micros).push_bind(request.status);
        row.push_bind(text(&request.content_type)).push_bind(&request.evidence).push_bind(request.size_bytes);
        row.push_bind(request.outcome).push_bind(request.reason).push_bind(text(&request.error))
    });
    Ok(())
}

pub(super) async fn insert_findings(tx: &mut Tx, claim: &Claim, requests: &[RequestRecord]) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into finding (collector, due_at, attempt, request, no, reason, severity, place, text) ";
    let findings = numbered(requests.iter().map(|one| (one.request.no, one.findings.as_slice())));
    insert_rows!(tx, claim, SQL, findings, |row, (request, no, finding)| {
        row.push_bind(*request).push_bind(*no).push_bind(finding.reason).push_bind(finding.severity);
        row.push_bind(text(&finding.place)).push_bind(text(&finding.text))
    });
    Ok(())
}

pub(super) async fn insert_gate_results(tx: &mut Tx, claim: &Claim, requests: &[RequestRecord]) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into gate_result (collector, due_at, attempt, request, no, gate, outcome, detail) ";
    let gates = numbered(requests.iter().map(|one| (one.request.no, one.gates.as_slice())));
    insert_rows!(tx, claim, SQL, gates, |row, (request, no, result)| {
        row.push_bind(*request).push_bind(*no).push_bind(text(&result.gate)).push_bind(result.outcome);
        row.push_bind(text(&result.detail))
    });
    Ok(())
}

/// Keeps the readings of requests that are not trusted apart; how many there were.
pub(super) async fn insert_quarantined(tx: &mut Tx, claim: &Claim, requests: &[RequestRecord]) -> Result<usize, sqlx::Error> {
    const SQL: &str = "
        insert into quarantined_reading (collector, due_at, attempt, request, no, indicator, unit, item, period, value,
            flag, place, text) ";
    let refused = requests.iter().filter(|one| !is_trusted(one.request.outcome));
    let readings = numbered(refused.map(|one| (one.request.no, one.readings.as_slice())));
    insert_rows!(tx, claim, SQL, readings, |row, (request, no, reading)| {
        row.push_bind(*request).push_bind(*no).push_bind(text(&reading.indicator)).push_bind(text(&reading.unit));
        row.push_bind(text(&reading.item)).push_bind(reading.period).push_bind(reading.value.number());
        row.push_bind(text(&reading.flag)).push_bind(text(&reading.place)).push_bind(text(&reading.text))
    });
    Ok(readings.len())
}

/// Everything with the number of its request and its own number there, both from 1.
fn numbered<'a, T>(by_request: impl Iterator<Item = (i32, &'a [T])>) -> Vec<(i32, i32, &'a T)> {
    by_request.flat_map(|(request, all)| (1..).zip(all).map(move |(no, one)| (request, no, one))).collect()
}
