//! One run, one winner; who was late records nothing.

use thuocdo::model::{RequestOutcome, RunState, Trigger};
use thuocdo::store::{Db, KnownSince, StoreError};

use super::{all_as_of, answer, at, claimed, ended, number, on_both, reading, request, run_due};

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_claimers_one_wins() {
    let winners = on_both("of_forty_claimers_one_wins", async |db: Db| {
        let mut claimers = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let db = db.clone();
            claimers.spawn(async move { claimed(&db, &run_due(0), at(0), at(10)).await });
        }
        claimers.join_all().await.into_iter().flatten().collect::<Vec<_>>()
    });
    let winners = winners.await;
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].attempt, 1);
}

#[tokio::test]
async fn a_run_is_claimed_again_only_when_its_time_has_come() {
    on_both("a_run_is_claimed_again_only_when_its_time_has_come", async |db: Db| {
        let run = run_due(0);
        let attempt = async |minute| claimed(&db, &run, at(minute), at(minute + 10)).await.map(|claim| claim.attempt);
        assert_eq!(attempt(0).await, Some(1));
        assert_eq!(attempt(10).await, None, "the claim holds to its last instant");
        assert_eq!(attempt(11).await, Some(2), "it ran out");

        let claim = thuocdo::store::Claim { run: run.clone(), attempt: 2, trigger: Trigger::Schedule, owner: "test".to_owned() };
        let mut failed = ended(RunState::Failed, at(12), vec![]);
        failed.retry_at = Some(at(20));
        db.record_run(&claim, &failed, KnownSince::Clock(at(12))).await.expect("ours");
        assert_eq!(attempt(19).await, None, "too early to retry");
        assert_eq!(attempt(20).await, Some(3));

        let claim = thuocdo::store::Claim { run: run.clone(), attempt: 3, trigger: Trigger::Schedule, owner: "test".to_owned() };
        db.record_run(&claim, &ended(RunState::Failed, at(21), vec![]), KnownSince::Clock(at(21))).await.expect("ours");
        assert_eq!(attempt(1000).await, None, "no retry was planned");
        db.run(&run).await.expect("the database answers")
    })
    .await;
}

#[tokio::test]
async fn a_late_copy_records_nothing() {
    on_both("a_late_copy_records_nothing", async |db: Db| {
        let run = run_due(0);
        let late = claimed(&db, &run, at(0), at(10)).await.expect("nobody has it");
        let mine = claimed(&db, &run, at(11), at(21)).await.expect("it ran out");
        let readings = vec![reading("dossier_processed_count", "H49", number("1"))];
        let record = ended(RunState::Recorded, at(12), vec![answer(request(1, at(1), RequestOutcome::Recorded), readings)]);

        let refused = db.record_run(&late, &record, KnownSince::Clock(at(12))).await;
        assert!(matches!(&refused, Err(StoreError::ClaimLost { attempt: 1, .. })), "{refused:?}");
        assert_eq!(db.observations(&all_as_of(at(99))).await.expect("the database answers"), []);
        assert_eq!(db.requests(&run).await.expect("the database answers"), []);

        db.record_run(&mine, &record, KnownSince::Clock(at(13))).await.expect("ours");
        let again = db.record_run(&mine, &record, KnownSince::Clock(at(14))).await;
        assert!(matches!(again, Err(StoreError::ClaimLost { attempt: 2, .. })), "a run ends once");
        let unfinished = db.record_run(&mine, &ended(RunState::Running, at(14), vec![]), KnownSince::Clock(at(14))).await;
        assert!(matches!(unfinished, Err(StoreError::NotEnded { .. })));
    })
    .await;
}

#[tokio::test]
async fn runs_are_listed_with_the_file_they_used() {
    on_both("runs_are_listed_with_the_file_they_used", async |db: Db| {
        for minute in [0, 30, 15] {
            claimed(&db, &run_due(minute), at(minute), at(minute + 10)).await.expect("nobody has it");
        }
        let runs = db.runs(Some("npsp-progress"), 2).await.expect("the database answers");
        assert_eq!(runs.iter().map(|row| row.run.clone()).collect::<Vec<_>>(), [run_due(30), run_due(15)]);
        assert_eq!((runs[0].state, runs[0].trigger, runs[0].ended_at), (RunState::Running, Trigger::Schedule, None));
        assert_eq!(db.spec(&runs[0].spec).await.expect("the database answers").as_deref(), Some("id = \"npsp-progress\"\n"));
        assert_eq!(db.runs(Some("other"), 9).await.expect("the database answers"), []);
        assert_eq!(db.runs(None, 9).await.expect("the database answers").len(), 3);
        runs
    })
    .await;
}

#[tokio::test]
async fn a_wrong_address_is_said_without_its_password() {
    for (url, message) in [
        ("mysql://me:secret@host/db", "the database address begins with \"mysql\": write sqlite:PATH or postgres://USER@HOST/DATABASE"),
        (
            "sqlite:/no/such/folder/x.db",
            "cannot create the database file /no/such/folder/x.db: make its folder, and let this user write there",
        ),
        ("postgres://me:secret@127.0.0.1:1/db", "cannot open the database 127.0.0.1:1/db: is it running, and may this user use it?"),
        ("postgres://me:secret@host:port/db", "the database address cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE"),
    ] {
        assert_eq!(Db::open(url).await.expect_err("a wrong address").to_string(), message);
    }
}
