//! Extraction: how rows and values are read. Bytes in, readings and findings out; pure.

mod check;
mod decode;
mod delimited;
mod document;
mod draft;
mod found;
mod html;
mod json;
mod look_up;
mod page;
mod place;
mod plan;
mod read;
mod shape;
mod sheet;
mod slot;
#[cfg(test)]
mod tests;
mod workbook;

pub use check::{Fault, check_places};
pub use decode::is_firewall_page;
pub use document::{Document, Kind, kind_of, parse};
pub use draft::{DraftUnit, draft_units};
pub use found::Found;
pub use look_up::{check_look_up, look_up};
pub use shape::shape_difference;
pub use sheet::Sheet;

use super::collector::Collector;
use crate::model::{Finding, Indicator, Period, Reading, Scope, Value};
use crate::rollup::Record;

/// What reading an answer needs to know beside the answer.
pub struct Context<'a> {
    /// How it is read.
    pub collector: &'a Collector,
    /// What was asked.
    pub scope: &'a Scope,
    /// The address that was asked, or the path of a file.
    pub address: &'a str,
    /// The unit with this code in this code map ("" if the collector names none) in this period.
    pub unit_of: &'a dyn Fn(&str, &str, Period) -> Option<String>,
    /// The indicator with this id.
    pub indicator: &'a dyn Fn(&str) -> Option<&'a Indicator>,
}

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extract {
    /// What was read, in the answer's order; each indicator, unit, item and period once.
    pub readings: Vec<Reading>,
    /// What was not as it should be, at most 200; one of severity quarantine refuses the whole answer.
    pub findings: Vec<Finding>,
    /// One entry for each `[[rows]]`, in the file's order.
    pub rows: Vec<RowsSeen>,
    /// Of rows with `slot`: what a monitor wrote, in the answer's order.
    pub records: Vec<Record>,
}

/// What was seen of the rows of one `[[rows]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsSeen {
    /// Rows that `where` and `skip` left, whether or not their unit is known.
    pub kept: usize,
    /// Of a table, cleaned, in order; empty elsewhere.
    pub headings: Vec<String>,
    /// Rows that `skip` left out.
    pub skipped: Vec<SkippedRow>,
    /// Keys and types of the rows (JSON) or headings (tables) as a canonical text, "" for elements of a page.
    pub shape: String,
}

/// A row that `skip` left out: a total, which parts must add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRow {
    /// The cleaned text that `skip` matched.
    pub text: String,
    /// Indicator, item and value of everything that could be read from it.
    pub values: Vec<(String, String, Value)>,
}

/// Reads an answer as its collector says.
///
/// Broken input yields findings, never an error: whatever is in doubt is no reading.
pub fn extract(document: &Document, ctx: &Context) -> Extract {
    let opened = document::Opened::of(document);
    let mut reader = read::Reader::new(ctx);
    for rows in &ctx.collector.rows {
        reader.read_rows(&opened, rows);
    }
    reader.finish()
}
