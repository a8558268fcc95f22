//! One connection of a broker: what it is for, and what is said on it, which is never waited for.

use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::line::Line;
use super::message::{MOST_REPLY, Reply};
use super::peer::Peer;

/// A connection to a process that may take part.
pub struct Connection {
    line: Line,
    /// Who is at the other end.
    pub peer: Peer,
    /// Since when it is there.
    pub since: Instant,
    /// What it is for.
    pub role: Role,
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
            line: Line::of_broker(stream),
            peer,
            since: now,
            role: Role::New,
            is_over: false,
        }
    }

    /// To be waited on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.line.descriptor()
    }

    /// Whether something is to be sent still.
    pub fn has_more(&self) -> bool {
        self.line.unsent() > 0
    }

    /// Whether it is to be closed.
    pub fn is_over(&self) -> bool {
        self.is_over || self.role == Role::Done && !self.has_more()
    }

    /// Closes it at the next turn, whatever is still to be sent.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Reads what is there; the next line, once it is whole.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let read = self.line.read();
        self.is_over |= read.is_err();
        read.ok().flatten()
    }

    /// Sends a reply, as much of it as goes now. Who does not read is left.
    pub fn send(&mut self, reply: &Reply) {
        let sent = self.line.send(reply, MOST_REPLY);
        self.is_over |= sent.is_err() || self.line.unsent() > 2 * MOST_REPLY;
    }

    /// Goes on sending.
    pub fn write(&mut self) {
        self.is_over |= self.line.write().is_err();
    }
}
