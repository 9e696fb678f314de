//! Dates and times as Vietnamese pages print them, read by a declared strftime format.

use chrono::format::{Item, Numeric, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::{Doubt, clean, narrow};

/// Reads a date such as `26/09/2026` by `%d/%m/%Y`, or the date of an RFC 3339 time, as written there, by `rfc3339`.
///
/// A weekday in Vietnamese before the date (`Thứ Bảy, 26/09/2026`) need not be in the format, and must fit the date.
///
/// # Errors
/// A `Doubt` for a text that does not fit the format whole, for a day that does not exist, for a year
/// outside 1900 to 2199, and for any format with a year of two digits.
pub fn read_date(text: &str, format: &str) -> Result<NaiveDate, Doubt> {
    Ok(read_any(text, format)?.date)
}

/// Reads a date, or a date and time, as the wall clock of `zone` showed it; a date alone is its midnight.
///
/// A text that states its own offset (`rfc3339`, `%z`) is converted to `zone`; any other is taken to be in it.
///
/// # Errors
/// As `read_date`.
pub fn read_instant(text: &str, format: &str, zone: Tz) -> Result<NaiveDateTime, Doubt> {
    let read = read_any(text, format)?;
    let local = read.date.and_time(read.time.unwrap_or(NaiveTime::MIN));
    let Some(offset) = read.offset else { return Ok(local) };
    let instant = local.and_local_timezone(offset).single();
    instant.map(|instant| instant.with_timezone(&zone).naive_local()).ok_or_else(|| Doubt::new(text, "is outside the calendar"))
}

/// What a text states.
struct Stated {
    date: NaiveDate,
    time: Option<NaiveTime>,
    offset: Option<chrono::FixedOffset>,
}

fn read_any(text: &str, format: &str) -> Result<Stated, Doubt> {
    let seen = clean(&narrow(text));
    let stated = if format == "rfc3339" {
        let time = DateTime::parse_from_rfc3339(&seen).map_err(|error| Doubt::new(text, format!("is not an RFC 3339 time: {error}")))?;
        Stated { date: time.date_naive(), time: Some(time.time()), offset: Some(*time.offset()) }
    } else {
        let pattern = clean(format);
        let items = pattern_items(&pattern).map_err(|why| Doubt::new(text, why))?;
        by_items(&seen, &items).map_err(|error| Doubt::new(text, format!("is not a date like {format:?}: {error}")))?
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
    let items = StrftimeItems::new(pattern).parse().map_err(|_| format!("cannot be read: {pattern:?} is not a strftime format"))?;
    let short = |item: &Item<'_>| {
        matches!(item, Item::Numeric(Numeric::YearMod100 | Numeric::YearDiv100 | Numeric::IsoYearMod100 | Numeric::IsoYearDiv100, _))
    };
    if items.iter().any(short) {
        return Err(format!("cannot be read: {pattern:?} has a year of two digits, write `%Y`"));
    }
    Ok(items)
}

/// As the format says; where that fails, once more without the weekday that stands before the date.
fn by_items(seen: &str, items: &[Item<'_>]) -> chrono::ParseResult<Stated> {
    let whole = by_items_as_is(seen, items);
    match split_weekday(seen) {
        Some((_, date)) if whole.is_err() => by_items_as_is(date, items),
        Some(_) | None => whole,
    }
}

fn by_items_as_is(text: &str, items: &[Item<'_>]) -> chrono::ParseResult<Stated> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, items.iter())?;
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
    fn doubts_show_the_text() {
        for (text, format, message) in [
            ("30/02/2026", "%d/%m/%Y", r#""30/02/2026" is not a date like "%d/%m/%Y": input is out of range"#),
            ("26/09/26", "%d/%m/%Y", r#""26/09/26" has the year 26, which is not within 1900 to 2199"#),
            ("26/09/26", "%d/%m/%y", r#""26/09/26" cannot be read: "%d/%m/%y" has a year of two digits, write `%Y`"#),
            ("26/09/2026", "%Q", r#""26/09/2026" cannot be read: "%Q" is not a strftime format"#),
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
