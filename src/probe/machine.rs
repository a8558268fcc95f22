//! The machine as it is now, looked at for one process in a child of this program that cannot take long.
//!
//! Takes an action, decides whether anything can be told of it at all, and has the rest done in the child.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2, setpgid};

use super::ask::{self, Ask};
use super::files::{self, Limits, Waiting};
use super::kept::{ByPolicy, Kept};
use super::state;
use super::toll::Places;
use super::{Content, Found, Probe, git, postgres, script, sqlite, terraform};
use crate::action::{Action, HOLE, OnDisk, Opacity, Shown};
use crate::invocation::View;
use crate::policy::matcher::Facts;
use crate::policy::schema::Loses;
use crate::sys::birth::Moment;
use crate::sys::process::keep_only;
use crate::sys::signals::Disposition;
use crate::sys::terminal::in_child;
use crate::sys::way::is_of_a_process;

/// How long a look may take.
const COUNTING: Duration = Duration::from_millis(150);
/// When it is given up: later, because a busy machine gives a process little of that time. An idle one is done
/// in a few milliseconds.
const MOST: Duration = Duration::from_millis(750);
/// How long the end of a child is waited for that was killed.
const ENDING: Duration = Duration::from_millis(5);

/// The machine as a process sees it.
#[derive(Debug)]
pub struct Machine<'a> {
    view: &'a View,
}

impl<'a> Machine<'a> {
    /// As this process sees it.
    #[must_use]
    pub const fn of(view: &'a View) -> Self {
        Self { view }
    }

    /// Whether the program would take what is there for what it seems: no variable tells it otherwise.
    fn is_plain(&self, at: Loses, action: &Action) -> bool {
        let variables = match at {
            Loses::Targets
            | Loses::Trees
            | Loses::Overwritten
            | Loses::Redirected
            | Loses::Moved => return true,
            Loses::Rows if postgres::is_client(action) => {
                return postgres::is_plain(self.view, action);
            }
            Loses::Rows => return sqlite::is_plain(self.view, action),
            Loses::Plan | Loses::State => &terraform::VARIABLES,
            Loses::Changes
            | Loses::Untracked
            | Loses::Stash
            | Loses::Commits
            | Loses::Pushed
            | Loses::Worktree => &git::VARIABLES,
        };
        let mut given = self.view.entries().map(|entry| {
            let mut parts = entry.splitn(2, |&byte| byte == b'=');
            parts.next().unwrap_or_default()
        });
        given.all(|name| variables.is_harmless(name))
            && action
                .environment
                .keys()
                .all(|name| variables.is_harmless(name.as_bytes()))
    }
}

/// The variables that a program takes for its own.
#[derive(Debug)]
pub(super) struct Variables {
    /// How the names of all of them begin.
    pub of: &'static str,
    /// Those that change nothing of what is lost.
    pub harmless: &'static [&'static str],
    /// How the names of further ones begin that change nothing of that.
    pub harmless_beginnings: &'static [&'static str],
}

impl Variables {
    /// Whether a variable changes nothing of what is lost.
    fn is_harmless(&self, name: &[u8]) -> bool {
        let mut beginnings = self.harmless_beginnings.iter();
        !name.starts_with(self.of.as_bytes())
            || self.harmless.iter().any(|known| known.as_bytes() == name)
            || beginnings.any(|known| name.starts_with(known.as_bytes()))
    }
}

/// Whether all of an action is known, and it happens here.
fn is_clear(action: &Action) -> bool {
    action.opacity == Opacity::Known
        && (action.shown == Shown::Start || action.on_disk == OnDisk::Stands)
        && !action.elsewhere
        && action.path.is_known()
        && !action.path.glob
        && action.arguments.iter().all(|word| word.is_known())
        && action
            .cwd
            .as_deref()
            .is_some_and(|cwd| cwd.starts_with('/') && !cwd.contains(HOLE))
}

impl Probe for Machine<'_> {
    fn look(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Found {
        let action = facts.action;
        if !is_clear(action) || !self.is_plain(at, action) || !self.view.shares_files() {
            return Found::Unknown;
        }
        let Some(ask) = ask::of(at, facts, skip, self.view) else {
            return Found::Unknown;
        };
        let cwd = action.cwd.as_deref().unwrap_or_default();
        let found = apart(|| {
            let own = || script::own_since(self.view);
            let found = answer(&ask, cwd, &ByPolicy::of(facts), &own);
            serde_json::to_vec(&found).unwrap_or_default()
        });
        let found = found.and_then(|words| serde_json::from_slice(&words).ok());
        found.unwrap_or_default()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = self.view.variable(name)?;
        Some(value.to_string_lossy().into_owned())
    }

    fn places(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Option<Places> {
        let root = self.view.root()?;
        Some(Places::of(at, facts, skip, root))
    }

    fn is_folder(&self, path: &Path) -> bool {
        if !self.view.shares_files() || is_of_a_process(path) {
            return false;
        }
        if files::is_at_hand(path) {
            return files::is_folder(path);
        }
        let found = apart(|| vec![u8::from(files::is_folder(path))]);
        found.is_some_and(|found| found == [1])
    }

    fn content(&self, path: &Path) -> Content {
        if !self.view.shares_files() {
            return Content::None;
        }
        if files::is_at_hand(path)
            && let Some(content) = content(path, Waiting::Never)
        {
            return content;
        }
        let read = apart(|| match content(path, Waiting::Meanwhile) {
            Some(Content::Bytes(mut bytes)) => {
                bytes.push(WHOLE);
                bytes
            }
            Some(Content::None) => vec![ABSENT],
            Some(Content::Late) | None => Vec::new(),
        });
        let mut bytes = read.unwrap_or_default();
        match bytes.pop() {
            Some(WHOLE) => Content::Bytes(bytes),
            Some(ABSENT) if bytes.is_empty() => Content::None,
            _ => Content::Late,
        }
    }
}

/// What stands behind the content of a file that a child has read, and in place of that of one that has none.
const WHOLE: u8 = b'.';
const ABSENT: u8 = b'-';

/// What is in a file; none where one would have to wait for it.
fn content(path: &Path, waiting: Waiting) -> Option<Content> {
    const MOST: u64 = 1 << 20;
    // Whoever opens a pipe takes part in it.
    if !files::is_file(path) {
        return Some(Content::None);
    }
    match files::read(path, MOST, waiting) {
        Ok(Some(bytes)) => Some(Content::Bytes(bytes)),
        Err(Errno::EAGAIN) => None,
        Ok(None) | Err(_) => Some(Content::None),
    }
}

fn answer(ask: &Ask, cwd: &str, kept: &dyn Kept, own: &dyn Fn() -> Option<Moment>) -> Found {
    let mut limits = Limits::until(Instant::now() + COUNTING);
    // What leads each process elsewhere does not lead this one where it leads the command.
    let mut places = ask.places().into_iter().chain([Path::new(cwd)]);
    if !files::is_folder(Path::new(cwd)) || places.any(is_of_a_process) {
        return Found::Unknown;
    }
    match state::look(ask, kept, own, &mut limits) {
        None => Found::Unknown,
        Some(loss) if loss.is_none() => Found::Nothing,
        Some(loss) => Found::Lost(Box::new(loss)),
    }
}

/// Has something found out in a child, which is killed with all it has started where it takes too long: then there is
/// none. A child that fails gives nothing, or not all.
fn apart(work: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
    let (answer, sender) = pipe2(OFlag::O_CLOEXEC).ok()?;
    let child = in_child(|| {
        // It must not outlive who waits for it, nor hold what that one holds.
        // Where the caller ignores the end of children, there is no status of one.
        let alone = Disposition::default_of(libc::SIGCHLD).is_ok()
            && setpgid(Pid::from_raw(0), Pid::from_raw(0)).is_ok()
            && set_pdeathsig(Signal::SIGKILL).is_ok()
            && keep_only(&[sender.as_fd()]).is_ok();
        if !alone {
            return 1;
        }
        i32::from(File::from(sender).write_all(&work()).is_err())
    });
    let child = child.ok()?;
    let found = received(answer, Instant::now() + MOST);
    end(child);
    found
}

/// What comes until a time; none where not all of it does.
fn received(answer: OwnedFd, until: Instant) -> Option<Vec<u8>> {
    let mut words = Vec::new();
    let mut answer = File::from(answer);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let wait = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::ZERO);
        let mut asked = [PollFd::new(answer.as_fd(), PollFlags::POLLIN)];
        match poll(&mut asked, wait) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(_) => return None,
        }
        let mut part = [0; 4096];
        match answer.read(&mut part) {
            Ok(0) => return Some(words),
            Ok(length) => words.extend_from_slice(part.get(..length)?),
            Err(_) => return None,
        }
    }
}

/// Ends a child and what it has started. One that the kernel does not let die is left behind.
fn end(child: Pid) {
    let _ = kill(Pid::from_raw(-child.as_raw()), Signal::SIGKILL);
    let until = Instant::now() + ENDING;
    while let Ok(WaitStatus::StillAlive) = waitpid(child, Some(WaitPidFlag::WNOHANG)) {
        if Instant::now() >= until {
            return;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}
