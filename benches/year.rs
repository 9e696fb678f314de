//! A year of 200 collectors under an injected clock: how much CPU it takes, and that every window was run or missed once.

use std::time::{Duration, Instant};

use thuocdo::store::Db;

#[path = "../tests/support/year.rs"]
mod year;

fn main() {
    // `cargo test --benches` only sees that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Where files lie in memory, synced writes cost no waiting; the CPU is what is measured.
    let folder = tempfile::Builder::new().tempdir_in(if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." });
    let folder = folder.expect("a folder");
    let day = Duration::from_secs(24 * 3600);
    let outages = vec![(20, Duration::from_secs(600)), (60, Duration::from_secs(5 * 3600)), (120, 40 * day)];
    let spec = year::Spec { daily: 180, hourly: 20, days: 365, outages };
    let started = Instant::now();
    let tally = runtime.block_on(async {
        let db = Db::open(&format!("sqlite:{}", folder.path().join("year.db").display())).await.expect("a database");
        let tally = year::simulate(&db, &spec).await;
        db.close().await;
        tally
    });
    println!("{tally:?}");
    println!("due {} = executed {} + missed {}", tally.windows, tally.executed, tally.missed);
    println!("CPU {:.1} s, wall {:.1} s", cpu_seconds(), started.elapsed().as_secs_f64());
}

/// User and system time of this process, in seconds; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
