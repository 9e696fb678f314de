//! The declarative files that people write (danh mục): loaded whole, cross-checked, every mistake with its place and fix.
//!
//! `Files` holds their texts, embedded or from a folder; a bad file is left out and named, the rest stands.

pub mod collectors;
pub mod files;
mod place;
pub mod problem;
pub mod registry;

use std::collections::BTreeMap;

use crate::collect::collector::Source;
use crate::collect::watch::readings::ON_TERMS;
use crate::score::criteria::{CriteriaSet, OfPortals};
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
        let collectors = load_collectors(files, &registry, &mut problems);
        // A collector whose own file is wrong is still named rightly.
        let has_file = |id: &str| files.under("collectors/").any(|(file, _)| stem(file) == id);
        problems.extend(Registry::check_collectors(files, &has_file));
        let criteria = load_criteria(files, &registry, &collectors, &mut problems);
        (Catalogue { registry, collectors, criteria }, problems)
    }
}

fn load_collectors(files: &Files, registry: &Registry, problems: &mut Vec<Problem>) -> BTreeMap<String, LoadedCollector> {
    let mut collectors: BTreeMap<String, LoadedCollector> = BTreeMap::new();
    for (file, text) in files.under("collectors/") {
        let mut loaded = match LoadedCollector::parse(file, text) {
            Ok(loaded) => loaded,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let asks_portals = match &loaded.collector.source {
            Source::Http(http) => http.for_each.portal.is_some(),
            Source::Probe(_) => true,
            Source::File(_) => false,
        };
        loaded.lacks_portals = asks_portals && registry.portals().is_empty();
        let mut found = loaded.check_against(registry);
        let id = &loaded.collector.id;
        if let Some(first) = collectors.get(id.get_ref()) {
            let message = format!("the id {:?} is that of {} too", id.get_ref(), first.file);
            found.push(Problem::at(file, text, id.span(), message, "give this collector an id and a file name of its own"));
        }
        if found.is_empty() {
            collectors.insert(id.get_ref().clone(), loaded);
        }
        problems.extend(found);
    }
    collectors
}

fn load_criteria(
    files: &Files,
    registry: &Registry,
    collectors: &BTreeMap<String, LoadedCollector>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, CriteriaSet> {
    let mut criteria: BTreeMap<String, CriteriaSet> = BTreeMap::new();
    for (file, text) in files.under("criteria/") {
        let set = match CriteriaSet::parse(file, text) {
            Ok(set) => set,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let mut found = set.check_indicators(&|id| registry.indicator(id).is_some());
        found.extend(set.check_portals(&|id| of_portals(registry, id)));
        found.extend(set.check_collectors(&|id| collectors.contains_key(id)));
        if let Some(first) = criteria.get(&set.id) {
            let message = format!("the id {:?} is that of {} too", set.id, first.file);
            found.push(Problem::at(file, text, id_span(text), message, "give this set an id of its own; a changed formula is a new set"));
        }
        if found.is_empty() {
            criteria.insert(set.id.clone(), set);
        }
        problems.extend(found);
    }
    criteria
}

fn of_portals(registry: &Registry, id: &str) -> OfPortals {
    let Some(indicator) = registry.indicator(id) else { return OfPortals::default() };
    let (per_portal, on_terms) = (indicator.per.is_some(), ON_TERMS.contains(&id));
    OfPortals { per_portal, on_terms, bounded: indicator.within.is_some() }
}

/// The file's name without `.toml`.
fn stem(file: &str) -> &str {
    file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default()
}

/// Where the `id` of a file stands.
fn id_span(text: &str) -> std::ops::Range<usize> {
    #[derive(serde::Deserialize)]
    struct Head {
        id: toml::Spanned<String>,
    }
    toml::from_str::<Head>(text).map_or(0..0, |head| head.id.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places and messages that a change of the shipped files adds.
    fn problems(change: &[(&str, &str)]) -> Vec<String> {
        let change: Files = change.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let (_, problems) = Catalogue::load(&Files::embedded().overlay(change));
        problems.into_iter().map(|p| format!("{}:{} {}", p.file, p.line, p.message)).collect()
    }

    #[test]
    fn an_id_is_that_of_one_file() {
        let embedded = Files::embedded();
        let progress = embedded.get("collectors/npsp-progress.toml").expect("a shipped file");
        assert_eq!(problems(&[]), Vec::<String>::new());
        let doubled = problems(&[("collectors/old/npsp-progress.toml", progress)]);
        assert_eq!(doubled, ["collectors/old/npsp-progress.toml:3 the id \"npsp-progress\" is that of collectors/npsp-progress.toml too"]);
        let (file, set) = embedded.under("criteria/").next().expect("a shipped file");
        let name = file.rsplit('/').next().expect("a name");
        let copy = format!("criteria/z/{name}");
        let doubled = problems(&[(&copy, set)]);
        let (place, message) = doubled[0].split_once(' ').expect("a place and a message");
        assert!(doubled.len() == 1 && message.ends_with(&format!("is that of {file} too")), "{doubled:?}");
        assert!(place.starts_with(&format!("{copy}:")) && place != format!("{copy}:1"), "{place}");
    }

    #[test]
    fn an_indicator_names_a_collector_that_exists() {
        let embedded = Files::embedded();
        let indicators = embedded.get("registry/indicators.toml").expect("a shipped file");
        let named = |id: &str| indicators.replacen("\n[[indicator]]", &format!("\n[[indicator]]\ncollector = {id:?}"), 1);
        assert_eq!(problems(&[("registry/indicators.toml", &named("npsp-progress"))]), Vec::<String>::new());
        let wrong = problems(&[("registry/indicators.toml", &named("npsp-progres"))]);
        assert!(wrong.len() == 1 && wrong[0].ends_with("there is no collector \"npsp-progres\""), "{wrong:?}");
    }
}
