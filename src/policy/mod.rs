//! Policies: from TOML files to rules in force, and from an action to what they say about it.

mod store;

pub mod matcher;

pub mod arguments;
pub mod paths;
pub mod preview;
pub mod walk;

pub mod discover;
pub mod trust;

pub mod load;

mod check;
mod shape;

pub mod cases;
pub mod examples;
pub mod lint;
mod reach;

pub mod error;

pub mod compiled;
mod expression;
mod looks;
mod needles;
pub mod sieve;
mod words;

pub mod glob;
pub mod index;
pub mod schema;
mod size;

pub use check::Depth;
pub use store::{BudgetInForce, Candidate, LayerFile, Limits, Policy, RuleRef};

/// Where a rule came from, the most authority last but one: a project's file is the agent's to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The shipped packs.
    Pack,
    /// `/etc/kibosh`.
    System,
    /// The user's `~/.config/kibosh`.
    User,
    /// The project's `.kibosh.toml`.
    Project,
}

impl Layer {
    /// Its name in messages and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
        }
    }
}
