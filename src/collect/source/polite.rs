//! Politeness: at most so many requests per host and time, and at once, across all collectors of this process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::collect::collector::Rate;

/// Who may ask which host when.
#[derive(Default)]
pub struct Politeness {
    hosts: Mutex<HashMap<String, Vec<Arc<Allowance>>>>,
    /// What each origin's robots.txt says.
    pub(super) robots: super::robots::Cache,
}

/// What one collector allows itself at a host.
struct Allowance {
    rate: Rate,
    limiter: DefaultDirectRateLimiter,
    turns: Arc<Semaphore>,
}

/// The right to make one request; ends when dropped.
pub struct Turn(#[expect(dead_code, reason = "held until it is dropped")] Vec<OwnedSemaphorePermit>);

impl Politeness {
    /// Waits until every collector that asks this host would allow a request, so the strictest rate holds.
    ///
    /// Requests are spread evenly, without a burst: what is stated as 12 a minute is one in five seconds.
    /// A loopback address (demo, tests) is not rated.
    pub async fn wait(&self, host: &str, rate: &Rate) -> Turn {
        let mut permits = Vec::new();
        for allowance in self.allowances(host, rate) {
            permits.push(Arc::clone(&allowance.turns).acquire_owned().await.expect("the semaphore of a host is never closed"));
            if !is_loopback(host) {
                allowance.limiter.until_ready().await;
            }
        }
        Turn(permits)
    }

    fn allowances(&self, host: &str, rate: &Rate) -> Vec<Arc<Allowance>> {
        let mut hosts = self.hosts.lock().expect("no one panics while holding the table of hosts");
        let of_host = hosts.entry(host.to_owned()).or_default();
        if !of_host.iter().any(|allowance| allowance.rate == *rate) {
            let every = rate.per.0 / rate.requests.get();
            let quota = Quota::with_period(every).unwrap_or(Quota::per_second(rate.requests));
            let turns = Arc::new(Semaphore::new(rate.concurrency.get() as usize));
            of_host.push(Arc::new(Allowance { rate: *rate, limiter: RateLimiter::direct(quota), turns }));
        }
        of_host.clone()
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
