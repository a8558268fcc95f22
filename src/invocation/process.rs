//! Another process through its folder below `/proc`: where its names lead, and what its descriptors are.
//!
//! Names are resolved as the process itself would, from its root and its working directory. A file is
//! held (`O_PATH`) and looked at before it is opened, so that no pipe gets a reader and no device notices.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

/// The major numbers of devices that are terminals, by the kernel's `devices.txt`: pseudo-terminals,
/// virtual consoles, `/dev/tty`, and serial lines.
const TERMINALS: &[u64] = &[
    3, 4, 5, 136, 137, 138, 139, 140, 141, 142, 143, 166, 188, 204, 229,
];

/// Another process.
#[derive(Debug)]
pub(super) struct Process {
    /// Its folder.
    pub folder: PathBuf,
    /// Its environment.
    pub environment: Vec<Vec<u8>>,
    /// Its working directory.
    pub cwd: Option<PathBuf>,
}

impl Process {
    /// Holds the file behind one of its descriptors.
    pub fn descriptor(&self, number: u32) -> io::Result<File> {
        hold(&self.folder.join(format!("fd/{number}")))
    }

    /// Where a descriptor stands in its file.
    pub fn offset(&self, number: u32) -> Option<i64> {
        let text = std::fs::read_to_string(self.folder.join(format!("fdinfo/{number}"))).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("pos:"))?;
        line.trim().parse().ok()
    }

    /// Whether a descriptor is a terminal.
    pub fn is_terminal(&self, number: u32) -> bool {
        self.descriptor(number)
            .and_then(|file| file.metadata())
            .is_ok_and(|data| is_terminal(&data))
    }

    /// Holds the file that the process would open by this name.
    pub fn open(&self, name: &Path) -> io::Result<File> {
        if name.as_os_str().is_empty() {
            return Err(Errno::ENOENT.into());
        }
        if let Some(below) = below_itself(name) {
            return hold(&self.folder.join(below));
        }
        let (folder, resolve) = if name.is_absolute() {
            ("root", ResolveFlag::RESOLVE_IN_ROOT)
        } else {
            ("cwd", ResolveFlag::RESOLVE_NO_MAGICLINKS)
        };
        let from = hold(&self.folder.join(folder))?;
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(resolve);
        let file = match openat2(&from, name, how) {
            Ok(file) => File::from(file),
            // A kernel or a sandbox without the call: links are then followed from our own root.
            Err(Errno::ENOSYS | Errno::EPERM) => hold(
                &self
                    .folder
                    .join(folder)
                    .join(name.strip_prefix("/").unwrap_or(name)),
            )?,
            Err(error) => return Err(error.into()),
        };
        // A link that leads into `/proc/self` leads to us here, not to the process.
        if fstatfs(&file)?.filesystem_type() == PROC_SUPER_MAGIC {
            return Err(Errno::ELOOP.into());
        }
        Ok(file)
    }
}

/// Holds a file by a name of ours.
fn hold(name: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(name)
}

/// The rest of a name that leads to the process itself: below its folder in `/proc`.
fn below_itself(name: &Path) -> Option<PathBuf> {
    let mut parts = Vec::new();
    for component in name.components() {
        match component {
            Component::RootDir => {}
            Component::Normal(part) => parts.push(part),
            Component::ParentDir | Component::CurDir | Component::Prefix(_) => return None,
        }
    }
    if !name.is_absolute() {
        return None;
    }
    let text = |part: &&OsStr| part.as_bytes().to_vec();
    let first: Vec<Vec<u8>> = parts.iter().take(2).map(text).collect();
    let first: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
    let (start, skip) = match first.as_slice() {
        [b"proc", b"self" | b"thread-self"] => ("", 2),
        [b"dev", b"fd"] => ("fd", 2),
        [b"dev", b"stdin"] => ("fd/0", 2),
        [b"dev", b"stdout"] => ("fd/1", 2),
        [b"dev", b"stderr"] => ("fd/2", 2),
        _ => return None,
    };
    let mut below = PathBuf::from(start);
    below.extend(parts.into_iter().skip(skip));
    Some(below)
}

fn is_terminal(data: &Metadata) -> bool {
    let major = nix::sys::stat::major(data.rdev());
    data.file_type().is_char_device() && TERMINALS.contains(&major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_itself_are_told_by_their_text() {
        for (name, below) in [
            ("/dev/stdin", Some("fd/0")),
            ("//dev/./stdin", Some("fd/0")),
            ("/dev/fd/63", Some("fd/63")),
            ("/proc/self/fd/0", Some("fd/0")),
            ("/proc/self/cwd/x", Some("cwd/x")),
            ("/proc/1/fd/0", None),
            ("/dev/null", None),
            ("/dev/x/../stdin", None),
            ("dev/stdin", None),
            ("stdin", None),
        ] {
            assert_eq!(
                below_itself(Path::new(name)),
                below.map(PathBuf::from),
                "{name}"
            );
        }
    }
}
