//! Service hours: when a criterion wants a portal to be up; always, if it says nothing.

use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Asia::Ho_Chi_Minh;
use serde::{Deserialize, Serialize};

use super::hour::HOUR_MICROS;
use crate::model::{Calendar, Ts, Window};

/// Which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// Every day.
    #[default]
    All,
    /// Working days (holidays.csv).
    Working,
}

/// When a portal must be up, in Vietnam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHours {
    days: Days,
    /// Times of the day, in order, without overlaps; the end of the day as `None`.
    hours: Vec<(NaiveTime, Option<NaiveTime>)>,
}

/// A text that is no stretch of a day, or stretches that overlap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of the day after the one before it; write one like \"07:30-11:30\", at most until 24:00, in order")]
pub struct BadServiceHours(pub String);

impl ServiceHours {
    /// From `["07:30-11:30", "13:30-17:00"]`.
    ///
    /// # Errors
    /// The first text that is wrong.
    pub fn new(days: Days, hours: &[String]) -> Result<ServiceHours, BadServiceHours> {
        let mut read: Vec<(NaiveTime, Option<NaiveTime>)> = Vec::new();
        for text in hours {
            let bad = || BadServiceHours(text.clone());
            let (from, to) = text.split_once('-').ok_or_else(bad)?;
            let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| bad());
            let from = time(from)?;
            let to = if to.trim() == "24:00" { None } else { Some(time(to)?) };
            let in_order = read.last().is_none_or(|(_, last)| last.is_some_and(|last| last <= from));
            if !in_order || to.is_some_and(|to| to <= from) {
                return Err(bad());
            }
            read.push((from, to));
        }
        if read.is_empty() { Err(BadServiceHours(String::new())) } else { Ok(ServiceHours { days, hours: read }) }
    }

    /// The stretches of a window that are service hours, in order.
    pub fn windows(&self, window: Window, calendar: &Calendar) -> Vec<Window> {
        let day = |at: Ts| at.utc().with_timezone(&Ho_Chi_Minh).date_naive();
        let last = day(window.to);
        let days = day(window.from).iter_days().take_while(|day| *day <= last);
        let days = days.filter(|day| self.days == Days::All || calendar.is_working(*day));
        let stretches = days.flat_map(|day| self.hours.iter().map(move |(from, to)| stretch(day, *from, *to)));
        stretches.filter_map(|stretch| stretch.overlap(window)).collect()
    }
}

impl std::fmt::Display for ServiceHours {
    /// `working 07:30-11:30 13:30-17:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.days {
            Days::All => "all",
            Days::Working => "working",
        })?;
        self.hours.iter().try_for_each(|(from, to)| {
            let to = to.map_or("24:00".to_owned(), |to| to.format("%H:%M").to_string());
            write!(f, " {}-{to}", from.format("%H:%M"))
        })
    }
}

/// Vietnam has no daylight saving time, so every local time exists once.
fn stretch(day: NaiveDate, from: NaiveTime, to: Option<NaiveTime>) -> Window {
    let at = |time: NaiveTime| {
        let local = Ho_Chi_Minh.from_local_datetime(&day.and_time(time)).earliest();
        local.map_or(Ts::from(day.and_time(time).and_utc()), |local| Ts::from(local.to_utc()))
    };
    let end_of_day = || Ts::from_micros(at(NaiveTime::MIN).micros() + 24 * HOUR_MICROS).unwrap_or(at(NaiveTime::MIN));
    Window { from: at(from), to: to.map_or_else(end_of_day, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses() {
        for (hours, wanted) in [
            (vec!["07:30-11:30", "13:30-17:00"], Some("all 07:30-11:30 13:30-17:00")),
            (vec!["00:00-24:00"], Some("all 00:00-24:00")),
            (vec![], None),
            (vec!["07:30"], None),
            (vec!["11:30-07:30"], None),
            (vec!["07:30-11:30", "11:00-12:00"], None),
            (vec!["07:30-24:00", "13:00-14:00"], None),
        ] {
            let texts: Vec<String> = hours.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(ServiceHours::new(Days::All, &texts).ok().map(|hours| hours.to_string()).as_deref(), wanted, "{hours:?}");
        }
    }

    #[test]
    fn stretches_are_local_and_keep_to_working_days() {
        let hours = ServiceHours::new(Days::Working, &["07:30-11:30".to_owned()]).expect("hours");
        let at = |text: &str| text.parse().expect("an instant");
        // Friday to Monday.
        let window = Window { from: at("2026-11-27T10:00:00+07:00"), to: at("2026-11-30T08:00:00+07:00") };
        let said: Vec<String> = hours.windows(window, &Calendar::default()).iter().map(|w| format!("{} {}", w.from, w.to)).collect();
        assert_eq!(said, ["2026-11-27T03:00:00Z 2026-11-27T04:30:00Z", "2026-11-30T00:30:00Z 2026-11-30T01:00:00Z"]);
    }
}
