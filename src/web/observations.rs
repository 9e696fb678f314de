//! `GET /api/v1/observations`: trusted values as they were known at a moment, page by page.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::parameters::{self, Parameters};
use super::refusal::Refusal;
use crate::model::{Exact, Period, RunId, Sha256, Ts};
use crate::serve::Service;
use crate::serve::service::Operation;
use crate::store::{PageQuery, Position, Sourced};

/// Observations of a page, if `limit` does not say.
pub const PAGE_DEFAULT: i64 = 500;
/// Observations of a page at most.
pub const PAGE_MOST: i64 = 5000;

const KEYS: [&str; 8] = ["indicator", "unit", "collector", "item", "period", "as_of", "limit", "after"];

/// One page.
#[derive(Serialize)]
struct Page {
    as_of: Ts,
    observations: Vec<Row>,
    /// Give it as `after` with the same parameters; `None` after the last page.
    next: Option<String>,
}

#[derive(Serialize)]
struct Row {
    indicator: String,
    unit: String,
    item: String,
    collector: String,
    period: Period,
    /// `None` when the source says that it has none.
    value: Option<Exact>,
    missing: bool,
    flag: String,
    recorded_at: Ts,
    last_checked: Ts,
    run: RunId,
    request: i32,
    evidence: Option<Sha256>,
}

impl From<Sourced> for Row {
    fn from(Sourced { observation: seen, evidence, position: _ }: Sourced) -> Row {
        let value = seen.value.number();
        Row {
            indicator: seen.indicator,
            unit: seen.unit,
            item: seen.item,
            collector: seen.collector,
            period: seen.period,
            value,
            missing: value.is_none(),
            flag: seen.flag,
            recorded_at: seen.recorded_at,
            last_checked: seen.last_checked,
            run: seen.run,
            request: seen.request,
            evidence,
        }
    }
}

/// A page of observations. What is known at its moment is settled first, so that the same question gives the same for ever.
pub(super) async fn observations(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let parameters = Parameters::of(query.as_deref(), &KEYS)?;
    let limit = parameters.number("limit", PAGE_DEFAULT, PAGE_MOST)?;
    let mut query = asked(&parameters, Ts::now())?;
    match service.stored(Operation::Write, service.db.settle(query.as_of)).await {
        // A database that cannot be written, read-only or full, takes no record either.
        Err(error) if error.is_unwritable() => {}
        settled => settled?,
    }
    let fingerprint = fingerprint(&query);
    query.limit = limit + 1;
    let mut rows = service.stored(Operation::Read, service.db.observations_page(&query)).await?;
    let has_more = i64::try_from(rows.len()).is_ok_and(|n| n > limit);
    if has_more {
        rows.pop();
    }
    let next = rows.last().filter(|_| has_more).map(|row| Cursor { as_of: query.as_of, position: row.position, fingerprint }.to_string());
    Ok(Json(Page { as_of: query.as_of, observations: rows.into_iter().map(Row::from).collect(), next }).into_response())
}

fn asked(parameters: &Parameters, now: Ts) -> Result<PageQuery, Refusal> {
    let text = |key: &str| parameters.get(key).map(str::to_owned);
    let after = parameters.get("after").map(Cursor::parse).transpose()?;
    let named = parameters.get("as_of").map(|text| parameters::as_of(text, now)).transpose()?;
    let query = PageQuery {
        indicator: text("indicator"),
        unit: text("unit"),
        item: text("item"),
        collector: text("collector"),
        period: parameters.get("period").map(parameters::period).transpose()?,
        as_of: named.or(after.as_ref().map(|cursor| cursor.as_of)).unwrap_or(now).min(now),
        after: after.as_ref().map(|cursor| cursor.position),
        limit: 0,
    };
    match after {
        Some(cursor) if cursor.as_of != query.as_of || cursor.fingerprint != fingerprint(&query) => Err(Refusal::bad(
            "after thuộc về một câu hỏi khác: giữ nguyên các tham số của trang trước.",
            "after belongs to another question: keep the parameters of the page before.",
        )),
        Some(_) | None => Ok(query),
    }
}

/// Which values a cursor goes through.
fn fingerprint(query: &PageQuery) -> String {
    let parts = [&query.indicator, &query.unit, &query.item, &query.collector];
    let text = format!("{parts:?} {:?}", query.period);
    Sha256::of(text.as_bytes()).hex()[..8].to_owned()
}

/// Where the next page begins, opaque to callers: what is known when, behind which series and period, of which question.
struct Cursor {
    as_of: Ts,
    position: Position,
    fingerprint: String,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Position { series, period } = self.position;
        write!(f, "{}.{}.{series}.{period}", self.fingerprint, self.as_of.micros())
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Cursor, Refusal> {
        let parts: Vec<&str> = text.split('.').collect();
        let read = || match parts.as_slice() {
            [fingerprint, micros, series, period] => Some(Cursor {
                as_of: Ts::from_micros(micros.parse().ok()?)?,
                position: Position { series: series.parse().ok()?, period: period.parse().ok()? },
                fingerprint: (*fingerprint).to_owned(),
            }),
            _ => None,
        };
        read().ok_or_else(|| {
            Refusal::bad(
                format!("after={text:?} không phải con trỏ: lấy next của trang trước."),
                format!("after={text:?} is no cursor: take next of the page before."),
            )
        })
    }
}
