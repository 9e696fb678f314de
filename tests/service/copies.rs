//! Several copies on one PostgreSQL: one is killed, one is paused past its claim and goes on; every window is recorded once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use thuocdo::model::{RunState, Ts};
use thuocdo::store::Db;

use crate::databases;
use crate::world::{Copy, World, collector, portal, until};

const COLLECTORS: [&str; 6] = ["c1", "c2", "c3", "c4", "c5", "c6"];
const WINDOWS: u64 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_copies_record_every_window_once() {
    let Some(server) = databases::server() else {
        return eprintln!("skipped: three_copies_record_every_window_once: THUOCDO_TEST_POSTGRES is not set");
    };
    let portal = portal().await;
    portal.state.delay_ms.store(400, Ordering::SeqCst);
    let short = |id| collector(id, &portal.base, "").replace("\"20s\"", "\"2s\"");
    let files: Vec<(&str, String)> = COLLECTORS.iter().map(|id| (*id, short(*id))).collect();
    // One run at a time in each copy, so that all have some.
    let world = World::new(Some(databases::new_database(&server).await), &files, "claim_margin = \"1s\"\ncanary = false\nruns = 2");
    world.owe(&COLLECTORS, WINDOWS).await;
    let newest_owed = Ts::now();
    let mut copies = [world.start_as("one", &[]), world.start_as("two", &[]), world.start_as("three", &[])];
    for copy in &mut copies {
        copy.says("\"ready\"", 1).await;
    }
    let [one, two, three] = &mut copies;
    let db = world.db().await;
    // Both while they have runs, which are claimed for 3 s at most.
    stopped_at_work(&db, one).await;
    one.kill();
    stopped_at_work(&db, two).await;
    until("all windows are recorded", Duration::from_secs(90), async || {
        let mut n = 0;
        for id in COLLECTORS {
            let rows = db.runs(Some(id), 1000).await.expect("rows");
            n += rows.iter().filter(|row| row.run.due_at < newest_owed && row.state == RunState::Recorded).count();
        }
        n as u64 >= COLLECTORS.len() as u64 * WINDOWS
    })
    .await;
    two.signal("CONT");
    two.says("not ours any more", 1).await;
    for copy in [two, three] {
        copy.signal("TERM");
        assert!(copy.ended(Duration::from_secs(40)).await.success());
    }
    let mut lost = 0;
    for id in COLLECTORS {
        for row in db.runs(Some(id), 1000).await.expect("rows").into_iter().filter(|row| row.attempt > 0) {
            let attempts = db.attempts_at(&row.run).await.expect("rows");
            let recorded: Vec<_> = attempts.iter().filter(|attempt| attempt.state == RunState::Recorded).collect();
            assert_eq!(recorded.len(), 1, "{}: {attempts:?}", row.run);
            lost += attempts.len() - 1;
            let requests = db.requests(&row.run).await.expect("rows");
            assert_eq!(requests.len(), 1, "{}: the late result is refused, not doubled", row.run);
        }
    }
    assert!(lost >= 2, "the killed and the paused copy had runs: {lost}");
    println!("three copies: {} windows once each, {lost} attempts taken over", COLLECTORS.len() as u64 * WINDOWS);
    db.close().await;
}

/// Stops a copy at a moment when it has a run that is not recorded yet.
async fn stopped_at_work(db: &Db, copy: &Copy) {
    let owner = format!(":{}:", copy.id());
    let at_work = async || db.running(Ts::now()).await.expect("rows").into_iter().find(|row| row.owner.contains(&owner));
    loop {
        until("it has a run", Duration::from_secs(30), async || at_work().await.is_some()).await;
        copy.signal("STOP");
        tokio::time::sleep(Duration::from_millis(100)).await;
        if at_work().await.is_some() {
            return;
        }
        copy.signal("CONT");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_share_the_rate_of_a_host() {
    use std::num::NonZeroU32;
    use thuocdo::collect::collector::Rate;
    use thuocdo::collect::source::Politeness;
    use thuocdo::model::Span;
    databases::on_both("copies_share_the_rate_of_a_host", async |db| {
        let rate = Rate { requests: NonZeroU32::new(10).expect("10"), per: Span::seconds(1), concurrency: NonZeroU32::MIN };
        let copies = [Politeness::shared(&db, "a"), Politeness::shared(&db, "b"), Politeness::shared(&db, "c")];
        let (started, at_once, most) =
            (std::time::Instant::now(), std::sync::atomic::AtomicU64::new(0), std::sync::atomic::AtomicU64::new(0));
        let ask = async |copy: &Politeness| {
            for _ in 0..4 {
                let turn = copy.wait("portal.example", &rate).await;
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                at_once.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
            }
        };
        tokio::join!(ask(&copies[0]), ask(&copies[1]), ask(&copies[2]));
        // Twelve requests, a tenth of a second apart.
        assert!(started.elapsed() >= Duration::from_millis(1100), "{:?}", started.elapsed());
        assert_eq!(most.load(Ordering::SeqCst), 1, "one at a time, across copies");
    })
    .await;
}
