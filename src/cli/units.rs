//! `thuocdo units`: the assessed bodies, and a draft of them from a source.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::Installation;
use super::output::say;
use super::output::{self, Format, Table};
use tokio_util::sync::CancellationToken;

use crate::catalogue::LoadedCollector;
use crate::collect::ask::{Fetched, Manner, ask_each};
use crate::collect::collector::Source;
use crate::collect::extract::{self, DraftUnit};
use crate::collect::read::unexpected;
use crate::collect::source::{Failure, Politeness};
use crate::model::{Period, PeriodKind, Reason, Scope, Ts, UnitGroup};

/// What to do with units.
#[derive(Debug, Subcommand)]
pub enum UnitsCommand {
    /// List the bodies in force on a period
    List(ListArguments),
    /// Ask a source for its list of units and draft units.csv and the code map for review
    Draft(DraftArguments),
}

/// Arguments of `units list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Period, like 2026 or 2022-10-01 (today)
    #[arg(long)]
    period: Option<Period>,
    /// Only the province of the settings and the bodies below it
    #[arg(long)]
    province: bool,
}

/// Arguments of `units draft`.
#[derive(Debug, Args)]
pub struct DraftArguments {
    /// Collector whose rows name the units
    collector: String,
    /// Read this saved answer instead of asking the source
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Write the two files below this folder (catalogue); printed if not given
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// Runs `units`.
pub async fn units(command: &UnitsCommand, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    match command {
        UnitsCommand::List(list) => list_units(list, installation, format),
        UnitsCommand::Draft(draft) => draft_units(draft, installation).await,
    }
}

/// Today in Vietnam.
fn today() -> Period {
    Period::holding(PeriodKind::Day, Ts::now().utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive())
}

fn list_units(arguments: &ListArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let period = arguments.period.unwrap_or_else(today);
    let registry = &installation.catalogue.registry;
    let units = match arguments.province {
        true => registry.below(installation.settings.province_unit(), period),
        false => registry.units_in(period),
    };
    let mut table = Table::new(&["id", "code", "name", "unit_group", "kind", "parent", "valid_from", "valid_to"]);
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    for unit in &units {
        let parent = unit.parent.clone().unwrap_or_default();
        table.row([
            &unit.id,
            &unit.code,
            &unit.name,
            unit.unit_group.label(),
            &unit.kind,
            &parent,
            &day(unit.valid_from),
            &day(unit.valid_to),
        ]);
    }
    output::print(format, &units, &table)?;
    Ok(ExitCode::SUCCESS)
}

async fn draft_units(arguments: &DraftArguments, installation: &Installation) -> anyhow::Result<ExitCode> {
    let loaded = super::run::collector(installation, &arguments.collector)?;
    let (body, content_type) = match &arguments.sample {
        Some(path) => (std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?, String::new()),
        None => newest_answer(installation, loaded).await?,
    };
    let scope = Scope { due: Ts::now(), period: None, unit: None, portal: None, province: installation.settings.province.clone() };
    if let Some(failure) = answers_another(installation, loaded, &scope, &body) {
        bail!("{failure}; set the province's ids under [province] in the settings");
    }
    let draft = Draft::read(loaded, &body, &content_type, installation.settings.province_unit())?;
    eprintln!("{} units; look them through before they are used", draft.n_units);
    match &arguments.write {
        None => say!("# {}\n{}\n# {}\n{}", draft.units_path, draft.units_csv, draft.codes_path, draft.codes_csv),
        Some(folder) => {
            if let Some(there) = [&draft.units_path, &draft.codes_path].into_iter().map(|path| folder.join(path)).find(|path| path.exists())
            {
                bail!("{} is there already, perhaps looked through: rename it, or write into another folder", there.display());
            }
            for (path, text) in [(&draft.units_path, &draft.units_csv), (&draft.codes_path, &draft.codes_csv)] {
                let target = folder.join(path);
                std::fs::create_dir_all(target.parent().expect("a file stands in a folder"))?;
                std::fs::write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
                say!("{}", target.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether an answer is about another province than the settings name.
fn answers_another(installation: &Installation, loaded: &LoadedCollector, scope: &Scope, body: &[u8]) -> Option<Failure> {
    let Source::Http(http) = &loaded.collector.source else { return None };
    let document = extract::parse(&loaded.collector.rows, body, "").ok()?;
    let stated = http.expect.content_type.clone().unwrap_or_default();
    let failure = unexpected(&installation.catalogue, &loaded.collector, scope, &document, body, &stated);
    // A draft is about no period, so what needs one cannot be compared.
    failure.filter(|failure| failure.reason != Reason::Config)
}

async fn newest_answer(installation: &Installation, loaded: &LoadedCollector) -> anyhow::Result<(Vec<u8>, String)> {
    let spinner = output::spinner(format!("asking {}", loaded.collector.id.get_ref()));
    let (mut newest, mut failures) = (None, Vec::new());
    let take = &mut |fetched: Fetched| {
        let reason = fetched.attempt.failure.as_ref().map(|failure| failure.reason);
        match (fetched.attempt.failure, fetched.attempt.body) {
            (None, Some(body)) => newest = Some((body, fetched.attempt.content_type)),
            (failure, _) => failures.extend(failure.map(|failure| failure.to_string())),
        }
        Ok::<_, Infallible>(reason)
    };
    let asked = ask_each(
        &installation.settings,
        &installation.catalogue,
        &loaded.collector,
        Ts::now(),
        &Politeness::default(),
        (Manner::Whole, &CancellationToken::new()),
        take,
    )
    .await;
    match asked {
        Ok(()) => spinner.finish_and_clear(),
        Err(never) => match never {},
    }
    newest.with_context(|| format!("the source gave no answer: {}", failures.join("; ")))
}

/// Units and code map as a source names them, for review.
pub struct Draft {
    /// How many units the two files list.
    pub n_units: usize,
    /// Path below the catalogue's folder.
    pub units_path: String,
    /// Columns as in registry/units.
    pub units_csv: String,
    /// Path below the catalogue's folder.
    pub codes_path: String,
    /// Columns as in registry/codes.
    pub codes_csv: String,
}

impl Draft {
    /// Reads the units of one answer.
    ///
    /// # Errors
    /// The answer cannot be read, or its rows do not name their units.
    pub fn read(loaded: &LoadedCollector, body: &[u8], content_type: &str, province: &str) -> anyhow::Result<Draft> {
        let id = loaded.collector.id.get_ref();
        let system = loaded.collector.rows.iter().find_map(|rows| rows.unit_codes()).with_context(|| format!("{id} has no code map"))?;
        let document = extract::parse(&loaded.collector.rows, body, content_type)
            .map_err(|finding| anyhow::anyhow!("{}: {}", finding.reason, finding.text))?;
        let (units, findings) = extract::draft_units(&document, &loaded.collector);
        if let Some(finding) = findings.first() {
            bail!("{}: {}", finding.place, finding.text);
        }
        let n_units = units.iter().filter(|unit| unit.group != UnitGroup::Province).count();
        if n_units == 0 {
            bail!("the answer names no unit below the province; draft from a collector that reads the bodies of one province");
        }
        let slug = province.to_lowercase();
        Ok(Draft {
            n_units,
            units_path: format!("registry/units/draft-{slug}.csv"),
            units_csv: units_csv(&units, province)?,
            codes_path: format!("registry/codes/{}/draft-{slug}.csv", system.get_ref()),
            codes_csv: codes_csv(&units)?,
        })
    }
}

/// The id under which a drafted unit is known: the source's official code, else its own code.
fn drafted_id(unit: &DraftUnit) -> &str {
    if unit.code.is_empty() { &unit.value } else { &unit.code }
}

fn units_csv(units: &[DraftUnit], province: &str) -> anyhow::Result<String> {
    let mut table = Table::new(&["id", "code", "name", "unit_group", "kind", "parent", "valid_from", "valid_to", "decision"]);
    // The province itself stands in registry/units/provinces.csv already.
    for unit in units.iter().filter(|unit| unit.group != UnitGroup::Province) {
        let id = drafted_id(unit);
        table.row([id, id, &unit.name, unit.group.label(), kind(unit), province, "", "", ""]);
    }
    table.csv()
}

/// What the unit calls itself, as far as its name says it; else the group's word. For review like the rest.
fn kind(unit: &DraftUnit) -> &'static str {
    let name = format!(" {} ", crate::model::fold(&unit.name));
    let named = ["đặc khu", "phường", "thị trấn", "xã", "sở", "ban quản lý", "văn phòng", "thanh tra", "trung tâm"];
    let found = named.into_iter().filter_map(|word| name.find(&format!(" {word} ")).map(|at| (at, word))).min();
    found.map_or(unit.group.vi(), |(_, word)| word)
}

fn codes_csv(units: &[DraftUnit]) -> anyhow::Result<String> {
    let mut table = Table::new(&["code", "unit", "valid_from", "valid_to"]);
    for unit in units.iter().filter(|unit| unit.group != UnitGroup::Province) {
        table.row([unit.value.as_str(), drafted_id(unit), "", ""]);
    }
    table.csv()
}
