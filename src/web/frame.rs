//! `Frame`: what every page shares: its language, the note of the installation, the moment, and links that keep the language.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Uri;
use axum::response::{IntoResponse, Response};

use super::moment::{Moment, local};
use super::refusal::Refusal;
use crate::model::Ts;
use crate::score::explain::Lang;
use crate::serve::{Live, Service};

/// What every page shares.
pub(super) struct Frame {
    /// Its language.
    pub lang: Lang,
    /// What people must know of every figure, "" for nothing.
    pub note: String,
    /// When it was asked for.
    pub now: Ts,
    path: String,
    /// Without the language.
    query: Vec<(String, String)>,
}

impl Frame {
    /// Of a request.
    pub fn of(uri: &Uri, service: &Service) -> Frame {
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        let (of_lang, query): (Vec<_>, Vec<_>) = pairs.partition(|(key, _)| key == "lang");
        let lang = if of_lang.iter().any(|(_, value)| value == "en") { Lang::En } else { Lang::Vi };
        Frame { lang, note: service.settings.note.clone(), now: Ts::now(), path: uri.path().to_owned(), query }
    }

    /// A parameter of the address.
    pub fn asked(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(of, _)| of == key).map(|(_, value)| value.as_str())
    }

    /// The text in the page's language.
    pub fn t<'t>(&self, vi: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// For `<html lang>`.
    pub fn code(&self) -> &'static str {
        match self.lang {
            Lang::Vi => "vi",
            Lang::En => "en",
        }
    }

    /// A page of ours in this language; a fragment stays last.
    pub fn to(&self, address: &str) -> String {
        let (address, fragment) = address.split_once('#').map_or((address, None), |(address, fragment)| (address, Some(fragment)));
        let lang = match (self.lang, address.contains('?')) {
            (Lang::Vi, _) => "",
            (Lang::En, true) => "&lang=en",
            (Lang::En, false) => "?lang=en",
        };
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{address}{lang}{fragment}")
    }

    /// This page in the other language.
    pub fn other(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        if self.lang == Lang::Vi {
            query.append_pair("lang", "en");
        }
        let query = query.finish();
        // Two slashes at the beginning would name another host.
        let path = format!("/{}", self.path.trim_start_matches('/'));
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// When the page was made, in Vietnam.
    pub fn made(&self) -> String {
        local(self.now)
    }

    /// An instant as it is shown.
    pub fn moment(&self, at: Ts) -> Moment {
        Moment { at, now: self.now, lang: self.lang }
    }
}

/// Part of a path: everything else than letters, digits and a few signs is written as `%XX`.
pub(super) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What a page is made from.
pub(super) struct View {
    pub service: Arc<Service>,
    /// The declarative files in force when it was asked for.
    pub live: Arc<Live>,
    pub frame: Frame,
}

impl FromRequestParts<Arc<Service>> for View {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<View, Infallible> {
        Ok(View { service: Arc::clone(service), live: service.live(), frame: Frame::of(&parts.uri, service) })
    }
}

/// A page as an answer.
pub(super) fn html(page: &impl Template) -> Result<Response, Refusal> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Refusal::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(lang: Lang, path: &str, query: &[(&str, &str)]) -> Frame {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Frame { lang, note: String::new(), now: "2026-11-24T00:00:00Z".parse().expect("an instant"), path: path.to_owned(), query }
    }

    #[test]
    fn links_keep_the_language() {
        let (vi, en) = (frame(Lang::Vi, "/", &[]), frame(Lang::En, "/scores/a/2026", &[("as_of", "2026-01-01T00:00:00+07:00")]));
        assert_eq!((vi.to("/scores"), vi.other()), ("/scores".to_owned(), "/?lang=en".to_owned()));
        assert_eq!(en.to("/runs/a@b#request-1"), "/runs/a@b?lang=en#request-1");
        assert_eq!(en.to("/scores?as_of=x"), "/scores?as_of=x&lang=en");
        assert_eq!(en.other(), "/scores/a/2026?as_of=2026-01-01T00%3A00%3A00%2B07%3A00");
    }

    #[test]
    fn a_part_of_a_path_cannot_leave_it() {
        assert_eq!(segment("npsp-progress@2026-11-24T06:30:00Z"), "npsp-progress@2026-11-24T06:30:00Z");
        assert_eq!(segment("a/../<b>?#\"ắ"), "a%2F..%2F%3Cb%3E%3F%23%22%E1%BA%AF");
    }
}
