//! Pages: elements by CSS selector, tables as grids, and the signs that a page was cut.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use scraper::{ElementRef, Html, Node, Selector};

use super::found::{Absent, Found, Spot, shown};
use super::sheet::{Cell, MOST_CELLS, Sheet, SheetRow};
use crate::collect::collector::last_line;
use crate::model::{Finding, Reason};

/// A comment put behind the page. The parser closes whatever is open at the end, so only the place where
/// this comment comes to stand tells a whole table from one that was cut inside a number.
const END: &str = "thuocdo:end-of-page";

static CLOSING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)</(body|html|frameset)[\s>]").expect("a valid expression"));
static OPENING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)<(body|html|frameset)[\s>]").expect("a valid expression"));
static NO_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    let parts = r"(?is)<!--.*?-->|<script.*?</script>|<style.*?</style>|<noscript.*?</noscript>|<[^>]*>";
    Regex::new(parts).expect("a valid expression")
});

/// Where the text of a page closes its body for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    /// Nowhere, or before another body is opened.
    Missing,
    /// Before more text.
    Followed,
    /// Behind all text.
    AtEnd,
}

impl Close {
    fn of(text: &str) -> Close {
        let Some(last) = CLOSING.find_iter(text).last() else { return Close::Missing };
        let behind = &text[last.end()..];
        match OPENING.is_match(behind) {
            true => Close::Missing,
            false if NO_TEXT.replace_all(behind, "").contains(char::is_alphanumeric) => Close::Followed,
            false => Close::AtEnd,
        }
    }
}

/// A parsed page. Not `Send`: it lives inside one extraction.
pub(super) struct Page {
    html: Html,
    close: Close,
}

impl Page {
    /// Of a decoded text.
    pub(super) fn parse(text: &str) -> Page {
        Page { html: Html::parse_document(&format!("{text}<!--{END}-->")), close: Close::of(text) }
    }

    /// Its outermost element.
    pub(super) fn root(&self) -> ElementRef<'_> {
        self.html.root_element()
    }

    /// Whether the page is cut anywhere: it ends inside a tag, comment or script, or its body is not closed at the end. HTML
    /// allows a page to leave that out, but then nothing tells a whole one from one that was cut. An element left open
    /// before `</body>` is only careless, and so are several pages put one behind the other.
    pub(super) fn is_cut(&self) -> bool {
        let end = self.html.tree.root().descendants().find(|node| is_end(node.value()));
        let Some(holder) = end.and_then(|end| end.parent()) else { return true };
        let outermost = ElementRef::wrap(holder).is_none_or(|holder| matches!(holder.value().name(), "html" | "body" | "frameset"));
        match self.close {
            Close::Missing => true,
            Close::Followed => !outermost,
            Close::AtEnd => false,
        }
    }

    /// The elements that a selector matches.
    pub(super) fn select(&self, selector: &Selector) -> Vec<ElementRef<'_>> {
        self.html.select(selector).collect()
    }

    /// Where the page is cut, if it is cut in this element or in the middle of a tag.
    pub(super) fn cut(&self, element: ElementRef, place: &str) -> Option<Finding> {
        let whole = self.html.tree.root().descendants().any(|node| is_end(node.value()));
        let inside = element.descendants().any(|node| is_end(node.value()));
        let what = match (whole, inside) {
            (true, false) => return None,
            (true, true) => "the page ends before this element is closed: it was cut",
            (false, _) => "the page ends inside a tag, comment or script: it was cut",
        };
        Some(Finding::quarantine(Reason::Decode, place, what))
    }
}

impl Page {
    /// A page cut between two rows shows only in what holds them, and a careless page may leave that open too: so it is
    /// reported, and `covers` or `rows` decide.
    pub(super) fn cut_behind(&self, row: ElementRef, place: &str) -> Option<Finding> {
        let holder = row.parent().and_then(ElementRef::wrap)?;
        let cut = !matches!(holder.value().name(), "body" | "html") && holder.descendants().any(|node| is_end(node.value()));
        cut.then(|| Finding::warn(Reason::Decode, place, "the page ends inside the element that holds these rows: rows may be lost"))
    }
}

fn is_end(node: &Node) -> bool {
    matches!(node, Node::Comment(comment) if &*comment.comment == END)
}

/// One element that is a row.
pub(super) struct ElementRow<'d> {
    pub(super) element: ElementRef<'d>,
    /// `row 5`.
    pub(super) location: String,
}

/// A selector relative to a row, with `@attribute` to read an attribute; `.` is the row itself.
#[derive(Debug)]
pub(super) struct CssPlace {
    /// `None`: the row itself.
    selector: Option<Selector>,
    attribute: Option<String>,
    text: String,
}

impl CssPlace {
    /// From its text.
    pub(super) fn compile(text: &str) -> Result<CssPlace, String> {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'));
        let (css, attribute) = match text.rsplit_once('@') {
            Some((css, name)) if is_name(name) => (css, Some(name.to_ascii_lowercase())),
            Some(_) | None => (text, None),
        };
        let selector = match css.trim() {
            "." => None,
            "" if attribute.is_some() => None,
            css => Some(Selector::parse(css).map_err(|error| format!("{css:?} is no CSS selector: {}", last_line(&error)))?),
        };
        Ok(CssPlace { selector, attribute, text: text.to_owned() })
    }

    /// The one value it leads to from a row.
    pub(super) fn find(&self, row: &ElementRow) -> Result<Spot, Absent> {
        let elements = match &self.selector {
            None => vec![row.element],
            Some(selector) => row.element.select(selector).collect(),
        };
        match elements.as_slice() {
            [] => Err(Absent::Nothing),
            [element] => {
                let found = self.value(*element).ok_or(Absent::Nothing)?;
                Ok(Spot { found, place: format!("{}, {}", row.location, self.text), spans: false })
            }
            [..] => Err(Absent::Several(elements.len())),
        }
    }

    /// Every value it leads to from the whole page, with its place.
    pub(super) fn look_up(&self, page: &Page) -> Vec<(String, Found)> {
        let elements = self.selector.as_ref().map_or_else(|| vec![page.html.root_element()], |selector| page.select(selector));
        let values = elements.into_iter().filter_map(|element| self.value(element)).enumerate();
        values.map(|(n, found)| (format!("{} ({})", self.text, n + 1), found)).collect()
    }

    fn value(&self, element: ElementRef) -> Option<Found> {
        match &self.attribute {
            None => Some(Found::Text(text_of(element))),
            Some(name) => element.attr(name).map(|text| Found::Text(text.to_owned())),
        }
    }
}

/// The text of an element as a reader sees it: a line break where a block, `<br>`, a raised or a struck-out
/// part begins or ends, so that `12<br>34` and `12<sup>3</sup>` never become the numbers 1234 and 123.
pub(super) fn text_of(element: ElementRef) -> String {
    let mut text = String::new();
    push_text(element, &mut text);
    // As in HTML only ASCII white space collapses: a no-break space may group the thousands of a number.
    let lines = text.split('\n').map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn push_text(element: ElementRef, text: &mut String) {
    // A stack of its own: a page may nest deeper than the program's stack reaches.
    let mut open = vec![(element.children(), "")];
    while let Some((children, end)) = open.last_mut() {
        let Some(child) = children.next() else {
            text.push_str(end);
            open.pop();
            continue;
        };
        match child.value() {
            Node::Text(part) => text.extend(part.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c })),
            Node::Element(inner) => match inner.name() {
                "script" | "style" | "template" | "noscript" => {}
                name if is_inline(name) => open.push((child.children(), "")),
                _ => {
                    text.push('\n');
                    open.push((child.children(), "\n"));
                }
            },
            Node::Document | Node::Fragment | Node::Doctype(_) | Node::Comment(_) | Node::ProcessingInstruction(_) => {}
        }
    }
}

fn is_inline(name: &str) -> bool {
    matches!(name, "a" | "abbr" | "b" | "bdi" | "bdo" | "big" | "cite" | "code" | "em" | "font" | "i" | "label" | "mark" | "nobr")
        || matches!(name, "q" | "small" | "span" | "strong" | "time" | "tt" | "u" | "var" | "wbr" | "data")
}

/// The grid of a `<table>`, merged cells standing in every place they cover; rows of nested tables are not its rows.
pub(super) fn grid(table: ElementRef, place: &str) -> Result<Sheet, Finding> {
    let mut rows: Vec<SheetRow> = Vec::new();
    let mut n_cells = 0;
    for group in table.child_elements().filter(|child| matches!(child.value().name(), "thead" | "tbody" | "tfoot")) {
        let mut above: Vec<Option<(usize, Arc<Cell>)>> = Vec::new();
        for row in group.child_elements().filter(|child| child.value().name() == "tr") {
            let number = rows.len() + 1;
            let cells = spread(row, &mut above, MOST_CELLS - n_cells).ok_or_else(|| {
                let place = format!("{place}, row {number}");
                Finding::quarantine(Reason::TooLarge, place, format!("more than {MOST_CELLS} cells, merged ones counted"))
            })?;
            n_cells += cells.len();
            rows.push(SheetRow { number, cells });
        }
    }
    Ok(Sheet { name: String::new(), rows })
}

/// The cells of one `<tr>` with those that reach down from rows above; `None` if there are more than `most`.
fn spread(row: ElementRef, above: &mut Vec<Option<(usize, Arc<Cell>)>>, most: usize) -> Option<Vec<Arc<Cell>>> {
    let mut cells: Vec<Arc<Cell>> = Vec::new();
    for element in row.child_elements().filter(|child| matches!(child.value().name(), "td" | "th")) {
        take_from_above(&mut cells, above);
        let (columns, rows) = (span(element, "colspan", 1000), span(element, "rowspan", 65_534));
        let cell = Arc::new(Cell { found: Found::Text(text_of(element)), spans: columns > 1 || rows > 1 });
        if cells.len() + columns > most {
            return None;
        }
        for _ in 0..columns {
            let at = cells.len();
            above.resize(above.len().max(at + 1), None);
            above[at] = (rows > 1).then(|| (rows - 1, cell.clone()));
            cells.push(cell.clone());
        }
    }
    take_from_above(&mut cells, above);
    Some(cells)
}

/// Cells of rows above that cover the next places of this row.
fn take_from_above(cells: &mut Vec<Arc<Cell>>, above: &mut [Option<(usize, Arc<Cell>)>]) {
    while let Some((left, cell)) = above.get_mut(cells.len()).and_then(Option::take) {
        above[cells.len()] = (left > 1).then(|| (left - 1, cell.clone()));
        cells.push(cell);
    }
}

/// HTML, "algorithm for processing rows": at least 1, at most `most`; a row span of 0 reaches to the end of the group.
fn span(cell: ElementRef, name: &str, most: usize) -> usize {
    match cell.attr(name).map(|text| text.trim().parse::<usize>()) {
        Some(Ok(0)) if name == "rowspan" => most,
        Some(Ok(n)) => n.clamp(1, most),
        Some(Err(_)) | None => 1,
    }
}

/// The only table that a selector matches.
pub(super) fn the_table<'d>(page: &'d Page, css: &str, selector: &Selector) -> Result<ElementRef<'d>, Finding> {
    let refuse = |what: String| Err(Finding::quarantine(Reason::SelectorMissing, css, what));
    match page.select(selector).as_slice() {
        [] => refuse(format!("no such table; the page begins {}", shown(&text_of(page.html.root_element())))),
        [table] if table.value().name() == "table" => Ok(*table),
        [other] => refuse(format!("this is a <{}>, not a <table>", other.value().name())),
        many => refuse(format!("{} elements where one table was expected", many.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(table: &str) -> Vec<Vec<String>> {
        let page = Page::parse(table);
        let table = the_table(&page, "table", &Selector::parse("body > table").expect("a selector")).expect("a table of the test");
        let sheet = grid(table, "table").expect("a grid");
        sheet.rows.iter().map(|row| row.cells.iter().map(|cell| cell.found.text()).collect()).collect()
    }

    #[test]
    fn merged_cells_and_nested_tables() {
        let table = "<table><thead><tr><th rowspan=2>Đơn vị</th><th colspan=2>Văn bản</th></tr><tr><th>đi</th><th>đến</th></tr></thead>\
            <tr><td rowspan=0>A</td><td>1</td><td>2</td></tr><tr><td>3</td><td><table><tr><td>x</td></tr></table></td></tr></table>";
        assert_eq!(texts(table), [["Đơn vị", "Văn bản", "Văn bản"], ["Đơn vị", "đi", "đến"], ["A", "1", "2"], ["A", "3", "x"]]);
        let bomb = format!("<table><tr>{}</tr></table>", "<td colspan=1000>".repeat(2_100));
        let page = Page::parse(&bomb);
        assert_eq!(grid(page.select(&Selector::parse("table").expect("css"))[0], "t").expect_err("a bomb").reason, Reason::TooLarge);
    }

    #[test]
    fn text_is_what_a_reader_sees() {
        for (html, text) in [
            ("1.<b>234</b>", "1.234"),
            ("12<br>34", "12\n34"),
            ("12<sup>3</sup>", "12\n3"),
            ("<del>10</del>12", "10\n12"),
            (" S&#7889;&nbsp;\n 7 <script>x()</script>", "Số\u{a0} 7"),
            ("<span>1</span><p>2</p>", "1\n2"),
        ] {
            assert_eq!(texts(&format!("<table><tr><td>{html}</td></tr></table>")), [[text]], "{html}");
        }
    }

    #[test]
    fn deep_pages_do_no_harm() {
        let deep = "<b>".repeat(50_000) + "7";
        let page = Page::parse(&format!("<table><tr><td>{deep}"));
        let cell = page.select(&Selector::parse("td").expect("css"))[0];
        assert_eq!(text_of(cell), "7");
    }

    #[test]
    fn a_cut_page_is_seen() {
        let whole = "<html><body><div><table id=a><tr><td class='x'>1.234</td></tr><tr><td>5</td></tr></table></div></body></html>\n";
        let end = whole.find("</table>").expect("the end") + "</table>".len();
        for length in 0..=whole.len() {
            let page = Page::parse(&whole[..length]);
            let tables = page.select(&Selector::parse("table").expect("css"));
            let cut = tables.first().map(|table| page.cut(*table, "table#a").is_some());
            match length < end {
                true => assert_ne!(cut, Some(false), "{length}"),
                false => assert!(cut == Some(false) || !whole[..length].ends_with('>'), "{length}"),
            }
        }
    }
}
