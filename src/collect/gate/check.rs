//! What can be known of gates when a collector file is loaded: bounds, places, and the readings they judge.

use std::ops::Range;

use toml::Spanned;

use super::{Fresh, Gate, Jump, Present, RangeGate, RowCount, SumsTo, Whole};
use crate::collect::collector::{Check, Collector, Rows};
use crate::collect::extract::{self, Fault, Kind};
use crate::collect::number::finest_field;
use crate::model::{Exact, PeriodKind};

/// Every fault of the collector's gates that can be seen without the registry; none means that each of them can judge.
pub fn faults(collector: &Collector) -> Vec<Fault> {
    // Rows of mixed kinds are reported with the rows.
    let Ok(kind) = extract::kind_of(&collector.rows) else { return Vec::new() };
    let mut faults = Vec::new();
    for gate in &collector.gate {
        let unread = indicators(gate.get_ref()).into_iter().filter(|id| !is_read(collector, id.get_ref(), None));
        faults
            .extend(unread.map(|id| fault(id.span(), format!("no [[rows.read]] reads {}", id.get_ref()), "name one that this file reads")));
        faults.extend(places(gate.get_ref()).into_iter().filter_map(|(span, place)| place_fault(kind, span, place)));
        faults.extend(bounds(gate.get_ref(), collector));
    }
    faults
}

/// The indicators that a gate names; paths are not indicators.
pub fn indicators(gate: &Gate) -> Vec<Spanned<String>> {
    match gate {
        Gate::Covers(_) | Gate::Rows(_) | Gate::Complete(_) | Gate::Header(_) | Gate::Shape(_) | Gate::Fresh(_) => Vec::new(),
        Gate::SumsTo(sums) => sums_sides(sums)
            .into_iter()
            .filter(|(_, side)| !is_path(side))
            .map(|(span, side)| Spanned::new(span, side.to_owned()))
            .collect(),
        Gate::Present(present) => vec![present.indicator.clone()],
        Gate::NotAbove(pair) => vec![pair.part.clone(), pair.whole.clone()],
        Gate::Range(range) => vec![range.get_ref().indicator.clone()],
        Gate::Jump(jump) => vec![jump.indicator.clone()],
        Gate::Monotonic(monotonic) => vec![monotonic.indicator.clone()],
    }
}

/// The places that a gate looks up.
fn places(gate: &Gate) -> Vec<(Range<usize>, &str)> {
    let place = |place: &'_ Spanned<String>| place.span();
    match gate {
        Gate::Complete(complete) => {
            std::iter::once(&complete.total).chain(&complete.rows).map(|at| (place(at), at.get_ref().as_str())).collect()
        }
        Gate::SumsTo(sums) => sums_sides(sums).into_iter().filter(|(_, side)| is_path(side)).collect(),
        Gate::Fresh(fresh) => vec![(place(&fresh.value), fresh.value.get_ref())],
        Gate::Covers(_)
        | Gate::Present(_)
        | Gate::Rows(_)
        | Gate::NotAbove(_)
        | Gate::Range(_)
        | Gate::Jump(_)
        | Gate::Monotonic(_)
        | Gate::Header(_)
        | Gate::Shape(_) => Vec::new(),
    }
}

/// Parts and whole, each a path or an indicator.
fn sums_sides(sums: &SumsTo) -> Vec<(Range<usize>, &str)> {
    let parts = (sums.parts.span(), sums.parts.get_ref().as_str());
    match sums.whole.get_ref() {
        Whole::Place(whole) => vec![parts, (sums.whole.span(), whole)],
        Whole::Skipped(_) => vec![parts],
    }
}

fn is_path(side: &str) -> bool {
    side.starts_with('$')
}

/// Places must compile for the kind of document that the rows are read from.
fn place_fault(kind: Kind, span: Range<usize>, place: &str) -> Option<Fault> {
    let why = extract::check_look_up(kind, place).err()?;
    Some(fault(span, why, "write a place of this kind of answer"))
}

/// Bounds that no answer or every answer could hold.
fn bounds(gate: &Gate, collector: &Collector) -> Option<Fault> {
    match gate {
        Gate::Covers(covers) => share(&covers.at_least),
        Gate::Present(Present { indicator, item, at_least, .. }) => share(at_least).or_else(|| item_fault(collector, indicator, item)),
        Gate::Rows(rows) => row_bounds(rows),
        Gate::Range(range) => range_bounds(range).or_else(|| item_fault(collector, &range.get_ref().indicator, &range.get_ref().item)),
        Gate::SumsTo(sums) => match (sums.whole.get_ref(), is_path(sums.parts.get_ref())) {
            (Whole::Skipped(_), true) => {
                let message = "a skipped row has values of indicators, not of paths".to_owned();
                Some(fault(sums.parts.span(), message, "name the indicator in parts"))
            }
            (Whole::Skipped(_), false) | (Whole::Place(_), _) => None,
        },
        Gate::Jump(Jump { by, .. }) => (*by.get_ref() < Exact::ZERO)
            .then(|| fault(by.span(), format!("by = {} is no share of 0 or more", by.get_ref()), "write one like \"0.5\"")),
        Gate::Header(header) => header
            .is
            .get_ref()
            .is_empty()
            .then(|| fault(header.is.span(), "no heading is named".to_owned(), "list the headings of the table, in their order")),
        Gate::Fresh(fresh) => date_format(fresh),
        Gate::Complete(_) | Gate::NotAbove(_) | Gate::Monotonic(_) | Gate::Shape(_) => None,
    }
}

fn row_bounds(rows: &Spanned<RowCount>) -> Option<Fault> {
    match rows.get_ref() {
        RowCount { at_least: None, at_most: None, .. } => {
            Some(fault(rows.span(), "rows without bounds holds for every answer".to_owned(), "add at_least, at_most or both"))
        }
        RowCount { at_least: Some(least), at_most: Some(most), .. } if least > most.get_ref() => {
            let message = "no number of rows is within these bounds".to_owned();
            Some(fault(most.span(), message, "write at_least no greater than at_most"))
        }
        RowCount { .. } => None,
    }
}

fn range_bounds(range: &Spanned<RangeGate>) -> Option<Fault> {
    match range.get_ref() {
        RangeGate { min: None, max: None, .. } => {
            Some(fault(range.span(), "range without bounds holds for every answer".to_owned(), "add min, max or both"))
        }
        RangeGate { min: Some(min), max: Some(max), .. } if min > max.get_ref() => {
            Some(fault(max.span(), "no value is within these bounds".to_owned(), "write min no greater than max"))
        }
        RangeGate { .. } => None,
    }
}

fn share(at_least: &Spanned<Exact>) -> Option<Fault> {
    let (share, one) = (at_least.get_ref(), Exact::from(1));
    let right = *share > Exact::ZERO && *share <= one;
    (!right).then(|| fault(at_least.span(), format!("at_least = {share} is no share above 0 and at most 1"), "write one like \"0.95\""))
}

fn item_fault(collector: &Collector, indicator: &Spanned<String>, item: &Option<String>) -> Option<Fault> {
    let item = item.as_deref()?;
    // An indicator that is not read at all is one fault, not two.
    if !is_read(collector, indicator.get_ref(), None) || is_read(collector, indicator.get_ref(), Some(item)) {
        return None;
    }
    let message = format!("no [[rows.read]] reads {} with the item {item:?}", indicator.get_ref());
    Some(fault(indicator.span(), message, "write the item as [[rows.read]] does"))
}

fn date_format(fresh: &Fresh) -> Option<Fault> {
    let message = match finest_field(fresh.format.get_ref()) {
        Ok(PeriodKind::Day) => return None,
        Ok(PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year) => format!("{:?} states no day", fresh.format.get_ref()),
        // The reader's own advice names months and years, which are too coarse for an age.
        Err(why) => why.split_once("; write ").map_or(why.as_str(), |(what, _)| what).to_owned(),
    };
    Some(fault(fresh.format.span(), message, "write \"rfc3339\", or one like \"%d/%m/%Y\""))
}

/// Whether some `[[rows.read]]` or `[[rows.check]]` gives readings of the indicator, and of the item where one is named.
fn is_read(collector: &Collector, indicator: &str, item: Option<&str>) -> bool {
    // An item that stands in the row is known only when the answer is.
    let has_item = |rows: &Rows, read: Option<&str>| item.is_none_or(|item| rows.item.is_some() || read == Some(item));
    let checks = |check: &Check| check.indicators().contains(&indicator) && item.is_none_or(|item| check.item() == item);
    collector.rows.iter().any(|rows| {
        rows.read.iter().any(|read| read.indicator.get_ref() == indicator && has_item(rows, read.item.as_deref()))
            || rows.check.iter().any(|check| checks(check.get_ref()))
    })
}

fn fault(span: Range<usize>, message: String, fix: &str) -> Fault {
    (span, message, fix.to_owned())
}
