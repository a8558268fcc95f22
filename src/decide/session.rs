//! Rules about what a session has done before: which deeds an action adds, and whether it is asked about for that.
//!
//! Takes a rule that matched an action and what the session has done, gives deeds, and what was done before where
//! the rule holds for it.

use super::around;
use super::past::{Before, Deed, Key, Past};
use super::stake::Stakes;
use crate::action::{Action, HOLE, OnDisk, Shown, Value};
use crate::policy::Policy;
use crate::policy::matcher::{self, Facts, Patterns as _};
use crate::policy::paths;
use crate::policy::paths::Place;
use crate::policy::schema::{Loses, Match, Named, Resource, Session};
use crate::probe::toll::Count;
use crate::probe::{Found, Loss, Probe};

/// From how many files on a probe looks how many of them are lost.
const MANY: u64 = 16;

/// The actions of one start, as far as they count for the session.
pub(super) struct Deeds<'a> {
    pub(super) policy: &'a Policy,
    pub(super) probe: &'a dyn Probe,
    pub(super) past: &'a Past,
    pub(super) place: &'a Place,
    pub(super) actions: &'a [Action],
    /// What they do.
    pub(super) done: Vec<Deed>,
}

/// What a rule about the session says of an action.
pub(super) struct Held {
    /// What the session has done before.
    pub(super) before: Before,
    /// What the action would take now, where that is files.
    pub(super) loss: Option<Loss>,
    /// Whether the rule holds; else it only counts.
    pub(super) is_beyond: bool,
}

/// Whether an action counts at this start. Files count where the program takes them itself: what it starts for it
/// counts then. A resource is told by its key, whoever speaks of it.
pub(super) fn counts(kind: Session, action: &Action) -> bool {
    matches!(kind, Session::Destroyed | Session::Recreated)
        || action.index == 0
        || action.shown != Shown::Start
        || action.on_disk == OnDisk::Stands
}

impl Deeds<'_> {
    /// Adds what an action does by the matches of a rule; gives what the rule says of it.
    pub(super) fn add(
        &mut self,
        kind: Session,
        matches: &[&Match],
        facts: &Facts<'_>,
        stakes: &mut Stakes<'_>,
    ) -> Option<Held> {
        let held = matches
            .iter()
            .filter(|one| matcher::is_match(one, facts, self.policy));
        let held: Vec<&Match> = held.copied().collect();
        let mut said = None;
        for one in held {
            let skip = matcher::subcommand_length(&[one], facts);
            let next = match (kind, one.loses, &one.resource) {
                (Session::Deleted | Session::Overwritten, Some(at), _) => {
                    self.take(kind, at, skip, facts, stakes)
                }
                (Session::Destroyed, _, Some(resource)) => {
                    let keys = self.keys(resource, one, skip, facts);
                    self.destroy(keys)
                }
                (Session::Recreated, _, Some(resource)) => {
                    let keys = self.keys(resource, one, skip, facts);
                    self.create(keys)
                }
                _ => None,
            };
            said = match (said, next) {
                (
                    Some(one),
                    Some(Held {
                        is_beyond: false, ..
                    })
                    | None,
                ) => Some(one),
                (_, next) => next,
            };
        }
        said
    }

    fn take(
        &mut self,
        kind: Session,
        at: Loses,
        skip: usize,
        facts: &Facts<'_>,
        stakes: &mut Stakes<'_>,
    ) -> Option<Held> {
        if facts.action.elsewhere {
            return None;
        }
        let places = self.probe.places(at, facts, skip)?;
        let is_known =
            |deed: &Deed| matches!(deed, Deed::Takes { places: known, .. } if *known == places);
        if places.is_empty() || self.done.iter().any(is_known) {
            return None;
        }
        let mut count = match stakes.known(facts, at) {
            Some(Found::Nothing) => Count::default(),
            _ => self.past.count(&places, self.policy, self.place),
        };
        let mut loss = None;
        let overwrites = places.are_written_over();
        self.done.push(Deed::Takes { places, count });
        if count.files >= MANY || self.is_crossing(kind, count) {
            match stakes.look(at, facts, skip) {
                Found::Nothing => count = Count::default(),
                Found::Lost(found) => {
                    count = at_most(count, &found);
                    loss = Some(found);
                }
                Found::Unknown => {}
            }
        }
        if let Some(Deed::Takes { count: noted, .. }) = self.done.last_mut() {
            *noted = count;
        }
        let is_beyond = self.is_crossing(kind, count);
        let before = self.past.so_far(kind).filter(|_| count.files > 0)?;
        Some(Held {
            before,
            is_beyond,
            loss: loss.map(|loss| *loss).or_else(|| {
                Some(Loss {
                    deletes: !overwrites,
                    overwrites,
                    files: count.files,
                    bytes: count.bytes,
                    at_least: count.at_least,
                    ..Loss::default()
                })
            }),
        })
    }

    /// Whether what is done, with the last that takes so many, is more than may be.
    fn is_crossing(&self, kind: Session, count: Count) -> bool {
        count.files > 0 && self.past.is_crossed_by(&self.done, kind)
    }

    fn destroy(&mut self, keys: Vec<Key>) -> Option<Held> {
        let deed = Deed::Destroys(keys);
        if self.done.contains(&deed) {
            return None;
        }
        self.done.push(deed);
        let is_beyond = self.past.is_crossed_by(&self.done, Session::Destroyed);
        let before = self.past.so_far(Session::Destroyed)?;
        Some(Held {
            before,
            loss: None,
            is_beyond,
        })
    }

    fn create(&mut self, keys: Vec<Key>) -> Option<Held> {
        let mut known = keys.iter().filter_map(|key| self.past.destroyed(key));
        let before = known.next();
        // What may be found another time is told as a deed, so that the start is not remembered.
        if !keys.is_empty() {
            self.done.push(Deed::Creates(keys));
        }
        let before = before?;
        Some(Held {
            before,
            loss: None,
            is_beyond: true,
        })
    }

    /// What tells the resources that an action is about.
    fn keys(&self, resource: &Resource, one: &Match, skip: usize, facts: &Facts<'_>) -> Vec<Key> {
        let kind = kind(resource, facts, skip);
        let scope = self.scope(resource, facts, skip);
        let mut names = self.names(resource, one, skip, facts);
        let is_only = resource.operand == Named::None;
        names.retain(|name| (is_only || !name.is_empty()) && !name.contains(HOLE));
        names.dedup();
        let key = |name| Key {
            kind: kind.clone(),
            name,
            scope: scope.clone(),
        };
        names.into_iter().map(key).collect()
    }

    fn names(
        &self,
        resource: &Resource,
        one: &Match,
        skip: usize,
        facts: &Facts<'_>,
    ) -> Vec<String> {
        if let Some(pattern) = &resource.code {
            return self.named_in_code(pattern, one, facts);
        }
        if let Some(pattern) = &resource.words {
            return self.found(pattern, &facts.joined);
        }
        let cwd = facts.action.cwd.as_deref();
        let text = |value: &Value| {
            if resource.path {
                paths::normal(value, cwd).text
            } else {
                value.text.clone()
            }
        };
        let named: Vec<&Value> = values(&resource.flags, facts).collect();
        if !named.is_empty() {
            return named.into_iter().map(text).collect();
        }
        operands(resource.operand, facts, skip)
            .iter()
            .map(text)
            .collect()
    }

    /// The names that stand in code of the languages that a match is about.
    fn named_in_code(&self, pattern: &str, one: &Match, facts: &Facts<'_>) -> Vec<String> {
        let code = facts.action.payloads.iter();
        let code =
            code.filter(|code| one.language.is_empty() || one.language.contains(&code.language));
        let code = code.filter(|code| {
            let mut wanted = one.code.iter();
            wanted.any(|wanted| self.policy.is_match(wanted, &code.text))
        });
        let names = code.flat_map(|code| self.found(pattern, &code.text));
        let plain = |name: String| name.replace(['"', '`', '[', ']'], "").to_lowercase();
        names.map(plain).collect()
    }

    /// What the first group of a regular expression finds.
    fn found(&self, pattern: &str, text: &str) -> Vec<String> {
        let Ok(regex) = self.policy.regex(pattern) else {
            return Vec::new();
        };
        let found = regex.found(text.as_bytes());
        found
            .map(|one| String::from_utf8_lossy(one).into_owned())
            .collect()
    }

    /// What tells where it is: the options and variables that the policy names, and the host by which it is reached.
    fn scope(&self, resource: &Resource, facts: &Facts<'_>, skip: usize) -> Vec<String> {
        let mut scope = Vec::new();
        for flag in &resource.scope {
            let given = values(std::slice::from_ref(flag), facts);
            scope.extend(given.map(|value| format!("{flag}={}", value.text)));
        }
        if let Some(named) = resource.within {
            let cwd = facts.action.cwd.as_deref();
            let places = operands(named, facts, skip);
            scope.extend(places.iter().map(|value| paths::normal(value, cwd).text));
        }
        let is_here = facts.action.shown == Shown::Start && !facts.action.elsewhere;
        for name in resource.variables.iter().filter(|_| is_here) {
            let value = match facts.action.environment.get(name) {
                Some(value) => Some(value.text.clone()),
                None => self.probe.variable(name),
            };
            scope.extend(value.map(|value| format!("{name}={value}")));
        }
        if facts.action.elsewhere
            && let Some(starter) = around::starter(facts.action, self.actions)
        {
            let mut words = starter.arguments.iter();
            let host = words.find(|word| !word.text.starts_with('-'));
            scope.extend(host.map(|host| format!("{}={}", starter.program, host.text)));
        }
        scope
    }
}

/// The values of options. Behind one of which the grammar does not say that it takes one, that is the next word.
fn values<'f>(specs: &'f [String], facts: &'f Facts<'_>) -> impl Iterator<Item = &'f Value> {
    let flags = specs
        .iter()
        .flat_map(|spec| facts.arguments.flags_named(spec));
    flags.filter_map(|flag| {
        let next = facts.action.arguments.get(flag.at + 1);
        let next = next.filter(|word| !word.text.starts_with('-'));
        flag.value.as_ref().or(next)
    })
}

/// The operands that are a name.
fn operands(named: Named, facts: &Facts<'_>, skip: usize) -> Vec<Value> {
    let mut all = facts.operands(skip).cloned();
    match named {
        Named::Last => all.last().into_iter().collect(),
        Named::First => all.next().into_iter().collect(),
        Named::Each => all.collect(),
        Named::Path => {
            let words: Vec<String> = all.map(|value| value.text).collect();
            vec![Value::known(words.join("/"))]
        }
        Named::Directory => {
            let cwd = facts.action.cwd.as_deref();
            cwd.map(Value::known).into_iter().collect()
        }
        Named::None => vec![Value::known("")],
    }
}

/// What it is: with the words of the subcommand, without the verb in them, where these belong to it.
fn kind(resource: &Resource, facts: &Facts<'_>, skip: usize) -> String {
    let mut kind = resource.kind.clone();
    if resource.without.is_empty() {
        return kind;
    }
    for word in facts.arguments.subcommand_words().take(skip) {
        let mut word = word.to_owned();
        for verb in &resource.without {
            word = word.replace(verb.as_str(), "");
        }
        if !word.is_empty() {
            kind.push(' ');
            kind.push_str(&word);
        }
    }
    kind
}

/// What was counted, no more than a look has found to be lost.
fn at_most(count: Count, loss: &Loss) -> Count {
    if loss.at_least || loss.repositories > 0 {
        return count;
    }
    let lost = loss.modified + loss.untracked + loss.ignored + loss.outside;
    Count {
        files: count.files.min(lost),
        bytes: count.bytes.min(loss.bytes),
        at_least: count.at_least,
    }
}
