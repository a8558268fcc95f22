//! Words to whoever called a refused exec: on its standard error, once.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sys::process;
use crate::sys::stat::Status;

/// How many refusals are remembered.
const MOST: usize = 256;
/// More is not written at once, so that a pipe takes all of it or nothing (pipe(7), `PIPE_BUF`).
const MOST_BYTES: usize = 4096;
/// How many processes above a task are looked at.
const MOST_ABOVE: usize = 8;
/// How long a full pipe is waited for, in milliseconds.
const PATIENCE: u8 = 100;

/// What was said to whom.
#[derive(Debug, Default)]
pub struct Told(Vec<(i32, Vec<u8>)>);

impl Told {
    /// Says it, unless something was said to the same task about the same before: a shell that looks
    /// through `PATH` tries several files.
    pub fn tell(&mut self, task: i32, about: &[u8], words: &str) {
        if self.0.iter().any(|(to, what)| *to == task && what == about) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.push((task, about.to_vec()));
        // Where it cannot be said, the refusal stands all the same.
        let _ = write(task, words);
    }
}

fn write(task: i32, words: &str) -> io::Result<()> {
    let error = standard_error(task)?;
    let mut line = words.to_owned();
    line.push('\n');
    let bytes = line.as_bytes();
    let bytes = bytes.get(..bytes.len().min(MOST_BYTES)).unwrap_or(bytes);
    let mut places = [PollFd::new(error.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut places, PollTimeout::from(PATIENCE))? == 0 {
        return Ok(());
    }
    nix::unistd::write(error, bytes)?;
    Ok(())
}

/// The standard error of a task, as a descriptor of this process. Of one that lets nobody look at it, that of
/// the first process above it in the tree that does.
fn standard_error(task: i32) -> io::Result<OwnedFd> {
    let own: i32 = Status::of("self")?.number("Seccomp_filters:").unwrap_or(0);
    let mut process = task;
    for _ in 0..MOST_ABOVE {
        let status = Status::of(process)?;
        // Who has no more filters than this process is not guarded by it.
        if process != task && status.number("Seccomp_filters:").unwrap_or(0) <= own {
            break;
        }
        let group = status.number("Tgid:").unwrap_or(process);
        if let Ok(error) = process::descriptor_of(group, 2).or_else(|_| by_name(group)) {
            return Ok(error);
        }
        process = status.number("PPid:").unwrap_or(0);
    }
    Err(io::ErrorKind::NotFound.into())
}

/// The same where a filter refuses the call for it: of a pipe or a terminal, which takes words whatever it
/// was opened for.
fn by_name(process: i32) -> io::Result<OwnedFd> {
    let name = format!("/proc/{process}/fd/2");
    let kind = fs::metadata(&name)?.file_type();
    if !kind.is_fifo() && !kind.is_char_device() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = fs::File::options()
        .append(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(name)?;
    Ok(file.into())
}
