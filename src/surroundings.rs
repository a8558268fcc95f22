//! The machine as far as a line can see it: working directory, home, workspace, environment.
//!
//! Read once; nothing is written or run.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::action::{HOLE, Value};
use crate::invocation::View;
use crate::normalise::Context;
use crate::policy::paths::Place;
use crate::probe::{Machine, Probe};
use crate::syntax::Dialect;

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a line would run.
pub struct Surroundings<'a> {
    cwd: Option<PathBuf>,
    home: String,
    workspace: OnceCell<String>,
    environment: Lookup<'a>,
    probe: &'a dyn Probe,
}

/// This process, and the machine as it sees it.
static THIS: View = View::own();
static HERE: Machine<'static> = Machine::of(&THIS);

impl Surroundings<'static> {
    /// Those of this process.
    #[must_use]
    pub fn here() -> Self {
        Self::of(&THIS, &|name| lookup(&THIS, name), &HERE)
    }
}

impl<'a> Surroundings<'a> {
    /// Those of a process; `environment` is [`lookup`] in it, `probe` tells what it would lose.
    #[must_use]
    pub fn of(view: &View, environment: Lookup<'a>, probe: &'a dyn Probe) -> Self {
        Self {
            cwd: view.cwd(),
            home: view
                .variable("HOME")
                .and_then(OsStr::to_str)
                .unwrap_or_default()
                .to_owned(),
            workspace: OnceCell::new(),
            environment,
            probe,
        }
    }

    /// Those of a process that runs in a session, whose home and workspace stay what they were when it
    /// began: a `HOME` of the process's own does not move what is guarded.
    #[must_use]
    pub fn within(
        view: &View,
        environment: Lookup<'a>,
        session: &Place,
        probe: &'a dyn Probe,
    ) -> Self {
        Self {
            cwd: view.cwd(),
            home: session.home.clone(),
            workspace: OnceCell::from(session.workspace.clone()),
            environment,
            probe,
        }
    }

    /// The working directory; none where it is gone or has no name.
    #[must_use]
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// The context of a line of this language, with these `$1`, `$2`….
    #[must_use]
    pub fn context(&self, dialect: Dialect, positional: Option<Vec<Value>>) -> Context<'a> {
        Context {
            place: self.place(),
            environment: self.environment,
            whole_environment: true,
            positional,
            dialect,
            input: None,
            set: Vec::new(),
            probe: self.probe,
            done: 0,
        }
    }

    /// The directories.
    #[must_use]
    pub fn place(&self) -> Place {
        let cwd = self
            .cwd
            .as_deref()
            .and_then(Path::to_str)
            .unwrap_or_default()
            .to_owned();
        let workspace = self
            .workspace
            .get_or_init(|| workspace(self.cwd.as_deref(), &self.home))
            .clone();
        Place {
            cwd,
            home: self.home.clone(),
            workspace,
        }
    }
}

/// Variables that the shell sets itself, whatever the environment has.
const OWN: &[&str] = &[
    "_",
    "BASHOPTS",
    "BASHPID",
    "COLUMNS",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "LINES",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "UID",
];

/// Variables that the shell sets where the environment has none.
const OWN_WHERE_MISSING: &[&str] = &[
    "HOSTNAME",
    "HOSTTYPE",
    "LOGNAME",
    "MACHTYPE",
    "MAILCHECK",
    "OSTYPE",
    "PATH",
    "PS4",
    "SHELL",
    "TERM",
];

/// Whether the shell sets this variable itself, whatever its environment has, or follows it on its own.
#[must_use]
pub fn is_of_the_shell(name: &str) -> bool {
    OWN.contains(&name) || matches!(name, "PWD" | "OLDPWD" | "IFS")
}

/// Whether a variable has done what it does when a program starts: `PATH` has told which file it is.
#[must_use]
pub fn is_spent_by_exec(name: &str) -> bool {
    is_of_the_shell(name) || name == "PATH"
}

/// What a shell in this process will see in a variable that the text does not set; a hole where that is
/// not known.
#[must_use]
pub fn lookup(view: &View, name: &str) -> Option<String> {
    if OWN.contains(&name) || name.starts_with("BASH_") {
        return Some(HOLE.to_string());
    }
    let mut values = view.values(name);
    match (values.next(), values.next()) {
        (None, _) if OWN_WHERE_MISSING.contains(&name) => Some(HOLE.to_string()),
        (None, _) => None,
        (Some(value), None) => Some(String::from_utf8_lossy(value).into_owned()),
        (Some(_), Some(_)) => Some(HOLE.to_string()),
    }
}

/// The directory that the agent works on: the closest one above with a version-control folder, else
/// the working directory. Never `/` or the home directory: everything would be inside.
fn workspace(cwd: Option<&Path>, home: &str) -> String {
    let Some(cwd) = cwd else { return String::new() };
    let too_wide = |path: &Path| {
        path == Path::new("/")
            || path == Path::new(home)
            || home.starts_with(&format!("{}/", path.display()))
    };
    let root = cwd
        .ancestors()
        .take_while(|path| !too_wide(path))
        .find(|path| {
            path.join(".git").exists() || path.join(".hg").exists() || path.join(".jj").exists()
        });
    match root {
        Some(root) => root.to_str().unwrap_or_default().to_owned(),
        None if too_wide(cwd) => String::new(),
        None => cwd.to_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_and_root_are_no_workspace() {
        assert_eq!(workspace(Some(Path::new("/")), "/home/a"), "");
        assert_eq!(workspace(Some(Path::new("/home/a")), "/home/a"), "");
        assert_eq!(workspace(Some(Path::new("/home")), "/home/a"), "");
        assert_eq!(
            workspace(Some(Path::new("/nowhere/p/q")), "/home/a"),
            "/nowhere/p/q"
        );
    }
}
