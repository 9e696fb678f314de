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

impl Portal {
    /// Whether it is watched on this day.
    pub fn is_watched_on(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// The address that paths are added to: without the slash that an address without a path ends with.
    pub fn base(&self) -> &str {
        let url = self.url.as_str();
        let bare = self.url.path() == "/" && self.url.query().is_none() && self.url.fragment().is_none();
        if bare { url.trim_end_matches('/') } else { url }
    }
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
    fn a_portal_is_watched_from_its_first_to_its_last_day() {
        let portal = |from: Option<&str>, to: Option<&str>, url: &str| Portal {
            id: "p".to_owned(),
            unit: "u".to_owned(),
            url: url.parse().expect("an address of the test"),
            from: from.map(day),
            to: to.map(day),
        };
        let watched = portal(Some("2026-01-01"), Some("2026-01-31"), "https://a.gov.vn");
        for (on, is) in [("2025-12-31", false), ("2026-01-01", true), ("2026-01-31", true), ("2026-02-01", false)] {
            assert_eq!(watched.is_watched_on(day(on)), is, "{on}");
        }
        for (url, base) in [
            ("https://a.gov.vn", "https://a.gov.vn"),
            ("https://a.gov.vn/", "https://a.gov.vn"),
            ("https://a.gov.vn/x/", "https://a.gov.vn/x/"),
            ("https://a.gov.vn/?x=/", "https://a.gov.vn/?x=/"),
        ] {
            let always = portal(None, None, url);
            assert!(always.is_watched_on(day("1999-01-01")));
            assert_eq!(always.base(), base);
        }
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
