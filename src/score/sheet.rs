//! What a scoring yields: sheets (phiếu điểm) with their lines, cohorts and means. `docs/score.schema.json` is its JSON.

use serde::{Serialize, Serializer};

use super::criteria::{Criterion, Status, Title};
use super::rule::{Role, Why};
use crate::model::{Exact, Origin, Overflow, Period, RunId, Sha256, Ts, UnitGroup};

/// One scoring of one set, period and moment of knowledge.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreRun<'a> {
    /// Version of this output.
    pub schema: u32,
    /// Id of the criteria set.
    pub set: &'a str,
    /// SHA-256 of its file.
    pub criteria_sha256: &'a Sha256,
    /// Its name.
    pub title: &'a Title,
    /// Its law or decision.
    pub cite: &'a str,
    /// Where its formulas come from.
    pub status: Status,
    /// What the points are about.
    pub period: Period,
    /// Only what was recorded until then was used.
    pub as_of: Ts,
    /// The period was not over at `as_of` (in Vietnam): every figure can still move.
    pub provisional: bool,
    /// Greatest points of a sheet.
    pub max: Exact,
    /// By unit group and unit id.
    pub sheets: Vec<Sheet<'a>>,
    /// One per unit group that has sheets: who was ranked with whom.
    pub cohorts: Vec<Cohort<'a>>,
    /// The mean that the set asks for.
    pub mean: Option<MeanFigure<'a>>,
    /// Units of groups that the set does not assess.
    pub not_assessed: Vec<&'a str>,
}

/// Points, or what they lie between. As JSON `"5.59"` or `["0", "6"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// These.
    Known(Exact),
    /// Not less than the one, not more than the other.
    Between(Exact, Exact),
}

impl Points {
    /// The least and the most they can be.
    pub fn bounds(self) -> (Exact, Exact) {
        match self {
            Points::Known(points) => (points, points),
            Points::Between(least, most) => (least, most),
        }
    }

    /// The points, unless only bounds are known.
    pub fn known(self) -> Option<Exact> {
        match self {
            Points::Known(points) => Some(points),
            Points::Between(..) => None,
        }
    }

    /// Sum; bounds as soon as one part has bounds.
    ///
    /// # Errors
    /// `Overflow` past 28 digits.
    pub fn sum(parts: impl IntoIterator<Item = Points>) -> Result<Points, Overflow> {
        parts.into_iter().try_fold(Points::Known(Exact::ZERO), |sum, part| {
            let ((a, b), (c, d)) = (sum.bounds(), part.bounds());
            let (least, most) = (a.plus(c)?, b.plus(d)?);
            Ok(match (sum, part) {
                (Points::Known(_), Points::Known(_)) => Points::Known(least),
                (Points::Between(..), _) | (_, Points::Between(..)) => Points::Between(least, most),
            })
        })
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Points::Known(points) => points.serialize(serializer),
            Points::Between(least, most) => [least, most].serialize(serializer),
        }
    }
}

/// The points of one unit.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet<'a> {
    /// Unit id.
    pub unit: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The group in which it is compared.
    pub unit_group: UnitGroup,
    /// Sum of the groups.
    pub total: Points,
    /// Class by total, if every total it can have is of one class.
    pub class: Option<&'a str>,
    /// Place in its cohort, if it is certain: the sheet is complete and no range of another can overturn it.
    pub rank: Option<u32>,
    /// The best and the worst place it can have; `None` when the set gives no places.
    pub rank_between: Option<(u32, u32)>,
    /// Every line is scored or not applicable.
    pub complete: bool,
    /// Some line is the source's own figure, not recomputed.
    pub published: bool,
    /// In file order; groups in which no criterion applies are left out.
    pub groups: Vec<GroupScore<'a>>,
}

/// The points of one unit in one group of criteria.
#[derive(Debug, Clone, Serialize)]
pub struct GroupScore<'a> {
    /// Group id.
    pub group: &'a str,
    /// Its name, if it has one.
    pub title: Option<&'a Title>,
    /// Greatest points.
    pub max: Exact,
    /// Sum of the lines.
    pub points: Points,
    /// Place in the cohort by these points, if it is certain: they are complete and no range of another can overturn it.
    pub rank: Option<u32>,
    /// The best and the worst place it can have; `None` when the set gives no places.
    pub rank_between: Option<(u32, u32)>,
    /// Every line is scored or not applicable.
    pub complete: bool,
    /// What sources publish as the points of this group.
    pub controls: Vec<ControlFigure<'a>>,
    /// In file order.
    pub lines: Vec<Line<'a>>,
}

/// The state of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Points.
    Scored,
    /// Adds nothing, the maximum stays, the sheet is complete.
    NotApplicable,
    /// No input: anything from nothing to the maximum.
    NoEvidence,
    /// Some input: bounds.
    Partial,
    /// Sources differ and none is named: bounds.
    Disputed,
}

impl LineState {
    /// Whether the line leaves its sheet complete.
    pub fn complete(self) -> bool {
        match self {
            LineState::Scored | LineState::NotApplicable => true,
            LineState::NoEvidence | LineState::Partial | LineState::Disputed => false,
        }
    }
}

/// The points of one unit for one criterion, with everything they come from.
#[derive(Debug, Clone, Serialize)]
pub struct Line<'a> {
    /// Criterion id.
    pub criterion: &'a str,
    /// Its name.
    pub title: &'a Title,
    /// Law, decision or source.
    pub cite: &'a str,
    /// Where its formula comes from.
    pub status: Status,
    /// How it stands.
    pub state: LineState,
    /// Why there is no evidence.
    pub why: Option<Why>,
    /// Points or bounds; `None` when not applicable.
    pub points: Option<Points>,
    /// Greatest points.
    pub max: Exact,
    /// The source's own figure, not recomputed.
    pub published: bool,
    /// The formula with its figures.
    pub formula: Formula,
    /// Numerators, denominators or values.
    pub inputs: Vec<Input<'a>>,
    /// What sources publish for this criterion.
    pub controls: Vec<ControlFigure<'a>>,
    /// The criterion itself, for explanations.
    #[serde(skip)]
    pub definition: &'a Criterion,
}

/// The parts of a formula; what its rule does not have is `None`.
#[derive(Debug, Clone, Serialize)]
pub struct Formula {
    /// Kind of rule.
    pub rule: &'static str,
    /// Sum above the line, or the gauge, if known.
    pub numerator: Option<Exact>,
    /// Sum below the line, if known.
    pub denominator: Option<Exact>,
    /// `100 · numerator / denominator`, half-up to 0.01, as portals show it; shown only, never an input.
    pub percent: Option<Exact>,
    /// The value that earns nothing.
    pub zero_at: Option<Exact>,
    /// The value that earns the maximum.
    pub full_at: Option<Exact>,
    /// Rounding model.
    pub round: &'static str,
}

/// One input of a line: an indicator and what the sources say of it.
#[derive(Debug, Clone, Serialize)]
pub struct Input<'a> {
    /// What it is to the rule.
    pub role: Role,
    /// Indicator id.
    pub indicator: &'a str,
    /// Unit id.
    pub unit: &'a str,
    /// Item, "" for none.
    pub item: &'a str,
    /// By collector id; empty when nobody reported it.
    pub sources: Vec<Source<'a>>,
    /// How much of its period is known, where the criterion asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
}

/// How much of an input's period is known; below what is needed its figure is only known to lie between bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The share that is known; `None` if not even that is.
    pub share: Option<Exact>,
    /// The share that must be.
    pub needed: Exact,
}

/// What one source says of an input.
#[derive(Debug, Clone, Serialize)]
pub struct Source<'a> {
    /// Collector id.
    pub collector: &'a str,
    /// Measured or declared; `None` when its collector is not known, which satisfies no needed origin.
    pub origin: Option<Origin>,
    /// Whether it counts here: another may be named, or another origin be needed.
    pub counts: bool,
    /// The number; `None` when the source states that it has none.
    pub value: Option<Exact>,
    /// The source's own remark, "" for none.
    pub flag: &'a str,
    /// The run that first saw the value.
    pub run: &'a RunId,
    /// Which request of that run.
    pub request: i32,
    /// When we knew it.
    pub recorded_at: Ts,
}

/// A source's own points beside ours.
#[derive(Debug, Clone, Serialize)]
pub struct ControlFigure<'a> {
    /// Collector id.
    pub collector: &'a str,
    /// The points; `None` when the source states that it has none.
    pub value: Option<Exact>,
    /// Whether ours are the same; `None` when ours are only bounds.
    pub agrees: Option<bool>,
    /// The run that first saw it.
    pub run: &'a RunId,
    /// Which request of that run.
    pub request: i32,
    /// When we knew it.
    pub recorded_at: Ts,
}

/// The units that were compared with each other.
#[derive(Debug, Clone, Serialize)]
pub struct Cohort<'a> {
    /// Their group.
    pub unit_group: UnitGroup,
    /// The criteria that apply to them.
    pub criteria: Vec<&'a str>,
    /// How many sheets there are.
    pub size: usize,
    /// How many of them have a place.
    pub ranked: usize,
    /// The others, with what keeps them out.
    pub unranked: Vec<Unranked<'a>>,
}

/// A unit without a place.
#[derive(Debug, Clone, Serialize)]
pub struct Unranked<'a> {
    /// Unit id.
    pub unit: &'a str,
    /// Criteria whose lines have bounds only; none when its sheet is complete and others' ranges can overturn its place.
    pub criteria: Vec<&'a str>,
}

/// The unweighted mean per group, rounded, and the sum of the rounded means.
#[derive(Debug, Clone, Serialize)]
pub struct MeanFigure<'a> {
    /// Over the units of this group.
    pub unit_group: UnitGroup,
    /// How many units.
    pub units: usize,
    /// The sum of the groups' means; `None` unless there are units and every one is complete.
    pub total: Option<Exact>,
    /// By group.
    pub groups: Vec<GroupMean<'a>>,
    /// The units whose incomplete sheets prevent a mean.
    pub incomplete: Vec<&'a str>,
}

/// The mean of one group of criteria.
#[derive(Debug, Clone, Serialize)]
pub struct GroupMean<'a> {
    /// Group id.
    pub group: &'a str,
    /// The rounded mean.
    pub points: Exact,
}
