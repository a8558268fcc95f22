//! What `kibosh init` says.

use crate::agents::{Agent, Takes};
use crate::setup::{Error, Plan};

use super::diff::diff;
use super::escape::escape;

/// That no agent is there to be set up.
pub const NONE: &str = "no agent that kibosh knows is in PATH; name one: `kibosh init AGENT`";

/// That there is no home directory.
pub const NO_HOME: &str = "kibosh: nothing was changed: HOME is not set to a directory";

/// That an agent is not known.
#[must_use]
pub fn unknown(name: &str, known: &[String]) -> String {
    format!(
        "kibosh: nothing was changed: no agent `{}` is known\nhint: one of {}",
        escape(name),
        known.join(", ")
    )
}

/// What would change for an agent.
#[must_use]
pub fn change(agent: &Agent, plan: &Plan) -> String {
    let what = match (&plan.before, &plan.after) {
        (None, _) => "a new file",
        (Some(_), Some(_)) => "changes",
        (Some(_), None) => "goes",
    };
    let path = plan.path.display().to_string();
    let before = plan.before.as_deref().unwrap_or_default();
    let after = plan.after.as_deref().unwrap_or_default();
    let title = format!("{}: {} {what}", agent.name, escape(&path));
    format!("{title}\n{}", diff(before, after))
}

/// Why a person is asked before it is written.
#[must_use]
pub fn reason(undo: bool) -> String {
    let how = if undo { "without" } else { "with" };
    format!("the settings of the agent change as shown above, so that it works {how} kibosh")
}

/// That an agent's settings are as they should be.
#[must_use]
pub fn nothing(agent: &Agent, undo: bool) -> String {
    if undo {
        format!("{}: nothing of kibosh is in its settings", agent.name)
    } else {
        format!("{}: it is set up already", agent.name)
    }
}

/// That it is done, and what a person still does.
#[must_use]
pub fn done(agent: &Agent, undo: bool) -> String {
    let then = agent.setup.as_ref().and_then(|setup| setup.then.as_deref());
    match (undo, then) {
        (true, _) => format!("{}: taken back; start it anew", agent.name),
        (false, Some(then)) => format!("{}: done; {then}", agent.name),
        (false, None) => format!("{}: done", agent.name),
    }
}

/// What covers an agent that has no settings for it; `shell` is kibosh as `bash`, where it is installed so.
#[must_use]
pub fn only_run(agent: &Agent, program: &str, shell: Option<&str>) -> String {
    let program = escape(program);
    let variable = agent.variables.first();
    let takes = match (agent.shell, variable, &agent.file) {
        (Takes::Variable, Some(name), _) => format!("its shell is the one that `{name}` names"),
        (Takes::Path, Some(name), _) => {
            format!("its shell is the one that `{name}` names, else `bash` from PATH")
        }
        (Takes::Path, None, _) => "its shell is `bash` from PATH".to_owned(),
        (Takes::Login, ..) => "its shell is the login shell".to_owned(),
        (Takes::File, _, Some(file)) => format!("its shell is always `{file}`"),
        (Takes::None, ..) => "it runs commands without a shell".to_owned(),
        _ => "how it runs commands is not known".to_owned(),
    };
    let but = agent.but.as_ref();
    let but = but.map_or_else(String::new, |but| format!("; {but}"));
    let by_hand = match &agent.hook {
        Some(_) => "\n  its hook can be set up by hand, for the lines alone: docs/agents.md",
        None => "",
    };
    let by_variable = match (variable, shell) {
        (Some(name), Some(shell)) if agent.but.is_none() => {
            format!(", or `{name}={} {program}`", escape(shell))
        }
        _ => String::new(),
    };
    let only = if by_variable.is_empty() { "only " } else { "" };
    format!(
        "{}: nothing that could be set up: {takes}{but}\n  what covers it is {only}`kibosh run -- {program}`\
         {by_variable}{by_hand}",
        agent.name
    )
}

/// Why an agent is not set up.
#[must_use]
pub fn failed(agent: &Agent, error: &Error) -> String {
    let hint = match error {
        Error::Unreadable(..) => "make it a readable file, or set it up by hand",
        Error::Syntax(..) => match agent.setup.as_ref().is_some_and(|setup| setup.comments) {
            true => "it has to be JSON, with comments at most; or add it by hand (docs/agents.md)",
            false => {
                "it has to be plain JSON, without comments; or add it by hand (docs/agents.md)"
            }
        },
        Error::Occupied(..) => "somebody has set it; take it out if it is not needed",
        Error::NoShell => "`install.sh` does that, as ~/.local/lib/kibosh/bash",
    };
    format!(
        "kibosh: {} was not changed: {}\nhint: {hint}",
        agent.name,
        escape(&error.to_string())
    )
}

/// That the settings could not be written.
#[must_use]
pub fn not_written(agent: &Agent, plan: &Plan, error: &std::io::Error) -> String {
    format!(
        "kibosh: {} was not changed: {}: {}",
        agent.name,
        escape(&plan.path.display().to_string()),
        escape(&error.to_string())
    )
}
