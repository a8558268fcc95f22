//! Becoming another program.

use std::ffi::{CStr, CString};
use std::io;

/// Replaces this program, with the environment as it was inherited, byte for byte. Returns only where
/// that failed.
///
/// Signal dispositions, mask, descriptors and all else stay as they are: the standard library's
/// `exec` would reset SIGPIPE and the mask.
pub fn become_program(path: &CStr, arguments: &[CString]) -> io::Error {
    match nix::unistd::execv(path, arguments) {
        Ok(never) => match never {},
        Err(errno) => io::Error::from(errno),
    }
}

/// Makes standard input empty.
///
/// # Errors
///
/// Where `/dev/null` cannot be opened.
pub fn empty_input() -> io::Result<()> {
    let empty = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(empty)?;
    Ok(())
}
