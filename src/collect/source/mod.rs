//! How bytes are got: the only impure act of collecting.

pub mod file;
pub mod http;
mod polite;

pub use polite::{Politeness, Turn, is_loopback};

use crate::model::{Reason, Ts};

/// One attempt to get an answer, and what it brought.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// GET, POST; FILE for a file.
    pub method: String,
    /// The province's own address (before `[rewrite]`); a path for a file.
    pub url: String,
    /// Body as sent, "" for none.
    pub request_body: String,
    /// When it was sent.
    pub at: Ts,
    /// Until the last byte, in microseconds.
    pub elapsed_micros: i64,
    /// HTTP status; `None` for a file or without an answer.
    pub status: Option<u16>,
    /// As stated by the source, "" for none.
    pub content_type: String,
    /// The bytes, content coding removed; with a failure perhaps only the first of them. `None` if none came.
    pub body: Option<Vec<u8>>,
    /// Why the bytes cannot be used.
    pub failure: Option<Failure>,
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {text}")]
pub struct Failure {
    /// Which kind.
    pub reason: Reason,
    /// In words, with what was seen.
    pub text: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(reason: Reason, text: impl Into<String>) -> Failure {
        Failure { reason, text: text.into() }
    }
}
