//! What is done on every start and on every answer: checking all shipped files, reading an answer of 164 rows.

use divan::Bencher;
use thuocdo::catalogue::{Catalogue, Files, LoadedCollector};
use thuocdo::collect::extract::{Context, extract, parse};
use thuocdo::model::{Period, Scope};

fn main() {
    divan::main();
}

/// `check` of all shipped files: registry, collectors, criteria (the target is 150 ms).
#[divan::bench]
fn load_all_shipped_files() -> usize {
    let (catalogue, problems) = Catalogue::load(&Files::embedded());
    assert!(problems.is_empty(), "{problems:?}");
    catalogue.collectors.len()
}

/// A province and 163 bodies as the progress endpoint gives them, through the shipped collector.
#[divan::bench]
fn read_164_rows(bencher: Bencher) {
    let (catalogue, _) = Catalogue::load(&Files::embedded());
    let loaded = &catalogue.collectors["npsp-progress"];
    let body = body();
    bencher.bench_local(|| readings(&catalogue, loaded, &body));
}

fn readings(catalogue: &Catalogue, loaded: &LoadedCollector, body: &str) -> usize {
    let scope = Scope {
        due: "2026-10-08T00:00:00Z".parse().expect("an instant"),
        period: Some("2026".parse::<Period>().expect("a period")),
        unit: None,
        portal: None,
        province: Default::default(),
    };
    let unit_of = |_: &str, code: &str, _: Period| Some(code.to_owned());
    let indicator = |id: &str| catalogue.registry.indicator(id);
    let context = Context { collector: &loaded.collector, scope: &scope, address: "", unit_of: &unit_of, indicator: &indicator };
    let document = parse(&loaded.collector.rows, body.as_bytes(), "application/json").expect("a whole answer");
    let read = extract(&document, &context);
    assert_eq!((read.readings.len(), read.findings.len()), (820, 0));
    read.readings.len()
}

fn body() -> String {
    let child = |n: usize| {
        serde_json::json!({
            "departmentId": format!("id-{n}"), "departmentName": format!("UBND xã {n}"), "departmentCode": format!("H00.{n}"), "level": "COMMUNE",
            "totalReceived": 1000 + n, "totalOnTime": 900 + n, "totalOverdue": 100, "avgProcessingDays": 3.25, "ratio": 90.1, "score": 18.02,
            "maxScore": 20, "scoreDelta": null
        })
    };
    let parent = serde_json::json!({
        "departmentId": "id", "departmentName": "UBND tỉnh", "departmentCode": "H00", "totalReceived": 176203, "totalOnTime": 159903,
        "totalCompleted": 150000, "avgProcessingDays": 4.1, "ratio": 90.75, "totalScore": 18.15, "totalMaxScore": 20
    });
    let children: Vec<_> = (0..163).map(child).collect();
    serde_json::json!({ "code": "OK", "data": { "parent": parent, "children": children }, "message": "OK" }).to_string()
}
