//! A folder of its own for one test, removed at its end, with a program that a rule stops.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder whose project policy stops `demolish`, a program that only leaves a mark.
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// A new one. `demolish` is asked about, `demolish named THING` wants the name typed, and
    /// `demolish never` is denied.
    pub fn new(test: &str) -> Self {
        let place = Self::bare(test);
        fs::create_dir(place.folder.join("bin")).unwrap();
        place.program("demolish", "#!/bin/sh\necho \"$*\" >>ran\n");
        place.policy();
        place
    }

    /// A new one that is empty.
    pub fn bare(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("kibosh-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Puts a program into its `bin`.
    pub fn program(&self, name: &str, text: &str) {
        let file = self.folder.join("bin").join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Sets the project's policy: the rules about `demolish`.
    fn policy(&self) {
        let rule = |id: &str, effect: &str, word: &str, more: &str| {
            format!(
                "[[rule]]\nid = \"test.{id}\"\neffect = \"{effect}\"\n{more}\n\
                 reason = \"demolishes what nobody can build again\"\n\
                 instead = \"renovate\"\n\
                 [[rule.match]]\nprogram = [\"demolish\"]\noperands = [\"{word}\"]\n\
                 [rule.examples]\nmatches = [\"demolish {word}\"]\npasses = [\"renovate\"]\n"
            )
        };
        let text = [
            rule("ask", "confirm", "all", ""),
            rule("name", "confirm", "named", "acknowledge = \"name\""),
            rule("never", "deny", "never", ""),
        ];
        fs::write(self.folder.join(".kibosh.toml"), text.join("\n")).unwrap();
    }

    /// Adds a rule to the project's policy: `demolish grave` needs the yes of two people.
    pub fn wants_two(&self) {
        let policy = self.folder.join(".kibosh.toml");
        let before = fs::read_to_string(&policy).unwrap();
        let rule = "\n[[rule]]\nid = \"test.grave\"\neffect = \"confirm\"\nreviewers = 2\n\
            reason = \"demolishes what everybody lives in\"\n\
            [[rule.match]]\nprogram = [\"demolish\"]\noperands = [\"grave\"]\n\
            [rule.examples]\nmatches = [\"demolish grave\"]\npasses = [\"renovate\"]\n";
        fs::write(&policy, format!("{before}{rule}")).unwrap();
    }

    /// Where the broker is of what is run in it: beside it, and not the person's who runs the tests.
    pub fn runtime(&self) -> PathBuf {
        let mut name = self.folder.clone().into_os_string();
        name.push(".run");
        let folder = PathBuf::from(name);
        let _ = DirBuilder::new().mode(0o700).create(&folder);
        folder
    }

    /// Runs `program` in it without a terminal.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setsid");
        command
            .arg("--wait")
            .arg(program)
            .current_dir(&self.folder)
            .env("PATH", self.search_path())
            .env("XDG_RUNTIME_DIR", self.runtime())
            .stdin(Stdio::null());
        command
    }

    /// The folder that is the user's own `~/.config` for what is started with the words of `for_user`.
    pub fn own_settings(&self) -> PathBuf {
        let folder = self.folder.join("home/.config");
        fs::create_dir_all(folder.join("kibosh")).unwrap();
        folder
    }

    /// Gives the user a policy of their own: the words with which a program is started for which it is in force.
    /// Where a user's files are is not for the environment to say.
    pub fn for_user(&self, policy: &str) -> Vec<String> {
        let own = self.own_settings();
        fs::write(own.join("kibosh/own.toml"), policy).unwrap();
        let user = nix::unistd::User::from_uid(nix::unistd::getuid());
        let true_one = user.unwrap().unwrap().dir.join(".config");
        fs::create_dir_all(&true_one).unwrap();
        let mut words = vec!["unshare", "-m"];
        if !nix::unistd::geteuid().is_root() {
            words.extend(["--map-current-user", "--keep-caps"]);
        }
        let mount = format!(
            "mount --bind '{}' '{}' && exec \"$@\"",
            own.display(),
            true_one.display()
        );
        words.extend(["bash", "-c", &mount, "x"]);
        words.into_iter().map(str::to_owned).collect()
    }

    /// Where programs are looked for: in its `bin` first.
    pub fn search_path(&self) -> String {
        let inherited = std::env::var("PATH").unwrap_or_default();
        format!("{}:{inherited}", self.folder.join("bin").display())
    }

    /// The arguments with which `demolish` was started, a line each; none where it never was.
    pub fn ran(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("ran")).ok()
    }

    /// The same while it may be running: none until a line of it is written to its end.
    pub fn ran_by_now(&self) -> Option<String> {
        self.ran().filter(|marks| marks.ends_with('\n'))
    }

    /// What was recorded of lines that were to run in it. The record is the user's own: its place is
    /// not for the environment to set.
    pub fn record(&self) -> Vec<serde_json::Value> {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid())
            .unwrap()
            .unwrap();
        let cwd = self.folder.to_str().unwrap();
        fs::read_to_string(user.dir.join(".local/state/kibosh/audit.jsonl"))
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|line| line["cwd"] == cwd)
            .collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        // The broker ends with its socket.
        let _ = fs::remove_dir_all(self.runtime());
    }
}
