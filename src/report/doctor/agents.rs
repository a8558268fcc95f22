//! What `kibosh doctor` says of the ways to a shell, and of the agents that take them.

use super::super::escape::escape;
use super::Section;
use crate::doctor::{Agent, Cover, Facts, Mark, Shell, Standing, Way};

/// Where kibosh is installed as `bash`, where it is not known.
const USUAL_NAMES: &str = "~/.local/lib/kibosh";

pub fn shells(facts: &Facts, to: &mut Section<'_>) {
    for shell in &facts.shells {
        to.add(
            Mark::Note.ok_or(shell.is_kibosh),
            way(shell.way),
            leads(shell),
            "",
        );
    }
    if facts.gates.beside == Standing::Active {
        let text = "whichever is started from here, the supervisor judges what it runs";
        to.add(Mark::Ok, "any", text, "");
    } else if !facts.is_used() {
        let hint = format!(
            "`SHELL={}/bash AGENT`, or `kibosh run -- AGENT`",
            names(facts)
        );
        to.add(
            Mark::Weak,
            "any",
            "no way to a shell leads to this kibosh",
            &hint,
        );
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Variable => "SHELL",
        Way::Login => "login shell",
        Way::PathBash => "bash in PATH",
        Way::PathSh => "sh in PATH",
        Way::Bash => "/bin/bash",
        Way::Sh => "/bin/sh",
    }
}

fn leads(shell: &Shell) -> String {
    let Some(path) = &shell.path else {
        return match shell.way {
            Way::Variable => "not set".to_owned(),
            Way::Login | Way::PathBash | Way::PathSh | Way::Bash | Way::Sh => {
                "not found".to_owned()
            }
        };
    };
    let what = if shell.is_kibosh {
        "kibosh"
    } else {
        "not kibosh"
    };
    match &shell.file {
        None => format!("{}: {what}", escape(path)),
        Some(file) => format!("{} -> {}: {what}", escape(path), escape(file)),
    }
}

fn names(facts: &Facts) -> String {
    escape(facts.program.names.as_deref().unwrap_or(USUAL_NAMES)).into_owned()
}

pub fn agents(facts: &Facts, to: &mut Section<'_>) {
    if facts.agents.is_empty() {
        to.add(
            Mark::Note,
            "none",
            "no agent that kibosh knows is in PATH",
            "",
        );
    }
    for agent in &facts.agents {
        let mark = agent.mark(&facts.gates);
        let (text, hint) = covered(agent, &names(facts), mark);
        let text = match &agent.but {
            Some(but) if agent.cover != Cover::Supervised => format!("{text}; {but}"),
            _ => text,
        };
        to.add(
            mark,
            &escape(&agent.program),
            format!("{}: {text}", agent.name),
            &hint,
        );
    }
}

/// How an agent's shell is covered, or would be.
fn covered(agent: &Agent, names: &str, mark: Mark) -> (String, String) {
    let program = escape(&agent.program);
    let (only, run) = if mark == Mark::Missing {
        (
            "not covered",
            "an exec gate would cover it: see `gates`".to_owned(),
        )
    } else {
        (
            "only `kibosh run` covers it",
            format!("`kibosh run -- {program}`"),
        )
    };
    match &agent.cover {
        Cover::Supervised => (
            "covered by the supervisor of this shell".to_owned(),
            String::new(),
        ),
        Cover::Covered(by) => (format!("covered by {}", escape(by)), String::new()),
        Cover::ByVariable(name) => (
            format!("takes {name}, which is not kibosh"),
            format!("`{name}={names}/bash {program}`"),
        ),
        Cover::ByPath => (
            "takes `bash` from PATH, which is not kibosh".to_owned(),
            format!("`PATH={names}:$PATH {program}`"),
        ),
        Cover::ByLogin => (
            "takes the login shell, which is not kibosh".to_owned(),
            format!(
                "`chsh -s {names}/bash`, with that in /etc/shells; or `kibosh run -- {program}`"
            ),
        ),
        Cover::BySetting(setting, file) => (
            format!("takes {file} unless {setting} names another, which is not looked at"),
            format!("set {setting} to {names}/bash"),
        ),
        Cover::OnlyRun(file) => (format!("takes {file} whatever is set: {only}"), run),
        Cover::NoShell => (format!("starts programs without a shell: {only}"), run),
        Cover::Unknown => (format!("how it starts a shell is not known: {only}"), run),
    }
}
