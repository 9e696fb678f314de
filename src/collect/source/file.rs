//! Files that people or programs drop into a folder: settled ones, new before old.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Attempt, Failure};
use crate::collect::collector::FileSource;
use crate::model::{Reason, Ts};

/// Every settled file that the pattern names, oldest change first.
///
/// # Errors
/// `Config` if the folder cannot be listed.
pub fn settled(source: &FileSource, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let pattern = folder.join(&source.glob.get_ref().0);
    let listed =
        glob::glob(&pattern.to_string_lossy()).map_err(|error| Failure::new(Reason::Config, format!("{}: {error}", pattern.display())))?;
    let now = SystemTime::now();
    let mut files = Vec::new();
    for path in listed {
        let path = path.map_err(|error| Failure::new(Reason::Config, error.to_string()))?;
        let Ok(about) = path.metadata() else { continue };
        let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        // A file changed in the future (a copied clock) counts as settled: waiting for it could take years.
        let is_settled = now.duration_since(changed).map_or(true, |age| age >= source.settle.0);
        if about.is_file() && is_settled {
            files.push((changed, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// One file as an answer, never more than the limit in memory.
pub fn read(source: &FileSource, path: &Path) -> Attempt {
    let started = std::time::Instant::now();
    let changed = path.metadata().and_then(|about| about.modified()).unwrap_or_else(|_| SystemTime::now());
    let got = read_limited(path, source.limit.0);
    let (body, failure) = match got {
        Ok(body) => (Some(body), None),
        Err(failure) => (None, Some(failure)),
    };
    Attempt {
        method: "FILE".to_owned(),
        url: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        request_body: String::new(),
        // What a file says, it says as of its last change.
        at: Ts::from(chrono::DateTime::<chrono::Utc>::from(changed)).min(Ts::now()),
        elapsed_micros: i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX),
        status: None,
        content_type: String::new(),
        certificate_until: None,
        body,
        failure,
    }
}

fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let unreadable = |error: std::io::Error| Failure::new(Reason::Config, format!("{} cannot be read: {error}", path.display()));
    let mut body = Vec::new();
    std::fs::File::open(path).map_err(unreadable)?.take(limit + 1).read_to_end(&mut body).map_err(unreadable)?;
    match body.len() as u64 > limit {
        true => Err(Failure::new(Reason::TooLarge, format!("{} is larger than {limit} bytes (source.file limit)", path.display()))),
        false => Ok(body),
    }
}
