//! `Sheet`: a table of cells, whatever file it came from, read by its headings and never by position.

use std::sync::Arc;

use super::found::{Absent, Found, Spot, shown};
use crate::model::clean;

/// The most cells of one table: merged cells and far addresses may state millions in few bytes.
pub(super) const MOST_CELLS: usize = 2_000_000;

/// A table as it stands in a page, a workbook or a CSV file.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Of a workbook; "" elsewhere.
    pub name: String,
    pub(super) rows: Vec<SheetRow>,
}

/// One row with its number in the source, from 1.
#[derive(Debug, Clone)]
pub(super) struct SheetRow {
    pub(super) number: usize,
    pub(super) cells: Vec<Arc<Cell>>,
}

/// One cell.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) found: Found,
    /// It is merged over several rows or columns and stands in each of them.
    pub(super) spans: bool,
}

impl Cell {
    /// Of one row and one column.
    pub(super) fn single(found: Found) -> Arc<Cell> {
        Arc::new(Cell { found, spans: false })
    }

    fn is_empty(&self) -> bool {
        match &self.found {
            Found::Text(text) => text.trim().is_empty(),
            Found::Empty => true,
            Found::Number(_) | Found::Bool(_) | Found::Null | Found::Other(_) => false,
        }
    }
}

impl Sheet {
    /// The headings in this row (from 1) and the rows below them that hold anything.
    pub(super) fn below(&self, header_row: usize) -> Option<(Vec<String>, Vec<&SheetRow>)> {
        let at = self.rows.iter().position(|row| row.number == header_row)?;
        let headings = self.rows[at].cells.iter().map(|cell| clean(&cell.found.text())).collect();
        let rows = self.rows[at + 1..].iter().filter(|row| !row.cells.iter().all(|cell| cell.is_empty())).collect();
        Some((headings, rows))
    }
}

/// One row of a table under its headings.
#[derive(Debug)]
pub(super) struct TableRow {
    /// `row 5`, with the sheet's name for a workbook.
    pub(super) location: String,
    pub(super) cells: Vec<Arc<Cell>>,
}

/// A column named by its heading.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) heading: String,
    /// Where it stands; known once the headings are.
    pub(super) index: usize,
}

/// Why a heading names no column.
pub(super) enum NoColumn {
    /// It is not among them.
    Absent(String),
    /// It stands more than once.
    Doubled(String),
}

impl Column {
    /// The column with this heading, compared without case and with white space made alike.
    pub(super) fn locate(self, headings: &[String]) -> Result<Column, NoColumn> {
        let same = |text: &str| clean(text).to_lowercase();
        let wanted = same(&self.heading);
        let mut places = headings.iter().enumerate().filter(|(_, heading)| same(heading) == wanted);
        let seen = || shown(&headings.join(" | "));
        match (places.next(), places.count()) {
            (None, _) => Err(NoColumn::Absent(format!("no heading {:?}; the headings are {}", self.heading, seen()))),
            (Some((index, _)), 0) => Ok(Column { index, ..self }),
            (Some(_), more) => Err(NoColumn::Doubled(format!("{} headings {:?}; the headings are {}", more + 1, self.heading, seen()))),
        }
    }

    /// Its cell in a row.
    pub(super) fn find(&self, row: &TableRow) -> Result<Spot, Absent> {
        let cell = row.cells.get(self.index).ok_or(Absent::Nothing)?;
        Ok(Spot { found: cell.found.clone(), place: format!("{}, {:?}", row.location, self.heading), spans: cell.spans })
    }
}
