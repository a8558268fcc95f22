//! bash under supervisors that judge nothing: what is left of the exec gate when all of its own work is taken out.
//!
//! The calls of the kernel are those of kibosh, in its order, made by the same functions.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use kibosh::supervise::filter::{self, HERE};
use kibosh::supervise::request::Request;
use kibosh::supervise::target::{Known, folder};
use kibosh::supervise::verify;
use kibosh::sys::beside;
use kibosh::sys::filter::{Listener, Notification, Reply, restrict};
use kibosh::sys::patience::Patience;
use kibosh::sys::process::{become_program, become_supervisor, keep_here};
use kibosh::sys::trace::{self, Event};
use nix::poll::PollTimeout;

/// How much of the gate there is, each with all of those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Floor {
    /// Its filter, which lets every call pass.
    Filter,
    /// Each exec is told to a supervisor, and stops before its first instruction.
    Stop,
    /// Words, environment, directory and file are read before, and looked at again when the program stands.
    Look,
}

impl Floor {
    pub const ALL: [Self; 3] = [Self::Filter, Self::Stop, Self::Look];

    /// The option that makes this program such a shell.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Filter => "--floor=filter",
            Self::Stop => "--floor=stop",
            Self::Look => "--floor=look",
        }
    }
}

/// Becomes bash with the given arguments, as far guarded as that.
pub fn become_shell(floor: Floor, arguments: &[String]) -> io::Result<Infallible> {
    let bash = c"/bin/bash";
    let words = ["bash".to_owned()].into_iter().chain(arguments.to_vec());
    let words: Vec<CString> = words.map(CString::new).collect::<Result<_, _>>()?;
    if floor == Floor::Filter {
        let mut program = filter::program(&[1]);
        let notify = libc::SECCOMP_RET_USER_NOTIF;
        for step in program.iter_mut().filter(|step| step.k == notify) {
            step.k = libc::SECCOMP_RET_ALLOW;
        }
        restrict(&program)?;
        return Err(become_program(bash, &words));
    }
    let work = move |listener| serve(&listener, floor).map_or(1, |()| 0);
    let beside = beside::start(Box::new(work))?;
    let program = filter::program(&[beside.process]);
    let variables: Vec<CString> = std::env::vars_os()
        .map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect::<Result<_, _>>()?;
    let failure = beside.become_program(&program, false, bash, &words, Some(&variables));
    Err(io::Error::other(format!("{failure:?}")))
}

/// Lets every exec go, until nobody is left.
fn serve(listener: &Listener, floor: Floor) -> io::Result<()> {
    become_supervisor(&[listener.descriptor()])?;
    let patience = Patience::new()?;
    let mut known = Known::default();
    while listener.wait(PollTimeout::NONE) {
        if let Ok(notification) = listener.next() {
            let_go(listener, &notification, floor, &mut known, &patience)?;
        }
    }
    Ok(())
}

fn let_go(
    listener: &Listener,
    notification: &Notification,
    floor: Floor,
    known: &mut Known,
    patience: &Patience,
) -> io::Result<()> {
    let task = notification.pid.cast_signed();
    if filter::is_execveat(notification.data.arch, notification.data.nr).is_none() {
        let _ = listener.reply(notification.id, Reply::Value(HERE));
        return Ok(());
    }
    let mut expected = None;
    if floor >= Floor::Look {
        let Ok(request) = Request::of(notification, known) else {
            // Nothing is there: the kernel says so itself.
            let _ = listener.reply(notification.id, Reply::Continue);
            return Ok(());
        };
        expected = request.into_expected();
    }
    trace::seize(task)?;
    let kept = keep_here(task);
    let _ = trace::interrupt(task);
    let _ = listener.reply(notification.id, Reply::Continue);
    let status = loop {
        if let Some(status) = patience.next_status(Duration::from_millis(20)) {
            break status;
        }
    };
    if let Some(kept) = kept {
        kept.free(status.id);
    }
    if let (Event::Exec { .. }, Some(expected)) = (status.event(Some(task)), expected)
        && !verify::is(status.id, &folder(status.id), &expected)?
    {
        return Err(io::Error::other("what starts is not what was looked at"));
    }
    let _ = trace::detach(status.id, 0);
    Ok(())
}
