//! Placeholders in requests (`{period.year}`), typed at load and filled for one request.

mod json;
mod variable;

use chrono_tz::Tz;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

pub use json::JsonTemplate;
pub use variable::{Variable, fits};

use crate::model::{Portal, Scope, Unit};

/// What happens when there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Otherwise {
    Fail,
    Drop,
    Default(String),
}

/// How the value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    AsIs,
    Text,
    Date(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Placeholder {
    variable: Variable,
    otherwise: Otherwise,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Placeholder),
}

/// A variable as a template names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'t> {
    /// Which.
    pub variable: &'t Variable,
    /// Without a value the request cannot be made: neither `?` nor a default says what then.
    pub needed: bool,
}

/// A text with typed placeholders. `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A placeholder that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadTemplate(String);

/// A placeholder without a value for this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{0}}} has no value here: {1}")]
pub struct Unfilled(pub String, pub String);

/// What placeholders are filled from.
pub struct Filling<'a> {
    /// What the request is about.
    pub scope: &'a Scope,
    /// The unit asked for, if the collector asks by unit.
    pub unit: Option<&'a Unit>,
    /// The portal asked for, if the collector asks by portal.
    pub portal: Option<&'a Portal>,
    /// That unit's code in a code map, by system.
    pub code_of: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The collector's zone.
    pub zone: Tz,
}

/// A filled placeholder: texts and numbers stay apart.
enum Filled {
    Text(String),
    Number(i64),
}

impl Filled {
    fn into_text(self) -> String {
        match self {
            Filled::Text(text) => text,
            Filled::Number(number) => number.to_string(),
        }
    }
}

/// How a filled value is escaped for the place where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// As it is: a header, a JSON string, a form field (escaped by their writers).
    None,
    /// Percent-encoded for a URL, except at the very start, where it is the base address.
    Url,
}

impl Template {
    /// Every variable it names.
    pub fn variables(&self) -> impl Iterator<Item = Named<'_>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(hole) => Some(Named { variable: &hole.variable, needed: hole.otherwise == Otherwise::Fail }),
        })
    }

    /// Whether it is a URL with a user or a password before its host.
    pub fn has_user_info(&self) -> bool {
        let text: String = self.parts.iter().map(|part| if let Part::Text(plain) = part { plain.as_str() } else { "_" }).collect();
        let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        authority.is_some_and(|authority| authority.contains('@'))
    }

    /// The text with every placeholder filled; `None` if one of them drops the whole.
    ///
    /// # Errors
    /// `Unfilled` names the placeholder that has no value and no default.
    pub fn fill(&self, filling: &Filling, escape: Escape) -> Result<Option<String>, Unfilled> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Hole(hole) => match hole.fill(filling)? {
                    None => return Ok(None),
                    Some(filled) if escape == Escape::Url && !text.is_empty() => {
                        text.extend(url::form_urlencoded::byte_serialize(filled.into_text().as_bytes()).map(|s| s.replace('+', "%20")));
                    }
                    Some(filled) => text.push_str(&filled.into_text()),
                },
            }
        }
        Ok(Some(text))
    }

    /// Whether it begins like an address of the web, or with a placeholder that brings the base address.
    pub fn begins_as_address(&self) -> bool {
        match self.parts.first() {
            Some(Part::Text(text)) => text.starts_with("https://") || text.starts_with("http://"),
            Some(Part::Hole(_)) => true,
            None => false,
        }
    }

    /// Whether it is exactly this text, without placeholders.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.parts.as_slice(), [Part::Text(plain)] if plain == text)
    }

    /// The one placeholder, if there is nothing else.
    fn alone(&self) -> Option<&Placeholder> {
        match self.parts.as_slice() {
            [Part::Hole(hole)] => Some(hole),
            _ => None,
        }
    }
}

impl Placeholder {
    fn parse(inside: &str) -> Result<Placeholder, BadTemplate> {
        let (rest, otherwise) = match inside.split_once('|') {
            Some((rest, default)) => (rest, Otherwise::Default(default.to_owned())),
            None => match inside.strip_suffix('?') {
                Some(rest) => (rest, Otherwise::Drop),
                None => (inside, Otherwise::Fail),
            },
        };
        let (name, argument) = match rest.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (rest, None),
        };
        let variable = Variable::parse(name, argument)?;
        let form = match (&variable, argument) {
            (Variable::PeriodOffsetMonths(_), _) | (_, None) => Form::AsIs,
            (Variable::PeriodStart | Variable::PeriodLast | Variable::Due, Some(format)) if format.contains('%') => date_form(format)?,
            (_, Some("text")) => Form::Text,
            (_, Some(other)) => {
                return Err(BadTemplate(format!("{{{inside}}}: {other:?} is no form of {name}; write :text, or :%d/%m/%Y for a date")));
            }
        };
        Ok(Placeholder { variable, otherwise, form })
    }

    fn fill(&self, filling: &Filling) -> Result<Option<Filled>, Unfilled> {
        let found = self.variable.value(filling, &self.form);
        Ok(match (found, &self.otherwise) {
            (Ok(filled), _) if self.form == Form::Text => Some(Filled::Text(filled.into_text())),
            (Ok(filled), _) => Some(filled),
            (Err(_), Otherwise::Drop) => None,
            (Err(_), Otherwise::Default(default)) => Some(match default.parse() {
                Ok(number) if self.form != Form::Text => Filled::Number(number),
                _ => Filled::Text(default.clone()),
            }),
            (Err(unfilled), Otherwise::Fail) => return Err(unfilled),
        })
    }
}

/// A strftime form that chrono can print.
fn date_form(format: &str) -> Result<Form, BadTemplate> {
    let wrong = chrono::format::StrftimeItems::new(format).any(|item| matches!(item, chrono::format::Item::Error));
    match wrong {
        true => Err(BadTemplate(format!("{format:?} is no date form; write one like %d/%m/%Y"))),
        false => Ok(Form::Date(format.to_owned())),
    }
}

impl std::str::FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Template, BadTemplate> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
            } else if let (true, Some(end)) = (brace == "{", rest.find('}')) {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Hole(Placeholder::parse(&rest[..end])?));
                rest = &rest[end + 1..];
            } else {
                return Err(BadTemplate(format!(
                    "{text:?} has a single {brace}; close the placeholder, or write {brace}{brace} for the brace itself"
                )));
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(period: &str) -> Scope {
        Scope {
            due: "2026-09-26T11:21:36Z".parse().expect("an instant"),
            period: Some(period.parse().expect("a period")),
            unit: None,
            portal: None,
            province: [("npsp".to_owned(), "a b".to_owned())].into(),
        }
    }

    fn fill(template: &str, period: &str) -> Result<Option<String>, String> {
        let scope = scope(period);
        let filling = Filling { scope: &scope, unit: None, portal: None, code_of: &|_| None, zone: chrono_tz::Asia::Ho_Chi_Minh };
        let template: Template = template.parse().map_err(|e: BadTemplate| e.to_string())?;
        template.fill(&filling, Escape::Url).map_err(|e| e.to_string())
    }

    #[test]
    fn fills_by_type_and_place() {
        for (template, period, want) in [
            ("{province.npsp}/x?p={province.npsp}", "2026", Some("a b/x?p=a%20b")),
            ("m={period.month|0}&q={period.quarter|0}", "2026-Q3", Some("m=0&q=3")),
            ("{period.start:%d/%m/%Y}", "2026-08", Some("01/08/2026")),
            ("to={period.last}", "2026-08", Some("to=2026-08-31")),
            ("{period.offset_months_from:2013-01}", "2026-08", Some("163")),
            ("{due:%H:%M}", "2026", Some("18:21")),
            ("{period.month?}", "2026", None),
            ("{{}}", "2026", Some("{}")),
        ] {
            assert_eq!(fill(template, period), Ok(want.map(str::to_owned)), "{template}");
        }
    }

    #[test]
    fn a_portal_brings_the_base_address() {
        let scope = scope("2026");
        let url = "https://a.gov.vn/".parse().expect("an address of the test");
        let portal = Portal { id: "a".to_owned(), unit: "H49".to_owned(), url, from: None, to: None };
        let filling = Filling { scope: &scope, unit: None, portal: Some(&portal), code_of: &|_| None, zone: chrono_tz::UTC };
        for (template, want) in [
            ("{portal.url}", "https://a.gov.vn"),
            ("{portal.url}/sitemap?of={portal.id}", "https://a.gov.vn/sitemap?of=a"),
            ("https://check.example/?url={portal.url}", "https://check.example/?url=https%3A%2F%2Fa.gov.vn"),
        ] {
            let template: Template = template.parse().expect("a template of the test");
            assert_eq!(template.fill(&filling, Escape::Url), Ok(Some(want.to_owned())));
        }
    }

    #[test]
    fn says_what_it_cannot_fill() {
        for (template, want) in [
            ("{period.month}", "the period is no month"),
            ("{province.docs}", "set docs under [province]"),
            ("{unit.code}", "the request is about no unit"),
            ("{portal.url}", "the request is about no portal"),
            ("{year}", "is no placeholder"),
            ("{period.year", "has a single {"),
            ("a}b", "has a single }"),
            ("{period.year:%Y}", "is no form of period.year"),
            ("{period.start:%Q}", "is no date form"),
        ] {
            let error = fill(template, "2026").expect_err(template);
            assert!(error.contains(want), "{template}: {error}");
        }
    }

    #[test]
    fn a_placeholder_alone_keeps_its_type() {
        let scope = scope("2026-08");
        let filling = Filling { scope: &scope, unit: None, portal: None, code_of: &|_| None, zone: chrono_tz::Asia::Ho_Chi_Minh };
        #[derive(Deserialize)]
        struct File {
            json: JsonTemplate,
        }
        let text = r#"json = { year = "{period.year}", month = "{period.month?}", quarter = "{period.quarter?}", text = "{period.year:text}", n = 1, list = ["{period.kind}"] }"#;
        let file: File = toml::from_str(text).expect("a template");
        let filled = file.json.fill(&filling).expect("filled").expect("kept");
        assert_eq!(filled.to_string(), r#"{"year":2026,"month":8,"text":"2026","n":1,"list":["month"]}"#);
    }
}
