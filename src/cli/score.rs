//! `thuocdo score` and `explain`: points and their reasons.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::Installation;
use super::freshness::say_freshness;
use super::output::say;
use super::output::{self, Format, Table};
use super::which_unit::which_unit;
use crate::collect::source::Politeness;
use crate::model::{Exact, Period, Ts};
use crate::score::explain::{Explanation, Lang};
use crate::score::{LineState, Points, ScoreRun, Sheet, Unranked};
use crate::scoring::{Scoring, explained};
use crate::store::Db;

/// Which scoring.
#[derive(Debug, Args)]
pub struct Which {
    /// Criteria set
    #[arg(long, default_value = "qd766-2026")]
    set: String,
    /// Period, like 2026, 2026-Q3 or 2026-08
    #[arg(long)]
    pub(crate) period: Period,
    /// Only what was known at this instant counts, RFC 3339 (now)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) as_of: Option<Ts>,
    /// Every unit of the registry, not only the province of the settings and the bodies below it
    #[arg(long)]
    all_provinces: bool,
}

/// Arguments of `score`.
#[derive(Debug, Args)]
pub struct ScoreArguments {
    #[command(flatten)]
    which: Which,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Unit, by id, code or name
    unit: String,
    /// Criterion, like 2.1
    criterion: String,
    #[command(flatten)]
    which: Which,
    /// Language of the sentences
    #[arg(long, value_enum, default_value = "vi")]
    lang: Language,
}

/// Language of the sentences.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// Tiếng Việt
    Vi,
    /// English
    En,
}

/// Loads what was asked for.
pub(crate) async fn load<'a>(which: &Which, installation: &'a Installation, db: &Db) -> anyhow::Result<Scoring<'a>> {
    let catalogue = &installation.catalogue;
    let set = catalogue.criteria.get(&which.set).with_context(|| {
        let known: Vec<&str> = catalogue.criteria.keys().map(String::as_str).collect();
        format!("there is no criteria set {:?}; there are {}", which.set, known.join(", "))
    })?;
    let as_of = which.as_of.unwrap_or_else(Ts::now);
    let province = (!which.all_provinces).then(|| installation.settings.province_unit());
    Scoring::of(catalogue, set, province, which.period, as_of, db).await
}

/// Points for people: two decimals, or the range.
pub(crate) fn points(points: Points) -> String {
    match points {
        Points::Known(points) => points.fixed(2),
        Points::Between(least, most) => format!("[{} … {}]", least.fixed(2), most.fixed(2)),
    }
}

/// The place, or the best and the worst it can be: `38–39`; nothing when the set gives no places.
fn rank(sheet: &Sheet<'_>) -> String {
    match (sheet.rank, sheet.rank_between) {
        (Some(rank), _) => rank.to_string(),
        (None, Some((best, worst))) => format!("{best}–{worst}"),
        (None, None) => String::new(),
    }
}

/// The greatest points of the lines that are not applicable, so that a low total can be understood; "" for none.
fn not_applicable(sheet: &Sheet<'_>) -> String {
    let lines = sheet.groups.iter().flat_map(|group| &group.lines).filter(|line| line.state == LineState::NotApplicable);
    match Exact::sum(lines.map(|line| line.max)) {
        Ok(sum) if !sum.is_zero() => sum.to_string(),
        Ok(_) | Err(_) => String::new(),
    }
}

/// One row per sheet. A group with a figure of the portal's own is marked `*`.
pub(crate) fn scores_table(run: &ScoreRun<'_>) -> Table {
    let groups: Vec<&str> = run
        .sheets
        .iter()
        .max_by_key(|sheet| sheet.groups.len())
        .map(|sheet| sheet.groups.iter().map(|group| group.group).collect())
        .unwrap_or_default();
    let mut columns = vec!["unit_group", "rank", "unit", "name", "total", "class", "n/a of"];
    columns.extend(&groups);
    let mut table = Table::new(&columns);
    let mut sheets: Vec<_> = run.sheets.iter().collect();
    // By the worst place, so that those of whom little is known come last.
    let places = |sheet: &Sheet<'_>| sheet.rank_between.map_or((u32::MAX, u32::MAX), |(best, worst)| (worst, best));
    sheets.sort_by_key(|sheet| (sheet.unit_group, places(sheet), sheet.unit));
    for sheet in sheets {
        let mut row = vec![
            sheet.unit_group.label().to_owned(),
            rank(sheet),
            sheet.unit.to_owned(),
            sheet.name.to_owned(),
            points(sheet.total),
            sheet.class.unwrap_or_default().to_owned(),
            not_applicable(sheet),
        ];
        row.extend(groups.iter().map(|id| {
            let group = sheet.groups.iter().find(|group| group.group == *id);
            group.map_or_else(String::new, |group| {
                points(group.points) + if group.lines.iter().any(|line| line.published) { "*" } else { "" }
            })
        }));
        table.row(row);
    }
    table
}

/// Scores a set.
pub async fn score(arguments: &ScoreArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let db = installation.existing_db().await?;
    let scoring = load(&arguments.which, installation, &db).await?;
    let run = scoring.score()?;
    installation.say_note(format);
    output::print(format, &run, &scores_table(&run))?;
    if format == Format::Table {
        if scoring.observations.is_empty() {
            say!("nothing was recorded for {} until {}: every line is without evidence", run.period, run.as_of);
        }
        say_summary(&run);
        say_listed(installation, &run);
        say_freshness(&installation.catalogue, &scoring.observations, scoring.as_of, &db).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the table cannot say: who is not ranked and why, the mean, the marks.
pub(crate) fn say_summary(run: &ScoreRun<'_>) {
    say!("");
    for cohort in &run.cohorts {
        say!("{}: {} of {} ranked{}", cohort.unit_group.label(), cohort.ranked, cohort.size, not_ranked(&cohort.unranked));
    }
    // The mean of a single body is no mean; with one province it would pass for the national figure.
    if let Some(mean) = run.mean.as_ref().filter(|mean| mean.total.is_some() && mean.units > 1) {
        say!("mean of {} units: {}", mean.units, mean.total.map(|total| total.fixed(2)).unwrap_or_default());
    }
    if run.sheets.iter().any(|sheet| sheet.published) {
        say!("* the source's own figure, not recomputed (rule `published`)");
    }
    if run.provisional {
        say!("the period is not over: every figure is provisional (kỳ chưa kết thúc, số liệu tạm tính)");
    }
    say!("{} {} as of {} (criteria sha256 {})", run.set, run.period, run.as_of, run.criteria_sha256);
}

/// Groups of which the registry lists fewer bodies than a plan or law counts: their ranking is of those listed only.
fn say_listed(installation: &Installation, run: &ScoreRun<'_>) {
    let province = installation.settings.province_unit();
    let groups: BTreeSet<_> = run.cohorts.iter().map(|cohort| cohort.unit_group).collect();
    let fewer = installation.catalogue.registry.listed_of_expected().into_iter().filter(|count| {
        groups.contains(&count.expected.unit_group)
            && count.expected.province.as_deref() == Some(province)
            && count.listed < count.expected.bodies
    });
    for count in fewer {
        let expected = &count.expected;
        say!("{}: the registry lists {} of {} ({})", expected.unit_group.label(), count.listed, expected.bodies, expected.cite);
    }
}

/// Bodies without a place, each with what keeps it from one, and how many more there are. Those whose
/// own points are a range come first: they are the cause that the others wait for.
fn not_ranked(unranked: &[Unranked<'_>]) -> String {
    const NAMED: usize = 3;
    let why = |unit: &Unranked<'_>| match unit.criteria.as_slice() {
        [] => "may be passed by one whose points are a range".to_owned(),
        criteria => format!("only bounds for {}", criteria.join(", ")),
    };
    let (waiting, open): (Vec<_>, Vec<_>) = unranked.iter().partition(|unit| unit.criteria.is_empty());
    let named: Vec<String> = open.into_iter().chain(waiting).take(NAMED).map(|unit| format!("{} ({})", unit.unit, why(unit))).collect();
    let more = match unranked.len().saturating_sub(NAMED) {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        n => format!(" and {n} others"),
    };
    if named.is_empty() { String::new() } else { format!("; not ranked: {}{more}", named.join(", ")) }
}

/// Explains one line down to the evidence.
pub async fn explain(arguments: &ExplainArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let db = installation.existing_db().await?;
    let scoring = load(&arguments.which, installation, &db).await?;
    let unit = which_unit(&scoring.units, &arguments.unit)?;
    let lang = match arguments.lang {
        Language::Vi => Lang::Vi,
        Language::En => Lang::En,
    };
    let (archive, politeness) = (installation.archive(), Politeness::default());
    let place = installation.workplace(&db, &archive, &politeness);
    let explanation = explained(&scoring, &unit.id, &arguments.criterion, lang, &place).await?;
    installation.say_note(format);
    let mut table = Table::new(&["explanation"]);
    flatten(&explanation, 0, &mut |line| table.row([line]));
    match format {
        Format::Table => table.rows.iter().flatten().for_each(|line| say!("{line}")),
        Format::Json | Format::Csv => output::print(format, &explanation, &table)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The tree as indented lines.
pub(crate) fn flatten(explanation: &Explanation, depth: usize, line: &mut impl FnMut(String)) {
    let indent = "   ".repeat(depth.saturating_sub(1)) + if depth == 0 { "" } else { "└─ " };
    line(format!("{indent}{}", explanation.text));
    if let Some(evidence) = explanation.origin.as_ref().and_then(|origin| origin.evidence.as_ref()) {
        let indent = "   ".repeat(depth);
        if let Some((place, text)) = &evidence.place {
            line(format!("{indent}   {place} = {text:?}"));
        }
        if let Some(warning) = &evidence.warning {
            line(format!("{indent}   {warning}"));
        }
        let status = evidence.status.map(|status| format!(", {status}")).unwrap_or_default();
        line(format!("{indent}   {} ({}{status})", evidence.asked, evidence.at));
        line(format!("{indent}   sha256 {}", evidence.sha256));
    }
    for reason in &explanation.because {
        flatten(reason, depth + 1, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_without_a_place_has_its_own_reason() {
        let units: Vec<Unranked<'_>> = [("a", vec!["2.1", "3.6"]), ("b", vec![]), ("c", vec!["1.1"]), ("d", vec!["1.2"]), ("e", vec![])]
            .into_iter()
            .map(|(unit, criteria)| Unranked { unit, criteria })
            .collect();
        let b = "b (may be passed by one whose points are a range)";
        let two = "; not ranked: a (only bounds for 2.1, 3.6), c (only bounds for 1.1)";
        assert_eq!(not_ranked(&[]), "");
        assert_eq!(not_ranked(&units[..1]), "; not ranked: a (only bounds for 2.1, 3.6)");
        assert_eq!(not_ranked(&units[..3]), format!("{two}, {b}"));
        assert_eq!(not_ranked(&units[..4]), format!("{two}, d (only bounds for 1.2) and 1 other"));
        assert_eq!(not_ranked(&units), format!("{two}, d (only bounds for 1.2) and 2 others"));
    }
}
