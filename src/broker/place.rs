//! Where the broker's socket is: in a directory that only its user can enter.
//!
//! `XDG_RUNTIME_DIR` may name the directory above it. An agent can set that variable for a command of its own,
//! which then asks at a place where no person looks, and is refused. Nothing else of the environment counts.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{geteuid, setsid};

use super::Error;
use super::folder::{Folder, Socket};
use super::peer::check_this;
use crate::policy::discover::Folders;
use crate::sys::process::{self, Side};

/// The name of the variable that may name the directory above.
const VARIABLE: &str = "XDG_RUNTIME_DIR";
/// The socket's name.
const SOCKET: &str = "broker";
/// How long a broker may take to begin.
const START: Duration = Duration::from_secs(4);
/// The word by which this program is a broker.
pub const WORD: &std::ffi::CStr = c"--broker";

/// The directory of this user's broker.
pub struct Place(Folder);

impl Place {
    /// The one of this user.
    ///
    /// # Errors
    ///
    /// That none runs where there is no directory, or that it is none that only this user can enter.
    pub fn here() -> Result<Self, Error> {
        match open(&path()?) {
            Ok(folder) => Ok(Self(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Nobody),
            Err(error) => Err(Error::Place(error)),
        }
    }

    /// The same, made where it is not there.
    ///
    /// # Errors
    ///
    /// Where there is none that only this user can enter.
    pub fn make() -> Result<Self, Error> {
        open_or_create(&path()?).map(Self).map_err(Error::Place)
    }

    /// Connects to the broker that runs, if its process may be spoken to.
    ///
    /// # Errors
    ///
    /// That none runs, or why it may not be one.
    pub fn connect(&self) -> Result<UnixStream, Error> {
        self.0.connect(SOCKET, geteuid().as_raw())
    }

    /// As [`Place::connect`], and starts a broker where none runs that may be one. Another version of kibosh may be
    /// one: what it keeps is not for who only asks to throw away.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn connect_or_start(&self) -> Result<UnixStream, Error> {
        match self.connect() {
            Err(error) if !error.is_another_version() => self.start(|| self.connect()),
            connected => connected,
        }
    }

    /// Starts a broker in the place of one that `reach` does not come to.
    ///
    /// # Errors
    ///
    /// Why there is none that it comes to.
    pub fn start<T>(&self, reach: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        check_this()?;
        let until = Instant::now() + START;
        let _turn = self.turn(until)?;
        if let Ok(reached) = reach() {
            return Ok(reached);
        }
        start().map_err(|_| Error::Start)?;
        loop {
            match reach() {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Err(_) => return Err(Error::Start),
                reached => return reached,
            }
        }
    }

    /// Waits until nobody else starts a broker.
    fn turn(&self, until: Instant) -> Result<File, Error> {
        let lock = File::open(self.0.at(".")).map_err(Error::Place)?;
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

    /// Listens here, in the place of whoever did before.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made.
    pub fn listen(&self) -> io::Result<(UnixListener, Socket)> {
        self.0.listen(SOCKET, None)
    }

    /// Whether a socket is still the one that is found here.
    pub fn has(&self, socket: &Socket) -> bool {
        self.0.has(socket)
    }

    /// Takes a socket away, if it is still the one that is found here.
    pub fn leave(&self, socket: &Socket) {
        self.0.leave(socket);
    }
}

/// Where the directory is.
fn path() -> Result<PathBuf, Error> {
    if let Some(above) = runtime() {
        return Ok(above.join("kibosh"));
    }
    let home = Folders::here().home;
    let home = home.ok_or_else(|| Error::Place(io::ErrorKind::NotFound.into()))?;
    Ok(home.path.join(".local/state/kibosh/run"))
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

fn open(path: &Path) -> io::Result<Folder> {
    let folder = Folder::open(path)?;
    if is_private(&folder.metadata()?) {
        Ok(folder)
    } else {
        Err(io::Error::other(
            "others can enter it, or it is somebody else's",
        ))
    }
}

fn open_or_create(path: &Path) -> io::Result<Folder> {
    match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            open(path)
        }
        opened => opened,
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
        assert!(open(&made).is_err() && !made.exists());
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
