//! Collector files: read, and checked against the registry and the settings.

use std::collections::BTreeMap;
mod probe;
mod rows;

use std::ops::Range;

use toml::Spanned;

use super::place;
use super::problem::Problem;
use super::registry::Registry;
use crate::collect::collector::Auth;
use crate::collect::collector::{Collector, FormField, HttpSource, Source};
use crate::collect::extract::{self, Kind};
use crate::collect::gate;
use crate::collect::source::prepare::reveal;
use crate::collect::template::{Named, Variable, fits};
use crate::model::{PeriodKind, Sha256};
use crate::settings::Settings;

/// A collector with the very text it was read from.
#[derive(Debug)]
pub struct LoadedCollector {
    /// `collectors/<id>.toml`.
    pub file: String,
    /// As written; kept with every run so that the run can be replayed.
    pub text: String,
    /// Of the text.
    pub sha256: Sha256,
    /// What it says.
    pub collector: Collector,
    /// It asks portals, and the registry that it was loaded with lists none: it waits for one.
    pub lacks_portals: bool,
}

impl LoadedCollector {
    /// Reads one file and checks what can be checked without the registry.
    ///
    /// # Errors
    /// Every problem found, each with its place.
    pub fn parse(file: &str, text: &str) -> Result<LoadedCollector, Vec<Problem>> {
        let collector: Collector = toml::from_str(text).map_err(|error| vec![Problem::from_toml(file, text, &error)])?;
        let loaded = LoadedCollector {
            file: file.to_owned(),
            text: text.to_owned(),
            sha256: Sha256::of(text.as_bytes()),
            collector,
            lacks_portals: false,
        };
        let problems = loaded.check_alone();
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }

    /// Names of `[province]` that the file asks for and the settings do not have: the collector waits for them.
    pub fn waits_for(&self, settings: &Settings) -> Vec<String> {
        let Source::Http(http) = &self.collector.source else { return Vec::new() };
        let asked = variables(http).into_iter().filter_map(|(_, named)| match named.variable {
            Variable::Province(name) if !settings.province.contains_key(name) => Some(name.clone()),
            _ => None,
        });
        let mut names: Vec<String> = asked.collect();
        names.sort();
        names.dedup();
        names
    }

    /// What keeps the collector from running here: names missing under `[province]`, secrets that are not set,
    /// and portals to ask, in words.
    pub fn lacks(&self, settings: &Settings) -> Vec<String> {
        let names = self.waits_for(settings).into_iter().map(|name| format!("[province] {name} is not in the settings"));
        let auth = match &self.collector.source {
            Source::Http(http) => http.auth.as_ref(),
            Source::File(_) | Source::Probe(_) => None,
        };
        let secrets = auth.map(Auth::secrets).unwrap_or_default();
        let secrets = secrets.into_iter().filter_map(|secret| reveal(secret).err()).map(|failure| failure.text);
        let portals = self.lacks_portals.then(|| "registry/portals.csv lists no portal".to_owned());
        names.chain(secrets).chain(portals).chain(self.lacks_references(settings)).collect()
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem::at(&self.file, &self.text, span, message, fix)
    }

    fn check_alone(&self) -> Vec<Problem> {
        let collector = &self.collector;
        let mut problems = Vec::new();
        if *collector.schema.get_ref() != 1 {
            problems.push(self.problem(
                collector.schema.span(),
                format!("schema {} is not known", collector.schema.get_ref()),
                "write schema = 1",
            ));
        }
        let stem = super::stem(&self.file);
        if collector.id.get_ref() != stem {
            problems.push(self.problem(
                collector.id.span(),
                format!("the id {:?} is not the file's name", collector.id.get_ref()),
                format!("write id = {stem:?}, or rename the file"),
            ));
        }
        problems.extend(extract::check_places(collector).into_iter().map(|(span, message, fix)| self.problem(span, message, fix)));
        problems.extend(collector.rows.iter().enumerate().flat_map(|(no, rows)| self.check_rows(no, rows)));
        problems.extend(gate::faults(collector).into_iter().map(|(span, message, fix)| self.problem(span, message, fix)));
        match &collector.source {
            Source::Http(http) => problems.extend(self.check_http(http)),
            Source::File(_) => {}
            Source::Probe(probe) => problems.extend(self.check_probe(probe)),
        }
        problems.extend(self.check_schedule());
        problems
    }

    /// Where the value under these keys stands.
    fn place(&self, keys: &[&str]) -> Range<usize> {
        place::of_value(&self.text, keys)
    }

    /// Where the value under these keys of `[source.http]` stands.
    fn http_place(&self, keys: &[&str]) -> Range<usize> {
        self.place(&[&["source", "http"], keys].concat())
    }

    fn check_http(&self, http: &HttpSource) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |keys: &[&str], message: String, fix: &str| problems.push(self.problem(self.http_place(keys), message, fix));
        if http.json.is_some() && http.form.is_some() {
            wrong(&["form"], "the request has two bodies".to_owned(), "keep json or form");
        }
        if http.limits.connect > http.limits.request || http.limits.request > http.limits.run {
            wrong(&["limits"], "limits must grow: connect ≤ request ≤ run".to_owned(), "raise the later one");
        }
        if !(1..=10).contains(&http.retry.attempts) {
            let message = format!("retry.attempts = {} is not 1 to 10", http.retry.attempts);
            wrong(&["retry", "attempts"], message, "write a number from 1 to 10");
        }
        if let Some(status) = http.expect.status.iter().find(|status| !(100..=599).contains(*status)) {
            wrong(&["expect", "status"], format!("there is no status {status}"), "write one from 100 to 599");
        }
        for name in http.headers.keys().filter(|name| reqwest::header::HeaderName::try_from(name.as_str()).is_err()) {
            wrong(&["headers", name], format!("{name:?} is no header name"), "write letters, digits and hyphens, like \"Accept\"");
        }
        if !http.url.get_ref().begins_as_address() {
            wrong(
                &["url"],
                "the URL is no web address".to_owned(),
                "begin it with https:// or http://, or with a placeholder like {province.documents}",
            );
        }
        if http.url.get_ref().has_user_info() {
            wrong(
                &["url"],
                "the URL carries credentials, which everybody reads here and in the record".to_owned(),
                "remove them, and write auth = { basic = { user = { secret = \"…\" }, password = { secret = \"…\" } } }",
            );
        }
        problems.extend(self.check_robots(http));
        problems.extend(self.check_for_each(http));
        problems.extend(self.check_portals(http));
        problems.extend(self.check_variables(http));
        problems
    }

    /// One cause, one problem: what fills the first placeholder that cannot be filled fills the others.
    fn check_variables(&self, http: &HttpSource) -> Vec<Problem> {
        let mut seen = Vec::new();
        let mut problems = Vec::new();
        for (keys, named) in variables(http) {
            let Some((cause, message, fix)) = wrong_variable(http, named) else { continue };
            if !seen.contains(&cause) {
                let span = place::of_words(&self.text, self.http_place(&keys), &format!("{{{}", named.variable.name()));
                problems.push(self.problem(span, message, fix));
                seen.push(cause);
            }
        }
        problems
    }

    fn check_robots(&self, http: &HttpSource) -> Option<Problem> {
        let robots = http.robots.as_ref()?;
        let wrong = |message: &str, fix: &str| Some(self.problem(self.http_place(&["robots", "owner_agreed"]), message, fix));
        match extract::kind_of(&self.collector.rows) {
            _ if robots.owner_agreed.trim().is_empty() => {
                wrong("owner_agreed names nobody", "write who agreed and by which letter, like \"Công văn 123/STTTT-BCVT\"")
            }
            Ok(Kind::Json | Kind::Workbook | Kind::Csv(..)) => {
                wrong("robots has no effect: robots.txt is asked only where pages are read", "remove it")
            }
            // Rows without a kind are a problem of their own.
            Ok(Kind::Html(_)) | Err(_) => None,
        }
    }

    fn check_portals(&self, http: &HttpSource) -> Option<Problem> {
        let asked = &http.for_each;
        asked.portal?;
        let (key, message, fix) = match http.breaker.stop_on.is_empty() {
            _ if asked.unit.is_some() => ("unit", "for_each asks by unit and by portal", "keep one: a portal brings its unit"),
            false => ("portal", "breaker.stop_on leaves every portal alone because of one", "write breaker = { stop_on = [] }"),
            true => return None,
        };
        Some(self.problem(self.http_place(&["for_each", key]), message, fix))
    }

    fn check_for_each(&self, http: &HttpSource) -> Option<Problem> {
        let asked = &http.for_each;
        asked.closed_for?;
        let n_closed = asked.period.iter().filter(|choice| choice.is_closed()).count();
        let (message, fix) = match n_closed {
            0 => {
                ("closed_for has no effect: no closed period is asked for", "add one like \"last_month\" to for_each.period, or remove it")
            }
            n if n == asked.period.len() => {
                ("closed_for leaves nothing to ask for", "add the open period to for_each.period, or remove it")
            }
            _ => return None,
        };
        Some(self.problem(self.http_place(&["for_each"]), message, fix))
    }

    /// What the file names that the registry does not have.
    pub fn check_against(&self, registry: &Registry) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut indicator = |id: &Spanned<String>| {
            if registry.indicator(id.get_ref()).is_none() {
                problems.push(self.problem(
                    id.span(),
                    format!("the indicator {:?} is not in registry/indicators.toml", id.get_ref()),
                    "add it there, or correct the name",
                ));
            }
        };
        for rows in &self.collector.rows {
            rows.read.iter().for_each(|read| indicator(&read.indicator));
        }
        let checks: Vec<_> = self.collector.rows.iter().flat_map(|rows| &rows.check).collect();
        let given = checks.into_iter().flat_map(|check| check.get_ref().indicators().iter().map(|id| (*id, check.span())));
        // Many checks give values of one indicator: the first of them is named.
        let first: BTreeMap<&str, Range<usize>> = given.rev().collect();
        first.into_iter().for_each(|(id, span)| indicator(&Spanned::new(span, id.to_owned())));
        for gate in &self.collector.gate {
            gate::indicators(gate.get_ref()).iter().for_each(&mut indicator);
        }
        for codes in self.collector.rows.iter().filter_map(|rows| rows.unit_codes()) {
            if registry.codes(codes.get_ref()).is_none() {
                let fix = format!("add registry/codes/{0}.csv or registry/codes/{0}/*.csv", codes.get_ref());
                problems.push(self.problem(codes.span(), format!("there is no code map {:?}", codes.get_ref()), fix));
            }
        }
        problems
    }
}

/// Why a placeholder cannot be filled.
#[derive(PartialEq, Eq)]
enum Cause {
    NoUnit,
    NoPortal,
    NoPeriod,
    NotEveryPeriod,
}

/// A placeholder that some request, or every one, could not fill: the cause, what is wrong, and the fix.
fn wrong_variable(http: &HttpSource, named: Named) -> Option<(Cause, String, String)> {
    let Named { variable, needed } = named;
    if variable.needs_portal() && http.for_each.portal.is_none() {
        let message = format!("{{{}}} can never be filled: no request is about a portal", variable.name());
        return Some((Cause::NoPortal, message, "write for_each = { portal = \"all\" }".to_owned()));
    }
    if variable.needs_unit() && http.for_each.unit.is_none() && http.for_each.portal.is_none() {
        let message = format!("{{{}}} can never be filled: no request is about a unit", variable.name());
        return Some((Cause::NoUnit, message, "write for_each = { unit = \"commune\" }".to_owned()));
    }
    let kinds: Vec<PeriodKind> = http.for_each.period.iter().map(|choice| choice.kind()).collect();
    let fitting = kinds.iter().filter(|kind| fits(variable, Some(**kind))).count();
    let never = if kinds.is_empty() { !fits(variable, None) } else { fitting == 0 };
    match (needed, variable) {
        // What may be absent need not fit any period.
        (false, Variable::PeriodMonth | Variable::PeriodQuarter) => None,
        _ if never => {
            let message = format!("{{{}}} can never be filled: no request is about such a period", variable.name());
            Some((Cause::NoPeriod, message, "name the period in for_each.period, like [\"month\", \"year\"]".to_owned()))
        }
        (true, _) if fitting < kinds.len() => {
            let message = format!("{{{0}}} cannot be filled for every period of for_each", variable.name());
            let fix = format!("write {{{0}?}} to leave it out, or {{{0}|0}} for a default", variable.name());
            Some((Cause::NotEveryPeriod, message, fix))
        }
        (_, _) => None,
    }
}

/// Every placeholder of a request and of what its answer must hold, with the keys below `[source.http]` where it stands.
fn variables(http: &HttpSource) -> Vec<(Vec<&str>, Named<'_>)> {
    let mut all: Vec<(Vec<&str>, Vec<Named>)> = vec![(vec!["url"], http.url.get_ref().variables().collect())];
    all.extend(http.headers.iter().map(|(name, header)| (vec!["headers", name], header.variables().collect())));
    all.extend(http.json.iter().map(|json| (vec!["json"], json.variables())));
    all.extend(http.expect.json.iter().map(|(path, json)| (vec!["expect", "json", path.text.as_str()], json.variables())));
    all.extend(http.form.iter().flatten().map(|(name, field)| match field {
        FormField::Text(text) => (vec!["form", name], text.variables().collect()),
        FormField::Json(json) => (vec!["form", name], json.variables()),
    }));
    all.into_iter().flat_map(|(keys, found)| found.into_iter().map(move |named| (keys.clone(), named))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
schema = 1
id = "t"
title = { vi = "t", en = "t" }
[schedule]
cron = "0 6 * * *"
[source.http]
url = "https://a.example/"
headers = { X-Requested-With = "XMLHttpRequest" }
json = { year = "{period.year}", month = "{period.month?}" }
for_each = { period = ["month", "last_month", "year"], closed_for = "100d" }
[[rows]]
from = { json = "$.rows[*]" }
unit = { value = "$.id", codes = "c" }
[[rows.read]]
indicator = "n"
item = "A"
value = "$.n"
[[gate]]
covers = { units = "all", at_least = "0.95" }
[[gate]]
rows = { at_least = 1, at_most = 5 }
[[gate]]
range = { indicator = "n", item = "A", min = "0" }
[[gate]]
present = { indicator = "n", item = "A", at_least = "0.5" }
[[gate]]
sums_to = { parts = "n", whole = "$.total" }
[[gate]]
fresh = { value = "$.at", format = "%d/%m/%Y", max_age = "36h" }
"#;

    fn messages(text: &str) -> Vec<(usize, String, String)> {
        let problems = LoadedCollector::parse("collectors/t.toml", text).err().unwrap_or_default();
        problems.into_iter().map(|p| (p.line, p.message, p.fix)).collect()
    }

    #[test]
    fn each_key_wrong_once() {
        assert_eq!(messages(GOOD), []);
        for (from, to, line, message) in [
            ("at_least = 1, at_most = 5", "", 22, "rows without bounds"),
            ("at_least = 1, at_most = 5", "at_least = 6, at_most = 5", 22, "no number of rows"),
            (", min = \"0\"", "", 24, "range without bounds"),
            ("min = \"0\"", "min = \"0\", max = \"-1\"", 24, "no value is within"),
            ("range = { indicator = \"n\", item = \"A\"", "range = { indicator = \"n\", item = \"B\"", 24, "with the item \"B\""),
            ("present = { indicator = \"n\", item = \"A\"", "present = { indicator = \"n\", item = \"B\"", 26, "with the item \"B\""),
            ("present = { indicator = \"n\"", "present = { indicator = \"m\"", 26, "no [[rows.read]] reads m"),
            ("\"0.95\"", "\"95\"", 20, "at_least = 95 is no share"),
            ("\"0.95\"", "\"0\"", 20, "at_least = 0 is no share"),
            ("\"0.5\"", "\"-0.5\"", 26, "at_least = -0.5 is no share"),
            ("\"$.total\"", "\"$.[\"", 28, "is no RFC 9535 path"),
            ("\"$.total\"", "\"total\"", 28, "no [[rows.read]] reads total"),
            ("\"$.total\"", "{ skiped = \"^T\" }", 28, "unknown field `skiped`"),
            ("parts = \"n\", whole = \"$.total\"", "parts = \"$.n\", whole = { skipped = \"^T\" }", 28, "a skipped row has values of"),
            ("\"%d/%m/%Y\"", "\"%d/%Q/%Y\"", 30, "is not a strftime format"),
            ("\"%d/%m/%Y\"", "\"%m/%Y\"", 30, "\"%m/%Y\" states no day"),
            ("{period.month?}", "{period.month}", 10, "{period.month} cannot be filled for every period"),
            ("{period.month?}", "{period.quarter}", 10, "{period.quarter} can never be filled"),
            ("[\"month\", \"last_month\", \"year\"]", "[\"month\"]", 11, "closed_for has no effect"),
            ("[\"month\", \"last_month\", \"year\"]", "[\"last_month\"]", 11, "closed_for leaves nothing"),
            ("X-Requested-With", "Cookie", 9, "\"Cookie\" carries credentials"),
            ("X-Requested-With", "AUTHORIZATION", 9, "carries credentials"),
            ("X-Requested-With", "Proxy-Authorization", 9, "carries credentials"),
            ("X-Requested-With", "X-API-Key", 9, "carries credentials"),
            ("https://a.example/", "https://me:word@a.example/", 8, "the URL carries credentials"),
            (
                "[[rows]]",
                "auth = { api_key = { header = \"k\", value = { secret = \"s\" }, valu = 1 } }\n[[rows]]",
                12,
                "unexpected keys in table: valu",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let found = messages(&GOOD.replacen(from, to, 1));
            assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(message), "{to}: {found:?}");
            assert!(!found[0].2.is_empty(), "{found:?}");
        }
        for allowed in ["{period.month|0}", "{period.quarter?}"] {
            assert_eq!(messages(&GOOD.replacen("{period.month?}", allowed, 1)), [], "{allowed}");
        }
        for allowed in ["https://a.example/@x", "https://a.example?to=b@c"] {
            assert_eq!(messages(&GOOD.replacen("https://a.example/", allowed, 1)), [], "{allowed}");
        }
    }
}
