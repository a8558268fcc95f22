//! The exec of one program, by its real words: what the policy says of it. Nothing here is run but
//! `sleep`, whose folder below `/proc` is looked at.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kibosh::invocation::View;
use kibosh::judge::{self, Base, Caller, Exec, ExecJudgement, Interpreter, Told};
use kibosh::policy::Policy;
use kibosh::policy::schema::Effect::{self, Allow, Confirm, Deny};

use crate::support::place::Place;

/// What every session of these tests begins with.
const BEGINS_WITH: &[&str] = &[
    "PATH=/usr/bin:/bin",
    "HOME=/home/ann",
    "LD_PRELOAD=/tmp/known.so",
];

/// An exec that is put together.
struct Asked {
    exec: Exec,
    environment: Vec<Vec<u8>>,
    folder: PathBuf,
    cwd: PathBuf,
}

/// The exec of the program at a path, called by that path.
fn asked(path: &str, arguments: &[&str]) -> Asked {
    let words = std::iter::once(&path).chain(arguments);
    Asked {
        exec: Exec {
            path: path.into(),
            names: Vec::new(),
            argv: words.map(|word| CString::new(*word).unwrap()).collect(),
            view: View::own(),
            interpreters: Vec::new(),
            is_kibosh: false,
        },
        environment: entries(BEGINS_WITH),
        folder: PathBuf::from(format!("/proc/{}", std::process::id())),
        cwd: PathBuf::from("/home/ann/shop"),
    }
}

fn entries(entries: &[&str]) -> Vec<Vec<u8>> {
    entries
        .iter()
        .map(|entry| entry.as_bytes().to_vec())
        .collect()
}

impl Asked {
    fn named(mut self, names: &[&str]) -> Self {
        self.exec.names = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    fn called(mut self, argv0: &str) -> Self {
        self.exec.argv[0] = CString::new(argv0).unwrap();
        self
    }

    fn with(mut self, more: &[&str]) -> Self {
        for entry in more {
            let name = entry.split('=').next().unwrap();
            let other = |known: &Vec<u8>| !known.starts_with(format!("{name}=").as_bytes());
            self.environment.retain(other);
        }
        self.environment.extend(entries(more));
        self
    }

    fn read_by(mut self, path: &str, argument: Option<&str>, names: &[&str]) -> Self {
        self.exec.interpreters.push(Interpreter {
            path: path.into(),
            argument: argument.map(Into::into),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        });
        self
    }

    fn kibosh(mut self) -> Self {
        self.exec.is_kibosh = true;
        self
    }

    fn of(mut self, child: &Child) -> Self {
        self.folder = PathBuf::from(format!("/proc/{}", child.id()));
        self
    }

    fn judged(self) -> ExecJudgement {
        self.judged_for(&judge::Nobody)
    }

    fn judged_for(self, caller: &dyn Caller) -> ExecJudgement {
        let begin = View::of(PathBuf::new(), entries(BEGINS_WITH), Some(self.cwd.clone()));
        self.judged_in(&Base::of(&begin, Policy::shipped().limits()), caller)
    }

    fn judged_in(self, base: &Base, caller: &dyn Caller) -> ExecJudgement {
        let view = View::of(self.folder, self.environment, Some(self.cwd));
        let exec = Exec { view, ..self.exec };
        judge::exec(&Policy::shipped(), base, &exec, caller)
    }

    /// Says that the strictest finding is of this rule; none where it is allowed.
    fn is(self, effect: Effect, rule: &str) -> ExecJudgement {
        let what = format!("{:?} {:?}", self.exec.path, self.exec.argv);
        let judged = self.judged();
        let first = judged.decision.findings.first();
        let found = (
            judged.decision.effect,
            first.map_or("", |f| f.rule.as_str()),
        );
        assert_eq!(found, (effect, rule), "{what}: {judged:?}");
        for finding in &judged.decision.findings {
            let part = judged.text.get(finding.origin.start..finding.origin.end);
            assert!(part.is_some_and(|part| !part.is_empty()), "{judged:?}");
        }
        judged
    }
}

/// A caller with this environment, that runs this program.
struct Running(Vec<Vec<u8>>, &'static str, &'static [&'static str]);

impl Caller for Running {
    fn environment(&self) -> Vec<Vec<u8>> {
        self.0.clone()
    }

    fn chain(&self) -> Box<dyn Iterator<Item = judge::Running> + '_> {
        Box::new(std::iter::once(judge::Running {
            program: PathBuf::from(self.1),
            words: self.2.iter().map(|word| (*word).to_owned()).collect(),
        }))
    }
}

#[test]
fn what_is_left_out_for_its_caller_is_told() {
    let set = "GIT_SSH_COMMAND=rm -rf ~/work";
    let fetch = || asked("/usr/bin/git", &["fetch"]).with(&[set]);
    let caller =
        |environment: &[&str], program, words| Running(entries(environment), program, words);
    let effects = |judged: ExecJudgement| (judged.decision.effect, judged.is_for_caller);

    let (alone, left_out) = effects(fetch().judged());
    assert!(alone > Allow && !left_out);
    let has_it = caller(&[set], "/usr/bin/env", &["env"]);
    assert_eq!(effects(fetch().judged_for(&has_it)), (Allow, true));
    let has_another = caller(&["GIT_SSH_COMMAND=ssh"], "/usr/bin/env", &["env"]);
    assert_eq!(effects(fetch().judged_for(&has_another)), (alone, false));
    // What nobody would have asked about is the same for all.
    let status = asked("/usr/bin/git", &["status"]).judged_for(&has_it);
    assert_eq!(effects(status), (Allow, false));
}

#[test]
fn the_machine_is_looked_at_only_where_somebody_would_be_asked_and_time_is_left() {
    const HELPER: &[&str] = &["git", "submodule--helper", "update"];
    let begin = View::of(PathBuf::new(), entries(BEGINS_WITH), None);
    let arguments = ["checkout", "-f", "-q"];
    let by_git = Running(entries(BEGINS_WITH), "/usr/bin/git", HELPER);
    let by_make = Running(entries(BEGINS_WITH), "/usr/bin/make", &["make"]);
    for (caller, expected) in [(&by_git, Allow), (&by_make, Confirm)] {
        let base = Base::of(&begin, Policy::shipped().limits());
        let judged = asked("/usr/bin/git", &arguments).judged_in(&base, caller);
        assert_eq!(judged.decision.effect, expected, "{judged:?}");
        let has_looked = !base.looks().spent_by(Instant::now()).is_zero();
        assert_eq!(has_looked, expected == Confirm);
    }
    let base = Base::of(&begin, Policy::shipped().limits());
    let all = Duration::from_secs(30);
    base.looks().spend(Instant::now(), all);
    let judged = asked("/usr/bin/git", &arguments).judged_in(&base, &by_make);
    assert_eq!(judged.decision.effect, Confirm);
    assert_eq!(base.looks().spent_by(Instant::now()), all);
}

#[test]
fn a_program_is_judged_by_its_words() {
    let judged = asked("/bin/rm", &["-rf", "/"]).is(Deny, "filesystem.remove-system");
    assert_eq!(judged.text, "/bin/rm -rf /");
    assert_eq!(judged.told, Told::Program("rm".to_owned()));
    asked("/bin/rm", &["-rf", "target"]).is(Allow, "");
    asked("/usr/bin/git", &["push", "--force", "origin", "main"]).is(Confirm, "git.push-force");
    asked("/usr/bin/git", &["status"]).is(Allow, "");
    // No shell reads these words any more.
    asked("/bin/echo", &["$(rm -rf /)"]).is(Allow, "");
    asked("/bin/echo", &[";", "rm", "-rf", "/"]).is(Allow, "");
    asked("/usr/bin/test", &["-d", "/"]).is(Allow, "");
    asked("/bin/rm", &["-f", "$HOME"]).is(Allow, "");
}

#[test]
fn every_name_of_a_program_counts() {
    let rule = "filesystem.remove-system";
    asked("/tmp/x", &["-rf", "/"]).named(&["rm"]).is(Deny, rule);
    asked("/home/ann/bin/ls", &["-rf", "/"])
        .named(&["x", "rm"])
        .is(Deny, rule);
    asked("./rm", &["-rf", "/"]).named(&["x"]).is(Deny, rule);
    asked("/tmp/x", &["-rf", "/"]).named(&["ls"]).is(Allow, "");
    let judged = asked("/usr/bin/vi", &["-c", "!rm -rf /", "x"])
        .named(&["vim.basic"])
        .judged();
    assert_eq!(judged.text, "/usr/bin/vi -c '!rm -rf /' x");
    let twice = asked("/bin/grm", &["-rf", "/"]).named(&["rm"]).judged();
    let once = asked("/bin/rm", &["-rf", "/"]).judged();
    let count = |judged: &ExecJudgement| judged.decision.findings.len();
    assert_eq!(count(&twice), count(&once), "{twice:?}");
}

#[test]
fn what_a_program_runs_is_looked_through() {
    let rule = "filesystem.remove-system";
    for (path, arguments) in [
        ("/lib64/ld-linux-x86-64.so.2", &["/bin/rm", "-rf", "/"][..]),
        ("/usr/bin/env", &["rm", "-rf", "/"]),
        ("/usr/bin/env", &["A=b", "sh", "-c", "rm -rf /"]),
        ("/usr/bin/xargs", &["rm", "-rf", "/"]),
        ("/usr/bin/timeout", &["5", "rm", "-rf", "/"]),
        (
            "/usr/bin/python3",
            &["-c", "import shutil; shutil.rmtree(\"/\")"],
        ),
        ("/bin/busybox", &["rm", "-rf", "/"]),
        ("/bin/busybox", &["sh", "-c", "rm -rf /"]),
    ] {
        asked(path, arguments).is(Deny, rule);
    }
    asked("/usr/bin/xargs", &["ls"]).is(Allow, "");
}

#[test]
fn a_program_that_is_many_is_the_one_that_it_is_called() {
    let rule = "filesystem.remove-system";
    let many = |path: &str, words: &[&str]| asked(path, words).named(&["busybox"]);
    many("/bin/rm", &["-rf", "/"]).is(Deny, rule);
    many("/bin/ls", &["-rf", "/"]).called("rm").is(Deny, rule);
    many("/bin/busybox", &["-rf", "/"])
        .called("rm")
        .is(Deny, rule);
    many("/bin/sh", &["-c", "rm -rf /"]).is(Deny, rule);
    many("/bin/x", &["-c", "rm -rf /"])
        .called("sh")
        .is(Deny, rule);
    many("/bin/x", &["rm", "-rf", "/"])
        .called("busybox")
        .is(Deny, rule);
    many("/bin/ls", &["/"]).is(Allow, "");
}

#[test]
fn a_shell_is_judged_by_its_text() {
    let rule = "filesystem.remove-system";
    let judged = asked("/bin/sh", &["-c", "cd /; rm -rf /"])
        .named(&["dash"])
        .is(Deny, rule);
    assert_eq!(judged.text, "cd /; rm -rf /");
    assert_eq!(judged.told, Told::Command("dash".to_owned()));
    let origin = judged.decision.findings[0].origin;
    assert_eq!(judged.text.get(origin.start..origin.end), Some("rm -rf /"));
    let bash = |words: &[&str]| asked("/bin/bash", words);
    bash(&["-c", "rm -rf \"$1\"", "x", "/"]).is(Deny, rule);
    bash(&["-c", "rm -rf \"$D\""]).with(&["D=/"]).is(Deny, rule);
    bash(&["-c", "$@", "x", "rm", "-rf", "/"]).is(Deny, rule);
    bash(&["-c", ": > /etc/passwd"]).judged();
    bash(&["-c", "echo hi; make"]).is(Allow, "");
    bash(&["-n", "-c", "rm -rf /"]).is(Allow, "");
    bash(&["--version"]).is(Allow, "");
    // Names that lie.
    asked("/bin/bash", &["-c", "rm -rf /"])
        .called("x")
        .is(Deny, rule);
    asked("/bin/bash", &["-c", "rm -rf /"])
        .called("-x")
        .is(Deny, rule);
    asked("/bin/bash", &["--dry-run", "-c", "rm -rf /"])
        .called("kibosh")
        .is(Allow, "");
    asked("/tmp/x", &["-c", "rm -rf /"])
        .named(&["bash"])
        .is(Deny, rule);
    asked("/tmp/x", &["-c", "rm -rf /"])
        .called("x")
        .named(&["y", "dash"])
        .is(Deny, rule);
    // As `sh` a shell takes options that bash does not have.
    asked("/bin/dash", &["-V", "-c", "rm -rf /"]).is(Deny, rule);
    asked("/bin/bash", &["-V", "-c", "rm -rf /"]).is(Allow, "");
    asked("/bin/bash", &["-V", "-c", "rm -rf /"])
        .called("-sh")
        .is(Deny, rule);
}

#[test]
fn of_a_script_only_that_is_judged_which_no_exec_will_show() {
    let place = Place::bare("exec-script");
    let script = |name: &str, text: &str| {
        let file = place.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let writes = script("writes.sh", "echo x\n: > /etc/passwd\n");
    let starts = script("starts.sh", "rm -rf /\n");
    let long = script(
        "long.sh",
        &format!("{}: > /etc/passwd\n", "#\n".repeat(40_000)),
    );
    let rule = asked("/bin/bash", &["-c", ": > /etc/passwd"])
        .judged()
        .decision
        .findings[0]
        .rule
        .clone();
    let judged = asked("/bin/bash", &[&writes]).is(Confirm, &rule);
    assert_eq!(judged.told, Told::Script(writes.clone()));
    assert!(judged.text.contains("/etc/passwd"));
    asked("/bin/bash", &[&starts]).is(Allow, "");
    // What the words say of it counts as for every interpreter.
    asked("/bin/bash", &["scripts/reset_db.sh"]).is(Confirm, "frameworks.script");
    asked("/bin/sh", &["-x", "bin/nuke-prod.sh"]).is(Confirm, "frameworks.script");
    asked("/bin/bash", &[&long]).is(Allow, "");
    asked("/bin/bash", &["/no/such/file"]).is(Allow, "");
    asked("/bin/bash", &["/usr/bin/ldd"]).is(Allow, "");
    // The kernel puts the interpreter before it.
    let run = |file: &str| asked(file, &["word"]).read_by("/bin/sh", None, &["dash"]);
    run(&writes).is(Confirm, &rule);
    run(&starts).is(Allow, "");
    asked(&writes, &[])
        .read_by("/bin/sh", Some("-e"), &[])
        .is(Confirm, &rule);
    asked(&writes, &[])
        .read_by("/usr/bin/env", Some("bash"), &[])
        .is(Allow, "");
    // The interpreter's own option is code.
    asked(&starts, &[])
        .read_by(
            "/usr/bin/python3",
            Some("-cimport shutil; shutil.rmtree('/')"),
            &[],
        )
        .is(Deny, "filesystem.remove-system");
    // What reads it is itself read by another: the last one has all their words.
    let nested = |argument: Option<&str>| {
        asked("/x/outer", &["/srv/data"])
            .read_by("/x/inner", None, &["inner"])
            .read_by("/usr/bin/rm", argument, &["rm"])
    };
    nested(Some("-rf")).is(Confirm, "filesystem.remove-critical");
    nested(None).is(Confirm, "filesystem.remove-critical");
    asked("/x/outer", &["calm"])
        .read_by("/x/inner", None, &["inner"])
        .read_by("/usr/bin/cat", None, &["cat"])
        .is(Allow, "");
}

#[test]
fn kibosh_becomes_the_shell_that_is_judged() {
    asked("/usr/local/bin/kibosh", &["-c", "rm -rf /"])
        .kibosh()
        .is(Allow, "");
    asked("/x/lib/kibosh/bash", &["-c", "rm -rf /"])
        .kibosh()
        .is(Allow, "");
    asked("/usr/local/bin/kibosh", &["policy", "trust"])
        .kibosh()
        .is(Confirm, "self.policy");
    asked("/tmp/copy", &["policy", "trust"])
        .kibosh()
        .is(Confirm, "self.policy");
    asked("/usr/local/bin/kibosh", &["check", "rm -rf /"])
        .kibosh()
        .is(Allow, "");
    // A program that only has the name is none.
    asked("/tmp/kibosh", &["-c", "rm -rf /"]).is(Deny, "filesystem.remove-system");
}

#[test]
fn variables_count_where_the_session_did_not_begin_with_them() {
    let make = || asked("/usr/bin/make", &[]);
    make().is(Allow, "");
    let judged = make()
        .with(&["LD_PRELOAD=/tmp/new.so"])
        .is(Confirm, "environment.preload");
    assert_eq!(judged.text, "LD_PRELOAD=/tmp/new.so /usr/bin/make");
    asked("/bin/sh", &["-c", "make"])
        .with(&["LD_PRELOAD=/tmp/new.so"])
        .is(Confirm, "environment.preload");
    let git = |entry: &str| asked("/usr/bin/git", &["pull"]).with(&[entry]);
    git("GIT_SSH_COMMAND=ssh -i key").is(Allow, "");
    git("GIT_SSH_COMMAND=rm -rf /; ssh").is(Deny, "filesystem.remove-system");
    asked("/bin/bash", &["-c", "ls"])
        .with(&["BASH_ENV=/tmp/x"])
        .is(Confirm, "environment.start-up-code");
    // A rule about the database of an environment asks which one it is.
    let drop = || asked("/usr/bin/rails", &["db:drop"]);
    assert_ne!(drop().judged().decision.effect, Allow);
    drop().with(&["RAILS_ENV=test"]).is(Allow, "");
    asked("/bin/sh", &["-c", "rails db:drop"])
        .with(&["RAILS_ENV=test"])
        .is(Allow, "");
}

#[test]
fn a_home_of_its_own_does_not_move_what_is_guarded() {
    asked("/bin/rm", &["/home/ann/.config/kibosh/policy.toml"])
        .with(&["HOME=/tmp"])
        .is(Confirm, "self.policy");
}

#[test]
fn words_that_are_no_text_are_not_known() {
    let mut asked = asked("/bin/rm", &["-rf", "x"]);
    asked.exec.argv[2] = CString::new(&b"/\xff"[..]).unwrap();
    let judged = asked.judged();
    assert_ne!(judged.decision.effect, Allow, "{judged:?}");
    let mut asked = self::asked("/bin/bash", &["-c", "x"]);
    asked.exec.argv[2] = CString::new(&b"echo \xff"[..]).unwrap();
    asked.is(Confirm, "opaque.text");
}

/// A process to look at.
struct Sleeper(Child);

impl Sleeper {
    fn new(cwd: &Path, input: Stdio) -> Self {
        let mut command = Command::new("sleep");
        command.arg("60").current_dir(cwd).stdin(input).env_clear();
        Self(command.env("PATH", "/usr/bin:/bin").spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn files_are_those_of_the_process() {
    let place = Place::bare("exec-view");
    fs::write(place.path().join("writes.sh"), "true\n: > /etc/passwd\n").unwrap();
    std::os::unix::fs::symlink("writes.sh", place.path().join("link.sh")).unwrap();
    std::os::unix::fs::symlink("/dev/stdin", place.path().join("input")).unwrap();
    nix::unistd::mkfifo(&place.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut file = File::open(place.path().join("writes.sh")).unwrap();
    let rule = asked("/bin/bash", &["-c", ": > /etc/passwd"])
        .judged()
        .decision
        .findings[0]
        .rule
        .clone();

    let child = Sleeper::new(place.path(), file.try_clone().unwrap().into());
    let sh = |words: &[&str]| asked("/bin/sh", words).of(&child.0);
    assert_eq!(
        sh(&[]).is(Confirm, &rule).told,
        Told::Input("sh".to_owned())
    );
    sh(&["-s", "word"]).is(Confirm, &rule);
    sh(&["writes.sh"]).is(Confirm, &rule);
    sh(&["./link.sh"]).is(Confirm, &rule);
    for own in [
        "/dev/stdin",
        "/dev/fd/0",
        "/proc/self/fd/0",
        "/proc/self/cwd/writes.sh",
    ] {
        sh(&[own]).is(Confirm, &rule);
    }
    // Where a link leads to what belongs to whoever follows it, that cannot be read for another; what is in
    // it is judged when it starts something.
    sh(&["input"]).is(Allow, "");
    sh(&["fifo"]).is(Allow, "");
    sh(&["/dev/null"]).is(Allow, "");
    sh(&["."]).is(Allow, "");
    asked("/bin/bash", &["writes.sh"])
        .of(&child.0)
        .with(&["PATH=/x"])
        .is(Confirm, &rule);
    // The shell would go on where the file stands.
    file.seek(SeekFrom::Start(5 + 16)).unwrap();
    sh(&[]).is(Allow, "");
    file.rewind().unwrap();
    sh(&[]).is(Confirm, &rule);

    for input in [Stdio::piped(), Stdio::null()] {
        let child = Sleeper::new(place.path(), input);
        asked("/bin/sh", &[]).of(&child.0).is(Allow, "");
        asked("/bin/sh", &["/dev/stdin"]).of(&child.0).is(Allow, "");
    }
}
