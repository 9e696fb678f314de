//! The watcher: one timer for all targets of a probe; each look is a task of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_local};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::head::Head;
use super::meter::Meter;
use super::slots::{Agenda, Due, offset_micros};
use super::spool::{Chore, Spool};
use crate::collect::collector::{Confirm, Ip, ProbeSource};
use crate::collect::source::Failure;
use crate::collect::source::probe::{Look, Prober, Via};
use crate::model::Ts;
use crate::rollup::{Attempt, Family, hour_of};
use crate::settings::Settings;

/// What a watcher needs.
pub struct Watch {
    /// How portals are watched.
    pub probe: Arc<ProbeSource>,
    /// The installation.
    pub settings: Arc<Settings>,
    /// What is watched; the hour in it does not matter.
    pub head: Head,
    /// Looks at once; more wait, and are late.
    pub looks: usize,
    /// Where it counts.
    pub meter: Arc<Meter>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Looks that are due within this time begin together: a wake for each of them would cost more than the look. Nobody is late
/// by more than this for it.
const TICK: Duration = Duration::from_millis(200);
/// The longest sleep, so that a clock that was set is seen.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// What was written survives a power cut after this time.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Watches until it is told to stop; attempts at work may then end, within the time of one. It runs in a `LocalSet`.
///
/// # Errors
/// This machine's resolver or TLS roots cannot be read.
pub async fn watch(watch: Watch) -> Result<(), Failure> {
    let prober = Prober::new(&watch.probe, &watch.settings)?;
    let urls = watch.head.targets.iter().map(|target| asked(&watch.settings, &target.url)).collect();
    let slot_micros = watch.head.slot_micros;
    let offsets = watch.head.targets.iter().map(|target| offset_micros(&target.id, slot_micros)).collect();
    let n = watch.head.targets.len();
    let watcher = Rc::new(Watcher {
        prober,
        urls,
        slot_micros,
        vias: vias(watch.probe.ip),
        confirm: watch.probe.confirm.clone(),
        at_work: (0..n).map(|_| Cell::new(false)).collect(),
        room: tokio::sync::Semaphore::new(watch.looks.max(1)),
        spool: RefCell::new(Spool::new(&watch.settings.spool, watch.head)),
        unwritten: Cell::new(0),
        meter: watch.meter,
    });
    let mut looks = JoinSet::new();
    if let Some(agenda) = Agenda::new(slot_micros, offsets, Ts::now()) {
        let references = watch.probe.own_network.as_ref().unwrap_or(&watch.settings.network).timeout;
        let verdict = watch.probe.longest_verdict() + references * u32::from(watch.probe.confirm.attempts.get()) + 2 * SYNC_EVERY;
        watcher.go_round(agenda, verdict, &mut looks, &watch.stop).await;
    } else {
        watch.stop.cancelled().await;
    }
    let ended = async { while looks.join_next().await.is_some() {} };
    // A failure that could not be confirmed any more is kept as it is, and proves nothing.
    let _in_time = tokio::time::timeout(watch.probe.timeout.0, ended).await;
    looks.abort_all();
    Rc::clone(&watcher).write().await;
    watcher.sync().await;
    Ok(())
}

/// The address that is really asked (`[rewrite]`).
fn asked(settings: &Settings, url: &Url) -> Url {
    Url::parse(&settings.rewritten(url.as_str())).unwrap_or_else(|_| url.clone())
}

fn vias(ip: Ip) -> Vec<Via> {
    match ip {
        Ip::V4 => vec![Via::Only(Family::V4)],
        Ip::V6 => vec![Via::Only(Family::V6)],
        Ip::Both => vec![Via::Only(Family::V4), Via::Only(Family::V6)],
        Ip::Any => vec![Via::Any],
    }
}

/// What the looks of one probe share; all of them run in one thread.
struct Watcher {
    prober: Prober,
    urls: Vec<Url>,
    slot_micros: i64,
    vias: Vec<Via>,
    confirm: Confirm,
    at_work: Vec<Cell<bool>>,
    room: tokio::sync::Semaphore,
    spool: RefCell<Spool>,
    /// Attempts that the spool has taken and not written.
    unwritten: Cell<u64>,
    meter: Arc<Meter>,
}

impl Watcher {
    async fn go_round(self: &Rc<Self>, mut agenda: Agenda, verdict: Duration, looks: &mut JoinSet<()>, stop: &CancellationToken) {
        let mut sync = tokio::time::interval(SYNC_EVERY);
        sync.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            while let Some(due) = agenda.take(Ts::now()) {
                self.begin(due, looks);
            }
            while let Some(ended) = looks.try_join_next() {
                self.see(ended);
            }
            let until = Duration::from_micros(u64::try_from(agenda.peek().at - Ts::now().micros()).unwrap_or_default());
            tokio::select! {
                () = stop.cancelled() => return,
                _ = sync.tick() => {
                    // Attempts of an hour may end a whole verdict after it.
                    let closed = self.spool.borrow_mut().close_before(hour_of(Ts::now().minus(verdict)));
                    self.do_beside(closed, 0);
                    spawn_local(Rc::clone(self).sync());
                }
                () = tokio::time::sleep(until.clamp(TICK, LONGEST_SLEEP)) => {}
            }
        }
    }

    fn begin(self: &Rc<Self>, due: Due, looks: &mut JoinSet<()>) {
        if self.at_work[due.target].replace(true) {
            self.meter.skipped();
        } else {
            looks.spawn_local(Rc::clone(self).look(due));
        }
    }

    /// A look that ended by a fault of ours leaves its slot unknown, and its target free for the next one.
    fn see(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended {
            tracing::error!(error = %error, "a look at a portal ended by a fault of this program");
        }
    }

    /// One verdict: looked at until each protocol was answered, or failed as often as it takes.
    async fn look(self: Rc<Self>, due: Due) {
        let _free = Free(&self.at_work[due.target]);
        let Ok(_room) = self.room.acquire().await else { return };
        let late = late(due);
        self.meter.began(due.hour(), late);
        let mut open = self.vias.clone();
        for no in 1..=self.confirm.attempts.get() {
            self.attempt(due, no, if no == 1 { late } else { Duration::ZERO }, &mut open).await;
            match self.confirm.spacing.get(usize::from(no) - 1) {
                Some(wait) if !open.is_empty() => tokio::time::sleep(wait.0).await,
                _ => break,
            }
        }
    }

    /// One attempt over every protocol that is still open; those that were answered are closed.
    async fn attempt(self: &Rc<Self>, due: Due, no: u8, late: Duration, open: &mut Vec<Via>) {
        let url = &self.urls[due.target];
        let looks = match open[..] {
            [a, b] => {
                // Boxed, so that a task that needs one look does not carry the room for three.
                let (a_look, b_look) = tokio::join!(Box::pin(self.prober.look(url, a)), Box::pin(self.prober.look(url, b)));
                vec![(a, a_look), (b, b_look)]
            }
            _ => match open.first() {
                Some(via) => vec![(*via, self.prober.look(url, *via).await)],
                None => Vec::new(),
            },
        };
        let mut seen: Vec<(Via, Look)> = looks.into_iter().filter_map(|(via, look)| Some((via, look?))).collect();
        if let (true, Some(via)) = (seen.is_empty(), open.first()) {
            seen.push((*via, Look::without_address(url)));
        }
        let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let (target, slot) = (number(due.target as i64), number((due.slot - due.hour().micros()) / self.slot_micros));
        for (via, look) in &seen {
            self.keep(due, &look.kept(*via, (target, slot, no), late));
        }
        open.retain(|via| seen.iter().any(|(of, look)| of == via && look.failure.is_some()));
    }

    fn keep(self: &Rc<Self>, due: Due, attempt: &Attempt) {
        self.meter.attempt(attempt);
        if let Err(error) = self.spool.borrow_mut().append(due.hour(), attempt) {
            self.not_kept(1, &error);
            return;
        }
        self.unwritten.set(self.unwritten.get() + 1);
        if self.unwritten.get() == 1 {
            // It runs after the looks that are ready now: what ends in one moment is written in one call.
            spawn_local(Rc::clone(self).write());
        }
    }

    async fn write(self: Rc<Self>) {
        tokio::task::yield_now().await;
        let n = self.unwritten.replace(0);
        let written = self.spool.borrow_mut().write();
        self.do_beside(written, n);
    }

    fn do_beside(&self, written: std::io::Result<Vec<Chore>>, n: u64) {
        match written {
            Ok(chores) => chores.into_iter().for_each(|chore| drop(spawn_local(aside(chore)))),
            Err(error) => self.not_kept(n, &error),
        }
    }

    fn not_kept(&self, n: u64, error: &std::io::Error) {
        self.meter.not_kept(n);
        tracing::error!(error = %error, attempts = n, "attempts could not be kept: their slots are not known; look at the disk of `spool`");
    }

    async fn sync(self: Rc<Self>) {
        let chores = self.spool.borrow_mut().unsynced();
        for chore in chores {
            aside(chore).await;
        }
    }
}

/// Frees a target when its look ends, however it ends.
struct Free<'a>(&'a Cell<bool>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn late(due: Due) -> Duration {
    Duration::from_micros(u64::try_from(Ts::now().micros() - due.at).unwrap_or_default())
}

/// Does what the disk may take long for.
async fn aside(chore: Chore) {
    match tokio::task::spawn_blocking(|| chore.run()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(error = %error, "the spool cannot be synced or packed; look at its disk"),
        Err(error) => tracing::error!(error = %error, "syncing or packing the spool ended by a fault of this program"),
    }
}
