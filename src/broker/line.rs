//! One JSON object a line, in both directions of a connection on which no call waits by itself.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use super::Error;
use super::message::{MOST_BYTES, MOST_REPLY, Reply, Said};

/// How long a broker may take for what needs no person.
const PROMPT: Duration = Duration::from_millis(2000);
/// As how much of that a wait counts at most: where the whole machine stood still, the broker did, too.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// One connection.
#[derive(Debug)]
pub struct Line {
    stream: UnixStream,
    read: Vec<u8>,
    unsent: Vec<u8>,
    /// The longest line that is taken.
    most: usize,
}

impl Line {
    /// The end of a broker.
    pub fn of_broker(stream: UnixStream) -> Self {
        Self::new(stream, MOST_BYTES)
    }

    /// The end of who speaks to one.
    pub fn to_broker(stream: UnixStream) -> Self {
        Self::new(stream, MOST_REPLY)
    }

    fn new(stream: UnixStream, most: usize) -> Self {
        Self {
            stream,
            read: Vec::new(),
            unsent: Vec::new(),
            most,
        }
    }

    /// To be waited on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// How much is to be sent still.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Sends something that is no longer than `most`, as much of it as goes now.
    ///
    /// # Errors
    ///
    /// Where it is longer, or the other end is gone.
    pub fn send(&mut self, what: &impl Serialize, most: usize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(what).map_err(|_| Error::TooLarge)?;
        line.push(b'\n');
        if line.len() > most {
            return Err(Error::TooLarge);
        }
        self.unsent.append(&mut line);
        self.write()
    }

    /// Goes on sending.
    ///
    /// # Errors
    ///
    /// Where the other end is gone.
    pub fn write(&mut self) -> Result<(), Error> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if is_for_later(&error) => return Ok(()),
                Err(_) => return Err(Error::Broken),
            }
        }
        Ok(())
    }

    /// The next line, once it is whole, of what was read or is there to be read now.
    ///
    /// # Errors
    ///
    /// Where the line is too long, or the other end is gone.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(line) = self.next() {
            return Ok(Some(line));
        }
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(Error::Broken),
            Ok(count) => self
                .read
                .extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if is_for_later(&error) => {}
            Err(_) => return Err(Error::Broken),
        }
        let line = self.next();
        let length = line.as_ref().map_or(self.read.len(), Vec::len);
        if length > self.most {
            return Err(Error::Broken);
        }
        Ok(line)
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let end = self.read.iter().position(|&byte| byte == b'\n')?;
        Some(self.read.drain(..=end).collect())
    }

    /// The next reply of a broker, as far as it is there.
    ///
    /// # Errors
    ///
    /// Where the broker is gone, or does not speak with this process.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, Error> {
        let Some(line) = self.read()? else {
            return Ok(None);
        };
        match serde_json::from_slice(&line) {
            Ok(Reply::Stranger(why)) => Err(Error::Unwelcome(why)),
            Ok(reply) => Ok(Some(reply)),
            Err(_) => Err(Error::Broken),
        }
    }

    /// Says something to a broker, all of it.
    ///
    /// # Errors
    ///
    /// Where it is longer than one takes, or the broker is gone or takes too long.
    pub fn say(&mut self, said: &Said) -> Result<(), Error> {
        self.send(said, MOST_BYTES)?;
        let mut left = PROMPT;
        while !self.unsent.is_empty() {
            self.wait(PollFlags::POLLOUT, &mut left)?;
            self.write()?;
        }
        Ok(())
    }

    /// Says something to a broker; gives what it replies, for which nobody has to be waited. What it has said
    /// before it closed counts, whether it has taken this or not.
    ///
    /// # Errors
    ///
    /// As [`Line::say`], or where it does not speak with this process.
    pub fn ask(&mut self, said: &Said) -> Result<Reply, Error> {
        match self.say(said) {
            Ok(()) | Err(Error::Broken) => {}
            Err(error) => return Err(error),
        }
        let mut left = PROMPT;
        loop {
            if let Some(reply) = self.next_reply()? {
                return Ok(reply);
            }
            self.wait(PollFlags::POLLIN, &mut left)?;
        }
    }

    /// Waits a while, as long as time is left; takes from it what that took.
    fn wait(&self, what: PollFlags, left: &mut Duration) -> Result<(), Error> {
        if left.is_zero() {
            return Err(Error::Broken);
        }
        let began = Instant::now();
        let mut polled = [PollFd::new(self.stream.as_fd(), what)];
        let longest = LONGEST_WAIT.min(*left) + Duration::from_millis(1);
        match poll(
            &mut polled,
            PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX),
        ) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return Err(Error::Broken),
        }
        *left = left.saturating_sub(began.elapsed().min(LONGEST_WAIT));
        Ok(())
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Line, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Line::to_broker(ours), theirs)
    }

    #[test]
    fn lines_are_told_apart_however_they_come() {
        let (mut line, mut theirs) = pair();
        assert!(matches!(line.next_reply(), Ok(None)));
        theirs.write_all(b"\"done\"\n\"go").unwrap();
        assert!(matches!(line.next_reply(), Ok(Some(Reply::Done))));
        assert!(matches!(line.next_reply(), Ok(None)));
        theirs.write_all(b"ne\"\n\"full\"\n").unwrap();
        drop(theirs);
        assert!(matches!(line.next_reply(), Ok(Some(Reply::Gone))));
        assert!(matches!(line.next_reply(), Ok(Some(Reply::Full))));
        assert!(matches!(line.next_reply(), Err(Error::Broken)));
    }

    #[test]
    fn what_is_too_long_is_neither_said_nor_taken() {
        let (mut line, _theirs) = pair();
        let why = Some("x".repeat(MOST_BYTES));
        let said = Said::Refuse { number: 1, why };
        assert!(matches!(line.say(&said), Err(Error::TooLarge)));
        assert_eq!(line.unsent(), 0);
        for (length, fits) in [(MOST_BYTES, true), (MOST_BYTES + 1, false)] {
            let (mut sender, ours) = pair();
            ours.set_nonblocking(true).unwrap();
            let mut broker = Line::of_broker(ours);
            sender.unsent = vec![b' '; length - 1];
            sender.unsent.push(b'\n');
            let read = loop {
                sender.write().unwrap();
                match broker.read() {
                    Ok(None) => {}
                    read => break read,
                }
            };
            assert_eq!(read.is_ok(), fits);
        }
    }
}
