//! Availability: the hours of what is watched, what was not up in them, and closed days.

use std::collections::{BTreeMap, HashMap};

use sqlx::QueryBuilder;

use super::types::text;
use super::{Claim, Db, ROWS_PER_INSERT, StoreError, Tx, on};
use crate::model::{Cause, Period, Phase, Reason, RunId, Sha256, SlotState, Ts, Window};
use crate::rollup::{DayRow, Histogram, HourPart, Interval, Slots};

/// An hour of one target, and which attempt of which run brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourRow {
    /// What was watched: a portal, or `PORTAL@ipv6`.
    pub target: String,
    /// The run.
    pub due_at: Ts,
    /// Its attempt.
    pub attempt: i32,
    /// What was seen.
    pub part: HourPart,
}

/// Which hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourQuery<'a> {
    /// Who watched.
    pub collector: &'a str,
    /// Only this target; `None` for all.
    pub target: Option<&'a str>,
    /// Hours that begin in it.
    pub window: Window,
    /// Later records do not count.
    pub as_of: Ts,
}

type HourColumns = (String, Ts, Ts, i32, i64, i64, i64, i64, i64, Vec<u8>, Option<Ts>);
type IntervalColumns = (String, Ts, Ts, i32, Ts, SlotState, Option<Phase>, Option<Reason>, i64, String);
type DayColumns = (String, Period, i64, i64, i64, i64, i64, i64, Vec<u8>, Option<Ts>);

impl Db {
    /// The hours of a query with everything that was not up in them, by target, hour and attempt. Where several runs brought
    /// one hour (records that were taken over again), only those of the newest run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hours(&self, query: &HourQuery<'_>) -> Result<Vec<HourRow>, StoreError> {
        const HOURS: &str = "
            select t.target, h.hour, h.due_at, h.attempt, h.slot_micros, h.n_up, h.n_degraded, h.n_down, h.n_unknown, h.latency,
                h.certificate_until
            from target t cross join availability_hour h
            where t.collector = $1 and (cast($2 as text) is null or t.target = $2)
                and h.target = t.id and h.hour >= $3 and h.hour < $4 and h.recorded_at <= $5
            order by t.target, h.hour, h.due_at, h.attempt";
        const INTERVALS: &str = "
            select t.target, i.from_at, i.due_at, i.attempt, i.to_at, i.state, i.phase, i.reason, i.n_attempts, i.text
            from target t cross join availability_interval i
            where t.collector = $1 and (cast($2 as text) is null or t.target = $2)
                and i.target = t.id and i.from_at >= $3 and i.from_at < $4
            order by t.target, i.from_at";
        let read = async {
            let (window, pool) = (query.window, self.reader());
            on!(pool, |pool| {
                let hours = sqlx::query_as(HOURS).bind(query.collector).bind(query.target).bind(window.from).bind(window.to);
                let hours: Vec<HourColumns> = hours.bind(query.as_of).fetch_all(pool).await?;
                let intervals = sqlx::query_as(INTERVALS).bind(query.collector).bind(query.target).bind(window.from).bind(window.to);
                let intervals: Vec<IntervalColumns> = intervals.fetch_all(pool).await?;
                Ok((hours, intervals))
            })
        };
        let (hours, intervals) = read.await.map_err(StoreError::while_doing(format!("read the hours of {}", query.collector)))?;
        Ok(put_together(hours, intervals))
    }

    /// Whether an attempt of a run brought this evidence already: what was sealed twice is recorded once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_evidence(&self, run: &RunId, evidence: &Sha256) -> Result<bool, StoreError> {
        const SQL: &str = "select count(*) from request where collector = $1 and due_at = $2 and evidence = $3";
        let n: Result<i64, _> =
            on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(&run.collector).bind(run.due_at).bind(evidence).fetch_one(pool).await);
        Ok(n.map_err(StoreError::while_doing(format!("look for evidence {evidence} of run {run}")))? > 0)
    }

    /// How new the newest recorded evidence of each run of a collector is, by due instant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn evidence_ages(&self, collector: &str) -> Result<BTreeMap<Ts, Ts>, StoreError> {
        const SQL: &str = "select due_at, max(at) from request where collector = $1 and outcome = 'recorded' group by due_at";
        let rows: Result<Vec<(Ts, Ts)>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing(format!("read how new the evidence of {collector} is")))?.into_iter().collect())
    }

    /// The evidence of every attempt at the hours of a probe that are due in a window, by hour and attempt.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hour_evidence(&self, collector: &str, window: Window) -> Result<Vec<(Ts, i32, Sha256)>, StoreError> {
        const SQL: &str = "
            select due_at, attempt, evidence from request
            where collector = $1 and due_at >= $2 and due_at < $3 and evidence is not null order by due_at, attempt, no";
        let rows =
            on!(self.reader(), |pool| { sqlx::query_as(SQL).bind(collector).bind(window.from).bind(window.to).fetch_all(pool).await });
        rows.map_err(StoreError::while_doing(format!("list the evidence of {collector}")))
    }

    /// The oldest hour that a collector watched anything in; `None` before the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn oldest_hour(&self, collector: &str) -> Result<Option<Ts>, StoreError> {
        // One look into the index for each target.
        const SQL: &str = "
            select min(f.hour) from (
                select (select min(h.hour) from availability_hour h where h.target = t.id) as hour from target t where t.collector = $1) f";
        let hour = on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(collector).fetch_one(pool).await);
        hour.map_err(StoreError::while_doing(format!("look for the oldest hour of {collector}")))
    }

    /// The newest day of a stretch that is closed; `None` if none is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_day(&self, collector: &str, first: Period, last: Period) -> Result<Option<Period>, StoreError> {
        const SQL: &str = "
            select max(d.day) from target t cross join availability_day d
            where t.collector = $1 and d.target = t.id and d.day >= $2 and d.day <= $3";
        let day = on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(collector).bind(first).bind(last).fetch_one(pool).await);
        day.map_err(StoreError::while_doing(format!("look for the newest day of {collector}")))
    }

    /// Closed days of everything that a collector watches, from a day to a day, both with; by target and day.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn days(&self, collector: &str, first: Period, last: Period) -> Result<Vec<(String, DayRow)>, StoreError> {
        const SQL: &str = "
            select t.target, d.day, d.up, d.degraded, d.down, d.maintenance, d.unknown, d.n_outages, d.latency, d.certificate_until
            from target t cross join availability_day d
            where t.collector = $1 and d.target = t.id and d.day >= $2 and d.day <= $3
            order by t.target, d.day";
        let rows: Result<Vec<DayColumns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).bind(first).bind(last).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read the days of {collector}")))?;
        Ok(rows.into_iter().map(day).collect())
    }
}

fn day(columns: DayColumns) -> (String, DayRow) {
    let (target, day, up, degraded, down, maintenance, unknown, outages, latency, certificate_until) = columns;
    let tally = crate::rollup::Tally { up, degraded, down, maintenance, unknown };
    // Bytes that are no histogram were not written by us; the figures beside them stand.
    let latency = Histogram::from_bytes(&latency).unwrap_or_default();
    (target, DayRow { day, tally, outages, latency, certificate_until })
}

/// Hours with their intervals; of several runs for one hour of a target, the newest.
fn put_together(hours: Vec<HourColumns>, intervals: Vec<IntervalColumns>) -> Vec<HourRow> {
    let mut by_part: HashMap<(String, Ts, i32, Ts), Vec<Interval>> = HashMap::new();
    for (target, from, due_at, attempt, to, state, phase, reason, attempts, text) in intervals {
        let interval = Interval { window: Window { from, to }, state, cause: Cause { phase, reason }, attempts, text };
        by_part.entry((target, due_at, attempt, crate::rollup::hour_of(from))).or_default().push(interval);
    }
    let newest: BTreeMap<(String, Ts), Ts> = hours.iter().map(|h| ((h.0.clone(), h.1), h.2)).collect();
    let mut rows = Vec::with_capacity(hours.len());
    for (target, hour, due_at, attempt, slot_micros, up, degraded, down, unknown, latency, certificate_until) in hours {
        if newest.get(&(target.clone(), hour)) != Some(&due_at) {
            continue;
        }
        let intervals = by_part.remove(&(target.clone(), due_at, attempt, hour)).unwrap_or_default();
        let latency = Histogram::from_bytes(&latency).unwrap_or_default();
        let slots = Slots { up, degraded, down, unknown };
        let part = HourPart { hour, slot_micros, slots, latency, certificate_until, intervals };
        rows.push(HourRow { target, due_at, attempt, part });
    }
    rows
}

/// Keeps the hours that an attempt brought.
pub(super) async fn insert_hours(tx: &mut Tx, claim: &Claim, hours: &[(String, HourPart)], now: Ts) -> Result<(), sqlx::Error> {
    let ids = target_ids(tx, &claim.run.collector, hours.iter().map(|(target, _)| target.as_str())).await?;
    const HOUR: &str = "insert into availability_hour (target, hour, due_at, attempt, recorded_at, slot_micros, n_up, n_degraded, n_down,
        n_unknown, latency, certificate_until) ";
    for chunk in hours.chunks(ROWS_PER_INSERT) {
        on!(&mut *tx, |tx| {
            let mut sql = QueryBuilder::new(HOUR);
            sql.push_values(chunk, |mut row, (target, part)| {
                row.push_bind(ids[target.as_str()])
                    .push_bind(part.hour)
                    .push_bind(claim.run.due_at)
                    .push_bind(claim.attempt)
                    .push_bind(now);
                let Slots { up, degraded, down, unknown } = part.slots;
                row.push_bind(part.slot_micros).push_bind(up).push_bind(degraded).push_bind(down).push_bind(unknown);
                row.push_bind(part.latency.to_bytes()).push_bind(part.certificate_until);
            });
            sql.build().execute(&mut **tx).await?;
        });
    }
    let intervals: Vec<(i64, &Interval)> =
        hours.iter().flat_map(|(target, part)| part.intervals.iter().map(|interval| (ids[target.as_str()], interval))).collect();
    insert_intervals(tx, claim, &intervals).await
}

async fn insert_intervals(tx: &mut Tx, claim: &Claim, intervals: &[(i64, &Interval)]) -> Result<(), sqlx::Error> {
    const SQL: &str =
        "insert into availability_interval (target, from_at, due_at, attempt, to_at, state, phase, reason, n_attempts, text) ";
    for chunk in intervals.chunks(ROWS_PER_INSERT) {
        on!(&mut *tx, |tx| {
            let mut sql = QueryBuilder::new(SQL);
            sql.push_values(chunk, |mut row, (target, interval)| {
                row.push_bind(*target).push_bind(interval.window.from).push_bind(claim.run.due_at).push_bind(claim.attempt);
                row.push_bind(interval.window.to).push_bind(interval.state).push_bind(interval.cause.phase);
                row.push_bind(interval.cause.reason).push_bind(interval.attempts).push_bind(text(&interval.text));
            });
            sql.build().execute(&mut **tx).await?;
        });
    }
    Ok(())
}

/// Keeps closed days; a day that was kept before is replaced.
pub(super) async fn put_days(tx: &mut Tx, collector: &str, days: &[(String, DayRow)]) -> Result<(), sqlx::Error> {
    let ids = target_ids(tx, collector, days.iter().map(|(target, _)| target.as_str())).await?;
    const INSERT: &str =
        "insert into availability_day (target, day, up, degraded, down, maintenance, unknown, n_outages, latency, certificate_until) ";
    const REPLACE: &str = " on conflict (target, day) do update set up = excluded.up, degraded = excluded.degraded, down = excluded.down,
        maintenance = excluded.maintenance, unknown = excluded.unknown, n_outages = excluded.n_outages, latency = excluded.latency,
        certificate_until = excluded.certificate_until";
    for chunk in days.chunks(ROWS_PER_INSERT) {
        on!(&mut *tx, |tx| {
            let mut sql = QueryBuilder::new(INSERT);
            sql.push_values(chunk, |mut row, (target, day)| {
                let tally = day.tally;
                row.push_bind(ids[target.as_str()]).push_bind(day.day).push_bind(tally.up).push_bind(tally.degraded);
                row.push_bind(tally.down).push_bind(tally.maintenance).push_bind(tally.unknown).push_bind(day.outages);
                row.push_bind(day.latency.to_bytes()).push_bind(day.certificate_until);
            });
            sql.push(REPLACE).build().execute(&mut **tx).await?;
        });
    }
    Ok(())
}

/// The ids of targets; new ones get one. The caller holds the collector's lock.
async fn target_ids<'a>(tx: &mut Tx, collector: &str, targets: impl Iterator<Item = &'a str>) -> Result<HashMap<String, i64>, sqlx::Error> {
    const KNOWN: &str = "select target, id from target where collector = $1";
    const NEW: &str = "insert into target (collector, target) ";
    let known: Vec<(String, i64)> = on!(&mut *tx, |tx| sqlx::query_as(KNOWN).bind(collector).fetch_all(&mut **tx).await?);
    let mut ids: HashMap<String, i64> = known.into_iter().collect();
    let new: std::collections::BTreeSet<&str> = targets.filter(|target| !ids.contains_key(*target)).collect();
    for chunk in new.into_iter().collect::<Vec<_>>().chunks(ROWS_PER_INSERT) {
        let made: Vec<(String, i64)> = on!(&mut *tx, |tx| {
            let mut sql = QueryBuilder::new(NEW);
            sql.push_values(chunk, |mut row, target| {
                row.push_bind(collector).push_bind(*target);
            });
            sql.push(" returning target, id").build_query_as().fetch_all(&mut **tx).await?
        });
        ids.extend(made);
    }
    Ok(ids)
}
