//! Rounding as the sources round: the only place where points lose digits.

use serde::{Deserialize, Serialize};

use crate::model::{Exact, Overflow};

/// Decimals of a point.
pub const POINT_DECIMALS: u32 = 2;

/// How a component's points are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Half-up to 0.01 of the exact value.
    #[default]
    HalfUp,
    /// As the national portal computes payment: the per cent figure is rounded half-up to 0.01, the
    /// points are formed from it in IEEE 754 binary64, and printed with two fixed decimals.
    PercentBinary64,
}

impl Model {
    /// The word used in files and output.
    pub fn label(self) -> &'static str {
        match self {
            Model::HalfUp => "half-up",
            Model::PercentBinary64 => "percent-binary64",
        }
    }

    /// Points of `max · min(1, n / (d · full_at))`; `n` is not negative, `d` and `full_at` are positive.
    ///
    /// # Errors
    /// `Overflow` when an exact product does not fit.
    pub fn linear(self, max: Exact, n: Exact, d: Exact, full_at: Exact) -> Result<Exact, Overflow> {
        let points = match self {
            Model::HalfUp => Exact::quotient_half_up(&[max, n], &[d, full_at], POINT_DECIMALS)?,
            Model::PercentBinary64 => percent_binary64(max, percent(n, d)?, full_at)?,
        };
        Ok(points.min(max))
    }
}

/// `100 · n / d`, half-up to 0.01: the per cent figure as it is shown.
///
/// # Errors
/// `Overflow` when `d` is zero or a product does not fit.
pub fn percent(n: Exact, d: Exact) -> Result<Exact, Overflow> {
    Exact::quotient_half_up(&[Exact::from(100), n], &[d], 2)
}

/// The exact product.
///
/// # Errors
/// `Overflow` when it does not fit.
pub fn times(a: Exact, b: Exact) -> Result<Exact, Overflow> {
    Exact::quotient_half_up(&[a, b], &[Exact::ONE], a.decimal().scale() + b.decimal().scale())
}

/// `min(max, max · percent / (100 · full_at))` in binary64 with the product first, then two fixed decimals.
fn percent_binary64(max: Exact, percent: Exact, full_at: Exact) -> Result<Exact, Overflow> {
    let max = binary(max)?;
    let below = binary(times(Exact::from(100), full_at)?)?;
    two_decimals(max.min(max * binary(percent)? / below))
}

fn binary(value: Exact) -> Result<f64, Overflow> {
    value.to_string().parse().map_err(|_| Overflow)
}

/// Half-up to 0.01 of the exact value that the binary64 number stands for (`toFixed(2)` of the portal's page).
fn two_decimals(value: f64) -> Result<Exact, Overflow> {
    let bits = value.to_bits();
    let exponent = i64::try_from((bits >> 52) & 0x7ff).map_err(|_| Overflow)?;
    let fraction = i128::from(bits & ((1 << 52) - 1));
    if exponent == 0x7ff || value < 0.0 {
        return Err(Overflow);
    }
    // value = mantissa · 2^shift; below 2^-1022 there is no hidden bit, and the value rounds to zero anyway.
    let mantissa = if exponent == 0 { fraction } else { fraction | (1 << 52) };
    let shift = exponent.max(1) - 1075;
    let hundredths = match u32::try_from(-shift) {
        Ok(down) if down > 100 => 0,
        Ok(down) => (mantissa * 200 + (1 << down)) >> (down + 1),
        Err(_) => return Err(Overflow),
    };
    let hundredths = i64::try_from(hundredths).map_err(|_| Overflow)?;
    Exact::quotient_half_up(&[Exact::from(hundredths)], &[Exact::from(100)], POINT_DECIMALS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().expect("a number of the test")
    }

    #[test]
    fn each_model_rounds_as_its_source_does() {
        for (model, max, n, d, full_at, want) in [
            (Model::PercentBinary64, "6", "9325", "10000", "1", "5.59"),
            (Model::HalfUp, "6", "9325", "10000", "1", "5.6"),
            (Model::HalfUp, "6", "284995", "443565", "1", "3.86"),
            (Model::PercentBinary64, "6", "284995", "443565", "1", "3.85"),
            (Model::PercentBinary64, "2", "12", "13", "0.8", "2"),
            (Model::PercentBinary64, "2", "0", "13", "0.8", "0"),
            (Model::HalfUp, "20", "1652", "2270", "1", "14.56"),
            (Model::HalfUp, "6", "1651", "2270", "0.9", "4.85"),
            (Model::HalfUp, "2", "31", "30", "1", "2"),
        ] {
            let points = model.linear(exact(max), exact(n), exact(d), exact(full_at));
            assert_eq!(points, Ok(exact(want)), "{model:?} {max} {n}/{d} {full_at}");
        }
    }

    #[test]
    fn components_are_rounded_before_they_are_added() {
        let parts = [("6", "92.27", "1"), ("2", "30.32", "0.8"), ("2", "21.2", "0.8")];
        let points: Vec<Exact> = parts
            .iter()
            .map(|(max, percent, full_at)| percent_binary64(exact(max), exact(percent), exact(full_at)).expect("small numbers"))
            .collect();
        assert_eq!(points, ["5.54", "0.76", "0.53"].map(exact));
        assert_eq!(Exact::sum(points), Ok(exact("6.83")));
    }

    #[test]
    fn fixed_decimals_are_those_of_the_exact_binary_value() {
        for (value, want) in
            [(0.125, "0.13"), (1.005, "1"), (5.595, "5.59"), (2.675, "2.67"), (0.375, "0.38"), (6.0, "6"), (0.0, "0"), (1e-30, "0")]
        {
            assert_eq!(two_decimals(value), Ok(exact(want)), "{value}");
        }
        assert_eq!((two_decimals(f64::NAN), two_decimals(f64::INFINITY)), (Err(Overflow), Err(Overflow)));
    }

    proptest! {
        #[test]
        fn points_lie_between_zero_and_the_maximum_and_never_fall(n in 0i64..1_000_000, more in 0i64..1000, d in 1i64..1_000_000, full_at in 1i64..=100) {
            let (max, full_at) = (exact("6"), Exact::quotient_half_up(&[full_at.into()], &[100.into()], 2).expect("small"));
            for model in [Model::HalfUp, Model::PercentBinary64] {
                let points = model.linear(max, n.into(), d.into(), full_at).expect("small");
                prop_assert!(Exact::ZERO <= points && points <= max);
                prop_assert!(points <= model.linear(max, (n + more).into(), d.into(), full_at).expect("small"));
            }
        }
    }
}
