//! The declarative files of a province: loaded, checked and cross-checked.

pub mod problem;
