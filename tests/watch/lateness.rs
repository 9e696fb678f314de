//! Targets that hang do not make the others late.

use crate::portals::{Farm, Mood, Reference};
use crate::world::{World, by_target, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_that_hang_leave_fifteen_hundred_their_slots() {
    let (well, silent, reference) = (Farm::new().await, Farm::new().await, Reference::new(0).await);
    silent.be(Mood::Silent);
    let url = |no: usize| format!("http://{}/{no}", if no.is_multiple_of(4) { &silent.address } else { &well.address });
    let urls: Vec<String> = (0..2000).map(url).collect();
    let _files = rlimit::increase_nofile_limit(8000);
    let world =
        World::new(&urls, reference.port, "every = \"10s\"\ntimeout = \"3s\"\nconfirm = { attempts = 2, spacing = [\"1s\"] }\nip = \"v4\"");
    let watching = world.watch("a");
    seconds(25.0).await;
    let counts = watching.meter.counts();
    watching.stop();
    let late = counts.late.quantile_micros(99).expect("looks were made");
    println!("2 000 targets, 500 hang: {} answered, lateness p99 {:.3} s, skipped {}", counts.well, late as f64 / 1e6, counts.skipped);
    assert!(late < 2_000_000 && counts.skipped == 0, "p99 {late} µs late, {} skipped", counts.skipped);
    let hours = by_target(&world.seal());
    let answered = (0..2000_usize).filter(|no| !no.is_multiple_of(4)).filter(|no| {
        let parts = &hours[&format!("p{no:04}")];
        parts.iter().map(|part| part.slots.up).sum::<i64>() >= 2 && parts.iter().all(|part| part.slots.down == 0)
    });
    assert_eq!(answered.count(), 1500);
    let down = hours["p0000"].iter().map(|part| part.slots.down).sum::<i64>();
    assert!((1..=3).contains(&down), "{down}");
}
