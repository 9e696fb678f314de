//! Accepted shapes: what the lists of rows of a collector looked like when they were first recorded.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::record::is_trusted;
use super::types::text;
use super::{Claim, Db, ROWS_PER_INSERT, RequestRecord, StoreError, Tx, on};
use crate::model::Ts;

impl Db {
    /// The accepted shapes of a collector, by the number of the list of rows; empty before its first recorded run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shapes(&self, collector: &str) -> Result<BTreeMap<i32, String>, StoreError> {
        const SQL: &str = "select rows_no, shape from shape where collector = $1";
        let rows: Result<Vec<(i32, String)>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).bind(collector).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing(format!("read the shapes of collector {collector}")))?.into_iter().collect())
    }
}

/// Keeps the shapes of recorded answers where none is known. A refused answer must not become what others are measured by.
pub(super) async fn keep_first_shapes(tx: &mut Tx, claim: &Claim, requests: &[RequestRecord], now: Ts) -> Result<(), sqlx::Error> {
    const SQL: &str = "insert into shape (collector, rows_no, shape, accepted_at, due_at) ";
    let mut first: BTreeMap<i32, &str> = BTreeMap::new();
    for (rows_no, shape) in requests.iter().filter(|one| is_trusted(one.request.outcome)).flat_map(|one| &one.shapes) {
        first.entry(*rows_no).or_insert(shape);
    }
    let first: Vec<(i32, &str)> = first.into_iter().collect();
    for shapes in first.chunks(ROWS_PER_INSERT) {
        on!(&mut *tx, |tx| {
            let mut sql = QueryBuilder::new(SQL);
            sql.push_values(shapes, |mut row, (rows_no, shape)| {
                row.push_bind(&claim.run.collector).push_bind(*rows_no).push_bind(text(shape));
                row.push_bind(now).push_bind(claim.run.due_at);
            });
            sql.push(" on conflict (collector, rows_no) do nothing").build().execute(&mut **tx).await?;
        });
    }
    Ok(())
}
