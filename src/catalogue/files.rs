//! `Files`: the texts of `collectors/`, `registry/` and `criteria/`, from the binary or from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::problem::Problem;

/// The folders that hold files people write.
const FOLDERS: [&str; 3] = ["collectors", "registry", "criteria"];
/// The largest file that is read: far above any real one, far below what would hurt.
const MAX_BYTES: u64 = 4 << 20;
/// How the names of collectors begin that are part of the program.
const OURS: &str = "thuocdo-";
/// How deep folders may nest, so that a link to a parent folder ends.
const MAX_DEPTH: usize = 6;

#[derive(rust_embed::Embed)]
#[folder = "collectors/"]
#[prefix = "collectors/"]
struct Collectors;

#[derive(rust_embed::Embed)]
#[folder = "registry/"]
#[prefix = "registry/"]
struct Registry;

#[derive(rust_embed::Embed)]
#[folder = "criteria/"]
#[prefix = "criteria/"]
struct Criteria;

/// Texts by path; a path always uses `/` and starts with its folder, like `registry/units/provinces.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// Every file, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files shipped inside the binary.
    pub fn embedded() -> Files {
        let mut files = Files::default();
        files.embed::<Collectors>();
        files.embed::<Registry>();
        files.embed::<Criteria>();
        files
    }

    fn embed<E: rust_embed::RustEmbed>(&mut self) {
        for path in E::iter().filter(|path| is_declarative(path)) {
            if let Some(file) = E::get(&path) {
                // Their encoding is checked by the test that loads them.
                self.0.insert(path.into_owned(), String::from_utf8_lossy(&file.data).into_owned());
            }
        }
    }

    /// The `.toml` and `.csv` files below `collectors/`, `registry/` and `criteria/` of a folder; each of the three may be absent.
    ///
    /// Every file that cannot be read, is larger than 4 MiB or is not UTF-8 is a problem and is left out; the rest stands.
    pub fn read(dir: &Path) -> (Files, Vec<Problem>) {
        let mut files = Files::default();
        let mut problems = Vec::new();
        if !dir.is_dir() {
            let message = format!("{} is not a folder", dir.display());
            let fix = "name the folder that holds collectors/, registry/ and criteria/";
            problems.push(Problem::at(&dir.display().to_string(), "", 0..0, message, fix));
        }
        for folder in FOLDERS.iter().filter(|folder| dir.join(folder).is_dir()) {
            files.read_folder(&dir.join(folder), folder, MAX_DEPTH, &mut problems);
        }
        (files, problems)
    }

    /// `path` is the name of the folder inside `Files`.
    fn read_folder(&mut self, folder: &Path, path: &str, depth: usize, problems: &mut Vec<Problem>) {
        let unreadable = |error: std::io::Error| {
            Problem::at(path, "", 0..0, format!("the folder cannot be read: {error}"), "make it readable for the service")
        };
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => return problems.push(unreadable(error)),
        };
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Hidden names belong to editors and to mounted volumes, which keep each file twice.
            if name.starts_with('.') {
                continue;
            }
            let (inner, path) = (entry.path(), format!("{path}/{name}"));
            if inner.is_dir() && depth > 0 {
                self.read_folder(&inner, &path, depth - 1, problems);
            } else if is_declarative(&path) && name.starts_with(OURS) {
                let message = format!("names that begin with {OURS} belong to the program's own collectors");
                problems.push(Problem::at(&path, "", 0..0, message, "give the file, and the id in it, another name"));
            } else if is_declarative(&path) && !inner.is_dir() {
                match read_text(&inner, &path) {
                    Ok(text) => drop(self.0.insert(path, text)),
                    Err(problem) => problems.push(problem),
                }
            }
        }
    }

    /// Leaves out the files whose path is not kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|path, _| keep(path));
    }

    /// These files with others laid over them: a path that both hold has the other's text.
    pub fn overlay(mut self, other: Files) -> Files {
        self.0.extend(other.0);
        self
    }

    /// The text at a path.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Path and text of every file whose path starts with the prefix, in order of path.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let from = self.0.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        from.take_while(move |(path, _)| path.starts_with(prefix)).map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

impl FromIterator<(String, String)> for Files {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(files: I) -> Files {
        Files(files.into_iter().collect())
    }
}

fn is_declarative(path: &str) -> bool {
    path.ends_with(".toml") || path.ends_with(".csv")
}

fn read_text(file: &Path, path: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| Problem::at(path, "", 0..0, format!("the file cannot be read: {error}"), "make it readable for the service"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::at(path, "", 0..0, "the file is larger than 4 MiB", "split it, or remove what does not belong in it"));
    }
    // Spreadsheets put a byte order mark before their text; it is no part of the first heading.
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    match std::str::from_utf8(&bytes[start..]) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[start..start + error.valid_up_to()]).into_owned();
            let end = before.len();
            Err(Problem::at(path, &before, end..end, "from here on the file is not UTF-8", "save it as UTF-8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
    }

    #[test]
    fn overlay_replaces_whole_files() {
        let over = files(&[("a/x.csv", "1"), ("b/y.csv", "2")]).overlay(files(&[("b/y.csv", "3"), ("b/z.csv", "4")]));
        assert_eq!(over, files(&[("a/x.csv", "1"), ("b/y.csv", "3"), ("b/z.csv", "4")]));
        assert_eq!(over.under("b/").collect::<Vec<_>>(), [("b/y.csv", "3"), ("b/z.csv", "4")]);
        assert_eq!((over.get("a/x.csv"), over.get("a/")), (Some("1"), None));
    }

    #[test]
    fn reads_a_folder_and_names_what_it_cannot_read() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let units = dir.path().join("registry/units");
        fs::create_dir_all(&units).expect("a folder");
        let write = |name: &str, bytes: &[u8]| fs::write(units.join(name), bytes).expect("a file");
        write("a.csv", "\u{feff}id\nHà".as_bytes());
        write("notes.txt", b"\xff");
        write(".b.csv", b"\xff");
        let good = files(&[("registry/units/a.csv", "id\nHà")]);
        assert_eq!(Files::read(dir.path()), (good.clone(), vec![]));

        write("b.csv", b"id\nH\xe1\xba\xa1 \xff");
        write("c.csv", &vec![b'x'; MAX_BYTES as usize + 1]);
        let (read, mut problems) = Files::read(dir.path());
        problems.sort_by(|a, b| a.file.cmp(&b.file));
        let places: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.line, p.column)).collect();
        assert_eq!((read, places), (good, vec![("registry/units/b.csv", 2, 4), ("registry/units/c.csv", 1, 1)]));

        let (none, problems) = Files::read(&dir.path().join("absent"));
        assert!(none == Files::default() && problems[0].message.ends_with("is not a folder"), "{problems:?}");
    }

    #[test]
    fn embedded_files_are_utf8_and_composed() {
        let embedded = Files::embedded();
        assert!(embedded.under("registry/units/").count() >= 4);
        for (path, text) in embedded.under("") {
            assert!(!text.contains(['\u{fffd}', '\r', '\u{feff}']), "{path}");
            assert!(unicode_normalization::is_nfc(text), "{path}");
        }
    }
}
