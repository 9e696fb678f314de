//! `thuocdo try`: a collector on a live answer or a sample, everything shown, nothing stored.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::say;
use super::output::{self, Format, Table};
use super::run::{collector, collector_file};
use tokio_util::sync::CancellationToken;

use crate::catalogue::LoadedCollector;
use crate::collect::ask::{Fetched, Manner, ask_each};
use crate::collect::collector::Source;
use crate::collect::read::Known;
use crate::collect::run::judge_attempt;
use crate::collect::source::{Attempt, Politeness};
use crate::model::{Finding, GateResult, Period, Reading, Reason, RequestOutcome, Scope, Ts, Window};
use crate::rollup::FromRecords;
use crate::store::Db;

/// Arguments of `try`.
#[derive(Debug, Args)]
pub struct TryArguments {
    /// Collector id, or a collector file
    collector: String,
    /// Read this saved answer instead of asking the source
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Period that the sample answers, like 2026 or 2026-08
    #[arg(long, requires = "sample")]
    period: Option<Period>,
    /// Unit that the sample answers, for collectors that ask unit by unit
    #[arg(long, requires = "sample")]
    unit: Option<String>,
    /// Portal that the sample answers, for collectors that ask portal by portal
    #[arg(long, requires = "sample")]
    portal: Option<String>,
    /// Media type of the sample, as the source states it
    #[arg(long, value_name = "TYPE", requires = "sample")]
    content_type: Option<String>,
    /// Due instant, RFC 3339 (now)
    #[arg(long, value_name = "INSTANT")]
    at: Option<Ts>,
}

/// One answer of a trial.
#[derive(Serialize)]
struct Trial {
    method: String,
    url: String,
    request_body: String,
    period: Option<Period>,
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portal: Option<String>,
    status: Option<u16>,
    content_type: String,
    size_bytes: usize,
    /// The first characters of the answer.
    begins: String,
    outcome: RequestOutcome,
    failure: Option<String>,
    findings: Vec<Finding>,
    gates: Vec<GateResult>,
    readings: Vec<Reading>,
    watched: Option<Watched>,
}

/// What the records of a monitor say.
#[derive(Serialize)]
struct Watched {
    n_records: usize,
    n_targets: usize,
    n_hours: usize,
    /// Where the whole monitor wrote nothing for longer than it may.
    silences: Vec<Window>,
}

impl Watched {
    fn of(said: FromRecords) -> Option<Watched> {
        let FromRecords { n_records, hours, covered, silences } = said;
        (n_records > 0).then_some(Watched { n_records, n_targets: covered.len(), n_hours: hours.len(), silences })
    }

    fn say(&self) {
        let Watched { n_records, n_targets, n_hours, silences } = self;
        let micros: i64 = silences.iter().map(|silence| silence.micros()).sum();
        let long = humantime::format_duration(std::time::Duration::from_secs(micros.unsigned_abs() / 1_000_000));
        say!(
            "  watched  {n_hours} hours of {n_targets} targets from {n_records} records; {} silences of the monitor, {long} together",
            silences.len()
        );
        for silence in silences.iter().take(SILENCES_SHOWN) {
            say!("           silent from {} to {}", silence.from, silence.to);
        }
        if silences.len() > SILENCES_SHOWN {
            say!("           and {} more (--format json lists them)", silences.len() - SILENCES_SHOWN);
        }
    }
}

/// So many silences are listed.
const SILENCES_SHOWN: usize = 5;

/// So many characters of an answer are shown.
const SHOWN: usize = 300;

/// Fetches or reads a sample and shows everything side by side; nothing is stored.
pub async fn try_collector(arguments: &TryArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let from_file;
    let loaded = if arguments.collector.ends_with(".toml") {
        from_file = collector_file(installation, arguments.collector.as_ref())?;
        &from_file
    } else {
        collector(installation, &arguments.collector)?
    };
    let at = arguments.at.unwrap_or_else(Ts::now);
    let known = known(installation, loaded, at).await?;
    let trials = match &arguments.sample {
        Some(path) => vec![trial(installation, loaded, &known, sample(arguments, installation, loaded, path, at)?).0],
        None => ask(arguments, installation, loaded, &known, at).await,
    };
    if trials.is_empty() {
        bail!("{} has no request to make; a file collector is tried with --sample FILE", arguments.collector);
    }
    output::print(format, &trials, &readings_table(&trials))?;
    if format == Format::Table {
        trials.iter().for_each(say_trial);
    }
    let good = trials.iter().all(|trial| trial.outcome == RequestOutcome::Recorded);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was recorded so far, for the gates that ask; nothing if there is no database yet (a trial makes none).
async fn known(installation: &Installation, loaded: &LoadedCollector, at: Ts) -> anyhow::Result<Known> {
    if installation.settings.sqlite_path().is_some_and(|path| !path.exists()) {
        return Ok(Known::default());
    }
    let db = Db::open(&installation.settings.store).await?;
    Ok(Known::load(&db, loaded, at).await?)
}

async fn ask(arguments: &TryArguments, installation: &Installation, loaded: &LoadedCollector, known: &Known, at: Ts) -> Vec<Trial> {
    let spinner = output::spinner(format!("asking {}", arguments.collector));
    let mut trials: Vec<Trial> = Vec::new();
    let take = &mut |fetched: Fetched| {
        let (trial, reason) = trial(installation, loaded, known, fetched);
        trials.push(trial);
        Ok::<_, Infallible>(reason)
    };
    let asked = ask_each(
        &installation.settings,
        &installation.catalogue,
        &loaded.collector,
        at,
        &Politeness::default(),
        (Manner::Whole, &CancellationToken::new()),
        take,
    )
    .await;
    match asked {
        Ok(()) => spinner.finish_and_clear(),
        Err(never) => match never {},
    }
    trials
}

/// A saved answer as if it had just come.
fn sample(arguments: &TryArguments, installation: &Installation, loaded: &LoadedCollector, path: &Path, at: Ts) -> anyhow::Result<Fetched> {
    let body = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (asked, expected) = match &loaded.collector.source {
        Source::Http(http) => (Some(&http.for_each), http.expect.content_type.clone()),
        Source::File(_) | Source::Probe(_) => (None, None),
    };
    let by_period = asked.is_some_and(|asked| !asked.period.is_empty());
    let by_unit = asked.is_some_and(|asked| asked.unit.is_some());
    let portal = arguments.portal.as_deref().map(|id| {
        let portal = installation.catalogue.registry.portal(id);
        portal.with_context(|| format!("registry/portals.csv lists no portal {id:?}"))
    });
    let portal = portal.transpose()?;
    if by_period && arguments.period.is_none() {
        bail!("the collector asks by period, and its answers do not say which: add --period, like --period 2026");
    }
    if by_unit && arguments.unit.is_none() {
        bail!("the collector asks unit by unit: add --unit ID");
    }
    if asked.is_some_and(|asked| asked.portal.is_some()) && portal.is_none() {
        bail!("the collector asks portal by portal: add --portal ID, an id of registry/portals.csv");
    }
    let scope = Scope {
        due: at,
        period: arguments.period,
        unit: portal.map(|portal| portal.unit.clone()).or_else(|| arguments.unit.clone()),
        portal: portal.map(|portal| portal.id.clone()),
        province: installation.settings.province.clone(),
    };
    let attempt = Attempt {
        method: "FILE".to_owned(),
        url: path.display().to_string(),
        request_body: String::new(),
        at,
        elapsed_micros: 0,
        status: None,
        content_type: arguments.content_type.clone().or(expected).unwrap_or_default(),
        certificate_until: None,
        body: Some(body),
        failure: None,
    };
    Ok(Fetched { scope, attempt })
}

/// Reads and judges one attempt, and says why it is no use, if it is none.
fn trial(installation: &Installation, loaded: &LoadedCollector, known: &Known, fetched: Fetched) -> (Trial, Option<Reason>) {
    let Fetched { scope, attempt } = fetched;
    let judged = judge_attempt(&installation.settings, &installation.catalogue, loaded, known, &scope, &attempt);
    let reason = judged.failure.as_ref().map(|failure| failure.reason);
    let body = attempt.body.unwrap_or_default();
    let trial = Trial {
        method: attempt.method,
        url: attempt.url,
        request_body: attempt.request_body,
        period: scope.period,
        unit: scope.unit,
        portal: scope.portal,
        status: attempt.status,
        content_type: attempt.content_type,
        size_bytes: body.len(),
        begins: String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)])
            .chars()
            .take(SHOWN)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
        outcome: judged.outcome,
        failure: judged.failure.map(|failure| failure.to_string()),
        findings: judged.findings,
        gates: judged.gates,
        readings: judged.readings,
        watched: Watched::of(judged.watched),
    };
    (trial, reason)
}

fn readings_table(trials: &[Trial]) -> Table {
    let mut table = Table::new(&["period", "unit", "indicator", "item", "text", "value", "flag", "place"]);
    for reading in trials.iter().flat_map(|trial| &trial.readings) {
        let (period, value) = (reading.period.to_string(), reading.value.to_string());
        table.row([&period, &reading.unit, &reading.indicator, &reading.item, &reading.text, &value, &reading.flag, &reading.place]);
    }
    table
}

fn say_trial(trial: &Trial) {
    let about = [trial.period.map(|period| period.to_string()), trial.unit.clone(), trial.portal.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    say!("\n{} {} ({about})", trial.method, trial.url);
    if !trial.request_body.is_empty() {
        say!("  sent     {}", trial.request_body);
    }
    let status = trial.status.map_or("none".to_owned(), |status| status.to_string());
    say!("  answer   status {status}, {:?}, {} bytes", trial.content_type, trial.size_bytes);
    if !trial.begins.is_empty() {
        say!("           {}", trial.begins);
    }
    if let Some(failure) = &trial.failure {
        say!("  failed   {failure}");
    }
    for finding in &trial.findings {
        say!("  finding  {} {} {}: {}", finding.severity, finding.reason, finding.place, finding.text);
    }
    for gate in &trial.gates {
        say!("  gate     {:13} {}: {}", gate.outcome, gate.gate, gate.detail);
    }
    trial.watched.iter().for_each(Watched::say);
    say!("  would be {} ({} readings); nothing was stored", trial.outcome, trial.readings.len());
}
