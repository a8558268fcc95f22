//! Signals as something to wait for: all that can be are held back and read from a descriptor, so that
//! none ends or stops a process of the launcher with the terminal changed.
//!
//! What was in force before is kept, for the agent gets it as it would have without kibosh.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::sys::signals::Disposition;

/// Mask and dispositions as kibosh was started with, as far as it changes them.
pub struct Inherited {
    mask: SigSet,
    /// Where children are ignored, they leave no status.
    children: Disposition,
}

impl Inherited {
    /// Holds signals back from here on, in this process and those that it forks.
    ///
    /// # Errors
    ///
    /// What the system reports.
    pub fn hold_back() -> io::Result<Self> {
        let mask = held().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let children = Disposition::default_of(libc::SIGCHLD)?;
        Ok(Self { mask, children })
    }

    /// Puts everything back, in the process that becomes the agent.
    ///
    /// # Errors
    ///
    /// What the system reports.
    pub fn restore(&self) -> io::Result<()> {
        self.children.restore()?;
        self.restore_mask()
    }

    /// Puts the mask back.
    ///
    /// # Errors
    ///
    /// What the system reports.
    pub fn restore_mask(&self) -> io::Result<()> {
        Ok(self.mask.thread_set_mask()?)
    }
}

/// Signals that arrive at this process.
pub struct Arrivals(SignalFd);

impl Arrivals {
    /// Those of this process: a descriptor that is inherited by fork(2) gives the child's.
    ///
    /// # Errors
    ///
    /// What signalfd(2) reports.
    pub fn new() -> io::Result<Self> {
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self(SignalFd::with_flags(&held(), flags)?))
    }

    /// To be waited on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The numbers of those that have arrived, each once.
    pub fn take(&self) -> Vec<i32> {
        let mut taken = Vec::new();
        while let Ok(Some(signal)) = self.0.read_signal() {
            if let Ok(number) = i32::try_from(signal.ssi_signo) {
                taken.push(number);
            }
        }
        taken
    }
}

/// All but those that report a fault of the program itself.
fn held() -> SigSet {
    let mut held = SigSet::all();
    for fault in [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGSEGV,
        Signal::SIGSYS,
        Signal::SIGTRAP,
    ] {
        held.remove(fault);
    }
    held
}
