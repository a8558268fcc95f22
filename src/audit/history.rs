//! Reading the record back. Lines that cannot be read are counted, never guessed.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

use super::record::aside;
use crate::report::log::History;

/// Reads the record in `file`, what was put aside before it first; keeps its last `most` lines.
///
/// # Errors
///
/// Where there is a file that cannot be read. A record that does not exist is empty.
pub fn read(file: &Path, most: usize) -> io::Result<History> {
    let mut history = History::default();
    for part in [aside(file), file.to_path_buf()] {
        // A pipe in its place would be waited for.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(part);
        let lines = match opened {
            Ok(lines) => BufReader::new(lines),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in lines.split(b'\n') {
            match serde_json::from_slice(&line?) {
                Ok(event) => history.add(event, most),
                Err(_) => history.damaged += 1,
            }
        }
    }
    Ok(history)
}
