//! `Indicator`: what is measured (chỉ số), one entry of `registry/indicators.toml`.

use serde::{Deserialize, Serialize};

use super::{Exact, Value};

/// What a value of an indicator counts (đơn vị tính).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A whole number of things, never negative.
    Count,
    /// Points of a published score.
    Points,
    /// A share between 0 and 1 (derived from counts).
    Ratio,
    /// A per cent figure as a source prints it, 0 to 100.
    Percent,
    /// Days, with fractions.
    Days,
    /// Seconds, with fractions.
    Seconds,
    /// Yes = 1, no = 0.
    Flag,
}

/// How values add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adds {
    /// Values may be summed.
    Sum,
    /// The newest stands for the whole.
    Last,
    /// Values may not be combined.
    #[default]
    No,
}

/// What the values of an indicator stand for within their unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One value for each portal of the unit: the item is the portal's id, or begins with it and `/`.
    Portal,
}

/// Where a value that is not known whole lies: ids of indicators with the same unit, item and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// The least it can be.
    pub least: String,
    /// The most it can be.
    pub most: String,
    /// The share of the period that is known.
    pub coverage: String,
}

/// An indicator: a measured one, or a rate derived from two counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indicator {
    /// Stable id, never reused.
    pub id: String,
    /// Vietnamese name.
    pub title_vi: String,
    /// English name.
    pub title_en: String,
    /// What its values count.
    pub measure: Measure,
    /// Least and greatest value that can be right.
    pub range: (Option<Exact>, Option<Exact>),
    /// How it adds over time.
    pub over_time: Adds,
    /// How it adds over units.
    pub over_units: Adds,
    /// Law, decision or source that asks for it.
    pub cite: String,
    /// For a rate: the counts above and below the line.
    pub derived: Option<(Vec<String>, Vec<String>)>,
    /// The collector whose values count where several report it.
    pub collector: Option<String>,
    /// What its values stand for within their unit; `None` = for the unit itself, or for what their items say.
    pub per: Option<Per>,
    /// The indicators that say between what it lies where its period is not known whole, and how much of it is.
    pub within: Option<Within>,
}

impl Indicator {
    /// Why this value cannot be right for this indicator; `None` if it can.
    pub fn refuses(&self, value: Value) -> Option<String> {
        let Value::Number(number) = value else {
            return None;
        };
        if self.measure == Measure::Count && !number.is_integer() {
            return Some(format!("{number} is not a whole number, and {} counts things", self.id));
        }
        let (least, greatest) = self.range;
        if least.is_some_and(|least| number < least) || greatest.is_some_and(|greatest| number > greatest) {
            let show = |bound: Option<Exact>| bound.map_or("…".to_owned(), |b| b.to_string());
            return Some(format!("{number} lies outside {} … {} of {}", show(least), show(greatest), self.id));
        }
        None
    }
}
