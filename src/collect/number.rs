//! stub
use serde::Deserialize;
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberFormat {
    /// x
    #[default]
    Plain,
    /// x
    Vi,
    /// x
    En,
    /// x
    PercentVi,
    /// x
    Bool,
}
