//! The directory that reviewers of several users share: each user's broker has a second socket there, named by
//! their number, for requests that need more than one person.
//!
//! Its path is a setting that no project makes. The mode of the sockets keeps out who is not in the group of the
//! directory; who is at the other end is what the kernel says, on both sides.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::unistd::geteuid;

use super::Error;
use super::folder::{Folder, Socket};
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::schema::Settings;

/// The directory.
pub struct Shared {
    folder: Folder,
    group: u32,
}

/// The settings that no project makes.
///
/// # Errors
///
/// Where the policy cannot be read: then nobody knows who counts.
pub fn settings() -> Result<Settings, Error> {
    let folders = Folders {
        cwd: None,
        ..Folders::here()
    };
    match Policy::load(&folders) {
        Ok(policy) => Ok(policy.settings().clone()),
        Err(_) => Err(Error::Settings),
    }
}

impl Shared {
    /// The one of this machine; none where no setting names one.
    ///
    /// # Errors
    ///
    /// Where the settings cannot be read, or as [`Shared::of`].
    pub fn here() -> Result<Option<Self>, Error> {
        Self::of(&settings()?)
    }

    /// The one of the settings; none where there is none.
    ///
    /// # Errors
    ///
    /// Where it is no directory that only root, the user and a group can write, and in which nobody of the group
    /// can take away what is another's.
    pub fn of(settings: &Settings) -> Result<Option<Self>, Error> {
        let path = settings.reviewers_directory.as_deref();
        path.map(|path| Self::open(Path::new(path)).map_err(Error::Place))
            .transpose()
    }

    fn open(path: &Path) -> io::Result<Self> {
        let folder = Folder::open(path)?;
        let found = folder.metadata()?;
        let owners = [0, geteuid().as_raw()];
        if !owners.contains(&found.uid()) || found.mode() & 0o002 != 0 {
            return Err(io::Error::other(
                "everybody can write it, or it is somebody else's",
            ));
        }
        if found.mode() & 0o1020 == 0o020 {
            return Err(io::Error::other(
                "its group can take away what is another's: it has no sticky bit",
            ));
        }
        Ok(Self {
            group: found.gid(),
            folder,
        })
    }

    /// Listens here for the group of the directory, in the place of whoever did before for this user.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made, or not for that group.
    pub fn listen(&self) -> io::Result<(UnixListener, Socket)> {
        self.folder.listen(&geteuid().to_string(), Some(self.group))
    }

    /// Takes a socket away, if it is still the one that is found here.
    pub fn leave(&self, socket: &Socket) {
        self.folder.leave(socket);
    }

    /// Connects to the broker of a user.
    ///
    /// # Errors
    ///
    /// That none is there, or that it is another's or may not be one.
    pub fn connect(&self, user: u32) -> Result<UnixStream, Error> {
        self.folder.connect(&user.to_string(), user)
    }

    /// The other users whose brokers are here.
    #[must_use]
    pub fn others(&self) -> Vec<u32> {
        let Ok(names) = fs::read_dir(self.folder.at(".")) else {
            return Vec::new();
        };
        let numbers = names.filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok());
        let mut others: Vec<u32> = numbers.filter(|user| *user != geteuid().as_raw()).collect();
        others.sort_unstable();
        others
    }
}
