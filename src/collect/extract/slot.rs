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

#[cfg(test)]
mod tests {
    use super::super::tests::run;

    const ROWS: &str = r#"
[[rows]]
from = { json = "$[*]" }
item = "$.site"
where = { "$.kind" = "web" }
[rows.slot]
at = "$.at"
format = "unix"
state = "$.state"
states = { up = ["1"], degraded = ["slow"], down = ["0", "timed out"] }
missing = ["2"]
silence = "1h"
latency_ms = "$.ms"
"#;

    #[test]
    fn rows_become_records_or_findings() {
        for (rest, wanted) in [
            (r#""state":1,"ms":20"#, "a up 1 1"),
            (r#""state":"slow","ms":null"#, "a degraded slow 0"),
            (r#""state":" timed  out ","ms":"12.5""#, "a down timed out 1"),
            (r#""state":"2","ms":"2""#, "a unknown 2 0"),
            (r#""state":null,"ms":1"#, "a unknown  1"),
            (r#""state":"up","ms":1"#, r#""up" is no state that slot.states or slot.missing lists"#),
            (r#""state":"","ms":1"#, r#""" is no state that slot.states or slot.missing lists"#),
            (r#""state":"1","ms":"quick""#, r#""quick" is not a plain number like 1234.5"#),
            (r#""state":"1","ms":-5"#, "is no length of time in milliseconds"),
            (r#""state":"1""#, "$.ms leads to nothing"),
        ] {
            let found = run(ROWS, &format!(r#"[{{"site":"a","kind":"web","at":1692860298,{rest}}},{{"kind":"mail"}}]"#));
            let records = found.records.iter().map(|r| format!("{} {} {} {}", r.target, r.state, r.text, i32::from(r.latency.byte() > 0)));
            let said: Vec<String> = records.chain(found.findings.iter().map(|finding| finding.text.clone())).collect();
            assert_eq!(said, [wanted], "{rest}");
            assert_eq!((found.readings.len(), found.rows[0].kept), (0, 1), "{rest}");
        }
    }
}
