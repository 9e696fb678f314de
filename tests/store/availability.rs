//! Hours that were watched: what two copies saw stands beside each other, days are replaced, and nothing is recorded twice.

use thuocdo::model::{Cause, Phase, Reason, RequestOutcome, RunState, Sha256, SlotState, Trigger, Window};
use thuocdo::rollup::{DayRow, Histogram, HourPart, Interval, Latency, Slots, Tally};
use thuocdo::store::{Db, HourQuery, KnownSince, Terms, Watched};

use super::{answer, at, ended, on_both, period, request, run_due};

fn part(up: i64, down: i64) -> HourPart {
    let mut latency = Histogram::default();
    (0..up).for_each(|no| latency.add(Latency::of(std::time::Duration::from_millis(no.unsigned_abs() * 7))));
    let interval = Interval {
        window: Window { from: at(0), to: at(down) },
        state: SlotState::Down,
        cause: Cause { phase: Some(Phase::Connect), reason: Some(Reason::Timeout) },
        attempts: 3 * down,
        text: "không kết nối được".to_owned(),
    };
    HourPart {
        hour: at(0),
        slot_micros: 60_000_000,
        slots: Slots { up, degraded: 0, down, unknown: 60 - up - down },
        latency,
        certificate_until: Some(at(100_000)),
        intervals: if down > 0 { vec![interval] } else { Vec::new() },
    }
}

fn day(up: i64) -> DayRow {
    let tally = Tally { up, degraded: 1, down: 2, maintenance: 3, unknown: 4 };
    DayRow { day: period("2026-09-26"), tally, outages: 5, latency: part(9, 0).latency, certificate_until: None }
}

async fn put(db: &Db, minute: i64, watched: &Watched<'_>) -> i32 {
    let (run, spec) = (run_due(0), Sha256::of(b"spec"));
    let terms = Terms { owner: "test", now: at(minute), until: at(minute + 10), spec: (&spec, None) };
    let claim = db.claim_anew(&run, Trigger::Schedule, &terms).await.expect("the database answers").expect("nobody is at work");
    let other = Terms { owner: "another", ..terms };
    assert_eq!(db.claim_anew(&run, Trigger::Schedule, &other).await.expect("the database answers"), None, "somebody is");
    let record = ended(RunState::Recorded, at(minute), vec![answer(request(1, at(minute), RequestOutcome::Recorded), Vec::new())]);
    db.record_watched(&claim, &record, watched, KnownSince::Clock(at(minute))).await.expect("ours");
    claim.attempt
}

#[tokio::test]
async fn hours_of_two_copies_stand_beside_each_other() {
    on_both("hours_of_two_copies_stand_beside_each_other", async |db: Db| {
        let first = [("a".to_owned(), part(30, 0)), ("b".to_owned(), part(60, 0))];
        let second = [("a".to_owned(), part(20, 10))];
        assert_eq!(put(&db, 60, &Watched { hours: &first, days: &[("a".to_owned(), day(10))] }).await, 1);
        assert_eq!(put(&db, 70, &Watched { hours: &second, days: &[("a".to_owned(), day(20)), ("all:H49".to_owned(), day(7))] }).await, 2);
        let window = Window { from: at(0), to: at(60) };
        let query = |target, minute| HourQuery { collector: "npsp-progress", target, window, as_of: at(minute) };
        let rows = db.hours(&query(None, 100)).await.expect("readable");
        let seen: Vec<(&str, i32, &HourPart)> = rows.iter().map(|row| (row.target.as_str(), row.attempt, &row.part)).collect();
        assert_eq!(seen, [("a", 1, &part(30, 0)), ("a", 2, &part(20, 10)), ("b", 1, &part(60, 0))]);
        assert_eq!(db.hours(&query(Some("a"), 65)).await.expect("readable").len(), 1, "the second was recorded later");
        let days = db.days("npsp-progress", period("2026-09-01"), period("2026-09-30")).await.expect("readable");
        assert_eq!(days, [("a".to_owned(), day(20)), ("all:H49".to_owned(), day(7))]);
        assert_eq!(
            db.newest_day("npsp-progress", period("2026-01-01"), period("2026-12-31")).await.expect("readable"),
            Some(period("2026-09-26"))
        );
        let evidence = db.hour_evidence("npsp-progress", window).await.expect("readable");
        assert_eq!(evidence.iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2]);
        assert!(db.has_evidence(&run_due(0), &evidence[0].2).await.expect("readable"));
        assert!(!db.has_evidence(&run_due(1), &evidence[0].2).await.expect("readable"));
        rows
    })
    .await;
}
