//! Files with a mistake: every one is named once, at its place, with a fix; nothing panics.

mod mistakes;
mod shipped;
mod texts;

use std::collections::BTreeSet;

use mistakes::{KEYS, Mistake, PORTALS, PROBE, ROWS, SLOT, SOURCE, TYPES};
use thuocdo::catalogue::{Files, LoadedCollector, Problem, Registry};

/// What is wrong with a collector text.
fn problems(registry: &Registry, text: &str) -> Vec<Problem> {
    match LoadedCollector::parse("collectors/x.toml", text) {
        Err(problems) => problems,
        Ok(loaded) => loaded.check_against(registry),
    }
}

fn registry() -> Registry {
    let (registry, problems) = Registry::load(&Files::embedded());
    assert!(problems.is_empty(), "{problems:?}");
    registry
}

#[test]
fn the_texts_are_good_and_hold_every_key() {
    let registry = registry();
    for (name, text) in texts::ALL {
        assert_eq!(problems(&registry, text), [], "{name}");
    }
    let words = texts::ALL.iter().flat_map(|(_, text)| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let held: BTreeSet<&str> = words.collect();
    let missing: Vec<&str> = KEYS_OF_THE_FORMAT.split_whitespace().filter(|key| !held.contains(key)).collect();
    assert!(missing.is_empty(), "no text holds {missing:?}");
}

/// As collectors/README.md lists them.
const KEYS_OF_THE_FORMAT: &str = "schema id title vi en owner origin schedule cron timezone catch_up windows max_age stale_after
    source http method url headers json form for_each period closed_for unit expect status content_type body_has limits connect request run body
    rate requests per concurrency retry attempts on first max honour_retry_after breaker open_after probe_every stop_on auth bearer basic user password api_key header value secret
    expires robots owner_agreed portal
    file glob settle limit rows from html css encoding table sheet delimiter header_row columns codes name code group words
    day month quarter year read format kind item where skip column matches key indicator number decimals missing optional flag
    slot at state states up degraded down silence latency_ms
    probe every timeout confirm attempts spacing own_network references quorum targets ip redirects max same_site tls body_lacks
    maintenance_page degraded slower_than
    gate covers units at_least on_fail present at_most complete total sums_to parts whole skipped not_above part range min jump by floor
    needs_history monotonic is shape fresh evidence retain redact
    page least_text maintenance check section heading not_empty counters labels lang form_labels image_alt headings contrast https domain";

#[test]
fn every_mistake_is_named_once_at_its_place() {
    let registry = registry();
    let all: Vec<&Mistake> = [KEYS, TYPES, SOURCE, ROWS, PORTALS, SLOT, PROBE].into_iter().flatten().collect();
    let mut wrong = Vec::new();
    for mistake in &all {
        if let Err(why) = check(&registry, mistake) {
            wrong.push(format!("{:?} in place of {:?} ({}): {why}", mistake.new, mistake.old, mistake.text));
        }
    }
    println!("bad collector files: {} of {} named once, at their place", all.len() - wrong.len(), all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(registry: &Registry, mistake: &Mistake) -> Result<(), String> {
    let good = texts::ALL.iter().find(|(name, _)| *name == mistake.text).ok_or("no such text")?.1;
    if good.matches(mistake.old).count() != 1 {
        return Err("what is replaced must stand there once".to_owned());
    }
    let bad = good.replacen(mistake.old, mistake.new, 1);
    let found = problems(registry, &bad);
    let [problem] = found.as_slice() else {
        return Err(format!("{} problems: {found:#?}", found.len()));
    };
    let line = bad.lines().nth(problem.line - 1).unwrap_or_default();
    let at: String = line.chars().skip(problem.column - 1).collect();
    if problem.line != mistake.line || !at.starts_with(mistake.at) {
        return Err(format!("not in line {} at {:?}: {problem}", mistake.line, mistake.at));
    }
    if !problem.message.contains(mistake.words) || problem.fix.trim().is_empty() || problem.file != "collectors/x.toml" {
        return Err(format!("not {:?} with a fix: {problem}", mistake.words));
    }
    Ok(())
}
