//! The question as a person sees it: real sizes of terminals, a full-screen agent below, and the display as
//! it was, cell by cell, when the question is over.

use std::num::NonZeroU16;

use crate::support::place::Place;
use crate::support::probe::wait_for;
use crate::support::pty::Terminal;

/// Rows and columns of terminals that people have.
const SIZES: [(u16, u16); 4] = [(10, 40), (24, 80), (43, 132), (60, 200)];

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
fn start(place: &Place, agent: &str, (rows, columns): (u16, u16)) -> Terminal {
    std::fs::write(place.path().join("agent.sh"), agent).unwrap();
    Terminal::run(&format!(
        "stty rows {rows} columns {columns}; cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         \"$KIBOSH\" run -- /bin/bash ./agent.sh; echo \"ended $?\"",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ))
}

/// What stands on a screen of this size after these bytes: the cells with their colours, and the cursor.
fn display(bytes: &[u8], (rows, columns): (u16, u16)) -> (Vec<String>, (u16, u16), bool) {
    let parser = emulated(bytes, (rows, columns));
    let screen = parser.screen();
    let row = |row| {
        let cell = |column| {
            let cell = screen.cell(row, column).unwrap();
            let text = if cell.contents().is_empty() {
                " "
            } else {
                cell.contents()
            };
            let colours = (cell.fgcolor(), cell.bgcolor(), cell.inverse());
            format!("{text}{colours:?}")
        };
        (0..columns).map(cell).collect::<Vec<_>>().join("")
    };
    (
        (0..rows).map(row).collect(),
        screen.cursor_position(),
        screen.hide_cursor(),
    )
}

/// What came before `mark`.
fn until<'b>(bytes: &'b [u8], mark: &str) -> &'b [u8] {
    let found = bytes
        .windows(mark.len())
        .position(|part| part == mark.as_bytes());
    &bytes[..found.unwrap()]
}

/// The plain rows of a screen after these bytes.
fn rows(bytes: &[u8], size: (u16, u16)) -> Vec<String> {
    emulated(bytes, size).screen().rows(0, size.1).collect()
}

/// A terminal of this size that has got these bytes.
fn emulated(bytes: &[u8], (rows, columns): (u16, u16)) -> vt100::Parser {
    let size = |number| NonZeroU16::new(number).unwrap();
    let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
    parser.process(bytes);
    parser
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
    terminal.resize(40, 120);
    std::thread::sleep(std::time::Duration::from_millis(500));
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
