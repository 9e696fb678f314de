//! Every shipped file cut anywhere, as by a full disk: problems or fine, never a panic, never a problem without a fix.

use std::process::Command;

use thuocdo::catalogue::{Files, LoadedCollector, Problem, Registry};
use thuocdo::score::criteria::CriteriaSet;
use thuocdo::settings::Settings;

/// How far apart the cuts are, in bytes.
const STEP: usize = 50;

/// The text up to every 50th byte; a cut within a letter takes the whole letter away.
fn cuts(text: &str) -> impl Iterator<Item = &str> {
    (0..text.len()).step_by(STEP).map(|at| &text[..text.floor_char_boundary(at)])
}

/// Every problem says what, where and how to mend it.
fn assert_useful(problems: &[Problem], text: &str) {
    for problem in problems {
        assert!(!problem.message.trim().is_empty() && !problem.fix.trim().is_empty(), "{problem:?}");
        assert!(problem.line >= 1 && problem.column >= 1, "{problem:?}");
        let lines = text.lines().count() + 1;
        assert!(problem.line <= lines, "line {} of {lines}: {problem}", problem.line);
    }
}

#[test]
fn cut_collectors_and_criteria() {
    let files = Files::embedded();
    let (registry, _) = Registry::load(&files);
    let mut n_cuts = 0;
    for (file, text) in files.under("collectors/").filter(|(file, _)| file.ends_with(".toml")) {
        for cut in cuts(text) {
            n_cuts += 1;
            let problems = match LoadedCollector::parse(file, cut) {
                Err(problems) => problems,
                Ok(loaded) => loaded.check_against(&registry),
            };
            assert_useful(&problems, cut);
        }
    }
    for (file, text) in files.under("criteria/").filter(|(file, _)| file.ends_with(".toml")) {
        for cut in cuts(text) {
            n_cuts += 1;
            let problems = match CriteriaSet::parse(file, cut) {
                Err(problems) => problems,
                Ok(set) => set.check_indicators(&|id| registry.indicator(id).is_some()),
            };
            assert_useful(&problems, cut);
        }
    }
    println!("cut collectors and criteria: {n_cuts} of {n_cuts} without a panic");
}

#[test]
fn cut_registry() {
    let files = Files::embedded();
    let mut n_cuts = 0;
    for (file, text) in files.under("registry/") {
        for cut in cuts(text) {
            n_cuts += 1;
            let changed = files.clone().overlay([(file.to_owned(), cut.to_owned())].into_iter().collect());
            let (_, problems) = Registry::load(&changed);
            // A cut list also leaves what other files name without an entry: those problems stand in their files.
            problems
                .iter()
                .for_each(|problem| assert_useful(std::slice::from_ref(problem), changed.get(&problem.file).unwrap_or_default()));
        }
    }
    println!("cut registry files: {n_cuts} of {n_cuts} without a panic");
}

#[test]
fn cut_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let init = Command::new(env!("CARGO_BIN_EXE_thuocdo")).arg("init").arg(folder.path().join("new")).output().expect("the program");
    assert!(init.status.success(), "{init:?}");
    let text = std::fs::read_to_string(folder.path().join("new/thuocdo.toml")).expect("settings");
    Settings::parse("thuocdo.toml", &text).expect("what init writes is good");
    for cut in (0..text.len()).map(|at| &text[..text.floor_char_boundary(at)]) {
        if let Err(problem) = Settings::parse("thuocdo.toml", cut) {
            assert_useful(&[problem], cut);
        }
    }
}
