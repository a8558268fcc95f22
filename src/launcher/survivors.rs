//! Children of the launcher at its end. Where the process inside was killed, those of it are ours too: an
//! agent that nobody looks after is ended.

use std::time::{Duration, Instant};

use crate::sys::signals::send;
use crate::sys::stat::children;
use crate::sys::trace::next_status;

/// How long the agent may take to end in peace, and how long to be gone after that.
const PEACE: Duration = Duration::from_secs(1);
const END: Duration = Duration::from_secs(3);
/// How long the process inside may take to end after the agent.
const MOMENT: Duration = Duration::from_millis(20);

/// Ends the children of this process, and the group of the agent where it has one and is among them. All
/// that this process started for itself must have been waited for.
pub fn end(agent: Option<i32>, has_group: bool) {
    let start = Instant::now();
    for signal in [libc::SIGHUP, libc::SIGCONT, libc::SIGTERM] {
        signal_all(signal, agent, has_group);
    }
    while start.elapsed() < END {
        while next_status().is_some() {}
        if children().is_empty() {
            return;
        }
        if start.elapsed() > PEACE {
            signal_all(libc::SIGKILL, agent, has_group);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for what ends by itself now, but not for what stays.
pub fn reap() {
    let end = Instant::now() + MOMENT;
    loop {
        while next_status().is_some() {}
        if children().is_empty() || Instant::now() > end {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal_all(signal: i32, agent: Option<i32>, has_group: bool) {
    for child in children() {
        // A child's number is its own until it is waited for.
        let whom = if has_group && agent == Some(child) {
            -child
        } else {
            child
        };
        let _ = send(whom, signal);
    }
}
