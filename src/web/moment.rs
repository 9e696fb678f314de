//! `Moment`: an instant as people read it, in Vietnam's time, with its exact form and how long ago it was.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono_tz::Asia::Ho_Chi_Minh;

use crate::model::Ts;
use crate::score::explain::Lang;

/// An instant on a page: `24/11/2026 06:30 (3 giờ trước)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub at: Ts,
    pub now: Ts,
    pub lang: Lang,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, ago) = (local(self.at), ago(self.at, self.now, self.lang));
        write!(f, "<time datetime=\"{}\">{shown}</time> <span class=\"ago\">({ago})</span>", self.at)
    }
}

/// Everything in it is made of digits and our own words.
impl HtmlSafe for Moment {}

/// `dd/mm/yyyy HH:MM` in Vietnam.
pub(super) fn local(at: Ts) -> String {
    at.utc().with_timezone(&Ho_Chi_Minh).format("%d/%m/%Y %H:%M").to_string()
}

/// How long ago, or in how long: the greatest measure that fits at least once.
pub(super) fn ago(at: Ts, now: Ts, lang: Lang) -> String {
    let (before, after) = (now.since(at).as_secs(), at.since(now).as_secs());
    let seconds = before.max(after);
    if seconds < 60 {
        let (vi, en) = if after > 0 { ("ngay bây giờ", "any moment") } else { ("vừa xong", "just now") };
        return match lang {
            Lang::Vi => vi.to_owned(),
            Lang::En => en.to_owned(),
        };
    }
    let span = span(seconds, lang);
    match (lang, after > 0) {
        (Lang::Vi, false) => format!("{span} trước"),
        (Lang::Vi, true) => format!("{span} nữa"),
        (Lang::En, false) => format!("{span} ago"),
        (Lang::En, true) => format!("in {span}"),
    }
}

/// A length of time in words.
pub(super) fn span(seconds: u64, lang: Lang) -> String {
    let (n, vi, en) = match seconds {
        0..60 => (seconds, "giây", "second"),
        60..3_600 => (seconds / 60, "phút", "minute"),
        3_600..172_800 => (seconds / 3_600, "giờ", "hour"),
        172_800..63_072_000 => (seconds / 86_400, "ngày", "day"),
        63_072_000.. => (seconds / 31_536_000, "năm", "year"),
    };
    match lang {
        Lang::Vi => format!("{n} {vi}"),
        Lang::En if n == 1 => format!("1 {en}"),
        Lang::En => format!("{n} {en}s"),
    }
}

/// How long something took: `12 ms`, `1,4 s`.
pub(super) fn took(micros: i64, lang: Lang) -> String {
    if micros < 1_000_000 {
        return format!("{} ms", micros.max(0) / 1_000);
    }
    let tenths = (micros + 50_000) / 100_000;
    let mark = match lang {
        Lang::Vi => ',',
        Lang::En => '.',
    };
    format!("{}{mark}{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_when_and_how_long_ago() {
        let now: Ts = "2026-11-24T06:53:35Z".parse().expect("an instant");
        for (at, vi, en) in [
            ("2026-11-24T06:53:30Z", "vừa xong", "just now"),
            ("2026-11-24T06:53:40Z", "ngay bây giờ", "any moment"),
            ("2026-11-24T06:52:30Z", "1 phút trước", "1 minute ago"),
            ("2026-11-24T03:40:00Z", "3 giờ trước", "3 hours ago"),
            ("2026-11-25T06:00:00Z", "23 giờ nữa", "in 23 hours"),
            ("2026-11-01T06:00:00Z", "23 ngày trước", "23 days ago"),
            ("2020-11-01T06:00:00Z", "6 năm trước", "6 years ago"),
        ] {
            let at: Ts = at.parse().expect("an instant");
            assert_eq!((ago(at, now, Lang::Vi), ago(at, now, Lang::En)), (vi.to_owned(), en.to_owned()), "{at}");
        }
        let moment = Moment { at: "2026-12-31T17:00:00Z".parse().expect("an instant"), now, lang: Lang::Vi };
        assert!(moment.to_string().starts_with("<time datetime=\"2026-12-31T17:00:00Z\">01/01/2027 00:00</time>"), "{moment}");
        for (micros, vi) in [(0, "0 ms"), (449_999, "449 ms"), (1_449_999, "1,4 s"), (61_000_000, "61,0 s")] {
            assert_eq!(took(micros, Lang::Vi), vi);
        }
    }
}
