//! Redirects: where an answer leads, and whether that is still the same site.

use url::{Host, Url};

use super::exchange::Answer;

/// Where the answer leads; `None` if it is the answer itself.
pub(super) fn redirect(answer: &Answer, from: &Url) -> Option<Url> {
    let leads = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    let to = from.join(answer.location.as_deref()?).ok()?;
    (leads && matches!(to.scheme(), "http" | "https") && to.has_host()).then_some(to)
}

/// Whether two addresses are of one site: one host, or names below one registrable domain by the Public Suffix List
/// (`gov.vn` is a suffix, `quangninh.gov.vn` a site).
pub(super) fn is_same(a: &Url, b: &Url) -> bool {
    match (a.host(), b.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => a == b || registrable(a).is_some_and(|site| Some(site) == registrable(b)),
        (a, b) => a.is_some() && a == b,
    }
}

fn registrable(name: &str) -> Option<&str> {
    psl::domain_str(name.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_registrable_domain() {
        for (a, b, same) in [
            ("https://quangninh.gov.vn/", "https://www.quangninh.gov.vn/vi", true),
            ("http://halong.quangninh.gov.vn/", "https://dichvucong.quangninh.gov.vn/", true),
            ("https://quangninh.gov.vn/", "https://haiphong.gov.vn/", false),
            ("https://quangninh.gov.vn/", "https://quangninh.gov.vn.example.com/", false),
            ("https://baoquangninh.vn/", "https://m.baoquangninh.vn/", true),
            ("https://a.com.vn/", "https://b.com.vn/", false),
            ("http://10.0.0.1/", "http://10.0.0.1:8080/", true),
            ("http://10.0.0.1/", "http://10.0.0.2/", false),
            ("http://portal/", "http://portal/x", true),
        ] {
            let parsed = |text: &str| Url::parse(text).expect("an address of the test");
            assert_eq!(is_same(&parsed(a), &parsed(b)), same, "{a} {b}");
        }
    }

    #[test]
    fn only_redirects_lead_somewhere() {
        let from = Url::parse("https://quangninh.gov.vn/vi/").expect("an address of the test");
        for (status, location, to) in [
            (302, Some("trang-chu"), Some("https://quangninh.gov.vn/vi/trang-chu")),
            (301, Some("//www.quangninh.gov.vn/"), Some("https://www.quangninh.gov.vn/")),
            (304, Some("/x"), None),
            (200, Some("/x"), None),
            (302, None, None),
            (302, Some("javascript:void(0)"), None),
        ] {
            let answer = Answer { status, location: location.map(str::to_owned), content_type: String::new(), body: Vec::new() };
            assert_eq!(redirect(&answer, &from).map(String::from).as_deref(), to, "{status} {location:?}");
        }
    }
}
