//! In which environment an action happens, such as production (docs/decisions/0011-environments.md).
//!
//! Takes an action, the environments that a policy tells apart, and a machine that can be asked for variables and files;
//! gives the environments, each with the value that tells it. A value that is not known yet may be any.

use std::path::PathBuf;

use super::gates::Gates;
use crate::action::{HOLE, Shown, Value};
use crate::policy::Policy;
use crate::policy::glob;
use crate::policy::matcher::{Facts, Patterns};
use crate::policy::schema::{Environment, Signal};
use crate::probe::{Content, Probe};

/// The longest path or value that is looked at.
const LONGEST: usize = 4096;

/// An environment in which an action happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Its name.
    pub name: String,
    /// Name, and the value that tells it: ``production (kube context `prod-eu`)``.
    pub told: String,
    /// How many people must say yes to what is asked about there.
    pub reviewers: u8,
}

/// Looks for the environments of the actions of one text.
pub(super) struct Marks<'a> {
    pub(super) policy: &'a Policy,
    pub(super) probe: &'a dyn Probe,
    pub(super) gates: Gates,
    /// The home directory of the session.
    pub(super) home: &'a str,
}

impl Marks<'_> {
    /// The environments in which an action happens.
    pub(super) fn of(&self, facts: &Facts<'_>) -> Vec<Mark> {
        let mark = |one: &Environment| {
            let mut signals = one.signals.iter();
            let (kind, value) = signals.find_map(|signal| self.found(signal, facts))?;
            Some(Mark {
                name: one.name.clone(),
                told: format!("{} ({kind} `{value}`)", one.name),
                reviewers: one.reviewers.unwrap_or(1),
            })
        };
        self.policy.environments().iter().filter_map(mark).collect()
    }

    /// The value of a signal, where it is one of those that count.
    fn found<'s>(&self, signal: &'s Signal, facts: &Facts<'_>) -> Option<(&'s str, String)> {
        let name = &facts.action.program;
        let mut programs = signal.program.iter();
        if !signal.program.is_empty() && !programs.any(|one| glob::matches(one, name)) {
            return None;
        }
        // Nothing here tells what a program elsewhere is told by its variables and files.
        let is_here = facts.action.shown == Shown::Start && !facts.action.elsewhere;
        let mut is_late = false;
        let values = self.in_words(signal, facts).or_else(|| {
            is_here
                .then(|| self.around(signal, facts, &mut is_late))
                .flatten()
                .map(|value| vec![value])
        })?;
        let counts = |value: &String| {
            if value.contains(HOLE) {
                // Where it will be seen when the program starts, it is left to that.
                return is_late || self.gates == Gates::Line || facts.action.shown != Shown::Start;
            }
            let mut wanted = signal.value.iter();
            wanted.any(|pattern| self.policy.is_match(pattern, value))
        };
        let value = values.into_iter().find(counts)?;
        Some((&signal.kind, value.replace(HOLE, "\u{2026}")))
    }

    /// What the words of an action say; none where they are silent.
    fn in_words(&self, signal: &Signal, facts: &Facts<'_>) -> Option<Vec<String>> {
        let flags = signal.flags.iter();
        let given = flags.flat_map(|flag| facts.arguments.flags_named(flag));
        let given = given.filter_map(|flag| flag.value.as_ref());
        let mut values: Vec<String> = given.map(text).collect();
        if let Some(words) = &signal.words
            && let Ok(regex) = self.policy.regex(words)
        {
            let found = regex.found(facts.joined.as_bytes());
            values.extend(found.map(|one| String::from_utf8_lossy(one).into_owned()));
        }
        (!values.is_empty()).then_some(values)
    }

    /// What the variables, the files or the directory say; a hole where a file did not come in time.
    fn around(&self, signal: &Signal, facts: &Facts<'_>, is_late: &mut bool) -> Option<String> {
        let variables = signal.variables.iter();
        let mut set = variables.filter_map(|name| self.variable(name, facts));
        if let Some(value) = set.find(|value| !value.is_empty()) {
            return Some(value);
        }
        let cwd = facts.action.cwd.as_deref();
        if let Some(line) = &signal.line
            && let Ok(regex) = self.policy.regex(line)
        {
            let files = signal.files.iter();
            for file in files.flat_map(|file| self.files(file, facts)) {
                let path = match file.strip_prefix("~/") {
                    Some(rest) => PathBuf::from(self.home).join(rest),
                    None => PathBuf::from(cwd.unwrap_or("/")).join(&file),
                };
                let content = match self.probe.content(&path) {
                    Content::Bytes(content) => content,
                    Content::None => continue,
                    Content::Late => {
                        *is_late = true;
                        return Some(HOLE.to_string());
                    }
                };
                if let Some(found) = regex.found(&content).next() {
                    return Some(String::from_utf8_lossy(found).into_owned());
                }
            }
        }
        cwd.filter(|cwd| signal.directory && cwd.len() <= LONGEST)
            .map(str::to_owned)
    }

    /// The files that an entry of a signal names.
    fn files(&self, file: &str, facts: &Facts<'_>) -> Vec<String> {
        match file.strip_prefix('$') {
            None => vec![file.to_owned()],
            Some(name) => {
                let listed = self.variable(name, facts).unwrap_or_default();
                let files = listed.split(':').filter(|file| !file.is_empty());
                files.map(str::to_owned).collect()
            }
        }
    }

    /// A variable as the program gets it.
    fn variable(&self, name: &str, facts: &Facts<'_>) -> Option<String> {
        match facts.action.environment.get(name) {
            Some(value) => Some(text(value)),
            None => self.probe.variable(name),
        }
        .filter(|value| value.len() <= LONGEST)
    }
}

/// A value, with a hole where it is not known as it stands.
fn text(value: &Value) -> String {
    if value.glob {
        return HOLE.to_string();
    }
    value.text.clone()
}
