//! `Problem`: what is wrong in a declarative file, where, and how to mend it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// One fault of a declarative file: its place, what is wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file as it was named to us.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl Problem {
    /// A fault at a byte range of the text.
    pub fn at(file: &str, text: &str, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Problem {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// A fault that the TOML reader or a type's own parser found.
    pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Problem {
        let message = error.message().trim().to_owned();
        let (message, fix) = with_fix(&message, error.span().and_then(|span| text.get(span)).unwrap_or_default());
        Problem::at(file, text, error.span().unwrap_or(0..0), message, fix)
    }
}

/// A reader's message parted into what is wrong and the fix. `written` is what stands at its place.
///
/// Our own types say "…; write …"; the rest are the messages of serde and of the TOML reader.
fn with_fix(message: &str, written: &str) -> (String, String) {
    if let Some((wrong, fix)) = message.rsplit_once("; ").filter(|(_, fix)| !fix.trim().is_empty()) {
        return (wrong.to_owned(), fix.to_owned());
    }
    if let Some((wrong, fix)) = message.rsplit_once(": write ") {
        return (wrong.to_owned(), format!("write {fix}"));
    }
    let fix = if let Some(field) = message.strip_prefix("missing field ") {
        format!("add {} to this table", field.replace('`', ""))
    } else if message.starts_with("duplicate") {
        "remove one of the two".to_owned()
    } else if message.starts_with("wanted exactly 1 element") {
        "keep one of the kinds and remove the others".to_owned()
    } else if let Some((unknown, expected)) = message.split_once(", expected ").filter(|_| message.starts_with("unknown ")) {
        one_of(unknown.split('`').nth(1).unwrap_or_default(), &expected.split('`').skip(1).step_by(2).collect::<Vec<_>>())
    } else if let Some((unknown, known)) =
        message.strip_prefix("unexpected keys in table: ").and_then(|keys| keys.split_once(", available keys: "))
    {
        one_of(unknown, &known.split(", ").collect::<Vec<_>>())
    } else if message == "wanted string or table" {
        "write one of its words, in quotes".to_owned()
    } else if message.starts_with("unknown ") {
        "remove it".to_owned()
    } else if let Some((_, expected)) = message.rsplit_once("expected ") {
        write_instead(expected, written)
    } else if let Some((_, example)) = message.rsplit_once(", like ") {
        format!("write one like {example}")
    } else {
        "correct it as TOML (toml.io), and the value as in the shipped files".to_owned()
    };
    (message.to_owned(), fix)
}

/// The nearest of the names that may stand there, and all of them.
fn one_of(unknown: &str, names: &[&str]) -> String {
    let nearest = names.iter().map(|name| (distance(unknown, name), *name)).min();
    match nearest {
        None => "remove it".to_owned(),
        Some((_, name)) if names.len() == 1 => format!("use `{name}`"),
        // Two slips in a short word make another word.
        Some((slips, name)) if slips * 3 <= unknown.chars().count().max(3) => {
            format!("did you mean `{name}`? There are {}", names.join(", "))
        }
        Some(_) => format!("use one of {}", names.join(", ")),
    }
}

/// What to write in place of a value of another type.
fn write_instead(expected: &str, written: &str) -> String {
    let bare = !written.is_empty() && written.len() <= 40 && !written.contains(['"', '\'', '\n', '[', '{', '=']);
    match expected {
        "a string" if bare => format!("write a text in quotes, like \"{written}\""),
        "a string" => "write a text in quotes".to_owned(),
        "a sequence" => "write a list, like [\"…\"]".to_owned(),
        "a map" => "write a table, like { key = \"…\" }".to_owned(),
        "a boolean" => "write true or false".to_owned(),
        "u16" => "write a whole number from 0 to 65535, without quotes".to_owned(),
        "u8" | "u32" | "u64" | "usize" => "write a whole number that is not negative, without quotes".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "write a whole number, without quotes".to_owned(),
        _ if expected.starts_with("a nonzero ") => "write a whole number above 0, without quotes".to_owned(),
        _ if expected.contains("newline") => "end the line here; a text stands in quotes, a table in braces".to_owned(),
        _ if expected.starts_with("struct ") => "write a table, like { key = \"…\" }".to_owned(),
        other => format!("write {other}"),
    }
}

/// How many letters must be put in, left out or changed to make one word the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}\n  fix: {}", self.file, self.line, self.column, self.message, self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let text = "a = 1\nđơn vị = x\n";
        let at = text.find('x').expect("the x of the test");
        let problem = Problem::at("f.toml", text, at..at + 1, "wrong", "mend");
        assert_eq!(problem.to_string(), "f.toml:2:10: wrong\n  fix: mend");
        assert_eq!((Problem::at("f", text, 999..1000, "", "").line, Problem::at("f", "", 0..0, "", "").column), (3, 1));
    }

    #[test]
    fn the_reader_names_place_and_fix() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(rename = "id")]
            _id: String,
        }
        for (text, place, fix) in [
            ("id = \"a\"\nidd = 1\n", (2, 1), "use `id`"),
            ("id = 5\n", (1, 6), "write a text in quotes, like \"5\""),
            ("", (1, 1), "add id to this table"),
        ] {
            let error = toml::from_str::<File>(text).expect_err(text);
            let problem = Problem::from_toml("f.toml", text, &error);
            assert_eq!(((problem.line, problem.column), problem.fix.as_str()), (place, fix), "{problem}");
        }
    }

    #[test]
    fn fixes_say_what_to_write() {
        for (message, written, fix) in [
            ("unknown field `atempts`, expected one of `attempts`, `on`", "atempts", "did you mean `attempts`? There are attempts, on"),
            ("unknown variant `PUT`, expected `GET` or `POST`", "\"PUT\"", "use one of GET, POST"),
            ("unknown field `a`, there are no fields", "a", "remove it"),
            ("missing field `on`", "", "add on to this table"),
            ("invalid type: string \"x\", expected u16", "\"x\"", "write a whole number from 0 to 65535, without quotes"),
            ("invalid type: map, expected a string", "{ a = 1 }", "write a text in quotes"),
            ("\"x\" is no time zone; write an IANA name", "\"x\"", "write an IANA name"),
            ("unexpected keys in table: headr, available keys: header, value", "headr", "did you mean `header`? There are header, value"),
            ("\"x\" is not a period: write 2026 or 2026-09", "\"x\"", "write 2026 or 2026-09"),
            ("wanted string or table", "1", "write one of its words, in quotes"),
            ("extra comma", "", "correct it as TOML (toml.io), and the value as in the shipped files"),
        ] {
            assert_eq!(with_fix(message, written).1, fix, "{message}");
        }
        for (one, other, want) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("đơn", "don", 2)] {
            assert_eq!((distance(one, other), distance(other, one)), (want, want), "{one} {other}");
        }
    }
}
