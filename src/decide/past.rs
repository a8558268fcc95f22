//! What a session has done so far, with nobody asked, and what it has destroyed.
//!
//! Takes what actions do ([`Deed`]), says whether more of it is within the budgets of the policy, and whether a
//! resource is one that was destroyed before. It is bounded, and ends with the session
//! (docs/decisions/0010-loss.md).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::action::Value;
use crate::policy::paths::{self, PathText, Place};
use crate::policy::schema::Session;
use crate::policy::{Limits, Policy};
use crate::probe;
use crate::probe::toll::{Count, Places};
use crate::sys::birth::Moment;

/// The class of the policy with what a build has for itself, and makes anew.
const REBUILT: &str = "rebuilt";

/// How many destroyed resources are kept; the oldest goes.
const MOST: usize = 256;

/// What an action does that counts for the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// It takes files.
    Takes {
        /// Which.
        places: Places,
        /// How many.
        count: Count,
    },
    /// It destroys resources; those that are told apart by name.
    Destroys(Vec<Key>),
    /// It creates these anew.
    Creates(Vec<Key>),
}

/// What tells a resource from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub scope: Vec<String>,
}

/// What the session has done before, as far as a finding is about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Before {
    /// It has deleted files without anybody being asked.
    Deleted {
        /// How many.
        files: u64,
        /// Their size.
        bytes: u64,
    },
    /// It has written over so many.
    Overwritten(u64),
    /// It has destroyed so many resources.
    Destroyed(u64),
    /// It has destroyed what is created now.
    Again {
        /// What that is.
        kind: String,
        /// What it is called.
        name: String,
        /// How long ago.
        seconds: u64,
    },
}

/// How much was done of what has budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    deleted: Count,
    overwritten: Count,
    destroyed: u64,
}

impl Spent {
    fn add(&mut self, deed: &Deed) {
        match deed {
            Deed::Takes { places, count } if places.are_written_over() => {
                self.overwritten.add(*count);
            }
            Deed::Takes { count, .. } => self.deleted.add(*count),
            Deed::Destroys(keys) => {
                // One of which the name is not known is one, too.
                let number = u64::try_from(keys.len().max(1)).unwrap_or(u64::MAX);
                self.destroyed = self.destroyed.saturating_add(number);
            }
            Deed::Creates(_) => {}
        }
    }

    fn all(mut self, deeds: &[Deed]) -> Self {
        deeds.iter().for_each(|deed| self.add(deed));
        self
    }

    /// Whether it is more than may be of a kind.
    fn is_beyond(&self, limits: &Limits, kind: Session) -> bool {
        match kind {
            Session::Deleted => {
                self.deleted.files > limits.deleted_files
                    || self.deleted.bytes > limits.deleted_bytes
            }
            Session::Overwritten => self.overwritten.files > limits.overwritten_files,
            Session::Destroyed => self.destroyed > limits.destroyed_resources,
            Session::Recreated => false,
        }
    }
}

/// A resource that was destroyed.
#[derive(Debug)]
struct Destroyed {
    key: Key,
    at: Instant,
    /// Whether a person has said yes to creating it anew.
    is_answered: bool,
}

/// What one session has done.
#[derive(Debug)]
pub struct Past {
    since: Moment,
    limits: Limits,
    done: RefCell<Done>,
}

#[derive(Debug, Default)]
struct Done {
    spent: Spent,
    destroyed: VecDeque<Destroyed>,
}

impl Past {
    /// When a session begins that begins now. Without a clock, everything was there before.
    #[must_use]
    pub fn now() -> Moment {
        Moment::now().unwrap_or(Moment::NEVER)
    }

    /// That of a session which has begun then.
    #[must_use]
    pub fn begun(since: Moment, limits: Limits) -> Self {
        Self {
            since,
            limits,
            done: RefCell::default(),
        }
    }

    /// How much there is of these places that the session did not make itself, and that is a loss by the policy.
    #[must_use]
    pub fn count(&self, places: &Places, policy: &Policy, place: &Place) -> Count {
        let is_in = |path: &PathText, class: &str| paths::is_in(path, class, policy, place);
        places.count(self.since, &|path| {
            probe::is_kept(path, &is_in) || {
                let path = path.to_str().unwrap_or_default();
                is_in(&paths::normal(&Value::known(path), None), REBUILT)
            }
        })
    }

    /// Whether deeds together with what was done before are more than may be.
    #[must_use]
    pub fn is_crossed_by(&self, deeds: &[Deed], kind: Session) -> bool {
        let spent = self.done.borrow().spent.all(deeds);
        spent.is_beyond(&self.limits, kind) && spent != self.done.borrow().spent
    }

    /// Whether deeds are within all budgets.
    #[must_use]
    pub fn has_room_for(&self, deeds: &[Deed]) -> bool {
        let kinds = [Session::Deleted, Session::Overwritten, Session::Destroyed];
        !kinds.iter().any(|kind| self.is_crossed_by(deeds, *kind))
    }

    /// What was done so far of what has a budget.
    #[must_use]
    pub fn so_far(&self, kind: Session) -> Option<Before> {
        let spent = self.done.borrow().spent;
        match kind {
            Session::Deleted => Some(Before::Deleted {
                files: spent.deleted.files,
                bytes: spent.deleted.bytes,
            }),
            Session::Overwritten => Some(Before::Overwritten(spent.overwritten.files)),
            Session::Destroyed => Some(Before::Destroyed(spent.destroyed)),
            Session::Recreated => None,
        }
    }

    /// When a resource was destroyed that nobody has said yes to create anew.
    #[must_use]
    pub fn destroyed(&self, key: &Key) -> Option<Before> {
        let done = self.done.borrow();
        let mut open = done.destroyed.iter().filter(|one| !one.is_answered);
        open.find(|one| one.key == *key).map(|one| Before::Again {
            kind: key.kind.clone(),
            name: key.name.clone(),
            seconds: one.at.elapsed().as_secs(),
        })
    }

    /// Notes what is done; what a person was asked about uses up no budget.
    pub fn note(&self, deeds: &[Deed], is_asked: bool) {
        if deeds.is_empty() {
            return;
        }
        let mut done = self.done.borrow_mut();
        for deed in deeds {
            let Deed::Destroys(keys) = deed else {
                if !is_asked {
                    done.spent.add(deed);
                }
                continue;
            };
            if !is_asked {
                // `env dropdb x` speaks of it twice: when `env` starts, and `dropdb`.
                let is_new = |key: &&Key| !done.destroyed.iter().any(|known| known.key == **key);
                let fresh: Vec<Key> = keys.iter().filter(is_new).cloned().collect();
                if keys.is_empty() || !fresh.is_empty() {
                    done.spent.add(&Deed::Destroys(fresh));
                }
            }
            for key in keys {
                let known = done.destroyed.iter_mut().find(|one| one.key == *key);
                if let Some(known) = known {
                    known.at = Instant::now();
                    continue;
                }
                if done.destroyed.len() >= MOST {
                    done.destroyed.pop_front();
                }
                done.destroyed.push_back(Destroyed {
                    key: key.clone(),
                    at: Instant::now(),
                    is_answered: false,
                });
            }
        }
    }

    /// Takes a yes: as much again may be done of what was asked about, and what was named is not asked about again.
    pub fn renew(&self, before: &Before, deeds: &[Deed]) {
        let mut done = self.done.borrow_mut();
        match before {
            Before::Deleted { .. } => done.spent.deleted = Count::default(),
            Before::Overwritten(_) => done.spent.overwritten = Count::default(),
            Before::Destroyed(_) => done.spent.destroyed = 0,
            Before::Again { .. } => {
                let created = deeds.iter().filter_map(|deed| match deed {
                    Deed::Creates(keys) => Some(keys),
                    Deed::Takes { .. } | Deed::Destroys(_) => None,
                });
                for key in created.flatten() {
                    let mut of_it = done.destroyed.iter_mut();
                    if let Some(known) = of_it.find(|one| one.key == *key) {
                        known.is_answered = true;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past() -> Past {
        Past::begun(
            Past::now(),
            Limits {
                deleted_files: 3,
                deleted_bytes: 100,
                overwritten_files: 3,
                destroyed_resources: 2,
            },
        )
    }

    fn key(name: &str) -> Key {
        Key {
            kind: "database".to_owned(),
            name: name.to_owned(),
            scope: Vec::new(),
        }
    }

    #[test]
    fn what_is_destroyed_uses_up_a_budget_and_a_yes_gives_as_much_again() {
        let past = past();
        let one = [Deed::Destroys(vec![key("a")])];
        let two = [Deed::Destroys(vec![key("b"), key("c")])];
        assert!(past.has_room_for(&one) && past.has_room_for(&two));
        past.note(&one, false);
        assert!(past.has_room_for(&one) && !past.has_room_for(&two));
        // The same is the same, whoever speaks of it.
        past.note(&one, false);
        assert!(past.has_room_for(&one));
        // One without a name is one.
        past.note(&[Deed::Destroys(Vec::new())], false);
        assert!(past.is_crossed_by(&one, Session::Destroyed));
        assert!(!past.is_crossed_by(&one, Session::Deleted));
        assert!(past.has_room_for(&[]));
        let so_far = past.so_far(Session::Destroyed).unwrap();
        assert_eq!(so_far, Before::Destroyed(2));
        past.renew(&so_far, &one);
        past.note(&one, true);
        assert!(past.has_room_for(&two));
    }

    #[test]
    fn what_was_destroyed_is_told_until_a_yes() {
        let past = past();
        assert_eq!(past.destroyed(&key("a")), None);
        past.note(&[Deed::Destroys(vec![key("a")])], true);
        let before = past.destroyed(&key("a")).unwrap();
        assert!(matches!(&before, Before::Again { name, .. } if name == "a"));
        assert_eq!(past.destroyed(&key("b")), None);
        past.renew(&before, &[Deed::Creates(vec![key("a")])]);
        assert_eq!(past.destroyed(&key("a")), None);
        // Once for each: made and destroyed again, it is not asked about again.
        past.note(&[Deed::Destroys(vec![key("a")])], false);
        assert_eq!(past.destroyed(&key("a")), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let past = past();
        for number in 0..=MOST {
            past.note(&[Deed::Destroys(vec![key(&number.to_string())])], true);
        }
        assert_eq!(past.destroyed(&key("0")), None);
        assert!(past.destroyed(&key("1")).is_some());
        assert!(past.destroyed(&key(&MOST.to_string())).is_some());
        assert_eq!(past.done.borrow().destroyed.len(), MOST);
    }
}
