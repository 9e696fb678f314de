//! Alerts: what is not as it should be, since when, and what people were told of it.

use super::types::text;
use super::{Db, StoreError, Tx, on};
use crate::model::{AlertKind, Told, Ts};

/// One thing that is, or was, not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// What kind of thing.
    pub kind: AlertKind,
    /// Of what: a collector id, or a file.
    pub subject: String,
    /// Since when it was seen to be so.
    pub since: Ts,
    /// When it was seen to be over; `None` while it is so.
    pub ended_at: Option<Ts>,
    /// What people were told last.
    pub told: Told,
    /// When they were.
    pub told_at: Option<Ts>,
    /// What is said of it: a JSON object of texts.
    pub text: String,
}

type Columns = (AlertKind, String, Ts, Option<Ts>, Told, Option<Ts>, String);

impl From<Columns> for AlertRow {
    fn from((kind, subject, since, ended_at, told, told_at, text): Columns) -> AlertRow {
        AlertRow { kind, subject, since, ended_at, told, told_at, text }
    }
}

impl Db {
    /// Every alert that is kept, by kind and subject.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn alerts(&self) -> Result<Vec<AlertRow>, StoreError> {
        const SQL: &str = "select kind, subject, since, ended_at, told, told_at, text from alert order by kind, subject";
        let rows: Result<Vec<Columns>, _> = on!(self.reader(), |pool| sqlx::query_as(SQL).fetch_all(pool).await);
        Ok(rows.map_err(StoreError::while_doing("read the alerts"))?.into_iter().map(AlertRow::from).collect())
    }

    /// Keeps alerts as they are now, and forgets others, in one transaction.
    ///
    /// # Errors
    /// When the database does not answer; then all are as they were.
    pub async fn keep_alerts(&self, kept: &[AlertRow], forgotten: &[AlertRow]) -> Result<(), StoreError> {
        const FORGET: &str = "delete from alert where kind = $1 and subject = $2";
        if kept.is_empty() && forgotten.is_empty() {
            return Ok(());
        }
        let done = async {
            let mut tx = self.begin().await?;
            for row in kept {
                keep(&mut tx, row).await?;
            }
            for row in forgotten {
                on!(&mut tx, |tx| sqlx::query(FORGET).bind(row.kind).bind(&row.subject).execute(&mut **tx).await.map(drop))?;
            }
            tx.commit().await
        };
        done.await.map_err(StoreError::while_doing("keep the alerts"))
    }

    /// Keeps that people were told of these alerts; one that began again since is another and left alone.
    ///
    /// # Errors
    /// When the database does not answer; then nothing is kept of it.
    pub async fn told(&self, alerts: &[(&AlertRow, Told)], now: Ts) -> Result<(), StoreError> {
        const SQL: &str = "update alert set told = $4, told_at = $5 where kind = $1 and subject = $2 and since = $3";
        let done = async {
            let mut tx = self.begin().await?;
            for (row, told) in alerts {
                on!(&mut tx, |tx| {
                    let update = sqlx::query(SQL).bind(row.kind).bind(&row.subject).bind(row.since).bind(*told).bind(now);
                    update.execute(&mut **tx).await.map(drop)
                })?;
            }
            tx.commit().await
        };
        done.await.map_err(StoreError::while_doing(format!("keep that people were told of {} alerts", alerts.len())))
    }
}

async fn keep(tx: &mut Tx, row: &AlertRow) -> Result<(), sqlx::Error> {
    const SQL: &str = "
        insert into alert (kind, subject, since, ended_at, told, told_at, text) values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (kind, subject) do update
        set since = excluded.since, ended_at = excluded.ended_at, told = excluded.told, told_at = excluded.told_at, text = excluded.text";
    on!(tx, |tx| {
        let insert = sqlx::query(SQL).bind(row.kind).bind(&row.subject).bind(row.since).bind(row.ended_at).bind(row.told);
        insert.bind(row.told_at).bind(text(&row.text).into_owned()).execute(&mut **tx).await.map(drop)
    })
}
