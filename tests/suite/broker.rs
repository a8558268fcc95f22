//! Requests that wait for a person at another terminal: who can answer them, and who cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::place::Place;
use crate::support::probe::{NOBODY, kibosh_for_all, run, told, wait_for, without_rights};
use crate::support::pty::Terminal;

/// A place with a broker of its own, which ends with it: its socket is gone then.
struct Desk {
    place: Place,
}

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

impl Desk {
    fn new(test: &str) -> Self {
        let place = Place::new(&format!("broker-{test}"));
        let runtime = place.path().join("run");
        fs::create_dir(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
        Self { place }
    }

    fn runtime(&self) -> PathBuf {
        self.place.path().join("run")
    }

    fn socket(&self) -> PathBuf {
        self.runtime().join("kibosh/broker")
    }

    /// kibosh with a line, as an agent starts it: without a terminal.
    fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(KIBOSH);
        command
            .env("XDG_RUNTIME_DIR", self.runtime())
            .env("KIBOSH", KIBOSH)
            .args(["-c", line]);
        command
    }

    fn asks(&self, line: &str) -> Output {
        run(&mut self.command(line))
    }

    /// The same, which goes on meanwhile.
    fn begins(&self, line: &str) -> Child {
        self.command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Asks, and gives the number under which it waits.
    #[track_caller]
    fn waits(&self, line: &str) -> u64 {
        let output = self.asks(line);
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        number(&output)
    }

    /// A person's terminal, on which this is run.
    fn person(&self, line: &str) -> Terminal {
        Terminal::run(&format!(
            "cd '{}' || exit\nexport PATH='{}' XDG_RUNTIME_DIR='{}'\n{line}\necho status=$?",
            self.place.path().display(),
            self.place.search_path(),
            self.runtime().display()
        ))
    }

    /// What the person sees who runs this, with nothing to type.
    fn sees(&self, line: &str) -> String {
        self.person(line).finish()
    }

    /// A person approves a request as they should.
    #[track_caller]
    fn approve(&self, number: u64, more: &str) {
        let mut person = self.person(&format!("\"$KIBOSH\" approve {number} {more}"));
        person.wait_for("Run it?");
        person.keys("y\r");
        let screen = person.finish();
        assert!(screen.contains("status=0"), "{screen}");
    }

    /// The broker's process: the one that listens here.
    fn broker(&self) -> i32 {
        wait_for("broker", || {
            let stream = kibosh::sys::peer::connect(&self.socket()).ok()?;
            Some(kibosh::sys::peer::of(&stream).unwrap().0)
        })
    }
}

/// The number of the request that a refusal tells of.
#[track_caller]
fn number(output: &Output) -> u64 {
    let told = told(output);
    let (_, rest) = told
        .split_once("`kibosh approve ")
        .unwrap_or_else(|| panic!("no number in {output:?}"));
    rest.split('`').next().unwrap().parse().unwrap()
}

const ASKED: &str = "demolish all";

#[test]
fn what_a_person_approves_elsewhere_passes_once_when_it_is_run_again() {
    let desk = Desk::new("again");
    let number = desk.waits(ASKED);
    let list = desk.sees("\"$KIBOSH\" pending");
    for words in [
        ASKED,
        "test.ask",
        "from -c",
        &desk.place.path().display().to_string(),
    ] {
        assert!(list.contains(words), "{words} is not in {list}");
    }
    desk.approve(number, "");
    assert_eq!(desk.place.ran(), None);
    let output = desk.asks(ASKED);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    desk.waits(ASKED);
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
}

#[test]
fn only_the_very_same_request_passes_and_a_changed_policy_ends_it() {
    let desk = Desk::new("same");
    let number = desk.waits(ASKED);
    desk.approve(number, "--for 10m");
    let other = desk.place.path().join("other");
    fs::create_dir(&other).unwrap();
    for line in [
        "demolish all ",
        "true; demolish all",
        "demolish all x",
        "sh -c 'demolish all'",
    ] {
        desk.waits(line);
    }
    let mut elsewhere = desk.command(ASKED);
    assert_eq!(run(elsewhere.current_dir(other)).status.code(), Some(126));
    let mut otherwise = desk.command(ASKED);
    let output = run(otherwise.env("SITE", "production"));
    assert_eq!(output.status.code(), Some(126));
    assert_eq!(desk.place.ran(), None);
    for times in 1..3 {
        assert!(desk.asks(ASKED).status.success());
        assert_eq!(desk.place.ran().unwrap(), "all\n".repeat(times));
    }
    let policy = desk.place.path().join(".kibosh.toml");
    let before = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("{before}\n# changed\n")).unwrap();
    desk.waits(ASKED);
    fs::write(&policy, before).unwrap();
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn what_is_denied_never_waits() {
    let desk = Desk::new("denied");
    desk.waits(ASKED);
    for line in ["demolish never", "demolish all; demolish never"] {
        let output = desk.asks(line);
        assert_eq!(output.status.code(), Some(126));
        assert!(!told(&output).contains("kibosh approve"), "{output:?}");
    }
    let list = desk.sees("\"$KIBOSH\" pending");
    assert!(!list.contains("never"), "{list}");
}

#[test]
fn a_command_waits_while_somebody_watches_and_goes_on_with_their_yes() {
    let desk = Desk::new("watch");
    let mut watcher = desk.person("\"$KIBOSH\" watch");
    watcher.wait_for("waiting for requests");
    let child = desk.begins(ASKED);
    watcher.wait_for("| demolish all");
    watcher.wait_for("Run it?");
    assert_eq!(desk.place.ran(), None);
    watcher.keys("y\r");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    assert_eq!(told(&output), "");
    let record = desk.place.record();
    let last = record.last().unwrap();
    assert_eq!(last["outcome"], "approved");
    assert_eq!(last["reviewer"]["uid"], nix::unistd::getuid().as_raw());
    let terminal = last["reviewer"]["terminal"].as_str().unwrap();
    assert!(terminal.starts_with("/dev/pts/"), "{terminal}");

    // Used up: the next one is asked about anew, and a no reaches the agent.
    let child = desk.begins(ASKED);
    watcher.wait_for("Run it?");
    watcher.keys("n\r");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(
        told(&output).contains("a person was asked and said no"),
        "{output:?}"
    );
    watcher.wait_for("is refused");
    watcher.keys("\x03");
    watcher.finish();
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
}

#[test]
fn a_reason_reaches_the_agent_and_answers_the_same_request_by_itself() {
    let desk = Desk::new("refuse");
    let number = desk.waits(ASKED);
    let screen = desk.sees(&format!(
        "\"$KIBOSH\" refuse {number} --why 'use the staging site'"
    ));
    assert!(screen.contains("status=0"), "{screen}");
    let output = desk.asks(ASKED);
    assert_eq!(output.status.code(), Some(126));
    let told = told(&output);
    assert!(
        told.contains("a short while ago: use the staging site"),
        "{told}"
    );
    desk.waits("demolish all else");
}

#[test]
fn everything_but_a_typed_yes_leaves_a_request_as_it_is() {
    let desk = Desk::new("typed");
    let number = desk.waits(ASKED);
    for keys in ["\r", "n\r", "my key\r", "\x03", "\x04"] {
        let mut person = desk.person(&format!("\"$KIBOSH\" approve {number}"));
        person.wait_for("Run it?");
        person.keys(keys);
        let screen = person.finish();
        assert!(screen.contains("status=1"), "{keys:?}: {screen}");
    }
    let grave = desk.waits("demolish named site-7");
    let mut person = desk.person(&format!("\"$KIBOSH\" approve {grave}"));
    person.wait_for("type its name: site-7");
    person.wait_for("Name (");
    person.keys("y\r");
    assert!(person.finish().contains("status=1"));
    for line in [ASKED, "demolish named site-7"] {
        desk.waits(line);
    }
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn approvals_are_listed_and_can_be_taken_back() {
    let desk = Desk::new("grants");
    let number = desk.waits(ASKED);
    desk.approve(number, "--for 1h");
    let list = desk.sees("\"$KIBOSH\" grants");
    assert!(
        list.contains("for 60 min") && list.contains(ASKED),
        "{list}"
    );
    assert!(
        desk.sees(&format!("\"$KIBOSH\" grants revoke {number}"))
            .contains("status=0")
    );
    desk.waits(ASKED);
    assert!(
        desk.sees(&format!("\"$KIBOSH\" grants revoke {number}"))
            .contains("status=1")
    );
    assert!(
        desk.sees("\"$KIBOSH\" grants")
            .contains("nothing is approved")
    );
    assert_eq!(desk.place.ran(), None);
}

/// An agent that starts kibosh with the same line whenever the file `go` is there; its number is its session's.
const AGENT: &str = "for n in 1 2 3; do \
    while [ ! -e go ]; do sleep 0.02; done; rm go; \
    \"$KIBOSH\" -c 'demolish all' 2>told.$n; echo $? >status.$n; done";

#[test]
fn a_yes_for_the_session_ends_with_it_and_is_for_no_other() {
    let desk = Desk::new("session");
    let agent = || {
        desk.place
            .command("sh")
            .env("XDG_RUNTIME_DIR", desk.runtime())
            .env("KIBOSH", KIBOSH)
            .args(["-c", AGENT])
            .spawn()
            .unwrap()
    };
    let step = |number: u8| {
        let file = desk.place.path().join(format!("status.{number}"));
        let _ = fs::remove_file(&file);
        fs::write(desk.place.path().join("go"), "").unwrap();
        wait_for("status", || {
            fs::read_to_string(&file)
                .ok()
                .filter(|status| !status.is_empty())
        })
    };
    let mut first = agent();
    assert_eq!(step(1), "126\n");
    let told = fs::read_to_string(desk.place.path().join("told.1")).unwrap();
    let number = told
        .split("approve ")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    desk.approve(number.parse().unwrap(), "--for session");
    assert_eq!(step(2), "0\n");
    // The same from somebody else.
    desk.waits(ASKED);
    assert_eq!(step(3), "0\n");
    first.wait().unwrap();
    let mut second = agent();
    assert_eq!(step(1), "126\n");
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!(desk.place.ran().as_deref(), Some("all\nall\n"));
}

#[test]
fn what_the_exec_gate_holds_waits_too_and_another_file_of_that_name_is_another_request() {
    let desk = Desk::new("exec");
    fs::write(desk.place.path().join("site.sh"), "demolish all\n").unwrap();
    let number = desk.waits("sh site.sh");
    desk.approve(number, "");
    let output = desk.asks("sh site.sh");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    let number = desk.waits("sh site.sh");
    desk.approve(number, "");
    desk.place
        .program("demolish", "#!/bin/sh\necho other >>ran\n");
    desk.waits("sh site.sh");
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
}

#[test]
fn an_agent_without_a_terminal_under_the_launcher_can_be_answered() {
    let desk = Desk::new("run");
    let run_agent = || {
        let mut command = desk.place.command(KIBOSH);
        command.env("XDG_RUNTIME_DIR", desk.runtime()).args([
            "run",
            "--",
            "sh",
            "-c",
            "demolish all; echo agent=$?",
        ]);
        run(&mut command)
    };
    let output = run_agent();
    assert!(told(&output).contains("not started"), "{output:?}");
    desk.approve(number(&output), "");
    let output = run_agent();
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"), "{output:?}");
}

#[test]
fn it_holds_for_a_user_without_rights_too() {
    let desk = Desk::new("rights");
    let program = kibosh_for_all(&desk.place);
    let rights = without_rights().join(" ");
    fs::set_permissions(desk.place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    if !rights.is_empty() {
        let owner = Some(NOBODY.parse().unwrap());
        std::os::unix::fs::chown(desk.runtime(), owner, owner).unwrap();
    }
    fs::write(desk.place.path().join("site.sh"), "demolish all\n").unwrap();
    fs::copy(&program, desk.place.path().join("look")).unwrap();
    let agent = |line: &str| {
        let words = format!("exec {rights} {} -c \"$LINE\"", program.display());
        let mut command = desk.place.command("sh");
        command.env("XDG_RUNTIME_DIR", desk.runtime());
        run(command.env("LINE", line).args(["-c", &words]))
    };
    for line in [ASKED, "sh site.sh"] {
        let waiting = number(&agent(line));
        let inside = agent(&format!("./look refuse {waiting}; ./look pending"));
        assert!(
            told(&inside).contains("below a guarded session"),
            "{inside:?}"
        );
        let mut person = desk.person(&format!("{rights} {} approve {waiting}", program.display()));
        person.wait_for("Run it?");
        person.keys("y\r");
        let screen = person.finish();
        assert!(screen.contains("status=0"), "{screen}");
        let output = agent(line);
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(desk.place.ran().as_deref(), Some("all\nall\n"));
}

// ---------------------------------------------------------------- attacks

/// A copy of the program under a name that no rule knows.
fn copy(desk: &Desk) {
    fs::copy(KIBOSH, desk.place.path().join("look")).unwrap();
}

#[test]
fn nothing_below_a_guarded_session_can_approve_even_by_another_name() {
    let desk = Desk::new("inside");
    let number = desk.waits(ASKED);
    copy(&desk);
    let verbs = [
        format!("approve {number}"),
        format!("refuse {number}"),
        "watch".into(),
        "grants revoke 1".into(),
    ];
    for verb in &verbs {
        let output = desk.asks(&format!("'{KIBOSH}' {verb}"));
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        assert!(told(&output).contains("self.reviewer"), "{output:?}");
    }
    // By another name the rule does not know it. Neither a terminal of its own, a session, nor an orphan's
    // life makes it somebody else: the filter stays.
    let typed = format!("script -qec './look approve {number}' /dev/null");
    for line in [
        format!("yes | ./look approve {number}"),
        format!("yes | {typed}"),
        format!("setsid --wait ./look approve {number} </dev/null"),
        format!("yes | setsid --wait {typed}"),
        format!("(setsid -f sh -c \"yes | {typed}\" >out 2>&1 &); sleep 2; cat out"),
        "./look pending".to_owned(),
        "./look grants".to_owned(),
        "./look refuse 1".to_owned(),
    ] {
        let output = desk.asks(&line);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            told(&output)
        );
        assert!(
            said.contains("below a guarded session")
                || said.contains("a person at a terminal of their own"),
            "{line}: {output:?}"
        );
        desk.waits(ASKED);
    }
    assert_eq!(desk.place.ran(), None);
    // The same by a person, outside.
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn a_guarded_process_is_not_spoken_to_by_the_broker() {
    let desk = Desk::new("socket");
    let number = desk.waits(ASKED);
    fs::write(
        desk.place.path().join("speak.py"),
        format!(
            "import socket, os, sys\n\
             for message in ['\"list\"', '{{\"look\":{number}}}', '{{\"refuse\":{{\"number\":{number},\"why\":null}}}}',\n\
             '{{\"approve\":{{\"number\":{number},\"key\":\"x\",\"scope\":\"once\",\"terminal\":\"/dev/pts/0\"}}}}', '\"watch\"']:\n\
             \x20   s = socket.socket(socket.AF_UNIX)\n\
             \x20   s.connect({:?})\n\
             \x20   try:\n\
             \x20       s.sendall(message.encode() + b'\\n')\n\
             \x20   except BrokenPipeError:\n\
             \x20       pass\n\
             \x20   print(s.makefile().readline())\n",
            desk.socket()
        ),
    )
    .unwrap();
    let output = desk.asks("python3 speak.py");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said.matches("below a guarded session").count(),
        5,
        "{output:?}"
    );
    // Nor to another program, guarded or not.
    let screen = desk.sees("python3 speak.py");
    assert_eq!(screen.matches("another program").count(), 5, "{screen}");
    desk.approve(number, "");
}

#[test]
fn a_guarded_process_cannot_be_the_broker() {
    let desk = Desk::new("fake");
    desk.waits(ASKED);
    fs::write(
        desk.place.path().join("fake.py"),
        format!(
            "import socket, os\n\
             path = {:?}\n\
             os.unlink(path)\n\
             s = socket.socket(socket.AF_UNIX)\n\
             s.bind(path)\n\
             s.listen(64)\n\
             open('bound', 'w').close()\n\
             while True:\n\
             \x20   c, _ = s.accept()\n\
             \x20   open('asked', 'a').write('x')\n\
             \x20   c.sendall(b'{{\"approved\":{{\"uid\":0,\"terminal\":\"\"}}}}\\n')\n",
            desk.socket()
        ),
    )
    .unwrap();
    let mut fake = desk.begins("exec python3 fake.py");
    wait_for("fake broker", || {
        desk.place.path().join("bound").exists().then_some(())
    });
    for _ in 0..3 {
        desk.waits(ASKED);
    }
    assert_eq!(desk.place.ran(), None);
    assert!(
        desk.place.path().join("asked").exists(),
        "the fake one was never tried"
    );
    fake.kill().unwrap();
    fake.wait().unwrap();
    // A person reaches the true one.
    let number = desk.waits(ASKED);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn a_broker_that_is_killed_or_stopped_lets_nothing_pass() {
    let desk = Desk::new("killed");
    let number = desk.waits(ASKED);
    desk.approve(number, "--for 10m");
    let broker = nix::unistd::Pid::from_raw(desk.broker());
    nix::sys::signal::kill(broker, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let started = Instant::now();
    let output = desk.asks(ASKED);
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    nix::sys::signal::kill(broker, nix::sys::signal::Signal::SIGKILL).unwrap();
    // Another one is begun, and knows of nothing.
    desk.waits(ASKED);
    assert!(
        desk.sees("\"$KIBOSH\" grants")
            .contains("nothing is approved")
    );

    let mut watcher = desk.person("\"$KIBOSH\" watch");
    watcher.wait_for("waiting for requests");
    let child = desk.begins("demolish all two");
    watcher.wait_for("Run it?");
    let broker = nix::unistd::Pid::from_raw(desk.broker());
    nix::sys::signal::kill(broker, nix::sys::signal::Signal::SIGKILL).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    watcher.keys("\x03");
    watcher.finish();
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn a_flood_is_bounded_for_its_session_and_others_are_still_heard() {
    let desk = Desk::new("flood");
    let flood = "for n in $(seq 80); do \"$KIBOSH\" -c \"demolish all $n\"; done; true";
    let output = run(desk
        .place
        .command("sh")
        .env("XDG_RUNTIME_DIR", desk.runtime())
        .env("KIBOSH", KIBOSH)
        .args(["-c", flood]));
    let told = told(&output);
    assert_eq!(told.matches("`kibosh approve ").count(), 64, "{told}");
    assert_eq!(told.matches("more requests wait").count(), 16, "{told}");
    let number = desk.waits(ASKED);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn who_only_connects_and_says_nothing_or_nonsense_holds_nobody_up() {
    let desk = Desk::new("stall");
    desk.waits(ASKED);
    // Programs other than kibosh are left at once, so these are kibosh's own connections.
    let silent: Vec<_> = (0..300)
        .filter_map(|_| kibosh::sys::peer::connect(&desk.socket()).ok())
        .collect();
    assert!(!silent.is_empty());
    let started = Instant::now();
    let number = desk.waits(ASKED);
    assert!(started.elapsed() < Duration::from_secs(5));
    desk.approve(number, "");
}

#[test]
fn a_reviewer_stands_at_a_terminal_of_a_person_and_is_not_traced() {
    let desk = Desk::new("reviewer");
    let number = desk.waits(ASKED);
    let approve = format!("\"$KIBOSH\" approve {number}");
    for line in [
        format!("setsid --wait {approve} </dev/null"),
        format!("yes | setsid --wait {approve}"),
        format!("yes | script -qec '{approve}' /dev/null"),
    ] {
        let screen = desk.sees(&line);
        assert!(
            screen.contains("only a person at a terminal of their own"),
            "{line}: {screen}"
        );
        assert!(!screen.contains("Run it?"), "{screen}");
    }
    let screen = desk.sees(&format!("strace -f -o /dev/null {approve}"));
    assert!(screen.contains("traced"), "{screen}");
    assert!(!screen.contains("Run it?"), "{screen}");
    desk.waits(ASKED);
    // Keys from somewhere else are none of the person's.
    let mut person = desk.person(&format!("yes | {approve}"));
    person.wait_for("Run it?");
    std::thread::sleep(Duration::from_secs(1));
    person.keys("\r");
    assert!(person.finish().contains("status=1"));
    desk.waits(ASKED);
    assert_eq!(desk.place.ran(), None);
    desk.approve(number, "");
}

#[test]
fn a_place_that_others_can_enter_is_not_used() {
    let desk = Desk::new("place");
    desk.waits(ASKED);
    fs::set_permissions(
        desk.runtime().join("kibosh"),
        fs::Permissions::from_mode(0o777),
    )
    .unwrap();
    let output = desk.asks(ASKED);
    assert_eq!(output.status.code(), Some(126));
    assert!(told(&output).contains("others can enter it"), "{output:?}");
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn an_agent_that_chooses_the_place_is_asked_about_where_nobody_looks() {
    let desk = Desk::new("chosen");
    let other = Desk::new("chosen-other");
    let number = desk.waits(ASKED);
    desk.approve(number, "--for 10m");
    let mut command = desk.command(ASKED);
    let output = run(command.env("XDG_RUNTIME_DIR", other.runtime()));
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn a_broker_ends_when_its_socket_is_gone() {
    let desk = Desk::new("ends");
    desk.waits(ASKED);
    let broker = desk.broker();
    let name = || fs::read_to_string(format!("/proc/{broker}/comm")).unwrap_or_default();
    assert_eq!(name(), "kibosh\n");
    fs::remove_file(desk.socket()).unwrap();
    wait_for("end of the broker", || (name() != "kibosh\n").then_some(()));
}
