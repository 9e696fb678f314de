//! XLSX workbooks: the named sheets, in bounded memory whatever the file claims.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, sink};
use std::sync::Arc;

use calamine::{DataRef, Dimensions, Reader, Xlsx};

use super::found::{Found, shown};
use super::sheet::{Cell, MOST_CELLS, Sheet, SheetRow};
use crate::model::{Finding, Reason};

/// The most bytes that all parts of a workbook may unpack to: 16 times the usual limit of a file.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The last row that is read; far rows cost memory even when empty.
const MOST_ROWS: u32 = 200_000;

/// The sheets of these names that the workbook has, and the names of all its sheets.
pub(super) fn parse(bytes: &[u8], wanted: &[&str]) -> Result<(Vec<Sheet>, Vec<String>), Finding> {
    unpacks_within(bytes, MOST_BYTES)?;
    let broken = |error: calamine::XlsxError| Finding::quarantine(Reason::Decode, "workbook", format!("not an XLSX workbook: {error}"));
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    let present = names.iter().filter(|name| wanted.contains(&name.as_str()));
    let sheets = present.map(|name| sheet(&mut book, name)).collect::<Result<Vec<Sheet>, Finding>>()?;
    Ok((sheets, names))
}

/// Unpacks every part once and counts, because the sizes a zip file states may be lies.
fn unpacks_within(bytes: &[u8], limit: u64) -> Result<(), Finding> {
    let broken = |what: String| Finding::quarantine(Reason::Decode, "workbook", format!("not a whole XLSX workbook: {what}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    let mut left = limit;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let name = part.name().map(std::borrow::Cow::into_owned).map_err(|error| broken(error.to_string()))?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut sink()).map_err(|error| broken(format!("part {name}: {error}")))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            Finding::quarantine(Reason::TooLarge, "workbook", format!("it unpacks to more than {} MiB", limit / (1024 * 1024)))
        })?;
    }
    Ok(())
}

/// One sheet, read cell by cell: a dense range would take the memory of every address up to the farthest.
fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Sheet, Finding> {
    let place = format!("sheet {name:?}");
    let broken = |error: calamine::XlsxError| Finding::quarantine(Reason::Decode, &place, format!("cannot be read: {error}"));
    let too_large =
        || Finding::quarantine(Reason::TooLarge, &place, format!("more than {MOST_ROWS} rows or {MOST_CELLS} cells, merged ones counted"));
    let merged = book.merge_cells_by_sheet_name(name).map_err(broken)?;
    let mut cells = book.worksheet_cells_reader(name).map_err(broken)?;
    let mut sparse: BTreeMap<u32, BTreeMap<u32, Arc<Cell>>> = BTreeMap::new();
    let (mut width, mut n_cells) = (0, 0);
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let found = found(cell.get_value());
        if found == Found::Empty {
            continue;
        }
        n_cells += 1;
        width = width.max(column as usize + 1);
        sparse.entry(row).or_default().insert(column, Cell::single(found));
        if row >= MOST_ROWS || n_cells > MOST_CELLS || width.saturating_mul(sparse.len()) > MOST_CELLS {
            return Err(too_large());
        }
    }
    spread(&merged, &mut sparse, width).ok_or_else(too_large)?;
    let empty = Cell::single(Found::Empty);
    let rows = sparse.into_iter().map(|(row, cells)| dense(row as usize + 1, cells, width, &empty)).collect();
    Ok(Sheet { name: name.to_owned(), rows })
}

/// Lets merged cells stand in every place they cover, as in a page's table; `None` if they cover too many.
///
/// Rows and columns that hold nothing else are not made for them.
fn spread(merged: &[Dimensions], sparse: &mut BTreeMap<u32, BTreeMap<u32, Arc<Cell>>>, width: usize) -> Option<()> {
    let last_column = u32::try_from(width).ok()?.checked_sub(1);
    let mut left = MOST_CELLS;
    for Dimensions { start, end } in merged.iter().filter(|area| area.start != area.end) {
        let first = sparse.get(&start.0).and_then(|row| row.get(&start.1));
        let (Some(first), Some(last_column)) = (first, last_column) else { continue };
        let cell = Arc::new(Cell { found: first.found.clone(), spans: true });
        for (_, row) in sparse.range_mut(start.0..=end.0.max(start.0)) {
            for column in start.1..=end.1.min(last_column) {
                left = left.checked_sub(1)?;
                row.insert(column, cell.clone());
            }
        }
    }
    Some(())
}

/// A row of the sheet's full width: a workbook's cells have addresses, so that an empty one shifts nothing.
fn dense(number: usize, mut cells: BTreeMap<u32, Arc<Cell>>, width: usize, empty: &Arc<Cell>) -> SheetRow {
    let cell = |column: usize| {
        let found = u32::try_from(column).ok().and_then(|column| cells.remove(&column));
        found.unwrap_or_else(|| empty.clone())
    };
    SheetRow { number, cells: (0..width).map(cell).collect() }
}

fn found(value: &DataRef) -> Found {
    match value {
        DataRef::Int(number) => Found::Number(number.to_string()),
        // The shortest text that means this binary number is what Excel's file holds; `decimals` rounds it where declared.
        DataRef::Float(number) => Found::Number(number.to_string()),
        DataRef::String(text) => Found::Text(text.clone()),
        DataRef::SharedString(text) => Found::Text((*text).to_owned()),
        DataRef::Bool(is) => Found::Bool(*is),
        DataRef::DateTime(moment) => match moment.as_datetime() {
            Some(moment) if moment.time() == chrono::NaiveTime::MIN => Found::Text(moment.date().to_string()),
            Some(moment) => Found::Text(moment.format("%Y-%m-%dT%H:%M:%S").to_string()),
            None => Found::Other(format!("a date that cannot be: {}", moment.as_f64())),
        },
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Found::Text(text.clone()),
        DataRef::Error(error) => Found::Other(format!("an error cell {}", shown(&error.to_string()))),
        DataRef::Empty => Found::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        fill(book.add_worksheet().set_name("Xã Phường").expect("a sheet name"));
        book.save_to_buffer().expect("a workbook in memory")
    }

    #[test]
    fn cells_keep_what_they_are() {
        let bytes = book(|sheet| {
            sheet.write(0, 0, "007").expect("a cell");
            sheet.write(0, 1, 7.0).expect("a cell");
            sheet.write(0, 3, 12.5).expect("a cell");
            sheet.write(2, 0, true).expect("a cell");
        });
        let (sheets, names) = parse(&bytes, &["Xã Phường"]).expect("a workbook of the test");
        assert_eq!(names, ["Xã Phường"]);
        let founds = |row: usize| sheets[0].rows[row].cells.iter().map(|cell| cell.found.clone()).collect::<Vec<_>>();
        let number = |text: &str| Found::Number(text.to_owned());
        assert_eq!(founds(0), [Found::Text("007".into()), number("7"), Found::Empty, number("12.5")]);
        assert_eq!((sheets[0].rows[1].number, founds(1)[0].clone()), (3, Found::Bool(true)));
    }

    #[test]
    fn merged_cells_stand_in_every_place_they_cover() {
        let plain = rust_xlsxwriter::Format::new();
        let bytes = book(|sheet| {
            sheet.merge_range(0, 0, 1, 0, "H49", &plain).expect("two rows");
            sheet.merge_range(0, 1, 0, 2, "12", &plain).expect("two columns");
            sheet.write(1, 1, 3).expect("a cell");
            sheet.write(1, 2, 4).expect("a cell");
            sheet.merge_range(3, 0, 9, 9, "", &plain).expect("an empty area");
        });
        let (sheets, _) = parse(&bytes, &["Xã Phường"]).expect("a workbook of the test");
        let cells: Vec<Vec<(String, bool)>> =
            sheets[0].rows.iter().map(|row| row.cells.iter().map(|cell| (cell.found.text(), cell.spans)).collect()).collect();
        let of = |text: &str, spans: bool| (text.to_owned(), spans);
        assert_eq!(cells, [vec![of("H49", true), of("12", true), of("12", true)], vec![of("H49", true), of("3", false), of("4", false)]]);
        let many = vec![Dimensions { start: (0, 0), end: (1_048_575, 16_383) }; MOST_CELLS];
        let mut sparse = BTreeMap::from([(0, BTreeMap::from([(0, Cell::single(Found::Text("x".into())))]))]);
        assert_eq!(spread(&many, &mut sparse, 2), None, "a bomb");
    }

    #[test]
    fn a_damaged_file_is_refused_or_says_the_same() {
        let good = book(|sheet| {
            sheet.write(0, 0, 1_234).expect("a cell");
            sheet.write(1, 0, "H49").expect("a cell");
        });
        let cells = |bytes: &[u8]| {
            let (sheets, _) = parse(bytes, &["Xã Phường"]).ok()?;
            let cells = sheets.iter().flat_map(|sheet| &sheet.rows).flat_map(|row| &row.cells);
            Some(cells.map(|cell| cell.found.clone()).collect::<Vec<_>>())
        };
        let right = cells(&good).expect("the good file");
        for at in (0..good.len()).step_by(11) {
            let mut damaged = good.clone();
            damaged[at] ^= 0x55;
            assert!(cells(&damaged).is_none_or(|seen| seen.is_empty() || seen == right), "byte {at}");
        }
    }

    #[test]
    fn refuses_bombs_and_broken_files() {
        let bytes = book(|sheet| {
            sheet.write(0, 0, "x".repeat(30_000)).expect("a cell");
        });
        assert_eq!(unpacks_within(&bytes, 20_000).expect_err("a bomb").reason, Reason::TooLarge);
        for length in (0..bytes.len()).step_by(97) {
            assert_eq!(parse(&bytes[..length], &["Xã Phường"]).expect_err("a cut file").reason, Reason::Decode, "{length}");
        }
        let far = book(|sheet| {
            sheet.write(1_048_575, 16_383, 1).expect("the farthest cell");
        });
        assert_eq!(parse(&far, &["Xã Phường"]).expect_err("a far cell").reason, Reason::TooLarge);
    }
}
