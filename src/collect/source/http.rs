//! HTTP: requests made politely, within their limits and until the run's deadline.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Response};

use super::classify::{classify, refused_status};
use super::prepare::Credentials;
pub use super::prepare::{Prepared, prepare};
use super::resolve::SystemDns;
use super::{Attempt, Failure, Politeness, own_network, robots};
use crate::collect::collector::{HttpSource, Method, Rows};
use crate::collect::extract::{Kind, kind_of};
use crate::model::{Reason, Ts};
use crate::settings::{Settings, read_certificates};

/// Makes requests under one collector's limits.
pub struct Asker<'a> {
    client: Client,
    source: &'a HttpSource,
    pub(super) settings: &'a Settings,
    politeness: &'a Politeness,
    deadline: Instant,
    /// Whether robots.txt is asked first: it is about pages, and the owner's word goes before it.
    minds_robots: bool,
}

/// One request and what came, not yet judged by its status.
pub(super) struct Exchange {
    pub(super) attempt: Attempt,
    /// Whether there was time to begin.
    pub(super) began: bool,
    /// Retry-After.
    pub(super) asked_to_wait: Option<Duration>,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
}

impl Exchange {
    pub(super) fn of(attempt: Attempt) -> Exchange {
        Exchange { attempt, began: true, asked_to_wait: None, location: None }
    }
}

impl<'a> Asker<'a> {
    /// For one run that reads `rows`; `deadline` ends all of its requests.
    ///
    /// # Errors
    /// `Internal` if the TLS roots of this machine cannot be read, `Config` if those of `[http] extra_ca` cannot.
    pub fn new(
        source: &'a HttpSource,
        rows: &[Rows],
        settings: &'a Settings,
        politeness: &'a Politeness,
        deadline: Instant,
    ) -> Result<Asker<'a>, Failure> {
        let minds_robots = matches!(kind_of(rows), Ok(Kind::Html(_))) && source.robots.is_none();
        Ok(Asker { client: client(source, settings)?, source, settings, politeness, deadline, minds_robots })
    }

    /// Asks until there is a usable answer, a failure that is not retried, or none of `attempts` left. Each attempt is
    /// put into `into` as soon as it ends, so that who drops this keeps what was done.
    pub async fn ask(&self, prepared: &Prepared, attempts: u32, into: &mut Vec<Attempt>) {
        use backon::BackoffBuilder;
        let retry = &self.source.retry;
        let mut waits = backon::ExponentialBuilder::default()
            .with_min_delay(retry.first.0)
            .with_max_delay(retry.max.0)
            .with_max_times(attempts.saturating_sub(1) as usize)
            .build();
        let n_before = into.len();
        loop {
            let Exchange { attempt, asked_to_wait, began, .. } = self.attempt(prepared).await;
            // A second attempt that could not begin says less than the first one did.
            if !began && into.len() > n_before {
                return;
            }
            into.push(attempt);
            let Some(attempt) = into.last_mut() else { return };
            if let Some(blamed) = self.own_network(attempt).await {
                attempt.failure = Some(blamed);
            }
            let again = attempt.failure.as_ref().is_some_and(|failure| retry.on.contains(&failure.reason));
            let Some(wait) = waits.next().filter(|_| again) else { return };
            if asked_to_wait.is_some_and(|asked| asked > retry.honour_retry_after.0) {
                return;
            }
            let wait = asked_to_wait.unwrap_or(wait).max(wait);
            if wait >= self.time_left() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt; a failure is data.
    async fn attempt(&self, prepared: &Prepared) -> Exchange {
        if self.minds_robots
            && let Some(refused) = robots::refusal(self, &self.politeness.robots, prepared).await
        {
            return refused;
        }
        let mut exchange = self.exchange(prepared, self.source.limits.body.0).await;
        let attempt = &mut exchange.attempt;
        if attempt.failure.is_none() {
            attempt.failure = refused_status(attempt.status, attempt.body.as_deref(), &self.source.expect);
        }
        exchange
    }

    /// One request in its turn, and what comes of it; never past the deadline.
    pub(super) async fn exchange(&self, prepared: &Prepared, body_limit: u64) -> Exchange {
        let host = prepared.asked.host_str().unwrap_or_default();
        let turn = tokio::time::timeout_at(self.deadline.into(), self.politeness.wait(host, &self.source.rate)).await;
        let mut exchange = Exchange::of(Attempt::begin(&prepared.method.to_string(), &prepared.url, &prepared.body));
        let (started, left) = (Instant::now(), self.time_left());
        let Some(_turn) = turn.ok().filter(|_| !left.is_zero()) else {
            let text = "the run's time was up before this request could be made (limits.run)";
            exchange.attempt.failure = Some(Failure::new(Reason::Deadline, text));
            exchange.began = false;
            return exchange;
        };
        let limit = self.source.limits.request.0.min(left);
        let done = tokio::time::timeout(limit, self.transfer(prepared, body_limit, &mut exchange)).await;
        let failure = match done {
            Ok(done) => done.err(),
            Err(_) if limit == left => {
                let text = "the run's time was up before the answer was whole (limits.run)";
                Some(Failure::new(Reason::Deadline, text))
            }
            Err(_) => Some(Failure::new(Reason::Timeout, format!("no whole answer within {}", humantime::format_duration(limit)))),
        };
        let attempt = &mut exchange.attempt;
        if let Some(failure) = &failure {
            // Bytes that could not be unpacked say nothing of what was sent; and no bytes are no evidence.
            attempt.body = attempt.body.take().filter(|body| failure.reason != Reason::Decode && !body.is_empty());
        }
        attempt.failure = failure;
        attempt.elapsed_micros = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
        exchange
    }

    /// Sends the request and fills in what comes, as far as it comes.
    async fn transfer(&self, prepared: &Prepared, body_limit: u64, exchange: &mut Exchange) -> Result<(), Failure> {
        let response = self.request(prepared).send().await.map_err(|error| classify(&error))?;
        let attempt = &mut exchange.attempt;
        attempt.status = Some(response.status().as_u16());
        attempt.content_type = header_text(&response, CONTENT_TYPE);
        attempt.certificate_until = certificate_until(&response);
        // The client takes the header away with the coding; what is left is a coding that we never asked for.
        let coding = header_text(&response, CONTENT_ENCODING);
        if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
            return Err(Failure::new(Reason::Decode, format!("the body has the content coding {coding:?}, which was not asked for")));
        }
        exchange.asked_to_wait = retry_after(&header_text(&response, RETRY_AFTER), attempt.at);
        exchange.location = Some(header_text(&response, LOCATION)).filter(|location| !location.is_empty());
        // What came of a body that was cut or too long is evidence too, so it is filled where a timeout leaves it.
        read_body(response, body_limit, attempt.body.insert(Vec::new())).await
    }

    fn request(&self, prepared: &Prepared) -> reqwest::RequestBuilder {
        let request = match prepared.method {
            Method::Get => self.client.get(prepared.asked.clone()),
            Method::Post => self.client.post(prepared.asked.clone()),
        };
        let request = request.headers(prepared.headers.clone()).body(prepared.body.clone());
        match &prepared.credentials {
            Credentials::None => request,
            Credentials::Bearer(token) => request.bearer_auth(token),
            Credentials::Basic(user, password) => request.basic_auth(user, Some(password)),
            Credentials::Header(name, value) => request.header(name, value),
        }
    }

    /// The attempt's failure, if it is our own network's; not judged when the references could not answer in time.
    async fn own_network(&self, attempt: &Attempt) -> Option<Failure> {
        let failure = attempt.failure.as_ref().filter(|_| self.time_left() > self.settings.network.timeout)?;
        own_network::blamed(&self.settings.network, failure).await
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A client that follows nothing by itself and goes through no proxy.
fn client(source: &HttpSource, settings: &Settings) -> Result<Client, Failure> {
    // The process-wide provider; a second call finds it there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let extra_ca = settings.http.extra_ca.as_deref().map(read_certificates).transpose();
    let extra_ca = extra_ca.map_err(|wrong| Failure::new(Reason::Config, wrong))?.unwrap_or_default();
    let failed = |error: reqwest::Error| {
        let (reason, beside) = if extra_ca.is_empty() { (Reason::Internal, "") } else { (Reason::Config, " with [http] extra_ca") };
        Failure::new(reason, format!("no HTTP client{beside}: {error}"))
    };
    let roots: Result<Vec<_>, _> = extra_ca.iter().map(|der| reqwest::Certificate::from_der(der)).collect();
    Client::builder()
        .user_agent(settings.user_agent())
        .connect_timeout(source.limits.connect.0)
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(std::sync::Arc::new(SystemDns))
        .tls_certs_merge(roots.map_err(failed)?)
        .tls_info(true)
        .no_proxy()
        .build()
        .map_err(failed)
}

/// The body, content coding removed, never more than the limit in memory.
async fn read_body(mut response: Response, limit: u64, body: &mut Vec<u8>) -> Result<(), Failure> {
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        let room = usize::try_from(limit).unwrap_or(usize::MAX) - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Err(Failure::new(Reason::TooLarge, format!("the decoded body is larger than {limit} bytes (limits.body)")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

fn header_text(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Until when the server's own certificate is valid; `None` without TLS.
fn certificate_until(response: &Response) -> Option<Ts> {
    let leaf = response.extensions().get::<TlsInfo>()?.peer_certificate()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
    chrono::DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0).map(Ts::from)
}

/// RFC 9110, 10.2.3: seconds or a date. `None` for a date that has passed and for what is neither.
fn retry_after(text: &str, now: Ts) -> Option<Duration> {
    if !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        // Seconds too many for a number are still a wish to be left alone.
        return Some(text.trim().parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (at.to_utc() - now.utc()).to_std().ok()
}
