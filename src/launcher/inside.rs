//! The process inside: looks after the agent and tells the launcher of it.
//!
//! It leads the session of the inner terminal, so it lives longer than the agent's terminal is used. It
//! never waits by itself; a loop serves it ([`crate::supervise::companion`]).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

use super::control::{Channel, Message};
use super::program::Failure;
use super::signals::Arrivals;
use crate::supervise::companion::Companion;
use crate::sys::signals::send;
use crate::sys::trace::Status;

/// What an agent that lost its launcher is sent, and how long it has for each.
const LAST_SIGNALS: [(i32, Duration); 2] = [
    (libc::SIGTERM, Duration::from_secs(1)),
    (libc::SIGKILL, Duration::from_secs(2)),
];
/// For how long a signal to the whole group is taken for the one that the launcher tells of.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

/// What looks after the agent.
pub struct Keeper {
    pub(super) channel: Channel,
    pub(super) arrivals: Arrivals,
    pub(super) agent: i32,
    /// Closed by execve(2); tells before that why there was none.
    pub(super) start: Option<File>,
    /// The inner terminal; none where there is none, or after the agent's end.
    pub(super) terminal: Option<OwnedFd>,
    /// Whether signals to the agent are for its group: not where it shares the launcher's.
    pub(super) has_group: bool,
    /// The group that was in front on the inner terminal when the agent was stopped or put behind.
    pub(super) front: Option<Pid>,
    pub(super) has_ended: bool,
    /// Whether a child has a status that the loop may not have taken.
    pub(super) has_news: bool,
    /// Whether the agent has been told that its terminal is gone.
    pub(super) is_hung_up: bool,
    pub(super) is_away: bool,
    /// How often the launcher was away.
    pub(super) away: u32,
    /// How often the agent was told to go on.
    pub(super) continued: u32,
    /// Signals that reached this process too, as a member of the agent's group.
    pub(super) shared: Vec<(i32, Instant)>,
    /// What is still to be sent to an agent without a launcher, and when.
    pub(super) last: VecDeque<(i32, Instant)>,
    pub(super) is_orphan: bool,
    pub(super) asked: Vec<u64>,
    pub(super) answers: Vec<(u64, Vec<u8>)>,
    pub(super) questions: u64,
}

impl Keeper {
    /// The agent's process.
    #[must_use]
    pub fn agent(&self) -> i32 {
        self.agent
    }

    /// Whether the agent has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Has a person asked; gives the number of the question. What the bytes mean is up to those at both
    /// ends. The answer is empty where nobody could be asked.
    pub fn start_ask(&mut self, question: Vec<u8>) -> u64 {
        self.questions += 1;
        if self.is_away || self.is_orphan || self.has_ended {
            self.answers.push((self.questions, Vec::new()));
        } else {
            self.asked.push(self.questions);
            self.channel.send(&Message::Ask {
                number: self.questions,
                question,
                away: self.away,
            });
        }
        self.questions
    }

    /// The answers that have come in, each with the number of its question.
    pub fn take_answers(&mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.answers)
    }

    /// Sends a signal to the agent, and to its group where that is its own.
    fn signal(&self, signal: i32) {
        if !self.has_ended {
            let whom = if self.has_group {
                -self.agent
            } else {
                self.agent
            };
            // The agent was not waited for yet, so its number is still its own.
            let _ = send(whom, signal);
        }
    }

    /// Takes what the launcher says.
    fn told(&mut self, message: Message) {
        match message {
            Message::Signal(signal) => {
                self.take_arrivals();
                let now = Instant::now();
                self.shared.retain(|(_, at)| now - *at < SAME_SIGNAL);
                match self.shared.iter().position(|(one, _)| *one == signal) {
                    Some(place) => drop(self.shared.remove(place)),
                    None => self.signal(signal),
                }
            }
            Message::Away => {
                self.is_away = true;
                self.away = self.away.wrapping_add(1);
                self.nobody_answers();
            }
            Message::Continue { in_front } => {
                self.continued = self.continued.wrapping_add(1);
                self.is_away = false;
                self.put(in_front);
                self.take_arrivals();
                match self
                    .shared
                    .iter()
                    .position(|(one, _)| *one == libc::SIGCONT)
                {
                    Some(place) => drop(self.shared.remove(place)),
                    None => self.signal(libc::SIGCONT),
                }
            }
            Message::Answer(question, answer) => {
                if let Some(place) = self.asked.iter().position(|one| *one == question) {
                    self.asked.remove(place);
                    self.answers.push((question, answer));
                }
            }
            // What only this side says.
            Message::Agent(_)
            | Message::NotStarted(_)
            | Message::Stopped { .. }
            | Message::Ended(_)
            | Message::Ask { .. } => {}
        }
    }

    /// Puts the agent in front of the inner terminal or behind.
    fn put(&mut self, in_front: bool) {
        let Some(terminal) = self.terminal.as_ref() else {
            return;
        };
        // SIGTTOU is held back, so that this never stops us.
        if in_front {
            let front = self.front.take().unwrap_or(Pid::from_raw(self.agent));
            if tcsetpgrp(terminal, front).is_err() {
                let _ = tcsetpgrp(terminal, Pid::from_raw(self.agent));
            }
        } else {
            self.note_front();
            if let Some(terminal) = self.terminal.as_ref() {
                let _ = tcsetpgrp(terminal, getpgrp());
            }
        }
    }

    /// Notes which group is in front, for a shell as the agent puts its jobs there.
    fn note_front(&mut self) {
        let front = self.terminal.as_ref().and_then(|one| tcgetpgrp(one).ok());
        if let Some(front) = front.filter(|front| *front != getpgrp()) {
            self.front = Some(front);
        }
    }

    /// Takes signals to this process. A child's may be taken after the loop has looked for statuses, so it
    /// must look again before it waits. Those that the whole group got are noted; a hang-up of the inner
    /// terminal is told to its leader alone (tty_ioctl(4)), which hands it on.
    fn take_arrivals(&mut self) {
        for signal in self.arrivals.take() {
            if signal == libc::SIGCHLD {
                self.has_news = true;
            } else if !self.has_group {
                self.shared.push((signal, Instant::now()));
            } else if signal == libc::SIGHUP {
                self.hang_up();
            }
        }
    }

    /// Tells the agent, stopped or not, that its terminal is gone.
    fn hang_up(&mut self) {
        if !std::mem::replace(&mut self.is_hung_up, true) {
            self.signal(libc::SIGHUP);
            self.signal(libc::SIGCONT);
        }
    }

    /// Answers all questions with nothing.
    fn nobody_answers(&mut self) {
        let unanswered = self.asked.drain(..).map(|question| (question, Vec::new()));
        self.answers.extend(unanswered);
    }

    /// The launcher is gone without a word: nobody holds the agent's terminal any more.
    fn lose_launcher(&mut self) {
        self.is_orphan = true;
        self.nobody_answers();
        self.hang_up();
        let mut at = Instant::now();
        for (signal, wait) in LAST_SIGNALS {
            at += wait;
            self.last.push_back((signal, at));
        }
    }

    /// Reads why the program was not started. At the end without a word, it was.
    fn read_start(&mut self) {
        let Some(start) = &mut self.start else {
            return;
        };
        let mut record = [0; 16];
        match start.read(&mut record) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Ok(count) if count > 0 => {
                let failure = postcard::from_bytes(record.get(..count).unwrap_or_default());
                let failure = failure.unwrap_or(Failure::NotPrepared(libc::EIO));
                self.channel.send(&Message::NotStarted(failure));
            }
            Ok(_) | Err(_) => {}
        }
        self.start = None;
    }
}

impl Companion for Keeper {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        let mut descriptors = vec![PollFd::new(self.arrivals.descriptor(), PollFlags::POLLIN)];
        if !self.is_orphan {
            let wanted = self.channel.wanted();
            descriptors.push(PollFd::new(self.channel.descriptor(), wanted));
        }
        if let Some(start) = &self.start {
            descriptors.push(PollFd::new(start.as_fd(), PollFlags::POLLIN));
        }
        descriptors
    }

    fn deadline(&self) -> Option<Instant> {
        if self.has_news {
            return Some(Instant::now());
        }
        if self.has_ended {
            return None;
        }
        self.last.front().map(|(_, at)| *at)
    }

    /// Nothing here waits, so all is looked at in [`Companion::turn`].
    fn ready(&mut self, _place: usize, _events: PollFlags) {}

    fn has_children(&self) -> bool {
        true
    }

    fn status(&mut self, status: Status) -> bool {
        let Status {
            id: child,
            raw: status,
        } = status;
        if child != self.agent || self.has_ended {
            return false;
        }
        if libc::WIFSTOPPED(status) {
            // The upper half tells of events of a tracer (ptrace(2)).
            let is_ours = status >> 16 == 0 && STOPS.contains(&libc::WSTOPSIG(status));
            let signal = libc::WSTOPSIG(status);
            if is_ours && !self.is_orphan {
                self.note_front();
                if matches!(signal, libc::SIGTTIN | libc::SIGTTOU) {
                    // It wants to be in front itself.
                    self.front = None;
                }
                self.channel.send(&Message::Stopped {
                    signal,
                    continued: self.continued,
                });
            } else if is_ours {
                self.signal(libc::SIGCONT);
            }
            return is_ours;
        }
        self.read_start();
        self.has_ended = true;
        if let Some(terminal) = self.terminal.take() {
            // The end of a session hangs up whoever is in front (credentials(7)); what the agent left
            // behind is not to be.
            let _ = tcsetpgrp(&terminal, getpgrp());
        }
        self.nobody_answers();
        self.channel.send(&Message::Ended(status));
        true
    }

    fn turn(&mut self) {
        self.has_news = false;
        self.take_arrivals();
        self.read_start();
        if !self.is_orphan {
            self.channel.flush();
            for message in self.channel.receive() {
                self.told(message);
            }
            if self.channel.is_gone() {
                self.lose_launcher();
            }
        }
        while let Some((signal, at)) = self.last.front().copied()
            && at <= Instant::now()
        {
            self.last.pop_front();
            self.signal(signal);
        }
    }

    fn is_done(&self) -> bool {
        self.has_ended && (self.is_orphan || self.channel.is_flushed())
    }
}

/// The signals that stop a process.
const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
