//! `Ts`: an instant in UTC, cut to microseconds.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC with microseconds, the finest that both databases keep. RFC 3339 with `Z` as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(DateTime<Utc>);

/// A text that names no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no instant of RFC 3339; write one like 2026-10-09T06:30:00+07:00 or 2026-10-08T23:30:00Z")]
pub struct BadInstant(pub String);

impl Ts {
    /// The clock, cut to microseconds. Only commands and the scheduler call this; the core gets `now` as an argument.
    pub fn now() -> Ts {
        Ts::from(Utc::now())
    }

    /// From microseconds since 1970-01-01T00:00:00Z; `None` outside chrono's range.
    pub fn from_micros(micros: i64) -> Option<Ts> {
        Utc.timestamp_micros(micros).single().map(Ts)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// So much later; the end of chrono's time for what lies behind it.
    pub fn plus(self, span: std::time::Duration) -> Ts {
        let later = chrono::Duration::from_std(span).ok().and_then(|span| self.0.checked_add_signed(span));
        later.map_or(Ts(DateTime::<Utc>::MAX_UTC), Ts::from)
    }

    /// So much earlier; the beginning of chrono's time for what lies before it.
    pub fn minus(self, span: std::time::Duration) -> Ts {
        let earlier = chrono::Duration::from_std(span).ok().and_then(|span| self.0.checked_sub_signed(span));
        earlier.map_or(Ts(DateTime::<Utc>::MIN_UTC), Ts::from)
    }

    /// How long after the other it is; nothing if it is not later.
    pub fn since(self, earlier: Ts) -> std::time::Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }

    /// As chrono has it.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Ts {
    fn from(time: DateTime<Utc>) -> Ts {
        Ts::from_micros(time.timestamp_micros()).expect("an instant that chrono just held")
    }
}

impl FromStr for Ts {
    type Err = BadInstant;

    /// RFC 3339 with any offset.
    fn from_str(text: &str) -> Result<Ts, BadInstant> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| BadInstant(text.to_owned()))?;
        Ok(Ts::from(time.with_timezone(&Utc)))
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Ts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ts, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
