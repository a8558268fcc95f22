//! The reviewer at the terminal: shows the question, takes the answer, leaves the terminal as it was.
//!
//! It opens `/dev/tty` itself and never touches the standard streams. Only keys that arrive after the
//! question stands on the screen count. Whatever else happens (another key, Ctrl-C, Ctrl-D, a signal,
//! the end of the time, a terminal that goes away) is a no.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{FlushArg, tcflush};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, close, getpid, getppid, pipe2};

use crate::decide::Decision;
use crate::report::prompt::{Ask, Question, Scene, closing, question};
use crate::report::style::Style;
use crate::sys::terminal::{Modes, in_child, size};

use super::{Absence, MOST_SECONDS, Refusal, Request, entry, standing};

/// How long the keyboard must have been quiet before an answer counts, so that nobody answers who was
/// just typing something else.
const QUIET: Duration = Duration::from_millis(300);
/// How much a person may type.
const MOST_TYPED: usize = 1024;

/// Asks the person at the terminal; returns where they said yes.
///
/// # Errors
///
/// Why it is a no.
pub fn ask(decision: &Decision, request: &Request) -> Result<(), Refusal> {
    let terminal = open()?;
    standing::check(&terminal).map_err(Refusal::NoTerminal)?;
    let size = size(terminal.as_fd()).unwrap_or((24, 80));
    let scene = Scene {
        text: &request.text,
        source: &request.source,
        cwd: &request.cwd,
        columns: usize::from(size.1).clamp(20, 200),
        style: Style::of(
            std::env::var("NO_COLOR").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        ),
    };
    let question = question(decision, &scene).ok_or(Refusal::TooMuch)?;
    let conversation = Conversation::begin(terminal, size, request.seconds)?;
    let outcome = conversation.hold(&question);
    conversation.end(&outcome);
    outcome
}

/// Opens the controlling terminal. Reads and writes on it never wait by themselves, because every wait
/// has an end here.
fn open() -> Result<File, Refusal> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open("/dev/tty")
        .map_err(|_| Refusal::NoTerminal(Absence::NoTerminal))
}

/// The terminal could be opened but not used as one.
fn unusable(error: impl Into<io::Error>) -> Refusal {
    Refusal::NoTerminal(Absence::Unusable(error.into().kind().to_string()))
}

/// A terminal in use. Dropping it puts modes and signal mask back.
struct Conversation {
    terminal: File,
    size: (u16, u16),
    modes: Modes,
    mask: SigSet,
    signals: SignalFd,
    seconds: u8,
    deadline: Instant,
}

impl Conversation {
    /// Takes the terminal: signals are held back from here on, so that none of them can end this
    /// process with the terminal changed or stop it in the background.
    fn begin(terminal: File, size: (u16, u16), seconds: u8) -> Result<Self, Refusal> {
        let modes = Modes::of(terminal.as_fd()).map_err(unusable)?;
        let held = held_signals();
        let signals = SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(unusable)?;
        let mask = held
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(unusable)?;
        let seconds = seconds.clamp(1, MOST_SECONDS);
        let deadline = Instant::now() + Duration::from_secs(u64::from(seconds));
        let conversation = Self {
            terminal,
            size,
            modes,
            mask,
            signals,
            seconds,
            deadline,
        };
        let quiet = conversation.modes.conversation();
        quiet.set(conversation.terminal.as_fd()).map_err(unusable)?;
        Ok(conversation)
    }

    /// Shows the question and takes the answers; all of them must be yes.
    fn hold(&self, question: &Question) -> Result<(), Refusal> {
        let mut text = String::from("\n");
        for row in &question.rows {
            text.push_str(row);
            text.push('\n');
        }
        self.write(text.as_bytes())?;
        for ask in &question.asks {
            if let Some(row) = ask.row() {
                self.write(row.as_bytes())?;
            }
            self.settle()?;
            if !ask.accepts(&self.answer(ask)?) {
                return Err(Refusal::Person);
            }
        }
        Ok(())
    }

    /// Says how it ended. Nothing depends on whether that can be seen.
    fn end(self, outcome: &Result<(), Refusal>) {
        let _ = self.write(closing(outcome.as_ref().err()).as_bytes());
    }

    /// Discards what was typed before the question, until nothing is being typed.
    fn settle(&self) -> Result<(), Refusal> {
        loop {
            tcflush(&self.terminal, FlushArg::TCIFLUSH).map_err(|_| Refusal::Vanished)?;
            if !self.wait(&[], QUIET)?.terminal {
                return Ok(());
            }
        }
    }

    /// Lets the person type one line.
    fn answer(&self, ask: &Ask) -> Result<String, Refusal> {
        let left = self
            .deadline
            .saturating_duration_since(Instant::now())
            .as_secs();
        let mut entry = Entry::start(self, &ask.words(left.max(1)))?;
        let mut typed = 0;
        loop {
            let ready = self.wait(&[entry.keyboard.as_fd(), entry.answer.as_fd()], MAX_WAIT)?;
            if let [drawn, answered] = ready.others.as_slice() {
                if *drawn {
                    entry.draw(self)?;
                }
                if *answered && entry.read_answer()? {
                    return entry.into_answer();
                }
            }
            if ready.terminal {
                let keys = self.keys()?;
                typed += keys.len();
                if typed > MOST_TYPED {
                    return Err(Refusal::Person);
                }
                // A key pressed before the line stood there answers nothing.
                if entry.is_drawn {
                    entry.keyboard.write_all(&keys).map_err(unusable)?;
                }
            }
        }
    }

    /// The keys that were pressed, without the sequences of function keys and terminal reports.
    fn keys(&self) -> Result<Vec<u8>, Refusal> {
        let mut buffer = [0; 256];
        let read = match (&self.terminal).read(&mut buffer) {
            Ok(0) => return Err(Refusal::Vanished),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Err(Refusal::Vanished),
        };
        let keys = buffer.get(..read).unwrap_or_default();
        match keys {
            [ESCAPE] => Err(Refusal::Person),
            [ESCAPE, ..] => Ok(Vec::new()),
            _ if keys.iter().any(|key| LEAVE.contains(key)) => Err(Refusal::Person),
            _ => Ok(keys.to_vec()),
        }
    }

    /// Writes all of `bytes` before the time is up.
    fn write(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match (&self.terminal).write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_to_write()?,
                Err(_) => return Err(Refusal::Vanished),
            }
        }
        Ok(())
    }

    fn wait_to_write(&self) -> Result<(), Refusal> {
        let mut polled = [
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.terminal.as_fd(), PollFlags::POLLOUT),
        ];
        self.poll(&mut polled, MAX_WAIT)
    }

    /// Waits until the terminal or one of `others` can be read, for at most `longest`.
    fn wait(&self, others: &[BorrowedFd<'_>], longest: Duration) -> Result<Ready, Refusal> {
        let mut polled = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN),
        ];
        polled.extend(
            others
                .iter()
                .map(|other| PollFd::new(*other, PollFlags::POLLIN)),
        );
        self.poll(&mut polled, longest)?;
        let mut ready = polled
            .iter()
            .skip(1)
            .map(|place| place.any().unwrap_or(true));
        Ok(Ready {
            terminal: ready.next().unwrap_or(false),
            others: ready.collect(),
        })
    }

    /// One poll(2) that ends with the time and with a signal, which must be first in the list.
    fn poll(&self, polled: &mut [PollFd<'_>], longest: Duration) -> Result<(), Refusal> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::Timeout {
                seconds: self.seconds,
            });
        }
        // Rounded up, or the last millisecond would be a busy loop.
        let wait = left.min(longest) + Duration::from_millis(1);
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        match poll(polled, wait) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(unusable(errno)),
        }
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match Signal::try_from(signal.ssi_signo.cast_signed()) {
                Ok(Signal::SIGHUP) => return Err(Refusal::Vanished),
                Ok(_) | Err(_) => return Err(Refusal::Interrupted),
            }
        }
        Ok(())
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // What was typed for the question is for nobody else. All of this can only fail where the
        // terminal is gone.
        let _ = tcflush(&self.terminal, FlushArg::TCIFLUSH);
        let _ = self.modes.set(self.terminal.as_fd());
        let _ = self.mask.thread_set_mask();
    }
}

/// No single wait is longer; the deadline is looked at after each.
const MAX_WAIT: Duration = Duration::from_secs(MOST_SECONDS as u64);

const ESCAPE: u8 = 0x1b;
/// Ctrl-C, Ctrl-D, Ctrl-Z and Ctrl-\: the person wants to leave.
const LEAVE: [u8; 4] = [0x03, 0x04, 0x1a, 0x1c];

/// The signals that would end or stop this process, as far as they can be held back. Those that report
/// a fault of the program itself are not held back.
fn held_signals() -> SigSet {
    let mut held = SigSet::empty();
    let harmless = [
        Signal::SIGCHLD,
        Signal::SIGCONT,
        Signal::SIGURG,
        Signal::SIGWINCH,
    ];
    let faults = [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGKILL,
        Signal::SIGSEGV,
        Signal::SIGSTOP,
        Signal::SIGSYS,
        Signal::SIGTRAP,
    ];
    for signal in Signal::iterator() {
        if !harmless.contains(&signal) && !faults.contains(&signal) {
            held.add(signal);
        }
    }
    held
}

/// What can be read without waiting.
struct Ready {
    terminal: bool,
    others: Vec<bool>,
}

/// The child process in which a line is typed. Dropping it ends the child.
struct Entry {
    child: Pid,
    /// The other end of its terminal: keys go in, drawing comes out.
    keyboard: File,
    answer: File,
    line: Vec<u8>,
    is_drawn: bool,
}

impl Entry {
    fn start(conversation: &Conversation, words: &str) -> Result<Self, Refusal> {
        let (rows, columns) = conversation.size;
        let size = Winsize {
            ws_row: rows,
            ws_col: columns.max(20),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).map_err(unusable)?;
        let modes = Modes::of(pair.slave.as_fd()).map_err(unusable)?;
        modes
            .transparent()
            .set(pair.slave.as_fd())
            .map_err(unusable)?;
        let (answer, sender) = pipe2(OFlag::O_CLOEXEC).map_err(unusable)?;
        let child = spawn(conversation, words, &pair.master, pair.slave, sender)?;
        Ok(Self {
            child,
            keyboard: File::from(pair.master),
            answer: File::from(answer),
            line: Vec::new(),
            is_drawn: false,
        })
    }

    /// Shows what the child has drawn.
    fn draw(&mut self, conversation: &Conversation) -> Result<(), Refusal> {
        let mut buffer = [0; 4096];
        // An error means that the child has closed its end; the answer tells the rest.
        let read = self.keyboard.read(&mut buffer).unwrap_or(0);
        conversation.write(buffer.get(..read).unwrap_or_default())?;
        self.is_drawn = true;
        Ok(())
    }

    /// Takes the answer as far as it is there; true at its end.
    fn read_answer(&mut self) -> Result<bool, Refusal> {
        let mut buffer = [0; MOST_TYPED];
        let read = self.answer.read(&mut buffer).map_err(unusable)?;
        self.line
            .extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read == 0)
    }

    /// The line. Empty where the child failed, which is no yes to any question.
    fn into_answer(mut self) -> Result<String, Refusal> {
        String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| Refusal::Person)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = kill(self.child, Signal::SIGKILL);
        let _ = waitpid(self.child, None);
    }
}

/// Starts the child. It keeps no end of its terminal but its own, so that it notices when this process
/// is killed, and puts the person's terminal back then, because nobody else is left to do it.
fn spawn(
    conversation: &Conversation,
    words: &str,
    keyboard: &OwnedFd,
    terminal: OwnedFd,
    answer: OwnedFd,
) -> Result<Pid, Refusal> {
    let parent = getpid();
    in_child(|| {
        let _ = close(keyboard.as_raw_fd());
        let read = entry::read_line(terminal, words, answer);
        if getppid() != parent {
            let _ = conversation.modes.set(conversation.terminal.as_fd());
        }
        i32::from(read.is_err())
    })
    .map_err(unusable)
}
