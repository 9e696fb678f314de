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
        let fix = match message.split_once("expected ") {
            Some((_, expected)) if message.starts_with("unknown ") => format!("use {expected}"),
            Some((_, expected)) => format!("write {expected}"),
            None if message.starts_with("missing field ") => {
                format!("add {} to this table", message.trim_start_matches("missing field ").replace('`', ""))
            }
            None if message.starts_with("wanted exactly 1 element") => "keep one of the kinds and remove the others".to_owned(),
            None => "correct the value; the format is described beside the shipped files".to_owned(),
        };
        Problem::at(file, text, error.span().unwrap_or(0..0), message, fix)
    }
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
        for (text, place, fix) in
            [("id = \"a\"\nidd = 1\n", (2, 1), "use `id`"), ("id = 5\n", (1, 6), "write a string"), ("", (1, 1), "add id to this table")]
        {
            let error = toml::from_str::<File>(text).expect_err(text);
            let problem = Problem::from_toml("f.toml", text, &error);
            assert_eq!(((problem.line, problem.column), problem.fix.as_str()), (place, fix), "{problem}");
        }
    }
}
