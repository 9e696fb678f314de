//! `registry/portals.csv`: the web sites of units that are watched.

use std::collections::BTreeMap;

use super::table::{self, Row};
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::Portal;

const FILE: &str = "registry/portals.csv";
const COLUMNS: &[&str] = &["id", "unit", "url", "from", "to"];

/// What a criterion may say in place of a portal's id, so that no portal can be called so.
const RESERVED: [&str; 3] = ["mean", "all", "worst"];

/// All portals in the order of the file; a row with a problem is left out.
pub(super) fn load(files: &Files, is_unit: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) -> Vec<Portal> {
    let Some(text) = files.get(FILE) else { return Vec::new() };
    let (mut portals, mut places) = (Vec::new(), BTreeMap::new());
    for row in table::read(FILE, text, COLUMNS, problems) {
        match parse(&row, &is_unit).and_then(|portal| claim(portal, &row, &mut places)) {
            Ok(portal) => portals.push(portal),
            Err(problem) => problems.push(problem),
        }
    }
    portals
}

fn parse(row: &Row, is_unit: &impl Fn(&str) -> bool) -> Result<Portal, Problem> {
    let id = row.key("id")?;
    if RESERVED.contains(&id.as_str()) {
        let message = format!("id {id:?} is a word of criteria files");
        return Err(row.problem("id", message, "give the portal another id: mean, all and worst are taken"));
    }
    let unit = row.required("unit")?;
    if !is_unit(&unit) {
        let fix = "write the id of a unit in registry/units/, or add that unit";
        return Err(row.problem("unit", format!("unit {unit:?} is no unit"), fix));
    }
    let url = address(row)?;
    let days = row.days_of("from", "to")?;
    Ok(Portal { id, unit, url, from: days.from, to: days.to })
}

fn address(row: &Row) -> Result<url::Url, Problem> {
    let field = row.required("url")?;
    let wrong = |message: String, fix: &str| Err(row.problem("url", message, fix));
    match field.parse::<url::Url>() {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong("url carries credentials, which everybody reads here".to_owned(), "remove what stands before the @")
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        Ok(_) | Err(_) => wrong(format!("url {field:?} is no web address"), "write it whole, like https://www.example.gov.vn"),
    }
}

/// Finds the second portal of one id.
fn claim(portal: Portal, row: &Row, places: &mut BTreeMap<String, String>) -> Result<Portal, Problem> {
    match places.get(&portal.id) {
        Some(first) => {
            let message = format!("portal {} is already in {first}", portal.id);
            Err(row.problem("id", message, "remove one row, or give a later site an id of its own: ids are never reused"))
        }
        None => {
            places.insert(portal.id.clone(), row.place());
            Ok(portal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id,unit,url,from,to\n\
        a,H49,https://www.a.gov.vn,,\n\
        b.1,H49,http://b.gov.vn/Trang-chu.aspx?x=1,2026-01-01,2026-12-31\n";

    fn load_text(text: &str) -> (Vec<Portal>, Vec<(usize, usize, String)>) {
        let mut problems = Vec::new();
        let files = [(FILE.to_owned(), text.to_owned())].into_iter().collect();
        let portals = load(&files, |id| id == "H49", &mut problems);
        assert!(problems.iter().all(|problem| !problem.fix.is_empty()));
        (portals, problems.into_iter().map(|p| (p.line, p.column, p.message)).collect())
    }

    #[test]
    fn reads_portals() {
        let (portals, problems) = load_text(GOOD);
        assert_eq!(problems, []);
        assert_eq!((portals.len(), portals[0].url.as_str(), portals[0].from), (2, "https://www.a.gov.vn/", None));
        assert_eq!(portals[1].to.map(|day| day.to_string()).as_deref(), Some("2026-12-31"));
        assert_eq!(load(&Files::default(), |_| true, &mut Vec::new()), []);
    }

    #[test]
    fn each_column_wrong_once() {
        for (row, column, message) in [
            (",H49,https://c.gov.vn,,", 1, "id is empty"),
            ("cổng,H49,https://c.gov.vn,,", 1, "id \"cổng\" is no key"),
            ("c@d,H49,https://c.gov.vn,,", 1, "id \"c@d\" is no key"),
            ("mean,H49,https://c.gov.vn,,", 1, "id \"mean\" is a word of criteria files"),
            ("all,H49,https://c.gov.vn,,", 1, "id \"all\" is a word of criteria files"),
            ("worst,H49,https://c.gov.vn,,", 1, "id \"worst\" is a word of criteria files"),
            ("a,H49,https://c.gov.vn,,", 1, "portal a is already in registry/portals.csv:2"),
            ("c,,https://c.gov.vn,,", 3, "unit is empty"),
            ("c,H50,https://c.gov.vn,,", 3, "unit \"H50\" is no unit"),
            ("c,H49,,,", 7, "url is empty"),
            ("c,H49,www.c.gov.vn,,", 7, "url \"www.c.gov.vn\" is no web address"),
            ("c,H49,ftp://c.gov.vn,,", 7, "url \"ftp://c.gov.vn\" is no web address"),
            ("c,H49,https://u:p@c.gov.vn,,", 7, "url carries credentials, which everybody reads here"),
            ("c,H49,https://u@c.gov.vn,,", 7, "url carries credentials, which everybody reads here"),
            ("c,H49,https://c.gov.vn,1/7/2026,", 24, "from \"1/7/2026\" is no day"),
            ("c,H49,https://c.gov.vn,,2026-02-30", 25, "to \"2026-02-30\" is no day"),
            ("c,H49,https://c.gov.vn,2026-07-01,2026-06-30", 35, "to 2026-06-30 is before from 2026-07-01"),
        ] {
            let (portals, problems) = load_text(&format!("{GOOD}{row}\n"));
            assert_eq!(problems, [(4, column, message.to_owned())], "{row}");
            assert_eq!(portals.len(), 2, "{row}");
        }
    }
}
