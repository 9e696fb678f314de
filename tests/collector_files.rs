//! Every collector file the project ships is one this version can read.

use std::path::Path;

use thuocdo::collect::collector::{Collector, Source};

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
        if let Source::Probe(probe) = &collector.source {
            assert_eq!(probe.faults(), Vec::new(), "{}", path.display());
            read.push(collector.id.into_inner());
            continue;
        }
        assert!(!collector.rows.is_empty() && !collector.gate.is_empty(), "{}: reads something and checks it", path.display());
        let Source::Http(http) = &collector.source else { panic!("{}: asks over HTTP", path.display()) };
        if http.for_each.portal.is_some() {
            // A page shows only what it is when it is asked: there is no asking about a day that is over.
            assert!(http.for_each.period.iter().all(|choice| !choice.is_closed()), "{}: asks today's page only", path.display());
            read.push(collector.id.into_inner());
            continue;
        }
        // The last answer about an open period comes before its end: each is asked once more when it is closed.
        let kinds =
            |closed: bool| http.for_each.period.iter().filter(move |choice| choice.is_closed() == closed).map(|choice| choice.kind());
        assert!(kinds(false).eq(kinds(true)) && http.for_each.closed_for.is_some(), "{}: asks closed periods again", path.display());
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
        "portal-content",
        "portals",
    ];
    assert_eq!(read, shipped);
}
