//! Reading the record back. Lines that cannot be read are counted, never guessed.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::record::aside;
use crate::report::log::History;

/// Reads the record in `file`, what was put aside before it first.
///
/// # Errors
///
/// Where there is a file that cannot be read. A record that does not exist is empty.
pub fn read(file: &Path) -> io::Result<History> {
    let mut history = History::default();
    for part in [aside(file), file.to_path_buf()] {
        let lines = match File::open(part) {
            Ok(lines) => BufReader::new(lines),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in lines.split(b'\n') {
            match serde_json::from_slice(&line?) {
                Ok(event) => history.events.push(event),
                Err(_) => history.damaged += 1,
            }
        }
    }
    Ok(history)
}
