//! Ways by which a script has a program started, so that no text shows it to the line gate: each starts what
//! is allowed, and none what is not. The shipped commands go by the routes of `routes.rs`; these are many
//! more, with one program that only leaves a mark.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::place::Place;

/// The scripts, with `{}` for the command, and files that stand beside them.
const WAYS: &[(&str, &[(&str, &str)])] = &[
    ("{}", &[]),
    ("eval \"$(cat file)\"", &[("file", "{}")]),
    (". ./file", &[("file", "{}")]),
    ("sh ./file", &[("file", "{}")]),
    ("sh <file", &[("file", "{}")]),
    ("cat file | sh", &[("file", "{}")]),
    ("./file", &[("file", "{}")]),
    ("exec {}", &[]),
    ("command {}", &[]),
    ("( {} & wait )", &[]),
    ("echo $({})", &[]),
    ("trap '{}' EXIT", &[]),
    ("bash ./file", &[("file", "exec -a ls {}")]),
    (
        "bash ./file",
        &[("file", "x() { {}; }; export -f x; bash -c x")],
    ),
    ("env 'BASH_FUNC_x%%=() { {}; }' bash -c x", &[]),
    ("bash ./file", &[("file", "coproc {}; wait")]),
    ("bash ./file", &[("file", "cat <({})")]),
    ("bash ./file", &[("file", "hash -r; \"${BASH%/*}/env\" {}")]),
    ("env -S '{}'", &[]),
    ("./file", &[("file", "#!/usr/bin/env -S {}\n")]),
    ("setsid -w {}", &[]),
    ("nohup {}", &[]),
    ("timeout 9 {}", &[]),
    ("stdbuf -o0 {}", &[]),
    ("nice {}", &[]),
    ("ionice -c3 {}", &[]),
    ("taskset 1 {}", &[]),
    ("setarch -R {}", &[]),
    ("prlimit --nofile=99 {}", &[]),
    ("setpriv --no-new-privs {}", &[]),
    ("flock ./lock {}", &[]),
    ("flock ./lock -c '{}'", &[]),
    ("script -qc '{}' /dev/null", &[]),
    ("script -qc 'sh ./file' /dev/null", &[("file", "{}")]),
    ("find . -maxdepth 0 -exec {} \\;", &[]),
    ("find file -exec sh {} \\;", &[("file", "{}")]),
    ("xargs -a file env", &[("file", "{}")]),
    ("awk -f file", &[("file", "BEGIN { system(\"{}\") }")]),
    (
        "awk -f file",
        &[("file", "BEGIN { print \"{}\" | \"sh\" }")],
    ),
    ("awk -f file", &[("file", "BEGIN { \"{}\" | getline }")]),
    ("echo x | sed -f file", &[("file", "e {}\n")]),
    ("echo x | sed -f file", &[("file", "s/.*/{}/e\n")]),
    ("perl file", &[("file", "system('{}')")]),
    ("perl file", &[("file", "print `{}`")]),
    ("perl file", &[("file", "open F, '-|', qw({}); print <F>")]),
    ("python3 file", &[("file", "import os; os.system('{}')")]),
    (
        "python3 file",
        &[("file", "import pty; pty.spawn('{}'.split())")],
    ),
    (
        "python3 file",
        &[(
            "file",
            "import os; os.execvp('demolish', ['ls'] + '{}'.split()[1:])",
        )],
    ),
    (
        "python3 file",
        &[(
            "file",
            "import os; os.posix_spawn(os.getcwd() + '/bin/demolish', '{}'.split(), os.environ); os.wait()",
        )],
    ),
    (
        "node file",
        &[("file", "require('child_process').execSync('{}')")],
    ),
    (
        "node file",
        &[(
            "file",
            "require('child_process').spawn('{}', { shell: true, detached: true })",
        )],
    ),
    ("make -s", &[("Makefile", "all:\n\t{}\n")]),
    ("make -s", &[("Makefile", "X := $(shell {})\nall:\n\t@:\n")]),
    (
        "git init -q . && git x",
        &[(".git/config", "[alias]\nx = !{}\n")],
    ),
    (
        "git init -q . && git status",
        &[(".git/config", "[core]\nfsmonitor = {};:\n")],
    ),
    (
        "git init -q . && git add .",
        &[
            (".git/config", "[filter \"x\"]\nclean = {}\n"),
            (".gitattributes", "* filter=x"),
        ],
    ),
    (
        "tar cf /dev/null --checkpoint=1 --checkpoint-action='exec={}' file",
        &[("file", "")],
    ),
    ("tar -I ./file -cf copy way", &[("file", "#!/bin/sh\n{}")]),
    (
        "export TAR_OPTIONS='--checkpoint=1 --checkpoint-action=exec=./file'; tar cf /dev/null way",
        &[("file", "#!/bin/sh\n{}")],
    ),
    (
        "mkdir other; ln -s ../bin/demolish other/ls; other/ls {}",
        &[],
    ),
];

/// Whether `demolish` ran, and what was said.
fn started(place: &Place, (script, files): &(&str, &[(&str, &str)]), word: &str) -> (bool, String) {
    for entry in fs::read_dir(place.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() && name != "bin" {
            fs::remove_dir_all(entry.path()).unwrap();
        } else if name != "bin" && name != ".kibosh.toml" {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    // A link stands for the program: only its words are left to say.
    let command = if script.contains("other/ls {}") {
        word.to_owned()
    } else {
        format!("demolish {word}")
    };
    for (name, text) in files.iter().chain(&[("way", *script)]) {
        let file = place.path().join(name);
        // find's own braces stay.
        let text = if text.contains("-exec sh {}") {
            (*text).to_owned()
        } else {
            text.replace("{}", &command)
        };
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = place.command(env!("CARGO_BIN_EXE_kibosh"));
    command
        .env("HOME", place.path())
        .env("GIT_CEILING_DIRECTORIES", "/");
    let done = command.args(["-c", "/bin/sh ./way"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    (place.ran().is_some_and(|ran| ran.contains(word)), said)
}

#[test]
fn no_way_starts_what_is_not_allowed_and_each_starts_what_is() {
    let place = Place::new("ways");
    let mut wrong = Vec::new();
    for way in WAYS {
        let (ran, said) = started(&place, way, "some");
        if !ran {
            wrong.push(format!("starts nothing: {way:?}: {said}"));
        }
        let (ran, said) = started(&place, way, "all");
        if ran {
            wrong.push(format!("starts it: {way:?}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What removes a folder that is not there, by ways that only the content of a file tells.
const REMOVALS: &[&str] = &[
    "cp /bin/rm x; ./x {}",
    "mkdir y; cp /bin/rm y/ls; y/ls {}",
    "cp /bin/rm x; python3 -c 'import os; os.execv(\"./x\", [\"ls\"] + \"{}\".split())'",
    "cp /bin/rm x; L=$(echo /lib*/ld-*.so.?); $L ./x {}",
    "L=$(echo /lib*/ld-*.so.?); cp $L y; ./y /bin/rm {}",
    "L=$(echo /lib*/ld-*.so.?); cp $L y; cp /bin/rm x; ./y --argv0 ls ./x {}",
    "echo 'rm {}' >x; busybox sh ./x",
    "echo 'rm {}' >x; busybox ash <x",
    "echo 'rm {}' | busybox sh",
    "ln -s \"$(command -v busybox)\" ash; echo 'rm {}' >x; ./ash ./x",
    "printf '#!%s sh\\nrm {}\\n' \"$(command -v busybox)\" >x; chmod +x x; ./x",
];

#[test]
fn a_program_is_what_its_file_holds() {
    let place = Place::bare("ways-of-files");
    let tool = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    assert!(
        tool("busybox"),
        "the ways need `busybox`; `.ci/run` installs it"
    );
    let said = |way: &str, words: &str| {
        for entry in fs::read_dir(place.path()).unwrap() {
            let path = entry.unwrap().path();
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
        fs::write(place.path().join("way"), way.replace("{}", words)).unwrap();
        let mut command = place.command(env!("CARGO_BIN_EXE_kibosh"));
        let done = command.args(["-c", "/bin/sh ./way"]).output().unwrap();
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    for way in REMOVALS {
        let (_, told) = said(way, "-rf /etc/no/such/folder");
        assert!(told.contains("kibosh: not started"), "{way}: {told}");
        // Of what comes in while such a shell runs, nothing can be judged.
        if !way.contains("| busybox") {
            let (has_run, told) = said(way, "-rf no/such/folder");
            assert!(has_run && told.is_empty(), "{way}: {told}");
        }
    }
}
