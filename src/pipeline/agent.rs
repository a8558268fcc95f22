//! The whole run of an agent: its launcher on the person's terminal, and the exec gate of all that comes
//! from it, by the policy that was in force when it began.
//!
//! The supervisor is the process inside. It asks through the launcher, which has the person's terminal.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags};
use nix::unistd::pipe2;

use super::grants::Grants;
use super::guard::{Asks, Guard, Questions, put};
use crate::broker::Root;
use crate::invocation::View;
use crate::judge::Base;
use crate::launcher::alone::alone;
use crate::launcher::inside::Keeper;
use crate::launcher::program::Program;
use crate::launcher::seat::Seat;
use crate::launcher::{self, Error, Outcome};
use crate::policy::Policy;
use crate::probe::mounts;
use crate::supervise::companion::Companion;
use crate::supervise::{filter, serve};
use crate::sys::filter::{Listener, give_up_new_privileges, install_here};
use crate::sys::trace::Status;
use crate::sys::{descriptors, landlock, process};

/// How an agent is guarded.
pub struct Guarding<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Where decisions are written down.
    pub record: Option<PathBuf>,
    /// Whether there is an exec gate.
    pub has_gate: bool,
}

/// Runs an agent to its end.
///
/// # Errors
///
/// Where it is not known how it ended.
pub fn run(program: Program, guarding: &Guarding<'_>) -> Result<Outcome, Error> {
    let mut ask =
        |question: &[u8], times| put(guarding.policy, question, times, guarding.record.as_deref());
    if !guarding.has_gate {
        return launcher::run(program, &mut ask, &mut |seat| {
            alone(&mut seat.start(&[], &mut || Ok(()))?)
        });
    }
    let launcher = std::process::id().cast_signed();
    launcher::run(program, &mut ask, &mut |seat| {
        inside(seat, guarding, launcher)
    })
}

/// The work of the process inside.
fn inside(seat: Seat, guarding: &Guarding<'_>, launcher: i32) -> io::Result<()> {
    let base = Base::of(&View::own(), guarding.policy.limits());
    let may_gain = guarding.policy.settings().new_privileges == Some(true);
    let supervisor = std::process::id().cast_signed();
    let protected = [
        supervisor,
        launcher,
        nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(launcher)))
            .map_or(launcher, |group| group.as_raw()),
    ];
    let filter = filter::program(&protected);
    let (number, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // Closed with all else in this process when the agent is started.
    let writer = writer.into_raw_fd();
    let mut install = || -> io::Result<()> {
        if landlock::can_scope_signals() {
            confine(may_gain)?;
        }
        let listener = install_here(&filter, may_gain)?;
        descriptors::write_all(writer, &listener.to_ne_bytes())
    };
    let keeper = seat.start(&[number.as_fd()], &mut install)?;
    process::become_unseen()?;
    let mut bytes = [0; 4];
    let agent = keeper.agent();
    let mut kept = Kept::new(keeper);
    // Without a number the agent has not been started, and why is told by the keeper.
    if File::from(number).read_exact(&mut bytes).is_err() {
        return alone(&mut kept);
    }
    let listener = Listener::of(process::descriptor_of(agent, i32::from_ne_bytes(bytes))?);
    listener.wake_in_step();
    mounts::keep();
    let asks = Asks::Launcher(Rc::clone(&kept.questions));
    let grants = Rc::new(RefCell::new(Grants::default()));
    let record = guarding.record.clone();
    let session = Root::of(launcher);
    let mut guard = Guard::new(guarding.policy, base, grants, record, asks, session);
    serve(&listener, &mut guard, &mut kept);
    Ok(())
}

/// Keeps this process and all that come from it from signalling anybody else.
pub(super) fn confine(may_gain: bool) -> io::Result<()> {
    match landlock::scope_signals() {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && !may_gain => {
            give_up_new_privileges()?;
            landlock::scope_signals()
        }
        outcome => outcome,
    }
}

/// The keeper of the agent, with questions of the guard on their way to the launcher.
struct Kept {
    keeper: Keeper,
    questions: Questions,
    /// Where answers are waited for.
    waiting: HashMap<u64, OwnedFd>,
}

impl Kept {
    fn new(keeper: Keeper) -> Self {
        Self {
            keeper,
            questions: Questions::default(),
            waiting: HashMap::new(),
        }
    }
}

impl Companion for Kept {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        self.keeper.descriptors()
    }

    fn deadline(&self) -> Option<Instant> {
        // A question that was put since the last turn waits for the next one.
        if self.questions.borrow().is_empty() {
            self.keeper.deadline()
        } else {
            Some(Instant::now())
        }
    }

    fn ready(&mut self, place: usize, events: PollFlags) {
        self.keeper.ready(place, events);
    }

    fn has_children(&self) -> bool {
        self.keeper.has_children()
    }

    fn status(&mut self, status: Status) -> bool {
        self.keeper.status(status)
    }

    fn turn(&mut self) {
        for (question, answer) in self.questions.borrow_mut().drain(..) {
            let number = self.keeper.start_ask(question);
            self.waiting.insert(number, answer);
        }
        self.keeper.turn();
        for (number, words) in self.keeper.take_answers() {
            if let Some(answer) = self.waiting.remove(&number) {
                // Nobody reads it where the question was withdrawn.
                let _ = File::from(answer).write_all(&words);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.keeper.is_done()
    }
}
