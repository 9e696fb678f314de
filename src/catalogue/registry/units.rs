//! `registry/units/*.csv`: the bodies that are measured, one table in several files.

use std::collections::BTreeMap;

use super::days::Days;
use super::table::{self, Row};
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::{Unit, UnitGroup};

const COLUMNS: &[&str] = &["id", "code", "name", "unit_group", "kind", "parent", "valid_from", "valid_to", "decision"];

/// All units of all files in the order of `units_in`; a row with a problem is left out.
pub(super) fn load(files: &Files, problems: &mut Vec<Problem>) -> Vec<Unit> {
    let mut rows = Vec::new();
    for (file, text) in files.under("registry/units/").filter(|(file, _)| file.ends_with(".csv")) {
        rows.extend(table::read(file, text, COLUMNS, problems));
    }
    let groups = groups_by_id(&rows);
    let mut kept: Vec<(Unit, &Row)> = Vec::new();
    let mut taken = Taken::default();
    for row in &rows {
        match parse(row).and_then(|unit| check_parent(unit, row, &groups)).and_then(|unit| taken.claim(unit, row)) {
            Ok(unit) => kept.push((unit, row)),
            Err(problem) => problems.push(problem),
        }
    }
    let mut units: Vec<Unit> = kept.into_iter().map(|(unit, _)| unit).collect();
    units.sort_by(|a, b| (a.unit_group, &a.code, &a.id).cmp(&(b.unit_group, &b.code, &b.id)));
    units
}

/// The group of every id that occurs, also of rows that turn out wrong: one wrong row must not
/// make all its children wrong.
fn groups_by_id<'a>(rows: &'a [Row<'a>]) -> BTreeMap<&'a str, Option<UnitGroup>> {
    rows.iter().map(|row| (row.get("id"), group(row.get("unit_group")))).collect()
}

fn group(label: &str) -> Option<UnitGroup> {
    UnitGroup::ALL.into_iter().find(|group| group.label() == label)
}

fn parse(row: &Row) -> Result<Unit, Problem> {
    let id = row.key("id")?;
    let Some(unit_group) = group(row.get("unit_group")) else {
        let message = format!("{:?} is no unit group", row.get("unit_group"));
        return Err(row.problem("unit_group", message, "write province, department, district or commune"));
    };
    let code = match row.get("code") {
        "" => String::new(),
        _ => row.key("code")?,
    };
    let days = row.days()?;
    Ok(Unit {
        id,
        code,
        name: row.required("name")?,
        unit_group,
        kind: row.required("kind")?,
        parent: Some(row.get("parent").to_owned()).filter(|parent| !parent.is_empty()),
        valid_from: days.from,
        valid_to: days.to,
        decision: row.get("decision").to_owned(),
    })
}

/// A province stands alone; everything else belongs to a body of a group that may have it.
fn check_parent(unit: Unit, row: &Row, groups: &BTreeMap<&str, Option<UnitGroup>>) -> Result<Unit, Problem> {
    let parents: &[UnitGroup] = match unit.unit_group {
        UnitGroup::Province => &[],
        UnitGroup::Department | UnitGroup::District => &[UnitGroup::Province],
        UnitGroup::Commune => &[UnitGroup::Province, UnitGroup::District],
    };
    let labels: Vec<_> = parents.iter().map(|group| group.label()).collect();
    let labels = labels.join(" or ");
    let wrong = |message: String, fix: &str| Err(row.problem("parent", message, fix));
    match unit.parent.as_deref() {
        None if parents.is_empty() => Ok(unit),
        None => wrong(format!("{} {} has no parent", unit.unit_group.label(), unit.id), &format!("write the id of its {labels}")),
        Some(_) if parents.is_empty() => wrong(format!("province {} has a parent", unit.id), "leave the parent of a province empty"),
        Some(parent) => match groups.get(parent) {
            None => wrong(format!("parent {parent:?} is no unit"), "write the id of a unit in registry/units/, or add that unit"),
            Some(Some(group)) if !parents.contains(group) => {
                let message = format!("{} {} cannot belong to {} {parent}", unit.unit_group.label(), unit.id, group.label());
                wrong(message, &format!("write the id of its {labels}"))
            }
            Some(_) => Ok(unit),
        },
    }
}

/// Ids and codes in use, to find the second user of one.
#[derive(Default)]
struct Taken {
    /// Place by id.
    ids: BTreeMap<String, String>,
    /// Dates and id by group and code.
    codes: BTreeMap<(UnitGroup, String), Vec<(Days, String)>>,
}

impl Taken {
    fn claim(&mut self, unit: Unit, row: &Row) -> Result<Unit, Problem> {
        if let Some(first) = self.ids.get(&unit.id) {
            let message = format!("unit {} is already in {first}", unit.id);
            return Err(row.problem("id", message, "remove one row, or give a later body an id of its own: ids are never reused"));
        }
        self.ids.insert(unit.id.clone(), row.place());
        if !unit.code.is_empty() {
            let days = Days { from: unit.valid_from, to: unit.valid_to };
            let users = self.codes.entry((unit.unit_group, unit.code.clone())).or_default();
            if let Some((_, other)) = users.iter().find(|(other, _)| other.overlap(days)) {
                let message = format!("code {} belongs to {other} in these days too", unit.code);
                return Err(row.problem("code", message, "correct the code, or end the older unit before the newer begins"));
            }
            users.push((days, unit.id.clone()));
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: &str = "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision\n";
    const GOOD: &str = "H49,H49,Tỉnh Quảng Ninh,province,tỉnh,,,,\n\
                        d1,193,Thành phố Hạ Long,district,thành phố,H49,,2025-06-30,\n\
                        c1,06652,Phường Hà Phong,commune,phường,d1,,2025-06-30,\n\
                        c2,06652,Phường Hà Tu,commune,phường,H49,2025-07-01,,\n\
                        s1,,Sở Nội vụ,department,sở,H49,,,\n";

    fn load_text(rows: &str) -> (Vec<String>, Vec<(usize, usize, String)>) {
        let path = "registry/units/t.csv".to_owned();
        let files = [(path, format!("{HEADINGS}{rows}"))].into_iter().collect();
        let mut problems = Vec::new();
        let units = load(&files, &mut problems);
        let problems = problems.into_iter().map(|p| (p.line, p.column, p.message)).collect();
        (units.into_iter().map(|unit| unit.id).collect(), problems)
    }

    #[test]
    fn sorts_by_group_code_and_id() {
        assert_eq!(load_text(GOOD), (["H49", "s1", "d1", "c1", "c2"].map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn each_column_wrong_once() {
        for (row, column, message) in [
            (",1,N,commune,xã,H49,,,", 1, "id is empty"),
            ("xã,1,N,commune,xã,H49,,,", 1, "id \"xã\" is no key"),
            ("c1,1,N,commune,xã,H49,,,", 1, "unit c1 is already in registry/units/t.csv:4"),
            ("x,0 1,N,commune,xã,H49,,,", 3, "code \"0 1\" is no key"),
            ("x,06652,N,commune,xã,H49,2025-06-30,2025-06-30,", 3, "code 06652 belongs to c1 in these days too"),
            ("x,1,,commune,xã,H49,,,", 5, "name is empty"),
            ("x,1,N,xã,xã,H49,,,", 7, "\"xã\" is no unit group"),
            ("x,1,N,commune,,H49,,,", 15, "kind is empty"),
            ("x,1,N,commune,xã,,,,", 18, "commune x has no parent"),
            ("x,1,N,commune,xã,H50,,,", 18, "parent \"H50\" is no unit"),
            ("x,1,N,commune,xã,s1,,,", 18, "commune x cannot belong to department s1"),
            ("x,1,N,department,sở,d1,,,", 21, "department x cannot belong to district d1"),
            ("x,1,N,province,tỉnh,H49,,,", 21, "province x has a parent"),
            ("x,1,N,commune,xã,H49,1/7/2025,,", 22, "valid_from \"1/7/2025\" is no day"),
            ("x,1,N,commune,xã,H49,,2025-02-30,", 23, "valid_to \"2025-02-30\" is no day"),
            ("x,1,N,commune,xã,H49,2025-07-01,2025-06-30,", 33, "valid_to 2025-06-30 is before valid_from 2025-07-01"),
            ("x,1,N,commune,xã,H49,,", 1, "the row has 8 fields instead of 9"),
        ] {
            let (ids, problems) = load_text(&format!("{GOOD}{row}\n"));
            assert_eq!(problems, [(7, column, message.to_owned())], "{row}");
            assert_eq!(ids.len(), 5, "{row}");
        }
    }

    #[test]
    fn a_wrong_parent_does_not_make_its_children_wrong() {
        let (ids, problems) = load_text(&GOOD.replace("district,thành phố", "district,"));
        assert_eq!((ids.len(), problems.len()), (4, 1), "{problems:?}");
    }
}
