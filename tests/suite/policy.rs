//! Policy files: what is wrong with one is told, all of it, at its place; and each sample that is
//! right has every key where the schema has it.

use std::fs;
use std::path::{Path, PathBuf};

use kibosh::judge;
use kibosh::policy::load::{self, Text};
use kibosh::policy::{Depth, Layer, Policy, lint};

fn samples(kind: &str) -> Vec<(String, String)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite/data/policies")
        .join(kind);
    let mut samples: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    samples
}

fn text(name: &str, text: &str) -> Text {
    let layer = if name.starts_with("project") {
        Layer::Project
    } else {
        Layer::User
    };
    Text {
        layer,
        file: format!("{name}.toml"),
        text: text.to_owned(),
    }
}

/// What a sample says about itself in the comments at its end.
fn expected(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("#= "))
        .collect()
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let mut different = Vec::new();
    let samples = samples("invalid");
    assert!(samples.len() > 20);
    for (name, content) in samples {
        let told: Vec<String> = match load::files(&[text(&name, &content)], Depth::Whole) {
            Ok(_) => Vec::new(),
            Err(errors) => errors
                .0
                .iter()
                .map(|error| {
                    let hint = error.hint.as_deref().unwrap_or("-");
                    let (line, column, length) = (error.line, error.column, error.length);
                    assert_eq!(
                        content.lines().nth(line - 1).unwrap_or_default(),
                        error.source_line
                    );
                    format!("{line}:{column}+{length}: {} | {hint}", error.message)
                })
                .collect(),
        };
        if told.is_empty() || told != expected(&content) {
            different.push(format!("{name}:\n#= {}\n", told.join("\n#= ")));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_sample_with_every_key_loads() {
    for (name, content) in samples("valid") {
        let loaded = load::files(&[text(&name, &content)], Depth::Whole);
        assert!(loaded.is_ok(), "{name}: {}", loaded.unwrap_err());
    }
}

#[test]
fn the_shipped_packs_load_from_their_text() {
    let texts: Vec<Text> = kibosh::policy::compiled::packs()
        .iter()
        .map(|pack| Text {
            layer: Layer::Pack,
            file: pack.path.to_owned(),
            text: pack.text.to_owned(),
        })
        .collect();
    if let Err(errors) = load::packs(&texts) {
        panic!("{errors}");
    }
}

#[test]
fn nothing_in_the_packs_is_doubtful() {
    let policy = Policy::shipped();
    let doubts = lint::packs(&mut |line| judge::example(&policy, line));
    assert!(doubts.is_empty(), "{}", listed(&doubts));
}

fn listed(errors: &[kibosh::policy::error::PolicyError]) -> String {
    errors
        .iter()
        .map(|error| {
            let hint = error.hint.as_deref().unwrap_or_default();
            format!("{error} ({hint})\n    {}\n", error.source_line)
        })
        .collect()
}
