//! The command that shows what another would do, without doing it, made of the words of that.
//!
//! Takes a rule and an action that it matched; gives words, or nothing where a part is not known or the same words
//! would mean something else. It runs nothing, and whether it may be run is for the policy to say like of any other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, FileUse, OnDisk, Opacity, Shown, Value};
use crate::policy::Policy;
use crate::policy::matcher::{self, Facts};
use crate::policy::preview::{ARGUMENTS, COMMAND, PROGRAM};
use crate::policy::schema::{Effect, Match, Rule};

/// The command, and what it is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The directory.
    pub cwd: String,
    /// The variables that the line sets for it.
    pub environment: BTreeMap<String, String>,
}

impl Preview {
    /// The words as a line for a shell; none where a word cannot stand in one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        shlex::try_join(self.words.iter().map(String::as_str)).ok()
    }

    /// The same with the variables before it.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let mut line = String::new();
        for (name, value) in &self.environment {
            line.push_str(&format!("{name}={} ", shlex::try_quote(value).ok()?));
        }
        Some(line + &self.command()?)
    }
}

/// The preview of an action that a rule has matched.
pub(super) fn of(
    rule: &Rule,
    matches: &[&Match],
    facts: &Facts<'_>,
    policy: &Policy,
) -> Option<Preview> {
    let action = facts.action;
    let mut matches = matches.iter().copied();
    let has_one = |one: &&Match| !one.preview.is_empty() && matcher::is_match(one, facts, policy);
    let one = matches.find(has_one)?;
    if rule.effect != Effect::Confirm || !is_plain(action) {
        return None;
    }
    let length = matcher::subcommand_length(&[one], facts);
    let subcommand: Vec<usize> = facts
        .arguments
        .positionals
        .iter()
        .take(length)
        .map(|word| word.at)
        .collect();
    let end = subcommand.last().map_or(0, |at| at + 1);
    let (before, after) = action.arguments.split_at_checked(end)?;
    let known = |words: &mut dyn Iterator<Item = &Value>| -> Option<Vec<String>> {
        words.map(|word| text(word).map(str::to_owned)).collect()
    };
    let program = || std::iter::once(&action.path);
    let options = before.iter().enumerate();
    let mut options = options.filter(|(at, _)| !subcommand.contains(at));
    let mut words = Vec::new();
    for word in &one.preview {
        match word.as_str() {
            COMMAND => words.extend(known(&mut program().chain(before))?),
            PROGRAM => {
                let options = options.by_ref().map(|(_, word)| word);
                words.extend(known(&mut program().chain(options))?);
            }
            ARGUMENTS => words.extend(known(&mut after.iter())?),
            _ => words.push(word.clone()),
        }
    }
    let set = action.environment.iter();
    let set = set.map(|(name, value)| Some((name.clone(), text(value)?.to_owned())));
    Some(Preview {
        words,
        cwd: action
            .started_in
            .clone()
            .filter(|cwd| cwd.starts_with('/'))?,
        environment: set.collect::<Option<_>>()?,
    })
}

/// The text of a word of which all is known.
fn text(word: &Value) -> Option<&str> {
    let is_exact = word.is_known() && !word.glob && !word.text.contains('\0');
    is_exact.then_some(word.text.as_str())
}

/// Whether its words, where it is started, and its variables are all that decides what it does: it runs here, by
/// itself, and takes nothing from its standard input.
fn is_plain(action: &Action) -> bool {
    let reads = action.redirections.iter();
    let reads = reads.filter(|one| one.usage == FileUse::Read).count() > 0;
    !action.elsewhere
        && action.via.is_empty()
        && action.shown == Shown::Start
        && action.opacity == Opacity::Known
        && action.on_disk == OnDisk::Nothing
        && !action.path.text.is_empty()
        && action.fed_by.is_empty()
        && action.input.is_none()
        && !reads
}
