//! A policy with a mistake is no policy: nothing runs, and it is said where the mistake is and how to
//! mend it. Trust is a person's to give.

use std::fs;
use std::process::Output;

use crate::support::place::Place;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

const RULE: &str = "[[rule]]\nid = \"test.never\"\neffect = \"deny\"\n\
    match = [{ program = [\"demolish\"] }]\nreason = \"it does not come back\"\n\
    examples = { matches = [\"demolish all\"], passes = [\"renovate\"] }\n";

fn run(place: &Place, words: &[&str]) -> Output {
    place.command(KIBOSH).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn with_a_policy_that_cannot_be_read_nothing_runs() {
    let place = Place::bare("policy-blocks");
    let file = place.path().join(".kibosh.toml");
    for (content, line, message, hint) in [
        (
            RULE.replace("deny", "dney"),
            "3:10",
            "unknown variant `dney`, expected one of `allow`, `confirm`, `deny`",
            "did you mean `deny`?",
        ),
        (
            RULE.replace("\"deny\"", "\"deny"),
            "3:15",
            "invalid basic string, expected `\"`",
            "a person mends these files",
        ),
        (
            RULE.replace("[\"renovate\"]", "[\"demolish it\"]"),
            "6:52",
            "`test.never` matches what it should let pass",
            "the decision is deny, by `test.never`",
        ),
        (
            RULE.replace("[{ program = [\"demolish\"] }]", "[{ regex = [\"(\"] }]"),
            "4:21",
            "not a regular expression: unclosed group",
            "write it as the Rust crate `regex` reads it",
        ),
        (
            "[settings]\nbash = \"/tmp/bash\"\n".to_owned(),
            "2:8",
            "a project may not set `bash`",
            "put this into ~/.config/kibosh/ or /etc/kibosh/",
        ),
    ] {
        fs::write(&file, content).unwrap();
        let output = run(&place, &["-c", "echo ran; touch ran"]);
        assert_eq!(output.status.code(), Some(125), "{message}");
        assert_eq!(text(&output.stdout), "");
        assert!(!place.path().join("ran").exists(), "{message}");
        let told = text(&output.stderr);
        assert!(told.starts_with("kibosh: nothing was run: "), "{told}");
        let whole = format!("/.kibosh.toml:{line}: error: {message}\n");
        assert!(told.contains(&whole), "{told}");
        assert!(told.contains(hint), "{told}");
    }
    fs::write(&file, RULE).unwrap();
    assert_eq!(text(&run(&place, &["-c", "echo ran"]).stdout), "ran\n");
    assert_eq!(
        run(&place, &["-c", "demolish all"]).status.code(),
        Some(126)
    );
}

#[test]
fn without_a_person_nothing_is_trusted() {
    let place = Place::bare("policy-trust");
    let file = place.path().join(".kibosh.toml");
    let exception = "[[exception]]\nrule = \"test.never\"\nreason = \"it is only a model\"\n";
    fs::write(&file, format!("{RULE}{exception}")).unwrap();
    let output = run(&place, &["policy", "trust"]);
    assert_eq!(output.status.code(), Some(126));
    let told = text(&output.stderr);
    assert!(told.contains("exception from `test.never`"), "{told}");
    let listed = text(&run(&place, &["policy", "list"]).stdout);
    assert!(
        listed.contains("ignored  exception from `test.never`"),
        "{listed}"
    );
    assert_eq!(
        run(&place, &["-c", "demolish all"]).status.code(),
        Some(126)
    );
}
