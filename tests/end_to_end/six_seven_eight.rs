//! The national table on three days of October 2026: nothing moved on the second, everything on the third.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use thuocdo::demo::{Recorded, serve_recorded};
use thuocdo::model::{Exact, Observation, RunState, Ts, Value};
use thuocdo::score::ScoreRun;

use crate::installation::Installation;
use crate::recordings::{Capture, write_folder};
use crate::tally::Tally;
use crate::{on_both, period, real_data, ts};

const COLLECTOR: &str = "npsp-service-results";
/// The days, and when the collector is due on them.
const DAYS: [(&str, &str); 3] =
    [("06", "2026-10-06T06:20:00+07:00"), ("07", "2026-10-07T06:20:00+07:00"), ("08", "2026-10-08T06:20:00+07:00")];
const GROUPS: [&str; 6] = ["CKMB", "TDGQ", "CLGQ", "TTTT", "MDSH", "MDHL"];

fn answer(folder: &Path, day: &str) -> Vec<u8> {
    let file = format!("npsp-766-2026/daily-provinces/service-results.year-2026.RECONSTRUCTED.2026-10-{day}.json");
    std::fs::read(folder.join(file)).expect("an answer")
}

/// Name of the province and item → figure, as the answer of a day has them.
fn figures(folder: &Path, day: &str) -> BTreeMap<(String, String), Exact> {
    let body: Json = serde_json::from_slice(&answer(folder, day)).expect("JSON");
    let number = |value: &Json| value.to_string().parse::<Exact>().expect("a number");
    let rows = body["data"]["evaluation"].as_array().expect("rows").clone();
    let of_row = |row: Json| {
        let id = row["departmentId"].as_str().expect("an id").to_owned();
        let groups = GROUPS.iter().map(|group| (*group, number(&row["groupScores"][group]))).collect::<Vec<_>>();
        let all = groups.into_iter().chain([("TOTAL", number(&row["totalScore"]))]).collect::<Vec<_>>();
        all.into_iter().map(move |(item, figure)| ((id.clone(), item.to_owned()), figure))
    };
    rows.into_iter().flat_map(of_row).collect()
}

/// Runs the shipped collector against a portal that gives the answer of this day.
async fn collect(installation: &mut Installation, folder: &Path, day: &str, at: Ts) -> (usize, usize, usize) {
    let recorded = installation.folder().join(day);
    let request = json!({ "timeType": "year", "year": 2026, "departmentType": "ADMINISTRATIVE_UNIT" });
    let (file, captured_at) = ("answer.json".to_owned(), "2026-10-06T00:00:00Z");
    write_folder(&recorded, &[Capture { file, endpoint: "service-results", request, captured_at, body: answer(folder, day) }]);
    let portal = serve_recorded(Recorded::open(&recorded).expect("a folder of bodies")).await.expect("a free port");
    installation.ask_instead(portal.url());
    let ran = installation.run(COLLECTOR, at).await;
    portal.stop().await.expect("stopped");
    assert_eq!(ran.state, RunState::Recorded, "{day}: {:?}", ran.requests);
    let n = ran.recorded;
    (n.observations_new, n.observations_restated, n.observations_unchanged)
}

fn versions(known: &[Observation]) -> Vec<(String, String, Value, Ts)> {
    known.iter().map(|seen| (seen.unit.clone(), seen.item.clone(), seen.value, seen.recorded_at)).collect()
}

#[tokio::test]
async fn three_days_of_the_national_table() {
    let name = "three_days_of_the_national_table";
    let Some(folder) = real_data(name) else { return };
    let days = DAYS.map(|(day, _)| figures(&folder, day));
    let n_all = days[0].len();
    let moved = |a: usize, b: usize| days[a].iter().filter(|(key, figure)| days[b][*key] != **figure).count();
    assert_eq!((n_all, moved(0, 1)), (34 * 7, 0));
    let n_moved = moved(1, 2);
    println!("{name}: 0 of {n_all} figures moved from 6 to 7 October, {n_moved} of {n_all} from 7 to 8");
    on_both(name, async |db| {
        let mut installation = Installation::new(&db, []);
        let instants = DAYS.map(|(_, at)| ts(at));
        let mut known = Vec::new();
        for ((day, _), (at, right)) in
            DAYS.into_iter().zip(instants.into_iter().zip([(n_all, 0, 0), (0, 0, n_all), (0, n_moved, n_all - n_moved)]))
        {
            assert_eq!(collect(&mut installation, &folder, day, at).await, right, "{day}: new, restated, unchanged");
            known.push(installation.known(just_after(at)).await);
        }
        assert_eq!(versions(&known[0]), versions(&known[1]), "7 October adds no version");
        let checked = |at: usize| known[at].iter().filter(|seen| seen.last_checked >= instants[at]).count();
        println!("{name}: last checked on the day: {} of {n_all}, {} of {n_all}, {} of {n_all}", checked(0), checked(1), checked(2));
        assert_eq!([checked(0), checked(1), checked(2)], [n_all; 3]);
        let first_known = known[1].iter().filter(|seen| seen.recorded_at == instants[0]).count();
        assert_eq!(first_known, n_all);
        published(&installation, &folder).await;
        known.iter().map(|known| versions(known)).collect::<Vec<_>>()
    })
    .await;
}

/// A request takes a moment, which its check carries.
fn just_after(at: Ts) -> Ts {
    Ts::from_micros(at.micros() + 60_000_000).expect("an instant of the test")
}

/// Totals, seven places a row and the national mean of each day, from what was known on it.
async fn published(installation: &Installation, folder: &Path) {
    let mut totals = Tally::new("three days collected: totals as published");
    let mut places = Tally::new("three days collected: places as published, seven per row");
    let mut means = Tally::new("three days collected: national mean and five spokes");
    for (day, at) in DAYS {
        let body = crate::json(&folder.join(format!("npsp-766-2026/daily-provinces/provinces-2026-10-{day}.json")));
        let compare = |run: &ScoreRun<'_>| {
            for row in body["provinces"].as_array().expect("rows") {
                let code = row["departmentCode"].as_str().expect("a code");
                let sheet = run.sheets.iter().find(|sheet| sheet.unit == code).expect("a sheet");
                totals.same(|| format!("{day} {code}"), sheet.total.known(), exact(&row["totalScore"]));
                places.same(|| format!("{day} {code}"), sheet.rank.map(u64::from), row["rank"].as_u64());
                for group in &sheet.groups {
                    let right = row[format!("rank_{}", group.group)].as_u64();
                    places.same(|| format!("{day} {code} {}", group.group), group.rank.map(u64::from), right);
                }
            }
            let mean = run.mean.as_ref().expect("the set asks for a mean");
            means.same(|| format!("{day} mean"), mean.total, exact(&body["overview"]["totalScore"]));
            for spoke in body["radar"].as_array().expect("spokes") {
                let code = spoke["code"].as_str().expect("a code");
                let parts: &[&str] = if code == "ONLINE_SERVICE" { &["CLGQ", "TTTT"] } else { &[code] };
                let ours = mean.groups.iter().filter(|group| parts.contains(&group.group)).map(|group| group.points);
                means.same(|| format!("{day} {code}"), Exact::sum(ours).ok(), exact(&spoke["score"]));
            }
        };
        installation.scored("qd766-published", None, period("2026"), ts(at), compare).await;
    }
    totals.close(3 * 34);
    places.close(3 * 34 * 7);
    means.close(3 * 6);
}

fn exact(value: &Json) -> Option<Exact> {
    value.to_string().parse().ok()
}
