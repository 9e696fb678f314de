//! Pages: what they say in both languages, what they refuse, and that nothing from outside runs in them.

use thuocdo::model::{
    Finding, GateOutcome, GateResult, Reading, Reason, Request, RequestOutcome, RunId, RunState, Scope, Sha256, Trigger, Ts, Value,
};
use thuocdo::store::{KnownSince, RequestRecord, RunRecord, Terms};

use crate::world::{Answer, World};

const CSP: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn year() -> String {
    Ts::now().utc().format("%Y").to_string()
}

/// A page with everything that every page has.
fn check(page: &Answer, status: u16, lang: &str, texts: &[&str]) {
    assert_eq!(page.status, status, "{}", page.text);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!((page.header("content-security-policy"), page.header("x-content-type-options")), (CSP, "nosniff"));
    assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("no-referrer", "no-store"));
    assert!(page.text.contains(&format!("<html lang=\"{lang}\">")) && !page.text.contains("<script") && !page.text.contains("style="));
    assert!(page.text.contains("số liệu mô phỏng") && !page.text.contains("mô phỏng <b>"), "the note, escaped");
    for text in texts {
        assert!(page.text.contains(text), "{text:?} is not in {}", page.text);
    }
}

#[tokio::test]
async fn pages_in_both_languages() {
    let world = World::collected().await;
    assert!(world.ran.iter().all(|ran| ran.state == RunState::Recorded), "{:?}", world.ran);
    let (run, year) = (world.ran[0].run.to_string(), year());
    let n_all = world.service.live().catalogue.collectors.len();
    let commune = unit_of(&world, &year).await;
    let scores = format!("/scores/qd766-2026/{year}");
    for (address, vi, en) in [
        (
            "/",
            vec![format!("3 trên {n_all} nguồn đang tốt"), "Kiểm tra lần cuối".into()],
            vec![format!("3 of {n_all} sources are well"), "Last checked".into()],
        ),
        ("/sources/npsp-progress", vec!["Đã ghi nhận".into(), "Theo lịch".into(), run.clone()], vec!["Recorded".into(), "Schedule".into()]),
        (
            &*format!("/runs/{run}"),
            vec!["id=\"request-1\"".into(), "còn lại".into()],
            vec!["not shown".into(), "dossier_on_time_count".into()],
        ),
        ("/scores", vec![scores.clone(), "Quyết định 766".into()], vec![format!("{scores}?lang=en")]),
        (&*scores, vec!["Xã, phường, đặc khu".into(), "tạm tính".into()], vec!["Communes".into(), "provisional".into()]),
        (
            &*format!("{scores}/{commune}"),
            vec!["minh chứng".into(), "tử số".into(), "Căn cứ".into()],
            vec!["numerator".into(), "Basis".into()],
        ),
    ] {
        let page = world.get(address).await;
        check(&page, 200, "vi", &vi.iter().map(String::as_str).collect::<Vec<_>>());
        let page = world.get(&format!("{address}?lang=en")).await;
        check(&page, 200, "en", &en.iter().map(String::as_str).collect::<Vec<_>>());
        links_work(&world, &page).await;
    }
    world.stop().await;
}

/// Every link of a page leads somewhere and keeps the language; of many alike a few are followed.
async fn links_work(world: &World, page: &Answer) {
    let links: Vec<String> = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(unescaped).collect();
    assert!(links.len() > 4);
    for link in links.iter().take(25).filter(|link| link.starts_with('/')) {
        let answer = world.get(link).await;
        assert_eq!(answer.status, 200, "{link}");
    }
}

fn unescaped(link: &str) -> String {
    link.replace("&#38;", "&").replace("&amp;", "&")
}

/// The first commune with a complete line.
async fn unit_of(world: &World, year: &str) -> String {
    let run = world.get(&format!("/api/v1/scores?set=qd766-2026&period={year}")).await.json();
    let sheets = run["sheets"].as_array().expect("sheets");
    let sheet = sheets.iter().find(|sheet| sheet["unit_group"] == "commune").expect("a commune");
    sheet["unit"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn what_is_not_there_is_said_in_both_languages() {
    let world = World::empty().await;
    for (address, status, vi, en) in [
        ("/nothing", 404, "Không có trang này.", "There is no such page."),
        ("/sources/nothing", 404, "Không có nguồn", "There is no source"),
        ("/runs/nothing", 400, "không phải lượt thu", "is not a run"),
        ("/runs/npsp-progress@2020-01-01T00:00:00Z", 404, "Không có lượt thu", "There is no run"),
        ("/evidence/abc", 400, "không phải SHA-256", "is no SHA-256"),
        (&*format!("/evidence/{}", "0".repeat(64)), 404, "không có minh chứng", "has no evidence"),
        ("/scores/nothing/2026", 404, "Không có bộ tiêu chí", "there are qd766-2026"),
        ("/scores/qd766-2026/26", 400, "không phải là kỳ", "is not a period"),
        ("/scores/qd766-2026/2020", 404, "không có hiệu lực", "is not in force"),
        (&*format!("/scores/qd766-2026/{}/nobody", year()), 404, "không chấm đơn vị", "does not assess"),
    ] {
        check(&world.get(address).await, status, "vi", &[vi]);
        check(&world.get(&format!("{address}?lang=en")).await, status, "en", &[en]);
    }
    check(&world.get("/scores/qd766-2026/2026?as_of=2100-01-01T00:00:00Z").await, 400, "vi", &["ở tương lai"]);
    check(&world.ask(reqwest::Method::POST, "/", &[]).await, 405, "vi", &["phương thức"]);
    world.stop().await;
}

#[tokio::test]
async fn nothing_from_outside_runs() {
    let world = World::empty().await;
    let run = refused_with(&world, "npsp-payment", "<script>alert(1)</script> & \"quoted\"").await;
    let refused = world.get(&format!("/runs/{run}?lang=en")).await;
    check(&refused, 200, "en", &["Quarantined", "id=\"request-1\"", "Readings kept apart", "1.3 s"]);
    check(&world.get("/?lang=en").await, 200, "en", &["4 need somebody", "The answer is not as it is known"]);
    for address in ["/", "/sources/npsp-payment", &format!("/runs/{run}")] {
        let page = world.get(address).await;
        check(&page, 200, "vi", &["&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;quoted&#34;"]);
    }
    let page = world.get("/sources/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    check(&page, 404, "vi", &["&#60;script&#62;"]);
    let page = world.get("/scores/x/2026?as_of=%22%3E%3Cscript%3E&lang=en").await;
    check(&page, 404, "en", &[]);
    let kept = world.service.archive.keep("<script>alert(1)</script>".as_bytes()).expect("kept");
    let page = world.get(&format!("/evidence/{}", kept.sha256)).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(page.header("content-security-policy"), "sandbox; default-src 'none'; frame-ancestors 'none'");
    assert_eq!((page.header("x-content-type-options"), page.text.as_str()), ("nosniff", "<script>alert(1)</script>"));
    let kept = world.service.archive.keep(&[0x50, 0x4b, 3, 4, 0xff, 0]).expect("kept");
    let page = world.get(&format!("/evidence/{}", kept.sha256)).await;
    assert_eq!((page.status, page.header("content-type")), (200, "application/octet-stream"));
    assert!(page.header("content-disposition").starts_with("attachment"));
    std::fs::write(world.service.archive.path(&kept.sha256), b"not what it was").expect("written");
    assert_eq!(world.get(&format!("/evidence/{}", kept.sha256)).await.status, 500);
    world.stop().await;
}

/// A run whose one answer was refused, with this text wherever a source can put text.
async fn refused_with(world: &World, collector: &str, text: &str) -> RunId {
    let (now, sha, said) = (Ts::now(), Sha256::of(b"spec"), || text.to_owned());
    let run = RunId { collector: collector.to_owned(), due_at: now };
    let terms = Terms { owner: "test", now, until: now.plus(std::time::Duration::from_secs(60)), spec: (&sha, Some("spec")) };
    let claim = world.service.db.claim_run(&run, Trigger::Schedule, &terms).await.expect("an answer").expect("a claim");
    let request = Request {
        no: 1,
        scope: Scope { due: now, period: None, unit: Some(said()), portal: None, province: [].into() },
        method: "GET".to_owned(),
        url: said(),
        body: said(),
        at: now,
        elapsed_micros: 1_250_000,
        status: Some(200),
        content_type: said(),
        evidence: None,
        size_bytes: 7,
        outcome: RequestOutcome::Quarantined,
        reason: Some(Reason::ShapeChanged),
        error: said(),
    };
    let reading = Reading {
        indicator: said(),
        unit: said(),
        item: said(),
        period: "2026".parse().expect("a period"),
        value: Value::Missing,
        flag: said(),
        place: said(),
        text: said(),
    };
    let record = RequestRecord {
        request,
        findings: vec![Finding::quarantine(Reason::ShapeChanged, said(), said())],
        gates: vec![GateResult { gate: said(), outcome: GateOutcome::Failed, detail: said() }],
        readings: vec![reading],
        shapes: Vec::new(),
    };
    let (state, reason) = (RunState::Quarantined, Some(Reason::ShapeChanged));
    let record = RunRecord { started_at: now, ended_at: now, state, retry_at: None, reason, error: said(), requests: vec![record] };
    world.service.db.record_run(&claim, &record, KnownSince::Clock(now)).await.expect("recorded");
    run
}
