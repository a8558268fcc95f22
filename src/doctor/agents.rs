//! The agents that are installed, and whether the shell of each is this program as things are now.

use std::path::{Path, PathBuf};

use super::facts::{Agent, Cover};
use super::shells::{Identity, in_path, variable};
use crate::agents::{Agent as Known, Takes, known};

/// Where the ways of an agent lead, asked one by one.
struct Machine<'a> {
    variable: &'a dyn Fn(&str) -> Option<PathBuf>,
    in_path: &'a dyn Fn(&str) -> Option<PathBuf>,
    login: Option<&'a Path>,
    is_kibosh: &'a dyn Fn(&Path) -> bool,
}

/// The agents that PATH finds. `supervised` says whether a supervisor judges all that starts here.
#[must_use]
pub fn look(own: Identity, login: Option<&str>, supervised: bool) -> Vec<Agent> {
    let machine = Machine {
        variable: &variable,
        in_path: &in_path,
        login: login.map(Path::new),
        is_kibosh: &|path| own.is_at(path),
    };
    let mut found = Vec::new();
    for agent in known() {
        for program in &agent.programs {
            let Some(path) = in_path(program) else {
                continue;
            };
            found.push(Agent {
                name: agent.name.clone(),
                program: program.clone(),
                path: path.display().to_string(),
                cover: if supervised {
                    Cover::Supervised
                } else {
                    machine.cover(&agent)
                },
                but: agent.but.clone(),
            });
        }
    }
    found
}

/// Whether a variable of this process, which an agent has started, makes that agent's shell kibosh whatever
/// it starts.
#[must_use]
pub fn is_covered(agent: &Known) -> bool {
    let Ok(own) = Identity::own() else {
        return false;
    };
    let machine = Machine {
        variable: &variable,
        in_path: &in_path,
        login: None,
        is_kibosh: &|path| own.is_at(path),
    };
    agent.shell == Takes::Variable
        && agent.but.is_none()
        && matches!(machine.cover(agent), Cover::Covered(_))
}

impl Machine<'_> {
    /// Whether the shell of an agent is kibosh, or how it would be.
    fn cover(&self, agent: &Known) -> Cover {
        let set = agent
            .variables
            .iter()
            .filter_map(|name| Some((name, (self.variable)(name)?)))
            .find(|(_, path)| holds(path, &agent.name_holds));
        if let Some((name, path)) = &set
            && (self.is_kibosh)(path)
        {
            return Cover::Covered((*name).clone());
        }
        match agent.shell {
            Takes::Variable => {
                let usual = agent.variables.last().cloned().unwrap_or_default();
                Cover::ByVariable(set.map_or(usual, |(name, _)| name.clone()))
            }
            Takes::Path => match (set, (self.in_path)("bash")) {
                (Some((name, _)), _) => Cover::ByVariable(name.clone()),
                (None, Some(path)) if (self.is_kibosh)(&path) => Cover::Covered("PATH".to_owned()),
                (None, _) => Cover::ByPath,
            },
            Takes::Login => match self.login {
                Some(path) if (self.is_kibosh)(path) => Cover::Covered("login shell".to_owned()),
                _ => Cover::ByLogin,
            },
            Takes::File => {
                let file = agent.file.clone().unwrap_or_default();
                match &agent.setting {
                    _ if (self.is_kibosh)(Path::new(&file)) => Cover::Covered(file),
                    Some(setting) => Cover::BySetting(setting.clone(), file),
                    None => Cover::OnlyRun(file),
                }
            }
            Takes::None => Cover::NoShell,
            Takes::Unknown => Cover::Unknown,
        }
    }
}

/// Whether a path holds one of these texts, where there are any.
fn holds(path: &Path, texts: &[String]) -> bool {
    let path = path.to_string_lossy();
    texts.is_empty() || texts.iter().any(|text| path.contains(text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of an agent where these variables are set, PATH finds this `bash`, and this is the login
    /// shell. What is called `k/…` is kibosh.
    fn cover(program: &str, variables: &[(&str, &str)], bash: &str, login: &str) -> Cover {
        let variable = |name: &str| {
            let found = variables.iter().find(|(one, _)| *one == name)?;
            Some(PathBuf::from(found.1))
        };
        let machine = Machine {
            variable: &variable,
            in_path: &|_| Some(PathBuf::from(bash)),
            login: Some(Path::new(login)),
            is_kibosh: &|path| path.starts_with("/k"),
        };
        let agents = known();
        let is_it = |agent: &&Known| agent.programs.iter().any(|one| one == program);
        machine.cover(agents.iter().find(is_it).unwrap())
    }

    #[test]
    fn each_way_to_a_shell_covers_the_agents_that_take_it() {
        let covered = |by: &str| Cover::Covered(by.to_owned());
        let shell = Cover::ByVariable("SHELL".to_owned());
        let kibosh = &[("SHELL", "/k/bash")][..];
        for (program, variables, bash, login, expected) in [
            ("claude", kibosh, "/bin/bash", "/bin/bash", covered("SHELL")),
            (
                "claude",
                &[("SHELL", "/k/kibosh")],
                "/b",
                "/b",
                shell.clone(),
            ),
            ("claude", &[], "/k/bash", "/k/bash", shell.clone()),
            (
                "claude",
                &[("CLAUDE_CODE_SHELL", "/bin/bash"), ("SHELL", "/k/bash")],
                "/b",
                "/b",
                Cover::ByVariable("CLAUDE_CODE_SHELL".to_owned()),
            ),
            (
                "opencode",
                &[("SHELL", "/k/kibosh")],
                "/b",
                "/b",
                covered("SHELL"),
            ),
            ("gemini", kibosh, "/bin/bash", "/b", Cover::ByPath),
            ("gemini", &[], "/k/bash", "/b", covered("PATH")),
            (
                "goose",
                &[("GOOSE_SHELL", "/k/bash")],
                "/b",
                "/b",
                covered("GOOSE_SHELL"),
            ),
            (
                "goose",
                &[("GOOSE_SHELL", "/bin/sh")],
                "/k/bash",
                "/b",
                Cover::ByVariable("GOOSE_SHELL".to_owned()),
            ),
            ("codex", kibosh, "/k/bash", "/bin/bash", Cover::ByLogin),
            ("codex", &[], "/b", "/k/bash", covered("login shell")),
            (
                "copilot",
                kibosh,
                "/k/bash",
                "/k/bash",
                Cover::OnlyRun("/bin/bash".to_owned()),
            ),
            ("crush", kibosh, "/k/bash", "/k/bash", Cover::NoShell),
            ("amp", kibosh, "/k/bash", "/k/bash", Cover::Unknown),
        ] {
            assert_eq!(
                cover(program, variables, bash, login),
                expected,
                "{program} {variables:?}"
            );
        }
    }
}
