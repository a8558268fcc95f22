//! Questions about budgets of a session, so that a loop is one question: what crosses a budget while it is being asked
//! about waits for the same answer, and after a no nobody is asked for a while.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use crate::approve::{self, Cleared};
use crate::decide::Decision;
use crate::decide::past::{Before, Deed, Past};
use crate::report::exec as words;
use crate::supervise::Review;

/// For how long a no stands.
const STANDS: Duration = Duration::from_secs(60);

/// What is being asked, and what was answered no, by rule.
#[derive(Debug, Default)]
pub struct Budgets {
    asked: HashMap<String, Vec<Told>>,
    /// With when that was, and by what attempt to start a program.
    refused: HashMap<String, (Instant, u64)>,
}

/// What an exec that crosses a budget stands behind.
pub enum Stands<'a> {
    /// Nothing: it is asked about.
    Alone,
    /// A question about this rule, which is being asked.
    Behind(&'a str),
    /// A no to this rule.
    Refused(&'a str),
}

/// How the answer comes to one that waits: the other end is closed when it is there.
#[derive(Debug)]
pub struct Told {
    is_yes: Rc<Cell<bool>>,
    _open: OwnedFd,
}

impl Budgets {
    /// What the only thing that a decision asks about stands behind. The same attempt may have been approved at
    /// another terminal since it was refused.
    pub fn stands<'d>(&mut self, decision: &'d Decision, attempt: u64) -> Stands<'d> {
        let Some(rule) = only_budget(decision) else {
            return Stands::Alone;
        };
        self.refused.retain(|_, (at, _)| at.elapsed() < STANDS);
        match self.refused.get(rule) {
            Some((_, other)) if *other == attempt => return Stands::Alone,
            Some(_) => return Stands::Refused(rule),
            None => {}
        }
        if self.asked.contains_key(rule) {
            Stands::Behind(rule)
        } else {
            Stands::Alone
        }
    }

    /// Somebody is asked about a decision.
    pub fn ask(&mut self, decision: &Decision) {
        if let Some(rule) = only_budget(decision) {
            self.asked.entry(rule.to_owned()).or_default();
        }
    }

    /// One more waits for the answer about a rule.
    pub fn wait(&mut self, rule: &str, told: Told) {
        self.asked.entry(rule.to_owned()).or_default().push(told);
    }

    /// The answer to the question about an attempt has come; none where that was withdrawn.
    pub fn answered(&mut self, decision: &Decision, answer: Option<bool>, attempt: u64) {
        let Some(rule) = only_budget(decision) else {
            return;
        };
        let waiting = self.asked.remove(rule).unwrap_or_default();
        for told in waiting {
            told.is_yes.set(answer == Some(true));
        }
        match answer {
            Some(true) => {
                self.refused.remove(rule);
            }
            Some(false) => {
                self.refused
                    .insert(rule.to_owned(), (Instant::now(), attempt));
            }
            None => {}
        }
    }

    /// Asks again about what was refused: somebody is at work who can answer.
    pub fn forget(&mut self) {
        self.refused.clear();
    }
}

/// The rule about a budget that is the only one which a decision asks about.
fn only_budget(decision: &Decision) -> Option<&str> {
    let is_of_budget = |before: &Option<Before>| {
        matches!(
            before,
            Some(Before::Deleted { .. } | Before::Overwritten(_) | Before::Destroyed(_))
        )
    };
    let (first, others) = decision.findings.split_first()?;
    let is_same = others.iter().all(|other| other.rule == first.rule);
    (is_same && is_of_budget(&first.around.before)).then_some(first.rule.as_str())
}

/// An exec that waits for the answer to another one's question.
#[derive(Debug)]
pub struct Behind {
    rule: String,
    is_yes: Rc<Cell<bool>>,
    answered: OwnedFd,
    past: Rc<Past>,
    deeds: Vec<Deed>,
}

impl Behind {
    /// One that waits for the answer about a rule, and how it is told.
    ///
    /// # Errors
    ///
    /// That of the system.
    pub fn of(rule: &str, decision: &Decision, past: &Rc<Past>) -> io::Result<(Self, Told)> {
        let (answered, open) = pipe2(OFlag::O_CLOEXEC)?;
        let is_yes = Rc::new(Cell::new(false));
        let told = Told {
            is_yes: Rc::clone(&is_yes),
            _open: open,
        };
        let behind = Self {
            rule: rule.to_owned(),
            is_yes,
            answered,
            past: Rc::clone(past),
            deeds: decision.deeds.clone(),
        };
        Ok((behind, told))
    }
}

impl Review for Behind {
    fn answered(&self) -> BorrowedFd<'_> {
        self.answered.as_fd()
    }

    fn answer(self: Box<Self>) -> Result<Cleared, String> {
        // A yes gives as much again, of which this must leave some.
        if !self.is_yes.get() || !self.past.has_room_for(&self.deeds) {
            return Err(words::used_up(&self.rule));
        }
        let cleared = approve::clear(&Decision::default());
        let cleared = cleared.ok_or_else(|| words::used_up(&self.rule))?;
        self.past.note(&self.deeds, false);
        Ok(cleared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Finding;
    use crate::policy::Limits;

    fn decision(rules: &[&str]) -> Decision {
        let finding = |rule: &&str| {
            let mut finding = Finding {
                rule: (*rule).to_owned(),
                ..Finding::default()
            };
            let is_budget = rule.starts_with("budget.");
            finding.around.before = is_budget.then_some(Before::Destroyed(1));
            finding
        };
        Decision {
            findings: rules.iter().map(finding).collect(),
            ..Decision::default()
        }
    }

    #[test]
    fn one_answer_is_for_all_that_wait_for_it() {
        for is_yes in [true, false] {
            let mut budgets = Budgets::default();
            let past = Rc::new(Past::begun(
                Past::now(),
                Limits {
                    deleted_files: 1,
                    deleted_bytes: 1,
                    overwritten_files: 1,
                    destroyed_resources: 2,
                },
            ));
            let first = decision(&["budget.a"]);
            let other = decision(&["budget.a", "git.b"]);
            assert!(matches!(budgets.stands(&first, 2), Stands::Alone));
            budgets.ask(&first);
            assert!(matches!(budgets.stands(&other, 2), Stands::Alone));
            let Stands::Behind(rule) = budgets.stands(&first, 2) else {
                panic!("it is asked about");
            };
            let destroys = |number: usize| {
                let mut more = first.clone();
                more.deeds = vec![Deed::Destroys(Vec::new()); number];
                more
            };
            let mut waiting = Vec::new();
            for number in [1, 2, 1] {
                let (behind, told) = Behind::of(rule, &destroys(number), &past).unwrap();
                budgets.wait(rule, told);
                waiting.push(behind);
            }
            budgets.answered(&other, Some(!is_yes), 1);
            budgets.answered(&first, Some(is_yes), 1);
            let went = waiting
                .into_iter()
                .map(|one| Box::new(one).answer().is_ok());
            assert_eq!(went.collect::<Vec<bool>>(), [is_yes, false, is_yes]);
            let is_refused = matches!(budgets.stands(&first, 2), Stands::Refused("budget.a"));
            assert_eq!(is_refused, !is_yes);
            // The same may have been approved elsewhere meanwhile.
            assert!(matches!(budgets.stands(&first, 1), Stands::Alone));
            budgets.forget();
            assert!(matches!(budgets.stands(&first, 2), Stands::Alone));
            budgets.ask(&first);
            budgets.answered(&first, None, 1);
            assert!(matches!(budgets.stands(&first, 2), Stands::Alone));
            assert!(matches!(
                budgets.stands(&decision(&["budget.c"]), 2),
                Stands::Alone
            ));
        }
    }
}
