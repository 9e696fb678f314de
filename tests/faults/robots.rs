//! robots.txt: what may be asked of an origin whose pages are read.

use thuocdo::model::Reason::{self, Config, Connect, Http5xx, RateLimited, Timeout};
use thuocdo::model::RunState;

use crate::server::{Act, answer, head, serve};
use crate::world::{COLLECTOR, World};
use crate::{AT, GOOD, HTML, JSON};

const PAGES: &str = r#"
schema = 1
id = "faulty"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 6 * * *"
[source.http]
url = "https://portal.example/list?year={period.year}"
for_each = { period = ["year"] }
limits = { connect = "1s", request = "1s", run = "30s", body = "1MiB" }
retry = { attempts = 1, first = "10ms", max = "20ms" }
[[rows]]
from = { html = { css = "li.row" } }
unit = { value = "b", codes = "trial" }
  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "i"
"#;
const PAGE: &[u8] = b"<!doctype html><ul><li class=row><b>root-1</b><i>5</i></ul>";
const CLOSED: &str = "User-agent: *\nDisallow: /\n";

fn robots(text: &str) -> Act {
    Act::Send(answer(200, "content-type: text/plain\r\n", text.as_bytes()))
}

fn status(status: u16, headers: &str) -> Act {
    Act::Send(answer(status, headers, b"said"))
}

fn page() -> Act {
    Act::Send(answer(200, HTML, PAGE))
}

/// What the server does, connection by connection; the reason, if the page may not be had; how many requests come.
type Case = (&'static str, Vec<Act>, Option<Reason>, usize);

fn cases() -> Vec<Case> {
    let us = |rules: &str| robots(&format!("{CLOSED}\nUser-agent: thuocdo\n{rules}\n"));
    let moved = |to: &str| status(302, &format!("location: {to}\r\n"));
    let here = || moved("/robots.txt");
    let long = format!("{}User-agent: *\nDisallow: /\n", "# a comment\n".repeat(50_000));
    vec![
        ("closed to all", vec![robots(CLOSED), page()], Some(Config), 1),
        ("closed to all, open to us", vec![us("Allow: /"), page()], None, 2),
        ("open to all, closed to us", vec![robots("User-agent: ThuocDo\nDisallow: /li*?year="), page()], Some(Config), 1),
        ("closed to others", vec![robots("User-agent: otherbot\nDisallow: /\n"), page()], None, 2),
        ("closed elsewhere", vec![robots("User-agent: *\nDisallow: /admin\n"), page()], None, 2),
        ("closed, with a way in", vec![robots(&format!("{CLOSED}Allow: /list\n")), page()], None, 2),
        ("an empty file", vec![robots(""), page()], None, 2),
        ("a page in its place", vec![page(), page()], None, 2),
        ("closed past its first 500 KiB", vec![robots(&long), page()], None, 2),
        ("closed within an endless file", vec![Act::Endless([head(200, ""), CLOSED.into()].concat()), page()], Some(Config), 1),
        ("404", vec![status(404, ""), page()], None, 2),
        ("403", vec![status(403, ""), page()], None, 2),
        ("429", vec![status(429, ""), page()], Some(RateLimited), 1),
        ("503", vec![status(503, ""), page()], Some(Http5xx), 1),
        ("silence", vec![Act::SendStall(Vec::new()), page()], Some(Timeout), 1),
        ("reset", vec![Act::SendReset(Vec::new()), page()], Some(Connect), 1),
        ("moved on the same host", vec![moved("/r.txt"), robots(CLOSED), page()], Some(Config), 2),
        ("moved, with the whole address", vec![moved("https://portal.example/r.txt"), robots(CLOSED), page()], Some(Config), 2),
        ("moved to another host", vec![moved("https://other.invalid/robots.txt"), page()], None, 2),
        ("moved without saying where", vec![status(302, ""), page()], None, 2),
        ("moved five times", vec![here(), here(), here(), here(), here(), robots(CLOSED), page()], Some(Config), 6),
        ("moved in a circle", vec![here(), here(), here(), here(), here(), here(), page()], None, 7),
    ]
}

#[tokio::test]
async fn each_robots_txt_says_what_may_be_asked() {
    let all = cases();
    let n = all.len();
    for (name, acts, reason, n_asked) in all {
        let server = serve(acts).await;
        let world = World::new(&server.base).await;
        let ran = world.run(PAGES, AT).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let [record] = ran.requests.as_slice() else { panic!("{name}: one request, not {}", ran.requests.len()) };
        let request = &record.request;
        let state = if reason.is_none() { RunState::Recorded } else { RunState::Failed };
        assert_eq!((request.reason, ran.state, server.n_asked()), (reason, state, n_asked), "{name}: {request:?}");
        assert_eq!(server.asked()[0], "GET /robots.txt HTTP/1.1", "{name}");
        assert_eq!(world.observations().await.len(), usize::from(reason.is_none()), "{name}");
        match reason {
            None => assert_eq!(server.asked()[n_asked - 1], "GET /list?year=2026 HTTP/1.1", "{name}"),
            Some(reason) => {
                assert_eq!(request.url, "https://portal.example/robots.txt", "{name}");
                assert!(request.error.contains("robots.txt"), "{name}: {}", request.error);
                assert_eq!(request.evidence.is_some(), !matches!(reason, Timeout | Connect), "{name}");
            }
        }
    }
    println!("robots.txt: {n} of {n}");
}

#[tokio::test]
async fn what_is_forbidden_is_said_with_the_rule_and_the_fix() {
    let server = serve(vec![robots("User-agent: thuocdo\nDisallow: /list\n")]).await;
    let world = World::new(&server.base).await;
    let ran = world.run(PAGES, AT).await.expect("a run");
    let request = &ran.requests[0].request;
    assert_eq!(
        request.error,
        "https://portal.example/robots.txt says \"Disallow: /list\" to thuocdo, and that is /list?year=2026; ask the owner of the \
         system, then write robots = { owner_agreed = \"…\" } with the letter in which they agreed"
    );
    let kept = world.archive.get(request.evidence.as_ref().expect("evidence")).expect("kept");
    assert_eq!(kept, b"User-agent: thuocdo\nDisallow: /list\n");
}

#[tokio::test]
async fn one_file_serves_every_request_of_a_process() {
    let both = PAGES.replace("[\"year\"]", "[\"year\", \"last_year\"]");
    let server = serve(vec![robots(""), page(), page()]).await;
    World::new(&server.base).await.run(&both, AT).await.expect("a run");
    let paths: Vec<String> = server.asked().iter().filter_map(|line| line.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(paths, ["/robots.txt", "/list?year=2026", "/list?year=2025"]);
}

#[tokio::test]
async fn the_owners_word_and_data_need_no_robots_txt() {
    let agreed = PAGES.replace("[[rows]]", "robots = { owner_agreed = \"Công văn 123/STTTT-BCVT\" }\n[[rows]]");
    for (name, text, act, path) in [
        ("the owner agreed", agreed.as_str(), page(), "GET /list?year=2026 HTTP/1.1"),
        ("data", COLLECTOR, Act::Send(answer(200, JSON, GOOD)), "GET /api?year=2026 HTTP/1.1"),
    ] {
        let server = serve(vec![act]).await;
        let ran = World::new(&server.base).await.run(text, AT).await.expect("a run");
        assert_eq!((ran.state, server.asked()), (RunState::Recorded, vec![path.to_owned()]), "{name}: {:?}", ran.requests);
    }
}
