//! Text as people meant it: white space and tone marks of the Vietnamese web made comparable.

use unicode_normalization::UnicodeNormalization;

/// NFC, every kind of white space (NBSP, line breaks) as one blank, none at the ends.
pub fn clean(text: &str) -> String {
    let composed: String = text.nfc().filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}')).collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name for comparison, as a last resort where no code decides: `clean`, lower case, and the tone
/// mark taken from where it stands in its vowel group to the group's end, so that oà = òa and uỷ = ủy.
pub fn fold(name: &str) -> String {
    let mut folded = String::new();
    let mut tone = None;
    let mut in_vowels = false;
    for c in clean(name).to_lowercase().nfd() {
        match c {
            '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => tone = Some(c),
            _ => {
                let vowel = matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | '\u{302}' | '\u{306}' | '\u{31b}');
                if in_vowels && !vowel {
                    folded.extend(tone.take());
                }
                in_vowels = vowel;
                folded.push(c);
            }
        }
    }
    folded.extend(tone);
    folded.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_white_space_and_composition() {
        assert_eq!(clean("  Hiệp\u{a0}\n Hòa\t"), "Hiệp Hòa");
        assert_eq!(clean("Hie\u{323}\u{302}p"), "Hiệp");
    }

    #[test]
    fn folds_case_and_tone_mark_placement() {
        for (a, b) in [("Hiệp Hòa", "hiệp Hoà"), ("Ủy ban", "uỷ ban"), ("Thuỷ", "THỦY"), ("Khoẻ", "Khỏe"), ("Vĩnh Thực", "vĩnh  thực")]
        {
            assert_eq!(fold(a), fold(b), "{a} = {b}");
        }
        for (a, b) in [("Hòa", "Hóa"), ("Hà An", "Hà Ân"), ("Đông", "Dong"), ("Hải Hà", "Hạ Hải")] {
            assert_ne!(fold(a), fold(b), "{a} is not {b}");
        }
    }
}
