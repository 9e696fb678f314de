//! The declarative files that people write (danh mục): loaded whole, cross-checked, every mistake with its place and fix.
//!
//! `Files` holds their texts, embedded or from a folder; `Registry` is what `registry/` says.

pub mod files;
pub mod problem;
pub mod registry;
