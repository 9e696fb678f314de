//! A scene through the rollup: attempts to hours, hours to a timeline, and that laid over on the terms that are asked.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use thuocdo::model::{Cause, Phase, SlotState, Window};
use thuocdo::rollup::{
    Attempt, Ended, Family, HourPart, Latency, Segment, ServiceHours, Terms, Times, Watched, counted_windows, lay_over, timeline,
};

use crate::scene::{self, End, HOUR, LIMIT, Scene, Seen, at, drawn, shuffled};

/// Whose attempts lie together: an hour of a copy.
pub type CopyHour = (i64, u8);

/// The attempts at one portal by hour and copy, in an order that the seed decides.
pub fn attempts(scene: &Scene, portal: &scene::Watched, seed: u64) -> BTreeMap<CopyHour, Vec<Attempt>> {
    let mut hours: BTreeMap<CopyHour, Vec<Attempt>> = BTreeMap::new();
    for one in shuffled(&portal.seen, seed) {
        let hour = one.slot.div_euclid(HOUR) * HOUR;
        hours.entry((hour, one.copy)).or_default().push(attempt(&one, (one.slot - hour) / scene.slot, seed));
    }
    hours
}

/// How late it began and how long a failure took are left to chance: neither says anything of the portal.
fn attempt(seen: &Seen, slot: i64, seed: u64) -> Attempt {
    let chance = |salt: u64| Latency::of(Duration::from_micros(drawn(seed ^ salt, seen.slot as usize) % 30_000_000));
    let (ended, connect) = match seen.end {
        End::Quick => (Ended::Well, Latency::of(LIMIT / 50)),
        End::Slow => (Ended::Well, Latency::of(LIMIT * 3)),
        End::Failed(reason) => (Ended::Badly(Phase::Connect, reason), chance(1)),
    };
    let text = if ended == Ended::Well { String::new() } else { said(seen) };
    Attempt {
        target: 0,
        slot: u32::try_from(slot).expect("a slot of an hour"),
        no: seen.no,
        family: Family::V4,
        late: chance(2),
        times: Times { connect, ..Times::default() },
        status: 0,
        ended,
        certificate_until: 1_800_000_000 + i64::from(seen.no),
        text,
    }
}

/// What an attempt that failed has to say, in words of its own.
fn said(seen: &Seen) -> String {
    format!("attempt {} of slot {}", seen.no, seen.slot)
}

pub fn rolled_up(scene: &Scene, hour: i64, attempts: &[Attempt]) -> HourPart {
    let mut watched = Watched::new(at(hour), scene.slot);
    attempts.iter().for_each(|attempt| watched.take(attempt, scene.confirm, scene.has_limit.then_some(LIMIT)));
    watched.settled().done().expect("attempts were made in it")
}

pub fn parts(scene: &Scene, portal: &scene::Watched, seed: u64) -> Vec<HourPart> {
    let hours = attempts(scene, portal, seed);
    hours.iter().map(|((hour, _), attempts)| rolled_up(scene, *hour, attempts)).collect()
}

/// Everything that stands between attempts and figures.
pub fn laid(scene: &Scene, portal: &scene::Watched) -> Vec<Segment> {
    laid_of(scene, portal, &parts(scene, portal, scene.seed), scene.window)
}

/// The same from hours that are rolled up already, and for another period.
pub fn laid_of(scene: &Scene, portal: &scene::Watched, parts: &[HourPart], window: Window) -> Vec<Segment> {
    let maintenance = counted_windows(&portal.notices, "portal", scene.working_days, &scene.calendar);
    let service = service_hours(scene);
    with_terms(scene, service.as_ref(), |terms| lay_over(&timeline(parts, window, scene.slot), &maintenance, terms))
}

/// On the terms of a scene.
pub fn with_terms<T>(scene: &Scene, service: Option<&ServiceHours>, then: impl FnOnce(&Terms<'_>) -> T) -> T {
    then(&Terms { degraded_is_up: scene.degraded_is_up, service, calendar: &scene.calendar })
}

fn service_hours(scene: &Scene) -> Option<ServiceHours> {
    let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    scene.service.as_ref().map(|service| {
        let hours: Vec<String> = service.minutes.iter().map(|(from, to)| format!("{}-{}", time(*from), time(*to))).collect();
        ServiceHours::new(service.days, &hours).expect("hours of a day, in order")
    })
}

/// The slots of a line, each by its first instant; that they lie on the grid, in order and apart, is checked on the way.
pub fn slots(laid: &[Segment]) -> Result<BTreeMap<i64, SlotState>, TestCaseError> {
    let mut slots = BTreeMap::new();
    let mut until = i64::MIN;
    for Segment { window, slot_micros, state, .. } in laid {
        let (from, to) = (window.from.micros(), window.to.micros());
        prop_assert!(until <= from && from < to && from % slot_micros == 0 && to % slot_micros == 0, "{window:?} after {until}");
        slots.extend((from..to).step_by(*slot_micros as usize).map(|slot| (slot, *state)));
        until = to;
    }
    Ok(slots)
}

/// An hour is in order, whole, and every stretch in it has the words of an attempt that was made in its first slot.
pub fn is_in_order(part: &HourPart) -> Result<(), TestCaseError> {
    let mut n = BTreeMap::new();
    let mut until = part.hour;
    for interval in &part.intervals {
        let (from, to) = (interval.window.from, interval.window.to);
        prop_assert!(until <= from && from < to && to.micros() <= part.hour.micros() + HOUR, "{interval:?}");
        *n.entry(interval.state.label()).or_insert(0) += interval.window.micros() / part.slot_micros;
        let says_nothing = interval.cause == Cause::default() || interval.state == SlotState::Degraded;
        let wanted = if says_nothing { "" } else { &format!("of slot {}", from.micros()) };
        prop_assert!(interval.text.ends_with(wanted) && interval.text.is_empty() == says_nothing, "{interval:?}");
        until = to;
    }
    let of = |state: SlotState| n.get(state.label()).copied().unwrap_or_default();
    let slots = part.slots;
    prop_assert_eq!(slots.up + slots.degraded + slots.down + slots.unknown, HOUR / part.slot_micros);
    prop_assert_eq!((of(SlotState::Up), of(SlotState::Maintenance)), (0, 0));
    let told = (of(SlotState::Degraded), of(SlotState::Down), of(SlotState::Unknown));
    prop_assert_eq!(told, (slots.degraded, slots.down, slots.unknown));
    Ok(())
}
