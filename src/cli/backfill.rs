//! `thuocdo backfill`, `pause` and `resume`: windows of the past are run, and a schedule rests.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::{self, Format, Table, say};
use super::run::{collector, exit_code};
use crate::collect::collector::Source;
use crate::collect::due::{all_missed, windows};
use crate::collect::run::{RunError, When, run_once};
use crate::collect::source::Politeness;
use crate::model::{MissedWhy, RunId, RunState, Trigger, Ts};
use crate::serve::scheduler::planned_by;
use crate::store::{Db, ScheduleRow, ScheduleStep};

/// More windows than this are asked for by mistake.
const MOST_WINDOWS: usize = 10_000;

/// Arguments of `backfill`.
#[derive(Debug, Args)]
pub struct BackfillArguments {
    /// Collector id
    collector: String,
    /// The first instant whose windows are wanted, RFC 3339
    #[arg(long, value_name = "INSTANT")]
    from: Ts,
    /// The last instant (now)
    #[arg(long, value_name = "INSTANT")]
    to: Option<Ts>,
    /// Only print the windows
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `pause` and `resume`.
#[derive(Debug, Args)]
pub struct PauseArguments {
    /// Collector id
    collector: String,
}

/// One window and what became or becomes of it.
#[derive(Serialize)]
struct Window {
    run: RunId,
    state: Option<RunState>,
    will_run: bool,
}

/// Prints the windows of a stretch, then runs those that were never recorded, oldest first. Nothing is ever deleted.
///
/// The source is asked about the periods that were open then; what it answers is known from now on.
pub async fn backfill(arguments: &BackfillArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let loaded = collector(installation, &arguments.collector)?;
    if matches!(loaded.collector.source, Source::Probe(_)) {
        bail!(
            "{} watches by itself while the service runs, and the past cannot be looked at; one look is: thuocdo probe URL",
            arguments.collector
        );
    }
    let lacks = loaded.lacks(&installation.settings);
    if !lacks.is_empty() {
        bail!("{} cannot run: {}", arguments.collector, lacks.join("; "));
    }
    let now = Ts::now();
    let to = arguments.to.unwrap_or(now);
    if arguments.from > to || to > now {
        bail!("--from {} --to {to} is no stretch of the past", arguments.from);
    }
    let schedule = &loaded.collector.schedule;
    let dues: Vec<Ts> = windows(schedule, arguments.from.minus(std::time::Duration::from_micros(1)), to).take(MOST_WINDOWS + 1).collect();
    if dues.len() > MOST_WINDOWS {
        bail!("more than {MOST_WINDOWS} windows between {} and {to}: take a shorter stretch", arguments.from);
    }
    let db = installation.db().await?;
    let mut all = Vec::new();
    for due_at in dues {
        let run = RunId { collector: arguments.collector.clone(), due_at };
        let state = db.run(&run).await?.map(|row| row.state);
        all.push(Window { will_run: wants_run(state), run, state });
    }
    let mut table = Table::new(&["window", "so far", "backfill"]);
    for window in &all {
        let so_far = window.state.map_or("never planned".to_owned(), |state| state.to_string());
        table.row([window.run.to_string(), so_far, if window.will_run { "runs" } else { "stays" }.to_owned()]);
    }
    output::print(format, &all, &table)?;
    let wanted: Vec<&Window> = all.iter().filter(|window| window.will_run).collect();
    if format == Format::Table {
        say!("\n{} windows, {} to run{}", all.len(), wanted.len(), if arguments.dry_run { " (nothing is run)" } else { "" });
    }
    match arguments.dry_run {
        true => Ok(ExitCode::SUCCESS),
        false => run_all(&wanted, installation, &db, loaded, format).await,
    }
}

/// What was recorded or refused stands; what is at work is not disturbed.
fn wants_run(state: Option<RunState>) -> bool {
    match state {
        None | Some(RunState::Due | RunState::Missed | RunState::Failed) => true,
        Some(RunState::Running | RunState::Recorded | RunState::Partial | RunState::Quarantined) => false,
    }
}

async fn run_all(
    wanted: &[&Window],
    installation: &Installation,
    db: &Db,
    loaded: &crate::catalogue::LoadedCollector,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let (archive, politeness) = (installation.archive(), Politeness::shared(db, &installation.owner));
    let place = installation.workplace(db, &archive, &politeness);
    let mut worst = ExitCode::SUCCESS;
    for window in wanted {
        let ran = run_once(&place, loaded, When::Due(window.run.due_at), Trigger::Backfill).await;
        let ran = match ran {
            // The service was first.
            Err(RunError::NotOurs(_)) => continue,
            ran => ran.with_context(|| format!("cannot run {}", window.run))?,
        };
        if format == Format::Table {
            let seen = ran.recorded;
            let why = ran.reason.as_ref().map(|(reason, text)| format!(": {reason}: {text}")).unwrap_or_default();
            say!("{} {}: {} new, {} restated{why}", ran.run, ran.state, seen.observations_new, seen.observations_restated);
        }
        if exit_code(ran.state) != ExitCode::SUCCESS {
            worst = ExitCode::FAILURE;
        }
        if let (Source::Http(http), Some((reason, _))) = (&loaded.collector.source, &ran.reason)
            && http.breaker.stop_on.contains(reason)
        {
            bail!("{reason}: the source refuses; it is left alone, and the other windows are not asked for");
        }
    }
    Ok(worst)
}

/// Lets a collector's schedule rest: nothing of it becomes due until it is resumed.
pub async fn pause(arguments: &PauseArguments, installation: &Installation) -> anyhow::Result<ExitCode> {
    let (db, from) = schedule_of(arguments, installation).await?;
    if let Some(since) = from.paused_at {
        say!("{} is paused since {since} already", arguments.collector);
        return Ok(ExitCode::SUCCESS);
    }
    let to = ScheduleRow { paused_at: Some(Ts::now()), ..from.clone() };
    take(&db, ScheduleStep { from, to, run: Vec::new(), missed: Vec::new(), replaces_older: false }).await?;
    say!("{} is paused; `thuocdo resume {0}` lets it go on from then, and replays nothing", arguments.collector);
    Ok(ExitCode::SUCCESS)
}

/// Lets a paused collector go on from now; its windows of meanwhile are counted as missed.
pub async fn resume(arguments: &PauseArguments, installation: &Installation) -> anyhow::Result<ExitCode> {
    let (db, from) = schedule_of(arguments, installation).await?;
    if from.paused_at.is_none() {
        say!("{} is not paused", arguments.collector);
        return Ok(ExitCode::SUCCESS);
    }
    let now = Ts::now();
    let missed = planned_by(&from).map(|schedule| all_missed(&schedule, from.planned_until, now, MissedWhy::Paused)).unwrap_or_default();
    let n: i64 = missed.iter().map(|missed| missed.n).sum();
    let to = ScheduleRow { paused_at: None, planned_until: now.max(from.planned_until), ..from.clone() };
    take(&db, ScheduleStep { from, to, run: Vec::new(), missed, replaces_older: true }).await?;
    say!("{} goes on; {n} windows were missed", arguments.collector);
    Ok(ExitCode::SUCCESS)
}

async fn schedule_of(arguments: &PauseArguments, installation: &Installation) -> anyhow::Result<(Db, ScheduleRow)> {
    collector(installation, &arguments.collector)?;
    let db = installation.existing_db().await?;
    let row = db.schedule(&arguments.collector).await?;
    let row = row.with_context(|| format!("{} was never scheduled: no service has run with it yet", arguments.collector))?;
    Ok((db, row))
}

async fn take(db: &Db, step: ScheduleStep) -> anyhow::Result<()> {
    let taken = db.take_steps(&[step], Ts::now()).await?;
    anyhow::ensure!(!taken.is_empty(), "the service moved the schedule at the same moment: do it again");
    Ok(())
}
