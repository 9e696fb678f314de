//! How the portal turns counts into points, written a second time and on integers, as a check on the scorer.
//!
//! Points are whole hundredths here: 1768 is 17.68. Nothing of `score` is used.

use serde_json::{Number, Value};

/// `n / d` rounded half-up to a whole number.
fn half_up(n: u128, d: u128) -> u64 {
    u64::try_from((2 * n + d) / (2 * d)).expect("a quotient of counts that is capped by a maximum")
}

/// Hundredths of points for `max · min(1, n / (d · full_at))`, half-up; `None` for 0/0. `max` is in whole points.
pub(super) fn linear(max: u64, n: u64, d: u64, full_at_percent: u64) -> Option<u64> {
    if d == 0 {
        return None;
    }
    let (n, d) = (u128::from(n), u128::from(d) * u128::from(full_at_percent));
    Some(half_up(u128::from(max) * n * 10_000, d).min(max * 100))
}

/// Hundredths of a per cent, half-up; `None` for 0/0.
pub(super) fn percent(n: u64, d: u64) -> Option<u64> {
    (d > 0).then(|| half_up(u128::from(n) * 10_000, u128::from(d)))
}

/// The payment group's way: the rounded per cent, then `min(max, max · r / (100 · full_at))` in binary64, product
/// first, printed with two decimals. Hundredths of points; 0 for 0/0.
pub(super) fn percent_binary64(max: u64, n: u64, d: u64, full_at_percent: u64) -> u64 {
    let Some(percent) = percent(n, d) else {
        return 0;
    };
    let (max, r) = (max as f64, percent as f64 / 100.0);
    two_decimals((max * r / full_at_percent as f64).min(max))
}

/// Hundredths of a finite value that is not negative, half-up of its exact binary value.
fn two_decimals(value: f64) -> u64 {
    let bits = value.to_bits();
    let (mantissa, exponent) = match (bits >> 52) & 0x7ff {
        0 => return 0,
        biased => (u128::from(bits & ((1 << 52) - 1) | 1 << 52), biased as i32 - 1075),
    };
    // value = mantissa · 2^-shift; below 2^-10 it is under half a hundredth.
    let shift = u32::try_from(-exponent).expect("points are far below 2^52");
    if shift > 62 { 0 } else { half_up(mantissa * 100, 1 << shift) }
}

/// Hundredths as the portal prints them: 17.68, 17.6, 17.
pub(super) fn text(hundredths: u64) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    match (part, part % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", part / 10),
        _ => format!("{whole}.{part:02}"),
    }
}

/// Hundredths as a JSON number.
pub(super) fn number(hundredths: u64) -> Value {
    Value::Number(text(hundredths).parse::<Number>().expect("digits with at most one point are a JSON number"))
}

/// Hundredths as a JSON number, or null.
pub(super) fn number_or_null(hundredths: Option<u64>) -> Value {
    hundredths.map_or(Value::Null, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_cases() {
        for (max, n, d, full_at, want) in [
            (6, 284_995, 443_565, 100, Some(386)),
            (20, 528_684, 597_918, 100, Some(1768)),
            (6, 528_464, 597_918, 90, Some(589)),
            (2, 52, 89, 80, Some(146)),
            (2, 89, 89, 80, Some(200)),
            (6, 0, 0, 100, None),
        ] {
            assert_eq!(linear(max, n, d, full_at), want, "{n}/{d}");
        }
        for (max, n, d, full_at, want) in
            [(6, 9_325, 10_000, 100, 559), (6, 0, 0, 100, 0), (2, 2, 3, 80, 167), (6, 18, 18, 100, 600), (2, 1, 3, 80, 83)]
        {
            assert_eq!(percent_binary64(max, n, d, full_at), want, "{n}/{d}");
        }
    }

    #[test]
    fn exact_halves_of_binary_go_up() {
        for (value, want) in [(0.125, 13), (2.375, 238), (5.595, 559), (0.0, 0), (0.004, 0), (0.005, 1), (6.0, 600), (1e-300, 0)] {
            assert_eq!(two_decimals(value), want, "{value}");
        }
    }

    #[test]
    fn prints_as_few_decimals_as_the_portal() {
        for (hundredths, want) in [(1768, "17.68"), (1760, "17.6"), (1700, "17"), (5, "0.05"), (0, "0")] {
            assert_eq!(text(hundredths), want);
        }
    }
}
