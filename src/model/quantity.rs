//! Durations and sizes as collector files write them: "10s", "36h", "10y", "16MiB".

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A length of time, written with its measure: `10s`, `2m`, `36h`, `35d`, `10y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Longer times could not be added to an instant.
const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);

impl Span {
    /// Whole seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        match humantime::parse_duration(&text) {
            Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(Span(duration)),
            Ok(duration) if duration > LONGEST => {
                Err(D::Error::custom(format!("{text:?} is longer than anything here lasts; write at most \"100y\"")))
            }
            _ => Err(D::Error::custom(format!(
                "{text:?} is not a length of time; write one like \"10s\", \"2m\", \"36h\", \"35d\" or \"10y\""
            ))),
        }
    }
}

/// A size in bytes, written with its measure: `512KiB`, `16MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// Mebibytes.
    pub const fn mib(mebibytes: u64) -> Size {
        Size(mebibytes << 20)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let at = text.find(|c: char| !c.is_ascii_digit())?;
            let factor = match &text[at..] {
                "B" => 1u64,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return None,
            };
            text[..at].parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
        };
        read().map(Size).ok_or_else(|| D::Error::custom(format!("{text:?} is not a size; write one like \"512KiB\" or \"16MiB\"")))
    }
}
