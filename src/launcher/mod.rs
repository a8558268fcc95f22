//! Starts a program, an agent, on a terminal of its own, while kibosh keeps the person's.
//!
//! Three processes: the launcher on the person's terminal (`outside`), the process inside, which leads
//! the session of the inner terminal (`seat`, `inside`), and the agent. Takes a program; gives how it
//! ended. To the person's shell it must look as if the agent had been started without kibosh: status,
//! stops, signals, streams. Bytes are never changed. Where no standard stream is a terminal there is no
//! inner one.

pub mod alone;
pub mod inside;
pub mod program;
pub mod seat;

mod asking;
mod control;
mod inner;
mod outside;
mod person;
mod picture;
mod queue;
mod relay;
mod screen;
mod signals;
mod streams;
mod survivors;
mod watchdog;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::prctl::set_child_subreaper;

use crate::sys::terminal::in_child;

use control::Channel;
use inner::Inner;
use outside::Outside;
use person::Person;
use program::{Failure, Program};
use relay::Relay;
use seat::Seat;
use signals::{Arrivals, Inherited};
use streams::Streams;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The agent exited with this status.
    Exited(u8),
    /// The agent was ended by this signal.
    Killed(i32),
    /// There never was one.
    NotStarted(Failure),
}

impl Outcome {
    /// From a status as wait(2) gives it.
    fn of(status: i32, failure: Option<Failure>) -> Self {
        match failure {
            Some(failure) => Self::NotStarted(failure),
            None if libc::WIFSIGNALED(status) => Self::Killed(libc::WTERMSIG(status)),
            None => Self::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX)),
        }
    }
}

/// Why it is not known how the agent ended.
#[derive(Debug)]
pub enum Error {
    /// The person's terminal could not be used, or no inner one be made.
    Terminal(io::Error),
    /// The system did not do what was asked.
    System(io::Error),
    /// The process inside was gone before the agent had ended; the agent has been ended.
    Lost,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal(error) => write!(out, "there is no terminal for it: {error}"),
            Self::System(error) => write!(out, "it cannot be looked after: {error}"),
            Self::Lost => write!(
                out,
                "the process that looked after it is gone, so it was ended"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Terminal(error) | Self::System(error) => Some(error),
            Self::Lost => None,
        }
    }
}

/// An answer. The one that nobody gave is empty, and for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What whoever asked is told.
    pub bytes: Vec<u8>,
    /// Whether it is for all that want the same, not for the first of them only.
    pub is_for_all: bool,
}

/// Puts a question to the person, which so many want an answer to at once; gives the answer.
pub type Ask<'a> = dyn FnMut(&[u8], usize) -> Answer + 'a;

/// Runs a program to its end.
///
/// `ask` puts a question to the person. It is called in a process of its own, which has the person's
/// terminal, in the modes in which it was found. `inside` is called in the process inside: it starts the
/// agent and serves the keeper, or both and more.
///
/// The process that calls this must have one thread.
///
/// # Errors
///
/// Where the terminals or processes could not be made, or the process inside is gone.
pub fn run(
    program: Program,
    ask: &mut Ask<'_>,
    inside: &mut dyn FnMut(Seat) -> io::Result<()>,
) -> Result<Outcome, Error> {
    let streams = Streams::here();
    let inherited = Inherited::hold_back().map_err(Error::System)?;
    // Where the process inside is killed, what it looked after comes to us to be ended.
    set_child_subreaper(true).map_err(|errno| Error::System(errno.into()))?;
    let (channel, theirs) = Channel::pair().map_err(Error::System)?;
    let arrivals = Arrivals::new().map_err(Error::System)?;
    let (relay, terminal) = if streams.has_terminal() {
        let (relay, inner) = terminals(&streams).map_err(Error::Terminal)?;
        (Some(relay), Some(inner))
    } else {
        (None, None)
    };
    let mut foreign = vec![
        channel.descriptor().as_raw_fd(),
        arrivals.descriptor().as_raw_fd(),
    ];
    foreign.extend(relay.iter().flat_map(Relay::raw));
    let in_front = relay.as_ref().is_some_and(|relay| relay.in_front);
    let inherited = start_inside(
        Seat {
            program,
            streams,
            inherited,
            terminal,
            channel: theirs,
            in_front,
        },
        &foreign,
        inside,
    )
    .map_err(Error::System)?;
    let mut outside = Outside {
        channel,
        arrivals,
        inherited: &inherited,
        has_terminal: relay.is_some(),
        relay,
        is_pipeline: streams.is_pipeline,
        agent: None,
        failure: None,
        ended: None,
        stopped: None,
        continued: 0,
        away: 0,
        questions: VecDeque::new(),
        asking: None,
        settle: None,
    };
    let outcome = outside.serve(ask);
    let (agent, has_group) = (outside.agent, outside.has_terminal);
    // The terminal is given back before anything else takes its time.
    drop(outside);
    if outcome.is_err() {
        survivors::end(agent, has_group);
    } else {
        survivors::reap();
    }
    outcome
}

/// Takes the person's terminal, and makes the inner one like it; gives the agent's end of that.
fn terminals(streams: &Streams) -> io::Result<(Relay, OwnedFd)> {
    let mut person = Person::open(streams)?;
    let in_front = person.is_ours() && !streams.is_pipeline;
    // Behind another job the modes are that job's.
    let modes = in_front.then(|| person.modes()).transpose()?;
    let inner = Inner::new(person.window()?, modes.as_ref())?;
    if in_front {
        person.take()?;
    }
    Ok((Relay::new(person, inner.master), inner.slave))
}

/// Makes the process inside. All that is its own is closed here; signals as they were are given back.
fn start_inside(
    seat: Seat,
    foreign: &[RawFd],
    inside: &mut dyn FnMut(Seat) -> io::Result<()>,
) -> io::Result<Inherited> {
    let mut seat = Some(seat);
    in_child(|| {
        let Some(seat) = seat.take() else {
            return 1;
        };
        i32::from(seat.take(foreign).and_then(|()| inside(seat)).is_err())
    })?;
    seat.map(|seat| seat.inherited)
        .ok_or_else(|| io::Error::other("no process inside"))
}
