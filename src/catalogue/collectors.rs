//! Collector files: read, and checked against the registry and the settings.

use std::ops::Range;

use toml::Spanned;

use super::problem::Problem;
use super::registry::Registry;
use crate::collect::collector::{Collector, FormField, HttpSource, Source};
use crate::collect::extract;
use crate::collect::gate::{Gate, Whole};
use crate::collect::template::{Variable, fits};
use crate::model::{PeriodKind, Sha256};
use crate::settings::Settings;

/// A collector with the very text it was read from.
#[derive(Debug)]
pub struct LoadedCollector {
    /// `collectors/<id>.toml`.
    pub file: String,
    /// As written; kept with every run so that the run can be replayed.
    pub text: String,
    /// Of the text.
    pub sha256: Sha256,
    /// What it says.
    pub collector: Collector,
}

impl LoadedCollector {
    /// Reads one file and checks what can be checked without the registry.
    ///
    /// # Errors
    /// Every problem found, each with its place.
    pub fn parse(file: &str, text: &str) -> Result<LoadedCollector, Vec<Problem>> {
        let collector: Collector = toml::from_str(text).map_err(|error| vec![Problem::from_toml(file, text, &error)])?;
        let loaded = LoadedCollector { file: file.to_owned(), text: text.to_owned(), sha256: Sha256::of(text.as_bytes()), collector };
        let problems = loaded.check_alone();
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }

    /// Names of `[province]` that the file asks for and the settings do not have: the collector waits for them.
    pub fn waits_for(&self, settings: &Settings) -> Vec<String> {
        let Source::Http(http) = &self.collector.source else { return Vec::new() };
        let asked = variables(http).into_iter().filter_map(|variable| match variable {
            Variable::Province(name) if !settings.province.contains_key(name) => Some(name.clone()),
            _ => None,
        });
        let mut names: Vec<String> = asked.collect();
        names.sort();
        names.dedup();
        names
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem::at(&self.file, &self.text, span, message, fix)
    }

    fn check_alone(&self) -> Vec<Problem> {
        let collector = &self.collector;
        let mut problems = Vec::new();
        if *collector.schema.get_ref() != 1 {
            problems.push(self.problem(
                collector.schema.span(),
                format!("schema {} is not known", collector.schema.get_ref()),
                "write schema = 1",
            ));
        }
        let stem = self.file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default();
        if collector.id.get_ref() != stem {
            problems.push(self.problem(
                collector.id.span(),
                format!("the id {:?} is not the file's name", collector.id.get_ref()),
                format!("write id = {stem:?}, or rename the file"),
            ));
        }
        problems.extend(extract::check_places(collector).into_iter().map(|(span, message, fix)| self.problem(span, message, fix)));
        for rows in &collector.rows {
            let one_of = rows.unit.value.is_some() == rows.unit.codes.is_some();
            if !one_of {
                problems.push(self.problem(
                    rows.from.span(),
                    "unit needs both value and codes, or neither",
                    "write unit = { value = \"…\", codes = \"…\" }",
                ));
            }
        }
        problems.extend(self.check_gate_places());
        if let Source::Http(http) = &collector.source {
            problems.extend(self.check_http(http));
        }
        problems
    }

    /// Places that gates look up must compile for the kind of document that the rows are read from.
    fn check_gate_places(&self) -> Vec<Problem> {
        // Rows of mixed kinds are reported by `check_places` already.
        let Ok(kind) = extract::kind_of(&self.collector.rows) else { return Vec::new() };
        let places = self.collector.gate.iter().flat_map(|gate| gate_places(gate.get_ref()));
        let wrong = places.filter_map(|place| Some((place, extract::check_look_up(kind, place.get_ref()).err()?)));
        wrong.map(|(place, why)| self.problem(place.span(), why, "write a place of this kind of answer")).collect()
    }

    fn check_http(&self, http: &HttpSource) -> Vec<Problem> {
        let mut problems = Vec::new();
        let at = http.url.span();
        if http.json.is_some() && http.form.is_some() {
            problems.push(self.problem(at.clone(), "the request has two bodies", "keep json or form"));
        }
        if http.limits.connect > http.limits.request || http.limits.request > http.limits.run {
            problems.push(self.problem(at.clone(), "limits must grow: connect ≤ request ≤ run", "raise the later one"));
        }
        if !(1..=10).contains(&http.retry.attempts) {
            problems.push(self.problem(
                at.clone(),
                format!("retry.attempts = {} is not 1 to 10", http.retry.attempts),
                "write a number from 1 to 10",
            ));
        }
        let kinds: Vec<PeriodKind> = http.for_each.period.iter().map(|choice| choice.kind()).collect();
        for variable in variables(http) {
            let fitting = if kinds.is_empty() { fits(variable, None) } else { kinds.iter().any(|kind| fits(variable, Some(*kind))) };
            if !fitting {
                let message = format!("{{{}}} can never be filled: no request is about such a period", variable.name());
                problems.push(self.problem(at.clone(), message, "name the period in for_each.period, like [\"month\", \"year\"]"));
            }
            if variable.needs_unit() && http.for_each.unit.is_none() {
                problems.push(self.problem(
                    at.clone(),
                    format!("{{{}}} can never be filled: no request is about a unit", variable.name()),
                    "write for_each = { unit = \"commune\" }",
                ));
            }
        }
        problems
    }

    /// What the file names that the registry does not have.
    pub fn check_against(&self, registry: &Registry) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut indicator = |id: &Spanned<String>| {
            if registry.indicator(id.get_ref()).is_none() {
                problems.push(self.problem(
                    id.span(),
                    format!("the indicator {:?} is not in registry/indicators.toml", id.get_ref()),
                    "add it there, or correct the name",
                ));
            }
        };
        for rows in &self.collector.rows {
            rows.read.iter().for_each(|read| indicator(&read.indicator));
        }
        for gate in &self.collector.gate {
            gate_indicators(gate.get_ref()).into_iter().for_each(&mut indicator);
        }
        for codes in self.collector.rows.iter().filter_map(|rows| rows.unit.codes.as_ref()) {
            if registry.codes(codes.get_ref()).is_none() {
                let fix = format!("add registry/codes/{0}.csv or registry/codes/{0}/*.csv", codes.get_ref());
                problems.push(self.problem(codes.span(), format!("there is no code map {:?}", codes.get_ref()), fix));
            }
        }
        problems
    }
}

/// Every placeholder of a request and of what its answer must hold.
fn variables(http: &HttpSource) -> Vec<&Variable> {
    let mut all: Vec<&Variable> = http.url.get_ref().variables().collect();
    all.extend(http.headers.values().flat_map(|header| header.variables()));
    all.extend(http.json.iter().flat_map(|json| json.variables()));
    all.extend(http.expect.json.values().flat_map(|json| json.variables()));
    for field in http.form.iter().flat_map(|form| form.values()) {
        match field {
            FormField::Text(text) => all.extend(text.variables()),
            FormField::Json(json) => all.extend(json.variables()),
        }
    }
    // What may be absent need not fit every period.
    all.retain(|variable| !matches!(variable, Variable::PeriodMonth | Variable::PeriodQuarter));
    all
}

/// The places that a gate looks up.
fn gate_places(gate: &Gate) -> Vec<&Spanned<String>> {
    match gate {
        Gate::Complete(complete) => std::iter::once(&complete.total).chain(&complete.rows).collect(),
        Gate::SumsTo(sums) if sums.parts.get_ref().starts_with('$') => vec![&sums.parts],
        Gate::Fresh(fresh) => vec![&fresh.value],
        Gate::SumsTo(_)
        | Gate::Covers(_)
        | Gate::Rows(_)
        | Gate::NotAbove(_)
        | Gate::Range(_)
        | Gate::Jump(_)
        | Gate::Monotonic(_)
        | Gate::Header(_)
        | Gate::Shape(_) => Vec::new(),
    }
}

/// The indicators that a gate names; paths are not indicators.
fn gate_indicators(gate: &Gate) -> Vec<&Spanned<String>> {
    match gate {
        Gate::Covers(_) | Gate::Rows(_) | Gate::Complete(_) | Gate::Header(_) | Gate::Shape(_) | Gate::Fresh(_) => Vec::new(),
        Gate::SumsTo(sums) => match (&sums.parts, &sums.whole) {
            (parts, _) if parts.get_ref().starts_with('$') => Vec::new(),
            (parts, Whole::Place(_) | Whole::Skipped(_)) => vec![parts],
        },
        Gate::NotAbove(pair) => vec![&pair.part, &pair.whole],
        Gate::Range(range) => vec![&range.indicator],
        Gate::Jump(jump) => vec![&jump.indicator],
        Gate::Monotonic(monotonic) => vec![&monotonic.indicator],
    }
}
