//! From bytes to text, and pages that are not the answer: a firewall's, a login form.

use std::sync::LazyLock;

use encoding_rs::Encoding;
use regex::Regex;
use regex::bytes::Regex as BytesRegex;

use super::found::shown;
use crate::model::{Finding, Reason};

/// How much of a page is searched for its `<meta charset>`; the standard says 1024 bytes, real pages exceed it.
const META_WITHIN: usize = 4096;

static META: LazyLock<BytesRegex> =
    LazyLock::new(|| BytesRegex::new(r#"(?i)<meta[^>]{0,400}?charset\s*=\s*["']?\s*([a-z0-9_:.-]+)"#).expect("a valid expression"));

static FIREWALL: LazyLock<Regex> = LazyLock::new(|| {
    let marks = r"(?i)<title>\s*(request rejected|access denied|attention required|403 forbidden|web application firewall)|the requested url was rejected|your support id is|incapsula incident|_incap_|cf-error-details|blocked by (our )?(firewall|security)|sucuri website firewall";
    Regex::new(marks).expect("a valid expression")
});

static LOGIN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)<input[^>]{0,400}type\s*=\s*["']?password"#).expect("a valid expression"));

/// The text of a page: encoding by byte order mark, then content type, then the page's own `<meta>`, then the declared one.
pub(super) fn page(bytes: &[u8], content_type: &str, declared: &'static Encoding) -> Result<String, Finding> {
    let meta = || {
        let label = META.captures(&bytes[..bytes.len().min(META_WITHIN)])?.get(1)?.as_bytes();
        // A meta element read as ASCII cannot stand in UTF-16; the HTML standard takes it as UTF-8.
        Encoding::for_label(label).map(|found| if found.is_ascii_compatible() { found } else { encoding_rs::UTF_8 })
    };
    decode(bytes, of_header(content_type).or_else(meta).unwrap_or(declared))
}

/// The text of a file: encoding by byte order mark, then content type, then the declared one.
pub(super) fn file(bytes: &[u8], content_type: &str, declared: &'static Encoding) -> Result<String, Finding> {
    decode(bytes, of_header(content_type).unwrap_or(declared))
}

/// What a page is that came instead of the answer; `None` if it is no page.
pub(super) fn not_the_answer(bytes: &[u8], expected: &str) -> Option<Finding> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if !["<!doctype html", "<html", "<head", "<body", "<title", "<!--", "<script", "<meta", "<?xml", "<div", "<h1"].into_iter().any(begins)
    {
        return None;
    }
    let refused = refusing_page(text);
    Some(refused.unwrap_or_else(|| {
        Finding::quarantine(Reason::ContentType, "body", format!("a page where {expected} was expected; it begins {}", shown(text)))
    }))
}

/// What a page is that refuses us; `None` if it bears no mark of one.
pub(super) fn refusing_page(text: &str) -> Option<Finding> {
    let refuse = |reason, what: &str| Some(Finding::quarantine(reason, "body", format!("{what}; it begins {}", shown(text))));
    if FIREWALL.is_match(text) {
        return refuse(Reason::Firewall, "a firewall's page instead of the answer");
    }
    if LOGIN.is_match(text) {
        return refuse(Reason::Auth, "a login page instead of the answer");
    }
    None
}

/// Whether a body is the page of a firewall that let nothing through.
pub fn is_firewall_page(bytes: &[u8]) -> bool {
    not_the_answer(bytes, "an answer").is_some_and(|finding| finding.reason == Reason::Firewall)
}

fn of_header(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1);
    let mut charsets = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    Encoding::for_label(charsets.next()?.trim().trim_matches(['"', '\'']).as_bytes())
}

fn decode(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Finding> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((marked, length)) => (marked, &bytes[length..]),
        None => (encoding, bytes),
    };
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text.into_owned()),
        None => {
            let what = format!("bytes that are no {} text; it begins {}", encoding.name(), shown(&String::from_utf8_lossy(bytes)));
            Err(Finding::quarantine(Reason::Decode, "body", what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_statement_of_the_encoding_counts() {
        let utf8 = encoding_rs::UTF_8;
        let meta = b"<meta http-equiv='Content-Type' content='text/html; charset=windows-1252'><p>\xe9";
        for (bytes, content_type, end) in [
            (&meta[..], "text/html", "é"),
            (&meta[..], "text/html; charset=\"iso-8859-2\"", "é"),
            (b"\xef\xbb\xbf<meta charset=windows-1252><p>\xc3\xa9", "text/html; charset=latin1", "é"),
            ("<p>é".as_bytes(), "text/html; charset=nonsense", "é"),
            (b"\xff\xfe\xe9\x00", "", "é"),
        ] {
            assert!(page(bytes, content_type, utf8).expect("a page of the test").ends_with(end), "{content_type}");
        }
        assert_eq!(page(b"<p>\xe9", "text/html", utf8).expect_err("not UTF-8").reason, Reason::Decode);
        assert_eq!(file(b"\xe9;", "text/csv", encoding_rs::WINDOWS_1252).expect("declared"), "é;");
    }

    #[test]
    fn pages_that_are_not_the_answer() {
        for (body, reason) in [
            ("<html><head><title>Request Rejected</title></head><body>Your support ID is: 1</body></html>", Some(Reason::Firewall)),
            ("<!DOCTYPE html><form><input name=p type=\"password\"></form>", Some(Reason::Auth)),
            (" <HTML><h1>502 Bad Gateway</h1>", Some(Reason::ContentType)),
            ("{\"a\":\"<html>\"}", None),
            ("", None),
        ] {
            assert_eq!(not_the_answer(body.as_bytes(), "JSON").map(|finding| finding.reason), reason, "{body}");
        }
    }
}
