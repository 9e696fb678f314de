//! Extraction of real answers: bodies of the national portal, saved pages, exports and a drifting CSV file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thuocdo::collect::collector::Collector;
use thuocdo::collect::extract::{Context, Document, Extract, draft_units, extract, look_up, parse};
use thuocdo::model::{Adds, Indicator, Measure, Reading, Scope, Severity, Value};

fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    folder
}

fn collector(rows: &str) -> Collector {
    let head =
        "schema = 1\nid = \"t\"\ntitle = { vi = \"t\", en = \"t\" }\n[schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"x/*\"\n";
    toml::from_str(&format!("{head}{rows}")).expect("a collector of the test")
}

/// Every code is its own unit, every indicator is known and takes any value.
fn read(rows: &str, body: &[u8], content_type: &str) -> Extract {
    let collector = collector(rows);
    let document = parse(&collector.rows, body, content_type).expect("a whole answer");
    let scope = Scope {
        due: "2026-10-01T00:00:00Z".parse().expect("an instant of the test"),
        period: Some("2025-10".parse().expect("a month")),
        unit: Some("one".to_owned()),
        portal: None,
        province: BTreeMap::new(),
    };
    let any = Indicator {
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
    };
    let unit_of = |_: &str, code: &str, _| Some(code.to_owned());
    extract(&document, &Context { collector: &collector, scope: &scope, address: "", unit_of: &unit_of, indicator: &|_| Some(&any) })
}

fn file(folder: &Path, path: &str) -> Vec<u8> {
    std::fs::read(folder.join(path)).expect(path)
}

fn rows_and_reads(from: &str, unit: &str, reads: &[(&str, &str)]) -> String {
    let read = |(id, value): &(&str, &str)| format!("[[rows.read]]\nindicator = {id:?}\nvalue = {value:?}\n");
    format!("[[rows]]\nfrom = {from}\nunit = {unit}\n{}", reads.iter().map(read).collect::<String>())
}

fn value(found: &Extract, unit: &str, indicator: &str) -> String {
    let reading = found.readings.iter().find(|reading| reading.unit == unit && reading.indicator == indicator);
    reading.map_or("no reading".to_owned(), |reading| reading.value.to_string())
}

const WHOLE: &str = "{ json = [\"$.data.parent\", \"$.data.children[*]\"] }";
const BY_CODE: &str = "{ value = \"$.departmentCode\", codes = \"npsp\" }";

#[test]
fn whole_bodies_of_the_portal() {
    let Some(folder) = real_data("whole_bodies_of_the_portal") else { return };
    let body = file(&folder, "npsp-766-2026/raw-phu-tho/dvc-progress-tree.year-2026-all.json");
    let reads = [("received", "$.totalReceived"), ("on_time", "$.totalOnTime"), ("days", "$.avgProcessingDays")];
    let found = read(&rows_and_reads(WHOLE, BY_CODE, &reads), &body, "application/json");
    assert_eq!((found.rows[0].kept, found.readings.len(), found.findings.as_slice()), (164, 492, &[][..]));
    for (unit, id, right) in
        [("H44", "received", "597918"), ("H44", "on_time", "528684"), ("H44.01", "days", "6.82"), ("H44.100", "on_time", "7368")]
    {
        assert_eq!(value(&found, unit, id), right, "{unit} {id}");
    }
    assert_eq!(found.readings[3].place, "$['data']['children'][0]['totalReceived']");
    let optional = "optional = true\n";
    let overdue = rows_and_reads(WHOLE, BY_CODE, &[("overdue", "$.totalOverdue")]);
    let absent = read(&overdue, &body, "application/json");
    assert_eq!((absent.readings.len(), absent.findings.len(), absent.findings[0].severity), (163, 1, Severity::Quarantine));
    assert!(read(&(overdue + optional), &body, "application/json").findings.is_empty());

    let body = file(&folder, "npsp-766-2026/raw-phu-tho/provide-online-tree.year-2026-all.json");
    let found = read(&rows_and_reads(WHOLE, BY_CODE, &[("score", "$.totalScore")]), &body, "application/json");
    assert_eq!((found.rows[0].kept, found.readings.len(), found.findings.len()), (164, 164, 0));
    assert_eq!((value(&found, "H44", "score"), value(&found, "H44.03", "score")), ("8.56".into(), "7.33".into()));
    println!("whole bodies: 164 + 164 rows");
}

/// The rows of a page's list in their order: document number and date, as they stand there.
fn list(page: &[u8], css: &str, number: &str) -> Vec<(String, String)> {
    let columns = format!("columns = {{ number = {number:?}, date = \"Ngày ban hành\" }}");
    let skip_pager = "skip = [{ column = \"number\", matches = \"^1 2 3 \" }]";
    let rows = format!(
        "[[rows]]\nfrom = {{ table = {{ css = {css:?} }} }}\n{columns}\nunit = {{ value = \"number\", name = \"date\" }}\n{skip_pager}\n"
    );
    let collector = collector(&rows);
    let document = parse(&collector.rows, page, "text/html").expect("a whole page");
    let (rows, findings) = draft_units(&document, &collector);
    assert_eq!(findings, []);
    rows.into_iter().map(|row| (row.value, row.name)).collect()
}

#[test]
fn lists_of_two_portals() {
    let Some(folder) = real_data("lists_of_two_portals") else { return };
    let page = file(&folder, "portal-pages/vanban.chinhphu.vn/list.html");
    let items = list(&page, "table.search-result", "Số ký hiệu");
    let page_text = String::from_utf8(page.clone()).expect("UTF-8");
    let between = |marks: [&str; 2]| -> Vec<String> {
        page_text.split(marks[0]).skip(1).filter_map(|rest| rest.split(marks[1]).next()).map(str::to_owned).collect()
    };
    let right = between(["<span class=\"code\">", "<"]).into_iter().zip(between(["<span class=\"issued-date\">", "<"]));
    // The first cell holds the date a second time, hidden by a style sheet: a reader of cells sees both.
    let right: Vec<(String, String)> = right.map(|(code, date)| (format!("{code} {date}"), date)).collect();
    let seen: Vec<(String, String)> = items.into_iter().map(|(code, date)| (code.replace('\n', " "), date)).collect();
    assert_eq!((seen.len(), seen[0].0.as_str(), &seen), (50, "678/TB-VPCP 09/12/2025", &right));

    let elements = "[[rows]]\nfrom = { html = { css = \"table.search-result tr:has(span.code)\" } }\nunit = { value = \"span.code\" }\nperiod = { value = \"td:nth-child(2) span.issued-date\", format = \"%d/%m/%Y\" }\n";
    let of_elements = read(elements, &page, "text/html");
    assert_eq!((of_elements.rows[0].kept, of_elements.findings.as_slice()), (50, &[][..]));

    let page = file(&folder, "portal-pages/www.mod.gov.vn/home/cdcs/vanban_huongdan.html");
    let items = list(&page, "table.thead-style1", "Số/ký hiệu");
    let first = [
        ("92/VBHN-BQP", "24/11/2025"),
        ("5132/QĐ-BQP", "13/10/2025"),
        ("109/2025/TT-BQP", "02/10/2025"),
        ("103/2025/TT-BQP", "26/09/2025"),
    ];
    assert_eq!(items.len(), 20);
    assert!(items.iter().zip(first).all(|(item, (code, date))| (item.0.as_str(), item.1.as_str()) == (code, date)), "{items:?}");
    println!("lists of portals: 50 of 50 and 20 of 20 rows in order");
}

#[test]
fn stated_totals_are_found() {
    let Some(folder) = real_data("stated_totals_are_found") else { return };
    let services = "portal-pages/dichvucong.gov.vn/p/home/dvc-dich-vu-cong-truc-tuyen-ds/get_ds_tthc_da_cong_bo_dvc_service.json";
    let decisions =
        "portal-pages/thutuc.dichvucong.gov.vn/p/home/dvc-tthc-quyet-dinh-cong-bo/decision_publishment_advanced_search_service_v2.json";
    for (path, key, total, n_rows) in [(services, "TOTAL_RECORDS", "2507", 1000), (decisions, "AMOUNT", "23039", 50)] {
        let collector = collector("[[rows]]\nfrom = { json = \"$[*]\" }\nunit = {}\n");
        let document: Document = parse(&collector.rows, &file(&folder, path), "application/json").expect("a whole answer");
        let totals = look_up(&document, &format!("$[*].{key}")).expect("a path");
        assert!(totals.len() == n_rows && totals.iter().all(|(_, found)| found.text() == total), "{path}");
        assert_eq!(look_up(&document, "$[*]").map(|rows| rows.len()), Ok(n_rows));
    }
}

#[test]
fn a_drifting_csv_gives_right_values_or_findings() {
    let Some(folder) = real_data("a_drifting_csv_gives_right_values_or_findings") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("schema-drift")).expect("schema-drift").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let (mut n_right, mut n_refused, mut wrong) = (0, 0, Vec::new());
    // Every numeric column of the first version: some were renamed or dropped later, many moved.
    let mut first = csv::Reader::from_path(&files[0]).expect("CSV");
    let headings: Vec<String> = first.headers().expect("headings").iter().map(str::to_owned).collect();
    let sample = first.records().next().expect("a row").expect("CSV");
    let numeric = headings.iter().zip(&sample).filter(|(_, cell)| cell.parse::<f64>().is_ok());
    let numeric: Vec<&str> = numeric.map(|(heading, _)| heading.as_str()).collect();
    assert!(["final_url_status_code", "third_party_service_count", "uswds_count"].iter().all(|heading| numeric.contains(heading)));
    for (path, heading) in files.iter().flat_map(|path| numeric.iter().map(move |heading| (path, *heading))) {
        let rows = format!(
            "[[rows]]\nfrom = {{ table = {{}} }}\ncolumns = {{ url = \"target_url\", n = {heading:?} }}\nunit = {{ value = \"url\" }}\n[[rows.read]]\nindicator = \"n\"\nvalue = \"n\"\nmissing = [\"\"]\n"
        );
        let found = read(&rows, &std::fs::read(path).expect("a file"), "text/csv");
        if found.findings.iter().any(|finding| finding.severity == Severity::Quarantine) {
            n_refused += 1;
            continue;
        }
        let mut truth = csv::Reader::from_path(path).expect("CSV");
        let rows: Vec<BTreeMap<String, String>> = truth.deserialize().map(|row| row.expect("CSV")).collect();
        for row in rows {
            let right = row[heading].parse::<thuocdo::model::Exact>().map_or(Value::Missing, Value::Number);
            match found.readings.iter().find(|reading| reading.unit == row["target_url"]) {
                Some(reading) if reading.value == right => n_right += 1,
                other => wrong.push(format!("{path:?} {heading} {other:?}")),
            }
        }
    }
    println!(
        "schema drift: 8 versions x {} columns, {n_right} values right, {n_refused} refused, wrong values {}",
        numeric.len(),
        wrong.len()
    );
    assert_eq!((files.len(), wrong), (8, Vec::<String>::new()));
    assert!(n_right > 50);
}

/// Unit, indicator, item and value of each reading, without the place where it stood.
fn said(found: &Extract) -> Vec<(&str, &str, &str, Value)> {
    let key = |reading: &'_ Reading| (reading.unit.clone(), reading.indicator.clone());
    let mut readings: Vec<&Reading> = found.readings.iter().collect();
    readings.sort_by_key(|reading| key(reading));
    readings.into_iter().map(|r| (r.unit.as_str(), r.indicator.as_str(), r.item.as_str(), r.value)).collect()
}

#[test]
fn a_workbook_and_its_json_say_the_same() {
    let Some(folder) = real_data("a_workbook_and_its_json_say_the_same") else { return };
    let scores = ["TDGQ", "MDHL", "MDSH", "TTTT", "CLGQ", "CKMB", "TONG_SCORE"];
    let (mut n_equal, mut n_sheets, mut n_trend) = (0, 0, 0);
    for export in ["2025-10-11T2051_ebd4e73", "2025-10-15T0847_99c31e5"] {
        let book = file(&folder, &format!("npsp-766-2025/bao_cao_T10_2025@{export}.xlsx"));
        for (sheet, json, n_rows) in [
            ("Điểm năm", "provinces-year-2025", 34),
            ("Điểm tháng", "provinces-month-2025-10", 34),
            ("Sở Ban", "angiang-departments-month-2025-10", 15),
            ("Xã Phường", "angiang-communes", 102),
        ] {
            let columns: Vec<String> = scores.iter().map(|key| format!("{key} = {key:?}")).collect();
            let reads: Vec<(&str, &str)> = scores.iter().map(|key| (*key, *key)).collect();
            let from = format!("{{ table = {{ sheet = {sheet:?} }} }}\ncolumns = {{ unit = \"MA_COQUAN\", {} }}", columns.join(", "));
            let of_book = read(&rows_and_reads(&from, "{ value = \"unit\" }", &reads), &book, "");
            let paths: Vec<String> = scores.iter().map(|key| format!("$.{key}")).collect();
            let reads: Vec<(&str, &str)> = scores.iter().zip(&paths).map(|(key, path)| (*key, path.as_str())).collect();
            let body = file(&folder, &format!("npsp-766-2025/{json}@{export}.json"));
            let of_json = read(&rows_and_reads("{ json = \"$[*]\" }", "{ value = \"$.MA_COQUAN\" }", &reads), &body, "");
            assert_eq!((of_book.rows[0].kept, of_book.findings.as_slice()), (n_rows, &[][..]), "{sheet}");
            assert_eq!((of_json.rows[0].kept, of_json.findings.as_slice()), (n_rows, &[][..]), "{json}");
            assert_eq!(said(&of_book), said(&of_json), "{sheet} {export}");
            n_equal += of_book.readings.len();
            n_sheets += 1;
        }
        for (sheet, json, column) in
            [("Xu hướng tháng", "angiang-trend-month", "month"), ("Xu hướng quý", "angiang-trend-quarter", "quarter")]
        {
            let read_score = |value: &str| format!("[[rows.read]]\nindicator = \"score\"\nvalue = {value:?}\ndecimals = 1\n");
            let head =
                |from: &str, item: &str| format!("[[rows]]\nfrom = {from}\nunit = {{}}\nperiod = {{ year = \"2025\" }}\nitem = {item:?}\n");
            let from = format!("{{ table = {{ sheet = {sheet:?} }} }}\ncolumns = {{ item = {column:?}, score = \"score\" }}");
            let of_book = read(&(head(&from, "item") + &read_score("score")), &book, "");
            let body = file(&folder, &format!("npsp-766-2025/{json}@{export}.json"));
            let of_json = read(&(head("{ json = \"$[*]\" }", &format!("$.{column}")) + &read_score("$.score")), &body, "");
            assert_eq!((of_book.findings.as_slice(), of_json.findings.as_slice()), (&[][..], &[][..]), "{sheet}");
            assert_eq!(said(&of_book), said(&of_json), "{sheet} {export}");
            n_trend += of_book.readings.len();
        }
    }
    println!("workbook = JSON: {n_equal} readings on {n_sheets} unit sheets, {n_trend} on the trend sheets");
    assert_eq!((n_equal, n_trend), (2 * (34 + 34 + 15 + 102) * 7, 2 * (3 + 4)));
}
