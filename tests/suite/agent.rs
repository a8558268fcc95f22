//! An agent under `kibosh run`: whatever it starts, by whichever shell, is judged by the policy that was
//! there when it began, and only the person on the outer terminal can say yes.

use std::fs;
use std::process::Output;

use crate::support::place::Place;
use crate::support::pty::Terminal;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// Makes the agent: a script that is not read, since what it starts is judged as it starts.
fn write(place: &Place, agent: &str) {
    fs::write(place.path().join("agent.sh"), agent).unwrap();
}

/// Runs an agent without any terminal.
fn run(place: &Place, agent: &str) -> Output {
    write(place, agent);
    place
        .command(KIBOSH)
        .args(["run", "--", "/bin/bash", "./agent.sh"])
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A person's terminal on which an agent runs in a place.
fn terminal(place: &Place, agent: &str) -> Terminal {
    write(place, agent);
    Terminal::run(&format!(
        "cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'; \"$KIBOSH\" run -- /bin/bash ./agent.sh; echo \"ended $?\"",
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ))
}

#[test]
fn every_shell_that_an_agent_starts_is_judged() {
    let place = Place::new("agent-shells");
    fs::write(place.path().join("job.sh"), "demolish all\n").unwrap();
    for agent in [
        "demolish all",
        "/bin/bash -c \"demolish all\"",
        "/bin/sh ./job.sh",
        "eval \"$(cat job.sh)\"",
        "\"$SHELL\" -c \"demolish all\"",
        "\"$SHELL\" ./job.sh",
        "echo demolish all | sh",
        "echo demolish all | \"$SHELL\"",
        "setsid -w sh ./job.sh",
        "exec sh ./job.sh",
        "nohup sh ./job.sh",
    ] {
        let output = run(&place, agent);
        assert_eq!(place.ran(), None, "{agent}");
        assert!(told(&output).contains("test.ask"), "{agent}: {output:?}");
        assert!(!output.status.success(), "{agent}: {output:?}");
    }
    // The control: what no rule stops runs by the same ways.
    fs::write(place.path().join("job.sh"), "demolish nothing\n").unwrap();
    for agent in ["/bin/sh ./job.sh", "\"$SHELL\" ./job.sh"] {
        assert!(run(&place, agent).status.success());
    }
    assert_eq!(place.ran().unwrap(), "nothing\nnothing\n");
}

#[test]
fn the_policy_is_the_one_that_was_there_at_the_start() {
    let place = Place::new("agent-pinned");
    fs::write(
        place.path().join("empty.py"),
        "open(''.join(['.kib', 'osh.toml']), 'w')\n",
    )
    .unwrap();
    let output = run(
        &place,
        "python3 ./empty.py; wc -c <.kibosh.toml; demolish all; echo $?; \"$SHELL\" -c \"demolish all\"; echo $?",
    );
    let said = said(&output);
    assert_eq!(
        said.lines().next(),
        Some("0"),
        "the file was emptied: {output:?}"
    );
    assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), ["126", "126"]);
    assert_eq!(place.ran(), None);
}

#[test]
fn nothing_inside_can_reach_the_supervisor_or_anybody_outside() {
    let place = Place::new("agent-reach");
    let mut outside = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let output = run(
        &place,
        &format!(
            "kill -9 $PPID; kill -9 {0}; \"$SHELL\" -c \"kill -9 $PPID\"; sleep 30 & kill $! && echo own; \
             (: </proc/$PPID/mem) 2>/dev/null && echo seen; demolish all; echo $?",
            outside.id()
        ),
    );
    let is_alive = outside.try_wait().unwrap().is_none();
    outside.kill().unwrap();
    outside.wait().unwrap();
    assert_eq!(said(&output), "own\n126\n", "{output:?}");
    assert!(is_alive);
}

#[test]
fn a_person_on_the_outer_terminal_is_asked_and_the_agent_goes_on() {
    let place = Place::new("agent-asked");
    fs::write(place.path().join("job.sh"), "demolish all\n").unwrap();
    let mut person = terminal(
        &place,
        "sh ./job.sh; echo \"first $?\"; sh ./job.sh; echo \"second $?\"",
    );
    person.wait_for("demolish all");
    person.wait_for("Run it?");
    std::thread::sleep(std::time::Duration::from_millis(500));
    person.keys("y\r");
    person.wait_for("first 0");
    // A yes is for what was shown, once.
    person.wait_for("Run it?");
    std::thread::sleep(std::time::Duration::from_millis(500));
    person.keys("n\r");
    person.wait_for("a person was asked and said no");
    person.wait_for("second 126");
    person.wait_for("ended 0");
    person.finish();
    assert_eq!(place.ran().unwrap(), "all\n");
}

#[test]
fn a_file_of_code_is_asked_about_once_whoever_opens_it() {
    let place = Place::new("agent-fed");
    fs::write(place.path().join("harm.sql"), "drop table users;\n").unwrap();
    place.program(
        "psql",
        "#!/bin/sh\nread -r line; echo \"$line\" >>\"${0%/*}/../ran\"\n",
    );
    let lines = ["psql app <harm.sql", "cd bin; psql app <../harm.sql"];
    for (name, line) in ["first", "second"].iter().zip(lines) {
        fs::write(place.path().join(name), line).unwrap();
    }
    // The shell reads the line, and the file by the name that it has there; another shell only opens it.
    let mut person = terminal(
        &place,
        "\"$SHELL\" -c \"$(cat first)\"; echo \"first $?\"; \"$SHELL\" -c \"$(cat second)\"; echo \"second $?\"; \
         eval \"$(cat first)\"; echo \"third $?\"",
    );
    for (ends, keys) in [
        ("first 0", "y\r"),
        ("second 0", "y\r"),
        ("third 126", "n\r"),
    ] {
        person.wait_for("Run it?");
        std::thread::sleep(std::time::Duration::from_millis(500));
        person.keys(keys);
        person.wait_for(ends);
    }
    person.wait_for("ended 0");
    person.finish();
    assert_eq!(place.ran().unwrap(), "drop table users;\n".repeat(2));
}

#[test]
fn an_agent_cannot_answer_for_the_person() {
    let place = Place::new("agent-answers");
    let mut person = terminal(
        &place,
        "(sleep 1; for i in 1 2 3 4 5 6; do printf \"y\\n\" >/dev/tty; sleep 0.3; done) & demolish all </dev/tty; echo \"came $?\"; wait",
    );
    person.wait_for("Run it?");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(place.ran(), None);
    person.keys("n\r");
    person.wait_for("came 126");
    person.wait_for("ended 0");
    person.finish();
    assert_eq!(place.ran(), None);
}

#[test]
fn what_an_agent_runs_is_written_down() {
    let place = Place::new("agent-record");
    run(&place, "\"$SHELL\" -c \"echo one; true\"; demolish all");
    let record = place.record();
    let texts: Vec<(&str, &str)> = record
        .iter()
        .map(|line| {
            (
                line["text"].as_str().unwrap(),
                line["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(texts.contains(&("echo one; true", "ran")), "{texts:?}");
    assert!(
        texts
            .iter()
            .any(|(text, outcome)| text.ends_with("demolish all") && *outcome == "refused"),
        "{texts:?}"
    );
}

#[test]
fn a_yes_for_the_session_is_for_the_same_only() {
    let place = Place::new("agent-session-yes");
    let agent = "demolish all; demolish all; cd bin; demolish all; echo \"status $?\"\n";
    let mut terminal = terminal(&place, agent);
    terminal.wait_for("Run it? y once, s session");
    terminal.keys("s\r");
    // The second is not asked about; in another directory it is.
    terminal.wait_for("Run it?");
    assert_eq!(place.ran().as_deref(), Some("all\nall\n"));
    terminal.keys("n\r");
    terminal.wait_for("status 126");
    terminal.finish();
    let place = Place::new("agent-session-changed");
    // The same words, but the program is another one by then.
    let agent =
        "demolish all; echo 'echo other >>ran' >>bin/demolish; demolish all; echo \"status $?\"\n";
    let mut terminal = self::terminal(&place, agent);
    terminal.wait_for("Run it?");
    terminal.keys("s\r");
    terminal.wait_for("Run it?");
    terminal.keys("n\r");
    terminal.wait_for("status 126");
    terminal.finish();
    assert_eq!(place.ran().as_deref(), Some("all\n"));
}

#[test]
fn a_second_no_answers_the_same_by_itself() {
    let place = Place::new("agent-two-noes");
    let agent = "for i in 1 2 3 4; do demolish all; done; demolish named x; echo \"status $?\"\n";
    let mut terminal = terminal(&place, agent);
    for _ in 0..2 {
        terminal.wait_for("Run it?");
        terminal.keys("n\r");
    }
    for _ in 0..2 {
        terminal.wait_for("a person said no to the same a short while ago");
    }
    terminal.wait_for("Name");
    terminal.keys("\r");
    terminal.wait_for("status 126");
    terminal.finish();
    assert_eq!(place.ran(), None);
}
