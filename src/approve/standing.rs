//! Whether a person may be asked on the terminal of this process: by who made it (`broker::standing`), by what it
//! is to this process, and by whether a person has registered it where that counts.

use std::fs::File;
use std::path::PathBuf;

use nix::sys::termios::tcgetsid;
use nix::unistd::{getpgrp, getsid, tcgetpgrp};
use serde::{Deserialize, Serialize};

use super::Absence;
use crate::broker::registering::{self, Known};
use crate::broker::{Error, Root, check_this, standing};
use crate::policy::schema::Terminals;
use crate::sys::stat::Stat;

/// Which terminals count, beside what they are to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counts {
    /// As a setting says.
    By(Terminals),
    /// The one of the launcher, which a person has started on it.
    Launcher,
}

impl Default for Counts {
    fn default() -> Self {
        Self::By(Terminals::default())
    }
}

/// Says why nobody can be asked on `terminal`, the controlling terminal of this process.
///
/// # Errors
///
/// The reason.
pub fn check(terminal: &File, counts: Counts) -> Result<(), Absence> {
    let session = getsid(None).map_err(|_| Absence::NotAPersons)?;
    // Another terminal can be mounted over `/dev/tty`; it is not the one that controls the session.
    if tcgetsid(terminal) != Ok(session) {
        return Err(Absence::NotAPersons);
    }
    if !standing::is_a_persons(own()) {
        return Err(Absence::NotAPersons);
    }
    if tcgetpgrp(terminal) != Ok(getpgrp()) {
        return Err(Absence::Background);
    }
    match counts {
        Counts::Launcher => Ok(()),
        Counts::By(terminals) => registered(Root::of(session.as_raw()), terminals),
    }
}

/// Whether the terminal of this session is one that a person has registered, where that counts. A broker that is
/// there and does not tell may know of one.
fn registered(session: Option<Root>, terminals: Terminals) -> Result<(), Absence> {
    let known = match registering::known() {
        Ok(known) => known,
        // From here none is spoken to, whatever it knows.
        Err(Error::Stranger(_)) if check_this().is_err() => Known::default(),
        Err(error) => return Err(Absence::Untold(error.to_string())),
    };
    let is_free = terminals == Terminals::Any && !known.is_required && known.terminals.is_empty();
    let is_one = |one: &registering::Registered| Some(one.leader) == session;
    if is_free || known.terminals.iter().any(is_one) {
        Ok(())
    } else {
        Err(Absence::Unregistered)
    }
}

/// The program that this process is below in which every process of the user can press keys, if it is.
pub fn shared_by() -> Option<String> {
    standing::shared_by(own())
}

/// The controlling terminal of this process as a file that no other terminal shares, unlike `/dev/tty`;
/// none where it has no name that is known.
pub fn device() -> Option<PathBuf> {
    standing::device(Stat::of(own())?.terminal)
}

fn own() -> i32 {
    std::process::id().cast_signed()
}
