//! Watching portals: every target in every slot, each attempt on disk before anything else; hours sealed into evidence.

pub mod again;
pub mod close;
pub mod figure;
pub mod head;
mod meter;
pub mod readings;
pub mod seal;
pub mod segment;
pub mod slots;
pub mod spool;
mod watcher;

pub use close::Ground;
pub use head::{Head, Target, over_v6, targets};
pub use meter::{Counts, Meter};
pub use seal::{Sealed, roll_up_again, seal};
pub use watcher::{Watch, watch};
