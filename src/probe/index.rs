//! What an index of git says of its entries that git-status(1) does not tell: bits by which a change is not
//! looked for, and submodules.
//!
//! Takes the bytes of an index (gitformat-index(5), versions 2 to 4), gives what stands in it. In doubt it
//! says that something is hidden.

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
const SKIP_WORKTREE: u16 = 0x4000;
const KIND: u32 = 0o170_000;
const SUBMODULE: u32 = 0o160_000;
const DIRECTORY: u32 = 0o040_000;

/// Looks through an index, of paths below `below` only, where that is given. One that does not exist is
/// empty.
pub(super) fn contents(file: &Path, name_length: usize, below: Option<&[u8]>) -> Contents {
    match file.metadata() {
        Ok(data) if data.len() <= LONGEST => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Contents::default(),
        Ok(_) | Err(_) => return HIDDEN,
    }
    let bytes = std::fs::read(file).unwrap_or_default();
    looked_through(&bytes, name_length, below).unwrap_or(HIDDEN)
}

fn looked_through(bytes: &[u8], name_length: usize, below: Option<&[u8]>) -> Option<Contents> {
    let mut rest = bytes.strip_prefix(b"DIRC")?;
    let version = number(&mut rest)?;
    let count = number(&mut rest)?;
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut found = Contents::default();
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..count {
        let before = rest.len();
        // Times, device and inode stand before the mode; owner, group and size after it.
        take(&mut rest, 24)?;
        let mode = number(&mut rest)?;
        take(&mut rest, 12 + name_length)?;
        let flags = short(&mut rest)?;
        let extended = if flags & EXTENDED == 0 {
            0
        } else {
            short(&mut rest)?
        };
        if version == 4 {
            let cut = offset(&mut rest)?;
            path.truncate(path.len().checked_sub(cut)?);
        } else {
            path.clear();
        }
        let length = rest.iter().position(|&byte| byte == 0)?;
        path.extend_from_slice(take(&mut rest, length)?);
        // The entry ends in one to eight zeros, or in one.
        let used = before - rest.len();
        let zeros = if version == 4 { 1 } else { 8 - used % 8 };
        take(&mut rest, zeros)?;
        if below.is_some_and(|below| !is_below(&path, below)) {
            continue;
        }
        found.hides |=
            flags & ASSUME_VALID != 0 || extended & SKIP_WORKTREE != 0 || mode & KIND == DIRECTORY;
        found.submodules |= mode & KIND == SUBMODULE;
    }
    // Behind the entries stand extensions, and last a checksum.
    while rest.len() > name_length {
        let name = take(&mut rest, 4)?;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        // Entries may be in another file, or stand for whole directories.
        found.hides |= name == b"link" || name == b"sdir";
        take(&mut rest, length)?;
    }
    (rest.len() == name_length).then_some(found)
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let bytes = take(rest, 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

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

    /// An index of version 2 with these modes, flags and paths, and one extension.
    fn index(entries: &[(u32, u16, &str)], extension: &[u8]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        for (mode, flags, path) in entries {
            let start = bytes.len();
            bytes.extend([0; 24]);
            bytes.extend(mode.to_be_bytes());
            bytes.extend([0; 32]);
            bytes.extend(flags.to_be_bytes());
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
                vec![(file, 3, "a/b"), (file, 7, "a/bcdefg")],
                &b""[..],
                None,
                plain,
            ),
            (vec![(file, 0x8003, "a/b")], b"", None, hides),
            (vec![(file, 0x8003, "a/b")], b"", Some(&b"a"[..]), hides),
            (
                vec![(file, 0x8003, "a/b"), (file, 1, "c")],
                b"",
                Some(b"c"),
                plain,
            ),
            (vec![(file, 0x8003, "ab")], b"", Some(b"a"), plain),
            (vec![(0o160_000, 3, "sub")], b"", None, submodules),
            (vec![(0o040_000, 3, "far")], b"", None, hides),
            (vec![(file, 1, "a")], b"link\0\0\0\x01x", None, hides),
            (vec![(file, 1, "a")], b"TREE\0\0\0\x01x", None, plain),
        ] {
            let bytes = index(&entries, extension);
            assert_eq!(
                looked_through(&bytes, 20, below),
                Some(expected),
                "{entries:?}"
            );
            assert_eq!(looked_through(&bytes[..bytes.len() - 25], 20, below), None);
        }
        assert_eq!(looked_through(b"", 20, None), None);
        assert_eq!(looked_through(b"DIRC\0\0\0\x05\0\0\0\0", 20, None), None);
    }
}
