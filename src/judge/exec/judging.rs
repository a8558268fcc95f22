//! How one exec is judged: by each name that the program has, as a shell where it is one, through the
//! packs where it is any other program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::Path;
use std::rc::Rc;

use super::judged::{ExecJudgement, Told};
use super::words::Words;
use super::{Caller, Running};
use crate::action::{Action, HOLE, OnDisk, Value};
use crate::decide::gates::Gates;
use crate::decide::past::Past;
use crate::decide::{self, Decision};
use crate::invocation::{self, Fed, Invocation, Preamble, Source, Text, View};
use crate::judge::base::{Base, with_holes};
use crate::judge::shell::Shell;
use crate::normalise::{self, Grammar, Input, LONGEST_FILE, base_name};
use crate::policy::Policy;
use crate::policy::glob;
use crate::policy::paths::Place;
use crate::policy::schema::{Program, Runs};
use crate::probe::Blind;
use crate::surroundings::Surroundings;
use crate::syntax::Dialect;

/// The longest script that is read, in bytes. All that it starts is judged when it starts.
const LONGEST_SCRIPT: u64 = 64 << 10;

/// What one exec is judged with.
pub(super) struct Judging<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The process.
    pub view: &'a View,
    /// Where it runs.
    pub surroundings: Surroundings<'a>,
    /// The variables that were set for it.
    pub set: &'a BTreeMap<String, Value>,
    /// What the session has done before.
    pub past: &'a Past,
}

impl Judging<'_> {
    /// Judges words by each name that the program has.
    pub fn words(&self, words: &Words<'_>, judged: &mut ExecJudgement) {
        let mut names: Vec<String> = vec![words.name().into_owned()];
        for name in words.names {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let called = words.called().into_owned();
        if names.iter().any(|name| self.is_told_by_name(name)) {
            self.shell_in_one(&called, words, judged);
        }
        if names.iter().any(|name| self.is_told_by_name(name)) && !self.is_told_by_name(&called) {
            names.retain(|name| *name != called && !self.is_told_by_name(name));
            names.push(called.clone());
        }
        let shell = names.iter().rev().find(|name| invocation::is_shell(name));
        let reads_file =
            shell.is_some_and(|shell| self.shell_text(shell, words.argv, false, judged));
        // A title with blanks is no name of a program.
        if !called.is_empty() && !called.contains([' ', HOLE]) && !names.contains(&called) {
            names.push(called);
        }
        let is_described = |name: &str| self.policy.program(name).is_some();
        let any_described = names.iter().any(|name| is_described(name));
        for name in &names {
            // Which file it reads is in its words as for any interpreter; other words are judged as text.
            if invocation::is_shell(name) && !reads_file {
                self.variables(words, judged);
            } else {
                // What a pack describes needs no net for what none does (`npm` is `npm-cli.js`, too).
                let nets = !any_described || is_described(name);
                let path = with_holes(words.path);
                let path = if *name == words.name() {
                    &path
                } else {
                    name.as_str()
                };
                self.called(path, words, nets, judged);
            }
        }
    }

    /// Judges a shell that is many programs in one, as busybox is: those it may run without starting them
    /// (`FEATURE_SH_STANDALONE`), so that all of its text is judged before. The machine's own `sh` is not
    /// built so.
    fn shell_in_one(&self, called: &str, words: &Words<'_>, judged: &mut ExecJudgement) {
        const SHELLS: &[&str] = &["sh", "ash", "hush", "bash"];
        const OWN: &[&[u8]] = &[b"/bin/sh", b"/bin/ash", b"/usr/bin/sh", b"/usr/bin/ash"];
        let argv = if self.is_told_by_name(called) {
            words.argv.get(1..).unwrap_or_default()
        } else {
            words.argv
        };
        let Some(first) = argv.first() else { return };
        let name = Words {
            path: first.to_bytes(),
            names: &[],
            argv,
            reads_script: false,
        };
        if SHELLS.contains(&&*name.called()) && !OWN.contains(&words.path) {
            self.shell_text("sh", argv, true, judged);
        }
    }

    /// Whether a program of this name is many, and the name that it is called by tells which one.
    fn is_told_by_name(&self, name: &str) -> bool {
        self.policy
            .program(name)
            .is_some_and(|program| program.by_name)
    }

    /// Judges words of any program, as they would be in a line.
    pub fn program(&self, path: &str, words: &Words<'_>, judged: &mut ExecJudgement) {
        self.called(path, words, true, judged);
    }

    /// As [`Self::program`], with or without the rules for programs that no pack describes.
    fn called(&self, path: &str, words: &Words<'_>, nets: bool, judged: &mut ExecJudgement) {
        let fields: Vec<Value> = std::iter::once(Value::known(path))
            .chain(words.arguments())
            .collect();
        // What is not text is not known any better when the program starts.
        let input = self.input(path, judged);
        let is_hidden = matches!(&input, Input::Text(text) if text.text.contains(HOLE));
        let gates = if is_hidden || fields.iter().any(|word| word.text.contains(HOLE)) {
            Gates::Line
        } else {
            Gates::LineThenExec
        };
        self.fields(fields, input, gates, nets, words.reads_script, judged);
    }

    /// The code that a program may find on its standard input, where that is a file: nobody else sees it, as what
    /// becomes of it is no start of a program here. A hole where it is not known and runs elsewhere.
    fn input(&self, path: &str, judged: &mut ExecJudgement) -> Input {
        let name = base_name(path);
        let Some(program) = self.policy.program(name) else {
            return Input::None;
        };
        // What an option names that is no subcommand's is not fed from here (`rsync --rsync-path`).
        let is_fed = |runs: &Runs| runs.option.is_empty() || !runs.subcommand.is_empty();
        let takes_input = |runs: &Runs| is_fed(runs) && (runs.elsewhere || runs.apart);
        let goes_elsewhere = program.runs.iter().any(takes_input);
        let may_read = goes_elsewhere || program.runs.iter().any(|runs| runs.stdin);
        // What a shell reads is judged as a script is.
        if !may_read || invocation::is_shell(name) {
            return Input::None;
        }
        // The same words may be given another file the next time.
        judged.depends_on_files = true;
        let text = match Fed::of(self.view, LONGEST_FILE as u64) {
            None => return Input::None,
            Some(Fed::File(path)) => {
                return Input::File(Value::known(path.to_string_lossy()));
            }
            Some(Fed::Text(text)) => String::from_utf8(text).ok(),
            Some(Fed::Hidden) => None,
        };
        match text {
            Some(text) => Input::Text(Value::known(text)),
            None if goes_elsewhere => Input::Text(Value::known(HOLE.to_string())),
            None => Input::None,
        }
    }

    /// Judges the variables that are set for a shell, whose words are judged otherwise.
    fn variables(&self, words: &Words<'_>, judged: &mut ExecJudgement) {
        if !self.set.is_empty() {
            let path = Value::known(with_holes(words.path));
            self.fields(
                vec![path],
                Input::None,
                Gates::LineThenExec,
                true,
                false,
                judged,
            );
        }
    }

    fn fields(
        &self,
        fields: Vec<Value>,
        input: Input,
        gates: Gates,
        nets: bool,
        reads_script: bool,
        judged: &mut ExecJudgement,
    ) {
        let context = self.surroundings.context(Dialect::Bash, None);
        let mut actions = normalise::exec(fields, self.set.clone(), &context, self.policy, input);
        judged.depends_on_files |= actions.iter().any(|one| one.on_disk != OnDisk::Nothing);
        // A script that a pack describes is what the interpreter runs, and nothing happens before it.
        if let [interpreter, script] = actions.as_mut_slice()
            && reads_script
            && script.via == [interpreter.program.as_str()]
        {
            script.on_disk = OnDisk::Stands;
        }
        let mut decision = decide::evaluate_start(
            self.policy,
            &actions,
            &context.place,
            gates,
            context.probe,
            self.past,
        );
        if !nets {
            decision
                .findings
                .retain(|finding| !self.is_net(&actions, &finding.rule));
            decision.settle();
        }
        if decision.findings.is_empty() {
            judged.leave(decision);
            return;
        }
        if let Told::Program(_) = judged.told {
            judged.show(&self.shown_variables(&actions, &decision));
        }
        judged.add(decision, true);
    }

    /// Whether a rule is one for programs that no pack describes.
    fn is_net(&self, actions: &[Action], rule: &str) -> bool {
        actions.first().is_some_and(|action| {
            let candidates = self.policy.candidates(action, false);
            let mut of_rule = candidates.iter().filter(|one| one.rule().id == rule);
            of_rule.any(|one| {
                let mut wanted = one.matches.iter();
                wanted.all(|wanted| wanted.undescribed == Some(true))
            })
        })
    }

    /// Leaves out what is only about variables that the caller has, too: they were judged when the first
    /// program was started with them. A program that does nothing tells what that is.
    pub fn leave_out_inherited(&self, caller: &dyn Caller, judged: &mut ExecJudgement) {
        const NOTHING: &str = "true";
        if self.set.is_empty() {
            return;
        }
        let mut inherited = Base::also_in(self.set, &caller.environment());
        if let Some(program) = caller
            .chain()
            .next()
            .and_then(|one| described(self.policy, &self.surroundings.place(), &one))
        {
            for (name, value) in self.set {
                if program.sets.iter().any(|one| glob::matches(one, name)) {
                    inherited.insert(name.clone(), value.clone());
                }
            }
        }
        if inherited.is_empty() {
            return;
        }
        let context = self.surroundings.context(Dialect::Bash, None);
        let fields = vec![Value::known(NOTHING)];
        let actions = normalise::exec(fields, inherited, &context, self.policy, Input::None);
        let known = decide::evaluate(
            self.policy,
            &actions,
            &context.place,
            Gates::LineThenExec,
            &Blind,
        );
        let rules: Vec<String> = known.findings.into_iter().map(|one| one.rule).collect();
        judged.leave_out(&rules);
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

    /// Judges the text that a shell would run. Gives whether it is that of a file which its words name.
    /// `alone` says that no start of a program may follow from it.
    fn shell_text(
        &self,
        name: &str,
        argv: &[CString],
        alone: bool,
        judged: &mut ExecJudgement,
    ) -> bool {
        let invocation = Invocation::of_shell(argv.to_vec(), name, self.view);
        let reads_file = matches!(invocation.source, Source::File(_));
        let is_wanted = |place: &Path, length: u64| {
            alone || length <= LONGEST_SCRIPT && !self.is_of_the_system(place)
        };
        let mut text = Text::where_wanted(&invocation, self.view, Some(&is_wanted));
        if alone && matches!(text, Some(Text::Stream | Text::Typed)) {
            text = Some(Text::Hidden("it comes in while the shell runs"));
        }
        // Of what comes in while it runs, and of what is not read, each program is judged as it starts.
        let Some(text @ (Text::Whole(_) | Text::Hidden(_))) = text else {
            return reads_file;
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
        let gates = if alone { Gates::Line } else { gates };
        let preamble = Preamble::of(&invocation, &text, self.view);
        let mut shell = self.shell_of(&invocation, preamble, gates);
        let decision = shell.judge(self.policy, &text);
        judged.depends_on_files |= shell.reads_once();
        // Of a text that could not be had there is nothing to show but the words that name it.
        let is_there = matches!(text, Text::Whole(_));
        if is_there && (matches!(told, Told::Command(_)) || !decision.findings.is_empty()) {
            judged.text = shell.judged().to_owned();
            judged.start = shell.start();
            judged.told = told;
            judged.given = invocation.given().to_vec();
            judged.cover();
        }
        judged.add(decision, !is_there);
        reads_file
    }

    /// Judges a command that is typed into a shell: what is executed then is the shell's own, and this
    /// program only asks for it.
    pub fn typed(&self, given: &[u8], command: &[u8], judged: &mut ExecJudgement) {
        let invocation = Invocation::typed();
        let preamble = Preamble::typed(given, command);
        let mut shell = self.shell_of(&invocation, preamble, Gates::LineThenExec);
        let decision = shell.judge(self.policy, &Text::Whole(command.to_vec()));
        judged.text = shell.judged().to_owned();
        judged.start = shell.start();
        judged.told = Told::Typed;
        judged.given = Vec::new();
        judged.add(decision, false);
    }

    /// The shell that an exec would be, with the variables that were set for it.
    fn shell_of(&self, invocation: &Invocation, preamble: Preamble, gates: Gates) -> Shell<'_> {
        let set = self.set.iter();
        let set = set.map(|(name, value)| (name.clone(), value.clone()));
        Shell::new(
            invocation,
            &self.surroundings,
            preamble,
            set.collect(),
            gates,
        )
    }

    /// Whether a file is part of the system.
    fn is_of_the_system(&self, file: &Path) -> bool {
        is_of_the_system(self.policy, &self.surroundings.place(), file)
    }
}

/// What is known of a program that runs, where it is one of the system.
pub(super) fn described(policy: &Policy, place: &Place, running: &Running) -> Option<Rc<Program>> {
    let name = running.program.file_name()?.to_string_lossy();
    let program = policy.program(&name)?;
    is_of_the_system(policy, place, &running.program).then_some(program)
}

/// Whether a file is part of the system, by the policy's own class.
fn is_of_the_system(policy: &Policy, place: &Place, file: &Path) -> bool {
    Grammar::is_of_the_system(policy, file, place)
}
