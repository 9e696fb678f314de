//! Places by competition ranking: equal points share a place, and the places after them stay empty.

use crate::model::Exact;

/// The best and the worst place that each can have, given the least and the most points each can have; in the order given.
///
/// With known points both are the place: 1, 2, 2, 4; the most points come first.
pub fn places(points: &[(Exact, Exact)]) -> Vec<(u32, u32)> {
    let mut least: Vec<Exact> = points.iter().map(|&(least, _)| least).collect();
    let mut most: Vec<Exact> = points.iter().map(|&(_, most)| most).collect();
    least.sort();
    most.sort();
    let above = |sorted: &[Exact], points: Exact| sorted.len() - sorted.partition_point(|other| *other <= points);
    let place = |above: usize| u32::try_from(above).unwrap_or(u32::MAX).saturating_add(1);
    let own = |&(own_least, own_most): &(Exact, Exact)| {
        // Nobody stands above themselves, though the most that one can have may be above the least.
        let oneself = usize::from(own_most > own_least);
        (place(above(&least, own_most)), place(above(&most, own_least) - oneself))
    };
    points.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_share_a_place_and_leave_the_next_empty() {
        for (points, want) in [
            (&["65.47", "65.47", "68.26", "54.79"][..], &[2, 2, 1, 4][..]),
            (&["0.633", "0.6330", "0.624", "0.640"], &[2, 2, 4, 1]),
            (&["9", "10"], &[2, 1]),
            (&["5", "5", "5"], &[1, 1, 1]),
            (&[], &[]),
        ] {
            let points: Vec<Exact> = points.iter().map(|p| p.parse().expect("points of the test")).collect();
            let known: Vec<(Exact, Exact)> = points.iter().map(|&points| (points, points)).collect();
            assert_eq!(places(&known), want.iter().map(|&place| (place, place)).collect::<Vec<_>>(), "{points:?}");
        }
    }

    #[test]
    fn a_range_makes_only_the_places_it_reaches_uncertain() {
        for (points, want) in [
            // The last can pass the second, not the first.
            (&[(9, 9), (5, 5), (3, 7)][..], &[(1, 1), (2, 3), (2, 3)][..]),
            // It can reach 5 but not pass it: the place above is certain, its own may be shared.
            (&[(9, 9), (5, 5), (3, 5)], &[(1, 1), (2, 2), (2, 3)]),
            // At least as many: the second cannot pass, both may be first.
            (&[(5, 8), (5, 5)], &[(1, 1), (1, 2)]),
            (&[(0, 10), (0, 10), (4, 4)], &[(1, 3), (1, 3), (1, 3)]),
            (&[(0, 10)], &[(1, 1)]),
        ] {
            let points: Vec<(Exact, Exact)> = points.iter().map(|&(least, most): &(i64, i64)| (least.into(), most.into())).collect();
            assert_eq!(places(&points), want, "{points:?}");
        }
    }

    proptest! {
        /// Whatever the points turn out to be, every place lies within what was said, and both ends can come true.
        #[test]
        fn places_hold_the_truth_and_no_more(ranges in prop::collection::vec((0i64..6, 0i64..4), 1..6), truth in prop::collection::vec(0i64..4, 6)) {
            let ranges: Vec<(i64, i64)> = ranges.into_iter().map(|(least, width)| (least, least + width)).collect();
            let said = places(&ranges.iter().map(|&(least, most)| (least.into(), most.into())).collect::<Vec<_>>());
            let place = |points: &[i64], who: usize| u32::try_from(1 + points.iter().filter(|other| **other > points[who]).count()).expect("few");
            let points: Vec<i64> = ranges.iter().zip(truth).map(|(&(least, most), step)| most.min(least + step)).collect();
            for (who, &(best, worst)) in said.iter().enumerate() {
                prop_assert!((best..=worst).contains(&place(&points, who)));
                let extreme = |mine: fn((i64, i64)) -> i64, others: fn((i64, i64)) -> i64| {
                    ranges.iter().enumerate().map(|(at, &range)| if at == who { mine(range) } else { others(range) }).collect::<Vec<_>>()
                };
                prop_assert_eq!(place(&extreme(|own| own.1, |other| other.0), who), best);
                prop_assert_eq!(place(&extreme(|own| own.0, |other| other.1), who), worst);
            }
        }
    }
}
