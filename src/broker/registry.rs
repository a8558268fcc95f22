//! The terminals that a person has registered as theirs, each by the process that leads its session.
//!
//! Who registers says nothing but that they want it: session, terminal and standing are what the kernel tells of
//! their process.

use serde::{Deserialize, Serialize};

use super::message::Root;
use super::peer::{self, Stranger};
use super::standing;
use crate::sys::stat::Stat;

/// How many are known at most.
const MOST: usize = 256;

/// A registered terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The process that leads its session.
    pub leader: Root,
    /// Its device number, as proc_pid_stat(5) has it.
    pub terminal: i32,
}

impl Registered {
    /// Whether it is that terminal still: its leader lives and has it.
    #[must_use]
    pub fn holds(&self) -> bool {
        let stat = Stat::of(self.leader.id);
        let has = stat
            .is_some_and(|stat| stat.terminal == self.terminal && stat.session == self.leader.id);
        has && self.leader.is_there()
    }
}

/// What a broker knows of terminals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Those that are registered.
    pub terminals: Vec<Registered>,
    /// Whether a setting lets no others count.
    pub is_required: bool,
    /// Whether somebody watches for requests.
    pub is_watched: bool,
}

/// Why a terminal is not registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unfit {
    /// Who wants it has none.
    NoTerminal,
    /// It was made by a program, as far as can be told.
    NotAPersons,
    /// It is one of a program's in which every process of the user can press keys; which.
    Shared(String),
    /// The process that leads its session may not take part.
    Leader(String),
    /// There are too many.
    TooMany,
}

/// What is registered.
#[derive(Debug, Default)]
pub struct Registry(Vec<Registered>);

impl Registry {
    /// Adds the terminal of a process that may take part.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn add(&mut self, process: i32) -> Result<(), Unfit> {
        self.turn();
        let found = fit(process)?;
        if self.0.contains(&found) {
            return Ok(());
        }
        if self.0.len() >= MOST {
            return Err(Unfit::TooMany);
        }
        self.0.push(found);
        Ok(())
    }

    /// Takes the terminal of a process out again.
    pub fn remove(&mut self, process: i32) {
        let session = Stat::of(process).map(|stat| stat.session);
        self.0.retain(|one| Some(one.leader.id) != session);
    }

    /// Forgets those whose leader has ended.
    pub fn turn(&mut self) {
        self.0.retain(Registered::holds);
    }

    /// What holds still.
    pub fn list(&mut self) -> Vec<Registered> {
        self.turn();
        self.0.clone()
    }

    /// With these.
    #[cfg(test)]
    pub fn of(known: &[Registered]) -> Self {
        Self(known.to_vec())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The terminal of a process, if it may be registered.
fn fit(process: i32) -> Result<Registered, Unfit> {
    let stat = Stat::of(process).ok_or(Unfit::NoTerminal)?;
    if stat.terminal == 0 {
        return Err(Unfit::NoTerminal);
    }
    let leader = Root::of(stat.session).ok_or(Unfit::NotAPersons)?;
    let found = Registered {
        leader,
        terminal: stat.terminal,
    };
    if !standing::is_a_persons(process) || !found.holds() {
        return Err(Unfit::NotAPersons);
    }
    if let Some(program) = standing::shared_by(process) {
        return Err(Unfit::Shared(program));
    }
    let told = |stranger: Stranger| Unfit::Leader(stranger.to_string());
    peer::check_process(leader.id).map_err(told)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_such_terminal_or_is_another_process_by_now_is_forgotten() {
        let own = Root::of(std::process::id().cast_signed()).unwrap();
        let stat = Stat::of(own.id).unwrap();
        let mut registry = Registry::of(&[
            Registered {
                leader: own,
                // A number that no terminal has.
                terminal: -1,
            },
            Registered {
                leader: Root {
                    began: own.began + 1,
                    ..own
                },
                terminal: stat.terminal,
            },
        ]);
        assert!(!registry.is_empty());
        assert_eq!(registry.list(), []);
        assert!(registry.is_empty());
    }
}
