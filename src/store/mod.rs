//! The only module that knows SQL: runs, what they brought, and observations, in SQLite or PostgreSQL.
//!
//! One statement text with `$1` binds runs on both; where the dialects differ, the one function
//! concerned matches on the database. Decimals are never compared or added in SQL.

mod alert;
mod answer;
mod attempt;
mod availability;
mod certificate;
mod error;
mod horizon;
mod lease;
mod observation;
mod record;
mod run;
mod schedule;
mod score_run;
mod series;
mod shape;
mod sourced;
mod types;
mod version;

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection, Postgres, SqlSafeStr, Sqlite, Transaction};

pub use alert::AlertRow;
pub use attempt::{AttemptRow, Newest};
pub use availability::{HourQuery, HourRow};
pub use error::{StoreError, TwoValues};
pub use observation::{ObservationQuery, Past};
pub use record::{KnownSince, Recorded, RequestRecord, RunRecord, Watched};
pub use run::{Claim, RunRow, Terms};
pub use schedule::{ScheduleRow, ScheduleStep};
pub use score_run::ScoreRunRow;
pub use sourced::{PageQuery, Position, Sourced};

/// An open database with its tables in place. Clones share their connections.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file; one process writes.
    Sqlite {
        /// The one connection that writes: SQLite has one writer, and waiting in our queue beats its busy errors.
        write: SqlitePool,
        /// Connections that cannot write; they see the last commit and never wait for the writer.
        read: SqlitePool,
    },
    /// A server that several copies may share.
    Postgres(PgPool),
}

/// One of two things, by database: what `on!` tells apart.
enum On<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// An open write transaction; dropped without `commit` it leaves nothing.
type Tx = On<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>;

/// Runs the same expression with whichever connection this is.
macro_rules! on {
    ($which:expr, |$connection:ident| $body:expr) => {
        match $which {
            $crate::store::On::Sqlite($connection) => $body,
            $crate::store::On::Postgres($connection) => $body,
        }
    };
}
use on;

/// Rows of one INSERT: past a few hundred nothing is gained, and 17 columns × 500 stay far below the 32 766 binds of SQLite.
const ROWS_PER_INSERT: usize = 500;

impl Db {
    /// Opens `sqlite:PATH` (the file is made if missing, for this user only) or `postgres://USER@HOST/DATABASE`
    /// and brings its tables up to date.
    ///
    /// # Errors
    /// An address that names neither, a file or server that cannot be opened, tables that do not fit.
    pub async fn open(url: &str) -> Result<Db, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", path)) => open_sqlite(path.strip_prefix("//").unwrap_or(path)).await,
            Some(("postgres" | "postgresql", _)) => open_postgres(url).await,
            Some((scheme, _)) => Err(StoreError::UnknownUrl { scheme: scheme.to_owned() }),
            None => Err(StoreError::UnknownUrl { scheme: url.to_owned() }),
        }
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                // The writer goes last: the last connection to close folds the write-ahead log into the file.
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Where reads go.
    fn reader(&self) -> On<&SqlitePool, &PgPool> {
        match self {
            Db::Sqlite { read, .. } => On::Sqlite(read),
            Db::Postgres(pool) => On::Postgres(pool),
        }
    }

    /// Begins a write transaction.
    async fn begin(&self) -> Result<Tx, sqlx::Error> {
        match self {
            // A deferred transaction that turns into a write fails at once when another process has written since.
            Db::Sqlite { write, .. } => write.begin_with("begin immediate").await.map(On::Sqlite),
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                // A plan kept from when the tables were small would walk all of them for every batch.
                sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut *tx).await?;
                Ok(On::Postgres(tx))
            }
        }
    }
}

impl Tx {
    async fn commit(self) -> Result<(), sqlx::Error> {
        on!(self, |tx| tx.commit().await)
    }
}

async fn open_sqlite(path: &str) -> Result<Db, StoreError> {
    create_private(path)?;
    let unreachable = |source| StoreError::Unreachable { database: path.to_owned(), source };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged must survive a power cut. FULL was measured at 1.8 times the cost of NORMAL and still
        // leaves about 90 times the transactions that a province needs.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("temp_store", "memory");
    let pool = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None);
    // Runs queue for the one writer; a queue of large records may take minutes and is no error.
    let write = pool().max_connections(1).acquire_timeout(Duration::from_secs(300));
    // A full disk ends a transaction by itself; the driver then counts one that is still open, and would refuse the next
    // for ever. Such a connection is closed, and another one opened.
    let write = write.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
    let write = write.connect_with(options.clone()).await.map_err(unreachable)?;
    migrator(SQLITE_MIGRATIONS).run(&write).await.map_err(StoreError::while_migrating(path))?;
    let read = pool().max_connections(4).connect_with(options.read_only(true)).await.map_err(unreachable)?;
    Ok(Db::Sqlite { write, read })
}

/// Makes the file before SQLite would with the permissions of everybody; its log files copy its mode.
fn create_private(path: &str) -> Result<(), StoreError> {
    if Path::new(path).exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| StoreError::CreateFile { path: path.to_owned(), source })
}

async fn open_postgres(url: &str) -> Result<Db, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(|source| StoreError::BadUrl { source })?;
    let database = format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or(options.get_username()));
    let unreachable = |source| StoreError::Unreachable { database: database.clone(), source };
    // A pool would try again and again; one connection says at once what is wrong.
    let connecting = tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(&options));
    let connection = connecting.await.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into()))).map_err(unreachable)?;
    connection.close().await.map_err(unreachable)?;
    let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(30)).connect_lazy_with(options);
    migrator(POSTGRES_MIGRATIONS).run(&pool).await.map_err(StoreError::while_migrating(&database))?;
    Ok(Db::Postgres(pool))
}

/// Version, description and text of each migration. Never edit one that was released: its checksum is in the databases.
type Migrations = [(i64, &'static str, &'static str)];
const SQLITE_MIGRATIONS: &Migrations = &[
    (1, "first", include_str!("../../migrations/sqlite/0001_first.sql")),
    (2, "service", include_str!("../../migrations/sqlite/0002_service.sql")),
    (3, "availability", include_str!("../../migrations/sqlite/0003_availability.sql")),
];
const POSTGRES_MIGRATIONS: &Migrations = &[
    (1, "first", include_str!("../../migrations/postgres/0001_first.sql")),
    (2, "service", include_str!("../../migrations/postgres/0002_service.sql")),
    (3, "availability", include_str!("../../migrations/postgres/0003_availability.sql")),
];

fn migrator(migrations: &'static Migrations) -> Migrator {
    let simple = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().map(simple).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_embedded_under_its_number_in_both_folders() {
        for (folder, embedded) in [("sqlite", SQLITE_MIGRATIONS), ("postgres", POSTGRES_MIGRATIONS)] {
            let files = std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).expect("the folder");
            let mut names: Vec<String> =
                files.map(|file| file.expect("an entry").file_name().into_string().expect("a plain name")).collect();
            names.sort();
            let expected: Vec<String> = embedded.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
            assert_eq!(names, expected, "{folder}");
        }
        let numbers = |migrations: &Migrations| migrations.iter().map(|(version, name, _)| (*version, *name)).collect::<Vec<_>>();
        assert_eq!(numbers(SQLITE_MIGRATIONS), numbers(POSTGRES_MIGRATIONS));
    }
}
