//! Puts the person's terminal back where the launcher is killed: a process that holds the terminal and
//! the end of a socket, and does nothing until the other end closes without a word.
//!
//! It is in a group of its own, so that what is sent to the launcher's group does not reach it, and
//! holds all signals back. It restores only modes that are still the launcher's: whoever has changed
//! them since knows better.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, read, setpgid, write};

use crate::sys::process;
use crate::sys::terminal::{Modes, in_child};

/// The launcher has taken the terminal, or given it back, or ends.
const TAKEN: u8 = b't';
const GIVEN_BACK: u8 = b'g';
const END: u8 = b'e';

/// How long the watchdog may take to note the modes, in milliseconds.
const MOST_WAIT: u16 = 1000;

/// The launcher's end. Dropping it ends the watchdog.
pub struct Watchdog {
    child: Pid,
    socket: UnixStream,
}

impl Watchdog {
    /// Starts it, with signals held back already.
    ///
    /// # Errors
    ///
    /// Where there is no process to be had.
    pub fn start(terminal: &File) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = in_child(|| {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
            if process::keep_only(&[terminal.as_fd(), theirs.as_fd()]).is_err() {
                return 1;
            }
            watch(terminal.as_fd(), theirs.as_fd());
            0
        })?;
        Ok(Self { child, socket })
    }

    /// The launcher's end of the socket.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The terminal is about to be taken: returns when its modes have been noted.
    pub fn taken(&self) {
        self.tell(TAKEN);
        let mut polled = [PollFd::new(self.descriptor(), PollFlags::POLLIN)];
        // A watchdog that was killed or stopped by somebody must not keep the agent from running.
        if poll(&mut polled, PollTimeout::from(MOST_WAIT)).is_ok_and(|ready| ready > 0) {
            let _ = read(&self.socket, &mut [0]);
        }
    }

    /// The terminal has been given back.
    pub fn given_back(&self) {
        self.tell(GIVEN_BACK);
    }

    fn tell(&self, word: u8) {
        // Without a watchdog the launcher goes on; SIGPIPE is held back.
        let _ = write(&self.socket, &[word]);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.tell(END);
        let _ = waitpid(self.child, None);
    }
}

/// Waits for the end; the socket's is the launcher's.
fn watch(terminal: BorrowedFd<'_>, socket: BorrowedFd<'_>) {
    let mut taken: Option<Modes> = None;
    let mut word = [0];
    loop {
        match (read(socket, &mut word), word) {
            (Ok(1), [TAKEN]) => {
                taken = Modes::of(terminal).ok();
                let _ = write(socket, &[TAKEN]);
            }
            (Ok(1), [GIVEN_BACK]) => taken = None,
            (Ok(1), _) => return,
            (Err(Errno::EINTR), _) => {}
            (Ok(_) | Err(_), _) => break,
        }
    }
    if let Some(before) = taken
        && Modes::of(terminal).is_ok_and(|modes| modes == before.transparent())
    {
        let _ = before.set(terminal);
    }
}
