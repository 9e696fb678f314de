//! `/scores/{set}/{period}`: who stands where, by unit group.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::frame::{Frame, View, html, segment};
use super::moment::Moment;
use super::parameters;
use super::refusal::Refusal;
use super::scores::{load, newest_as_of};
use super::words;
use crate::collect::run::aside;
use crate::model::{Exact, Ts, UnitGroup};
use crate::score::criteria::CriteriaSet;
use crate::score::explain::Words;
use crate::score::{Cohort, LineState, Points, ScoreRun, Sheet};

#[derive(Template)]
#[template(path = "ranking.html")]
struct Page<'a> {
    frame: &'a Frame,
    head: Head,
    nothing_known: bool,
    cohorts: Vec<CohortTable>,
    mean: String,
    has_published: bool,
}

/// What the pages of a scoring say above everything else.
pub(super) struct Head {
    pub set: String,
    pub title: String,
    pub cite: String,
    pub status: &'static str,
    pub period: String,
    pub as_of: Moment,
    /// The same page as known now.
    pub now_href: String,
    pub ranking_href: String,
    pub json_href: String,
    pub provisional: bool,
    pub max: String,
    pub criteria_sha256: String,
}

impl Head {
    /// Of a scoring; `path` is the page's own, without its query.
    pub fn of(run: &ScoreRun<'_>, frame: &Frame, path: &str, unit: Option<&str>) -> Head {
        let words = Words(frame.lang);
        let json = format!("/api/v1/scores?set={}&period={}&as_of={}", segment(run.set), run.period, run.as_of);
        Head {
            set: run.set.to_owned(),
            title: frame.t(&run.title.vi, &run.title.en).to_owned(),
            cite: run.cite.to_owned(),
            status: words.status(run.status),
            period: run.period.to_string(),
            as_of: frame.moment(run.as_of),
            now_href: frame.to(&format!("{path}?as_of={}", frame.now)),
            ranking_href: frame.to(&format!("/scores/{}/{}?as_of={}", segment(run.set), run.period, run.as_of)),
            json_href: unit.map_or(json.clone(), |unit| format!("{json}&unit={}", segment(unit))),
            provisional: run.provisional,
            max: words.number(run.max),
            criteria_sha256: run.criteria_sha256.to_string(),
        }
    }
}

/// The sheets that were compared with each other.
struct CohortTable {
    title: &'static str,
    /// How many have a place.
    ranked: String,
    groups: Vec<GroupHead>,
    /// Whether any has a class, or lines that are not applicable; a column of nothing is left out.
    has_class: bool,
    has_not_applicable: bool,
    rows: Vec<Row>,
}

/// A column of a group of criteria.
struct GroupHead {
    id: String,
    title: String,
    max: String,
}

struct Row {
    place: String,
    href: String,
    unit: String,
    name: String,
    total: String,
    class: String,
    not_applicable: String,
    /// Points and whether some are the source's own; "" where the group does not apply.
    groups: Vec<(String, bool)>,
}

/// The moment a page of scores is asked for.
///
/// # Errors
/// It is none or lies in the future; the database does not answer.
pub(super) async fn asked_as_of(view: &View, set: &CriteriaSet, period: crate::model::Period) -> Result<Ts, Refusal> {
    match view.frame.asked("as_of") {
        Some(text) => parameters::as_of(text, view.frame.now),
        None => newest_as_of(&view.service, set, period).await,
    }
}

/// The ranking.
pub(super) async fn ranking(view: View, Path((set, period)): Path<(String, String)>) -> Result<Response, Refusal> {
    let frame = &view.frame;
    let (set, period) = (parameters::set(&view.live, &set)?, parameters::period(&period)?);
    let as_of = asked_as_of(&view, set, period).await?;
    let scoring = load(&view.service, &view.live, set, period, as_of).await?;
    let run = aside(|| scoring.score())?;
    let path = format!("/scores/{}/{period}", segment(&set.id));
    html(&Page {
        head: Head::of(&run, frame, &path, None),
        nothing_known: scoring.observations.is_empty(),
        cohorts: run.cohorts.iter().map(|cohort| table(&run, cohort, frame, &path)).collect(),
        mean: mean(&run, frame),
        has_published: run.sheets.iter().any(|sheet| sheet.published),
        frame,
    })
}

fn table(run: &ScoreRun<'_>, cohort: &Cohort<'_>, frame: &Frame, path: &str) -> CohortTable {
    let words = Words(frame.lang);
    let mut sheets: Vec<&Sheet<'_>> = run.sheets.iter().filter(|sheet| sheet.unit_group == cohort.unit_group).collect();
    // By the worst place, so that those of whom little is known come last.
    sheets.sort_by_key(|sheet| (sheet.rank_between.map_or((u32::MAX, u32::MAX), |(best, worst)| (worst, best)), sheet.unit));
    let widest = sheets.iter().max_by_key(|sheet| sheet.groups.len());
    let heads: Vec<GroupHead> = widest
        .map(|sheet| sheet.groups.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|group| GroupHead {
            id: group.group.to_owned(),
            title: group.title.map_or(group.group, |title| frame.t(&title.vi, &title.en)).to_owned(),
            max: words.number(group.max),
        })
        .collect();
    let row = |sheet: &&Sheet<'_>| Row {
        place: place(sheet.rank, sheet.rank_between),
        href: frame.to(&format!("{path}/{}?as_of={}", segment(sheet.unit), run.as_of)),
        unit: sheet.unit.to_owned(),
        name: sheet.name.to_owned(),
        total: points(&words, sheet.total),
        class: sheet.class.unwrap_or_default().to_owned(),
        not_applicable: not_applicable(&words, sheet),
        groups: heads.iter().map(|head| group(&words, sheet, &head.id)).collect(),
    };
    let rows: Vec<Row> = sheets.iter().map(row).collect();
    CohortTable {
        title: words::unit_group(cohort.unit_group).in_(&frame.lang),
        ranked: ranked(cohort, frame),
        has_class: rows.iter().any(|row| !row.class.is_empty()),
        has_not_applicable: rows.iter().any(|row| !row.not_applicable.is_empty()),
        rows,
        groups: heads,
    }
}

fn ranked(cohort: &Cohort<'_>, frame: &Frame) -> String {
    match frame.lang {
        crate::score::explain::Lang::Vi => format!("{} trên {} đơn vị có thứ hạng chắc chắn", cohort.ranked, cohort.size),
        crate::score::explain::Lang::En => format!("{} of {} have a certain place", cohort.ranked, cohort.size),
    }
}

fn group(words: &Words, sheet: &Sheet<'_>, id: &str) -> (String, bool) {
    let group = sheet.groups.iter().find(|group| group.group == id);
    group.map_or_else(|| (String::new(), false), |group| (points(words, group.points), group.lines.iter().any(|line| line.published)))
}

/// Points with two decimals, or what they lie between.
pub(super) fn points(words: &Words, points: Points) -> String {
    match points {
        Points::Known(points) => words.point(points),
        Points::Between(least, most) => format!("{} – {}", words.point(least), words.point(most)),
    }
}

/// The place, or the best and the worst it can be; "" when the set gives no places.
pub(super) fn place(rank: Option<u32>, between: Option<(u32, u32)>) -> String {
    match (rank, between) {
        (Some(rank), _) => rank.to_string(),
        (None, Some((best, worst))) => format!("{best}–{worst}"),
        (None, None) => String::new(),
    }
}

/// The greatest points of the lines that are not applicable, so that a low total can be understood; "" for none.
fn not_applicable(words: &Words, sheet: &Sheet<'_>) -> String {
    let lines = sheet.groups.iter().flat_map(|group| &group.lines).filter(|line| line.state == LineState::NotApplicable);
    match Exact::sum(lines.map(|line| line.max)) {
        Ok(sum) if !sum.is_zero() => words.number(sum),
        Ok(_) | Err(_) => String::new(),
    }
}

/// The mean of more than one body, "" for none.
fn mean(run: &ScoreRun<'_>, frame: &Frame) -> String {
    let Some(mean) = run.mean.as_ref().filter(|mean| mean.units > 1) else { return String::new() };
    let Some(total) = mean.total else { return String::new() };
    let total = Words(frame.lang).point(total);
    let group = group_word(mean.unit_group, frame);
    match frame.lang {
        crate::score::explain::Lang::Vi => format!("Trung bình của {} đơn vị ({group}): {total}", mean.units),
        crate::score::explain::Lang::En => format!("Mean of {} units ({group}): {total}", mean.units),
    }
}

fn group_word(group: UnitGroup, frame: &Frame) -> &'static str {
    words::unit_group(group).in_(&frame.lang)
}
