//! Values of collector files that are compiled while the file is read, so that TOML points at the wrong one.

use chrono_tz::Tz;
use regex::Regex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// An IANA time zone.
#[derive(Debug, Clone, Copy)]
pub struct Zone(pub Tz);

impl Zone {
    /// Asia/Ho_Chi_Minh.
    pub(super) fn vietnam() -> Zone {
        Zone(chrono_tz::Asia::Ho_Chi_Minh)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse()
            .map(Zone)
            .map_err(|_| D::Error::custom(format!("{name:?} is no time zone; write an IANA name like \"Asia/Ho_Chi_Minh\"")))
    }
}

/// A file name pattern.
#[derive(Debug, Clone)]
pub struct FilePattern(pub String);

impl<'de> Deserialize<'de> for FilePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FilePattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        match glob::Pattern::new(&text) {
            Ok(_) => Ok(FilePattern(text)),
            Err(error) => Err(D::Error::custom(format!("{text:?} is no file pattern ({error}); write one like \"drop/*.xlsx\""))),
        }
    }
}

/// One path or several.
#[derive(Debug, Clone)]
pub struct JsonPaths(pub Vec<JsonPath>);

impl<'de> Deserialize<'de> for JsonPaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonPaths, D::Error> {
        OneOrMany::deserialize(deserializer).map(|paths| JsonPaths(paths.0))
    }
}

/// A single value where a list may stand.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de> + TryFromText> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        struct Texts<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de> + TryFromText> serde::de::Visitor<'de> for Texts<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                T::try_from_text(text).map(|one| OneOrMany(vec![one])).map_err(E::custom)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                Ok(OneOrMany(many))
            }
        }
        deserializer.deserialize_any(Texts(std::marker::PhantomData))
    }
}

/// Values that are written as one text.
pub trait TryFromText: Sized {
    /// From the text as it stands in the file.
    ///
    /// # Errors
    /// What is wrong with it and the fix.
    fn try_from_text(text: &str) -> Result<Self, String>;
}

/// An RFC 9535 path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    /// As written.
    pub text: String,
    /// Compiled.
    pub path: serde_json_path::JsonPath,
}

impl TryFromText for JsonPath {
    fn try_from_text(text: &str) -> Result<JsonPath, String> {
        match serde_json_path::JsonPath::parse(text) {
            Ok(path) => Ok(JsonPath { text: text.to_owned(), path }),
            Err(error) => Err(format!("{text:?} is no RFC 9535 path: {error}; write one like \"$.data.children[*]\"")),
        }
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &JsonPath) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

impl PartialOrd for JsonPath {
    fn partial_cmp(&self, other: &JsonPath) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JsonPath {
    fn cmp(&self, other: &JsonPath) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonPath, D::Error> {
        JsonPath::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What an error of several lines says in the end; those before draw the text again, or ask to tell the parser's developers.
pub(in crate::collect) fn last_line(error: &impl std::fmt::Display) -> String {
    error.to_string().lines().last().unwrap_or_default().to_owned()
}

/// A CSS selector as written; `scraper::Selector` is compiled where it is used, because it is checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Css(pub String);

impl Css {
    /// Compiled.
    pub fn selector(&self) -> scraper::Selector {
        scraper::Selector::parse(&self.0).expect("a selector that was compiled when the file was loaded")
    }
}

impl TryFromText for Css {
    fn try_from_text(text: &str) -> Result<Css, String> {
        match scraper::Selector::parse(text) {
            Ok(_) => Ok(Css(text.to_owned())),
            Err(error) => Err(format!("{text:?} is no CSS selector: {}; write one like \"table#thong-ke\"", last_line(&error))),
        }
    }
}

impl<'de> Deserialize<'de> for Css {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Css, D::Error> {
        Css::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A one-byte delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Delimiter, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Delimiter(*byte)),
            _ => Err(D::Error::custom(format!("{text:?} is no delimiter; write one character like \",\", \";\" or \"\\t\""))),
        }
    }
}

/// A character encoding by its label (WHATWG Encoding).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub &'static encoding_rs::Encoding);

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding(encoding_rs::UTF_8)
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
        let label = String::deserialize(deserializer)?;
        let found = encoding_rs::Encoding::for_label(label.as_bytes());
        found
            .map(Encoding)
            .ok_or_else(|| D::Error::custom(format!("{label:?} is no encoding; write one like \"utf-8\" or \"windows-1258\"")))
    }
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Pattern).map_err(|error| {
            let why = last_line(&error);
            D::Error::custom(format!("{text:?} is no regular expression: {}; write one like \"^Tổng\"", why.trim_start_matches("error: ")))
        })
    }
}
