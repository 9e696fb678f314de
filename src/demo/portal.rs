//! The loopback server: the evaluation API, the older service and the document system on one port, or recorded bodies.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answers::Page;
use super::bodies::Recorded;
use super::figures::Figures;
use super::request::{Ask, between, whole};

const JSON: &str = "application/json; charset=utf-8";

/// A running province on loopback; it stops when this is dropped.
#[derive(Debug)]
pub struct Portal {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<io::Result<()>>,
}

impl Portal {
    /// `http://127.0.0.1:PORT`, the base address for `[rewrite]` and for `{province.documents}`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers what was begun, then stops.
    ///
    /// # Errors
    /// What ended the server before.
    pub async fn stop(mut self) -> io::Result<()> {
        drop(self.stop.take());
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves seeded figures on a free port of 127.0.0.1.
///
/// # Errors
/// No port could be bound.
pub async fn serve(figures: Figures) -> io::Result<Portal> {
    let routes = Router::new()
        .route("/api/v1/reporting/evaluation/{endpoint}", post(evaluation))
        .route("/jsp/rest.jsp", post(older_service))
        .route("/thong-ke", get(documents_page))
        .fallback(async || not_found("no such path"))
        .with_state(Arc::new(figures));
    listen(routes).await
}

/// Serves recorded bodies, byte for byte, on a free port of 127.0.0.1.
///
/// # Errors
/// No port could be bound.
pub async fn serve_recorded(recorded: Recorded) -> io::Result<Portal> {
    listen(Router::new().fallback(recorded_body).with_state(Arc::new(recorded))).await
}

async fn listen(routes: Router) -> io::Result<Portal> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async {
        // An error means that the handle was dropped, which ends the server as well.
        stopped.await.ok();
    });
    let server = tokio::spawn(server.into_future());
    Ok(Portal { address, stop: Some(stop), server })
}

/// One of the seven endpoints of 2026.
async fn evaluation(State(figures): State<Arc<Figures>>, Path(endpoint): Path<String>, body: Bytes) -> Response {
    let ask: Ask = match serde_json::from_slice(&body) {
        Ok(ask) => ask,
        Err(error) => return bad_request(&format!("the body is not the expected JSON: {error}")),
    };
    let asked = if endpoint == "handling-satisfaction" { ask.between() } else { ask.period() };
    let period = match asked {
        Ok(period) => period,
        Err(why) => return bad_request(&why),
    };
    if endpoint != "service-results" && ask.root_department_id.as_deref() != Some(figures.root_id()) {
        return not_found("rootDepartmentId is not the demonstration's province");
    }
    let page = Page { current: ask.current_page.unwrap_or(1), size: ask.page_size.unwrap_or(10) };
    json_answer(
        StatusCode::CREATED,
        &match endpoint.as_str() {
            "service-results" => figures.service_results(period),
            "transparency" => figures.transparency(period, page),
            "dvc-progress-tree" => figures.progress_tree(period),
            "provide-online-tree" => figures.online_tree(period),
            "formality-online-payment-tree" => figures.payment_tree(period),
            "dossier-digitized" => figures.digitised(period, page),
            "handling-satisfaction" => figures.satisfaction(period, page),
            _ => return not_found("no such endpoint"),
        },
    )
}

/// The older service's form: JSON text in one field.
#[derive(Deserialize)]
struct OlderForm {
    params: String,
}

/// `/jsp/rest.jsp`.
async fn older_service(State(figures): State<Arc<Figures>>, Form(form): Form<OlderForm>) -> Response {
    let params: Value = match serde_json::from_str(&form.params) {
        Ok(params) => params,
        Err(error) => return bad_request(&format!("params is not JSON: {error}")),
    };
    if params["service"] != "report_tinh_766_service" {
        return not_found("no such service");
    }
    // Numbers come as texts or as numbers, and 0 means "not narrowed".
    let field = |name: &str| params[name].as_str().map_or_else(|| params[name].to_string(), str::to_owned);
    let narrowed = |name: &str| field(name).parse::<u32>().ok().filter(|n| *n > 0);
    let Ok(year) = field("p_nam").parse() else {
        return bad_request("p_nam is not a year");
    };
    match whole(year, narrowed("p_quy"), narrowed("p_thang")) {
        Err(why) => bad_request(&why),
        Ok(period) => match figures.report_766(&field("p_tinh_id"), period) {
            Some(rows) => json_answer(StatusCode::OK, &rows),
            None => not_found("p_tinh_id is not the demonstration's province"),
        },
    }
}

/// The query of the statistics page, dates as dd/MM/yyyy.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageQuery {
    tu_ngay: String,
    den_ngay: String,
}

/// `/thong-ke`.
async fn documents_page(State(figures): State<Arc<Figures>>, Query(query): Query<PageQuery>) -> Response {
    let date = |text: &str| NaiveDate::parse_from_str(text, "%d/%m/%Y");
    match (date(&query.tu_ngay), date(&query.den_ngay)) {
        (Ok(from), Ok(to)) => match between(from, to) {
            Ok(period) => answer(StatusCode::OK, "text/html; charset=utf-8", figures.documents_page(period)),
            Err(why) => bad_request(&why),
        },
        _ => bad_request("tuNgay and denNgay are dates like 01/09/2026"),
    }
}

/// Any path of the recorded portal.
async fn recorded_body(State(recorded): State<Arc<Recorded>>, uri: Uri, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let status = StatusCode::from_u16(recorded.status()).unwrap_or(StatusCode::OK);
    match recorded.matching(uri.path(), &asked) {
        Some(capture) => answer(status, recorded.content_type(), capture.bytes.clone()),
        None => json_answer(StatusCode::NOT_FOUND, &json!({ "code": "NOT_RECORDED", "data": null, "message": "not recorded" })),
    }
}

fn not_found(message: &str) -> Response {
    json_answer(StatusCode::NOT_FOUND, &json!({ "code": "NOT_FOUND", "data": null, "message": message }))
}

fn bad_request(message: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, &json!({ "code": "BAD_REQUEST", "data": null, "message": message }))
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    answer(status, JSON, body.to_string())
}

fn answer(status: StatusCode, content_type: &str, body: impl Into<axum::body::Body>) -> Response {
    (status, [(header::CONTENT_TYPE, content_type.to_owned())], body.into()).into_response()
}
