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
use json::{Change, Fault, Form};

/// Where a user's settings are.
pub struct Folders {
    /// The home directory.
    pub home: PathBuf,
    /// What `.config` in it stands for.
    pub config: PathBuf,
}

impl Folders {
    fn path(&self, file: &str) -> PathBuf {
        match file.strip_prefix(".config/") {
            Some(rest) => self.config.join(rest),
            None => self.home.join(file),
        }
    }
}

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

/// What would change for an agent with its settings in these folders; `undo` takes it back. Nothing where it is
/// so already.
///
/// # Errors
///
/// Why it is not to be changed.
pub fn plan(
    agent: &Agent,
    setup: &Setup,
    folders: &Folders,
    installed: &Installed,
    undo: bool,
) -> Result<Vec<Plan>, Error> {
    let instead = setup.instead.iter().map(|it| (&it.file, &it.put));
    let usual = setup.files.iter().map(|file| (file, &setup.put));
    let files: Vec<(&String, &Vec<Put>)> = instead.chain(usual).collect();
    let is_there = |file: &&String| folders.path(file).symlink_metadata().is_ok();
    let chosen = files.iter().map(|(file, _)| *file).find(is_there);
    let chosen = chosen.or(setup.files.first());
    let program = agent.programs.first().map(String::as_str);
    let program = program.unwrap_or_default();
    let mut plans = Vec::new();
    for (file, puts) in files {
        let path = folders.path(file);
        let before = file::read(&path).map_err(|error| Error::Unreadable(path.clone(), error))?;
        let text = before.clone().unwrap_or_default();
        let edit = Edit {
            puts,
            form: match setup.comments {
                true => Form::Commented,
                false => Form::Strict,
            },
            program,
            path: &path,
        };
        let puts_in = Some(file) == chosen && !undo;
        let after = if puts_in {
            edit.put(&text, installed)?
        } else {
            if !undo {
                edit.is_free(&text)?;
            }
            edit.take(&text)?
        };
        if after != text {
            let after = (puts_in || !json::is_empty(&after)).then_some(after);
            plans.push(Plan {
                path,
                before,
                after,
            });
        }
    }
    Ok(plans)
}

/// What is done to the text of one file.
struct Edit<'a> {
    puts: &'a [Put],
    form: Form,
    program: &'a str,
    path: &'a Path,
}

impl Edit<'_> {
    /// The text with all that belongs there.
    fn put(&self, text: &str, installed: &Installed) -> Result<String, Error> {
        let mut text = text.to_owned();
        for put in self.puts {
            let (names, form) = put.parts();
            let wanted = filled(form, self.program, installed).ok_or(Error::NoShell)?;
            // What another place of kibosh has put there goes.
            let is_old = |found: &Value, form: &Value| {
                wanted != *found && is_of_kibosh(found, form, self.program)
            };
            text = self.without(&text, put, &is_old)?;
            let with = json::with(&text, self.form, &names, &change(put, wanted.clone()));
            text = with.map_err(|fault| self.fault(fault))?.unwrap_or(text);
        }
        Ok(text)
    }

    /// The text without what a kibosh has put there. What does not name kibosh could be anybody's: it goes where
    /// nothing else is left.
    fn take(&self, text: &str) -> Result<String, Error> {
        let is_it = |found: &Value, form: &Value| is_of_kibosh(found, form, self.program);
        let (ours, anybodys): (Vec<&Put>, Vec<&Put>) = self
            .puts
            .iter()
            .partition(|put| names_kibosh(put.parts().1));
        let mut taken = text.to_owned();
        for put in ours {
            taken = self.without(&taken, put, &is_it)?;
        }
        if taken == text {
            return Ok(taken);
        }
        let mut all = taken.clone();
        for put in anybodys {
            all = self.without(&all, put, &is_it)?;
        }
        Ok(if json::is_empty(&all) { all } else { taken })
    }

    /// That nobody has set something else here, which would count or be lost.
    fn is_free(&self, text: &str) -> Result<(), Error> {
        for put in self.puts {
            let (names, form) = put.parts();
            let found = json::found(text, self.form, &names);
            let found = found.map_err(|fault| self.fault(fault))?;
            if let (Put::Set { .. }, Some(found)) = (put, found)
                && !is_of_kibosh(&found, form, self.program)
            {
                let fault = Fault::Occupied(names.join("."), found.to_string());
                return Err(self.fault(fault));
            }
        }
        Ok(())
    }

    fn without(
        &self,
        text: &str,
        put: &Put,
        is: &dyn Fn(&Value, &Value) -> bool,
    ) -> Result<String, Error> {
        let (names, form) = put.parts();
        let without = json::without(text, self.form, &names, &change(put, form.clone()), is);
        let without = without.map_err(|fault| self.fault(fault))?;
        Ok(without.unwrap_or_else(|| text.to_owned()))
    }

    fn fault(&self, fault: Fault) -> Error {
        let path = self.path.to_owned();
        match fault {
            Fault::Syntax(what, line, column) => Error::Syntax(path, what, line, column),
            Fault::Occupied(at, found) => Error::Occupied(path, at, found),
        }
    }
}

fn change(put: &Put, value: Value) -> Change {
    match put {
        Put::Set { .. } => Change::Set(value),
        Put::Add { .. } => Change::Add(value),
    }
}

/// Whether a form has a place for kibosh in it.
fn names_kibosh(form: &Value) -> bool {
    match form {
        Value::String(word) => word == "$shell" || word == "$hook",
        Value::Array(items) => items.iter().any(names_kibosh),
        Value::Object(fields) => fields.values().any(names_kibosh),
        _ => false,
    }
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
