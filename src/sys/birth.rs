//! What stands at a path and when it was born, by one call (statx(2)), and the clock that such times are of.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// A time of the clock that the kernel stamps files by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of bytes.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was made; none where the file system does not tell.
    pub born: Option<Moment>,
    /// When its content was last written, as it says itself: whoever copies it may set that.
    pub written: Option<Moment>,
    /// The file system that it is on.
    pub device: (u32, u32),
}

/// `struct statx_timestamp` of linux/stat.h.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Time {
    seconds: i64,
    nanoseconds: u32,
    _spare: i32,
}

/// `struct statx` of linux/stat.h.
#[repr(C)]
#[derive(Default)]
struct Status {
    mask: u32,
    _block_size: u32,
    _attributes: u64,
    _links: u32,
    _owner: [u32; 2],
    mode: u16,
    _spare: u16,
    _inode: u64,
    size: u64,
    _blocks: u64,
    _attributes_mask: u64,
    _read: Time,
    born: Time,
    _changed: Time,
    written: Time,
    _device: [u32; 2],
    file_system: [u32; 2],
    _more: [u64; 14],
}

/// `STATX_TYPE`, `STATX_SIZE`, `STATX_MTIME` and `STATX_BTIME`.
const WANTED: u32 = 0x1 | 0x200 | WRITTEN | BORN;
/// `STATX_MTIME`.
const WRITTEN: u32 = 0x40;
/// `STATX_BTIME`.
const BORN: u32 = 0x800;

impl Moment {
    /// After all that are told.
    pub const NEVER: Self = Self {
        seconds: i64::MAX,
        nanoseconds: 0,
    };

    /// Now, by the clock of files. One that another process makes after this is not born earlier.
    ///
    /// # Errors
    ///
    /// That of the system.
    pub fn now() -> io::Result<Self> {
        Self::of(ClockId::CLOCK_REALTIME_COARSE)
    }

    /// Now, by the finer clock that the kernel may stamp files by as well. One that stands there was not born later.
    ///
    /// # Errors
    ///
    /// That of the system.
    pub fn latest() -> io::Result<Self> {
        Self::of(ClockId::CLOCK_REALTIME)
    }

    /// Whether it is not of the future: one that is, is from before the clock was set.
    #[must_use]
    pub fn has_come(self) -> bool {
        Self::latest().is_ok_and(|now| self <= now)
    }

    /// So long ago, by the clock of files.
    ///
    /// # Errors
    ///
    /// That of the system.
    pub fn ago(time: Duration) -> io::Result<Self> {
        let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE)?;
        Ok(Self::from(now - TimeSpec::from(time)))
    }

    fn of(clock: ClockId) -> io::Result<Self> {
        Ok(Self::from(clock_gettime(clock)?))
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Self {
        Self {
            seconds: time.seconds,
            nanoseconds: time.nanoseconds,
        }
    }
}

impl From<TimeSpec> for Moment {
    fn from(time: TimeSpec) -> Self {
        Self {
            seconds: time.tv_sec(),
            nanoseconds: u32::try_from(time.tv_nsec()).unwrap_or_default(),
        }
    }
}

/// What stands at a path; a link itself, unless it is to be `followed`.
///
/// # Errors
///
/// That of the system: nothing is there, or it cannot be looked at.
pub fn at(path: &Path, followed: bool) -> io::Result<Entry> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    let flags = if followed {
        0
    } else {
        libc::AT_SYMLINK_NOFOLLOW
    };
    let mut status = Status::default();
    #[expect(unsafe_code, reason = "a call without a safe form on each C library")]
    // SAFETY: the name ends in a zero, and the kernel writes a structure of this size.
    let outcome = unsafe {
        libc::syscall(
            libc::SYS_statx,
            libc::AT_FDCWD,
            name.as_ptr(),
            flags,
            WANTED,
            &raw mut status,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    let kind = match u32::from(status.mode) & libc::S_IFMT {
        libc::S_IFREG => Kind::File,
        libc::S_IFDIR => Kind::Folder,
        libc::S_IFLNK => Kind::Link,
        _ => Kind::Other,
    };
    let [major, minor] = status.file_system;
    Ok(Entry {
        kind,
        bytes: status.size,
        born: (status.mask & BORN != 0).then_some(status.born.into()),
        written: (status.mask & WRITTEN != 0).then_some(status.written.into()),
        device: (major, minor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_stands_there_is_told_with_when_it_was_made() {
        assert_eq!(size_of::<Status>(), 256);
        let folder = std::env::temp_dir().join(format!("kibosh-birth-{}", std::process::id()));
        let before = Moment::now().unwrap();
        fs::create_dir(&folder).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "four").unwrap();
        symlink("file", &link).unwrap();
        let after = Moment::latest().unwrap();

        let found = at(&file, false).unwrap();
        assert_eq!((found.kind, found.bytes), (Kind::File, 4));
        if let Some(born) = found.born {
            assert!(
                before <= born && born <= after,
                "{before:?} {born:?} {after:?}"
            );
        }
        assert_eq!(at(&link, false).unwrap().kind, Kind::Link);
        assert_eq!(at(&link, true).unwrap().kind, Kind::File);
        let above = at(&folder, false).unwrap();
        assert_eq!((above.kind, above.device), (Kind::Folder, found.device));
        assert_eq!(at(Path::new("/dev/null"), false).unwrap().kind, Kind::Other);
        assert!(at(&folder.join("none"), false).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
