//! Watching: slots on the clock, what is spooled, sealed and recorded; a process that stops, a database that is away.

mod figures;
mod hours;
mod lateness;
mod portals;
mod world;
