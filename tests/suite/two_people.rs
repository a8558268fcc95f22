//! Rules that want two people: two users, each at a terminal of their own, through the directory that they share.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::place::Place;
use crate::support::probe::{copy_program, kibosh_for_all, run, told, wait_for};
use crate::support::pty::Terminal;

/// Whose commands are asked about.
const OPERATOR: u32 = 12001;
/// Another one of the group.
const REVIEWER: u32 = 12002;
/// One who is not in it.
const OUTSIDER: u32 = 12003;
/// The group.
const GROUP: u32 = 12100;

/// A line that needs two people.
const GRAVE: &str = "demolish grave";

/// Two users with a shared directory; none where only root could be several users and this is not root.
struct Team {
    place: Place,
    program: PathBuf,
}

impl Team {
    fn new(test: &str, more: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            let must = std::env::var("KIBOSH_TEST_KERNEL").is_ok_and(|value| value == "full");
            assert!(
                !must,
                "only root can be several users: run these tests as root"
            );
            eprintln!("{test} is not tested: only root can be several users");
            return None;
        }
        let place = Place::new(&format!("two-{test}"));
        let program = kibosh_for_all(&place);
        place.wants_two();
        let team = Self { place, program };
        let mode = |path: &PathBuf, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let shared = team.at("shared");
        fs::create_dir(&shared).unwrap();
        chown(&shared, Some(0), Some(GROUP)).unwrap();
        mode(&shared, 0o3770);
        let mut passwd = String::from("root:x:0:0::/root:/bin/sh\n");
        for user in [OPERATOR, REVIEWER, OUTSIDER] {
            let home = team.at(&format!("home-{user}"));
            let policies = home.join(".config/kibosh");
            fs::create_dir_all(&policies).unwrap();
            let text = format!(
                "[settings]\nreviewers-directory = \"{}\"\nprompt-seconds = 5\n{more}\n",
                shared.display()
            );
            fs::write(policies.join("team.toml"), text).unwrap();
            let run = team.at(&format!("run-{user}"));
            fs::create_dir(&run).unwrap();
            mode(&run, 0o700);
            for path in [
                &home,
                &home.join(".config"),
                &policies,
                &policies.join("team.toml"),
                &run,
            ] {
                chown(path, Some(user), Some(user)).unwrap();
            }
            passwd.push_str(&format!(
                "u{user}:x:{user}:{user}::{}:/bin/sh\n",
                home.display()
            ));
        }
        fs::write(team.at("passwd"), passwd).unwrap();
        mode(&team.place.path().to_path_buf(), 0o777);
        Some(team)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The words by which a user starts something.
    fn as_user(&self, user: u32) -> String {
        let groups = if user == OUTSIDER { user } else { GROUP };
        format!(
            "exec unshare -m sh -c 'mount --bind {} /etc/passwd && \
             exec setpriv --reuid {user} --regid {user} --groups {groups} -- \"$@\"' x \
             env XDG_RUNTIME_DIR={} PATH={} ",
            self.at("passwd").display(),
            self.at(&format!("run-{user}")).display(),
            self.place.search_path(),
        )
    }

    fn command(&self, user: u32, words: &str) -> Command {
        let mut command = self.place.command("sh");
        let kibosh = self.program.display();
        let line = format!(
            "{}{}",
            self.as_user(user),
            words.replace("kibosh", &kibosh.to_string())
        );
        command.args(["-c", &line]);
        command
    }

    /// The operator's agent asks.
    fn asks(&self, line: &str) -> Output {
        run(&mut self.command(OPERATOR, &format!("kibosh -c '{line}'")))
    }

    /// Asks, and gives the number under which it waits.
    #[track_caller]
    fn waits(&self, said: u8) -> u64 {
        let output = self.asks(GRAVE);
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        let told = told(&output);
        assert!(told.contains(&format!("has {said} of 2")), "{told}");
        let (_, rest) = told.split_once("kibosh approve ").unwrap();
        rest.split('`').next().unwrap().parse().unwrap()
    }

    fn person(&self, user: u32, words: &str) -> Terminal {
        let words = words.replace("kibosh", &self.program.display().to_string());
        Terminal::run(&format!(
            "cd '{}' || exit\n({}{words})\necho status=$?",
            self.place.path().display(),
            self.as_user(user),
        ))
    }

    /// What a person sees who has nothing to type.
    fn sees(&self, user: u32, words: &str) -> String {
        self.person(user, words).finish()
    }

    /// A person says yes; gives what they see.
    fn yes(&self, user: u32, words: &str) -> String {
        let mut person = self.person(user, &format!("kibosh approve {words}"));
        person.wait_for("Run it?");
        person.keys("y\r");
        person.finish()
    }
}

#[test]
fn what_needs_two_people_runs_with_the_yes_of_two_users_and_not_of_one_twice() {
    let Some(team) = Team::new("two", "") else {
        return;
    };
    let number = team.waits(0);
    let screen = team.yes(OPERATOR, &number.to_string());
    assert!(screen.contains("waits for another person"), "{screen}");
    // Again, from another terminal, for longer, and as if from outside.
    for words in ["", " --for 10m", &format!(" --of {OPERATOR}")] {
        let screen = team.yes(OPERATOR, &format!("{number}{words}"));
        assert!(screen.contains("has said yes already"), "{words}: {screen}");
    }
    assert_eq!(team.waits(1), number);
    assert_eq!(team.place.ran(), None);
    let list = team.sees(REVIEWER, "kibosh pending");
    assert!(list.contains(&format!("of user {OPERATOR}")), "{list}");
    assert!(
        list.contains("1 of 2 people") && list.contains(GRAVE),
        "{list}"
    );
    let screen = team.yes(REVIEWER, &format!("{number} --of {OPERATOR}"));
    assert!(screen.contains("is approved"), "{screen}");
    let output = team.asks(GRAVE);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(team.place.ran().as_deref(), Some("grave\n"));
    let record =
        fs::read_to_string(team.at(&format!("home-{OPERATOR}/.local/state/kibosh/audit.jsonl")));
    let record = record.unwrap();
    let last: serde_json::Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(last["outcome"], "approved");
    assert_eq!(last["reviewer"]["uid"], REVIEWER);
    assert_eq!(last["reviewer"]["with"][0]["uid"], OPERATOR);
    // What the exec gate holds needs both, too.
    fs::write(team.at("site.sh"), "demolish grave\n").unwrap();
    let output = team.asks("sh site.sh");
    assert!(told(&output).contains("has 0 of 2"), "{output:?}");
    for user in [REVIEWER, OPERATOR] {
        team.yes(user, &format!("2 --of {OPERATOR}"));
    }
    let output = team.asks("sh site.sh");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(team.place.ran().as_deref(), Some("grave\ngrave\n"));
    // Used up, for both.
    team.waits(0);
    assert_eq!(team.place.ran().as_deref(), Some("grave\ngrave\n"));
}

#[test]
fn a_reviewer_of_another_user_sees_and_answers_only_what_needs_two() {
    let Some(team) = Team::new("see", "") else {
        return;
    };
    let output = team.asks("demolish all");
    assert!(told(&output).contains("`kibosh approve 1`"), "{output:?}");
    let number = team.waits(0);
    assert_eq!(number, 2);
    let list = team.sees(REVIEWER, "kibosh pending");
    assert!(
        list.contains(GRAVE) && !list.contains("demolish all"),
        "{list}"
    );
    for words in ["approve 1 --of", "refuse 1 --of"] {
        let screen = team.sees(REVIEWER, &format!("kibosh {words} {OPERATOR}"));
        assert!(screen.contains("no request 1"), "{screen}");
    }
    // Who is not in the group sees and does nothing.
    let list = team.sees(OUTSIDER, "kibosh pending");
    assert!(!list.contains(GRAVE), "{list}");
    let screen = team.sees(
        OUTSIDER,
        &format!("kibosh approve {number} --of {OPERATOR}"),
    );
    assert!(screen.contains("Permission denied"), "{screen}");
    assert!(!screen.contains("Run it?"), "{screen}");
    // A no of one is a no, and its reason reaches the agent.
    let screen = team.sees(
        REVIEWER,
        &format!("kibosh refuse {number} --of {OPERATOR} --why 'not on a Friday'"),
    );
    assert!(screen.contains("is refused"), "{screen}");
    let output = team.asks(GRAVE);
    assert!(told(&output).contains("not on a Friday"), "{output:?}");
    assert_eq!(team.place.ran(), None);
}

#[test]
fn an_operator_who_does_not_count_is_not_one_of_the_two() {
    let Some(team) = Team::new("count", "operator-counts = false") else {
        return;
    };
    let number = team.waits(0);
    let screen = team.yes(OPERATOR, &number.to_string());
    assert!(screen.contains("is not to"), "{screen}");
    let screen = team.yes(REVIEWER, &format!("{number} --of {OPERATOR}"));
    assert!(screen.contains("waits for another person"), "{screen}");
    team.waits(1);
    assert_eq!(team.place.ran(), None);
}

#[test]
fn no_guarded_process_of_either_user_gives_the_second_yes() {
    let Some(team) = Team::new("guarded", "") else {
        return;
    };
    let number = team.waits(0);
    team.yes(OPERATOR, &number.to_string());
    copy_program(&team.program, team.at("look"));
    for user in [OPERATOR, REVIEWER] {
        for words in [
            format!("./look pending; ./look approve {number} --of {OPERATOR}"),
            format!("./look refuse {number} --of {OPERATOR}"),
            format!("setsid ./look approve {number} --of {OPERATOR}"),
        ] {
            let screen = team.sees(user, &format!("kibosh -c '{words}'"));
            assert!(
                screen.contains("below a guarded session"),
                "{words}: {screen}"
            );
            assert!(
                !screen.contains("Run it?") && !screen.contains(GRAVE),
                "{screen}"
            );
        }
    }
    // A client that asks nothing of itself.
    let speak = format!(
        "use IO::Socket::UNIX; $SIG{{PIPE}} = qq(IGNORE); my $s = IO::Socket::UNIX->new(Peer => '{}') or die 'no way in';\n\
         print $s qq(\"list\"\\n); print STDERR scalar <$s>;\n",
        team.at(&format!("shared/{OPERATOR}")).display()
    );
    fs::write(team.at("speak.pl"), speak).unwrap();
    let screen = team.sees(REVIEWER, "kibosh -c 'perl speak.pl'");
    assert!(screen.contains(r#"{"stranger":"guarded"}"#), "{screen}");
    let screen = team.sees(REVIEWER, "perl speak.pl");
    assert!(screen.contains(GRAVE), "{screen}");
    let screen = team.sees(OUTSIDER, "perl speak.pl");
    assert!(screen.contains("no way in"), "{screen}");
    assert_eq!(team.waits(1), number);
    // The control: the same person without a guard.
    let screen = team.yes(REVIEWER, &format!("{number} --of {OPERATOR}"));
    assert!(screen.contains("is approved"), "{screen}");
    assert!(team.asks(GRAVE).status.success());
}

#[test]
fn the_yes_at_the_terminal_of_the_command_is_the_first_of_two() {
    let Some(team) = Team::new("here", "unwatched-seconds = 5") else {
        return;
    };
    let mut here = team.person(OPERATOR, &format!("kibosh -c \"{GRAVE}\""));
    here.wait_for("Run it?");
    here.keys("y\r");
    let list = wait_for("first yes", || {
        Some(team.sees(REVIEWER, "kibosh pending")).filter(|list| list.contains("1 of 2 people"))
    });
    assert!(list.contains("waiting now"), "{list}");
    assert_eq!(team.place.ran(), None);
    team.yes(REVIEWER, &format!("1 --of {OPERATOR}"));
    let screen = here.finish();
    assert!(screen.contains("status=0"), "{screen}");
    assert_eq!(team.place.ran().as_deref(), Some("grave\n"));
    // Where the second one comes later, the same passes then, and nobody is asked again.
    let mut here = team.person(OPERATOR, &format!("kibosh -c \"{GRAVE}\""));
    here.wait_for("Run it?");
    here.keys("y\r");
    let screen = here.finish();
    assert!(screen.contains("has 1 of 2"), "{screen}");
    team.yes(REVIEWER, &format!("2 --of {OPERATOR}"));
    let screen = team.sees(OPERATOR, &format!("kibosh -c \"{GRAVE}\""));
    assert!(
        screen.contains("status=0") && !screen.contains("Run it?"),
        "{screen}"
    );
    assert_eq!(team.place.ran().as_deref(), Some("grave\ngrave\n"));
}

#[test]
fn the_yes_at_the_terminal_of_the_command_can_be_the_last_of_two() {
    let Some(team) = Team::new("last", "") else {
        return;
    };
    let asked_here = |keys: &str| {
        let mut here = team.person(OPERATOR, &format!("kibosh -c \"{GRAVE}\""));
        here.wait_for("Run it?");
        here.keys(keys);
        here.finish()
    };
    // Not yet.
    asked_here("\r");
    let screen = team.yes(REVIEWER, &format!("1 --of {OPERATOR}"));
    assert!(screen.contains("waits for another person"), "{screen}");
    assert_eq!(team.place.ran(), None);
    let screen = asked_here("y\r");
    assert!(screen.contains("status=0"), "{screen}");
    assert_eq!(team.place.ran().as_deref(), Some("grave\n"));
}

#[test]
fn a_directory_that_everybody_can_write_brings_nobody_together() {
    let Some(team) = Team::new("open", "") else {
        return;
    };
    let screen = team.sees(OPERATOR, "kibosh doctor");
    assert!(screen.contains("they meet in "), "{screen}");
    // Or in which each of the group could take away what is another's.
    for (mode, why) in [(0o777, "everybody can write it"), (0o2770, "no sticky bit")] {
        fs::set_permissions(team.at("shared"), fs::Permissions::from_mode(mode)).unwrap();
        let number = team.waits(0);
        assert_eq!(fs::read_dir(team.at("shared")).unwrap().count(), 0);
        let screen = team.sees(
            REVIEWER,
            &format!("kibosh approve {number} --of {OPERATOR}"),
        );
        assert!(screen.contains(why), "{screen}");
        assert!(!screen.contains("Run it?"), "{screen}");
        let screen = team.sees(OPERATOR, "kibosh doctor");
        assert!(screen.contains("is not used: "), "{screen}");
        assert!(screen.contains(why), "{screen}");
    }
}

#[test]
fn where_the_policy_cannot_be_read_there_is_no_broker_that_would_count_the_operator() {
    let Some(team) = Team::new("unread", "operator-counts = false") else {
        return;
    };
    let policy = team.at(&format!("home-{OPERATOR}/.config/kibosh/team.toml"));
    let before = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, "what?").unwrap();
    let mut watcher = team.person(OPERATOR, "kibosh watch");
    watcher.wait_for("status=");
    let screen = watcher.finish();
    assert!(screen.contains("could not be started"), "{screen}");
    fs::write(&policy, before).unwrap();
    let number = team.waits(0);
    let screen = team.yes(OPERATOR, &number.to_string());
    assert!(screen.contains("is not to"), "{screen}");
    team.waits(0);
}

#[test]
fn a_watcher_sees_what_others_want_two_people_for_and_gives_the_second_yes() {
    let Some(team) = Team::new("watch", "") else {
        return;
    };
    let number = team.waits(0);
    team.yes(OPERATOR, &number.to_string());
    // What needs one person is nobody else's.
    assert!(told(&team.asks("demolish all")).contains("needs a person's yes"));
    let mut person = team.person(
        REVIEWER,
        "sh -c 'stty rows 24 columns 80; exec kibosh watch'",
    );
    person.wait_for(&format!("{number} of user {OPERATOR} (1 of 2 people)"));
    person.wait_for("| demolish grave");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!person.seen().contains("demolish all"), "{}", person.seen());
    person.keys("y");
    person.wait_for("yes, once?");
    person.keys("\r");
    person.wait_for("is approved");
    // What is typed while the list without it is drawn counts for nothing.
    std::thread::sleep(std::time::Duration::from_millis(500));
    person.keys("q");
    let screen = person.finish();
    assert!(screen.contains("status=0"), "{screen}");
    let output = team.asks(GRAVE);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(team.place.ran().as_deref(), Some("grave\n"));
}
