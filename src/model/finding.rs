//! `Finding` (phát hiện): what was not as it should be, as data; and what a gate said.

use serde::Serialize;

use super::run::labelled;

labelled! {
    /// Why a request failed or an answer was refused: a closed list with stable labels.
    Reason {
        /// The host name has no address.
        Dns = "dns",
        /// No connection (refused, reset, unreachable).
        Connect = "connect",
        /// TLS could not be agreed or the certificate is not trusted.
        Tls = "tls_handshake",
        /// No answer in time.
        Timeout = "timeout",
        /// Status 4xx other than those below.
        Http4xx = "http_4xx",
        /// Status 5xx.
        Http5xx = "http_5xx",
        /// Status 401 or 403: who we are is not accepted.
        Auth = "auth",
        /// Status 429.
        RateLimited = "rate_limited",
        /// A redirect, and the collector does not follow them.
        RedirectBlocked = "redirect_blocked",
        /// The host name leads to an address that is not asked.
        AddressBlocked = "address_blocked",
        /// A firewall's page instead of the answer, whatever its status.
        Firewall = "firewall",
        /// The body passed the limit.
        TooLarge = "too_large",
        /// The bytes are not text in their encoding, not JSON, not the file they should be.
        Decode = "decode",
        /// Another media type or status than expected.
        ContentType = "content_type",
        /// The connection broke the protocol (wrong length, cut chunk).
        Protocol = "protocol",
        /// The answer itself says that it is an error, or that it is about something else.
        ErrorInBody = "error_in_body",
        /// A path, selector or heading that should be there is not: the page changed.
        SelectorMissing = "selector_missing",
        /// Keys or types differ from the accepted shape.
        ShapeChanged = "shape_changed",
        /// A text that cannot be read as the declared number or date without doubt.
        ValueUnparsed = "value_unparsed",
        /// The number of rows is not as stated or expected.
        RowsMismatch = "rows_mismatch",
        /// A code that the code map does not list.
        UnmappedUnit = "unmapped_unit",
        /// Two rows with one key.
        DuplicateKey = "duplicate_key",
        /// A gate refused the answer.
        Gate = "gate",
        /// Left alone for now: it refused or failed too often.
        CircuitOpen = "circuit_open",
        /// The run's deadline came first.
        Deadline = "deadline",
        /// Not asked any more, because the source said no to an earlier request of the run.
        Cancelled = "cancelled",
        /// Our service was stopped.
        Interrupted = "interrupted",
        /// Our database or archive could not take it.
        Store = "store",
        /// No way out of our own network.
        OwnNetwork = "own_network",
        /// The collector or settings do not allow the request to be made.
        Config = "config",
        /// Our own fault.
        Internal = "internal",
    }
}

impl Reason {
    /// Whether the source may not be blamed.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Reason::CircuitOpen
                | Reason::Deadline
                | Reason::Cancelled
                | Reason::Interrupted
                | Reason::Store
                | Reason::OwnNetwork
                | Reason::Config
                | Reason::Internal
        )
    }

    /// Whether it says that the source changed.
    pub fn is_drift(self) -> bool {
        matches!(
            self,
            Reason::SelectorMissing
                | Reason::ShapeChanged
                | Reason::ValueUnparsed
                | Reason::RowsMismatch
                | Reason::DuplicateKey
                | Reason::UnmappedUnit
        )
    }
}

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
