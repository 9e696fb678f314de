//! A histogram of latencies: counts by step, added up over hours and portals without losing anything.

use std::collections::BTreeMap;

use super::attempt::Latency;

/// How many slots were answered in each step of `Latency`; a quantile is as exact as the step it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram(BTreeMap<u8, u64>);

impl Histogram {
    /// Counts one more.
    pub fn add(&mut self, latency: Latency) {
        *self.0.entry(latency.byte()).or_default() += 1;
    }

    /// Counts everything of another one.
    pub fn merge(&mut self, other: &Histogram) {
        for (step, n) in &other.0 {
            *self.0.entry(*step).or_default() += n;
        }
    }

    /// How many are counted.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The latency that at least so many per cent of all do not pass, in microseconds (nearest rank); `None` of nothing.
    pub fn quantile_micros(&self, per_cent: u64) -> Option<u64> {
        let rank = (self.count() * per_cent).div_ceil(100).max(1);
        let mut counted = 0;
        let step = self.0.iter().find(|(_, n)| {
            counted += **n;
            counted >= rank
        });
        step.and_then(|(step, _)| Latency::from_byte(*step).micros())
    }

    /// As bytes: each step and its count (LEB128), in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 2);
        for (step, n) in &self.0 {
            bytes.push(*step);
            let mut n = *n;
            while n >= 0x80 {
                bytes.push(u8::try_from(n & 0x7f).unwrap_or_default() | 0x80);
                n >>= 7;
            }
            bytes.push(u8::try_from(n).unwrap_or_default());
        }
        bytes
    }

    /// From those bytes; `None` if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Histogram> {
        let mut counts = BTreeMap::new();
        let mut bytes = bytes.iter();
        while let Some(step) = bytes.next() {
            let (mut n, mut shift) = (0u64, 0);
            loop {
                let byte = *bytes.next()?;
                n |= u64::from(byte & 0x7f).checked_shl(shift)?;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            counts.insert(*step, n);
        }
        Some(Histogram(counts))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn of(millis: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        millis.iter().for_each(|ms| histogram.add(Latency::of(Duration::from_millis(*ms))));
        histogram
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let histogram = of(&[10, 10, 20, 500]);
        let near = |per_cent, ms: u64| histogram.quantile_micros(per_cent).expect("some").abs_diff(ms * 1000) <= ms * 32;
        assert!(near(1, 10) && near(50, 10) && near(75, 20) && near(76, 500) && near(99, 500));
        assert_eq!(Histogram::default().quantile_micros(50), None);
        assert_eq!(Histogram::from_bytes(&[3]), None);
    }

    proptest! {
        #[test]
        fn merging_is_counting_together(a in prop::collection::vec(0u64..20_000, 0..300), b in prop::collection::vec(0u64..20_000, 0..300)) {
            let (mut merged, together) = (of(&a), of(&[a.clone(), b.clone()].concat()));
            merged.merge(&of(&b));
            prop_assert_eq!(&merged, &together);
            prop_assert_eq!(Histogram::from_bytes(&together.to_bytes()), Some(together));
        }
    }
}
