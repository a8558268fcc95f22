//! Files and directories, counted: how many there are, their size, and repositories among them.
//!
//! Takes paths and what is no loss, gives numbers. It never follows a link, and it stops at a number of
//! entries and at a time.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many entries are looked at.
const MOST: u64 = 100_000;

/// What may be spent on looking.
#[derive(Debug)]
pub(super) struct Limits {
    /// When to stop.
    pub until: Instant,
    /// How many more entries are looked at.
    left: u64,
}

impl Limits {
    /// Up to a time.
    pub fn until(until: Instant) -> Self {
        Self { until, left: MOST }
    }

    /// Whether another entry may be looked at.
    pub fn spend(&mut self) -> bool {
        if self.left == 0 || self.left.is_multiple_of(64) && Instant::now() >= self.until {
            self.left = 0;
            return false;
        }
        self.left -= 1;
        true
    }
}

/// What is below a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Files and links.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Repositories, and what looks like one.
    pub repositories: u64,
    /// Whether something could not be looked at: it is another file system, a device, or the limits are
    /// reached.
    pub is_cut: bool,
}

/// What is at a path, without following a link; `Ok(None)` where nothing is.
pub(super) fn at(path: &Path) -> Result<Option<Metadata>, ()> {
    match path.symlink_metadata() {
        Ok(data) => Ok(Some(data)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(_) => Err(()),
    }
}

/// Counts what is at a path and below it. What `is_kept` says of a path relative to `base` is left out, with
/// all below it; that of a repository's folder is never asked.
pub(super) fn count(
    path: &Path,
    base: &Path,
    is_kept: &dyn Fn(&Path) -> bool,
    limits: &mut Limits,
) -> Counted {
    let mut counted = Counted::default();
    let Ok(Some(data)) = at(path) else {
        return counted;
    };
    let device = data.dev();
    let mut open: Vec<(PathBuf, Metadata)> = vec![(path.to_owned(), data)];
    while let Some((path, data)) = open.pop() {
        if path
            .file_name()
            .is_some_and(|name| name.eq_ignore_ascii_case(".git"))
        {
            counted.repositories += 1;
            continue;
        }
        if is_kept(path.strip_prefix(base).unwrap_or(&path)) {
            continue;
        }
        if data.dev() != device {
            counted.is_cut = true;
        } else if data.is_dir() {
            let Ok(entries) = fs::read_dir(&path) else {
                counted.is_cut = true;
                continue;
            };
            for entry in entries {
                if !limits.spend() {
                    // What was seen so far is told.
                    counted.is_cut = true;
                    break;
                }
                match entry.and_then(|entry| entry.metadata().map(|data| (entry.path(), data))) {
                    Ok(found) => open.push(found),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(_) => counted.is_cut = true,
                }
            }
        } else if data.is_file() || data.is_symlink() {
            counted.files += 1;
            counted.bytes = counted.bytes.saturating_add(data.len());
        } else {
            // A pipe or a socket holds nothing; a device may.
            use std::os::unix::fs::FileTypeExt;
            let kind = data.file_type();
            counted.is_cut |= kind.is_block_device() || kind.is_char_device();
        }
    }
    counted
}
