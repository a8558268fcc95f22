//! A whole terminal for a person who answers requests: a screen of its own, drawn row by row, and single keys.
//!
//! Nothing that is drawn moves what stands there: rows are drawn each at its place, and what is too wide for one
//! goes nowhere. Dropping it puts the terminal back as it was, by whatever end, a signal too; where this process is
//! killed, its keeper does.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write, stdout};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use nix::sys::termios::{FlushArg, tcflush};

use super::keeper::Keeper;
use super::signals::Held;
use super::terminal::{open, turn, unusable};
use super::{Absence, Counts, Refusal, standing};
use crate::sys::terminal::{Modes, size};

/// The smallest window that is used, in rows and columns.
pub const LEAST: (usize, usize) = (10, 40);
/// How long the terminal may take to take what is drawn.
const STUCK: Duration = Duration::from_secs(2);
/// How long another kibosh may go on to ask on the same terminal.
const TURN: u8 = 5;

/// A terminal that shows nothing else. Dropping it gives it back.
pub struct Stage {
    terminal: File,
    modes: Modes,
    held: Held,
    size: (usize, usize),
    drawn: Vec<String>,
    cursor: Option<(usize, usize)>,
    _turn: Option<File>,
    _keeper: Option<Keeper>,
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Character(char),
    /// Enter.
    Enter,
    /// Backspace.
    Erase,
    /// Escape.
    Escape,
    /// The arrow up, or a page up.
    Up,
    /// The arrow down, or a page down.
    Down,
    /// Ctrl-C, Ctrl-D or Ctrl-\.
    Leave,
    /// Ctrl-L.
    Redraw,
    /// Anything else.
    Other,
}

/// What has happened.
pub struct Ready {
    /// Keys were typed.
    pub keys: bool,
    /// The other one can be read.
    pub other: bool,
}

impl Stage {
    /// Takes the terminal; none where it cannot show a screen, or says not how large it is.
    ///
    /// # Errors
    ///
    /// Why nobody can be asked on it.
    pub fn begin() -> Result<Option<Self>, Refusal> {
        let has_screen =
            std::env::var("TERM").is_ok_and(|term| !matches!(term.as_str(), "" | "dumb"));
        if !has_screen || !stdout().is_terminal() {
            return Ok(None);
        }
        let terminal = open()?;
        standing::check(&terminal, Counts::default()).map_err(Refusal::NoTerminal)?;
        let Some(size) = window(&terminal).filter(|size| is_enough(*size)) else {
            return Ok(None);
        };
        let held = Held::back().map_err(unusable)?;
        let deadline = Instant::now() + Duration::from_secs(u64::from(TURN));
        let turn = turn((&terminal, standing::device()), &held, TURN, deadline)?;
        let modes = Modes::of(terminal.as_fd()).map_err(unusable)?;
        let quiet = modes.conversation();
        // Without one it is as good a screen.
        let keeper = Keeper::start(&[terminal.as_fd()], None, || {
            give_back(&terminal, &modes, &quiet);
        });
        let mut stage = Self {
            terminal,
            modes,
            held,
            size,
            drawn: Vec::new(),
            cursor: None,
            _turn: turn,
            _keeper: keeper.ok(),
        };
        quiet.set(stage.terminal.as_fd()).map_err(unusable)?;
        stage.write(ENTER)?;
        stage.redraw();
        Ok(Some(stage))
    }

    /// Its rows and columns, as they are now.
    pub fn size(&mut self) -> (usize, usize) {
        let size = window(&self.terminal).unwrap_or(self.size);
        if size != self.size {
            self.size = size;
            self.redraw();
        }
        size
    }

    /// Whether a person may be at it still.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&self) -> Result<(), Absence> {
        standing::check(&self.terminal, Counts::default())
    }

    /// Draws everything the next time.
    pub fn redraw(&mut self) {
        self.drawn.clear();
    }

    /// Shows these rows and no others, and the cursor at a row and column where that is given.
    ///
    /// # Errors
    ///
    /// That the terminal is gone, or a signal.
    pub fn draw(&mut self, rows: &[String], cursor: Option<(usize, usize)>) -> Result<(), Refusal> {
        let is_same = self.cursor == cursor
            && self.drawn.len() == self.size.0
            && (0..self.size.0).all(|place| {
                self.drawn.get(place).map(String::as_str) == Some(row_of(rows, place))
            });
        if is_same {
            return Ok(());
        }
        let mut text = String::from("\x1b[?25l");
        let is_all = self.drawn.is_empty();
        if is_all {
            text.push_str("\x1b[0m\x1b[2J");
        }
        let mut drawn = Vec::new();
        for place in 0..self.size.0 {
            let row = row_of(rows, place);
            if is_all || self.drawn.get(place).map(String::as_str) != Some(row) {
                text.push_str(&format!("\x1b[{};1H\x1b[2K{row}\x1b[0m", place + 1));
            }
            drawn.push(row.to_owned());
        }
        if let Some((row, column)) = cursor {
            text.push_str(&format!("\x1b[{};{}H\x1b[?25h", row + 1, column + 1));
        }
        self.drawn = drawn;
        self.cursor = cursor;
        self.write(text.as_bytes())
    }

    /// Discards what was typed until now.
    ///
    /// # Errors
    ///
    /// That the terminal is gone.
    pub fn discard(&self) -> Result<(), Refusal> {
        tcflush(&self.terminal, FlushArg::TCIFLUSH).map_err(|_| Refusal::Vanished)
    }

    /// Waits for a key, or until `other` can be read, for at most `longest`.
    ///
    /// # Errors
    ///
    /// The end that a signal is.
    pub fn wait(&self, other: BorrowedFd<'_>, longest: Duration) -> Result<Ready, Refusal> {
        let both = [
            (self.terminal.as_fd(), PollFlags::POLLIN),
            (other, PollFlags::POLLIN),
        ];
        let ready = self.held.wait(&both, longest)?;
        Ok(Ready {
            keys: ready.first().copied().unwrap_or(false),
            other: ready.get(1).copied().unwrap_or(false),
        })
    }

    /// What was typed.
    ///
    /// # Errors
    ///
    /// That the terminal is gone.
    pub fn keys(&self) -> Result<Vec<Key>, Refusal> {
        let mut buffer = [0; 1024];
        match (&self.terminal).read(&mut buffer) {
            Ok(0) => Err(Refusal::Vanished),
            Ok(read) => Ok(keys(buffer.get(..read).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(_) => Err(Refusal::Vanished),
        }
    }

    /// Rings the terminal's bell.
    ///
    /// # Errors
    ///
    /// As [`Stage::draw`].
    pub fn ring(&self) -> Result<(), Refusal> {
        self.write(b"\x07")
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let end = Instant::now() + STUCK;
        let mut rest = bytes;
        while !rest.is_empty() {
            match (&self.terminal).write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Refusal::Vanished);
                    }
                    let this = (self.terminal.as_fd(), PollFlags::POLLOUT);
                    self.held.wait(&[this], left)?;
                }
                Err(_) => return Err(Refusal::Vanished),
            }
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // All of this can only fail where the terminal is gone.
        let _ = self.discard();
        if self.write(LEAVE).is_err() {
            // A second signal has come, or more than one.
            let _ = self.write(LEAVE);
        }
        let _ = self.modes.set(self.terminal.as_fd());
    }
}

/// Gives the screen back for a process that was killed, and the modes if they are still those of its own: whoever
/// has changed them since knows better.
fn give_back(terminal: &File, before: &Modes, during: &Modes) {
    let _ = { terminal }.write(LEAVE);
    if Modes::of(terminal.as_fd()).is_ok_and(|modes| modes == *during) {
        let _ = before.set(terminal.as_fd());
    }
}

/// A screen of its own, no row that goes on in the next, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?7l\x1b[?25l";
/// The opposite.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?7h\x1b[?1049l";

/// The row at a place; empty where none is to stand there.
fn row_of(rows: &[String], place: usize) -> &str {
    rows.get(place).map_or("", String::as_str)
}

fn window(terminal: &File) -> Option<(usize, usize)> {
    let (rows, columns) = size(terminal.as_fd())?;
    Some((rows.into(), columns.into()))
}

/// Whether a window is large enough.
#[must_use]
pub fn is_enough(size: (usize, usize)) -> bool {
    size.0 >= LEAST.0 && size.1 >= LEAST.1
}

/// The keys in what was read.
fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let (key, length) = match first {
            ESCAPE => function_key(after),
            b'\r' | b'\n' => (Key::Enter, 1),
            0x7f | 0x08 => (Key::Erase, 1),
            0x03 | 0x04 | 0x1c => (Key::Leave, 1),
            0x0c => (Key::Redraw, 1),
            0..0x20 => (Key::Other, 1),
            _ => character(rest),
        };
        keys.push(key);
        rest = rest.get(length..).unwrap_or_default();
    }
    keys
}

/// The key of a sequence, of which this comes after its ESC, and the length of the whole.
fn function_key(after: &[u8]) -> (Key, usize) {
    match after {
        [] => (Key::Escape, 1),
        [b'[' | b'O', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            let length = end.map_or(rest.len(), |end| end + 1);
            let key = match rest.get(..length) {
                Some(b"A" | b"5~") => Key::Up,
                Some(b"B" | b"6~") => Key::Down,
                _ => Key::Other,
            };
            (key, length + 2)
        }
        // A key with Alt.
        [_, ..] => (Key::Other, 2),
    }
}

fn character(bytes: &[u8]) -> (Key, usize) {
    let chunk = bytes.utf8_chunks().next();
    match chunk.and_then(|chunk| chunk.valid().chars().next()) {
        Some(character) => (Key::Character(character), character.len_utf8()),
        None => (Key::Other, 1),
    }
}

const ESCAPE: u8 = 0x1b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_no_part_of_a_sequence_is_one() {
        for (bytes, expected) in [
            ("y", &[Key::Character('y')][..]),
            ("y\r", &[Key::Character('y'), Key::Enter]),
            ("\x1b[A\x1bOB", &[Key::Up, Key::Down]),
            ("\x1b[1;5y", &[Key::Other]),
            ("\x1b[<0;1;1", &[Key::Other]),
            ("\x1by", &[Key::Other]),
            ("\x1b", &[Key::Escape]),
            ("ä\x7f\x03", &[Key::Character('ä'), Key::Erase, Key::Leave]),
        ] {
            assert_eq!(keys(bytes.as_bytes()), expected, "{bytes:?}");
        }
        assert_eq!(keys(b"\xc3"), [Key::Other]);
    }
}
