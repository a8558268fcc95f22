//! Every way around that was found stays closed: `tests/bypasses/*.toml`, a file for each class.
//!
//! A gap that is known and still open has `open = "why"`; it fails here once it is closed, so that the
//! note goes. docs/bypasses.md tells the classes.

use std::path::Path;

use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;
use kibosh::policy::schema::Effect;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the class is.
    about: String,
    /// Lines that must be stopped.
    #[serde(default)]
    stopped: Vec<String>,
    /// Lines beside them that must pass, so that closing a hole does not close the door.
    #[serde(default)]
    passes: Vec<String>,
    /// Lines that ought to be stopped and are not yet.
    #[serde(default)]
    open: Vec<Open>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    line: String,
    why: String,
}

#[test]
fn every_known_way_around_is_closed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bypasses");
    let policy = Policy::shipped();
    let effect = |line: &str| judge(&policy, line, &Context::text_only()).decision.effect;
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.about.is_empty(), "{name} says what it is about");
        for line in &file.stopped {
            seen += 1;
            if effect(line) == Effect::Allow {
                wrong.push(format!("{name}: passes: {line}"));
            }
        }
        for line in &file.passes {
            seen += 1;
            if effect(line) != Effect::Allow {
                wrong.push(format!("{name}: is stopped: {line}"));
            }
        }
        for Open { line, why } in &file.open {
            seen += 1;
            assert!(!why.is_empty(), "{name}: an open line says why");
            if effect(line) != Effect::Allow {
                wrong.push(format!(
                    "{name}: is closed, so it is no longer open: {line}"
                ));
            }
        }
    }
    assert!(seen > 100, "only {seen} lines were looked at");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
