//! Sealing: what was spooled of an hour becomes one evidence object and the hours of its targets.
//!
//! Layout of the evidence: one line `thuocdo probe hour`, one line of JSON (`Head`), then segments (`segment.rs`).

use std::io;

use super::head::{Head, Rolling};
use super::segment::{COLUMNS, from_columns};
use super::spool::Left;
use crate::collect::archive::{Archive, ArchiveError, Kept};
use crate::rollup::{Attempt, HourPart};

/// First line of the evidence.
const TITLE: &str = "thuocdo probe hour\n";
/// Media type of the evidence.
pub const MEDIA_TYPE: &str = "application/vnd.thuocdo.probe-hour";

/// An hour that is evidence now.
#[derive(Debug)]
pub struct Sealed {
    /// Where its attempts are kept.
    pub kept: Kept,
    /// Bytes of the evidence, unpacked.
    pub size_bytes: u64,
    /// How many attempts.
    pub attempts: u64,
    /// What they say, by target.
    pub hours: Vec<(String, HourPart)>,
}

/// Why an hour cannot be sealed; what is spooled stays.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The archive does not take it, or does not have it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The spool cannot be read.
    #[error("the spool of {collector} at {hour}: {source}")]
    Spool {
        /// Collector id.
        collector: String,
        /// Which hour.
        hour: crate::model::Ts,
        /// Why.
        source: io::Error,
    },
    /// The evidence is no probe's hour.
    #[error("the evidence is no hour of a probe: {0}")]
    NoHour(String),
}

/// So many targets are rolled up at once; the others in further turns over the same segments, which cost less than the memory.
const AT_ONCE: usize = 500;

/// Keeps the attempts of an hour as one evidence object, and rolls them up on the way; never more than a segment in memory.
///
/// # Errors
/// `SealError`; then nothing is lost, and nothing refers to the evidence.
pub fn seal(left: &Left, archive: &Archive) -> Result<Sealed, SealError> {
    let head = &left.head;
    let spool = |source| SealError::Spool { collector: head.collector.clone(), hour: head.hour, source };
    let mut rolling = Rolling::new(head, 0, AT_ONCE);
    let mut keeping = archive.begin()?;
    keeping.write(TITLE.as_bytes())?;
    keeping.write(head_line(head).map_err(spool)?.as_bytes())?;
    let mut failed = None;
    let read = left.each(|columns, attempts| {
        attempts.iter().for_each(|attempt| rolling.take(attempt));
        let kept = columns.iter().try_for_each(|column| keeping.write_block(column));
        kept.map_err(|error| {
            failed = Some(error);
            io::Error::other("the archive does not take it")
        })
    });
    match (failed, read) {
        (Some(error), _) => return Err(error.into()),
        (None, Err(error)) => return Err(spool(error)),
        (None, Ok(())) => {}
    }
    let (kept, size_bytes) = keeping.done()?;
    let (attempts, mut hours) = (rolling.attempts, rolling.done());
    for first in (AT_ONCE..head.targets.len()).step_by(AT_ONCE) {
        let mut rolling = Rolling::new(head, first, AT_ONCE);
        let take = |_, attempts: &[Attempt]| {
            attempts.iter().for_each(|attempt| rolling.take(attempt));
            Ok(())
        };
        left.each(take).map_err(spool)?;
        hours.extend(rolling.done());
    }
    hours.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Sealed { kept, size_bytes, attempts, hours })
}

fn head_line(head: &Head) -> io::Result<String> {
    Ok(serde_json::to_string(head)? + "\n")
}

/// Rolls the evidence of an hour up again.
///
/// # Errors
/// `NoHour` if the bytes are none.
pub fn roll_up_again(body: &[u8]) -> Result<(Head, Vec<(String, HourPart)>), SealError> {
    let (head, mut rest) = open(body)?;
    let mut rolling = Rolling::new(&head, 0, head.targets.len());
    while !rest.is_empty() {
        let length = segment_length(rest).ok_or_else(|| SealError::NoHour("a segment is cut".to_owned()))?;
        let attempts = from_columns(&rest[..length]).map_err(|broken| SealError::NoHour(broken.to_string()))?;
        attempts.iter().for_each(|attempt| rolling.take(attempt));
        rest = &rest[length..];
    }
    let hours = rolling.done();
    Ok((head, hours))
}

/// Its head, and the segments after it.
fn open(body: &[u8]) -> Result<(Head, &[u8]), SealError> {
    let wrong = |what: &str| SealError::NoHour(what.to_owned());
    let rest = body.strip_prefix(TITLE.as_bytes()).ok_or_else(|| wrong("it does not begin like one"))?;
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| wrong("it has no head"))?;
    let head = serde_json::from_slice(&rest[..end]).map_err(|error| wrong(&error.to_string()))?;
    Ok((head, &rest[end + 1..]))
}

/// How many bytes the first segment has.
fn segment_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for _ in COLUMNS {
        let (mut length, mut shift) = (0usize, 0u32);
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at = at.checked_add(length).filter(|at| *at <= bytes.len())?;
    }
    Some(at)
}
