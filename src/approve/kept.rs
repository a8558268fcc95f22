//! A program that is started for an answer or to be shown, and ended together with all that it has started.
//!
//! Between this process and the program stands a keeper, a process of its own that adopts whatever the program
//! leaves behind. It ends all of that when the program ends, when the answer is no longer waited for, or when
//! this process is gone. The program gets a session, a group, a directory and signals that are nobody else's,
//! and for its standard input and output one socket: unlike a pipe, no other process can open that through
//! `/proc/PID/fd`, to read the request or to write an answer.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stdin, dup2_stdout, getpid, getppid, setpgid, setsid};

use crate::sys::process::{become_program_with, become_unseen, keep_only, watch};
use crate::sys::signals::Disposition;
use crate::sys::stat::children;
use crate::sys::terminal::in_child;

/// How long the keeper may take to end what is left.
const END: Duration = Duration::from_millis(1500);
/// How long it is waited for.
const MOST_END: Duration = Duration::from_millis(2000);
/// How long it waits before it looks again for what is left.
pub const SHORT: Duration = Duration::from_millis(2);
/// The highest number of a signal.
const MOST_SIGNAL: i32 = 64;

/// A program that runs. Dropping it ends it with all that it has started.
pub struct Kept {
    /// Its standard input and output, on which no call waits.
    pub stream: UnixStream,
    /// The status with which it ended is told here; the keeper ends when this is closed.
    pub leash: UnixStream,
    keeper: Pid,
}

impl Kept {
    /// Starts a program by its path and its words, the path among them, with nothing but this environment.
    ///
    /// # Errors
    ///
    /// Where no process can be made. That the program cannot be started shows as its end with status 127.
    pub fn start(command: &[CString], environment: &[CString]) -> io::Result<Self> {
        Self::run(&mut Command {
            command,
            environment,
        })
    }

    /// Starts what begins as it says.
    ///
    /// # Errors
    ///
    /// Where no process can be made.
    pub fn run(tenant: &mut dyn Tenant) -> io::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let (leash, held) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        leash.set_nonblocking(true)?;
        let keeper = in_child(|| i32::from(keep(theirs.into(), held, tenant).is_err()))?;
        Ok(Self {
            stream,
            leash,
            keeper,
        })
    }

    /// The status with which the program ended, as shells give it; all that it wrote has arrived then.
    ///
    /// # Errors
    ///
    /// That the keeper was killed. Where it has said nothing yet, `WouldBlock`.
    pub fn status(&self) -> io::Result<u8> {
        let mut status = [0];
        (&self.leash).read_exact(&mut status)?;
        let [status] = status;
        Ok(status)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.leash.shutdown(std::net::Shutdown::Both);
        if let Ok(end) = watch(self.keeper.as_raw()) {
            let mut polled = [PollFd::new(end.as_fd(), PollFlags::POLLIN)];
            let most = PollTimeout::try_from(MOST_END).unwrap_or(PollTimeout::ZERO);
            let _ = poll(&mut polled, most);
        }
        // With it goes the program, if that is still there (PR_SET_PDEATHSIG).
        let _ = kill(self.keeper, Signal::SIGKILL);
        let _ = waitpid(self.keeper, None);
    }
}

/// How a program begins, and who looks after it.
pub trait Tenant {
    /// Called in the keeper before anything is started.
    ///
    /// # Errors
    ///
    /// Why nothing can be.
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Becomes the program, in its process, with the other end of the stream. Returns only where that failed; gives the
    /// status that tells it.
    fn begin(&mut self, stream: OwnedFd) -> u8;

    /// Waits for its end, in the keeper; gives its status, or none where nobody wants it any more, which is when `held`
    /// can be read.
    fn wait(&mut self, program: Pid, held: &UnixStream) -> Option<u8> {
        wait(program, held)
    }
}

/// A program that gets the stream as its standard input and output.
struct Command<'a> {
    command: &'a [CString],
    environment: &'a [CString],
}

impl Tenant for Command<'_> {
    fn begin(&mut self, stream: OwnedFd) -> u8 {
        const NOT_STARTED: u8 = 127;
        if dup2_stdin(&stream).is_ok()
            && dup2_stdout(&stream).is_ok()
            && let Some(path) = self.command.first()
        {
            drop(stream);
            become_program_with(path, self.command, self.environment);
        }
        NOT_STARTED
    }
}

/// The keeper's work.
fn keep(theirs: OwnedFd, mut held: UnixStream, tenant: &mut dyn Tenant) -> io::Result<()> {
    SigSet::all().thread_set_mask()?;
    setsid()?;
    for signal in 1..=MOST_SIGNAL {
        // KILL and STOP can be nothing else, and two are the C library's own.
        let _ = Disposition::default_of(signal);
    }
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    set_child_subreaper(true)?;
    become_unseen()?;
    keep_only(&[theirs.as_fd(), held.as_fd()])?;
    let keeper = getpid();
    tenant.prepare()?;
    let mut theirs = Some(theirs);
    let program = in_child(|| match theirs.take() {
        Some(theirs) if is_kept(keeper) => tenant.begin(theirs).into(),
        _ => 1,
    })?;
    drop(theirs);
    let status = tenant.wait(program, &held);
    end_all(program);
    if let Some(status) = status {
        held.write_all(&[status])?;
    }
    Ok(())
}

/// Makes this process one that ends with its keeper; whether that is still there.
fn is_kept(keeper: Pid) -> bool {
    set_pdeathsig(Signal::SIGKILL).is_ok()
        && getppid() == keeper
        && setpgid(Pid::from_raw(0), Pid::from_raw(0)).is_ok()
        && SigSet::empty().thread_set_mask().is_ok()
}

/// Waits for the end of the program; gives its status, or none where nobody wants it any more.
fn wait(program: Pid, held: &UnixStream) -> Option<u8> {
    let end = watch(program.as_raw()).ok()?;
    let mut polled = [
        PollFd::new(held.as_fd(), PollFlags::POLLIN),
        PollFd::new(end.as_fd(), PollFlags::POLLIN),
    ];
    while matches!(poll(&mut polled, PollTimeout::NONE), Err(Errno::EINTR)) {}
    let [given_up, _] = &polled;
    if given_up.any().unwrap_or(true) {
        return None;
    }
    match waitpid(program, None).ok()? {
        WaitStatus::Exited(_, status) => u8::try_from(status).ok(),
        WaitStatus::Signaled(_, signal, _) => u8::try_from(128 + signal as i32).ok(),
        _ => None,
    }
}

/// Ends the group of the program, if `program` is still its number, and every child of this process: once more where
/// those leave others behind.
pub fn end_children(program: Option<Pid>) {
    if let Some(program) = program {
        let _ = killpg(program, Signal::SIGKILL);
    }
    for child in children() {
        let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
    }
}

/// Ends the group of the program and whatever else has come from it: what loses its parent becomes a child of
/// this process.
fn end_all(program: Pid) {
    let until = Instant::now() + END;
    let _ = killpg(program, Signal::SIGKILL);
    while Instant::now() < until {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {
                end_children(None);
                std::thread::sleep(SHORT);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
