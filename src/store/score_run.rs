//! Score runs: when a criteria set gave another result for a period. The result itself is computed again from `as_of`.

use super::{Db, StoreError, on};
use crate::model::{Period, Sha256, Ts};

/// A scoring whose result differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreRunRow {
    /// Criteria set id.
    pub criteria_set: String,
    /// What the points are about.
    pub period: Period,
    /// What was known then counted; the same instant gives the same result again.
    pub as_of: Ts,
    /// The criteria file.
    pub criteria_sha256: Sha256,
    /// The result without `as_of`.
    pub result_sha256: Sha256,
    /// How many bodies have a sheet.
    pub n_sheets: i32,
}

type Columns = (String, Period, Ts, Sha256, Sha256, i32);

impl From<Columns> for ScoreRunRow {
    fn from((criteria_set, period, as_of, criteria_sha256, result_sha256, n_sheets): Columns) -> ScoreRunRow {
        ScoreRunRow { criteria_set, period, as_of, criteria_sha256, result_sha256, n_sheets }
    }
}

impl Db {
    /// Adds a scoring, unless the newest one of its set and period came to the same with the same criteria. Whether it was added.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_score_run(&self, row: &ScoreRunRow) -> Result<bool, StoreError> {
        const SQL: &str = "
            insert into score_run (criteria_set, period, as_of, criteria_sha256, result_sha256, n_sheets)
            select $1, $2, $3, $4, $5, $6
            where not exists (
                select 1 from score_run n
                where n.criteria_set = $1 and n.period = $2 and n.criteria_sha256 = $4 and n.result_sha256 = $5
                    and n.as_of = (select max(m.as_of) from score_run m where m.criteria_set = $1 and m.period = $2))
            on conflict (criteria_set, period, as_of) do nothing";
        let added = async {
            let mut tx = self.begin().await?;
            let added = on!(&mut tx, |tx| {
                let insert = sqlx::query(SQL).bind(&row.criteria_set).bind(row.period).bind(row.as_of).bind(&row.criteria_sha256);
                insert.bind(&row.result_sha256).bind(row.n_sheets).execute(&mut **tx).await?.rows_affected()
            });
            tx.commit().await?;
            Ok(added == 1)
        };
        added.await.map_err(StoreError::while_doing(format!("add the scoring of {} in {}", row.criteria_set, row.period)))
    }

    /// The newest scoring of a set and period.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_score_run(&self, set: &str, period: Period) -> Result<Option<ScoreRunRow>, StoreError> {
        const SQL: &str = "
            select criteria_set, period, as_of, criteria_sha256, result_sha256, n_sheets from score_run
            where criteria_set = $1 and period = $2 order by as_of desc limit 1";
        let row: Result<Option<Columns>, _> =
            on!(self.reader(), |pool| sqlx::query_as(SQL).bind(set).bind(period).fetch_optional(pool).await);
        Ok(row.map_err(StoreError::while_doing(format!("look up the newest scoring of {set} in {period}")))?.map(ScoreRunRow::from))
    }

    /// Scorings of a set, or of all, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn score_runs(&self, set: Option<&str>, limit: i64) -> Result<Vec<ScoreRunRow>, StoreError> {
        const SQL: &str = "
            select criteria_set, period, as_of, criteria_sha256, result_sha256, n_sheets from score_run
            where cast($1 as text) is null or criteria_set = $1
            order by as_of desc, criteria_set, period limit $2";
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(set).bind(limit).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing("list the scorings"))?.into_iter().map(ScoreRunRow::from).collect())
    }
}
