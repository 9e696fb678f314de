//! Basic accessibility (WCAG 2.0): language, title, labels of form controls, images, headings.

use std::sync::LazyLock;

use regex::Regex;
use scraper::ElementRef;

use super::scan::{Scan, is_hidden, label, nothing_at, opening_tag, path, proof, shortened};
use super::{Proof, Verdict};
use crate::model::clean;

/// What looks like a language tag (BCP 47): `vi`, `vi-VN`.
static LANGUAGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$").expect("a valid expression"));

/// 3.1.1: the page states its language.
pub(super) fn lang(scan: &Scan) -> Verdict {
    let root = scan.page.root();
    let proof = as_written(root);
    match root.attr("lang").is_some_and(|lang| LANGUAGE.is_match(lang.trim())) {
        true => Verdict::Passed(proof),
        false => Verdict::Failed(proof),
    }
}

/// 2.4.2: the page has a title.
pub(super) fn title(scan: &Scan) -> Verdict {
    // A drawing (SVG) may have a title too.
    let title = scan.named("title").find(|title| title.value().name.ns == *"http://www.w3.org/1999/xhtml");
    match title {
        None => Verdict::Failed(nothing_at("html > head > title")),
        Some(title) if clean(&label(title)).is_empty() => Verdict::Failed(as_written(title)),
        Some(title) => Verdict::Passed(proof(title)),
    }
}

/// 3.3.2, 4.1.2: every form control that is not hidden has a label.
pub(super) fn form_labels(scan: &Scan) -> Verdict {
    let controls = scan.elements.iter().copied().filter(|element| is_control(*element) && !is_hidden(*element));
    every(controls, |control| is_labelled(scan, control))
}

/// 1.1.1: every image has an `alt`; an empty one says that it only decorates.
pub(super) fn image_alt(scan: &Scan) -> Verdict {
    every(scan.named("img"), |image| image.attr("alt").is_some())
}

/// 1.3.1, 2.4.6: there is a main heading, and no heading is more than one level below the one before it.
pub(super) fn headings(scan: &Scan) -> Verdict {
    let headings: Vec<_> = scan.headings.iter().filter(|heading| heading.level <= 6 && !heading.words.trim().is_empty()).collect();
    let Some(main) = headings.iter().find(|heading| heading.level == 1) else {
        let text = format!("{} headings, and none is the main one", headings.len());
        return Verdict::Failed(Proof { text, ..nothing_at("h1") });
    };
    match headings.windows(2).find(|pair| pair[1].level > pair[0].level + 1) {
        None => Verdict::Passed(proof(main.element)),
        Some(pair) => {
            let proof = proof(pair[1].element);
            Verdict::Failed(Proof {
                text: shortened(format!("level {} after level {}: {}", pair[1].level, pair[0].level, proof.text)),
                ..proof
            })
        }
    }
}

/// Passed if it holds for every element, proved by the first one; failed by the first one for which it does not.
fn every<'p>(elements: impl Iterator<Item = ElementRef<'p>>, holds: impl Fn(ElementRef<'p>) -> bool) -> Verdict {
    let elements: Vec<ElementRef> = elements.collect();
    let failed: Vec<&ElementRef> = elements.iter().filter(|element| !holds(**element)).collect();
    match (elements.first(), failed.first()) {
        (None, _) => Verdict::NotRun,
        (Some(first), None) => {
            let proof = as_written(*first);
            Verdict::Passed(Proof { text: shortened(format!("{0} of {0}: {1}", elements.len(), proof.text)), ..proof })
        }
        (Some(_), Some(first)) => {
            let proof = as_written(**first);
            let text = shortened(format!("{} of {} lack it: {}", failed.len(), elements.len(), proof.text));
            Verdict::Failed(Proof { text, ..proof })
        }
    }
}

fn as_written(element: ElementRef) -> Proof {
    Proof { place: path(element), text: shortened(opening_tag(element)) }
}

fn is_control(element: ElementRef) -> bool {
    let kind = element.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
    match element.value().name() {
        "select" | "textarea" => true,
        // A button is named by its own text; an image that is one needs an `alt`.
        "input" => !matches!(kind.as_str(), "hidden" | "submit" | "reset" | "button"),
        _ => false,
    }
}

fn is_labelled(scan: &Scan, control: ElementRef) -> bool {
    let stated = |name: &str| control.attr(name).is_some_and(|text| !text.trim().is_empty());
    let is_image = control.attr("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("image"));
    stated("aria-label")
        || stated("title")
        || (is_image && stated("alt"))
        || control.attr("aria-labelledby").is_some_and(|ids| ids.split_ascii_whitespace().any(|id| scan.by_id(id).is_some_and(has_text)))
        || control.attr("id").is_some_and(|id| scan.named("label").any(|label| label.attr("for") == Some(id) && has_text(label)))
        || control.ancestors().filter_map(ElementRef::wrap).any(|above| above.value().name() == "label" && has_text(above))
}

fn has_text(element: ElementRef) -> bool {
    !clean(&label(element)).is_empty()
}
