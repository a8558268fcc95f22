//! The reviewer at the terminal: shows the question, takes the answer, leaves the terminal as it was.
//!
//! It opens `/dev/tty` itself and never touches the standard streams. Only keys that arrive after the
//! question stands on the screen count. Whatever else happens (another key, Ctrl-C, Ctrl-D, a signal,
//! the end of the time, a terminal that goes away) is a no.

use std::cell::Cell;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use nix::sys::termios::{FlushArg, tcflush};

use crate::broker::Root;
use crate::decide::Decision;
use crate::report::details::{Known, Page, details};
use crate::report::preview::{End, RUNNING, Shown, sheet};
pub use crate::report::prompt::Keys;
use crate::report::prompt::{
    Ask, Question, Scene, closing, is_details, is_no, is_preview, is_session, question,
};
use crate::report::refusal::unmistaken;
use crate::report::source;
use crate::report::style::Style;
use crate::sys::terminal::{Modes, size};

use super::above::{AFTER, Above, Stopped, room};
use super::entry::Entry;
use super::kept::Kept;
use super::signals::Held;
use super::{Absence, Counts, MOST_SECONDS, Previewer, Refusal, Request, standing};

/// How long the keyboard must have been quiet before an answer counts, so that nobody answers who was
/// just typing something else.
const QUIET: Duration = Duration::from_millis(300);
/// A person is not asked with less time than this.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// How many rows a terminal has that does not say so.
const USUAL_ROWS: usize = 24;
/// How much a person may type.
const MOST_TYPED: usize = 1024;
/// How long previews may take together.
const MOST_PREVIEW: Duration = Duration::from_secs(5);
/// How much of what each writes is shown.
const MOST_OUTPUT: usize = 64 << 10;

/// Asks the person at the terminal where it is asked; gives what they typed.
///
/// # Errors
///
/// Why it is a no.
pub fn ask(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
) -> Result<Choice, Refusal> {
    let terminal = open()?;
    standing::check(&terminal, request.counts).map_err(Refusal::NoTerminal)?;
    ask_there(decision, request, previewer, (terminal, None))
}

/// Asks the person at a terminal above, of which this process is none.
///
/// # Errors
///
/// Why it is a no; that there is no terminal where who reads it would not stop.
pub fn ask_on(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
    terminal: File,
    above: Above,
) -> Result<Choice, Refusal> {
    ask_there(decision, request, previewer, (terminal, Some(above)))
}

fn ask_there(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
    (terminal, above): (File, Option<Above>),
) -> Result<Choice, Refusal> {
    let request = Request {
        seconds: request.seconds.clamp(1, MOST_SECONDS),
        ..request.clone()
    };
    let elsewhere = request.elsewhere.as_ref().filter(|one| one.has_broker);
    let has_session =
        decision.reviewers() <= 1 && elsewhere.is_some_and(|one| one.session.is_some());
    let keys = if has_session {
        Keys::Session
    } else {
        Keys::Yes
    };
    let session = request.elsewhere.as_ref().and_then(|one| one.session);
    let place = (terminal, above);
    converse(decision, &request, keys, (session, None), place, previewer)
}

/// What a person typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A yes.
    Once,
    /// A yes for as long as the session lives.
    Session,
    /// A no.
    Refuse,
    /// Something else.
    Leave,
}

/// Says which terminal this is, by its name if it has one, to a person who came to it to answer. They can come
/// to another one, so it must not be inside a program that presses keys for whoever asks it to.
///
/// # Errors
///
/// Why nobody can be asked on it.
pub fn check() -> Result<Option<String>, Absence> {
    let terminal = open().map_err(|_| Absence::NoTerminal)?;
    if let Some(program) = standing::shared_by() {
        return Err(Absence::Shared(program));
    }
    standing::check(&terminal, Counts::default())?;
    Ok(standing::device().map(|path| path.display().to_string()))
}

/// The name of the terminal of this process, empty where it has none.
#[must_use]
pub fn name() -> String {
    standing::device().map_or_else(String::new, |path| path.display().to_string())
}

/// Asks the person at the terminal; gives what they typed. Of the caller they can be shown its session, and its
/// user where that is another one.
///
/// # Errors
///
/// Why nothing was typed.
pub fn choose(
    decision: &Decision,
    request: &Request,
    keys: Keys,
    (session, user): (Option<Root>, Option<u32>),
    previewer: Option<&dyn Previewer>,
) -> Result<Choice, Refusal> {
    let terminal = open()?;
    standing::check(&terminal, request.counts).map_err(Refusal::NoTerminal)?;
    let place = (terminal, None);
    converse(decision, request, keys, (session, user), place, previewer)
}

fn converse(
    decision: &Decision,
    request: &Request,
    keys: Keys,
    (session, user): (Option<Root>, Option<u32>),
    (terminal, above): (File, Option<Above>),
    previewer: Option<&dyn Previewer>,
) -> Result<Choice, Refusal> {
    let size = size(terminal.as_fd()).unwrap_or((24, 80));
    let source = source::several(&request.source, request.times);
    let scene = Scene {
        text: &request.text,
        source: &source,
        cwd: &request.cwd,
        rows: rows(size),
        columns: columns(size),
        style: Style::of(
            std::env::var("NO_COLOR").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        ),
    };
    let style = scene.style;
    let draw = |size| {
        let scene = Scene {
            rows: rows(size),
            columns: columns(size),
            ..scene.clone()
        };
        question(decision, &scene).ok_or(Refusal::TooMuch)
    };
    // Nobody is stopped for what does not fit.
    draw(size)?;
    let known = Known {
        decision,
        text: &request.text,
        source: &source,
        cwd: &request.cwd,
        session: session.map(|session| (session, name_of(session))),
        user,
    };
    let conversation = Conversation::begin(terminal, size, request.seconds, above)?;
    let outcome = conversation.hold(&draw, keys, (&known, style), previewer);
    // Who was woken meanwhile could have read the keys, or drawn what was answered to.
    let outcome = outcome.and_then(|choice| {
        if conversation.has_terminal() {
            Ok(choice)
        } else {
            Err(Refusal::Interrupted)
        }
    });
    conversation.end(&outcome);
    outcome
}

/// The rows of a terminal of this size.
fn rows(size: (u16, u16)) -> usize {
    match size.0 {
        0 => USUAL_ROWS,
        rows => usize::from(rows),
    }
}

/// Its columns that are used.
fn columns(size: (u16, u16)) -> usize {
    usize::from(size.1).clamp(20, 200)
}

/// The name of a process, while it runs.
pub(super) fn name_of(process: Root) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{}/comm", process.id)).ok()?;
    process.is_there().then(|| name.trim_end().to_owned())
}

/// Opens the controlling terminal. Reads and writes on it never wait by themselves, because every wait
/// has an end here.
pub(super) fn open() -> Result<File, Refusal> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open("/dev/tty")
        .map_err(|_| Refusal::NoTerminal(Absence::NoTerminal))
}

/// The terminal could be opened but not used as one.
pub(super) fn unusable(error: impl Into<io::Error>) -> Refusal {
    Refusal::NoTerminal(Absence::Unusable(error.into().kind().to_string()))
}

/// A terminal in use. Dropping it puts modes and signal mask back, lets go on who was stopped for it, and lets the next
/// one ask.
struct Conversation {
    terminal: File,
    size: Cell<(u16, u16)>,
    modes: Modes,
    /// Those who are stopped meanwhile.
    stopped: Option<Stopped>,
    held: Held,
    seconds: u8,
    deadline: Instant,
    _turn: Option<File>,
}

impl Conversation {
    /// Takes the terminal: signals are held back from here on, so that none of them can end this
    /// process with the terminal changed or stop it in the background. Who reads a terminal above is stopped.
    fn begin(
        terminal: File,
        size: (u16, u16),
        seconds: u8,
        above: Option<Above>,
    ) -> Result<Self, Refusal> {
        let deadline = Instant::now() + Duration::from_secs(u64::from(seconds));
        let held = Held::back().map_err(unusable)?;
        let device = match above {
            Some(_) => None,
            None => standing::device(),
        };
        let turn = turn((&terminal, device), &held, seconds, deadline)?;
        let modes = Modes::of(terminal.as_fd()).map_err(unusable)?;
        let stopped = above
            .map(|above| above.stop(&terminal, &modes, deadline))
            .transpose()?;
        let conversation = Self {
            terminal,
            size: Cell::new(size),
            modes,
            stopped,
            held,
            seconds,
            deadline,
            _turn: turn,
        };
        let quiet = conversation.modes.conversation();
        quiet.set(conversation.terminal.as_fd()).map_err(unusable)?;
        Ok(conversation)
    }

    /// Shows the question and takes the answers; all of them must be yes.
    fn hold(
        &self,
        draw: &dyn Fn((u16, u16)) -> Result<Question, Refusal>,
        keys: Keys,
        (known, style): (&Known<'_>, Style),
        previewer: Option<&dyn Previewer>,
    ) -> Result<Choice, Refusal> {
        let findings = &known.decision.findings;
        let mut previews = findings
            .iter()
            .filter_map(|finding| finding.preview.as_ref());
        let previewer = previewer.filter(|_| previews.next().is_some());
        if self.stopped.is_some() {
            self.write(room(rows(self.size.get())).as_bytes())?;
        }
        for ask in &self.show(draw)? {
            let answer = loop {
                if let Some(row) = ask.row() {
                    self.write(row.as_bytes())?;
                }
                self.settle()?;
                let Some(answer) = self.answer(ask, keys, previewer.is_some())? else {
                    // The window has another size: what stands in it is no more what was drawn.
                    self.show(draw)?;
                    continue;
                };
                let goes_on = match previewer {
                    _ if ask.accepts(&answer) => break answer,
                    _ if is_details(&answer) => {
                        self.page_through(&|columns| details(known, columns, style))?
                    }
                    Some(previewer) if is_preview(&answer) => {
                        match self.preview(known.decision, previewer)? {
                            Some(shown) => {
                                self.page_through(&|columns| sheet(&shown, columns, style))?
                            }
                            None => false,
                        }
                    }
                    _ => break answer,
                };
                if !goes_on {
                    return Ok(Choice::Refuse);
                }
                self.show(draw)?;
            };
            match (keys, ask) {
                _ if ask.accepts(&answer) => {}
                (Keys::Session | Keys::Review, _) if is_no(&answer) => return Ok(Choice::Refuse),
                (Keys::Session | Keys::Review, Ask::Yes) if is_session(&answer) => {
                    return Ok(Choice::Session);
                }
                _ => return Ok(Choice::Leave),
            }
        }
        Ok(Choice::Once)
    }

    /// Shows the question as it fits the window; gives what it asks.
    fn show(
        &self,
        draw: &dyn Fn((u16, u16)) -> Result<Question, Refusal>,
    ) -> Result<Vec<Ask>, Refusal> {
        let question = draw(self.size.get())?;
        let mut text = String::from("\n");
        for row in &question.rows {
            text.push_str(row);
            text.push('\n');
        }
        self.write(text.as_bytes())?;
        Ok(question.asks)
    }

    /// Runs the previews of what is asked about, one after the other; none where the person says no meanwhile.
    fn preview<'d>(
        &self,
        decision: &'d Decision,
        previewer: &dyn Previewer,
    ) -> Result<Option<Vec<Shown<'d>>>, Refusal> {
        self.write(RUNNING.as_bytes())?;
        self.discard()?;
        let until = self.deadline.min(Instant::now() + MOST_PREVIEW);
        let mut all = Vec::new();
        for finding in &decision.findings {
            let Some(preview) = &finding.preview else {
                continue;
            };
            let mut shown = Shown {
                finding,
                preview,
                output: Vec::new(),
                end: End::NoTime,
            };
            // The same command is met by several rules.
            if all.iter().any(|one: &Shown<'_>| one.preview == preview) {
                continue;
            }
            let began = Instant::now();
            if began < until {
                shown.end = match previewer.start(preview) {
                    Ok(kept) => match self.listen(&kept, &mut shown.output, (began, until))? {
                        Some(end) => end,
                        None => return Ok(None),
                    },
                    Err(error) => End::NotStarted(unmistaken(&error.to_string())),
                };
            }
            all.push(shown);
        }
        Ok(Some(all))
    }

    /// Takes what a preview writes until it ends or is to end; none where the person says no meanwhile.
    fn listen(
        &self,
        kept: &Kept,
        output: &mut Vec<u8>,
        (began, until): (Instant, Instant),
    ) -> Result<Option<End>, Refusal> {
        let mut is_open = true;
        loop {
            let ended = match kept.status() {
                Ok(status) => Some(End::Status(status)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(_) => Some(End::Lost),
            };
            // What was written before the end has arrived.
            is_open = is_open && take(kept, output);
            if output.len() > MOST_OUTPUT {
                output.truncate(MOST_OUTPUT);
                return Ok(Some(End::TooMuch(MOST_OUTPUT)));
            }
            if ended.is_some() {
                return Ok(ended);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let time = until.saturating_duration_since(began) + Duration::from_millis(500);
                return Ok(Some(End::Time(time.as_secs())));
            }
            let mut others = vec![kept.leash.as_fd()];
            if is_open {
                others.push(kept.stream.as_fd());
            }
            if !self.wait(&others, left)?.terminal {
                continue;
            }
            match self.read()?.as_slice() {
                [b'q' | b'p' | ESCAPE] => return Ok(Some(End::Key)),
                [b'n'] => return Ok(None),
                keys if keys.iter().any(|key| LEAVE.contains(key)) => return Err(Refusal::Person),
                _ => {}
            }
        }
    }

    /// Shows a sheet, which is made for a number of columns, page by page, until the person goes back to the question;
    /// false where they say no. No key here is a yes.
    fn page_through(&self, sheet: &dyn Fn(usize) -> Vec<String>) -> Result<bool, Refusal> {
        let mut number = 0;
        loop {
            let size = size(self.terminal.as_fd()).unwrap_or(self.size.get());
            let sheet = sheet(columns(size));
            let page = Page::new(number, sheet.len(), rows(size).saturating_sub(1));
            number = page.number;
            let mut text = String::from("\n");
            for row in page.rows(&sheet) {
                text.push_str(row);
                text.push('\n');
            }
            if page.of > 1 {
                // Nothing of another page stands beside it.
                let missing = page.height - page.rows(&sheet).len();
                text.push_str(&"\n".repeat(missing));
            }
            self.write(text.as_bytes())?;
            // What was typed until now was for something else.
            self.discard()?;
            match self.turn_of_page(page)? {
                Turn::On if number + 1 < page.of => number += 1,
                Turn::On => return Ok(true),
                Turn::Up => number = number.saturating_sub(1),
                Turn::Done => return Ok(true),
                Turn::No => return Ok(false),
            }
        }
    }

    /// Waits for a key at the end of a page, where the time that is left is shown.
    fn turn_of_page(&self, page: Page) -> Result<Turn, Refusal> {
        let turn = loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            self.write(format!("\r{} ", page.words(left.as_secs())).as_bytes())?;
            if !self.wait(&[], SECOND)?.terminal {
                continue;
            }
            let turn = match self.read()?.as_slice() {
                [b' ' | b'j' | b'\r' | b'\n'] => Turn::On,
                [b'b' | b'k' | 0x7f] => Turn::Up,
                [b'q' | b'd' | b'p' | ESCAPE] => Turn::Done,
                [b'n'] => Turn::No,
                [ESCAPE, b'[' | b'O', b'B' | b'C'] | b"\x1b[6~" => Turn::On,
                [ESCAPE, b'[' | b'O', b'A' | b'D'] | b"\x1b[5~" => Turn::Up,
                keys if keys.iter().any(|key| LEAVE.contains(key)) => return Err(Refusal::Person),
                _ => continue,
            };
            break turn;
        };
        self.write(b"\n")?;
        Ok(turn)
    }

    /// Says how it ended. Nothing depends on whether that can be seen.
    fn end(self, outcome: &Result<Choice, Refusal>) {
        let words = match outcome {
            Ok(Choice::Once | Choice::Session) => closing(None),
            Ok(Choice::Refuse | Choice::Leave) => closing(Some(&Refusal::Person)),
            Err(refusal) => closing(Some(refusal)),
        };
        if self.has_terminal() {
            let _ = self.write(words.as_bytes());
        }
    }

    /// Whether nobody else has the terminal: all who were to be stopped are still.
    fn has_terminal(&self) -> bool {
        self.stopped.as_ref().is_none_or(Stopped::holds)
    }

    /// Discards what was typed before the question, until nothing is being typed.
    fn settle(&self) -> Result<(), Refusal> {
        loop {
            self.discard()?;
            if !self.wait(&[], QUIET)?.terminal {
                return Ok(());
            }
        }
    }

    fn discard(&self) -> Result<(), Refusal> {
        tcflush(&self.terminal, FlushArg::TCIFLUSH).map_err(|_| Refusal::Vanished)
    }

    /// Whether the window has another size than the question was drawn for.
    fn is_resized(&self) -> bool {
        size(self.terminal.as_fd()).is_some_and(|now| self.size.replace(now) != now)
    }

    /// Lets the person type one line; none where the window changes meanwhile.
    fn answer(&self, ask: &Ask, keys: Keys, has_preview: bool) -> Result<Option<String>, Refusal> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let rescue = || drop(self.modes.set(self.terminal.as_fd()));
        let seconds = (left + Duration::from_millis(500)).as_secs();
        let words = ask.words(keys, has_preview, seconds);
        let mut entry = Entry::start(&words, self.size.get(), rescue).map_err(unusable)?;
        let mut typed = 0;
        let mut is_drawn = false;
        loop {
            let ready = self.wait(&[entry.screen(), entry.answer()], LOOK)?;
            if self.is_resized() {
                return Ok(None);
            }
            if let [drawn, answered] = ready.others.as_slice() {
                if *drawn {
                    if !is_drawn {
                        // What was typed until now is no answer to what will stand there.
                        self.discard()?;
                    }
                    self.write(&entry.drawing())?;
                    if !std::mem::replace(&mut is_drawn, true) {
                        continue;
                    }
                }
                if *answered && entry.read_answer().map_err(unusable)? {
                    return entry.into_line().map(Some).ok_or(Refusal::Person);
                }
            }
            if ready.terminal {
                let keys = self.keys()?;
                typed += keys.len();
                if typed > MOST_TYPED {
                    return Err(Refusal::Person);
                }
                if is_drawn {
                    entry.press(&keys).map_err(unusable)?;
                }
            }
        }
    }

    /// The keys that were pressed, without the sequences of function keys and terminal reports.
    fn keys(&self) -> Result<Vec<u8>, Refusal> {
        let keys = self.read()?;
        match keys.as_slice() {
            [ESCAPE] => Err(Refusal::Person),
            [ESCAPE, ..] => Ok(Vec::new()),
            _ if keys.iter().any(|key| LEAVE.contains(key)) => Err(Refusal::Person),
            _ => Ok(keys),
        }
    }

    /// What was typed, as it came, all of it that is there: the end of a long report of the terminal's is none of
    /// the person's keys.
    fn read(&self) -> Result<Vec<u8>, Refusal> {
        let mut keys = Vec::new();
        let mut buffer = [0; 256];
        while keys.len() <= MOST_TYPED {
            match (&self.terminal).read(&mut buffer) {
                Ok(0) => return Err(Refusal::Vanished),
                Ok(read) => keys.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(keys),
                Err(_) => return Err(Refusal::Vanished),
            }
        }
        Err(Refusal::Person)
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
        self.poll(&[(self.terminal.as_fd(), PollFlags::POLLOUT)], MOST_WAIT)
            .map(drop)
    }

    /// Waits until the terminal or one of `others` can be read, for at most `longest`.
    fn wait(&self, others: &[BorrowedFd<'_>], longest: Duration) -> Result<Ready, Refusal> {
        let all = std::iter::once(self.terminal.as_fd()).chain(others.iter().copied());
        let all: Vec<_> = all.map(|one| (one, PollFlags::POLLIN)).collect();
        let mut ready = self.poll(&all, longest)?.into_iter();
        Ok(Ready {
            terminal: ready.next().unwrap_or(false),
            others: ready.collect(),
        })
    }

    /// Waits until one of these is ready, for no longer than there is time.
    fn poll(
        &self,
        these: &[(BorrowedFd<'_>, PollFlags)],
        longest: Duration,
    ) -> Result<Vec<bool>, Refusal> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::Timeout {
                seconds: self.seconds,
            });
        }
        let forsaken = self.stopped.iter().map(Stopped::forsaken);
        let keeper = forsaken.map(|keeper| (keeper, PollFlags::POLLIN));
        let all: Vec<_> = these.iter().copied().chain(keeper).collect();
        let mut ready = self.held.wait(&all, left.min(longest))?;
        let is_forsaken = ready.split_off(these.len()).contains(&true);
        if is_forsaken {
            // If this process were killed, too, they would stay stopped.
            return Err(Refusal::Interrupted);
        }
        Ok(ready)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // Who was woken may have set modes of their own by now, and reads what is typed.
        let quiet = self.modes.conversation();
        if !self.has_terminal() && Modes::of(self.terminal.as_fd()).is_ok_and(|now| now != quiet) {
            return;
        }
        // What was typed for the question is for nobody else. All of this can only fail where the
        // terminal is gone.
        let _ = self.discard();
        if self.stopped.is_some() {
            let _ = (&self.terminal).write(AFTER.as_bytes());
        }
        let _ = self.modes.set(self.terminal.as_fd());
    }
}

/// Waits until no other kibosh asks on the same terminal: two would take each other's answers. The
/// turn ends where what is returned is dropped. `device` is the terminal by a name that no other one has.
pub(super) fn turn(
    (terminal, device): (&File, Option<PathBuf>),
    held: &Held,
    seconds: u8,
    deadline: Instant,
) -> Result<Option<File>, Refusal> {
    let device = match device {
        Some(path) => OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
            .open(path),
        None => terminal.try_clone(),
    };
    let device = device.or_else(|_| terminal.try_clone()).map_err(unusable)?;
    loop {
        match device.try_lock() {
            Ok(()) => return Ok(Some(device)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        held.check()?;
        if deadline.saturating_duration_since(Instant::now()) < LEAST_TIME {
            return Err(Refusal::Timeout { seconds });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Takes what a preview has written by now; whether more can come. More than is shown is not read.
fn take(kept: &Kept, output: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    while output.len() <= MOST_OUTPUT {
        match (&kept.stream).read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => output.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

/// What a person does at the end of a page.
enum Turn {
    /// To the next, and behind the last to the question.
    On,
    /// To the one before.
    Up,
    /// To the question.
    Done,
    /// No.
    No,
}

/// How often the size of the window is looked at: its signal goes to who is in front, which this process need not be.
const LOOK: Duration = Duration::from_millis(200);

/// How often the time that is left is shown anew.
const SECOND: Duration = Duration::from_secs(1);

/// No single wait is longer; the deadline is looked at after each.
const MOST_WAIT: Duration = Duration::from_secs(MOST_SECONDS as u64);

const ESCAPE: u8 = 0x1b;
/// Ctrl-C, Ctrl-D, Ctrl-Z and Ctrl-\: the person wants to leave.
const LEAVE: [u8; 4] = [0x03, 0x04, 0x1a, 0x1c];

/// What can be read without waiting.
struct Ready {
    terminal: bool,
    others: Vec<bool>,
}
