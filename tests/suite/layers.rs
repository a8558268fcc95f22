//! The direction of imports, and the places where unsafe code and output to people may stand
//! (ARCHITECTURE.md).

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the top down: each names only modules that stand further down, or itself.
const ORDER: &[&[&str]] = &[
    &["cli"],
    &["verbs"],
    &["pipeline"],
    &["launcher"],
    &["batch"],
    &["audit"],
    &["execute"],
    &["supervise"],
    &["approve"],
    &["report"],
    &["doctor"],
    &["setup"],
    &["agents"],
    &["judge"],
    &["broker"],
    &["decide"],
    &["surroundings"],
    &["normalise"],
    &["probe"],
    &["policy"],
    &["action"],
    &["syntax"],
    &["invocation"],
    &["exit"],
    &["sys"],
];

/// What is named upwards, and why: a word of the contract that stands where its meaning is.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "verbs",
        "cli::definition",
        "the options of a verb as clap read them",
    ),
    (
        "action",
        "policy::schema::Language",
        "the languages in which programs are given code",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Each source file with the module of the first level that it belongs to.
fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root()).unwrap().to_path_buf();
                let module = below
                    .components()
                    .next()
                    .unwrap()
                    .as_os_str()
                    .to_str()
                    .unwrap();
                let module = module.trim_end_matches(".rs").to_owned();
                found.push((module, below, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// The code of a file without its tests and without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

fn level(module: &str) -> Option<usize> {
    ORDER.iter().position(|level| level.contains(&module))
}

#[test]
fn modules_name_only_modules_further_down() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        if matches!(module.as_str(), "lib" | "main") || file.ends_with("entry.rs") {
            continue;
        }
        let from = level(&module).unwrap_or_else(|| panic!("{module} has no place in ORDER"));
        for line in code(&text) {
            for (at, _) in line.match_indices("crate::") {
                let path = line.get(at + "crate::".len()..).unwrap_or_default();
                let named = path
                    .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .next()
                    .unwrap();
                let Some(to) = level(named) else { continue };
                let excepted = EXCEPTIONS
                    .iter()
                    .any(|(by, what, _)| *by == module && path.starts_with(what));
                if to < from && !excepted || to == from && named != module {
                    wrong.push(format!("{}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_library_has_a_place() {
    let library = fs::read_to_string(root().join("lib.rs")).unwrap();
    for line in library.lines() {
        if let Some(module) = line
            .strip_prefix("pub mod ")
            .and_then(|rest| rest.strip_suffix(';'))
        {
            assert!(level(module).is_some(), "{module}");
        }
    }
}

#[test]
fn unsafe_code_is_in_sys_only() {
    for (module, file, text) in sources() {
        let has = code(&text).any(|line| {
            line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == "unsafe")
        });
        assert!(!has || module == "sys", "{}", file.display());
    }
}

#[test]
fn nothing_is_printed_but_by_those_who_talk_to_people() {
    for (module, file, text) in sources() {
        let prints = code(&text).any(|line| {
            ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("]
                .iter()
                .any(|print| line.contains(print))
        });
        assert!(
            !prints,
            "{}: text for people goes through `say`",
            file.display()
        );
        let opens = code(&text).any(|line| line.contains("stderr()") && line.contains("write"));
        assert!(
            !opens || matches!(module.as_str(), "cli" | "approve"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn each_module_says_what_it_is_for() {
    for (_, file, text) in sources() {
        assert!(text.starts_with("//!"), "{}", file.display());
    }
}
