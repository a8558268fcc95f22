//! What would happen: the one thing that policies speak about.
//!
//! `normalise` makes actions from a script; `policy` matches them; `decide` weighs them. An action
//! never knows a rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::policy::schema::Language;
use crate::syntax::Span;

/// Stands in a [`Value`] for a part that is not known before it runs.
pub const HOLE: char = '\u{FFFC}';

/// A word after expansion, as far as it can be known without running anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The text, with [`HOLE`] for each unknown part.
    pub text: String,
    /// Whether it holds an unquoted `*`, `?` or `[…]` that names files.
    pub glob: bool,
    /// Whether it may become several words or none (an unquoted hole, `"$@"`).
    pub splits: bool,
    /// Whether the files that it names were found before, and a variable stands for one of them (`for x in *`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

impl Value {
    /// A wholly known word.
    #[must_use]
    pub fn known(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            glob: false,
            splits: false,
            found: false,
        }
    }

    /// A word of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            text: HOLE.to_string(),
            glob: false,
            splits: true,
            found: false,
        }
    }

    /// Whether every part is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.text.contains(HOLE) && !self.splits
    }
}

/// What is done to the file that a redirection names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileUse {
    /// Read only.
    Read,
    /// Cut to nothing, then written.
    Write,
    /// Written at its end.
    Append,
}

/// A redirection to or from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirection {
    /// What is done.
    pub usage: FileUse,
    /// The file.
    pub file: Value,
}

/// Text in another language that the program would execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its language, as the packs say.
    pub language: Language,
    /// The text, with [`HOLE`] for unknown parts.
    pub text: String,
    /// Whether the words of the program show it, or nothing does.
    pub shown: Shown,
}

/// Why an action is not wholly known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opacity {
    /// Everything that decides what it does is known.
    Known,
    /// The program is known, an argument is not.
    Operand,
    /// Commands, code or a script that it would run are not known.
    Code,
    /// The program itself is not known.
    Program,
    /// Text of the line was not understood, or bash could read it differently.
    Text,
}

/// What of an action is seen where every start of a program is watched (the exec gate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// It is the start of a program, or the doing of a shell whose programs are seen.
    #[default]
    Start,
    /// It stands in the words of a program that starts; another host, a server or the program itself
    /// does it.
    Words,
    /// Nothing: it stands in text that such a program reads from its standard input or from a file.
    Never,
}

/// What code in a file that was there before the line has to do with an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    #[default]
    Nothing,
    /// The program runs the code, which was read.
    Runs,
    /// It stands in such code.
    Stands,
    /// It stands in shell text that the shell of the line itself reads there (`source FILE`).
    Sourced,
    /// It stands in text that goes from there to another host or container (`ssh host <FILE`).
    Sent,
}

impl OnDisk {
    /// Whether it follows from a file that nobody reads again when a program starts.
    #[must_use]
    pub const fn is_read_once(self) -> bool {
        matches!(self, Self::Sourced | Self::Sent)
    }
}

/// One thing that would happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The base name of the program (`rm`), empty for a line of redirections or assignments only.
    pub program: String,
    /// The program as it was named (`/bin/rm`).
    pub path: Value,
    /// The arguments after the program.
    pub arguments: Vec<Value>,
    /// Variables set for it: the prefix assignments and what the line exported before.
    pub environment: BTreeMap<String, Value>,
    /// Redirections to and from files.
    pub redirections: Vec<Redirection>,
    /// Code that it would execute, by language; shell text is not here, it becomes actions.
    pub payloads: Vec<Payload>,
    /// Standard input, where it is a literal text (here-document, here-string, `echo … |`).
    pub input: Option<Value>,
    /// The program whose output is piped into this one, and its text where it is known.
    pub fed_by: Vec<String>,
    /// The programs that were looked through to get here, outermost first (`sudo`, `xargs`).
    pub via: Vec<String>,
    /// Whether it runs on another host or in a container, so that paths are not of this machine.
    pub elsewhere: bool,
    /// The working directory; none where it is not known.
    pub cwd: Option<String>,
    /// The directory in which it is started, before an option of its own names another one.
    pub started_in: Option<String>,
    /// Where it stands in the outermost text.
    pub origin: Span,
    /// How much of it is known.
    pub opacity: Opacity,
    /// What of it is seen where every start of a program is watched.
    pub shown: Shown,
    /// What of the code is seen then, where `opacity` says that it is not known yet. `Never` too for code
    /// that a program runs itself (`python -c`), because no start follows from it.
    pub code: Shown,
    /// What a file on disk, as it is now, has to do with it.
    pub on_disk: OnDisk,
    /// A shell calls it, so that the name of a builtin is the builtin.
    pub by_shell: bool,
    /// Why it is not wholly known, for a person.
    pub unknown: Option<String>,
    /// Its place in the line: actions of one line are judged in this order.
    pub index: usize,
}
