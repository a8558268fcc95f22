//! What a yes is bound to beside the text that is shown: the words that the text is given, and the directories.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Output;

use crate::support::desk::{ASKED, Desk, KIBOSH, number};
use crate::support::probe::{hide, probe, run, told};

/// A text that does as it is told.
const TEXT: &str = "demolish all; echo \"$1\" >>site";

/// The same of what no start of a program shows.
const WRITES: &str = ": >.git/config; echo \"$1\" >>site";

/// kibosh with these words, without a terminal.
fn asks(desk: &Desk, words: &[&str]) -> Output {
    let mut command = desk.place.command(KIBOSH);
    run(command.env("KIBOSH", KIBOSH).args(words))
}

/// Has `first` approved, and says that it runs and `second` does not, by the site that each would leave.
fn assert_told_apart(what: &str, scope: &str, run: impl Fn(&Desk, &str) -> Output) {
    let scope_name = scope.replace([' ', '-'], "");
    let desk = Desk::new(&format!("words-{what}{scope_name}"));
    fs::create_dir(desk.place.path().join(".git")).unwrap();
    fs::write(desk.place.path().join("deploy"), WRITES).unwrap();
    let asked = number(&run(&desk, "staging"));
    let list = desk.sees("\"$KIBOSH\" pending");
    assert!(list.contains("staging"), "{what}: {list}");
    desk.approve(asked, scope);
    let other = run(&desk, "prod");
    assert_ne!(number(&other), asked, "{what}");
    let ran = run(&desk, "staging");
    assert!(ran.status.success(), "{what}: {ran:?}");
    let sites = fs::read_to_string(desk.place.path().join("site")).unwrap();
    assert_eq!(sites, "staging\n", "{what}");
}

#[test]
fn a_yes_is_for_the_words_that_a_line_is_given() {
    for scope in ["", "--for session"] {
        assert_told_apart("c", scope, |desk, site| {
            asks(desk, &["-c", TEXT, "x", site])
        });
        assert_told_apart("script", scope, |desk, site| asks(desk, &["deploy", site]));
    }
}

#[test]
fn a_yes_is_for_the_words_that_the_exec_gate_sees() {
    for scope in ["", "--for session"] {
        assert_told_apart("exec-script", scope, |desk, site| {
            desk.asks(&format!("sh deploy {site}"))
        });
        // What the line does not show.
        assert_told_apart("exec-c", scope, |desk, site| {
            let words = ["execve", "/bin/sh", "sh", "-c", WRITES, "x", site];
            hide(&desk.place, &words);
            desk.asks(&format!("exec {} words", probe("start").display()))
        });
    }
}

#[test]
fn a_person_is_shown_the_words_wherever_they_are_asked() {
    let desk = Desk::new("words-shown");
    fs::create_dir(desk.place.path().join(".git")).unwrap();
    fs::write(desk.place.path().join("deploy"), WRITES).unwrap();
    let shown = "from     script deploy staging 'a b' $'\\x1b[2J'";
    let asked = number(&asks(&desk, &["deploy", "staging", "a b", "\x1b[2J"]));
    let mut person = desk.person(&format!("\"$KIBOSH\" approve {asked}"));
    person.wait_for("Run it?");
    person.keys("\r");
    let screen = person.finish();
    assert!(screen.contains(shown), "{screen}");
    let mut here = desk.person("\"$KIBOSH\" deploy staging 'a b' \"$(printf '\\033[2J')\"");
    here.wait_for("Run it?");
    here.keys("\r");
    let screen = here.finish();
    assert!(screen.contains(shown), "{screen}");
    let mut here = desk.person("\"$KIBOSH\" -c 'sh deploy staging'");
    here.wait_for("script deploy staging, by ");
    here.wait_for("Run it?");
    here.keys("\r");
    here.finish();
    // However many there are, there is room for the question.
    let many = "x".repeat(5000);
    let asked = number(&asks(&desk, &["deploy", "staging", &many, "end"]));
    let mut person = desk.person(&format!("\"$KIBOSH\" pending; \"$KIBOSH\" approve {asked}"));
    person.wait_for("Run it?");
    person.keys("\r");
    let screen = person.finish();
    assert!(!screen.contains(&many), "{screen}");
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn a_yes_is_for_the_directory_before_and_for_how_this_one_is_named() {
    for name in ["OLDPWD", "PWD"] {
        let desk = Desk::new(&format!("words-{name}"));
        let line = "cd -; demolish all";
        let from = |folder: &str| {
            let mut command = desk.command(line);
            run(command.env("OLDPWD", desk.place.path()).env(name, folder))
        };
        for folder in ["staging", "prod"] {
            fs::create_dir(desk.place.path().join(folder)).unwrap();
        }
        let at = |folder: &str| desk.place.path().join(folder).display().to_string();
        let asked = number(&from(&at("staging")));
        desk.approve(asked, "--for 10m");
        assert_ne!(number(&from(&at("prod"))), asked, "{name}");
        assert_eq!(from(&at("staging")).status.code(), Some(0), "{name}");
    }
}

#[test]
fn a_yes_is_for_a_directory_by_its_bytes() {
    let desk = Desk::new("words-bytes");
    let from = |name: &[u8]| {
        let folder = desk.place.path().join(OsStr::from_bytes(name));
        fs::create_dir_all(&folder).unwrap();
        run(desk.command(ASKED).current_dir(folder))
    };
    let asked = number(&from(b"site\xfe"));
    desk.approve(asked, "--for 10m");
    let other = from(b"site\xff");
    assert_eq!(other.status.code(), Some(126), "{other:?}");
    assert!(
        !told(&other).contains(&format!("approve {asked}`")),
        "{other:?}"
    );
    assert!(from(b"site\xfe").status.success());
}
