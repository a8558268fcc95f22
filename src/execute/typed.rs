//! A shell that is typed into: bash reads its lines itself, and asks kibosh before each command.
//!
//! bash is started with a text of its own choice of start-up file, which puts a gate before every
//! command and then reads the files that bash would have read (docs/threat-model.md, "Interactive
//! shells").

use std::ffi::{CString, OsStr};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::invocation::{Flavour, Invocation};
use crate::sys::{environment, process};

/// The gate.
const GATE: &str = include_str!("typed.bash");

/// What stands behind the start-up files.
const END: &str = include_str!("typed_end.bash");

/// How a shell that is typed into is started: its arguments and its environment.
pub struct Start {
    /// The argument vector.
    pub argv: Vec<CString>,
    /// The environment; none where it stays as it was inherited.
    pub environment: Option<Vec<CString>>,
}

/// Prepares a start.
///
/// # Errors
///
/// Where bash would read no start-up file, so that there would be no gate; or where the text of the
/// gate cannot be held ready.
pub fn start(invocation: &Invocation) -> io::Result<Start> {
    let options = &invocation.options;
    if process::runs_for_another() {
        return Err(io::Error::other("the real and the effective user differ"));
    }
    let posix = options.posix
        || invocation.flavour == Flavour::Sh
        || is_set("POSIXLY_CORRECT")
        || is_set("POSIX_PEDANTIC");
    let by_rc_file = !posix && !options.login && !options.no_rc;
    if !by_rc_file && options.privileged {
        return Err(io::Error::other(
            "a privileged shell reads no start-up file",
        ));
    }
    let descriptor = memfd_create(c"kibosh", MFdFlags::empty())?;
    let place = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    let mut text = Vec::new();
    if !by_rc_file && !posix {
        text.extend_from_slice(b"set +o posix\nshopt -u inherit_errexit\n");
        text.extend_from_slice(not_posix().as_bytes());
    }
    assign(&mut text, "__kibosh_source", place.as_bytes());
    assign(
        &mut text,
        "__kibosh_program",
        std::env::current_exe()?.as_os_str().as_bytes(),
    );
    text.extend_from_slice(GATE.as_bytes());
    // The words of the text are not to be found in the shell afterwards.
    text.extend_from_slice(format!("exec {}<&-\n", descriptor.as_raw_fd()).as_bytes());
    if !by_rc_file {
        restore_env(&mut text);
    }
    files(&mut text, invocation, posix, by_rc_file);
    text.extend_from_slice(END.as_bytes());
    let mut file = std::fs::File::from(descriptor);
    file.write_all(&text)?;
    let _open_until_it_is_read = file.into_raw_fd();
    let place = CString::new(place).map_err(io::Error::other)?;
    Ok(if by_rc_file {
        Start {
            argv: with(invocation, &[c"--rcfile".to_owned(), place]),
            environment: None,
        }
    } else {
        let inserted = if invocation.flavour == Flavour::Sh {
            Vec::new()
        } else {
            vec![c"--posix".to_owned()]
        };
        Start {
            argv: with(invocation, &inserted),
            environment: Some(environment_with(&place)?),
        }
    })
}

/// The argument vector with more words behind the long options, where they are the last to count.
fn with(invocation: &Invocation, words: &[CString]) -> Vec<CString> {
    let (long, rest) = invocation
        .argv
        .split_at_checked(invocation.options.long_end)
        .unwrap_or((&invocation.argv, &[]));
    [long, words, rest].concat()
}

/// What a start in POSIX mode leaves behind that a start without it would not have.
fn not_posix() -> String {
    let mut text = String::new();
    if !is_set("HISTFILE") {
        text.push_str("HISTFILE=~/.bash_history\n");
    }
    if !is_set("MAILCHECK") {
        text.push_str("MAILCHECK=60\n");
    }
    text
}

/// Puts the variable back by which the text was found.
fn restore_env(text: &mut Vec<u8>) {
    match environment::values("ENV").last() {
        Some(value) => {
            assign(text, "ENV", value);
            text.extend_from_slice(b"export ENV\n");
        }
        None => text.extend_from_slice(b"unset ENV\n"),
    }
}

/// Reads what bash would have read (`run_startup_files` in its source).
fn files(text: &mut Vec<u8>, invocation: &Invocation, posix: bool, by_rc_file: bool) {
    let options = &invocation.options;
    if posix {
        if options.login && invocation.flavour == Flavour::Sh && !options.no_profile {
            text.extend_from_slice(
                b"[ ! -r /etc/profile ] || . /etc/profile\n[ ! -r ~/.profile ] || . ~/.profile\n",
            );
        }
        text.extend_from_slice(b"[[ ${ENV-} && -r $ENV ]] && . \"$ENV\"\n");
    } else if by_rc_file {
        match options.rc_file.and_then(|place| invocation.word(place)) {
            Some(file) => {
                assign(text, "__kibosh_file", file.as_bytes());
                text.extend_from_slice(
                    b"[[ -r $__kibosh_file ]] && . \"$__kibosh_file\"\nunset __kibosh_file\n",
                );
            }
            None => text.extend_from_slice(b"[[ -r ~/.bashrc ]] && . ~/.bashrc\n"),
        }
    } else if options.login && !options.no_profile {
        text.extend_from_slice(
            b"[[ -r /etc/profile ]] && . /etc/profile\n\
              if [[ -r ~/.bash_profile ]]; then . ~/.bash_profile\n\
              elif [[ -r ~/.bash_login ]]; then . ~/.bash_login\n\
              elif [[ -r ~/.profile ]]; then . ~/.profile\nfi\n",
        );
    }
}

/// `name='value'`, as the shell reads it.
fn assign(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"='");
    for &byte in value {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            _ => text.push(byte),
        }
    }
    text.extend_from_slice(b"'\n");
}

fn is_set(name: &str) -> bool {
    environment::values(name).next().is_some()
}

/// The environment with `ENV` naming the text.
fn environment_with(place: &CString) -> io::Result<Vec<CString>> {
    let mut entries: Vec<CString> = Vec::new();
    for entry in environment::entries().filter(|entry| !entry.starts_with(b"ENV=")) {
        entries.push(CString::new(entry).map_err(io::Error::other)?);
    }
    let mut named = b"ENV=".to_vec();
    named.extend_from_slice(OsStr::from_bytes(place.as_bytes()).as_bytes());
    entries.push(CString::new(named).map_err(io::Error::other)?);
    Ok(entries)
}
