//! `kibosh doctor` on this machine: what it says, what it takes for weak, and that it changes nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::place::Place;

/// A user whom `/etc/passwd` does not know, so that `HOME` tells where its policies are.
const STRANGER: u32 = 54_321;

/// Whether the machine has all that kibosh makes use of, and the tests may make namespaces.
fn is_full() -> bool {
    std::env::var("KIBOSH_TEST_KERNEL").is_ok_and(|value| value == "full")
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A place with kibosh installed in it as `install.sh` does.
struct Installed(Place);

impl Installed {
    fn new(test: &str) -> Self {
        let place = Place::bare(test);
        let at = |name: &str| place.path().join(name);
        for folder in ["bin", "lib/kibosh", "home", "work"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_kibosh"));
        // By another program: what a thread of this one forks meanwhile would hold the file open for
        // writing, and nobody can start it then (ETXTBSY, execve(2)).
        let copied = Command::new("cp").arg(built).arg(at("bin")).status();
        assert!(copied.unwrap().success());
        symlink("../../bin/kibosh", at("lib/kibosh/bash")).unwrap();
        symlink("../../bin/kibosh", at("lib/kibosh/sh")).unwrap();
        Self(place)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `kibosh doctor` there.
    fn doctor(&self) -> Command {
        let mut command = Command::new(self.at("bin/kibosh"));
        command.arg("doctor").current_dir(self.at("work"));
        command
    }

    /// The same as the stranger, where that can be had; else as this user.
    fn doctor_as_stranger(&self) -> Command {
        if !is_root() {
            return self.doctor();
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &STRANGER.to_string()])
            .args(["--regid", &STRANGER.to_string(), "--clear-groups", "--"])
            .arg(self.at("bin/kibosh"))
            .arg("doctor")
            .current_dir(self.at("work"))
            .env("HOME", self.at("home"));
        command
    }

    /// Gives everything below a folder of it to the stranger.
    fn give(&self, folder: &str) {
        let mut paths = vec![self.at(folder)];
        while let Some(path) = paths.pop() {
            chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
            if path.is_dir() {
                paths.extend(fs::read_dir(path).unwrap().map(|one| one.unwrap().path()));
            }
        }
    }
}

/// What it found: its standard output, where nothing went wrong.
#[track_caller]
fn found(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert!(
        matches!(status.code(), Some(0 | 1)) && errors.is_empty(),
        "{status} {text} {errors}"
    );
    let is_well = !text.contains("\n  weak ") && !text.contains("\n  missing ");
    assert_eq!(status.code() == Some(0), is_well, "{text}");
    text
}

/// The line of the report that begins so, with single blanks.
#[track_caller]
fn line(text: &str, beginning: &str) -> String {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .find(|line| line.starts_with(beginning))
        .unwrap_or_else(|| panic!("no line begins with {beginning}:\n{text}"))
}

fn json(command: &mut Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_kernel_of_a_machine_that_is_said_to_have_everything_has_it() {
    let place = Installed::new("doctor-kernel");
    let answer = json(&mut place.doctor());
    let kernel: Vec<(&str, &str)> = answer["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["section"] == "kernel")
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["mark"].as_str().unwrap(),
            )
        })
        .collect();
    let names: Vec<&str> = kernel.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "release",
            "notifications",
            "signals",
            "descriptors",
            "memory",
            "tracing",
            "yama",
            "landlock",
            "keys",
            "namespaces",
            "privileges"
        ]
    );
    if is_full() {
        assert!(kernel.iter().all(|(_, mark)| *mark == "ok"), "{kernel:?}");
    }
}

#[test]
fn within_a_guarded_shell_the_exec_gate_is_on() {
    let place = Installed::new("doctor-inside");
    let doctor = place.at("bin/kibosh");
    let command = format!("{} doctor", doctor.display());
    let outside = found(&mut place.doctor());
    let inside = Command::new(&doctor)
        .args(["-c", &command])
        .current_dir(place.at("work"))
        .output()
        .unwrap();
    let inside = String::from_utf8(inside.stdout).unwrap();
    line(&inside, "ok line each line is judged");
    if is_full() || outside.contains("exec           at hand") {
        line(&inside, "ok exec on: ");
        line(&inside, "ok any whichever is started from here");
        assert!(!inside.contains("\n  missing "), "{inside}");
    }
}

#[test]
fn the_json_has_keys_that_stay() {
    let place = Installed::new("doctor-json");
    let answer = json(&mut place.doctor());
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&answer), ["checks", "facts", "result", "version"]);
    assert_eq!(
        keys(&answer["facts"]),
        [
            "agents", "gates", "kernel", "policy", "program", "record", "shells", "user"
        ]
    );
    for check in answer["checks"].as_array().unwrap() {
        assert_eq!(keys(check), ["hint", "mark", "name", "section", "text"]);
        let mark = check["mark"].as_str().unwrap();
        assert!(["ok", "note", "weak", "missing"].contains(&mark), "{check}");
        let needs_hint = ["weak", "missing"].contains(&mark);
        assert_eq!(needs_hint, !check["hint"].is_null(), "{check}");
    }
    assert_eq!(answer["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_policy_with_a_mistake_is_missing_with_the_place_of_the_mistake() {
    let place = Installed::new("doctor-broken");
    let file = place.at("work/.kibosh.toml");
    fs::write(&file, "[[rule]]\nid = \"a.b\"\neffect = \"dney\"\n").unwrap();
    let text = found(&mut place.doctor());
    line(&text, "missing line the policy cannot be read");
    line(
        &text,
        &format!("missing mistake {}:3:10: unknown variant", file.display()),
    );
    line(&text, "hint: did you mean `deny`?");
}

#[test]
fn an_example_that_does_not_hold_is_a_mistake() {
    let place = Installed::new("doctor-example");
    let rule = "[[rule]]\nid = \"a.b\"\neffect = \"deny\"\nreason = \"it is gone then\"\n\
         match = [{ program = [\"demolish\"] }]\n\
         examples = { matches = [\"renovate\"], passes = [\"true\"] }\n";
    fs::write(place.at("work/.kibosh.toml"), rule).unwrap();
    let text = found(&mut place.doctor());
    let mistake = line(&text, "missing mistake ");
    assert!(mistake.contains(".kibosh.toml:6:"), "{mistake}");
}

#[test]
fn a_project_is_in_force_as_far_as_it_is_trusted() {
    let place = Installed::new("doctor-project");
    let file = place.at("work/.kibosh.toml");
    let told = |text: &str| {
        fs::write(&file, text).unwrap();
        let text = found(&mut place.doctor());
        let told = text.lines().find(|line| line.contains("work/.kibosh.toml"));
        let (facts, told) = told.unwrap().split_once(": ").unwrap();
        format!("{} {told}", facts.split_whitespace().next().unwrap())
    };
    assert_eq!(told("# empty\n"), "ok all of it is in force");
    assert_eq!(
        told("[[exception]]\nrule = \"git.push-force\"\nreason = \"nobody else is here\"\n"),
        "- not trusted: only what is stricter is in force"
    );
}

#[test]
fn the_budgets_in_force_are_told_with_the_file_that_sets_them() {
    let place = Installed::new("doctor-budgets");
    let file = place.at("work/.kibosh.toml");
    // A project only lowers them.
    fs::write(
        &file,
        "[budget]\ndeleted-files = 7\ndeleted-bytes = \"900 TB\"\ndestroyed-resources = 0\n",
    )
    .unwrap();
    let text = found(&mut place.doctor());
    let project = format!("project: {}", file.display());
    for (budget, from) in [
        ("7 files deleted", project.as_str()),
        ("1 GB of files deleted", "usual"),
        ("1,000 files written over", "usual"),
        ("0 resources destroyed", project.as_str()),
    ] {
        line(
            &text,
            &format!("- budget {budget} with nobody asked ({from})"),
        );
    }
    let answer = json(&mut place.doctor());
    let budgets = &answer["facts"]["policy"]["settings"]["budgets"];
    let path = file.to_str().unwrap();
    assert_eq!(
        *budgets,
        serde_json::json!([
            { "key": "deleted-files", "most": 7, "layer": "project", "file": path },
            { "key": "deleted-bytes", "most": 1_000_000_000, "layer": "pack", "file": null },
            { "key": "overwritten-files", "most": 1000, "layer": "pack", "file": null },
            { "key": "destroyed-resources", "most": 0, "layer": "project", "file": path },
        ])
    );
}

#[test]
fn what_the_user_can_change_is_weak() {
    let place = Installed::new("doctor-user");
    let policy = place.at("home/.config/kibosh");
    fs::create_dir_all(&policy).unwrap();
    fs::write(policy.join("me.toml"), "# mine\n").unwrap();
    fs::set_permissions(policy.join("me.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    if !is_root() {
        // Nobody else can be asked as.
        line(&found(&mut place.doctor()), "weak program ");
        return;
    }
    let program = place.at("bin/kibosh");
    let text = found(&mut place.doctor());
    line(&text, "weak user root: ");
    line(&text, &format!("- program {}", program.display()));

    let text = found(&mut place.doctor_as_stranger());
    line(&text, &format!("ok user {STRANGER}"));
    line(
        &text,
        &format!("ok program {}: not yours", program.display()),
    );
    line(&text, "ok system folder /etc/kibosh: nothing of yours");
    let file = line(&text, "ok user /");
    let ends = " 49cf24c707d61fd3 root 644: not yours to change";
    assert!(file.ends_with(ends), "{file}");

    place.give("home");
    place.give("bin");
    let text = found(&mut place.doctor_as_stranger());
    let file = line(&text, "weak user /");
    let ends = format!(" {STRANGER} 644: an agent running as you can change it");
    assert!(file.ends_with(&ends), "{file}");
    line(&text, &format!("weak user folder {}", policy.display()));
    line(
        &text,
        &format!("weak program {}: an agent", program.display()),
    );
    line(&text, "- record ");
    assert!(
        !place.at("home/.local").exists(),
        "it writes down what it found"
    );
}

#[test]
fn an_agent_is_covered_where_its_way_leads_here() {
    let place = Installed::new("doctor-agents");
    let agents = place.at("agents");
    fs::create_dir(&agents).unwrap();
    for name in ["claude", "gemini", "copilot"] {
        let file = agents.join(name);
        fs::write(&file, "#!/bin/sh\nexit 9\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", agents.display());
    let names = place.at("lib/kibosh");
    let mut command = place.doctor();
    command.env("SHELL", "/bin/bash").env("PATH", &path);
    command.env_remove("CLAUDE_CODE_SHELL");
    let text = found(&mut command);
    line(&text, "weak any no way to a shell leads to this kibosh");
    line(
        &text,
        "weak claude Claude Code: takes SHELL, which is not kibosh",
    );
    line(
        &text,
        &format!("hint: `SHELL={}/bash claude`", names.display()),
    );
    line(&text, "weak gemini Gemini CLI: takes `bash` from PATH");
    line(
        &text,
        &format!("hint: `PATH={}:$PATH gemini`", names.display()),
    );
    let copilot = text.lines().find(|line| line.contains("Copilot CLI"));
    assert!(copilot.unwrap().contains("/bin/bash whatever is set"));

    let covered = format!("{}:{path}", names.display());
    let mut command = place.doctor();
    command.env("SHELL", names.join("bash"));
    command.env("PATH", covered).env_remove("CLAUDE_CODE_SHELL");
    let text = found(&mut command);
    line(&text, &format!("ok SHELL {}", names.join("bash").display()));
    line(&text, "ok claude Claude Code: covered by SHELL");
    line(&text, "ok gemini Gemini CLI: covered by PATH");
    line(&text, &format!("ok names {}", names.display()));
}

/// Where programs may gain rights, those without rights cannot have the exec gate: lines are judged alone.
#[test]
fn a_policy_that_lets_programs_gain_rights_takes_the_exec_gate_from_users() {
    if !(is_full() && is_root()) {
        return;
    }
    let place = Installed::new("doctor-gain");
    let policy = place.at("home/.config/kibosh");
    fs::create_dir_all(&policy).unwrap();
    fs::write(
        policy.join("me.toml"),
        "[settings]\nnew-privileges = true\n",
    )
    .unwrap();
    place.give("home");
    let passwd = place.at("passwd");
    let home = place.at("home");
    fs::write(
        &passwd,
        format!("u:x:{STRANGER}:{STRANGER}::{}:/bin/sh\n", home.display()),
    )
    .unwrap();
    let as_user = |arguments: &[&str]| {
        let script = format!(
            "mount --bind {} /etc/passwd && exec setpriv --reuid {STRANGER} --regid {STRANGER} --clear-groups \"$@\"",
            passwd.display()
        );
        Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, "sh"])
            .arg(place.at("bin/kibosh"))
            .args(arguments)
            .current_dir(place.at("work"))
            .output()
            .unwrap()
    };
    let output = as_user(&["-c", "echo said"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "said\n",
        "{output:?}"
    );
    let output = as_user(&["run", "--", "echo", "said"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "said\n",
        "{output:?}"
    );
    let output = as_user(&["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    line(
        &text,
        "missing exec none: the policy lets programs gain rights",
    );
    line(&text, "ok user u");
}
