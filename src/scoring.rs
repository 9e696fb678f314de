//! Scoring with the store: loads what a criteria set needs, scores it, and finds the evidence of its points.

mod combined;
mod portals;

use anyhow::{Context, bail};

use crate::catalogue::{Catalogue, LoadedCollector};
use crate::collect::collector::Source;
use crate::collect::read::Known;
use crate::collect::replay::read_again;
use crate::collect::run::Workplace;
use crate::model::{Observation, Period, PeriodKind, Ts, Unit};
use crate::score::criteria::CriteriaSet;
use crate::score::explain::{self, Evidence, Explanation, Lang, ValueOrigin};
use crate::score::{Input, ScoreRun};
use crate::store::{Db, ObservationQuery, StoreError};

/// A scoring with everything it borrows from.
pub struct Scoring<'a> {
    /// The criteria set.
    pub set: &'a CriteriaSet,
    /// The bodies.
    pub units: Vec<&'a Unit>,
    /// What is known of them.
    pub observations: Vec<Observation>,
    /// What the points are about.
    pub period: Period,
    /// Only what was recorded until then.
    pub as_of: Ts,
    /// The declarative files.
    pub catalogue: &'a Catalogue,
}

impl<'a> Scoring<'a> {
    /// What a scoring needs: the bodies in force at the end of the period (or of what is known of it), and the observations.
    /// What is known at `as_of` is settled first, so that the same scoring gives the same for ever.
    ///
    /// # Errors
    /// The database, or a province that is no unit.
    pub async fn of(
        catalogue: &'a Catalogue,
        set: &'a CriteriaSet,
        province: Option<&str>,
        period: Period,
        as_of: Ts,
        db: &Db,
    ) -> anyhow::Result<Scoring<'a>> {
        settle(db, as_of).await?;
        let known_until = as_of.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive();
        let on = Period::holding(PeriodKind::Day, period.last().min(known_until).max(period.start()));
        let registry = &catalogue.registry;
        let units = match province {
            None => registry.units_in(on),
            Some(id) => {
                let province = registry.unit(id).with_context(|| format!("[province] unit = {id:?} is no unit of the registry"))?;
                std::iter::once(province).chain(registry.below(id, on)).collect()
            }
        };
        let within = |id: &str| registry.indicator(id).and_then(|indicator| indicator.within.clone());
        let inputs: Vec<&str> = set.input_indicators();
        let bounds = inputs.iter().filter_map(|id| within(id)).flat_map(|within| [within.least, within.most, within.coverage]);
        let indicators = inputs.iter().map(|id| (*id).to_owned()).chain(bounds).collect();
        let query = ObservationQuery { period: Some(period), indicators: Some(indicators), collector: None, unit: None, as_of };
        let mut observations = db.observations(&query).await?;
        for terms in set.unusual_terms() {
            observations.extend(portals::observations(catalogue, terms, period, as_of, db).await?);
        }
        observations.extend(combined::observations(catalogue, set, period, &observations));
        Ok(Scoring { set, units, observations, period, as_of, catalogue })
    }

    /// Scores.
    ///
    /// # Errors
    /// The set says nothing about the period, or a figure does not fit.
    pub fn score(&'a self) -> anyhow::Result<ScoreRun<'a>> {
        let origins = |collector: &str| self.catalogue.collectors.get(collector).map(|loaded| loaded.collector.origin);
        let preferred = |indicator: &str| self.catalogue.registry.indicator(indicator).and_then(|indicator| indicator.collector.clone());
        let input = Input {
            period: self.period,
            as_of: self.as_of,
            units: &self.units,
            observations: &self.observations,
            origins: &origins,
            preferred: &preferred,
            within: &|indicator| self.catalogue.registry.indicator(indicator).and_then(|indicator| indicator.within.as_ref()),
        };
        Ok(crate::score::score(self.set, &input)?)
    }
}

/// Settles what was known at an instant that is not in the future. A database that cannot be written, read-only or full,
/// takes no record either; one that is away says so when it is read.
async fn settle(db: &Db, as_of: Ts) -> Result<(), StoreError> {
    match db.settle(as_of.min(Ts::now())).await {
        Err(error) if error.is_unwritable() => Ok(()),
        settled => settled,
    }
}

/// The explanation of one line, every value read once more from its evidence.
///
/// # Errors
/// No such unit or criterion; the database or the archive.
pub async fn explained(
    scoring: &Scoring<'_>,
    unit: &str,
    criterion: &str,
    lang: Lang,
    place: &Workplace<'_>,
) -> anyhow::Result<Explanation> {
    let run = scoring.score()?;
    let sheet = run
        .sheets
        .iter()
        .find(|sheet| sheet.unit == unit)
        .with_context(|| format!("{} does not assess {unit} in {}", run.set, run.period))?;
    let lines: Vec<_> = sheet.groups.iter().flat_map(|group| &group.lines).collect();
    let Some(line) = lines.iter().find(|line| line.criterion == criterion) else {
        let known: Vec<&str> = lines.iter().map(|line| line.criterion).collect();
        bail!("{} has no criterion {criterion:?} for {unit}; there are {}", run.set, known.join(", "));
    };
    let mut explanation = explain::explain(scoring.period, sheet, line, lang);
    for origin in explanation.origins_mut() {
        origin.evidence = evidence(origin, scoring, lang, place).await?;
    }
    Ok(explanation)
}

/// The bytes that a value came from, read with the collector file of then.
async fn evidence(origin: &ValueOrigin, scoring: &Scoring<'_>, lang: Lang, place: &Workplace<'_>) -> anyhow::Result<Option<Evidence>> {
    let requests = place.db.requests(&origin.run).await?;
    let Some(request) = requests.into_iter().find(|request| request.no == origin.request) else { return Ok(None) };
    let Some(sha256) = request.evidence.clone() else { return Ok(None) };
    let spec = match place.db.run(&origin.run).await? {
        Some(row) => place.db.spec(&row.spec).await?,
        None => None,
    };
    let loaded = spec.and_then(|text| LoadedCollector::parse(&format!("{}.toml", origin.run.collector), &text).ok());
    let readings = match loaded {
        // Its bytes are one hour of many.
        Some(loaded) if matches!(loaded.collector.source, Source::Probe(_)) => portals::read_again(origin, scoring, place).await?,
        Some(loaded) => read_again(place, &loaded, &Known::default(), &request)?.readings,
        None => Vec::new(),
    };
    let found = readings.into_iter().find(|reading| {
        (&reading.indicator, &reading.unit, &reading.item, reading.period) == (&origin.indicator, &origin.unit, &origin.item, origin.period)
    });
    let value_now = found.as_ref().map(|reading| reading.value);
    Ok(Some(Evidence {
        sha256: sha256.to_string(),
        asked: [&request.method, &request.url, &request.body]
            .into_iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(" "),
        at: request.at,
        status: request.status,
        place: found.map(|reading| (reading.place, reading.text)),
        value_now,
        warning: explain::reread_warning(origin.value, value_now, lang),
    }))
}
