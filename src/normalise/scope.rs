//! What the walk knows at one point of the line: variables, functions, directory, descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
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

    /// An array of which one element is set. Where that is not the next one, which are first is not known.
    pub fn with_element(before: Option<&Self>, subscript: &str, set: Vec<Value>) -> Self {
        let mut values = before.map(|one| one.values.clone()).unwrap_or_default();
        let is_next = subscript.parse() == Ok(values.len());
        if !values.is_empty() && !is_next && values.first() != Some(&Value::unknown()) {
            values.insert(0, Value::unknown());
        }
        values.extend(set);
        Self {
            values,
            array: true,
        }
    }
}

/// Variables by their names. Copies have names and bindings together, of which one way through the line changes few.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<Rc<str>, Rc<Binding>>);

impl Variables {
    /// What a variable may hold; none where it is not set.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.0.get(name).map(Rc::as_ref)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Binding> {
        self.0.get_mut(name).map(Rc::make_mut)
    }

    /// Sets a variable.
    pub fn insert(&mut self, name: impl Into<Rc<str>>, binding: Binding) {
        self.0.insert(name.into(), Rc::new(binding));
    }

    /// Sets one to what another copy has, where it is set there.
    pub fn set_as_in(&mut self, other: &Self, name: &str) {
        if let Some((name, binding)) = other.0.get_key_value(name) {
            self.0.insert(Rc::clone(name), Rc::clone(binding));
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding)> {
        let all = self.0.iter();
        all.map(|(name, binding)| (name.as_ref(), binding.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values that they may have after one way or the other.
    fn join(&mut self, others: &Self) {
        let mut missing = Vec::new();
        let mut left = others.0.iter().peekable();
        for (name, binding) in &mut self.0 {
            while let Some((other, theirs)) = left.next_if(|(other, _)| *other < name) {
                missing.push((Rc::clone(other), Rc::clone(theirs)));
            }
            let theirs = left.next_if(|(other, _)| *other == name);
            match theirs.map(|(_, theirs)| theirs) {
                Some(theirs) if Rc::ptr_eq(theirs, binding) || theirs == binding => {}
                Some(theirs) if binding.array || theirs.array => {
                    *binding = Rc::new(Binding::one(Value::unknown()));
                }
                Some(theirs) => add(&mut Rc::make_mut(binding).values, &theirs.values),
                None if binding.array => {}
                None => add(&mut Rc::make_mut(binding).values, &[Value::unknown()]),
            }
        }
        missing.extend(left.map(|(name, theirs)| (Rc::clone(name), Rc::clone(theirs))));
        for (name, mut theirs) in missing {
            add(&mut Rc::make_mut(&mut theirs).values, &[Value::unknown()]);
            self.0.insert(name, theirs);
        }
    }
}

impl FromIterator<(String, Binding)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, Binding)>>(all: I) -> Self {
        let all = all.into_iter();
        Self(all.map(|(name, one)| (name.into(), Rc::new(one))).collect())
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

/// Something that copies of a scope have together until one of them changes it: most never do.
#[derive(Clone, Debug, Default)]
pub struct Shared<T>(Rc<T>);

impl<T> Shared<T> {
    /// Whether neither has been changed since one was copied from the other.
    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(one: T) -> Self {
        Self(Rc::new(one))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Rc::make_mut(&mut self.0)
    }
}

/// What is known at one point of the line.
#[derive(Clone, Default)]
pub struct Scope {
    /// Variables that the line has set.
    pub variables: Shared<Variables>,
    /// Those that it has exported.
    pub exported: Shared<BTreeSet<String>>,
    /// The functions that it has exported.
    pub exported_functions: Shared<BTreeSet<String>>,
    /// Links that the line has made, with what they point to.
    pub links: Shared<BTreeMap<String, String>>,
    /// Links and copies that the line has made, with what they were made of.
    pub copies: Shared<BTreeMap<String, String>>,
    /// `$1`…; none where not known.
    pub positional: Option<Vec<Value>>,
    /// The functions that it has defined.
    pub functions: Shared<BTreeMap<String, Rc<Command>>>,
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
    /// Whether the line has set variables whose names are not known.
    pub sets_any: bool,
    /// Stands for the origin of everything in nested text.
    pub origin: Option<Span>,
    /// Texts on other descriptors.
    pub descriptors: Shared<BTreeMap<u32, Value>>,
    /// Texts that the line has written to files.
    pub files: Shared<BTreeMap<String, Process>>,
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
        if !self.variables.is(&other.variables) {
            self.variables.join(&other.variables);
        }
        if !self.exported.is(&other.exported) {
            self.exported.extend(other.exported.iter().cloned());
        }
        for (mine, others) in [
            (&mut self.links, &other.links),
            (&mut self.copies, &other.copies),
        ] {
            if !mine.is(others) {
                let others = others.iter();
                mine.extend(others.map(|(name, target)| (name.clone(), target.clone())));
            }
        }
        if !self.functions.is(&other.functions) {
            for (name, body) in other.functions.iter() {
                self.functions
                    .entry(name.clone())
                    .or_insert_with(|| Rc::clone(body));
            }
        }
        if !self.exported_functions.is(&other.exported_functions) {
            self.exported_functions
                .extend(other.exported_functions.iter().cloned());
        }
        if !self.files.is(&other.files) {
            for (file, text) in other.files.iter() {
                self.files
                    .entry(file.clone())
                    .or_insert_with(|| text.clone());
            }
        }
        self.sets_any |= other.sets_any;
        if self.positional != other.positional {
            // Not none, which is what the shell was started with, and where `${1:-word}` is mostly the word.
            self.positional = Some(vec![Value::unknown()]);
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
