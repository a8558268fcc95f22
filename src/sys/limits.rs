//! Limits that this process was given.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// Whether a file may become `size` bytes long. A write beyond the limit does not fail: it ends the
/// process by SIGXFSZ (setrlimit(2)).
#[must_use]
pub fn allow_file_of(size: u64) -> bool {
    getrlimit(Resource::RLIMIT_FSIZE)
        .is_ok_and(|(limit, _)| limit == RLIM_INFINITY || size <= limit)
}
