//! Pages that are not the portal: cut, empty, frames, an error, a maintenance notice. Nothing is read from them.

use super::scan::{Scan, label};
use crate::collect::collector::PageRows;
use crate::collect::collector::page::Phrase;
use crate::collect::extract::found::shown;
use crate::collect::extract::html::{Page, text_of};
use crate::model::{Finding, Reason};

/// A login form or a firewall's page has hardly any links, a portal has many.
const LINKS_OF_A_PORTAL: usize = 10;
/// A page with less than so many times the least text may be nothing but a notice.
const SHORT: usize = 4;

/// How the titles of pages begin that a server sends in place of a site, folded, without marks.
const ERROR_TITLES: [&str; 28] = [
    "400 ",
    "401 ",
    "403 ",
    "404 ",
    "500 ",
    "502 ",
    "503 ",
    "504 ",
    "error",
    "http error",
    "http status",
    "server error",
    "runtime error",
    "internal server error",
    "bad gateway",
    "gateway time out",
    "service unavailable",
    "not found",
    "page not found",
    "object moved",
    "không tìm thấy",
    "lỗi",
    "index of",
    "iis windows",
    "welcome to nginx",
    "apache2 ubuntu default page",
    "default web site page",
    "account suspended",
];

/// How the titles of pages begin with which a firewall makes a browser prove itself.
const CHALLENGE_TITLES: [&str; 4] = ["just a moment", "checking your browser", "ddos guard", "attention required"];

/// Why a page is not the portal; `None` if it may be.
pub(in crate::collect::extract) fn refusal(page: &Page, rows: &PageRows) -> Option<Finding> {
    if page.is_cut() {
        let what = "the page ends before its body is closed: it was cut, and what is missing would be taken for absent";
        return Some(Finding::quarantine(Reason::Decode, "body", what));
    }
    let scan = Scan::of(page);
    let (title, text) = (title_words(&scan), text(&scan));
    let n_letters = text.chars().filter(|c| !c.is_whitespace()).count();
    let refuse = |reason, what: String| Some(Finding::quarantine(reason, "body", what));
    let begins = |starts: &[&str]| starts.iter().any(|start| title.trim_start().starts_with(start));
    if begins(&CHALLENGE_TITLES) {
        return refuse(Reason::Firewall, format!("a firewall's page instead of the portal, titled {}", shown(title.trim())));
    }
    if begins(&ERROR_TITLES) {
        return refuse(Reason::ErrorInBody, format!("a page titled {} instead of the portal", shown(title.trim())));
    }
    if let Some(phrase) = maintenance(&scan, rows, &title, (&text, n_letters)) {
        return refuse(Reason::MaintenancePage, format!("the site says {:?}; the page begins {}", phrase.text, shown(&text)));
    }
    if n_letters >= rows.least_text.get() {
        return None;
    }
    let what = match scan.body() {
        Some(body) if body.value().name() == "frameset" => {
            "a set of frames, whose content is in other pages: ask for the one that is the portal".to_owned()
        }
        Some(_) | None => format!(
            "{n_letters} characters of text where a portal has at least {} (least_text): nothing, or what only a script would show; it begins {}",
            rows.least_text,
            shown(&text)
        ),
    };
    refuse(Reason::SelectorMissing, what)
}

/// Whether a page that holds a login form or the words of a firewall has what neither has: text and links.
pub(in crate::collect::extract) fn is_more_than_a_form(page: &Page, rows: &PageRows) -> bool {
    let scan = Scan::of(page);
    let n_links = scan.links.iter().filter(|(link, _)| link.attr("href").is_some()).count();
    n_links >= LINKS_OF_A_PORTAL && text(&scan).chars().filter(|c| !c.is_whitespace()).count() >= rows.least_text.get()
}

fn maintenance<'r>(scan: &Scan, rows: &'r PageRows, title: &str, (text, n_letters): (&str, usize)) -> Option<&'r Phrase> {
    let main_headings = scan.headings.iter().filter(|heading| heading.level == 1).map(|heading| heading.words.as_str());
    let mut places: Vec<&str> = main_headings.chain([title]).collect();
    let whole = Phrase::words_of(text);
    if n_letters < SHORT * rows.least_text.get() {
        places.push(&whole);
    }
    rows.maintenance.iter().find(|phrase| places.iter().any(|words| phrase.is_in(words)))
}

fn title_words(scan: &Scan) -> String {
    scan.named("title").next().map(|title| Phrase::words_of(&label(title))).unwrap_or_default()
}

fn text(scan: &Scan) -> String {
    scan.body().map(text_of).unwrap_or_default()
}
