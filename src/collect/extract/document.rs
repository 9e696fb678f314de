//! `Document`: an answer decoded into what its kind is, and the rows of each `[[rows]]` in it.

use std::ops::Range;

use serde_json::Value;

use super::found::shown;
use super::html::{self, ElementRow, Page};
use super::place::Row;
use super::sheet::{Sheet, TableRow};
use super::{decode, delimited, json, page, shape, workbook};
use crate::collect::collector::{Delimiter, Encoding, From, HtmlRows, Rows, TableRows};
use crate::model::{Finding, Reason};

/// What the answers of a collector are; all its `[[rows]]` read the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON.
    Json,
    /// A page, with the encoding if nothing else states one.
    Html(Encoding),
    /// An XLSX workbook.
    Workbook,
    /// A CSV file.
    Csv(Delimiter, Encoding),
}

impl Kind {
    fn of(from: &From) -> Kind {
        match from {
            From::Json(_) => Kind::Json,
            From::Html(rows) => Kind::Html(rows.encoding),
            From::Page(rows) => Kind::Html(rows.encoding),
            From::Table(TableRows { css: Some(_), encoding, .. }) => Kind::Html(*encoding),
            From::Table(TableRows { sheet: Some(_), .. }) => Kind::Workbook,
            From::Table(rows) => Kind::Csv(rows.delimiter.unwrap_or(Delimiter(b',')), rows.encoding),
        }
    }

    /// In words.
    fn label(self) -> &'static str {
        match self {
            Kind::Json => "JSON",
            Kind::Html(_) => "a page",
            Kind::Workbook => "an XLSX workbook",
            Kind::Csv(..) => "a CSV file",
        }
    }
}

/// The kind that all `[[rows]]` of a collector read.
///
/// # Errors
/// Where in the file another kind (or another encoding or delimiter) is declared, and the fix.
pub fn kind_of(rows: &[Rows]) -> Result<Kind, (Range<usize>, String)> {
    let Some(first) = rows.first() else {
        return Err((0..0, "there is no [[rows]]; add one that says what is read from the answer".to_owned()));
    };
    let kind = Kind::of(first.from.get_ref());
    match rows.iter().map(|rows| (rows.from.span(), Kind::of(rows.from.get_ref()))).find(|(_, other)| *other != kind) {
        None => Ok(kind),
        Some((span, other)) if other.label() != kind.label() => {
            let what = format!("these rows are read from {}, the first from {}", other.label(), kind.label());
            Err((span, format!("{what}; one answer is one kind of document: use a collector for each")))
        }
        Some((span, _)) => {
            Err((span, "another encoding or delimiter than the first [[rows]]; one answer has one: state the same in all".to_owned()))
        }
    }
}

/// A decoded answer.
#[derive(Debug, Clone)]
pub enum Document {
    /// JSON, numbers as written.
    Json(Value),
    /// The text of a page; parsed where it is read, because a parsed page cannot change threads.
    Html(String),
    /// A workbook.
    Workbook {
        /// The sheets that the collector reads.
        sheets: Vec<Sheet>,
        /// The names of all its sheets.
        names: Vec<String>,
    },
    /// A CSV file.
    Csv(Sheet),
}

/// Decodes an answer as the kind of document that the collector's `[[rows]]` read.
///
/// # Errors
/// A finding with its reason: not the declared kind, cut, too large, a firewall's or a login page.
pub fn parse(collector_rows: &[Rows], bytes: &[u8], content_type: &str) -> Result<Document, Finding> {
    let kind = kind_of(collector_rows).map_err(|(_, message)| Finding::quarantine(Reason::Config, "rows", message))?;
    // What cannot be decoded may still be recognised, and "a firewall's page" helps more than "not JSON".
    let unless_page = |finding: Finding| decode::not_the_answer(bytes, kind.label()).unwrap_or(finding);
    match kind {
        Kind::Json => json::parse(bytes).map(Document::Json).map_err(unless_page),
        Kind::Html(encoding) => {
            let text = decode::page(bytes, content_type, encoding.0)?;
            // An ordinary page may hold a login box as well; it is the wrong page only if no rows are in it.
            if let Some(refusal) = decode::refusing_page(&text).filter(|_| !has_rows(&text, collector_rows)) {
                return Err(refusal);
            }
            let mut whole_pages = collector_rows.iter().filter_map(|rows| match rows.from.get_ref() {
                From::Page(rows) => Some(rows),
                From::Json(_) | From::Html(_) | From::Table(_) => None,
            });
            match whole_pages.find_map(|rows| page::refusal(&Page::parse(&text), rows)) {
                Some(refusal) => Err(refusal),
                None => Ok(Document::Html(text)),
            }
        }
        Kind::Workbook => {
            let wanted: Vec<&str> = collector_rows.iter().filter_map(|rows| sheet_of(rows.from.get_ref())).collect();
            let (sheets, names) = workbook::parse(bytes, &wanted).map_err(unless_page)?;
            Ok(Document::Workbook { sheets, names })
        }
        Kind::Csv(delimiter, encoding) => match decode::not_the_answer(bytes, kind.label()) {
            Some(page) => Err(page),
            None => delimited::parse(&decode::file(bytes, content_type, encoding.0)?, delimiter).map(Document::Csv),
        },
    }
}

fn sheet_of(from: &From) -> Option<&str> {
    match from {
        From::Table(rows) => rows.sheet.as_deref(),
        From::Json(_) | From::Html(_) | From::Page(_) => None,
    }
}

fn has_rows(text: &str, collector_rows: &[Rows]) -> bool {
    let page = Page::parse(text);
    collector_rows.iter().any(|rows| match rows.from.get_ref() {
        From::Html(HtmlRows { css, .. }) | From::Table(TableRows { css: Some(css), .. }) => !page.select(&css.selector()).is_empty(),
        From::Page(rows) => page::is_more_than_a_form(&page, rows),
        From::Json(_) | From::Table(_) => false,
    })
}

/// A document made ready for one extraction.
pub(super) enum Opened<'d> {
    /// JSON.
    Json(&'d Value),
    /// A parsed page.
    Page(Page),
    /// The sheets read and the names of all.
    Workbook(&'d [Sheet], &'d [String]),
    /// A CSV file.
    Csv(&'d Sheet),
}

/// The rows of one `[[rows]]`.
pub(super) struct Block<'o> {
    pub(super) rows: Vec<Row<'o>>,
    pub(super) headings: Vec<String>,
    pub(super) shape: String,
}

impl<'d> Opened<'d> {
    /// From the decoded answer.
    pub(super) fn of(document: &'d Document) -> Opened<'d> {
        match document {
            Document::Json(value) => Opened::Json(value),
            Document::Html(text) => Opened::Page(Page::parse(text)),
            Document::Workbook { sheets, names } => Opened::Workbook(sheets, names),
            Document::Csv(sheet) => Opened::Csv(sheet),
        }
    }

    /// The rows that `from` describes. `None` with a finding if they cannot be found.
    pub(super) fn block<'o>(&'o self, from: &From, findings: &mut Vec<Finding>) -> Option<Block<'o>> {
        let block = match (self, from) {
            (Opened::Json(value), From::Json(paths)) => {
                let rows = json::rows(value, paths, findings);
                let shape = shape::of_json(rows.iter().map(|row| row.value));
                Ok(Block { rows: rows.into_iter().map(Row::Json).collect(), headings: Vec::new(), shape })
            }
            (Opened::Page(page), From::Html(rows)) => elements(page, rows, findings),
            (Opened::Page(page), From::Table(rows)) => page_table(page, rows, findings),
            (Opened::Workbook(sheets, names), From::Table(rows)) => {
                let wanted = rows.sheet.as_deref().unwrap_or_default();
                let sheet = sheets.iter().find(|sheet| sheet.name == wanted).ok_or_else(|| {
                    let what = format!("no such sheet; the workbook has {}", shown(&names.join(" | ")));
                    Finding::quarantine(Reason::SelectorMissing, format!("sheet {wanted:?}"), what)
                });
                sheet.and_then(|sheet| table(sheet, rows))
            }
            (Opened::Csv(sheet), From::Table(rows)) => table(sheet, rows),
            (
                Opened::Json(_) | Opened::Page(_) | Opened::Workbook(..) | Opened::Csv(_),
                From::Json(_) | From::Html(_) | From::Page(_) | From::Table(_),
            ) => Err(Finding::quarantine(Reason::Config, "from", "these rows cannot stand in this kind of document")),
        };
        block.map_err(|finding| findings.push(finding)).ok()
    }
}

fn elements<'o>(page: &'o Page, rows: &HtmlRows, findings: &mut Vec<Finding>) -> Result<Block<'o>, Finding> {
    let elements = page.select(&rows.css.selector());
    let Some(last) = elements.last() else {
        return Err(Finding::quarantine(Reason::SelectorMissing, &rows.css.0, "no element of the page is a row"));
    };
    findings.extend(page.cut(*last, &rows.css.0).or_else(|| page.cut_behind(*last, &rows.css.0)));
    let row = |(n, element)| Row::Element(ElementRow { element, location: format!("row {}", n + 1) });
    Ok(Block { rows: elements.into_iter().enumerate().map(row).collect(), headings: Vec::new(), shape: String::new() })
}

fn page_table<'o>(page: &'o Page, rows: &TableRows, findings: &mut Vec<Finding>) -> Result<Block<'o>, Finding> {
    let Some(css) = &rows.css else {
        return Err(Finding::quarantine(Reason::Config, "from.table", "a table of a page needs css"));
    };
    let element = html::the_table(page, &css.0, &css.selector())?;
    findings.extend(page.cut(element, &css.0));
    table(&html::grid(element, &css.0)?, rows)
}

fn table<'o>(sheet: &Sheet, rows: &TableRows) -> Result<Block<'o>, Finding> {
    let place = if sheet.name.is_empty() { String::new() } else { format!("sheet {:?}, ", sheet.name) };
    let refuse = |what: String| Finding::quarantine(Reason::SelectorMissing, format!("{place}row {}", rows.header_row), what);
    let (headings, below) = sheet.below(rows.header_row.get()).ok_or_else(|| refuse("no such row for the headings".to_owned()))?;
    if below.is_empty() {
        return Err(refuse(format!("no row below the headings {}", shown(&headings.join(" | ")))));
    }
    let row =
        |row: &super::sheet::SheetRow| Row::Table(TableRow { location: format!("{place}row {}", row.number), cells: row.cells.clone() });
    let shape = shape::of_headings(&headings);
    Ok(Block { rows: below.into_iter().map(row).collect(), headings, shape })
}
