//! `kibosh run`: an agent on a terminal of its own.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

use crate::cli::definition::Run;
use crate::exit;
use crate::launcher::alone::alone;
use crate::launcher::program::Program;
use crate::launcher::{self, Outcome};
use crate::report;
use crate::sys::signals;

/// Runs the program to its end; gives its exit status, or ends by the signal that ended it.
#[must_use]
pub fn run(options: &Run, say: &dyn Fn(&str)) -> u8 {
    let arguments: Vec<CString> = options
        .command
        .iter()
        .filter_map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let name = arguments.first().cloned().unwrap_or_default();
    let program = Program::with_kibosh_as_shell(arguments);
    // Nothing inside asks yet; no answer is a no.
    let mut ask = |_: &[u8]| Vec::new();
    let outcome = launcher::run(program, &mut ask, &mut |seat| {
        alone(&mut seat.start(&[], &mut || Ok(()))?)
    });
    match outcome {
        Ok(Outcome::Exited(status)) => status,
        Ok(Outcome::Killed(signal)) => {
            signals::die_of(signal);
            u8::try_from(128 + signal).unwrap_or(exit::FAILED)
        }
        Ok(Outcome::NotStarted(failure)) => {
            say(&report::launch::not_started(
                &name.to_string_lossy(),
                &failure.error(),
            ));
            failure.status()
        }
        Err(error) => {
            say(&report::launch::failed(&name.to_string_lossy(), &error));
            exit::FAILED
        }
    }
}
