//! Which portals a collector asks.

use serde::Deserialize;

use crate::model::UnitGroup;

/// Which portals of `registry/portals.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalChoice {
    /// Those of the province of the settings and of every body below it.
    All,
    /// Those of the province.
    Province,
    /// Those of its departments.
    Department,
    /// Those of its districts.
    District,
    /// Those of its communes.
    Commune,
}

impl PortalChoice {
    /// The group of their units, if it is one.
    pub fn group(self) -> Option<UnitGroup> {
        match self {
            PortalChoice::All => None,
            PortalChoice::Province => Some(UnitGroup::Province),
            PortalChoice::Department => Some(UnitGroup::Department),
            PortalChoice::District => Some(UnitGroup::District),
            PortalChoice::Commune => Some(UnitGroup::Commune),
        }
    }
}
