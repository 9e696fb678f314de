//! Whether published counters are visible: each of their labels with a number beside it.

use scraper::{ElementRef, Node};

use super::scan::{Scan, nothing_at, proof, texts, visible};
use super::{Proof, Verdict};
use crate::collect::collector::page::{CountersCheck, Phrase};
use crate::model::fold;

/// A number belongs to a label if both stand in an element of no more words than this …
const MOST_WORDS: usize = 40;
/// … so many levels above the label at most.
const MOST_LEVELS: usize = 4;

/// A label that is put together from parts is not looked for deeper than this.
const MOST_DEPTH: usize = 100;

/// Words before a number that is a date or a level, and no count.
const NOT_COUNTED: [&str; 9] = ["năm", "tháng", "ngày", "quý", "kỳ", "mức", "độ", "cấp", "số"];

/// Passed if every label has its number; the proof names each element, or the first label without one.
pub(super) fn judge(scan: &Scan, check: &CountersCheck) -> Verdict {
    let scopes = match &check.css {
        None => scan.body().into_iter().collect(),
        Some(css) => scan.select(&css.selector()),
    };
    let place = check.css.as_ref().map_or("body", |css| css.0.as_str());
    if scopes.is_empty() {
        return Verdict::Failed(nothing_at(place));
    }
    let all: Vec<&[Phrase]> = check.labels.get_ref().iter().map(|names| names.0.as_slice()).collect();
    let mut proofs = Vec::new();
    for names in &all {
        match scopes.iter().find_map(|scope| beside(*scope, names, &all)) {
            Some(proof) => proofs.push(proof),
            None => {
                let names: Vec<String> = names.iter().map(|name| format!("{:?}", name.text)).collect();
                return Verdict::Failed(nothing_at(format!("{place}: no {} with a number beside it", names.join(" or "))));
            }
        }
    }
    let joined = |part: fn(&Proof) -> &str| proofs.iter().map(part).collect::<Vec<_>>().join("; ");
    Verdict::Passed(Proof { place: joined(|proof| &proof.place), text: joined(|proof| &proof.text) })
}

/// The smallest element within the scope that holds the label, no other label, and a number.
fn beside(scope: ElementRef, names: &[Phrase], all: &[&[Phrase]]) -> Option<Proof> {
    let others: Vec<&Phrase> = all.iter().filter(|other| **other != names).copied().flatten().collect();
    let holders = visible(scope).filter_map(ElementRef::wrap).filter(|element| is_named(&own_text(*element), names, &others));
    holders.chain(deepest(scope, names, &others)).find_map(|holder| {
        let above = std::iter::once(holder).chain(holder.ancestors().filter_map(ElementRef::wrap)).take(MOST_LEVELS);
        let within = above.take_while(|element| element.id() == scope.id() || element.ancestors().any(|above| above.id() == scope.id()));
        for element in within {
            let text = all_text(element);
            let words = Phrase::words_of(&text);
            let rest = names.iter().fold(words.clone(), |rest, name| name.taken_from(&rest));
            if others.iter().any(|other| other.is_in(&rest)) || words.split_ascii_whitespace().count() > MOST_WORDS {
                return None;
            }
            if has_number(&text, names) {
                return Some(proof(element));
            }
        }
        None
    })
}

/// Whether a text holds one of these labels; "Hồ sơ tiếp nhận trực tuyến", if it is one, is not "hồ sơ tiếp nhận" as well.
fn is_named(text: &str, names: &[Phrase], others: &[&Phrase]) -> bool {
    let words = Phrase::words_of(text);
    let alone = |name: &Phrase| {
        let longer = others.iter().filter(|other| other.holds(name));
        longer.fold(words.clone(), |words, longer| longer.taken_from(&words))
    };
    names.iter().any(|name| name.is_in(&words) && name.is_in(&alone(name)))
}

/// The smallest first element whose whole text holds a label: one that is put together from parts.
fn deepest<'p>(scope: ElementRef<'p>, names: &[Phrase], others: &[&Phrase]) -> Option<ElementRef<'p>> {
    let holds = |element: &ElementRef| is_named(&all_text(*element), names, others);
    let mut at = Some(scope).filter(holds)?;
    for _ in 0..MOST_DEPTH {
        match at.child_elements().find(holds) {
            Some(inner) => at = inner,
            None => return Some(at),
        }
    }
    None
}

/// Every text of an element, apart from each other: a number and its label often touch in the source alone.
fn all_text(element: ElementRef) -> String {
    texts(element).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

fn own_text(element: ElementRef) -> String {
    let texts = element.children().filter_map(|node| match node.value() {
        Node::Text(text) => Some(&**text),
        Node::Element(_) | Node::Document | Node::Fragment | Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Whether a text holds a number beside the label: no date, no time, no year, no level of service.
fn has_number(text: &str, names: &[Phrase]) -> bool {
    let n_in_label = names.iter().map(|name| n_numbers(&name.text)).max().unwrap_or_default();
    n_numbers(text) > n_in_label
}

fn n_numbers(text: &str) -> usize {
    let folded = fold(text).replace(['(', ')', '[', ']', '|', ';'], " ");
    let tokens: Vec<&str> = folded.split_whitespace().map(|token| token.trim_matches(['.', ',', ':', '-', '–', '*'])).collect();
    let before = std::iter::once("").chain(tokens.iter().copied());
    let counted = tokens.iter().zip(before).filter(|(token, before)| is_number(token) && !NOT_COUNTED.contains(before));
    counted.count()
}

/// `1.234`, `98,5%`, and `nhận:1234`, but not `10:30`.
fn is_number(token: &str) -> bool {
    let token = token.strip_suffix('%').unwrap_or(token);
    let is_digit = |c: char| c.is_ascii_digit();
    let number = if token.starts_with(is_digit) { token } else { token.rsplit(':').next().unwrap_or(token) };
    number.starts_with(is_digit) && number.ends_with(is_digit) && number.chars().all(|c| is_digit(c) || matches!(c, '.' | ','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::collector::TryFromText;

    #[test]
    fn numbers_beside_a_label() {
        let name = [Phrase::try_from_text("Hồ sơ tiếp nhận").expect("a phrase")];
        for (text, has) in [
            ("Hồ sơ tiếp nhận: 1.234", true),
            ("Hồ sơ tiếp nhận:1234", true),
            ("1 234\nHồ sơ tiếp nhận", true),
            ("Hồ sơ tiếp nhận 98,5%", true),
            ("Hồ sơ tiếp nhận 0", true),
            ("Hồ sơ tiếp nhận năm 2026", false),
            ("Hồ sơ tiếp nhận năm 2026: 15", true),
            ("Hồ sơ tiếp nhận ngày 26/09/2026", false),
            ("Hồ sơ tiếp nhận lúc 10:30", false),
            ("Hồ sơ tiếp nhận: --", false),
            ("Hồ sơ tiếp nhận mức độ 4", false),
            ("Hồ sơ tiếp nhận", false),
        ] {
            assert_eq!(has_number(text, &name), has, "{text}");
        }
    }
}
