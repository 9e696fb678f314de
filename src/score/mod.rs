//! `score`: from observations and a criteria set to sheets, places, classes and means. The story of one scoring.
//!
//! Pure: the same set, period, `as_of`, units and observations give the same result for ever.

pub mod criteria;
pub mod explain;
mod index;
pub mod rank;
pub mod round;
pub mod rule;
mod sheet;
mod table;

pub use sheet::{
    Cohort, ControlFigure, Formula, GroupMean, GroupScore, Input as LineInput, Line, LineState, MeanFigure, Points, ScoreRun, Sheet,
    Source, Unranked,
};

use criteria::{CriteriaSet, Criterion, Group};
use index::{Index, Planned, Registered, Slots};
use rule::{Figure, Outcome, Role, Rule};

use crate::model::{Exact, Observation, Origin, Overflow, Period, Ts, Unit, UnitGroup, Within};

/// Version of the output.
pub const SCORE_SCHEMA: u32 = 1;

/// What a scoring is made of.
pub struct Input<'i, 'a> {
    /// What the points are about.
    pub period: Period,
    /// Only what was recorded until then counts.
    pub as_of: Ts,
    /// The units in force.
    pub units: &'i [&'a Unit],
    /// Observations of any period, moment, unit and indicator; what does not concern is passed over.
    pub observations: &'a [Observation],
    /// Who makes a collector's numbers; `None` for a collector that is not known (any more).
    pub origins: &'i dyn Fn(&str) -> Option<Origin>,
    /// The collector whose values count where several report an indicator (`indicators.toml`).
    pub preferred: &'i dyn Fn(&str) -> Option<String>,
    /// Where an indicator lies while its period is not known whole (`indicators.toml`).
    pub within: &'i dyn Fn(&str) -> Option<&'a Within>,
}

/// Why a scoring cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The set says nothing about the period.
    #[error("{set} is not in force in {period}: choose a period that its in_force covers, or another set")]
    NotInForce {
        /// Set id.
        set: String,
        /// The period asked for.
        period: Period,
    },
    /// A unit is given twice.
    #[error("unit {0} is given twice: a unit has one sheet")]
    UnitTwice(String),
    /// A figure has too many digits.
    #[error("{criterion} of unit {unit}: {overflow}; correct the figures of its inputs")]
    TooManyDigits {
        /// Unit id.
        unit: String,
        /// Criterion or group id.
        criterion: String,
        /// What happened.
        overflow: Overflow,
    },
}

/// Scores the units: a line per criterion, groups, totals, classes; then places and the mean over the sheets.
///
/// # Errors
/// `ScoreError` when the set is not in force in the period, a unit is given twice, or a figure does not fit.
pub fn score<'a>(set: &'a CriteriaSet, input: &Input<'_, 'a>) -> Result<ScoreRun<'a>, ScoreError> {
    if !set.in_force.touches(input.period) {
        return Err(ScoreError::NotInForce { set: set.id.clone(), period: input.period });
    }
    let (units, not_assessed) = assessed(set, input.units)?;
    let mut slots = Slots::default();
    let registered = Registered { preferred: input.preferred, within: input.within };
    let plan: Vec<PlannedGroup> = set.groups.iter().map(|group| PlannedGroup::new(group, &mut slots, &registered)).collect();
    let index = Index::new(&slots, &units, input.observations, input.period, input.as_of);
    let mut sheets = Vec::with_capacity(units.len());
    for (row, unit) in units.iter().enumerate() {
        sheets.push(AtUnit { unit, row, index: &index, origins: input.origins }.sheet(set, &plan)?);
    }
    let cohorts = table::rank(set, &mut sheets);
    let mean = table::mean(set, &sheets).map_err(|overflow| too_many_digits("the mean", &set.id, overflow))?;
    Ok(ScoreRun {
        schema: SCORE_SCHEMA,
        set: &set.id,
        criteria_sha256: &set.sha256,
        title: &set.title,
        cite: &set.cite,
        status: set.status,
        period: input.period,
        as_of: input.as_of,
        provisional: input.as_of.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive() <= input.period.last(),
        max: set.total,
        sheets,
        cohorts,
        mean,
        not_assessed,
    })
}

fn too_many_digits(unit: &str, criterion: &str, overflow: Overflow) -> ScoreError {
    ScoreError::TooManyDigits { unit: unit.to_owned(), criterion: criterion.to_owned(), overflow }
}

/// The units that the set assesses, by group and id, and the ids of the others.
fn assessed<'a>(set: &CriteriaSet, units: &[&'a Unit]) -> Result<(Vec<&'a Unit>, Vec<&'a str>), ScoreError> {
    let mut sorted = units.to_vec();
    sorted.sort_by(|a, b| (a.unit_group, &a.id).cmp(&(b.unit_group, &b.id)));
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(ScoreError::UnitTwice(twice[0].id.clone()));
    }
    let (assessed, others): (Vec<&Unit>, Vec<&Unit>) = sorted.into_iter().partition(|unit| set.unit_groups.contains(&unit.unit_group));
    Ok((assessed, others.into_iter().map(|unit| unit.id.as_str()).collect()))
}

/// A group with the places of its inputs.
struct PlannedGroup<'a> {
    group: &'a Group,
    criteria: Vec<Planned<'a>>,
    control: Option<usize>,
}

impl<'a> PlannedGroup<'a> {
    fn new(group: &'a Group, slots: &mut Slots<'a>, registered: &Registered<'_, 'a>) -> PlannedGroup<'a> {
        let criteria = group.criteria.iter().map(|criterion| slots.plan(criterion, registered)).collect();
        PlannedGroup { group, criteria, control: slots.control(group.control.as_ref()) }
    }
}

/// One unit under scoring.
struct AtUnit<'i, 'a> {
    unit: &'a Unit,
    row: usize,
    index: &'i Index<'a>,
    origins: &'i dyn Fn(&str) -> Option<Origin>,
}

impl<'a> AtUnit<'_, 'a> {
    fn sheet(&self, set: &'a CriteriaSet, plan: &[PlannedGroup<'a>]) -> Result<Sheet<'a>, ScoreError> {
        let applies =
            |planned: &&PlannedGroup<'a>| planned.criteria.iter().any(|p| p.criterion.unit_groups.contains(&self.unit.unit_group));
        let groups = plan.iter().filter(applies).map(|planned| self.group(planned)).collect::<Result<Vec<_>, _>>()?;
        let total =
            Points::sum(groups.iter().map(|group| group.points)).map_err(|overflow| too_many_digits(&self.unit.id, &set.id, overflow))?;
        Ok(Sheet {
            unit: &self.unit.id,
            name: &self.unit.name,
            unit_group: self.unit.unit_group,
            total,
            class: table::class(set, total),
            rank: None,
            rank_between: None,
            complete: groups.iter().all(|group| group.complete),
            published: groups.iter().any(|group| group.lines.iter().any(|line| line.published)),
            groups,
        })
    }

    fn group(&self, planned: &PlannedGroup<'a>) -> Result<GroupScore<'a>, ScoreError> {
        let group = planned.group;
        let fits = |overflow| too_many_digits(&self.unit.id, &group.id, overflow);
        let applying = planned.criteria.iter().filter(|p| p.criterion.unit_groups.contains(&self.unit.unit_group));
        let lines = applying.map(|planned| self.line(planned)).collect::<Result<Vec<_>, _>>()?;
        let points = Points::sum(lines.iter().filter_map(|line| line.points)).map_err(fits)?;
        Ok(GroupScore {
            group: &group.id,
            title: group.title.as_ref(),
            max: group.max.of(self.unit.unit_group).unwrap_or(Exact::ZERO),
            points,
            rank: None,
            rank_between: None,
            complete: lines.iter().all(|line| line.state.complete()),
            controls: self.controls(planned.control, Some(points)),
            lines,
        })
    }

    fn line(&self, planned: &Planned<'a>) -> Result<Line<'a>, ScoreError> {
        let criterion = planned.criterion;
        let mut inputs = Vec::with_capacity(planned.inputs.len());
        let mut figures = Vec::with_capacity(planned.inputs.len());
        for input in &planned.inputs {
            let said = self.index.at(self.row, input.slot());
            let (mut resolved, figure) = input.resolve(&self.unit.id, criterion, said, self.origins);
            let at = |slot| input.figure_at(&self.unit.id, criterion, self.index.at(self.row, slot), self.origins);
            let (figure, covered) = input.covered(figure, at);
            resolved.covered = covered;
            inputs.push(resolved);
            figures.push(figure);
        }
        let outcome = rule::apply(criterion, self.unit.unit_group, &figures);
        let outcome = outcome.map_err(|overflow| too_many_digits(&self.unit.id, &criterion.id, overflow))?;
        let max = criterion.max_for(self.unit.unit_group);
        let (state, points, why) = match outcome {
            Outcome::Scored(points) => (LineState::Scored, Some(Points::Known(points)), None),
            Outcome::NotApplicable => (LineState::NotApplicable, None, None),
            Outcome::NoEvidence(why) => (LineState::NoEvidence, Some(Points::Between(Exact::ZERO, max)), Some(why)),
            Outcome::Partial(least, most) => (LineState::Partial, Some(Points::Between(least, most)), None),
            Outcome::Disputed(least, most) => (LineState::Disputed, Some(Points::Between(least, most)), None),
        };
        Ok(Line {
            criterion: &criterion.id,
            title: &criterion.title,
            cite: &criterion.cite,
            status: criterion.status,
            state,
            why,
            points,
            max,
            published: matches!(criterion.rule, Rule::Published { .. }),
            formula: formula(criterion, self.unit.unit_group, &inputs, &figures),
            inputs,
            controls: self.controls(planned.control, points),
            definition: criterion,
        })
    }

    /// What sources publish, beside ours; `ours` is `None` for a line that is not applicable.
    fn controls(&self, slot: Option<usize>, ours: Option<Points>) -> Vec<ControlFigure<'a>> {
        let said = slot.map(|slot| self.index.at(self.row, slot)).unwrap_or_default();
        let agrees = |value: Option<Exact>| match ours {
            Some(Points::Known(points)) => Some(value == Some(points)),
            Some(Points::Between(..)) => None,
            None => Some(value.is_none()),
        };
        said.iter()
            .map(|&o| ControlFigure {
                collector: &o.collector,
                value: o.value.number(),
                agrees: agrees(o.value.number()),
                run: &o.run,
                request: o.request,
                recorded_at: o.recorded_at,
            })
            .collect()
    }
}

/// The formula's parts as far as they are known.
fn formula(criterion: &Criterion, unit_group: UnitGroup, inputs: &[LineInput<'_>], figures: &[Figure]) -> Formula {
    let sum = |wanted: &dyn Fn(Role) -> bool| {
        let mut parts = inputs.iter().zip(figures).filter(|(input, _)| wanted(input.role)).map(|(_, figure)| match figure {
            Figure::Known(value) => Some(*value),
            Figure::Missing | Figure::Absent | Figure::Disputed { .. } | Figure::Bounded { .. } => None,
        });
        let first = parts.next()??;
        parts.try_fold(first, |sum, part| sum.plus(part?).ok())
    };
    let numerator = sum(&|role| matches!(role, Role::Numerator | Role::Value));
    let denominator = sum(&|role| role == Role::Denominator);
    let (zero_at, full_at) = match &criterion.rule {
        Rule::Ratio { full_at, .. } => (None, full_at.of(unit_group)),
        Rule::Ramp { zero_at, full_at, .. } => (Some(*zero_at), Some(*full_at)),
        Rule::Bands { .. } | Rule::Flag { .. } | Rule::Constant(_) | Rule::Published { .. } | Rule::Declared => (None, None),
    };
    let percent = numerator.zip(denominator).and_then(|(n, d)| round::percent(n, d).ok());
    Formula { rule: criterion.rule.kind(), numerator, denominator, percent, zero_at, full_at, round: criterion.round.label() }
}
