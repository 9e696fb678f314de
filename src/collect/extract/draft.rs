//! `units draft`: the units that a source names, for people to review.

use std::collections::HashMap;

use super::document::{Document, Opened};
use super::found::shown;
use super::place::Row;
use super::plan::{Filter, Named, Planner, Standing};
use super::read::cap;
use crate::collect::collector::{Collector, Rows, UnitLevel};
use crate::model::{Finding, Reason, UnitGroup};

/// A unit as a source names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftUnit {
    /// The source's own code, the key of its rows.
    pub value: String,
    /// Its name, cleaned; "" if the collector does not say where it stands.
    pub name: String,
    /// Its official code; "" if the collector does not say where it stands.
    pub code: String,
    /// In which group it is compared; province if the source states no level.
    pub group: UnitGroup,
}

/// The units named in an answer, each once, in the answer's order, and what was in doubt.
pub fn draft_units(document: &Document, collector: &Collector) -> (Vec<DraftUnit>, Vec<Finding>) {
    let opened = Opened::of(document);
    let mut draft = Draft::default();
    for rows in &collector.rows {
        draft.add_rows(&opened, rows);
    }
    cap(&mut draft.findings);
    (draft.units, draft.findings)
}

#[derive(Default)]
struct Draft {
    units: Vec<DraftUnit>,
    by_value: HashMap<String, usize>,
    findings: Vec<Finding>,
}

/// The places of a unit's particulars.
struct Places<'c> {
    filter: Filter<'c>,
    value: Named<'c>,
    name: Option<Named<'c>>,
    code: Option<Named<'c>>,
    level: Option<&'c UnitLevel>,
    /// `None` where the table has no such column: then every row is the parent's.
    group: Option<Named<'c>>,
}

impl Draft {
    fn add_rows(&mut self, opened: &Opened, rows: &Rows) {
        let Some(block) = opened.block(rows.from.get_ref(), &mut self.findings) else {
            return;
        };
        let mut planner = Planner { rows, headings: &block.headings, findings: &mut self.findings };
        let Some(places) = places(&mut planner) else {
            return;
        };
        for row in &block.rows {
            let unit = match row.misfit(block.headings.len()) {
                Some(misfit) => Err(misfit),
                None => unit(&places, row),
            };
            match unit {
                Ok(None) => {}
                Ok(Some(unit)) => self.add(unit, row),
                Err(finding) => self.findings.push(finding),
            }
        }
    }

    fn add(&mut self, unit: DraftUnit, row: &Row) {
        match self.by_value.get(&unit.value) {
            None => {
                self.by_value.insert(unit.value.clone(), self.units.len());
                self.units.push(unit);
            }
            Some(&first) if self.units[first] == unit => {}
            Some(&first) => {
                let first = &self.units[first];
                let what = format!("{} is {} here and {} before", shown(&unit.value), shown(&unit.name), shown(&first.name));
                self.findings.push(Finding::warn(Reason::DuplicateKey, row.location(), what));
            }
        }
    }
}

/// `None` if the rows name no unit, or with findings if they cannot be read.
fn places<'c>(planner: &mut Planner<'c, '_>) -> Option<Places<'c>> {
    let unit = planner.rows.unit.as_ref()?;
    let value = planner.must(unit.value.as_ref()?.get_ref())?;
    let filter = planner.filter()?;
    let name = unit.name.as_ref().and_then(|place| planner.must(place.get_ref()));
    let code = unit.code.as_ref().and_then(|place| planner.must(place.get_ref()));
    let group = unit.group.as_ref().and_then(|level| planner.can(level.value.get_ref()));
    Some(Places { filter, value, name, code, level: unit.group.as_ref(), group })
}

fn unit(places: &Places, row: &Row) -> Result<Option<DraftUnit>, Finding> {
    match places.filter.standing(row)? {
        Standing::Kept => {}
        Standing::LeftOut | Standing::Skipped(_) => return Ok(None),
    }
    let spot = places.value.find(row)?;
    let value = spot.found.code().map_err(|what| Finding::warn(Reason::UnmappedUnit, spot.place, what))?;
    let word = |place: &Option<Named>| place.as_ref().map_or(Ok(String::new()), |place| place.word(row));
    Ok(Some(DraftUnit { value, name: word(&places.name)?, code: word(&places.code)?, group: group(places, row)? }))
}

fn group(places: &Places, row: &Row) -> Result<UnitGroup, Finding> {
    let (Some(level), Some(place)) = (places.level, &places.group) else {
        return Ok(UnitGroup::Province);
    };
    let word = place.word_if_any(row)?;
    match level.words.get(&word) {
        Some(group) => Ok(*group),
        None if word.is_empty() => Ok(UnitGroup::Province),
        None => {
            let known: Vec<&str> = level.words.keys().map(String::as_str).collect();
            let what = format!("the level {} is none of {}; add it to unit.group.words", shown(&word), known.join(", "));
            Err(Finding::warn(Reason::ValueUnparsed, row.location(), what))
        }
    }
}
