//! Asking in a process of its own, for a supervisor that must not wait.
//!
//! The process joins the group of whoever waits for the answer, so that it is in front on the terminal
//! where that is, and keys that end the waiting program end the question. Its end without an answer is a
//! no.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid, pipe2, setpgid};

use super::{Approver, Cleared, Previewer, Refusal, Request, review};
use crate::decide::Decision;
use crate::sys::process::keep_input_and;
use crate::sys::stat::Stat;
use crate::sys::terminal::in_child;

/// A question that is being asked. Dropping it withdraws it.
#[derive(Debug)]
pub struct Question {
    /// None once it has answered: then its number can be another's.
    child: Option<Pid>,
    answer: File,
}

/// How what the child writes begins where the answer is yes; who gave it follows, in JSON. Else it writes what
/// is said of the refusal.
const YES: &[u8] = b"\0yes";

/// Begins to ask. `waiting` is the process that waits for the answer; `previewer` is for [`review`]; `done` is called in the process
/// that asks, with what came of it, and gives what is said of a refusal.
///
/// # Errors
///
/// Where no process can be made.
pub fn ask(
    decision: &Decision,
    request: &Request,
    waiting: i32,
    previewer: Option<&dyn Previewer>,
    done: impl FnOnce(Result<&Approver, &Refusal>) -> String,
) -> io::Result<Question> {
    let (answer, sender) = pipe2(OFlag::O_CLOEXEC)?;
    let asks = getpid();
    let child = in_child(|| {
        // Nobody would take the answer of who asks on without it. On this signal the terminal is restored.
        if set_pdeathsig(Signal::SIGTERM).is_err() || getppid() != asks {
            return 1;
        }
        // In a session of its own it stays behind on every terminal, and is refused for that.
        if let Some(stat) = Stat::of(waiting) {
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(stat.group));
        }
        // What the supervisor holds must not be held open here.
        if keep_input_and(&[&sender]).is_err() {
            return 1;
        }
        let words = put(decision, request, previewer, done);
        i32::from(write(sender, &words).is_err())
    })?;
    Ok(Question {
        child: Some(child),
        answer: File::from(answer),
    })
}

fn write(sender: OwnedFd, words: &[u8]) -> io::Result<()> {
    File::from(sender).write_all(words)
}

/// Puts a question to the person at the terminal of this process; gives what [`Question::answer`] takes.
/// `done` is called with what came of it, and gives what is said of a refusal.
pub fn put(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
    done: impl FnOnce(Result<&Approver, &Refusal>) -> String,
) -> Vec<u8> {
    match review(decision, request, previewer) {
        Ok(cleared) => {
            done(Ok(cleared.approver()));
            let by = serde_json::to_vec(cleared.approver()).unwrap_or_default();
            [YES.to_vec(), by].concat()
        }
        Err(refusal) => done(Err(&refusal)).into_bytes(),
    }
}

impl Question {
    /// A question that somebody else puts, whose answer comes through this pipe. Nobody but who puts it
    /// may hold the other end.
    #[must_use]
    pub fn put_elsewhere(answer: OwnedFd) -> Self {
        Self {
            child: None,
            answer: File::from(answer),
        }
    }

    /// Readable when there is an answer.
    #[must_use]
    pub fn answered(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }

    /// The answer.
    ///
    /// # Errors
    ///
    /// What is said of the refusal; empty where the question ended without an answer.
    pub fn answer(mut self) -> Result<Cleared, String> {
        self.child = None;
        let mut words = Vec::new();
        let read = self.answer.read_to_end(&mut words);
        let by = words.strip_prefix(YES).filter(|_| read.is_ok());
        match by.map(serde_json::from_slice) {
            Some(Ok(by)) => Ok(Cleared(by)),
            Some(Err(_)) => Err(String::new()),
            None => Err(String::from_utf8_lossy(&words).into_owned()),
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // It restores the terminal by itself.
        if let Some(child) = self.child {
            let _ = kill(child, Signal::SIGTERM);
        }
    }
}
