//! `thuocdo demo`: a province on loopback, collected, checked, scored, ranked and explained.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use tempfile::TempDir;

use super::output::{Format, Table};
use super::output::{say, say_part};
use super::{score, serve};
use crate::catalogue::{Catalogue, Files};
use crate::collect::archive::Archive;
use crate::collect::run::{Ran, When, Workplace, run_once};
use crate::collect::source::Politeness;
use crate::demo::{Figures, Portal, SIMULATED, serve as serve_portal};
use crate::model::{Period, PeriodKind, RunState, Trigger, Ts, Unit};
use crate::score::ScoreRun;
use crate::score::explain::Lang;
use crate::scoring::{self, Scoring};
use crate::serve::{Service, start};
use crate::settings::Settings;
use crate::store::Db;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Collect and score once, print the result and end
    #[arg(long)]
    once: bool,
    /// Answer with recorded bodies (a folder with manifest.json) instead of seeded figures
    #[arg(long, value_name = "DIR")]
    bodies: Option<PathBuf>,
    /// Seed of the simulated figures
    #[arg(long, default_value_t = 268)]
    seed: u64,
    /// The day that is simulated (with --once 2026-10-08T00:00:00Z, else today)
    #[arg(long, value_name = "INSTANT", requires = "once")]
    at: Option<Ts>,
    /// Where the demonstration that stays serves its pages
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8268", conflicts_with = "once")]
    listen: SocketAddr,
    /// Keep database and evidence in this new folder (a temporary one, removed at the end)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Base address of the simulated document system; `.example` never leads anywhere (RFC 2606).
const DOCUMENTS: &str = "https://vanban.quangninh.example";
/// Base address of the national portal, as the shipped collectors ask it.
pub(super) const PORTAL: &str = "https://dichvucong.gov.vn";
/// The shipped collectors that the demonstration runs.
const COLLECTORS: [&str; 8] = [
    "npsp-service-results",
    "npsp-transparency",
    "npsp-progress",
    "npsp-online",
    "npsp-payment",
    "npsp-digitised",
    "npsp-satisfaction",
    "documents",
];

/// Where a demonstration keeps its database and evidence; a temporary folder goes when this is dropped.
pub(super) struct Ground {
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Ground {
    pub(super) fn new(asked: Option<&Path>) -> anyhow::Result<Ground> {
        let Some(folder) = asked else {
            let temporary = TempDir::with_prefix("thuocdo-demo-").context("cannot make a temporary folder")?;
            return Ok(Ground { folder: temporary.path().to_path_buf(), _temporary: Some(temporary) });
        };
        if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty; name a new folder", folder.display());
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Ground { folder: folder.to_path_buf(), _temporary: None })
    }

    pub(super) async fn db(&self) -> anyhow::Result<Db> {
        Ok(Db::open(&format!("sqlite:{}", self.folder.join("thuocdo.db").display())).await?)
    }

    pub(super) fn archive(&self) -> Archive {
        Archive::new(self.folder.join("evidence"))
    }
}

/// Runs the demonstration.
pub async fn demo(arguments: &DemoArguments, format: Format) -> anyhow::Result<ExitCode> {
    match (&arguments.bodies, arguments.once) {
        (Some(folder), true) => super::demo_bodies::demo(folder, arguments.folder.as_deref(), format).await,
        (Some(_), false) => bail!("recorded bodies are shown once: write `demo --once --bodies DIR`"),
        (None, true) => once(arguments, format).await,
        (None, false) => stays(arguments).await,
    }
}

/// A simulated province on loopback, and what asks it.
struct Simulated {
    settings: Settings,
    /// Code maps of the simulated bodies, laid over the shipped files.
    laid_over: Files,
    portal: Portal,
    today: chrono::NaiveDate,
}

async fn simulate(seed: u64, at: Ts) -> anyhow::Result<Simulated> {
    let (registry_only, _) = Catalogue::load(&Files::embedded());
    let mut settings = Settings::default();
    let today = at.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive();
    let figures = figures(seed, &settings, &registry_only, today)?;
    let laid_over = code_map_files(&figures)?;
    let portal = serve_portal(figures).await.context("cannot serve the simulated province on loopback")?;
    settings.province.insert("documents".to_owned(), DOCUMENTS.to_owned());
    settings.rewrite = [PORTAL, DOCUMENTS].map(|from| (from.to_owned(), portal.url())).into();
    Ok(Simulated { settings, laid_over, portal, today })
}

/// Collects and scores in a service that goes on until it is stopped, with its pages.
async fn stays(arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    serve::begin_log(serve::LogFormat::Text);
    let now = Ts::now();
    let Simulated { mut settings, laid_over, portal, .. } = simulate(arguments.seed, now).await?;
    let ground = Ground::new(arguments.folder.as_deref())?;
    settings.evidence = ground.folder.join("evidence");
    settings.store = format!("sqlite:{}", ground.folder.join("thuocdo.db").display());
    settings.service.listen = arguments.listen;
    settings.note = SIMULATED.to_owned();
    let mut files = Files::embedded().overlay(laid_over.clone());
    // The portal that is simulated is that of 2026; its older service has ended.
    files.retain(|path| !path.starts_with("collectors/npsp-2025"));
    let pages = start::bind(arguments.listen, "--listen").await?;
    let alone = start::alone(&settings)?;
    let parts = start::prepare(settings, (files, Vec::new()), false).await?;
    let (service, reloads) = Service::new(parts);
    let live = service.live();
    let runs = collect(&service.place(&live), When::Now).await?;
    say!("Thu thập ({SIMULATED})\n{}\n", runs_table(&runs).aligned());
    say!("http://{}  (Ctrl-C: dừng)", arguments.listen);
    let running = serve::Running { service, reloads, listeners: (pages, None), alone };
    let code = running.until_stopped().await?;
    portal.stop().await?;
    Ok(code)
}

/// Collects, scores, ranks and explains once.
async fn once(arguments: &DemoArguments, format: Format) -> anyhow::Result<ExitCode> {
    let at = arguments.at.map_or_else(|| "2026-10-08T00:00:00Z".parse(), Ok)?;
    let Simulated { settings, laid_over, portal, today } = simulate(arguments.seed, at).await?;
    let catalogue = overlaid(laid_over.clone())?;
    let ground = Ground::new(arguments.folder.as_deref())?;
    let (db, archive, politeness) = (ground.db().await?, ground.archive(), Politeness::default());
    let place =
        Workplace { settings: &settings, catalogue: &catalogue, db: &db, archive: &archive, politeness: &politeness, owner: "cli:demo" };
    let runs = collect(&place, When::Stated(at)).await?;
    portal.stop().await?;
    let period = Period::holding(PeriodKind::Year, today);
    let scoring = Scoring::of(&catalogue, &catalogue.criteria["qd766-2026"], Some(settings.province_unit()), period, at, &db).await?;
    let run = scoring.score()?;
    let explained = explained(&scoring, &run, &place).await?;
    show(format, &runs, &run, &explained)?;
    db.close().await;
    if let Some(folder) = &arguments.folder {
        keep_catalogue(folder, &laid_over, &settings)?;
        if format == Format::Table {
            say!(
                "\nkept in {0}; look around with, for example:\n  cd {0}\n  thuocdo score --period {period}\n  thuocdo runs",
                folder.display()
            );
        }
    }
    let good = runs.iter().all(|ran| ran.state == RunState::Recorded);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Settings and catalogue beside the kept database, so that it can be scored, explained and replayed.
fn keep_catalogue(folder: &Path, laid_over: &Files, settings: &Settings) -> anyhow::Result<()> {
    let province = settings.province.iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect::<String>();
    let text = format!("# The settings of a kept demonstration.\ncatalogue = \".\"\nnote = {SIMULATED:?}\n\n[province]\n{province}");
    let files = Files::embedded().overlay(laid_over.clone());
    for (path, text) in files.iter().chain([("thuocdo.toml", text.as_str())]) {
        let target = folder.join(path);
        std::fs::create_dir_all(target.parent().expect("a file stands in a folder"))?;
        std::fs::write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

/// The simulated figures of the province of the settings, under the ids that are publicly known where they are.
fn figures(seed: u64, settings: &Settings, catalogue: &Catalogue, today: chrono::NaiveDate) -> anyhow::Result<Figures> {
    let registry = &catalogue.registry;
    let day = Period::holding(PeriodKind::Day, today);
    let province = settings.province_unit();
    let units: Vec<Unit> = registry
        .units_in(day)
        .into_iter()
        .filter(|unit| unit.parent.is_none() || registry.province_of(&unit.id).is_some_and(|of| of.id == province))
        .cloned()
        .collect();
    let codes = registry.codes("npsp").context("the shipped files have no code map npsp")?;
    let known: Vec<(String, String)> =
        units.iter().filter_map(|unit| Some((codes.code_of(&unit.id, day)?.to_owned(), unit.id.clone()))).collect();
    Ok(Figures::new(seed, province, &units, today)?.with_known_codes(&known))
}

/// The demonstration's own code maps, laid over the shipped files: the real ids are not publicly known.
fn code_map_files(figures: &Figures) -> anyhow::Result<Files> {
    let csv = |codes: Vec<(String, String)>| {
        let mut table = Table::new(&["code", "unit", "valid_from", "valid_to"]);
        codes.into_iter().for_each(|(code, unit)| table.row([code.as_str(), unit.as_str(), "", ""]));
        table.csv()
    };
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let provinces = |unit: &str| shipped.registry.unit(unit).is_some_and(|unit| unit.parent.is_none());
    let below = |codes: Vec<(String, String)>| codes.into_iter().filter(|(_, unit)| !provinces(unit)).collect();
    Ok([
        ("registry/codes/npsp/demo.csv".to_owned(), csv(below(figures.code_map()))?),
        ("registry/codes/documents/demo.csv".to_owned(), csv(below(figures.short_codes()))?),
    ]
    .into_iter()
    .collect())
}

/// The shipped files with others laid over them.
pub(super) fn overlaid(files: Files) -> anyhow::Result<Catalogue> {
    let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay(files));
    match problems.is_empty() {
        true => Ok(catalogue),
        false => bail!(super::joined(&problems)),
    }
}

async fn collect(place: &Workplace<'_>, when: When) -> anyhow::Result<Vec<Ran>> {
    // Hidden unless a terminal is attached.
    let progress = ProgressBar::new(COLLECTORS.len() as u64);
    let mut runs = Vec::new();
    for id in COLLECTORS {
        let loaded = place.catalogue.collectors.get(id).with_context(|| format!("the shipped files have no collector {id}"))?;
        runs.push(run_once(place, loaded, when, Trigger::Manual).await?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(runs)
}

/// Why the first of the communes (the first that can be, if no place is certain) got its points for timeliness.
async fn explained(scoring: &Scoring<'_>, run: &ScoreRun<'_>, place: &Workplace<'_>) -> anyhow::Result<Vec<String>> {
    let communes = run.sheets.iter().filter(|sheet| sheet.unit_group == crate::model::UnitGroup::Commune && sheet.complete);
    let first = communes.min_by_key(|sheet| sheet.rank_between);
    let Some(first) = first else { return Ok(Vec::new()) };
    let explanation = scoring::explained(scoring, first.unit, "2.1", Lang::Vi, place).await?;
    let mut lines = Vec::new();
    score::flatten(&explanation, 0, &mut |line| lines.push(line));
    Ok(lines)
}

/// One run as a row.
pub(super) fn runs_table(runs: &[Ran]) -> Table {
    let mut table = Table::new(&["collector", "state", "requests", "observations", "findings"]);
    for ran in runs {
        let findings: usize = ran.requests.iter().map(|record| record.findings.len()).sum();
        let observations = ran.recorded.observations_new + ran.recorded.observations_restated;
        table.row([
            ran.run.collector.clone(),
            ran.state.to_string(),
            ran.requests.len().to_string(),
            observations.to_string(),
            findings.to_string(),
        ]);
    }
    table
}

fn show(format: Format, runs: &[Ran], run: &ScoreRun<'_>, explained: &[String]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        note: &'static str,
        runs: Vec<RunReport<'a>>,
        score: &'a ScoreRun<'a>,
        explained: &'a [String],
    }
    #[derive(Serialize)]
    struct RunReport<'a> {
        run: &'a crate::model::RunId,
        state: RunState,
        requests: usize,
    }
    match format {
        Format::Json => {
            let runs = runs.iter().map(|ran| RunReport { run: &ran.run, state: ran.state, requests: ran.requests.len() }).collect();
            say!("{}", serde_json::to_string_pretty(&Report { note: SIMULATED, runs, score: run, explained })?);
        }
        Format::Csv => {
            let mut table = score::scores_table(run);
            table.columns.push("note".to_owned());
            table.rows.iter_mut().for_each(|row| row.push(SIMULATED.to_owned()));
            say_part!("{}", table.csv()?);
        }
        Format::Table => {
            say!("Thu thập ({SIMULATED})\n{}\n", runs_table(runs).aligned());
            say!("{} {} ({SIMULATED})\n{}", run.title.vi, run.period, score::scores_table(run).aligned());
            score::say_summary(run);
            say!("\nVì sao? ({SIMULATED})");
            explained.iter().for_each(|line| say!("{line}"));
        }
    }
    Ok(())
}
