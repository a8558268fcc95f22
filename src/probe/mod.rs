//! What would be lost: a look at the machine, where a rule asks what is at stake.
//!
//! Takes one action that a rule matched and what that rule says is at stake; gives what would be lost, that
//! nothing would, or that this is not known. It only reads, for a bounded time, and runs nothing of what it
//! looks at (docs/decisions/0010-loss.md). It knows no rule and words no message.

mod archive;
mod ask;
mod budget;
mod contain;
mod discovery;
mod files;
mod git;
mod index;
mod kept;
mod machine;
pub mod mounts;
mod plan;
mod postgres;
mod program;
mod push;
mod refs;
mod rows;
mod script;
mod sqlite;
mod state;
mod terraform;
pub mod toll;
mod tracked;
mod untracked;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::policy::matcher::Facts;
use crate::policy::schema::Loses;

pub use budget::Budget;
pub use kept::is_kept;
pub use machine::Machine;

use toll::Places;

/// What a look at the machine has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// It cannot be told.
    #[default]
    Unknown,
    /// Nothing would be lost, surely.
    Nothing,
    /// This would be.
    Lost(Box<Loss>),
}

/// What would be gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Whether files are deleted; else only what was changed in them goes.
    pub deletes: bool,
    /// Whether files are written over.
    #[serde(default)]
    pub overwrites: bool,
    /// How many files go, with those that can be had back.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Of these, those that were changed since the last commit.
    pub modified: u64,
    /// Those that git has never stored.
    pub untracked: u64,
    /// Those that git was told to ignore.
    pub ignored: u64,
    /// Those that are in no repository.
    pub outside: u64,
    /// Repositories that are deleted with all their history.
    pub repositories: u64,
    /// Commits that nothing else names.
    pub commits: u64,
    /// What was put aside by git-stash(1).
    pub stashes: u64,
    /// Resources of terraform's that are destroyed.
    pub destroyed: u64,
    /// Those that are destroyed and made anew.
    pub replaced: u64,
    /// Those that are not destroyed, but are in no state any more.
    pub forgotten: u64,
    /// Some of these resources, those that are replaced first.
    pub resources: Vec<Resource>,
    /// Hashes of what says which resources these are: others are another loss.
    pub of: Vec<String>,
    /// Tables with rows that are dropped.
    pub tables: u64,
    /// Their rows.
    pub dropped_rows: u64,
    /// Rows that are deleted.
    pub deleted_rows: u64,
    /// Rows that are changed.
    pub changed_rows: u64,
    /// Some of the tables whose rows these are.
    #[serde(default)]
    pub of_tables: Vec<String>,
    /// Databases with tables that are dropped.
    #[serde(default)]
    pub databases: u64,
    /// Their tables.
    #[serde(default)]
    pub database_tables: u64,
    /// Whether not all of it was looked at, so that it may be more.
    pub at_least: bool,
}

/// A resource of terraform's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Resource {
    /// What happens to it.
    pub fate: Fate,
    /// Its address, as the configuration has it.
    pub address: String,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fate {
    /// It is destroyed and made anew.
    Replaced,
    /// It is destroyed.
    Destroyed,
    /// It stays, and nothing knows of it any more.
    Forgotten,
}

/// How many resources are named.
const MOST_NAMED: usize = 5;
/// How many tables are.
const MOST_TABLES: usize = 32;

impl Loss {
    /// That of resources.
    pub(crate) fn of_resources(mut resources: Vec<Resource>) -> Self {
        let count = |fate| resources.iter().filter(|one| one.fate == fate).count() as u64;
        let (destroyed, replaced) = (count(Fate::Destroyed), count(Fate::Replaced));
        let forgotten = count(Fate::Forgotten);
        resources.sort();
        resources.truncate(MOST_NAMED);
        Self {
            destroyed,
            replaced,
            forgotten,
            resources,
            ..Self::default()
        }
    }

    /// What must not be more than a person was shown.
    fn numbers(&self) -> [u64; 15] {
        [
            self.modified,
            self.untracked,
            self.ignored,
            self.outside,
            self.repositories,
            self.commits,
            self.stashes,
            self.destroyed,
            self.replaced,
            self.forgotten,
            self.dropped_rows,
            self.deleted_rows,
            self.changed_rows,
            self.databases,
            self.database_tables,
        ]
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.at_least && self.numbers().iter().all(|&number| number == 0)
    }

    /// Whether this is as much as `other`, or more, in everything.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut pairs = self.numbers().into_iter().zip(other.numbers());
        self.at_least
            || !other.at_least
                && pairs.all(|(own, others)| own >= others)
                && other.of.iter().all(|hash| self.of.contains(hash))
    }

    /// Adds what else would be gone.
    pub fn add(&mut self, more: &Self) {
        let Self {
            deletes,
            overwrites,
            files,
            bytes,
            modified,
            untracked,
            ignored,
            outside,
            repositories,
            commits,
            stashes,
            destroyed,
            replaced,
            forgotten,
            resources,
            of,
            tables,
            dropped_rows,
            deleted_rows,
            changed_rows,
            of_tables,
            databases,
            database_tables,
            at_least,
        } = more;
        self.deletes |= deletes;
        self.overwrites |= overwrites;
        self.files += files;
        self.bytes = self.bytes.saturating_add(*bytes);
        self.modified += modified;
        self.untracked += untracked;
        self.ignored += ignored;
        self.outside += outside;
        self.repositories += repositories;
        self.commits += commits;
        self.stashes += stashes;
        self.destroyed += destroyed;
        self.replaced += replaced;
        self.forgotten += forgotten;
        self.resources.extend_from_slice(resources);
        self.resources.sort();
        self.resources.truncate(MOST_NAMED);
        self.of.extend_from_slice(of);
        self.tables += tables;
        self.dropped_rows += dropped_rows;
        self.deleted_rows += deleted_rows;
        self.changed_rows += changed_rows;
        self.of_tables.extend_from_slice(of_tables);
        self.of_tables.sort();
        self.of_tables.dedup();
        self.of_tables.truncate(MOST_TABLES);
        self.databases += databases;
        self.database_tables += database_tables;
        self.at_least |= at_least;
    }
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// This.
    Bytes(Vec<u8>),
    /// There is none, or it cannot be read, or is too long.
    None,
    /// It did not come in time.
    Late,
}

/// Tells what an action would lose.
pub trait Probe {
    /// What of this is lost by the action. `skip` is the number of positional words that its subcommand has.
    fn look(&self, at: Loses, facts: &Facts<'_>, skip: usize) -> Found;

    /// A variable as the process has it that would start the program; none where it has none.
    fn variable(&self, name: &str) -> Option<String>;

    /// What is in a file.
    fn content(&self, path: &Path) -> Content;

    /// Whether there surely is a directory, links followed.
    fn is_folder(&self, _path: &Path) -> bool {
        false
    }

    /// What an action of a session names that would be lost in this way; none where no session is kept of.
    fn places(&self, _at: Loses, _facts: &Facts<'_>, _skip: usize) -> Option<Places> {
        None
    }

    /// Whether nobody is asked about the action, whatever is found, so that only a denial is worth a look.
    fn is_moot(&self) -> bool {
        false
    }
}

/// Where text is judged without a machine, nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct Blind;

impl Probe for Blind {
    fn look(&self, _at: Loses, _facts: &Facts<'_>, _skip: usize) -> Found {
        Found::Unknown
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn content(&self, _path: &Path) -> Content {
        Content::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_to_a_loss_covers_as_much_and_no_more() {
        let loss = |modified, untracked, at_least| Loss {
            modified,
            untracked,
            at_least,
            ..Loss::default()
        };
        let of = |hash: &str| Loss {
            of: vec![hash.to_owned()],
            destroyed: 1,
            ..Loss::default()
        };
        for (shown, come, expected) in [
            (of("a"), of("a"), true),
            (of("a"), of("b"), false),
            (loss(3, 0, false), of("b"), false),
            (loss(3, 0, false), loss(3, 0, false), true),
            (loss(3, 0, false), loss(2, 0, false), true),
            (loss(3, 0, false), loss(3000, 0, false), false),
            (loss(3, 0, false), loss(0, 1, false), false),
            (loss(3, 0, false), loss(3, 0, true), false),
            (loss(3, 0, true), loss(9, 9, false), true),
        ] {
            assert_eq!(shown.covers(&come), expected, "{shown:?} / {come:?}");
        }
    }

    #[test]
    fn a_loss_is_none_only_where_everything_was_looked_at() {
        assert!(Loss::default().is_none());
        let kept = Loss {
            files: 9,
            bytes: 9,
            deletes: true,
            ..Loss::default()
        };
        assert!(kept.is_none());
        let cut = Loss {
            at_least: true,
            ..Loss::default()
        };
        assert!(!cut.is_none());
    }
}
