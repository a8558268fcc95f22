//! Handing a descriptor to another process over a local socket (unix(7), `SCM_RIGHTS`).

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Room for one descriptor with its header, aligned as that is.
#[repr(C, align(8))]
struct Room([u8; 64]);

/// The parts of a message of one byte with room for a descriptor.
fn message(part: &mut libc::iovec, room: &mut Room) -> libc::msghdr {
    #[expect(unsafe_code, reason = "a structure with padding of its own")]
    // SAFETY: all of it is numbers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = room.0.as_mut_ptr().cast();
    message.msg_controllen = length() as _;
    message
}

/// How much of the room a header and a descriptor take.
fn length() -> u32 {
    #[expect(unsafe_code, reason = "a macro of C")]
    // SAFETY: it only counts.
    unsafe {
        libc::CMSG_SPACE(size_of::<RawFd>() as u32)
    }
}

/// Hands a descriptor to whoever receives at the other end. It stays open here.
///
/// # Errors
///
/// What sendmsg(2) reports.
pub fn give(socket: BorrowedFd<'_>, descriptor: RawFd) -> io::Result<()> {
    let mut byte = [0u8];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut room = Room([0; 64]);
    let message = message(&mut part, &mut room);
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the room is large enough for the header and one number, and both live for the call.
    let sent = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        libc::CMSG_DATA(header)
            .cast::<RawFd>()
            .write_unaligned(descriptor);
        libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
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
/// What recvmsg(2) reports; `UnexpectedEof` where the other end closes without.
pub fn take(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut byte = [0u8];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut room = Room([0; 64]);
    let mut message = message(&mut part, &mut room);
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the kernel writes one byte and as much into the room as that is said to have.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "macros of C")]
    // SAFETY: the kernel has said how much it wrote into the room; a header of this kind and length holds one number,
    // of a descriptor that it has just made.
    let descriptor = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let length = libc::CMSG_LEN(size_of::<RawFd>() as u32);
        (!header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
            && u32::try_from((*header).cmsg_len).ok() == Some(length))
        .then(|| {
            let number = libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned();
            OwnedFd::from_raw_fd(number)
        })
    };
    descriptor.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
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
