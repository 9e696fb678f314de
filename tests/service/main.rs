//! The unattended service: time passes, copies die, databases go away, and every window is run or missed, once.

mod months;

#[path = "../support/databases.rs"]
mod databases;
#[path = "../support/year.rs"]
mod year;
