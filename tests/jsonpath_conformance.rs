//! RFC 9535 conformance: every case of the JSONPath compliance test suite, on the features this crate builds with.

use serde::Deserialize;
use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

/// One case of `cts.json`: either `invalid_selector`, or a document with its one or its several allowed answers.
#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    document: Option<Value>,
    result: Option<Vec<Value>>,
    result_paths: Option<Vec<String>>,
    results: Option<Vec<Vec<Value>>>,
    results_paths: Option<Vec<Vec<String>>>,
    #[serde(default)]
    invalid_selector: bool,
}

#[test]
fn every_case_of_the_suite() {
    let Ok(data) = std::env::var("THUOCDO_REAL_DATA") else {
        eprintln!("skipped: every_case_of_the_suite (jsonpath): THUOCDO_REAL_DATA is not set");
        return;
    };
    let path = format!("{data}/compliance/jsonpath-rfc9535/cts.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let suite: Suite = serde_json::from_str(&text).expect("the suite's own shape");

    let failed: Vec<String> = suite.tests.iter().filter_map(|case| judge(case).err().map(|why| format!("{}: {why}", case.name))).collect();
    let total = suite.tests.len();
    println!("jsonpath conformance: {} of {total}", total - failed.len());
    assert!(total >= 703, "the suite has only {total} cases: is it whole?");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Whether we answer as the case says.
fn judge(case: &Case) -> Result<(), String> {
    let parsed = JsonPath::parse(&case.selector);
    if case.invalid_selector {
        return match parsed {
            Ok(_) => Err(format!("{:?} is accepted", case.selector)),
            Err(_) => Ok(()),
        };
    }
    let path = parsed.map_err(|error| format!("{:?}: {error}", case.selector))?;
    let document = case.document.as_ref().ok_or("the case has no document")?;
    let nodes: Vec<_> = path.query_located(document).into_iter().collect();
    let values: Vec<Value> = nodes.iter().map(|node| node.node().clone()).collect();
    let places: Vec<String> = nodes.iter().map(|node| normalized(node.location())).collect();

    let allowed_values: Vec<&Vec<Value>> = case.result.iter().chain(case.results.iter().flatten()).collect();
    let allowed_places: Vec<&Vec<String>> = case.result_paths.iter().chain(case.results_paths.iter().flatten()).collect();
    if allowed_values.len() != allowed_places.len() || allowed_values.is_empty() {
        return Err("the case does not state its answers and their places".to_owned());
    }
    // The n-th answer belongs to the n-th list of places.
    let agrees = allowed_values.iter().zip(&allowed_places).any(|(answer, at)| **answer == values && **at == places);
    if agrees {
        Ok(())
    } else {
        Err(format!("{:?} gives {values:?} at {places:?}, not {allowed_values:?} at {allowed_places:?}", case.selector))
    }
}

/// A place as RFC 9535 section 2.7 writes it: the crate's own text leaves quotes and control characters in names as they are.
fn normalized(location: &NormalizedPath<'_>) -> String {
    let elements = location.iter().map(|element| match element {
        PathElement::Index(index) => format!("[{index}]"),
        PathElement::Name(name) => format!("['{}']", name.chars().map(escaped).collect::<String>()),
    });
    format!("${}", elements.collect::<String>())
}

fn escaped(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    }
}

/// With `arbitrary_precision` a number keeps its text, yet filters compare values: as binary64, so whole numbers
/// past 2^53 that differ by one are the same to a filter. A collector must not tell such ids apart by `?@.id == …`.
#[test]
fn filters_compare_numbers_by_value() {
    let document: Value =
        serde_json::from_str("[1, 1.0, 1e0, 100, 1e2, 12.30, 12.3, -0, 0.0, 9007199254740993, 9007199254740992]").expect("JSON");
    for (selector, want) in [
        ("$[?@ == 1]", "[1,1.0,1e+0]"),
        ("$[?@ == 1e2]", "[100,1e+2]"),
        ("$[?@ == 12.3]", "[12.30,12.3]"),
        ("$[?@ == 0]", "[-0,0.0]"),
        ("$[?@ > 1 && @ < 100]", "[12.30,12.3]"),
        ("$[?@ == $[9]]", "[9007199254740993,9007199254740992]"),
    ] {
        let found = JsonPath::parse(selector).expect("a selector").query(&document).all();
        assert_eq!(serde_json::to_string(&found).expect("values"), want, "{selector}");
    }
}
