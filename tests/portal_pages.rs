//! The shipped checks of portals on saved pages of the field: no panic, and every result names what proves it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thuocdo::catalogue::{Files, LoadedCollector, Registry};
use thuocdo::collect::extract::{Context, Extract, extract, parse};
use thuocdo::model::{Exact, Finding, Scope, Severity, Value};

/// Every saved page below a folder.
fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => pages(&path, into),
            Some("html" | "htm" | "aspx" | "xhtml") => into.push(path),
            Some(_) | None => {}
        }
    }
}

fn shipped() -> (Registry, LoadedCollector) {
    let files = Files::embedded();
    let (registry, problems) = Registry::load(&files);
    assert_eq!(problems, []);
    let file = "collectors/portal-content.toml";
    let loaded = LoadedCollector::parse(file, files.get(file).expect("a shipped file")).expect("a good file");
    assert_eq!(loaded.check_against(&registry), []);
    (registry, loaded)
}

fn read(registry: &Registry, loaded: &LoadedCollector, body: &[u8]) -> Result<Extract, Finding> {
    let scope = Scope {
        due: "2026-10-01T00:00:00Z".parse().expect("an instant"),
        period: Some("2026-10-01".parse().expect("a day")),
        unit: Some("H49".to_owned()),
        portal: Some("p".to_owned()),
        province: BTreeMap::new(),
    };
    let document = parse(&loaded.collector.rows, body, "text/html")?;
    let context = Context {
        collector: &loaded.collector,
        scope: &scope,
        address: "https://portal.example.gov.vn/",
        unit_of: &|_, _, _| None,
        indicator: &|id| registry.indicator(id),
    };
    Ok(extract(&document, &context))
}

/// What must hold of any page that is read.
fn assert_proved(found: &Extract, page: &str) {
    for reading in &found.readings {
        assert!(reading.item == "p" || reading.item.starts_with("p/"), "{page}: {reading:?}");
        assert!(!reading.place.is_empty(), "{page}: {reading:?}");
        assert!(!matches!(reading.value, Value::Number(number) if number < Exact::ZERO), "{page}: {reading:?}");
        let is_one = reading.value == Value::Number(Exact::ONE) && reading.indicator != "portal_freshness_days";
        assert!(!is_one || !reading.text.is_empty(), "{page}: what is there has a text: {reading:?}");
    }
    let n = |indicator: &str| found.readings.iter().filter(|reading| reading.indicator == indicator).count();
    assert_eq!((n("portal_section_present"), n("portal_required_sections_rate"), n("portal_a11y_basic")), (8, 1, 1), "{page}");
    assert!(found.findings.iter().all(|finding| finding.severity == Severity::Warn), "{page}: {:?}", found.findings);
}

#[test]
fn saved_pages_of_portals() {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(|folder| PathBuf::from(folder).join("portal-pages"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        eprintln!("skipped: saved_pages_of_portals: THUOCDO_REAL_DATA is not set, or has no portal-pages");
        return;
    };
    let (registry, loaded) = shipped();
    let mut paths = Vec::new();
    pages(&folder, &mut paths);
    let (mut n_read, mut n_refused) = (0, 0);
    for path in &paths {
        let body = std::fs::read(path).expect("a saved page");
        let name = path.strip_prefix(&folder).unwrap_or(path).display().to_string();
        match read(&registry, &loaded, &body) {
            Err(finding) => {
                assert!(!finding.text.is_empty(), "{name}");
                println!("{name}: refused, {} {}", finding.reason, finding.text);
                n_refused += 1;
            }
            Ok(found) => {
                assert_proved(&found, &name);
                println!("{name}:");
                for reading in &found.readings {
                    println!("  {} {} = {} @ {} | {}", reading.indicator, reading.item, reading.value, reading.place, reading.text);
                }
                found.findings.iter().for_each(|finding| println!("  {} {}: {}", finding.reason, finding.place, finding.text));
                n_read += 1;
            }
        }
        // A page cut anywhere is refused, or read as the page that it still is; it never ends in a panic.
        for tenth in 1..10 {
            if let Ok(found) = read(&registry, &loaded, &body[..body.len() * tenth / 10]) {
                assert!(found.readings.is_empty() || tenth > 8, "{name} cut at {tenth}/10 is read");
            }
        }
    }
    println!("saved pages of portals: {n_read} read, {n_refused} refused of {}", paths.len());
    assert!(!paths.is_empty());
}
