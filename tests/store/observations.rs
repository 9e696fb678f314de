//! Append-only, bitemporal, exact.

use thuocdo::model::{RequestOutcome, RunState, Value};
use thuocdo::store::{Db, KnownSince, ObservationQuery, Recorded, StoreError};

use super::{all_as_of, answer, at, claimed, ended, number, on_both, period, reading, record, request, run_due};

const COUNT: &str = "dossier_processed_count";

#[tokio::test]
async fn only_a_difference_is_a_version() {
    on_both("only_a_difference_is_a_version", async |db: Db| {
        let flagged = |value, flag: &str| vec![thuocdo::model::Reading { flag: flag.to_owned(), ..reading(COUNT, "H49", value) }];
        let new = Recorded { observations_new: 1, ..Recorded::default() };
        let restated = Recorded { observations_restated: 1, ..Recorded::default() };
        let unchanged = Recorded { observations_unchanged: 1, ..Recorded::default() };
        for (minute, value, flag, expected) in [
            (0, number("10"), "", new),
            (1, number("10.00"), "", unchanged),
            (2, number("12"), "", restated),
            (3, Value::Missing, "", restated),
            (4, Value::Missing, "", unchanged),
            (5, number("12"), "", restated),
            (6, number("12"), "late", restated),
        ] {
            assert_eq!(record(&db, minute, flagged(value, flag)).await.expect("recorded"), expected, "minute {minute}");
        }
        let versions = db.versions(COUNT, "H49", "", "npsp-progress", period("2026-09")).await.expect("the database answers");
        let told: Vec<_> = versions.iter().map(|v| (v.recorded_at, v.value, v.flag.as_str(), v.run.clone())).collect();
        assert_eq!(
            told,
            [
                (at(0), number("10"), "", run_due(0)),
                (at(2), number("12"), "", run_due(2)),
                (at(3), Value::Missing, "", run_due(3)),
                (at(5), number("12"), "", run_due(5)),
                (at(6), number("12"), "late", run_due(6)),
            ]
        );
        for (minute, value) in [(0, number("10")), (1, number("10")), (2, number("12")), (4, Value::Missing), (5, number("12"))] {
            let known = db.observations(&all_as_of(at(minute))).await.expect("the database answers");
            assert_eq!(known.iter().map(|o| o.value).collect::<Vec<_>>(), [value], "as of minute {minute}");
        }
        assert_eq!(db.observations(&all_as_of(at(-1))).await.expect("the database answers"), []);
        versions
    })
    .await;
}

#[tokio::test]
async fn an_unchanged_value_moves_only_the_last_check_and_never_back() {
    on_both("an_unchanged_value_moves_only_the_last_check_and_never_back", async |db: Db| {
        let same = || vec![reading(COUNT, "H49", number("10"))];
        let known = async |as_of| {
            let known = db.observations(&all_as_of(as_of)).await.expect("the database answers");
            (known[0].recorded_at, known[0].last_checked, known[0].run.clone())
        };
        record(&db, 0, same()).await.expect("recorded");
        record(&db, 7, same()).await.expect("recorded");
        assert_eq!(known(at(9)).await, (at(0), at(7), run_due(0)));
        assert_eq!(known(at(5)).await, (at(0), at(0), run_due(0)), "a check after as_of was not known then");

        // Old evidence read again later.
        let claim = claimed(&db, &run_due(30), at(30), at(40)).await.expect("nobody has it");
        let replayed = vec![answer(request(1, at(3), RequestOutcome::Recorded), same())];
        db.record_run(&claim, &ended(RunState::Recorded, at(31), replayed), KnownSince::Clock(at(31))).await.expect("recorded");
        assert_eq!(known(at(99)).await, (at(0), at(7), run_due(0)));
    })
    .await;
}

#[tokio::test]
async fn older_evidence_restates_nothing() {
    on_both("older_evidence_restates_nothing", async |db: Db| {
        record(&db, 9, vec![reading(COUNT, "H49", number("10"))]).await.expect("recorded");
        let late = record(&db, 2, vec![reading(COUNT, "H49", number("11")), reading(COUNT, "H01", number("7"))]).await.expect("recorded");
        assert_eq!((late.superseded, late.observations_new, late.observations_restated), (1, 1, 0));
        let newest = db.observations(&all_as_of(at(10))).await.expect("the database answers");
        let values: Vec<_> = newest.iter().map(|o| (o.unit.as_str(), o.value, o.last_checked)).collect();
        assert_eq!(values, [("H01", number("7"), at(2)), ("H49", number("10"), at(9))]);
    })
    .await;
}

#[tokio::test]
async fn values_come_back_exactly() {
    const VALUES: [&str; 10] = [
        "0",
        "-1",
        "0.1",
        "1e2",
        "100000000000000",
        "-17.50",
        "0.0000000000000000000000000001",
        "-0.1234567890123456789012345678",
        "9999999999999999999999999999",
        "-12345678901234.56789012345678",
    ];
    on_both("values_come_back_exactly", async |db: Db| {
        let mut values: Vec<Value> = VALUES.iter().map(|text| number(text)).collect();
        values.push(Value::Missing);
        let readings: Vec<_> = values.iter().enumerate().map(|(n, value)| reading(COUNT, &format!("u{n:02}"), *value)).collect();
        record(&db, 0, readings.clone()).await.expect("recorded");
        let known = db.observations(&all_as_of(at(1))).await.expect("the database answers");
        assert_eq!(known.iter().map(|o| o.value).collect::<Vec<_>>(), values);
        assert_eq!(known[5].value.to_string(), "-17.5");
        let again = record(&db, 2, readings).await.expect("recorded");
        assert_eq!(again.observations_unchanged, values.len(), "what comes back equals what went in");
        known
    })
    .await;
}

#[tokio::test]
async fn queries_filter_and_sort_the_same_everywhere() {
    on_both("queries_filter_and_sort_the_same_everywhere", async |db: Db| {
        let mut readings = Vec::new();
        for indicator in ["b_count", "B-count", "a_count"] {
            for (unit, item) in [("qn-07", ""), ("H49", ""), ("H49", "é"), ("H49", "Z")] {
                for month in ["2026-09", "2026-08", "2026", "2026-Q3"] {
                    let one = reading(indicator, unit, number("1"));
                    readings.push(thuocdo::model::Reading { item: item.to_owned(), period: period(month), ..one });
                }
            }
        }
        assert_eq!(record(&db, 0, readings).await.expect("recorded").observations_new, 48);
        let find = async |query: ObservationQuery| db.observations(&query).await.expect("the database answers");
        let all = all_as_of(at(1));
        let names = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        for (query, n) in [
            (all.clone(), 48),
            (ObservationQuery { period: Some(period("2026-Q3")), ..all.clone() }, 12),
            (ObservationQuery { unit: Some("H49".to_owned()), ..all.clone() }, 36),
            (ObservationQuery { indicators: names(&["a_count", "b_count"]), ..all.clone() }, 32),
            (ObservationQuery { indicators: names(&[]), ..all.clone() }, 0),
            (ObservationQuery { collector: Some("other".to_owned()), ..all.clone() }, 0),
        ] {
            assert_eq!(find(query.clone()).await.len(), n, "{query:?}");
        }
        let found = find(ObservationQuery { period: Some(period("2026")), ..all }).await;
        let order: Vec<_> = found.iter().take(4).map(|o| (o.indicator.as_str(), o.unit.as_str(), o.item.as_str())).collect();
        assert_eq!(order, [("B-count", "H49", ""), ("B-count", "H49", "Z"), ("B-count", "H49", "é"), ("B-count", "qn-07", "")]);
        found
    })
    .await;
}

#[tokio::test]
async fn history_ends_before_the_run_and_counts_versions() {
    on_both("history_ends_before_the_run_and_counts_versions", async |db: Db| {
        for (minute, value) in [(0, "1"), (1, "2"), (2, "2"), (3, "4")] {
            record(&db, minute, vec![reading(COUNT, "H49", number(value)), reading("other", "H49", number(value))])
                .await
                .expect("recorded");
        }
        let past = db.history("npsp-progress", &[COUNT.to_owned()], at(3)).await.expect("the database answers");
        assert_eq!(past.iter().map(|p| (p.observation.value, p.n_versions)).collect::<Vec<_>>(), [(number("2"), 2)]);
        assert_eq!(db.history("other", &[COUNT.to_owned()], at(3)).await.expect("the database answers"), []);
        past
    })
    .await;
}

#[tokio::test]
async fn a_run_that_contradicts_itself_is_refused_whole() {
    on_both("a_run_that_contradicts_itself_is_refused_whole", async |db: Db| {
        let claim = claimed(&db, &run_due(0), at(0), at(10)).await.expect("nobody has it");
        let said = |no, value| answer(request(no, at(no.into()), RequestOutcome::Recorded), vec![reading(COUNT, "H49", number(value))]);
        let two = ended(RunState::Recorded, at(5), vec![said(1, "10"), said(2, "11")]);
        let refused = db.record_run(&claim, &two, KnownSince::Clock(at(5))).await.expect_err("which one?");
        assert!(matches!(refused, StoreError::TwoValues(_)));
        assert_eq!(
            refused.to_string(),
            "run npsp-progress@2026-09-26T06:00:00Z gives two values of dossier_processed_count, unit H49, item \"\", \
             period 2026-09: 10 (request 1) and 11 (request 2): nothing of it was recorded"
        );
        assert_eq!(db.requests(&run_due(0)).await.expect("the database answers"), []);

        let twice = ended(RunState::Recorded, at(5), vec![said(1, "10"), said(2, "10.0")]);
        assert_eq!(db.record_run(&claim, &twice, KnownSince::Clock(at(5))).await.expect("they agree").observations_new, 1);
        let known = db.observations(&all_as_of(at(5))).await.expect("the database answers");
        assert_eq!((known[0].request, known[0].last_checked), (1, at(2)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_write_one_version() {
    on_both("two_runs_at_once_write_one_version", async |db: Db| {
        let mut runs = tokio::task::JoinSet::new();
        for minute in 0..8 {
            let db = db.clone();
            let readings = (0..700).map(|n| reading(COUNT, &format!("u{n}"), number("10"))).collect();
            runs.spawn(async move { record(&db, minute, readings).await.expect("recorded") });
        }
        let recorded = runs.join_all().await;
        assert_eq!(recorded.iter().map(|r| r.observations_new).sum::<usize>(), 700);
        assert_eq!(recorded.iter().map(|r| r.observations_unchanged).sum::<usize>(), 7 * 700);
    })
    .await;
}
