//! Looking a place up in a whole answer, for gates: a stated total, a date, the parts of a sum.

use super::document::{Document, Kind};
use super::found::Found;
use super::html::{CssPlace, Page};
use super::json;
use crate::collect::collector::{JsonPath, TryFromText};

/// Everything that a place leads to, with where it stands: a path from the whole JSON answer, or a CSS
/// selector (`selector@attribute` for an attribute) in a page.
///
/// # Errors
/// The place does not compile, or cannot be looked up in this kind of document.
pub fn look_up(document: &Document, place: &str) -> Result<Vec<(String, Found)>, String> {
    match document {
        Document::Json(value) => Ok(json::look_up(value, &json_place(place)?.path)),
        Document::Html(text) => Ok(css_place(place)?.look_up(&Page::parse(text))),
        Document::Workbook { .. } | Document::Csv(_) => Err(no_places(place)),
    }
}

/// Whether `look_up` can use a place in documents of this kind.
///
/// # Errors
/// Why not, and the fix.
pub fn check_look_up(kind: Kind, place: &str) -> Result<(), String> {
    match kind {
        Kind::Json => json_place(place).map(drop),
        Kind::Html(_) => css_place(place).map(drop),
        Kind::Workbook | Kind::Csv(..) => Err(no_places(place)),
    }
}

fn json_place(place: &str) -> Result<JsonPath, String> {
    JsonPath::try_from_text(place)
}

fn css_place(place: &str) -> Result<CssPlace, String> {
    match place.starts_with('$') {
        true => Err(format!("{place:?} is a JSON path, but the answer is a page; write a CSS selector")),
        false => CssPlace::compile(place),
    }
}

fn no_places(place: &str) -> String {
    format!("{place:?} cannot be looked up in a workbook or CSV file; name an indicator instead")
}
