//! The whole run of the shell, top to bottom. It joins the stages and decides nothing itself.

mod session;

use crate::audit::Outcome;
use crate::execute;
use crate::exit;
use crate::invocation::{Invocation, Preamble, Text};
use crate::judge;
use crate::policy::discover::Folders;
use crate::policy::schema::Effect;
use crate::report::{self, refusal};
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
    let text = Text::of(invocation);
    let preamble = Preamble::of(invocation, &text);
    let mut session = Session::new(
        invocation,
        &surroundings,
        &policy,
        preamble,
        folders.home.as_ref().map(|home| home.path.as_path()),
    );
    if text == Text::Stream {
        return relayed(invocation, session, say);
    }
    let decision = session.judge(&text);
    if session.is_dry() {
        session.record(&decision, Outcome::DryRun);
        say(&report::check::text(&decision));
        return status(decision.effect);
    }
    match session.review(&decision) {
        Ok(cleared) => failed(
            &execute::launch(cleared, invocation, policy.settings()),
            say,
        ),
        Err(refusal) => {
            say(&refusal::message(&decision, &refusal));
            exit::STOPPED
        }
    }
}

/// Runs a shell whose commands come in while it runs.
fn relayed(invocation: &Invocation, mut session: Session<'_>, say: &dyn Fn(&str)) -> u8 {
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
                session.keep(decision);
                Some(cleared)
            }
            Err(refusal) => {
                say(&refusal::message(&decision, &refusal));
                None
            }
        }
    };
    failed(
        &execute::launch_relayed(invocation, settings, &whole, &mut judge),
        say,
    )
}

/// Says that kibosh itself failed.
fn failed(error: &execute::Error, say: &dyn Fn(&str)) -> u8 {
    say(&report::refusal::failure(error));
    exit::FAILED
}

/// The status of a dry run.
fn status(effect: Effect) -> u8 {
    match effect {
        Effect::Allow => exit::CHECK_ALLOW,
        Effect::Confirm => exit::CHECK_CONFIRM,
        Effect::Deny => exit::CHECK_DENY,
    }
}
