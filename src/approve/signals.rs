//! Signals during a question: none may end or stop this process while the terminal is changed. One that
//! arrives is a no.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::Refusal;

/// Signals that are held back. Dropping it lets them through again.
pub struct Held {
    mask: SigSet,
    signals: SignalFd,
}

impl Held {
    /// Holds them back from here on.
    ///
    /// # Errors
    ///
    /// What signalfd(2) reports.
    pub fn back() -> nix::Result<Self> {
        let held = held();
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&held, flags)?;
        let mask = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { mask, signals })
    }

    /// Waits until one of these is ready, for at most `longest`; gives which are.
    ///
    /// # Errors
    ///
    /// The no that a signal is which arrives meanwhile.
    pub fn wait(
        &self,
        others: &[(BorrowedFd<'_>, PollFlags)],
        longest: Duration,
    ) -> Result<Vec<bool>, Refusal> {
        let mut polled = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        polled.extend(others.iter().map(|(one, what)| PollFd::new(*one, *what)));
        // Rounded up, or the last millisecond would be a busy loop.
        let time = PollTimeout::try_from(longest + Duration::from_millis(1));
        match poll(&mut polled, time.unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return Err(Refusal::Interrupted),
        }
        self.check()?;
        let ready = polled.iter().skip(1);
        Ok(ready.map(|one| one.any().unwrap_or(true)).collect())
    }

    /// Takes a signal that has arrived.
    ///
    /// # Errors
    ///
    /// The no that it is.
    pub fn check(&self) -> Result<(), Refusal> {
        match self.signals.read_signal() {
            Ok(None) => Ok(()),
            Ok(Some(signal)) if signal.ssi_signo == HANGUP => Err(Refusal::Vanished),
            Ok(Some(_)) => Err(Refusal::Interrupted),
            Err(_) => Err(Refusal::Interrupted),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Setting a mask that was in force before cannot fail.
        let _ = self.mask.thread_set_mask();
    }
}

const HANGUP: u32 = Signal::SIGHUP as u32;

/// The signals that would end or stop this process, as far as they can be held back. Those that report
/// a fault of the program itself are not held back.
fn held() -> SigSet {
    let mut held = SigSet::empty();
    let harmless = [
        Signal::SIGCHLD,
        Signal::SIGCONT,
        Signal::SIGURG,
        Signal::SIGWINCH,
    ];
    let faults = [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGKILL,
        Signal::SIGSEGV,
        Signal::SIGSTOP,
        Signal::SIGSYS,
        Signal::SIGTRAP,
    ];
    for signal in Signal::iterator() {
        if !harmless.contains(&signal) && !faults.contains(&signal) {
            held.add(signal);
        }
    }
    held
}
