//! Published scores of the national portal, reproduced to 0.00 by the shipped criteria files. `n of n` per source.

mod bodies;
mod tables;
mod world;

use serde_json::Value as Json;
use thuocdo::model::UnitGroup;
use thuocdo::score::criteria::CriteriaSet;
use world::{Tally, World, data, json, set};

/// The criterion that the portal knows by this metric code.
pub fn criterion_of(set: &CriteriaSet, code: &str) -> Option<String> {
    let by_code = |c: &&thuocdo::score::criteria::Criterion| c.control.as_ref().is_some_and(|control| control.item == code);
    set.criteria().find(by_code).map(|c| c.id.clone())
}

/// A list of the golden file, the group it belongs to, and the criterion of each key.
type Section = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

fn rows<'a>(golden: &'a Json, key: &str) -> &'a Vec<Json> {
    golden[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

fn world_of(rows: &[Json], code: impl Fn(&Json) -> &Json) -> (World, Vec<String>) {
    let mut world = World::default();
    let codes: Vec<String> = rows.iter().map(|row| code(row).as_str().expect("a code").to_owned()).collect();
    for code in &codes {
        world.unit(code, if code.contains('.') { UnitGroup::Commune } else { UnitGroup::Province });
    }
    (world, codes)
}

#[test]
fn phu_tho_progress_and_payment() {
    let Some(folder) = data("phu_tho_progress_and_payment") else { return };
    let (golden, set) = (json(&folder, "golden/phu-tho-2026-components.json"), set("qd766-2026"));
    let mut tally = Tally::new("golden, Phú Thọ 2026, progress and payment: points, per cent, totals");
    let (mut world, _) = world_of(rows(&golden, "progress_max20_year"), |row| &row[0]);
    for row in rows(&golden, "progress_max20_year") {
        world.counts(&set, row[0].as_str().expect("a code"), "2.1", &row[3], &row[2]);
    }
    let run = world.score(&set);
    for row in rows(&golden, "progress_max20_year") {
        let unit = row[0].as_str().expect("a code");
        tally.percent(&run, unit, "2.1", &row[4]);
        tally.points(&run, unit, "2.1", &row[5]);
    }
    let (mut world, codes) = world_of(rows(&golden, "payment_year_max10"), |row| &row[0]);
    for (unit, row) in codes.iter().zip(rows(&golden, "payment_year_max10")) {
        for (criterion, at) in [("3.6", 1), ("3.5a", 3), ("3.5b", 5)] {
            world.counts(&set, unit, criterion, &row[at], &row[at + 1]);
        }
    }
    let run = world.score(&set);
    for (unit, row) in codes.iter().zip(rows(&golden, "payment_year_max10")) {
        tally.group(&run, unit, "payment", &row[7]);
    }
    tally.close(23);
}

#[test]
fn phu_tho_components() {
    let Some(folder) = data("phu_tho_components") else { return };
    let (golden, set) = (json(&folder, "golden/phu-tho-2026-components.json"), set("qd766-2026"));
    let mut tally = Tally::new("golden, Phú Thọ 2026, satisfaction, digitisation, transparency: points, per cent, totals");
    let sections: [Section; 3] = [
        ("satisfaction_year", "satisfaction", &[("receive", "5.4"), ("pakn_on_time", "5.2"), ("pakn_satisfied", "5.3")]),
        (
            "digitisation_year_max22",
            "digitised",
            &[
                ("result", "4.1"),
                ("digitised", "4.2"),
                ("reused", "4.3"),
                ("synced", "4.4"),
                ("citizen_dossier", "CITIZEN_DATA_CONNECTED_DOSSIER"),
                ("citizen_tthc", "CITIZEN_DATA_CONNECTED_FORMALITY"),
            ],
        ),
        (
            "transparency_month8_max18",
            "transparency",
            &[("publish_on_time", "1.1"), ("update_on_time", "1.2"), ("content_full", "1.3"), ("dossier_sync", "1.4")],
        ),
    ];
    for (section, group, criteria) in sections {
        let (mut world, codes) = world_of(rows(&golden, section), |row| &row["code"]);
        for (unit, row) in codes.iter().zip(rows(&golden, section)) {
            for (key, criterion) in criteria {
                world.counts(&set, unit, criterion, &row[key][0], &row[key][1]);
            }
        }
        let run = world.score(&set);
        for (unit, row) in codes.iter().zip(rows(&golden, section)) {
            for (key, criterion) in criteria {
                tally.percent(&run, unit, criterion, &row[key][2]);
                tally.points(&run, unit, criterion, &row[key][3]);
            }
            if group == "digitised" {
                tally.points(&run, unit, "ELECTRONIC_CERTIFIED_COPY", &row["ecopy"][3]);
            }
            tally.group(&run, unit, group, &row["total"]);
        }
    }
    tally.close(100);
}

#[test]
fn phu_tho_online_services_of_the_province() {
    let Some(folder) = data("phu_tho_online_services_of_the_province") else { return };
    let (golden, set) = (json(&folder, "golden/phu-tho-2026-components.json"), set("qd766-2026"));
    let mut tally = Tally::new("golden, Phú Thọ 2026, online services of the province");
    for row in rows(&golden, "online_max12_parent") {
        let mut world = World::default();
        world.unit("H44", UnitGroup::Province);
        bodies::online_counts(&mut world, "H44", row);
        tally.group(&world.score(&set), "H44", "online", &row["score"]);
    }
    tally.close(2);
}

/// The rows seen in the field that tell the rounding models apart; needs no data folder.
#[test]
fn shipped_sets_round_as_the_portal() {
    for id in ["qd766-2026", "qd766-as-written"] {
        let set = set(id);
        let mut world = World::default();
        for unit in ["one", "two"] {
            world.unit(unit, UnitGroup::Commune);
        }
        let mut put = |unit: &str, criterion: &str, n: i64, d: i64| world.counts(&set, unit, criterion, &n.into(), &d.into());
        put("one", "3.6", 9325, 10000);
        put("one", "4.1", 284_995, 443_565);
        for (criterion, n) in [("3.6", 9227), ("3.5a", 3032), ("3.5b", 2120)] {
            put("two", criterion, n, 10000);
        }
        let run = world.score(&set);
        let mut tally = Tally::new("rounding of the shipped sets");
        for (unit, criterion, points) in
            [("one", "3.6", "5.59"), ("one", "4.1", "3.86"), ("two", "3.6", "5.54"), ("two", "3.5a", "0.76"), ("two", "3.5b", "0.53")]
        {
            tally.points(&run, unit, criterion, &points.into());
        }
        tally.group(&run, "two", "payment", &"6.83".into());
        tally.close(6);
    }
}
