//! `registry/holidays.csv`: days off, and days at the week's end that are worked in exchange.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};

use super::table::{self, Row};
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::Calendar;

const FILE: &str = "registry/holidays.csv";
const COLUMNS: &[&str] = &["day", "kind", "name", "cite"];

/// What a row says of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Off,
    Worked,
}

/// The calendar; a row with a problem is left out.
pub(super) fn load(files: &Files, problems: &mut Vec<Problem>) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(text) = files.get(FILE) else { return calendar };
    let mut places = BTreeMap::new();
    for row in table::read(FILE, text, COLUMNS, problems) {
        match parse(&row).and_then(|said| claim(said, &row, &mut places)) {
            Ok((day, Kind::Off)) => drop(calendar.off.insert(day)),
            Ok((day, Kind::Worked)) => drop(calendar.worked.insert(day)),
            Err(problem) => problems.push(problem),
        }
    }
    calendar
}

fn parse(row: &Row) -> Result<(NaiveDate, Kind), Problem> {
    row.required("day")?;
    let Some(day) = row.day("day")? else { return Err(row.problem("day", "day is empty", "fill in the day")) };
    let kind = match row.get("kind") {
        "off" => Kind::Off,
        "worked" if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) => Kind::Worked,
        "worked" => {
            let message = format!("{day} is a day on which offices work anyway");
            return Err(row.problem("kind", message, "write worked only for a Saturday or Sunday, or remove the row"));
        }
        other => return Err(row.problem("kind", format!("{other:?} is no kind of day"), "write off or worked")),
    };
    row.required("name")?;
    row.required("cite")?;
    Ok((day, kind))
}

/// Finds the second row of one day.
fn claim(said: (NaiveDate, Kind), row: &Row, places: &mut BTreeMap<NaiveDate, String>) -> Result<(NaiveDate, Kind), Problem> {
    if let Some(first) = places.get(&said.0) {
        return Err(row.problem("day", format!("{} is already in {first}", said.0), "keep one row for each day"));
    }
    places.insert(said.0, row.place());
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "day,kind,name,cite\n\
        2026-09-01,off,Quốc khánh,Điều 112\n\
        2026-09-05,worked,Làm bù,Công văn\n";

    fn load_text(text: &str) -> (Calendar, Vec<(usize, usize, String)>) {
        let mut problems = Vec::new();
        let files = [(FILE.to_owned(), text.to_owned())].into_iter().collect();
        let calendar = load(&files, &mut problems);
        assert!(problems.iter().all(|problem| !problem.fix.is_empty()));
        (calendar, problems.into_iter().map(|p| (p.line, p.column, p.message)).collect())
    }

    #[test]
    fn reads_days() {
        let (calendar, problems) = load_text(GOOD);
        assert_eq!((calendar.off.len(), calendar.worked.len(), problems), (1, 1, vec![]));
        assert_eq!(load(&Files::default(), &mut Vec::new()), Calendar::default());
    }

    #[test]
    fn each_column_wrong_once() {
        for (row, column, message) in [
            (",off,N,C", 1, "day is empty"),
            ("2/9/2026,off,N,C", 1, "day \"2/9/2026\" is no day"),
            ("2026-02-30,off,N,C", 1, "day \"2026-02-30\" is no day"),
            ("2026-09-01,off,N,C", 1, "2026-09-01 is already in registry/holidays.csv:2"),
            ("2026-09-05,off,N,C", 1, "2026-09-05 is already in registry/holidays.csv:3"),
            ("2026-09-02,,N,C", 12, "\"\" is no kind of day"),
            ("2026-09-02,holiday,N,C", 12, "\"holiday\" is no kind of day"),
            ("2026-09-02,worked,N,C", 12, "2026-09-02 is a day on which offices work anyway"),
            ("2026-09-02,off,,C", 16, "name is empty"),
            ("2026-09-02,off,N,", 18, "cite is empty"),
        ] {
            let (calendar, problems) = load_text(&format!("{GOOD}{row}\n"));
            assert_eq!(problems, [(4, column, message.to_owned())], "{row}");
            assert_eq!((calendar.off.len(), calendar.worked.len()), (1, 1), "{row}");
        }
    }
}
