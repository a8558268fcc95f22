//! The program that becomes the agent: where it is, what it is given, and how it is started.
//!
//! It is looked for as execvp(3) does, but before anything is executed, so that only one execve(2) has
//! to be judged.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, eaccess};
use serde::{Deserialize, Serialize};

use crate::exit;
use crate::sys::{environment, process};

/// Where programs are looked for without PATH.
const USUAL_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin";

/// A program with all that it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// The arguments, the program as it was called first.
    pub arguments: Vec<CString>,
    /// The environment.
    pub environment: Vec<CString>,
}

/// Why a program was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// There is none of that name.
    NotFound,
    /// It cannot be executed; an error number.
    NotExecutable(i32),
    /// What is done before could not be done; an error number.
    NotPrepared(i32),
}

impl Failure {
    /// From an error of what is done before.
    #[must_use]
    pub fn not_prepared(error: &io::Error) -> Self {
        Self::NotPrepared(error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// As an error.
    #[must_use]
    pub fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::NotFound => libc::ENOENT,
            Self::NotExecutable(number) | Self::NotPrepared(number) => number,
        })
    }

    /// The exit status that tells it, as env(1) has it.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::NotFound => exit::NOT_FOUND,
            Self::NotExecutable(_) => exit::NOT_EXECUTABLE,
            Self::NotPrepared(_) => exit::FAILED,
        }
    }
}

impl Program {
    /// A program in this environment, but with kibosh as the shell.
    #[must_use]
    pub fn with_kibosh_as_shell(arguments: Vec<CString>) -> Self {
        Self {
            arguments,
            environment: with_shell(environment::entries(), shell().as_deref()),
        }
    }

    /// Becomes it; `prepare` is called at the last moment. Returns only where that failed.
    pub fn start(&self, prepare: &mut dyn FnMut() -> io::Result<()>) -> Failure {
        let path = match self.find() {
            Ok(path) => path,
            Err(failure) => return failure,
        };
        if let Err(error) = prepare() {
            return Failure::not_prepared(&error);
        }
        let error = process::become_program_with(&path, &self.arguments, &self.environment);
        match error.raw_os_error() {
            // As execvp(3): a file without a header is a script of the shell.
            Some(libc::ENOEXEC) => self.start_script(path),
            Some(libc::ENOENT) => Failure::NotFound,
            number => Failure::NotExecutable(number.unwrap_or(libc::EIO)),
        }
    }

    fn start_script(&self, path: CString) -> Failure {
        let mut arguments = vec![c"sh".to_owned(), path];
        arguments.extend(self.arguments.iter().skip(1).cloned());
        let error = process::become_program_with(c"/bin/sh", &arguments, &self.environment);
        Failure::NotExecutable(error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// The first file of that name that can be executed.
    fn find(&self) -> Result<CString, Failure> {
        let name = self.arguments.first().map_or(c"", CString::as_c_str);
        if name.is_empty() {
            return Err(Failure::NotFound);
        }
        if name.to_bytes().contains(&b'/') {
            return Ok(name.to_owned());
        }
        let folders = environment::values("PATH").next().unwrap_or(USUAL_PATH);
        look_up(name, folders)
    }
}

fn look_up(name: &CStr, folders: &[u8]) -> Result<CString, Failure> {
    let mut failure = Failure::NotFound;
    for folder in folders.split(|byte| *byte == b':') {
        // An empty one is the working directory.
        let file = Path::new(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name.to_bytes()));
        if !fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        match (
            eaccess(&file, AccessFlags::X_OK),
            CString::new(file.as_os_str().as_bytes()),
        ) {
            (Ok(()), Ok(path)) => return Ok(path),
            (Err(errno), _) => failure = Failure::NotExecutable(errno as i32),
            (Ok(()), Err(_)) => {}
        }
    }
    Err(failure)
}

/// The kibosh to use as a shell: the one that is installed as `bash` beside this program, for agents that
/// look at the name, else this program.
fn shell() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let installed = own
        .parent()
        .and_then(Path::parent)
        .map(|prefix| prefix.join("lib/kibosh/bash"));
    match installed {
        Some(shell) if shell.is_file() && eaccess(&shell, AccessFlags::X_OK).is_ok() => Some(shell),
        _ => Some(own),
    }
}

/// An environment with another SHELL, else byte for byte as it is.
fn with_shell<'a>(entries: impl Iterator<Item = &'a [u8]>, shell: Option<&Path>) -> Vec<CString> {
    let mut set = shell.map(|shell| [b"SHELL=", shell.as_os_str().as_bytes()].concat());
    let is_set = set.is_some();
    let mut changed: Vec<Vec<u8>> = entries
        .filter_map(|entry| {
            if is_set && entry.starts_with(b"SHELL=") {
                set.take()
            } else {
                Some(entry.to_vec())
            }
        })
        .collect();
    changed.extend(set);
    changed
        .into_iter()
        .filter_map(|entry| CString::new(entry).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shell_of_the_environment_changes() {
        let shell = Path::new("/k/bash");
        for (before, after) in [
            ("A=1 SHELL=/bin/sh B", "A=1 SHELL=/k/bash B"),
            ("SHELL=a X SHELL=b", "SHELL=/k/bash X"),
            ("A SHELLS=1", "A SHELLS=1 SHELL=/k/bash"),
        ] {
            let changed = with_shell(before.split(' ').map(str::as_bytes), Some(shell));
            let changed: Vec<&str> = changed.iter().map(|one| one.to_str().unwrap()).collect();
            assert_eq!(changed.join(" "), after);
        }
        let kept = with_shell([b"SHELL=a".as_slice()].into_iter(), None);
        assert_eq!(kept, [c"SHELL=a".to_owned()]);
    }

    #[test]
    fn a_program_is_looked_for_in_each_folder() {
        assert_eq!(
            look_up(c"sh", b"/nowhere:/etc:/bin:/usr/bin"),
            Ok(c"/bin/sh".to_owned())
        );
        assert_eq!(
            look_up(c"passwd", b"/etc"),
            Err(Failure::NotExecutable(libc::EACCES))
        );
        assert_eq!(look_up(c"ssl", b"/etc"), Err(Failure::NotFound));
    }
}
