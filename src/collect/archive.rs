//! The archive: evidence in a folder, named by SHA-256, zstd inside, private.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Sha256, Sha256Of};

/// A folder of bodies, `ab/abcdef….zst`, each written whole or not at all.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

/// The archive cannot keep or give back a body.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file system said no.
    #[error("evidence {sha256} in {folder}: {source}", folder = folder.display())]
    Io {
        /// Which body.
        sha256: Sha256,
        /// Which archive.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder takes no file.
    #[error("the archive {folder} takes nothing: {source}", folder = folder.display())]
    Begin {
        /// Which archive.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not those that were kept.
    #[error("evidence {sha256} was changed: the bytes now have SHA-256 {found}")]
    Changed {
        /// Which body was asked for.
        sha256: Sha256,
        /// What is there now.
        found: Sha256,
    },
}

/// A body that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its address.
    pub sha256: Sha256,
    /// Bytes written for it; 0 if it was there already.
    pub written_bytes: u64,
}

impl Archive {
    /// An archive in this folder; made when the first body is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Archive {
        Archive { folder: folder.into() }
    }

    /// Keeps a body and says where, and how much was written. The same bytes are kept once.
    ///
    /// The file is written beside its place, synced and renamed, so the address never names half a body.
    ///
    /// # Errors
    /// `Io` if it cannot be kept; then nothing must refer to it.
    pub fn keep(&self, body: &[u8]) -> Result<Kept, ArchiveError> {
        let sha256 = Sha256::of(body);
        let path = self.path(&sha256);
        // A file that was damaged since is no evidence for what is recorded now, and is written again.
        if path.exists() && self.get(&sha256).is_ok() {
            return Ok(Kept { sha256, written_bytes: 0 });
        }
        let wrote = write_private(&path, body);
        let written_bytes = wrote.map_err(|source| ArchiveError::Io { sha256: sha256.clone(), folder: self.folder.clone(), source })?;
        Ok(Kept { sha256, written_bytes })
    }

    /// Begins to keep a body whose address is not known yet, piece by piece.
    ///
    /// # Errors
    /// `Begin` if the folder takes no file.
    pub fn begin(&self) -> Result<Keeping<'_>, ArchiveError> {
        let begun = || {
            make_private_folder(&self.folder)?;
            let beside = self.folder.join(unique(".keeping"));
            let file = private_file(&beside)?;
            Ok((beside, zstd::Encoder::new(file, ZSTD_LEVEL)?))
        };
        let (beside, packed) = begun().map_err(|source| ArchiveError::Begin { folder: self.folder.clone(), source })?;
        Ok(Keeping { archive: self, beside, packed: Some(packed), hash: Sha256Of::default(), size_bytes: 0 })
    }

    /// The body at an address, checked against it.
    ///
    /// # Errors
    /// `Io` if it is not there or cannot be read, `Changed` if it is not what was kept.
    pub fn get(&self, sha256: &Sha256) -> Result<Vec<u8>, ArchiveError> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut body = Vec::new();
            zstd::Decoder::new(fs::File::open(self.path(sha256))?)?.read_to_end(&mut body)?;
            Ok(body)
        };
        let body = read().map_err(|source| ArchiveError::Io { sha256: sha256.clone(), folder: self.folder.clone(), source })?;
        let found = Sha256::of(&body);
        if found != *sha256 {
            return Err(ArchiveError::Changed { sha256: sha256.clone(), found });
        }
        Ok(body)
    }

    /// Where a body is or would be.
    pub fn path(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(&sha256.hex()[..2]).join(format!("{}.zst", sha256.hex()))
    }
}

/// Level 3: evidence is written once and small; higher levels cost time for a few per cent.
const ZSTD_LEVEL: i32 = 3;

/// How many bytes the file has.
fn write_private(path: &Path, body: &[u8]) -> std::io::Result<u64> {
    let folder = path.parent().expect("an address stands in a folder");
    make_private_folder(folder)?;
    let name = path.file_name().expect("an address is a file").to_string_lossy();
    let beside = folder.join(unique(&format!(".{name}")));
    let mut file = private_file(&beside)?;
    let packed = zstd::encode_all(body, ZSTD_LEVEL)?;
    file.write_all(&packed)?;
    file.sync_all()?;
    put_in_place(&beside, path)?;
    Ok(packed.len() as u64)
}

fn put_in_place(beside: &Path, path: &Path) -> std::io::Result<()> {
    let folder = path.parent().expect("an address stands in a folder");
    fs::rename(beside, path)?;
    // The rename, and a folder made for it, must survive a power cut before a row may name the file.
    fs::File::open(folder)?.sync_all()?;
    fs::File::open(folder.parent().expect("an address stands two folders deep"))?.sync_all()
}

/// Two runs, or two copies on one folder, may keep the same bytes at one moment.
fn unique(name: &str) -> String {
    static N: AtomicU64 = AtomicU64::new(0);
    let n = N.fetch_add(1, Ordering::Relaxed);
    format!("{name}.{}.{n}.{}", std::process::id(), crate::model::Ts::now().micros())
}

/// A body that is being kept; dropped before it is done, it leaves nothing.
pub struct Keeping<'a> {
    archive: &'a Archive,
    beside: PathBuf,
    packed: Option<zstd::Encoder<'static, fs::File>>,
    hash: Sha256Of,
    size_bytes: u64,
}

impl Keeping<'_> {
    /// Adds bytes.
    ///
    /// # Errors
    /// `Begin` if the disk takes no more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.hash.update(bytes);
        self.size_bytes += bytes.len() as u64;
        let wrote = self.packed.as_mut().map_or(Ok(()), |packed| packed.write_all(bytes));
        wrote.map_err(|source| self.refused(source))
    }

    /// Adds bytes that are packed apart from those before and after: numbers of one kind have codes of their own.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_block(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.write(bytes)?;
        let flushed = self.packed.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|source| self.refused(source))
    }

    /// Keeps the whole under its address: where, and how many bytes it has unpacked.
    ///
    /// # Errors
    /// As `write`.
    pub fn done(mut self) -> Result<(Kept, u64), ArchiveError> {
        let sha256 = std::mem::take(&mut self.hash).done();
        let path = self.archive.path(&sha256);
        let finish = |packed: zstd::Encoder<'static, fs::File>| {
            let file = packed.finish()?;
            file.sync_all()?;
            make_private_folder(path.parent().expect("an address stands in a folder"))?;
            put_in_place(&self.beside, &path)?;
            Ok(file.metadata()?.len())
        };
        let finished = self.packed.take().map_or(Ok(0), finish);
        let written_bytes = finished.map_err(|source| self.refused(source))?;
        Ok((Kept { sha256, written_bytes }, self.size_bytes))
    }

    fn refused(&self, source: std::io::Error) -> ArchiveError {
        ArchiveError::Begin { folder: self.archive.folder.clone(), source }
    }
}

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        // Nothing is there any more once it is in its place.
        let _gone = fs::remove_file(&self.beside);
    }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    fs::File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_once_privately_and_notices_a_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::new(folder.path().join("evidence"));
        let Kept { sha256, written_bytes } = archive.keep(b"{\"code\":\"OK\"}").expect("kept");
        assert!(written_bytes > 0);
        assert_eq!(archive.keep(b"{\"code\":\"OK\"}").expect("kept again"), Kept { sha256: sha256.clone(), written_bytes: 0 });
        assert_eq!(archive.get(&sha256).expect("there"), b"{\"code\":\"OK\"}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(archive.path(&sha256)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(archive.path(&sha256), zstd::encode_all(&b"{}"[..], 3).expect("packed")).expect("changed");
        assert!(matches!(archive.get(&sha256), Err(ArchiveError::Changed { .. })));
        assert_eq!(archive.keep(b"{\"code\":\"OK\"}").expect("kept anew").sha256, sha256);
        assert_eq!(archive.get(&sha256).expect("mended"), b"{\"code\":\"OK\"}");
        assert!(matches!(archive.get(&Sha256::of(b"other")), Err(ArchiveError::Io { .. })));
    }
}
