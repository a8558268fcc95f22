//! What the walk knows at one point of the line: variables, functions, directory, descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::action::Value;
use crate::syntax::{Command, Span};

/// How many values a variable may have at one point before it counts as unknown.
const ALTERNATIVES: usize = 48;

/// What a variable may hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The values that it may have; for an array, its elements.
    pub values: Vec<Value>,
    /// Whether it is an array.
    pub array: bool,
}

impl Binding {
    /// A variable with one value.
    pub fn one(value: Value) -> Self {
        Self {
            values: vec![value],
            array: false,
        }
    }
}

/// What a process substitution prints, or what was written to a file.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// What it prints.
    pub output: Value,
    /// The programs in it.
    pub programs: Vec<String>,
}

/// What is known at one point of the line.
#[derive(Clone, Default)]
pub struct Scope {
    /// Variables that the line has set.
    pub variables: BTreeMap<String, Binding>,
    /// Those that it has exported.
    pub exported: BTreeSet<String>,
    /// The functions that it has exported.
    pub exported_functions: BTreeSet<String>,
    /// Links that the line has made, with what they point to.
    pub links: BTreeMap<String, String>,
    /// Links and copies that the line has made, with what they were made of.
    pub copies: BTreeMap<String, String>,
    /// `$1`…; none where not known.
    pub positional: Option<Vec<Value>>,
    /// The functions that it has defined.
    pub functions: BTreeMap<String, Rc<Command>>,
    /// The working directory; none where not known.
    pub cwd: Option<String>,
    /// The one before the last `cd`.
    pub previous: Option<String>,
    /// The text on standard input, where it is known.
    pub input: Option<Value>,
    /// The programs whose output is piped in.
    pub fed_by: Vec<String>,
    /// What was looked through to get here.
    pub via: Vec<String>,
    /// Whether it runs on another host or in a container.
    pub elsewhere: bool,
    /// Stands for the origin of everything in nested text.
    pub origin: Option<Span>,
    /// Texts on other descriptors.
    pub descriptors: BTreeMap<u32, Value>,
    /// Texts that the line has written to files.
    pub files: BTreeMap<String, Process>,
    /// The functions that are being called.
    pub calling: Vec<String>,
    /// Whether the command runs beside others (a pipeline or `&`).
    pub beside: bool,
}

impl Scope {
    /// About how much work a copy is.
    pub fn weight(&self) -> usize {
        8 + 2 * (self.variables.len() + self.functions.len() + self.files.len() + self.links.len())
            + self.positional.as_ref().map_or(0, Vec::len)
            + self.fed_by.len()
            + self.via.len()
    }

    /// Joins what two ways through the line leave behind.
    pub fn join(&mut self, other: &Scope) {
        for (name, binding) in &other.variables {
            match self.variables.get_mut(name) {
                Some(mine) if mine == binding => {}
                Some(mine) if mine.array || binding.array => {
                    *mine = Binding::one(Value::unknown());
                }
                Some(mine) => add(&mut mine.values, &binding.values),
                None => {
                    let mut values = binding.values.clone();
                    add(&mut values, &[Value::unknown()]);
                    self.variables.insert(
                        name.clone(),
                        Binding {
                            values,
                            array: binding.array,
                        },
                    );
                }
            }
        }
        for (name, binding) in &mut self.variables {
            if !other.variables.contains_key(name) && !binding.array {
                add(&mut binding.values, &[Value::unknown()]);
            }
        }
        self.exported.extend(other.exported.iter().cloned());
        let names = |map: &BTreeMap<String, String>| -> Vec<(String, String)> {
            map.iter()
                .map(|(name, target)| (name.clone(), target.clone()))
                .collect()
        };
        self.links.extend(names(&other.links));
        self.copies.extend(names(&other.copies));
        for (name, body) in &other.functions {
            self.functions
                .entry(name.clone())
                .or_insert_with(|| Rc::clone(body));
        }
        self.exported_functions
            .extend(other.exported_functions.iter().cloned());
        for (file, text) in &other.files {
            self.files
                .entry(file.clone())
                .or_insert_with(|| text.clone());
        }
        if self.positional != other.positional {
            self.positional = None;
        }
        if self.cwd != other.cwd {
            self.cwd = None;
        }
    }
}

fn add(values: &mut Vec<Value>, more: &[Value]) {
    for value in more {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    if values.len() > ALTERNATIVES {
        *values = vec![Value::unknown()];
    }
}
