//! Versions of observations: what a run saw becomes a later row where it differs, and a later check everywhere.

use std::collections::{BTreeMap, HashMap};

use sqlx::QueryBuilder;

use super::series::{SeriesKey, series_ids};
use super::types::{text, value};
use super::{Claim, ROWS_PER_INSERT, Recorded, Tx, on};
use crate::model::{Exact, Period, Reading, Request, Ts, Value};

/// What a run saw of one series and period.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub value: Value,
    pub flag: String,
    /// The first request that said so.
    pub request: i32,
    /// When the last request that said so was made.
    pub at: Ts,
}

impl Seen {
    pub fn of(reading: &Reading, request: &Request) -> Seen {
        Seen { value: reading.value, flag: text(&reading.flag).into_owned(), request: request.no, at: request.at }
    }

    /// Whether it says the same: the source's remark is part of what it says.
    pub fn says_as(&self, value: Value, flag: &str) -> bool {
        self.value == value && self.flag == flag
    }
}

/// Which series and which period: with the time, the key of an observation.
type Key = (i64, Period);

/// The newest version known of a series and period.
struct Latest {
    recorded_at: Ts,
    last_checked: Ts,
    value: Value,
    flag: String,
}

/// Adds the versions that are new, moves every check, and counts.
pub(super) async fn observe(
    tx: &mut Tx,
    claim: &Claim,
    trusted: BTreeMap<(SeriesKey, Period), Seen>,
    now: Ts,
) -> Result<Recorded, sqlx::Error> {
    let ids = series_ids(tx, &claim.run.collector, trusted.keys().map(|(key, _)| key).collect()).await?;
    let mut seen: Vec<(Key, Seen)> = trusted.into_iter().map(|((key, period), seen)| ((ids[&key], period), seen)).collect();
    // In the order of the tables' keys, so that neighbours are written together.
    seen.sort_unstable_by_key(|(key, _)| *key);
    let mut latest = HashMap::new();
    for chunk in seen.chunks(ROWS_PER_INSERT) {
        latest.extend(latest_of(tx, chunk).await?);
    }
    let (versions, counts) = changes(&seen, &latest, now);
    for chunk in versions.chunks(ROWS_PER_INSERT) {
        insert_versions(tx, claim, chunk).await?;
    }
    for chunk in seen.chunks(ROWS_PER_INSERT) {
        move_checks(tx, claim, chunk).await?;
    }
    Ok(counts)
}

/// The versions to add, each with its time, and the counts.
fn changes<'a>(seen: &'a [(Key, Seen)], latest: &HashMap<Key, Latest>, now: Ts) -> (Vec<(Key, Ts, &'a Seen)>, Recorded) {
    let mut versions = Vec::new();
    let mut counts = Recorded::default();
    for (key, seen) in seen {
        match latest.get(key) {
            None => {
                counts.observations_new += 1;
                versions.push((*key, now, seen));
            }
            Some(latest) if seen.says_as(latest.value, &latest.flag) => counts.observations_unchanged += 1,
            // Older evidence (an export taken late, a replayed run) says what was, not what is: it restates nothing.
            Some(latest) if seen.at < latest.last_checked => counts.superseded += 1,
            Some(latest) => {
                counts.observations_restated += 1;
                versions.push((*key, now.max(just_after(latest.recorded_at)), seen));
            }
        }
    }
    (versions, counts)
}

/// A later version is later even if the clock was set back between the two.
pub(super) fn just_after(time: Ts) -> Ts {
    Ts::from_micros(time.micros() + 1).expect("an instant that a clock has shown is far from the end of time")
}

async fn latest_of(tx: &mut Tx, seen: &[(Key, Seen)]) -> Result<Vec<(Key, Latest)>, sqlx::Error> {
    // Each key is to be looked up, whatever the planner guesses: PostgreSQL would rather walk a table of 100 000 rows for
    // every batch (35 ms instead of 2), SQLite too without `cross join`, and only PostgreSQL knows `lateral`.
    const LATEST_SQLITE: &str = ")
        select o.series, o.period, o.recorded_at, c.last_checked, o.value, o.flag
        from wanted w cross join observation o left join checked c on c.series = o.series and c.period = o.period
        where o.series = w.series and o.period = w.period and o.recorded_at =
            (select max(v.recorded_at) from observation v where v.series = w.series and v.period = w.period)";
    const LATEST_POSTGRES: &str = ")
        select o.series, o.period, o.recorded_at, c.last_checked, o.value, o.flag
        from wanted w cross join lateral
            (select * from observation v where v.series = w.series and v.period = w.period order by v.recorded_at desc limit 1) o
            left join checked c on c.series = o.series and c.period = o.period";
    let latest_sql = match tx {
        Tx::Sqlite(_) => LATEST_SQLITE,
        Tx::Postgres(_) => LATEST_POSTGRES,
    };
    type Columns = (i64, Period, Ts, Option<Ts>, Option<Exact>, String);
    let rows: Vec<Columns> = on!(tx, |tx| {
        let mut sql = QueryBuilder::new("with wanted (series, period) as (");
        sql.push_values(seen, |mut row, ((series, period), _)| {
            row.push_bind(*series).push_bind(*period);
        });
        sql.push(latest_sql).build_query_as().fetch_all(&mut **tx).await?
    });
    let latest = |(series, period, recorded_at, checked, number, flag): Columns| {
        ((series, period), Latest { recorded_at, last_checked: checked.unwrap_or(recorded_at), value: value(number), flag })
    };
    Ok(rows.into_iter().map(latest).collect())
}

async fn insert_versions(tx: &mut Tx, claim: &Claim, versions: &[(Key, Ts, &Seen)]) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into observation (series, period, recorded_at, value, flag, due_at, request) ";
    on!(tx, |tx| {
        let mut sql = QueryBuilder::new(SQL);
        sql.push_values(versions, |mut row, ((series, period), recorded_at, seen)| {
            row.push_bind(*series).push_bind(*period).push_bind(*recorded_at).push_bind(seen.value.number());
            row.push_bind(&seen.flag).push_bind(claim.run.due_at).push_bind(seen.request);
        });
        sql.build().execute(&mut **tx).await.map(drop)
    })
}

async fn move_checks(tx: &mut Tx, claim: &Claim, seen: &[(Key, Seen)]) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into checked (series, period, last_checked, due_at) ";
    const NEVER_BACK: &str = " on conflict (series, period) do update
        set last_checked = excluded.last_checked, due_at = excluded.due_at
        where checked.last_checked < excluded.last_checked";
    on!(tx, |tx| {
        let mut sql = QueryBuilder::new(SQL);
        sql.push_values(seen, |mut row, ((series, period), seen)| {
            row.push_bind(*series).push_bind(*period).push_bind(seen.at).push_bind(claim.run.due_at);
        });
        sql.push(NEVER_BACK).build().execute(&mut **tx).await.map(drop)
    })
}
