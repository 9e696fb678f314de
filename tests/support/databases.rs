//! An empty database of each kind for a test: SQLite always, PostgreSQL when THUOCDO_TEST_POSTGRES names a server.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use thuocdo::store::Db;

/// Runs the test on an empty database of each kind; what it returns must be the same on both.
pub async fn on_both<T: PartialEq + Debug>(name: &str, test: impl AsyncFn(Db) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.expect("a new file opens");
    let on_sqlite = test(db.clone()).await;
    db.close().await;
    match server() {
        None => eprintln!("skipped: {name} on PostgreSQL: THUOCDO_TEST_POSTGRES is not set"),
        Some(server) => {
            let db = Db::open(&new_database(&server).await).await.expect("a new database opens");
            // Not assert_eq: thousands of observations would hide the word.
            assert!(test(db.clone()).await == on_sqlite, "{name}: PostgreSQL and SQLite differ");
            db.close().await;
        }
    }
    on_sqlite
}

/// The server that THUOCDO_TEST_POSTGRES names.
pub fn server() -> Option<String> {
    std::env::var("THUOCDO_TEST_POSTGRES").ok()
}

/// The address of a new empty database of this server; it goes when the server goes.
pub async fn new_database(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(server).await.expect("the server of THUOCDO_TEST_POSTGRES answers");
    // Safe: the name is made of numbers.
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("a new database");
    let mut url: url::Url = server.parse().expect("THUOCDO_TEST_POSTGRES is an address");
    url.set_path(&name);
    url.into()
}
