//! Work: runs that are ours are carried out beside each other, each owned, bounded and recorded.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinSet};
use tracing::Instrument;

use super::scheduler::{Ready, Task};
use super::service::Operation;
use super::{Live, Service};
use crate::catalogue::LoadedCollector;
use crate::collect::ask::Manner;
use crate::collect::breaker::{ATTEMPTS_JUDGED, circuit, retry_at};
use crate::collect::collector::{Collector, Source, Windows};
use crate::collect::due::OLDEST_CAUGHT_UP;
use crate::collect::read::n_units_expected;
use crate::collect::run::{Conduct, Ended, Ran, RunError, When, chain, run_claimed};
use crate::model::{Reason, RunId, RunState, Ts};
use crate::store::{AttemptRow, Claim, KnownSince, Recorded, RunRecord, StoreError};

/// The runs at work in this copy.
pub struct Workers {
    service: Arc<Service>,
    tasks: JoinSet<()>,
    at_work: HashMap<Id, Claim>,
    recorded: tokio::sync::mpsc::Sender<String>,
}

impl Workers {
    /// Nobody at work. The id of each collector that has recorded something goes to `recorded`.
    pub fn new(service: Arc<Service>, recorded: tokio::sync::mpsc::Sender<String>) -> Workers {
        Workers { service, tasks: JoinSet::new(), at_work: HashMap::new(), recorded }
    }

    /// How many more runs may begin.
    pub fn free(&self) -> usize {
        (self.service.settings.service.runs.get() as usize).saturating_sub(self.at_work.len())
    }

    /// Runs at work.
    pub fn at_work(&self) -> Vec<RunId> {
        self.at_work.values().map(|claim| claim.run.clone()).collect()
    }

    /// Collectors at work.
    pub fn busy(&self) -> BTreeSet<String> {
        self.at_work.values().map(|claim| claim.run.collector.clone()).collect()
    }

    /// Begins a run with the declarative files of now.
    pub fn begin(&mut self, live: &Arc<Live>, ready: Ready) {
        let delay = Ts::now().since(ready.since).as_secs_f64();
        self.service.metrics.run_start_delay.observe(delay);
        let claim = ready.claim.clone();
        let span = tracing::info_span!("run", run.id = %claim.run, collector.id = %claim.run.collector, run.attempt = claim.attempt);
        let work = carry_out(Arc::clone(&self.service), Arc::clone(live), ready, self.recorded.clone()).instrument(span);
        let id = self.tasks.spawn(work).id();
        self.at_work.insert(id, claim);
        self.count();
    }

    /// Waits for the next run to end; for ever if none is at work.
    pub async fn next_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((id, ()))) => drop(self.at_work.remove(&id)),
            Some(Err(error)) => {
                // Recorded beside the others: this wait may be given up at any moment.
                if let Some(claim) = self.at_work.remove(&error.id()) {
                    self.tasks.spawn(record_panic(Arc::clone(&self.service), claim, error.to_string()));
                }
            }
        }
        self.count();
    }

    /// Waits until nobody is at work, at most so long. Whether nobody is.
    pub async fn finish(&mut self, within: Duration) -> bool {
        let all = async {
            while !self.tasks.is_empty() {
                self.next_ended().await;
            }
        };
        tokio::time::timeout(within, all).await.is_ok()
    }

    fn count(&self) {
        self.service.metrics.runs_in_progress.set(i64::try_from(self.at_work.len()).unwrap_or(i64::MAX));
    }
}

/// One run from its claim to its record; trouble of our own is logged, and the run is claimed again later.
async fn carry_out(service: Arc<Service>, live: Arc<Live>, ready: Ready, recorded: tokio::sync::mpsc::Sender<String>) {
    let Ready { claim, task, .. } = ready;
    let Some(loaded) = live.catalogue.collectors.get(&claim.run.collector) else { return };
    let done = match task {
        Task::Ask(manner) => ask(&service, &live, loaded, &claim, manner).await,
        Task::LeaveAlone { reason, until } => leave_alone(&service, &claim, reason, until).await.map_err(RunError::from),
    };
    match done {
        Ok(ran) => {
            let expected = n_units_expected(&service.settings, &live.catalogue, &loaded.collector, claim.run.due_at);
            service.metrics.observe_run(&ran, claim.trigger, expected);
            if let Some(until) = ran.certificate_until {
                see_certificate(&service, &claim.run.collector, until).await;
            }
            log_end(&ran);
            if matches!(ran.state, RunState::Recorded | RunState::Partial) {
                // Scoring looks at the store by itself; a full channel means that it has been told.
                let _told = recorded.try_send(claim.run.collector.clone());
            }
        }
        Err(error) => {
            let reason = match &error {
                RunError::Store(StoreError::TwoValues(_) | StoreError::NotEnded { .. }) => Reason::Internal,
                RunError::NotOurs(_) | RunError::Store(_) | RunError::Archive(_) => Reason::Store,
            };
            service.metrics.run_failed(&claim.run.collector, reason);
            tracing::error!(error = %chain(&error), "run {} could not be recorded", claim.run);
        }
    }
}

async fn ask(service: &Service, live: &Live, loaded: &LoadedCollector, claim: &Claim, manner: Manner) -> Result<Ran, RunError> {
    let past = service.stored(Operation::Read, service.db.telling_attempts(&claim.run.collector, ATTEMPTS_JUDGED)).await?;
    let give_up = give_up(&loaded.collector, claim);
    let again = |ended: &Ended| again(&loaded.collector, claim, &past, ended, give_up);
    let conduct = Conduct { manner, stop: &service.ending, again: &again, patient: true };
    let started = Instant::now();
    let ran = run_claimed(&service.place(live), loaded, claim, When::Due(claim.run.due_at), &conduct).await;
    if let Err(RunError::Store(error)) = &ran {
        service.note_store(Operation::Record, started.elapsed(), Some(error));
    }
    ran
}

/// From when the run may be claimed again, now that it has ended so.
fn again(collector: &Collector, claim: &Claim, past: &[AttemptRow], ended: &Ended, give_up: Ts) -> Option<Ts> {
    let this = AttemptRow {
        run: claim.run.clone(),
        attempt: claim.attempt,
        trigger: claim.trigger,
        owner: claim.owner.clone(),
        started_at: ended.at,
        ended_at: ended.at,
        state: ended.state,
        reason: ended.reason,
        error: String::new(),
        drift: false,
        recorded: Recorded::default(),
        data_period: None,
    };
    let newest_first: Vec<AttemptRow> = std::iter::once(this).chain(past.iter().cloned()).collect();
    let circuit = match &collector.source {
        Source::Http(http) => circuit(&http.breaker, &newest_first),
        Source::File(_) | Source::Probe(_) => crate::collect::breaker::Circuit::Closed,
    };
    retry_at(circuit, claim.attempt, (ended.state, ended.reason), ended.at, give_up)
}

/// Until when a failed run is tried again: a newer window takes its place, or it is too old to be caught up.
fn give_up(collector: &Collector, claim: &Claim) -> Ts {
    let schedule = &collector.schedule;
    let max_age = schedule.catch_up.max_age.map_or(OLDEST_CAUGHT_UP, |span| span.0);
    match schedule.catch_up.windows {
        Windows::Latest | Windows::Never => {
            let next = schedule.cron.next_after(schedule.timezone.0, claim.run.due_at);
            next.unwrap_or(claim.run.due_at.plus(max_age)).min(claim.run.due_at.plus(max_age))
        }
        Windows::Every => claim.run.due_at.plus(max_age),
    }
}

/// Records that the source is left alone: the run waits for the next probe.
async fn leave_alone(service: &Service, claim: &Claim, reason: Reason, until: Ts) -> Result<Ran, StoreError> {
    let error = format!("not asked: the source is left alone after {reason}; the next probe is at {until}");
    let at = Ts::now();
    let record = failed(at, Reason::CircuitOpen, error.clone(), Some(until));
    let recorded = service.stored(Operation::Record, service.db.record_run(claim, &record, KnownSince::Clock(at))).await?;
    let (run, state) = (claim.run.clone(), RunState::Failed);
    let (reason, hours, evidence) = (Some((Reason::CircuitOpen, error)), Default::default(), Default::default());
    Ok(Ran { run, state, reason, started_at: at, ended_at: at, requests: Vec::new(), recorded, hours, evidence, certificate_until: None })
}

fn failed(at: Ts, reason: Reason, error: String, retry_at: Option<Ts>) -> RunRecord {
    RunRecord { started_at: at, ended_at: at, state: RunState::Failed, retry_at, reason: Some(reason), error, requests: Vec::new() }
}

/// A run whose code failed is a failed run; it is tried again once, for what it met may have passed.
async fn record_panic(service: Arc<Service>, claim: Claim, error: String) {
    tracing::error!(run.id = %claim.run, collector.id = %claim.run.collector, error, "a fault of this program ended run {}", claim.run);
    let at = Ts::now();
    let retry_at = (claim.attempt == 1).then(|| at.plus(Duration::from_secs(300)));
    let record = failed(at, Reason::Internal, error, retry_at);
    service.metrics.run_failed(&claim.run.collector, Reason::Internal);
    if let Err(error) = service.stored(Operation::Record, service.db.record_run(&claim, &record, KnownSince::Clock(at))).await {
        tracing::error!(run.id = %claim.run, error = %chain(&error), "and it could not be recorded");
    }
}

/// Keeps when a source's certificate ends; at the latest the next run keeps it again.
async fn see_certificate(service: &Service, collector: &str, until: Ts) {
    let seen = service.stored(Operation::Write, service.db.see_certificate(collector, until, Ts::now())).await;
    if let Err(error) = seen {
        tracing::warn!(error = %chain(&error), "the end of a certificate could not be kept");
    }
}

fn log_end(ran: &Ran) {
    let counts = ran.recorded;
    let took = ran.ended_at.since(ran.started_at);
    match &ran.reason {
        None => tracing::info!(
            run.state = %ran.state, run.seconds = took.as_secs_f64(), observations.new = counts.observations_new,
            observations.restated = counts.observations_restated, "run {} ended: {}", ran.run, ran.state
        ),
        Some((reason, error)) => tracing::warn!(
            run.state = %ran.state, run.seconds = took.as_secs_f64(), reason = %reason, error,
            "run {} ended: {}: {reason}", ran.run, ran.state
        ),
    }
}
