//! Some months of ticks under an injected clock; `cargo bench --bench year` does a whole year of 200 collectors.

use std::time::Duration;

use crate::databases::on_both;
use crate::year::{Spec, simulate};

#[tokio::test]
async fn every_window_of_some_months_is_run_or_missed_once() {
    let outages = vec![(2, Duration::from_secs(600)), (6, Duration::from_secs(5 * 3600)), (12, Duration::from_secs(40 * 24 * 3600))];
    // From January into March: New York changes its clocks.
    let spec = Spec { daily: 10, hourly: 1, days: 80, outages };
    let tally = on_both("every_window_of_some_months_is_run_or_missed_once", async |db| simulate(&db, &spec).await).await;
    println!("simulated months: {tally:?}");
    assert!(tally.executed > 1200 && tally.missed > 700 && tally.attempts > tally.executed, "{tally:?}");
}
