//! The process inside before there is an agent: it leads the session of the inner terminal, where there
//! is one, and starts the agent in a group of its own.
//!
//! Without a terminal the agent stays in the launcher's session and group, as without kibosh.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::sys::prctl::set_child_subreaper;
use nix::unistd::{
    Pid, close, dup2_stderr, dup2_stdin, dup2_stdout, pipe2, setpgid, setsid, tcsetpgrp,
};

use super::control::{Channel, Message};
use super::inside::Keeper;
use super::program::{Failure, Program};
use super::queue::never_wait;
use super::signals::{Arrivals, Inherited};
use super::streams::Streams;
use crate::exit;
use crate::sys::process;
use crate::sys::terminal::{control, in_child};

/// All that the agent is started with.
pub struct Seat {
    pub(super) program: Program,
    pub(super) streams: Streams,
    pub(super) inherited: Inherited,
    /// The agent's end of the inner terminal.
    pub(super) terminal: Option<OwnedFd>,
    pub(super) channel: Channel,
    pub(super) in_front: bool,
}

impl Seat {
    /// Makes this process, a fresh child of the launcher, the one inside. `foreign` are the launcher's
    /// descriptors: held open here, they would hide its end.
    pub(super) fn take(&self, foreign: &[RawFd]) -> io::Result<()> {
        for number in foreign {
            let _ = close(*number);
        }
        set_child_subreaper(true)?;
        if let Some(terminal) = &self.terminal {
            setsid()?;
            control(terminal.as_fd())?;
        }
        Ok(())
    }

    /// Starts the agent. `before_exec` is called in its process, with signals and descriptors as they will
    /// be, just before it becomes the program; it may use descriptors that were opened before.
    ///
    /// All descriptors of this process but the keeper's and `kept` are closed, so that nobody waits for
    /// the ends of what the agent was given.
    ///
    /// # Errors
    ///
    /// Where there is no process to be had. That the program itself cannot be started is told to the
    /// launcher.
    pub fn start(
        self,
        kept: &[BorrowedFd<'_>],
        before_exec: &mut dyn FnMut() -> io::Result<()>,
    ) -> io::Result<Keeper> {
        let (start, report) = pipe2(OFlag::O_CLOEXEC)?;
        let mut report = File::from(report);
        let child = in_child(|| {
            let failure = match self.prepare() {
                Ok(()) => self.program.start(before_exec),
                Err(error) => Failure::not_prepared(&error),
            };
            if let Ok(record) = postcard::to_allocvec(&failure) {
                let _ = report.write_all(&record);
            }
            exit::FAILED.into()
        })?;
        let has_group = self.terminal.is_some();
        if has_group {
            // The agent does so too; whoever comes first. It fails where the program runs already.
            let _ = setpgid(child, child);
        }
        let mut open = vec![start.as_fd(), self.channel.descriptor()];
        open.extend(self.terminal.as_ref().map(OwnedFd::as_fd));
        open.extend(kept);
        process::keep_only(&open)?;
        // Closed already.
        std::mem::forget(report);
        never_wait(start.as_fd())?;
        let mut channel = self.channel;
        channel.send(&Message::Agent(child.as_raw()));
        Ok(Keeper {
            channel,
            arrivals: Arrivals::new()?,
            agent: child.as_raw(),
            start: Some(File::from(start)),
            terminal: self.terminal,
            has_group,
            front: None,
            has_ended: false,
            has_news: false,
            is_hung_up: false,
            is_away: false,
            away: 0,
            continued: 0,
            shared: Vec::new(),
            last: VecDeque::new(),
            is_orphan: false,
            asked: Vec::new(),
            answers: Vec::new(),
            questions: 0,
        })
    }

    /// In the agent's process: its place on the terminal, its streams, and signals as kibosh found them.
    fn prepare(&self) -> io::Result<()> {
        if let Some(terminal) = &self.terminal {
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            if self.in_front {
                // SIGTTOU is held back still, so that this does not stop us.
                tcsetpgrp(terminal, Pid::this())?;
            }
            let [input, output, error] = self.streams.terminals;
            if input {
                dup2_stdin(terminal)?;
            }
            if output {
                dup2_stdout(terminal)?;
            }
            if error {
                dup2_stderr(terminal)?;
            }
        }
        self.inherited.restore()
    }
}
