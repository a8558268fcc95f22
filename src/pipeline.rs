//! The whole run of the shell, top to bottom. It joins the stages and decides nothing itself.

pub mod agent;
mod alike;
mod budgets;
mod credentials;
pub mod gate;
mod grants;
mod guard;
pub mod hook;
mod preview;
mod session;
mod units;

use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::OFlag;

use crate::approve::{Approver, Cleared};
use crate::audit::Outcome;
use crate::decide::Decision;
use crate::decide::approved::Approved;
use crate::execute::{self, Gate, Listener};
use crate::exit;
use crate::invocation::{Invocation, Preamble, Text, View};
use crate::judge;
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::schema::{Effect, ExecGate};
use crate::report::{self, refusal};
use crate::supervise::REFUSED;
use crate::supervise::standing::{Missing, Standing, Supervisor};
use crate::surroundings::Surroundings;

use session::Session;

/// The policy in force, for those that do nothing without it. From then on this process has the credentials that the
/// policy wants.
///
/// # Errors
///
/// The exit status; what is wrong with the policy has been told to `say`.
pub fn policy_in_force(folders: &Folders, say: &dyn Fn(&str)) -> Result<Policy, u8> {
    let policy = judge::policy_in_force(folders).map_err(|errors| {
        say(&report::policy::unreadable(&errors));
        exit::FAILED
    })?;
    credentials::apply(&policy);
    Ok(policy)
}

/// Reads, judges and runs what an invocation asks for. Returns the exit status only where this program
/// did not become the real shell; what is to be said of that goes to `say`.
#[must_use]
pub fn run(invocation: &Invocation, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match policy_in_force(&folders, say) {
        Ok(policy) => policy,
        Err(status) => return status,
    };
    let surroundings = Surroundings::here();
    let text = Text::of(invocation, &View::own());
    let start = Start {
        invocation,
        policy: &policy,
        home: folders.home.as_ref().map(|home| home.path.as_path()),
        surroundings: &surroundings,
        text: &text,
    };
    let mut standing = gate::standing(policy.settings(), Supervisor::Beside);
    // What comes in while the shell runs is judged by what there is when it begins.
    if matches!(text, Text::Stream | Text::Typed) {
        standing = gate::proven(standing, policy.settings());
    }
    let mut approved = Approved::default();
    let mut outcome = start.shell(standing, &mut approved, say);
    if let Err(execute::Error::Gate(error)) = &outcome {
        // Nothing has run, and what was left to that gate must be judged now.
        let standing = Standing::Without(Missing::Filter(error.to_string()));
        outcome = start.shell(standing, &mut approved, say);
    }
    match outcome {
        Ok(status) => status,
        // The supervisor above has said why.
        Err(execute::Error::Shell(_, error)) if error.raw_os_error() == Some(REFUSED) => {
            exit::STOPPED
        }
        Err(error) => {
            say(&refusal::failure(&error));
            exit::FAILED
        }
    }
}

/// A shell that is to be started.
struct Start<'a> {
    invocation: &'a Invocation,
    policy: &'a Policy,
    home: Option<&'a Path>,
    surroundings: &'a Surroundings<'a>,
    text: &'a Text,
}

impl Start<'_> {
    /// Judges and runs what an invocation asks for, where this process stands. Gives the exit status, or
    /// why this program could not become the real shell. `approved` is what a person has said yes to.
    fn shell(
        &self,
        standing: Standing,
        approved: &mut Approved,
        say: &dyn Fn(&str),
    ) -> Result<u8, execute::Error> {
        let (invocation, policy, text) = (self.invocation, self.policy, self.text);
        let settings = policy.settings();
        if let (Standing::Without(missing), Some(ExecGate::Required)) =
            (&standing, settings.exec_gate)
        {
            say(&report::exec::required(&missing.to_string()));
            return Ok(exit::FAILED);
        }
        let mut session = Session::new(
            invocation,
            self.surroundings,
            policy,
            Preamble::of(invocation, text, &View::own()),
            gate::gates(&standing),
            self.home,
        );
        // Below a supervisor the exec of the real shell is judged with its text, by the policy of the
        // session.
        let is_judged_there = standing == Standing::Supervised
            && !session.is_dry()
            && matches!(text, Text::Whole(_) | Text::Nothing);
        let decision = if is_judged_there {
            Decision::default()
        } else {
            session.judge(text).without(approved)
        };
        if session.is_dry() && *text != Text::Stream {
            session.record(&decision, Outcome::DryRun);
            say(&report::check::text(&decision));
            return Ok(status(decision.effect));
        }
        let cleared = match session.review(&decision) {
            Ok(cleared) => cleared,
            Err(refusal) => {
                say(&refusal::message(&decision, &refusal));
                return Ok(exit::STOPPED);
            }
        };
        if *cleared.approver() != Approver::Policy {
            approved.add(&decision);
        }
        let (units, sender) = match (&standing, text) {
            (Standing::Free, Text::Stream) => {
                let pair = nix::unistd::pipe2(OFlag::O_CLOEXEC);
                let (units, sender) = pair.map_err(|error| execute::Error::Relay(error.into()))?;
                (Some(units), Some(sender))
            }
            _ => (None, None),
        };
        let gate = (standing == Standing::Free)
            .then(|| gate::beside(policy, approved.clone(), units, session.place_of_record()));
        Err(match text {
            Text::Stream => {
                session.keep(decision);
                relayed(cleared, invocation, session, gate, sender.as_ref(), say)
            }
            Text::Typed => execute::launch_typed(cleared, invocation, settings, gate),
            Text::Whole(_) | Text::Nothing | Text::Hidden(_) => {
                execute::launch(cleared, invocation, settings, gate)
            }
        })
    }
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
                if *cleared.approver() != Approver::Policy {
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
    let policy = match policy_in_force(&folders, say) {
        Ok(policy) => policy,
        Err(status) => return status,
    };
    let invocation = Invocation::typed();
    let preamble = Preamble::typed(given, command);
    let surroundings = Surroundings::here();
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let standing = gate::standing(policy.settings(), Supervisor::Beside);
    let gates = gate::gates_of_running(&standing);
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
            Approver::Person | Approver::Reviewer(_) | Approver::External(_) => exit::CHECK_CONFIRM,
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
