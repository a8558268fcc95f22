//! The exec gate of a shell: whether there is one, what the line gate leaves to it, and its supervisor.

use std::path::PathBuf;

use super::guard::Guard;
use crate::decide::approved::Approved;
use crate::decide::gates::Gates;
use crate::execute::Gate;
use crate::exit;
use crate::invocation::View;
use crate::judge::Base;
use crate::policy::Policy;
use crate::policy::schema::{ExecGate, Settings};
use crate::supervise::standing::{Missing, Standing, Supervisor, here, is_supervised};
use crate::supervise::{Alone, serve};
use crate::sys::filter::may_install;
use crate::sys::process;

/// Whether this process is under an exec gate, or can be put under one.
#[must_use]
pub fn standing(settings: &Settings) -> Standing {
    if settings.exec_gate != Some(ExecGate::Off) {
        return here(Supervisor::Beside);
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
        Standing::Supervised => Gates::BesideExec,
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

/// The exec gate for a shell that this process is about to become, supervised beside it. `approved` is
/// what a person has said yes to in its line.
#[must_use]
pub fn beside(policy: &Policy, approved: Approved, record: Option<PathBuf>) -> Gate<'_> {
    Gate {
        may_gain: may_gain(policy.settings()),
        work: Box::new(move |listener| {
            let base = Base::of(&View::own());
            if process::become_supervisor(listener.descriptor()).is_err() {
                return exit::FAILED.into();
            }
            let mut guard = Guard::new(policy, base, approved, record);
            serve(&listener, &mut guard, &mut Alone);
            0
        }),
    }
}
