//! Whether what a rule is about would lose anything at all (docs/decisions/0010-loss.md).
//!
//! Takes the conditions of a rule that hold for an action, asks a probe about those that say what is at
//! stake. In every doubt they hold.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::builtins::is_of_the_shell;
use super::gates::{Gates, as_started};
use crate::action::{Action, OnDisk, Shown};
use crate::policy::Policy;
use crate::policy::matcher::{self, Facts};
use crate::policy::schema::{Effect, Loses, Match, Rule};
use crate::probe::{Found, Loss, Probe};

/// How long all looks for one text may take together. A person or a program waits.
const MOST: Duration = Duration::from_millis(150);

/// Looks at the machine for one text.
pub(super) struct Stakes<'a> {
    probe: &'a dyn Probe,
    gates: Gates,
    /// How many actions the text has, without those that stand in files.
    actions: usize,
    spent: Duration,
    /// What was found of the last action that was asked about.
    known: Option<(usize, Loses, Found)>,
}

impl<'a> Stakes<'a> {
    pub(super) fn new(probe: &'a dyn Probe, gates: Gates, actions: usize) -> Self {
        Self {
            probe,
            gates,
            actions,
            spent: Duration::ZERO,
            known: None,
        }
    }

    /// What a rule that holds for an action is about: `Nothing` where each of its conditions that hold asks
    /// what is at stake, and surely nothing is.
    pub(super) fn of(
        &mut self,
        rule: &Rule,
        matches: &[&Match],
        facts: &Facts<'_>,
        policy: &Policy,
    ) -> Found {
        let asks = |one: &&&Match| one.loses.is_some();
        if !matches.iter().any(|one| asks(&one)) {
            return Found::Unknown;
        }
        if rule.effect != Effect::Deny && self.probe.is_moot() {
            return Found::Unknown;
        }
        let held: Vec<&Match> = matches
            .iter()
            .copied()
            .filter(|one| matcher::is_match(one, facts, policy))
            .collect();
        let mut found = Found::Nothing;
        for one in &held {
            let next = match one.loses {
                Some(at) => {
                    let skip = matcher::subcommand_length(&[one], facts);
                    match self.look(at, facts, skip) {
                        Found::Unknown if one.in_doubt == Some(false) => Found::Nothing,
                        found => found,
                    }
                }
                None => Found::Unknown,
            };
            found = both(found, next);
        }
        let is_sure = |one: &&Match| one.in_doubt != Some(false);
        if found == Found::Nothing
            && held.iter().any(is_sure)
            && !self.lasts(rule, &held, facts, policy)
        {
            return Found::Unknown;
        }
        found
    }

    /// What was found of an action before.
    pub(super) fn known(&self, facts: &Facts<'_>, at: Loses) -> Option<&Found> {
        let known = self.known.as_ref()?;
        (known.0 == facts.action.index && known.1 == at).then_some(&known.2)
    }

    /// Looks what is lost by an action, once.
    pub(super) fn look(&mut self, at: Loses, facts: &Facts<'_>, skip: usize) -> Found {
        let index = facts.action.index;
        if let Some((known, what, found)) = &self.known
            && (*known, *what) == (index, at)
        {
            return found.clone();
        }
        if self.spent >= MOST {
            return Found::Unknown;
        }
        let began = Instant::now();
        let found = self.probe.look(at, facts, skip);
        self.spent += began.elapsed();
        self.known = Some((index, at, found.clone()));
        found
    }

    /// Whether what is so now will be so when the action happens: nothing else happens before, or the exec
    /// gate looks again then.
    fn lasts(&self, rule: &Rule, held: &[&Match], facts: &Facts<'_>, policy: &Policy) -> bool {
        let is_seen_again = || {
            rule.followed_by.is_empty()
                && is_start(facts.action)
                && held.iter().all(|one| {
                    matcher::is_match(one, &facts.of_form(&started(facts.action)), policy)
                })
        };
        // Code in a file is read again when the program starts that runs it.
        let is_read = facts.action.on_disk == OnDisk::Stands;
        match self.gates {
            Gates::Line => self.actions == 1 && (is_read || facts.action.via.is_empty()),
            Gates::LineThenExec => self.actions == 1 || is_read || is_seen_again(),
            Gates::BesideExec => false,
        }
    }
}

/// Whether the exec gate will see an action as it is: the files that a pattern finds are other words.
fn is_start(action: &Action) -> bool {
    action.shown == Shown::Start
        && !is_of_the_shell(action)
        && !action.arguments.iter().any(|word| word.glob)
}

/// The action as the exec gate sees it: by its words alone.
fn started(action: &Action) -> Action {
    Action {
        environment: BTreeMap::new(),
        via: Vec::new(),
        ..as_started(action)
    }
}

/// What two conditions are about together.
fn both(one: Found, other: Found) -> Found {
    match (one, other) {
        (Found::Nothing, found) | (found, Found::Nothing) => found,
        (Found::Lost(loss), Found::Lost(more)) => Found::Lost(Box::new(larger(*loss, *more))),
        (Found::Lost(loss), Found::Unknown) | (Found::Unknown, Found::Lost(loss)) => {
            Found::Lost(loss)
        }
        (Found::Unknown, Found::Unknown) => Found::Unknown,
    }
}

/// Of two looks at the same action the one that has found more.
fn larger(one: Loss, other: Loss) -> Loss {
    if one.covers(&other) {
        return one;
    }
    if other.covers(&one) {
        return other;
    }
    let mut all = one;
    all.add(&other);
    all
}
