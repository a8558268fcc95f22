//! Files and directories, counted: how many there are, their size, and repositories among them.
//!
//! Takes paths and what is no loss, gives numbers. It never follows a link, and it stops at a number of
//! entries and at a time.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::unistd::{User, getuid};

use super::mounts;
use crate::invocation::View;

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
    read(path, most, Waiting::Never).map_err(drop)
}

/// Whether one waits for who keeps others from a file (`F_SETLEASE` of fcntl(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// EAGAIN is what one gets then.
    Never,
    /// Until the kernel makes an end of it. Only for a file of bytes, and where somebody sees to it that it is not for long.
    Meanwhile,
}

/// As [`content`], with the reason.
pub(super) fn read(path: &Path, most: u64, waiting: Waiting) -> Result<Option<Vec<u8>>, Errno> {
    let number = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    let flags = match waiting {
        Waiting::Never => libc::O_NONBLOCK,
        Waiting::Meanwhile => 0,
    };
    let mut options = OpenOptions::new();
    let file = match options.read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        // A link that leads nowhere is something, and so is what stands in the way.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let found = at(path).map_err(|()| Errno::EIO)?;
            return found.is_none().then_some(None).ok_or(Errno::ENOENT);
        }
        Err(error) => return Err(number(error)),
    };
    let is_file = file.metadata().map_err(number)?.is_file();
    let mut content = Vec::new();
    let read = file.take(most).read_to_end(&mut content).map_err(number)?;
    let is_whole = u64::try_from(read).is_ok_and(|read| read < most);
    (is_file && is_whole)
        .then_some(Some(content))
        .ok_or(Errno::EFBIG)
}

/// Whether looking for what is at a path surely asks nobody but the kernel. Where it is not, one may wait for ever.
pub(super) fn is_at_hand(path: &Path) -> bool {
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return false;
    }
    let held = path
        .ancestors()
        .find_map(|above| Some((above, hold(above)?)));
    let Some((above, held)) = held else {
        return false;
    };
    // Before that, even what it is would be asked of somebody.
    if !mounts::is_own(&held) {
        return false;
    }
    let Ok(data) = held.metadata() else {
        return false;
    };
    // What the kernel has not in mind is looked for name by name, on the same file system.
    let mut at = above.to_path_buf();
    for part in path.strip_prefix(above).unwrap_or(path).components() {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(found) if !found.is_symlink() && found.dev() == data.dev() => {}
            Err(error) => return error.kind() == ErrorKind::NotFound,
            Ok(_) => return false,
        }
    }
    true
}

/// Holds what the kernel finds at a path without asking a file system; none where it would have to.
fn hold(path: &Path) -> Option<File> {
    /// `RESOLVE_CACHED` of linux/openat2.h (Linux 5.12).
    const IN_MIND: ResolveFlag = ResolveFlag::from_bits_retain(0x20);
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(IN_MIND);
    openat2(AT_FDCWD, path, how).ok().map(File::from)
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

/// Where settings of a process's user may be: each `HOME` that it has, and what the system says. None where the system does
/// not say.
pub(super) fn homes(view: &View) -> Option<Vec<PathBuf>> {
    let user = User::from_uid(getuid()).ok()??;
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let homes = view.values("HOME").map(path).chain([user.dir]);
    Some(homes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_finds_by_itself_is_at_hand() {
        let place = std::env::temp_dir().canonicalize().unwrap();
        let place = place.join(format!("kibosh-hand-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", place.join("link")).unwrap();
        for (path, expected) in [
            (place.join("file"), true),
            (place.clone(), true),
            (place.join("none"), true),
            (place.join("none/none"), true),
            (place.join("file/none"), false),
            // Where a link leads is not known by where it is.
            (place.join("link"), false),
            (place.join("link/none"), false),
            (place.join("../x"), false),
            (PathBuf::from("file"), false),
        ] {
            assert_eq!(is_at_hand(&path), expected, "{}", path.display());
        }
        fs::remove_dir_all(&place).unwrap();
    }
}
