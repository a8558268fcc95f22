//! What `/proc/PID/stat` tells of a process (proc_pid_stat(5)), and what tells it from every later one of the
//! same number.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::str::FromStr;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// How much is read: the fields that are told here stand in it, whatever is in them.
const ENOUGH: usize = 1024;

/// A process as the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it does, by the letter of proc_pid_stat(5): `T` where it is stopped.
    pub state: u8,
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// The device number of its controlling terminal, 0 for none.
    pub terminal: i32,
    /// The process group that is in front on that terminal.
    pub front: i32,
    /// When it began, in ticks since the machine did.
    pub began: Option<u64>,
}

impl Stat {
    /// That of the process of a number; none where it cannot be seen.
    #[must_use]
    pub fn of(id: i32) -> Option<Self> {
        let mut buffer = [0; ENOUGH];
        let mut file = File::open(format!("/proc/{id}/stat")).ok()?;
        let length = file.read(&mut buffer).ok()?;
        Self::read(&String::from_utf8_lossy(buffer.get(..length)?))
    }

    /// For how long it has been running, by the clock that goes on while the machine sleeps; up to a tick more.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
        // SAFETY: the call takes a number.
        let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        let ticks = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)?;
        let began = Duration::from_millis(self.began?.checked_mul(1000)? / ticks);
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
        Duration::from(now).checked_sub(began)
    }

    /// Reads `id (name) state ppid pgrp session tty_nr tpgid …`, where the name may hold anything,
    /// parentheses and newlines too.
    fn read(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(") ")?;
        let began = fields
            .split(' ')
            .nth(19)
            .and_then(|field| field.parse().ok());
        let state = *fields.as_bytes().first()?;
        let mut fields = fields
            .split(' ')
            .skip(1)
            .map_while(|field| field.parse::<i32>().ok());
        Some(Self {
            state,
            parent: fields.next()?,
            group: fields.next()?,
            session: fields.next()?,
            terminal: fields.next()?,
            front: fields.next()?,
            began,
        })
    }
}

/// What `/proc/PID/status` tells of a process (proc_pid_status(5)).
#[derive(Clone, Debug)]
pub struct Status(String);

impl Status {
    /// That of a process, by its number or `self`.
    ///
    /// # Errors
    ///
    /// Where it cannot be seen.
    pub fn of(process: impl Display) -> io::Result<Self> {
        fs::read_to_string(format!("/proc/{process}/status")).map(Self)
    }

    /// One that reads so.
    #[cfg(test)]
    pub fn reads(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What stands behind a name, as in `Uid:`; none where it is not told. The name of a program stands in there, too,
    /// with its newlines written out, and first.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines().skip(1);
        lines
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    }

    /// The same as a number.
    #[must_use]
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.field(name)?.parse().ok()
    }
}

/// The major and the minor number of a terminal, which proc_pid_stat(5) packs into one.
#[must_use]
pub fn device(number: i32) -> (u32, u32) {
    let number = number.cast_unsigned();
    (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xf_ff00)
}

/// The children of this process. Whoever ends them looks again until there are none: one that another child makes an
/// orphan, and this process adopts, comes later.
#[must_use]
pub fn children() -> Vec<i32> {
    let own = std::process::id();
    match fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        Ok(numbers) => {
            let numbers = numbers.split_ascii_whitespace();
            numbers.filter_map(|number| number.parse().ok()).collect()
        }
        // Not every kernel has that file.
        Err(_) => children_one_by_one(own.cast_signed()),
    }
}

/// The numbers of all processes that can be seen.
pub fn all() -> impl Iterator<Item = i32> {
    let names = fs::read_dir("/proc").into_iter().flatten();
    names.filter_map(|name| name.ok()?.file_name().to_str()?.parse::<i32>().ok())
}

fn children_one_by_one(own: i32) -> Vec<i32> {
    all()
        .filter(|number| Stat::of(*number).is_some_and(|stat| stat.parent == own))
        .collect()
}

/// A process that no later one of the same number is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub id: i32,
    /// When it began, in ticks since the machine did.
    pub began: u64,
}

impl Process {
    /// The process of this number, where it can be seen.
    #[must_use]
    pub fn of(id: i32) -> Option<Self> {
        Self::with_parent(id).map(|(process, _)| process)
    }

    /// The same, with the number of its parent.
    #[must_use]
    pub fn with_parent(id: i32) -> Option<(Self, i32)> {
        let stat = Stat::of(id)?;
        let began = stat.began?;
        Some((Self { id, began }, stat.parent))
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_there(&self) -> bool {
        Self::of(self.id) == Some(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_fields_of_a_process() {
        for stat in [
            "7 (a) S 1 5 6 34817 5 0",
            "7 (x) S 9 9 9 9 9\n) S 1 5 6 34817 5 0",
        ] {
            let read = Stat::read(stat).unwrap();
            assert_eq!((read.parent, read.session, read.terminal), (1, 6, 34817));
            assert_eq!((read.group, read.state), (read.front, b'S'));
        }
        for broken in [
            "",
            "7 (a",
            "7 (a) S",
            "7 (a) S 1 5 6 34817",
            "7 (a) S 1 5 x 34817 5",
        ] {
            assert_eq!(Stat::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn children_are_found_either_way() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (id, own) = (child.id().cast_signed(), std::process::id().cast_signed());
        assert!(children_one_by_one(own).contains(&id));
        assert!(!children_one_by_one(id).contains(&id));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children_one_by_one(own).contains(&id));
    }

    #[test]
    fn a_process_is_told_from_others_of_its_number() {
        let own = std::process::id().cast_signed();
        let (process, parent) = Process::with_parent(own).unwrap();
        assert_eq!(parent, std::os::unix::process::parent_id().cast_signed());
        assert!(process.is_there() && process.began > 0);
        let later = Process {
            began: process.began + 1,
            ..process
        };
        assert!(!later.is_there() && Process::of(0).is_none());
    }
}
