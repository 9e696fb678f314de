//! `Days`: from which day to which something holds, either end open.

use chrono::NaiveDate;

use crate::model::Period;

/// First and last day, both inclusive; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: Option<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
}

impl Days {
    /// Whether some day is in both.
    pub(super) fn overlap(self, other: Days) -> bool {
        let starts_before_end = |a: Days, b: Days| a.from.is_none_or(|from| b.to.is_none_or(|to| from <= to));
        starts_before_end(self, other) && starts_before_end(other, self)
    }

    /// Whether the day is one of them.
    pub(super) fn hold(self, day: NaiveDate) -> bool {
        self.overlap(Days { from: Some(day), to: Some(day) })
    }

    /// Whether some day of the period is one of them.
    pub(super) fn touch(self, period: Period) -> bool {
        self.overlap(Days { from: Some(period.start()), to: Some(period.last()) })
    }
}

/// A day as files write it, `2025-07-01`; anything else is `None`.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    text.parse::<Period>().ok().filter(|period| period.start() == period.last()).map(Period::start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        let days = |from: &str, to: &str| Days { from: parse_day(from), to: parse_day(to) };
        for (a, b, expected) in [
            (("", ""), ("", ""), true),
            (("", "2025-06-30"), ("2025-07-01", ""), false),
            (("", "2025-06-30"), ("2025-06-30", ""), true),
            (("2025-01-01", "2025-02-01"), ("2025-02-01", "2025-03-01"), true),
            (("2025-01-01", "2025-01-31"), ("2025-02-01", "2025-03-01"), false),
            (("2025-07-01", ""), ("", ""), true),
        ] {
            assert_eq!(days(a.0, a.1).overlap(days(b.0, b.1)), expected, "{a:?} {b:?}");
            assert_eq!(days(b.0, b.1).overlap(days(a.0, a.1)), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(parse_day("2025-07-01").map(|day| day.to_string()), Some("2025-07-01".to_owned()));
        for text in ["", "2025-7-1", "01/07/2025", "2025-07", "2025", "2025-02-30"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
