//! The text that the shell will run, as far as it can be had before the shell starts.
//!
//! A script is found and read as bash does it. Nothing that is read here is taken away from the shell:
//! the offset of a file on standard input stays where it was, and a pipe is not touched.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek};

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

impl Text {
    /// The text for an invocation.
    #[must_use]
    pub fn of(invocation: &Invocation) -> Self {
        let word = |place| invocation.word(place).unwrap_or_default();
        match invocation.source {
            Source::Nothing(_) => Self::Nothing,
            Source::Typed => Self::Typed,
            Source::Command(place) => Self::Whole(word(place).as_bytes().to_vec()),
            Source::File(place) => script(word(place)),
            Source::Input => standard_input(),
        }
    }
}

/// The content of a script, found by the rules of `open_shell_script` in bash's source.
fn script(name: &OsStr) -> Text {
    let here = Path::new(name);
    let elsewhere = !name.as_bytes().contains(&b'/')
        && here
            .metadata()
            .is_err_and(|error| error.kind() == ErrorKind::NotFound);
    match elsewhere.then(|| on_path(name)).flatten() {
        Some(file) => script_at(&file),
        None => script_at(here),
    }
}

/// The content of a file that the shell will execute.
pub(super) fn script_at(path: &Path) -> Text {
    // Without blocking: a named pipe that nobody writes to would hold up the start.
    let opened = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let Ok(file) = opened else {
        return Text::Nothing;
    };
    let Ok(kind) = file.metadata().map(|data| data.file_type()) else {
        return Text::Hidden("the script cannot be examined");
    };
    if kind.is_dir() {
        return Text::Nothing;
    }
    if kind.is_fifo() && STANDARD_INPUT.iter().any(|name| path == Path::new(name)) {
        return Text::Stream;
    }
    if kind.is_fifo() || kind.is_socket() {
        return Text::Hidden("the script comes from a pipe");
    }
    if !kind.is_file() {
        return if is_null(path) {
            Text::Nothing
        } else {
            Text::Hidden("the script comes from a device")
        };
    }
    match limited(file) {
        Ok(content) if content.len() > LONGEST => Text::Hidden("the script is too long"),
        Ok(content) if is_binary(&content) => Text::Nothing,
        Ok(content) => Text::Whole(content),
        Err(_) => Text::Hidden("the script cannot be read"),
    }
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
fn on_path(name: &OsStr) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| {
            if folder.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                folder
            }
        })
        .map(|folder| folder.join(name))
        .find(|file| {
            file.is_file() && nix::unistd::access(file, nix::unistd::AccessFlags::R_OK).is_ok()
        })
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
    let mut content = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let at = i64::try_from(content.len())
            .ok()
            .and_then(|read| start.checked_add(read));
        match at.map(|at| pread(input.as_fd(), &mut buffer, at)) {
            Some(Ok(0)) => return Text::Whole(content),
            Some(Ok(count)) => content.extend(buffer.iter().take(count)),
            Some(Err(_)) | None => return Text::Hidden("standard input cannot be read"),
        }
        if content.len() > LONGEST {
            return Text::Hidden("the script is too long");
        }
    }
}

fn is_null_device(data: &std::fs::Metadata) -> bool {
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
