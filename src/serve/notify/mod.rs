//! Telling people: a webhook hears once of each source that becomes stale, changes or recovers, of certificates and secrets
//! that end, and of declarative files that are wrong.
//!
//! What is so, since when, and what was told is kept in the database, so a restart repeats nothing. Something counts as told
//! when the webhook answered with a status of success: it may hear twice, but never not at all. Of several copies only the
//! holder of the lease tells.

mod changes;
mod message;
mod post;
mod says;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use changes::{Changes, Terms, changes};
pub use message::{Posted, Sender};
pub use post::{Answer, PostError, post, post_test};
pub use says::Says;
pub use wanted::{Alert, Facts, alerts};

use super::service::Operation;
use super::{Live, Service, sources};
use crate::collect::run::chain;
use crate::model::{Told, Ts};
use crate::settings::Settings;
use crate::store::{AlertRow, StoreError};

/// How often it is looked what is to be told.
pub const EVERY: Duration = Duration::from_secs(15);

/// The longest wait after a webhook did not take what it was told.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

const LEASE: &str = "notify";

/// Tells people, until the service stops. Without a webhook there is nobody to tell.
pub async fn run(service: Arc<Service>) {
    run_every(service, EVERY).await;
}

/// The same, looking as often as this.
pub async fn run_every(service: Arc<Service>, every: Duration) {
    if service.settings.notify.webhook.is_none() {
        return;
    }
    let mut patience = Patience { first: every, wait: every, next: None };
    let mut slot = None;
    loop {
        match look(&service, every, &mut patience).await {
            Ok(held) => slot = held,
            Err(error) => tracing::warn!(error = %chain(&error), "what is to be told cannot be looked up; nothing is told until it can"),
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = service.stopping.cancelled() => break,
        }
    }
    if let Some(slot) = slot
        && let Err(error) = service.db.release(LEASE, slot, &service.owner, Ts::now()).await
    {
        tracing::warn!(error = %chain(&error), "the right to tell people could not be given back; it ends by itself");
    }
}

/// How long the webhook is left alone.
struct Patience {
    first: Duration,
    wait: Duration,
    next: Option<Instant>,
}

impl Patience {
    fn is_waiting(&self) -> bool {
        self.next.is_some_and(|next| Instant::now() < next)
    }

    /// It took what it was told.
    fn taken(&mut self) {
        *self = Patience { first: self.first, wait: self.first, next: None };
    }

    /// It did not: how long it is left alone now.
    fn refused(&mut self) -> Duration {
        let wait = self.wait;
        self.next = Some(Instant::now() + wait);
        self.wait = (wait * 2).min(LONGEST_WAIT);
        wait
    }
}

/// One look: the right to tell, what is so now, and what people do not know yet. The slot of the right, if it is ours.
async fn look(service: &Service, every: Duration, patience: &mut Patience) -> Result<Option<i32>, StoreError> {
    let db = &service.db;
    let now = Ts::now();
    // Longer than until the next look, the webhook's answer included.
    let until = now.plus(3 * every + service.settings.notify.timeout.0);
    let slot = service.stored(Operation::Write, db.lease(LEASE, 1, &service.owner, now, until)).await?;
    if slot.is_none() {
        return Ok(None);
    }
    let live = service.live();
    let sources = sources::sources(service, &live, now).await?;
    let certificates = service.stored(Operation::Read, db.certificates()).await?;
    let notify = &service.settings.notify;
    let facts =
        Facts { sources: &sources, certificates: &certificates, wrong_files: &wrong_files(&live), expiry_warning: notify.expiry_warning.0 };
    let known = service.stored(Operation::Read, db.alerts()).await?;
    let terms = Terms { now, group_wait: notify.group_wait.0, resend: notify.resend.map(|span| span.0) };
    let changes = changes(&known, &alerts(&facts, now), &terms);
    service.stored(Operation::Write, db.keep_alerts(&changes.keep, &changes.forget)).await?;
    if !changes.tell.is_empty() && !patience.is_waiting() {
        tell(service, &changes.tell, patience).await?;
    }
    Ok(slot)
}

async fn tell(service: &Service, alerts: &[(AlertRow, Told)], patience: &mut Patience) -> Result<(), StoreError> {
    let sender = sender(&service.settings);
    let now = Ts::now();
    let posted: Vec<Posted> = alerts.iter().map(|(row, told)| sender.posted(row, *told, now)).collect();
    let n_firing = alerts.iter().filter(|(_, told)| *told == Told::Firing).count();
    let n_resolved = alerts.len() - n_firing;
    match post(&service.settings, &posted).await {
        Ok(answer) => {
            tracing::info!(webhook = answer.who, n_firing, n_resolved, "told {} of {} alerts", answer.who, alerts.len());
            patience.taken();
            let told: Vec<(&AlertRow, Told)> = alerts.iter().map(|(row, told)| (row, *told)).collect();
            service.stored(Operation::Write, service.db.told(&told, Ts::now())).await
        }
        Err(error) => {
            let wait = humantime::format_duration(patience.refused());
            tracing::warn!(n_firing, n_resolved, error = %error, "{} alerts could not be told; trying again in {wait}", alerts.len());
            Ok(())
        }
    }
}

/// Who tells.
fn sender(settings: &Settings) -> Sender {
    Sender {
        province: settings.province_unit().to_owned(),
        base_url: settings.service.base_url(),
        resend: settings.notify.resend.map(|span| span.0),
    }
}

/// Files that are wrong now, with the first fault of each.
fn wrong_files(live: &Live) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for problem in &live.problems {
        files.entry(problem.file.clone()).or_insert_with(|| problem.to_string());
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::collector::Title;
    use crate::serve::{SourceState, State};

    /// So many minutes after the test's hour.
    pub fn at(minute: i64) -> Ts {
        let hour: Ts = "2026-09-26T06:00:00Z".parse().expect("an instant");
        Ts::from_micros(hour.micros() + minute * 60_000_000).expect("an instant")
    }

    /// A source that stands so.
    pub fn source(id: &str, state: State) -> SourceState {
        SourceState {
            id: id.to_owned(),
            title: Title { vi: format!("Tên {}", id.to_uppercase()), en: id.to_uppercase() },
            owner: String::new(),
            state,
            stale: false,
            stale_after_s: 7200,
            drift: false,
            error: String::new(),
            reason: None,
            last_run: None,
            last_checked: None,
            last_success: None,
            last_changed: None,
            next_due: None,
            retry_at: None,
            left_alone: None,
            data_until: None,
            secret_until: None,
            fallen_back: false,
            running: false,
        }
    }

    #[test]
    fn waits_grow_and_begin_anew() {
        let mut patience = Patience { first: EVERY, wait: EVERY, next: None };
        let waits: Vec<u64> = (0..8).map(|_| patience.refused().as_secs()).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 600, 600]);
        assert!(patience.is_waiting());
        patience.taken();
        assert!(!patience.is_waiting() && patience.refused() == EVERY);
    }
}
