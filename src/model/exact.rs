//! `Exact`: the one number type of values and points, a decimal in one canonical form.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact decimal of at most 28 significant digits, canonical: 17.50 and 17.5 are the same value and print the same.
///
/// It never comes from or passes through binary floating point. As JSON it is a string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Exact(Decimal);

/// A text that is not a plain decimal number of at most 28 digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number of at most 28 digits, like \"12.5\"")]
pub struct NotExact(pub String);

/// A product or sum that does not fit 38 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the exact result has more digits than can be kept")]
pub struct Overflow;

impl Exact {
    /// Zero.
    pub const ZERO: Exact = Exact(Decimal::ZERO);
    /// One.
    pub const ONE: Exact = Exact(Decimal::ONE);

    /// The canonical form of a decimal.
    pub fn new(value: Decimal) -> Exact {
        Exact(value.normalize())
    }

    /// The decimal inside, normalised.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether there is no fractional part.
    pub fn is_integer(self) -> bool {
        self.0.scale() == 0
    }

    /// Whether the value is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Sum.
    ///
    /// # Errors
    /// `Overflow` past 28 digits.
    pub fn plus(self, other: Exact) -> Result<Exact, Overflow> {
        self.0.checked_add(other.0).map(Exact::new).ok_or(Overflow)
    }

    /// Difference.
    ///
    /// # Errors
    /// `Overflow` past 28 digits.
    pub fn minus(self, other: Exact) -> Result<Exact, Overflow> {
        self.0.checked_sub(other.0).map(Exact::new).ok_or(Overflow)
    }

    /// Sum of many, zero for none.
    ///
    /// # Errors
    /// `Overflow` past 28 digits.
    pub fn sum(values: impl IntoIterator<Item = Exact>) -> Result<Exact, Overflow> {
        values.into_iter().try_fold(Exact::ZERO, Exact::plus)
    }

    /// `numerator / denominator` of exact products, rounded half-up (away from zero) to `dp` decimals.
    ///
    /// Both products are formed exactly before the one division, so the result is the
    /// correctly rounded value of the true quotient: no double rounding.
    ///
    /// # Errors
    /// `Overflow` when a product passes 38 digits or the denominator is zero.
    pub fn quotient_half_up(numerator: &[Exact], denominator: &[Exact], dp: u32) -> Result<Exact, Overflow> {
        let (n, n_scale) = product(numerator)?;
        let (d, d_scale) = product(denominator)?;
        if d == 0 {
            return Err(Overflow);
        }
        // n / 10^n_scale / (d / 10^d_scale) * 10^dp, kept as one fraction of integers.
        let up = pow10(d_scale + dp)?;
        let down = pow10(n_scale)?;
        let (n, d) = shrink(n, d, up, down)?;
        let sign = if (n < 0) == (d < 0) { 1 } else { -1 };
        let (n, d) = (n.unsigned_abs(), d.unsigned_abs());
        let rounded = n.checked_mul(2).and_then(|n| n.checked_add(d)).ok_or(Overflow)? / d.checked_mul(2).ok_or(Overflow)?;
        let rounded = i128::try_from(rounded).map_err(|_| Overflow)? * sign;
        Decimal::try_from_i128_with_scale(rounded, dp).map(Exact::new).map_err(|_| Overflow)
    }

    /// The value with exactly `dp` decimals, for people ("17.50"); the value must not have more.
    pub fn fixed(self, dp: usize) -> String {
        format!("{:.*}", dp.max(self.0.scale() as usize), self.0)
    }
}

/// The product of the mantissas and the sum of the scales.
fn product(factors: &[Exact]) -> Result<(i128, u32), Overflow> {
    factors.iter().try_fold((1i128, 0u32), |(mantissa, scale), factor| {
        Ok((mantissa.checked_mul(factor.0.mantissa()).ok_or(Overflow)?, scale + factor.0.scale()))
    })
}

fn pow10(exponent: u32) -> Result<i128, Overflow> {
    10i128.checked_pow(exponent).ok_or(Overflow)
}

/// `n * up` over `d * down`, with common factors taken out first so that it fits.
fn shrink(n: i128, d: i128, up: i128, down: i128) -> Result<(i128, i128), Overflow> {
    let common = gcd(up, down);
    let (up, down) = (up / common, down / common);
    let common = gcd(n, d).max(1);
    let (n, d) = (n / common, d / common);
    let common = gcd(up, d).max(1);
    let (up, d) = (up / common, d / common);
    Ok((n.checked_mul(up).ok_or(Overflow)?, d.checked_mul(down).ok_or(Overflow)?))
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1)
}

impl From<i64> for Exact {
    fn from(value: i64) -> Exact {
        Exact::new(Decimal::from(value))
    }
}

impl FromStr for Exact {
    type Err = NotExact;

    /// Reads `-12.50`, `1e3` and the like; refuses more than 28 digits instead of rounding.
    fn from_str(text: &str) -> Result<Exact, NotExact> {
        let bad = || NotExact(text.to_owned());
        let digits = |c: char| c.is_ascii_digit();
        if !text.chars().any(digits) || !text.chars().all(|c| digits(c) || matches!(c, '.' | '-' | '+' | 'e' | 'E')) {
            return Err(bad());
        }
        let value = match text.find(['e', 'E']) {
            None => Decimal::from_str_exact(text),
            Some(at) => {
                // A scientific number is exact only if its mantissa is and the shift loses nothing.
                Decimal::from_str_exact(&text[..at]).map_err(|_| bad())?;
                Decimal::from_scientific(text)
            }
        };
        value.map(Exact::new).map_err(|_| bad())
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    /// From a string only: `weight = 1.5` in a TOML file would have passed through binary.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Exact, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Exact;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number in quotes, like \"12.5\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().expect("a number of the test")
    }

    #[test]
    fn one_canonical_form() {
        for (text, canonical) in [("17.50", "17.5"), ("0.00", "0"), ("-0", "0"), ("100", "100"), ("1e2", "100"), ("1.5E-2", "0.015")] {
            assert_eq!(exact(text).to_string(), canonical, "{text}");
        }
        assert_eq!(exact("17.50"), exact("17.5"));
    }

    #[test]
    fn refuses_what_it_would_have_to_round() {
        for text in ["", "-", "1.2.3", "1,5", "0x10", "NaN", "inf", "1_000", "0.12345678901234567890123456789"] {
            assert!(text.parse::<Exact>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn quotients_round_half_up_once() {
        for (numerator, denominator, dp, want) in [
            (&["6", "284995"][..], &["443565"][..], 2, "3.86"),
            (&["20", "1652"], &["2270"], 2, "14.56"),
            (&["1"], &["8"], 2, "0.13"),
            (&["-1"], &["8"], 2, "-0.13"),
            (&["100", "93245"], &["100000"], 2, "93.25"),
            (&["2", "3"], &["0.8", "7"], 2, "1.07"),
        ] {
            let of = |texts: &[&str]| texts.iter().map(|t| exact(t)).collect::<Vec<_>>();
            assert_eq!(Exact::quotient_half_up(&of(numerator), &of(denominator), dp), Ok(exact(want)), "{numerator:?}/{denominator:?}");
        }
        assert_eq!(Exact::quotient_half_up(&[Exact::ONE], &[Exact::ZERO], 2), Err(Overflow));
    }

    #[test]
    fn fixed_shows_trailing_zeros() {
        assert_eq!(exact("17.5").fixed(2), "17.50");
        assert_eq!(exact("6").fixed(2), "6.00");
    }
}
