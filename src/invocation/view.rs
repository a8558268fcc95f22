//! A process as a shell that starts in it would see it: environment, working directory, terminals and
//! files.
//!
//! [`View::own`] is this process, asked as it always was, with nothing copied. [`View::of`] is another
//! one, seen through its `/proc` folder. It reads, and never changes what it looks at: no pipe is read or
//! opened, no offset moves, and nothing waits.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::process::Process;
use crate::sys::environment;
use crate::sys::stat::Status;

/// A process that is looked at.
#[derive(Debug)]
pub struct View {
    /// The other process, where it is one.
    other: Option<Process>,
    /// What [`Self::shares_files`] has found: it reads four links each time.
    shares_files: OnceLock<bool>,
}

impl View {
    /// This process.
    #[must_use]
    pub const fn own() -> Self {
        Self {
            other: None,
            shares_files: OnceLock::new(),
        }
    }

    /// Another process: its folder below `/proc`, its environment as execve(2) was given it, and its
    /// working directory where it is known.
    #[must_use]
    pub const fn of(folder: PathBuf, environment: Vec<Vec<u8>>, cwd: Option<PathBuf>) -> Self {
        let process = Process {
            folder,
            environment,
            cwd,
        };
        Self {
            other: Some(process),
            shares_files: OnceLock::new(),
        }
    }

    /// The entries of the environment, in their order, with duplicates.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let own = self.other.is_none().then(environment::entries);
        let own = own.into_iter().flatten().map(|entry| -> &[u8] { entry });
        let other = self.other.iter().flat_map(|process| &process.environment);
        own.chain(other.map(Vec::as_slice))
    }

    /// The values of a variable: more than one where the environment has it more than once.
    pub fn values<'v>(&'v self, name: &'v str) -> impl Iterator<Item = &'v [u8]> {
        self.entries()
            .filter_map(move |entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }

    /// The value of a variable, as getenv(3) finds it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.entries()
            .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
            .map(OsStr::from_bytes)
    }

    /// The number of the task; none where it is this process.
    #[must_use]
    pub fn task(&self) -> Option<i32> {
        let folder = &self.other.as_ref()?.folder;
        folder.file_name()?.to_str()?.parse().ok()
    }

    /// The working directory; none where it is gone or has no name.
    #[must_use]
    pub fn cwd(&self) -> Option<PathBuf> {
        match &self.other {
            None => std::env::current_dir().ok(),
            Some(process) => process.cwd.clone(),
        }
    }

    /// Whether the process finds the same files under the same names as this one: it has the same mounts
    /// and the same root (mount_namespaces(7), chroot(2)).
    #[must_use]
    pub fn shares_files(&self) -> bool {
        *self
            .shares_files
            .get_or_init(|| self.shares(&["ns/mnt", "root"]))
    }

    /// Whether the process reaches the same servers as this one by the same names: it is in the same network, and
    /// numbers of users mean the same (network_namespaces(7), user_namespaces(7)).
    #[must_use]
    pub fn shares_network(&self) -> bool {
        self.shares(&["ns/net", "ns/user"])
    }

    /// Whether these links below the folders of both processes lead to the same.
    fn shares(&self, names: &[&str]) -> bool {
        let Some(process) = &self.other else {
            return true;
        };
        let own = Path::new("/proc/self");
        names.iter().all(|name| {
            let both = [own.join(name), process.folder.join(name)].map(std::fs::read_link);
            matches!(&both, [Ok(one), Ok(other)] if one == other)
        })
    }

    /// Whether the process is of the same user as this one, in all that it may act as (credentials(7)).
    #[must_use]
    pub fn has_this_user(&self) -> bool {
        let Some(process) = &self.other else {
            return true;
        };
        let users = |folder: &OsStr| {
            let status = Status::of(folder.to_str()?).ok()?;
            status.field("Uid:").map(str::to_owned)
        };
        let own = users(OsStr::new("self"));
        own.is_some() && own == process.folder.file_name().and_then(users)
    }

    /// Where the root of the process is as this one sees it: empty where it finds the same files under the same
    /// names. None where it has no root any more.
    #[must_use]
    pub fn root(&self) -> Option<PathBuf> {
        if self.shares_files() {
            return Some(PathBuf::new());
        }
        let root = self.other.as_ref()?.folder.join("root");
        root.exists().then_some(root)
    }

    /// Whether standard input is a terminal.
    #[must_use]
    pub fn input_is_terminal(&self) -> bool {
        match &self.other {
            None => io::stdin().is_terminal(),
            Some(process) => process.is_terminal(0),
        }
    }

    /// Whether bash would take itself for a shell that is typed into, where nothing else gives commands.
    #[must_use]
    pub fn is_typed_into(&self) -> bool {
        match &self.other {
            None => io::stdin().is_terminal() && io::stderr().is_terminal(),
            Some(process) => process.is_terminal(0) && process.is_terminal(2),
        }
    }

    /// The other process, where it is one.
    pub(super) fn process(&self) -> Option<&Process> {
        self.other.as_ref()
    }

    /// Finds a file that the process would open by this name, and can be asked for what it is.
    pub(super) fn open(&self, name: &Path) -> io::Result<Seen> {
        match &self.other {
            // Without blocking: a named pipe that nobody writes to would hold up the start.
            None => File::options()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(name)
                .map(|file| Seen { file, held: false }),
            Some(process) => process.open(name).map(|file| Seen { file, held: true }),
        }
    }

    /// Whether there is nothing of this name.
    pub(super) fn lacks(&self, name: &Path) -> bool {
        let error = match &self.other {
            None => name.metadata().err(),
            Some(process) => process.open(name).err(),
        };
        error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the process could read a file of this name.
    pub(super) fn can_read(&self, name: &Path) -> bool {
        match &self.other {
            None => {
                name.is_file() && nix::unistd::access(name, nix::unistd::AccessFlags::R_OK).is_ok()
            }
            Some(_) => self.open(name).is_ok_and(|seen| {
                seen.data().is_ok_and(|data| data.is_file()) && seen.reader().is_ok()
            }),
        }
    }
}

/// A file that was found.
pub(super) struct Seen {
    file: File,
    /// Whether it is only held (`O_PATH`), not opened, so that a pipe or a device notices nothing.
    held: bool,
}

impl Seen {
    /// A file that is held.
    pub(super) const fn held(file: File) -> Self {
        Self { file, held: true }
    }

    /// What it is.
    pub(super) fn data(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Where it is, links followed.
    pub(super) fn place(&self) -> io::Result<PathBuf> {
        std::fs::read_link(self.name())
    }

    /// Opens it for reading, if that is not done.
    pub(super) fn reader(self) -> io::Result<File> {
        if !self.held {
            return Ok(self.file);
        }
        File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(self.name())
    }

    /// A name that leads to exactly this file.
    fn name(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_has_its_own_environment() {
        let entries = ["A=1", "A=2", "AB=3", "odd", "E="];
        let entries = entries.iter().map(|entry| entry.as_bytes().to_vec());
        let view = View::of(PathBuf::from("/no/such"), entries.collect(), None);
        assert_eq!(view.entries().count(), 5);
        assert_eq!(view.values("A").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(view.variable("A"), Some(OsStr::new("1")));
        assert_eq!(view.variable("E"), Some(OsStr::new("")));
        assert_eq!(view.variable("odd"), None);
        assert_eq!(view.variable("PATH"), None);
        assert_eq!(view.cwd(), None);
        assert!(!view.input_is_terminal() && !view.is_typed_into());
        assert!(!view.shares_files() && !view.shares_network() && !view.has_this_user());
        assert!(view.open(Path::new("/etc/passwd")).is_err());
        assert!(!view.can_read(Path::new("/etc/passwd")));
    }

    #[test]
    fn this_process_is_seen_as_it_is() {
        let view = View::own();
        assert_eq!(view.variable("PATH"), std::env::var_os("PATH").as_deref());
        assert_eq!(view.cwd(), std::env::current_dir().ok());
        assert!(view.shares_files() && view.shares_network() && view.has_this_user());
        let folder = PathBuf::from(format!("/proc/{}", std::process::id()));
        let same = View::of(folder, Vec::new(), None);
        assert!(same.shares_files() && same.shares_network() && same.has_this_user());
        assert!(view.lacks(Path::new("/no/such")) && !view.lacks(Path::new("/")));
    }

    #[test]
    fn a_pipe_of_another_process_gets_no_reader() {
        let folder = PathBuf::from(format!("/proc/{}", std::process::id()));
        let view = View::of(folder, Vec::new(), None);
        let fifo = std::env::temp_dir().join(format!("kibosh-view-{}", std::process::id()));
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let seen = view.open(&fifo).unwrap();
        // Somebody who writes without waiting is told that nobody reads.
        let writer = File::options()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&fifo);
        assert_eq!(writer.unwrap_err().raw_os_error(), Some(libc::ENXIO));
        assert_eq!(seen.place().unwrap(), fifo);
        std::fs::remove_file(&fifo).unwrap();
    }
}
