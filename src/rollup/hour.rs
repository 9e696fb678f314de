//! An hour of one target as one copy watched it: the state of every slot, folded into counts and intervals.

use std::time::Duration;

use super::attempt::{Attempt, Ended, Latency, blames_portal};
use super::histogram::Histogram;
use crate::model::{Cause, Reason, SlotState, Ts, Window};

/// An hour.
pub const HOUR_MICROS: i64 = 3_600_000_000;

/// The hour that holds an instant.
pub fn hour_of(at: Ts) -> Ts {
    Ts::from_micros(at.micros().div_euclid(HOUR_MICROS) * HOUR_MICROS).unwrap_or(at)
}

/// Slots by state; those of maintenance are laid over later, by the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Answered as they should be.
    pub up: i64,
    /// Answered slowly.
    pub degraded: i64,
    /// Confirmed down.
    pub down: i64,
    /// Not known.
    pub unknown: i64,
}

/// A stretch of slots of one state that is not up, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// From its first slot to the end of its last.
    pub window: Window,
    /// Never up.
    pub state: SlotState,
    /// Why, by the attempt that decided.
    pub cause: Cause,
    /// Attempts in it.
    pub attempts: i64,
    /// What the attempt saw that decided its first slot, "" for nothing.
    pub text: String,
}

/// One target's hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourPart {
    /// When the hour began.
    pub hour: Ts,
    /// Length of a slot; it divides the hour. 1 where states were taken over from records that know no slots.
    pub slot_micros: i64,
    /// Slots by state; they add up to the hour.
    pub slots: Slots,
    /// Latency of the slots that were answered.
    pub latency: Histogram,
    /// When the certificate ends that was seen last.
    pub certificate_until: Option<Ts>,
    /// Everything that is not up, in order, without overlaps.
    pub intervals: Vec<Interval>,
}

/// What is known of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    state: SlotState,
    /// Number of the attempt that decided.
    no: u8,
    /// Index into `said`.
    said: u16,
    attempts: u8,
    /// Numbers of the attempts that failed by the portal's fault, a bit for each.
    failed: u8,
}

const NOT_SEEN: Seen = Seen { state: SlotState::Unknown, no: 0, said: 0, attempts: 0, failed: 0 };

/// One target while its hour is put together, attempt by attempt, in any order.
#[derive(Debug, Clone)]
pub struct Watched {
    hour: Ts,
    slot_micros: i64,
    /// Attempts that make a verdict.
    confirm: u8,
    seen: Vec<Seen>,
    /// What deciding attempts gave as cause and text; the first is "nobody looked".
    said: Vec<(Cause, String)>,
    /// Of each slot the quickest answer.
    latency: Vec<Latency>,
    /// Of the last slot in which one was seen.
    certificate_until: Option<(u32, i64)>,
}

impl Watched {
    /// An hour in which nothing was seen yet.
    pub fn new(hour: Ts, slot_micros: i64) -> Watched {
        let n = usize::try_from(HOUR_MICROS / slot_micros.max(1)).unwrap_or_default();
        let said = vec![(Cause::default(), String::new())];
        Watched { hour, slot_micros, confirm: 1, seen: vec![NOT_SEEN; n], said, latency: vec![Latency::NONE; n], certificate_until: None }
    }

    /// Takes an attempt of this hour, in any order. An answer goes before a failure, a quick one before a slow one; of two
    /// failures the later one tells why.
    pub fn take(&mut self, attempt: &Attempt, confirm: u8, slower_than: Option<Duration>) {
        self.confirm = confirm;
        let Some(seen) = self.seen.get_mut(attempt.slot as usize) else { return };
        let (state, cause) = attempt.came_to(slower_than);
        seen.attempts = seen.attempts.saturating_add(1);
        let blamed = state == SlotState::Down && blames_portal(cause);
        seen.failed |= if blamed { bit(attempt.no) } else { 0 };
        // A slot that was looked at twice has two attempts of one number: blame, cause and text decide, so that the order in
        // which attempts are taken does not.
        let (held_cause, held_text) = &self.said[usize::from(seen.said)];
        let decides = match state == seen.state {
            true => {
                (attempt.no, blamed, cause, attempt.text.as_str()) > (seen.no, blames_portal(*held_cause), *held_cause, held_text.as_str())
            }
            false => state.better(seen.state) == state,
        };
        if decides {
            (seen.state, seen.no, seen.said) = (state, attempt.no, place(&mut self.said, cause, &attempt.text));
        }
        if attempt.ended == Ended::Well {
            let (total, held) = (Latency::of(attempt.times.total()), &mut self.latency[attempt.slot as usize]);
            *held = if *held == Latency::NONE { total } else { total.min(*held) };
        }
        if attempt.certificate_until != 0 {
            self.certificate_until = later(self.certificate_until, Some((attempt.slot, attempt.certificate_until)));
        }
    }

    /// What the failures of each slot amount to: down only if as many attempts as make a verdict failed, none of them for a
    /// reason of ours; else nothing is proved.
    pub fn settled(mut self) -> Watched {
        for seen in self.seen.iter_mut().filter(|seen| seen.state == SlotState::Down) {
            if (1..=self.confirm).all(|no| seen.failed & bit(no) != 0) {
                continue;
            }
            seen.state = SlotState::Unknown;
            let (cause, text) = self.said[usize::from(seen.said)].clone();
            if blames_portal(cause) {
                seen.said = place(&mut self.said, Cause { reason: Some(Reason::Interrupted), ..cause }, &text);
            }
        }
        self
    }

    /// With what was seen over another protocol, both settled: that one counts where it answered, or where this one was not
    /// asked. What is not known over this one is not known to be down because the other is.
    #[must_use]
    pub fn beside(mut self, other: &Watched) -> Watched {
        for (slot, also) in other.seen.iter().enumerate() {
            let (seen, answered) = (&mut self.seen[slot], matches!(also.state, SlotState::Up | SlotState::Degraded));
            let attempts = seen.attempts.saturating_add(also.attempts);
            let counts = if seen.attempts == 0 { also.attempts > 0 } else { answered && also.state.better(seen.state) != seen.state };
            if counts {
                let (cause, text) = &other.said[usize::from(also.said)];
                (seen.state, seen.no, seen.said) = (also.state, also.no, place(&mut self.said, *cause, text));
            }
            seen.attempts = attempts;
            let (held, also) = (&mut self.latency[slot], other.latency[slot]);
            *held = if *held == Latency::NONE || (also != Latency::NONE && also < *held) { also } else { *held };
        }
        self.certificate_until = later(self.certificate_until, other.certificate_until);
        self
    }

    /// The hour, folded, once it is settled. `None` if no attempt was made in it.
    pub fn done(self) -> Option<HourPart> {
        if self.seen.iter().all(|seen| seen.attempts == 0) {
            return None;
        }
        let mut latency = Histogram::default();
        self.latency.iter().filter(|total| **total != Latency::NONE).for_each(|total| latency.add(*total));
        let until = self.certificate_until.and_then(|(_, seconds)| Ts::from_micros(seconds.saturating_mul(1_000_000)));
        Some(HourPart {
            hour: self.hour,
            slot_micros: self.slot_micros,
            slots: count(&self.seen),
            latency,
            certificate_until: until,
            intervals: self.intervals(),
        })
    }

    fn intervals(&self) -> Vec<Interval> {
        let mut first = 0;
        let mut intervals = Vec::new();
        let cause = |seen: &Seen| self.said[usize::from(seen.said)].0;
        for run in self.seen.chunk_by(|a, b| (a.state, cause(a)) == (b.state, cause(b))) {
            let (seen, after) = (run[0], first + run.len());
            if seen.state != SlotState::Up {
                let (cause, text) = self.said[usize::from(seen.said)].clone();
                let attempts = run.iter().map(|seen| i64::from(seen.attempts)).sum();
                let window = Window { from: self.instant(first), to: self.instant(after) };
                intervals.push(Interval { window, state: seen.state, cause, attempts, text });
            }
            first = after;
        }
        intervals
    }

    fn instant(&self, slot: usize) -> Ts {
        let after = self.slot_micros.saturating_mul(i64::try_from(slot).unwrap_or(i64::MAX));
        Ts::from_micros(self.hour.micros().saturating_add(after)).unwrap_or(self.hour)
    }
}

/// Where a cause and a text stand among those that were given.
fn place(said: &mut Vec<(Cause, String)>, cause: Cause, text: &str) -> u16 {
    let at = said.iter().position(|(held, words)| *held == cause && words == text).unwrap_or_else(|| {
        said.push((cause, text.to_owned()));
        said.len() - 1
    });
    // An hour of the shortest slots has fewer attempts than this holds.
    u16::try_from(at).unwrap_or_default()
}

/// Of two certificates the one of the later slot, and of one slot the one that ends first.
fn later(a: Option<(u32, i64)>, b: Option<(u32, i64)>) -> Option<(u32, i64)> {
    a.into_iter().chain(b).max_by_key(|(slot, until)| (*slot, std::cmp::Reverse(*until)))
}

/// The bit of an attempt's number; there are at most seven (`ProbeSource::faults`).
fn bit(no: u8) -> u8 {
    1 << (no.saturating_sub(1)).min(7)
}

fn count(seen: &[Seen]) -> Slots {
    let mut slots = Slots::default();
    for seen in seen {
        match seen.state {
            SlotState::Up => slots.up += 1,
            SlotState::Degraded => slots.degraded += 1,
            SlotState::Down => slots.down += 1,
            // Attempts never say that it is maintenance.
            SlotState::Unknown | SlotState::Maintenance => slots.unknown += 1,
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Phase, Reason};
    use crate::rollup::{Family, Times};

    fn attempt(slot: u32, no: u8, ended: Ended) -> Attempt {
        let times = Times { connect: Latency::of(Duration::from_millis(20)), ..Times::default() };
        let (late, family) = (Latency::NONE, Family::V4);
        Attempt { target: 0, slot, no, family, late, times, status: 0, ended, certificate_until: 0, text: format!("no {no}") }
    }

    #[test]
    fn attempts_become_slots_and_intervals() {
        let hour: Ts = "2026-11-24T09:00:00Z".parse().expect("an hour");
        let refused = Ended::Badly(Phase::Connect, Reason::Connect);
        let mut watched = Watched::new(hour, 900_000_000);
        assert_eq!(Watched::new(hour, 900_000_000).settled().done(), None);
        for (slot, no, ended) in [
            (0, 1, Ended::Well),
            // Up again at the second look.
            (1, 1, refused),
            (1, 2, Ended::Well),
            (2, 1, refused),
            (2, 2, refused),
            (2, 3, refused),
            // Stopped before it was confirmed.
            (3, 1, refused),
        ] {
            watched.take(&attempt(slot, no, ended), 3, None);
        }
        let part = watched.settled().done().expect("it was watched");
        assert_eq!(part.slots, Slots { up: 2, degraded: 0, down: 1, unknown: 1 });
        assert_eq!(part.latency.count(), 2);
        let said: Vec<String> =
            part.intervals.iter().map(|i| format!("{} {} {} {} {}", i.window.from, i.state, i.cause, i.attempts, i.text)).collect();
        assert_eq!(said, ["2026-11-24T09:30:00Z down connect: connect 3 no 3", "2026-11-24T09:45:00Z unknown connect: interrupted 1 no 1"]);
    }

    #[test]
    fn every_stretch_has_its_own_words_in_whatever_order_attempts_come() {
        let hour: Ts = "2026-11-24T09:00:00Z".parse().expect("an hour");
        let (said, refused) = (|slot, no, text: &str| (slot, no, text.to_owned()), Ended::Badly(Phase::Connect, Reason::Connect));
        // Down twice; the second time it was looked at twice.
        let all = [said(0, 1, "a"), said(0, 2, "b"), said(2, 1, "c"), said(2, 2, "d"), said(2, 1, "e"), said(2, 2, "c")];
        let part = |order: &[usize]| {
            let mut watched = Watched::new(hour, 900_000_000);
            for (slot, no, text) in order.iter().map(|index| all[*index].clone()) {
                watched.take(&Attempt { text, ..attempt(slot, no, refused) }, 2, None);
            }
            watched.settled().done().expect("it was watched")
        };
        let first = part(&[0, 1, 2, 3, 4, 5]);
        let texts: Vec<&str> = first.intervals.iter().filter(|i| i.state == SlotState::Down).map(|i| i.text.as_str()).collect();
        assert_eq!(texts, ["b", "d"]);
        assert_eq!(part(&[5, 4, 3, 2, 1, 0]), first);
        assert_eq!(part(&[4, 1, 5, 0, 2, 3]), first);
    }

    #[test]
    fn own_trouble_is_not_theirs_and_slow_is_degraded() {
        let hour: Ts = "2026-11-24T09:00:00Z".parse().expect("an hour");
        let mut watched = Watched::new(hour, 1_800_000_000);
        (1..=3).for_each(|no| watched.take(&attempt(0, no, Ended::Badly(Phase::Connect, Reason::OwnNetwork)), 3, None));
        watched.take(&attempt(1, 1, Ended::Well), 3, Some(Duration::from_millis(10)));
        let part = watched.settled().done().expect("it was watched");
        assert_eq!(part.slots, Slots { up: 0, degraded: 1, down: 0, unknown: 1 });
        assert_eq!(part.intervals[0].cause.to_string(), "connect: own_network");
        assert_eq!(part.intervals[1].cause.to_string(), "connect");
    }
}
