//! `/runs/{run}`: one run with its attempts, requests, findings, gates and values.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::frame::{Frame, View, html, segment};
use super::moment::{Moment, took};
use super::refusal::Refusal;
use super::source::AttemptLine;
use super::words;
use crate::model::{Exact, Reading, Request, RunId};
use crate::score::explain::Words;
use crate::serve::Live;
use crate::serve::service::Operation;
use crate::store::{RunRow, Sourced, StoreError};

/// Values of a run that are shown; the API gives them all.
const SHOWN: i64 = 500;

#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    frame: &'a Frame,
    run: String,
    source: (String, String),
    due: Moment,
    word: &'static str,
    look: &'static str,
    spec: String,
    attempts: Vec<AttemptLine>,
    requests: Vec<RequestCard>,
    values: Vec<ValueLine>,
    /// Values that are not shown.
    rest: i64,
    apart: Vec<ValueLine>,
}

/// A request and what was found in its answer.
struct RequestCard {
    no: i32,
    method: String,
    url: String,
    body: String,
    at: Moment,
    took: String,
    status: Option<i32>,
    content_type: String,
    size_bytes: i64,
    period: String,
    unit: String,
    word: &'static str,
    look: &'static str,
    reason: String,
    error: String,
    evidence: Option<(String, String)>,
    findings: Vec<FindingLine>,
    gates: Vec<GateLine>,
}

struct FindingLine {
    word: &'static str,
    look: &'static str,
    reason: String,
    place: String,
    text: String,
}

struct GateLine {
    word: &'static str,
    look: &'static str,
    gate: String,
    detail: String,
}

/// A value: trusted, or kept apart with the place and text it was read from.
struct ValueLine {
    request: i32,
    indicator: String,
    title: String,
    unit: String,
    name: String,
    item: String,
    period: String,
    value: String,
    flag: String,
    place: String,
    text: String,
}

/// What the database knows of a run.
struct Known {
    row: RunRow,
    attempts: Vec<AttemptLine>,
    requests: Vec<RequestCard>,
    values: Vec<Sourced>,
    n_values: i64,
    apart: Vec<(i32, Reading)>,
}

/// One run.
pub(super) async fn run(view: View, Path(text): Path<String>) -> Result<Response, Refusal> {
    let View { service, live, frame } = &view;
    let run: RunId = text.parse().map_err(|error: String| {
        Refusal::bad(format!("{text:?} không phải lượt thu: viết BỘ_THU@THỜI_ĐIỂM, như npsp-progress@2026-09-26T06:30:00Z."), error)
    })?;
    let Some(known) = service.stored(Operation::Read, load(&view, &run)).await? else {
        return Err(Refusal::not_found(format!("Không có lượt thu {run}."), format!("There is no run {run}.")));
    };
    let (word, words) = (words::run_state(known.row.state), Words(frame.lang));
    let value = |value: Option<Exact>| words.stated(value);
    html(&Page {
        source: (frame.to(&format!("/sources/{}", segment(&run.collector))), source_title(live, frame, &run.collector)),
        due: frame.moment(run.due_at),
        word: word.in_(&frame.lang),
        look: word.look,
        spec: known.row.spec.to_string(),
        attempts: known.attempts,
        requests: known.requests,
        rest: known.n_values - i64::try_from(known.values.len()).unwrap_or(known.n_values),
        values: known.values.iter().map(|seen| trusted(seen, live, frame, value(seen.observation.value.number()))).collect(),
        apart: known.apart.iter().map(|(no, reading)| apart(*no, reading, live, frame, value(reading.value.number()))).collect(),
        run: run.to_string(),
        frame,
    })
}

async fn load(view: &View, run: &RunId) -> Result<Option<Known>, StoreError> {
    let (db, frame) = (&view.service.db, &view.frame);
    let Some(row) = db.run(run).await? else { return Ok(None) };
    let attempts = db.attempts_at(run).await?;
    let mut requests: Vec<RequestCard> = db.requests(run).await?.into_iter().map(|request| RequestCard::of(request, view)).collect();
    let card = |requests: &mut Vec<RequestCard>, no: i32| requests.iter().position(|card| card.no == no);
    for (no, finding) in db.findings(run).await? {
        let Some(at) = card(&mut requests, no) else { continue };
        let word = words::severity(finding.severity);
        requests[at].findings.push(FindingLine {
            word: word.in_(&frame.lang),
            look: word.look,
            reason: words::sentence(finding.reason, frame.lang),
            place: finding.place,
            text: finding.text,
        });
    }
    for (no, result) in db.gate_results(run).await? {
        let Some(at) = card(&mut requests, no) else { continue };
        let word = words::gate(result.outcome);
        requests[at].gates.push(GateLine { word: word.in_(&frame.lang), look: word.look, gate: result.gate, detail: result.detail });
    }
    let values = db.observations_of(run, SHOWN + 1).await?;
    let n_values = i64::try_from(values.len()).unwrap_or(SHOWN);
    let n_values = if n_values > SHOWN { db.count_observations_of(run).await? } else { n_values };
    Ok(Some(Known {
        row,
        attempts: attempts.iter().map(|attempt| AttemptLine::of(attempt, frame)).collect(),
        requests,
        values: values.into_iter().take(usize::try_from(SHOWN).unwrap_or(usize::MAX)).collect(),
        n_values,
        apart: db.quarantined(run).await?,
    }))
}

impl RequestCard {
    fn of(request: Request, view: &View) -> RequestCard {
        let (frame, word) = (&view.frame, words::outcome(request.outcome));
        let unit = request.scope.unit.map(|id| unit_name(&view.live, &id)).unwrap_or_default();
        RequestCard {
            no: request.no,
            method: request.method,
            url: request.url,
            body: request.body,
            at: frame.moment(request.at),
            took: took(request.elapsed_micros, frame.lang),
            status: request.status,
            content_type: request.content_type,
            size_bytes: request.size_bytes,
            period: request.scope.period.map(|period| period.to_string()).unwrap_or_default(),
            unit,
            word: word.in_(&frame.lang),
            look: word.look,
            reason: request.reason.map(|reason| words::sentence(reason, frame.lang)).unwrap_or_default(),
            error: request.error,
            evidence: request.evidence.map(|sha256| (frame.to(&format!("/evidence/{sha256}")), sha256.to_string())),
            findings: Vec::new(),
            gates: Vec::new(),
        }
    }
}

fn trusted(seen: &Sourced, live: &Live, frame: &Frame, value: String) -> ValueLine {
    let seen = &seen.observation;
    ValueLine {
        request: seen.request,
        title: indicator_title(live, frame, &seen.indicator),
        indicator: seen.indicator.clone(),
        name: unit_name(live, &seen.unit),
        unit: seen.unit.clone(),
        item: seen.item.clone(),
        period: seen.period.to_string(),
        value,
        flag: seen.flag.clone(),
        place: String::new(),
        text: String::new(),
    }
}

fn apart(request: i32, reading: &Reading, live: &Live, frame: &Frame, value: String) -> ValueLine {
    ValueLine {
        request,
        title: indicator_title(live, frame, &reading.indicator),
        indicator: reading.indicator.clone(),
        name: unit_name(live, &reading.unit),
        unit: reading.unit.clone(),
        item: reading.item.clone(),
        period: reading.period.to_string(),
        value,
        flag: reading.flag.clone(),
        place: reading.place.clone(),
        text: reading.text.clone(),
    }
}

/// The name of a unit, or its id if the registry does not list it (any more).
pub(super) fn unit_name(live: &Live, id: &str) -> String {
    live.catalogue.registry.unit(id).map_or_else(|| id.to_owned(), |unit| unit.name.clone())
}

/// The name of an indicator, or its id.
pub(super) fn indicator_title(live: &Live, frame: &Frame, id: &str) -> String {
    let indicator = live.catalogue.registry.indicator(id);
    indicator.map_or_else(|| id.to_owned(), |indicator| frame.t(&indicator.title_vi, &indicator.title_en).to_owned())
}

fn source_title(live: &Live, frame: &Frame, id: &str) -> String {
    let loaded = live.catalogue.collectors.get(id);
    loaded.map_or_else(|| id.to_owned(), |loaded| frame.t(&loaded.collector.title.vi, &loaded.collector.title.en).to_owned())
}
