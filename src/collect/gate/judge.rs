//! Judging an answer by its collector's gates: pure, every word with the figures it rests on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDateTime};
use rust_decimal::Decimal;

use crate::collect::collector::Collector;
use crate::collect::extract::{Document, Extract, Found, look_up, shape_difference};
use crate::collect::number::{self, Format};
use crate::model::{Exact, GateOutcome, GateResult, Period, Reading, Scope, Unit, Value};

use super::{
    Complete, Covers, Expected, Fresh, Gate, Header, Jump, Monotonic, NotAbove, OnFail, Present, RangeGate, RowCount, Shape, SumsTo, Whole,
};

/// One answer and what is known beside it.
pub struct Case<'a> {
    /// Whose answer.
    pub collector: &'a Collector,
    /// The answer.
    pub document: &'a Document,
    /// What was read from it.
    pub extract: &'a Extract,
    /// What was asked.
    pub scope: &'a Scope,
    /// The units that an answer about this scope should name.
    pub expected: &'a dyn Fn(Expected, Option<Period>) -> Vec<Unit>,
    /// Unit id of the province.
    pub province: &'a str,
    /// What was known before: newest value and number of versions by (indicator, unit, item, period).
    pub past: &'a BTreeMap<(String, String, String, Period), Past>,
    /// Accepted shapes by `[[rows]]` number, from 1.
    pub shapes: &'a BTreeMap<i32, String>,
}

/// What was known of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// The newest value.
    pub value: Value,
    /// How many versions there are.
    pub n_versions: i64,
}

/// What a check found: as it should be, not as it should be, or nothing to judge by.
enum Verdict {
    Good(String),
    Bad(String),
    Unknown(String),
}
use Verdict::{Bad, Good, Unknown};

/// The word of every gate, in the order of the file.
pub fn judge(case: &Case) -> Vec<GateResult> {
    case.collector.gate.iter().map(|gate| judge_one(gate.get_ref(), case)).collect()
}

fn judge_one(gate: &Gate, case: &Case) -> GateResult {
    let (name, on_fail, verdict) = match gate {
        Gate::Covers(covers) => (format!("covers {}", expected_label(covers.units)), covers.on_fail, covers_units(covers, case)),
        Gate::Present(present) => (format!("present {}", present.indicator.get_ref()), present.on_fail, is_present(present, case)),
        Gate::Rows(rows) => ("rows".to_owned(), rows.get_ref().on_fail, row_count(rows.get_ref(), case)),
        Gate::Complete(complete) => (format!("complete {}", complete.total.get_ref()), complete.on_fail, is_complete(complete, case)),
        Gate::SumsTo(sums) => (format!("sums_to {}", sums.parts.get_ref()), sums.on_fail, sums_to(sums, case)),
        Gate::NotAbove(pair) => (format!("not_above {}", pair.part.get_ref()), pair.on_fail, not_above(pair, case)),
        Gate::Range(range) => {
            let range = range.get_ref();
            (format!("range {}", range.indicator.get_ref()), range.on_fail, in_range(range, case))
        }
        Gate::Jump(jump) => (format!("jump {}", jump.indicator.get_ref()), jump.on_fail, no_jump(jump, case)),
        Gate::Monotonic(monotonic) => (format!("monotonic {}", monotonic.indicator.get_ref()), monotonic.on_fail, no_fall(monotonic, case)),
        Gate::Header(header) => ("header".to_owned(), header.on_fail, headings(header, case)),
        Gate::Shape(shape) => ("shape".to_owned(), shape.on_fail, same_shape(shape, case)),
        Gate::Fresh(fresh) => (format!("fresh {}", fresh.value.get_ref()), fresh.on_fail, is_fresh(fresh, case)),
    };
    let (outcome, detail) = match (verdict, on_fail) {
        (Good(detail), _) => (GateOutcome::Passed, detail),
        (Bad(detail), OnFail::Warn) => (GateOutcome::Warned, detail),
        (Bad(detail), OnFail::Quarantine) => (GateOutcome::Failed, detail),
        (Unknown(detail), _) => (GateOutcome::NotEvaluated, detail),
    };
    GateResult { gate: name, outcome, detail }
}

fn expected_label(expected: Expected) -> &'static str {
    match expected {
        Expected::All => "all",
        Expected::Children => "children",
        Expected::Province => "province",
        Expected::Department => "department",
        Expected::District => "district",
        Expected::Commune => "commune",
    }
}

fn covers_units(covers: &Covers, case: &Case) -> Verdict {
    let expected = (case.expected)(covers.units, case.scope.period.or_else(|| case.extract.readings.first().map(|r| r.period)));
    if expected.is_empty() {
        return Unknown("the registry lists no such unit; draft it with `thuocdo units draft`".to_owned());
    }
    // A body whose every figure is missing is not covered by its name.
    let with_number = case.extract.readings.iter().filter(|reading| reading.value.number().is_some());
    let seen: BTreeSet<&str> = with_number.map(|reading| reading.unit.as_str()).collect();
    let missing: Vec<&Unit> = expected.iter().filter(|unit| !seen.contains(unit.id.as_str())).collect();
    let n_seen = expected.len() - missing.len();
    let mut detail = format!("{n_seen} of {} units", expected.len());
    if !missing.is_empty() {
        detail += &format!("; missing: {}", list(missing.iter().map(|unit| format!("{} ({})", unit.name, unit.id))));
    }
    match is_share(n_seen, expected.len(), *covers.at_least.get_ref()) {
        true => Good(detail),
        false => Bad(format!("{detail}; at least {} of them are needed", covers.at_least.get_ref())),
    }
}

/// Whether n / of >= least, multiplied out so that nothing is rounded.
fn is_share(n: usize, of: usize, least: Exact) -> bool {
    Decimal::from(n) >= least.decimal() * Decimal::from(of)
}

fn is_present(present: &Present, case: &Case) -> Verdict {
    let fits = |reading: &&Reading| {
        reading.indicator == *present.indicator.get_ref() && present.item.as_ref().is_none_or(|item| case.scope.item(item) == reading.item)
    };
    let (numbers, missing): (Vec<&Reading>, Vec<&Reading>) =
        case.extract.readings.iter().filter(fits).partition(|reading| reading.value.number().is_some());
    let n = numbers.len() + missing.len();
    let detail = format!("{} of {n} readings are numbers", numbers.len());
    // Without any reading there is no number either, so that 0 of 0 is not enough.
    match n > 0 && is_share(numbers.len(), n, *present.at_least.get_ref()) {
        true => Good(detail),
        false => Bad(format!("{detail}; at least {} of them are needed", present.at_least.get_ref())),
    }
}

fn row_count(rows: &RowCount, case: &Case) -> Verdict {
    let n: usize = case.extract.rows.iter().map(|seen| seen.kept).sum();
    let at_most = rows.at_most.as_ref().map(|most| *most.get_ref());
    let right = rows.at_least.is_none_or(|least| n >= least) && at_most.is_none_or(|most| n <= most);
    let bound = |bound: Option<usize>| bound.map_or("…".to_owned(), |n| n.to_string());
    let detail = format!("{n} rows, expected {} to {}", bound(rows.at_least), bound(at_most));
    if right { Good(detail) } else { Bad(detail) }
}

fn is_complete(complete: &Complete, case: &Case) -> Verdict {
    let format = Format { number: complete.number, decimals: None, missing: Vec::new() };
    let stated = match numbers(case.document, complete.total.get_ref(), &format) {
        Ok(stated) => stated,
        Err(why) => return Bad(why),
    };
    let Some(total) = stated.first().copied() else { return Bad(format!("no total is stated at {}", complete.total.get_ref())) };
    if let Some(other) = stated.iter().find(|other| **other != total) {
        return Bad(format!("two totals are stated: {total} and {other}"));
    }
    let n = match &complete.rows {
        None => case.extract.rows.iter().map(|seen| seen.kept).sum(),
        Some(place) => match look_up(case.document, place.get_ref()) {
            Ok(found) => found.len(),
            Err(why) => return Bad(why),
        },
    };
    let detail = format!("{n} rows of {total} stated");
    if Exact::from(n as i64) == total { Good(detail) } else { Bad(detail) }
}

fn sums_to(sums: &SumsTo, case: &Case) -> Verdict {
    let parts = sums.parts.get_ref();
    let by_path = parts.starts_with('$');
    let part_values = match by_path {
        true => numbers(case.document, parts, &Format::default()),
        false => Ok(values_of(case, parts).filter(|(reading, _)| reading.unit != case.province).map(|(_, value)| value).collect()),
    };
    let whole_values = match sums.whole.get_ref() {
        Whole::Place(place) if place.starts_with('$') => numbers(case.document, place, &Format::default()),
        Whole::Place(indicator) => {
            Ok(values_of(case, indicator).filter(|(reading, _)| reading.unit == case.province).map(|(_, value)| value).collect())
        }
        Whole::Skipped(pattern) => Ok(skipped_values(case, &pattern.0, parts)),
    };
    let (part_values, whole_values) = match (part_values, whole_values) {
        (Ok(parts), Ok(whole)) => (parts, whole),
        (Err(why), _) | (_, Err(why)) => return Bad(why),
    };
    let [whole] = whole_values[..] else {
        return Bad(format!("{} wholes where one is expected", whole_values.len()));
    };
    match Exact::sum(part_values.iter().copied()) {
        Ok(sum) if sum == whole => Good(format!("{} parts make {whole}", part_values.len())),
        Ok(sum) => Bad(format!("{} parts make {sum}, the whole says {whole}", part_values.len())),
        Err(overflow) => Bad(overflow.to_string()),
    }
}

fn skipped_values(case: &Case, pattern: &regex::Regex, indicator: &str) -> Vec<Exact> {
    let rows = case.extract.rows.iter().flat_map(|seen| &seen.skipped).filter(|row| pattern.is_match(&row.text));
    rows.flat_map(|row| &row.values).filter(|(of, _, _)| of == indicator).filter_map(|(_, _, value)| value.number()).collect()
}

fn not_above(pair: &NotAbove, case: &Case) -> Verdict {
    let wholes: BTreeMap<(&str, &str), Exact> =
        values_of(case, pair.whole.get_ref()).map(|(reading, value)| ((reading.unit.as_str(), reading.item.as_str()), value)).collect();
    let mut n = 0;
    let mut above = Vec::new();
    for (reading, part) in values_of(case, pair.part.get_ref()) {
        let Some(whole) = wholes.get(&(reading.unit.as_str(), reading.item.as_str())) else { continue };
        n += 1;
        if part > *whole {
            above.push(format!("{}: {part} > {whole}", reading.unit));
        }
    }
    match (n, above.is_empty()) {
        (0, _) => Unknown("no unit has both values".to_owned()),
        (_, true) => Good(format!("{n} units")),
        (_, false) => Bad(list(above.into_iter())),
    }
}

fn in_range(range: &RangeGate, case: &Case) -> Verdict {
    let mut n = 0;
    let mut outside = Vec::new();
    let max = range.max.as_ref().map(|max| *max.get_ref());
    for (reading, value) in values_of(case, range.indicator.get_ref())
        .filter(|(reading, _)| range.item.as_ref().is_none_or(|item| case.scope.item(item) == reading.item))
    {
        n += 1;
        if range.min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            outside.push(format!("{} {}: {value}", reading.unit, reading.item));
        }
    }
    match (n, outside.is_empty()) {
        (0, _) => Unknown("no value to judge".to_owned()),
        (_, true) => Good(format!("{n} values")),
        (_, false) => Bad(list(outside.into_iter())),
    }
}

fn no_jump(jump: &Jump, case: &Case) -> Verdict {
    against_past(case, jump.indicator.get_ref(), jump.needs_history, |before, now| {
        let change = (now.decimal() - before.decimal()).abs();
        let allowed = before.decimal().abs() * jump.by.get_ref().decimal();
        change > allowed && jump.floor.is_none_or(|floor| change > floor.decimal())
    })
}

fn no_fall(monotonic: &Monotonic, case: &Case) -> Verdict {
    against_past(case, monotonic.indicator.get_ref(), 1, |before, now| now < before)
}

/// Compares every value with the number known before for the same unit, item and period; a number that is gone is wrong.
fn against_past(case: &Case, indicator: &str, needs_history: i64, wrong: impl Fn(Exact, Exact) -> bool) -> Verdict {
    let mut n = 0;
    let mut wrongs = Vec::new();
    for reading in case.extract.readings.iter().filter(|reading| reading.indicator == indicator) {
        let key = (reading.indicator.clone(), reading.unit.clone(), reading.item.clone(), reading.period);
        let Some(past) = case.past.get(&key).filter(|past| past.n_versions >= needs_history.max(1)) else { continue };
        let Some(before) = past.value.number() else { continue };
        n += 1;
        if reading.value.number().is_none_or(|now| wrong(before, now)) {
            wrongs.push(format!("{}: {before} → {}", reading.unit, reading.value));
        }
    }
    match (n, wrongs.is_empty()) {
        (0, _) => Unknown(format!("no value with {} earlier versions", needs_history.max(1))),
        (_, true) => Good(format!("{n} values")),
        (_, false) => Bad(list(wrongs.into_iter())),
    }
}

fn headings(header: &Header, case: &Case) -> Verdict {
    let Some(seen) = case.extract.rows.iter().map(|seen| &seen.headings).find(|headings| !headings.is_empty()) else {
        return Unknown("the answer has no table".to_owned());
    };
    let wanted: Vec<String> = header.is.get_ref().iter().map(|heading| crate::model::clean(heading)).collect();
    match *seen == wanted {
        true => Good(format!("{} headings", wanted.len())),
        false => Bad(format!("the headings are {seen:?}, expected {wanted:?}")),
    }
}

fn same_shape(_: &Shape, case: &Case) -> Verdict {
    let mut first_seen = 0;
    for (no, seen) in (1..).zip(&case.extract.rows) {
        match case.shapes.get(&no).map(|accepted| shape_difference(accepted, &seen.shape)) {
            None => first_seen += 1,
            Some(None) => (),
            Some(Some(difference)) => return Bad(format!("[[rows]] {no}: {difference}")),
        }
    }
    match first_seen {
        0 => Good(format!("{} shapes as accepted", case.extract.rows.len())),
        n => Unknown(format!("{n} shapes seen for the first time; they are the baseline from now on")),
    }
}

fn is_fresh(fresh: &Fresh, case: &Case) -> Verdict {
    let found = match look_up(case.document, fresh.value.get_ref()) {
        Ok(found) => found,
        Err(why) => return Bad(why),
    };
    let dates: Result<Vec<(String, NaiveDateTime)>, String> =
        found.into_iter().map(|(place, found)| stated_date(fresh, case, &place, &found.text())).collect();
    let dates = match dates {
        Ok(dates) => dates,
        Err(why) => return Bad(why),
    };
    let Some((said, stated)) = dates.first() else { return Bad(format!("no date at {}", fresh.value.get_ref())) };
    if let Some((other, _)) = dates.iter().find(|(_, other)| other != stated) {
        return Bad(format!("two dates are stated: {said}, and {other}"));
    }
    let due = case.scope.due.utc().with_timezone(&case.collector.schedule.timezone.0).naive_local();
    let age = due - *stated;
    let limit = Duration::from_std(fresh.max_age.0).unwrap_or(Duration::MAX);
    let detail = format!("{said}, due {}", due.format("%Y-%m-%d %H:%M"));
    match age {
        _ if age > limit => Bad(format!("{detail}: older than {}", fresh.max_age)),
        // Clocks of two machines differ, calendars do not differ by a day.
        _ if age < -Duration::days(1) => Bad(format!("{detail}: more than a day in the future")),
        _ => Good(detail),
    }
}

/// What a place says, for the detail, and the instant it names.
fn stated_date(fresh: &Fresh, case: &Case, place: &str, text: &str) -> Result<(String, NaiveDateTime), String> {
    let date = match &fresh.matches {
        None => text,
        Some(pattern) => {
            let groups = pattern.0.captures(text).ok_or_else(|| format!("{place}: {text:?} has no date as expected"))?;
            groups.get(1).or(groups.get(0)).map_or("", |group| group.as_str())
        }
    };
    match number::read_instant(date, fresh.format.get_ref(), case.collector.schedule.timezone.0) {
        Ok(stated) => Ok((format!("{place} says {date}"), stated)),
        Err(doubt) => Err(format!("{place}: {doubt}")),
    }
}

/// The readings of an indicator that are numbers.
fn values_of<'a>(case: &'a Case, indicator: &'a str) -> impl Iterator<Item = (&'a Reading, Exact)> {
    case.extract
        .readings
        .iter()
        .filter(move |reading| reading.indicator == indicator)
        .filter_map(|reading| Some((reading, reading.value.number()?)))
}

/// The numbers at a place of the answer.
fn numbers(document: &Document, place: &str, format: &Format) -> Result<Vec<Exact>, String> {
    let read = |(at, found): (String, Found)| match number::read(&found.text(), format) {
        Ok(Value::Number(number)) => Ok(number),
        Ok(Value::Missing) => Err(format!("{at} has no number")),
        Err(doubt) => Err(format!("{at}: {doubt}")),
    };
    look_up(document, place)?.into_iter().map(read).collect()
}

/// At most so many names in one sentence.
const LISTED: usize = 20;

fn list(mut names: impl Iterator<Item = String>) -> String {
    let shown: Vec<String> = names.by_ref().take(LISTED).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
