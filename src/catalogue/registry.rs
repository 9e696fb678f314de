//! `Registry`: who is measured and what is measured, from the files in `registry/`.

mod codes;
mod days;
mod entries;
mod expected;
mod holidays;
mod indicators;
mod lineage;
mod maintenance;
mod portals;
mod table;
mod units;

use std::collections::BTreeMap;

use super::files::Files;
use super::problem::Problem;
use crate::model::{Calendar, Indicator, Notice, Period, Portal, Unit, fold};

pub use codes::Codes;
pub use expected::{Expected, Listed};
pub use lineage::{Extent, Lineage, Unresolved};

/// All that `registry/` says, cross-checked.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Sorted by group, code and id.
    units: Vec<Unit>,
    /// Index into `units` by id.
    by_id: BTreeMap<String, usize>,
    lineage: Vec<Lineage>,
    unresolved: Vec<Unresolved>,
    codes: BTreeMap<String, Codes>,
    indicators: BTreeMap<String, Indicator>,
    expected: Vec<Expected>,
    portals: Vec<Portal>,
    calendar: Calendar,
    notices: Vec<Notice>,
}

/// A text that names no unit, or more than one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no one unit{}", suggest(candidates))]
pub struct UnitNotFound {
    /// What was asked for.
    pub text: String,
    /// Units it may have meant, as `id (name)`; at most ten.
    pub candidates: Vec<String>,
}

fn suggest(candidates: &[String]) -> String {
    match candidates {
        [] => ": give its id, code or full name".to_owned(),
        _ => format!(": give the id of one of {}", candidates.join(", ")),
    }
}

impl Registry {
    /// What the files say, and everything wrong in them; a wrong row or entry is left out, the rest loads.
    pub fn load(files: &Files) -> (Registry, Vec<Problem>) {
        let mut problems = Vec::new();
        let units = units::load(files, &mut problems);
        let by_id = units.iter().enumerate().map(|(at, unit)| (unit.id.clone(), at)).collect();
        let mut registry = Registry { units, by_id, ..Registry::default() };
        let is_unit = |id: &str| registry.unit(id).is_some();
        let is_province = |id: &str| registry.unit(id).is_some_and(|unit| unit.parent.is_none());
        let lineage = lineage::load(files, |id| registry.unit(id), &mut problems);
        let unresolved = lineage::load_unresolved(files, is_unit, &mut problems);
        let codes = codes::load(files, is_unit, &mut problems);
        let expected = expected::load(files, is_province, &mut problems);
        let indicators = indicators::load(files, &mut problems);
        let portals = portals::load(files, is_unit, &mut problems);
        let calendar = holidays::load(files, &mut problems);
        let notices = maintenance::load(files, |id| portals.iter().any(|portal| portal.id == id), &mut problems);
        problems.extend(files.under("registry/").filter(|(file, _)| !is_read(file)).map(|(file, text)| {
            let fix = "correct its name or folder (registry/README.md lists them), or remove it";
            Problem::at(file, text, 0..0, "nothing reads this file", fix)
        }));
        registry = Registry { lineage, unresolved, codes, expected, indicators, portals, calendar, notices, ..registry };
        (registry, problems)
    }

    /// A problem for each collector that an indicator names and that does not exist; `files` are those it was loaded from.
    pub fn check_collectors(files: &Files, known: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        indicators::check_collectors(files, known)
    }

    /// By id.
    pub fn unit(&self, id: &str) -> Option<&Unit> {
        self.by_id.get(id).map(|at| &self.units[*at])
    }

    /// The one unit that a person means: by id, by code, by full name, by name without its kind ("Hà Lầm").
    /// The units of the period come first; only if none of them fits, all others are looked at.
    ///
    /// # Errors
    /// `UnitNotFound` with what was perhaps meant.
    pub fn find_unit(&self, text: &str, on: Period) -> Result<&Unit, UnitNotFound> {
        if let Some(unit) = self.unit(text.trim()) {
            return Ok(unit);
        }
        let wanted = fold(text);
        let fits: [&dyn Fn(&Unit) -> bool; 3] =
            [&|unit| !unit.code.is_empty() && fold(&unit.code) == wanted, &|unit| fold(&unit.name) == wanted, &|unit| {
                bare_name(unit) == wanted
            }];
        for in_period in [true, false] {
            for fit in fits {
                let found: Vec<&Unit> = self.units.iter().filter(|unit| unit.existed_in(on) == in_period && fit(unit)).collect();
                match found[..] {
                    [] => {}
                    [unit] => return Ok(unit),
                    _ => return Err(not_found(text, found)),
                }
            }
        }
        let similar = |unit: &&Unit| !wanted.is_empty() && fold(&unit.name).contains(&wanted);
        Err(not_found(text, self.units.iter().filter(similar)))
    }

    /// The units that existed on some day of the period, by group, code and id.
    pub fn units_in(&self, period: Period) -> Vec<&Unit> {
        self.units.iter().filter(|unit| unit.existed_in(period)).collect()
    }

    /// Those of them whose parent is this unit, in the same order.
    pub fn children(&self, parent: &str, period: Period) -> Vec<&Unit> {
        self.units.iter().filter(|unit| unit.parent.as_deref() == Some(parent) && unit.existed_in(period)).collect()
    }

    /// Every unit below this one, at any depth, that existed on some day of the period, in the same order.
    pub fn below(&self, id: &str, period: Period) -> Vec<&Unit> {
        let is_below = |unit: &&Unit| unit.id != id && self.has_above(unit, id);
        self.units_in(period).into_iter().filter(is_below).collect()
    }

    fn has_above(&self, unit: &Unit, id: &str) -> bool {
        // Groups grow towards the province, so this ends.
        let parent = unit.parent.as_deref();
        parent == Some(id) || parent.and_then(|parent| self.unit(parent)).is_some_and(|parent| self.has_above(parent, id))
    }

    /// The province a unit belongs to, itself for a province; `None` for an id that is no unit or whose parents are not known.
    pub fn province_of(&self, id: &str) -> Option<&Unit> {
        // Groups grow towards the province, so this ends.
        let unit = self.unit(id)?;
        match &unit.parent {
            None => Some(unit),
            Some(parent) => self.province_of(parent),
        }
    }

    /// Which unit became which.
    pub fn lineage(&self) -> &[Lineage] {
        &self.lineage
    }

    /// What the sources do not settle about lineage.
    pub fn unresolved_lineage(&self) -> &[Unresolved] {
        &self.unresolved
    }

    /// The codes of a system.
    pub fn codes(&self, system: &str) -> Option<&Codes> {
        self.codes.get(system)
    }

    /// The systems that have codes.
    pub fn systems(&self) -> impl Iterator<Item = &str> {
        self.codes.keys().map(String::as_str)
    }

    /// By id.
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        self.indicators.get(id)
    }

    /// All, by id.
    pub fn indicators(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.values()
    }

    /// The portals and sites that are or were watched, in the order of the file.
    pub fn portals(&self) -> &[Portal] {
        &self.portals
    }

    /// By id.
    pub fn portal(&self, id: &str) -> Option<&Portal> {
        self.portals.iter().find(|portal| portal.id == id)
    }

    /// Those of one unit, whenever they are watched.
    pub fn portals_of(&self, unit: &str) -> Vec<&Portal> {
        self.portals.iter().filter(|portal| portal.unit == unit).collect()
    }

    /// Days off, and days at the week's end that are worked.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// When portals were said to be away, in the order of the file.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// How many of the bodies that plans and laws count are listed, in the order of the file.
    pub fn listed_of_expected(&self) -> Vec<Listed> {
        let count = |expected: &Expected| {
            let belongs = |unit: &Unit| match &expected.province {
                None => true,
                Some(province) => self.province_of(&unit.id).is_some_and(|found| found.id == *province),
            };
            self.units.iter().filter(|unit| unit.unit_group == expected.unit_group && unit.existed_in(expected.on) && belongs(unit)).count()
        };
        self.expected.iter().map(|expected| Listed { listed: count(expected), expected: expected.clone() }).collect()
    }
}

/// Whether a file below `registry/` is one of those that are read.
fn is_read(file: &str) -> bool {
    let fixed = [
        "registry/lineage.csv",
        "registry/lineage-unresolved.csv",
        "registry/indicators.toml",
        "registry/expected.toml",
        "registry/portals.csv",
        "registry/holidays.csv",
        "registry/maintenance.csv",
    ];
    let unit_file = file.starts_with("registry/units/") && file.ends_with(".csv");
    fixed.contains(&file) || unit_file || codes::system_of(file).is_some()
}

/// The folded name without the kind before it.
fn bare_name(unit: &Unit) -> String {
    let name = fold(&unit.name);
    let bare = name.strip_prefix(&fold(&unit.kind)).and_then(|rest| rest.strip_prefix(' '));
    bare.map_or(name.clone(), str::to_owned)
}

fn not_found<'a>(text: &str, candidates: impl IntoIterator<Item = &'a Unit>) -> UnitNotFound {
    let label = |unit: &Unit| format!("{} ({})", unit.id, unit.name);
    UnitNotFound { text: text.to_owned(), candidates: candidates.into_iter().take(10).map(label).collect() }
}

#[cfg(test)]
mod tests;
