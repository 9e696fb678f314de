//! The service at work: one loop that looks at what is due, begins and ends runs, reads files again, and stops in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::scheduler::{Collectors, Scheduler};
use super::service::{Operation, ReloadRequests, Reloaded};
use super::sources::sources;
use super::watchers::Watchers;
use super::work::Workers;
use super::{Live, Service};
use crate::catalogue::Files;
use crate::collect::run::chain;
use crate::model::Ts;

/// The longest sleep: the clock is read again, other copies' work is seen, and the watchdog is told.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// How often the schedules are read again: somebody may have paused a collector.
const SYNC_EVERY: Duration = Duration::from_secs(10);
/// How often the gauges that the store knows are set.
const GAUGES_EVERY: Duration = Duration::from_secs(30);
/// A tick that takes longer than this has met a database that hangs.
const TICK_LIMIT: Duration = Duration::from_secs(60);
/// After the grace time, runs have so long to be recorded as interrupted.
const LAST_RECORDS: Duration = Duration::from_secs(15);
/// Looks at portals may end for so long.
const LONGEST_LOOKS: Duration = Duration::from_secs(12);
/// The clock and the time that has passed may differ by so much between two looks.
const CLOCK_STEP: Duration = Duration::from_secs(5);

/// Works until it is told to stop (SIGTERM, SIGINT, or `service.stopping`). Whether every run ended in order.
///
/// # Errors
/// Signals cannot be received.
pub async fn run(service: Arc<Service>, reloads: ReloadRequests, recorded: tokio::sync::mpsc::Sender<String>) -> std::io::Result<bool> {
    let signals = Signals::new()?;
    let scheduler = Scheduler::new(&service.owner, service.settings.service.claim_margin.0);
    let workers = Workers::new(Arc::clone(&service), recorded);
    let watchers = Watchers::new(Arc::clone(&service));
    let clock = (Instant::now(), Ts::now());
    let mut work = Work { service, scheduler, workers, watchers, synced: None, gauges: None, trouble: String::new(), clock, next: None };
    work.until_stopped(signals, reloads).await;
    Ok(work.stop().await)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

struct Work {
    service: Arc<Service>,
    scheduler: Scheduler,
    workers: Workers,
    watchers: Watchers,
    /// When the schedules were last read; `None` if they must be.
    synced: Option<Instant>,
    gauges: Option<Instant>,
    /// What the last tick could not do, "" for nothing; said once.
    trouble: String,
    /// Both clocks at the last look.
    clock: (Instant, Ts),
    /// When something is due next.
    next: Option<Ts>,
}

impl Work {
    async fn until_stopped(&mut self, mut signals: Signals, mut reloads: ReloadRequests) {
        let mut is_ready = false;
        loop {
            self.look().await;
            if !is_ready && self.trouble.is_empty() {
                is_ready = true;
                let took = Ts::now().since(self.service.started_at);
                tracing::info!(seconds = took.as_secs_f64(), owner = self.service.owner, "ready");
                tell_systemd(&[sd_notify::NotifyState::Ready]);
            }
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
            let now = Ts::now();
            let sleep = self.next.map_or(LONGEST_SLEEP, |next| next.since(now)).clamp(Duration::from_millis(1), LONGEST_SLEEP);
            tokio::select! {
                () = self.service.stopping.cancelled() => return,
                _ = signals.terminate.recv() => return,
                _ = signals.interrupt.recv() => return,
                _ = signals.hangup.recv() => self.read_again(None).await,
                Some(answer) = reloads.recv() => self.read_again(Some(answer)).await,
                () = self.workers.next_ended() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// One look at what is due. Trouble of the database is said once; the next look tries again.
    async fn look(&mut self) {
        let now = self.read_clock();
        let live = self.service.live();
        // Before anything that the database could keep waiting.
        self.watchers.look(&live, now).await;
        let looked = tokio::time::timeout(TICK_LIMIT, self.tick(&live, now)).await;
        let trouble = match looked {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("the database did not answer within {TICK_LIMIT:?}"),
        };
        if !trouble.is_empty() {
            // What was planned or claimed meanwhile is read again.
            (self.synced, self.next) = (None, Some(now.plus(Duration::from_secs(2))));
        }
        if trouble != self.trouble {
            match trouble.is_empty() {
                true => tracing::info!("the database serves again; what was due meanwhile is caught up"),
                false => tracing::error!(error = trouble, "cannot plan or claim runs; they wait"),
            }
            self.trouble = trouble;
        }
        self.service.beat(now);
    }

    async fn tick(&mut self, live: &Arc<Live>, now: Ts) -> Result<(), crate::store::StoreError> {
        let service = Arc::clone(&self.service);
        let collectors = runnable(&service, live);
        if self.synced.is_none_or(|at| at.elapsed() >= SYNC_EVERY) {
            let missed = service.stored(Operation::Plan, self.scheduler.sync(&service.db, &collectors, now)).await?;
            service.metrics.runs_missed.inc_by(missed);
            service.metrics.runs_due.inc_by(missed);
            // A claim whose answer was lost, or a run whose end could not be recorded, is nobody's.
            let at_work = self.workers.at_work();
            let left = service.db.take_back(&service.owner, &at_work, now);
            if service.stored(Operation::Write, left).await? > 0 {
                tracing::warn!("runs that were left at work are made again");
            }
            self.synced = Some(Instant::now());
        }
        let (busy, free) = (self.workers.busy(), self.workers.free());
        let ticked = self.scheduler.tick(&service.db, &collectors, &busy, free, now);
        let tick = service.stored(Operation::Claim, ticked).await?;
        service.metrics.runs_due.inc_by(tick.due);
        service.metrics.runs_missed.inc_by(tick.missed);
        tick.ready.into_iter().for_each(|ready| self.workers.begin(live, ready));
        self.next = self.scheduler.next_wake();
        if self.gauges.is_none_or(|at| at.elapsed() >= GAUGES_EVERY) {
            service.metrics.set_sources(&sources(&service, live, now).await?);
            service.metrics.set_certificates(&service.stored(Operation::Read, service.db.certificates()).await?);
            self.gauges = Some(Instant::now());
        }
        Ok(())
    }

    /// The clock; a step is said, since it explains what is caught up or waits.
    fn read_clock(&mut self) -> Ts {
        let (instant, now) = (Instant::now(), Ts::now());
        let (last_instant, last) = self.clock;
        let (passed, shown) = (instant - last_instant, now.since(last));
        if shown.abs_diff(passed) > CLOCK_STEP || last.since(now) > CLOCK_STEP {
            tracing::warn!(from = %last, to = %now, passed_seconds = passed.as_secs_f64(), "the clock was stepped");
        }
        self.clock = (instant, now);
        now
    }

    /// Reads the declarative files again: they are in force whole, or the old ones go on.
    async fn read_again(&mut self, answer: Option<tokio::sync::oneshot::Sender<Reloaded>>) {
        tell_systemd(&[sd_notify::NotifyState::Reloading]);
        let reloaded = reload(&self.service).await;
        tracing::info!(swapped = reloaded.swapped, problems = reloaded.problems.len(), "the declarative files were read again");
        reloaded.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        (self.synced, self.gauges) = (None, None);
        self.scheduler.files_were_read();
        tell_systemd(&[sd_notify::NotifyState::Ready]);
        if let Some(answer) = answer {
            // Whoever asked may have left.
            let _heard = answer.send(reloaded);
        }
    }

    /// Nothing new begins; what runs may finish, and is interrupted when the grace time is over.
    async fn stop(&mut self) -> bool {
        tell_systemd(&[sd_notify::NotifyState::Stopping]);
        self.service.stopping.cancel();
        let grace = self.service.settings.service.grace.0;
        self.watchers.stop(grace.min(LONGEST_LOOKS)).await;
        tracing::info!(runs = self.workers.busy().len(), "stopping; runs may finish within {grace:?}");
        if !self.workers.finish(grace).await {
            tracing::warn!(runs = self.workers.busy().len(), "the grace time is over; runs are recorded as interrupted");
            self.service.ending.cancel();
            self.workers.finish(LAST_RECORDS).await;
        }
        let left = self.workers.busy();
        if !left.is_empty() {
            tracing::error!(collectors = ?left, "runs could not be recorded; the next service makes them again");
        }
        left.is_empty()
    }
}

/// The collectors that may run here: their settings and secrets are there.
fn runnable<'a>(service: &Service, live: &'a Live) -> Collectors<'a> {
    let all = live.catalogue.collectors.iter();
    all.filter(|(_, loaded)| loaded.lacks(&service.settings).is_empty()).map(|(id, loaded)| (id.as_str(), loaded)).collect()
}

/// Reads the declarative files and puts them in force, unless their folder cannot be read.
async fn reload(service: &Service) -> Reloaded {
    let Some(folder) = service.settings.catalogue.clone() else {
        return Reloaded { swapped: true, problems: Vec::new() };
    };
    let old = service.live();
    let read = tokio::task::spawn_blocking(move || (folder.is_dir().then(|| Files::read(&folder)), folder)).await;
    let (files, unread) = match read {
        Ok((Some(read), _)) => read,
        Ok((None, folder)) => {
            service.metrics.reload_failed();
            let problem = format!("{} is not a folder; the old files go on", folder.display());
            return Reloaded { swapped: false, problems: vec![problem] };
        }
        Err(error) => return Reloaded { swapped: false, problems: vec![format!("the files could not be read: {error}")] },
    };
    // A whole folder that cannot be read would take everything in it away.
    if let Some(problem) = unread.iter().find(|problem| !problem.file.contains('.')) {
        service.metrics.reload_failed();
        return Reloaded { swapped: false, problems: vec![problem.to_string()] };
    }
    // A file system that is not mounted looks like one without files.
    if let Some(gone) = ["collectors/", "registry/"].iter().find(|folder| old.has_files(folder) && files.under(folder).next().is_none()) {
        service.metrics.reload_failed();
        return Reloaded { swapped: false, problems: vec![format!("{gone} has no files any more; the old ones go on")] };
    }
    let live = Live::load(files, unread, &old.good(), Ts::now());
    let problems = live.problems.iter().map(ToString::to_string).collect();
    service.set_live(live);
    service.politeness.forget_rates();
    Reloaded { swapped: true, problems }
}

/// Outside systemd there is nobody to tell.
fn tell_systemd(states: &[sd_notify::NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(error = %error, "systemd was not told");
    }
}
