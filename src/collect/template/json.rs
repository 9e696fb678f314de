//! JSON bodies with placeholders in their strings.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::{Escape, Filled, Filling, Named, Template, Unfilled};

/// JSON with placeholders in its strings; a placeholder alone keeps its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonTemplate {
    /// A string.
    Text(Template),
    /// Anything without placeholders: numbers, booleans.
    Plain(Value),
    /// An array.
    Array(Vec<JsonTemplate>),
    /// An object, in the order written.
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Every variable it names.
    pub fn variables(&self) -> Vec<Named<'_>> {
        match self {
            JsonTemplate::Text(template) => template.variables().collect(),
            JsonTemplate::Plain(_) => Vec::new(),
            JsonTemplate::Array(items) => items.iter().flat_map(JsonTemplate::variables).collect(),
            JsonTemplate::Object(fields) => fields.iter().flat_map(|(_, value)| value.variables()).collect(),
        }
    }

    /// The JSON with every placeholder filled; `None` if it is dropped.
    ///
    /// # Errors
    /// `Unfilled` names the placeholder that has no value and no default.
    pub fn fill(&self, filling: &Filling) -> Result<Option<Value>, Unfilled> {
        Ok(Some(match self {
            JsonTemplate::Plain(value) => value.clone(),
            JsonTemplate::Text(template) => match template.alone() {
                Some(hole) => match hole.fill(filling)? {
                    None => return Ok(None),
                    Some(Filled::Text(text)) => Value::String(text),
                    Some(Filled::Number(number)) => Value::from(number),
                },
                None => match template.fill(filling, Escape::None)? {
                    None => return Ok(None),
                    Some(text) => Value::String(text),
                },
            },
            JsonTemplate::Array(items) => {
                let filled: Result<Vec<Option<Value>>, Unfilled> = items.iter().map(|item| item.fill(filling)).collect();
                Value::Array(filled?.into_iter().flatten().collect())
            }
            JsonTemplate::Object(fields) => {
                let mut object = Map::new();
                for (key, value) in fields {
                    if let Some(value) = value.fill(filling)? {
                        object.insert(key.clone(), value);
                    }
                }
                Value::Object(object)
            }
        }))
    }
}

impl<'de> Deserialize<'de> for JsonTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonTemplate, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = JsonTemplate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value: text, a whole number, true, false, an array or a table")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<JsonTemplate, E> {
        text.parse().map(JsonTemplate::Text).map_err(E::custom)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<JsonTemplate, E> {
        Ok(JsonTemplate::Plain(Value::Bool(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<JsonTemplate, E> {
        Ok(JsonTemplate::Plain(Value::Number(Number::from(value))))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<JsonTemplate, E> {
        Ok(JsonTemplate::Plain(Value::Number(Number::from(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JsonTemplate, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(JsonTemplate::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonTemplate, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(JsonTemplate::Object(object))
    }
}
