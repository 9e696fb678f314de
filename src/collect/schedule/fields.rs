//! One field of a crontab line, from its text to the numbers it stands for.

use super::BadCron;

/// What a field counts: its name in messages, its range, its names.
pub(super) struct Kind {
    name: &'static str,
    /// What to say it accepts.
    accepts: &'static str,
    first: u8,
    last: u8,
    /// The last number a range of ours names: 6 for the weekday, where 7 is Sunday again.
    last_told: u8,
    /// Three-letter names, the first of them standing for `first`.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The five fields in their order.
pub(super) const KINDS: [Kind; 5] = [
    Kind { name: "minute", accepts: "0 to 59", first: 0, last: 59, last_told: 59, names: &[] },
    Kind { name: "hour", accepts: "0 to 23", first: 0, last: 23, last_told: 23, names: &[] },
    Kind { name: "day of month", accepts: "1 to 31", first: 1, last: 31, last_told: 31, names: &[] },
    Kind { name: "month", accepts: "1 to 12 or jan to dec", first: 1, last: 12, last_told: 12, names: &MONTHS },
    Kind { name: "day of week", accepts: "0 to 7 (0 and 7 are Sunday) or sun to sat", first: 0, last: 7, last_told: 6, names: &WEEKDAYS },
];

/// A field's numbers, ascending, and whether it restricts anything.
pub(super) struct Field {
    /// The numbers it fires at, ascending, each once; weekdays are 0 (Sunday) to 6.
    pub(super) numbers: Vec<u8>,
    /// crontab(5): a field that contains `*`, even as `*/2`, does not count as restricted.
    pub(super) starred: bool,
}

impl Field {
    /// Reads one field: a list of `*`, numbers, names and ranges, the first and last with an optional step.
    pub(super) fn read(spec: &str, text: &str, kind: &Kind) -> Result<Field, BadCron> {
        let bad = |fix: String| BadCron::new(spec, kind.name, text, fix);
        refuse_other_dialects(text, kind).map_err(bad)?;
        let mut numbers = Vec::new();
        for part in text.split(',') {
            numbers.extend(read_part(part, kind).map_err(bad)?);
        }
        if kind.last != kind.last_told {
            numbers.iter_mut().for_each(|number| *number %= kind.last);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Field { numbers, starred: text.contains('*') })
    }
}

/// Signs that other crons know and that crontab(5) does not; each with what to write instead.
fn refuse_other_dialects(text: &str, kind: &Kind) -> Result<(), String> {
    let upper = text.to_ascii_uppercase();
    // Names hold these letters too, so only a letter that is not part of a name counts.
    let ends_in = |letter: char| upper.split([',', '-', '/']).any(|part| part.ends_with(letter) && part.len() < 3);
    if text.contains('?') {
        return Err("`?` is not of crontab(5): write `*`".to_owned());
    }
    if text.contains('#') {
        return Err("`#` (the n-th weekday) is not of crontab(5): restrict the day of month instead, like `1-7`".to_owned());
    }
    if kind.name.starts_with("day") && (ends_in('L') || ends_in('W')) {
        return Err("`L` and `W` are not of crontab(5): name the days, like `28`, or `1` for the day after the month's last".to_owned());
    }
    Ok(())
}

/// One element of the list.
fn read_part(part: &str, kind: &Kind) -> Result<impl Iterator<Item = u8>, String> {
    let (range, step) = match part.split_once('/') {
        None => (part, None),
        Some((range, step)) => (range, Some(read_step(part, step, kind)?)),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (kind.first, kind.last_told),
        None if step.is_some() => {
            return Err(format!("a step needs a range: write `{range}-{}/{}`", kind.last_told, step.unwrap_or(1)));
        }
        None => {
            let number = read_number(range, kind)?;
            (number, number)
        }
        Some((from, to)) => read_range(from, to, kind)?,
    };
    Ok((from..=to).step_by(step.unwrap_or(1).into()))
}

fn read_range(from: &str, to: &str, kind: &Kind) -> Result<(u8, u8), String> {
    let (first, last) = (read_number(from, kind)?, read_number(to, kind)?);
    if first > last {
        return Err(format!("a range goes up: write `{from}-{},{}-{to}`", kind.last_told, kind.first));
    }
    Ok((first, last))
}

fn read_step(part: &str, step: &str, kind: &Kind) -> Result<u8, String> {
    let span = kind.last_told - kind.first;
    match read_digits(step) {
        Some(0) => Err(format!("`{part}` never moves on: a step is at least 1")),
        Some(step) if step <= span => Ok(step),
        // `*/90` in the minutes looks like every 90 minutes and would fire every hour.
        Some(_) => Err(format!("`{part}` steps past the end: a step here is at most {span}")),
        None => Err(format!("{step:?} is no step: write a whole number from 1 to {span}")),
    }
}

fn read_number(text: &str, kind: &Kind) -> Result<u8, String> {
    let named = kind.names.iter().zip(kind.first..).find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| number);
    named
        .or_else(|| read_digits(text).filter(|number| (kind.first..=kind.last).contains(number)))
        .ok_or_else(|| format!("{text:?} is no {}: write {}", kind.name, kind.accepts))
}

/// One or two ASCII digits; `parse` alone would also take `+5`.
fn read_digits(text: &str) -> Option<u8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
