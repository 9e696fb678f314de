//! Hours: what was spooled and is not written to any more is sealed, rolled up and recorded; also what a crash left behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::service::Operation;
use super::{Live, Service};
use crate::catalogue::LoadedCollector;
use crate::collect::bench::aside;
use crate::collect::collector::Source;
use crate::collect::run::chain;
use crate::collect::watch::close::{day_of, hour_before, window_of};
use crate::collect::watch::seal::{MEDIA_TYPE, SealError};
use crate::collect::watch::spool::{Left, left};
use crate::collect::watch::{Ground, Sealed, seal};
use crate::model::{Period, PeriodKind, Reading, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts, Window};
use crate::rollup::{DayRow, HourPart};
use crate::store::{Claim, Db, HourQuery, KnownSince, Recorded, RequestRecord, RunRecord, StoreError, Terms, Watched};

/// How often the spool is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After trouble, and again after more of it, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Closing days and recording an hour takes far less.
const CLAIM: Duration = Duration::from_secs(180);
/// For so long a copy records hours of a collector; it is extended with every hour.
const TURN: Duration = Duration::from_secs(120);
/// Days that are closed at once after nobody watched for long; what is older was not watched, and counts as such.
const MOST_DAYS: u64 = 400;

/// Why an hour waits.
#[derive(Debug, thiserror::Error)]
pub enum HourError {
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive does not take it, or the spool is broken.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The spool cannot be read or tidied up.
    #[error("the spool: {0}")]
    Spool(#[from] std::io::Error),
}

/// Records hours as they end, until the service stops. What cannot be recorded stays on this machine's disk and waits.
pub async fn run(service: Arc<Service>, recorded: tokio::sync::mpsc::Sender<String>) {
    let mut wait = LOOK_EVERY;
    loop {
        tokio::select! {
            () = service.stopping.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = match record_left(&service, &recorded).await {
            Ok(()) => LOOK_EVERY,
            Err(error) => {
                tracing::error!(error = %chain(&error), "an hour of probes is not recorded yet; it waits in {}", service.settings.spool.display());
                if wait == LOOK_EVERY { FIRST_WAIT * 2 } else { (wait * 2).min(LONGEST_WAIT) }
            }
        };
    }
}

/// Records everything that was left, oldest first; what cannot be recorded stays.
///
/// # Errors
/// The spool, the archive or the database.
pub async fn record_left(service: &Arc<Service>, recorded: &tokio::sync::mpsc::Sender<String>) -> Result<(), HourError> {
    let spool = service.settings.spool.clone();
    let (all, wrong) = aside(|| left(&spool))?;
    let mut first = wrong.into_iter().next().map(HourError::from);
    for left in all {
        let collector = left.head.collector.clone();
        match record(service, left).await {
            // Scoring looks at the store by itself; a full channel means that it has been told.
            Ok(()) => drop(recorded.try_send(collector)),
            // A database that is away takes none of the others either.
            Err(HourError::Store(error)) if error.passes() => return Err(error.into()),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    first.map_or(Ok(()), Err)
}

/// The story of one hour: keep its attempts as evidence, roll them up, record, and only then remove them from the spool.
async fn record(service: &Arc<Service>, left: Left) -> Result<(), HourError> {
    let run = RunId { collector: left.head.collector.clone(), due_at: left.head.hour };
    let sealed = aside(|| seal(&left, &service.archive))?;
    if sealed.attempts == 0 || service.stored(Operation::Read, service.db.has_evidence(&run, &sealed.kept.sha256)).await? {
        // Nothing was seen, or the commit took effect and its answer was lost.
        return Ok(aside(|| left.remove())?);
    }
    // Not one of the scheduler's owners, which takes back what its workers are not at work on.
    let owner = format!("hours@{}", service.owner);
    let now = Ts::now();
    let spec = Sha256::from_hex(&left.head.spec).unwrap_or_else(|| Sha256::of(b""));
    let live = service.live();
    let loaded = live.catalogue.collectors.get(&run.collector);
    let text = Some(left.head.text.as_str()).filter(|text| Sha256::of(text.as_bytes()) == spec);
    let terms = Terms { owner: &owner, now, until: now.plus(CLAIM), spec: (&spec, text) };
    if !has_turn(service, &run.collector, now).await? {
        return Ok(());
    }
    let closed = match loaded {
        Some(loaded) => close(service, &live, loaded, &run, &sealed.hours, now).await?,
        None => Closed::default(),
    };
    let Some(claim) = service.stored(Operation::Claim, service.db.claim_anew(&run, Trigger::Schedule, &terms)).await? else {
        // Another copy is at work on the same hour; the next look comes after it.
        return Ok(());
    };
    let recorded = put(service, &claim, &left, sealed, closed, now).await?;
    tracing::info!(
        observations.new = recorded.observations_new,
        observations.restated = recorded.observations_restated,
        "hour {run} is recorded"
    );
    Ok(aside(|| left.remove())?)
}

/// Whether this copy may record hours of a collector now: what two copies record of one day at one moment would leave out each
/// other's hour. On SQLite it is the only copy.
async fn has_turn(service: &Service, collector: &str, now: Ts) -> Result<bool, StoreError> {
    match &service.db {
        Db::Sqlite { .. } => Ok(true),
        Db::Postgres(_) => {
            let name = format!("hours/{collector}");
            let lease = service.db.lease(&name, 1, &service.owner, now, now.plus(TURN));
            Ok(service.stored(Operation::Claim, lease).await?.is_some())
        }
    }
}

async fn put(service: &Service, claim: &Claim, left: &Left, sealed: Sealed, closed: Closed, now: Ts) -> Result<Recorded, HourError> {
    let head = &left.head;
    let request = Request {
        no: 1,
        scope: Scope { due: head.hour, period: None, unit: None, portal: None, province: service.settings.province.clone() },
        method: "PROBE".to_owned(),
        url: format!("{} portals, {} attempts, by {}", head.targets.len(), sealed.attempts, head.sitting),
        body: String::new(),
        // What newer evidence said is never undone by older: an hour that is sealed late says more of its day than was known.
        at: now,
        elapsed_micros: 0,
        status: None,
        content_type: MEDIA_TYPE.to_owned(),
        evidence: Some(sealed.kept.sha256.clone()),
        size_bytes: i64::try_from(sealed.size_bytes).unwrap_or(i64::MAX),
        outcome: RequestOutcome::Recorded,
        reason: None,
        error: String::new(),
    };
    let request = RequestRecord { request, findings: Vec::new(), gates: Vec::new(), readings: closed.readings, shapes: Vec::new() };
    let record = RunRecord {
        started_at: now,
        ended_at: Ts::now().max(now),
        state: RunState::Recorded,
        retry_at: None,
        reason: None,
        error: String::new(),
        requests: vec![request],
    };
    let watched = Watched { hours: &sealed.hours, days: &closed.days };
    let known = KnownSince::Clock(Ts::now());
    let recorded = service.stored(Operation::Record, service.db.record_watched(claim, &record, &watched, known)).await?;
    service.metrics.observe_hour(&claim.run, sealed.kept.written_bytes, &recorded);
    Ok(recorded)
}

/// What the recording of an hour closes.
#[derive(Debug, Default)]
pub struct Closed {
    /// Days, by target.
    pub days: Vec<(String, DayRow)>,
    /// What they and the periods that hold them say.
    pub readings: Vec<Reading>,
}

/// Closes the days that are over with this hour: its own, if it has ended by now, and those before it that nobody closed.
async fn close(
    service: &Service,
    live: &Live,
    loaded: &LoadedCollector,
    run: &RunId,
    hours: &[(String, HourPart)],
    now: Ts,
) -> Result<Closed, StoreError> {
    let Source::Probe(probe) = &loaded.collector.source else { return Ok(Closed::default()) };
    let registry = &live.catalogue.registry;
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe };
    let days = days_to_close(service, &run.collector, day_of(run.due_at), day_of(now)).await?;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Closed::default()) };
    let window = Window { from: hour_before(*first).from, to: window_of(*last).to };
    // Whatever is recorded counts, also by a copy whose clock goes ahead.
    let query = HourQuery { collector: &run.collector, target: None, window, as_of: Ts::now().plus(Duration::from_secs(86_400)) };
    let rows = service.stored(Operation::Read, service.db.hours(&query)).await?;
    let mut by_target: BTreeMap<String, Vec<HourPart>> = BTreeMap::new();
    for (target, part) in rows.into_iter().map(|row| (row.target, row.part)).chain(hours.iter().cloned()) {
        by_target.entry(target).or_default().push(part);
    }
    let closed: Vec<(String, DayRow)> = days.iter().flat_map(|day| ground.close(*day, &by_target)).collect();
    let year = Period::holding(PeriodKind::Year, first.start());
    let known =
        service.db.days(&run.collector, Period::holding(PeriodKind::Day, year.start()), Period::holding(PeriodKind::Day, day_of(now)));
    let known = service.stored(Operation::Read, known).await?;
    let readings = ground.readings(&known, &closed);
    Ok(Closed { days: closed, readings })
}

/// The days to close, oldest first.
async fn days_to_close(
    service: &Service,
    collector: &str,
    of_hour: chrono::NaiveDate,
    today: chrono::NaiveDate,
) -> Result<Vec<Period>, StoreError> {
    let day = |date| Period::holding(PeriodKind::Day, date);
    let far = of_hour.checked_sub_days(chrono::Days::new(MOST_DAYS)).unwrap_or(of_hour);
    let newest = service.stored(Operation::Read, service.db.newest_day(collector, day(far), day(today))).await?;
    let yesterday = today.pred_opt().unwrap_or(today);
    let oldest = service.stored(Operation::Read, service.db.oldest_hour(collector)).await?.map(day_of);
    let open_from = newest.map_or(oldest.unwrap_or(of_hour), |newest| newest.last().succ_opt().unwrap_or(of_hour)).max(far);
    let mut days: Vec<chrono::NaiveDate> = open_from.iter_days().take_while(|date| *date <= yesterday).collect();
    // The day after too: whether an outage of it began the day before is said by the last hour of this one.
    let restated = [Some(of_hour), of_hour.succ_opt()].into_iter().flatten().filter(|date| *date < today);
    days.extend(restated);
    days.sort_unstable();
    days.dedup();
    Ok(days.into_iter().map(day).collect())
}
