//! The launcher itself: one loop between the person's terminal, the process inside, and signals.
//!
//! It stops as the agent stops, ends as the agent ends, and has the person asked. It never says anything
//! itself.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};

use super::asking::Asking;
use super::control::{Channel, Message};
use super::program::Failure;
use super::relay::Relay;
use super::signals::{Arrivals, Inherited};
use super::{Answer, Ask, Error, Outcome};
use crate::supervise::timeout;
use crate::sys::signals::{Disposition, let_through, send};

/// How often a job in the background looks whether it is in front now: a shell need not tell it.
const LOOK: Duration = Duration::from_millis(250);
/// How long the agent's output may take to come to the end of a sequence before a question.
const SETTLE: Duration = Duration::from_millis(200);

/// The launcher's state.
pub struct Outside<'a> {
    /// What is told to and by the process inside.
    pub channel: Channel,
    /// Signals to this process.
    pub arrivals: Arrivals,
    /// Signals as they were.
    pub inherited: &'a Inherited,
    /// The terminals, where there are any and the person's is not gone.
    pub relay: Option<Relay>,
    /// Whether the agent comes to the front only when it asks for keys.
    pub is_pipeline: bool,
    /// Whether the agent is on a terminal of its own, even if the person's is gone by now.
    pub has_terminal: bool,
    /// The agent's process as it was told.
    pub agent: Option<i32>,
    /// Why the program was not started.
    pub failure: Option<Failure>,
    /// The agent's status.
    pub ended: Option<i32>,
    /// The signal that stopped the agent.
    pub stopped: Option<i32>,
    /// How often the agent was told to go on.
    pub continued: u32,
    /// How often this process stopped.
    pub away: u32,
    /// Questions that wait.
    pub questions: VecDeque<(u64, Vec<u8>)>,
    /// The question that is asked.
    pub asking: Option<Asking>,
    /// Until when output may settle before a question.
    pub settle: Option<Instant>,
}

impl Outside<'_> {
    /// Serves until the agent has ended; tells how.
    ///
    /// # Errors
    ///
    /// Where the process inside is gone before, or poll(2) fails.
    pub fn serve(&mut self, ask: &mut Ask<'_>) -> Result<Outcome, Error> {
        loop {
            self.take_signals(true);
            self.hear();
            if let Some(asking) = &mut self.asking {
                if self.ended.is_some() || self.channel.is_gone() {
                    asking.give_up();
                }
                asking.turn();
            } else if let Some(status) = self.ended {
                if let Some(relay) = &mut self.relay {
                    relay.drain();
                }
                return Ok(Outcome::of(status, self.failure));
            } else if self.channel.is_gone() {
                return Err(Error::Lost);
            } else if let Some(signal) = self.stopped.take() {
                self.stop(signal);
                continue;
            } else {
                self.ask_next(ask);
            }
            if let Some(relay) = &mut self.relay {
                relay.turn();
                // A shell may have put us in front without a word.
                let is_behind = !relay.in_front && !self.is_pipeline && self.asking.is_none();
                if is_behind && relay.person.is_ours() {
                    self.go_on(true);
                }
            }
            self.wait().map_err(Error::System)?;
        }
    }

    /// Waits for something to happen, and moves bytes.
    fn wait(&mut self) -> io::Result<()> {
        let until = timeout(self.deadline());
        let is_settling = self.settle.is_some();
        let mut polled = vec![
            PollFd::new(self.channel.descriptor(), self.channel.wanted()),
            PollFd::new(self.arrivals.descriptor(), PollFlags::POLLIN),
        ];
        if let Some(relay) = &self.relay {
            polled.extend(relay.descriptors(is_settling));
        }
        if let Some(asking) = &self.asking {
            polled.push(PollFd::new(asking.descriptor(), PollFlags::POLLIN));
        }
        match poll(&mut polled, until) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
        let mut events = polled
            .iter()
            .skip(2)
            .map(|place| place.revents().unwrap_or(PollFlags::empty()))
            .collect::<VecDeque<_>>();
        drop(polled);
        if let Some(relay) = &mut self.relay {
            let mut next = || events.pop_front().unwrap_or(PollFlags::empty());
            let events = [next(), next()];
            if !relay.pump(events, is_settling) {
                self.lose_person();
            }
        }
        if events.pop_front().is_some_and(|events| !events.is_empty())
            && let Some(answer) = self.asking.as_mut().and_then(Asking::read)
        {
            self.answered(answer);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        let relay = self.relay.as_ref();
        let look = relay
            .filter(|relay| !relay.in_front && !self.is_pipeline && self.asking.is_none())
            .map(|_| Instant::now() + LOOK);
        [
            look,
            self.settle,
            relay.and_then(Relay::deadline),
            self.asking.as_ref().and_then(Asking::deadline),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes signals to this process. `counts_continue` is false where it is known already that it goes
    /// on.
    fn take_signals(&mut self, counts_continue: bool) {
        for signal in self.arrivals.take() {
            match signal {
                // A child's end shows elsewhere; the rest come of our own reads and writes.
                libc::SIGCHLD | libc::SIGPIPE | libc::SIGTTIN | libc::SIGTTOU => {}
                libc::SIGCONT => {
                    if counts_continue && self.asking.is_none() {
                        let was_in_front = self.relay.as_ref().is_some_and(|one| one.in_front);
                        self.go_on(was_in_front);
                    }
                }
                libc::SIGWINCH if self.relay.is_some() => {
                    if let Some(relay) = &mut self.relay {
                        relay.resize();
                    }
                }
                libc::SIGHUP if self.relay.as_ref().is_some_and(|one| one.person.is_gone()) => {
                    self.lose_person();
                }
                _ => self.channel.send(&Message::Signal(signal)),
            }
        }
    }

    /// Takes what the process inside says.
    fn hear(&mut self) {
        self.channel.flush();
        for message in self.channel.receive() {
            match message {
                Message::Agent(agent) => self.agent = Some(agent),
                Message::NotStarted(failure) => self.failure = Some(failure),
                Message::Stopped { signal, continued } => {
                    self.stopped = (continued == self.continued).then_some(signal);
                }
                Message::Ended(status) => self.ended = Some(status),
                Message::Ask {
                    number,
                    question,
                    away,
                } => {
                    if away == self.away {
                        self.questions.push_back((number, question));
                    }
                }
                // What only this side says.
                Message::Signal(_)
                | Message::Away
                | Message::Continue { .. }
                | Message::Answer(..) => {}
            }
        }
    }

    /// The agent was stopped: brings it to the front if that is what it wants, else stops with it.
    fn stop(&mut self, signal: i32) {
        let wants_front = matches!(signal, libc::SIGTTIN | libc::SIGTTOU);
        if let Some(relay) = &mut self.relay {
            if wants_front && !relay.in_front && relay.person.is_ours() {
                self.go_on(true);
                return;
            }
            relay.drain();
        }
        let was_in_front = self.relay.as_ref().is_some_and(|relay| relay.in_front);
        if let Some(relay) = &mut self.relay {
            relay.give_back();
        }
        // The process inside answers them when it hears that we are away.
        self.questions.clear();
        self.away = self.away.wrapping_add(1);
        self.settle = None;
        self.channel.send(&Message::Away);
        // On a terminal of its own the agent's group is not ours; without, the group got the signal
        // already, or it was for the agent alone.
        let whom = if self.has_terminal {
            0
        } else {
            std::process::id().cast_signed()
        };
        // Where it cannot stop, in an orphaned group, it goes on as any program would.
        let _ = stop_as(whom, signal);
        self.take_signals(false);
        self.go_on(was_in_front);
    }

    /// Goes on, or begins to: takes the terminal where it is for us, and lets the agent go on.
    fn go_on(&mut self, was_in_front: bool) {
        let mut in_front = false;
        if let Some(relay) = &mut self.relay {
            if was_in_front || !self.is_pipeline {
                relay.come_to_front();
            }
            in_front = relay.in_front;
        }
        self.continued = self.continued.wrapping_add(1);
        self.stopped = None;
        self.channel.send(&Message::Continue { in_front });
    }

    /// The person's terminal is gone, so the agent's is closed too.
    fn lose_person(&mut self) {
        self.relay = None;
        self.settle = None;
        if let Some(asking) = &mut self.asking {
            asking.give_up();
        }
    }

    /// Begins the next question when the output has settled.
    fn ask_next(&mut self, ask: &mut Ask<'_>) {
        let Some((number, _)) = self.questions.front() else {
            return;
        };
        if self.has_terminal && self.relay.is_none() {
            let answer = Message::Answer(*number, Vec::new());
            self.questions.pop_front();
            self.channel.send(&answer);
            return;
        }
        if let Some(relay) = self.relay.as_ref().filter(|relay| relay.in_front) {
            let now = Instant::now();
            let until = *self.settle.get_or_insert(now + SETTLE);
            if !relay.is_settled() && now < until {
                return;
            }
        }
        self.settle = None;
        let Some((number, question)) = self.questions.pop_front() else {
            return;
        };
        // Of several that want the same until now, one is asked for all.
        let mut numbers = vec![number];
        self.questions.retain(|(other, same)| {
            let is_same = *same == question;
            if is_same {
                numbers.push(*other);
            }
            !is_same
        });
        let modes = self.relay.as_mut().and_then(Relay::begin_question);
        match Asking::start(
            (numbers.clone(), &question),
            modes.clone(),
            self.inherited,
            ask,
        ) {
            Ok(asking) => self.asking = Some(asking),
            Err(_) => {
                if let Some(relay) = &mut self.relay {
                    relay.end_question(modes.as_ref());
                }
                self.answer(&numbers, &[]);
            }
        }
    }

    /// The question that was asked has its answer.
    fn answered(&mut self, answer: Answer) {
        let Some(asking) = self.asking.take() else {
            return;
        };
        let (mut numbers, modes) = (asking.numbers.clone(), asking.modes.clone());
        let question = asking.question.clone();
        drop(asking);
        if let Some(relay) = &mut self.relay {
            relay.end_question(modes.as_ref());
        }
        // The others are asked about again, before all that came later.
        if !answer.is_for_all {
            for number in numbers.split_off(1).into_iter().rev() {
                self.questions.push_front((number, question.clone()));
            }
        }
        self.answer(&numbers, &answer.bytes);
    }

    fn answer(&mut self, numbers: &[u64], answer: &[u8]) {
        for &number in numbers {
            self.channel.send(&Message::Answer(number, answer.to_vec()));
        }
    }
}

/// Stops this process, or its group, as if it had got the signal without kibosh. Returns when it goes on.
fn stop_as(whom: i32, signal: i32) -> io::Result<()> {
    if signal == libc::SIGSTOP {
        return send(whom, signal);
    }
    let disposition = Disposition::default_of(signal)?;
    let_through(signal, true)?;
    let sent = send(whom, signal);
    let_through(signal, false)?;
    disposition.restore()?;
    sent
}
