//! Whether an answer is that of a portal that is up: its status, and the texts that it must hold or lack.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::exchange::Answer;
use crate::collect::collector::{ProbeSource, StatusRange};
use crate::collect::source::{Failure, classify};
use crate::model::Reason;

/// The texts that pages are searched for, as written and as they are compared.
pub(super) struct Texts {
    has: Vec<Sought>,
    lacks: Vec<Sought>,
    maintenance: Vec<Sought>,
}

struct Sought {
    written: String,
    finder: memchr::memmem::Finder<'static>,
}

impl Texts {
    pub fn new(probe: &ProbeSource) -> Texts {
        let sought = |texts: &[String]| texts.iter().map(|text| Sought::new(text)).collect();
        Texts { has: sought(&probe.up.body_has), lacks: sought(&probe.up.body_lacks), maintenance: sought(&probe.maintenance_page) }
    }

    fn is_empty(&self) -> bool {
        self.has.is_empty() && self.lacks.is_empty() && self.maintenance.is_empty()
    }
}

impl Sought {
    fn new(text: &str) -> Sought {
        let finder = memchr::memmem::Finder::new(compared(text).as_bytes()).into_owned();
        Sought { written: text.to_owned(), finder }
    }

    fn is_in(&self, page: &str) -> bool {
        self.finder.find(page.as_bytes()).is_some()
    }
}

/// Why the answer is not that of a portal that is up.
pub(super) fn judge(answer: &Answer, status: &[StatusRange], texts: &Texts) -> Result<(), Failure> {
    let is_expected = status.iter().any(|range| range.0.contains(&answer.status));
    if !texts.is_empty() {
        let page = compared(&decoded(&answer.body, &answer.content_type));
        // Many portals answer with 503 while they say that they are being maintained.
        // With another status the whole page is about it; else it may be news of somebody else's maintenance.
        let says = |text: &&Sought| text.is_in(&page) && (!is_expected || is_about(text, &page));
        if let Some(found) = texts.maintenance.iter().find(says) {
            return Err(Failure::new(Reason::MaintenancePage, format!("the page says {:?}, with status {}", found.written, answer.status)));
        }
        if let (true, Some(found)) = (is_expected, texts.lacks.iter().find(|text| text.is_in(&page))) {
            return Err(Failure::new(Reason::ErrorInBody, format!("the page says {:?}, with status {}", found.written, answer.status)));
        }
        if let (true, Some(lacking)) = (is_expected, texts.has.iter().find(|text| !text.is_in(&page))) {
            let text = format!("the page does not say {:?} in the {} bytes that were read", lacking.written, answer.body.len());
            return Err(Failure::new(Reason::ErrorInBody, text));
        }
    }
    if is_expected { Ok(()) } else { Err(Failure::new(classify::reason_of_status(answer.status), format!("status {}", answer.status))) }
}

/// A page with less text than this has nothing else to say.
const SHORT_PAGE: usize = 1000;

/// Whether a page is about a text: it stands in its title or a first heading, or the page is short.
fn is_about(text: &Sought, page: &str) -> bool {
    let inside = |tag: &str| {
        page.split(&format!("<{tag}")).skip(1).any(|rest| rest.split(&format!("</{tag}")).next().is_some_and(|inside| text.is_in(inside)))
    };
    inside("title") || inside("h1") || shown(page).len() < SHORT_PAGE
}

/// What a page shows, roughly: without tags, scripts and styles.
fn shown(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before.trim());
        let hidden = ["script", "style"].into_iter().find(|name| tag.starts_with(name));
        rest = match hidden {
            Some(name) => tag.split_once(&format!("</{name}")).map_or("", |(_, after)| after),
            None => tag,
        };
        rest = rest.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest.trim());
    text
}

/// The text of a body, in the encoding that its header or byte order mark states, else UTF-8.
fn decoded<'b>(body: &'b [u8], content_type: &str) -> std::borrow::Cow<'b, str> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let label = charset.map_or("utf-8", |(_, label)| label.trim().trim_matches('"'));
    encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8).decode(body).0
}

/// As texts are compared: entities read, NFC, lower case, one space for any white space.
fn compared(text: &str) -> String {
    let text = if text.contains('&') { html_escape::decode_html_entities(text) } else { text.into() };
    let mut page = String::with_capacity(text.len());
    if text.is_ascii() || is_nfc(&text) {
        collapse(text.chars(), &mut page);
    } else {
        collapse(text.nfc(), &mut page);
    }
    page
}

fn collapse(text: impl Iterator<Item = char>, into: &mut String) {
    for c in text {
        match c {
            'a'..='z' => into.push(c),
            c if c.is_ascii_uppercase() => into.push(c.to_ascii_lowercase()),
            c if c.is_whitespace() => {
                if !into.ends_with(' ') {
                    into.push(' ');
                }
            }
            c if c.is_ascii() => into.push(c),
            c => into.extend(c.to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, content_type: &str, body: &[u8]) -> Option<Reason> {
        let probe: ProbeSource = toml::from_str(
            "up = { status = [\"200-399\", 404], body_has = [\"Cổng thông tin\"], body_lacks = [\"Request Rejected\"] }\n\
             maintenance_page = [\"đang bảo trì\"]",
        )
        .expect("a probe of the test");
        let answer = Answer { status, location: None, content_type: content_type.to_owned(), body: body.to_vec() };
        judge(&answer, &probe.up.status, &Texts::new(&probe)).err().map(|failure| failure.reason)
    }

    #[test]
    fn status_and_texts_decide() {
        let nfd: String = "Cổng thông tin".nfd().collect();
        let html = "text/html; charset=utf-8";
        for (status, content_type, body, wanted) in [
            (200, html, "<h1>Cổng thông tin</h1>".as_bytes().to_vec(), None),
            (404, html, "CỔNG\n  THÔNG&nbsp;TIN".as_bytes().to_vec(), None),
            (200, html, nfd.into_bytes(), None),
            (200, html, "C&#7893;ng th&ocirc;ng tin".into(), None),
            (200, "text/html; charset=UTF-16LE", "Cổng thông tin".encode_utf16().flat_map(u16::to_le_bytes).collect(), None),
            (200, html, "<h1>Apache</h1>".into(), Some(Reason::ErrorInBody)),
            (200, html, "".into(), Some(Reason::ErrorInBody)),
            (200, html, "Cổng thông tin: Request Rejected".into(), Some(Reason::ErrorInBody)),
            (200, html, "Cổng thông tin đang  BẢO trì".into(), Some(Reason::MaintenancePage)),
            (503, html, "Hệ thống đang bảo trì".into(), Some(Reason::MaintenancePage)),
            (
                200,
                html,
                format!("<title>Cổng thông tin</title><p>Tin: cổng khác đang bảo trì</p>{}", "<p>nội dung</p>".repeat(200)).into(),
                None,
            ),
            (
                200,
                html,
                format!("<title>Cổng thông tin đang bảo trì</title>{}", "<p>nội dung</p>".repeat(200)).into(),
                Some(Reason::MaintenancePage),
            ),
            (200, html, format!("<script>{}</script>Cổng thông tin đang bảo trì", "x".repeat(5000)).into(), Some(Reason::MaintenancePage)),
            (503, html, "Cổng thông tin".into(), Some(Reason::Http5xx)),
            (403, html, "Cổng thông tin".into(), Some(Reason::Auth)),
            (410, html, "".into(), Some(Reason::Http4xx)),
        ] {
            assert_eq!(judged(status, content_type, &body), wanted, "{status} {}", String::from_utf8_lossy(&body));
        }
    }
}
