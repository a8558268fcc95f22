//! The file that an exec would start: which one it is, by what names it is known, and what starts it.
//!
//! Takes a task and a path as the task means it, gives facts about the file. It opens nothing that could
//! wait or act, and decides nothing.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode, SFlag, lstat, stat};

use super::content;

/// How deep scripts may be scripts' interpreters (linux/fs/exec.c).
const DEEPEST: usize = 5;
/// How much of a file the kernel looks at for `#!` (`BINPRM_BUF_SIZE`).
const FIRST_LINE: usize = 256;

/// A file, as the kernel tells it from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
}

/// A file, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Which one.
    pub identity: Identity,
    /// Whether who starts it gains rights by that (inode(7), set-user-ID and set-group-ID).
    pub gains: bool,
    size: i64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            identity: Identity { device, inode },
            gains,
            size,
            changed: (second, fraction),
            modified,
        } = self;
        write!(
            out,
            "{device}:{inode} {gains} {size} {second}.{fraction} {}.{}",
            modified.0, modified.1
        )
    }
}

impl State {
    /// The state that stat(2) told.
    #[must_use]
    pub fn of(stat: &FileStat) -> Self {
        Self {
            identity: Identity {
                device: stat.st_dev,
                inode: stat.st_ino,
            },
            gains: stat.st_mode & (libc::S_ISUID | libc::S_ISGID) != 0,
            size: stat.st_size,
            changed: (stat.st_ctime, stat.st_ctime_nsec),
            modified: (stat.st_mtime, stat.st_mtime_nsec),
        }
    }
}

/// What a file would be started as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program.
    Program,
    /// A script whose first line names what reads it.
    Script {
        /// As the line names it.
        interpreter: Vec<u8>,
        /// The one argument that the line may give.
        argument: Option<Vec<u8>>,
    },
    /// Neither: a shell reads it as a script, where it is started by one.
    Text,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its path after links, as the supervisor sees it.
    pub real: PathBuf,
    /// What it would be started as.
    pub kind: Kind,
    /// What its content is known by.
    pub content: content::Mark,
}

/// Where a task would look for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Below `/proc/TASK`.
    below: PathBuf,
    follow: bool,
}

impl Place {
    /// A path as a task means it. `descriptor` is where a relative one begins, none for the working
    /// directory.
    ///
    /// What the kernel makes of `/proc/self` depends on who asks, so it is named here as the task's.
    #[must_use]
    pub fn of(path: &[u8], descriptor: Option<i32>, follow: bool) -> Self {
        const OWN: [(&[u8], &str); 4] = [
            (b"/proc/self/", ""),
            (b"/proc/thread-self/", ""),
            (b"/dev/fd/", "fd"),
            (b"/proc/curproc/", ""),
        ];
        let own = OWN.iter().find_map(|(prefix, folder)| {
            let rest = path.strip_prefix(*prefix)?;
            Some(Path::new(folder).join(OsStr::from_bytes(rest)))
        });
        let below = match (own, path.strip_prefix(b"/"), descriptor) {
            (Some(own), ..) => own,
            (None, Some(absolute), _) => {
                let rest = absolute.iter().position(|&byte| byte != b'/');
                let rest = rest.and_then(|at| absolute.get(at..)).unwrap_or_default();
                Path::new("root").join(OsStr::from_bytes(rest))
            }
            (None, None, Some(descriptor)) if path.is_empty() => {
                PathBuf::from(format!("fd/{descriptor}"))
            }
            (None, None, Some(descriptor)) => {
                Path::new(&format!("fd/{descriptor}")).join(OsStr::from_bytes(path))
            }
            (None, None, None) => Path::new("cwd").join(OsStr::from_bytes(path)),
        };
        Self { below, follow }
    }

    /// Whether it begins at the root, and is followed.
    #[must_use]
    pub fn is_absolute(&self) -> bool {
        self.follow && self.below.starts_with("root")
    }

    /// The state of the file that stands there.
    ///
    /// # Errors
    ///
    /// What stat(2) reports; EACCES where it is no plain file or nobody may execute it, as execve(2) has
    /// it.
    pub fn state(&self, task: &Path) -> nix::Result<State> {
        let path = task.join(&self.below);
        if self.follow {
            return state(&stat(&path)?);
        }
        let stat = lstat(&path)?;
        if is_link(&stat) {
            Err(nix::errno::Errno::ELOOP)
        } else {
            state(&stat)
        }
    }

    /// What is known of the file that stands there, if it is the one in this state.
    ///
    /// # Errors
    ///
    /// What open(2) and read(2) report, but EPERM where it may not be read, which the kernel need not
    /// mind; ESTALE where it is another file by now.
    pub fn facts(&self, task: &Path, state: &State) -> io::Result<Facts> {
        let mut flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        if !self.follow {
            flags |= OFlag::O_NOFOLLOW;
        }
        let opened = open(&task.join(&self.below), flags, Mode::empty());
        let file = File::from(opened.map_err(|errno| match errno {
            nix::errno::Errno::EACCES => nix::errno::Errno::EPERM,
            other => other,
        })?);
        if State::of(&nix::sys::stat::fstat(&file)?) != *state {
            return Err(io::Error::from_raw_os_error(libc::ESTALE));
        }
        let mut head = [0; content::HEAD];
        let length = file.read_at(&mut head, 0)?;
        let head = head.get(..length).unwrap_or_default();
        let real = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        Ok(Facts {
            real,
            kind: kind(head),
            content: content::mark(&file, head),
        })
    }
}

/// The state of a file that may be executed.
fn state(stat: &FileStat) -> nix::Result<State> {
    if is_plain(stat) && stat.st_mode & 0o111 != 0 {
        Ok(State::of(stat))
    } else {
        Err(nix::errno::Errno::EACCES)
    }
}

fn is_link(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFLNK
}

fn is_plain(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

/// What a file is started as, by the beginning of its content: `load_script` of linux/fs/binfmt_script.c,
/// step by step.
fn kind(head: &[u8]) -> Kind {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    if head.starts_with(b"\x7fELF") {
        return Kind::Program;
    }
    if !head.starts_with(b"#!") {
        return Kind::Text;
    }
    // The kernel's buffer is filled up with NULs.
    let mut buffer = [0; FIRST_LINE];
    let known = head.len().min(FIRST_LINE);
    if let (Some(place), Some(head)) = (buffer.get_mut(..known), head.get(..known)) {
        place.copy_from_slice(head);
    }
    let ends_path = |byte: &u8| blank(byte) || *byte == 0;
    let line = match buffer.iter().position(|&byte| byte == b'\n') {
        Some(end) => buffer.get(2..end),
        // Without an end of the line the path must have one, else it may be cut off.
        None => buffer.get(2..FIRST_LINE.saturating_sub(1)).filter(|line| {
            let start = line.iter().position(|byte| !blank(byte));
            let path = start.and_then(|start| line.get(start..));
            path.is_some_and(|path| path.iter().any(ends_path))
        }),
    };
    let line = line.unwrap_or_default();
    let last = line.iter().rposition(|byte| !blank(byte));
    let first = line.iter().position(|byte| !blank(byte));
    let (Some(first), Some(last)) = (first, last) else {
        return Kind::Text;
    };
    let line = line.get(first..=last).unwrap_or_default();
    let (interpreter, rest) = match line.iter().position(ends_path) {
        Some(end) => line.split_at_checked(end).unwrap_or((line, &[])),
        None => (line, &[][..]),
    };
    let argument = rest.first().filter(|byte| blank(byte)).and_then(|_| {
        let start = rest.iter().position(|byte| !blank(byte))?;
        rest.get(start..)?.split(|&byte| byte == 0).next()
    });
    Kind::Script {
        interpreter: interpreter.to_vec(),
        argument: argument.map(<[u8]>::to_vec),
    }
}

/// One of the files that an exec starts: the one it names, then what reads that, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it was named.
    pub name: Vec<u8>,
    /// Which file that is.
    pub state: State,
    /// What is known of it.
    pub facts: std::rc::Rc<Facts>,
}

/// Files whose facts were looked up before.
#[derive(Debug, Default)]
pub struct Known(std::collections::HashMap<(Vec<u8>, State), std::rc::Rc<Facts>>);

/// How many files are remembered.
const MOST_KNOWN: usize = 4096;

impl Known {
    /// The files that an exec would start, the one that it names first.
    ///
    /// # Errors
    ///
    /// What the kernel would say of the first one that cannot be found or executed; EPERM where it cannot
    /// be read; ELOOP where scripts read scripts without end.
    pub fn steps(&mut self, task: &Path, name: &[u8], place: Place) -> io::Result<Vec<Step>> {
        self.follow(
            name,
            place,
            |_, place| Ok(place.state(task)?),
            |place, state| place.facts(task, state),
        )
    }

    /// As [`Self::steps`], as this process finds the files itself; none where one of them is not known yet, or may
    /// be another one for each who looks.
    pub fn at_once(&mut self, name: &[u8], place: &Place) -> Option<Vec<Step>> {
        let not_here = || io::Error::from(io::ErrorKind::Unsupported);
        let here = |name: &[u8], place: &Place| {
            if !place.is_absolute() {
                return Err(not_here());
            }
            Ok(state(&stat(name)?)?)
        };
        let steps = self.follow(name, place.clone(), here, |_, _| Err(not_here()));
        steps.ok()
    }

    /// The files from one to the next that reads it. What is known of one is looked up where it is not remembered.
    fn follow(
        &mut self,
        name: &[u8],
        place: Place,
        state: impl Fn(&[u8], &Place) -> io::Result<State>,
        facts: impl Fn(&Place, &State) -> io::Result<Facts>,
    ) -> io::Result<Vec<Step>> {
        let mut steps = Vec::with_capacity(1);
        let (mut name, mut place) = (name.to_vec(), place);
        while steps.len() <= DEEPEST {
            let now = state(&name, &place)?;
            let key = (name, now);
            let facts = match self.0.get(&key) {
                Some(facts) => facts.clone(),
                None => {
                    let facts = std::rc::Rc::new(facts(&place, &key.1)?);
                    if self.0.len() >= MOST_KNOWN {
                        self.0.clear();
                    }
                    self.0.insert(key.clone(), facts.clone());
                    facts
                }
            };
            let next = match &facts.kind {
                Kind::Script { interpreter, .. } => Some(interpreter.clone()),
                Kind::Program | Kind::Text => None,
            };
            let (of_step, state) = key;
            steps.push(Step {
                name: of_step,
                state,
                facts,
            });
            let Some(next) = next else {
                return Ok(steps);
            };
            place = Place::of(&next, None, true);
            name = next;
        }
        Err(io::Error::from_raw_os_error(libc::ELOOP))
    }
}

/// What is known of a task: `/proc/TASK`. The number is that of another one when the task is gone, so this is for
/// tasks that cannot go unnoticed: traced, or waiting for an answer to a call, which then finds nobody.
#[must_use]
pub fn folder(task: i32) -> PathBuf {
    PathBuf::from(format!("/proc/{task}"))
}

/// What is known of a task, as long as the descriptor is open; never of another one.
///
/// # Errors
///
/// Where there is no such task.
pub fn held(task: i32) -> nix::Result<(OwnedFd, PathBuf)> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let held = open(&folder(task), flags, Mode::empty())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
    Ok((held, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_read_as_the_kernel_reads_it() {
        let script = |interpreter: &str, argument: Option<&str>| Kind::Script {
            interpreter: interpreter.into(),
            argument: argument.map(Into::into),
        };
        for (head, expected) in [
            (&b"\x7fELF\x02"[..], Kind::Program),
            (b"#!/bin/sh\necho", script("/bin/sh", None)),
            (b"#! /bin/sh  -e -u \t\n", script("/bin/sh", Some("-e -u"))),
            (b"#!/usr/bin/env bash", script("/usr/bin/env", Some("bash"))),
            (b"#!\n/bin/sh", Kind::Text),
            (b"#! \t\n", Kind::Text),
            (b"#!/bin/sh", script("/bin/sh", None)),
            (b"#!/bin/sh -e  ", script("/bin/sh", Some("-e  "))),
            (b"#!/bin/sh\r\n", script("/bin/sh\r", None)),
            (b"#!/bin/cat\0x y\n", script("/bin/cat", None)),
            (b"#!/bin/sh a\0b\n", script("/bin/sh", Some("a"))),
            (b"echo hi", Kind::Text),
            (b"", Kind::Text),
        ] {
            assert_eq!(kind(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_first_line_that_is_too_long_is_cut_and_never_a_path_that_is() {
        let long = format!("#!/bin/sh {}\n", "a".repeat(300));
        let Kind::Script { argument, .. } = kind(long.as_bytes()) else {
            panic!("{long}")
        };
        assert_eq!(argument.unwrap().len(), 255 - "#!/bin/sh ".len());
        let path = format!("#!/{}\n", "a".repeat(300));
        assert_eq!(kind(path.as_bytes()), Kind::Text);
    }

    #[test]
    fn a_path_is_looked_for_where_the_task_would_look() {
        for (path, descriptor, expected) in [
            (&b"/bin/rm"[..], None, "root/bin/rm"),
            (b"//bin/rm", None, "root/bin/rm"),
            (b"x/y", None, "cwd/x/y"),
            (b"../y", Some(4), "fd/4/../y"),
            (b"", Some(4), "fd/4"),
            (b"/proc/self/exe", None, "exe"),
            (b"/dev/fd/9", None, "fd/9"),
        ] {
            assert_eq!(Place::of(path, descriptor, true).below, Path::new(expected));
        }
    }

    #[test]
    fn a_file_is_followed_to_what_starts_it() {
        let folder_of_test =
            std::env::temp_dir().join(format!("kibosh-target-{}", std::process::id()));
        std::fs::create_dir_all(&folder_of_test).unwrap();
        let script = folder_of_test.join("script");
        std::fs::write(&script, "#!/bin/sh -e\n").unwrap();
        let may = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, may).unwrap();
        let task = folder(std::process::id().cast_signed());
        let name = script.as_os_str().as_bytes();
        let mut known = Known::default();
        let steps = known
            .steps(&task, name, Place::of(name, None, true))
            .unwrap();
        let names: Vec<&[u8]> = steps.iter().map(|step| step.name.as_slice()).collect();
        assert_eq!(names, [name, b"/bin/sh"]);
        assert_eq!(steps[1].facts.kind, Kind::Program);
        let again = known
            .steps(&task, name, Place::of(name, None, true))
            .unwrap();
        assert_eq!(steps, again);
        std::fs::remove_dir_all(&folder_of_test).unwrap();
        let gone = known.steps(&task, name, Place::of(name, None, true));
        assert_eq!(gone.unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn who_gains_rights_by_a_file_is_told_by_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let file = std::env::temp_dir().join(format!("kibosh-gains-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        for (mode, gains) in [
            (0o755, false),
            (0o4755, true),
            (0o2755, true),
            (0o1777, false),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let stat = nix::sys::stat::stat(&file).unwrap();
            assert_eq!(State::of(&stat).gains, gains, "{mode:o}");
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_is_no_plain_file_or_not_executable_cannot_be_started() {
        let task = folder(std::process::id().cast_signed());
        for path in [&b"/"[..], b"/dev/null", b"/etc/passwd"] {
            let state = Place::of(path, None, true).state(&task);
            assert_eq!(state, Err(nix::errno::Errno::EACCES));
        }
    }
}
