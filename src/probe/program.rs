//! A program of the system's, run so that it starts nothing but itself.
//!
//! Takes its path, words and environment, gives what it says. In a child of this program only: it makes
//! processes and waits.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{dup2_stdout, pipe2};

use super::contain::{self, Allowed};
use crate::sys::filter;
use crate::sys::process::{become_program_with, reap};
use crate::sys::terminal::in_child;
use crate::sys::way::{Step, way};

/// How much one may say, in bytes.
const MOST_SAID: u64 = 16 << 20;

/// The first of these places where nobody but root can have put the program.
pub(super) fn at(places: &[&'static str]) -> Option<&'static Path> {
    let mut places = places.iter().map(|place| Path::new(*place));
    places.find(|place| is_of_the_system(place))
}

/// Whether nobody but root can have put a program at a place.
pub(super) fn is_of_the_system(place: &Path) -> bool {
    let is_kept = |step: &Step| {
        let is_roots = step.found.uid() == 0;
        is_roots && (step.found.is_symlink() || step.found.mode() & 0o022 == 0)
    };
    way(place).is_ok_and(|steps| steps.iter().all(is_kept))
}

/// Runs a program; gives what it says and its exit status. None where it could not be started or says too
/// much.
pub(super) fn run(
    program: &Path,
    words: &[&[u8]],
    environment: &[&str],
    allowed: Allowed,
) -> Option<(Vec<u8>, i32)> {
    let path = CString::new(program.as_os_str().as_bytes()).ok()?;
    let words = words.iter().map(|word| CString::new(*word).ok());
    let words: Vec<CString> = words.collect::<Option<_>>()?;
    let environment = environment.iter().map(|entry| CString::new(*entry).ok());
    let environment: Vec<CString> = environment.collect::<Option<_>>()?;
    let (answer, sender) = pipe2(OFlag::O_CLOEXEC).ok()?;
    let child = in_child(|| {
        let alone = contain::alone(path.as_ptr().addr() as u64, allowed);
        let is_ready = set_pdeathsig(Signal::SIGKILL).is_ok()
            && dup2_stdout(&sender).is_ok()
            && filter::restrict(&alone).is_ok();
        if is_ready {
            let _ = become_program_with(&path, &words, &environment);
        }
        125
    })
    .ok()?;
    drop(sender);
    let said = read(answer);
    // One that says too much is told so by the pipe that is closed.
    let status = reap(child.as_raw()).ok()?;
    said.map(|said| (said, status))
}

fn read(answer: OwnedFd) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    let mut answer = File::from(answer).take(MOST_SAID);
    answer.read_to_end(&mut said).ok()?;
    let is_whole = u64::try_from(said.len()).is_ok_and(|length| length < MOST_SAID);
    is_whole.then_some(said)
}
