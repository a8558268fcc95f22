//! The drop-in shell against bash: the same lines and scripts in copies of the same folder, and streams,
//! status and files must be equal. The lines and scripts are data in `tests/compat`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// What can be told of a run from outside.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    signal: Option<i32>,
    stdout: String,
    stderr: String,
    files: BTreeMap<String, String>,
}

impl Outcome {
    fn new(status: ExitStatus, stdout: &[u8], stderr: &[u8], folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(folder, folder, &mut files);
        Self {
            code: status.code(),
            signal: status.signal(),
            stdout: String::from_utf8_lossy(stdout).into_owned(),
            stderr: without_numbers(&String::from_utf8_lossy(stderr)),
            files,
        }
    }
}

/// The text without the numbers of processes.
fn without_numbers(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let number = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_digit());
        if number { "N" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Each file with its mode and content. What git keeps has times in it.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let data = path.symlink_metadata().unwrap();
        let content = if data.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else if data.is_dir() {
            if entry.file_name() != ".git" {
                collect(root, &path, files);
            }
            String::new()
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned()
        };
        files.insert(name, format!("{:o} {content}", data.permissions().mode()));
    }
}

/// A folder that is made new before each run, always of the same name.
struct Bench {
    folder: PathBuf,
    template: PathBuf,
    work: PathBuf,
}

impl Bench {
    fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("kibosh-compat-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let bench = Self {
            template: folder.join("template"),
            work: folder.join("work"),
            folder,
        };
        for made in ["src", "docs/deep", "bin", "proj"] {
            fs::create_dir_all(bench.template.join(made)).unwrap();
        }
        for (name, content) in [
            ("a.txt", "alpha\nbeta\ngamma\n"),
            ("b.txt", "alpha\ndelta\ngamma\n"),
            ("people.csv", "name,age,city\nann,31,Rome\nbob,42,Oslo\n"),
            (".hidden", "hidden\n"),
            ("empty-file", ""),
            ("lib.sh", "greet() { echo \"hello $1\"; }\n"),
            (
                "run.sh",
                "#!/bin/bash\necho \"run $# $*\"\necho \"source ${BASH_SOURCE-}\" | tr -d /.\nexit 3\n",
            ),
            ("bin/on-path.sh", "echo \"found $0 $1\" | sed 's,/.*/,,'\n"),
            ("src/main.rs", "fn main() {}\n"),
            ("src/lib.rs", "pub fn one() {}\npub fn two() {}\n"),
            ("docs/guide.md", "# guide\n"),
            ("docs/deep/more.md", "# more\n"),
            ("proj/file", "content\n"),
        ] {
            fs::write(bench.template.join(name), content).unwrap();
        }
        for file in ["run.sh", "bin/on-path.sh"] {
            fs::set_permissions(bench.template.join(file), fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let made = Command::new("/bin/bash")
            .arg("-c")
            .arg(
                "cd proj && git init -q -b main . && git config user.name Ann && git config user.email a@x.example && \
                 git config commit.gpgsign false && git add file && \
                 GIT_COMMITTER_DATE=2024-01-01T00:00:00Z git commit -q --date=2024-01-01T00:00:00Z -m first",
            )
            .current_dir(&bench.template)
            .status();
        assert!(made.unwrap().success());
        symlink("/bin/bash", bench.folder.join("bash")).unwrap();
        bench
    }

    /// Runs a command in a new copy.
    fn run(&self, command: &mut Command) -> Outcome {
        let _ = fs::remove_dir_all(&self.work);
        let copied = Command::new("cp")
            .arg("-a")
            .arg(&self.template)
            .arg(&self.work)
            .status();
        assert!(copied.unwrap().success());
        let out = self.folder.join("out");
        let err = self.folder.join("err");
        let mut child = command
            .current_dir(&self.work)
            // Out of the foreground of a terminal, so that nobody is asked.
            .process_group(0)
            .stdout(fs::File::create(&out).unwrap())
            .stderr(fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let status = child.wait().unwrap();
        Outcome::new(
            status,
            &fs::read(&out).unwrap(),
            &fs::read(&err).unwrap(),
            &self.work,
        )
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");
const BASH: &str = "/bin/bash";
const SH: &str = "/bin/sh";

fn data(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/compat")
        .join(name);
    fs::read_to_string(file).unwrap()
}

fn lines(name: &str) -> Vec<String> {
    data(name)
        .lines()
        .filter(|line| !line.starts_with("# ") && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Runs each case by both and tells all that differ.
fn compare<'c>(
    test: &str,
    cases: impl IntoIterator<Item = &'c str>,
    command: impl Fn(&str, bool) -> Command,
) {
    let bench = Bench::new(test);
    let mut differ = Vec::new();
    for case in cases {
        let expected = bench.run(&mut command(case, false));
        let got = bench.run(&mut command(case, true));
        if expected != got {
            differ.push(format!("{case}\n  bash   {expected:?}\n  kibosh {got:?}"));
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

fn shell(ours: bool) -> Command {
    let mut command = Command::new(if ours { KIBOSH } else { BASH });
    command.arg0("bash").stdin(Stdio::null());
    command
}

fn compare_lines(test: &str, part: usize) {
    let lines = lines("lines.txt");
    assert!(lines.len() >= 300, "{}", lines.len());
    let half = lines.iter().skip(part).step_by(2).map(String::as_str);
    compare(test, half, |line, ours| {
        let mut command = shell(ours);
        command.arg("-c").arg(line);
        command
    });
}

#[test]
fn everyday_lines_do_what_they_do_under_bash() {
    compare_lines("lines-even", 0);
}

#[test]
fn everyday_lines_do_what_they_do_under_bash_too() {
    compare_lines("lines-odd", 1);
}

#[test]
fn a_shell_that_is_started_in_any_way_behaves_like_bash() {
    let starts = lines("starts.txt");
    compare(
        "starts",
        starts.iter().map(String::as_str),
        |start, ours| {
            let mut command = Command::new(BASH);
            command
                .arg("-c")
                .arg(start)
                .stdin(Stdio::null())
                .env("S", if ours { KIBOSH } else { BASH })
                .env("H", if ours { KIBOSH } else { SH });
            command
        },
    );
}

/// The scripts, and the arguments that they get.
const SCRIPTS: &[(&str, &[&str])] = &[
    ("everyday.sh", &["-v", "all", "docs"]),
    ("everyday.sh", &["wrong"]),
    ("grammar.sh", &[]),
    ("input.sh", &["one", "two"]),
    ("failing.sh", &[]),
    ("signals.sh", &[]),
];

#[test]
fn scripts_behave_like_under_bash_as_files_as_input_and_through_a_pipe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let cases: Vec<String> = SCRIPTS
        .iter()
        .flat_map(|(script, arguments)| {
            let script = folder.join(script).display().to_string();
            let arguments = arguments.join(" ");
            [
                format!("exec -a bash \"$S\" {script} {arguments}"),
                format!("exec -a bash \"$S\" -s {arguments} < {script}"),
                format!("cat {script} | exec -a bash \"$S\" -s {arguments}"),
                format!("exec -a bash \"$S\" -c \"$(cat {script})\" bash {arguments}"),
            ]
        })
        .collect();
    compare(
        "scripts",
        cases.iter().map(String::as_str),
        |start, ours| {
            let mut command = Command::new(BASH);
            command
                .arg("-c")
                .arg(start)
                .stdin(Stdio::null())
                .env("S", if ours { KIBOSH } else { BASH });
            command
        },
    );
}
