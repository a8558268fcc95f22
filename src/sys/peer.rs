//! Local sockets (unix(7)): reaching one without waiting, and who is at the other end of it.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::process;

/// `SO_PEERPIDFD` (Linux 6.5).
const PEER_PIDFD: libc::c_int = 77;

/// Connects to a socket; nothing waits where nobody takes connections there, and reads and writes do not wait
/// either.
///
/// # Errors
///
/// What connect(2) reports: ENOENT and ECONNREFUSED where nobody listens, EAGAIN where too many wait.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    #[expect(unsafe_code, reason = "the standard library waits in connect")]
    // SAFETY: the call takes numbers only.
    let number = unsafe { libc::socket(libc::AF_UNIX, flags, 0) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "a number from the kernel")]
    // SAFETY: the kernel has just made this descriptor, so nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    let mut address = libc::sockaddr_un {
        sun_family: libc::AF_UNIX as libc::sa_family_t,
        sun_path: [0; 108],
    };
    let bytes = path.as_os_str().as_bytes();
    // The last place stays NUL.
    if bytes.len() >= address.sun_path.len() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    for (place, byte) in address.sun_path.iter_mut().zip(bytes) {
        *place = byte.cast_signed() as libc::c_char;
    }
    #[expect(unsafe_code, reason = "the standard library waits in connect")]
    // SAFETY: the address lives for the call, and its whole size is given.
    let status = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_un>() as libc::socklen_t,
        )
    };
    if status == 0 {
        Ok(UnixStream::from(socket))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The process and the user at the other end, as the kernel noted them when the connection was made
/// (`SO_PEERCRED`); the process is 0 where this namespace does not see it.
///
/// # Errors
///
/// What getsockopt(2) reports.
pub fn of(stream: &UnixStream) -> io::Result<(i32, u32)> {
    let found: libc::ucred = option(stream.as_fd().as_raw_fd(), libc::SO_PEERCRED)?;
    Ok((found.pid, found.uid))
}

/// A descriptor of the process at the other end, which no later process of the same number is taken for. `id`
/// is its number, by which it is found where the kernel cannot give it (before Linux 6.5).
///
/// # Errors
///
/// Where the process has ended.
pub fn watch(stream: &UnixStream, id: i32) -> io::Result<OwnedFd> {
    match option::<RawFd>(stream.as_fd().as_raw_fd(), PEER_PIDFD) {
        Ok(number) => process::new_descriptor(number.into()),
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => process::watch(id),
        Err(error) => Err(error),
    }
}

/// Reads an option of a socket that is plain numbers.
fn option<T: Copy>(socket: RawFd, name: libc::c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: there is room for as many bytes as are said.
    let status = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "what the kernel has written")]
    // SAFETY: it was zeroed, and every value of the callers' types is a valid one: they are numbers.
    let value = unsafe { value.assume_init() };
    Ok(value)
}
