//! States of a line, end to end through `score`: what is known, missing, empty, partial or disputed, and what others read of it.

use thuocdo::model::{Exact, Observation, Origin, Period, RunId, Ts, Unit, UnitGroup, Value};
use thuocdo::score::criteria::CriteriaSet;
use thuocdo::score::explain::{Lang, explain, reread_warning};
use thuocdo::score::{Input, LineState, Points, ScoreError, ScoreRun, score};

/// A set of one criterion worth 10.
fn set(criterion: &str) -> CriteriaSet {
    let text = format!(
        r#"
schema = 1
id = "test"
title = {{ vi = "Thử", en = "Test" }}
cite = "none"
status = "proposed"
in_force = {{ from = "2026-01-01" }}
applies = {{ unit_groups = ["commune"] }}
total = "10"
rank = {{ order = "competition", within = "unit_group" }}
classes = [["8", "A"], ["0", "B"]]
mean = {{ of = "unit_group:commune", round_each_group = 2 }}
[[group]]
id = "g"
max = "10"
[[group.criterion]]
id = "c"
title = {{ vi = "Tiêu chí", en = "Criterion" }}
cite = "none"
max = "10"
{criterion}
"#
    );
    CriteriaSet::parse("test.toml", &text).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn ts(text: &str) -> Ts {
    text.parse().expect("an instant")
}

fn unit(id: &str) -> Unit {
    Unit {
        id: id.to_owned(),
        code: id.to_owned(),
        name: id.to_owned(),
        unit_group: UnitGroup::Commune,
        kind: "xã".to_owned(),
        parent: None,
        valid_from: None,
        valid_to: None,
        decision: String::new(),
    }
}

/// `indicator=value`, `indicator@collector=value`; no value is "the source says it has none".
fn observation(text: &str) -> Observation {
    let (name, value) = text.split_once('=').expect("a value");
    let (indicator, collector) = name.split_once('@').unwrap_or((name, "s"));
    let (indicator, item) = indicator.split_once('/').unwrap_or((indicator, ""));
    let recorded_at = ts("2026-03-01T00:00:00Z");
    Observation {
        indicator: indicator.to_owned(),
        unit: "u".to_owned(),
        item: item.to_owned(),
        collector: collector.to_owned(),
        period: "2026".parse().expect("a year"),
        value: value.parse().map_or(Value::Missing, Value::Number),
        flag: String::new(),
        recorded_at,
        last_checked: recorded_at,
        run: RunId { collector: collector.to_owned(), due_at: recorded_at },
        request: 1,
    }
}

fn run<'a>(set: &'a CriteriaSet, units: &[&'a Unit], observations: &'a [Observation], as_of: &str) -> ScoreRun<'a> {
    let origins = |collector: &str| match collector {
        "form" => Some(Origin::Declared),
        "gone" => None,
        _ => Some(Origin::Measured),
    };
    let preferred = |indicator: &str| (indicator == "settled").then(|| "s".to_owned());
    let input = Input {
        period: "2026".parse().expect("a year"),
        as_of: ts(as_of),
        units,
        observations,
        origins: &origins,
        preferred: &preferred,
        within: &|_| None,
    };
    score(set, &input).expect("a scoring")
}

fn between(least: &str, most: &str) -> Option<Points> {
    Some(Points::Between(least.parse().expect("points"), most.parse().expect("points")))
}

fn known(points: &str) -> Option<Points> {
    Some(Points::Known(points.parse().expect("points")))
}

const RATIO: &str = r#"rule.ratio = { of = ["a", "b"], over = "d", full_at = "1" }"#;
const FALL: &str = r#"rule.ramp = { of = "g", zero_at = "5", full_at = "1" }"#;
const RAMP: &str = "rule.ramp = { of = \"a\", over = \"d\", zero_at = \"0.95\", full_at = \"0.995\" }\nwhen_empty = \"null\"";
const BANDS: &str = r#"rule.bands = { of = "g", bands = [["4", "10"], ["2", "5"]] }"#;
const PUBLISHED: &str = r#"rule.published = { of = "p", item = "X" }"#;
const SETTLED: &str = "rule.ratio = { of = \"settled\", over = \"d\", full_at = \"1\" }\nwhen_empty = \"zero\"";
const FLAG: &str = r#"rule.flag = { of = "g" }"#;

/// A criterion, what was said, the state and the points.
type Case<'c> = (&'c str, &'c [&'c str], LineState, Option<Points>);

fn check(cases: &[Case<'_>]) {
    let unit = unit("u");
    for (criterion, said, state, points) in cases {
        let (set, observations) = (set(criterion), said.iter().map(|text| observation(text)).collect::<Vec<_>>());
        let run = run(&set, &[&unit], &observations, "2026-12-31T00:00:00Z");
        let sheet = &run.sheets[0];
        let line = &sheet.groups[0].lines[0];
        assert_eq!((line.state, line.points), (*state, *points), "{criterion}\n{said:?}");
        assert_eq!((sheet.complete, sheet.rank.is_some()), (state.complete(), state.complete()), "{said:?}");
        assert_eq!(run.mean.as_ref().is_some_and(|mean| mean.total.is_some()), state.complete(), "{said:?}");
        assert_eq!(run.cohorts[0].unranked.len(), usize::from(!state.complete()), "{said:?}");
    }
}

#[test]
fn states_of_a_quotient() {
    use LineState::{Disputed, NoEvidence, NotApplicable, Partial, Scored};
    let full = &format!("{RATIO}\nwhen_empty = \"full\"");
    let zero = &format!("{RATIO}\nwhen_empty = \"zero\"");
    let null = &format!("{RATIO}\nwhen_empty = \"null\"\nwhen_missing = \"null\"");
    check(&[
        (full, &["a=3", "b=4", "d=10"], Scored, known("7")),
        (full, &["a=0", "b=0", "d=10"], Scored, known("0")),
        (full, &["a=0", "b=0", "d=0"], Scored, known("10")),
        (zero, &["a=0", "b=0", "d=0"], Scored, known("0")),
        (null, &["a=0", "b=0", "d=0"], NotApplicable, None),
        (null, &["a=", "b=", "d="], NotApplicable, None),
        (null, &["a=", "b=3", "d=9"], Partial, between("3.33", "10")),
        (null, &["a=", "b=", "d=9"], Partial, between("0", "10")),
        (null, &["a=2", "b=3", "d="], Partial, between("0", "10")),
        (null, &["a=", "d=9"], Partial, between("0", "10")),
        (null, &["a=", "b="], NoEvidence, between("0", "10")),
        (null, &["a=", "b=", "d@s=5", "d@t=8"], Disputed, between("0", "10")),
        (zero, &["a=", "b=", "d="], NoEvidence, between("0", "10")),
        (zero, &[], NoEvidence, between("0", "10")),
        (zero, &["a=1", "b=0", "d=0"], NoEvidence, between("0", "10")),
        (zero, &["a=-1", "b=0", "d=5"], NoEvidence, between("0", "10")),
        (zero, &["a=-1", "b=5", "d=8"], NoEvidence, between("0", "10")),
        (zero, &["a=-1", "d=8"], NoEvidence, between("0", "10")),
        (zero, &["a@s=-1", "a@t=2", "b=1", "d=8"], NoEvidence, between("0", "10")),
        (zero, &["a=3", "d=10"], Partial, between("3", "10")),
        (zero, &["a=3", "b=1"], Partial, between("0", "10")),
        (zero, &["d=10"], Partial, between("0", "10")),
        (zero, &["a@s=3", "a@t=5", "b=1", "d=10"], Disputed, between("4", "6")),
        (zero, &["a@s=3", "a@t=3", "b=1", "d=10"], Scored, known("4")),
        (zero, &["a=4", "b=0", "d@s=5", "d@t=8"], Disputed, between("5", "8")),
        (zero, &["a@s=4", "a@t=", "b=0", "d=8"], Disputed, between("0", "10")),
    ]);
}

#[test]
fn states_by_source() {
    use LineState::{NoEvidence, Scored};
    let from = &format!("{SETTLED}\nfrom = \"t\"");
    let needing = |needed: &str| format!("{RATIO}\nwhen_empty = \"zero\"\nevidence_needed = {{ {needed} }}");
    let (covered, whole) = (&needing("coverage = \"0.95\", origin = \"measured\""), &needing("coverage = \"1\""));
    let (measured, declared) = (&needing("origin = \"measured\""), &needing("origin = \"declared\""));
    check(&[
        (SETTLED, &["settled@s=1", "settled@t=2", "d=2"], Scored, known("5")),
        (SETTLED, &["settled@t=2", "d=2"], Scored, known("10")),
        (from, &["settled@s=1", "settled@t=2", "d@t=2"], Scored, known("10")),
        (from, &["settled@s=1", "d@s=2"], NoEvidence, between("0", "10")),
        (measured, &["a@form=3", "b@form=4", "d@form=10"], NoEvidence, between("0", "10")),
        (declared, &["a@form=3", "b@form=4", "d@form=10"], Scored, known("7")),
        (measured, &["a@gone=3", "b@gone=4", "d@gone=10"], NoEvidence, between("0", "10")),
        (covered, &["a=3", "b=4", "d=10"], Scored, known("7")),
        (covered, &["a@form=3", "b@form=4", "d@form=10"], NoEvidence, between("0", "10")),
        (whole, &["a@gone=3", "b@gone=4", "d@gone=10"], Scored, known("7")),
        (declared, &["a@gone=3", "b@gone=4", "d@gone=10"], NoEvidence, between("0", "10")),
    ]);
}

#[test]
fn states_of_the_other_rules() {
    use LineState::{Disputed, NoEvidence, Partial, Scored};
    check(&[
        (FALL, &["g=2"], Scored, known("7.5")),
        (FALL, &["g=0.5"], Scored, known("10")),
        (FALL, &["g=9"], Scored, known("0")),
        (FALL, &["g@s=2", "g@t=3"], Disputed, between("5", "7.5")),
        (RAMP, &["a=980", "d=1000"], Scored, known("6.67")),
        (RAMP, &["a=980"], Partial, between("0", "10")),
        (BANDS, &["g=4"], Scored, known("10")),
        (BANDS, &["g=3.99"], Scored, known("5")),
        (BANDS, &["g=1"], Scored, known("0")),
        (FLAG, &["g=1"], Scored, known("10")),
        (FLAG, &["g=0"], Scored, known("0")),
        (FLAG, &["g=2"], NoEvidence, between("0", "10")),
        ("rule.constant = \"4\"", &[], Scored, known("4")),
        (PUBLISHED, &["p/X=8.56"], Scored, known("8.56")),
        (PUBLISHED, &["p/X=10.01"], NoEvidence, between("0", "10")),
        (PUBLISHED, &["p/Y=8.56"], NoEvidence, between("0", "10")),
        (PUBLISHED, &["p/X@s=8", "p/X@t=9"], Disputed, between("8", "9")),
        ("rule.declared = {}", &["declared_points/c=6.5"], Scored, known("6.5")),
        ("rule.declared = {}", &[], NoEvidence, between("0", "10")),
    ]);
}

#[test]
fn a_set_names_everything_that_its_scoring_reads() {
    let control = "control = { of = \"p\", item = \"X\" }";
    let cases: [(&str, &[&str]); 3] = [
        ("rule.declared = {}", &["declared_points"]),
        (SETTLED, &["d", "settled"]),
        ("rule.ratio = { of = [\"p\", \"a\"], over = \"a\", full_at = \"1\" }\nwhen_empty = \"zero\"", &["a", "p"]),
    ];
    for (criterion, want) in cases {
        assert_eq!(set(criterion).input_indicators(), want, "{criterion}");
        let with_control: std::collections::BTreeSet<_> = want.iter().copied().chain(["p"]).collect();
        assert_eq!(set(&format!("{criterion}\n{control}")).input_indicators(), Vec::from_iter(with_control), "{criterion}");
    }
    assert_eq!(set("rule.declared = {}").indicators().count(), 0, "declared_points is no indicator of the registry");
}

#[test]
fn a_class_needs_both_ends() {
    let set = set("rule.ratio = { of = [\"a\", \"b\"], over = \"d\", full_at = \"1\" }\nwhen_empty = \"zero\"");
    let unit = unit("u");
    for (said, class) in [(&["a=9", "d=10"][..], Some("A")), (&["a=3", "d=10"], None), (&["a=3", "b=1", "d=10"], Some("B"))] {
        let observations: Vec<Observation> = said.iter().map(|text| observation(text)).collect();
        let run = run(&set, &[&unit], &observations, "2026-12-31T00:00:00Z");
        assert_eq!(run.sheets[0].class, class, "{said:?}");
        assert_eq!(run.sheets[0].rank.is_some(), said.len() == 3, "{said:?}");
    }
}

#[test]
fn a_place_that_a_range_could_overturn_is_a_range() {
    let ratio = "rule.ratio = { of = [\"a\", \"b\"], over = \"d\", full_at = \"1\" }\nwhen_empty = \"zero\"";
    let set = set(ratio);
    let units = ["first", "open", "second", "tied"].map(unit);
    let units: Vec<&Unit> = units.iter().collect();
    // 9, at least 3, 5, 5: the range reaches above everybody.
    let told = |hidden: &str| {
        let said = ["first:a=9", "first:b=0", "open:a=3", hidden, "second:a=5", "second:b=0", "tied:a=4", "tied:b=1"];
        let all = said.into_iter().chain(["first:d=10", "open:d=10", "second:d=10", "tied:d=10"]);
        all.map(|text| {
            let (unit, text) = text.split_once(':').expect("a unit");
            Observation { unit: unit.to_owned(), ..observation(text) }
        })
        .collect::<Vec<_>>()
    };
    type Place = (Option<u32>, Option<(u32, u32)>);
    let cases: [(&str, [Place; 4], usize); 3] = [
        ("open:z=0", [(None, Some((1, 2))), (None, Some((1, 4))), (None, Some((2, 3))), (None, Some((2, 3)))], 0),
        ("open:b@s=0", [(Some(1), Some((1, 1))), (Some(4), Some((4, 4))), (Some(2), Some((2, 2))), (Some(2), Some((2, 2)))], 4),
        ("open:b=3", [(Some(1), Some((1, 1))), (Some(2), Some((2, 2))), (Some(3), Some((3, 3))), (Some(3), Some((3, 3)))], 4),
    ];
    for (hidden, want, ranked) in cases {
        let observations = told(hidden);
        let run = run(&set, &units, &observations, "2026-12-31T00:00:00Z");
        assert_eq!(run.sheets.iter().map(|sheet| (sheet.rank, sheet.rank_between)).collect::<Vec<_>>(), want, "{hidden}");
        assert_eq!(run.sheets.iter().map(|s| (s.groups[0].rank, s.groups[0].rank_between)).collect::<Vec<_>>(), want, "{hidden}");
        let cohort = &run.cohorts[0];
        assert_eq!((cohort.ranked, cohort.ranked + cohort.unranked.len()), (ranked, cohort.size), "{hidden}");
        let why = cohort.unranked.iter().map(|unranked| unranked.criteria.len()).collect::<Vec<_>>();
        assert_eq!(why, if ranked == 0 { vec![0, 1, 0, 0] } else { vec![] }, "{hidden}");
    }
    // A range that stays below leaves the others their places.
    let mut observations = told("open:b@s=0");
    observations.extend(["b@t=1"].map(|text| Observation { unit: "open".to_owned(), ..observation(text) }));
    let run = run(&set, &units, &observations, "2026-12-31T00:00:00Z");
    let places = run.sheets.iter().map(|sheet| (sheet.rank, sheet.rank_between)).collect::<Vec<_>>();
    assert_eq!(places, [(Some(1), Some((1, 1))), (None, Some((4, 4))), (Some(2), Some((2, 2))), (Some(2), Some((2, 2)))]);
}

#[test]
fn only_what_was_known_then_counts() {
    let set = set("rule.ratio = { of = \"a\", over = \"d\", full_at = \"1\" }\nwhen_empty = \"zero\"");
    let unit = unit("u");
    let mut later = observation("a=9");
    later.recorded_at = ts("2026-06-01T00:00:00Z");
    let mut other_year = observation("a=1");
    other_year.period = Period::holding(thuocdo::model::PeriodKind::Month, other_year.period.start());
    let observations = [later, observation("a=3"), observation("d=10"), other_year];
    for (as_of, points) in [("2026-02-01T00:00:00Z", None), ("2026-05-01T00:00:00Z", Some("3")), ("2026-06-01T00:00:00Z", Some("9"))] {
        let run = run(&set, &[&unit], &observations, as_of);
        assert_eq!(run.sheets[0].total.known(), points.map(|points| points.parse::<Exact>().expect("points")), "{as_of}");
    }
}

#[test]
fn refusals_name_set_and_unit() {
    let set = set("rule.constant = \"4\"");
    let unit = unit("u");
    let input = |period: &str, units: &[&Unit]| {
        let input = Input {
            period: period.parse().expect("a period"),
            as_of: ts("2026-12-31T00:00:00Z"),
            units,
            observations: &[],
            origins: &|_| Some(Origin::Measured),
            preferred: &|_| None,
            within: &|_| None,
        };
        score(&set, &input).err()
    };
    assert!(matches!(input("2025-12", &[&unit]), Some(ScoreError::NotInForce { set, .. }) if set == "test"));
    assert_eq!(input("2026", &[&unit, &unit]), Some(ScoreError::UnitTwice("u".to_owned())));
}

#[test]
fn output_follows_its_schema() {
    let schema = serde_json::from_str(include_str!("../docs/score.schema.json")).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let (unit, other) = (unit("u"), Unit { unit_group: UnitGroup::District, ..unit("d") });
    let text = include_str!("../criteria/qd766-2026.toml");
    let shipped = CriteriaSet::parse("criteria/qd766-2026.toml", text).expect("a shipped file");
    let all = [
        "dossier_on_time_count=1652",
        "dossier_processed_count@s=2270",
        "dossier_processed_count@gone=2271",
        "national_index_score/TDGQ=14.56",
    ];
    let null = ["eresult_count=", "eresult_due_count=", "digitised_count=284995", "digitised_due_count=443565", "reused_count=7"];
    for said in [&[][..], &all, &null] {
        let observations: Vec<Observation> = said.iter().map(|text| observation(text)).collect();
        let run = run(&shipped, &[&unit, &other], &observations, "2026-12-31T00:00:00Z");
        let json = serde_json::to_value(&run).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        assert_eq!(json.to_string().contains(r#""collector":"gone","origin":null"#), said.contains(&all[2]), "{json}");
        assert_eq!(json["not_assessed"], serde_json::json!(["d"]));
    }
    assert!(!validator.is_valid(&serde_json::json!({ "schema": 1 })));
}

#[test]
fn explains_down_to_the_run() {
    let unit = unit("Sở Công Thương");
    let set =
        set("rule.ratio = { of = \"a\", over = \"d\", full_at = \"0.5\" }\nwhen_empty = \"zero\"\ncontrol = { of = \"p\", item = \"X\" }");
    let mut observations = ["a=1234", "d=4321", "p/X=5.7"].map(observation);
    observations.iter_mut().for_each(|o| o.unit.clone_from(&unit.id));
    let run = run(&set, &[&unit], &observations, "2026-12-31T00:00:00Z");
    let sheet = &run.sheets[0];
    let mut tree = explain(run.period, sheet, &sheet.groups[0].lines[0], Lang::Vi);
    assert_eq!(tree.text, "Sở Công Thương: c Tiêu chí, 5,71 / 10 điểm");
    assert_eq!(tree.because[0].text, "10 × 1.234 / (4.321 × 0,5) = 5,7116… → 5,71 (làm tròn nửa lên 0,01)");
    assert_eq!(tree.because[0].because[0].text, "tử số a");
    assert_eq!(tree.because[0].because[0].because[0].text, "1.234 ← s@2026-03-01T00:00:00Z, yêu cầu 1, ghi nhận từ 2026-03-01T00:00:00Z");
    assert_eq!(tree.because[1].text, "Căn cứ: none (đề xuất)");
    assert_eq!(tree.because[2].text, "Điểm nguồn công bố (s): 5,70, KHÔNG khớp");
    let origins = tree.origins_mut();
    let what = origins.iter().map(|origin| (origin.indicator.as_str(), origin.period.to_string(), origin.value.to_string()));
    let want = [("a", "1234"), ("d", "4321"), ("p", "5.7")].map(|(indicator, value)| (indicator, "2026".to_owned(), value.to_owned()));
    assert_eq!(what.collect::<Vec<_>>(), want);
    let english = explain(run.period, sheet, &sheet.groups[0].lines[0], Lang::En);
    assert_eq!(english.because[0].text, "10 × 1,234 / (4,321 × 0.5) = 5.7116… → 5.71 (half-up to 0.01)");
}

#[test]
fn a_value_read_once_more_is_compared_with_the_recorded_one() {
    let number = |text: &str| Value::Number(text.parse().expect("a number"));
    for (recorded, now, vi, en) in [
        (number("1234"), Some(number("1234.0")), None, None),
        (Value::Missing, Some(Value::Missing), None, None),
        (
            number("1234"),
            Some(number("12.5")),
            Some("KHÔNG khớp: đọc lại là: 12,5; đã ghi nhận: 1.234"),
            Some("DIFFERS: read once more: 12.5; recorded: 1,234"),
        ),
        (
            number("0"),
            Some(Value::Missing),
            Some("KHÔNG khớp: đọc lại là: nguồn công bố không có số liệu; đã ghi nhận: 0"),
            Some("DIFFERS: read once more: stated as missing; recorded: 0"),
        ),
        (
            number("7"),
            None,
            Some(
                "KHÔNG đọc lại được giá trị này bằng bảng mã và danh mục đơn vị hiện nay (byte còn nguyên hay không: xem lệnh verify); đã ghi nhận: 7",
            ),
            Some("NOT FOUND with today's code maps and registry (whether the bytes are whole: see verify); recorded: 7"),
        ),
    ] {
        assert_eq!(reread_warning(recorded, now, Lang::Vi).as_deref(), vi);
        assert_eq!(reread_warning(recorded, now, Lang::En).as_deref(), en);
    }
}
