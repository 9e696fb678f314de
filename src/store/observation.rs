//! Reading observations, as they were known at any instant.

use sqlx::QueryBuilder;

use super::types::value;
use super::{Db, StoreError, on};
use crate::model::{Exact, Observation, Period, RunId, Ts};

/// Which observations, and as known when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationQuery {
    /// Of this period only; `None` for all.
    pub period: Option<Period>,
    /// Of these indicators only; `None` for all, none for an empty list.
    pub indicators: Option<Vec<String>>,
    /// Read by this collector only; `None` for all.
    pub collector: Option<String>,
    /// Of this unit only; `None` for all.
    pub unit: Option<String>,
    /// Later versions do not count.
    pub as_of: Ts,
}

/// What was known of one series and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The newest version of that time.
    pub observation: Observation,
    /// How many versions there were by then, from 1.
    pub n_versions: i64,
}

type Columns = (String, String, String, String, Period, Option<Exact>, String, Ts, Option<Ts>, Ts, i32, i64);

impl Past {
    fn from((indicator, unit, item, collector, period, number, flag, recorded_at, checked, due_at, request, n): Columns) -> Past {
        let run = RunId { collector: collector.clone(), due_at };
        // A version that has none of its own was last seen when it was recorded.
        let last_checked = checked.unwrap_or(recorded_at);
        let value = value(number);
        Past {
            observation: Observation { indicator, unit, item, collector, period, value, flag, recorded_at, last_checked, run, request },
            n_versions: n,
        }
    }
}

impl Db {
    /// The newest version known at `as_of` of every series and period that fits, by indicator, unit, item, collector, period.
    ///
    /// `last_checked` is what is known now if it is not later than `as_of`, otherwise when the version was recorded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn observations(&self, query: &ObservationQuery) -> Result<Vec<Observation>, StoreError> {
        let newest = self.newest(query).await.map_err(StoreError::while_doing(format!("read the observations of {query:?}")))?;
        Ok(newest.into_iter().map(|past| past.observation).collect())
    }

    /// What a collector's series were before an instant, exclusive: the newest version of every period and how many there were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn history(&self, collector: &str, indicators: &[String], before: Ts) -> Result<Vec<Past>, StoreError> {
        let query = ObservationQuery {
            period: None,
            indicators: Some(indicators.to_vec()),
            collector: Some(collector.to_owned()),
            unit: None,
            as_of: Ts::from_micros(before.micros() - 1).unwrap_or(before),
        };
        self.newest(&query).await.map_err(StoreError::while_doing(format!("read the history of collector {collector} before {before}")))
    }

    /// Every version of one number, oldest first. `last_checked` belongs to the newest; of the others it is `recorded_at`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn versions(
        &self,
        indicator: &str,
        unit: &str,
        item: &str,
        collector: &str,
        period: Period,
    ) -> Result<Vec<Observation>, StoreError> {
        const SQL: &str = "
            select s.indicator, s.unit, s.item, s.collector, o.period, o.value, o.flag, o.recorded_at, c.last_checked,
                o.due_at, o.request, row_number() over (order by o.recorded_at)
            from series s cross join observation o
            left join checked c on c.series = o.series and c.period = o.period and o.recorded_at =
                (select max(v.recorded_at) from observation v where v.series = o.series and v.period = o.period)
            where s.indicator = $1 and s.unit = $2 and s.item = $3 and s.collector = $4
                and o.series = s.id and o.period = $5
            order by o.recorded_at";
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| {
            let query = sqlx::query_as(SQL).bind(indicator).bind(unit).bind(item).bind(collector).bind(period);
            query.fetch_all(pool).await
        });
        let doing = || format!("read the versions of {indicator}, unit {unit}, item {item:?}, collector {collector}, period {period}");
        let rows = rows.map_err(|source| StoreError::while_doing(doing())(source))?;
        Ok(rows.into_iter().map(|row| Past::from(row).observation).collect())
    }

    async fn newest(&self, query: &ObservationQuery) -> Result<Vec<Past>, sqlx::Error> {
        // The filters stand in the text only where they are used: a period that may be null would not be looked up by key.
        // `cross join` keeps SQLite going from the few series to their observations.
        const NEWEST: &str = "
            with newest as (
                select o.series, o.period, max(o.recorded_at) as recorded_at, count(*) as n_versions
                from series s cross join observation o
                where o.series = s.id and o.recorded_at <= ";
        const ROWS: &str = "
                group by o.series, o.period
            )
            select s.indicator, s.unit, s.item, s.collector, o.period, o.value, o.flag, o.recorded_at, c.last_checked,
                o.due_at, o.request, n.n_versions
            from newest n
            join observation o on o.series = n.series and o.period = n.period and o.recorded_at = n.recorded_at
            join series s on s.id = n.series
            left join checked c on c.series = n.series and c.period = n.period and c.last_checked <= ";
        if query.indicators.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let rows: Vec<Columns> = on!(self.reader(), |pool| {
            let mut sql = QueryBuilder::new(NEWEST);
            sql.push_bind(query.as_of);
            if let Some(period) = query.period {
                sql.push(" and o.period = ").push_bind(period);
            }
            if let Some(collector) = &query.collector {
                sql.push(" and s.collector = ").push_bind(collector);
            }
            if let Some(unit) = &query.unit {
                sql.push(" and s.unit = ").push_bind(unit);
            }
            if let Some(indicators) = &query.indicators {
                let mut list = sql.push(" and s.indicator in (").separated(", ");
                for indicator in indicators {
                    list.push_bind(indicator);
                }
                sql.push(")");
            }
            sql.push(ROWS).push_bind(query.as_of).build_query_as().fetch_all(pool).await?
        });
        let mut newest: Vec<Past> = rows.into_iter().map(Past::from).collect();
        newest.sort_by(|a, b| order(&a.observation).cmp(&order(&b.observation)));
        Ok(newest)
    }
}

/// By bytes and by calendar, whatever the database's idea of order.
fn order(observation: &Observation) -> (&str, &str, &str, &str, Period) {
    (&observation.indicator, &observation.unit, &observation.item, &observation.collector, observation.period)
}
