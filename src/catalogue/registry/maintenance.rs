//! `registry/maintenance.csv`: when portals were said to be away, with the notice as evidence.

use super::table::{self, Row};
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::{Notice, Sha256, Window};

const FILE: &str = "registry/maintenance.csv";
const COLUMNS: &[&str] = &["target", "from", "to", "announced_at", "notice"];

/// All notices in the order of the file; a row with a problem is left out.
pub(super) fn load(files: &Files, is_portal: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) -> Vec<Notice> {
    let Some(text) = files.get(FILE) else { return Vec::new() };
    let mut notices = Vec::new();
    for row in table::read(FILE, text, COLUMNS, problems) {
        match parse(&row, &is_portal) {
            Ok(notice) => notices.push(notice),
            Err(problem) => problems.push(problem),
        }
    }
    notices
}

fn parse(row: &Row, is_portal: &impl Fn(&str) -> bool) -> Result<Notice, Problem> {
    let target = row.required("target")?;
    if !is_portal(&target) {
        let fix = "write the id of one portal in registry/portals.csv; a notice about several has a row for each";
        return Err(row.problem("target", format!("target {target:?} is no portal"), fix));
    }
    let window = Window { from: row.instant("from")?, to: row.instant("to")? };
    if window.to <= window.from {
        return Err(row.problem("to", format!("to {} is not after from {}", window.to, window.from), "write when the portal is back"));
    }
    let announced_at = row.instant("announced_at")?;
    let hex = row.required("notice")?;
    let Some(notice) = Sha256::from_hex(&hex) else {
        let fix = "write its 64 lower-case hexadecimal digits, as sha256sum prints them";
        return Err(row.problem("notice", format!("notice {hex:?} is no SHA-256"), fix));
    };
    Ok(Notice { target, window, announced_at, notice })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const TIMES: &str = "2026-11-01T22:00:00+07:00,2026-11-02T02:00:00+07:00,2026-10-20T08:00:00+07:00";

    fn load_row(row: &str) -> (Vec<Notice>, Vec<(usize, usize, String)>) {
        let text = format!("target,from,to,announced_at,notice\np,{TIMES},{HEX}\n{row}\n");
        let mut problems = Vec::new();
        let files = [(FILE.to_owned(), text)].into_iter().collect();
        let notices = load(&files, |id| matches!(id, "p" | "q"), &mut problems);
        assert!(problems.iter().all(|problem| !problem.fix.is_empty()));
        (notices, problems.into_iter().map(|p| (p.line, p.column, p.message)).collect())
    }

    #[test]
    fn reads_notices() {
        let (notices, problems) = load_row(&format!("q,{TIMES},{HEX}"));
        assert_eq!((notices.len(), problems), (2, vec![]));
        assert_eq!((notices[1].window.micros(), notices[1].announced_at.to_string().as_str()), (4 * 3_600_000_000, "2026-10-20T01:00:00Z"));
        assert_eq!(load(&Files::default(), |_| true, &mut Vec::new()), []);
    }

    #[test]
    fn each_column_wrong_once() {
        let wrong = |column: usize, with: &str| {
            let mut fields: Vec<&str> = ["q"].into_iter().chain(TIMES.split(',')).chain([HEX]).collect();
            fields[column] = with;
            fields.join(",")
        };
        for (row, column, message) in [
            (wrong(0, ""), 1, "target is empty".to_owned()),
            (wrong(0, "r"), 1, "target \"r\" is no portal".to_owned()),
            (wrong(0, "p|q"), 1, "target \"p|q\" is no portal".to_owned()),
            (wrong(1, ""), 3, "from is empty".to_owned()),
            (wrong(1, "2026-11-01T22:00:00"), 3, "from \"2026-11-01T22:00:00\" is no instant".to_owned()),
            (wrong(2, "02/11/2026"), 29, "to \"02/11/2026\" is no instant".to_owned()),
            (wrong(2, "2026-11-01T15:00:00Z"), 29, "to 2026-11-01T15:00:00Z is not after from 2026-11-01T15:00:00Z".to_owned()),
            (wrong(3, "hôm qua"), 55, "announced_at \"hôm qua\" is no instant".to_owned()),
            (wrong(4, ""), 81, "notice is empty".to_owned()),
            (wrong(4, "E3B0"), 81, "notice \"E3B0\" is no SHA-256".to_owned()),
        ] {
            let (notices, problems) = load_row(&row);
            assert_eq!((notices.len(), problems), (1, vec![(3, column, message)]), "{row}");
        }
    }
}
