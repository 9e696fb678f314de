//! Gates end to end: a collector text, an answer, what was known before, and the word of each gate.

use std::collections::BTreeMap;

use super::judge::{Case, Past, judge};
use crate::collect::collector::Collector;
use crate::collect::extract::{Context, extract, parse};
use crate::model::{Adds, GateOutcome, Indicator, Measure, Period, Scope, Unit, UnitGroup, Value};

const HEAD: &str = r#"
schema = 1
id = "t"
title = { vi = "t", en = "t" }
[schedule]
cron = "0 6 * * *"
[source.file]
glob = "x/*"
[[rows]]
from = { json = "$.rows[*]" }
unit = { value = "$.id" }
[[rows.read]]
indicator = "n"
value = "$.n"
[[rows.read]]
indicator = "score"
item = "A"
value = "$.a"
[[gate]]
"#;

fn unit(id: &str) -> Unit {
    Unit {
        id: id.to_owned(),
        code: String::new(),
        name: format!("Đơn vị {id}"),
        unit_group: UnitGroup::Commune,
        kind: String::new(),
        parent: None,
        valid_from: None,
        valid_to: None,
        decision: String::new(),
    }
}

fn indicator() -> Indicator {
    Indicator {
        id: "any".to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        measure: Measure::Points,
        range: (None, None),
        over_time: Adds::No,
        over_units: Adds::No,
        cite: String::new(),
        derived: None,
        collector: None,
        per: None,
        within: None,
    }
}

/// The word of one gate on an answer; `past` is what was known of (unit, n) with its number of versions.
fn word(gate: &str, body: &str, past: &[(&str, Value, i64)]) -> (GateOutcome, String) {
    let collector: Collector = toml::from_str(&format!("{HEAD}{gate}")).expect("a collector of the test");
    let due = "2026-10-01T00:00:00Z".parse().expect("an instant");
    let period: Period = "2026".parse().expect("a year");
    let scope = Scope { due, period: Some(period), unit: None, portal: None, province: BTreeMap::new() };
    let document = parse(&collector.rows, body.as_bytes(), "application/json").expect("JSON of the test");
    let any = indicator();
    let unit_of = |_: &str, code: &str, _: Period| Some(code.to_owned());
    let context = Context { collector: &collector, scope: &scope, address: "", unit_of: &unit_of, indicator: &|_| Some(&any) };
    let read = extract(&document, &context);
    assert_eq!(read.findings, [], "{body}");
    let key = |unit: &str| ("n".to_owned(), unit.to_owned(), String::new(), period);
    let past = past.iter().map(|(unit, value, n_versions)| (key(unit), Past { value: *value, n_versions: *n_versions })).collect();
    let case = Case {
        collector: &collector,
        document: &document,
        extract: &read,
        scope: &scope,
        expected: &|_, _| vec![unit("a"), unit("b")],
        province: "p",
        past: &past,
        shapes: &BTreeMap::new(),
    };
    let said = judge(&case).remove(0);
    (said.outcome, said.detail)
}

/// Rows of `unit n` pairs; every score is 1.
fn body(rows: &[(&str, &str)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(id, n)| format!("{{\"id\":{id:?},\"n\":{n},\"a\":1}}")).collect();
    format!("{{\"rows\":[{}]}}", rows.join(","))
}

use GateOutcome::{Failed, NotEvaluated, Passed, Warned};

#[test]
fn a_number_that_is_gone_is_a_jump_and_a_fall() {
    let number = |n: i64| Value::Number(n.into());
    for (gate, now, past, outcome, detail) in [
        ("monotonic = { indicator = \"n\" }", "6", (number(5), 1), Passed, "1 values"),
        ("monotonic = { indicator = \"n\" }", "4", (number(5), 1), Failed, "a: 5 → 4"),
        ("monotonic = { indicator = \"n\" }", "null", (number(5), 1), Failed, "a: 5 → missing"),
        ("monotonic = { indicator = \"n\", on_fail = \"warn\" }", "null", (number(0), 1), Warned, "a: 0 → missing"),
        ("monotonic = { indicator = \"n\" }", "null", (Value::Missing, 1), NotEvaluated, "no value with 1 earlier versions"),
        ("monotonic = { indicator = \"n\" }", "4", (Value::Missing, 1), NotEvaluated, "no value with 1 earlier versions"),
        ("jump = { indicator = \"n\", by = \"0.5\" }", "150", (number(100), 1), Passed, "1 values"),
        ("jump = { indicator = \"n\", by = \"0.5\" }", "151", (number(100), 1), Failed, "a: 100 → 151"),
        ("jump = { indicator = \"n\", by = \"0.5\", floor = \"60\" }", "151", (number(100), 1), Passed, "1 values"),
        ("jump = { indicator = \"n\", by = \"9\", floor = \"900\" }", "null", (number(100), 1), Failed, "a: 100 → missing"),
        ("jump = { indicator = \"n\", by = \"0.5\", needs_history = 2 }", "null", (number(9), 2), Failed, "a: 9 → missing"),
        (
            "jump = { indicator = \"n\", by = \"0.5\", needs_history = 3 }",
            "null",
            (number(9), 2),
            NotEvaluated,
            "no value with 3 earlier versions",
        ),
    ] {
        let said = word(gate, &body(&[("a", now)]), &[("a", past.0, past.1)]);
        assert_eq!(said, (outcome, detail.to_owned()), "{gate} {now}");
    }
}

#[test]
fn units_without_a_number_are_not_covered() {
    let covers = "covers = { units = \"commune\", at_least = \"1\" }";
    let one = |text: &str| text.replace("\"a\":1", "\"a\":null");
    for (answer, outcome, detail) in [
        (body(&[("a", "1"), ("b", "0")]), Passed, "2 of 2 units"),
        (body(&[("a", "1"), ("b", "null")]), Passed, "2 of 2 units"),
        (one(&body(&[("a", "1"), ("b", "null")])), Failed, "1 of 2 units; missing: Đơn vị b (b); at least 1 of them are needed"),
        (body(&[("a", "1")]), Failed, "1 of 2 units; missing: Đơn vị b (b); at least 1 of them are needed"),
    ] {
        assert_eq!(word(covers, &answer, &[]), (outcome, detail.to_owned()), "{answer}");
    }
}

#[test]
fn an_answer_whose_figures_turned_null_does_not_pass() {
    for (gate, rows, outcome, detail) in [
        ("present = { indicator = \"n\", at_least = \"0.5\" }", &[("a", "1"), ("b", "null")][..], Passed, "1 of 2 readings are numbers"),
        (
            "present = { indicator = \"n\", at_least = \"0.6\" }",
            &[("a", "1"), ("b", "null")],
            Failed,
            "1 of 2 readings are numbers; at least 0.6 of them are needed",
        ),
        (
            "present = { indicator = \"n\", at_least = \"0.5\", on_fail = \"warn\" }",
            &[("a", "null"), ("b", "null")],
            Warned,
            "0 of 2 readings are numbers; at least 0.5 of them are needed",
        ),
        ("present = { indicator = \"score\", item = \"A\", at_least = \"1\" }", &[("a", "null")], Passed, "1 of 1 readings are numbers"),
        (
            "present = { indicator = \"score\", item = \"B\", at_least = \"1\" }",
            &[("a", "1")],
            Failed,
            "0 of 0 readings are numbers; at least 1 of them are needed",
        ),
    ] {
        assert_eq!(word(gate, &body(rows), &[]), (outcome, detail.to_owned()), "{gate}");
    }
}

#[test]
fn dates_are_recent_and_agree() {
    let fresh = "fresh = { value = \"$.at[*]\", format = \"%d/%m/%Y\", max_age = \"36h\" }";
    for (at, outcome, words) in [
        ("\"01/10/2026\"", Passed, "says 01/10/2026, due 2026-10-01 07:00"),
        ("\"30/09/2026\"", Passed, "says 30/09/2026"),
        ("\"02/10/2026\"", Passed, "says 02/10/2026"),
        ("\"29/09/2026\"", Failed, "older than"),
        ("\"03/10/2026\"", Failed, "more than a day in the future"),
        ("\"30/09/2026\",\"30/09/2026\"", Passed, "says 30/09/2026"),
        ("\"30/09/2026\",\"01/10/2026\"", Failed, "two dates are stated"),
        ("\"30/09/2026\",\"x\"", Failed, "is not a date like"),
        ("", Failed, "no date at"),
    ] {
        let answer = body(&[("a", "1")]).replacen('{', &format!("{{\"at\":[{at}],"), 1);
        let (said, detail) = word(fresh, &answer, &[]);
        assert!(said == outcome && detail.contains(words), "{at}: {said:?} {detail}");
    }
}
