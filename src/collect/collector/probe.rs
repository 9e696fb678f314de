//! Probes: how portals are watched, slot by slot, and what counts as up.

use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::model::{Size, Span};
use crate::settings::Network;

/// Where the portals stand that are watched.
pub const PORTALS: &str = "registry/portals.csv";

/// Watching portals: every one of them in every slot.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSource {
    /// Length of a slot; slots are aligned to the hour by the wall clock. Default 60s.
    #[serde(default = "minute")]
    pub every: Span,
    /// Of one attempt, from the name to the last byte, redirects included. Default 10s.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// How often a failure is tried again before it counts.
    #[serde(default)]
    pub confirm: Confirm,
    /// How our own network is told from a portal that is down; `[network]` of the settings if not stated.
    #[serde(default)]
    pub own_network: Option<Network>,
    /// What is watched: the rows of registry/portals.csv.
    #[serde(default = "portals")]
    pub targets: String,
    /// By which protocols. Default both, each with a verdict of its own.
    #[serde(default)]
    pub ip: Ip,
    /// Which redirects are followed.
    #[serde(default)]
    pub redirects: Redirects,
    /// What counts as up.
    #[serde(default)]
    pub up: Up,
    /// Texts of pages that say that the portal is being maintained; such a page is not up.
    #[serde(default)]
    pub maintenance_page: Vec<String>,
    /// What counts as degraded; nothing if not stated.
    #[serde(default)]
    pub degraded: Option<Degraded>,
    /// What the name of a portal must look like (Decree 224/2026/NĐ-CP, art. 11.4), `*` for any labels; one of them.
    #[serde(default)]
    pub domain: Vec<String>,
    /// How much of a page is read and searched; what lies behind is left. Default 256KiB.
    #[serde(default = "body")]
    pub body: Size,
}

fn minute() -> Span {
    Span::seconds(60)
}

fn timeout() -> Span {
    Span::seconds(10)
}

fn portals() -> String {
    PORTALS.to_owned()
}

fn body() -> Size {
    Size(256 << 10)
}

/// How often a failure is tried again before it counts, and after which waits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// Attempts that make a verdict, the first included.
    pub attempts: NonZeroU8,
    /// The waits between them, one fewer.
    #[serde(default)]
    pub spacing: Vec<Span>,
}

impl Default for Confirm {
    fn default() -> Confirm {
        let attempts = const { NonZeroU8::new(3).expect("3 is not 0") };
        Confirm { attempts, spacing: vec![Span::seconds(5), Span::seconds(15)] }
    }
}

/// By which internet protocols a portal is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ip {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Both, each with attempts of its own; the portal is up if one of them is.
    #[default]
    Both,
    /// IPv4 if the name has such an address, else IPv6.
    Any,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redirects {
    /// At most so many. Default 3.
    pub max: u8,
    /// Only within the registrable domain (`x.quangninh.gov.vn` and `quangninh.gov.vn`). Default true.
    pub same_site: bool,
}

impl Default for Redirects {
    fn default() -> Redirects {
        Redirects { max: 3, same_site: true }
    }
}

/// What counts as up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Up {
    /// Status codes of the last answer. Default 200-399.
    pub status: Vec<StatusRange>,
    /// What certificates must be. Default valid.
    pub tls: Tls,
    /// Texts that the page must hold.
    pub body_has: Vec<String>,
    /// Texts that it must not hold.
    pub body_lacks: Vec<String>,
}

impl Default for Up {
    fn default() -> Up {
        Up { status: vec![StatusRange(200..=399)], tls: Tls::Valid, body_has: Vec::new(), body_lacks: Vec::new() }
    }
}

/// What certificates must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// The chain leads to a trusted root, the name fits, and today lies within its time.
    Valid,
    /// Anything; what is wrong with it is not asked.
    Any,
}

/// Status codes: `200` or `"200-399"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRange(pub RangeInclusive<u16>);

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StatusRange, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = StatusRange;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a status like 200, or a range like \"200-399\"")
            }
            fn visit_i64<E: serde::de::Error>(self, status: i64) -> Result<StatusRange, E> {
                let status = u16::try_from(status).ok().filter(|status| (100..=599).contains(status));
                status
                    .map(|status| StatusRange(status..=status))
                    .ok_or_else(|| E::custom("there is no such status; write one from 100 to 599"))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<StatusRange, E> {
                let (from, to) = text.split_once('-').unwrap_or((text, text));
                let range =
                    from.trim().parse().ok().zip(to.trim().parse().ok()).filter(|(from, to)| 100 <= *from && from <= to && *to <= 599u16);
                let bad = || E::custom(format!("{text:?} is no range of statuses; write one like \"200-399\""));
                range.map(|(from, to)| StatusRange(from..=to)).ok_or_else(bad)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What counts as degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Degraded {
    /// An answer that takes longer, all phases together.
    pub slower_than: Span,
}

/// What is wrong with a probe, the keys below `[source.probe]` where it stands, and the fix.
pub type Fault = (&'static [&'static str], String, &'static str);

/// An hour holds whole slots, so that it can be sealed.
const HOUR: Duration = Duration::from_secs(3600);
/// The failures of a slot are told apart by a bit each (`rollup::Watched`).
const MOST_ATTEMPTS: u8 = 7;
/// Longer times are not kept apart (`rollup::Latency`).
const LONGEST_ATTEMPT: Duration = Duration::from_secs(59);

impl ProbeSource {
    /// How long the attempts of one verdict may take together.
    pub fn longest_verdict(&self) -> Duration {
        let confirm = &self.confirm;
        self.timeout.0 * u32::from(confirm.attempts.get()) + confirm.spacing.iter().map(|wait| wait.0).sum::<Duration>()
    }

    /// Length of a slot in microseconds.
    pub fn slot_micros(&self) -> i64 {
        i64::try_from(self.every.0.as_micros()).unwrap_or(i64::MAX)
    }

    /// Whether a status is one of those that count as up.
    pub fn takes_status(&self, status: u16) -> bool {
        self.up.status.iter().any(|range| range.0.contains(&status))
    }

    /// Everything that is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let (every, confirm) = (self.every.0, &self.confirm);
        let mut faults: Vec<Fault> = Vec::new();
        if every.subsec_nanos() != 0 || every > HOUR || !HOUR.as_secs().is_multiple_of(every.as_secs().max(1)) {
            let message = format!("slots of {} do not fill an hour", humantime::format_duration(every));
            faults.push((&["every"], message, "write whole seconds that divide an hour, like \"60s\" or \"5s\""));
        }
        if confirm.attempts.get() > MOST_ATTEMPTS {
            faults.push((&["confirm"], format!("more than {MOST_ATTEMPTS} attempts at a slot"), "write at most 7 attempts"));
        }
        let texts = [
            (&["up", "body_has"][..], &self.up.body_has),
            (&["up", "body_lacks"], &self.up.body_lacks),
            (&["maintenance_page"], &self.maintenance_page),
            (&["domain"], &self.domain),
        ];
        for (keys, _) in texts.into_iter().filter(|(_, texts)| texts.iter().any(|text| text.trim().is_empty())) {
            faults.push((keys, "an empty text is in every page".to_owned(), "remove it, or write what is to be found"));
        }
        if self.timeout.0 > LONGEST_ATTEMPT {
            faults.push((&["timeout"], "an attempt may take 59s at most".to_owned(), "write a shorter time, like \"10s\""));
        }
        if confirm.spacing.len() + 1 != usize::from(confirm.attempts.get()) {
            let (n, waits) = (confirm.attempts, confirm.spacing.len());
            let message = format!("{n} attempts have {} waits between them, and spacing has {waits}", n.get() - 1);
            faults.push((&["confirm"], message, "write one wait fewer than attempts"));
        } else if faults.is_empty() && self.longest_verdict() >= every {
            let (longest, every) = (humantime::format_duration(self.longest_verdict()), humantime::format_duration(every));
            let message = format!("a verdict may take {longest}, and the next slot begins after {every}");
            faults.push((&["confirm"], message, "attempts × timeout + spacing must be shorter than every"));
        }
        if self.targets != PORTALS {
            faults.push((&["targets"], format!("nothing is watched from {:?}", self.targets), "write targets = \"registry/portals.csv\""));
        }
        if self.up.status.is_empty() {
            faults.push((&["up", "status"], "no status would count as up".to_owned(), "write status = [\"200-399\"]"));
        }
        if let Some(fault) = self.own_network.as_ref().and_then(Network::fault) {
            faults.push((&["own_network"], fault.0, fault.1));
        }
        if self.own_network.as_ref().is_some_and(|network| !network.dns.is_empty() || network.loopback_names) {
            let message = "name servers are those of the installation, for every probe".to_owned();
            faults.push((&["own_network"], message, "write dns under [network] in the settings"));
        }
        faults
    }
}
