//! `Unit`: a public body that is measured (đơn vị), with the days it existed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Period;

/// The groups in which bodies are compared (nhóm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitGroup {
    /// A province or centrally run city (tỉnh, thành phố).
    Province,
    /// A department, board or school of the province (sở, ban, ngành, trường): group 1 of plan 268.
    Department,
    /// A district (huyện), until 30/6/2025: group 2.
    District,
    /// A commune, ward or special zone (xã, phường, đặc khu): group 3.
    Commune,
}

impl UnitGroup {
    /// All, from the largest bodies to the smallest.
    pub const ALL: [UnitGroup; 4] = [UnitGroup::Province, UnitGroup::Department, UnitGroup::District, UnitGroup::Commune];

    /// The word used in files and output.
    pub fn label(self) -> &'static str {
        match self {
            UnitGroup::Province => "province",
            UnitGroup::Department => "department",
            UnitGroup::District => "district",
            UnitGroup::Commune => "commune",
        }
    }

    /// The Vietnamese word shown to people.
    pub fn vi(self) -> &'static str {
        match self {
            UnitGroup::Province => "Tỉnh, thành phố",
            UnitGroup::Department => "Sở, ban, ngành",
            UnitGroup::District => "Huyện",
            UnitGroup::Commune => "Xã, phường, đặc khu",
        }
    }
}

/// An assessed body, one row of `registry/units/*.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Stable id, never reused: the key of every number.
    pub id: String,
    /// The official code people know it by (Decision 20/2020/QĐ-TTg, or the statistical code).
    pub code: String,
    /// Name, NFC.
    pub name: String,
    /// In which group it is compared.
    pub unit_group: UnitGroup,
    /// What it calls itself: phường, xã, đặc khu, sở …
    pub kind: String,
    /// Id of the body above it; `None` for a province.
    pub parent: Option<String>,
    /// First day, `None` if not known.
    pub valid_from: Option<NaiveDate>,
    /// Last day, inclusive; `None` while it exists.
    pub valid_to: Option<NaiveDate>,
    /// The decision that made it, "" if not known.
    pub decision: String,
}

impl Unit {
    /// Whether it existed on some day of the period.
    pub fn existed_in(&self, period: Period) -> bool {
        self.valid_from.is_none_or(|from| from <= period.last()) && self.valid_to.is_none_or(|to| to >= period.start())
    }
}
