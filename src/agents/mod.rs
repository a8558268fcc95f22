//! The agents that are known: by which programs one starts them, and how each takes its shell.
//!
//! Data only, in `known.toml`; nothing here looks at the machine.

pub mod hook;

use serde::{Deserialize, Serialize};

use hook::Hook;

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agent {
    /// What people call it.
    pub name: String,
    /// The programs that are it.
    pub programs: Vec<String>,
    /// What decides which shell it starts.
    pub shell: Takes,
    /// The variables that decide, the first that is set.
    #[serde(default)]
    pub variables: Vec<String>,
    /// The shell that it always starts.
    pub file: Option<String>,
    /// What the path of the shell must hold, one of these; everything where there is none.
    #[serde(default)]
    pub name_holds: Vec<String>,
    /// Where a person can name the shell for it.
    pub setting: Option<String>,
    /// What it starts another way.
    pub but: Option<String>,
    /// Options with which `kibosh run` starts it, so that what it does comes from it and not from a daemon
    /// that was started elsewhere.
    #[serde(default)]
    pub run_with: Vec<String>,
    /// What it asks before it runs a command, where kibosh knows how to answer.
    pub hook: Option<Hook>,
    /// How `kibosh init` sets it up.
    pub setup: Option<Setup>,
}

/// How an agent is set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Its settings, JSON files below the home directory: the first that is there counts most, and where none is,
    /// the first is made.
    pub files: Vec<String>,
    /// Files of another form that it reads instead, where one is there.
    #[serde(default)]
    pub instead: Vec<Instead>,
    /// Whether it takes comments in them, and commas behind the last of a list.
    #[serde(default)]
    pub comments: bool,
    /// What is put into it. `$shell` stands for kibosh as `bash`, `$hook` for the command of its hook.
    pub put: Vec<Put>,
    /// What a person still does.
    pub then: Option<String>,
}

/// Settings of another form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instead {
    /// The file, below the home directory.
    pub file: String,
    /// What is put into it.
    pub put: Vec<Put>,
}

/// What is put into settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Put {
    /// A member.
    Set {
        /// Its path, names with dots between.
        at: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// An item of an array.
    Add {
        /// The path of the array.
        to: String,
        /// The item.
        value: serde_json::Value,
    },
}

impl Put {
    /// The names of its path, and the value.
    #[must_use]
    pub fn parts(&self) -> (Vec<&str>, &serde_json::Value) {
        let (Self::Set { at, value } | Self::Add { to: at, value }) = self;
        (at.split('.').collect(), value)
    }
}

/// The agent of this name: that of a program of it, or what people call it, with `-` for a blank.
#[must_use]
pub fn named(name: &str) -> Option<Agent> {
    let is_it = |agent: &Agent| {
        agent.programs.iter().any(|program| program == name)
            || agent.name.to_lowercase().replace(' ', "-") == name
    };
    known().into_iter().find(is_it)
}

/// What decides which shell an agent starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// A variable.
    Variable,
    /// PATH.
    Path,
    /// The user's entry in `/etc/passwd`.
    Login,
    /// Nothing: it is always the same file.
    File,
    /// It starts none.
    None,
    /// Nobody has looked.
    Unknown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    agent: Vec<Agent>,
}

/// The agents that are known.
#[must_use]
pub fn known() -> Vec<Agent> {
    // A test reads the same text.
    toml::from_str::<Known>(include_str!("known.toml")).map_or_else(|_| Vec::new(), |all| all.agent)
}

/// The options with which a program of this name is started by `kibosh run`, but for those that are given.
#[must_use]
pub fn run_with(program: &str, given: &[&str]) -> Vec<String> {
    let agents = known();
    let agent = agents
        .iter()
        .find(|agent| agent.programs.iter().any(|name| name == program));
    let options = agent.map_or(&[][..], |agent| &agent.run_with);
    options
        .iter()
        .filter(|option| !given.contains(&option.as_str()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_with_a_daemon_is_started_without_it() {
        assert_eq!(run_with("codex", &["exec"]), ["--no-daemon"]);
        assert!(run_with("codex", &["--no-daemon"]).is_empty());
        assert!(run_with("claude", &[]).is_empty());
        assert!(run_with("ls", &[]).is_empty());
    }

    #[test]
    fn each_agent_says_what_its_way_needs() {
        let agents = known();
        assert!(agents.len() >= 20, "{}", agents.len());
        for agent in &agents {
            assert!(!agent.programs.is_empty(), "{}", agent.name);
            assert_eq!(
                agent.file.is_some(),
                agent.shell == Takes::File,
                "{}",
                agent.name
            );
            assert!(
                !agent.variables.is_empty() || agent.shell != Takes::Variable,
                "{}",
                agent.name
            );
        }
    }

    #[test]
    fn what_is_put_into_settings_is_what_the_agent_has() {
        for agent in known() {
            let Some(setup) = &agent.setup else { continue };
            assert!(!setup.files.is_empty(), "{}", agent.name);
            let more = setup.instead.iter().map(|instead| &instead.put);
            for put in more.chain([&setup.put]) {
                let texts = put.iter().map(|put| put.parts().1.to_string());
                let text = texts.collect::<String>();
                let (shell, hook) = (text.contains("\"$shell\""), text.contains("\"$hook\""));
                assert!(shell || hook, "{}", agent.name);
                assert!(!hook || agent.hook.is_some(), "{}", agent.name);
            }
        }
    }

    #[test]
    fn no_program_is_two_agents() {
        let mut programs: Vec<String> = known().into_iter().flat_map(|one| one.programs).collect();
        programs.sort();
        let all = programs.len();
        programs.dedup();
        assert_eq!(programs.len(), all);
    }
}
