//! What a source can say of a count, from its answer to the state of a line: never a zero that nobody stated.

use std::fmt::Write;

use serde_json::{Value as Json, json};
use thuocdo::model::{Exact, Reason, RequestOutcome, RunState, Severity, UnitGroup, Value};
use thuocdo::score::{LineState, Points, rule::Why};

use crate::installation::Installation;
use crate::{on_both, period, ts};

/// List of the answer, numerator, denominator, criterion of `qd766-2026`.
const PAIRS: [(&str, &str, &str, &str); 5] = [
    ("progress", "dossier_on_time_count", "dossier_processed_count", "2.1"),
    ("payment", "payment_dossier_count", "payment_obligation_count", "3.6"),
    ("petitions", "petition_on_time_count", "petition_on_time_due_count", "5.2"),
    ("transparency", "tthc_published_on_time_count", "tthc_published_count", "1.1"),
    ("digitised", "eresult_count", "eresult_due_count", "4.1"),
];

/// State and points, or why there are none.
type Right = (LineState, Option<(&'static str, &'static str)>, Option<Why>);

const fn scored(points: &'static str) -> Right {
    (LineState::Scored, Some((points, points)), None)
}

const NOT_APPLICABLE: Right = (LineState::NotApplicable, None, None);

const fn nothing_known(why: Why, max: &'static str) -> Right {
    (LineState::NoEvidence, Some(("0", max)), Some(why))
}

const fn partly_known(max: &'static str) -> Right {
    (LineState::Partial, Some(("0", max)), None)
}

/// List, numerator and denominator as they stand in the answer, what must become of them.
fn cases() -> Vec<(&'static str, Json, Json, Right)> {
    vec![
        ("progress", json!(8), json!(10), scored("16")),
        ("progress", json!("8"), json!("10"), scored("16")),
        ("progress", json!(0), json!(5), scored("0")),
        ("progress", json!(0), json!(0), scored("0")),
        ("progress", json!(null), json!(null), nothing_known(Why::StatedMissing, "20")),
        ("progress", json!(""), json!(""), nothing_known(Why::StatedMissing, "20")),
        ("progress", json!("-"), json!("-"), nothing_known(Why::StatedMissing, "20")),
        ("progress", json!(null), json!(10), partly_known("20")),
        ("progress", json!(8), json!(null), partly_known("20")),
        ("progress", json!(3), json!(0), nothing_known(Why::ZeroDenominator, "20")),
        ("payment", json!(0), json!(0), scored("0")),
        ("payment", json!(null), json!(null), nothing_known(Why::StatedMissing, "6")),
        ("petitions", json!(0), json!(0), scored("6")),
        ("petitions", json!(0), json!(5), scored("0")),
        ("transparency", json!(0), json!(0), NOT_APPLICABLE),
        ("transparency", json!(null), json!(null), nothing_known(Why::StatedMissing, "6")),
        ("digitised", json!(0), json!(0), NOT_APPLICABLE),
        ("digitised", json!(null), json!(null), NOT_APPLICABLE),
        ("digitised", json!(1), json!(2), scored("3")),
    ]
}

/// One `[[rows]]` for each list; what stands for "no value" is declared.
fn collector() -> (String, String) {
    let mut text = "schema = 1\nid = \"states\"\ntitle = { vi = \"Trạng thái\", en = \"States\" }\nowner = \"test\"\n\
                    [schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"states*.json\"\nsettle = \"1ms\"\n"
        .to_owned();
    for (list, numerator, denominator, _) in PAIRS {
        write!(text, "[[rows]]\nfrom = {{ json = \"$.{list}[*]\" }}\nunit = {{ value = \"$.unit\", codes = \"states\" }}\n")
            .expect("a text");
        writeln!(text, "period = {{ year = \"2026\" }}").expect("a text");
        for (indicator, key) in [(numerator, "part"), (denominator, "whole")] {
            write!(text, "[[rows.read]]\nindicator = {indicator:?}\nvalue = \"$.{key}\"\nmissing = [\"\", \"-\"]\n").expect("a text");
        }
    }
    ("collectors/states.toml".to_owned(), text)
}

/// Every case in a row of its own unit; the ratio beside it is the source's and is not read.
fn answer(cases: &[(&str, Json, Json, Right)], units: &[String]) -> Json {
    let mut answer = json!({});
    for (list, _, _, _) in PAIRS {
        answer[list] = json!([]);
    }
    for ((list, part, whole, _), unit) in cases.iter().zip(units) {
        let row = json!({ "unit": unit, "part": part, "whole": whole, "ratio": null });
        answer[*list].as_array_mut().expect("a list").push(row);
    }
    answer
}

/// Unit, criterion, state, points, why, and whether the unit has a place in the group.
type Line = (String, String, LineState, Option<Points>, Option<Why>, bool);

/// The lines of the criteria in question as known on a day of October.
async fn lines(installation: &Installation, day: &str) -> Vec<Line> {
    let of_interest = |criterion: &str| PAIRS.iter().any(|(_, _, _, id)| *id == criterion);
    let as_of = ts(&format!("2026-10-{day}T12:00:00Z"));
    installation
        .scored("qd766-2026", Some("H49"), period("2026"), as_of, |run| {
            let groups = run.sheets.iter().flat_map(|sheet| sheet.groups.iter().map(move |group| (sheet, group)));
            let lines = groups.flat_map(|(sheet, group)| group.lines.iter().map(move |line| (sheet, group, line)));
            lines
                .filter(|(_, _, line)| of_interest(line.criterion))
                .map(|(sheet, group, line)| {
                    (sheet.unit.to_owned(), line.criterion.to_owned(), line.state, line.points, line.why, group.rank.is_some())
                })
                .collect()
        })
        .await
}

fn points((least, most): (&str, &str)) -> Points {
    let exact = |text: &str| text.parse::<Exact>().expect("points");
    if least == most { Points::Known(exact(least)) } else { Points::Between(exact(least), exact(most)) }
}

#[tokio::test]
async fn every_word_of_a_source_ends_in_its_state() {
    let name = "every_word_of_a_source_ends_in_its_state";
    let cases = cases();
    on_both(name, async |db| {
        let plain = Installation::new(&db, []);
        let below = plain.catalogue.registry.below("H49", period("2026-10-08"));
        let communes: Vec<String> =
            below.into_iter().filter(|unit| unit.unit_group == UnitGroup::Commune).map(|unit| unit.id.clone()).collect();
        let codes = communes.iter().map(|id| format!("{id},{id},,\n")).collect::<String>();
        let codes = ("registry/codes/states.csv".to_owned(), format!("code,unit,valid_from,valid_to\n{codes}"));
        let installation = Installation::new(&db, [collector(), codes]);

        installation.drop_in("states.json", answer(&cases, &communes).to_string().as_bytes());
        let ran = installation.run("states", ts("2026-10-08T00:00:00Z")).await;
        assert_eq!(ran.state, RunState::Recorded, "{:?}", ran.requests[0].findings);
        assert_eq!(ran.recorded.observations_new, 2 * cases.len());
        let first = lines(&installation, "08").await;
        assert_states(name, &cases, &communes, &first);

        // The key vanishes from one row: everything in that answer would have been newer, and none of it counts.
        let unlisted = &communes[cases.len()];
        let mut drifted = answer(&cases, &communes);
        drifted["progress"].as_array_mut().expect("a list").push(json!({ "unit": unlisted, "whole": 10, "ratio": null }));
        drifted["progress"][0]["part"] = json!(9);
        installation.drop_in("states-drifted.json", drifted.to_string().as_bytes());
        let ran = installation.run("states", ts("2026-10-09T00:00:00Z")).await;
        let [record] = &ran.requests[..] else { panic!("one new file") };
        assert_eq!((ran.state, record.request.outcome), (RunState::Quarantined, RequestOutcome::Quarantined));
        let [finding] = &record.findings[..] else { panic!("one finding: {:?}", record.findings) };
        assert_eq!((finding.reason, finding.severity), (Reason::SelectorMissing, Severity::Quarantine), "{finding:?}");
        assert!(record.readings.iter().all(|reading| reading.unit != *unlisted || reading.value != Value::Number(Exact::ZERO)));
        assert_eq!(lines(&installation, "09").await, first, "a quarantined answer changes no line");
        println!("{name}: absent key: {} {}", finding.reason, finding.place);
        first
    })
    .await;
}

fn assert_states(name: &str, cases: &[(&str, Json, Json, Right)], communes: &[String], lines: &[Line]) {
    let mut n_right = 0;
    for ((list, part, whole, (state, right, why)), unit) in cases.iter().zip(communes) {
        let criterion = PAIRS.iter().find(|(of, _, _, _)| of == list).map(|(_, _, _, criterion)| *criterion).expect("a list of the test");
        let line = lines.iter().find(|line| line.0 == *unit && line.1 == criterion).expect("a line");
        assert_eq!((line.2, line.3, line.4), (*state, right.map(points), *why), "{list} {part}/{whole}");
        n_right += 1;
    }
    println!("{name}: {n_right} of {} states", cases.len());
    let progress = |line: &&Line| line.1 == "2.1";
    let placed = lines.iter().filter(progress).filter(|line| line.5).count();
    let unknown = lines.iter().filter(progress).filter(|line| line.2 == LineState::NoEvidence && line.4 == Some(Why::NoInput)).count();
    let all = lines.iter().filter(progress).count();
    // The first four cases are scored, six more are spoken of without a figure, nobody spoke of the rest: any of those
    // could stand above the four, so nobody has a place.
    assert_eq!((placed, unknown), (0, all - 10), "places of group progress, bodies that nobody spoke of");
}
