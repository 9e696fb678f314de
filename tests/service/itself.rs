//! What the service says of itself: the known answer, and what systemd hears.

use std::collections::BTreeMap;
use std::time::Duration;

use thuocdo::catalogue::Files;
use thuocdo::model::{CANARY, RunState, Ts};
use thuocdo::serve::canary::Canary;
use thuocdo::serve::service::Parts;
use thuocdo::serve::{Live, Service};
use thuocdo::settings::Settings;

use crate::databases::on_both;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_known_answer_goes_through_the_whole_chain() {
    on_both("the_known_answer_goes_through_the_whole_chain", async |db| {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings { evidence: folder.path().join("evidence"), ..Settings::default() };
        let started_at = Ts::now();
        let live = Live::load(Files::embedded(), vec![], &BTreeMap::new(), started_at);
        let parts = Parts { settings, db: db.clone(), live, owner: "serve:test".to_owned(), started_at };
        let (service, _reloads) = Service::new(parts);
        let canary = Canary::serve(&service).await.expect("a port");
        let failures = || service.metrics.value("thuocdo_canary_failures_total");
        let due = |minutes: u64| started_at.minus(Duration::from_secs(minutes * 60));

        assert_eq!(canary.check(&service, due(30)).await, Ok(()));
        assert_eq!(canary.check(&service, due(15)).await, Ok(()));
        assert_eq!(canary.check(&service, due(15)).await, Ok(()), "a second copy finds it done");
        assert_eq!(failures(), Some(0.0));
        let runs = db.runs(Some(CANARY), 10).await.expect("rows");
        assert_eq!(runs.iter().map(|row| row.state).collect::<Vec<_>>(), [RunState::Recorded; 2]);
        assert_eq!(db.runs(None, 10).await.expect("rows"), [], "it is no run of the province's");

        // Evidence cannot be kept: that is seen within a quarter of an hour.
        std::fs::remove_dir_all(folder.path().join("evidence")).expect("gone");
        std::fs::write(folder.path().join("evidence"), "in the way").expect("a file");
        let why = canary.check(&service, due(0)).await.expect_err("it is not well");
        assert!(why.starts_with("evidence "), "{why}");
        assert_eq!(failures(), Some(1.0));
        service.stopping.cancel();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_hears_ready_watchdog_and_stopping() {
    let world = World::new(None, &[], "canary = false");
    let path = world.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut copy = world.start_with("copy", &[], &[("NOTIFY_SOCKET", path.to_str().expect("a plain path"))]);
    let hear = |wanted: &str| {
        let mut bytes = [0; 256];
        loop {
            let n = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("never heard {wanted}: {error}"));
            if String::from_utf8_lossy(&bytes[..n]).contains(wanted) {
                return;
            }
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    copy.signal("HUP");
    hear("RELOADING=1");
    hear("READY=1");
    copy.signal("TERM");
    hear("STOPPING=1");
    assert!(copy.ended(Duration::from_secs(20)).await.success());
}
