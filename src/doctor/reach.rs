//! Whether a user could change a file, or put another in its place.
//!
//! Asks the kernel about each folder on the way, which also knows of access lists and of file systems that
//! are mounted for reading only; nothing is tried.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat, geteuid};

use super::facts::Reach;

/// How the user of this process could change what stands at a path, or make it where nothing does.
#[must_use]
pub fn reach(path: &Path) -> Reach {
    let there = existing(path);
    if there == path && can_write(path) {
        return Reach::Itself;
    }
    if there != path && can_write(there) {
        return Reach::Folder(there.display().to_string());
    }
    let behind = there.canonicalize().ok();
    let ways = std::iter::once(there).chain(behind.as_deref());
    for way in ways {
        if let Some(folder) = replaceable(way) {
            return Reach::Folder(folder.display().to_string());
        }
    }
    Reach::No
}

/// Whether the user of this process can write a file, or make it.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    let there = existing(path);
    let wanted = if there == path {
        AccessFlags::W_OK
    } else {
        AccessFlags::W_OK | AccessFlags::X_OK
    };
    faccessat(AT_FDCWD, there, wanted, AtFlags::AT_EACCESS).is_ok()
}

/// The path, or the nearest above it that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|one| fs::symlink_metadata(one).is_ok())
        .unwrap_or(Path::new("/"))
}

/// Whether what is there can be written, now or after its owner has changed the mode.
fn can_write(path: &Path) -> bool {
    match faccessat(AT_FDCWD, path, AccessFlags::W_OK, AtFlags::AT_EACCESS) {
        Ok(()) => true,
        Err(Errno::EROFS) => false,
        Err(_) => fs::metadata(path).is_ok_and(|one| one.uid() == geteuid().as_raw()),
    }
}

/// The nearest folder above a path in which something on the way to it could be exchanged.
fn replaceable(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .zip(path.ancestors().skip(1))
        .find_map(|(entry, folder)| {
            let folder = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            can_exchange(entry, folder).then(|| folder.to_owned())
        })
}

/// Whether an entry of a folder can be exchanged: in a sticky folder only by the owner of either
/// (inode(7)).
fn can_exchange(entry: &Path, folder: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    if !can_write(folder) {
        return false;
    }
    let me = geteuid().as_raw();
    let Ok(metadata) = fs::metadata(folder) else {
        return true;
    };
    metadata.mode() & STICKY == 0
        || me == 0
        || metadata.uid() == me
        || fs::symlink_metadata(entry).is_ok_and(|one| one.uid() == me)
}
