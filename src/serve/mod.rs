//! The service that runs unattended: schedules, runs, their state, and what it says of itself.

pub mod canary;
pub mod hours;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod run;
pub mod scheduler;
pub mod scores;
pub mod service;
pub mod sources;
pub mod start;
pub mod watchers;
pub mod work;

pub use live::Live;
pub use metrics::Metrics;
pub use service::Service;
pub use sources::{SourceState, State};
