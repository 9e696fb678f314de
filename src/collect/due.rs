//! What is due: which windows of a schedule become runs, and which are missed. Pure.

use std::time::Duration;

use super::collector::{Schedule, Windows};
use crate::model::{Missed, MissedWhy, Sha256, Trigger, Ts};

/// A window begun later than this after it was due was not in time: it is caught up, or missed.
pub const IN_TIME: Duration = Duration::from_secs(5 * 60);

/// More windows of one collector than this are never caught up at once; the oldest are missed.
pub const MOST_PLANNED: usize = 10_000;

/// Without `catch_up.max_age`, windows older than this are missed.
pub const OLDEST_CAUGHT_UP: Duration = Duration::from_secs(35 * 24 * 3600);

/// The longest that a collector's windows are begun after their due instant, so that not all begin at once.
pub const MOST_JITTER: Duration = Duration::from_secs(30);

/// What becomes of the windows of a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Windows that become runs, oldest first.
    pub run: Vec<(Ts, Trigger)>,
    /// Windows that never will, by cause.
    pub missed: Vec<Missed>,
}

/// Plans the windows due after `from`, up to and with `until`, by the collector's rule for what is late.
pub fn plan(schedule: &Schedule, from: Ts, until: Ts) -> Plan {
    let mut missed = Tally::default();
    let max_age = schedule.catch_up.max_age.map_or(OLDEST_CAUGHT_UP, |span| span.0);
    let mut kept: Vec<Ts> = Vec::new();
    for due in windows(schedule, from, until) {
        let is_late = until.since(due) > IN_TIME;
        match (schedule.catch_up.windows, is_late) {
            (Windows::Never, true) => missed.add(MissedWhy::NotCaughtUp, due),
            (_, true) if until.since(due) > max_age => missed.add(MissedWhy::TooOld, due),
            (Windows::Latest | Windows::Every | Windows::Never, _) => kept.push(due),
        }
    }
    let (at_most, why) = match schedule.catch_up.windows {
        Windows::Latest | Windows::Never => (1, MissedWhy::Newer),
        Windows::Every => (MOST_PLANNED, MissedWhy::TooMany),
    };
    let run = kept.split_off(kept.len().saturating_sub(at_most));
    kept.into_iter().for_each(|due| missed.add(why, due));
    let trigger = |due| if until.since(due) > IN_TIME { Trigger::CatchUp } else { Trigger::Schedule };
    Plan { run: run.into_iter().map(|due| (due, trigger(due))).collect(), missed: missed.stretches }
}

/// Everything that was due in a stretch, missed for one cause: the schedule was changed, the collector was paused.
pub fn all_missed(schedule: &Schedule, from: Ts, until: Ts, why: MissedWhy) -> Vec<Missed> {
    let mut missed = Tally::default();
    windows(schedule, from, until).for_each(|due| missed.add(why, due));
    missed.stretches
}

/// The windows due after `from`, up to and with `until`, oldest first.
pub fn windows(schedule: &Schedule, from: Ts, until: Ts) -> impl Iterator<Item = Ts> {
    let next = move |after: Ts| schedule.cron.next_after(schedule.timezone.0, after).filter(|due| *due <= until);
    std::iter::successors(next(from), move |due| next(*due))
}

/// How long after its due instants a collector begins: always the same, and another for each, so that the instants
/// stay aligned while the requests do not come at once. Never more than a tenth of the time between two windows.
pub fn jitter(collector: &str, interval: Duration) -> Duration {
    let most = MOST_JITTER.min(interval / 10).as_millis() as u64;
    let hash = Sha256::of(collector.as_bytes());
    let number = u64::from_str_radix(&hash.hex()[..12], 16).expect("twelve hexadecimal digits");
    Duration::from_millis(if most == 0 { 0 } else { number % most })
}

/// Missed windows by cause.
#[derive(Default)]
struct Tally {
    stretches: Vec<Missed>,
}

impl Tally {
    /// Windows come oldest first.
    fn add(&mut self, why: MissedWhy, due: Ts) {
        match self.stretches.iter_mut().find(|missed| missed.why == why) {
            Some(missed) => (missed.last_due, missed.n) = (due, missed.n + 1),
            None => self.stretches.push(Missed { first_due: due, last_due: due, n: 1, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rest: &str) -> Schedule {
        toml::from_str(&format!("cron = \"0 * * * *\"\n{rest}")).expect("a schedule of the test")
    }

    fn at(text: &str) -> Ts {
        format!("2026-09-{text}:00+07:00").parse().expect("an instant of the test")
    }

    /// `run 26T06:00 catch_up; missed 26T01:00..26T05:00 5 newer_window`
    fn said(plan: &Plan) -> String {
        let local = |at: Ts| at.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).format("%dT%H:%M").to_string();
        let run = plan.run.iter().map(|(due, trigger)| format!("run {} {trigger}", local(*due)));
        let missed = plan.missed.iter().map(|m| format!("missed {}..{} {} {}", local(m.first_due), local(m.last_due), m.n, m.why));
        run.chain(missed).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn windows_run_or_are_missed_once() {
        for (catch_up, from, until, wanted) in [
            ("", "26T06:00", "26T06:59", ""),
            ("", "26T05:59", "26T06:00", "run 26T06:00 schedule"),
            ("", "26T05:59", "26T06:05", "run 26T06:00 schedule"),
            ("", "26T05:59", "26T06:06", "run 26T06:00 catch_up"),
            ("", "26T00:30", "26T06:10", "run 26T06:00 catch_up; missed 26T01:00..26T05:00 5 newer_window"),
            ("", "26T00:30", "26T06:01", "run 26T06:00 schedule; missed 26T01:00..26T05:00 5 newer_window"),
            (
                "max_age = \"2h\"",
                "26T00:30",
                "26T06:10",
                "run 26T06:00 catch_up; missed 26T05:00..26T05:00 1 newer_window; missed 26T01:00..26T04:00 4 too_old",
            ),
            ("windows = \"never\"", "26T00:30", "26T06:10", "missed 26T01:00..26T06:00 6 not_caught_up"),
            ("windows = \"never\"", "26T00:30", "26T06:01", "run 26T06:00 schedule; missed 26T01:00..26T05:00 5 not_caught_up"),
            (
                "windows = \"every\", max_age = \"2h\"",
                "26T03:30",
                "26T06:01",
                "run 26T05:00 catch_up; run 26T06:00 schedule; missed 26T04:00..26T04:00 1 too_old",
            ),
        ] {
            let windows = if catch_up.contains("windows") || catch_up.is_empty() { "" } else { "windows = \"latest\", " };
            let rest = if catch_up.is_empty() { String::new() } else { format!("catch_up = {{ {windows}{catch_up} }}") };
            let mut plan = plan(&schedule(&rest), at(from), at(until));
            plan.missed.sort_by_key(|missed| std::cmp::Reverse(missed.last_due));
            assert_eq!(said(&plan), wanted, "{catch_up} {from} {until}");
        }
    }

    #[test]
    fn a_plan_loses_and_doubles_nothing() {
        let schedule = schedule("timezone = \"Europe/London\"\ncatch_up = { windows = \"every\", max_age = \"10d\" }");
        let (from, until) = (at("01T00:00"), at("29T00:00"));
        let whole = windows(&schedule, from, until).count();
        let plan = plan(&schedule, from, until);
        let missed: i64 = plan.missed.iter().map(|missed| missed.n).sum();
        assert_eq!(plan.run.len() + missed as usize, whole);
        assert!(plan.run.is_sorted() && plan.run.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn jitter_is_stable_and_small() {
        let hour = Duration::from_secs(3600);
        assert_eq!(jitter("npsp-progress", hour), jitter("npsp-progress", hour));
        assert_ne!(jitter("npsp-progress", hour), jitter("npsp-online", hour));
        for no in 0..1000 {
            assert!(jitter(&no.to_string(), hour) < MOST_JITTER);
            assert!(jitter(&no.to_string(), Duration::from_secs(60)) < Duration::from_secs(6));
        }
        assert_eq!(jitter("x", Duration::ZERO), Duration::ZERO);
    }
}
