//! `Refusal`: why a request gets no answer, in both languages; shown as a page or as `application/problem+json`.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::frame::Frame;
use crate::collect::run::chain;
use crate::score::ScoreError;
use crate::score::explain::Lang;
use crate::store::StoreError;

/// Why a request gets no answer. It says nothing of our inside: that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    vi: String,
    en: String,
}

impl Refusal {
    pub fn new(status: StatusCode, vi: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal { status, vi: vi.into(), en: en.into() }
    }

    /// What was asked for cannot be understood; the texts say what to write.
    pub fn bad(vi: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, vi, en)
    }

    /// There is no such thing.
    pub fn not_found(vi: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, vi, en)
    }

    /// Our own fault.
    pub fn internal() -> Refusal {
        Refusal::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is left to say when only the status is known.
    pub fn of_status(status: StatusCode) -> Refusal {
        let (vi, en) = match status {
            StatusCode::NOT_FOUND => ("Không có trang này.", "There is no such page."),
            StatusCode::METHOD_NOT_ALLOWED => ("Địa chỉ này không nhận phương thức đó.", "This address does not take that method."),
            StatusCode::GATEWAY_TIMEOUT => (
                "Câu trả lời lâu hơn thời hạn; xin thử lại sau ít phút.",
                "The answer took longer than is allowed; try again in a few minutes.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("Yêu cầu quá lớn.", "The request is too large."),
            StatusCode::SERVICE_UNAVAILABLE => ("Dịch vụ tạm thời không trả lời được.", "The service cannot answer now."),
            _ if status.is_client_error() => ("Không hiểu được yêu cầu.", "The request cannot be understood."),
            _ => ("Lỗi của chương trình; xem nhật ký của dịch vụ.", "A fault of the program; see the log of the service."),
        };
        Refusal::new(status, vi, en)
    }

    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }

    /// RFC 9457.
    pub fn problem(&self) -> Response {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: &'static str,
            title: &'a str,
            status: u16,
            detail: &'a str,
        }
        let title = self.status.canonical_reason().unwrap_or("Error");
        let problem = Problem { r#type: "about:blank", title, status: self.status.as_u16(), detail: &self.en };
        let body = serde_json::to_string(&problem).expect("texts and a number");
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }

    /// A page that says it.
    pub fn page(&self, frame: &Frame) -> Response {
        #[derive(Template)]
        #[template(path = "error.html")]
        struct Page<'a> {
            frame: &'a Frame,
            status: u16,
            text: &'a str,
        }
        let page = Page { frame, status: self.status.as_u16(), text: self.text(frame.lang) };
        match page.render() {
            Ok(html) => (self.status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page of a refusal could not be written");
                (self.status, self.en.clone()).into_response()
            }
        }
    }
}

impl IntoResponse for Refusal {
    /// The layer around all routes knows whether a page or JSON is wanted, and shows it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        tracing::error!(error = %chain(&error), "a page could not be read from the database");
        match error.passes() {
            true => Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Cơ sở dữ liệu không trả lời; xin thử lại sau ít phút. Người vận hành xem nhật ký của dịch vụ.",
                "The database does not answer; try again in a few minutes. Operators see the log of the service.",
            ),
            false => Refusal::internal(),
        }
    }
}

impl From<anyhow::Error> for Refusal {
    /// Of a scoring.
    fn from(error: anyhow::Error) -> Refusal {
        match error.downcast::<StoreError>() {
            Ok(error) => error.into(),
            Err(error) => match error.downcast_ref::<ScoreError>() {
                Some(ScoreError::NotInForce { set, period }) => Refusal::not_found(
                    format!("Bộ tiêu chí {set} không có hiệu lực trong kỳ {period}: chọn kỳ hoặc bộ tiêu chí khác."),
                    format!("{set} is not in force in {period}: choose another period or another set."),
                ),
                Some(ScoreError::UnitTwice(_) | ScoreError::TooManyDigits { .. }) | None => {
                    tracing::error!(error = %format!("{error:#}"), "a scoring could not be made");
                    Refusal::internal()
                }
            },
        }
    }
}
