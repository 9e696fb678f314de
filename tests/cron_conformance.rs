//! Cron conformance: every row of the robfig/cron tables and of the OCPS daylight-saving cases.
//!
//! Rows in another dialect are rewritten as our own messages ask (`?` to `*`, `5/15` to `5-59/15`, no seconds,
//! the zone beside the schedule), after checking that the text as it stands is refused. Rows that ask for
//! another policy than crontab(5) and ours are listed, each by a rule with its reason, and must differ.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use serde::Deserialize;
use thuocdo::collect::schedule::Cron;
use thuocdo::model::Ts;

#[derive(Deserialize)]
struct Robfig {
    activation: Vec<Activation>,
    next_with_seconds: Vec<Next>,
    next_with_tz: Vec<Next>,
    must_not_parse: Vec<String>,
}

/// Whether a schedule fires at a local minute.
#[derive(Deserialize)]
struct Activation {
    time: String,
    spec: String,
    fires_at: bool,
}

/// The instant that follows `now`; none for a schedule that never fires.
#[derive(Deserialize)]
struct Next {
    now: String,
    spec: String,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Ocps {
    cases: Vec<OcpsCase>,
}

#[derive(Deserialize)]
struct OcpsCase {
    tz: String,
    pattern: String,
    from: Ts,
    next: Ts,
}

/// A row of either suite in one shape.
struct Row {
    /// As the suite has it.
    spec: String,
    zone: Tz,
    after: Ts,
    want: Want,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Want {
    At(Ts),
    NotAt(Ts),
    Never,
}

#[test]
fn every_row_of_the_suites() {
    let Ok(data) = std::env::var("THUOCDO_REAL_DATA") else {
        eprintln!("skipped: every_row_of_the_suites (cron): THUOCDO_REAL_DATA is not set");
        return;
    };
    let robfig: Robfig = load(&format!("{data}/compliance/cron/robfig-cron-tables.json"));
    let ocps: Ocps = load(&format!("{data}/compliance/cron/ocps-dst-cases.json"));
    let rows = rows(&robfig, &ocps);
    assert_eq!(rows.len(), 29 + 58 + 4 + 6, "the suites are whole");

    let (mut passed, mut rewritten, mut listed, mut failed) = (0, 0, 0, Vec::new());
    for row in &rows {
        let ours = our_spelling(&row.spec);
        if ours != row.spec && row.spec.parse::<Cron>().is_ok() {
            failed.push(format!("{:?} is accepted as it stands", row.spec));
            continue;
        }
        let agrees = judge(row, &ours);
        match (policy(row), agrees) {
            (None, true) => {
                passed += 1;
                rewritten += usize::from(ours != row.spec);
            }
            (Some(reason), false) => {
                listed += 1;
                println!("listed: {:?} after {} in {}, {:?}: {reason}", row.spec, row.after, row.zone, row.want);
            }
            (None, false) => failed.push(format!("{:?} ({ours}) after {} in {}, {:?}", row.spec, row.after, row.zone, row.want)),
            (Some(reason), true) => failed.push(format!("{:?} is listed ({reason}) and agrees all the same", row.spec)),
        }
    }
    for spec in &robfig.must_not_parse {
        match spec.parse::<Cron>() {
            Ok(_) => failed.push(format!("{spec:?} is accepted")),
            Err(_) => passed += 1,
        }
    }
    let total = rows.len() + robfig.must_not_parse.len();
    println!(
        "cron conformance: {passed} of {}, {listed} listed ({rewritten} of the {passed} rewritten as our messages ask)",
        total - listed
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(passed + listed, total);
}

/// Whether we do what the row says, given its schedule in our spelling.
fn judge(row: &Row, ours: &str) -> bool {
    let Ok(cron) = ours.parse::<Cron>() else {
        return row.want == Want::Never;
    };
    let next = cron.next_after(row.zone, row.after);
    match row.want {
        Want::At(at) => next == Some(at),
        Want::NotAt(at) => next.is_some_and(|next| next != at),
        Want::Never => next.is_none(),
    }
}

/// Why a row asks for something that we do not do; `None` when it must agree.
fn policy(row: &Row) -> Option<&'static str> {
    let fields = fields_of(&row.spec);
    if fields.len() == 6 && fields[0] != "0" {
        return Some("a second other than 0: crontab(5) has minutes only");
    }
    let Want::At(at) = row.want else { return None };
    let local = at.utc().with_timezone(&row.zone);
    if star_step_or(&fields, local.date_naive()) {
        return Some("crontab(5): a day field that contains `*`, even as `*/n`, is not restricted, so both days must match");
    }
    if let chrono::MappedLocalTime::Ambiguous(first, second) = row.zone.from_local_datetime(&local.naive_local())
        && second == local
        && first != second
    {
        return Some("a fold runs once, the first time; robfig runs again the second");
    }
    if let Some(gap_end) = gap_between(row.zone, row.after, at)
        && at != gap_end
        && fires_in_gap(&fields, row.zone, gap_end)
    {
        return Some("a time in a gap runs at the first instant after it; robfig skips it, OCPS shifts it by the gap's length");
    }
    None
}

/// Whether the date matches only one of the days of a row with `*/n` and a restricted weekday: robfig takes OR there.
fn star_step_or(fields: &[&str], date: NaiveDate) -> bool {
    let [.., day, _, weekday] = fields else { return false };
    let Some(step) = day.strip_prefix("*/").and_then(|step| step.parse::<u32>().ok()) else { return false };
    let both = date.day0().is_multiple_of(step) && date.format("%a").to_string().eq_ignore_ascii_case(weekday);
    !matches!(*weekday, "*" | "?") && !both
}

/// The end of the zone's gap in the time after `after` and up to `until`, looked for by the minute in the first two days.
fn gap_between(zone: Tz, after: Ts, until: Ts) -> Option<Ts> {
    let minutes = (until.utc() - after.utc()).num_minutes().min(2 * 24 * 60);
    let local = |minute: i64| (after.utc() + Duration::minutes(minute)).with_timezone(&zone).naive_local();
    (1..=minutes)
        .find(|minute| local(*minute) - local(minute - 1) > Duration::minutes(1))
        .map(|minute| Ts::from(after.utc() + Duration::minutes(minute)))
}

/// Whether a row with a fixed minute and hour falls into the hour that the clocks skipped before `gap_end`.
fn fires_in_gap(fields: &[&str], zone: Tz, gap_end: Ts) -> bool {
    let [.., minute, hour, _, _, _] = fields else { return false };
    let (Ok(minute), Ok(hour)) = (minute.parse(), hour.parse()) else { return false };
    let day = gap_end.utc().with_timezone(&zone).date_naive();
    let due = day.and_hms_opt(hour, minute, 0).expect("a time of the suite");
    matches!(zone.from_local_datetime(&due), chrono::MappedLocalTime::None)
}

/// The spec's fields, without the zone that robfig writes before them.
fn fields_of(spec: &str) -> Vec<&str> {
    spec.split(' ').filter(|field| !field.contains('=')).collect()
}

/// The row's schedule as crontab(5) writes it.
fn our_spelling(spec: &str) -> String {
    let mut fields = fields_of(spec);
    if fields.len() == 6 {
        fields.remove(0);
    }
    let last = ["59", "23", "31", "12", "6"];
    let spelled = fields.iter().zip(last).map(|(field, last)| match field.split_once('/') {
        _ if *field == "?" => "*".to_owned(),
        Some((start, step)) if start != "*" && !start.contains('-') => format!("{start}-{last}/{step}"),
        Some(_) | None => (*field).to_owned(),
    });
    spelled.collect::<Vec<_>>().join(" ")
}

fn rows(robfig: &Robfig, ocps: &Ocps) -> Vec<Row> {
    let activation = robfig.activation.iter().map(|row| {
        let (_, at) = instant(&row.time, Tz::UTC);
        let want = if row.fires_at { Want::At(at) } else { Want::NotAt(at) };
        Row { spec: row.spec.clone(), zone: Tz::UTC, after: Ts::from(at.utc() - Duration::seconds(1)), want }
    });
    let next = robfig.next_with_seconds.iter().chain(&robfig.next_with_tz).map(|row| {
        let stated = row.spec.split(' ').find_map(|field| field.split_once('=')).map_or(Tz::UTC, |(_, name)| zone(name));
        let (zone, after) = instant(&row.now, stated);
        let want = row.next.as_ref().map_or(Want::Never, |next| Want::At(instant(next, zone).1));
        Row { spec: row.spec.clone(), zone, after, want }
    });
    let ocps =
        ocps.cases.iter().map(|case| Row { spec: case.pattern.clone(), zone: zone(&case.tz), after: case.from, want: Want::At(case.next) });
    activation.chain(next).chain(ocps).collect()
}

/// A time of the robfig tables with its zone: `2012-03-11T00:00:00-0500`, the same after `TZ=…`, or `Mon Jul 9 14:45 2012`.
fn instant(text: &str, tz: Tz) -> (Tz, Ts) {
    if let Some((name, time)) = text.strip_prefix("TZ=").and_then(|rest| rest.split_once(' ')) {
        return instant(time, zone(name));
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z") {
        // The one other offset of the tables is India's, which the rows do not name.
        let zone = if text.ends_with("+0530") { Tz::Asia__Kolkata } else { tz };
        return (zone, Ts::from(time.to_utc()));
    }
    // Some weekdays of the tables do not fit their dates, so they are not read.
    let (_, date) = text.split_once(' ').expect("a weekday first");
    let local = ["%b %d %H:%M:%S %Y", "%b %d %H:%M %Y"].iter().find_map(|format| NaiveDateTime::parse_from_str(date, format).ok());
    let local = local.unwrap_or_else(|| panic!("{text:?} is no time of the tables"));
    (tz, Ts::from(tz.from_local_datetime(&local).single().expect("a plain time").to_utc()))
}

fn zone(name: &str) -> Tz {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn load<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
