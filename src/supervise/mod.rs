//! The supervisor of a guarded tree: every exec in it is judged before it starts, and looked at once more
//! before its first instruction (docs/decisions/0008-exec-gate.md).
//!
//! Takes the listener of the filter and a [`Judge`]; lets an exec go only for a [`Cleared`]. It is one
//! loop in one thread and waits for nothing but events: no exec, no person and no guarded process can
//! hold it up. It words no message and holds no rule.

pub mod companion;
pub mod content;
pub mod filter;
mod leave;
pub mod request;
pub mod standing;
pub mod target;
mod tell;
pub mod vectors;
pub mod verify;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::approve::Cleared;
use crate::exit;
use crate::sys::filter::{Listener, Notification, Reply};
use crate::sys::patience::Patience;
use crate::sys::process::{Kept, keep_here};
use crate::sys::signals::tell_of_stops;
use crate::sys::trace::{self, Event, Status};

use companion::Companion;
use request::{Fault, Request};
use target::Known;
use tell::Told;
use verify::Expected;

/// What a refused caller gets: "Operation canceled", which no agent takes for its own confinement.
pub const REFUSED: i32 = libc::ECANCELED;

/// How often a caller is looked at that waits for a person's answer.
const LOOK: Duration = Duration::from_millis(500);

/// An exec that takes longer than this waits for others on its processor.
const CROWDED: Duration = Duration::from_millis(1);

/// For how long tasks are then left where the kernel puts them.
const SPREAD: Duration = Duration::from_millis(300);

/// What is answered about an exec.
pub enum Answer {
    /// It may go.
    Go(Cleared),
    /// It may not; what the caller is told.
    No(String),
    /// A person is being asked.
    Wait(Box<dyn Review>),
}

/// A question to a person that has not been answered yet. Dropping it withdraws it.
pub trait Review {
    /// Readable when the answer is there.
    fn answered(&self) -> BorrowedFd<'_>;
    /// The answer: leave to go, or what the caller is told.
    ///
    /// # Errors
    ///
    /// The words of the refusal.
    fn answer(self: Box<Self>) -> Result<Cleared, String>;
}

/// Who judges.
pub trait Judge {
    /// Whether an exec that is about to happen is one that was allowed before and may go again. Its files are those
    /// that this process finds; where it starts others, they are judged when they stand.
    fn again(&mut self, request: &Request) -> Option<Cleared>;
    /// Judges an exec that is about to happen.
    fn judge(&mut self, request: &Request) -> Answer;
    /// Judges a program that stands before its first instruction and is not what was judged. Nobody can
    /// be asked any more.
    ///
    /// # Errors
    ///
    /// What the caller is told; the program is ended.
    fn judge_started(&mut self, request: &Request) -> Result<Cleared, String>;
    /// The answer to a question that it asked has come: yes, or what is told of the refusal.
    fn answered(&mut self, request: &Request, answer: Result<(), &str>);
    /// What a caller is told whose exec could not be looked at.
    fn cannot(&mut self, trouble: &Trouble) -> String;
    /// Whether a refused exec is that of a shell for one command, whose status its caller waits for.
    fn is_command(&self, request: &Request) -> bool;
    /// Whether all that an agent starts is judged here, and not only what comes of one shell.
    fn is_above(&self) -> bool;
}

/// Why an exec is refused without having been judged.
#[derive(Debug)]
pub enum Trouble {
    /// It cannot be examined.
    Hidden(std::io::Error),
    /// Another process traces it.
    Traced,
    /// Its files are not as they were when a person was asked.
    Changed,
}

/// An exec that was let go, until the program stands before its first instruction.
enum Going {
    /// It runs where it is this.
    Runs(Option<Expected>),
    /// It does not; its caller gets these words and a status.
    Leaves(String),
    /// It has been told, and leaves as soon as it can.
    Leaving,
    /// It has been ended.
    Ended,
}

/// An exec that a person is asked about.
struct Asked {
    id: u64,
    request: Request,
    review: Box<dyn Review>,
}

/// The state of the loop.
struct Supervisor<'a> {
    listener: &'a Listener,
    judge: &'a mut dyn Judge,
    known: Known,
    going: HashMap<i32, Going>,
    asked: Vec<Asked>,
    told: Told,
    /// Whether there were ever children that ask.
    has_children: bool,
    /// A task that was let go, until it stands.
    kept: Option<Kept>,
    /// Whether the last task that was kept on its processor took long.
    was_slow: bool,
    /// When tasks that were kept on their processor were last seen to wait for others there.
    crowded: Option<Instant>,
    /// None where the system has no timers; then each wait is for any event.
    patience: Option<Patience>,
    /// Statuses that came while an exec was waited for, and are not of one.
    left: Vec<Status>,
    /// Whether a signal tells of tasks that stop.
    hears_stops: bool,
}

/// Serves until nobody is guarded any more and the companion is done.
///
/// Every signal of this process must be blocked. What goes wrong here ends the process, and with it every
/// later exec of the tree fails (seccomp_unotify(2)).
pub fn serve(listener: &Listener, judge: &mut dyn Judge, companion: &mut dyn Companion) {
    let Ok(children) = children() else { return };
    let mut supervisor = Supervisor {
        listener,
        judge,
        known: Known::default(),
        going: HashMap::new(),
        asked: Vec::new(),
        told: Told::default(),
        has_children: false,
        kept: None,
        was_slow: false,
        crowded: None,
        patience: Patience::new().ok(),
        left: Vec::new(),
        hears_stops: true,
    };
    let mut is_deserted = false;
    while !(is_deserted && companion.is_done() && supervisor.going.is_empty()) {
        let ready = match wait(&supervisor, &children, companion, is_deserted) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => continue,
            Err(_) => return,
        };
        if ready.children {
            // More than one that is pending is told as one (signal(7)).
            let _ = children.read_signal();
        }
        for (place, events) in ready.companion.into_iter().enumerate() {
            companion.ready(place, events);
        }
        // A companion may take the signal that tells of children, so they are looked at after its turn.
        loop {
            companion.turn();
            let looks = ready.children || companion.has_children() || !supervisor.left.is_empty();
            if !(looks && supervisor.children(companion)) {
                break;
            }
        }
        supervisor.answers(&ready.asked);
        if ready.exec
            && let Ok(notification) = listener.next()
        {
            supervisor.notified(&notification);
        }
        is_deserted |= ready.deserted;
        supervisor.hears(!supervisor.going.is_empty() || companion.has_children());
    }
}

/// Told of children and traced tasks that change.
fn children() -> nix::Result<SignalFd> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// What has happened.
struct Ready {
    exec: bool,
    deserted: bool,
    children: bool,
    asked: Vec<bool>,
    companion: Vec<PollFlags>,
}

fn wait(
    supervisor: &Supervisor<'_>,
    children: &SignalFd,
    companion: &dyn Companion,
    is_deserted: bool,
) -> nix::Result<Ready> {
    let mut places = vec![PollFd::new(children.as_fd(), PollFlags::POLLIN)];
    if !is_deserted {
        places.push(PollFd::new(
            supervisor.listener.descriptor(),
            PollFlags::POLLIN,
        ));
    }
    let fixed = places.len();
    for asked in &supervisor.asked {
        places.push(PollFd::new(asked.review.answered(), PollFlags::POLLIN));
    }
    let before_companion = places.len();
    places.extend(companion.descriptors());
    let look = if supervisor.left.is_empty() {
        (!supervisor.asked.is_empty()).then(|| Instant::now() + LOOK)
    } else {
        Some(Instant::now())
    };
    poll(&mut places, timeout(earlier(look, companion.deadline())))?;
    let events: Vec<PollFlags> = places
        .iter()
        .map(|place| place.revents().unwrap_or(PollFlags::empty()))
        .collect();
    let happened = |place: usize| events.get(place).is_some_and(|events| !events.is_empty());
    let listener = if is_deserted {
        PollFlags::empty()
    } else {
        events.get(1).copied().unwrap_or(PollFlags::empty())
    };
    Ok(Ready {
        exec: listener.contains(PollFlags::POLLIN),
        deserted: !listener.contains(PollFlags::POLLIN)
            && listener.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL),
        children: happened(0),
        asked: (fixed..before_companion).map(happened).collect(),
        companion: events.get(before_companion..).unwrap_or_default().to_vec(),
    })
}

/// The earlier of two times.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How long poll(2) may wait until a time, rounded up, or the last millisecond would be a busy loop.
#[must_use]
pub fn timeout(until: Option<Instant>) -> PollTimeout {
    until.map_or(PollTimeout::NONE, |until| {
        let left = until.saturating_duration_since(Instant::now());
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    })
}

impl Supervisor<'_> {
    /// Takes the statuses of all children and tasks; whether there was one.
    fn children(&mut self, companion: &mut dyn Companion) -> bool {
        let mut any = false;
        let others = self.has_children || companion.has_children();
        if self.left.is_empty() && self.going.is_empty() && !others {
            return false;
        }
        for status in std::mem::take(&mut self.left) {
            any = true;
            companion.status(status);
        }
        while let Some(status) = trace::next_status() {
            any = true;
            if !self.status(status) {
                companion.status(status);
            }
            if self.going.is_empty() && !others {
                break;
            }
        }
        any
    }

    /// A call that the filter sent here.
    fn notified(&mut self, notification: &Notification) {
        let id = notification.id;
        if filter::is_execveat(notification.data.arch, notification.data.nr).is_none() {
            // The only other call that is sent here.
            let who = if self.judge.is_above() {
                filter::ABOVE
            } else {
                filter::HERE
            };
            let _ = self.listener.reply(id, Reply::Value(who));
            return;
        }
        let task = notification.pid.cast_signed();
        let request = Request::of(notification, &mut self.known).and_then(|request| {
            match self.judge.again(&request) {
                Some(cleared) => Ok((request, Some(cleared))),
                None => Ok((request.look(&mut self.known)?, None)),
            }
        });
        let (request, cleared) = match request {
            Ok(request) => request,
            Err(Fault::NotThere(error)) => {
                let _ = self.listener.reply(id, Reply::Fail(error));
                return;
            }
            Err(Fault::Hidden(error)) => {
                self.trouble(id, task, &Trouble::Hidden(error));
                return;
            }
        };
        match cleared.map_or_else(|| self.judge.judge(&request), Answer::Go) {
            Answer::Go(cleared) => self.go(id, request, cleared),
            Answer::No(words) => self.refuse(id, &request, &words),
            Answer::Wait(review) => {
                self.has_children = true;
                self.asked.push(Asked {
                    id,
                    request,
                    review,
                });
            }
        }
    }

    /// Lets an exec go, to be looked at when the program stands.
    fn go(&mut self, id: u64, request: Request, _cleared: Cleared) {
        let task = request.task;
        if let Err(error) = trace::seize(task) {
            if error.raw_os_error() != Some(libc::ESRCH) {
                self.trouble(id, task, &Trouble::Traced);
            }
            return;
        }
        self.let_go(id, task, Going::Runs(request.into_expected()));
    }

    /// Lets an exec of an attached task go on in the kernel.
    fn let_go(&mut self, id: u64, task: i32, going: Going) {
        self.going.insert(task, going);
        // The kernel would move it at its exec to a processor that sleeps, because this thread still runs here.
        let is_crowded = self.crowded.is_some_and(|since| since.elapsed() < SPREAD);
        if self.kept.is_none() && !is_crowded {
            self.kept = keep_here(task);
        }
        // A failing exec must stop, too, before its caller goes on; where the task is gone, its end is told. It wakes the
        // task once, which is then kept already.
        let _ = trace::interrupt(task);
        let _ = self.listener.reply(id, Reply::Continue);
        self.wait_a_moment();
        if !self.going.is_empty() {
            self.hears(true);
        }
    }

    /// Has a signal tell of tasks that stop, or not: most are waited for, and the signal would only cost.
    fn hears(&mut self, stops: bool) {
        if self.hears_stops == stops || tell_of_stops(stops).is_err() {
            return;
        }
        self.hears_stops = stops;
        // One may have stopped before its signal was wanted.
        while stops && let Some(status) = trace::next_status() {
            if !self.status(status) {
                self.left.push(status);
            }
        }
    }

    /// Waits until the one exec that was let go stands, where it is the only one. One that takes its time,
    /// from a file that another guarded process has to deliver, say, holds nobody up for longer.
    fn wait_a_moment(&mut self) {
        const MOMENT: Duration = Duration::from_millis(20);
        let is_kept = self.kept.is_some();
        let begin = Instant::now();
        let end = begin + MOMENT;
        while self.going.len() == 1
            && let Some(patience) = &self.patience
            && let left = end.saturating_duration_since(Instant::now())
            && !left.is_zero()
            && let Some(status) = patience.next_status(left)
        {
            if !self.status(status) {
                self.left.push(status);
            }
        }
        if is_kept && begin.elapsed() > CROWDED {
            // One may have waited for something else, such as a disk.
            if self.was_slow {
                self.crowded = Some(begin);
            }
            self.was_slow = true;
        } else if is_kept {
            self.was_slow = false;
        }
    }

    fn refuse(&mut self, id: u64, request: &Request, words: &str) {
        // The caller of a shell gets what it wrote, and its status.
        if self.judge.is_command(request) && self.listener.waits(id) {
            let task = request.task;
            if trace::seize(task).is_ok() {
                self.let_go(id, task, Going::Leaves(words.to_owned()));
                return;
            }
        }
        // What was read is of the task that waits only while it still does.
        if self.listener.waits(id) {
            let arguments = request.argv.iter().skip(1).collect::<Vec<_>>().concat();
            self.told.tell(request.task, &arguments, words);
        }
        let _ = self.listener.reply(id, Reply::Fail(REFUSED));
    }

    fn trouble(&mut self, id: u64, task: i32, trouble: &Trouble) {
        let words = self.judge.cannot(trouble);
        if self.listener.waits(id) {
            self.told.tell(task, words.as_bytes(), &words);
        }
        let _ = self.listener.reply(id, Reply::Fail(REFUSED));
    }

    /// Takes answers that have come; withdraws questions whose caller is gone.
    fn answers(&mut self, answered: &[bool]) {
        if self.asked.is_empty() {
            return;
        }
        let mut answered = answered.iter().copied().chain(std::iter::repeat(false));
        for asked in std::mem::take(&mut self.asked) {
            if answered.next() == Some(true) {
                let answer = asked.review.answer();
                let told = answer.as_ref().map(|_| ()).map_err(String::as_str);
                self.judge.answered(&asked.request, told);
                match answer {
                    // A yes is for the files that were there when it was asked for.
                    Ok(_) if !asked.request.is_as_it_was(&mut self.known) => {
                        self.trouble(asked.id, asked.request.task, &Trouble::Changed);
                    }
                    Ok(cleared) if self.listener.waits(asked.id) => {
                        self.go(asked.id, asked.request, cleared);
                    }
                    Ok(_) => {}
                    Err(words) => self.refuse(asked.id, &asked.request, &words),
                }
            } else if self.listener.waits(asked.id) {
                self.asked.push(asked);
            } else {
                self.judge.answered(&asked.request, Err(""));
            }
        }
    }

    /// Something happened to a task; false where it is none that was let go.
    fn status(&mut self, status: Status) -> bool {
        // Where only one exec is under way, it is that one.
        let only = match (self.going.len(), self.going.keys().next()) {
            (1, Some(&task)) => Some(task),
            _ => None,
        };
        match status.event(only) {
            Event::Exec { former } => {
                self.free(former, status.id);
                let going = self.going.remove(&former);
                if let Some(going) = going {
                    self.stands(status.id, going);
                } else if self.going.contains_key(&status.id) {
                    // An exec that nobody let go: not ours to let run.
                    end(status.id);
                } else {
                    return false;
                }
                true
            }
            Event::Stop | Event::Signal(_) if !self.going.contains_key(&status.id) => false,
            Event::Stop => {
                self.free(status.id, status.id);
                self.stops(status.id, 0);
                true
            }
            Event::Signal(signal) => {
                self.free(status.id, status.id);
                self.stops(status.id, signal);
                true
            }
            // A child of this process is told of once, to its tracer and parent at the same time.
            Event::Gone => {
                self.free(status.id, status.id);
                self.going.remove(&status.id);
                false
            }
        }
    }

    /// Lets a task that was kept run where it might before, before it goes on: it may ask at once where that is.
    fn free(&mut self, task: i32, is_now: i32) {
        if let Some(kept) = self.kept.take_if(|kept| kept.task == task) {
            kept.free(is_now);
        }
    }

    /// A task that was let go stops, with a signal or none: its exec has failed, and the caller is told so by the
    /// kernel; or it leaves.
    fn stops(&mut self, task: i32, signal: i32) {
        let Some(going) = self.going.remove(&task) else {
            return;
        };
        let stays = match going {
            Going::Runs(_) | Going::Leaves(_) => Ok(()),
            Going::Leaving => leave::with(task, &target::folder(task), exit::STOPPED),
            Going::Ended => Err(std::io::ErrorKind::Other.into()),
        };
        if stays.is_err() || trace::detach(task, signal).is_err() {
            self.end(task);
        }
    }

    /// A program stands before its first instruction.
    fn stands(&mut self, task: i32, going: Going) {
        match going {
            Going::Runs(Some(expected)) => {
                let folder = target::folder(task);
                if verify::is(task, &folder, &expected).unwrap_or(false) {
                    let _ = trace::detach(task, 0);
                    return;
                }
            }
            Going::Runs(None) => {}
            Going::Leaves(words) => {
                self.told.tell(task, words.as_bytes(), &words);
                if trace::on_to_first_instruction(task).is_ok() {
                    self.going.insert(task, Going::Leaving);
                } else {
                    self.end(task);
                }
                return;
            }
            Going::Leaving | Going::Ended => {
                self.end(task);
                return;
            }
        }
        let refused = match Request::started(task, &mut self.known) {
            Ok(request) => self.judge.judge_started(&request).err(),
            Err(error) => Some(self.judge.cannot(&Trouble::Hidden(error))),
        };
        match refused {
            None => {
                let _ = trace::detach(task, 0);
            }
            Some(words) => {
                self.told.tell(task, words.as_bytes(), &words);
                self.end(task);
            }
        }
    }

    /// Ends a task that must not run. Its end is told to this process first, and must be taken.
    fn end(&mut self, task: i32) {
        end(task);
        self.going.insert(task, Going::Ended);
    }
}

/// Ends a task that must not run.
fn end(task: i32) {
    let _ = kill(Pid::from_raw(task), Signal::SIGKILL);
}
