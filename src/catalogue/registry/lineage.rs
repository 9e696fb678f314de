//! `registry/lineage.csv`: which unit became which, and `registry/lineage-unresolved.csv`: what is not known of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::table::{self, Row};
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::Unit;

const COLUMNS: &[&str] = &["from", "to", "date", "extent", "decision"];
const UNRESOLVED: &[&str] = &["unit", "text", "why"];

/// How much of the old unit went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it.
    Whole,
    /// Some of it; how much is not known.
    Part,
}

/// One old unit that went into one new unit (kế thừa). Splits and mergers are many-to-many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// Id of the old unit.
    pub from: String,
    /// Id of the new unit.
    pub to: String,
    /// First day of the new order.
    pub date: NaiveDate,
    /// How much went over.
    pub extent: Extent,
    /// The decision that says so, "" if not known.
    pub decision: String,
}

/// A lineage that the source does not settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// The new unit whose predecessor is not known, or the old unit whose successor is not.
    pub unit: String,
    /// The name as the source has it, "" for an old unit that the source does not name.
    pub text: String,
    /// Why it is not settled.
    pub why: String,
}

/// The lineage; a row with a problem is left out.
pub(super) fn load<'u>(files: &Files, unit: impl Fn(&str) -> Option<&'u Unit>, problems: &mut Vec<Problem>) -> Vec<Lineage> {
    let mut lineage: Vec<Lineage> = Vec::new();
    let mut earlier: BTreeMap<String, Vec<(String, Extent)>> = BTreeMap::new();
    for (file, text) in files.under("registry/lineage.csv") {
        for row in table::read(file, text, COLUMNS, problems) {
            match parse(&row, &unit).and_then(|link| check_against(link, &row, &mut earlier)) {
                Ok(link) => lineage.push(link),
                Err(problem) => problems.push(problem),
            }
        }
    }
    lineage
}

/// What is not settled; a row with a problem is left out.
pub(super) fn load_unresolved(files: &Files, is_unit: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) -> Vec<Unresolved> {
    let parse = |row: &Row| match row.required("unit")? {
        unit if is_unit(&unit) => Ok(Unresolved { unit, text: row.get("text").to_owned(), why: row.required("why")? }),
        unit => Err(unknown(row, "unit", &unit)),
    };
    let mut unresolved = Vec::new();
    for (file, text) in files.under("registry/lineage-unresolved.csv") {
        for row in table::read(file, text, UNRESOLVED, problems) {
            match parse(&row) {
                Ok(entry) => unresolved.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
    }
    unresolved
}

fn unknown(row: &Row, column: &str, id: &str) -> Problem {
    row.problem(column, format!("{id:?} is no unit"), "write the id of a unit in registry/units/, or add that unit")
}

fn parse<'u>(row: &Row, unit: impl Fn(&str) -> Option<&'u Unit>) -> Result<Lineage, Problem> {
    let (from, to) = (row.required("from")?, row.required("to")?);
    let old = unit(&from).ok_or_else(|| unknown(row, "from", &from))?;
    let new = unit(&to).ok_or_else(|| unknown(row, "to", &to))?;
    row.required("date")?;
    let Some(date) = row.day("date")? else { return Err(row.problem("date", "date is empty", "fill in the date")) };
    if from == to {
        return Err(row.problem("to", format!("{from} cannot become itself"), "write the id of the new unit"));
    }
    if old.valid_to.is_none_or(|last| last >= date) {
        let message = format!("{from} still exists on {date}");
        return Err(row.problem("date", message, format!("correct the date, or the valid_to of {from}: its last day is before this one")));
    }
    if new.valid_from.is_some_and(|first| first > date) {
        let message = format!("{to} does not exist yet on {date}");
        return Err(row.problem("date", message, format!("correct the date, or the valid_from of {to}")));
    }
    let extent = match row.get("extent") {
        "whole" => Extent::Whole,
        "part" => Extent::Part,
        other => return Err(row.problem("extent", format!("{other:?} is no extent"), "write whole or part")),
    };
    Ok(Lineage { from, to, date, extent, decision: row.get("decision").to_owned() })
}

/// The whole of a unit goes to one place only. `earlier` has what went where so far, by old unit.
fn check_against(link: Lineage, row: &Row, earlier: &mut BTreeMap<String, Vec<(String, Extent)>>) -> Result<Lineage, Problem> {
    let others = earlier.entry(link.from.clone()).or_default();
    for (to, extent) in others.iter() {
        if *to == link.to {
            return Err(row.problem("to", format!("{} to {to} is listed twice", link.from), "remove one of the rows"));
        }
        if *extent == Extent::Whole || link.extent == Extent::Whole {
            let message = format!("the whole of {} cannot go to {} beside {to}", link.from, link.to);
            return Err(row.problem("extent", message, "a unit that was split goes to each of its successors as part"));
        }
    }
    others.push((link.to.clone(), link.extent));
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnitGroup;

    fn unit(id: &str, valid_from: Option<&str>, valid_to: Option<&str>) -> Unit {
        let day = |text: &str| text.parse().expect("a day of the test");
        Unit {
            id: id.to_owned(),
            code: String::new(),
            name: id.to_owned(),
            unit_group: UnitGroup::Commune,
            kind: "xã".to_owned(),
            parent: None,
            valid_from: valid_from.map(day),
            valid_to: valid_to.map(day),
            decision: String::new(),
        }
    }

    #[test]
    fn each_column_wrong_once() {
        let last = Some("2025-06-30");
        let units =
            [unit("a", None, last), unit("b", None, last), unit("n", Some("2025-07-01"), None), unit("m", Some("2025-07-01"), None)];
        let find = |id: &str| units.iter().find(|unit| unit.id == id);
        let good = "from,to,date,extent,decision\na,n,2025-07-01,whole,\nb,n,2025-07-01,part,\n";
        for (row, at, message) in [
            ("b,m,2025-07-01,part,", None, ""),
            ("x,m,2025-07-01,part,", Some(1), "\"x\" is no unit"),
            ("b,x,2025-07-01,part,", Some(3), "\"x\" is no unit"),
            ("b,b,2025-07-01,part,", Some(3), "b cannot become itself"),
            ("b,n,2025-07-01,part,", Some(3), "b to n is listed twice"),
            ("b,m,,part,", Some(5), "date is empty"),
            ("b,m,1/7/2025,part,", Some(5), "date \"1/7/2025\" is no day"),
            ("b,m,2025-06-30,part,", Some(5), "b still exists on 2025-06-30"),
            ("n,m,2025-07-01,part,", Some(5), "n still exists on 2025-07-01"),
            ("b,m,2025-07-01,all,", Some(16), "\"all\" is no extent"),
            ("b,m,2025-07-01,whole,", Some(16), "the whole of b cannot go to m beside n"),
            ("a,m,2025-07-01,part,", Some(16), "the whole of a cannot go to m beside n"),
        ] {
            let files = [("registry/lineage.csv".to_owned(), format!("{good}{row}\n"))].into_iter().collect();
            let mut problems = Vec::new();
            let lineage = load(&files, find, &mut problems);
            let found: Vec<_> = problems.iter().map(|p| (p.line, p.column, p.message.as_str())).collect();
            match at {
                None => assert_eq!((lineage.len(), found), (3, vec![]), "{row}"),
                Some(column) => assert_eq!((lineage.len(), found), (2, vec![(4, column, message)]), "{row}"),
            }
        }
    }

    #[test]
    fn unresolved_names_a_unit_and_a_reason() {
        for (row, expected) in
            [("a,Xã Cũ,why", vec![]), ("x,Xã Cũ,why", vec![(2, 1)]), (",Xã Cũ,why", vec![(2, 1)]), ("a,Xã Cũ,", vec![(2, 9)])]
        {
            let files = [("registry/lineage-unresolved.csv".to_owned(), format!("unit,text,why\n{row}\n"))].into_iter().collect();
            let mut problems = Vec::new();
            load_unresolved(&files, |id| id == "a", &mut problems);
            assert_eq!(problems.iter().map(|p| (p.line, p.column)).collect::<Vec<_>>(), expected, "{row}");
        }
    }
}
