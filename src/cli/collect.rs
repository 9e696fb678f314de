//! `thuocdo run`, `try`, `replay`, `runs`, `verify`: what was fetched and what became of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::output::{self, Format, Table};
use super::{Installation, joined};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::Source;
use crate::collect::read::{Judged, Known, judge_answer};
use crate::collect::replay::{Difference, Replayed, compare, replay as replay_run};
use crate::collect::run::{Fetched, Workplace, fetch_http, run_once, scopes};
use crate::collect::source::{Failure, Politeness};
use crate::model::{
    Finding, GateOutcome, GateResult, Observation, Period, Reading, Reason, RequestOutcome, RunId, RunState, Scope, Severity, Trigger, Ts,
};
use crate::store::{ObservationQuery, RequestRecord};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Collector id
    collector: String,
    /// Due instant, RFC 3339 (now); its values count as known from then on
    #[arg(long, value_name = "INSTANT")]
    at: Option<Ts>,
}

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

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// Run, as COLLECTOR@INSTANT
    run: RunId,
    /// Read it with this collector file instead of the one of then
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Show only what differs from what was read then; exit code 1 if anything does
    #[arg(long)]
    compare: bool,
    /// Record what is read now, as a new run on the old evidence
    #[arg(long)]
    record: bool,
}

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Collector id, or one run as COLLECTOR@INSTANT
    which: Option<String>,
    /// At most so many, newest first
    #[arg(long, default_value_t = 20)]
    limit: i64,
}

/// A collector by its id, or from a file.
pub(crate) fn collector<'a>(installation: &'a Installation, id: &str) -> anyhow::Result<&'a LoadedCollector> {
    let collectors = &installation.catalogue.collectors;
    collectors.get(id).with_context(|| {
        let known: Vec<&str> = collectors.keys().map(String::as_str).collect();
        format!("there is no collector {id:?}; there are {}", known.join(", "))
    })
}

/// A collector file that need not be part of the catalogue.
fn collector_file(installation: &Installation, path: &std::path::Path) -> anyhow::Result<LoadedCollector> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let loaded = LoadedCollector::parse(&path.display().to_string(), &text).map_err(|problems| anyhow::anyhow!(joined(&problems)))?;
    let problems = loaded.check_against(&installation.catalogue.registry);
    if !problems.is_empty() {
        bail!(joined(&problems));
    }
    Ok(loaded)
}

/// One request as it is shown.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    no: i32,
    period: Option<Period>,
    unit: Option<&'a str>,
    method: &'a str,
    url: &'a str,
    body: &'a str,
    status: Option<i32>,
    size_bytes: i64,
    sha256: Option<&'a str>,
    outcome: RequestOutcome,
    reason: Option<Reason>,
    error: &'a str,
    findings: &'a [Finding],
    gates: &'a [GateResult],
    n_readings: usize,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(record: &'a RequestRecord) -> Shown<'a> {
        let request = &record.request;
        Shown {
            no: request.no,
            period: request.scope.period,
            unit: request.scope.unit.as_deref(),
            method: &request.method,
            url: &request.url,
            body: &request.body,
            status: request.status,
            size_bytes: request.size_bytes,
            sha256: request.evidence.as_ref().map(|sha256| sha256.hex()),
            outcome: request.outcome,
            reason: request.reason,
            error: &request.error,
            findings: &record.findings,
            gates: &record.gates,
            n_readings: record.readings.len(),
        }
    }
}

/// Why an answer is not trusted, in one line; "" if it is. `runs COLLECTOR@INSTANT` shows it whole.
pub(crate) fn why(record: &RequestRecord) -> String {
    let failure = record.request.reason.map(|reason| format!("{reason}: {}", record.request.error));
    let gates =
        record.gates.iter().filter(|gate| gate.outcome == GateOutcome::Failed).map(|gate| format!("{}: {}", gate.gate, gate.detail));
    let findings = record.findings.iter().filter(|finding| finding.severity == Severity::Quarantine);
    let findings = findings.map(|finding| format!("{} {}: {}", finding.reason, finding.place, finding.text));
    failure.into_iter().chain(gates).chain(findings).map(|reason| shortened(&reason)).collect::<Vec<_>>().join("; ")
}

/// At most so many characters of one reason in a table.
const REASON_WIDTH: usize = 100;

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(REASON_WIDTH) {
        None => reason.to_owned(),
        Some((at, _)) => format!("{}…", &reason[..at]),
    }
}

/// Requests as a table.
pub(crate) fn requests_table(records: &[RequestRecord]) -> Table {
    let mut table = Table::new(&["no", "period", "status", "bytes", "readings", "outcome", "why"]);
    for record in records {
        let request = &record.request;
        table.row([
            request.no.to_string(),
            request.scope.period.map(|period| period.to_string()).unwrap_or_default(),
            request.status.map(|status| status.to_string()).unwrap_or_default(),
            request.size_bytes.to_string(),
            record.readings.len().to_string(),
            request.outcome.to_string(),
            why(record),
        ]);
    }
    table
}

/// Runs one collector and records it; exit code 1 if nothing was recorded.
pub async fn run(arguments: &RunArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let loaded = collector(installation, &arguments.collector)?;
    let missing = loaded.waits_for(&installation.settings);
    if !missing.is_empty() {
        bail!("{} waits for {} under [province] in the settings", arguments.collector, missing.join(", "));
    }
    let (db, archive, politeness) = (installation.db().await?, installation.archive(), Politeness::default());
    let place = Workplace {
        settings: &installation.settings,
        catalogue: &installation.catalogue,
        db: &db,
        archive: &archive,
        politeness: &politeness,
    };
    let ran = run_once(&place, loaded, arguments.at.unwrap_or_else(Ts::now), Trigger::Manual).await?;
    #[derive(Serialize)]
    struct Report<'a> {
        run: &'a RunId,
        state: RunState,
        observations_new: usize,
        observations_restated: usize,
        observations_unchanged: usize,
        quarantined: usize,
        requests: Vec<Shown<'a>>,
    }
    let report = Report {
        run: &ran.run,
        state: ran.state,
        observations_new: ran.recorded.observations_new,
        observations_restated: ran.recorded.observations_restated,
        observations_unchanged: ran.recorded.observations_unchanged,
        quarantined: ran.recorded.quarantined,
        requests: ran.requests.iter().map(Shown::of).collect(),
    };
    output::print(format, &report, &requests_table(&ran.requests))?;
    if format == Format::Table {
        println!(
            "\n{} {}: {} new, {} restated, {} unchanged observations; {} readings quarantined",
            ran.run, ran.state, report.observations_new, report.observations_restated, report.observations_unchanged, report.quarantined
        );
    }
    Ok(match ran.state {
        RunState::Recorded | RunState::Partial => ExitCode::SUCCESS,
        RunState::Running | RunState::Quarantined | RunState::Failed => ExitCode::FAILURE,
    })
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
            let fetched = fetch_http(&installation.settings, &installation.catalogue, &loaded.collector, at, &Politeness::default()).await;
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
    path: &std::path::Path,
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

/// Reads a run again from its evidence.
pub async fn replay(arguments: &ReplayArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let (db, archive, politeness) = (installation.db().await?, installation.archive(), Politeness::default());
    let row = db.run(&arguments.run).await?.with_context(|| format!("there is no run {}", arguments.run))?;
    let loaded = match &arguments.with {
        Some(path) => collector_file(installation, path)?,
        None => {
            let text = db.spec(&row.spec).await?.with_context(|| format!("the collector file {} of the run is not kept", row.spec))?;
            LoadedCollector::parse(&format!("{}.toml", arguments.run.collector), &text)
                .map_err(|problems| anyhow::anyhow!(joined(&problems)))?
        }
    };
    let place = Workplace {
        settings: &installation.settings,
        catalogue: &installation.catalogue,
        db: &db,
        archive: &archive,
        politeness: &politeness,
    };
    let replayed = replay_run(&place, &loaded, &arguments.run).await?;
    if arguments.record {
        let recorded = crate::collect::replay::record(&place, &loaded, replayed, Ts::now()).await?;
        println!(
            "{}: {} new, {} restated, {} unchanged observations",
            recorded.0, recorded.1.observations_new, recorded.1.observations_restated, recorded.1.observations_unchanged
        );
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.compare {
        return compare_with_then(&db, &arguments.run, &replayed, format).await;
    }
    let records: Vec<RequestRecord> = replayed.into_iter().map(|replayed| replayed.now).collect();
    output::print(format, &records.iter().map(Shown::of).collect::<Vec<_>>(), &requests_table(&records))?;
    Ok(ExitCode::SUCCESS)
}

async fn compare_with_then(db: &crate::store::Db, run: &RunId, replayed: &[Replayed], format: Format) -> anyhow::Result<ExitCode> {
    let then = read_then(db, run, replayed).await?;
    let differences: Vec<Difference> = compare(&then, replayed.iter().flat_map(|replayed| &replayed.now.readings));
    let show = |value: &Option<crate::model::Value>| value.map_or("–".to_owned(), |value| value.to_string());
    let mut table = Table::new(&["period", "unit", "indicator", "item", "then", "now"]);
    for difference in &differences {
        let (period, then, now) = (difference.period.to_string(), show(&difference.then), show(&difference.now));
        table.row([&period, &difference.unit, &difference.indicator, &difference.item, &then, &now]);
    }
    output::print(format, &differences, &table)?;
    if format == Format::Table {
        println!("\n{} of {} readings differ", differences.len(), then.len());
    }
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the run read: its observations (a value that was known already is an older version), and what was kept apart.
async fn read_then(db: &crate::store::Db, run: &RunId, replayed: &[Replayed]) -> anyhow::Result<Vec<Reading>> {
    let now: BTreeSet<_> =
        replayed.iter().flat_map(|replayed| &replayed.now.readings).map(|r| (&r.indicator, &r.unit, &r.item, r.period)).collect();
    let ended = db.run(run).await?.and_then(|row| row.ended_at).unwrap_or(run.due_at);
    let query = ObservationQuery { period: None, indicators: None, collector: Some(run.collector.clone()), unit: None, as_of: ended };
    let known = db.observations(&query).await?.into_iter();
    let of_run = known.filter(|seen| seen.run == *run || now.contains(&(&seen.indicator, &seen.unit, &seen.item, seen.period)));
    let as_reading = |seen: Observation| Reading {
        indicator: seen.indicator,
        unit: seen.unit,
        item: seen.item,
        period: seen.period,
        value: seen.value,
        flag: seen.flag,
        place: String::new(),
        text: String::new(),
    };
    let recorded: BTreeSet<i32> =
        replayed.iter().filter(|replayed| replayed.then == RequestOutcome::Recorded).map(|replayed| replayed.now.request.no).collect();
    let kept_apart = db.quarantined(run).await?.into_iter().filter(|(no, _)| !recorded.contains(no)).map(|(_, reading)| reading);
    Ok(of_run.map(as_reading).chain(kept_apart).collect())
}

/// Lists runs, or shows one.
pub async fn runs(arguments: &RunsArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let db = installation.db().await?;
    if let Some(run) = arguments.which.as_deref().filter(|which| which.contains('@')) {
        return show_run(&db, &run.parse().map_err(anyhow::Error::msg)?, format).await;
    }
    let rows = db.runs(arguments.which.as_deref(), arguments.limit).await?;
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

async fn show_run(db: &crate::store::Db, run: &RunId, format: Format) -> anyhow::Result<ExitCode> {
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
            println!("request {}  gate {:13} {}: {}", record.request.no, gate.outcome, gate.gate, gate.detail);
        }
        for (record, finding) in records.iter().flat_map(|record| record.findings.iter().map(move |finding| (record, finding))) {
            println!("request {}  {} {} {}: {}", record.request.no, finding.severity, finding.reason, finding.place, finding.text);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Hashes all evidence again; exit code 1 if any is gone or changed.
pub async fn verify(installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let (db, archive) = (installation.db().await?, installation.archive());
    let mut table = Table::new(&["sha256", "problem"]);
    let all = db.evidence().await?;
    for sha256 in &all {
        if let Err(error) = archive.get(sha256) {
            table.row([sha256.to_string(), error.to_string()]);
        }
    }
    #[derive(Serialize)]
    struct Report {
        n_evidence: usize,
        wrong: Vec<Vec<String>>,
    }
    let wrong = table.rows.len();
    output::print(format, &Report { n_evidence: all.len(), wrong: table.rows.clone() }, &table)?;
    if format == Format::Table {
        println!("\n{} of {} bodies are as they were received", all.len() - wrong, all.len());
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
