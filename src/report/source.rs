//! Where a text comes from that a program would run, in a few words.

use crate::invocation;
use crate::judge::{Running, Told};

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

/// As [`of_exec`], with the programs above, the nearest first: `exec of rm, by bash deploy.sh, by make`.
pub fn with_callers(told: &Told, above: impl Iterator<Item = Running>) -> String {
    let mut words = of_exec(told);
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
            with_callers(&told, above.into_iter()),
            "exec of rm, by bash deploy.sh, by make, by bash"
        );
        let many = (0..20).map(|number| running("/bin/a", &[&format!("a{number}")]));
        let many = with_callers(&told, many);
        assert_eq!(many, "exec of rm, by a0, by a1, by a2, by a3, by a4, …");
        assert_eq!(with_callers(&told, std::iter::empty()), "exec of rm");
        assert_eq!(several("-c", 1), "-c");
        assert_eq!(several("-c", 3), "3 times: -c");
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
