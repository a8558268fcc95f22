//! One connection of a broker: lines in, lines out, neither of which is ever waited for.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::message::{MOST_BYTES, MOST_REPLY, Reply};
use super::peer::Peer;

/// A connection to a process that may take part.
pub struct Connection {
    stream: UnixStream,
    /// Who is at the other end.
    pub peer: Peer,
    /// Since when it is there.
    pub since: Instant,
    /// What it is for.
    pub role: Role,
    read: Vec<u8>,
    unsent: Vec<u8>,
    is_over: bool,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has said nothing yet.
    New,
    /// It waits for the answer to a request.
    Asker,
    /// It is told what waits.
    Watcher,
    /// All was said.
    Done,
}

impl Connection {
    /// With this process at the other end.
    pub fn new(stream: UnixStream, peer: Peer, now: Instant) -> Self {
        Self {
            stream,
            peer,
            since: now,
            role: Role::New,
            read: Vec::new(),
            unsent: Vec::new(),
            is_over: false,
        }
    }

    /// To be waited on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether something is to be sent still.
    pub fn has_more(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Whether it is to be closed.
    pub fn is_over(&self) -> bool {
        self.is_over || self.role == Role::Done && self.unsent.is_empty()
    }

    /// Closes it at the next turn, whatever is still to be sent.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Reads what is there; the next line, once it is whole.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.is_over = true,
            Ok(count) => self
                .read
                .extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if is_for_later(&error) => {}
            Err(_) => self.is_over = true,
        }
        if let Some(end) = self.read.iter().position(|&byte| byte == b'\n') {
            return Some(self.read.drain(..=end).collect());
        }
        if self.read.len() > MOST_BYTES {
            self.is_over = true;
        }
        None
    }

    /// Sends a reply, as much of it as goes now. Who does not read is left.
    pub fn send(&mut self, reply: &Reply) {
        let Ok(mut line) = serde_json::to_vec(reply) else {
            self.is_over = true;
            return;
        };
        line.push(b'\n');
        self.unsent.append(&mut line);
        if self.unsent.len() > 2 * MOST_REPLY {
            self.is_over = true;
        }
        self.write();
    }

    /// Goes on sending.
    pub fn write(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if is_for_later(&error) => return,
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
