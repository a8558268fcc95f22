//! Policy files: what is wrong with one is told, all of it, at its place; and each sample that is
//! right has every key where the schema has it.

use std::fs;
use std::path::{Path, PathBuf};

use kibosh::judge;
use kibosh::normalise::Context;
use kibosh::policy::discover::{Folders, Home};
use kibosh::policy::load::{self, Text};
use kibosh::policy::matcher::{Facts, is_match};
use kibosh::policy::paths::Place;
use kibosh::policy::schema::Effect;
use kibosh::policy::{Depth, Layer, Policy, examples, lint};

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
fn the_examples_and_cases_of_the_packs_hold() {
    let policy = Policy::shipped();
    let outcome = examples::packs(&mut |line| judge::example(&policy, line));
    assert!(outcome.failed.is_empty(), "{}", listed(&outcome.failed));
    assert!(outcome.passed > 0);
}

#[test]
fn nothing_in_the_packs_is_doubtful() {
    let policy = Policy::shipped();
    let doubts = lint::packs(&mut |line| judge::example(&policy, line));
    assert!(doubts.is_empty(), "{}", listed(&doubts));
}

/// The TOML of a document, each block at its line, so that a mistake is told where it stands.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for (number, line) in document.lines().enumerate() {
        match (&mut block, line) {
            (None, "```toml") => block = Some("\n".repeat(number + 1)),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

#[test]
fn every_policy_in_the_manual_loads_and_its_examples_hold() {
    let machine = std::env::temp_dir().join(format!("kibosh-manual-{}", std::process::id()));
    let folder = machine.join(".config/kibosh");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let blocks = blocks(&fs::read_to_string(root.join("docs/policy.md")).unwrap());
    assert!(blocks.len() > 6);
    let folders = Folders {
        home: Some(Home {
            path: machine.clone(),
            proven: true,
        }),
        uid: nix::unistd::getuid().as_raw(),
        ..Folders::default()
    };
    for block in blocks {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("policy.md.toml"), block).unwrap();
        if let Err(errors) = judge::policy_in_force(&folders) {
            panic!("{}", listed(&errors.0));
        }
        fs::remove_dir_all(&machine).unwrap();
    }
}

/// Which of the lines of the packs are tried against all rules: every so many.
const SAMPLE: usize = 11;

/// Every example and case of the packs, as far as they are plain texts.
fn lines_of_packs() -> Vec<String> {
    fn collect(value: &toml::Value, lines: &mut Vec<String>) {
        match value {
            toml::Value::String(text) => lines.push(text.clone()),
            toml::Value::Array(values) => values.iter().for_each(|value| collect(value, lines)),
            toml::Value::Table(table) => table.values().for_each(|value| collect(value, lines)),
            _ => {}
        }
    }
    let mut lines = Vec::new();
    for pack in kibosh::policy::compiled::packs() {
        let table: toml::Table = pack.text.parse().unwrap();
        for rule in table
            .get("rule")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            collect(&rule["examples"], &mut lines);
        }
        if let Some((_, text)) = pack.cases {
            collect(&toml::Value::Table(text.parse().unwrap()), &mut lines);
        }
    }
    lines
}

#[test]
fn the_index_leaves_out_no_rule_that_matches() {
    let policy = Policy::shipped();
    let place = Place::text_only();
    let rules: Vec<_> = policy.rules().map(|found| found.rule).collect();
    let mut matched = 0;
    for line in lines_of_packs().iter().step_by(SAMPLE) {
        for action in judge::judge(&policy, line, &Context::text_only()).actions {
            let program = policy.program(&action.program);
            let facts = Facts::new(&action, program.as_deref(), &policy, &place);
            let candidates = policy.candidates(&action, program.is_some());
            let found: Vec<&str> = candidates
                .iter()
                .filter(|one| one.matches.iter().any(|m| is_match(m, &facts, &policy)))
                .map(|one| one.rule().id.as_str())
                .collect();
            let expected: Vec<&str> = rules
                .iter()
                .filter(|rule| rule.matches.iter().any(|m| is_match(m, &facts, &policy)))
                .map(|rule| rule.id.as_str())
                .collect();
            matched += expected.len();
            assert_eq!(found, expected, "{line}");
        }
    }
    assert!(matched > 0);
}

#[test]
fn each_preview_of_the_packs_is_shown_by_an_example_of_its_condition() {
    let policy = Policy::shipped();
    let place = Place::text_only();
    let mut missing = Vec::new();
    let mut seen = 0;
    for rule in policy.rules().map(|found| found.rule) {
        let lines = rule.examples.matches.iter();
        let actions: Vec<_> = lines
            .flat_map(|line| judge::judge(&policy, line, &Context::text_only()).actions)
            .collect();
        let with_preview = rule.matches.iter().filter(|one| !one.preview.is_empty());
        for (number, condition) in with_preview.enumerate() {
            seen += 1;
            let is_shown = actions.iter().any(|action| {
                let program = policy.program(&action.program);
                let facts = Facts::new(action, program.as_deref(), &policy, &place);
                is_match(condition, &facts, &policy)
            });
            if !is_shown {
                missing.push(format!("{} {number}: {condition:?}", rule.id));
            }
        }
    }
    assert!(seen > 20 && missing.is_empty(), "{}", missing.join("\n"));
}

/// A project's file that tries every way to loosen what the packs say.
fn loosening() -> String {
    let mut text = "[settings]\ndry-run = false\n".to_owned();
    for id in kibosh::policy::compiled::rule_ids() {
        text.push_str(&format!(
            "[[exception]]\nrule = \"{id}\"\nreason = \"no\"\n"
        ));
    }
    for class in kibosh::policy::compiled::class_names() {
        text.push_str(&format!(
            "[[class]]\nname = \"{class}\"\nat = [\"/\"]\nunder = [\"/\"]\nexcept = [\"any\"]\n"
        ));
    }
    text.push_str("[[program]]\nnames = [\"*\"]\nstyle = \"raw\"\nsubcommands = 9\n");
    text.push_str("values = [\"-c\", \"-f\", \"-rf\"]\ninert = [\"-*\", \"--*\"]\n");
    text.push_str("[[variable]]\nnames = [\"*\"]\nassume = \"/tmp/x\"\n");
    text
}

#[test]
fn an_untrusted_project_loosens_nothing() {
    let project = |text: String| Text {
        layer: Layer::Project,
        file: "/p/.kibosh.toml".to_owned(),
        text,
    };
    let packs = Policy::shipped();
    let loosened = Policy::of(&[project(loosening())], &Folders::default()).unwrap();
    let lines = lines_of_packs();
    assert!(lines.len() > 20);
    for line in lines.iter().step_by(SAMPLE) {
        let line = examples::Line::example(line);
        let (before, after) = (
            judge::example(&packs, &line),
            judge::example(&loosened, &line),
        );
        assert_eq!(before, after, "{}", line.text);
    }
}

#[test]
fn the_order_of_files_and_rules_does_not_matter() {
    let rule = |id: &str, effect: &str, operand: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\neffect = \"{effect}\"\nreason = \"it is gone\"\n\
             match = [{{ program = [\"demolish\"], operands = [\"{operand}\"] }}]\n\
             examples = {{ matches = [\"demolish {operand}\"], passes = [\"renovate\"] }}\n"
        )
    };
    let (one, two, three) = (
        rule("a.one", "confirm", "x"),
        rule("a.two", "deny", "x"),
        rule("a.three", "confirm", "*"),
    );
    let file = |layer: Layer, text: String| Text {
        layer,
        file: format!("{}.toml", layer.name()),
        text,
    };
    let orders = [
        [format!("{one}{two}"), three.clone()],
        [format!("{two}{one}"), three.clone()],
        [three.clone(), format!("{two}{one}")],
    ];
    for [system, project] in orders {
        let files = [file(Layer::System, system), file(Layer::Project, project)];
        let policy = Policy::of(&files, &Folders::default()).unwrap();
        for (line, effect, rules) in [
            (
                "demolish x",
                Effect::Deny,
                &["a.two", "a.one", "a.three"][..],
            ),
            ("demolish y", Effect::Confirm, &["a.three"]),
        ] {
            let judged = judge::example(&policy, &examples::Line::example(line));
            let ours = judged.rules.iter().filter(|rule| rule.starts_with("a."));
            assert_eq!(judged.effect, effect, "{line}");
            assert_eq!(ours.collect::<Vec<_>>(), rules, "{line}");
        }
    }
}

#[test]
fn a_trusted_file_can_loosen() {
    let system = Text {
        layer: Layer::System,
        file: "/etc/kibosh/a.toml".to_owned(),
        text: loosening(),
    };
    let loosened = Policy::of(&[system], &Folders::default()).unwrap();
    for line in lines_of_packs().iter().step_by(SAMPLE) {
        let judged = judge::example(&loosened, &examples::Line::example(line));
        assert_eq!(judged.rules, Vec::<String>::new(), "{line}");
    }
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
