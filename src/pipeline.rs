//! The whole run of the shell, top to bottom. It joins the stages and decides nothing itself.

pub mod agent;
pub mod gate;
mod grants;
mod guard;
mod session;
mod units;

use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;

use crate::approve::{Approver, Cleared};
use crate::audit::Outcome;
use crate::decide::Decision;
use crate::decide::approved::Approved;
use crate::decide::gates::Gates;
use crate::execute::{self, Gate, Listener};
use crate::exit;
use crate::invocation::{Invocation, Preamble, Text, View};
use crate::judge;
use crate::policy::discover::Folders;
use crate::policy::schema::{Effect, ExecGate};
use crate::report::{self, refusal};
use crate::supervise::standing::{Standing, Supervisor};
use crate::surroundings::Surroundings;

use session::Session;

/// Reads, judges and runs what an invocation asks for. Returns the exit status only where this program
/// did not become the real shell; what is to be said of that goes to `say`.
#[must_use]
pub fn run(invocation: &Invocation, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match judge::policy_in_force(&folders) {
        Ok(policy) => policy,
        Err(errors) => {
            say(&report::policy::unreadable(&errors));
            return exit::FAILED;
        }
    };
    let surroundings = Surroundings::here();
    let view = View::own();
    let text = Text::of(invocation, &view);
    let preamble = Preamble::of(invocation, &text, &view);
    let standing = gate::standing(policy.settings(), Supervisor::Beside);
    if let (Standing::Without(missing), Some(ExecGate::Required)) =
        (&standing, policy.settings().exec_gate)
    {
        say(&report::exec::required(&missing.to_string()));
        return exit::FAILED;
    }
    let mut session = Session::new(
        invocation,
        &surroundings,
        &policy,
        preamble,
        gate::gates(&standing),
        folders.home.as_ref().map(|home| home.path.as_path()),
    );
    // Below a supervisor the exec of the real shell is judged with its text, by the policy of the session.
    let is_judged_there = standing == Standing::Supervised
        && !session.is_dry()
        && matches!(text, Text::Whole(_) | Text::Nothing);
    let decision = if is_judged_there {
        Decision::default()
    } else {
        session.judge(&text)
    };
    if session.is_dry() && text != Text::Stream {
        session.record(&decision, Outcome::DryRun);
        say(&report::check::text(&decision));
        return status(decision.effect);
    }
    let cleared = match session.review(&decision) {
        Ok(cleared) => cleared,
        Err(refusal) => {
            say(&refusal::message(&decision, &refusal));
            return exit::STOPPED;
        }
    };
    let settings = policy.settings();
    let mut approved = Approved::default();
    if cleared.approver() == Approver::Person {
        approved.add(&decision);
    }
    let (units, sender) = match (&standing, &text) {
        (Standing::Free, Text::Stream) => match nix::unistd::pipe2(OFlag::O_CLOEXEC) {
            Ok((units, sender)) => (Some(units), Some(sender)),
            Err(error) => {
                say(&refusal::failure(&error));
                return exit::FAILED;
            }
        },
        _ => (None, None),
    };
    let gate = (standing == Standing::Free)
        .then(|| gate::beside(&policy, approved, units, session.place_of_record()));
    let error = match text {
        Text::Stream => {
            session.keep(decision);
            relayed(cleared, invocation, session, gate, sender.as_ref(), say)
        }
        Text::Typed => execute::launch_typed(cleared, invocation, settings, gate),
        Text::Whole(_) | Text::Nothing | Text::Hidden(_) => {
            execute::launch(cleared, invocation, settings, gate)
        }
    };
    say(&refusal::failure(&error));
    exit::FAILED
}

/// Runs a shell whose commands come in while it runs. Returns only where it could not be started.
fn relayed(
    cleared: Cleared,
    invocation: &Invocation,
    mut session: Session<'_>,
    gate: Option<Gate<'_>>,
    sender: Option<&OwnedFd>,
    say: &dyn Fn(&str),
) -> execute::Error {
    let dialect = session.dialect();
    let settings = session.settings();
    let whole = |text: &[u8]| session::is_whole(text, dialect);
    let mut judge = |unit: &[u8]| {
        let decision = session.judge_next(unit);
        if session.is_dry() {
            session.record(&decision, Outcome::DryRun);
            say(&report::check::text(&decision));
            return None;
        }
        match session.review(&decision) {
            Ok(cleared) => {
                let mut approved = Approved::default();
                if cleared.approver() == Approver::Person {
                    approved.add(&decision);
                }
                // Where the supervisor is gone, no program starts any more.
                let told = sender.map(|sender| units::tell(sender, &approved));
                session.keep(decision);
                told.is_none_or(|told| told.is_ok()).then_some(cleared)
            }
            Err(refusal) => {
                say(&refusal::message(&decision, &refusal));
                None
            }
        }
    };
    let failed = |error: &std::io::Error| say(&refusal::failure(error));
    let listener = Listener {
        whole: &whole,
        judge: &mut judge,
        failed: &failed,
        keeps: sender,
    };
    execute::launch_relayed(cleared, invocation, settings, listener, gate)
}

/// Judges a command that an interactive shell is about to run, behind `given`, which sets what the shell
/// knows. Gives 0 where policy clears it, 10 where a person did, and 126 where it must not run.
#[must_use]
pub fn judge_typed(given: &[u8], command: &[u8], say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match judge::policy_in_force(&folders) {
        Ok(policy) => policy,
        Err(errors) => {
            say(&report::policy::unreadable(&errors));
            return exit::FAILED;
        }
    };
    let invocation = Invocation::typed();
    let preamble = Preamble::typed(given, command);
    let surroundings = Surroundings::here();
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let standing = gate::standing(policy.settings(), Supervisor::Beside);
    let gates = match standing {
        Standing::Supervised => Gates::LineThenExec,
        Standing::Free | Standing::Without(_) => Gates::Line,
    };
    let mut session = Session::new(&invocation, &surroundings, &policy, preamble, gates, home);
    let decision = session.judge(&Text::Whole(command.to_vec()));
    if standing == Standing::Supervised && !session.is_dry() {
        // The supervisor has judged and asked about the exec of this very process.
        return match decision.effect {
            Effect::Allow => exit::CHECK_ALLOW,
            Effect::Confirm | Effect::Deny => exit::CHECK_CONFIRM,
        };
    }
    if session.is_dry() {
        session.record(&decision, Outcome::DryRun);
        say(&report::check::text(&decision));
        return exit::STOPPED;
    }
    match session.review(&decision) {
        Ok(cleared) => match cleared.approver() {
            Approver::Policy => exit::CHECK_ALLOW,
            Approver::Person => exit::CHECK_CONFIRM,
        },
        Err(refusal) => {
            say(&refusal::message(&decision, &refusal));
            exit::STOPPED
        }
    }
}

/// The status that tells an effect where nothing is run: of a dry run, and of `kibosh check`.
#[must_use]
pub fn status(effect: Effect) -> u8 {
    match effect {
        Effect::Allow => exit::CHECK_ALLOW,
        Effect::Confirm => exit::CHECK_CONFIRM,
        Effect::Deny => exit::CHECK_DENY,
    }
}
