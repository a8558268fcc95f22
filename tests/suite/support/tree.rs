//! A repository of a person's, whose state a test sets, and lines that are run in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::pty::Terminal;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// A folder of a person's, outside of what is temporary, with a repository in `work`.
pub struct Tree(PathBuf);

impl Tree {
    /// A new one, with two files and a `.gitignore` in one commit.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let user = nix::unistd::User::from_uid(nix::unistd::getuid())
            .unwrap()
            .unwrap();
        let name = format!("kibosh-loss-{}-{number}", std::process::id());
        let tree = Self(user.dir.join(name));
        fs::create_dir_all(tree.0.join("work")).unwrap();
        fs::create_dir(tree.0.join("home")).unwrap();
        // A broker of its own is beside them.
        fs::set_permissions(&tree.0, Permissions::from_mode(0o700)).unwrap();
        tree.make(
            "git init -q -b main; mkdir src\n\
             printf 'one\\n' >src/a.txt; printf 'two\\n' >src/b.txt\n\
             printf '.env\\nbuild/\\n*.secret\\n' >.gitignore\n\
             git add .; git commit -qm first",
        );
        tree
    }

    /// A command there, without a terminal.
    pub fn command(&self, program: &str, line: &str) -> Command {
        let mut command = Command::new("setsid");
        command
            .args(["--wait", program, "-c", line])
            .current_dir(self.work())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.0.join("home"))
            .env("XDG_RUNTIME_DIR", &self.0)
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@b")])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@b")])
            .stdin(Stdio::null());
        command
    }

    /// The repository.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Brings the tree into a state.
    pub fn make(&self, script: &str) {
        let output = self
            .command("/bin/bash", &format!("set -e\n{script}"))
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        // When a process began is told to a hundredth of a second: what is older than that is none of the next script's.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    /// Runs a line under kibosh.
    pub fn run(&self, line: &str) -> Output {
        self.command(KIBOSH, line).output().unwrap()
    }

    /// What is said where a line is stopped; none where it runs.
    pub fn stopped(&self, line: &str) -> Option<String> {
        let output = self.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_stopped = said.contains("kibosh:");
        assert_eq!(
            is_stopped,
            output.status.code() == Some(126),
            "{line}: {said}"
        );
        is_stopped.then_some(said)
    }

    /// A person's terminal in it, with kibosh called so; programs of the tree's own are in `../bin`.
    pub fn person(&self, words: &str) -> Terminal {
        Terminal::run(&format!(
            "cd '{}'; export XDG_RUNTIME_DIR='{1}' PATH='{1}/bin':/usr/local/bin:/usr/bin:/bin; \
             \"$KIBOSH\" {words}; echo \"ended $?\"",
            self.work().display(),
            self.0.display()
        ))
    }

    /// The same, where an agent runs a script.
    pub fn agent(&self, script: &str) -> Terminal {
        fs::write(self.0.join("agent.sh"), script).unwrap();
        self.person("run -- /bin/bash ../agent.sh")
    }

    /// It runs, and nothing is said.
    pub fn runs(&self, line: &str, state: &str) {
        let said = self.stopped(line);
        assert_eq!(said, None, "`{line}` after `{state}`");
    }

    /// It is stopped with these words; without words, because it is not known what would be lost.
    pub fn is_stopped(&self, line: &str, state: &str, words: &str) {
        let said = self.stopped(line);
        let said = said.unwrap_or_else(|| panic!("`{line}` runs after `{state}`"));
        assert!(said.contains(words), "`{line}` after `{state}`: {said}");
        let is_unknown = said.contains("held back by rule ") && !said.contains("; it ");
        assert!(
            !words.is_empty() || is_unknown,
            "`{line}` after `{state}`: {said}"
        );
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
