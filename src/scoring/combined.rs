//! Figures that stand for each portal of a unit (sections, ages, accessibility), taken as one as a criterion combines them. Pure.

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::collect::watch::readings::is_yielded;
use crate::model::{Exact, Measure, Observation, Period, Value};
use crate::score::criteria::{Combine, CriteriaSet};

/// What the portals of each unit amount to, for every criterion that combines figures which no probe combines already. A unit
/// of which one portal has no figure has none.
pub(super) fn observations(catalogue: &Catalogue, set: &CriteriaSet, period: Period, known: &[Observation]) -> Vec<Observation> {
    let mut all: Vec<Observation> = Vec::new();
    for criterion in set.criteria() {
        let Some(terms) = &criterion.portals else { continue };
        for (_, indicator, _) in criterion.rule.inputs(&criterion.id) {
            let is_done = all.iter().any(|done| done.indicator == indicator && done.item == terms.item);
            if !is_done && !is_yielded(indicator) {
                all.extend(of_indicator(catalogue, indicator, (terms.combine, &terms.item), period, known));
            }
        }
    }
    all
}

fn of_indicator(
    catalogue: &Catalogue,
    indicator: &str,
    (combine, item): (Combine, &str),
    period: Period,
    known: &[Observation],
) -> Vec<Observation> {
    let registry = &catalogue.registry;
    let mut by_unit: BTreeMap<(&str, &str), Vec<&Observation>> = BTreeMap::new();
    for observation in known.iter().filter(|known| known.indicator == indicator && known.period == period) {
        if registry.portal(&observation.item).is_some_and(|portal| portal.unit == observation.unit) {
            by_unit.entry((&observation.unit, &observation.collector)).or_default().push(observation);
        }
    }
    let measure = registry.indicator(indicator).map(|indicator| indicator.measure);
    let combined = by_unit.into_iter().filter_map(|((unit, _), of_portals)| {
        let n_watched = registry.portals_of(unit).into_iter().filter(|portal| portal.is_watched_on(period.last())).count();
        let newest = of_portals.iter().max_by_key(|observation| observation.recorded_at)?;
        let values = of_portals.iter().map(|observation| observation.value.number()).collect::<Option<Vec<Exact>>>();
        let value = values.filter(|values| values.len() >= n_watched).and_then(|values| together(&values, combine, measure?));
        Some(Observation { item: item.to_owned(), value: value.map_or(Value::Missing, Value::Number), ..(*newest).clone() })
    });
    combined.collect()
}

/// The mean, or the worst: of ages and counts the greatest is the worst, of shares and flags the least.
fn together(values: &[Exact], combine: Combine, measure: Measure) -> Option<Exact> {
    match (combine, measure) {
        (Combine::Mean, _) => {
            let n = Exact::from(i64::try_from(values.len()).ok()?);
            Exact::quotient_half_up(&[Exact::sum(values.iter().copied()).ok()?], &[n], 9).ok()
        }
        (Combine::All | Combine::Worst, Measure::Count | Measure::Days | Measure::Seconds) => values.iter().max().copied(),
        (Combine::All | Combine::Worst, Measure::Points | Measure::Ratio | Measure::Percent | Measure::Flag) => {
            values.iter().min().copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_ages_is_the_greatest_and_of_shares_the_least() {
        let numbers = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("a number")).collect::<Vec<Exact>>();
        for (combine, measure, wanted) in [
            (Combine::Worst, Measure::Ratio, "0.5"),
            (Combine::All, Measure::Flag, "0.5"),
            (Combine::Worst, Measure::Days, "1"),
            (Combine::Mean, Measure::Days, "0.75"),
        ] {
            assert_eq!(together(&numbers(&["0.5", "1"]), combine, measure).map(|value| value.to_string()).as_deref(), Some(wanted));
        }
    }
}
