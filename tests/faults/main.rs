//! Sources, files and disks that fail: each gives one reason in bounded time and memory, and never a number.

#[path = "../support/certificates.rs"]
mod certificates;
mod disk;
mod files;
mod memory;
mod network;
mod retries;
mod robots;
mod server;
mod tls;
mod world;

use std::time::{Duration, Instant};

use server::{Act, answer, gzip, gzip_bomb, head, serve};
use thuocdo::model::Reason::{self, *};
use thuocdo::model::{RequestOutcome, RunState};
use world::{COLLECTOR, World};

const AT: &str = "2026-09-26T06:30:00Z";
const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";
const GOOD: &[u8] = br#"{"code":"OK","root":"root-1","data":[{"id":"root-1","n":5}]}"#;
const REJECTED: &[u8] = b"<html><head><title>Request Rejected</title></head><body>The requested URL was rejected.</body></html>";
const LOGIN: &[u8] = b"<!doctype html><form action=/login><input name=user><input name=key type=password></form>";
const PAGE: &[u8] = "<!doctype html><title>Cổng dịch vụ công</title><a href=/login>Đăng nhập</a>".as_bytes();

/// One way to fail, and what must come of it.
struct Fault {
    name: &'static str,
    act: Act,
    reason: Reason,
    /// How many bytes are kept as evidence; `None` for none.
    evidence: Option<usize>,
}

fn fault(name: &'static str, act: Act, reason: Reason, evidence: impl Into<Option<usize>>) -> Fault {
    Fault { name, act, reason, evidence: evidence.into() }
}

/// A whole answer that must be refused, and is kept.
fn refused(name: &'static str, status: u16, headers: &str, body: &[u8], reason: Reason) -> Fault {
    fault(name, Act::Send(answer(status, headers, body)), reason, body.len())
}

/// Bytes that come as they are.
fn with(head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    [head, body.to_vec()].concat()
}

fn broken_connections() -> Vec<Fault> {
    let stated = || head(200, &format!("{JSON}content-length: 4000\r\n"));
    let unpacked = || head(200, JSON);
    let chunked = || with(head(200, &format!("{JSON}transfer-encoding: chunked\r\n")), b"10\r\n{\"code\":\"OK\",\"ro\r\n");
    let chunk_lies = || with(head(200, &format!("{JSON}transfer-encoding: chunked\r\n")), b"zz\r\n{\"code\"");
    let n = GOOD.len();
    vec![
        fault("closed before an answer", Act::Send(Vec::new()), Protocol, None),
        fault("reset before an answer", Act::SendReset(Vec::new()), Connect, None),
        fault("reset within the headers", Act::SendReset(b"HTTP/1.1 200 OK\r\nconte".to_vec()), Connect, None),
        fault("reset within the body", Act::SendReset(with(stated(), GOOD)), Connect, n),
        fault("stall before the headers", Act::SendStall(Vec::new()), Timeout, None),
        fault("stall within the headers", Act::SendStall(b"HTTP/1.1 200 OK\r\nconte".to_vec()), Timeout, None),
        fault("stall within the body", Act::SendStall(with(stated(), GOOD)), Timeout, n),
        fault("slow drip past the limit", Act::Drip(stated()), Timeout, DRIPPED),
        fault("shorter than its Content-Length", Act::Send(with(stated(), GOOD)), Protocol, n),
        fault("longer than its Content-Length", Act::Send(with(head(200, &format!("{JSON}content-length: 20\r\n")), GOOD)), Decode, 20),
        fault("two Content-Lengths", Act::Send(with(head(200, "content-length: 3\r\ncontent-length: 4\r\n"), GOOD)), Protocol, None),
        fault("chunked body cut between chunks", Act::Send(chunked()), Protocol, 16),
        fault("chunked body with a length that is none", Act::Send(chunk_lies()), Protocol, None),
        fault("no length and cut", Act::Send(with(unpacked(), &GOOD[..n - 3])), Decode, n - 3),
        fault("HTTP/0.9", Act::Send(b"<html>hello</html>\r\n".to_vec()), Protocol, None),
        fault("garbage", Act::Send(vec![0xff; 300]), Protocol, None),
        fault("100 000 headers", Act::Send(with(head(200, &"x: y\r\n".repeat(100_000)), GOOD)), Protocol, None),
        fault("a header of 10 MB", Act::Send(head(200, &format!("x: {}\r\n", "y".repeat(10_000_000)))), Protocol, None),
    ]
}

/// The drip sends one byte every 20 ms for a second: how many arrive is the clock's, that some do is certain.
const DRIPPED: usize = usize::MAX;

fn broken_bodies() -> Vec<Fault> {
    let gzipped = format!("{JSON}content-encoding: gzip\r\n");
    let packed = gzip(GOOD);
    let mut forged = packed.clone();
    let end = forged.len();
    forged[end - 8] ^= 0xff;
    let mib = 1 << 20;
    vec![
        fault("gzip bomb of 1 GiB", Act::Send(answer(200, &gzipped, &gzip_bomb())), TooLarge, mib),
        fault("endless body", Act::Endless(head(200, JSON)), TooLarge, mib),
        fault("one byte past the limit", Act::Send(answer(200, JSON, &vec![b' '; mib + 1])), TooLarge, mib),
        fault("gzip that is none", Act::Send(answer(200, &gzipped, GOOD)), Decode, None),
        fault("gzip cut short, with its right length", Act::Send(answer(200, &gzipped, &packed[..end - 12])), Decode, None),
        fault("gzip with a wrong checksum", Act::Send(answer(200, &gzipped, &forged)), Decode, None),
        fault(
            "gzip cut by the connection",
            Act::Send(with(head(200, &format!("{gzipped}content-length: 4000\r\n")), &packed[..end - 12])),
            Protocol,
            CUT_GZIP,
        ),
        refused("brotli that is none", 200, &format!("{JSON}content-encoding: br\r\n"), GOOD, Decode).without_evidence(),
        refused("not UTF-8", 200, JSON, b"{\"code\":\"OK\",\"root\":\"\xff\"}", Decode),
        refused("JSON cut short", 200, JSON, &GOOD[..40], Decode),
        refused("two JSON values", 200, JSON, &[GOOD, GOOD].concat(), Decode),
        refused("empty body", 200, JSON, b"", Decode),
    ]
}

/// How much of a cut gzip body was unpacked before the cut is the unpacker's business.
const CUT_GZIP: usize = usize::MAX - 1;

fn wrong_answers() -> Vec<Fault> {
    let other = br#"{"code":"OK","root":"root-2","data":[{"id":"root-1","n":5}]}"#;
    vec![
        refused("page of the portal with 200", 200, HTML, PAGE, ContentType),
        refused("login form with 200", 200, HTML, LOGIN, Auth),
        refused("firewall page with 200 as HTML", 200, HTML, REJECTED, Firewall),
        refused("firewall page with 200 as JSON", 200, JSON, REJECTED, Firewall),
        refused("firewall page with 403", 403, HTML, REJECTED, Firewall),
        refused("firewall page with 503", 503, HTML, REJECTED, Firewall),
        refused("the answer as text/plain", 200, "content-type: text/plain\r\n", GOOD, ContentType),
        refused("error JSON with 200", 200, JSON, b"{\"code\":\"ERROR\"}", ErrorInBody),
        refused("error JSON with 201", 201, JSON, b"{\"code\":\"ERROR\"}", ErrorInBody),
        refused("another root department", 200, JSON, other, ErrorInBody),
        refused("no root department", 200, JSON, b"{\"code\":\"OK\"}", ErrorInBody),
        refused("401", 401, JSON, GOOD, Auth),
        refused("403", 403, JSON, GOOD, Auth),
        refused("404", 404, JSON, GOOD, Http4xx),
        refused("429", 429, JSON, GOOD, RateLimited),
        refused("500", 500, JSON, GOOD, Http5xx),
        refused("302", 302, "location: /login\r\n", b"moved", RedirectBlocked),
        refused("302 to itself", 302, "location: /api?year=2026\r\n", b"moved", RedirectBlocked),
        refused("204 in place of an answer", 299, JSON, GOOD, Protocol),
    ]
}

impl Fault {
    fn without_evidence(self) -> Fault {
        Fault { evidence: None, ..self }
    }
}

/// Runs against this base address; the one reason, in time, and nothing recorded.
async fn fails(name: &str, base: &str, reason: Reason, evidence: Option<usize>) {
    let world = World::new(base).await;
    let started = Instant::now();
    let ran = world.run(COLLECTOR, AT).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(started.elapsed() < Duration::from_secs(8), "{name}: took {:?}", started.elapsed());
    let [record] = ran.requests.as_slice() else { panic!("{name}: one request, not {}", ran.requests.len()) };
    let request = &record.request;
    assert_eq!(
        (request.reason, request.outcome, ran.state),
        (Some(reason), RequestOutcome::Failed, RunState::Failed),
        "{name}: {request:?}"
    );
    assert!(!request.error.is_empty() && record.readings.is_empty(), "{name}: {record:?}");
    assert_eq!(world.observations().await, [], "{name}");
    let kept = request.evidence.as_ref().map(|sha256| world.archive.get(sha256).expect("kept evidence").len());
    match evidence {
        Some(DRIPPED) => assert!(kept.is_some_and(|n| (1..=60).contains(&n)), "{name}: {kept:?} bytes kept"),
        Some(CUT_GZIP) => assert!(kept.is_none_or(|n| n < GOOD.len()), "{name}: {kept:?} bytes kept"),
        expected => assert_eq!(kept, expected, "{name}: bytes kept"),
    }
    assert_eq!(world.db.requests(&ran.run).await.expect("the database")[0].reason, Some(reason), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_gives_one_reason() {
    let faults: Vec<Fault> = [broken_connections(), broken_bodies(), wrong_answers()].into_iter().flatten().collect();
    let mut n = 0;
    for Fault { name, act, reason, evidence } in faults {
        let server = serve(vec![act]).await;
        fails(name, &server.base, reason, evidence).await;
        assert_eq!(server.n_asked(), 1, "{name}: asked once");
        n += 1;
    }
    n += unreachable_hosts().await;
    println!("faults: {n} of {n}");
    assert_eq!(n, 52);
}

/// Hosts that are not there, or do not speak TLS; how many.
async fn unreachable_hosts() -> usize {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let plain = serve(vec![Act::Send(answer(400, "", b"speak HTTP"))]).await;
    let hosts = [
        ("closed port", format!("http://{closed}"), Connect),
        ("unknown host", "http://portal.invalid".to_owned(), Dns),
        ("TLS to a plain port", plain.base.replace("http:", "https:"), TlsHandshake),
    ];
    for (name, base, reason) in &hosts {
        fails(name, base, *reason, None).await;
    }
    hosts.len()
}

#[tokio::test]
async fn a_good_answer_is_recorded() {
    let server = serve(vec![Act::Send(answer(200, &format!("{JSON}content-encoding: gzip\r\n"), &gzip(GOOD)))]).await;
    let world = World::new(&server.base).await;
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    assert_eq!((ran.state, ran.recorded.observations_new), (RunState::Recorded, 1), "{:?}", ran.requests);
    let request = &ran.requests[0].request;
    assert_eq!(request.url, "https://portal.example/api?year=2026", "the province's own address is what is kept");
    assert_eq!(world.archive.get(request.evidence.as_ref().expect("evidence")).expect("kept"), GOOD);
}
