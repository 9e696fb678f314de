//! `Problem`: what is wrong in a declarative file, where, and how to mend it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// One mistake in a file that people write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Path of the file, like `registry/units/provinces.csv`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, naming the text that is.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Problem {
    /// At the start of a byte span of the text.
    pub fn at(file: &str, text: &str, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        let before = String::from_utf8_lossy(&text.as_bytes()[..span.start.min(text.len())]);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Problem {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// From an error of the TOML reader, which knows its own place.
    pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Problem {
        let message = error.message();
        let fix = if message.starts_with("unknown field") {
            "correct the spelling of the key, or take it out"
        } else if message.starts_with("missing field") {
            "add the key"
        } else if message.starts_with("unknown variant") {
            "write one of the words listed"
        } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
            "write a value of the kind that is expected"
        } else {
            "correct the TOML at this place"
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
    fn counts_lines_and_characters() {
        let text = "a,b\nHà Lầm,x\n";
        let x = text.find('x').expect("it is there");
        for (start, line, column) in [(0, 1, 1), (2, 1, 3), (4, 2, 1), (x, 2, 8), (text.len(), 3, 1), (99, 3, 1)] {
            let problem = Problem::at("f", text, start..start, "m", "x");
            assert_eq!((problem.line, problem.column), (line, column), "byte {start}");
        }
        assert_eq!(Problem::at("f.csv", text, 4..5, "wrong", "mend").to_string(), "f.csv:2:1: wrong\n  fix: mend");
    }

    #[test]
    fn takes_the_place_of_a_toml_error() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            #[serde(rename = "a")]
            _a: u32,
        }
        let text = "a = 1\nbad = 2\n";
        let error = toml::from_str::<Shape>(text).expect_err("an unknown key");
        let problem = Problem::from_toml("f.toml", text, &error);
        assert_eq!((problem.line, problem.column), (2, 1));
        assert!(problem.message.contains("unknown field `bad`"), "{problem}");
    }
}
