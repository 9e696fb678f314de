//! Instants as logs write them, exact: what is not exact is a doubt.

use std::str::FromStr;

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{LocalResult, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::date::{finest_field, read_any};
use super::{Doubt, NumberFormat, clean, narrow};
use crate::model::{Exact, PeriodKind, Ts, Value};

/// How a log writes its instants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum InstantFormat {
    /// `rfc3339`: with any offset, which counts.
    #[default]
    Rfc3339,
    /// `unix`: seconds since 1970-01-01T00:00:00Z, with or without decimals.
    Unix,
    /// `unix_ms`: the same in milliseconds.
    UnixMillis,
    /// A strftime format with a day and a time of the day; in the collector's zone unless it has `%z`.
    Strftime(String),
}

impl FromStr for InstantFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<InstantFormat, String> {
        match text {
            "rfc3339" => Ok(InstantFormat::Rfc3339),
            "unix" => Ok(InstantFormat::Unix),
            "unix_ms" => Ok(InstantFormat::UnixMillis),
            _ if finest_field(text)? == PeriodKind::Day && states_time(text) => Ok(InstantFormat::Strftime(text.to_owned())),
            _ => Err(format!("{text:?} states no time of a day; write one like `%d/%m/%Y %H:%M:%S`, or rfc3339, unix or unix_ms")),
        }
    }
}

impl<'de> Deserialize<'de> for InstantFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InstantFormat, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn states_time(format: &str) -> bool {
    let hour = |item: Item<'_>| {
        matches!(
            item,
            Item::Numeric(Numeric::Hour | Numeric::Hour12 | Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339)
        )
    };
    StrftimeItems::new(format).any(hour)
}

/// Reads an instant, cut to microseconds.
///
/// # Errors
/// As `read_date`; and a wall clock's time that its zone does not have, or has twice, when clocks are set.
pub fn read_ts(text: &str, format: &InstantFormat, zone: Tz) -> Result<Ts, Doubt> {
    match format {
        InstantFormat::Rfc3339 => stated(text, "rfc3339", zone),
        InstantFormat::Strftime(format) => stated(text, format, zone),
        InstantFormat::Unix => since_1970(text, 1_000_000),
        InstantFormat::UnixMillis => since_1970(text, 1_000),
    }
}

fn stated(text: &str, format: &str, zone: Tz) -> Result<Ts, Doubt> {
    let read = read_any(text, format, PeriodKind::Day)?;
    let local = read.date.and_time(read.time.unwrap_or(NaiveTime::MIN));
    let instant = match read.offset {
        Some(offset) => offset.from_local_datetime(&local).map(|at| at.to_utc()),
        None => zone.from_local_datetime(&local).map(|at| at.to_utc()),
    };
    match instant {
        LocalResult::Single(at) => Ok(Ts::from(at)),
        LocalResult::Ambiguous(..) => Err(Doubt::new(text, format!("is there twice in {zone}, because clocks were set back"))),
        LocalResult::None => Err(Doubt::new(text, format!("is not there in {zone}, because clocks were set forward"))),
    }
}

fn since_1970(text: &str, micros: i64) -> Result<Ts, Doubt> {
    let doubt = || Doubt::new(text, "is no number of seconds (unix) or milliseconds (unix_ms) since 1970 between the years 1900 and 2199");
    let number = super::read(&clean(&narrow(text)), &super::Format { number: NumberFormat::Plain, ..super::Format::default() })?;
    let Value::Number(number) = number else { return Err(doubt()) };
    let micros = number.decimal().checked_mul(Exact::from(micros).decimal()).ok_or_else(doubt)?;
    let at = i64::try_from(micros.trunc().mantissa()).ok().filter(|_| micros.trunc().scale() == 0).and_then(Ts::from_micros);
    at.filter(|at| (1900..2200).contains(&chrono::Datelike::year(&at.utc()))).ok_or_else(doubt)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Ho_Chi_Minh;
    use chrono_tz::Europe::Paris;

    use super::*;

    #[test]
    fn reads_what_is_exact() {
        for (format, text, zone, want) in [
            ("rfc3339", "2023-08-24T13:24:41+07:00", Paris, Some("2023-08-24T06:24:41Z")),
            ("rfc3339", " 2023-08-24T06:58:18.432Z ", Paris, Some("2023-08-24T06:58:18.432Z")),
            ("rfc3339", "2023-08-24T06:58:18", Paris, None),
            ("unix", "1692860298", Paris, Some("2023-08-24T06:58:18Z")),
            ("unix", "1692860298.5", Paris, Some("2023-08-24T06:58:18.500Z")),
            ("unix", "1692860298432", Paris, None),
            ("unix", "", Paris, None),
            ("unix_ms", "1692860298432", Paris, Some("2023-08-24T06:58:18.432Z")),
            ("%d/%m/%Y %H:%M", "24/08/2023 13:58", Ho_Chi_Minh, Some("2023-08-24T06:58:00Z")),
            ("%Y-%m-%d %H:%M:%S%.f", "2023-08-24 06:58:18.25", Paris, Some("2023-08-24T04:58:18.250Z")),
            ("%Y-%m-%d %H:%M:%S %z", "2023-08-24 06:58:18 +0000", Paris, Some("2023-08-24T06:58:18Z")),
            // Clocks in Paris were set back at 3 and forward at 2.
            ("%Y-%m-%d %H:%M", "2023-10-29 02:30", Paris, None),
            ("%Y-%m-%d %H:%M", "2023-10-29 03:30", Paris, Some("2023-10-29T02:30:00Z")),
            ("%Y-%m-%d %H:%M", "2023-03-26 02:30", Paris, None),
        ] {
            let format: InstantFormat = format.parse().expect("a format");
            assert_eq!(read_ts(text, &format, zone).ok().map(|at| at.to_string()).as_deref(), want, "{format:?} {text:?}");
        }
        for format in ["%d/%m/%Y", "%H:%M", "%m/%Y %H:%M", "%d/%m/%y %H:%M", "now"] {
            assert!(format.parse::<InstantFormat>().is_err(), "{format} is accepted");
        }
    }
}
