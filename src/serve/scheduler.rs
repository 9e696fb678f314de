//! The scheduler: what is due becomes runs, and runs are claimed. A tick is a function of the clock and the store;
//! there is no timer per collector, so that a reload cannot reset one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::catalogue::LoadedCollector;
use crate::collect::ask::Manner;
use crate::collect::breaker::{ATTEMPTS_JUDGED, Circuit, circuit};
use crate::collect::collector::{CatchUp, Schedule, Source, Windows, Zone};
use crate::collect::due::{Plan, all_missed, jitter, plan};
use crate::collect::run::run_limit;
use crate::model::{MissedWhy, Reason, RunState, Sha256, Trigger, Ts};
use crate::serve::sources::interval;
use crate::store::{Claim, Db, RunRow, ScheduleRow, ScheduleStep, StoreError, Terms};

/// The collectors that may run, by id.
pub type Collectors<'a> = BTreeMap<&'a str, &'a LoadedCollector>;

/// Plans and claims for one copy of the service.
pub struct Scheduler {
    owner: String,
    claim_margin: Duration,
    slots: BTreeMap<String, Slot>,
    /// Whether the files were read since the last `sync`: only then may a schedule become another one.
    is_fresh: bool,
    /// Files that the store keeps already, as far as this copy knows.
    kept: BTreeSet<Sha256>,
}

/// Where a collector's schedule stands, as this copy knows it. The store has the last word.
struct Slot {
    row: ScheduleRow,
    /// The store's cron and zone, with the file's rule for what is late.
    schedule: Schedule,
    jitter: Duration,
    /// When its next window may begin.
    next: Option<Ts>,
}

/// What a tick brought.
#[derive(Debug, Default)]
pub struct Tick {
    /// Runs that are ours now.
    pub ready: Vec<Ready>,
    /// Windows that became due.
    pub due: u64,
    /// Windows that were missed.
    pub missed: u64,
}

/// A run that is ours.
#[derive(Debug)]
pub struct Ready {
    /// The right to record it.
    pub claim: Claim,
    /// What to do with it.
    pub task: Task,
    /// Since when it could have begun.
    pub since: Ts,
}

/// What to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Carry it out.
    Ask(Manner),
    /// Record that its source is left alone until this instant.
    LeaveAlone {
        /// The failure that came last.
        reason: Reason,
        /// When it may be asked again.
        until: Ts,
    },
}

impl Scheduler {
    /// A scheduler that knows nothing yet: `sync` comes first.
    pub fn new(owner: &str, claim_margin: Duration) -> Scheduler {
        Scheduler { owner: owner.to_owned(), claim_margin, slots: BTreeMap::new(), is_fresh: true, kept: BTreeSet::new() }
    }

    /// The declarative files were read again: the next `sync` may change schedules.
    pub fn files_were_read(&mut self) {
        self.is_fresh = true;
    }

    /// Learns where the schedules stand. A collector that was never seen begins now; one whose cron or zone is another
    /// than it was planned by begins anew: what was due by the old one and not planned yet is missed, nothing is replayed.
    /// That happens once after the files were read: copies whose files differ would else take turns at changing it, and
    /// the collector would never be due. How many windows were missed.
    ///
    /// # Errors
    /// When the database does not answer; then nothing has changed.
    pub async fn sync(&mut self, db: &Db, collectors: &Collectors<'_>, now: Ts) -> Result<u64, StoreError> {
        let mut known: BTreeMap<String, ScheduleRow> = by_id(db.schedules().await?);
        let new: Vec<ScheduleRow> =
            collectors.iter().filter(|(id, _)| !known.contains_key(**id)).map(|(id, loaded)| begun(id, loaded, now)).collect();
        let changes = collectors.iter().filter_map(|(id, loaded)| changed(known.get(*id)?, loaded, now));
        let changed: Vec<ScheduleStep> = changes.filter(|_| self.is_fresh).collect();
        let missed = changed.iter().flat_map(|step| &step.missed).map(|missed| missed.n.unsigned_abs()).sum();
        db.add_schedules(&new).await?;
        db.take_steps(&changed, now).await?;
        self.is_fresh = false;
        if !new.is_empty() || !changed.is_empty() {
            known = by_id(db.schedules().await?);
        }
        let slot = |(id, loaded): (&&str, &&LoadedCollector)| Some(((*id).to_owned(), Slot::of(known.get(*id)?.clone(), loaded)));
        self.slots = collectors.iter().filter_map(slot).collect();
        Ok(missed)
    }

    /// When the next window may begin; `None` if there is none.
    pub fn next_wake(&self) -> Option<Ts> {
        self.slots.values().filter(|slot| slot.row.paused_at.is_none()).filter_map(|slot| slot.next).min()
    }

    /// One look at what is due: windows become runs, and at most `free` runs of collectors that are not `busy` become ours.
    ///
    /// # Errors
    /// When the database does not answer; what was planned stays, and nothing is lost.
    pub async fn tick(
        &mut self,
        db: &Db,
        collectors: &Collectors<'_>,
        busy: &BTreeSet<String>,
        free: usize,
        now: Ts,
    ) -> Result<Tick, StoreError> {
        let mut tick = self.plan_windows(db, collectors, now).await?;
        if free > 0 {
            tick.ready = self.claim(db, collectors, busy, free, now).await?;
        }
        Ok(tick)
    }

    /// Turns what is due into runs, once, whichever copy does it.
    async fn plan_windows(&mut self, db: &Db, collectors: &Collectors<'_>, now: Ts) -> Result<Tick, StoreError> {
        let steps: Vec<ScheduleStep> = self.slots.values().filter_map(|slot| slot.step(now)).collect();
        let mut tick = Tick::default();
        if steps.is_empty() {
            return Ok(tick);
        }
        let taken: BTreeMap<String, u64> = db.take_steps(&steps, now).await?.into_iter().collect();
        for step in steps {
            let id = step.to.collector.clone();
            let (Some(loaded), true) = (collectors.get(id.as_str()), self.slots.contains_key(&id)) else { continue };
            if let Some(passed_over) = taken.get(&id) {
                let missed = step.missed.iter().map(|missed| missed.n.unsigned_abs()).sum::<u64>();
                // What is passed over was counted as due when it was planned.
                tick.due += step.run.len() as u64 + missed;
                tick.missed += missed + passed_over;
                self.slots.insert(id, Slot::of(step.to, loaded));
            } else if let Some(row) = db.schedule(&id).await? {
                // Another copy was here, or somebody paused the collector.
                self.slots.insert(id, Slot::of(row, loaded));
            }
        }
        Ok(tick)
    }

    /// Claims what may be claimed, the oldest window of each collector first.
    async fn claim(
        &mut self,
        db: &Db,
        collectors: &Collectors<'_>,
        busy: &BTreeSet<String>,
        free: usize,
        now: Ts,
    ) -> Result<Vec<Ready>, StoreError> {
        let mut wanted: Vec<(RunRow, &LoadedCollector, Task)> = Vec::new();
        for (row, trouble) in db.open_runs(now).await? {
            let id = row.run.collector.as_str();
            let is_paused = self.slots.get(id).is_none_or(|slot| slot.row.paused_at.is_some());
            let may_run =
                |loaded: &&&LoadedCollector| !is_paused && !busy.contains(id) && !matches!(loaded.collector.source, Source::Probe(_));
            let Some(loaded) = collectors.get(id).filter(may_run) else { continue };
            if let Some(task) = task(db, loaded, &row, trouble, now).await? {
                wanted.push((row, loaded, task));
            }
            if wanted.len() == free {
                break;
            }
        }
        let terms = |loaded: &'_ LoadedCollector| now.plus(run_limit(&loaded.collector) + self.claim_margin);
        let mut asked: Vec<(&RunRow, Terms<'_>)> = wanted
            .iter()
            .map(|(row, loaded, _)| {
                let text = (!self.kept.contains(&loaded.sha256)).then_some(loaded.text.as_str());
                (row, Terms { owner: &self.owner, now, until: terms(loaded), spec: (&loaded.sha256, text) })
            })
            .collect();
        // In one order in every copy, so that two of them never wait for each other's rows.
        asked.sort_by(|(a, _), (b, _)| a.run.cmp(&b.run));
        let claims = db.claim_open(&asked).await?;
        self.kept
            .extend(wanted.iter().filter(|(row, _, _)| claims.iter().any(|claim| claim.run == row.run)).map(|(_, l, _)| l.sha256.clone()));
        let ready = claims.into_iter().filter_map(|claim| {
            let (row, _, task) = wanted.iter().find(|(row, _, _)| row.run == claim.run)?;
            Some(Ready { since: self.since(row), task: *task, claim })
        });
        Ok(ready.collect())
    }

    /// Since when a run could have begun.
    fn since(&self, row: &RunRow) -> Ts {
        let jitter = self.slots.get(&row.run.collector).map_or(Duration::ZERO, |slot| slot.jitter);
        match (row.state, row.trigger) {
            (RunState::Due, Trigger::Schedule) => row.run.due_at.plus(jitter),
            (RunState::Running, _) => row.claim_until,
            _ => row.retry_at.unwrap_or(row.started_at),
        }
    }
}

fn by_id(rows: Vec<ScheduleRow>) -> BTreeMap<String, ScheduleRow> {
    rows.into_iter().map(|row| (row.collector.clone(), row)).collect()
}

/// The schedule of a collector that is seen for the first time.
fn begun(id: &str, loaded: &LoadedCollector, now: Ts) -> ScheduleRow {
    let schedule = &loaded.collector.schedule;
    let (cron, timezone) = (schedule.cron.to_string(), schedule.timezone.0.name().to_owned());
    ScheduleRow { collector: id.to_owned(), cron, timezone, planned_until: now, since: now, paused_at: None }
}

/// The step to another cron or zone; `None` if they are the same.
fn changed(row: &ScheduleRow, loaded: &LoadedCollector, now: Ts) -> Option<ScheduleStep> {
    let now_is = begun(&row.collector, loaded, now);
    if (&row.cron, &row.timezone) == (&now_is.cron, &now_is.timezone) {
        return None;
    }
    let missed = match (planned_by(row), row.paused_at) {
        (Some(old), None) => all_missed(&old, row.planned_until, now, MissedWhy::ScheduleChanged),
        (Some(old), Some(_)) => all_missed(&old, row.planned_until, now, MissedWhy::Paused),
        (None, _) => Vec::new(),
    };
    let to = ScheduleRow { since: row.since, paused_at: row.paused_at, planned_until: now.max(row.planned_until), ..now_is };
    Some(ScheduleStep { from: row.clone(), to, run: Vec::new(), missed, replaces_older: false })
}

/// The schedule that a row was planned by; `None` if this version cannot read it any more.
pub fn planned_by(row: &ScheduleRow) -> Option<Schedule> {
    let timezone = Zone(row.timezone.parse().ok()?);
    Some(Schedule { cron: row.cron.parse().ok()?, timezone, catch_up: CatchUp::default(), stale_after: None })
}

impl Slot {
    fn of(row: ScheduleRow, loaded: &LoadedCollector) -> Slot {
        let mut schedule = loaded.collector.schedule.clone();
        let differs = row.cron != schedule.cron.to_string() || row.timezone != schedule.timezone.0.name();
        if let (true, Some(planned)) = (differs, planned_by(&row)) {
            tracing::warn!(collector.id = row.collector, cron = row.cron, "another copy plans {} by another schedule", row.collector);
            (schedule.cron, schedule.timezone) = (planned.cron, planned.timezone);
        }
        let jitter = jitter(&row.collector, interval(&schedule, row.planned_until));
        // A probe watches by itself, and its hours are claimed when they are sealed.
        let is_planned = !matches!(loaded.collector.source, Source::Probe(_));
        let next = schedule.cron.next_after(schedule.timezone.0, row.planned_until).map(|due| due.plus(jitter)).filter(|_| is_planned);
        Slot { row, schedule, jitter, next }
    }

    /// The step that is due now, if one is.
    fn step(&self, now: Ts) -> Option<ScheduleStep> {
        if self.row.paused_at.is_some() || self.next.is_none_or(|next| next > now) {
            return None;
        }
        let schedule = &self.schedule;
        let Plan { run, missed } = plan(schedule, self.row.planned_until, now.minus(self.jitter));
        let last = run.iter().map(|(due, _)| *due).chain(missed.iter().map(|missed| missed.last_due)).max()?;
        let replaces_older = match schedule.catch_up.windows {
            Windows::Latest | Windows::Never => true,
            Windows::Every => false,
        };
        Some(ScheduleStep {
            from: self.row.clone(),
            to: ScheduleRow { planned_until: last, ..self.row.clone() },
            run,
            missed,
            replaces_older,
        })
    }
}

/// What is to be done with an open run; `None` if it waits for the probe of a source that is left alone.
async fn task(db: &Db, loaded: &LoadedCollector, row: &RunRow, trouble: Option<Reason>, now: Ts) -> Result<Option<Task>, StoreError> {
    let (Source::Http(http), Some(_)) = (&loaded.collector.source, trouble) else { return Ok(Some(Task::Ask(Manner::Whole))) };
    let attempts = db.telling_attempts(&row.run.collector, ATTEMPTS_JUDGED).await?;
    Ok(match circuit(&http.breaker, &attempts) {
        Circuit::Closed => Some(Task::Ask(Manner::Whole)),
        Circuit::Open { probe_at, .. } if now >= probe_at => Some(Task::Ask(Manner::Probe)),
        Circuit::Open { reason, probe_at, .. } => (row.state == RunState::Due).then_some(Task::LeaveAlone { reason, until: probe_at }),
    })
}
