//! The question as a person sees it: real sizes of terminals, a full-screen agent below, and the display as
//! it was, cell by cell, when the question is over.

use crate::support::place::Place;
use crate::support::probe::wait_for;
use crate::support::pty::Terminal;
use crate::support::screen::{Size, display, rows, until};

/// Rows and columns of terminals that people have.
const SIZES: [Size; 4] = [(10, 40), (24, 80), (43, 132), (60, 200)];

/// Draws all over the screen with colours, a wide character and a place of the cursor, never again, and
/// then wants something that must be asked. It tells the status on the last row.
const DRAWS_ONCE: &str = "\
    trap '' WINCH\n\
    printf '\\033[?1049h\\033[2J\\033[?25l'\n\
    for row in 1 2 3 4 5 6 7 8; do printf '\\033[%d;%dH\\033[3%dmrow %d ä€😀\\033[0m' $row $row $((row % 8)) $row; done\n\
    printf '\\033[9;1H\\033[7mbar\\033[0m\\033[4;2H'\n\
    sleep 0.5\n\
    printf '\\033]0;drawn\\007'\n\
    demolish all 2>said\n\
    echo $? >status\n\
    printf '\\033]0;done\\007'\n\
    read -r end\n\
    printf '\\033[?1049l'\n";

/// A title, which the agent sets when it has drawn.
const DRAWN: &str = "\x1b]0;drawn\x07";
/// And when it was answered.
const DONE: &str = "\x1b]0;done\x07";

/// An agent on a terminal of this size.
fn start(place: &Place, agent: &str, (rows, columns): Size) -> Terminal {
    std::fs::write(place.path().join("agent.sh"), agent).unwrap();
    Terminal::run(&format!(
        "stty rows {rows} columns {columns}; cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         \"$KIBOSH\" run -- /bin/bash ./agent.sh; echo \"ended $?\"",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ))
}

#[test]
fn a_full_screen_display_is_put_back_cell_by_cell() {
    for (number, size) in SIZES.into_iter().enumerate() {
        let place = Place::new(&format!("panel-restores-{number}"));
        let mut terminal = start(&place, DRAWS_ONCE, size);
        terminal.wait_for(DRAWN);
        let before = display(until(terminal.bytes(), DRAWN), size);
        terminal.wait_for("Run it?");
        let shown = rows(terminal.bytes(), size).join("\n");
        assert!(shown.contains("demolish all"), "{size:?}:\n{shown}");
        assert!(!shown.contains("row 1"), "{size:?}:\n{shown}");
        terminal.keys("n\r");
        terminal.wait_for(DONE);
        let after = display(until(terminal.bytes(), DONE), size);
        assert_eq!(before, after, "{size:?}");
        assert!(place.ran().is_none());
        terminal.keys("\r");
        assert!(terminal.finish().contains("ended 0"));
    }
}

#[test]
fn the_window_may_change_while_a_person_is_asked() {
    let place = Place::new("panel-resize");
    let mut terminal = start(&place, DRAWS_ONCE, (24, 80));
    terminal.wait_for(DRAWN);
    terminal.wait_for("Run it?");
    // Over and over, and at each size that people have it stands there whole.
    for (rows, columns) in (0..100).flat_map(|_| SIZES) {
        terminal.resize(rows, columns);
    }
    for size in SIZES.into_iter().chain([(40, 120)]) {
        let before = terminal.bytes().len();
        terminal.resize(size.0, size.1);
        terminal.wait_until(&format!("the question at {size:?}"), |bytes| {
            let shown = rows(&bytes[before..], size).join("\n");
            // On forty columns the path is cut in the midst.
            shown.contains("molish all") && shown.contains("Run it?") && !shown.contains("row 1")
        });
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(place.ran().is_none());
    terminal.keys("y\r");
    terminal.wait_for(DONE);
    assert!(place.ran().is_some());
    let bytes = until(terminal.bytes(), DONE).to_vec();
    // As if the agent had drawn on the larger window.
    let drawn = until(&bytes, DRAWN);
    let (before, after) = (display(drawn, (40, 120)), display(&bytes, (40, 120)));
    assert_eq!(before, after);
    terminal.keys("\r");
    assert!(terminal.finish().contains("ended 0"));
}

#[test]
fn what_an_agent_draws_is_neither_the_question_nor_over_it() {
    let place = Place::new("panel-drawn-over");
    // It draws a question of its own first, goes on to draw while the real one stands there, and takes
    // all keys that it can get.
    let agent = "\
        (while :; do printf '\\033[2J\\033[Hforged\\r\\n'; read -rsn1 -t 0.05 key && echo \"$key\" >>keys; done) </dev/tty &\n\
        while [ ! -e go ]; do sleep 0.02; done\n\
        printf '\\033[2J\\033[Hkibosh: nothing of this has run yet\\r\\nRun it? forged'\n\
        demolish all 2>/dev/null; echo $? >status\n\
        kill $!; wait $!; printf '\\033]0;done\\007'\n\
        read -r end\n";
    let mut terminal = start(&place, agent, (24, 80));
    let keys = || std::fs::read_to_string(place.path().join("keys")).unwrap_or_default();
    // The control: whatever is typed before goes to it.
    terminal.wait_for("forged");
    terminal.keys("a");
    wait_for("key of the agent's", || keys().contains('a').then_some(()));
    std::fs::write(place.path().join("go"), "").unwrap();
    terminal.wait_for("Run it? y");
    std::thread::sleep(std::time::Duration::from_millis(600));
    let shown = rows(terminal.bytes(), (24, 80)).join("\n");
    assert!(
        shown.contains("demolish all") && !shown.contains("forged"),
        "{shown}"
    );
    terminal.keys("n\r");
    terminal.wait_for(DONE);
    assert!(place.ran().is_none());
    let keys = keys();
    assert!(
        !keys.contains('n'),
        "the agent got the keys of the answer: {keys:?}"
    );
    terminal.keys("\r");
    terminal.finish();
}

/// What is typed at an agent is the agent's: a yes that is on its way when the question comes is for something else.
#[test]
fn what_is_typed_ahead_answers_nothing() {
    let place = Place::new("panel-ahead");
    let agent = "echo ready; sleep 0.5; demolish all; echo \"came $?\"\n";
    let mut terminal = start(&place, agent, (24, 80));
    terminal.wait_for("ready");
    // Until the question is drawn, and while it is.
    for _ in 0..30 {
        terminal.keys("y\r");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    terminal.wait_for("Run it?");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(place.ran(), None, "{}", terminal.seen());
    // The control: the same keys at the question.
    terminal.keys("y\r");
    terminal.wait_for("came 0");
    terminal.finish();
    assert_eq!(place.ran().as_deref(), Some("all\n"));
}
