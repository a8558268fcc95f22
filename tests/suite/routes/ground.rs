//! Where commands of the packs can be started without harm: each program that they name is a stub that
//! writes down its words, nothing else is in `PATH`, and home and working directory are empty folders.
//!
//! Where the tests run as root, what they start does not.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use super::commands::Command;
use crate::support::place::Place;

/// Who runs it where the tests run as root: `nobody`.
const NOBODY: u32 = 65534;

/// Such a place. The folders of routes are beside one another.
pub struct Ground {
    place: Place,
}

impl Ground {
    /// A new one.
    pub fn new() -> Self {
        let ground = Self {
            place: Place::bare("routes"),
        };
        for folder in ["stubs", "home/project"] {
            fs::create_dir_all(ground.path().join(folder)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_kibosh"), ground.path().join("kibosh")).unwrap();
        ground
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    /// The home directory.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// The working directory.
    pub fn cwd(&self) -> PathBuf {
        self.path().join("home/project")
    }

    /// Where the stubs are.
    pub fn stubs(&self) -> PathBuf {
        self.path().join("stubs")
    }

    /// Puts a stub there for each program that is named.
    pub fn stand_in(&self, commands: &[Command]) {
        let stub = self.path().join("stub");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routes/stub.c");
        let compiled = Process::new("cc")
            .args(["-O1", "-static", "-o"])
            .arg(&stub)
            .arg(source)
            .status()
            .expect("cc compiles the stub");
        assert!(compiled.success());
        for command in commands {
            let named = self.stubs().join(&command.words[0]);
            if !named.exists() {
                // A link by its inode: what a symbolic link leads to is a name of the program, too.
                fs::hard_link(&stub, named).unwrap();
            }
        }
    }

    /// Runs a line by kibosh, without a terminal; gives all that was said, and the words of each stub that
    /// was started. `name` tells the run from others at the same time.
    pub fn run(&self, name: &str, line: &str) -> (String, Vec<Vec<String>>) {
        let said = self.path().join(format!("{name}.said"));
        let log = self.path().join(format!("{name}.log"));
        let output = File::create(&said).unwrap();
        let mut command = Process::new(tool("setsid"));
        command.arg("--wait");
        if nix::unistd::geteuid().is_root() {
            File::create(&log).unwrap();
            give_away(self.path());
            command
                .arg(tool("setpriv"))
                .arg(format!("--reuid={NOBODY}"))
                .arg(format!("--regid={NOBODY}"))
                .args(["--clear-groups", "--"]);
        }
        command
            .arg(self.path().join("kibosh"))
            .args(["-c", line])
            .env_clear()
            .env("PATH", self.stubs())
            .env("HOME", self.home())
            .env("STUB_LOG", &log)
            .current_dir(self.cwd())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        command.status().unwrap();
        let said = String::from_utf8_lossy(&fs::read(&said).unwrap()).into_owned();
        let started = String::from_utf8(fs::read(log).unwrap_or_default()).unwrap();
        let records = started.split_terminator('\x1e');
        let words = records.map(|record| record.split('\x1f').map(str::to_owned).collect());
        (said, words.collect())
    }
}

/// Where a tool is. Of what is installed twice the system's own is taken, which everybody may run.
pub fn tool(name: &str) -> PathBuf {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = ["/usr/bin", "/bin"].map(PathBuf::from).into_iter();
    let mut places = folders
        .chain(std::env::split_paths(&inherited))
        .map(|folder| folder.join(name));
    places
        .find(|place| place.is_file())
        .unwrap_or_else(|| panic!("the routes need `{name}`; `.ci/run` installs it"))
}

/// Writes a file that can be executed.
pub fn program(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Gives what is below a folder to `nobody`, if it is not theirs yet.
fn give_away(folder: &Path) {
    let own = |place: &Path| {
        if fs::symlink_metadata(place).unwrap().uid() != NOBODY {
            chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    };
    own(folder);
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => give_away(&entry.path()),
            false => own(&entry.path()),
        }
    }
}
