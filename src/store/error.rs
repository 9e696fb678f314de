//! What can go wrong with the database, said for the input it went wrong with.

use crate::model::{Period, RunId, Value};

/// A database operation that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address names no database that thuocdo knows. Only its scheme is shown: the rest may hold a password.
    #[error("the database address begins with {scheme:?}: write sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownUrl {
        /// What stands before the first colon, or the whole text when there is none.
        scheme: String,
    },
    /// The rest of a `postgres:` address cannot be read.
    #[error("the database address cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    BadUrl {
        /// What is wrong with it.
        #[source]
        source: sqlx::Error,
    },
    /// The database file cannot be made.
    #[error("cannot create the database file {path}: make its folder, and let this user write there")]
    CreateFile {
        /// The path as given.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Nobody answers, or the answer is no.
    #[error("cannot open the database {database}: is it running, and may this user use it?")]
    Unreachable {
        /// Path, or host, port and name.
        database: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// The tables could not be made or do not fit this version.
    #[error("cannot bring the tables of the database {database} up to date")]
    Migrate {
        /// Path, or host, port and name.
        database: String,
        /// What the migration said.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// Another copy has claimed the run since, or the run has ended: nothing of this record was kept.
    #[error("attempt {attempt} of run {run} is not ours any more: another copy claimed it, or it has ended")]
    ClaimLost {
        /// The run.
        run: RunId,
        /// The attempt that is over.
        attempt: i32,
    },
    /// A record must say how the run ended.
    #[error("run {run} cannot be recorded as \"running\": a record says how the run ended")]
    NotEnded {
        /// The run.
        run: RunId,
    },
    /// One run says two different things of one number; which one counts is not for the database to choose.
    #[error("run {run} gives two values of {}: nothing of it was recorded", .0.what(), run = .0.run)]
    TwoValues(Box<TwoValues>),
    /// The database did not answer in time.
    #[error("the database did not answer within {after:?}")]
    NoAnswer {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// A statement failed.
    #[error("the database could not {doing}")]
    Query {
        /// What was being done, for which input.
        doing: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
}

/// Two readings of one number in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoValues {
    /// The run.
    pub run: RunId,
    /// Indicator id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// Portal, service or component; "" for none.
    pub item: String,
    /// The period of both.
    pub period: Period,
    /// Value, flag and request number of the first.
    pub first: (Value, String, i32),
    /// Value, flag and request number of the second.
    pub second: (Value, String, i32),
}

/// Codes of a database that cannot serve now. SQLite's are numbers whose low byte is the kind (busy, locked, no memory,
/// read-only, I/O, full, cannot open); PostgreSQL's begin with their class (connection, resources, prerequisites,
/// intervention, system, serialization, a read-only transaction).
fn passing_code(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14),
        Ok(_) | Err(_) => ["08", "40", "53", "55", "57", "58", "25006"].iter().any(|class| code.starts_with(class)),
    }
}

impl TwoValues {
    /// The number and both readings, in words.
    fn what(&self) -> String {
        let said = |(value, flag, request): &(Value, String, i32)| match flag.as_str() {
            "" => format!("{value} (request {request})"),
            flag => format!("{value} with flag {flag:?} (request {request})"),
        };
        let TwoValues { indicator, unit, item, period, first, second, .. } = self;
        format!("{indicator}, unit {unit}, item {item:?}, period {period}: {} and {}", said(first), said(second))
    }
}

impl StoreError {
    /// Whether trying again later can help: the database is away, busy, full or read-only. A broken promise of ours
    /// (a lost claim, two values, a constraint) stays broken.
    pub fn passes(&self) -> bool {
        match self {
            StoreError::Unreachable { .. } | StoreError::NoAnswer { .. } => true,
            StoreError::Query { source, .. } => match source {
                sqlx::Error::Database(error) => error.code().is_some_and(|code| passing_code(&code)),
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed => true,
                _ => false,
            },
            StoreError::UnknownUrl { .. }
            | StoreError::BadUrl { .. }
            | StoreError::CreateFile { .. }
            | StoreError::Migrate { .. }
            | StoreError::ClaimLost { .. }
            | StoreError::NotEnded { .. }
            | StoreError::TwoValues(_) => false,
        }
    }

    /// Whether the database cannot be written by anybody: it is read-only, or its disk is full. One that is only busy has
    /// a writer, and that writer may be recording.
    pub fn is_unwritable(&self) -> bool {
        let StoreError::Query { source: sqlx::Error::Database(error), .. } = self else { return false };
        error.code().is_some_and(|code| match code.parse::<u32>() {
            Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 8 | 13),
            Ok(_) | Err(_) => code == "25006" || code == "53100",
        })
    }

    /// For `map_err`: a statement failed while doing this.
    pub(super) fn while_doing(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> StoreError {
        move |source| StoreError::Query { doing: doing.into(), source }
    }

    /// For `map_err`: the tables of this database could not be brought up to date.
    pub(super) fn while_migrating(database: &str) -> impl FnOnce(sqlx::migrate::MigrateError) -> StoreError {
        move |source| StoreError::Migrate { database: database.to_owned(), source: Box::new(source) }
    }
}
