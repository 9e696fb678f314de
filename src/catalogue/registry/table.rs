//! CSV tables with named columns, whose rows know their place in the file.

use std::ops::Range;

use chrono::NaiveDate;

use super::days::{Days, parse_day};
use crate::catalogue::problem::Problem;
use crate::model::{Ts, clean};

/// One row below the headings.
pub(super) struct Row<'a> {
    file: &'a str,
    /// The text from the start of the row on.
    text: &'a str,
    /// On which line that is, from 1.
    line: usize,
    /// Column name and cleaned field, in the order of the file.
    fields: Vec<(&'static str, String)>,
}

/// The rows of a table that has exactly these columns, in any order.
///
/// Wrong headings lose the whole table, a wrong number of fields its row; both are problems.
pub(super) fn read<'a>(file: &'a str, text: &'a str, columns: &'static [&'static str], problems: &mut Vec<Problem>) -> Vec<Row<'a>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let order = match reader.headers().map(|headings| order_of(headings, columns)) {
        Ok(Some(order)) => order,
        Ok(None) => {
            let message = format!("the headings are not {}", columns.join(","));
            let fix = "write these headings, each once, separated by commas";
            problems.push(Problem::at(file, text, 0..0, message, fix));
            return Vec::new();
        }
        Err(error) => {
            problems.push(Problem::at(file, text, 0..0, format!("this is no CSV: {error}"), "write comma separated values in UTF-8"));
            return Vec::new();
        }
    };
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let (mut line, mut counted) = (1, 0);
    // A record of valid text can always be read: the bytes come from a `str`, and lengths are flexible.
    while reader.read_record(&mut record).is_ok_and(|more| more) {
        let start = row_start(text, record.position().map_or(0, |position| position.byte() as usize));
        line += text[counted..start].matches('\n').count();
        counted = start;
        let fields = order.iter().zip(&record).map(|(column, field)| (*column, clean(field))).collect();
        let row = Row { file, text: &text[start..], line, fields };
        // A quote left open would swallow the rows after it into one field.
        if record.iter().any(|field| field.contains('\n')) {
            problems.push(row.problem(
                order[0],
                "a field of this row goes on in the next line",
                "close its double quote, or write it on one line",
            ));
        } else if record.len() == order.len() {
            rows.push(row);
        } else {
            let message = format!("the row has {} fields instead of {}", record.len(), order.len());
            problems.push(row.problem(order[0], message, "one field per heading; put a field that holds a comma in double quotes"));
        }
    }
    rows
}

/// The columns in the order of the headings; `None` unless each is there once and nothing else.
fn order_of(headings: &csv::StringRecord, columns: &'static [&'static str]) -> Option<Vec<&'static str>> {
    let find = |heading: &str| columns.iter().copied().find(|column| *column == heading.trim());
    let order: Vec<&'static str> = headings.iter().map(find).collect::<Option<_>>()?;
    (order.len() == columns.len() && columns.iter().all(|column| order.contains(column))).then_some(order)
}

/// The reader counts line ends and empty lines before a row as part of it.
fn row_start(text: &str, start: usize) -> usize {
    let start = start.min(text.len());
    start + text.as_bytes()[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

impl<'a> Row<'a> {
    /// The field of a column, cleaned; "" if it is empty.
    pub(super) fn get(&self, column: &str) -> &str {
        self.fields.iter().find(|(name, _)| *name == column).map_or("", |(_, field)| field)
    }

    /// A problem at the field of a column.
    pub(super) fn problem(&self, column: &str, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        let here = Problem::at(self.file, self.text, self.span(column), message, fix);
        Problem { line: self.line + here.line - 1, ..here }
    }

    /// `file:line`, to point at this row from another one.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The field of a column, which must not be empty.
    pub(super) fn required(&self, column: &str) -> Result<String, Problem> {
        match self.get(column) {
            "" => Err(self.problem(column, format!("{column} is empty"), format!("fill in the {column}"))),
            field => Ok(field.to_owned()),
        }
    }

    /// The field of a column as a key: ASCII letters, digits, `-`, `_` and `.` only.
    pub(super) fn key(&self, column: &str) -> Result<String, Problem> {
        let key = self.required(column)?;
        match is_key(&key) {
            true => Ok(key),
            false => Err(self.problem(column, format!("{column} {key:?} is no key"), "use ASCII letters, digits, '-', '_' and '.'")),
        }
    }

    /// The day in a column, `None` if the field is empty.
    pub(super) fn day(&self, column: &str) -> Result<Option<NaiveDate>, Problem> {
        match self.get(column) {
            "" => Ok(None),
            field => match parse_day(field) {
                Some(day) => Ok(Some(day)),
                None => Err(self.problem(column, format!("{column} {field:?} is no day"), "write it as YYYY-MM-DD, like 2025-07-01")),
            },
        }
    }

    /// The columns `valid_from` and `valid_to`.
    pub(super) fn days(&self) -> Result<Days, Problem> {
        self.days_of("valid_from", "valid_to")
    }

    /// The first and last day in two columns.
    pub(super) fn days_of(&self, first: &str, last: &str) -> Result<Days, Problem> {
        let days = Days { from: self.day(first)?, to: self.day(last)? };
        match (days.from, days.to) {
            (Some(from), Some(to)) if to < from => {
                let message = format!("{last} {to} is before {first} {from}");
                Err(self.problem(last, message, "write the last day of validity, inclusive"))
            }
            _ => Ok(days),
        }
    }

    /// The instant in a column.
    pub(super) fn instant(&self, column: &str) -> Result<Ts, Problem> {
        let field = self.required(column)?;
        let fix = "write it with its offset from UTC, like 2026-11-01T22:00:00+07:00";
        field.parse().map_err(|_| self.problem(column, format!("{column} {field:?} is no instant"), fix))
    }

    /// Where the field of a column stands in the text.
    fn span(&self, column: &str) -> Range<usize> {
        let wanted = self.fields.iter().position(|(name, _)| *name == column).unwrap_or(0);
        let (mut commas, mut quoted) = (0, false);
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                _ if commas == wanted => return at..at,
                b'"' => quoted = !quoted,
                b',' if !quoted => commas += 1,
                _ => {}
            }
        }
        self.text.len()..self.text.len()
    }
}

/// Whether a text can be a key everywhere: file, command line, database and address.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[&str] = &["id", "name", "valid_from", "valid_to"];

    #[test]
    fn finds_fields_by_heading_and_places_through_quotes() {
        let text = "name,id,valid_to,valid_from\n\n\"Hà, \"\"Lầm\"\"\",a,x,\n Hà  Tu ,b,,\n";
        let mut problems = Vec::new();
        let rows = read("f.csv", text, COLUMNS, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!((rows[0].get("name"), rows[0].get("id"), rows[1].get("name")), ("Hà, \"Lầm\"", "a", "Hà Tu"));
        let bad = rows[0].days().expect_err("x is no day");
        assert_eq!((bad.line, bad.column), (3, 17));
        assert_eq!(rows[1].place(), "f.csv:4");
    }

    #[test]
    fn refuses_other_headings_and_short_rows() {
        for (text, line) in [
            ("", 1),
            ("id,name,valid_from\na,b,c\n", 1),
            ("id,name,valid_from,valid_from\na,b,,\n", 1),
            ("id;name;valid_from;valid_to\n", 1),
            ("id,name,valid_from,valid_to,extra\na,b,,,\n", 1),
            ("id,name,valid_from,valid_to\nok,b,,\na,b,\n", 3),
            ("id,name,valid_from,valid_to\nok,b,,\na,b,,\"\nc,d,,\n", 3),
            ("id,name,valid_from,valid_to\r\nok,b,,\r\na,b,c,d,e\r\n", 3),
        ] {
            let mut problems = Vec::new();
            read("f.csv", text, COLUMNS, &mut problems);
            let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
            assert_eq!(lines, [line], "{text:?}");
        }
    }
}
