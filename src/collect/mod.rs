//! Collecting: from a due instant to trusted observations.

pub mod archive;
pub mod ask;
pub mod bench;
pub mod breaker;
pub mod collector;
pub mod due;
pub mod extract;
pub mod gate;
mod hours;
pub mod number;
pub mod read;
pub mod replay;
pub mod run;
pub mod schedule;
mod settle;
pub mod source;
pub mod template;
pub mod watch;
