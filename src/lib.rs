//! thuocdo (thước đo, yardstick): measures how well a province's public bodies serve people online.
//!
//! The modules in reading order; ARCHITECTURE.md is the map.

pub mod catalogue;
pub mod model;
pub mod score;
