//! A question to the person, asked by a process of its own that has the terminal to itself meanwhile.
//!
//! The launcher goes on serving signals and the agent. Whatever becomes of that process, no answer is
//! an empty one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getppid, pipe2};

use super::signals::Inherited;
use super::{Answer, Ask};
use crate::sys::process;
use crate::sys::terminal::{Modes, in_child};

/// How long it has to put the terminal back when it is to end.
const LAST: Duration = Duration::from_millis(500);

/// A question that is being asked. Dropping it ends it.
pub struct Asking {
    /// The numbers of the question: as many as want the same.
    pub numbers: Vec<u64>,
    /// The question itself.
    pub question: Vec<u8>,
    /// The terminal's modes, to be set again after it.
    pub modes: Option<Modes>,
    child: Pid,
    answer: File,
    bytes: Vec<u8>,
    kill_at: Option<Instant>,
}

impl Asking {
    /// Asks, with signals as kibosh was started with. `ask` must open what it needs: all but the standard
    /// streams is closed.
    ///
    /// # Errors
    ///
    /// Where there is no process to be had.
    pub fn start(
        (numbers, question): (Vec<u64>, &[u8]),
        modes: Option<Modes>,
        inherited: &Inherited,
        ask: &mut Ask<'_>,
    ) -> io::Result<Self> {
        let launcher = Pid::this();
        let (answer, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        let mut theirs = File::from(theirs);
        let child = in_child(|| {
            process::keep_standard_and(&[theirs.as_fd()]);
            // SIGTERM is a no to whoever asks, and the terminal is put back.
            let is_bound = set_pdeathsig(Signal::SIGTERM).is_ok() && getppid() == launcher;
            if !is_bound || inherited.restore_mask().is_err() {
                return 1;
            }
            let answer = ask(question, numbers.len());
            let whole = [&[u8::from(answer.is_for_all)], answer.bytes.as_slice()].concat();
            i32::from(theirs.write_all(&whole).is_err())
        })?;
        Ok(Self {
            numbers,
            question: question.to_vec(),
            modes,
            child,
            answer: File::from(answer),
            bytes: Vec::new(),
            kill_at: None,
        })
    }

    /// To be waited on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }

    /// When [`Asking::turn`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.kill_at
    }

    /// Ends it, if it goes on too long then.
    pub fn turn(&mut self) {
        if self.kill_at.is_some_and(|at| at <= Instant::now()) {
            self.kill_at = None;
            let _ = kill(self.child, Signal::SIGKILL);
        }
    }

    /// The answer matters no more.
    pub fn give_up(&mut self) {
        if self.kill_at.is_none() {
            let _ = kill(self.child, Signal::SIGTERM);
            self.kill_at = Some(Instant::now() + LAST);
        }
    }

    /// Reads what is there, after a wait; the whole answer at its end.
    pub fn read(&mut self) -> Option<Answer> {
        let mut buffer = [0; 4096];
        match self.answer.read(&mut buffer) {
            Ok(count) if count > 0 => {
                self.bytes
                    .extend_from_slice(buffer.get(..count).unwrap_or_default());
                None
            }
            Ok(_) | Err(_) => Some(match self.bytes.split_first() {
                Some((is_for_all, bytes)) => Answer {
                    bytes: bytes.to_vec(),
                    is_for_all: *is_for_all != 0,
                },
                None => Answer {
                    bytes: Vec::new(),
                    is_for_all: true,
                },
            }),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // It has closed its end, or must not go on.
        if self.kill_at.is_some() {
            let _ = kill(self.child, Signal::SIGKILL);
        }
        let _ = waitpid(self.child, None);
    }
}
