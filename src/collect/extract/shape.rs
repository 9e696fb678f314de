//! The shape of an answer: its keys and types as a canonical text, and how two of them differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Keys and types of all row objects together, one `path type` a line, sorted: `$.level string`, `$.metrics[*].code null|string`.
pub(super) fn of_json<'v>(rows: impl Iterator<Item = &'v Value>) -> String {
    let mut types = BTreeMap::new();
    rows.for_each(|row| note(row, "$", &mut types));
    let lines = types.into_iter().map(|(path, types): (String, BTreeSet<&str>)| {
        let types: Vec<&str> = types.into_iter().collect();
        format!("{path} {}\n", types.join("|"))
    });
    lines.collect()
}

/// The headings of a table, one `"heading" column` a line, sorted.
pub(super) fn of_headings(headings: &[String]) -> String {
    let mut lines: Vec<String> = headings.iter().map(|heading| format!("{heading:?} column\n")).collect();
    lines.sort();
    lines.concat()
}

/// What became of a shape: keys that came, went or changed type, in words; `None` if nothing that matters.
///
/// A null goes with every type, and an empty list with every element, because neither shows what it would hold.
pub fn shape_difference(before: &str, now: &str) -> Option<String> {
    let (before, now) = (parse(before), parse(now));
    let mut changes = Vec::new();
    for (path, types) in &before {
        match now.get(path) {
            None if !hidden(path, &now) => changes.push(format!("{path} is gone")),
            Some(seen) if !agree(types, seen) => {
                changes.push(format!("{path} was {}, is {}", words(types), words(seen)));
            }
            None | Some(_) => {}
        }
    }
    let came = now.keys().filter(|path| !before.contains_key(*path) && !hidden(path, &before));
    changes.extend(came.map(|path| format!("{path} is new")));
    (!changes.is_empty()).then(|| changes.join("; "))
}

fn note(value: &Value, path: &str, types: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    types.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(items) => items.iter().for_each(|item| note(item, &format!("{path}[*]"), types)),
        Value::Object(object) => object.iter().for_each(|(key, value)| note(value, &child(path, key), types)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// White space in a key would break the line apart, so such keys are quoted and escaped.
fn child(path: &str, key: &str) -> String {
    match !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
        true => format!("{path}.{key}"),
        false => format!("{path}[{key:?}]"),
    }
}

type Types<'t> = BTreeMap<&'t str, BTreeSet<&'t str>>;

fn parse(shape: &str) -> Types<'_> {
    let lines = shape.lines().filter_map(|line| line.rsplit_once(' '));
    lines.map(|(path, types)| (path, types.split('|').collect())).collect()
}

fn agree(a: &BTreeSet<&str>, b: &BTreeSet<&str>) -> bool {
    let known = |types: &BTreeSet<&str>| types.iter().filter(|kind| **kind != "null").map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    let (a, b) = (known(a), known(b));
    a.is_empty() || b.is_empty() || a == b
}

/// Whether something above the path is only null, or a list without elements, so that the path cannot show.
fn hidden(path: &str, types: &Types) -> bool {
    types.iter().any(|(above, kinds)| {
        let below = path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']));
        let element = format!("{above}[*]");
        below && kinds.iter().all(|kind| *kind == "null" || (*kind == "list" && !types.contains_key(element.as_str())))
    })
}

fn words(types: &BTreeSet<&str>) -> String {
    types.iter().copied().collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: &str) -> String {
        let rows: Vec<Value> = serde_json::from_str(rows).expect("JSON of the test");
        of_json(rows.iter())
    }

    #[test]
    fn keys_and_types_but_not_values_make_the_shape() {
        assert_eq!(shape(r#"[{"b":1,"a":"x"},{"a":null,"m":[{"c d":1}]}]"#).lines().count(), 6);
        assert_eq!(shape(r#"[{"a":1,"b":"x"}]"#), shape(r#"[{"b":"y","a":2.5},{"a":3,"b":""}]"#));
        for (before, now, difference) in [
            (r#"[{"a":1}]"#, r#"[{"a":2}]"#, None),
            (r#"[{"a":1}]"#, r#"[{"a":null}]"#, None),
            (r#"[{"m":[{"c":1}]}]"#, r#"[{"m":[]}]"#, None),
            (r#"[{"m":null}]"#, r#"[{"m":{"c":1}}]"#, None),
            (r#"[{"a":1}]"#, r#"[{"a":"1"}]"#, Some("$.a was number, is string")),
            (r#"[{"a":1}]"#, r#"[{"b":1}]"#, Some("$.a is gone; $.b is new")),
            (r#"[{"m":[{"c":1}]}]"#, r#"[{"m":[{"d":1}]}]"#, Some("$.m[*].c is gone; $.m[*].d is new")),
            (r#"[{"m":[1]}]"#, r#"[{"m":1}]"#, Some("$.m was list, is number; $.m[*] is gone")),
        ] {
            assert_eq!(shape_difference(&shape(before), &shape(now)).as_deref(), difference, "{before} {now}");
        }
    }
}
