//! What a request to the evaluation API asks for.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::model::{Period, PeriodKind};

/// The keys of a request; others are ignored, as the portal does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Ask {
    pub time_type: Option<String>,
    pub year: Option<i32>,
    pub quarter: Option<u32>,
    pub month: Option<u32>,
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
    pub root_department_id: Option<String>,
    pub current_page: Option<usize>,
    pub page_size: Option<usize>,
}

impl Ask {
    /// The period of `timeType`, `year`, `quarter` and `month`.
    ///
    /// # Errors
    /// Which key is missing or wrong.
    pub fn period(&self) -> Result<Period, String> {
        let year = self.year.ok_or("year is missing")?;
        match self.time_type.as_deref() {
            Some("year") => whole(year, None, None),
            Some("quarter") => whole(year, Some(self.quarter.ok_or("quarter is missing")?), None),
            Some("month") => whole(year, None, Some(self.month.ok_or("month is missing")?)),
            other => Err(format!("timeType {other:?} is none of year, quarter, month")),
        }
    }

    /// The period of `fromDate` and `toDate`.
    ///
    /// # Errors
    /// They are missing or no whole month, quarter or year.
    pub fn between(&self) -> Result<Period, String> {
        between(self.from_date.ok_or("fromDate is missing")?, self.to_date.ok_or("toDate is missing")?)
    }
}

/// A year, or its quarter or month.
///
/// # Errors
/// There is no such quarter, month or year.
pub(super) fn whole(year: i32, quarter: Option<u32>, month: Option<u32>) -> Result<Period, String> {
    let text = match (quarter, month) {
        (None, None) => format!("{year:04}"),
        (Some(quarter), None) => format!("{year:04}-Q{quarter}"),
        (None, Some(month)) => format!("{year:04}-{month:02}"),
        (Some(_), Some(_)) => return Err("a quarter and a month are not asked for together".to_owned()),
    };
    text.parse().map_err(|error: crate::model::BadPeriod| error.to_string())
}

/// The month, quarter or year from one day to another, both included.
///
/// # Errors
/// The days are no whole month, quarter or year.
pub(super) fn between(from: NaiveDate, to: NaiveDate) -> Result<Period, String> {
    [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Year]
        .map(|kind| Period::holding(kind, from))
        .into_iter()
        .find(|period| period.start() == from && period.last() == to)
        .ok_or_else(|| format!("{from} to {to} is no whole month, quarter or year"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Ask {
        serde_json::from_str(text).expect("a request of the test")
    }

    #[test]
    fn reads_the_period_of_a_request() {
        for (text, want) in [
            (r#"{"timeType":"year","year":2026,"month":8}"#, Ok("2026")),
            (r#"{"timeType":"quarter","year":2026,"quarter":3}"#, Ok("2026-Q3")),
            (r#"{"timeType":"month","year":2026,"month":8}"#, Ok("2026-08")),
            (r#"{"timeType":"month","year":2026}"#, Err("month is missing")),
            (r#"{"timeType":"day","year":2026}"#, Err("none of year")),
            (r#"{"timeType":"month","year":2026,"month":13}"#, Err("not a period")),
        ] {
            match (ask(text).period(), want) {
                (Ok(period), Ok(want)) => assert_eq!(period.to_string(), want),
                (Err(error), Err(want)) => assert!(error.contains(want), "{text}: {error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
        let dates = ask(r#"{"fromDate":"2026-01-01","toDate":"2026-12-31"}"#);
        assert_eq!(dates.between().map(|period| period.to_string()), Ok("2026".to_owned()));
        assert!(ask(r#"{"fromDate":"2026-01-02","toDate":"2026-12-31"}"#).between().is_err());
    }
}
