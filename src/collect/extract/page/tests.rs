//! Golden pages: each check right and wrong, and pages that are not the portal.

use std::collections::BTreeMap;

use scraper::{Html, Selector};

use super::super::{Context, Extract, check_places, extract, parse};
use crate::collect::collector::Collector;
use crate::model::{Adds, Exact, Finding, Indicator, Measure, Reason, Scope, Severity};

const ADDRESS: &str = "https://www.quangninh.gov.vn/";

fn collector(least_text: usize, checks: &[&str]) -> Collector {
    let checks: String = checks.iter().map(|check| format!("[[rows.check]]\n{check}\n")).collect();
    let text = format!(
        "schema = 1\nid = \"t\"\ntitle = {{ vi = \"t\", en = \"t\" }}\n[schedule]\ncron = \"0 6 * * *\"\n[source.http]\nurl = \"{{portal.url}}\"\n\
         for_each = {{ period = [\"day\"], portal = \"all\" }}\nbreaker = {{ stop_on = [] }}\n[[rows]]\n\
         from = {{ page = {{ least_text = {least_text}, maintenance = [\"đang bảo trì\"] }} }}\nunit = {{}}\n{checks}"
    );
    let collector = toml::from_str(&text).expect("a collector of the test");
    assert_eq!(check_places(&collector), [], "the file of the test is right");
    collector
}

fn read_bytes(collector: &Collector, body: &[u8], content_type: &str, address: &str) -> Result<Extract, Finding> {
    let scope = Scope {
        // The 1st of October here, the 30th of September in UTC.
        due: "2026-09-30T23:00:00Z".parse().expect("an instant"),
        period: Some("2026-10-01".parse().expect("a day")),
        unit: Some("H49".to_owned()),
        portal: Some("p".to_owned()),
        province: BTreeMap::new(),
    };
    let any = Indicator {
        id: "any".to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        measure: Measure::Days,
        range: (Some(Exact::ZERO), None),
        over_time: Adds::No,
        over_units: Adds::No,
        cite: String::new(),
        derived: None,
        collector: None,
        per: None,
        within: None,
    };
    let document = parse(&collector.rows, body, content_type)?;
    let found = extract(&document, &Context { collector, scope: &scope, address, unit_of: &|_, _, _| None, indicator: &|_| Some(&any) });
    // Every proof that is a path leads back to one element of the page.
    if let super::super::Document::Html(text) = &document {
        let html = Html::parse_document(text);
        for place in found.readings.iter().flat_map(|reading| reading.place.split("; ")).filter(|place| place.starts_with("html")) {
            let selector = Selector::parse(place.trim_end_matches(" (empty)")).expect(place);
            assert!(html.select(&selector).count() == 1 || place == "html > head > title", "{place}");
        }
    }
    Ok(found)
}

/// `indicator item = value` of each reading, with the place and text where they are asked for; then the findings.
fn summary(found: &Extract, with_proof: bool) -> Vec<String> {
    let readings = found.readings.iter().map(|r| {
        assert_eq!(r.unit, "H49");
        let item = r.item.strip_prefix("p").expect("every item begins with its portal");
        let name = r.indicator.trim_start_matches("portal_");
        let proof = if with_proof { format!(" @ {} | {}", r.place, r.text) } else { String::new() };
        format!("{name}{item} = {}{proof}", r.value)
    });
    readings.chain(found.findings.iter().map(|finding| format!("{} {}: {}", finding.severity, finding.reason, finding.text))).collect()
}

/// What one check says of a body, its share left out.
fn one(check: &str, body: &str) -> String {
    whole(check, &format!("<!DOCTYPE html><html lang=vi><head><title>T</title></head><body>.{body}</body></html>"))
}

fn whole(check: &str, page: &str) -> String {
    let found = read_bytes(&collector(1, &[check]), format!("{page}</body>").as_bytes(), "text/html; charset=utf-8", ADDRESS);
    let found = found.unwrap_or_else(|finding| panic!("{finding:?} for {page}"));
    let shares = ["required_sections_rate", "a11y_basic"];
    let said = summary(&found, true);
    said.into_iter().filter(|line| !shares.iter().any(|share| line.starts_with(share))).collect::<Vec<_>>().join(" & ")
}

const SECTION: &str = "section = { id = \"s\", heading = [\"Hòa giải ở cơ sở\", \"sơ đồ tổ chức\"] }";

#[test]
fn sections_by_heading_and_link() {
    let text = "<p>Nội dung của trang</p>";
    for (body, said) in [
        ("<h2>Hòa giải ở cơ sở</h2><p>Có</p>", "1 @ html > body > h2 | Hòa giải ở cơ sở"),
        ("<h2>HOÀ GIẢI Ở CƠ SỞ</h2><p>Có</p>", "1 @ html > body > h2 | HOÀ GIẢI Ở CƠ SỞ"),
        ("<h2>Ho&#224; gi&#7843;i &#7903; c&#417; s&#7903;:</h2><p>Có</p>", "1 @ html > body > h2 | Hoà giải ở cơ sở:"),
        ("<h2>Ho\u{300}a gia\u{309}i o\u{31b}\u{309} co\u{31b} so\u{31b}\u{309}</h2><p>Có</p>", "1 @ html > body > h2 | Hòa giải ở cơ sở"),
        ("<h2>Sơ đồ&nbsp;tổ chức</h2><img src=so-do.png>", "1 @ html > body > h2 | Sơ đồ tổ chức"),
        ("<h2>Sơ đồ tổ chức</h2><p></p>", "0 @ html > body > h2 (empty) | Sơ đồ tổ chức"),
        ("<h2>Sơ đồ tổ chức</h2><p>Đang cập nhật…</p>", "0 @ html > body > h2 (empty) | Sơ đồ tổ chức"),
        ("<h2>Sơ đồ tổ chức</h2><script>x()</script><h2>Khác</h2><p>Có</p>", "0 @ html > body > h2:nth-child(2) (empty) | Sơ đồ tổ chức"),
        (
            "<div><h3>Khác</h3><p>a</p></div><div><span><h3>Sơ đồ tổ chức</h3></span><div>Có</div></div>",
            "1 @ html > body > div:nth-child(3) > span > h3 | Sơ đồ tổ chức",
        ),
        (
            "<div><h3>Khác</h3><p>a</p></div><div><h3>Sơ đồ tổ chức</h3></div><div class=footer-top>Chân trang</div>",
            "0 @ html > body > div:nth-child(3) > h3 (empty) | Sơ đồ tổ chức",
        ),
        ("<h2>Sơ đồ tổ chức</h2><div></div><footer>Chân trang</footer>", "0 @ html > body > h2 (empty) | Sơ đồ tổ chức"),
        ("<ul><li><a href=/so-do>Sơ đồ tổ chức bộ máy</a></ul>", "1 @ html > body > ul > li > a | Sơ đồ tổ chức bộ máy"),
        ("<a href='#'>Sơ đồ tổ chức</a>", "0 @ html > body > a (empty) | Sơ đồ tổ chức"),
        ("<a href='javascript:void(0);'>Sơ đồ tổ chức</a>", "0 @ html > body > a (empty) | Sơ đồ tổ chức"),
        ("<a href=\"javascript:__doPostBack('m','1')\">Sơ đồ tổ chức</a>", "1 @ html > body > a | Sơ đồ tổ chức"),
        ("<ul><li><a href='#'>Sơ đồ tổ chức</a><ul><li><a href=/a>A</a></ul></ul>", "1 @ html > body > ul > li > a | Sơ đồ tổ chức"),
        ("<a href=#Sodo>Sơ đồ tổ chức</a><div id=Sodo>Có</div>", "1 @ html > body > a | Sơ đồ tổ chức"),
        ("<a href=#Sodo>Sơ đồ tổ chức</a><div id=Sodo></div>", "0 @ html > body > a (empty) | Sơ đồ tổ chức"),
        ("<a href=/so-do><img src=a.png alt='Sơ đồ tổ chức'></a>", "1 @ html > body > a | <a href=\"/so-do\">"),
        (
            "<a href=/tin>Hội nghị công bố quyết định về sơ đồ tổ chức mới của Sở Nội vụ tỉnh Quảng Ninh</a>",
            "0 @ heading or link \"Hòa giải ở cơ sở\" or \"sơ đồ tổ chức\" | ",
        ),
        ("<!-- <h2>Sơ đồ tổ chức</h2><p>Có</p> -->", "0 @ heading or link \"Hòa giải ở cơ sở\" or \"sơ đồ tổ chức\" | "),
        ("<noscript><a href=/a>Sơ đồ tổ chức</a></noscript>", "0 @ heading or link \"Hòa giải ở cơ sở\" or \"sơ đồ tổ chức\" | "),
        ("<p>Sơ đồ tổ chức</p>", "0 @ heading or link \"Hòa giải ở cơ sở\" or \"sơ đồ tổ chức\" | "),
    ] {
        // A block before it, so that places are not always the first.
        let body = if body.contains("nth-child") || said.contains("nth-child") { format!("{text}{body}") } else { body.to_owned() };
        let body = if body.starts_with(text) { body } else { format!("{body}<hr>") };
        assert_eq!(one(SECTION, &body), format!("section_present/s = {said}"), "{body}");
    }
}

#[test]
fn sections_by_element() {
    let check = "section = { id = \"s\", css = \"#so-do\" }";
    for (body, said) in [
        ("<div id=so-do><h2>Sơ đồ</h2><p>Có</p></div>", "1 @ html > body > div | Sơ đồ Có"),
        ("<div id=so-do><h2>Sơ đồ</h2><p> </p></div>.", "0 @ html > body > div (empty) | Sơ đồ"),
        ("<div id=so-do></div>.", "0 @ html > body > div (empty) | <div id=\"so-do\">"),
        ("<p>Có</p>", "0 @ #so-do | "),
    ] {
        assert_eq!(one(check, body), format!("section_present/s = {said}"), "{body}");
    }
    let there = "section = { id = \"s\", css = \"#so-do\", not_empty = false }";
    assert_eq!(one(there, "<div id=so-do></div>."), "section_present/s = 1 @ html > body > div | <div id=\"so-do\">");
}

#[test]
fn the_newest_entry() {
    let check = "fresh = { section = \"news\", css = \".news\", format = \"%d/%m/%Y\" }";
    let read = |text: &str| one(check, &format!("<div class=news>{text}</div>"));
    assert_eq!(read("<p>01/09/2026<p>Tin (30/09/2026)"), "freshness_days/news = 1 @ html > body > div > p:nth-child(2) | Tin (30/09/2026)");
    // The due instant's day is the one here, not in UTC.
    assert_eq!(read("1/10/2026"), "freshness_days/news = 0 @ html > body > div | 1/10/2026");
    assert_eq!(read("<b>01</b>/10/<b>2026</b>"), "freshness_days/news = 0 @ html > body > div | 01/10/2026");
    assert_eq!(
        read("<p>Lịch 15/12/2026<p>Thứ Ba, 29/09/2026"),
        "freshness_days/news = 2 @ html > body > div > p:nth-child(2) | Thứ Ba, 29/09/2026 & warn value_unparsed: 1 dates after 2026-10-01 do not count, the last is 2026-12-15: \"Lịch 15/12/2026\""
    );
    assert_eq!(read("15/12/2026").matches("warn").count(), 2);
    let none = "warn selector_missing: no date like \"%d/%m/%Y\" that is not after 2026-10-01";
    for text in ["", "126/09/2026", "26/09/20261", "224/2026", "26-09-2026"] {
        assert_eq!(read(text), none, "{text}");
    }
    assert!(read("31/02/2026").starts_with("warn value_unparsed: \"31/02/2026\" is not a date"));
    assert!(one(check, "<p>01/09/2026").starts_with("warn selector_missing: no element of the page is the section"));
}

#[test]
fn counters_with_numbers() {
    let check = "counters = { labels = [\"Tiếp nhận\", [\"Đã giải quyết\", \"Giải quyết xong\"]] }";
    let read = |body: &str| one(check, body);
    assert_eq!(
        read("<ul><li>Tiếp nhận: <b>1.234</b></li><li><b>98</b><span>Giải quyết xong</span></li></ul>"),
        "stats_published = 1 @ html > body > ul > li:nth-child(1); html > body > ul > li:nth-child(2) | Tiếp nhận: 1.234; 98Giải quyết xong"
    );
    assert!(read("<table><tr><td>Tiếp nhận<td>5<tr><td>Đã giải quyết<td>0</table>").starts_with("stats_published = 1"));
    assert!(read("<p>Tiếp <i>nhận</i>: 5<p>Đã giải quyết 3").starts_with("stats_published = 1"));
    for (body, missing) in [
        ("<ul><li>Tiếp nhận: 1.234</li><li>Đã giải quyết: </li></ul>", "\"Đã giải quyết\" or \"Giải quyết xong\""),
        ("<p>Tiếp nhận và Đã giải quyết: 5</p>", "\"Tiếp nhận\""),
        ("<p>Tiếp nhận năm 2026</p><p>Đã giải quyết 3", "\"Tiếp nhận\""),
        ("<script>var a = 'Tiếp nhận: 5'</script><p>Đã giải quyết 3", "\"Tiếp nhận\""),
    ] {
        assert_eq!(read(body), format!("stats_published = 0 @ body: no {missing} with a number beside it | "), "{body}");
    }
    let overlap = "counters = { labels = [\"Hồ sơ tiếp nhận\", \"Tiếp nhận trực tuyến\", \"Hồ sơ tiếp nhận trực tuyến\"] }";
    assert!(one(overlap, "<p>Hồ sơ tiếp nhận trực tuyến: 5</p>").contains("no \"Hồ sơ tiếp nhận\" with"));
    let within = "counters = { css = \"#so-lieu\", labels = [\"Tiếp nhận\"] }";
    assert_eq!(one(within, "Tiếp nhận: 5"), "stats_published = 0 @ #so-lieu | ");
}

#[test]
fn accessibility_right_and_wrong() {
    for (check, body, said) in [
        ("form_labels = {}", "<p>Không có biểu mẫu", ""),
        ("form_labels = {}", "<input type=hidden name=__VIEWSTATE><input type=submit>.", ""),
        ("form_labels = {}", "<label for=q>Tìm</label><input id=q>", "1 @ html > body > input | 1 of 1: <input id=\"q\">"),
        ("form_labels = {}", "<label>Tìm <input></label>", "1 @ html > body > label > input | 1 of 1: <input>"),
        ("form_labels = {}", "<label><input></label>.", "0 @ html > body > label > input | 1 of 1 lack it: <input>"),
        (
            "form_labels = {}",
            "<b id=l>Tìm</b><select aria-labelledby=l></select>",
            "1 @ html > body > select | 1 of 1: <select aria-labelledby=\"l\">",
        ),
        (
            "form_labels = {}",
            ".<select aria-labelledby=l></select>",
            "0 @ html > body > select | 1 of 1 lack it: <select aria-labelledby=\"l\">",
        ),
        (
            "form_labels = {}",
            ".<textarea title='Ý kiến'></textarea><input placeholder=Tìm>",
            "0 @ html > body > input | 1 of 2 lack it: <input placeholder=\"Tìm\">",
        ),
        ("form_labels = {}", ".<input aria-label=' '>", "0 @ html > body > input | 1 of 1 lack it: <input aria-label=\"\">"),
        ("form_labels = {}", ".<div style='DISPLAY: none'><input></div>", ""),
        ("image_alt = {}", "<p>Không có ảnh", ""),
        ("image_alt = {}", ".<img src=a alt=''><img src=b alt=B>", "1 @ html > body > img:nth-child(1) | 2 of 2: <img alt=\"\" src=\"a\">"),
        ("image_alt = {}", ".<img src=a alt><img src=b>", "0 @ html > body > img:nth-child(2) | 1 of 2 lack it: <img src=\"b\">"),
        ("headings = {}", "<h1>A</h1><h2>B</h2><h3>C</h3><h2>D</h2>", "1 @ html > body > h1 | A"),
        ("headings = {}", "<h2>B</h2><h1>A</h1>", "1 @ html > body > h1 | A"),
        ("headings = {}", "<h1>A</h1><h3>C</h3>", "0 @ html > body > h3 | level 3 after level 1: C"),
        ("headings = {}", "<h1></h1><h2>B</h2>", "0 @ h1 | 1 headings, and none is the main one"),
        ("headings = {}", "<div role=heading aria-level=1>A</div>", "1 @ html > body > div | A"),
        ("contrast = {}", "<p style='color:#777'>A</p>", ""),
        (
            "contrast = {}",
            "<p style='color:#767676;background-color:#fff'>A</p>",
            "1 @ html > body > p | #767676 on #ffffff, contrast 4.54: A",
        ),
        ("contrast = {}", "<p style='color:#777;background:#fff'>A</p>", "0 @ html > body > p | #777777 on #ffffff, contrast 4.48: A"),
        ("contrast = {}", "<h2 style='color:#777;background:#fff'>A</h2>", ""),
        ("contrast = {}", "<h2 style='color:#aaa;background:#fff'>A</h2>", "0 @ html > body > h2 | #aaaaaa on #ffffff, contrast 2.32: A"),
        (
            "contrast = {}",
            "<style>.a{color:#777;background:#fff}</style><p class=a>A</p>",
            "0 @ html > body > p | #777777 on #ffffff, contrast 4.48: A",
        ),
        ("contrast = {}", "<style>.a{color:#777;background:#fff} p{color:#000}</style><p class=a>A</p>", ""),
        ("contrast = {}", "<style>.a:hover{color:#777;background:#fff}</style><p class=a>A</p>", ""),
        ("contrast = {}", "<div style='color:#777;background:#fff' hidden>A</div>.", ""),
    ] {
        let word = check.split(' ').next().expect("a word");
        let wanted = if said.is_empty() { String::new() } else { format!("a11y_check/{word} = {said}") };
        assert_eq!(one(check, body), wanted, "{body}");
    }
    for (page, said) in [
        ("<html lang=vi-VN><body>.", "1 @ html | <html lang=\"vi-VN\">"),
        ("<html xml:lang=vi><body>.", "0 @ html | <html xml:lang=\"vi\">"),
        ("<html lang='tiếng Việt'><body>.", "0 @ html | <html lang=\"tiếng Việt\">"),
        ("<p>.</p>", "0 @ html | <html>"),
    ] {
        assert_eq!(whole("lang = {}", page), format!("a11y_check/lang = {said}"), "{page}");
    }
    for (page, said) in [
        ("<title>Cổng &amp; trang</title>.", "1 @ html > head > title | Cổng & trang"),
        ("<title> &nbsp;</title>.", "0 @ html > head > title | <title>"),
        ("<p>.</p><svg><title>Biểu tượng</title></svg>", "0 @ html > head > title | "),
    ] {
        assert_eq!(whole("title = {}", page), format!("a11y_check/title = {said}"), "{page}");
    }
}

#[test]
fn the_address() {
    for (address, said) in [
        (ADDRESS, vec!["https = 1", "domain_ok = 1"]),
        ("http://quangninh.gov.vn.example/", vec!["https = 0", "domain_ok = 0"]),
        (
            "/tmp/saved.html",
            vec![
                "warn config: https is not judged: the address that was asked is not known",
                "warn config: domain is not judged: the address that was asked is not known",
            ],
        ),
    ] {
        let collector = collector(1, &["https = {}", "domain = \"*.gov.vn\""]);
        let found = read_bytes(&collector, b"<p>A</p></body>", "text/html", address).expect("a page");
        assert_eq!(summary(&found, false), said, "{address}");
    }
}

#[test]
fn shares_of_what_was_run() {
    let checks = [SECTION, "section = { id = \"t\", css = \"#t\" }", "lang = {}", "title = {}", "image_alt = {}", "contrast = {}"];
    let page = "<html lang=vi><body><h2>Sơ đồ tổ chức</h2><p>Có</p></body></html>";
    let found = read_bytes(&collector(1, &checks), page.as_bytes(), "text/html", ADDRESS).expect("a page");
    let shares: Vec<String> = summary(&found, true).into_iter().filter(|line| line.contains("rate") || line.contains("basic")).collect();
    assert_eq!(
        shares,
        ["required_sections_rate = 0.5 @ failed: t | 1/2", "a11y_basic = 0.5 @ failed: title; not run: image_alt, contrast | 1/2"]
    );
    let found = read_bytes(&collector(1, &["contrast = {}"]), page.as_bytes(), "text/html", ADDRESS).expect("a page");
    assert_eq!(summary(&found, true), Vec::<String>::new(), "what was not run is no share");
}

#[test]
fn pages_that_are_not_the_portal() {
    let long = "<a href=/x>Chuyên mục</a> ".repeat(60);
    for (page, reason) in [
        (String::new(), Some(Reason::SelectorMissing)),
        ("<html><body><div id=root></div><script>render()</script></body></html>".to_owned(), Some(Reason::SelectorMissing)),
        (
            "<html><head><title>A</title></head><frameset cols='*,*'><frame src=a><frame src=b></frameset></html>".to_owned(),
            Some(Reason::SelectorMissing),
        ),
        (format!("<title>Request Rejected</title>{}", "x".repeat(900)), Some(Reason::Firewall)),
        (format!("<title>Just a moment...</title>{long}"), Some(Reason::Firewall)),
        (format!("<title>Runtime Error</title>{long}"), Some(Reason::ErrorInBody)),
        (format!("<title>404 - Không tìm thấy</title>{long}"), Some(Reason::ErrorInBody)),
        (format!("<title>Cổng</title><h1>Hệ thống ĐANG BẢO TRI\u{300}</h1>{long}"), Some(Reason::MaintenancePage)),
        (format!("<title>Cổng</title><p>Hệ thống đang bảo trì.</p>{}", "Xin lỗi. ".repeat(60)), Some(Reason::MaintenancePage)),
        // In a page as long as a portal's it is news.
        (format!("<title>Cổng</title><p>Cầu Bãi Cháy đang bảo trì.</p>{}", long.repeat(4)), None),
        ("<form><input type=password></form><p>".to_owned() + &"Đăng nhập ".repeat(60), Some(Reason::Auth)),
        (format!("<form><input type=password title=Mật-khẩu></form>{long}"), None),
        (format!("<body><div>{long}"), Some(Reason::Decode)),
        (format!("<body>{long}<script>var a = '"), Some(Reason::Decode)),
        (format!("<body><div>{long}</body></html><script>x()</script>"), None),
        (format!("<body><div>{long}</body></html><html><body><div>{long}</div></body></html>"), None),
        (format!("<body><div>{long}</body></html><html><body><div>{long}"), Some(Reason::Decode)),
        (format!("<body><div>{long}</body><footer><p>{long}"), Some(Reason::Decode)),
    ] {
        let page = if reason == Some(Reason::Decode) || page.contains("</body>") { page } else { page + "</body>" };
        let said = read_bytes(&collector(400, &["lang = {}"]), page.as_bytes(), "text/html", ADDRESS);
        assert_eq!(said.as_ref().err().map(|finding| finding.reason), reason, "{page}");
        if let Err(finding) = said {
            assert!(finding.severity == Severity::Quarantine && !finding.text.is_empty());
        }
    }
}

#[test]
fn other_encodings_say_the_same() {
    let page = "<html lang=vi><head><title>C</title></head><body><h2>Sơ đồ tổ chức</h2><p>Có</p></body></html>";
    let utf16: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &utf16].concat();
    let (windows, _, _) = encoding_rs::WINDOWS_1258.encode(page);
    let of_windows: String = unicode_normalization::UnicodeNormalization::nfd("ơồổứ").collect();
    assert!(!of_windows.is_empty() && windows.len() >= page.chars().count());
    for (bytes, content_type) in [(page.as_bytes(), ""), (&utf16[..], "text/html; charset=utf-16le"), (&marked[..], "text/html")] {
        let found = read_bytes(&collector(1, &[SECTION]), bytes, content_type, ADDRESS).expect("a page");
        assert_eq!(summary(&found, false)[0], "section_present/s = 1", "{content_type}");
    }
    let refused = read_bytes(&collector(1, &[SECTION]), &utf16, "text/html", ADDRESS);
    assert!(refused.is_err() || refused.is_ok_and(|found| found.readings.is_empty()), "bytes in a wrong encoding are no zeros");
}

#[test]
fn deep_and_strange_pages_do_no_harm() {
    let deep = format!("<h2>Sơ đồ tổ chức</h2>{}Có 7</body>", "<div>".repeat(2_000));
    let checks = [
        SECTION,
        "fresh = { section = \"n\", css = \"div\", format = \"%d/%m/%Y\" }",
        "counters = { labels = [\"Có\"] }",
        "form_labels = {}",
        "image_alt = {}",
        "headings = {}",
        "contrast = {}",
    ];
    let strange =
        "<o:p>Có <x-1><svg><a href=/b>Sơ đồ tổ chức</a></svg></o:p><table><tr><h3>A<form></table><p style='color:;;:x;background'></body>";
    for page in [deep.as_str(), strange] {
        let found = read_bytes(&collector(1, &checks), page.as_bytes(), "text/html", ADDRESS);
        assert!(found.is_ok_and(|found| !found.readings.is_empty()), "{}", &page[..40]);
    }
}
