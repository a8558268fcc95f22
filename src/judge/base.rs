//! What a session began with: the environment and the directories that everything in it is compared with.
//!
//! Made once, from the first process. What a program sets for the next is what differs from it; the home
//! directory and the workspace stay those of the session, whatever a program says of itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::action::{HOLE, Value};
use crate::decide::past::Past;
use crate::invocation::View;
use crate::policy::Limits;
use crate::policy::paths::Place;
use crate::probe::{Blind, Budget};
use crate::surroundings::{self, Surroundings};
use crate::sys::birth::Moment;

/// What a session began with.
#[derive(Clone, Debug)]
pub struct Base {
    environment: Vec<Vec<u8>>,
    place: Place,
    looks: Budget,
    past: Rc<Past>,
}

impl Base {
    /// That of the session which this process begins, and what it may do with nobody asked.
    #[must_use]
    pub fn of(view: &View, limits: Limits) -> Self {
        Self::begun(Past::now(), view, limits)
    }

    /// The same of a session that has begun then.
    #[must_use]
    pub fn begun(since: Moment, view: &View, limits: Limits) -> Self {
        Self {
            environment: view.entries().map(<[u8]>::to_vec).collect(),
            place: Surroundings::of(view, &|_| None, &Blind).place(),
            looks: Budget::default(),
            past: Rc::new(Past::begun(since, limits)),
        }
    }

    /// How long looks at the machine have taken in the session.
    #[must_use]
    pub fn looks(&self) -> &Budget {
        &self.looks
    }

    /// What the session has done.
    #[must_use]
    pub fn past(&self) -> &Rc<Past> {
        &self.past
    }

    /// The directories of the session.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The variables of a process that the session did not begin with, new or changed, but for those that
    /// each shell sets itself. One that stands there twice may be either.
    #[must_use]
    pub fn changed(&self, view: &View) -> BTreeMap<String, Value> {
        let mut changed: BTreeMap<String, Value> = BTreeMap::new();
        for (position, entry) in view.entries().enumerate() {
            // Mostly the same entry stands at the same place.
            let same = |known: &Vec<u8>| known.as_slice() == entry;
            if self.environment.get(position).is_some_and(same) || self.environment.iter().any(same)
            {
                continue;
            }
            let mut parts = entry.splitn(2, |&byte| byte == b'=');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                continue;
            };
            let name = with_holes(name);
            if surroundings::is_spent_by_exec(&name) {
                continue;
            }
            let value = Value::known(with_holes(value));
            changed
                .entry(name.into_owned())
                .and_modify(|known| *known = Value::known(HOLE))
                .or_insert(value);
        }
        changed
    }
}

impl Base {
    /// Of variables that a process has, those that stand in other entries, too, with the same value.
    #[must_use]
    pub fn also_in(set: &BTreeMap<String, Value>, entries: &[Vec<u8>]) -> BTreeMap<String, Value> {
        let mut inherited = BTreeMap::new();
        for entry in entries {
            let mut parts = entry.splitn(2, |&byte| byte == b'=');
            if let (Some(name), Some(value)) = (parts.next(), parts.next())
                && let Some(known) = set.get(with_holes(name).as_ref())
                && known.text == with_holes(value)
            {
                inherited.insert(with_holes(name).into_owned(), known.clone());
            }
        }
        inherited
    }
}

/// Bytes as text, with a hole for each part that is none.
pub(super) fn with_holes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(HOLE);
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use std::path::PathBuf;

    fn view(entries: &[&str]) -> View {
        let entries = entries.iter().map(|entry| entry.as_bytes().to_vec());
        View::of(PathBuf::new(), entries.collect(), None)
    }

    #[test]
    fn only_what_a_program_set_is_changed() {
        let base = Base::of(
            &view(&["A=1", "B=2", "C=3", "_=/bin/x"]),
            Policy::shipped().limits(),
        );
        let changed = |entries: &[&str]| -> Vec<(String, String)> {
            let changed = base.changed(&view(entries)).into_iter();
            changed.map(|(name, value)| (name, value.text)).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(changed(&["A=1", "B=2", "C=3"]), []);
        assert_eq!(changed(&["C=3", "_=/bin/y", "SHLVL=2", "PWD=/"]), []);
        assert_eq!(
            changed(&["A=1", "B=9", "D="]),
            [pair("B", "9"), pair("D", "")]
        );
        assert_eq!(changed(&["A=1", "A=2"]), [pair("A", "2")]);
        assert_eq!(changed(&["D=1", "D=2"]), [pair("D", "\u{FFFC}")]);
        assert_eq!(changed(&["no assignment"]), []);
    }
}
