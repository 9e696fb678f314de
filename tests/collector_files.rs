//! Every collector file the project ships is one this version can read.

use std::path::Path;

use thuocdo::collect::collector::Collector;

#[test]
fn every_shipped_file_parses_under_its_own_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("collectors");
    let mut read = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of shipped collectors") {
        let path = entry.expect("an entry of the folder").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let collector: Collector = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(Some(collector.id.get_ref().as_str()), path.file_stem().and_then(|stem| stem.to_str()), "id = file name");
        assert!(text.starts_with("# "), "{}: starts with a line saying what it is for", path.display());
        assert!(!collector.rows.is_empty() && !collector.gate.is_empty(), "{}: reads something and checks it", path.display());
        read.push(collector.id.into_inner());
    }
    read.sort();
    let shipped = [
        "documents",
        "npsp-2025",
        "npsp-2025-units",
        "npsp-digitised",
        "npsp-online",
        "npsp-payment",
        "npsp-progress",
        "npsp-satisfaction",
        "npsp-service-results",
        "npsp-transparency",
    ];
    assert_eq!(read, shipped);
}
