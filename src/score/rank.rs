//! Places by competition ranking: equal points share a place, and the places after them stay empty.

use crate::model::Exact;

/// The place of each, in the order given: 1, 2, 2, 4; the most points come first.
pub fn competition(points: &[Exact]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[b].cmp(&points[a]));
    let mut places = vec![0; points.len()];
    let mut place = 0;
    for (above, &who) in order.iter().enumerate() {
        if above == 0 || points[order[above - 1]] != points[who] {
            place = u32::try_from(above).unwrap_or(u32::MAX).saturating_add(1);
        }
        places[who] = place;
    }
    places
}

#[cfg(test)]
mod tests {
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
            assert_eq!(competition(&points), want, "{points:?}");
        }
    }
}
