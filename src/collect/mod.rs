//! Collecting: from a due instant to recorded observations.

pub mod collector;
pub mod gate;
pub mod number;
pub mod quantity;
pub mod schedule;
pub mod template;
