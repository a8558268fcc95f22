//! A cleared line to the real shell: this program becomes it, in the same process.
//!
//! Nothing runs without a [`Cleared`]. What was inherited is passed on as it was: arguments with argv0,
//! environment, descriptors, working directory, signal dispositions and mask, process group, terminal.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::approve::Cleared;
use crate::invocation::{Flavour, Invocation, Source};
use crate::policy::schema::Settings;
use crate::sys::process;

/// Why the real shell could not be started. Nothing ran.
#[derive(Debug)]
pub enum Error {
    /// There is none at the place that the policy names, or it cannot be started.
    Shell(PathBuf, io::Error),
    /// The policy names this very program.
    Itself(PathBuf),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(path, error) => write!(
                out,
                "the real shell `{}` cannot be started: {error}",
                path.display()
            ),
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

/// Becomes the real shell. Returns only where that failed.
pub fn launch(_cleared: Cleared, invocation: &Invocation, settings: &Settings) -> Error {
    let shell = real_shell(invocation, settings);
    if is_this_program(&shell) {
        return Error::Itself(shell);
    }
    let Ok(path) = CString::new(shell.as_os_str().as_bytes()) else {
        return Error::Shell(shell, io::ErrorKind::InvalidInput.into());
    };
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
    Error::Shell(shell, process::become_program(&path, argv))
}

/// Whether the real shell is this program, which would start itself for ever.
fn is_this_program(shell: &std::path::Path) -> bool {
    let place =
        |path: &std::path::Path| std::fs::metadata(path).map(|data| (data.dev(), data.ino()));
    match (place(std::path::Path::new("/proc/self/exe")), place(shell)) {
        (Ok(this), Ok(shell)) => this == shell,
        _ => false,
    }
}
