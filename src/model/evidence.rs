//! `Evidence` (minh chứng): the request, the bytes it brought, and what became of them.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use sha2::Digest;

use super::run::labelled;
use super::{Period, Reason, Ts};

/// SHA-256 of a body: its public address, which `sha256sum` prints too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(String);

impl Sha256 {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Sha256 {
        let digest = sha2::Sha256::digest(bytes);
        Sha256(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// From 64 lower-case hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Sha256> {
        let right = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        right.then(|| Sha256(hex.to_owned()))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Sha256Of(sha2::Sha256);

impl Sha256Of {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all of them.
    pub fn done(self) -> Sha256 {
        Sha256(self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What one request was about; kept with the evidence, because most answers do not say it themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// When the run was due.
    pub due: Ts,
    /// The period asked for, if the collector asks by period.
    pub period: Option<Period>,
    /// The unit asked for, if the collector asks by unit; the portal's, if it asks by portal.
    pub unit: Option<String>,
    /// The portal asked for, if the collector asks by portal: the item of what is read, or the first part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal: Option<String>,
    /// The settings of the province that the request used (`[province]`), by name.
    pub province: std::collections::BTreeMap<String, String>,
}

impl Scope {
    /// The item of a reading that has this item in the answer, "" for none: `portal`, `portal/item` where a portal was asked.
    pub fn item(&self, own: &str) -> String {
        match (&self.portal, own) {
            (None, own) => own.to_owned(),
            (Some(portal), "") => portal.clone(),
            (Some(portal), own) => format!("{portal}/{own}"),
        }
    }
}

labelled! {
    /// What became of one request.
    RequestOutcome {
        /// Its readings passed every gate and are observations.
        Recorded = "recorded",
        /// Its readings are kept apart: a finding or gate refused the answer.
        Quarantined = "quarantined",
        /// There was no usable answer.
        Failed = "failed",
    }
}

/// One request of a run and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// From 1, in the order they were made.
    pub no: i32,
    /// What it asked about.
    pub scope: Scope,
    /// GET, POST; FILE for a file.
    pub method: String,
    /// As sent (after `[rewrite]` has *not* been applied: the province's own address), secrets masked.
    pub url: String,
    /// Body as sent, "" for none, secrets masked.
    pub body: String,
    /// When it was sent.
    pub at: Ts,
    /// How long until the last byte, in microseconds.
    pub elapsed_micros: i64,
    /// HTTP status; `None` for a file or without an answer.
    pub status: Option<i32>,
    /// Media type as stated, "" for none.
    pub content_type: String,
    /// Address of the bytes received; `None` without an answer.
    pub evidence: Option<Sha256>,
    /// How many bytes.
    pub size_bytes: i64,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// Why, when it failed.
    pub reason: Option<Reason>,
    /// The failure in words, "" for none.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_without_a_portal_reads_as_before() {
        let old = r#"{"due":"2026-10-01T00:00:00Z","period":"2026","unit":"H49","province":{}}"#;
        let scope: Scope = serde_json::from_str(old).expect("a scope as it was recorded");
        assert_eq!((scope.portal.as_deref(), serde_json::to_string(&scope).expect("JSON").as_str()), (None, old));
        let of_portal = Scope { portal: Some("p".to_owned()), ..scope.clone() };
        assert!(serde_json::to_string(&of_portal).expect("JSON").contains(r#""portal":"p""#));
        for (scope, own, item) in [(&scope, "", ""), (&scope, "a", "a"), (&of_portal, "", "p"), (&of_portal, "a", "p/a")] {
            assert_eq!(scope.item(own), item);
        }
    }
}
