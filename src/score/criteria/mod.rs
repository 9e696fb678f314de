//! A criteria set (bộ tiêu chí): what the law or a source gives points for, article by article.
//!
//! A `CriteriaSet` only exists checked: `parse` compiles and cross-checks the file or names every fault in it.

mod check;
mod check_rule;
mod file;
mod portals;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use portals::Combined;
pub use portals::{Combine, OfPortals, PortalTerms};

use super::round::Model;
use super::rule::Rule;
use crate::catalogue::problem::Problem;
use crate::model::{Exact, Origin, Period, Sha256, UnitGroup};

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// Vietnamese.
    #[serde(deserialize_with = "filled")]
    pub vi: String,
    /// English.
    #[serde(deserialize_with = "filled")]
    pub en: String,
}

fn filled<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        Err(serde::de::Error::custom("a name must not be empty, expected a text people can read"))
    } else {
        Ok(text)
    }
}

/// Where a formula comes from: the text of the law, the observed practice, or ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As the document words it.
    AsWritten,
    /// As the running system computes it.
    AsImplemented,
    /// No document gives it: a proposal for people to decide on.
    Proposed,
}

impl Status {
    /// The word used in files and output.
    pub fn label(self) -> &'static str {
        match self {
            Status::AsWritten => "as-written",
            Status::AsImplemented => "as-implemented",
            Status::Proposed => "proposed",
        }
    }
}

/// A value for all units, or one by unit group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PerGroup<T> {
    /// The same for every unit.
    Same(T),
    /// By unit group; complete for the groups the criterion applies to.
    By(BTreeMap<UnitGroup, T>),
}

impl<T: Copy> PerGroup<T> {
    /// The value for a unit group.
    pub fn of(&self, unit_group: UnitGroup) -> Option<T> {
        match self {
            PerGroup::Same(value) => Some(*value),
            PerGroup::By(values) => values.get(&unit_group).copied(),
        }
    }

    /// Every value.
    pub fn values(&self) -> Vec<T> {
        match self {
            PerGroup::Same(value) => vec![*value],
            PerGroup::By(values) => values.values().copied().collect(),
        }
    }
}

/// What a criterion is worth when 0 of 0 was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// The maximum.
    Full,
    /// Nothing.
    Zero,
    /// Not applicable: adds nothing, the maximum stays.
    Null,
}

/// What it means that the source itself states it has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// Not applicable: adds nothing, the maximum stays.
    Null,
    /// We do not know: anything from nothing to the maximum.
    #[default]
    NoEvidence,
}

/// The source's own figure for a group or criterion, shown beside ours and never an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Indicator id.
    pub of: String,
    /// Its item.
    pub item: String,
}

/// From when to when a set holds; both days inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// First day.
    pub from: NaiveDate,
    /// Last day, `None` while it holds.
    pub to: Option<NaiveDate>,
}

impl InForce {
    /// Whether it holds on some day of the period.
    pub fn touches(self, period: Period) -> bool {
        self.from <= period.last() && self.to.is_none_or(|to| to >= period.start())
    }
}

/// A class (xếp loại): from how many points on, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Least points.
    pub at_least: Exact,
    /// Name.
    pub name: String,
}

/// Which mean is published with the set: unweighted per group, rounded, then summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    /// Over the units of this group.
    pub unit_group: UnitGroup,
    /// Decimals of each group's mean.
    pub decimals: u32,
}

/// One criterion (tiêu chí).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Id, unique in the set.
    pub id: String,
    /// Name.
    pub title: Title,
    /// Law, decision or source: its own or its group's.
    pub cite: String,
    /// Its own or the set's.
    pub status: Status,
    /// Unit groups it applies to.
    pub unit_groups: Vec<UnitGroup>,
    /// Greatest points, at most two decimals.
    pub max: PerGroup<Exact>,
    /// How points arise.
    pub rule: Rule,
    /// Points at 0/0; `None` for rules without a denominator.
    pub when_empty: Option<WhenEmpty>,
    /// What a stated absence means.
    pub when_missing: WhenMissing,
    /// Rounding of the points.
    pub round: Model,
    /// The collector that counts; `None` leaves it to the registry.
    pub from: Option<String>,
    /// The source's own figure.
    pub control: Option<Control>,
    /// Inputs of another origin do not count.
    pub origin_needed: Option<Origin>,
    /// The least share of its period that an input must cover, above 0 and at most 1. A count is read
    /// whole, so it covers its period and satisfies every share.
    pub coverage_needed: Option<Exact>,
    /// For a criterion about portals: how they become one figure.
    pub portals: Option<PortalTerms>,
}

impl Criterion {
    /// The maximum for units of this group.
    pub fn max_for(&self, unit_group: UnitGroup) -> Exact {
        self.max.of(unit_group).unwrap_or(Exact::ZERO)
    }
}

/// A group of criteria (nhóm).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Id, unique in the set.
    pub id: String,
    /// Name, if it has one.
    pub title: Option<Title>,
    /// Greatest points; the maxima of its criteria add up to it.
    pub max: PerGroup<Exact>,
    /// The source's own figure.
    pub control: Option<Control>,
    /// Its criteria, in file order.
    pub criteria: Vec<Criterion>,
}

/// A checked criteria file.
#[derive(Debug, Clone)]
pub struct CriteriaSet {
    /// The file as it was named to us.
    pub file: String,
    /// SHA-256 of the file: with the id the identity of the formulas.
    pub sha256: Sha256,
    /// Id; a changed formula is a new set with a new id.
    pub id: String,
    /// Name.
    pub title: Title,
    /// Law or decision.
    pub cite: String,
    /// Where the formulas come from.
    pub status: Status,
    /// When it holds.
    pub in_force: InForce,
    /// Whom it assesses.
    pub unit_groups: Vec<UnitGroup>,
    /// Greatest points of a sheet.
    pub total: Exact,
    /// Whether places are given (competition ranking within a unit group).
    pub ranked: bool,
    /// Classes, best first; empty for none.
    pub classes: Vec<Class>,
    /// The mean to publish.
    pub mean: Option<Mean>,
    /// The groups, in file order.
    pub groups: Vec<Group>,
    text: String,
    indicators: Vec<Named>,
    collectors: Vec<Named>,
    combined: Vec<Combined>,
}

/// An id of another file and where it is named.
type Named = (String, Range<usize>);

impl CriteriaSet {
    /// Reads and checks a criteria file.
    ///
    /// # Errors
    /// Every fault found, with its place.
    pub fn parse(file_name: &str, text: &str) -> Result<CriteriaSet, Vec<Problem>> {
        let raw: file::RawSet = toml::from_str(text).map_err(|error| vec![Problem::from_toml(file_name, text, &error)])?;
        check::build(file_name, text, raw)
    }

    /// Every criterion, in file order.
    pub fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        self.groups.iter().flat_map(|group| &group.criteria)
    }

    /// Every indicator named, with the byte range where it stands; the reserved `declared_points` is not among them.
    pub fn indicators(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.indicators.iter().map(|(id, span)| (id.as_str(), span.clone()))
    }

    /// Every indicator whose observations a scoring needs: inputs and controls, and `declared_points`
    /// where a rule reads them; sorted, each once.
    pub fn input_indicators(&self) -> Vec<&str> {
        let inputs = self.criteria().flat_map(|criterion| criterion.rule.inputs(&criterion.id)).map(|(_, indicator, _)| indicator);
        let named = self.indicators.iter().map(|(id, _)| id.as_str());
        inputs.chain(named).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A problem for each indicator that the registry does not know.
    pub fn check_indicators(&self, known: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        self.unknown(&self.indicators, known, "indicator", "name an id of registry/indicators.toml, or add it there")
    }

    /// A problem for each collector that does not exist.
    pub fn check_collectors(&self, known: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        self.unknown(&self.collectors, known, "collector", "name the id of a file in collectors/")
    }

    fn unknown(&self, named: &[Named], known: &dyn Fn(&str) -> bool, what: &str, fix: &str) -> Vec<Problem> {
        named
            .iter()
            .filter(|(id, _)| !known(id))
            .map(|(id, span)| Problem::at(&self.file, &self.text, span.clone(), format!("there is no {what} {id:?}"), fix))
            .collect()
    }
}
