//! Plain data and its laws: what a unit, an indicator, a period, a value and a reading are.
//!
//! Nothing here asks the clock, the network or the database.

mod alert;
mod evidence;
mod exact;
mod finding;
mod indicator;
mod observation;
mod period;
mod portal;
mod quantity;
mod reason;
mod run;
mod slot;
mod text;
mod time;
mod unit;

pub use alert::{AlertKind, AlertSeverity, Told};
pub use evidence::{Request, RequestOutcome, Scope, Sha256, Sha256Of};
pub use exact::{Exact, NotExact, Overflow};
pub use finding::{Finding, GateOutcome, GateResult, Severity};
pub use indicator::{Adds, Indicator, Measure, Per, Within};
pub use observation::{Observation, Reading, Value};
pub use period::{BadPeriod, Period, PeriodKind};
pub use portal::{Calendar, Notice, Portal};
pub use quantity::{Size, Span};
pub use reason::{Reason, Sentence};
pub(crate) use run::labelled;
pub use run::{CANARY, Missed, MissedWhy, Origin, RunId, RunState, Trigger};
pub use slot::{Cause, Phase, SlotState, Window};
pub use text::{clean, fold};
pub use time::{BadInstant, Ts};
pub use unit::{Unit, UnitGroup};
