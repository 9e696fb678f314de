//! `registry/expected.toml`: how many bodies a plan or law counts, so that `check` can say how many of them are listed.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::entries;
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::{Period, UnitGroup};

const FILE: &str = "registry/expected.toml";

/// One `[[expected]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    unit_group: UnitGroup,
    province: Option<Spanned<String>>,
    on: Spanned<Period>,
    bodies: Spanned<usize>,
    cite: Spanned<String>,
}

/// How many bodies of a group there are, by a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Which group.
    pub unit_group: UnitGroup,
    /// Id of the province they belong to; `None` = the whole country.
    pub province: Option<String>,
    /// On which day or in which longer period they existed.
    pub on: Period,
    /// Their number.
    pub bodies: usize,
    /// The source.
    pub cite: String,
}

/// How many of the expected bodies the registry has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// What a source says.
    pub expected: Expected,
    /// How many are in `registry/units/`.
    pub listed: usize,
}

/// All expectations; an entry with a problem is left out.
pub(super) fn load(files: &Files, is_province: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) -> Vec<Expected> {
    let Some(text) = files.get(FILE) else { return Vec::new() };
    let mut expected = Vec::new();
    for entry in entries::read::<Entry>(FILE, text, "expected", problems).0 {
        let wrong = match &entry {
            Entry { province: Some(id), .. } if !is_province(id.get_ref()) => {
                Some((id.span(), format!("{:?} is no province", id.get_ref()), "write the id of a province in registry/units/"))
            }
            Entry { bodies, .. } if *bodies.get_ref() == 0 => {
                Some((bodies.span(), "no bodies are expected".to_owned(), "write how many there are, or remove the entry"))
            }
            Entry { cite, .. } if cite.get_ref().trim().is_empty() => {
                Some((cite.span(), "the number cites nothing".to_owned(), "name the source of the number"))
            }
            _ => None,
        };
        match wrong {
            Some((span, message, fix)) => problems.push(Problem::at(FILE, text, span, message, fix)),
            None => expected.push(entry.into_expected()),
        }
    }
    expected
}

impl Entry {
    fn into_expected(self) -> Expected {
        Expected {
            unit_group: self.unit_group,
            province: self.province.map(Spanned::into_inner),
            on: self.on.into_inner(),
            bodies: self.bodies.into_inner(),
            cite: self.cite.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_wrong_once() {
        let good =
            "schema = 1\n[[expected]]\nunit_group = \"commune\"\nprovince = \"H49\"\non = \"2025-07-01\"\nbodies = 54\ncite = \"x\"\n";
        for (from, to, place) in [
            ("54", "54", None),
            ("province = \"H49\"\n", "", None),
            ("commune", "xã", Some((3, 14))),
            ("H49", "H50", Some((4, 12))),
            ("2025-07-01", "1/7/2025", Some((5, 6))),
            ("54", "0", Some((6, 10))),
            ("54", "-1", Some((6, 10))),
            ("\"x\"", "\"\"", Some((7, 8))),
            ("cite", "cites", Some((7, 1))),
        ] {
            let mut problems = Vec::new();
            let files = [(FILE.to_owned(), good.replacen(from, to, 1))].into_iter().collect();
            let expected = load(&files, |id| id == "H49", &mut problems);
            let places: Vec<_> = problems.iter().map(|p| (p.line, p.column)).collect();
            assert_eq!((expected.len(), places), (usize::from(place.is_none()), place.into_iter().collect()), "{to}: {problems:?}");
        }
    }
}
