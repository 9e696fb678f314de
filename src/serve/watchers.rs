//! Watchers: which probes this copy carries out, each in a thread of its own, so that nothing else makes a look late.
//!
//! A copy watches while it has the lease `probe/COLLECTOR`. When the database is away nobody can tell it to stop, so it goes
//! on: what two copies then see of one hour is put together by slot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::service::Operation;
use super::{Live, Service};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::{ProbeSource, Source};
use crate::collect::run::chain;
use crate::collect::watch::close::day_of;
use crate::collect::watch::{Ground, Head, Watch, targets, watch};
use crate::model::{Period, PeriodKind, Ts};
use crate::rollup::hour_of;
use crate::store::Db;

/// For so long a copy has a probe; it is extended at every look.
const LEASE: Duration = Duration::from_secs(30);
/// How often who watches is agreed on.
const LOOK_EVERY: Duration = Duration::from_secs(8);
/// A watcher that could not begin is begun again after this time.
const BEGIN_AGAIN: Duration = Duration::from_secs(30);
/// Files that are open beside the looks: the database, the spool, pages.
const OTHER_FILES: u64 = 256;
/// A connection by each protocol, and a question to a name server.
const FILES_OF_A_LOOK: u64 = 3;
/// More looks at once than any province needs.
const MOST_LOOKS: u64 = 8192;

/// The probes at work in this copy.
pub struct Watchers {
    service: Arc<Service>,
    at_work: BTreeMap<String, Watcher>,
    looks: usize,
    /// How many were begun; each sitting has a name of its own.
    begun: u32,
    /// When who watches was last agreed on, and by which files.
    looked: Option<(Instant, Ts)>,
}

struct Watcher {
    /// What it was begun with: another file, other portals or another day's portals begin it anew.
    head: Head,
    stop: CancellationToken,
    thread: JoinHandle<()>,
    began: Instant,
}

impl Watchers {
    /// Nobody watching yet.
    pub fn new(service: Arc<Service>) -> Watchers {
        let files = rlimit::increase_nofile_limit(MOST_LOOKS * FILES_OF_A_LOOK + OTHER_FILES).unwrap_or(1024);
        let looks = (files.saturating_sub(OTHER_FILES) / FILES_OF_A_LOOK).clamp(64, MOST_LOOKS);
        let looks = usize::try_from(looks).unwrap_or(64);
        Watchers { service, at_work: BTreeMap::new(), looks, begun: 0, looked: None }
    }

    /// One look at what is to be watched by this copy: begins and ends watchers. A database that is away changes nothing.
    pub async fn look(&mut self, live: &Live, now: Ts) {
        self.reap();
        if self.looked.is_some_and(|(at, files)| at.elapsed() < LOOK_EVERY && files == live.loaded_at) {
            return;
        }
        let wanted = match self.wanted(live, now).await {
            Ok(wanted) => wanted,
            Err(error) => {
                tracing::debug!(error = %chain(&error), "who watches cannot be agreed on; who watches goes on");
                return;
            }
        };
        self.looked = Some((Instant::now(), live.loaded_at));
        let gone: Vec<String> = self.at_work.keys().filter(|id| !wanted.contains_key(*id)).cloned().collect();
        gone.iter().for_each(|id| self.end(id));
        for (id, (head, probe)) in wanted {
            let same = self.at_work.get(&id).is_some_and(|at_work| at_work.head.spec == head.spec && at_work.head.targets == head.targets);
            if !same {
                self.end(&id);
                self.begin(&id, head, probe);
            }
        }
        self.count();
    }

    /// The probes that this copy may carry out now, with what they watch.
    async fn wanted(&self, live: &Live, now: Ts) -> Result<BTreeMap<String, (Head, Arc<ProbeSource>)>, crate::store::StoreError> {
        let mut wanted = BTreeMap::new();
        for (id, loaded) in &live.catalogue.collectors {
            let Source::Probe(probe) = &loaded.collector.source else { continue };
            if !loaded.lacks(&self.service.settings).is_empty() || self.is_paused(id).await? {
                continue;
            }
            if self.has_turn(id, now).await? {
                wanted.insert(id.clone(), (head(live, loaded, probe, &self.service.owner, now), Arc::new((**probe).clone())));
            }
        }
        Ok(wanted)
    }

    /// Whether this copy has the probe. On SQLite it is the only one (`start::alone`), also right after another was killed.
    async fn has_turn(&self, id: &str, now: Ts) -> Result<bool, crate::store::StoreError> {
        match &self.service.db {
            Db::Sqlite { .. } => Ok(true),
            Db::Postgres(_) => {
                let name = lease_name(id);
                let lease = self.service.db.lease(&name, 1, &self.service.owner, now, now.plus(LEASE));
                Ok(self.service.stored(Operation::Claim, lease).await?.is_some())
            }
        }
    }

    async fn is_paused(&self, id: &str) -> Result<bool, crate::store::StoreError> {
        let schedule = self.service.stored(Operation::Read, self.service.db.schedule(id)).await?;
        Ok(schedule.is_some_and(|row| row.paused_at.is_some()))
    }

    fn begin(&mut self, id: &str, mut head: Head, probe: Arc<ProbeSource>) {
        // What cannot be kept need not be looked at; the next look at who watches tries again.
        if let Err(error) = writable(&self.service.settings.spool) {
            let folder = self.service.settings.spool.display();
            tracing::error!(collector.id = id, error = %error, "nobody watches: the spool {folder} takes no file; set `spool` in the settings");
            return;
        }
        self.begun += 1;
        head.sitting = format!("{}-{}", plain(&self.service.owner), self.begun);
        let stop = CancellationToken::new();
        let watch = Watch {
            probe,
            settings: Arc::new(self.service.settings.clone()),
            head: head.clone(),
            looks: self.looks,
            meter: self.service.meter(id),
            stop: stop.clone(),
        };
        tracing::info!(collector.id = id, targets = head.targets.len(), "watching {} portals", head.targets.len());
        let spawned = std::thread::Builder::new().name(format!("watch {id}")).spawn(move || work(watch));
        match spawned {
            Ok(thread) => drop(self.at_work.insert(id.to_owned(), Watcher { head, stop, thread, began: Instant::now() })),
            Err(error) => tracing::error!(error = %error, "no thread to watch with"),
        }
    }

    fn end(&mut self, id: &str) {
        if let Some(watcher) = self.at_work.remove(id) {
            tracing::info!(collector.id = id, seconds = watcher.began.elapsed().as_secs_f64(), "not watching any more");
            self.service.metrics.set_probe(id, 0, &self.service.meter(id).counts());
            // Its last looks end by themselves; whoever comes next has its own sitting.
            watcher.stop.cancel();
        }
    }

    /// Forgets watchers that ended by themselves: they are begun again, but not at once.
    fn reap(&mut self) {
        self.at_work.retain(|id, watcher| {
            let is_over = watcher.thread.is_finished() && watcher.began.elapsed() >= BEGIN_AGAIN;
            if is_over {
                tracing::error!(collector.id = id, "the watcher of {id} had ended; it begins again");
            }
            !is_over
        });
    }

    /// Ends all of them, and waits until they have, at most so long.
    pub async fn stop(&mut self, within: Duration) {
        self.at_work.values().for_each(|watcher| watcher.stop.cancel());
        let at_work = std::mem::take(&mut self.at_work);
        for id in at_work.keys() {
            // If it cannot be given back, it ends by itself.
            let name = lease_name(id);
            let given_back = self.service.db.release(&name, 1, &self.service.owner, Ts::now());
            let _ends_by_itself = self.service.stored(Operation::Write, given_back).await;
        }
        let threads: Vec<JoinHandle<()>> = at_work.into_values().map(|watcher| watcher.thread).collect();
        let until = Instant::now() + within;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn count(&self) {
        for (id, watcher) in &self.at_work {
            self.service.metrics.set_probe(id, watcher.head.targets.len(), &self.service.meter(id).counts());
        }
    }
}

/// The right to carry out a probe.
fn lease_name(id: &str) -> String {
    format!("probe/{id}")
}

/// The head of what a probe sees now: the portals of today.
fn head(live: &Live, loaded: &LoadedCollector, probe: &ProbeSource, owner: &str, now: Ts) -> Head {
    let registry = &live.catalogue.registry;
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe };
    let today = Period::holding(PeriodKind::Day, day_of(now));
    let targets = targets(ground.portals_in(today), probe.slot_micros());
    Head::new(loaded.collector.id.get_ref(), probe, &loaded.text, targets, owner, hour_of(now))
}

fn writable(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder).map(drop)
}

/// A name as folders can have it.
fn plain(owner: &str) -> String {
    owner.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

/// A thread of one watcher: its looks share one runtime, and wait for nothing else.
fn work(what: Watch) {
    let id = what.head.collector.clone();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(error = %error, "no runtime to watch with"),
    };
    let watched = tokio::task::LocalSet::new().block_on(&runtime, watch(what));
    if let Err(failure) = watched {
        tracing::error!(collector.id = id, error = %failure, "{id} cannot watch");
    }
}
