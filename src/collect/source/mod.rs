//! How bytes are got: the only impure act of collecting.

mod classify;
pub mod file;
pub mod http;
mod own_network;
mod polite;
pub mod prepare;
pub mod probe;
mod resolve;
pub mod robots;

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
    /// Until when the server's certificate is valid; `None` for a file, without TLS or without an answer.
    pub certificate_until: Option<Ts>,
    /// The bytes, content coding removed; with a failure perhaps only the first of them. `None` if none came.
    pub body: Option<Vec<u8>>,
    /// Why the bytes cannot be used.
    pub failure: Option<Failure>,
}

impl Attempt {
    /// An attempt that begins now, without an answer yet.
    pub(super) fn begin(method: &str, url: &str, request_body: &str) -> Attempt {
        Attempt {
            method: method.to_owned(),
            url: url.to_owned(),
            request_body: request_body.to_owned(),
            at: Ts::now(),
            elapsed_micros: 0,
            status: None,
            content_type: String::new(),
            certificate_until: None,
            body: None,
            failure: None,
        }
    }
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
