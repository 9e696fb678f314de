//! Whose fault it is that there is no way, and the run's own time.

use std::time::{Duration, Instant};

use thuocdo::collect::collector::Rate;
use thuocdo::collect::source::{Attempt, Politeness};
use thuocdo::model::Reason::{self, Connect, Deadline, Dns, Http5xx, OwnNetwork, Timeout};
use thuocdo::model::RunState;
use thuocdo::settings::Settings;
use tokio::net::TcpListener;

use crate::server::{Act, answer, serve};
use crate::world::{COLLECTOR, PORTAL, World};
use crate::{AT, GOOD, JSON};

/// A loopback port that nobody listens at.
fn closed() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").to_string()
}

#[tokio::test]
async fn references_tell_our_own_network_from_a_source_that_is_down() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let open = listener.local_addr().expect("an address").to_string();
    let unwell = serve(vec![Act::Send(answer(500, JSON, b"{}"))]).await;
    let silent = serve(vec![Act::SendStall(Vec::new())]).await;
    let (gone, shut) = (format!("http://{}", closed()), closed());
    let cases: [(&str, &str, Vec<&str>, usize, Reason); 9] = [
        ("no reference", &gone, vec![], 1, Connect),
        ("no reference answers", &gone, vec![&shut], 1, OwnNetwork),
        ("the reference answers", &gone, vec![&open], 1, Connect),
        ("one of two is enough", &gone, vec![&shut, &open], 1, Connect),
        ("one of two is not enough", &gone, vec![&shut, &open], 2, OwnNetwork),
        ("a name without address", "http://portal.invalid", vec![&shut], 1, OwnNetwork),
        ("a name without address, and the reference answers", "http://portal.invalid", vec![&open], 1, Dns),
        ("silence", &silent.base, vec![&shut], 1, OwnNetwork),
        ("a source that answers is not excused", &unwell.base, vec![&shut], 1, Http5xx),
    ];
    let n = cases.len();
    for (name, base, references, quorum, reason) in cases {
        let listed: Vec<String> = references.iter().map(|reference| format!("tcp://{reference}")).collect();
        let text = format!("[network]\nreferences = {listed:?}\nquorum = {quorum}\ntimeout = \"1s\"\n");
        let mut world = World::new(base).await;
        world.settings.network = Settings::parse("thuocdo.toml", &text).expect("settings").network;
        let ran = world.run(COLLECTOR, AT).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let request = &ran.requests[0].request;
        assert_eq!((request.reason, ran.state), (Some(reason), RunState::Failed), "{name}: {request:?}");
        if reason == OwnNetwork {
            let begins = format!("{} of {} references answered, {quorum} needed; ", quorum - 1, references.len());
            assert!(request.error.starts_with(&begins) && request.error.contains("the request itself: "), "{name}: {}", request.error);
        }
    }
    println!("own network: {n} of {n}");
}

#[tokio::test]
async fn localhost_says_itself_what_it_means() {
    let server = serve(vec![Act::Send(answer(200, JSON, GOOD))]).await;
    let world = World::new(&server.base.replace("127.0.0.1", "localhost")).await;
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    assert_eq!(ran.state, RunState::Recorded, "{:?}", ran.requests);
}

fn reasons(attempts: &[Attempt]) -> Vec<Option<Reason>> {
    attempts.iter().map(|attempt| attempt.failure.as_ref().map(|failure| failure.reason)).collect()
}

fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

#[tokio::test]
async fn nothing_waits_past_the_deadline() {
    let patient = COLLECTOR.replace("first = \"10ms\"", "first = \"1ms\"");
    let good = || Act::Send(answer(200, JSON, GOOD));
    let unwell = || Act::Send(answer(500, JSON, b"{}"));
    let stall = || Act::SendStall(Vec::new());
    let taken = Politeness::default();
    let _turn = taken.wait("127.0.0.1", &Rate::default()).await;
    let free = Politeness::default();
    // Acts, who has the turn, attempts, time until the deadline; the reasons, and how many requests came.
    let cases = [
        ("a turn that never comes", vec![good()], &taken, 3, 200, vec![Some(Deadline)], 0),
        ("a deadline that has passed", vec![good()], &free, 3, 0, vec![Some(Deadline)], 0),
        ("an answer that comes too late for the run", vec![stall()], &free, 3, 200, vec![Some(Deadline)], 1),
        ("an answer that comes too late", vec![stall()], &free, 1, 5000, vec![Some(Timeout)], 1),
        ("one attempt is one", vec![unwell(), good()], &free, 1, 5000, vec![Some(Http5xx)], 1),
        ("more if there may be more", vec![unwell(), good()], &free, 2, 5000, vec![Some(Http5xx), None], 2),
    ];
    let n = cases.len();
    for (name, acts, politeness, attempts, left_ms, expected, n_asked) in cases {
        let server = serve(acts).await;
        let world = World::new(&server.base).await;
        let (started, mut got) = (Instant::now(), Vec::new());
        world.ask(&patient, politeness, attempts, in_ms(left_ms), &mut got).await;
        assert_eq!((reasons(&got), server.n_asked()), (expected, n_asked), "{name}");
        assert!(started.elapsed() < Duration::from_millis(left_ms.min(1000) + 1000), "{name}: {:?}", started.elapsed());
        assert!(got.iter().all(|attempt| attempt.certificate_until.is_none()), "{name}");
    }
    println!("deadlines: {n} of {n}");
}

#[tokio::test]
async fn who_stops_waiting_keeps_what_was_done() {
    let server = serve(vec![Act::Send(answer(500, JSON, b"{}")), Act::SendStall(Vec::new())]).await;
    let world = World::new(&server.base).await;
    let (free, mut got) = (Politeness::default(), Vec::new());
    let asking = world.ask(COLLECTOR, &free, 3, in_ms(10_000), &mut got);
    assert!(tokio::time::timeout(Duration::from_millis(500), asking).await.is_err(), "the second attempt stalls");
    assert_eq!((reasons(&got), got[0].body.as_deref()), (vec![Some(Http5xx)], Some(&b"{}"[..])));
    assert_eq!((server.n_asked(), got[0].url.as_str()), (2, format!("{PORTAL}/api?year=2026").as_str()));
}
