//! The collector file: where each number of one provincial system is read. Format: collectors/README.md.

mod auth;
pub mod page;
mod place;
mod portal;
mod probe;
mod request;
mod rows;
mod slot;

use serde::Deserialize;
use toml::Spanned;

pub use auth::{Auth, Secret};
pub use page::{Check, PageRows};
pub(in crate::collect) use place::last_line;
pub use place::{Css, Delimiter, Encoding, FilePattern, JsonPath, JsonPaths, OneOrMany, Pattern, TryFromText, Zone};
pub use portal::PortalChoice;
pub use probe::{Confirm, Degraded, Ip, PORTALS, ProbeSource, Redirects, StatusRange, Tls, Up};
pub use request::{Breaker, Expect, FileSource, ForEach, FormField, HttpSource, Limits, Method, PeriodChoice, Rate, Retry, Robots, Source};
pub use rows::{Flag, From, HtmlRows, KeyPart, Read, RowPeriod, RowUnit, Rows, Skip, TableRows, UnitLevel};
pub use slot::{SlotRows, States};

use super::gate::Gate;
use super::schedule::Cron;
use crate::model::Origin;
use crate::model::Span;

/// A text in Vietnamese and English.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// One collector (bộ thu), as written in `collectors/<id>.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collector {
    /// Version of the format, always 1.
    pub schema: Spanned<u32>,
    /// Label value and evidence key, never reused; the file's name without `.toml`.
    pub id: Spanned<String>,
    /// What it is called.
    pub title: Title,
    /// Whom to call when it breaks.
    #[serde(default)]
    pub owner: String,
    /// Measured by a system, or declared by the body itself.
    #[serde(default)]
    pub origin: Origin,
    /// When it runs; a probe has none, its windows are the hours.
    #[serde(default = "Schedule::hourly")]
    pub schedule: Schedule,
    /// Where the bytes come from.
    pub source: Source,
    /// What is read from them.
    #[serde(default)]
    pub rows: Vec<Rows>,
    /// What an answer must satisfy to be trusted.
    #[serde(default)]
    pub gate: Vec<Spanned<Gate>>,
    /// How long evidence is kept.
    #[serde(default)]
    pub evidence: Evidence,
}

/// When a collector is due.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Five fields, crontab(5).
    pub cron: Cron,
    /// IANA zone name; Asia/Ho_Chi_Minh if not stated.
    #[serde(default = "Zone::vietnam")]
    pub timezone: Zone,
    /// What happens to windows missed while the service was down.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Older data is stale.
    #[serde(default)]
    pub stale_after: Option<Span>,
}

impl Schedule {
    /// Every hour in Vietnam, as probes have it.
    fn hourly() -> Schedule {
        let cron = "0 * * * *".parse().expect("five fields");
        Schedule { cron, timezone: Zone::vietnam(), catch_up: CatchUp::default(), stale_after: Some(Span::seconds(3 * 3600)) }
    }
}

/// Missed windows.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchUp {
    /// Which of them are run later.
    pub windows: Windows,
    /// Older ones are counted as missed.
    #[serde(default)]
    pub max_age: Option<Span>,
}

impl Default for CatchUp {
    fn default() -> CatchUp {
        CatchUp { windows: Windows::Latest, max_age: None }
    }
}

/// Which missed windows are run later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Windows {
    /// Only the newest.
    Latest,
    /// All, oldest first.
    Every,
    /// None.
    Never,
}

/// How long evidence is kept and what is masked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Default 10y.
    pub retain: Span,
    /// What is never shown or kept.
    pub redact: Redact,
}

impl Default for Evidence {
    fn default() -> Evidence {
        Evidence { retain: Span::seconds(10 * 31_557_600), redact: Redact::default() }
    }
}

/// What is never shown or kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// Header names, lower case.
    pub headers: Vec<String>,
}

impl Default for Redact {
    fn default() -> Redact {
        Redact { headers: ["authorization", "cookie", "set-cookie"].map(str::to_owned).into() }
    }
}
