//! Starting and stopping in order: what finishes, what is interrupted, what is read again, and every way not to start.

use std::sync::atomic::Ordering;
use std::time::Duration;

use thuocdo::model::{Reason, RunId, RunState, Sha256, Trigger, Ts};
use thuocdo::store::{KnownSince, RunRecord, Terms};

use crate::world::{World, collector, portal, until, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_finishes_within_the_grace_time_or_is_made_again() {
    let portal = portal().await;
    let world = World::new(None, &[("c1", collector("c1", &portal.base, ""))], "grace = \"1s\"\ncanary = false");
    world.owe(&["c1"], 1).await;
    let mut copy = world.start();
    copy.says("ended: recorded", 1).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(10)).await.success());

    // The next answer comes far later than the grace time.
    portal.state.delay_ms.store(3_600_000, Ordering::SeqCst);
    world_owes_more(&world).await;
    let asked = portal.state.asked.load(Ordering::SeqCst);
    let mut copy = world.start();
    until("a run is at work", Duration::from_secs(30), async || portal.state.asked.load(Ordering::SeqCst) > asked).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(20)).await.success(), "{}", copy.log());
    let db = world.db().await;
    let rows = db.runs(Some("c1"), i64::MAX).await.expect("rows");
    let interrupted = rows.iter().find(|row| row.state == RunState::Failed).unwrap_or_else(|| panic!("{rows:#?}"));
    let attempts = db.attempts_at(&interrupted.run).await.expect("rows");
    assert_eq!(attempts.last().and_then(|attempt| attempt.reason), Some(Reason::Interrupted), "{attempts:?}");
    assert!(interrupted.retry_at.is_some(), "it is made again");

    portal.state.delay_ms.store(0, Ordering::SeqCst);
    let copy = world.start();
    until("it was made again", Duration::from_secs(30), async || {
        db.run(&interrupted.run).await.expect("a row").is_some_and(|row| row.state == RunState::Recorded)
    })
    .await;
    drop(copy);
    db.close().await;
}

/// Sets the schedule back, so that some windows are due at the next start.
async fn world_owes_more(world: &World) {
    let db = world.db().await;
    let row = db.schedules().await.expect("rows").remove(0);
    let to = thuocdo::store::ScheduleRow { planned_until: Ts::now().minus(Duration::from_secs(360 * 60)), ..row.clone() };
    let step = thuocdo::store::ScheduleStep { from: row, to, run: vec![], missed: vec![], replaces_older: false };
    db.take_steps(&[step], Ts::now()).await.expect("taken");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_again_and_a_bad_one_disables_only_itself() {
    let portal = portal().await;
    let files = [("c1", collector("c1", &portal.base, "")), ("c2", collector("c2", &portal.base, ""))];
    let world = World::new(None, &files, "canary = false");
    let mut copy = world.start();
    copy.says("\"ready\"", 1).await;
    write(&world.path().join("collectors/c1.toml"), "schema = 1\nid = \"c1\"\n");
    write(&world.path().join("collectors/c3.toml"), &collector("c3", &portal.base, ""));
    copy.signal("HUP");
    copy.says("the declarative files were read again", 1).await;
    copy.says("collectors/c1.toml:1", 1).await;
    let db = world.db().await;
    until("the new collector is scheduled, the spoilt one stays", Duration::from_secs(20), async || {
        db.schedules().await.expect("rows").iter().map(|row| row.collector.clone()).collect::<Vec<_>>() == ["c1", "c2", "c3"]
    })
    .await;
    // A folder that is gone takes nothing away.
    std::fs::rename(world.path().join("collectors"), world.path().join("elsewhere")).expect("renamed");
    write(&world.path().join("collectors"), "");
    copy.signal("HUP");
    copy.says("the declarative files were read again", 2).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(20)).await.success());
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_not_to_start_has_its_code_and_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let good = || World::new(None, &[], "canary = false");
    let closed = "postgres://me:hidden@127.0.0.1:1/db".to_owned();
    let with = |settings: &str| {
        let world = good();
        let path = world.path().join("thuocdo.toml");
        let text = std::fs::read_to_string(&path).expect("settings");
        write(&path, &text.replace("listen = \"127.0.0.1:0\"", settings));
        world
    };
    let cases = [
        ("a wrong key", with("liston = 5"), 2, "unknown field"),
        ("no catalogue", with("listen = \"127.0.0.1:0\"\n[http]\ncontact = 5"), 2, "invalid type"),
        ("no database", World::new(Some(closed), &[], ""), 3, "cannot open the database 127.0.0.1:1/db: is it running"),
        ("a taken port", with(&format!("listen = \"127.0.0.1:{port}\"")), 5, "is it in use? choose another one"),
        ("a taken port for metrics", with(&format!("observe = \"127.0.0.1:{port}\"\nlisten = \"127.0.0.1:0\"")), 5, "[service] observe"),
    ];
    for (name, world, code, words) in cases {
        let mut copy = world.start();
        let status = copy.ended(Duration::from_secs(20)).await;
        assert_eq!(status.code(), Some(code), "{name}: {}", copy.log());
        assert!(copy.log().contains(words) && !copy.log().contains("hidden"), "{name}: {}", copy.log());
    }
    let world = good();
    let mut first = world.start();
    first.says("\"ready\"", 1).await;
    let mut second = world.start_as("second", &[]);
    assert_eq!(second.ended(Duration::from_secs(20)).await.code(), Some(4), "{}", second.log());
    assert!(second.log().contains("another copy of the service") && second.log().contains("use PostgreSQL"), "{}", second.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_before_the_last_run_is_not_believed() {
    let portal = portal().await;
    let world = World::new(None, &[("c1", collector("c1", &portal.base, ""))], "canary = false");
    world.owe(&["c1"], 0).await;
    let db = world.db().await;
    let later = Ts::now().plus(Duration::from_secs(3600));
    let run = RunId { collector: "c1".to_owned(), due_at: later };
    let terms = Terms { owner: "test", now: later, until: later, spec: (&Sha256::of(b""), Some("")) };
    let claim = db.claim_run(&run, Trigger::Schedule, &terms).await.expect("the database").expect("ours");
    let (at, state, error) = (later, RunState::Recorded, String::new());
    let record = RunRecord { started_at: at, ended_at: at, state, retry_at: None, reason: None, error, requests: vec![] };
    db.record_run(&claim, &record, KnownSince::Clock(later)).await.expect("recorded");
    db.close().await;
    let mut copy = world.start();
    assert_eq!(copy.ended(Duration::from_secs(20)).await.code(), Some(6), "{}", copy.log());
    assert!(copy.log().contains("set the clock right, or start with --trust-clock"), "{}", copy.log());
    world.start_as("trusting", &["--trust-clock"]).says("\"ready\"", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_or_a_doubled_id_keeps_only_its_own_collector_from_running() {
    let portal = portal().await;
    let secret = collector("c2", &portal.base, "auth = { bearer = { secret = \"nowhere/token\" } }");
    let world = World::new(None, &[("c1", collector("c1", &portal.base, "")), ("c2", secret)], "canary = false");
    std::fs::create_dir(world.path().join("collectors/again")).expect("a folder");
    write(&world.path().join("collectors/again/c1.toml"), &collector("c1", &portal.base, ""));
    let mut copy = world.start();
    copy.says("\"ready\"", 1).await;
    copy.says("the id \\\"c1\\\" is that of", 1).await;
    let db = world.db().await;
    let scheduled: Vec<String> = db.schedules().await.expect("rows").into_iter().map(|row| row.collector).collect();
    assert_eq!(scheduled, ["c1"], "the one without its secret waits");
    db.close().await;
}
