//! The unattended service: time passes, copies die, databases go away, and every window is run or missed, once.

mod agreements;
mod breaker;
mod commands;
mod copies;
mod itself;
mod kills;
mod months;
mod probes;
mod stops;
mod trouble;
mod world;

#[path = "../support/databases.rs"]
mod databases;
#[path = "../support/year.rs"]
mod year;
