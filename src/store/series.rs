//! The dictionary of series: what an observation is of, as a short id.

use std::collections::{BTreeSet, HashMap};

use sqlx::QueryBuilder;

use super::types::text;
use super::{ROWS_PER_INSERT, Tx, on};
use crate::model::Reading;

/// What an observation of one collector is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SeriesKey {
    pub indicator: String,
    pub unit: String,
    pub item: String,
}

impl SeriesKey {
    pub fn of(reading: &Reading) -> SeriesKey {
        let owned = |part: &str| text(part).into_owned();
        SeriesKey { indicator: owned(&reading.indicator), unit: owned(&reading.unit), item: owned(&reading.item) }
    }
}

type Columns = (i64, String, String, String);

/// The ids of these series of a collector; those that are new get one. The caller holds the collector's lock.
pub(super) async fn series_ids(tx: &mut Tx, collector: &str, keys: BTreeSet<&SeriesKey>) -> Result<HashMap<SeriesKey, i64>, sqlx::Error> {
    let mut ids: HashMap<SeriesKey, i64> = HashMap::new();
    let keyed = |(id, indicator, unit, item): Columns| (SeriesKey { indicator, unit, item }, id);
    ids.extend(of_collector(tx, collector).await?.into_iter().map(keyed));
    let new: Vec<&SeriesKey> = keys.into_iter().filter(|key| !ids.contains_key(key)).collect();
    for keys in new.chunks(ROWS_PER_INSERT) {
        ids.extend(create(tx, collector, keys).await?.into_iter().map(keyed));
    }
    Ok(ids)
}

async fn of_collector(tx: &mut Tx, collector: &str) -> Result<Vec<Columns>, sqlx::Error> {
    const SQL: &str = "select id, indicator, unit, item from series where collector = $1";
    on!(tx, |tx| sqlx::query_as(SQL).bind(collector).fetch_all(&mut **tx).await)
}

async fn create(tx: &mut Tx, collector: &str, keys: &[&SeriesKey]) -> Result<Vec<Columns>, sqlx::Error> {
    const SQL: &str = "insert into series (collector, indicator, unit, item) ";
    on!(tx, |tx| {
        let mut sql = QueryBuilder::new(SQL);
        sql.push_values(keys, |mut row, key| {
            row.push_bind(collector).push_bind(&key.indicator).push_bind(&key.unit).push_bind(&key.item);
        });
        sql.push(" returning id, indicator, unit, item");
        sql.build_query_as().fetch_all(&mut **tx).await
    })
}
