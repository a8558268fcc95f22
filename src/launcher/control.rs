//! What launcher and the process inside tell each other, over a socket pair that nobody else has.
//!
//! Each message is its length in four bytes and a postcard record. Sending never waits: what the socket
//! does not take is kept and sent later, so that a launcher that is stopped holds nobody up.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::PollFlags;
use serde::{Deserialize, Serialize};

use super::program::Failure;
use super::queue::never_wait;

/// A longer message is a mistake.
const LONGEST: usize = 1 << 24;

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// From inside: the agent's process.
    Agent(i32),
    /// From inside: the program was not started.
    NotStarted(Failure),
    /// From inside: the agent was stopped.
    Stopped {
        /// By which signal.
        signal: i32,
        /// How often it had been told to go on; where it was told since, it is no longer stopped.
        continued: u32,
    },
    /// From inside: the agent ended, with a status as wait(2) gives it.
    Ended(i32),
    /// From inside: a person is to be asked.
    Ask {
        /// The number of the question.
        number: u64,
        /// What it is, which only those at both ends know.
        question: Vec<u8>,
        /// How often the launcher was away; where it was since, the question is answered already.
        away: u32,
    },
    /// To the inside: a signal for the agent.
    Signal(i32),
    /// To the inside: the launcher stops now, nobody can be asked.
    Away,
    /// To the inside: the agent goes on, in front of its terminal or behind.
    Continue {
        /// Whether it is in front.
        in_front: bool,
    },
    /// To the inside: what a person answered; nothing where nobody could be asked.
    Answer(u64, Vec<u8>),
}

/// One end.
pub struct Channel {
    socket: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    is_gone: bool,
}

impl Channel {
    /// Both ends.
    ///
    /// # Errors
    ///
    /// Where the pair cannot be made.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = UnixStream::pair()?;
        Ok((Self::new(one)?, Self::new(other)?))
    }

    fn new(socket: UnixStream) -> io::Result<Self> {
        never_wait(socket.as_fd())?;
        Ok(Self {
            socket,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            is_gone: false,
        })
    }

    /// To be waited on for [`Channel::wanted`].
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What to wait for.
    #[must_use]
    pub fn wanted(&self) -> PollFlags {
        let mut wanted = PollFlags::POLLIN;
        wanted.set(PollFlags::POLLOUT, !self.outgoing.is_empty());
        wanted
    }

    /// Whether the other end is closed. What it sent before can still be received.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Whether all that was sent has left.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Sends a message, now or as soon as the socket takes it.
    pub fn send(&mut self, message: &Message) {
        let Ok(record) = postcard::to_allocvec(message) else {
            return;
        };
        let Ok(length) = u32::try_from(record.len()) else {
            return;
        };
        self.outgoing.extend_from_slice(&length.to_le_bytes());
        self.outgoing.extend_from_slice(&record);
        self.flush();
    }

    /// Sends what is left, as far as the socket takes it.
    pub fn flush(&mut self) {
        while !self.outgoing.is_empty() && !self.is_gone {
            // Signals of this process are held back, SIGPIPE too; EPIPE tells the same.
            match nix::unistd::write(&self.socket, &self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count.min(self.outgoing.len()))),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => self.is_gone = true,
            }
        }
        if self.is_gone {
            self.outgoing.clear();
        }
    }

    /// All whole messages that have arrived. An end that sends what is no message is taken for gone.
    pub fn receive(&mut self) -> Vec<Message> {
        let mut buffer = [0; 4096];
        while !self.is_gone {
            match nix::unistd::read(&self.socket, &mut buffer) {
                Ok(0) => self.is_gone = true,
                Ok(count) => self
                    .incoming
                    .extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => self.is_gone = true,
            }
        }
        let mut messages = Vec::new();
        while let Some((length, rest)) = self.incoming.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if length > LONGEST {
                self.is_gone = true;
                break;
            }
            let Some(record) = rest.get(..length) else {
                break;
            };
            match postcard::from_bytes(record) {
                Ok(message) => messages.push(message),
                Err(_) => self.is_gone = true,
            }
            self.incoming.drain(..length.saturating_add(4));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_and_in_order_though_the_socket_is_full() {
        let (mut one, mut other) = Channel::pair().unwrap();
        let sent: Vec<Message> = (0..40)
            .map(|number| Message::Answer(number, vec![7; 50_000]))
            .chain([Message::Ended(9), Message::Away])
            .collect();
        sent.iter().for_each(|message| one.send(message));
        assert!(!one.is_flushed() && one.wanted().contains(PollFlags::POLLOUT));
        let mut received = Vec::new();
        while received.len() < sent.len() {
            received.extend(other.receive());
            one.flush();
        }
        assert_eq!(received, sent);
        assert!(one.is_flushed() && !other.is_gone());
    }

    #[test]
    fn what_was_sent_before_the_end_is_received() {
        let (mut one, mut other) = Channel::pair().unwrap();
        one.send(&Message::NotStarted(Failure::NotFound));
        drop(one);
        assert_eq!(other.receive(), [Message::NotStarted(Failure::NotFound)]);
        assert!(other.is_gone());
        other.send(&Message::Away);
        assert!(other.is_flushed());
    }
}
