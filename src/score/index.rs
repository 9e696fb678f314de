//! The observations of one scoring, laid out by unit and input so that each is looked up once.

use std::collections::HashMap;

use super::criteria::{Control, Criterion};
use super::rule::{Figure, Role};
use super::sheet::{Covered, Input, Source};
use crate::model::{Exact, Observation, Origin, Period, Ts, Unit, Value, Within};

/// A criterion with the places of its inputs.
pub(super) struct Planned<'a> {
    pub criterion: &'a Criterion,
    pub inputs: Vec<PlannedInput<'a>>,
    pub control: Option<usize>,
}

/// One input of a criterion and who counts for it.
pub(super) struct PlannedInput<'a> {
    role: Role,
    indicator: &'a str,
    item: &'a str,
    slot: usize,
    preferred: Option<String>,
    within: Option<WithinSlots>,
}

/// Where an input's bounds and its coverage stand, and how much must be covered.
#[derive(Clone, Copy)]
struct WithinSlots {
    least: usize,
    most: usize,
    coverage: usize,
    needed: Exact,
}

/// What the registry says of indicators.
#[derive(Clone, Copy)]
pub(super) struct Registered<'i, 'a> {
    /// The collector whose values count where several report it.
    pub preferred: &'i dyn Fn(&str) -> Option<String>,
    /// Where it lies while its period is not known whole.
    pub within: &'i dyn Fn(&str) -> Option<&'a Within>,
}

/// The columns of the table: every indicator and item that the set names.
#[derive(Default)]
pub(super) struct Slots<'a>(HashMap<(&'a str, &'a str), usize>);

impl<'a> Slots<'a> {
    fn of(&mut self, indicator: &'a str, item: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry((indicator, item)).or_insert(next)
    }

    /// Where a published control figure stands.
    pub fn control(&mut self, control: Option<&'a Control>) -> Option<usize> {
        control.map(|control| self.of(&control.of, &control.item))
    }

    /// Gives every input of a criterion its place.
    pub fn plan(&mut self, criterion: &'a Criterion, registered: &Registered<'_, 'a>) -> Planned<'a> {
        let inputs = criterion.rule.inputs(&criterion.id).into_iter().map(|(role, indicator, item)| {
            // What stands for each portal is read as the criterion combines it.
            let item = criterion.portals.as_ref().map_or(item, |portals| portals.item.as_str());
            let slot = self.of(indicator, item);
            let within = criterion.coverage_needed.zip((registered.within)(indicator));
            let within = within.map(|(needed, within)| WithinSlots {
                least: self.of(&within.least, item),
                most: self.of(&within.most, item),
                coverage: self.of(&within.coverage, item),
                needed,
            });
            PlannedInput { role, indicator, item, slot, preferred: (registered.preferred)(indicator), within }
        });
        let inputs = inputs.collect();
        Planned { criterion, inputs, control: self.control(criterion.control.as_ref()) }
    }
}

/// Cells by unit and slot; each holds the newest observation of each collector, by collector id.
pub(super) struct Index<'a> {
    n_slots: usize,
    cells: Vec<Vec<&'a Observation>>,
}

impl<'a> Index<'a> {
    /// Takes what is about the period and was known by then.
    pub fn new(slots: &Slots<'_>, units: &[&'a Unit], observations: &'a [Observation], period: Period, as_of: Ts) -> Index<'a> {
        let rows: HashMap<&str, usize> = units.iter().enumerate().map(|(row, unit)| (unit.id.as_str(), row)).collect();
        let n_slots = slots.0.len();
        let mut cells: Vec<Vec<&Observation>> = vec![Vec::new(); n_slots * units.len()];
        for observation in observations.iter().filter(|o| o.period == period && o.recorded_at <= as_of) {
            let slot = slots.0.get(&(observation.indicator.as_str(), observation.item.as_str()));
            if let (Some(slot), Some(row)) = (slot, rows.get(observation.unit.as_str())) {
                keep_newest(&mut cells[row * n_slots + slot], observation);
            }
        }
        for cell in cells.iter_mut().filter(|cell| cell.len() > 1) {
            cell.sort_by(|a, b| a.collector.cmp(&b.collector));
        }
        Index { n_slots, cells }
    }

    /// What the collectors say of a unit's slot.
    pub fn at(&self, row: usize, slot: usize) -> &[&'a Observation] {
        &self.cells[row * self.n_slots + slot]
    }
}

fn keep_newest<'a>(cell: &mut Vec<&'a Observation>, observation: &'a Observation) {
    let age = |o: &Observation| (o.recorded_at, o.run.due_at, o.request);
    match cell.iter_mut().find(|held| held.collector == observation.collector) {
        Some(held) if age(held) < age(observation) => *held = observation,
        Some(_) => {}
        None => cell.push(observation),
    }
}

impl<'a> PlannedInput<'a> {
    /// The input of a unit with its sources, and the figure they amount to.
    ///
    /// A collector named by the criterion alone counts. One preferred by the registry counts where it
    /// has reported; otherwise all that reported count, and must agree.
    pub fn resolve(
        &self,
        unit: &'a str,
        criterion: &Criterion,
        said: &[&'a Observation],
        origins: &dyn Fn(&str) -> Option<Origin>,
    ) -> (Input<'a>, Figure) {
        let named = criterion.from.as_deref();
        let preferred = self.preferred.as_deref().filter(|preferred| said.iter().any(|o| o.collector == *preferred));
        let counting = named.or(preferred);
        let sources: Vec<Source<'a>> = said
            .iter()
            .map(|o| {
                let origin = origins(&o.collector);
                let counts =
                    counting.is_none_or(|id| id == o.collector) && criterion.origin_needed.is_none_or(|needed| origin == Some(needed));
                source(o, origin, counts)
            })
            .collect();
        let figure = figure(sources.iter().filter(|source| source.counts).map(|source| source.value));
        (Input { role: self.role, indicator: self.indicator, unit, item: self.item, sources, covered: None }, figure)
    }

    /// The figure as it counts when too little of its period is known: what it lies between, or nothing. And how much is.
    pub fn covered(&self, figure: Figure, said: impl Fn(usize) -> Figure) -> (Figure, Option<Covered>) {
        let Some(within) = self.within else { return (figure, None) };
        let share = match said(within.coverage) {
            Figure::Known(share) => Some(share),
            Figure::Missing | Figure::Absent | Figure::Disputed { .. } | Figure::Bounded { .. } => None,
        };
        let covered = Some(Covered { share, needed: within.needed });
        if share.is_some_and(|share| share >= within.needed) {
            return (figure, covered);
        }
        match (said(within.least), said(within.most)) {
            (Figure::Known(least), Figure::Known(most)) => (Figure::Bounded { least, most }, covered),
            _ => (Figure::Absent, covered),
        }
    }

    /// The figure that stands in another place, by the sources that count for this input.
    pub fn figure_at(
        &self,
        unit: &'a str,
        criterion: &Criterion,
        said: &[&'a Observation],
        origins: &dyn Fn(&str) -> Option<Origin>,
    ) -> Figure {
        self.resolve(unit, criterion, said, origins).1
    }

    /// Where it stands.
    pub fn slot(&self) -> usize {
        self.slot
    }
}

fn source(observation: &Observation, origin: Option<Origin>, counts: bool) -> Source<'_> {
    Source {
        collector: &observation.collector,
        origin,
        counts,
        value: match observation.value {
            Value::Number(number) => Some(number),
            Value::Missing => None,
        },
        flag: &observation.flag,
        run: &observation.run,
        request: observation.request,
        recorded_at: observation.recorded_at,
    }
}

/// What values of several sources amount to.
fn figure(mut values: impl Iterator<Item = Option<Exact>>) -> Figure {
    let Some(first) = values.next() else {
        return Figure::Absent;
    };
    let unknown_as_zero = |value: Option<Exact>| value.unwrap_or(Exact::ZERO);
    let mut disputed = false;
    let (mut least, mut most) = (unknown_as_zero(first), first);
    for value in values {
        disputed |= value != first;
        least = least.min(unknown_as_zero(value));
        most = most.zip(value).map(|(most, value)| most.max(value));
    }
    match (disputed, first) {
        (true, _) => Figure::Disputed { least, most },
        (false, Some(number)) => Figure::Known(number),
        (false, None) => Figure::Missing,
    }
}
