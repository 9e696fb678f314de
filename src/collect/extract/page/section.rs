//! Whether a mandatory section is there and not empty: by its element, or by a heading above it or a link to it.

use std::collections::HashSet;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

use super::scan::{Heading, Scan, is_unseen, level_of, nothing_at, proof};
use super::{Proof, Verdict};
use crate::collect::collector::page::{Phrase, SectionCheck};

/// What sites write where they have nothing to say, folded, without marks.
const PLACEHOLDERS: [&str; 7] = [
    " đang cập nhật ",
    " đang được cập nhật ",
    " chưa có dữ liệu ",
    " không có dữ liệu ",
    " chưa có nội dung ",
    " no data ",
    " coming soon ",
];
/// A text of more words than this is no placeholder, whatever it says.
const MOST_PLACEHOLDER_WORDS: usize = 12;

/// Judges one section; the proof is the element that is the section, its heading or its link.
pub(super) fn judge(scan: &Scan, section: &SectionCheck) -> Verdict {
    let (candidates, wanted) = match (&section.css, &section.heading) {
        (Some(css), _) => {
            let element = |element: ElementRef| (proof(element), !section.not_empty || has_content(element));
            (scan.select(&css.selector()).into_iter().map(element).collect(), css.0.clone())
        }
        (None, phrases) => {
            let phrases = phrases.as_ref().map(|phrases| phrases.0.as_slice()).unwrap_or_default();
            let texts: Vec<String> = phrases.iter().map(|phrase| format!("{:?}", phrase.text)).collect();
            (announced(scan, section.not_empty, phrases), format!("heading or link {}", texts.join(" or ")))
        }
    };
    let good = candidates.iter().find(|(_, good)| *good).cloned();
    match good.or_else(|| candidates.into_iter().next()) {
        Some((proof, true)) => Verdict::Passed(proof),
        Some((proof, false)) => Verdict::Failed(Proof { place: format!("{} (empty)", proof.place), ..proof }),
        None => Verdict::Failed(nothing_at(wanted)),
    }
}

/// Headings and links that name the section, each with whether it has something to show.
fn announced(scan: &Scan, not_empty: bool, phrases: &[Phrase]) -> Vec<(Proof, bool)> {
    let names = |words: &str| phrases.iter().any(|phrase| phrase.names(words));
    let headings = scan.headings.iter().enumerate().filter(|(_, heading)| names(&heading.words));
    let headings = headings.map(|(at, heading)| (proof(heading.element), !not_empty || has_content_below(scan, at)));
    let links = scan.links.iter().filter(|(_, words)| names(words));
    headings.chain(links.map(|(link, _)| (proof(*link), !not_empty || leads_somewhere(scan, *link)))).collect()
}

/// Whether a link leads to another page, to a part of this one that is not empty, or opens a menu with links.
fn leads_somewhere(scan: &Scan, link: ElementRef) -> bool {
    leads(scan, link) || {
        let item = link.ancestors().filter_map(ElementRef::wrap).find(|above| above.value().name() == "li");
        item.is_some_and(|item| {
            item.descendent_elements().any(|inner| inner.id() != link.id() && inner.value().name() == "a" && leads(scan, inner))
        })
    }
}

fn leads(scan: &Scan, link: ElementRef) -> bool {
    let target = link.attr("href").unwrap_or_default().trim().to_lowercase();
    match target.strip_prefix('#') {
        Some("") => false,
        Some(_) => {
            let id = link.attr("href").unwrap_or_default().trim().trim_start_matches('#');
            scan.by_id(id).is_some_and(has_content)
        }
        None if target.is_empty() => false,
        // `javascript:;`, `javascript:void(0)`: nothing; `javascript:__doPostBack('menu')` goes on.
        None => target
            .strip_prefix("javascript:")
            .is_none_or(|code| !matches!(code.trim_end_matches(';').trim(), "" | "void(0)" | "void 0" | "return false")),
    }
}

/// Whether an element has more to show than its headings.
pub(super) fn has_content(element: ElementRef) -> bool {
    let mut content = Content::default();
    let mut heading: Option<NodeId> = None;
    for edge in element.traverse() {
        match edge {
            Edge::Open(node) if heading.is_none() && hides(node) => heading = Some(node.id()),
            Edge::Open(node) if heading.is_none() => content.note(node.value()),
            Edge::Close(node) if heading == Some(node.id()) => heading = None,
            Edge::Open(_) | Edge::Close(_) => {}
        }
    }
    content.is_some()
}

fn hides(node: ego_tree::NodeRef<Node>) -> bool {
    is_unseen(node.value()) || ElementRef::wrap(node).is_some_and(|element| level_of(element).is_some())
}

/// Whether something stands below a heading, up to the next one that is no lower, or to the foot of the page.
fn has_content_below(scan: &Scan, at: usize) -> bool {
    let heading = &scan.headings[at];
    let mut content = Content::default();
    let (mut begun, mut hidden) = (false, None);
    for edge in part_of(scan, at).traverse() {
        match edge {
            Edge::Close(node) if node.id() == heading.element.id() => begun = true,
            Edge::Close(node) if hidden == Some(node.id()) => hidden = None,
            Edge::Open(node) if begun && hidden.is_none() => {
                let element = ElementRef::wrap(node);
                if element.is_some_and(|element| ends_part(element, heading.level)) {
                    break;
                }
                if hides(node) {
                    hidden = Some(node.id());
                } else {
                    content.note(node.value());
                }
            }
            Edge::Open(_) | Edge::Close(_) => {}
        }
    }
    content.is_some()
}

/// The greatest element that has no other heading as high as this one: what stands in it belongs to the heading. Where
/// not even the heading's parent is such, its siblings follow it, so it is the parent.
fn part_of<'p>(scan: &Scan<'p>, at: usize) -> ElementRef<'p> {
    let heading = &scan.headings[at];
    let as_high = |other: &&Heading| other.level <= heading.level;
    let before = scan.headings[..at].iter().rev().find(as_high);
    let after = scan.headings[at + 1..].iter().find(as_high);
    let above = |other: Option<&Heading>| -> HashSet<NodeId> {
        other.map(|other| other.element.ancestors().map(|node| node.id()).collect()).unwrap_or_default()
    };
    let (above_before, above_after) = (above(before), above(after));
    let mut part = heading.element;
    for parent in heading.element.ancestors().filter_map(ElementRef::wrap) {
        let shared = above_before.contains(&parent.id()) || above_after.contains(&parent.id());
        if shared && part.id() != heading.element.id() {
            break;
        }
        part = parent;
        if shared {
            break;
        }
    }
    part
}

/// Whether what a heading announces ends here.
fn ends_part(element: ElementRef, level: u8) -> bool {
    let element_name = element.value().name();
    let is_foot = |word: &str| word.to_ascii_lowercase().starts_with("footer");
    let named = [element.attr("id"), element.attr("class")].into_iter().flatten().flat_map(str::split_ascii_whitespace);
    level_of(element).is_some_and(|next| next <= level)
        || matches!(element_name, "footer")
        || element.attr("role").is_some_and(|role| role.trim() == "contentinfo")
        || named.into_iter().any(is_foot)
}

/// What was met so far: words, and what is no text.
#[derive(Default)]
struct Content {
    text: String,
    has_media: bool,
}

impl Content {
    fn note(&mut self, node: &Node) {
        match node {
            Node::Text(text) => {
                self.text.push_str(text);
                self.text.push(' ');
            }
            Node::Element(element) => {
                let with_source =
                    matches!(element.name(), "img" | "iframe" | "embed") && element.attr("src").is_some_and(|src| !src.trim().is_empty());
                self.has_media |= with_source || matches!(element.name(), "video" | "object" | "canvas");
            }
            Node::Document | Node::Fragment | Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => {}
        }
    }

    fn is_some(&self) -> bool {
        let words = Phrase::words_of(&self.text);
        let is_placeholder =
            words.split_ascii_whitespace().count() <= MOST_PLACEHOLDER_WORDS && PLACEHOLDERS.iter().any(|said| words.contains(said));
        self.has_media || (!words.trim().is_empty() && !is_placeholder)
    }
}
