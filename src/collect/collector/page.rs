//! What a collector checks of a whole page: mandatory sections, how new they are, counters, accessibility, address.

use std::num::NonZeroUsize;

use regex::Regex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Css, Encoding, OneOrMany, TryFromText};
use crate::collect::number::finest_field;
use crate::model::{PeriodKind, fold};

/// A whole page as the one row of `[[rows]]`, judged by `[[rows.check]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRows {
    /// A page whose body has fewer characters of text than this (white space aside) is not the portal: nothing is read.
    pub least_text: NonZeroUsize,
    /// Texts by which a site says that it is being maintained: in its title or main heading, or anywhere in a short page.
    #[serde(default)]
    pub maintenance: Vec<Phrase>,
    /// Encoding if neither header nor page states one. Default utf-8.
    #[serde(default)]
    pub encoding: Encoding,
}

/// One check of a page.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A mandatory section is there and not empty.
    Section(SectionCheck),
    /// How many days ago the newest entry of a section is dated.
    Fresh(FreshCheck),
    /// Published counters are visible, each with a number.
    Counters(CountersCheck),
    /// The page states its language (WCAG 2.0, 3.1.1).
    Lang(NoKeys),
    /// The page has a title (WCAG 2.0, 2.4.2).
    Title(NoKeys),
    /// Every form control has a label (WCAG 2.0, 3.3.2, 4.1.2).
    FormLabels(NoKeys),
    /// Every image has an `alt` (WCAG 2.0, 1.1.1).
    ImageAlt(NoKeys),
    /// There is a main heading, and no level is left out (WCAG 2.0, 1.3.1, 2.4.6).
    Headings(NoKeys),
    /// Text stands out from its background, as far as the page itself states both colours (WCAG 2.0, 1.4.3).
    Contrast(NoKeys),
    /// The address that was asked is https.
    Https(NoKeys),
    /// The host's name fits one of these patterns.
    Domain(OneOrMany<HostPattern>),
}

/// What a check says of every page.
pub const SECTION_PRESENT: &str = "portal_section_present";
/// The share of the sections that are there.
pub const SECTIONS_RATE: &str = "portal_required_sections_rate";
/// The age of the newest entry.
pub const FRESHNESS: &str = "portal_freshness_days";
/// Whether the counters are published.
pub const STATS_PUBLISHED: &str = "portal_stats_published";
/// One accessibility check.
pub const A11Y_CHECK: &str = "portal_a11y_check";
/// The share of the accessibility checks that passed.
pub const A11Y_BASIC: &str = "portal_a11y_basic";
/// Whether the address is https.
pub const HTTPS: &str = "portal_https";
/// Whether the host's name is as prescribed.
pub const DOMAIN_OK: &str = "portal_domain_ok";

impl Check {
    /// The word that files write.
    pub fn word(&self) -> &'static str {
        match self {
            Check::Section(_) => "section",
            Check::Fresh(_) => "fresh",
            Check::Counters(_) => "counters",
            Check::Lang(_) => "lang",
            Check::Title(_) => "title",
            Check::FormLabels(_) => "form_labels",
            Check::ImageAlt(_) => "image_alt",
            Check::Headings(_) => "headings",
            Check::Contrast(_) => "contrast",
            Check::Https(_) => "https",
            Check::Domain(_) => "domain",
        }
    }

    /// The indicators that it gives values of.
    pub fn indicators(&self) -> &'static [&'static str] {
        match self {
            Check::Section(_) => &[SECTION_PRESENT, SECTIONS_RATE],
            Check::Fresh(_) => &[FRESHNESS],
            Check::Counters(_) => &[STATS_PUBLISHED],
            Check::Lang(_) | Check::Title(_) | Check::FormLabels(_) | Check::ImageAlt(_) | Check::Headings(_) | Check::Contrast(_) => {
                &[A11Y_CHECK, A11Y_BASIC]
            }
            Check::Https(_) => &[HTTPS],
            Check::Domain(_) => &[DOMAIN_OK],
        }
    }

    /// The item of its value within the portal, where one indicator has several; "" for none.
    pub fn item(&self) -> &str {
        match self {
            Check::Section(section) => section.id.get_ref(),
            Check::Fresh(fresh) => fresh.section.get_ref(),
            Check::Lang(_) | Check::Title(_) | Check::FormLabels(_) | Check::ImageAlt(_) | Check::Headings(_) | Check::Contrast(_) => {
                self.word()
            }
            Check::Counters(_) | Check::Https(_) | Check::Domain(_) => "",
        }
    }
}

/// `section = { id = "leaders", heading = ["lãnh đạo", "tiểu sử lãnh đạo"] }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionCheck {
    /// The item of its value, a key.
    pub id: Spanned<String>,
    /// The element that is the section.
    #[serde(default)]
    pub css: Option<Css>,
    /// Texts of a heading above it or of a link that leads to it; one of them is enough.
    #[serde(default)]
    pub heading: Option<OneOrMany<Phrase>>,
    /// There must be something in it, or where the link leads. Default true.
    #[serde(default = "yes")]
    pub not_empty: bool,
}

fn yes() -> bool {
    true
}

/// `fresh = { section = "news", css = "div.news", format = "%d/%m/%Y" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreshCheck {
    /// The item of its value, a key.
    pub section: Spanned<String>,
    /// Where the dates of its entries stand.
    pub css: Css,
    /// How they are written.
    pub format: DayFormat,
}

/// `counters = { labels = ["hồ sơ tiếp nhận", ["đã giải quyết", "hồ sơ giải quyết"]] }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountersCheck {
    /// Where they stand; the whole page if not stated.
    #[serde(default)]
    pub css: Option<Css>,
    /// What stands beside each number; a list is of one counter that has several names.
    pub labels: Spanned<Vec<OneOrMany<Phrase>>>,
}

/// `{}`: nothing to be stated.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

/// A text to find in a page, whatever its case, composition, punctuation and the place of its tone marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// As written.
    pub text: String,
    /// Its words, folded, a blank before and behind each.
    words: String,
}

impl Phrase {
    /// The words of a text, folded, a blank before and behind each: what phrases are found in.
    pub fn words_of(text: &str) -> String {
        let mut words = String::from(" ");
        for word in fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            words.push_str(word);
            words.push(' ');
        }
        words
    }

    /// Whether these words, as `words_of` gives them, hold the phrase.
    pub fn is_in(&self, words: &str) -> bool {
        words.contains(&self.words)
    }

    /// Whether it is what these words are about, and not a part of a longer sentence (the headline of some news).
    pub fn names(&self, words: &str) -> bool {
        let n = |words: &str| words.split_ascii_whitespace().count();
        self.is_in(words) && n(words) <= 2 * n(&self.words) + 4
    }

    /// Whether another phrase is a part of it.
    pub fn holds(&self, other: &Phrase) -> bool {
        self != other && other.is_in(&self.words)
    }

    /// These words without the phrase.
    pub fn taken_from(&self, words: &str) -> String {
        words.replace(&self.words, " ")
    }
}

impl TryFromText for Phrase {
    fn try_from_text(text: &str) -> Result<Phrase, String> {
        let words = Phrase::words_of(text);
        match words.trim().is_empty() {
            true => Err(format!("{text:?} has no words to find; write them as the page does, like \"thủ tục hành chính\"")),
            false => Ok(Phrase { text: text.to_owned(), words }),
        }
    }
}

impl<'de> Deserialize<'de> for Phrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Phrase, D::Error> {
        Phrase::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A form of days that can be found within a text: `%d`, `%m`, `%Y` (also `%-d`, `%e`, `%-m`, `%F`) and what stands between.
#[derive(Debug, Clone)]
pub struct DayFormat {
    /// As written.
    pub text: String,
    /// Finds what may be such a day.
    pub regex: Regex,
}

impl DayFormat {
    fn compile(format: &str) -> Result<DayFormat, String> {
        let (mut pattern, mut rest) = (String::new(), format.chars());
        let unknown = || format!("{format:?} is no form of days to find in a text; write %d, %m and %Y, like \"%d/%m/%Y\"");
        while let Some(c) = rest.next() {
            match c {
                '%' => pattern.push_str(match (rest.next(), rest.clone().next()) {
                    (Some('d' | 'e' | 'm'), _) => "[0-9]{1,2}",
                    (Some('Y'), _) => "[0-9]{4}",
                    (Some('F'), _) => "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
                    (Some('-'), Some('d' | 'm')) => {
                        rest.next();
                        "[0-9]{1,2}"
                    }
                    _ => return Err(unknown()),
                }),
                c if c.is_whitespace() => pattern.push_str(r"\s+"),
                c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        match finest_field(format) {
            Ok(PeriodKind::Day) if format.contains('%') => {}
            Ok(_) | Err(_) => return Err(unknown()),
        }
        let regex = Regex::new(&pattern).map_err(|_| unknown())?;
        Ok(DayFormat { text: format.to_owned(), regex })
    }
}

impl<'de> Deserialize<'de> for DayFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DayFormat, D::Error> {
        DayFormat::compile(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A pattern of host names: `*.gov.vn`; `*` stands for anything.
#[derive(Debug, Clone)]
pub struct HostPattern(glob::Pattern);

impl HostPattern {
    /// Whether a host's name fits.
    pub fn fits(&self, host: &str) -> bool {
        self.0.matches(&host.to_ascii_lowercase())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFromText for HostPattern {
    fn try_from_text(text: &str) -> Result<HostPattern, String> {
        let of_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '*');
        let right = text.contains('.') && text.chars().all(of_host);
        let pattern = glob::Pattern::new(text).ok().filter(|_| right);
        pattern.map(HostPattern).ok_or_else(|| format!("{text:?} is no pattern of host names; write one like \"*.quangninh.gov.vn\""))
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HostPattern, D::Error> {
        HostPattern::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_as_people_write_them() {
        let phrase = Phrase::try_from_text("Hòa giải").expect("a phrase");
        for (text, is_in, names) in [
            ("hoà giải", true, true),
            ("HOA\u{300} GIA\u{309}I", true, true),
            ("Thông tin: hòa\u{a0}giải – ở cơ sở", true, true),
            ("Hòa giải viên", true, true),
            ("Ông A dự lễ ra mắt trang tin về hòa giải", true, false),
            ("hòa giảii", false, false),
            ("hóa giải", false, false),
            ("", false, false),
        ] {
            let words = Phrase::words_of(text);
            assert_eq!((phrase.is_in(&words), phrase.names(&words)), (is_in, names), "{text}");
        }
        assert!(Phrase::try_from_text(" – ").is_err());
    }

    #[test]
    fn days_are_found_in_a_text() {
        for (format, text, found) in [
            ("%d/%m/%Y", "đăng 26/9/2026, 10:30", Some("26/9/2026")),
            ("%F", "2026-09-26T10:00", Some("2026-09-26")),
            ("ngày %-d tháng %-m năm %Y", "Hạ Long, ngày 26 tháng 9 năm 2026", Some("ngày 26 tháng 9 năm 2026")),
            ("%d.%m.%Y", "26/09/2026", None),
        ] {
            let format = DayFormat::compile(format).expect("a form of days");
            assert_eq!(format.regex.find(text).map(|found| found.as_str()), found, "{text}");
        }
        for format in ["", "%", "%d/%m", "%d/%m/%y", "%H:%M %d/%m/%Y", "%m/%Y", "rfc3339", "%-Y"] {
            assert!(DayFormat::compile(format).is_err(), "{format}");
        }
    }

    #[test]
    fn hosts_fit_patterns() {
        let pattern = HostPattern::try_from_text("*.gov.vn").expect("a pattern");
        for (host, fits) in [("a.quangninh.gov.vn", true), ("A.GOV.VN", true), ("gov.vn", false), ("a.gov.vn.example", false)] {
            assert_eq!(pattern.fits(host), fits, "{host}");
        }
        for text in ["", "gov", "https://a.gov.vn", "*.[gov.vn", "*.Gov.vn"] {
            assert!(HostPattern::try_from_text(text).is_err(), "{text}");
        }
    }
}
