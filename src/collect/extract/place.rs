//! A `Place` in a row, compiled for what the rows are: a JSON path, a CSS selector or a column.

use super::found::{Absent, Spot};
use super::html::{CssPlace, ElementRow};
use super::json::{JsonPlace, JsonRow};
use super::sheet::{Column, NoColumn, TableRow};
use crate::collect::collector::{From, Rows};
use crate::model::{Finding, Reason};

/// One row of an answer.
pub(super) enum Row<'d> {
    /// A node.
    Json(JsonRow<'d>),
    /// An element.
    Element(ElementRow<'d>),
    /// Cells under headings.
    Table(TableRow),
}

impl Row<'_> {
    /// Where it stands.
    pub(super) fn location(&self) -> &str {
        match self {
            Row::Json(row) => &row.location,
            Row::Element(row) => &row.location,
            Row::Table(row) => &row.location,
        }
    }

    /// A table's row that has not as many cells as there are headings: its cells may stand under wrong ones.
    pub(super) fn misfit(&self, headings: usize) -> Option<Finding> {
        let Row::Table(row) = self else {
            return None;
        };
        let text = || {
            let cells: Vec<String> = row.cells.iter().map(|cell| cell.found.text()).collect();
            format!("{} cells under {headings} headings: {}", cells.len(), super::found::shown(&cells.join(" | ")))
        };
        (row.cells.len() != headings).then(|| Finding::quarantine(Reason::RowsMismatch, &row.location, text()))
    }
}

/// A compiled place, relative to a row.
#[derive(Debug)]
pub(super) enum Place {
    /// RFC 9535.
    Json(JsonPlace),
    /// CSS with `@attribute`.
    Css(CssPlace),
    /// A short name of `columns`.
    Column(Column),
}

/// A place that cannot be used, for the author of the file.
pub(super) struct BadPlace {
    pub(super) message: String,
    pub(super) fix: String,
}

impl Place {
    /// From its text, for rows of this kind.
    pub(super) fn compile(text: &str, rows: &Rows) -> Result<Place, BadPlace> {
        match rows.from.get_ref() {
            From::Json(_) => {
                let fix = "write a path relative to the row, like \"$.totalOnTime\"".to_owned();
                JsonPlace::compile(text).map(Place::Json).map_err(|message| BadPlace { message, fix })
            }
            From::Html(_) => {
                let fix = "write a selector within the row, like \"td.so\" or \"a@href\", or \".\" for the row itself".to_owned();
                CssPlace::compile(text).map(Place::Css).map_err(|message| BadPlace { message, fix })
            }
            From::Page(_) => {
                let fix = "remove it, or read elements with from = { html = { css = \"…\" } } in rows of their own".to_owned();
                Err(BadPlace { message: "a whole page has checks and no places".to_owned(), fix })
            }
            From::Table(_) => match rows.columns.get(text) {
                Some(heading) => Ok(Place::Column(Column { heading: heading.get_ref().clone(), index: 0 })),
                None => {
                    let known: Vec<&str> = rows.columns.keys().map(String::as_str).collect();
                    let message = format!("columns defines no {text:?}; it defines {}", known.join(", "));
                    Err(BadPlace { message, fix: format!("add {text:?} with its heading to columns") })
                }
            },
        }
    }

    /// With its column found among the headings; other places need none.
    pub(super) fn locate(self, headings: &[String]) -> Result<Place, NoColumn> {
        match self {
            Place::Column(column) => column.locate(headings).map(Place::Column),
            Place::Json(_) | Place::Css(_) => Ok(self),
        }
    }

    /// The one value there.
    pub(super) fn find(&self, row: &Row) -> Result<Spot, Absent> {
        match (self, row) {
            (Place::Json(place), Row::Json(row)) => place.find(row),
            (Place::Css(place), Row::Element(row)) => place.find(row),
            (Place::Column(column), Row::Table(row)) => column.find(row),
            (Place::Json(_) | Place::Css(_) | Place::Column(_), Row::Json(_) | Row::Element(_) | Row::Table(_)) => Err(Absent::Nothing),
        }
    }
}
