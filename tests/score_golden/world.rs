//! Observations from published figures, scored with a shipped criteria file, and a count of what came out equal.

use std::path::PathBuf;

use serde_json::Value as Json;
use thuocdo::model::{Exact, Observation, Origin, Period, RunId, Ts, Unit, UnitGroup, Value};
use thuocdo::score::criteria::CriteriaSet;
use thuocdo::score::{GroupScore, Input, Line, ScoreRun, Sheet, score};

/// The folder of real data, or a line that says what was skipped.
pub fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    folder
}

pub fn json(folder: &std::path::Path, file: &str) -> Json {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A shipped criteria file.
pub fn set(id: &str) -> CriteriaSet {
    let file = format!("criteria/{id}.toml");
    let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&file)).expect("a shipped file");
    CriteriaSet::parse(&file, &text)
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// A figure as published: a JSON number or text; null, "" and absence are none.
pub fn figure(json: &Json) -> Option<Exact> {
    match json {
        Json::Null => None,
        Json::Number(number) => Some(number.to_string().parse().expect("a decimal")),
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(text.parse().expect("a decimal")),
        other => panic!("{other} is no figure"),
    }
}

pub fn period() -> Period {
    "2026".parse().expect("a year")
}

pub fn noon() -> Ts {
    "2026-10-01T05:00:00Z".parse().expect("an instant")
}

/// Units and what was observed of them.
#[derive(Default)]
pub struct World {
    pub units: Vec<Unit>,
    pub observations: Vec<Observation>,
}

impl World {
    pub fn unit(&mut self, code: &str, unit_group: UnitGroup) {
        self.units.push(Unit {
            id: code.to_owned(),
            code: code.to_owned(),
            name: code.to_owned(),
            unit_group,
            kind: String::new(),
            parent: None,
            valid_from: None,
            valid_to: None,
            decision: String::new(),
        });
    }

    pub fn put(&mut self, unit: &str, indicator: &str, item: &str, collector: &str, value: &Json) {
        self.observations.push(Observation {
            indicator: indicator.to_owned(),
            unit: unit.to_owned(),
            item: item.to_owned(),
            collector: collector.to_owned(),
            period: period(),
            value: figure(value).map_or(Value::Missing, Value::Number),
            flag: String::new(),
            recorded_at: noon(),
            last_checked: noon(),
            run: RunId { collector: collector.to_owned(), due_at: noon() },
            request: 1,
        });
    }

    /// Numerator and denominator of a criterion, by the set's own names for them.
    pub fn counts(&mut self, set: &CriteriaSet, unit: &str, criterion: &str, numerator: &Json, denominator: &Json) {
        let of = set.criteria().find(|c| c.id == criterion).and_then(|c| c.rule.quotient()).expect("a ratio of the set");
        assert_eq!((of.of.len(), of.over.len()), (1, 1), "{criterion}");
        self.put(unit, &of.of[0], "", "portal", numerator);
        self.put(unit, &of.over[0], "", "portal", denominator);
    }

    pub fn score<'a>(&'a self, set: &'a CriteriaSet) -> ScoreRun<'a> {
        let units: Vec<&Unit> = self.units.iter().collect();
        let input = Input {
            period: period(),
            as_of: noon(),
            units: &units,
            observations: &self.observations,
            origins: &|_| Some(Origin::Measured),
            preferred: &|_| None,
            within: &|_| None,
        };
        score(set, &input).expect("a scoring")
    }
}

pub fn sheet<'r, 'a>(run: &'r ScoreRun<'a>, unit: &str) -> &'r Sheet<'a> {
    run.sheets.iter().find(|sheet| sheet.unit == unit).unwrap_or_else(|| panic!("no sheet of {unit}"))
}

pub fn group<'r, 'a>(run: &'r ScoreRun<'a>, unit: &str, id: &str) -> &'r GroupScore<'a> {
    sheet(run, unit).groups.iter().find(|group| group.group == id).unwrap_or_else(|| panic!("no group {id}"))
}

pub fn line<'r, 'a>(run: &'r ScoreRun<'a>, unit: &str, id: &str) -> &'r Line<'a> {
    let mut lines = sheet(run, unit).groups.iter().flat_map(|group| &group.lines);
    lines.find(|line| line.criterion == id).unwrap_or_else(|| panic!("no line {id}"))
}

/// How many figures came out equal.
pub struct Tally {
    name: &'static str,
    equal: usize,
    unequal: Vec<String>,
}

impl Tally {
    pub fn new(name: &'static str) -> Tally {
        Tally { name, equal: 0, unequal: Vec::new() }
    }

    pub fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: impl Fn() -> String, ours: T, published: T) {
        if ours == published {
            self.equal += 1;
        } else {
            self.unequal.push(format!("{}: {ours:?}, published {published:?}", what()));
        }
    }

    /// Points of a line: `None` on both sides is a criterion that does not apply.
    pub fn points(&mut self, run: &ScoreRun<'_>, unit: &str, criterion: &str, published: &Json) {
        let points = line(run, unit, criterion).points.map(|points| points.known().expect("points, not bounds"));
        self.same(|| format!("{unit} {criterion}"), points, figure(published));
    }

    /// The per cent figure beside it; at 0/0 there is none, and portals show 0 or null.
    pub fn percent(&mut self, run: &ScoreRun<'_>, unit: &str, criterion: &str, published: &Json) {
        let Some(percent) = line(run, unit, criterion).formula.percent else {
            assert!(figure(published).is_none_or(Exact::is_zero), "{unit} {criterion}: {published}");
            return;
        };
        self.same(|| format!("{unit} {criterion} per cent"), Some(percent), figure(published));
    }

    pub fn group(&mut self, run: &ScoreRun<'_>, unit: &str, id: &str, published: &Json) {
        self.same(|| format!("{unit} {id}"), group(run, unit, id).points.known(), figure(published));
    }

    pub fn close(self, at_least: usize) {
        eprintln!("{}: {} of {}", self.name, self.equal, self.equal + self.unequal.len());
        assert!(self.unequal.is_empty(), "{}:\n{}", self.name, self.unequal.join("\n"));
        assert!(self.equal >= at_least, "{}: only {} figures were compared", self.name, self.equal);
    }
}
