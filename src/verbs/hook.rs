//! `kibosh hook`: the answer to an agent that asks before it runs a command.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _, stdin, stdout};
use std::os::unix::fs::MetadataExt as _;

use crate::agents::hook::{Answer, Hook, MOST_BYTES};
use crate::agents::{self, Agent, Takes};
use crate::cli::definition::Hook as Options;
use crate::doctor::agents::is_covered;
use crate::exit;
use crate::pipeline::hook;
use crate::report;
use crate::supervise::standing::is_supervised_from_above;

/// Reads what the agent asks and answers it; gives the exit status, which is 0 or 2 whatever happens: agents
/// run the command at any other.
#[must_use]
pub fn hook(options: &Options, say: &dyn Fn(&str)) -> u8 {
    let Some((agent, asked)) = agents::named(&options.agent)
        .and_then(|agent| agent.hook.clone().map(|hook| (agent, hook)))
    else {
        let with_hook = agents::known()
            .into_iter()
            .filter(|agent| agent.hook.is_some());
        let names: Vec<String> = with_hook.flat_map(|agent| agent.programs).collect();
        say(&report::hook::unknown(&options.agent, &names));
        return exit::HOOK_REFUSED;
    };
    let mut input = Vec::new();
    let answer = match stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut input) {
        Ok(_) => hook::answer(&asked, &input, gate_asks(&agent, &asked)),
        Err(error) => Answer::Deny(report::hook::trouble(&error)),
    };
    let told = match asked.answer(&answer) {
        Some(json) => tell(&json),
        None if answer == Answer::Neutral => Ok(()),
        None => Err(std::io::ErrorKind::Unsupported.into()),
    };
    match (told, answer) {
        (Ok(()), _) => 0,
        (Err(_), Answer::Ask(reason) | Answer::Deny(reason)) => {
            say(&reason);
            exit::HOOK_REFUSED
        }
        (Err(error), Answer::Neutral) => {
            say(&report::hook::trouble(&error));
            exit::HOOK_REFUSED
        }
    }
}

/// Whether what the agent runs is judged by a gate that asks: all of the agent is below `kibosh run` and starts a
/// shell for it, whose text is judged whole (what an agent reads by itself is not), or the variable that decides its shell, which it and this process have in common, names this program. A process
/// that is only below one guarded shell tells nothing of the agent's other ones.
fn gate_asks(agent: &Agent, hook: &Hook) -> bool {
    let has_prefix = hook
        .prefix()
        .is_some_and(|name| env::var_os(name).is_some());
    let starts_shell = !matches!(agent.shell, Takes::None | Takes::Unknown);
    starts_shell && is_supervised_from_above() || !has_prefix && is_covered(agent)
}

/// Writes an answer to whoever reads it.
///
/// # Errors
///
/// That it cannot be written, or that nobody can read it: a standard output that was closed is `/dev/null` by now.
fn tell(json: &str) -> std::io::Result<()> {
    let leads_to = |path: &str| fs::metadata(path).map(|file| (file.file_type(), file.rdev()));
    if leads_to("/proc/self/fd/1").ok() == leads_to("/dev/null").ok() {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    }
    let mut out = stdout().lock();
    writeln!(out, "{json}").and_then(|()| out.flush())
}
