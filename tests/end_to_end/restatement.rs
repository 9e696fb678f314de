//! Exports of October 2025 in two forms and on two days: the same figures, and a version only where one changed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use thuocdo::model::{Exact, Observation, Period, RunState, Ts, Value};
use thuocdo::store::Recorded;

use crate::installation::Installation;
use crate::tally::Tally;
use crate::{json, on_both, period, real_data, ts};

/// Item of `national_index_score` and key of the source.
const SCORES: [(&str, &str); 7] =
    [("CKMB", "CKMB"), ("TDGQ", "TDGQ"), ("CLGQ", "CLGQ"), ("TTTT", "TTTT"), ("MDSH", "MDSH"), ("MDHL", "MDHL"), ("TOTAL", "TONG_SCORE")];

/// One table of the export: collector of its JSON file, the file's name, the sheet of the workbook, period, rows.
/// The period of the communes' sheet is not stated; the departments' beside it is the month's.
const TABLES: [(&str, &str, &str, &str, usize); 4] = [
    ("x-month", "provinces-month-2025-10", "Điểm tháng", "2025-10", 34),
    ("x-year", "provinces-year-2025", "Điểm năm", "2025", 34),
    ("x-departments", "angiang-departments-month-2025-10", "Sở Ban", "2025-10", 15),
    ("x-communes", "angiang-communes", "Xã Phường", "2025-10", 102),
];
const WORKBOOK: &str = "bao_cao_T10_2025";

/// The two exports: the mark in their files' names, and their moment.
const DAYS: [(&str, &str); 2] =
    [("2025-10-11T2051_ebd4e73", "2025-10-11T20:51:00+07:00"), ("2025-10-15T0847_99c31e5", "2025-10-15T08:47:00+07:00")];

fn head(id: &str, glob: &str) -> String {
    format!(
        "schema = 1\nid = {id:?}\ntitle = {{ vi = \"Bản xuất\", en = \"Export\" }}\nowner = \"test\"\n\
         [schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = {glob:?}\nsettle = \"1ms\"\n"
    )
}

/// One `[[rows]]`: the same figures, whether under keys or under headings.
fn rows(from: &str, about: &str, place: impl Fn(&str) -> String) -> String {
    let kind = if about.len() == 4 { "year" } else { "month" };
    let unit = place("MA_COQUAN");
    let mut text =
        format!("[[rows]]\nfrom = {from}\nunit = {{ value = {unit:?}, codes = \"npsp-2025\" }}\nperiod = {{ {kind} = {about:?} }}\n");
    for (item, key) in SCORES {
        let value = place(key);
        write!(text, "[[rows.read]]\nindicator = \"national_index_score\"\nitem = {item:?}\nvalue = {value:?}\n").expect("a text");
    }
    text
}

/// Every heading under its own name.
fn columns() -> String {
    let names: Vec<String> = std::iter::once("MA_COQUAN").chain(SCORES.map(|(_, key)| key)).map(|key| format!("{key} = {key:?}")).collect();
    format!("columns = {{ {} }}", names.join(", "))
}

/// Five collectors: one for each JSON file, one for the workbook that holds all four tables.
fn collectors() -> Vec<(String, String)> {
    let mut workbook = head("x-workbook", &format!("{WORKBOOK}@*.xlsx"));
    let mut files = Vec::new();
    for (id, file, sheet, about, _) in TABLES {
        let text = head(id, &format!("{file}@*.json")) + &rows("{ json = \"$[*]\" }", about, |key| format!("$.{key}"));
        files.push((format!("collectors/{id}.toml"), text));
        workbook += &rows(&format!("{{ table = {{ sheet = {sheet:?} }} }}\n{}", columns()), about, str::to_owned);
    }
    files.push(("collectors/x-workbook.toml".to_owned(), workbook));
    files
}

fn export(folder: &Path, table: &str, day: &str) -> Vec<serde_json::Value> {
    json(&folder.join(format!("npsp-766-2025/{table}@{day}.json"))).as_array().expect("rows").clone()
}

fn text<'a>(row: &'a serde_json::Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} is a text"))
}

/// The bodies of An Giang and their codes, drafted from the files.
fn registry(folder: &Path) -> Vec<(String, String)> {
    let mut units = "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision\n".to_owned();
    let mut codes = "code,unit,valid_from,valid_to\n".to_owned();
    for (table, group, kind) in [("angiang-departments-month-2025-10", "department", "sở"), ("angiang-communes", "commune", "xã")] {
        for row in export(folder, table, DAYS[0].0) {
            let (code, name) = (text(&row, "MA_COQUAN"), text(&row, "TEN").replace('"', ""));
            writeln!(units, "{code},{code},\"{name}\",{group},{kind},H01,,,").expect("a text");
            writeln!(codes, "{code},{code},,").expect("a text");
        }
    }
    [("registry/units/an-giang.csv", units), ("registry/codes/npsp-2025/an-giang.csv", codes)]
        .map(|(path, text)| (path.to_owned(), text))
        .into()
}

/// Unit, item, period.
type Key = (String, String, Period);

/// The figures of a day as its JSON files have them, read by nothing of ours but the number type.
fn figures(folder: &Path, day: &str) -> BTreeMap<Key, Value> {
    let mut figures = BTreeMap::new();
    for (_, table, _, about, n_rows) in TABLES {
        let rows = export(folder, table, day);
        assert_eq!(rows.len(), n_rows, "{table}");
        for row in &rows {
            let unit = text(row, "MA_COQUAN").trim_start_matches("000.00.00.");
            for (item, key) in SCORES {
                let number: Exact = text(row, key).parse().expect("a number");
                figures.insert((unit.to_owned(), item.to_owned(), period(about)), Value::Number(number));
            }
        }
    }
    figures
}

/// What these observations say, with the moment from which it was known.
fn said(observations: &[Observation], of: impl Fn(&str) -> bool) -> BTreeMap<Key, (Value, Ts)> {
    let chosen = observations.iter().filter(|seen| of(&seen.collector));
    chosen.map(|seen| ((seen.unit.clone(), seen.item.clone(), seen.period), (seen.value, seen.recorded_at))).collect()
}

fn is_workbook(collector: &str) -> bool {
    collector == "x-workbook"
}

#[tokio::test]
async fn two_forms_and_two_days_of_one_export() {
    let name = "two_forms_and_two_days_of_one_export";
    let Some(folder) = real_data(name) else { return };
    let (old, new) = (figures(&folder, DAYS[0].0), figures(&folder, DAYS[1].0));
    let n_all = old.len();
    assert_eq!((n_all, new.len()), ((34 + 34 + 15 + 102) * 7, n_all));
    let n_changed = old.iter().filter(|(key, value)| new[*key] != **value).count();
    println!("{name}: the files of the two days differ in {n_changed} of {n_all} figures");
    on_both(name, async |db| {
        let installation = Installation::new(&db, collectors().into_iter().chain(registry(&folder)));
        let mut counts = Vec::new();
        for (mark, moment) in DAYS {
            let files = TABLES.iter().map(|(id, file, _, _, _)| (*id, format!("{file}@{mark}.json")));
            let mut by_file = Recorded::default();
            for (id, file) in files {
                by_file = plus(by_file, take(&installation, &folder, id, &file, ts(moment)).await);
            }
            let by_workbook = take(&installation, &folder, "x-workbook", &format!("{WORKBOOK}@{mark}.xlsx"), ts(moment)).await;
            assert_eq!(by_file, by_workbook, "{mark}");
            counts.push(by_workbook);
        }
        assert_eq!(counts[0], Recorded { observations_new: n_all, ..Recorded::default() });
        let restated = Recorded { observations_restated: n_changed, observations_unchanged: n_all - n_changed, ..Recorded::default() };
        assert_eq!(counts[1], restated);
        println!("{name}: {} new versions, {} unchanged of {n_all}", n_changed, n_all - n_changed);
        compare(&installation, &old, &new).await
    })
    .await;
}

/// Drops one file of the export and runs its collector at the moment of the export.
async fn take(installation: &Installation, folder: &Path, collector: &str, file: &str, at: Ts) -> Recorded {
    let bytes = std::fs::read(folder.join("npsp-766-2025").join(file)).expect("a file of the export");
    installation.drop_in(file, &bytes);
    let ran = installation.run(collector, at).await;
    assert_eq!((ran.state, ran.requests.len()), (RunState::Recorded, 1), "{file}: {:?}", ran.requests.first().map(|r| &r.findings));
    ran.recorded
}

fn plus(a: Recorded, b: Recorded) -> Recorded {
    Recorded {
        observations_new: a.observations_new + b.observations_new,
        observations_restated: a.observations_restated + b.observations_restated,
        observations_unchanged: a.observations_unchanged + b.observations_unchanged,
        superseded: 0,
        quarantined: a.quarantined + b.quarantined,
    }
}

/// Both forms give the table of the day at the day, the old table in between, and the same moments.
async fn compare(installation: &Installation, old: &BTreeMap<Key, Value>, new: &BTreeMap<Key, Value>) -> Vec<BTreeMap<Key, (Value, Ts)>> {
    let mut all = Vec::new();
    for (as_of, right) in [(DAYS[0].1, old), ("2025-10-15T08:46:59.999999+07:00", old), (DAYS[1].1, new)] {
        let known = installation.known(ts(as_of)).await;
        let (by_file, by_workbook) = (said(&known, |of| !is_workbook(of)), said(&known, is_workbook));
        let mut tally = Tally::new(format!("export of October 2025 as of {as_of}: figures of workbook and JSON as in the files"));
        for (key, value) in right {
            let recorded_at = if new[key] != old[key] && as_of == DAYS[1].1 { ts(DAYS[1].1) } else { ts(DAYS[0].1) };
            tally.same(|| format!("JSON {key:?}"), by_file.get(key), Some(&(*value, recorded_at)));
            tally.same(|| format!("workbook {key:?}"), by_workbook.get(key), Some(&(*value, recorded_at)));
        }
        assert_eq!((by_file.len(), by_workbook.len()), (right.len(), right.len()));
        tally.close(2 * right.len());
        all.push(by_file);
    }
    assert!(installation.known(ts("2025-10-11T20:50:59+07:00")).await.is_empty(), "nothing was known before the first export");
    all
}
