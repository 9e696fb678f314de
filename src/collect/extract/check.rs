//! What can be known of `[[rows]]` when a collector file is loaded: every place compiles for its kind.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::document::kind_of;
use super::place::Place;
use crate::collect::collector::{Collector, ForEach, From, Read, RowPeriod, Rows, Source};

/// Where in the file, what is wrong, and the fix.
pub type Fault = (Range<usize>, String, String);

/// Every fault of the collector's `[[rows]]`; none means that every place in them compiles for what the rows are.
pub fn check_places(collector: &Collector) -> Vec<Fault> {
    let mut faults = Vec::new();
    if matches!(collector.source, Source::Probe(_)) {
        return faults;
    }
    if let Err((span, message)) = kind_of(&collector.rows) {
        let (message, fix) = message.split_once("; ").unwrap_or((message.as_str(), "keep one kind"));
        faults.push((span, message.to_owned(), fix.to_owned()));
    }
    check_slots(&collector.rows, &mut faults);
    for rows in &collector.rows {
        check_from(rows, &mut faults);
        check_each_place(rows, &mut faults);
        check_reads(rows, &mut faults);
        if let Source::Http(http) = &collector.source {
            check_request(rows, &http.for_each, &mut faults);
        }
    }
    faults
}

/// Rows that are read must say whose they are and what they are about, or the request must.
fn check_request(rows: &Rows, asked: &ForEach, faults: &mut Vec<Fault>) {
    let span = rows.from.span();
    if rows.read.is_empty() || rows.unit.is_none() {
        return;
    }
    if rows.unit_value().is_none() && asked.unit.is_none() {
        let fix = "add unit.value to [[rows]] or unit to for_each";
        faults.push((span.clone(), "neither the rows nor the request say whose rows these are".to_owned(), fix.to_owned()));
    }
    if rows.period.is_none() && asked.period.is_empty() {
        let fix = "add period to [[rows]] or to for_each";
        faults.push((span, "neither the rows nor the request state a period".to_owned(), fix.to_owned()));
    }
}

/// One answer is one monitor, and each of its records names its target and its state.
fn check_slots(all: &[Rows], faults: &mut Vec<Fault>) {
    let slots = all.iter().filter_map(|rows| Some((rows, rows.slot.as_ref()?)));
    for (no, (rows, slot)) in slots.enumerate() {
        if no > 0 {
            let fix = "read all of them by one [[rows]], or let each monitor have a collector";
            faults.push((slot.span(), "a second slot: one collector takes over one monitor".to_owned(), fix.to_owned()));
        }
        if rows.item.is_none() {
            let fix = "add item with the place of the target's name to [[rows]]";
            faults.push((slot.span(), "the rows do not say of what each is a record".to_owned(), fix.to_owned()));
        }
        faults.extend(slot.get_ref().fault().map(|(message, fix)| (slot.get_ref().states.span(), message, fix)));
    }
}

fn check_from(rows: &Rows, faults: &mut Vec<Fault>) {
    let mut fault = |message: &str, fix: &str| faults.push((rows.from.span(), message.to_owned(), fix.to_owned()));
    match rows.from.get_ref() {
        From::Json(paths) if paths.0.is_empty() => fault("no path to any row", "write at least one, like \"$.data[*]\""),
        From::Json(_) | From::Html(_) if !rows.columns.is_empty() => {
            fault("columns stand only with a table", "remove columns, and give places as paths or selectors");
        }
        From::Json(_) | From::Html(_) => {}
        From::Table(table) => {
            if table.css.is_some() && table.sheet.is_some() {
                fault("css and sheet together: a table stands in a page or in a workbook", "keep one of them");
            }
            if table.delimiter.is_some() && (table.css.is_some() || table.sheet.is_some()) {
                fault("delimiter stands only with a CSV file", "remove it, or css and sheet");
            }
        }
    }
}

fn check_each_place(rows: &Rows, faults: &mut Vec<Fault>) {
    let unit = rows
        .unit
        .iter()
        .flat_map(|unit| [unit.value.as_ref(), unit.name.as_ref(), unit.code.as_ref(), unit.group.as_ref().map(|group| &group.value)]);
    let slot = rows.slot.iter().map(Spanned::get_ref).flat_map(|slot| [Some(&slot.at), Some(&slot.state), slot.latency_ms.as_ref()]);
    let stated = unit.chain([rows.item.as_ref()]).chain(slot).flatten();
    let mut places: Vec<(Range<usize>, &str)> = stated.map(|place| (place.span(), place.get_ref().as_str())).collect();
    places.extend(rows.keep.keys().map(|place| (place.span(), place.get_ref().as_str())));
    places.extend(rows.skip.iter().map(|skip| (skip.column.span(), skip.column.get_ref().as_str())));
    for read in &rows.read {
        places.push((read.value.span(), read.value.get_ref()));
        places.extend(read.flag.as_ref().map(|flag| (flag.value.span(), flag.value.get_ref().as_str())));
    }
    if let Some(period) = &rows.period
        && let RowPeriod::Read { value, .. } = period.get_ref()
    {
        places.push((period.span(), value));
    }
    faults.extend(places.into_iter().filter_map(|(span, text)| {
        let bad = Place::compile(text, rows).err()?;
        Some((span, bad.message, bad.fix))
    }));
}

fn check_reads(rows: &Rows, faults: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for read in &rows.read {
        let Read { indicator, item, .. } = read;
        if item.is_some() && rows.item.is_some() {
            let message = format!("{} has an item of its own, and the rows state one too", indicator.get_ref());
            faults.push((indicator.span(), message, "keep the item of [[rows]] or that of [[rows.read]]".to_owned()));
        }
        if !seen.insert((indicator.get_ref(), item)) {
            let message = format!("{} is read twice from one row", indicator.get_ref());
            faults.push((indicator.span(), message, "give each its own item, or remove one".to_owned()));
        }
    }
}
