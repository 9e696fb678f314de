//! Imports go one way: the sources are read against the table in ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// Module and what it must not name.
const FORBIDDEN: [(&str, &[&str]); 12] = [
    ("src/model", &["settings", "catalogue", "store", "collect", "score", "serve", "web", "demo", "cli"]),
    ("src/rollup", &["settings", "catalogue", "store", "collect", "score", "scoring", "serve", "web", "demo", "cli"]),
    ("src/catalogue", &["serve", "web", "demo", "cli"]),
    ("src/store", &["settings", "catalogue", "collect", "score", "scoring", "serve", "web", "demo", "cli"]),
    ("src/score", &["settings", "catalogue::registry", "catalogue::files", "store", "collect", "serve", "web", "demo", "cli"]),
    ("src/scoring.rs", &["serve", "web", "demo", "cli"]),
    ("src/collect/extract", &["settings", "catalogue", "store", "score", "demo", "cli", "collect::source"]),
    ("src/collect/gate", &["settings", "catalogue", "store", "score", "demo", "cli", "collect::source"]),
    ("src/collect", &["score", "scoring", "serve", "web", "demo", "cli"]),
    ("src/demo", &["settings", "catalogue", "store", "score", "serve", "web", "cli"]),
    ("src/serve", &["web", "cli"]),
    ("src/web", &["demo", "cli"]),
];

/// The only module that may know SQL.
const SQL: &str = "sqlx";
/// Modules that take what they need as arguments: no clock.
const PURE: [&str; 15] = [
    "src/model",
    "src/rollup",
    "src/score",
    "src/scoring/combined.rs",
    "src/collect/watch/slots.rs",
    "src/collect/watch/segment.rs",
    "src/collect/watch/close.rs",
    "src/collect/watch/readings.rs",
    "src/collect/watch/figure.rs",
    "src/collect/extract",
    "src/collect/gate",
    "src/collect/breaker.rs",
    "src/collect/due.rs",
    "src/collect/settle.rs",
    "src/serve/live.rs",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            all.push(path);
        }
    }
    all
}

/// The code without the tests at a file's end and without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imports_go_one_way() {
    for (module, forbidden) in FORBIDDEN {
        for path in sources(&root().join(module)).into_iter().filter(|path| !path.ends_with("tests.rs")) {
            let code = code(&path);
            for name in forbidden {
                assert!(!code.contains(&format!("crate::{name}")), "{} names crate::{name}", path.display());
            }
        }
    }
}

#[test]
fn only_the_store_knows_sql() {
    for path in sources(&root().join("src")).into_iter().filter(|path| !path.starts_with(root().join("src/store"))) {
        assert!(!code(&path).contains(&format!("{SQL}::")), "{} knows SQL", path.display());
    }
}

#[test]
fn the_pure_core_asks_no_clock() {
    for path in PURE.iter().flat_map(|module| sources(&root().join(module))) {
        if path.ends_with("model/time.rs") {
            continue;
        }
        let code = code(&path);
        for clock in ["Ts::now", "Utc::now", "Local::now", "SystemTime::now", "Instant::now"] {
            assert!(!code.contains(clock), "{} asks the clock: {clock}", path.display());
        }
    }
}
