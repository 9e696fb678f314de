//! People are told once of what is not as it should be, and once when it is over: with a webhook on loopback.

mod command;
mod receiver;

#[path = "../support/databases.rs"]
mod databases;

use std::sync::Arc;
use std::time::Duration;

use databases::on_both;
use receiver::Receiver;
use thuocdo::catalogue::Files;
use thuocdo::model::{RunId, RunState, Sha256, Span, Told, Trigger, Ts};
use thuocdo::serve::service::Parts;
use thuocdo::serve::{Live, Service, notify};
use thuocdo::settings::{Settings, Webhook};
use thuocdo::store::{Db, KnownSince, RunRecord, ScheduleRow, Terms};

const EVERY: Duration = Duration::from_millis(30);
const GROUP_WAIT: Duration = Duration::from_millis(250);
/// Long enough for many looks.
const A_WHILE: Duration = Duration::from_millis(700);

const DAYS: Duration = Duration::from_secs(24 * 3600);

/// A copy that tells people, until it is stopped.
struct Copy {
    service: Arc<Service>,
    task: tokio::task::JoinHandle<()>,
}

impl Copy {
    fn start(db: &Db, receiver: &Receiver, owner: &str) -> Copy {
        let mut settings = Settings::default();
        settings.notify.webhook = Some(Webhook::Url(receiver.url()));
        (settings.notify.group_wait, settings.notify.timeout) = (Span(GROUP_WAIT), Span(Duration::from_secs(2)));
        let now = Ts::now();
        let live = Live::load(Files::embedded(), vec![], &Default::default(), now);
        let parts = Parts { settings, db: db.clone(), live, owner: owner.to_owned(), started_at: now };
        let (service, _) = Service::new(parts);
        let task = tokio::spawn(notify::run_every(Arc::clone(&service), EVERY));
        Copy { service, task }
    }

    async fn stop(self) {
        self.service.stopping.cancel();
        self.task.await.expect("the loop does not panic");
    }
}

/// The collector was first seen long ago, and nothing was collected since.
async fn make_stale(db: &Db, collectors: &[&str]) {
    let long_ago = Ts::now().minus(90 * DAYS);
    let row = |id: &&str| ScheduleRow {
        collector: (*id).to_owned(),
        cron: "0 * * * *".to_owned(),
        timezone: "Asia/Ho_Chi_Minh".to_owned(),
        planned_until: long_ago,
        since: long_ago,
        paused_at: None,
    };
    db.add_schedules(&collectors.iter().map(row).collect::<Vec<_>>()).await.expect("schedules");
}

/// A run of now that recorded.
async fn recover(db: &Db, collector: &str) {
    let now = Ts::now();
    let (run, spec) = (RunId { collector: collector.to_owned(), due_at: now }, "a file");
    let terms = Terms { owner: "test", now, until: now.plus(DAYS), spec: (&Sha256::of(spec.as_bytes()), Some(spec)) };
    let claim = db.claim_run(&run, Trigger::Schedule, &terms).await.expect("the database answers").expect("nobody else claims");
    let (state, error) = (RunState::Recorded, String::new());
    let record = RunRecord { started_at: now, ended_at: now, state, retry_at: None, reason: None, error, requests: vec![] };
    db.record_run(&claim, &record, KnownSince::Clock(now)).await.expect("recorded");
}

#[tokio::test]
async fn told_once_in_one_request_and_again_when_it_is_over() {
    on_both("told_once_in_one_request_and_again_when_it_is_over", async |db: Db| {
        let receiver = Receiver::start().await;
        make_stale(&db, &["npsp-progress", "npsp-online"]).await;
        let copy = Copy::start(&db, &receiver, "one");
        receiver.heard(1).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(receiver.said(), ["firing source_stale npsp-online, firing source_stale npsp-progress"]);

        copy.stop().await;
        let copy = Copy::start(&db, &receiver, "after the restart");
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(receiver.said().len(), 1, "not repeated after a restart: {:?}", receiver.said());

        recover(&db, "npsp-online").await;
        receiver.heard(2).await;
        db.see_certificate("npsp-progress", Ts::now().plus(3 * DAYS), Ts::now()).await.expect("the database answers");
        receiver.heard(3).await;
        tokio::time::sleep(A_WHILE).await;
        copy.stop().await;
        let said = receiver.said();
        assert_eq!(said[1..], ["resolved source_stale npsp-online", "firing certificate_expiry npsp-progress"]);
        said
    })
    .await;
}

#[tokio::test]
async fn of_two_copies_one_tells_and_the_other_takes_over() {
    on_both("of_two_copies_one_tells_and_the_other_takes_over", async |db: Db| {
        let receiver = Receiver::start().await;
        make_stale(&db, &["npsp-progress"]).await;
        let (one, two) = (Copy::start(&db, &receiver, "one"), Copy::start(&db, &receiver, "two"));
        receiver.heard(1).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(receiver.said().len(), 1, "{:?}", receiver.said());
        one.stop().await;
        recover(&db, "npsp-progress").await;
        receiver.heard(2).await;
        two.stop().await;
        let said = receiver.said();
        assert_eq!(said, ["firing source_stale npsp-progress", "resolved source_stale npsp-progress"]);
        said
    })
    .await;
}

#[tokio::test]
async fn what_the_receiver_refuses_or_misses_is_told_again() {
    on_both("what_the_receiver_refuses_or_misses_is_told_again", async |db: Db| {
        let receiver = Receiver::start().await;
        receiver.answer(500);
        make_stale(&db, &["npsp-progress"]).await;
        let copy = Copy::start(&db, &receiver, "one");
        receiver.heard(3).await;
        let told = db.alerts().await.expect("the database answers").remove(0).told;
        assert_eq!(told, Told::Nothing, "a refusal is not a telling");
        receiver.answer(200);
        let n = receiver.said().len();
        receiver.heard(n + 1).await;
        tokio::time::sleep(A_WHILE).await;
        let said = receiver.said();
        assert!(said.len() <= n + 2, "nothing more once it was taken: {said:?}");
        copy.stop().await;

        // Away: nobody listens at the address at all.
        let address = receiver.stop().await;
        recover(&db, "npsp-progress").await;
        let away = Receiver::away(address);
        let copy = Copy::start(&db, &away, "two");
        tokio::time::sleep(A_WHILE).await;
        let row = db.alerts().await.expect("the database answers").remove(0);
        assert!(row.told == Told::Firing && row.ended_at.is_some(), "{row:?}");
        let receiver = Receiver::start_at(address).await;
        receiver.heard(1).await;
        copy.stop().await;
        assert_eq!(receiver.said()[0], "resolved source_stale npsp-progress");
    })
    .await;
}

#[tokio::test]
async fn a_short_trouble_is_nobodys_business() {
    on_both("a_short_trouble_is_nobodys_business", async |db: Db| {
        let receiver = Receiver::start().await;
        make_stale(&db, &["npsp-progress"]).await;
        let copy = Copy::start(&db, &receiver, "one");
        while db.alerts().await.expect("the database answers").is_empty() {
            tokio::time::sleep(EVERY).await;
        }
        recover(&db, "npsp-progress").await;
        tokio::time::sleep(A_WHILE).await;
        copy.stop().await;
        assert_eq!(receiver.said(), [""; 0]);
        assert_eq!(db.alerts().await.expect("the database answers"), []);
    })
    .await;
}
