//! A gate as others build it, for comparison: it reads what an exec is called with, and lets the call go on
//! where that is harmless. What is exchanged in between runs unjudged.
//!
//! `naive-gate PROGRAM ARGUMENT…`: an exec whose first argument is `all` and whose program is `demolish` is
//! refused, each other one goes on.

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use kibosh::supervise::filter;
use kibosh::supervise::request::Request;
use kibosh::supervise::target::Known;
use kibosh::sys::beside;
use kibosh::sys::filter::{Listener, Reply};

fn main() -> ExitCode {
    let words: Vec<CString> = std::env::args_os()
        .skip(1)
        .filter_map(|word| CString::new(word.into_vec()).ok())
        .collect();
    let (Some(program), Ok(beside)) = (words.first().cloned(), beside::start(Box::new(serve)))
    else {
        return ExitCode::FAILURE;
    };
    let filter = filter::program(&[beside.process]);
    let _ = beside.become_program(&filter, false, &program, &words, None);
    ExitCode::FAILURE
}

fn serve(listener: Listener) -> i32 {
    let mut known = Known::default();
    // Without anybody left that is guarded, the call fails with ENOENT as it does for one that is gone.
    let mut failures = 0;
    while failures < 1000 {
        let Ok(notification) = listener.next() else {
            failures += 1;
            std::thread::yield_now();
            continue;
        };
        failures = 0;
        let reply = match Request::of(&notification, &mut known) {
            Ok(request) if is_harmless(&request) => Reply::Continue,
            Ok(_) => Reply::Fail(libc::ECANCELED),
            Err(_) => Reply::Fail(libc::ENOENT),
        };
        let _ = listener.reply(notification.id, reply);
    }
    0
}

fn is_harmless(request: &Request) -> bool {
    let is_demolish = request
        .steps
        .first()
        .is_some_and(|step| step.facts.real.ends_with("demolish"));
    !(is_demolish && request.argv.iter().nth(1) == Some(b"all"))
}
