//! Figures of portals on the terms of a criterion, where these are not the usual ones: computed from the hours.

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::collect::collector::Source;
use crate::collect::watch::Ground;
use crate::collect::watch::close::{day_of, window_of};
use crate::model::{Observation, Period, PeriodKind, RunId, Ts, Window};
use crate::rollup::HourPart;
use crate::score::criteria::PortalTerms;
use crate::store::{Db, HourQuery, StoreError};

/// What the hours that were known at an instant say of a period on these terms, up to the last day that was over then.
pub(super) async fn observations(
    catalogue: &Catalogue,
    terms: &PortalTerms,
    period: Period,
    as_of: Ts,
    db: &Db,
) -> Result<Vec<Observation>, StoreError> {
    let registry = &catalogue.registry;
    let mut all = Vec::new();
    for (id, loaded) in &catalogue.collectors {
        let Source::Probe(probe) = &loaded.collector.source else { continue };
        let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe };
        let today = window_of(Period::holding(PeriodKind::Day, day_of(as_of)));
        let whole = window_of(period);
        let window = Window { from: whole.from, to: whole.to.min(today.from) };
        if window.from >= window.to {
            continue;
        }
        let mut hours: BTreeMap<String, Vec<HourPart>> = BTreeMap::new();
        let mut newest = None;
        for row in db.hours(&HourQuery { collector: id, target: None, window, as_of }).await? {
            newest = newest.max(Some(row.due_at));
            hours.entry(row.target).or_default().push(row.part);
        }
        let Some(due_at) = newest else { continue };
        let run = RunId { collector: id.clone(), due_at };
        let readings = ground.readings_on(&terms.options, terms.combine.item(), &terms.item, (period, window), &hours);
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
