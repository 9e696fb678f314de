//! The API: the same scores as the commands, every observation once, and clear refusals.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use thuocdo::model::Ts;
use thuocdo::scoring::Scoring;
use thuocdo::store::ObservationQuery;

use crate::world::World;

fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    let schema: Json = serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a JSON Schema")
}

#[tokio::test]
async fn scores_are_those_of_the_commands() {
    let world = World::collected().await;
    let year = Ts::now().utc().format("%Y").to_string();
    let address = format!("/api/v1/scores?set=qd766-2026&period={year}");
    let answer = world.get(&address).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let run = answer.json();
    assert!(schema("score.schema.json").is_valid(&run), "{:?}", schema("score.schema.json").iter_errors(&run).next());
    let as_of: Ts = run["as_of"].as_str().expect("an instant").parse().expect("an instant");
    let live = world.service.live();
    let set = &live.catalogue.criteria["qd766-2026"];
    let period = year.parse().expect("a period");
    let scoring = Scoring::of(&live.catalogue, set, Some("H49"), period, as_of, &world.service.db).await.expect("a scoring");
    let ours = serde_json::to_string(&scoring.score().expect("scores")).expect("JSON");
    assert_eq!(answer.text, ours);

    let again = world.get(&format!("{address}&as_of={as_of}")).await;
    assert_eq!((again.text == ours, again.header("etag")), (true, answer.header("etag")));
    let known = world.ask(reqwest::Method::GET, &format!("{address}&as_of={as_of}"), &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let one = world.get(&format!("{address}&as_of={as_of}&unit=H49")).await.json();
    assert!(schema("score.schema.json").is_valid(&one));
    assert_eq!((one["sheets"].as_array().map(Vec::len), one["sheets"][0]["unit"].as_str()), (Some(1), Some("H49")));
    world.stop().await;
}

#[tokio::test]
async fn pages_walk_every_observation_once() {
    let world = World::collected().await;
    let schema = schema("observations.schema.json");
    let as_of = Ts::now();
    let all = ObservationQuery { period: None, indicators: None, collector: None, unit: None, as_of };
    let all = world.service.db.observations(&all).await.expect("the database answers");
    let mut seen = BTreeSet::new();
    let (mut after, mut n_pages) = (String::new(), 0);
    loop {
        let page = world.get(&format!("/api/v1/observations?as_of={as_of}&limit=700{after}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        assert!(schema.is_valid(&page), "{:?}", schema.iter_errors(&page).next());
        for row in page["observations"].as_array().expect("rows") {
            let key = ["collector", "indicator", "unit", "item", "period"].map(|key| row[key].as_str().expect("a text").to_owned());
            assert!(seen.insert((key, row["value"].to_string())), "{row} comes twice");
            assert_eq!(row["evidence"].as_str().map(str::len), Some(64), "{row}");
        }
        n_pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let value = |seen: &thuocdo::model::Observation| seen.value.number().map_or("null".to_owned(), |number| format!("\"{number}\""));
    let right: BTreeSet<_> = all
        .iter()
        .map(|seen| {
            let period = seen.period.to_string();
            let key = [&seen.collector, &seen.indicator, &seen.unit, &seen.item, &period].map(Clone::clone);
            (key, value(seen))
        })
        .collect();
    assert!(n_pages > 2 && seen == right, "{n_pages} pages, {} of {}", seen.len(), right.len());

    let some = world.get("/api/v1/observations?unit=H49&collector=npsp-progress&indicator=dossier_on_time_count&limit=1").await.json();
    let (row, next) = (&some["observations"][0], some["next"].as_str().expect("more periods"));
    assert_eq!((row["unit"].as_str(), row["missing"].as_bool()), (Some("H49"), Some(false)));
    let other = world.get(&format!("/api/v1/observations?unit=H48&after={next}")).await;
    assert_eq!(
        (other.status, other.json()["detail"].as_str()),
        (400, Some("after belongs to another question: keep the parameters of the page before."))
    );
    let more = world
        .get(&format!("/api/v1/observations?unit=H49&collector=npsp-progress&indicator=dossier_on_time_count&limit=1&after={next}"))
        .await
        .json();
    assert_eq!(more["as_of"], some["as_of"], "a walk stays at its moment");
    assert_ne!(more["observations"][0]["period"], row["period"]);
    world.stop().await;
}

#[tokio::test]
async fn refusals_name_what_is_wrong_and_the_fix() {
    let world = World::empty().await;
    for (address, status, detail) in [
        ("/api/v1/scores", 400, "The parameter set is missing; add it, like set=qd766-2026."),
        ("/api/v1/scores?set=qd766-2026", 400, "The parameter period is missing"),
        ("/api/v1/scores?set=x&period=2026", 404, "There is no criteria set \"x\"; there are qd766-2026"),
        ("/api/v1/scores?set=qd766-2026&period=26", 400, "is not a period: write 2026"),
        ("/api/v1/scores?set=qd766-2026&period=2026&as_of=x", 400, "is no instant of RFC 3339"),
        ("/api/v1/scores?set=qd766-2026&period=2026&as_of=2100-01-01T00:00:00Z", 400, "lies in the future"),
        ("/api/v1/scores?set=qd766-2026&period=2020", 404, "is not in force in 2020"),
        ("/api/v1/scores?set=qd766-2026&period=2026&unit=x", 404, "does not assess unit \"x\""),
        ("/api/v1/scores?sets=qd766-2026", 400, "There is no parameter \"sets\"; there are set, period, as_of, unit."),
        ("/api/v1/observations?limit=5001", 400, "is no whole number from 1 to 5000"),
        ("/api/v1/observations?after=x", 400, "is no cursor"),
        ("/api/v1/observations?period=x", 400, "is not a period"),
        ("/api/v1/observations?units=x", 400, "there are indicator, unit, collector, item, period, as_of, limit, after."),
        ("/api/v1/nothing", 404, "There is no such page."),
    ] {
        let answer = world.get(address).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{address}");
        let problem = answer.json();
        assert_eq!((problem["status"].as_u64(), problem["type"].as_str()), (Some(u64::from(status)), Some("about:blank")));
        assert!(problem["detail"].as_str().is_some_and(|text| text.contains(detail)), "{address}: {problem}");
    }
    let none = world.get("/api/v1/observations").await.json();
    assert_eq!((none["observations"].as_array().map(Vec::len), none["next"].is_null()), (Some(0), true));
    world.stop().await;
}
