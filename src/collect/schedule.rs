//! stub
/// x
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Cron(pub String);
