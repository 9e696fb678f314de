//! What brings new values brings one new score, and what brings none does not.

#[path = "../support/databases.rs"]
mod databases;

use std::sync::Arc;
use std::time::{Duration, Instant};

use databases::on_both;
use thuocdo::catalogue::Files;
use thuocdo::model::{Period, PeriodKind, Reading, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts, Value};
use thuocdo::serve::scores::{Pace, run_at};
use thuocdo::serve::service::Parts;
use thuocdo::serve::{Live, Service};
use thuocdo::settings::Settings;
use thuocdo::store::{Db, KnownSince, RequestRecord, RunRecord, ScheduleRow, ScoreRunRow, Terms};
use tokio::sync::mpsc;

const PACE: Pace = Pace { gather: Duration::from_millis(20), look: Duration::from_millis(50) };
/// Long enough for many looks.
const A_WHILE: Duration = Duration::from_millis(1500);
const COLLECTOR: &str = "npsp-progress";
/// The sets that rest on it.
const SETS: [&str; 2] = ["qd766-2026", "qd766-as-written"];

/// A copy that scores, until it is stopped.
struct Copy {
    service: Arc<Service>,
    task: tokio::task::JoinHandle<()>,
    recorded: mpsc::Sender<String>,
}

impl Copy {
    fn start(db: &Db, owner: &str) -> Copy {
        let now = Ts::now();
        let parts = Parts {
            settings: Settings::default(),
            db: db.clone(),
            live: live(Files::embedded()),
            owner: owner.to_owned(),
            started_at: now,
        };
        let (service, _) = Service::new(parts);
        let (recorded, receiver) = mpsc::channel(8);
        let task = tokio::spawn(run_at(Arc::clone(&service), receiver, PACE));
        Copy { service, task, recorded }
    }

    async fn stop(self) {
        self.service.stopping.cancel();
        self.task.await.expect("the loop does not panic");
    }
}

fn live(files: Files) -> Live {
    Live::load(files, vec![], &Default::default(), Ts::now())
}

fn this_year() -> Period {
    Period::holding(PeriodKind::Year, Ts::now().utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive())
}

async fn schedule(db: &Db) {
    let (now, cron, timezone) = (Ts::now(), "0 * * * *".to_owned(), "Asia/Ho_Chi_Minh".to_owned());
    let row = ScheduleRow { collector: COLLECTOR.to_owned(), cron, timezone, planned_until: now, since: now, paused_at: None };
    db.add_schedules(&[row]).await.expect("a schedule");
}

/// A run of now that says so many dossiers of the province were on time this year.
async fn record(db: &Db, on_time: i64) {
    let now = Ts::now();
    let (run, spec) = (RunId { collector: COLLECTOR.to_owned(), due_at: now }, "a file");
    let terms = Terms { owner: "test", now, until: now.plus(A_WHILE), spec: (&Sha256::of(spec.as_bytes()), Some(spec)) };
    let claim = db.claim_run(&run, Trigger::Schedule, &terms).await.expect("the database answers").expect("nobody else claims");
    let reading = |indicator: &str, value: i64| Reading {
        indicator: indicator.to_owned(),
        unit: "H49".to_owned(),
        item: String::new(),
        period: this_year(),
        value: Value::Number(value.to_string().parse().expect("a number")),
        flag: String::new(),
        place: "$".to_owned(),
        text: value.to_string(),
    };
    let request = Request {
        no: 1,
        scope: Scope { due: now, period: Some(this_year()), unit: None, portal: None, province: Default::default() },
        method: "GET".to_owned(),
        url: "https://portal.example".to_owned(),
        body: String::new(),
        at: now,
        elapsed_micros: 1,
        status: Some(200),
        content_type: String::new(),
        evidence: Some(Sha256::of(on_time.to_string().as_bytes())),
        size_bytes: 1,
        outcome: RequestOutcome::Recorded,
        reason: None,
        error: String::new(),
    };
    let readings = vec![reading("dossier_on_time_count", on_time), reading("dossier_processed_count", 100)];
    let requests = vec![RequestRecord { request, findings: vec![], gates: vec![], readings, shapes: vec![] }];
    let (state, error) = (RunState::Recorded, String::new());
    let record = RunRecord { started_at: now, ended_at: Ts::now(), state, retry_at: None, reason: None, error, requests };
    db.record_run(&claim, &record, KnownSince::Clock(Ts::now())).await.expect("recorded");
}

/// Every score, by set; they are all of this year.
async fn scores(db: &Db, set: &str) -> Vec<ScoreRunRow> {
    let rows = db.score_runs(Some(set), 100).await.expect("the database answers");
    assert!(rows.iter().all(|row| row.period == this_year() && row.n_sheets > 1), "{rows:?}");
    rows
}

/// Waits until each set has so many scores, and a while longer for one too many.
async fn settled(db: &Db, n: [usize; 2]) {
    let started = Instant::now();
    let counted = async || [scores(db, SETS[0]).await.len(), scores(db, SETS[1]).await.len()];
    while counted().await != n && started.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(PACE.gather).await;
    }
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(counted().await, n);
}

#[tokio::test]
async fn a_change_brings_one_score_and_nothing_else_does() {
    on_both("a_change_brings_one_score_and_nothing_else_does", async |db: Db| {
        schedule(&db).await;
        let copy = Copy::start(&db, "one");
        settled(&db, [0, 0]).await;
        record(&db, 80).await;
        copy.recorded.send(COLLECTOR.to_owned()).await.expect("the loop listens");
        settled(&db, [1, 1]).await;
        record(&db, 80).await;
        settled(&db, [1, 1]).await;
        record(&db, 81).await;
        settled(&db, [2, 2]).await;
        let newest = db.newest_score_run(SETS[0], this_year()).await.expect("the database answers");
        assert_eq!(newest, Some(scores(&db, SETS[0]).await.remove(0)), "newest first");

        let embedded = Files::embedded();
        let path = "criteria/qd766-2026.toml";
        let text = format!("{}\n# Read again.\n", embedded.get(path).expect("a shipped file"));
        copy.service.set_live(live(embedded.overlay([(path.to_owned(), text)].into_iter().collect())));
        settled(&db, [3, 2]).await;
        copy.stop().await;

        // A restart looks at everything and finds the first text of the criteria in force again.
        let copy = Copy::start(&db, "two");
        settled(&db, [4, 2]).await;
        copy.stop().await;
        let copy = Copy::start(&db, "three");
        settled(&db, [4, 2]).await;
        copy.stop().await;
        scores(&db, SETS[0]).await.iter().map(|row| row.n_sheets).collect::<Vec<_>>()
    })
    .await;
}

#[tokio::test]
async fn two_copies_add_one_and_the_other_takes_over() {
    on_both("two_copies_add_one_and_the_other_takes_over", async |db: Db| {
        schedule(&db).await;
        let (one, two) = (Copy::start(&db, "one"), Copy::start(&db, "two"));
        record(&db, 80).await;
        for copy in [&one, &two] {
            copy.recorded.send(COLLECTOR.to_owned()).await.expect("the loop listens");
        }
        settled(&db, [1, 1]).await;
        one.stop().await;
        record(&db, 81).await;
        settled(&db, [2, 2]).await;
        two.stop().await;
    })
    .await;
}
