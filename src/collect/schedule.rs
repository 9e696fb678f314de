//! `Cron`: the five-field schedule of crontab(5), evaluated in a time zone.
//!
//! The `cron` crate computes the next match; this wrapper owns everything it does differently:
//! it wants seconds first, counts weekdays from 1 = Sunday, joins day of month and day of week with AND,
//! accepts a 30 February, loses the times of a gap and doubles those of a fold.

use std::fmt;
use std::str::FromStr;

use chrono::{Duration, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

use crate::model::Ts;

mod fields;

use fields::{Field, KINDS};

/// A schedule as in crontab(5): minute, hour, day of month, month, day of week, or a nickname like `@daily`.
///
/// When both days are restricted (neither contains `*`), either one suffices. A local time that the zone
/// skips runs at the first instant after the gap; one that it repeats runs once, the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    text: String,
    /// Fires when any of them does: one for each way in which the days may match.
    any_of: Vec<cron::Schedule>,
}

/// A text that is not such a schedule, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cron {spec:?}, {field} {part:?}: {fix}")]
pub struct BadCron {
    /// The whole text.
    pub spec: String,
    /// The field at fault: "minute", "hour", "day of month", "month", "day of week" or "schedule".
    pub field: &'static str,
    /// The text of that field.
    pub part: String,
    /// What is wrong with it and what to write.
    pub fix: String,
}

impl BadCron {
    fn new(spec: &str, field: &'static str, part: &str, fix: String) -> BadCron {
        BadCron { spec: spec.to_owned(), field, part: part.to_owned(), fix }
    }
}

impl Cron {
    /// The first instant strictly later than `after`; `None` when there is none up to the year 2100.
    ///
    /// For any one schedule and zone it never goes back: a later `after` never gives an earlier instant.
    pub fn next_after(&self, zone: Tz, after: Ts) -> Option<Ts> {
        let mut local = search_start(zone, after);
        loop {
            local = self.next_local(local)?;
            let due = first_instant(zone, local)?;
            // Several local times of a gap share one instant.
            if due > after {
                return Some(due);
            }
        }
    }

    /// The next `n` instants after `after`, each later than the one before; fewer when they end.
    pub fn upcoming(&self, zone: Tz, after: Ts, n: usize) -> Vec<Ts> {
        std::iter::successors(self.next_after(zone, after), |due| self.next_after(zone, *due)).take(n).collect()
    }

    /// The first matching wall-clock time strictly later than `local`.
    fn next_local(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        // Wall-clock time is carried as if it were UTC, where nothing is skipped or doubled.
        let after = local.max(before_the_first_year()).and_utc();
        self.any_of.iter().filter_map(|schedule| schedule.after(&after).next()).min().map(|due| due.naive_utc())
    }
}

/// The wall-clock time after which to search.
fn search_start(zone: Tz, after: Ts) -> NaiveDateTime {
    let here = after.utc().with_timezone(&zone);
    let local = here.naive_local();
    match zone.from_local_datetime(&local) {
        // The second pass of a fold: all its times have had their turn in the first.
        MappedLocalTime::Ambiguous(_, second) if second == here => {
            let fold_end = first_outside(zone, local, |mapped| matches!(mapped, MappedLocalTime::Ambiguous(..)));
            fold_end - Duration::seconds(1)
        }
        MappedLocalTime::Ambiguous(..) | MappedLocalTime::Single(_) | MappedLocalTime::None => local,
    }
}

/// When the zone's clocks first show this time, or jump over it.
fn first_instant(zone: Tz, local: NaiveDateTime) -> Option<Ts> {
    let shown = match zone.from_local_datetime(&local) {
        MappedLocalTime::None => {
            let gap_end = first_outside(zone, local, |mapped| matches!(mapped, MappedLocalTime::None));
            zone.from_local_datetime(&gap_end)
        }
        shown @ (MappedLocalTime::Single(_) | MappedLocalTime::Ambiguous(..)) => shown,
    };
    shown.earliest().map(|time| Ts::from(time.with_timezone(&Utc)))
}

/// The first whole second after `inside` at which the gap or fold it lies in has ended.
fn first_outside(zone: Tz, inside: NaiveDateTime, within: fn(&MappedLocalTime<chrono::DateTime<Tz>>) -> bool) -> NaiveDateTime {
    let is_inside = |local: NaiveDateTime| within(&zone.from_local_datetime(&local));
    let start = inside - Duration::nanoseconds(i64::from(inside.and_utc().timestamp_subsec_nanos()));
    let (mut low, mut high) = (0, 1800);
    while is_inside(start + Duration::seconds(high)) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_inside(start + Duration::seconds(middle)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    start + Duration::seconds(high)
}

/// The `cron` crate knows the years 1970 to 2100.
fn before_the_first_year() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(1969, 12, 31).and_then(|day| day.and_hms_opt(23, 59, 59)).expect("a day of the calendar")
}

impl FromStr for Cron {
    type Err = BadCron;

    /// Reads `30 6 * * 1-5` or `@daily`.
    fn from_str(text: &str) -> Result<Cron, BadCron> {
        let line = expand_nickname(text)?;
        let parts: Vec<&str> = line.split_ascii_whitespace().collect();
        let parts: [&str; 5] = parts.try_into().map_err(|parts: Vec<&str>| wrong_count(text, &parts))?;
        let read = |at: usize| Field::read(text, parts[at], &KINDS[at]);
        let fields = [read(0)?, read(1)?, read(2)?, read(3)?, read(4)?];
        let cron = Cron { text: text.to_owned(), any_of: schedules(text, &fields)? };
        match cron.next_local(before_the_first_year()) {
            Some(_) => Ok(cron),
            None => {
                let fix = format!("no such day ever comes in month {}: name one that does, like 28", parts[3]);
                Err(BadCron::new(text, "day of month", parts[2], fix))
            }
        }
    }
}

/// The five fields that a nickname stands for; any other text as it is.
fn expand_nickname(text: &str) -> Result<&str, BadCron> {
    let line = text.trim();
    if !line.starts_with('@') {
        return Ok(line);
    }
    match line {
        "@hourly" => Ok("0 * * * *"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@monthly" => Ok("0 0 1 * *"),
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        _ => {
            let fix = "no such nickname: write five fields, like `30 6 * * *`, or @hourly, @daily, @weekly, @monthly, @yearly";
            Err(BadCron::new(text, "schedule", line, fix.to_owned()))
        }
    }
}

fn wrong_count(text: &str, parts: &[&str]) -> BadCron {
    let fix = match parts {
        [zone, ..] if zone.contains('=') => format!("a zone is not part of it: leave out `{zone}` and set `timezone`"),
        [_, rest @ ..] if rest.len() == 5 => format!("six fields, and there are no seconds here: write `{}`", rest.join(" ")),
        _ => format!("{} fields instead of five (minute, hour, day of month, month, day of week): write it like `30 6 * * *`", parts.len()),
    };
    BadCron::new(text, "schedule", parts.join(" ").as_str(), fix)
}

/// The schedules of the `cron` crate that together fire when crontab(5) says.
fn schedules(text: &str, [minute, hour, day, month, weekday]: &[Field; 5]) -> Result<Vec<cron::Schedule>, BadCron> {
    let times = format!("0 {} {}", list(minute, 0), list(hour, 0));
    let month = list(month, 0);
    // The crate's weekdays are 1 = Sunday to 7 = Saturday.
    let (days, weekdays) = (list(day, 0), list(weekday, 1));
    let lines = if day.starred || weekday.starred {
        vec![format!("{times} {days} {month} {weekdays}")]
    } else {
        vec![format!("{times} {days} {month} *"), format!("{times} * {month} {weekdays}")]
    };
    let compile =
        |line: String| line.parse().map_err(|error| BadCron::new(text, "schedule", &line, format!("cannot be evaluated: {error}")));
    lines.into_iter().map(compile).collect()
}

/// The field's numbers, each raised by `up`, as a list.
fn list(field: &Field, up: u8) -> String {
    field.numbers.iter().map(|number| (number + up).to_string()).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Cron {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cron, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America::New_York, Asia::Ho_Chi_Minh, Australia::Lord_Howe, Europe::London, Pacific::Apia};
    use proptest::prelude::*;

    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn ts(text: &str) -> Ts {
        text.parse().expect("an instant of the test")
    }

    #[test]
    fn next_instants() {
        for (zone, spec, after, next) in [
            (Ho_Chi_Minh, "30 6 * * *", "2026-09-26T06:30:00+07:00", "2026-09-27T06:30:00+07:00"),
            (Ho_Chi_Minh, "30 6 * * *", "2026-09-26T06:29:59.999999+07:00", "2026-09-26T06:30:00+07:00"),
            (Ho_Chi_Minh, "0 8 * * 1", "2026-09-26T00:00:00+07:00", "2026-09-28T08:00:00+07:00"),
            (Ho_Chi_Minh, "0 8 * * 7", "2026-09-26T00:00:00+07:00", "2026-09-27T08:00:00+07:00"),
            (Ho_Chi_Minh, "0 8 * * SUN", "2026-09-26T00:00:00+07:00", "2026-09-27T08:00:00+07:00"),
            (Ho_Chi_Minh, "0 8 * * Fri-7", "2026-09-27T08:00:00+07:00", "2026-10-02T08:00:00+07:00"),
            (Ho_Chi_Minh, "0 8 1,15 * 1", "2026-09-29T00:00:00+07:00", "2026-10-01T08:00:00+07:00"),
            (Ho_Chi_Minh, "0 8 */10 * 1", "2026-09-26T00:00:00+07:00", "2026-12-21T08:00:00+07:00"),
            (Ho_Chi_Minh, "10-50/20 7,19 1 JAN-Mar,7 *", "2026-03-01T19:50:00+07:00", "2026-07-01T07:10:00+07:00"),
            (Ho_Chi_Minh, "0 0 29 2 *", "2026-01-01T00:00:00+07:00", "2028-02-29T00:00:00+07:00"),
            (Ho_Chi_Minh, " @monthly ", "2026-09-01T00:00:00+07:00", "2026-10-01T00:00:00+07:00"),
            (Ho_Chi_Minh, "0 0 * * *", "1800-01-01T00:00:00Z", "1969-12-31T16:00:00Z"),
            // A gap: the first instant after it, once.
            (New_York, "30 2 * * *", "2025-03-09T06:00:00Z", "2025-03-09T07:00:00Z"),
            (New_York, "30 2 * * *", "2025-03-09T07:00:00Z", "2025-03-10T06:30:00Z"),
            (Lord_Howe, "15 2 * * *", "2025-10-04T15:00:00Z", "2025-10-04T15:30:00Z"),
            (Apia, "0 12 30 12 *", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),
            // A fold: the first of the two, once.
            (New_York, "30 1 * * *", "2025-11-02T04:00:00Z", "2025-11-02T05:30:00Z"),
            (New_York, "30 1 * * *", "2025-11-02T05:30:00Z", "2025-11-03T06:30:00Z"),
            (New_York, "* * * * *", "2025-11-02T05:59:30.5Z", "2025-11-02T07:00:00Z"),
            (New_York, "* * * * *", "2025-11-02T06:10:30.5Z", "2025-11-02T07:00:00Z"),
        ] {
            assert_eq!(cron(spec).next_after(zone, ts(after)), Some(ts(next)), "{spec} in {zone} after {after}");
        }
        assert_eq!(cron("0 0 29 2 *").next_after(Ho_Chi_Minh, ts("2098-01-01T00:00:00Z")), None, "the crate's years end at 2100");
        let after_gap = ["2025-03-09T06:30:00Z", "2025-03-09T07:00:00Z", "2025-03-09T07:30:00Z"].map(ts);
        assert_eq!(cron("*/30 * * * *").upcoming(New_York, ts("2025-03-09T06:00:00Z"), 3), after_gap);
    }

    #[test]
    fn refuses_with_the_fix() {
        for (spec, message) in [
            (
                "",
                r#"cron "", schedule "": 0 fields instead of five (minute, hour, day of month, month, day of week): write it like `30 6 * * *`"#,
            ),
            (
                "0 30 6 * * *",
                r#"cron "0 30 6 * * *", schedule "0 30 6 * * *": six fields, and there are no seconds here: write `30 6 * * *`"#,
            ),
            ("60 0 * * *", r#"cron "60 0 * * *", minute "60": "60" is no minute: write 0 to 59"#),
            ("0 +5 * * *", r#"cron "0 +5 * * *", hour "+5": "+5" is no hour: write 0 to 23"#),
            ("0 22-2 * * *", r#"cron "0 22-2 * * *", hour "22-2": a range goes up: write `22-23,0-2`"#),
            ("5/15 * * * *", r#"cron "5/15 * * * *", minute "5/15": a step needs a range: write `5-59/15`"#),
            ("*/0 * * * *", r#"cron "*/0 * * * *", minute "*/0": `*/0` never moves on: a step is at least 1"#),
            ("*/90 * * * *", r#"cron "*/90 * * * *", minute "*/90": `*/90` steps past the end: a step here is at most 59"#),
            ("0 0 * * sat-sun", r#"cron "0 0 * * sat-sun", day of week "sat-sun": a range goes up: write `sat-6,0-sun`"#),
            ("0 0 ? * 1", r#"cron "0 0 ? * 1", day of month "?": `?` is not of crontab(5): write `*`"#),
            ("0 0 0 * *", r#"cron "0 0 0 * *", day of month "0": "0" is no day of month: write 1 to 31"#),
            ("0 0 * * 8", r#"cron "0 0 * * 8", day of week "8": "8" is no day of week: write 0 to 7 (0 and 7 are Sunday) or sun to sat"#),
            ("0 0 30 2 *", r#"cron "0 0 30 2 *", day of month "30": no such day ever comes in month 2: name one that does, like 28"#),
        ] {
            assert_eq!(spec.parse::<Cron>().map(|_| ()).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
        for spec in [
            "0 0 L * *",
            "0 0 15W * *",
            "0 0 * * 5L",
            "0 0 * * 1#2",
            "@reboot",
            "@every 5m",
            "TZ=UTC 0 0 * * *",
            "1,,2 * * * *",
            "0 0 * mon *",
            "1-2-3 * * * *",
            "1/ * * * *",
            "0 0 31 4,6,9,11 *",
            "٣ * * * *",
            "１ * * * *",
            "0 0 * * */7,8",
            "100 * * * *",
        ] {
            assert!(spec.parse::<Cron>().is_err(), "{spec} is accepted");
        }
    }

    #[test]
    fn a_file_with_a_bad_one_points_at_it() {
        #[derive(Debug, Deserialize)]
        struct File {
            cron: Cron,
        }
        let good: File = toml::from_str("cron = \"@daily\"").expect("a good file");
        assert_eq!(good.cron.to_string(), "@daily");
        let error = toml::from_str::<File>("\ncron = \"0 25 * * *\"").expect_err("a bad file").to_string();
        assert!(error.contains("line 2, column 8") && error.contains("\"25\" is no hour"), "{error}");
    }

    /// What crontab(5) says of one wall-clock minute, without the crate.
    fn matches(fields: &[Field], local: NaiveDateTime) -> bool {
        use chrono::{Datelike, Timelike};
        let has = |at: usize, number: u32| fields[at].numbers.iter().any(|n| u32::from(*n) == number);
        let (day, weekday) = (has(2, local.day()), has(4, local.weekday().num_days_from_sunday()));
        let days = if fields[2].starred || fields[4].starred { day && weekday } else { day || weekday };
        has(0, local.minute()) && has(1, local.hour()) && has(3, local.month()) && days
    }

    /// Every due instant in `hours` hours from `start`, by looking at each minute: the local minutes that
    /// the clocks show for the first time, and those they skipped since the minute before.
    fn scan(fields: &[Field], zone: Tz, start: Ts, hours: i64) -> Vec<Ts> {
        let local_at = |minute: i64| (start.utc() + Duration::minutes(minute)).with_timezone(&zone).naive_local();
        // Start a day early, so that a fold before `start` is known.
        let mut shown = local_at(-24 * 60);
        let mut due = Vec::new();
        for minute in -24 * 60 + 1..=hours * 60 {
            let now = local_at(minute);
            let mut hit = false;
            while shown < now {
                shown += Duration::minutes(1);
                hit |= matches(fields, shown);
            }
            if hit && minute > 0 {
                due.push(Ts::from(start.utc() + Duration::minutes(minute)));
            }
        }
        due
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn agrees_with_looking_at_every_minute(
            minute in prop::sample::select(vec!["*", "0", "30", "*/15", "5,35", "20-40/7"]),
            hour in prop::sample::select(vec!["*", "1", "2", "0-3", "*/2", "1,2,23"]),
            day in prop::sample::select(vec!["*", "*/2", "1-7", "8,9,30"]),
            weekday in prop::sample::select(vec!["*", "0", "7", "mon-fri", "*/3", "5-7"]),
            (zone, change) in prop::sample::select(vec![
                (New_York, "2025-03-08T00:00:00Z"), (New_York, "2025-11-01T00:00:00Z"),
                (London, "2025-03-29T00:00:00Z"), (London, "2025-10-25T00:00:00Z"),
                (Lord_Howe, "2025-10-04T00:00:00Z"), (Lord_Howe, "2025-04-05T00:00:00Z"),
                (Ho_Chi_Minh, "2026-02-27T00:00:00Z"),
            ]),
            offset_minutes in 0i64..2880,
        ) {
            let spec = format!("{minute} {hour} {day} * {weekday}");
            let fields: Vec<Field> = spec.split(' ').zip(&KINDS).map(|(part, kind)| Field::read(&spec, part, kind).unwrap()).collect();
            let start = Ts::from(ts(change).utc() + Duration::minutes(offset_minutes));
            let want = scan(&fields, zone, start, 72);
            let end = Ts::from(start.utc() + Duration::hours(72));
            // One more than expected, so that a surplus is seen.
            let mut got = cron(&spec).upcoming(zone, start, want.len() + 1);
            got.retain(|due| *due <= end);
            prop_assert_eq!(got, want, "{} in {} after {}", spec, zone, start);
        }

        #[test]
        fn is_later_and_never_goes_back(
            spec in prop::sample::select(vec!["* * * * *", "*/30 * * * *", "30 2 * * *", "30 1 * * *", "0 0 1 * 1", "15 2 5 4 *"]),
            zone in prop::sample::select(vec![New_York, London, Lord_Howe, Ho_Chi_Minh, Apia]),
            micros in 0i64..4_000_000_000_000_000, step in 0i64..100_000_000_000,
        ) {
            let (a, b) = (Ts::from_micros(micros).unwrap(), Ts::from_micros(micros + step).unwrap());
            let (next_a, next_b) = (cron(spec).next_after(zone, a).unwrap(), cron(spec).next_after(zone, b).unwrap());
            prop_assert!(next_a > a && next_b > b && next_a <= next_b, "{} {} {} {} {}", spec, a, next_a, b, next_b);
        }

        #[test]
        fn reading_never_panics(text in "\\PC*", near in "[-*/,0-9a-zLW#?@ ]{0,20}") {
            let _ = text.parse::<Cron>();
            let _ = near.parse::<Cron>();
        }
    }
}
