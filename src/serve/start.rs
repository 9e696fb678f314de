//! Starting: what must be right before the service works, each fault with its own exit code.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Live;
use super::service::Parts;
use crate::catalogue::{Files, Problem};
use crate::model::Ts;
use crate::settings::Settings;
use crate::store::{Db, StoreError};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another copy works on this file.
    #[error(
        "another copy of the service (process {holder}) works on {database}: stop it, or use PostgreSQL, which several copies may share"
    )]
    AnotherCopy {
        /// The database file.
        database: String,
        /// What the other copy wrote of itself.
        holder: String,
    },
    /// The lock beside the database cannot be made.
    #[error("cannot lock {path}: let this user write in that folder")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({setting}): is it in use? choose another one in the settings")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        setting: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The clock shows less than what was recorded.
    #[error(
        "the clock shows {now}, but a run was recorded at {newest}: set the clock right, or start with --trust-clock if that record is wrong"
    )]
    Clock {
        /// The clock.
        now: Ts,
        /// The newest record.
        newest: Ts,
    },
}

impl StartError {
    /// The exit code, as the README lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Settings(_) => 2,
            StartError::Store(_) => 3,
            StartError::AnotherCopy { .. } => 4,
            StartError::Listen { .. } => 5,
            StartError::Clock { .. } => 6,
            StartError::Lock { .. } => 3,
        }
    }
}

/// How much the clock may lag behind what was recorded: what two machines may differ by.
const CLOCK_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The right to be the only service on a database file; ends with the process, or when dropped.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "the lock is held until the file is closed")] Option<File>);

/// Makes sure that this copy is alone on a SQLite file; any number may share a server.
///
/// # Errors
/// `AnotherCopy`, or `Lock`.
pub fn alone(settings: &Settings) -> Result<Alone, StartError> {
    use std::io::{Read, Seek, Write};
    let Some(database) = settings.sqlite_path() else { return Ok(Alone(None)) };
    let path = lock_path(&database);
    let locked = |source| StartError::Lock { path: path.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(locked)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| file.rewind()).map_err(locked)?;
            write!(file, "{}", std::process::id()).map_err(locked)?;
            Ok(Alone(Some(file)))
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = file.read_to_string(&mut holder).map_or("unknown".to_owned(), |_| holder);
            Err(StartError::AnotherCopy { database: database.display().to_string(), holder })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(locked(source)),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Who this process is: `serve:HOST:PID:START`, `cli:HOST:PID:START`.
pub fn owner(what: &str, now: Ts) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { std::env::var("HOSTNAME").unwrap_or_default() } else { host.trim().to_owned() };
    format!("{what}:{host}:{}:{}", std::process::id(), now.micros())
}

/// Opens the database, gives back what an earlier copy left at work, and loads the declarative files.
///
/// # Errors
/// What must be mended before the service can work.
pub async fn prepare(settings: Settings, (files, unread): (Files, Vec<Problem>), trust_clock: bool) -> Result<Parts, StartError> {
    let now = Ts::now();
    let db = Db::open(&settings.store).await?;
    if let Some(newest) = db.latest_instant().await?.filter(|newest| newest.since(now) > CLOCK_TOLERANCE && !trust_clock) {
        return Err(StartError::Clock { now, newest });
    }
    if matches!(db, Db::Sqlite { .. }) {
        let n = db.take_back("serve:", &[], now).await?;
        if n > 0 {
            tracing::warn!(runs = n, "runs that an earlier service left at work are made again");
        }
    }
    let mut live = Live::load(files.clone(), unread.clone(), &BTreeMap::new(), now);
    let last_good = last_good(&db, &live).await?;
    if !last_good.is_empty() {
        live = Live::load(files, unread, &last_good, now);
    }
    if live.catalogue.registry.unit(settings.province_unit()).is_none() {
        let unit = settings.province_unit();
        return Err(StartError::Settings(format!(
            "[province] unit = {unit:?} is no unit of the registry: write the id of a province in registry/units, like \"H49\""
        )));
    }
    for (id, loaded) in &live.catalogue.collectors {
        for lack in loaded.lacks(&settings) {
            tracing::warn!(collector.id = id, "{id} waits: {lack}");
        }
    }
    for problem in &live.problems {
        tracing::warn!(file = %problem.file, "{problem}");
    }
    Ok(Parts { owner: owner("serve", now), started_at: now, settings, db, live })
}

/// The versions that wrong collector files had when they were last used.
async fn last_good(db: &Db, live: &Live) -> Result<BTreeMap<String, String>, StoreError> {
    let mut good = BTreeMap::new();
    for (id, problem) in live.disabled() {
        if let Some(text) = db.newest_spec(id).await? {
            good.insert(problem.file.clone(), text);
        }
    }
    Ok(good)
}

/// Binds an address.
///
/// # Errors
/// `Listen`, with the setting that names it.
pub async fn bind(address: SocketAddr, setting: &'static str) -> Result<tokio::net::TcpListener, StartError> {
    tokio::net::TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, setting, source })
}
