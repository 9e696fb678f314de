//! Recorded answers: folders with a manifest, and the registry drafted from a recorded list of bodies.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use thuocdo::catalogue::LoadedCollector;
use thuocdo::collect::extract::{draft_units, parse};
use thuocdo::model::UnitGroup;

/// Path of an endpoint of the evaluation API.
pub fn path(endpoint: &str) -> String {
    format!("/api/v1/reporting/evaluation/{endpoint}")
}

/// One entry of a manifest: file, endpoint, request, moment; the body is written beside it.
pub struct Capture {
    pub file: String,
    pub endpoint: &'static str,
    pub request: Value,
    pub captured_at: &'static str,
    pub body: Vec<u8>,
}

/// Writes a folder that the recorded portal can serve.
pub fn write_folder(folder: &Path, captures: &[Capture]) {
    std::fs::create_dir_all(folder).expect("a folder");
    let entry = |capture: &Capture| {
        std::fs::write(folder.join(&capture.file), &capture.body).expect("written");
        json!({ "file": capture.file, "path": path(capture.endpoint), "body": capture.request, "capturedAt": capture.captured_at })
    };
    let captures: Vec<Value> = captures.iter().map(entry).collect();
    let manifest = json!({ "status": 201, "contentType": "application/json; charset=utf-8", "captures": captures });
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).expect("written");
}

/// The bodies that an answer names below the province, as files of a registry.
pub fn drafted(loaded: &LoadedCollector, body: &[u8], province: &str) -> [(String, String); 2] {
    let document = parse(&loaded.collector.rows, body, "application/json").expect("a whole answer");
    let (drafted, findings) = draft_units(&document, &loaded.collector);
    assert_eq!(findings, []);
    let mut units = "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision\n".to_owned();
    let mut codes = "code,unit,valid_from,valid_to\n".to_owned();
    for unit in drafted.iter().filter(|unit| unit.group != UnitGroup::Province) {
        let name = unit.name.replace('"', "");
        writeln!(units, "{0},{0},\"{name}\",{1},\"{2}\",{province},,,", unit.code, unit.group.label(), unit.group.vi()).expect("a text");
        writeln!(codes, "{},{},,", unit.value, unit.code).expect("a text");
    }
    [("registry/units/drafted.csv".to_owned(), units), ("registry/codes/npsp/drafted.csv".to_owned(), codes)]
}
