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
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

struct Host {
    limiter: DefaultDirectRateLimiter,
    turns: Arc<Semaphore>,
}

impl Politeness {
    /// Waits for this host's turn and rate; the turn ends when the permit is dropped.
    ///
    /// The first collector that asks a host sets its rate. A loopback address (demo, tests) is not rated.
    pub async fn wait(&self, host: &str, rate: &Rate) -> OwnedSemaphorePermit {
        let found = self.host(host, rate);
        let turn = Arc::clone(&found.turns).acquire_owned().await.expect("the semaphore of a host is never closed");
        if !is_loopback(host) {
            found.limiter.until_ready().await;
        }
        turn
    }

    fn host(&self, host: &str, rate: &Rate) -> Arc<Host> {
        let mut hosts = self.hosts.lock().expect("no one panics while holding the table of hosts");
        let made = hosts.entry(host.to_owned()).or_insert_with(|| {
            let every = rate.per.0 / rate.requests.get();
            // A burst of the whole allowance, then one at a time: a province's daily round is short.
            let quota = Quota::with_period(every).unwrap_or(Quota::per_second(rate.requests)).allow_burst(rate.requests);
            Arc::new(Host { limiter: RateLimiter::direct(quota), turns: Arc::new(Semaphore::new(rate.concurrency.get() as usize)) })
        });
        Arc::clone(made)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
