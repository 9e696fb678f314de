//! Dropped files that cannot be read, are too new or too large, and files that were read before.

use std::time::Duration;

use thuocdo::model::{Reason, RequestOutcome, RunState, Value};

use crate::world::World;

const COLLECTOR: &str = r#"
schema = 1
id = "dropped"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 6 * * *"
[source.file]
glob = "*.csv"
settle = "2m"
limit = "1KiB"
[[rows]]
from = { table = {} }
columns = { code = "Mã", n = "Số" }
unit = { value = "code", codes = "trial" }
period = { year = "2026" }
  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "n"
"#;

fn figures(n: u32) -> String {
    format!("Mã,Số\nroot-1,{n}\n")
}

async fn world() -> World {
    World::new("http://127.0.0.1:1").await
}

async fn values(world: &World) -> Vec<String> {
    world
        .observations()
        .await
        .iter()
        .map(|seen| match seen.value {
            Value::Number(number) => number.to_string(),
            Value::Missing => "missing".to_owned(),
        })
        .collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let cases: [(&str, Option<Reason>, &str); 4] = [
        ("too large", Some(Reason::TooLarge), "larger than 1024 bytes"),
        ("unreadable", Some(Reason::Config), "cannot be read"),
        ("not text", Some(Reason::Decode), "no UTF-8 text"),
        ("not settled", None, ""),
    ];
    for (name, reason, words) in cases {
        let world = world().await;
        let age = if name == "not settled" { 30 } else { 3600 };
        let path = world.drop_file("a.csv", &figures(5), age);
        match name {
            "too large" => drop(world.drop_file("a.csv", &"x".repeat(1025), age)),
            "unreadable" => make_unreadable(&path),
            "not text" => {
                std::fs::write(&path, b"M\xe3,n\n").expect("a file");
                let old = std::time::SystemTime::now() - Duration::from_secs(age);
                std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("a time of change");
            }
            _ => {}
        }
        // The file that nobody can read has no old date.
        let text = if name == "unreadable" { COLLECTOR.replace("\"2m\"", "\"1ms\"") } else { COLLECTOR.to_owned() };
        tokio::time::sleep(Duration::from_millis(20)).await;
        let ran = world.run(&text, "2026-09-26T06:30:00Z").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let seen: Vec<_> = ran.requests.iter().map(|record| (record.request.reason, record.request.outcome)).collect();
        let expected: Vec<_> = reason.iter().map(|reason| (Some(*reason), RequestOutcome::Failed)).collect();
        assert_eq!((seen, ran.state), (expected, RunState::Failed), "{name}");
        assert!(ran.requests.iter().all(|record| record.request.error.contains(words)), "{name}: {:?}", ran.requests);
        assert_eq!(values(&world).await, [""; 0], "{name}");
    }
}

/// Takes away the right to read; a user who may read all the same gets a file that nobody can read.
fn make_unreadable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).expect("permissions of our own file");
    if std::fs::read(path).is_ok() {
        std::fs::remove_file(path).expect("our own file");
        // Its first page is never mapped, so reading it is an error for everybody.
        std::os::unix::fs::symlink("/proc/self/mem", path).expect("a link");
    }
}

#[tokio::test]
async fn a_bad_pattern_and_an_empty_folder_bring_nothing() {
    let world = world().await;
    let ran = world.run(COLLECTOR, "2026-09-26T06:30:00Z").await.expect("a run");
    assert_eq!((ran.state, ran.requests.len()), (RunState::Failed, 0), "no file matches");
    world.drop_file("a.txt", &figures(5), 3600);
    let ran = world.run(COLLECTOR, "2026-09-27T06:30:00Z").await.expect("a run");
    assert_eq!((ran.state, ran.requests.len()), (RunState::Failed, 0), "another ending");
}

#[tokio::test]
async fn known_files_are_not_taken_again() {
    let world = world().await;
    world.drop_file("october.csv", &figures(5), 7200);
    let ran = world.run(COLLECTOR, "2026-09-26T06:30:00Z").await.expect("a run");
    assert_eq!((ran.recorded.observations_new, values(&world).await), (1, vec!["5".to_owned()]));

    world.drop_file("november.csv", &figures(9), 3600);
    let ran = world.run(COLLECTOR, "2026-09-27T06:30:00Z").await.expect("a run");
    assert_eq!(ran.requests.len(), 1, "only the new file");
    assert_eq!((ran.requests[0].request.url.as_str(), ran.recorded.observations_restated), ("november.csv", 1));

    // Nothing new: the newest is looked at again, so its value counts as checked; the older one does not undo it.
    let ran = world.run(COLLECTOR, "2026-09-28T06:30:00Z").await.expect("a run");
    assert_eq!((ran.requests.len(), ran.requests[0].request.url.as_str(), ran.recorded.observations_unchanged), (1, "november.csv", 1));
    let newest = world.observations().await;
    assert_eq!(values(&world).await, ["9"]);
    assert!(newest[0].last_checked >= "2026-09-28T06:30:00Z".parse().expect("an instant"), "{newest:?}");

    // Two new files that contradict each other: neither is trusted.
    world.drop_file("x.csv", &figures(11), 600);
    world.drop_file("y.csv", &figures(12), 500);
    let ran = world.run(COLLECTOR, "2026-09-29T06:30:00Z").await.expect("a run");
    assert_eq!((ran.requests.len(), ran.state, values(&world).await), (2, RunState::Quarantined, vec!["9".to_owned()]));
}
