//! A day of ordinary work in one repository, line by line as an agent would issue it: nobody is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");
/// One line of the shell each, with `\n` for a line's end and `\\` for a backslash. Where it begins with `? ` it
/// is asked about all the same.
const DAY: &str = include_str!("data/day.txt");
/// What talks to machines far away, or is not on each machine: it does nothing here.
const STAND_INS: &[&str] = &[
    "ansible-playbook",
    "aws",
    "cargo",
    "curl",
    "docker",
    "gcloud",
    "gh",
    "go",
    "helm",
    "kubectl",
    "npx",
    "pip",
    "psql",
    "pytest",
    "redis-cli",
    "rsync",
    "scp",
    "ssh",
    "terraform",
];

#[test]
fn a_day_of_ordinary_work_asks_nobody() {
    let tree = Tree::new();
    let bin = tree.work().join("../bin");
    fs::create_dir(&bin).unwrap();
    for name in STAND_INS {
        let file = bin.join(name);
        fs::write(&file, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    tree.make("git init -q --bare ../origin.git; touch requirements.txt");
    let bin = bin.canonicalize().unwrap();
    let run = |line: &str| -> Output {
        let mut command = tree.command(KIBOSH, line);
        command.env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()),
        );
        command.env("XDG_RUNTIME_DIR", tree.work().join(".."));
        command.output().unwrap()
    };
    let lines = DAY
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in lines {
        count += 1;
        let (is_asked, line) = match line.strip_prefix("? ") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let line = line.split(r"\\").map(|part| part.replace(r"\n", "\n"));
        let line = line.collect::<Vec<_>>().join(r"\");
        let output = run(&line);
        let expected = if is_asked { 126 } else { 0 };
        let told = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(expected) || told.contains("kibosh:") != is_asked {
            wrong.push(format!("{line}: {output:?}"));
        }
        if is_asked {
            // What a person would say yes to is done, so that the day goes on.
            let mut plain = tree.command("/bin/bash", &line);
            plain.env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()),
            );
            assert!(plain.output().unwrap().status.success(), "{line}");
        }
    }
    assert!(count >= 200, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
