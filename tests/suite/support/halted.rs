//! A process that stands still for a while, and no longer than its test.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// It goes on when this is dropped, also where the test fails.
pub struct Halted(Pid);

impl Halted {
    /// Stops a process.
    pub fn new(process: i32) -> Self {
        let process = Pid::from_raw(process);
        kill(process, Signal::SIGSTOP).unwrap();
        Self(process)
    }

    /// Ends it instead.
    pub fn end(self) {
        kill(self.0, Signal::SIGKILL).unwrap();
    }
}

impl Drop for Halted {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}
