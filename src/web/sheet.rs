//! `/scores/{set}/{period}/{unit}`: one sheet, every line down to the runs and bytes its figures came from.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::frame::{Frame, View, html, segment};
use super::moment::Moment;
use super::parameters;
use super::ranking::{Head, asked_as_of, place, points};
use super::refusal::Refusal;
use super::run::indicator_title;
use super::score_api::no_sheet;
use super::scores::load;
use super::words;
use crate::collect::run::aside;
use crate::model::{RunId, Sha256, Ts};
use crate::score::explain::Words;
use crate::score::{ControlFigure, GroupScore, Line, LineInput, Sheet, Source};
use crate::scoring::Scoring;
use crate::serve::service::Operation;
use crate::store::PageQuery;

#[derive(Template)]
#[template(path = "sheet.html")]
struct Page<'a> {
    frame: &'a Frame,
    head: Head,
    name: String,
    unit: String,
    unit_group: &'static str,
    total: String,
    place: String,
    class: String,
    complete: bool,
    groups: Vec<Group>,
}

struct Group {
    title: String,
    points: String,
    max: String,
    place: String,
    controls: Vec<Figure>,
    lines: Vec<LineCard>,
}

struct LineCard {
    criterion: String,
    title: String,
    points: String,
    state: &'static str,
    look: &'static str,
    formula: String,
    basis: String,
    inputs: Vec<InputCard>,
    controls: Vec<Figure>,
}

/// An input and what each source says of it.
struct InputCard {
    role: &'static str,
    title: String,
    indicator: String,
    item: String,
    sources: Vec<Figure>,
}

/// A figure with the run, request and bytes it came from.
struct Figure {
    text: String,
    flag: String,
    counts: bool,
    run_href: String,
    run: String,
    request: i32,
    known_since: Moment,
    evidence_href: Option<String>,
}

/// The answers of requests, by run and number.
type Answers = BTreeMap<(RunId, i32), Sha256>;

/// More values than any sheet has.
const MOST_VALUES: i64 = 20_000;

/// One sheet.
pub(super) async fn sheet(view: View, Path((set, period, unit)): Path<(String, String, String)>) -> Result<Response, Refusal> {
    let frame = &view.frame;
    let (set, period) = (parameters::set(&view.live, &set)?, parameters::period(&period)?);
    let as_of = asked_as_of(&view, set, period).await?;
    let scoring = load(&view.service, &view.live, set, period, as_of).await?;
    let run = aside(|| scoring.score())?;
    let Some(sheet) = run.sheets.iter().find(|sheet| sheet.unit == unit) else {
        return Err(no_sheet(&unit, &set.id, &period.to_string()));
    };
    let answers = answers(&view, &scoring, &unit).await?;
    let shown = Shown { view: &view, answers, words: Words(frame.lang) };
    let path = format!("/scores/{}/{period}/{}", segment(&set.id), segment(&unit));
    html(&Page {
        head: Head::of(&run, frame, &path, Some(&unit)),
        name: sheet.name.to_owned(),
        unit: sheet.unit.to_owned(),
        unit_group: words::unit_group(sheet.unit_group).in_(&frame.lang),
        total: points(&shown.words, sheet.total),
        place: place(sheet.rank, sheet.rank_between),
        class: sheet.class.unwrap_or_default().to_owned(),
        complete: sheet.complete,
        groups: sheet.groups.iter().map(|group| shown.group(sheet, group)).collect(),
        frame,
    })
}

/// Which bytes the values of the unit came from.
async fn answers(view: &View, scoring: &Scoring<'_>, unit: &str) -> Result<Answers, Refusal> {
    let query = PageQuery {
        indicator: None,
        unit: Some(unit.to_owned()),
        item: None,
        collector: None,
        period: Some(scoring.period),
        as_of: scoring.as_of,
        after: None,
        limit: MOST_VALUES,
    };
    let seen = view.service.stored(Operation::Read, view.service.db.observations_page(&query)).await?;
    let answer = |seen: crate::store::Sourced| Some(((seen.observation.run, seen.observation.request), seen.evidence?));
    Ok(seen.into_iter().filter_map(answer).collect())
}

/// What the parts of a sheet are shown with.
struct Shown<'v> {
    view: &'v View,
    answers: Answers,
    words: Words,
}

impl Shown<'_> {
    fn group(&self, sheet: &Sheet<'_>, group: &GroupScore<'_>) -> Group {
        let frame = &self.view.frame;
        Group {
            title: group.title.map_or(group.group, |title| frame.t(&title.vi, &title.en)).to_owned(),
            points: points(&self.words, group.points),
            max: self.words.number(group.max),
            place: if sheet.rank_between.is_some() { place(group.rank, group.rank_between) } else { String::new() },
            controls: group.controls.iter().map(|control| self.control(control)).collect(),
            lines: group.lines.iter().map(|line| self.line(line)).collect(),
        }
    }

    fn line(&self, line: &Line<'_>) -> LineCard {
        let frame = &self.view.frame;
        LineCard {
            criterion: line.criterion.to_owned(),
            title: frame.t(&line.title.vi, &line.title.en).to_owned(),
            points: self.words.points(line),
            state: self.words.state(line.state),
            look: words::line_look(line.state),
            formula: self.words.formula(line),
            basis: self.words.basis(line),
            inputs: line.inputs.iter().map(|input| self.input(input)).collect(),
            controls: line.controls.iter().map(|control| self.control(control)).collect(),
        }
    }

    fn input(&self, input: &LineInput<'_>) -> InputCard {
        InputCard {
            role: self.words.role(input.role),
            title: indicator_title(&self.view.live, &self.view.frame, input.indicator),
            indicator: input.indicator.to_owned(),
            item: input.item.to_owned(),
            sources: input.sources.iter().map(|source| self.source(source)).collect(),
        }
    }

    fn source(&self, source: &Source<'_>) -> Figure {
        let figure = self.figure(self.words.stated(source.value), source.run, source.request, source.recorded_at);
        Figure { flag: source.flag.to_owned(), counts: source.counts, ..figure }
    }

    fn control(&self, control: &ControlFigure<'_>) -> Figure {
        let text = self.words.control(control.value, control.agrees, control.collector);
        self.figure(text, control.run, control.request, control.recorded_at)
    }

    fn figure(&self, text: String, run: &RunId, request: i32, recorded_at: Ts) -> Figure {
        let frame = &self.view.frame;
        let answer = self.answers.get(&(run.clone(), request));
        let run = run.to_string();
        Figure {
            text,
            flag: String::new(),
            counts: true,
            run_href: frame.to(&format!("/runs/{}#request-{request}", segment(&run))),
            run,
            request,
            known_since: frame.moment(recorded_at),
            evidence_href: answer.map(|sha256| frame.to(&format!("/evidence/{sha256}"))),
        }
    }
}
