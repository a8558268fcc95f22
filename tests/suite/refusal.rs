//! What an agent is told when nothing was run.

use std::fs;

use crate::support::place::Place;

/// Words by which agents recognise a refusal of their own confinement, and then offer to run the line
/// again without it; and one after which an agent lectures about terminals.
const MISTAKEN: [&str; 9] = [
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "seccomp",
    "sandbox",
    "landlock",
    "failed to write file",
    "not a tty",
    "not executable",
];

#[track_caller]
fn assert_not_mistaken(text: &str) {
    let lower = text.to_lowercase();
    for words in MISTAKEN {
        assert!(!lower.contains(words), "{words:?} is in: {text}");
    }
}

/// Runs a line without a terminal; gives status, standard output and standard error.
fn refused(place: &Place, line: &str) -> (Option<i32>, String, String) {
    let output = place
        .command(env!("CARGO_BIN_EXE_kibosh"))
        .args(["-c", line])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_denied_line_runs_nothing_and_says_so_on_standard_error() {
    let place = Place::new("deny");
    assert_eq!(
        refused(&place, "touch ran; demolish never"),
        (
            Some(126),
            String::new(),
            "kibosh: nothing was run: `demolish never` is blocked by rule test.never: \
             demolishes what nobody can build again\n\
             kibosh: instead: renovate\n"
                .to_owned()
        )
    );
    assert_eq!(place.ran(), None);
}

#[test]
fn what_needs_a_person_is_refused_without_one_and_says_how_to_approve() {
    let place = Place::new("confirm");
    let (status, output, told) = refused(&place, "touch ran && demolish all");
    let (before, number) = told.split_once("`kibosh approve ").unwrap();
    let (number, after) = number.split_once('`').unwrap();
    assert!(number.parse::<u64>().is_ok(), "{told}");
    assert_eq!(
        (status, output, format!("{before}`kibosh approve N`{after}")),
        (
            Some(126),
            String::new(),
            "kibosh: nothing was run: `demolish all` is held back by rule test.ask: \
             demolishes what nobody can build again\n\
             kibosh: instead: renovate\n\
             kibosh: it needs a person's yes, but nobody can be asked from here; a person can give it in \
             a terminal of their own with `kibosh approve N`, and then the same line passes when it is run \
             again\n"
                .to_owned()
        )
    );
    assert_eq!(place.ran(), None);
}

#[test]
fn no_variable_or_input_of_the_agent_gives_leave() {
    let place = Place::new("leave");
    for (name, value) in [
        ("KIBOSH_YES", "1"),
        ("KIBOSH_APPROVE", "1"),
        ("KIBOSH_POLICY", "/dev/null"),
        ("KIBOSH", "off"),
        ("CI", "true"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("HOME", "/nonexistent"),
        ("XDG_CONFIG_HOME", "/nonexistent"),
    ] {
        let output = place
            .command(env!("CARGO_BIN_EXE_kibosh"))
            .args(["-c", "demolish all"])
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(126), "{name}: {output:?}");
    }
    assert_eq!(place.ran(), None);
}

#[test]
fn an_allowed_line_prints_nothing_of_ours() {
    let place = Place::new("allowed");
    assert_eq!(
        refused(&place, "echo out; echo err >&2; exit 3"),
        (Some(3), "out\n".to_owned(), "err\n".to_owned())
    );
}

#[test]
fn no_message_is_mistaken_for_an_agents_own_confinement() {
    let place = Place::new("words");
    for line in [
        "demolish all",
        "demolish never",
        "demolish named x",
        "demolish all; demolish never",
    ] {
        assert_not_mistaken(&refused(&place, line).2);
    }
}

#[test]
fn no_reason_or_advice_of_a_shipped_rule_is_mistaken_for_it_either() {
    let packs = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let mut rules = 0;
    for pack in fs::read_dir(packs).unwrap() {
        let file = pack.unwrap().path().join("policy.toml");
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let policy: toml::Table = text.parse().unwrap();
        let listed = policy.get("rule").and_then(toml::Value::as_array);
        for rule in listed.into_iter().flatten() {
            rules += 1;
            for key in ["reason", "instead"] {
                let Some(words) = rule.get(key).and_then(toml::Value::as_str) else {
                    continue;
                };
                assert_not_mistaken(words);
                let place = format!("{}: {}: {key}", file.display(), rule.get("id").unwrap());
                assert!(!words.contains('\n'), "{place} is one line");
                assert!(!words.ends_with('.'), "{place} has no full stop");
                assert!(words.len() <= 240, "{place} is short");
            }
        }
    }
    assert!(rules > 0, "no rule was found in {packs}");
}
