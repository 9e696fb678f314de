//! Faults that pass: asked again as configured, every attempt kept.

use std::time::{Duration, Instant};

use thuocdo::model::Reason::{self, Connect, Http5xx, Protocol, RateLimited, TooLarge};
use thuocdo::model::{RequestOutcome, RunState};

use crate::server::{Act, answer, head, serve};
use crate::world::{COLLECTOR, World};
use crate::{AT, GOOD, JSON};

fn patient(attempts: u32) -> String {
    COLLECTOR.replace("attempts = 1", &format!("attempts = {attempts}"))
}

fn good() -> Act {
    Act::Send(answer(200, JSON, GOOD))
}

/// A name, what the server does, and the reason of each attempt.
type Case = (&'static str, Vec<Act>, Vec<Option<Reason>>);

#[tokio::test]
async fn what_passes_is_asked_again_and_every_attempt_is_kept() {
    let unwell = || Act::Send(answer(500, JSON, b"{}"));
    let busy = || Act::Send(answer(429, JSON, b"{}"));
    let reset = || Act::SendReset(Vec::new());
    let cases: [Case; 5] = [
        ("500 then 200", vec![unwell(), good()], vec![Some(Http5xx), None]),
        ("reset, 429, 200", vec![reset(), busy(), good()], vec![Some(Connect), Some(RateLimited), None]),
        ("500 for ever", vec![unwell()], vec![Some(Http5xx); 3]),
        ("too large is not asked again", vec![Act::Endless(head(200, JSON))], vec![Some(TooLarge)]),
        ("a broken protocol is not asked again", vec![Act::Send(b"?".to_vec())], vec![Some(Protocol)]),
    ];
    for (name, acts, reasons) in cases {
        let server = serve(acts).await;
        let world = World::new(&server.base).await;
        let ran = world.run(&patient(3), AT).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let seen: Vec<Option<Reason>> = ran.requests.iter().map(|record| record.request.reason).collect();
        assert_eq!(seen, reasons, "{name}");
        assert_eq!(world.db.requests(&ran.run).await.expect("the database").len(), reasons.len(), "{name}: every attempt is kept");
        let good = usize::from(reasons.last() == Some(&None));
        let state = if good == 1 { RunState::Recorded } else { RunState::Failed };
        assert_eq!((ran.state, ran.recorded.observations_new), (state, good), "{name}");
        let recorded = ran.requests.iter().filter(|record| record.request.outcome == RequestOutcome::Recorded).count();
        assert_eq!((recorded, world.observations().await.len()), (good, good), "{name}: one set of readings");
    }
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_its_cap() {
    let in_two_seconds = (chrono::Utc::now() + chrono::Duration::milliseconds(2000)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    // The least wait in ms until the second request; `None` if there must not be one (honour_retry_after = 2s).
    let cases: [(&str, Option<u64>); 12] = [
        (&in_two_seconds, Some(100)),
        ("1", Some(1000)),
        ("0", Some(10)),
        ("3", None),
        ("86400", None),
        ("99999999999999999999999999", None),
        ("Tue, 31 Dec 2999 23:59:59 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(10)),
        ("-5", Some(10)),
        ("soon", Some(10)),
        ("1.5", Some(10)),
        ("", Some(10)),
    ];
    for (stated, least) in cases {
        let busy = Act::Send(answer(429, &format!("{JSON}retry-after: {stated}\r\n"), b"{}"));
        let server = serve(vec![busy, good()]).await;
        let world = World::new(&server.base).await;
        let started = Instant::now();
        let ran = world.run(&patient(2), AT).await.expect("a run");
        let took = started.elapsed();
        assert_eq!(ran.requests[0].request.reason, Some(RateLimited), "{stated:?}");
        assert_eq!(server.n_asked(), if least.is_some() { 2 } else { 1 }, "{stated:?}");
        assert_eq!(ran.state, if least.is_some() { RunState::Recorded } else { RunState::Failed }, "{stated:?}");
        assert!(took >= Duration::from_millis(least.unwrap_or(0)) && took < Duration::from_secs(4), "{stated:?}: {took:?}");
    }
}

#[tokio::test]
async fn the_runs_own_deadline_ends_the_attempts() {
    let text = patient(10)
        .replace("run = \"30s\"", "run = \"1200ms\"")
        .replace("first = \"10ms\", max = \"20ms\"", "first = \"500ms\", max = \"1s\"");
    let server = serve(vec![Act::Send(answer(500, JSON, b"{}"))]).await;
    let started = Instant::now();
    let ran = World::new(&server.base).await.run(&text, AT).await.expect("a run");
    assert_eq!((ran.state, ran.requests.len()), (RunState::Failed, 2), "at 0 and 0.5 s; 1.5 s would be too late");
    assert!(started.elapsed() < Duration::from_secs(2));
}
