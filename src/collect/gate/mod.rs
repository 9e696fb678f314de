//! Gates: what an answer must satisfy before its readings are trusted. Format and judgement, pure.

mod check;
pub mod judge;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use toml::Spanned;

use crate::model::{Exact, UnitGroup};

use super::collector::Pattern;
use crate::model::Span;

pub use check::{faults, indicators};

/// One check on one answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Units that must be there with a number; the missing ones are named.
    Covers(Covers),
    /// Readings of an indicator that must be numbers.
    Present(Present),
    /// How many rows there must be.
    Rows(Spanned<RowCount>),
    /// A stated total equals the number of rows.
    Complete(Complete),
    /// Parts add up to a whole.
    SumsTo(SumsTo),
    /// A part is not above its whole, unit by unit.
    NotAbove(NotAbove),
    /// Values lie in a range.
    Range(Spanned<RangeGate>),
    /// Values do not jump against what was known before.
    Jump(Jump),
    /// Values of a period do not fall.
    Monotonic(Monotonic),
    /// Table headings are these, in this order.
    Header(Header),
    /// Keys and types are those first seen.
    Shape(Shape),
    /// The answer's own date is not too old.
    Fresh(Fresh),
}

impl Gate {
    /// The words of all gates, as files write them.
    pub const KINDS: [&str; 12] =
        ["covers", "present", "rows", "complete", "sums_to", "not_above", "range", "jump", "monotonic", "header", "shape", "fresh"];

    /// The indicator whose past it asks for, if any.
    pub fn history(&self) -> Option<&str> {
        match self {
            Gate::Jump(jump) => Some(jump.indicator.get_ref()),
            Gate::Monotonic(monotonic) => Some(monotonic.indicator.get_ref()),
            Gate::Covers(_)
            | Gate::Present(_)
            | Gate::Rows(_)
            | Gate::Complete(_)
            | Gate::SumsTo(_)
            | Gate::NotAbove(_)
            | Gate::Range(_)
            | Gate::Header(_)
            | Gate::Shape(_)
            | Gate::Fresh(_) => None,
        }
    }
}

/// What a failed gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// The answer's readings are kept apart and not trusted.
    #[default]
    Quarantine,
    /// It is reported; the values stand.
    Warn,
}

/// Which units an answer should name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The province of the settings and every body below it.
    All,
    /// Every body below the province of the settings.
    Children,
    /// Every province.
    Province,
    /// The departments of the province.
    Department,
    /// The districts of the province.
    District,
    /// The communes of the province.
    Commune,
}

impl Expected {
    /// The group, if it is one.
    pub fn group(self) -> Option<UnitGroup> {
        match self {
            Expected::All | Expected::Children => None,
            Expected::Province => Some(UnitGroup::Province),
            Expected::Department => Some(UnitGroup::Department),
            Expected::District => Some(UnitGroup::District),
            Expected::Commune => Some(UnitGroup::Commune),
        }
    }
}

/// `covers = { units = "all", at_least = "0.95" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// Which units.
    pub units: Expected,
    /// The least share of them that must have a number, above 0 and at most 1.
    pub at_least: Spanned<Exact>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `present = { indicator = "digitised_due_count", at_least = "0.5" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Present {
    /// Indicator.
    pub indicator: Spanned<String>,
    /// Only this item.
    #[serde(default)]
    pub item: Option<String>,
    /// The least share of its readings that must be numbers, above 0 and at most 1.
    pub at_least: Spanned<Exact>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `rows = { at_least = 1, at_most = 500 }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCount {
    /// The least number of rows kept.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// The greatest number of rows kept.
    #[serde(default)]
    pub at_most: Option<Spanned<usize>>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `complete = { total = "$.data.pagination.total", rows = "$.data.evaluation[*]" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// Where the total is stated: a JSON path or a CSS selector. Several places must agree.
    pub total: Spanned<String>,
    /// What is counted: a JSON path or CSS selector; the rows kept if not stated.
    #[serde(default)]
    pub rows: Option<Spanned<String>>,
    /// How the total is written.
    #[serde(default)]
    pub number: super::number::NumberFormat,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `sums_to = { parts = "$.data.children[*].totalReceived", whole = "$.data.parent.totalReceived" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumsTo {
    /// A JSON path, or an indicator: then the readings of every unit below the province.
    pub parts: Spanned<String>,
    /// A JSON path, an indicator (the province's reading), or a skipped row.
    pub whole: Spanned<Whole>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// What parts should add up to.
#[derive(Debug, Clone)]
pub enum Whole {
    /// A JSON path or an indicator.
    Place(String),
    /// The row that `skip` left out and whose text matches: its value of the parts' indicator.
    Skipped(Pattern),
}

/// `not_above = { part = "dossier_on_time_count", whole = "dossier_processed_count" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotAbove {
    /// Indicator.
    pub part: Spanned<String>,
    /// Indicator.
    pub whole: Spanned<String>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `range = { indicator = "national_index_score", item = "TDGQ", min = "0", max = "20" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeGate {
    /// Indicator.
    pub indicator: Spanned<String>,
    /// Only this item.
    #[serde(default)]
    pub item: Option<String>,
    /// Least value.
    #[serde(default)]
    pub min: Option<Exact>,
    /// Greatest value.
    #[serde(default)]
    pub max: Option<Spanned<Exact>>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// A number that is gone is a jump, whatever `by` and `floor` allow.
///
/// `jump = { indicator = "dossier_processed_count", by = "0.5", floor = "100", needs_history = 7 }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Indicator.
    pub indicator: Spanned<String>,
    /// The greatest change allowed, as a share of the value known before; not negative.
    pub by: Spanned<Exact>,
    /// Smaller absolute changes are always allowed.
    #[serde(default)]
    pub floor: Option<Exact>,
    /// How many versions of the value must be known: one for each time that the value for this indicator, unit, item and
    /// period changed, so not runs and not days. Values with fewer are not looked at; 0 means 1.
    #[serde(default)]
    pub needs_history: i64,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// A number that is gone has fallen.
///
/// `monotonic = { indicator = "dossier_processed_count" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monotonic {
    /// Indicator.
    pub indicator: Spanned<String>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `header = { is = ["Đơn vị", "Văn bản đi"] }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The headings of the (first) table, in order.
    pub is: Spanned<Vec<String>>,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `shape = {}`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

/// `fresh = { value = "$.updatedAt", format = "rfc3339", max_age = "36h" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    /// Where the date stands: a JSON path or a CSS selector. Several places must agree.
    pub value: Spanned<String>,
    /// Text that surrounds the date: the first group of this expression is the date.
    #[serde(default)]
    pub matches: Option<Pattern>,
    /// How it is written: `rfc3339`, or like `%d/%m/%Y` (local date of the collector's zone).
    pub format: Spanned<String>,
    /// The greatest age at the due instant; a date more than a day after it is wrong.
    pub max_age: Span,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Whole;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON path, an indicator, or { skipped = \"^Tổng\" }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Whole, E> {
                Ok(Whole::Place(text.to_owned()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Whole, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Row {
                    skipped: Pattern,
                }
                Row::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|row| Whole::Skipped(row.skipped))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
