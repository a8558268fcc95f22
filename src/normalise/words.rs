//! Words to fields: parameter, command and tilde expansion and word splitting of bash(1), with a
//! hole for every part that cannot be known.

use super::scope::{Binding, Process};
use super::walk::Walker;
use crate::action::{HOLE, Value};
use crate::syntax::{Operation, Piece, Word};

/// Whether a word is one word, whatever it is.
fn is_one(word: &Value) -> bool {
    !word.splits && !word.glob
}

/// The word at a place, an empty one where there are fewer. Where a word before it may be several, it may be any.
fn nth(words: &[Value], place: usize) -> Value {
    if words.iter().take(place).all(is_one) {
        words.get(place).cloned().unwrap_or_default()
    } else {
        Value::unknown()
    }
}

/// The words after so many. Where one of those may be several, some of it may be left.
pub(super) fn after(words: &[Value], count: usize) -> Vec<Value> {
    let (gone, left) = words.split_at_checked(count).unwrap_or((words, &[]));
    let rest = (!gone.iter().all(is_one)).then(Value::unknown);
    rest.into_iter().chain(left.iter().cloned()).collect()
}

/// What bash does with a word, besides putting in what parameters and commands stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expansion {
    /// It is split, and files are looked for.
    Fields,
    /// Files are looked for.
    One,
    /// Nothing more.
    Assigned,
}

/// Fields of one word while they are being built.
#[derive(Default)]
struct Fields {
    done: Vec<Value>,
    current: Value,
    started: bool,
    /// An unquoted `[` stands in the current field.
    bracket: bool,
}

impl Fields {
    /// Adds quoted text, in which no character is special.
    fn push(&mut self, text: &str) {
        self.current.text.push_str(text);
        self.started = true;
    }

    /// Adds text whose pattern characters count. `[` alone is no pattern.
    fn push_pattern(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '*' | '?' => self.current.glob = true,
                '[' => self.bracket = true,
                ']' => self.current.glob |= self.bracket,
                _ => {}
            }
        }
        self.push(text);
    }

    fn finish(&mut self) {
        if self.started {
            self.done.push(std::mem::take(&mut self.current));
            self.started = false;
            self.bracket = false;
        }
    }
}

impl Walker<'_> {
    /// Expands a word to the fields that bash would make of it.
    pub(super) fn expand(&mut self, word: &Word) -> Vec<Value> {
        self.expand_pieces(&word.pieces, Expansion::Fields)
    }

    /// Expands a word where bash does not split, but may look for files: redirections.
    pub(super) fn expand_one(&mut self, word: &Word) -> Value {
        self.expand_whole(word, Expansion::One)
    }

    /// Expands a word that is assigned: bash neither splits it nor looks for files.
    pub(super) fn expand_assigned(&mut self, word: &Word) -> Value {
        self.expand_whole(word, Expansion::Assigned)
    }

    fn expand_whole(&mut self, word: &Word, expansion: Expansion) -> Value {
        let mut fields = self.expand_pieces(&word.pieces, expansion).into_iter();
        let mut first = fields.next().unwrap_or_default();
        for more in fields {
            first.text.push(' ');
            first.text.push_str(&more.text);
            first.glob |= more.glob;
        }
        first.splits = false;
        first
    }

    fn expand_pieces(&mut self, pieces: &[Piece], expansion: Expansion) -> Vec<Value> {
        let split = expansion == Expansion::Fields;
        let mut fields = Fields::default();
        for piece in pieces {
            self.spend(1 + fields.current.text.len() / 256);
            if self.stopped {
                break;
            }
            match piece {
                Piece::Literal { text, quoted } => {
                    // Nothing in quotes is a word, nothing without is none.
                    if !*quoted && text.is_empty() {
                        continue;
                    }
                    if *quoted || expansion == Expansion::Assigned {
                        fields.push(text);
                    } else {
                        fields.push_pattern(text);
                    }
                    if text.contains(HOLE) && !quoted && split {
                        fields.current.splits = true;
                    }
                }
                Piece::Tilde(name) => {
                    let home = self.home_of(name);
                    fields.push(&home);
                }
                Piece::Parameter {
                    name,
                    operation,
                    quoted,
                } => {
                    let values = self.parameter(name, operation, *quoted || !split);
                    self.place_values(&mut fields, values, *quoted || !split);
                }
                Piece::Command { script, quoted } => {
                    let printed = self.substitution(script);
                    self.place_values(&mut fields, vec![printed], *quoted || !split);
                }
                Piece::Process { script, output } => {
                    let path = self.process(script, *output);
                    fields.push(&path);
                }
                Piece::Arithmetic(nested) => {
                    let _ = self.expand_pieces(nested, Expansion::Assigned);
                    fields.push(&HOLE.to_string());
                }
            }
        }
        fields.finish();
        fields.done
    }

    fn place_values(&self, fields: &mut Fields, values: Vec<Value>, quoted: bool) {
        let several = values.len() > 1;
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                fields.finish();
            }
            // Names of files that were found before.
            let is_found = value.glob && !value.splits;
            if quoted {
                fields.push(&value.text);
                fields.current.glob |= is_found;
                fields.current.found |= is_found;
                fields.current.splits |= value.splits && several;
                // An unknown `"$@"` stays several words; an unknown "$x" is one.
                fields.current.splits |= value.splits && value.glob;
                continue;
            }
            let separators = self.separators();
            let mut rest = value.text.as_str();
            while let Some((before, after)) = cut(rest, &separators) {
                if !before.is_empty() {
                    fields.push_pattern(before);
                }
                fields.finish();
                rest = after;
            }
            if !rest.is_empty() {
                fields.push_pattern(rest);
                fields.current.splits |= rest.contains(HOLE) && value.splits;
                fields.current.found |= is_found;
            }
        }
    }

    fn separators(&self) -> String {
        match self.scope.variables.get("IFS") {
            Some(Binding {
                values,
                array: false,
            }) => values
                .first()
                .filter(|v| values.len() == 1 && v.is_known())
                .map_or_else(|| " \t\n".to_owned(), |v| v.text.clone()),
            _ => " \t\n".to_owned(),
        }
    }

    /// The home directory of a person; of ours for an empty name.
    pub(super) fn home_of(&self, name: &str) -> String {
        match name {
            "" => self
                .variable("HOME")
                .map_or_else(|| self.context.place.home.clone(), |v| v.text),
            "+" => self.scope.cwd.clone().unwrap_or_else(|| HOLE.to_string()),
            "-" => self
                .scope
                .previous
                .clone()
                .unwrap_or_else(|| HOLE.to_string()),
            "root" => "/root".to_owned(),
            name => format!("/home/{name}"),
        }
    }

    /// The value of a variable where it has exactly one.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        if let Some(binding) = self.scope.variables.get(name) {
            return match binding.values.as_slice() {
                [] => Some(Value::default()),
                [one] => Some(one.clone()),
                [first, ..] if binding.array => Some(first.clone()),
                // The worlds of a simple command choose among alternatives before words are expanded.
                _ => Some(Value::unknown()),
            };
        }
        match name {
            // A number, whichever it is.
            "?" | "#" => return Some(Value::known("0")),
            "PWD" => {
                return Some(
                    self.scope
                        .cwd
                        .clone()
                        .map_or_else(Value::unknown, Value::known),
                );
            }
            "OLDPWD" => {
                return Some(
                    self.scope
                        .previous
                        .clone()
                        .map_or_else(Value::unknown, Value::known),
                );
            }
            "IFS" => return Some(Value::known(" \t\n")),
            _ => {}
        }
        if let Some(value) = (self.context.environment)(name) {
            return Some(Value::known(value));
        }
        if name == "HOME" {
            return Some(Value::known(self.context.place.home.clone()));
        }
        if self.context.whole_environment {
            return None;
        }
        self.grammar
            .variable(name)
            .and_then(|v| v.assume.clone())
            .map(Value::known)
    }

    fn parameter(&mut self, name: &str, operation: &Operation, quoted: bool) -> Vec<Value> {
        let unknown = |all: bool| {
            vec![Value {
                text: HOLE.to_string(),
                glob: all,
                splits: true,
                found: false,
            }]
        };
        if let "@" | "*" = name {
            let Operation::Plain = operation else {
                self.walk_operation(operation);
                return unknown(true);
            };
            return match &self.scope.positional {
                Some(values) if name == "*" && quoted => {
                    let joined = values.iter().map(|v| v.text.as_str()).collect::<Vec<_>>();
                    vec![Value::known(joined.join(" "))]
                }
                Some(values) => values.clone(),
                None => unknown(true),
            };
        }
        let value = match name.parse::<usize>() {
            Ok(0) => None,
            Ok(index) => {
                let values = self.scope.positional.as_ref();
                values.map(|values| nth(values, index - 1))
            }
            Err(_) => self.variable(name),
        };
        let value = match value {
            None if self.scope.sets_any && is_name(name) => Some(Value::unknown()),
            value => value,
        };
        let unset = value.is_none() && self.context.whole_environment && is_name(name);
        match operation {
            Operation::Plain => match value {
                Some(value) => vec![value],
                None if unset => vec![Value::default()],
                None => unknown(false),
            },
            Operation::Default(word) | Operation::Assign(word) => {
                let other = self.expand_one(word);
                match value {
                    Some(value) if !value.text.is_empty() => vec![value],
                    _ => {
                        if let Operation::Assign(_) = operation {
                            self.scope
                                .variables
                                .insert(name.to_owned(), Binding::one(other.clone()));
                        }
                        vec![other]
                    }
                }
            }
            Operation::Alternative(word) => {
                let other = self.expand_one(word);
                match value {
                    Some(value) if value.is_known() && !value.text.is_empty() => vec![other],
                    Some(value) if value.is_known() => vec![Value::default()],
                    _ if unset => vec![Value::default()],
                    _ if other.text.is_empty() => vec![other],
                    _ => unknown(false),
                }
            }
            Operation::Other(words) => {
                let operand = literal(words);
                self.walk_operation(operation);
                match (operand.as_deref(), value) {
                    (Some("[@]" | "[*]"), _) => match self.scope.variables.get(name) {
                        Some(binding) if binding.array => binding.values.clone(),
                        _ => unknown(true),
                    },
                    (Some(operand), _)
                        if let Some(place) = element(operand)
                            && let Some(binding) = self.scope.variables.get(name)
                            && binding.array =>
                    {
                        vec![nth(&binding.values, place)]
                    }
                    (Some(operand), Some(value)) if value.is_known() => {
                        match without_affix(&value.text, operand) {
                            // What ends the names of files that were found is not known, but they are still those.
                            Some(text) => vec![Value {
                                glob: value.glob,
                                ..Value::known(text)
                            }],
                            None => unknown(false),
                        }
                    }
                    _ => unknown(false),
                }
            }
        }
    }

    fn walk_operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Plain => {}
            Operation::Default(word) | Operation::Assign(word) | Operation::Alternative(word) => {
                let _ = self.expand_one(word);
            }
            Operation::Other(words) => {
                for word in words {
                    let _ = self.expand_one(word);
                }
            }
        }
    }

    /// Walks a command substitution and gives what it prints, without the last newlines.
    fn substitution(&mut self, script: &crate::syntax::Script) -> Value {
        let outer = self.snapshot();
        let mut printed = self.script(script);
        self.leave(outer);
        let kept = printed.text.trim_end_matches('\n').len();
        printed.text.truncate(kept);
        printed.splits |= printed.text.contains(HOLE);
        printed
    }

    /// Walks a process substitution; its path stands for what it prints.
    fn process(&mut self, script: &crate::syntax::Script, output: bool) -> String {
        let outer = self.snapshot();
        let from = self.actions.len();
        if output {
            self.scope.beside = true;
        }
        let printed = self.script(script);
        let programs = self.programs_since(from);
        self.leave(outer);
        let number = self.processes.len();
        self.processes.push(Process {
            output: printed,
            programs,
        });
        format!("/dev/fd/{HOLE}{number}")
    }
}

/// Whether a text is a variable name.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Cuts at the first separator and passes over those that follow, as IFS whitespace does.
fn cut<'t>(text: &'t str, separators: &str) -> Option<(&'t str, &'t str)> {
    let at = text.find(|c| separators.contains(c))?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, after.trim_start_matches(|c| separators.contains(c))))
}

/// Which element `[N]` names.
fn element(operand: &str) -> Option<usize> {
    operand.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The text of a single word without expansions.
fn literal(words: &[Word]) -> Option<String> {
    let [word] = words else { return None };
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Literal { text: part, .. } => text.push_str(part),
            _ => return None,
        }
    }
    Some(text)
}

/// `${name#pattern}`, `##`, `%` and `%%` of a known value.
fn without_affix(text: &str, operand: &str) -> Option<String> {
    let operator = operand.chars().next().filter(|c| matches!(c, '#' | '%'))?;
    let rest = operand.strip_prefix(operator)?;
    let (pattern, longest) = match rest.strip_prefix(operator) {
        Some(pattern) => (pattern, true),
        None => (rest, false),
    };
    if pattern.contains(['[', '|', '\\', '(']) {
        return None;
    }
    let ends = text
        .char_indices()
        .map(|(at, _)| at)
        .chain(std::iter::once(text.len()));
    let mut cuts: Vec<usize> = ends.collect();
    // The shortest match first: a short prefix, or a suffix that begins late.
    if (operator == '%') != longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = text.split_at_checked(cut)?;
        let (part, kept) = if operator == '#' {
            (head, tail)
        } else {
            (tail, head)
        };
        if crate::policy::glob::matches(pattern, part) {
            return Some(kept.to_owned());
        }
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_suffixes_are_removed_as_bash_does() {
        for (text, operand, expected) in [
            ("/a/b/c", "##*/", "c"),
            ("/a/b/c", "#*/", "a/b/c"),
            ("/a/b/c", "%/*", "/a/b"),
            ("/a/b/c", "%%/*", ""),
            ("dir/", "%/", "dir"),
            ("x.tar.gz", "%.gz", "x.tar"),
            ("x", "%y", "x"),
        ] {
            assert_eq!(
                without_affix(text, operand).as_deref(),
                Some(expected),
                "{text} {operand}"
            );
        }
    }
}
