//! Answers that are not whole: refused by the shipped collectors, named by the gates, kept apart.

use std::path::Path;

use thuocdo::catalogue::{Catalogue, Files};
use thuocdo::demo::{Capture, Recorded, serve_recorded};
use thuocdo::model::{GateOutcome, GateResult, RequestOutcome};
use thuocdo::store::{Db, RequestRecord};

use crate::installation::Installation;
use crate::recordings::{drafted, path};
use crate::{on_both, real_data, ts};

/// Collector, endpoint, the gate that tells a part from the whole and the figures it must name,
/// rows of the excerpt with its province.
const EXCERPTS: [(&str, &str, &str, &str, usize); 4] = [
    ("npsp-digitised", "dossier-digitized", "complete $.data.pagination.total", "4 rows of 163 stated", 5),
    ("npsp-satisfaction", "handling-satisfaction", "complete $.data.pagination.total", "4 rows of 163 stated", 5),
    ("npsp-transparency", "transparency", "complete $.data.pagination.total", "14 rows of 163 stated", 15),
    (
        "npsp-payment",
        "formality-online-payment-tree",
        "sums_to $.data.children[*].totalDossierFinancialObligation",
        "the whole says 358625",
        5,
    ),
];
/// Collector, endpoint, readings of the whole body.
const WHOLE: [(&str, &str, usize); 2] = [("npsp-progress", "dvc-progress-tree", 820), ("npsp-online", "provide-online-tree", 173)];

/// Phú Thọ, with its bodies as its own whole answer names them.
fn phu_tho(db: &Db, recorded: &Recorded, url: String) -> Installation {
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let registry = drafted(&shipped.collectors["npsp-progress"], &capture(recorded, "dvc-progress-tree").bytes, "H44");
    let mut installation = Installation::new(db, registry);
    let [root] = recorded.roots().try_into().expect("one province");
    installation.settings.province.insert("unit".to_owned(), "H44".to_owned());
    installation.settings.province.insert("npsp".to_owned(), root);
    installation.ask_instead(url);
    installation
}

fn capture<'a>(recorded: &'a Recorded, endpoint: &str) -> &'a Capture {
    recorded.captures().iter().find(|capture| capture.path == path(endpoint)).expect("a recorded answer")
}

/// Runs a collector at the moment its answer was recorded; the request that got the answer.
async fn collect(installation: &Installation, capture: &Capture, collector: &str) -> RequestRecord {
    let ran = installation.run(collector, capture.captured_at).await;
    let others = ran.requests.iter().filter(|record| record.request.scope.period != capture.period);
    assert!(others.clone().all(|record| record.request.outcome == RequestOutcome::Failed), "what was not recorded gives nothing");
    let answered = ran.requests.into_iter().find(|record| record.request.scope.period == capture.period);
    answered.expect("the collector asks for the period of its answer")
}

fn failed(gates: &[GateResult]) -> Vec<&GateResult> {
    gates.iter().filter(|gate| gate.outcome == GateOutcome::Failed).collect()
}

#[tokio::test]
async fn excerpts_are_refused_and_whole_bodies_recorded() {
    let name = "excerpts_are_refused_and_whole_bodies_recorded";
    let Some(folder) = real_data(name) else { return };
    let folder = folder.join("npsp-766-2026");
    on_both(name, async |db| {
        let recorded = Recorded::open(&folder).expect("the recorded answers");
        let portal = serve_recorded(Recorded::open(&folder).expect("the recorded answers")).await.expect("a free port");
        let installation = phu_tho(&db, &recorded, portal.url());
        let mut refused = Vec::new();
        for (collector, endpoint, gate, figures, n_rows) in EXCERPTS {
            refused.push(assert_refused(&installation, &db, (collector, capture(&recorded, endpoint)), (gate, figures), n_rows).await);
        }
        println!("{name}: {} of 4 excerpts refused by {:?}", refused.len(), EXCERPTS.map(|(_, _, gate, _, _)| gate));
        assert_eq!(installation.known(ts("2026-12-31T00:00:00Z")).await, [], "nothing of an excerpt becomes an observation");
        for (collector, endpoint, n_readings) in WHOLE {
            let record = collect(&installation, capture(&recorded, endpoint), collector).await;
            assert_eq!(record.request.outcome, RequestOutcome::Recorded, "{collector}: {:?}", failed(&record.gates));
            let known = installation.known(ts("2026-12-31T00:00:00Z")).await.into_iter().filter(|seen| seen.collector == collector).count();
            println!("{name}: {collector}: {known} of {} readings recorded", record.readings.len());
            assert_eq!((record.readings.len(), known), (n_readings, n_readings));
        }
        portal.stop().await.expect("stopped");
        refused
    })
    .await;
}

/// The excerpt is quarantined, the gate names its figures, and the readings are kept apart; what the gates said.
async fn assert_refused(
    installation: &Installation,
    db: &Db,
    (collector, capture): (&str, &Capture),
    (gate, figures): (&str, &str),
    n_rows: usize,
) -> Vec<(String, String)> {
    let record = collect(installation, capture, collector).await;
    assert_eq!(record.request.outcome, RequestOutcome::Quarantined, "{collector}");
    let run = thuocdo::model::RunId { collector: collector.to_owned(), due_at: capture.captured_at };
    let stored: Vec<GateResult> = db.gate_results(&run).await.expect("the database answers").into_iter().map(|(_, gate)| gate).collect();
    let said: Vec<(String, String)> = failed(&stored).into_iter().map(|gate| (gate.gate.clone(), gate.detail.clone())).collect();
    let word = said.iter().find(|(name, _)| name == gate).unwrap_or_else(|| panic!("{collector}: {gate} did not fail: {said:?}"));
    assert!(word.1.contains(figures), "{collector}: {word:?}");
    assert!(said.iter().any(|(name, detail)| name == "covers all" && detail.starts_with(&format!("{n_rows} of 164 units"))), "{said:?}");
    let kept_apart = db.quarantined(&run).await.expect("the database answers");
    assert!(!record.readings.is_empty() && kept_apart.len() == record.readings.len(), "{collector}");
    println!("{collector}: {} of {} readings kept apart; {gate}: {}", kept_apart.len(), record.readings.len(), word.1);
    said
}

/// Collector file of a saved list: its name, where its total stands, how a row is read.
fn list(id: &str, total: &str, row: &str) -> (String, String) {
    let text = format!(
        "schema = 1\nid = {id:?}\ntitle = {{ vi = \"Danh sách\", en = \"List\" }}\nowner = \"test\"\n\
         [schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"{id}.json\"\nsettle = \"1ms\"\n\
         [[rows]]\nfrom = {{ json = \"$[*]\" }}\n{row}\n[[gate]]\ncomplete = {{ total = {total:?} }}\n"
    );
    (format!("collectors/{id}.toml"), text)
}

fn lists() -> Vec<(String, String)> {
    let procedures = "unit = { value = \"$.ISNGANHDOC\", codes = \"lists\" }\nperiod = { year = \"2025\" }\nitem = \"$.TTHC_MA\"\n\
                      [[rows.read]]\nindicator = \"tthc_public_count\"\nvalue = \"$.TOTAL_RECORDS\"";
    let decisions = "unit = { value = \"$.AGENCY_ID\", codes = \"npsp-2025-id\" }\nitem = \"$.ID\"\n\
                     period = { value = \"$.PUBLISHING_DATE\", format = \"%d-%m-%Y\" }\n\
                     [[rows.read]]\nindicator = \"tthc_public_count\"\nvalue = \"$.AMOUNT\"";
    let codes = "code,unit,valid_from,valid_to\n0,H49,,\n1,H44,,\n".to_owned();
    vec![
        list("procedures", "$[*].TOTAL_RECORDS", procedures),
        list("decisions", "$[*].AMOUNT", decisions),
        ("registry/codes/lists.csv".to_owned(), codes),
    ]
}

#[tokio::test]
async fn lists_that_are_cut_are_refused_with_their_figures() {
    let name = "lists_that_are_cut_are_refused_with_their_figures";
    let Some(folder) = real_data(name) else { return };
    let pages = folder.join("portal-pages");
    let procedures = "dichvucong.gov.vn/p/home/dvc-dich-vu-cong-truc-tuyen-ds/get_ds_tthc_da_cong_bo_dvc_service.json";
    let decisions = "thutuc.dichvucong.gov.vn/p/home/dvc-tthc-quyet-dinh-cong-bo/decision_publishment_advanced_search_service_v2.json";
    let cases = [("procedures", procedures, "1000 rows of 2507 stated"), ("decisions", decisions, "50 rows of 23039 stated")];
    on_both(name, async |db| {
        let installation = Installation::new(&db, lists());
        let mut kept_apart = Vec::new();
        for (id, page, figures) in cases {
            installation.drop_in(&format!("{id}.json"), &std::fs::read(Path::new(&pages).join(page)).expect("a saved list"));
            let ran = installation.run(id, ts("2025-12-10T00:00:00Z")).await;
            let [record] = &ran.requests[..] else { panic!("one file") };
            assert_eq!(record.request.outcome, RequestOutcome::Quarantined, "{id}");
            let said: Vec<&str> = failed(&record.gates).into_iter().map(|gate| gate.detail.as_str()).collect();
            assert_eq!(said, [figures], "{id}");
            assert!(ran.recorded.quarantined > 0, "{id}: {:?}", record.findings.first());
            println!("{name}: {id} refused: {}; {} readings kept apart", said[0], ran.recorded.quarantined);
            kept_apart.push(ran.recorded);
        }
        assert_eq!(installation.known(ts("2026-12-31T00:00:00Z")).await, []);
        kept_apart
    })
    .await;
}
