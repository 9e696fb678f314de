//! Which keys of `[[rows]]` stand together.

use super::{LoadedCollector, Problem};
use crate::collect::collector::Rows;

impl LoadedCollector {
    /// What is wrong with the `[[rows]]` of this number, from 0.
    pub(super) fn check_rows(&self, no: usize, rows: &Rows) -> Vec<Problem> {
        let no = no.to_string();
        let problem = |key: &str, message: String, fix: String| self.problem(self.place(&["rows", &no, key]), message, fix);
        match (&rows.slot, &rows.unit) {
            (Some(_), _) => {
                let stated = [
                    ("unit", rows.unit.is_some()),
                    ("period", rows.period.is_some()),
                    ("key", !rows.key.is_empty()),
                    ("read", !rows.read.is_empty()),
                    ("check", !rows.check.is_empty()),
                ];
                let message = |key| format!("{key} has no effect beside slot: a record says only how its item was, and when");
                let fix = |key| match key {
                    "read" => "remove it; values are read by another [[rows]]".to_owned(),
                    "unit" => "remove it; whose a portal is says registry/portals.csv".to_owned(),
                    _ => format!("remove {key}"),
                };
                stated.into_iter().filter(|(_, is_stated)| *is_stated).map(|(key, _)| problem(key, message(key), fix(key))).collect()
            }
            (None, None) => {
                let fix = "write unit = { value = \"…\", codes = \"…\" }, or unit = {} for the unit asked for";
                vec![self.problem(self.place(&["rows", &no]), "missing field `unit`", fix)]
            }
            (None, Some(unit)) if unit.value.is_some() != unit.codes.is_some() => {
                let fix = "write unit = { value = \"…\", codes = \"…\" }".to_owned();
                vec![problem("unit", "unit needs both value and codes, or neither".to_owned(), fix)]
            }
            (None, Some(_)) => Vec::new(),
        }
    }
}
