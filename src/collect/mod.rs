//! From a portal's answer to trusted observations: when to ask, how to read.

pub mod collector;
pub mod extract;
pub mod gate;
pub mod number;
pub mod schedule;
