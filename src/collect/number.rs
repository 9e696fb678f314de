//! Numbers and dates of the Vietnamese web, read exactly in the form that the collector declares.
//!
//! Nothing is guessed: "1.234" is 1234 or 1.234 by the declared form only, and a text that does not fit
//! its form is a `Doubt` that shows what was seen.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

use crate::model::{Exact, Value, clean};

mod date;
mod instant;

pub use date::{finest_field, read_date, read_first_day, read_instant};
pub use instant::{InstantFormat, read_ts};

/// How a source writes its numbers. In all forms a sign may stand directly before the digits: `-`, `−` or `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberFormat {
    /// `1234.5`, also `1.2345e3`: as in JSON. Nothing groups thousands.
    #[default]
    Plain,
    /// `1.234,5`: full stops (or no-break and thin spaces) may group thousands, a comma begins the decimals.
    Vi,
    /// `1,234.5`: the same, mirrored.
    En,
    /// As `Vi` with an optional `%` at the end; the value is the figure before it: `12,5 %` is 12.5.
    PercentVi,
    /// `true`, `1`, `có`, `yes` are 1; `false`, `0`, `không`, `no` are 0. `x` is a doubt: it is a tick to some, a cross to others.
    Bool,
}

/// The declared form of one figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Format {
    /// How digits are written.
    pub number: NumberFormat,
    /// For sources that print binary floats (84.09999999999999): the decimals that the figure really has.
    pub decimals: Option<u32>,
    /// The texts by which the source says that it has no number; "" stands for an empty text.
    pub missing: Vec<String>,
}

/// A text that cannot be read without guessing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {why}")]
pub struct Doubt {
    /// What was seen, cut to its first 80 characters.
    pub text: String,
    /// Why it is doubtful, continuing "the text …".
    pub why: String,
}

impl Doubt {
    fn new(text: &str, why: impl Into<String>) -> Doubt {
        let mut seen: String = text.chars().take(80).collect();
        if seen.len() < text.len() {
            seen.push('…');
        }
        Doubt { text: seen, why: why.into() }
    }
}

/// Reads one figure. White space at its ends does not count.
///
/// # Errors
/// A `Doubt` for any text that is neither one of `missing` nor well-formed, for a number of more than 28
/// digits, and for one that is not within 1e-9 of the declared `decimals`.
pub fn read(text: &str, format: &Format) -> Result<Value, Doubt> {
    let cleaned = clean(text);
    if format.missing.iter().any(|missing| clean(missing) == cleaned) {
        return Ok(Value::Missing);
    }
    if cleaned.is_empty() {
        return Err(Doubt::new(text, "is empty, and `missing` does not list \"\""));
    }
    let number = match format.number {
        NumberFormat::Plain => plain(&narrow(text)),
        NumberFormat::Vi => grouped(&narrow(text), '.', ','),
        NumberFormat::En => grouped(&narrow(text), ',', '.'),
        NumberFormat::PercentVi => grouped(without_percent(&narrow(text)), '.', ','),
        NumberFormat::Bool => yes_or_no(&cleaned),
    };
    let number = match format.decimals {
        Some(decimals) => number.and_then(|number| at_decimals(number, decimals)),
        None => number,
    };
    number.map(Value::Number).map_err(|why| Doubt::new(text, why))
}

/// Full-width forms (１２．５％) as their ASCII twins, without invisible marks and without white space at the ends.
///
/// White space inside keeps its kind, and superscripts stay what they are: NFKC would make 12² into 122.
fn narrow(text: &str) -> String {
    let visible = text.trim().chars().filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}'));
    let ascii = visible.map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{2212}' => '-',
        _ => c,
    });
    ascii.collect::<String>().trim().to_owned()
}

fn plain(text: &str) -> Result<Exact, String> {
    let (sign, digits) = split_sign(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, decimals) = mantissa.split_once('.').map_or((mantissa, None), |(whole, decimals)| (whole, Some(decimals)));
    let exponent_fits = exponent.is_none_or(|exponent| all_digits(split_sign(exponent).1));
    if !all_digits(whole) || !decimals.is_none_or(all_digits) || !exponent_fits {
        return Err("is not a plain number like 1234.5".to_owned());
    }
    exact(&format!("{sign}{digits}"))
}

/// A number whose thousands `group` may group and whose decimals begin after `point`.
fn grouped(text: &str, group: char, point: char) -> Result<Exact, String> {
    let (sign, digits) = split_sign(text);
    let (whole, decimals) = digits.split_once(point).map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    if !decimals.is_none_or(all_digits) {
        return Err(format!("does not end in digits after one {point:?}"));
    }
    let whole = ungroup(whole, group)?;
    exact(&match decimals {
        Some(decimals) => format!("{sign}{whole}.{decimals}"),
        None => format!("{sign}{whole}"),
    })
}

/// The digits of a whole number without what groups them: one kind of sign, and groups of exactly three.
fn ungroup(whole: &str, group: char) -> Result<String, String> {
    let separators = [group, '\u{a0}', '\u{202f}', '\u{2009}'];
    let Some(separator) = whole.chars().find(|c| separators.contains(c)) else {
        return if all_digits(whole) { Ok(whole.to_owned()) } else { Err(format!("is not digits grouped by {group:?}")) };
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, rest) = groups.split_first().expect("a split has a first part");
    if !groups.iter().all(|digits| all_digits(digits)) {
        return Err(format!("is not digits grouped by {group:?}"));
    }
    if first.len() > 3 || first.starts_with('0') {
        return Err(format!("begins with {first:?}: the first group is one to three digits and does not begin with 0"));
    }
    match rest.iter().find(|digits| digits.len() != 3) {
        Some(odd) => Err(format!("has the group {odd:?} after {separator:?}: a group is three digits")),
        None => Ok(groups.concat()),
    }
}

fn without_percent(text: &str) -> &str {
    text.strip_suffix('%').map_or(text, str::trim_end)
}

fn yes_or_no(cleaned: &str) -> Result<Exact, String> {
    match cleaned.to_lowercase().as_str() {
        "true" | "1" | "có" | "yes" => Ok(Exact::ONE),
        "false" | "0" | "không" | "no" => Ok(Exact::ZERO),
        _ => Err("is neither true/1/có/yes nor false/0/không/no".to_owned()),
    }
}

/// The figure that a binary float of the source stands for.
fn at_decimals(number: Exact, decimals: u32) -> Result<Exact, String> {
    let rounded = number.decimal().round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    let far = || format!("is not a number of {decimals} decimals, give or take the dust of binary floats");
    let dust = number.decimal().checked_sub(rounded).ok_or_else(far)?;
    if dust.abs() < Decimal::new(1, 9) { Ok(Exact::new(rounded)) } else { Err(far()) }
}

/// The sign, `-` or nothing, and the rest.
fn split_sign(text: &str) -> (&str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn exact(text: &str) -> Result<Exact, String> {
    text.parse().map_err(|_| "does not fit 28 digits".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use NumberFormat::{Bool, En, PercentVi, Plain, Vi};

    fn format(number: NumberFormat) -> Format {
        Format { number, decimals: None, missing: ["", "-", "N/A"].map(str::to_owned).to_vec() }
    }

    #[test]
    fn reads_each_form() {
        for (number, text, want) in [
            (Plain, "1234.5", "1234.5"),
            (Plain, "1.234", "1.234"),
            (Plain, " -0.50\n", "-0.5"),
            (Plain, "1e3", "1000"),
            (Plain, "1.5E-2", "0.015"),
            (Plain, "05", "5"),
            (Plain, "\u{feff}１２．５", "12.5"),
            (Vi, "1.234,5", "1234.5"),
            (Vi, "1.234", "1234"),
            (Vi, "1.234.567", "1234567"),
            (Vi, "1234567,25", "1234567.25"),
            (Vi, "0,727", "0.727"),
            (Vi, "1,234", "1.234"),
            (Vi, "−5", "-5"),
            (Vi, "+5", "5"),
            (Vi, "1\u{a0}234", "1234"),
            (Vi, "12\u{202f}345\u{202f}678,9", "12345678.9"),
            (Vi, "１．２３４，５", "1234.5"),
            (En, "1,234.5", "1234.5"),
            (En, "1.234", "1.234"),
            (PercentVi, "12,5 %", "12.5"),
            (PercentVi, "12,5\u{a0}％", "12.5"),
            (PercentVi, "100%", "100"),
            (PercentVi, "99,07", "99.07"),
            (Bool, "Có", "1"),
            (Bool, "CO\u{301}", "1"),
            (Bool, "không", "0"),
            (Bool, "1", "1"),
            (Bool, "FALSE", "0"),
        ] {
            assert_eq!(read(text, &format(number)), Ok(Value::Number(want.parse().unwrap())), "{number:?} {text:?}");
        }
        for text in ["", " \u{a0} ", "-", "N/A"] {
            assert_eq!(read(text, &format(Vi)), Ok(Value::Missing), "{text:?}");
        }
    }

    #[test]
    fn doubts_what_it_would_have_to_guess() {
        for (number, texts) in [
            (
                Plain,
                &[
                    "1,5", "1 234", "1_000", ".5", "5.", "--5", "- 5", "(5)", "5-", "0x10", "NaN", "1e", "1e1.5", "1e999", "٣", "12²",
                    "12%", "n/a",
                ][..],
            ),
            (Plain, &["99999999999999999999999999999999", "0.123456789012345678901234567890"]),
            (Vi, &["1.23", "1.2345", "12.34", "1,234,5", "0.727", "1234.567", "1.234.56", "1..234", ".234", "1.", ",5", "5,", "1 234"]),
            (Vi, &["1.234\u{a0}567", "1,5.000", "1e3", "(1.234)", "12,5%", "1\u{ad}234", "hai", "5 hồ sơ", "–5", "٣"]),
            (En, &["1.234,5", "1,23", "0,727", "1.234.567"]),
            (PercentVi, &["%", "%5", "12.5%", "5%%", "5‰"]),
            (Bool, &["x", "✓", "2", "đúng"]),
        ] {
            for text in texts {
                assert!(read(text, &format(number)).is_err(), "{number:?} {text:?} is accepted");
            }
        }
    }

    #[test]
    fn a_doubt_shows_the_text_and_the_reason() {
        let strict = Format { missing: vec![], ..format(Vi) };
        for (text, message) in [
            ("1.23", r#""1.23" has the group "23" after '.': a group is three digits"#),
            ("0.727", r#""0.727" begins with "0": the first group is one to three digits and does not begin with 0"#),
            ("", r#""" is empty, and `missing` does not list """#),
        ] {
            assert_eq!(read(text, &strict).unwrap_err().to_string(), message);
        }
        assert_eq!(Doubt::new(&"ế".repeat(100), "").text.chars().count(), 81);
    }

    #[test]
    fn binary_floats_become_the_figures_they_stand_for() {
        for (text, decimals, want) in [
            ("84.09999999999999", 1, Some("84.1")),
            ("84.10000000000001", 1, Some("84.1")),
            ("-0.30000000000000004", 1, Some("-0.3")),
            ("84.1", 2, Some("84.1")),
            ("84.15", 1, None),
            ("84.100000001", 1, None),
            ("84.1000000009", 1, Some("84.1")),
        ] {
            let format = Format { decimals: Some(decimals), ..format(Plain) };
            assert_eq!(read(text, &format).ok(), want.map(|want| Value::Number(want.parse().unwrap())), "{text}");
        }
    }

    /// The number as a Vietnamese page writes it.
    fn in_vietnamese(number: Exact, group: &str) -> String {
        let plain = number.to_string();
        let (sign, digits) = split_sign(&plain);
        let (whole, decimals) = digits.split_once('.').map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push_str(group);
            }
            grouped.push(digit);
        }
        decimals.map_or(format!("{sign}{grouped}"), |decimals| format!("{sign}{grouped},{decimals}"))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            mantissa in any::<i64>(), scale in 0u32..=28,
            group in prop::sample::select(vec!["", ".", "\u{a0}", "\u{202f}", "\u{2009}"]),
        ) {
            let number = Exact::new(Decimal::new(mantissa, scale));
            prop_assert_eq!(read(&in_vietnamese(number, group), &format(Vi)), Ok(Value::Number(number)));
            prop_assert_eq!(read(&number.to_string(), &format(Plain)), Ok(Value::Number(number)));
        }

        #[test]
        fn reading_never_panics(any in "\\PC*", near in "[-+−0-9.,eE%\u{a0} １％]{0,40}", decimals in prop::option::of(0u32..40)) {
            for number in [Plain, Vi, En, PercentVi, Bool] {
                let format = Format { decimals, ..format(number) };
                let _ = read(&any, &format);
                let _ = read(&near, &format);
            }
        }
    }
}
