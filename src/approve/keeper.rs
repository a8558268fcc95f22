//! Does what is left to be done where a process that has changed something of a person's is gone, or takes too
//! long: a process of its own that waits for the end of a socket, and for nothing else.
//!
//! It is in a group of its own, so that what is sent to the group of who asks does not reach it, and holds all
//! signals back.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, read, setpgid, write};

use crate::sys::process::keep_only;
use crate::sys::terminal::in_child;

/// It waits.
const READY: u8 = b'r';

/// The end of who started it. Dropping it ends it: then all was done.
pub struct Keeper {
    child: Pid,
    socket: UnixStream,
}

impl Keeper {
    /// Starts it. `left` is done where this process is gone, or after `longest`; it may use `kept` and no other
    /// descriptor.
    ///
    /// # Errors
    ///
    /// Where there is no process to be had.
    pub fn start(
        kept: &[BorrowedFd<'_>],
        longest: Option<Duration>,
        left: impl FnOnce(),
    ) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = in_child(|| {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
            let all: Vec<BorrowedFd<'_>> = kept.iter().copied().chain([theirs.as_fd()]).collect();
            let is_alone = SigSet::all().thread_set_mask().is_ok() && keep_only(&all).is_ok();
            // Without a word that it waits nothing is begun.
            if !is_alone || write(&theirs, &[READY]).is_err() {
                return 1;
            }
            wait(&theirs, longest);
            left();
            0
        })?;
        let keeper = Self { child, socket };
        // Where it is gone already, its end is closed.
        drop(theirs);
        match read(&keeper.socket, &mut [0]) {
            Ok(1) => Ok(keeper),
            _ => Err(io::Error::other("no process waits for the end")),
        }
    }

    /// Readable where it is gone: somebody has killed it.
    pub fn end(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It is a child that nobody else waits for, so its number is its own still.
        let _ = kill(self.child, Signal::SIGKILL);
        let _ = waitpid(self.child, None);
    }
}

/// Waits until the other end is closed, or for as long as that may take.
fn wait(socket: &UnixStream, longest: Option<Duration>) {
    let until = longest.map(|longest| Instant::now() + longest);
    loop {
        let time = match until.map(|until| until.saturating_duration_since(Instant::now())) {
            None => PollTimeout::NONE,
            Some(left) if left.is_zero() => return,
            Some(left) => {
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut polled = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, time) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}
