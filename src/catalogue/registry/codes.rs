//! `registry/codes/`: what each system calls a unit, with the days on which it means it.

use std::collections::BTreeMap;

use super::days::Days;
use super::table;
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::Period;

const COLUMNS: &[&str] = &["code", "unit", "valid_from", "valid_to"];
const FOLDER: &str = "registry/codes/";

/// The codes of one system (bảng mã).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes {
    /// By code, in the order of the files.
    units: BTreeMap<String, Vec<(Days, String)>>,
    /// By unit, in the order of the files.
    codes: BTreeMap<String, Vec<(Days, String)>>,
}

impl Codes {
    /// The unit that a code means in a period; `None` if it means none, or several that all ended within it.
    ///
    /// A code that passed from one unit to another within the period means the one at its end.
    pub fn unit(&self, code: &str, period: Period) -> Option<&str> {
        let mut in_period = self.units.get(code)?.iter().filter(|(days, _)| days.touch(period));
        let at_end = in_period.clone().find(|(days, _)| days.hold(period.last()));
        let found = match (at_end, in_period.next(), in_period.next()) {
            (Some(entry), _, _) | (None, Some(entry), None) => Some(entry),
            (None, _, _) => None,
        };
        found.map(|(_, unit)| unit.as_str())
    }

    /// The code of a unit in a period; of several the first listed that is in force at its end, else the last listed.
    pub fn code_of(&self, unit: &str, period: Period) -> Option<&str> {
        let in_period = self.codes.get(unit)?.iter().filter(|(days, _)| days.touch(period));
        let at_end = in_period.clone().find(|(days, _)| days.hold(period.last()));
        at_end.or_else(|| in_period.clone().next_back()).map(|(_, code)| code.as_str())
    }

    /// How many different codes there are.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is no code.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }
}

/// The code maps by system: `registry/codes/<system>.csv` and all of `registry/codes/<system>/` make one.
pub(super) fn load(files: &Files, is_unit: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) -> BTreeMap<String, Codes> {
    let mut systems: BTreeMap<String, Codes> = BTreeMap::new();
    for (file, text) in files.under(FOLDER) {
        let Some(system) = system_of(file) else { continue };
        let codes = systems.entry(system.to_owned()).or_default();
        for row in table::read(file, text, COLUMNS, problems) {
            if let Err(problem) = codes.add(&row, &is_unit) {
                problems.push(problem);
            }
        }
    }
    systems
}

/// The system whose codes a file holds.
pub(super) fn system_of(file: &str) -> Option<&str> {
    let rest = file.strip_prefix(FOLDER)?.strip_suffix(".csv")?;
    Some(rest.split_once('/').map_or(rest, |(system, _)| system))
}

impl Codes {
    fn add(&mut self, row: &table::Row, is_unit: impl Fn(&str) -> bool) -> Result<(), Problem> {
        let code = row.required("code")?;
        let unit = row.required("unit")?;
        if !is_unit(&unit) {
            return Err(row.problem("unit", format!("{unit:?} is no unit"), "write the id of a unit in registry/units/, or add that unit"));
        }
        let days = row.days()?;
        let entries = self.units.entry(code.clone()).or_default();
        if let Some((_, other)) = entries.iter().find(|(other, _)| other.overlap(days)) {
            let message = format!("code {code} means {other} in these days too");
            return Err(row.problem("code", message, "give the two rows dates that do not overlap, or remove one"));
        }
        entries.push((days, unit.clone()));
        self.codes.entry(unit).or_default().push((days, code));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, column and message of a problem.
    type Found = (usize, usize, String);

    const HEADINGS: &str = "code,unit,valid_from,valid_to\n";

    fn load_text(rows: &str) -> (BTreeMap<String, Codes>, Vec<Found>) {
        let text = |rows: &str| format!("{HEADINGS}{rows}");
        let files = [("registry/codes/s/a.csv".to_owned(), text("z,A,,\n")), ("registry/codes/s/b.csv".to_owned(), text(rows))];
        let mut problems = Vec::new();
        let systems = load(&files.into_iter().collect(), |unit| ["A", "B", "C"].contains(&unit), &mut problems);
        (systems, problems.into_iter().map(|p| (p.line, p.column, p.message)).collect())
    }

    #[test]
    fn codes_move_between_units_in_time() {
        let rows = "1,A,,2025-06-30\n1,B,2025-07-01,\n000.1,B,,\n2,A,2025-01-01,2025-02-28\n2,C,2025-03-01,2025-04-30\n";
        let (systems, problems) = load_text(rows);
        assert_eq!(problems, []);
        let codes = &systems["s"];
        let period = |text: &str| text.parse::<Period>().expect("a period of the test");
        for (code, on, unit) in [
            ("z", "2020", Some("A")),
            ("1", "2025-06", Some("A")),
            ("1", "2025-07", Some("B")),
            ("1", "2025", Some("B")),
            ("2", "2025-02", Some("A")),
            ("2", "2025-Q2", Some("C")),
            ("2", "2025", None),
            ("2", "2026", None),
            ("3", "2025", None),
        ] {
            assert_eq!(codes.unit(code, period(on)), unit, "{code} in {on}");
        }
        for (unit, on, code) in
            [("B", "2026", Some("1")), ("B", "2025-06", Some("000.1")), ("A", "2025-02", Some("z")), ("D", "2026", None)]
        {
            assert_eq!(codes.code_of(unit, period(on)), code, "{unit} in {on}");
        }
        assert_eq!(codes.code_of("C", period("2025")), Some("2"));
    }

    #[test]
    fn each_column_wrong_once() {
        for (row, column, message) in [
            (",A,,", 1, "code is empty"),
            ("1,,,", 3, "unit is empty"),
            ("1,D,,", 3, "\"D\" is no unit"),
            ("1,A,x,", 5, "valid_from \"x\" is no day"),
            ("1,A,,x", 6, "valid_to \"x\" is no day"),
            ("1,A,2025-02-01,2025-01-01", 16, "valid_to 2025-01-01 is before valid_from 2025-02-01"),
            ("z,B,2025-02-01,", 1, "code z means A in these days too"),
        ] {
            let (systems, problems) = load_text(&format!("{row}\n"));
            assert_eq!(problems, [(2, column, message.to_owned())], "{row}");
            assert!(systems["s"].len() <= 2, "{row}");
        }
    }

    #[test]
    fn a_system_is_a_file_or_a_folder() {
        assert_eq!(system_of("registry/codes/npsp.csv"), Some("npsp"));
        assert_eq!(system_of("registry/codes/npsp/x.csv"), Some("npsp"));
        assert_eq!(system_of("registry/codes/npsp/README.toml"), None);
        assert_eq!(system_of("registry/units/x.csv"), None);
    }
}
