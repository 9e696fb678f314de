//! The demonstration province: a real HTTP server on loopback with seeded figures or recorded bodies.
//!
//! It computes its points by itself, on integers, and shares nothing with the scorer that is checked against it.

mod answers;
mod bodies;
mod counts;
mod elapsed;
mod figures;
mod groups;
mod national;
mod page;
mod points;
mod portal;
mod procedures;
mod random;
mod request;

pub use bodies::{BodiesError, Capture, Recorded, Unusable};
pub use figures::{Figures, NoSuchProvince, SIMULATED};
pub use portal::{Portal, serve, serve_recorded};
