//! `thuocdo run`: one collector, now; and how requests are shown.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::output::say;
use super::output::{self, Format, Table};
use super::{Installation, joined};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::Source;
use crate::collect::run::{HourCounts, When, run_once};
use crate::collect::source::{Politeness, is_loopback};
use crate::model::{Finding, GateOutcome, GateResult, Period, Reason, RequestOutcome, RunId, RunState, Severity, Trigger, Ts};
use crate::store::RequestRecord;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Collector id
    collector: String,
    /// When the answers were given and became known, RFC 3339 (now); for files, and sources rewritten to loopback
    #[arg(long, value_name = "INSTANT")]
    at: Option<Ts>,
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
pub(super) fn collector_file(installation: &Installation, path: &std::path::Path) -> anyhow::Result<LoadedCollector> {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    portal: Option<&'a str>,
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
            portal: request.scope.portal.as_deref(),
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
    let mut gates: Vec<&GateResult> = record.gates.iter().filter(|gate| gate.outcome == GateOutcome::Failed).collect();
    // That an answer is not whole explains what the other gates say.
    gates.sort_by_key(|gate| !["complete", "sums_to"].iter().any(|kind| gate.gate.starts_with(kind)));
    let gates = gates.into_iter().map(|gate| format!("{}: {}", gate.gate, gate.detail));
    let findings = record.findings.iter().filter(|finding| finding.severity == Severity::Quarantine);
    let findings = findings.map(|finding| format!("{} {}: {}", finding.reason, finding.place, finding.text));
    failure.into_iter().chain(gates).chain(findings).map(|reason| shortened(&reason)).collect::<Vec<_>>().join("; ")
}

/// At most so many characters of one reason in a table.
const REASON_WIDTH: usize = 80;

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

/// Now, or the instant that was stated: not a future one, and for a live source none at all, because what it says
/// now was not known then. A source on loopback (`[rewrite]`) may answer with what was recorded then.
fn when(arguments: &RunArguments, installation: &Installation, loaded: &LoadedCollector) -> anyhow::Result<When> {
    let Some(at) = arguments.at else { return Ok(When::Now) };
    if at > Ts::now() {
        bail!("--at {at} lies in the future");
    }
    let on_loopback = |url: &str| url::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(is_loopback));
    let rewrites = &installation.settings.rewrite;
    match &loaded.collector.source {
        Source::Http(_) if rewrites.is_empty() || !rewrites.values().all(|to| on_loopback(to)) => {
            bail!("--at is for files and for sources rewritten to loopback: what {} answers now was not known at {at}", arguments.collector)
        }
        Source::Probe(_) => bail!("--at is not for probes: how a portal is now says nothing of {at}"),
        Source::Http(_) | Source::File(_) => Ok(When::Stated(at)),
    }
}

/// Runs one collector and records it; exit code 1 if nothing was recorded.
pub async fn run(arguments: &RunArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let loaded = collector(installation, &arguments.collector)?;
    if matches!(loaded.collector.source, Source::Probe(_)) {
        bail!(
            "{} watches by itself while the service runs, and the past cannot be looked at; one look is: thuocdo probe URL",
            arguments.collector
        );
    }
    let missing = loaded.waits_for(&installation.settings);
    if !missing.is_empty() {
        bail!("{} waits for {} under [province] in the settings", arguments.collector, missing.join(", "));
    }
    let (db, archive) = (installation.db().await?, installation.archive());
    let politeness = Politeness::shared(&db, &installation.owner);
    let place = installation.workplace(&db, &archive, &politeness);
    let spinner = output::spinner(format!("collecting {}", arguments.collector));
    let ran = run_once(&place, loaded, when(arguments, installation, loaded)?, Trigger::Manual).await?;
    spinner.finish_and_clear();
    #[derive(Serialize)]
    struct Report<'a> {
        run: &'a RunId,
        state: RunState,
        observations_new: usize,
        observations_restated: usize,
        observations_unchanged: usize,
        superseded: usize,
        quarantined: usize,
        hours: HourCounts,
        requests: Vec<Shown<'a>>,
    }
    let report = Report {
        run: &ran.run,
        state: ran.state,
        observations_new: ran.recorded.observations_new,
        observations_restated: ran.recorded.observations_restated,
        observations_unchanged: ran.recorded.observations_unchanged,
        superseded: ran.recorded.superseded,
        quarantined: ran.recorded.quarantined,
        hours: ran.hours,
        requests: ran.requests.iter().map(Shown::of).collect(),
    };
    output::print(format, &report, &requests_table(&ran.requests))?;
    if format == Format::Table {
        say!(
            "\n{} {}: {} new, {} restated, {} unchanged observations; {} superseded; {} readings quarantined",
            ran.run,
            ran.state,
            report.observations_new,
            report.observations_restated,
            report.observations_unchanged,
            report.superseded,
            report.quarantined
        );
        say_hours(ran.hours);
    }
    Ok(exit_code(ran.state))
}

/// What became of the hours of a monitor's records; nothing if there were none.
pub(super) fn say_hours(hours: HourCounts) {
    if hours != HourCounts::default() {
        say!("hours watched: {} written, {} unchanged, {} superseded", hours.written, hours.unchanged, hours.superseded);
    }
}

/// Success if at least something was recorded.
pub(super) fn exit_code(state: RunState) -> ExitCode {
    match state {
        RunState::Recorded | RunState::Partial => ExitCode::SUCCESS,
        RunState::Due | RunState::Missed | RunState::Running | RunState::Quarantined | RunState::Failed => ExitCode::FAILURE,
    }
}
