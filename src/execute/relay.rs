//! Standing between a pipe and the shell that takes commands from it.
//!
//! Commands that come in while they run (`producer | kibosh`, an agent's lasting shell) are cut into
//! whole units, and only what was cleared is passed on. The shell keeps this process; the relay is a
//! process beside it that the shell does not know as a child. If the relay dies, the shell sees the end
//! of its input.

use std::fs::File;
use std::io::{self, Read, Write};
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

/// Judges and asks: a unit is passed on only for a [`Cleared`]; else nothing is, and whoever judged has
/// said why.
pub type Judge<'a> = &'a mut dyn FnMut(&[u8]) -> Option<Cleared>;

/// Puts a relay between standard input and the program that this process will become.
///
/// Returns in this process with the relay's pipe on standard input. The relay never returns.
///
/// # Errors
///
/// Where the pipe or the process cannot be made.
pub fn stand_between(whole: &dyn Fn(&[u8]) -> bool, judge: Judge<'_>) -> io::Result<()> {
    let (theirs, ours) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let shell = process::watch_this()?;
    match process::fork_beside()? {
        Side::This => {
            nix::unistd::dup2_stdin(theirs)?;
            Ok(())
        }
        Side::Beside => {
            drop(theirs);
            let _ = relay(&ours, &shell, whole, judge);
            process::leave(0)
        }
    }
}

/// Passes on what is cleared, until either end is gone.
fn relay(
    output: &OwnedFd,
    shell: &OwnedFd,
    whole: &dyn Fn(&[u8]) -> bool,
    judge: Judge<'_>,
) -> io::Result<()> {
    // Signals to the group are for the shell; its end is what ends the relay.
    let inherited = SigSet::thread_get_mask()?;
    SigSet::all().thread_set_mask()?;
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = output.try_clone()?;
    let shell = shell.try_clone()?;
    process::keep_only(&[&input, &output, &shell])?;
    fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut input = File::from(input);
    let mut output = File::from(output);
    let mut units = Units::default();
    let mut ready: Vec<u8> = Vec::new();
    let mut ended = false;
    let mut buffer = vec![0; 1 << 16];
    loop {
        while ready.is_empty() {
            let Some(unit) = units.next(ended, whole) else {
                break;
            };
            inherited.thread_set_mask()?;
            let cleared = judge(&unit);
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
            let count = input.read(&mut buffer)?;
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
