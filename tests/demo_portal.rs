//! The demonstration province over HTTP: the shapes of the real answers, and every path of the shipped collectors in them.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde_json::{Value, json};
use thuocdo::collect::collector::{Collector, From, Source};
use thuocdo::collect::gate::{Complete, Gate, SumsTo, Whole};
use thuocdo::collect::template::{Escape, Filling};
use thuocdo::demo::{Figures, Portal, Recorded, SIMULATED, serve, serve_recorded};
use thuocdo::model::{Period, Scope, Unit, UnitGroup};

const COLLECTORS: [&str; 7] =
    ["npsp-service-results", "npsp-transparency", "npsp-progress", "npsp-online", "npsp-payment", "npsp-digitised", "npsp-satisfaction"];

fn unit(id: String, unit_group: UnitGroup, parent: Option<&str>) -> Unit {
    Unit {
        code: id.clone(),
        name: format!("Đơn vị {id}"),
        id,
        unit_group,
        kind: String::new(),
        parent: parent.map(str::to_owned),
        valid_from: None,
        valid_to: None,
        decision: String::new(),
    }
}

fn figures() -> Figures {
    figures_on("2026-09-26")
}

/// 34 provinces; 16 departments and 54 communes of H49; on a day.
fn figures_on(day: &str) -> Figures {
    let mut units: Vec<Unit> = (30..64).map(|n| unit(format!("H{n}"), UnitGroup::Province, None)).collect();
    units.extend((0..16).map(|n| unit(format!("so-{n}"), UnitGroup::Department, Some("H49"))));
    units.extend((0..54).map(|n| unit(format!("xa-{n}"), UnitGroup::Commune, Some("H49"))));
    let as_of: NaiveDate = day.parse().expect("a day of the test");
    Figures::new(2026, "H49", &units, as_of).expect("H49 is among the units")
}

fn client() -> reqwest::Client {
    // A second test of this process finds the provider installed.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn collector(id: &str) -> Collector {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("collectors").join(format!("{id}.toml"));
    toml::from_str(&std::fs::read_to_string(path).expect("a shipped file")).expect("a collector")
}

fn scope(period: &str, province: &[(&str, &str)]) -> Scope {
    Scope {
        due: "2026-09-26T11:21:36Z".parse().expect("an instant"),
        period: Some(period.parse::<Period>().expect("a period")),
        unit: None,
        portal: None,
        province: province.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

/// The request of a shipped JSON collector, sent to another host, and the answer.
async fn ask(base: &str, collector: &Collector, scope: &Scope) -> (u16, String, String) {
    let Source::Http(http) = &collector.source else { panic!("an http collector") };
    let filling = Filling { scope, unit: None, portal: None, code_of: &|_| None, zone: collector.schedule.timezone.0 };
    let url = http.url.get_ref().fill(&filling, Escape::Url).expect("filled").expect("a URL");
    let url = url.replace("https://dichvucong.gov.vn", base);
    let request = match (&http.json, &http.form) {
        (Some(body), _) => {
            let body = body.fill(&filling).expect("filled").expect("a body");
            client().post(url).header("content-type", "application/json").body(body.to_string())
        }
        (None, Some(form)) => {
            let thuocdo::collect::collector::FormField::Json(params) = &form["params"] else { panic!("JSON in one field") };
            let params = params.fill(&filling).expect("filled").expect("params");
            client().post(url).form(&[("params", params.to_string())])
        }
        (None, None) => client().get(url),
    };
    let answer = request.send().await.expect("an answer");
    let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), content_type, answer.text().await.expect("a body"))
}

/// Every path that the collector reads is there once in every row, unless it says that it may be absent; the number of rows.
fn assert_paths(collector: &Collector, answer: &Value) -> usize {
    let path = |text: &str| serde_json_path::JsonPath::parse(text).expect("a path");
    let mut n_rows = 0;
    for rows in &collector.rows {
        let From::Json(from) = rows.from.get_ref() else { panic!("JSON rows") };
        for row in from.0.iter().flat_map(|from| from.path.query(answer)) {
            n_rows += 1;
            let unit = rows.unit_value().expect("a place of the unit").get_ref();
            assert_eq!(path(unit).query(row).len(), 1, "{unit}");
            for read in rows.read.iter().filter(|read| !read.optional) {
                let value = read.value.get_ref();
                assert_eq!(path(value).query(row).len(), 1, "{}: {value}", collector.id.get_ref());
            }
        }
    }
    n_rows
}

/// Whether the stated totals and the sums that the collector's gates name hold in the answer.
fn proven_whole(collector: &Collector, answer: &Value) -> bool {
    let nodes = |text: &str| serde_json_path::JsonPath::parse(text).expect("a path").query(answer).all();
    let sum = |text: &str| nodes(text).into_iter().map(|node| node.as_u64().expect("a count")).sum::<u64>();
    collector.gate.iter().all(|gate| match gate.get_ref() {
        Gate::SumsTo(SumsTo { parts, whole, .. }) => match whole.get_ref() {
            Whole::Place(whole) => sum(parts.get_ref()) == sum(whole),
            Whole::Skipped(_) => true,
        },
        Gate::Complete(Complete { total, rows: Some(rows), .. }) => sum(total.get_ref()) == nodes(rows.get_ref()).len() as u64,
        _ => true,
    })
}

async fn started() -> (Portal, Vec<(String, String)>) {
    let figures = figures();
    let province = vec![("npsp".to_owned(), figures.root_id().to_owned()), ("npsp_2025".to_owned(), figures.legacy_root_id().to_owned())];
    (serve(figures).await.expect("a free port"), province)
}

#[tokio::test]
async fn shipped_collectors_find_every_path_in_the_seeded_answers() {
    let (portal, province) = started().await;
    let province: Vec<(&str, &str)> = province.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    for (id, n_rows) in COLLECTORS.into_iter().zip([34, 70, 71, 71, 71, 71, 71]) {
        let collector = collector(id);
        // The table of provinces is asked by year alone.
        let periods = if id == "npsp-service-results" { &["2026"][..] } else { &["2026", "2026-Q3", "2026-08"] };
        for period in periods {
            let (status, content_type, body) = ask(&portal.url(), &collector, &scope(period, &province)).await;
            assert_eq!((status, content_type.as_str()), (201, "application/json; charset=utf-8"), "{id}: {body}");
            assert!(body.contains(SIMULATED), "{id}");
            assert_eq!(assert_paths(&collector, &serde_json::from_str(&body).expect("JSON")), n_rows, "{id} {period}");
        }
    }
    for (id, n_rows) in [("npsp-2025", 34), ("npsp-2025-units", 70)] {
        let (status, _, body) = ask(&portal.url(), &collector(id), &scope("2025-10", &province)).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, assert_paths(&collector(id), &answer)), (200, n_rows), "{id}");
        assert!(
            answer.as_array().expect("rows").iter().flat_map(|row| row.as_object().expect("a row")).all(|(_, value)| value.is_string())
        );
    }
    portal.stop().await.expect("stopped");
}

#[tokio::test]
async fn totals_of_the_answers_agree_with_their_parts() {
    let (portal, province) = started().await;
    let province: Vec<(&str, &str)> = province.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut answers = Vec::new();
    for id in COLLECTORS {
        let (_, _, body) = ask(&portal.url(), &collector(id), &scope("2026", &province)).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert!(proven_whole(&collector(id), &answer), "{id}");
        answers.push(answer);
    }
    let [national, transparency, progress, online, payment, digitised, satisfaction] = answers.try_into().expect("seven answers");
    // What the province's own endpoints say is what the national table says of it.
    let own = national["data"]["evaluation"].as_array().expect("rows").iter().find(|row| row["departmentCode"] == "H49");
    let groups = &own.expect("the province's row")["groupScores"];
    for (code, total) in [
        ("CKMB", &transparency["data"]["overview"]["totalScore"]),
        ("TDGQ", &progress["data"]["parent"]["totalScore"]),
        ("CLGQ", &online["data"]["parent"]["totalScore"]),
        ("TTTT", &payment["data"]["parent"]["totalScore"]),
        ("MDSH", &digitised["data"]["overview"]["totalScore"]),
        ("MDHL", &satisfaction["data"]["overview"]["totalScore"]),
    ] {
        assert_eq!(&groups[code], total, "{code}");
    }
}

/// Dossiers of the province to a day by period, after the bodies' were found to add up to them.
async fn received(day: &str, periods: [&str; 3]) -> [u64; 3] {
    let figures = figures_on(day);
    let root = figures.root_id().to_owned();
    let portal = serve(figures).await.expect("a free port");
    let mut received = [0; 3];
    for (received, period) in received.iter_mut().zip(periods) {
        let (_, _, body) = ask(&portal.url(), &collector("npsp-progress"), &scope(period, &[("npsp", &root)])).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let of = |row: &Value| row["totalReceived"].as_u64().expect("a count");
        let children = answer["data"]["children"].as_array().expect("rows");
        *received = children.iter().map(of).sum();
        assert_eq!(of(&answer["data"]["parent"]), *received, "{day} {period}");
    }
    portal.stop().await.expect("stopped");
    received
}

#[tokio::test]
async fn periods_of_one_day_agree() {
    // The first day of the year is all there is of each.
    let [month, quarter, year] = received("2026-01-01", ["2026-01", "2026-Q1", "2026"]).await;
    assert!(month > 0 && month == quarter && quarter == year, "{month}, {quarter}, {year}");
    let [august, quarter, year] = received("2026-09-26", ["2026-08", "2026-Q3", "2026"]).await;
    assert!(august < quarter && quarter < year, "{august}, {quarter}, {year}");
    // Eight days of October: the quarter has no more, the year has nine months before them.
    let [month, quarter, later] = received("2026-10-08", ["2026-10", "2026-Q4", "2026"]).await;
    assert!(month == quarter && 9 * quarter < later && year < later, "{month}, {quarter}, {later}");
    assert_eq!(received("2026-10-08", ["2026-08", "2026-11", "2027"]).await, [august, 0, 0], "closed, and to come");
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let (portal, _) = started().await;
    let evaluation = format!("{}/api/v1/reporting/evaluation", portal.url());
    let year = json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "another" });
    for (url, body, want) in [
        (format!("{evaluation}/dvc-progress-tree"), year.to_string(), (404, "NOT_FOUND")),
        (format!("{evaluation}/other"), year.to_string(), (404, "NOT_FOUND")),
        (format!("{}/elsewhere", portal.url()), year.to_string(), (404, "NOT_FOUND")),
        (format!("{evaluation}/dvc-progress-tree"), "{".to_owned(), (400, "BAD_REQUEST")),
        (format!("{evaluation}/handling-satisfaction"), year.to_string(), (400, "BAD_REQUEST")),
    ] {
        let answer = client().post(&url).body(body).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let answer: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        assert_eq!((status, answer["code"].as_str()), (want.0, Some(want.1)), "{url}");
    }
}

#[tokio::test]
async fn the_statistics_page_has_the_template_s_table() {
    let (portal, _) = started().await;
    let collector = collector("documents");
    let scope = scope("2026-08", &[("documents", &portal.url())]);
    let (status, content_type, page) = ask("", &collector, &scope).await;
    assert_eq!((status, content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains(SIMULATED) && page.contains("Từ ngày 01/08/2026 đến ngày 31/08/2026"), "{page}");
    assert!(page.contains("Số liệu tính đến ngày 26/09/2026"));
    let page = scraper::Html::parse_document(&page);
    let texts = |css: &str| -> Vec<String> {
        let css = scraper::Selector::parse(css).expect("a selector");
        page.select(&css).map(|element| element.text().collect()).collect()
    };
    let headings = texts("table#thong-ke th");
    let gate = collector.gate.iter().find_map(|gate| match gate.get_ref() {
        Gate::Header(header) => Some(header.is.get_ref()),
        _ => None,
    });
    assert_eq!(Some(&headings), gate);
    assert!(collector.rows[0].columns.values().all(|heading| headings.contains(heading.get_ref())));
    // 70 bodies, the total and two subtotals.
    assert_eq!(texts("table#thong-ke tbody tr").len(), 73);
    let outgoing: Vec<u64> =
        texts("table#thong-ke tbody td:nth-child(4)").iter().map(|n| n.replace('.', "").parse().expect("a count")).collect();
    assert_eq!(outgoing.iter().sum::<u64>(), 3 * outgoing[0], "the total once, and once more in bodies and in subtotals");
}

/// The data folder, or a line that names the skipped test.
fn real_data(test: &str) -> Option<PathBuf> {
    let data = std::env::var_os("THUOCDO_REAL_DATA");
    if data.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    data.map(PathBuf::from)
}

#[tokio::test]
async fn shipped_collectors_find_every_path_in_the_recorded_answers() {
    let Some(data) = real_data("shipped_collectors_find_every_path_in_the_recorded_answers") else { return };
    let recorded = Recorded::open(&data.join("npsp-766-2026")).expect("the recorded answers");
    let [root] = <[String; 1]>::try_from(recorded.roots()).expect("one province");
    let portal = serve_recorded(recorded).await.expect("a free port");
    // Two are whole; the excerpts are refused by what their gates add up or compare.
    for (id, period, n_rows, whole) in [
        ("npsp-transparency", "2026-08", 15, false),
        ("npsp-progress", "2026", 164, true),
        ("npsp-online", "2026", 164, true),
        ("npsp-payment", "2026", 5, false),
        ("npsp-digitised", "2026", 5, false),
        ("npsp-satisfaction", "2026", 5, false),
    ] {
        let collector = collector(id);
        let (status, content_type, body) = ask(&portal.url(), &collector, &scope(period, &[("npsp", &root)])).await;
        assert_eq!((status, content_type.as_str()), (201, "application/json; charset=utf-8"), "{id}: {body}");
        let answer = serde_json::from_str(&body).expect("JSON");
        assert_eq!((assert_paths(&collector, &answer), proven_whole(&collector, &answer)), (n_rows, whole), "{id}");
    }
    let (status, _, body) = ask(&portal.url(), &collector("npsp-progress"), &scope("2025", &[("npsp", &root)])).await;
    assert_eq!((status, body.contains("NOT_RECORDED")), (404, true));
}

/// Keys of a row, in order, with those of its first metric.
fn keys(row: &Value) -> Vec<String> {
    let own = row.as_object().expect("a row").keys().cloned();
    let metric = row["metrics"][0].as_object().into_iter().flat_map(|metric| metric.keys().cloned());
    own.chain(metric).collect()
}

#[tokio::test]
async fn seeded_answers_have_the_keys_of_the_recorded_ones_in_their_order() {
    let Some(data) = real_data("seeded_answers_have_the_keys_of_the_recorded_ones_in_their_order") else { return };
    let (portal, province) = started().await;
    let province: Vec<(&str, &str)> = province.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    for (id, file, places) in [
        ("npsp-progress", "raw-phu-tho/dvc-progress-tree.year-2026-all.json", ["/data/parent", "/data/children/1"]),
        ("npsp-online", "raw-phu-tho/provide-online-tree.year-2026-all.json", ["/data/parent", "/data/children/1"]),
        (
            "npsp-payment",
            "raw-phu-tho/formality-online-payment-tree.year-2026-all.EXCERPT-4-of-163.json",
            ["/data/parent", "/data/children/1"],
        ),
        ("npsp-digitised", "raw-phu-tho/dossier-digitized.year-2026-all.EXCERPT-4-of-163.json", ["/data/overview", "/data/evaluation/1"]),
        (
            "npsp-satisfaction",
            "raw-phu-tho/handling-satisfaction.year-2026-all.EXCERPT-4-of-163.json",
            ["/data/overview", "/data/evaluation/1"],
        ),
        (
            "npsp-transparency",
            "raw-phu-tho/transparency.month-2026-08-all.TRUNCATED-14-of-163.json",
            ["/data/overview", "/data/evaluation/1"],
        ),
        (
            "npsp-service-results",
            "daily-provinces/service-results.year-2026.RECONSTRUCTED.2026-10-06.json",
            ["/data/overview", "/data/evaluation/1"],
        ),
    ] {
        let real: Value = serde_json::from_slice(&std::fs::read(data.join("npsp-766-2026").join(file)).expect("a body")).expect("JSON");
        let (_, _, body) = ask(&portal.url(), &collector(id), &scope("2026", &province)).await;
        let seeded: Value = serde_json::from_str(&body).expect("JSON");
        for place in ["/data"].into_iter().chain(places) {
            let of = |answer: &Value| keys(answer.pointer(place).expect("a place"));
            assert_eq!(of(&seeded), of(&real), "{id} {place}");
        }
        assert_eq!(
            seeded.pointer("/data/monthlyChart/0").map(keys),
            real.pointer("/data/monthlyChart/0").map(keys),
            "{id}: the chart beside the tree"
        );
    }
}
