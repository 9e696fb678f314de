//! `thuocdo try`: a collector on a live answer or a sample, everything shown, nothing stored.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::{self, Format, Table};
use super::run::{collector, collector_file};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::Source;
use crate::collect::read::{Judged, Known, judge_answer};
use crate::collect::run::{Fetched, fetch_http, scopes};
use crate::collect::source::{Failure, Politeness};
use crate::model::{Finding, GateResult, Period, Reading, Reason, RequestOutcome, Scope, Ts};

/// Arguments of `try`.
#[derive(Debug, Args)]
pub struct TryArguments {
    /// Collector id, or a collector file
    collector: String,
    /// Read this saved answer instead of asking the source
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Period that the sample answers, like 2026 or 2026-08
    #[arg(long)]
    period: Option<Period>,
    /// Unit that the sample answers, for collectors that ask unit by unit
    #[arg(long)]
    unit: Option<String>,
    /// Media type of the sample, as the source states it
    #[arg(long, value_name = "TYPE")]
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
    status: Option<u16>,
    content_type: String,
    size_bytes: usize,
    outcome: RequestOutcome,
    failure: Option<String>,
    findings: Vec<Finding>,
    gates: Vec<GateResult>,
    readings: Vec<Reading>,
}

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
    let trials: Vec<Trial> = match &arguments.sample {
        Some(path) => vec![try_sample(arguments, installation, loaded, path, at)?],
        None => {
            let spinner = output::spinner(format!("asking {}", arguments.collector));
            let fetched = fetch_http(&installation.settings, &installation.catalogue, &loaded.collector, at, &Politeness::default()).await;
            spinner.finish_and_clear();
            fetched.into_iter().map(|fetched| trial(installation, loaded, fetched)).collect()
        }
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

fn try_sample(
    arguments: &TryArguments,
    installation: &Installation,
    loaded: &LoadedCollector,
    path: &Path,
    at: Ts,
) -> anyhow::Result<Trial> {
    let body = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let asked = scopes(&installation.settings, &installation.catalogue, &loaded.collector, at).into_iter().next();
    let base = asked.unwrap_or(Scope { due: at, period: None, unit: None, province: installation.settings.province.clone() });
    let scope = Scope { period: arguments.period.or(base.period), unit: arguments.unit.clone().or(base.unit), ..base };
    let expected = match &loaded.collector.source {
        Source::Http(http) => http.expect.content_type.clone().unwrap_or_default(),
        Source::File(_) => String::new(),
    };
    let content_type = arguments.content_type.clone().unwrap_or(expected);
    let judged = judge_answer(&installation.settings, &installation.catalogue, loaded, &Known::default(), &scope, &body, &content_type);
    Ok(as_trial("FILE".to_owned(), path.display().to_string(), String::new(), &scope, None, content_type, body.len(), judged))
}

fn trial(installation: &Installation, loaded: &LoadedCollector, fetched: Fetched) -> Trial {
    let Fetched { scope, attempt } = fetched;
    let size = attempt.body.as_ref().map_or(0, Vec::len);
    let judged = match (&attempt.failure, &attempt.body) {
        (None, Some(body)) => {
            judge_answer(&installation.settings, &installation.catalogue, loaded, &Known::default(), &scope, body, &attempt.content_type)
        }
        (failure, _) => Judged::failed(failure.clone().unwrap_or_else(|| Failure::new(Reason::Internal, "no answer and no reason"))),
    };
    as_trial(attempt.method, attempt.url, attempt.request_body, &scope, attempt.status, attempt.content_type, size, judged)
}

fn as_trial(
    method: String,
    url: String,
    request_body: String,
    scope: &Scope,
    status: Option<u16>,
    content_type: String,
    size_bytes: usize,
    judged: Judged,
) -> Trial {
    Trial {
        method,
        url,
        request_body,
        period: scope.period,
        status,
        content_type,
        size_bytes,
        outcome: judged.outcome,
        failure: judged.failure.map(|failure| failure.to_string()),
        findings: judged.findings,
        gates: judged.gates,
        readings: judged.readings,
    }
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
    let period = trial.period.map(|period| format!(" for {period}")).unwrap_or_default();
    println!("\n{} {}{period}", trial.method, trial.url);
    if !trial.request_body.is_empty() {
        println!("  sent     {}", trial.request_body);
    }
    println!(
        "  answer   status {}, {:?}, {} bytes",
        trial.status.map_or("none".to_owned(), |status| status.to_string()),
        trial.content_type,
        trial.size_bytes
    );
    if let Some(failure) = &trial.failure {
        println!("  failed   {failure}");
    }
    for finding in &trial.findings {
        println!("  finding  {} {} {}: {}", finding.severity, finding.reason, finding.place, finding.text);
    }
    for gate in &trial.gates {
        println!("  gate     {:13} {}: {}", gate.outcome, gate.gate, gate.detail);
    }
    println!("  would be {} ({} readings); nothing was stored", trial.outcome, trial.readings.len());
}
