//! Probes in the service: what a killed copy saw is recorded by the next, copies take turns, a pause is a pause.

use std::time::Duration;

use thuocdo::collect::archive::Archive;
use thuocdo::collect::watch::roll_up_again;
use thuocdo::model::{Ts, Window};
use thuocdo::rollup::{hour_of, tally, timeline};
use thuocdo::store::{Db, HourQuery, HourRow};
use tokio::net::TcpListener;

use crate::databases;
use crate::world::{World, until, write};

const PROBE: &str = r#"schema = 1
id = "portals"
title = { vi = "Cổng", en = "Portals" }
[source.probe]
every = "1s"
timeout = "500ms"
confirm = { attempts = 1 }
ip = "v4"
"#;

/// Three portals that are up, and a reference, all of them one listener.
async fn world(store: Option<String>) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = axum::Router::new().fallback(|| async { "Cổng" });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let network = format!("canary = false\n[network]\nreferences = [\"tcp://{address}\"]\nloopback_names = true");
    let world = World::new(store, &[("portals", PROBE.to_owned())], &network);
    let rows: String = (0..3).map(|no| format!("p{no},H49,http://{address}/{no},,\n")).collect();
    write(&world.path().join("registry/portals.csv"), &format!("id,unit,url,from,to\n{rows}"));
    world
}

async fn hours(db: &Db) -> Vec<HourRow> {
    let window = Window { from: hour_of(Ts::now()).minus(Duration::from_secs(7200)), to: Ts::now().plus(Duration::from_secs(3600)) };
    db.hours(&HourQuery { collector: "portals", target: Some("p0"), window, as_of: Ts::now() }).await.expect("readable")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_copy_saw_is_recorded_by_the_next() {
    let world = world(None).await;
    let db = world.db().await;
    let mut copy = world.start();
    copy.says("watching 3 portals", 1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let killed = Ts::now();
    copy.kill();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begun = Ts::now();
    let mut copy = world.start();
    copy.says("is recorded", 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success(), "{}", copy.log());
    // What the second one saw waits for the third, as after a power cut.
    let mut copy = world.start();
    copy.says("is recorded", 2).await;
    drop(copy);
    let rows = hours(&db).await;
    let parts: Vec<_> = rows.iter().map(|row| row.part.clone()).collect();
    let state = |from: Ts, to: Ts| tally(&timeline(&parts, Window { from, to }, 1_000_000));
    let second = Duration::from_secs(1);
    let seen = state(killed.minus(3 * second), killed.minus(second));
    assert!(seen.up == 2_000_000 && seen.down == 0, "all but the attempt in flight: {seen:?}");
    let away = state(killed.plus(second), begun);
    assert!(away.unknown >= 1_000_000 && away.up + away.down == 0, "nobody looked: {away:?}");
    // Every part is what its evidence says.
    let archive = Archive::new(world.path().join("evidence"));
    let window = Window { from: hour_of(killed), to: Ts::now() };
    for (due_at, attempt, sha256) in db.hour_evidence("portals", window).await.expect("readable") {
        let (_, again) = roll_up_again(&archive.get(&sha256).expect("kept")).expect("an hour");
        let stored = rows.iter().find(|row| (row.due_at, row.attempt) == (due_at, attempt)).expect("stored");
        assert_eq!(again.iter().find(|(target, _)| target == "p0").map(|(_, part)| part), Some(&stored.part));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_take_turns_and_a_pause_is_a_pause() {
    let name = "copies_take_turns_and_a_pause_is_a_pause";
    let Some(server) = databases::server() else {
        eprintln!("skipped: {name} on PostgreSQL: THUOCDO_TEST_POSTGRES is not set");
        return;
    };
    let world = world(Some(databases::new_database(&server).await)).await;
    let mut first = world.start_as("first", &[]);
    first.says("watching 3 portals", 1).await;
    let mut second = world.start_as("second", &[]);
    second.says("\"ready\"", 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!second.log().contains("watching 3"), "one copy watches");
    first.signal("TERM");
    assert!(first.ended(Duration::from_secs(30)).await.success());
    second.says("watching 3 portals", 1).await;
    second.says("is recorded", 1).await;
    let db = world.db().await;
    let paused = std::process::Command::new(env!("CARGO_BIN_EXE_thuocdo"))
        .args(["--settings", &world.path().join("thuocdo.toml").display().to_string(), "pause", "portals"])
        .status()
        .expect("the program");
    assert!(paused.success());
    second.says("not watching any more", 1).await;
    until("what it saw is recorded", Duration::from_secs(30), async || hours(&db).await.len() >= 2).await;
}
