//! What kibosh was given as standard input, output and error.
//!
//! Those that are terminals become the inner terminal for the agent; the others are handed on untouched.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;

use std::io::{self, IsTerminal};

/// The standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Which of input, output and error are terminals.
    pub terminals: [bool; 3],
    /// Whether input or output is a pipe: then another program may use the person's terminal, and the
    /// agent is put in front only when it asks for keys.
    pub is_pipeline: bool,
}

impl Streams {
    /// Looks at those of this process.
    #[must_use]
    pub fn here() -> Self {
        Self {
            terminals: [
                io::stdin().is_terminal(),
                io::stdout().is_terminal(),
                io::stderr().is_terminal(),
            ],
            is_pipeline: is_pipe(io::stdin().as_fd()) || is_pipe(io::stdout().as_fd()),
        }
    }

    /// Whether any is a terminal.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.terminals.contains(&true)
    }
}

fn is_pipe(stream: BorrowedFd<'_>) -> bool {
    stream
        .try_clone_to_owned()
        .and_then(|stream| File::from(stream).metadata())
        .is_ok_and(|metadata| metadata.file_type().is_fifo() || metadata.file_type().is_socket())
}
