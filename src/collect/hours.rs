//! Hours that a monitor's records give: which of them say something that is not known yet. Pure but for `changed_hours`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{RequestOutcome, Ts, Window};
use crate::rollup::{FromRecords, HOUR_MICROS, HourPart, hour_of};
use crate::store::{Db, HourQuery, HourRow, RequestRecord, StoreError};

/// What became of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HourCounts {
    /// Said for the first time, or otherwise than known so far.
    pub written: usize,
    /// As known.
    pub unchanged: usize,
    /// Otherwise than known from newer evidence, or from a file that holds more of the hour: nothing is written.
    pub superseded: usize,
}

/// The hours of the recorded answers that are to be written.
///
/// # Errors
/// The database.
pub(super) async fn changed_hours(
    db: &Db,
    collector: &str,
    requests: &[RequestRecord],
    watched: &BTreeMap<i32, FromRecords>,
) -> Result<(Vec<(String, HourPart)>, HourCounts), StoreError> {
    let recorded = requests.iter().filter(|one| one.request.outcome == RequestOutcome::Recorded);
    let said = recorded.filter_map(|one| Some((one.request.at, watched.get(&one.request.no)?)));
    let mut said: Vec<(Ts, &FromRecords)> = said.filter(|(_, said)| said.n_records > 0).collect();
    said.sort_by_key(|(at, _)| *at);
    let covered = || said.iter().flat_map(|(_, said)| said.covered.values());
    let (Some(from), Some(to)) = (covered().map(|one| hour_of(one.from)).min(), covered().map(|one| hour_end(hour_of(one.to))).max())
    else {
        return Ok(Default::default());
    };
    let query = HourQuery { collector, target: None, window: Window { from, to }, as_of: Ts::now() };
    let held = db.hours(&query).await?;
    let ages = if held.is_empty() { BTreeMap::new() } else { db.evidence_ages(collector).await? };
    Ok(super::run::aside(|| changed(&said, &held, &ages)))
}

/// Target and hour.
type Key<'a> = (&'a str, Ts);

/// An hour as known so far, or as it is to be written.
struct Known<'a> {
    part: Cow<'a, HourPart>,
    /// How old its evidence is.
    at: Ts,
}

/// What these answers, the oldest first, say otherwise than what is held. What they speak of they say whole: where their
/// records give no state any more, nothing is known any more. An hour of which they hold only a part, at the ends of what
/// they speak of, does not replace one of which more is known because of what lies beside.
fn changed<'a>(said: &[(Ts, &'a FromRecords)], held: &'a [HourRow], ages: &BTreeMap<Ts, Ts>) -> (Vec<(String, HourPart)>, HourCounts) {
    let age = |row: &HourRow| ages.get(&row.due_at).copied().unwrap_or(row.due_at);
    let known = |row: &'a HourRow| Known { part: Cow::Borrowed(&row.part), at: age(row) };
    let mut all: BTreeMap<Key, Known> = held.iter().map(|row| ((row.target.as_str(), row.part.hour), known(row))).collect();
    let mut counts = HourCounts::default();
    for (at, said) in said {
        let hours: BTreeMap<Key, &HourPart> = said.hours.iter().map(|(target, part)| ((target.as_str(), part.hour), part)).collect();
        for (key, part) in forgotten(&all, &hours, said).into_iter().chain(hours.into_iter().map(|(key, part)| (key, Cow::Borrowed(part))))
        {
            match all.get(&key) {
                Some(known) if known.part == part => counts.unchanged += 1,
                Some(known) if known.at > *at || !replaces(&part, said.covered[key.0], &known.part) => counts.superseded += 1,
                Some(_) | None => drop(all.insert(key, Known { part, at: *at })),
            }
        }
    }
    held.iter().for_each(|row| {
        let key = (row.target.as_str(), row.part.hour);
        if all.get(&key).is_some_and(|known| *known.part == row.part) {
            all.remove(&key);
        }
    });
    counts.written = all.len();
    (all.into_iter().map(|((target, _), known)| (target.to_owned(), known.part.into_owned())).collect(), counts)
}

/// Known hours within what an answer speaks of, of which it says nothing any more.
fn forgotten<'a>(
    all: &BTreeMap<Key<'a>, Known<'a>>,
    hours: &BTreeMap<Key, &HourPart>,
    said: &'a FromRecords,
) -> Vec<(Key<'a>, Cow<'a, HourPart>)> {
    let within = said
        .covered
        .iter()
        .flat_map(|(target, window)| all.range((target.as_str(), window.from)..(target.as_str(), window.to.max(window.from))));
    let is_known = |known: &Known| known.part.unknown_micros() < HOUR_MICROS;
    let lost = within.filter(|(key, known)| is_known(known) && !hours.contains_key(*key));
    lost.map(|(key, _)| (*key, Cow::Owned(HourPart::not_known(key.1)))).collect()
}

/// Whether an hour of an answer that speaks of this window takes the place of what is known: not if more is known, and
/// some of it beside what the answer speaks of.
fn replaces(part: &HourPart, covered: Window, known: &HourPart) -> bool {
    let beside = [Window { from: part.hour, to: covered.from }, Window { from: covered.to, to: hour_end(part.hour) }];
    part.unknown_micros() <= known.unknown_micros() || !beside.into_iter().any(|window| known.knows_of(window))
}

fn hour_end(hour: Ts) -> Ts {
    Ts::from_micros(hour.micros() + HOUR_MICROS).unwrap_or(hour)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::SlotState;
    use crate::rollup::{Latency, Record, from_records};

    fn minute(n: i64) -> Ts {
        Ts::from_micros(HOUR_MICROS * 470_000 + n * 60_000_000).expect("an instant of the test")
    }

    /// Records of one target, by minute.
    fn said(records: &[(i64, SlotState)]) -> FromRecords {
        let record = |(at, state): &(i64, SlotState)| Record {
            target: "a".to_owned(),
            at: minute(*at),
            state: *state,
            text: state.to_string(),
            latency: Latency::NONE,
        };
        from_records(&records.iter().map(record).collect::<Vec<_>>(), Duration::from_secs(600_000))
    }

    fn held(said: &FromRecords, due: Ts) -> Vec<HourRow> {
        said.hours.iter().map(|(target, part)| HourRow { target: target.clone(), due_at: due, attempt: 1, part: part.clone() }).collect()
    }

    /// Minutes known in each hour that is written, and the counts.
    fn change(said: &[(Ts, &FromRecords)], held: &[HourRow]) -> (Vec<(i64, i64)>, (usize, usize, usize)) {
        let (hours, counts) = changed(said, held, &BTreeMap::new());
        let known = |part: &HourPart| ((part.hour.micros() - minute(0).micros()) / HOUR_MICROS, 60 - part.unknown_micros() / 60_000_000);
        (hours.iter().map(|(_, part)| known(part)).collect(), (counts.written, counts.unchanged, counts.superseded))
    }

    use SlotState::{Down, Unknown, Up};

    #[test]
    fn only_what_is_new_is_written() {
        let first = said(&[(30, Up), (150, Up)]);
        assert_eq!(change(&[(minute(200), &first)], &[]), (vec![(0, 30), (1, 60), (2, 30)], (3, 0, 0)));
        let rows = held(&first, minute(200));
        assert_eq!(change(&[(minute(300), &first)], &rows), (vec![], (0, 3, 0)));
        // A file that goes on adds what it holds more.
        let longer = said(&[(30, Up), (150, Up), (200, Up)]);
        assert_eq!(change(&[(minute(300), &longer)], &rows), (vec![(2, 60), (3, 20)], (2, 2, 0)));
        // One that begins later does not take away what it does not speak of.
        let later = said(&[(90, Up), (130, Up), (200, Up)]);
        assert_eq!(change(&[(minute(300), &later)], &rows), (vec![(2, 60), (3, 20)], (2, 0, 1)));
        // Nor does it count what stands as its own.
        assert_eq!(change(&[(minute(300), &said(&[(130, Up), (200, Up)]))], &rows), (vec![(2, 50), (3, 20)], (2, 0, 0)));
    }

    #[test]
    fn newer_evidence_restates_and_older_does_not() {
        let (first, other) = (said(&[(0, Up), (180, Up)]), said(&[(0, Up), (60, Down), (180, Up)]));
        let rows = held(&first, minute(200));
        assert_eq!(change(&[(minute(300), &other)], &rows).1, (2, 1, 0));
        assert_eq!(change(&[(minute(100), &other)], &rows).1, (0, 1, 2));
        // Of two answers of one run the newer one holds, whichever comes first.
        assert_eq!(change(&[(minute(300), &other), (minute(301), &first)], &rows).0, []);
        // Read by another rule, the same file restates its ends as well.
        let strict = said(&[(30, Up), (40, Unknown), (160, Up), (170, Up)]);
        let rows = self::held(&said(&[(30, Up), (170, Up)]), minute(200));
        assert_eq!(change(&[(minute(300), &strict)], &rows), (vec![(0, 10), (1, 0), (2, 10)], (3, 0, 0)));
        let rows = held(&first, minute(200));
        // What is not said any more is not known any more.
        let gone = said(&[(0, Up), (60, Unknown), (120, Up), (180, Up)]);
        assert_eq!(change(&[(minute(300), &gone)], &rows), (vec![(1, 0)], (1, 2, 0)));
    }
}
