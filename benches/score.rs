//! How long a scoring takes: a province's 225 units and the country's 12 000, by every criterion that applies.

use divan::Bencher;
use thuocdo::model::{Exact, Observation, Origin, Period, RunId, Ts, Unit, UnitGroup, Value};
use thuocdo::score::criteria::CriteriaSet;
use thuocdo::score::{Input, score};

fn main() {
    divan::main();
}

fn units(n: usize) -> Vec<Unit> {
    let unit = |at: usize| Unit {
        id: format!("unit-{at:05}"),
        code: format!("{at:05}"),
        name: format!("Đơn vị {at}"),
        unit_group: if at.is_multiple_of(6) { UnitGroup::Department } else { UnitGroup::Commune },
        kind: "xã".to_owned(),
        parent: None,
        valid_from: None,
        valid_to: None,
        decision: String::new(),
    };
    (0..n).map(unit).collect()
}

/// A figure for every input of every criterion of every unit; counts below the line exceed those above it.
fn observations(set: &CriteriaSet, units: &[Unit], period: Period, at: Ts) -> Vec<Observation> {
    let mut observations = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        for criterion in set.criteria() {
            for (role, indicator, item) in criterion.rule.inputs(&criterion.id) {
                let base = i64::try_from(n % 997).expect("small");
                let value = match role {
                    thuocdo::score::rule::Role::Numerator => base,
                    thuocdo::score::rule::Role::Denominator => base + 1234,
                    thuocdo::score::rule::Role::Value => base % 12,
                };
                let collector = criterion.from.clone().unwrap_or_else(|| "portal".to_owned());
                observations.push(Observation {
                    indicator: indicator.to_owned(),
                    unit: unit.id.clone(),
                    item: item.to_owned(),
                    run: RunId { collector: collector.clone(), due_at: at },
                    collector,
                    period,
                    value: Value::Number(Exact::from(value)),
                    flag: String::new(),
                    recorded_at: at,
                    last_checked: at,
                    request: 1,
                });
            }
        }
    }
    observations
}

#[divan::bench(args = [225, 12_000], sample_count = 20)]
fn qd766(bencher: Bencher, n_units: usize) {
    let set = CriteriaSet::parse("criteria/qd766-2026.toml", include_str!("../criteria/qd766-2026.toml")).expect("a shipped file");
    let (period, as_of) = ("2026".parse().expect("a year"), "2026-10-01T00:00:00Z".parse().expect("an instant"));
    let units = units(n_units);
    let observations = observations(&set, &units, period, as_of);
    let units: Vec<&Unit> = units.iter().collect();
    bencher.bench_local(|| {
        let input = Input {
            period,
            as_of,
            units: &units,
            observations: &observations,
            origins: &|_| Some(Origin::Measured),
            preferred: &|_| None,
            within: &|_| None,
        };
        score(&set, &input).expect("a scoring").sheets.len()
    });
}
