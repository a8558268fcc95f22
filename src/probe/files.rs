//! Files and directories, counted: how many there are, their size, and repositories among them.
//!
//! Takes paths and what is no loss, gives numbers. It never follows a link, and it stops at a number of
//! entries and at a time.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many entries are looked at.
const MOST: u64 = 100_000;

/// What may be spent on looking.
#[derive(Debug)]
pub(super) struct Limits {
    /// When to stop.
    until: Instant,
    /// How many more entries are looked at.
    left: u64,
    /// How often the time was not looked at.
    unasked: u8,
}

impl Limits {
    /// Up to a time.
    pub fn until(until: Instant) -> Self {
        Self {
            until,
            left: MOST,
            unasked: 0,
        }
    }

    /// None that are left.
    #[cfg(test)]
    pub fn none() -> Self {
        Self {
            left: 0,
            ..Self::until(Instant::now())
        }
    }

    /// Whether another entry may be looked at.
    pub fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        !self.is_over()
    }

    /// Whether nothing more may be looked at.
    fn is_over(&mut self) -> bool {
        self.unasked = (self.unasked + 1) % 64;
        if self.unasked == 0 && Instant::now() >= self.until {
            self.left = 0;
        }
        self.left == 0
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
    pub repositories: Vec<PathBuf>,
    /// Whether something was left out because it is kept.
    pub is_partly_kept: bool,
    /// Whether something could not be looked at: it is another file system, a device, or the limits are
    /// reached.
    pub is_cut: bool,
}

/// What is at a path, without following a link; `Ok(None)` where nothing is. An error too where a file stands
/// in place of a directory above: it may have to give way.
pub(super) fn at(path: &Path) -> Result<Option<Metadata>, ()> {
    match path.symlink_metadata() {
        Ok(data) => Ok(Some(data)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(()),
    }
}

/// Whether there is a directory, links followed.
pub(super) fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_dir())
}

/// A length as a number of a loss.
pub(super) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Whether there is a file of bytes, links followed.
pub(super) fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file())
}

/// The content of a file, links followed; `Ok(None)` where nothing is there. What is no file, cannot be read or is longer
/// than `most` bytes is an error.
pub(super) fn content(path: &Path, most: u64) -> Result<Option<Vec<u8>>, ()> {
    let mut options = OpenOptions::new();
    let file = match options.read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        // A link that leads nowhere is something, and so is what stands in the way.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return at(path).and_then(|found| found.is_none().then_some(None).ok_or(()));
        }
        Err(_) => return Err(()),
    };
    let is_file = file.metadata().map_err(drop)?.is_file();
    let mut content = Vec::new();
    let read = file.take(most).read_to_end(&mut content).map_err(drop)?;
    let is_whole = u64::try_from(read).is_ok_and(|read| read < most);
    (is_file && is_whole).then_some(Some(content)).ok_or(())
}

/// Of what lies below a path, what is asked whether it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Directories.
    Folders,
    /// Directories and files.
    All,
}

/// Counts what is at a path and below it. What is below and whose name `is_kept` is left out, with all that it
/// holds; a repository's folder is never kept.
pub(super) fn count(
    path: &Path,
    is_kept: &dyn Fn(&Path) -> bool,
    asked: Asked,
    limits: &mut Limits,
) -> Counted {
    let mut counted = Counted::default();
    let Ok(Some(data)) = at(path) else {
        return counted;
    };
    let device = data.dev();
    let mut open: Vec<(PathBuf, Metadata)> = vec![(path.to_owned(), data)];
    while let Some((found, data)) = open.pop() {
        if limits.is_over() {
            counted.is_cut = true;
            return counted;
        }
        let name = found.file_name().unwrap_or_default();
        if is_repository(&found) {
            counted.repositories.push(found);
            continue;
        }
        let is_asked = found != path && (data.is_dir() || asked == Asked::All);
        if is_asked && is_kept(Path::new(name)) {
            counted.is_partly_kept = true;
            continue;
        }
        if data.dev() != device {
            counted.is_cut = true;
        } else if data.is_dir() {
            let Ok(entries) = fs::read_dir(&found) else {
                counted.is_cut = true;
                continue;
            };
            for entry in entries {
                if !limits.spend() {
                    counted.is_cut = true;
                    break;
                }
                match entry.and_then(|entry| entry.metadata().map(|data| (entry.path(), data))) {
                    Ok(found) if !found.1.is_dir() && asked == Asked::Folders => {
                        counted.add(&found.1);
                        if is_repository(&found.0) {
                            counted.repositories.push(found.0);
                        }
                    }
                    Ok(found) => open.push(found),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(_) => counted.is_cut = true,
                }
            }
        } else {
            counted.add(&data);
        }
    }
    counted
}

/// Whether this is the file that stands for a repository elsewhere.
fn is_repository(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.eq_ignore_ascii_case(".git"))
}

impl Counted {
    /// Adds one that is no directory. A pipe or a socket holds nothing; a device may.
    fn add(&mut self, data: &Metadata) {
        let kind = data.file_type();
        if kind.is_file() || kind.is_symlink() {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(data.len());
        } else {
            self.is_cut |= kind.is_block_device() || kind.is_char_device();
        }
    }
}
