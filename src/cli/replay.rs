//! `thuocdo replay`: a run read again from its evidence, compared or recorded.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::output::{self, Format, Table};
use super::run::{Shown, collector_file, requests_table};
use super::{Installation, joined};
use crate::catalogue::LoadedCollector;
use crate::collect::replay::{Difference, Replayed, compare, record, replay as replay_run};
use crate::collect::run::Workplace;
use crate::collect::source::Politeness;
use crate::model::{Observation, Reading, RequestOutcome, RunId, Ts, Value};
use crate::store::{Db, ObservationQuery, RequestRecord};

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
        let recorded = record(&place, &loaded, replayed, Ts::now()).await?;
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

async fn compare_with_then(db: &Db, run: &RunId, replayed: &[Replayed], format: Format) -> anyhow::Result<ExitCode> {
    let then = read_then(db, run, replayed).await?;
    let differences: Vec<Difference> = compare(&then, replayed.iter().flat_map(|replayed| &replayed.now.readings));
    let show = |value: &Option<Value>| value.map_or("–".to_owned(), |value| value.to_string());
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
