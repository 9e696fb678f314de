//! Figures of portals on the terms of a criterion, where these are not the usual ones: computed from the hours.

use super::Scoring;
use crate::catalogue::Catalogue;
use crate::collect::collector::Source;
use crate::collect::run::Workplace;
use crate::collect::watch::Ground;
use crate::collect::watch::close::{day_of, window_of};
use crate::model::Reading;
use crate::model::{Observation, Period, PeriodKind, RunId, Ts, Window};
use crate::rollup::HourPart;
use crate::rollup::Options;
use crate::score::criteria::PortalTerms;
use crate::score::explain::ValueOrigin;
use crate::store::{Db, HourQuery, StoreError};

/// What the hours that were known at an instant say of a period on these terms, up to the last day that was over then.
pub(super) async fn observations(
    catalogue: &Catalogue,
    terms: &PortalTerms,
    period: Period,
    as_of: Ts,
    db: &Db,
) -> Result<Vec<Observation>, StoreError> {
    let mut all = Vec::new();
    for id in catalogue.collectors.keys() {
        let Some((due_at, readings)) =
            readings(catalogue, id, (&terms.options, terms.combine.item(), &terms.item), (period, as_of), db).await?
        else {
            continue;
        };
        let run = RunId { collector: id.clone(), due_at };
        all.extend(readings.into_iter().map(|reading| Observation {
            indicator: reading.indicator,
            unit: reading.unit,
            item: reading.item,
            collector: id.clone(),
            period,
            value: reading.value,
            flag: reading.flag,
            recorded_at: as_of,
            last_checked: as_of,
            run: run.clone(),
            request: 1,
        }));
    }
    Ok(all)
}

/// The newest hour that counts, and the readings of one item of a probe on these terms; `None` if it is no probe, or watched
/// nothing then. The terms are the options, the item as it is usual, and as it is called here.
async fn readings(
    catalogue: &Catalogue,
    id: &str,
    (options, combined, item): (&Options, &str, &str),
    (period, as_of): (Period, Ts),
    db: &Db,
) -> Result<Option<(Ts, Vec<Reading>)>, StoreError> {
    let registry = &catalogue.registry;
    let Some(Source::Probe(probe)) = catalogue.collectors.get(id).map(|loaded| &loaded.collector.source) else { return Ok(None) };
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe };
    let today = window_of(Period::holding(PeriodKind::Day, day_of(as_of)));
    let whole = window_of(period);
    let window = Window { from: whole.from, to: whole.to.min(today.from) };
    if window.from >= window.to {
        return Ok(None);
    }
    let mut lines = Vec::new();
    let mut newest = None;
    // One portal after the other: the hours of all of them in a year would not fit.
    for portal in ground.portals_in(period) {
        let rows = db.hours(&HourQuery { collector: id, target: Some(&portal.id), window, as_of }).await?;
        newest = newest.max(rows.iter().map(|row| row.due_at).max());
        let parts: Vec<HourPart> = rows.into_iter().map(|row| row.part).collect();
        lines.extend(ground.lines_on(portal, &parts, window, options).map(|of_portal| (portal, of_portal)));
    }
    Ok(newest.map(|due_at| (due_at, ground.readings_on(options, combined, item, (period, window), lines))))
}

/// What a value of portals was made of, computed once more from the hours that are stored. Its place says where to look on.
pub(super) async fn read_again(origin: &ValueOrigin, scoring: &Scoring<'_>, place: &Workplace<'_>) -> Result<Vec<Reading>, StoreError> {
    let (usual, id) = (Options::default(), origin.run.collector.as_str());
    let unusual = scoring.set.unusual_terms().into_iter().find(|terms| terms.item == origin.item);
    let terms = match unusual {
        Some(terms) => (&terms.options, terms.combine.item(), terms.item.as_str()),
        None => (&usual, origin.item.as_str(), origin.item.as_str()),
    };
    let read = readings(place.catalogue, id, terms, (origin.period, scoring.as_of), place.db).await?;
    let shown = |reading: Reading| {
        let target = if reading.item.contains(['/', ' ']) { String::new() } else { format!(" --target {}", reading.item) };
        Reading { place: format!("thuocdo availability{target} --from {} --to {}", origin.period.start(), origin.period.last()), ..reading }
    };
    Ok(read.map(|(_, readings)| readings.into_iter().map(shown).collect()).unwrap_or_default())
}
