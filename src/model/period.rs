//! `Period`: what a value is about, a day, month, quarter or year of the local calendar.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// One calendar day.
    Day,
    /// One calendar month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// One calendar year.
    Year,
}

impl PeriodKind {
    /// The word used in files, requests and output.
    pub fn label(self) -> &'static str {
        match self {
            PeriodKind::Day => "day",
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::Year => "year",
        }
    }
}

/// A period of the local calendar (Asia/Ho_Chi_Minh unless a collector says otherwise).
///
/// As text: `2026`, `2026-Q3`, `2026-09`, `2026-09-26`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: NaiveDate,
    kind: PeriodKind,
}

/// A text that names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a period: write 2026, 2026-Q3, 2026-09 or 2026-09-26")]
pub struct BadPeriod(pub String);

impl Period {
    /// The period of this kind that holds the date.
    pub fn holding(kind: PeriodKind, date: NaiveDate) -> Period {
        let month = match kind {
            PeriodKind::Day | PeriodKind::Month => date.month(),
            PeriodKind::Quarter => (date.month() - 1) / 3 * 3 + 1,
            PeriodKind::Year => 1,
        };
        let day = if kind == PeriodKind::Day { date.day() } else { 1 };
        let start = NaiveDate::from_ymd_opt(date.year(), month, day).expect("the first day of a period that holds a valid date");
        Period { start, kind }
    }

    /// The one before, of the same kind.
    pub fn previous(self) -> Period {
        Period::holding(self.kind, self.start.pred_opt().expect("a day before a period of the common era"))
    }

    /// Its kind.
    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    /// Its first day.
    pub fn start(self) -> NaiveDate {
        self.start
    }

    /// Its last day, inclusive.
    pub fn last(self) -> NaiveDate {
        let next = match self.kind {
            PeriodKind::Day => return self.start,
            PeriodKind::Month => self.start.checked_add_months(Months::new(1)),
            PeriodKind::Quarter => self.start.checked_add_months(Months::new(3)),
            PeriodKind::Year => self.start.checked_add_months(Months::new(12)),
        };
        next.and_then(|next| next.checked_sub_days(Days::new(1))).expect("a last day within chrono's range")
    }

    /// The year of its first day.
    pub fn year(self) -> i32 {
        self.start.year()
    }

    /// 1 to 4, for a quarter only.
    pub fn quarter(self) -> Option<u32> {
        (self.kind == PeriodKind::Quarter).then(|| (self.start.month() - 1) / 3 + 1)
    }

    /// 1 to 12, for a month only.
    pub fn month(self) -> Option<u32> {
        (self.kind == PeriodKind::Month).then(|| self.start.month())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PeriodKind::Day => write!(f, "{}", self.start.format("%Y-%m-%d")),
            PeriodKind::Month => write!(f, "{}", self.start.format("%Y-%m")),
            PeriodKind::Quarter => write!(f, "{:04}-Q{}", self.start.year(), (self.start.month() - 1) / 3 + 1),
            PeriodKind::Year => write!(f, "{:04}", self.start.year()),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Period, BadPeriod> {
        let bad = || BadPeriod(text.to_owned());
        let number = |part: &str, width: usize| match part.len() == width && part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse::<u32>().map_err(|_| bad()),
            false => Err(bad()),
        };
        let parts: Vec<&str> = text.split('-').collect();
        let year = number(parts[0], 4)?;
        let (kind, month, day) = match parts[1..] {
            [] => (PeriodKind::Year, 1, 1),
            [quarter] if quarter.starts_with('Q') => match number(&quarter[1..], 1)? {
                q @ 1..=4 => (PeriodKind::Quarter, q * 3 - 2, 1),
                _ => return Err(bad()),
            },
            [month] => (PeriodKind::Month, number(month, 2)?, 1),
            [month, day] => (PeriodKind::Day, number(month, 2)?, number(day, 2)?),
            _ => return Err(bad()),
        };
        let start = NaiveDate::from_ymd_opt(year as i32, month, day).filter(|_| year > 0).ok_or_else(bad)?;
        Ok(Period { start, kind })
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_days() {
        for (text, start, last) in [
            ("2026", "2026-01-01", "2026-12-31"),
            ("2026-Q3", "2026-07-01", "2026-09-30"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2026-09-26", "2026-09-26", "2026-09-26"),
        ] {
            let period: Period = text.parse().expect("a period of the test");
            assert_eq!(period.to_string(), text);
            assert_eq!((period.start().to_string(), period.last().to_string()), (start.to_owned(), last.to_owned()));
            assert_eq!(Period::holding(period.kind(), period.last()), period);
        }
        assert_eq!("2026-01".parse::<Period>().expect("a month").previous().to_string(), "2025-12");
    }

    #[test]
    fn refuses_what_is_no_period() {
        for text in ["", "26", "2026-13", "2026-Q5", "2026-Q", "2026-1", "2026-02-30", "2026/09", "2026-09-26-1", "0000", "2026-Ắ"] {
            assert!(text.parse::<Period>().is_err(), "{text:?}");
        }
    }
}
