//! The command line of kibosh itself: tells a verb from the shell, and defines the verbs.
//!
//! Whatever is not exactly a verb is for the shell, which reads its options itself; clap never sees
//! it. No logic of a stage is here.

use std::ffi::{CString, OsStr};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use clap::Parser;

use crate::exit;
use crate::invocation::{self, Invocation};
use crate::pipeline;
use crate::sys::descriptors;
use crate::verbs;

pub mod definition;
mod generate;

use definition::{Definition, Verb};

/// Runs a verb or the shell; gives the exit status.
#[must_use]
pub fn run(argv: Vec<CString>) -> u8 {
    descriptors::guard_standard();
    let failed = failed(&argv);
    std::panic::set_hook(Box::new(move |_| {
        say("kibosh: nothing was run: an error inside kibosh");
        std::process::exit(failed.into());
    }));
    if let Some((given, command)) = invocation::typed(&argv) {
        return pipeline::judge_typed(given, command, &say);
    }
    if invocation::is_verb(&argv) {
        return verb(&argv);
    }
    pipeline::run(&Invocation::new(argv), &say)
}

/// The status where kibosh itself fails: an agent goes on at any but one of its hook.
fn failed(argv: &[CString]) -> u8 {
    let is_hook = argv.get(1).is_some_and(|word| word.as_bytes() == b"hook");
    if is_hook && invocation::is_verb(argv) {
        exit::HOOK_REFUSED
    } else {
        exit::FAILED
    }
}

fn verb(argv: &[CString]) -> u8 {
    let words = argv.iter().map(|word| OsStr::from_bytes(word.as_bytes()));
    let definition = match Definition::try_parse_from(words) {
        Ok(definition) => definition,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { failed(argv) } else { 0 };
        }
    };
    match definition.verb {
        Verb::Approve(options) => verbs::approve(&options, &say),
        Verb::Check(options) => verbs::check(&options, &say),
        Verb::Doctor(options) => verbs::doctor(&options, &say),
        Verb::Explain(options) => verbs::explain(&options, &say),
        Verb::Grants(options) => verbs::grants(&options, &say),
        Verb::Hook(options) => verbs::hook(&options, &say),
        Verb::Init(options) => verbs::init(&options, &say),
        Verb::Log(options) => verbs::log(&options, &say),
        Verb::Pending => verbs::pending(&say),
        Verb::Policy(options) => verbs::policy(&options, &say),
        Verb::Refuse(options) => verbs::refuse(&options, &say),
        Verb::Register(options) => verbs::register(&options, &say),
        Verb::Run(options) => verbs::run(&options, &say),
        Verb::Watch => verbs::watch(&say),
        Verb::Broker => verbs::broker(),
        Verb::Generate(what) => generate::generate(&what, &say),
    }
}

/// Writes a message for people. Where standard error cannot take it, there is nobody to tell.
fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
