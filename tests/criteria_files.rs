//! Criteria files: the shipped ones load, and each thing wrong once gives one problem at its place.

use std::path::PathBuf;

use thuocdo::catalogue::problem::Problem;
use thuocdo::model::{Exact, UnitGroup};
use thuocdo::score::criteria::CriteriaSet;

const GOOD: &str = r#"schema = 1
id = "good"
title = { vi = "Tốt", en = "Good" }
cite = "Luật"
status = "proposed"
in_force = { from = "2026-01-01", to = "2026-12-31" }
applies = { unit_groups = ["department", "commune"] }
total = "20"
rank = { order = "competition", within = "unit_group" }
classes = [["15", "A"], ["5", "B"], ["0", "C"]]
mean = { of = "unit_group:commune", round_each_group = 2 }

[[group]]
id = "one"
max = "12"
cite = "Điều 1"
control = { of = "score", item = "ONE" }

  [[group.criterion]]
  id = "1.1"
  title = { vi = "Đúng hạn", en = "On time" }
  max = { department = "6", commune = "4" }
  rule.ratio = { of = ["a", "b"], over = "c", full_at = { department = "0.9", commune = "0.6" } }
  when_empty = "full"
  when_missing = "null"
  round = { model = "percent-binary64" }
  from = "portal"

  [[group.criterion]]
  id = "1.2"
  title = { vi = "Nhanh", en = "Fast" }
  max = { department = "6", commune = "8" }
  rule.ramp = { of = "days", zero_at = "60", full_at = "10" }
  evidence_needed = { origin = "measured" }

[[group]]
id = "two"
max = "8"

  [[group.criterion]]
  id = "2.1"
  title = { vi = "Họp", en = "Meetings" }
  cite = "Điều 2"
  max = "8"
  applies = { unit_groups = ["department"] }
  rule.bands = { of = "meetings", bands = [["4", "8"], ["3", "5"]] }

  [[group.criterion]]
  id = "2.2"
  title = { vi = "Cố định", en = "Constant" }
  cite = "Điều 2"
  max = "8"
  applies = { unit_groups = ["commune"] }
  rule.constant = "2"
"#;

fn problems(text: &str) -> Vec<Problem> {
    CriteriaSet::parse("criteria/good.toml", text).err().unwrap_or_default()
}

/// Wrong text instead of right text; where the problem stands (the text that begins there); words of its message.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("schema = 1", "schema = 2", "2\n", "schema 2 is not known"),
    ("schema = 1", "schemo = 1", "schemo", "unknown field"),
    ("id = \"good\"", "id = \"very good\"", "\"very good\"", "cannot be an id"),
    ("id = \"good\"", "id = \"better\"", "\"better\"", "not the file's name"),
    ("id = \"good\"", "id = 7", "7\n", "expected a string"),
    ("vi = \"Tốt\"", "vi = \" \"", "\" \"", "must not be empty"),
    ("vi = \"Tốt\", ", "", "{ en = \"Good\"", "missing field `vi`"),
    ("cite = \"Luật\"", "cite = \"\"", "\"\"", "citation is empty"),
    ("status = \"proposed\"", "status = \"likely\"", "\"likely\"", "unknown variant"),
    ("from = \"2026-01-01\"", "from = \"2026-13-01\"", "\"2026-13-01\"", "out of range"),
    ("to = \"2026-12-31\"", "to = \"2025-12-31\"", "{ from", "ends before"),
    ("unit_groups = [\"department\", \"commune\"]", "unit_groups = [\"department\", \"village\"]", "\"village\"", "unknown variant"),
    ("total = \"20\"", "total = 20", "20\n", "decimal number in quotes"),
    ("total = \"20\"", "total = \"21\"", "\"21\"", "groups add up to 20"),
    ("order = \"competition\"", "order = \"dense\"", "\"dense\"", "unknown variant"),
    ("[\"5\", \"B\"]", "[\"15\", \"B\"]", "[\"15\", \"B\"]", "descend"),
    ("[\"0\", \"C\"]", "[\"1\", \"C\"]", "[[\"15\"", "begin at \"0\""),
    ("unit_group:commune", "unit_group:province", "\"unit_group:province\"", "no unit group of this set"),
    ("round_each_group = 2", "round_each_group = -2", "-2", "expected u32"),
    ("id = \"two\"", "id = \"one\"", "\"one\"\nmax = \"8\"", "given twice"),
    ("max = \"12\"", "max = \"11\"", "\"11\"", "criteria of one add up to 12, not to 11"),
    ("max = \"12\"", "max = \"12,5\"", "\"12,5\"", "not a decimal number"),
    ("cite = \"Điều 1\"", "cite = \" \"", "\" \"", "citation is empty"),
    ("item = \"ONE\"", "itme = \"ONE\"", "itme", "unknown field"),
    ("id = \"1.2\"", "id = \"1.1\"", "\"1.1\"\n  title = { vi = \"Nhanh\"", "given twice"),
    ("department = \"6\", commune = \"4\"", "department = \"6\"", "{ department = \"6\" }", "max gives no value for commune"),
    ("department = \"6\", commune = \"4\"", "department = \"6.001\", commune = \"4\"", "{ department = \"6.001\"", "at most two decimals"),
    (
        "department = \"6\", commune = \"4\"",
        "district = \"1\", department = \"6\", commune = \"4\"",
        "{ district",
        "max gives a value for district",
    ),
    ("rule.ratio", "rule.ration", "ration", "unknown variant"),
    ("rule.ratio = { of = [\"a\", \"b\"]", "rule.ratio = { of = []", "[]", "must be named"),
    ("over = \"c\"", "ovre = \"c\"", "ovre", "unknown field"),
    ("commune = \"0.6\" }", "commune = \"0\" }", "{ department = \"0.9\"", "full_at must be above 0"),
    ("commune = \"0.6\" }", "commune = 0.6 }", "0.6 }", "decimal number in quotes"),
    ("  when_empty = \"full\"\n", "", "rule.ratio", "0 of 0"),
    ("when_empty = \"full\"", "when_empty = \"half\"", "\"half\"", "unknown variant"),
    ("when_missing = \"null\"", "when_missing = \"zero\"", "\"zero\"", "unknown variant"),
    ("model = \"percent-binary64\"", "model = \"bankers\"", "\"bankers\"", "unknown variant"),
    ("zero_at = \"60\", full_at = \"10\" }", "zero_at = \"10\", full_at = \"10\" }", "\"10\" }", "are the same"),
    ("of = \"days\"", "of = [\"days\", \"more\"]", "[\"days\"", "a gauge is one indicator"),
    ("full_at = \"10\" }", "full_at = \"10\" }\n  when_empty = \"zero\"", "\"zero\"", "no effect"),
    (
        "full_at = \"10\" }",
        "full_at = \"10\" }\n  round = { model = \"percent-binary64\" }",
        "{ model = \"percent-binary64\" }\n  evidence",
        "ratio rules only",
    ),
    ("origin = \"measured\"", "covers = \"0.9\"", "covers", "unknown field"),
    ("origin = \"measured\"", "coverage = \"0\"", "\"0\"", "above 0 and at most 1"),
    ("origin = \"measured\"", "coverage = \"1.01\"", "\"1.01\"", "above 0 and at most 1"),
    ("origin = \"measured\"", "coverage = 0.9", "0.9", "decimal number in quotes"),
    ("{ origin = \"measured\" }", "{}", "{}", "names nothing"),
    ("origin = \"measured\"", "origin = \"felt\"", "\"felt\"", "unknown variant"),
    (
        "  cite = \"Điều 2\"\n  max = \"8\"\n  applies = { unit_groups = [\"department\"] }",
        "  max = \"8\"\n  applies = { unit_groups = [\"department\"] }",
        "[[group.criterion]]\n  id = \"2.1\"",
        "no citation",
    ),
    (
        "applies = { unit_groups = [\"department\"] }",
        "applies = { unit_groups = [\"province\", \"department\"] }",
        "[\"province\"",
        "does not apply to province",
    ),
    ("[\"3\", \"5\"]", "[\"5\", \"5\"]", "[\"5\", \"5\"]", "bands must descend"),
    ("[\"4\", \"8\"]", "[\"4\", \"9\"]", "[\"4\", \"9\"]", "outside 0 and the maximum"),
    ("rule.constant = \"2\"", "rule.constant = \"9\"", "\"9\"", "outside 0 and the maximum"),
    ("rule.constant = \"2\"", "rule.constant = \"2\"\n  rule.flag = { of = \"x\" }", "rule.constant", "wanted exactly 1 element"),
    ("rule.constant = \"2\"", "rule.constant = \"2\"\n  max = \"8\"", "max = \"8\"\n", "duplicate key"),
];

#[test]
fn each_fault_is_named_once_at_its_place() {
    assert_eq!(problems(GOOD), Vec::new());
    let mut wrong = Vec::new();
    for (right, instead, place, words) in WRONG {
        assert!(GOOD.contains(right), "{right}");
        let text = GOOD.replacen(right, instead, 1);
        let found = problems(&text);
        let begins = |problem: &Problem| {
            let line = text.lines().nth(problem.line - 1).unwrap_or_default();
            let column = line.char_indices().nth(problem.column - 1).map_or(line.len(), |(at, _)| at);
            let before: usize = text.lines().take(problem.line - 1).map(|line| line.len() + 1).sum();
            text[before + column..].starts_with(place)
        };
        match found.as_slice() {
            [problem] if begins(problem) && problem.message.contains(words) && !problem.fix.is_empty() => {}
            other => wrong.push(format!("{instead:?}: {}", other.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("criteria files: {} of {} faults named once, at their place", WRONG.len(), WRONG.len());
}

#[test]
fn names_of_other_files_are_reported_where_they_stand() {
    let set = CriteriaSet::parse("good.toml", GOOD).expect("the good file");
    assert_eq!(set.indicators().map(|(id, _)| id).collect::<Vec<_>>(), ["score", "a", "b", "c", "days", "meetings"]);
    let found = set.check_indicators(&|id| id != "days");
    let line = GOOD.lines().position(|line| line.contains("\"days\"")).expect("a line") + 1;
    assert_eq!(found.iter().map(|p| (p.line, p.message.as_str())).collect::<Vec<_>>(), [(line, "there is no indicator \"days\"")]);
    assert_eq!(set.check_collectors(&|_| false).len(), 1);
    assert_eq!(set.check_collectors(&|id| id == "portal"), Vec::new());
}

#[test]
fn shipped_sets_load_and_differ_as_they_say() {
    let load = |id: &str| {
        let file = format!("criteria/{id}.toml");
        let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&file)).expect("a shipped file");
        CriteriaSet::parse(&file, &text).unwrap_or_else(|problems| panic!("{}", problems[0]))
    };
    let (practice, text) = (load("qd766-2026"), load("qd766-as-written"));
    let formulas = |set: &CriteriaSet| {
        set.criteria().map(|c| (c.id.clone(), c.rule.clone(), c.max.clone(), c.when_empty, c.round)).collect::<Vec<_>>()
    };
    let differing: Vec<String> = formulas(&practice).into_iter().zip(formulas(&text)).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
    assert_eq!(differing, ["4.2"]);
    assert_eq!(load("qd766-published").criteria().count(), 6);
    let documents = load("qn-documents");
    let target = |unit_group: UnitGroup| {
        let work_files = documents.criteria().find(|c| c.id == "30").map(|c| c.rule.clone());
        match work_files {
            Some(thuocdo::score::rule::Rule::Ratio { full_at, .. }) => full_at.of(unit_group).map(|target: Exact| target.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let targets = [UnitGroup::Department, UnitGroup::District, UnitGroup::Commune, UnitGroup::Province].map(target);
    assert_eq!(targets, [Some("0.9".to_owned()), Some("0.8".to_owned()), Some("0.6".to_owned()), None]);
}

#[test]
fn no_text_makes_the_reader_panic() {
    for end in (0..GOOD.len()).filter(|&at| GOOD.is_char_boundary(at)) {
        let _ = problems(&GOOD[..end]);
    }
    assert_eq!(problems("").len(), 1);
}
