//! An agent that wants to say yes to itself: each way fails, and the same act done by a person, or where nobody is
//! guarded, has its effect. docs/threat-model.md tells which test holds which way.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::desk::{ASKED, Desk, KIBOSH};
use crate::support::place::Place;
use crate::support::probe::{copy_program, probe, run, said, told, wait_for};
use crate::support::pty::Terminal;

/// The words after which an answer counts.
const QUESTION: &str = "Run it?";

/// A person's terminal in a place, with `$OUTER` its name.
fn person(place: &Place, line: &str) -> Terminal {
    Terminal::run(&format!(
        "cd '{}' || exit\nexport PATH='{}' XDG_RUNTIME_DIR='{}' OUTER=\"$(tty)\"\n{line}\necho \"ended $?\"",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ))
}

/// Waits until a question takes an answer.
#[track_caller]
fn asked(terminal: &mut Terminal) {
    terminal.wait_for(QUESTION);
    terminal.wait_for(" s)");
}

/// Nothing comes of what goes on meanwhile: the question stands, and ends with the person's no.
#[track_caller]
fn only_the_person_ends_it(place: &Place, mut terminal: Terminal) {
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(place.ran(), None, "{}", terminal.seen());
    terminal.keys("n\r");
    terminal.wait_for("came 126");
    let screen = terminal.finish();
    // Where the command has a terminal of its own it is told there.
    let inside = fs::read_to_string(place.path().join("inside")).unwrap_or_default();
    assert!(
        format!("{screen}{inside}").contains("a person was asked and said no"),
        "{screen}{inside}"
    );
    assert_eq!(place.ran(), None, "{screen}");
}

/// Waits for the file `go`, does something with the terminal that it is given, and says in `done` what came of it.
const DOES: &str = "import errno, fcntl, os, sys, termios, time
while not os.path.exists('go'):
    time.sleep(0.02)
try:
    way, name = sys.argv[1:]
    terminal = os.open(name, os.O_RDWR | os.O_NOCTTY)
    for key in (b'y', b'\\r'):
        if way == 'push':
            fcntl.ioctl(terminal, termios.TIOCSTI, key)
        else:
            os.write(terminal, key)
    if way == 'write':
        os.write(terminal, b'\\x1b]2;y\\r\\x07\\x1b[21t\\x1b[6n\\x05')
    told = 'done'
except OSError as error:
    told = errno.errorcode[error.errno]
with open('done.new', 'w') as file:
    file.write(told)
os.rename('done.new', 'done')
";

fn does(place: &Place) {
    fs::write(place.path().join("does.py"), DOES).unwrap();
}

/// Lets it go on, and tells what came of it.
fn done(place: &Place) -> String {
    fs::write(place.path().join("go"), "").unwrap();
    wait_for("end of the attempt", || {
        fs::read_to_string(place.path().join("done")).ok()
    })
}

#[test]
fn keys_that_are_pushed_into_the_terminal_from_inside_answer_nothing() {
    let agent = "python3 does.py push /dev/tty & demolish all; echo \"came $?\"; wait\n";
    for how in ["-c 'sh agent.sh'", "run -- sh agent.sh"] {
        let place = Place::new(&format!("self-push-{}", how.len()));
        does(&place);
        fs::write(place.path().join("agent.sh"), agent).unwrap();
        let mut terminal = person(&place, &format!("\"$KIBOSH\" {how}"));
        asked(&mut terminal);
        assert_eq!(done(&place), "EPERM", "{how}");
        only_the_person_ends_it(&place, terminal);
    }
    // The same by a program that nothing guards, where the kernel lets it (`dev.tty.legacy_tiocsti`).
    let place = Place::new("self-push-outside");
    does(&place);
    let mut terminal = person(
        &place,
        "python3 does.py push /dev/tty & \"$KIBOSH\" -c 'demolish all'; echo \"came $?\"; wait",
    );
    asked(&mut terminal);
    match done(&place).as_str() {
        "done" => {
            terminal.wait_for("came 0");
            terminal.finish();
            assert_eq!(place.ran().as_deref(), Some("all\n"));
        }
        told => {
            assert_eq!(told, "EIO", "the kernel keeps everybody from it");
            only_the_person_ends_it(&place, terminal);
        }
    }
}

/// Neither is it keys, nor what the terminal answers to it.
#[test]
fn what_is_written_to_the_persons_terminal_answers_nothing() {
    let agent = "python3 does.py write \"$OUTER\" & demolish all; echo \"came $?\"; wait\n";
    for how in ["-c 'sh agent.sh'", "run -- sh agent.sh"] {
        let place = Place::new(&format!("self-write-{}", how.len()));
        does(&place);
        fs::write(place.path().join("agent.sh"), agent).unwrap();
        let mut terminal = person(&place, &format!("\"$KIBOSH\" {how}"));
        asked(&mut terminal);
        assert_eq!(done(&place), "done", "{how}");
        terminal.wait_for("\x1b[21t\x1b[6n");
        // An emulator that tells its title would say this, however long that is.
        for length in [0, 100, 253, 509, 700] {
            terminal.keys(&format!("\x1b]l{}y\r\x1b\\", "x".repeat(length)));
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(place.ran(), None, "{how}: {}", terminal.seen());
        terminal.keys("n\r");
        terminal.wait_for("came 126");
        let screen = terminal.finish();
        assert_eq!(place.ran(), None, "{how}: {screen}");
        // The control: the same keys without what a terminal puts around them.
        let place = Place::new(&format!("self-typed-{}", how.len()));
        fs::write(
            place.path().join("agent.sh"),
            "demolish all; echo \"came $?\"\n",
        )
        .unwrap();
        let mut terminal = person(&place, &format!("\"$KIBOSH\" {how}"));
        asked(&mut terminal);
        terminal.keys("y\r");
        terminal.wait_for("came 0");
        terminal.finish();
        assert_eq!(place.ran().as_deref(), Some("all\n"), "{how}");
    }
}

/// What expect(1) does: runs a command on a terminal that it makes, types a yes at each question that it sees and
/// between them, and writes down what it saw. It is Python's, so that the test needs no expect.
const EXPECT: &str = "import os, pty, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen, typed = b'', 0
while True:
    try:
        # Longer than kibosh waits for a pause in what is typed, or it asks nothing.
        if select.select([terminal], [], [], 0.6)[0]:
            more = os.read(terminal, 4096)
            if not more:
                break
            seen += more
        while typed < seen.count(b'Run it?'):
            typed += 1
            time.sleep(1)
            os.write(terminal, b'y\\r')
        os.write(terminal, b'y\\r')
    except OSError:
        break
with open('inside', 'ab') as file:
    file.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// What an agent puts between kibosh and a command: terminals of its own, at which it types.
const MADE: [(&str, &str); 4] = [
    (
        "script",
        "yes | head -300 | script -qec 'demolish all' inside; echo \"came $?\"\n",
    ),
    (
        "expect",
        "python3 expect.py sh -c 'demolish all; exit $?'; echo \"came $?\"\n",
    ),
    (
        "nested",
        "python3 expect.py sh -c '\"$KIBOSH\" run -- demolish all; exit $?'; echo \"came $?\"\n",
    ),
    (
        "shell",
        "python3 expect.py sh -c '\"$KIBOSH\" -c \"sh -c \\\"demolish all\\\"\"; exit $?'; echo \"came $?\"\n",
    ),
];

#[test]
fn whatever_terminal_an_agent_makes_the_person_is_asked_on_theirs() {
    for (name, agent) in MADE {
        let start = |how: &str| {
            let place = Place::new(&format!("self-made-{name}-{}", how.len()));
            fs::write(place.path().join("expect.py"), EXPECT).unwrap();
            fs::write(place.path().join("agent.sh"), agent).unwrap();
            let terminal = person(&place, &format!("\"$KIBOSH\" {how}"));
            (place, terminal)
        };
        let inside =
            |place: &Place| fs::read_to_string(place.path().join("inside")).unwrap_or_default();
        let (place, mut terminal) = start("run -- sh agent.sh");
        asked(&mut terminal);
        only_the_person_ends_it(&place, terminal);
        assert!(
            !inside(&place).contains(QUESTION),
            "{name}: {}",
            inside(&place)
        );
        drop(place);
        // The same with the person's yes.
        let (place, mut terminal) = start("run -- sh agent.sh");
        asked(&mut terminal);
        terminal.keys("y\r");
        terminal.wait_for("came 0");
        terminal.finish();
        assert_eq!(place.ran().as_deref(), Some("all\n"), "{name}");
        // Without the launcher nobody is asked there, and a person is told of at another terminal. What `script` is called
        // with is asked about before it makes one.
        if name == "script" {
            continue;
        }
        let (place, mut terminal) = start("-c 'sh agent.sh'");
        terminal.wait_for("came 126");
        let screen = terminal.finish();
        let inside = inside(&place);
        assert!(!inside.contains(QUESTION), "{name}: {inside}");
        assert!(
            inside.contains("kibosh approve "),
            "{name}: {inside}{screen}"
        );
        assert_eq!(place.ran(), None, "{name}");
    }
    // The control: what types there does answer, where nobody is above it and nobody guards it.
    let place = Place::new("self-made-outside");
    fs::write(place.path().join("expect.py"), EXPECT).unwrap();
    let output = run(place
        .command("python3")
        .args(["expect.py", "sh", "-c"])
        .arg(format!("'{KIBOSH}' -c 'demolish all'; exit $?")));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.ran().as_deref(), Some("all\n"));
}

/// What runs in a multiplexer of the agent's is asked about on the person's terminal, and so is who types into it.
#[test]
fn what_runs_in_an_agents_own_tmux_is_asked_about_on_the_persons_terminal() {
    for answer in ["n", "y"] {
        let place = Place::new(&format!("self-tmux-{answer}"));
        let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
        write("inner.sh", "demolish all; echo \"came $?\" >came\n");
        write(
            "agent.sh",
            "unset TMUX; tmux -S ./tmux -f /dev/null new-session -d 'sh ./inner.sh'\n\
             until [ -s came ]; do sleep 0.1; done; cat came; tmux -S ./tmux send-keys y Enter; echo \"typed $?\"\n",
        );
        let mut terminal = person(&place, "\"$KIBOSH\" run -- sh agent.sh");
        asked(&mut terminal);
        assert!(terminal.seen().contains("by tmux"), "{}", terminal.seen());
        terminal.keys(&format!("{answer}\r"));
        // A person is asked about the keys, too, whatever became of the other.
        asked(&mut terminal);
        assert!(
            terminal.seen().contains("self.answers"),
            "{}",
            terminal.seen()
        );
        terminal.keys("n\r");
        terminal.wait_for("typed 126");
        terminal.finish();
        let came = fs::read_to_string(place.path().join("came")).unwrap();
        let (status, ran) = if answer == "y" {
            ("0", Some("all\n"))
        } else {
            ("126", None)
        };
        assert_eq!(came, format!("came {status}\n"));
        assert_eq!(place.ran().as_deref(), ran);
    }
}

/// What others start for an agent is not below it. Stubs stand for those that may not be on a machine.
#[test]
fn what_others_would_start_is_asked_about_and_has_nobody_to_answer_it() {
    let desk = Desk::new("self-outside");
    let number = desk.waits(ASKED);
    copy_program(KIBOSH, desk.place.path().join("look"));
    fs::write(
        desk.place.path().join("job"),
        format!("yes | head -300 | ./look approve {number} >>outside 2>&1; echo ended >>outside\n"),
    )
    .unwrap();
    for name in ["at", "batch", "crontab", "systemd-run", "tmux"] {
        desk.place.program(
            name,
            "#!/bin/sh\necho started >>outside; exec setsid --wait sh job </dev/null\n",
        );
    }
    let outside = || fs::read_to_string(desk.place.path().join("outside")).unwrap_or_default();
    let lines = [
        "at -f job now",
        "batch <job",
        "crontab job",
        "systemd-run --user sh job",
        "tmux source-file job",
    ];
    for line in lines {
        // By the line, and as it starts.
        fs::write(desk.place.path().join("agent.sh"), format!("{line}\n")).unwrap();
        for line in [line, "sh agent.sh"] {
            let output = desk.asks(line);
            assert!(
                told(&output).contains("is held back by rule"),
                "{line}: {output:?}"
            );
        }
        assert_eq!(outside(), "", "{line}");
    }
    // The control: outside they are started, and what they start approves nothing.
    for line in lines {
        let screen = desk.sees(line);
        assert!(screen.contains("status=0"), "{line}: {screen}");
    }
    let told = outside();
    let count = |words: &str| told.matches(words).count();
    assert_eq!(count("started"), lines.len(), "{told}");
    assert_eq!(
        count("only a person at a terminal of their own"),
        lines.len(),
        "{told}"
    );
    desk.waits(ASKED);
    assert_eq!(desk.place.ran(), None);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
}

/// All that is written while something is approved, put back afterwards, approves nothing: it is nowhere written.
#[test]
fn nothing_that_is_written_of_an_approval_can_be_forged_or_used_again() {
    let desk = Desk::new("self-files");
    let copy = desk.place.path().join("copy");
    let sh = |script: &str| {
        let output = run(desk
            .place
            .command("sh")
            .env("RUN", desk.runtime())
            .env("COPY", &copy)
            .args(["-c", script]));
        assert!(output.status.success(), "{script}: {output:?}");
        said(&output)
    };
    let number = desk.waits(ASKED);
    desk.approve(number, "");
    sh(
        "mkdir \"$COPY\"; cd \"$RUN/kibosh\" && tar cf \"$COPY/files\" --ignore-failed-read . 2>/dev/null; true",
    );
    let regular = sh("find \"$RUN\" -type f -size +0");
    assert_eq!(regular, "", "what holds an approval could be edited");
    // The control: it is approved now.
    assert!(desk.asks(ASKED).status.success());
    sh("cd \"$RUN/kibosh\" && tar xf \"$COPY/files\" 2>/dev/null; true");
    for name in ["answer", "approved", "grants", "grants.json", "1"] {
        let forged =
            format!("{{\"number\":{number},\"answer\":\"yes\",\"approved\":{{\"uid\":0}}}}\n");
        fs::write(desk.runtime().join("kibosh").join(name), forged).unwrap();
    }
    // What the record says of it, said again by the agent.
    let record = desk.place.record();
    let approved = record.iter().rfind(|line| line["outcome"] == "approved");
    let again = approved.unwrap_or_else(|| panic!("{record:?}")).to_string();
    fs::write(desk.place.path().join("again"), format!("{again}\n")).unwrap();
    sh(
        "cat again >>\"$(getent passwd \"$(id -u)\" | cut -d: -f6)/.local/state/kibosh/audit.jsonl\"",
    );
    desk.waits(ASKED);
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    let again = desk.waits(ASKED);
    desk.approve(again, "");
    assert!(desk.asks(ASKED).status.success());
}

/// What can be done to another process of the user's, and not to the broker nor to who reviews.
#[test]
fn nobody_inside_looks_into_the_broker_or_a_reviewer_or_traces_them() {
    const LOOKS: [&str; 2] = ["environ", "maps"];
    const MORE: [&str; 6] = ["fd", "attach", "seize", "read", "write", "mem"];
    let desk = Desk::new("self-trace");
    let (program, rights) = desk.for_nobody();
    let harm = crate::support::probe::copy_for_all(&desk.place, &probe("harm"));
    let agent = |line: &str| {
        let words = format!("exec {rights} {} -c \"$LINE\"", program.display());
        run(desk
            .place
            .command("sh")
            .env("LINE", line)
            .args(["-c", &words]))
    };
    let output = agent(ASKED);
    assert!(told(&output).contains("kibosh approve"), "{output:?}");
    let mut watcher = desk.person(&format!(
        "{rights} sh -c 'echo $$ >reviewer; exec {} watch'",
        program.display()
    ));
    watcher.wait_for("demolish all");
    let mut other = desk.person(&format!("{rights} sh -c 'echo $$ >other; exec sleep 100'"));
    let process = |name: &str| -> i32 {
        wait_for(name, || {
            let text = fs::read_to_string(desk.place.path().join(name)).ok()?;
            text.strip_suffix('\n')?.parse().ok()
        })
    };
    let (reviewer, other_one) = (process("reviewer"), process("other"));
    wait_for("sleep", || {
        let name = fs::read_to_string(format!("/proc/{other_one}/comm")).ok()?;
        (name == "sleep\n").then_some(())
    });
    let tries =
        |way: &str, process: i32| said(&agent(&format!("{} {way} {process}", harm.display())));
    for way in LOOKS {
        assert_eq!(tries(way, other_one), "done\n", "{way}");
    }
    for process in [desk.broker(), reviewer] {
        for way in LOOKS.iter().chain(&MORE) {
            let told = tries(way, process);
            assert!(
                ["EPERM\n", "EACCES\n"].contains(&told.as_str()),
                "{way}: {told}"
            );
        }
    }
    // What is typed before the question is drawn is dropped.
    watcher.wait_for("else left (");
    watcher.keys("\x03");
    watcher.finish();
    other.keys("\x03");
    other.finish();
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn ten_thousand_requests_bring_no_yes_and_hold_up_nobody_else() {
    const FLOOD: usize = 10_000;
    let desk = Desk::new("self-flood");
    fs::write(
        desk.place.path().join("agent.sh"),
        format!("for n in $(seq {FLOOD}); do demolish all $n; done 2>told; echo over >over\n"),
    )
    .unwrap();
    let mut agent = desk
        .place
        .command(KIBOSH)
        .args(["run", "--", "bash", "agent.sh"])
        .spawn()
        .unwrap();
    let flooded = || fs::read_to_string(desk.place.path().join("told")).unwrap_or_default();
    let refused = |text: &str| text.matches("more requests wait").count();
    wait_for("flood", || (refused(&flooded()) > 0).then_some(()));
    // Meanwhile another agent is heard, and a person answers it.
    let started = Instant::now();
    let number = desk.waits(ASKED);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(
        !desk.place.path().join("over").exists(),
        "the flood was over"
    );
    assert!(agent.wait().unwrap().success());
    let told = flooded();
    assert_eq!(told.matches("`kibosh approve ").count(), 64);
    assert_eq!(refused(&told), FLOOD - 64);
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    let list = desk.sees("\"$KIBOSH\" pending");
    assert_eq!(list.matches("demolish all").count(), 64, "{list}");
}

/// A yes is for what stood there when the person read it.
#[test]
fn what_is_exchanged_while_the_question_stands_does_not_run() {
    for exchanged in ["", "bin/demolish", "site.sh"] {
        let line = match exchanged {
            "site.sh" => "\"$KIBOSH\" ./site.sh",
            _ => "\"$KIBOSH\" -c 'sh ./site.sh'",
        };
        let place = Place::new(&format!("self-exchange-{}", exchanged.len()));
        fs::write(
            place.path().join("site.sh"),
            "demolish all; echo \"came $?\"\n",
        )
        .unwrap();
        let mut terminal = person(&place, line);
        asked(&mut terminal);
        let told = match exchanged {
            // The control: nothing is exchanged, and it runs.
            "" => "came 0",
            "site.sh" => {
                fs::write(place.path().join(exchanged), "demolish all other\n").unwrap();
                // What a shell reads anew is judged as it starts.
                "demolish all other"
            }
            _ => {
                let other = "#!/bin/sh\necho other >>ran\n";
                fs::write(place.path().join(exchanged), other).unwrap();
                "was changed while a person was asked"
            }
        };
        terminal.keys("y\r");
        terminal.wait_for(told);
        if exchanged == "site.sh" {
            asked(&mut terminal);
            terminal.keys("n\r");
        }
        let screen = terminal.finish();
        let ran = (exchanged.is_empty()).then_some("all\n");
        assert_eq!(place.ran().as_deref(), ran, "{exchanged}: {screen}");
    }
}
