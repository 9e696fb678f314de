//! Checks of a whole page: what each of them saw, with the element that proves it.

mod a11y;
mod contrast;
mod counters;
mod fresh;
mod refusal;
mod scan;
mod section;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

pub(super) use refusal::{is_more_than_a_form, refusal};

use super::html::Page;
use crate::collect::collector::page::{A11Y_BASIC, DOMAIN_OK, FRESHNESS, HTTPS, SECTION_PRESENT, SECTIONS_RATE, STATS_PUBLISHED};
use crate::collect::collector::page::{A11Y_CHECK, HostPattern};
use crate::collect::collector::{Check, Rows};
use crate::model::{Exact, Finding, Reason};
use scan::Scan;

/// So many digits of a share are kept; its text has both counts.
const SHARE_DIGITS: u32 = 6;

/// What one check saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Of which indicator it is a value.
    pub(super) indicator: &'static str,
    /// The item within the portal, "" for none.
    pub(super) item: String,
    /// The value.
    pub(super) value: Exact,
    /// The element that proves it, or what was looked for.
    pub(super) proof: Proof,
}

/// The element that proves a result, or what was looked for where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proof {
    /// Its path, or the selector or text that leads to nothing.
    pub(super) place: String,
    /// What stands there, shortened; "" where nothing does.
    pub(super) text: String,
}

/// The outcome of a check that is passed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Passed(Proof),
    Failed(Proof),
    /// There is nothing to be judged, or it cannot be; never counted as passed.
    NotRun,
}

/// Runs the checks of one `[[rows]]`: what they saw, in the file's order, then the shares; and what was in doubt.
pub(super) fn run(page: &Page, rows: &Rows, address: &str, today: NaiveDate) -> (Vec<Seen>, Vec<Finding>) {
    let mut judged = Judged { scan: Scan::of(page), address, today, seen: Vec::new(), findings: Vec::new() };
    let (mut sections, mut a11y) = (Share::default(), Share::default());
    for check in rows.check.iter().map(toml::Spanned::get_ref) {
        judged.run(check, &mut sections, &mut a11y);
    }
    judged.seen.extend(sections.seen(SECTIONS_RATE));
    judged.seen.extend(a11y.seen(A11Y_BASIC));
    (judged.seen, judged.findings)
}

struct Judged<'p> {
    scan: Scan<'p>,
    address: &'p str,
    today: NaiveDate,
    seen: Vec<Seen>,
    findings: Vec<Finding>,
}

impl Judged<'_> {
    fn run(&mut self, check: &Check, sections: &mut Share, a11y: &mut Share) {
        let verdict = match check {
            Check::Section(section) => return self.count(SECTION_PRESENT, check, section::judge(&self.scan, section), sections),
            Check::Fresh(fresh) => return self.age(check, fresh),
            Check::Counters(counters) => return self.keep(STATS_PUBLISHED, check, counters::judge(&self.scan, counters)),
            Check::Https(_) => return self.address(HTTPS, check, |url| url.scheme() == "https"),
            Check::Domain(patterns) => return self.address(DOMAIN_OK, check, |url| fits(url, &patterns.0)),
            Check::Lang(_) => a11y::lang(&self.scan),
            Check::Title(_) => a11y::title(&self.scan),
            Check::FormLabels(_) => a11y::form_labels(&self.scan),
            Check::ImageAlt(_) => a11y::image_alt(&self.scan),
            Check::Headings(_) => a11y::headings(&self.scan),
            Check::Contrast(_) => contrast::judge(&self.scan),
        };
        self.count(A11Y_CHECK, check, verdict, a11y);
    }

    fn count(&mut self, indicator: &'static str, check: &Check, verdict: Verdict, share: &mut Share) {
        share.note(check.item(), &verdict);
        self.keep(indicator, check, verdict);
    }

    fn keep(&mut self, indicator: &'static str, check: &Check, verdict: Verdict) {
        let (value, proof) = match verdict {
            Verdict::Passed(proof) => (Exact::ONE, proof),
            Verdict::Failed(proof) => (Exact::ZERO, proof),
            Verdict::NotRun => return,
        };
        self.seen.push(Seen { indicator, item: check.item().to_owned(), value, proof });
    }

    fn age(&mut self, check: &Check, fresh: &crate::collect::collector::page::FreshCheck) {
        if let Some((days, proof)) = fresh::newest(&self.scan, fresh, self.today, &mut self.findings) {
            self.seen.push(Seen { indicator: FRESHNESS, item: check.item().to_owned(), value: Exact::from(days), proof });
        }
    }

    /// Judges the address that was asked; that of a saved page is not known.
    fn address(&mut self, indicator: &'static str, check: &Check, passes: impl Fn(&url::Url) -> bool) {
        let url = self.address.parse::<url::Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url else {
            let what = format!("{} is not judged: the address that was asked is not known", check.word());
            return self.findings.push(Finding::warn(Reason::Config, "address", what));
        };
        let proof = Proof { place: "address".to_owned(), text: self.address.to_owned() };
        let verdict = if passes(&url) { Verdict::Passed(proof) } else { Verdict::Failed(proof) };
        self.keep(indicator, check, verdict);
    }
}

fn fits(url: &url::Url, patterns: &[HostPattern]) -> bool {
    url.host_str().is_some_and(|host| patterns.iter().any(|pattern| pattern.fits(host)))
}

/// How many of the checks of one kind passed.
#[derive(Default)]
struct Share {
    n_passed: u32,
    failed: Vec<String>,
    not_run: Vec<String>,
}

impl Share {
    fn note(&mut self, item: &str, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(_) => self.n_passed += 1,
            Verdict::Failed(_) => self.failed.push(item.to_owned()),
            Verdict::NotRun => self.not_run.push(item.to_owned()),
        }
    }

    /// The share of those that were run; `None` if none was.
    fn seen(self, indicator: &'static str) -> Option<Seen> {
        let n_run = self.n_passed + u32::try_from(self.failed.len()).ok()?;
        let value = Exact::quotient_half_up(&[Exact::from(i64::from(self.n_passed))], &[Exact::from(i64::from(n_run))], SHARE_DIGITS);
        let value = value.ok().filter(|_| n_run > 0)?;
        let named = |word: &str, items: &[String]| if items.is_empty() { String::new() } else { format!("{word} {}", items.join(", ")) };
        let places = [named("failed:", &self.failed), named("not run:", &self.not_run)];
        let place = places.into_iter().filter(|place| !place.is_empty()).collect::<Vec<_>>().join("; ");
        let place = if place.is_empty() { "all passed".to_owned() } else { place };
        Some(Seen { indicator, item: String::new(), value, proof: Proof { place, text: format!("{}/{n_run}", self.n_passed) } })
    }
}
