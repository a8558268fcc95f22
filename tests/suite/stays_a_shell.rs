//! Under the exec gate a shell stays the shell that it is: it ends when it ended before, waits for what it
//! waited for, gets the signals that it got, and nobody who deals with it meets the supervisor.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::patience::Patience;
use crate::support::place::Place;
use crate::support::probe::{
    assert_ran, line, place, processes_in, run, said, supervisor_of, supervisors_in, told, wait_for,
};
use crate::support::pty::Terminal;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// Runs a line with bash and with kibosh, and says that they are the same; gives what both said.
fn same(place: &Place, script: &str) -> String {
    let with = line(place, script);
    let plain = run(place.command("bash").args(["-c", script]));
    let own = told(&with).replace(KIBOSH, "bash");
    assert_eq!(
        (with.status, said(&with), own),
        (plain.status, said(&plain), told(&plain)),
        "{script}"
    );
    said(&with)
}

fn exists(place: &Place, name: &str) -> bool {
    place.path().join(name).exists()
}

/// Starts a line in a session of its own; its process leads it.
fn begun(place: &Place, script: &str) -> std::process::Child {
    place
        .command(KIBOSH)
        .args(["-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn gone_soon(session: u32) {
    let mut patience = Patience::new(Duration::from_secs(2));
    while !supervisors_in(session).is_empty() {
        assert!(patience.turn().is_some(), "the supervisor is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn lines_of_every_kind_end_as_in_bash() {
    let place = place("lines");
    for script in [
        "true",
        "exit 7",
        "false | true; echo ${PIPESTATUS[@]}",
        "kill -TERM $$; sleep 1",
        "kill -KILL $$",
        "kill -INT $$; echo after",
        "kill 0; echo after",
        "{ sh -c 'kill -SEGV $$'; } 2>/dev/null; echo $?",
        "trap 'echo term' TERM; kill -TERM $$; echo $?",
        "trap 'echo chld' CHLD; /bin/true; echo end",
        "set -m; sleep 0.1 & wait; jobs; echo ok",
        "sleep 0.1 & wait -n; echo $?; wait -n; echo $?",
        "/bin/false & wait $!; echo $?",
        "coproc cat; echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}; echo $x",
        "for i in 1 2 3; do echo $i; done | /bin/cat | /usr/bin/tail -n 1",
        "exec /bin/echo replaced",
        "exec -a other sh -c 'echo $0'",
        "(exec /bin/false); echo $?",
        "exec 7>&1; echo seven >&7",
        "cat <(echo one) <(echo two)",
        "ulimit -n; ulimit -c; umask",
        "echo $PPID | grep -c .; echo $SHLVL",
        "cd /; pwd; cd - >/dev/null",
        "sleep 5 & kill %1; wait %1; echo $?",
        "mkfifo f; echo through >f & cat f; rm -f f; wait",
        "exec perl -e '1 while wait() != -1; print qq(done\\n)'",
        "exec perl -e 'exec \"/bin/echo\", \"again\"'",
        "exec dash -c '/bin/true & wait; echo $?'",
        "exec perl -e 'print join(q( ), map { -e \"/proc/self/fd/$_\" ? $_ : () } 0..20), qq(\\n)'",
        "exec perl -e 'my $n = () = glob(\"/proc/self/task/$$/children\"); open F, \"/proc/self/task/$$/children\"; print <F>, qq(none\\n)'",
        "pgrep -P $$; echo $?",
        "exec timeout 0.2 sleep 5",
        "timeout 0.2 sleep 5; echo $?",
        "grep SigBlk /proc/self/status; grep SigIgn /proc/self/status; grep Groups /proc/self/status",
        "echo $(ps -o stat= --ppid $$ | grep -c Z)",
    ] {
        same(&place, script);
    }
    same(
        &place,
        "mkdir gone; cd gone; rmdir ../gone; /bin/echo here; pwd -P; echo $?",
    );
}

/// strace, supervisors of services and others wait for children of every kind (`__WALL`).
#[test]
fn who_waits_for_every_kind_of_child_ends() {
    let place = place("every");
    let script = "exec perl -e '1 while waitpid(-1, 0x40000000) != -1; print qq(done\\n)'";
    assert_eq!(same(&place, script), "done\n");
    let script = "exec perl -e '1 while waitpid(-1, 0x80000000) != -1; print qq(done\\n)'";
    assert_eq!(same(&place, script), "done\n");
    let output = line(&place, "exec strace -o /dev/null -f sleep 0");
    assert!(
        told(&output).contains("another process traces"),
        "{output:?}"
    );
}

#[test]
fn a_daemon_outlives_its_shell_stays_guarded_and_keeps_nothing_open() {
    let place = place("daemon");
    let start = Instant::now();
    let child = begun(
        &place,
        "nohup bash -c 'until [ -e go ]; do sleep 0.02; done; \"./bin/demo\"* all; echo $? >status; renovate later' \
         >/dev/null 2>&1 & echo started",
    );
    let session = child.id();
    // To its end: nobody but the shell holds the pipes.
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(
        (said(&output), output.status.code()),
        ("started\n".into(), Some(0))
    );
    assert_eq!(supervisors_in(session).len(), 1);
    assert!(!exists(&place, "status"));
    fs::write(place.path().join("go"), "").unwrap();
    wait_for("mark of the daemon", || place.ran_by_now());
    let status = fs::read_to_string(place.path().join("status")).unwrap();
    assert_eq!(status, "126\n");
    assert_ran(&place, &output, "renovate later\n", "later");
    gone_soon(session);
}

#[test]
fn the_supervisor_goes_soon_after_the_last_process_and_holds_nothing_of_it() {
    let place = place("soon");
    let fifo = place.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // A lock that the line holds for as long as it lives, and a pipe that it writes to.
    let child = begun(
        &place,
        "exec 8>lock 9>fifo; flock 8; echo line >&9; /bin/true; until [ -e go ]; do sleep 0.02; done",
    );
    let session = child.id();
    let mut reader = fs::File::open(&fifo).unwrap();
    let supervisor = supervisor_of(session);
    let folder = place.path().display().to_string();
    // It lets go of them before it does anything else.
    wait_for("supervisor that holds nothing", || {
        let held: Vec<String> = fs::read_dir(format!("/proc/{supervisor}/fd"))
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .map(|link| link.display().to_string())
            .collect();
        let is_of_the_line = |name: &String| name.starts_with(&folder) || name.starts_with("pipe:");
        (!held.iter().any(is_of_the_line)).then_some(())
    });
    let cwd = fs::read_link(format!("/proc/{supervisor}/cwd")).unwrap();
    assert_eq!(cwd, std::path::Path::new("/"));
    fs::write(place.path().join("go"), "").unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "line\n");
    let output = child.wait_with_output().unwrap();
    let free = run(place.command("flock").args(["-n", "lock", "true"]));
    assert!(free.status.success(), "{output:?} {free:?}");
    gone_soon(session);
}

#[test]
fn signals_to_the_process_alone_and_to_its_group_end_the_command() {
    let place = place("signals");
    for (signal, group) in [
        (Signal::SIGTERM, false),
        (Signal::SIGKILL, false),
        (Signal::SIGINT, false),
        (Signal::SIGHUP, false),
        (Signal::SIGTERM, true),
        (Signal::SIGKILL, true),
        (Signal::SIGINT, true),
    ] {
        let child = begun(&place, "exec 2>/dev/null; sleep 100");
        let session = child.id();
        supervisor_of(session);
        wait_for("command", || {
            let all = processes_in(session);
            all.iter()
                .any(|(_, name, ..)| name == "sleep")
                .then_some(())
        });
        let target = if group {
            -session.cast_signed()
        } else {
            session.cast_signed()
        };
        kill(Pid::from_raw(target), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let own = output.status.signal();
        assert_eq!(own, Some(signal as i32), "{signal} {group}: {output:?}");
        gone_soon(session);
    }
}

/// Programs with a time limit for a command start it so, and end it by its group.
#[test]
fn a_command_with_a_time_limit_ends_with_it() {
    let place = place("timeout");
    for words in [&["0.3"][..], &["-s", "KILL", "0.3"]] {
        let start = Instant::now();
        let outcome = |program: &str| {
            let output = run(place.command("timeout").args(words).args([
                program,
                "-c",
                "sleep 10; echo late",
            ]));
            (output.status.code(), output.status.signal(), said(&output))
        };
        assert_eq!(outcome(KIBOSH), outcome("bash"), "{words:?}");
        assert!(start.elapsed() < Duration::from_secs(8), "{words:?}");
    }
}

#[test]
fn a_terminals_keys_reach_the_jobs_and_not_the_supervisor() {
    let place = place("keys");
    let mut terminal = Terminal::run(&format!(
        "cd {} && trap : INT; \"$KIBOSH\" -c 'sleep 100; echo unreached'; echo \"status $?\"; trap - INT; \
         PS1='> ' exec \"$KIBOSH\" --norc -i",
        place.path().display()
    ));
    std::thread::sleep(Duration::from_millis(500));
    terminal.keys("\x03");
    terminal.wait_for("status 130");
    terminal.wait_for("> ");
    terminal.keys("sleep 200\n");
    terminal.wait_for("sleep 200");
    std::thread::sleep(Duration::from_millis(500));
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    terminal.wait_for("> ");
    terminal.keys("jobs\n");
    terminal.wait_for("[1]+  Stopped");
    terminal.keys("bg\n");
    terminal.wait_for("[1]+ sleep 200 &");
    terminal.keys("jobs\n");
    terminal.wait_for("Running");
    terminal.keys("fg\n");
    terminal.wait_for("sleep 200");
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("\x03");
    terminal.wait_for("> ");
    terminal.keys("bin/renovate ok; echo \"ran $?\"\n");
    terminal.wait_for("ran 0");
    terminal.keys("exit 3\n");
    terminal.finish();
    assert_eq!(place.ran().as_deref(), Some("renovate ok\n"));
}

#[test]
fn a_line_that_is_unplugged_from_its_terminal_ends_with_its_supervisor() {
    let place = place("unplugged");
    let mut terminal = Terminal::run(&format!(
        "cd {} && echo $$ >leader && exec \"$KIBOSH\" -c 'echo ready; sleep 100; echo late'",
        place.path().display()
    ));
    terminal.wait_for("ready");
    let leader = fs::read_to_string(place.path().join("leader")).unwrap();
    let session: u32 = leader.trim().parse().unwrap();
    supervisor_of(session);
    terminal.hang_up();
    gone_soon(session);
}

#[test]
fn many_children_and_many_levels_are_served() {
    let place = place("many");
    let script = "for i in $(seq 2000); do (exec /bin/true) & done; wait; echo all";
    assert_eq!(said(&line(&place, script)), "all\n");
    let deep = "i=${1:-0}; if [ $i -lt 300 ]; then bash \"$0\" $((i+1)); exit $?; fi; ps -e | grep -c . >count; \"./bin/demo\"* all; echo \"deep $?\"";
    fs::write(place.path().join("deep.sh"), deep).unwrap();
    let output = line(&place, "bash deep.sh");
    assert_eq!(said(&output), "deep 126\n", "{output:?}");
    assert_eq!(place.ran(), None);
}

#[test]
fn a_program_has_the_processors_that_it_would_have() {
    let place = place("processors");
    let may = "grep -h Cpus_allowed_list /proc/self/status";
    let all = same(&place, may);
    // Busy processors take turns, so that whoever was let go too late would be met.
    let many = format!(
        "yes >/dev/null & one=$!; yes >/dev/null & two=$!; n=100; while ((n--)); do {may}; done | sort -u; kill $one $two"
    );
    assert_eq!(same(&place, &many), all);
    // What cannot be started leaves its caller as it was: the shell, and a thread among several.
    fs::write(
        place.path().join("no-program"),
        [0x7f, b'E', b'L', b'F', 0, 0],
    )
    .unwrap();
    fs::write(
        place.path().join("threads.py"),
        "import os, threading\n\
         def fails():\n\
         \x20   try:\n\
         \x20       os.execv('./no-program', ['no-program'])\n\
         \x20   except OSError as error:\n\
         \x20       print(error.errno, len(os.sched_getaffinity(0)))\n\
         thread = threading.Thread(target=fails)\n\
         thread.start()\n\
         thread.join()\n\
         print(len(os.sched_getaffinity(0)))\n",
    )
    .unwrap();
    let failed = "chmod 755 no-program; exec 2>/dev/null; ./no-program; python3 threads.py; shopt -s execfail; \
                  exec ./no-program; while read -r name list; do [[ $name = Cpus_allowed_list: ]] && echo $list; \
                  done </proc/self/status";
    let left = same(&place, failed);
    assert_eq!(left.lines().count(), 3, "{left}");
    assert!(
        all.ends_with(&format!("\t{}\n", left.lines().last().unwrap())),
        "{left}"
    );
    // Nor does the supervisor stay on one for longer than an exec takes: with all that it starts it runs anywhere.
    let mut child = begun(&place, "for n in 1 2 3; do /bin/true; done; exec sleep 60");
    let supervisor = supervisor_of(child.id());
    wait_for("supervisor that may run anywhere", || {
        let status = fs::read_to_string(format!("/proc/{supervisor}/status")).ok()?;
        status.contains(&all).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // Whoever wants one only keeps it, wherever that was said: outside, or in the line.
    let first = all
        .trim()
        .rsplit('\t')
        .next()
        .unwrap()
        .split([',', '-'])
        .next()
        .unwrap();
    let one = same(
        &place,
        &format!("taskset -c {first} {may}; taskset -c {first} bash -c '{may}; /bin/true; {may}'"),
    );
    assert_eq!(one, format!("Cpus_allowed_list:\t{first}\n").repeat(3));
    let mut outside = place.command("taskset");
    outside.args(["-c", first, KIBOSH, "-c", &format!("{may}; {may}")]);
    assert_eq!(
        said(&run(&mut outside)),
        format!("Cpus_allowed_list:\t{first}\n").repeat(2)
    );
}

#[test]
fn a_kibosh_inside_another_has_no_supervisor_of_its_own() {
    let place = place("nested");
    let child = begun(
        &place,
        &format!(
            "{KIBOSH} -c '{KIBOSH} -c \"echo inside; until [ -e go ]; do sleep 0.02; done; exit 5\"; exit $?'; exit $?"
        ),
    );
    let session = child.id();
    wait_for("shells", || {
        let all = processes_in(session);
        all.iter()
            .any(|(_, name, ..)| name == "sleep")
            .then_some(())
    });
    assert_eq!(supervisors_in(session).len(), 1);
    fs::write(place.path().join("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (said(&output), output.status.code()),
        ("inside\n".into(), Some(5))
    );
    gone_soon(session);
}

/// Runs kibosh as whatever `prepare` makes of the shell that starts it.
fn prepared(place: &Place, prepare: &str, script: &str) -> Output {
    let whole = format!("{prepare}\nexec \"$0\" -c \"$1\"");
    run(place.command("bash").args(["-c", &whole, KIBOSH, script]))
}

#[test]
fn an_odd_inheritance_is_none_of_its_business() {
    let place = place("odd");
    for prepare in [
        "exec 0<&-",
        "exec 0<&- 2>&-",
        "trap '' CHLD",
        "trap '' PIPE HUP INT TERM QUIT",
        "exec 3</dev/null 4</dev/null 100</dev/null 255</dev/null",
        "ulimit -n 20",
        "ulimit -c 0 -s 1024",
        "umask 077",
        "nice -n 5 true; renice -n 5 $$ >/dev/null",
        "mkdir -p away; cd away; rmdir ../away",
    ] {
        let output = prepared(
            &place,
            prepare,
            "$DEMOLISH/bin/renovate ok; echo done"
                .replace("$DEMOLISH", place.path().to_str().unwrap())
                .as_str(),
        );
        assert_eq!(said(&output), "done\n", "{prepare}: {output:?}");
        assert_ran(&place, &output, "renovate ok\n", prepare);
    }
    // With nowhere to write there is nothing to be said, and still nothing is let through.
    for prepare in ["exec 0<&- 1<&- 2<&-", "exec 1>&- 2>&-", "exec 2>/dev/full"] {
        prepared(&place, prepare, "\"./bin/demo\"* all");
        assert_eq!(place.ran(), None, "{prepare}");
        let output = prepared(&place, prepare, "renovate ok");
        assert_ran(&place, &output, "renovate ok\n", prepare);
    }
}

#[test]
fn a_full_pipe_holds_nobody_up_for_long() {
    let place = place("full");
    let mut child = place
        .command(KIBOSH)
        .args([
            "-c",
            "head -c 65536 /dev/zero >&2; \"./bin/demo\"* all; echo \"status $?\"; renovate ok",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads the words; the shell's own would wait for ever, as they would without kibosh.
    let ran = wait_for("refusal", || {
        let all = processes_in(child.id());
        all.iter()
            .all(|(_, name, ..)| name != "head")
            .then_some(place.ran())
    });
    assert_eq!(ran, None);
    let mut error = child.stderr.take().unwrap();
    std::thread::spawn(move || std::io::copy(&mut error, &mut std::io::sink()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output), "status 126\n");
    assert_ran(&place, &output, "renovate ok\n", "after");
}

#[test]
fn a_stopped_line_holds_up_no_other_exec_of_the_tree() {
    let place = place("stopped");
    let child = begun(
        &place,
        "sleep 100 & kill -STOP $!; renovate ok; kill -STOP $$; renovate more; kill -KILL %1",
    );
    let session = child.id();
    wait_for("first mark", || place.ran_by_now());
    wait_for("stop", || {
        let all = processes_in(session);
        all.iter()
            .any(|(process, _, state, _)| *process == session.cast_signed() && *state == 'T')
            .then_some(())
    });
    kill(Pid::from_raw(session.cast_signed()), Signal::SIGCONT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_ran(&place, &output, "renovate ok\nrenovate more\n", "after");
    gone_soon(session);
}

#[test]
fn who_may_have_few_processes_is_told_and_nothing_runs_unjudged() {
    use crate::support::probe::{kibosh_for_all, without_rights};
    let place = place("few");
    let kibosh = kibosh_for_all(&place);
    for limit in ["1", "2", "3"] {
        // Of a user with no other processes.
        let mut words = without_rights();
        if words.is_empty() {
            continue;
        }
        words[2] = "64999";
        let script = format!("ulimit -u {limit}; exec \"$0\" -c \"$1\"");
        words.extend([
            "bash",
            "-c",
            &script,
            kibosh.to_str().unwrap(),
            "(\"./bin/demo\"* all); echo end",
        ]);
        let output = run(Command::new(words[0])
            .args(&words[1..])
            .current_dir(place.path()));
        assert_eq!(place.ran(), None, "{limit}: {output:?}");
    }
}

/// A program that starts many commands one after another, each a process that it waits for, has no more
/// processes afterwards than before.
#[test]
fn nothing_is_left_behind_of_many_lines() {
    let place = place("left");
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9 10; do {KIBOSH} -c 'renovate ok; exit 0'; done; \
         for i in $(seq 100); do [ $(ps -o stat=,comm= -s $$ | grep -c kibosh) = 0 ] && break; sleep 0.05; done; \
         ps -o stat=,comm= -s $$ | grep kibosh; echo end"
    );
    let output = run(place.command("bash").args(["-c", &script]));
    assert_eq!(said(&output), "end\n", "{output:?}");
    let ran = place.ran().unwrap();
    assert_eq!(ran.lines().count(), 10);
}

#[test]
fn what_is_written_to_standard_input_later_is_the_commands() {
    let place = place("input");
    let mut child = place
        .command(KIBOSH)
        .args(["-c", "/bin/cat; read -r x; echo \"[$x]\""])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    input.write_all(b"two\n").unwrap();
    drop(input);
    assert_eq!(said(&child.wait_with_output().unwrap()), "one\ntwo\n[]\n");
}

#[test]
fn the_process_keeps_its_number_its_name_and_its_parent() {
    let place = place("number");
    let output = Command::new(KIBOSH)
        .arg0("bash")
        .args(["-c", "echo $$ $PPID $0; sh -c 'echo $PPID'; true"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (id, own) = (output.id(), std::process::id());
    let output = output.wait_with_output().unwrap();
    assert_eq!(said(&output), format!("{id} {own} bash\n{id}\n"));
    // Whoever opens its error output without waiting gets it as it was.
    let error = place.path().join("error");
    let file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&error)
        .unwrap();
    place
        .command(KIBOSH)
        .args(["-c", "echo one >&2; \"./bin/demo\"* all; echo two >&2"])
        .stderr(file)
        .status()
        .unwrap();
    let words = fs::read_to_string(&error).unwrap();
    let at = |text: &str| {
        words
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {words}"))
    };
    assert!(at("one\n") < at("kibosh: not started") && at("kibosh: not started") < at("two\n"));
}

/// Also a program that was started before may fail to start: its caller goes on, traced by nobody, where it may.
#[test]
fn a_program_that_was_started_before_may_fail_to_start() {
    let place = place("fails");
    fs::write(
        place.path().join("fails.py"),
        "import os, signal, subprocess, time\n\
         def tells():\n\
         \x20   status = dict(line.split(':\\t', 1) for line in open('/proc/self/status'))\n\
         \x20   print(status['TracerPid'].strip(), status['Cpus_allowed_list'].strip(), flush=True)\n\
         for _ in range(3):\n\
         \x20   subprocess.run(['/bin/true'])\n\
         signal.signal(signal.SIGUSR1, lambda *_: print('told'))\n\
         for _ in range(3):\n\
         \x20   try:\n\
         \x20       os.execv('/bin/true', ['true', 'x' * 200000])\n\
         \x20   except OSError as error:\n\
         \x20       print(error.errno)\n\
         \x20   os.kill(os.getpid(), signal.SIGUSR1)\n\
         time.sleep(0.5)\n\
         tells()\n\
         if os.fork() == 0:\n\
         \x20   tells()\n\
         \x20   os._exit(0)\n\
         os.wait()\n\
         os.execv('/bin/echo', ['echo', 'done'])\n",
    )
    .unwrap();
    let left = same(&place, "python3 fails.py; /bin/true; echo $?");
    assert_eq!(left.matches("7\ntold\n").count(), 3, "{left}");
    assert!(left.ends_with("done\n0\n"), "{left}");
}

/// The supervisor keeps a task on its processor until it stands: afterwards, and where the exec fails, it has all that it had.
#[test]
fn programs_run_on_the_processors_that_they_may_run_on() {
    let place = place("processors");
    let allowed =
        "while read -r key rest; do case $key in Cpus_allowed_list:) echo \"$rest\";; esac; done";
    place.program("text", &format!("{allowed} </proc/$$/status\n"));
    // A program, its child, a text that the kernel does not execute, a program that is not there; alone and side by side.
    let text = format!(
        "grep Cpus_allowed_list /proc/self/status; grep Cpus_allowed_list /proc/self/status; \
         sh -c 'grep Cpus_allowed_list /proc/self/status; :'; text; text; ./absent 2>/dev/null; \
         for i in 1 2 3 4 5 6; do grep Cpus_allowed_list /proc/self/status & done; wait; \
         taskset -c 0 grep Cpus_allowed_list /proc/self/status; {allowed} </proc/$$/status"
    );
    let said = same(&place, &text);
    assert_eq!(said.lines().count(), 13, "{said}");
}
