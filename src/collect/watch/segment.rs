//! Attempts as bytes: one after the other as they happen, and in columns once some thousands are together.
//!
//! A column holds one field of all attempts, because bytes of one kind beside each other pack best. Layout of a
//! segment: columns, each a length (LEB128) and its bytes, in the order of `COLUMNS`.

use crate::model::{Phase, Reason};
use crate::rollup::{Attempt, Ended, Family, Latency, Times};

/// The columns of a segment. Numbers are LEB128; `target` and `slot` are differences to the row before (zigzag).
pub const COLUMNS: [&str; 13] =
    ["count", "target", "slot", "kind", "status", "late", "resolve", "connect", "tls", "first_byte", "transfer", "certificate", "ends"];

/// Bytes that are no attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no attempts (at byte {at})")]
pub struct Broken {
    /// Where.
    pub at: usize,
}

/// Attempts in columns; their order is by slot, target and attempt.
pub fn to_columns(attempts: &mut [Attempt]) -> Vec<Vec<u8>> {
    attempts.sort_by_key(|a| (a.slot, a.target, a.family, a.no));
    let mut columns = vec![Vec::new(); COLUMNS.len()];
    put(&mut columns[0], attempts.len() as u64);
    let (mut target, mut slot, mut until) = (0, 0, 0);
    for attempt in attempts.iter() {
        put_signed(&mut columns[1], i64::from(attempt.target) - target);
        put_signed(&mut columns[2], i64::from(attempt.slot) - slot);
        columns[3].push(kind(attempt));
        put(&mut columns[4], u64::from(attempt.status));
        columns[5].push(attempt.late.byte());
        for (column, time) in (6..).zip(times(&attempt.times)) {
            columns[column].push(time.byte());
        }
        put_signed(&mut columns[11], attempt.certificate_until - until);
        if let Ended::Badly(phase, reason) = attempt.ended {
            put_end(&mut columns[12], phase, reason, &attempt.text);
        }
        (target, slot, until) = (i64::from(attempt.target), i64::from(attempt.slot), attempt.certificate_until);
    }
    for column in &mut columns {
        let mut framed = Vec::with_capacity(column.len() + 4);
        put(&mut framed, column.len() as u64);
        framed.append(column);
        *column = framed;
    }
    columns
}

/// The attempts of a segment.
///
/// # Errors
/// `Broken` where they end.
pub fn from_columns(bytes: &[u8]) -> Result<Vec<Attempt>, Broken> {
    let mut whole = Bytes { bytes, at: 0 };
    let mut columns = Vec::with_capacity(COLUMNS.len());
    for _ in COLUMNS {
        let length = whole.length()?;
        columns.push(Bytes { bytes: whole.take(length)?, at: 0 });
    }
    let n = columns[0].length()?;
    // Every attempt has its byte in the column of kinds.
    if n != columns[3].bytes.len() {
        return Err(Broken { at: 0 });
    }
    let (mut target, mut slot, mut until) = (0i64, 0i64, 0i64);
    let mut attempts = Vec::with_capacity(n);
    for _ in 0..n {
        target += columns[1].signed()?;
        slot += columns[2].signed()?;
        let kind = columns[3].byte()?;
        let status = columns[4].number()?;
        let late = Latency::from_byte(columns[5].byte()?);
        let mut time = |column: usize| columns[column].byte().map(Latency::from_byte);
        let times = Times { resolve: time(6)?, connect: time(7)?, tls: time(8)?, first_byte: time(9)?, transfer: time(10)? };
        until += columns[11].signed()?;
        let (ended, text) = if kind & FAILED == 0 { (Ended::Well, String::new()) } else { columns[12].end()? };
        attempts.push(attempt(target, slot, kind, status, (late, times, until), (ended, text)).ok_or(Broken { at: whole.at })?);
    }
    Ok(attempts)
}

/// One attempt as a record of its own: a length, the fields, and two bytes of their CRC-32.
pub fn to_record(attempt: &Attempt) -> Vec<u8> {
    let mut fields = Vec::with_capacity(24);
    put(&mut fields, u64::from(attempt.target));
    put(&mut fields, u64::from(attempt.slot));
    fields.push(kind(attempt));
    put(&mut fields, u64::from(attempt.status));
    fields.push(attempt.late.byte());
    fields.extend(times(&attempt.times).map(Latency::byte));
    put_signed(&mut fields, attempt.certificate_until);
    if let Ended::Badly(phase, reason) = attempt.ended {
        put_end(&mut fields, phase, reason, &attempt.text);
    }
    let mut record = Vec::with_capacity(fields.len() + 4);
    put(&mut record, fields.len() as u64);
    record.extend_from_slice(&fields);
    record.extend_from_slice(&check(&fields));
    record
}

/// The attempts of records one after the other, as far as they are whole: a copy that was killed may have left half of one.
pub fn from_records(bytes: &[u8]) -> Vec<Attempt> {
    let mut bytes = Bytes { bytes, at: 0 };
    let mut attempts = Vec::new();
    while let Ok(attempt) = bytes.record() {
        attempts.push(attempt);
    }
    attempts
}

const FAILED: u8 = 1;
const OVER_V6: u8 = 2;

fn kind(attempt: &Attempt) -> u8 {
    let failed = if attempt.ended == Ended::Well { 0 } else { FAILED };
    let family = match attempt.family {
        Family::V4 => 0,
        Family::V6 => OVER_V6,
    };
    attempt.no << 2 | family | failed
}

fn attempt(
    target: i64,
    slot: i64,
    kind: u8,
    status: u64,
    (late, times, certificate_until): (Latency, Times, i64),
    (ended, text): (Ended, String),
) -> Option<Attempt> {
    Some(Attempt {
        target: u32::try_from(target).ok()?,
        slot: u32::try_from(slot).ok()?,
        no: kind >> 2,
        family: if kind & OVER_V6 == 0 { Family::V4 } else { Family::V6 },
        late,
        times,
        status: u16::try_from(status).ok()?,
        ended,
        certificate_until,
        text,
    })
}

fn times(times: &Times) -> [Latency; 5] {
    [times.resolve, times.connect, times.tls, times.first_byte, times.transfer]
}

fn check(fields: &[u8]) -> [u8; 2] {
    let [a, b, ..] = crc32fast::hash(fields).to_le_bytes();
    [a, b]
}

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn put_signed(into: &mut Vec<u8>, number: i64) {
    put(into, ((number << 1) ^ (number >> 63)) as u64);
}

/// Labels, not numbers: a later version may know more of them.
fn put_end(into: &mut Vec<u8>, phase: Phase, reason: Reason, text: &str) {
    for text in [phase.label(), reason.label(), text] {
        put(into, text.len() as u64);
        into.extend_from_slice(text.as_bytes());
    }
}

struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn broken<T>(&self) -> Result<T, Broken> {
        Err(Broken { at: self.at })
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return self.broken() };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, Broken> {
        let (mut number, mut shift) = (0u64, 0u32);
        loop {
            let byte = self.byte()?;
            if shift > 63 {
                return self.broken();
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    fn signed(&mut self) -> Result<i64, Broken> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn length(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.number()?).or_else(|_| self.broken())
    }

    fn text(&mut self) -> Result<&'a str, Broken> {
        let length = self.length()?;
        let taken = self.take(length)?;
        std::str::from_utf8(taken).or_else(|_| self.broken())
    }

    fn end(&mut self) -> Result<(Ended, String), Broken> {
        let (phase, reason, text) = (self.text()?, self.text()?, self.text()?);
        match (Phase::from_label(phase), Reason::from_label(reason)) {
            (Some(phase), Some(reason)) => Ok((Ended::Badly(phase, reason), text.to_owned())),
            _ => self.broken(),
        }
    }

    fn record(&mut self) -> Result<Attempt, Broken> {
        let length = self.length()?;
        let fields = self.take(length)?;
        if self.take(2)? != check(fields) {
            return self.broken();
        }
        let mut fields = Bytes { bytes: fields, at: 0 };
        let (target, slot, kind, status) = (fields.number()?, fields.number()?, fields.byte()?, fields.number()?);
        let late = Latency::from_byte(fields.byte()?);
        let mut time = || fields.byte().map(Latency::from_byte);
        let times = Times { resolve: time()?, connect: time()?, tls: time()?, first_byte: time()?, transfer: time()? };
        let until = fields.signed()?;
        let end = if kind & FAILED == 0 { (Ended::Well, String::new()) } else { fields.end()? };
        let (target, slot) = (i64::try_from(target).unwrap_or(-1), i64::try_from(slot).unwrap_or(-1));
        attempt(target, slot, kind, status, (late, times, until), end).map_or_else(|| self.broken(), Ok)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
        let times = prop::array::uniform5(0u8..=254);
        let end = prop::option::of((prop::sample::select(Phase::ALL), prop::sample::select(Reason::ALL), "[a-zà-ỹ ]{0,9}"));
        let one = (0u32..3000, 0u32..720, 1u8..5, any::<bool>(), 0u8..=254, times, 0u16..600, end, 0i64..4_000_000_000);
        let one = one.prop_map(|(target, slot, no, over_v6, late, times, status, end, certificate_until)| {
            let [resolve, connect, tls, first_byte, transfer] = times.map(Latency::from_byte);
            let times = Times { resolve, connect, tls, first_byte, transfer };
            let family = if over_v6 { Family::V6 } else { Family::V4 };
            let text = end.as_ref().map(|(_, _, text)| text.clone()).unwrap_or_default();
            let ended = end.map_or(Ended::Well, |(phase, reason, _)| Ended::Badly(phase, reason));
            Attempt { target, slot, no, family, late: Latency::from_byte(late), times, status, ended, certificate_until, text }
        });
        prop::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn both_forms_give_back_what_went_in(mut attempts in attempts(), cut in 0usize..2000) {
            let columns: Vec<u8> = to_columns(&mut attempts).concat();
            prop_assert_eq!(from_columns(&columns), Ok(attempts.clone()));
            let records: Vec<u8> = attempts.iter().flat_map(to_record).collect();
            prop_assert_eq!(from_records(&records), attempts.clone());
            // Half a record is none, and everything before it stands.
            let cut = cut.min(records.len());
            prop_assert!(attempts.starts_with(&from_records(&records[..cut])));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = from_columns(&bytes);
            from_records(&bytes);
        }
    }
}
