//! `Slot`: one step of watching a portal, the states it can have, and why it has one that is not up.

use super::run::labelled;
use super::{Reason, Ts};

labelled! {
    /// State of a slot. Order matters to nobody but readers; `better` says which of two wins.
    SlotState {
        /// It answered as it should.
        Up = "up",
        /// It answered as it should, but slower than the collector allows.
        Degraded = "degraded",
        /// Confirmed: it did not answer as it should, while our own network was up.
        Down = "down",
        /// Within a window that was announced before it began.
        Maintenance = "maintenance",
        /// Nobody looked, or what stopped the answer was on our side.
        Unknown = "unknown",
    }
}

impl SlotState {
    /// Of two looks at one slot, by two copies or after the clock was set back, the one that holds: what was seen goes
    /// before what was not, and an answer goes before its absence, because an answer cannot be got from a portal that is down.
    pub fn better(self, other: SlotState) -> SlotState {
        if self.merit() >= other.merit() { self } else { other }
    }

    fn merit(self) -> u8 {
        match self {
            SlotState::Up => 4,
            SlotState::Degraded => 3,
            SlotState::Down => 2,
            // Never measured: laid over the measured ones by the register.
            SlotState::Maintenance => 1,
            SlotState::Unknown => 0,
        }
    }
}

labelled! {
    /// The step of a probe in which it ended.
    Phase {
        /// From the name to an address.
        Resolve = "resolve",
        /// Until the connection stood.
        Connect = "connect",
        /// The TLS handshake, the certificate included.
        Tls = "tls",
        /// From the request to the first byte of the answer.
        FirstByte = "first_byte",
        /// Until the last byte.
        Transfer = "transfer",
        /// The whole answer came, and was not as it should be: status, redirect, text.
        Answer = "answer",
    }
}

/// Why a slot is not up: the phase and the reason of the attempt that decided. Neither for a slot that nobody looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Cause {
    /// Where the attempt ended.
    pub phase: Option<Phase>,
    /// Why.
    pub reason: Option<Reason>,
}

impl std::fmt::Display for Cause {
    /// `connect: timeout`; `not_measured` for neither.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.phase, self.reason) {
            (Some(phase), Some(reason)) => write!(f, "{phase}: {reason}"),
            (Some(phase), None) => write!(f, "{phase}"),
            (None, Some(reason)) => write!(f, "{reason}"),
            (None, None) => f.write_str("not_measured"),
        }
    }
}

/// From one instant up to, and not with, a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Window {
    /// The first instant.
    pub from: Ts,
    /// The first one that is outside again.
    pub to: Ts,
}

impl Window {
    /// What both have in common, if anything.
    pub fn overlap(self, other: Window) -> Option<Window> {
        let both = Window { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }

    /// Its length in microseconds, 0 if it ends before it begins.
    pub fn micros(self) -> i64 {
        (self.to.micros() - self.from.micros()).max(0)
    }
}
