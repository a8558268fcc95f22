//! The reviewer command: what it is told, which answer counts, and what it cannot be made to do.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::support::desk::{ASKED, KIBOSH};
use crate::support::place::Place;
use crate::support::probe::{run, told, wait_for};

/// A place whose user has set a reviewer command.
struct Team {
    place: Place,
    /// The words with which what is theirs is started.
    user: Vec<String>,
}

/// How a script begins that answers: what it was told is in `request`, and its number in `$id`.
const READS: &str = "cat >request; id=$(sed 's/^{\"id\":\"\\([0-9a-f]*\\)\".*/\\1/' request)\n";
/// How it says yes.
const YES: &str = "echo '{\"id\": \"'$id'\", \"answer\": \"yes\", \"by\": \"ann\"}'\n";

/// A policy with this command, and this time.
fn policy(command: &str, seconds: u8) -> String {
    format!(
        "[settings]\nreviewer-command = [\"{command}\", \"--room\", \"a b\"]\nprompt-seconds = {seconds}\n"
    )
}

impl Team {
    fn new(test: &str) -> Self {
        let place = Place::new(&format!("external-{test}"));
        let user = place.for_user(&policy(&place.path().join("ask").display().to_string(), 20));
        Self { place, user }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn command_file(&self) -> PathBuf {
        self.at("ask")
    }

    /// Sets the user's policy: this command, and this time.
    fn set(&self, command: &str, seconds: u8) {
        self.place.for_user(&policy(command, seconds));
    }

    /// What the command does, in the folder of the place.
    fn answers(&self, script: &str) {
        let text = format!(
            "#!/bin/sh\ncd '{}' || exit\n{script}",
            self.place.path().display()
        );
        fs::write(self.command_file(), text).unwrap();
        fs::set_permissions(self.command_file(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// kibosh with a line, without a terminal, where the user's policy is in force.
    fn command(&self, line: &str) -> Command {
        self.kibosh(&["-c", line])
    }

    /// The same with other words.
    fn kibosh(&self, words: &[&str]) -> Command {
        let mut command = self.place.command(&self.user[0]);
        command
            .args(&self.user[1..])
            .arg(KIBOSH)
            .args(words)
            .env("SECRET_OF_THE_AGENT", "1");
        command
    }

    fn asks(&self, line: &str) -> Output {
        run(&mut self.command(line))
    }

    #[track_caller]
    fn is_refused(&self, words: &str) {
        let output = self.asks(ASKED);
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        assert!(told(&output).contains(words), "{words}: {output:?}");
        assert_eq!(self.place.ran(), None, "{words}: {output:?}");
    }

    /// A number that the command has left in a file.
    fn number(&self, name: &str) -> i32 {
        wait_for(name, || {
            fs::read_to_string(self.at(name)).ok()?.trim().parse().ok()
        })
    }
}

fn is_there(process: i32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

#[test]
fn what_the_command_says_yes_to_runs_once_and_the_record_tells_who_it_was() {
    let team = Team::new("yes");
    team.answers(&format!("{READS}echo >>times\n{YES}"));
    for times in 1..3 {
        let output = team.asks(ASKED);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(told(&output), "");
        assert_eq!(team.place.ran().unwrap(), "all\n".repeat(times));
        assert_eq!(fs::read_to_string(team.at("times")).unwrap().len(), times);
    }
    let record = team.place.record();
    let last = record.last().unwrap();
    assert_eq!(last["outcome"], "approved");
    assert_eq!(
        last["reviewer"],
        serde_json::json!({"by": "ann", "command": team.command_file()})
    );
    // What is started below is asked about, too.
    team.answers(&format!(
        "{READS}grep Cpus_allowed: /proc/self/status >processors\n{YES}"
    ));
    fs::write(team.at("site.sh"), "demolish all\n").unwrap();
    let output = team.asks("sh site.sh");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(team.place.ran().unwrap(), "all\n".repeat(3));
    // The supervisor keeps to one processor, which the command is not to.
    let processors = fs::read_to_string(team.at("processors")).unwrap();
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(own.contains(&processors), "{processors}");
}

#[test]
fn the_command_is_told_all_that_a_person_would_be_shown() {
    let team = Team::new("request");
    team.answers(&format!("{READS}{YES}"));
    let mut same = Vec::new();
    for line in [
        "demolish named site-7; demolish all",
        "demolish named site-7; demolish all",
        ASKED,
    ] {
        fs::write(team.at("request"), "").unwrap();
        assert!(team.asks(line).status.success());
        let text = fs::read_to_string(team.at("request")).unwrap();
        let mut request: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut take = |key: &str| request.as_object_mut().unwrap().remove(key).unwrap();
        let id = take("id").as_str().unwrap().to_owned();
        assert_eq!(id.len(), 32);
        assert_eq!(take("policy").as_str().unwrap().len(), 64);
        same.push((take("same"), id));
        if line != ASKED {
            let found = |rule: &str, subject: &str, resource: &str, acknowledge: &str| {
                serde_json::json!({
                    "rule": rule,
                    "layer": "project",
                    "reason": "demolishes what nobody can build again",
                    "instead": "renovate",
                    "subject": subject,
                    "resource": resource,
                    "acknowledge": acknowledge,
                })
            };
            assert_eq!(
                request,
                serde_json::json!({
                    "uid": nix::unistd::getuid().as_raw(),
                    "seconds": 20,
                    "text": line,
                    "source": "-c",
                    "cwd": team.place.path(),
                    "findings": [
                        found("test.name", "demolish named site-7", "site-7", "name"),
                        found("test.ask", "demolish all", "all", "key"),
                    ],
                })
            );
        }
    }
    let [first, second, other] = same.as_slice() else {
        panic!("{same:?}")
    };
    assert!(first.0 == second.0 && first.1 != second.1 && first.0 != other.0);
}

#[test]
fn a_no_and_its_reason_reach_the_agent() {
    let team = Team::new("no");
    team.answers(&format!(
        "{READS}echo '{{\"id\": \"'$id'\", \"answer\": \"no\", \"by\": \"ann\", \"why\": \"the freeze ends on Monday\"}}'\n"
    ));
    team.is_refused("a reviewer was asked and said no: the freeze ends on Monday; do not try");
    let record = team.place.record();
    let last = record.last().unwrap();
    assert_eq!(
        (&last["outcome"], &last["why"]),
        (&"refused".into(), &"reviewer".into())
    );
    assert_eq!(last["reviewer"]["by"], "ann");
    fs::write(team.at("site.sh"), "demolish all\n").unwrap();
    let output = team.asks("sh site.sh");
    assert!(
        told(&output).contains("said no: the freeze ends on Monday"),
        "{output:?}"
    );
    assert_eq!(team.place.ran(), None);
}

#[test]
fn everything_but_a_whole_answer_to_this_request_is_a_no_with_a_reason() {
    let team = Team::new("garbage");
    team.set(&team.command_file().display().to_string(), 1);
    for (script, words) in [
        ("exit 0", "answered with what is no answer"),
        ("echo yes", "answered with what is no answer"),
        (
            &format!("{READS}{YES}{YES}"),
            "answered with what is no answer",
        ),
        (&format!("{READS}{YES}exit 1"), "failed with status 1"),
        (&format!("{READS}{YES}kill -9 $$"), "failed with status 137"),
        (
            &format!("{READS}{YES}exec >&-; sleep 60"),
            "did not answer within 1 seconds",
        ),
        (
            &format!("{READS}{YES}sleep 60"),
            "did not answer within 1 seconds",
        ),
        (
            "exec <&- >&- 2>&-; sleep 60",
            "did not answer within 1 seconds",
        ),
        ("exec head -c 20000 /dev/zero", "answered more than is read"),
        ("exec cat", "answered with what is no answer"),
        (
            &format!("{READS}id=$id.; {YES}"),
            "answered another request",
        ),
        (
            &format!("{READS}kill -9 $PPID; {YES}sleep 60"),
            "was ended from outside",
        ),
    ] {
        team.answers(script);
        team.is_refused(words);
    }
    let record = team.place.record();
    assert_eq!(record.last().unwrap()["why"], "no-answer");
    // An answer that was good once.
    team.set(&team.command_file().display().to_string(), 20);
    team.answers(&format!("{READS}{YES}"));
    assert!(team.asks(ASKED).status.success());
    fs::remove_file(team.at("ran")).unwrap();
    team.answers(&format!(
        "id=$(sed 's/^{{\"id\":\"\\([0-9a-f]*\\)\".*/\\1/' request)\n{YES}"
    ));
    team.is_refused("answered another request");
}

#[test]
fn the_command_is_given_nothing_that_an_agent_could_set() {
    let team = Team::new("clean");
    team.answers(&format!(
        "{READS}env >env; (cd / && ls -l /proc/self/fd) >fds; printf '%s|' \"$@\" >words\n\
         readlink /proc/$PPID/cwd >cwd; grep -E '^(Sig(Blk|Ign)|Seccomp_filters):' /proc/self/status >status\n\
         (: </dev/tty) 2>/dev/null && echo terminal >>status; ps -o pgid= -p $$ >group; echo $$ >own\n{YES}"
    ));
    let output = {
        let command = team.command(ASKED);
        // Variables, ignored signals and an open file.
        let mut outer = team.place.command("sh");
        outer.args([
            "-c",
            "umask 0; trap '' TERM HUP; exec 7<.kibosh.toml; exec \"$@\"",
            "x",
        ]);
        outer.arg(command.get_program()).args(command.get_args());
        run(outer
            .env("SECRET_OF_THE_AGENT", "1")
            .env("LD_LIBRARY_PATH", "/x"))
    };
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read_to_string(team.at(name)).unwrap();
    let env = read("env");
    let mut names: Vec<&str> = env
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH"], "{env}");
    assert!(env.lines().any(|line| line == "HOME=/"), "{env}");
    let fds = read("fds");
    assert!(
        !fds.contains(".kibosh.toml") && !fds.contains("pipe:"),
        "{fds}"
    );
    let mode = fs::metadata(team.at("env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(read("words"), "--room|a b|");
    let status = read("status");
    assert!(!status.contains("terminal"), "{status}");
    for line in status.lines().filter(|line| line.starts_with("Sig")) {
        let signals = line.split_once('\t').unwrap().1;
        // 32 and 33 are the C library's own.
        let others = u64::from_str_radix(signals, 16).unwrap() & !(0b11 << 31);
        assert_eq!(others, 0, "{status}");
    }
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let filters = own
        .lines()
        .find(|line| line.starts_with("Seccomp_filters"))
        .unwrap();
    assert!(status.contains(filters), "{status}");
    assert_eq!(read("group").trim(), read("own").trim());
}

#[test]
fn all_that_the_command_has_started_ends_with_it() {
    let team = Team::new("ends");
    let leaves = "setsid sh -c 'echo $$ >left; exec sleep 300' &\n\
        (sh -c 'echo $$ >below; exec sleep 300' &) \n\
        while [ ! -s left ] || [ ! -s below ]; do sleep 0.01; done\n";
    // It answers, and what it leaves holds its output open.
    team.answers(&format!("{READS}{leaves}{YES}"));
    let output = team.asks(ASKED);
    assert!(output.status.success(), "{output:?}");
    let gone = |name: &str| assert!(!is_there(team.number(name)), "{name}");
    gone("left");
    gone("below");
    // It does not answer.
    fs::remove_file(team.at("ran")).unwrap();
    team.set(&team.command_file().display().to_string(), 1);
    team.answers(&format!(
        "rm -f left below; {leaves} echo $$ >own; trap '' TERM; sleep 300"
    ));
    team.is_refused("did not answer within 1 seconds");
    for name in ["own", "left", "below"] {
        gone(name);
    }
    // Who asks is killed, or the keeper is.
    team.set(&team.command_file().display().to_string(), 20);
    for killed in ["asker", "keeper"] {
        for name in ["own", "keeper"] {
            let _ = fs::remove_file(team.at(name));
        }
        team.answers("echo $PPID >keeper; echo $$ >own; exec sleep 300");
        let mut asks = team.command(ASKED).stderr(Stdio::null()).spawn().unwrap();
        let (command, keeper) = (team.number("own"), team.number("keeper"));
        let stat = fs::read_to_string(format!("/proc/{keeper}/stat")).unwrap();
        let parent = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap();
        let victim = if killed == "asker" {
            parent.parse().unwrap()
        } else {
            keeper
        };
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(victim),
            nix::sys::signal::Signal::SIGKILL,
        )
        .unwrap();
        asks.wait().unwrap();
        wait_for(killed, || (!is_there(command)).then_some(()));
    }
    assert_eq!(team.place.ran(), None);
}

#[test]
fn no_other_process_gets_at_what_is_said() {
    let team = Team::new("streams");
    team.answers(&format!(
        "echo $$ >own; while [ ! -e go ]; do sleep 0.01; done\n{READS}{YES}"
    ));
    let asks = team.command(ASKED).stderr(Stdio::piped()).spawn().unwrap();
    let command = team.number("own");
    for number in 0..2 {
        let path = format!("/proc/{command}/fd/{number}");
        for write in [false, true] {
            let opened = fs::File::options().read(!write).write(write).open(&path);
            assert_eq!(
                opened.unwrap_err().raw_os_error(),
                Some(libc::ENXIO),
                "{path}"
            );
        }
    }
    fs::write(team.at("go"), "").unwrap();
    let output = asks.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_command_that_somebody_else_could_exchange_is_not_asked() {
    let team = Team::new("file");
    team.answers(&format!("{READS}{YES}"));
    let file = team.command_file();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    team.is_refused("was not asked: it, or a folder on the way to it, can be written by others");
    mode(0o644);
    team.is_refused("was not asked: it is no program");
    fs::remove_file(&file).unwrap();
    team.is_refused("was not asked: it is not there");
    // A program of that name that the agent has put on its search path.
    team.place
        .program("ask", "#!/bin/sh\necho here >>/tmp/none\n");
    team.is_refused("was not asked: it is not there");
    // A link to what the agent has in a folder of everybody's.
    let open = team.at("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    team.answers(&format!("{READS}{YES}"));
    fs::rename(&file, open.join("ask")).unwrap();
    std::os::unix::fs::symlink(open.join("ask"), &file).unwrap();
    team.is_refused("can be written by others");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(team.asks(ASKED).status.success());
}

#[test]
fn a_project_sets_no_command_and_what_is_denied_is_not_asked_about() {
    let team = Team::new("project");
    team.answers(&format!("{READS}{YES}"));
    for line in ["demolish never", "demolish all; demolish never"] {
        assert_eq!(team.asks(line).status.code(), Some(126));
    }
    assert_eq!(
        fs::metadata(team.at("request")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    // The control: the same may be asked about.
    assert!(team.asks(ASKED).status.success());
    fs::remove_file(team.at("request")).unwrap();
    fs::remove_file(team.at("ran")).unwrap();
    fs::remove_file(team.at("home/.config/kibosh/own.toml")).unwrap();
    let policy = team.at(".kibosh.toml");
    let before = fs::read_to_string(&policy).unwrap();
    let setting = format!(
        "[settings]\nreviewer-command = [\"{}\"]\n",
        team.command_file().display()
    );
    fs::write(&policy, format!("{setting}{before}")).unwrap();
    let output = team.asks(ASKED);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    let told = told(&output);
    assert!(
        told.contains("a project may not set `reviewer-command`"),
        "{told}"
    );
    assert!(!team.at("request").exists() && team.place.ran().is_none());
}

/// There the launcher asks, in a process of its own.
#[test]
fn below_the_launcher_the_command_is_asked_as_well() {
    let team = Team::new("run");
    fs::write(team.at("agent.sh"), "demolish all\necho agent=$?\n").unwrap();
    let agent = || run(&mut team.kibosh(&["run", "--", "sh", "agent.sh"]));
    team.answers(&format!("{READS}{YES}"));
    let output = agent();
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("agent=0"),
        "{output:?}"
    );
    assert_eq!(team.place.ran().as_deref(), Some("all\n"));
    let request = fs::read_to_string(team.at("request")).unwrap();
    assert!(
        request.contains("\"source\":\"exec of demolish, by sh agent.sh\""),
        "{request}"
    );
    let record = team.place.record();
    let approved = record.iter().find(|one| one["outcome"] == "approved");
    assert_eq!(approved.unwrap()["reviewer"]["by"], "ann");
    fs::remove_file(team.at("ran")).unwrap();
    for (script, words) in [
        (
            format!(
                "{READS}echo '{{\"id\": \"'$id'\", \"answer\": \"no\", \"by\": \"ann\", \"why\": \"not now\"}}'\n"
            ),
            "said no: not now",
        ),
        (format!("{READS}{YES}exit 1"), "failed with status 1"),
    ] {
        team.answers(&script);
        let output = agent();
        assert!(told(&output).contains(words), "{words}: {output:?}");
        assert_eq!(team.place.ran(), None);
    }
}
