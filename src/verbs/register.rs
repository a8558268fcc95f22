//! `kibosh register`: the terminal of this shell is a person's.

use super::review::failed;
use crate::broker::registering;
use crate::cli::definition::Register;
use crate::exit;
use crate::report::review as words;
use crate::sys::process::{self, Side};

/// Registers the terminal, or takes that back.
#[must_use]
pub fn register(options: &Register, say: &dyn Fn(&str)) -> u8 {
    if options.quiet {
        quietly();
        return 0;
    }
    match registering::register(options.undo) {
        Ok(Ok(())) => 0,
        Ok(Err(why)) => {
            say(&words::unfit(&why));
            exit::NOT_DONE
        }
        Err(error) if options.undo => failed(&error, say),
        Err(error) => {
            say(&words::not_registered(&error));
            exit::FAILED
        }
    }
}

/// Registers it in a process that the shell does not wait for, and that holds nothing of the shell's open.
fn quietly() {
    if let Ok(Side::Beside) = process::fork_beside() {
        if process::keep_only(&[]).is_ok() {
            let _ = registering::register(false);
        }
        process::leave(0);
    }
}
