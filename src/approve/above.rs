//! Asking on the terminal of an ancestor, where this process has none that counts: most agents start commands
//! without a terminal, while the person sits in front of the agent.
//!
//! Only a registered terminal is asked on, whose leader is an ancestor, and only while what is in front there is an
//! ancestor, too. What reads that terminal is stopped meanwhile, or it would take the keys: from the leader down each
//! ancestor that is not in the group in front, so that no shell sees its job stop, then that group. Afterwards they go
//! on from below upwards: a stop that is over by then is none for a shell.
//!
//! Nobody stays stopped: a keeper lets them go on where this process is gone, or takes longer than it may.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::getsid;

use super::keeper::Keeper;
use super::terminal::{self, Choice};
use super::{Absence, Counts, Previewer, Refusal, Request};
use crate::broker::registering::{self, Registered};
use crate::broker::{Root, standing as kernel};
use crate::decide::Decision;
use crate::sys::process::{Side, fork_beside, keep_only, leave};
use crate::sys::signals::send;
use crate::sys::stat::{Process, Stat, all, device};
use crate::sys::terminal::{Modes, Window, set_window, window};

/// How many ancestors are looked at.
const MOST_ANCESTORS: usize = 256;
/// How long all of them may take to stop.
const STOP: Duration = Duration::from_secs(2);
/// How long is waited before it is looked again whether one has.
const SHORT: Duration = Duration::from_millis(1);
/// How long after the end of the question they go on by themselves.
const LATER: Duration = Duration::from_secs(2);
/// How long a program may take to look at its window.
const LOOK: Duration = Duration::from_millis(250);

/// Asks there; gives what the person typed, and the name of the terminal.
///
/// # Errors
///
/// Why it is a no. `absence` is why nobody can be asked at hand, which is the answer where nobody can be asked
/// there either.
pub fn ask(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
    absence: Absence,
) -> Result<(Choice, String), Refusal> {
    let is_usual = matches!(request.counts, Counts::By(_))
        && matches!(
            absence,
            Absence::NoTerminal | Absence::NotAPersons | Absence::Unregistered | Absence::Untold(_)
        );
    let elsewhere = request.elsewhere.as_ref().filter(|one| one.has_broker);
    let found = elsewhere
        .filter(|_| is_usual)
        .and_then(|elsewhere| Above::find(elsewhere.session));
    let Some(above) = found else {
        return Err(Refusal::NoTerminal(absence));
    };
    let Some(terminal) = above.open() else {
        return Err(Refusal::NoTerminal(absence));
    };
    let name = kernel::device(above.leader.terminal);
    let name = name.map_or_else(String::new, |path| path.display().to_string());
    match terminal::ask_on(decision, request, previewer, terminal, above) {
        // They would not stop, or are not as they were found.
        Err(Refusal::NoTerminal(_)) => Err(Refusal::NoTerminal(absence)),
        Err(refusal) => Err(refusal),
        Ok(choice) => Ok((choice, name)),
    }
}

/// A terminal above, and who must be stopped for a question on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    leader: Registered,
    /// Whether another terminal was made below.
    has_inner: bool,
    /// Who stands between, from the leader down, without the group in front.
    between: Vec<Process>,
    /// The group in front.
    front: i32,
}

impl Above {
    /// The one above this process, or above the one that the session is.
    fn find(session: Option<Root>) -> Option<Self> {
        let known = registering::known().ok()?;
        // Who watches has come to answer there.
        if known.terminals.is_empty() || known.is_watched {
            return None;
        }
        let own = Root::of(std::process::id().cast_signed());
        // The parents of who asks for a supervisor are none of the command's.
        [own, session.filter(Root::is_there)]
            .into_iter()
            .flatten()
            .find_map(|from| Self::of(from.id, &known.terminals))
    }

    fn of(from: i32, known: &[Registered]) -> Option<Self> {
        let mut chain: Vec<(Process, Stat)> = Vec::new();
        let mut next = from;
        let leader = loop {
            let stat = Stat::of(next)?;
            let began = stat.began?;
            let process = Process { id: next, began };
            chain.push((process, stat));
            if let Some(leader) = known.iter().find(|one| one.leader == process) {
                break *leader;
            }
            if chain.len() == MOST_ANCESTORS || stat.parent <= 0 {
                return None;
            }
            next = stat.parent;
        };
        let (_, top) = chain.last()?;
        let front = top.front;
        let is_on_it =
            |stat: &Stat| stat.session == leader.leader.id && stat.terminal == leader.terminal;
        let is_in_front = |stat: &Stat| is_on_it(stat) && stat.group == front;
        let own = getsid(None).ok()?.as_raw();
        // Who asks must be none of those on it, or it would stop itself, or read from behind.
        if front <= 0 || own == leader.leader.id || !leader.holds() {
            return None;
        }
        if leader.leader.id == 1 || !kernel::is_outermost(leader.leader.id) {
            return None;
        }
        if !chain.iter().any(|(_, stat)| is_in_front(stat)) {
            return None;
        }
        let between = chain
            .iter()
            .rev()
            .take_while(|(_, stat)| !is_in_front(stat))
            .map(|(process, _)| *process)
            .collect();
        let is_inner = |stat: &Stat| ![0, leader.terminal].contains(&stat.terminal);
        Some(Self {
            has_inner: chain.iter().any(|(_, stat)| is_inner(stat)),
            leader,
            between,
            front,
        })
    }

    /// Opens the terminal, as its leader has it open.
    fn open(&self) -> Option<File> {
        let folder = format!("/proc/{}/fd", self.leader.leader.id);
        let files = fs::read_dir(folder).ok()?;
        let terminal = files.flatten().find_map(|file| {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
                .open(is_terminal(&file.path(), self.leader.terminal)?)
                .ok()?;
            is_of(&file.metadata().ok()?, self.leader.terminal).then_some(file)
        })?;
        // Where a program has made a terminal and takes no keys on this one, it may be a window of its own, in front of
        // which the person sits.
        if self.has_inner && Modes::of(terminal.as_fd()).ok()?.gives_lines() {
            return None;
        }
        self.leader.holds().then_some(terminal)
    }

    /// Stops who must be, with a keeper that lets them go on, at the latest a while after `end`.
    ///
    /// # Errors
    ///
    /// That they would not stop, or are not as they were found; then they go on.
    pub fn stop(self, terminal: &File, modes: &Modes, end: Instant) -> Result<Stopped, Refusal> {
        let unusable = || Refusal::NoTerminal(Absence::NoTerminal);
        let clone = terminal.try_clone().map_err(|_| unusable())?;
        // Whom somebody else has stopped is not to go on by this.
        if self.any_is_stopped() {
            return Err(unusable());
        }
        let quiet = modes.conversation();
        let longest = end.saturating_duration_since(Instant::now()) + LATER;
        let keeper = Keeper::start(&[terminal.as_fd()], Some(longest), || {
            if Modes::of(terminal.as_fd()).is_ok_and(|modes| modes == quiet) {
                let _ = { terminal }.write(AFTER.as_bytes());
                let _ = modes.set(terminal.as_fd());
            }
            self.go_on();
            self.redraw(terminal);
        })
        .map_err(|_| unusable())?;
        // From here on dropping it lets them go on.
        let stopped = Stopped {
            above: self,
            terminal: clone,
            keeper,
        };
        let until = Instant::now() + STOP;
        for process in &stopped.above.between {
            if !process.is_there() || send(process.id, libc::SIGSTOP).is_err() {
                return Err(unusable());
            }
            while !is_stopped(process.id) {
                wait(until)?;
            }
        }
        // The shell may have put another job in front before it stopped.
        if !stopped.above.is_as_found() || send(-stopped.above.front, libc::SIGSTOP).is_err() {
            return Err(unusable());
        }
        while !stopped.holds() {
            wait(until)?;
        }
        if Modes::of(terminal.as_fd()).is_ok_and(|now| now == *modes) {
            Ok(stopped)
        } else {
            Err(unusable())
        }
    }

    fn is_as_found(&self) -> bool {
        let front = Stat::of(self.leader.leader.id).map(|stat| stat.front);
        self.leader.holds() && front == Some(self.front)
    }

    /// Has a full-screen program draw itself anew. Many look only whether the window has changed, so it does, for a moment.
    fn redraw(&self, terminal: &File) {
        let before = window(terminal.as_fd()).ok().filter(|one| one.rows > 1);
        let Some(before) = before else {
            let _ = send(-self.front, libc::SIGWINCH);
            return;
        };
        let less = Window {
            rows: before.rows - 1,
            ..before
        };
        if set_window(terminal.as_fd(), less).is_ok() {
            std::thread::sleep(LOOK);
            // It may have been changed for good meanwhile.
            if window(terminal.as_fd()).is_ok_and(|now| now == less) {
                let _ = set_window(terminal.as_fd(), before);
            }
        }
    }

    fn any_is_stopped(&self) -> bool {
        let mut group = members(self.front);
        self.between.iter().any(|one| is_stopped(one.id)) || group.any(|stat| stat.state == b'T')
    }

    /// Lets them go on, from below upwards.
    fn go_on(&self) {
        let _ = send(-self.front, libc::SIGCONT);
        for process in self.between.iter().rev() {
            if process.is_there() {
                let _ = send(process.id, libc::SIGCONT);
            }
        }
    }
}

fn wait(until: Instant) -> Result<(), Refusal> {
    if Instant::now() >= until {
        return Err(Refusal::NoTerminal(Absence::NoTerminal));
    }
    std::thread::sleep(SHORT);
    Ok(())
}

/// Those who are stopped for a question. Dropping it lets them go on.
pub struct Stopped {
    above: Above,
    terminal: File,
    keeper: Keeper,
}

impl Stopped {
    /// Readable where nobody would let them go on any more but this process.
    pub fn forsaken(&self) -> BorrowedFd<'_> {
        self.keeper.end()
    }

    /// Whether they are all stopped, and the terminal is as it was found.
    pub fn holds(&self) -> bool {
        let mut members = members(self.above.front).peekable();
        self.above.is_as_found()
            && self.above.between.iter().all(|one| is_stopped(one.id))
            && members.peek().is_some()
            && members.all(|stat| matches!(stat.state, b'T' | b'Z' | b'X'))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.above.go_on();
        // The answer waits for nobody who draws.
        if let Ok(Side::Beside) = fork_beside() {
            if keep_only(&[self.terminal.as_fd()]).is_ok() {
                self.above.redraw(&self.terminal);
            }
            leave(0);
        }
    }
}

/// What makes room for a question on a terminal that another program has drawn on: whatever was begun ends (a sequence, a
/// printer's turn), there is no attribute, character set, margin or mode that would hide or move what is written, keys
/// come plainly, and all that was drawn is pushed out of the window, so that nothing of it stands beside the question.
pub fn room(rows: usize) -> String {
    format!(
        "\x18\x1b\\\x1b[4i\x1b[?5;6;7;69s\x1b[>0u\
         \x1b[0m\x1b(B\x1b)B\x0f\x1b[4l\x1b[?5;6;69l\x1b[?7h\x1b[r\x1b[999;1H{}\x1b[H\x1b[J",
        "\n".repeat(rows)
    )
}

/// What gives back the modes that were noted by [`room`].
pub const AFTER: &str = "\x1b[0m\x1b[<1u\x1b[?5;6;7;69r";

/// The processes of a group.
fn members(group: i32) -> impl Iterator<Item = Stat> {
    all()
        .filter_map(Stat::of)
        .filter(move |stat| stat.group == group)
}

fn is_stopped(id: i32) -> bool {
    Stat::of(id).is_some_and(|stat| stat.state == b'T')
}

/// A path, if it leads to this terminal.
fn is_terminal(path: &std::path::Path, number: i32) -> Option<&std::path::Path> {
    is_of(&fs::metadata(path).ok()?, number).then_some(path)
}

/// Whether this is a file of the terminal of a number, as proc_pid_stat(5) has it.
fn is_of(found: &fs::Metadata, number: i32) -> bool {
    let found_at = (libc::major(found.rdev()), libc::minor(found.rdev()));
    found.file_type().is_char_device() && found_at == device(number)
}
