//! The same figures give the same bytes: on both databases, twice, after later runs, and read again from the evidence.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use thuocdo::catalogue::{Catalogue, Files, LoadedCollector};
use thuocdo::collect::replay::{Replayed, compare, record, replay};
use thuocdo::collect::run::Ran;
use thuocdo::collect::run::When;
use thuocdo::demo::{Figures, serve};
use thuocdo::model::{Exact, Period, PeriodKind, Reading, RequestOutcome, RunState, Trigger, Unit, Value};
use thuocdo::store::{Db, Recorded};

use crate::installation::{Installation, PORTAL};
use crate::{on_both, period, ts};

const DOCUMENTS: &str = "https://vanban.quangninh.example";
const COLLECTORS: [&str; 8] = [
    "npsp-service-results",
    "npsp-transparency",
    "npsp-progress",
    "npsp-online",
    "npsp-payment",
    "npsp-digitised",
    "npsp-satisfaction",
    "documents",
];
const FIRST: &str = "2026-10-08T00:00:00Z";
const LATER: &str = "2026-10-09T00:00:00Z";
const SETS: [&str; 2] = ["qd766-2026", "qn-documents"];

/// The simulated province; provinces keep the codes that are publicly known.
fn figures(shipped: &Catalogue, seed: u64, today: NaiveDate) -> Figures {
    let registry = &shipped.registry;
    let day = Period::holding(PeriodKind::Day, today);
    let units: Vec<Unit> = registry
        .units_in(day)
        .into_iter()
        .filter(|unit| unit.parent.is_none() || registry.province_of(&unit.id).is_some_and(|of| of.id == "H49"))
        .cloned()
        .collect();
    let codes = registry.codes("npsp").expect("a shipped code map");
    let known = |unit: &Unit| Some((codes.code_of(&unit.id, day)?.to_owned(), unit.id.clone()));
    let known: Vec<(String, String)> = units.iter().filter_map(known).collect();
    Figures::new(seed, "H49", &units, today).expect("H49 is among the units").with_known_codes(&known)
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day of the test")
}

/// The code maps of the simulated province.
fn code_maps(shipped: &Catalogue, figures: &Figures) -> Vec<(String, String)> {
    let below = |unit: &str| shipped.registry.unit(unit).is_some_and(|unit| unit.parent.is_some());
    let csv = |codes: Vec<(String, String)>| {
        let rows = codes.into_iter().filter(|(_, unit)| below(unit)).map(|(code, unit)| format!("{code},{unit},,\n"));
        format!("code,unit,valid_from,valid_to\n{}", rows.collect::<String>())
    };
    let maps = [("registry/codes/npsp/demo.csv", figures.code_map()), ("registry/codes/documents/demo.csv", figures.short_codes())];
    maps.into_iter().map(|(path, codes)| (path.to_owned(), csv(codes))).collect()
}

/// An installation that knows the simulated province, with other files laid over.
fn installation(db: &Db, figures: &Figures, others: Vec<(String, String)>) -> Installation {
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let mut installation = Installation::new(db, code_maps(&shipped, figures).into_iter().chain(others));
    installation.settings.province.insert("documents".to_owned(), DOCUMENTS.to_owned());
    installation
}

/// Runs these collectors against these figures.
async fn collect(installation: &mut Installation, figures: Figures, collectors: &[&str], at: &str) -> Vec<Ran> {
    let portal = serve(figures).await.expect("a free port");
    installation.settings.rewrite = [PORTAL, DOCUMENTS].map(|from| (from.to_owned(), portal.url())).into();
    let mut runs = Vec::new();
    for id in collectors {
        runs.push(installation.run(id, ts(at)).await);
    }
    portal.stop().await.expect("stopped");
    runs
}

/// The JSON of both sets as known at an instant.
async fn scores(installation: &Installation, as_of: &str) -> Vec<String> {
    let mut all = Vec::new();
    for set in SETS {
        let json = |run: &thuocdo::score::ScoreRun<'_>| serde_json::to_string(run).expect("JSON");
        all.push(installation.scored(set, Some("H49"), period("2026"), ts(as_of), json).await);
    }
    all
}

fn sum(runs: &[Ran], of: impl Fn(&Recorded) -> usize) -> usize {
    runs.iter().map(|ran| of(&ran.recorded)).sum()
}

#[tokio::test]
async fn one_scoring_is_the_same_bytes_for_ever() {
    let name = "one_scoring_is_the_same_bytes_for_ever";
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let of_first = figures(&shipped, 268, day("2026-10-08"));
    let bytes = on_both(name, async |db| {
        let mut installation = installation(&db, &of_first, Vec::new());
        let runs = collect(&mut installation, of_first.clone(), &COLLECTORS, FIRST).await;
        assert!(runs.iter().all(|ran| ran.state == RunState::Recorded), "{:?}", runs.iter().map(|ran| ran.state).collect::<Vec<_>>());
        let at_first = scores(&installation, FIRST).await;
        assert_eq!(scores(&installation, FIRST).await, at_first, "scored twice");

        // Figures of another seed under the codes of the first: the source restates nearly everything.
        let later = figures(&shipped, 269, day("2026-10-09")).with_known_codes(&of_first.code_map());
        let later_runs = collect(&mut installation, later, &COLLECTORS, LATER).await;
        let n_restated = sum(&later_runs, |recorded| recorded.observations_restated);
        assert!(n_restated > 0, "a later day moves figures");
        assert!(scores(&installation, FIRST).await == at_first, "what was known then does not change");
        let at_later = scores(&installation, LATER).await;
        let figures_differ = at_later.iter().zip(&at_first).filter(|(now, then)| now.replace(LATER, FIRST) != **then).count();
        println!(
            "{name}: {n_restated} restated later; {figures_differ} of 2 sets score otherwise then, 2 of 2 as before as of the first day"
        );
        assert!(figures_differ > 0);

        let (n_same, n_readings) = replayed(&installation, &runs).await;
        println!("{name}: {} runs replayed with the stored files: {n_same} of {n_readings} readings the same", runs.len());
        assert_eq!((n_same, n_readings), (n_readings, sum(&runs, |recorded| recorded.observations_new)));
        [at_first, at_later].concat()
    })
    .await;
    println!("{name}: {} scorings, {} bytes, the same on both databases", bytes.len(), bytes.iter().map(String::len).sum::<usize>());
}

/// Every run read again with the collector file kept with it: readings that are the same, and all of them.
async fn replayed(installation: &Installation, runs: &[Ran]) -> (usize, usize) {
    let (mut n_same, mut n_all) = (0, 0);
    for ran in runs {
        let row = installation.db.run(&ran.run).await.expect("the database answers").expect("the run");
        let spec = installation.db.spec(&row.spec).await.expect("the database answers").expect("the file of then");
        let loaded = LoadedCollector::parse(&format!("{}.toml", ran.run.collector), &spec).expect("it was loaded then");
        let again = replay(&installation.place(), &loaded, &ran.run).await.expect("the evidence is there");
        assert!(again.iter().all(|replayed| replayed.then == replayed.now.request.outcome), "{}", ran.run);
        let then: Vec<&Reading> = ran.requests.iter().flat_map(|record| &record.readings).collect();
        let now: Vec<&Reading> = readings(&again).collect();
        let differences = compare(then.iter().copied(), now.iter().copied());
        assert_eq!(differences, [], "{}", ran.run);
        // Both are in the order of the answer; place and text must be the same too.
        n_same += then.iter().zip(&now).filter(|(then, now)| then == now).count();
        n_all += then.len();
    }
    (n_same, n_all)
}

fn readings(replayed: &[Replayed]) -> impl Iterator<Item = &Reading> {
    replayed.iter().flat_map(|replayed| &replayed.now.readings)
}

#[tokio::test]
async fn a_repaired_collector_reads_what_the_broken_one_missed() {
    let name = "a_repaired_collector_reads_what_the_broken_one_missed";
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let figures = figures(&shipped, 268, day("2026-10-08"));
    let right = &shipped.collectors["npsp-progress"];
    let broken = right.text.replace("\"$.totalOnTime\"", "\"$.totalOnTimely\"");
    assert_ne!(broken, right.text);
    on_both(name, async |db| {
        let broken = vec![("collectors/npsp-progress.toml".to_owned(), broken.clone())];
        let mut installation = installation(&db, &figures, broken);
        let runs = collect(&mut installation, figures.clone(), &["npsp-progress"], FIRST).await;
        let [ran] = &runs[..] else { panic!("one run") };
        assert_eq!(ran.state, RunState::Quarantined, "a broken path is drift, not a smaller answer");
        assert_eq!(installation.known(ts(LATER)).await, []);

        let again = replay(&installation.place(), right, &ran.run).await.expect("the evidence is there");
        let outcomes: Vec<_> = again.iter().map(|replayed| (replayed.then, replayed.now.request.outcome)).collect();
        assert_eq!(outcomes, [(RequestOutcome::Quarantined, RequestOutcome::Recorded); 5]);
        let differences = compare(ran.requests.iter().flat_map(|record| &record.readings), readings(&again));
        let n_missed = readings(&again).filter(|reading| reading.indicator == "dossier_on_time_count").count();
        let missed = differences.iter().filter(|of| of.indicator == "dossier_on_time_count" && of.then.is_none() && of.now.is_some());
        assert_eq!((missed.count(), differences.len()), (n_missed, n_missed), "what was missed, and nothing else");
        println!("{name}: {} of {n_missed} missed readings read again", differences.len());

        let right_values = by_key(readings(&again));
        let ran = record(&installation.place(), right, again, When::Stated(ts(LATER))).await.expect("recorded");
        let (run, recorded) = (ran.run, ran.recorded);
        let row = installation.db.run(&run).await.expect("the database answers").expect("the run");
        assert_eq!((row.trigger, row.state), (Trigger::Replay, RunState::Recorded));
        assert_eq!(recorded, Recorded { observations_new: right_values.len(), ..Recorded::default() });
        let known = installation.known(ts(LATER)).await;
        let of_known: BTreeMap<_, _> =
            known.iter().map(|seen| ((seen.indicator.clone(), seen.unit.clone(), seen.item.clone(), seen.period), seen.value)).collect();
        assert!(of_known == right_values && known.iter().all(|seen| seen.recorded_at == ts(LATER) && seen.run == run));
        println!("{name}: {} of {} values recorded from the old evidence", of_known.len(), right_values.len());
        assert!(installation.known(ts(FIRST)).await.is_empty(), "we did not know it then");
        assert!(of_known.values().any(|value| *value != Value::Number(Exact::ZERO)));
        of_known
    })
    .await;
}

#[tokio::test]
async fn old_evidence_undoes_no_newer_value() {
    let name = "old_evidence_undoes_no_newer_value";
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let of_first = figures(&shipped, 268, day("2026-10-08"));
    let of_later = figures(&shipped, 269, day("2026-10-09")).with_known_codes(&of_first.code_map());
    let right = &shipped.collectors["npsp-progress"];
    let broken = right.text.replace("\"$.totalOnTime\"", "\"$.totalOnTimely\"");
    on_both(name, async |db| {
        // The first day was missed, the second collected with the repaired file; then somebody replays the first.
        let mut then = installation(&db, &of_first, vec![("collectors/npsp-progress.toml".to_owned(), broken.clone())]);
        let runs = collect(&mut then, of_first.clone(), &["npsp-progress"], FIRST).await;
        let mut repaired = installation(&db, &of_first, Vec::new());
        collect(&mut repaired, of_later.clone(), &["npsp-progress"], LATER).await;
        let newest = repaired.known(ts("2026-10-11T00:00:00Z")).await;

        let again = replay(&then.place(), right, &runs[0].run).await.expect("the evidence is there");
        let n_read = readings(&again).count();
        let ran = record(&then.place(), right, again, When::Stated(ts("2026-10-10T00:00:00Z"))).await.expect("recorded");
        let known = repaired.known(ts("2026-10-11T00:00:00Z")).await;
        let n_same = known.iter().zip(&newest).filter(|(now, before)| now == before).count();
        println!("{name}: {n_same} of {} values as before, {n_read} old readings left out", known.len());
        assert!(known == newest);
        let recorded = ran.recorded;
        assert_eq!((recorded.observations_new, recorded.observations_restated), (0, 0));
        assert_eq!(recorded.superseded + recorded.observations_unchanged, n_read);
        assert!(recorded.superseded > 1000, "most values differ between the days: {recorded:?}");
        n_read
    })
    .await;
}

/// Indicator, unit, item, period.
type Key = (String, String, String, Period);

fn by_key<'a>(readings: impl Iterator<Item = &'a Reading>) -> BTreeMap<Key, Value> {
    readings.map(|of| ((of.indicator.clone(), of.unit.clone(), of.item.clone(), of.period), of.value)).collect()
}
