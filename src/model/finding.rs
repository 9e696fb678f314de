//! `Finding` (phát hiện): what was not as it should be, as data; and what a gate said.

use serde::Serialize;

use super::Reason;
use super::run::labelled;

labelled! {
    /// What a finding does to the answer it was found in.
    Severity {
        /// Reported; the values stand.
        Warn = "warn",
        /// The answer's readings are kept apart and not trusted.
        Quarantine = "quarantine",
    }
}

/// Something in an answer that was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind.
    pub reason: Reason,
    /// What it does to the answer.
    pub severity: Severity,
    /// Where: a path, a row and heading, a header.
    pub place: String,
    /// What was found, with the text that was seen.
    pub text: String,
}

impl Finding {
    /// A finding that is reported while the values stand.
    pub fn warn(reason: Reason, place: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding { reason, severity: Severity::Warn, place: place.into(), text: text.into() }
    }

    /// A finding that keeps the whole answer from being trusted.
    pub fn quarantine(reason: Reason, place: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding { reason, severity: Severity::Quarantine, place: place.into(), text: text.into() }
    }
}

labelled! {
    /// What a gate said of an answer.
    GateOutcome {
        /// As it should be.
        Passed = "passed",
        /// Not as it should be; reported.
        Warned = "warned",
        /// Not as it should be; the answer is quarantined.
        Failed = "failed",
        /// Could not be judged (no history, nothing to compare): never counted as passed.
        NotEvaluated = "not_evaluated",
    }
}

/// One gate's word on one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateResult {
    /// The gate with its main argument: `covers all`, `sums_to $.data…`.
    pub gate: String,
    /// Its word.
    pub outcome: GateOutcome,
    /// The figures compared, and the units or places at fault.
    pub detail: String,
}
