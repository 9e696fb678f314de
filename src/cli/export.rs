//! `thuocdo export`: tables for other programs.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::Installation;
use super::output::Table;
use super::output::say_part;
use super::score::{Scoring, Which, scores_table};
use crate::model::{Exact, Observation, Ts};
use crate::score::{Points, ScoreRun};
use crate::store::ObservationQuery;

/// What to export.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// A CSV table, on standard output
    Csv {
        /// Which table
        #[arg(value_enum, default_value = "scores")]
        what: Exported,
        #[command(flatten)]
        which: Which,
    },
}

/// Tables that can be exported.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Exported {
    /// One row per unit: rank, total, class, points of each group
    Scores,
    /// One row per unit and criterion
    Lines,
    /// One row per observation of the period
    Observations,
}

/// One row per unit and criterion.
fn lines_table(run: &ScoreRun<'_>) -> Table {
    let mut table = Table::new(&[
        "unit_group",
        "unit",
        "name",
        "group",
        "criterion",
        "state",
        "points_min",
        "points_max",
        "max",
        "published",
        "status",
    ]);
    for sheet in &run.sheets {
        for (group, line) in sheet.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line))) {
            let bounds = line.points.map(Points::bounds);
            let bound = |points: Option<Exact>| points.map(|points| points.to_string()).unwrap_or_default();
            let state = label(&line.state);
            table.row([
                sheet.unit_group.label(),
                sheet.unit,
                sheet.name,
                group.group,
                line.criterion,
                &state,
                &bound(bounds.map(|(least, _)| least)),
                &bound(bounds.map(|(_, most)| most)),
                &line.max.to_string(),
                if line.published { "1" } else { "0" },
                &label(&line.status),
            ]);
        }
    }
    table
}

/// The label under which an enum stands in JSON.
fn label(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn observations_table(observations: &[Observation]) -> Table {
    let mut table =
        Table::new(&["indicator", "unit", "item", "collector", "period", "value", "flag", "recorded_at", "last_checked", "run", "request"]);
    for seen in observations {
        let value = seen.value.number().map(|number| number.to_string()).unwrap_or_default();
        table.row([
            seen.indicator.clone(),
            seen.unit.clone(),
            seen.item.clone(),
            seen.collector.clone(),
            seen.period.to_string(),
            value,
            seen.flag.clone(),
            seen.recorded_at.to_string(),
            seen.last_checked.to_string(),
            seen.run.to_string(),
            seen.request.to_string(),
        ]);
    }
    table
}

/// Writes a table as CSV.
pub async fn export(command: &ExportCommand, installation: &Installation) -> anyhow::Result<ExitCode> {
    let ExportCommand::Csv { what, which } = command;
    let db = installation.db().await?;
    let table = match what {
        Exported::Observations => {
            let as_of = which.as_of.unwrap_or_else(Ts::now);
            let query = ObservationQuery { period: Some(which.period), indicators: None, collector: None, unit: None, as_of };
            observations_table(&db.observations(&query).await?)
        }
        Exported::Scores | Exported::Lines => {
            let scoring = Scoring::load(which, installation, &db).await?;
            let run = scoring.score()?;
            if matches!(what, Exported::Scores) { scores_table(&run) } else { lines_table(&run) }
        }
    };
    say_part!("{}", table.csv()?);
    Ok(ExitCode::SUCCESS)
}
