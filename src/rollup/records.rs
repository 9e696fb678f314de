//! Records of another monitor taken over: each holds until its target's next one, but never through a silence of the whole
//! monitor, in which nobody watched.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attempt::Latency;
use super::histogram::Histogram;
use super::hour::{HOUR_MICROS, HourPart, Interval, Slots, hour_of};
use crate::model::{Cause, SlotState, Ts, Window};

/// What a monitor wrote of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of which.
    pub target: String,
    /// When.
    pub at: Ts,
    /// How the target was; `Unknown` if the record does not say.
    pub state: SlotState,
    /// In the monitor's word.
    pub text: String,
    /// How long its answer took; `Latency::NONE` if there was none or nothing is said.
    pub latency: Latency,
}

/// What the records of a monitor say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FromRecords {
    /// How many there were.
    pub n_records: usize,
    /// Hours by target, in order, in slots of a microsecond. Those of which nothing is known are left out.
    pub hours: Vec<(String, HourPart)>,
    /// What they speak of: of each target, from its first record to the last of the whole monitor.
    pub covered: BTreeMap<String, Window>,
    /// Where the whole monitor wrote nothing for longer than it may.
    pub silences: Vec<Window>,
}

/// What is said of the time of a silence.
const SILENT: &str = "the monitor was silent";

/// The hours that records give, which may come in any order. A record holds until the next one of its target, and the last
/// one until the monitor's last. Where the whole monitor wrote nothing for longer than `silence`, from its last record before
/// to its first one after, nothing is known; nor is it afterwards, until a target's own next record. Of two records of one
/// target and instant the later one in the list holds. A record that does not say how the target was ends what held before it.
pub fn from_records(records: &[Record], silence: Duration) -> FromRecords {
    let silences = silences(records, silence);
    let Some(last) = records.iter().map(|record| record.at).max() else { return FromRecords::default() };
    let mut by_target: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    records.iter().for_each(|record| by_target.entry(&record.target).or_default().push(record));
    let (mut hours, mut covered) = (Vec::new(), BTreeMap::new());
    for (target, of_target) in by_target {
        let of_target = in_order(of_target);
        covered.insert(target.to_owned(), Window { from: of_target[0].at, to: last });
        hours.extend(hours_of(&of_target, &silences, last).into_iter().map(|part| (target.to_owned(), part)));
    }
    FromRecords { n_records: records.len(), hours, covered, silences }
}

/// Where the whole monitor wrote nothing for longer than so long.
fn silences(records: &[Record], longest: Duration) -> Vec<Window> {
    let mut instants: Vec<Ts> = records.iter().map(|record| record.at).collect();
    instants.sort_unstable();
    let between = instants.windows(2).map(|pair| Window { from: pair[0], to: pair[1] });
    between.filter(|gap| gap.to.since(gap.from) > longest).collect()
}

/// By instant, each once: the later one of the list.
fn in_order(mut records: Vec<&Record>) -> Vec<&Record> {
    records.reverse();
    records.sort_by_key(|record| record.at);
    records.dedup_by_key(|record| record.at);
    records
}

/// A stretch of one state.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a> {
    window: Window,
    state: SlotState,
    text: &'a str,
    /// Records in it.
    n_records: i64,
}

fn hours_of(records: &[&Record], silences: &[Window], last: Ts) -> Vec<HourPart> {
    let mut by_hour: BTreeMap<Ts, (Vec<Stretch>, Histogram)> = BTreeMap::new();
    for (record, next) in records.iter().zip(records[1..].iter().map(|next| next.at).chain([last])) {
        if matches!(record.state, SlotState::Up | SlotState::Degraded) && record.latency != Latency::NONE {
            by_hour.entry(hour_of(record.at)).or_default().1.add(record.latency);
        }
        for stretch in hold(record, next, silences) {
            split(stretch, |hour, piece| by_hour.entry(hour).or_default().0.push(piece));
        }
    }
    by_hour.into_iter().filter_map(|(hour, (stretches, latency))| fold(hour, &stretches, latency)).collect()
}

/// What a record says up to its target's next one: what it found, and nothing from the next silence on.
fn hold<'a>(record: &'a Record, next: Ts, silences: &[Window]) -> [Stretch<'a>; 2] {
    let after = silences.partition_point(|silence| silence.from < record.at);
    let held_until = silences.get(after).map_or(next, |silence| silence.from.min(next));
    let held = Window { from: record.at, to: held_until };
    let rest = Window { from: held_until, to: next };
    [
        Stretch { window: held, state: record.state, text: &record.text, n_records: 1 },
        Stretch { window: rest, state: SlotState::Unknown, text: SILENT, n_records: 0 },
    ]
}

/// Cuts a stretch at the hours. Of what is not known only the ends matter: an hour of nothing else is left out anyway, and
/// one wrong date must not make a century of them.
fn split<'a>(stretch: Stretch<'a>, mut take: impl FnMut(Ts, Stretch<'a>)) {
    let Window { mut from, to } = stretch.window;
    let mut n_records = stretch.n_records;
    while from < to {
        let hour = hour_of(from);
        let window = Window { from, to: hour_end(hour).min(to) };
        take(hour, Stretch { window, n_records: std::mem::take(&mut n_records), ..stretch });
        from = match stretch.state {
            SlotState::Unknown | SlotState::Maintenance => window.to.max(hour_of(to)),
            SlotState::Up | SlotState::Degraded | SlotState::Down => window.to,
        };
    }
}

fn hour_end(hour: Ts) -> Ts {
    Ts::from_micros(hour.micros() + HOUR_MICROS).unwrap_or(hour)
}

/// An hour of its stretches, in order; what none of them holds is not known. `None` if nothing is.
fn fold(hour: Ts, stretches: &[Stretch], latency: Histogram) -> Option<HourPart> {
    let mut part = HourPart { hour, slot_micros: 1, slots: Slots::default(), latency, certificate_until: None, intervals: Vec::new() };
    let mut until = hour;
    let unseen = |window| Stretch { window, state: SlotState::Unknown, text: "", n_records: 0 };
    for stretch in stretches {
        put(&mut part, unseen(Window { from: until, to: stretch.window.from }));
        put(&mut part, *stretch);
        until = stretch.window.to;
    }
    put(&mut part, unseen(Window { from: until, to: hour_end(hour) }));
    (part.slots.unknown < HOUR_MICROS).then_some(part)
}

fn put(part: &mut HourPart, stretch: Stretch) {
    let Stretch { window, state, text, n_records } = stretch;
    let micros = window.micros();
    match state {
        _ if micros == 0 => return,
        SlotState::Up => part.slots.up += micros,
        SlotState::Degraded => part.slots.degraded += micros,
        SlotState::Down => part.slots.down += micros,
        // Whether it was announced in time only the register says.
        SlotState::Unknown | SlotState::Maintenance => part.slots.unknown += micros,
    }
    if state == SlotState::Up {
        return;
    }
    match part.intervals.last_mut().filter(|last| (last.window.to, last.state, last.text.as_str()) == (window.from, state, text)) {
        Some(last) => {
            last.window.to = window.to;
            last.attempts += n_records;
        }
        None => part.intervals.push(Interval { window, state, cause: Cause::default(), attempts: n_records, text: text.to_owned() }),
    }
}

impl HourPart {
    /// An hour of a monitor's records of which nothing is known.
    pub fn not_known(hour: Ts) -> HourPart {
        let whole = Window { from: hour, to: hour_end(hour) };
        let slots = Slots { unknown: HOUR_MICROS, ..Slots::default() };
        let interval = Interval { window: whole, state: SlotState::Unknown, cause: Cause::default(), attempts: 0, text: String::new() };
        HourPart { hour, slot_micros: 1, slots, latency: Histogram::default(), certificate_until: None, intervals: vec![interval] }
    }

    /// Whether anything is known of a part of it.
    pub fn knows_of(&self, window: Window) -> bool {
        let Some(window) = window.overlap(Window { from: self.hour, to: hour_end(self.hour) }) else { return false };
        let unknown = self.intervals.iter().filter(|interval| interval.state == SlotState::Unknown);
        unknown.filter_map(|interval| interval.window.overlap(window)).map(Window::micros).sum::<i64>() < window.micros()
    }

    /// Time of it of which nothing is known, in microseconds.
    pub fn unknown_micros(&self) -> i64 {
        self.slots.unknown.saturating_mul(self.slot_micros)
    }
}

#[cfg(test)]
mod tests;
