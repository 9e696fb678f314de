//! Dates and times as Vietnamese pages print them, read by a declared strftime format.

use std::fmt::Write;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::{Doubt, clean, narrow};
use crate::model::PeriodKind;

/// Reads a date such as `26/09/2026` by `%d/%m/%Y`, or the date of an RFC 3339 time, as written there, by `rfc3339`.
///
/// A weekday in Vietnamese before the date (`Thứ Bảy, 26/09/2026`) need not be in the format, and must fit the date.
///
/// # Errors
/// A `Doubt` for a text that does not fit the format whole, for a day that does not exist, for a year
/// outside 1900 to 2199, and for any format with a year of two digits.
pub fn read_date(text: &str, format: &str) -> Result<NaiveDate, Doubt> {
    Ok(read_any(text, format, PeriodKind::Day)?.date)
}

/// The first day of what a text names: of `09/2026` by `%m/%Y`, of `Quý 3/2026` by `Quý %q/%Y`, of `2026` by `%Y`.
///
/// # Errors
/// As `read_date`, and for a format that states no period.
pub fn read_first_day(text: &str, format: &str) -> Result<NaiveDate, Doubt> {
    let finest = finest_field(format).map_err(|why| Doubt::new(text, format!("cannot be read: {why}")))?;
    Ok(read_any(text, format, finest)?.date)
}

/// The finest part of the calendar that a format states: a day (`rfc3339` too), a month, a quarter or a year.
///
/// # Errors
/// The format is no strftime format, has a year of two digits, or states less than a whole period (`%d/%m`, a week).
pub fn finest_field(format: &str) -> Result<PeriodKind, String> {
    if format == "rfc3339" {
        return Ok(PeriodKind::Day);
    }
    let pattern = clean(format);
    let items = pattern_items(&pattern)?;
    let no_period = || format!("{pattern:?} states no day, month, quarter or year; write one like `%d/%m/%Y`, `%m/%Y` or `%Y`");
    let finest = items.iter().filter_map(field).min().ok_or_else(no_period)?;
    // What the format cannot read back from its own text (a day without a month, a week), it cannot read from any.
    let sample = DateTime::from_timestamp(SAMPLE, 0).ok_or_else(no_period)?.fixed_offset();
    let mut text = String::new();
    write!(text, "{}", sample.format_with_items(items.iter())).map_err(|_| no_period())?;
    by_items_as_is(&text, &items, finest).map_err(|_| no_period())?;
    Ok(finest)
}

/// 2026-09-26T11:21:36Z: amid its year, quarter, month and week, so that none of their first days fits by chance.
const SAMPLE: i64 = 1_790_421_696;

/// What one item of a format states of the calendar.
fn field(item: &Item<'_>) -> Option<PeriodKind> {
    match item {
        Item::Numeric(Numeric::Day | Numeric::Ordinal | Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339) => {
            Some(PeriodKind::Day)
        }
        Item::Numeric(Numeric::Month, _) | Item::Fixed(Fixed::ShortMonthName | Fixed::LongMonthName) => Some(PeriodKind::Month),
        Item::Numeric(Numeric::Quarter, _) => Some(PeriodKind::Quarter),
        Item::Numeric(Numeric::Year, _) => Some(PeriodKind::Year),
        // chrono's lists are open; times, offsets and plain text are no part of the calendar.
        Item::Numeric(..)
        | Item::Fixed(_)
        | Item::Literal(_)
        | Item::OwnedLiteral(_)
        | Item::Space(_)
        | Item::OwnedSpace(_)
        | Item::Error => None,
    }
}

/// Reads a date, or a date and time, as the wall clock of `zone` showed it; a date alone is its midnight.
///
/// A text that states its own offset (`rfc3339`, `%z`) is converted to `zone`; any other is taken to be in it.
///
/// # Errors
/// As `read_date`.
pub fn read_instant(text: &str, format: &str, zone: Tz) -> Result<NaiveDateTime, Doubt> {
    let read = read_any(text, format, PeriodKind::Day)?;
    let local = read.date.and_time(read.time.unwrap_or(NaiveTime::MIN));
    let Some(offset) = read.offset else { return Ok(local) };
    let instant = local.and_local_timezone(offset).single();
    instant.map(|instant| instant.with_timezone(&zone).naive_local()).ok_or_else(|| Doubt::new(text, "is outside the calendar"))
}

/// What a text states.
pub(super) struct Stated {
    pub(super) date: NaiveDate,
    pub(super) time: Option<NaiveTime>,
    pub(super) offset: Option<chrono::FixedOffset>,
}

/// `finest`: what finer parts of the date the text may leave out; they are the first ones.
pub(super) fn read_any(text: &str, format: &str, finest: PeriodKind) -> Result<Stated, Doubt> {
    let seen = clean(&narrow(text));
    let stated = if format == "rfc3339" {
        let time = DateTime::parse_from_rfc3339(&seen).map_err(|error| Doubt::new(text, format!("is not an RFC 3339 time: {error}")))?;
        Stated { date: time.date_naive(), time: Some(time.time()), offset: Some(*time.offset()) }
    } else {
        let pattern = clean(format);
        let items = pattern_items(&pattern).map_err(|why| Doubt::new(text, format!("cannot be read: {why}")))?;
        by_items(&seen, &items, finest).map_err(|error| Doubt::new(text, format!("is not a date like {format:?}: {error}")))?
    };
    if !(1900..2200).contains(&stated.date.year()) {
        return Err(Doubt::new(text, format!("has the year {}, which is not within 1900 to 2199", stated.date.year())));
    }
    match split_weekday(&seen) {
        Some((weekday, _)) if weekday != stated.date.weekday() => {
            Err(Doubt::new(text, format!("names another weekday than that of {}", stated.date)))
        }
        Some(_) | None => Ok(stated),
    }
}

/// The format's items, without any that reads a year of two digits.
fn pattern_items(pattern: &str) -> Result<Vec<Item<'_>>, String> {
    let items =
        StrftimeItems::new(pattern).parse().map_err(|_| format!("{pattern:?} is not a strftime format; write one like `%d/%m/%Y`"))?;
    let short = |item: &Item<'_>| {
        matches!(item, Item::Numeric(Numeric::YearMod100 | Numeric::YearDiv100 | Numeric::IsoYearMod100 | Numeric::IsoYearDiv100, _))
    };
    if items.iter().any(short) {
        return Err(format!("{pattern:?} has a year of two digits; write `%Y`"));
    }
    Ok(items)
}

/// As the format says; where that fails, once more without the weekday that stands before the date.
fn by_items(seen: &str, items: &[Item<'_>], finest: PeriodKind) -> chrono::ParseResult<Stated> {
    let whole = by_items_as_is(seen, items, finest);
    match split_weekday(seen) {
        Some((_, date)) if whole.is_err() => by_items_as_is(date, items, finest),
        Some(_) | None => whole,
    }
}

fn by_items_as_is(text: &str, items: &[Item<'_>], finest: PeriodKind) -> chrono::ParseResult<Stated> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, items.iter())?;
    let first_month = match finest {
        PeriodKind::Day | PeriodKind::Month => None,
        PeriodKind::Quarter => parsed.quarter().map(|quarter| i64::from(quarter) * 3 - 2),
        PeriodKind::Year => Some(1),
    };
    first_month.map_or(Ok(()), |month| parsed.set_month(month).map(drop))?;
    if finest != PeriodKind::Day {
        parsed.set_day(1)?;
    }
    let has_time = parsed.hour_mod_12().is_some() || parsed.minute().is_some();
    let time = if has_time { Some(parsed.to_naive_time()?) } else { None };
    let offset = if parsed.offset().is_some() { Some(parsed.to_fixed_offset()?) } else { None };
    Ok(Stated { date: parsed.to_naive_date()?, time, offset })
}

/// The weekday that a text begins with, and what follows it.
fn split_weekday(seen: &str) -> Option<(Weekday, &str)> {
    const NAMES: [(&str, Weekday); 16] = [
        ("thứ hai", Weekday::Mon),
        ("thứ ba", Weekday::Tue),
        ("thứ tư", Weekday::Wed),
        ("thứ năm", Weekday::Thu),
        ("thứ sáu", Weekday::Fri),
        ("thứ bảy", Weekday::Sat),
        ("thứ bẩy", Weekday::Sat),
        ("chủ nhật", Weekday::Sun),
        ("chúa nhật", Weekday::Sun),
        ("thứ 2", Weekday::Mon),
        ("thứ 3", Weekday::Tue),
        ("thứ 4", Weekday::Wed),
        ("thứ 5", Weekday::Thu),
        ("thứ 6", Weekday::Fri),
        ("thứ 7", Weekday::Sat),
        ("cn", Weekday::Sun),
    ];
    NAMES.iter().find_map(|(name, weekday)| {
        let end = seen.char_indices().nth(name.chars().count())?.0;
        let (start, rest) = seen.split_at(end);
        let rest = (start.to_lowercase() == *name).then_some(rest)?;
        // A sign must part the two: "Thứ 26/09/2026" does not begin with "Thứ 2".
        let date = rest.trim_start_matches([',', ' ']);
        (date.len() < rest.len()).then_some((*weekday, date))
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Ho_Chi_Minh;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_dates() {
        for (text, format) in [
            ("26/09/2026", "%d/%m/%Y"),
            ("26-09-2026", "%d-%m-%Y"),
            (" 26/9/2026\u{a0}", "%d/%m/%Y"),
            ("２６/０９/２０２６", "%d/%m/%Y"),
            ("Thứ Bảy, 26/09/2026", "%d/%m/%Y"),
            ("Thu\u{31b}\u{301} 7, 26/09/2026", "%d/%m/%Y"),
            ("THỨ BẢY 26/09/2026", "%d/%m/%Y"),
            ("Ngày 26 tháng 9 năm 2026", "Ngày %d tháng %m năm %Y"),
            ("10:30 26/09/2026", "%H:%M %d/%m/%Y"),
            ("2026-09-26T23:30:00+07:00", "rfc3339"),
        ] {
            assert_eq!(read_date(text, format), Ok(NaiveDate::from_ymd_opt(2026, 9, 26).unwrap()), "{text:?}");
        }
        assert_eq!(read_date("Chủ nhật, 27/09/2026", "%d/%m/%Y").unwrap().to_string(), "2026-09-27");
    }

    #[test]
    fn reads_instants_on_the_zones_clock() {
        for (text, format, want) in [
            ("06/10/2026", "%d/%m/%Y", "2026-10-06 00:00:00"),
            ("06:00 06/10/2026 (giờ Việt Nam)", "%H:%M %d/%m/%Y (giờ Việt Nam)", "2026-10-06 06:00:00"),
            ("Thứ Ba, 06/10/2026 14:05:09", "%d/%m/%Y %H:%M:%S", "2026-10-06 14:05:09"),
            ("2026-10-05T23:00:00Z", "rfc3339", "2026-10-06 06:00:00"),
            ("06/10/2026 06:00 +0000", "%d/%m/%Y %H:%M %z", "2026-10-06 13:00:00"),
        ] {
            assert_eq!(read_instant(text, format, Ho_Chi_Minh).map(|at| at.to_string()), Ok(want.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn the_finest_field_is_the_kind_of_the_period() {
        use PeriodKind::{Day, Month, Quarter, Year};
        for (format, kind, text, first) in [
            ("%d/%m/%Y", Day, "26/09/2026", "2026-09-26"),
            ("%-d/%-m/%Y", Day, "26/9/2026", "2026-09-26"),
            ("%e.%m.%Y", Day, "26.09.2026", "2026-09-26"),
            ("%F %H:%M", Day, "2026-09-26 06:00", "2026-09-26"),
            ("%j/%Y", Day, "269/2026", "2026-09-26"),
            ("Tuần %V, %d/%m/%Y", Day, "Tuần 39, 26/09/2026", "2026-09-26"),
            ("rfc3339", Day, "2026-09-26T23:30:00+07:00", "2026-09-26"),
            ("%m/%Y", Month, "09/2026", "2026-09-01"),
            ("%-m/%Y", Month, "9/2026", "2026-09-01"),
            ("%_m/%Y", Month, "9/2026", "2026-09-01"),
            ("Tháng %-m năm %Y", Month, "Tháng 12 năm 2026", "2026-12-01"),
            ("%b %Y", Month, "Sep 2026", "2026-09-01"),
            ("%B %Y", Month, "September 2026", "2026-09-01"),
            ("Quý %q/%Y", Quarter, "Quý 3/2026", "2026-07-01"),
            ("Năm %Y", Year, "Năm 2026", "2026-01-01"),
            ("100%% %Y", Year, "100% 2026", "2026-01-01"),
        ] {
            assert_eq!(finest_field(format), Ok(kind), "{format}");
            assert_eq!(read_first_day(text, format).map(|day| day.to_string()), Ok(first.to_owned()), "{format}");
        }
        for format in ["", "Kỳ", "%", "%Q", "%m/%y", "%D", "%m", "%d/%m", "%d/%Y", "%q", "%V/%Y", "%V/%G", "%A %Y", "%H:%M", "%%m/%%Y"] {
            assert!(finest_field(format).is_err(), "{format} is accepted");
        }
    }

    #[test]
    fn doubts_show_the_text() {
        for (text, format, message) in [
            ("30/02/2026", "%d/%m/%Y", r#""30/02/2026" is not a date like "%d/%m/%Y": input is out of range"#),
            ("26/09/26", "%d/%m/%Y", r#""26/09/26" has the year 26, which is not within 1900 to 2199"#),
            ("26/09/26", "%d/%m/%y", r#""26/09/26" cannot be read: "%d/%m/%y" has a year of two digits; write `%Y`"#),
            ("26/09/2026", "%Q", r#""26/09/2026" cannot be read: "%Q" is not a strftime format; write one like `%d/%m/%Y`"#),
            ("Thứ Hai, 26/09/2026", "%d/%m/%Y", r#""Thứ Hai, 26/09/2026" names another weekday than that of 2026-09-26"#),
        ] {
            assert_eq!(read_date(text, format).unwrap_err().to_string(), message);
        }
        for (text, format) in [
            ("", "%d/%m/%Y"),
            ("09/26/2026", "%d/%m/%Y"),
            ("26/09/2026 10:30", "%d/%m/%Y"),
            ("26/09/2026", "%D"),
            ("Thứ 26/09/2026", "%d/%m/%Y"),
            ("09/2026", "%m/%Y"),
            ("2026-09-26", "rfc3339"),
            ("10 26/09/2026", "%H %d/%m/%Y"),
        ] {
            assert!(read_instant(text, format, Ho_Chi_Minh).is_err(), "{text:?} {format:?} is accepted");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC*", near in "(Thứ |CN)?[0-9/: +-]{0,30}", format in "(%[a-zA-Z]|[/ :]){0,8}") {
            for text in [text, near] {
                for format in [format.as_str(), "%d/%m/%Y", "rfc3339"] {
                    let _ = read_instant(&text, format, Ho_Chi_Minh);
                }
            }
        }
    }
}
