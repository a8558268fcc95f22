//! Descriptors as they were inherited.

use std::os::fd::RawFd;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// Whether a descriptor of this number is open.
#[must_use]
pub fn is_open(number: RawFd) -> bool {
    #[expect(
        unsafe_code,
        reason = "a number that may be closed is no borrowed descriptor"
    )]
    // SAFETY: F_GETFD takes no pointer and changes nothing; a closed number gives EBADF.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags != -1
}

/// Puts `/dev/null` in the place of closed standard descriptors for as long as this program runs, so
/// that no file opened here becomes standard output. execve(2) closes them again.
pub fn guard_standard() {
    if (0..=2).all(is_open) {
        return;
    }
    while let Ok(descriptor) = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()) {
        use std::os::fd::{AsRawFd, IntoRawFd};
        if descriptor.as_raw_fd() > 2 {
            return;
        }
        let _held_until_exec = descriptor.into_raw_fd();
    }
}
