//! The loop of the process inside where there is nothing but the agent to look after.

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFlags, PollTimeout, poll};

use super::companion::Companion;
use crate::sys::process;

/// Serves a companion, and nothing else, until it is done.
///
/// # Errors
///
/// What poll(2) or waitpid(2) reports.
pub fn alone(companion: &mut dyn Companion) -> io::Result<()> {
    loop {
        companion.turn();
        while let Some((child, status)) = process::take_status()? {
            companion.status(child, status);
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

/// How long poll(2) may wait until a time, rounded up, or the last millisecond would be a busy loop.
#[must_use]
pub fn timeout(until: Option<Instant>) -> PollTimeout {
    until.map_or(PollTimeout::NONE, |until| {
        let left = until.saturating_duration_since(Instant::now());
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    })
}
