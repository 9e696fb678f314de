//! robots.txt (RFC 9309): asked before the first page of an origin, and obeyed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use robotxt::{BYTE_LIMIT, Robots};
use url::{Position, Url};

use super::classify::refused_status;
use super::http::{Asker, Exchange};
use super::prepare::Prepared;
use super::{Attempt, Failure};
use crate::collect::collector::Expect;
use crate::model::Reason;

/// Our name in robots.txt files.
const TOKEN: &str = "thuocdo";
/// RFC 9309, 2.4: no longer than a day.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// RFC 9309, 2.5: the first 500 KiB count; one byte more shows whether the last line is whole.
const MOST_BYTES: u64 = BYTE_LIMIT as u64 + 1;
/// RFC 9309, 2.3.1.2.
const MOST_REDIRECTS: usize = 5;

/// What origins said in their robots.txt, for all collectors of this process.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<String, Arc<Said>>>);

/// What one origin said.
struct Said {
    since: Instant,
    rules: Robots,
    /// How it was asked and what came, as evidence of a refusal.
    attempt: Attempt,
}

impl Cache {
    fn get(&self, origin: &str) -> Option<Arc<Said>> {
        let said = self.0.lock().expect("no one panics while holding the table of origins").get(origin).cloned();
        said.filter(|said| said.since.elapsed() < KEPT)
    }

    fn keep(&self, origin: String, said: Arc<Said>) {
        self.0.lock().expect("no one panics while holding the table of origins").insert(origin, said);
    }
}

/// Whether a request was about robots.txt itself, so that what came is not an answer to read.
pub fn is_robots(url: &str) -> bool {
    url.ends_with("/robots.txt")
}

/// Why this request may not be made, as the exchange about robots.txt; `None` if it may.
///
/// What could not be asked for (no connection, status 5xx) allows nothing, and is asked for again the next time.
pub(super) async fn refusal(asker: &Asker<'_>, cache: &Cache, prepared: &Prepared) -> Option<Exchange> {
    let origin = prepared.asked.origin().ascii_serialization();
    let said = match cache.get(&origin) {
        Some(said) => said,
        None => match ask(asker, prepared).await {
            Ok(said) => {
                let said = Arc::new(said);
                cache.keep(origin, Arc::clone(&said));
                said
            }
            Err(unreachable) => return Some(*unreachable),
        },
    };
    let path = &prepared.asked[Position::BeforePath..Position::AfterQuery];
    if said.rules.is_allowed(path) {
        return None;
    }
    let rule = said.rules.matching_rule(path).map_or("/", |rule| rule.pattern());
    let text = format!(
        "{} says \"Disallow: {rule}\" to {TOKEN}, and that is {path}; ask the owner of the system, then write \
         robots = {{ owner_agreed = \"…\" }} with the letter in which they agreed",
        said.attempt.url,
    );
    Some(Exchange::of(Attempt { failure: Some(Failure::new(Reason::Config, text)), ..said.attempt.clone() }))
}

/// Asks for robots.txt, following redirects on the same host.
async fn ask(asker: &Asker<'_>, prepared: &Prepared) -> Result<Said, Box<Exchange>> {
    let own = Url::parse(&prepared.url).unwrap_or_else(|_| prepared.asked.clone());
    let first = robots_of(&own);
    let mut url = first.clone();
    let mut exchange = asker.exchange(&request(asker, &url), MOST_BYTES).await;
    for _ in 0..MOST_REDIRECTS {
        let Some(next) = redirect(&exchange, &url, [&own, &prepared.asked]) else { break };
        url = next;
        exchange = asker.exchange(&request(asker, &url), MOST_BYTES).await;
    }
    // Whose rules these are, wherever the file was found.
    exchange.attempt.url = first.into();
    let rules = match rules(&exchange.attempt) {
        Ok(rules) => rules,
        Err(failure) => {
            let text = format!("{}: {}; while it cannot be read, nothing may be asked (RFC 9309)", url, failure.text);
            exchange.attempt.failure = Some(Failure::new(failure.reason, text));
            return Err(Box::new(exchange));
        }
    };
    exchange.attempt.failure = None;
    Ok(Said { since: Instant::now(), rules, attempt: exchange.attempt })
}

fn request(asker: &Asker<'_>, url: &Url) -> Prepared {
    let asked = Url::parse(&asker.settings.rewritten(url.as_str())).unwrap_or_else(|_| url.clone());
    Prepared::get(url.to_string(), asked)
}

/// The robots.txt of an address's origin.
fn robots_of(url: &Url) -> Url {
    let mut robots = url.clone();
    // Who asks is no part of the origin; an address with a host can always do without it.
    let _ = (robots.set_username(""), robots.set_password(None));
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    robots
}

/// Where a redirect leads, if it stays on a host that we ask anyway. RFC 9309 would follow to other hosts too; we ask
/// only those that the file names, and what redirects there counts as unavailable.
fn redirect(exchange: &Exchange, from: &Url, hosts: [&Url; 2]) -> Option<Url> {
    let is_redirect = exchange.attempt.failure.is_none() && matches!(exchange.attempt.status, Some(301 | 302 | 303 | 307 | 308));
    let next = from.join(exchange.location.as_deref().filter(|_| is_redirect)?).ok()?;
    let same_host = hosts.iter().any(|host| host.host() == next.host());
    (same_host && matches!(next.scheme(), "http" | "https")).then_some(next)
}

/// RFC 9309, 2.3.1: a file gives rules; none (4xx, a redirect that leads nowhere) allows everything; a server that
/// fails allows nothing. One that is asked too much (429) is left alone, which is stricter than the RFC.
fn rules(attempt: &Attempt) -> Result<Robots, Failure> {
    let body = attempt.body.as_deref().unwrap_or_default();
    if let Some(failure) = attempt.failure.as_ref().filter(|failure| failure.reason != Reason::TooLarge) {
        return Err(failure.clone());
    }
    match attempt.status {
        // Of a longer file the first 500 KiB count.
        Some(200..=299) => Ok(Robots::parse(body, TOKEN)),
        Some(300..=399 | 400..=428 | 430..=499) => Ok(Robots::allow_all()),
        status => Err(refused_status(status, Some(body), &Expect::default())
            .unwrap_or_else(|| Failure::new(Reason::Internal, "no answer and no reason"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Attempt {
        Attempt {
            status: Some(status),
            body: Some(body.as_bytes().to_vec()),
            ..Attempt::begin("GET", "https://portal.example/robots.txt", "")
        }
    }

    #[test]
    fn each_status_says_what_may_be_asked() {
        let closed = "User-agent: *\nDisallow: /\n";
        for (status, body, allowed) in [
            (200, closed, Ok(false)),
            (204, "", Ok(true)),
            (200, "<!doctype html><p>Trang chủ", Ok(true)),
            (200, "User-agent: *\nDisallow: /\n\nUser-agent: thuocdo\nAllow: /\n", Ok(true)),
            (200, "User-agent: thuocdo\nDisallow: /\n\nUser-agent: *\nAllow: /\n", Ok(false)),
            (200, "User-agent: ThuocDo\nDisallow: /*.jsp$\nAllow: /\n", Ok(true)),
            (302, closed, Ok(true)),
            (404, closed, Ok(true)),
            (401, closed, Ok(true)),
            (429, "", Err(Reason::RateLimited)),
            (500, "", Err(Reason::Http5xx)),
            (503, "<html><title>Request Rejected</title></html>", Err(Reason::Firewall)),
            (999, "", Err(Reason::Protocol)),
        ] {
            let said = rules(&answered(status, body)).map(|rules| rules.is_allowed("/list?x=1")).map_err(|failure| failure.reason);
            assert_eq!(said, allowed, "{status} {body}");
        }
    }

    #[test]
    fn what_is_not_reached_is_told_by_its_own_reason() {
        let timeout = Some(Failure::new(Reason::Timeout, "no answer"));
        let not_reached = Attempt { failure: timeout, ..Attempt::begin("GET", "", "") };
        assert_eq!(rules(&not_reached).map_err(|failure| failure.reason), Err(Reason::Timeout));
        let long = Attempt { failure: Some(Failure::new(Reason::TooLarge, "")), ..answered(200, "User-agent: *\nDisallow: /\n") };
        assert_eq!(rules(&long).map(|rules| rules.is_allowed("/")), Ok(false), "the beginning of a long file counts");
    }

    #[test]
    fn redirects_stay_on_the_hosts_that_are_asked_anyway() {
        let own = Url::parse("https://portal.example/list").expect("an address");
        let asked = Url::parse("http://127.0.0.1:8080/list").expect("an address");
        let from = robots_of(&own);
        assert_eq!(from.as_str(), "https://portal.example/robots.txt");
        for (location, next) in [
            ("/r.txt", Some("https://portal.example/r.txt")),
            ("http://portal.example/robots.txt", Some("http://portal.example/robots.txt")),
            ("http://127.0.0.1:8080/r.txt", Some("http://127.0.0.1:8080/r.txt")),
            ("https://other.example/robots.txt", None),
            ("ftp://portal.example/robots.txt", None),
            ("http://[", None),
        ] {
            let exchange = Exchange { location: Some(location.to_owned()), ..Exchange::of(answered(302, "")) };
            let found = redirect(&exchange, &from, [&own, &asked]).map(|url| url.to_string());
            assert_eq!(found.as_deref(), next, "{location}");
        }
        let exchange = Exchange { location: Some("/x".to_owned()), ..Exchange::of(answered(200, "")) };
        assert_eq!(redirect(&exchange, &from, [&own, &asked]), None, "only a redirect redirects");
    }
}
