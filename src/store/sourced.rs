//! Reading observations with the evidence they came from: page by page, or those of one run.

use sqlx::QueryBuilder;

use super::types::value;
use super::{Db, StoreError, on};
use crate::model::{CANARY, Exact, Observation, Period, RunId, Sha256, Ts};

/// An observation and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// The observation.
    pub observation: Observation,
    /// Address of the answer; `None` if its request brought none.
    pub evidence: Option<Sha256>,
    /// Where it stands among all.
    pub position: Position,
}

/// Where an observation stands among all: by series, then period. The order never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of its series.
    pub series: i64,
    /// Its period.
    pub period: Period,
}

/// Which observations of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// Of this indicator only; `None` for all, as with the next ones.
    pub indicator: Option<String>,
    /// Of this unit only.
    pub unit: Option<String>,
    /// Of this item only; "" is none.
    pub item: Option<String>,
    /// Read by this collector only.
    pub collector: Option<String>,
    /// Of this period only.
    pub period: Option<Period>,
    /// Later versions do not count.
    pub as_of: Ts,
    /// Behind this one; `None` from the first.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: i64,
}

type Columns = (String, String, String, String, Period, Option<Exact>, String, Ts, Option<Ts>, Ts, i32, i64, Option<Sha256>);

impl Sourced {
    fn of(columns: Columns) -> Sourced {
        let (indicator, unit, item, collector, period, number, flag, recorded_at, checked, due_at, request, series, evidence) = columns;
        let run = RunId { collector: collector.clone(), due_at };
        let (value, last_checked) = (value(number), checked.unwrap_or(recorded_at));
        Sourced {
            observation: Observation { indicator, unit, item, collector, period, value, flag, recorded_at, last_checked, run, request },
            evidence,
            position: Position { series, period },
        }
    }
}

/// A statement that reads observations `o` of series `s` in the order of `Columns`, up to its conditions.
/// `cross join` keeps SQLite going from the series to their observations, in the order of the page.
macro_rules! select_sourced {
    ($rest:literal) => {
        concat!(
            "select s.indicator, s.unit, s.item, s.collector, o.period, o.value, o.flag, o.recorded_at, c.last_checked,
                o.due_at, o.request, s.id, q.evidence
            from series s cross join observation o
            left join run r on r.collector = s.collector and r.due_at = o.due_at
            left join request q on q.collector = r.collector and q.due_at = r.due_at and q.attempt = r.attempt and q.no = o.request
            left join checked c on c.series = o.series and c.period = o.period ",
            $rest
        )
    };
}

impl Db {
    /// A page of the newest versions known at `as_of`, by position.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn observations_page(&self, query: &PageQuery) -> Result<Vec<Sourced>, StoreError> {
        let rows = self.page(query).await.map_err(StoreError::while_doing(format!("read a page of the observations of {query:?}")))?;
        Ok(rows.into_iter().map(Sourced::of).collect())
    }

    async fn page(&self, query: &PageQuery) -> Result<Vec<Columns>, sqlx::Error> {
        const SQL: &str = select_sourced!("and c.last_checked <= ");
        const NEWEST: &str = "
            and not exists (
                select 1 from observation v
                where v.series = o.series and v.period = o.period and v.recorded_at > o.recorded_at and v.recorded_at <= ";
        let filters = [
            (" and s.indicator = ", &query.indicator),
            (" and s.unit = ", &query.unit),
            (" and s.item = ", &query.item),
            (" and s.collector = ", &query.collector),
        ];
        on!(self.reader(), |pool| {
            let mut sql = QueryBuilder::new(SQL);
            sql.push_bind(query.as_of).push(" where o.series = s.id and o.recorded_at <= ").push_bind(query.as_of);
            if query.collector.is_none() {
                sql.push(" and s.collector <> ").push_bind(CANARY);
            }
            sql.push(NEWEST).push_bind(query.as_of).push(")");
            for (condition, text) in filters {
                if let Some(text) = text {
                    sql.push(condition).push_bind(text);
                }
            }
            if let Some(period) = query.period {
                sql.push(" and o.period = ").push_bind(period);
            }
            if let Some(Position { series, period }) = query.after {
                // The first condition alone can be looked up in the key.
                sql.push(" and s.id >= ").push_bind(series);
                sql.push(" and (s.id > ").push_bind(series).push(" or o.period > ").push_bind(period).push(")");
            }
            sql.push(" order by s.id, o.period limit ").push_bind(query.limit);
            sql.build_query_as().fetch_all(pool).await
        })
    }

    /// The versions that a run recorded first, by request; no more than `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn observations_of(&self, run: &RunId, limit: i64) -> Result<Vec<Sourced>, StoreError> {
        const SQL: &str = select_sourced!(
            "and c.due_at = o.due_at
            where s.collector = $1 and o.series = s.id and o.due_at = $2
            order by o.request, s.id, o.period
            limit $3"
        );
        let rows: Result<Vec<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(&run.collector).bind(run.due_at).bind(limit).fetch_all(pool).await);
        let rows = rows.map_err(StoreError::while_doing(format!("read the observations of run {run}")))?;
        Ok(rows.into_iter().map(Sourced::of).collect())
    }

    /// How many versions a run recorded first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_observations_of(&self, run: &RunId) -> Result<i64, StoreError> {
        const SQL: &str =
            "select count(*) from series s cross join observation o where s.collector = $1 and o.series = s.id and o.due_at = $2";
        let count = on!(self.reader(), |pool| sqlx::query_scalar(SQL).bind(&run.collector).bind(run.due_at).fetch_one(pool).await);
        count.map_err(StoreError::while_doing(format!("count the observations of run {run}")))
    }

    /// Whether anything is known of one of these indicators in exactly this period.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_observations(&self, indicators: &[&str], period: Period) -> Result<bool, StoreError> {
        if indicators.is_empty() {
            return Ok(false);
        }
        let found: Result<Option<i64>, sqlx::Error> = on!(self.reader(), |pool| {
            let mut sql = QueryBuilder::new("select s.id from series s cross join observation o where o.series = s.id and o.period = ");
            sql.push_bind(period);
            let mut list = sql.push(" and s.indicator in (").separated(", ");
            for indicator in indicators {
                list.push_bind(*indicator);
            }
            sql.push(") limit 1").build_query_scalar().fetch_optional(pool).await
        });
        Ok(found.map_err(StoreError::while_doing(format!("look for observations of {period}")))?.is_some())
    }
}
