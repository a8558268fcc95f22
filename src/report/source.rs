//! Where a text comes from that a program would run, in a few words.

use crate::judge::Told;

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

#[cfg(test)]
mod tests {
    use super::*;

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
