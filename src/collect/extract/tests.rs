//! Extraction end to end: a collector text, an answer, and what is read from it.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Adds, Measure, Reason, Severity};

fn collector(rows: &str) -> Collector {
    let head =
        "schema = 1\nid = \"t\"\ntitle = { vi = \"t\", en = \"t\" }\n[schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"x/*\"\n";
    toml::from_str(&format!("{head}{rows}")).expect("a collector of the test")
}

fn scope() -> Scope {
    let due = "2026-10-01T00:00:00Z".parse().expect("an instant of the test");
    Scope { due, period: Some("2026".parse().expect("a year")), unit: None, portal: None, province: BTreeMap::new() }
}

fn indicator(id: &str, measure: Measure) -> Indicator {
    Indicator {
        id: id.to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        measure,
        range: (Some(crate::model::Exact::ZERO), None),
        over_time: Adds::No,
        over_units: Adds::No,
        cite: String::new(),
        derived: None,
        collector: None,
        per: None,
        within: None,
    }
}

fn run_in(rows: &str, scope: &Scope, body: &[u8], content_type: &str) -> Extract {
    let collector = collector(rows);
    assert_eq!(check_places(&collector), [], "the file of the test is right");
    let document = match parse(&collector.rows, body, content_type) {
        Ok(document) => document,
        Err(finding) => return Extract { findings: vec![finding], ..Extract::default() },
    };
    let indicators = [indicator("n", Measure::Count), indicator("days", Measure::Days), indicator("yes", Measure::Flag)];
    let unit_of = |_: &str, code: &str, _: Period| (!code.starts_with('?')).then(|| format!("u{code}"));
    let by_id = |id: &str| indicators.iter().find(|indicator| indicator.id == id);
    extract(&document, &Context { collector: &collector, scope, address: "", unit_of: &unit_of, indicator: &by_id })
}

pub(super) fn run(rows: &str, body: &str) -> Extract {
    run_in(rows, &scope(), body.as_bytes(), "")
}

/// `unit item period indicator = value` of each reading, then `reason` of each finding.
fn summary(found: &Extract) -> Vec<String> {
    let readings = found.readings.iter().map(|r| format!("{} {:?} {} {} = {}", r.unit, r.item, r.period, r.indicator, r.value));
    readings.chain(found.findings.iter().map(|finding| format!("{} {}", finding.severity, finding.reason))).collect()
}

const JSON: &str = r#"
[[rows]]
from = { json = ["$.parent", "$.children[*]"] }
unit = { value = "$.id", codes = "c" }
where = { "$.kind" = "x" }
skip = [{ value = "$.name", matches = "^Tổng" }]
  [[rows.read]]
  indicator = "n"
  value = "$.n"
  [[rows.read]]
  indicator = "days"
  item = "D"
  value = "$.days"
  optional = true
  number = "vi"
  missing = ["-"]
"#;

#[test]
fn json_rows() {
    let body =
        |children: &str| format!("{{\"parent\":{{\"id\":\"P\",\"kind\":\"x\",\"name\":\"P\",\"n\":12.0}},\"children\":[{children}]}}");
    let parent = "uP \"\" 2026 n = 12";
    for (child, expected) in [
        (r#"{"id":" 007 ","kind":"x","name":"A","n":3,"days":"1,5"}"#, &["u007 \"\" 2026 n = 3", "u007 \"D\" 2026 days = 1.5"][..]),
        (r#"{"id":7,"kind":"x","name":"A","n":null,"days":1.234}"#, &["u7 \"\" 2026 n = missing", "u7 \"D\" 2026 days = 1.234"]),
        (r#"{"id":"7","kind":"y","name":"A"}"#, &[]),
        (r#"{"id":"7","kind":"x","name":" Tổng cộng","n":9}"#, &[]),
        (r#"{"id":"7","kind":"x","name":"A"}"#, &["quarantine selector_missing"]),
        (r#"{"id":"7","name":"A","n":1}"#, &["quarantine selector_missing"]),
        (r#"{"id":"?","kind":"x","name":"A","n":1}"#, &["warn unmapped_unit"]),
        (r#"{"id":7.0,"kind":"x","name":"A","n":1}"#, &["warn unmapped_unit"]),
        (r#"{"id":"P","kind":"x","name":"A","n":1}"#, &["quarantine duplicate_key"]),
        (r#"{"id":"7","kind":"x","name":"A","n":1.5}"#, &["quarantine value_unparsed"]),
        (r#"{"id":"7","kind":"x","name":"A","n":-1}"#, &["quarantine value_unparsed"]),
        (r#"{"id":"7","kind":"x","name":"A","n":true}"#, &["quarantine value_unparsed"]),
        (r#"{"id":"7","kind":"x","name":"A","n":[1]}"#, &["quarantine value_unparsed"]),
        (r#"{"id":"7","kind":"x","name":"A","n":"1\n2"}"#, &["quarantine value_unparsed"]),
        (r#"{"id":"7","kind":"x","name":"A","n":1,"days":"-"}"#, &["u7 \"\" 2026 n = 1", "u7 \"D\" 2026 days = missing"]),
    ] {
        let expected: Vec<&str> = std::iter::once(parent).chain(expected.iter().copied()).collect();
        assert_eq!(summary(&run(JSON, &body(child))), expected, "{child}");
    }
    let found = run(JSON, &body(r#"{"id":"7","kind":"x","name":"Tổng","n":9}"#));
    assert_eq!(found.readings[0].place, "$['parent']['n']");
    assert_eq!((found.readings[0].text.as_str(), found.rows[0].kept), ("12.0", 1));
    let skipped = SkippedRow { text: "Tổng".into(), values: vec![("n".into(), String::new(), Value::Number(9.into()))] };
    assert_eq!(found.rows[0].skipped, [skipped]);
    assert_eq!(summary(&run(JSON, &body(""))), [parent, "quarantine selector_missing"], "rows that are gone are drift");
}

const TABLE: &str = r##"
[[rows]]
from = { table = { css = "table.tk", header_row = 2 } }
columns = { unit = "Mã", n = "Văn bản đi", period = "Kỳ", service = "Dịch vụ" }
unit = { value = "unit", codes = "c" }
period = { value = "period", format = "%m/%Y" }
item = "service"
skip = [{ column = "unit", matches = "^(Tổng|Cộng)" }]
  [[rows.read]]
  indicator = "n"
  value = "n"
  number = "vi"
  missing = ["", "-"]
  flag = { value = "period" }
"##;

#[test]
fn tables_of_pages() {
    let page = |head: &str, rows: &str| {
        format!("<table><tr><td>x</td></tr></table><table class=tk><tr><th colspan=4>Bảng</th></tr><tr>{head}</tr>{rows}</table>")
    };
    let head = "<th>Mã<th>VĂN BẢN&nbsp;<br>đi<th>Kỳ<th>Dịch vụ";
    let row = |n: &str| format!("<tr><td>H1<td>{n}<td>09/2026<td>s</tr><tr><td colspan=3>Tổng<td>1</tr>");
    let one = |value: &str| vec![format!("uH1 \"s\" 2026-09 n = {value}")];
    let bad = |what: &str| vec![format!("quarantine {what}")];
    for (head, rows, expected) in [
        (head, row("1.<b>234</b>"), one("1234")),
        (head, row("&#49;2"), one("12")),
        (head, row(" - "), one("missing")),
        (head, row("0"), one("0")),
        (head, row("1.23"), bad("value_unparsed")),
        (head, row("12<br>3"), bad("value_unparsed")),
        (head, row("<table><tr><td>5</td><tr><td>6</table>"), bad("value_unparsed")),
        (head, "<tr><td>H1<td>1<td>09/2026</tr>".to_owned(), bad("rows_mismatch")),
        (head, "<tr><td>H1<td>1<td>2<td>09/2026<td>s</tr>".to_owned(), bad("rows_mismatch")),
        (head, "<tr><td rowspan=2>H1<td>1<td>09/2026<td>s<tr><td>2<td>09/2026<td>t".to_owned(), {
            let mut both = one("1");
            both.push("uH1 \"t\" 2026-09 n = 2".to_owned());
            both
        }),
        (
            head,
            "<tr><td>H1<td rowspan=2>1<td>09/2026<td>s<tr><td>H2<td>09/2026<td>s".to_owned(),
            [bad("value_unparsed"), bad("value_unparsed")].concat(),
        ),
        ("<th>Mã<th>Đến<th>Kỳ<th>Dịch vụ", row("1"), bad("selector_missing")),
        ("<th>Kỳ<th>Dịch vụ<th>Mã<th>Văn bản đi", "<tr><td>09/2026<td>s<td>H1<td>7</tr>".to_owned(), one("7")),
        ("<th>Mã<th>Văn bản đi<th>Kỳ<th colspan=2>Dịch vụ", "<tr><td>H1<td>1<td>09/2026<td>s<td>t".to_owned(), bad("selector_missing")),
        (head, String::new(), bad("selector_missing")),
    ] {
        assert_eq!(summary(&run(TABLE, &page(head, &rows))), expected, "{head} {rows}");
    }
    let found = run(TABLE, &page(head, &row("7")));
    assert_eq!((found.readings[0].place.as_str(), found.readings[0].flag.as_str()), ("row 3, \"Văn bản đi\"", "09/2026"));
    assert_eq!((found.rows[0].headings[1].as_str(), found.rows[0].skipped[0].text.as_str()), ("VĂN BẢN đi", "Tổng"));
    let twice = page(head, "") + &page(head, "");
    assert_eq!(summary(&run(TABLE, &twice)), ["quarantine selector_missing"]);
}

#[test]
fn a_merged_number_of_a_workbook_is_nobodys() {
    let rows = "[[rows]]\nfrom = { table = { sheet = \"S\" } }\ncolumns = { unit = \"Mã\", n = \"Số\" }\n\
        unit = { value = \"unit\" }\n[[rows.read]]\nindicator = \"n\"\nvalue = \"n\"\n";
    let book = |merge: bool| {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet().set_name("S").expect("a sheet name");
        for (row, unit) in [(0, "Mã"), (1, "A"), (2, "B")] {
            sheet.write(row, 0, unit).expect("a cell");
        }
        sheet.write(0, 1, "Số").expect("a cell");
        if merge {
            sheet.merge_range(1, 1, 2, 1, "", &rust_xlsxwriter::Format::new()).expect("two rows");
        } else {
            sheet.write(2, 1, 6).expect("a cell");
        }
        sheet.write(1, 1, 5).expect("a cell");
        book.save_to_buffer().expect("a workbook in memory")
    };
    assert_eq!(summary(&run_in(rows, &scope(), &book(false), "")), ["uA \"\" 2026 n = 5", "uB \"\" 2026 n = 6"]);
    assert_eq!(summary(&run_in(rows, &scope(), &book(true), "")), ["quarantine value_unparsed"; 2]);
}

const ELEMENTS: &str = r#"
[[rows]]
from = { html = { css = "div.don-vi", encoding = "windows-1258" } }
unit = { value = "@data-ma", codes = "c" }
  [[rows.read]]
  indicator = "n"
  value = "b.so"
  [[rows.read]]
  indicator = "yes"
  value = "input@value"
  number = "bool"
  optional = true
"#;

#[test]
fn elements_of_pages() {
    for (rows, expected) in [
        ("<div class=don-vi data-ma=1><b class=so>5</b><input value=true></div>", &["u1 \"\" 2026 n = 5", "u1 \"\" 2026 yes = 1"][..]),
        ("<div class=don-vi data-ma=1><b class=so>5</b><b class=so>6</b></div>", &["quarantine selector_missing"]),
        ("<div class=don-vi><b class=so>5</b></div>", &["quarantine selector_missing"]),
        ("<div class=don-vi data-ma=1><b class=so>5", &["u1 \"\" 2026 n = 5", "quarantine decode"]),
        ("<div><div class=don-vi data-ma=1><b class=so>5</b></div>", &["u1 \"\" 2026 n = 5", "warn decode"]),
        ("<p>Không có dữ liệu</p>", &["quarantine selector_missing"]),
        ("<title>Request Rejected</title>", &["quarantine firewall"]),
        ("<form><input type=password></form>", &["quarantine auth"]),
        ("<input type=password><div class=don-vi data-ma=1><b class=so>5</b></div>", &["u1 \"\" 2026 n = 5"]),
    ] {
        let found = run(ELEMENTS, &format!("<meta charset=utf-8>{rows}"));
        let mut got = summary(&found);
        got.sort_by_key(|line| line.starts_with("quarantine"));
        assert_eq!(got, expected, "{rows}");
    }
}

const CSV: &str = r#"
[[rows]]
from = { table = { delimiter = ";" } }
columns = { n = "Số" }
unit = {}
period = { day = "2026-09-01" }
  [[rows.read]]
  indicator = "n"
  value = "n"
"#;

#[test]
fn files_about_one_unit() {
    let mut scope = scope();
    scope.unit = Some("H49".to_owned());
    for (file, expected) in [
        ("a;Số\nx;5\n", &["H49 \"\" 2026-09-01 n = 5"][..]),
        ("a;Số\nx;5\ny;5\n", &["H49 \"\" 2026-09-01 n = 5", "quarantine duplicate_key"]),
        ("a;Số\nx;5", &["quarantine decode"]),
        ("a,Số\nx,5\n", &["quarantine selector_missing"]),
        ("", &["quarantine selector_missing"]),
        ("<html><title>Request Rejected</title></html>", &["quarantine firewall"]),
    ] {
        assert_eq!(summary(&run_in(CSV, &scope, file.as_bytes(), "text/csv")), expected, "{file}");
    }
    assert_eq!(summary(&run(CSV, "a;Số\nx;5\n")), ["quarantine config"], "nobody said whose file it is");
}

#[test]
fn findings_are_capped() {
    let children: Vec<String> = (0..500).map(|n| format!("{{\"id\":\"{n}\",\"kind\":\"x\",\"name\":\"A\"}}")).collect();
    let body = format!("{{\"parent\":{{\"id\":\"P\",\"kind\":\"x\",\"name\":\"P\",\"n\":1}},\"children\":[{}]}}", children.join(","));
    let found = run(JSON, &body);
    assert_eq!((found.findings.len(), found.findings[199].severity), (200, Severity::Quarantine));
    assert!(found.findings[199].text.starts_with("301 more findings"), "{}", found.findings[199].text);
}

#[test]
fn one_value_from_two_blocks() {
    let rows = |a: &str, b: &str| {
        let block = |place: &str| {
            format!(
                "[[rows]]\nfrom = {{ json = \"$.{place}\" }}\nunit = {{ value = \"$.id\" }}\n[[rows.read]]\nindicator = \"n\"\nvalue = \"$.n\"\n"
            )
        };
        block(a) + &block(b)
    };
    let body = r#"{"a":{"id":"1","n":5},"b":{"id":"1","n":5.0},"c":{"id":"1","n":6}}"#;
    assert_eq!(summary(&run(&rows("a", "b"), body)), ["u1 \"\" 2026 n = 5"]);
    assert_eq!(summary(&run(&rows("a", "c"), body)), ["u1 \"\" 2026 n = 5", "quarantine duplicate_key"]);
}

#[test]
fn faults_of_a_file_are_named() {
    let read = "[[rows.read]]\nindicator = \"n\"\nvalue = \"$.n\"\n";
    for (rows, words) in [
        (format!("[[rows]]\nfrom = {{ json = \"$.a\" }}\nunit = {{ value = \"id\" }}\n{read}"), "\"id\" is no RFC 9535 path"),
        (format!("[[rows]]\nfrom = {{ html = {{ css = \"p\" }} }}\nunit = {{ value = \"p[\" }}\n{read}"), "no CSS selector"),
        (format!("[[rows]]\nfrom = {{ table = {{}} }}\nunit = {{}}\n{read}"), "columns defines no \"$.n\""),
        (format!("[[rows]]\nfrom = {{ table = {{ css = \"t\", sheet = \"s\" }} }}\nunit = {{}}\n{read}"), "css and sheet together"),
        (format!("[[rows]]\nfrom = {{ json = \"$.a\" }}\nunit = {{}}\n{read}{read}"), "read twice"),
        (format!("[[rows]]\nfrom = {{ json = \"$.a\" }}\ncolumns = {{ a = \"b\" }}\nunit = {{}}\n{read}"), "only with a table"),
        (
            "[[rows]]\nfrom = { json = \"$.a\" }\nunit = {}\n[[rows]]\nfrom = { table = { sheet = \"s\" } }\nunit = {}\n".to_owned(),
            "an XLSX workbook",
        ),
        (String::new(), "no [[rows]]"),
    ] {
        let faults = check_places(&collector(&rows));
        assert!(faults.iter().any(|(_, message, _)| message.contains(words)), "{words}: {faults:?}");
        assert!(faults.iter().all(|(_, _, fix)| !fix.is_empty()), "{faults:?}");
    }
}

#[test]
fn the_kind_of_a_read_period_is_that_of_its_format() {
    use crate::collect::collector::RowPeriod;
    let kind = |period: &str| toml::from_str::<BTreeMap<String, RowPeriod>>(&format!("p = {{ value = \"Kỳ\", {period} }}"));
    for (period, wanted) in [
        ("format = \"%-m/%Y\"", "month"),
        ("format = \"%Y\"", "year"),
        ("format = \"%d/%m/%Y\"", "day"),
        ("format = \"rfc3339\"", "day"),
        ("format = \"%m/%Y\", kind = \"quarter\"", "quarter"),
    ] {
        let read = kind(period).expect(period);
        assert!(matches!(&read["p"], RowPeriod::Read { kind, .. } if kind.label() == wanted), "{period}: {read:?}");
    }
    for (period, words) in [
        ("format = \"%Y\", kind = \"month\"", "states a year, which names no month"),
        ("format = \"%Q\"", "is not a strftime format"),
        ("format = \"Kỳ\"", "states no day, month, quarter or year"),
        ("format = \"%m/%y\"", "a year of two digits"),
        ("month = \"2026-09\", kind = \"month\"", "a period is"),
    ] {
        let refused = kind(period).expect_err(period).to_string();
        assert!(refused.contains(words), "{period}: {refused}");
    }
}

#[test]
fn requests_that_cannot_place_a_row_are_named() {
    let head = "schema = 1\nid = \"t\"\ntitle = { vi = \"t\", en = \"t\" }\n[schedule]\ncron = \"0 6 * * *\"\n[source.http]\nurl = \"http://a/\"\n";
    let rows = "[[rows]]\nfrom = { json = \"$.a\" }\nunit = {}\n[[rows.read]]\nindicator = \"n\"\nvalue = \"$.n\"\n";
    for (asked, n_faults) in
        [("", 2), ("for_each = { period = [\"year\"] }\n", 1), ("for_each = { period = [\"year\"], unit = \"commune\" }\n", 0)]
    {
        let collector: Collector = toml::from_str(&format!("{head}{asked}{rows}")).expect("a collector of the test");
        assert_eq!(check_places(&collector).len(), n_faults, "{asked}");
    }
}

#[test]
fn drafts_and_looks_up() {
    let rows = "[[rows]]\nfrom = { json = \"$.u[*]\" }\nunit = { value = \"$.id\", name = \"$.name\", code = \"$.code\", group = { value = \"$.level\", words = { XA = \"commune\" } } }\n";
    let body = r#"{"total":2,"u":[{"id":"1","name":" Xã\u00a0A","code":"007","level":"XA"},{"id":"2","name":"T","code":"H1"},{"id":"3","name":"?","code":"","level":"Y"}]}"#;
    let collector = collector(rows);
    let document = parse(&collector.rows, body.as_bytes(), "application/json").expect("JSON of the test");
    let (units, findings) = draft_units(&document, &collector);
    let unit = |value: &str, name: &str, code: &str, group| DraftUnit { value: value.into(), name: name.into(), code: code.into(), group };
    use crate::model::UnitGroup::{Commune, Province};
    assert_eq!(units, [unit("1", "Xã A", "007", Commune), unit("2", "T", "H1", Province)]);
    assert_eq!(findings.iter().map(|finding| finding.reason).collect::<Vec<_>>(), [Reason::ValueUnparsed]);
    assert_eq!(look_up(&document, "$.total"), Ok(vec![("$['total']".into(), Found::Number("2".into()))]));
    assert!(look_up(&document, "b.total").is_err());
    let page = Document::Html("<b class=t title=x>2</b><b class=t>3</b>".to_owned());
    assert_eq!(look_up(&page, "b.t").map(|found| found.len()), Ok(2));
    assert_eq!(look_up(&page, "b.t@title"), Ok(vec![("b.t@title (1)".into(), Found::Text("x".into()))]));
}
