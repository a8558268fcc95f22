//! The person's terminal: taken raw while the agent is in front, given back as it was in between.
//!
//! It is opened anew, so that not waiting on it changes nothing for those who share the standard
//! streams. It is never changed while another job is in front on it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::tcgetsid;
use nix::unistd::{Pid, getpgrp, getsid, tcgetpgrp};

use super::streams::Streams;
use super::watchdog::Watchdog;
use crate::sys::terminal::{self, Modes, Window};

/// The terminal. Dropping it gives it back.
pub struct Person {
    terminal: File,
    /// Whether it is the one that controls this session, so that jobs take turns on it.
    has_jobs: bool,
    /// The modes from before it was taken, while it is.
    before: Option<Modes>,
    watchdog: Watchdog,
}

impl Person {
    /// Opens it: the controlling terminal where a standard stream is that one, else what the first
    /// stream that is a terminal leads to. Nothing is changed yet.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened, or no watchdog can be made for it.
    pub fn open(streams: &Streams) -> io::Result<Self> {
        let (session, number) = first(streams).ok_or(io::ErrorKind::NotFound)?;
        let has_jobs = session == Some(getsid(None)?);
        let stream = format!("/proc/self/fd/{number}");
        let terminal = if has_jobs {
            // The name of the stream may be of another place, as in a container.
            open("/dev/tty").or_else(|_| open(&stream))?
        } else {
            open(&stream)?
        };
        let watchdog = Watchdog::start(&terminal)?;
        Ok(Self {
            terminal,
            has_jobs,
            before: None,
            watchdog,
        })
    }

    /// To be waited on, read and written.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }

    /// The end that a process which is not this one must close, or the watchdog never sees the end.
    pub fn watchdog(&self) -> BorrowedFd<'_> {
        self.watchdog.descriptor()
    }

    /// Whether this process may use it now.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !self.has_jobs || tcgetpgrp(&self.terminal) == Ok(getpgrp())
    }

    /// Whether it is raw.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.before.is_some()
    }

    /// Whether the line is down.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let mut polled = [PollFd::new(self.descriptor(), PollFlags::empty())];
        let is_polled = poll(&mut polled, PollTimeout::ZERO).is_ok();
        let [place] = polled;
        is_polled && hung_up(place.revents())
    }

    /// The modes from before it was taken, while it is.
    #[must_use]
    pub fn before(&self) -> Option<&Modes> {
        self.before.as_ref()
    }

    /// The modes as they are.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub fn modes(&self) -> io::Result<Modes> {
        Modes::of(self.descriptor())
    }

    /// The window as it is.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn window(&self) -> io::Result<Window> {
        terminal::window(self.descriptor())
    }

    /// Takes it: everything passes as it is, in both directions. It must be ours.
    ///
    /// # Errors
    ///
    /// Where the modes cannot be read or set.
    pub fn take(&mut self) -> io::Result<()> {
        if self.before.is_some() {
            return Ok(());
        }
        let before = self.modes()?;
        let raw = before.transparent();
        // The watchdog first: between the two it finds modes that are not to be put back.
        self.watchdog.taken();
        raw.set(self.descriptor())?;
        self.before = Some(before);
        Ok(())
    }

    /// Takes it again after something else may have changed its modes. It must be ours.
    ///
    /// # Errors
    ///
    /// Where the modes cannot be read or set.
    pub fn take_again(&mut self) -> io::Result<()> {
        if let Some(before) = &self.before
            && self.modes()? == before.transparent()
        {
            return Ok(());
        }
        self.before = None;
        self.take()
    }

    /// Gives it back with the modes from before, unless another job is in front: then it has been given
    /// its own already.
    pub fn give_back(&mut self) {
        if let Some(before) = self.before.take() {
            if self.is_ours() {
                // It can only fail where the terminal is gone.
                let _ = before.set(self.descriptor());
            }
            self.watchdog.given_back();
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open(path)
}

/// Whether poll(2) told that the other end of a terminal is gone.
#[must_use]
pub fn hung_up(events: Option<PollFlags>) -> bool {
    events.is_some_and(|events| {
        events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL)
    })
}

/// The first standard stream that is a terminal: the session that it controls, where that is ours, and its
/// number.
fn first(streams: &Streams) -> Option<(Option<Pid>, usize)> {
    let number = streams
        .terminals
        .iter()
        .position(|is_terminal| *is_terminal)?;
    let session = match number {
        0 => tcgetsid(io::stdin()),
        1 => tcgetsid(io::stdout()),
        _ => tcgetsid(io::stderr()),
    };
    Some((session.ok(), number))
}
