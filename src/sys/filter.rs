//! Installing a seccomp filter whose notifications somebody listens to, and taking and answering them
//! (seccomp(2), seccomp_unotify(2)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use libc::{seccomp_notif as Notification, sock_filter as Instruction};

/// Gives up the right to gain rights by an exec, for this process and all that come from it
/// (`PR_SET_NO_NEW_PRIVS`, prctl(2)).
///
/// # Errors
///
/// What prctl reports.
pub fn give_up_new_privileges() -> io::Result<()> {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: this call takes numbers only.
    let status = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Puts a filter on this thread and all that come from it; gives the number of the descriptor on which
/// its notifications arrive, which execve(2) closes.
///
/// # Errors
///
/// What seccomp(2) reports: EBUSY where a filter with a listener is in force already, EACCES without
/// the right to it, EINVAL where the kernel does not know it.
pub fn install(program: &[Instruction]) -> io::Result<RawFd> {
    let flags =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    RawFd::try_from(set(program, flags)?).map_err(io::Error::other)
}

/// Puts a filter on this thread and all that come from it; gives what the flags ask for (seccomp(2)).
fn set(program: &[Instruction], flags: libc::c_ulong) -> io::Result<libc::c_long> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut(),
    };
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the structure and the instructions it points to live for the whole call, which only reads
    // them.
    let given = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    if given < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(given)
}

/// Puts a filter on this thread and all that come from it, which nobody listens to; gives up the right to
/// gain rights.
///
/// # Errors
///
/// As [`install`].
pub fn restrict(program: &[Instruction]) -> io::Result<()> {
    give_up_new_privileges()?;
    set(program, 0).map(drop)
}

/// As [`install`], giving up the right to gain rights only where that is needed and may be.
///
/// # Errors
///
/// As [`install`].
pub fn install_here(program: &[Instruction], may_gain: bool) -> io::Result<RawFd> {
    match install(program) {
        Err(error) if error.raw_os_error() == Some(libc::EACCES) && !may_gain => {
            give_up_new_privileges()?;
            install(program)
        }
        outcome => outcome,
    }
}

/// Whether a filter would be taken from this process, as [`install_here`] would put it: tried in a child,
/// whose end is not told by a signal.
///
/// # Errors
///
/// As [`install`], or what clone(2) reports.
pub fn may_install(may_gain: bool) -> io::Result<()> {
    let everything = [Instruction {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    }];
    #[expect(unsafe_code, reason = "nix makes children with a signal only")]
    // SAFETY: this program has one thread here, and the child makes two calls and ends.
    let child = unsafe { libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) };
    if child == 0 {
        let refused = install_here(&everything, may_gain).err();
        let number = refused.map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
        super::process::leave(number);
    }
    let child = i32::try_from(child).map_err(io::Error::other)?;
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    match super::process::reap(child)? {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Whether the kernel sends notifications, and in the size in which they are taken here.
#[must_use]
pub fn knows_notifications() -> bool {
    let mut sizes = libc::seccomp_notif_sizes {
        seccomp_notif: 0,
        seccomp_notif_resp: 0,
        seccomp_data: 0,
    };
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the kernel writes three numbers to the structure.
    let status = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_NOTIF_SIZES,
            0,
            &raw mut sizes,
        )
    };
    status == 0
        && usize::from(sizes.seccomp_notif) <= size_of::<Notification>()
        && usize::from(sizes.seccomp_notif_resp) <= size_of::<libc::seccomp_notif_resp>()
}

/// Whether the kernel knows the flags of a filter that is installed here. Nothing is installed.
#[must_use]
pub fn knows_flags() -> bool {
    let flags =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: without a program the call fails, by EFAULT where it knows the flags (seccomp(2)).
    let status = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            std::ptr::null::<libc::sock_fprog>(),
        )
    };
    status == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

/// Asks the supervisor of this process a question that only it understands; none where there is none.
///
/// prctl(2) refuses options that it does not know with EINVAL.
#[must_use]
pub fn ask_supervisor(question: u32) -> Option<i32> {
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: an option that the kernel does not know takes numbers only, and does nothing.
    let answer = unsafe { libc::syscall(libc::SYS_prctl, question, 0, 0, 0, 0) };
    i32::try_from(answer).ok().filter(|answer| *answer > 0)
}

/// What is answered to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The call is made.
    Continue,
    /// The call fails with this error.
    Fail(i32),
    /// The call is not made, and gives this value.
    Value(i32),
}

/// Where notifications arrive.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// Takes a descriptor that [`install`] gave.
    #[must_use]
    pub fn of(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Takes the number of a descriptor that [`install`] gave in a process that shares its descriptors
    /// with this one.
    #[must_use]
    pub fn of_number(number: RawFd) -> Self {
        #[expect(unsafe_code, reason = "a number from the kernel")]
        // SAFETY: the kernel has made it for this, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        Self(descriptor)
    }

    /// To be waited on.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.0.as_fd()
    }

    /// Wakes the listener on the processor of the caller, since the caller waits for it
    /// (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6; nothing depends on it).
    pub fn wake_in_step(&self) {
        #[expect(unsafe_code, reason = "a call without a safe form")]
        // SAFETY: the argument is a number.
        unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
                1u64,
            );
        }
    }

    /// Waits for a notification, or for the last task under the filter to end, but not longer than this; whether
    /// there may be notifications, now or later.
    #[must_use]
    pub fn wait(&self, time: PollTimeout) -> bool {
        let mut places = [PollFd::new(self.descriptor(), PollFlags::POLLIN)];
        let happened = poll(&mut places, time);
        let [events] = places.map(|place| place.revents().unwrap_or(PollFlags::empty()));
        !happened.is_ok_and(|count| count > 0) || events.contains(PollFlags::POLLIN)
    }

    /// Takes the next notification; waits for one where there is none.
    ///
    /// # Errors
    ///
    /// ENOENT where the task that waited has died, EINTR.
    pub fn next(&self) -> io::Result<Notification> {
        let mut notification = MaybeUninit::<Notification>::zeroed();
        #[expect(unsafe_code, reason = "a call without a safe form")]
        // SAFETY: the kernel writes one notification, whose size was compared, and wants it zeroed.
        let status = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                notification.as_mut_ptr(),
            )
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        #[expect(unsafe_code, reason = "a structure of the kernel")]
        // SAFETY: all of it is numbers, and zeroed or written.
        let notification = unsafe { notification.assume_init() };
        Ok(notification)
    }

    /// Whether the task of a notification still waits for its answer.
    #[must_use]
    pub fn waits(&self, id: u64) -> bool {
        #[expect(unsafe_code, reason = "a call without a safe form")]
        // SAFETY: the kernel reads one number.
        let status = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
                &raw const id,
            )
        };
        status == 0
    }

    /// Answers.
    ///
    /// # Errors
    ///
    /// ENOENT where the task does not wait any more.
    pub fn reply(&self, id: u64, reply: Reply) -> io::Result<()> {
        let (value, error, flags) = match reply {
            Reply::Continue => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32),
            Reply::Fail(error) => (0, -error, 0),
            Reply::Value(value) => (i64::from(value), 0, 0),
        };
        let answer = libc::seccomp_notif_resp {
            id,
            val: value,
            error,
            flags,
        };
        #[expect(unsafe_code, reason = "a call without a safe form")]
        // SAFETY: the kernel reads one answer, whose size was compared.
        let status = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw const answer,
            )
        };
        if status == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
