//! `kibosh pending`, `approve`, `refuse` and `grants`: what a person does with requests that wait for them, from
//! a terminal of their own.

use super::check::print;
use crate::approve::Refusal;
use crate::approve::reviewer::{self, Choice, Keys};
use crate::broker::reviewing::{self, Outcome};
use crate::broker::{self, Error, Scope};
use crate::cli::definition::{Approve, Grants, GrantsVerb, Refuse};
use crate::exit;
use crate::report::review as words;
use crate::sys::process::become_unseen;

/// Keeps what waits for a person, until there is nothing to keep.
#[must_use]
pub fn broker() -> u8 {
    match broker::serve() {
        Ok(()) => 0,
        // Nobody is there to be told.
        Err(_) => exit::FAILED,
    }
}

/// Lists what waits.
#[must_use]
pub fn pending(say: &dyn Fn(&str)) -> u8 {
    match reviewing::pending() {
        Ok(list) => {
            let others = reviewing::pending_of_others();
            print(&words::pending_of_all(&list, &others), 0)
        }
        Err(error) => failed(&error, say),
    }
}

/// Lists what was approved, or takes one back.
#[must_use]
pub fn grants(options: &Grants, say: &dyn Fn(&str)) -> u8 {
    match options.verb {
        None => match reviewing::grants() {
            Ok(list) => print(&words::grants(&list), 0),
            Err(error) => failed(&error, say),
        },
        Some(GrantsVerb::Revoke { number }) => match reviewing::revoke(number) {
            Ok(Outcome::Done) => print(&words::revoked(number), 0),
            Ok(_) => {
                say(&words::no_grant(number));
                exit::NOT_DONE
            }
            Err(error) => failed(&error, say),
        },
    }
}

/// Shows a request and lets the person say yes to it.
#[must_use]
pub fn approve(options: &Approve, say: &dyn Fn(&str)) -> u8 {
    let terminal = match terminal(say) {
        Ok(terminal) => terminal,
        Err(status) => return status,
    };
    let shown = match reviewing::look(options.of, options.number) {
        Ok(Some(shown)) => shown,
        Ok(None) => {
            say(&words::no_request(options.number));
            return exit::NOT_DONE;
        }
        Err(error) => return failed(&error, say),
    };
    if options.scope == Scope::Session && shown.session.is_none() {
        say(&words::no_session(options.number));
        return exit::NOT_DONE;
    }
    say(&words::scope(options.number, options.scope));
    match reviewer::ask(&shown, options.of, Keys::Yes) {
        Ok(Choice::Once | Choice::Session) => {}
        Ok(Choice::Refuse | Choice::Leave) => {
            say(&words::left(options.number));
            return exit::NOT_DONE;
        }
        Err(refusal) => {
            say(&unasked(options.number, &refusal));
            return exit::NOT_DONE;
        }
    }
    let outcome = reviewing::approve(options.of, &shown, options.scope, terminal);
    settled(options.number, &outcome, words::approved, say)
}

/// Says no to a request.
#[must_use]
pub fn refuse(options: &Refuse, say: &dyn Fn(&str)) -> u8 {
    if let Err(status) = terminal(say) {
        return status;
    }
    let outcome = reviewing::refuse(options.of, options.number, options.why.clone());
    settled(options.number, &outcome, words::refused, say)
}

/// The terminal at which a person may be. From then on nobody of the same user looks into this process or steers it.
/// A guarded process gets none, whoever has made its terminal.
///
/// # Errors
///
/// The exit status where there is none, which is said.
pub(super) fn terminal(say: &dyn Fn(&str)) -> Result<String, u8> {
    broker::check_this().map_err(|stranger| failed(&stranger.into(), say))?;
    become_unseen().map_err(|_| exit::NOT_DONE)?;
    reviewer::terminal().map_err(|absence| {
        say(&words::no_person(&absence));
        exit::NOT_DONE
    })
}

/// What is said of a question that got no answer.
pub(super) fn unasked(number: u64, refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoTerminal(absence) => words::no_person(absence),
        Refusal::TooMuch => words::too_much(number),
        _ => words::left(number),
    }
}

/// Says what came of an answer; gives the exit status.
pub(super) fn settled(
    number: u64,
    outcome: &Result<Outcome, Error>,
    done: impl Fn(u64) -> String,
    say: &dyn Fn(&str),
) -> u8 {
    match outcome {
        Ok(Outcome::Done) => {
            say(&done(number));
            0
        }
        Ok(Outcome::More(said)) => {
            say(&words::more(number, *said));
            0
        }
        Ok(Outcome::Uncounted) => {
            say(&words::uncounted(number));
            exit::NOT_DONE
        }
        Ok(Outcome::Gone) => {
            say(&words::no_request(number));
            exit::NOT_DONE
        }
        Ok(Outcome::NoSession) => {
            say(&words::no_session(number));
            exit::NOT_DONE
        }
        Err(error) => failed(error, say),
    }
}

/// Says that the broker cannot be spoken to; gives the exit status.
pub(super) fn failed(error: &Error, say: &dyn Fn(&str)) -> u8 {
    say(&words::failed(error));
    exit::FAILED
}
