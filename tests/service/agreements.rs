//! What the store promises to the service: who may claim what, what an attempt says of a source, and clocks that were wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thuocdo::catalogue::LoadedCollector;
use thuocdo::collect::breaker::{ATTEMPTS_JUDGED, Circuit, circuit};
use thuocdo::collect::collector::Breaker;
use thuocdo::model::{Reason, RunId, RunState, Sha256, Trigger, Ts};
use thuocdo::serve::scheduler::Scheduler;
use thuocdo::store::{Db, KnownSince, Newest, RunRecord, ScheduleRow, Terms};

use crate::databases::on_both;
use crate::world::collector;

fn at(minute: u64) -> Ts {
    "2026-11-01T00:00:00Z".parse::<Ts>().expect("an instant").plus(Duration::from_secs(minute * 60))
}

async fn scheduled(db: &Db, id: &str) {
    let (cron, timezone) = ("* * * * *".to_owned(), "Asia/Ho_Chi_Minh".to_owned());
    let row = ScheduleRow { collector: id.to_owned(), cron, timezone, planned_until: at(0), since: at(0), paused_at: None };
    db.add_schedules(&[row]).await.expect("added");
}

/// One attempt, due at this minute, that ended at that one.
async fn attempt(db: &Db, trigger: Trigger, due: u64, ended: u64, (state, reason): (RunState, Option<Reason>)) {
    let run = RunId { collector: "c1".to_owned(), due_at: at(due) };
    let terms = Terms { owner: "test", now: at(ended), until: at(ended + 5), spec: (&Sha256::of(b""), Some("")) };
    let claim = db.claim_run(&run, trigger, &terms).await.expect("the database").expect("ours");
    let (started_at, ended_at, error) = (at(ended), at(ended), String::new());
    let retry_at = (state == RunState::Failed).then_some(at(ended));
    let record = RunRecord { started_at, ended_at, state, retry_at, reason, error, requests: vec![] };
    db.record_run(&claim, &record, KnownSince::Clock(at(ended))).await.expect("recorded");
}

const RECORDED: (RunState, Option<Reason>) = (RunState::Recorded, None);

#[tokio::test]
async fn being_left_alone_for_long_does_not_close_the_circuit() {
    on_both("being_left_alone_for_long_does_not_close_the_circuit", async |db: Db| {
        scheduled(&db, "c1").await;
        attempt(&db, Trigger::Schedule, 1, 1, (RunState::Failed, Some(Reason::Auth))).await;
        for minute in 2..2 + ATTEMPTS_JUDGED as u64 + 5 {
            attempt(&db, Trigger::Schedule, minute, minute, (RunState::Failed, Some(Reason::CircuitOpen))).await;
        }
        // Old evidence says nothing of the source either.
        attempt(&db, Trigger::Replay, 900, 900, RECORDED).await;
        let judged = circuit(&Breaker::default(), &db.telling_attempts("c1", ATTEMPTS_JUDGED).await.expect("rows"));
        assert!(matches!(judged, Circuit::Open { reason: Reason::Auth, .. }), "{judged:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_run_by_hand_is_not_run_again_by_the_service() {
    on_both("what_was_run_by_hand_is_not_run_again_by_the_service", async |db: Db| {
        scheduled(&db, "c1").await;
        let failed = (RunState::Failed, Some(Reason::Timeout));
        for (trigger, due) in [(Trigger::Manual, 1), (Trigger::Backfill, 2), (Trigger::Replay, 3)] {
            attempt(&db, trigger, due, due, failed).await;
        }
        assert_eq!(db.open_runs(at(99)).await.expect("rows"), []);
        assert_eq!(db.retries().await.expect("rows"), []);
        attempt(&db, Trigger::CatchUp, 4, 4, failed).await;
        let open: Vec<Ts> = db.open_runs(at(99)).await.expect("rows").into_iter().map(|(row, _)| row.run.due_at).collect();
        assert_eq!(open, [at(4)]);
        // By hand it may be made again.
        attempt(&db, Trigger::Manual, 1, 100, RECORDED).await;
    })
    .await;
}

#[tokio::test]
async fn a_backfill_makes_nothing_stale_and_a_replay_nothing_fresh() {
    on_both("a_backfill_makes_nothing_stale_and_a_replay_nothing_fresh", async |db: Db| {
        scheduled(&db, "c1").await;
        attempt(&db, Trigger::Schedule, 500, 500, RECORDED).await;
        attempt(&db, Trigger::Backfill, 10, 600, RECORDED).await;
        attempt(&db, Trigger::Replay, 700, 700, RECORDED).await;
        let success = db.newest_attempts(Newest::Success).await.expect("rows");
        assert_eq!(success.iter().map(|row| row.run.due_at).collect::<Vec<_>>(), [at(500)]);
        let ended = db.newest_attempts(Newest::Ended).await.expect("rows");
        assert_eq!(ended.iter().map(|row| row.run.due_at).collect::<Vec<_>>(), [at(10)], "the backfill ended last");
    })
    .await;
}

#[tokio::test]
async fn copies_whose_files_differ_do_not_take_turns_at_the_schedule() {
    on_both("copies_whose_files_differ_do_not_take_turns_at_the_schedule", async |db: Db| {
        let loaded = |cron: &str| {
            let text = collector("c1", "http://127.0.0.1:1", "").replace("* * * * *", cron);
            LoadedCollector::parse("collectors/c1.toml", &text).expect("a collector")
        };
        let (old, new) = (loaded("* * * * *"), loaded("*/5 * * * *"));
        let (olds, news) = (BTreeMap::from([("c1", &old)]), BTreeMap::from([("c1", &new)]));
        let (mut a, mut b) = (Scheduler::new("a", Duration::from_secs(60)), Scheduler::new("b", Duration::from_secs(60)));
        a.sync(&db, &olds, at(0)).await.expect("synced");
        b.sync(&db, &news, at(0)).await.expect("synced");
        let mut due = 0;
        for step in 1..=120 {
            let now = at(0).plus(Duration::from_secs(step * 10));
            for (copy, files) in [(&mut a, &olds), (&mut b, &news)] {
                copy.sync(&db, files, now).await.expect("synced");
                due += copy.tick(&db, files, &BTreeSet::new(), 0, now).await.expect("ticked").due;
            }
        }
        assert_eq!(due, 3, "every five minutes, as the copy says that read its files last");
        assert_eq!(db.schedule("c1").await.expect("a row").expect("a row").cron, "*/5 * * * *");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_ahead_blocks_nobody_for_long() {
    on_both("a_clock_that_was_ahead_blocks_nobody_for_long", async |db: Db| {
        let (every, ahead) = (Duration::from_secs(5), at(7 * 60));
        db.reserve_request("portal.example", every, ahead).await.expect("reserved");
        assert_eq!(db.reserve_request("portal.example", every, at(1)).await.expect("reserved"), at(1));
        assert_eq!(db.reserve_request("portal.example", every, at(1)).await.expect("reserved"), at(1).plus(every));
        assert_eq!(db.lease("notify", 1, "a", ahead, ahead.plus(every)).await.expect("taken"), Some(1));
        assert_eq!(db.lease("notify", 1, "b", at(1), at(2)).await.expect("taken"), Some(1), "the other's clock was wrong");
        assert_eq!(db.lease("notify", 1, "a", at(1), at(2)).await.expect("asked"), None);
        db.settle(ahead).await.expect("settled");
        scheduled(&db, "c1").await;
        attempt(&db, Trigger::Schedule, 1, 1, RECORDED).await;
    })
    .await;
}

#[tokio::test]
async fn what_nobody_is_at_work_on_is_made_again_but_not_every_moment() {
    on_both("what_nobody_is_at_work_on_is_made_again_but_not_every_moment", async |db: Db| {
        scheduled(&db, "c1").await;
        let run = RunId { collector: "c1".to_owned(), due_at: at(1) };
        let mut waits = Vec::new();
        let mut now = at(1);
        for _ in 0..4 {
            let terms = Terms { owner: "serve:a:1:1", now, until: now.plus(Duration::from_secs(9999)), spec: (&Sha256::of(b""), Some("")) };
            db.claim_run(&run, Trigger::Schedule, &terms).await.expect("the database").expect("ours");
            assert_eq!(db.take_back("serve:a:1:1", std::slice::from_ref(&run), now).await.expect("asked"), 0, "it is at work");
            assert_eq!(db.take_back("serve:b", &[], now).await.expect("asked"), 0, "it is another's");
            assert_eq!(db.take_back("serve:", &[], now).await.expect("taken"), 1);
            let retry_at = db.run(&run).await.expect("a row").expect("a row").retry_at.expect("made again");
            waits.push(retry_at.since(now).as_secs());
            now = retry_at;
        }
        assert_eq!(waits, [0, 60, 120, 240]);
        assert_eq!(db.attempts_at(&run).await.expect("rows").len(), 4);
    })
    .await;
}
