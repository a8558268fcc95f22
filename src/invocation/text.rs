//! The text that the shell will run, as far as it can be had before the shell starts.
//!
//! A script is found and read as bash does it. Nothing that is read here is taken away from the shell:
//! the offset of a file on standard input stays where it was, and a pipe is not touched.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek};

use super::process::Process;
use super::view::{Seen, View};
use super::{Invocation, Source};

/// The longest text that is looked at. More than this is not read, and so not understood.
pub const LONGEST: usize = 4 << 20;

/// The names of standard input.
const STANDARD_INPUT: &[&str] = &["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// How much of a script bash looks at to tell a binary file, by its source (`check_binary_file`).
const SAMPLE: usize = 80;

/// What the shell will run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// All of it.
    Whole(Vec<u8>),
    /// Nothing: the shell will only print something.
    Nothing,
    /// It comes in while it runs.
    Stream,
    /// It is typed while it runs.
    Typed,
    /// It cannot be had; why, in a few words.
    Hidden(&'static str),
}

/// Whether a file, by its place and its length, is to be read.
pub type Wanted<'w> = &'w dyn Fn(&Path, u64) -> bool;

impl Text {
    /// The text for an invocation.
    #[must_use]
    pub fn of(invocation: &Invocation, view: &View) -> Self {
        Self::where_wanted(invocation, view, None).unwrap_or(Self::Nothing)
    }

    /// The text for an invocation; none where it is in a file that is not wanted, which is not read then.
    #[must_use]
    pub fn where_wanted(
        invocation: &Invocation,
        view: &View,
        wanted: Option<Wanted<'_>>,
    ) -> Option<Self> {
        let word = |place| invocation.word(place).unwrap_or_default();
        match invocation.source {
            Source::Nothing(_) => Some(Self::Nothing),
            Source::Typed => Some(Self::Typed),
            Source::Command(place) => Some(Self::Whole(word(place).as_bytes().to_vec())),
            Source::File(place) => script(word(place), view, wanted),
            Source::Input => match view.process() {
                None => Some(standard_input()),
                Some(process) => input_of(process, wanted),
            },
        }
    }
}

/// A file that another process has on its standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It has this name.
    File(PathBuf),
    /// It has none any more, as that of a here document, or none that tells which it is: what is left to be read in it.
    Text(Vec<u8>),
    /// It cannot be read.
    Hidden,
}

/// Whether a name tells which file it is, to whoever reads it.
fn is_told(place: &Path) -> bool {
    place.to_str().is_some() && !["/dev", "/proc"].iter().any(|own| place.starts_with(own))
}

impl Fed {
    /// What the process has there; none where it is no file or an empty one. Without a name no more than `longest` bytes
    /// are read.
    #[must_use]
    pub fn of(view: &View, longest: u64) -> Option<Self> {
        let process = view.process()?;
        let seen = match process.descriptor(0) {
            Ok(file) => Seen::held(file),
            Err(error) if is_missing(&error) => return None,
            Err(_) => return Some(Self::Hidden),
        };
        let Ok(data) = seen.data() else {
            return Some(Self::Hidden);
        };
        if !data.is_file() || data.len() == 0 {
            return None;
        }
        let is_it = |found: &File| {
            let found = found.metadata();
            found.is_ok_and(|found| (found.dev(), found.ino()) == (data.dev(), data.ino()))
        };
        if let Ok(place) = seen.place()
            && is_told(&place)
            && process.open(&place).as_ref().is_ok_and(is_it)
        {
            return Some(Self::File(place));
        }
        if data.len() > longest {
            return Some(Self::Hidden);
        }
        Some(match what_is_left(process, seen) {
            Text::Whole(text) => Self::Text(text),
            _ => Self::Hidden,
        })
    }
}

/// The content of a script, found by the rules of `open_shell_script` in bash's source.
fn script(name: &OsStr, view: &View, wanted: Option<Wanted<'_>>) -> Option<Text> {
    let here = Path::new(name);
    let elsewhere = !name.as_bytes().contains(&b'/') && view.lacks(here);
    match elsewhere.then(|| on_path(name, view)).flatten() {
        Some(file) => file_at(&file, view, wanted),
        None => file_at(here, view, wanted),
    }
}

/// The content of a file that the shell will execute.
pub(super) fn script_at(path: &Path, view: &View) -> Text {
    file_at(path, view, None).unwrap_or(Text::Nothing)
}

/// As [`script_at`]; none where it is a file that is not wanted.
fn file_at(path: &Path, view: &View, wanted: Option<Wanted<'_>>) -> Option<Text> {
    let other = view.process().is_some();
    let seen = match view.open(path) {
        Ok(seen) => seen,
        // What we cannot open of another process, that process perhaps can.
        Err(error) if other && !is_missing(&error) => {
            return Some(Text::Hidden("the script cannot be read"));
        }
        Err(_) => return Some(Text::Nothing),
    };
    let Ok(data) = seen.data() else {
        return Some(Text::Hidden("the script cannot be examined"));
    };
    let kind = data.file_type();
    if kind.is_dir() {
        return Some(Text::Nothing);
    }
    if other && !kind.is_file() {
        return Some(comes_in(&data));
    }
    if kind.is_fifo() && STANDARD_INPUT.iter().any(|name| path == Path::new(name)) {
        return Some(Text::Stream);
    }
    if kind.is_fifo() || kind.is_socket() {
        return Some(Text::Hidden("the script comes from a pipe"));
    }
    if !kind.is_file() {
        return Some(if is_null(path) {
            Text::Nothing
        } else {
            Text::Hidden("the script comes from a device")
        });
    }
    if !is_wanted(wanted, &seen, data.len()) {
        return None;
    }
    Some(match seen.reader().and_then(limited) {
        Ok(content) if content.len() > LONGEST => Text::Hidden("the script is too long"),
        Ok(content) if is_binary(&content) => Text::Nothing,
        Ok(content) => Text::Whole(content),
        Err(_) => Text::Hidden("the script cannot be read"),
    })
}

/// What standard input of another process holds, where it is a file, from where it stands.
fn input_of(process: &Process, wanted: Option<Wanted<'_>>) -> Option<Text> {
    let Ok(seen) = process.descriptor(0).map(Seen::held) else {
        return Some(Text::Nothing);
    };
    let Ok(data) = seen.data() else {
        return Some(Text::Hidden("standard input cannot be examined"));
    };
    if data.is_dir() {
        return Some(Text::Nothing);
    }
    if !data.is_file() {
        return Some(comes_in(&data));
    }
    if !is_wanted(wanted, &seen, data.len()) {
        return None;
    }
    Some(what_is_left(process, seen))
}

/// What is left to be read in the file on standard input of another process.
fn what_is_left(process: &Process, seen: Seen) -> Text {
    match (process.offset(0), seen.reader()) {
        (Some(start), Ok(file)) => rest_of(&file, start),
        (None, _) | (_, Err(_)) => Text::Hidden("standard input cannot be examined"),
    }
}

/// What a pipe, a socket or a device of another process gives while it runs.
fn comes_in(data: &Metadata) -> Text {
    if is_null_device(data) {
        Text::Nothing
    } else {
        Text::Stream
    }
}

/// Whether a file is to be read. Where its place cannot be told, nothing speaks against it.
fn is_wanted(wanted: Option<Wanted<'_>>, seen: &Seen, length: u64) -> bool {
    wanted.is_none_or(|wanted| wanted(&seen.place().unwrap_or_default(), length))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn is_null(path: &Path) -> bool {
    path == Path::new("/dev/null")
}

/// The content, cut one byte behind the longest that is looked at.
fn limited(file: File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LONGEST as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// The first readable file of that name in the folders of `PATH`.
fn on_path(name: &OsStr, view: &View) -> Option<PathBuf> {
    std::env::split_paths(view.variable("PATH")?)
        .map(|folder| {
            if folder.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                folder
            }
        })
        .map(|folder| folder.join(name))
        .find(|file| view.can_read(file))
}

/// Whether bash would call it a binary file and run nothing of it.
fn is_binary(content: &[u8]) -> bool {
    if content.starts_with(b"\x7fELF") {
        return true;
    }
    let sample = content.get(..SAMPLE).unwrap_or(content);
    let lines = if sample.starts_with(b"#!") { 2 } else { 1 };
    sample
        .split(|&byte| byte == b'\n')
        .take(lines)
        .any(|line| line.contains(&0))
}

/// What standard input holds, where it is a file, from where it stands.
fn standard_input() -> Text {
    let input = io::stdin();
    let Ok(data) = input
        .as_fd()
        .try_clone_to_owned()
        .map(File::from)
        .and_then(|file| file.metadata())
    else {
        return Text::Nothing;
    };
    if data.file_type().is_dir() {
        return Text::Nothing;
    }
    if !data.is_file() {
        return if is_null_device(&data) {
            Text::Nothing
        } else {
            Text::Stream
        };
    }
    let Ok(start) = lseek(input.as_fd(), 0, Whence::SeekCur) else {
        return Text::Hidden("standard input cannot be examined");
    };
    rest_of(input, start)
}

/// The content of a file from an offset on. The offset of the descriptor stays where it is.
fn rest_of(file: impl AsFd, start: i64) -> Text {
    let mut content = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let at = i64::try_from(content.len())
            .ok()
            .and_then(|read| start.checked_add(read));
        match at.map(|at| pread(&file, &mut buffer, at)) {
            Some(Ok(0)) => return Text::Whole(content),
            Some(Ok(count)) => content.extend(buffer.iter().take(count)),
            Some(Err(_)) | None => return Text::Hidden("standard input cannot be read"),
        }
        if content.len() > LONGEST {
            return Text::Hidden("the script is too long");
        }
    }
}

fn is_null_device(data: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    data.file_type().is_char_device() && data.rdev() == nix::sys::stat::makedev(1, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_told_by_its_first_lines() {
        for (content, binary) in [
            (&b"\x7fELF\x02"[..], true),
            (b"echo\0", true),
            (b"echo\n\0", false),
            (b"#!/bin/bash\n\0", true),
            (b"#!/bin/bash\necho\n\0", false),
            (b"", false),
        ] {
            assert_eq!(is_binary(content), binary, "{content:?}");
        }
        let mut late = vec![b'x'; SAMPLE];
        late.push(0);
        assert!(!is_binary(&late));
    }
}
