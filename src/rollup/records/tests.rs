//! The rule for records, case by case and against its own words.

use proptest::prelude::*;

use super::*;
use crate::rollup::{tally, timeline};

const SECOND: i64 = 1_000_000;

fn second(n: i64) -> Ts {
    Ts::from_micros(1_692_860_000 * SECOND + n * SECOND).expect("an instant of the test")
}

fn record(target: &str, at: i64, state: SlotState) -> Record {
    let latency = Latency::of(Duration::from_millis(20));
    Record { target: target.to_owned(), at: second(at), state, text: state.to_string(), latency }
}

/// The stretches of one target, in seconds.
fn line(records: &[Record], silence: u64, target: &str, from: i64, to: i64) -> Vec<(i64, i64, SlotState)> {
    let taken = from_records(records, Duration::from_secs(silence));
    let parts: Vec<HourPart> = taken.hours.into_iter().filter(|(of, _)| of == target).map(|(_, part)| part).collect();
    let window = Window { from: second(from), to: second(to) };
    let seconds = |at: Ts| (at.micros() - second(0).micros()) / SECOND;
    timeline(&parts, window, 1).iter().map(|s| (seconds(s.window.from), seconds(s.window.to), s.state)).collect()
}

use SlotState::{Degraded, Down, Unknown, Up};

#[test]
fn a_record_holds_until_the_next_one_of_its_target() {
    let records = [record("a", 0, Up), record("b", 50, Down), record("a", 100, Down), record("a", 5000, Up), record("b", 9000, Up)];
    assert_eq!(line(&records, 10_000, "a", 0, 9000), [(0, 100, Up), (100, 5000, Down), (5000, 9000, Up)]);
    // Nothing is known before the first record, nor after the last one of the monitor.
    assert_eq!(line(&records, 10_000, "b", 0, 9100), [(0, 50, Unknown), (50, 9000, Down), (9000, 9100, Unknown)]);
    let taken = from_records(&records, Duration::from_secs(10_000));
    assert_eq!((taken.n_records, taken.silences.len(), taken.covered["b"]), (5, 0, Window { from: second(50), to: second(9000) }));
    let intervals = taken.hours.iter().filter(|(of, _)| of == "a").flat_map(|(_, part)| &part.intervals);
    let down: Vec<(i64, &str)> = intervals.filter(|i| i.state == Down).map(|i| (i.attempts, i.text.as_str())).collect();
    assert_eq!(down, [(1, "down"), (0, "down"), (0, "down")], "the record stands in the first of the three hours");
    assert_eq!(taken.hours.iter().map(|(_, part)| part.latency.count()).sum::<u64>(), 3, "of the records that are up");
}

#[test]
fn a_silence_of_the_whole_monitor_is_not_known() {
    let records = [record("a", 0, Up), record("b", 10, Up), record("b", 111, Down), record("a", 130, Up), record("b", 140, Down)];
    // Exactly as long as it may be is no silence.
    assert_eq!(line(&records, 101, "a", 0, 140), [(0, 140, Up)]);
    assert_eq!(line(&records, 100, "a", 0, 140), [(0, 10, Up), (10, 130, Unknown), (130, 140, Up)]);
    assert_eq!(line(&records, 100, "b", 10, 140), [(10, 111, Unknown), (111, 140, Down)]);
    assert_eq!(from_records(&records, Duration::from_secs(100)).silences, [Window { from: second(10), to: second(111) }]);
}

#[test]
fn order_does_not_matter_and_of_two_at_one_instant_the_later_holds() {
    let records = [record("a", 100, Down), record("a", 0, Up), record("a", 100, Degraded), record("a", 200, Up)];
    assert_eq!(line(&records, 1000, "a", 0, 200), [(0, 100, Up), (100, 200, Degraded)]);
}

#[test]
fn a_record_that_says_nothing_ends_what_held_and_shows_that_somebody_watched() {
    let records = [record("a", 0, Up), record("a", 100, Unknown), record("b", 190, Up), record("a", 200, Down), record("b", 300, Up)];
    assert_eq!(line(&records, 100, "a", 0, 300), [(0, 100, Up), (100, 200, Unknown), (200, 300, Down)]);
}

#[test]
fn a_wrong_date_makes_no_century_of_hours() {
    let century = 100 * 365 * 86_400;
    let taken = from_records(&[record("a", 0, Up), record("a", 60, Up), record("b", century, Up)], Duration::from_secs(3600));
    assert_eq!(taken.hours.len(), 1);
    assert_eq!(from_records(&[], Duration::from_secs(1)), FromRecords::default());
}

/// By the words of the rule.
fn by_hand(records: &[Record], silence: i64, target: &str, at: i64) -> SlotState {
    let instants = || records.iter().map(|record| (record.at.micros() - second(0).micros()) / SECOND);
    let (before, after) = (instants().filter(|n| *n <= at).max(), instants().filter(|n| *n > at).min());
    let (Some(before), Some(after)) = (before, after) else { return Unknown };
    let own = records.iter().filter(|record| record.target == target && record.at <= second(at)).max_by_key(|record| record.at);
    let Some(own) = own.filter(|_| after - before <= silence) else { return Unknown };
    let mut watched: Vec<i64> = instants().filter(|n| second(*n) >= own.at && *n <= before).collect();
    watched.sort_unstable();
    if watched.windows(2).any(|pair| pair[1] - pair[0] > silence) { Unknown } else { own.state }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn hours_are_what_the_rule_says(
        said in prop::collection::vec((0..3usize, 0i64..12_000, prop::sample::select(vec![Up, Degraded, Down, Unknown])), 0..25),
        silence in 1i64..3000,
    ) {
        let records: Vec<Record> = said.iter().map(|(target, at, state)| record(["a", "b", "c"][*target], *at, *state)).collect();
        let taken = from_records(&records, Duration::from_secs(silence.unsigned_abs()));
        for (_, part) in &taken.hours {
            let Slots { up, degraded, down, unknown } = part.slots;
            prop_assert_eq!(up + degraded + down + unknown, HOUR_MICROS);
            prop_assert!(unknown < HOUR_MICROS);
            let listed = |state| part.intervals.iter().filter(|i| i.state == state).map(|i| i.window.micros()).sum::<i64>();
            prop_assert_eq!((listed(Degraded), listed(Down), listed(Unknown), listed(Up)), (degraded, down, unknown, 0));
            prop_assert!(part.intervals.windows(2).all(|pair| pair[0].window.to <= pair[1].window.from));
        }
        let window = Window { from: second(-3600), to: second(16_000) };
        for target in ["a", "b", "c"] {
            let parts: Vec<HourPart> = taken.hours.iter().filter(|(of, _)| of == target).map(|(_, part)| part.clone()).collect();
            let laid = timeline(&parts, window, 1);
            let sum = tally(&laid);
            prop_assert_eq!(sum.up + sum.degraded + sum.down + sum.maintenance + sum.unknown, window.micros());
            for segment in &laid {
                let seconds = |at: Ts| (at.micros() - second(0).micros()) / SECOND;
                let (from, to) = (seconds(segment.window.from), seconds(segment.window.to));
                // Every second would be a minute of machine time; nothing can change but beside a record.
                let beside = records.iter().flat_map(|record| [seconds(record.at) - 1, seconds(record.at), seconds(record.at) + 1]);
                for at in beside.chain([from, to - 1]).filter(|at| (from..to).contains(at)) {
                    prop_assert_eq!(segment.state, by_hand(&records, silence, target, at), "{} at {}", target, at);
                }
            }
        }
    }
}
