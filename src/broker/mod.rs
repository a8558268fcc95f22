//! Requests that wait for a person at another terminal of the same user, and what was said to them.
//!
//! Who asks takes an [`Asked`] to a daemon of the user's, which keeps it in memory until a reviewer says yes
//! or no. The daemon is this program again, started by who asks and gone when it has nothing to keep. Both
//! ends look at each other (`peer`): no process below a guarded session is spoken to. It also knows which terminals
//! a person has registered as theirs.
//!
//! Nothing here makes anything allowed to run: an answer is only told, and `approve` decides what it means.
//! Nothing here words a message.

pub mod asking;
mod book;
mod connection;
mod folder;
mod line;
mod message;
mod peer;
mod place;
pub mod registering;
mod registry;
pub mod reviewing;
mod serve;
mod several;
mod shared;
pub mod standing;

pub use message::{
    Asked, Granted, Listed, Reviewer, Root, Scope, Shown, call, environment, lasting,
};
pub use peer::{Stranger, check_this};
pub use serve::serve;

use std::fmt;
use std::io;

use crate::policy::schema::{Settings, Terminals};

/// Whether the directory that reviewers of several users share can be used, where one is set.
///
/// # Errors
///
/// Why not.
pub fn check_directory(settings: &Settings) -> Result<(), Error> {
    shared::Shared::of(settings).map(drop)
}

/// Which terminals count, by the settings that no project makes. Where they cannot be read, the fewest.
#[must_use]
pub fn terminals() -> Terminals {
    shared::settings().map_or(Terminals::Registered, |settings| {
        settings.terminals.unwrap_or_default()
    })
}

/// Why there is no way to a broker.
#[derive(Debug)]
pub enum Error {
    /// There is no private directory for its socket, or nothing can be made there.
    Place(io::Error),
    /// The policy cannot be read, so that nobody knows who may answer.
    Settings,
    /// None runs.
    Nobody,
    /// None could be started.
    Start,
    /// This process, or the one at the other end, is none that may take part.
    Stranger(Stranger),
    /// It does not speak with this process; why.
    Unwelcome(Stranger),
    /// It did not answer as it should, or too late.
    Broken,
    /// The request is larger than a broker takes.
    TooLarge,
}

impl Error {
    /// Whether there is a broker of another version of kibosh, as one is that was started before kibosh was replaced.
    #[must_use]
    pub fn is_another_version(&self) -> bool {
        matches!(
            self,
            Self::Stranger(Stranger::Program) | Self::Unwelcome(Stranger::Program)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => write!(out, "there is no private place for its socket ({error})"),
            Self::Settings => write!(out, "the policy cannot be read"),
            Self::Nobody => write!(out, "none runs"),
            Self::Start => write!(out, "it could not be started"),
            Self::Stranger(stranger) => write!(out, "{stranger}"),
            Self::Unwelcome(why) => write!(out, "it does not speak with this process: {why}"),
            Self::Broken => write!(out, "it did not answer"),
            Self::TooLarge => write!(out, "the request is too long for it"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Stranger> for Error {
    fn from(stranger: Stranger) -> Self {
        Self::Stranger(stranger)
    }
}
