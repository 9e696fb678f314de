//! `/scores`: the criteria sets and the periods that can be scored; and what every page of scores needs.

use std::time::Instant;

use askama::Template;
use axum::response::Response;
use chrono_tz::Asia::Ho_Chi_Minh;

use super::frame::{Frame, View, html, segment};
use super::refusal::Refusal;
use crate::model::{Period, PeriodKind, Ts};
use crate::score::criteria::CriteriaSet;
use crate::scoring::Scoring;
use crate::serve::service::Operation;
use crate::serve::{Live, Service};
use crate::store::StoreError;

/// A scoring, with the time of the database counted.
///
/// # Errors
/// The database, or a province that is no unit.
pub(super) async fn load<'a>(
    service: &Service,
    live: &'a Live,
    set: &'a CriteriaSet,
    period: Period,
    as_of: Ts,
) -> Result<Scoring<'a>, Refusal> {
    let started = Instant::now();
    let loaded = Scoring::of(&live.catalogue, set, Some(service.settings.province_unit()), period, as_of, &service.db).await;
    let error = loaded.as_ref().err().and_then(|error| error.downcast_ref::<StoreError>());
    service.note_store(Operation::Read, started.elapsed(), error);
    Ok(loaded?)
}

/// As of when a scoring is shown that names no moment.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn newest_as_of(service: &Service, set: &CriteriaSet, period: Period) -> Result<Ts, Refusal> {
    let newest = service.stored(Operation::Read, service.db.newest_score_run(&set.id, period)).await?;
    Ok(newest.map_or_else(Ts::now, |row| row.as_of))
}

#[derive(Template)]
#[template(path = "scores.html")]
struct Page<'a> {
    frame: &'a Frame,
    sets: Vec<SetCard>,
}

struct SetCard {
    id: String,
    title: String,
    cite: String,
    status: &'static str,
    /// Address and name of each period something is known of.
    periods: Vec<(String, String)>,
}

/// The sets, each with the periods that can be scored.
pub(super) async fn scores(view: View) -> Result<Response, Refusal> {
    let View { service, live, frame } = &view;
    let mut sets = Vec::new();
    for set in live.catalogue.criteria.values() {
        let indicators = set.input_indicators();
        let mut periods = Vec::new();
        for period in open_periods(frame.now).into_iter().filter(|period| set.in_force.touches(*period)) {
            if service.stored(Operation::Read, service.db.has_observations(&indicators, period)).await? {
                periods.push((frame.to(&format!("/scores/{}/{period}", segment(&set.id))), period.to_string()));
            }
        }
        sets.push(SetCard {
            id: set.id.clone(),
            title: frame.t(&set.title.vi, &set.title.en).to_owned(),
            cite: set.cite.clone(),
            status: crate::score::explain::Words(frame.lang).status(set.status),
            periods,
        });
    }
    html(&Page { frame, sets })
}

/// The year, quarter and month that hold the moment in Vietnam, and the ones before.
fn open_periods(now: Ts) -> Vec<Period> {
    let today = now.utc().with_timezone(&Ho_Chi_Minh).date_naive();
    let of = |kind| {
        let current = Period::holding(kind, today);
        [current, current.previous()]
    };
    [PeriodKind::Year, PeriodKind::Quarter, PeriodKind::Month].into_iter().flat_map(of).collect()
}
