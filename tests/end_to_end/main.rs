//! The whole path of the program, from collector files and answers to points, on real answers and on both databases:
//! SQLite always, PostgreSQL when THUOCDO_TEST_POSTGRES names a server (tests/with-postgres.sh starts one).

mod bodies;
mod dropped_files;
mod excerpts;
mod installation;
mod recordings;
mod restatement;
mod same_bytes;
mod six_seven_eight;
mod states;
mod tally;
mod units_draft;

#[path = "../support/databases.rs"]
mod databases;

use std::path::PathBuf;

use databases::on_both;
use thuocdo::model::{Period, Ts};

/// The folder of real data, or a word that the test is skipped.
fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    folder
}

fn ts(text: &str) -> Ts {
    text.parse().expect("an instant of the test")
}

fn period(text: &str) -> Period {
    text.parse().expect("a period of the test")
}

/// A JSON file of the real data.
fn json(path: &std::path::Path) -> serde_json::Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
