//! Where a key's value stands in a TOML text, for problems that are found after it was read.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The place of the value under these keys (a number is a place in a list, from 0); of the nearest one above it
/// if there is none.
pub(super) fn of_value(text: &str, keys: &[&str]) -> Range<usize> {
    let Ok(table) = DeTable::parse(text) else { return 0..0 };
    let mut span = 0..0;
    let mut at = &DeValue::Table(table.into_inner());
    for key in keys {
        let found = match at {
            DeValue::Array(list) => key.parse().ok().and_then(|no: usize| list.get(no)),
            DeValue::Table(table) => table.get(*key),
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => None,
        };
        let Some(found) = found else { break };
        span = found.span();
        at = found.get_ref();
    }
    span
}

/// Where these words stand within a place; the place if they do not.
pub(super) fn of_words(text: &str, within: Range<usize>, words: &str) -> Range<usize> {
    match text.get(within.clone()).and_then(|inside| inside.find(words)) {
        Some(at) => within.start + at..within.start + at + words.len(),
        None => within,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_by_their_keys() {
        let text = "[a]\nb = { \"$.c\" = \"đ{x}\" }\n[[l]]\nn = 1\n[[l]]\nn = 22\n";
        for (keys, want) in [
            (&["a", "b", "$.c"][..], "\"đ{x}\""),
            (&["a", "b", "none"], "{ \"$.c\" = \"đ{x}\" }"),
            (&["l", "1", "n"], "22"),
            (&["l", "0", "n", "deeper"], "1"),
            (&["none"], ""),
        ] {
            assert_eq!(&text[of_value(text, keys)], want, "{keys:?}");
        }
        assert_eq!(&text[of_words(text, of_value(text, &["a", "b"]), "{x")], "{x");
        assert_eq!(of_value("broken [", &["a"]), 0..0);
    }
}
