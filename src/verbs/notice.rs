//! Tells a person who watches that a request has come: through the desktop where there is one, else by the
//! terminal's bell, and not more often than somebody can look up.
//!
//! The program that the desktop is told by is the person's own, found where they find programs. It is given a title
//! and the names of rules, and nothing of what a command says.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::report::review as words;

/// The shortest time between two.
const BETWEEN: Duration = Duration::from_secs(5);
/// The program that tells the desktop.
const PROGRAM: &str = "notify-send";

/// What was told, and when.
#[derive(Default)]
pub(super) struct Notices {
    last: Option<Instant>,
    child: Option<Child>,
}

impl Notices {
    /// Tells that a request has come which these rules hold; true where the bell is to ring instead.
    pub(super) fn tell(&mut self, rules: &[String]) -> bool {
        if self.last.is_some_and(|last| last.elapsed() < BETWEEN) {
            return false;
        }
        self.last = Some(Instant::now());
        self.end();
        let Some(program) = program() else {
            return true;
        };
        let child = Command::new(program)
            .args(words::notice(rules))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => {
                self.child = Some(child);
                false
            }
            Err(_) => true,
        }
    }

    /// Ends the one that is being told, if it is not told by now.
    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        // One that was told already has ended; only what it leaves behind is taken.
        if let Some(mut child) = self.child.take() {
            let _ = child.try_wait();
        }
    }
}

/// The program, where there is a desktop; from a directory that is named from the root.
fn program() -> Option<PathBuf> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return None;
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(PROGRAM))
        .find(|file| {
            let found = file.metadata();
            found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
}
