//! Again: what is stored of a probe's hours and days, computed once more from the evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::close::{Ground, hour_before, window_of};
use super::seal::{SealError, roll_up_again};
use crate::collect::archive::Archive;
use crate::model::{Period, Ts, Window};
use crate::rollup::{DayRow, HourPart};
use crate::store::{Db, HourQuery, HourRow, StoreError};

/// What came of computing a stretch of time again.
#[derive(Debug, Default, Serialize)]
pub struct Again {
    /// Evidence objects that were read.
    pub evidence: usize,
    /// Hours of targets that are stored, each once for every attempt.
    pub hours: usize,
    /// Closed days of targets that are stored.
    pub days: usize,
    /// What is not as it is stored, in words.
    pub differences: Vec<String>,
    /// The closed days as they are now.
    #[serde(skip)]
    pub days_now: Vec<(String, DayRow)>,
}

/// Why it cannot be computed again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The evidence is gone, was changed, or is no hour.
    #[error("hour {hour}: {source}")]
    Evidence {
        /// Which hour.
        hour: Ts,
        /// Why.
        source: SealError,
    },
}

/// Computes the hours of a window again from their evidence, and its closed days from the hours.
///
/// # Errors
/// `AgainError`.
pub async fn again(
    db: &Db,
    archive: &Archive,
    collector: &str,
    window: Window,
    days: &[Period],
    ground: &Ground<'_>,
) -> Result<Again, AgainError> {
    let mut again = Again::default();
    let query = HourQuery { collector, target: None, window, as_of: Ts::now() };
    let stored = db.hours(&query).await?;
    again.hours = stored.len();
    let mut by_attempt: BTreeMap<(Ts, i32), BTreeMap<String, HourPart>> = BTreeMap::new();
    for HourRow { target, due_at, attempt, part } in stored {
        by_attempt.entry((due_at, attempt)).or_default().insert(target, part);
    }
    for (due_at, attempt, sha256) in db.hour_evidence(collector, window).await? {
        // An attempt that only restated days has no hours of its own.
        let Some(then) = by_attempt.remove(&(due_at, attempt)) else { continue };
        let wrong = |source| AgainError::Evidence { hour: due_at, source };
        let body = archive.get(&sha256).map_err(|error| wrong(error.into()))?;
        let (_, now) = roll_up_again(&body).map_err(wrong)?;
        again.evidence += 1;
        differing(due_at, then, now.into_iter().collect(), &mut again.differences);
    }
    again
        .differences
        .extend(by_attempt.keys().map(|(hour, attempt)| format!("hour {hour}, attempt {attempt}: its evidence is not listed")));
    for day in days {
        again_day(db, collector, *day, ground, &mut again).await?;
    }
    Ok(again)
}

fn differing(hour: Ts, mut then: BTreeMap<String, HourPart>, now: BTreeMap<String, HourPart>, into: &mut Vec<String>) {
    for (target, now) in now {
        match then.remove(&target) {
            Some(then) if then == now => {}
            Some(then) => into.push(format!("hour {hour}, {target}: {:?} stored, {:?} computed", then.slots, now.slots)),
            None => into.push(format!("hour {hour}, {target}: not stored")),
        }
    }
    into.extend(then.keys().map(|target| format!("hour {hour}, {target}: stored, and not in the evidence")));
}

async fn again_day(db: &Db, collector: &str, day: Period, ground: &Ground<'_>, again: &mut Again) -> Result<(), AgainError> {
    let mut stored: BTreeMap<String, DayRow> = db.days(collector, day, day).await?.into_iter().collect();
    let window = Window { from: hour_before(day).from, to: window_of(day).to };
    let mut hours: BTreeMap<String, Vec<HourPart>> = BTreeMap::new();
    for row in db.hours(&HourQuery { collector, target: None, window, as_of: Ts::now() }).await? {
        hours.entry(row.target).or_default().push(row.part);
    }
    let is_watched = hours.values().flatten().any(|part| window_of(day).from <= part.hour);
    if stored.is_empty() && !is_watched {
        return Ok(());
    }
    let now = ground.close(day, &hours);
    again.days += stored.len();
    for (target, row) in &now {
        if stored.get(target) != Some(row) {
            again.differences.push(format!(
                "day {day}, {target}: {:?} stored, {:?} computed",
                stored.get(target).map(|row| row.tally),
                row.tally
            ));
        }
    }
    now.iter().for_each(|(target, _)| drop(stored.remove(target)));
    again.differences.extend(stored.keys().map(|target| format!("day {day}, {target}: stored, and not to be watched")));
    again.days_now.extend(now);
    Ok(())
}
