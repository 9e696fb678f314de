//! How old the collectors' newest records are: a score rests on them, and an old one says so.

use std::collections::BTreeSet;

use chrono::Duration;

use super::output::say;
use crate::catalogue::Catalogue;
use crate::model::{Observation, RunState, Trigger, Ts};
use crate::store::Db;

/// So many runs are looked back for one that recorded something.
const LOOKED_BACK: i64 = 1000;

/// Says for every collector whose values were used when it last recorded, and which are stale at `as_of`.
///
/// # Errors
/// The database.
pub async fn say_freshness(catalogue: &Catalogue, used: &[Observation], as_of: Ts, db: &Db) -> anyhow::Result<()> {
    let collectors: BTreeSet<&str> = used.iter().map(|seen| seen.collector.as_str()).collect();
    for id in collectors {
        let runs = db.runs(Some(id), LOOKED_BACK).await?;
        let newest = runs.iter().find(|run| {
            run.run.due_at <= as_of && run.trigger != Trigger::Replay && matches!(run.state, RunState::Recorded | RunState::Partial)
        });
        let Some(newest) = newest else { continue };
        let limit = catalogue.collectors.get(id).and_then(|loaded| loaded.collector.schedule.stale_after);
        let limit = limit.and_then(|span| Duration::from_std(span.0).ok());
        let age = as_of.utc() - newest.run.due_at.utc();
        let stale = if limit.is_some_and(|limit| age > limit) { "  STALE" } else { "" };
        say!("{id}: last recorded {}{stale}", newest.run.due_at);
    }
    Ok(())
}
