//! Politeness: at most so many requests per host and time, and at once, across all collectors and copies of this process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::collect::collector::Rate;
use crate::model::Ts;
use crate::store::Db;

/// Who may ask which host when.
#[derive(Default)]
pub struct Politeness {
    hosts: Mutex<HashMap<String, Vec<Arc<Allowance>>>>,
    /// What each origin's robots.txt says.
    pub(super) robots: super::robots::Cache,
    shared: Option<Shared>,
}

/// What one collector allows itself at a host.
struct Allowance {
    rate: Rate,
    limiter: DefaultDirectRateLimiter,
    turns: Arc<Semaphore>,
}

/// Where several copies agree on turns.
struct Shared {
    db: Db,
    owner: String,
    n_turns: AtomicU64,
}

/// A turn that other copies respect ends by itself after this long: a copy that died does not block a host for ever.
const TURN_LASTS: Duration = Duration::from_secs(300);
/// How often a turn that another copy has is asked for again.
const TURN_ASKED: Duration = Duration::from_millis(250);

/// The right to make one request; ends when dropped.
pub struct Turn(
    #[expect(dead_code, reason = "held until it is dropped")] Vec<OwnedSemaphorePermit>,
    #[expect(dead_code, reason = "held until it is dropped")] Option<SharedTurn>,
);

/// A turn that other copies respect.
struct SharedTurn {
    db: Db,
    name: String,
    slot: i32,
    holder: String,
}

impl Drop for SharedTurn {
    fn drop(&mut self) {
        let (db, name, slot, holder) = (self.db.clone(), self.name.clone(), self.slot, self.holder.clone());
        // Without a runtime nobody is left to ask; then the turn ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = db.release(&name, slot, &holder, Ts::now()).await {
                    tracing::debug!(error = %error, "a turn at a host ends by itself");
                }
            });
        }
    }
}

impl Politeness {
    /// Rates and turns that every process on this database shares.
    pub fn shared(db: &Db, owner: &str) -> Politeness {
        let shared = Shared { db: db.clone(), owner: owner.to_owned(), n_turns: AtomicU64::new(0) };
        Politeness { shared: Some(shared), ..Politeness::default() }
    }

    /// Waits until every collector that asks this host would allow a request, so the strictest rate holds.
    ///
    /// Requests are spread evenly, without a burst: what is stated as 12 a minute is one in five seconds.
    /// A loopback address (demo, tests) is not rated. While the database is away, this process keeps its own rates.
    pub async fn wait(&self, host: &str, rate: &Rate) -> Turn {
        let allowances = self.allowances(host, rate);
        let mut permits = Vec::new();
        for allowance in &allowances {
            permits.push(Arc::clone(&allowance.turns).acquire_owned().await.expect("the semaphore of a host is never closed"));
            if !is_loopback(host) {
                allowance.limiter.until_ready().await;
            }
        }
        let shared = match &self.shared {
            Some(shared) if !is_loopback(host) => shared.wait(host, &allowances).await,
            Some(_) | None => None,
        };
        Turn(permits, shared)
    }

    /// Forgets what collectors allowed themselves: their files were read again and may allow more.
    pub fn forget_rates(&self) {
        self.hosts.lock().expect("no one panics while holding the table of hosts").clear();
    }

    fn allowances(&self, host: &str, rate: &Rate) -> Vec<Arc<Allowance>> {
        let mut hosts = self.hosts.lock().expect("no one panics while holding the table of hosts");
        let of_host = hosts.entry(host.to_owned()).or_default();
        if !of_host.iter().any(|allowance| allowance.rate == *rate) {
            let quota = Quota::with_period(every(rate)).unwrap_or(Quota::per_second(rate.requests));
            let turns = Arc::new(Semaphore::new(rate.concurrency.get() as usize));
            of_host.push(Arc::new(Allowance { rate: *rate, limiter: RateLimiter::direct(quota), turns }));
        }
        of_host.clone()
    }
}

impl Shared {
    /// A turn among all copies, at the strictest rate of those known here; `None` if the database does not say.
    async fn wait(&self, host: &str, allowances: &[Arc<Allowance>]) -> Option<SharedTurn> {
        let every = allowances.iter().map(|allowance| every(&allowance.rate)).max()?;
        let slots = allowances.iter().map(|allowance| allowance.rate.concurrency.get()).min()?;
        let turn = self.turn(host, i32::try_from(slots).unwrap_or(i32::MAX)).await?;
        let now = Ts::now();
        let at = self.db.reserve_request(host, every, now).await.ok()?;
        tokio::time::sleep(at.since(now)).await;
        Some(turn)
    }

    async fn turn(&self, host: &str, slots: i32) -> Option<SharedTurn> {
        let name = format!("host:{host}");
        let holder = format!("{}#{}", self.owner, self.n_turns.fetch_add(1, Ordering::Relaxed));
        loop {
            let now = Ts::now();
            match self.db.lease(&name, slots, &holder, now, now.plus(TURN_LASTS)).await {
                Ok(Some(slot)) => return Some(SharedTurn { db: self.db.clone(), name, slot, holder }),
                Ok(None) => tokio::time::sleep(TURN_ASKED).await,
                Err(error) => {
                    tracing::debug!(error = %error, "the database does not say whose turn at {host} it is");
                    return None;
                }
            }
        }
    }
}

/// The time between two requests.
fn every(rate: &Rate) -> Duration {
    rate.per.0 / rate.requests.get()
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
