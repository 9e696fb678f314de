//! An attempt at a portal as it is kept, and the steps in which its times are kept.

use std::time::Duration;

use crate::model::{Cause, Phase, Reason, SlotState};

/// A time, kept in one byte: whole steps of 128 µs below 2 ms, sixteen steps to a doubling above.
///
/// What is kept lies within 64 µs or 3.2 % of what was measured, whichever is more, up to 59 s; a longer time counts as 59 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Latency(u8);

/// Steps below which every step is as wide as the first.
const LINEAR: u64 = 16;
/// Microseconds of the first step.
const STEP_MICROS: u64 = 128;

impl Latency {
    /// Of a phase that was not reached.
    pub const NONE: Latency = Latency(0);

    /// The step that holds a duration.
    pub fn of(time: Duration) -> Latency {
        let steps = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / STEP_MICROS;
        let index = match steps {
            0..LINEAR => steps,
            _ => {
                let octave = u64::from(steps.ilog2()) - 4;
                LINEAR + octave * 16 + (steps >> octave) - 16
            }
        };
        // 254 steps, and one for "not reached".
        Latency(u8::try_from(index.min(253) + 1).unwrap_or(u8::MAX))
    }

    /// From the byte that was kept.
    pub const fn from_byte(byte: u8) -> Latency {
        Latency(byte)
    }

    /// The byte that is kept; 0 for a phase that was not reached.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// The middle of the step, in microseconds; `None` for a phase that was not reached.
    pub fn micros(self) -> Option<u64> {
        let index = u64::from(self.0.checked_sub(1)?);
        Some(match index {
            0..LINEAR => index * STEP_MICROS + STEP_MICROS / 2,
            _ => {
                let octave = (index - LINEAR) / 16;
                let least = (16 + (index - LINEAR) % 16) << octave;
                least * STEP_MICROS + (STEP_MICROS << octave) / 2
            }
        })
    }
}

/// How long each phase took; a phase that an attempt did not need or reach has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// From the name to an address.
    pub resolve: Latency,
    /// Until the connection stood.
    pub connect: Latency,
    /// The TLS handshake.
    pub tls: Latency,
    /// Until the first byte of the answer.
    pub first_byte: Latency,
    /// Until the last byte.
    pub transfer: Latency,
}

impl Times {
    /// All phases together.
    pub fn total(&self) -> Duration {
        let phases = [self.resolve, self.connect, self.tls, self.first_byte, self.transfer];
        Duration::from_micros(phases.into_iter().filter_map(Latency::micros).sum())
    }
}

/// By which internet protocol a portal was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        })
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The answer was as it should be.
    Well,
    /// It was not, or did not come.
    Badly(Phase, Reason),
}

/// One attempt at a target in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the target in its hour's list.
    pub target: u32,
    /// Number of the slot in its hour, from 0.
    pub slot: u32,
    /// From 1; a second one confirms the first.
    pub no: u8,
    /// By which protocol; the first tried if no connection was made.
    pub family: Family,
    /// How long after its planned instant it began.
    pub late: Latency,
    /// How long its phases took.
    pub times: Times,
    /// HTTP status of the last answer, 0 for none.
    pub status: u16,
    /// How it ended.
    pub ended: Ended,
    /// Until when the certificate is valid, in seconds since 1970; 0 if none was seen.
    pub certificate_until: i64,
    /// What was seen, when it ended badly.
    pub text: String,
}

impl Attempt {
    /// What came of it, taken alone: up, degraded, or down for any failure; and why.
    pub(super) fn came_to(&self, slower_than: Option<Duration>) -> (SlotState, Cause) {
        match self.ended {
            Ended::Well if slower_than.is_some_and(|limit| self.times.total() > limit) => {
                (SlotState::Degraded, Cause { phase: Some(self.slowest()), reason: None })
            }
            Ended::Well => (SlotState::Up, Cause::default()),
            Ended::Badly(phase, reason) => (SlotState::Down, Cause { phase: Some(phase), reason: Some(reason) }),
        }
    }

    /// The phase that took most of the time.
    fn slowest(&self) -> Phase {
        let Times { resolve, connect, tls, first_byte, transfer } = self.times;
        let phases = [
            (Phase::Resolve, resolve),
            (Phase::Connect, connect),
            (Phase::Tls, tls),
            (Phase::FirstByte, first_byte),
            (Phase::Transfer, transfer),
        ];
        phases.into_iter().max_by_key(|(_, time)| *time).map_or(Phase::FirstByte, |(phase, _)| phase)
    }
}

/// Whether the portal is to blame for a failure. To be asked less often (429) is a wish to us, and says that it is there.
pub(super) fn blames_portal(cause: Cause) -> bool {
    cause.reason.is_some_and(|reason| !reason.is_ours() && reason != Reason::RateLimited)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_what_they_say() {
        for (micros, middle) in [(0, 64), (127, 64), (128, 192), (2047, 1984), (2048, 2112), (4096, 4224), (1_000_000, 999_424)] {
            assert_eq!(Latency::of(Duration::from_micros(micros)).micros(), Some(middle), "{micros}");
        }
        assert_eq!(Latency::NONE.micros(), None);
        assert_eq!(Latency::of(Duration::MAX).byte(), 254);
        assert!((0..254).all(|byte| Latency::from_byte(byte).micros() < Latency::from_byte(byte + 1).micros()));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_near_what_was_measured(micros in 0u64..58_000_000) {
            let kept = Latency::of(Duration::from_micros(micros)).micros().expect("a time");
            prop_assert!(kept.abs_diff(micros) <= 64.max(micros * 32 / 1000), "{micros} {kept}");
        }
    }
}
