//! Signals by number: nix has no names for the real-time ones, and a number must pass through as it is.

use std::io;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// What a process does on a signal, as sigaction(2) keeps it.
pub struct Disposition {
    signal: i32,
    action: libc::sigaction,
}

impl Disposition {
    /// Sets the default for a signal; gives what was in force before.
    ///
    /// # Errors
    ///
    /// What sigaction(2) reports.
    pub fn default_of(signal: i32) -> io::Result<Self> {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        #[expect(unsafe_code, reason = "dispositions that are exact")]
        // SAFETY: there is room for one structure, and no new action is given.
        let status = unsafe { libc::sigaction(signal, null(), action.as_mut_ptr()) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        #[expect(unsafe_code, reason = "dispositions that are exact")]
        // SAFETY: every bit pattern of zeros is one, and sigaction succeeded in filling it.
        let found = unsafe { action.assume_init() };
        let mut default = found;
        default.sa_sigaction = libc::SIG_DFL;
        default.sa_flags = 0;
        set(signal, &default)?;
        Ok(Self {
            signal,
            action: found,
        })
    }

    /// Puts it back.
    ///
    /// # Errors
    ///
    /// What sigaction(2) reports.
    pub fn restore(&self) -> io::Result<()> {
        set(self.signal, &self.action)
    }
}

/// Says whether `SIGCHLD` is to come, too, where a child or an attached task stops (`SA_NOCLDSTOP`). waitpid(2) tells
/// of it in any case.
///
/// # Errors
///
/// What sigaction(2) reports.
pub fn tell_of_stops(yes: bool) -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    #[expect(unsafe_code, reason = "flags of a default action")]
    // SAFETY: all of it may be zero: the default action, without flags.
    let action = unsafe { action.assume_init_mut() };
    action.sa_flags = if yes { 0 } else { libc::SA_NOCLDSTOP };
    set(libc::SIGCHLD, action)
}

fn set(signal: i32, action: &libc::sigaction) -> io::Result<()> {
    #[expect(unsafe_code, reason = "dispositions that are exact")]
    // SAFETY: the action is the default or one that was in force, so it names no code of its own.
    let status = unsafe { libc::sigaction(signal, action, null_mut()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sends a signal; a negative number of a process means its group, as in kill(2).
///
/// # Errors
///
/// What kill(2) reports.
pub fn send(process: i32, signal: i32) -> io::Result<()> {
    #[expect(unsafe_code, reason = "a signal that may have no name")]
    // SAFETY: kill takes numbers only.
    let status = unsafe { libc::kill(process, signal) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Lets a signal through, or holds it back again.
///
/// # Errors
///
/// What sigprocmask(2) reports.
pub fn let_through(signal: i32, is_let: bool) -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    #[expect(unsafe_code, reason = "a signal that may have no name")]
    // SAFETY: there is room for one set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr())
    };
    #[expect(unsafe_code, reason = "a signal that may have no name")]
    // SAFETY: the set has been made empty; a number that is no signal gives EINVAL.
    unsafe {
        libc::sigaddset(set.as_mut_ptr(), signal)
    };
    let how = if is_let {
        libc::SIG_UNBLOCK
    } else {
        libc::SIG_BLOCK
    };
    #[expect(unsafe_code, reason = "a signal that may have no name")]
    // SAFETY: the set is whole, and the old mask is not asked for.
    let status = unsafe { libc::sigprocmask(how, set.as_ptr(), null_mut()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Ends this process by a signal, as another process has ended by it, and leaves no core. Returns only
/// where the signal does not end processes.
pub fn die_of(signal: i32) {
    use nix::sys::resource::{Resource, setrlimit};
    // Nothing is left to be done where one of these fails: the caller exits with a status instead.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = Disposition::default_of(signal);
    let _ = let_through(signal, true);
    let _ = send(std::process::id().cast_signed(), signal);
}
