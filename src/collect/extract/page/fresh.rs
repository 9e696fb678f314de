//! How many days ago the newest entry of a section is dated.

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;
use ego_tree::NodeId;
use scraper::ElementRef;

use super::Proof;
use super::scan::{Scan, path, shortened, texts};
use crate::collect::collector::page::FreshCheck;
use crate::collect::extract::html::text_of;
use crate::collect::number::read_date;
use crate::model::{Finding, Reason, clean};

/// A day that stands in a page.
struct Dated<'p> {
    day: NaiveDate,
    element: ElementRef<'p>,
    text: String,
}

/// Days since the newest entry and the element that holds its date; `None` with a finding if there is no date.
///
/// Dates that are still to come (announced events, mistakes) are findings and do not count.
pub(super) fn newest(scan: &Scan, check: &FreshCheck, today: NaiveDate, findings: &mut Vec<Finding>) -> Option<(i64, Proof)> {
    let place = &check.css.0;
    let scopes = scan.select(&check.css.selector());
    if scopes.is_empty() {
        findings.push(Finding::warn(Reason::SelectorMissing, place, "no element of the page is the section whose dates are read"));
        return None;
    }
    // What stands in a scope within a scope is read once.
    let ids: HashSet<NodeId> = scopes.iter().map(|scope| scope.id()).collect();
    let outermost = scopes.into_iter().filter(|scope| !scope.ancestors().any(|above| ids.contains(&above.id())));
    let mut wrong = BTreeSet::new();
    let dates: Vec<Dated> = outermost.flat_map(|scope| dates_in(scope, check, &mut wrong)).collect();
    findings.extend(wrong.into_iter().map(|what| Finding::warn(Reason::ValueUnparsed, place, what)));
    let (past, future): (Vec<Dated>, Vec<Dated>) = dates.into_iter().partition(|dated| dated.day <= today);
    if let Some(dated) = future.iter().max_by_key(|dated| dated.day) {
        let what = format!("{} dates after {today} do not count, the last is {}: {:?}", future.len(), dated.day, dated.text);
        findings.push(Finding::warn(Reason::ValueUnparsed, path(dated.element), what));
    }
    let Some(newest) = past.iter().max_by_key(|dated| dated.day) else {
        let what = format!("no date like {:?} that is not after {today}", check.format.text);
        findings.push(Finding::warn(Reason::SelectorMissing, place, what));
        return None;
    };
    Some(((today - newest.day).num_days(), Proof { place: path(newest.element), text: newest.text.clone() }))
}

/// The dates in an element: in its texts one by one, else in all of it, where a date is put together from parts.
fn dates_in<'p>(scope: ElementRef<'p>, check: &FreshCheck, wrong: &mut BTreeSet<String>) -> Vec<Dated<'p>> {
    let mut dates: Vec<Dated> = texts(scope).flat_map(|(element, text)| dates_of(element, text, check, wrong)).collect();
    if dates.is_empty() {
        dates = dates_of(scope, &text_of(scope), check, wrong);
    }
    dates
}

fn dates_of<'p>(element: ElementRef<'p>, text: &str, check: &FreshCheck, wrong: &mut BTreeSet<String>) -> Vec<Dated<'p>> {
    let text = clean(text);
    let mut dates = Vec::new();
    for found in check.format.regex.find_iter(&text) {
        // 126/09/2026 and 26/09/20261 are other things than dates.
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '/');
        if joined(text[..found.start()].chars().next_back()) || joined(text[found.end()..].chars().next()) {
            continue;
        }
        match read_date(found.as_str(), &check.format.text) {
            Ok(day) => dates.push(Dated { day, element, text: shortened(text.clone()) }),
            Err(doubt) => drop(wrong.insert(doubt.to_string())),
        }
    }
    dates
}
