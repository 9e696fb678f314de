//! What the attempts of an hour are about: kept at the head of its spool and of its evidence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slots::offset_micros;
use crate::collect::collector::{Ip, ProbeSource};
use crate::model::{Portal, Sha256, Ts};
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
    /// The collector file.
    pub text: String,
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
    pub fn new(collector: &str, probe: &ProbeSource, text: &str, targets: Vec<Target>, sitting: &str, hour: Ts) -> Head {
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
            spec: Sha256::of(text.as_bytes()).hex().to_owned(),
            text: text.to_owned(),
            targets,
        }
    }
}

/// An hour while its attempts are read, one target after the other.
pub struct Rolling<'a> {
    head: &'a Head,
    /// Number of the first target that is looked at.
    first: usize,
    slower_than: Option<Duration>,
    v4: Vec<Option<Watched>>,
    v6: Vec<Option<Watched>>,
    /// How many attempts were taken.
    pub attempts: u64,
}

impl<'a> Rolling<'a> {
    /// Nothing read yet, of so many targets from one on; attempts at others are only counted.
    pub fn new(head: &'a Head, first: usize, targets: usize) -> Rolling<'a> {
        let n = targets.min(head.targets.len().saturating_sub(first));
        let none = || std::iter::repeat_with(|| None).take(n).collect();
        let slower_than = head.slower_than_micros.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        Rolling { head, first, slower_than, v4: none(), v6: none(), attempts: 0 }
    }

    /// Takes an attempt, in any order.
    pub fn take(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        let (head, at) = (self.head, (attempt.target as usize).wrapping_sub(self.first));
        let watched = || Watched::new(head.hour, head.slot_micros);
        let family = match attempt.family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        let Some(of_target) = family.get_mut(at) else { return };
        of_target.get_or_insert_with(watched).take(attempt, head.confirm, self.slower_than);
    }

    /// The hour of every target that was looked at, by target.
    pub fn done(self) -> Vec<(String, HourPart)> {
        let (both, targets) = (self.head.both, self.head.targets.iter().skip(self.first));
        let parts = targets.zip(self.v4.into_iter().zip(self.v6)).flat_map(|(target, (v4, v6))| {
            let (v4, v6) = (v4.map(Watched::settled), v6.map(Watched::settled));
            let whole = match (v4, &v6) {
                (Some(v4), Some(v6)) => v4.beside(v6).done(),
                (Some(v4), None) => v4.done(),
                (None, Some(v6)) => v6.clone().done(),
                (None, None) => None,
            };
            let apart = v6.filter(|_| both).and_then(Watched::done).map(|part| (over_v6(&target.id), part));
            whole.map(|part| (target.id.clone(), part)).into_iter().chain(apart)
        });
        let mut parts: Vec<(String, HourPart)> = parts.collect();
        parts.sort_by(|(a, _), (b, _)| a.cmp(b));
        parts
    }
}
