//! Which processes of a test are left: all that inherited a mark in their environment.

use std::fs;
use std::time::{Duration, Instant};

/// A mark that is a test's own.
pub struct Mark(String);

impl Mark {
    /// A new one.
    pub fn new(test: &str) -> Self {
        Self(format!("KIBOSH_LEFT={test}-{}", std::process::id()))
    }

    /// As an assignment of the shell.
    pub fn assignment(&self) -> &str {
        &self.0
    }

    /// The processes that have it, as `PID arguments`.
    pub fn processes(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment
                .split(|byte| *byte == 0)
                .any(|one| one == self.0.as_bytes())
            {
                let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(format!(
                    "{} {}",
                    entry.file_name().display(),
                    String::from_utf8_lossy(&arguments).replace('\0', " ")
                ));
            }
        }
        found
    }

    /// Waits until no process has it.
    #[track_caller]
    pub fn assert_none_left(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while !self.processes().is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.processes(), Vec::<String>::new());
    }
}
