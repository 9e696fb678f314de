//! `Live`: the declarative files in force. A bad file disables only itself, or its last good version goes on.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, Files, Problem};
use crate::model::Ts;

/// The declarative files in force.
#[derive(Debug)]
pub struct Live {
    /// What they declare.
    pub catalogue: Catalogue,
    /// What is wrong in the files as they are now.
    pub problems: Vec<Problem>,
    /// Files that are wrong now and whose last good version is in force.
    pub fallen_back: BTreeSet<String>,
    /// When they were read.
    pub loaded_at: Ts,
    /// The texts that are in force.
    files: Files,
}

impl Live {
    /// Loads files; those that are wrong are replaced by their last good version where `last_good` has one, and else left out.
    pub fn load(files: Files, unread: Vec<Problem>, last_good: &BTreeMap<String, String>, now: Ts) -> Live {
        let (catalogue, found) = Catalogue::load(&files);
        let problems: Vec<Problem> = unread.into_iter().chain(found).collect();
        let wrong: BTreeSet<String> = problems.iter().map(|problem| problem.file.clone()).collect();
        let good: Files = wrong.iter().filter_map(|file| last_good.get(file).map(|text| (file.clone(), text.clone()))).collect();
        if good.iter().next().is_none() {
            return Live { catalogue, problems, fallen_back: BTreeSet::new(), loaded_at: now, files };
        }
        let fallen_back: BTreeSet<String> = good.iter().map(|(file, _)| file.to_owned()).collect();
        let files = files.overlay(good);
        let (catalogue, still) = Catalogue::load(&files);
        // A version that was good beside other files may not be so beside these.
        let still: BTreeSet<String> = still.into_iter().map(|problem| problem.file).collect();
        let fallen_back = fallen_back.into_iter().filter(|file| !still.contains(file)).collect();
        Live { catalogue, problems, fallen_back, loaded_at: now, files }
    }

    /// The texts in force of files that are right, by path: what goes on if they are spoilt later.
    pub fn good(&self) -> BTreeMap<String, String> {
        let wrong: BTreeSet<&str> = self.problems.iter().map(|problem| problem.file.as_str()).collect();
        let is_good = |(file, _): &(&str, &str)| !wrong.contains(file) || self.fallen_back.contains(*file);
        self.files.iter().filter(is_good).map(|(file, text)| (file.to_owned(), text.to_owned())).collect()
    }

    /// Whether anything of a folder is in force.
    pub fn has_files(&self, folder: &str) -> bool {
        self.files.under(folder).next().is_some()
    }

    /// Files that are wrong now.
    pub fn wrong_files(&self) -> BTreeSet<&str> {
        self.problems.iter().map(|problem| problem.file.as_str()).collect()
    }

    /// Collectors whose file is wrong and that have no last good version, with what is wrong: they do not run.
    pub fn disabled(&self) -> BTreeMap<&str, &Problem> {
        let collector = |file: &str| file.strip_prefix("collectors/")?.rsplit('/').next()?.strip_suffix(".toml").map(str::len);
        let mut disabled = BTreeMap::new();
        for problem in &self.problems {
            let Some(length) = collector(&problem.file) else { continue };
            let end = problem.file.len() - ".toml".len();
            let id = &problem.file[end - length..end];
            if !self.catalogue.collectors.contains_key(id) {
                disabled.entry(id).or_insert(problem);
            }
        }
        disabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Ts {
        "2026-11-24T00:00:00Z".parse().expect("an instant")
    }

    fn with(path: &str, text: &str) -> Files {
        Files::embedded().overlay([(path.to_owned(), text.to_owned())].into_iter().collect())
    }

    #[test]
    fn a_bad_file_disables_itself_or_its_last_good_version_goes_on() {
        const PATH: &str = "collectors/npsp-progress.toml";
        let first = Live::load(Files::embedded(), vec![], &BTreeMap::new(), now());
        assert!(first.problems.is_empty() && first.disabled().is_empty());
        let n = first.catalogue.collectors.len();

        let alone = Live::load(with(PATH, "schema = "), vec![], &BTreeMap::new(), now());
        assert_eq!((alone.catalogue.collectors.len(), alone.disabled().len()), (n - 1, 1));
        assert!(alone.disabled().contains_key("npsp-progress"), "{:?}", alone.disabled());

        let spoilt = Live::load(with(PATH, "schema = "), vec![], &first.good(), now());
        assert_eq!((spoilt.catalogue.collectors.len(), spoilt.disabled().len()), (n, 0));
        assert_eq!((spoilt.fallen_back.len(), spoilt.wrong_files().len()), (1, 1));
        assert_eq!(spoilt.good(), first.good(), "spoilt twice, the first version still goes on");

        let gone: Files = Files::embedded().iter().filter(|(path, _)| *path != PATH).map(|(p, t)| (p.to_owned(), t.to_owned())).collect();
        let gone = Live::load(gone, vec![], &first.good(), now());
        assert!(!gone.catalogue.collectors.contains_key("npsp-progress"), "a file that was removed is not wanted");
    }
}
