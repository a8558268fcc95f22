//! The command line of kibosh itself: tells a verb from the shell, and defines the verbs.
//!
//! Whatever is not exactly a verb is for the shell, which reads its options itself; clap never sees
//! it. No logic of a stage is here.

use std::ffi::CString;
use std::io::{Write, stdin, stdout};

use crate::batch;
use crate::exit;
use crate::invocation::Invocation;
use crate::pipeline;
use crate::policy::Policy;
use crate::sys::descriptors;

/// Runs a verb or the shell; gives the exit status.
#[must_use]
pub fn run(argv: Vec<CString>) -> u8 {
    descriptors::guard_standard();
    std::panic::set_hook(Box::new(|_| {
        say("kibosh: nothing was run: an error inside kibosh");
        std::process::exit(exit::FAILED.into());
    }));
    let mut words = argv.iter().skip(1).map(|word| word.as_bytes());
    if words.next() == Some(b"check") && words.next() == Some(b"--batch") {
        let answered = batch::answer(&Policy::shipped(), stdin().lock(), stdout().lock());
        return answered.map_or(exit::FAILED, |()| exit::CHECK_ALLOW);
    }
    pipeline::run(&Invocation::new(argv), &say)
}

/// Writes a message for people. Where standard error cannot take it, there is nobody to tell.
fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
