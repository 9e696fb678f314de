//! `kill -9` at random moments, with runs in flight: nothing that was recorded is lost or doubled.
//! THUOCDO_KILLS says how often (6 on each database; 500 for the long form).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use thuocdo::collect::archive::Archive;
use thuocdo::model::{RunState, Sha256};
use thuocdo::store::{AttemptRow, Db};

use crate::databases;
use crate::world::{Portal, World, collector, portal};

const COLLECTORS: [&str; 4] = ["k1", "k2", "k3", "k4"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_recorded_is_lost_or_doubled_by_kills() {
    let kills: u64 = std::env::var("THUOCDO_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    survive(None, "SQLite", kills).await;
    match databases::server() {
        Some(server) => survive(Some(databases::new_database(&server).await), "PostgreSQL", kills).await,
        None => eprintln!("skipped: nothing_recorded_is_lost_or_doubled_by_kills on PostgreSQL: THUOCDO_TEST_POSTGRES is not set"),
    }
}

async fn survive(store: Option<String>, name: &str, kills: u64) {
    let portal = portal().await;
    portal.state.delay_ms.store(120, Ordering::SeqCst);
    let files: Vec<(&str, String)> = COLLECTORS.iter().map(|id| (*id, collector(id, &portal.base, ""))).collect();
    // On a server nobody can tell that the copy before is gone, so that its claims must run out.
    let files: Vec<(&str, String)> = files.into_iter().map(|(id, text)| (id, text.replace("\"20s\"", "\"2s\""))).collect();
    let world = World::new(store, &files, "claim_margin = \"1s\"\ncanary = false");
    world.owe(&COLLECTORS, 300 + kills * 20).await;
    let db = world.db().await;
    let mut known: BTreeMap<(String, String, i32), AttemptRow> = BTreeMap::new();
    let (mut copy, started) = (world.start(), Instant::now());
    copy.says("\"ready\"", 1).await;
    for no in 1..=kills {
        // Numbers that spread over the time of some runs, the same in every test.
        tokio::time::sleep(Duration::from_millis(60 + no * 7907 % 700)).await;
        let acknowledged = attempts(&db).await;
        copy.kill();
        known.extend(acknowledged);
        copy = world.start();
        copy.says("\"ready\"", usize::try_from(no).expect("a small number") + 1).await;
        let after = attempts(&db).await;
        let lost: Vec<_> = known.iter().filter(|(key, row)| after.get(*key) != Some(row)).collect();
        assert!(lost.is_empty(), "{name}: kill {no} lost {lost:?}");
    }
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(60)).await.success());
    let n = check_whole(&db, &world, &portal, name).await;
    println!("{name}: {kills} kills in {:?}: {n} answers recorded, 0 lost, 0 doubled", started.elapsed());
    db.close().await;
}

async fn attempts(db: &Db) -> BTreeMap<(String, String, i32), AttemptRow> {
    let mut all = BTreeMap::new();
    for id in COLLECTORS {
        for row in db.attempts(id, i64::MAX).await.expect("rows") {
            all.insert((id.to_owned(), row.run.due_at.to_string(), row.attempt), row);
        }
    }
    all
}

/// Every answer is recorded at most once, its bytes are as they came, and a recorded run has one recorded attempt.
async fn check_whole(db: &Db, world: &World, portal: &Portal, name: &str) -> usize {
    let archive = Archive::new(world.path().join("evidence"));
    let mut seen: BTreeSet<Sha256> = BTreeSet::new();
    let mut n = 0;
    for id in COLLECTORS {
        for row in db.runs(Some(id), i64::MAX).await.expect("rows").into_iter().filter(|row| row.attempt > 0) {
            let attempts = db.attempts_at(&row.run).await.expect("rows");
            let recorded = attempts.iter().filter(|attempt| attempt.state == RunState::Recorded).count();
            assert_eq!(recorded, usize::from(row.state == RunState::Recorded), "{name}: {}", row.run);
            assert!(attempts.len() as i64 <= i64::from(row.attempt), "{name}: {}", row.run);
            for request in db.requests(&row.run).await.expect("rows") {
                let Some(sha256) = request.evidence else { continue };
                archive.get(&sha256).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(seen.insert(sha256), "{name}: one answer is recorded twice, the second time by {}", row.run);
                n += 1;
            }
        }
    }
    assert!(n > 0 && n as u64 <= portal.state.asked.load(Ordering::SeqCst), "{name}: {n} recorded");
    n
}
