//! `Found`: what stands in one place of an answer, before it is read as a number, a code or a name.

use crate::model::clean;

/// What stands in one place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A text; a line break in it is one that a reader of the page sees.
    Text(String),
    /// A number of the format itself (JSON, a numeric cell), in plain notation: `12.30`, never through binary floating point for JSON.
    Number(String),
    /// JSON `true` or `false`, a logical cell.
    Bool(bool),
    /// JSON `null`.
    Null,
    /// An empty cell of a workbook, its way to say null.
    Empty,
    /// What can be no value: an object, a list, an error cell; in words with the text seen.
    Other(String),
}

impl Found {
    /// The text as it stands there.
    pub fn text(&self) -> String {
        match self {
            Found::Text(text) | Found::Number(text) | Found::Other(text) => text.clone(),
            Found::Bool(is) => is.to_string(),
            Found::Null => "null".to_owned(),
            Found::Empty => String::new(),
        }
    }

    /// As a name, word or code to compare: cleaned, "" for null; `None` for what can be none.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Found::Text(text) => Some(clean(text)),
            Found::Number(text) => Some(text.clone()),
            Found::Bool(is) => Some(is.to_string()),
            Found::Null | Found::Empty => Some(String::new()),
            Found::Other(_) => None,
        }
    }

    /// As the code of a unit, trimmed, leading zeros kept.
    ///
    /// A number counts only if it is written without a fraction: 7 is "7", but 7.0 may be "7" or "7.0".
    pub(super) fn code(&self) -> Result<String, String> {
        match self {
            Found::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Found::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text.clone()),
            Found::Number(text) => Err(format!("the number {} is no code without doubt; the source must give codes as text", shown(text))),
            Found::Text(_) | Found::Null | Found::Empty => Err("the row names no unit: its code is empty".to_owned()),
            Found::Bool(_) | Found::Other(_) => Err(format!("{} is no code", shown(&self.text()))),
        }
    }
}

/// One found value and where it stands.
#[derive(Debug)]
pub(super) struct Spot {
    /// What stands there.
    pub(super) found: Found,
    /// Where, for people.
    pub(super) place: String,
    /// The cell is merged over several rows or columns: a name may be, a number may not.
    pub(super) spans: bool,
}

/// Why there is not exactly one value in a place.
#[derive(Debug)]
pub(super) enum Absent {
    /// Nothing stands there.
    Nothing,
    /// So many values do.
    Several(usize),
}

impl Absent {
    /// In words, for the place as written in the collector file.
    pub(super) fn words(&self, place: &str) -> String {
        match self {
            Absent::Nothing => format!("{place} leads to nothing"),
            Absent::Several(n) => format!("{place} leads to {n} values where one was expected"),
        }
    }
}

/// A text for people: quoted, at most 120 characters, control characters made visible.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::from("\"");
    for (n, c) in text.chars().enumerate() {
        match c {
            _ if n == 120 => {
                out.push('…');
                break;
            }
            c if c.is_control() || matches!(c, '\u{a0}' | '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}') => {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_never_guessed() {
        for (found, code) in [
            (Found::Text(" 007 ".into()), Some("007")),
            (Found::Number("7".into()), Some("7")),
            (Found::Number("7.0".into()), None),
            (Found::Number("-7".into()), None),
            (Found::Text("  ".into()), None),
            (Found::Null, None),
            (Found::Bool(true), None),
        ] {
            assert_eq!(found.code().ok().as_deref(), code, "{found:?}");
        }
    }

    #[test]
    fn shows_text_safely() {
        assert_eq!(shown("a\u{0}b\n\u{a0}"), "\"a\\u{0}b\\n\\u{a0}\"");
        assert_eq!(shown(&"ặ".repeat(500)).chars().count(), 123);
    }
}
