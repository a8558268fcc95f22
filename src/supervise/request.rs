//! One exec, as its caller asks for it, or as it stands before its first instruction.
//!
//! Takes a notification or a stopped task, gives everything that is judged about it.

use std::io;
use std::path::{Path, PathBuf};

use super::filter;
use super::target::{self, Kind, Known, Place, Step};
use super::vectors::{Call, Texts};
use super::verify::{self, Expected};
use crate::sys::filter::Notification;

/// One exec.
#[derive(Debug)]
pub struct Request {
    /// The task that becomes a program.
    pub task: i32,
    /// Its `/proc/TASK`.
    pub folder: PathBuf,
    /// The path as it was given; that of a descriptor where there is none.
    pub path: Vec<u8>,
    /// The arguments as they were given.
    pub argv: Texts,
    /// The environment.
    pub environment: Texts,
    /// The working directory.
    pub cwd: Vec<u8>,
    /// The file, and what reads it where it is a script, and so on.
    pub steps: Vec<Step>,
    /// Where the task finds the file.
    place: Place,
    /// Whether the files are those that this process finds, which may have another root.
    is_assumed: bool,
}

/// Why an exec is not looked at any further.
#[derive(Debug)]
pub enum Fault {
    /// The kernel would say the same.
    NotThere(i32),
    /// It cannot be examined.
    Hidden(io::Error),
}

/// Errors that the kernel would give for the path, too.
const OF_THE_PATH: [i32; 6] = [
    libc::ENOENT,
    libc::EACCES,
    libc::ENOTDIR,
    libc::ELOOP,
    libc::ENAMETOOLONG,
    libc::EFAULT,
];

/// The flags of execveat(2): `AT_SYMLINK_NOFOLLOW`, `AT_EMPTY_PATH` and, from Linux 6.14 on,
/// `AT_EXECVE_CHECK`, with which nothing is started.
const KNOWN_FLAGS: u32 = libc::AT_SYMLINK_NOFOLLOW as u32 | libc::AT_EMPTY_PATH as u32 | 0x1_0000;

impl Request {
    /// The exec that a notification is about. Files that are known are looked for from the root of this process, which
    /// is mostly that of the task, too: enough to find what was allowed before. To judge it, see [`Self::look`].
    ///
    /// # Errors
    ///
    /// Why it cannot be judged.
    pub fn of(notification: &Notification, known: &mut Known) -> Result<Self, Fault> {
        let task = notification.pid.cast_signed();
        let data = &notification.data;
        let is_at = filter::is_execveat(data.arch, data.nr) == Some(true);
        let pointer = if data.arch == filter::OTHER_MACHINE {
            4
        } else {
            8
        };
        let mut arguments = data.args.iter().copied();
        let descriptor = if is_at {
            // A descriptor is 32 bits wide.
            let number = arguments.next().unwrap_or_default() as u32;
            Some(number.cast_signed()).filter(|number| *number != libc::AT_FDCWD)
        } else {
            None
        };
        let mut next = || arguments.next().unwrap_or_default();
        let (path, argv, envp, flags) = (next(), next(), next(), next());
        let flags = if is_at { flags } else { 0 };
        let call = Call::of(task, path, argv, envp, pointer).map_err(hidden)?;
        let path = &call.path;
        // As the kernel takes them: 32 bits wide.
        let flags = flags as u32;
        if flags & !KNOWN_FLAGS != 0 {
            return Err(Fault::NotThere(libc::EINVAL));
        }
        let is_empty = flags & libc::AT_EMPTY_PATH as u32 != 0;
        if path.is_empty() && !(is_at && is_empty) {
            return Err(Fault::NotThere(libc::ENOENT));
        }
        let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
        let folder = target::folder(task);
        let name = match descriptor {
            Some(number) if path.is_empty() => format!("/dev/fd/{number}").into_bytes(),
            Some(number) if !path.starts_with(b"/") => {
                [format!("/dev/fd/{number}/").as_bytes(), path].concat()
            }
            _ => path.clone(),
        };
        let place = Place::of(path, descriptor, follow);
        let assumed = known.at_once(&name, &place);
        let is_assumed = assumed.is_some();
        let steps = assumed.map_or_else(|| known.steps(&folder, &name, place.clone()), Ok);
        let steps = steps.map_err(|error| match descriptor {
            Some(number) if !path.starts_with(b"/") && is_closed(&folder, number) => {
                Fault::NotThere(libc::EBADF)
            }
            _ => of_file(error),
        })?;
        // A program is looked for in one folder after the other (execvp(3)): what is not there needs no more.
        let (argv, environment) = call.texts().map_err(hidden)?;
        let cwd = verify::cwd(&folder).map_err(Fault::Hidden)?;
        Ok(Self {
            task,
            folder,
            path: name,
            argv,
            environment,
            cwd,
            steps,
            place,
            is_assumed,
        })
    }

    /// The same with the files that the task finds.
    ///
    /// # Errors
    ///
    /// Why it cannot be judged.
    pub fn look(mut self, known: &mut Known) -> Result<Self, Fault> {
        if self.is_assumed {
            let steps = known.steps(&self.folder, &self.path, self.place.clone());
            self.steps = steps.map_err(of_file)?;
            self.is_assumed = false;
        }
        Ok(self)
    }

    /// Whether the same files would be started as when it was judged, as they were then.
    pub fn is_as_it_was(&self, known: &mut Known) -> bool {
        let now = known.steps(&self.folder, &self.path, self.place.clone());
        now.is_ok_and(|now| {
            let states = |steps: &[Step]| steps.iter().map(|step| step.state).collect::<Vec<_>>();
            states(&now) == states(&self.steps)
        })
    }

    /// The program that a task which is stopped at its exec has become.
    ///
    /// # Errors
    ///
    /// Where it cannot be looked at.
    pub fn started(task: i32, known: &mut Known) -> io::Result<Self> {
        let folder = target::folder(task);
        let (argv, environment) = verify::texts(&folder)?;
        let path = verify::program(&folder)?;
        let cwd = verify::cwd(&folder)?;
        let place = Place::of(b"/proc/self/exe", None, true);
        let steps = known.steps(&folder, &path, place.clone())?;
        Ok(Self {
            task,
            folder,
            path,
            argv,
            environment,
            cwd,
            steps,
            place,
            is_assumed: false,
        })
    }

    /// What the kernel will make of it: a script is an argument of what reads it (execve(2),
    /// "Interpreter scripts").
    #[must_use]
    pub fn into_expected(self) -> Option<Expected> {
        let file = self.steps.last()?.state;
        let mut argv = self.argv;
        if argv.count == 0 {
            // Linux 5.18 and later hand on an empty one.
            argv.push(b"");
        }
        for step in &self.steps {
            let Kind::Script {
                interpreter,
                argument,
            } = &step.facts.kind
            else {
                break;
            };
            let mut longer = Texts::default();
            longer.push(interpreter);
            if let Some(argument) = argument {
                longer.push(argument);
            }
            longer.push(&step.name);
            for text in argv.iter().skip(1) {
                longer.push(text);
            }
            argv = longer;
        }
        Some(Expected {
            file,
            argv,
            environment: self.environment,
            cwd: self.cwd,
        })
    }
}

/// Whether a task has no descriptor of this number; `folder` is its `/proc/TASK`.
fn is_closed(folder: &Path, number: i32) -> bool {
    let found = std::fs::symlink_metadata(folder.join(format!("fd/{number}")));
    found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn hidden(error: io::Error) -> Fault {
    match error.raw_os_error() {
        Some(libc::EFAULT) => Fault::NotThere(libc::EFAULT),
        _ if error.kind() == io::ErrorKind::FileTooLarge => Fault::NotThere(libc::E2BIG),
        _ => Fault::Hidden(error),
    }
}

fn of_file(error: io::Error) -> Fault {
    match error.raw_os_error() {
        Some(number) if OF_THE_PATH.contains(&number) => Fault::NotThere(number),
        _ => Fault::Hidden(error),
    }
}
