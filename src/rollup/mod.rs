//! Rollup (tổng hợp): from attempts to slots, hours, periods and combined portals; coverage and bounds.
//!
//! Pure: the same attempts, windows and calendar give the same figures for ever.

mod attempt;
mod day;
mod figures;
mod histogram;
mod hour;
mod notice;
mod options;
mod records;
mod service_hours;
mod terms;
mod timeline;

pub use attempt::{Attempt, Ended, Family, Latency, Times};
pub use day::DayRow;
pub use figures::{Availability, Outage, Tally, outages, tally};
pub use histogram::Histogram;
pub use hour::{HOUR_MICROS, HourPart, Interval, Slots, Watched, hour_of};
pub use notice::{counted_windows, counts};
pub use options::Options;
pub use records::{FromRecords, Record, from_records};
pub use service_hours::{BadServiceHours, Days, ServiceHours};
pub use terms::{Terms, all_of, lay_over};
pub use timeline::{Segment, timeline};
