//! The reference: availability by the written law, one slot after the other in a map. It knows nothing of the rollup.

use std::collections::{BTreeMap, HashMap};

use thuocdo::model::{Exact, Notice, SlotState, Ts};
use thuocdo::rollup::Days;

use crate::scene::{DAY, End, HOUR, OURS, Scene, Seen, Watched};

/// Each slot that begins in the period and in the service hours.
pub fn states(scene: &Scene, portal: &Watched) -> BTreeMap<i64, SlotState> {
    let mut seen: HashMap<i64, Vec<&Seen>> = HashMap::new();
    portal.seen.iter().for_each(|one| seen.entry(one.slot).or_default().push(one));
    let notices: Vec<&Notice> = portal.notices.iter().filter(|notice| counts(scene, notice)).collect();
    let is_away = |slot: i64| notices.iter().any(|notice| (notice.window.from.micros()..notice.window.to.micros()).contains(&slot));
    let first = -(-scene.window.from.micros()).div_euclid(scene.slot) * scene.slot;
    let slots = (first..scene.window.to.micros()).step_by(scene.slot as usize).filter(|slot| must_serve(scene, *slot));
    let judged = |slot| if is_away(slot) { SlotState::Maintenance } else { state(scene, seen.get(&slot).map_or(&[], Vec::as_slice)) };
    slots.map(|slot| (slot, judged(slot))).collect()
}

/// What the attempts of a slot say, of whatever copy and in whatever order.
fn state(scene: &Scene, seen: &[&Seen]) -> SlotState {
    let any = |is: &dyn Fn(&Seen) -> bool| seen.iter().any(|one| is(one));
    if any(&|one| one.end == End::Quick || (one.end == End::Slow && !scene.has_limit)) {
        SlotState::Up
    } else if any(&|one| one.end == End::Slow) {
        SlotState::Degraded
    } else if seen.iter().any(|of| (1..=scene.confirm).all(|no| any(&|one| one.copy == of.copy && one.no == no && is_theirs(one.end)))) {
        SlotState::Down
    } else {
        SlotState::Unknown
    }
}

fn is_theirs(end: End) -> bool {
    matches!(end, End::Failed(reason) if !OURS.contains(&reason))
}

fn counts(scene: &Scene, notice: &Notice) -> bool {
    let (announced, begins) = (local_day(notice.announced_at.micros()), local_day(notice.window.from.micros()));
    let worked = (announced + 1..begins).filter(|day| is_worked(scene, *day)).count();
    notice.announced_at < notice.window.from && scene.working_days.is_none_or(|wanted| worked >= wanted as usize)
}

fn must_serve(scene: &Scene, slot: i64) -> bool {
    let day = local_day(slot);
    let micros = slot + 7 * HOUR - day * DAY;
    scene.service.as_ref().is_none_or(|service| {
        let in_hours = service.minutes.iter().any(|(from, to)| (from * HOUR / 60..to * HOUR / 60).contains(&micros));
        in_hours && (service.days == Days::All || is_worked(scene, day))
    })
}

/// Days since 1970 in Vietnam, seven hours ahead of UTC all year.
fn local_day(micros: i64) -> i64 {
    (micros + 7 * HOUR).div_euclid(DAY)
}

/// 1970-01-01 was a Thursday.
fn is_worked(scene: &Scene, day: i64) -> bool {
    let date = Ts::from_micros(day * DAY).expect("an instant of this century").utc().date_naive();
    !scene.calendar.off.contains(&date) && (day.rem_euclid(7) != 2 && day.rem_euclid(7) != 3 || scene.calendar.worked.contains(&date))
}

/// Several portals as one, slot by slot: down if any is, else not known if any is not, else slow or up by those that are
/// not in maintenance.
pub fn as_one(portals: &[BTreeMap<i64, SlotState>]) -> BTreeMap<i64, SlotState> {
    let worst_first = [SlotState::Down, SlotState::Unknown, SlotState::Degraded, SlotState::Up, SlotState::Maintenance];
    let of = |slot: &i64| worst_first.into_iter().find(|state| portals.iter().any(|portal| portal.get(slot) == Some(state)));
    portals.iter().flat_map(BTreeMap::keys).filter_map(|slot| Some((*slot, of(slot)?))).collect()
}

/// How many slots have a state.
pub fn n(states: &BTreeMap<i64, SlotState>, wanted: SlotState) -> i64 {
    states.values().filter(|state| **state == wanted).count() as i64
}

/// Stretches of slots that are down, one right after the other.
pub fn outages(states: &BTreeMap<i64, SlotState>, slot: i64) -> Vec<(i64, i64)> {
    let mut outages: Vec<(i64, i64)> = Vec::new();
    for begins in states.iter().filter(|(_, state)| **state == SlotState::Down).map(|(begins, _)| *begins) {
        match outages.last_mut().filter(|last| last.1 == begins) {
            Some(last) => last.1 = begins + slot,
            None => outages.push((begins, begins + slot)),
        }
    }
    outages
}

/// A share to nine decimals, half up; `None` of nothing.
pub fn share(part: i64, whole: i64) -> Option<Exact> {
    let (part, whole) = (i128::from(part), i128::from(whole));
    let billionths = (2_000_000_000 * part + whole).checked_div(2 * whole)?;
    Some(format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000).parse().expect("a decimal"))
}
