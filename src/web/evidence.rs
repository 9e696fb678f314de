//! `/evidence/{sha256}`: the bytes of one answer, as they were received; nothing in them can run here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::parameters;
use super::refusal::Refusal;
use crate::collect::archive::ArchiveError;
use crate::model::Sha256;
use crate::serve::Service;

/// The bytes of one answer, checked against their address.
pub(super) async fn evidence(State(service): State<Arc<Service>>, Path(sha256): Path<String>) -> Result<Response, Refusal> {
    let sha256 = parameters::sha256(&sha256)?;
    let (archive, asked) = (service.archive.clone(), sha256.clone());
    let read = tokio::task::spawn_blocking(move || archive.get(&asked)).await;
    let body = read.map_err(|_| Refusal::internal())?.map_err(refusal)?;
    Ok(inert(&sha256, body))
}

/// Text as plain text, whatever the source called it; anything else is for saving.
fn inert(sha256: &Sha256, body: Vec<u8>) -> Response {
    let is_text = std::str::from_utf8(&body).is_ok_and(|text| !text.contains('\0'));
    let (content_type, disposition) = match is_text {
        true => ("text/plain; charset=utf-8", "inline".to_owned()),
        false => ("application/octet-stream", format!("attachment; filename=\"{sha256}\"")),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; frame-ancestors 'none'".to_owned()),
        (header::ETAG, format!("\"{sha256}\"")),
    ];
    (headers, body).into_response()
}

fn refusal(error: ArchiveError) -> Refusal {
    match &error {
        ArchiveError::Io { sha256, source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Refusal::not_found(format!("Kho lưu không có minh chứng {sha256}."), format!("The archive has no evidence {sha256}."))
        }
        ArchiveError::Io { sha256, .. } => {
            tracing::error!(%error, evidence.sha256 = %sha256, "evidence {sha256} could not be read");
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("Không đọc được minh chứng {sha256}: xem nhật ký của dịch vụ."),
                format!("The evidence {sha256} could not be read: see the log of the service."),
            )
        }
        ArchiveError::Begin { .. } => {
            tracing::error!(%error, "the archive could not be read");
            let vi = "Không đọc được kho lưu minh chứng: xem nhật ký của dịch vụ.".to_owned();
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, vi, "The archive could not be read: see the log of the service.".to_owned())
        }
        ArchiveError::Changed { sha256, .. } => {
            tracing::error!(%error, evidence.sha256 = %sha256, "evidence {sha256} was changed");
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("Minh chứng {sha256} đã bị thay đổi nên không được hiển thị: chạy thuocdo verify."),
                format!("The evidence {sha256} was changed and is not shown: run thuocdo verify."),
            )
        }
    }
}
