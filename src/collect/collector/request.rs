//! Where a collector's bytes come from: requests and files, with their limits and manners.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::auth::{Auth, is_credential};
use super::{FilePattern, JsonPath, PortalChoice, ProbeSource};
use crate::collect::template::{JsonTemplate, Template};
use crate::model::{Period, PeriodKind, UnitGroup};
use crate::model::{Size, Span};

/// How bytes are got.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// HTTP requests.
    Http(Box<HttpSource>),
    /// Files that people or programs drop.
    File(FileSource),
    /// Portals that are watched.
    Probe(Box<ProbeSource>),
}

/// HTTP requests of one shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSource {
    /// GET or POST.
    #[serde(default)]
    pub method: Method,
    /// Absolute URL; a placeholder at its very start is the base address, others are percent-encoded.
    pub url: Spanned<Template>,
    /// Header values by name; none of them a credential.
    #[serde(default, deserialize_with = "public_headers")]
    pub headers: BTreeMap<String, Template>,
    /// JSON body.
    #[serde(default)]
    pub json: Option<JsonTemplate>,
    /// Form body: a value, or `{ json = … }` for JSON inside one field.
    #[serde(default)]
    pub form: Option<BTreeMap<String, FormField>>,
    /// One request for each of these.
    #[serde(default)]
    pub for_each: ForEach,
    /// What a usable answer looks like.
    #[serde(default)]
    pub expect: Expect,
    /// Time and size limits.
    #[serde(default)]
    pub limits: Limits,
    /// Politeness towards the host.
    #[serde(default)]
    pub rate: Rate,
    /// When a request is made again inside a run.
    #[serde(default)]
    pub retry: Retry,
    /// When the source is left alone; used by the service that runs schedules.
    #[serde(default)]
    pub breaker: Breaker,
    /// Who we are.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// That the owner of the system agreed to being asked, whatever its robots.txt says; only where pages are read.
    #[serde(default)]
    pub robots: Option<Robots>,
}

/// Why robots.txt is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Robots {
    /// Who agreed, and by which letter.
    pub owner_agreed: String,
}

/// Headers that may stand in a file that everybody reads.
fn public_headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Template>, D::Error> {
    let headers = BTreeMap::<String, Template>::deserialize(deserializer)?;
    match headers.keys().find(|name| is_credential(name)) {
        None => Ok(headers),
        Some(name) => Err(D::Error::custom(format!(
            "the header {name:?} carries credentials; write auth = {{ bearer = {{ secret = \"…\" }} }}, auth.basic or auth.api_key instead"
        ))),
    }
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Method {
    /// GET.
    #[default]
    #[serde(rename = "GET")]
    Get,
    /// POST.
    #[serde(rename = "POST")]
    Post,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
        })
    }
}

/// One field of a form body: a text, or `{ json = … }` for JSON text in one field (the older national service).
#[derive(Debug)]
pub enum FormField {
    /// Text.
    Text(Template),
    /// JSON text.
    Json(JsonTemplate),
}

impl<'de> Deserialize<'de> for FormField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FormField, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = FormField;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or { json = … }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FormField, E> {
                text.parse().map(FormField::Text).map_err(E::custom)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<FormField, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Field {
                    json: JsonTemplate,
                }
                Field::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|field| FormField::Json(field.json))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What a collector asks about, one request each.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// Periods, relative to the due instant.
    #[serde(default)]
    pub period: Vec<PeriodChoice>,
    /// For how long after its last day a closed period (`last_*`) is asked; always if not stated.
    #[serde(default)]
    pub closed_for: Option<Span>,
    /// Every unit of a group.
    #[serde(default)]
    pub unit: Option<UnitGroup>,
    /// Every portal of the province or of a group of its units that is watched on the day of the due instant.
    #[serde(default)]
    pub portal: Option<PortalChoice>,
}

impl ForEach {
    /// The periods asked for on a local date, in the file's order.
    ///
    /// None if `period` is empty (requests are then about no period), and none if all of them closed too long ago.
    pub fn periods(&self, today: NaiveDate) -> Vec<Period> {
        let asked = |choice: &PeriodChoice| {
            let period = choice.on(today);
            let closed = (today - period.last()).to_std().unwrap_or_default();
            (!choice.is_closed() || self.closed_for.is_none_or(|limit| closed <= limit.0)).then_some(period)
        };
        self.period.iter().filter_map(asked).collect()
    }
}

/// A period relative to the due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodChoice {
    /// The day of the due instant.
    Day,
    /// The month that is open.
    Month,
    /// The quarter that is open.
    Quarter,
    /// The year that is open.
    Year,
    /// The day before.
    LastDay,
    /// The newest closed month (closed months are restated).
    LastMonth,
    /// The newest closed quarter.
    LastQuarter,
    /// The newest closed year.
    LastYear,
}

impl PeriodChoice {
    /// Its kind.
    pub fn kind(self) -> PeriodKind {
        match self {
            PeriodChoice::Day | PeriodChoice::LastDay => PeriodKind::Day,
            PeriodChoice::Month | PeriodChoice::LastMonth => PeriodKind::Month,
            PeriodChoice::Quarter | PeriodChoice::LastQuarter => PeriodKind::Quarter,
            PeriodChoice::Year | PeriodChoice::LastYear => PeriodKind::Year,
        }
    }

    /// Whether the period is over.
    pub fn is_closed(self) -> bool {
        match self {
            PeriodChoice::Day | PeriodChoice::Month | PeriodChoice::Quarter | PeriodChoice::Year => false,
            PeriodChoice::LastDay | PeriodChoice::LastMonth | PeriodChoice::LastQuarter | PeriodChoice::LastYear => true,
        }
    }

    /// The period on a local date.
    pub fn on(self, date: NaiveDate) -> Period {
        let open = Period::holding(self.kind(), date);
        if self.is_closed() { open.previous() } else { open }
    }
}

/// What a usable answer looks like.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Status codes; 200 if none are stated.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Media type without parameters.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Values that the answer must hold, by RFC 9535 path.
    #[serde(default)]
    pub json: BTreeMap<JsonPath, JsonTemplate>,
    /// Texts that the decoded body must hold.
    #[serde(default)]
    pub body_has: Vec<String>,
}

/// Limits of one request and of the run.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Until the connection stands. Default 10s.
    pub connect: Span,
    /// Until the last byte of one answer. Default 60s.
    pub request: Span,
    /// Of the whole run. Default 20m.
    pub run: Span,
    /// Of one decoded body. Default 16MiB.
    pub body: Size,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connect: Span::seconds(10), request: Span::seconds(60), run: Span::seconds(20 * 60), body: Size::mib(16) }
    }
}

/// Politeness towards one host, across collectors of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// So many requests …
    pub requests: NonZeroU32,
    /// … in this time. Default 12 a minute.
    pub per: Span,
    /// So many at once. Default 1.
    pub concurrency: NonZeroU32,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { requests: const { NonZeroU32::new(12).expect("12 is not 0") }, per: Span::seconds(60), concurrency: NonZeroU32::MIN }
    }
}

/// When a request is made again inside a run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How often at most, the first time included. Default 3.
    pub attempts: u32,
    /// On which failures. Default connect, timeout, http_5xx, rate_limited, own_network.
    pub on: Vec<crate::model::Reason>,
    /// The first wait, doubled each time. Default 2s.
    pub first: Span,
    /// The longest wait. Default 2m.
    pub max: Span,
    /// A longer Retry-After than this ends the attempts. Default 10m.
    pub honour_retry_after: Span,
}

impl Default for Retry {
    fn default() -> Retry {
        use crate::model::Reason::{Connect, Http5xx, OwnNetwork, RateLimited, Timeout};
        Retry {
            attempts: 3,
            on: vec![Connect, Timeout, Http5xx, RateLimited, OwnNetwork],
            first: Span::seconds(2),
            max: Span::seconds(120),
            honour_retry_after: Span::seconds(600),
        }
    }
}

/// When a source is left alone for a while.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// After so many failed runs in a row. Default 5.
    pub open_after: NonZeroU32,
    /// Then one probe in this time. Default 30m.
    pub probe_every: Span,
    /// At once on these failures. Default auth, firewall.
    pub stop_on: Vec<crate::model::Reason>,
}

impl Default for Breaker {
    fn default() -> Breaker {
        use crate::model::Reason::{Auth, Firewall};
        Breaker {
            open_after: const { NonZeroU32::new(5).expect("5 is not 0") },
            probe_every: Span::seconds(1800),
            stop_on: vec![Auth, Firewall],
        }
    }
}

/// Files that people or programs drop into a folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// Which files, relative to the working folder.
    pub glob: Spanned<FilePattern>,
    /// Files changed within this time are left for the next run. Default 2m.
    #[serde(default = "settle")]
    pub settle: Span,
    /// The largest file read. Default 16MiB.
    #[serde(default = "largest_file")]
    pub limit: Size,
}

fn settle() -> Span {
    Span::seconds(120)
}

fn largest_file() -> Size {
    Size::mib(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_periods_are_asked_for_so_long() {
        let all = "period = [\"month\", \"last_month\", \"quarter\", \"last_quarter\", \"year\", \"last_year\"]\n";
        for (today, limit, wanted) in [
            ("2026-01-05", "100d", "2026-01 2025-12 2026-Q1 2025-Q4 2026 2025"),
            ("2026-04-10", "100d", "2026-04 2026-03 2026-Q2 2026-Q1 2026 2025"),
            ("2026-04-11", "100d", "2026-04 2026-03 2026-Q2 2026-Q1 2026"),
            ("2026-09-30", "10d", "2026-09 2026-Q3 2026"),
            ("2026-09-30", "", "2026-09 2026-08 2026-Q3 2026-Q2 2026 2025"),
        ] {
            let closed_for = if limit.is_empty() { String::new() } else { format!("closed_for = {limit:?}\n") };
            let asked: ForEach = toml::from_str(&format!("{all}{closed_for}")).expect("a for_each of the test");
            let periods = asked.periods(today.parse().expect("a day"));
            assert_eq!(periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), wanted, "{today} {limit}");
        }
        assert_eq!(ForEach::default().periods(NaiveDate::MIN), []);
    }
}
