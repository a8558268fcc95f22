//! What can be said about a rule without reading all of it: which programs it can be about and which
//! traits an action must have.
//!
//! `build.rs` includes this file too and writes the answers for the shipped rules into static tables,
//! so that a line decodes only rules that can match it. An answer may be too wide, never too narrow:
//! a rule that is filtered out here is not judged.

use super::glob;
use super::schema::Match;

/// The action has arguments.
pub const ARGUMENTS: u32 = 1;
/// A redirection empties and writes a file.
pub const WRITES: u32 = 1 << 1;
/// A redirection appends to a file.
pub const APPENDS: u32 = 1 << 2;
/// A redirection reads a file.
pub const READS: u32 = 1 << 3;
/// Variables are set for it.
pub const ENVIRONMENT: u32 = 1 << 4;
/// It would execute code in another language.
pub const CODE: u32 = 1 << 5;
/// The text of its standard input is known.
pub const INPUT: u32 = 1 << 6;
/// It was reached through other programs.
pub const VIA: u32 = 1 << 7;
/// Something is piped into it.
pub const FED: u32 = 1 << 8;
/// Some part of it is not known.
pub const OPAQUE: u32 = 1 << 9;
/// It runs elsewhere.
pub const ELSEWHERE: u32 = 1 << 10;
/// It runs on this machine.
pub const HERE: u32 = 1 << 11;
/// Its program is described by a `[[program]]`.
pub const DESCRIBED: u32 = 1 << 12;
/// Its program is not described.
pub const UNDESCRIBED: u32 = 1 << 13;

/// It is named with a directory.
pub const NAMED: u32 = 1 << 14;

/// The traits that an action must have for `conditions` to hold.
#[must_use]
pub fn needs(conditions: &Match) -> u32 {
    let asked = |asked: bool, trait_bit: u32| if asked { trait_bit } else { 0 };
    asked(
        !conditions.subcommand.is_empty()
            || !conditions.verb.is_empty()
            || !conditions.flags.is_empty()
            || !conditions.operands.is_empty()
            || !conditions.paths.is_empty()
            || !conditions.target_options.is_empty()
            || conditions.min_operands.is_some_and(|least| least > 0),
        ARGUMENTS,
    ) | asked(!conditions.writes.is_empty(), WRITES)
        | asked(!conditions.appends.is_empty(), APPENDS)
        | asked(!conditions.reads.is_empty(), READS)
        | asked(!conditions.environment.is_empty(), ENVIRONMENT)
        | asked(
            !conditions.code.is_empty() || !conditions.language.is_empty(),
            CODE,
        )
        | asked(!conditions.input.is_empty(), INPUT)
        | asked(!conditions.via.is_empty(), VIA)
        | asked(!conditions.fed_by.is_empty(), FED)
        | asked(!conditions.opaque.is_empty(), OPAQUE)
        | asked(named_with_directory(&conditions.named), NAMED)
        | match conditions.elsewhere {
            Some(true) => ELSEWHERE,
            Some(false) => HERE,
            None => 0,
        }
        | match conditions.undescribed {
            Some(true) => UNDESCRIBED,
            Some(false) => DESCRIBED,
            None => 0,
        }
}

/// Whether each of these patterns of a program as it is named asks for a directory.
fn named_with_directory(patterns: &[String]) -> bool {
    !patterns.is_empty() && alternatives(patterns).all(|pattern| pattern.contains('/'))
}

/// The programs that `conditions` names as they are; patterns are left to [`patterns`].
pub fn names(conditions: &Match) -> impl Iterator<Item = &str> {
    alternatives(&conditions.program).filter(|name| glob::is_literal(name))
}

/// The patterns for programs in `conditions`, where some programs cannot be looked up by name: empty
/// is every program, none is that [`names`] names them all.
#[must_use]
pub fn patterns(conditions: &Match) -> Option<Vec<&str>> {
    let patterns: Vec<&str> = alternatives(&conditions.program)
        .filter(|name| !glob::is_literal(name))
        .collect();
    if patterns.contains(&"*") || conditions.program.is_empty() {
        Some(Vec::new())
    } else if patterns.is_empty() {
        None
    } else {
        Some(patterns)
    }
}

/// Patterns of which at least one must match one of the arguments for `conditions` to hold; none where
/// that cannot be said.
///
/// Subcommand words and operands are arguments as they stand, but for other names of subcommands,
/// which the caller adds.
#[must_use]
pub fn words(conditions: &Match) -> Vec<&str> {
    if conditions
        .subcommand
        .iter()
        .any(|subcommand| subcommand.trim().is_empty())
    {
        return Vec::new();
    }
    if !conditions.subcommand.is_empty() {
        return conditions
            .subcommand
            .iter()
            .filter_map(|words| longest(words))
            .collect();
    }
    let list = if conditions.verb.is_empty() {
        &conditions.operands
    } else {
        &conditions.verb
    };
    list.iter().map(String::as_str).collect()
}

/// The word of a subcommand that says most; all of its words must be there.
fn longest(subcommand: &str) -> Option<&str> {
    subcommand
        .split(' ')
        .max_by_key(|word| word.trim_matches('*').len())
}

/// The single patterns of a list in which each may hold several (`a|b`).
pub fn alternatives(patterns: &[String]) -> impl Iterator<Item = &str> {
    patterns.iter().flat_map(|pattern| pattern.split('|'))
}
