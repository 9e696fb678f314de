//! thuocdo (thước đo, yardstick): measures how well a province's public bodies serve people online.
//!
//! The modules in reading order; ARCHITECTURE.md is the map.

// A run is a deep nest of futures (schedule, run, request, politeness, database), which optimised builds lay out whole.
#![recursion_limit = "256"]

pub mod model;

pub mod rollup;

pub mod settings;

pub mod catalogue;

pub mod store;

pub mod collect;

pub mod score;

pub mod scoring;

pub mod serve;

pub mod web;

pub mod demo;

pub mod cli;
