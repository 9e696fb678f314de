//! Numbers as people read them in an explanation.

use super::Lang;
use crate::model::Exact;

/// At most four decimals, cut and not rounded, with a mark where more follow.
pub(super) fn shortened(value: Exact) -> String {
    let text = value.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() > 4 => format!("{whole}.{}…", &fraction[..4]),
        Some(_) | None => text,
    }
}

/// A plain decimal with the thousands and decimal marks of the language.
pub(super) fn grouped(plain: &str, lang: Lang) -> String {
    let (thousand, decimal) = match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    };
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = whole.trim_start_matches('-');
    let mut text = if whole.starts_with('-') { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(thousand);
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push(decimal);
        text.push_str(fraction);
    }
    text
}
