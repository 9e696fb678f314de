//! The portal's bodies of 2026: whole ones, excerpts, and another tracker's normal form of them.

use std::path::Path;

use serde_json::Value as Json;
use thuocdo::model::{Exact, UnitGroup};
use thuocdo::score::ScoreRun;
use thuocdo::score::criteria::CriteriaSet;

use crate::criterion_of;
use crate::world::{Tally, World, data, figure, group, json, line, set, sheet};

/// What the portal gives for a province's online services.
pub fn online_counts(world: &mut World, unit: &str, row: &Json) {
    for (indicator, key) in [
        ("service_partial_count", "partialCount"),
        ("service_full_count", "fullCount"),
        ("tthc_authority_count", "authorityCount"),
        ("service_active_count", "onlineDossierCount"),
        ("service_count", "onlineServiceTotal"),
        ("dossier_channel_online_count", "channelOnlineSum"),
        ("dossier_channel_total_count", "channelTotalSum"),
    ] {
        world.put(unit, indicator, "", "npsp-online", &row[key]);
    }
}

const PAYMENT: [(&str, &str, &str); 3] = [
    ("3.6", "totalDossierOnlinePaymentSuccess", "totalDossierFinancialObligation"),
    ("3.5a", "totalDossierOnlineFormalityPaymentSuccess", "totalFeeDossierFormalityDistinct"),
    ("3.5b", "totalFeeDossierFormality", "totalFeeFormality"),
];

/// The rows of an answer, the province first.
fn rows<'a>(body: &'a Json, parent: &str, children: &str) -> Vec<&'a Json> {
    let children = body["data"][children].as_array().expect("rows");
    std::iter::once(&body["data"][parent]).chain(children).collect()
}

/// The unit of a row; the satisfaction and transparency answers give no code, so their ids serve.
fn unit_of(row: &Json) -> &str {
    row["departmentId"].as_str().expect("an id")
}

fn world_of(rows: &[&Json]) -> World {
    let mut world = World::default();
    for (at, row) in rows.iter().enumerate() {
        world.unit(unit_of(row), if at == 0 { UnitGroup::Province } else { UnitGroup::Commune });
    }
    world
}

fn raw(folder: &Path, file: &str) -> Json {
    json(folder, &format!("npsp-766-2026/raw-phu-tho/{file}"))
}

#[test]
fn progress_of_164_units() {
    let Some(folder) = data("progress_of_164_units") else { return };
    let (body, set) = (raw(&folder, "dvc-progress-tree.year-2026-all.json"), set("qd766-2026"));
    let rows = rows(&body, "parent", "children");
    let mut world = world_of(&rows);
    for row in &rows {
        world.counts(&set, unit_of(row), "2.1", &row["totalOnTime"], &row["totalReceived"]);
    }
    let run = world.score(&set);
    let (mut points, mut percents) = (Tally::new("body, progress: points"), Tally::new("body, progress: per cent"));
    for (at, row) in rows.iter().enumerate() {
        points.points(&run, unit_of(row), "2.1", &row[if at == 0 { "totalScore" } else { "score" }]);
        percents.percent(&run, unit_of(row), "2.1", &row["ratio"]);
    }
    points.close(164);
    percents.close(163);
}

#[test]
fn online_services_of_164_units() {
    let Some(folder) = data("online_services_of_164_units") else { return };
    let (body, set) = (raw(&folder, "provide-online-tree.year-2026-all.json"), set("qd766-2026"));
    let rows = rows(&body, "parent", "children");
    let mut world = world_of(&rows);
    online_counts(&mut world, unit_of(rows[0]), rows[0]);
    for row in &rows {
        world.put(unit_of(row), "national_index_score", "CLGQ", "npsp-online", &row["totalScore"]);
    }
    let run = world.score(&set);
    let mut tally = Tally::new("body, online services: the province recomputed, 163 units as published");
    for (at, row) in rows.iter().enumerate() {
        let group = group(&run, unit_of(row), "online");
        tally.same(|| unit_of(row).to_owned(), group.points.known(), figure(&row["totalScore"]));
        assert_eq!(group.lines.iter().any(|line| line.published), at > 0);
        assert_eq!(group.controls.first().and_then(|control| control.agrees), Some(true));
    }
    tally.close(164);
}

#[test]
fn payment_excerpt() {
    let Some(folder) = data("payment_excerpt") else { return };
    let (body, set) = (raw(&folder, "formality-online-payment-tree.year-2026-all.EXCERPT-4-of-163.json"), set("qd766-2026"));
    let rows = rows(&body, "parent", "children");
    let mut world = world_of(&rows);
    for row in &rows {
        for (criterion, numerator, denominator) in PAYMENT {
            world.counts(&set, unit_of(row), criterion, &row[numerator], &row[denominator]);
        }
    }
    let run = world.score(&set);
    let mut tally = Tally::new("body, payment: group points");
    for row in &rows {
        tally.group(&run, unit_of(row), "payment", &row["totalScore"]);
    }
    tally.close(5);
}

/// Counts of the metrics that have points; the electronic copy's are never read.
fn put_metrics(world: &mut World, set: &CriteriaSet, unit: &str, metrics: &Json) {
    for metric in metrics.as_array().expect("metrics") {
        let code = metric["code"].as_str().expect("a code");
        if let Some(criterion) = criterion_of(set, code).filter(|id| id != "ELECTRONIC_CERTIFIED_COPY") {
            world.counts(set, unit, &criterion, &metric["numerator"], &metric["denominator"]);
        }
    }
}

fn compare_metrics(tally: &mut Tally, run: &ScoreRun<'_>, set: &CriteriaSet, unit: &str, metrics: &Json) {
    for metric in metrics.as_array().expect("metrics") {
        if let Some(criterion) = criterion_of(set, metric["code"].as_str().expect("a code")) {
            tally.points(run, unit, &criterion, &metric["score"]);
            if line(run, unit, &criterion).definition.rule.quotient().is_some() {
                tally.percent(run, unit, &criterion, &metric["ratio"]);
            }
        }
    }
}

#[test]
fn metric_answers() {
    let Some(folder) = data("metric_answers") else { return };
    let set = set("qd766-2026");
    let mut tally = Tally::new("bodies, digitisation, satisfaction, transparency: points, per cent and group points");
    for (file, id) in [
        ("dossier-digitized.year-2026-all.EXCERPT-4-of-163.json", "digitised"),
        ("handling-satisfaction.year-2026-all.EXCERPT-4-of-163.json", "satisfaction"),
        ("transparency.month-2026-08-all.TRUNCATED-14-of-163.json", "transparency"),
    ] {
        let body = raw(&folder, file);
        let rows = rows(&body, "overview", "evaluation");
        let mut world = world_of(&rows);
        for row in &rows {
            put_metrics(&mut world, &set, unit_of(row), &row["metrics"]);
        }
        let run = world.score(&set);
        for row in &rows {
            compare_metrics(&mut tally, &run, &set, unit_of(row), &row["metrics"]);
            tally.group(&run, unit_of(row), id, &row["totalScore"]);
        }
    }
    tally.close(180);
}

/// Six days of Đắk Lắk in another tracker's normal form, where null became 0.
///
/// Left out: "overdue 0" (54 013 is true), the charts, the petition classes (no points), the electronic
/// copy's counts (null became 0), and the online group's formula (no counts there; its points are
/// added to compare the total).
#[test]
fn dak_lak_on_six_days() {
    let Some(folder) = data("dak_lak_on_six_days") else { return };
    let set = set("qd766-2026");
    let mut tally = Tally::new("Đắk Lắk, six days: points, per cent, group points and totals");
    for day in ["17", "19", "21", "26", "29", "30"] {
        let indicators = json(&folder, &format!("npsp-766-2026/daily-dak-lak/H15-province-2026-09-{day}.json"));
        let (overview, indicators) = (&indicators["overview"], &indicators["indicators"]);
        let mut world = World::default();
        world.unit("H15", UnitGroup::Province);
        let on_time = &indicators["progress"]["metrics"]["onTime"];
        world.counts(&set, "H15", "2.1", &on_time["numerator"], &on_time["denominator"]);
        let payment = indicators["payment"]["metrics"].as_array().expect("three ratios");
        for (metric, (criterion, _, _)) in payment.iter().zip(PAYMENT) {
            world.counts(&set, "H15", criterion, &metric["numerator"], &metric["denominator"]);
        }
        for key in ["transparency", "digitized", "satisfaction"] {
            put_metrics(&mut world, &set, "H15", &indicators[key]["metrics"]);
        }
        let run = world.score(&set);
        tally.points(&run, "H15", "2.1", &on_time["score"]);
        tally.percent(&run, "H15", "2.1", &on_time["ratio"]);
        for (metric, (criterion, _, _)) in payment.iter().zip(PAYMENT) {
            tally.percent(&run, "H15", criterion, &metric["ratio"]);
        }
        for key in ["transparency", "digitized", "satisfaction"] {
            compare_metrics(&mut tally, &run, &set, "H15", &indicators[key]["metrics"]);
        }
        for (key, id) in [
            ("transparency", "transparency"),
            ("progress", "progress"),
            ("digitized", "digitised"),
            ("payment", "payment"),
            ("satisfaction", "satisfaction"),
        ] {
            tally.group(&run, "H15", id, &indicators[key]["score"]);
        }
        let ours = sheet(&run, "H15").total.bounds().0.plus(figure(&indicators["onlineService"]["score"]).expect("points")).expect("small");
        tally.same(|| format!("total on {day}"), Some(ours), figure(&overview["totalScore"]));
    }
    tally.close(6 * 37);
}

#[test]
fn one_department_of_dak_lak() {
    let Some(folder) = data("one_department_of_dak_lak") else { return };
    let set = set("qd766-2026");
    let mut reader = csv::Reader::from_path(folder.join("npsp-766-2026/daily-dak-lak/H15.15-daily-panel.csv")).expect("the panel");
    let headings = reader.headers().expect("headings").clone();
    let mut tally = Tally::new("Đắk Lắk, one department: points of four components by day");
    for row in reader.records() {
        let row = row.expect("a row");
        let cell = |name: &str| {
            let at = headings.iter().position(|heading| heading == name).unwrap_or_else(|| panic!("no column {name}"));
            Json::from(row[at].to_owned())
        };
        let mut world = World::default();
        world.unit("H15.15", UnitGroup::Department);
        world.counts(&set, "H15.15", "2.1", &cell("progress_on_time"), &cell("progress_received"));
        for (criterion, numerator) in [("4.1", "original_result_num"), ("4.2", "digitised_num"), ("4.3", "reused_num")] {
            world.counts(&set, "H15.15", criterion, &cell(numerator), &cell("digitised_denominator"));
        }
        let run = world.score(&set);
        for (criterion, points) in
            [("2.1", "score_progress"), ("4.1", "score_original_result"), ("4.2", "score_digitised_item"), ("4.3", "score_reused")]
        {
            assert!(figure(&cell(points)).is_some_and(|points| points > Exact::ZERO));
            tally.points(&run, "H15.15", criterion, &cell(points));
        }
    }
    tally.close(16);
}
