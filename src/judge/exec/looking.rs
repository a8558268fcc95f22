//! Looks at the machine for an exec, while the whole tree waits for the one who makes them.
//!
//! Takes a probe, gives one that stops where the time for looks is used up, and says where none is needed.

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use crate::policy::matcher::Facts;
use crate::policy::schema::Loses;
use crate::probe::toll::Places;
use crate::probe::{Budget, Content, Found, Probe};

/// A probe for execs.
pub(super) struct Looking<'a> {
    /// What looks.
    pub probe: &'a dyn Probe,
    /// How long all looks may take.
    pub budget: &'a Budget,
    /// Whether nobody is asked about the exec, whatever is found.
    pub is_moot: &'a dyn Fn() -> bool,
    /// Whether it was asked what is a directory, which another answer may follow from the next time.
    pub has_looked: Cell<bool>,
}

impl Probe for Looking<'_> {
    fn look(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Found {
        let began = Instant::now();
        if !self.budget.is_left(began) {
            return Found::Unknown;
        }
        let found = self.probe.look(at, facts, skip);
        self.budget.spend(began, began.elapsed());
        found
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.probe.variable(name)
    }

    fn places(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Option<Places> {
        self.probe.places(at, facts, skip)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.has_looked.set(true);
        self.probe.is_folder(path)
    }

    fn content(&self, path: &Path) -> Content {
        let began = Instant::now();
        let found = self.probe.content(path);
        if found == Content::Late {
            self.budget.spend(began, began.elapsed());
        }
        found
    }

    fn is_moot(&self) -> bool {
        (self.is_moot)()
    }
}
