//! What several copies agree on: who has a right for a while, and when a host may be asked again.

use std::time::Duration;

use super::{Db, StoreError, on};
use crate::model::Ts;

/// What is reserved for longer than anybody reserves was reserved by a clock that was wrong.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

impl Db {
    /// Takes one of `slots` rights of this name for a while; `None` if all are taken. Whoever has one extends it.
    /// Everybody takes rights of one name for the same time, so that one that ends far later is that of a wrong clock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease(&self, name: &str, slots: i32, holder: &str, now: Ts, until: Ts) -> Result<Option<i32>, StoreError> {
        const SQL: &str = "
            insert into lease (name, slot, holder, until) values ($1, $2, $3, $4)
            on conflict (name, slot) do update set holder = excluded.holder, until = excluded.until
            where lease.until <= $5 or lease.holder = excluded.holder or lease.until > $6
            returning slot";
        let taken = async {
            let mut tx = self.begin().await?;
            for slot in 1..=slots {
                let got: Option<i32> = on!(&mut tx, |tx| {
                    let take = sqlx::query_scalar(SQL).bind(name).bind(slot).bind(holder).bind(until).bind(now);
                    let take = take.bind(until.plus(CLOCKS_DIFFER));
                    take.fetch_optional(&mut **tx).await?
                });
                if got.is_some() {
                    tx.commit().await?;
                    return Ok(got);
                }
            }
            Ok(None)
        };
        taken.await.map_err(StoreError::while_doing(format!("take the lease {name}")))
    }

    /// Gives a right back before its time.
    ///
    /// # Errors
    /// When the database does not answer; then it ends by itself.
    pub async fn release(&self, name: &str, slot: i32, holder: &str, now: Ts) -> Result<(), StoreError> {
        const SQL: &str = "update lease set until = $4 where name = $1 and slot = $2 and holder = $3 and until > $4";
        let released = async {
            let mut tx = self.begin().await?;
            on!(&mut tx, |tx| sqlx::query(SQL).bind(name).bind(slot).bind(holder).bind(now).execute(&mut **tx).await.map(drop))?;
            tx.commit().await
        };
        released.await.map_err(StoreError::while_doing(format!("give back the lease {name}")))
    }

    /// Reserves the next request to a host, `every` after the one before it, whichever copy made that: when it may be made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reserve_request(&self, host: &str, every: Duration, now: Ts) -> Result<Ts, StoreError> {
        const SQLITE: &str = "
            insert into host_rate (host, next_at) values ($1, $2 + $3)
            on conflict (host) do update set next_at = case when host_rate.next_at > $4 then $2 else max(host_rate.next_at, $2) end + $3
            returning next_at - $3";
        const POSTGRES: &str = "
            insert into host_rate (host, next_at) values ($1, $2 + $3 * interval '1 microsecond')
            on conflict (host) do update set next_at =
                case when host_rate.next_at > $4 then $2 else greatest(host_rate.next_at, $2) end + $3 * interval '1 microsecond'
            returning next_at - $3 * interval '1 microsecond'";
        let micros = i64::try_from(every.as_micros()).unwrap_or(i64::MAX / 4);
        let reserved = async {
            let mut tx = self.begin().await?;
            let sql = match &tx {
                super::Tx::Sqlite(_) => SQLITE,
                super::Tx::Postgres(_) => POSTGRES,
            };
            let at: Ts = on!(&mut tx, |tx| {
                let reserve = sqlx::query_scalar(sql).bind(host).bind(now).bind(micros);
                reserve.bind(now.plus(every * 100 + CLOCKS_DIFFER)).fetch_one(&mut **tx).await?
            });
            tx.commit().await?;
            Ok(at)
        };
        reserved.await.map_err(StoreError::while_doing(format!("reserve a request to {host}")))
    }
}
