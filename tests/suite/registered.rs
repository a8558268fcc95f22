//! Registered terminals: which may be registered, and what counts where one is.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::desk::{ASKED, Desk, KIBOSH};
use crate::support::halted::Halted;
use crate::support::probe::{copy_program, run, told, wait_for};
use crate::support::pty::Terminal;

/// A terminal that its person has registered, with a shell that runs what stands in the file `next`, line by line.
fn registered(desk: &Desk) -> Terminal {
    let mut terminal =
        desk.person("\"$KIBOSH\" register; echo registered=$?; read -r line; eval \"$line\"");
    terminal.wait_for("registered=0");
    terminal
}

/// What `kibosh doctor` says of terminals, to a person at one that is none of them.
fn terminals(desk: &Desk) -> String {
    let screen = desk.sees("\"$KIBOSH\" doctor");
    let line = screen.lines().find(|line| line.contains(" terminals "));
    line.unwrap_or_else(|| panic!("{screen}")).to_owned()
}

#[test]
fn a_terminal_is_registered_silently_and_until_its_leader_ends() {
    let desk = Desk::new("register");
    assert!(terminals(&desk).contains("none is registered"));
    let mut terminal = desk.person(
        "for n in 1 2 3; do \"$KIBOSH\" register; echo status=$?; done\n\
         \"$KIBOSH\" doctor | grep ' terminals '; echo told\n\
         read -r go; \"$KIBOSH\" register --undo; echo undone=$?\n\
         read -r go; \"$KIBOSH\" register --undo; \"$KIBOSH\" register --quiet; echo quiet=$?\n\
         read -r go",
    );
    terminal.wait_for("told");
    let seen = terminal.seen().replace('\r', "");
    assert!(
        seen.contains("status=0\nstatus=0\nstatus=0\n  -        terminals      registered"),
        "{seen}"
    );
    assert!(
        seen.contains("(sh, process ") && seen.contains(", this one)"),
        "{seen}"
    );
    let line = terminals(&desk);
    assert_eq!(line.matches("/dev/pts/").count(), 1, "{line}");
    assert!(!line.contains("this one"), "{line}");
    terminal.keys("\n");
    terminal.wait_for("undone=0");
    assert!(terminals(&desk).contains("none is registered"));
    terminal.keys("\n");
    terminal.wait_for("quiet=0");
    // That one goes on beside the shell.
    wait_for("registered", || {
        terminals(&desk).contains("/dev/pts/").then_some(())
    });
    terminal.keys("\n");
    terminal.finish();
    assert!(terminals(&desk).contains("none is registered"));
}

#[test]
fn what_is_no_persons_terminal_is_refused_with_the_reason_and_quietly_without() {
    let desk = Desk::new("unfit");
    let register = "\"$KIBOSH\" register";
    for (line, why) in [
        (
            format!("setsid --wait {register} </dev/null"),
            "there is none here",
        ),
        (
            format!("script -qec '{register}' /dev/null"),
            "the one here was opened by a program",
        ),
        (
            format!("python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' {register}"),
            "the one here was opened by a program",
        ),
        (
            format!(
                "rm -f said; unset TMUX; tmux -S ./tmux -f /dev/null new-session -d '{register} 2>said; echo over >>said'\n\
                 tries=100; while ! grep -q over said && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done\n\
                 cat said; tmux -S ./tmux kill-server"
            ),
            "inside tmux",
        ),
        (format!("strace -o /dev/null {register}"), "traced"),
        (
            format!(
                "strace -f -o /dev/null -p $$ 2>attached & tries=100; while ! grep -q attached attached && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done; {register}; kill $!"
            ),
            "traced",
        ),
    ] {
        let screen = desk.sees(&line);
        assert!(
            screen.contains("no terminal was registered") && screen.contains(why),
            "{line}: {screen}"
        );
        assert!(terminals(&desk).contains("none is registered"), "{line}");
        let quiet = desk.sees(&line.replace(register, &format!("{register} --quiet")));
        assert!(!quiet.contains("kibosh"), "{line}: {quiet}");
    }
}

#[test]
fn nothing_below_a_guarded_session_registers_a_terminal() {
    let desk = Desk::new("register-inside");
    copy_program(KIBOSH, desk.place.path().join("look"));
    let shell = desk.person("read -r go");
    for verb in ["register", "register --undo"] {
        let output = desk.asks(&format!("'{KIBOSH}' {verb}"));
        assert!(told(&output).contains("self.reviewer"), "{output:?}");
    }
    // The line of a start-up file, which an agent's shell reads too, is neither a question nor a message.
    let output = desk.asks(&format!("'{KIBOSH}' register --quiet"));
    assert!(
        output.status.success() && told(&output).is_empty(),
        "{output:?}"
    );
    let guarded = "below a guarded session";
    for line in [
        "./look register",
        "setsid --wait ./look register",
        "script -qec './look register' /dev/null",
        "setsid --wait script -qec './look register' /dev/null",
        "(setsid -f script -qec './look register' out >/dev/null 2>&1 &); \
         n=300; while ! grep -q guarded out && [ $((n -= 1)) -gt 0 ]; do sleep 0.1; done; cat out",
    ] {
        let output = desk.asks(line);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &told(&output);
        assert!(said.contains(guarded), "{line}: {output:?}");
    }
    // At a person's own terminal, too.
    let screen = desk.sees(
        "\"$KIBOSH\" -c './look register'; \"$KIBOSH\" -c 'bash --norc -ic \"./look register\"'",
    );
    assert_eq!(screen.matches(guarded).count(), 2, "{screen}");
    assert!(terminals(&desk).contains("none is registered"));
    shell.hang_up();
}

#[test]
fn where_a_terminal_is_registered_no_other_is_asked_on() {
    let desk = Desk::new("registered-only");
    let ask = "\"$KIBOSH\" -c 'demolish all'";
    // Without any, each counts that passes for a person's.
    let mut other = desk.person(ask);
    other.wait_for("Run it?");
    other.keys("n\r");
    other.finish();
    let mut own = registered(&desk);
    let screen = desk.sees(&format!("{ask} two"));
    assert!(
        !screen.contains("Run it?") && screen.contains("none that a person has registered"),
        "{screen}"
    );
    assert!(screen.contains("kibosh approve "), "{screen}");
    // Nor for what the exec gate holds.
    fs::write(desk.place.path().join("site.sh"), "demolish all three\n").unwrap();
    let screen = desk.sees("\"$KIBOSH\" -c 'sh site.sh'");
    assert!(
        !screen.contains("Run it?") && screen.contains("none that a person has registered"),
        "{screen}"
    );
    assert_eq!(desk.place.ran(), None);
    own.keys("\"$KIBOSH\" -c 'sh site.sh'\n");
    own.wait_for("Run it?");
    own.keys("y\r");
    own.finish();
    assert_eq!(desk.place.ran().as_deref(), Some("all three\n"));
    // Its shell has ended, and with it what it had registered.
    let mut other = desk.person(&format!("{ask} four"));
    other.wait_for("Run it?");
    other.keys("y\r");
    other.finish();
}

#[test]
fn where_a_terminal_is_registered_no_other_is_answered_from() {
    let desk = Desk::new("registered-review");
    let number = desk.waits(ASKED);
    let mut watcher = desk.person("stty rows 24 columns 80; \"$KIBOSH\" watch");
    watcher.wait_for("| demolish all");
    let mut own = registered(&desk);
    for verb in [
        format!("approve {number}"),
        format!("refuse {number}"),
        "watch".to_owned(),
    ] {
        let screen = desk.sees(&format!("\"$KIBOSH\" {verb}"));
        assert!(screen.contains("is not registered"), "{verb}: {screen}");
        assert!(screen.contains("status=1"), "{verb}: {screen}");
    }
    // Nor from one where somebody has watched since before.
    std::thread::sleep(Duration::from_millis(500));
    watcher.keys("y");
    watcher.wait_for("yes, ");
    watcher.keys("\r");
    watcher.finish();
    desk.waits(ASKED);
    own.keys(&format!("\"$KIBOSH\" approve {number}\n"));
    own.wait_for("Run it?");
    own.keys("y\r");
    own.finish();
    assert!(desk.asks(ASKED).status.success());
}

#[test]
fn the_launchers_terminal_counts_by_itself() {
    let desk = Desk::new("registered-run");
    let own = registered(&desk);
    fs::write(desk.place.path().join("site.sh"), "demolish all\n").unwrap();
    let mut agent = desk.person("\"$KIBOSH\" run -- sh site.sh");
    agent.wait_for("Run it?");
    agent.keys("y\r");
    agent.finish();
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    own.hang_up();
}

/// An agent that nothing guards and that has no terminal above it makes one, in which its shell would be asked.
#[test]
fn a_terminal_that_an_agent_makes_itself_is_not_asked_on() {
    let desk = Desk::new("registered-agent");
    let agent = |line: &str| {
        let script = format!("script -qec \"bash -c '{line}; exit \\$?'\" /dev/null");
        let mut command = desk.place.command("sh");
        command
            .env("KIBOSH", KIBOSH)
            .env("SHELL", "/bin/sh")
            .args(["-c", &format!("yes | head -2000 | {script}")]);
        let output = run(&mut command);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let line = format!("{KIBOSH} -c \\\"demolish all\\\"");
    // It can be told only by who has registered.
    let said = agent(&line);
    assert!(said.contains("Run it?"), "{said}");
    let own = registered(&desk);
    let said = agent(&line);
    assert!(
        !said.contains("Run it?") && said.contains("none that a person has registered"),
        "{said}"
    );
    own.hang_up();
    assert_eq!(desk.place.ran(), None);
}

#[test]
fn a_broker_that_does_not_answer_lets_no_terminal_count() {
    let desk = Desk::new("registered-stopped");
    let own = registered(&desk);
    let broker = Halted::new(desk.broker());
    let started = Instant::now();
    let screen = desk.sees("\"$KIBOSH\" -c 'demolish all'");
    assert!(
        !screen.contains("Run it?") && screen.contains("status=126"),
        "{screen}"
    );
    assert!(started.elapsed() < Duration::from_secs(20), "{screen}");
    // A start-up file waits for none.
    let started = Instant::now();
    let screen = desk.sees("\"$KIBOSH\" register --quiet; echo quiet=$?");
    assert!(screen.contains("quiet=0"), "{screen}");
    assert!(started.elapsed() < Duration::from_secs(20), "{screen}");
    broker.end();
    own.hang_up();
    assert_eq!(desk.place.ran(), None);
}

/// After kibosh was replaced, a broker of the old version may know of terminals, and not tell the new one.
#[test]
fn a_broker_of_another_version_lets_nobody_be_asked_until_a_person_registers_again() {
    let rights: &[bool] = if nix::unistd::geteuid().is_root() {
        &[true, false]
    } else {
        &[false]
    };
    for has_rights in rights.iter().copied() {
        let desk = Desk::new(&format!("registered-upgrade-{has_rights}"));
        let (old, rights) = if has_rights {
            (KIBOSH.into(), String::new())
        } else {
            desk.for_nobody()
        };
        let (old, new) = (old.display(), desk.place.path().join("newer"));
        copy_program(old.to_string(), &new);
        let new = new.display();
        let person =
            |line: &str| desk.person(&format!("exec {rights} sh -c '{line}; echo status=$?'"));
        let ask = format!("{new} -c \"demolish all\"");
        // Only a broker that knows of something stays.
        let mut first = person(&format!(
            "{old} register; echo registered=$?; read -r go; {ask}"
        ));
        first.wait_for("registered=0");
        let screen = person(&ask).finish();
        // Who asks without rights shows nobody which program it is: the old one tells what it knows.
        let why = if has_rights {
            "does not tell whether a person has registered the terminal here (the process runs another program than \
             this one, or another version of it)"
        } else {
            "none that a person has registered"
        };
        assert!(
            !screen.contains("Run it?") && screen.contains(why),
            "{screen}"
        );
        let screen = person(&format!("{new} doctor | grep -A1 \" terminals \"")).finish();
        assert!(
            screen.contains("does not tell which are registered")
                && screen.contains("`kibosh register`"),
            "{screen}"
        );
        let screen = person(&format!("{new} pending")).finish();
        assert!(screen.contains("another version"), "{screen}");
        let mut second = person(&format!("{new} register; echo registered=$?; {ask}"));
        second.wait_for("registered=0");
        second.wait_for("Run it?");
        // What the old one knew is gone with it.
        first.keys("\n");
        first.wait_for("none that a person has registered");
        first.finish();
        assert_eq!(desk.place.ran(), None);
        second.keys("y\r");
        let screen = second.finish();
        assert!(screen.contains("status=0"), "{screen}");
        assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    }
}

/// A desk whose user has set that only registered terminals count, and the words before each command of theirs.
fn strict(test: &str) -> (Desk, String) {
    let desk = Desk::new(test);
    let words = desk
        .place
        .for_user("[settings]\nterminals = \"registered\"\n");
    (
        desk,
        shlex::try_join(words.iter().map(String::as_str)).unwrap(),
    )
}

#[test]
fn a_setting_lets_only_registered_terminals_count_always() {
    let (desk, strict) = strict("registered-always");
    let ask = format!("{strict} \"$KIBOSH\" -c 'demolish all'");
    // The broker is begun by this, and knows the setting.
    let screen = desk.sees(&ask);
    assert!(
        !screen.contains("Run it?") && screen.contains("none that a person has registered"),
        "{screen}"
    );
    for verb in ["approve 1", "watch"] {
        let screen = desk.sees(&format!("{strict} \"$KIBOSH\" {verb}"));
        assert!(screen.contains("is not registered"), "{verb}: {screen}");
    }
    let screen = desk.sees(&format!("{strict} \"$KIBOSH\" doctor"));
    assert!(
        screen.contains("none is registered, and no others count"),
        "{screen}"
    );
    // What kibosh itself would do is asked about no other way.
    let project = desk.place.path().join(".kibosh.toml");
    let before = fs::read_to_string(&project).unwrap();
    let looser = "[[exception]]\nrule = \"git.push-force\"\nreason = \"a copy\"\n";
    fs::write(&project, format!("{before}\n{looser}")).unwrap();
    let screen = desk.sees(&format!("{strict} \"$KIBOSH\" policy trust"));
    assert!(
        !screen.contains("Run it?") && screen.contains("none that a person has registered"),
        "{screen}"
    );
    fs::write(&project, before).unwrap();
    let mut own = desk.person(&format!("{strict} \"$KIBOSH\" register; {ask}"));
    own.wait_for("Run it?");
    own.keys("y\r");
    own.finish();
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
    fs::write(desk.place.path().join("site.sh"), "demolish all two\n").unwrap();
    let mut agent = desk.person(&format!("{strict} \"$KIBOSH\" run -- sh site.sh"));
    agent.wait_for("Run it?");
    agent.keys("y\r");
    agent.finish();
    assert_eq!(desk.place.ran().as_deref(), Some("all\nall two\n"));
}

/// A start-up file has no time: what it costs is a process that is not waited for, not even by who reads what is said.
#[test]
fn registering_quietly_holds_nothing_of_the_shell_open() {
    let desk = Desk::new("register-quiet");
    desk.waits(ASKED);
    let broker = Halted::new(desk.broker());
    // `cat` ends when nobody has its other end open.
    let register = "\"$KIBOSH\" register";
    let mut terminal = desk.person(&format!(
        "{register} --quiet 2>&1 | cat; echo quiet; read -r go"
    ));
    terminal.wait_for("quiet");
    // Each other registration waits for a broker that stands still, and says so.
    let screen = desk.sees(&format!("{register} 2>&1 | cat"));
    assert!(screen.contains("no terminal was registered"), "{screen}");
    assert!(
        terminal.seen().ends_with("quiet\r\n"),
        "{}",
        terminal.seen()
    );
    drop(broker);
    terminal.keys("\n");
    terminal.finish();
}
