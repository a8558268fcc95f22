//! Limits and rights that this process was given.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// Whether a file may become `size` bytes long. A write beyond the limit does not fail: it ends the
/// process by SIGXFSZ (setrlimit(2)).
#[must_use]
pub fn allow_file_of(size: u64) -> bool {
    getrlimit(Resource::RLIMIT_FSIZE)
        .is_ok_and(|(limit, _)| limit == RLIM_INFINITY || size <= limit)
}

/// Allows this process as many descriptors as it may allow itself.
pub fn raise_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Whether this process may trace any other (`CAP_SYS_PTRACE`, capabilities(7)).
#[must_use]
pub fn may_trace_all() -> bool {
    const TRACE: u32 = 19;
    has_capability(TRACE)
}

/// Whether this process may install a filter and still gain rights by an exec (`CAP_SYS_ADMIN`,
/// seccomp(2)).
#[must_use]
pub fn may_filter_freely() -> bool {
    const ADMIN: u32 = 21;
    has_capability(ADMIN)
}

/// Whether a capability is in the effective set.
fn has_capability(number: u32) -> bool {
    /// `struct __user_cap_header_struct`, version 3 (capget(2)).
    #[repr(C)]
    struct Header {
        version: u32,
        process: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let mut header = Header {
        version: VERSION_3,
        process: 0,
    };
    // Effective, permitted and inheritable, twice 32 bits each.
    let mut sets = [0u32; 6];
    #[expect(unsafe_code, reason = "nothing offers capget safely")]
    // SAFETY: version 3 writes two structures of three numbers each.
    let status = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
    let effective = sets.first().copied().unwrap_or_default();
    status == 0 && effective & 1 << number != 0
}
