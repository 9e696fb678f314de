//! The criteria file as it is written, with the places of what is cross-checked.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::portals::Combine;
use super::{InForce, PerGroup, Status, Title, WhenEmpty, WhenMissing};
use crate::model::{Exact, Origin, UnitGroup};
use crate::rollup::Days;
use crate::score::round::Model;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSet {
    pub schema: Spanned<i64>,
    pub id: Spanned<String>,
    pub title: Title,
    pub cite: Spanned<String>,
    pub status: Status,
    pub in_force: Spanned<InForce>,
    pub applies: RawApplies,
    pub total: Spanned<Exact>,
    pub rank: Option<RawRank>,
    pub classes: Option<Spanned<Vec<RawClass>>>,
    pub mean: Option<RawMean>,
    #[serde(rename = "group")]
    pub groups: Vec<Spanned<RawGroup>>,
}

/// `["least points", "name"]`
pub(super) type RawClass = Spanned<(Exact, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApplies {
    pub unit_groups: Spanned<Vec<UnitGroup>>,
}

/// The one way of ranking there is; written out so that the file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRank {
    #[serde(rename = "order")]
    pub _order: RawOrder,
    #[serde(rename = "within")]
    pub _within: RawWithin,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOrder {
    Competition,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawWithin {
    UnitGroup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMean {
    pub of: Spanned<String>,
    pub round_each_group: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGroup {
    pub id: Spanned<String>,
    pub title: Option<Title>,
    pub max: Spanned<PerGroup<Exact>>,
    pub cite: Option<Spanned<String>>,
    pub control: Option<RawFigure>,
    #[serde(rename = "criterion", default)]
    pub criteria: Vec<Spanned<RawCriterion>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCriterion {
    pub id: Spanned<String>,
    pub title: Title,
    pub cite: Option<Spanned<String>>,
    pub max: Spanned<PerGroup<Exact>>,
    pub status: Option<Status>,
    pub applies: Option<RawApplies>,
    pub rule: Spanned<RawRule>,
    pub when_empty: Option<Spanned<WhenEmpty>>,
    #[serde(default)]
    pub when_missing: WhenMissing,
    pub round: Option<Spanned<RawRound>>,
    pub from: Option<Spanned<String>>,
    pub control: Option<RawFigure>,
    pub evidence_needed: Option<Spanned<RawEvidence>>,
    pub combine: Option<Spanned<Combine>>,
    pub service_hours: Option<Spanned<RawServiceHours>>,
    pub notice_working_days: Option<Spanned<u32>>,
    pub degraded: Option<Spanned<RawDegraded>>,
}

/// When portals must be up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServiceHours {
    #[serde(default)]
    pub days: Days,
    pub hours: Vec<String>,
}

/// What a slow answer counts as.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawDegraded {
    Up,
    Down,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRound {
    pub model: Model,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvidence {
    pub origin: Option<Origin>,
    pub coverage: Option<Spanned<Exact>>,
}

/// A figure of a source: an indicator and its item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFigure {
    pub of: Spanned<String>,
    #[serde(default)]
    pub item: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawRule {
    Ratio(RawRatio),
    Ramp(RawRamp),
    Bands(RawBands),
    Flag(RawFlag),
    Constant(Spanned<Exact>),
    Published(RawFigure),
    Declared(RawDeclared),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRatio {
    pub of: Spanned<Names>,
    pub over: Spanned<Names>,
    pub full_at: Spanned<PerGroup<Exact>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRamp {
    pub of: Spanned<Names>,
    pub over: Option<Spanned<Names>>,
    pub zero_at: Spanned<Exact>,
    pub full_at: Spanned<Exact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBands {
    pub of: Spanned<Names>,
    pub over: Option<Spanned<Names>>,
    pub bands: Spanned<Vec<Spanned<(Exact, Exact)>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFlag {
    pub of: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeclared {}

/// One indicator id, or several that are added.
pub(super) struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an indicator id, or a list of them")
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<Names, E> {
                Ok(Names(vec![id.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl<'de> Deserialize<'de> for PerGroup<Exact> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PerGroup<Exact>, D::Error> {
        struct SameOrTable;
        impl<'de> Visitor<'de> for SameOrTable {
            type Value = PerGroup<Exact>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number in quotes, like \"12.5\", or a table of them by unit group")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<PerGroup<Exact>, E> {
                text.parse().map(PerGroup::Same).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PerGroup<Exact>, A::Error> {
                let mut values = BTreeMap::new();
                while let Some((unit_group, value)) = map.next_entry::<UnitGroup, Exact>()? {
                    values.insert(unit_group, value);
                }
                Ok(PerGroup::By(values))
            }
        }
        deserializer.deserialize_any(SameOrTable)
    }
}
