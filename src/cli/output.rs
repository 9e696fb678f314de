//! Output: the same result as a table for people, or as JSON or CSV for programs.

use anyhow::Context;
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;

/// Prints a line.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!("{}\n", format_args!($($text)*))) };
}
/// Prints without ending the line.
macro_rules! say_part {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!($($text)*)) };
}
pub(crate) use {say, say_part};

/// Writes to standard output. Whoever reads it may have seen enough (`thuocdo … | head`): what follows is for nobody.
pub fn write(text: std::fmt::Arguments<'_>) {
    use std::io::Write;
    if let Err(error) = std::io::stdout().write_fmt(text)
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(1);
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// RFC 4180 with a heading row.
    Csv,
}

/// Headings and rows of text.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Headings.
    pub columns: Vec<String>,
    /// Rows, as many cells as headings.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(columns: &[&str]) -> Table {
        Table { columns: columns.iter().map(|column| (*column).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl ToString>) {
        self.rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// As aligned text.
    pub fn aligned(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        for component in [comfy_table::TableComponent::HorizontalLines, comfy_table::TableComponent::MiddleIntersections] {
            table.remove_style(component);
        }
        table.set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row);
        }
        for (index, column) in (0..).zip(table.column_iter_mut()) {
            // Figures stand under figures.
            let is_figures = self.rows.iter().all(|row| row.get(index).is_none_or(|cell: &String| is_figure(cell)));
            if is_figures && !self.rows.is_empty() {
                column.set_cell_alignment(comfy_table::CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// As CSV.
    ///
    /// # Errors
    /// Never in practice: the writer writes to memory.
    pub fn csv(&self) -> anyhow::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        String::from_utf8(writer.into_inner().context("CSV in memory")?).context("CSV of texts is text")
    }
}

fn is_figure(cell: &str) -> bool {
    cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '%' | '[' | ']' | '…' | ' ' | '–' | '*'))
}

/// A moving sign on standard error while something takes time; hidden unless a terminal is attached.
pub fn spinner(doing: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(doing);
    // Nothing is drawn for what is done in less than this.
    spinner.enable_steady_tick(std::time::Duration::from_millis(500));
    spinner
}

/// Prints a result in the format asked for.
///
/// # Errors
/// The result cannot be written as JSON.
pub fn print(format: Format, json: &impl Serialize, table: &Table) -> anyhow::Result<()> {
    match format {
        Format::Table => say!("{}", table.aligned()),
        Format::Json => say!("{}", serde_json::to_string_pretty(json)?),
        Format::Csv => say_part!("{}", table.csv()?),
    }
    Ok(())
}
