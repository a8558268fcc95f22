//! One program with its arguments: the action it is, and whatever it runs in turn.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use super::walk::{DEEPEST, Plumbing, Walker};
use super::{Input, output};
use crate::action::{Action, FileUse, HOLE, Opacity, Redirection, Value};
use crate::policy::arguments::{self};
use crate::policy::{paths, walk};
use crate::syntax::{Command, Compound, Span};

/// Builtins whose operands run in the shell itself, so that what they set stays.
pub(super) const IN_THIS_SHELL: &[&str] = &["eval", "source", ".", "command", "builtin", "exec"];
/// How many found or piped-in words a command is tried with.
pub(super) const MOST_ITEMS: usize = 12;
/// How many statements of one SQL text are judged.
pub(super) const MOST_STATEMENTS: usize = 2000;

/// A program about to be called.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) fields: Vec<Value>,
    pub(super) environment: BTreeMap<String, Value>,
    /// What the programs around it were given.
    pub(super) inherited: BTreeMap<String, Value>,
    pub(super) files: Vec<Redirection>,
    pub(super) input: Option<Value>,
    pub(super) fed_by: Vec<String>,
    pub(super) origin: Span,
    /// The programs whose output stands in its words.
    pub(super) substituted: Vec<String>,
    /// The program is named by a variable that only the environment could tell.
    pub(super) by_environment: bool,
    /// The shell itself calls it, so that a builtin changes the shell.
    pub(super) by_shell: bool,
    /// It runs on another host or in a container, and its standard input is a file of this machine that is not known.
    pub(super) is_fed_from_here: bool,
}

impl Call {
    /// A call of other words from the same place, with the same input.
    pub(super) fn going_on(&self, fields: Vec<Value>) -> Self {
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
            is_fed_from_here: self.is_fed_from_here,
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
    /// Calls a program with words that no shell reads any more.
    pub(super) fn exec(
        mut self,
        fields: Vec<Value>,
        environment: BTreeMap<String, Value>,
        input: Input,
    ) -> Vec<Action> {
        let (text, files) = match input {
            Input::None => (self.scope.input.clone(), Vec::new()),
            Input::Text(text) => (Some(text), Vec::new()),
            Input::File(file) => {
                let usage = FileUse::Read;
                let files = vec![Redirection { usage, file }];
                (Some(Value::known(HOLE.to_string())), files)
            }
        };
        let _ = self.call(Call {
            fields,
            environment,
            inherited: BTreeMap::new(),
            files,
            input: text,
            fed_by: Vec::new(),
            origin: Span::default(),
            substituted: Vec::new(),
            by_environment: false,
            by_shell: false,
            is_fed_from_here: false,
        });
        self.actions
    }

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
            is_fed_from_here: false,
        });
        if !exec {
            self.scope.descriptors = kept;
        }
        printed
    }

    pub(super) fn call(&mut self, call: Call) -> Value {
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
            || (path.glob && !self.is_of_the_project(path, &arguments))
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
            by_shell: call.by_shell,
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
            self.run_file(text, None, index, &call, Some(arguments.clone()));
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

    /// A directory as seen from the working directory; none where it is not known.
    pub(super) fn resolve(&self, directory: &Value) -> Option<String> {
        if !directory.is_known() || directory.glob {
            return None;
        }
        let path = paths::normal(directory, self.scope.cwd.as_deref());
        (!path.floating).then_some(path.text)
    }

    /// Whether a word stands for one of the project's own programs (`for t in tests/*.sh; do "$t"; done`), none
    /// of the system and no copy of one that is told what to do.
    fn is_of_the_project(&self, program: &Value, arguments: &[Value]) -> bool {
        let Some((directory, name)) = program.text.rsplit_once('/') else {
            return false;
        };
        if !program.found || !program.is_known() {
            return false;
        }
        let is_script = name.contains('.');
        if !is_script && !arguments.iter().all(|word| is_flag(&word.text)) {
            return false;
        }
        let is_below = !directory.is_empty() && !directory.starts_with('/');
        // What a pattern stands for is below what stands before it.
        let mut parts = directory.split('/');
        let is_open = |part: &&str| part.contains(['*', '?', '[']);
        let before: Vec<&str> = parts.by_ref().take_while(|part| !is_open(part)).collect();
        let climbs = parts.any(|part| part == "..");
        let before = Value::known(format!("./{}", before.join("/")));
        is_below
            && !climbs
            && self.resolve(&before).is_some_and(|found| {
                let one = Path::new(&found).join("x");
                !self.grammar.is_of_the_system(&one, &self.context.place)
            })
    }
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

/// Whether standard input is a file that the call names, whose text the line does not tell.
pub(super) fn is_fed_a_file(call: &Call) -> bool {
    let is_hole = |text: &Value| text.text.strip_prefix(HOLE) == Some("");
    call.input.as_ref().is_some_and(is_hole) && reads_a_file(call)
}

/// The file that standard input is.
pub(super) fn file_read(call: &Call) -> Option<&Value> {
    let mut files = call.files.iter().rev();
    let file = files.find(|file| file.usage == FileUse::Read)?;
    Some(&file.file)
}

pub(super) fn is_flag(text: &str) -> bool {
    text.len() > 1 && text.starts_with('-')
}

/// The name of a program without its directory and, as runners of packages take it, without the
/// version (`npx wrangler@3`).
pub fn base_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.split_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => name,
    }
}
