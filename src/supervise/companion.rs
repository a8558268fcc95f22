//! What the loop of a supervisor serves besides execs. There is one loop in that process, with one thread.

use std::time::Instant;

use nix::poll::{PollFd, PollFlags};

use crate::sys::trace::Status;

/// Something that lives in the loop of another.
///
/// In each turn the loop waits for the descriptors until the deadline, hands the events back in the same
/// order, and then calls [`Companion::turn`] and hands on the statuses of children, until there are no more.
pub trait Companion {
    /// What to wait for. It may change from turn to turn.
    fn descriptors(&self) -> Vec<PollFd<'_>>;

    /// When the loop must make a turn though nothing happened.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The events of the descriptor at a place in the list that was given last. It may be called for
    /// those without any.
    fn ready(&mut self, place: usize, events: PollFlags);

    /// Whether there may be children whose statuses it wants.
    fn has_children(&self) -> bool {
        false
    }

    /// Takes the status of a child; false where it is none of its own. Those of traced tasks do not come
    /// here.
    fn status(&mut self, _status: Status) -> bool {
        false
    }

    /// Does what is to be done. It may take signals of this process that have arrived.
    fn turn(&mut self) {}

    /// Whether there is nothing left to be done.
    fn is_done(&self) -> bool;
}

/// Nothing.
pub struct Nothing;

impl Companion for Nothing {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        Vec::new()
    }

    fn ready(&mut self, _place: usize, _events: PollFlags) {}

    fn is_done(&self) -> bool {
        true
    }
}
