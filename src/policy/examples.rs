//! The examples of rules and the cases of packs, run through the real judge.
//!
//! The judge stands above this module and is handed in. Nothing is executed: a line is only judged.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::discover::{self, Folders};
use super::error::{PolicyError, PolicyErrors};
use super::schema::Effect;
use super::store::Policy;
use super::{cases, compiled, trust};

/// Where examples and cases without places of their own run.
pub const CWD: &str = "/home/user/project";
/// The home directory of examples and cases.
pub const HOME: &str = "/home/user";

/// How long the list of sound policies may get, in bytes.
const SOUND_BYTES: usize = 8192;

/// A line to be judged, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The command line.
    pub text: String,
    /// The working directory.
    pub cwd: String,
    /// The home directory.
    pub home: String,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

impl Line {
    /// A line of an example.
    #[must_use]
    pub fn example(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cwd: CWD.to_owned(),
            home: HOME.to_owned(),
            environment: BTreeMap::new(),
        }
    }
}

/// What the judge says of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The decision.
    pub effect: Effect,
    /// The rules that apply, lifted ones left out.
    pub rules: Vec<String>,
    /// The lines that show what it would do, each with the rule that has it.
    pub previews: Vec<(String, String)>,
}

/// Judges lines by a policy.
pub type Judge<'a> = dyn FnMut(&Line) -> Judged + 'a;

/// What came of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many held.
    pub passed: usize,
    /// Those that did not, each at its place.
    pub failed: Vec<PolicyError>,
}

impl Outcome {
    /// Counts one more, with what failed.
    pub(super) fn add(&mut self, failure: Option<PolicyError>) {
        match failure {
            None => self.passed += 1,
            Some(error) => self.failed.push(error),
        }
    }
}

/// The examples of the rules of a file; the rest of it is not looked at.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<RuleOfFile>,
}

#[derive(Deserialize)]
struct RuleOfFile {
    id: String,
    #[serde(rename = "match", default)]
    matches: Vec<MatchOfRule>,
    examples: ExamplesOfRule,
}

#[derive(Deserialize)]
struct MatchOfRule {
    preview: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize)]
struct ExamplesOfRule {
    matches: Vec<Spanned<String>>,
    passes: Vec<Spanned<String>>,
}

/// Runs the examples and the cases of all shipped packs. The judge judges by the packs alone.
pub fn packs(judge: &mut Judge<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    for pack in compiled::packs() {
        of_file(pack.path, pack.text, judge, &mut outcome);
        if let Some((path, text)) = pack.cases {
            cases::run(path, text, judge, &mut outcome);
        }
    }
    outcome
}

/// Runs the examples of the layers' rules. The judge judges by `policy`.
pub fn layers(policy: &Policy, judge: &mut Judge<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    // Examples of a file that is not wholly in force may need what was left out of it.
    for file in policy.files().iter().filter(|file| file.ignored.is_empty()) {
        of_file(&file.path, &file.text, judge, &mut outcome);
    }
    outcome
}

/// Runs the examples of the layers' rules, unless the same files were found sound before, and
/// remembers that they are.
///
/// What is remembered is in the user's reach, and the agent's. It only ever saves the checks: the
/// rules are in force either way, so that nothing is gained by forging it.
///
/// # Errors
///
/// The examples that do not hold. There is no policy then, and nothing may run.
pub fn prove(
    policy: &Policy,
    folders: &Folders,
    judge: &mut Judge<'_>,
) -> Result<(), PolicyErrors> {
    let Some(hash) = policy.unproven() else {
        return Ok(());
    };
    let outcome = layers(policy, judge);
    if !outcome.failed.is_empty() {
        return Err(PolicyErrors(outcome.failed));
    }
    remember(folders, hash);
    Ok(())
}

/// Whether policies with this hash were found sound.
#[must_use]
pub fn is_proven(folders: &Folders, hash: &str) -> bool {
    let store = folders
        .sound()
        .and_then(|store| discover::own_file(&store, folders.uid));
    store.is_some_and(|store| trust::has_line(&store, hash))
}

fn remember(folders: &Folders, hash: &str) {
    let Some(store) = folders.sound() else { return };
    let mut content = format!("{hash}\n");
    for line in discover::own_file(&store, folders.uid)
        .unwrap_or_default()
        .lines()
    {
        if content.len() + line.len() < SOUND_BYTES {
            content.push_str(line);
            content.push('\n');
        }
    }
    // Where it cannot be written, the examples run again the next time.
    let _forgotten = trust::write_whole(&store, &content);
}

/// Runs the examples of the rules in one text. A text that cannot be read has none: loading it tells.
fn of_file(path: &str, text: &str, judge: &mut Judge<'_>, outcome: &mut Outcome) {
    let Ok(file) = toml::from_str::<File>(text) else {
        return;
    };
    for rule in file.rule {
        let mut has_preview = false;
        let matches = rule.examples.matches.into_iter().map(|line| (line, true));
        let passes = rule.examples.passes.into_iter().map(|line| (line, false));
        for (line, expected) in matches.chain(passes) {
            let judged = judge(&Line::example(line.get_ref()));
            let found = judged.rules.contains(&rule.id);
            let id = &rule.id;
            let message = if expected {
                format!("`{id}` does not match its example")
            } else {
                format!("`{id}` matches what it should let pass")
            };
            let failure = PolicyError::at(path, text, line.span(), message);
            outcome.add((found != expected).then(|| failure.hinted(told(&judged))));
            for (_, preview) in judged.previews.iter().filter(|(of, _)| of == id) {
                has_preview = true;
                let shown = judge(&Line::example(preview));
                let message = format!("the preview `{preview}` of `{id}` is not allowed itself");
                let failure = PolicyError::at(path, text, line.span(), message);
                let is_stopped = shown.effect != Effect::Allow;
                outcome.add(is_stopped.then(|| failure.hinted(told(&shown))));
            }
        }
        let mut previews = rule.matches.iter().filter_map(|one| one.preview.as_ref());
        if let Some(preview) = previews.next().filter(|_| !has_preview) {
            let message = format!("no example of `{}` has a preview", rule.id);
            let failure = PolicyError::at(path, text, preview.span(), message);
            let hint = "add a plain command line to `matches`, or leave `preview` out";
            outcome.add(Some(failure.hinted(hint)));
        }
    }
}

/// What the judge said, for the hint of a failure.
pub(super) fn told(judged: &Judged) -> String {
    let effect = match judged.effect {
        Effect::Allow => "allow",
        Effect::Confirm => "confirm",
        Effect::Deny => "deny",
    };
    if judged.rules.is_empty() {
        format!("the decision is {effect}, no rule applies")
    } else {
        let rules: Vec<String> = judged
            .rules
            .iter()
            .map(|rule| format!("`{rule}`"))
            .collect();
        format!("the decision is {effect}, by {}", rules.join(", "))
    }
}
