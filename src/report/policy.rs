//! What is said of policies: mistakes in them, and what is in force.

use std::fmt::Write as _;

use super::check::word;
use super::diagnostic::Diagnostic;
use super::escape::escape;
use super::refusal::unmistaken;
use crate::policy::error::{PolicyError, PolicyErrors};
use crate::policy::examples::Outcome;
use crate::policy::trust::Ignored;
use crate::policy::{Layer, Policy};

/// That there is nothing to trust.
pub const NO_PROJECT: &str = "kibosh: there is no `.kibosh.toml` here or above\nhint: a project's policy is the file `.kibosh.toml` in its first folder";

/// Why a person is asked before a project may loosen the policy: what it would loosen.
#[must_use]
pub fn trust_reason(parts: &[Ignored]) -> String {
    let parts: Vec<String> = parts.iter().map(part).collect();
    format!(
        "until it is changed, this project file loosens the policy: {}",
        parts.join(", ")
    )
}

/// That all of a project's file is in force already.
#[must_use]
pub fn in_force(file: &str) -> String {
    format!("all of `{}` is in force", escape(file))
}

/// Every rule in force, one a line: layer, effect, id, reason, and the exceptions from it; then the
/// files of the layers, and what of them is not in force and why.
#[must_use]
pub fn list(policy: &Policy) -> String {
    let mut rows = Vec::new();
    let mut rules: Vec<_> = policy.rules().collect();
    rules.sort_by(|one, other| (one.layer, &one.rule.id).cmp(&(other.layer, &other.rule.id)));
    for one in rules {
        rows.push(format!(
            "{:8} {:8} {}: {}",
            one.layer.name(),
            word(one.rule.effect),
            escape(&one.rule.id),
            escape(&one.rule.reason)
        ));
        for exception in policy.exceptions(one.layer, &one.rule.id) {
            let reason = escape(&exception.reason).into_owned();
            rows.push(format!("{:17} except where: {reason}", ""));
        }
    }
    for file in policy.files() {
        let (layer, path) = (file.layer.name(), escape(&file.path));
        rows.push(format!("{layer:8} file     {path}"));
        for ignored in &file.ignored {
            let (ignored, why) = (part(ignored), not_in_force(file.layer));
            rows.push(format!("{layer:8} ignored  {ignored}: {why}"));
        }
    }
    rows.join("\n")
}

/// Why a part of a file is not in force.
fn not_in_force(layer: Layer) -> &'static str {
    match layer {
        Layer::Project => "the file is not trusted; a person can run `kibosh policy trust`",
        Layer::Pack | Layer::System | Layer::User => {
            "your home directory is not in /etc/passwd; put it into /etc/kibosh"
        }
    }
}

fn part(ignored: &Ignored) -> String {
    let (what, name) = match ignored {
        Ignored::Exception(rule) => ("exception from", rule),
        Ignored::Program(name) => ("program", name),
        Ignored::Variable(name) => ("variable", name),
        Ignored::Class(name) => ("more of class", name),
        Ignored::Setting(name) => ("setting", name),
        Ignored::Environment(name) => ("environment", name),
        Ignored::Credentials => return "table `credentials`".to_owned(),
    };
    format!("{what} `{}`", escape(name))
}

/// What `kibosh policy lint` found.
#[must_use]
pub fn doubts(doubts: &[PolicyError]) -> String {
    if doubts.is_empty() {
        return "no mistakes found".to_owned();
    }
    shown(doubts)
}

/// What `kibosh policy test` found: each failure with its place, then the count.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    let mut text = shown(&outcome.failed);
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let _infallible = write!(
        text,
        "{} passed, {} failed",
        outcome.passed,
        outcome.failed.len()
    );
    text
}

/// That trust could not be written down.
#[must_use]
pub fn not_recorded(error: &std::io::Error) -> String {
    format!("kibosh: the trust cannot be recorded: {error}")
}

fn shown(errors: &[PolicyError]) -> String {
    let shown: Vec<String> = errors
        .iter()
        .map(|e| Diagnostic::from(e).to_string())
        .collect();
    shown.join("\n\n")
}

/// That the policy cannot be read, so that nothing runs: every mistake with its place.
#[must_use]
pub fn unreadable(errors: &PolicyErrors) -> String {
    let mut text = "kibosh: nothing was run: the policy cannot be read".to_owned();
    for error in &errors.0 {
        text.push_str("\n\n");
        text.push_str(&Diagnostic::from(error).to_string());
    }
    text.push_str("\n\nhint: a person mends these files; until then no command runs");
    unmistaken(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::error::PolicyError;

    #[test]
    fn every_mistake_is_shown_with_its_place() {
        let text = "[settings]\nbsh = \"/bin/bash\"\n";
        let one = PolicyError::at("a.toml", text, 11..14, "unknown key `bsh`".to_owned());
        let errors = PolicyErrors(vec![
            one.hinted("did you mean `bash`?"),
            PolicyError::whole("b.toml", "is not a file"),
        ]);
        assert_eq!(
            unreadable(&errors),
            "kibosh: nothing was run: the policy cannot be read\n\n\
             a.toml:2:1: error: unknown key `bsh`\n  bsh = \"/bin/bash\"\n  ^~~\n\
             hint: did you mean `bash`?\n\n\
             b.toml: error: is not a file\n\n\
             hint: a person mends these files; until then no command runs"
        );
    }
}
