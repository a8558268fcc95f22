//! Where a text comes from that a program would run, in a few words.

use std::ffi::CString;

use crate::invocation;
use crate::judge::{Running, Told};

use super::escape::escape;

/// The source of what was judged of one exec: `-c of sh`, `script deploy.sh`, `exec of rm`.
#[must_use]
pub fn of_exec(told: &Told) -> String {
    match told {
        Told::Command(shell) => format!("-c of {shell}"),
        Told::Script(name) => format!("script {name}"),
        Told::Input(shell) => format!("standard input of {shell}"),
        Told::Typed => "the terminal".to_owned(),
        Told::Program(name) => format!("exec of {name}"),
    }
}

/// How much is told of the words.
const MOST_WORDS: usize = 200;

/// A source with the words that its text is given, as they would be typed: `script deploy.sh staging`.
#[must_use]
pub fn with_words(source: &str, words: &[CString]) -> String {
    let mut told = source.to_owned();
    let mut left = MOST_WORDS;
    for word in words {
        let word = typed(&word.to_string_lossy());
        let length = word.chars().count();
        told.push(' ');
        if length > left {
            told.extend(word.chars().take(left));
            told.push('…');
            break;
        }
        told.push_str(&word);
        left -= length;
    }
    told
}

/// A word as it would be typed, on one line.
fn typed(word: &str) -> String {
    let shown = escape(word);
    if shown != word {
        return format!("$'{}'", shown.replace('\'', "\\'"));
    }
    match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => shown.into_owned(),
    }
}

/// A source from which the same comes several times at once.
#[must_use]
pub fn several(source: &str, times: usize) -> String {
    match times {
        0 | 1 => source.to_owned(),
        _ => format!("{times} times: {source}"),
    }
}

/// How many programs above are named.
const MOST_ABOVE: usize = 5;

/// A source with the programs above, the nearest first: `exec of rm, by bash deploy.sh, by make`.
pub fn with_callers(source: String, above: impl Iterator<Item = Running>) -> String {
    let mut words = source;
    let mut names: Vec<String> = Vec::new();
    for name in above.filter_map(|running| name(&running)) {
        // A shell that has made a copy of itself is one.
        if names.last() != Some(&name) {
            names.push(name);
        }
        if names.len() > MOST_ABOVE {
            break;
        }
    }
    for (place, name) in names.into_iter().enumerate() {
        words.push_str(if place < MOST_ABOVE { ", by " } else { ", …" });
        words.push_str(if place < MOST_ABOVE { &name } else { "" });
    }
    words
}

/// A program, and its script where it is a shell with one.
fn name(running: &Running) -> Option<String> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = running.words.iter();
    let name = base(words.next()?);
    let file = running.program.file_name()?.to_string_lossy();
    let script = words.next().filter(|word| !word.starts_with('-'));
    Some(match script {
        Some(script) if invocation::is_shell(&file) => format!("{name} {}", base(script)),
        _ => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_programs_above_are_named_with_their_scripts() {
        let running = |program: &str, words: &[&str]| Running {
            program: PathBuf::from(program),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let above = [
            running("/bin/bash", &["bash", "./deploy.sh", "now"]),
            running("/bin/bash", &["bash", "./deploy.sh", "now"]),
            running("/usr/bin/make", &["make", "all"]),
            running("/bin/bash", &["/bin/bash", "-c", "make all"]),
            running("/x", &[]),
        ];
        let told = Told::Program("rm".into());
        assert_eq!(
            with_callers(of_exec(&told), above.into_iter()),
            "exec of rm, by bash deploy.sh, by make, by bash"
        );
        let many = (0..20).map(|number| running("/bin/a", &[&format!("a{number}")]));
        let many = with_callers(of_exec(&told), many);
        assert_eq!(many, "exec of rm, by a0, by a1, by a2, by a3, by a4, …");
        assert_eq!(
            with_callers(of_exec(&told), std::iter::empty()),
            "exec of rm"
        );
        assert_eq!(several("-c", 1), "-c");
        assert_eq!(several("-c", 3), "3 times: -c");
    }

    #[test]
    fn the_words_of_a_text_are_told_as_far_as_there_is_room() {
        let words = |words: &[&str]| -> Vec<CString> {
            words
                .iter()
                .map(|word| CString::new(*word).unwrap())
                .collect()
        };
        assert_eq!(with_words("-c", &[]), "-c");
        assert_eq!(
            with_words("script x", &words(&["a", "", "b c", "it's\n"])),
            r"script x a '' 'b c' $'it\'s\n'"
        );
        let many = with_words("-c", &words(&["x"; 10_000]));
        assert_eq!(many, format!("-c{} …", " x".repeat(MOST_WORDS)));
    }

    #[test]
    fn a_source_is_named_plainly() {
        for (told, text) in [
            (Told::Command("sh".into()), "-c of sh"),
            (Told::Script("deploy.sh".into()), "script deploy.sh"),
            (Told::Input("bash".into()), "standard input of bash"),
            (Told::Typed, "the terminal"),
            (Told::Program("rm".into()), "exec of rm"),
        ] {
            assert_eq!(of_exec(&told), text);
        }
    }
}
