//! Certificates: when the one ends that each collector's source showed last.

use std::collections::BTreeMap;

use super::{Db, StoreError, on};
use crate::model::Ts;

impl Db {
    /// Keeps when the certificate ends that a collector's source shows now; what was seen later already stays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn see_certificate(&self, collector: &str, until: Ts, now: Ts) -> Result<(), StoreError> {
        const SQL: &str = "
            insert into certificate (collector, until, seen_at) values ($1, $2, $3)
            on conflict (collector) do update set until = excluded.until, seen_at = excluded.seen_at
            where certificate.seen_at <= excluded.seen_at";
        let kept = async {
            let mut tx = self.begin().await?;
            on!(&mut tx, |tx| sqlx::query(SQL).bind(collector).bind(until).bind(now).execute(&mut **tx).await.map(drop))?;
            tx.commit().await
        };
        kept.await.map_err(StoreError::while_doing(format!("keep when the certificate of collector {collector} ends")))
    }

    /// When the certificates end that the sources showed last, by collector.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn certificates(&self) -> Result<BTreeMap<String, Ts>, StoreError> {
        const SQL: &str = "select collector, until from certificate";
        let rows: Result<Vec<(String, Ts)>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing("read when certificates end"))?.into_iter().collect())
    }
}
