//! Collecting: from a due instant to trusted observations.

pub mod archive;
pub mod ask;
mod bench;
pub mod collector;
pub mod extract;
pub mod gate;
pub mod number;
pub mod quantity;
pub mod read;
pub mod replay;
pub mod run;
pub mod schedule;
mod settle;
pub mod source;
pub mod template;
