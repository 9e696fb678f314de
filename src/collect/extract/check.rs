//! What can be known of `[[rows]]` when a collector file is loaded: every place compiles for its kind.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::document::kind_of;
use super::place::Place;
use crate::collect::collector::{Check, Collector, ForEach, From, Read, RowPeriod, Rows, Source};

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
    let pages = || collector.rows.iter().filter(|rows| matches!(rows.from.get_ref(), From::Page(_)));
    if let Some(second) = pages().nth(1) {
        let message = "two blocks check the page, and both would give its shares".to_owned();
        faults.push((second.from.span(), message, "put all checks into one".to_owned()));
    }
    for rows in &collector.rows {
        check_from(rows, &mut faults);
        match rows.from.get_ref() {
            From::Page(_) => check_page(rows, &mut faults),
            From::Json(_) | From::Html(_) | From::Table(_) => {
                check_each_place(rows, &mut faults);
                check_reads(rows, &mut faults);
            }
        }
        if let Source::Http(http) = &collector.source {
            check_request(rows, &http.for_each, &mut faults);
        }
    }
    faults
}

/// Rows that are read must say whose they are and what they are about, or the request must.
fn check_request(rows: &Rows, asked: &ForEach, faults: &mut Vec<Fault>) {
    let span = rows.from.span();
    if (rows.read.is_empty() && rows.check.is_empty()) || rows.unit.is_none() {
        return;
    }
    if rows.unit_value().is_none() && asked.unit.is_none() && asked.portal.is_none() {
        let fix = "add unit.value to [[rows]], or unit or portal to for_each";
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
        From::Json(_) | From::Html(_) | From::Page(_) if !rows.columns.is_empty() => {
            fault("columns stand only with a table", "remove columns, and give places as paths or selectors");
        }
        From::Json(_) | From::Html(_) | From::Table(_) if !rows.check.is_empty() => {
            fault("[[rows.check]] stands only with a whole page", "write from = { page = { least_text = 500 } }, or remove the checks");
        }
        From::Json(_) | From::Html(_) | From::Page(_) => {}
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

/// A whole page has checks, and nothing of what rows have.
fn check_page(rows: &Rows, faults: &mut Vec<Fault>) {
    let place = |place: &Spanned<String>| place.span();
    let unit = rows.unit.iter().flat_map(|unit| [&unit.value, &unit.name, &unit.code]).flatten().map(place);
    let period = rows.period.iter().filter(|period| matches!(period.get_ref(), RowPeriod::Read { .. })).map(Spanned::span);
    let stated = unit
        .chain(rows.item.iter().map(place))
        .chain(period)
        .chain(rows.keep.keys().map(place))
        .chain(rows.skip.iter().map(|skip| place(&skip.column)))
        .chain(rows.read.iter().map(|read| place(&read.value)))
        .chain(rows.slot.iter().map(Spanned::span));
    faults.extend(stated.map(|span| {
        let fix = "remove it, or read elements with from = { html = { css = \"…\" } } in rows of their own";
        (span, "a whole page has checks and no places".to_owned(), fix.to_owned())
    }));
    if rows.check.is_empty() {
        let fix = "add [[rows.check]] with a section, lang, title …";
        faults.push((rows.from.span(), "nothing is checked of the page".to_owned(), fix.to_owned()));
    }
    let mut seen = HashSet::new();
    for check in &rows.check {
        faults.extend(page_fault(check));
        if !seen.insert((check.get_ref().word(), check.get_ref().item())) {
            let (word, item) = (check.get_ref().word(), check.get_ref().item());
            let what = if item == word { word.to_owned() } else { format!("{word} {item}") };
            faults.push((check.span(), format!("{} is checked twice", what.trim()), "remove one, or give it an id of its own".to_owned()));
        }
    }
}

/// What is wrong with one check of a page.
fn page_fault(check: &Spanned<Check>) -> Option<Fault> {
    let key = |id: &Spanned<String>| {
        let right =
            !id.get_ref().is_empty() && id.get_ref().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        (!right).then(|| (id.span(), format!("{:?} is no key", id.get_ref()), "use ASCII letters, digits, '-', '_' and '.'".to_owned()))
    };
    let none = |span: Range<usize>, message: &str, fix: &str| Some((span, message.to_owned(), fix.to_owned()));
    match check.get_ref() {
        Check::Section(section) => match (&section.css, &section.heading) {
            (Some(_), Some(_)) => none(section.id.span(), "a section is found by css or by heading", "keep one of them"),
            (None, None) => none(section.id.span(), "the section has nothing to be found by", "add css = \"…\" or heading = [\"…\"]"),
            (None, Some(heading)) if heading.0.is_empty() => {
                none(section.id.span(), "the section has nothing to be found by", "name a text in heading")
            }
            (Some(_), None) | (None, Some(_)) => key(&section.id),
        },
        Check::Fresh(fresh) => key(&fresh.section),
        Check::Counters(counters) => {
            let empty = counters.labels.get_ref().is_empty() || counters.labels.get_ref().iter().any(|names| names.0.is_empty());
            if empty { none(counters.labels.span(), "a counter has no label", "write what stands beside each number") } else { None }
        }
        Check::Domain(patterns) if patterns.0.is_empty() => none(check.span(), "no pattern is named", "write one like \"*.gov.vn\""),
        Check::Lang(_)
        | Check::Title(_)
        | Check::FormLabels(_)
        | Check::ImageAlt(_)
        | Check::Headings(_)
        | Check::Contrast(_)
        | Check::Https(_)
        | Check::Domain(_) => None,
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
