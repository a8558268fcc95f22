//! How an agent is set up: what its settings file would hold then.
//!
//! Takes what `agents` knows and where kibosh is installed; gives the change to one file. Writing it is a
//! step of its own ([`file::replace`]), for whoever has asked a person.

pub mod file;
pub mod json;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agents::{Agent, Put, Setup};
use json::{Change, Fault};

/// Where kibosh is.
pub struct Installed {
    /// The command by which a shell starts it.
    pub program: String,
    /// It as `bash`, where it is installed so.
    pub shell: Option<String>,
}

/// The change to a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which file.
    pub path: PathBuf,
    /// What it holds; none where there is none.
    pub before: Option<String>,
    /// What it would hold; none where it would go.
    pub after: Option<String>,
}

/// Why an agent is not set up.
#[derive(Debug)]
pub enum Error {
    /// Its settings cannot be read.
    Unreadable(PathBuf, io::Error),
    /// They are no plain JSON: what, and at which line and column.
    Syntax(PathBuf, String, usize, usize),
    /// Something else is set already: where, and to what.
    Occupied(PathBuf, String, String),
    /// kibosh is not installed as `bash`, which the agent asks for.
    NoShell,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(out, "{}: {error}", path.display()),
            Self::Syntax(path, what, line, column) => {
                write!(out, "{}:{line}:{column}: {what}", path.display())
            }
            Self::Occupied(path, at, found) => {
                write!(out, "{}: `{at}` is `{found}` already", path.display())
            }
            Self::NoShell => write!(out, "kibosh is not installed as `bash`"),
        }
    }
}

impl std::error::Error for Error {}

/// What would change for an agent with its settings below this home; `undo` takes it back. None where
/// nothing would.
///
/// # Errors
///
/// Why it is not to be changed.
pub fn plan(
    agent: &Agent,
    setup: &Setup,
    home: &Path,
    installed: &Installed,
    undo: bool,
) -> Result<Option<Plan>, Error> {
    let path = home.join(&setup.file);
    let before = file::read(&path).map_err(|error| Error::Unreadable(path.clone(), error))?;
    let mut text = before.clone().unwrap_or_default();
    let program = agent
        .programs
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let mut changed = false;
    for put in &setup.put {
        let (at, form) = match put {
            Put::Set { at, value } | Put::Add { to: at, value } => (at, value),
        };
        let change = |value: Value| match put {
            Put::Set { .. } => Change::Set(value),
            Put::Add { .. } => Change::Add(value),
        };
        let names: Vec<&str> = at.split('.').collect();
        let fault = |fault| match fault {
            Fault::Syntax(what, line, column) => Error::Syntax(path.clone(), what, line, column),
            Fault::Occupied(at, found) => Error::Occupied(path.clone(), at, found),
        };
        let wanted = if undo {
            None
        } else {
            Some(filled(form, program, installed).ok_or(Error::NoShell)?)
        };
        // What another place of kibosh has put there goes, too.
        let is = |found: &Value, form: &Value| {
            wanted.as_ref() != Some(found) && is_of_kibosh(found, form, program)
        };
        let without = json::without(&text, &names, &change(form.clone()), &is).map_err(fault)?;
        changed |= without.is_some();
        text = without.unwrap_or(text);
        if let Some(wanted) = &wanted {
            let with = json::with(&text, &names, &change(wanted.clone())).map_err(fault)?;
            changed |= with.is_some();
            text = with.unwrap_or(text);
        }
    }
    let after = (!undo || !json::is_empty(&text)).then_some(text);
    Ok(changed.then_some(Plan {
        path,
        before,
        after,
    }))
}

/// Whether a value is what a kibosh has put there, wherever that one was.
fn is_of_kibosh(found: &Value, form: &Value, program: &str) -> bool {
    match (found, form) {
        (Value::String(found), Value::String(word)) if word == "$shell" => {
            found.ends_with("/lib/kibosh/bash")
        }
        (Value::String(found), Value::String(word)) if word == "$hook" => {
            let place = found.strip_suffix(&format!(" hook {program}"));
            place.is_some_and(|place| place.trim_end_matches('\'').ends_with("kibosh"))
        }
        (Value::Array(found), Value::Array(form)) => {
            found.len() == form.len()
                && found
                    .iter()
                    .zip(form)
                    .all(|(found, form)| is_of_kibosh(found, form, program))
        }
        (Value::Object(found), Value::Object(form)) => {
            found.len() == form.len()
                && found.iter().all(|(name, found)| {
                    form.get(name)
                        .is_some_and(|form| is_of_kibosh(found, form, program))
                })
        }
        (found, form) => found == form,
    }
}

/// A value with where kibosh is in its places; none where that is not known.
fn filled(value: &Value, program: &str, installed: &Installed) -> Option<Value> {
    Some(match value {
        Value::String(word) if word == "$shell" => Value::String(installed.shell.clone()?),
        Value::String(word) if word == "$hook" => {
            Value::String(format!("{} hook {program}", installed.program))
        }
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| filled(item, program, installed))
                .collect::<Option<_>>()?,
        ),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Some((name.clone(), filled(value, program, installed)?)))
                .collect::<Option<_>>()?,
        ),
        other => other.clone(),
    })
}
