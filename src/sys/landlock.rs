//! Keeping a tree of processes from signalling anybody outside of it (landlock(7), Linux 6.12).

use std::io;
use std::os::fd::AsRawFd;

/// `LANDLOCK_SCOPE_SIGNAL` of linux/landlock.h.
const SCOPE_SIGNAL: u64 = 1 << 1;
/// The version of the interface that has it.
const SIGNAL_VERSION: u32 = 6;

/// `struct landlock_ruleset_attr`, version 6.
#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// Whether processes can be kept from signalling those outside.
#[must_use]
pub fn can_scope_signals() -> bool {
    super::kernel::landlock_version() >= SIGNAL_VERSION
}

/// Keeps this thread, and all that come from it, from signalling and tracing processes that do not come from
/// it, and from opening their memory. Signals that a terminal sends by a key are not meant.
///
/// # Errors
///
/// EPERM where rights could still be gained (`PR_SET_NO_NEW_PRIVS`) and this process is not privileged;
/// ENOSYS, EOPNOTSUPP or EINVAL where the kernel has no such thing.
pub fn scope_signals() -> io::Result<()> {
    let ruleset = Ruleset {
        files: 0,
        network: 0,
        scoped: SCOPE_SIGNAL,
    };
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the kernel reads the structure, whose size it is told.
    let number = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const ruleset,
            size_of::<Ruleset>(),
            0u32,
        )
    };
    let descriptor = super::process::new_descriptor(number)?;
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the call takes numbers.
    let status = unsafe {
        libc::syscall(
            libc::SYS_landlock_restrict_self,
            descriptor.as_raw_fd(),
            0u32,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
