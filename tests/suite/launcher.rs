//! `kibosh run`: to the person's shell it looks as if the agent had been started without kibosh.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kibosh::sys::signals::send;

use crate::support::left::Mark;
use crate::support::place::Place;
use crate::support::probe::copy_program;
use crate::support::pty::Terminal;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// What a person's shell does: runs `line` and says its status; compares the terminal's modes before and
/// after, when whoever restores them had time.
fn script(place: &Place, mark: &Mark, line: &str) -> String {
    format!(
        "cd '{}' || exit\n\
         export {}\n\
         stty -g >before; tty >outer\n\
         {line}\n\
         status=$?\n\
         sleep 0.3\n\
         stty -g >after\n\
         cmp before after && echo 'modes kept'\n\
         echo status=$status.",
        place.path().display(),
        mark.assignment()
    )
}

/// A line that runs `agent`, a script, with the numbers of all three processes in files.
///
/// The script is bash's: dash starts programs by vfork(2), and hangs where Ctrl-Z comes in the middle.
fn agent(agent: &str) -> String {
    format!(
        "\"$KIBOSH\" run bash -c '\
         echo $$ >agent; echo $PPID >inside; cut -d\" \" -f4 /proc/$PPID/stat >launcher\n\
         {agent}'"
    )
}

/// A test's folder, mark and terminal, on which `line` runs.
fn start(test: &str, line: &str) -> (Place, Mark, Terminal) {
    let (place, mark) = (Place::bare(test), Mark::new(test));
    let terminal = Terminal::run(&script(&place, &mark, line));
    (place, mark, terminal)
}

/// An interactive bash as a person has it, with jobs.
fn interactive(test: &str) -> (Place, Mark, Terminal) {
    let (place, mark) = (Place::bare(test), Mark::new(test));
    let mut terminal = Terminal::led_by(&["bash", "--norc", "--noprofile", "-i"]);
    terminal.keys(&format!(
        "PS1='rea''dy> '; stty -echo; cd '{}'; export {}; stty -g >before\r",
        place.path().display(),
        mark.assignment()
    ));
    // Written otherwise than it is shown, for what is typed may be shown too.
    terminal.wait_for("ready> ");
    (place, mark, terminal)
}

/// The number that a file of the place holds.
fn number(place: &Place, file: &str) -> i32 {
    let path = place.path().join(file);
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        match text.strip_suffix('\n').map(str::parse) {
            Some(number) => return number.unwrap(),
            None => assert!(Instant::now() < end, "{file} is not written"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The fields of `/proc/PID/stat` from the state on.
fn stat(process: i32) -> Vec<String> {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .unwrap()
        .rsplit(") ")
        .next()
        .unwrap()
        .split(' ')
        .map(str::to_owned)
        .collect()
}

/// Waits for a process to be in a state of proc_pid_stat(5).
fn wait_for_state(process: i32, state: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    while stat(process)[0] != state {
        assert!(Instant::now() < end, "{process}: {:?}", stat(process));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_status_is_the_programs() {
    for (words, code, signal, says) in [
        (&["true"][..], Some(0), None, ""),
        (&["--", "sh", "-c", "exit 7"], Some(7), None, ""),
        (&["sh", "-c", "exit 255"], Some(255), None, ""),
        (&["sh", "-c", "kill -TERM $$"], None, Some(15), ""),
        (&["sh", "-c", "kill -KILL $$"], None, Some(9), ""),
        (&["sh", "-c", "kill -QUIT $$"], None, Some(3), ""),
        (&["sh", "-c", "kill -PIPE $$"], None, Some(13), ""),
        (&["bash", "-c", "kill -40 $$"], None, Some(40), ""),
        (
            &["no-such-program"],
            Some(127),
            None,
            "kibosh: `no-such-program`: no such program\n",
        ),
        (
            &["/nowhere/x"],
            Some(127),
            None,
            "kibosh: `/nowhere/x`: no such program\n",
        ),
        (
            &["/etc/passwd"],
            Some(126),
            None,
            "kibosh: `/etc/passwd` cannot be started: no access (os error 13)\n",
        ),
    ] {
        let output = Command::new(KIBOSH)
            .arg("run")
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), output.status.signal()),
            (code, signal),
            "{words:?}"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), says, "{words:?}");
    }
}

#[test]
fn the_status_is_the_programs_on_a_terminal_too() {
    for (test, line, status) in [
        ("exit", "\"$KIBOSH\" run sh -c 'exit 7'", 7),
        ("term", "\"$KIBOSH\" run sh -c 'kill -TERM $$'", 143),
        ("real", "\"$KIBOSH\" run bash -c 'kill -40 $$'", 168),
        ("none", "\"$KIBOSH\" run no-such-program", 127),
        ("file", "\"$KIBOSH\" run /etc/passwd", 126),
    ] {
        let (_place, mark, terminal) = start(&format!("run-{test}"), line);
        let screen = terminal.finish();
        assert!(screen.contains(&format!("status={status}.")), "{screen}");
        assert!(screen.contains("modes kept"), "{screen}");
        mark.assert_none_left();
    }
}

#[test]
fn words_behind_the_program_are_its_own() {
    let output = Command::new(KIBOSH)
        .args(["run", "printf", "%s|", "--help", "--", "-x", "", "a b"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "--help|--|-x||a b|"
    );
    let output = Command::new(KIBOSH)
        .args(["run", "--no-such-option", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn without_a_terminal_streams_are_handed_on_byte_for_byte() {
    let bytes: Vec<u8> = (0..1_000_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut child = Command::new(KIBOSH)
        .args(["run", "sh", "-c", "tee /dev/stderr"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || input.write_all(&sent).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.stdout == bytes && output.stderr == bytes);
}

#[test]
fn the_agent_inherits_what_kibosh_was_started_with() {
    let facts = "grep -E '^(SigIgn|SigBlk)' /proc/self/status; ls -l /proc/self/fd | \
                 sed -n 's/.* \\([0-9]*\\) ->.*/\\1/p'; ulimit -n; umask; pwd";
    let run = |prefix: &str| {
        let output = Command::new("bash")
            .args([
                "-c",
                &format!("trap '' USR1 CHLD INT; {prefix} sh -c \"$0\" 7</dev/null"),
            ])
            .arg(facts)
            .env("KIBOSH", KIBOSH)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run("\"$KIBOSH\" run"), run(""));
    assert!(run("").contains("\n7\n"));
}

#[test]
fn kibosh_is_the_agents_shell() {
    let shell = |kibosh: &std::path::Path| {
        let output = Command::new(kibosh)
            .args(["run", "sh", "-c", "echo $SHELL"])
            .env("SHELL", "/bin/zsh")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shell(KIBOSH.as_ref()), format!("{KIBOSH}\n"));
    let place = Place::bare("run-shell");
    let folder = place.path().canonicalize().unwrap();
    let (binary, lib) = (folder.join("bin/kibosh"), folder.join("lib/kibosh"));
    fs::create_dir(folder.join("bin")).unwrap();
    fs::create_dir_all(&lib).unwrap();
    copy_program(KIBOSH, &binary);
    std::os::unix::fs::symlink("../../bin/kibosh", lib.join("bash")).unwrap();
    assert_eq!(
        shell(&binary),
        format!("{}\n", folder.join("bin/../lib/kibosh/bash").display()).replace("bin/../", "")
    );
}

#[test]
fn the_agent_has_a_terminal_of_its_own_and_is_in_front_on_it() {
    let (place, mark, terminal) = start(
        "run-facts",
        &agent(
            "tty >inner; cp /proc/$$/stat stat; test -t 0 && test -t 1 && test -t 2 && echo all",
        ),
    );
    let screen = terminal.finish();
    assert!(screen.contains("all\r\n"), "{screen}");
    let read = |file: &str| fs::read_to_string(place.path().join(file)).unwrap();
    assert_ne!(read("inner"), read("outer"));
    let text = read("stat");
    let stat: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
    let [_, parent, group, session, _, front, ..] = stat[..] else {
        panic!("{stat:?}")
    };
    let own = read("agent");
    assert_eq!((group, front), (own.trim(), own.trim()));
    assert_eq!(session, parent);
    assert_eq!(parent, read("inside").trim());
    mark.assert_none_left();
}

#[test]
fn a_stream_that_is_no_terminal_stays_what_it_is() {
    let (place, mark, terminal) = start(
        "run-pipe",
        "echo in | \"$KIBOSH\" run sh -c 'test -t 0 || test -t 1 || { cat; ls -l /proc/self/fd/1; \
         tty <&2 >&2; }' | cat >out",
    );
    let screen = terminal.finish();
    let out = fs::read_to_string(place.path().join("out")).unwrap();
    let outer = fs::read_to_string(place.path().join("outer")).unwrap();
    assert!(out.starts_with("in\n") && out.contains("pipe:"), "{out}");
    assert!(screen.contains("/dev/pts/"), "{screen}");
    assert!(!screen.contains(outer.trim()), "{screen}");
    mark.assert_none_left();
}

#[test]
fn the_window_is_the_persons_at_the_start_and_after_a_change() {
    let (place, mark, mut terminal) = start(
        "run-window",
        &format!(
            "stty rows 30 cols 70; {}",
            agent(
                "trap \"stty size\" WINCH; stty size; echo go; until test -e end; do sleep 0.05; done"
            )
        ),
    );
    terminal.wait_for("go\r\n");
    terminal.resize(33, 101);
    terminal.wait_for("33 101\r\n");
    // bash loses a change that comes while it still handles the one before.
    std::thread::sleep(Duration::from_millis(500));
    terminal.resize(12, 40);
    terminal.wait_for("12 40\r\n");
    fs::write(place.path().join("end"), "").unwrap();
    let screen = terminal.finish();
    assert!(screen.contains("30 70\r\ngo"), "{screen}");
    mark.assert_none_left();
}

#[test]
fn keys_arrive_byte_for_byte() {
    let mut sent: Vec<u8> = (0..=255).collect();
    // Bracketed paste, mouse reports, keys of the kitty protocol.
    sent.extend(b"\x1b[200~pasted\r\n\x1b[201~\x1b[<0;10;20M\x1b[M \xff\xfe\x1b[97;5u\x1b[13;2u");
    let (place, mark, mut terminal) = start(
        "run-keys",
        &agent(&format!(
            "stty raw -echo; echo ready; head -c {} >keys; stty sane",
            sent.len()
        )),
    );
    terminal.wait_for("ready");
    terminal.press(&sent);
    let screen = terminal.finish();
    assert!(screen.contains("modes kept"), "{screen}");
    assert_eq!(fs::read(place.path().join("keys")).unwrap(), sent);
    mark.assert_none_left();
}

#[test]
fn output_arrives_byte_for_byte_in_order_and_complete() {
    let bytes: Vec<u8> = (0..=255).collect();
    let (place, mark) = (Place::bare("run-output"), Mark::new("run-output"));
    fs::write(place.path().join("bytes"), &bytes).unwrap();
    let line = agent("stty -opost; printf BEGIN; cat bytes; seq 1 170000; printf END");
    let mut terminal = Terminal::run(&script(&place, &mark, &line));
    terminal.wait_for("END");
    let mut expected = bytes;
    for number in 1..=170_000 {
        writeln!(expected, "{number}").unwrap();
    }
    assert!(expected.len() > 1 << 20);
    let all = terminal.bytes();
    let begin = all.windows(5).position(|part| part == b"BEGIN").unwrap() + 5;
    assert!(all[begin..].starts_with(&expected));
    terminal.finish();
    mark.assert_none_left();
}

#[test]
fn ctrl_c_reaches_the_agent_only() {
    let (_place, mark, mut terminal) = start(
        "run-interrupt",
        &format!(
            "trap 'echo outer' INT; {}",
            agent("trap \"echo inner; exit 3\" INT; echo ready; while :; do sleep 0.1; done")
        ),
    );
    terminal.wait_for("ready");
    terminal.keys("\x03");
    let screen = terminal.finish();
    assert!(
        screen.contains("inner\r\n") && screen.contains("status=3."),
        "{screen}"
    );
    assert!(!screen.contains("outer"), "{screen}");
    mark.assert_none_left();
}

#[test]
fn a_stopped_agent_is_a_stopped_job_and_comes_back() {
    let (place, mark, mut terminal) = interactive("run-stop");
    // Compared while a program runs that lets the modes be, as bash changes them for its own line.
    let look = |terminal: &mut Terminal, place: &Place| {
        terminal.keys("stty -g >now; cmp before now && echo 'modes kept'\r");
        terminal.wait_for("modes kept");
        assert!(place.path().join("now").exists());
    };
    terminal.keys(&agent("echo first; sleep 0.2; read -r a; echo second $a; kill -STOP $$; read -r b; echo third $b; exit 5"));
    terminal.keys("\r");
    terminal.wait_for("first\r\n");
    let raw = terminal.modes();
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    terminal.wait_for("ready> ");
    look(&mut terminal, &place);
    wait_for_state(number(&place, "agent"), "T");
    terminal.keys("fg\r");
    wait_for_state(number(&place, "agent"), "S");
    std::thread::sleep(Duration::from_millis(300));
    assert!(terminal.modes() == raw);
    terminal.keys("one\r");
    terminal.wait_for("second one\r\n");
    terminal.wait_for("Stopped");
    terminal.wait_for("ready> ");
    look(&mut terminal, &place);
    terminal.keys("fg\r");
    wait_for_state(number(&place, "agent"), "S");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("two\r");
    terminal.wait_for("third two\r\n");
    terminal.wait_for("ready> ");
    terminal.keys("echo status=$?.\r");
    terminal.wait_for("status=5.");
    look(&mut terminal, &place);
    terminal.keys("exit\r");
    terminal.finish();
    mark.assert_none_left();
}

#[test]
fn a_stopped_agent_goes_on_in_the_background_without_the_terminal() {
    let (place, mark, mut terminal) = interactive("run-behind");
    terminal.keys(&agent(
        "echo first; until test -e go; do sleep 0.1; done; echo o\"\"ver; read -r a; echo got $a",
    ));
    terminal.keys("\r");
    terminal.wait_for("first\r\n");
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    terminal.keys("bg; >go\r");
    terminal.wait_for("over\r");
    // It reads then, which stops it.
    wait_for_state(number(&place, "launcher"), "T");
    terminal.keys("stty -g | cmp before - && echo 'modes kept'\r");
    terminal.wait_for("modes kept");
    terminal.keys("fg\r");
    wait_for_state(number(&place, "agent"), "S");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("it\r");
    terminal.wait_for("got it");
    terminal.wait_for("ready> ");
    terminal.keys("exit\r");
    terminal.finish();
    mark.assert_none_left();
}

#[test]
fn a_background_job_leaves_the_terminal_alone() {
    let (_place, mark, mut terminal) = interactive("run-background");
    terminal.keys("\"$KIBOSH\" run sh -c 'sleep 1; echo over' & \"$KIBOSH\" run cat &\r");
    terminal.wait_for("ready> ");
    let modes = terminal.modes();
    terminal.wait_for("over");
    assert!(terminal.modes() == modes);
    terminal.keys("stty -g | cmp before - && echo 'modes kept'\r");
    terminal.wait_for("modes kept");
    terminal.keys("jobs\r");
    terminal.wait_for("Stopped");
    terminal.keys("fg\r");
    std::thread::sleep(Duration::from_millis(500));
    terminal.keys("typed\r");
    terminal.wait_for("typed\r\n");
    terminal.keys("\x04");
    terminal.wait_for("ready> ");
    terminal.keys("exit\r");
    terminal.finish();
    mark.assert_none_left();
}

#[test]
fn modes_are_restored_whoever_is_killed() {
    for (whom, status, says) in [
        ("agent", 137, ""),
        ("launcher", 137, ""),
        ("inside", 125, "the process that looked after it is gone"),
    ] {
        let (place, mark, mut terminal) = start(
            &format!("run-kill-{whom}"),
            &agent("echo ready; exec sleep 1000"),
        );
        terminal.wait_for("ready");
        send(number(&place, whom), libc::SIGKILL).unwrap();
        terminal.wait_for("status=");
        let screen = terminal.finish();
        assert!(screen.contains("modes kept"), "{whom}: {screen}");
        assert!(screen.contains(&format!("status={status}.")), "{screen}");
        assert!(screen.contains(says), "{screen}");
        mark.assert_none_left();
    }
}

#[test]
fn without_a_terminal_the_agent_ends_with_kibosh() {
    for whom in ["launcher", "inside"] {
        let (place, mark) = (
            Place::bare("run-alone"),
            Mark::new(&format!("alone-{whom}")),
        );
        let line = agent("exec sleep 1000");
        let mut child = Command::new("sh")
            .args(["-c", &format!("export {}; {line}", mark.assignment())])
            .env("KIBOSH", KIBOSH)
            .current_dir(place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = number(&place, whom);
        send(process, libc::SIGKILL).unwrap();
        child.wait().unwrap();
        mark.assert_none_left();
    }
}

#[test]
fn an_agent_whose_terminal_goes_away_is_told_so() {
    let (place, mark, mut terminal) = start(
        "run-hangup",
        &agent("trap \"echo hup >told; exit\" HUP; echo ready; while :; do sleep 0.1; done"),
    );
    terminal.wait_for("ready");
    terminal.hang_up();
    mark.assert_none_left();
    assert_eq!(
        fs::read_to_string(place.path().join("told")).unwrap(),
        "hup\n"
    );
}

#[test]
fn signals_to_kibosh_alone_are_the_agents() {
    let traps = "for s in TERM HUP INT QUIT USR1 USR2 ALRM; do trap \"echo $s >>got\" $s; done\n\
                 echo ready; until test -e end; do sleep 0.05; done";
    let all = [
        (libc::SIGTERM, "TERM"),
        (libc::SIGHUP, "HUP"),
        (libc::SIGINT, "INT"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGUSR1, "USR1"),
        (libc::SIGUSR2, "USR2"),
        (libc::SIGALRM, "ALRM"),
    ];
    let check = |place: &Place| {
        let launcher = number(place, "launcher");
        let mut expected = String::new();
        std::thread::sleep(Duration::from_millis(200));
        for (signal, name) in all {
            send(launcher, signal).unwrap();
            expected.push_str(name);
            expected.push('\n');
            std::thread::sleep(Duration::from_millis(200));
        }
        let got = fs::read_to_string(place.path().join("got")).unwrap();
        fs::write(place.path().join("end"), "").unwrap();
        assert_eq!(got, expected);
    };
    let (place, mark, mut terminal) = start("run-signals", &agent(traps));
    terminal.wait_for("ready");
    check(&place);
    terminal.finish();
    mark.assert_none_left();

    let place = Place::bare("run-signals-alone");
    let mut child = Command::new("sh")
        .args(["-c", &agent(traps)])
        .env("KIBOSH", KIBOSH)
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    check(&place);
    child.wait().unwrap();
}

#[test]
fn a_signal_to_the_whole_group_reaches_the_agent_once() {
    let place = Place::bare("run-group");
    let line = agent("trap \"echo int >>got\" INT; >up; until test -e end; do sleep 0.05; done");
    let mut child = Command::new("setsid")
        .args(["--wait", "sh", "-c", &line])
        .env("KIBOSH", KIBOSH)
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let launcher = number(&place, "launcher");
    let group: i32 = stat(launcher)[2].parse().unwrap();
    while !place.path().join("up").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    send(-group, libc::SIGINT).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    fs::write(place.path().join("end"), "").unwrap();
    child.wait().unwrap();
    assert_eq!(
        fs::read_to_string(place.path().join("got")).unwrap(),
        "int\n"
    );
}

#[test]
fn what_the_agent_leaves_behind_is_not_waited_for() {
    let started = Instant::now();
    let (place, mark, terminal) = start("run-left", &agent("sleep 4 & echo $! >left; echo over"));
    let screen = terminal.finish();
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!(
        screen.contains("over\r\n") && screen.contains("status=0."),
        "{screen}"
    );
    assert_eq!(stat(number(&place, "left"))[0], "S");
    mark.assert_none_left();
}
