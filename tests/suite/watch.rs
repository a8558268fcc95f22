//! `kibosh watch` on a whole terminal: a key answers the request that was drawn when it was typed, or nothing, and
//! the terminal is left as it was.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::desk::{ASKED, Desk};
use crate::support::halted::Halted;
use crate::support::probe::{told, wait_for};
use crate::support::pty::Terminal;
use crate::support::screen::{self, emulated};

/// What is on the screen before.
const BEFORE: &str = "what was there before";

/// A person who watches on a terminal of this size; `more` is run before.
fn watcher(desk: &Desk, (rows, columns): (u16, u16), more: &str) -> Terminal {
    desk.person(&format!(
        "stty rows {rows} columns {columns}; stty -g >before; echo {BEFORE}; {more}\n\
         sh -c 'echo $$ >pid; exec \"$KIBOSH\" watch'; status=$?; stty -g >after\n\
         cmp before after && echo modes kept; (exit $status)"
    ))
}

/// The number of the watching process.
fn process(desk: &Desk) -> Pid {
    let read = || fs::read_to_string(desk.place.path().join("pid")).ok();
    Pid::from_raw(wait_for("pid", || read()?.trim().parse().ok()))
}

fn rows(terminal: &Terminal, size: (u16, u16)) -> Vec<String> {
    screen::rows(terminal.bytes(), size)
}

/// Waits until each of these stands on the screen, in one row each.
fn sees(terminal: &mut Terminal, size: (u16, u16), words: &[&str]) {
    terminal.wait_until(&words.join(" and "), |bytes| {
        let rows = screen::rows(bytes, size);
        words
            .iter()
            .all(|words| rows.iter().any(|row| row.contains(words)))
    });
}

/// The person leaves, and the terminal is as it was.
#[track_caller]
fn leaves(mut terminal: Terminal, size: (u16, u16), keys: &str) {
    later(&mut terminal, keys);
    terminal.wait_for("modes kept");
    terminal.wait_for("status=0");
    let parser = emulated(terminal.bytes(), size);
    let shown: String = parser.screen().rows(0, size.1).collect();
    assert!(!parser.screen().alternate_screen() && !parser.screen().hide_cursor());
    assert!(shown.contains(BEFORE), "{shown}");
    assert!(!shown.contains("kibosh watch"), "{shown}");
    terminal.finish();
}

/// Presses a key when what is drawn has stood there long enough: what comes at once counts for nothing.
fn later(terminal: &mut Terminal, key: &str) {
    std::thread::sleep(Duration::from_millis(500));
    terminal.keys(key);
}

/// Presses the key of a yes and the one that makes it one, when the request has stood there long enough.
#[track_caller]
fn yes(terminal: &mut Terminal, key: &str) {
    later(terminal, key);
    terminal.wait_for("yes, ");
    terminal.keys("\r");
    terminal.wait_for("is approved");
}

#[test]
fn each_key_answers_as_far_as_it_says() {
    let desk = Desk::new("board-keys");
    let size = (24, 80);
    let mut person = watcher(&desk, size, "");
    person.wait_for("nothing waits");
    for (line, key) in [
        ("demolish all one", "y"),
        ("demolish all two", "t"),
        ("demolish all three", "s"),
    ] {
        let child = desk.begins(line);
        sees(
            &mut person,
            size,
            &["1 request waits", &format!("| {line}"), "quit"],
        );
        yes(&mut person, key);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let child = desk.begins("demolish all four");
    person.wait_for("demolish all four");
    later(&mut person, "n");
    person.wait_for("Why not");
    person.keys("not t\x7ftoday");
    person.keys("\r");
    person.wait_for("is refused");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(126));
    assert!(told(&output).contains("not today"), "{output:?}");
    // Only the yes for a time and that for the session count again.
    assert!(desk.asks("demolish all two").status.success());
    assert!(desk.asks("demolish all three").status.success());
    let mut child = desk.begins("demolish all one");
    person.wait_for("demolish all one");
    child.kill().unwrap();
    child.wait().unwrap();
    leaves(person, size, "q");
}

#[test]
fn the_list_is_gone_through_and_the_chosen_one_is_shown_at_every_size() {
    for (place, size) in [(10, 40), (24, 80), (60, 200)].into_iter().enumerate() {
        let desk = Desk::new(&format!("board-list-{place}"));
        for word in ["one", "two", "three"] {
            desk.waits(&format!("demolish all {word}"));
        }
        let mut person = watcher(&desk, size, "");
        person.wait_for("demolish all one");
        for (key, word) in [
            ("j", "two"),
            ("\x1b[B", "three"),
            ("k", "two"),
            ("\x1b[A", "one"),
        ] {
            later(&mut person, key);
            sees(
                &mut person,
                size,
                &[&format!("| demolish all {word}"), "> "],
            );
        }
        sees(&mut person, size, &["> 1"]);
        let shown = rows(&person, size);
        assert!(shown[0].contains("3 requests wait"), "{shown:#?}");
        assert!(shown.iter().any(|row| row.starts_with("> 1")), "{shown:#?}");
        assert!(
            shown[usize::from(size.0) - 1].starts_with('y'),
            "{shown:#?}"
        );
        later(&mut person, "d");
        person.wait_for("1/");
        let shown = rows(&person, size);
        assert!(
            shown[0].starts_with("kibosh: all that is known"),
            "{shown:#?}"
        );
        // There is no yes on these pages.
        for key in ["y", "\r", "q"] {
            later(&mut person, key);
        }
        sees(&mut person, size, &["requests wait", "> 1"]);
        let list = desk.sees("\"$KIBOSH\" grants");
        assert!(list.contains("nothing is approved"), "{list}");
        leaves(person, size, "\x03");
        assert!(desk.place.ran().is_none());
    }
}

#[test]
fn a_key_that_was_typed_at_another_request_answers_nothing() {
    let desk = Desk::new("board-slide");
    let first = desk.waits("demolish all one");
    let second = desk.waits("demolish all two");
    let size = (24, 80);
    let mut person = watcher(&desk, size, "");
    sees(&mut person, size, &["| demolish all one", "quit"]);
    std::thread::sleep(Duration::from_millis(500));
    // The first goes while its screen stands there, and a yes is typed that was for it.
    let halted = Halted::new(process(&desk).as_raw());
    assert!(
        desk.sees(&format!("\"$KIBOSH\" refuse {first}"))
            .contains("status=0")
    );
    person.keys("y\r");
    std::thread::sleep(Duration::from_millis(100));
    drop(halted);
    sees(&mut person, size, &["| demolish all two"]);
    std::thread::sleep(Duration::from_millis(500));
    let list = desk.sees("\"$KIBOSH\" grants");
    assert!(list.contains("nothing is approved"), "{list}");
    assert_eq!(desk.waits("demolish all two"), second);
    leaves(person, size, "q");
    assert!(desk.place.ran().is_none());
}

#[test]
fn a_key_that_comes_too_soon_after_a_change_answers_nothing() {
    let desk = Desk::new("board-soon");
    desk.waits("demolish all one");
    desk.waits("demolish all two");
    let size = (24, 80);
    let mut person = watcher(&desk, size, "");
    person.wait_for("| demolish all one");
    // A machine with much to do may take too long for it once.
    let mut is_seen = false;
    for key in ["j", "k"].into_iter().cycle().take(20) {
        later(&mut person, key);
        person.wait_for("| demolish all");
        is_seen = person.seen().contains("too soon");
        if is_seen {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        person.keys("y");
        later(&mut person, "\x1b");
    }
    assert!(is_seen, "{}", person.seen());
    later(&mut person, "jjjjyyyy\r");
    person.wait_for("several keys");
    assert!(
        desk.sees("\"$KIBOSH\" grants")
            .contains("nothing is approved")
    );
    leaves(person, size, "q");
}

#[test]
fn a_thing_that_must_be_named_is_named() {
    let desk = Desk::new("board-name");
    desk.waits("demolish named site-7");
    let size = (10, 40);
    let mut person = watcher(&desk, size, "");
    person.wait_for("demolish named site-7");
    for (name, is_it) in [("site-8", false), ("y", false), ("site-7", true)] {
        later(&mut person, "y");
        person.wait_for("yes, once?");
        person.keys("\r");
        person.wait_for("type its name: site-7");
        person.keys(name);
        person.keys("\r");
        person.wait_for(if is_it { "is approved" } else { "not its name" });
        let list = desk.sees("\"$KIBOSH\" grants");
        assert_eq!(list.contains("nothing is approved"), !is_it, "{list}");
    }
    leaves(person, size, "q");
}

#[test]
fn what_is_asked_can_neither_draw_nor_scroll_nor_forge() {
    let desk = Desk::new("board-forged");
    let forged = "demolish all '\n\x1b[2J\x1b]0;x\x07> 9 forged\r\n\u{202e}'";
    desk.waits(forged);
    desk.waits(&format!("demolish all {}", "x ".repeat(900)));
    for size in [(10, 40), (24, 80), (60, 200)] {
        let mut person = watcher(&desk, size, "");
        sees(&mut person, size, &["> 1"]);
        later(&mut person, "j");
        sees(&mut person, size, &["> 2"]);
        later(&mut person, "k");
        sees(&mut person, size, &["> 1", " q"]);
        let shown = rows(&person, size);
        assert!(shown[0].starts_with("kibosh watch: 2"), "{shown:#?}");
        assert!(
            !shown.iter().any(|row| row.trim_start().starts_with("> 9")),
            "{shown:#?}"
        );
        let bytes = String::from_utf8_lossy(person.bytes()).into_owned();
        assert!(
            !bytes.contains("\x1b]0") && !bytes.contains('\u{202e}'),
            "{bytes}"
        );
        leaves(person, size, "q");
    }
}

#[test]
fn the_window_may_change_and_signals_leave_the_terminal_as_it_was() {
    let desk = Desk::new("board-resize");
    desk.waits(ASKED);
    let mut person = watcher(&desk, (24, 80), "");
    sees(&mut person, (24, 80), &["quit", "| demolish all"]);
    for (size, words) in [((10, 40), "j k q"), ((5, 20), "too"), ((60, 200), "quit")] {
        let before = person.bytes().len();
        person.resize(size.0, size.1);
        // It draws everything anew.
        person.wait_until("drawn anew", |bytes| {
            bytes[before..].windows(4).any(|part| part == b"\x1b[2J")
        });
        sees(&mut person, size, &[words]);
        let shown = rows(&person, size).join("\n");
        assert_eq!(shown.contains("| demolish all"), size.0 > 5, "{shown}");
    }
    kill(process(&desk), Signal::SIGTERM).unwrap();
    leaves(person, (60, 200), "");
}

#[test]
fn a_terminal_without_a_screen_is_asked_line_by_line() {
    let desk = Desk::new("board-dumb");
    desk.waits(ASKED);
    for more in [
        "export TERM=dumb",
        "stty rows 9 columns 80",
        "stty rows 0 columns 0",
    ] {
        let mut person = watcher(&desk, (24, 80), more);
        person.wait_for("waiting for requests");
        person.wait_for("Run it? y, s session, n, d details");
        person.keys("\x03");
        let screen = person.finish();
        assert!(screen.contains("modes kept"), "{screen}");
        assert!(!screen.contains("\x1b[?1049h"), "{screen}");
    }
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let desk = Desk::new("board-colours");
    desk.waits(ASKED);
    for (more, has) in [("", false), ("unset NO_COLOR", true)] {
        let mut person = watcher(&desk, (24, 80), more);
        sees(&mut person, (24, 80), &["| demolish all", "quit"]);
        let bytes = String::from_utf8_lossy(person.bytes()).into_owned();
        assert_eq!(bytes.contains("\x1b[1m"), has, "{bytes}");
        leaves(person, (24, 80), "q");
    }
}

#[test]
fn the_desktop_or_the_bell_tells_of_a_request_that_comes() {
    let notice = "[--]\n[kibosh: a request waits for you]\n[rule test.ask]\nend\n";
    // Whether there is a desktop, and a screen.
    for (number, (more, has_desktop)) in [
        ("export DISPLAY=:7; unset WAYLAND_DISPLAY", true),
        (
            "export WAYLAND_DISPLAY=w; unset DISPLAY; export TERM=dumb",
            true,
        ),
        ("unset DISPLAY WAYLAND_DISPLAY", false),
        ("unset DISPLAY WAYLAND_DISPLAY; export TERM=dumb", false),
    ]
    .into_iter()
    .enumerate()
    {
        let desk = Desk::new(&format!("board-notice-{number}"));
        desk.place.program(
            "notify-send",
            // It is started where the watcher is by then, not where it began.
            &format!(
                "#!/bin/sh\n{{ for word; do echo \"[$word]\"; done; echo end; }} >>'{}'\n",
                desk.place.path().join("told").display()
            ),
        );
        let told = || fs::read_to_string(desk.place.path().join("told")).ok();
        let mut person = watcher(&desk, (24, 80), more);
        person.wait_for("wait");
        // Nobody has looked for a while.
        std::thread::sleep(Duration::from_millis(3500));
        let lines = [1, 2].map(|which| format!("demolish all '$(touch no)' {number}{which}"));
        let children = lines.each_ref().map(|line| desk.begins(line));
        person.wait_for("demolish all");
        person.wait_for("renovate");
        if has_desktop {
            wait_for("notice", || told().filter(|told| told.ends_with("end\n")));
        } else {
            person.wait_until("rung", |bytes| bytes.contains(&7));
        }
        for mut child in children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // The second one came at once after the first.
        assert_eq!(told(), has_desktop.then(|| notice.to_owned()));
        let bells = person.bytes().iter().filter(|byte| **byte == 7).count();
        assert_eq!(bells, usize::from(!has_desktop), "{more}");
        later(&mut person, "\x03");
        person.wait_for("modes kept");
        person.finish();
        assert!(!desk.place.path().join("no").exists());
    }
}

#[test]
fn a_watcher_that_is_killed_leaves_the_terminal_as_it_was() {
    let desk = Desk::new("board-killed");
    desk.waits(ASKED);
    let size = (24, 80);
    let mut person = watcher(&desk, size, "");
    sees(&mut person, size, &["| demolish all", "quit"]);
    kill(process(&desk), Signal::SIGKILL).unwrap();
    person.wait_until("the screen from before", |bytes| {
        let parser = emulated(bytes, size);
        !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
    });
    let shown = rows(&person, size).join("\n");
    assert!(shown.contains(BEFORE), "{shown}");
    let after = person.finish();
    assert!(after.contains("status=137"), "{after}");
}

#[test]
fn after_an_answer_the_next_request_is_chosen() {
    let desk = Desk::new("board-next");
    for word in ["one", "two", "three"] {
        desk.waits(&format!("demolish all {word}"));
    }
    let size = (24, 80);
    let mut person = watcher(&desk, size, "");
    sees(&mut person, size, &["> 1", "| demolish all one"]);
    later(&mut person, "j");
    sees(&mut person, size, &["> 2", "| demolish all two"]);
    yes(&mut person, "y");
    sees(&mut person, size, &["> 3", "| demolish all three"]);
    // Behind the last there is none; the one before it is next.
    later(&mut person, "n");
    person.wait_for("Why not");
    person.keys("\r");
    person.wait_for("is refused");
    sees(&mut person, size, &["> 1", "| demolish all one"]);
    leaves(person, size, "q");
}
