//! Asking a person: only a yes that is typed at the question runs anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::place::Place;
use crate::support::probe::{NOBODY, kibosh_for_all, wait_for, without_rights};
use crate::support::pty::Terminal;

/// The words after which an answer counts.
const QUESTION: &str = "Run it?";
/// A line that a person is asked about.
const ASKED: &str = r#""$KIBOSH" -c 'demolish all'"#;

/// What a person's shell does: runs `line`, compares the terminal's modes before and after, and says
/// the status.
fn script(place: &Place, line: &str) -> String {
    format!(
        "cd '{}' || exit\n\
         export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         stty -g >before\n\
         {line}\n\
         status=$?\n\
         stty -g >after\n\
         cmp before after && echo 'modes kept'\n\
         echo status=$status",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    )
}

/// Runs `line` on a person's terminal and waits for the question.
fn ask(place: &Place, line: &str) -> Terminal {
    let mut terminal = Terminal::run(&script(place, line));
    terminal.wait_for(QUESTION);
    terminal
}

/// Nothing ran, the status says so and the terminal is as it was.
#[track_caller]
fn assert_refused(place: &Place, screen: &str) {
    assert!(screen.contains("status=126"), "{screen}");
    assert!(screen.contains("modes kept"), "{screen}");
    assert!(screen.contains("kibosh: nothing was run"), "{screen}");
    assert_eq!(place.ran(), None, "{screen}");
}

#[test]
fn a_typed_yes_runs_the_line_and_leaves_the_terminal_as_it_was() {
    let place = Place::new("yes");
    for yes in ["y\r", "yes\r", "n\x7fy\r"] {
        let _ = fs::remove_file(place.path().join("ran"));
        let mut terminal = ask(&place, ASKED);
        terminal.keys(yes);
        let screen = terminal.finish();
        assert!(
            screen.contains("status=0") && screen.contains("modes kept"),
            "{screen}"
        );
        assert!(!screen.contains("nothing was run"), "{screen}");
        assert_eq!(place.ran().as_deref(), Some("all\n"), "{screen}");
    }
}

#[test]
fn the_question_shows_the_line_the_place_and_the_rule() {
    let place = Place::new("shown");
    let mut terminal = ask(&place, ASKED);
    terminal.keys("\r");
    let screen = terminal.finish();
    for words in [
        "| demolish all",
        "| ^~~~~~~~~~~~",
        &format!("in       {}", place.path().display()),
        "rule     test.ask",
        "why      demolishes what nobody can build again",
        "instead  renovate",
    ] {
        assert!(screen.contains(words), "{words:?} is not in:\n{screen}");
    }
}

#[test]
fn a_grave_rule_wants_the_name_of_the_thing() {
    let line = r#""$KIBOSH" -c 'demolish named site-7'"#;
    for (keys, ran) in [
        ("site-7\r", true),
        ("y\r", false),
        ("site-70\r", false),
        ("\r", false),
    ] {
        let place = Place::new("name");
        let mut terminal = Terminal::run(&script(&place, line));
        terminal.wait_for("type its name: site-7");
        terminal.wait_for("Name (");
        terminal.keys(keys);
        let screen = terminal.finish();
        assert!(screen.contains("modes kept"), "{screen}");
        assert_eq!(place.ran().is_some(), ran, "{keys:?}: {screen}");
        assert!(
            screen.contains(if ran { "status=0" } else { "status=126" }),
            "{screen}"
        );
    }
}

#[test]
fn what_is_denied_is_not_asked_about() {
    let place = Place::new("denied");
    let screen = Terminal::run(&script(&place, r#""$KIBOSH" -c 'demolish never'"#)).finish();
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_refused(&place, &screen);
}

#[test]
fn everything_but_a_yes_is_a_no() {
    for (case, keys) in [
        ("enter", "\r"),
        ("no", "n\r"),
        ("prose", "my key\r"),
        ("ctrl-c", "\x03"),
        ("yes-then-ctrl-c", "y\x03"),
        ("ctrl-d", "\x04"),
        ("ctrl-z", "\x1a"),
        ("ctrl-backslash", "\x1c"),
        ("escape", "\x1b"),
        ("endless", "yyyyyyyyyyyyyyyy"),
    ] {
        let place = Place::new(case);
        let mut terminal = ask(&place, ASKED);
        match case {
            "endless" => (0..200).for_each(|_| terminal.keys(keys)),
            _ => terminal.keys(keys),
        }
        assert_refused(&place, &terminal.finish());
    }
}

/// What a terminal answers to who asks it for its title, and a paste, is none of a person's keys.
#[test]
fn what_stands_in_a_report_of_the_terminal_answers_nothing() {
    for (case, keys) in [
        ("title", "\x1b]ly\r\x1b\\".to_owned()),
        ("paste", "\x1b[200~y\r\x1b[201~".to_owned()),
        // Longer than what is read at once.
        ("long", format!("\x1b]l{}y\r\x1b\\", "x".repeat(253))),
    ] {
        let place = Place::new(case);
        let mut terminal = ask(&place, ASKED);
        terminal.keys(&keys);
        assert_still_asking(&place, terminal);
        // The control: the same without.
        let mut terminal = ask(&place, ASKED);
        terminal.keys("y\r");
        let screen = terminal.finish();
        assert_eq!(place.ran().as_deref(), Some("all\n"), "{case}: {screen}");
    }
}

#[test]
fn what_was_typed_before_the_question_answers_nothing() {
    let place = Place::new("ahead");
    let mut terminal = Terminal::run(&script(&place, &format!("sleep 0.5; {ASKED}")));
    terminal.keys("y\r\ry\ryes\r");
    assert_still_asking(&place, terminal);
}

#[test]
fn keys_that_fall_on_the_question_while_it_is_drawn_answer_nothing() {
    let place = Place::new("falling");
    let mut terminal = Terminal::run(&script(&place, ASKED));
    terminal.wait_for("nothing of this has run yet");
    for _ in 0..10 {
        terminal.keys("y\r");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_still_asking(&place, terminal);
}

/// The question stands and waits for an answer; a no ends it.
fn assert_still_asking(place: &Place, mut terminal: Terminal) {
    if !terminal.seen().contains(QUESTION) {
        terminal.wait_for(QUESTION);
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(place.ran(), None);
    terminal.keys("\r");
    let screen = terminal.finish();
    assert!(
        screen.contains("a person was asked and said no"),
        "{screen}"
    );
    assert_refused(place, &screen);
}

#[test]
fn no_answer_or_half_a_yes_in_time_is_a_no() {
    let places = [Place::new("silent"), Place::new("half")];
    let started = Instant::now();
    let mut terminals = places.each_ref().map(|place| ask(place, ASKED));
    terminals[1].keys("y");
    for (place, terminal) in places.iter().zip(terminals) {
        let screen = terminal.finish();
        assert!(
            screen.contains("nobody answered within 20 seconds"),
            "{screen}"
        );
        assert_refused(place, &screen);
    }
    let waited = started.elapsed().as_secs();
    assert!((18..25).contains(&waited), "{waited} seconds");
}

#[test]
fn a_person_at_an_interactive_shell_is_asked_in_front_and_not_behind() {
    let place = Place::new("interactive");
    let mut terminal = Terminal::led_by(&["bash", "--norc", "--noprofile", "-i"]);
    terminal.keys(&format!(
        "PS1='ready> '; stty -echo; cd '{}'; PATH='{}'\r",
        place.path().display(),
        place.search_path()
    ));
    terminal.wait_for("ready> ");
    terminal.keys("\"$KIBOSH\" -c 'demolish all behind' & wait\r");
    terminal.wait_for("background job");
    terminal.wait_for("ready> ");
    terminal.keys(&format!("{ASKED}\r"));
    terminal.wait_for(QUESTION);
    terminal.keys("y\r");
    terminal.wait_for("approved");
    terminal.wait_for("ready> ");
    assert_eq!(place.ran().as_deref(), Some("all\n"));
    terminal.keys("exit\r");
    let screen = terminal.finish();
    assert!(!screen.contains("Stopped"), "{screen}");
}

#[test]
fn two_questions_on_one_terminal_wait_for_each_other() {
    let place = Place::new("two");
    let mut terminal = Terminal::run(&script(
        &place,
        r#""$KIBOSH" -c 'demolish all one' & "$KIBOSH" -c 'demolish all two'; status=$?; wait; (exit $status)"#,
    ));
    terminal.wait_for("| demolish all ");
    terminal.wait_for(QUESTION);
    std::thread::sleep(Duration::from_millis(500));
    let shown = terminal.seen();
    assert_eq!(shown.matches(QUESTION).count(), 1, "{shown}");
    let first = if shown.contains("demolish all one") {
        "all one"
    } else {
        "all two"
    };
    terminal.keys("y\r");
    terminal.wait_for(QUESTION);
    terminal.keys("n\r");
    let screen = terminal.finish();
    assert!(screen.contains("modes kept"), "{screen}");
    assert_eq!(place.ran().unwrap(), format!("{first}\n"), "{screen}");
}

#[test]
fn a_terminal_that_goes_away_is_a_no() {
    let place = Place::new("hangup");
    let terminal = ask(
        &place,
        &format!("trap '' HUP; {ASKED}; echo status=$? >ended; exit"),
    );
    terminal.hang_up();
    let ended = place.path().join("ended");
    let told = wait_for("end", || {
        let text = fs::read_to_string(&ended).ok()?;
        text.ends_with('\n').then_some(text)
    });
    assert_eq!(told, "status=126\n");
    assert_eq!(place.ran(), None);
}

#[test]
fn a_signal_at_the_question_is_a_no_and_the_terminal_is_put_back() {
    for signal in ["TERM", "INT", "QUIT", "HUP", "ALRM", "USR1"] {
        let place = Place::new(signal);
        let line = format!(
            "(sh -c 'while [ ! -e go ]; do sleep 0.05; done; kill -{signal} $(cat pid)' & ); \
             sh -c 'echo $$ >pid; exec \"$KIBOSH\" -c \"demolish all\"'"
        );
        let terminal = ask(&place, &line);
        fs::write(place.path().join("go"), "").unwrap();
        assert_refused(&place, &terminal.finish());
    }
}

#[test]
fn a_killed_kibosh_still_leaves_the_terminal_as_it_was() {
    let place = Place::new("killed");
    let terminal = ask(
        &place,
        "(sh -c 'while [ ! -e go ]; do sleep 0.05; done; kill -KILL $(cat pid)' & ); \
         sh -c 'echo $$ >pid; exec \"$KIBOSH\" -c \"demolish all\"'; \
         status=$?; tries=50; \
         while [ \"$(stty -g)\" != \"$(cat before)\" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done; \
         (exit $status)",
    );
    fs::write(place.path().join("go"), "").unwrap();
    let screen = terminal.finish();
    assert!(
        screen.contains("status=137") && screen.contains("modes kept"),
        "{screen}"
    );
    assert_eq!(place.ran(), None);
}

#[test]
fn without_a_terminal_nobody_is_asked_and_the_way_to_approve_is_told() {
    let place = Place::new("none");
    let screen = Terminal::run(&script(
        &place,
        &format!("setsid --wait {ASKED} </dev/null"),
    ))
    .finish();
    assert!(!screen.contains(QUESTION), "{screen}");
    assert!(screen.contains("nobody can be asked from here"), "{screen}");
    assert!(screen.contains("terminal of their own"), "{screen}");
    assert_refused(&place, &screen);
}

#[test]
fn a_yes_on_standard_input_is_not_read() {
    let place = Place::new("stdin");
    let terminal = Terminal::run(&script(&place, &format!("yes | {ASKED}")));
    assert_still_asking(&place, terminal);
}

#[test]
fn a_terminal_on_standard_input_that_is_not_ours_is_not_read() {
    // As agents do that give a command a terminal as its streams but no controlling one.
    let place = Place::new("foreign");
    let screen = Terminal::run(&script(&place, &format!("setsid --wait {ASKED}"))).finish();
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_refused(&place, &screen);
}

#[test]
fn a_session_that_kibosh_leads_has_nobody_to_ask() {
    let place = Place::new("leader");
    let folder = place.path().to_str().unwrap();
    let kibosh = env!("CARGO_BIN_EXE_kibosh");
    let screen = Terminal::led_by(&["env", "-C", folder, kibosh, "-c", "demolish all"]).finish();
    assert!(screen.contains("opened by a program"), "{screen}");
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_eq!(place.ran(), None);
}

#[test]
fn a_terminal_inside_another_is_not_a_persons() {
    let place = Place::new("nested");
    let screen = Terminal::run(&script(
        &place,
        &format!(
            "printf '%s\\n' '{}' >inner; script -qec 'sh inner' /dev/null",
            ASKED.replace('\'', "\"").replace("\"$KIBOSH\"", "$KIBOSH")
        ),
    ))
    .finish();
    assert!(screen.contains("opened by a program"), "{screen}");
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_eq!(place.ran(), None);
}

#[test]
fn a_background_job_is_refused_and_neither_stops_nor_waits() {
    let place = Place::new("background");
    let screen = Terminal::run(&script(&place, &format!("set -m; {ASKED} & wait $!"))).finish();
    assert!(screen.contains("background job"), "{screen}");
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_refused(&place, &screen);
}

#[test]
fn nothing_in_the_line_can_draw_on_the_terminal_or_forge_the_question() {
    let place = Place::new("forged");
    let forged = "printf \"demolish all '\\033[2J\\033[1;1H\\r\\n  rule     harmless\\n\
                  Run it\\302\\205\\342\\200\\256'\" >line; \"$KIBOSH\" -c \"$(cat line)\"";
    let mut terminal = ask(&place, forged);
    terminal.keys("\x03");
    let screen = terminal.finish();
    assert!(
        screen.contains(r"1| demolish all '\x1b[2J\x1b[1;1H\r"),
        "{screen}"
    );
    assert!(screen.contains("2|   rule     harmless"), "{screen}");
    assert!(screen.contains(r"3| Run it\x85\u{202e}'"), "{screen}");
    let foreign = screen.split("nothing of this has run yet").nth(1).unwrap();
    assert!(!foreign.contains("\x1b[2J\x1b[1;1H"), "{screen:?}");
    assert_refused(&place, &screen);
}

#[test]
fn danger_that_does_not_fit_the_screen_is_not_asked_about() {
    let place = Place::new("endless");
    let line = r#""$KIBOSH" -c "demolish all $(yes a | head -9000 | tr '\n' ' ')""#;
    let screen = Terminal::run(&script(&place, line)).finish();
    assert!(screen.contains("split the line"), "{screen}");
    assert!(!screen.contains(QUESTION), "{screen}");
    assert_refused(&place, &screen);
}

#[test]
fn commands_that_come_in_on_a_pipe_are_asked_about_on_the_terminal() {
    let place = Place::new("pipe");
    let line = r#"(printf 'demolish all one\n'; while [ ! -e ran ]; do sleep 0.1; done; sleep 0.5;
                   printf 'echo between\ndemolish all two\n') | "$KIBOSH""#;
    let mut terminal = ask(&place, line);
    terminal.keys("y\r");
    terminal.wait_for(QUESTION);
    terminal.keys("\x03");
    let screen = terminal.finish();
    assert!(screen.contains("modes kept"), "{screen}");
    assert_eq!(place.ran().as_deref(), Some("all one\n"), "{screen}");
}

#[test]
fn the_dangerous_part_of_a_long_line_is_always_shown() {
    let place = Place::new("long");
    let line = r#""$KIBOSH" -c "true $(yes a | head -3000 | tr '\n' ' '); demolish all; true $(yes b | head -3000 | tr '\n' ' ')""#;
    let mut terminal = ask(&place, line);
    terminal.keys("\r");
    let screen = terminal.finish();
    assert!(screen.contains("demolish all;"), "{screen}");
    assert!(screen.contains("characters not shown"), "{screen}");
    assert!(screen.lines().count() < 40, "{screen}");
    assert_refused(&place, &screen);
}

/// The owner of what the kernel tells of a process in private: root where nobody may look into it.
fn owner(process: i32) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(format!("/proc/{process}/environ"));
    file.unwrap().uid()
}

#[test]
fn nobody_looks_into_who_asks() {
    for line in ["demolish all", "demolish grave"] {
        let place = Place::new("unseen");
        place.wants_two();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let runtime = place.runtime();
        let rights = without_rights();
        let user = if rights.is_empty() {
            nix::unistd::geteuid().as_raw()
        } else {
            let owner = Some(NOBODY.parse().unwrap());
            std::os::unix::fs::chown(&runtime, owner, owner).unwrap();
            NOBODY.parse().unwrap()
        };
        let program = kibosh_for_all(&place);
        let asks = format!(
            "export XDG_RUNTIME_DIR='{}'\n{} sh -c 'echo $$ >id; exec {} -c \"{line}\"'",
            runtime.display(),
            rights.join(" "),
            program.display(),
        );
        let mut terminal = ask(&place, &asks);
        let id = fs::read_to_string(place.path().join("id")).unwrap();
        let id: i32 = id.trim().parse().unwrap();
        assert_eq!(owner(id), 0, "{line}: {user} may look into it");
        terminal.keys("\r");
        assert_refused(&place, &terminal.finish());
    }
}
