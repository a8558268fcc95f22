//! The builtins of the shell (bash(1), SHELL BUILTIN COMMANDS): called by a shell, none of them is the
//! start of a program. This is knowledge of the shell language, not policy.

use crate::action::Action;

/// Their names, separated by blanks.
const NAMES: &str = ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue \
    declare dirs disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill \
    let local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source \
    suspend test times trap true type typeset ulimit umask unalias unset wait";

/// Of these, those whose effect is outside of the shell that calls them; `(` is what functions do to each
/// other.
const ACT_OUTSIDE: &str = "kill (";

/// Whether a shell does the action itself, and it is done to others.
pub(super) fn acts_outside(action: &Action) -> bool {
    is_of_the_shell(action)
        && ACT_OUTSIDE
            .split(' ')
            .any(|name| action.program == name || name == "(" && action.program.starts_with(name))
}

/// Whether a shell does the action itself: a builtin by its bare name, a line without a program, or what
/// functions do to each other, which `normalise` names in brackets.
///
/// What `exec` is given is searched for as a program, even where a builtin has its name.
pub(super) fn is_of_the_shell(action: &Action) -> bool {
    if action.path.text.is_empty() || action.program.starts_with('(') {
        return true;
    }
    action.by_shell
        && action.via.last().is_none_or(|last| last != "exec")
        && NAMES
            .split_ascii_whitespace()
            .any(|name| name == action.path.text)
}
