//! `kibosh check`: what would happen to a line.

use std::io::{Read, Write, stdin, stdout};

use crate::batch;
use crate::cli::definition::Check;
use crate::exit;
use crate::judge::{self, Judgement};
use crate::pipeline::{policy_in_force, status};
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::report;
use crate::surroundings::Surroundings;
use crate::syntax::Dialect;

/// Judges one line, or with `--batch` one a line of standard input; gives the exit status.
#[must_use]
pub fn check(options: &Check, say: &dyn Fn(&str)) -> u8 {
    if options.batch {
        let policy = Policy::shipped();
        return batch::answer(&policy, stdin().lock(), stdout().lock())
            .map_or(exit::FAILED, |()| exit::CHECK_ALLOW);
    }
    let (_, judgement) = match judged(options.command.as_deref(), say) {
        Ok(judged) => judged,
        Err(status) => return status,
    };
    let answer = if options.json {
        report::check::json(None, &judgement.decision)
    } else {
        report::check::text(&judgement.decision)
    };
    print(&answer, status(judgement.decision.effect))
}

/// Judges a line here and now, with every layer; gives the line too.
pub(super) fn judged(command: Option<&str>, say: &dyn Fn(&str)) -> Result<(String, Judgement), u8> {
    let mut piped = Vec::new();
    let text = match command {
        Some(text) => text,
        None => {
            if stdin().lock().read_to_end(&mut piped).is_err() {
                return Err(exit::FAILED);
            }
            match std::str::from_utf8(&piped) {
                Ok(text) => text,
                Err(_) => {
                    say("kibosh: the command line is not UTF-8");
                    return Err(exit::FAILED);
                }
            }
        }
    };
    let policy = policy_in_force(&Folders::here(), say)?;
    let context = Surroundings::here().context(Dialect::Bash, None);
    let judgement = judge::judge(&policy, text, &context);
    Ok((text.to_owned(), judgement))
}

/// Writes an answer to standard output; gives the status, or that of a failure to write.
pub(super) fn print(answer: &str, status: u8) -> u8 {
    let mut out = stdout().lock();
    match writeln!(out, "{}", answer.trim_end()).and_then(|()| out.flush()) {
        Ok(()) => status,
        Err(_) => exit::FAILED,
    }
}
