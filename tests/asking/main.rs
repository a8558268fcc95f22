//! Questions of the process inside to the person, on real terminals. The product has no way to cause one
//! by itself, and the launcher must be called by a process with one thread, so this program is the test,
//! and with arguments the launcher too.
//!
//! What stands in the pipe `questions` is asked; what was answered is added to `answers`.

#![cfg(test)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use kibosh::launcher::alone::alone;
use kibosh::launcher::inside::Keeper;
use kibosh::launcher::program::Program;
use kibosh::launcher::{self, Outcome};
use kibosh::supervise::companion::Companion;
use kibosh::sys::trace::Status;
use nix::poll::{PollFd, PollFlags};

#[path = "../suite/support/patience.rs"]
mod patience;
#[path = "../suite/support/pty.rs"]
#[expect(dead_code, reason = "the suite uses more of it")]
mod pty;

use pty::Terminal;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, program)) if first == "--as-launcher" => launch(program),
        _ => {
            for (name, test) in TESTS {
                test(name);
                println!("test {name} ... ok");
            }
        }
    }
}

type Test = fn(&str);

const TESTS: &[(&str, Test)] = &[
    (
        "a_question_has_the_terminal_to_itself_and_leaves_it_as_it_was",
        main_screen,
    ),
    (
        "an_agent_on_the_alternate_screen_draws_anew_after_a_question",
        alternate_screen,
    ),
    ("questions_wait_for_each_other", several),
    (
        "a_stopped_agent_has_nobody_to_ask_and_then_it_has",
        while_stopped,
    ),
    (
        "a_question_without_an_end_ends_with_the_agent",
        ended_meanwhile,
    ),
    ("a_question_ends_with_the_launcher", killed_meanwhile),
];

/// The launcher, with a person who is asked for a line.
fn launch(program: &[String]) {
    let words = program
        .iter()
        .map(|word| std::ffi::CString::new(word.as_str()).unwrap())
        .collect();
    let mut ask = |question: &[u8], times: usize| {
        let modes = std::process::Command::new("stty")
            .arg("-g")
            .stdin(std::process::Stdio::inherit())
            .output()
            .unwrap();
        fs::write("asked-in", modes.stdout).unwrap();
        let mut terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .unwrap();
        let text = String::from_utf8_lossy(question);
        write!(terminal, "[question {text} {times}]").unwrap();
        let mut answer = String::new();
        BufReader::new(terminal).read_line(&mut answer).unwrap();
        launcher::Answer {
            bytes: answer.trim_end().as_bytes().to_vec(),
            is_for_all: !answer.starts_with("one of "),
        }
    };
    let outcome = launcher::run(
        Program::with_kibosh_as_shell(words),
        &mut ask,
        &mut |seat| {
            // Opened both ways, it never ends.
            let questions = OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(nix::libc::O_NONBLOCK)
                .open("questions")?;
            let keeper = seat.start(&[questions.as_fd()], &mut || Ok(()))?;
            alone(&mut Asker { keeper, questions })
        },
    );
    match outcome.unwrap() {
        Outcome::Exited(status) => std::process::exit(status.into()),
        other => panic!("{other:?}"),
    }
}

/// A keeper that asks whatever comes in on the pipe, a character each.
struct Asker {
    keeper: Keeper,
    questions: File,
}

impl Companion for Asker {
    fn descriptors(&self) -> Vec<PollFd<'_>> {
        let mut descriptors = self.keeper.descriptors();
        descriptors.push(PollFd::new(self.questions.as_fd(), PollFlags::POLLIN));
        descriptors
    }

    fn deadline(&self) -> Option<Instant> {
        self.keeper.deadline()
    }

    fn ready(&mut self, _place: usize, _events: PollFlags) {}

    fn has_children(&self) -> bool {
        self.keeper.has_children()
    }

    fn status(&mut self, status: Status) -> bool {
        self.keeper.status(status)
    }

    fn turn(&mut self) {
        self.keeper.turn();
        let mut buffer = [0; 64];
        let read = self.questions.read(&mut buffer).unwrap_or(0);
        for question in &buffer[..read] {
            self.keeper.start_ask(vec![*question]);
        }
        for (number, answer) in self.keeper.take_answers() {
            let mut answers = OpenOptions::new()
                .append(true)
                .create(true)
                .open("answers")
                .unwrap();
            writeln!(answers, "{number} {}", String::from_utf8_lossy(&answer)).unwrap();
        }
    }

    fn is_done(&self) -> bool {
        self.keeper.is_done()
    }
}

/// A folder in which one test takes place.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("kibosh-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        nix::unistd::mkfifo(&folder.join("questions"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        Self(folder)
    }

    /// A person's shell that runs `agent`, a script of bash, under the launcher, then `after`.
    fn terminal(&self, agent: &str, after: &str) -> Terminal {
        let own = std::env::current_exe().unwrap();
        Terminal::run(&format!(
            "cd '{}'; stty rows 24 cols 80; stty -g >before\n\
             '{}' --as-launcher bash -c '{agent}'\n\
             status=$?; {after}\n\
             stty -g | cmp before - && echo 'modes kept'; echo status=$status.",
            self.0.display(),
            own.display()
        ))
    }

    fn ask(&self, questions: &str) {
        fs::write(self.0.join("questions"), questions).unwrap();
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }

    fn wait_for(&self, file: &str, text: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.text(file) != text {
            assert!(Instant::now() < end, "{file}: {:?}", self.text(file));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn make(&self, file: &str) {
        fs::write(self.0.join(file), "").unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn main_screen(name: &str) {
    let place = Place::new(name);
    let mut terminal = place.terminal(
        "stty -echo; echo first; until test -e go; do sleep 0.05; done; \
         for i in {1..5000}; do echo line $i; done; echo last; read -r typed; echo got:$typed.",
        "",
    );
    terminal.wait_for("first\r\n");
    place.ask("A");
    terminal.wait_for("\x1b[?1049h");
    terminal.wait_for("[question A 1]");
    assert_eq!(place.text("asked-in"), place.text("before"));
    // What the agent writes meanwhile is shown afterwards, all of it.
    place.make("go");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!terminal.seen().contains("line 1\r"));
    terminal.keys("yes\n");
    terminal.wait_for("\x1b[?1049l");
    terminal.wait_for("last\r\n");
    let all: String = (1..=5000).map(|line| format!("line {line}\r\n")).collect();
    assert!(terminal.seen().contains(&all));
    place.wait_for("answers", "1 yes\n");
    terminal.keys("key\r");
    let screen = terminal.finish();
    assert!(screen.contains("got:key."), "{screen}");
    assert!(
        screen.contains("modes kept") && screen.contains("status=0."),
        "{screen}"
    );
}

fn alternate_screen(name: &str) {
    let place = Place::new(name);
    let mut terminal = place.terminal(
        "trap \"stty size >>sizes\" WINCH; printf \"\\033[?1049h\\033[?1003hdrawn\"; \
         until test -e end; do sleep 0.01; done; printf \"\\033[?1003l\\033[?1049l\"",
        "",
    );
    terminal.wait_for("drawn");
    place.ask("A");
    terminal.wait_for("\x1b[?1003l");
    terminal.wait_for("[question A 1]");
    let before = terminal.seen().matches("\x1b[?1049h").count();
    assert_eq!(before, 1);
    terminal.keys("no\n");
    terminal.wait_for("\x1b[?1003h");
    place.wait_for("answers", "1 no\n");
    // A shell may look at the size when it is back already.
    let end = Instant::now() + Duration::from_secs(10);
    while !place.text("sizes").ends_with("24 80\n") {
        assert!(Instant::now() < end, "{}", place.text("sizes"));
        std::thread::sleep(Duration::from_millis(10));
    }
    place.make("end");
    let screen = terminal.finish();
    assert!(screen.contains("modes kept"), "{screen}");
}

fn several(name: &str) {
    let place = Place::new(name);
    let mut terminal = place.terminal("echo first; until test -e end; do sleep 0.05; done", "");
    terminal.wait_for("first");
    place.ask("ABC");
    for (answer, times) in [("one", "A 1]"), ("two", "B 1]"), ("three", "C 1]")] {
        terminal.wait_for("[question ");
        terminal.wait_for(times);
        terminal.keys(&format!("{answer}\n"));
    }
    place.wait_for("answers", "1 one\n2 two\n3 three\n");
    // What wants the same when it is asked has one answer, what comes later is asked again.
    place.ask("ABBB");
    terminal.wait_for("[question A 1]");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("four\n");
    terminal.wait_for("[question B 3]");
    place.ask("B");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("five\n");
    terminal.wait_for("[question B 1]");
    terminal.keys("six\n");
    let before = "1 one\n2 two\n3 three\n4 four\n5 five\n6 five\n7 five\n8 six\n";
    place.wait_for("answers", before);
    // An answer that is for the first only leaves the others as they were.
    place.ask("DCC");
    terminal.wait_for("[question D 1]");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("seven\n");
    terminal.wait_for("[question C 2]");
    terminal.keys("one of two\n");
    terminal.wait_for("[question C 1]");
    terminal.keys("eight\n");
    let after = "9 seven\n10 one of two\n11 eight\n";
    place.wait_for("answers", &format!("{before}{after}"));
    place.make("end");
    assert!(terminal.finish().contains("modes kept"));
}

fn while_stopped(name: &str) {
    let place = Place::new(name);
    let own = std::env::current_exe().unwrap();
    let mut terminal = Terminal::led_by(&["bash", "--norc", "--noprofile", "-i"]);
    terminal.keys(&format!(
        "PS1='rea''dy> '; stty -echo; cd '{}'\r",
        place.0.display()
    ));
    terminal.wait_for("ready> ");
    terminal.keys(&format!(
        "'{}' --as-launcher bash -c 'echo first; until test -e end; do sleep 0.05; done'\r",
        own.display()
    ));
    terminal.wait_for("first\r\n");
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    place.ask("A");
    place.wait_for("answers", "1 \n");
    terminal.keys("fg\r");
    std::thread::sleep(Duration::from_millis(500));
    place.ask("B");
    terminal.wait_for("[question B 1]");
    terminal.keys("yes\n");
    place.wait_for("answers", "1 \n2 yes\n");
    place.make("end");
    terminal.wait_for("ready> ");
    terminal.keys("exit\r");
    terminal.finish();
}

fn ended_meanwhile(name: &str) {
    let place = Place::new(name);
    let mut terminal = place.terminal(
        "echo first; until test -e end; do sleep 0.05; done; exit 4",
        "",
    );
    terminal.wait_for("first");
    place.ask("A");
    terminal.wait_for("[question A 1]");
    place.make("end");
    let screen = terminal.finish();
    assert!(
        screen.contains("modes kept") && screen.contains("status=4."),
        "{screen}"
    );
}

fn killed_meanwhile(name: &str) {
    let place = Place::new(name);
    let mut terminal = place.terminal(
        "cut -d\" \" -f4 /proc/$PPID/stat >launcher; echo first; sleep 1000",
        "sleep 0.3",
    );
    terminal.wait_for("first");
    place.ask("A");
    terminal.wait_for("[question A 1]");
    let launcher: i32 = place.text("launcher").trim().parse().unwrap();
    kibosh::sys::signals::send(launcher, nix::libc::SIGKILL).unwrap();
    let screen = terminal.finish();
    assert!(
        screen.contains("modes kept") && screen.contains("status=137."),
        "{screen}"
    );
}
