//! Whether a person may be at the terminal of a process.
//!
//! That a terminal opens proves nothing: agents start commands on terminals that they made and hold
//! the other end of, and a model has been seen to answer a question there. What is asked on such a
//! terminal is asked of the agent. In doubt it is not a person's.
//!
//! Takes what the kernel says about the process, its session and its ancestors; never anything that
//! a command can set, such as a variable.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::sys::stat::{self, Stat};

/// How many ancestors are looked at. A longer chain is not a person's doing.
const MOST_ANCESTORS: usize = 256;
/// How many terminals inside one another are looked at.
const MOST_TERMINALS: usize = 4;

/// Whether a person may be at the controlling terminal of a process.
#[must_use]
pub fn is_a_persons(id: i32) -> bool {
    process(id).is_some_and(|own| may_be_a_persons(&own, &process))
}

/// Whether no process above one has a terminal, but the one that it has itself: then nobody waits there for the
/// process to stop, and does something else meanwhile.
#[must_use]
pub fn is_outermost(id: i32) -> bool {
    let Some(own) = process(id) else { return false };
    let above: Vec<Process> = above(&own).collect();
    let is_elsewhere = |one: &Process| ![0, own.terminal].contains(&one.terminal) && !adopts(one);
    above.len() < MOST_ANCESTORS && !above.iter().any(is_elsewhere)
}

fn above(own: &Process) -> impl Iterator<Item = Process> {
    std::iter::successors(process(own.parent), |child| process(child.parent)).take(MOST_ANCESTORS)
}

/// How the names of programs begin in which every process of the user can press keys and read the screen.
const SHARED: &[&str] = &["tmux", "screen", "SCREEN", "zellij", "dtach", "abduco"];

/// The program of that kind that a process is below, if it is.
#[must_use]
pub fn shared_by(id: i32) -> Option<String> {
    let own = process(id)?;
    [own]
        .into_iter()
        .chain(above(&own))
        .filter_map(|process| fs::read_to_string(format!("/proc/{}/comm", process.id)).ok())
        .map(|name| name.trim_end().trim_end_matches(": server").to_owned())
        .find(|name| SHARED.iter().any(|known| name.starts_with(known)))
}

/// The terminal of a device number as a file that no other terminal shares, unlike `/dev/tty`; none where it has
/// no name that is known.
#[must_use]
pub fn device(number: i32) -> Option<PathBuf> {
    // 136 are pseudo-terminals, 4 is the console.
    let (major, minor) = stat::device(number);
    let path = match major {
        136 => format!("/dev/pts/{minor}"),
        4 => format!("/dev/tty{minor}"),
        _ => return None,
    };
    Some(PathBuf::from(path))
}

/// A process as the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    session: i32,
    /// The device number of its controlling terminal, 0 for none.
    terminal: i32,
    /// Whether its process group is the one in front on that terminal.
    is_in_front: bool,
    program: Program,
}

/// What a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// This very program.
    Kibosh,
    /// A program that runs as root whoever starts it, such as `sudo`.
    SetUserRoot,
    /// Another one, or one that cannot be seen: it belongs to another user, whom an agent cannot be.
    Other,
}

/// Three things make the terminal of `own` a program's. Its session begins with this process: then
/// somebody made the session to run just this line. It begins with kibosh or a child of it: then an
/// agent's shell made it. Or a process above the leader has another terminal: then the terminal was
/// made inside that one, by a program that holds the other end.
///
/// `sudo` is such a program too, but takes what is typed from the terminal that it was started on: its
/// terminal is a person's where that one is.
fn may_be_a_persons(own: &Process, process: &dyn Fn(i32) -> Option<Process>) -> bool {
    let mut asked = *own;
    for _ in 0..MOST_TERMINALS {
        let Some(leader) = process(asked.session) else {
            return false;
        };
        let above: Vec<Process> =
            std::iter::successors(process(leader.parent), |child| process(child.parent))
                .take(MOST_ANCESTORS)
                .collect();
        let ours = |process: &Process| process.id == own.id || process.program == Program::Kibosh;
        let made_by_us = ours(&leader) || above.first().is_some_and(ours);
        if asked.terminal == 0 || made_by_us || above.len() == MOST_ANCESTORS {
            return false;
        }
        let elsewhere = |process: &&Process| ![0, asked.terminal].contains(&process.terminal);
        let maker = above
            .iter()
            .filter(|process| !adopts(process))
            .find(elsewhere);
        match maker {
            None => return true,
            Some(maker) if maker.program == Program::SetUserRoot => asked = *maker,
            Some(_) => return false,
        }
    }
    false
}

/// Whether a process is the first one of a container, a person's shell with another job in front: it is
/// the parent of all that lost theirs (a multiplexer, say), and made none of it.
fn adopts(process: &Process) -> bool {
    process.id == 1 && !process.is_in_front
}

/// Reads one process; none where it cannot be seen.
fn process(id: i32) -> Option<Process> {
    if id <= 0 {
        return None;
    }
    let stat = Stat::of(id)?;
    Some(Process {
        id,
        parent: stat.parent,
        session: stat.session,
        terminal: stat.terminal,
        is_in_front: stat.group == stat.front,
        program: program(id),
    })
}

fn program(id: i32) -> Program {
    let file = |path: &str| fs::metadata(path).ok();
    let (Some(theirs), Some(own)) = (file(&format!("/proc/{id}/exe")), file("/proc/self/exe"))
    else {
        return Program::Other;
    };
    if (theirs.dev(), theirs.ino()) == (own.dev(), own.ino()) {
        Program::Kibosh
    } else if theirs.uid() == 0 && theirs.mode() & libc::S_ISUID != 0 {
        Program::SetUserRoot
    } else {
        Program::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: i32 = 100;
    /// The session of a process that has another job in front.
    const BEHIND: i32 = 2;
    const OURS: i32 = 34817;
    const THEIRS: i32 = 34816;

    /// Whether kibosh, process 100 in session 50, may ask, among processes given as
    /// `(id, parent, session, terminal, program)`.
    fn may_ask(terminal: i32, others: &[(i32, i32, i32, i32, Program)]) -> bool {
        let session = if others.iter().any(|other| other.0 == 50) {
            50
        } else {
            OWN
        };
        let own = Process {
            id: OWN,
            parent: 50,
            session,
            terminal,
            is_in_front: true,
            program: Program::Kibosh,
        };
        let process = |id| {
            others
                .iter()
                .map(|&(id, parent, session, terminal, program)| Process {
                    id,
                    parent,
                    session,
                    terminal,
                    is_in_front: session != BEHIND,
                    program,
                })
                .chain([own])
                .find(|process| process.id == id)
        };
        may_be_a_persons(&own, &process)
    }

    #[test]
    fn whose_terminal_it_is() {
        use Program::{Kibosh, Other, SetUserRoot};
        let shell = (50, 40, 50, OURS, Other);
        for (case, others, person) in [
            (
                "a terminal emulator's shell",
                vec![shell, (40, 1, 40, 0, Other)],
                true,
            ),
            (
                "a shell that ssh started",
                vec![shell, (40, 30, 30, 0, Other), (30, 1, 30, 0, Other)],
                true,
            ),
            ("a login shell whose parent is not seen", vec![shell], true),
            (
                "a leader on the console, below getty",
                vec![shell, (40, 1, 40, OURS, Other)],
                true,
            ),
            ("we lead the session", vec![], false),
            (
                "another kibosh leads it",
                vec![(50, 40, 50, OURS, Kibosh)],
                false,
            ),
            (
                "a child of kibosh leads it",
                vec![shell, (40, 1, 40, 0, Kibosh)],
                false,
            ),
            (
                "a child of ours leads it",
                vec![(50, OWN, 50, OURS, Other)],
                false,
            ),
            (
                "a terminal inside another",
                vec![shell, (40, 30, 40, 0, Other), (30, 1, 30, THEIRS, Other)],
                false,
            ),
            (
                "a multiplexer's in a container, whose first process is a shell with a job in front",
                vec![shell, (40, 1, 40, 0, Other), (1, 0, BEHIND, THEIRS, Other)],
                true,
            ),
            (
                "one that the first process of a container made",
                vec![(50, 1, 50, OURS, Other), (1, 0, 1, THEIRS, Other)],
                false,
            ),
            (
                "one inside that of a shell that is not the first process",
                vec![shell, (40, 1, BEHIND, THEIRS, Other)],
                false,
            ),
            (
                "sudo's on a person's",
                vec![
                    shell,
                    (40, 30, 30, THEIRS, SetUserRoot),
                    (30, 20, 30, THEIRS, Other),
                ],
                true,
            ),
            (
                "sudo's on a terminal that kibosh leads",
                vec![
                    shell,
                    (40, 30, 30, THEIRS, SetUserRoot),
                    (30, 20, 30, THEIRS, Kibosh),
                ],
                false,
            ),
            (
                "sudo's on a terminal inside another",
                vec![
                    shell,
                    (40, 30, 30, THEIRS, SetUserRoot),
                    (30, 20, 30, THEIRS, Other),
                    (20, 1, 20, 34818, Other),
                ],
                false,
            ),
            (
                "an endless chain",
                vec![shell, (40, 41, 40, 0, Other), (41, 40, 40, 0, Other)],
                false,
            ),
        ] {
            assert_eq!(may_ask(OURS, &others), person, "{case}");
        }
    }

    #[test]
    fn without_a_terminal_there_is_nobody() {
        assert!(!may_ask(0, &[(50, 1, 50, 0, Program::Other)]));
    }

    #[test]
    fn this_process_is_seen_as_what_it_is() {
        let own = process(std::process::id().cast_signed()).unwrap();
        assert!(own.program == Program::Kibosh && own.parent > 0);
        assert_eq!(process(0), None);
    }
}
