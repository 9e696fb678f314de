//! How long recording 100 000 observations takes, when all are new and when none has changed.
//! PostgreSQL takes part when THUOCDO_TEST_POSTGRES names a server: tests/with-postgres.sh cargo bench --bench store

use std::sync::atomic::{AtomicI64, Ordering};

use divan::Bencher;
use thuocdo::model::{Period, Reading, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts, Value};
use thuocdo::store::{Claim, Db, KnownSince, RequestRecord, RunRecord, Terms};
use tokio::runtime::Runtime;

const N_UNITS: i64 = 250;
const N_INDICATORS: i64 = 400;

fn main() {
    divan::main();
}

fn databases() -> Vec<&'static str> {
    match std::env::var("THUOCDO_TEST_POSTGRES") {
        Ok(_) => vec!["sqlite", "postgres"],
        Err(_) => {
            eprintln!("skipped: PostgreSQL: THUOCDO_TEST_POSTGRES is not set");
            vec!["sqlite"]
        }
    }
}

/// Every number is seen for the first time.
#[divan::bench(args = databases(), sample_count = 5, sample_size = 1)]
fn new_observations(bencher: Bencher, database: &str) {
    let (runtime, folder) = (runtime(), folder());
    let db = runtime.block_on(open(database, &folder));
    bencher
        .counter(divan::counter::ItemsCount::new((N_UNITS * N_INDICATORS) as u64))
        .with_inputs(|| runtime.block_on(claim(&db, None)))
        .bench_local_values(|(claim, record)| {
            let recorded = runtime.block_on(db.record_run(&claim, &record, KnownSince::Clock(record.ended_at))).expect("recorded");
            assert_eq!(recorded.observations_new, record.requests[0].readings.len());
        });
}

/// The daily case: everything is as it was, and only the checks move.
#[divan::bench(args = databases(), sample_count = 5, sample_size = 1)]
fn unchanged_observations(bencher: Bencher, database: &str) {
    let (runtime, folder) = (runtime(), folder());
    let db = runtime.block_on(open(database, &folder));
    let (first, record) = runtime.block_on(claim(&db, None));
    runtime.block_on(db.record_run(&first, &record, KnownSince::Clock(record.ended_at))).expect("recorded");
    let collector = first.run.collector.as_str();
    bencher
        .counter(divan::counter::ItemsCount::new((N_UNITS * N_INDICATORS) as u64))
        .with_inputs(|| runtime.block_on(claim(&db, Some(collector))))
        .bench_local_values(|(claim, record)| {
            let recorded = runtime.block_on(db.record_run(&claim, &record, KnownSince::Clock(record.ended_at))).expect("recorded");
            assert_eq!(recorded.observations_unchanged, record.requests[0].readings.len());
        });
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

async fn open(database: &str, folder: &tempfile::TempDir) -> Db {
    let url = match database {
        "sqlite" => format!("sqlite:{}", folder.path().join("bench.db").display()),
        _ => std::env::var("THUOCDO_TEST_POSTGRES").expect("it was set a moment ago"),
    };
    Db::open(&url).await.expect("the database opens")
}

/// A claimed run of this collector, or of a new one, with everything to record.
async fn claim(db: &Db, collector: Option<&str>) -> (Claim, RunRecord) {
    static MINUTE: AtomicI64 = AtomicI64::new(0);
    let minute = MINUTE.fetch_add(1, Ordering::Relaxed);
    let now = Ts::from_micros(1_790_000_000_000_000 + minute * 60_000_000).expect("an instant");
    // A PostgreSQL that was benched before holds runs already: the process makes the collector new.
    let collector = collector.map_or_else(|| format!("bench-{}-{minute}", std::process::id()), str::to_owned);
    let run = RunId { collector, due_at: now };
    let claim = db
        .claim_run(&run, Trigger::Schedule, &Terms { owner: "bench", now, until: now, spec: (&Sha256::of(b""), Some("")) })
        .await
        .expect("the database answers");
    let record = RunRecord {
        started_at: now,
        ended_at: now,
        state: RunState::Recorded,
        retry_at: None,
        reason: None,
        error: String::new(),
        requests: vec![answer(now)],
    };
    (claim.expect("a new run"), record)
}

fn answer(now: Ts) -> RequestRecord {
    let period: Period = "2026-09".parse().expect("a period");
    let reading = |n: i64| Reading {
        indicator: format!("indicator_{:03}_count", n / N_UNITS),
        unit: format!("qn-{:05}", n % N_UNITS),
        item: String::new(),
        period,
        value: Value::Number((n * 7919 % 100_003).into()),
        flag: String::new(),
        place: String::new(),
        text: String::new(),
    };
    let request = Request {
        no: 1,
        scope: Scope { due: now, period: Some(period), unit: None, portal: None, province: Default::default() },
        method: "GET".to_owned(),
        url: "https://portal.example/".to_owned(),
        body: String::new(),
        at: now,
        elapsed_micros: 1,
        status: Some(200),
        content_type: "application/json".to_owned(),
        evidence: Some(Sha256::of(b"")),
        size_bytes: 0,
        outcome: RequestOutcome::Recorded,
        reason: None,
        error: String::new(),
    };
    let readings = (0..N_UNITS * N_INDICATORS).map(reading).collect();
    RequestRecord { request, findings: Vec::new(), gates: Vec::new(), readings, shapes: Vec::new() }
}
