//! `GET /api/v1/scores`: one scoring as `docs/score.schema.json` describes it.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::parameters::{self, Parameters};
use super::refusal::Refusal;
use super::scores::{load, newest_as_of};
use crate::collect::run::aside;
use crate::model::{Sha256, Ts};
use crate::serve::Service;

const KEYS: [&str; 4] = ["set", "period", "as_of", "unit"];

/// A scoring, or one sheet of it.
pub(super) async fn scores(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let parameters = Parameters::of(query.as_deref(), &KEYS)?;
    let live = service.live();
    let set = parameters::set(&live, parameters.needed("set", "qd766-2026")?)?;
    let period = parameters::period(parameters.needed("period", "2026")?)?;
    let as_of = match parameters.get("as_of") {
        Some(text) => parameters::as_of(text, Ts::now())?,
        None => newest_as_of(&service, set, period).await?,
    };
    let scoring = load(&service, &live, set, period, as_of).await?;
    let mut run = aside(|| scoring.score())?;
    if let Some(unit) = parameters.get("unit") {
        run.sheets.retain(|sheet| sheet.unit == unit);
        if run.sheets.is_empty() {
            return Err(no_sheet(unit, run.set, &period.to_string()));
        }
    }
    let body = serde_json::to_vec(&run).map_err(|error| {
        tracing::error!(%error, "a scoring could not be written as JSON");
        Refusal::internal()
    })?;
    Ok(tagged(body, &headers))
}

/// A unit that a set does not assess.
pub(super) fn no_sheet(unit: &str, set: &str, period: &str) -> Refusal {
    Refusal::not_found(
        format!("Bộ tiêu chí {set} không chấm đơn vị {unit:?} trong kỳ {period}: dùng mã đơn vị như trong danh mục."),
        format!("{set} does not assess unit {unit:?} in {period}: give the unit's id as in the registry."),
    )
}

/// JSON with the tag of its bytes; without them for those who have them already.
fn tagged(body: Vec<u8>, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", Sha256::of(&body));
    let has_it = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    let has_it = has_it.flat_map(|known| known.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*");
    // A copy may be kept, and is asked for again each time.
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    match has_it {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
    }
}
