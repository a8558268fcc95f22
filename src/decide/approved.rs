//! What a person has said yes to in a line, so that the exec gate does not ask it again.
//!
//! Takes decisions that were approved, says of a later finding whether it is one of what was shown, with
//! what was unknown then filled in. It never covers a deny, and in doubt it does not cover: then a person
//! is asked again.

use serde::{Deserialize, Serialize};

use super::around::Around;
use super::past::Before;
use super::pattern::{Budget, words_match};
use super::{Decision, Finding};
use crate::action::{HOLE, Redirection, Value};
use crate::policy::paths;
use crate::policy::schema::Effect;

/// The confirm findings that a person has approved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    findings: Vec<Finding>,
}

impl Approved {
    /// Adds what was asked about; a person must have said yes to all of it.
    pub fn add(&mut self, decision: &Decision) {
        for finding in &decision.findings {
            if finding.effect == Effect::Confirm && !self.findings.contains(finding) {
                self.findings.push(finding.clone());
            }
        }
    }

    /// Whether nothing has been approved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether a finding is one of those that were approved.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        let mut budget = Budget::default();
        finding.effect == Effect::Confirm
            && self.findings.iter().any(|approved| {
                (approved.rule == finding.rule || is_step(finding))
                    && is_around(&approved.around, &finding.around, &mut budget)
                    && is_command(&approved.words, &finding.words, &mut budget)
                    || is_second(approved, finding, &mut budget)
            })
    }
}

impl Decision {
    /// The decision without the confirm findings that a person has approved before.
    pub fn without(mut self, approved: &Approved) -> Self {
        if approved.is_empty() {
            return self;
        }
        self.findings.retain(|finding| !approved.covers(finding));
        self.set_effect();
        self
    }
}

/// Whether a finding is about a budget of the session: whatever a person has said yes to needs none.
fn is_step(finding: &Finding) -> bool {
    let before = finding.around.before.as_ref();
    before.is_some_and(|before| !matches!(before, Before::Again { .. }))
}

/// Whether something is created anew that was shown to be destroyed and created anew in one line.
fn is_second(approved: &Finding, found: &Finding, budget: &mut Budget) -> bool {
    let is_again = matches!(found.around.before, Some(Before::Again { .. }));
    let (shown, comes) = (&approved.around, &found.around);
    let is_there = shown.elsewhere == comes.elsewhere && shown.via.ends_with(&comes.via);
    let environments = comes.environments.iter();
    let mut beside = shown.beside.iter();
    is_again
        && is_there
        && environments
            .into_iter()
            .all(|one| shown.environments.contains(one))
        && beside.any(|second| is_command(second, &found.words, budget))
}

/// Whether the words of a command are what was shown. The program is compared by its base name, because
/// a start names the file that was found for it. What has no words was not shown.
fn is_command(approved: &[Value], found: &[Value], budget: &mut Budget) -> bool {
    let (Some((program, arguments)), Some((started, given))) =
        (approved.split_first(), found.split_first())
    else {
        return false;
    };
    is_program(program, started) && words_match(arguments, given, budget)
}

/// Whether both name the same program, and say which.
fn is_program(approved: &Value, found: &Value) -> bool {
    let base = |value: &Value| {
        let name = value.text.rsplit('/').next().unwrap_or_default();
        (!name.is_empty() && !value.glob && !name.contains(HOLE)).then(|| name.to_owned())
    };
    base(approved).is_some_and(|name| base(found) == Some(name))
}

/// Whether both redirections name the same place: an open file is named by its whole path.
fn is_place(approved: &Around, shown: &Redirection, found: &Around, one: &Redirection) -> bool {
    let place = |around: &Around, file: &Value| {
        let path = paths::normal(file, around.cwd.as_deref());
        let is_plain = file.is_known() && !file.glob && !file.text.starts_with("file:");
        (is_plain && path.text.starts_with('/')).then_some(path.text)
    };
    place(approved, &shown.file).is_some_and(|shown| place(found, &one.file) == Some(shown))
}

/// Whether what surrounds a command is what was shown, or less.
fn is_around(approved: &Around, found: &Around, budget: &mut Budget) -> bool {
    let word = |one: &Value, other: &Value, budget: &mut Budget| {
        words_match(
            std::slice::from_ref(one),
            std::slice::from_ref(other),
            budget,
        )
    };
    // What was reached through `sudo` may go on without it, and not the other way round.
    let via = approved.via.ends_with(&found.via);
    let cwd = approved.cwd.is_none() || approved.cwd == found.cwd;
    let environment = approved.environment.len() == found.environment.len()
        && found.environment.iter().all(|(name, value)| {
            let shown = approved.environment.get(name);
            shown.is_some_and(|shown| word(shown, value, budget))
        });
    let redirections = found.redirections.iter().all(|one| {
        let mut shown = approved.redirections.iter();
        shown.any(|other| {
            other.usage == one.usage
                && (word(&other.file, &one.file, budget) || is_place(approved, other, found, one))
        })
    });
    let texts = found.texts.iter().all(|text| approved.texts.contains(text));
    let beside = found.beside.iter().all(|one| {
        let mut shown = approved.beside.iter();
        shown.any(|other| is_command(other, one, budget))
    });
    // A yes to a loss that was shown is none to a larger one, or to one that nobody knows.
    let loss = approved.loss.as_ref().is_none_or(|shown| {
        let found = found.loss.as_ref();
        shown.at_least || found.is_some_and(|found| shown.covers(found))
    });
    // Nor is one to what happens here a yes to what happens in production.
    let mut environments = found.environments.iter();
    let environments = environments.all(|one| approved.environments.contains(one));
    approved.elsewhere == found.elsewhere
        && environments
        && loss
        && via
        && cwd
        && environment
        && redirections
        && texts
        && beside
}
