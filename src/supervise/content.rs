//! What a program is known by, whatever it is called: a copy of `rm` under another name is `rm`.
//!
//! The build id that linkers leave in a program (elf(5), `NT_GNU_BUILD_ID`) stays in a copy that something
//! was appended to; else its size, beginning and end. That tells a copy, and nobody who builds a program
//! of their own: who can do that needs no copy.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, PermissionsExt};

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, fstat};
use sha2::{Digest, Sha256};

/// What the content of a file is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The build id of a program.
    Build(Vec<u8>),
    /// The hash of size, beginning and end.
    Hash([u8; 32]),
    /// It is no program.
    None,
}

/// How much of the beginning is looked at, and of the end.
pub const HEAD: usize = 4096;
const END: usize = 4096;
/// Where programs of the machine stand.
const PROGRAMS: &[&str] = &["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];
/// Where those stand that start other programs, and what is in their names.
const LOADERS: &[&str] = &["/lib64", "/lib"];
const LOADER: &str = ".so";
/// `PT_NOTE` and `NT_GNU_BUILD_ID` of elf(5).
const NOTE_SEGMENT: u64 = 4;
const BUILD_ID: u64 = 3;

/// The mark of a file that begins with `head`.
#[must_use]
pub fn mark(file: &File, head: &[u8]) -> Mark {
    if !head.starts_with(b"\x7fELF") {
        return Mark::None;
    }
    if let Some(id) = build_id(head) {
        return Mark::Build(id);
    }
    let size = file.metadata().map_or(0, |data| data.len());
    let mut end = [0; END];
    let from = size.saturating_sub(END as u64);
    let length = file.read_at(&mut end, from).unwrap_or(0);
    let mut hash = Sha256::new();
    hash.update(size.to_le_bytes());
    hash.update(head);
    hash.update(end.get(..length).unwrap_or_default());
    Mark::Hash(hash.finalize().into())
}

/// The marks of the machine's programs of these names; one that has several is known by the first.
#[must_use]
pub fn of_machine(names: &[String]) -> HashMap<Mark, String> {
    let (programs, loaders) = (folders(PROGRAMS), folders(LOADERS));
    let mut marks = HashMap::new();
    for name in names {
        let folders = if name.contains(LOADER) {
            &loaders
        } else {
            &programs
        };
        for mark in folders.iter().filter_map(|folder| mark_in(folder, name)) {
            marks.entry(mark).or_insert_with(|| name.clone());
        }
    }
    marks
}

/// Those of these folders that are there, each once, as `/bin` is mostly a link to `/usr/bin`.
fn folders(paths: &[&str]) -> Vec<OwnedFd> {
    let mut seen = Vec::new();
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = paths.iter().filter_map(|path| {
        let folder = open(*path, flags, Mode::empty()).ok()?;
        let stat = fstat(&folder).ok()?;
        let which = (stat.st_dev, stat.st_ino);
        let is_new = !seen.contains(&which);
        seen.push(which);
        is_new.then_some(folder)
    });
    opened.collect()
}

/// The mark of a program in a folder.
fn mark_in(folder: &OwnedFd, name: &str) -> Option<Mark> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty()).ok()?);
    let mut head = [0; HEAD];
    let length = file.read_at(&mut head, 0).ok()?;
    let mark = mark(&file, head.get(..length)?);
    let may_start = || {
        let data = file.metadata();
        data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    (mark != Mark::None && may_start()).then_some(mark)
}

/// A little-endian number; machines that are none of these have no build id here, but a hash.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(width)?)?;
    Some(
        part.iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
    )
}

/// The build id, where its note stands in the beginning of the file.
fn build_id(head: &[u8]) -> Option<Vec<u8>> {
    let wide = match head.get(4..6)? {
        [1, 1] => false,
        [2, 1] => true,
        _ => return None,
    };
    let (table, entry, count) = if wide {
        (
            number(head, 32, 8)?,
            number(head, 54, 2)?,
            number(head, 56, 2)?,
        )
    } else {
        (
            number(head, 28, 4)?,
            number(head, 42, 2)?,
            number(head, 44, 2)?,
        )
    };
    for place in 0..count {
        let at = usize::try_from(table.checked_add(place.checked_mul(entry)?)?).ok()?;
        if number(head, at, 4)? != NOTE_SEGMENT {
            continue;
        }
        let (offset, size) = if wide {
            (number(head, at + 8, 8)?, number(head, at + 32, 8)?)
        } else {
            (number(head, at + 4, 4)?, number(head, at + 16, 4)?)
        };
        let from = usize::try_from(offset).ok()?;
        let to = from
            .checked_add(usize::try_from(size).ok()?)?
            .min(head.len());
        if let Some(id) = head.get(from..to).and_then(id_in_notes) {
            return Some(id);
        }
    }
    None
}

/// The build id among notes: sizes of name and text, type, name, text, each part in fours.
fn id_in_notes(notes: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    loop {
        let name = usize::try_from(number(notes, at, 4)?).ok()?;
        let text = usize::try_from(number(notes, at + 4, 4)?).ok()?;
        let kind = number(notes, at + 8, 4)?;
        let from = (at + 12).checked_add(name.checked_next_multiple_of(4)?)?;
        let to = from.checked_add(text)?;
        if kind == BUILD_ID && notes.get(at + 12..at + 16) == Some(b"GNU\0") {
            return notes.get(from..to).map(<[u8]>::to_vec);
        }
        at = to.checked_next_multiple_of(4)?;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn mark_of(bytes: &[u8], name: &str) -> Mark {
        let path =
            std::env::temp_dir().join(format!("kibosh-content-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        mark(&file, &bytes[..bytes.len().min(4096)])
    }

    #[test]
    fn a_copy_has_the_mark_of_the_original() {
        let original = std::fs::read("/bin/rm").unwrap();
        let mut longer = original.clone();
        longer.extend_from_slice(b"more");
        let other = std::fs::read("/bin/ls").unwrap();
        let mark = mark_of(&original, "original");
        assert_eq!(mark, mark_of(&original, "copy"));
        if matches!(mark, Mark::Build(_)) {
            assert_eq!(mark, mark_of(&longer, "longer"));
        }
        assert_ne!(mark, mark_of(&other, "other"));
    }

    #[test]
    fn the_programs_of_the_machine_are_known_by_their_marks() {
        let loaders = [
            "/lib64/ld-linux-x86-64.so.2",
            "/lib/ld-linux-aarch64.so.1",
            "/lib/ld-musl-x86_64.so.1",
            "/lib/ld-musl-aarch64.so.1",
        ];
        let there = loaders.iter().find(|path| Path::new(path).exists());
        let loader = there.expect("the machine has a loader");
        let name_of_loader = loader.rsplit('/').next().unwrap();
        let names = ["rm", "no-such-program", "sh", name_of_loader];
        let marks = of_machine(&names.map(str::to_owned));
        let name_of = |path: &str| {
            let program = std::fs::read(path).unwrap();
            marks.get(&mark_of(&program, "known")).map(String::as_str)
        };
        assert_eq!(name_of("/bin/rm"), Some("rm"));
        assert_eq!(name_of("/bin/sh"), Some("sh"));
        assert_eq!(name_of("/bin/ls"), None);
        assert_eq!(name_of(loader), Some(name_of_loader));
        assert_eq!(folders(&["/", "/.", "/no-such-folder", "/usr"]).len(), 2);
    }

    #[test]
    fn without_a_build_id_size_beginning_and_end_tell() {
        let program = |end: &[u8]| [b"\x7fELF\x02\x01", [0u8; 9000].as_slice(), end].concat();
        let mark = mark_of(&program(b"a"), "a");
        assert!(matches!(mark, Mark::Hash(_)));
        assert_eq!(mark, mark_of(&program(b"a"), "same"));
        assert_ne!(mark, mark_of(&program(b"b"), "b"));
        assert_ne!(mark, mark_of(&program(b"aa"), "aa"));
    }

    #[test]
    fn what_is_no_program_has_none_and_broken_ones_do_no_harm() {
        assert_eq!(mark_of(b"#!/bin/sh\n", "script"), Mark::None);
        let rm = std::fs::read("/bin/rm").unwrap();
        for length in 4..600 {
            let _ = mark_of(&rm[..length], "cut");
        }
        for at in 4..200 {
            let mut bent = rm[..4096].to_vec();
            bent[at] ^= 0xff;
            let _ = mark_of(&bent, "bent");
        }
    }
}
