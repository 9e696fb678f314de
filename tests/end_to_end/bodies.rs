//! The demonstration as a program: on recorded bodies, on seeded figures, and on folders of recordings made here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};
use thuocdo::model::{Exact, Value};
use thuocdo::store::Db;

use crate::recordings::{Capture, write_folder};
use crate::{period, real_data, ts};

/// Departments of the national portal: Phú Thọ, whose body was recorded, and Đắk Lắk, as which it is shown here.
const PHU_THO: (&str, &str) = ("019d2be3-6a88-732b-8b17-b68020c8553a", "H44");
const DAK_LAK: (&str, &str) = ("019d2be3-6a85-74ec-a33c-a7c04919ba00", "H15");
const PROGRESS: &str = "npsp-766-2026/raw-phu-tho/dvc-progress-tree.year-2026-all.json";

/// Runs `thuocdo demo --once --format json`; it must succeed.
fn demo(arguments: &[&Path]) -> Json {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
    command.args(["demo", "--once", "--format", "json"]).args(arguments);
    let output = command.output().expect("the program runs");
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{errors}\n{}", out.chars().take(2000).collect::<String>());
    serde_json::from_str(&out).expect("JSON")
}

fn bodies(folder: &Path, more: &[&Path]) -> Json {
    demo(&[&[Path::new("--bodies"), folder], more].concat())
}

fn rows<'a>(report: &'a Json, list: &str) -> &'a Vec<Json> {
    report[list].as_array().expect("a list")
}

/// How many compared figures: by criterion or group and whether recomputed, (equal, all).
fn counts(report: &Json) -> BTreeMap<(String, bool), (usize, usize)> {
    let mut counts = BTreeMap::new();
    for row in rows(report, "compared") {
        let of = (row["of"].as_str().expect("a name").to_owned(), row["recomputed"] == true);
        let count: &mut (usize, usize) = counts.entry(of).or_default();
        // A figure that is only repeated has no computed one beside it.
        let right = if row["recomputed"] == true { row["computed"] == row["published"] } else { row["computed"] == "" };
        count.0 += usize::from(row["agrees"] == true && right);
        count.1 += 1;
    }
    counts
}

fn n_outcome(report: &Json, outcome: &str) -> usize {
    rows(report, "answers").iter().filter(|answer| answer["outcome"] == outcome).count()
}

fn count(of: &str, recomputed: bool, n: usize) -> ((String, bool), (usize, usize)) {
    ((of.to_owned(), recomputed), (n, n))
}

#[test]
fn recorded_bodies_score_as_published() {
    let name = "recorded_bodies_score_as_published";
    let Some(folder) = real_data(name) else { return };
    let report = bodies(&folder.join("npsp-766-2026"), &[]);
    for ((of, recomputed), (equal, all)) in counts(&report) {
        println!("{name}: {of}, {}: {equal} of {all}", if recomputed { "recomputed" } else { "the portal's own figure" });
    }
    assert_eq!(counts(&report), [count("progress", true, 164), count("online", true, 1), count("online", false, 163)].into());
    // Six collectors ask for five periods each (the closed year was over for long), and one of them was recorded.
    let outcomes = ["recorded", "quarantined", "not recorded", "not used"].map(|outcome| n_outcome(&report, outcome));
    println!("{name}: answers recorded, quarantined, not recorded, not used: {outcomes:?} of {}", rows(&report, "answers").len());
    assert_eq!(outcomes, [2, 4, 6 * 4, 4]);
    let excerpts = rows(&report, "answers").iter().filter(|answer| answer["outcome"] == "quarantined");
    assert!(excerpts.clone().all(|answer| answer["file"].as_str().is_some_and(|file| file.contains("-of-163"))));
    assert!(excerpts.clone().all(|answer| answer["readings"].as_u64() > Some(0) && answer["why"] != ""));
}

#[test]
fn seeded_figures_score_as_their_portal_publishes() {
    let name = "seeded_figures_score_as_their_portal_publishes";
    let report = demo(&[]);
    let runs = rows(&report, "runs");
    let n_recorded = runs.iter().filter(|run| run["state"] == "recorded").count();
    let (mut n_equal, mut n_all, mut n_published) = (0, 0, 0);
    for group in rows(&report["score"], "sheets").iter().flat_map(|sheet| rows(sheet, "groups")) {
        let lines = rows(group, "lines");
        let of_lines = lines.iter().flat_map(|line| rows(line, "controls").iter().map(move |control| (control, line["published"] == true)));
        let published = lines.iter().any(|line| line["published"] == true);
        let of_group = rows(group, "controls").iter().map(|control| (control, published));
        for (control, published) in of_group.chain(of_lines) {
            n_published += usize::from(published);
            n_all += usize::from(!published);
            n_equal += usize::from(!published && control["agrees"] == true);
        }
    }
    println!("{name}: {n_recorded} of {} collectors recorded", runs.len());
    println!("{name}: {n_equal} of {n_all} recomputed figures as published; {n_published} are the portal's own");
    assert_eq!((n_recorded, runs.len()), (8, 8));
    assert!(n_equal == n_all && n_all > 1000, "{n_equal} of {n_all}");
}

/// The recorded answer as that of another province: other root, other codes.
fn as_dak_lak(folder: &Path) -> Json {
    let text = std::fs::read_to_string(folder.join(PROGRESS)).expect("the recorded answer");
    serde_json::from_str(&text.replace(PHU_THO.0, DAK_LAK.0).replace("\"H44", "\"H15")).expect("JSON")
}

/// `20 × on time / received`, half-up to 0.01, in hundredths.
fn points(on_time: u64, received: u64) -> u64 {
    (2 * 2000 * on_time + received) / (2 * received)
}

fn add(row: &mut Json, key: &str, more: i64) {
    row[key] = json!(row[key].as_i64().expect("a count") + more);
}

/// A later state of the same table: one body handled five dossiers more in time; its code.
fn restated(answer: &mut Json) -> String {
    let restate = |row: &mut Json, score: &str| {
        add(row, "totalOnTime", 5);
        let count = |key: &str| row[key].as_u64().expect("a count");
        let points = points(count("totalOnTime"), count("totalReceived"));
        row[score] = serde_json::from_str(&format!("{}.{:02}", points / 100, points % 100)).expect("a number");
    };
    let children = answer["data"]["children"].as_array_mut().expect("bodies");
    let late = children.iter_mut().find(|row| row["totalOverdue"].as_i64() >= Some(5)).expect("a body with five late dossiers");
    restate(late, "score");
    add(late, "totalOverdue", -5);
    let code = late["departmentCode"].as_str().expect("a code").to_owned();
    restate(&mut answer["data"]["parent"], "totalScore");
    code
}

fn progress(file: &str, root: &str, asked: Json, captured_at: &'static str, body: &Json) -> Capture {
    let mut request = asked;
    request["rootDepartmentId"] = json!(root);
    Capture { file: file.to_owned(), endpoint: "dvc-progress-tree", request, captured_at, body: body.to_string().into_bytes() }
}

const OLDER: &str = "2026-09-25T11:00:00Z";
const NEWER: &str = "2026-09-26T11:00:00Z";

/// Two provinces; of the second a month, a quarter, and a year that was recorded on two days. The newest comes first,
/// and the month was recorded in the same second as the older year.
#[tokio::test]
async fn another_province_other_periods_and_two_days() {
    let name = "another_province_other_periods_and_two_days";
    let Some(folder) = real_data(name) else { return };
    let older = as_dak_lak(&folder);
    let mut newer = older.clone();
    let code = restated(&mut newer);
    let (year, month) = (json!({ "timeType": "year", "year": 2026 }), json!({ "timeType": "month", "year": 2026, "month": 9 }));
    let quarter = json!({ "timeType": "quarter", "year": 2026, "quarter": 3 });
    let phu_tho: Json = crate::json(&folder.join(PROGRESS));
    let ours = tempfile::tempdir().expect("a temporary folder");
    let (recordings, kept) = (ours.path().join("recordings"), ours.path().join("kept"));
    let captures = [
        progress("newer.json", DAK_LAK.0, year.clone(), NEWER, &newer),
        progress("older.json", DAK_LAK.0, year.clone(), OLDER, &older),
        // Answers about other periods are never the same bytes: that would be doubted.
        progress("month.json", DAK_LAK.0, month, OLDER, &newer),
        progress("quarter.json", DAK_LAK.0, quarter, NEWER, &older),
        progress("phu-tho.json", PHU_THO.0, year, NEWER, &phu_tho),
    ];
    write_folder(&recordings, &captures);

    let report = bodies(&recordings, &[Path::new("--folder"), &kept]);
    let ((of, _), (equal, all)) = counts(&report).into_iter().next().expect("figures were compared");
    println!("{name}: {of}: {equal} of {all} figures as published, over {} answers", rows(&report, "answers").len());
    assert_eq!(counts(&report), [count("progress", true, 4 * 164)].into());
    let by_file = |file: &str| rows(&report, "answers").iter().filter(|answer| answer["file"] == file).collect::<Vec<_>>();
    for capture in &captures {
        let answers = by_file(&capture.file);
        assert!(!answers.is_empty() && answers.iter().all(|answer| answer["outcome"] == "recorded"), "{}: {answers:?}", capture.file);
        assert!(answers.iter().any(|answer| answer["captured_at"].as_str().is_some_and(|at| ts(at) == ts(capture.captured_at))));
    }

    // The older day must hold what was recorded on it, not what was recorded later.
    let children = older["data"]["children"].as_array().expect("bodies");
    let before = children.iter().find(|row| row["departmentCode"] == code.as_str()).and_then(|row| row["totalOnTime"].as_i64());
    let before = before.expect("a count");
    let mut versions = Vec::new();
    for folder in std::fs::read_dir(&kept).expect("a folder") {
        let db = Db::open(&format!("sqlite:{}", folder.expect("an entry").path().join("thuocdo.db").display())).await.expect("a database");
        versions
            .extend(db.versions("dossier_on_time_count", &code, "", "npsp-progress", period("2026")).await.expect("the database answers"));
        db.close().await;
    }
    let told: Vec<_> = versions.iter().map(|of| (of.recorded_at, of.value)).collect();
    let right = [(ts(OLDER), before), (ts(NEWER), before + 5)].map(|(at, count)| (at, Value::Number(Exact::from(count))));
    assert_eq!(told, right, "{code}");
    println!("{name}: two days of {code}: {before}, then {}", before + 5);
}
