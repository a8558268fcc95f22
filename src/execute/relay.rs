//! Standing between a pipe and the shell that takes commands from it.
//!
//! Commands that come in while they run (`producer | kibosh`, an agent's lasting shell) are cut into
//! whole units, and only what was cleared is passed on. The shell keeps this process; the relay is a
//! process beside it that the shell does not know as a child. If the relay dies, the shell sees the end
//! of its input.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;

use super::units::Units;
use crate::approve::Cleared;
use crate::sys::process::{self, Side};

/// What the shell reads in the place of a unit that was not cleared. Its status is the one that
/// `exit.rs` gives for stopped lines.
const STOPPED: &[u8] = b"(exit 126)\n";

/// What the relay asks and tells.
pub struct Listener<'a> {
    /// Whether a text is one that the shell would run without waiting for more.
    pub whole: &'a dyn Fn(&[u8]) -> bool,
    /// Judges and asks: a unit is passed on only for a [`Cleared`]; else nothing is, and whoever judged
    /// has said why.
    pub judge: &'a mut dyn FnMut(&[u8]) -> Option<Cleared>,
    /// Told when the relay cannot go on, so that the shell will see the end of its input.
    pub failed: &'a dyn Fn(&io::Error),
    /// What the judging needs kept open.
    pub keeps: Option<&'a OwnedFd>,
}

/// Puts a relay between standard input and the program that this process will become.
///
/// Returns in this process with the relay's pipe on standard input. The relay never returns.
///
/// # Errors
///
/// Where the pipe or the process cannot be made.
pub fn stand_between(mut listener: Listener<'_>) -> io::Result<()> {
    let (theirs, ours) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let shell = process::watch_this()?;
    match process::fork_beside()? {
        Side::This => {
            nix::unistd::dup2_stdin(theirs)?;
            Ok(())
        }
        Side::Beside => {
            drop(theirs);
            if let Err(error) = relay(ours, &shell, &mut listener) {
                (listener.failed)(&error);
            }
            process::leave(0)
        }
    }
}

/// Passes on what is cleared, until either end is gone.
fn relay(output: OwnedFd, shell: &OwnedFd, listener: &mut Listener<'_>) -> io::Result<()> {
    // Signals to the group are for the shell; its end is what ends the relay.
    let inherited = SigSet::thread_get_mask()?;
    SigSet::all().thread_set_mask()?;
    let kept: Vec<&OwnedFd> = [&output, shell].into_iter().chain(listener.keeps).collect();
    process::keep_input_and(&kept)?;
    fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let input = io::stdin();
    let mut output = File::from(output);
    let mut units = Units::default();
    let mut ready: Vec<u8> = Vec::new();
    let mut ended = false;
    let mut buffer = vec![0; 1 << 16];
    loop {
        while ready.is_empty() {
            let Some(unit) = units.next(ended, listener.whole) else {
                break;
            };
            inherited.thread_set_mask()?;
            let cleared = (listener.judge)(&unit);
            SigSet::all().thread_set_mask()?;
            ready = match cleared {
                Some(_cleared) => unit,
                None => STOPPED.to_vec(),
            };
        }
        if ready.is_empty() && ended {
            return Ok(());
        }
        let wanted = if ready.is_empty() {
            Some(input.as_fd())
        } else {
            None
        };
        let able = wait(wanted, output.as_fd(), shell.as_fd(), !ready.is_empty())?;
        if able.gone {
            return Ok(());
        }
        if able.output && !ready.is_empty() {
            let count = output.write(&ready)?;
            ready.drain(..count);
        }
        if able.input {
            let count = nix::unistd::read(input.as_fd(), &mut buffer)?;
            ended = count == 0;
            units.add(buffer.get(..count).unwrap_or_default());
        }
    }
}

/// What can be done next.
#[derive(Default)]
struct Able {
    input: bool,
    output: bool,
    gone: bool,
}

fn wait(
    input: Option<BorrowedFd<'_>>,
    output: BorrowedFd<'_>,
    shell: BorrowedFd<'_>,
    write: bool,
) -> io::Result<Able> {
    let writing = if write {
        PollFlags::POLLOUT
    } else {
        PollFlags::empty()
    };
    let mut places = vec![
        PollFd::new(shell, PollFlags::POLLIN),
        PollFd::new(output, writing),
    ];
    places.extend(input.map(|input| PollFd::new(input, PollFlags::POLLIN)));
    poll(&mut places, PollTimeout::NONE)?;
    let mut events = places
        .iter()
        .map(|place| place.revents().unwrap_or(PollFlags::empty()));
    let shell = events.next().unwrap_or(PollFlags::POLLIN);
    let output = events.next().unwrap_or(PollFlags::POLLERR);
    let input = events.next().unwrap_or(PollFlags::empty());
    Ok(Able {
        input: !input.is_empty(),
        output: output.contains(PollFlags::POLLOUT),
        gone: !shell.is_empty() || output.contains(PollFlags::POLLERR),
    })
}
