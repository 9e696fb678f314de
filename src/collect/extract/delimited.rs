//! CSV files: cells with their quoting, and the signs that a file was cut.

use super::found::{Found, shown};
use super::sheet::{Cell, MOST_CELLS, Sheet, SheetRow};
use crate::collect::collector::Delimiter;
use crate::model::{Finding, Reason};

/// A record put behind the text: if it is not the last record read, a quote was never closed.
const END: &str = "\u{1}end of file\u{1}";

/// The cells of a CSV text.
///
/// A last line without a line break is refused: a file cut inside its last number looks exactly like it.
pub(super) fn parse(text: &str, delimiter: Delimiter) -> Result<Sheet, Finding> {
    let refuse = |place: String, what: String| Finding::quarantine(Reason::Decode, place, what);
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        let tail = text.lines().next_back().unwrap_or_default();
        let what = format!("the last line {} has no line break: the file may be cut; end it with one", shown(tail));
        return Err(refuse("end of file".to_owned(), what));
    }
    let whole = format!("{text}{END}\n");
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.0).has_headers(false).flexible(true).from_reader(whole.as_bytes());
    let mut rows: Vec<SheetRow> = Vec::new();
    let mut n_cells = 0;
    for record in reader.records() {
        let number = rows.len() + 1;
        let record = record.map_err(|error| refuse(format!("row {number}"), format!("not CSV: {error}")))?;
        n_cells += record.len();
        if n_cells > MOST_CELLS {
            return Err(Finding::quarantine(Reason::TooLarge, format!("row {number}"), format!("more than {MOST_CELLS} cells")));
        }
        rows.push(SheetRow { number, cells: record.iter().map(|text| Cell::single(Found::Text(text.to_owned()))).collect() });
    }
    match rows.pop() {
        Some(last) if last.cells.len() == 1 && last.cells[0].found == Found::Text(END.to_owned()) => {
            Ok(Sheet { name: String::new(), rows })
        }
        last => Err(refuse(format!("row {}", last.map_or(1, |row| row.number)), "a quote is opened and never closed".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_and_refuses_cut_files() {
        let sheet = parse("a;b\r\n\"x;\"\"y\"\"\";1,5\r\n", Delimiter(b';')).expect("a file of the test");
        let texts: Vec<Vec<String>> = sheet.rows.iter().map(|row| row.cells.iter().map(|cell| cell.found.text()).collect()).collect();
        assert_eq!(texts, [["a", "b"], ["x;\"y\"", "1,5"]]);
        for cut in ["a,b\n1,23", "a,b\n1,\"2\n", "a,b\n\"1,2\n3,4\n"] {
            assert_eq!(parse(cut, Delimiter(b',')).expect_err(cut).reason, Reason::Decode, "{cut:?}");
        }
    }
}
