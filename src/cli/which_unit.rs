//! Which body a person means: by id, code or name, among those that a scoring assesses.

use anyhow::bail;

use crate::model::{Unit, fold};

/// Words before a name that people leave out or put in.
const BEFORE_A_NAME: [&str; 10] =
    ["ubnd", "ủy ban nhân dân", "tỉnh", "thành phố", "huyện", "thị trấn", "đặc khu", "phường", "xã", "thị xã"];

/// The one body of this id, code or name; upper and lower case and the placing of tone marks do not matter, nor
/// words like "UBND phường" before the name.
///
/// # Errors
/// None or several are meant; then those that come near are listed.
pub fn which_unit<'a>(units: &[&'a Unit], text: &str) -> anyhow::Result<&'a Unit> {
    let asked = fold(text);
    if asked.is_empty() {
        bail!("name a body by its id, code or name");
    }
    let tests: [&dyn Fn(&Unit) -> bool; 4] = [
        &|unit| fold(&unit.id) == asked || fold(&unit.code) == asked,
        &|unit| fold(&unit.name) == asked,
        &|unit| bare(&unit.name) == bare(text),
        &|unit| fold(&unit.name).contains(&asked),
    ];
    for (no, test) in tests.iter().enumerate() {
        let found: Vec<&Unit> = units.iter().copied().filter(|unit| test(unit)).collect();
        match found.as_slice() {
            [] => (),
            // A part of a name is a hint, not a name.
            [only] if no < 3 => return Ok(only),
            several => bail!("{text:?} names no one body of this scoring; did you mean {}?", listed(several)),
        }
    }
    bail!("{text:?} names no body of this scoring; `score` lists them, and --all-provinces takes in every province")
}

/// The name without the words before it.
fn bare(name: &str) -> String {
    let mut rest = fold(name);
    while let Some(shorter) = BEFORE_A_NAME.iter().find_map(|word| rest.strip_prefix(word)?.strip_prefix(' ').map(str::to_owned)) {
        rest = shorter;
    }
    rest
}

fn listed(units: &[&Unit]) -> String {
    units.iter().take(8).map(|unit| format!("{} ({})", unit.id, unit.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnitGroup;

    fn unit(id: &str, name: &str) -> Unit {
        Unit {
            id: id.to_owned(),
            code: String::new(),
            name: name.to_owned(),
            unit_group: UnitGroup::Commune,
            kind: "phường".to_owned(),
            parent: None,
            valid_from: None,
            valid_to: None,
            decision: String::new(),
        }
    }

    #[test]
    fn finds_what_people_write() {
        let all = [
            unit("qn-1", "Phường Móng Cái 1"),
            unit("qn-2", "Phường Móng Cái 2"),
            unit("qn-3", "Phường Hạ Long"),
            unit("H44.1", "UBND xã Hiệp Hoà"),
        ];
        let units: Vec<&Unit> = all.iter().collect();
        for (text, id) in
            [("QN-3", "qn-3"), ("Hạ Long", "qn-3"), ("UBND phường Hạ Long", "qn-3"), ("hiệp hòa", "H44.1"), ("xã Hiệp Hòa", "H44.1")]
        {
            assert_eq!(which_unit(&units, text).expect(text).id, id);
        }
        for (text, words) in [
            ("Móng Cái", "qn-1 (Phường Móng Cái 1), qn-2"),
            ("Cẩm Phả", "names no body"),
            ("Long", "did you mean qn-3"),
            ("", "name a body"),
        ] {
            let error = which_unit(&units, text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
