//! The declarative files that people write (danh mục): loaded whole, cross-checked, every mistake with its place and fix.
//!
//! `Files` holds their texts, embedded or from a folder; a bad file is left out and named, the rest stands.

pub mod collectors;
pub mod files;
pub mod problem;
pub mod registry;

use std::collections::BTreeMap;

use crate::score::criteria::CriteriaSet;
pub use collectors::LoadedCollector;
pub use files::Files;
pub use problem::Problem;
pub use registry::Registry;

/// Everything that files declare: who and what is measured, where it is read, what it is worth.
#[derive(Debug)]
pub struct Catalogue {
    /// Units, indicators, code maps.
    pub registry: Registry,
    /// Collectors by id.
    pub collectors: BTreeMap<String, LoadedCollector>,
    /// Criteria sets by id.
    pub criteria: BTreeMap<String, CriteriaSet>,
}

impl Catalogue {
    /// Loads and cross-checks; no network, no database, no clock.
    pub fn load(files: &Files) -> (Catalogue, Vec<Problem>) {
        let (registry, mut problems) = Registry::load(files);
        let mut collectors = BTreeMap::new();
        for (file, text) in files.under("collectors/") {
            match LoadedCollector::parse(file, text) {
                Err(found) => problems.extend(found),
                Ok(loaded) => {
                    let found = loaded.check_against(&registry);
                    if found.is_empty() {
                        collectors.insert(loaded.collector.id.get_ref().clone(), loaded);
                    }
                    problems.extend(found);
                }
            }
        }
        let mut criteria = BTreeMap::new();
        for (file, text) in files.under("criteria/") {
            match CriteriaSet::parse(file, text) {
                Err(found) => problems.extend(found),
                Ok(set) => {
                    let mut found = set.check_indicators(&|id| registry.indicator(id).is_some());
                    found.extend(set.check_collectors(&|id| collectors.contains_key(id)));
                    if found.is_empty() {
                        criteria.insert(set.id.clone(), set);
                    }
                    problems.extend(found);
                }
            }
        }
        (Catalogue { registry, collectors, criteria }, problems)
    }
}
