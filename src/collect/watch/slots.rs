//! When which target is looked at: slots on the wall clock, each target at its own offset, never drifting. Pure.

use crate::model::{Sha256, Ts};
use crate::rollup::hour_of;

/// How long after the beginning of every slot a target is looked at: always the same, and another for each, so that the
/// looks are spread over the slot.
pub fn offset_micros(target: &str, slot_micros: i64) -> i64 {
    let hash = Sha256::of(target.as_bytes());
    let number = i64::from_str_radix(&hash.hex()[..12], 16).unwrap_or_default();
    number % slot_micros.max(1)
}

/// One look that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: i64,
    /// The instant of its slot, in microseconds.
    pub slot: i64,
    /// Number of the target.
    pub target: usize,
}

impl Due {
    /// The hour that holds its slot.
    pub fn hour(self) -> Ts {
        // A slot is an instant that a clock has shown.
        hour_of(Ts::from_micros(self.slot).expect("an instant that a clock has shown"))
    }
}

/// All targets in the order of their offsets, and how far the clock has come. Times are microseconds since 1970.
#[derive(Debug)]
pub struct Agenda {
    slot_micros: i64,
    /// Offsets, in order; the number of a target is its place here.
    offsets: Vec<i64>,
    slot: i64,
    next: usize,
}

impl Agenda {
    /// The looks of targets with these offsets, in order, that are due from an instant on; `None` without targets.
    pub fn new(slot_micros: i64, offsets: Vec<i64>, now: Ts) -> Option<Agenda> {
        if offsets.is_empty() {
            return None;
        }
        let mut agenda = Agenda { slot_micros, offsets, slot: 0, next: 0 };
        agenda.go_to(now.micros());
        Some(agenda)
    }

    /// The look that is due next.
    pub fn peek(&self) -> Due {
        Due { at: self.slot + self.offsets[self.next], slot: self.slot, target: self.next }
    }

    /// The look that is due by now, if one is. After a jump of the clock, or a sleep, of more than a slot, what lies between
    /// is not made up for: nobody looked then.
    pub fn take(&mut self, now: Ts) -> Option<Due> {
        let now = now.micros();
        let ahead = self.peek().at - now;
        if ahead < -self.slot_micros || ahead > self.slot_micros {
            self.go_to(now);
        }
        let due = self.peek();
        if due.at > now {
            return None;
        }
        self.next += 1;
        if self.next == self.offsets.len() {
            (self.slot, self.next) = (self.slot + self.slot_micros, 0);
        }
        Some(due)
    }

    /// The first look that is due at or after an instant.
    fn go_to(&mut self, now: i64) {
        self.slot = now.div_euclid(self.slot_micros) * self.slot_micros;
        self.next = self.offsets.partition_point(|offset| self.slot + offset < now);
        if self.next == self.offsets.len() {
            (self.slot, self.next) = (self.slot + self.slot_micros, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Ts {
        Ts::from_micros(seconds * 1_000_000).expect("an instant")
    }

    /// The targets and slots taken until a second, `target@slot`.
    fn taken(agenda: &mut Agenda, until: i64) -> String {
        let mut all = Vec::new();
        while let Some(due) = agenda.take(at(until)) {
            all.push(format!("{}@{}", due.target, due.slot / 1_000_000));
        }
        all.join(" ")
    }

    #[test]
    fn slots_keep_to_the_wall_clock() {
        let mut agenda = Agenda::new(60_000_000, vec![1_000_000, 30_000_000], at(605)).expect("targets");
        assert_eq!(taken(&mut agenda, 625), "");
        assert_eq!(taken(&mut agenda, 633), "1@600");
        // A late wake takes what is due, in order, and drifts nowhere.
        assert_eq!(taken(&mut agenda, 692), "0@660 1@660");
        assert_eq!(agenda.peek(), Due { at: 721_000_000, slot: 720_000_000, target: 0 });
        // Asleep for hours: what lies between is not made up for.
        assert_eq!(taken(&mut agenda, 7_231), "");
        assert_eq!(taken(&mut agenda, 7_262), "0@7260");
        // The clock is set back: the slots of then are looked at again.
        assert_eq!(taken(&mut agenda, 3_610), "");
        assert_eq!(taken(&mut agenda, 3_631), "1@3600");
        assert!(Agenda::new(60_000_000, Vec::new(), at(0)).is_none());
    }

    #[test]
    fn offsets_are_stable_and_spread() {
        let offsets: Vec<i64> = (0..2000).map(|no| offset_micros(&format!("p{no}"), 60_000_000)).collect();
        assert_eq!(offsets[7], offset_micros("p7", 60_000_000));
        let in_second = |second: i64| offsets.iter().filter(|offset| **offset / 1_000_000 == second).count();
        assert!((0..60).all(|second| (10..70).contains(&in_second(second))));
    }
}
