//! Recorded bodies: a folder with a `manifest.json` answers in place of the seeded figures, byte for byte.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::request::Ask;
use crate::model::{Period, Sha256, Ts};

/// The keys that say what time an answer is about.
const TIME_KEYS: [&str; 6] = ["timeType", "year", "quarter", "month", "fromDate", "toDate"];

/// A folder of recorded bodies.
#[derive(Debug, Clone)]
pub struct Recorded {
    status: u16,
    content_type: String,
    captures: Vec<Capture>,
    unusable: Vec<Unusable>,
}

/// One recorded body and the request it answered.
#[derive(Debug, Clone)]
pub struct Capture {
    /// As the manifest names it, relative to the folder.
    pub file: String,
    /// Path of the request.
    pub path: String,
    /// Its time keys as a period; `None` for an endpoint that is not about a period.
    pub period: Option<Period>,
    /// rootDepartmentId of the request.
    pub root: Option<String>,
    /// When it was recorded: the due instant of a run on it.
    pub captured_at: Ts,
    /// The manifest's remark, "" for none.
    pub note: String,
    /// The body.
    pub bytes: Vec<u8>,
    request: Value,
}

/// An entry of the manifest that cannot answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// As the manifest names it.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// A folder of recorded bodies that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BodiesError {
    /// A file could not be read.
    #[error("{}: {source}; give a folder with manifest.json and the files it names", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest is not what it should be.
    #[error("{}: {source}; expected {{ \"status\", \"contentType\", \"captures\": [{{ \"file\", \"path\", \"body\", \"capturedAt\" }}] }}", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// A body is not the one that was recorded.
    #[error("{}: its SHA-256 is {found}, the manifest states {stated}; restore the file as it was recorded", path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// What the manifest says.
        stated: String,
        /// What the file has.
        found: Sha256,
    },
}

/// `manifest.json`; keys that say nothing about an answer are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    status: u16,
    content_type: String,
    captures: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    file: String,
    path: String,
    #[serde(default)]
    body: Value,
    captured_at: Option<Ts>,
    sha256: Option<String>,
    #[serde(default)]
    note: String,
}

impl Recorded {
    /// Reads the manifest of a folder and every body it names.
    ///
    /// # Errors
    /// `Read` and `Manifest` for the manifest and for bodies that are there but cannot be read; `Digest` for a body
    /// whose SHA-256 is not the stated one. An entry without a request or without its file is listed as unusable.
    pub fn open(dir: &Path) -> Result<Recorded, BodiesError> {
        let path = dir.join("manifest.json");
        let text = std::fs::read(&path).map_err(|source| BodiesError::Read { path: path.clone(), source })?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|source| BodiesError::Manifest { path, source })?;
        let (mut captures, mut unusable) = (Vec::new(), Vec::new());
        for entry in manifest.captures {
            match capture(dir, entry)? {
                Ok(capture) => captures.push(capture),
                Err(entry) => unusable.push(entry),
            }
        }
        Ok(Recorded { status: manifest.status, content_type: manifest.content_type, captures, unusable })
    }

    /// Every body that can answer, in the manifest's order.
    pub fn captures(&self) -> &[Capture] {
        &self.captures
    }

    /// Entries that cannot answer, and why.
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// The roots that bodies were asked for, each once.
    pub fn roots(&self) -> Vec<String> {
        let roots: BTreeSet<&String> = self.captures.iter().filter_map(|capture| capture.root.as_ref()).collect();
        roots.into_iter().cloned().collect()
    }

    /// The status every body is answered with.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The content type every body is answered with.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Only what was recorded at this very moment: a run of that moment must not get what came later, nor what was older.
    pub fn at(&self, moment: Ts) -> Recorded {
        let captures = self.captures.iter().filter(|capture| capture.captured_at == moment).cloned().collect();
        Recorded { captures, unusable: Vec::new(), content_type: self.content_type.clone(), ..*self }
    }

    /// The newest body recorded for this path, these time keys and this root; paging is ignored.
    pub fn matching(&self, path: &str, asked: &Value) -> Option<&Capture> {
        self.captures.iter().filter(|capture| capture.answers(path, asked)).max_by_key(|capture| capture.captured_at)
    }
}

impl Capture {
    fn answers(&self, path: &str, asked: &Value) -> bool {
        let same = |key: &str| self.request.get(key) == asked.get(key);
        let same_if_both = |key: &str| self.request.get(key).is_none() || asked.get(key).is_none() || same(key);
        self.path == path && TIME_KEYS.into_iter().all(same) && same("rootDepartmentId") && same_if_both("departmentType")
    }
}

/// A body with its request, or why there is none.
fn capture(dir: &Path, entry: Entry) -> Result<Result<Capture, Unusable>, BodiesError> {
    let path = dir.join(&entry.file);
    let unusable = |file: &str, reason: &str| Ok(Err(Unusable { file: file.to_owned(), reason: reason.to_owned() }));
    if entry.file.contains('<') {
        return unusable(&entry.file, "the name has a placeholder: it stands for several files");
    }
    if !entry.body.is_object() {
        return unusable(&entry.file, "the manifest states no request body");
    }
    let Some(captured_at) = entry.captured_at else {
        return unusable(&entry.file, "the manifest does not state when it was captured");
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return unusable(&entry.file, "the file is missing"),
        Err(source) => return Err(BodiesError::Read { path, source }),
    };
    let found = Sha256::of(&bytes);
    if let Some(stated) = entry.sha256.filter(|stated| stated != found.hex()) {
        return Err(BodiesError::Digest { path, stated, found });
    }
    let ask: Option<Ask> = serde_json::from_value(entry.body.clone()).ok();
    Ok(Ok(Capture {
        period: ask.as_ref().and_then(|ask| ask.period().or_else(|_| ask.between()).ok()),
        root: ask.and_then(|ask| ask.root_department_id),
        file: entry.file,
        path: entry.path,
        captured_at,
        note: entry.note,
        bytes,
        request: entry.body,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROGRESS: &str = "/api/v1/reporting/evaluation/dvc-progress-tree";

    fn folder(captures: Value) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let manifest = json!({ "status": 201, "contentType": "application/json", "captures": captures });
        std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).expect("written");
        std::fs::write(dir.path().join("old.json"), "old").expect("written");
        std::fs::write(dir.path().join("new.json"), "new").expect("written");
        dir
    }

    fn entry(file: &str, at: &str, request: Value) -> Value {
        json!({ "file": file, "path": "/p", "body": request, "capturedAt": at })
    }

    #[test]
    fn the_newest_body_of_the_same_request_answers() {
        let year = json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "r", "currentPage": 1 });
        let dir = folder(json!([
            entry("new.json", "2026-10-02T00:00:00Z", year.clone()),
            entry("old.json", "2026-10-01T00:00:00Z", year),
            entry("old.json", "2026-10-03T00:00:00Z", json!({ "fromDate": "2026-01-01", "toDate": "2026-12-31", "rootDepartmentId": "s" })),
        ]));
        let recorded = Recorded::open(dir.path()).expect("a folder of bodies");
        for (path, asked, want) in [
            ("/p", json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "r", "pageSize": 7 }), Some("new")),
            ("/p", json!({ "fromDate": "2026-01-01", "toDate": "2026-12-31", "rootDepartmentId": "s" }), Some("old")),
            ("/p", json!({ "timeType": "year", "year": 2025, "rootDepartmentId": "r" }), None),
            ("/p", json!({ "timeType": "month", "year": 2026, "month": 8, "rootDepartmentId": "r" }), None),
            ("/p", json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "other" }), None),
            ("/q", json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "r" }), None),
            ("/p", Value::Null, None),
        ] {
            let found = recorded.matching(path, &asked).map(|capture| capture.bytes.as_slice());
            assert_eq!(found, want.map(str::as_bytes), "{path} {asked}");
        }
        let first = recorded.at("2026-10-01T00:00:00Z".parse().expect("an instant"));
        let asked = json!({ "timeType": "year", "year": 2026, "rootDepartmentId": "r" });
        assert_eq!(first.matching("/p", &asked).map(|capture| capture.bytes.as_slice()), Some(&b"old"[..]));
        assert_eq!((recorded.roots().as_slice(), first.roots().as_slice()), (&["r".to_owned(), "s".to_owned()][..], &["r".to_owned()][..]));
        assert!(recorded.captures().iter().all(|capture| capture.period.is_some_and(|period| period.to_string() == "2026")));
    }

    #[test]
    fn what_cannot_answer_is_listed_and_what_was_altered_is_refused() {
        let dir = folder(json!([
            entry("old.json", "2026-10-01T00:00:00Z", json!("derived")),
            entry("day-<day>.json", "2026-10-01T00:00:00Z", json!({})),
            entry("gone.json", "2026-10-01T00:00:00Z", json!({})),
            { "file": "new.json", "path": "/p", "body": {} },
        ]));
        let recorded = Recorded::open(dir.path()).expect("a folder of bodies");
        let reasons: Vec<&str> = recorded.unusable().iter().map(|entry| entry.reason.as_str()).collect();
        assert_eq!((recorded.captures().len(), reasons.len()), (0, 4), "{reasons:?}");
        for (reason, want) in reasons.iter().zip(["no request body", "placeholder", "missing", "when it was captured"]) {
            assert!(reason.contains(want), "{reason}");
        }

        let mut altered = entry("new.json", "2026-10-01T00:00:00Z", json!({}));
        altered["sha256"] = "00".into();
        let error = Recorded::open(folder(json!([altered])).path()).expect_err("an altered body").to_string();
        assert!(error.contains("new.json") && error.contains(Sha256::of(b"new").hex()), "{error}");
        assert!(Recorded::open(Path::new("nowhere")).expect_err("no folder").to_string().contains("manifest.json"));
    }

    #[test]
    fn the_real_manifest_gives_its_seven_bodies() {
        let Some(data) = std::env::var_os("THUOCDO_REAL_DATA") else {
            eprintln!("skipped: the_real_manifest_gives_its_seven_bodies: THUOCDO_REAL_DATA is not set");
            return;
        };
        let recorded = Recorded::open(&Path::new(&data).join("npsp-766-2026")).expect("the recorded answers");
        assert_eq!((recorded.captures().len(), recorded.unusable().len()), (7, 3));
        let [root] = recorded.roots().try_into().expect("one province");
        let asked = json!({ "timeType": "year", "year": 2026, "rootDepartmentId": root, "currentPage": 1, "pageSize": 200 });
        let capture = recorded.matching(PROGRESS, &asked).expect("the progress answer");
        assert_eq!((capture.bytes.len(), capture.captured_at.to_string().as_str()), (47_748, "2026-09-26T11:21:36.859702Z"));
        let dates = json!({ "fromDate": "2026-01-01", "toDate": "2026-12-31", "rootDepartmentId": root });
        assert!(recorded.matching("/api/v1/reporting/evaluation/handling-satisfaction", &dates).is_some());
    }
}
