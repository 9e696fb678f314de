//! The commands: what people and scripts type.

mod availability;
mod backfill;
mod check;
mod demo;
mod demo_bodies;
mod export;
mod freshness;
mod init;
mod notify;
mod output;
mod probe;
mod replay;
mod replay_hours;
mod run;
mod runs;
mod score;
mod serve;
mod trial;
mod units;
mod which_unit;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalogue::{Catalogue, Files, Problem};
use crate::collect::archive::Archive;
use crate::collect::run::Workplace;
use crate::collect::source::Politeness;
use crate::model::Ts;
use crate::serve::start::owner;
use crate::settings::Settings;
use crate::store::Db;
use output::Format;

/// Measures how well a province's public bodies serve people online.
#[derive(Debug, Parser)]
#[command(name = "thuocdo", version, propagate_version = true)]
pub struct Arguments {
    /// Settings file (thuocdo.toml in the working folder, if there is one)
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "table")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Collect, check, score, rank and explain a province on loopback
    Demo(demo::DemoArguments),
    /// Write settings, collectors, registry and criteria into a folder for editing
    Init(init::InitArguments),
    /// Load and cross-check every declarative file; no network
    Check(check::CheckArguments),
    /// Run one collector now and record it
    Run(run::RunArguments),
    /// Run the collectors on their schedules, unattended; pages, API and metrics
    Serve(serve::ServeArguments),
    /// Run windows of the past that were never recorded
    Backfill(backfill::BackfillArguments),
    /// Let a collector's schedule rest
    Pause(backfill::PauseArguments),
    /// Let a paused collector go on, replaying nothing
    Resume(backfill::PauseArguments),
    /// Fetch or read a sample and show what would be recorded; nothing is stored
    Try(trial::TryArguments),
    /// Look at a portal once and show every phase; nothing is stored
    Probe(probe::ProbeArguments),
    /// Show how available a portal was: the figure, its coverage, its bounds and every interval
    Availability(availability::AvailabilityArguments),
    /// Read a run again from its evidence
    Replay(replay::ReplayArguments),
    /// List runs, or show one with its requests, findings and gates
    Runs(runs::RunsArguments),
    /// Score a criteria set for a period
    Score(score::ScoreArguments),
    /// Explain one point from the formula down to the bytes
    Explain(score::ExplainArguments),
    /// Write tables for other programs
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Show what is not as it should be and who was told, or try the webhook
    Notify(notify::NotifyArguments),
    /// The assessed bodies
    #[command(subcommand)]
    Units(units::UnitsCommand),
    /// Write one kept answer to standard output
    Evidence(runs::EvidenceArguments),
    /// Hash all evidence again
    Verify,
}

/// Runs a command.
///
/// # Errors
/// What failed for which input; the exit code is then 1.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { settings, format, command } = arguments;
    match command {
        Command::Demo(demo) => demo::demo(&demo, format).await,
        Command::Init(init) => init::init(&init),
        Command::Check(check) => check::check(&check, settings.as_deref(), format),
        Command::Serve(serve) => serve::serve(&serve, settings.as_deref()).await,
        other => in_workplace(other, &Installation::open(settings.as_deref())?, format).await,
    }
}

async fn in_workplace(command: Command, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(_) | Command::Init(_) | Command::Check(_) | Command::Serve(_) => {
            unreachable!("handled before an installation is opened")
        }
        Command::Run(run) => run::run(&run, installation, format).await,
        Command::Backfill(backfill) => backfill::backfill(&backfill, installation, format).await,
        Command::Pause(pause) => backfill::pause(&pause, installation).await,
        Command::Resume(resume) => backfill::resume(&resume, installation).await,
        Command::Try(sample) => trial::try_collector(&sample, installation, format).await,
        Command::Probe(probe) => probe::probe(&probe, installation, format).await,
        Command::Availability(asked) => availability::availability(&asked, installation, format).await,
        Command::Replay(replay) => replay::replay(&replay, installation, format).await,
        Command::Runs(runs) => runs::runs(&runs, installation, format).await,
        Command::Score(score) => score::score(&score, installation, format).await,
        Command::Explain(explain) => score::explain(&explain, installation, format).await,
        Command::Export(export) => export::export(&export, installation).await,
        Command::Notify(notify) => notify::notify(&notify, installation, format).await,
        Command::Units(units) => units::units(&units, installation, format).await,
        Command::Evidence(evidence) => runs::evidence(&evidence, installation),
        Command::Verify => runs::verify(installation, format).await,
    }
}

/// Settings with the files they name.
pub(crate) struct Installation {
    pub(crate) settings: Settings,
    pub(crate) catalogue: Catalogue,
    /// Who runs what is run by hand.
    pub(crate) owner: String,
}

impl Installation {
    /// Loads settings and catalogue; bad files are named on standard error and left out.
    fn open(settings: Option<&Path>) -> anyhow::Result<Installation> {
        let settings = Settings::load(settings)?;
        let (files, unread) = files(settings.catalogue.as_deref())?;
        let (catalogue, problems) = Catalogue::load(&files);
        for problem in unread.iter().chain(&problems) {
            eprintln!("{problem}");
        }
        Ok(Installation { settings, catalogue, owner: owner("cli", Ts::now()) })
    }

    /// The database, made if it is not there yet.
    pub(crate) async fn db(&self) -> anyhow::Result<Db> {
        Ok(Db::open(&self.settings.store).await?)
    }

    /// The database, for commands that only read: they make none.
    pub(crate) async fn existing_db(&self) -> anyhow::Result<Db> {
        if let Some(path) = self.settings.sqlite_path().filter(|path| !path.exists()) {
            anyhow::bail!(
                "there is no database at {}: collect something first (`thuocdo run`), or set `store` in the settings",
                path.display()
            );
        }
        self.db().await
    }

    /// Says what the figures of this installation are, if the settings say so (a demonstration's are simulated).
    pub(crate) fn say_note(&self, format: Format) {
        match (self.settings.note.as_str(), format) {
            ("", _) => (),
            (note, Format::Table) => output::say!("({note})"),
            // The formats for programs have no room for it.
            (note, Format::Json | Format::Csv) => eprintln!("note: {note}"),
        }
    }

    pub(crate) fn archive(&self) -> Archive {
        Archive::new(&self.settings.evidence)
    }

    pub(crate) fn workplace<'a>(&'a self, db: &'a Db, archive: &'a Archive, politeness: &'a Politeness) -> Workplace<'a> {
        Workplace { settings: &self.settings, catalogue: &self.catalogue, db, archive, politeness, owner: &self.owner }
    }
}

/// The catalogue's files: of a folder, else those built in; what cannot be read of a folder is left out and named.
pub(crate) fn files(folder: Option<&Path>) -> anyhow::Result<(Files, Vec<Problem>)> {
    match folder {
        None => Ok((Files::embedded(), Vec::new())),
        Some(folder) => {
            anyhow::ensure!(
                folder.is_dir(),
                "{} is not a folder; name the one that holds collectors/, registry/ and criteria/",
                folder.display()
            );
            Ok(Files::read(folder))
        }
    }
}

/// Problems, one after the other.
pub(crate) fn joined(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
