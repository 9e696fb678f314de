//! From bytes to judged readings: the same calls for a run, a trial and a replay. Pure but for `Known::load`.

use std::collections::BTreeMap;

use super::ask::{code_of, local_day};
use super::collector::{Collector, Source};
use super::extract::{self, Context, Document, Extract};
use super::gate::judge::{Case, Past, judge};
use super::gate::{Expected, Gate};
use super::source::Failure;
use super::template::Filling;
use crate::catalogue::{Catalogue, LoadedCollector};
use crate::model::{Finding, GateOutcome, GateResult, Period, PeriodKind, Reading, Reason, RequestOutcome, Scope, Severity, Ts, Unit};
use crate::rollup::{FromRecords, from_records};
use crate::settings::Settings;
use crate::store::{Db, StoreError};

/// What was known before an answer came.
#[derive(Debug, Default)]
pub struct Known {
    /// Newest value and number of versions by (indicator, unit, item, period).
    pub past: BTreeMap<(String, String, String, Period), Past>,
    /// Accepted shapes by `[[rows]]` number.
    pub shapes: BTreeMap<i32, String>,
}

impl Known {
    /// What the database knew before `before`, for the gates that ask.
    ///
    /// # Errors
    /// The database.
    pub async fn load(db: &Db, loaded: &LoadedCollector, before: Ts) -> Result<Known, StoreError> {
        let id = loaded.collector.id.get_ref();
        let asked: Vec<String> = loaded.collector.gate.iter().filter_map(|gate| gate.get_ref().history()).map(str::to_owned).collect();
        let mut past = BTreeMap::new();
        if !asked.is_empty() {
            for known in db.history(id, &asked, before).await? {
                let seen = known.observation;
                past.insert((seen.indicator, seen.unit, seen.item, seen.period), Past { value: seen.value, n_versions: known.n_versions });
            }
        }
        Ok(Known { past, shapes: db.shapes(id).await? })
    }
}

/// What became of one answer.
#[derive(Debug)]
pub struct Judged {
    /// Recorded, quarantined or failed.
    pub outcome: RequestOutcome,
    /// Why there is nothing to read.
    pub failure: Option<Failure>,
    /// What was not as it should be.
    pub findings: Vec<Finding>,
    /// What the gates said.
    pub gates: Vec<GateResult>,
    /// What was read.
    pub readings: Vec<Reading>,
    /// Shapes seen, by `[[rows]]` number.
    pub shapes: Vec<(i32, String)>,
    /// What the records of a monitor say.
    pub watched: FromRecords,
}

impl Judged {
    /// No usable answer.
    pub fn failed(failure: Failure) -> Judged {
        Judged {
            outcome: RequestOutcome::Failed,
            failure: Some(failure),
            findings: Vec::new(),
            gates: Vec::new(),
            readings: Vec::new(),
            shapes: Vec::new(),
            watched: FromRecords::default(),
        }
    }
}

/// An answer as it came.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The address that was asked, or the path of a file.
    pub url: &'a str,
    /// The bytes.
    pub body: &'a [u8],
    /// Media type as stated, "" for none.
    pub content_type: &'a str,
}

/// Reads one answer and lets the gates judge it.
pub fn judge_answer(
    settings: &Settings,
    catalogue: &Catalogue,
    loaded: &LoadedCollector,
    known: &Known,
    scope: &Scope,
    answer: Answer,
) -> Judged {
    let Answer { url, body, content_type } = answer;
    let collector = &loaded.collector;
    let document = match extract::parse(&collector.rows, body, content_type) {
        Ok(document) => document,
        Err(finding) => return Judged::failed(Failure::new(finding.reason, finding.text)),
    };
    if let Some(failure) = unexpected(catalogue, collector, scope, &document, body, content_type) {
        return Judged::failed(failure);
    }
    let registry = &catalogue.registry;
    let today = local_day(collector, scope.due);
    // A code means who it meant at the period's end, or today while the period is open: not yet its successor.
    let unit_of = |system: &str, code: &str, period: Period| registry.codes(system)?.unit(code, in_force(period, today)).map(str::to_owned);
    let context = Context { collector, scope, address: url, unit_of: &unit_of, indicator: &|id| registry.indicator(id) };
    let read = extract::extract(&document, &context);
    let expected = |which: Expected, period: Option<Period>| expected_units(settings, catalogue, today, which, period);
    let case = Case {
        collector,
        document: &document,
        extract: &read,
        scope,
        expected: &expected,
        province: settings.province_unit(),
        past: &known.past,
        shapes: &known.shapes,
    };
    let gates = judge(&case);
    conclude(collector, read, gates)
}

fn conclude(collector: &Collector, read: Extract, gates: Vec<GateResult>) -> Judged {
    let refused = read.findings.iter().any(|finding| finding.severity == Severity::Quarantine)
        || gates.iter().any(|gate| gate.outcome == GateOutcome::Failed);
    let is_empty = read.readings.is_empty() && read.records.is_empty();
    let outcome = if refused || is_empty { RequestOutcome::Quarantined } else { RequestOutcome::Recorded };
    let mut findings = read.findings;
    findings.extend(shape_changes(collector, &gates));
    if is_empty && !refused {
        findings.push(Finding::quarantine(Reason::RowsMismatch, "answer", "nothing was read from the answer"));
    }
    let shapes = (1..).zip(read.rows).map(|(no, seen)| (no, seen.shape)).collect();
    let slot = collector.rows.iter().find_map(|rows| rows.slot.as_ref());
    let watched = slot.map(|slot| from_records(&read.records, slot.get_ref().silence.0)).unwrap_or_default();
    Judged { outcome, failure: None, findings, gates, readings: read.readings, shapes, watched }
}

/// A shape that changed, as drift beside the gate's word: a gate that warns is easily overlooked among the others.
fn shape_changes(collector: &Collector, gates: &[GateResult]) -> Vec<Finding> {
    let of_shape = collector.gate.iter().zip(gates).filter(|(gate, _)| matches!(gate.get_ref(), Gate::Shape(_)));
    let finding = |(_, said): (_, &GateResult)| match said.outcome {
        GateOutcome::Warned => Some(Finding::warn(Reason::ShapeChanged, "shape", &said.detail)),
        GateOutcome::Failed => Some(Finding::quarantine(Reason::ShapeChanged, "shape", &said.detail)),
        GateOutcome::Passed | GateOutcome::NotEvaluated => None,
    };
    of_shape.filter_map(finding).collect()
}

/// The day whose registry counts for a period: its last, or today while it is open.
fn in_force(period: Period, today: Period) -> Period {
    Period::holding(PeriodKind::Day, period.last().min(today.start()).max(period.start()))
}

/// How many units the answers of a run should name, by the widest of its `covers` gates; `None` without one.
pub fn n_units_expected(settings: &Settings, catalogue: &Catalogue, collector: &Collector, due: Ts) -> Option<usize> {
    let today = local_day(collector, due);
    let covers = collector.gate.iter().filter_map(|gate| match gate.get_ref() {
        Gate::Covers(covers) => Some(covers.units),
        _ => None,
    });
    covers.map(|units| expected_units(settings, catalogue, today, units, None).len()).max()
}

/// Which units an answer should name at its period.
fn expected_units(settings: &Settings, catalogue: &Catalogue, today: Period, which: Expected, period: Option<Period>) -> Vec<Unit> {
    let registry = &catalogue.registry;
    let on = in_force(period.unwrap_or(today), today);
    let province = settings.province_unit();
    let below = || registry.below(province, on).into_iter().cloned();
    match which {
        Expected::All => registry.unit(province).into_iter().cloned().chain(below()).collect(),
        Expected::Children => below().collect(),
        Expected::Province => registry.units_in(on).into_iter().filter(|unit| Some(unit.unit_group) == which.group()).cloned().collect(),
        Expected::Department | Expected::District | Expected::Commune => {
            below().filter(|unit| Some(unit.unit_group) == which.group()).collect()
        }
    }
}

/// Why the answer is not the one asked for.
pub fn unexpected(
    catalogue: &Catalogue,
    collector: &Collector,
    scope: &Scope,
    document: &Document,
    body: &[u8],
    content_type: &str,
) -> Option<Failure> {
    let Source::Http(http) = &collector.source else { return None };
    let expect = &http.expect;
    if let Some(wanted) = &expect.content_type {
        let stated = content_type.split(';').next().unwrap_or_default().trim();
        if !stated.eq_ignore_ascii_case(wanted) {
            return Some(Failure::new(Reason::ContentType, format!("media type {stated:?}, expected {wanted:?}")));
        }
    }
    let unit = scope.unit.as_deref().and_then(|id| catalogue.registry.unit(id));
    let code_of = |system: &str| code_of(&catalogue.registry, system, unit, local_day(collector, scope.due));
    let portal = scope.portal.as_deref().and_then(|id| catalogue.registry.portal(id));
    let filling = Filling { scope, unit, portal, code_of: &code_of, zone: collector.schedule.timezone.0 };
    for (path, template) in &expect.json {
        let wanted = match template.fill(&filling) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => continue,
            Err(unfilled) => return Some(Failure::new(Reason::Config, unfilled.to_string())),
        };
        let found = match document {
            Document::Json(answer) => path.path.query(answer).at_most_one().ok().flatten(),
            Document::Html(_) | Document::Workbook { .. } | Document::Csv(_) => None,
        };
        if found != Some(&wanted) {
            let found = found.map_or("not there".to_owned(), |found| found.to_string().chars().take(120).collect());
            return Some(Failure::new(Reason::ErrorInBody, format!("{} is {found}, expected {wanted}", path.text)));
        }
    }
    let text = String::from_utf8_lossy(body);
    let lacking = expect.body_has.iter().find(|wanted| !text.contains(wanted.as_str()));
    lacking.map(|wanted| Failure::new(Reason::ErrorInBody, format!("the answer does not hold {wanted:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Files;

    const COLLECTOR: &str = r#"
schema = 1
id = "t"
title = { vi = "t", en = "t" }
[schedule]
cron = "0 6 * * *"
[source.file]
glob = "x/*"
[[rows]]
from = { json = "$.rows[*]" }
unit = { value = "$.id", codes = "npsp-2025" }
period = { year = "2026" }
[[rows.read]]
indicator = "dossier_processed_count"
value = "$.n"
[[gate]]
shape = { on_fail = "quarantine" }
"#;

    /// The outcome, and severity, reason and text of each finding, when this shape was accepted before.
    fn judged(text: &str, accepted: Option<&str>) -> (RequestOutcome, Vec<String>) {
        let (catalogue, problems) = Catalogue::load(&Files::embedded());
        assert_eq!(problems, []);
        let loaded = LoadedCollector::parse("collectors/t.toml", text).expect("a collector of the test");
        let known = Known { shapes: accepted.map(|shape| (1, shape.to_owned())).into_iter().collect(), ..Known::default() };
        let scope = Scope {
            due: "2026-10-01T00:00:00Z".parse().expect("an instant"),
            period: None,
            unit: None,
            portal: None,
            province: BTreeMap::new(),
        };
        let body = br#"{"rows":[{"id":"H49","n":5}]}"#;
        let answer = Answer { url: "https://a.example/", body, content_type: "application/json" };
        let judged = judge_answer(&Settings::default(), &catalogue, &loaded, &known, &scope, answer);
        let words = judged.findings.iter().map(|finding| format!("{} {} {}", finding.severity, finding.reason, finding.text));
        (judged.outcome, words.collect())
    }

    #[test]
    fn a_shape_that_changed_is_a_finding_too() {
        let warning = COLLECTOR.replace("quarantine", "warn");
        let changed = "[[rows]] 1: $.m is gone; $.n is new";
        for (text, accepted, outcome, findings) in [
            (COLLECTOR, None, RequestOutcome::Recorded, vec![]),
            (COLLECTOR, Some("$ object\n$.id string\n$.n number\n"), RequestOutcome::Recorded, vec![]),
            (
                COLLECTOR,
                Some("$ object\n$.id string\n$.m number\n"),
                RequestOutcome::Quarantined,
                vec![format!("quarantine shape_changed {changed}")],
            ),
            (
                &warning,
                Some("$ object\n$.id string\n$.m number\n"),
                RequestOutcome::Recorded,
                vec![format!("warn shape_changed {changed}")],
            ),
        ] {
            assert_eq!(judged(text, accepted), (outcome, findings), "{accepted:?}");
        }
    }
}
