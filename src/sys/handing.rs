//! Handing a descriptor to another process over a local socket (unix(7), `SCM_RIGHTS`).

use std::io;
use std::mem::{offset_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// One descriptor with its header, as cmsg(3) lays them out where numbers have 64 bits.
#[repr(C, align(8))]
struct Room {
    header: libc::cmsghdr,
    descriptor: RawFd,
}

/// How long a header with one descriptor says that it is.
const LENGTH: usize = offset_of!(Room, descriptor) + size_of::<RawFd>();

impl Room {
    fn empty() -> Self {
        #[expect(unsafe_code, reason = "a structure with padding of its own")]
        // SAFETY: all of it is numbers.
        unsafe {
            zeroed()
        }
    }

    fn with(descriptor: RawFd) -> Self {
        let mut room = Self::empty();
        room.header.cmsg_level = libc::SOL_SOCKET;
        room.header.cmsg_type = libc::SCM_RIGHTS;
        room.header.cmsg_len = LENGTH as _;
        room.descriptor = descriptor;
        room
    }

    /// The descriptor, where there is one.
    fn descriptor(&self) -> Option<RawFd> {
        let expected = Self::with(self.descriptor).header;
        let is_one = self.header.cmsg_level == expected.cmsg_level
            && self.header.cmsg_type == expected.cmsg_type
            && self.header.cmsg_len == expected.cmsg_len;
        is_one.then_some(self.descriptor)
    }
}

/// A message of one byte with room for a descriptor.
fn message(part: &mut libc::iovec, room: &mut Room) -> libc::msghdr {
    #[expect(unsafe_code, reason = "a structure with padding of its own")]
    // SAFETY: all of it is numbers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut *room).cast();
    message.msg_controllen = size_of::<Room>() as _;
    message
}

fn part(byte: &mut u8) -> libc::iovec {
    libc::iovec {
        iov_base: (&raw mut *byte).cast(),
        iov_len: 1,
    }
}

/// Hands a descriptor to whoever receives at the other end. It stays open here.
///
/// # Errors
///
/// What sendmsg(2) reports.
pub fn give(socket: BorrowedFd<'_>, descriptor: RawFd) -> io::Result<()> {
    let mut byte = 0u8;
    let mut part = part(&mut byte);
    let mut room = Room::with(descriptor);
    let message = message(&mut part, &mut room);
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: all that the message points to lives for the call, and has the size that it is said to have.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    match sent {
        1 => Ok(()),
        0 => Err(io::ErrorKind::WriteZero.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Takes a descriptor that is handed over; waits for it.
///
/// # Errors
///
/// What recvmsg(2) reports; `UnexpectedEof` where the other end closes without, or says something else.
pub fn take(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut byte = 0u8;
    let mut part = part(&mut byte);
    let mut room = Room::empty();
    let mut message = message(&mut part, &mut room);
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the kernel writes no more than there is room for, by the sizes that it is told.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    let number = room.descriptor().ok_or(io::ErrorKind::UnexpectedEof)?;
    #[expect(unsafe_code, reason = "a number from the kernel")]
    // SAFETY: the kernel has just made this descriptor, so nothing else owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_arrives_as_another_of_the_same_file() {
        let (one, other) = UnixStream::pair().unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        give(one.as_fd(), far.as_raw_fd()).unwrap();
        let taken = take(other.as_fd()).unwrap();
        assert_ne!(taken.as_raw_fd(), far.as_raw_fd());
        drop(far);
        File::from(taken).write_all(b"x").unwrap();
        let mut read = [0];
        near.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"x");
    }

    #[test]
    fn an_end_without_one_is_told() {
        let (one, other) = UnixStream::pair().unwrap();
        drop(one);
        let error = take(other.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let (mut one, other) = UnixStream::pair().unwrap();
        one.write_all(b"x").unwrap();
        let error = take(other.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
