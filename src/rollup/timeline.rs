//! A target's timeline: what is known of every moment of a window, put together from the hours of all copies.

use std::cmp::Reverse;

use super::hour::{HOUR_MICROS, HourPart, Interval};
use crate::model::{Cause, SlotState, Ts, Window};

/// A stretch of slots with one state and one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// From when to when.
    pub window: Window,
    /// Length of its slots.
    pub slot_micros: i64,
    /// How the target was.
    pub state: SlotState,
    /// Why, if it was not up.
    pub cause: Cause,
    /// Attempts that prove it, where it is not up.
    pub attempts: i64,
    /// What the first of them saw.
    pub text: String,
}

impl Segment {
    pub(super) fn within(&self, window: Window) -> Segment {
        Segment { window, ..self.clone() }
    }

    /// Whether the other one goes on where this one ends.
    fn goes_on_in(&self, next: &Segment) -> bool {
        (self.window.to, self.state, self.cause, self.slot_micros) == (next.window.from, next.state, next.cause, next.slot_micros)
    }
}

/// The first slot that begins at or after an instant.
pub(super) fn slot_at_or_after(at: Ts, slot_micros: i64) -> Ts {
    let rest = at.micros().rem_euclid(slot_micros.max(1));
    if rest == 0 { at } else { Ts::from_micros(at.micros() - rest + slot_micros).unwrap_or(at) }
}

/// The slots that begin in a window: a slot belongs to the window that holds its first instant.
pub(super) fn snapped(window: Window, slot_micros: i64) -> Window {
    Window { from: slot_at_or_after(window.from, slot_micros), to: slot_at_or_after(window.to, slot_micros) }
}

/// Every slot that begins in the window, in order and without gaps: where no part says anything, the state is unknown, in
/// slots of `slot_micros`. Parts may come in any order; those of one hour are put together slot by slot, and the better
/// state holds.
pub fn timeline(parts: &[HourPart], window: Window, slot_micros: i64) -> Vec<Segment> {
    let mut parts: Vec<&HourPart> = parts.iter().filter(|part| window.overlap(hour_window(part.hour)).is_some()).collect();
    parts.sort_by_key(|part| part.hour);
    let mut line = Line { segments: Vec::new(), until: window.from, slot_micros };
    for hour in parts.chunk_by(|a, b| a.hour == b.hour) {
        let whole = hour.iter().map(|part| segments(part)).reduce(|a, b| merge(&a, &b, better)).unwrap_or_default();
        line.unseen_until(hour[0].hour.max(window.from));
        for segment in whole {
            if let Some(inside) = snapped(window, segment.slot_micros).overlap(segment.window) {
                line.push(segment.within(inside));
            }
        }
        // What is left of the hour is in slots that begin outside the window.
        line.until = line.until.max(hour_window(hour[0].hour).to);
    }
    line.unseen_until(window.to);
    line.segments
}

fn hour_window(hour: Ts) -> Window {
    Window { from: hour, to: Ts::from_micros(hour.micros() + HOUR_MICROS).unwrap_or(hour) }
}

struct Line {
    segments: Vec<Segment>,
    until: Ts,
    slot_micros: i64,
}

impl Line {
    fn unseen_until(&mut self, at: Ts) {
        let unseen = snapped(Window { from: self.until, to: at }, self.slot_micros);
        if unseen.from < unseen.to {
            let (state, cause) = (SlotState::Unknown, Cause::default());
            self.push(Segment { window: unseen, slot_micros: self.slot_micros, state, cause, attempts: 0, text: String::new() });
        }
    }

    fn push(&mut self, segment: Segment) {
        self.until = segment.window.to;
        match self.segments.last_mut().filter(|last| last.goes_on_in(&segment)) {
            Some(last) => {
                last.window.to = segment.window.to;
                last.attempts += segment.attempts;
            }
            None => self.segments.push(segment),
        }
    }
}

/// An hour as stretches: up wherever nothing else is said.
fn segments(part: &HourPart) -> Vec<Segment> {
    let Window { from, to } = hour_window(part.hour);
    let up = |window| Segment {
        window,
        slot_micros: part.slot_micros,
        state: SlotState::Up,
        cause: Cause::default(),
        attempts: 0,
        text: String::new(),
    };
    let mut all = Vec::with_capacity(part.intervals.len() * 2 + 1);
    let mut until = from;
    for Interval { window, state, cause, attempts, text } in &part.intervals {
        if until < window.from {
            all.push(up(Window { from: until, to: window.from }));
        }
        let (slot_micros, text) = (part.slot_micros, text.clone());
        all.push(Segment { window: *window, slot_micros, state: *state, cause: *cause, attempts: *attempts, text });
        until = window.to;
    }
    if until < to {
        all.push(up(Window { from: until, to }));
    }
    all
}

/// Of two that know as much, the finer slots hold, because they say more exactly which time a period or a notice holds; and
/// a cause goes before none. Both, so that the order of the parts decides nothing.
fn better(a: &Segment, b: &Segment) -> bool {
    match a.state == b.state {
        true => (Reverse(a.slot_micros), a.cause) >= (Reverse(b.slot_micros), b.cause),
        false => a.state.better(b.state) == a.state,
    }
}

/// Two lines laid over each other: where both say something, `pick` says whether the first holds; where one does, that one holds.
pub(super) fn merge(a: &[Segment], b: &[Segment], pick: fn(&Segment, &Segment) -> bool) -> Vec<Segment> {
    let mut edges: Vec<Ts> = a.iter().chain(b).flat_map(|segment| [segment.window.from, segment.window.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut merged: Vec<Segment> = Vec::new();
    for pair in edges.windows(2) {
        let piece = Window { from: pair[0], to: pair[1] };
        let found = match (at(&mut a, piece), at(&mut b, piece)) {
            (Some(a), Some(b)) if pick(a, b) => a,
            (Some(_), Some(b)) => b,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => continue,
        };
        let is_first_piece = found.window.from == piece.from;
        let next = Segment { attempts: if is_first_piece { found.attempts } else { 0 }, ..found.within(piece) };
        match merged.last_mut().filter(|last| last.goes_on_in(&next)) {
            Some(last) => {
                last.window.to = next.window.to;
                last.attempts += next.attempts;
            }
            None => merged.push(next),
        }
    }
    merged
}

/// The segment that holds a piece, which no edge of any segment cuts.
fn at<'a>(segments: &mut std::iter::Peekable<std::slice::Iter<'a, Segment>>, piece: Window) -> Option<&'a Segment> {
    while segments.next_if(|segment| segment.window.to <= piece.from).is_some() {}
    segments.peek().copied().filter(|segment| segment.window.from <= piece.from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Phase, Reason};

    const MINUTE: i64 = 60_000_000;

    /// An hour of which all but its first half hour is not known.
    fn part(slot_micros: i64, cause: Cause) -> HourPart {
        let at = |minutes: i64| Ts::from_micros(minutes * MINUTE).expect("an instant");
        let window = Window { from: at(30), to: at(60) };
        let intervals = vec![Interval { window, state: SlotState::Unknown, cause, attempts: 1, text: String::new() }];
        let (slots, latency) = (Default::default(), Default::default());
        HourPart { hour: at(0), slot_micros, slots, latency, certificate_until: None, intervals }
    }

    #[test]
    fn a_slot_that_began_before_the_window_is_not_in_it_whatever_slots_follow() {
        let at = |minutes: i64| Ts::from_micros(minutes * MINUTE).expect("an instant");
        let of = |from: i64, to: i64| {
            let line = timeline(&[part(30 * MINUTE, Cause::default())], Window { from: at(from), to: at(to) }, MINUTE);
            line.iter().map(|segment| segment.window.micros() / MINUTE).sum::<i64>()
        };
        assert_eq!((of(0, 40), of(40, 70), of(0, 70)), (60, 10, 70));
    }

    #[test]
    fn the_order_of_parts_decides_nothing() {
        let own_network = Cause { phase: Some(Phase::Connect), reason: Some(Reason::OwnNetwork) };
        let (a, b) = (part(MINUTE, own_network), part(30 * MINUTE, Cause::default()));
        let (a_too, until) = (part(MINUTE, Cause::default()), Ts::from_micros(40 * MINUTE).expect("an instant"));
        let window = Window { from: a.hour, to: until };
        for parts in [[a.clone(), b.clone(), a_too.clone()], [b, a_too, a]] {
            let line = timeline(&parts, window, MINUTE);
            let told: Vec<_> = line.iter().map(|segment| (segment.state, segment.cause, segment.window.to)).collect();
            let half_past = Ts::from_micros(30 * MINUTE).expect("an instant");
            assert_eq!(told, [(SlotState::Up, Cause::default(), half_past), (SlotState::Unknown, own_network, until)]);
        }
    }
}
