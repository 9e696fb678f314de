//! `thuocdo replay`: a run read again from its evidence, compared or recorded.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;

use super::output::say;
use super::output::{self, Format, Table};
use super::replay_hours::{Asked, replay_hours};
use super::run::{Shown, collector_file, requests_table, say_hours};
use super::{Installation, joined};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::Source;
use crate::collect::replay::{Difference, Replayed, compare, compare_hours, record, replay as replay_run};
use crate::collect::run::{HourCounts, When};
use crate::collect::source::Politeness;
use crate::model::{Observation, Reading, RequestOutcome, RunId, Value};
use crate::store::{Db, ObservationQuery, RequestRecord};

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// Run, as COLLECTOR@INSTANT, or a collector for its newest run
    run: String,
    /// Read it with this collector file instead of the one of then
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Show only what differs from what was read then; exit code 1 if anything does
    #[arg(long)]
    compare: bool,
    /// Of a probe: the first day (in Vietnam) whose hours are computed again
    #[arg(long, value_name = "DAY", requires = "to", conflicts_with_all = ["with", "compare"])]
    from: Option<NaiveDate>,
    /// The last such day, inclusive
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<NaiveDate>,
    /// Record what is read now, as a new run on the old evidence
    #[arg(long)]
    record: bool,
}

/// Reads a run again from its evidence.
pub async fn replay(arguments: &ReplayArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    if let Some(loaded) = installation.catalogue.collectors.get(arguments.run.split('@').next().unwrap_or_default())
        && let Source::Probe(probe) = &loaded.collector.source
    {
        let days = arguments.from.zip(arguments.to);
        let (from, to) = days.with_context(|| format!("{} is a probe: name the days with --from and --to", arguments.run))?;
        let asked = Asked { from, to, record: arguments.record, loaded, probe };
        return replay_hours(&asked, installation, format).await;
    }
    if arguments.from.is_some() {
        bail!("--from and --to are for probes; {} is none", arguments.run);
    }
    let (db, archive, politeness) = (installation.existing_db().await?, installation.archive(), Politeness::default());
    let run = which_run(&db, &arguments.run).await?;
    let row = db.run(&run).await?.with_context(|| format!("there is no run {}", run))?;
    let loaded = match &arguments.with {
        Some(path) => {
            let loaded = collector_file(installation, path)?;
            if *loaded.collector.id.get_ref() != run.collector {
                bail!("{} is the file of {}, the run is one of {}", path.display(), loaded.collector.id.get_ref(), run.collector);
            }
            loaded
        }
        None => {
            let text = db.spec(&row.spec).await?.with_context(|| format!("the collector file {} of the run is not kept", row.spec))?;
            LoadedCollector::parse(&format!("{}.toml", run.collector), &text).map_err(|problems| anyhow::anyhow!(joined(&problems)))?
        }
    };
    let place = installation.workplace(&db, &archive, &politeness);
    let replayed = replay_run(&place, &loaded, &run).await?;
    if arguments.record {
        let ran = record(&place, &loaded, replayed, When::Now).await?;
        output::print(format, &ran.requests.iter().map(Shown::of).collect::<Vec<_>>(), &requests_table(&ran.requests))?;
        if format == Format::Table {
            let seen = ran.recorded;
            say!(
                "\n{} {}: {} new, {} restated, {} unchanged, {} superseded by newer evidence",
                ran.run,
                ran.state,
                seen.observations_new,
                seen.observations_restated,
                seen.observations_unchanged,
                seen.superseded
            );
            say_hours(ran.hours);
        }
        return Ok(super::run::exit_code(ran.state));
    }
    if arguments.compare {
        return compare_with_then(&db, &run, replayed, format).await;
    }
    let records: Vec<RequestRecord> = replayed.into_iter().map(|replayed| replayed.now).collect();
    output::print(format, &records.iter().map(Shown::of).collect::<Vec<_>>(), &requests_table(&records))?;
    Ok(ExitCode::SUCCESS)
}

/// A run by its name, or the newest of a collector.
async fn which_run(db: &Db, text: &str) -> anyhow::Result<RunId> {
    if text.contains('@') {
        return text.parse().map_err(anyhow::Error::msg);
    }
    let newest = db.runs(Some(text), 1).await?.into_iter().next();
    Ok(newest.with_context(|| format!("{text} has no run; write COLLECTOR@INSTANT, as `runs` lists them"))?.run)
}

async fn compare_with_then(db: &Db, run: &RunId, replayed: Vec<Replayed>, format: Format) -> anyhow::Result<ExitCode> {
    let then = read_then(db, run, &replayed).await?;
    let differences: Vec<Difference> = compare(&then, replayed.iter().flat_map(|replayed| &replayed.now.readings));
    let show = |value: &Option<Value>| value.map_or("–".to_owned(), |value| value.to_string());
    let mut table = Table::new(&["period", "unit", "indicator", "item", "then", "now"]);
    for difference in &differences {
        let (period, then, now) = (difference.period.to_string(), show(&difference.then), show(&difference.now));
        table.row([&period, &difference.unit, &difference.indicator, &difference.item, &then, &now]);
    }
    let turned: Vec<&Replayed> = replayed.iter().filter(|replayed| replayed.then != replayed.now.request.outcome).collect();
    for replayed in &turned {
        let request = &replayed.now.request;
        table.row([
            request.scope.period.map(|period| period.to_string()).unwrap_or_default(),
            String::new(),
            format!("request {}", request.no),
            String::new(),
            replayed.then.to_string(),
            request.outcome.to_string(),
        ]);
    }
    let outcomes: Vec<_> = turned.iter().map(|replayed| serde_json::json!({ "request": replayed.now.request.no, "then": replayed.then, "now": replayed.now.request.outcome })).collect();
    let (n_turned, n_requests) = (turned.len(), replayed.len());
    let hours = compare_hours(db, run, replayed).await?;
    output::print(format, &serde_json::json!({ "readings": differences, "outcomes": outcomes, "hours": hours }), &table)?;
    if format == Format::Table {
        say!("\n{} of {} readings differ, {} of {} requests end otherwise", differences.len(), then.len(), n_turned, n_requests);
        if hours != HourCounts::default() {
            say!(
                "hours watched: {} differ, {} are as known, {} are known from newer evidence",
                hours.written,
                hours.unchanged,
                hours.superseded
            );
        }
    }
    Ok(if differences.is_empty() && n_turned == 0 && hours.written == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the run read: its observations (a value that was known already is an older version), and what was kept apart.
async fn read_then(db: &Db, run: &RunId, replayed: &[Replayed]) -> anyhow::Result<Vec<Reading>> {
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
