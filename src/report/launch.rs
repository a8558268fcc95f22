//! What is said where an agent could not be run.

use std::fmt::Display;
use std::io;

use super::escape::escape;
use super::refusal::unmistaken;

/// That a program could not be started; none was.
#[must_use]
pub fn not_started(program: &str, error: &io::Error) -> String {
    let program = escape(program);
    if error.kind() == io::ErrorKind::NotFound {
        return format!("kibosh: `{program}`: no such program");
    }
    unmistaken(&format!(
        "kibosh: `{program}` cannot be started: {}",
        escape(&error.to_string())
    ))
}

/// That kibosh failed at running a program.
#[must_use]
pub fn failed(program: &str, error: &dyn Display) -> String {
    unmistaken(&format!(
        "kibosh: `{}`: {}",
        escape(program),
        escape(&error.to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_named_and_cannot_act_on_a_terminal() {
        let not_found = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(
            not_started("a\x1b[2J", &not_found),
            "kibosh: `a\\x1b[2J`: no such program"
        );
        assert_eq!(failed("a", &"it broke"), "kibosh: `a`: it broke");
    }
}
