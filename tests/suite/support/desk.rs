//! A place with a broker, and a person at another terminal.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use super::place::Place;
use super::probe::{NOBODY, kibosh_for_all, run, told, wait_for, without_rights};
use super::pty::Terminal;

/// A place with a broker of its own, which ends with it: its socket is gone then.
pub struct Desk {
    /// The place.
    pub place: Place,
}

/// The program.
pub const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

impl Desk {
    /// A new one.
    pub fn new(test: &str) -> Self {
        let place = Place::new(&format!("broker-{test}"));
        Self { place }
    }

    /// The directory above that of the socket.
    pub fn runtime(&self) -> PathBuf {
        self.place.runtime()
    }

    /// Gives it to somebody without rights: the program that they can start, and the words with which it is started as
    /// them.
    pub fn for_nobody(&self) -> (PathBuf, String) {
        let program = kibosh_for_all(&self.place);
        let rights = without_rights().join(" ");
        fs::set_permissions(self.place.path(), Permissions::from_mode(0o777)).unwrap();
        if !rights.is_empty() {
            let owner = Some(NOBODY.parse().unwrap());
            chown(self.runtime(), owner, owner).unwrap();
        }
        (program, rights)
    }

    /// The broker's socket.
    pub fn socket(&self) -> PathBuf {
        self.runtime().join("kibosh/broker")
    }

    /// kibosh with a line, as an agent starts it: without a terminal.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(KIBOSH);
        command.env("KIBOSH", KIBOSH).args(["-c", line]);
        command
    }

    /// Runs it to its end.
    pub fn asks(&self, line: &str) -> Output {
        run(&mut self.command(line))
    }

    /// The same, which goes on meanwhile.
    pub fn begins(&self, line: &str) -> Child {
        self.command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Asks, and gives the number under which it waits.
    #[track_caller]
    pub fn waits(&self, line: &str) -> u64 {
        let output = self.asks(line);
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        number(&output)
    }

    /// A person's terminal, on which this is run.
    pub fn person(&self, line: &str) -> Terminal {
        Terminal::run(&format!(
            "cd '{}' || exit\nexport PATH='{}' XDG_RUNTIME_DIR='{}'\n{line}\necho status=$?",
            self.place.path().display(),
            self.place.search_path(),
            self.runtime().display()
        ))
    }

    /// What the person sees who runs this, with nothing to type.
    pub fn sees(&self, line: &str) -> String {
        self.person(line).finish()
    }

    /// A person approves a request as they should.
    #[track_caller]
    pub fn approve(&self, number: u64, more: &str) {
        let mut person = self.person(&format!("\"$KIBOSH\" approve {number} {more}"));
        person.wait_for("Run it?");
        person.keys("y\r");
        let screen = person.finish();
        assert!(screen.contains("status=0"), "{screen}");
    }

    /// The broker's process: the one that listens here.
    pub fn broker(&self) -> i32 {
        wait_for("broker", || {
            let stream = kibosh::sys::peer::connect(&self.socket()).ok()?;
            Some(kibosh::sys::peer::of(&stream).unwrap().0)
        })
    }
}

/// The number of the request that a refusal tells of.
#[track_caller]
pub fn number(output: &Output) -> u64 {
    let told = told(output);
    let (_, rest) = told
        .split_once("`kibosh approve ")
        .unwrap_or_else(|| panic!("no number in {output:?}"));
    rest.split('`').next().unwrap().parse().unwrap()
}

/// A line that a person is asked about.
pub const ASKED: &str = "demolish all";
