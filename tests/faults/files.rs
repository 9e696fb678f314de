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
    let cases: [(&str, Reason, &str); 4] = [
        ("too large", Reason::TooLarge, "larger than 1024 bytes"),
        ("unreadable", Reason::Config, "cannot be read"),
        ("not text", Reason::Decode, "no UTF-8 text"),
        ("not settled", Reason::Config, "no settled file matches \"*.csv\""),
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
        assert_eq!((seen, ran.state), (vec![(Some(reason), RequestOutcome::Failed)], RunState::Failed), "{name}");
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
async fn a_pattern_that_nothing_matches_is_named() {
    let world = world().await;
    assert_nothing_matches(&world, "2026-09-26T06:30:00Z", "an empty folder").await;
    world.drop_file("a.txt", &figures(5), 3600);
    assert_nothing_matches(&world, "2026-09-27T06:30:00Z", "another ending").await;
}

/// One failed request says that there is no file.
async fn assert_nothing_matches(world: &World, at: &str, what: &str) {
    let ran = world.run(COLLECTOR, at).await.expect("a run");
    let [record] = ran.requests.as_slice() else { panic!("{what}: one request, not {}", ran.requests.len()) };
    let seen = (ran.state, record.request.outcome, record.request.reason);
    assert_eq!(seen, (RunState::Failed, RequestOutcome::Failed, Some(Reason::Config)), "{what}");
    assert!(record.request.error.contains("no settled file matches \"*.csv\""), "{what}: {}", record.request.error);
    assert_eq!(values(world).await, [""; 0], "{what}");
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

    // Of two new files that differ, the newer one holds; the older one says so, and its bytes stay.
    world.drop_file("x.csv", &figures(12), 500);
    world.drop_file("y.csv", &figures(11), 600);
    let ran = world.run(COLLECTOR, "2026-09-29T06:30:00Z").await.expect("a run");
    let taken: Vec<_> = ran.requests.iter().map(|record| (record.request.url.as_str(), record.readings.len())).collect();
    assert_eq!((taken, ran.state), (vec![("y.csv", 0), ("x.csv", 1)], RunState::Recorded));
    let [finding] = ran.requests[0].findings.as_slice() else { panic!("one finding, not {:?}", ran.requests[0].findings) };
    assert!(finding.reason == Reason::DuplicateKey && finding.text.ends_with("the newer file of request 2 holds"), "{finding:?}");
    assert!(ran.requests[0].request.evidence.is_some(), "{:?}", ran.requests[0].request);
    assert_eq!(values(&world).await, ["12"]);

    // A file that turns up late is older than what is known: it is kept, and restates nothing.
    world.drop_file("late.csv", &figures(7), 1800);
    let ran = world.run(COLLECTOR, "2026-09-30T06:30:00Z").await.expect("a run");
    assert_eq!((ran.requests.len(), ran.requests[0].request.url.as_str(), ran.state), (1, "late.csv", RunState::Recorded));
    assert_eq!((ran.recorded.observations_new, ran.recorded.observations_restated, ran.recorded.superseded), (0, 0, 1));
    assert_eq!(values(&world).await, ["12"]);
}
