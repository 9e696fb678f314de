//! Posting to the webhook. Its address may hold a token, so only scheme, host and port are ever shown.

use reqwest::header::CONTENT_TYPE;

use super::message::Posted;
use crate::collect::source::prepare::reveal;
use crate::model::Ts;
use crate::settings::notify::shown;
use crate::settings::{Settings, Webhook, read_certificates};

/// More of an answer is not read.
const MOST_READ: usize = 2000;

/// What the webhook said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who: scheme, host and port.
    pub who: String,
    /// HTTP status.
    pub status: u16,
    /// The first of its text.
    pub text: String,
}

/// Why the webhook was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There is none.
    #[error("no webhook is set: write webhook = \"https://…\" under [notify] in the settings")]
    NoWebhook,
    /// Address, secret or client cannot be had.
    #[error("{0}")]
    Config(String),
    /// It did not answer.
    #[error("{who} did not answer: {error}")]
    NoAnswer {
        /// Who: scheme, host and port.
        who: String,
        /// What happened, without the address.
        error: String,
    },
    /// It answered that it did not take it.
    #[error("{} answered with status {}", .0.who, .0.status)]
    Refused(Answer),
}

/// Posts alerts; whoever asks hears what the webhook said.
///
/// # Errors
/// There is no webhook, it cannot be asked, or did not take them.
pub async fn post(settings: &Settings, alerts: &[Posted]) -> Result<Answer, PostError> {
    let notify = &settings.notify;
    let url = match &notify.webhook {
        None => return Err(PostError::NoWebhook),
        Some(Webhook::Url(url)) => url.clone(),
        Some(Webhook::Secret(secret)) => {
            let text = reveal(secret).map_err(|failure| PostError::Config(failure.text))?;
            Webhook::address(&text).map_err(|wrong| PostError::Config(format!("the secret {:?}: {wrong}", secret.secret)))?
        }
    };
    let who = shown(&url);
    let body = serde_json::to_vec(alerts).map_err(|error| PostError::Config(error.to_string()))?;
    let mut request = client(settings)?.post(url).header(CONTENT_TYPE, "application/json").body(body);
    if let Some(secret) = &notify.bearer {
        request = request.bearer_auth(reveal(secret).map_err(|failure| PostError::Config(failure.text))?);
    }
    let no_answer = |error: reqwest::Error| PostError::NoAnswer { who: who.clone(), error: words(error) };
    let mut response = request.send().await.map_err(no_answer)?;
    let status = response.status();
    let mut text = Vec::new();
    // An answer that breaks off was an answer.
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() >= MOST_READ {
            break;
        }
    }
    text.truncate(MOST_READ);
    let answer = Answer { who, status: status.as_u16(), text: String::from_utf8_lossy(&text).trim().to_owned() };
    if status.is_success() { Ok(answer) } else { Err(PostError::Refused(answer)) }
}

/// A client of its own for each request: there are few, and no connection of yesterday is in the way.
fn client(settings: &Settings) -> Result<reqwest::Client, PostError> {
    // The process-wide provider; a second call finds it there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let failed = |error: reqwest::Error| PostError::Config(format!("no HTTP client: {}", words(error)));
    // A receiver of the government's has a certificate of a government CA too.
    let extra_ca = settings.http.extra_ca.as_deref().map(read_certificates).transpose().map_err(PostError::Config)?;
    let roots: Result<Vec<_>, _> = extra_ca.iter().flatten().map(|der| reqwest::Certificate::from_der(der)).collect();
    reqwest::Client::builder()
        .user_agent(settings.user_agent())
        .timeout(settings.notify.timeout.0)
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_merge(roots.map_err(failed)?)
        .no_proxy()
        .build()
        .map_err(failed)
}

/// The innermost cause, which names no address.
fn words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// The test alert of an installation, sent now.
///
/// # Errors
/// As `post`.
pub async fn post_test(settings: &Settings, now: Ts) -> Result<Answer, PostError> {
    post(settings, &[super::sender(settings).test(now)]).await
}
