//! Whole published tables: totals, places and the national mean.

use serde_json::Value as Json;
use thuocdo::model::{Exact, UnitGroup};
use thuocdo::score::rank::places;

use crate::world::{Tally, World, data, figure, json, set, sheet};

const GROUPS: [&str; 6] = ["CKMB", "TDGQ", "CLGQ", "TTTT", "MDSH", "MDHL"];

/// A table of group points under the control set; the sums do not depend on what kind of body a row is.
fn table<'a>(rows: impl Iterator<Item = (String, Box<dyn Fn(&str) -> Json + 'a>)>) -> World {
    let mut world = World::default();
    for (unit, points) in rows {
        world.unit(&unit, UnitGroup::Province);
        for code in GROUPS {
            world.put(&unit, "national_index_score", code, "npsp-service-results", &points(code));
        }
    }
    world
}

#[test]
fn three_days_of_34_provinces() {
    let Some(folder) = data("three_days_of_34_provinces") else { return };
    let set = set("qd766-published");
    let mut totals = Tally::new("provinces, three days: totals");
    let mut places = Tally::new("provinces, three days: places, seven per row");
    let mut means = Tally::new("provinces, three days: national mean, total and five spokes");
    for day in ["06", "07", "08"] {
        let body = json(&folder, &format!("npsp-766-2026/daily-provinces/provinces-2026-10-{day}.json"));
        let rows = body["provinces"].as_array().expect("rows");
        let code = |row: &Json| row["departmentCode"].as_str().expect("a code").to_owned();
        let world =
            table(rows.iter().map(|row| (code(row), Box::new(|group: &str| row["scores"][group].clone()) as Box<dyn Fn(&str) -> Json>)));
        let run = world.score(&set);
        for row in rows {
            let sheet = sheet(&run, &code(row));
            totals.same(|| format!("{day} {}", sheet.unit), sheet.total.known(), figure(&row["totalScore"]));
            places.same(|| format!("{day} {}", sheet.unit), sheet.rank.map(u64::from), row["rank"].as_u64());
            for group in &sheet.groups {
                let published = row[format!("rank_{}", group.group)].as_u64();
                places.same(|| format!("{day} {} {}", sheet.unit, group.group), group.rank.map(u64::from), published);
            }
        }
        let mean = run.mean.as_ref().expect("the set asks for a mean");
        means.same(|| format!("{day} total"), mean.total, figure(&body["overview"]["totalScore"]));
        for spoke in body["radar"].as_array().expect("spokes") {
            let parts: &[&str] =
                if spoke["code"] == "ONLINE_SERVICE" { &["CLGQ", "TTTT"] } else { &[spoke["code"].as_str().expect("a code")] };
            let ours = mean.groups.iter().filter(|group| parts.contains(&group.group)).map(|group| group.points);
            means.same(|| format!("{day} {}", spoke["code"]), Exact::sum(ours).ok(), figure(&spoke["score"]));
        }
    }
    totals.close(3 * 34);
    places.close(3 * 34 * 7);
    means.close(3 * 6);
}

#[test]
fn sums_of_2025() {
    let Some(folder) = data("sums_of_2025") else { return };
    let set = set("qd766-published");
    let mut tally = Tally::new("tables of October 2025: totals");
    let mut compare = |rows: Vec<Json>| {
        let code = |row: &Json| row["MA_COQUAN"].as_str().expect("a code").to_owned();
        let world = table(rows.iter().map(|row| (code(row), Box::new(|group: &str| row[group].clone()) as Box<dyn Fn(&str) -> Json>)));
        let run = world.score(&set);
        for row in &rows {
            tally.same(|| code(row), sheet(&run, &code(row)).total.known(), figure(&row["TONG_SCORE"]));
        }
    };
    for file in ["g1_766_2025_10_34_provinces.csv", "g1_766_2025_10_angiang_departments.csv"] {
        let mut reader = csv::Reader::from_path(folder.join("golden").join(file)).expect("a golden table");
        let rows = reader.deserialize::<std::collections::BTreeMap<String, String>>();
        compare(rows.map(|row| serde_json::to_value(row.expect("a row")).expect("a map of texts")).collect());
    }
    for file in std::fs::read_dir(folder.join("npsp-766-2025")).expect("a folder") {
        let name = file.expect("an entry").file_name().into_string().expect("a plain name");
        if name.ends_with(".json") && !name.contains("trend") {
            compare(json(&folder, &format!("npsp-766-2025/{name}")).as_array().expect("rows").clone());
        }
    }
    tally.close(34 + 15 + 2 * (34 + 34 + 15 + 102));
}

#[test]
fn places_of_2017() {
    let Some(folder) = data("places_of_2017") else { return };
    let mut reader = csv::Reader::from_path(folder.join("rankings/provinces-2017-ict-egov.csv")).expect("the table");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let index = rows.iter().map(|row| row[4].parse::<Exact>().expect("an index"));
    let index: Vec<(Exact, Exact)> = index.map(|index| (index, index)).collect();
    // The best 53 of 63: a place depends on those above only, so each of these is determined.
    let mut tally = Tally::new("ranking of 2017: places");
    for (row, (best, worst)) in rows.iter().zip(places(&index)) {
        tally.same(|| row[1].to_owned(), (best.to_string(), worst), (row[3].to_owned(), best));
    }
    tally.close(53);
}
