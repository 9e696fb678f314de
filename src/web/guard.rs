//! What stands around every route: limits, counting, security headers, and errors shown as pages or JSON.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::frame::Frame;
use super::refusal::Refusal;
use crate::serve::Service;

/// How long an answer may take, waiting for its turn included; then 504.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// So many requests of a router are worked on at once; the others wait.
pub const REQUESTS_AT_ONCE: usize = 64;
/// Bodies above this are refused with 413. Nothing here needs a body at all.
pub const BODY_LIMIT_BYTES: usize = 64 << 10;

/// The label of requests that no route takes.
const NO_ROUTE: &str = "other";

/// The routes with everything around them; their series of metrics exist from now on.
pub(super) fn guarded(router: Router<Arc<Service>>, names: &[&str], service: Arc<Service>, limit: Duration) -> Router {
    let names: Vec<&str> = names.iter().copied().chain([NO_ROUTE]).collect();
    service.metrics.set_routes(&names);
    router
        .with_state(Arc::clone(&service))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(GlobalConcurrencyLimitLayer::new(REQUESTS_AT_ONCE))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit))
        .layer(from_fn_with_state(service, answer))
}

/// For addresses that no route takes.
pub(super) async fn no_such_page() -> Refusal {
    Refusal::of_status(StatusCode::NOT_FOUND)
}

/// The panic itself is in the log, by the hook of the service.
fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request made the program panic");
    Refusal::internal().into_response()
}

/// Answers a request, counts it, and gives the answer its headers.
async fn answer(State(service): State<Arc<Service>>, matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (uri, too_large) = (request.uri().clone(), is_too_large(request.headers()));
    let response = match too_large {
        true => Refusal::of_status(StatusCode::PAYLOAD_TOO_LARGE).into_response(),
        false => next.run(request).await,
    };
    let mut response = match response.status() {
        // `/health/sources` and the like answer with a body of their own and a status of trouble.
        status if is_refused(status) && is_empty(&response) => {
            let allowed = response.headers().get(header::ALLOW).cloned();
            let refusal = response.extensions().get().cloned().unwrap_or_else(|| Refusal::of_status(status));
            let mut shown = shown(&refusal, uri.path(), || Frame::of(&uri, &service));
            shown.headers_mut().extend(allowed.map(|allowed| (header::ALLOW, allowed)));
            shown
        }
        _ => response,
    };
    add_headers(response.headers_mut());
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    service.metrics.observe_http(route, response.status().as_u16(), started.elapsed());
    response
}

fn is_too_large(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > BODY_LIMIT_BYTES)
}

fn is_refused(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Whether nothing of ours was written yet: our own answers name their type, those of the layers are a bare status or text.
fn is_empty(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    response.extensions().get::<Refusal>().is_some() || content_type.is_none_or(|of| of.as_bytes() == b"text/plain; charset=utf-8")
}

/// JSON for what only programs ask, else a page.
fn shown(refusal: &Refusal, path: &str, frame: impl FnOnce() -> Frame) -> Response {
    let programs = ["/api/", "/metrics", "/livez", "/readyz", "/health/", "/-/"];
    match programs.iter().any(|prefix| path.starts_with(prefix)) {
        true => refusal.problem(),
        false => refusal.page(&frame()),
    }
}

/// What every answer carries unless it says otherwise: nothing runs, nothing is framed, nothing is kept.
fn add_headers(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::routing::get;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::catalogue::Files;
    use crate::model::Ts;
    use crate::serve::Live;
    use crate::serve::service::Parts;
    use crate::settings::Settings;
    use crate::store::Db;

    async fn service(folder: &std::path::Path) -> Arc<Service> {
        let db = Db::open(&format!("sqlite:{}", folder.join("test.db").display())).await.expect("a new file opens");
        let live = Live::load(Files::default(), vec![], &BTreeMap::new(), Ts::now());
        let (settings, owner) = (Settings::default(), "test".to_owned());
        Service::new(Parts { settings, db, live, owner, started_at: Ts::now() }).0
    }

    async fn panics() -> &'static str {
        panic!("secret of our inside")
    }

    #[tokio::test]
    async fn a_panic_and_a_slow_answer_are_refusals_that_count() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let service = service(folder.path()).await;
        let slow = async || tokio::time::sleep(Duration::from_secs(60)).await;
        let routes = Router::new().route("/panics", get(panics)).route("/api/panics", get(panics)).route("/slow", get(slow));
        let router = guarded(routes, &["/panics", "/slow"], Arc::clone(&service), Duration::from_millis(100));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        let server = tokio::spawn(super::super::serve(listener, router, stop.clone()));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        for (path, status, content_type) in [
            ("/panics", 500, "text/html; charset=utf-8"),
            ("/api/panics", 500, "application/problem+json"),
            ("/slow", 504, "text/html; charset=utf-8"),
            ("/none", 404, "text/html; charset=utf-8"),
        ] {
            let answer = client.get(format!("{url}{path}")).send().await.expect("an answer");
            let got = (answer.status().as_u16(), answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned());
            assert_eq!(got, (status, content_type.to_owned()), "{path}");
            assert!(!answer.text().await.expect("a body").contains("secret"), "{path}");
        }
        let text = service.metrics.text();
        for (route, code) in [("/panics", "5xx"), ("/slow", "5xx"), ("other", "4xx")] {
            let line = format!("thuocdo_http_requests_total{{code=\"{code}\",route=\"{route}\"}} 1");
            assert!(text.lines().any(|other| other == line), "{line}");
        }
        stop.cancel();
        server.await.expect("no panic").expect("a good end");
    }
}
