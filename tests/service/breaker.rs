//! A source that refuses is left alone, probed with single requests, and asked again as before once it answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use thuocdo::model::{Reason, RunState};

use crate::world::{World, collector, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusing_source_is_left_alone_and_probed() {
    let (refuses, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let (says_no, count) = (Arc::clone(&refuses), Arc::clone(&asked));
    let answer = async move |Query(asked): Query<BTreeMap<String, String>>| {
        count.fetch_add(1, Ordering::SeqCst);
        match says_no.load(Ordering::SeqCst) {
            true => (StatusCode::FORBIDDEN, [("content-type", "text/plain")], "no".to_owned()),
            false => {
                let body = format!("{{\"code\":\"OK\",\"data\":[{{\"id\":\"root-1\",\"n\":{}}}]}}", asked["year"]);
                (StatusCode::OK, [("content-type", "application/json")], body)
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/api", get(answer))).await });

    let text = collector("c1", &base, "breaker = { probe_every = \"3s\" }").replace("attempts = 1", "attempts = 3, first = \"10ms\"");
    // Two requests a run: once it refused the first, the second is not made.
    let text = text.replace("period = [\"year\"]", "period = [\"year\", \"last_year\"]").replace("\"every\"", "\"latest\"");
    let world = World::new(None, &[("c1", text)], "canary = false");
    world.owe(&["c1"], 1).await;
    let copy = world.start();
    let db = world.db().await;
    let attempts = async || db.attempts("c1", 100).await.expect("rows");
    until("it refused", Duration::from_secs(30), async || !attempts().await.is_empty()).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "403 is not tried again at once");
    until("it was probed", Duration::from_secs(30), async || asked.load(Ordering::SeqCst) >= 2).await;
    until("the probe is recorded", Duration::from_secs(30), async || attempts().await.len() >= 2).await;
    let probed = attempts().await;
    assert!(probed.iter().all(|row| matches!(row.reason, Some(Reason::Auth | Reason::CircuitOpen))), "{probed:#?}");
    let waited = probed[0].started_at.since(probed[probed.len() - 1].ended_at);
    assert!(waited >= Duration::from_secs(3), "probed after {waited:?}");

    refuses.store(false, Ordering::SeqCst);
    until("it answers, and is asked as before", Duration::from_secs(30), async || {
        attempts().await.first().is_some_and(|row| row.state == RunState::Recorded)
    })
    .await;
    let newest = &attempts().await[0];
    let requests = db.requests(&newest.run).await.expect("rows");
    assert_eq!(requests.len(), 2, "the probe was answered, so the rest was asked too: {requests:#?}");
    drop(copy);
    db.close().await;
}
