//! Attacks on the approvals from another terminal: each fails, and a person can still answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::desk::{ASKED, Desk, KIBOSH, number as number_of};
use crate::support::halted::Halted;
use crate::support::probe::{copy_program, run, told, wait_for};

/// A copy of the program under a name that no rule knows.
fn copy(desk: &Desk) {
    copy_program(KIBOSH, desk.place.path().join("look"));
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
    let guarded = "below a guarded session";
    for shell in ["/bin/bash", "/bin/dash"] {
        // What `script` starts the line by: one becomes its last program, the other stays above it.
        let typed = format!("SHELL={shell} script -qec './look approve {number}' /dev/null");
        for line in [
            format!("yes | head -300 | ./look approve {number}"),
            format!("yes | head -300 | {typed}"),
            format!("setsid --wait ./look approve {number} </dev/null"),
            format!("yes | head -300 | setsid --wait env {typed}"),
            format!(
                "(setsid -f sh -c \"yes | head -300 | {typed}\" >out 2>&1 &); n=300; while ! grep -q '{guarded}' out && [ $((n -= 1)) -gt 0 ]; do sleep 0.1; done; cat out; rm out"
            ),
            "./look pending".to_owned(),
            "./look grants".to_owned(),
            "./look refuse 1".to_owned(),
            "./look watch".to_owned(),
        ] {
            let output = desk.asks(&line);
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                told(&output)
            );
            assert!(said.contains(guarded), "{line}: {output:?}");
            assert!(!said.contains("Run it?"), "{line}: {said}");
            desk.waits(ASKED);
        }
    }
    // Nor at a terminal of a person's, where the agent is.
    for verb in ["approve 1", "refuse 1", "grants"] {
        let screen = desk.sees(&format!("\"$KIBOSH\" -c './look {verb}'"));
        assert!(screen.contains("below a guarded session"), "{screen}");
        assert!(!screen.contains("Run it?"), "{screen}");
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
        said.matches(r#"{"stranger":"guarded"}"#).count(),
        5,
        "{output:?}"
    );
    // Nor to another program, guarded or not.
    let screen = desk.sees("python3 speak.py");
    let other = r#"{"stranger":"program"}"#;
    assert_eq!(screen.matches(other).count(), 5, "{screen}");
    desk.approve(number, "");
}

/// The kernel tells of a process by its first thread, which can end before the others.
#[test]
fn a_process_without_its_first_thread_is_guarded_still() {
    let desk = Desk::new("thread");
    let number = desk.waits(ASKED);
    fs::write(
        desk.place.path().join("speak.py"),
        format!(
            "import ctypes, os, platform, socket, threading, time\n\
             def speak():\n\
             \x20   while '\\nState:\\tZ' not in open(f'/proc/{{os.getpid()}}/status').read():\n\
             \x20       time.sleep(0.01)\n\
             \x20   s = socket.socket(socket.AF_UNIX)\n\
             \x20   s.connect({:?})\n\
             \x20   print(s.makefile().readline(), flush=True)\n\
             \x20   os._exit(0)\n\
             threading.Thread(target=speak).start()\n\
             ctypes.CDLL(None).syscall({{'x86_64': 60, 'aarch64': 93}}[platform.machine()], 0)\n",
            desk.socket()
        ),
    )
    .unwrap();
    let output = desk.asks("python3 speak.py");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(r#"{"stranger":"guarded"}"#), "{output:?}");
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
    let broker = Halted::new(desk.broker());
    let started = Instant::now();
    let output = desk.asks(ASKED);
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(told(&output).contains("it did not answer"), "{output:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    broker.end();
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
    assert!(told(&output).contains("it did not answer"), "{output:?}");
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
        .env("KIBOSH", KIBOSH)
        .args(["-c", flood]));
    let told = told(&output);
    assert_eq!(told.matches("`kibosh approve ").count(), 64, "{told}");
    assert_eq!(told.matches("more requests wait").count(), 16, "{told}");
    let number = desk.waits(ASKED);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
}

/// Connects as often as there is room, says nonsense on some of the connections, and becomes kibosh, which the broker
/// speaks with; that keeps them open.
const CONNECTS: &str = "import os, socket, sys
kept = []
while len(kept) < 300:
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect(sys.argv[1])
    except BlockingIOError:
        break
    if len(kept) % 4 == 0:
        s.sendall(b'nonsense\\n')
    s.set_inheritable(True)
    kept.append(s)
open('connected', 'w').write(str(len(kept)))
os.execv(sys.argv[2], ['kibosh', '--broker'])
";

#[test]
fn who_only_connects_and_says_nothing_or_nonsense_holds_nobody_up() {
    let (desk, other) = (Desk::new("stall"), Desk::new("stall-other"));
    desk.waits(ASKED);
    let id = desk.broker();
    // Who connects must be kibosh by the time that the broker looks.
    let broker = Halted::new(id);
    let mut silent = desk
        .place
        .command("python3")
        .args(["-c", CONNECTS])
        .arg(desk.socket())
        .arg(KIBOSH)
        .env("XDG_RUNTIME_DIR", other.runtime())
        .spawn()
        .unwrap();
    wait_for("kibosh", || {
        let name = fs::read_to_string(format!("/proc/{}/comm", silent.id())).ok()?;
        (name == "kibosh\n").then_some(())
    });
    let connected = fs::read_to_string(desk.place.path().join("connected")).unwrap();
    let connected: usize = connected.parse().unwrap();
    assert!(connected > 64, "only {connected} connections");
    drop(broker);
    // The nonsense is left, and the silence is listened to.
    let name = format!("/broker.{id}");
    let is_kept = |line: &&str| line.ends_with(&name) && line.split(' ').nth(5) == Some("03");
    let silence = connected - connected.div_ceil(4);
    wait_for("silent connections", || {
        let sockets = fs::read_to_string("/proc/net/unix").ok()?;
        (sockets.lines().filter(is_kept).count() == silence).then_some(())
    });
    let started = Instant::now();
    let number = desk.waits(ASKED);
    assert!(started.elapsed() < Duration::from_secs(5));
    silent.kill().unwrap();
    silent.wait().unwrap();
    desk.approve(number, "");
}

#[test]
fn a_reviewer_stands_at_a_terminal_of_a_person_and_is_not_traced() {
    let desk = Desk::new("reviewer");
    let number = desk.waits(ASKED);
    let approve = format!("\"$KIBOSH\" approve {number}");
    for line in [
        format!("setsid --wait {approve} </dev/null"),
        format!("yes | head -300 | setsid --wait {approve}"),
        format!("yes | head -300 | script -qec '{approve}' /dev/null"),
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
    let mut person = desk.person(&format!("yes | head -300 | {approve}"));
    person.wait_for("Run it?");
    std::thread::sleep(Duration::from_secs(1));
    person.keys("\r");
    assert!(person.finish().contains("status=1"));
    desk.waits(ASKED);
    assert_eq!(desk.place.ran(), None);
    desk.approve(number, "");
}

/// In tmux every process of the user can press the keys of a reviewer, and read what they are asked.
#[test]
fn a_reviewer_in_a_multiplexer_is_told_to_use_another_terminal() {
    let desk = Desk::new("tmux");
    let number = desk.waits(ASKED);
    fs::write(
        desk.place.path().join("pane.sh"),
        format!("\"$KIBOSH\" approve {number} 2>said; \"$KIBOSH\" watch 2>>said; read -r key; echo \"read $key, over\" >>said; sleep 60\n"),
    )
    .unwrap();
    let screen = desk.sees(
        "unset TMUX; tmux -S ./tmux -f /dev/null new-session -d 'sh pane.sh'\n\
         for n in 1 2 3 4 5 6 7 8; do sleep 0.25; tmux -S ./tmux send-keys y Enter; done\n\
         tries=100; while ! grep -q over said && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done\n\
         cat said; tmux -S ./tmux kill-server",
    );
    assert_eq!(screen.matches("inside tmux").count(), 2, "{screen}");
    // The keys do reach whoever reads them.
    assert!(screen.contains("read y, over"), "{screen}");
    desk.waits(ASKED);
    desk.approve(number, "");
    assert!(desk.asks(ASKED).status.success());
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
    // It waits for somebody there, and there is nobody.
    number_of(&output);
    assert!(other.sees("\"$KIBOSH\" pending").contains(ASKED));
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

/// Who may not be looked into shows no program, and kibosh's own reviewers are such: what remains of who is not
/// guarded (docs/threat-model.md).
#[test]
fn a_known_gap_who_is_not_guarded_and_shows_no_program_is_taken_for_a_reviewer() {
    let desk = Desk::new("gap");
    let (program, rights) = desk.for_nobody();
    let agent = |line: &str| {
        let words = format!("exec {rights} {} -c \"$LINE\"", program.display());
        let mut command = desk.place.command("sh");
        run(command.env("LINE", line).args(["-c", &words]))
    };
    number_of(&agent(ASKED));
    fs::write(
        desk.place.path().join("speak.pl"),
        format!(
            "use IO::Socket::UNIX; $SIG{{PIPE}} = qq(IGNORE);\n\
             syscall({}, {}, 0, 0, 0, 0) if $ARGV[0] eq 'unseen';\n\
             my $s = IO::Socket::UNIX->new(Peer => '{}') or die 'no way in';\n\
             print $s qq(\"list\"\\n); print scalar <$s>;\n",
            libc::SYS_prctl,
            libc::PR_SET_DUMPABLE,
            desk.socket().display()
        ),
    )
    .unwrap();
    let outside = |how: &str| desk.sees(&format!("{rights} perl speak.pl {how}"));
    let screen = outside("seen");
    assert!(screen.contains(r#"{"stranger":"program"}"#), "{screen}");
    let screen = outside("unseen");
    assert!(screen.contains(ASKED), "{screen}");
    for how in ["seen", "unseen"] {
        let output = agent(&format!("perl speak.pl {how}"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(r#"{"stranger":"guarded"}"#), "{output:?}");
    }
}
