//! The horizon: up to when scores have been made. What is recorded later counts as known later, whatever a clock says.

use super::version::just_after;
use super::{Db, StoreError, Tx, on};
use crate::model::Ts;

impl Db {
    /// Settles what was known at an instant: everything that is being recorded is waited for, and whatever is recorded
    /// from now on counts as known later than `as_of`. So a score as of this instant never changes.
    ///
    /// # Errors
    /// When the database does not answer, or cannot be written.
    pub async fn settle(&self, as_of: Ts) -> Result<(), StoreError> {
        const SQL: &str = "update horizon set at = $1 where id = 1 and at < $1";
        let settled = async {
            if self.settled_until().await? >= as_of {
                return Ok(());
            }
            let mut tx = self.begin().await?;
            on!(&mut tx, |tx| sqlx::query(SQL).bind(as_of).execute(&mut **tx).await.map(drop))?;
            tx.commit().await
        };
        settled.await.map_err(StoreError::while_doing(format!("settle what was known at {as_of}")))
    }

    async fn settled_until(&self) -> Result<Ts, sqlx::Error> {
        const SQL: &str = "select at from horizon where id = 1";
        on!(self.reader(), |pool| sqlx::query_scalar(SQL).fetch_one(pool).await)
    }
}

/// The horizon, which cannot move until the transaction has ended.
pub(super) async fn hold(tx: &mut Tx) -> Result<Ts, sqlx::Error> {
    match tx {
        // The write transaction is the only one.
        Tx::Sqlite(tx) => sqlx::query_scalar("select at from horizon where id = 1").fetch_one(&mut **tx).await,
        Tx::Postgres(tx) => sqlx::query_scalar("select at from horizon where id = 1 for share").fetch_one(&mut **tx).await,
    }
}

/// When something recorded now counts as known: now, but after the horizon. One that lies far ahead was set by a clock
/// that was wrong; what was scored as of then was no moment of the past.
pub(super) fn after(horizon: Ts, now: Ts) -> Ts {
    const CLOCKS_DIFFER: std::time::Duration = std::time::Duration::from_secs(300);
    if horizon > now.plus(CLOCKS_DIFFER) { now } else { now.max(just_after(horizon)) }
}
