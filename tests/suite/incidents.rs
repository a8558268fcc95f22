//! Losses that happened: each command, judged as an agent issues it in a project of its own.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    incident: Vec<Incident>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incident {
    name: String,
    date: String,
    source: String,
    command: String,
    effect: String,
    rule: Option<String>,
    why: Option<String>,
}

fn incidents() -> Vec<Incident> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/incidents/incidents.toml");
    let text = std::fs::read_to_string(file).unwrap();
    toml::from_str::<File>(&text).unwrap().incident
}

#[test]
fn each_is_stopped_or_it_is_told_why_not() {
    let incidents = incidents();
    let mut check = Command::new(env!("CARGO_BIN_EXE_kibosh"))
        .args(["check", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for (number, incident) in incidents.iter().enumerate() {
        let line = serde_json::json!({
            "id": number.to_string(), "command": incident.command, "cwd": "/home/ann/shop",
        });
        lines.push_str(&format!("{line}\n"));
    }
    check
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = check.wait_with_output().unwrap();
    let answers: BTreeMap<String, serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|answer| (answer["id"].as_str().unwrap().to_owned(), answer))
        .collect();
    assert_eq!(answers.len(), incidents.len());
    for (number, incident) in incidents.iter().enumerate() {
        let answer = &answers[&number.to_string()];
        let found = (
            answer["decision"].as_str().unwrap(),
            answer["rule"].as_str(),
        );
        let wanted = (incident.effect.as_str(), incident.rule.as_deref());
        assert_eq!(
            found, wanted,
            "{} ({}): {}",
            incident.name, incident.date, incident.command
        );
        assert_eq!(
            incident.effect == "allow",
            incident.why.is_some(),
            "{}",
            incident.name
        );
        assert!(!incident.source.is_empty(), "{}", incident.name);
    }
}

#[test]
fn what_is_not_stopped_is_listed_for_people() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/incidents.md");
    let page = std::fs::read_to_string(page).unwrap();
    let all = incidents();
    let row = |incident: &Incident| {
        let words: Vec<&str> = incident.command.split_whitespace().collect();
        let command: String = words
            .join(" ")
            .replace('|', "\\|")
            .chars()
            .take(90)
            .collect();
        let why = incident.why.as_deref().unwrap();
        format!(
            "| {} | `{command}` | {why} |",
            incident.name.replace('|', "/")
        )
    };
    let open = all.iter().filter(|one| one.effect == "allow");
    let expected: Vec<String> = open.map(row).collect();
    let rows = page.lines().filter(|line| line.contains("| `"));
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    let count = |effect: &str| all.iter().filter(|one| one.effect == effect).count();
    for words in [
        format!("has {} commands", all.len()),
        format!("{} are denied, {} are put", count("deny"), count("confirm")),
    ] {
        assert!(
            page.contains(&words),
            "docs/incidents.md does not say {words:?}"
        );
    }
}
