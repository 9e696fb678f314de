//! HTTP: one request filled from its scope, made politely and within its limits.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};

use super::{Attempt, Failure, Politeness};
use crate::collect::collector::{Auth, Expect, FormField, HttpSource, Limits, Method, Secret};
use crate::collect::extract::is_firewall_page;
use crate::collect::template::{Escape, Filling, Unfilled};
use crate::model::{Reason, Ts};
use crate::settings::Settings;

/// One request, filled and ready to be made.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// GET or POST.
    pub method: Method,
    /// The province's own address.
    pub url: String,
    /// The address that is really asked (`[rewrite]`).
    pub asked: url::Url,
    /// Headers without credentials.
    pub headers: HeaderMap,
    /// Never shown.
    credentials: Credentials,
    /// Body as sent.
    pub body: String,
}

/// Who we are, with the secret itself.
#[derive(Clone)]
enum Credentials {
    None,
    Bearer(String),
    Basic(String, String),
    Header(HeaderName, HeaderValue),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Fills a collector's request for one scope.
///
/// # Errors
/// `Config`: a placeholder without a value, a secret that is not set, an address that is none.
pub fn prepare(source: &HttpSource, settings: &Settings, filling: &Filling) -> Result<Prepared, Failure> {
    let config = |text: String| Failure::new(Reason::Config, text);
    let unfilled = |error: Unfilled| config(error.to_string());
    let url = source.url.get_ref().fill(filling, Escape::Url).map_err(unfilled)?.unwrap_or_default();
    let asked = settings.rewritten(&url);
    let asked = url::Url::parse(&asked).map_err(|error| config(format!("{asked:?} is no address: {error}")))?;
    if !matches!(asked.scheme(), "http" | "https") || asked.host().is_none() {
        return Err(config(format!("{asked} is no http or https address")));
    }
    let mut headers = HeaderMap::new();
    for (name, template) in &source.headers {
        if let Some(value) = template.fill(filling, Escape::None).map_err(unfilled)? {
            insert(&mut headers, name, &value)?;
        }
    }
    let body = fill_body(source, filling, &mut headers)?;
    let credentials = source.auth.as_ref().map_or(Ok(Credentials::None), credentials)?;
    Ok(Prepared { method: source.method, url, asked, headers, credentials, body })
}

fn fill_body(source: &HttpSource, filling: &Filling, headers: &mut HeaderMap) -> Result<String, Failure> {
    let unfilled = |error: Unfilled| Failure::new(Reason::Config, error.to_string());
    if let Some(json) = &source.json {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        return Ok(json.fill(filling).map_err(unfilled)?.unwrap_or_default().to_string());
    }
    let Some(form) = &source.form else { return Ok(String::new()) };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8"));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for (name, field) in form {
        let value = match field {
            FormField::Text(template) => template.fill(filling, Escape::None).map_err(unfilled)?,
            FormField::Json(json) => json.fill(filling).map_err(unfilled)?.map(|json| json.to_string()),
        };
        if let Some(value) = value {
            body.append_pair(name, &value);
        }
    }
    Ok(body.finish())
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Failure> {
    headers.insert(header_name(name)?, header_value(name, value)?);
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::try_from(name).map_err(|_| Failure::new(Reason::Config, format!("{name:?} is no header name")))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let wrong = |_| Failure::new(Reason::Config, format!("the value of header {name} has characters that headers cannot hold"));
    HeaderValue::try_from(value).map_err(wrong)
}

fn credentials(auth: &Auth) -> Result<Credentials, Failure> {
    Ok(match auth {
        Auth::Bearer(token) => Credentials::Bearer(reveal(token)?),
        Auth::Basic { user, password } => Credentials::Basic(reveal(user)?, reveal(password)?),
        Auth::ApiKey { header, value } => Credentials::Header(header_name(header)?, header_value(header, &reveal(value)?)?),
    })
}

/// The secret's value: environment variable `THUOCDO_SECRET_NPSP_TOKEN` for `npsp/token`,
/// else the file of that name under `$CREDENTIALS_DIRECTORY` (systemd), `/` written as `_`.
fn reveal(secret: &Secret) -> Result<String, Failure> {
    let flat: String = secret.secret.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let variable = format!("THUOCDO_SECRET_{}", flat.to_ascii_uppercase());
    if let Ok(value) = std::env::var(&variable) {
        return Ok(value);
    }
    let from_file = std::env::var_os("CREDENTIALS_DIRECTORY")
        .and_then(|folder| std::fs::read_to_string(std::path::Path::new(&folder).join(&flat)).ok());
    from_file
        .map(|text| text.trim_end().to_owned())
        .ok_or_else(|| Failure::new(Reason::Config, format!("the secret {:?} is not set: set {variable}", secret.secret)))
}

/// Makes requests under one collector's limits.
pub struct Asker<'a> {
    client: Client,
    source: &'a HttpSource,
    politeness: &'a Politeness,
    deadline: Instant,
}

impl<'a> Asker<'a> {
    /// For one run; `deadline` ends all of its requests.
    ///
    /// # Errors
    /// `Internal` if the TLS roots of this machine cannot be read.
    pub fn new(source: &'a HttpSource, settings: &Settings, politeness: &'a Politeness, deadline: Instant) -> Result<Asker<'a>, Failure> {
        // The process-wide provider; a second call finds it there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(settings.user_agent())
            .connect_timeout(source.limits.connect.0)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(std::sync::Arc::new(SystemDns))
            .no_proxy()
            .build()
            .map_err(|error| Failure::new(Reason::Internal, format!("no HTTP client: {error}")))?;
        Ok(Asker { client, source, politeness, deadline })
    }

    /// Asks until there is a usable answer, a failure that is not retried, or no attempt left. Every attempt is returned.
    pub async fn ask(&self, prepared: &Prepared) -> Vec<Attempt> {
        use backon::BackoffBuilder;
        let retry = &self.source.retry;
        let mut waits = backon::ExponentialBuilder::default()
            .with_min_delay(retry.first.0)
            .with_max_delay(retry.max.0)
            .with_max_times(retry.attempts.saturating_sub(1) as usize)
            .build();
        let mut attempts = Vec::new();
        loop {
            let (attempt, asked_to_wait) = self.attempt(prepared).await;
            let again = attempt.failure.as_ref().is_some_and(|failure| retry.on.contains(&failure.reason));
            attempts.push(attempt);
            let Some(wait) = waits.next().filter(|_| again) else { return attempts };
            if asked_to_wait.is_some_and(|asked| asked > retry.honour_retry_after.0) {
                return attempts;
            }
            let wait = asked_to_wait.unwrap_or(wait).max(wait);
            if wait >= self.deadline.saturating_duration_since(Instant::now()) {
                return attempts;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt; a failure is data.
    async fn attempt(&self, prepared: &Prepared) -> (Attempt, Option<Duration>) {
        let host = prepared.asked.host_str().unwrap_or_default().to_owned();
        let _turn = self.politeness.wait(&host, &self.source.rate).await;
        let (at, started) = (Ts::now(), Instant::now());
        let mut attempt = Attempt {
            method: format!("{:?}", prepared.method).to_uppercase(),
            url: prepared.url.clone(),
            request_body: prepared.body.clone(),
            at,
            elapsed_micros: 0,
            status: None,
            content_type: String::new(),
            body: None,
            failure: None,
        };
        let limit = self.source.limits.request.0.min(self.deadline.saturating_duration_since(started));
        let mut asked_to_wait = None;
        let work = async {
            let response = self.request(prepared).send().await.map_err(|error| classify(&error))?;
            attempt.status = Some(response.status().as_u16());
            attempt.content_type = header_text(&response, CONTENT_TYPE);
            // The client takes the header away with the coding; what is left is a coding that we never asked for.
            let coding = header_text(&response, CONTENT_ENCODING);
            if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
                return Err(Failure::new(Reason::Decode, format!("the body has the content coding {coding:?}, which was not asked for")));
            }
            asked_to_wait = retry_after(&header_text(&response, RETRY_AFTER), at);
            // What came of a body that was cut or too long is evidence too, so it is filled where a timeout leaves it.
            read_body(response, &self.source.limits, attempt.body.insert(Vec::new())).await
        };
        let done: Result<(), Failure> = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Failure::new(Reason::Timeout, format!("no whole answer within {}", humantime::format_duration(limit))))
        });
        if let Err(failure) = &done {
            // Bytes that could not be unpacked say nothing of what was sent; and no bytes are no evidence.
            attempt.body = attempt.body.filter(|body| failure.reason != Reason::Decode && !body.is_empty());
        }
        attempt.failure = done.err().or_else(|| refused_status(attempt.status, attempt.body.as_deref(), &self.source.expect));
        attempt.elapsed_micros = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
        (attempt, asked_to_wait)
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
}

/// The body, content coding removed, never more than the limit in memory.
async fn read_body(mut response: Response, limits: &Limits, body: &mut Vec<u8>) -> Result<(), Failure> {
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        let room = usize::try_from(limits.body.0).unwrap_or(usize::MAX) - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Err(Failure::new(Reason::TooLarge, format!("the decoded body is larger than {} bytes (limits.body)", limits.body.0)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

fn header_text(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
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

/// A status that is not expected, as a failure; a firewall's page is one whatever its status.
fn refused_status(status: Option<u16>, body: Option<&[u8]>, expect: &Expect) -> Option<Failure> {
    let status = status?;
    let expected = if expect.status.is_empty() { &[200][..] } else { &expect.status };
    if expected.contains(&status) {
        return None;
    }
    if body.is_some_and(is_firewall_page) {
        return Some(Failure::new(Reason::Firewall, format!("a firewall's page with status {status}")));
    }
    let reason = match status {
        401 | 403 => Reason::Auth,
        429 => Reason::RateLimited,
        300..=399 => Reason::RedirectBlocked,
        500..=599 => Reason::Http5xx,
        400..=499 => Reason::Http4xx,
        _ => Reason::Protocol,
    };
    Some(Failure::new(reason, format!("status {status}, expected {expected:?}")))
}

/// The reason behind a client error, found by its types and never by its words.
fn classify(error: &reqwest::Error) -> Failure {
    let mut reason = match () {
        () if error.is_timeout() => Reason::Timeout,
        () if error.is_connect() => Reason::Connect,
        () => Reason::Protocol,
    };
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut words = String::new();
    while let Some(at) = cause {
        words = at.to_string();
        if at.is::<NoAddress>() {
            reason = Reason::Dns;
        }
        if is_tls(at) {
            reason = Reason::TlsHandshake;
        }
        if reason == Reason::Protocol && is_undecodable(at) {
            reason = Reason::Decode;
        }
        if reason == Reason::Protocol && is_broken_connection(at) {
            reason = Reason::Connect;
        }
        cause = at.source();
    }
    Failure::new(reason, words)
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    // rustls hides inside one io::Error or two, which do not name what they hold as their source.
    let inside = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
    error.is::<rustls::Error>() || inside.is_some_and(|inside| is_tls(inside))
}

/// Whether the content coding is broken. The client calls every trouble with a body so; only when the
/// unpacker's own error stands directly below did the bytes arrive.
fn is_undecodable(error: &(dyn StdError + 'static)) -> bool {
    let decoding = error.downcast_ref::<reqwest::Error>().filter(|error| error.is_decode());
    decoding.and_then(StdError::source).is_some_and(|source| source.is::<std::io::Error>())
}

fn is_broken_connection(error: &(dyn StdError + 'static)) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| matches!(io.kind(), ConnectionReset | ConnectionAborted | BrokenPipe))
}

/// The system's resolver, whose failures can be told from refused connections.
struct SystemDns;

/// The host name has no address.
#[derive(Debug, thiserror::Error)]
#[error("no address for {host}: {source}")]
struct NoAddress {
    host: String,
    source: std::io::Error,
}

impl reqwest::dns::Resolve for SystemDns {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await.map(Iterator::collect::<Vec<_>>);
            match found {
                Ok(found) => Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs),
                Err(source) => Err(Box::new(NoAddress { host, source }) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}
