//! What is said of programs that were not started because they could not be judged.

use super::escape::escape;
use super::refusal;

/// The policy wants an exec gate, and there can be none; why.
#[must_use]
pub fn required(missing: &str) -> String {
    format!(
        "kibosh: nothing was run: the policy requires the exec gate (`exec-gate = \"required\"`), and there is none \
         here: {}\nkibosh: `kibosh doctor` tells what is there",
        refusal::unmistaken(missing)
    )
}

/// An agent is started, and the programs that it starts are not seen; why.
#[must_use]
pub fn unguarded(missing: &str) -> String {
    format!(
        "kibosh: programs that are started are not seen, only lines of shells that are kibosh: {}\n\
         kibosh: `kibosh doctor` tells what is there; with `exec-gate = \"required\"` nothing is started so",
        refusal::unmistaken(missing)
    )
}

/// An exec that cannot be examined.
#[must_use]
pub fn hidden(error: &std::io::Error) -> String {
    refusal::of_trouble(&format!("what would run cannot be examined ({error})"))
}

/// An exec of a task that another process traces.
#[must_use]
pub fn traced() -> String {
    refusal::of_trouble(
        "another process traces the one that would start it (strace, gdb), and could exchange what was judged; \
         start the program without it, and attach to it afterwards (`strace -p`, `gdb -p`)",
    )
}

/// An exec of files that somebody changed while a person was asked about it.
#[must_use]
pub fn changed() -> String {
    refusal::of_trouble(
        "the program was changed while a person was asked about it, and their yes was for what it was before; run it again",
    )
}

/// A program that would go beyond a budget about which somebody was asked a moment ago, and did not say yes.
#[must_use]
pub fn used_up(rule: &str) -> String {
    refusal::of_trouble(&format!(
        "it is held back by rule {}, too; somebody was asked about that a moment ago, and nobody is asked again \
         for a minute",
        escape(rule)
    ))
}

/// A program that is nothing without rights which it cannot gain.
#[must_use]
pub fn gains_nothing(program: &str) -> String {
    refusal::of_trouble(&format!(
        "`{}` cannot gain rights here: the exec gate forbids that to programs below it (no_new_privs)\n\
         kibosh: instead: run it without `{0}`, or ask a person to run it; `new-privileges = true` in /etc/kibosh \
         gives up the exec gate for it",
        escape(program)
    ))
}
