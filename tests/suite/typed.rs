//! Shells that are typed into, on a real terminal.

use crate::support::place::Place;
use crate::support::pty::Terminal;

/// A shell in a place, with a prompt that shows the status of the line before.
fn shell(place: &Place, start: &str) -> Terminal {
    let script = format!(
        "cd {}; export PATH={} XDG_RUNTIME_DIR={} HISTFILE=/dev/null; {start}",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    );
    let mut terminal = Terminal::run(&script);
    terminal.wait_for("$ ");
    terminal.keys("PS1='<$?>'\n");
    terminal.wait_for("<0>");
    terminal
}

const PLAIN: &str = "PS1='$ ' exec $KIBOSH --norc -i";

#[test]
fn a_command_that_is_typed_runs_and_a_stopped_one_does_not() {
    let place = Place::new("typed");
    let mut terminal = shell(&place, PLAIN);
    terminal.keys("echo 'one'-two\n");
    terminal.wait_for("one-two");
    terminal.wait_for("<0>");
    terminal.keys("echo be'fore'; demolish never; echo af'ter'\n");
    terminal.wait_for("before");
    terminal.wait_for("kibosh: nothing was run: ");
    terminal.wait_for("<130>");
    terminal.keys("exit 7\n");
    let seen = terminal.finish();
    assert!(!seen.contains("after"), "{seen}");
    assert_eq!(place.ran(), None);
}

#[test]
fn what_runs_by_a_function_a_variable_or_eval_is_seen() {
    let place = Place::new("indirect");
    let mut terminal = shell(&place, PLAIN);
    for line in [
        "f() { demolish never; }; f",
        "program=demolish; $program never",
        "eval \"demo\"\"lish never\"",
        "for i in 1 2; do demolish never; done",
        "while :; do demolish never; done",
        "x=$(demolish never)",
        "true && demolish never || echo no",
        "alias d='demolish never'\nd",
        "set -- never; demolish \"$@\"",
    ] {
        terminal.keys(&format!("{line}\n"));
        terminal.wait_for("kibosh: nothing was run: ");
        terminal.wait_for("<130>");
    }
    terminal.keys("( demolish never ); echo \"<<$?>>\"\n");
    terminal.wait_for("kibosh: nothing was run: ");
    terminal.wait_for("<<126>>");
    terminal.keys("\nexit\n");
    terminal.finish();
    assert_eq!(place.ran(), None);
}

#[test]
fn the_gate_stays_where_it_is() {
    let place = Place::new("gate");
    let mut terminal = shell(&place, PLAIN);
    for line in [
        "builtin trap - DEBUG",
        "command trap - DEBUG",
        "shopt -u extdebug",
        "set +T",
        "set +o functrace",
        "unset -f __kibosh_gate",
        "__kibosh_starting=1",
    ] {
        terminal.keys(&format!("{line}\n"));
        terminal.wait_for("Run it?");
        terminal.keys("n\n");
        terminal.wait_for("kibosh: nothing was run: ");
        terminal.wait_for("<130>");
    }
    // A trap of one's own runs beside it.
    terminal.keys("trap 'echo mi\"\"ne' DEBUG\n");
    terminal.wait_for("<0>");
    terminal.keys("true\n");
    terminal.wait_for("mine");
    terminal.wait_for("<0>");
    terminal.keys("trap - DEBUG\n");
    terminal.wait_for("<0>");
    terminal.keys("demolish never\n");
    terminal.wait_for("kibosh: nothing was run: ");
    terminal.wait_for("<130>");
    terminal.keys("exit\n");
    terminal.finish();
    assert_eq!(place.ran(), None);
}

#[test]
fn a_person_can_approve_what_is_typed() {
    let place = Place::new("approve");
    let mut terminal = shell(&place, PLAIN);
    terminal.keys("demolish all\n");
    terminal.wait_for("Run it?");
    terminal.keys("y\n");
    terminal.wait_for("<0>");
    terminal.keys("exit\n");
    terminal.finish();
    assert_eq!(place.ran(), Some("all\n".into()));
}

#[test]
fn prompts_history_and_job_control_are_as_before() {
    let place = Place::new("control");
    let mut terminal = shell(&place, PLAIN);
    terminal.keys("sleep 30 &\n");
    terminal.wait_for("[1]");
    terminal.wait_for("<0>");
    terminal.keys("fg\n");
    terminal.wait_for("sleep 30");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    terminal.wait_for("<148>");
    terminal.keys("kill %1; wait; echo word; echo last-$_\n");
    terminal.wait_for("last-word");
    terminal.wait_for("<0>");
    terminal.keys("false\n");
    terminal.wait_for("<1>");
    terminal.keys("[[ abc =~ b(c) ]] && echo group-${BASH_REMATCH[1]}\n");
    terminal.wait_for("group-c");
    terminal.wait_for("<0>");
    terminal.keys("history | tail -1\n");
    terminal.wait_for("history | tail -1");
    terminal.wait_for("history | tail -1");
    terminal.wait_for("<0>");
    terminal.keys("exit\n");
    terminal.finish();
}

#[test]
fn login_shells_and_sh_are_watched_too() {
    let place = Place::new("login");
    for start in [
        "PS1='$ ' exec $KIBOSH --noprofile -l -i",
        "exec bash -c 'PS1=\"$ \" exec -a -bash $KIBOSH --noprofile'",
        "ln -s $KIBOSH sh; PS1='$ ' exec ./sh -i",
        "PS1='$ ' exec $KIBOSH --posix -i",
    ] {
        let mut terminal = shell(&place, start);
        terminal.keys("demolish never\n");
        terminal.wait_for("kibosh: nothing was run: ");
        terminal.wait_for("<130>");
        terminal.keys("exit\n");
        terminal.finish();
    }
    assert_eq!(place.ran(), None);
}
