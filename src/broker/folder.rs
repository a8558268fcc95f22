//! A directory for sockets, held open so that it stays the one that was looked at.
//!
//! Names in it are reached through the descriptor, short and sure whatever becomes of the directory's own name.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, lchown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};

use super::Error;
use super::peer::{Peer, check_this};
use crate::sys;

/// One directory.
pub struct Folder(File);

/// A socket in a directory, told from every later one of its name.
pub struct Socket {
    name: String,
    number: u64,
}

impl Folder {
    /// Opens it, where it is no link.
    ///
    /// # Errors
    ///
    /// What open(2) reports.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
            .open(path)
            .map(Self)
    }

    /// What the kernel tells of it.
    ///
    /// # Errors
    ///
    /// What fstat(2) reports.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// A name in it.
    pub fn at(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.0.as_raw_fd()))
    }

    /// Listens at a name, in the place of whoever did before: for this user alone, or for a group too.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made, or not for that group.
    pub fn listen(&self, name: &str, group: Option<u32>) -> io::Result<(UnixListener, Socket)> {
        let fresh = self.at(&format!("{name}.{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let listener = match group {
            // Nobody but its user enters the directory.
            None => UnixListener::bind(&fresh)?,
            Some(_) => for_group(|| UnixListener::bind(&fresh))?,
        };
        let place = || {
            listener.set_nonblocking(true)?;
            let number = fs::symlink_metadata(&fresh)?.ino();
            // Somebody of the group could have put a link in its place.
            group.map_or(Ok(()), |group| lchown(&fresh, None, Some(group)))?;
            fs::rename(&fresh, self.at(name))?;
            Ok(number)
        };
        let number = place().inspect_err(|_: &io::Error| drop(fs::remove_file(&fresh)))?;
        let name = name.to_owned();
        Ok((listener, Socket { name, number }))
    }

    /// Whether a socket is still the one that is found here.
    pub fn has(&self, socket: &Socket) -> bool {
        let found = fs::symlink_metadata(self.at(&socket.name));
        found.is_ok_and(|found| found.ino() == socket.number)
    }

    /// Takes a socket away, if it is still the one that is found here.
    pub fn leave(&self, socket: &Socket) {
        if self.has(socket) {
            let _ = fs::remove_file(self.at(&socket.name));
        }
    }

    /// Connects to who listens at a name, where that is a process of this user that may be spoken to.
    ///
    /// # Errors
    ///
    /// That nobody listens, or why they may not be spoken to.
    pub fn connect(&self, name: &str, user: u32) -> Result<UnixStream, Error> {
        check_this()?;
        let stream = sys::peer::connect(&self.at(name)).map_err(|_| Error::Nobody)?;
        Peer::of(&stream, Some(user))?;
        Ok(stream)
    }
}

/// Makes a file that its user and its group can open, and nobody else.
fn for_group<T>(make: impl FnOnce() -> T) -> T {
    let before = umask(Mode::from_bits_truncate(0o117));
    let made = make();
    umask(before);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder(name: &str) -> (PathBuf, Folder) {
        let path = std::env::temp_dir().join(format!("kibosh-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        let folder = Folder::open(&path).unwrap();
        (path, folder)
    }

    #[test]
    fn who_leaves_takes_only_their_own_socket_away() {
        let (path, folder) = folder("leave");
        let (_first, socket) = folder.listen("socket", None).unwrap();
        let (_second, later) = folder.listen("socket", None).unwrap();
        assert!(!folder.has(&socket) && folder.has(&later));
        folder.leave(&socket);
        assert!(folder.has(&later) && path.join("socket").exists());
        folder.leave(&later);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        fs::remove_dir(&path).unwrap();
    }

    #[test]
    fn a_link_is_no_directory() {
        let (path, _folder) = folder("link");
        let link = path.join("link");
        symlink(&path, &link).unwrap();
        assert!(Folder::open(&link).is_err());
        fs::write(path.join("file"), "").unwrap();
        assert!(Folder::open(&path.join("file")).is_err());
        fs::remove_dir_all(&path).unwrap();
    }
}
