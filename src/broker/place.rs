//! Where the broker's socket is: in a directory that only its user can enter.
//!
//! `XDG_RUNTIME_DIR` may name the directory above it. An agent can set that variable for a command of its own,
//! which then asks at a place where no person looks, and is refused. Nothing else of the environment counts.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::{geteuid, setsid};

use super::Error;
use super::peer::{Peer, check_this};
use crate::policy::discover::Folders;
use crate::sys;
use crate::sys::process::{self, Side};

/// The name of the variable that may name the directory above.
const VARIABLE: &str = "XDG_RUNTIME_DIR";
/// The socket's name.
const SOCKET: &str = "broker";
/// How long a broker may take to begin.
const START: Duration = Duration::from_secs(2);
/// The word by which this program is a broker.
pub const WORD: &std::ffi::CStr = c"--broker";

/// The directory, held open so that it stays the one that was looked at.
pub struct Place {
    folder: File,
}

impl Place {
    /// The one of this user, made where it is not there.
    ///
    /// # Errors
    ///
    /// Where there is none that only this user can enter.
    pub fn here() -> Result<Self, Error> {
        let above = runtime();
        let path = match above {
            Some(above) => above.join("kibosh"),
            None => {
                let home = Folders::here().home;
                let home = home.ok_or_else(|| Error::Place(io::ErrorKind::NotFound.into()))?;
                home.path.join(".local/state/kibosh/run")
            }
        };
        open_or_create(&path)
            .map(|folder| Self { folder })
            .map_err(Error::Place)
    }

    /// A name in it, short and sure whatever becomes of the directory's own name.
    fn at(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.folder.as_raw_fd()))
    }

    /// Connects to the broker that runs, if its process may be spoken to.
    ///
    /// # Errors
    ///
    /// That none runs, or why it may not be one.
    pub fn connect(&self) -> Result<UnixStream, Error> {
        check_this()?;
        let stream = sys::peer::connect(&self.at(SOCKET)).map_err(|_| Error::Nobody)?;
        Peer::of(&stream)?;
        Ok(stream)
    }

    /// As [`Place::connect`], and starts a broker where none runs that may be one.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn connect_or_start(&self) -> Result<UnixStream, Error> {
        check_this()?;
        if let Ok(stream) = self.connect() {
            return Ok(stream);
        }
        let until = Instant::now() + START;
        let turn = self.turn(until)?;
        if let Ok(stream) = self.connect() {
            return Ok(stream);
        }
        start().map_err(|_| Error::Start)?;
        loop {
            match self.connect() {
                Ok(stream) => {
                    drop(turn);
                    return Ok(stream);
                }
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Err(_) => return Err(Error::Start),
            }
        }
    }

    /// Waits until nobody else starts a broker.
    fn turn(&self, until: Instant) -> Result<File, Error> {
        let lock = File::open(self.at(".")).map_err(Error::Place)?;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(_) => return Err(Error::Start),
            }
        }
    }

    /// Listens here, in the place of whoever did before. Gives also what tells this socket from a later one.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made.
    pub fn listen(&self) -> io::Result<(UnixListener, u64)> {
        let fresh = self.at(&format!("{SOCKET}.{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        let number = fs::symlink_metadata(&fresh)?.ino();
        fs::rename(&fresh, self.at(SOCKET))?;
        listener.set_nonblocking(true)?;
        Ok((listener, number))
    }

    /// Whether the socket of this number is still the one that is found here.
    pub fn is_found(&self, number: u64) -> bool {
        fs::symlink_metadata(self.at(SOCKET)).is_ok_and(|found| found.ino() == number)
    }

    /// Takes the socket away, if it is still the one of this number.
    pub fn leave(&self, number: u64) {
        if self.is_found(number) {
            let _ = fs::remove_file(self.at(SOCKET));
        }
    }
}

/// The user's directory for sockets, where there is one that only they can enter.
fn runtime() -> Option<PathBuf> {
    let told = std::env::var_os(VARIABLE).map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", geteuid()));
    let all = told.filter(|path| path.is_absolute()).into_iter();
    all.chain([usual])
        .find(|path| fs::symlink_metadata(path).is_ok_and(|found| is_private(&found)))
}

/// Whether this is a directory that only its user, who is this one, can enter.
fn is_private(found: &fs::Metadata) -> bool {
    found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0
}

fn open_or_create(path: &Path) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
            .open(path)
    };
    let folder = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            open()?
        }
        opened => opened?,
    };
    if is_private(&folder.metadata()?) {
        Ok(folder)
    } else {
        Err(io::Error::other(
            "others can enter it, or it is somebody else's",
        ))
    }
}

/// Starts a broker: this very program, in a session of its own, with nothing of this process but where to be.
fn start() -> io::Result<()> {
    let environment: Vec<std::ffi::CString> = std::env::var_os(VARIABLE)
        .and_then(|value| value.into_string().ok())
        .and_then(|value| std::ffi::CString::new(format!("{VARIABLE}={value}")).ok())
        .into_iter()
        .collect();
    let arguments = [c"kibosh".to_owned(), WORD.to_owned()];
    match process::fork_beside()? {
        Side::This => Ok(()),
        Side::Beside => {
            if setsid().is_ok() && process::keep_only(&[]).is_ok() {
                let _ = process::become_program_with(c"/proc/self/exe", &arguments, &environment);
            }
            process::leave(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_a_private_directory_is_a_place_and_no_link_to_one() {
        let above = std::env::temp_dir().join(format!("kibosh-place-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        fs::create_dir(&above).unwrap();
        let made = above.join("made");
        assert!(open_or_create(&made).is_ok() && open_or_create(&made).is_ok());
        let mode = fs::metadata(&made).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        symlink(&made, above.join("link")).unwrap();
        assert!(open_or_create(&above.join("link")).is_err());
        fs::set_permissions(&made, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(open_or_create(&made).is_err());
        fs::write(above.join("file"), "").unwrap();
        assert!(open_or_create(&above.join("file")).is_err());
        fs::remove_dir_all(&above).unwrap();
    }
}
