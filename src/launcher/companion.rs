//! What a loop in the process inside must serve besides its own work. There is one loop in that process,
//! with one thread: the one here, or that of the exec gate.

use std::time::Instant;

use nix::poll::{PollFd, PollFlags};

/// Something that lives in the loop of another.
///
/// In each turn the loop waits for the descriptors until the deadline, hands the events back in the same
/// order, calls [`Companion::turn`], and only then, so that no SIGCHLD is taken behind its back, takes the
/// statuses of all children with [`crate::sys::process::take_status`] until there is none.
pub trait Companion {
    /// What to wait for. It may change from turn to turn.
    fn descriptors(&self) -> Vec<PollFd<'_>>;

    /// When the loop must make a turn though nothing happened.
    fn deadline(&self) -> Option<Instant>;

    /// The events of the descriptor at a place in the list that was given last. It may be called for
    /// those without any.
    fn ready(&mut self, place: usize, events: PollFlags);

    /// Takes the status of a child; false where it is none of ours.
    ///
    /// Where the loop traces the agent itself for the moment, it must look at the status first: a stop
    /// before a signal is delivered looks like one that the agent was stopped by.
    fn status(&mut self, child: i32, status: i32) -> bool;

    /// After each wait: does all that can be done.
    fn turn(&mut self);

    /// Whether there is nothing left to be done.
    fn is_done(&self) -> bool;

    /// Has a person asked; gives the number of the question. What the bytes mean is up to those at both
    /// ends. The answer is empty where nobody could be asked.
    fn start_ask(&mut self, question: Vec<u8>) -> u64;

    /// The answers that have come in, each with the number of its question.
    fn take_answers(&mut self) -> Vec<(u64, Vec<u8>)>;
}
