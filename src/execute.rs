//! A cleared line to the real shell: this program becomes it, in the same process.
//!
//! Nothing runs without a [`Cleared`]. What was inherited is passed on as it was: arguments with argv0,
//! environment, descriptors, working directory, signal dispositions and mask, process group, terminal.

mod relay;
mod typed;
mod units;

use std::ffi::{CStr, CString};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::approve::Cleared;
use crate::invocation::{Flavour, Invocation, Source};
use crate::policy::schema::Settings;
use crate::supervise::filter;
use crate::sys::beside::{self, Failure};
use crate::sys::filter::Listener as Notifications;
use crate::sys::process;

pub use relay::Listener;

/// Why the real shell could not be started. Nothing ran.
#[derive(Debug)]
pub enum Error {
    /// There is none at the place that the policy names, or it cannot be started.
    Shell(PathBuf, io::Error),
    /// The policy names this very program.
    Itself(PathBuf),
    /// Nothing could be put between standard input and the shell.
    Relay(io::Error),
    /// There is no way to be asked before each command.
    Typed(io::Error),
    /// The exec gate could not be put up. Nothing has changed.
    Gate(io::Error),
}

/// The exec gate for a shell: who supervises it.
pub struct Gate<'a> {
    /// Whether programs may gain rights, which forbids the gate to those who have few.
    pub may_gain: bool,
    /// The supervisor's work, in its own process, once the shell runs; gives its exit status.
    pub work: Box<dyn FnOnce(Notifications) -> i32 + 'a>,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(path, error) => write!(
                out,
                "the real shell `{}` cannot be started: {error}",
                path.display()
            ),
            Self::Relay(error) => write!(out, "standard input cannot be read along: {error}"),
            Self::Gate(error) => write!(out, "the exec gate cannot be put up: {error}"),
            Self::Typed(error) => write!(out, "an interactive shell cannot be watched: {error}"),
            Self::Itself(path) => {
                write!(out, "the real shell `{}` is kibosh itself", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}

/// The real shell where no setting names one.
const USUAL_BASH: &str = "/bin/bash";
const USUAL_SH: &str = "/bin/sh";

/// The real shell for an invocation.
#[must_use]
pub fn real_shell(invocation: &Invocation, settings: &Settings) -> PathBuf {
    let (set, usual) = match invocation.flavour {
        Flavour::Bash => (&settings.bash, USUAL_BASH),
        Flavour::Sh => (&settings.sh, USUAL_SH),
    };
    PathBuf::from(set.as_deref().unwrap_or(usual))
}

/// Becomes the real shell, behind a gate where one is given. Returns only where that failed.
pub fn launch(
    _cleared: Cleared,
    invocation: &Invocation,
    settings: &Settings,
    gate: Option<Gate<'_>>,
) -> Error {
    become_shell(invocation, settings, gate)
}

/// Becomes the real shell, whose start was cleared, with a relay before its standard input that asks
/// `listener` about each unit that comes in. Returns only where that failed.
pub fn launch_relayed(
    _cleared: Cleared,
    invocation: &Invocation,
    settings: &Settings,
    listener: Listener<'_>,
    gate: Option<Gate<'_>>,
) -> Error {
    if let Err(error) = relay::stand_between(listener) {
        return Error::Relay(error);
    }
    become_shell(invocation, settings, gate)
}

/// Becomes a shell that is typed into and asks kibosh before each command. Returns only where that
/// failed.
///
/// Called as `sh` it is bash too, in POSIX mode: only bash can ask.
pub fn launch_typed(
    _cleared: Cleared,
    invocation: &Invocation,
    settings: &Settings,
    gate: Option<Gate<'_>>,
) -> Error {
    let start = match typed::start(invocation) {
        Ok(start) => start,
        Err(error) => return Error::Typed(error),
    };
    let shell = PathBuf::from(settings.bash.as_deref().unwrap_or(USUAL_BASH));
    let Ok(path) = CString::new(shell.as_os_str().as_bytes()) else {
        return Error::Shell(shell, io::ErrorKind::InvalidInput.into());
    };
    if is_this_program(&path) {
        return Error::Itself(shell);
    }
    become_program(
        shell,
        &path,
        &start.argv,
        start.environment.as_deref(),
        gate,
    )
}

/// Becomes a program, behind a gate where one is given. Returns only where that failed.
fn become_program(
    shell: PathBuf,
    path: &CStr,
    argv: &[CString],
    environment: Option<&[CString]>,
    gate: Option<Gate<'_>>,
) -> Error {
    let Some(Gate { may_gain, work }) = gate else {
        let error = match environment {
            Some(environment) => process::become_program_with(path, argv, environment),
            None => process::become_program(path, argv),
        };
        return Error::Shell(shell, error);
    };
    let beside = match beside::start(work) {
        Ok(beside) => beside,
        Err(error) => return Error::Gate(error),
    };
    let filter = filter::program(&[beside.process]);
    match beside.become_program(&filter, may_gain, path, argv, environment) {
        Failure::Filter(error) => Error::Gate(error),
        Failure::Program(error) => Error::Shell(shell, error),
    }
}

fn become_shell(invocation: &Invocation, settings: &Settings, gate: Option<Gate<'_>>) -> Error {
    let shell = real_shell(invocation, settings);
    let Ok(path) = CString::new(shell.as_os_str().as_bytes()) else {
        return Error::Shell(shell, io::ErrorKind::InvalidInput.into());
    };
    if is_this_program(&path) {
        return Error::Itself(shell);
    }
    let words = match invocation.source {
        Source::Nothing(words) => words,
        _ => invocation.argv.len(),
    };
    if matches!(invocation.source, Source::Nothing(_))
        && let Err(error) = process::empty_input()
    {
        return Error::Shell(shell, error);
    }
    let argv = invocation.argv.get(..words).unwrap_or(&invocation.argv);
    become_program(shell, &path, argv, None, gate)
}

/// Whether the real shell is this program, which would start itself for ever: so it was if it was
/// itself started from there.
fn is_this_program(shell: &CStr) -> bool {
    process::started_from() == Some(shell)
}
