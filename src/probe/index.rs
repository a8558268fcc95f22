//! What an index of git says of its entries that git-status(1) does not tell: bits by which a change is not
//! looked for, submodules; and which files are surely as it has them.
//!
//! Takes the file of an index (gitformat-index(5), versions 2 to 4), gives what stands in it. In doubt it
//! says that something is hidden, and that a file is not surely so.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is in an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Some entry may be changed without git looking (`assume-unchanged`, `skip-worktree`), or there are
    /// entries elsewhere.
    pub hides: bool,
    /// There are submodules.
    pub submodules: bool,
}

const HIDDEN: Contents = Contents {
    hides: true,
    submodules: true,
};

/// The longest index that is read, in bytes.
const LONGEST: u64 = 256 << 20;

const ASSUME_VALID: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const LENGTH: u16 = 0x0fff;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;
const KIND: u32 = 0o170_000;
const SUBMODULE: u32 = 0o160_000;
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const EXECUTABLE: u32 = 0o100;

/// How much of an index is in memory at once; the longest entry and the heads of extensions are shorter.
const WINDOW: usize = 128 << 10;
const LONGEST_ENTRY: usize = 8 << 10;

/// An index that is looked through, once for each question.
#[derive(Debug)]
pub(super) struct Index {
    /// None where there is none yet.
    file: Option<File>,
    /// When it was written: seconds and nanoseconds.
    written: (i64, i64),
    name_length: usize,
}

/// A part of a file after the other.
struct Window<'f> {
    file: &'f File,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window<'_> {
    /// What comes next: so many bytes, or more, or all that are left.
    #[inline]
    fn next(&mut self, length: usize) -> Option<&[u8]> {
        if self.end - self.start < length {
            self.fill()?;
        }
        self.bytes.get(self.start..self.end)
    }

    fn fill(&mut self) -> Option<()> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.bytes.len() {
            match self.file.read(self.bytes.get_mut(self.end..)?) {
                Ok(0) => break,
                Ok(length) => self.end += length,
                Err(_) => return None,
            }
        }
        Some(())
    }

    #[inline]
    fn pass(&mut self, length: usize) {
        self.start = (self.start + length).min(self.end);
    }
}

/// Gives what is at a path of the working tree.
type Looking<'l> = dyn FnMut(&[u8]) -> Result<Option<Metadata>, ()> + 'l;

/// An entry.
struct Entry<'e> {
    path: &'e [u8],
    /// Ten numbers, from the time of its change to its size.
    stat: &'e [u8],
    flags: u16,
    extended: u16,
}

impl Index {
    /// Opens one. One that does not exist is empty; none where it cannot be read.
    pub fn open(path: &Path, name_length: usize) -> Option<Self> {
        let mut index = Self {
            file: None,
            written: (0, 0),
            name_length,
        };
        match File::open(path) {
            Ok(file) => {
                let data = file.metadata().ok().filter(|data| data.len() <= LONGEST)?;
                index.written = (data.mtime(), data.mtime_nsec());
                index.file = Some(file);
                Some(index)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Some(index),
            Err(_) => None,
        }
    }

    /// What stands in it, of paths below `below` only, where that is given.
    pub fn contents(&self, below: Option<&[u8]>) -> Contents {
        let mut found = Contents::default();
        let read = self.each(&mut |entry| {
            if below.is_none_or(|below| is_below(entry.path, below)) {
                let kind = entry.mode() & KIND;
                found.hides |= entry.is_hidden() || kind == DIRECTORY;
                found.submodules |= kind == SUBMODULE;
            }
        });
        match read {
            Some(is_elsewhere) => {
                found.hides |= is_elsewhere;
                found
            }
            None => HIDDEN,
        }
    }

    /// How many of the files below a path are there, if each of them surely is as the index has it; none
    /// where one may be another, so that git must look.
    ///
    /// `look` gives what is at a path, which is relative to the root of the working tree.
    pub fn surely_same(&self, below: &[u8], look: &mut Looking<'_>) -> Option<u64> {
        let mut there = Some(0);
        let read = self.each(&mut |entry| {
            if there.is_none() || !is_below(entry.path, below) {
                return;
            }
            there = match look(entry.path) {
                Ok(Some(data)) if entry.is_surely(&data, self.written) => {
                    there.map(|number| number + 1)
                }
                Ok(None) if entry.is_plain() => there,
                Ok(_) | Err(()) => None,
            };
        });
        there.filter(|_| read == Some(false))
    }

    /// How many of the files below a path are there; none where that cannot be told. `look` as above.
    pub fn there(&self, below: &[u8], look: &mut Looking<'_>) -> Option<u64> {
        let mut there = Some(0);
        let mut last: Vec<u8> = Vec::new();
        let read = self.each(&mut |entry| {
            // In a conflict a path has several entries.
            if there.is_none() || !is_below(entry.path, below) || entry.path == last {
                return;
            }
            last = entry.path.to_vec();
            there = match look(entry.path) {
                Ok(Some(data)) => there.map(|number| number + u64::from(!data.is_dir())),
                Ok(None) => there,
                Err(()) => None,
            };
        });
        there.filter(|_| read == Some(false))
    }

    /// Goes through the entries; says whether there are more in another file, or directories for entries. None
    /// where it is not in a form that is known.
    fn each(&self, visit: &mut impl FnMut(&Entry<'_>)) -> Option<bool> {
        let Some(mut file) = self.file.as_ref() else {
            return Some(false);
        };
        file.rewind().ok()?;
        let mut window = Window {
            file,
            bytes: vec![0; WINDOW],
            start: 0,
            end: 0,
        };
        let mut rest = window.next(LONGEST_ENTRY)?.strip_prefix(b"DIRC")?;
        let version = number(&mut rest)?;
        let count = number(&mut rest)?;
        window.pass(12);
        if !(2..=4).contains(&version) {
            return None;
        }
        let mut built: Vec<u8> = Vec::new();
        for _ in 0..count {
            let whole = window.next(LONGEST_ENTRY)?;
            let mut rest = whole;
            let stat = take(&mut rest, 40)?;
            take(&mut rest, self.name_length)?;
            let flags = short(&mut rest)?;
            let extended = if flags & EXTENDED == 0 {
                0
            } else {
                short(&mut rest)?
            };
            // The entry ends in one to eight zeros, or in one. A path is as long as the flags say, where they can.
            let (path, end) = if version == 4 {
                let cut = offset(&mut rest)?;
                built.truncate(built.len().checked_sub(cut)?);
                let length = zero(rest)?;
                built.extend_from_slice(take(&mut rest, length)?);
                (built.as_slice(), 1)
            } else {
                let length = zero(rest)?;
                let path = take(&mut rest, length)?;
                (path, 8 - (whole.len() - rest.len()) % 8)
            };
            let told = usize::from(flags & LENGTH);
            if path.len().min(LENGTH.into()) != told {
                return None;
            }
            let used = whole.len() - rest.len() + end;
            visit(&Entry {
                path,
                stat,
                flags,
                extended,
            });
            if used > whole.len() {
                return None;
            }
            window.pass(used);
        }
        let mut is_elsewhere = false;
        // Behind the entries stand extensions, and last a checksum.
        loop {
            let mut rest = window.next(LONGEST_ENTRY)?;
            if rest.len() <= self.name_length {
                return (rest.len() == self.name_length).then_some(is_elsewhere);
            }
            let name = take(&mut rest, 4)?;
            is_elsewhere |= name == b"link" || name == b"sdir";
            let mut left = usize::try_from(number(&mut rest)?).ok()?;
            window.pass(8);
            while left > 0 {
                let length = window.next(1)?.len().min(left);
                if length == 0 {
                    return None;
                }
                window.pass(length);
                left -= length;
            }
        }
    }
}

impl Entry<'_> {
    fn mode(&self) -> u32 {
        self.number(6)
    }

    /// One of the numbers; all of them are there.
    fn number(&self, place: usize) -> u32 {
        let mut rest = self.stat.get(4 * place..).unwrap_or_default();
        number(&mut rest).unwrap_or_default()
    }

    fn is_hidden(&self) -> bool {
        self.flags & ASSUME_VALID != 0 || self.extended & SKIP_WORKTREE != 0
    }

    /// Whether it is a file or a link that is in no conflict and hides nothing.
    fn is_plain(&self) -> bool {
        let kind = self.mode() & KIND;
        !self.is_hidden()
            && self.flags & STAGE == 0
            && self.extended & INTENT_TO_ADD == 0
            && (kind == FILE || kind == libc::S_IFLNK)
    }

    /// Whether a file surely is the one that was put into the index: all that is known of it is the same, and
    /// it was not written in the instant of the index or later (git's own `racy-git.adoc`).
    fn is_surely(&self, data: &Metadata, written: (i64, i64)) -> bool {
        let [c, c_nano, m, m_nano, _, inode, mode, user, group, size] =
            std::array::from_fn(|place| self.number(place));
        let low = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
        let time = |seconds: i64| low(seconds.cast_unsigned());
        let kind = data.mode() & KIND;
        let is_executable = |mode: u32| kind == FILE && mode & EXECUTABLE != 0;
        self.is_plain()
            // Of a file without content git does not tell more.
            && size != 0
            && (i64::from(m), i64::from(m_nano)) < written
            && kind == mode & KIND
            && is_executable(data.mode()) == is_executable(mode)
            && (time(data.ctime()), time(data.ctime_nsec())) == (c, c_nano)
            && (time(data.mtime()), time(data.mtime_nsec())) == (m, m_nano)
            && (low(data.ino()), data.uid(), data.gid()) == (inode, user, group)
            && low(data.len()) == size
    }
}

/// Whether a path is a folder or below it; all are below the root.
#[inline]
fn is_below(path: &[u8], folder: &[u8]) -> bool {
    // Most differ before they are as long.
    let ends = path.get(folder.len()).is_none_or(|&byte| byte == b'/');
    folder.is_empty() || ends && path.starts_with(folder)
}

/// Where the next zero is.
#[inline]
fn zero(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == 0)
}

#[inline]
fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[inline]
fn number(rest: &mut &[u8]) -> Option<u32> {
    let bytes = take(rest, 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

#[inline]
fn short(rest: &mut &[u8]) -> Option<u16> {
    let bytes = take(rest, 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// A number of variable length, as packs have it for the offset of a delta.
fn offset(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0usize;
    for place in 0..8 {
        let byte = *take(rest, 1)?.first()?;
        if place > 0 {
            value = value.checked_add(1)?;
        }
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_through(bytes: &[u8], below: Option<&[u8]>) -> Contents {
        let name = format!("kibosh-index-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        let contents = Index::open(&path, 20).unwrap().contents(below);
        std::fs::remove_file(&path).unwrap();
        contents
    }

    /// An index of version 2 with these modes, flags beyond the length of the path, and paths, and one extension.
    fn index(entries: &[(u32, u16, &str)], extension: &[u8]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        for (mode, flags, path) in entries {
            let start = bytes.len();
            bytes.extend([0; 24]);
            bytes.extend(mode.to_be_bytes());
            bytes.extend([0; 32]);
            let length = u16::try_from(path.len()).unwrap();
            bytes.extend((flags ^ length).to_be_bytes());
            bytes.extend(path.as_bytes());
            let used = bytes.len() - start;
            bytes.resize(bytes.len() + 8 - used % 8, 0);
        }
        bytes.extend(extension);
        bytes.extend([0; 20]);
        bytes
    }

    #[test]
    fn bits_that_hide_changes_are_seen_where_they_are_asked_for() {
        let plain = Contents::default();
        let hides = Contents {
            hides: true,
            ..plain
        };
        let submodules = Contents {
            submodules: true,
            ..plain
        };
        let file = 0o100_644;
        for (entries, extension, below, expected) in [
            (
                vec![(file, 0, "a/b"), (file, 0, "a/bcdefg")],
                &b""[..],
                None,
                plain,
            ),
            (vec![(file, 0x8000, "a/b")], b"", None, hides),
            (vec![(file, 0x8000, "a/b")], b"", Some(&b"a"[..]), hides),
            (
                vec![(file, 0x8000, "a/b"), (file, 0, "c")],
                b"",
                Some(b"c"),
                plain,
            ),
            (vec![(file, 0x8000, "ab")], b"", Some(b"a"), plain),
            (vec![(file, 0x8000, "ab")], b"", Some(b""), hides),
            (vec![(0o160_000, 0, "sub")], b"", None, submodules),
            (vec![(0o040_000, 0, "far")], b"", None, hides),
            (vec![(file, 0, "a")], b"link\0\0\0\x01x", None, hides),
            (vec![(file, 0, "a")], b"TREE\0\0\0\x01x", None, plain),
        ] {
            let bytes = index(&entries, extension);
            assert_eq!(looked_through(&bytes, below), expected, "{entries:?}");
            assert_eq!(looked_through(&bytes[..bytes.len() - 25], below), HIDDEN);
        }
        let none = Index::open(Path::new("/nowhere/index"), 20).unwrap();
        assert_eq!(none.contents(None), plain);
        assert_eq!(looked_through(b"", None), HIDDEN);
        // Git would read another path than stands there.
        let other_length = index(&[(file, 0x0001, "a/b")], b"");
        assert_eq!(looked_through(&other_length, None), HIDDEN);
        assert_eq!(looked_through(b"DIRC\0\0\0\x05\0\0\0\0", None), HIDDEN);
    }
}
