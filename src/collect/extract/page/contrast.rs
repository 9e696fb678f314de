//! Whether text stands out from its background (WCAG 2.0, 1.4.3), where the page itself states both colours.
//!
//! Only what cannot be otherwise is judged: both colours in one `style`, or in the one rule of a `<style>` that colours
//! the element. What a style sheet elsewhere, a script, an image or a transparent colour decides is left alone.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Node, Selector};

use super::scan::{Scan, is_hidden, level_of, path, shortened};
use super::{Proof, Verdict};
use crate::model::clean;

/// 1.4.3: least contrast of text.
const LEAST: f64 = 4.5;
/// 1.4.3: least contrast of large text (from 18 pt, or bold from 14 pt).
const LEAST_OF_LARGE: f64 = 3.0;
/// A page with more rules about colours is judged by its `style` attributes alone.
const MOST_RULES: usize = 500;

/// A colour in sRGB.
type Rgb = [u8; 3];

/// What a block of declarations says of colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Colours {
    /// It says something of either.
    touches: bool,
    /// Both, where both can be computed: text, background.
    pair: Option<(Rgb, Rgb)>,
    /// The text is large by itself.
    is_large: bool,
}

/// Passed if the faintest text that can be judged stands out enough; it is the proof.
pub(super) fn judge(scan: &Scan) -> Verdict {
    let rules = rules(scan);
    let mut faintest: Option<(f64, ElementRef, (Rgb, Rgb))> = None;
    for element in scan.elements.iter().copied() {
        let Some(colours) = colours_of(element, &rules) else { continue };
        let Some(pair) = colours.pair.filter(|_| has_own_text(element) && !is_hidden(element)) else { continue };
        let ratio = ratio(pair);
        let may_be_large = colours.is_large || is_heading(element);
        // Whether a heading's text is large enough for the lower bound only its style sheet tells.
        if may_be_large && (LEAST_OF_LARGE..LEAST).contains(&ratio) {
            continue;
        }
        if faintest.is_none_or(|(least, ..)| ratio < least) {
            faintest = Some((ratio, element, pair));
        }
    }
    let Some((ratio, element, (text, ground))) = faintest else { return Verdict::NotRun };
    let words = clean(&crate::collect::extract::html::text_of(element));
    let text = format!("{} on {}, contrast {ratio:.2}: {words}", hex(text), hex(ground));
    let proof = Proof { place: path(element), text: shortened(text) };
    if ratio >= LEAST { Verdict::Passed(proof) } else { Verdict::Failed(proof) }
}

/// What colours an element without doubt: its own `style`, else the only rule that colours it.
fn colours_of(element: ElementRef, rules: &HashMap<NodeId, Vec<Colours>>) -> Option<Colours> {
    let by_rules = rules.get(&element.id()).map(Vec::as_slice).unwrap_or_default();
    match element.attr("style").map(colours).filter(|colours| colours.touches) {
        Some(own) => Some(own),
        None => match by_rules {
            [only] => Some(*only),
            _ => None,
        },
    }
}

/// The rules of `<style>` elements that colour each element.
fn rules(scan: &Scan) -> HashMap<NodeId, Vec<Colours>> {
    let sheets = scan.page.root().descendent_elements().filter(|element| {
        let media = element.attr("media").unwrap_or_default().trim().to_ascii_lowercase();
        element.value().name() == "style" && matches!(media.as_str(), "" | "all" | "screen")
    });
    let texts: Vec<String> = sheets.map(|sheet| sheet.text().collect()).collect();
    let coloured: Vec<(Selector, Colours)> =
        texts.iter().flat_map(|text| blocks(text)).filter_map(|(to, block)| rule(&to, &block)).collect();
    let mut by_element: HashMap<NodeId, Vec<Colours>> = HashMap::new();
    if coloured.len() <= MOST_RULES {
        for (selector, colours) in &coloured {
            for element in scan.select(selector) {
                by_element.entry(element.id()).or_default().push(*colours);
            }
        }
    }
    by_element
}

/// A rule about colours, whatever is in it. States (`:hover`) and generated content are other than the element at rest.
fn rule(selector: &str, block: &str) -> Option<(Selector, Colours)> {
    let colours = colours(block);
    if !colours.touches || selector.contains(':') {
        return None;
    }
    Some((Selector::parse(selector).ok()?, colours))
}

/// The plain rules of a style sheet, selector and declarations; what stands in `@media` and its kin is left out.
fn blocks(sheet: &str) -> Vec<(String, String)> {
    let sheet = without_comments(sheet);
    let (mut found, mut rest) = (Vec::new(), sheet.as_str());
    while let Some(open) = rest.find('{') {
        let prelude = rest[..open].rsplit([';', '}']).next().unwrap_or_default().trim();
        let after = &rest[open + 1..];
        let close = closing(after);
        if !prelude.starts_with('@') && !prelude.is_empty() {
            found.push((prelude.to_owned(), after[..close].to_owned()));
        }
        rest = after.get(close + 1..).unwrap_or_default();
    }
    found
}

/// Where the block ends that has just been opened.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn without_comments(sheet: &str) -> String {
    let mut kept = String::new();
    let mut rest = sheet;
    while let Some(open) = rest.find("/*") {
        kept.push_str(&rest[..open]);
        kept.push(' ');
        rest = rest[open + 2..].split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// What a block of declarations says of colours; of two about one thing the later one holds.
fn colours(block: &str) -> Colours {
    let (mut text, mut ground, mut said) = (None, None, Colours::default());
    for declaration in split_outside_brackets(block) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let value = value.to_ascii_lowercase();
        let value = value.trim().trim_end_matches("!important").trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "color" => text = Some(colour(value)),
            "background-color" | "background" => ground = Some(colour(value)),
            "background-image" if value != "none" => ground = Some(None),
            "opacity" | "filter" | "mix-blend-mode" => ground = Some(None),
            "font-size" => said.is_large |= is_large(value),
            "font" => said.is_large |= value.split_whitespace().any(is_large),
            _ => {}
        }
    }
    said.touches = text.is_some() || ground.is_some();
    said.pair = text.flatten().zip(ground.flatten());
    said
}

fn split_outside_brackets(block: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in block.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => {
                parts.push(&block[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&block[start..]);
    parts
}

/// Whether text of this size may be large (18 pt; bold from 14 pt) or cannot be known to be small.
fn is_large(size: &str) -> bool {
    let number = size.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let Ok(number) = number.parse::<f64>() else { return false };
    match size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "px" => number >= 18.0,
        "pt" => number >= 14.0,
        "em" | "rem" => number > 1.0,
        "%" => number > 100.0,
        _ => false,
    }
}

/// A colour that is stated and covers what is below it; `None` for any other.
fn colour(value: &str) -> Option<Rgb> {
    if let Some(hex) = value.strip_prefix('#') {
        return of_hex(hex);
    }
    if let Some(inside) = value.strip_prefix("rgba(").or_else(|| value.strip_prefix("rgb(")) {
        return of_function(inside.strip_suffix(')')?);
    }
    NAMED.iter().find(|(name, _)| *name == value).map(|(_, rgb)| *rgb)
}

fn of_hex(hex: &str) -> Option<Rgb> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    match digits.as_slice() {
        [r, g, b] | [r, g, b, 15] => Some([r * 17, g * 17, b * 17]),
        [r, s, g, h, b, c] | [r, s, g, h, b, c, 15, 15] => Some([r * 16 + s, g * 16 + h, b * 16 + c]),
        _ => None,
    }
}

fn of_function(inside: &str) -> Option<Rgb> {
    let parts: Vec<&str> = inside.split([',', '/', ' ']).filter(|part| !part.is_empty()).collect();
    let channel = |part: &str| match part.strip_suffix('%') {
        Some(share) => share.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share)).map(|share| (share * 2.55).round() as u8),
        None => part.parse::<u8>().ok(),
    };
    match parts.as_slice() {
        [r, g, b] | [r, g, b, "1" | "1.0" | "100%"] => Some([channel(r)?, channel(g)?, channel(b)?]),
        _ => None,
    }
}

/// The sixteen basic names of CSS, and those that pages of the field use beside them.
const NAMED: [(&str, Rgb); 24] = [
    ("black", [0, 0, 0]),
    ("silver", [192, 192, 192]),
    ("gray", [128, 128, 128]),
    ("grey", [128, 128, 128]),
    ("white", [255, 255, 255]),
    ("maroon", [128, 0, 0]),
    ("red", [255, 0, 0]),
    ("purple", [128, 0, 128]),
    ("fuchsia", [255, 0, 255]),
    ("green", [0, 128, 0]),
    ("lime", [0, 255, 0]),
    ("olive", [128, 128, 0]),
    ("yellow", [255, 255, 0]),
    ("navy", [0, 0, 128]),
    ("blue", [0, 0, 255]),
    ("teal", [0, 128, 128]),
    ("aqua", [0, 255, 255]),
    ("cyan", [0, 255, 255]),
    ("magenta", [255, 0, 255]),
    ("orange", [255, 165, 0]),
    ("darkblue", [0, 0, 139]),
    ("darkred", [139, 0, 0]),
    ("lightgray", [211, 211, 211]),
    ("lightgrey", [211, 211, 211]),
];

/// WCAG 2.0, "contrast ratio": (L1 + 0.05) / (L2 + 0.05), the lighter one above the line.
fn ratio((text, ground): (Rgb, Rgb)) -> f64 {
    let (a, b) = (luminance(text), luminance(ground));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG 2.0, "relative luminance". The figures decide a yes or no and are never recorded as values.
fn luminance(rgb: Rgb) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn has_own_text(element: ElementRef) -> bool {
    element.children().any(|node| matches!(node.value(), Node::Text(text) if !text.trim().is_empty()))
}

fn is_heading(element: ElementRef) -> bool {
    std::iter::once(element)
        .chain(element.ancestors().filter_map(ElementRef::wrap))
        .any(|element| level_of(element).is_some_and(|level| level <= 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_the_recommendation() {
        for (text, ground, wanted) in [
            ("#000", "#ffffff", "21.00"),
            ("#fff", "#FFF", "1.00"),
            // The best known pair on either side of the bound.
            ("#777777", "white", "4.48"),
            ("#767676", "rgb(255,255,255)", "4.54"),
            ("red", "rgba(255, 255, 255, 1)", "4.00"),
            ("rgb(0% 0% 100%)", "#ffff", "8.59"),
        ] {
            let pair = (colour(&text.to_ascii_lowercase()).expect(text), colour(&ground.to_ascii_lowercase()).expect(ground));
            assert_eq!(format!("{:.2}", ratio(pair)), wanted, "{text} on {ground}");
        }
        for unknown in [
            "",
            "inherit",
            "transparent",
            "var(--x)",
            "#12",
            "#ffff0",
            "#fff8",
            "rgba(0,0,0,.5)",
            "rgb(1,2)",
            "url(x.png) red",
            "hsl(0,0%,0%)",
        ] {
            assert_eq!(colour(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn declarations_and_rules() {
        let both = Some(([0, 0, 0], [255, 255, 255]));
        for (block, pair) in [
            ("color:#000;background-color:#fff", both),
            (" COLOR : Black !important ; background: White", both),
            ("color:red;color:#000;background:#fff", both),
            ("background:url(data:image/png;base64,x;y) #fff;color:#000", None),
            ("color:#000;background:#fff;background-image:url(x)", None),
            ("color:#000;background:#fff;opacity:.5", None),
            ("color:#000", None),
        ] {
            assert_eq!(colours(block).pair, pair, "{block}");
        }
        let sheet =
            "@charset 'x'; a{color:#000}/* b{} */ @media print{ a{color:red} } .c , .d {background:#fff;color:#000} @font-face{x:y} e{";
        let found: Vec<String> = blocks(sheet).into_iter().map(|(selector, _)| selector).collect();
        assert_eq!(found, ["a", ".c , .d", "e"]);
    }
}
