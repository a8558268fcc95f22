//! The exec gate of a shell: whether there is one, what the line gate leaves to it, and its supervisor.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;

use nix::unistd::getppid;

use super::grants::Grants;
use super::guard::{Asks, Guard};
use super::units::Units;
use crate::broker::Root;
use crate::decide::approved::Approved;
use crate::decide::gates::Gates;
use crate::decide::past::Past;
use crate::execute::Gate;
use crate::exit;
use crate::invocation::View;
use crate::judge::Base;
use crate::policy::Policy;
use crate::policy::schema::{ExecGate, Settings};
use crate::probe::mounts;
use crate::supervise::companion::Nothing;
use crate::supervise::serve;
use crate::supervise::standing::{
    Missing, Standing, Supervisor, here, here_gaining, is_supervised,
};
use crate::sys::filter::may_install;
use crate::sys::process;

/// Whether this process is under an exec gate, or can be put under one by such a supervisor.
#[must_use]
pub fn standing(settings: &Settings, supervisor: Supervisor) -> Standing {
    if settings.exec_gate != Some(ExecGate::Off) {
        return match settings.new_privileges {
            Some(true) => here_gaining(supervisor),
            Some(false) | None => here(supervisor),
        };
    }
    if is_supervised() {
        Standing::Supervised
    } else {
        Standing::Without(Missing::Off)
    }
}

/// What the line gate judges where this process stands.
#[must_use]
pub fn gates(standing: &Standing) -> Gates {
    match standing {
        Standing::Free => Gates::LineThenExec,
        Standing::Supervised => Gates::BesideExec,
        Standing::Without(_) => Gates::Line,
    }
}

/// What the line gate judges in a shell that runs already. What it is not under now, it never will be.
#[must_use]
pub fn gates_of_running(standing: &Standing) -> Gates {
    match standing {
        // Its supervisor judges each command, too, and asks; this tells it apart from what needs no asking.
        Standing::Supervised => Gates::LineThenExec,
        Standing::Free | Standing::Without(_) => Gates::Line,
    }
}

/// Where this process stands, after it was tried whether the kernel takes a filter from it.
#[must_use]
pub fn proven(standing: Standing, settings: &Settings) -> Standing {
    if standing != Standing::Free {
        return standing;
    }
    match may_install(may_gain(settings)) {
        Ok(()) => Standing::Free,
        Err(error) => Standing::Without(Missing::Filter(error.to_string())),
    }
}

fn may_gain(settings: &Settings) -> bool {
    settings.new_privileges == Some(true)
}

/// For how long a supervisor waits for its shell to start a program before it lets go of what they share.
const LEISURE: u8 = 3; // ms

/// The exec gate for a shell that this process is about to become, supervised beside it. `approved` is
/// what a person has said yes to in its line; `units` tells what they say yes to in commands that come in
/// later.
#[must_use]
pub fn beside(
    policy: &Policy,
    approved: Approved,
    units: Option<OwnedFd>,
    record: Option<PathBuf>,
) -> Gate<'_> {
    let shell = std::process::id().cast_signed();
    let agent = getppid().as_raw();
    // The shell may write before its supervisor looks at anything.
    let begun = Past::now();
    Gate {
        may_gain: may_gain(policy.settings()),
        work: Box::new(move |listener| {
            // Until the shell starts a program this would only take the processor from it, and some start none.
            if !listener.wait(LEISURE.into()) && units.is_none() {
                return 0;
            }
            let base = Base::begun(begun, &View::own(), policy.limits());
            let units = units.as_ref().map(AsFd::as_fd);
            let kept: Vec<BorrowedFd<'_>> =
                units.into_iter().chain([listener.descriptor()]).collect();
            if process::become_supervisor(&kept).is_err() {
                return exit::FAILED.into();
            }
            mounts::keep();
            let grants = Rc::new(RefCell::new(Grants::default()));
            grants.borrow_mut().add(approved, shell);
            let session = Root::of(agent);
            let mut guard = Guard::new(
                policy,
                base,
                Rc::clone(&grants),
                record,
                Asks::Here,
                session,
            );
            match units {
                Some(units) => {
                    let mut units = Units::new(units, shell, grants);
                    serve(&listener, &mut guard, &mut units);
                }
                None => serve(&listener, &mut guard, &mut Nothing),
            }
            0
        }),
    }
}
