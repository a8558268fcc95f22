//! Bytes on their way from one descriptor to another: a bounded queue, so that whoever is read from is
//! held up where whoever is written to does not take it. Nothing is changed or left out.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;

/// How much may be under way in one direction.
const MOST: usize = 1 << 16;

/// What a read or write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// So many bytes moved.
    Moved(usize),
    /// None can be moved now.
    Later,
    /// The other side is gone.
    Gone,
}

/// The bytes under way.
#[derive(Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
}

impl Queue {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether more may be read.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes.len() < MOST
    }

    /// Throws away what is under way.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Reads once, as much as there is room for, from a descriptor that does not wait.
    pub fn fill(&mut self, from: BorrowedFd<'_>) -> Flow {
        let old = self.bytes.len();
        if old >= MOST {
            return Flow::Later;
        }
        self.bytes.resize(MOST, 0);
        let room = self.bytes.get_mut(old..).unwrap_or_default();
        let read = nix::unistd::read(from, room);
        self.bytes.truncate(old + read.unwrap_or(0));
        // A terminal whose other end is closed gives EIO (tty_ioctl(4) tells of the hang-up).
        match read {
            Ok(0) => Flow::Gone,
            Ok(count) => Flow::Moved(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Flow::Later,
            Err(_) => Flow::Gone,
        }
    }

    /// Writes once, as much as is taken; `seen` is told what was.
    pub fn empty(&mut self, to: BorrowedFd<'_>, seen: &mut dyn FnMut(&[u8])) -> Flow {
        if self.bytes.is_empty() {
            return Flow::Later;
        }
        match nix::unistd::write(to, &self.bytes) {
            Ok(count) => {
                seen(self.bytes.get(..count).unwrap_or_default());
                self.bytes.drain(..count.min(self.bytes.len()));
                Flow::Moved(count)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Flow::Later,
            Err(_) => Flow::Gone,
        }
    }

    /// Adds what is to be written before anything that comes later.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Makes reads and writes on a descriptor not wait. For descriptions that nobody else shares.
///
/// # Errors
///
/// What fcntl(2) reports.
pub fn never_wait(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
    fcntl(descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        let (one, other) = UnixStream::pair().unwrap();
        never_wait(one.as_fd()).unwrap();
        never_wait(other.as_fd()).unwrap();
        (one, other)
    }

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let ((source, from), (to, sink)) = (pair(), pair());
        let mut queue = Queue::default();
        let mut seen = Vec::new();
        for part in [b"ab".as_slice(), b"cd"] {
            nix::unistd::write(&source, part).unwrap();
            assert_eq!(queue.fill(from.as_fd()), Flow::Moved(2));
        }
        assert_eq!(queue.fill(from.as_fd()), Flow::Later);
        let written = queue.empty(to.as_fd(), &mut |bytes| seen.extend_from_slice(bytes));
        assert_eq!(
            (written, seen.as_slice()),
            (Flow::Moved(4), b"abcd".as_slice())
        );
        let mut taken = [0; 8];
        assert_eq!(nix::unistd::read(&sink, &mut taken), Ok(4));
        assert!(queue.is_empty());
        drop(source);
        assert_eq!(queue.fill(from.as_fd()), Flow::Gone);
    }

    #[test]
    fn a_full_queue_reads_no_more() {
        let (source, from) = pair();
        let mut queue = Queue::default();
        let mut sent = 0;
        while queue.has_room() {
            sent += nix::unistd::write(&source, &[7; 1000]).unwrap_or(0);
            queue.fill(from.as_fd());
        }
        assert_eq!(queue.fill(from.as_fd()), Flow::Later);
        assert_eq!(queue.bytes.len(), MOST);
        assert!(sent >= MOST);
    }
}
