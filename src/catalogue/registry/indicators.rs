//! `registry/indicators.toml`: what is measured, and the rates derived from it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::entries;
use super::table::is_key;
use crate::catalogue::files::Files;
use crate::catalogue::problem::Problem;
use crate::model::{Adds, Exact, Indicator, Measure, Per, Within};

const FILE: &str = "registry/indicators.toml";

/// One `[[indicator]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    title: Spanned<Title>,
    measure: Spanned<Measure>,
    range: Spanned<Range>,
    /// How it adds over time; not said = it does not.
    #[serde(default)]
    over_time: Adds,
    /// How it adds over units; not said = it does not.
    #[serde(default)]
    over_units: Adds,
    cite: Spanned<String>,
    derived: Option<Derived>,
    /// Which collector counts where several report it.
    collector: Option<Spanned<String>>,
    /// What its values stand for within their unit.
    per: Option<Per>,
    /// Where it lies while its period is not known whole.
    within: Option<Spanned<Within>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    vi: String,
    en: String,
}

/// Least and greatest value that can be right; a bound not said is open.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    least: Option<Exact>,
    greatest: Option<Exact>,
}

/// The sums above and below the line of a rate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Derived {
    of: Spanned<Vec<Spanned<String>>>,
    over: Spanned<Vec<Spanned<String>>>,
}

/// A problem for each `collector` that names none; the indicators stand, and no collector's values count for them.
pub(super) fn check_collectors(files: &Files, known: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let Some(text) = files.get(FILE) else { return Vec::new() };
    // What else is wrong in the file was said when it was loaded.
    let (entries, _): (Vec<Entry>, _) = entries::read(FILE, text, "indicator", &mut Vec::new());
    let named = entries.iter().filter_map(|entry| entry.collector.as_ref());
    named
        .filter(|id| !known(id.get_ref()))
        .map(|id| {
            let message = format!("there is no collector {:?}", id.get_ref());
            Problem::at(FILE, text, id.span(), message, "name the id of a file in collectors/")
        })
        .collect()
}

/// All indicators by id; an entry with a problem is left out.
pub(super) fn load(files: &Files, problems: &mut Vec<Problem>) -> BTreeMap<String, Indicator> {
    let text = files.get(FILE).unwrap_or_default();
    let at = |span: std::ops::Range<usize>, message: String, fix: &str| Problem::at(FILE, text, span, message, fix);
    let (entries, lost): (Vec<Entry>, Vec<String>) = match files.get(FILE) {
        Some(text) => entries::read(FILE, text, "indicator", problems),
        None => (Vec::new(), Vec::new()),
    };
    // Every id that occurs, so that one wrong count does not make its rates wrong too.
    // Of two with one id the first counts.
    let measured = lost.into_iter().map(|id| (id, false));
    let read = entries.iter().rev().map(|entry| (entry.id.get_ref().clone(), entry.derived.is_some()));
    let kinds: BTreeMap<String, bool> = measured.chain(read).collect();
    let mut indicators = BTreeMap::new();
    for entry in entries {
        match check(&entry, &kinds, &at) {
            Err(problem) => problems.push(problem),
            Ok(()) if indicators.contains_key(entry.id.get_ref()) => {
                let message = format!("indicator {} is listed twice", entry.id.get_ref());
                problems.push(at(entry.id.span(), message, "remove one of the two; an id is never reused"));
            }
            Ok(()) => drop(indicators.insert(entry.id.get_ref().clone(), entry.into_indicator())),
        }
    }
    indicators
}

/// The first thing wrong with an entry. `kinds` says of each id whether it is derived.
fn check(
    entry: &Entry,
    kinds: &BTreeMap<String, bool>,
    at: &impl Fn(std::ops::Range<usize>, String, &str) -> Problem,
) -> Result<(), Problem> {
    let id = entry.id.get_ref();
    let title = entry.title.get_ref();
    let range = entry.range.get_ref();
    if !is_key(id) {
        return Err(at(entry.id.span(), format!("id {id:?} is no key"), "use ASCII letters, digits, '-', '_' and '.'"));
    }
    if title.vi.trim().is_empty() || title.en.trim().is_empty() {
        return Err(at(entry.title.span(), format!("a title of {id} is empty"), "fill in vi and en"));
    }
    if entry.cite.get_ref().trim().is_empty() {
        return Err(at(entry.cite.span(), format!("{id} cites nothing"), "name the law, decision or source that asks for it"));
    }
    if let (Some(least), Some(greatest)) = (range.least, range.greatest)
        && greatest < least
    {
        let message = format!("the greatest value {greatest} of {id} is below the least {least}");
        return Err(at(entry.range.span(), message, "write least <= greatest"));
    }
    if *entry.measure.get_ref() == Measure::Count && range.least.is_none_or(|least| least < Exact::ZERO) {
        return Err(at(entry.range.span(), format!("{id} counts things and may be negative"), "write least = \"0\""));
    }
    if let Some(within) = &entry.within {
        let Within { least, most, coverage } = within.get_ref();
        if let Some(unknown) = [least, most, coverage].into_iter().find(|of| !kinds.contains_key(*of)) {
            return Err(at(within.span(), format!("there is no indicator {unknown:?}"), "name ids of this file"));
        }
    }
    entry.derived.as_ref().map_or(Ok(()), |derived| check_derived(entry, derived, kinds, at))
}

/// A rate is made of counts that are measured themselves, and never adds up.
fn check_derived(
    entry: &Entry,
    derived: &Derived,
    kinds: &BTreeMap<String, bool>,
    at: &impl Fn(std::ops::Range<usize>, String, &str) -> Problem,
) -> Result<(), Problem> {
    let id = entry.id.get_ref();
    if *entry.measure.get_ref() != Measure::Ratio {
        return Err(at(entry.measure.span(), format!("{id} is derived and so a ratio"), "write measure = \"ratio\""));
    }
    if (entry.over_time, entry.over_units) != (Adds::No, Adds::No) {
        return Err(at(entry.id.span(), format!("{id} is a ratio and cannot add up"), "leave over_time and over_units out"));
    }
    for side in [&derived.of, &derived.over] {
        if side.get_ref().is_empty() {
            return Err(at(side.span(), format!("{id} has nothing on one side of its line"), "name at least one indicator"));
        }
        for part in side.get_ref() {
            match kinds.get(part.get_ref()) {
                Some(false) => {}
                Some(true) => {
                    let message = format!("{} is derived itself", part.get_ref());
                    return Err(at(part.span(), message, "name the measured indicators it is made of"));
                }
                None => {
                    let message = format!("there is no indicator {:?}", part.get_ref());
                    return Err(at(part.span(), message, "write the id of an indicator of this file"));
                }
            }
        }
    }
    Ok(())
}

impl Entry {
    fn into_indicator(self) -> Indicator {
        let (title, range) = (self.title.into_inner(), self.range.into_inner());
        let ids = |side: Spanned<Vec<Spanned<String>>>| side.into_inner().into_iter().map(Spanned::into_inner).collect();
        Indicator {
            id: self.id.into_inner(),
            title_vi: title.vi,
            title_en: title.en,
            measure: self.measure.into_inner(),
            range: (range.least, range.greatest),
            over_time: self.over_time,
            over_units: self.over_units,
            cite: self.cite.into_inner(),
            derived: self.derived.map(|derived| (ids(derived.of), ids(derived.over))),
            collector: self.collector.map(Spanned::into_inner),
            per: self.per,
            within: self.within.map(Spanned::into_inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "schema = 1\n\
        [[indicator]]\nid = \"n\"\ntitle = { vi = \"N\", en = \"N\" }\nmeasure = \"count\"\nrange = { least = \"0\" }\nover_units = \"sum\"\ncite = \"Luật\"\n\
        [[indicator]]\nid = \"r\"\ntitle = { vi = \"R\", en = \"R\" }\nmeasure = \"ratio\"\nrange = { least = \"0\", greatest = \"1\" }\ncite = \"Luật\"\nderived = { of = [\"n\"], over = [\"n\"] }\n";

    fn load_text(text: &str) -> (Vec<String>, Vec<(usize, usize, String)>) {
        let mut problems = Vec::new();
        let files = [(FILE.to_owned(), text.to_owned())].into_iter().collect();
        let indicators = load(&files, &mut problems);
        (indicators.into_keys().collect(), problems.into_iter().map(|p| (p.line, p.column, p.message)).collect())
    }

    #[test]
    fn reads_counts_and_rates() {
        assert_eq!(load_text(GOOD), (vec!["n".to_owned(), "r".to_owned()], vec![]));
    }

    #[test]
    fn each_key_wrong_once() {
        for (from, to, line, column, message) in [
            ("schema = 1", "schema = 2", 1, 10, "this format version is not known"),
            ("schema = 1", "indicators = 1\nschema = 1", 1, 1, "`indicators` does not belong here"),
            ("id = \"r\"", "id = \"tỷ lệ\"", 10, 6, "id \"tỷ lệ\" is no key"),
            ("id = \"r\"", "id = \"n\"", 10, 6, "indicator n is listed twice"),
            ("vi = \"N\", en = \"N\"", "vi = \"N\", en = \"\"", 4, 9, "a title of n is empty"),
            ("vi = \"N\", en = \"N\"", "vi = \"N\", nl = \"N\"", 4, 21, "unknown field `nl`, expected `vi` or `en`"),
            (
                "\"count\"",
                "\"hồ sơ\"",
                5,
                11,
                "unknown variant `hồ sơ`, expected one of `count`, `points`, `ratio`, `percent`, `days`, `seconds`, `flag`",
            ),
            ("{ least = \"0\" }", "{ least = \"-1\" }", 6, 9, "n counts things and may be negative"),
            ("{ least = \"0\" }", "{ least = 0 }", 6, 19, "invalid type: integer `0`, expected a decimal number in quotes, like \"12.5\""),
            ("greatest = \"1\"", "greatest = \"-1\"", 13, 9, "the greatest value -1 of r is below the least 0"),
            ("\"sum\"", "\"add\"", 7, 14, "unknown variant `add`, expected one of `sum`, `last`, `no`"),
            ("cite = \"Luật\"", "cite = \" \"", 8, 8, "n cites nothing"),
            ("cite = \"Luật\"", "cite = \"Luật\"\nper = \"cổng\"", 9, 7, "unknown variant `cổng`, expected `portal`"),
            ("cite = \"Luật\"\n[[", "[[", 2, 1, "missing field `cite`"),
            ("\"ratio\"", "\"count\"", 12, 11, "r is derived and so a ratio"),
            ("\"ratio\"", "\"ratio\"\nover_time = \"sum\"", 10, 6, "r is a ratio and cannot add up"),
            ("of = [\"n\"]", "of = []", 15, 18, "r has nothing on one side of its line"),
            ("of = [\"n\"]", "of = [\"m\"]", 15, 19, "there is no indicator \"m\""),
            ("over = [\"n\"]", "over = [\"r\"]", 15, 33, "r is derived itself"),
            ("derived = {", "derived = {{", 15, 12, "missing key for inline table element, expected key"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let (_, problems) = load_text(&GOOD.replacen(from, to, 1));
            assert_eq!(problems, [(line, column, message.to_owned())], "{to}");
        }
    }

    #[test]
    fn a_wrong_entry_costs_only_itself() {
        let (ids, problems) = load_text(&GOOD.replacen("\"sum\"", "\"add\"", 1).replacen("of = [\"n\"], over = [\"n\"]", "of = [\"k\"], over = [\"k\"]", 1).replacen(
            "[[indicator]]",
            "[[indicator]]\nid = \"k\"\ntitle = { vi = \"K\", en = \"K\" }\nmeasure = \"days\"\nrange = {}\ncite = \"Luật\"\n[[indicator]]",
            1,
        ));
        assert_eq!((ids, problems.len()), (vec!["k".to_owned(), "r".to_owned()], 1), "{problems:?}");
        assert_eq!(load_text("schema = 1\n"), (vec![], vec![]));
    }
}
