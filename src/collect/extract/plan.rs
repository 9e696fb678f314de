//! `Plan`: one `[[rows]]` with its places compiled and its columns found, applied to each row.

use regex::Regex;

use super::found::{Absent, Found, Spot, shown};
use super::place::{Place, Row};
use super::sheet::NoColumn;
use super::slot::SlotPlan;
use crate::collect::collector::{Read, RowPeriod, Rows, SlotRows};
use crate::collect::number::{self, Format, NumberFormat};
use crate::model::{Finding, Period, PeriodKind, Reason, Value, clean};

/// A place with the text that the collector file gives it.
pub(super) struct Named<'c> {
    text: &'c str,
    place: Place,
}

impl Named<'_> {
    /// The one value there; none or several are drift.
    pub(super) fn find(&self, row: &Row) -> Result<Spot, Finding> {
        self.place.find(row).map_err(|absent| Finding::quarantine(Reason::SelectorMissing, row.location(), absent.words(self.text)))
    }

    /// As a cleaned word, "" for null.
    pub(super) fn word(&self, row: &Row) -> Result<String, Finding> {
        let spot = self.find(row)?;
        spot.found.word().ok_or_else(|| {
            Finding::quarantine(Reason::ValueUnparsed, spot.place, format!("{} where a text was expected", shown(&spot.found.text())))
        })
    }
}

impl Named<'_> {
    /// As a cleaned word, "" for null and for nothing there.
    pub(super) fn word_if_any(&self, row: &Row) -> Result<String, Finding> {
        match self.place.find(row) {
            Err(Absent::Nothing) => Ok(String::new()),
            Ok(_) | Err(Absent::Several(_)) => self.word(row),
        }
    }
}

/// Compiles the places of one `[[rows]]` against the headings that were found.
pub(super) struct Planner<'c, 'f> {
    /// The `[[rows]]`.
    pub(super) rows: &'c Rows,
    /// Of its table.
    pub(super) headings: &'f [String],
    /// Where drift is reported.
    pub(super) findings: &'f mut Vec<Finding>,
}

impl<'c> Planner<'c, '_> {
    /// A place that every row must have. `None` with a finding if it cannot be.
    pub(super) fn must(&mut self, text: &'c str) -> Option<Named<'c>> {
        self.place(text, Presence::Required)
    }

    /// A place that rows may lack.
    pub(super) fn can(&mut self, text: &'c str) -> Option<Named<'c>> {
        self.place(text, Presence::Optional)
    }

    fn place(&mut self, text: &'c str, presence: Presence) -> Option<Named<'c>> {
        let refused = match Place::compile(text, self.rows) {
            Err(bad) => Finding::quarantine(Reason::Config, text, format!("{}; {}", bad.message, bad.fix)),
            Ok(place) => match (place.locate(self.headings), presence) {
                (Ok(place), _) => return Some(Named { text, place }),
                (Err(NoColumn::Absent(_)), Presence::Optional) => return None,
                (Err(NoColumn::Absent(what) | NoColumn::Doubled(what)), _) => {
                    Finding::quarantine(Reason::SelectorMissing, "headings", what)
                }
            },
        };
        self.findings.push(refused);
        None
    }

    /// Which rows are kept and skipped. `None` with findings if that cannot be decided.
    pub(super) fn filter(&mut self) -> Option<Filter<'c>> {
        let rows = self.rows;
        let keep = rows.keep.iter().map(|(place, text)| Some((self.must(place.get_ref())?, clean(text)))).collect::<Option<_>>()?;
        let skip = rows.skip.iter().map(|skip| Some((self.must(skip.column.get_ref())?, &skip.matches.0))).collect::<Option<_>>()?;
        Some(Filter { keep, skip })
    }

    /// Everything that readings need. `None` with findings if no row can be read.
    pub(super) fn plan(&mut self) -> Option<Plan<'c>> {
        let rows = self.rows;
        let filter = self.filter()?;
        let unit = self.maybe(rows.unit_value().map(toml::Spanned::get_ref))?;
        let item = self.maybe(rows.item.as_ref().map(toml::Spanned::get_ref))?;
        let period = match rows.period.as_ref().map(toml::Spanned::get_ref) {
            None => PeriodPlan::AskedFor,
            Some(RowPeriod::Stated(period)) => PeriodPlan::Stated(*period),
            Some(RowPeriod::Read { value, format, kind }) => PeriodPlan::Read { place: self.must(value)?, format, kind: *kind },
        };
        let reads = rows.read.iter().filter_map(|read| self.read(read)).collect();
        let slot = match &rows.slot {
            Some(slot) => Some(self.slot(slot.get_ref())?),
            None => None,
        };
        Some(Plan { width: self.headings.len(), filter, unit, item, period, reads, slot })
    }

    fn slot(&mut self, slot: &'c SlotRows) -> Option<SlotPlan<'c>> {
        let (at, state) = (self.must(slot.at.get_ref())?, self.must(slot.state.get_ref())?);
        let latency = self.maybe(slot.latency_ms.as_ref().map(toml::Spanned::get_ref))?;
        Some(SlotPlan { slot, at, state, latency })
    }

    /// `Some(None)` if nothing is stated, `None` if what is stated cannot be.
    fn maybe(&mut self, text: Option<&'c String>) -> Option<Option<Named<'c>>> {
        match text {
            None => Some(None),
            Some(text) => self.must(text).map(Some),
        }
    }

    fn read(&mut self, read: &'c Read) -> Option<ReadPlan<'c>> {
        let value = self.place(read.value.get_ref(), Presence::of(read.optional))?;
        let flag = match &read.flag {
            None => None,
            Some(flag) => match self.place(flag.value.get_ref(), Presence::of(flag.optional)) {
                Some(place) => Some((place, Presence::of(flag.optional))),
                None if flag.optional => None,
                None => return None,
            },
        };
        let format = Format { number: read.number, decimals: read.decimals, missing: read.missing.clone() };
        Some(ReadPlan { read, value, flag, format })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

impl Presence {
    fn of(optional: bool) -> Presence {
        if optional { Presence::Optional } else { Presence::Required }
    }
}

/// Which rows are read.
pub(super) struct Filter<'c> {
    keep: Vec<(Named<'c>, String)>,
    skip: Vec<(Named<'c>, &'c Regex)>,
}

/// What becomes of a row.
pub(super) enum Standing {
    /// It is read.
    Kept,
    /// `where` does not hold.
    LeftOut,
    /// `skip` matched this text.
    Skipped(String),
}

impl Filter<'_> {
    /// What becomes of this row. An absent place is drift, because a total might get in and rows get lost.
    pub(super) fn standing(&self, row: &Row) -> Result<Standing, Finding> {
        for (place, wanted) in &self.keep {
            if place.word(row)? != *wanted {
                return Ok(Standing::LeftOut);
            }
        }
        for (place, pattern) in &self.skip {
            let word = place.word(row)?;
            if pattern.is_match(&word) {
                return Ok(Standing::Skipped(word));
            }
        }
        Ok(Standing::Kept)
    }
}

enum PeriodPlan<'c> {
    Stated(Period),
    AskedFor,
    Read { place: Named<'c>, format: &'c str, kind: PeriodKind },
}

/// One `[[rows]]`, ready to be applied.
pub(super) struct Plan<'c> {
    /// How many headings there are.
    pub(super) width: usize,
    /// Which rows are read.
    pub(super) filter: Filter<'c>,
    /// Whose row it is; `None`: the unit asked for.
    pub(super) unit: Option<Named<'c>>,
    item: Option<Named<'c>>,
    period: PeriodPlan<'c>,
    /// What is read.
    pub(super) reads: Vec<ReadPlan<'c>>,
    /// How a row is read as a record.
    pub(super) slot: Option<SlotPlan<'c>>,
}

impl Plan<'_> {
    /// What the row is about.
    pub(super) fn period(&self, row: &Row, asked: Option<Period>) -> Result<Period, Finding> {
        match &self.period {
            PeriodPlan::Stated(period) => Ok(*period),
            PeriodPlan::AskedFor => asked.ok_or_else(|| {
                let what = "neither the row nor the request states a period; add period to [[rows]] or for_each to the source";
                Finding::quarantine(Reason::Config, row.location(), what)
            }),
            PeriodPlan::Read { place, format, kind } => {
                let spot = place.find(row)?;
                period_in(&spot.found.text(), format, *kind).map_err(|doubt| unparsed(&spot, &doubt))
            }
        }
    }

    /// The item that stands in the row, "" if none is declared.
    pub(super) fn item(&self, row: &Row) -> Result<String, Finding> {
        let Some(place) = &self.item else {
            return Ok(String::new());
        };
        match place.word(row)? {
            word if word.is_empty() => {
                Err(Finding::quarantine(Reason::ValueUnparsed, row.location(), format!("{} is empty: the row names no item", place.text)))
            }
            word => Ok(word),
        }
    }
}

/// One `[[rows.read]]`, ready to be applied.
pub(super) struct ReadPlan<'c> {
    /// As declared.
    pub(super) read: &'c Read,
    value: Named<'c>,
    flag: Option<(Named<'c>, Presence)>,
    format: Format,
}

impl ReadPlan<'_> {
    /// The value and where it stands; `Ok(None)` if it may be absent and is.
    pub(super) fn value(&self, row: &Row) -> Result<Option<(Value, Spot)>, Finding> {
        let spot = match self.value.place.find(row) {
            Err(Absent::Nothing) if self.read.optional => return Ok(None),
            Err(absent) => {
                return Err(Finding::quarantine(Reason::SelectorMissing, row.location(), absent.words(self.value.text)));
            }
            Ok(spot) => spot,
        };
        let value = if spot.spans {
            Err(format!(
                "{}: the cell is merged over several rows or columns: whose number it is cannot be known",
                shown(&spot.found.text())
            ))
        } else {
            number_in(&spot.found, &self.format)
        };
        match value {
            Ok(value) => Ok(Some((value, spot))),
            Err(doubt) => Err(unparsed(&spot, &doubt)),
        }
    }

    /// The source's remark, "" for none.
    pub(super) fn flag(&self, row: &Row) -> Result<String, Finding> {
        match &self.flag {
            None => Ok(String::new()),
            Some((place, Presence::Optional)) => place.word_if_any(row),
            Some((place, Presence::Required)) => place.word(row),
        }
    }
}

/// The period of this kind that a text names. A format coarser than the kind would leave its beginning to chance.
fn period_in(text: &str, format: &str, kind: PeriodKind) -> Result<Period, String> {
    let finest = number::finest_field(format)?;
    if kind < finest {
        return Err(format!("{} is a {} and names no {}", shown(text), finest.label(), kind.label()));
    }
    let first = number::read_first_day(text, format).map_err(|doubt| doubt.to_string())?;
    Ok(Period::holding(kind, first))
}

pub(super) fn unparsed(spot: &Spot, doubt: &str) -> Finding {
    Finding::quarantine(Reason::ValueUnparsed, &spot.place, doubt)
}

/// The number that stands there, or why that is in doubt.
fn number_in(found: &Found, format: &Format) -> Result<Value, String> {
    let doubt = |why: &str| Err(format!("{}: {why}", shown(&found.text())));
    let read = |text: &str, format: &Format| number::read(text, format).map_err(|doubt| doubt.to_string());
    match found {
        Found::Null | Found::Empty => Ok(Value::Missing),
        Found::Text(text) if text.trim().contains(['\n', '\r']) => doubt("several lines or parts where one number was expected"),
        Found::Text(text) => read(text, format),
        // A number of JSON or a workbook has its own notation; the declared one is for texts: 1.234 is not 1234 here.
        Found::Number(text) => match format.number {
            NumberFormat::Plain | NumberFormat::Vi | NumberFormat::En => {
                read(text, &Format { number: NumberFormat::Plain, decimals: format.decimals, missing: format.missing.clone() })
            }
            NumberFormat::PercentVi => doubt("a bare number where a text with a per cent sign was declared"),
            NumberFormat::Bool => read(text, format),
        },
        Found::Bool(is) => match format.number {
            NumberFormat::Bool => read(if *is { "true" } else { "false" }, format),
            NumberFormat::Plain | NumberFormat::Vi | NumberFormat::En | NumberFormat::PercentVi => {
                doubt("a truth value where a number was declared; number = \"bool\" reads it as 1 or 0")
            }
        },
        Found::Other(_) => doubt("where a number was expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_by_their_format() {
        use PeriodKind::{Day, Month, Quarter, Year};
        for (text, format, kind, period) in [
            ("09/2026", "%m/%Y", Month, Some("2026-09")),
            (" 9/2026\u{a0}", "%m/%Y", Month, Some("2026-09")),
            ("9/2026", "%-m/%Y", Month, Some("2026-09")),
            ("09/2026", "%m/%Y", Quarter, Some("2026-Q3")),
            ("Quý 3/2026", "Quý %q/%Y", Quarter, Some("2026-Q3")),
            ("Quý 5/2026", "Quý %q/%Y", Quarter, None),
            ("Năm 2026", "Năm %Y", Year, Some("2026")),
            ("26/09/2026", "%d/%m/%Y", Month, Some("2026-09")),
            ("2026-09-26T23:30:00+07:00", "rfc3339", Day, Some("2026-09-26")),
            ("13/2026", "%m/%Y", Month, None),
            ("2026", "%Y", Month, None),
            ("09/2026", "%m/%Y", Day, None),
            ("", "%m/%Y", Month, None),
        ] {
            assert_eq!(period_in(text, format, kind).ok().map(|period| period.to_string()).as_deref(), period, "{text:?} {format}");
        }
    }
}
