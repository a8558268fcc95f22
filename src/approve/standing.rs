//! Whether a person may be at a terminal.
//!
//! That a terminal opens proves nothing: agents start commands on terminals that they made and hold
//! the other end of, and a model has been seen to answer a question there. What is asked on such a
//! terminal is asked of the agent. In doubt it is not a person's.
//!
//! Takes what the kernel says about this process, its session and its ancestors; never anything that
//! a command can set, such as a variable.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use nix::sys::termios::tcgetsid;
use nix::unistd::{Pid, getpgrp, getsid, tcgetpgrp};

use super::Absence;

/// How many ancestors are looked at. A longer chain is not a person's doing.
const MOST_ANCESTORS: usize = 256;

/// Says why nobody can be asked on `terminal`, the controlling terminal of this process.
///
/// # Errors
///
/// The reason.
pub fn check(terminal: &File) -> Result<(), Absence> {
    let session = getsid(None).map_err(|_| Absence::NotAPersons)?;
    // Another terminal can be mounted over `/dev/tty`; it is not the one that controls the session.
    if tcgetsid(terminal) != Ok(session) {
        return Err(Absence::NotAPersons);
    }
    if !Lineage::of(session).is_some_and(|lineage| lineage.may_be_a_persons()) {
        return Err(Absence::NotAPersons);
    }
    if tcgetpgrp(terminal) != Ok(getpgrp()) {
        return Err(Absence::Background);
    }
    Ok(())
}

/// A process as `/proc/PID/stat` tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    /// The device number of its controlling terminal, 0 for none.
    terminal: i32,
    /// Whether it runs this very program.
    is_kibosh: bool,
}

/// What is known about the session that a terminal belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lineage {
    /// This process.
    own: Process,
    /// The session's leader and its ancestors, nearest first, as far as they can be seen.
    leaders: Vec<Process>,
}

impl Lineage {
    /// Reads it; none where this process or the leader cannot be seen.
    fn of(session: Pid) -> Option<Self> {
        let own = process(std::process::id().cast_signed())?;
        let leader = process(session.as_raw())?;
        let ancestors =
            std::iter::successors(Some(leader), |child| process(child.parent)).take(MOST_ANCESTORS);
        Some(Self {
            own,
            leaders: ancestors.collect(),
        })
    }

    /// Three things make a terminal a program's. Its session begins with this process: then somebody
    /// made the session to run just this line. It begins with kibosh or a child of it: then an agent's
    /// shell made it. Or a process above the leader has another terminal: then the terminal was made
    /// inside that one, by a program that holds the other end.
    fn may_be_a_persons(&self) -> bool {
        let Some((leader, above)) = self.leaders.split_first() else {
            return false;
        };
        let ours = |process: &Process| process.id == self.own.id || process.is_kibosh;
        let made_by_us = ours(leader) || above.first().is_some_and(ours);
        let nested = above
            .iter()
            .any(|process| ![0, self.own.terminal].contains(&process.terminal));
        self.own.terminal != 0 && !made_by_us && !nested && self.leaders.len() < MOST_ANCESTORS
    }
}

/// Reads one process; none where it cannot be seen.
fn process(id: i32) -> Option<Process> {
    if id <= 0 {
        return None;
    }
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (parent, terminal) = parse(&stat)?;
    Some(Process {
        id,
        parent,
        terminal,
        is_kibosh: runs_this_program(id),
    })
}

/// Parent and terminal out of `/proc/PID/stat`: `id (name) state ppid pgrp session tty_nr …`, where
/// the name may hold anything, parentheses and newlines too (proc_pid_stat(5)).
fn parse(stat: &str) -> Option<(i32, i32)> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(1);
    let parent = fields.next()?.parse().ok()?;
    let terminal = fields.nth(2)?.parse().ok()?;
    Some((parent, terminal))
}

/// Whether a process runs the same file as this one. What cannot be seen belongs to another user, whom
/// an agent cannot be.
fn runs_this_program(id: i32) -> bool {
    let file = |path: String| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    match (
        file(format!("/proc/{id}/exe")),
        file("/proc/self/exe".to_owned()),
    ) {
        (Ok(other), Ok(own)) => other == own,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PTS: i32 = 34817;

    fn seen(id: i32, parent: i32, terminal: i32) -> Process {
        Process {
            id,
            parent,
            terminal,
            is_kibosh: false,
        }
    }

    fn lineage(leaders: &[Process]) -> Lineage {
        Lineage {
            own: Process {
                is_kibosh: true,
                ..seen(100, 90, PTS)
            },
            leaders: leaders.to_vec(),
        }
    }

    #[test]
    fn whose_terminal_it_is() {
        let kibosh = |id| Process {
            is_kibosh: true,
            ..seen(id, 1, PTS)
        };
        let bash = seen(50, 40, PTS);
        for (case, leaders, person) in [
            (
                "a shell that a terminal emulator started",
                vec![bash, seen(40, 1, 0)],
                true,
            ),
            (
                "a shell that ssh started",
                vec![bash, seen(40, 30, 0), seen(30, 1, 0)],
                true,
            ),
            ("a login shell whose parent is not seen", vec![bash], true),
            (
                "a leader on the console, below getty",
                vec![bash, seen(40, 1, PTS)],
                true,
            ),
            (
                "we lead the session",
                vec![Process {
                    is_kibosh: true,
                    ..seen(100, 40, PTS)
                }],
                false,
            ),
            ("another kibosh leads it", vec![kibosh(50)], false),
            ("a child of kibosh leads it", vec![bash, kibosh(40)], false),
            (
                "our own child leads it",
                vec![seen(101, 100, PTS), kibosh(100)],
                false,
            ),
            (
                "a terminal inside another",
                vec![bash, seen(40, 30, 0), seen(30, 1, 34816)],
                false,
            ),
            ("no leader is seen", vec![], false),
            (
                "an endless chain",
                vec![seen(50, 40, 0); MOST_ANCESTORS],
                false,
            ),
        ] {
            assert_eq!(lineage(&leaders).may_be_a_persons(), person, "{case}");
        }
    }

    #[test]
    fn without_a_terminal_of_our_own_there_is_nobody() {
        let none = Lineage {
            own: seen(100, 90, 0),
            leaders: vec![seen(50, 1, 0)],
        };
        assert!(!none.may_be_a_persons());
    }

    #[test]
    fn a_name_cannot_forge_the_fields_of_a_process() {
        assert_eq!(parse("7 (a) S 1 7 7 34817 -1 0"), Some((1, 34817)));
        assert_eq!(
            parse("7 (x) S 9 9 9 9\n) S 1 7 7 34817 -1 0"),
            Some((1, 34817))
        );
        assert_eq!(parse("7 (a"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_is_seen_as_what_it_is() {
        let own = process(std::process::id().cast_signed()).unwrap();
        assert!(own.is_kibosh && own.parent > 0);
        assert_eq!(process(0), None);
    }
}
