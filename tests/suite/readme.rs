//! The README tells the truth: its console blocks are run, and what they show is what comes out.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::place::Place;

const README: &str = include_str!("../../README.md");

/// The blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README
        .split(fence.as_str())
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

/// Each command of a console block, with what is shown after it.
fn commands(block: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().unwrap().1.push(line),
        }
    }
    commands
}

/// Runs a command as a shell would show it: standard output and standard error together, with no
/// terminal to ask on.
fn output(place: &Place, command: &str) -> String {
    let kibosh = Path::new(env!("CARGO_BIN_EXE_kibosh")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("setsid")
        .args(["--wait", "bash", "-c", &format!("exec 2>&1\n{command}")])
        .current_dir(place.path())
        .env("PATH", format!("{}:{path}", kibosh.display()))
        .env("XDG_RUNTIME_DIR", place.runtime())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Whether lines are as shown: `…` at the end of a line stands for the rest of it, alone on a line for
/// any number of lines.
fn matches(shown: &[&str], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skip| matches(rest, &lines[skip..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, others)| {
            let fits = match first.strip_suffix('…') {
                Some(start) => line.starts_with(start.trim_end()),
                None => line == first,
            };
            fits && matches(rest, others)
        }),
    }
}

#[test]
fn every_command_of_the_tour_shows_what_the_readme_shows() {
    let commands: Vec<_> = blocks("console").into_iter().flat_map(commands).collect();
    assert!(commands.len() >= 8, "{} commands", commands.len());
    for (command, shown) in commands {
        // The commands are the README's own; the folder has no policy of its own.
        let place = Place::bare("readme");
        let out = output(&place, command);
        let lines: Vec<&str> = out.lines().collect();
        assert!(
            matches(&shown, &lines),
            "$ {command}\n{out}\nand not:\n{}",
            shown.join("\n")
        );
    }
}

#[test]
fn the_first_command_builds_and_judges_a_line_that_is_stopped() {
    let [build, test] = blocks("sh")[..] else {
        panic!("two commands stand near the top")
    };
    assert_eq!(test, "cargo test");
    let check = build.strip_prefix("cargo run --release -- ").unwrap();
    let place = Place::bare("readme-first");
    let out = output(&place, &format!("kibosh {check}; echo status=$?"));
    assert!(
        out.starts_with("confirm ") && out.ends_with("status=10\n"),
        "{out}"
    );
}

#[test]
fn every_file_that_the_readme_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for word in README.split([' ', '\n', '`', ',', ':', ';', '(']) {
        let word = word.trim_end_matches('.');
        let is_file = word.starts_with("docs/") || ["SECURITY.md", "install.sh"].contains(&word);
        assert!(!is_file || root.join(word).exists(), "{word} is not there");
    }
}
