//! Waiting for the status of a traced task, but not for long.
//!
//! waitpid(2) is woken in step with the task that stops: the kernel lets the one go on where the other left
//! off. poll(2) on a descriptor is not, and on an idle machine that costs more than all the rest. A timer's
//! signal ends the wait where a task takes its time.

use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::time::Duration;

use super::trace::Status;

/// The signal: none that anybody else uses here.
const SIGNAL: libc::c_int = 40;

/// A timer that ends waits.
#[derive(Debug)]
pub struct Patience(libc::timer_t);

/// Does nothing: that it was called ends the wait.
extern "C" fn nothing(_: libc::c_int) {}

impl Patience {
    /// Makes the timer, and lets its signal through to this thread.
    ///
    /// # Errors
    ///
    /// What timer_create(2) and sigaction(2) report.
    pub fn new() -> io::Result<Self> {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        #[expect(unsafe_code, reason = "nix has no names for real-time signals")]
        // SAFETY: all of it may be zero: no flags, so that calls are not started again, an empty mask.
        let action = unsafe { action.assume_init_mut() };
        action.sa_sigaction = nothing as *const () as usize;
        #[expect(unsafe_code, reason = "nix has no names for real-time signals")]
        // SAFETY: the handler does nothing, which is safe at any time.
        let status = unsafe { libc::sigaction(SIGNAL, action, null_mut()) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut event = MaybeUninit::<libc::sigevent>::zeroed();
        #[expect(unsafe_code, reason = "a structure with a union")]
        // SAFETY: all of it may be zero.
        let event = unsafe { event.assume_init_mut() };
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = SIGNAL;
        let mut timer: libc::timer_t = null_mut();
        #[expect(unsafe_code, reason = "nothing offers it safely")]
        // SAFETY: the event is whole, and there is room for the timer.
        let status = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, event, &raw mut timer) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
        #[expect(unsafe_code, reason = "nix has no names for real-time signals")]
        // SAFETY: there is room for a set, which the call makes empty.
        unsafe {
            libc::sigemptyset(mask.as_mut_ptr());
        }
        #[expect(unsafe_code, reason = "nix has no names for real-time signals")]
        // SAFETY: the set was made by the call above.
        unsafe {
            libc::sigaddset(mask.as_mut_ptr(), SIGNAL);
        }
        #[expect(unsafe_code, reason = "nix has no names for real-time signals")]
        // SAFETY: as above.
        unsafe {
            libc::sigprocmask(libc::SIG_UNBLOCK, mask.as_ptr(), null_mut());
        }
        Ok(Self(timer))
    }

    /// Sets the timer; with nothing, stops it. It goes off again and again: the first time may be just before
    /// the wait begins.
    fn set(&self, time: Duration) {
        let time = libc::timespec {
            tv_sec: 0,
            tv_nsec: i64::from(time.subsec_nanos()),
        };
        let time = libc::itimerspec {
            it_interval: time,
            it_value: time,
        };
        #[expect(unsafe_code, reason = "nothing offers it safely")]
        // SAFETY: the timer is this one's own, and the time is read only.
        unsafe {
            libc::timer_settime(self.0, 0, &raw const time, null_mut());
        }
    }

    /// The next status of any child or traced task; none where there is none within `time`, less than a
    /// second.
    #[must_use]
    pub fn next_status(&self, time: Duration) -> Option<Status> {
        self.set(time);
        let mut raw = 0;
        #[expect(
            unsafe_code,
            reason = "nix cannot tell statuses that it has no name for"
        )]
        // SAFETY: the kernel writes one number.
        let id = unsafe { libc::waitpid(-1, &raw mut raw, libc::__WALL | libc::WUNTRACED) };
        self.set(Duration::ZERO);
        (id > 0).then_some(Status { id, raw })
    }
}
