//! Text that a program executes: shell lines become actions, scripts are read where they are known, and
//! code in other languages is kept for the rules, with the commands that stand in it.

use std::path::{Path, PathBuf};

use super::call::{Call, IN_THIS_SHELL, MOST_STATEMENTS, base_name, file_read, is_fed_a_file};
use super::runs::Inner;
use super::scope::Binding;
use super::walk::{DEEPEST, Walker};
use super::{calls, embedded, sql};
use crate::action::{Action, FileUse, HOLE, OnDisk, Payload, Redirection, Shown, Value};
use crate::policy::schema::{Language, Runs};
use crate::probe::Content;
use crate::syntax::{self, Dialect};

/// The longest file on disk that is read, in bytes.
pub const LONGEST_FILE: usize = 256 << 10;

/// The longest file that a shell is told to carry out and that is read, in bytes: some agents have one with all functions of
/// a person carried out before each command, and reading such a one takes longer than all the rest.
const LONGEST_SOURCED: usize = 8 << 10;

/// Builtins that carry out a file in the shell itself.
const SOURCING: &[&str] = &["source", "."];

impl Walker<'_> {
    /// Runs text in a language.
    pub(super) fn run_code(
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
                        let why = "the command that it runs is not known";
                        self.opaque_code(inner, inner.shown(), why);
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
                if from_input && is_fed_a_file(inner.call) && !inner.call.is_fed_from_here {
                    if let Some(file) = file_read(inner.call) {
                        self.run_file_on_disk(inner, &file.clone());
                    }
                    return;
                }
                let content = if from_input {
                    let fed_by = inner.call.fed_by.clone();
                    inner.call.input.clone().map(|text| (text, Some(fed_by)))
                } else {
                    self.content_of(&text)
                };
                if let Some((content, programs)) = content {
                    self.fed_by_also(index, programs.unwrap_or_default());
                    self.run_file(content, Some(inner.name), index, inner.call, positional);
                } else if !from_input {
                    self.run_file_on_disk(inner, &text);
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

    pub(super) fn payload(&mut self, inner: &Inner<'_>, language: Language, text: Value) {
        if text.text.trim_matches([HOLE, ' ', '\n']).is_empty() {
            if text.text.contains(HOLE) {
                self.opaque_code(inner, Shown::Never, "the code that it runs is not known");
            }
            return;
        }
        // The program does itself what the code says: of the commands in it no start is sure to be seen.
        let from = self.actions.len();
        let in_words = self.actions.get(inner.index).is_some_and(|action| {
            let words: Vec<&str> = action.arguments.iter().map(|w| w.text.as_str()).collect();
            // Some take the rest of their words for the code: `redis-cli config set dir /tmp`.
            words.join(" ").contains(&text.text)
        });
        let shown = if in_words { Shown::Words } else { Shown::Never };
        // A program that runs code of a language by other means than its interpreter knows the same calls.
        let program = [Some(inner.name), calls::interpreter(language)]
            .into_iter()
            .flatten()
            .filter_map(|name| self.grammar.program(name))
            .find(|program| !program.calls.is_empty());
        let done = program.map_or_else(calls::Found::default, |program| {
            calls::commands(&program.calls, language, &text.text)
        });
        if done.more {
            self.opaque_code(inner, Shown::Never, "it makes more calls than are read");
        }
        let (mut read, mut written) = (Vec::new(), Vec::new());
        let (parts, commands) = if language == Language::Sql {
            read = sql::files_read(&text.text);
            written = sql::files_written(&text.text);
            (sql::statements(&text.text), sql::commands(&text.text))
        } else {
            let commands = embedded::commands(language, &text.text);
            (vec![text.text], commands)
        };
        if parts.len() > MOST_STATEMENTS {
            self.opaque_code(inner, Shown::Never, "it runs more statements than are read");
        }
        if let Some(action) = self.actions.get_mut(inner.index) {
            let payloads = parts.into_iter().take(MOST_STATEMENTS);
            action.payloads.extend(payloads.map(|text| Payload {
                language,
                text,
                shown,
            }));
        }
        for command in commands {
            self.shell_text(inner, &Value::known(command), None);
        }
        self.carry_out(inner, done.commands);
        self.show_no_more_than(shown, from);
        for file in read {
            self.client_reads(inner, &file);
        }
        for file in written {
            self.client_writes(inner, file);
        }
    }

    /// A client goes on in a file that its code names.
    fn client_reads(&mut self, inner: &Inner<'_>, file: &str) {
        // As much as a statement or more.
        const WORK: usize = 1_000;
        self.spend(WORK);
        let is_worked_out = file.starts_with(['`', ':']) || file.contains(HOLE);
        if is_worked_out || self.depth >= DEEPEST || self.stopped {
            let why = "the file of code that it goes on in is not known";
            self.opaque_code(inner, Shown::Never, why);
            return;
        }
        self.depth += 1;
        self.run_file_on_disk(inner, &Value::known(file));
        self.depth -= 1;
    }

    /// A client writes a file anew that its code names, as of the moment when it starts.
    fn client_writes(&mut self, inner: &Inner<'_>, file: String) {
        const LIKE: &str = "cat";
        let from = self.actions.len();
        let origin = inner.call.origin;
        self.inside(inner, |walker| {
            let action = Action {
                program: LIKE.to_owned(),
                path: Value::known(LIKE),
                redirections: vec![Redirection {
                    usage: FileUse::Write,
                    file: Value::known(file),
                }],
                origin,
                ..walker.blank()
            };
            walker.emit(action);
        });
        self.show_no_more_than(Shown::Never, from);
        self.is_of_a_file(inner.index, from, OnDisk::Stands);
    }

    /// Follows what calls amount to.
    fn carry_out(&mut self, inner: &Inner<'_>, commands: Vec<Vec<Value>>) {
        for mut words in commands {
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
                    files: Vec::new(),
                    input: None,
                    ..inner.call.going_on(words)
                }),
            });
        }
    }

    /// Reads code in a file that was there before the line, as it is now: statements of SQL, and of other languages
    /// what the program plainly does itself to files that are named. Programs that it starts are seen as they start; what
    /// cannot be read or is not plain stays unknown.
    pub(super) fn run_file_on_disk(&mut self, inner: &Inner<'_>, file: &Value) {
        if SOURCING.contains(&inner.name) {
            self.source_on_disk(inner, file);
            return;
        }
        let Some(language) = self.language_of(inner.name) else {
            return;
        };
        if matches!(language, Language::Shell | Language::Argv) {
            return;
        }
        let Some(path) = self.path_on_disk(file) else {
            return;
        };
        let index = inner.index;
        if let Some(action) = self.actions.get_mut(index) {
            action.on_disk = OnDisk::Runs;
        }
        let Some(content) = self.code_at(inner, &path, LONGEST_FILE) else {
            return;
        };
        if language == Language::Sql {
            self.payload(inner, language, Value::known(content));
            return;
        }
        let Some(program) = self
            .grammar
            .program(calls::interpreter(language).unwrap_or(inner.name))
        else {
            return;
        };
        let mut found = calls::commands(&program.calls, language, &content).commands;
        let is_named = |word: &Value| word.is_known() && !word.glob;
        found.retain(|words| words.iter().all(is_named));
        let from = self.actions.len();
        let cwd = self.scope.cwd.clone();
        if content.contains("chdir") {
            self.scope.cwd = None;
        }
        self.carry_out(inner, found);
        self.scope.cwd = cwd;
        self.show_no_more_than(Shown::Never, from);
        self.is_of_a_file(index, from, OnDisk::Stands);
    }

    /// The text of a file that a program runs, where it is one and not longer than that; says where it does not come in time.
    fn code_at(&mut self, inner: &Inner<'_>, path: &Path, longest: usize) -> Option<String> {
        let text = self.text_at(path, longest);
        if text.is_err() {
            let why = "the file of code that it runs could not be read in time";
            self.opaque_code(inner, Shown::Never, why);
        }
        text.ok().flatten()
    }

    /// The same, of any file; an error where it does not come in time.
    fn text_at(&self, path: &Path, longest: usize) -> Result<Option<String>, ()> {
        match self.context.probe.content(path) {
            Content::Bytes(content) if content.len() <= longest => {
                Ok(String::from_utf8(content).ok())
            }
            Content::Bytes(_) | Content::None => Ok(None),
            Content::Late => Err(()),
        }
    }

    /// Reads a file that the shell itself carries out. Programs that it starts are seen as they start; what the shell does
    /// by itself in it is judged, and nothing else of the line changes: of what is not read nothing is known either.
    fn source_on_disk(&mut self, inner: &Inner<'_>, file: &Value) {
        if self.depth >= DEEPEST || self.stopped {
            return;
        }
        let Some(path) = self.path_on_disk(file) else {
            return;
        };
        let Some(content) = self.code_at(inner, &path, LONGEST_SOURCED) else {
            return;
        };
        self.spend(content.len());
        let outer = self.snapshot();
        let from = self.actions.len();
        self.run_file(
            Value::known(content),
            Some(inner.name),
            inner.index,
            inner.call,
            None,
        );
        // What is too much to be read is no more than what is not read at all; but what it has spent is spent, and the rest
        // of the line says so.
        if self.stopped {
            self.stopped = false;
            self.actions.truncate(from);
        }
        self.scope = outer;
        self.is_of_a_file(inner.index, from, OnDisk::Sourced);
    }

    /// A call that goes elsewhere with a file of this machine on its standard input: with the text of that, where it can be
    /// read.
    pub(super) fn text_sent(&mut self, call: &Call) -> Option<Call> {
        if self.scope.elsewhere || !is_fed_a_file(call) {
            return None;
        }
        let path = self.path_on_disk(file_read(call)?);
        let text = path.and_then(|path| self.text_at(&path, LONGEST_FILE).ok()?);
        self.spend(text.as_ref().map_or(0, String::len));
        Some(match text {
            Some(text) => Call {
                input: Some(Value::known(text)),
                ..call.clone()
            },
            None => Call {
                is_fed_from_here: true,
                ..call.clone()
            },
        })
    }

    /// Notes that the actions from an index on follow from a file that a program is given.
    pub(super) fn is_of_a_file(&mut self, program: usize, from: usize, how: OnDisk) {
        for action in self.actions.iter_mut().skip(from) {
            // Code that such a file starts is read again when it starts.
            if action.on_disk != OnDisk::Stands {
                action.on_disk = how;
            }
        }
        if let Some(action) = self.actions.get_mut(program) {
            action.on_disk = OnDisk::Runs;
        }
    }

    /// The language that an interpreter reads on its standard input.
    fn language_of(&self, name: &str) -> Option<Language> {
        let program = self.grammar.program(name)?;
        program.runs.iter().find(|runs| runs.stdin)?.language
    }

    /// Where a file is that a word names on this machine; none where that is not known, or it is part of the system.
    fn path_on_disk(&self, file: &Value) -> Option<PathBuf> {
        if !file.is_known() || file.glob || self.scope.elsewhere || file.text.is_empty() {
            return None;
        }
        let path = Path::new(self.scope.cwd.as_deref()?).join(&file.text);
        (!self.grammar.is_of_the_system(&path, &self.context.place)).then_some(path)
    }

    /// Reads the text of a script that is known, by its `#!` line or the interpreter that was named.
    pub(super) fn run_file(
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
        let language = self.language_of(&name);
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

    pub(super) fn shell_text(
        &mut self,
        inner: &Inner<'_>,
        text: &Value,
        positional: Option<Vec<Value>>,
    ) {
        if text.text.trim_matches([HOLE, ' ', '\n', '\t']).is_empty() {
            if text.text.contains(HOLE) {
                let why = "the shell text that it runs is not known";
                self.opaque_code(inner, inner.shown(), why);
            }
            return;
        }
        // What a program prints can be any code. A value of the environment or a found name can in theory
        // be, too, but is not the line's doing; `eval` reads even those as code on purpose.
        let printed = !inner.call.substituted.is_empty() || IN_THIS_SHELL.contains(&inner.name);
        if printed && text.text.contains(HOLE) {
            let why = "part of the shell text that it runs is not known";
            self.opaque_code(inner, inner.shown(), why);
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
                    walker.scope.variables.insert(name.as_str(), binding);
                    if !walker.scope.elsewhere {
                        walker.scope.exported.insert(name.clone());
                    }
                }
            }
            walker.reading(&reading)
        });
    }
}
