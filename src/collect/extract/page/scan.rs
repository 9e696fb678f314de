//! `Scan`: the elements of a page that a reader may meet, in their order, with paths and texts that prove a result.

use std::collections::HashSet;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node, Selector};

use super::Proof;
use crate::collect::collector::page::Phrase;
use crate::collect::extract::html::{Page, text_of};
use crate::model::clean;

/// So many levels of a path are shown, those nearest to the element.
const MOST_LEVELS: usize = 40;
/// So many characters of a text are shown.
const SHOWN: usize = 160;

/// A page walked through once.
pub(super) struct Scan<'p> {
    /// The page itself.
    pub(super) page: &'p Page,
    /// Every element but those that no reader sees (scripts, styles, what stands for browsers without scripts).
    pub(super) elements: Vec<ElementRef<'p>>,
    /// Headings in their order.
    pub(super) headings: Vec<Heading<'p>>,
    /// Links (`<a>`) in their order, with their words.
    pub(super) links: Vec<(ElementRef<'p>, String)>,
    ids: HashSet<NodeId>,
}

/// A heading, or what announces a part of a page as one does.
pub(super) struct Heading<'p> {
    pub(super) element: ElementRef<'p>,
    /// 1 to 6; 7 for what is no heading but stands above a part (`<legend>`, `<summary>`).
    pub(super) level: u8,
    /// Its words, as `Phrase::words_of` gives them.
    pub(super) words: String,
}

impl<'p> Scan<'p> {
    /// Of a page.
    pub(super) fn of(page: &'p Page) -> Scan<'p> {
        let elements: Vec<ElementRef> = visible(page.root()).filter_map(ElementRef::wrap).collect();
        let ids = elements.iter().map(|element| element.id()).collect();
        let heading = |element: &ElementRef<'p>| {
            let level = level_of(*element)?;
            Some(Heading { element: *element, level, words: Phrase::words_of(&label(*element)) })
        };
        let headings = elements.iter().filter_map(heading).collect();
        let links = elements.iter().filter(|element| element.value().name() == "a");
        let links = links.map(|link| (*link, Phrase::words_of(&label(*link)))).collect();
        Scan { page, elements, headings, links, ids }
    }

    /// The elements with this name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = ElementRef<'p>> + 'a {
        self.elements.iter().copied().filter(move |element| element.value().name() == name)
    }

    /// The elements that a selector matches and a reader may meet.
    pub(super) fn select(&self, selector: &Selector) -> Vec<ElementRef<'p>> {
        self.page.select(selector).into_iter().filter(|element| self.ids.contains(&element.id())).collect()
    }

    /// The element with this `id`.
    pub(super) fn by_id(&self, id: &str) -> Option<ElementRef<'p>> {
        self.elements.iter().copied().find(|element| element.attr("id") == Some(id))
    }

    /// The body, or the frames that stand in its place.
    pub(super) fn body(&self) -> Option<ElementRef<'p>> {
        self.page.root().child_elements().find(|child| matches!(child.value().name(), "body" | "frameset"))
    }
}

/// The nodes below an element that a reader may meet, itself first.
pub(super) fn visible<'p>(of: ElementRef<'p>) -> impl Iterator<Item = NodeRef<'p, Node>> {
    let mut hidden: Option<NodeId> = None;
    of.traverse().filter_map(move |edge| match edge {
        Edge::Open(node) if hidden.is_none() && is_unseen(node.value()) => {
            hidden = Some(node.id());
            None
        }
        Edge::Open(node) => hidden.is_none().then_some(node),
        Edge::Close(node) => {
            if hidden == Some(node.id()) {
                hidden = None;
            }
            None
        }
    })
}

/// The texts below an element that a reader may meet, each with the element it stands in.
pub(super) fn texts<'p>(of: ElementRef<'p>) -> impl Iterator<Item = (ElementRef<'p>, &'p str)> {
    visible(of).filter_map(|node| {
        let Node::Text(text) = node.value() else { return None };
        Some((node.parent().and_then(ElementRef::wrap)?, &**text))
    })
}

/// Whether browsers that run scripts show nothing of it.
pub(super) fn is_unseen(node: &Node) -> bool {
    matches!(node, Node::Element(element) if matches!(element.name(), "script" | "style" | "template" | "noscript"))
}

/// The level of a heading, of an element that is one.
pub(super) fn level_of(element: ElementRef) -> Option<u8> {
    let role = element.attr("role").map(|role| role.trim().eq_ignore_ascii_case("heading"));
    match element.value().name() {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        // ARIA: a heading without a level has the second.
        _ if role == Some(true) => {
            let level = element.attr("aria-level").and_then(|level| level.trim().parse().ok());
            Some(level.filter(|level| (1..=6).contains(level)).unwrap_or(2))
        }
        "legend" | "summary" | "caption" => Some(7),
        _ => None,
    }
}

/// What an element is called: its text, else what is said in its place (`aria-label`, `title`, the `alt` of its images).
pub(super) fn label(element: ElementRef) -> String {
    let text = text_of(element);
    if !text.trim().is_empty() {
        return text;
    }
    let stated = ["aria-label", "title"].into_iter().filter_map(|name| element.attr(name)).find(|text| !text.trim().is_empty());
    stated.map_or_else(|| element.descendent_elements().filter_map(|inner| inner.attr("alt")).collect::<Vec<_>>().join(" "), str::to_owned)
}

/// Whether the element or what it stands in is marked as hidden.
pub(super) fn is_hidden(element: ElementRef) -> bool {
    let marked = |element: ElementRef| {
        let style = element.attr("style").unwrap_or_default().to_ascii_lowercase().replace(char::is_whitespace, "");
        element.attr("hidden").is_some()
            || element.attr("aria-hidden").is_some_and(|hidden| hidden.trim().eq_ignore_ascii_case("true"))
            || style.contains("display:none")
            || style.contains("visibility:hidden")
    };
    marked(element) || element.ancestors().filter_map(ElementRef::wrap).any(marked)
}

/// An element as proof: its path, and what stands there.
pub(super) fn proof(element: ElementRef) -> Proof {
    let text = clean(&text_of(element));
    Proof { place: path(element), text: shortened(if text.is_empty() { opening_tag(element) } else { text }) }
}

/// A selector that leads to an element: `html > body > main > section:nth-child(2)`. Of very deep ones only the end.
pub(super) fn path(element: ElementRef) -> String {
    let steps: Vec<ElementRef> = std::iter::once(element).chain(element.ancestors().filter_map(ElementRef::wrap)).collect();
    let mut shown: Vec<String> = steps.iter().take(MOST_LEVELS).map(|element| step(*element)).collect();
    shown.reverse();
    let before = if steps.len() > MOST_LEVELS { "… > " } else { "" };
    format!("{before}{}", shown.join(" > "))
}

/// Name of an element, with its place among its siblings where others have that name.
fn step(element: ElementRef) -> String {
    let name = element.value().name();
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let name = if plain { name } else { "*" };
    let siblings = || element.prev_siblings().chain(element.next_siblings()).filter_map(ElementRef::wrap);
    match !plain || siblings().any(|sibling| sibling.value().name() == name) {
        true => format!("{name}:nth-child({})", element.prev_siblings().filter_map(ElementRef::wrap).count() + 1),
        false => name.to_owned(),
    }
}

/// An element without a text, as it is written.
pub(super) fn opening_tag(element: ElementRef) -> String {
    let attributes = element.value().attrs().map(|(name, value)| format!(" {name}=\"{}\"", clean(value)));
    format!("<{}{}>", element.value().name(), attributes.collect::<String>())
}

/// At most so many characters of a text.
pub(super) fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// What was looked for where nothing stands.
pub(super) fn nothing_at(place: impl Into<String>) -> Proof {
    Proof { place: place.into(), text: String::new() }
}
