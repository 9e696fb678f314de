//! `thuocdo demo --bodies`: the same collectors, gates and scorer on recorded answers, computed beside published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;

use super::demo::{Ground, PORTAL, overlaid};
use super::output::{Format, Table};
use super::output::{say, say_part};
use super::score;
use super::units::Draft;
use crate::catalogue::{Catalogue, Files, LoadedCollector};
use crate::collect::ask::scopes;
use crate::collect::collector::Source;
use crate::collect::run::{Ran, When, Workplace, run_once};
use crate::collect::source::Politeness;
use crate::demo::{Capture, Recorded, serve_recorded};
use crate::model::{Period, PeriodKind, Reason, RequestOutcome, Trigger, Ts};
use crate::score::ScoreRun;
use crate::scoring::Scoring;
use crate::settings::Settings;

/// What became of one recorded answer.
#[derive(Debug, Serialize)]
struct AnswerReport {
    file: String,
    collector: String,
    period: String,
    captured_at: String,
    outcome: String,
    readings: usize,
    why: String,
}

/// One figure of ours beside the one the portal published.
#[derive(Debug, Serialize)]
struct Compared {
    unit: String,
    name: String,
    period: Period,
    of: String,
    computed: String,
    published: String,
    agrees: bool,
    recomputed: bool,
}

/// Collects every province of the folder, scores what was recorded, and compares.
pub async fn demo(folder: &Path, keep: Option<&Path>, format: Format) -> anyhow::Result<ExitCode> {
    let recorded = Recorded::open(folder)?;
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let mut answers: Vec<AnswerReport> = recorded.unusable().iter().map(|entry| unusable(&entry.file, &entry.reason)).collect();
    let mut provinces = Vec::new();
    for root in recorded.roots() {
        match Province::draft(&shipped, &recorded, &root) {
            Ok(province) => provinces.push(province),
            Err(error) => answers.push(unusable(&root, &format!("{error:#}"))),
        }
    }
    answers.extend(
        recorded
            .captures()
            .iter()
            .filter(|capture| capture.root.is_none())
            .map(|capture| unusable(&capture.file, "asks about no province")),
    );
    let mut compared = Vec::new();
    for (no, province) in provinces.iter().enumerate() {
        let ground = Ground::new(keep.map(|keep| keep.join(no.to_string())).as_deref())?;
        province.collect_and_score(&recorded, &ground, &mut answers, &mut compared).await?;
    }
    show(format, &answers, &compared)?;
    // A published figure without one of ours counts against us, and so does nothing at all.
    Ok(if !compared.is_empty() && compared.iter().all(|row| row.agrees) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unusable(file: &str, reason: &str) -> AnswerReport {
    AnswerReport {
        file: file.to_owned(),
        collector: String::new(),
        period: String::new(),
        captured_at: String::new(),
        outcome: "not used".to_owned(),
        readings: 0,
        why: reason.to_owned(),
    }
}

/// One recorded province: its settings and the registry drafted from its bodies.
struct Province {
    settings: Settings,
    catalogue: Catalogue,
    captures: Vec<Recording>,
}

/// What a run needs to know of a capture.
struct Recording {
    file: String,
    path: String,
    period: Option<Period>,
    captured_at: Ts,
}

impl Province {
    fn draft(shipped: &Catalogue, recorded: &Recorded, root: &str) -> anyhow::Result<Province> {
        let captures: Vec<&Capture> = recorded.captures().iter().filter(|capture| capture.root.as_deref() == Some(root)).collect();
        let newest = captures.iter().map(|capture| capture.captured_at).max().context("no capture")?;
        let day = Period::holding(PeriodKind::Day, newest.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive());
        let codes = shipped.registry.codes("npsp").context("the shipped files have no code map npsp")?;
        let unit = codes.unit(root, day).with_context(|| format!("{root} is no province of registry/codes/npsp"))?;
        let province = [("unit".to_owned(), unit.to_owned()), ("npsp".to_owned(), root.to_owned())].into();
        let settings = Settings { province, ..Settings::default() };
        let catalogue = overlaid(drafted_registry(shipped, &captures, unit)?)?;
        let captures = captures.into_iter().map(|capture| Recording {
            file: capture.file.clone(),
            path: capture.path.clone(),
            period: capture.period,
            captured_at: capture.captured_at,
        });
        let mut captures: Vec<Recording> = captures.collect();
        // Oldest first, as they happened: older evidence restates nothing.
        captures.sort_by_key(|capture| capture.captured_at);
        Ok(Province { settings, catalogue, captures })
    }

    /// Runs every collector at the moments of its captures, oldest first, then scores every period that was recorded.
    async fn collect_and_score(
        &self,
        recorded: &Recorded,
        ground: &Ground,
        answers: &mut Vec<AnswerReport>,
        compared: &mut Vec<Compared>,
    ) -> anyhow::Result<()> {
        let (db, archive, politeness) = (ground.db().await?, ground.archive(), Politeness::default());
        let mut periods = BTreeSet::new();
        for ((moment, collector), captures) in self.rounds(answers) {
            let portal = serve_recorded(recorded.at(moment)).await.context("cannot serve the recorded bodies on loopback")?;
            let settings = Settings { rewrite: [(PORTAL.to_owned(), portal.url())].into(), ..self.settings.clone() };
            let place = Workplace {
                settings: &settings,
                catalogue: &self.catalogue,
                db: &db,
                archive: &archive,
                politeness: &politeness,
                owner: "cli:demo",
            };
            let ran = run_once(&place, &self.catalogue.collectors[collector], When::Stated(moment), Trigger::Manual).await?;
            portal.stop().await?;
            periods.extend(recorded_periods(&ran));
            answers.extend(reports(&ran, &captures));
        }
        let as_of = self.captures.iter().map(|capture| capture.captured_at).max().context("no capture")?;
        for period in periods {
            let set = &self.catalogue.criteria["qd766-2026"];
            let scoring = Scoring::of(&self.catalogue, set, Some(self.settings.province_unit()), period, as_of, &db).await?;
            compared.extend(compare(&scoring.score()?));
        }
        db.close().await;
        Ok(())
    }

    /// What one run of a collector can be given: the captures of one moment, oldest moment first, so that a later
    /// answer restates an earlier one. Captures that no request asks for are reported.
    fn rounds(&self, answers: &mut Vec<AnswerReport>) -> BTreeMap<(Ts, &str), Vec<&Recording>> {
        let mut rounds: BTreeMap<(Ts, &str), Vec<&Recording>> = BTreeMap::new();
        for capture in &self.captures {
            let Some(loaded) = self.catalogue.collectors.values().find(|loaded| asks(loaded, &capture.path)) else {
                answers.push(unusable(&capture.file, &format!("no collector asks {}", capture.path)));
                continue;
            };
            let asked = scopes(&self.settings, &self.catalogue, &loaded.collector, capture.captured_at);
            if !asked.iter().any(|scope| scope.period == capture.period) {
                answers.push(unusable(&capture.file, "no request is about its period"));
                continue;
            }
            rounds.entry((capture.captured_at, loaded.collector.id.get_ref())).or_default().push(capture);
        }
        rounds
    }
}

/// Units and code map as the bodies name them; the longest list of a unit's rows wins.
fn drafted_registry(shipped: &Catalogue, captures: &[&Capture], province: &str) -> anyhow::Result<Files> {
    let drafts = captures.iter().filter_map(|capture| {
        let loaded = shipped.collectors.values().find(|loaded| asks(loaded, &capture.path))?;
        Draft::read(loaded, &capture.bytes, "", province).ok()
    });
    let longest = drafts.max_by_key(|draft| draft.n_units).context("no body names the units of the province")?;
    Ok([(longest.units_path, longest.units_csv), (longest.codes_path, longest.codes_csv)].into_iter().collect())
}

/// Whether a collector asks this path of the portal.
fn asks(loaded: &LoadedCollector, path: &str) -> bool {
    match &loaded.collector.source {
        Source::Http(http) => http.url.get_ref().is(&format!("{PORTAL}{path}")),
        Source::File(_) | Source::Probe(_) => false,
    }
}

fn recorded_periods(ran: &Ran) -> impl Iterator<Item = Period> {
    ran.requests.iter().filter(|record| record.request.outcome == RequestOutcome::Recorded).filter_map(|record| record.request.scope.period)
}

fn reports(ran: &Ran, captures: &[&Recording]) -> Vec<AnswerReport> {
    let report = |record: &crate::store::RequestRecord| {
        let request = &record.request;
        let not_recorded = request.reason == Some(Reason::Http4xx) && request.status == Some(404);
        let capture = captures.iter().find(|capture| capture.period == request.scope.period);
        AnswerReport {
            file: capture.map(|capture| capture.file.clone()).unwrap_or_default(),
            collector: ran.run.collector.clone(),
            period: request.scope.period.map(|period| period.to_string()).unwrap_or_default(),
            captured_at: ran.run.due_at.to_string(),
            outcome: if not_recorded { "not recorded".to_owned() } else { request.outcome.to_string() },
            readings: record.readings.len(),
            why: if not_recorded { String::new() } else { super::run::why(record) },
        }
    };
    ran.requests.iter().map(report).collect()
}

/// Every group and line of ours for which the portal published a figure.
fn compare(run: &ScoreRun<'_>) -> Vec<Compared> {
    let mut rows = Vec::new();
    for sheet in &run.sheets {
        for group in &sheet.groups {
            let recomputed = !group.lines.iter().any(|line| line.published);
            // A published figure beside which we have only a range is not equal: it counts against us.
            let group_controls = group.controls.iter().map(|control| (group.group, Some(group.points), control, recomputed));
            let line_controls = group
                .lines
                .iter()
                .flat_map(|line| line.controls.iter().map(move |control| (line.criterion, line.points, control, !line.published)));
            for (of, points, control, recomputed) in group_controls.chain(line_controls) {
                rows.push(Compared {
                    unit: sheet.unit.to_owned(),
                    name: sheet.name.to_owned(),
                    period: run.period,
                    of: of.to_owned(),
                    // A figure that we only repeat is not computed.
                    computed: if recomputed { points.map_or("–".to_owned(), score::points) } else { String::new() },
                    published: control.value.map_or("–".to_owned(), |value| value.fixed(2)),
                    agrees: control.agrees == Some(true),
                    recomputed,
                });
            }
        }
    }
    rows
}

fn show(format: Format, answers: &[AnswerReport], compared: &[Compared]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        answers: &'a [AnswerReport],
        compared: &'a [Compared],
    }
    let mut table = Table::new(&["unit", "name", "period", "of", "computed", "published", "equal"]);
    for row in compared {
        let equal = match (row.agrees, row.recomputed) {
            (true, true) => "yes",
            (true, false) => "published*",
            (false, _) => "NO",
        };
        table.row([
            row.unit.clone(),
            row.name.clone(),
            row.period.to_string(),
            row.of.clone(),
            row.computed.clone(),
            row.published.clone(),
            equal.to_owned(),
        ]);
    }
    match format {
        Format::Json => say!("{}", serde_json::to_string_pretty(&Report { answers, compared })?),
        Format::Csv => say_part!("{}", table.csv()?),
        Format::Table => {
            say!("{}\n", table.aligned());
            say!("{}\n", answers_table(answers).aligned());
            say_counts(compared);
        }
    }
    Ok(())
}

fn answers_table(answers: &[AnswerReport]) -> Table {
    let mut table = Table::new(&["answer", "collector", "period", "outcome", "readings", "why"]);
    for answer in answers {
        table.row([&answer.file, &answer.collector, &answer.period, &answer.outcome, &answer.readings.to_string(), &answer.why]);
    }
    table
}

fn say_counts(compared: &[Compared]) {
    let mut counts: BTreeMap<(&str, bool), (usize, usize)> = BTreeMap::new();
    for row in compared {
        let count = counts.entry((&row.of, row.recomputed)).or_default();
        count.0 += usize::from(row.agrees);
        count.1 += 1;
    }
    for ((of, recomputed), (equal, all)) in counts {
        match recomputed {
            true => say!("{of}: {equal} of {all} computed as published, to 0.00"),
            false => say!("{of}: {all} lines are the portal's own figure*, not recomputed"),
        }
    }
}
