//! What builtins do to the shell itself: directory, variables, parameters.

use super::call::{MOST_ITEMS, is_flag};
use super::output;
use super::scope::Binding;
use super::walk::Walker;
use super::words::{after, is_name};
use crate::action::{HOLE, Value};
use crate::syntax::Span;

impl Walker<'_> {
    /// What a builtin does to the shell itself.
    pub(super) fn builtin(
        &mut self,
        name: &str,
        arguments: &[Value],
        input: Option<&Value>,
        origin: Span,
    ) {
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
                // A name for another variable, which is set by it from now on; of `export` the letter says that it no
                // longer is exported.
                let is_reference = name != "export" && has_letter(arguments, 'n');
                for word in arguments.iter().filter(|a| !is_flag(&a.text)) {
                    let (key, value) = match word.text.split_once('=') {
                        Some((key, value)) => (key.trim_end_matches('+'), Some(value)),
                        None => (word.text.as_str(), None),
                    };
                    let (place, key) = (key, name_of(key));
                    if !is_name(key) {
                        self.scope.sets_any |= key.contains(HOLE);
                        continue;
                    }
                    let key = key.to_owned();
                    if let Some(value) = value.filter(|_| is_reference) {
                        for name in [&key, name_of(value)] {
                            let unknown = Binding::one(Value::unknown());
                            self.scope.variables.insert(name, unknown);
                        }
                        self.scope.sets_any |= value.contains(HOLE);
                    } else if let Some(value) = value {
                        let binding = Binding::one(Value::known(value));
                        let binding = self.at_place(place, binding);
                        self.assign(&key, binding, origin);
                    } else if name == "local" {
                        let empty = Binding::one(Value::default());
                        self.scope.variables.insert(key.as_str(), empty);
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
                    let empty = Binding::one(Value::default());
                    self.scope.variables.insert(word.text.as_str(), empty);
                }
            }
            "read" | "mapfile" | "readarray" | "getopts" | "let" => {
                let values = match name {
                    "read" | "mapfile" | "readarray" => lines_of(input),
                    _ => vec![Value::unknown()],
                };
                let array = matches!(name, "mapfile" | "readarray");
                self.scope.sets_any |= arguments.iter().any(may_be_a_name);
                let texts = arguments.iter().map(|a| a.text.as_str());
                let texts = texts.filter_map(|text| match name {
                    "let" => text
                        .split(|one: char| !one.is_alphanumeric() && one != '_')
                        .next(),
                    _ => Some(text),
                });
                let mut places: Vec<&str> = texts.filter(|text| is_name(name_of(text))).collect();
                match (name, places.is_empty()) {
                    ("read", true) => places.push("REPLY"),
                    ("mapfile" | "readarray", true) => places.push("MAPFILE"),
                    ("getopts", _) => places.push("OPTARG"),
                    _ => {}
                }
                let several = places.len() > 1;
                for place in places {
                    let is_element = place.contains('[') && values.len() > 1;
                    let values = if several || is_element {
                        vec![Value::unknown()]
                    } else {
                        values.clone()
                    };
                    let binding = self.at_place(place, Binding { values, array });
                    self.scope.variables.insert(name_of(place), binding);
                }
            }
            "printf" => {
                if let [flag, variable, rest @ ..] = arguments
                    && flag.text == "-v"
                {
                    let text = output::printed("printf", rest, None, &self.scope);
                    let value = text.unwrap_or_else(Value::unknown);
                    self.scope.sets_any |= may_be_a_name(variable);
                    let binding = self.at_place(&variable.text, Binding::one(value));
                    self.scope
                        .variables
                        .insert(name_of(&variable.text), binding);
                }
            }
            "set" => {
                if let Some(positional) = set_to(arguments) {
                    self.scope.positional = Some(positional);
                }
            }
            "shift" => {
                let count = match arguments.first() {
                    None => Some(1),
                    Some(value) => value.text.parse::<usize>().ok(),
                };
                let values = self.scope.positional.take();
                self.scope.positional = values.map(|values| match count {
                    Some(count) => after(&values, count),
                    None => vec![Value::unknown()],
                });
            }
            _ => {}
        }
    }

    /// What a variable holds when this is put where `NAME` or `NAME[SUBSCRIPT]` says.
    fn at_place(&self, place: &str, binding: Binding) -> Binding {
        let Some((name, subscript)) = place.split_once('[') else {
            return binding;
        };
        let before = self.scope.variables.get(name);
        Binding::with_element(before, subscript.trim_end_matches(']'), binding.values)
    }
}

/// The name of a variable, of which one element may be meant.
fn name_of(text: &str) -> &str {
    text.split_once('[').map_or(text, |(name, _)| name)
}

/// Whether a word that is not known may be the name of a variable.
fn may_be_a_name(word: &Value) -> bool {
    let of_a_name = |one: char| one == HOLE || one == '_' || one.is_alphanumeric();
    !word.is_known() && name_of(&word.text).chars().all(of_a_name)
}

/// What `set` makes the positional parameters (bash(1), "set"); none where it leaves them.
fn set_to(arguments: &[Value]) -> Option<Vec<Value>> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        if !argument.is_known() {
            return Some(vec![Value::unknown()]);
        }
        let text = argument.text.as_str();
        match text {
            "--" => return Some(arguments.get(at + 1..)?.to_vec()),
            // Alone it leaves them.
            "-" => {
                return arguments
                    .get(at + 1..)
                    .filter(|rest| !rest.is_empty())
                    .map(<[Value]>::to_vec);
            }
            _ if !text.starts_with(['-', '+']) => return Some(arguments.get(at..)?.to_vec()),
            // For each `o` the name of an option follows.
            _ => at += 1 + text.matches('o').count(),
        }
    }
    None
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
            found: false,
        })
        .take(MOST_ITEMS + 1)
        .collect();
    if lines.is_empty() || lines.len() > MOST_ITEMS {
        vec![Value::unknown()]
    } else {
        lines
    }
}
