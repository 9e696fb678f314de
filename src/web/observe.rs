//! Metrics, health and reload: what machines ask of the service.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;

use super::moment::span;
use super::refusal::Refusal;
use crate::model::Ts;
use crate::score::explain::Lang;
use crate::serve::sources::sources;
use crate::serve::{Service, SourceState};

/// The scheduler is dead if it has not looked at what is due for so long.
pub const HEARTBEAT_LIMIT: Duration = Duration::from_secs(120);
/// How long the answer to a reload is waited for.
pub const RELOAD_LIMIT: Duration = Duration::from_secs(30);

/// What is counted, from memory alone: a database that is away is when it is needed most.
pub(super) async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.text())
}

/// Whether the process works; if not, it is to be restarted.
pub(super) async fn livez(State(service): State<Arc<Service>>) -> Result<&'static str, Refusal> {
    let newest = service.heartbeat().unwrap_or(service.started_at).max(service.started_at);
    let age = Ts::now().since(newest);
    if age < HEARTBEAT_LIMIT {
        return Ok("ok\n");
    }
    let said = |lang| span(age.as_secs(), lang);
    Err(Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("bộ lập lịch không hoạt động đã {}: khởi động lại dịch vụ", said(Lang::Vi)),
        format!("the scheduler has not looked at what is due for {}: restart the service", said(Lang::En)),
    ))
}

/// Whether it does its work; if not, why.
pub(super) async fn readyz(State(service): State<Arc<Service>>) -> Response {
    #[derive(Serialize)]
    struct Ready {
        ready: bool,
        why_not: Vec<&'static str>,
    }
    let reasons = [
        (service.heartbeat().is_none(), "the scheduler has not looked at what is due yet"),
        (service.store_trouble().is_some(), "the database does not do what it is asked: see the log"),
        (service.stopping.is_cancelled(), "the service is stopping"),
    ];
    let why_not: Vec<&str> = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect();
    let status = if why_not.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready: why_not.is_empty(), why_not })).into_response()
}

/// Every source as it stands, for machines.
#[derive(Serialize)]
struct Health {
    now: Ts,
    /// Sources that run and whose data is older than it may be.
    stale: Vec<String>,
    sources: Vec<SourceState>,
}

impl Health {
    async fn of(service: &Service) -> Result<Health, Refusal> {
        let (live, now) = (service.live(), Ts::now());
        let sources = sources(service, &live, now).await?;
        let stale = sources.iter().filter(|source| source.enabled() && source.stale).map(|source| source.id.clone()).collect();
        Ok(Health { now, stale, sources })
    }
}

/// The sources; 503 while one that runs is stale.
pub(super) async fn health(State(service): State<Arc<Service>>) -> Result<Response, Refusal> {
    let health = Health::of(&service).await?;
    let status = if health.stale.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(health)).into_response())
}

/// The same facts with 200.
pub(super) async fn sources_always(State(service): State<Arc<Service>>) -> Result<Response, Refusal> {
    Ok(Json(Health::of(&service).await?).into_response())
}

/// Has the declarative files read again, and says what was wrong in them.
pub(super) async fn reload(State(service): State<Arc<Service>>) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        swapped: bool,
        problems: Vec<String>,
    }
    let (tell, told) = oneshot::channel();
    let asked = async {
        service.reload.send(tell).await.ok()?;
        told.await.ok()
    };
    let reloaded = match tokio::time::timeout(RELOAD_LIMIT, asked).await {
        Ok(Some(reloaded)) => reloaded,
        Ok(None) => return Err(Refusal::of_status(StatusCode::SERVICE_UNAVAILABLE)),
        Err(_) => return Err(Refusal::of_status(StatusCode::GATEWAY_TIMEOUT)),
    };
    let good = reloaded.swapped && reloaded.problems.is_empty();
    let status = if good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Json(Answer { swapped: reloaded.swapped, problems: reloaded.problems })).into_response())
}
