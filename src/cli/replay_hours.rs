//! `thuocdo replay PROBE --from --to`: the hours of a probe computed again from their evidence, and its days from the hours.

use std::process::ExitCode;

use anyhow::{Context, ensure};
use chrono::NaiveDate;

use super::Installation;
use super::output::{self, Format, Table, say};
use crate::catalogue::LoadedCollector;
use crate::collect::collector::ProbeSource;
use crate::collect::watch::Ground;
use crate::collect::watch::again::{Again, again};
use crate::collect::watch::close::{day_of, window_of};
use crate::model::{Period, PeriodKind, Request, RequestOutcome, RunId, RunState, Scope, Trigger, Ts, Window};
use crate::store::{Db, KnownSince, RequestRecord, RunRecord, Terms, Watched};

/// Which days, and what to do with what differs.
pub struct Asked<'a> {
    /// First day.
    pub from: NaiveDate,
    /// Last day, inclusive.
    pub to: NaiveDate,
    /// Record the days as they are computed now.
    pub record: bool,
    /// The probe.
    pub loaded: &'a LoadedCollector,
    /// Its rules.
    pub probe: &'a ProbeSource,
}

/// Compares; exit code 1 if anything is not as it is stored, unless that is recorded now.
pub async fn replay_hours(asked: &Asked<'_>, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    ensure!(asked.from <= asked.to, "--from {} is after --to {}", asked.from, asked.to);
    let (db, archive) = (installation.existing_db().await?, installation.archive());
    let registry = &installation.catalogue.registry;
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe: asked.probe };
    let today = day_of(Ts::now());
    ensure!(asked.from <= today, "{} has not begun", asked.from);
    let is_over = |day: &NaiveDate| *day < today;
    let days = asked.from.iter_days().take_while(|day| *day <= asked.to).filter(is_over);
    let days: Vec<Period> = days.map(|day| Period::holding(PeriodKind::Day, day)).collect();
    ensure!(!asked.record || !days.is_empty(), "{} is not over: a day is recorded when it is", asked.from);
    let (first, last) = (Period::holding(PeriodKind::Day, asked.from), Period::holding(PeriodKind::Day, asked.to));
    let window = Window { from: window_of(first).from, to: window_of(last).to };
    let collector = asked.loaded.collector.id.get_ref();
    let compared = again(&db, &archive, collector, window, &days, &ground).await?;
    let mut table = Table::new(&["difference"]);
    compared.differences.iter().for_each(|difference| table.row([difference]));
    if format == Format::Table {
        say!(
            "{} hours of targets from {} evidence objects, {} closed days of targets; {} differences",
            compared.hours,
            compared.evidence,
            compared.days,
            compared.differences.len()
        );
    }
    if format != Format::Table || !compared.differences.is_empty() {
        output::print(format, &compared, &table)?;
    }
    if asked.record && !compared.days_now.is_empty() {
        record(asked, installation, &db, &compared, &ground).await?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if compared.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Records the days as they are now, on the evidence of the last hour that was watched in them: a restatement.
async fn record(asked: &Asked<'_>, installation: &Installation, db: &Db, compared: &Again, ground: &Ground<'_>) -> anyhow::Result<()> {
    let collector = asked.loaded.collector.id.get_ref().clone();
    let window = Window {
        from: window_of(Period::holding(PeriodKind::Day, asked.from)).from,
        to: window_of(Period::holding(PeriodKind::Day, asked.to)).to,
    };
    let evidence = db.hour_evidence(&collector, window).await?;
    let (due_at, _, sha256) = evidence.last().context("nothing was watched in these days")?.clone();
    let (run, now) = (RunId { collector: collector.clone(), due_at }, Ts::now());
    let terms = Terms {
        owner: &installation.owner,
        now,
        until: now.plus(std::time::Duration::from_secs(600)),
        spec: (&asked.loaded.sha256, Some(&asked.loaded.text)),
    };
    let claim = db.claim_anew(&run, Trigger::Replay, &terms).await?.with_context(|| format!("somebody is at work on {run}; try again"))?;
    let year = Period::holding(PeriodKind::Year, asked.from).start();
    let known = db.days(&collector, Period::holding(PeriodKind::Day, year), Period::holding(PeriodKind::Day, day_of(now))).await?;
    let request = Request {
        no: 1,
        scope: Scope { due: due_at, period: None, unit: None, portal: None, province: installation.settings.province.clone() },
        method: "REPLAY".to_owned(),
        url: format!("days {} to {} computed again", asked.from, asked.to),
        body: String::new(),
        at: now,
        elapsed_micros: 0,
        status: None,
        content_type: crate::collect::watch::seal::MEDIA_TYPE.to_owned(),
        evidence: Some(sha256),
        size_bytes: 0,
        outcome: RequestOutcome::Recorded,
        reason: None,
        error: String::new(),
    };
    let readings = ground.readings(&known, &compared.days_now);
    let request = RequestRecord { request, findings: Vec::new(), gates: Vec::new(), readings, shapes: Vec::new() };
    let (state, requests) = (RunState::Recorded, vec![request]);
    let record =
        RunRecord { started_at: now, ended_at: Ts::now().max(now), state, retry_at: None, reason: None, error: String::new(), requests };
    let watched = Watched { hours: &[], days: &compared.days_now };
    let recorded = db.record_watched(&claim, &record, &watched, KnownSince::Clock(Ts::now())).await?;
    say!("{} new, {} restated, {} unchanged", recorded.observations_new, recorded.observations_restated, recorded.observations_unchanged);
    Ok(())
}
