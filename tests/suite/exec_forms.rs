//! Every form of an exec that the kernel offers, on the real kernel: the one is judged as the other, and what
//! nothing speaks against starts as it would without kibosh. Where an exec fails, it fails by the same error.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::place::Place;
use crate::support::probe::{
    assert_ran, assert_refused, compile, copy_program, guarded, line, place, probe, run, said,
    start, start_plainly, told,
};

/// The dynamic loader of this machine.
#[cfg(target_arch = "x86_64")]
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
#[cfg(target_arch = "aarch64")]
const LOADER: &str = "/lib/ld-linux-aarch64.so.1";

fn executable(place: &Place, name: &str, text: impl AsRef<[u8]>) {
    let file = place.path().join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

const FORMS: &[&str] = &[
    "execve",
    "execvp",
    "odd",
    "memory",
    "memory-open",
    "memory-named",
    "memory-pid",
    "held",
    "held-closing",
    "folder",
    "folder-closing",
    "at-here",
    "at-link",
    "thread",
    "spawn",
    "vfork",
    "clone3",
    "undumpable",
    "much",
    "many",
    #[cfg(target_arch = "x86_64")]
    "32",
    #[cfg(target_arch = "x86_64")]
    "32-at",
    #[cfg(target_arch = "x86_64")]
    "high",
];

#[test]
fn every_form_of_an_exec_is_judged_and_starts_what_nothing_speaks_against() {
    let place = place("forms");
    for form in FORMS {
        let calm = start(&place, &[form, "bin/renovate", "renovate", "all"]);
        assert_eq!(told(&calm), "", "{form}");
        assert_ran(&place, &calm, "renovate all\n", form);
        let harmful = start(&place, &[form, "bin/demolish", "demolish", "all"]);
        assert_refused(&place, &harmful, form);
        assert_eq!(said(&harmful), "ECANCELED\n", "{form}");
        assert!(told(&harmful).contains("test.ask"), "{form}: {harmful:?}");
    }
}

#[test]
fn a_program_that_was_removed_while_it_was_held_starts_and_is_judged() {
    let place = place("removed");
    let bin = place.path().join("bin");
    for (name, refused) in [("renovate", false), ("demolish", true)] {
        let copy = place.path().join("copy");
        copy_program(bin.join(name), &copy);
        let output = start(&place, &["removed", "copy", name, "all"]);
        assert!(!copy.exists(), "{output:?}");
        if refused {
            assert_refused(&place, &output, name);
        } else {
            assert_ran(&place, &output, "renovate all\n", name);
        }
    }
}

#[test]
fn a_program_that_starts_itself_again_is_judged_by_what_it_is_called_then() {
    let place = place("self");
    // Without words it only says that it does not know what to do.
    let calm = start(&place, &["self", "x", "renovate", "one", "all"]);
    assert_eq!((told(&calm), calm.status.code()), (String::new(), Some(2)));
    let harmful = start(&place, &["self", "x", "demolish", "all"]);
    assert_refused(&place, &harmful, "self");
}

#[test]
fn numbers_of_calls_that_no_program_here_needs_start_nothing() {
    let place = place("numbers");
    let calm = start(&place, &["execve", "bin/renovate", "renovate", "ok"]);
    assert_ran(&place, &calm, "renovate ok\n", "execve");
    #[cfg(target_arch = "x86_64")]
    for form in ["x32", "x32-59"] {
        let output = start(&place, &[form, "bin/renovate", "renovate", "ok"]);
        assert_eq!((said(&output).as_str(), place.ran()), ("ENOSYS\n", None));
    }
}

#[test]
fn what_a_program_is_called_does_not_hide_what_it_is() {
    let place = place("called");
    for called in ["renovate", "-renovate", "/x/renovate", "", "a b", "\u{e4}"] {
        let output = start(&place, &["execve", "bin/demolish", called, "all"]);
        assert_refused(&place, &output, called);
    }
    // A program that looks at what it is called by may be any.
    for called in ["demolish", "-demolish", "/x/demolish"] {
        let output = start(&place, &["execve", "bin/renovate", called, "all"]);
        assert_refused(&place, &output, called);
    }
    for called in ["renovate", "", "a b"] {
        let output = start(&place, &["execve", "bin/renovate", called, "all"]);
        assert_ran(&place, &output, &format!("{called} all\n"), called);
    }
    for form in ["empty", "null"] {
        let output = start(&place, &[form, "bin/demolish"]);
        assert_ran(&place, &output, " -\n", form);
    }
}

#[test]
fn scripts_are_judged_as_what_reads_them_with_the_words_that_it_gets() {
    let place = place("scripts");
    let bin = place.path().join("bin").display().to_string();
    executable(&place, "plain", format!("#!{bin}/demolish\n"));
    executable(&place, "argued", format!("#! {bin}/demolish all\n"));
    executable(&place, "unended", format!("#!{bin}/demolish all"));
    executable(&place, "relative", "#!bin/demolish\tall \n");
    executable(
        &place,
        "nested",
        format!("#!{}/plain\n", place.path().display()),
    );
    executable(
        &place,
        "deeper",
        format!("#!{}/argued x\n", place.path().display()),
    );
    executable(&place, "env", "#!/usr/bin/env demolish\n");
    executable(&place, "split", "#!/usr/bin/env -S demolish all\n");
    executable(&place, "read", "#!/bin/sh\n$(echo demolish) all\n");
    executable(
        &place,
        "bash",
        "#!/bin/bash -e\nx=all; \"./bin/demo\"* $x\n",
    );
    executable(&place, "unread", "$(echo demolish) all\n");
    executable(&place, "bin/named", "#!/bin/sh\n$(echo demolish) all\n");
    for (file, words, calm) in [
        ("./plain", &["all"][..], Some("ok")),
        ("./argued", &[], None),
        ("./unended", &[], None),
        ("./relative", &[], None),
        ("./nested", &["all"], Some("ok")),
        ("./deeper", &[], None),
        ("./env", &["all"], Some("ok")),
        ("./split", &[], None),
        ("./read", &[], None),
        ("./bash", &[], None),
        ("./unread", &[], None),
        ("named", &[], None),
    ] {
        let mut all = vec![file];
        all.extend(words);
        let output = guarded(&place, &all);
        assert_refused(&place, &output, file);
        if let Some(word) = calm {
            let output = guarded(&place, &[file, word]);
            let ran = place.ran().unwrap_or_default();
            assert!(ran.starts_with("demolish "), "{file}: {output:?} {ran}");
            fs::remove_file(place.path().join("ran")).unwrap();
        }
    }
    // Also where the C library reads it, and not the shell.
    let output = start(&place, &["execvp", "./unread", "unread"]);
    assert_refused(&place, &output, "execvp");
    executable(&place, "calm", "$(echo renovate) all\n");
    let output = start(&place, &["execvp", "./calm", "calm"]);
    assert_ran(&place, &output, "renovate all\n", "execvp");
    // A name that is refused reads a script.
    executable(&place, "demolish", "#!/bin/sh\nrenovate \"$@\"\n");
    assert_refused(&place, &guarded(&place, &["./demolish", "all"]), "demolish");
    let output = guarded(&place, &["./demolish", "ok"]);
    assert_ran(&place, &output, "renovate ok\n", "demolish ok");
}

#[test]
fn the_loader_is_looked_through_and_so_are_its_copies() {
    let place = place("loader");
    let copy = place.path().join("loader");
    copy_program(LOADER, &copy);
    for loader in [LOADER, "./loader"] {
        for options in [
            &[][..],
            &["--argv0", "renovate"],
            &["--library-path", "/no/such"],
            &["--inhibit-cache"],
            &["--preload", "libm.so.6"],
        ] {
            let words = |program: &str| -> Vec<String> {
                let mut words = vec!["execve".to_owned(), loader.to_owned(), "loader".to_owned()];
                words.extend(options.iter().map(|word| (*word).to_owned()));
                words.extend([program.to_owned(), "all".to_owned()]);
                words
            };
            let run = |program: &str| {
                let words = words(program);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                start(&place, &words)
            };
            let what = format!("{loader} {options:?}");
            assert_refused(&place, &run("bin/demolish"), &what);
            assert_ran_any(&place, &run("bin/renovate"), "renovate all\n", &what);
        }
    }
}

/// Says that a mark was left, where the words before it may differ.
fn assert_ran_any(place: &Place, output: &Output, end: &str, what: &str) {
    let ran = place.ran().unwrap_or_default();
    assert!(ran.ends_with(end), "{what}: {output:?} {ran}");
    fs::remove_file(place.path().join("ran")).unwrap();
}

/// A rule of the project by which nothing below `kept` is removed. There is nothing.
const KEPT: &str = r#"
[[class]]
name = "kept"
under = ["**/kept"]

[[rule]]
id = "test.kept"
effect = "confirm"
reason = "what is kept is kept"
instead = "leave it"
[[rule.match]]
program = ["rm"]
paths = ["kept"]
[rule.examples]
matches = ["rm -rf /x/kept/y"]
passes = ["rm -rf /x/y"]
"#;

#[test]
fn a_copy_of_a_program_is_that_program_whatever_it_is_called() {
    let place = place("copies");
    fs::write(place.path().join(".kibosh.toml"), KEPT).unwrap();
    let rm = fs::read("/bin/rm").unwrap();
    executable(&place, "x", &rm);
    executable(&place, "longer", [rm.as_slice(), b"and more"].concat());
    fs::hard_link(place.path().join("x"), place.path().join("hard")).unwrap();
    symlink("/bin/rm", place.path().join("link")).unwrap();
    symlink("link", place.path().join("chain")).unwrap();
    fs::create_dir(place.path().join("below")).unwrap();
    symlink("../x", place.path().join("below/up")).unwrap();
    for name in ["./x", "./longer", "./hard", "./link", "./chain", "below/up"] {
        let output = guarded(&place, &[name, "-rf", "kept/no-such-thing"]);
        assert_refused(&place, &output, name);
        assert!(told(&output).contains("test.kept"), "{name}: {output:?}");
        let calm = guarded(&place, &[name, "-f", "no-such-thing"]);
        assert_eq!((told(&calm), calm.status.code()), (String::new(), Some(0)));
    }
    for form in ["memory", "memory-named", "held"] {
        let output = start(&place, &[form, "x", "calm", "-rf", "kept/no-such-thing"]);
        assert_refused(&place, &output, form);
        let calm = start(&place, &[form, "x", "calm", "-f", "no-such-thing"]);
        assert_eq!((told(&calm), calm.status.code()), (String::new(), Some(0)));
    }
}

#[test]
fn a_program_that_is_many_is_the_one_it_is_called_as() {
    let place = place("busybox");
    fs::write(place.path().join(".kibosh.toml"), KEPT).unwrap();
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("busybox is there (.ci/run installs it)");
    symlink(busybox, place.path().join("rm")).unwrap();
    symlink(busybox, place.path().join("true")).unwrap();
    copy_program(busybox, place.path().join("copy"));
    let kept = "kept/no-such-thing";
    for words in [
        &["execve", "./rm", "rm", "-rf", kept][..],
        &["execve", busybox, "busybox", "rm", "-rf", kept],
        &["execve", busybox, "rm", "-rf", kept],
        &["execve", "./copy", "rm", "-rf", kept],
        &["execve", "./copy", "copy", "rm", "-rf", kept],
        &["execve", "./copy", "busybox", "rm", "-rf", kept],
        &["execve", "./true", "rm", "-rf", kept],
    ] {
        let output = start(&place, words);
        assert_refused(&place, &output, &format!("{words:?}"));
    }
    for words in [
        &["execve", "./rm", "rm", "-f", "no-such-thing"][..],
        &["execve", busybox, "busybox", "rm", "-f", "no-such-thing"],
        &["execve", busybox, "echo", "-rf", kept],
    ] {
        let output = start(&place, words);
        assert_eq!(
            (told(&output), output.status.code()),
            (String::new(), Some(0)),
            "{words:?}"
        );
    }
}

#[test]
fn a_place_is_the_callers_wherever_it_has_gone() {
    let place = place("places");
    for script in [
        "cd bin && \"./demo\"* all",
        "mkdir -p x/y; cd x/y; \"../../bin/demo\"* all",
        "cd bin; mv ../bin ../moved; \"./demo\"* all; status=$?; mv ../moved ../bin; exit $status",
    ] {
        let output = line(&place, script);
        assert_refused(&place, &output, script);
        let calm = script.replace("demo\"*", "reno\"*");
        let output = line(&place, &calm);
        assert_ran_any(&place, &output, " all\n", &calm);
    }
}

#[test]
fn what_is_mounted_elsewhere_is_seen_as_the_caller_sees_it() {
    let place = place("mounts");
    fs::write(place.path().join(".kibosh.toml"), KEPT).unwrap();
    // In a place of the caller's own `true` is `rm`, and the other way round.
    let script = "mount --bind \"$1\" \"$2\" && \"$2\" -rf kept/no-such-thing";
    let inside = |from: &str, to: &str| {
        guarded(
            &place,
            &["unshare", "-Urm", "bash", "-c", script, "x", from, to],
        )
    };
    let output = inside("/bin/rm", "/bin/true");
    assert_refused(&place, &output, "rm over true");
    assert!(told(&output).contains("test.kept"), "{output:?}");
    executable(&place, "calm", fs::read("/bin/echo").unwrap());
    executable(&place, "over", "");
    let calm = inside("./calm", "./over");
    assert_eq!(said(&calm), "-rf kept/no-such-thing\n", "{calm:?}");
    let named = inside("/bin/rm", "./over");
    assert_refused(&place, &named, "rm over another");
}

/// What is no program, or cannot be reached: whatever the kernel says of it, it says it under kibosh, too.
#[test]
fn an_exec_that_fails_fails_by_the_same_error() {
    let place = place("errors");
    let root = place.path().display().to_string();
    fs::create_dir(place.path().join("folder")).unwrap();
    nix::unistd::mkfifo(&place.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("loop", place.path().join("loop")).unwrap();
    fs::write(place.path().join("unmarked"), "#!/bin/true\n").unwrap();
    for (name, text) in [
        ("text", "hello"),
        ("hollow", ""),
        ("broken", "\x7fELF and no more"),
        ("nowhere", "#!/no/such/interpreter\n"),
        ("unmarked-reader", "#!ROOT/unmarked\n"),
        ("folder-reader", "#!ROOT/folder\n"),
        ("fifo-reader", "#!ROOT/fifo\n"),
        ("device-reader", "#!/dev/null\n"),
        ("nothing", "#!\n"),
        ("blanks", "#! \t \n"),
        ("windows", "#!/bin/sh\r\ntrue\r\n"),
        ("itself", "#!ROOT/itself\n"),
        ("one", "#!/bin/true\n"),
        ("two", "#!ROOT/one\n"),
        ("three", "#!ROOT/two\n"),
        ("four", "#!ROOT/three\n"),
        ("five", "#!ROOT/four\n"),
        ("six", "#!ROOT/five\n"),
    ] {
        executable(&place, name, text.replace("ROOT", &root));
    }
    executable(&place, "long", format!("#!{}bin/sh\n", "/".repeat(300)));
    executable(
        &place,
        "argued",
        format!("#!/bin/echo {}\n", "a".repeat(300)),
    );
    let long = "x".repeat(300);
    let deep = "x/".repeat(2200);
    let mut seen = Vec::new();
    for path in [
        "/no/such",
        "folder",
        ".",
        "/",
        "fifo",
        "/dev/null",
        "/dev/tty",
        "loop",
        "unmarked",
        "text",
        "hollow",
        "broken",
        "nowhere",
        "unmarked-reader",
        "folder-reader",
        "fifo-reader",
        "device-reader",
        "nothing",
        "blanks",
        "windows",
        "itself",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "long",
        "argued",
        "text/x",
        "text/",
        &long,
        &deep,
        "",
        "/proc/self/maps",
        "/proc/self/mem",
        "/proc/self/fd/99",
        "/dev/fd/0",
        "/dev/stdin",
        "/proc/self/cwd/one",
        "/proc/thread-self/root/bin/true",
    ] {
        let with = start(&place, &["execve", path, "x", "ok"]);
        let plain = start_plainly(&place, &["execve", path, "x", "ok"]);
        assert_eq!(with, plain, "{path}");
        seen.push(said(&plain));
    }
    for (form, path) in [
        ("nowhere", "bin/renovate"),
        ("no-path", "bin/renovate"),
        ("at-nothing", "bin/renovate"),
        ("at-empty-nothing", "bin/renovate"),
        ("at-empty-here", "bin/renovate"),
        ("at-no-flag", "bin/renovate"),
        ("at-odd-flag", "bin/renovate"),
        ("at-file", "bin/renovate"),
        ("at-link", "loop"),
        ("folder-closing", "one"),
        ("held-closing", "one"),
        ("held", "one"),
        ("written", "bin/renovate"),
        ("long", "bin/renovate"),
        ("too-much", "bin/renovate"),
        ("untold", "bin/renovate"),
    ] {
        let with = start(&place, &[form, path, "x", "ok"]);
        let plain = start_plainly(&place, &[form, path, "x", "ok"]);
        assert_eq!(with, plain, "{form} {path}");
        seen.push(said(&plain));
    }
    for error in [
        "ENOENT",
        "EACCES",
        "ENOEXEC",
        "ENOTDIR",
        "ELOOP",
        "ENAMETOOLONG",
        "E2BIG",
        "ETXTBSY",
        "EFAULT",
        "EBADF",
        "EINVAL",
    ] {
        let line = format!("{error}\n");
        assert!(seen.contains(&line), "no form gives {error}: {seen:?}");
    }
}

#[test]
fn what_a_shell_says_of_programs_that_it_cannot_start_stays_the_same() {
    let place = place("words");
    executable(&place, "windows", "#!/bin/sh\r\ntrue\r\n");
    executable(&place, "hollow", "");
    fs::create_dir(place.path().join("folder")).unwrap();
    fs::write(place.path().join("unmarked"), "#!/bin/true\n").unwrap();
    for script in [
        "./windows",
        "./folder",
        "./unmarked",
        "no-such-program",
        "./no/such",
        "./hollow",
        "/dev/null",
        "env ./folder",
        "env no-such-program",
        "xargs no-such-program",
        "nice ./unmarked",
        "PATH=/no/such:/etc; cat /dev/null",
        "exec ./folder",
        "bash ./no-such-script",
    ] {
        let with = line(&place, script);
        let plain = run(place.command("bash").args(["-c", script]));
        let own = told(&with).replace(env!("CARGO_BIN_EXE_kibosh"), "bash");
        assert_eq!(
            (with.status.code(), own),
            (plain.status.code(), told(&plain)),
            "{script}"
        );
    }
}

#[test]
fn a_folder_on_the_search_path_that_may_not_be_entered_hides_nothing_behind_it() {
    use crate::support::probe::{copy_for_all, hide, kibosh_for_all, without_rights};
    let place = place("search");
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let (kibosh, start) = (
        kibosh_for_all(&place),
        copy_for_all(&place, &probe("start")),
    );
    let mut words = without_rights();
    let inner = [kibosh.to_str().unwrap(), "-c", "exec \"$@\"", "x"];
    words.extend(inner);
    words.extend([start.to_str().unwrap(), "words"]);
    hide(&place, &["execvp", "renovate", "renovate", "ok"]);
    let output = run(Command::new(words[0])
        .args(&words[1..])
        .current_dir(place.path())
        .env(
            "PATH",
            format!("{}:{}", closed.display(), place.search_path()),
        ));
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_ran(&place, &output, "renovate ok\n", "behind a closed folder");
}

/// Of a program that nobody but the kernel may read nothing is known but its name.
#[test]
fn a_program_that_cannot_be_read_is_refused_with_words() {
    use crate::support::probe::{kibosh_for_all, without_rights};
    let place = place("unreadable");
    let kibosh = kibosh_for_all(&place);
    let run = |mode| {
        let program = place.path().join("bin/renovate");
        fs::set_permissions(program, fs::Permissions::from_mode(mode)).unwrap();
        let mut words = without_rights();
        words.extend([kibosh.to_str().unwrap(), "-c", "$(echo bin/renovate) ok"]);
        run(Command::new(words[0])
            .args(&words[1..])
            .current_dir(place.path()))
    };
    assert_ran(&place, &run(0o755), "renovate ok\n", "readable");
    if nix::unistd::geteuid().is_root() {
        let output = run(0o711);
        assert_refused(&place, &output, "unreadable");
        assert!(told(&output).contains("cannot be examined"), "{output:?}");
    }
}

#[test]
fn a_static_program_is_judged_as_any_other() {
    let place = place("static");
    let log = format!("-DWHERE=\"{}\"", place.path().join("ran").display());
    for name in ["renovate", "demolish"] {
        let program = place.path().join("bin").join(name);
        compile("program", &program, &[&log, "-static"]);
    }
    let output = guarded(&place, &["bin/renovate", "all"]);
    assert_ran(&place, &output, "renovate all\n", "static");
    let output = start(&place, &["execve", "bin/demolish", "x", "all"]);
    assert_refused(&place, &output, "static");
}
