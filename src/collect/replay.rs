//! Replay: a run read again from its evidence, with the file of then or a repaired one.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::archive::ArchiveError;
use super::hours::{HourCounts, changed_hours};
use super::read::{Answer, Judged, Known, judge_answer};
use super::run::{Conduct, EvidenceCounts, Ran, RunError, Taken, When, Workplace, claim_run, record_run};
use super::settle::settle;
use super::source::Failure;
use super::source::robots::is_robots;
use crate::catalogue::LoadedCollector;
use crate::model::{Period, Reading, Reason, Request, RequestOutcome, RunId, Trigger, Value};
use crate::rollup::FromRecords;
use crate::store::{Db, RequestRecord, StoreError};

/// One request read again.
#[derive(Debug)]
pub struct Replayed {
    /// The request as it was made, with what became of it now.
    pub now: RequestRecord,
    /// What became of it then.
    pub then: RequestOutcome,
    /// What the records of a monitor in it say.
    pub watched: FromRecords,
}

/// Reads every answer of a run again.
///
/// # Errors
/// Our own trouble; evidence that was changed is such.
pub async fn replay(place: &Workplace<'_>, loaded: &LoadedCollector, run: &RunId) -> Result<Vec<Replayed>, RunError> {
    let known = Known::load(place.db, loaded, run.due_at).await?;
    let (mut then, mut now, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for mut request in place.db.requests(run).await? {
        then.push(request.outcome);
        let judged = read_again(place, loaded, &known, &request)?;
        request.outcome = judged.outcome;
        request.reason = judged.failure.as_ref().map(|failure| failure.reason);
        request.error = judged.failure.map(|failure| failure.text).unwrap_or_default();
        watched.push(judged.watched);
        now.push(RequestRecord {
            request,
            findings: judged.findings,
            gates: judged.gates,
            readings: judged.readings,
            shapes: judged.shapes,
        });
    }
    settle(&loaded.collector, &mut now);
    Ok(now.into_iter().zip(then).zip(watched).map(|((now, then), watched)| Replayed { now, then, watched }).collect())
}

/// Reads one recorded answer again.
///
/// # Errors
/// The evidence is gone or was changed.
pub fn read_again(place: &Workplace<'_>, loaded: &LoadedCollector, known: &Known, request: &Request) -> Result<Judged, ArchiveError> {
    match &request.evidence {
        Some(sha256) if is_whole_answer(request) && request.status.is_none_or(|status| accepted(loaded, status)) => {
            let body = place.archive.get(sha256)?;
            let answer = Answer { url: &request.url, body: &body, content_type: &request.content_type };
            Ok(judge_answer(place.settings, place.catalogue, loaded, known, &request.scope, answer))
        }
        Some(_) | None => Ok(Judged::failed(Failure::new(request.reason.unwrap_or(Reason::Internal), request.error.clone()))),
    }
}

/// Whether the evidence is the whole answer. A part of one is kept, but never read: what is missing would not be missed.
/// Nor is a robots.txt that forbade the request an answer to it.
fn is_whole_answer(request: &Request) -> bool {
    use Reason::{Connect, Deadline, OwnNetwork, Protocol, Timeout, TooLarge};
    match request.reason {
        Some(Connect | Timeout | TooLarge | Protocol | OwnNetwork | Deadline) => false,
        Some(_) => !is_robots(&request.url),
        None => true,
    }
}

/// Whether the collector takes answers of this status.
fn accepted(loaded: &LoadedCollector, status: i32) -> bool {
    match &loaded.collector.source {
        super::collector::Source::File(_) | super::collector::Source::Probe(_) => true,
        super::collector::Source::Http(http) if http.expect.status.is_empty() => status == 200,
        super::collector::Source::Http(http) => http.expect.status.iter().any(|expected| i32::from(*expected) == status),
    }
}

/// How one value differs between two readings of the same evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Indicator id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// Item, "" for none.
    pub item: String,
    /// Period.
    pub period: Period,
    /// As recorded; `None` if it was not read then.
    pub then: Option<Value>,
    /// As read now; `None` if it is not read now.
    pub now: Option<Value>,
}

/// What a reading is of: indicator, unit, item, period.
type Key<'a> = (&'a str, &'a str, &'a str, Period);
/// A value then and now.
type Pair = (Option<Value>, Option<Value>);

/// What differs between the readings of then and now, in the order of their keys.
pub fn compare<'a>(then: impl IntoIterator<Item = &'a Reading>, now: impl IntoIterator<Item = &'a Reading>) -> Vec<Difference> {
    let mut pairs: BTreeMap<Key, Pair> = BTreeMap::new();
    for reading in then {
        pairs.entry((&reading.indicator, &reading.unit, &reading.item, reading.period)).or_default().0 = Some(reading.value);
    }
    for reading in now {
        pairs.entry((&reading.indicator, &reading.unit, &reading.item, reading.period)).or_default().1 = Some(reading.value);
    }
    let differing = pairs.into_iter().filter(|(_, (then, now))| then != now);
    let difference = |((indicator, unit, item, period), (then, now)): (Key, Pair)| Difference {
        indicator: indicator.to_owned(),
        unit: unit.to_owned(),
        item: item.to_owned(),
        period,
        then,
        now,
    };
    differing.map(difference).collect()
}

fn apart(replayed: Vec<Replayed>) -> (Vec<RequestRecord>, BTreeMap<i32, FromRecords>) {
    let mut watched = BTreeMap::new();
    let requests = replayed.into_iter().map(|one| {
        watched.insert(one.now.request.no, one.watched);
        one.now
    });
    (requests.collect(), watched)
}

/// What recording the hours that a replay read would change.
///
/// # Errors
/// The database.
pub async fn compare_hours(db: &Db, run: &RunId, replayed: Vec<Replayed>) -> Result<HourCounts, StoreError> {
    let (requests, watched) = apart(replayed);
    Ok(changed_hours(db, &run.collector, &requests, &watched).await?.1)
}

/// Records what a replay read as a run of its own, due now, on the evidence of then. What newer evidence said
/// meanwhile stands: the replayed answers are as old as they are.
///
/// # Errors
/// Our own trouble, or a run of this collector that is due at the very same instant.
pub async fn record(place: &Workplace<'_>, loaded: &LoadedCollector, replayed: Vec<Replayed>, when: When) -> Result<Ran, RunError> {
    let run = RunId { collector: loaded.collector.id.get_ref().clone(), due_at: when.due() };
    let claim = claim_run(place, loaded, &run, Trigger::Replay).await?;
    let (requests, watched) = apart(replayed);
    let taken = Taken { requests, watched, evidence: EvidenceCounts::default(), certificate_until: None };
    record_run(place, &claim, &loaded.collector, when, when.now(), taken, &Conduct::by_hand(&CancellationToken::new())).await
}
