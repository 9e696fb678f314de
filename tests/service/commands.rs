//! The commands beside the service: backfill, pause and resume.

use std::process::{Command, Output};

use thuocdo::model::{RunState, Trigger, Ts};

use crate::world::{World, collector, portal};

fn thuocdo(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
    command.env_remove("THUOCDO_STORE").env_remove("THUOCDO_EVIDENCE").arg("--settings").arg(world.path().join("thuocdo.toml"));
    let Output { status, stdout, stderr } = command.args(arguments).output().expect("the program of this build");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfill_prints_first_runs_once_and_deletes_nothing() {
    let portal = portal().await;
    let world = World::new(None, &[("c1", collector("c1", &portal.base, ""))], "");
    let stretch = ["backfill", "c1", "--from", "2026-11-01T06:30:00+07:00", "--to", "2026-11-01T06:32:30+07:00"];
    let (code, said) = thuocdo(&world, &[&stretch[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("c1@2026-10-31T23:30:00Z") && said.contains("3 windows, 3 to run (nothing is run)"), "{said}");
    let db = world.db().await;
    assert_eq!(db.runs(Some("c1"), 10).await.expect("rows"), []);

    let (code, said) = thuocdo(&world, &stretch);
    assert_eq!(code, Some(0), "{said}");
    let rows = db.runs(Some("c1"), 10).await.expect("rows");
    assert!(rows.len() == 3 && rows.iter().all(|row| (row.state, row.trigger) == (RunState::Recorded, Trigger::Backfill)), "{rows:#?}");
    let (code, said) = thuocdo(&world, &stretch);
    assert!(code == Some(0) && said.contains("3 windows, 0 to run"), "{said}");
    assert_eq!(db.runs(Some("c1"), 10).await.expect("rows"), rows, "what was recorded stands");

    for (arguments, words) in [
        (&["backfill", "c1", "--from", "2026-11-02T00:00:00Z", "--to", "2026-11-01T00:00:00Z"][..], "is no stretch of the past"),
        (&["backfill", "c1", "--from", "2026-11-01T00:00:00Z", "--to", "2999-11-01T00:00:00Z"], "is no stretch of the past"),
        (&["backfill", "c1", "--from", "2016-11-01T00:00:00Z"], "more than 10000 windows"),
        (&["backfill", "c2", "--from", "2026-11-01T00:00:00Z"], "there is no collector \"c2\"; there are c1"),
        (&["pause", "c1"], "was never scheduled"),
    ] {
        let (code, said) = thuocdo(&world, arguments);
        assert!(code == Some(1) && said.contains(words), "{arguments:?}: {said}");
    }
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_collector_rests_and_replays_nothing() {
    let portal = portal().await;
    let world = World::new(None, &[("c1", collector("c1", &portal.base, ""))], "");
    world.owe(&["c1"], 30).await;
    let (code, said) = thuocdo(&world, &["pause", "c1"]);
    assert!(code == Some(0) && said.contains("c1 is paused"), "{said}");
    assert!(thuocdo(&world, &["pause", "c1"]).1.contains("already"));
    let mut copy = world.start();
    copy.says("\"ready\"", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let db = world.db().await;
    assert_eq!(db.runs(Some("c1"), 10).await.expect("rows"), [], "nothing of it becomes due");
    let (code, said) = thuocdo(&world, &["resume", "c1"]);
    assert!(code == Some(0) && (said.contains("30 windows were missed") || said.contains("31 windows were missed")), "{said}");
    let row = &db.schedules().await.expect("rows")[0];
    assert!(row.paused_at.is_none() && Ts::now().since(row.planned_until).as_secs() < 60, "{row:?}");
    db.close().await;
}
