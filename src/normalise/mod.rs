//! Script to actions: words are expanded as far as they can be known without running anything,
//! wrappers are looked through, and every command at any depth becomes an [`Action`].
//!
//! Nothing is dropped: what cannot be known is an action that says so. No rule is known here; how
//! programs read their arguments and what they run comes from the packs through [`Grammar`].

mod builtins;
mod call;
mod calls;
mod code;
mod embedded;
mod expression;
mod names;
mod output;
mod runs;
mod scope;
mod sql;
mod walk;
mod words;

pub use call::base_name;
pub use code::LONGEST_FILE;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use crate::action::{Action, Value};
use crate::policy::paths::{self, Place};
use crate::policy::schema::{Program, Variable};
use crate::probe::{Blind, Probe};
use crate::syntax::{Dialect, Reading};

/// What the packs know about programs and variables.
pub trait Grammar {
    /// How the program of this base name reads its arguments.
    fn program(&self, name: &str) -> Option<Rc<Program>>;
    /// What is known about an environment variable.
    fn variable(&self, name: &str) -> Option<Rc<Variable>>;
    /// Whether a file is part of the system.
    fn is_of_the_system(&self, path: &Path, place: &Place) -> bool;
}

/// Where and how a line would run.
pub struct Context<'a> {
    /// The directories.
    pub place: Place,
    /// Looks a variable up in the environment; none where it is not set.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Whether `environment` knows every variable, so that a missing one is unset.
    pub whole_environment: bool,
    /// `$1`, `$2`…; none where they are not known.
    pub positional: Option<Vec<Value>>,
    /// The language of the line.
    pub dialect: Dialect,
    /// What is known about standard input.
    pub input: Option<Value>,
    /// Variables that were set and exported right before, as by assignments in front of the line. Their
    /// own code is not read here.
    pub set: Vec<(String, Value)>,
    /// Tells what would be lost.
    pub probe: &'a dyn Probe,
    /// How much of the text has happened already, in bytes.
    pub done: usize,
}

impl Context<'_> {
    /// The context of text that is judged without a machine.
    #[must_use]
    pub fn text_only() -> Self {
        Context {
            place: Place::text_only(),
            environment: &|_| None,
            whole_environment: false,
            positional: None,
            dialect: Dialect::Bash,
            input: None,
            set: Vec::new(),
            probe: &Blind,
            done: 0,
        }
    }
}

/// The actions of a line that was read, in the order in which they stand.
#[must_use]
pub fn actions(reading: &Reading, context: &Context<'_>, grammar: &dyn Grammar) -> Vec<Action> {
    walk::Walker::new(context, grammar).run(reading)
}

/// What a program that is executed has on its standard input.
#[derive(Clone, Debug)]
pub enum Input {
    /// Nothing that is looked at.
    None,
    /// A file of this name.
    File(Value),
    /// This text.
    Text(Value),
}

/// The actions of one program that is executed with exactly these words, and these variables set for it.
#[must_use]
pub fn exec(
    words: Vec<Value>,
    environment: BTreeMap<String, Value>,
    context: &Context<'_>,
    grammar: &dyn Grammar,
    input: Input,
) -> Vec<Action> {
    walk::Walker::new(context, grammar).exec(words, environment, input)
}

impl Grammar for crate::policy::Policy {
    fn program(&self, name: &str) -> Option<Rc<Program>> {
        Self::program(self, name)
    }

    fn variable(&self, name: &str) -> Option<Rc<Variable>> {
        Self::variable(self, name)
    }

    fn is_of_the_system(&self, path: &Path, place: &Place) -> bool {
        let path = paths::normal(&Value::known(path.to_string_lossy()), None);
        paths::is_in(&path, paths::SYSTEM, self, place)
    }
}
