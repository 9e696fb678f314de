//! `units draft` on a recorded answer: files that load as they are printed.

use std::collections::BTreeMap;
use std::process::Command;

use thuocdo::catalogue::{Catalogue, Files};
use thuocdo::model::{Period, UnitGroup};

use crate::{json, period, real_data};

/// Settings of Phú Thọ; nothing else differs from the defaults.
const SETTINGS: &str = "[province]\nunit = \"H44\"\nnpsp = \"019d2be3-6a88-732b-8b17-b68020c8553a\"\n";

#[test]
fn the_draft_of_a_recorded_answer_loads() {
    let name = "the_draft_of_a_recorded_answer_loads";
    let Some(folder) = real_data(name) else { return };
    let sample = folder.join("npsp-766-2026/raw-phu-tho/dvc-progress-tree.year-2026-all.json");
    let ours = tempfile::tempdir().expect("a temporary folder");
    let settings = ours.path().join("thuocdo.toml");
    std::fs::write(&settings, SETTINGS).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
    command.args(["units", "draft", "npsp-progress", "--sample"]).arg(&sample).arg("--settings").arg(&settings);
    let output = command.current_dir(ours.path()).output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    assert!(errors.starts_with("163 units"), "{errors}");

    let printed = printed_files(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(
        printed.keys().map(String::as_str).collect::<Vec<_>>(),
        ["registry/codes/npsp/draft-h44.csv", "registry/units/draft-h44.csv"]
    );
    let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay(printed.into_iter().collect()));
    assert!(problems.is_empty(), "{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));

    let day = period("2026-09-26");
    let below = catalogue.registry.below("H44", day);
    let of = |group| below.iter().filter(|unit| unit.unit_group == group).count();
    let n_mapped = n_mapped(&catalogue, &json(&sample), day);
    println!("{name}: {} units of 163, {n_mapped} of 163 codes mapped", below.len());
    assert_eq!((below.len(), n_mapped), (163, 163));
    assert_eq!(of(UnitGroup::Department) + of(UnitGroup::Commune), 163);
    assert!(of(UnitGroup::Commune) > 100, "departments and communes are told apart");
}

/// The files between their `# path` lines.
fn printed_files(printed: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut current = String::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(path) => current = path.to_owned(),
            None => files.entry(current.clone()).or_insert_with(String::new).extend([line, "\n"]),
        }
    }
    files
}

/// How many bodies of the answer the code map gives the unit with their official code.
fn n_mapped(catalogue: &Catalogue, answer: &serde_json::Value, day: Period) -> usize {
    let codes = catalogue.registry.codes("npsp").expect("a code map");
    let children = answer["data"]["children"].as_array().expect("bodies");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let is_mapped = |row: &&serde_json::Value| codes.unit(&text(row, "departmentId"), day) == Some(text(row, "departmentCode").as_str());
    children.iter().filter(is_mapped).count()
}
