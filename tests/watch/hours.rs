//! What one hour yields: up, down, our own line cut, stopped in between, two copies, a torn spool.

use thuocdo::collect::archive::Archive;
use thuocdo::collect::watch::{roll_up_again, spool::left};
use thuocdo::model::{SlotState, Ts, Window};
use thuocdo::rollup::{Tally, tally, timeline};

use crate::portals::{Farm, Mood, Reference};
use crate::world::{World, by_target, next_second, seal_all, seconds};

const FAST: &str = "every = \"1s\"\ntimeout = \"300ms\"\nconfirm = { attempts = 2, spacing = [\"100ms\"] }\nip = \"v4\"";

fn time(world: &World, target: &str, window: Window) -> Tally {
    let parts = by_target(&world.seal()).remove(target).unwrap_or_default();
    tally(&timeline(&parts, window, 1_000_000))
}

/// Whole slots between two instants, the first and the last one left out: a change in a slot may be seen in it or not.
fn inner(from: Ts, to: Ts) -> Window {
    Window { from: from.plus(std::time::Duration::from_secs(1)), to: to.minus(std::time::Duration::from_secs(1)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_down_and_our_own_line_being_cut_is_unknown() {
    let (farm, reference) = (Farm::new().await, Reference::new(0).await);
    let port = reference.port;
    let world = World::new(&[format!("http://{}/", farm.address)], port, FAST);
    let watching = world.watch("a");
    seconds(1.0).await;
    let mut marks = vec![Ts::now()];
    seconds(4.0).await;
    marks.push(Ts::now());
    farm.be(Mood::Busy);
    seconds(4.0).await;
    marks.push(Ts::now());
    farm.be(Mood::Silent);
    seconds(4.0).await;
    marks.push(Ts::now());
    // Our own line is cut during the outage: from here on nobody can say whose fault the silence is.
    drop(reference);
    seconds(4.0).await;
    marks.push(Ts::now());
    let _reference = Reference::new(port).await;
    farm.be(Mood::Well);
    seconds(3.0).await;
    marks.push(Ts::now());
    watching.stop();
    let states = |n: usize| {
        let tally = time(&world, "p0000", inner(marks[n], marks[n + 1]));
        (tally.up > 0, tally.down > 0, tally.unknown > 0)
    };
    assert_eq!(states(0), (true, false, false), "well");
    assert_eq!(states(1), (false, true, false), "busy");
    assert_eq!(states(2), (false, true, false), "silent");
    assert_eq!(states(3), (false, false, true), "our own line is cut");
    assert_eq!(states(4), (true, false, false), "well again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_looked_at_is_unknown_and_two_sittings_are_put_together() {
    let (farm, reference) = (Farm::new().await, Reference::new(0).await);
    let world = World::new(&[format!("http://{}/", farm.address)], reference.port, FAST);
    let first = world.watch("first");
    seconds(3.5).await;
    let stopped = Ts::now();
    first.stop();
    seconds(4.0).await;
    let begun = Ts::now();
    // Two copies at once, as when the database is away.
    let (second, third) = (world.watch("second"), world.watch("third"));
    seconds(4.0).await;
    let ended = Ts::now();
    second.stop();
    third.stop();
    let between = time(&world, "p0000", inner(stopped, begun));
    assert!(between.unknown > 0 && between.up + between.down == 0, "{between:?}");
    let both = time(&world, "p0000", inner(begun, ended));
    assert!(both.up > 0 && both.down + both.unknown == 0, "{both:?}");
    let hour = Window {
        from: thuocdo::rollup::hour_of(stopped),
        to: thuocdo::rollup::hour_of(stopped).plus(std::time::Duration::from_secs(3600)),
    };
    let all = time(&world, "p0000", hour);
    assert_eq!(all.up + all.down + all.degraded + all.unknown, 3_600_000_000, "two sittings are not two hours");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_says_again_what_was_sealed_and_a_torn_spool_loses_one_attempt() {
    let (farm, reference) = (Farm::new().await, Reference::new(0).await);
    let urls: Vec<String> = (0..40).map(|no| format!("http://{}/{no}", farm.address)).collect();
    let world = World::new(&urls, reference.port, FAST);
    let watching = world.watch("a");
    seconds(3.0).await;
    farm.be(Mood::Maintenance);
    seconds(2.5).await;
    watching.stop();
    let archive = Archive::new(&world.settings.evidence);
    let sealed = world.seal();
    for sealed in &sealed {
        let (head, again) = roll_up_again(&archive.get(&sealed.kept.sha256).expect("kept")).expect("an hour");
        assert_eq!((head.targets.len(), again), (40, sealed.hours.clone()));
        assert!(sealed.attempts > 100 && sealed.kept.written_bytes < 40 * 1024, "{} {}", sealed.attempts, sealed.kept.written_bytes);
    }
    let maintenance = sealed[0].hours[0].1.intervals.iter().find(|interval| interval.cause.to_string() == "answer: maintenance_page");
    assert_eq!(maintenance.map(|interval| interval.state), Some(SlotState::Down), "{:?}", sealed[0].hours[0].1.intervals);
    // A copy that was killed in the middle of a write.
    let torn = left(&world.settings.spool).expect("a spool").0.remove(0).folder.join("00001.raw");
    let bytes = std::fs::read(&torn).expect("records");
    std::fs::write(&torn, &bytes[..bytes.len() - 1]).expect("torn");
    let after = seal_all(&world.settings.spool, &archive);
    assert_eq!(after[0].attempts, sealed[0].attempts - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_fixed_and_looked_at_once() {
    let (farm, reference) = (Farm::new().await, Reference::new(0).await);
    let urls: Vec<String> = (0..10).map(|no| format!("http://{}/{no}", farm.address)).collect();
    let world = World::new(&urls, reference.port, FAST);
    next_second().await;
    let watching = world.watch("a");
    seconds(5.4).await;
    let counts = watching.meter.counts();
    watching.stop();
    assert_eq!((counts.badly, counts.ours, counts.skipped, counts.not_kept), (0, 0, 0, 0));
    assert!((50..=60).contains(&counts.well) && farm.n_asked() >= counts.well, "{counts:?}");
    for (target, parts) in by_target(&world.seal()) {
        let slots = parts.iter().map(|part| part.slots.up).sum::<i64>();
        assert!((5..=6).contains(&slots), "{target}: {slots}");
    }
}
