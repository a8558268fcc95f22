//! The drop-in shell where something is stopped: nothing of the text has run, and the shell goes on where
//! it lasts. That it behaves like bash where nothing is stopped is shown in `compat`.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use crate::support::place::Place;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// Runs kibosh in a place, with a text on a pipe as its standard input.
fn run(place: &Place, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let mut child = place
        .command(KIBOSH)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The shell may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a run left behind: its status, its standard output, and how often it was said that nothing ran.
fn outcome(output: &Output) -> (Option<i32>, String, usize) {
    let said = String::from_utf8_lossy(&output.stderr);
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        said.matches("kibosh: nothing was run: ").count(),
    )
}

#[test]
fn nothing_of_a_stopped_line_runs() {
    let place = Place::new("line");
    let output = run(&place, &["-c", "echo first; demolish never"], &[], "");
    assert_eq!(outcome(&output), (Some(126), String::new(), 1));
    assert_eq!(place.ran(), None);
}

#[test]
fn nothing_of_a_stopped_script_runs() {
    let place = Place::new("script");
    fs::write(
        place.path().join("s.sh"),
        "echo first\nif true; then\n  demolish never\nfi\n",
    )
    .unwrap();
    for arguments in [&["s.sh"][..], &["-x", "./s.sh", "word"], &["--", "s.sh"]] {
        let output = run(&place, arguments, &[], "");
        assert_eq!(
            outcome(&output),
            (Some(126), String::new(), 1),
            "{arguments:?}"
        );
    }
    let from_file = place
        .command(KIBOSH)
        .stdin(fs::File::open(place.path().join("s.sh")).unwrap())
        .output()
        .unwrap();
    assert_eq!(outcome(&from_file), (Some(126), String::new(), 1));
    assert_eq!(place.ran(), None);
}

#[test]
fn a_script_that_is_found_on_the_search_path_is_read() {
    let place = Place::new("search");
    place.program("found.sh", "demolish never\n");
    let output = run(&place, &["found.sh"], &[], "");
    assert_eq!(outcome(&output), (Some(126), String::new(), 1));
}

#[test]
fn a_stopped_unit_on_a_pipe_has_the_status_of_one_and_the_shell_goes_on() {
    let place = Place::new("pipe");
    let mut child = place
        .command(KIBOSH)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for unit in ["what=never\n", "demolish $what\n", "echo \"status $?\"\n"] {
        input.write_all(unit.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(outcome(&output), (Some(0), "status 126\n".into(), 1));
    assert_eq!(place.ran(), None);
}

#[test]
fn a_function_of_an_earlier_unit_is_known_when_it_is_called() {
    let place = Place::new("function");
    let mut child = place
        .command(KIBOSH)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for unit in ["tidy() {\n", "demolish never\n}\n", "tidy\n"] {
        input.write_all(unit.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    drop(input);
    child.wait().unwrap();
    assert_eq!(place.ran(), None);
}

#[test]
fn what_is_executed_first_is_read_too() {
    let place = Place::new("first");
    fs::write(place.path().join("env.sh"), "demolish never\n").unwrap();
    fs::write(place.path().join("calm.sh"), "greeting=hello\n").unwrap();
    let stopped = (Some(126), String::new(), 1);
    for (arguments, variable, value) in [
        (&["-c", "echo line"][..], "BASH_ENV", "env.sh"),
        (
            &["-c", "echo line"],
            "BASH_ENV",
            "$HOME/../$(demolish never)",
        ),
        (
            &["-c", "echo line"],
            "BASH_FUNC_echo%%",
            "() { demolish never; }",
        ),
        (&["-xc", "echo line"], "PS4", "$(demolish never)"),
        (&["-c", "echo line"], "SHELLOPTS", "keyword"),
        (&["-c", "echo line"], "BASH_COMPAT", "3.1"),
        (&["-c", "x=1; echo @(x)"], "BASHOPTS", "extglob"),
        (
            &["-c", "alias echo=demolish\necho never"],
            "BASHOPTS",
            "expand_aliases",
        ),
        (
            &["-c", "alias echo=demolish\necho never"],
            "POSIXLY_CORRECT",
            "1",
        ),
        (&[], "BASH_ENV", "env.sh"),
    ] {
        let output = run(&place, arguments, &[(variable, value)], "");
        assert_eq!(
            outcome(&output),
            stopped,
            "{arguments:?} {variable}={value}"
        );
    }
    for arguments in [
        &["--rcfile", "env.sh", "-ic", "echo line"][..],
        &["--init-file", "env.sh", "-i"],
        &["-O", "extglob", "-c", "echo @(x)"],
        &["-k", "-c", "echo line"],
    ] {
        let output = run(&place, arguments, &[], "");
        assert_eq!(outcome(&output), stopped, "{arguments:?}");
    }
    assert_eq!(place.ran(), None);
    let calm = run(
        &place,
        &["-c", "echo $greeting"],
        &[("BASH_ENV", "calm.sh")],
        "",
    );
    assert_eq!(outcome(&calm), (Some(0), "hello\n".into(), 0));
}

#[test]
fn start_up_files_of_another_home_are_read_too() {
    let place = Place::new("home");
    let home = place.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".bash_profile"), "demolish never\n").unwrap();
    fs::write(home.join(".bashrc"), "demolish never\n").unwrap();
    let home = home.to_str().unwrap();
    for arguments in [
        &["-lc", "echo line"][..],
        &["-ic", "echo line"],
        &["--login", "-i"],
    ] {
        let output = run(&place, arguments, &[("HOME", home)], "");
        assert_eq!(
            outcome(&output),
            (Some(126), String::new(), 1),
            "{arguments:?}"
        );
    }
    assert_eq!(place.ran(), None);
}

#[test]
fn options_that_bash_refuses_run_nothing_even_if_another_bash_knows_them() {
    let place = Place::new("options");
    for arguments in [
        &["--no-such", "-c", "demolish never"][..],
        &["-q", "-c", "demolish never"],
        &["--version", "-c", "x"],
    ] {
        let output = run(&place, arguments, &[], "demolish never\n");
        assert_eq!(outcome(&output).2, 0, "{arguments:?}");
    }
    assert_eq!(place.ran(), None);
}

#[test]
fn a_dry_run_says_what_would_happen_and_runs_nothing() {
    let place = Place::new("dry");
    for (line, status) in [
        ("renovate", 0),
        ("demolish all", 10),
        ("demolish never", 20),
    ] {
        let output = run(&place, &["--dry-run", "-c", line], &[], "");
        assert_eq!(output.status.code(), Some(status), "{line}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    assert_eq!(place.ran(), None);
}

#[test]
fn a_verb_is_only_a_verb_for_kibosh() {
    let place = Place::bare("verb");
    fs::write(place.path().join("check"), "echo a script of that name\n").unwrap();
    let said = |argv0: &str, first: &str| {
        let output = Command::new(KIBOSH)
            .arg0(argv0)
            .arg(first)
            .arg("echo hi")
            .current_dir(place.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let script = "a script of that name\n";
    assert_eq!(said("bash", "check"), script);
    assert_eq!(said("-kibosh", "check"), script);
    assert_eq!(said("sh", "./check"), script);
    assert_eq!(said("kibosh", "./check"), script);
    assert!(said("kibosh", "check").starts_with("allow"));
}
