//! The spool: attempts on this machine's disk before anything else, one folder for each hour and sitting.
//!
//! `FOLDER/COLLECTOR/HOUR~SITTING/` holds `head.json`, packed segments `00001.seg` and the records after them,
//! `00002.raw`. A record is written as soon as its attempt ends and synced within a second.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::head::Head;
use super::segment::{from_columns, from_records, to_columns, to_record};
use crate::model::Ts;
use crate::rollup::Attempt;

/// Records are packed when so many bytes are together: about ten thousand attempts.
const PACKED_AT: u64 = 128 << 10;
/// Level 3, as evidence is packed.
const ZSTD_LEVEL: i32 = 3;

/// Where one sitting writes what it sees.
pub struct Spool {
    folder: PathBuf,
    /// Everything but the hour.
    head: Head,
    hours: BTreeMap<Ts, OpenHour>,
}

struct OpenHour {
    folder: PathBuf,
    /// Locked for as long as the hour is written to.
    _lock: File,
    raw: Arc<File>,
    /// Records that are not written yet: those of one moment are written together.
    unwritten: Vec<u8>,
    no: u32,
    bytes: u64,
    is_dirty: bool,
}

/// Something that takes long and must not be waited for where looks are made.
pub enum Chore {
    /// Make what was written survive a power cut.
    Sync(Arc<File>),
    /// Pack these records.
    Pack(PathBuf),
}

impl Chore {
    /// Does it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn run(self) -> io::Result<()> {
        match self {
            Chore::Sync(file) => file.sync_data(),
            Chore::Pack(raw) => pack(&raw),
        }
    }
}

impl Spool {
    /// In a folder, for one collector; `head` is that of every hour but for its time.
    pub fn new(folder: &Path, head: Head) -> Spool {
        Spool { folder: folder.join(&head.collector), head, hours: BTreeMap::new() }
    }

    /// Takes an attempt of an hour; it is written by the next `write`.
    ///
    /// # Errors
    /// Those of the disk: then this attempt is not kept, and proves nothing.
    pub fn append(&mut self, hour: Ts, attempt: &Attempt) -> io::Result<()> {
        if !self.hours.contains_key(&hour) {
            let opened = OpenHour::open(&self.folder, &Head { hour, ..self.head.clone() })?;
            self.hours.insert(hour, opened);
        }
        if let Some(open) = self.hours.get_mut(&hour) {
            open.unwritten.extend_from_slice(&to_record(attempt));
        }
        Ok(())
    }

    /// Writes what was taken, one call for each hour. What is to be done beside it, if anything.
    ///
    /// # Errors
    /// Those of the disk: then these attempts are not kept, and prove nothing.
    pub fn write(&mut self) -> io::Result<Vec<Chore>> {
        let mut chores = Vec::new();
        for open in self.hours.values_mut().filter(|open| !open.unwritten.is_empty()) {
            chores.extend(open.write()?);
        }
        Ok(chores)
    }

    /// What was written since the last time and is not synced yet.
    pub fn unsynced(&mut self) -> Vec<Chore> {
        let chore = |open: &mut OpenHour| std::mem::take(&mut open.is_dirty).then(|| Chore::Sync(Arc::clone(&open.raw)));
        self.hours.values_mut().filter_map(chore).collect()
    }

    /// Closes the hours that began before an instant: whoever seals may have them. What was taken is written first.
    ///
    /// # Errors
    /// As `write`.
    pub fn close_before(&mut self, hour: Ts) -> io::Result<Vec<Chore>> {
        let written = self.write();
        self.hours = self.hours.split_off(&hour);
        written
    }
}

impl OpenHour {
    fn open(folder: &Path, head: &Head) -> io::Result<OpenHour> {
        let folder = new_folder(folder, &format!("{}~{}", head.hour.utc().format("%Y%m%dT%H%MZ"), head.sitting))?;
        let mut lock = create(&folder.join("head.tmp"))?;
        lock.lock()?;
        lock.write_all(&serde_json::to_vec(head)?)?;
        lock.sync_all()?;
        fs::rename(folder.join("head.tmp"), folder.join("head.json"))?;
        let raw = Arc::new(create(&folder.join(name(1, "raw")))?);
        // The folder and its files must be found after a power cut.
        File::open(&folder)?.sync_all()?;
        if let Some(above) = folder.parent() {
            File::open(above)?.sync_all()?;
        }
        Ok(OpenHour { folder, _lock: lock, raw, unwritten: Vec::new(), no: 1, bytes: 0, is_dirty: false })
    }
}

impl OpenHour {
    fn write(&mut self) -> io::Result<Option<Chore>> {
        let records = std::mem::take(&mut self.unwritten);
        if let Err(error) = (&*self.raw).write_all(&records) {
            // Half a record would hide those that are written after it.
            self.raw.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += records.len() as u64;
        self.is_dirty = true;
        if self.bytes < PACKED_AT {
            return Ok(None);
        }
        let full = self.folder.join(name(self.no, "raw"));
        let next = Arc::new(create(&self.folder.join(name(self.no + 1, "raw")))?);
        (self.raw, self.no, self.bytes) = (next, self.no + 1, 0);
        Ok(Some(Chore::Pack(full)))
    }
}

/// A folder that was not there before: an hour that was closed, and is written to once more (a look that ended late, a clock
/// that was set back), has another one, so that what was written before stays.
fn new_folder(above: &Path, name: &str) -> io::Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(above)?;
    builder.recursive(false);
    for no in 1.. {
        let folder = above.join(if no == 1 { name.to_owned() } else { format!("{name}.{no}") });
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("some number is free")
}

/// A new file of this user only, written to at its end.
fn create(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    // A packed file that was left half made is begun anew.
    let _gone = fs::remove_file(path);
    options.create_new(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn name(no: u32, kind: &str) -> String {
    format!("{no:05}.{kind}")
}

/// Packs the records of a file into a segment beside it, and removes them.
fn pack(raw: &Path) -> io::Result<()> {
    let mut attempts = from_records(&fs::read(raw)?);
    let beside = raw.with_extension("tmp");
    let mut packed = zstd::Encoder::new(create(&beside)?, ZSTD_LEVEL)?;
    for column in to_columns(&mut attempts) {
        packed.write_all(&column)?;
        // A column is a block of its own, with codes of its own.
        packed.flush()?;
    }
    packed.finish()?.sync_all()?;
    fs::rename(&beside, raw.with_extension("seg"))?;
    fs::remove_file(raw)
}

/// An hour on disk that nobody writes to any more.
#[derive(Debug)]
pub struct Left {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is about.
    pub head: Head,
    /// Locked, so that no other copy seals it at the same time.
    _lock: File,
}

/// The hours on disk that nobody writes to, oldest first; those that were written to until now are left out. A folder whose
/// head was never finished holds nothing and is removed. One that cannot be read keeps the others from nothing: it stays, and
/// what is wrong is in the second list.
///
/// # Errors
/// The folder of the spool cannot be read.
pub fn left(folder: &Path) -> io::Result<(Vec<Left>, Vec<io::Error>)> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for collector in folders(folder)? {
        for hour in folders(&collector)? {
            match left_in(&hour) {
                Ok(found) => all.extend(found),
                Err(error) => wrong.push(io::Error::new(error.kind(), format!("{}: {error}", hour.display()))),
            }
        }
    }
    all.sort_by(|a, b| a.folder.file_name().cmp(&b.folder.file_name()));
    Ok((all, wrong))
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

fn left_in(folder: &Path) -> io::Result<Option<Left>> {
    let (head, unfinished) = (folder.join("head.json"), folder.join("head.tmp"));
    let lock = match File::open(&head).or_else(|_| File::open(&unfinished)) {
        Ok(lock) => lock,
        // Made, or removed, at this moment.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    let Ok(text) = fs::read(&head) else {
        fs::remove_dir_all(folder)?;
        return Ok(None);
    };
    match serde_json::from_slice(&text) {
        Ok(head) => Ok(Some(Left { folder: folder.to_owned(), head, _lock: lock })),
        Err(error) => Err(io::Error::other(format!("{}: {error}", head.display()))),
    }
}

impl Left {
    /// The files with its attempts, in order: of a number that is there packed and not, the packed one.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            let number = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let is_better = kind == "seg" || !files.contains_key(&number);
            if matches!(kind, "seg" | "raw") && is_better {
                files.insert(number, path);
            }
        }
        Ok(files.into_values().collect())
    }

    /// Hands over its segments, one after the other: their columns as bytes, and the attempts in them.
    ///
    /// # Errors
    /// Those of the disk and of `take`.
    pub fn each(&self, mut take: impl FnMut(Vec<Vec<u8>>, &[Attempt]) -> io::Result<()>) -> io::Result<()> {
        for file in self.files()? {
            let bytes = fs::read(&file)?;
            let mut attempts = match file.extension().is_some_and(|kind| kind == "seg") {
                true => from_columns(&zstd::decode_all(bytes.as_slice())?)
                    .map_err(|broken| io::Error::other(format!("{}: {broken}", file.display())))?,
                false => from_records(&bytes),
            };
            if !attempts.is_empty() {
                take(to_columns(&mut attempts), &attempts)?;
            }
        }
        Ok(())
    }

    /// Removes it, once it is kept elsewhere.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::{Ended, Family, Latency, Times};

    fn head() -> Head {
        Head {
            schema: 1,
            collector: "portals".to_owned(),
            hour: Ts::from_micros(0).expect("an instant"),
            sitting: "a".to_owned(),
            slot_micros: 5_000_000,
            confirm: 3,
            slower_than_micros: None,
            both: false,
            spec: String::new(),
            text: String::new(),
            targets: Vec::new(),
        }
    }

    fn attempt(no: u32) -> Attempt {
        let (late, times) = (Latency::NONE, Times::default());
        let (slot, target) = (no / 100, no % 100);
        Attempt {
            target,
            slot,
            no: 1,
            family: Family::V4,
            late,
            times,
            status: 200,
            ended: Ended::Well,
            certificate_until: 0,
            text: String::new(),
        }
    }

    fn slots(left: &Left) -> usize {
        let mut n = 0;
        left.each(|_, attempts| {
            n += attempts.len();
            Ok(())
        })
        .expect("readable");
        n
    }

    #[test]
    fn what_was_written_is_found_packed_or_not() {
        let ground = tempfile::tempdir().expect("a folder");
        let hour = Ts::from_micros(7_200_000_000).expect("an instant");
        let mut spool = Spool::new(ground.path(), head());
        let mut n_packed = 0;
        for no in 0..30_000 {
            spool.append(hour, &attempt(no)).expect("taken");
            for chore in spool.write().expect("written") {
                // The first is left as it is: a copy may be killed before it packs.
                if n_packed > 0 {
                    chore.run().expect("packed");
                }
                n_packed += 1;
            }
        }
        assert!(n_packed >= 2, "{n_packed}");
        assert!(left(ground.path()).expect("readable").0.is_empty(), "it is still written to");
        spool.unsynced().into_iter().for_each(|chore| chore.run().expect("synced"));
        // Killed in the middle of a record.
        let folder = ground.path().join("portals/19700101T0200Z~a");
        let last = folder.join(name(n_packed + 1, "raw"));
        let cut = fs::read(&last).expect("records");
        fs::write(&last, &cut[..cut.len() - 3]).expect("cut");
        spool.close_before(Ts::from_micros(i64::from(i32::MAX) * 1_000_000).expect("an instant")).expect("closed");
        let found = left(ground.path()).expect("readable").0.pop().expect("one hour");
        assert_eq!((found.head.hour, slots(&found)), (hour, 29_999));
        // A look that ended after its hour was closed.
        spool.append(hour, &attempt(1)).expect("taken");
        spool.close_before(Ts::from_micros(i64::from(i32::MAX) * 1_000_000).expect("an instant")).expect("closed");
        let late = left(ground.path()).expect("readable").0.pop().expect("another folder");
        assert_eq!((late.head.hour, slots(&late), slots(&found)), (hour, 1, 29_999));
        late.remove().expect("removed");
        found.remove().expect("removed");
        assert!(left(ground.path()).expect("readable").0.is_empty());
    }
}
