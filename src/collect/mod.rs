//! From a portal's answer to trusted observations: when to ask, how to read.

pub mod number;
pub mod schedule;
