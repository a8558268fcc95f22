//! The directory that reviewers of several users share: each user's broker has a second socket there, named by
//! their number, for requests that need more than one person.
//!
//! Its path is a setting that no project makes. The mode of the sockets keeps out who is not in the group of the
//! directory; who is at the other end is what the kernel says, on both sides.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;

use super::Error;
use super::peer::{Peer, check_this};
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::schema::Settings;
use crate::sys;

/// The directory, held open so that it stays the one that was looked at.
pub struct Shared {
    folder: File,
    group: u32,
}

/// The settings that no project makes.
pub fn settings() -> Settings {
    let folders = Folders {
        cwd: None,
        ..Folders::here()
    };
    Policy::load(&folders)
        .map(|policy| policy.settings().clone())
        .unwrap_or_default()
}

impl Shared {
    /// The one of the settings; none where there is none.
    ///
    /// # Errors
    ///
    /// Where it is no directory that only root, the user and a group can write.
    pub fn of(settings: &Settings) -> Result<Option<Self>, Error> {
        let path = settings.reviewers_directory.as_deref();
        path.map(|path| Self::open(Path::new(path)).map_err(Error::Place))
            .transpose()
    }

    fn open(path: &Path) -> io::Result<Self> {
        let folder = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
            .open(path)?;
        let found = folder.metadata()?;
        let owners = [0, geteuid().as_raw()];
        if !owners.contains(&found.uid()) || found.mode() & 0o002 != 0 {
            return Err(io::Error::other(
                "everybody can write it, or it is somebody else's",
            ));
        }
        Ok(Self {
            group: found.gid(),
            folder,
        })
    }

    fn at(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.folder.as_raw_fd()))
    }

    /// Listens here for the group of the directory, in the place of whoever did before for this user.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made, or not for that group.
    pub fn listen(&self) -> io::Result<UnixListener> {
        let own = geteuid().to_string();
        let fresh = self.at(&format!("{own}.{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let before = umask(Mode::from_bits_truncate(0o117));
        let listener = UnixListener::bind(&fresh);
        umask(before);
        let listener = listener?;
        listener.set_nonblocking(true)?;
        chown(&fresh, None, Some(self.group))
            .and_then(|()| fs::rename(&fresh, self.at(&own)))
            .inspect_err(|_| drop(fs::remove_file(&fresh)))?;
        Ok(listener)
    }

    /// Takes the socket of this user away.
    pub fn leave(&self) {
        let _ = fs::remove_file(self.at(&geteuid().to_string()));
    }

    /// Connects to the broker of a user.
    ///
    /// # Errors
    ///
    /// That none is there, or that it is another's or may not be one.
    pub fn connect(&self, user: u32) -> Result<UnixStream, Error> {
        check_this()?;
        let stream = sys::peer::connect(&self.at(&user.to_string())).map_err(|_| Error::Nobody)?;
        Peer::of_user(&stream, Some(user))?;
        Ok(stream)
    }

    /// The other users whose brokers are here.
    #[must_use]
    pub fn others(&self) -> Vec<u32> {
        let Ok(names) = fs::read_dir(self.at(".")) else {
            return Vec::new();
        };
        let numbers = names.filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok());
        let mut others: Vec<u32> = numbers.filter(|user| *user != geteuid().as_raw()).collect();
        others.sort_unstable();
        others
    }
}
