//! Rules (cách tính điểm): from the figures of one unit to the points of one criterion, or to bounds of them.

use super::criteria::{Criterion, PerGroup, WhenEmpty, WhenMissing};
use super::round::{POINT_DECIMALS, times};
use crate::model::{Exact, Overflow, UnitGroup};

/// The indicator under which points entered by a reviewer are recorded; the item is the criterion's id.
pub const DECLARED_POINTS: &str = "declared_points";

/// Counts that are added above and below the line; nothing below means a gauge, read as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotient {
    /// Indicators added above the line.
    pub of: Vec<String>,
    /// Indicators added below the line.
    pub over: Vec<String>,
}

/// How points arise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// `max · min(1, n / (d · full_at))`.
    Ratio {
        /// The counts.
        of: Quotient,
        /// The target: the ratio that earns the maximum.
        full_at: PerGroup<Exact>,
    },
    /// Linear between two values, nothing before the one, the maximum from the other on; it may fall.
    Ramp {
        /// The counts or the gauge.
        of: Quotient,
        /// The value that earns nothing.
        zero_at: Exact,
        /// The value that earns the maximum.
        full_at: Exact,
    },
    /// Steps: at least so much earns so many points, best first; nothing below the last.
    Bands {
        /// The counts or the gauge.
        of: Quotient,
        /// Least value and its points.
        bands: Vec<(Exact, Exact)>,
    },
    /// 1 earns the maximum, 0 nothing.
    Flag {
        /// The indicator.
        of: String,
    },
    /// The same points for everybody.
    Constant(Exact),
    /// The source's own points, not recomputed.
    Published {
        /// The indicator.
        of: String,
        /// Its item.
        item: String,
    },
    /// Points entered by a reviewer (`declared_points`).
    Declared,
}

/// What an input is to its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Added above the line.
    Numerator,
    /// Added below the line.
    Denominator,
    /// Read as it is.
    Value,
}

impl Rule {
    /// The stable name of its kind, as in a file.
    pub fn kind(&self) -> &'static str {
        match self {
            Rule::Ratio { .. } => "ratio",
            Rule::Ramp { .. } => "ramp",
            Rule::Bands { .. } => "bands",
            Rule::Flag { .. } => "flag",
            Rule::Constant(_) => "constant",
            Rule::Published { .. } => "published",
            Rule::Declared => "declared",
        }
    }

    /// The counts or gauge of a rule that has them.
    pub fn quotient(&self) -> Option<&Quotient> {
        match self {
            Rule::Ratio { of, .. } | Rule::Ramp { of, .. } | Rule::Bands { of, .. } => Some(of),
            Rule::Flag { .. } | Rule::Constant(_) | Rule::Published { .. } | Rule::Declared => None,
        }
    }

    /// Role, indicator and item of each input; those above the line first.
    pub fn inputs<'a>(&'a self, criterion: &'a str) -> Vec<(Role, &'a str, &'a str)> {
        match self {
            Rule::Ratio { of, .. } | Rule::Ramp { of, .. } | Rule::Bands { of, .. } => {
                let above = if of.over.is_empty() { Role::Value } else { Role::Numerator };
                let below = of.over.iter().map(|id| (Role::Denominator, id.as_str(), ""));
                of.of.iter().map(|id| (above, id.as_str(), "")).chain(below).collect()
            }
            Rule::Flag { of } => vec![(Role::Value, of, "")],
            Rule::Constant(_) => Vec::new(),
            Rule::Published { of, item } => vec![(Role::Value, of, item)],
            Rule::Declared => vec![(Role::Value, DECLARED_POINTS, criterion)],
        }
    }
}

/// What is known of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// This number.
    Known(Exact),
    /// The source states that it has none.
    Missing,
    /// Nobody reported it, or only a source that does not count here.
    Absent,
    /// Several sources say different things and none is named; no upper bound if one of them has no number.
    Disputed {
        /// The least number said; zero if one of them has none.
        least: Exact,
        /// The greatest.
        most: Option<Exact>,
    },
    /// Too little of its period is known: it lies between these.
    Bounded {
        /// The least it can be.
        least: Exact,
        /// The most it can be.
        most: Exact,
    },
}

/// Why there is no evidence; the labels are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No value was recorded.
    NoInput,
    /// The source states that it has no value.
    StatedMissing,
    /// Something was counted out of nothing.
    ZeroDenominator,
    /// A negative count.
    Negative,
    /// Published points outside 0 to the maximum, or a flag that is neither 0 nor 1.
    OutOfRange,
}

/// What a rule says of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// These points.
    Scored(Exact),
    /// Adds nothing, the maximum stays.
    NotApplicable,
    /// Anything from nothing to the maximum.
    NoEvidence(Why),
    /// Some input is known: between these.
    Partial(Exact, Exact),
    /// Sources differ: between these.
    Disputed(Exact, Exact),
}

/// Applies a criterion's rule to the figures of a unit, given in the order of `Rule::inputs`.
///
/// # Errors
/// `Overflow` when an exact result does not fit.
pub fn apply(criterion: &Criterion, unit_group: UnitGroup, figures: &[Figure]) -> Result<Outcome, Overflow> {
    let max = criterion.max_for(unit_group);
    match &criterion.rule {
        Rule::Constant(points) => Ok(Outcome::Scored(*points)),
        Rule::Flag { .. } => {
            let points = |flag: Exact| (flag.is_zero() || flag == Exact::ONE).then_some(if flag.is_zero() { flag } else { max });
            Ok(single(criterion, max, figures, points))
        }
        Rule::Published { .. } | Rule::Declared => {
            Ok(single(criterion, max, figures, |points| (Exact::ZERO <= points && points <= max).then_some(points)))
        }
        Rule::Ratio { of, .. } | Rule::Ramp { of, .. } | Rule::Bands { of, .. } => {
            AtUnit { criterion, unit_group, max, gauge: of.over.is_empty() }.outcome(figures, of.of.len())
        }
    }
}

/// A rule on one value: its points, or nothing if the value cannot be right.
fn single(criterion: &Criterion, max: Exact, figures: &[Figure], points: impl Fn(Exact) -> Option<Exact>) -> Outcome {
    match figures.first() {
        None | Some(Figure::Absent) => Outcome::NoEvidence(Why::NoInput),
        Some(Figure::Missing) => match criterion.when_missing {
            WhenMissing::Null => Outcome::NotApplicable,
            WhenMissing::NoEvidence => Outcome::NoEvidence(Why::StatedMissing),
        },
        Some(Figure::Known(value)) => points(*value).map_or(Outcome::NoEvidence(Why::OutOfRange), Outcome::Scored),
        Some(Figure::Disputed { least, most }) => {
            let least = points(*least).unwrap_or(Exact::ZERO);
            Outcome::Disputed(least, most.and_then(points).unwrap_or(max))
        }
        Some(Figure::Bounded { least, most }) => match (points(*least), points(*most)) {
            (Some(a), Some(b)) => Outcome::Partial(a.min(b), a.max(b)),
            (_, None) | (None, _) => Outcome::NoEvidence(Why::OutOfRange),
        },
    }
}

/// A quotient rule at one unit.
struct AtUnit<'a> {
    criterion: &'a Criterion,
    unit_group: UnitGroup,
    max: Exact,
    gauge: bool,
}

impl AtUnit<'_> {
    fn outcome(&self, figures: &[Figure], n_above: usize) -> Result<Outcome, Overflow> {
        let known = |figure: &Figure| matches!(figure, Figure::Known(_));
        // Before anything is added: a negative part must not hide in a sum that is not negative.
        let negative = |figure: &Figure| matches!(figure, Figure::Known(value) | Figure::Disputed { least: value, .. } | Figure::Bounded { least: value, .. } if *value < Exact::ZERO);
        if !self.gauge && figures.iter().any(negative) {
            return Ok(Outcome::NoEvidence(Why::Negative));
        }
        let disputed = figures.iter().any(|figure| matches!(figure, Figure::Disputed { .. }));
        let absent = figures.iter().any(|figure| matches!(figure, Figure::Absent));
        let missing = |figure: &Figure| matches!(figure, Figure::Missing);
        // A source that counts one side says that there is something to count: only bounds are known then.
        if !figures.is_empty() && figures.iter().all(missing) && self.criterion.when_missing == WhenMissing::Null {
            return Ok(Outcome::NotApplicable);
        }
        let bounded = |figure: &Figure| matches!(figure, Figure::Bounded { .. });
        if !disputed && !figures.iter().any(|figure| known(figure) || bounded(figure)) {
            return Ok(Outcome::NoEvidence(if absent { Why::NoInput } else { Why::StatedMissing }));
        }
        let (above, below) = figures.split_at(n_above);
        let (n, d) = (Bounds::sum(above)?, if self.gauge { Bounds::exactly(Exact::ONE) } else { Bounds::sum(below)? });
        if figures.iter().all(known) {
            return self.exact(n.least, d.least);
        }
        let (least, most) = self.between(n, d)?;
        Ok(if disputed { Outcome::Disputed(least, most) } else { Outcome::Partial(least, most) })
    }

    fn exact(&self, n: Exact, d: Exact) -> Result<Outcome, Overflow> {
        if !d.is_zero() {
            return Ok(Outcome::Scored(self.points(n, d)?));
        }
        if !n.is_zero() {
            return Ok(Outcome::NoEvidence(Why::ZeroDenominator));
        }
        Ok(match self.criterion.when_empty {
            Some(WhenEmpty::Full) => Outcome::Scored(self.max),
            Some(WhenEmpty::Zero) => Outcome::Scored(Exact::ZERO),
            Some(WhenEmpty::Null) | None => Outcome::NotApplicable,
        })
    }

    /// Sound bounds of the points, for counts that are not negative.
    ///
    /// Every rule is monotone in n/d, so its extremes lie at least n over most d and at most n over
    /// least d. Where 0/0 is possible `when_empty` may decide, and everything from nothing to the
    /// maximum is possible; so it is for a gauge without an upper bound.
    fn between(&self, n: Bounds, d: Bounds) -> Result<(Exact, Exact), Overflow> {
        let could_be_empty = n.least <= Exact::ZERO && d.least <= Exact::ZERO;
        if could_be_empty || (self.gauge && n.most.is_none()) || d.most.is_some_and(|most| most <= Exact::ZERO) {
            return Ok((Exact::ZERO, self.max));
        }
        let (at_zero, at_infinity) = if self.rises() { (Exact::ZERO, self.max) } else { (self.max, Exact::ZERO) };
        let low = d.most.map_or(Ok(at_zero), |d| self.points(n.least, d))?;
        let high = match n.most {
            Some(n) if d.least > Exact::ZERO => self.points(n, d.least)?,
            Some(_) | None => at_infinity,
        };
        Ok((low.min(high), low.max(high)))
    }

    fn rises(&self) -> bool {
        match &self.criterion.rule {
            Rule::Ramp { zero_at, full_at, .. } => zero_at < full_at,
            Rule::Ratio { .. } | Rule::Bands { .. } | Rule::Flag { .. } | Rule::Constant(_) | Rule::Published { .. } | Rule::Declared => {
                true
            }
        }
    }

    /// Points at n/d, d above zero.
    fn points(&self, n: Exact, d: Exact) -> Result<Exact, Overflow> {
        match &self.criterion.rule {
            Rule::Ratio { full_at, .. } => {
                let full_at = full_at.of(self.unit_group).unwrap_or(Exact::ONE);
                self.criterion.round.linear(self.max, n, d, full_at)
            }
            Rule::Ramp { zero_at, full_at, .. } => {
                let beyond = n.minus(times(*zero_at, d)?)?;
                let points = Exact::quotient_half_up(&[self.max, beyond], &[d, full_at.minus(*zero_at)?], POINT_DECIMALS)?;
                Ok(points.max(Exact::ZERO).min(self.max))
            }
            Rule::Bands { bands, .. } => {
                for (at_least, points) in bands {
                    if n >= times(*at_least, d)? {
                        return Ok(*points);
                    }
                }
                Ok(Exact::ZERO)
            }
            Rule::Flag { .. } | Rule::Constant(_) | Rule::Published { .. } | Rule::Declared => Ok(Exact::ZERO),
        }
    }
}

/// What a sum of figures lies between; no upper bound when one of them is not known.
#[derive(Clone, Copy)]
struct Bounds {
    least: Exact,
    most: Option<Exact>,
}

impl Bounds {
    fn exactly(value: Exact) -> Bounds {
        Bounds { least: value, most: Some(value) }
    }

    fn sum(figures: &[Figure]) -> Result<Bounds, Overflow> {
        figures.iter().try_fold(Bounds::exactly(Exact::ZERO), |sum, figure| {
            let (least, most) = match figure {
                Figure::Known(value) => (*value, Some(*value)),
                Figure::Missing | Figure::Absent => (Exact::ZERO, None),
                Figure::Disputed { least, most } => (*least, *most),
                Figure::Bounded { least, most } => (*least, Some(*most)),
            };
            let most = match (sum.most, most) {
                (Some(sum), Some(most)) => Some(sum.plus(most)?),
                (_, None) | (None, _) => None,
            };
            Ok(Bounds { least: sum.least.plus(least)?, most })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::criteria::CriteriaSet;

    fn criterion(rule: &str) -> Criterion {
        let head = "schema = 1\nid = \"t\"\ntitle = { vi = \"t\", en = \"t\" }\ncite = \"t\"\nstatus = \"proposed\"\ntotal = \"6\"";
        let applies = "in_force = { from = \"2026-01-01\" }\napplies = { unit_groups = [\"commune\"] }";
        let group = "[[group]]\nid = \"g\"\nmax = \"6\"\n[[group.criterion]]\nid = \"c\"\ntitle = { vi = \"t\", en = \"t\" }\ncite = \"t\"\nmax = \"6\"";
        let set = CriteriaSet::parse("t.toml", &format!("{head}\n{applies}\n{group}\nrule.{rule}")).expect("a file of the test");
        set.criteria().next().expect("its criterion").clone()
    }

    fn points(outcome: Outcome) -> Option<(Exact, Exact)> {
        match outcome {
            Outcome::Scored(points) => Some((points, points)),
            Outcome::Partial(least, most) | Outcome::Disputed(least, most) => Some((least, most)),
            Outcome::NotApplicable => Some((Exact::ZERO, Exact::ZERO)),
            Outcome::NoEvidence(_) => None,
        }
    }

    proptest! {
        /// Whatever the hidden figures are, the points lie within the bounds given without them.
        #[test]
        fn bounds_hold_the_truth(figures in prop::array::uniform4(0i64..8), hidden in prop::array::uniform4(0u8..4), kind in 0usize..6) {
            let criterion = criterion([
                "ratio = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], full_at = \"0.8\" }\nwhen_empty = \"full\"",
                "ratio = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], full_at = \"1\" }\nwhen_empty = \"zero\"\nround = { model = \"percent-binary64\" }",
                "ramp = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], zero_at = \"0.2\", full_at = \"0.9\" }\nwhen_empty = \"null\"",
                "ramp = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], zero_at = \"0.9\", full_at = \"0.2\" }\nwhen_empty = \"zero\"",
                "bands = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], bands = [[\"1\", \"6\"], [\"0.5\", \"2\"]] }\nwhen_empty = \"full\"",
                "ratio = { of = [\"a\", \"b\"], over = [\"c\", \"d\"], full_at = \"1\" }\nwhen_empty = \"full\"\nwhen_missing = \"null\"",
            ][kind]);
            // When the source states that it has nothing at all, that is what `when_missing` settles.
            prop_assume!(hidden != [3; 4]);
            let known = figures.map(|figure| Figure::Known(figure.into()));
            let mut seen = known;
            for ((seen, hidden), figure) in seen.iter_mut().zip(hidden).zip(figures) {
                match hidden {
                    0 => {}
                    1 => *seen = Figure::Absent,
                    3 => *seen = Figure::Missing,
                    _ => *seen = Figure::Disputed { least: (figure - 1).max(0).into(), most: Some((figure + 2).into()) },
                }
            }
            let truth = points(apply(&criterion, UnitGroup::Commune, &known).expect("small numbers"));
            let bounds = points(apply(&criterion, UnitGroup::Commune, &seen).expect("small numbers"));
            if let (Some((truth, _)), Some((least, most))) = (truth, bounds) {
                prop_assert!(least <= truth && truth <= most, "{truth} not in {least} … {most}");
                prop_assert!(Exact::ZERO <= least && most <= Exact::from(6));
            }
        }
    }
}
