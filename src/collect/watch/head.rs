//! What the attempts of an hour are about: kept at the head of its spool and of its evidence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slots::offset_micros;
use crate::collect::collector::{Ip, ProbeSource};
use crate::model::{Portal, Ts};
use crate::rollup::{Attempt, Family, HourPart, Watched};

/// Format version of spool and evidence.
pub const HEAD_SCHEMA: u32 = 1;

/// One sitting's hour: who watched what, by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Format version.
    pub schema: u32,
    /// Collector id.
    pub collector: String,
    /// When the hour began.
    pub hour: Ts,
    /// Who watched: a copy of the service, from when on.
    pub sitting: String,
    /// Length of a slot.
    pub slot_micros: i64,
    /// Attempts that make a verdict.
    pub confirm: u8,
    /// A slower answer is degraded.
    pub slower_than_micros: Option<i64>,
    /// Whether IPv6 was asked too, for a verdict of its own.
    pub both: bool,
    /// SHA-256 of the collector file.
    pub spec: String,
    /// What was watched; an attempt names its target by its place here.
    pub targets: Vec<Target>,
}

/// A portal as it was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Portal id.
    pub id: String,
    /// What was asked.
    pub url: url::Url,
}

/// The id under which IPv6 is kept where both protocols were asked.
pub fn over_v6(target: &str) -> String {
    format!("{target}@ipv6")
}

/// The portals of a day, in the order of their offsets.
pub fn targets<'a>(portals: impl IntoIterator<Item = &'a Portal>, slot_micros: i64) -> Vec<Target> {
    let mut targets: Vec<Target> = portals.into_iter().map(|portal| Target { id: portal.id.clone(), url: portal.url.clone() }).collect();
    targets.sort_by_cached_key(|target| (offset_micros(&target.id, slot_micros), target.id.clone()));
    targets
}

impl Head {
    /// Of an hour that this probe watches.
    pub fn new(collector: &str, probe: &ProbeSource, spec: &str, targets: Vec<Target>, sitting: &str, hour: Ts) -> Head {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Head {
            schema: HEAD_SCHEMA,
            collector: collector.to_owned(),
            hour,
            sitting: sitting.to_owned(),
            slot_micros: probe.slot_micros(),
            confirm: probe.confirm.attempts.get(),
            slower_than_micros: probe.degraded.map(|degraded| micros(degraded.slower_than.0)),
            both: probe.ip == Ip::Both,
            spec: spec.to_owned(),
            targets,
        }
    }
}

/// An hour while its attempts are read, one target after the other.
pub struct Rolling<'a> {
    head: &'a Head,
    slower_than: Option<Duration>,
    whole: Vec<Option<Watched>>,
    v6: Vec<Option<Watched>>,
    /// How many attempts were taken.
    pub attempts: u64,
}

impl<'a> Rolling<'a> {
    /// Nothing read yet.
    pub fn new(head: &'a Head) -> Rolling<'a> {
        let none = || std::iter::repeat_with(|| None).take(head.targets.len()).collect();
        let slower_than = head.slower_than_micros.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        Rolling { head, slower_than, whole: none(), v6: none(), attempts: 0 }
    }

    /// Takes an attempt, in any order.
    pub fn take(&mut self, attempt: &Attempt) {
        let (head, at) = (self.head, attempt.target as usize);
        let watched = || Watched::new(head.hour, head.slot_micros);
        let Some(whole) = self.whole.get_mut(at) else { return };
        whole.get_or_insert_with(watched).take(attempt, head.confirm, self.slower_than);
        if head.both && attempt.family == Family::V6 {
            self.v6[at].get_or_insert_with(watched).take(attempt, head.confirm, self.slower_than);
        }
        self.attempts += 1;
    }

    /// The hour of every target that was looked at, by target.
    pub fn done(self) -> Vec<(String, HourPart)> {
        let targets = self.head.targets.iter();
        let parts = targets.zip(self.whole.into_iter().zip(self.v6)).flat_map(|(target, (whole, v6))| {
            let whole = whole.and_then(Watched::done).map(|part| (target.id.clone(), part));
            let v6 = v6.and_then(Watched::done).map(|part| (over_v6(&target.id), part));
            whole.into_iter().chain(v6)
        });
        let mut parts: Vec<(String, HourPart)> = parts.collect();
        parts.sort_by(|(a, _), (b, _)| a.cmp(b));
        parts
    }
}
