//! A person's terminal: a session of its own on a pseudo-terminal, led by a shell that kibosh is not a
//! part of, as a terminal emulator or ssh would start it.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kibosh::sys::terminal::{Modes, Window, set_window};
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;

use super::patience::Patience;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The end of the terminal where the person is.
pub struct Terminal {
    screen: File,
    seen: String,
    bytes: Vec<u8>,
    read_to: usize,
    _runtime: Runtime,
}

impl Terminal {
    /// Runs `script` under `sh`, which leads the session of a new terminal. `$KIBOSH` is the binary.
    ///
    /// `setsid --fork` makes the session and leaves at once, so that nothing above the shell has a
    /// terminal, wherever the tests themselves are run.
    pub fn run(script: &str) -> Self {
        Self::start(&[
            "setsid",
            "--fork",
            "--ctty",
            "sh",
            "-c",
            &format!("read -r go\n{script}"),
        ])
    }

    /// Runs a command line as the leader of the session itself.
    pub fn led_by(command: &[&str]) -> Self {
        let mut words = vec!["setsid", "--fork", "--ctty"];
        words.extend(command);
        Self::start(&words)
    }

    fn start(words: &[&str]) -> Self {
        assert!(
            !is_first_process_in_front(),
            "the first process of this container has a terminal, so that no other one can be told to \
             be a person's: start the container without `-t`, or with a shell that runs the tests"
        );
        // Not openpty, whose descriptors other tests would hand on to their children.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = open(ptsname_r(&master).unwrap().as_str(), flags, Mode::empty()).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let (program, arguments) = words.split_first().unwrap();
        let runtime = Runtime::new();
        let status = Command::new(program)
            .args(arguments)
            .env("KIBOSH", env!("CARGO_BIN_EXE_kibosh"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            // Whoever runs the tests may have registered terminals, and then no others count.
            .env("XDG_RUNTIME_DIR", &runtime.0)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .status()
            .unwrap();
        assert!(status.success(), "setsid of util-linux starts {words:?}");
        let mut terminal = Self {
            screen: File::from(OwnedFd::from(master)),
            seen: String::new(),
            bytes: Vec::new(),
            read_to: 0,
            _runtime: runtime,
        };
        terminal.keys("\n");
        terminal
    }

    /// Presses keys.
    pub fn keys(&mut self, keys: &str) {
        self.press(keys.as_bytes());
    }

    /// Sends bytes as the terminal would.
    pub fn press(&mut self, bytes: &[u8]) {
        self.screen.write_all(bytes).unwrap();
    }

    /// Changes the size of the window.
    pub fn resize(&self, rows: u16, columns: u16) {
        let window = Window {
            rows,
            columns,
            pixels: (columns * 8, rows * 16),
        };
        set_window(self.screen.as_fd(), window).unwrap();
    }

    /// The modes of the terminal.
    pub fn modes(&self) -> Modes {
        Modes::of(self.screen.as_fd()).unwrap()
    }

    /// What came to the screen, as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads until `text` stands on the screen after what was waited for before.
    pub fn wait_for(&mut self, text: &str) {
        let mut patience = Patience::new(PATIENCE);
        loop {
            let fresh = self.seen.get(self.read_to..).unwrap_or_default();
            if let Some(at) = fresh.find(text) {
                self.read_to += at + text.len();
                return;
            }
            assert!(
                self.read(&mut patience),
                "no {text:?} on the screen, only:\n{}",
                self.seen
            );
        }
    }

    /// Reads until all that came to the screen is as it should be.
    pub fn wait_until(&mut self, what: &str, is_so: impl Fn(&[u8]) -> bool) {
        let mut patience = Patience::new(PATIENCE);
        while !is_so(&self.bytes) {
            assert!(self.read(&mut patience), "not {what}, but:\n{}", self.seen);
        }
    }

    /// What is on the screen.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// Reads until every program on the terminal has ended; gives all that was on the screen.
    pub fn finish(mut self) -> String {
        let mut patience = Patience::new(PATIENCE);
        while self.read(&mut patience) {}
        assert!(
            patience.turn().is_some(),
            "still running after:\n{}",
            self.seen
        );
        self.seen
    }

    /// Unplugs the terminal; gives what was on the screen.
    pub fn hang_up(self) -> String {
        self.seen
    }

    /// Reads what is there, waiting for it; false where there is no more.
    fn read(&mut self, patience: &mut Patience) -> bool {
        loop {
            let Some(left) = patience.turn() else {
                return false;
            };
            let wait = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap();
            let mut polled = [PollFd::new(self.screen.as_fd(), PollFlags::POLLIN)];
            if poll(&mut polled, wait).unwrap() != 0 {
                break;
            }
        }
        let mut buffer = [0; 4096];
        match self.screen.read(&mut buffer) {
            // The last program has closed its end.
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.bytes.extend_from_slice(&buffer[..read]);
                self.seen
                    .push_str(&String::from_utf8_lossy(&buffer[..read]));
                true
            }
        }
    }
}

/// Where the broker of a terminal is that has no place of its own: it ends with its socket.
struct Runtime(PathBuf);

impl Runtime {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("runtime-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether process 1 has a terminal and is in front on it: then all that lose their parent seem to have
/// been started by a program on that terminal.
fn is_first_process_in_front() -> bool {
    let stat = std::fs::read_to_string("/proc/1/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let [_, _, group, _, terminal, front, ..] = fields[..] else {
        panic!("{stat}")
    };
    terminal != "0" && group == front
}
