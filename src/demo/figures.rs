//! The province of the demonstration: whose figures are seeded, under which codes, and which bodies are awkward.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::random::Random;
use crate::model::{Period, Unit, UnitGroup};

/// What every answer and page calls its figures.
pub const SIMULATED: &str = "số liệu mô phỏng";

/// Seeded figures (số liệu mô phỏng) of one province and its bodies, the same for the same seed, unit, period and day.
#[derive(Debug, Clone)]
pub struct Figures {
    pub(super) seed: u64,
    pub(super) as_of: NaiveDate,
    pub(super) province: Body,
    pub(super) children: Vec<Body>,
    /// The other provinces of the national table.
    pub(super) others: Vec<Body>,
}

/// No province of that id among the units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the demonstration's province {0:?} is not among the units: give the id of a unit of the group province")]
pub struct NoSuchProvince(pub String);

/// A unit under its seeded codes.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub unit: Unit,
    /// departmentId of the evaluation API.
    pub id: String,
    /// departmentCode, MA_COQUAN and the document system's code: `H49.07`.
    pub code: String,
    /// The numeric ID of the older service.
    pub legacy_id: String,
    pub oddity: Oddity,
}

/// What makes a body an awkward case; real answers have each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    None,
    /// No dossiers at all: 0/0 and nulls.
    Idle,
    /// No dossier that costs a fee.
    NoFees,
    /// Not in the transparency endpoint's list.
    Unlisted,
}

impl Figures {
    /// Figures for a province, its departments and communes among `units`, and for the other provinces of the national
    /// table. `as_of` is the day simulated: figures count what there was by its end, and a period to come has none.
    ///
    /// # Errors
    /// `NoSuchProvince` if no unit of the group province has that id.
    pub fn new(seed: u64, province: &str, units: &[Unit], as_of: NaiveDate) -> Result<Figures, NoSuchProvince> {
        let (own, others): (Vec<&Unit>, Vec<&Unit>) =
            units.iter().filter(|unit| unit.unit_group == UnitGroup::Province).partition(|unit| unit.id == province);
        let own = own.first().ok_or_else(|| NoSuchProvince(province.to_owned()))?;
        let mut below: Vec<&Unit> = units
            .iter()
            .filter(|unit| unit.parent.as_deref() == Some(province))
            .filter(|unit| matches!(unit.unit_group, UnitGroup::Department | UnitGroup::Commune))
            .collect();
        below.sort_by_key(|unit| (unit.unit_group, Random::of(seed, &[&unit.id, "order"]).next(), unit.id.clone()));
        Ok(Figures {
            seed,
            as_of,
            province: Body::of(seed, own, own.code.clone(), Oddity::None),
            children: children(seed, &own.code, &below),
            others: others.into_iter().map(|unit| Body::of(seed, unit, unit.code.clone(), Oddity::None)).collect(),
        })
    }

    /// The same figures, in which these units keep the departmentId that a shipped code map already gives them
    /// (`(code, unit id)`, as `code_map` prints); `code_map` then leaves them out of what is laid over.
    pub fn with_known_codes(mut self, known: &[(String, String)]) -> Figures {
        let known: BTreeMap<&str, &str> = known.iter().map(|(code, unit)| (unit.as_str(), code.as_str())).collect();
        for body in std::iter::once(&mut self.province).chain(&mut self.children).chain(&mut self.others) {
            if let Some(code) = known.get(body.unit.id.as_str()) {
                body.id = (*code).to_owned();
            }
        }
        self
    }

    /// `(departmentId, unit id)` of every body, the province first: the code map `npsp` of the demonstration.
    pub fn code_map(&self) -> Vec<(String, String)> {
        self.bodies().chain(&self.others).map(|body| (body.id.clone(), body.unit.id.clone())).collect()
    }

    /// `(H49.07, unit id)` of every body below the province: the code maps `documents` and `npsp-2025`.
    pub fn short_codes(&self) -> Vec<(String, String)> {
        self.children.iter().map(|body| (body.code.clone(), body.unit.id.clone())).collect()
    }

    /// The value of `{province.npsp}` in the settings.
    pub fn root_id(&self) -> &str {
        &self.province.id
    }

    /// The value of `{province.npsp_2025}` in the settings.
    pub fn legacy_root_id(&self) -> &str {
        &self.province.legacy_id
    }

    /// The province, then the bodies below it.
    fn bodies(&self) -> impl Iterator<Item = &Body> {
        std::iter::once(&self.province).chain(&self.children)
    }

    /// The bodies below the province that existed in the period.
    pub(super) fn children_in(&self, period: Period) -> Vec<&Body> {
        self.children.iter().filter(|body| body.unit.existed_in(period)).collect()
    }
}

impl Body {
    fn of(seed: u64, unit: &Unit, code: String, oddity: Oddity) -> Body {
        let id = uuid(&mut Random::of(seed, &[&unit.id, "departmentId"]));
        let legacy_id = Random::of(seed, &[&unit.id, "ID"]).between(500_000, 999_999).to_string();
        Body { unit: unit.clone(), id, code, legacy_id, oddity }
    }

    /// The name as the portal writes it.
    pub fn portal_name(&self) -> String {
        match self.unit.unit_group {
            UnitGroup::Department => self.unit.name.clone(),
            UnitGroup::Province | UnitGroup::District | UnitGroup::Commune => {
                let mut letters = self.unit.name.chars();
                let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
                format!("UBND {first}{}", letters.as_str())
            }
        }
    }
}

/// The bodies below the province, departments first, with codes that no two of them share.
fn children(seed: u64, province_code: &str, below: &[&Unit]) -> Vec<Body> {
    let first_commune = below.iter().position(|unit| unit.unit_group == UnitGroup::Commune).unwrap_or(below.len());
    let mut used = BTreeSet::new();
    let mut bodies = Vec::new();
    for (at, unit) in below.iter().enumerate() {
        let (number, oddity) = match at.checked_sub(first_commune) {
            // A short list gets no unlisted body: one of few would be under the share that must be covered.
            Some(0) if below.len() >= 40 => (100, Oddity::Unlisted),
            Some(nth) => (100 + nth, Oddity::None),
            None => (at + 1, [Oddity::Idle, Oddity::NoFees].get(at).copied().unwrap_or(Oddity::None)),
        };
        let mut body = Body::of(seed, unit, format!("{province_code}.{number:02}"), oddity);
        let mut random = Random::of(seed, &[&unit.id, "departmentId again"]);
        while !used.insert(body.id.clone()) {
            body.id = uuid(&mut random);
        }
        bodies.push(body);
    }
    bodies
}

/// A text in the form of a UUID (version 7's shape, without its meaning).
fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A province of `departments` + `communes` bodies among three provinces.
    pub fn province_of(seed: u64, departments: usize, communes: usize) -> Figures {
        province_on(seed, departments, communes, NaiveDate::from_ymd_opt(2026, 9, 26).expect("a day"))
    }

    /// The same on another day.
    pub fn province_on(seed: u64, departments: usize, communes: usize, as_of: NaiveDate) -> Figures {
        let unit = |id: String, group, parent: Option<&str>| Unit {
            code: id.clone(),
            name: format!("Đơn vị {id}"),
            id,
            unit_group: group,
            kind: String::new(),
            parent: parent.map(str::to_owned),
            valid_from: None,
            valid_to: None,
            decision: String::new(),
        };
        let mut units: Vec<Unit> = ["H49", "H01", "H60"].map(|id| unit(id.to_owned(), UnitGroup::Province, None)).into();
        units.extend((0..departments).map(|n| unit(format!("d-{n}"), UnitGroup::Department, Some("H49"))));
        units.extend((0..communes).map(|n| unit(format!("c-{n}"), UnitGroup::Commune, Some("H49"))));
        Figures::new(seed, "H49", &units, as_of).expect("H49 is among the units")
    }

    #[test]
    fn codes_are_stable_and_name_one_unit_each() {
        for seed in 0..50 {
            let figures = province_of(seed, 16, 54);
            assert_eq!(figures.code_map(), province_of(seed, 16, 54).code_map());
            for codes in [figures.code_map(), figures.short_codes()] {
                let distinct: BTreeSet<&String> = codes.iter().map(|(code, _)| code).collect();
                assert_eq!(distinct.len(), codes.len(), "seed {seed}");
            }
            assert_eq!((figures.code_map().len(), figures.short_codes().len()), (73, 70));
        }
        assert_ne!(province_of(1, 2, 2).code_map(), province_of(2, 2, 2).code_map());
    }

    #[test]
    fn known_codes_are_kept() {
        let figures = province_of(7, 2, 2).with_known_codes(&[("real".to_owned(), "H49".to_owned())]);
        assert_eq!(figures.root_id(), "real");
        assert!(figures.code_map().contains(&("real".to_owned(), "H49".to_owned())));
    }

    #[test]
    fn a_province_that_is_not_there_is_named() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
        assert!(Figures::new(1, "H99", &[], day).expect_err("no unit").to_string().contains("H99"));
    }
}
