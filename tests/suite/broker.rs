//! Requests that wait for a person at another terminal: what an answer is for, and whom it reaches.

use std::fs;
use std::process::Stdio;

use crate::support::desk::{ASKED, Desk, KIBOSH, number};
use crate::support::probe::{copy_program, run, told, wait_for};

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
    let waiting = desk.waits(ASKED);
    desk.approve(waiting, "--for 10m");
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
    // A script is the text that it holds when it is run.
    let script = desk.place.path().join("deploy");
    let runs = || {
        let mut command = desk.place.command(KIBOSH);
        run(command.env("KIBOSH", KIBOSH).arg(&script))
    };
    fs::write(&script, "demolish all\n").unwrap();
    desk.approve(number(&runs()), "");
    fs::write(&script, "demolish all\ndemolish all\n").unwrap();
    assert_eq!(runs().status.code(), Some(126));
    fs::write(&script, "demolish all\n").unwrap();
    assert!(runs().status.success());
    assert_eq!(desk.place.ran().unwrap(), "all\n".repeat(3));
    let policy = desk.place.path().join(".kibosh.toml");
    let before = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("{before}\n# changed\n")).unwrap();
    desk.waits(ASKED);
    fs::write(&policy, before).unwrap();
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn who_only_looks_leaves_nothing_behind() {
    let desk = Desk::new("looks");
    for verb in [
        "pending",
        "grants",
        "grants revoke 1",
        "approve 1",
        "refuse 1",
    ] {
        let screen = desk.sees(&format!("\"$KIBOSH\" {verb}"));
        assert!(
            screen.contains("nothing") || screen.contains("no "),
            "{verb}: {screen}"
        );
    }
    assert_eq!(fs::read_dir(desk.runtime()).unwrap().count(), 0);
    desk.waits(ASKED);
    assert_eq!(fs::read_dir(desk.runtime()).unwrap().count(), 1);
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

/// A supervisor keeps to one processor, which what it starts is not to.
#[test]
fn a_broker_that_the_exec_gate_starts_has_all_processors() {
    let desk = Desk::new("processors");
    fs::write(desk.place.path().join("site.sh"), "demolish all\n").unwrap();
    desk.waits("sh site.sh");
    let status = fs::read_to_string(format!("/proc/{}/status", desk.broker())).unwrap();
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    let processors = |status: &str| {
        let line = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed:"));
        line.unwrap().to_owned()
    };
    assert_eq!(processors(&status), processors(&own));
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
        command.args(["run", "--", "sh", "-c", "demolish all; echo agent=$?"]);
        run(&mut command)
    };
    let output = run_agent();
    assert!(told(&output).contains("not started"), "{output:?}");
    desk.approve(number(&output), "");
    let output = run_agent();
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"), "{output:?}");
}

#[test]
fn several_agents_are_answered_one_by_one_and_the_terminal_is_left_as_it_was() {
    let desk = Desk::new("several");
    for line in ["demolish all one", "demolish all two"] {
        desk.waits(line);
    }
    let mut watcher = desk.person(
        "stty -g >before; trap : INT; \"$KIBOSH\" watch; stty -g >after; cmp before after && echo modes kept",
    );
    watcher.wait_for("2 requests are waiting");
    watcher.wait_for("| demolish all one");
    watcher.wait_for("Run it?");
    watcher.keys("\r");
    watcher.wait_for("request 1 waits on");
    watcher.wait_for("| demolish all two");
    watcher.wait_for("Run it?");
    watcher.keys("y\r");
    watcher.wait_for("request 2 is approved");
    // An agent under the launcher, in the midst of what it does.
    let mut command = desk.place.command(KIBOSH);
    command.args(["run", "--", "sh", "-c", "demolish all three; echo agent=$?"]);
    let agent = command.stdout(Stdio::piped()).spawn().unwrap();
    watcher.wait_for("| demolish all three");
    watcher.wait_for("from     -c of ");
    watcher.wait_for("Run it?");
    watcher.keys("y\r");
    let output = agent.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "agent=0\n");
    let child = desk.begins("demolish all four");
    watcher.wait_for("| demolish all four");
    watcher.wait_for("Run it?");
    watcher.keys("\x03");
    let screen = watcher.finish();
    assert!(screen.contains("modes kept"), "{screen}");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(126));
    assert!(desk.asks("demolish all two").status.success());
    assert_eq!(desk.place.ran().as_deref(), Some("all three\nall two\n"));
}

#[test]
fn a_watcher_can_say_yes_for_the_session() {
    let desk = Desk::new("s-key");
    let mut watcher = desk.person("\"$KIBOSH\" watch");
    watcher.wait_for("waiting for requests");
    let child = desk.begins(ASKED);
    watcher.wait_for("Run it?");
    watcher.keys("s\r");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    watcher.wait_for("is approved");
    watcher.keys("\x03");
    watcher.finish();
    // What comes from the same process is of the same session: here the tests themselves.
    assert!(desk.asks(ASKED).status.success());
    assert_eq!(desk.place.ran().as_deref(), Some("all\nall\n"));
}

#[test]
fn it_holds_for_a_user_without_rights_too() {
    let desk = Desk::new("rights");
    let (program, rights) = desk.for_nobody();
    fs::write(desk.place.path().join("site.sh"), "demolish all\n").unwrap();
    copy_program(&program, desk.place.path().join("look"));
    let agent = |line: &str| {
        let words = format!("exec {rights} {} -c \"$LINE\"", program.display());
        let mut command = desk.place.command("sh");
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
    // Nor does the broker let anybody of the user look into it or steer it, which they may with others.
    agent("demolish all two");
    let broker = desk.broker().to_string();
    for (look, why) in [
        ("strace -o trace -p {}", "Operation not permitted"),
        ("cat /proc/{}/environ >environ", "Permission denied"),
        ("readlink -v /proc/{}/exe", "Permission denied"),
        (": </proc/{}/mem", "Permission denied"),
    ] {
        let output = agent(&look.replace("{}", &broker));
        assert!(told(&output).contains(why), "{look}: {output:?}");
    }
    let output = agent(
        "sleep 60 & cat /proc/$!/environ >environ && readlink -v /proc/$!/exe && : </proc/$!/mem && echo seen; kill $!",
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("seen"), "{output:?}");
}
