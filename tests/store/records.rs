//! What a run brought comes back as it was, and a run that fails to record leaves nothing.

use std::collections::BTreeMap;

use thuocdo::model::{Finding, GateOutcome, GateResult, Reason, RequestOutcome, RunState, Value};
use thuocdo::store::{Claim, Db, KnownSince, RequestRecord, RunRecord, StoreError};

use super::{all_as_of, answer, at, claimed, ended, number, on_both, reading, request, run_due};

/// A run of three requests: recorded, refused by a gate, failed.
fn mixed() -> RunRecord {
    let gate = |outcome, detail: &str| GateResult { gate: "covers all".to_owned(), outcome, detail: detail.to_owned() };
    let good = RequestRecord {
        findings: vec![Finding::warn(Reason::UnmappedUnit, "row 3", "H49.99"), Finding::warn(Reason::RowsMismatch, "rows", "53 of 54")],
        gates: vec![gate(GateOutcome::Passed, "54 of 54")],
        shapes: vec![(1, "{a:number}".to_owned()), (2, "{b:text}".to_owned())],
        ..answer(request(1, at(1), RequestOutcome::Recorded), vec![reading("good", "H49", number("10"))])
    };
    let refused = RequestRecord {
        findings: vec![Finding::quarantine(Reason::Gate, "$", "two units are missing")],
        gates: vec![gate(GateOutcome::Failed, "52 of 54")],
        shapes: vec![(1, "{broken}".to_owned()), (3, "{c}".to_owned())],
        ..answer(
            request(2, at(2), RequestOutcome::Quarantined),
            vec![reading("refused", "H49", number("0.10")), reading("refused", "qn-1", Value::Missing)],
        )
    };
    let mut failed = request(3, at(3), RequestOutcome::Failed);
    failed.scope.province = BTreeMap::from([("host".to_owned(), "tỉnh".to_owned())]);
    (failed.status, failed.evidence, failed.size_bytes) = (None, None, 0);
    (failed.reason, failed.error) = (Some(Reason::Timeout), "no answer in 30 s".to_owned());
    ended(RunState::Partial, at(4), vec![good, refused, answer(failed, vec![])])
}

async fn claim(db: &Db, minute: i64) -> Claim {
    claimed(db, &run_due(minute), at(minute), at(minute + 10)).await.expect("nobody has it")
}

#[tokio::test]
async fn everything_comes_back_as_it_was() {
    on_both("everything_comes_back_as_it_was", async |db: Db| {
        let (run, record) = (run_due(0), mixed());
        let counts = db.record_run(&claim(&db, 0).await, &record, KnownSince::Clock(at(5))).await.expect("recorded");
        assert_eq!((counts.observations_new, counts.quarantined), (1, 2));

        let requests = db.requests(&run).await.expect("the database answers");
        assert_eq!(requests, record.requests.iter().map(|one| one.request.clone()).collect::<Vec<_>>());
        let of_each = |no: i32| &record.requests[no as usize - 1];
        let findings = db.findings(&run).await.expect("the database answers");
        assert_eq!(findings.iter().map(|(no, _)| *no).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!((&findings[0].1, &findings[1].1), (&of_each(1).findings[0], &of_each(1).findings[1]));
        let gates = db.gate_results(&run).await.expect("the database answers");
        assert_eq!(gates, [(1, of_each(1).gates[0].clone()), (2, of_each(2).gates[0].clone())]);
        let kept_apart = db.quarantined(&run).await.expect("the database answers");
        assert_eq!(kept_apart, of_each(2).readings.iter().map(|one| (2, one.clone())).collect::<Vec<_>>());

        let observed = db.observations(&all_as_of(at(99))).await.expect("the database answers");
        assert_eq!(observed.iter().map(|o| o.indicator.as_str()).collect::<Vec<_>>(), ["good"], "what was refused is not trusted");
        let recorded = async |no: i32| {
            db.recorded_at("npsp-progress", of_each(no).request.evidence.as_ref().expect("bytes")).await.expect("the database answers")
        };
        assert_eq!((recorded(1).await, recorded(2).await), (Some(of_each(1).request.at), None));
        (requests, findings, gates, kept_apart, observed, db.run(&run).await.expect("the database answers"))
    })
    .await;
}

#[tokio::test]
async fn the_first_recorded_shape_stays() {
    on_both("the_first_recorded_shape_stays", async |db: Db| {
        assert_eq!(db.shapes("npsp-progress").await.expect("the database answers"), BTreeMap::new());
        let mut record = mixed();
        for minute in [0, 20] {
            db.record_run(&claim(&db, minute).await, &record, KnownSince::Clock(at(minute))).await.expect("recorded");
            record.requests[0].shapes = vec![(1, "{changed}".to_owned())];
        }
        let expected = BTreeMap::from([(1, "{a:number}".to_owned()), (2, "{b:text}".to_owned())]);
        assert_eq!(db.shapes("npsp-progress").await.expect("the database answers"), expected);
    })
    .await;
}

#[tokio::test]
async fn a_retry_shows_only_what_it_brought_itself() {
    on_both("a_retry_shows_only_what_it_brought_itself", async |db: Db| {
        let mut failed = RunRecord { state: RunState::Failed, retry_at: Some(at(6)), ..mixed() };
        failed.requests.drain(..1);
        db.record_run(&claim(&db, 0).await, &failed, KnownSince::Clock(at(5))).await.expect("recorded");
        let again = claimed(&db, &run_due(0), at(6), at(16)).await.expect("its time has come");
        assert_eq!(db.requests(&run_due(0)).await.expect("the database answers"), [], "while it is running");
        db.record_run(&again, &ended(RunState::Failed, at(7), vec![]), KnownSince::Clock(at(7))).await.expect("recorded");
        assert_eq!(db.findings(&run_due(0)).await.expect("the database answers"), []);
        assert_eq!(db.quarantined(&run_due(0)).await.expect("the database answers"), []);
    })
    .await;
}

#[tokio::test]
async fn an_error_in_the_middle_leaves_nothing() {
    on_both("an_error_in_the_middle_leaves_nothing", async |db: Db| {
        let (run, claim) = (run_due(0), claim(&db, 0).await);
        let before = db.run(&run).await.expect("the database answers");
        let mut record = mixed();
        // The last request has the number of the first: their key is the same.
        record.requests[2].request.no = 1;
        let error = db.record_run(&claim, &record, KnownSince::Clock(at(5))).await.expect_err("two requests with one number");
        assert!(matches!(&error, StoreError::Query { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the database could not record run npsp-progress@2026-09-26T06:00:00Z");
        // Still ours, still running, as if nothing had happened.
        assert_eq!(db.run(&run).await.expect("the database answers"), before);
        assert_eq!(db.observations(&all_as_of(at(99))).await.expect("the database answers"), []);
        assert_eq!(db.shapes("npsp-progress").await.expect("the database answers"), BTreeMap::new());
        db.record_run(&claim, &mixed(), KnownSince::Clock(at(6))).await.expect("the next try succeeds");
    })
    .await;
}

#[tokio::test]
async fn a_null_character_of_a_page_is_no_reason_to_lose_the_run() {
    on_both("a_null_character_of_a_page_is_no_reason_to_lose_the_run", async |db: Db| {
        let mut record = mixed();
        record.requests[0].readings[0].item = "a\0b".to_owned();
        record.requests[1].readings[0].text = "\0".to_owned();
        db.record_run(&claim(&db, 0).await, &record, KnownSince::Clock(at(5))).await.expect("recorded");
        let again = db.record_run(&claim(&db, 20).await, &record, KnownSince::Clock(at(25))).await.expect("recorded");
        assert_eq!((again.observations_new, again.observations_unchanged), (0, 1));
        let observed = db.observations(&all_as_of(at(99))).await.expect("the database answers");
        assert_eq!(observed[0].item, "a\u{fffd}b");
        db.quarantined(&run_due(0)).await.expect("the database answers")
    })
    .await;
}
