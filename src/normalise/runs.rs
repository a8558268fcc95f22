//! The ways in which a program runs something else, as the packs tell them: operands, options, standard
//! input, and what is found or piped in.

use std::collections::BTreeMap;

use super::call::{Call, IN_THIS_SHELL, MOST_ITEMS, base_name, file_read, is_fed_a_file};
use super::walk::{DEEPEST, Walker};
use super::words::{after, is_name};
use crate::action::{Action, HOLE, OnDisk, Opacity, Shown, Value};
use crate::policy::arguments::{Arguments, Positional};
use crate::policy::schema::{Language, Program, Runs};
use crate::policy::{glob, walk};
use crate::syntax::Span;

/// One way of running something, within one call.
pub(super) struct Inner<'a> {
    pub(super) runs: &'a Runs,
    pub(super) name: &'a str,
    pub(super) index: usize,
    pub(super) call: &'a Call,
}

impl Inner<'_> {
    /// What is seen of shell text or of a command that is run in this way, where every start of a program
    /// is watched.
    pub(super) fn shown(&self) -> Shown {
        let from_input =
            self.runs.stdin && self.runs.option.is_empty() && self.runs.operands.is_none();
        match (self.runs.elsewhere || self.runs.apart, from_input) {
            (false, _) => Shown::Start,
            (true, false) => Shown::Words,
            (true, true) => Shown::Never,
        }
    }
}

impl Walker<'_> {
    /// Follows one of the ways in which a program runs something; gives the output of an inner command.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one call, read once"
    )]
    pub(super) fn look_through(
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
        // What goes to another host or container no start here shows.
        let sent = if runs.elsewhere || runs.apart {
            self.text_sent(call)
        } else {
            None
        };
        let inner = Inner {
            runs,
            name,
            index,
            call: sent.as_ref().unwrap_or(call),
        };
        let from = self.actions.len();
        let printed = self.look_inside(&inner, program, read, arguments, base);
        if sent.is_some_and(|call| !call.is_fed_from_here) {
            self.is_of_a_file(index, from, OnDisk::Sent);
        }
        printed
    }

    /// As [`Self::look_through`], of a way that is taken.
    fn look_inside(
        &mut self,
        inner: &Inner<'_>,
        program: &Program,
        read: &Arguments,
        arguments: &[Value],
        base: usize,
    ) -> Option<Value> {
        let Inner { runs, call, .. } = *inner;
        if let Some(program) = &runs.program {
            let after = base
                .checked_sub(1)
                .and_then(|last| read.positionals.get(last))
                .map_or(0, |word| word.at + 1);
            let fields = std::iter::once(Value::known(program))
                .chain(arguments.iter().skip(after).cloned())
                .collect();
            let call = call.going_on(fields);
            return Some(self.inside(inner, |walker| walker.call(call)));
        }
        if let Some(language) = runs.operands {
            return self.run_operands(inner, language, program, read, arguments, base);
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
                        self.run_code(inner, runs.language.unwrap_or_default(), value, None);
                    } else {
                        // `-mMODULE`: the first word is glued to the option.
                        let glued = flag.value.iter().filter(|_| flag.value_at == flag.at);
                        let rest = glued.chain(arguments.iter().skip(flag.at + 1));
                        // A `+` ends the command only behind what is found (find(1)).
                        let mut before = None;
                        let end = rest.clone().position(|word| {
                            let marker = before.replace(&word.text);
                            runs.until.contains(&word.text)
                                && (word.text != "+"
                                    || runs.appends.is_none()
                                    || marker == runs.appends.as_ref())
                        });
                        let length = end.unwrap_or(usize::MAX);
                        let mut words: Vec<Value> = rest.take(length).cloned().collect();
                        // Without its end, a command takes what is found as its last word.
                        if end.is_none()
                            && let Some(marker) = &runs.appends
                            && !words.iter().any(|w| w.text.contains(marker))
                        {
                            words.push(Value::known(marker));
                        }
                        printed = Some(self.run_items(inner, words, program, read));
                    }
                }
            }
            return printed;
        }
        let has_operands = read.positionals.len() > base + usize::from(runs.skip);
        if runs.stdin && !(runs.without_operands && has_operands) {
            let language = runs.language.unwrap_or_default();
            match &call.input {
                // `bash < FILE` is no more than `bash FILE`.
                Some(_) if is_fed_a_file(call) => {
                    let is_shell = matches!(language, Language::Shell | Language::Argv);
                    if is_shell && call.is_fed_from_here {
                        let why = "the file of code on its standard input is not known";
                        self.opaque_code(inner, Shown::Never, why);
                        return None;
                    }
                    if let Some(file) = file_read(call) {
                        self.run_file_on_disk(inner, &file.clone());
                    }
                }
                Some(text)
                    if text.text.trim_matches([HOLE, '\n']).is_empty()
                        && text.text.contains(HOLE) =>
                {
                    let shown = match language {
                        Language::Shell | Language::Argv => inner.shown(),
                        _ => Shown::Never,
                    };
                    self.opaque_code(inner, shown, "the code on its standard input is not known");
                }
                Some(text) => self.run_code(inner, language, text.clone(), None),
                None => {}
            }
        }
        None
    }

    pub(super) fn run_operands(
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
            let rest: Vec<Value> = rest.iter().map(|p| p.value.clone()).collect();
            let positional = after(&rest, named);
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
    pub(super) fn run_described<'v>(
        &mut self,
        inner: &Inner<'_>,
        words: impl Iterator<Item = &'v Value>,
    ) {
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
    pub(super) fn run_items(
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
                                found: word.found || item.found,
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
    pub(super) fn inside<T>(&mut self, inner: &Inner<'_>, walk: impl FnOnce(&mut Self) -> T) -> T {
        let same_shell = IN_THIS_SHELL.contains(&inner.name);
        let outer = (!same_shell).then(|| self.snapshot());
        self.scope.via.push(inner.name.to_owned());
        let elsewhere = self.scope.elsewhere;
        if inner.runs.elsewhere {
            self.scope.elsewhere = true;
            self.scope.cwd = None;
        }
        let origin = self.scope.origin.replace(inner.call.origin);
        let from = self.actions.len();
        self.depth += 1;
        let out = walk(self);
        self.depth -= 1;
        self.show_no_more_than(inner.shown(), from);
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

    /// Notes that the actions from an index on are seen no better than so, where starts are watched.
    pub(super) fn show_no_more_than(&mut self, shown: Shown, from: usize) {
        if shown > Shown::Start {
            for action in self.actions.iter_mut().skip(from) {
                action.shown = action.shown.max(shown);
            }
        }
    }

    /// Notes that the program would run code that is not known, and what will be seen of that code.
    pub(super) fn opaque_code(&mut self, inner: &Inner<'_>, shown: Shown, why: &str) {
        if let Some(action) = self.actions.get_mut(inner.index) {
            action.code = action.code.max(shown);
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
            is_fed_from_here: false,
        };
        let inner = Inner {
            runs: &runs,
            name,
            index,
            call: &call,
        };
        self.run_code(&inner, language, value.clone(), None);
    }
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
