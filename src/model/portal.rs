//! `Portal`: a web site of a unit that is watched; when it may be away, and which days are working days.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};

use super::{Sha256, Ts, Window};

/// A portal or site of a unit (cổng, trang thông tin điện tử): one row of `registry/portals.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// Key: the item of its observations, never reused.
    pub id: String,
    /// Whose it is.
    pub unit: String,
    /// What is asked.
    pub url: url::Url,
    /// First day it is watched; `None` = as long as we know.
    pub from: Option<NaiveDate>,
    /// Last day, inclusive; `None` = still.
    pub to: Option<NaiveDate>,
}

/// A window in which a portal was said to be away: one row of `registry/maintenance.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The portal.
    pub target: String,
    /// When it was said to be away.
    pub window: Window,
    /// When that was made public.
    pub announced_at: Ts,
    /// The notice itself, kept in the archive.
    pub notice: Sha256,
}

/// Days off beside Saturdays and Sundays, and Saturdays or Sundays that are worked instead (hoán đổi).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Days off.
    pub off: BTreeSet<NaiveDate>,
    /// Days at the week's end that are worked.
    pub worked: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// Whether offices work on this day.
    pub fn is_working(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        !self.off.contains(&day) && (!weekend || self.worked.contains(&day))
    }

    /// Whole working days between two days, neither of them counted: a term begins on the day after what sets it off and
    /// ends with its last day (Civil Code 91/2015/QH13, art. 147 and 148).
    pub fn working_days_between(&self, first: NaiveDate, last: NaiveDate) -> usize {
        first.iter_days().skip(1).take_while(|day| *day < last).filter(|day| self.is_working(*day)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day of the test")
    }

    #[test]
    fn a_term_in_working_days_counts_whole_days() {
        // 2026-09-02 is National Day, with the day before (Labour Code 45/2019, art. 112).
        let calendar = Calendar { off: [day("2026-09-01"), day("2026-09-02")].into(), worked: [day("2026-09-05")].into() };
        for (first, last, wanted) in [
            ("2026-08-31", "2026-08-31", 0),
            ("2026-08-31", "2026-09-03", 0),
            ("2026-08-31", "2026-09-04", 1),
            // Saturday the 5th is worked in exchange, Sunday is not.
            ("2026-08-31", "2026-09-07", 3),
            ("2026-08-31", "2026-09-08", 4),
            ("2026-11-02", "2026-11-11", 6),
            ("2026-11-02", "2026-11-12", 7),
            ("2026-11-12", "2026-11-02", 0),
        ] {
            assert_eq!(calendar.working_days_between(day(first), day(last)), wanted, "{first} {last}");
        }
    }
}
