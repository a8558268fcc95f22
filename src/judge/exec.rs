//! One program that is about to start, by its real words: what the policy says of it.
//!
//! Takes what execve(2) was given and by which names the file is known, and looks at the process through
//! its view. A shell is judged as the line gate judges it; any other program through the packs, as in a
//! line. It knows nothing of how the exec was seen, and stops nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::CString;

use super::base::{Base, with_holes};
use super::gates::{self, Gates};
use super::shell::Shell;
use crate::action::{Action, HOLE, Value};
use crate::decide::{Decision, Finding};
use crate::invocation::{self, Invocation, Preamble, Source, Text, View};
use crate::normalise;
use crate::policy::Policy;
use crate::policy::glob;
use crate::policy::paths;
use crate::policy::schema::Effect;
use crate::surroundings::{self, Surroundings};
use crate::syntax::{Dialect, Span};

/// The longest script that is read, in bytes. All that it starts is judged when it starts.
const LONGEST_SCRIPT: u64 = 64 << 10;

/// The class of the paths whose scripts are not read: they are part of the system.
const SYSTEM: &str = "system";

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
    /// For a `#!` file: what reads it.
    pub interpreter: Option<Interpreter>,
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

/// An exec, judged.
#[must_use]
#[derive(Debug)]
pub struct Judged {
    /// What the policy says. The origins of its findings are byte ranges in `text`.
    pub decision: Decision,
    /// What was judged: the text of a shell, else the words as a line.
    pub text: String,
    /// Where in `text` the exec's own part begins; before it stands what its shell executes first.
    pub start: usize,
    /// Where the text comes from.
    pub told: Told,
}

/// Where a judged text comes from, for `report` to word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// `-c` of the shell of this name.
    Command(String),
    /// The script of this name.
    Script(String),
    /// A file on standard input of the shell of this name.
    Input(String),
    /// The words of the program of this name.
    Program(String),
}

/// Judges an exec of a session.
pub fn exec(policy: &Policy, base: &Base, exec: &Exec) -> Judged {
    let words = Words {
        path: &exec.path,
        names: &exec.names,
        argv: &exec.argv,
    };
    let set = base.changed(&exec.view);
    let lookup = |name: &str| surroundings::lookup(&exec.view, name);
    let judging = Judging {
        policy,
        view: &exec.view,
        surroundings: Surroundings::within(&exec.view, &lookup, base.place()),
        set: &set,
    };
    let mut judged = Judged {
        decision: Decision::default(),
        text: words.line(),
        start: 0,
        told: Told::Program(words.name().into_owned()),
    };
    if exec.is_kibosh {
        // As a shell it becomes the real one, whose exec is judged. The verbs have rules of their own.
        if invocation::is_verb(&exec.argv) {
            judging.program("kibosh", &words, &mut judged);
        }
    } else {
        judging.words(&words, &mut judged);
    }
    if let Some(interpreter) = &exec.interpreter {
        let argv = interpreter.argv(exec);
        let words = Words {
            path: &interpreter.path,
            names: &interpreter.names,
            argv: &argv,
        };
        judging.words(&words, &mut judged);
    }
    judged
}

impl Interpreter {
    /// The argument vector that the kernel makes: interpreter, argument, path, and the words after argv0.
    fn argv(&self, exec: &Exec) -> Vec<CString> {
        let own = [Some(&self.path), self.argument.as_ref(), Some(&exec.path)];
        // None of these can hold a NUL: they come from a path or a line of the kernel's.
        let own = own
            .into_iter()
            .flatten()
            .filter_map(|word| CString::new(word.as_slice()).ok());
        own.chain(exec.argv.iter().skip(1).cloned()).collect()
    }
}

/// The words with which a program starts, and its names.
struct Words<'e> {
    path: &'e [u8],
    names: &'e [String],
    argv: &'e [CString],
}

impl Words<'_> {
    /// The base name of the path.
    fn name(&self) -> Cow<'_, str> {
        with_holes(base_name(self.path))
    }

    /// The base name that the program is told that it has.
    fn called(&self) -> Cow<'_, str> {
        let called = self.argv.first().map_or(&b""[..], |word| word.to_bytes());
        let called = base_name(called);
        with_holes(called.strip_prefix(b"-").unwrap_or(called))
    }

    /// The words after argv0.
    fn arguments(&self) -> Vec<Value> {
        let words = self.argv.iter().skip(1);
        words
            .map(|word| Value::known(with_holes(word.to_bytes())))
            .collect()
    }

    /// The words as a line for a shell, with the path for argv0.
    fn line(&self) -> String {
        let words =
            std::iter::once(self.path).chain(self.argv.iter().skip(1).map(|word| word.to_bytes()));
        let words: Vec<String> = words
            .map(|word| match shlex::bytes::try_quote(word) {
                Ok(quoted) => String::from_utf8_lossy(&quoted).into_owned(),
                Err(_) => String::from_utf8_lossy(word).into_owned(),
            })
            .collect();
        words.join(" ")
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// What one exec is judged with.
struct Judging<'a> {
    policy: &'a Policy,
    view: &'a View,
    surroundings: Surroundings<'a>,
    /// The variables that were set for it.
    set: &'a BTreeMap<String, Value>,
}

impl Judging<'_> {
    /// Judges words by each name that the program has.
    fn words(&self, words: &Words<'_>, judged: &mut Judged) {
        let mut names: Vec<String> = vec![words.name().into_owned()];
        for name in words.names {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let called = words.called().into_owned();
        if names.iter().any(|name| self.is_told_by_name(name)) && !self.is_told_by_name(&called) {
            names.retain(|name| *name != called && !self.is_told_by_name(name));
            names.push(called.clone());
        }
        if let Some(shell) = names.iter().rev().find(|name| invocation::is_shell(name)) {
            self.shell(shell, words, judged);
        }
        // A title with blanks is no name of a program.
        if !called.is_empty() && !called.contains([' ', HOLE]) && !names.contains(&called) {
            names.push(called);
        }
        for name in &names {
            if invocation::is_shell(name) {
                self.variables(words, judged);
            } else if *name == words.name() {
                self.program(&with_holes(words.path), words, judged);
            } else {
                self.program(name, words, judged);
            }
        }
    }

    /// Whether a program of this name is many, and the name that it is called by tells which one.
    fn is_told_by_name(&self, name: &str) -> bool {
        self.policy
            .program(name)
            .is_some_and(|program| program.by_name)
    }

    /// Judges words of any program, as they would be in a line.
    fn program(&self, path: &str, words: &Words<'_>, judged: &mut Judged) {
        let fields: Vec<Value> = std::iter::once(Value::known(path))
            .chain(words.arguments())
            .collect();
        // What is not text is not known any better when the program starts.
        let gates = if fields.iter().any(|word| word.text.contains(HOLE)) {
            Gates::Line
        } else {
            Gates::LineThenExec
        };
        self.fields(fields, gates, judged);
    }

    /// Judges the variables that are set for a shell, whose words are judged otherwise.
    fn variables(&self, words: &Words<'_>, judged: &mut Judged) {
        if !self.set.is_empty() {
            let path = Value::known(with_holes(words.path));
            self.fields(vec![path], Gates::LineThenExec, judged);
        }
    }

    fn fields(&self, fields: Vec<Value>, gates: Gates, judged: &mut Judged) {
        let context = self.surroundings.context(Dialect::Bash, None);
        let actions = normalise::exec(fields, self.set.clone(), &context, self.policy);
        let decision = gates::weigh(self.policy, &actions, &context.place, gates);
        if decision.effect == Effect::Allow && decision.findings.is_empty() {
            return;
        }
        if let Told::Program(_) = judged.told {
            judged.show(&self.shown_variables(&actions, &decision));
        }
        judged.add(decision, true);
    }

    /// The variables that rules of a decision speak of, as assignments.
    fn shown_variables(&self, actions: &[Action], decision: &Decision) -> String {
        let found = |rule: &str| decision.findings.iter().any(|finding| finding.rule == rule);
        let mut patterns: Vec<&str> = Vec::new();
        for action in actions {
            let described = self.policy.program(&action.program).is_some();
            for candidate in self.policy.candidates(action, described) {
                let wanted = candidate.matches.iter().flat_map(|one| &one.environment);
                let wanted: Vec<&str> = wanted
                    .map(|one| one.split_once('=').map_or(one.as_str(), |(name, _)| name))
                    .collect();
                if !wanted.is_empty() && found(&candidate.rule().id) {
                    patterns.extend(wanted);
                }
            }
        }
        let mut shown = String::new();
        for (name, value) in self.set {
            let runs = self.policy.variable(name).is_some_and(|v| v.runs.is_some());
            if runs || patterns.iter().any(|pattern| glob::matches(pattern, name)) {
                let value = value.text.replace(HOLE, "\u{2026}");
                let quoted = shlex::try_quote(&value).unwrap_or(Cow::Borrowed(&value));
                shown.push_str(&format!("{name}={quoted} "));
            }
        }
        shown
    }

    /// Judges the text that a shell would run.
    fn shell(&self, name: &str, words: &Words<'_>, judged: &mut Judged) {
        let invocation = Invocation::of_shell(words.argv.to_vec(), name, self.view);
        let is_wanted = |place: &std::path::Path, length: u64| {
            length <= LONGEST_SCRIPT && !self.is_of_the_system(place)
        };
        let text = Text::where_wanted(&invocation, self.view, Some(&is_wanted));
        // Of what comes in while it runs, and of what is not read, each program is judged as it starts.
        let Some(text @ (Text::Whole(_) | Text::Hidden(_))) = text else {
            return;
        };
        let word = |place| {
            let word = invocation.word(place).unwrap_or_default();
            word.to_string_lossy().into_owned()
        };
        let (told, gates) = match invocation.source {
            Source::Command(_) => (Told::Command(name.to_owned()), Gates::LineThenExec),
            Source::File(place) => (Told::Script(word(place)), Gates::BesideExec),
            Source::Input | Source::Typed | Source::Nothing(_) => {
                (Told::Input(name.to_owned()), Gates::BesideExec)
            }
        };
        let preamble = Preamble::of(&invocation, &text, self.view);
        let set = self.set.iter();
        let set = set.map(|(name, value)| (name.clone(), value.clone()));
        let mut shell = Shell::new(
            &invocation,
            &self.surroundings,
            preamble,
            set.collect(),
            gates,
        );
        let decision = shell.judge(self.policy, &text);
        // Of a text that could not be had there is nothing to show but the words that name it.
        let is_there = matches!(text, Text::Whole(_));
        if is_there && (matches!(told, Told::Command(_)) || !decision.findings.is_empty()) {
            judged.text = shell.judged().to_owned();
            judged.start = shell.start();
            judged.told = told;
            judged.cover();
        }
        judged.add(decision, !is_there);
    }

    /// Whether a file is part of the system, by the policy's own class.
    fn is_of_the_system(&self, place: &std::path::Path) -> bool {
        let path = Value::known(place.to_string_lossy());
        let path = paths::normal(&path, None);
        paths::is_in(&path, SYSTEM, self.policy, &self.surroundings.place())
    }
}

impl Judged {
    /// Puts assignments before the words, where they are not there yet.
    fn show(&mut self, assignments: &str) {
        if !self.text.starts_with(assignments) {
            self.text.insert_str(0, assignments);
            self.cover();
        }
    }

    /// Lets every finding be about the whole text.
    fn cover(&mut self) {
        let whole = self.whole();
        for finding in &mut self.decision.findings {
            finding.origin = whole;
        }
    }

    fn whole(&self) -> Span {
        Span {
            start: 0,
            end: self.text.len(),
        }
    }

    /// Adds what else was found. What is `about_words` has no place in the text, and is about all of it.
    fn add(&mut self, more: Decision, about_words: bool) {
        let whole = self.whole();
        let before = self.decision.findings.len();
        for mut finding in more.findings {
            if about_words {
                finding.origin = whole;
            }
            let known =
                self.decision.findings.iter().take(before).any(|known| {
                    known.rule == finding.rule && operands(known) == operands(&finding)
                });
            if !known {
                self.decision.findings.push(finding);
            }
        }
        let strictest = |finding: &Finding| std::cmp::Reverse(finding.effect);
        self.decision.findings.sort_by_key(strictest);
        self.decision.effect = self.decision.effect.max(more.effect);
    }
}

/// What a finding is about, without the name of the program: one program by two names is found once.
fn operands(finding: &Finding) -> &str {
    finding
        .subject
        .split_once(' ')
        .map_or(finding.subject.as_str(), |(_, operands)| operands)
}
