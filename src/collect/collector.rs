//! The collector file: where each number of one provincial system is read. Format: collectors/README.md.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use regex::Regex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::gate::Gate;
use super::number::NumberFormat;
use super::quantity::{Size, Span};
use super::schedule::Cron;
use super::template::{JsonTemplate, Template};
use crate::model::{Origin, Period, PeriodKind, UnitGroup};

/// A text in Vietnamese and English.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
    /// When it runs.
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
#[derive(Debug, Deserialize)]
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

/// An IANA time zone.
#[derive(Debug, Clone, Copy)]
pub struct Zone(pub Tz);

impl Zone {
    fn vietnam() -> Zone {
        Zone(chrono_tz::Asia::Ho_Chi_Minh)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse()
            .map(Zone)
            .map_err(|_| D::Error::custom(format!("{name:?} is no time zone; write an IANA name like \"Asia/Ho_Chi_Minh\"")))
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

/// How bytes are got.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// HTTP requests.
    Http(Box<HttpSource>),
    /// Files that people or programs drop.
    File(FileSource),
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
    /// Header values by name.
    #[serde(default)]
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
    /// Who we are.
    #[serde(default)]
    pub auth: Option<Auth>,
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
    /// Every unit of a group.
    #[serde(default)]
    pub unit: Option<UnitGroup>,
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

    /// The period on a local date.
    pub fn on(self, date: chrono::NaiveDate) -> Period {
        let open = Period::holding(self.kind(), date);
        match self {
            PeriodChoice::Day | PeriodChoice::Month | PeriodChoice::Quarter | PeriodChoice::Year => open,
            PeriodChoice::LastDay | PeriodChoice::LastMonth | PeriodChoice::LastQuarter | PeriodChoice::LastYear => open.previous(),
        }
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
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// So many requests …
    pub requests: std::num::NonZeroU32,
    /// … in this time. Default 12 a minute.
    pub per: Span,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { requests: const { std::num::NonZeroU32::new(12).expect("12 is not 0") }, per: Span::seconds(60) }
    }
}

/// When a request is made again inside a run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How often at most, the first time included. Default 3.
    pub attempts: u32,
    /// On which failures. Default connect, timeout, http_5xx, rate_limited.
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
        use crate::model::Reason::{Connect, Http5xx, RateLimited, Timeout};
        Retry {
            attempts: 3,
            on: vec![Connect, Timeout, Http5xx, RateLimited],
            first: Span::seconds(2),
            max: Span::seconds(120),
            honour_retry_after: Span::seconds(600),
        }
    }
}

/// Who we are to the source.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// User name.
        user: Secret,
        /// Password.
        password: Secret,
    },
    /// A header of the source's own.
    ApiKey {
        /// Its name.
        header: String,
        /// Its value.
        value: Secret,
    },
}

/// A reference to a secret, never the secret: the environment variable `THUOCDO_SECRET_<NAME>` or a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its name, like `npsp/token`.
    pub secret: String,
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

/// A file name pattern.
#[derive(Debug, Clone)]
pub struct FilePattern(pub String);

impl<'de> Deserialize<'de> for FilePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FilePattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        match glob::Pattern::new(&text) {
            Ok(_) => Ok(FilePattern(text)),
            Err(error) => Err(D::Error::custom(format!("{text:?} is no file pattern ({error}); write one like \"drop/*.xlsx\""))),
        }
    }
}

/// Rows of an answer and what is read from each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Where the rows are.
    pub from: Spanned<From>,
    /// Tables: short names for the headings used below.
    #[serde(default)]
    pub columns: BTreeMap<String, Spanned<String>>,
    /// Whose row it is.
    pub unit: RowUnit,
    /// What it is about; the period asked for if not stated.
    #[serde(default)]
    pub period: Option<Spanned<RowPeriod>>,
    /// An item that stands in the row (a service, a section).
    #[serde(default)]
    pub item: Option<Spanned<String>>,
    /// Keep only rows in which these places hold these texts.
    #[serde(rename = "where", default)]
    pub keep: BTreeMap<Spanned<String>, String>,
    /// Leave out rows (totals) in which a place matches.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// Two rows with one key are drift. Default: unit, item and period.
    #[serde(default)]
    pub key: Vec<KeyPart>,
    /// What is read.
    #[serde(default)]
    pub read: Vec<Read>,
}

/// Where the rows of an answer are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// RFC 9535 paths; every node is a row.
    Json(JsonPaths),
    /// Elements of a page; every element is a row.
    Html(HtmlRows),
    /// A table read by its headings: of a page (`css`), of a workbook (`sheet`), else a CSV file.
    Table(TableRows),
}

/// One path or several.
#[derive(Debug, Clone)]
pub struct JsonPaths(pub Vec<JsonPath>);

impl<'de> Deserialize<'de> for JsonPaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonPaths, D::Error> {
        OneOrMany::deserialize(deserializer).map(|paths| JsonPaths(paths.0))
    }
}

/// A single value where a list may stand.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de> + TryFromText> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        struct Texts<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de> + TryFromText> serde::de::Visitor<'de> for Texts<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                T::try_from_text(text).map(|one| OneOrMany(vec![one])).map_err(E::custom)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                Ok(OneOrMany(many))
            }
        }
        deserializer.deserialize_any(Texts(std::marker::PhantomData))
    }
}

/// Values that are written as one text.
pub trait TryFromText: Sized {
    /// From the text as it stands in the file.
    ///
    /// # Errors
    /// What is wrong with it and the fix.
    fn try_from_text(text: &str) -> Result<Self, String>;
}

/// An RFC 9535 path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    /// As written.
    pub text: String,
    /// Compiled.
    pub path: serde_json_path::JsonPath,
}

impl TryFromText for JsonPath {
    fn try_from_text(text: &str) -> Result<JsonPath, String> {
        match serde_json_path::JsonPath::parse(text) {
            Ok(path) => Ok(JsonPath { text: text.to_owned(), path }),
            Err(error) => Err(format!("{text:?} is no RFC 9535 path: {error}; write one like \"$.data.children[*]\"")),
        }
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &JsonPath) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

impl PartialOrd for JsonPath {
    fn partial_cmp(&self, other: &JsonPath) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JsonPath {
    fn cmp(&self, other: &JsonPath) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonPath, D::Error> {
        JsonPath::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A CSS selector as written; `scraper::Selector` is compiled where it is used, because it is checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Css(pub String);

impl Css {
    /// Compiled.
    pub fn selector(&self) -> scraper::Selector {
        scraper::Selector::parse(&self.0).expect("a selector that was compiled when the file was loaded")
    }
}

impl TryFromText for Css {
    fn try_from_text(text: &str) -> Result<Css, String> {
        match scraper::Selector::parse(text) {
            Ok(_) => Ok(Css(text.to_owned())),
            Err(error) => Err(format!("{text:?} is no CSS selector: {error}; write one like \"table#thong-ke\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Css {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Css, D::Error> {
        Css::try_from_text(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Elements of a page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HtmlRows {
    /// Which elements.
    pub css: Css,
    /// Encoding if neither header nor page states one. Default utf-8.
    #[serde(default)]
    pub encoding: Encoding,
}

/// A table read by its headings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRows {
    /// Of a page: which table.
    #[serde(default)]
    pub css: Option<Css>,
    /// Of a workbook: which sheet.
    #[serde(default)]
    pub sheet: Option<String>,
    /// Of a CSV file: what stands between cells. Default comma.
    #[serde(default)]
    pub delimiter: Option<Delimiter>,
    /// Of a page or CSV file: encoding if nothing else states one. Default utf-8.
    #[serde(default)]
    pub encoding: Encoding,
    /// Which row holds the headings, from 1.
    #[serde(default = "first_row")]
    pub header_row: std::num::NonZeroUsize,
}

fn first_row() -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::MIN
}

/// A one-byte delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Delimiter, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Delimiter(*byte)),
            _ => Err(D::Error::custom(format!("{text:?} is no delimiter; write one character like \",\", \";\" or \"\\t\""))),
        }
    }
}

/// A character encoding by its label (WHATWG Encoding).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub &'static encoding_rs::Encoding);

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding(encoding_rs::UTF_8)
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
        let label = String::deserialize(deserializer)?;
        let found = encoding_rs::Encoding::for_label(label.as_bytes());
        found
            .map(Encoding)
            .ok_or_else(|| D::Error::custom(format!("{label:?} is no encoding; write one like \"utf-8\" or \"windows-1258\"")))
    }
}

/// Whose row it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowUnit {
    /// Where the unit's code stands; not needed when the request is about one unit.
    #[serde(default)]
    pub value: Option<Spanned<String>>,
    /// Code map: a folder or file of registry/codes.
    #[serde(default)]
    pub codes: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's name.
    #[serde(default)]
    pub name: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's official code.
    #[serde(default)]
    pub code: Option<Spanned<String>>,
    /// Where `units draft` finds the unit's level, and which words mean which group.
    #[serde(default)]
    pub group: Option<UnitLevel>,
}

/// How a source names the level of a unit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitLevel {
    /// Where it stands; absent (the parent's row) means province.
    pub value: Spanned<String>,
    /// Its words.
    pub words: BTreeMap<String, UnitGroup>,
}

/// What a row is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowPeriod {
    /// Always this day.
    Day(Period),
    /// Always this month.
    Month(Period),
    /// Always this quarter.
    Quarter(Period),
    /// Always this year.
    Year(Period),
    /// It stands in the row.
    Read {
        /// Where.
        value: String,
        /// Date format, like `%m/%Y`.
        format: String,
        /// Its kind.
        kind: PeriodKind,
    },
}

/// Rows to leave out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// In which place (a path, a column's short name).
    #[serde(alias = "value")]
    pub column: Spanned<String>,
    /// Which texts.
    pub matches: Pattern,
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Pattern).map_err(|error| D::Error::custom(format!("{text:?} is no regular expression: {error}")))
    }
}

/// A part of a row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPart {
    /// The unit.
    Unit,
    /// The item.
    Item,
    /// The period.
    Period,
}

/// One value of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Which indicator it is a value of.
    pub indicator: Spanned<String>,
    /// Which item, when one row holds several figures of one indicator.
    #[serde(default)]
    pub item: Option<String>,
    /// Where it stands.
    pub value: Spanned<String>,
    /// How it is written.
    #[serde(default)]
    pub number: NumberFormat,
    /// For a source that prints binary floats: how many decimals it means.
    #[serde(default)]
    pub decimals: Option<u32>,
    /// Texts that mean "no value", beside null.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The place may be absent: then there is no reading and no finding.
    #[serde(default)]
    pub optional: bool,
    /// A remark of the source, kept beside the value.
    #[serde(default)]
    pub flag: Option<Flag>,
}

/// A remark of the source beside a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Where it stands.
    pub value: Spanned<String>,
    /// It may be absent.
    #[serde(default)]
    pub optional: bool,
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
