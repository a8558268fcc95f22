//! Descriptors as they were inherited.

use std::io;
use std::os::fd::RawFd;

use nix::NixPath;
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

/// What a link leads to; paths are at most as long as `PATH_MAX` (readlink(2)).
///
/// # Errors
///
/// What readlink reports.
pub fn link(name: &[u8]) -> io::Result<Vec<u8>> {
    const USUAL: usize = 256;
    let mut buffer = [0u8; USUAL];
    let read = link_into(name, &mut buffer)?;
    if read.len() < USUAL {
        return Ok(read.to_vec());
    }
    let mut buffer = [0u8; libc::PATH_MAX as usize];
    Ok(link_into(name, &mut buffer)?.to_vec())
}

fn link_into<'b>(name: &[u8], buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let (room, most) = (buffer.as_mut_ptr().cast(), buffer.len());
    let length = name.with_nix_path(|name| {
        #[expect(unsafe_code, reason = "nix makes the room for it anew each time")]
        // SAFETY: the name ends in NUL, and the kernel writes at most as much as the buffer holds.
        unsafe {
            libc::readlink(name.as_ptr(), room, most)
        }
    })?;
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// Writes to a descriptor that another process owns the copy of, by its number.
///
/// # Errors
///
/// What write(2) reports.
pub fn write_all(number: RawFd, bytes: &[u8]) -> io::Result<()> {
    #[expect(
        unsafe_code,
        reason = "a number, not a descriptor of this process alone"
    )]
    // SAFETY: the kernel reads as many bytes as there are; a number that is not open gives EBADF.
    let written = unsafe { libc::write(number, bytes.as_ptr().cast(), bytes.len()) };
    match usize::try_from(written) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(_) => Err(io::ErrorKind::WriteZero.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
