//! The ways to a shell, and which of them lead to this program: by device and inode, not by name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};

use super::facts::{Program, RealShell, Shell, User, Way};
use super::reach::reach;
use crate::sys::environment;

/// A file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// That of the file at a path.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// That of this program.
    ///
    /// # Errors
    ///
    /// Where `/proc` does not tell it.
    pub fn own() -> io::Result<Self> {
        Self::of(Path::new("/proc/self/exe"))
            .ok_or_else(|| io::Error::other("/proc/self/exe cannot be followed"))
    }

    /// Whether a path leads to it.
    #[must_use]
    pub fn is_at(self, path: &Path) -> bool {
        Self::of(path) == Some(self)
    }
}

/// This program, and how it is installed.
///
/// # Errors
///
/// Where the kernel does not tell where it is.
pub fn program(own: Identity) -> io::Result<Program> {
    let path = std::env::current_exe()?;
    Ok(Program {
        reach: reach(&path),
        names: names(own, &path).map(|folder| folder.display().to_string()),
        path: path.display().to_string(),
    })
}

/// The folder in which `bash` and `sh` are this program, as `install.sh` lays it out.
fn names(own: Identity, program: &Path) -> Option<PathBuf> {
    let above = program.parent()?.parent()?;
    let folder = above.join("lib/kibosh");
    let has = |name: &str| own.is_at(&folder.join(name));
    (has("bash") && has("sh")).then_some(folder)
}

/// The ways to a shell.
#[must_use]
pub fn shells(own: Identity, user: &User) -> Vec<Shell> {
    [
        (Way::Variable, variable("SHELL")),
        (Way::Login, user.shell.as_ref().map(PathBuf::from)),
        (Way::PathBash, in_path("bash")),
        (Way::PathSh, in_path("sh")),
        (Way::Bash, Some(PathBuf::from("/bin/bash"))),
        (Way::Sh, Some(PathBuf::from("/bin/sh"))),
    ]
    .into_iter()
    .map(|(way, path)| shell(own, way, path))
    .collect()
}

fn shell(own: Identity, way: Way, path: Option<PathBuf>) -> Shell {
    let behind = path.as_ref().and_then(|path| path.canonicalize().ok());
    Shell {
        way,
        is_kibosh: path.as_ref().is_some_and(|path| own.is_at(path)),
        file: behind
            .filter(|behind| Some(behind) != path.as_ref())
            .map(|behind| behind.display().to_string()),
        path: path.map(|path| path.display().to_string()),
    }
}

/// A shell that the policy names as the real one.
#[must_use]
pub fn real(own: Identity, path: &str) -> RealShell {
    RealShell {
        path: path.to_owned(),
        is_program: is_program(Path::new(path)),
        is_kibosh: own.is_at(Path::new(path)),
    }
}

/// The value of a variable that holds a path; none where it is empty.
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    let value = environment::values(name).next()?;
    (!value.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(value)))
}

/// The program of this name that PATH finds first.
#[must_use]
pub fn in_path(name: &str) -> Option<PathBuf> {
    let path = environment::values("PATH").next()?;
    path.split(|&byte| byte == b':')
        .map(|folder| match folder {
            b"" => Path::new("."),
            folder => Path::new(OsStr::from_bytes(folder)),
        })
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// Whether a path leads to a file that can be executed.
fn is_program(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS).is_ok()
}
