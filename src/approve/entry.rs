//! The line where a person types, drawn and edited by dialoguer in a child process.
//!
//! dialoguer reads standard input, waits without end and sets terminal modes itself. So it gets a
//! pseudo-terminal of its own as standard input and never sees the person's; [`super::terminal`] hands
//! it the keys, shows what it draws, ends it when the time is up, and decides what the text means.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use dialoguer::Input;
use dialoguer::console::Term;
use nix::unistd::dup2_stdin;

/// Reads one line on `terminal` and writes it to `answer`.
///
/// To be called in a child process only: it replaces standard input.
///
/// # Errors
///
/// Where the terminal is gone or cannot be used; then nothing is written.
pub fn read_line(terminal: OwnedFd, words: &str, answer: OwnedFd) -> io::Result<()> {
    dup2_stdin(terminal.as_fd())?;
    let output = File::from(terminal.try_clone()?);
    let term = Term::read_write_pair(File::from(terminal), output);
    let line: String = Input::new()
        .with_prompt(words)
        .allow_empty(true)
        .report(false)
        .interact_text_on(&term)
        .map_err(|error| match error {
            dialoguer::Error::IO(error) => error,
        })?;
    File::from(answer).write_all(line.as_bytes())
}
