//! Pages of observations, and those of one run, with their evidence.

use thuocdo::model::{RequestOutcome, RunState, Sha256};
use thuocdo::store::{Db, KnownSince, PageQuery, Sourced};

use super::{answer, at, claimed, ended, number, on_both, period, reading, record, request, run_due};

const COUNT: &str = "dossier_processed_count";

fn page(minute: i64) -> PageQuery {
    PageQuery { indicator: None, unit: None, item: None, collector: None, period: None, as_of: at(minute), after: None, limit: 100 }
}

fn told(rows: &[Sourced]) -> Vec<(String, String, Option<Sha256>)> {
    let told = |row: &Sourced| (row.observation.unit.clone(), row.observation.value.to_string(), row.evidence.clone());
    rows.iter().map(told).collect()
}

#[tokio::test]
async fn a_walk_gives_the_newest_versions_of_its_moment_once_with_their_evidence() {
    on_both("a_walk_gives_the_newest_versions_of_its_moment_once_with_their_evidence", async |db: Db| {
        let all = ["H1", "H2", "H3", "H4", "H5"];
        let readings = |value: &str| all.map(|unit| reading(COUNT, unit, number(value))).to_vec();
        record(&db, 0, readings("10")).await.expect("recorded");
        record(&db, 5, vec![reading(COUNT, "H2", number("20"))]).await.expect("recorded");
        let evidence = |minute| Some(Sha256::of(format!("answer 1 of {}", at(minute)).as_bytes()));
        let right = all.map(|unit| match unit {
            "H2" => (unit.to_owned(), "20".to_owned(), evidence(5)),
            _ => (unit.to_owned(), "10".to_owned(), evidence(0)),
        });
        let mut seen = Vec::new();
        let mut query = PageQuery { limit: 2, ..page(9) };
        loop {
            let rows = db.observations_page(&query).await.expect("the database answers");
            let Some(last) = rows.last() else { break };
            query.after = Some(last.position);
            seen.extend(told(&rows));
        }
        assert_eq!(seen, right);
        let before = db.observations_page(&page(4)).await.expect("the database answers");
        assert!(before.len() == 5 && before.iter().all(|row| row.observation.value == number("10")), "{before:?}");
        let one = PageQuery { unit: Some("H2".to_owned()), item: Some(String::new()), period: Some(period("2026-09")), ..page(9) };
        assert_eq!(told(&db.observations_page(&one).await.expect("the database answers")), [right[1].clone()]);
        let none = PageQuery { collector: Some("other".to_owned()), ..page(9) };
        assert_eq!(db.observations_page(&none).await.expect("the database answers"), []);
        let has = async |indicator, month| db.has_observations(&[indicator], period(month)).await.expect("the database answers");
        assert_eq!((has(COUNT, "2026-09").await, has(COUNT, "2026-08").await, has("other", "2026-09").await), (true, false, false));
        seen
    })
    .await;
}

#[tokio::test]
async fn a_run_has_what_it_recorded_first() {
    on_both("a_run_has_what_it_recorded_first", async |db: Db| {
        record(&db, 0, vec![reading(COUNT, "H1", number("1")), reading(COUNT, "H2", number("2"))]).await.expect("recorded");
        let claim = claimed(&db, &run_due(5), at(5), at(15)).await.expect("nobody else claims");
        let requests = (1..=2).map(|no| {
            let values = vec![reading(COUNT, if no == 1 { "H3" } else { "H1" }, number("7"))];
            answer(request(no, at(5), RequestOutcome::Recorded), values)
        });
        let ended = ended(RunState::Recorded, at(5), requests.collect());
        db.record_run(&claim, &ended, KnownSince::Clock(at(5))).await.expect("recorded");
        let rows = db.observations_of(&run_due(5), 10).await.expect("the database answers");
        let evidence = |no| Some(Sha256::of(format!("answer {no} of {}", at(5)).as_bytes()));
        assert_eq!(told(&rows), [("H3".to_owned(), "7".to_owned(), evidence(1)), ("H1".to_owned(), "7".to_owned(), evidence(2))]);
        assert_eq!(db.observations_of(&run_due(5), 1).await.expect("the database answers").len(), 1);
        let counts = (db.count_observations_of(&run_due(0)).await, db.count_observations_of(&run_due(5)).await);
        assert_eq!((counts.0.expect("a count"), counts.1.expect("a count")), (2, 2), "what was restated since stays its run's");
        told(&rows)
    })
    .await;
}
