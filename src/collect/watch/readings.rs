//! What closed days and longer periods say of portals and units, as readings of indicators. Pure.

use std::collections::BTreeMap;

use super::head::over_v6;
use crate::collect::collector::{Ip, ProbeSource};
use crate::model::{Calendar, Exact, Period, Portal, Reading, Ts, Value};
use crate::rollup::{Availability, DayRow, Terms};

/// Item under which all portals of a unit stand taken as one, up only while every one is.
pub const ALL: &str = "all";
/// Item under which the mean over a unit's portals stands.
pub const MEAN: &str = "mean";
/// Item under which the worst of a unit's portals stands.
pub const WORST: &str = "worst";

/// The target under which days of all portals of a unit are kept.
pub fn all_of_unit(unit: &str) -> String {
    format!("{ALL}:{unit}")
}

/// One period of everything that is watched: days added up, by target.
pub struct Summed<'a> {
    /// Which period.
    pub period: Period,
    /// By target: portals, `PORTAL@ipv6`, and `all:UNIT`.
    pub rows: &'a BTreeMap<String, DayRow>,
    /// By target: the newest day of which something is known.
    pub newest: &'a BTreeMap<String, DayRow>,
    /// The instant up to which it is known: the end of its last closed day.
    pub until: Ts,
    /// Whether slow answers count as up.
    pub degraded_is_up: bool,
}

/// The indicators that the terms of a criterion (service hours, notice, slow answers) change.
pub const ON_TERMS: [&str; 12] = [
    "portal_up_ratio",
    "portal_up_ratio_least",
    "portal_up_ratio_most",
    "portal_coverage_ratio",
    "portal_up_seconds",
    "portal_degraded_seconds",
    "portal_down_seconds",
    "portal_maintenance_seconds",
    "portal_unknown_seconds",
    UNANNOUNCED,
    UNANNOUNCED_MOST,
    "portal_outage_count",
];

/// What probes yield for the portals of a unit taken together; other figures of portals are combined at scoring.
pub fn is_yielded(indicator: &str) -> bool {
    ON_TERMS.contains(&indicator) || FLAGS.contains(&indicator) || matches!(indicator, "portal_latency_seconds" | "portal_tls_days_left")
}

/// The readings of a period, for every portal and for every unit that has some.
pub fn readings(summed: &Summed<'_>, portals: &[&Portal], probe: &ProbeSource, calendar: &Calendar) -> Vec<Reading> {
    let terms = Terms { degraded_is_up: summed.degraded_is_up, service: None, calendar };
    let mut all = Readings { period: summed.period, readings: Vec::new() };
    let mut by_unit: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
    for portal in portals {
        let Some(row) = summed.rows.get(&portal.id) else { continue };
        let mut figures = Figures::of(row, &terms, summed.until);
        let v6 = summed.rows.get(&over_v6(&portal.id));
        figures.flags = flags(portal, probe, summed.newest.get(&portal.id), summed.newest.get(&over_v6(&portal.id)));
        all.add(&portal.unit, &portal.id, &figures);
        if let Some(v6) = v6 {
            all.add(&portal.unit, &over_v6(&portal.id), &Figures::of(v6, &terms, summed.until));
        }
        by_unit.entry(&portal.unit).or_default().push(figures);
    }
    for (unit, figures) in by_unit {
        if let Some(row) = summed.rows.get(&all_of_unit(unit)) {
            let mut together = Figures::of(row, &terms, summed.until);
            together.flags = least_flags(&figures);
            together.tls_days_left = least_days_left(&figures);
            all.add(unit, ALL, &together);
        }
        all.add(unit, MEAN, &mean(&figures));
        all.add(unit, WORST, &worst(&figures));
    }
    all.readings
}

/// Everything that is known of one item; `None` is "no number".
#[derive(Debug, Clone, Default)]
struct Figures {
    availability: Option<Availability>,
    /// Up, degraded, down, maintenance, unknown; in seconds.
    seconds: [Option<Exact>; 5],
    outages: Option<Exact>,
    latency: Option<Exact>,
    tls_days_left: Option<Exact>,
    /// IPv6, HTTPS, domain.
    flags: [Option<bool>; 3],
}

const SECONDS: [&str; 5] =
    ["portal_up_seconds", "portal_degraded_seconds", "portal_down_seconds", "portal_maintenance_seconds", "portal_unknown_seconds"];
const FLAGS: [&str; 3] = ["portal_ipv6", "portal_https", "portal_domain_ok"];
/// Down without a notice that counts, and without one there is no other kind of down.
const UNANNOUNCED: &str = "portal_unannounced_down_seconds";
/// As many, if all that is not known was down.
const UNANNOUNCED_MOST: &str = "portal_unannounced_down_seconds_most";

impl Figures {
    fn of(row: &DayRow, terms: &Terms<'_>, until: Ts) -> Figures {
        let tally = row.tally;
        let seconds = [tally.up, tally.degraded, tally.down, tally.maintenance, tally.unknown];
        Figures {
            availability: Some(Availability::of(tally, terms)),
            seconds: seconds.map(|micros| quotient(micros, 1_000_000, 6)),
            outages: Some(Exact::from(row.outages)),
            latency: row.latency.quantile_micros(95).and_then(|micros| quotient(i64::try_from(micros).ok()?, 1_000_000, 3)),
            tls_days_left: row.certificate_until.map(|ends| Exact::from((ends.micros() - until.micros()).div_euclid(86_400_000_000))),
            flags: [None; 3],
        }
    }
}

fn quotient(part: i64, whole: i64, decimals: u32) -> Option<Exact> {
    Exact::quotient_half_up(&[Exact::from(part)], &[Exact::from(whole)], decimals).ok()
}

/// IPv6, HTTPS and domain of a portal, IPv6 on the newest days of which something is known. That it is not offered over IPv6
/// is seen only where IPv6 was asked for.
fn flags(portal: &Portal, probe: &ProbeSource, row: Option<&DayRow>, v6: Option<&DayRow>) -> [Option<bool>; 3] {
    let over_v6 = match (probe.ip, v6, row) {
        (Ip::Both, Some(v6), row) if row.is_none_or(|row| row.day <= v6.day) => Some(v6.tally.up + v6.tally.degraded > 0),
        (Ip::Both, _, row) => row.map(|_| false),
        (Ip::V4 | Ip::V6 | Ip::Any, _, _) => None,
    };
    let host = portal.url.host_str().unwrap_or_default();
    let fits = (!probe.domain.is_empty()).then(|| probe.domain.iter().any(|pattern| fits(host, pattern)));
    [over_v6, Some(portal.url.scheme() == "https"), fits]
}

/// Whether a host is written like a pattern: `*` stands for one label or more.
pub fn fits(host: &str, pattern: &str) -> bool {
    let (host, pattern) = (host.to_lowercase(), pattern.to_lowercase());
    match pattern.strip_prefix("*.") {
        Some(rest) => host.strip_suffix(rest).and_then(|before| before.strip_suffix('.')).is_some_and(|labels| !labels.is_empty()),
        None => host == pattern,
    }
}

fn least_flags(figures: &[Figures]) -> [Option<bool>; 3] {
    [0, 1, 2].map(|no| figures.iter().map(|figures| figures.flags[no]).min().flatten())
}

/// The fewest days that a certificate of a unit is valid; no number where one portal shows none.
fn least_days_left(figures: &[Figures]) -> Option<Exact> {
    figures.iter().map(|figures| figures.tls_days_left).min().flatten()
}

/// The mean over a unit's portals; no number where one of them has none.
fn mean(figures: &[Figures]) -> Figures {
    let share = |of: fn(&Availability) -> Option<Exact>| average(figures.iter().map(|f| f.availability.as_ref().and_then(of)), 9);
    Figures {
        availability: Some(Availability {
            share: share(|a| a.share),
            coverage: share(|a| a.coverage),
            least: share(|a| a.least),
            most: share(|a| a.most),
        }),
        seconds: [0, 1, 2, 3, 4].map(|no| average(figures.iter().map(|f| f.seconds[no]), 6)),
        latency: average(figures.iter().map(|f| f.latency), 3),
        ..Figures::default()
    }
}

fn average(values: impl ExactSizeIterator<Item = Option<Exact>>, decimals: u32) -> Option<Exact> {
    let n = Exact::from(i64::try_from(values.len()).ok()?);
    let sum = Exact::sum(values.collect::<Option<Vec<_>>>()?).ok()?;
    Exact::quotient_half_up(&[sum], &[n], decimals).ok()
}

/// The worst of a unit's portals, figure by figure; the share, its coverage and its bounds are those of one portal, or the
/// bounds alone where the share of one is not known.
fn worst(figures: &[Figures]) -> Figures {
    let availabilities: Vec<Availability> = figures.iter().filter_map(|figures| figures.availability).collect();
    let worst_share = availabilities.iter().filter(|_| availabilities.iter().all(|a| a.share.is_some())).min_by_key(|a| a.share);
    let least = |of: fn(&Availability) -> Option<Exact>| availabilities.iter().map(of).min().flatten();
    let most = |of: fn(&Figures) -> Option<Exact>| figures.iter().filter_map(of).max();
    Figures {
        availability: Some(Availability {
            share: worst_share.and_then(|worst| worst.share),
            // One that is hardly known might be worse than the worst that is known.
            coverage: least(|a| a.coverage),
            least: least(|a| a.least),
            most: least(|a| a.most),
        }),
        seconds: [
            figures.iter().filter_map(|f| f.seconds[0]).min(),
            most(|f| f.seconds[1]),
            most(|f| f.seconds[2]),
            most(|f| f.seconds[3]),
            most(|f| f.seconds[4]),
        ],
        outages: most(|f| f.outages),
        // A portal that has none might be the worst.
        latency: figures.iter().map(|f| f.latency).collect::<Option<Vec<Exact>>>().and_then(|all| all.into_iter().max()),
        tls_days_left: least_days_left(figures),
        flags: least_flags(figures),
    }
}

struct Readings {
    period: Period,
    readings: Vec<Reading>,
}

impl Readings {
    fn add(&mut self, unit: &str, item: &str, figures: &Figures) {
        if let Some(availability) = figures.availability {
            self.push(unit, item, "portal_up_ratio", availability.share);
            self.push(unit, item, "portal_up_ratio_least", availability.least);
            self.push(unit, item, "portal_up_ratio_most", availability.most);
            self.push(unit, item, "portal_coverage_ratio", availability.coverage);
        }
        for (indicator, seconds) in SECONDS.into_iter().zip(figures.seconds) {
            self.push(unit, item, indicator, seconds);
        }
        let most = figures.seconds[2].zip(figures.seconds[4]).and_then(|(down, unknown)| down.plus(unknown).ok());
        self.push(unit, item, UNANNOUNCED, figures.seconds[2]);
        self.push(unit, item, UNANNOUNCED_MOST, most);
        for (indicator, value) in [
            ("portal_outage_count", figures.outages),
            ("portal_latency_seconds", figures.latency),
            ("portal_tls_days_left", figures.tls_days_left),
        ] {
            // A mean has no outages; what an item has not this time is said, so that an earlier number does not stand.
            if value.is_some() || indicator != "portal_outage_count" {
                self.push(unit, item, indicator, value);
            }
        }
        for (indicator, flag) in FLAGS.into_iter().zip(figures.flags) {
            if let Some(flag) = flag {
                self.push(unit, item, indicator, Some(if flag { Exact::ONE } else { Exact::ZERO }));
            }
        }
    }

    fn push(&mut self, unit: &str, item: &str, indicator: &str, value: Option<Exact>) {
        let place = format!("rollup of {}", self.period);
        let value = value.map_or(Value::Missing, Value::Number);
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::Missing => String::new(),
        };
        let (indicator, unit, item) = (indicator.to_owned(), unit.to_owned(), item.to_owned());
        self.readings.push(Reading { indicator, unit, item, period: self.period, value, flag: String::new(), place, text });
    }
}
