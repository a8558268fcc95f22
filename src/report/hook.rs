//! What an agent's hook is told: why a command must not run, or what its person is to be asked.

use std::fmt::Display;

use crate::decide::Decision;

use super::escape::escape;
use super::refusal::{found, unmistaken};

/// The words of a question that the agent puts to its person.
#[must_use]
pub fn question(decision: &Decision) -> String {
    found("kibosh asks before ", "runs,", decision)
        .unwrap_or_else(|| "kibosh asks before this runs".to_owned())
}

/// That a command must not run because it could not be judged.
#[must_use]
pub fn trouble(why: &dyn Display) -> String {
    unmistaken(&format!(
        "kibosh: nothing was run: {}",
        escape(&why.to_string())
    ))
}

/// That a command does not run because the policy only says what it would do.
#[must_use]
pub fn dry_run(answer: &str) -> String {
    format!("kibosh: nothing was run: a dry run, which says `{answer}`")
}

/// That there is no such hook.
#[must_use]
pub fn unknown(agent: &str, known: &[String]) -> String {
    format!(
        "kibosh: nothing was run: no hook of `{}` is known\nhint: one of {}",
        escape(agent),
        known.join(", ")
    )
}
