//! `Service`: what every part of the service shares.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Live, Metrics};
use crate::collect::archive::Archive;
use crate::collect::run::{Workplace, chain};
use crate::collect::source::Politeness;
use crate::collect::watch::Meter;
use crate::model::Ts;
use crate::settings::Settings;
use crate::store::{Db, StoreError};

/// What every part of the service shares. Cheap to share by `Arc`, and alive until the last part has ended.
pub struct Service {
    /// Settings of the installation.
    pub settings: Settings,
    /// Where runs are recorded.
    pub db: Db,
    /// Where evidence is kept.
    pub archive: Archive,
    /// Rates shared by all collectors.
    pub politeness: Politeness,
    /// What is counted.
    pub metrics: Metrics,
    /// This copy: `serve:HOST:PID:START`.
    pub owner: String,
    /// When it started.
    pub started_at: Ts,
    /// Cancelled when the service is told to stop: nothing new is begun.
    pub stopping: CancellationToken,
    /// Cancelled when the grace time is over: what still runs is interrupted.
    pub ending: CancellationToken,
    /// Asks for the declarative files to be read again; whoever waits for the answer gets what was wrong in them.
    pub reload: tokio::sync::mpsc::Sender<tokio::sync::oneshot::Sender<Reloaded>>,
    /// What probes count of themselves, by collector.
    meters: Mutex<std::collections::BTreeMap<String, Arc<Meter>>>,
    live: RwLock<Arc<Live>>,
    /// When the scheduler last looked at what is due, in microseconds; 0 before the first time.
    heartbeat: AtomicI64,
    /// Why the database did not do what it was asked last, "" if it did: for each operation.
    store_trouble: [Mutex<String>; Operation::ALL.len()],
}

/// What came of reading the declarative files again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Whether the new files are in force; else the old ones go on.
    pub swapped: bool,
    /// What is wrong in them, one text each.
    pub problems: Vec<String>,
}

/// Asks the loop that reads files again, and waits for what it says.
pub type ReloadRequests = tokio::sync::mpsc::Receiver<tokio::sync::oneshot::Sender<Reloaded>>;

/// What is asked of the database, as a label of its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Turning due windows into runs.
    Plan,
    /// Claiming runs.
    Claim,
    /// Recording a run.
    Record,
    /// Reading.
    Read,
    /// Anything else that writes.
    Write,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 5] = [Operation::Plan, Operation::Claim, Operation::Record, Operation::Read, Operation::Write];

    /// The label.
    pub fn label(self) -> &'static str {
        match self {
            Operation::Plan => "plan",
            Operation::Claim => "claim",
            Operation::Record => "record",
            Operation::Read => "read",
            Operation::Write => "write",
        }
    }
}

/// A database that has not answered by then is away: its host may have vanished without a word.
pub const STORE_LIMIT: Duration = Duration::from_secs(60);

/// The parts of a service that has not begun to work.
pub struct Parts {
    /// Settings of the installation.
    pub settings: Settings,
    /// The database.
    pub db: Db,
    /// The declarative files.
    pub live: Live,
    /// This copy.
    pub owner: String,
    /// When it started.
    pub started_at: Ts,
}

impl Service {
    /// A service that has not begun to work, and the requests for reloading that it will get.
    pub fn new(parts: Parts) -> (Arc<Service>, ReloadRequests) {
        let Parts { settings, db, live, owner, started_at } = parts;
        let (reload, requests) = tokio::sync::mpsc::channel(8);
        let archive = Archive::new(&settings.evidence);
        let politeness = Politeness::shared(&db, &owner);
        let metrics = Metrics::new();
        let (stopping, ending) = (CancellationToken::new(), CancellationToken::new());
        let live = RwLock::new(Arc::new(live));
        let (heartbeat, store_trouble) = (AtomicI64::new(0), Default::default());
        let service = Service {
            settings,
            db,
            archive,
            politeness,
            metrics,
            owner,
            started_at,
            stopping,
            ending,
            reload,
            meters: Mutex::default(),
            live,
            heartbeat,
            store_trouble,
        };
        service.metrics.set_live(&service.live());
        (Arc::new(service), requests)
    }

    /// The declarative files in force. What is begun with them ends with them.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other declarative files in force, whole.
    pub fn set_live(&self, live: Live) {
        self.metrics.set_live(&live);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    /// Where the probe of this collector counts, from the start of the process.
    pub fn meter(&self, collector: &str) -> Arc<Meter> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(meters.entry(collector.to_owned()).or_default())
    }

    /// The scheduler has looked at what is due.
    pub fn beat(&self, now: Ts) {
        self.heartbeat.store(now.micros(), Ordering::Relaxed);
        self.metrics.scheduler_heartbeat.set(now.micros() as f64 / 1e6);
    }

    /// When the scheduler last looked at what is due; `None` before the first time.
    pub fn heartbeat(&self) -> Option<Ts> {
        Ts::from_micros(self.heartbeat.load(Ordering::Relaxed)).filter(|at| at.micros() != 0)
    }

    /// Why the database did not do what it was asked last; `None` if it did. One that can be read may refuse to be written.
    pub fn store_trouble(&self) -> Option<String> {
        let troubles = self.store_trouble.iter().map(|trouble| trouble.lock().unwrap_or_else(PoisonError::into_inner).clone());
        troubles.into_iter().find(|trouble| !trouble.is_empty())
    }

    /// What a run or an explanation needs around it.
    pub fn place<'a>(&'a self, live: &'a Live) -> Workplace<'a> {
        Workplace {
            settings: &self.settings,
            catalogue: &live.catalogue,
            db: &self.db,
            archive: &self.archive,
            politeness: &self.politeness,
            owner: &self.owner,
        }
    }

    /// Counts an operation of the database. A promise of ours that does not hold (a lost claim) is no trouble of its.
    pub fn note_store(&self, operation: Operation, took: Duration, error: Option<&StoreError>) {
        self.metrics.observe_store(operation, took, error);
        let trouble = error.filter(|error| error.passes()).map(|error| chain(error)).unwrap_or_default();
        *self.store_trouble[operation as usize].lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Asks the database; how long it took and whether it failed is counted.
    ///
    /// # Errors
    /// Those of the question.
    pub async fn stored<T>(&self, operation: Operation, question: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let started = Instant::now();
        let late = |_| Err(StoreError::NoAnswer { after: STORE_LIMIT });
        let answer = tokio::time::timeout(STORE_LIMIT, question).await.unwrap_or_else(late);
        self.note_store(operation, started.elapsed(), answer.as_ref().err());
        answer
    }
}
