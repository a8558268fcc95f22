//! What a program of the system starts by itself, as a part of what it was started for: that was judged, so
//! nobody is asked about it again.
//!
//! What that is, the packs say ([`crate::policy::schema::Own`]). What is denied stays denied.

use super::judging::described;
use super::words::Words;
use super::{Caller, Running};
use crate::policy::Policy;
use crate::policy::glob;
use crate::policy::paths::Place;
use crate::policy::schema::Own;

/// Whether a program above an exec makes it by itself.
pub(super) fn is_own(
    policy: &Policy,
    place: &Place,
    caller: &dyn Caller,
    words: &Words<'_>,
) -> bool {
    let arguments = words.arguments().into_iter().map(|word| word.text);
    let path = String::from_utf8_lossy(words.path).into_owned();
    let mut started: Vec<String> = std::iter::once(path).chain(arguments).collect();
    for (height, running) in caller.chain().enumerate() {
        let is_own = |own: &Own| {
            (height == 0 || own.below) && is_meant(&own.when, &running) && is_started(own, &started)
        };
        if described(policy, place, &running).is_some_and(|program| program.own.iter().any(is_own))
        {
            return true;
        }
        started = running.words;
    }
    false
}

/// Whether a program was started with these arguments.
fn is_meant(when: &[String], running: &Running) -> bool {
    let arguments = running.words.get(1..).unwrap_or_default().join(" ");
    when.is_empty() || when.iter().any(|one| glob::matches(one, &arguments))
}

/// Among how many words the path of a script is looked for: what reads it, with options, stands before it.
const FIRST: usize = 6;

/// Whether words are what a program starts: all of them, or the path of a script that they name.
fn is_started(own: &Own, words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    let line = std::iter::once(name)
        .chain(arguments.iter().map(String::as_str))
        .collect::<Vec<&str>>()
        .join(" ");
    let paths = words
        .iter()
        .take(FIRST)
        .filter(|word| word.starts_with('/'));
    let mut texts = std::iter::once(line.as_str()).chain(paths.map(String::as_str));
    texts.any(|text| own.starts.iter().any(|one| glob::matches(one, text)))
}
