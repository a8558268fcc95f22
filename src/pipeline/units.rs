//! What a person approves in the commands that come in while a shell runs, told by the relay before its
//! input to the supervisor beside the shell.
//!
//! Each command is told of with a line of JSON before it is passed on; what was approved in the one before
//! counts no more. Only the relay holds the other end.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use nix::poll::{PollFd, PollFlags};

use super::grants::Grants;
use crate::decide::approved::Approved;
use crate::supervise::companion::Companion;

/// Tells the supervisor what was approved in the next command.
///
/// # Errors
///
/// Where the supervisor is gone.
pub fn tell(sender: &OwnedFd, approved: &Approved) -> io::Result<()> {
    let mut line = serde_json::to_vec(approved)?;
    line.push(b'\n');
    File::from(sender.try_clone()?).write_all(&line)
}

/// The supervisor's end.
pub struct Units<'a> {
    /// None once the relay is gone.
    sender: Option<BorrowedFd<'a>>,
    shell: i32,
    grants: Rc<RefCell<Grants>>,
    /// What has come of a line.
    begun: Vec<u8>,
}

impl<'a> Units<'a> {
    /// For this shell.
    #[must_use]
    pub fn new(sender: BorrowedFd<'a>, shell: i32, grants: Rc<RefCell<Grants>>) -> Self {
        Self {
            sender: Some(sender),
            shell,
            grants,
            begun: Vec::new(),
        }
    }
}

impl Companion for Units<'_> {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        let sender = self.sender.iter();
        sender
            .map(|sender| PollFd::new(sender.as_fd(), PollFlags::POLLIN))
            .collect()
    }

    fn ready(&mut self, _place: usize, events: PollFlags) {
        let Some(sender) = self.sender.filter(|_| !events.is_empty()) else {
            return;
        };
        let mut buffer = [0; 4096];
        let read = nix::unistd::read(sender, &mut buffer).unwrap_or(0);
        if read == 0 {
            self.sender = None;
        }
        self.begun
            .extend_from_slice(buffer.get(..read).unwrap_or_default());
        while let Some(end) = self.begun.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            // What cannot be read approves nothing.
            let approved = serde_json::from_slice(&line).unwrap_or_default();
            self.grants.borrow_mut().set(approved, self.shell);
        }
    }

    fn is_done(&self) -> bool {
        true
    }
}
