//! Availability against an independent reference: random scenes, counted slot by slot in a map and by the rollup.

mod pipeline;
mod reference;
mod scene;

use std::collections::BTreeMap;

use pipeline::{attempts, is_in_order, laid, laid_of, parts, rolled_up, slots, with_terms};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reference::{n, share, states};
use scene::{DAY, End, HOUR, Scene, Seen, THEIRS, Watched, at, drawn, scenes, shuffled};
use thuocdo::collect::watch::segment::{from_columns, from_records, to_columns, to_record};
use thuocdo::model::{Exact, Period, PeriodKind, SlotState, Window};
use thuocdo::rollup::{Attempt, Availability, DayRow, Histogram, HourPart, Outage, Segment, Tally, all_of, outages, tally, timeline};

/// Scenes for each law, and for those that roll several of them up: within seconds, in a debug build too.
const CASES: u32 = 1000;
const FEWER: u32 = 300;

proptest! {
    // In some scenes nothing is known.
    #![proptest_config(ProptestConfig { max_global_rejects: 10 * CASES, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn every_slot_and_every_figure_is_as_the_law_says(scene in scenes(1..=1)) {
        let portal = &scene.portals[0];
        let (laid, wanted) = (laid(&scene, portal), states(&scene, portal));
        prop_assert_eq!(slots(&laid)?, wanted.clone());
        prop_assert_eq!(tally(&laid), tally_of(&wanted, scene.slot));
        are_figures_of(&scene, availability(&scene, tally(&laid)), &wanted)?;
        are_outages_of(&outages(&laid), &wanted, scene.slot)?;
        parts(&scene, portal, scene.seed).iter().try_for_each(is_in_order)?;
    }

    #[test]
    fn a_slot_that_is_forgotten_leaves_the_share_of_the_others_and_widens_the_bounds(scene in scenes(1..=1)) {
        let before = tally(&laid(&scene, &scene.portals[0]));
        let mut wanted = states(&scene, &scene.portals[0]);
        let known: Vec<i64> = wanted.iter().filter(|(_, state)| is_known(**state)).map(|(slot, _)| *slot).collect();
        prop_assume!(!known.is_empty());
        let forgotten = known[drawn(scene.seed, 0) as usize % known.len()];
        wanted.insert(forgotten, SlotState::Unknown);
        let seen = scene.portals[0].seen.iter().filter(|one| one.slot != forgotten).copied().collect();
        let after = tally(&laid(&scene, &Watched { seen, ..scene.portals[0].clone() }));
        prop_assert_eq!(after, tally_of(&wanted, scene.slot));
        let (before, after) = (availability(&scene, before), availability(&scene, after));
        are_figures_of(&scene, after, &wanted)?;
        prop_assert!(after.least <= before.least && before.most <= after.most && after.coverage < before.coverage);
        // One of them moves: what was up could have been down, or the other way round.
        prop_assert!((after.least < before.least) != (before.most < after.most));
        prop_assert!(after.least <= before.share && before.share <= after.most);
    }

    #[test]
    fn what_nobody_could_see_might_as_well_not_have_been_looked_at(scene in scenes(1..=1)) {
        let portal = &scene.portals[0];
        let unknown = states(&Scene { service: None, ..scene.clone() }, &Watched { notices: Vec::new(), ..portal.clone() });
        let is_known = |one: &&Seen| unknown.get(&one.slot).is_none_or(|state| is_known(*state));
        let seen: Vec<Seen> = portal.seen.iter().filter(is_known).copied().collect();
        let without = Watched { seen, ..portal.clone() };
        prop_assert_eq!(tally(&laid(&scene, &without)), tally(&laid(&scene, portal)));
    }

    #[test]
    fn time_that_nobody_watched_changes_no_share(scene in scenes(1..=1), more in 1i64..48) {
        let portal = Watched { notices: Vec::new(), ..scene.portals[0].clone() };
        // To the end of what was watched, and so many hours more.
        let end = scene.first_hour + scene.hours * HOUR;
        let from = scene.window.from.min(at(end));
        let until = |end: i64| Scene { service: None, window: Window { from, to: at(end) }, ..scene.clone() };
        let (scene, longer) = (until(end), until(end + more * HOUR));
        let (short, long) = (tally(&laid(&scene, &portal)), tally(&laid(&longer, &portal)));
        prop_assert_eq!(long, Tally { unknown: short.unknown + more * HOUR, ..short });
        let (short, long) = (availability(&scene, short), availability(&scene, long));
        prop_assert_eq!(short.share, long.share);
        if short.share.is_some() {
            prop_assert!(long.least <= short.least && short.most <= long.most && long.coverage < short.coverage);
        }
    }

    #[test]
    fn periods_add_up(scene in scenes(1..=1), cut in 0.0f64..1.0) {
        let portal = &scene.portals[0];
        let parts = parts(&scene, portal, scene.seed);
        let of = |from, to| tally(&laid_of(&scene, portal, &parts, Window { from, to }));
        let Window { from, to } = scene.window;
        let middle = at(from.micros() + (scene.window.micros() as f64 * cut) as i64);
        prop_assert_eq!(of(from, middle).plus(of(middle, to)), of(from, to));
    }

    #[test]
    fn days_add_up_and_an_outage_across_midnight_is_one(scene in scenes(1..=1)) {
        let portal = &scene.portals[0];
        let parts = parts(&scene, portal, scene.seed);
        let midnight = (scene.first_hour + 7 * HOUR).div_euclid(DAY) * DAY - 7 * HOUR;
        let laid = |from: i64, to: i64| laid_of(&scene, portal, &parts, Window { from: at(from), to: at(to) });
        let day = |from: i64| {
            let latency = latency(parts.iter().filter(|part| (from..from + DAY).contains(&part.hour.micros())));
            let day = Period::holding(PeriodKind::Day, at(from + 7 * HOUR).utc().date_naive());
            DayRow::of(day, &laid(from, from + DAY), &laid(from - HOUR, from), latency, None)
        };
        let whole = laid(midnight, midnight + 2 * DAY);
        let mut sum = day(midnight);
        sum.add(&day(midnight + DAY));
        prop_assert_eq!(sum.tally, tally(&whole));
        // Nobody watched when the first of them began.
        prop_assert_eq!(sum.outages, outages(&whole).len() as i64);
        prop_assert_eq!(sum.latency, latency(parts.iter()));
    }

    #[test]
    fn neither_order_nor_spacing_of_attempts_matters(scene in scenes(1..=1), seed: u64) {
        let portal = &scene.portals[0];
        let (parts, others) = (parts(&scene, portal, scene.seed), parts(&scene, portal, seed));
        prop_assert_eq!(&parts, &others);
        let (laid, other) = (laid(&scene, portal), laid_of(&scene, portal, &shuffled(&parts, seed), scene.window));
        let told = |laid: &[Segment]| laid.iter().map(|segment| (segment.window, segment.state, segment.cause)).collect::<Vec<_>>();
        prop_assert_eq!(told(&laid), told(&other));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(FEWER))]

    #[test]
    fn whatever_the_unknown_slots_were_the_truth_lies_in_the_bounds(scene in scenes(1..=1)) {
        let portal = &scene.portals[0];
        let figures = availability(&scene, tally(&laid(&scene, portal)));
        let unknown: Vec<i64> = states(&scene, portal).into_iter().filter(|(_, state)| *state == SlotState::Unknown).map(|(slot, _)| slot).collect();
        let told = |is_up: &dyn Fn(usize) -> bool| {
            let one = |(index, slot): (usize, &i64)| told(&scene, *slot, is_up(index));
            let seen = portal.seen.iter().copied().chain(unknown.iter().enumerate().flat_map(one)).collect();
            availability(&scene, tally(&laid(&scene, &Watched { seen, ..portal.clone() })))
        };
        prop_assert_eq!(told(&|_| true).share, figures.most);
        prop_assert_eq!(told(&|_| false).share, figures.least);
        let truth = told(&|index| drawn(scene.seed, index).is_multiple_of(2));
        prop_assert!(figures.least <= truth.share && truth.share <= figures.most);
        prop_assert!(truth.share.is_none() || truth.coverage == Some(Exact::from(1)));
    }

    #[test]
    fn several_portals_as_one_are_as_bad_as_the_worst_of_them(scene in scenes(1..=4)) {
        let lines: Vec<Vec<Segment>> = scene.portals.iter().map(|portal| laid(&scene, portal)).collect();
        let wanted = reference::as_one(&scene.portals.iter().map(|portal| states(&scene, portal)).collect::<Vec<_>>());
        for lines in [lines.clone(), shuffled(&lines, scene.seed)] {
            let one = all_of(&lines);
            prop_assert_eq!(slots(&one)?, wanted.clone());
            prop_assert_eq!(tally(&one), tally_of(&wanted, scene.slot));
            are_outages_of(&outages(&one), &wanted, scene.slot)?;
        }
    }

    #[test]
    fn what_is_kept_is_rolled_up_to_the_same_hours(scene in scenes(1..=3), cut: usize) {
        for ((hour, _), attempts) in of_all_portals(&scene) {
            let live = by_portal(&scene, hour, &attempts);
            let records: Vec<u8> = attempts.iter().flat_map(to_record).collect();
            prop_assert_eq!(&by_portal(&scene, hour, &from_records(&records)), &live);
            let (mut one, mut two) = (attempts.clone(), attempts);
            one.truncate(cut % (two.len() + 1));
            two.drain(..one.len());
            let mut packed = Vec::new();
            for segment in [&mut one, &mut two] {
                packed.extend(from_columns(&to_columns(segment).concat()).expect("columns that were just made"));
            }
            prop_assert_eq!(&by_portal(&scene, hour, &packed), &live);
        }
    }

    #[test]
    fn a_change_of_the_slots_length_loses_and_counts_nothing_twice(a in scenes(1..=1), b in scenes(1..=1), cut in 0.0f64..1.0) {
        let b = Scene { first_hour: a.first_hour, ..moved(&b, a.first_hour) };
        let both = [parts(&a, &a.portals[0], a.seed), parts(&b, &b.portals[0], b.seed)].concat();
        let of = |parts: &[HourPart], from, to| tally(&laid_of(&a, &a.portals[0], parts, Window { from, to }));
        // In the middle of an hour too: two sittings, each with the slots that it knew.
        let Window { from, to } = a.window;
        let middle = at(from.micros() + (a.window.micros() as f64 * cut) as i64);
        prop_assert_eq!(of(&both, from, middle).plus(of(&both, middle, to)), of(&both, from, to));
        prop_assert_eq!(of(&shuffled(&both, a.seed), from, to), of(&both, from, to));
        let hours = Window { from: at(a.first_hour), to: at(a.first_hour + 4 * HOUR) };
        let line = timeline(&both, hours, a.slot);
        prop_assert!(line.first().is_some_and(|first| first.window.from == hours.from));
        prop_assert!(line.windows(2).all(|pair| pair[0].window.to == pair[1].window.from));
        prop_assert!(line.last().is_some_and(|last| last.window.to == hours.to));
    }
}

/// Laws that hold of scenes in which nothing happens prove nothing.
#[test]
fn scenes_hold_everything_that_is_asked_of_them() {
    let mut runner = TestRunner::deterministic();
    let mut n_scenes = BTreeMap::new();
    for _ in 0..CASES {
        let scene = scenes(1..=1).new_tree(&mut runner).expect("a scene").current();
        let states = states(&scene, &scene.portals[0]);
        let known = states.values().filter(|state| is_known(**state)).count();
        let of = |wanted| n(&states, wanted) > 0;
        let twice =
            scene.portals[0].seen.windows(2).any(|pair| (pair[0].copy, pair[0].slot) == (pair[1].copy, pair[1].slot) && pair[1].no == 1);
        let midnight = (scene.first_hour + 7 * HOUR).div_euclid(DAY) * DAY + 17 * HOUR;
        let around_midnight = [midnight - scene.slot, midnight].map(|slot| states.get(&slot) == Some(&SlotState::Down));
        for (what, is_there) in [
            ("up", of(SlotState::Up)),
            ("degraded", of(SlotState::Degraded)),
            ("down", of(SlotState::Down)),
            ("maintenance", of(SlotState::Maintenance)),
            ("unknown", of(SlotState::Unknown)),
            ("many known", known > 20),
            ("looked at twice", twice),
            ("several outages", reference::outages(&states, scene.slot).len() > 2),
            ("down across midnight", around_midnight == [true, true]),
        ] {
            *n_scenes.entry(what).or_insert(0) += u32::from(is_there);
        }
    }
    assert!(n_scenes.values().all(|n| *n >= CASES / 100), "of {CASES} scenes: {n_scenes:?}");
}

fn availability(scene: &Scene, tally: Tally) -> Availability {
    with_terms(scene, None, |terms| Availability::of(tally, terms))
}

fn is_known(state: SlotState) -> bool {
    matches!(state, SlotState::Up | SlotState::Degraded | SlotState::Down)
}

/// Time by state, by the reference.
fn tally_of(states: &BTreeMap<i64, SlotState>, slot: i64) -> Tally {
    let time = |state| n(states, state) * slot;
    Tally {
        up: time(SlotState::Up),
        degraded: time(SlotState::Degraded),
        down: time(SlotState::Down),
        maintenance: time(SlotState::Maintenance),
        unknown: time(SlotState::Unknown),
    }
}

fn are_figures_of(scene: &Scene, figures: Availability, states: &BTreeMap<i64, SlotState>) -> Result<(), TestCaseError> {
    let (slow, unknown) = (n(states, SlotState::Degraded), n(states, SlotState::Unknown));
    let up = n(states, SlotState::Up) + if scene.degraded_is_up { slow } else { 0 };
    let down = n(states, SlotState::Down) + if scene.degraded_is_up { 0 } else { slow };
    let all = up + down + unknown;
    let Availability { share: known, coverage, least, most } = figures;
    prop_assert_eq!(known, share(up, up + down));
    prop_assert_eq!(coverage, share(up + down, all));
    prop_assert_eq!((least, most), (share(up, all), share(up + unknown, all)));
    let (nothing, whole) = (Exact::from(0), Exact::from(1));
    prop_assert!([known, coverage, least, most].into_iter().flatten().all(|share| nothing <= share && share <= whole));
    prop_assert!(known.is_none() || (least <= known && known <= most));
    Ok(())
}

fn are_outages_of(outages: &[Outage], states: &BTreeMap<i64, SlotState>, slot: i64) -> Result<(), TestCaseError> {
    let windows: Vec<(i64, i64)> = outages.iter().map(|outage| (outage.window.from.micros(), outage.window.to.micros())).collect();
    prop_assert_eq!(&windows, &reference::outages(states, slot));
    // With at least a slot between them.
    prop_assert!(windows.windows(2).all(|pair| pair[0].1 < pair[1].0));
    prop_assert_eq!(windows.iter().map(|(from, to)| to - from).sum::<i64>(), n(states, SlotState::Down) * slot);
    Ok(())
}

/// An attempt that settles a slot.
fn told(scene: &Scene, slot: i64, is_up: bool) -> Vec<Seen> {
    let end = if is_up { End::Quick } else { End::Failed(THEIRS[0]) };
    (1..=scene.confirm).map(|no| Seen { copy: 2, slot, no, end }).collect()
}

fn latency<'a>(parts: impl Iterator<Item = &'a HourPart>) -> Histogram {
    parts.fold(Histogram::default(), |mut all, part| {
        all.merge(&part.latency);
        all
    })
}

/// The attempts at all portals together, as a copy keeps them.
fn of_all_portals(scene: &Scene) -> BTreeMap<pipeline::CopyHour, Vec<Attempt>> {
    let mut hours: BTreeMap<_, Vec<Attempt>> = BTreeMap::new();
    for (target, portal) in (0u32..).zip(&scene.portals) {
        for (hour, attempts) in attempts(scene, portal, scene.seed) {
            hours.entry(hour).or_default().extend(attempts.into_iter().map(|attempt| Attempt { target, ..attempt }));
        }
    }
    hours.values_mut().for_each(|attempts| *attempts = shuffled(attempts, scene.seed));
    hours
}

fn by_portal(scene: &Scene, hour: i64, attempts: &[Attempt]) -> BTreeMap<u32, HourPart> {
    let mut portals: BTreeMap<u32, Vec<Attempt>> = BTreeMap::new();
    attempts.iter().for_each(|attempt| portals.entry(attempt.target).or_default().push(attempt.clone()));
    portals.into_iter().map(|(target, attempts)| (target, rolled_up(scene, hour, &attempts))).collect()
}

/// The same scene, begun at another hour.
fn moved(scene: &Scene, first_hour: i64) -> Scene {
    let mut moved = scene.clone();
    moved.portals.iter_mut().flat_map(|portal| &mut portal.seen).for_each(|one| one.slot += first_hour - scene.first_hour);
    moved
}
