//! `Reading` (số đọc, not yet trusted) and `Observation` (số liệu, trusted, append-only).

use serde::{Deserialize, Serialize};

use super::{Exact, Period, RunId, Ts};

/// What a source said: a number, or that it has none.
///
/// `Missing` is a statement of the source (null, "", "-", "N/A"), not a failure of ours, and never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The source gave this number.
    Number(Exact),
    /// The source says it has no number.
    Missing,
}

impl Value {
    /// The number, if there is one.
    pub fn number(self) -> Option<Exact> {
        match self {
            Value::Number(number) => Some(number),
            Value::Missing => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(number) => number.fmt(f),
            Value::Missing => f.write_str("missing"),
        }
    }
}

/// One value read from one place of one answer, before the gates have judged the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Indicator id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// A portal, service or component; "" for none.
    pub item: String,
    /// What the value is about.
    pub period: Period,
    /// What the source said.
    pub value: Value,
    /// The source's own remark on the value (a data quality status), "" for none.
    pub flag: String,
    /// Where in the answer it stands, for people: `$['data']['children'][3]['totalOnTime']`, `row 5, "TDGQ"`.
    pub place: String,
    /// The text as it stands there.
    pub text: String,
}

/// A trusted value and when we knew it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// Indicator id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// A portal, service or component; "" for none.
    pub item: String,
    /// The collector that read it: two systems that report one indicator are two series.
    pub collector: String,
    /// What the value is about.
    pub period: Period,
    /// What the source said.
    pub value: Value,
    /// The source's own remark, "" for none.
    pub flag: String,
    /// When we knew it.
    pub recorded_at: Ts,
    /// When the same value was last seen.
    pub last_checked: Ts,
    /// The run that first saw it.
    pub run: RunId,
    /// Which request of that run, from 1.
    pub request: i32,
}
