//! TOML files that are a list of tables of one kind: each entry is read on its own, so that a wrong one costs only itself.

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::catalogue::problem::Problem;

/// The format version of these files.
const SCHEMA: &str = "1";

/// The entries of the list `key`, and the `id` of those that are left out; everything wrong is a problem at its place.
pub(super) fn read<T: DeserializeOwned>(file: &str, text: &str, key: &str, problems: &mut Vec<Problem>) -> (Vec<T>, Vec<String>) {
    let (mut entries, mut lost) = (Vec::new(), Vec::new());
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            problems.push(Problem::from_toml(file, text, &error));
            return (entries, lost);
        }
    };
    if !table.contains_key("schema") {
        problems.push(Problem::at(file, text, 0..0, "the file does not say its format version", "begin it with: schema = 1"));
    }
    for (name, value) in table {
        let span = value.span();
        match (name.get_ref().as_ref(), value.into_inner()) {
            ("schema", DeValue::Integer(version)) if version.as_str() == SCHEMA => {}
            ("schema", _) => problems.push(Problem::at(file, text, span, "this format version is not known", "write schema = 1")),
            (found, DeValue::Array(list)) if found == key => {
                for entry in list {
                    let id = entry.get_ref().get("id").and_then(|id| id.get_ref().as_str()).map(str::to_owned);
                    match T::deserialize(ValueDeserializer::from(entry)) {
                        Ok(entry) => entries.push(entry),
                        Err(error) => {
                            problems.push(Problem::from_toml(file, text, &error));
                            lost.extend(id);
                        }
                    }
                }
            }
            (found, _) => {
                let message = format!("`{found}` does not belong here");
                problems.push(Problem::at(file, text, name.span(), message, format!("write each entry as [[{key}]]")));
            }
        }
    }
    (entries, lost)
}
