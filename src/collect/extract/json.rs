//! JSON answers: decoding without loss, rows and values by RFC 9535 paths.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

use super::found::{Absent, Found, Spot, shown};
use crate::collect::collector::JsonPaths;
use crate::model::{Finding, Reason};

/// The document in these bytes, numbers kept as written.
///
/// A key that stands twice in one object is refused: which of its two values is meant cannot be known.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Finding> {
    let refuse = |what: String| Finding::quarantine(Reason::Decode, "body", what);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refuse(format!("not UTF-8: wrong byte at {} of {}", error.valid_up_to(), bytes.len())))?;
    let not_json = |error: serde_json::Error| match text.trim().is_empty() {
        true => refuse("the body is empty where JSON was expected".to_owned()),
        false => refuse(format!("not JSON: {error}; it begins {}", shown(text))),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    UniqueKeys.deserialize(&mut reader).and_then(|()| reader.end()).map_err(not_json)?;
    serde_json::from_str(text).map_err(not_json)
}

/// Reads over a document and stops at an object with one key twice.
#[derive(Clone, Copy)]
struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value_seed(self)?;
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format!("the key {twice:?} stands twice in one object")));
            }
        }
        Ok(())
    }
}

/// One row of a JSON answer.
#[derive(Debug)]
pub(super) struct JsonRow<'d> {
    pub(super) value: &'d Value,
    /// Its normalised path.
    pub(super) location: String,
}

/// The rows that the paths lead to, in their order; a path that leads nowhere is a finding, because then rows are lost.
pub(super) fn rows<'d>(document: &'d Value, paths: &JsonPaths, findings: &mut Vec<Finding>) -> Vec<JsonRow<'d>> {
    let mut rows = Vec::new();
    for path in &paths.0 {
        let found = path.path.query_located(document).all();
        if found.is_empty() {
            let text = format!("no row here; the answer begins {}", shown(&document.to_string()));
            findings.push(Finding::quarantine(Reason::SelectorMissing, &path.text, text));
        }
        rows.extend(found.into_iter().map(|node| JsonRow { value: node.node(), location: normalised("$", node.location()) }));
    }
    rows
}

/// A compiled path relative to a row.
#[derive(Debug)]
pub(super) enum JsonPlace {
    /// `$.a.b`: plain keys, by far the commonest and read without the query machine.
    Keys(Vec<String>),
    /// Anything else.
    Path(Box<JsonPath>),
}

impl JsonPlace {
    /// From its text.
    pub(super) fn compile(text: &str) -> Result<JsonPlace, String> {
        let path = JsonPath::parse(text).map_err(|error| format!("{text:?} is no RFC 9535 path: {error}"))?;
        Ok(plain_keys(text).map_or_else(|| JsonPlace::Path(Box::new(path)), JsonPlace::Keys))
    }

    /// The one value it leads to from a row.
    pub(super) fn find(&self, row: &JsonRow) -> Result<Spot, Absent> {
        match self {
            JsonPlace::Keys(keys) => {
                let mut place = row.location.clone();
                let mut value = row.value;
                for key in keys {
                    value = value.as_object().and_then(|object| object.get(key)).ok_or(Absent::Nothing)?;
                    push_key(&mut place, key);
                }
                Ok(Spot { found: found(value), place, spans: false })
            }
            JsonPlace::Path(path) => {
                let nodes = path.query_located(row.value).all();
                match nodes.as_slice() {
                    [] => Err(Absent::Nothing),
                    [node] => Ok(Spot { found: found(node.node()), place: normalised(&row.location, node.location()), spans: false }),
                    [..] => Err(Absent::Several(nodes.len())),
                }
            }
        }
    }
}

/// The keys of a path of the form `$.a.b`.
fn plain_keys(text: &str) -> Option<Vec<String>> {
    let rest = text.strip_prefix('$')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let plain = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let keys: Vec<&str> = rest.strip_prefix('.')?.split('.').collect();
    keys.iter().all(|key| plain(key)).then(|| keys.into_iter().map(str::to_owned).collect())
}

/// Every value that a path leads to from the whole document, with its place.
pub(super) fn look_up(document: &Value, path: &JsonPath) -> Vec<(String, Found)> {
    path.query_located(document).all().into_iter().map(|node| (normalised("$", node.location()), found(node.node()))).collect()
}

fn found(value: &Value) -> Found {
    match value {
        Value::Null => Found::Null,
        Value::Bool(is) => Found::Bool(*is),
        Value::Number(number) => Found::Number(number.to_string()),
        Value::String(text) => Found::Text(text.clone()),
        Value::Array(items) => Found::Other(format!("a list of {}", items.len())),
        Value::Object(object) => Found::Other(format!("an object of {} keys", object.len())),
    }
}

/// RFC 9535, section 2.7: the normalised path below a base.
fn normalised(base: &str, path: &NormalizedPath) -> String {
    let mut text = base.to_owned();
    for element in path.iter() {
        match element {
            PathElement::Name(name) => push_key(&mut text, name),
            PathElement::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

fn push_key(path: &mut String, key: &str) {
    path.push_str("['");
    for c in key.chars() {
        match c {
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            c if c < ' ' => path.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => path.push(c),
        }
    }
    path.push_str("']");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_at(document: &str, path: &str) -> Result<(String, String), String> {
        let document = parse(document.as_bytes()).expect("JSON of the test");
        let row = JsonRow { value: &document, location: "$['data'][3]".to_owned() };
        let spot = JsonPlace::compile(path)?.find(&row).map_err(|absent| absent.words(path))?;
        Ok((spot.found.text(), spot.place))
    }

    #[test]
    fn finds_exactly_one_value() {
        let document = r#"{"a":{"b":12.30},"it's":1e2,"m":[{"c":"X","n":5},{"c":"Y","n":null}]}"#;
        for (path, text, place) in [
            ("$.a.b", "12.30", "$['data'][3]['a']['b']"),
            ("$['a']['b']", "12.30", "$['data'][3]['a']['b']"),
            ("$[\"it's\"]", "1e2", "$['data'][3]['it\\'s']"),
            ("$.m[?@.c=='X'].n", "5", "$['data'][3]['m'][0]['n']"),
            ("$.m[1].n", "null", "$['data'][3]['m'][1]['n']"),
            ("$.m", "a list of 2", "$['data'][3]['m']"),
        ] {
            let (found, at) = text_at(document, path).expect(path);
            assert_eq!((found.to_lowercase().replace('+', ""), at.as_str()), (text.to_owned(), place), "{path}");
        }
        for (path, error) in [("$.z", "nothing"), ("$.a.b.c", "nothing"), ("$.m[*].n", "2 values"), ("a.b", "no RFC 9535 path")] {
            assert!(text_at(document, path).expect_err(path).contains(error), "{path}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for (body, words) in [
            (&b""[..], "empty"),
            (b"{\"a\":1", "EOF"),
            (b"{\"a\":1}x", "trailing"),
            (b"\xff\xfe", "not UTF-8"),
            (br#"{"a":[{"n":1,"n":2}]}"#, "\"n\" stands twice"),
        ] {
            let finding = parse(body).expect_err("a body of the test");
            assert!(finding.reason == Reason::Decode && finding.text.contains(words), "{finding:?}");
        }
        assert_eq!(parse(b"\xef\xbb\xbf[12.30]").expect("BOM").to_string(), "[12.30]");
    }
}
