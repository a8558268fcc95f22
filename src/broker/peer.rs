//! Who may take part: a process of the same user that is not below a guarded session.
//!
//! Each process below a guarded session carries the filter of its supervisor, which the kernel never takes
//! away again. So whoever has more filters than who looks, or than the first process has, is none that is
//! spoken to: where containers put a filter on all processes, all have it. Takes what the kernel says of the
//! other end of a connection, and nothing that the other end says.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use crate::sys;
use crate::sys::stat::Status;

/// Why a process may not take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stranger {
    /// It belongs to another user, or cannot be seen from here.
    Elsewhere,
    /// It has a filter, as all have that come from a guarded session.
    Guarded,
    /// The kernel does not tell of filters (before Linux 5.9).
    Unknown,
    /// Another process traces it.
    Traced,
    /// It runs another program; as kibosh does that has been replaced since it was started.
    Program,
    /// It has ended.
    Gone,
}

impl fmt::Display for Stranger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Elsewhere => "the process at the other end is another user's, or cannot be seen",
            Self::Guarded => {
                "the process is below a guarded session, or under a filter of calls that others here do not have"
            }
            Self::Unknown => {
                "the kernel does not tell which processes are guarded (before Linux 5.9, or /proc is hidden)"
            }
            Self::Traced => "the process is traced by another one",
            Self::Program => "the process runs another program than this one, or another version of it",
            Self::Gone => "the process has ended",
        })
    }
}

impl std::error::Error for Stranger {}

/// A process at the other end that may take part.
#[derive(Debug)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its number.
    pub id: i32,
    process: OwnedFd,
}

impl Peer {
    /// The process at the other end of a connection: one of this user, or of anybody where the socket itself tells
    /// who may connect.
    ///
    /// # Errors
    ///
    /// Why it may not take part.
    pub fn of(stream: &UnixStream, user: Option<u32>) -> Result<Self, Stranger> {
        let (id, uid) = sys::peer::of(stream).map_err(|_| Stranger::Gone)?;
        if id <= 0 || user.is_some_and(|user| user != uid) {
            return Err(Stranger::Elsewhere);
        }
        let process = sys::peer::watch(stream, id).map_err(|_| Stranger::Gone)?;
        let peer = Self { uid, id, process };
        peer.check()?;
        Ok(peer)
    }

    /// Looks at it again: what it may not be, it can become later.
    ///
    /// # Errors
    ///
    /// Why it may not take part.
    pub fn check(&self) -> Result<(), Stranger> {
        let standing = Standing::of(&self.id.to_string());
        let program = program(self.id);
        // If it still runs, all that was read was of it and of no later process of that number.
        if !self.runs() {
            return Err(Stranger::Gone);
        }
        weigh(standing, most_filters())?;
        match program {
            Program::Other => Err(Stranger::Program),
            Program::Kibosh | Program::Unseen => Ok(()),
        }
    }

    fn runs(&self) -> bool {
        let mut polled = [PollFd::new(self.process.as_fd(), PollFlags::POLLIN)];
        poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }
}

/// Whether this process may take part.
///
/// # Errors
///
/// Why not.
pub fn check_this() -> Result<(), Stranger> {
    weigh(Standing::of("self"), Standing::of("1").filters)
}

/// Whether a process is not guarded and not traced, as who takes part.
///
/// # Errors
///
/// Why not.
pub fn check_process(id: i32) -> Result<(), Stranger> {
    weigh(Standing::of(&id.to_string()), most_filters())
}

/// How many filters the other end may have.
fn most_filters() -> Option<u32> {
    let own = Standing::of("self").filters?;
    Some(own.min(Standing::of("1").filters?))
}

/// What `/proc/PID/status` says of a process (proc_pid_status(5)); none of what it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    filters: Option<u32>,
    tracer: Option<i32>,
}

impl Standing {
    fn of(process: &str) -> Self {
        Status::of(process)
            .map(|status| Self::read(&status))
            .unwrap_or_default()
    }

    fn read(status: &Status) -> Self {
        Self {
            filters: status.number("Seccomp_filters:"),
            tracer: status.number("TracerPid:"),
        }
    }
}

fn weigh(standing: Standing, most: Option<u32>) -> Result<(), Stranger> {
    let (Some(filters), Some(tracer), Some(most)) = (standing.filters, standing.tracer, most)
    else {
        return Err(Stranger::Unknown);
    };
    if filters > most {
        Err(Stranger::Guarded)
    } else if tracer != 0 {
        Err(Stranger::Traced)
    } else {
        Ok(())
    }
}

/// What a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Kibosh,
    Other,
    /// It lets nobody look into it, as brokers and reviewers do, so that nobody can steer them. Who may take
    /// part is told by the filters; that it is no other program is only a second look.
    Unseen,
}

fn program(id: i32) -> Program {
    let own = fs::metadata("/proc/self/exe");
    match (fs::metadata(format!("/proc/{id}/exe")), own) {
        (Ok(theirs), Ok(own)) if (theirs.dev(), theirs.ino()) == (own.dev(), own.ino()) => {
            Program::Kibosh
        }
        (Err(error), Ok(_)) if error.kind() == io::ErrorKind::PermissionDenied => Program::Unseen,
        _ => Program::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_filters_or_a_tracer_is_a_stranger_and_so_is_who_cannot_be_told() {
        let standing = |filters, tracer| Standing { filters, tracer };
        for (case, standing, most, expected) in [
            ("free", standing(Some(0), Some(0)), Some(0), Ok(())),
            ("a container's", standing(Some(1), Some(0)), Some(1), Ok(())),
            (
                "guarded",
                standing(Some(1), Some(0)),
                Some(0),
                Err(Stranger::Guarded),
            ),
            (
                "in a container",
                standing(Some(2), Some(0)),
                Some(1),
                Err(Stranger::Guarded),
            ),
            (
                "traced",
                standing(Some(0), Some(7)),
                Some(0),
                Err(Stranger::Traced),
            ),
            (
                "old kernel",
                standing(None, Some(0)),
                Some(0),
                Err(Stranger::Unknown),
            ),
            (
                "hidden first",
                standing(Some(0), Some(0)),
                None,
                Err(Stranger::Unknown),
            ),
            (
                "hidden",
                standing(None, None),
                Some(0),
                Err(Stranger::Unknown),
            ),
        ] {
            assert_eq!(weigh(standing, most), expected, "{case}");
        }
    }

    #[test]
    fn a_name_cannot_forge_the_fields() {
        let status =
            "Name:\tSeccomp_filters:\t0\nTracerPid:\t4\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        let expected = Standing {
            filters: Some(3),
            tracer: Some(4),
        };
        assert_eq!(Standing::read(&Status::reads(status)), expected);
        assert_eq!(
            Standing::read(&Status::reads("Name:\tx\n")),
            Standing::default()
        );
    }
}
