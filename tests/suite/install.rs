//! `install.sh`, run as a user would run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for one test.
struct Prefix(PathBuf);

impl Prefix {
    fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("kibosh install {test} {}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Runs the script with this prefix.
    fn install(&self, arguments: &[&str]) -> Output {
        Command::new("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"))
            .args(arguments)
            .env("PREFIX", &self.0)
            .env("XDG_STATE_HOME", self.0.join("state"))
            .output()
            .unwrap()
    }

    /// Every file below it, sorted.
    fn files(&self) -> Vec<String> {
        fn below(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    below(&path, files);
                } else {
                    files.push(path);
                }
            }
        }
        let mut files = Vec::new();
        below(&self.0, &mut files);
        let mut names: Vec<String> = files
            .iter()
            .map(|file| file.strip_prefix(&self.0).unwrap().display().to_string())
            .filter(|name| !name.starts_with("state/"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const BUILT: [&str; 2] = ["--binary", env!("CARGO_BIN_EXE_kibosh")];

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn installing_twice_gives_a_working_shell_under_every_name_and_uninstalling_leaves_nothing() {
    let prefix = Prefix::new("whole");
    succeeds(&prefix.install(&BUILT));
    let files = prefix.files();
    succeeds(&prefix.install(&BUILT));
    assert_eq!(prefix.files(), files);
    for name in [
        "bin/kibosh",
        "lib/kibosh/bash",
        "lib/kibosh/sh",
        "share/man/man1/kibosh.1",
        "share/man/man1/kibosh-check.1",
        "share/bash-completion/completions/kibosh",
        "share/zsh/site-functions/_kibosh",
        "share/fish/vendor_completions.d/kibosh.fish",
    ] {
        assert!(
            files.iter().any(|file| file == name),
            "{name} is not in {files:?}"
        );
        assert!(
            fs::metadata(prefix.0.join(name)).unwrap().len() > 0,
            "{name}"
        );
    }
    for name in ["bin/kibosh", "lib/kibosh/bash", "lib/kibosh/sh"] {
        let output = Command::new(prefix.0.join(name))
            .args(["-c", "echo $((6 * 7)); exit 3"])
            .output()
            .unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.status.code()),
            (b"42\n".as_slice(), Some(3))
        );
    }
    succeeds(&prefix.install(&["--uninstall"]));
    assert_eq!(prefix.files(), Vec::<String>::new());
    succeeds(&prefix.install(&["--uninstall"]));
}

#[test]
fn a_binary_that_is_not_a_working_kibosh_replaces_nothing() {
    let prefix = Prefix::new("broken");
    succeeds(&prefix.install(&BUILT));
    let before = (
        prefix.files(),
        fs::read(prefix.0.join("bin/kibosh")).unwrap(),
    );
    let fake = prefix.0.join("state/fake");
    fs::create_dir_all(prefix.0.join("state")).unwrap();
    // It runs commands, but judges none.
    fs::write(
        &fake,
        "#!/bin/bash\n[ \"$1\" = check ] && exit 0\nexec bash \"$@\"\n",
    )
    .unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    for binary in [
        fake.to_str().unwrap(),
        "/bin/true",
        "/nonexistent",
        "/etc/passwd",
    ] {
        let output = prefix.install(&["--binary", binary]);
        assert!(!output.status.success(), "{binary}: {output:?}");
        assert_eq!(
            (
                prefix.files(),
                fs::read(prefix.0.join("bin/kibosh")).unwrap()
            ),
            before,
            "{binary}"
        );
    }
}

#[test]
fn unknown_arguments_change_nothing() {
    let prefix = Prefix::new("unknown");
    for arguments in [&["--unistall"][..], &["--binary"], &["x"]] {
        assert!(!prefix.install(arguments).status.success(), "{arguments:?}");
    }
    assert_eq!(prefix.files(), Vec::<String>::new());
}
