//! Rows that are the records of another monitor, read one by one.

use std::time::Duration;

use chrono_tz::Tz;

use super::found::{Found, Spot, shown};
use super::place::Row;
use super::plan::{Named, unparsed};
use crate::collect::collector::SlotRows;
use crate::collect::number::{self, Format, NumberFormat};
use crate::model::{Finding, SlotState, Value};
use crate::rollup::{Latency, Record};

/// A `slot` with its places compiled and its columns found.
pub(super) struct SlotPlan<'c> {
    /// As declared.
    pub(super) slot: &'c SlotRows,
    /// Where the instant stands.
    pub(super) at: Named<'c>,
    /// Where the state stands.
    pub(super) state: Named<'c>,
    /// Where the latency stands, if it is read.
    pub(super) latency: Option<Named<'c>>,
}

impl SlotPlan<'_> {
    /// What the row says of a target; times without an offset are of this zone.
    pub(super) fn record(&self, target: String, row: &Row, zone: Tz) -> Result<Record, Finding> {
        let at = self.at.find(row)?;
        let at = number::read_ts(&at.found.text(), &self.slot.format, zone).map_err(|doubt| unparsed(&at, &doubt.to_string()))?;
        let text = self.state.word(row)?;
        let state = self.state_in(&self.state.find(row)?, &text)?;
        Ok(Record { target, at, state, text, latency: self.latency(row)? })
    }

    fn state_in(&self, spot: &Spot, word: &str) -> Result<SlotState, Finding> {
        if matches!(spot.found, Found::Null | Found::Empty) {
            return Ok(SlotState::Unknown);
        }
        let unknown = || unparsed(spot, &format!("{} is no state that slot.states or slot.missing lists", shown(word)));
        self.slot.state_of(word).ok_or_else(unknown)
    }

    fn latency(&self, row: &Row) -> Result<Latency, Finding> {
        let Some(place) = &self.latency else { return Ok(Latency::NONE) };
        let spot = place.find(row)?;
        if matches!(spot.found, Found::Null | Found::Empty) {
            return Ok(Latency::NONE);
        }
        let format = Format { number: NumberFormat::Plain, decimals: None, missing: self.slot.missing.clone() };
        let value = number::read(&spot.found.text(), &format).map_err(|doubt| unparsed(&spot, &doubt.to_string()))?;
        let Value::Number(millis) = value else { return Ok(Latency::NONE) };
        let micros = millis.decimal().checked_mul(1000.into()).and_then(|micros| u64::try_from(micros.trunc()).ok());
        micros
            .map(|micros| Latency::of(Duration::from_micros(micros)))
            .ok_or_else(|| unparsed(&spot, "is no length of time in milliseconds"))
    }
}
