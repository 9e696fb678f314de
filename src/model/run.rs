//! `Run` (lượt thu): one due instant of one collector.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::Ts;

/// Id of the known-answer collector of the service; ids that begin like it are ours.
pub const CANARY: &str = "thuocdo-canary";

/// Identity of a run: the collector and the instant it was due. As text `npsp-progress@2026-09-26T06:30:00Z`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// Collector id.
    pub collector: String,
    /// When it was due.
    pub due_at: Ts,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.collector, self.due_at)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<RunId, String> {
        let wrong = || format!("{text:?} is not a run: write COLLECTOR@INSTANT, like npsp-progress@2026-09-26T06:30:00Z");
        let (collector, due_at) = text.split_once('@').ok_or_else(wrong)?;
        Ok(RunId { collector: collector.to_owned(), due_at: due_at.parse().map_err(|_| wrong())? })
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Makes an enum of fixed labels: the label is what files, the database and output hold.
macro_rules! labelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $label:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $label)] $variant),+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The stable label.
            pub fn label(self) -> &'static str {
                match self { $($name::$variant => $label),+ }
            }

            /// From its label.
            pub fn from_label(label: &str) -> Option<$name> {
                match label { $($label => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.label())
            }
        }
    };
}
pub(crate) use labelled;

labelled! {
    /// How far a run is, or how it ended.
    RunState {
        /// Planned by its schedule and not begun.
        Due = "due",
        /// Planned, and then passed over for a newer window before it was begun.
        Missed = "missed",
        /// Claimed and at work.
        Running = "running",
        /// Every request was recorded.
        Recorded = "recorded",
        /// Some requests were recorded; the others were refused by a gate or failed.
        Partial = "partial",
        /// No request was recorded and at least one answer was refused by a gate.
        Quarantined = "quarantined",
        /// No answer could be used.
        Failed = "failed",
    }
}

labelled! {
    /// Why a run happened.
    Trigger {
        /// Its schedule, in time.
        Schedule = "schedule",
        /// Its schedule, later than planned: the service was down or busy.
        CatchUp = "catch_up",
        /// Somebody asked for windows of the past.
        Backfill = "backfill",
        /// Somebody asked for it.
        Manual = "manual",
        /// An earlier run was read again from its evidence.
        Replay = "replay",
    }
}

labelled! {
    /// Why windows of a schedule were never run.
    MissedWhy {
        /// A newer one was due already (`catch_up.windows = "latest"`).
        Newer = "newer_window",
        /// They were older than `catch_up.max_age`.
        TooOld = "too_old",
        /// The collector catches nothing up (`catch_up.windows = "never"`).
        NotCaughtUp = "not_caught_up",
        /// The schedule was changed after they were due.
        ScheduleChanged = "schedule_changed",
        /// The collector was paused.
        Paused = "paused",
        /// More were due than are caught up at once.
        TooMany = "too_many",
    }
}

/// Windows of a schedule that were never run, as the stretch they lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The first window.
    pub first_due: Ts,
    /// The last window.
    pub last_due: Ts,
    /// How many, from 1.
    pub n: i64,
    /// Why.
    pub why: MissedWhy,
}

labelled! {
    /// Who made the number.
    #[derive(Default)]
    Origin {
        /// Read from a system that counts by itself.
        #[default]
        Measured = "measured",
        /// Stated by the body itself.
        Declared = "declared",
    }
}
