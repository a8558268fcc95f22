//! The walk through a script: what is known is followed from statement to statement, and every
//! command that could run becomes an action.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::call::Words;
use super::scope::{Binding, Process, Scope, Variables};
use super::{Context, Grammar};
use crate::action::{Action, FileUse, OnDisk, Opacity, Redirection, Shown, Value};
use crate::syntax::{
    AssignedValue, Assignment, Command, Compound, Connector, Reading, Redirect, RedirectOperator,
    Script, Simple, Span, Statement, Word, is_descriptor,
};

/// How many actions one line may have; the rest is opaque.
const MOST_ACTIONS: usize = 10_000;
/// How much work one line may make, in statements, words, and copies of what is known.
const MOST_WORK: usize = 1_500_000;
/// The longest value that a variable is known with, in bytes.
const LONGEST_VALUE: usize = 64 * 1024;
/// How deep texts in texts and functions in functions are followed.
pub(super) const DEEPEST: usize = 24;
/// In how many ways one simple command is read where its variables have alternatives.
const MOST_WORLDS: usize = 64;

pub(super) struct Walker<'a> {
    pub context: &'a Context<'a>,
    pub grammar: &'a dyn Grammar,
    pub actions: Vec<Action>,
    pub scope: Scope,
    pub processes: Vec<Process>,
    pub depth: usize,
    pub stopped: bool,
    spent: usize,
}

/// The descriptors of one command.
#[derive(Default)]
pub(super) struct Plumbing {
    /// Redirections to and from files.
    pub files: Vec<Redirection>,
    /// The text on standard input, where a redirection gives it.
    pub input: Option<Value>,
    /// Programs that feed it, where its input is a process substitution.
    pub fed_by: Option<Vec<String>>,
    /// Where standard output goes, if not on.
    pub stdout: Option<Stdout>,
    /// Texts opened on other descriptors.
    pub descriptors: Vec<(u32, Value)>,
}

/// A redirected standard output.
pub(super) enum Stdout {
    /// To this file; appended or not.
    File(Value, bool),
    /// To another descriptor.
    Elsewhere,
}

impl<'a> Walker<'a> {
    pub fn new(context: &'a Context<'a>, grammar: &'a dyn Grammar) -> Self {
        let set = context.set.iter();
        let scope = Scope {
            variables: set
                .clone()
                .map(|(name, value)| (name.clone(), Binding::one(value.clone())))
                .collect::<Variables>()
                .into(),
            exported: set
                .map(|(name, _)| name.clone())
                .collect::<BTreeSet<_>>()
                .into(),
            positional: context.positional.clone(),
            cwd: Some(context.place.cwd.clone()),
            input: context.input.clone(),
            ..Scope::default()
        };
        Self {
            context,
            grammar,
            actions: Vec::new(),
            scope,
            processes: Vec::new(),
            depth: 0,
            stopped: false,
            spent: 0,
        }
    }

    pub fn run(mut self, reading: &Reading) -> Vec<Action> {
        self.reading(reading);
        self.actions
    }

    /// Walks what was read and adds an opaque action for each part that was not.
    pub fn reading(&mut self, reading: &Reading) -> Value {
        let printed = self.script(&reading.script);
        for unread in &reading.unread {
            let action = Action {
                origin: self.scope.origin.unwrap_or(unread.span),
                opacity: Opacity::Text,
                unknown: Some(unread.why.clone()),
                ..self.blank()
            };
            self.emit(action);
        }
        printed
    }

    /// An action with everything that the scope tells.
    pub fn blank(&self) -> Action {
        Action {
            program: String::new(),
            path: Value::default(),
            arguments: Vec::new(),
            environment: self
                .scope
                .exported
                .iter()
                .filter_map(|name| Some((name.clone(), self.variable(name)?)))
                .collect(),
            redirections: Vec::new(),
            payloads: Vec::new(),
            input: None,
            fed_by: self.scope.fed_by.clone(),
            via: self.scope.via.clone(),
            elsewhere: self.scope.elsewhere,
            cwd: self.scope.cwd.clone(),
            started_in: self.scope.cwd.clone(),
            origin: self.scope.origin.unwrap_or_default(),
            opacity: Opacity::Known,
            shown: Shown::Start,
            code: Shown::Start,
            on_disk: OnDisk::Nothing,
            by_shell: false,
            unknown: None,
            index: 0,
        }
    }

    /// Adds an action; gives its index.
    pub fn emit(&mut self, mut action: Action) -> Option<usize> {
        // Each has a copy of what it would read.
        self.spend(action.input.as_ref().map_or(0, |text| text.text.len() / 64));
        if self.actions.len() >= MOST_ACTIONS {
            self.stop(action.origin);
        }
        if self.stopped {
            return None;
        }
        action.index = self.actions.len();
        self.actions.push(action);
        Some(self.actions.len() - 1)
    }

    /// Counts work. What exceeds the bound is not walked, and the line says so: the bound is on work
    /// and never on time, so that an answer is the same on every machine.
    pub fn spend(&mut self, work: usize) {
        self.spent = self.spent.saturating_add(work);
        if self.spent > MOST_WORK {
            self.stop(self.scope.origin.unwrap_or_default());
        }
    }

    /// Gives up the rest of the line, with one action that says so.
    fn stop(&mut self, origin: Span) {
        if self.stopped {
            return;
        }
        let action = Action {
            opacity: Opacity::Text,
            unknown: Some("more than is looked at in one line".to_owned()),
            origin,
            index: self.actions.len(),
            ..self.blank()
        };
        self.actions.push(action);
        self.stopped = true;
    }

    /// A copy of the scope, to come back to.
    pub fn snapshot(&mut self) -> Scope {
        self.spend(self.scope.weight());
        self.scope.clone()
    }

    /// The programs of the actions from an index on.
    pub fn programs_since(&self, from: usize) -> Vec<String> {
        let mut names = Vec::new();
        for action in self.actions.get(from..).unwrap_or_default() {
            let name = if action.opacity >= Opacity::Program {
                "?"
            } else {
                action.program.as_str()
            };
            if !name.is_empty() && !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Walks a list; gives what it prints, as far as that is known.
    pub fn script(&mut self, script: &Script) -> Value {
        let mut printed = Value::default();
        let mut joined_by = Connector::Sequence;
        for Statement { command, then } in &script.statements {
            self.spend(8);
            if self.stopped {
                return Value::unknown();
            }
            let conditional = matches!(joined_by, Connector::And | Connector::Or);
            let before = (conditional || *then == Connector::Background).then(|| self.snapshot());
            if *then == Connector::Background {
                self.scope.beside = true;
            }
            let part = self.command(command);
            if let Some(before) = before {
                if *then == Connector::Background {
                    self.scope = before;
                } else {
                    let after = self.scope.cwd.clone();
                    self.scope.join(&before);
                    // A chain goes on only where `cd` went well.
                    if joined_by == Connector::And {
                        self.scope.cwd = after;
                    }
                }
            }
            if joined_by != Connector::Or || part.text.is_empty() {
                printed.text.push_str(&part.text);
                printed.splits |= part.splits;
            } else {
                printed = Value::unknown();
            }
            joined_by = *then;
        }
        printed
    }

    /// Walks in a scope of its own, as a subshell does.
    fn apart<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.snapshot();
        let out = walk(self);
        self.leave(outer);
        out
    }

    /// Comes back from a subshell: what it wrote to files stays.
    pub fn leave(&mut self, outer: Scope) {
        let files = std::mem::take(&mut self.scope.files);
        self.scope = outer;
        self.scope.files = files;
    }

    /// Walks one command; gives what it prints.
    pub fn command(&mut self, command: &Command) -> Value {
        if self.stopped {
            return Value::unknown();
        }
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Pipeline(stages) => self.pipeline(stages),
            Command::Compound {
                kind,
                redirects,
                span,
            } => self.redirected(kind, redirects, *span),
        }
    }

    fn pipeline(&mut self, stages: &[Command]) -> Value {
        let outer = self.snapshot();
        let mut printed = Value::default();
        for (index, stage) in stages.iter().enumerate() {
            let from = self.actions.len();
            self.spend(outer.weight());
            let mut inner = outer.clone();
            inner.beside = stages.len() > 1;
            inner.fed_by.clone_from(&self.scope.fed_by);
            inner.input.clone_from(&self.scope.input);
            inner.files = std::mem::take(&mut self.scope.files);
            // `read` in the last stage may run in the shell itself, so what it sets is unknown outside.
            self.scope = inner;
            printed = self.command(stage);
            let mut fed_by = outer.fed_by.clone();
            if index > 0 {
                fed_by.clone_from(&self.scope.fed_by);
            }
            for name in self.programs_since(from) {
                if !fed_by.contains(&name) {
                    fed_by.push(name);
                }
            }
            self.scope.fed_by = fed_by;
            self.scope.input = Some(printed.clone());
        }
        let mut last = std::mem::replace(&mut self.scope, outer);
        self.scope.files = std::mem::take(&mut last.files);
        for (name, binding) in last.variables.iter() {
            if self.scope.variables.get(name) != Some(binding) {
                let mut values = binding.values.clone();
                values.push(Value::unknown());
                let array = binding.array;
                let binding = Binding { values, array };
                self.scope.variables.insert(name, binding);
            }
        }
        printed
    }

    fn redirected(&mut self, kind: &Compound, redirects: &[Redirect], span: Span) -> Value {
        if redirects.is_empty() {
            return self.compound(kind, span);
        }
        let plumbing = self.plumbing(redirects);
        if !plumbing.files.is_empty() {
            let action = Action {
                redirections: plumbing.files.clone(),
                origin: self.scope.origin.unwrap_or(span),
                ..self.blank()
            };
            self.emit(action);
        }
        let (input, fed_by) = (self.scope.input.clone(), self.scope.fed_by.clone());
        if let Some(text) = plumbing.input.clone() {
            self.scope.input = Some(text);
            self.scope.fed_by = plumbing.fed_by.clone().unwrap_or_default();
        }
        for (descriptor, text) in &plumbing.descriptors {
            self.scope.descriptors.insert(*descriptor, text.clone());
        }
        let from = self.actions.len();
        let printed = self.compound(kind, span);
        self.scope.input = input;
        self.scope.fed_by = fed_by;
        let programs = self.programs_since(from);
        self.routed(&plumbing, printed, programs)
    }

    /// Where the output goes: on, or into a file whose text is then known.
    pub fn routed(&mut self, plumbing: &Plumbing, printed: Value, programs: Vec<String>) -> Value {
        match &plumbing.stdout {
            None => printed,
            Some(Stdout::Elsewhere) => Value::default(),
            Some(Stdout::File(file, append)) => {
                self.write_file(
                    file,
                    *append,
                    Process {
                        output: printed,
                        programs,
                    },
                );
                Value::default()
            }
        }
    }

    /// Remembers what the line has written to a file, so that running it is running that.
    pub fn write_file(&mut self, file: &Value, append: bool, mut written: Process) {
        if !file.is_known() {
            return;
        }
        let path = crate::policy::paths::normal(file, self.scope.cwd.as_deref());
        if append {
            let mut before = self.scope.files.remove(&path.text).unwrap_or(Process {
                output: Value::unknown(),
                programs: Vec::new(),
            });
            before.output.text.push_str(&written.output.text);
            before.output.splits |= written.output.splits;
            before.programs.append(&mut written.programs);
            written = before;
        }
        self.scope.files.insert(path.text, written);
    }

    fn compound(&mut self, kind: &Compound, span: Span) -> Value {
        match kind {
            Compound::Subshell(script) => self.apart(|w| w.script(script)),
            Compound::Group(script) => self.script(script),
            Compound::If {
                branches,
                otherwise,
            } => {
                let mut ends: Vec<Scope> = Vec::new();
                for (condition, body) in branches {
                    let _ = self.script(condition);
                    let before = self.snapshot();
                    let _ = self.script(body);
                    ends.push(std::mem::replace(&mut self.scope, before));
                }
                if let Some(body) = otherwise {
                    let _ = self.script(body);
                }
                for end in &ends {
                    self.scope.join(end);
                }
                Value::unknown()
            }
            Compound::Loop { condition, body } => {
                self.forget_assigned(body);
                let before = self.snapshot();
                let _ = self.script(condition);
                let _ = self.script(body);
                self.scope.join(&before);
                Value::unknown()
            }
            Compound::For {
                variable,
                words,
                body,
            } => {
                let values = match words {
                    Some(words) => words.iter().flat_map(|word| self.expand(word)).collect(),
                    None => self
                        .scope
                        .positional
                        .clone()
                        .unwrap_or_else(|| vec![Value::unknown()]),
                };
                let values: Vec<Value> = if values.len() > MOST_WORLDS {
                    vec![Value::unknown()]
                } else {
                    values
                };
                self.forget_assigned(body);
                let before = self.snapshot();
                if values.is_empty() {
                    let unknown = Binding::one(Value::unknown());
                    self.scope.variables.insert(variable.as_str(), unknown);
                } else {
                    let values = values
                        .into_iter()
                        .map(|v| Value { splits: false, ..v })
                        .collect();
                    let array = false;
                    let binding = Binding { values, array };
                    self.scope.variables.insert(variable.as_str(), binding);
                }
                let _ = self.script(body);
                self.scope.join(&before);
                Value::unknown()
            }
            Compound::ForArithmetic { expressions, body } => {
                for word in expressions {
                    let _ = self.expand_one(word);
                }
                self.forget_assigned(body);
                let before = self.snapshot();
                let _ = self.script(body);
                self.scope.join(&before);
                Value::unknown()
            }
            Compound::Case { subject, arms } => {
                let _ = self.expand_one(subject);
                let before = self.snapshot();
                let mut ends: Vec<Scope> = Vec::new();
                for (patterns, body) in arms {
                    for pattern in patterns {
                        let _ = self.expand_one(pattern);
                    }
                    let _ = self.script(body);
                    self.spend(before.weight());
                    ends.push(std::mem::replace(&mut self.scope, before.clone()));
                }
                for end in &ends {
                    self.scope.join(end);
                }
                Value::unknown()
            }
            Compound::Function { name, body } => {
                self.scope
                    .functions
                    .insert(name.clone(), Rc::new((**body).clone()));
                if name == "command_not_found_handle" {
                    // bash calls it by itself, whenever a program is not found.
                    self.apart(|walker| walker.command(body));
                }
                Value::default()
            }
            Compound::Coprocess(command) => {
                self.apart(|w| {
                    w.scope.beside = true;
                    w.scope.input = None;
                    w.command(command)
                });
                let _ = span;
                Value::default()
            }
            Compound::Arithmetic(word) => {
                let _ = self.expand_one(word);
                Value::default()
            }
            Compound::Condition(words) => {
                for word in words {
                    let _ = self.expand_one(word);
                }
                Value::default()
            }
        }
    }

    /// What a loop assigns is not known at its start: another round may have set it.
    fn forget_assigned(&mut self, body: &Script) {
        let mut names = Vec::new();
        assigned_in(body, &mut names);
        for name in names {
            if let Some(binding) = self.scope.variables.get_mut(&name) {
                if binding.array {
                    *binding = Binding::one(Value::unknown());
                } else if !binding.values.contains(&Value::unknown()) {
                    binding.values.push(Value::unknown());
                }
            }
        }
    }

    /// Reads the redirections of a command.
    pub fn plumbing(&mut self, redirects: &[Redirect]) -> Plumbing {
        let mut out = Plumbing::default();
        for redirect in redirects {
            self.spend(32);
            if self.stopped {
                break;
            }
            let value = match redirect.operator {
                RedirectOperator::HereDocument => {
                    let mut value = self.expand_one(&redirect.target);
                    value.glob = false;
                    value
                }
                _ => self.expand_one(&redirect.target),
            };
            // `>&WORD` of what is no descriptor writes a file.
            let operator = match redirect.operator {
                RedirectOperator::DuplicateOutput
                    if value.is_known() && !is_descriptor(&value.text) =>
                {
                    RedirectOperator::WriteBoth
                }
                operator => operator,
            };
            let descriptor = redirect.descriptor;
            let stdin = descriptor.unwrap_or(0) == 0 && !redirect.named;
            let stdout = descriptor.unwrap_or(1) == 1 && !redirect.named;
            match operator {
                RedirectOperator::HereDocument | RedirectOperator::HereString => {
                    let mut text = value;
                    if redirect.operator == RedirectOperator::HereString {
                        text.text.push('\n');
                    }
                    if stdin {
                        out.input = Some(text);
                        out.fed_by = None;
                    } else if let Some(number) = descriptor {
                        out.descriptors.push((number, text));
                    }
                }
                RedirectOperator::Read | RedirectOperator::ReadWrite => {
                    let text = self.content_of(&value);
                    if stdin {
                        out.fed_by = text.as_ref().and_then(|(_, programs)| programs.clone());
                        out.input = Some(text.map_or_else(Value::unknown, |(text, _)| text));
                    } else if let (Some(number), Some((text, _))) = (descriptor, text) {
                        out.descriptors.push((number, text));
                    }
                    if redirect.operator == RedirectOperator::ReadWrite && !stdin {
                        out.files.push(Redirection {
                            usage: FileUse::Append,
                            file: value.clone(),
                        });
                    }
                    out.files.push(Redirection {
                        usage: FileUse::Read,
                        file: value,
                    });
                }
                RedirectOperator::Write
                | RedirectOperator::Clobber
                | RedirectOperator::WriteBoth
                | RedirectOperator::Append
                | RedirectOperator::AppendBoth => {
                    let append = matches!(
                        redirect.operator,
                        RedirectOperator::Append | RedirectOperator::AppendBoth
                    );
                    if stdout {
                        out.stdout = Some(Stdout::File(value.clone(), append));
                    }
                    let usage = if append {
                        FileUse::Append
                    } else {
                        FileUse::Write
                    };
                    out.files.push(Redirection { usage, file: value });
                }
                RedirectOperator::DuplicateInput => {
                    if stdin {
                        let known = value
                            .text
                            .trim_end_matches('-')
                            .parse::<u32>()
                            .ok()
                            .and_then(|number| self.scope.descriptors.get(&number).cloned());
                        out.input = Some(known.unwrap_or_else(Value::unknown));
                    }
                }
                RedirectOperator::DuplicateOutput => {
                    if stdout {
                        out.stdout = Some(Stdout::Elsewhere);
                    }
                }
            }
        }
        out
    }

    /// What is known of a file's text: a process substitution, a descriptor, or one that the line wrote.
    pub fn content_of(&self, file: &Value) -> Option<(Value, Option<Vec<String>>)> {
        if file.is_known() && file.text == "/dev/null" {
            return Some((Value::known(""), None));
        }
        if let Some(process) = self.process_at(&file.text) {
            return Some((process.output.clone(), Some(process.programs.clone())));
        }
        if let Some(number) = file
            .text
            .strip_prefix("/dev/fd/")
            .or_else(|| file.text.strip_prefix("/proc/self/fd/"))
            .and_then(|n| n.parse::<u32>().ok())
        {
            if number == 0 {
                return self
                    .scope
                    .input
                    .clone()
                    .map(|text| (text, Some(self.scope.fed_by.clone())));
            }
            return self
                .scope
                .descriptors
                .get(&number)
                .map(|text| (text.clone(), None));
        }
        // A descriptor whose number is not known may hold any text.
        if ["/dev/fd/", "/proc/self/fd/"]
            .iter()
            .any(|folder| file.text.starts_with(folder))
            && !file.is_known()
        {
            return Some((Value::unknown(), None));
        }
        if file.text == "/dev/stdin" || file.text == "-" {
            return self
                .scope
                .input
                .clone()
                .map(|text| (text, Some(self.scope.fed_by.clone())));
        }
        if !file.is_known() {
            return None;
        }
        let path = crate::policy::paths::normal(file, self.scope.cwd.as_deref());
        self.scope
            .files
            .get(&path.text)
            .map(|file| (file.output.clone(), Some(file.programs.clone())))
    }

    fn process_at(&self, path: &str) -> Option<&Process> {
        let number = path
            .strip_prefix("/dev/fd/")?
            .strip_prefix(crate::action::HOLE)?;
        self.processes.get(number.parse::<usize>().ok()?)
    }

    fn simple(&mut self, simple: &Simple) -> Value {
        let names = self.with_alternatives(simple);
        if names.is_empty() {
            return self.simple_in_world(simple);
        }
        // Each way in which the variables can stand is read on its own.
        let mut worlds: Vec<Vec<(String, Value)>> = vec![Vec::new()];
        for name in names {
            let values = self
                .scope
                .variables
                .get(&name)
                .map(|b| b.values.clone())
                .unwrap_or_default();
            if worlds.len() * values.len() > MOST_WORLDS {
                for world in &mut worlds {
                    world.push((name.clone(), Value::unknown()));
                }
                continue;
            }
            worlds = worlds
                .into_iter()
                .flat_map(|world| {
                    let name = name.clone();
                    values
                        .iter()
                        .map(move |value| {
                            let mut next = world.clone();
                            next.push((name.clone(), value.clone()));
                            next
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        let before = self.snapshot();
        let mut after: Option<Scope> = None;
        let mut printed: Option<Value> = None;
        for world in worlds {
            self.spend(before.weight());
            self.scope = before.clone();
            let chosen: Vec<String> = world.iter().map(|(name, _)| name.clone()).collect();
            for (name, value) in world {
                self.scope.variables.insert(name, Binding::one(value));
            }
            let part = self.simple_in_world(simple);
            printed = Some(match printed {
                None => part,
                Some(other) if other == part => other,
                Some(_) => Value::unknown(),
            });
            let assigned: Vec<&str> = simple.assignments.iter().map(|a| a.name.as_str()).collect();
            let mut end = std::mem::take(&mut self.scope);
            for name in chosen {
                if !assigned.contains(&name.as_str()) {
                    end.variables.set_as_in(&before.variables, &name);
                }
            }
            match &mut after {
                None => after = Some(end),
                Some(scope) => scope.join(&end),
            }
        }
        self.scope = after.unwrap_or(before);
        printed.unwrap_or_default()
    }

    /// The variables of a command that have more than one value here.
    fn with_alternatives(&self, simple: &Simple) -> Vec<String> {
        if self.scope.variables.is_empty() {
            return Vec::new();
        }
        let mut names = Vec::new();
        let redirected = simple.redirects.iter().map(|r| &r.target);
        for word in simple.words.iter().chain(redirected) {
            names_in(word, &mut names);
        }
        for assignment in &simple.assignments {
            match &assignment.value {
                AssignedValue::Scalar(word) => names_in(word, &mut names),
                AssignedValue::Array(words) => words.iter().for_each(|w| names_in(w, &mut names)),
            }
        }
        names.retain(|name| {
            self.scope
                .variables
                .get(name)
                .is_some_and(|b| !b.array && b.values.len() > 1)
        });
        names.sort();
        names.dedup();
        names
    }

    fn simple_in_world(&mut self, simple: &Simple) -> Value {
        let from = self.actions.len();
        let mut fields: Vec<Value> = Vec::new();
        for word in &simple.words {
            fields.extend(self.expand(word));
        }
        let substituted = self.programs_since(from);
        let by_environment = simple
            .words
            .first()
            .is_some_and(|word| self.is_by_environment(word));
        let plumbing = self.plumbing(&simple.redirects);
        let assignments: Vec<(String, Binding)> = simple
            .assignments
            .iter()
            .map(|a| self.assignment(a))
            .collect();
        let origin = self.scope.origin.unwrap_or(simple.span);
        if fields.is_empty() {
            let assigned_nothing = assignments.is_empty();
            for (name, binding) in assignments {
                self.assign(&name, binding, origin);
            }
            if !plumbing.files.is_empty() {
                let action = Action {
                    redirections: plumbing.files.clone(),
                    origin,
                    ..self.blank()
                };
                self.emit(action);
            }
            // `$(< FILE)` prints the file.
            let printed = match &plumbing.input {
                Some(text) if assigned_nothing => text.clone(),
                _ => Value::default(),
            };
            return self.routed(&plumbing, printed, Vec::new());
        }
        let environment = assignments
            .into_iter()
            .map(|(name, binding)| (name, binding.values.into_iter().next().unwrap_or_default()))
            .collect();
        let words = Words {
            fields,
            substituted,
            by_environment,
        };
        let from = self.actions.len();
        let mut programs = self.scope.fed_by.clone();
        let printed = self.call_words(words, environment, &plumbing, origin);
        programs.extend(self.programs_since(from));
        self.routed(&plumbing, printed, programs)
    }

    /// Whether a word ends in a variable that the line does not set and that would come from an
    /// environment which is not known, by the custom of its name (POSIX XBD 8.1).
    fn is_by_environment(&self, word: &Word) -> bool {
        let Some(crate::syntax::Piece::Parameter {
            name, operation, ..
        }) = word.pieces.last()
        else {
            return false;
        };
        !self.context.whole_environment
            && *operation == crate::syntax::Operation::Plain
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && name.chars().any(|c| c.is_ascii_uppercase())
            && self.variable(name).is_none()
    }

    fn assignment(&mut self, assignment: &Assignment) -> (String, Binding) {
        let subscript = assignment.subscript.as_ref();
        let subscript = subscript.map(|subscript| self.expand_one(subscript));
        let mut binding = match &assignment.value {
            AssignedValue::Scalar(word) => Binding::one(self.expand_assigned(word)),
            AssignedValue::Array(words) => Binding {
                values: words.iter().flat_map(|word| self.expand(word)).collect(),
                array: true,
            },
        };
        if let Some(subscript) = subscript {
            let before = self.scope.variables.get(&assignment.name);
            binding = Binding::with_element(before, &subscript.text, binding.values);
        } else if assignment.append {
            match self.scope.variables.get(&assignment.name) {
                Some(before) if before.array || binding.array => {
                    let mut values = before.values.clone();
                    values.append(&mut binding.values);
                    binding = Binding {
                        values,
                        array: true,
                    };
                }
                _ => {
                    let mut text = self.variable(&assignment.name).unwrap_or_else(|| {
                        if self.context.whole_environment {
                            Value::default()
                        } else {
                            Value::unknown()
                        }
                    });
                    if let Some(more) = binding.values.first() {
                        text.text.push_str(&more.text);
                        text.glob |= more.glob;
                    }
                    binding = Binding::one(text);
                }
            }
        }
        (assignment.name.clone(), binding)
    }

    /// Sets a variable; a variable that programs execute is read as code at once.
    pub fn assign(&mut self, name: &str, mut binding: Binding, origin: Span) {
        let length: usize = binding.values.iter().map(|value| value.text.len()).sum();
        self.spend(24 + length / 16);
        if length > LONGEST_VALUE {
            binding = Binding::one(Value::unknown());
        }
        if let Some(value) = binding.values.first()
            && !binding.array
        {
            let value = value.clone();
            self.variable_code(name, &value, origin);
        }
        self.scope.variables.insert(name, binding);
    }
}

/// The names of the parameters in a word.
fn names_in(word: &Word, names: &mut Vec<String>) {
    use crate::syntax::{Operation, Piece};
    for piece in &word.pieces {
        if let Piece::Parameter {
            name, operation, ..
        } = piece
        {
            names.push(name.clone());
            match operation {
                Operation::Plain => {}
                Operation::Default(inner)
                | Operation::Assign(inner)
                | Operation::Alternative(inner) => {
                    names_in(inner, names);
                }
                Operation::Other(words) => words.iter().for_each(|w| names_in(w, names)),
            }
        }
    }
}

/// The names that a script assigns, at any depth.
fn assigned_in(script: &Script, names: &mut Vec<String>) {
    for statement in &script.statements {
        assigned_by(&statement.command, names);
    }
}

fn assigned_by(command: &Command, names: &mut Vec<String>) {
    match command {
        Command::Simple(simple) => {
            names.extend(simple.assignments.iter().map(|a| a.name.clone()));
        }
        Command::Pipeline(stages) => stages.iter().for_each(|s| assigned_by(s, names)),
        Command::Compound { kind, .. } => match kind {
            Compound::Subshell(_) | Compound::Arithmetic(_) | Compound::Condition(_) => {}
            Compound::Group(script)
            | Compound::For { body: script, .. }
            | Compound::ForArithmetic { body: script, .. } => assigned_in(script, names),
            Compound::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    assigned_in(condition, names);
                    assigned_in(body, names);
                }
                if let Some(body) = otherwise {
                    assigned_in(body, names);
                }
            }
            Compound::Loop { condition, body } => {
                assigned_in(condition, names);
                assigned_in(body, names);
            }
            Compound::Case { arms, .. } => {
                arms.iter().for_each(|(_, body)| assigned_in(body, names))
            }
            Compound::Function { body, .. } | Compound::Coprocess(body) => assigned_by(body, names),
        },
    }
}
