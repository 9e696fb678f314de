//! The store's promises, kept by both databases: SQLite always, PostgreSQL when THUOCDO_TEST_POSTGRES
//! names a server (tests/with-postgres.sh starts one).

mod availability;
mod claims;
mod columns;
mod observations;
mod pages;
mod records;

#[path = "../support/databases.rs"]
mod databases;

use databases::on_both;
use thuocdo::model::{Period, Reading, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts, Value};
use thuocdo::store::{Claim, Db, KnownSince, ObservationQuery, Recorded, RequestRecord, RunRecord, StoreError, Terms};

fn ts(text: &str) -> Ts {
    text.parse().expect("an instant of the test")
}

/// Minute `minute` of the test's hour.
fn at(minute: i64) -> Ts {
    Ts::from_micros(ts("2026-09-26T06:00:00Z").micros() + minute * 60_000_000).expect("an instant of the test")
}

fn period(text: &str) -> Period {
    text.parse().expect("a period of the test")
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number of the test"))
}

fn run_due(minute: i64) -> RunId {
    RunId { collector: "npsp-progress".to_owned(), due_at: at(minute) }
}

fn reading(indicator: &str, unit: &str, value: Value) -> Reading {
    Reading {
        indicator: indicator.to_owned(),
        unit: unit.to_owned(),
        item: String::new(),
        period: period("2026-09"),
        value,
        flag: String::new(),
        place: format!("$['{unit}']"),
        text: value.to_string(),
    }
}

fn request(no: i32, sent: Ts, outcome: RequestOutcome) -> Request {
    Request {
        no,
        scope: Scope {
            due: sent,
            period: Some(period("2026-09")),
            unit: Some("H49".to_owned()),
            portal: None,
            province: Default::default(),
        },
        method: "POST".to_owned(),
        url: "https://portal.example/api".to_owned(),
        body: "{\"month\":9}".to_owned(),
        at: sent,
        elapsed_micros: 1_234_567,
        status: Some(200),
        content_type: "application/json".to_owned(),
        evidence: Some(Sha256::of(format!("answer {no} of {sent}").as_bytes())),
        size_bytes: 4_000_000_000,
        outcome,
        reason: None,
        error: String::new(),
    }
}

fn answer(request: Request, readings: Vec<Reading>) -> RequestRecord {
    RequestRecord { request, findings: Vec::new(), gates: Vec::new(), readings, shapes: Vec::new() }
}

fn ended(state: RunState, at: Ts, requests: Vec<RequestRecord>) -> RunRecord {
    RunRecord { started_at: at, ended_at: at, state, retry_at: None, reason: None, error: String::new(), requests }
}

async fn claimed(db: &Db, run: &RunId, now: Ts, until: Ts) -> Option<Claim> {
    let spec = "id = \"npsp-progress\"\n";
    db.claim_run(run, Trigger::Schedule, &Terms { owner: "test", now, until, spec: (&Sha256::of(spec.as_bytes()), Some(spec)) })
        .await
        .expect("the database answers")
}

/// Claims the run due at this minute and records the readings in it, at that minute.
async fn record(db: &Db, minute: i64, readings: Vec<Reading>) -> Result<Recorded, StoreError> {
    let claim = claimed(db, &run_due(minute), at(minute), at(minute + 10)).await.expect("nobody else claims");
    let requests = vec![answer(request(1, at(minute), RequestOutcome::Recorded), readings)];
    db.record_run(&claim, &ended(RunState::Recorded, at(minute), requests), KnownSince::Clock(at(minute))).await
}

fn all_as_of(as_of: Ts) -> ObservationQuery {
    ObservationQuery { period: None, indicators: None, collector: None, unit: None, as_of }
}
