//! `thuocdo export`: tables for other programs.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::Installation;
use super::output::say_part;
use super::output::{Format, Table};
use super::score::{self, Which};
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

/// One row per sheet, every figure in a column of its own: least and most points, best and worst place.
fn totals_table(run: &ScoreRun<'_>) -> Table {
    let groups: BTreeSet<&str> = run.sheets.iter().flat_map(|sheet| sheet.groups.iter().map(|group| group.group)).collect();
    let mut columns = vec!["set", "period", "as_of", "provisional", "criteria_sha256", "unit_group", "unit", "name"];
    columns.extend(["rank_best", "rank_worst", "class", "total_min", "total_max", "published"]);
    let bounds: Vec<String> = groups.iter().flat_map(|group| [format!("{group}_min"), format!("{group}_max")]).collect();
    columns.extend(bounds.iter().map(String::as_str));
    let mut table = Table::new(&columns);
    for sheet in &run.sheets {
        let (least, most) = sheet.total.bounds();
        let place = |of: fn((u32, u32)) -> u32| sheet.rank_between.map(|between| of(between).to_string()).unwrap_or_default();
        let mut row = vec![run.set.to_owned(), run.period.to_string(), run.as_of.to_string(), u8::from(run.provisional).to_string()];
        row.extend([run.criteria_sha256.to_string(), sheet.unit_group.label().to_owned(), sheet.unit.to_owned(), sheet.name.to_owned()]);
        row.extend([place(|(best, _)| best), place(|(_, worst)| worst), sheet.class.unwrap_or_default().to_owned()]);
        row.extend([least.to_string(), most.to_string(), u8::from(sheet.published).to_string()]);
        for id in &groups {
            let points = sheet.groups.iter().find(|group| group.group == *id).map(|group| group.points.bounds());
            row.extend(
                [points.map(|(least, _)| least), points.map(|(_, most)| most)]
                    .map(|bound| bound.map(|b| b.to_string()).unwrap_or_default()),
            );
        }
        table.row(row);
    }
    table
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
    let db = installation.existing_db().await?;
    installation.say_note(Format::Csv);
    let table = match what {
        Exported::Observations => {
            let as_of = which.as_of.unwrap_or_else(Ts::now);
            let query = ObservationQuery { period: Some(which.period), indicators: None, collector: None, unit: None, as_of };
            observations_table(&db.observations(&query).await?)
        }
        Exported::Scores | Exported::Lines => {
            let scoring = score::load(which, installation, &db).await?;
            let run = scoring.score()?;
            if matches!(what, Exported::Scores) { totals_table(&run) } else { lines_table(&run) }
        }
    };
    say_part!("{}", table.csv()?);
    Ok(ExitCode::SUCCESS)
}
