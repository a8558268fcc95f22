//! The line where a person types, drawn and edited by dialoguer in a child process.
//!
//! dialoguer reads standard input, waits without end and sets terminal modes itself. So it gets a
//! pseudo-terminal of its own as standard input and never sees the person's: [`super::terminal`] hands
//! it the keys, shows what it draws, ends it when the time is up, and decides what the line means.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use dialoguer::Input;
use dialoguer::console::Term;
use nix::fcntl::OFlag;
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, close, dup2_stdin, pipe2};

use crate::sys::terminal::{Modes, in_child};

/// The child process in which a line is typed. Dropping it ends the child.
pub struct Entry {
    child: Pid,
    /// The other end of its terminal: keys go in, drawing comes out.
    screen: File,
    answer: File,
    line: Vec<u8>,
}

impl Entry {
    /// Starts to draw `words` and to take keys, on a terminal of `size` rows and columns.
    ///
    /// `rescue` is called in the child where this process is killed: nobody else is left then to put
    /// the person's terminal back.
    ///
    /// # Errors
    ///
    /// Where there is no pseudo-terminal or no process to be had.
    pub fn start(words: &str, size: (u16, u16), rescue: impl FnOnce()) -> io::Result<Self> {
        let size = Winsize {
            ws_row: size.0,
            // dialoguer divides by the columns without one.
            ws_col: size.1.max(20),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None)?;
        Modes::of(pair.slave.as_fd())?
            .transparent()
            .set(pair.slave.as_fd())?;
        let (answer, sender) = pipe2(OFlag::O_CLOEXEC)?;
        let (screen, terminal) = (pair.master, pair.slave);
        let child = in_child(|| {
            // Held open here too, it would never tell that the parent is gone.
            let _ = close(screen.as_raw_fd());
            let read = read_line(terminal, words, sender);
            // The parent ends this process before it closes its end of the terminal, so that an error
            // here means that it was killed.
            if read.is_err() {
                rescue();
            }
            i32::from(read.is_err())
        })?;
        Ok(Self {
            child,
            screen: File::from(screen),
            answer: File::from(answer),
            line: Vec::new(),
        })
    }

    /// To be waited on: something was drawn.
    pub fn screen(&self) -> BorrowedFd<'_> {
        self.screen.as_fd()
    }

    /// To be waited on: the line is finished, or the child is.
    pub fn answer(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }

    /// What was drawn since. Nothing where the child has closed its end; the answer tells the rest.
    pub fn drawing(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let read = self.screen.read(&mut buffer).unwrap_or(0);
        buffer.get(..read).unwrap_or_default().to_vec()
    }

    /// Hands keys on.
    ///
    /// # Errors
    ///
    /// Where the child has gone.
    pub fn press(&mut self, keys: &[u8]) -> io::Result<()> {
        self.screen.write_all(keys)
    }

    /// Takes the answer as far as it is there; true at its end.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn read_answer(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 1024];
        let read = self.answer.read(&mut buffer)?;
        self.line
            .extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read == 0)
    }

    /// The line; empty where the child failed. None where it is no text.
    pub fn into_line(mut self) -> Option<String> {
        String::from_utf8(std::mem::take(&mut self.line)).ok()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = kill(self.child, Signal::SIGKILL);
        let _ = waitpid(self.child, None);
    }
}

/// The child's work: reads one line on `terminal`, which becomes its standard input, and writes it to
/// `answer`; nothing where that failed.
fn read_line(terminal: OwnedFd, words: &str, answer: OwnedFd) -> io::Result<()> {
    dup2_stdin(terminal.as_fd())?;
    let output = File::from(terminal.try_clone()?);
    let term = Term::read_write_pair(File::from(terminal), output);
    let line: String = Input::new()
        .with_prompt(words)
        .allow_empty(true)
        .report(false)
        .interact_text_on(&term)
        .map_err(|dialoguer::Error::IO(error)| error)?;
    File::from(answer).write_all(line.as_bytes())
}
