//! `/sources/{id}`: one source, its last attempts, and what it missed.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::frame::{Frame, View, html, segment};
use super::moment::{Moment, took};
use super::refusal::Refusal;
use super::source_card::Card;
use super::words;
use crate::model::Missed;
use crate::serve::service::Operation;
use crate::serve::sources::sources;
use crate::store::AttemptRow;

/// Attempts and missed stretches that are shown.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "source.html")]
struct Page<'a> {
    frame: &'a Frame,
    card: Card,
    attempts: Vec<AttemptLine>,
    missed: Vec<MissedLine>,
    shown: i64,
}

/// An attempt as a row of a table; the page of a run has the same rows.
pub(super) struct AttemptLine {
    pub href: String,
    pub due: Moment,
    pub attempt: i32,
    pub word: &'static str,
    pub look: &'static str,
    /// What the reason means, "" for none.
    pub reason: String,
    pub error: String,
    pub drift: bool,
    pub new: usize,
    pub restated: usize,
    pub unchanged: usize,
    pub quarantined: usize,
    pub took: String,
    pub trigger: &'static str,
}

impl AttemptLine {
    pub fn of(row: &AttemptRow, frame: &Frame) -> AttemptLine {
        let word = words::run_state(row.state);
        AttemptLine {
            href: frame.to(&format!("/runs/{}", segment(&row.run.to_string()))),
            due: frame.moment(row.run.due_at),
            attempt: row.attempt,
            word: word.in_(&frame.lang),
            look: word.look,
            reason: row.reason.map(|reason| words::sentence(reason, frame.lang)).unwrap_or_default(),
            error: row.error.clone(),
            drift: row.drift,
            new: row.recorded.observations_new,
            restated: row.recorded.observations_restated,
            unchanged: row.recorded.observations_unchanged,
            quarantined: row.recorded.quarantined,
            took: took(row.ended_at.micros() - row.started_at.micros(), frame.lang),
            trigger: words::trigger(row.trigger).in_(&frame.lang),
        }
    }
}

struct MissedLine {
    first: Moment,
    last: Moment,
    n: i64,
    why: &'static str,
}

impl MissedLine {
    fn of(missed: &Missed, frame: &Frame) -> MissedLine {
        let why = words::missed(missed.why).in_(&frame.lang);
        MissedLine { first: frame.moment(missed.first_due), last: frame.moment(missed.last_due), n: missed.n, why }
    }
}

/// One source.
pub(super) async fn source(view: View, Path(id): Path<String>) -> Result<Response, Refusal> {
    let View { service, live, frame } = &view;
    let known = sources(service, live, frame.now).await?;
    let Some(source) = known.iter().find(|source| source.id == id) else {
        return Err(Refusal::not_found(
            format!("Không có nguồn {id:?}; danh sách nguồn ở trang đầu."),
            format!("There is no source {id:?}; the first page lists them."),
        ));
    };
    let attempts = service.stored(Operation::Read, service.db.attempts(&id, SHOWN)).await?;
    let missed = service.stored(Operation::Read, service.db.missed(&id, SHOWN)).await?;
    html(&Page {
        card: Card::of(source, frame),
        attempts: attempts.iter().map(|row| AttemptLine::of(row, frame)).collect(),
        missed: missed.iter().map(|missed| MissedLine::of(missed, frame)).collect(),
        shown: SHOWN,
        frame,
    })
}
