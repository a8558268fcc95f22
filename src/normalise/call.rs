//! One program with its arguments: the action it is, and whatever it runs in turn.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::scope::{Binding, Process};
use super::walk::{DEEPEST, Plumbing, Walker};
use super::words::is_name;
use super::{calls, embedded, output, sql};
use crate::action::{Action, FileUse, HOLE, Opacity, Payload, Redirection, Value};
use crate::policy::arguments::{self, Arguments, Positional};
use crate::policy::schema::{Language, Program, Runs};
use crate::policy::{glob, paths, walk};
use crate::syntax::{self, Command, Compound, Dialect, Span};

/// Builtins whose operands run in the shell itself, so that what they set stays.
const IN_THIS_SHELL: &[&str] = &["eval", "source", ".", "command", "builtin", "exec"];
/// How many found or piped-in words a command is tried with.
const MOST_ITEMS: usize = 12;
/// How many statements of one SQL text are judged.
const MOST_STATEMENTS: usize = 2000;

/// A program about to be called.
struct Call {
    fields: Vec<Value>,
    environment: BTreeMap<String, Value>,
    /// What the programs around it were given.
    inherited: BTreeMap<String, Value>,
    files: Vec<Redirection>,
    input: Option<Value>,
    fed_by: Vec<String>,
    origin: Span,
    /// The programs whose output stands in its words.
    substituted: Vec<String>,
    /// The program is named by a variable that only the environment could tell.
    by_environment: bool,
    /// The shell itself calls it, so that a builtin changes the shell.
    by_shell: bool,
}

impl Call {
    /// A call of other words from the same place, with the same input.
    fn going_on(&self, fields: Vec<Value>) -> Self {
        let mut inherited = self.inherited.clone();
        inherited.extend(self.environment.clone());
        Self {
            fields,
            environment: BTreeMap::new(),
            inherited,
            // Standard input stays that of the outer command.
            files: self
                .files
                .iter()
                .filter(|file| file.usage == FileUse::Read)
                .cloned()
                .collect(),
            input: self.input.clone(),
            fed_by: self.fed_by.clone(),
            origin: self.origin,
            substituted: self.substituted.clone(),
            by_environment: false,
            by_shell: false,
        }
    }
}

/// The words of a simple command after expansion.
pub(super) struct Words {
    /// Program and arguments.
    pub fields: Vec<Value>,
    /// The programs whose output stands in them.
    pub substituted: Vec<String>,
    /// The first one is a variable that only the environment could tell.
    pub by_environment: bool,
}

impl Walker<'_> {
    /// Calls the program that the fields name; gives what it prints, as far as that is known.
    pub(super) fn call_words(
        &mut self,
        words: Words,
        environment: BTreeMap<String, Value>,
        plumbing: &Plumbing,
        origin: Span,
    ) -> Value {
        let Words {
            fields,
            substituted,
            by_environment,
        } = words;
        let (input, fed_by) = match &plumbing.input {
            Some(text) => (
                Some(text.clone()),
                plumbing.fed_by.clone().unwrap_or_default(),
            ),
            None => (self.scope.input.clone(), self.scope.fed_by.clone()),
        };
        if fields.first().is_some_and(|f| f.text == "exec") {
            for (descriptor, text) in &plumbing.descriptors {
                self.scope.descriptors.insert(*descriptor, text.clone());
            }
            if fields.len() == 1 {
                self.scope.input.clone_from(&input);
                self.scope.fed_by.clone_from(&fed_by);
            }
        }
        let kept = self.scope.descriptors.clone();
        for (descriptor, text) in &plumbing.descriptors {
            self.scope.descriptors.insert(*descriptor, text.clone());
        }
        let exec = fields.first().is_some_and(|f| f.text == "exec");
        let printed = self.call(Call {
            fields,
            environment,
            inherited: BTreeMap::new(),
            files: plumbing.files.clone(),
            input,
            fed_by,
            origin,
            substituted,
            by_environment,
            by_shell: true,
        });
        if !exec {
            self.scope.descriptors = kept;
        }
        printed
    }

    fn call(&mut self, call: Call) -> Value {
        self.spend(8 + call.fields.len());
        if self.stopped {
            return Value::unknown();
        }
        let mut fields = call.fields.iter();
        let Some(path) = fields.next() else {
            return Value::default();
        };
        let mut arguments: Vec<Value> = fields.cloned().collect();
        let name = self.program_behind(&path.text);
        if name != "ln" {
            for argument in &mut arguments {
                self.follow_links(argument);
            }
        }
        for (variable, value) in &call.environment {
            self.variable_code(variable, value, call.origin);
        }
        if self.depth >= DEEPEST {
            let action = Action {
                origin: call.origin,
                opacity: Opacity::Text,
                unknown: Some(format!("commands nested more than {DEEPEST} deep")),
                ..self.blank()
            };
            self.emit(action);
            return Value::unknown();
        }
        let past_functions = self
            .scope
            .via
            .last()
            .is_some_and(|v| matches!(v.as_str(), "command" | "builtin" | "exec"));
        if call.by_shell
            && !past_functions
            && !path.glob
            && let Some(body) = self.scope.functions.get(&path.text).cloned()
        {
            return self.call_function(&path.text, &body, arguments, &call);
        }
        let unknown_program = name.is_empty()
            || name.contains(HOLE)
            || path.glob
            || (path.splits && path.text.contains(HOLE));
        let mut action = Action {
            program: if unknown_program {
                String::new()
            } else {
                name.clone()
            },
            path: path.clone(),
            redirections: call.files.clone(),
            input: call.input.clone(),
            fed_by: call.fed_by.clone(),
            origin: call.origin,
            ..self.blank()
        };
        if !self.scope.elsewhere {
            action.environment.extend(call.inherited.clone());
        }
        action.environment.extend(call.environment.clone());
        if unknown_program && call.by_environment {
            // Only the machine can tell; where it can, this is not reached.
            action.opacity = Opacity::Operand;
        } else if unknown_program {
            action.opacity = Opacity::Program;
            action.unknown = Some("the program is not known before the line runs".to_owned());
        } else if arguments.iter().any(|a| a.text.contains(HOLE)) {
            action.opacity = Opacity::Operand;
        }
        let grammar = if unknown_program {
            None
        } else {
            self.grammar.program(&name)
        };
        let read = arguments::read(grammar.as_deref(), &arguments);
        if let Some(program) = &grammar {
            for option in &program.directory_options {
                for flag in read.flags_named(option) {
                    if let Some(directory) = &flag.value {
                        action.cwd = self.resolve(directory);
                    }
                }
            }
        }
        action.arguments.clone_from(&arguments);
        let Some(index) = self.emit(action) else {
            return Value::unknown();
        };
        if path.text.contains('/')
            && let Some((text, programs)) = self.content_of(path)
        {
            self.fed_by_also(index, programs.unwrap_or_default());
            self.run_file(text, None, index, &call, positional_after(&arguments, 0));
        }
        let mut printed = None;
        let mut found = None;
        let mut targets = Vec::new();
        if let Some(program) = grammar {
            for option in &program.target_options {
                targets.extend(
                    read.flags_named(option)
                        .filter_map(|flag| flag.value.clone()),
                );
            }
            if output::copies_input(&name) {
                targets.extend(read.positionals.iter().map(|p| p.value.clone()));
            }
            found = walk::printed(&program, &read);
            for runs in &program.runs {
                if let Some(output) =
                    self.look_through(runs, &program, &read, &arguments, index, &call, &name)
                {
                    printed = Some(output);
                }
            }
        }
        self.remember_written(&name, &targets, &call);
        if !unknown_program && call.by_shell {
            self.builtin(&name, &arguments, call.input.as_ref(), call.origin);
        }
        self.remember_names(&name, &read);
        if unknown_program {
            if call.by_environment && !arguments.is_empty() {
                // `$SUDO rm`: where the variable is empty, the next word is the program.
                self.call(Call {
                    fields: arguments,
                    by_environment: false,
                    ..call
                });
            }
            return Value::unknown();
        }
        printed
            .or_else(|| output::printed(&name, &arguments, call.input.as_ref(), &self.scope))
            .or(found)
            .unwrap_or_else(Value::unknown)
    }

    /// The base name of the program at a path, looked up behind the links and copies that the line made.
    fn program_behind(&self, path: &str) -> String {
        if path.contains('/') && !self.scope.copies.is_empty() {
            let place = paths::normal(&Value::known(path), self.scope.cwd.as_deref());
            if let Some(original) = self.scope.copies.get(&place.text) {
                return base_name(original).to_owned();
            }
        }
        base_name(path).to_owned()
    }

    /// Puts the target for a link that the line made, where an argument goes through it.
    fn follow_links(&self, argument: &mut Value) {
        if self.scope.links.is_empty() || argument.text.starts_with('-') {
            return;
        }
        let path = paths::normal(argument, self.scope.cwd.as_deref());
        for (link, target) in &self.scope.links {
            let Some(rest) = path.text.strip_prefix(link.as_str()) else {
                continue;
            };
            let through = rest.starts_with('/')
                || rest.is_empty() && (path.contents || argument.text.ends_with('/'));
            if through {
                let all = if path.contents { "/*" } else { "" };
                argument.text = format!("{}{rest}{all}", target.trim_end_matches('/'));
                if argument.text.is_empty() {
                    argument.text.push('/');
                }
                return;
            }
        }
    }

    /// Remembers other names that the line gives to files: `ln -s TARGET NAME`, `cp PROGRAM NAME`.
    fn remember_names(&mut self, name: &str, read: &Arguments) {
        if !matches!(name, "ln" | "cp" | "install" | "mv") {
            return;
        }
        let [from, to] = read.positionals.as_slice() else {
            return;
        };
        if !from.value.is_known() || !to.value.is_known() || from.value.glob {
            return;
        }
        let target = paths::normal(&from.value, self.scope.cwd.as_deref()).text;
        let place = paths::normal(&to.value, self.scope.cwd.as_deref()).text;
        if name == "ln" {
            self.scope.links.insert(place.clone(), target.clone());
        }
        self.scope.copies.insert(place, target);
    }

    /// Notes where the text came from that an action executes.
    fn fed_by_also(&mut self, index: usize, programs: Vec<String>) {
        if let Some(action) = self.actions.get_mut(index) {
            for program in programs {
                if !action.fed_by.contains(&program) {
                    action.fed_by.push(program);
                }
            }
        }
    }

    /// Remembers the files that a program writes (`curl -o FILE`, `tee FILE`).
    fn remember_written(&mut self, name: &str, targets: &[Value], call: &Call) {
        let output = match &call.input {
            Some(text) if output::copies_input(name) => text.clone(),
            _ => Value::unknown(),
        };
        let mut programs = call.fed_by.clone();
        programs.push(name.to_owned());
        for file in targets {
            self.write_file(
                file,
                false,
                Process {
                    output: output.clone(),
                    programs: programs.clone(),
                },
            );
        }
    }

    fn call_function(
        &mut self,
        name: &str,
        body: &Rc<Command>,
        arguments: Vec<Value>,
        call: &Call,
    ) -> Value {
        if self.scope.calling.iter().any(|c| c == name) {
            let action = Action {
                program: if self.scope.beside {
                    "(fork-bomb)".into()
                } else {
                    "(recursion)".into()
                },
                path: Value::known(name),
                origin: call.origin,
                ..self.blank()
            };
            self.emit(action);
            return Value::unknown();
        }
        if !call.files.is_empty() {
            let action = Action {
                redirections: call.files.clone(),
                origin: call.origin,
                ..self.blank()
            };
            self.emit(action);
        }
        let positional = self.scope.positional.replace(arguments);
        let (input, fed_by) = (self.scope.input.clone(), self.scope.fed_by.clone());
        self.scope.input.clone_from(&call.input);
        self.scope.fed_by.clone_from(&call.fed_by);
        self.scope.calling.push(name.to_owned());
        self.depth += 1;
        let printed = match &**body {
            Command::Compound {
                kind: Compound::Subshell(script),
                ..
            } => {
                let outer = self.snapshot();
                let printed = self.script(script);
                self.leave(outer);
                printed
            }
            body => self.command(body),
        };
        self.depth -= 1;
        self.scope.calling.pop();
        self.scope.positional = positional;
        self.scope.input = input;
        self.scope.fed_by = fed_by;
        printed
    }

    /// Follows one of the ways in which a program runs something; gives the output of an inner command.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one call, read once"
    )]
    fn look_through(
        &mut self,
        runs: &Runs,
        program: &Program,
        read: &Arguments,
        arguments: &[Value],
        index: usize,
        call: &Call,
        name: &str,
    ) -> Option<Value> {
        let base = matched_subcommand(runs, read)?;
        if !runs.flag.is_empty() && !runs.flag.iter().any(|spec| read.has_flag(spec)) {
            return None;
        }
        if runs.no_flag.iter().any(|spec| read.has_flag(spec)) {
            return None;
        }
        let inner = Inner {
            runs,
            name,
            index,
            call,
        };
        if let Some(program) = &runs.program {
            let after = base
                .checked_sub(1)
                .and_then(|last| read.positionals.get(last))
                .map_or(0, |word| word.at + 1);
            let fields = std::iter::once(Value::known(program))
                .chain(arguments.iter().skip(after).cloned())
                .collect();
            let call = call.going_on(fields);
            return Some(self.inside(&inner, |walker| walker.call(call)));
        }
        if let Some(language) = runs.operands {
            return self.run_operands(&inner, language, program, read, arguments, base);
        }
        if !runs.option.is_empty() {
            let mut printed = None;
            for option in &runs.option {
                for flag in read.flags_named(option) {
                    self.spend(1 + arguments.len() / 8);
                    if self.stopped {
                        return None;
                    }
                    if runs.until.is_empty() {
                        let Some(value) = &flag.value else { continue };
                        let Some(value) = without_prefix(runs, value) else {
                            continue;
                        };
                        self.run_code(&inner, runs.language.unwrap_or_default(), value, None);
                    } else {
                        let ends = |word: &Value| runs.until.contains(&word.text);
                        // `-mMODULE`: the first word is glued to the option.
                        let glued = flag.value.iter().filter(|_| flag.value_at == flag.at);
                        let rest = glued.chain(arguments.iter().skip(flag.at + 1));
                        let mut words: Vec<Value> =
                            rest.clone().take_while(|w| !ends(w)).cloned().collect();
                        // Without its end, a command takes what is found as its last word.
                        if !rest.clone().any(ends)
                            && let Some(marker) = &runs.appends
                            && !words.iter().any(|w| w.text.contains(marker))
                        {
                            words.push(Value::known(marker));
                        }
                        printed = Some(self.run_items(&inner, words, program, read));
                    }
                }
            }
            return printed;
        }
        if runs.stdin && !(runs.without_operands && read.positionals.len() > base) {
            let language = runs.language.unwrap_or_default();
            match &call.input {
                // `bash < FILE` is no more than `bash FILE`.
                Some(text) if text.text == HOLE.to_string() && reads_a_file(call) => {}
                Some(text)
                    if text.text.trim_matches([HOLE, '\n']).is_empty()
                        && text.text.contains(HOLE) =>
                {
                    self.opaque_code(&inner, "the code on its standard input is not known");
                }
                Some(text) => self.run_code(&inner, language, text.clone(), None),
                None => {}
            }
        }
        None
    }

    fn run_operands(
        &mut self,
        inner: &Inner<'_>,
        language: Language,
        program: &Program,
        read: &Arguments,
        arguments: &[Value],
        base: usize,
    ) -> Option<Value> {
        let mut operands: &[Positional] = read.operands(base + usize::from(inner.runs.skip));
        let mut environment = BTreeMap::new();
        if program.assignments {
            while let Some((first, rest)) = operands.split_first() {
                let Some((key, value)) = first.value.text.split_once('=') else {
                    break;
                };
                if !is_name(key) {
                    break;
                }
                environment.insert(key.to_owned(), Value::known(value));
                operands = rest;
            }
        }
        if inner.runs.prefix.is_some() {
            for operand in operands {
                if let Some(text) = without_prefix(inner.runs, &operand.value) {
                    self.run_code(inner, language, text, None);
                }
            }
            return None;
        }
        if let Some((first, rest)) = operands.split_first()
            && first.value.text == "--"
        {
            operands = rest;
        }
        let (first, rest) = operands.split_first()?;
        if first.value.text.contains(HOLE) && !begins_surely(inner.runs, program, read, base) {
            return None;
        }
        if inner.runs.first {
            let named = usize::from(language != Language::Script);
            let positional: Vec<Value> = rest.iter().skip(named).map(|p| p.value.clone()).collect();
            self.run_code(inner, language, first.value.clone(), Some(positional));
            if language == Language::Script {
                self.run_described(inner, arguments.iter().skip(first.at));
            }
            return None;
        }
        let mut words: Vec<Value> = arguments.iter().skip(first.at).cloned().collect();
        if inner.runs.task {
            if !first.value.is_known() {
                return None;
            }
            if words.get(1).is_some_and(|word| word.text == "--") {
                words.remove(1);
            }
        }
        if language == Language::Argv {
            let call = Call {
                environment,
                by_shell: inner.call.by_shell && IN_THIS_SHELL.contains(&inner.name),
                ..inner.call.going_on(words.clone())
            };
            if inner.runs.appends.is_some() {
                return Some(self.run_items(inner, words, program, read));
            }
            return Some(self.inside(inner, |walker| walker.call(call)));
        }
        let mut text = Value::default();
        for (position, word) in words.iter().enumerate() {
            if position > 0 {
                text.text.push(' ');
            }
            text.text.push_str(&word.text);
        }
        self.run_code(inner, language, text, None);
        None
    }

    /// A script that a pack describes is a program like any other: `php artisan`, `python manage.py`.
    fn run_described<'v>(&mut self, inner: &Inner<'_>, words: impl Iterator<Item = &'v Value>) {
        let fields: Vec<Value> = words.cloned().collect();
        let described = fields.first().is_some_and(|script| {
            script.is_known() && self.grammar.program(base_name(&script.text)).is_some()
        });
        if described {
            let call = inner.call.going_on(fields);
            self.inside(inner, |walker| walker.call(call));
        }
    }

    /// Runs words with what is found or piped in put for `{}` or at the end.
    fn run_items(
        &mut self,
        inner: &Inner<'_>,
        words: Vec<Value>,
        program: &Program,
        read: &Arguments,
    ) -> Value {
        let mut marker = inner.runs.appends.clone();
        let own_marker = inner
            .runs
            .replace_option
            .iter()
            .any(|option| read.has_flag(option));
        for option in &inner.runs.replace_option {
            for flag in read.flags_named(option) {
                let given = flag
                    .value
                    .as_ref()
                    .map(|v| v.text.clone())
                    .filter(|t| !t.is_empty());
                marker = Some(given.unwrap_or_else(|| "{}".to_owned()));
            }
        }
        let items: Vec<Value> = if program.walk.is_empty() {
            match &inner.call.input {
                Some(text) if text.is_known() && text.text.len() < 4096 => text
                    .text
                    .split([' ', '\n', '\t', '\0'])
                    .filter(|w| !w.is_empty())
                    .map(|w| Value {
                        glob: text.glob,
                        ..Value::known(w)
                    })
                    .collect(),
                _ => vec![Value::unknown()],
            }
        } else {
            walk::walked(program, read)
        };
        let items = if items.len() > MOST_ITEMS {
            vec![Value::unknown()]
        } else {
            items
        };
        let marked = marker
            .as_deref()
            .filter(|m| !m.is_empty())
            .filter(|m| words.iter().any(|w| w.text.contains(m)));
        let calls: Vec<Vec<Value>> = match marked {
            Some(marker) => items
                .iter()
                .map(|item| {
                    words
                        .iter()
                        .map(|word| {
                            if !word.text.contains(marker) {
                                return word.clone();
                            }
                            Value {
                                text: word.text.replace(marker, &item.text),
                                glob: word.glob || item.glob,
                                splits: word.splits || (item.splits && word.text == marker),
                            }
                        })
                        .collect()
                })
                .collect(),
            // With a marker of one's own, nothing is put at the end (xargs(1), `-I`).
            None if marker.is_some() && !own_marker && program.walk.is_empty() => {
                vec![words.iter().cloned().chain(items).collect()]
            }
            None => vec![words],
        };
        let mut printed = Value::unknown();
        for fields in calls {
            // `parallel 'wc -l {}'`: one word with blanks is a line for the shell.
            if fields.first().is_some_and(|f| f.text.contains(' ')) {
                let line = fields.iter().map(|f| f.text.as_str()).collect::<Vec<_>>();
                self.run_code(inner, Language::Shell, Value::known(line.join(" ")), None);
                continue;
            }
            let call = Call {
                input: None,
                ..inner.call.going_on(fields)
            };
            printed = self.inside(inner, |walker| walker.call(call));
        }
        printed
    }

    /// Walks with the program that is looked through on the way.
    fn inside<T>(&mut self, inner: &Inner<'_>, walk: impl FnOnce(&mut Self) -> T) -> T {
        let same_shell = IN_THIS_SHELL.contains(&inner.name);
        let outer = (!same_shell).then(|| self.snapshot());
        self.scope.via.push(inner.name.to_owned());
        let elsewhere = self.scope.elsewhere;
        if inner.runs.elsewhere {
            self.scope.elsewhere = true;
            self.scope.cwd = None;
        }
        let origin = self.scope.origin.replace(inner.call.origin);
        self.depth += 1;
        let out = walk(self);
        self.depth -= 1;
        match outer {
            Some(outer) => self.leave(outer),
            None => {
                self.scope.via.pop();
                self.scope.origin = origin;
                self.scope.elsewhere = elsewhere;
            }
        }
        out
    }

    /// Runs text in a language.
    fn run_code(
        &mut self,
        inner: &Inner<'_>,
        language: Language,
        text: Value,
        positional: Option<Vec<Value>>,
    ) {
        let index = inner.index;
        match language {
            Language::Argv => {
                if text.text.trim_matches([HOLE, ' ', '\n']).is_empty() {
                    if text.text.contains(HOLE) {
                        self.opaque_code(inner, "the command that it runs is not known");
                    }
                    return;
                }
                let words = shlex::split(&text.text)
                    .unwrap_or_else(|| text.text.split_whitespace().map(str::to_owned).collect());
                let call = Call {
                    input: None,
                    ..inner
                        .call
                        .going_on(words.into_iter().map(Value::known).collect())
                };
                self.inside(inner, |walker| walker.call(call));
            }
            Language::Shell => self.shell_text(inner, &text, positional),
            Language::Script => {
                let from_input = matches!(text.text.as_str(), "-" | "/dev/stdin" | "/dev/fd/0");
                let content = if from_input {
                    let fed_by = inner.call.fed_by.clone();
                    inner.call.input.clone().map(|text| (text, Some(fed_by)))
                } else {
                    self.content_of(&text)
                };
                if let Some((content, programs)) = content {
                    self.fed_by_also(index, programs.unwrap_or_default());
                    self.run_file(content, Some(inner.name), index, inner.call, positional);
                }
            }
            Language::GitAlias => match text.text.strip_prefix('!') {
                Some(command) => {
                    let text = Value {
                        text: command.to_owned(),
                        ..text
                    };
                    self.shell_text(inner, &text, None);
                }
                None => {
                    let text = Value {
                        text: format!("{} {}", inner.name, text.text),
                        ..text
                    };
                    self.run_code(inner, Language::Argv, text, None);
                }
            },
            language => self.payload(inner, language, text),
        }
    }

    fn payload(&mut self, inner: &Inner<'_>, language: Language, text: Value) {
        if text.text.trim_matches([HOLE, ' ', '\n']).is_empty() {
            if text.text.contains(HOLE) {
                self.opaque_code(inner, "the code that it runs is not known");
            }
            return;
        }
        // A program that runs code of a language by other means than its interpreter knows the same calls.
        let program = [Some(inner.name), calls::interpreter(language)]
            .into_iter()
            .flatten()
            .filter_map(|name| self.grammar.program(name))
            .find(|program| !program.calls.is_empty());
        let done = program.map_or_else(calls::Found::default, |program| {
            calls::commands(&program.calls, &text.text)
        });
        if done.more {
            self.opaque_code(inner, "it makes more calls than are read");
        }
        let (parts, commands) = if language == Language::Sql {
            (sql::statements(&text.text), sql::commands(&text.text))
        } else {
            let commands = embedded::commands(language, &text.text);
            (vec![text.text], commands)
        };
        if parts.len() > MOST_STATEMENTS {
            self.opaque_code(inner, "it runs more statements than are read");
        }
        if let Some(action) = self.actions.get_mut(inner.index) {
            let payloads = parts.into_iter().take(MOST_STATEMENTS);
            action
                .payloads
                .extend(payloads.map(|text| Payload { language, text }));
        }
        for command in commands {
            self.shell_text(inner, &Value::known(command), None);
        }
        for mut words in done.commands {
            for word in &mut words {
                if let Some(rest) = word.text.strip_prefix('~')
                    && (rest.is_empty() || rest.starts_with('/'))
                {
                    word.text = format!("{}{rest}", self.home_of(""));
                }
            }
            let usage = match words.first().map(|w| w.text.as_str()) {
                Some(">") => Some(FileUse::Write),
                Some(">>") => Some(FileUse::Append),
                _ => None,
            };
            let origin = inner.call.origin;
            let _ = self.inside(inner, |walker| match (usage, words.last().cloned()) {
                (Some(usage), Some(file)) => {
                    let action = Action {
                        redirections: vec![Redirection { usage, file }],
                        origin,
                        ..walker.blank()
                    };
                    walker.emit(action);
                    Value::default()
                }
                _ => walker.call(Call {
                    input: None,
                    ..inner.call.going_on(words)
                }),
            });
        }
    }

    /// Reads the text of a script that is known, by its `#!` line or the interpreter that was named.
    fn run_file(
        &mut self,
        content: Value,
        interpreter: Option<&str>,
        index: usize,
        call: &Call,
        positional: Option<Vec<Value>>,
    ) {
        let shebang = content
            .text
            .strip_prefix("#!")
            .and_then(|rest| rest.lines().next())
            .map(|line| {
                let mut words = line.split_whitespace().map(base_name);
                match words.next() {
                    Some("env") => words
                        .find(|w| !w.starts_with('-') && !w.contains('='))
                        .unwrap_or("sh"),
                    Some(name) => name,
                    None => "sh",
                }
            });
        let name = match interpreter {
            Some("source" | ".") | None if shebang.is_none() => "bash".to_owned(),
            Some("source" | ".") => "bash".to_owned(),
            Some(name) => name.to_owned(),
            None => shebang.unwrap_or("sh").to_owned(),
        };
        let language = self
            .grammar
            .program(&name)
            .and_then(|p| p.runs.iter().find(|r| r.stdin).and_then(|r| r.language));
        let runs = Runs::default();
        let via = interpreter.unwrap_or(&name).to_owned();
        let inner = Inner {
            runs: &runs,
            name: &via,
            index,
            call,
        };
        match language {
            Some(Language::Shell) => self.shell_text(&inner, &content, positional),
            Some(language) => self.payload(&inner, language, content),
            None => {}
        }
    }

    fn shell_text(&mut self, inner: &Inner<'_>, text: &Value, positional: Option<Vec<Value>>) {
        if text.text.trim_matches([HOLE, ' ', '\n', '\t']).is_empty() {
            if text.text.contains(HOLE) {
                self.opaque_code(inner, "the shell text that it runs is not known");
            }
            return;
        }
        // What a program prints can be any code. A value of the environment or a found name can in theory
        // be, too, but is not the line's doing; `eval` reads even those as code on purpose.
        let printed = !inner.call.substituted.is_empty() || IN_THIS_SHELL.contains(&inner.name);
        if printed && text.text.contains(HOLE) {
            self.opaque_code(inner, "part of the shell text that it runs is not known");
        }
        let dialect = match inner.name {
            "sh" | "dash" => Dialect::Posix,
            _ => Dialect::Bash,
        };
        let reading = syntax::read(&text.text, dialect);
        let _ = self.inside(inner, |walker| {
            if let Some(positional) = positional {
                walker.scope.positional = Some(positional);
            }
            if !IN_THIS_SHELL.contains(&inner.name) && inner.name != "trap" {
                // Another shell knows only the functions that were exported to it.
                let exported = std::mem::take(&mut walker.scope.exported_functions);
                walker
                    .scope
                    .functions
                    .retain(|name, _| exported.contains(name));
                walker.scope.exported_functions = exported;
            }
            walker.scope.input.clone_from(&inner.call.input);
            if !IN_THIS_SHELL.contains(&inner.name) {
                let inherited = &inner.call.inherited;
                for (name, value) in inherited.iter().chain(&inner.call.environment) {
                    let binding = Binding::one(value.clone());
                    walker.scope.variables.insert(name.clone(), binding);
                    if !walker.scope.elsewhere {
                        walker.scope.exported.insert(name.clone());
                    }
                }
            }
            walker.reading(&reading)
        });
    }

    fn opaque_code(&mut self, inner: &Inner<'_>, why: &str) {
        if let Some(action) = self.actions.get_mut(inner.index) {
            if action.opacity < Opacity::Code {
                action.opacity = Opacity::Code;
                action.unknown = Some(why.to_owned());
            }
            for program in &inner.call.substituted {
                if !action.fed_by.contains(program) {
                    action.fed_by.push(program.clone());
                }
            }
        }
    }

    /// Reads the value of a variable that programs execute.
    pub(super) fn variable_code(&mut self, name: &str, value: &Value, origin: Span) {
        let Some(language) = self.grammar.variable(name).and_then(|v| v.runs) else {
            return;
        };
        if !matches!(language, Language::Shell | Language::Argv) || self.depth >= DEEPEST {
            return;
        }
        let action = Action {
            program: String::new(),
            environment: BTreeMap::from([(name.to_owned(), value.clone())]),
            origin,
            ..self.blank()
        };
        let Some(index) = self.emit(action) else {
            return;
        };
        let runs = Runs::default();
        let call = Call {
            fields: Vec::new(),
            environment: BTreeMap::new(),
            inherited: BTreeMap::new(),
            files: Vec::new(),
            input: None,
            fed_by: Vec::new(),
            origin,
            substituted: Vec::new(),
            by_environment: false,
            by_shell: false,
        };
        let inner = Inner {
            runs: &runs,
            name,
            index,
            call: &call,
        };
        self.run_code(&inner, language, value.clone(), None);
    }

    /// A directory as seen from the working directory; none where it is not known.
    fn resolve(&self, directory: &Value) -> Option<String> {
        if !directory.is_known() || directory.glob {
            return None;
        }
        let path = paths::normal(directory, self.scope.cwd.as_deref());
        (!path.floating).then_some(path.text)
    }

    /// What a builtin does to the shell itself.
    fn builtin(&mut self, name: &str, arguments: &[Value], input: Option<&Value>, origin: Span) {
        match name {
            "cd" | "pushd" => {
                let target = arguments.iter().find(|a| !is_flag(&a.text));
                let next = match target {
                    None if name == "pushd" => None,
                    None => Some(self.home_of("")),
                    Some(value) if value.text == "-" => self.scope.previous.clone(),
                    Some(value) => self.resolve(value),
                };
                self.scope.previous = std::mem::replace(&mut self.scope.cwd, next);
            }
            "popd" => {
                let next = self.scope.previous.take();
                self.scope.previous = std::mem::replace(&mut self.scope.cwd, next);
            }
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                for word in arguments.iter().filter(|a| !is_flag(&a.text)) {
                    let (key, value) = match word.text.split_once('=') {
                        Some((key, value)) => (key.trim_end_matches('+'), Some(value)),
                        None => (word.text.as_str(), None),
                    };
                    if !is_name(key) {
                        continue;
                    }
                    let key = key.to_owned();
                    if let Some(value) = value {
                        let binding = Binding::one(Value::known(value));
                        self.assign(&key, binding, origin);
                    } else if name == "local" {
                        self.scope
                            .variables
                            .insert(key.clone(), Binding::one(Value::default()));
                    }
                    if name == "export" && has_letter(arguments, 'f') {
                        self.scope.exported_functions.insert(key);
                    } else if name == "export" || has_letter(arguments, 'x') {
                        self.scope.exported.insert(key);
                    }
                }
            }
            "unset" => {
                for word in arguments.iter().filter(|a| !is_flag(&a.text)) {
                    self.scope.functions.remove(&word.text);
                    self.scope
                        .variables
                        .insert(word.text.clone(), Binding::one(Value::default()));
                }
            }
            "read" | "mapfile" | "readarray" | "getopts" | "let" => {
                let values = match name {
                    "read" | "mapfile" | "readarray" => lines_of(input),
                    _ => vec![Value::unknown()],
                };
                let array = matches!(name, "mapfile" | "readarray");
                let mut names: Vec<&str> = arguments
                    .iter()
                    .map(|a| a.text.as_str())
                    .filter(|a| is_name(a))
                    .collect();
                match (name, names.is_empty()) {
                    ("read", true) => names.push("REPLY"),
                    ("mapfile" | "readarray", true) => names.push("MAPFILE"),
                    _ => {}
                }
                let several = names.len() > 1;
                for variable in names {
                    let values = if several {
                        vec![Value::unknown()]
                    } else {
                        values.clone()
                    };
                    self.scope
                        .variables
                        .insert(variable.to_owned(), Binding { values, array });
                }
            }
            "printf" => {
                if let [flag, variable, rest @ ..] = arguments
                    && flag.text == "-v"
                {
                    let text = output::printed("printf", rest, None, &self.scope);
                    let value = text.unwrap_or_else(Value::unknown);
                    self.scope
                        .variables
                        .insert(variable.text.clone(), Binding::one(value));
                }
            }
            "set" => {
                if let Some(at) = arguments.iter().position(|a| a.text == "--") {
                    let rest = arguments.iter().skip(at + 1).cloned().collect();
                    self.scope.positional = Some(rest);
                } else if arguments
                    .first()
                    .is_some_and(|a| !is_flag(&a.text) && !a.text.starts_with('+'))
                {
                    self.scope.positional = Some(arguments.to_vec());
                }
            }
            "shift" => {
                let count = match arguments.first() {
                    None => Some(1),
                    Some(value) => value.text.parse::<usize>().ok(),
                };
                self.scope.positional = match (self.scope.positional.take(), count) {
                    (Some(values), Some(count)) => Some(values.into_iter().skip(count).collect()),
                    _ => None,
                };
            }
            _ => {}
        }
    }
}

/// Whether an option cluster of a builtin has this letter.
fn has_letter(arguments: &[Value], letter: char) -> bool {
    arguments
        .iter()
        .any(|a| is_flag(&a.text) && !a.text.starts_with("--") && a.text.contains(letter))
}

/// The lines that `read` may find in its input, each a value that the variable may have.
fn lines_of(input: Option<&Value>) -> Vec<Value> {
    let Some(input) = input else {
        return vec![Value::unknown()];
    };
    let lines: Vec<Value> = input
        .text
        .lines()
        .map(|line| Value {
            text: line.to_owned(),
            glob: input.glob,
            splits: false,
        })
        .take(MOST_ITEMS + 1)
        .collect();
    if lines.is_empty() || lines.len() > MOST_ITEMS {
        vec![Value::unknown()]
    } else {
        lines
    }
}

/// One way of running something, within one call.
struct Inner<'a> {
    runs: &'a Runs,
    name: &'a str,
    index: usize,
    call: &'a Call,
}

/// Whether standard input is a file that the line names and does not write.
fn reads_a_file(call: &Call) -> bool {
    call.fed_by.is_empty()
        && call.files.iter().any(|file| {
            file.usage == FileUse::Read
                && file.file.is_known()
                && !file.file.text.starts_with("/dev/")
                && !file.file.text.starts_with("/proc/")
        })
}

fn is_flag(text: &str) -> bool {
    text.len() > 1 && text.starts_with('-')
}

/// The last component of a path.
/// The name of a program without its directory and, as runners of packages take it, without the
/// version (`npx wrangler@3`).
fn base_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.split_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => name,
    }
}

fn positional_after(arguments: &[Value], skip: usize) -> Option<Vec<Value>> {
    Some(arguments.iter().skip(skip).cloned().collect())
}

/// Whether what is run begins where it seems to. It need not where it stands after words that may be
/// several or none (`docker run $FLAGS $IMAGE true`), or where it may as well be a subcommand
/// (`pnpm $STEP`).
fn begins_surely(runs: &Runs, program: &Program, read: &Arguments, base: usize) -> bool {
    let may_be_subcommand =
        program.subcommands > 0 && runs.subcommand.is_empty() && !runs.not_subcommand.is_empty();
    let before = read.positionals.iter().take(base + usize::from(runs.skip));
    let shifts = runs.elsewhere
        && before
            .skip(base)
            .any(|word| word.value.splits && word.value.text.contains(HOLE));
    !may_be_subcommand && !shifts
}

/// How many positional words the subcommand takes; none where it is another one.
fn matched_subcommand(runs: &Runs, read: &Arguments) -> Option<usize> {
    let begins_with = |pattern: &String| -> Option<usize> {
        let mut positionals = read.positionals.iter();
        let mut length = 0;
        for word in pattern.split(' ').filter(|w| !w.is_empty()) {
            if !glob::matches(word, &positionals.next()?.value.text) {
                return None;
            }
            length += 1;
        }
        Some(length)
    };
    if runs.not_subcommand.iter().any(|p| begins_with(p).is_some()) {
        return None;
    }
    if runs.subcommand.is_empty() {
        return Some(0);
    }
    runs.subcommand.iter().filter_map(begins_with).max()
}

fn without_prefix(runs: &Runs, value: &Value) -> Option<Value> {
    let Some(prefix) = &runs.prefix else {
        return Some(value.clone());
    };
    let rest = match prefix.strip_suffix('=') {
        Some(key) if key.contains('*') => {
            let (found, rest) = value.text.split_once('=')?;
            glob::matches(key, found).then_some(rest)?
        }
        _ => value
            .text
            .get(..prefix.len())
            .filter(|p| p.eq_ignore_ascii_case(prefix))
            .and_then(|_| value.text.get(prefix.len()..))?,
    };
    Some(Value {
        text: rest.to_owned(),
        ..value.clone()
    })
}
