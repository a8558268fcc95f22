//! The inner terminal: a pseudo-terminal with the window and the modes of the person's.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;

use super::queue::never_wait;
use crate::sys::terminal::{Modes, Window, set_window};

/// Both ends.
pub struct Inner {
    /// The launcher's end, which does not wait.
    pub master: OwnedFd,
    /// The agent's end.
    pub slave: OwnedFd,
}

impl Inner {
    /// Makes one, with the system's usual modes where none are given. No program inherits either end.
    ///
    /// # Errors
    ///
    /// Where none is to be had.
    pub fn new(window: Window, modes: Option<&Modes>) -> io::Result<Self> {
        // Not openpty(3), whose descriptors would be inherited.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = open(ptsname_r(&master)?.as_str(), flags, Mode::empty())?;
        if let Some(modes) = modes {
            modes.set(slave.as_fd())?;
        }
        set_window(slave.as_fd(), window)?;
        let master = OwnedFd::from(master);
        never_wait(master.as_fd())?;
        Ok(Self { master, slave })
    }
}
