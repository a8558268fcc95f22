//! A preview: a program that is guarded like an agent, and about which nobody is asked.
//!
//! The policy that made the question judges it and whatever it starts, in an exec gate of its own. Only what needs no
//! asking runs, so that it does nothing which the agent could not do unasked.

use std::cell::RefCell;
use std::ffi::CString;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags};
use nix::unistd::{Pid, close, dup2_stderr, dup2_stdout, getpid, getppid};

use super::agent::confine;
use super::grants::Grants;
use super::guard::{Asks, Guard};
use crate::approve::Previewer;
use crate::approve::kept::{Kept, SHORT, Tenant, end_children};
use crate::decide::preview::Preview;
use crate::exit;
use crate::invocation::View;
use crate::judge::Base;
use crate::launcher::program::{Failure, Program};
use crate::policy::Policy;
use crate::policy::schema::ExecGate;
use crate::report;
use crate::supervise::companion::Companion;
use crate::supervise::standing::{Missing, Standing, Supervisor, here};
use crate::supervise::{REFUSED, filter, serve};
use crate::sys::filter::{Listener, install_here};
use crate::sys::trace::Status;
use crate::sys::{environment, handing, landlock, process};

/// Starts previews for one question.
pub struct Previews<'a> {
    /// The policy that made the question.
    pub policy: &'a Policy,
    /// What the session began with; none where it began as this process is.
    pub base: Option<&'a Base>,
    /// The environment that the command has; none where it is that of this process.
    pub environment: Option<Vec<Vec<u8>>>,
    /// Where decisions are written down.
    pub record: Option<PathBuf>,
    /// Processes that what runs in it must leave alone, beside those that start it.
    pub protects: Vec<i32>,
}

impl Previewer for Previews<'_> {
    fn start(&self, preview: &Preview) -> io::Result<Kept> {
        let standing = if self.policy.settings().exec_gate == Some(ExecGate::Off) {
            Standing::Without(Missing::Off)
        } else {
            here(Supervisor::Above)
        };
        match standing {
            Standing::Free => {}
            Standing::Supervised => return Err(io::Error::other(report::preview::SUPERVISED)),
            Standing::Without(missing) => {
                return Err(io::Error::other(report::preview::ungated(&missing)));
            }
        }
        let own;
        let base = match self.base {
            Some(base) => base,
            None => {
                own = Base::of(&View::own(), self.policy.limits());
                &own
            }
        };
        let above = [getpid().as_raw(), getppid().as_raw()];
        Kept::run(&mut Guarded {
            previews: self,
            preview,
            base,
            protects: self.protects.iter().copied().chain(above).collect(),
            handing: None,
        })
    }
}

/// One preview, in the processes that are made for it.
struct Guarded<'a> {
    previews: &'a Previews<'a>,
    preview: &'a Preview,
    base: &'a Base,
    protects: Vec<i32>,
    /// Over which the listener comes to the keeper: the keeper's end, and the program's.
    handing: Option<(UnixStream, UnixStream)>,
}

impl Tenant for Guarded<'_> {
    fn prepare(&mut self) -> io::Result<()> {
        self.protects.push(getpid().as_raw());
        self.handing = Some(UnixStream::pair()?);
        Ok(())
    }

    fn begin(&mut self, stream: OwnedFd) -> u8 {
        match self.become_program(stream) {
            Ok(failure) => {
                let error = failure.error();
                // Who refused it has said why.
                if error.raw_os_error() == Some(REFUSED) {
                    return exit::STOPPED;
                }
                let name = self.preview.words.first().map_or("", String::as_str);
                say(&report::launch::not_started(name, &error));
                failure.status()
            }
            Err(error) => {
                say(&report::preview::not_prepared(&error));
                exit::FAILED
            }
        }
    }

    fn wait(&mut self, program: Pid, held: &UnixStream) -> Option<u8> {
        let (ours, theirs) = self.handing.take()?;
        drop(theirs);
        let mut watched = Watched {
            program,
            held,
            status: None,
            is_unwanted: false,
        };
        // Without a listener nothing was started, and its end is told like any other.
        let listener = handing::take(ours.as_fd()).ok().map(Listener::of);
        drop(ours);
        let Some(listener) = listener else {
            let _ = crate::launcher::alone::alone(&mut watched);
            return watched.status;
        };
        listener.wake_in_step();
        let mut guard = Guard::new(
            self.previews.policy,
            self.base.clone(),
            Rc::new(RefCell::new(Grants::default())),
            self.previews.record.clone(),
            Asks::Nobody,
            None,
        );
        serve(&listener, &mut guard, &mut watched);
        watched.status
    }
}

impl Guarded<'_> {
    /// Becomes the program, with all that the command has. Returns only where that failed.
    fn become_program(&mut self, stream: OwnedFd) -> io::Result<Failure> {
        dup2_stdout(&stream)?;
        dup2_stderr(&stream)?;
        drop(stream);
        process::empty_input()?;
        let (ours, theirs) = self.handing.take().ok_or(io::ErrorKind::NotFound)?;
        drop(ours);
        std::env::set_current_dir(&self.preview.cwd)?;
        environment::replace(self.environment());
        let words = self.preview.words.iter().cloned().map(CString::new);
        let program = Program {
            arguments: words.collect::<Result<_, _>>()?,
            environment: environment::entries()
                .filter_map(|entry| CString::new(entry).ok())
                .collect(),
        };
        let filter = filter::program(&self.protects);
        Ok(program.start(&mut || {
            if landlock::can_scope_signals() {
                confine(false)?;
            }
            let number = install_here(&filter, false)?;
            handing::give(theirs.as_fd(), number)?;
            close(number)?;
            // Who guards it must be able to look into it, and nobody is to take the listener from it before.
            process::become_seen();
            Ok(())
        }))
    }

    /// The environment of the command, with what the line sets for it.
    fn environment(&self) -> Vec<CString> {
        let mut entries: Vec<Vec<u8>> = match &self.previews.environment {
            Some(entries) => entries.clone(),
            None => environment::entries().map(<[u8]>::to_vec).collect(),
        };
        let cwd = ("PWD".to_owned(), self.preview.cwd.clone());
        for (name, value) in self.preview.environment.iter().chain([(&cwd.0, &cwd.1)]) {
            let begins = format!("{name}=").into_bytes();
            entries.retain(|entry| !entry.starts_with(&begins));
            entries.push([begins.as_slice(), value.as_bytes()].concat());
        }
        let entries = entries.into_iter();
        entries.filter_map(|one| CString::new(one).ok()).collect()
    }
}

/// Writes what kibosh itself has to say of a preview where the program would have written.
fn say(words: &str) {
    let _ = writeln!(io::stdout(), "{words}");
}

/// What the keeper waits for: the end of the program, or that nobody wants it any more. Then all that has come from it
/// is ended.
struct Watched<'a> {
    program: Pid,
    held: &'a UnixStream,
    status: Option<u8>,
    is_unwanted: bool,
}

impl Watched<'_> {
    fn is_over(&self) -> bool {
        self.status.is_some() || self.is_unwanted
    }
}

impl Companion for Watched<'_> {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        if self.is_over() {
            return Vec::new();
        }
        vec![PollFd::new(self.held.as_fd(), PollFlags::POLLIN)]
    }

    fn deadline(&self) -> Option<Instant> {
        self.is_over().then(|| Instant::now() + SHORT)
    }

    fn ready(&mut self, _place: usize, events: PollFlags) {
        self.is_unwanted |= !events.is_empty();
    }

    fn has_children(&self) -> bool {
        true
    }

    fn status(&mut self, status: Status) -> bool {
        let raw = status.raw;
        if status.id != self.program.as_raw() || self.status.is_some() {
            return false;
        }
        let ended = if libc::WIFEXITED(raw) {
            libc::WEXITSTATUS(raw)
        } else if libc::WIFSIGNALED(raw) {
            128 + libc::WTERMSIG(raw)
        } else {
            return false;
        };
        self.status = Some(u8::try_from(ended).unwrap_or(u8::MAX));
        true
    }

    fn turn(&mut self) {
        if self.is_over() {
            // What it has left behind has become a child of this process.
            end_children(self.status.is_none().then_some(self.program));
        }
    }

    fn is_done(&self) -> bool {
        self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Layer;
    use crate::policy::discover::Folders;
    use crate::policy::load::Text;

    #[test]
    fn without_an_exec_gate_nothing_is_started() {
        let text = Text {
            layer: Layer::System,
            file: "a".into(),
            text: "[settings]\nexec-gate = \"off\"\n".into(),
        };
        let policy = Policy::of(&[text], &Folders::default()).unwrap();
        let previews = Previews {
            policy: &policy,
            base: None,
            environment: None,
            record: None,
            protects: Vec::new(),
        };
        let preview = Preview {
            words: vec!["true".into()],
            cwd: "/".into(),
            ..Preview::default()
        };
        let why = previews
            .start(&preview)
            .err()
            .map(|error| error.to_string());
        let why = why.unwrap();
        assert!(why.contains("the policy has switched it off"), "{why}");
    }

    #[test]
    fn variables_of_the_line_come_over_those_of_the_command() {
        let policy = Policy::shipped();
        let entry = |text: &str| text.as_bytes().to_vec();
        let previews = Previews {
            policy: &policy,
            base: None,
            environment: Some(vec![
                entry("A=1"),
                entry("AB=2"),
                entry("PWD=/x"),
                b"C=\xff".to_vec(),
            ]),
            record: None,
            protects: Vec::new(),
        };
        let preview = Preview {
            words: vec!["true".into()],
            cwd: "/srv".into(),
            environment: [("A".to_owned(), "9".to_owned())].into(),
        };
        let guarded = Guarded {
            previews: &previews,
            preview: &preview,
            base: &Base::of(&View::own(), policy.limits()),
            protects: Vec::new(),
            handing: None,
        };
        let entries = guarded.environment();
        let entries: Vec<&[u8]> = entries.iter().map(|one| one.to_bytes()).collect();
        assert_eq!(
            entries,
            [b"AB=2".as_slice(), b"C=\xff", b"A=9", b"PWD=/srv"]
        );
    }
}
