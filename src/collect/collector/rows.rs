//! What a collector reads: the rows of an answer, whose they are, and the values in them.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Check, Css, Delimiter, Encoding, JsonPaths, PageRows, Pattern, SlotRows};
use crate::collect::number::{NumberFormat, finest_field};
use crate::model::{Period, PeriodKind, UnitGroup};

/// Rows of an answer and what is read from each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Where the rows are.
    pub from: Spanned<From>,
    /// Tables: short names for the headings used below.
    #[serde(default)]
    pub columns: BTreeMap<String, Spanned<String>>,
    /// Whose row it is; every `[[rows]]` without `slot` says it.
    #[serde(default)]
    pub unit: Option<RowUnit>,
    /// What it is about; the period asked for if not stated.
    #[serde(default)]
    pub period: Option<Spanned<RowPeriod>>,
    /// An item that stands in the row (a service, a section).
    #[serde(default)]
    pub item: Option<Spanned<String>>,
    /// Keep only rows in which these places hold these texts.
    #[serde(rename = "where", default)]
    pub keep: BTreeMap<Spanned<String>, String>,
    /// Leave out rows (totals) in which a place matches.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// Two rows with one key are drift. Default: unit, item and period.
    #[serde(default)]
    pub key: Vec<KeyPart>,
    /// What is read.
    #[serde(default)]
    pub read: Vec<Read>,
    /// What is checked of a whole page.
    #[serde(default)]
    pub check: Vec<Spanned<Check>>,
    /// The rows are records of a monitor: how each item was, from when.
    #[serde(default)]
    pub slot: Option<Spanned<SlotRows>>,
}

impl Rows {
    /// Where the unit's code stands; `None`: the unit asked for.
    pub fn unit_value(&self) -> Option<&Spanned<String>> {
        self.unit.as_ref()?.value.as_ref()
    }

    /// The code map of the unit.
    pub fn unit_codes(&self) -> Option<&Spanned<String>> {
        self.unit.as_ref()?.codes.as_ref()
    }
}

/// Where the rows of an answer are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// RFC 9535 paths; every node is a row.
    Json(JsonPaths),
    /// Elements of a page; every element is a row.
    Html(HtmlRows),
    /// A whole page, of which things are checked.
    Page(PageRows),
    /// A table read by its headings: of a page (`css`), of a workbook (`sheet`), else a CSV file.
    Table(TableRows),
}

/// Elements of a page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HtmlRows {
    /// Which elements.
    pub css: Css,
    /// Encoding if neither header nor page states one. Default utf-8.
    #[serde(default)]
    pub encoding: Encoding,
}

/// A table read by its headings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRows {
    /// Of a page: which table.
    #[serde(default)]
    pub css: Option<Css>,
    /// Of a workbook: which sheet.
    #[serde(default)]
    pub sheet: Option<String>,
    /// Of a CSV file: what stands between cells. Default comma.
    #[serde(default)]
    pub delimiter: Option<Delimiter>,
    /// Of a page or CSV file: encoding if nothing else states one. Default utf-8.
    #[serde(default)]
    pub encoding: Encoding,
    /// Which row holds the headings, from 1.
    #[serde(default = "first_row")]
    pub header_row: std::num::NonZeroUsize,
}

fn first_row() -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::MIN
}

/// Whose row it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowUnit {
    /// Where the unit's code stands; not needed when the request is about one unit.
    #[serde(default)]
    pub value: Option<Spanned<String>>,
    /// Code map: a folder or file of registry/codes.
    #[serde(default)]
    pub codes: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's name.
    #[serde(default)]
    pub name: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's official code.
    #[serde(default)]
    pub code: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's level, and which words mean which group.
    #[serde(default)]
    pub group: Option<UnitLevel>,
}

/// How a source names the level of a unit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitLevel {
    /// Where it stands; absent (the parent's row) means province.
    pub value: Spanned<String>,
    /// Its words.
    pub words: BTreeMap<String, UnitGroup>,
}

/// What a row is about: always the same period, or one that stands in the row.
#[derive(Debug, Clone)]
pub enum RowPeriod {
    /// `{ month = "2025-10" }`, likewise day, quarter, year.
    Stated(Period),
    /// `{ value = "Kỳ", format = "%m/%Y" }`, and `kind = "quarter"` for the quarter that holds the month.
    Read {
        /// Where.
        value: String,
        /// Date format, checked.
        format: String,
        /// The finest field of the format, or a longer kind that the file states.
        kind: PeriodKind,
    },
}

impl<'de> Deserialize<'de> for RowPeriod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RowPeriod, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            day: Option<Period>,
            month: Option<Period>,
            quarter: Option<Period>,
            year: Option<Period>,
            value: Option<String>,
            format: Option<String>,
            kind: Option<PeriodKind>,
        }
        let keys = Keys::deserialize(deserializer)?;
        let stated = [
            (PeriodKind::Day, keys.day),
            (PeriodKind::Month, keys.month),
            (PeriodKind::Quarter, keys.quarter),
            (PeriodKind::Year, keys.year),
        ];
        let stated: Vec<(PeriodKind, Period)> = stated.into_iter().filter_map(|(kind, period)| Some((kind, period?))).collect();
        match (stated.as_slice(), keys.value, keys.format, keys.kind) {
            ([(kind, period)], None, None, None) if *kind == period.kind() => Ok(RowPeriod::Stated(*period)),
            ([(_, period)], None, None, None) => {
                Err(D::Error::custom(format!("{period} is a {0}; write {{ {0} = \"{period}\" }}", period.kind().label())))
            }
            ([], Some(value), Some(format), stated) => {
                let kind = kind_of(&format, stated).map_err(D::Error::custom)?;
                Ok(RowPeriod::Read { value, format, kind })
            }
            _ => Err(D::Error::custom(
                "a period is either stated or read from a place; \
                 write { month = \"2025-10\" } (or day, quarter, year), or { value = \"…\", format = \"%m/%Y\" }",
            )),
        }
    }
}

/// The kind of the periods that a format reads. One finer than the format would be invented.
fn kind_of(format: &str, stated: Option<PeriodKind>) -> Result<PeriodKind, String> {
    let finest = finest_field(format)?;
    match stated {
        Some(kind) if kind < finest => {
            Err(format!("{format:?} states a {}, which names no {}; write kind = {:?}", finest.label(), kind.label(), finest.label()))
        }
        Some(kind) => Ok(kind),
        None => Ok(finest),
    }
}

/// Rows to leave out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// In which place (a path, a column's short name).
    #[serde(alias = "value")]
    pub column: Spanned<String>,
    /// Which texts.
    pub matches: Pattern,
}

/// A part of a row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPart {
    /// The unit.
    Unit,
    /// The item.
    Item,
    /// The period.
    Period,
}

/// One value of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Which indicator it is a value of.
    pub indicator: Spanned<String>,
    /// Which item, when one row holds several figures of one indicator.
    #[serde(default)]
    pub item: Option<String>,
    /// Where it stands.
    pub value: Spanned<String>,
    /// How it is written.
    #[serde(default)]
    pub number: NumberFormat,
    /// For a source that prints binary floats: how many decimals it means.
    #[serde(default)]
    pub decimals: Option<u32>,
    /// Texts that mean "no value", beside null.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The place may be absent: then there is no reading and no finding.
    #[serde(default)]
    pub optional: bool,
    /// A remark of the source, kept beside the value.
    #[serde(default)]
    pub flag: Option<Flag>,
}

/// A remark of the source beside a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Where it stands.
    pub value: Spanned<String>,
    /// It may be absent.
    #[serde(default)]
    pub optional: bool,
}
