//! Closing days: the hours of a day in Vietnam become its row, and days become months and years. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeZone};
use chrono_tz::Asia::Ho_Chi_Minh;

use super::head::over_v6;
use super::readings::{ON_TERMS, Summed, all_of_unit, readings};
use crate::collect::collector::ProbeSource;
use crate::model::{Calendar, Notice, Period, PeriodKind, Portal, Reading, Ts, Window};
use crate::rollup::{DayRow, HOUR_MICROS, Histogram, HourPart, Options, Segment, Tally, all_of};

/// What the registry says of what is watched.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Every portal, whenever it is watched.
    pub portals: &'a [Portal],
    /// Announced maintenance.
    pub notices: &'a [Notice],
    /// Working days.
    pub calendar: &'a Calendar,
    /// How portals are watched.
    pub probe: &'a ProbeSource,
}

/// The day in Vietnam that holds an instant.
pub fn day_of(at: Ts) -> NaiveDate {
    at.utc().with_timezone(&Ho_Chi_Minh).date_naive()
}

/// A period in Vietnam, from its first instant to that of the next one.
pub fn window_of(period: Period) -> Window {
    let midnight = |day: NaiveDate| {
        let start = day.and_time(chrono::NaiveTime::MIN);
        Ho_Chi_Minh.from_local_datetime(&start).earliest().map_or(Ts::from(start.and_utc()), |local| Ts::from(local.to_utc()))
    };
    Window { from: midnight(period.start()), to: midnight(period.last().succ_opt().unwrap_or(period.last())) }
}

/// The hour before a day, which says whether its first outage began yesterday.
pub fn hour_before(day: Period) -> Window {
    let from = window_of(day).from;
    Window { from: Ts::from_micros(from.micros() - HOUR_MICROS).unwrap_or(from), to: from }
}

impl<'a> Ground<'a> {
    /// The portals that are watched on some day of a period.
    pub fn portals_in(&self, period: Period) -> Vec<&'a Portal> {
        let is_watched =
            |portal: &&Portal| portal.from.is_none_or(|from| from <= period.last()) && portal.to.is_none_or(|to| period.start() <= to);
        self.portals.iter().filter(is_watched).collect()
    }

    /// A day from its hours and the hour before it, by target: every portal that was to be watched, whether it was or not.
    pub fn close(&self, day: Period, hours: &BTreeMap<String, Vec<HourPart>>) -> Vec<(String, DayRow)> {
        let mut rows = Vec::new();
        let mut of_unit: BTreeMap<&str, Vec<Lines>> = BTreeMap::new();
        for portal in self.portals_in(day) {
            let lines = self.lines(day, &portal.id, &portal.id, hours);
            rows.push((portal.id.clone(), lines.row(day)));
            let v6 = over_v6(&portal.id);
            if hours.contains_key(&v6) {
                let row = self.lines(day, &v6, &portal.id, hours).row(day);
                rows.push((v6, row));
            }
            of_unit.entry(&portal.unit).or_default().push(lines);
        }
        for (unit, lines) in of_unit {
            rows.push((all_of_unit(unit), Lines::together(lines).row(day)));
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        rows
    }

    /// The timeline of a portal in a window on these terms; `None` if it was not to be watched then.
    pub fn lines_on(&self, portal: &Portal, parts: &[HourPart], window: Window, options: &Options) -> Option<Lines> {
        let window = self.watched_within(portal, window)?;
        let day = self.laid(&portal.id, parts, window, options);
        Some(Lines { day, before: Vec::new(), latency: Histogram::default(), certificate_until: None })
    }

    /// The readings of one item of every unit on other terms than the usual ones: `combined` is `all`, `mean` or `worst`, and
    /// `item` what it is called then. Units whose portals were not to be watched have none.
    pub fn readings_on(
        &self,
        options: &Options,
        combined: &str,
        item: &str,
        (period, window): (Period, Window),
        lines: Vec<(&'a Portal, Lines)>,
    ) -> Vec<Reading> {
        let mut rows = BTreeMap::new();
        let mut of_unit: BTreeMap<&str, Vec<Lines>> = BTreeMap::new();
        for (portal, lines) in lines {
            rows.insert(portal.id.clone(), lines.row(period));
            of_unit.entry(&portal.unit).or_default().push(lines);
        }
        for (unit, lines) in of_unit {
            rows.insert(all_of_unit(unit), Lines::together(lines).row(period));
        }
        let summed = Summed { period, rows: &rows, newest: &BTreeMap::new(), until: window.to, degraded_is_up: options.degraded_is_up };
        let readings = readings(&summed, &self.portals_in(period), self.probe, self.calendar);
        let of_item = readings.into_iter().filter(|reading| reading.item == combined && ON_TERMS.contains(&reading.indicator.as_str()));
        of_item.map(|reading| Reading { item: item.to_owned(), ..reading }).collect()
    }

    fn lines(&self, day: Period, target: &str, portal: &str, hours: &BTreeMap<String, Vec<HourPart>>) -> Lines {
        let parts = hours.get(target).map(Vec::as_slice).unwrap_or_default();
        let laid = |window| self.laid(portal, parts, window, &Options::default());
        let mut latency = Histogram::default();
        let mut certificate: Option<(Ts, Ts)> = None;
        for part in parts.iter().filter(|part| window_of(day).from <= part.hour && part.hour < window_of(day).to) {
            latency.merge(&part.latency);
            // Of the last hour that saw one; of two copies' hours the one that ends first.
            let seen = part.certificate_until.map(|until| (part.hour, until));
            certificate = certificate.into_iter().chain(seen).max_by_key(|(hour, until)| (*hour, std::cmp::Reverse(*until)));
        }
        let certificate_until = certificate.map(|(_, until)| until);
        Lines { day: laid(window_of(day)), before: laid(hour_before(day)), latency, certificate_until }
    }

    /// The readings that closed days give: of each of them, and of the months, quarters and years that hold them, up to the
    /// last of them. `known` are days of the past, from the first day of the year of the first one.
    pub fn readings(&self, known: &[(String, DayRow)], closed: &[(String, DayRow)]) -> Vec<Reading> {
        let mut days: BTreeMap<(NaiveDate, &str), &DayRow> = BTreeMap::new();
        for (target, row) in known.iter().chain(closed) {
            days.insert((row.day.start(), target), row);
        }
        let mut last_of: BTreeMap<Period, NaiveDate> = BTreeMap::new();
        for (_, row) in closed {
            let day = row.day.start();
            for kind in [PeriodKind::Day, PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Year] {
                let last = last_of.entry(Period::holding(kind, day)).or_insert(day);
                *last = day.max(*last);
            }
        }
        // A later day that is closed already belongs to what is known of the period.
        let newest = days.keys().map(|(day, _)| *day).max();
        let summed = last_of.into_iter().map(|(period, last)| (period, newest.map_or(last, |newest| newest.min(period.last()).max(last))));
        summed.flat_map(|(period, last)| self.of_period(period, last, &days)).collect()
    }

    fn of_period(&self, period: Period, last: NaiveDate, days: &BTreeMap<(NaiveDate, &str), &DayRow>) -> Vec<Reading> {
        let portals = self.portals_in(period);
        let mut sums: BTreeMap<&str, (DayRow, i64)> = BTreeMap::new();
        let mut newest: BTreeMap<String, DayRow> = BTreeMap::new();
        for ((_, target), row) in days.range((period.start(), "")..).take_while(|((day, _), _)| *day <= last) {
            match sums.get_mut(target) {
                Some((sum, n)) => {
                    sum.add(row);
                    *n += 1;
                }
                None => drop(sums.insert(target, ((*row).clone(), 1))),
            }
            if row.tally.up + row.tally.degraded + row.tally.down > 0 {
                newest.insert((*target).to_owned(), (*row).clone());
            }
        }
        let expected = self.expected_days(period.start(), last);
        let rows = sums.into_iter().map(|(target, (mut row, n))| {
            let expected = expected.get(target.trim_end_matches("@ipv6")).copied().unwrap_or(n);
            // A day of which nothing is kept was not watched.
            row.tally = row.tally.plus(Tally { unknown: (expected - n).max(0) * 24 * HOUR_MICROS, ..Tally::default() });
            (target.to_owned(), row)
        });
        let rows: BTreeMap<String, DayRow> = rows.collect();
        let until = window_of(Period::holding(PeriodKind::Day, last)).to;
        readings(&Summed { period, rows: &rows, newest: &newest, until, degraded_is_up: true }, &portals, self.probe, self.calendar)
    }

    /// On how many days of a stretch each target was to be watched: a portal, and all of a unit where one of them was.
    fn expected_days(&self, first: NaiveDate, last: NaiveDate) -> BTreeMap<String, i64> {
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for day in first.iter_days().take_while(|day| *day <= last) {
            let mut units = BTreeSet::new();
            for portal in self.portals.iter().filter(|portal| portal.is_watched_on(day)) {
                *expected.entry(portal.id.clone()).or_default() += 1;
                if units.insert(portal.unit.as_str()) {
                    *expected.entry(all_of_unit(&portal.unit)).or_default() += 1;
                }
            }
        }
        expected
    }
}

/// A stretch of one target, a day or longer, with what is needed of the hour before.
pub struct Lines {
    day: Vec<Segment>,
    before: Vec<Segment>,
    latency: Histogram,
    certificate_until: Option<Ts>,
}

impl Lines {
    fn row(&self, day: Period) -> DayRow {
        DayRow::of(day, &self.day, &self.before, self.latency.clone(), self.certificate_until)
    }

    fn together(all: Vec<Lines>) -> Lines {
        let mut latency = Histogram::default();
        all.iter().for_each(|lines| latency.merge(&lines.latency));
        let certificate_until = all.iter().filter_map(|lines| lines.certificate_until).min();
        let (days, before): (Vec<_>, Vec<_>) = all.into_iter().map(|lines| (lines.day, lines.before)).unzip();
        Lines { day: all_of(&days), before: all_of(&before), latency, certificate_until }
    }
}
