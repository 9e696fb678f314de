//! Metrics, health and reload: right with and without a database, and counted.

use std::time::Duration;

use thuocdo::model::Ts;
use thuocdo::serve::service::Reloaded;

use crate::world::{LATER, World, schedule};

#[tokio::test]
async fn health_and_readiness() {
    let world = World::collected().await;
    assert_eq!((world.get("/livez").await.status, world.get("/readyz").await.status), (200, 503));
    world.service.beat(Ts::now());
    let ready = world.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (200, Some(true)));
    let health = world.get("/health/sources").await;
    let progress = |json: serde_json::Value| {
        json["sources"].as_array().expect("sources").iter().find(|source| source["id"] == "npsp-progress").expect("it").clone()
    };
    assert_eq!((health.status, progress(health.json())["state"].as_str()), (200, Some("ok")));
    // One that was first seen long ago and never ran.
    let long_ago = Ts::now().minus(Duration::from_secs(400 * 24 * 3600));
    world.service.db.add_schedules(&[schedule(LATER, long_ago)]).await.expect("added");
    let health = world.get("/health/sources").await;
    assert_eq!((health.status, health.json()["stale"][0].as_str()), (503, Some(LATER)));
    assert_eq!(world.get("/api/v1/sources").await.status, 200);
    world.service.stopping.cancel();
    let ready = world.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["why_not"][0].as_str()), (503, Some("the service is stopping")));
    world.stop().await;
}

#[tokio::test]
async fn without_a_database() {
    let world = World::collected().await;
    let before = world.get("/metrics").await;
    assert_eq!((before.status, before.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    world.service.db.close().await;
    let health = world.get("/health/sources").await;
    assert_eq!((health.status, health.header("content-type")), (503, "application/problem+json"));
    let page = world.get("/?lang=en").await;
    assert!(page.status == 503 && page.text.contains("The database does not do its work"), "{}", page.text);
    assert_eq!((world.get("/sources/documents").await.status, world.get("/livez").await.status), (503, 200));
    world.service.beat(Ts::now());
    assert_eq!(world.get("/readyz").await.status, 503);
    let after = world.get("/metrics").await;
    assert_eq!(after.status, 200);
    let series = |text: &str| text.lines().filter(|line| line.starts_with("thuocdo_")).count();
    assert_eq!(series(&after.text), series(&before.text), "no series comes or goes");
    let routed = |line: &str| after.text.lines().any(|other| other == line);
    assert!(routed("thuocdo_http_requests_total{code=\"5xx\",route=\"/sources/{id}\"} 1"), "{}", after.text);
    assert!(routed("thuocdo_http_requests_total{code=\"2xx\",route=\"/evidence/{sha256}\"} 0"));
    world.stop().await;
}

#[tokio::test]
async fn reload_says_what_was_wrong() {
    let mut world = World::empty().await;
    let mut requests = world.reloads.take().expect("the requests");
    let answers = [
        Reloaded { swapped: true, problems: vec![] },
        Reloaded { swapped: true, problems: vec!["a.toml:1:1: wrong".to_owned()] },
        Reloaded { swapped: false, problems: vec!["no such folder".to_owned()] },
    ];
    let reloader = tokio::spawn(async move {
        for answer in answers {
            requests.recv().await.expect("a request").send(answer).expect("somebody waits");
        }
    });
    for (status, swapped, n_problems) in [(200, true, 0), (422, true, 1), (422, false, 1)] {
        let answer = world.ask(reqwest::Method::POST, "/-/reload", &[]).await;
        let json = answer.json();
        let got = (answer.status, json["swapped"].as_bool(), json["problems"].as_array().map(Vec::len));
        assert_eq!(got, (status, Some(swapped), Some(n_problems)));
    }
    reloader.await.expect("no panic");
    // Nobody reads requests any more.
    assert_eq!(world.ask(reqwest::Method::POST, "/-/reload", &[]).await.status, 503);
    assert_eq!(world.get("/-/reload").await.status, 405);
    let large = [("content-length", "70000")];
    assert_eq!(world.ask(reqwest::Method::POST, "/-/reload", &large).await.status, 413);
    world.stop().await;
}
