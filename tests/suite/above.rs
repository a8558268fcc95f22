//! A question on the registered terminal of an ancestor: who reads it is stopped meanwhile, and goes on whatever
//! happens.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::desk::{ASKED, Desk};
use crate::support::halted::Halted;
use crate::support::probe::wait_for;
use crate::support::pty::Terminal;
use crate::support::screen::emulated;

/// The shells that lead a terminal here.
const SHELLS: &[&[&str]] = &[&["bash", "--noprofile", "--norc", "-i"], &["dash", "-i"]];

/// A person at a shell of theirs, with an agent in front.
struct Front {
    desk: Desk,
    terminal: Terminal,
}

impl Front {
    /// A shell that leads a terminal and has registered it.
    fn led_by(test: &str, shell: &[&str]) -> Self {
        let desk = Desk::new(&format!("above-{test}-{}", shell[0]));
        let mut terminal = Terminal::led_by(shell);
        terminal.keys(&format!(
            "cd '{}' && export PATH='{}' XDG_RUNTIME_DIR='{}' PS1='> ' AGENT='{}/tests/asking/front.py'\n",
            desk.place.path().display(),
            desk.place.search_path(),
            desk.runtime().display(),
            env!("CARGO_MANIFEST_DIR"),
        ));
        terminal.keys("stty rows 40 columns 160; stty -g >before; \"$KIBOSH\" register; echo registered=$?.\n");
        terminal.wait_for("registered=0.");
        Self { desk, terminal }
    }

    /// The same in the first of the shells.
    fn new(test: &str) -> Self {
        Self::led_by(test, SHELLS[0])
    }

    /// Starts the agent, as `before` and `after` say, with this line for kibosh.
    fn starts(&mut self, before: &str, line: &str, after: &str) {
        for name in ["said", "agent", "asker", "keys", "done", "times"] {
            let _ = fs::remove_file(self.at(name));
        }
        self.terminal
            .keys(&format!("{before}python3 \"$AGENT\" '{line}'{after}\n"));
    }

    /// The same, and waits until its question stands there.
    fn asks(&mut self, before: &str, line: &str, after: &str) {
        self.starts(before, line, after);
        self.terminal.wait_for("nothing of this has run yet");
        self.terminal.wait_for("Run it?");
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.desk.place.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        wait_for(name, || fs::read_to_string(self.at(name)).ok())
    }

    /// A process whose number stands in a file.
    fn process(&self, name: &str) -> Pid {
        Pid::from_raw(self.read(name).parse().unwrap())
    }

    fn leader(&self) -> Pid {
        Pid::from_raw(parent(self.process("agent").as_raw()))
    }

    /// The command has ended with this status.
    #[track_caller]
    fn ends(&self, status: &str) {
        let done = self.read("done");
        assert_eq!(done, status, "{:?}", fs::read_to_string(self.at("said")));
    }

    /// The agent is there as before, and ends by its key; then the shell is, and knows of no job.
    #[track_caller]
    fn goes_on(mut self) {
        self.terminal.wait_for("<drawn ");
        self.leaves();
    }

    /// The same where nothing need be drawn; gives all that was on the screen.
    #[track_caller]
    fn leaves(mut self) -> String {
        assert!(!is_stopped(self.process("agent")));
        self.terminal.keys("q");
        self.terminal.wait_for("<agent ended>");
        // The shell takes keys again.
        self.terminal.wait_for("> ");
        self.terminal.keys(
            "stty -g >after; cmp before after && echo modes'' kept; jobs; echo jobs'' told\n",
        );
        self.terminal.wait_for("modes kept");
        self.terminal.wait_for("jobs told");
        let seen = self.terminal.seen().to_lowercase();
        assert!(
            !seen.contains("stopped") && !seen.contains("continued"),
            "{seen}"
        );
        assert!(!seen.contains("running"), "{seen}");
        self.terminal.keys("exit\n");
        self.terminal.finish()
    }
}

fn stat(process: i32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').nth(field)?.to_owned())
}

fn parent(process: i32) -> i32 {
    stat(process, 1).unwrap().parse().unwrap()
}

fn is_stopped(process: Pid) -> bool {
    stat(process.as_raw(), 0).as_deref() == Some("T")
}

#[test]
fn the_person_in_front_of_an_agent_is_asked_and_everything_goes_on_as_it_was() {
    for shell in SHELLS {
        let mut front = Front::led_by("yes", shell);
        front.asks("", ASKED, "");
        assert!(is_stopped(front.process("agent")) && is_stopped(front.leader()));
        assert_eq!(front.desk.place.ran(), None);
        front.terminal.keys("y\r");
        front.ends("0");
        assert_eq!(front.desk.place.ran().as_deref(), Some("all\n"));
        assert_eq!(front.read("said"), "");
        // The agent got none of the keys.
        assert!(!front.at("keys").exists());
        front.goes_on();
    }
}

#[test]
fn everything_but_a_yes_is_a_no_there_too() {
    for shell in SHELLS {
        let mut front = Front::led_by("no", shell);
        for keys in ["n\r", "\r", "\x03", "\x1a", "\x04"] {
            front.asks("", ASKED, "");
            front.terminal.keys(keys);
            front.ends("126");
            front.terminal.wait_for("<drawn ");
            front.terminal.keys("q");
            front.terminal.wait_for("<agent ended>");
        }
        assert_eq!(front.desk.place.ran(), None);
        // A second no to the same counts for a while.
        front.starts("", "demolish all two", "");
        front.terminal.wait_for("Run it?");
        front.terminal.keys("y\r");
        front.ends("0");
        front.goes_on();
    }
}

#[test]
fn what_is_held_below_the_command_is_asked_about_there_too() {
    let mut front = Front::new("exec");
    fs::write(front.at("site.sh"), "demolish all\n").unwrap();
    front.asks("", "sh site.sh", "");
    front.terminal.keys("y\r");
    front.ends("0");
    assert_eq!(front.desk.place.ran().as_deref(), Some("all\n"));
    front.goes_on();
}

#[test]
fn shells_and_terminals_between_see_nothing_of_it() {
    for (name, before, after) in [
        ("bash", "bash --norc -ic '", "; exit'"),
        ("dash", "dash -ic '", "; exit'"),
        ("pipe", "", " | cat"),
        ("script", "script -qc '", "' /dev/null"),
    ] {
        let mut front = Front::new(&format!("between-{name}"));
        let line = match before.ends_with('\'') {
            true => r"'\''demolish all'\''",
            false => "'demolish all'",
        };
        for file in ["done", "agent"] {
            let _ = fs::remove_file(front.at(file));
        }
        front
            .terminal
            .keys(&format!("{before}python3 \"$AGENT\" {line}{after}\n"));
        front.terminal.wait_for("Run it?");
        front.terminal.keys("y\r");
        front.ends("0");
        assert_eq!(front.desk.place.ran().as_deref(), Some("all\n"), "{name}");
        assert!(!front.at("keys").exists(), "{name}");
        // Whether it is drawn anew inside another terminal is for who has made that one.
        if name == "script" {
            front.leaves();
        } else {
            front.goes_on();
        }
    }
}

#[test]
fn an_agent_that_is_not_in_front_is_answered_elsewhere() {
    let mut front = Front::new("behind");
    front.starts("", ASKED, " </dev/null >/dev/null 2>&1 &");
    // It has no keys to take there, and asks before it looks for any.
    front.terminal.keys("sleep 300\n");
    let said = wait_for("refusal", || {
        let said = fs::read_to_string(front.at("said")).ok()?;
        said.contains("kibosh approve").then_some(said)
    });
    assert!(said.contains("nobody can be asked from here"), "{said}");
    front.terminal.keys("\x03");
    front.terminal.keys("echo all'' read\n");
    front.terminal.wait_for("all read");
    assert!(!front.terminal.seen().contains("Run it?"));
    front.terminal.hang_up();
}

#[test]
fn nobody_stays_stopped_where_who_asks_is_ended() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
        for shell in SHELLS {
            let mut front = Front::led_by(&format!("ended-{signal}"), shell);
            front.asks("", ASKED, "");
            kill(front.process("asker"), signal).unwrap();
            wait_for("agent", || {
                (!is_stopped(front.process("agent"))).then_some(())
            });
            wait_for("shell", || (!is_stopped(front.leader())).then_some(()));
            front.read("done");
            assert_eq!(front.desk.place.ran(), None);
            front.goes_on();
        }
    }
}

#[test]
fn nobody_stays_stopped_where_nobody_answers() {
    let mut front = Front::new("silent");
    front.asks("", ASKED, "");
    front.terminal.wait_for("no answer in time");
    front.ends("126");
    let said = front.read("said");
    assert!(
        said.contains("nobody answered within 20 seconds") && said.contains("kibosh approve "),
        "{said}"
    );
    assert_eq!(front.desk.place.ran(), None);
    front.goes_on();
}

/// Who watches has come to answer there.
#[test]
fn where_somebody_watches_they_are_asked() {
    let mut front = Front::new("watched");
    let mut watcher = front
        .desk
        .person("\"$KIBOSH\" register; stty rows 24 columns 80; \"$KIBOSH\" watch");
    watcher.wait_for("nothing waits");
    front.starts("", ASKED, "");
    watcher.wait_for("| demolish all");
    assert!(!is_stopped(front.process("agent")));
    std::thread::sleep(Duration::from_millis(500));
    watcher.keys("y");
    watcher.wait_for("yes, ");
    watcher.keys("\r");
    front.ends("0");
    watcher.keys("q");
    watcher.finish();
    let screen = front.leaves();
    assert!(!screen.contains("Run it?"), "{screen}");
}

/// A program with a window of its own stands still for nobody: the person sits in front of that window.
#[test]
fn a_program_that_takes_no_keys_there_is_not_stopped_for_a_terminal_that_it_has_made() {
    let mut front = Front::new("window");
    let window = "import os, pty, sys; from subprocess import *; main, end = os.openpty(); \
        a = Popen(sys.argv[1:], stdin=end, stdout=end, stderr=end, start_new_session=True, \
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR))); os.close(end)\n\
        try:\n while os.read(main, 1000): pass\nexcept OSError: pass\n";
    fs::write(front.at("window.py"), window).unwrap();
    for name in ["said", "agent", "done"] {
        let _ = fs::remove_file(front.at(name));
    }
    front
        .terminal
        .keys("python3 window.py python3 \"$AGENT\" 'demolish all'\n");
    wait_for("refusal", || {
        let said = fs::read_to_string(front.at("said")).ok()?;
        said.contains("kibosh approve").then_some(())
    });
    front.ends("126");
    kill(front.process("agent"), Signal::SIGKILL).unwrap();
    front.terminal.keys("exit\n");
    let screen = front.terminal.finish();
    assert!(!screen.contains("Run it?"), "{screen}");
}

/// A script that leads the session has no groups for its commands.
#[test]
fn a_leader_in_front_itself_is_stopped_with_its_command() {
    let desk = Desk::new("above-script");
    let mut terminal = desk.person(&format!(
        "stty rows 40 columns 160; \"$KIBOSH\" register; python3 {}/tests/asking/front.py 'demolish all'",
        env!("CARGO_MANIFEST_DIR")
    ));
    terminal.wait_for("Run it?");
    terminal.keys("y\r");
    terminal.wait_for("<drawn ");
    wait_for("end", || {
        desk.place.path().join("done").exists().then_some(())
    });
    terminal.keys("q");
    let screen = terminal.finish();
    assert!(
        screen.contains("<agent ended>") && screen.contains("status=0"),
        "{screen}"
    );
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
}

#[test]
fn a_terminal_that_is_closed_meanwhile_ends_the_question_and_stops_nobody() {
    let mut front = Front::new("closed");
    front.asks("", ASKED, "");
    let (asker, agent, leader) = (
        front.process("asker"),
        front.process("agent"),
        front.leader(),
    );
    front.terminal.hang_up();
    for process in [asker, agent, leader] {
        wait_for("end", || {
            let state = stat(process.as_raw(), 0);
            state.is_none_or(|state| state == "Z").then_some(())
        });
    }
    assert_eq!(front.desk.place.ran(), None);
}

#[test]
fn a_yes_for_the_session_and_a_second_no_count_from_there() {
    let mut front = Front::new("session");
    let line = "demolish all; demolish all; ps -o tty= -p $$ >tty";
    front.asks("", line, "");
    front.terminal.keys("s\r");
    front.ends("0");
    // The command has no more of the terminal than before.
    assert_eq!(front.read("tty").trim(), "?");
    assert_eq!(front.desk.place.ran().as_deref(), Some("all\nall\n"));
    let grants = front.desk.sees("\"$KIBOSH\" register; \"$KIBOSH\" grants");
    assert!(grants.contains("while the session lives"), "{grants}");
    front.goes_on();
}

/// Nobody else's stop ends with a question.
#[test]
fn where_somebody_is_stopped_already_the_question_goes_elsewhere() {
    let mut front = Front::new("held");
    front.starts(
        "sh -c 'echo $$ >held.new; mv held.new held; kill -STOP $$' | \
         (n=300; until grep -q ') T ' /proc/\"$(cat held)\"/stat || [ $((n -= 1)) -le 0 ]; do sleep 0.1; done 2>/dev/null; exec ",
        ASKED,
        " </dev/tty)",
    );
    front.ends("126");
    let said = front.read("said");
    assert!(said.contains("kibosh approve"), "{said}");
    let held = Pid::from_raw(front.read("held").trim().parse().unwrap());
    assert!(is_stopped(held) && !is_stopped(front.process("agent")));
    kill(held, Signal::SIGKILL).unwrap();
    let screen = front.leaves();
    assert!(!screen.contains("Run it?"), "{screen}");
}

/// Two at once are asked about one after the other, and a stopped agent goes on behind the last.
#[test]
fn several_questions_are_asked_one_after_the_other() {
    let mut front = Front::new("two");
    front.starts("", "demolish all' 'demolish all other", "");
    for _ in 0..2 {
        front.terminal.wait_for("Run it?");
        front.terminal.keys("y\r");
    }
    front.ends("0");
    wait_for("both", || {
        let ran = front.desk.place.ran()?;
        (ran.lines().count() == 2).then_some(())
    });
    front.leaves();
}

/// Somebody kills what would let them go on.
#[test]
fn a_question_without_its_keeper_is_over() {
    let mut front = Front::new("keeper");
    front.asks("", ASKED, "");
    let asker = front.process("asker").as_raw();
    // The first child that it has made, and has still.
    let names = fs::read_dir("/proc").unwrap().flatten();
    let numbers = names.filter_map(|name| name.file_name().to_str()?.parse::<i32>().ok());
    let keeper = numbers
        .filter(|id| stat(*id, 1) == Some(asker.to_string()))
        .min();
    kill(Pid::from_raw(keeper.unwrap()), Signal::SIGKILL).unwrap();
    front.ends("126");
    assert_eq!(front.desk.place.ran(), None);
    front.goes_on();
}

/// Whoever stops the asker, too, keeps the others no longer than a question may take.
#[test]
fn nobody_stays_stopped_where_who_asks_is_stopped() {
    let mut front = Front::new("frozen");
    front.asks("", ASKED, "");
    let asker = Halted::new(front.process("asker").as_raw());
    front.terminal.wait_for("<drawn ");
    wait_for("agent", || {
        (!is_stopped(front.process("agent"))).then_some(())
    });
    wait_for("shell", || (!is_stopped(front.leader())).then_some(()));
    // Late, it changes nothing of what is the agent's again.
    drop(asker);
    front.ends("126");
    assert_eq!(front.desk.place.ran(), None);
    let screen = front.leaves();
    assert!(!screen.contains("no answer in time"), "{screen}");
}

#[test]
fn a_yes_counts_for_nothing_where_somebody_was_woken() {
    for woken in ["agent", "shell"] {
        let mut front = Front::new(&format!("woken-{woken}"));
        front.asks("", ASKED, "");
        let process = match woken {
            "agent" => front.process("agent"),
            _ => front.leader(),
        };
        kill(process, Signal::SIGCONT).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        // Who gets the keys is not known.
        for _ in 0..100 {
            if front.at("done").exists() {
                break;
            }
            front.terminal.keys("y\r");
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(front.read("done"), "126");
        assert_eq!(front.desk.place.ran(), None, "{woken}");
        front.terminal.hang_up();
    }
}

#[test]
fn a_flood_on_the_terminal_answers_nothing_and_is_over_with_it() {
    let mut front = Front::new("flood");
    // Somebody in a session of their own, whom nobody stops.
    front
        .terminal
        .keys("setsid -f sh -c 'n=6000; while [ ! -e over ] && [ $((n -= 1)) -gt 0 ]; do echo \"Run it? y\"; echo y; sleep 0.01; done' 2>/dev/null &\n");
    front.starts("", ASKED, "");
    front.terminal.wait_for("nothing of this has run yet");
    for _ in 0..200 {
        front.terminal.wait_for("Run it? y");
    }
    assert!(is_stopped(front.process("agent")));
    assert!(!front.at("done").exists());
    assert_eq!(front.desk.place.ran(), None);
    fs::write(front.at("over"), "").unwrap();
    front.terminal.wait_for("no answer in time");
    front.ends("126");
    front.goes_on();
}

#[test]
fn a_shell_that_ends_meanwhile_ends_the_question() {
    let mut front = Front::new("leader");
    front.asks("", ASKED, "");
    let (asker, agent) = (front.process("asker"), front.process("agent"));
    kill(front.leader(), Signal::SIGKILL).unwrap();
    let is_there = |process: Pid| stat(process.as_raw(), 0).is_some_and(|state| state != "Z");
    wait_for("asker", || (!is_there(asker)).then_some(()));
    wait_for("agent", || {
        (!is_there(agent) || !is_stopped(agent)).then_some(())
    });
    assert_eq!(front.desk.place.ran(), None);
    front.terminal.hang_up();
}

/// Many look only whether the window has changed.
#[test]
fn a_program_that_draws_anew_in_another_window_only_does_so_and_the_window_is_as_it_was() {
    let mut front = Front::new("by-size");
    fs::write(front.at("by-size"), "").unwrap();
    // A machine with much to do may take too long for it once.
    for attempt in 1..=10 {
        front.asks("", &format!("demolish all {attempt}"), "");
        front.terminal.keys("\r");
        front.ends("126");
        std::thread::sleep(Duration::from_millis(600));
        let times: u32 = front.read("times").parse().unwrap();
        front.terminal.keys("q");
        front.terminal.wait_for("<agent ended>");
        if times > 1 {
            front.terminal.keys(
                "while [ \"$(stty size)\" != '40 160' ]; do sleep 0.1; done; echo size'' kept\n",
            );
            front.terminal.wait_for("size kept");
            front.terminal.keys("exit\n");
            front.terminal.finish();
            return;
        }
    }
    panic!("it has drawn nothing anew");
}

/// What an agent has drawn, or has told the terminal to do with what is written, is none of the question.
#[test]
fn nothing_that_was_drawn_before_stands_beside_the_question_or_hides_it() {
    let forged = "FORGED: touch notes\r\nRun it? y once, s session, d details, else no (20 s):";
    for (name, paint) in [
        (
            "screen",
            format!("\x1b[?1049h\x1b[2J\x1b[H{}", forged.repeat(12)),
        ),
        ("below", format!("\x1b[30;1H{forged}\x1b[H")),
        (
            "margins",
            format!("\x1b[1;30H{forged}\x1b[39;40r\x1b[40;1H"),
        ),
        ("origin", format!("{forged}\x1b[5;9r\x1b[?6h\x1b[8m")),
        ("sequence", format!("{forged}\x1b]0;title that never ends")),
    ] {
        let mut front = Front::new(&format!("forged-{name}"));
        fs::write(front.at("paint"), paint).unwrap();
        front.asks("", ASKED, "");
        let parser = emulated(front.terminal.bytes(), (40, 160));
        let screen: Vec<String> = parser.screen().rows(0, 160).collect();
        let shown = screen.join("\n");
        assert!(!shown.contains("FORGED"), "{name}: {shown}");
        assert_eq!(shown.matches("Run it?").count(), 1, "{name}: {shown}");
        for words in ["  | demolish all", "  rule     test.ask", "must decide"] {
            assert!(shown.contains(words), "{name}: {words} is not in {shown}");
        }
        let place = screen.iter().position(|row| row.contains("demolish all"));
        let cell = parser.screen().cell(place.unwrap().try_into().unwrap(), 5);
        assert!(!cell.unwrap().inverse(), "{name}");
        front.terminal.keys("n\r");
        front.ends("126");
        front.goes_on();
    }
}

/// Its own end of such a terminal is where an agent would answer by itself.
#[test]
fn a_terminal_that_was_made_below_is_passed_over() {
    let spawn = "import pty, sys; pty.spawn(sys.argv[1:])";
    for (name, before, after) in [
        ("script", "script -qc '", "' /dev/null"),
        ("python", "python3 spawn.py sh -c '", "'"),
    ] {
        let mut front = Front::new(&format!("made-{name}"));
        fs::write(front.at("spawn.py"), spawn).unwrap();
        front
            .terminal
            .keys("echo $$ >leader.new; mv leader.new leader\n");
        let leader = front.read("leader").trim().to_owned();
        front.terminal.keys(&format!(
            "{before}\"$KIBOSH\" -c \"demolish all\"; echo $? >done.new; mv done.new done{after}\n"
        ));
        front.terminal.wait_for("Run it?");
        // Who holds the other end is stopped, so nobody reads or writes there.
        let names = fs::read_dir("/proc").unwrap().flatten();
        let numbers = names.filter_map(|name| name.file_name().to_str()?.parse::<i32>().ok());
        let maker = numbers.filter(|id| stat(*id, 1).as_ref() == Some(&leader));
        let makers: Vec<i32> = maker.collect();
        assert!(!makers.is_empty());
        assert!(
            makers.iter().all(|id| is_stopped(Pid::from_raw(*id))),
            "{name}"
        );
        front.terminal.keys("y\r");
        front.ends("0\n");
        assert_eq!(front.desk.place.ran().as_deref(), Some("all\n"), "{name}");
        front.terminal.hang_up();
    }
}

#[test]
fn one_of_two_people_can_say_it_there() {
    let mut front = Front::new("two-people");
    front.desk.place.wants_two();
    front.asks("", "demolish grave", "");
    front.terminal.keys("y\r");
    front.ends("126");
    let said = front.read("said");
    assert!(said.contains("has 1 of 2"), "{said}");
    assert_eq!(front.desk.place.ran(), None);
    front.goes_on();
}
