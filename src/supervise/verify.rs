//! Whether the program that stands before its first instruction is the one that was judged.
//!
//! Takes a task that is stopped at its exec, compares what the kernel made of it: file, arguments,
//! environment, working directory. From there on nobody else can change any of that: the other threads
//! are gone, and no memory is shared (execve(2)).

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::sys::stat::stat;

use super::target::State;
use super::vectors::Texts;
use crate::sys::descriptors::link;
use crate::sys::{peek, trace};

/// What was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The file that runs, as it was: of a script, what reads it.
    pub file: State,
    /// The arguments as the kernel hands them on.
    pub argv: Texts,
    /// The environment.
    pub environment: Texts,
    /// The working directory.
    pub cwd: Vec<u8>,
}

/// Whether a task that is stopped at its exec is what was expected; `folder` is its `/proc/TASK`.
///
/// # Errors
///
/// Where the task cannot be looked at, which is no.
pub fn is(task: i32, folder: &Path, expected: &Expected) -> io::Result<bool> {
    let file = State::of(&stat(&folder.join("exe"))?);
    if file != expected.file || cwd(folder)? != expected.cwd {
        return Ok(false);
    }
    match trace::first_words(task) {
        Some(words) => by_stack(task, words, expected),
        None => {
            let (argv, environment) = texts(folder)?;
            Ok(
                argv.bytes == expected.argv.bytes
                    && environment.bytes == expected.environment.bytes,
            )
        }
    }
}

/// The stack of a new program begins with the number of arguments, their addresses and those of the
/// environment; the texts stand behind one another, arguments first (System V ABI, "Process
/// Initialization").
fn by_stack(task: i32, stack: u64, expected: &Expected) -> io::Result<bool> {
    let (arguments, variables) = (expected.argv.count, expected.environment.count);
    let mut words = vec![0u8; 8 * (arguments + variables + 3)];
    if peek::read(task, stack, &mut words)? != words.len() {
        return Ok(false);
    }
    let word = |at: usize| {
        let bytes = words.get(8 * at..8 * at + 8)?;
        bytes.try_into().ok().map(u64::from_ne_bytes)
    };
    let is_laid_out = word(0) == Some(arguments as u64)
        && word(arguments + 1) == Some(0)
        && (arguments + 2..arguments + 2 + variables).all(|at| word(at) != Some(0))
        && word(arguments + 2 + variables) == Some(0);
    let (true, Some(address)) = (is_laid_out && arguments > 0, word(1)) else {
        return Ok(false);
    };
    let length = expected.argv.bytes.len() + expected.environment.bytes.len();
    let mut bytes = vec![0; length];
    let read = peek::read(task, address, &mut bytes)?;
    Ok(read == length
        && bytes.strip_prefix(expected.argv.bytes.as_slice())
            == Some(expected.environment.bytes.as_slice()))
}

/// The working directory, as the kernel names it.
///
/// # Errors
///
/// Where it cannot be looked up.
pub fn cwd(folder: &Path) -> io::Result<Vec<u8>> {
    link(folder.join("cwd").as_os_str().as_bytes())
}

/// The arguments and the environment of a new program, as `/proc` tells them.
///
/// # Errors
///
/// Where they cannot be read.
pub fn texts(folder: &Path) -> io::Result<(Texts, Texts)> {
    Ok((file(folder, "cmdline")?, file(folder, "environ")?))
}

/// The environment that a program was started with.
///
/// # Errors
///
/// Where it cannot be read.
pub fn environment(folder: &Path) -> io::Result<Texts> {
    file(folder, "environ")
}

/// The words of a program that runs, as it says.
///
/// # Errors
///
/// Where they cannot be read.
pub fn words(folder: &Path) -> io::Result<Texts> {
    file(folder, "cmdline")
}

/// How long most vectors are, with room to see that they end.
const USUAL: usize = 8 << 10;

fn file(folder: &Path, name: &str) -> io::Result<Texts> {
    use std::io::Read;
    // The length that it has by fstat(2) is 0: with room for it, mostly one call tells it all.
    let mut bytes = Vec::with_capacity(USUAL);
    std::fs::File::open(folder.join(name))?.read_to_end(&mut bytes)?;
    let count = bytes.iter().filter(|&&byte| byte == 0).count();
    Ok(Texts { bytes, count })
}

/// The path of the file that a task runs.
///
/// # Errors
///
/// Where it cannot be looked up.
pub fn program(folder: &Path) -> io::Result<Vec<u8>> {
    link(folder.join("exe").as_os_str().as_bytes())
}
