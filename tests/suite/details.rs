//! All that is known of a request, which a person can look at before they answer: page by page, in the time that
//! they have, and no key there is a yes.

use std::fs;

use crate::support::desk::Desk;
use crate::support::place::Place;
use crate::support::pty::Terminal;
use crate::support::screen::rows;

/// Runs a line on a person's terminal of this size; `text` is what kibosh is given.
fn ask(place: &Place, (rows, columns): (u16, u16), text: &str) -> Terminal {
    fs::write(place.path().join("text"), text).unwrap();
    let mut terminal = Terminal::run(&format!(
        "stty rows {rows} columns {columns}; cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         stty -g >before; \"$KIBOSH\" -c \"$(cat text)\"; status=$?; stty -g >after\n\
         cmp before after && echo 'modes kept'\necho status=$status",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ));
    terminal.wait_for("Run it?");
    terminal
}

#[test]
fn the_key_d_shows_all_of_it_and_goes_back_to_the_question() {
    let place = Place::new("details-all");
    let text = format!(
        "# one\n# two \u{202e}\x1b[2J\n# {}\ndemolish all >log",
        "long ".repeat(60)
    );
    let size = (60, 80);
    let mut terminal = ask(&place, size, &text);
    terminal.keys("d\r");
    terminal.wait_for("space on");
    let shown = rows(terminal.bytes(), size).join("\n");
    for words in [
        "  | # one\n",
        "  | # two \\u{202e}\\x1b[2J\n",
        "  : ",
        "  | demolish all >log\n",
        &format!("  in       {}", place.path().display()),
        "  from     -c",
        "  session  process ",
        "  rule     test.ask (confirm, project)",
        "  why      demolishes what nobody can build again",
        "  instead  renovate",
        "  does     demolish all",
        "  at       line 4, column 1",
        "  writes   log",
    ] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    assert_eq!(shown.matches("long").count(), 60, "{shown}");
    assert!(shown.contains(" s)"), "{shown}");
    terminal.keys("q");
    terminal.wait_for("Run it?");
    terminal.keys("y\r");
    let screen = terminal.finish();
    assert!(screen.contains("status=0") && screen.contains("modes kept"));
    assert_eq!(place.ran().as_deref(), Some("all\n"), "{screen}");
}

#[test]
fn a_small_terminal_gets_it_page_by_page() {
    let place = Place::new("details-pages");
    let text: String = (1..=20).map(|line| format!("# line {line}.\n")).collect();
    let size = (10, 40);
    let mut terminal = ask(&place, size, &format!("{text}demolish all"));
    terminal.keys("d\r");
    let mut seen = String::new();
    let mut number = 0;
    loop {
        number += 1;
        terminal.wait_for(&format!("{number}/"));
        terminal.wait_for(" s)");
        let shown = rows(terminal.bytes(), size);
        assert!(shown[9].starts_with(&format!("{number}/")), "{shown:#?}");
        seen.push_str(&shown[..9].join("\n"));
        seen.push('\n');
        let of = shown[9].split(['/', ' ']).nth(1).unwrap().to_owned();
        if of == number.to_string() {
            break;
        }
        terminal.keys(["\x1b[B", "\x1b[C", " ", "\x1b[6~"][number % 4]);
    }
    for line in 1..=20 {
        assert_eq!(
            seen.matches(&format!("# line {line}.")).count(),
            1,
            "{seen}"
        );
    }
    for words in ["does     demolish all", "instead  renovate"] {
        assert!(seen.contains(words), "{words:?} is not in:\n{seen}");
    }
    terminal.keys("\x1b[A");
    terminal.wait_for(&format!("{}/", number - 1));
    terminal.keys("n");
    let screen = terminal.finish();
    assert!(screen.contains("status=126") && screen.contains("modes kept"));
    assert!(place.ran().is_none());
}

#[test]
fn no_key_on_a_page_is_a_yes_and_none_goes_on_to_the_question() {
    let place = Place::new("details-no-yes");
    let mut terminal = ask(&place, (24, 80), "demolish all");
    // What is typed before the page stands there is for nothing.
    terminal.keys("d\ry\ry\r");
    terminal.wait_for("space on");
    terminal.keys("y");
    terminal.keys("Y");
    terminal.keys("s");
    terminal.keys("yes\r");
    std::thread::sleep(std::time::Duration::from_millis(400));
    terminal.keys("q");
    terminal.wait_for("nothing of this has run yet");
    terminal.keys("y\r");
    terminal.wait_for("Run it?");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(place.ran().is_none());
    terminal.keys("\r");
    let screen = terminal.finish();
    assert!(screen.contains("status=126"), "{screen}");
    assert!(place.ran().is_none());
}

#[test]
fn the_time_goes_on_and_its_end_is_a_no() {
    let place = Place::new("details-time");
    let mut terminal = ask(&place, (24, 80), "demolish all");
    terminal.keys("d\r");
    terminal.wait_for("(1 s)");
    let screen = terminal.finish();
    assert!(screen.contains("nobody answered within"), "{screen}");
    assert!(screen.contains("status=126") && screen.contains("modes kept"));
    for (keys, case) in [("\x03", "c"), ("\x04", "d"), ("\x1a", "z")] {
        let place = Place::new(&format!("details-leave-{case}"));
        let mut terminal = ask(&place, (24, 80), "demolish all");
        terminal.keys("d\r");
        terminal.wait_for("space on");
        terminal.keys(keys);
        let screen = terminal.finish();
        assert!(screen.contains("status=126") && screen.contains("modes kept"));
        assert!(place.ran().is_none());
    }
}

#[test]
fn a_thing_of_that_name_is_still_its_name() {
    let place = Place::new("details-name");
    let mut terminal = Terminal::run(&format!(
        "cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\"$KIBOSH\" -c 'demolish named d'; echo status=$?",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ));
    terminal.wait_for("type its name: d");
    terminal.wait_for("Name (");
    terminal.keys("d\r");
    assert!(terminal.finish().contains("status=0"));
    assert_eq!(place.ran().as_deref(), Some("named d\n"));
}

#[test]
fn the_panel_under_the_launcher_and_reviewers_have_it_too() {
    let place = Place::new("details-panel");
    let size = (10, 40);
    let agent = "printf '\\033[?1049hrow one'\ndemolish all 2>said\nprintf '\\033]0;done\\007'\nread -r end\n";
    fs::write(place.path().join("agent.sh"), agent).unwrap();
    let mut terminal = Terminal::run(&format!(
        "stty rows {} columns {}; cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         \"$KIBOSH\" run -- /bin/bash ./agent.sh; echo \"ended $?\"",
        size.0,
        size.1,
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ));
    terminal.wait_for("Run it?");
    terminal.keys("d\r");
    terminal.wait_for("1/");
    terminal.wait_for(" s)");
    let shown = rows(terminal.bytes(), size);
    assert!(shown[9].starts_with("1/"), "{shown:#?}");
    assert!(
        shown[0].starts_with("kibosh: all that is known"),
        "{shown:#?}"
    );
    terminal.keys("q");
    terminal.wait_for("Run it?");
    terminal.keys("n\r");
    terminal.wait_for("\x1b]0;done\x07");
    assert!(place.ran().is_none());
    let shown = rows(terminal.bytes(), size).join("\n");
    assert!(
        shown.contains("row one") && !shown.contains("Run it?"),
        "{shown}"
    );
    terminal.keys("\r");
    assert!(terminal.finish().contains("ended 0"));

    let desk = Desk::new("details");
    let number = desk.waits("demolish all");
    let mut person = desk.person(&format!("\"$KIBOSH\" approve {number}"));
    person.wait_for("Run it?");
    person.keys("d\r");
    person.wait_for("session  process ");
    person.wait_for("space on");
    person.keys("q");
    person.wait_for("Run it?");
    person.keys("y\r");
    assert!(person.finish().contains("status=0"));
}
