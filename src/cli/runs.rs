//! `thuocdo runs` and `verify`: what was collected, and whether its evidence is still what was received.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::say;
use super::output::{self, Format, Table};
use super::run::{Shown, requests_table};
use crate::model::{RunId, RunState, Sha256, Trigger, Ts};
use crate::store::{Db, RequestRecord};

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Collector id, or one run as COLLECTOR@INSTANT
    which: Option<String>,
    /// At most so many, newest first
    #[arg(long, default_value_t = 20)]
    limit: i64,
}

/// Arguments of `evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArguments {
    /// SHA-256 of the answer, as `explain` and `runs` print it
    #[arg(required_unless_present = "keep")]
    sha256: Option<String>,
    /// Keep a file instead (a notice of maintenance) and print its SHA-256
    #[arg(long, value_name = "FILE", conflicts_with = "sha256")]
    keep: Option<PathBuf>,
}

/// Writes the bytes of one answer, checked against their address, or keeps a file.
pub fn evidence(arguments: &EvidenceArguments, installation: &Installation) -> anyhow::Result<ExitCode> {
    if let Some(path) = &arguments.keep {
        let body = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        say!("{}", installation.archive().keep(&body)?.sha256);
        return Ok(ExitCode::SUCCESS);
    }
    let asked = arguments.sha256.as_deref().unwrap_or_default();
    let sha256 = Sha256::from_hex(asked).with_context(|| format!("{asked:?} is no SHA-256: 64 hexadecimal digits, lower case"))?;
    std::io::stdout().write_all(&installation.archive().get(&sha256)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists runs, or shows one.
pub async fn runs(arguments: &RunsArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let db = installation.existing_db().await?;
    if let Some(run) = arguments.which.as_deref().filter(|which| which.contains('@')) {
        return show_run(&db, &run.parse().map_err(anyhow::Error::msg)?, format).await;
    }
    let rows = db.runs(arguments.which.as_deref(), arguments.limit).await?;
    if let (Some(id), true) = (&arguments.which, rows.is_empty()) {
        // A misspelt id is said; a collector that has not run yet has an empty list.
        super::run::collector(installation, id)?;
    }
    #[derive(Serialize)]
    struct Row {
        run: RunId,
        attempt: i32,
        trigger: Trigger,
        state: RunState,
        started_at: Ts,
        ended_at: Option<Ts>,
    }
    let mut table = Table::new(&["run", "attempt", "trigger", "state", "ended_at"]);
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|row| Row {
            run: row.run,
            attempt: row.attempt,
            trigger: row.trigger,
            state: row.state,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
        .collect();
    for row in &rows {
        let ended = row.ended_at.map(|ended| ended.to_string()).unwrap_or_default();
        table.row([row.run.to_string(), row.attempt.to_string(), row.trigger.to_string(), row.state.to_string(), ended]);
    }
    output::print(format, &rows, &table)?;
    Ok(ExitCode::SUCCESS)
}

async fn show_run(db: &Db, run: &RunId, format: Format) -> anyhow::Result<ExitCode> {
    let mut findings = db.findings(run).await?;
    let mut gates = db.gate_results(run).await?;
    let mut kept_apart = db.quarantined(run).await?;
    let records: Vec<RequestRecord> = db
        .requests(run)
        .await?
        .into_iter()
        .map(|request| {
            let no = request.no;
            RequestRecord {
                request,
                findings: findings.extract_if(.., |(of, _)| *of == no).map(|(_, finding)| finding).collect(),
                gates: gates.extract_if(.., |(of, _)| *of == no).map(|(_, gate)| gate).collect(),
                readings: kept_apart.extract_if(.., |(of, _)| *of == no).map(|(_, reading)| reading).collect(),
                shapes: Vec::new(),
            }
        })
        .collect();
    if records.is_empty() {
        bail!("there is no run {run}, or it recorded no request");
    }
    output::print(format, &records.iter().map(Shown::of).collect::<Vec<_>>(), &requests_table(&records))?;
    if format == Format::Table {
        for (record, gate) in records.iter().flat_map(|record| record.gates.iter().map(move |gate| (record, gate))) {
            say!("request {}  gate {:13} {}: {}", record.request.no, gate.outcome, gate.gate, gate.detail);
        }
        for (record, finding) in records.iter().flat_map(|record| record.findings.iter().map(move |finding| (record, finding))) {
            say!("request {}  {} {} {}: {}", record.request.no, finding.severity, finding.reason, finding.place, finding.text);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Hashes all evidence again; exit code 1 if any is gone or changed.
pub async fn verify(installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let (db, archive) = (installation.existing_db().await?, installation.archive());
    let mut table = Table::new(&["sha256", "problem"]);
    let all = db.evidence().await?;
    let spinner = output::spinner(format!("hashing {} bodies", all.len()));
    for sha256 in &all {
        if let Err(error) = archive.get(sha256) {
            table.row([sha256.to_string(), error.to_string()]);
        }
    }
    spinner.finish_and_clear();
    #[derive(Serialize)]
    struct Report {
        n_evidence: usize,
        wrong: Vec<Vec<String>>,
    }
    let wrong = table.rows.len();
    output::print(format, &Report { n_evidence: all.len(), wrong: table.rows.clone() }, &table)?;
    if format == Format::Table {
        say!("\n{} of {} bodies are as they were received", all.len() - wrong, all.len());
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
