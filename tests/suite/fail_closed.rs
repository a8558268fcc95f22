//! What goes wrong around the exec gate stops execs, and never lets one through that nobody has judged: a
//! supervisor that is killed, limits that it runs into, a tree that aims at it, a kernel or a container that
//! refuses what it needs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::place::Place;
use crate::support::probe::{
    assert_ran, assert_refused, copy_for_all, copy_program, guarded, hide, kibosh_for_all, line,
    place, probe, run, said, start, supervisor_of, supervisors_in, told, wait_for, without_rights,
};
use crate::support::pty::Terminal;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

fn end(process: i32) {
    kill(Pid::from_raw(process), Signal::SIGKILL).unwrap();
}

fn exists(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok()
}

/// Counts the processes of this very program in its session: supervisors.
const BESIDE: &str = "session=$(cut -d' ' -f6 /proc/$$/stat); n=0; for p in /proc/[0-9]*; do \
     [ \"$(cat $p/comm 2>/dev/null)\" = kibosh ] && [ \"$(cut -d' ' -f3,6 $p/stat)\" != \"Z $session\" ] && \
     [ \"$(cut -d' ' -f6 $p/stat)\" = $session ] && [ ${p#/proc/} != $$ ] && [ $(cut -d' ' -f5 $p/stat) = ${p#/proc/} ] && \
     n=$((n+1)); done; echo \"[$n]\"";

/// Starts a line and gives it with its supervisor.
fn begun(place: &Place, line: &str) -> (std::process::Child, i32) {
    let child = place
        .command(KIBOSH)
        .args(["-c", line])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // `setsid` becomes the program, since it leads no group.
    let supervisor = supervisor_of(child.id());
    (child, supervisor)
}

#[test]
fn without_its_supervisor_a_tree_starts_nothing_more() {
    let place = place("idle");
    let (child, supervisor) = begun(
        &place,
        "renovate ok; : >ready; until [ -e go ]; do :; done; renovate more; echo \"status $?\"; \
         \"./bin/demo\"* all; echo \"status $?\"; (: >builtin)",
    );
    wait_for("mark of the line", || {
        exists(&place.path().join("ready")).then_some(())
    });
    end(supervisor);
    fs::write(place.path().join("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output), "status 126\nstatus 126\n", "{output:?}");
    assert!(
        told(&output).contains("Function not implemented"),
        "{output:?}"
    );
    assert!(exists(&place.path().join("builtin")));
    assert_ran(&place, &output, "renovate ok\n", "before");
}

/// While many execs are under way the supervisor is killed: each of them has been judged, or fails.
#[test]
fn an_exec_that_is_under_way_when_the_supervisor_dies_is_not_let_through() {
    for round in 0..5 {
        let place = place(&format!("pending-{round}"));
        let (child, supervisor) = begun(
            &place,
            "for i in 1 2 3 4; do (while :; do renovate ok || exit; done) & \
             (while :; do \"./bin/demo\"* all; [ $? = 126 ] || exit; [ -e over ] && exit; done) & done; : >ready; wait",
        );
        wait_for("mark of the line", || {
            exists(&place.path().join("ran")).then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(30 + 17 * round));
        end(supervisor);
        fs::write(place.path().join("over"), "").unwrap();
        let output = child.wait_with_output().unwrap();
        let ran = place.ran().unwrap();
        assert!(!ran.contains("demolish"), "{output:?}");
        assert!(ran.lines().all(|line| line == "renovate ok"), "{ran}");
    }
}

#[test]
fn when_the_supervisor_dies_while_a_person_is_asked_nothing_starts_and_the_terminal_is_as_before() {
    let place = place("asked");
    let mut terminal = Terminal::run(&format!(
        "cd {} && before=$(stty -g); echo $$ >shell; \"$KIBOSH\" -c '\"./bin/demo\"* all; echo \"status $?\"'; \
         for i in $(seq 50); do [ \"$before\" = \"$(stty -g)\" ] && echo the same && break; sleep 0.2; done; echo end",
        place.path().display()
    ));
    terminal.wait_for("Run it?");
    let shell = fs::read_to_string(place.path().join("shell")).unwrap();
    end(supervisor_of(shell.trim().parse().unwrap()));
    terminal.wait_for("status 126");
    terminal.wait_for("the same");
    terminal.wait_for("end");
    assert_eq!(place.ran(), None);
}

#[test]
fn limits_stop_execs_and_never_let_one_through_unjudged() {
    let place = place("limits");
    let demolish = "\"./bin/demo\"* all";
    // A control: without limits one runs and the other does not.
    assert_ran(
        &place,
        &line(&place, "renovate ok"),
        "renovate ok\n",
        "without",
    );
    for limit in [
        "-n 4", "-n 5", "-n 6", "-n 7", "-n 8", "-n 10", "-v 3000", "-v 6000", "-v 9000",
        "-v 12000", "-v 20000", "-v 60000", "-s 64", "-l 0", "-d 0", "-f 0", "-i 0", "-t 1",
    ] {
        for script in [
            demolish,
            "for i in 1 2 3 4 5 6; do (\"./bin/demo\"* all) & done; wait",
        ] {
            let inner = format!("ulimit {limit} && exec \"$0\" -c \"$1\"");
            let output = run(place.command("bash").args(["-c", &inner, KIBOSH, script]));
            assert_eq!(place.ran(), None, "{limit}: {output:?}");
        }
    }
    // What a supervisor can do with few descriptors, it does.
    for limit in ["-n 10", "-v 60000"] {
        let inner = format!("ulimit {limit} && exec \"$0\" -c \"$1\"");
        let output = run(place
            .command("bash")
            .args(["-c", &inner, KIBOSH, "renovate ok"]));
        assert_ran(&place, &output, "renovate ok\n", limit);
    }
}

/// Every way that is known to do something to a process of the same user, and the error that it must give.
const WAYS: &[(&str, &str)] = &[
    ("nothing", "EPERM"),
    ("signal", "EPERM"),
    ("hold", "EPERM"),
    ("group", "EPERM"),
    ("all", "EPERM"),
    ("wide", "EPERM"),
    ("tkill", "EPERM"),
    ("tgkill", "EPERM"),
    ("queue", "EPERM"),
    ("queue-thread", "EPERM"),
    ("pidfd", "EPERM"),
    ("pidfd-thread", "EPERM"),
    ("attach", "EPERM"),
    ("seize", "EPERM"),
    ("read", "EPERM"),
    ("write", "EPERM"),
    #[cfg(target_arch = "x86_64")]
    ("signal-32", "EPERM"),
    #[cfg(target_arch = "x86_64")]
    ("tgkill-32", "EPERM"),
    #[cfg(target_arch = "x86_64")]
    ("attach-32", "EPERM"),
    #[cfg(target_arch = "x86_64")]
    ("pidfd-32", "EPERM"),
    #[cfg(target_arch = "x86_64")]
    ("signal-x32", "ENOSYS"),
    ("wait", "ECHILD"),
    ("listener", "EBUSY"),
    ("keys", "EPERM"),
    ("keys-wide", "EPERM"),
    ("console", "EPERM"),
];

/// What `/proc` shows of a supervisor to others of its user.
const LOOKS: &[(&str, &str)] = &[
    ("mem", "EACCES"),
    ("mem-read", "EACCES"),
    ("maps", "EACCES"),
    ("environ", "EACCES"),
    ("fd", "EACCES"),
];

/// Runs `harm` in each way under kibosh, as whoever starts it; gives what came of it.
fn harmed(place: &Place, ways: &[(&str, &str)], whose: &str) -> Vec<(String, String)> {
    let (kibosh, harm) = (kibosh_for_all(place), copy_for_all(place, &probe("harm")));
    let names: Vec<&str> = ways.iter().map(|(way, _)| *way).collect();
    // Of the supervisor, or of a process that is none.
    let script = format!(
        "sleep 100 & other=$!; until [ -s told ]; do :; done; read -r first <told; for way in {}; do \
         echo \"$way $({} $way ${whose})\"; done; command kill $other; bin/renovate ok",
        names.join(" "),
        harm.display(),
    );
    let mut words = vec!["setsid", "--wait"];
    words.extend(without_rights());
    words.extend([kibosh.to_str().unwrap(), "-c", &script]);
    let child = Command::new(words[0])
        .args(&words[1..])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let supervisor = supervisor_of(child.id());
    fs::write(place.path().join("told"), format!("{supervisor}\n")).unwrap();
    let output = child.wait_with_output().unwrap();
    fs::remove_file(place.path().join("told")).unwrap();
    assert_ran(place, &output, "renovate ok\n", &told(&output));
    let lines: Vec<(String, String)> = said(&output)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(way, error)| (way.to_owned(), error.to_owned()))
        .collect();
    assert_eq!(lines.len(), ways.len(), "{output:?}");
    lines
}

#[test]
fn a_guarded_tree_cannot_harm_its_supervisor() {
    let place = place("harm");
    let all: Vec<(&str, &str)> = WAYS.iter().chain(LOOKS).copied().collect();
    let expected: Vec<(String, String)> = all
        .iter()
        .map(|(way, error)| ((*way).to_owned(), (*error).to_owned()))
        .collect();
    assert_eq!(harmed(&place, &all, "first"), expected);
}

/// The control: what fails for the supervisor can be done.
#[test]
fn the_same_can_be_done_to_another_process_of_the_tree() {
    let place = place("harm-none");
    let ways = [
        "nothing",
        "hold",
        "pidfd",
        "pidfd-thread",
        "seize",
        "mem",
        "maps",
        "environ",
        "fd",
        "queue",
        "tkill",
    ];
    let ways = ways.map(|way| (way, "done"));
    let expected = ways.map(|(way, error)| (way.to_owned(), error.to_owned()));
    assert_eq!(harmed(&place, &ways, "other"), expected);
}

/// pidfd_send_signal(2) takes a folder below `/proc`, too, which no filter can tell: whoever kills the
/// supervisor so has nothing that starts afterwards.
#[test]
fn who_kills_the_supervisor_by_its_folder_starts_nothing_more() {
    let place = place("folder");
    let (child, supervisor) = begun(
        &place,
        &format!(
            "renovate ok; until [ -s told ]; do :; done; read -r first <told; echo \"$({} folder-end $first)\"; \
             until [ -e gone ]; do :; done; \"./bin/demo\"* all; echo \"status $?\"; renovate more; echo \"status $?\"",
            probe("harm").display()
        ),
    );
    fs::write(place.path().join("told"), format!("{supervisor}\n")).unwrap();
    wait_for("end of the supervisor", || {
        supervisors_in(child.id()).is_empty().then_some(())
    });
    fs::write(place.path().join("gone"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        said(&output),
        "done\nstatus 126\nstatus 126\n",
        "{output:?}"
    );
    assert_ran(&place, &output, "renovate ok\n", "before");
}

/// Until the shell starts a program its supervisor does nothing, and what both had together is still there.
#[test]
fn nobody_may_look_into_the_supervisor_of_a_shell_that_has_started_nothing_yet() {
    let place = place("early");
    let kibosh = kibosh_for_all(&place);
    let mut words = vec!["setsid", "--wait"];
    words.extend(without_rights());
    words.extend([
        kibosh.to_str().unwrap(),
        "-c",
        "read -r own _ _ _ _ session _ </proc/self/stat; for one in /proc/[0-9]*; do \
           read -r number _ _ _ _ other _ <$one/stat || continue; \
           [[ $other == $session && $number != $own ]] || continue; \
           [[ -O $one/mem ]] && echo open || echo closed; done 2>/dev/null",
    ]);
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert_eq!(said(&output), "closed\n", "{output:?}");
}

#[test]
fn a_caller_that_lets_nobody_look_at_it_is_refused_with_words() {
    let place = place("hidden");
    let (kibosh, start) = (
        kibosh_for_all(&place),
        copy_for_all(&place, &probe("start")),
    );
    let run = |form: &str| {
        hide(&place, &[form, "bin/renovate", "renovate", "ok"]);
        let mut words = without_rights();
        words.extend([
            kibosh.to_str().unwrap(),
            "-c",
            "\"$0\" words; exit $?",
            start.to_str().unwrap(),
        ]);
        run(Command::new(words[0])
            .args(&words[1..])
            .current_dir(place.path()))
    };
    assert_ran(&place, &run("execve"), "renovate ok\n", "execve");
    let output = run("undumpable");
    assert_refused(&place, &output, "undumpable");
    assert!(
        told(&output).contains("what would run cannot be examined"),
        "{output:?}"
    );
    assert_eq!(said(&output), "ECANCELED\n");
}

#[test]
fn an_exec_that_another_process_traces_is_refused_with_words_that_help() {
    let place = place("traced");
    let output = start(&place, &["traced", "bin/renovate", "renovate", "ok"]);
    assert_refused(&place, &output, "traced");
    assert!(
        told(&output).contains("another process traces"),
        "{output:?}"
    );
    for script in [
        "strace -f bin/renovate ok",
        "gdb -batch -ex run --args bin/renovate ok",
    ] {
        let output = line(&place, script);
        assert_eq!(place.ran(), None, "{script}: {output:?}");
        let both = said(&output) + &told(&output);
        assert!(
            both.contains("attach to it afterwards"),
            "{script}: {output:?}"
        );
        let plain = run(place.command("bash").args(["-c", script]));
        assert_ran(&place, &plain, "renovate ok\n", script);
    }
    // What the words advise works.
    let output = line(
        &place,
        "sleep 30 & pid=$!; until [ \"$(cat /proc/$pid/comm)\" = sleep ]; do :; done; \
         timeout 1 strace -o trace -p $pid; gdb -batch -p $pid -ex 'print 6*7' 2>&1 | grep -c '= 42'; \
         command kill $pid",
    );
    assert!(told(&output).contains("attached"), "{output:?}");
    assert_eq!(said(&output), "1\n", "{output:?}");
}

#[test]
fn rights_of_a_file_are_not_gained_and_the_programs_that_want_them_say_why() {
    let place = place("setuid");
    if !nix::unistd::geteuid().is_root() {
        // Only root can make such a file; the machine's own must do.
        assert!(
            exists(Path::new("/usr/bin/sudo")),
            "a setuid program is there"
        );
    }
    let kibosh = kibosh_for_all(&place);
    let id = place.path().join("bin/who");
    copy_program("/usr/bin/id", &id);
    fs::set_permissions(&id, fs::Permissions::from_mode(0o4755)).unwrap();
    let sudo = place.path().join("bin/sudo");
    copy_program("/usr/bin/id", &sudo);
    fs::set_permissions(&sudo, fs::Permissions::from_mode(0o4755)).unwrap();
    let run = |words: &[&str]| {
        let mut all = without_rights();
        all.extend(words);
        run(Command::new(all[0])
            .args(&all[1..])
            .current_dir(place.path()))
    };
    assert_eq!(said(&run(&["bin/who", "-u"])), "0\n");
    let kibosh = kibosh.to_str().unwrap();
    let user = said(&run(&["id", "-u"]));
    assert_eq!(said(&run(&[kibosh, "-c", "bin/who -u"])), user);
    let output = run(&[kibosh, "-c", "\"./bin/su\"*do -u"]);
    assert_refused(&place, &output, "sudo");
    assert!(
        told(&output).contains("`sudo` cannot gain rights here"),
        "{output:?}"
    );
    // Root has nothing to gain.
    let output = line(&place, "\"./bin/su\"*do -u");
    assert_eq!(said(&output), "0\n", "{output:?}");
}

/// A home with a policy of the user whose home it is; the environment does not say which that is, so that
/// the home of the machine's own user is stood in for where that can be.
struct Home {
    script: String,
}

impl Home {
    fn new(place: &Place, settings: &str) -> Self {
        let folder = place.path().join("home/.config/kibosh");
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("settings.toml"),
            format!("[settings]\n{settings}\n"),
        )
        .unwrap();
        for part in ["home", "home/.config", "home/.config/kibosh"] {
            fs::set_permissions(place.path().join(part), fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let real = nix::unistd::User::from_uid(nix::unistd::getuid())
            .unwrap()
            .unwrap()
            .dir;
        Self {
            script: format!(
                "mount --bind {}/home/.config {}/.config && exec \"$@\"",
                place.path().display(),
                real.display()
            ),
        }
    }

    /// Runs kibosh with a line in that home.
    fn run(&self, place: &Place, before: &[&str], line: &str) -> Output {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid())
            .unwrap()
            .unwrap();
        fs::create_dir_all(user.dir.join(".config")).unwrap();
        let mut unshare = place.command("unshare");
        if nix::unistd::geteuid().is_root() {
            unshare.arg("-m");
        } else {
            unshare.args(["-m", "--map-root-user"]);
        }
        run(unshare
            .args(["bash", "-c", &self.script, "x"])
            .args(before)
            .args([KIBOSH, "-c", line]))
    }
}

#[test]
fn a_policy_that_requires_the_gate_runs_nothing_without_it() {
    let place = place("required");
    let home = Home::new(&place, "exec-gate = \"required\"");
    let without = probe("without");
    let without = without.to_str().unwrap();
    assert_ran(
        &place,
        &home.run(&place, &[], "renovate ok"),
        "renovate ok\n",
        "with the gate",
    );
    for refused in [
        "seccomp=ENOSYS",
        "flags=EINVAL",
        "listener=EBUSY",
        "ptrace=EPERM",
        "process_vm_readv=ENOSYS",
    ] {
        let output = home.run(&place, &[without, refused], "renovate ok");
        assert_eq!(
            (output.status.code(), place.ran()),
            (Some(125), None),
            "{refused}: {output:?}"
        );
        assert!(
            told(&output).contains("the policy requires the exec gate"),
            "{refused}: {output:?}"
        );
    }
}

#[test]
fn a_policy_that_switches_the_gate_off_has_the_line_gate_ask_about_all() {
    let place = place("off");
    let home = Home::new(&place, "exec-gate = \"off\"");
    assert_ran(
        &place,
        &home.run(&place, &[], "renovate ok"),
        "renovate ok\n",
        "off",
    );
    let output = home.run(&place, &[], "eval \"$(cat words)\"");
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(told(&output).contains("opaque.code"), "{output:?}");
    // Nobody stands beside it.
    let output = home.run(&place, &[], BESIDE);
    assert_eq!(said(&output), "[0]\n", "{output:?}");
}

#[test]
fn programs_may_gain_rights_where_the_policy_says_so_and_the_gate_is_there_for_root_only() {
    let place = place("gain");
    let home = Home::new(&place, "new-privileges = true");
    let line = "grep NoNewPrivs /proc/self/status; \"./bin/demo\"* all";
    if nix::unistd::geteuid().is_root() {
        let output = home.run(&place, &[], line);
        assert_refused(&place, &output, "root");
        assert_eq!(said(&output), "NoNewPrivs:\t0\n", "{output:?}");
    }
    // Who has no rights gives up nothing, and has the line gate alone.
    let output = home.run(
        &place,
        &["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"],
        line,
    );
    assert!(
        output.status.code() == Some(126) && place.ran().is_none(),
        "{output:?}"
    );
}

/// What a container or an old kernel refuses, and whether the gate is still there without it.
const REFUSED: &[(&str, bool)] = &[
    ("seccomp=ENOSYS", false),
    ("seccomp=EPERM", false),
    ("seccomp=EACCES", false),
    ("flags=EINVAL", false),
    ("listener=EBUSY", false),
    ("listener=EPERM", false),
    ("listener=EACCES", false),
    ("process_vm_readv=EPERM", false),
    ("process_vm_readv=ENOSYS", false),
    ("ptrace=EPERM", false),
    ("ptrace=ENOSYS", false),
    ("pidfd_open=EPERM", true),
    ("pidfd_open=ENOSYS", true),
    ("pidfd_getfd=EPERM", true),
    ("pidfd_getfd=ENOSYS", true),
    ("close_range=ENOSYS", true),
    ("pidfd_open=ENOSYS,close_range=ENOSYS", true),
    ("seccomp=ENOSYS,ptrace=EPERM,process_vm_readv=EPERM", false),
];

#[test]
fn where_the_gate_cannot_be_the_line_is_judged_without_it() {
    let place = place("missing");
    let without = probe("without");
    let with = |refused: &str, line: &str| {
        run(place
            .command(without.to_str().unwrap())
            .args([refused, KIBOSH, "-c", line]))
    };
    fs::write(place.path().join("opaque"), "renovate opaque\n").unwrap();
    for (refused, gate) in REFUSED {
        let output = with(refused, "renovate ok");
        assert_ran(&place, &output, "renovate ok\n", refused);
        assert_eq!(told(&output), "", "{refused}");
        let opaque = with(refused, "eval \"$(cat opaque)\"");
        let hidden = with(refused, "\"./bin/demo\"* all");
        if *gate {
            assert_ran(&place, &opaque, "renovate opaque\n", refused);
            assert_refused(&place, &hidden, refused);
        } else {
            for output in [opaque, hidden] {
                assert_eq!(
                    (output.status.code(), place.ran()),
                    (Some(126), None),
                    "{refused}: {output:?}"
                );
                assert!(
                    told(&output).starts_with("kibosh: nothing was run: "),
                    "{refused}: {output:?}"
                );
            }
        }
        let output = with(refused, BESIDE);
        assert_eq!(said(&output) == "[0]\n", !gate, "{refused}: {output:?}");
    }
}

#[test]
fn where_the_gate_cannot_be_what_comes_in_on_a_pipe_is_judged_without_it() {
    use std::io::Write;
    let place = place("missing-pipe");
    fs::write(place.path().join("opaque"), "renovate opaque\n").unwrap();
    let given = |refused: &str| {
        let mut child = place
            .command(probe("without").to_str().unwrap())
            .args([refused, KIBOSH])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        for unit in [
            "renovate one",
            "eval \"$(cat opaque)\"",
            "\"./bin/demo\"* all",
            "renovate two",
        ] {
            writeln!(input, "{unit}").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        drop(input);
        child.wait_with_output().unwrap()
    };
    for refused in [
        "listener=EBUSY",
        "listener=EPERM",
        "seccomp=ENOSYS",
        "ptrace=EPERM",
    ] {
        let output = given(refused);
        assert_eq!(
            told(&output).matches("kibosh: nothing was run: ").count(),
            2,
            "{refused}: {output:?}"
        );
        assert_ran(&place, &output, "renovate one\nrenovate two\n", refused);
    }
    // The control: with the gate, the one runs and the other is refused when it would start.
    let output = given("close_range=ENOSYS");
    assert_eq!(
        told(&output).matches("kibosh: not started: ").count(),
        1,
        "{output:?}"
    );
    assert_ran(
        &place,
        &output,
        "renovate one\nrenovate opaque\nrenovate two\n",
        "with",
    );
}

#[test]
fn where_the_gate_cannot_be_a_shell_that_is_typed_into_is_judged_without_it() {
    let place = place("missing-typed");
    fs::write(place.path().join("opaque"), "renovate opaque\n").unwrap();
    for refused in ["listener=EBUSY", "ptrace=EPERM"] {
        let mut terminal = Terminal::run(&format!(
            "cd {} && PS1='> ' {} {refused} \"$KIBOSH\" --norc -i; echo \"end $?\"",
            place.path().display(),
            probe("without").display()
        ));
        terminal.wait_for("> ");
        terminal.keys("bin/renovate ok\n");
        terminal.wait_for("> ");
        terminal.keys("eval \"$(cat opaque)\"\n");
        terminal.wait_for("Run it?");
        terminal.keys("n\n");
        terminal.wait_for("> ");
        terminal.keys("exit 0\n");
        terminal.wait_for("end 0");
        assert_eq!(place.ran().as_deref(), Some("renovate ok\n"), "{refused}");
        fs::remove_file(place.path().join("ran")).unwrap();
    }
}

#[test]
fn a_kibosh_inside_is_under_the_same_supervisor() {
    let place = place("inside");
    let output = guarded(&place, &[KIBOSH, "-c", "\"./bin/demo\"* all"]);
    assert_refused(&place, &output, "inside");
    assert_eq!(
        told(&output).matches("kibosh: not started: ").count(),
        1,
        "{output:?}"
    );
}
