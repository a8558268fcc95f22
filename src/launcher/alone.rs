//! The loop of the process inside where there is nothing but the agent to look after.

use std::io;

use nix::errno::Errno;
use nix::poll::{PollFlags, poll};

use crate::supervise::companion::Companion;
use crate::supervise::timeout;
use crate::sys::trace;

/// Serves a companion, and nothing else, until it is done.
///
/// # Errors
///
/// What poll(2) or waitpid(2) reports.
pub fn alone(companion: &mut dyn Companion) -> io::Result<()> {
    loop {
        // A turn may take the signal that tells of children, so they are looked at after it.
        loop {
            companion.turn();
            let mut any = false;
            while let Some(status) = trace::next_status() {
                any = true;
                companion.status(status);
            }
            if !any {
                break;
            }
        }
        if companion.is_done() {
            return Ok(());
        }
        let wait = timeout(companion.deadline());
        let mut descriptors = companion.descriptors();
        match poll(&mut descriptors, wait) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let events: Vec<PollFlags> = descriptors
            .iter()
            .map(|one| one.revents().unwrap_or(PollFlags::empty()))
            .collect();
        for (place, events) in events.into_iter().enumerate() {
            companion.ready(place, events);
        }
    }
}
