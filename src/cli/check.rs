//! `thuocdo check`: every declarative file loaded and cross-checked, without network.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::say;
use super::output::{self, Format, Table};
use crate::catalogue::registry::Expected;
use crate::catalogue::{Catalogue, LoadedCollector, Problem};
use crate::model::Ts;
use crate::settings::Settings;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Folder with collectors/, registry/ and criteria/ (those of the settings, else the ones built in)
    folder: Option<PathBuf>,
}

/// How many due times are shown for each collector.
const UPCOMING: usize = 5;

#[derive(Serialize)]
struct Report<'a> {
    collectors: Vec<CollectorReport>,
    criteria: Vec<CriteriaReport<'a>>,
    units: Vec<UnitsReport>,
    problems: &'a [Problem],
}

#[derive(Serialize)]
struct CollectorReport {
    id: String,
    state: &'static str,
    waits_for: Vec<String>,
    /// What is missing, in words: settings and secrets.
    lacks: Vec<String>,
    next_due: Vec<Ts>,
}

#[derive(Serialize)]
struct CriteriaReport<'a> {
    id: &'a str,
    sha256: String,
}

#[derive(Serialize)]
struct UnitsReport {
    what: String,
    listed: usize,
    expected: usize,
}

/// Prints what was loaded and what is wrong; exit code 1 on any problem.
pub fn check(arguments: &CheckArguments, settings: Option<&Path>, format: Format) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(settings)?;
    let (files, mut problems) = super::files(arguments.folder.as_deref().or(settings.catalogue.as_deref()))?;
    let (catalogue, wrong) = Catalogue::load(&files);
    problems.extend(wrong);
    problems.extend(outside(&catalogue, &settings, arguments.folder.as_deref()));
    let now = Ts::now();
    let report = Report {
        collectors: catalogue.collectors.values().map(|loaded| collector(loaded, &settings, now)).collect(),
        criteria: catalogue.criteria.values().map(|set| CriteriaReport { id: &set.id, sha256: set.sha256.to_string() }).collect(),
        units: units(&catalogue),
        problems: &problems,
    };
    output::print(format, &report, &table(&report, &catalogue))?;
    if format == Format::Table {
        say(&report);
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What no single file can be blamed for: a folder that is none of ours, a province that nobody knows.
fn outside(catalogue: &Catalogue, settings: &Settings, folder: Option<&Path>) -> Vec<Problem> {
    let at = |message: String, fix: &str| Problem { file: "thuocdo.toml".to_owned(), line: 1, column: 1, message, fix: fix.to_owned() };
    let mut problems = Vec::new();
    if catalogue.collectors.is_empty() || catalogue.criteria.is_empty() {
        let where_ = folder.map_or("the catalogue".to_owned(), |folder| folder.display().to_string());
        problems.push(at(
            format!("{where_} has no collectors or no criteria"),
            "name the folder that holds collectors/, registry/ and criteria/",
        ));
    }
    if catalogue.registry.unit(settings.province_unit()).is_none() {
        let message = format!("[province] unit = {:?} is no unit of the registry", settings.province_unit());
        problems.push(at(message, "write the id of a province in registry/units/provinces.csv, like \"H49\""));
    }
    problems
}

fn collector(loaded: &LoadedCollector, settings: &Settings, now: Ts) -> CollectorReport {
    let schedule = &loaded.collector.schedule;
    let waits_for = loaded.waits_for(settings);
    let lacks = loaded.lacks(settings);
    CollectorReport {
        id: loaded.collector.id.get_ref().clone(),
        state: if lacks.is_empty() { "ready" } else { "waits for settings" },
        waits_for,
        lacks,
        next_due: schedule.cron.upcoming(schedule.timezone.0, now, UPCOMING),
    }
}

fn units(catalogue: &Catalogue) -> Vec<UnitsReport> {
    let counts = catalogue.registry.listed_of_expected();
    let what = |expected: &Expected| {
        let province = expected.province.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
        format!("{}s{province} on {} ({})", expected.unit_group.label(), expected.on, expected.cite)
    };
    counts
        .into_iter()
        .map(|count| UnitsReport { what: what(&count.expected), listed: count.listed, expected: count.expected.bodies })
        .collect()
}

fn table(report: &Report, catalogue: &Catalogue) -> Table {
    let mut table = Table::new(&["collector", "state", "next five due times (local)"]);
    for shown in &report.collectors {
        let zone = catalogue.collectors[&shown.id].collector.schedule.timezone.0;
        let state = match shown.waits_for.as_slice() {
            [] if shown.lacks.is_empty() => shown.state.to_owned(),
            [] => shown.lacks.join("; "),
            names => format!("waits for [province] {}", names.join(", ")),
        };
        let due: Vec<String> = shown.next_due.iter().map(|due| due.utc().with_timezone(&zone).format("%d/%m %H:%M").to_string()).collect();
        table.row([shown.id.clone(), state, due.join("  ")]);
    }
    table
}

fn say(report: &Report) {
    say!("");
    for set in &report.criteria {
        say!("criteria set {} (sha256 {}…)", set.id, &set.sha256[..12]);
    }
    for units in &report.units {
        say!("{} of {} {}", units.listed, units.expected, units.what);
    }
    say!("{} problems", report.problems.len());
}
