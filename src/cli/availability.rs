//! `thuocdo availability`: how available a portal was, with coverage, bounds, and every interval and what proves it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use chrono::NaiveDate;
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::{self, Format, Table, say};
use crate::collect::collector::{ProbeSource, Source};
use crate::collect::watch::close::window_of;
use crate::collect::watch::{Ground, over_v6};
use crate::model::{Exact, Period, PeriodKind, SlotState, Ts, Window};
use crate::rollup::{Availability, Days, HourPart, Options, Outage, Segment, ServiceHours, Tally, outages, tally};
use crate::store::{Db, HourQuery, HourRow};

/// Arguments of `availability`.
#[derive(Debug, Args)]
pub struct AvailabilityArguments {
    /// Portal, or PORTAL@ipv6
    #[arg(long, value_name = "ID")]
    target: String,
    /// First day in Vietnam, or an instant
    #[arg(long, value_name = "DAY")]
    from: String,
    /// Last day in Vietnam, inclusive, or the instant before which it ends; the clock if not stated
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Who watched
    #[arg(long, value_name = "ID", default_value = "portals")]
    collector: String,
    /// Only what was recorded until then
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Ts>,
    /// Maintenance counts only if announced so many whole working days before
    #[arg(long, value_name = "DAYS")]
    notice: Option<u32>,
    /// When it must be up, like 07:30-11:30,13:30-17:00
    #[arg(long, value_name = "HOURS")]
    hours: Option<String>,
    /// Only on working days
    #[arg(long, requires = "hours", help = "Only on working days (with --hours)")]
    working_days: bool,
    /// A slow answer counts as down
    #[arg(long)]
    slow_is_down: bool,
}

/// The figure with everything it is made of. Shares from 0 to 1; times in seconds.
#[derive(Debug, Serialize)]
struct Figure {
    target: String,
    window: Window,
    terms: String,
    #[serde(flatten)]
    availability: Availability,
    up_seconds: Exact,
    degraded_seconds: Exact,
    down_seconds: Exact,
    maintenance_seconds: Exact,
    unknown_seconds: Exact,
    latency_p50_seconds: Option<Exact>,
    latency_p95_seconds: Option<Exact>,
    latency_p99_seconds: Option<Exact>,
    outages: Vec<Outage>,
    intervals: Vec<Stretch>,
}

/// A stretch that is not up.
#[derive(Debug, Serialize)]
struct Stretch {
    from: Ts,
    to: Ts,
    seconds: Exact,
    state: SlotState,
    cause: String,
    attempts: i64,
    text: String,
    /// SHA-256 of the hours that prove it.
    evidence: Vec<String>,
}

/// Prints the figure; exit code 1 if nothing is known of the time asked for.
pub async fn availability(arguments: &AvailabilityArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let db = installation.existing_db().await?;
    let asked = window(arguments, Ts::now())?;
    let options = options(arguments)?;
    let rules = rules(installation, &arguments.collector)?;
    let registry = &installation.catalogue.registry;
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe: &rules };
    let of_target = |id: &str| id == arguments.target || over_v6(id) == arguments.target;
    let portal = registry.portals().iter().find(|portal| of_target(&portal.id));
    let window = match portal {
        Some(portal) => ground
            .watched_within(portal, asked)
            .with_context(|| format!("{} was not to be watched then (registry/portals.csv)", portal.id))?,
        None => asked,
    };
    let rows = hours(arguments, &db, window).await?;
    if portal.is_none() && rows.is_empty() {
        bail!("{} never watched {:?}; registry/portals.csv lists what is watched", arguments.collector, arguments.target);
    }
    let parts: Vec<HourPart> = rows.iter().map(|row| row.part.clone()).collect();
    let laid = ground.laid(portal.map_or(arguments.target.as_str(), |portal| &portal.id), &parts, window, &options);
    let evidence = evidence(&db, &arguments.collector, window, &rows).await?;
    let figure = figure(&arguments.target, window, &laid, &parts, &ground, &options, &evidence);
    installation.say_note(format);
    print(&figure, format)?;
    Ok(if figure.availability.share.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From a day or instant to a day or instant, never into the future.
fn window(arguments: &AvailabilityArguments, now: Ts) -> anyhow::Result<Window> {
    let day = |text: &str| text.parse::<NaiveDate>().ok().map(|date| window_of(Period::holding(PeriodKind::Day, date)));
    let wrong = |text: &str| format!("{text:?} is neither a day like 2026-11-01 nor an instant like 2026-11-01T08:00:00+07:00");
    let instant = |text: &str| text.parse::<Ts>().with_context(|| wrong(text));
    let from = day(&arguments.from).map_or_else(|| instant(&arguments.from), |day| Ok(day.from))?;
    let to = match &arguments.to {
        None => now,
        Some(text) => day(text).map_or_else(|| instant(text), |day| Ok(day.to))?,
    };
    let window = Window { from, to: to.min(now) };
    ensure!(from < now, "{} has not begun", arguments.from);
    ensure!(window.from < window.to, "--from {} is not before --to {}", arguments.from, arguments.to.as_deref().unwrap_or("now"));
    Ok(window)
}

fn options(arguments: &AvailabilityArguments) -> anyhow::Result<Options> {
    let days = if arguments.working_days { Days::Working } else { Days::All };
    let hours = arguments.hours.as_ref().map(|text| ServiceHours::new(days, &text.split(',').map(str::to_owned).collect::<Vec<_>>()));
    Ok(Options { degraded_is_up: !arguments.slow_is_down, notice_working_days: arguments.notice, service_hours: hours.transpose()? })
}

/// How portals are watched; records that were taken over know no slots, and no rules.
fn rules(installation: &Installation, collector: &str) -> anyhow::Result<ProbeSource> {
    match installation.catalogue.collectors.get(collector).map(|loaded| &loaded.collector.source) {
        Some(Source::Probe(probe)) => Ok((**probe).clone()),
        Some(Source::File(_)) => toml::from_str("every = \"1s\"").context("rules of no probe"),
        Some(Source::Http(_)) | None => {
            let probes = installation.catalogue.collectors.iter().filter(|(_, loaded)| !matches!(loaded.collector.source, Source::Http(_)));
            let known = probes.map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
            bail!("{collector:?} watches nothing; there are: {known}")
        }
    }
}

async fn hours(arguments: &AvailabilityArguments, db: &Db, window: Window) -> anyhow::Result<Vec<HourRow>> {
    // The hour in which the window begins may have begun before it.
    let hours = Window { from: crate::rollup::hour_of(window.from), to: window.to };
    let as_of = arguments.as_of.unwrap_or_else(Ts::now);
    Ok(db.hours(&HourQuery { collector: &arguments.collector, target: Some(&arguments.target), window: hours, as_of }).await?)
}

/// The evidence of each hour, by its first instant.
async fn evidence(db: &Db, collector: &str, window: Window, rows: &[HourRow]) -> anyhow::Result<BTreeMap<Ts, Vec<String>>> {
    let hours = Window { from: crate::rollup::hour_of(window.from), to: window.to };
    let mut by_hour: BTreeMap<Ts, Vec<String>> = BTreeMap::new();
    for (due_at, attempt, sha256) in db.hour_evidence(collector, hours).await? {
        if rows.iter().any(|row| (row.due_at, row.attempt) == (due_at, attempt)) {
            by_hour.entry(due_at).or_default().push(sha256.to_string());
        }
    }
    Ok(by_hour)
}

fn figure(
    target: &str,
    window: Window,
    laid: &[Segment],
    parts: &[HourPart],
    ground: &Ground<'_>,
    options: &Options,
    evidence: &BTreeMap<Ts, Vec<String>>,
) -> Figure {
    let time: Tally = tally(laid);
    let mut latency = crate::rollup::Histogram::default();
    // Latencies are counted by the hour: those of the whole hours of the window, and of none where only parts of hours serve.
    let whole = |part: &&HourPart| {
        let end = part.hour.plus(std::time::Duration::from_secs(3600));
        window.from <= part.hour && end <= window.to && options.service_hours.is_none()
    };
    parts.iter().filter(whole).for_each(|part| latency.merge(&part.latency));
    let quantile = |per_cent| latency.quantile_micros(per_cent).map(|micros| seconds(i64::try_from(micros).unwrap_or(i64::MAX)));
    let intervals = laid.iter().filter(|segment| segment.state != SlotState::Up).map(|segment| Stretch {
        from: segment.window.from,
        to: segment.window.to,
        seconds: seconds(segment.window.micros()),
        state: segment.state,
        cause: if segment.state == SlotState::Maintenance { "announced".to_owned() } else { segment.cause.to_string() },
        attempts: segment.attempts,
        text: segment.text.clone(),
        evidence: evidence.range(crate::rollup::hour_of(segment.window.from)..segment.window.to).flat_map(|(_, all)| all.clone()).collect(),
    });
    Figure {
        target: target.to_owned(),
        window,
        terms: options.to_string(),
        availability: Availability::of(time, &ground.terms(options)),
        up_seconds: seconds(time.up),
        degraded_seconds: seconds(time.degraded),
        down_seconds: seconds(time.down),
        maintenance_seconds: seconds(time.maintenance),
        unknown_seconds: seconds(time.unknown),
        latency_p50_seconds: quantile(50),
        latency_p95_seconds: quantile(95),
        latency_p99_seconds: quantile(99),
        outages: outages(laid),
        intervals: intervals.collect(),
    }
}

fn seconds(micros: i64) -> Exact {
    Exact::quotient_half_up(&[Exact::from(micros)], &[Exact::from(1_000_000)], 6).unwrap_or_default()
}

fn print(figure: &Figure, format: Format) -> anyhow::Result<()> {
    if format == Format::Table {
        let Availability { share, coverage, least, most } = figure.availability;
        let percent = |share: Option<Exact>| share.map_or("—".to_owned(), percent);
        say!(
            "{} {} … {}{}",
            figure.target,
            figure.window.from,
            figure.window.to,
            if figure.terms.is_empty() { String::new() } else { format!(" ({})", figure.terms) }
        );
        say!("available {}   coverage {}   between {} and {}", percent(share), percent(coverage), percent(least), percent(most));
        say!(
            "up {} s   slow {} s   down {} s   maintenance {} s   not known {} s   outages {}",
            figure.up_seconds,
            figure.degraded_seconds,
            figure.down_seconds,
            figure.maintenance_seconds,
            figure.unknown_seconds,
            figure.outages.len()
        );
        if let (Some(p50), Some(p95), Some(p99)) = (figure.latency_p50_seconds, figure.latency_p95_seconds, figure.latency_p99_seconds) {
            say!("answered within {p50} s (p50)   {p95} s (p95)   {p99} s (p99) in the whole hours of it");
        }
    }
    let mut table = Table::new(&["from", "to", "seconds", "state", "cause", "attempts", "what was seen", "evidence"]);
    for interval in &figure.intervals {
        table.row([
            interval.from.to_string(),
            interval.to.to_string(),
            interval.seconds.to_string(),
            interval.state.to_string(),
            interval.cause.clone(),
            interval.attempts.to_string(),
            interval.text.clone(),
            interval.evidence.iter().map(|sha256| &sha256[..12]).collect::<Vec<_>>().join("\n"),
        ]);
    }
    output::print(format, figure, &table)
}

fn percent(share: Exact) -> String {
    let hundredfold = Exact::quotient_half_up(&[share, Exact::from(100)], &[Exact::ONE], 4);
    hundredfold.map_or_else(|_| share.to_string(), |percent| format!("{} %", percent.fixed(4)))
}
