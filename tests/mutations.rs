//! Answers that changed under the collector's feet: each gives right values or is refused, never a wrong value.

use std::collections::BTreeMap;

use thuocdo::collect::collector::Collector;
use thuocdo::collect::extract::{Context, Extract, extract, parse};
use thuocdo::model::{Adds, Indicator, Measure, Scope, Severity, Value};

/// Unit, indicator and the value that is true, as the answer would print it in plain notation ("" = missing).
type Truth = BTreeMap<(String, String), String>;

/// One good answer: how it is read, and how it is printed from its cells.
struct Source {
    name: &'static str,
    rows: String,
    content_type: &'static str,
    print: fn(&Table) -> String,
}

/// What an answer holds, before it is printed: the headings (keys) and the cells, the first of each row the unit's code.
#[derive(Clone)]
struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

const INDICATORS: [(&str, &str); 3] = [("received", "Tiếp nhận"), ("on_time", "Đúng hạn"), ("days", "Số ngày")];

fn table() -> Table {
    let headings = ["Mã", "Tên", "Tiếp nhận", "Đúng hạn", "Số ngày"].map(str::to_owned).into();
    let rows = [
        ["007", "Sở A", "1.234", "1.022", "3,5"],
        ["12", "Sở B", "25.310", "24.999", "12,25"],
        ["H49.22", "Xã C", "8", "0", "0,75"],
        ["H49.7", "Xã D, đảo", "905", "811", "-"],
    ];
    Table { headings, rows: rows.map(|row| row.map(str::to_owned).into()).into() }
}

fn truth_of(table: &Table) -> Truth {
    let column = |heading: &str| table.headings.iter().position(|have| have == heading).expect("a heading of the test");
    let plain = |text: &str| if matches!(text, "-" | "" | "null") { String::new() } else { text.replace('.', "").replace(',', ".") };
    let of_row = |row: &Vec<String>| {
        INDICATORS.map(|(id, heading)| ((format!("u{}", row[column("Mã")]), id.to_owned()), plain(&row[column(heading)])))
    };
    table.rows.iter().flat_map(of_row).collect()
}

fn json(table: &Table) -> String {
    let quoted = |text: &String| if text == "null" { text.clone() } else { format!("{text:?}") };
    let object = |row: &Vec<String>| {
        let fields: Vec<String> = table.headings.iter().zip(row).map(|(key, text)| format!("{key:?}:{}", quoted(text))).collect();
        format!("{{{}}}", fields.join(","))
    };
    let rows: Vec<String> = table.rows.iter().map(object).collect();
    format!("{{\"code\":\"OK\",\"data\":[{}]}}", rows.join(","))
}

/// The same with JSON's own numbers for the good answer's figures and codes: `"12"` becomes `12`.
fn json_numbers(changed: &Table) -> String {
    let mut text = json(changed).replace("\"-\"", "null");
    for cell in table().rows.iter().flatten().filter(|cell| *cell != "007") {
        let number = cell.replace('.', "").replace(',', ".");
        if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            text = text.replace(&format!("{cell:?}"), &number);
        }
    }
    text
}

fn html(table: &Table) -> String {
    let cells = |tag: &str, row: &Vec<String>| row.iter().map(|text| format!("<{tag}>{text}</{tag}>")).collect::<String>();
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect();
    let head = cells("th", &table.headings);
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body><table id=\"tk\"><tr>{head}</tr>\n{rows}</table></body></html>\n"
    )
}

fn csv(table: &Table) -> String {
    let line = |row: &Vec<String>| row.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",") + "\r\n";
    std::iter::once(&table.headings).chain(&table.rows).map(line).collect()
}

fn sources() -> Vec<Source> {
    let reads = |place: &dyn Fn(&str, &str) -> String| {
        let read = |(id, heading): (&str, &str)| {
            format!("[[rows.read]]\nindicator = {id:?}\nvalue = {:?}\nnumber = \"vi\"\nmissing = [\"\", \"-\"]\n", place(id, heading))
        };
        INDICATORS.map(read).concat()
    };
    let columns = "columns = { unit = \"Mã\", received = \"Tiếp nhận\", on_time = \"Đúng hạn\", days = \"Số ngày\" }";
    let table = |from: &str| {
        let unit = "unit = { value = \"unit\", codes = \"c\" }";
        format!("[[rows]]\nfrom = {{ table = {from} }}\n{columns}\n{unit}\n{}", reads(&|id, _| id.to_owned()))
    };
    let paths = reads(&|_, heading| format!("$['{heading}']"));
    let rows = format!("[[rows]]\nfrom = {{ json = \"$.data[*]\" }}\nunit = {{ value = \"$['Mã']\", codes = \"c\" }}\n{paths}");
    vec![
        Source { name: "json", rows: rows.clone(), content_type: "application/json", print: json },
        Source { name: "json of numbers", rows, content_type: "application/json", print: json_numbers },
        Source { name: "html", rows: table("{ css = \"table#tk\" }"), content_type: "text/html", print: html },
        Source { name: "csv", rows: table("{}"), content_type: "text/csv", print: csv },
    ]
}

/// Mutations of columns; what is true of a unit stays true.
fn changed_columns() -> Vec<(String, Table, Truth)> {
    let good = table();
    let truth = truth_of(&good);
    let mut cases = vec![("unchanged".to_owned(), good.clone(), truth.clone())];
    let mut add = |name: String, change: &dyn Fn(&mut Table), truth: &Truth| {
        let mut changed = good.clone();
        change(&mut changed);
        cases.push((name, changed, truth.clone()));
    };
    for a in 0..5 {
        for b in 0..a {
            let swap = |table: &mut Table| std::iter::once(&mut table.headings).chain(&mut table.rows).for_each(|row| row.swap(a, b));
            add(format!("columns {a} and {b} swapped"), &swap, &truth);
        }
        for heading in ["Mới", "Tiếp nhận", "Đúng hạn", ""] {
            let insert = |table: &mut Table| {
                table.headings.insert(a, heading.to_owned());
                table.rows.iter_mut().for_each(|row| row.insert(a, "77".to_owned()));
            };
            add(format!("column {heading:?} inserted at {a}"), &insert, &truth);
            add(format!("heading {a} renamed to {heading:?}"), &|table| table.headings[a] = heading.to_owned(), &truth);
        }
        let heading_case = |table: &mut Table| table.headings[a] = table.headings[a].to_uppercase();
        add(format!("heading {a} in capitals"), &heading_case, &truth);
        for row in 0..4 {
            add(format!("row {row} without cell {a}"), &|table| drop(table.rows[row].remove(a)), &truth);
            add(format!("row {row} with a cell more at {a}"), &|table| table.rows[row].insert(a, "5".to_owned()), &truth);
        }
        let lost = |table: &mut Table| std::iter::once(&mut table.headings).chain(&mut table.rows).for_each(|row| drop(row.remove(a)));
        add(format!("column {a} gone"), &lost, &truth);
    }
    cases
}

/// Mutations of cells; the truth is what the answer then says under its headings.
fn changed_cells() -> Vec<(String, Table, Truth)> {
    let good = table();
    let truth = truth_of(&good);
    let mut cases = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut Table), truth: &Truth| {
        let mut changed = good.clone();
        change(&mut changed);
        cases.push((name, changed, truth.clone()));
    };
    add("a row twice".to_owned(), &|table| table.rows.push(table.rows[0].clone()), &truth);
    add("codes of two rows swapped for names".to_owned(), &|table| table.rows.iter_mut().for_each(|row| row.swap(0, 1)), &truth);
    add("leading zeros lost".to_owned(), &|table| table.rows[0][0] = "7".to_owned(), &truth);
    add("a code as a fraction".to_owned(), &|table| table.rows[1][0] = "12.0".to_owned(), &truth);
    // Another locale says the same figures with stop and comma exchanged.
    let exchange = |text: &str| {
        text.chars()
            .map(|c| {
                if c == '.' {
                    ','
                } else if c == ',' {
                    '.'
                } else {
                    c
                }
            })
            .collect::<String>()
    };
    let locale = |table: &mut Table| table.rows.iter_mut().for_each(|row| row[2..].iter_mut().for_each(|text| *text = exchange(text)));
    add("numbers in the other locale".to_owned(), &locale, &truth);
    let bare = |table: &mut Table| table.rows.iter_mut().for_each(|row| row[2..].iter_mut().for_each(|text| *text = text.replace('.', "")));
    add("thousands not grouped".to_owned(), &bare, &truth);
    for text in ["", "-", "0", "N/A", "null", "1.23", "12 34", "1,234,567", "1.234.56", "1e3", "<b>5</b>x", "12<br>34", "12<sup>3</sup>"] {
        for column in 2..5 {
            let mut changed = good.clone();
            changed.rows[1][column] = text.to_owned();
            let truth = match text {
                "" | "-" | "0" | "null" => truth_of(&changed),
                _ => truth.clone(),
            };
            add(format!("{text:?} in column {column}"), &|table| table.rows[1][column] = text.to_owned(), &truth);
        }
    }
    cases
}

/// Mutations of the bytes: whatever is still read must be the truth of the whole answer.
fn changed_bytes(source: &Source) -> Vec<(String, Vec<u8>)> {
    let good = (source.print)(&table()).into_bytes();
    let mut cases: Vec<(String, Vec<u8>)> = (0..good.len()).map(|length| (format!("cut at {length}"), good[..length].to_vec())).collect();
    for (name, body) in [
        ("a firewall's page", "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected.</body></html>\n"),
        ("a login page", "<!DOCTYPE html><html><form><input name=u><input type=password name=p></form><table id=\"x\"></table></html>\n"),
        ("an error page", "<html><body><h1>502 Bad Gateway</h1></body></html>\n"),
        ("error JSON", "{\"code\":\"ERROR\",\"message\":\"Hệ thống bận\",\"data\":null}\n"),
        ("error JSON with rows", "{\"code\":\"ERROR\",\"data\":[{\"message\":\"12\"}]}\n"),
        ("nothing", ""),
        ("no rows", "{\"code\":\"OK\",\"data\":[]}\n"),
    ] {
        cases.push((name.to_owned(), body.as_bytes().to_vec()));
    }
    for at in (0..good.len()).step_by(5) {
        let mut wrong = good.clone();
        wrong[at] = 0xff;
        cases.push((format!("a wrong byte at {at}"), wrong));
    }
    cases
}

fn read(source: &Source, body: &[u8]) -> Result<Extract, String> {
    let head =
        "schema = 1\nid = \"t\"\ntitle = { vi = \"t\", en = \"t\" }\n[schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"x/*\"\n";
    let collector: Collector = toml::from_str(&format!("{head}{}", source.rows)).expect("a collector of the test");
    let scope = Scope {
        due: "2026-10-01T00:00:00Z".parse().expect("an instant of the test"),
        period: Some("2026".parse().expect("a year")),
        unit: None,
        portal: None,
        province: BTreeMap::new(),
    };
    let indicators = INDICATORS.map(|(id, _)| Indicator {
        id: id.to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        measure: if id == "days" { Measure::Days } else { Measure::Count },
        range: (Some("0".parse().expect("a number")), Some(if id == "days" { "366" } else { "999999" }.parse().expect("a number"))),
        over_time: Adds::No,
        over_units: Adds::No,
        cite: String::new(),
        derived: None,
        collector: None,
        per: None,
        within: None,
    });
    let document = parse(&collector.rows, body, source.content_type).map_err(|finding| finding.reason.to_string())?;
    let codes = ["007", "12", "H49.22", "H49.7"];
    let unit_of = |_: &str, code: &str, _| codes.contains(&code).then(|| format!("u{code}"));
    let by_id = |id: &str| indicators.iter().find(|indicator| indicator.id == id);
    Ok(extract(&document, &Context { collector: &collector, scope: &scope, address: "", unit_of: &unit_of, indicator: &by_id }))
}

/// The readings that say something else than the truth in an answer that would be trusted.
fn wrong_values(found: &Result<Extract, String>, truth: &Truth) -> Vec<String> {
    let Ok(found) = found else {
        return Vec::new();
    };
    if found.findings.iter().any(|finding| finding.severity == Severity::Quarantine) {
        return Vec::new();
    }
    let wrong = found.readings.iter().filter(|reading| {
        let right = truth.get(&(reading.unit.clone(), reading.indicator.clone()));
        let value = match reading.value {
            Value::Missing => String::new(),
            Value::Number(number) => number.to_string(),
        };
        right != Some(&value)
    });
    wrong.map(|reading| format!("{} {} = {} at {}", reading.unit, reading.indicator, reading.value, reading.place)).collect()
}

#[test]
fn no_mutation_gives_a_wrong_value() {
    let (mut n_cases, mut n_trusted) = (0, 0);
    let mut wrong = Vec::new();
    let mut count = |name: String, found: &Result<Extract, String>, truth: &Truth| {
        n_cases += 1;
        let trusted = found.as_ref().is_ok_and(|found| found.findings.iter().all(|finding| finding.severity == Severity::Warn));
        n_trusted += usize::from(trusted);
        wrong.extend(wrong_values(found, truth).into_iter().map(|what| format!("{name}: {what}")));
    };
    for source in sources() {
        let whole = read(&source, (source.print)(&table()).as_bytes()).expect("the good answer");
        assert_eq!((whole.readings.len(), whole.findings.as_slice()), (12, &[][..]), "{}", source.name);
        for (name, changed, truth) in changed_columns().into_iter().chain(changed_cells()) {
            // JSON has no cell without a key: printed there, this would only say other figures.
            if source.name.starts_with("json") && name.contains("with a cell more") {
                continue;
            }
            count(format!("{}, {name}", source.name), &read(&source, (source.print)(&changed).as_bytes()), &truth);
        }
        for (name, body) in changed_bytes(&source) {
            count(format!("{}, {name}", source.name), &read(&source, &body), &truth_of(&table()));
        }
    }
    println!("mutations: {n_cases} cases, {n_trusted} trusted, {} refused, wrong values {}", n_cases - n_trusted, wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(n_trusted > 60, "harmless changes are read: {n_trusted}");
}
