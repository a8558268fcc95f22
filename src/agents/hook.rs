//! What an agent asks before it runs a command, and how it is answered: which fields of its JSON hold what,
//! and which JSON it takes for a yes, a no and a question.
//!
//! Takes the bytes of a hook's standard input; gives the command and its directory, or why they are not
//! known. It never takes what it does not understand for a command that may run.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// How large the input of a hook may be. No program can be started with an argument of this length.
pub const MOST_BYTES: u64 = 4 << 20;

/// The word of an answer in whose place the reason stands.
const REASON: &str = "$reason";

/// The hook of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hook {
    /// Which event it is for, where it says that.
    event: Option<Field>,
    /// Which tool is the shell, where it says that.
    tool: Option<Field>,
    /// Where the command is.
    command: String,
    /// Where the directory is that the command runs in, where it must say that.
    cwd: Option<String>,
    /// Where directories are that it may say, each relative to the one before.
    #[serde(default)]
    folders: Vec<String>,
    /// A variable that names another program for the commands, so that the one of its shell tells nothing.
    prefix: Option<String>,
    /// The answer by which it asks the person.
    ask: Option<Value>,
    /// The answer by which it does not run the command.
    deny: Option<Value>,
    /// The answer by which its own permissions decide.
    neutral: Option<Value>,
}

/// A field that must have this value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    field: String,
    is: String,
}

/// What a hook is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether a command may run.
    Command {
        /// The text.
        text: String,
        /// Where it would run; empty where the agent does not say it.
        folder: PathBuf,
    },
    /// About another tool, which runs no command.
    Other,
}

/// What an agent is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its own permissions decide.
    Neutral,
    /// It is to ask the person, with these words.
    Ask(String),
    /// The command must not run, and why.
    Deny(String),
}

/// Why an input is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is larger than [`MOST_BYTES`].
    TooLarge,
    /// It is not UTF-8.
    NotText,
    /// It is no JSON object.
    NotJson(String),
    /// A field is missing.
    Missing(String),
    /// A field holds something else than text.
    NotAText(String),
    /// The directory is named from nowhere.
    Relative(String),
    /// It is about another event.
    Event(String),
    /// The command holds a NUL, which no program can be given.
    Nul,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(out, "the input of the hook is larger than 4 MiB"),
            Self::NotText => write!(out, "the input of the hook is not UTF-8"),
            Self::NotJson(why) => write!(out, "the input of the hook is no JSON object: {why}"),
            Self::Missing(field) => write!(out, "the input of the hook has no `{field}`"),
            Self::NotAText(field) => write!(out, "`{field}` in the input of the hook is not text"),
            Self::Relative(field) => {
                write!(
                    out,
                    "`{field}` in the input of the hook is no absolute path"
                )
            }
            Self::Event(name) => write!(out, "the hook was called for the event `{name}`"),
            Self::Nul => write!(out, "the command holds a NUL"),
        }
    }
}

impl std::error::Error for Fault {}

impl Hook {
    /// Whether the agent can be relied on to ask the person.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.ask.is_some()
    }

    /// The variable that names another program for the commands than its shell.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Reads what the agent asks.
    ///
    /// # Errors
    ///
    /// What is not understood. The command must not run then.
    pub fn read(&self, input: &[u8]) -> Result<Asked, Fault> {
        if input.len() as u64 > MOST_BYTES {
            return Err(Fault::TooLarge);
        }
        let input = std::str::from_utf8(input).map_err(|_| Fault::NotText)?;
        let input: Map<String, Value> =
            serde_json::from_str(input).map_err(|error| Fault::NotJson(error.to_string()))?;
        let input = Value::Object(input);
        if let Some(event) = &self.event {
            let name = text(&input, &event.field)?;
            if name != event.is {
                return Err(Fault::Event(name));
            }
        }
        if let Some(tool) = &self.tool
            && text(&input, &tool.field)? != tool.is
            // A shell by a name that is not known yet carries its command in the same place.
            && !at(&input, &self.command).is_some_and(|found| found.is_string())
        {
            return Ok(Asked::Other);
        }
        let command = text(&input, &self.command)?;
        if command.contains('\0') {
            return Err(Fault::Nul);
        }
        let mut folder = match &self.cwd {
            Some(cwd) => {
                let folder = PathBuf::from(text(&input, cwd)?);
                if !folder.is_absolute() {
                    return Err(Fault::Relative(cwd.clone()));
                }
                folder
            }
            None => PathBuf::new(),
        };
        for more in &self.folders {
            if !at(&input, more).is_none_or(|found| found.is_null()) {
                folder.push(text(&input, more)?);
            }
        }
        Ok(Asked::Command {
            text: command,
            folder,
        })
    }

    /// The JSON of an answer; none where the agent takes no JSON for it. What it cannot ask is a no.
    #[must_use]
    pub fn answer(&self, answer: &Answer) -> Option<String> {
        let (form, reason) = match answer {
            Answer::Neutral => (&self.neutral, ""),
            Answer::Ask(reason) if self.asks() => (&self.ask, reason.as_str()),
            Answer::Ask(reason) | Answer::Deny(reason) => (&self.deny, reason.as_str()),
        };
        form.as_ref().map(|form| filled(form, reason).to_string())
    }
}

/// What stands at a path of names with dots between. Text on the way is read as JSON again.
fn at(input: &Value, path: &str) -> Option<Value> {
    let mut found = input.clone();
    for name in path.split('.') {
        if let Value::String(text) = &found {
            found = serde_json::from_str(text).ok()?;
        }
        found = found.get_mut(name)?.take();
    }
    Some(found)
}

/// The text at a path.
fn text(input: &Value, path: &str) -> Result<String, Fault> {
    match at(input, path) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Fault::NotAText(path.to_owned())),
        None => Err(Fault::Missing(path.to_owned())),
    }
}

/// An answer with the reason in its place.
fn filled(form: &Value, reason: &str) -> Value {
    match form {
        Value::String(word) if word == REASON => Value::String(reason.to_owned()),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), filled(value, reason)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{known, named};
    use super::*;

    fn hook(agent: &str) -> Hook {
        named(agent).and_then(|agent| agent.hook).unwrap()
    }

    #[test]
    fn a_command_is_found_where_each_agent_puts_it() {
        for (agent, input, folder) in [
            (
                "claude",
                r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","cwd":"/w","tool_input":{"command":"ls"}}"#,
                "/w",
            ),
            (
                "codex",
                r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","cwd":"/w","tool_input":{"command":"ls","workdir":"a"}}"#,
                "/w/a",
            ),
            (
                "gemini",
                r#"{"hook_event_name":"BeforeTool","tool_name":"run_shell_command","tool_input":{"command":"ls"}}"#,
                "",
            ),
            (
                "gemini",
                r#"{"hook_event_name":"BeforeTool","tool_name":"run_shell_command","cwd":"/w","tool_input":{"command":"ls","directory":"/x"}}"#,
                "/x",
            ),
            (
                "copilot",
                r#"{"toolName":"bash","cwd":"/w","toolArgs":"{\"command\":\"ls\"}"}"#,
                "/w",
            ),
            (
                "copilot",
                r#"{"toolName":"bash","cwd":"/w","toolArgs":{"command":"ls"}}"#,
                "/w",
            ),
            ("cursor", r#"{"command":"ls","cwd":"/w"}"#, "/w"),
        ] {
            let asked = hook(agent).read(input.as_bytes());
            let expected = Asked::Command {
                text: "ls".to_owned(),
                folder: PathBuf::from(folder),
            };
            assert_eq!(asked, Ok(expected), "{agent} {input}");
        }
    }

    #[test]
    fn what_is_not_understood_is_a_fault() {
        let claude = |rest: &str| {
            let text = format!(r#"{{"hook_event_name":"PreToolUse","cwd":"/w",{rest}}}"#);
            hook("claude").read(text.as_bytes())
        };
        let missing = |field: &str| Err(Fault::Missing(field.to_owned()));
        let no_text = |field: &str| Err(Fault::NotAText(field.to_owned()));
        assert_eq!(
            claude(r#""tool_input":{"command":"ls"}"#),
            missing("tool_name")
        );
        assert_eq!(
            claude(r#""tool_name":"Bash""#),
            missing("tool_input.command")
        );
        assert_eq!(
            claude(r#""tool_name":"Bash","tool_input":{"command":["ls"]}"#),
            no_text("tool_input.command")
        );
        assert_eq!(
            claude(r#""tool_name":"Bash","tool_input":{"command":"ls\u0000"}"#),
            Err(Fault::Nul)
        );
        assert_eq!(
            claude(r#""tool_name":"Edit","tool_input":{"file":"x"}"#),
            Ok(Asked::Other)
        );
        assert!(matches!(
            claude(r#""tool_name":"Shell2","tool_input":{"command":"ls"}"#),
            Ok(Asked::Command { .. })
        ));
        assert_eq!(
            hook("claude").read(br#"{"hook_event_name":"Stop"}"#),
            Err(Fault::Event("Stop".to_owned()))
        );
        assert_eq!(
            hook("cursor").read(br#"{"command":"ls","cwd":"w"}"#),
            Err(Fault::Relative("cwd".to_owned()))
        );
        assert_eq!(hook("claude").read(b"\xff"), Err(Fault::NotText));
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{}{}",
            r#"{"hook_event_name":"\ud800"}"#,
        ] {
            let read = hook("claude").read(text.as_bytes());
            assert!(matches!(read, Err(Fault::NotJson(_))), "{text} {read:?}");
        }
        let large = vec![b' '; usize::try_from(MOST_BYTES).unwrap() + 1];
        assert_eq!(hook("claude").read(&large), Err(Fault::TooLarge));
    }

    #[test]
    fn every_answer_of_every_hook_carries_the_reason_and_never_says_allow() {
        for agent in known() {
            let Some(hook) = agent.hook else { continue };
            for answer in [
                Answer::Ask("\"why\"".into()),
                Answer::Deny("\"why\"".into()),
            ] {
                if let Some(text) = hook.answer(&answer) {
                    assert!(text.contains(r#""\"why\"""#), "{} {text}", agent.name);
                }
            }
            let neutral = hook.answer(&Answer::Neutral).unwrap_or_default();
            assert!(matches!(neutral.as_str(), "" | "{}"), "{}", agent.name);
        }
    }
}
