//! One program that is about to start, by its real words: what the policy says of it.
//!
//! Takes what execve(2) was given and by which names the file is known, and looks at the process through
//! its view. A shell is judged as the line gate judges it; any other program through the packs, as in a
//! line. It knows nothing of how the exec was seen, and stops nothing.

mod judged;

mod judging;

mod looking;

mod own;

mod words;

use std::cell::{Cell, OnceCell};
use std::ffi::CString;
use std::path::PathBuf;

use super::base::Base;
use crate::decide::Decision;
use crate::invocation::{self, View};
use crate::policy::Policy;
use crate::probe::Machine;
use crate::surroundings::{self, Surroundings};

pub use judged::{ExecJudgement, Told};

use judging::Judging;
use looking::Looking;
use words::Words;

/// What an exec asks for.
#[derive(Debug)]
pub struct Exec {
    /// The path, as execve(2) was given it.
    pub path: Vec<u8>,
    /// Further base names that the program is known by, the one of the program itself last.
    pub names: Vec<String>,
    /// The argument vector, argv0 first.
    pub argv: Vec<CString>,
    /// The process, with the environment that the program would have.
    pub view: View,
    /// For a `#!` file: what reads it, what reads that where it is a `#!` file, too, and so on.
    pub interpreters: Vec<Interpreter>,
    /// Whether the file is this very program.
    pub is_kibosh: bool,
}

/// What the first line of a `#!` file names.
#[derive(Debug)]
pub struct Interpreter {
    /// Its path.
    pub path: Vec<u8>,
    /// The rest of the line.
    pub argument: Option<Vec<u8>>,
    /// As [`Exec::names`].
    pub names: Vec<String>,
}

/// Who calls an exec. It is looked at only as far as something depends on it.
pub trait Caller {
    /// The environment that its own program was started with, entry by entry.
    fn environment(&self) -> Vec<Vec<u8>>;

    /// Its program, then those of the processes above it, as far up as they are guarded.
    fn chain(&self) -> Box<dyn Iterator<Item = Running> + '_>;
}

/// One of whom nothing is known: nothing is left out for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Caller for Nobody {
    fn environment(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn chain(&self) -> Box<dyn Iterator<Item = Running> + '_> {
        Box::new(std::iter::empty())
    }
}

/// A program that runs.
#[derive(Debug, Default)]
pub struct Running {
    /// Its file, after links.
    pub program: PathBuf,
    /// Its words.
    pub words: Vec<String>,
}

/// Judges an exec of a session.
#[must_use]
pub fn exec(policy: &Policy, base: &Base, exec: &Exec, caller: &dyn Caller) -> ExecJudgement {
    let words = Words {
        path: &exec.path,
        names: &exec.names,
        argv: &exec.argv,
        reads_script: false,
    };
    let set = base.changed(&exec.view);
    let lookup = |name: &str| surroundings::lookup(&exec.view, name);
    let own = OnceCell::new();
    let is_own = || *own.get_or_init(|| own::is_own(policy, base.place(), caller, &words));
    let looking = Looking {
        probe: &Machine::of(&exec.view),
        budget: base.looks(),
        is_moot: &is_own,
        has_looked: Cell::new(false),
    };
    let judging = Judging {
        policy,
        view: &exec.view,
        surroundings: Surroundings::within(&exec.view, &lookup, base.place(), &looking),
        set: &set,
        past: base.past(),
    };
    let mut judged = ExecJudgement {
        decision: Decision::default(),
        text: words.line(),
        start: 0,
        told: Told::Program(words.name().into_owned()),
        given: Vec::new(),
        is_for_caller: false,
        depends_on_files: false,
    };
    if exec.is_kibosh {
        // As a shell it becomes the real one, whose exec is judged. The verbs have rules of their own.
        if let Some((given, command)) = invocation::typed(&exec.argv) {
            judging.typed(given, command, &mut judged);
        } else if invocation::is_verb(&exec.argv) {
            judging.program("kibosh", &words, &mut judged);
        }
    } else {
        judging.words(&words, &mut judged);
    }
    let (mut path, mut argv) = (exec.path.as_slice(), exec.argv.clone());
    for interpreter in &exec.interpreters {
        argv = interpreter.argv(path, &argv);
        path = &interpreter.path;
        let words = Words {
            path: &interpreter.path,
            names: &interpreter.names,
            argv: &argv,
            reads_script: true,
        };
        judging.words(&words, &mut judged);
    }
    if !judged.decision.findings.is_empty() {
        judging.leave_out_inherited(caller, &mut judged);
        judged.settle();
    }
    if !judged.decision.findings.is_empty() && is_own() {
        judged.leave_out_questions();
    }
    judged.depends_on_files |= looking.has_looked.get();
    judged
}

impl Interpreter {
    /// The argument vector that the kernel makes of that of a script: interpreter, argument, the script's
    /// path, and the words after argv0.
    fn argv(&self, script: &[u8], argv: &[CString]) -> Vec<CString> {
        let own = [
            Some(self.path.as_slice()),
            self.argument.as_deref(),
            Some(script),
        ];
        // None of these can hold a NUL: they come from a path or a line of the kernel's.
        let own = own
            .into_iter()
            .flatten()
            .filter_map(|word| CString::new(word).ok());
        own.chain(argv.iter().skip(1).cloned()).collect()
    }
}
