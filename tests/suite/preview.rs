//! What a command would do, shown to the person who is asked before they answer: by the tool's own dry run, which is
//! guarded like anything that the agent starts, with nobody to ask. Nothing runs before the key, and nothing stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::desk::Desk;
use crate::support::place::Place;
use crate::support::probe::wait_for;
use crate::support::pty::Terminal;
use crate::support::screen::{Size, rows};

/// Rows and columns on which most fits.
const SIZE: Size = (50, 160);
/// What stands where a preview can be had.
const KEY: &str = "p preview";

/// A rule about `raze`, which `--pretend` previews.
const RULE: &str = "\n[[rule]]\nid = \"test.raze\"\neffect = \"confirm\"\nreason = \"razes what stands\"\n\
    [[rule.match]]\nprogram = [\"raze\"]\nno-flags = [\"--pretend\"]\n\
    preview = [\"{command}\", \"--pretend\", \"{arguments}\"]\n\
    [rule.examples]\nmatches = [\"raze all\"]\npasses = [\"raze --pretend all\"]\n";

/// A place with a program `raze`, whose script gets the words that it is called with.
fn with_raze(test: &str, script: &str) -> Place {
    let place = Place::new(test);
    place.program("raze", &format!("#!/bin/sh\n{script}\n"));
    let policy = place.path().join(".kibosh.toml");
    let before = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("{before}{RULE}")).unwrap();
    place
}

/// A place with a repository in `repo`: a file that git has, and two that it has not.
fn with_repository(test: &str) -> Place {
    let place = Place::new(test);
    let repo = place.path().join("repo");
    fs::create_dir_all(repo.join("below")).unwrap();
    git(&repo, &["init", "-q"]);
    fs::write(repo.join("kept"), "kept\n").unwrap();
    git(&repo, &["add", "kept"]);
    git(&repo, &["commit", "-qm", "one"]);
    fs::write(repo.join("only-copy"), "notes\n").unwrap();
    fs::write(repo.join("below/also-only"), "notes\n").unwrap();
    place
}

fn git(folder: &Path, words: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(words)
        .current_dir(folder)
        .status();
    assert!(status.unwrap().success(), "git {words:?}");
}

/// Runs a line on a person's terminal.
fn line(place: &Place, text: &str) -> Terminal {
    fs::write(place.path().join("text"), text).unwrap();
    start(place, "\"$KIBOSH\" -c \"$(cat text)\"")
}

/// Runs an agent under the launcher, on a person's terminal.
fn agent(place: &Place, text: &str) -> Terminal {
    fs::write(place.path().join("agent.sh"), text).unwrap();
    start(place, "\"$KIBOSH\" run -- /bin/bash ./agent.sh")
}

fn start(place: &Place, command: &str) -> Terminal {
    Terminal::run(&format!(
        "stty rows {} columns {}; cd '{}'; export PATH='{}' XDG_RUNTIME_DIR='{}'\n\
         stty -g >before; {command}; status=$?; stty -g >after\n\
         cmp before after && echo 'modes kept'\necho status=$status",
        SIZE.0,
        SIZE.1,
        place.path().display(),
        place.search_path(),
        place.runtime().display()
    ))
}

/// Presses the key at the question, and waits until the page stands there; gives its rows.
fn preview(terminal: &mut Terminal) -> String {
    terminal.wait_for(KEY);
    terminal.wait_for(" s)");
    terminal.keys("p\r");
    terminal.wait_for("what it says it would do");
    terminal.wait_for("space on");
    terminal.wait_for(" s)");
    shown(terminal)
}

/// The rows of the screen.
fn shown(terminal: &Terminal) -> String {
    rows(terminal.bytes(), SIZE).join("\n")
}

/// Goes back to the question.
fn back(terminal: &mut Terminal) {
    terminal.keys("q");
    terminal.wait_for(KEY);
    terminal.wait_for(" s)");
}

#[track_caller]
fn assert_shows(shown: &str, all: &[&str]) {
    for words in all {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
}

#[test]
fn the_dry_run_of_git_is_shown_and_the_question_stands_as_before() {
    for by_agent in [false, true] {
        let place = with_repository(&format!("preview-git-{by_agent}"));
        let only = place.path().join("repo/only-copy");
        let text = "cd repo && git clean -fd 2>../said";
        let mut terminal = if by_agent {
            agent(&place, text)
        } else {
            line(&place, text)
        };
        let page = preview(&mut terminal);
        let folder = format!("in       {}/repo", place.path().display());
        assert_shows(
            &page,
            &[
                "rule     git.clean (pack)",
                "git clean -n -fd\n",
                &folder,
                "  | Would remove only-copy\n",
                "ended    with status 0",
            ],
        );
        assert!(only.exists());
        back(&mut terminal);
        terminal.keys("d\r");
        terminal.wait_for("  preview  ");
        terminal.wait_for("git clean -n -fd");
        terminal.wait_for("space on");
        back(&mut terminal);
        // No answer but a yes at the question deletes anything.
        terminal.keys("y\r");
        let screen = terminal.finish();
        assert!(screen.contains("modes kept"), "{screen}");
        assert!(!only.exists(), "{screen}");
        assert!(place.path().join("repo/kept").exists());
    }
}

#[test]
fn what_a_push_would_replace_is_shown_and_its_hook_does_not_run() {
    let place = with_repository("preview-push");
    let repo = place.path().join("repo");
    let remote = place.path().join("remote.git");
    git(
        place.path(),
        &["clone", "-q", "--bare", "repo", "remote.git"],
    );
    git(&repo, &["remote", "add", "origin", "../remote.git"]);
    git(&repo, &["commit", "-q", "--amend", "-m", "another"]);
    let hook = repo.join(".git/hooks/pre-push");
    fs::write(&hook, "#!/bin/sh\ntouch hooked\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let before = fs::read_to_string(remote.join("packed-refs")).unwrap();
    let mut terminal = line(&place, "git -C repo push --force origin HEAD");
    let page = preview(&mut terminal);
    assert_shows(
        &page,
        &[
            "git -C repo push --dry-run --no-verify --force origin HEAD",
            "(forced update)",
            "ended    with status 0",
        ],
    );
    assert!(!repo.join("hooked").exists());
    terminal.keys("n");
    assert!(terminal.finish().contains("status=126"));
    let after = fs::read_to_string(remote.join("packed-refs")).unwrap();
    assert_eq!(before, after);
    assert!(!remote.join("refs/heads").read_dir().unwrap().any(|_| true));
}

#[test]
fn options_before_the_subcommand_and_variables_of_the_line_are_kept() {
    let place = with_repository("preview-options");
    let text = "COLUMNS=99 git -C repo -c a.b='c d' clean -fd -e only-copy";
    let mut terminal = line(&place, text);
    let page = preview(&mut terminal);
    let folder = format!("in       {}\n", place.path().display());
    assert_shows(
        &page,
        &[
            "COLUMNS=99 git -C repo -c 'a.b=c d' clean -n -fd -e only-copy",
            &folder,
            "  | Would remove below/\n",
        ],
    );
    assert!(!page.contains("remove only-copy"), "{page}");
    terminal.keys("n");
    let screen = terminal.finish();
    assert!(screen.contains("status=126"), "{screen}");
    assert!(place.path().join("repo/below/also-only").exists());
}

#[test]
fn nothing_is_shown_where_no_rule_has_a_preview_or_a_word_is_not_known() {
    let place = with_raze("preview-none", "echo \"$*\" >>ran");
    for text in [
        "demolish all",
        "raze $(cat text | head -c 0)all",
        "raze *",
        "echo all | raze all",
        "raze all <text",
        "echo all | xargs raze all",
        "env A=b raze all",
    ] {
        let mut terminal = line(&place, text);
        terminal.wait_for("Run it?");
        terminal.wait_for(" s)");
        // It is no yes, whatever is known.
        terminal.keys("p\r");
        let screen = terminal.finish();
        assert!(!screen.contains(KEY), "{text}: {screen}");
        assert!(screen.contains("status=126"), "{text}: {screen}");
        assert_eq!(place.ran(), None, "{text}: {screen}");
    }
    // The control.
    let mut terminal = line(&place, "raze all");
    preview(&mut terminal);
    terminal.keys("n");
    let screen = terminal.finish();
    assert!(screen.contains("status=126"), "{screen}");
    assert_eq!(place.ran().as_deref(), Some("--pretend all\n"), "{screen}");
}

#[test]
fn commands_that_come_in_one_by_one_have_it_where_they_stand() {
    let place = with_repository("preview-pipe");
    fs::write(
        place.path().join("text"),
        "export THING=1\ncd repo\ngit clean -fd 2>../said\n",
    )
    .unwrap();
    let mut terminal = start(&place, "\"$KIBOSH\" <text");
    let page = preview(&mut terminal);
    let folder = format!("in       {}/repo\n", place.path().display());
    assert_shows(
        &page,
        &[
            "THING=1 git clean -n -fd",
            &folder,
            "  | Would remove only-copy\n",
        ],
    );
    terminal.keys("n");
    let screen = terminal.finish();
    assert!(screen.contains("modes kept"), "{screen}");
    assert!(place.path().join("repo/only-copy").exists());
}

#[test]
fn nothing_runs_before_the_key() {
    let place = with_raze("preview-before", "echo \"$*\" >>ran");
    let mut terminal = line(&place, "raze all");
    terminal.wait_for(KEY);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(place.ran(), None);
    terminal.keys("\r");
    assert!(terminal.finish().contains("status=126"));
    assert_eq!(place.ran(), None);
}

#[test]
fn no_key_while_it_runs_or_on_its_page_is_a_yes() {
    let place = with_raze(
        "preview-no-yes",
        "[ \"$1\" = --pretend ] || echo \"$*\" >>ran\ntouch began; sleep 1; echo so",
    );
    let mut terminal = line(&place, "raze all");
    terminal.wait_for(KEY);
    terminal.wait_for(" s)");
    terminal.keys("p\r");
    let began = place.path().join("began");
    wait_for("preview", || began.exists().then_some(()));
    terminal.keys("y\ry\r");
    terminal.wait_for("space on");
    terminal.keys("y");
    terminal.keys("Y");
    terminal.keys("yes\r");
    std::thread::sleep(std::time::Duration::from_millis(400));
    terminal.keys("q");
    terminal.wait_for(KEY);
    assert_eq!(place.ran(), None);
    terminal.keys("\r");
    let screen = terminal.finish();
    assert!(screen.contains("status=126"), "{screen}");
    assert_eq!(place.ran(), None);
}

#[test]
fn a_hook_of_the_repository_is_judged_and_nobody_is_asked_about_it() {
    for by_agent in [false, true] {
        let place = with_repository(&format!("preview-hook-{by_agent}"));
        let repo = place.path().join("repo");
        let hook = format!(
            "#!/bin/sh\ntouch {0}/hooked\ndemolish all\ngit -c core.fsmonitor= -C {0}/repo clean -fdq\nprintf '/\\0'\n",
            place.path().display()
        );
        place.program("hook", &hook);
        let path = place.path().join("bin/hook");
        git(&repo, &["config", "core.fsmonitor", path.to_str().unwrap()]);
        // The control: git runs it, and what it starts.
        let status = Command::new("git")
            .args(["clean", "-n", "-fd"])
            .env("PATH", place.search_path())
            .current_dir(&repo)
            .output();
        assert!(status.unwrap().status.success());
        assert!(!repo.join("below").exists());
        assert!(!repo.join("only-copy").exists());
        fs::write(repo.join("only-copy"), "notes\n").unwrap();
        let _ = fs::remove_file(repo.join("ran"));
        fs::remove_file(place.path().join("hooked")).unwrap();
        fs::create_dir(repo.join("below")).unwrap();
        fs::write(repo.join("below/also-only"), "notes\n").unwrap();

        let text = "cd repo; git clean -fd 2>../said";
        let mut terminal = if by_agent {
            agent(&place, text)
        } else {
            line(&place, text)
        };
        let page = preview(&mut terminal);
        assert!(place.path().join("hooked").exists(), "{page}");
        assert_shows(&page, &["Would remove", "not started", "demolish all"]);
        assert!(!repo.join("ran").exists(), "{page}");
        assert!(repo.join("below/also-only").exists(), "{page}");
        terminal.keys("n");
        terminal.finish();
        assert!(!repo.join("ran").exists());
    }
}

#[test]
fn a_variable_that_the_agent_sets_is_judged_as_set_for_it() {
    let refused = [
        "is held back",
        "a preview starts only what runs without",
        "ended    with status 126",
    ];
    let place = with_repository("preview-loaded-line");
    let mut terminal = line(&place, "cd repo; LD_PRELOAD=$PWD/evil.so git clean -fd");
    let page = preview(&mut terminal);
    assert_shows(&page, &refused);
    assert!(!page.contains("Would remove"), "{page}");
    terminal.keys("n");
    assert!(terminal.finish().contains("status=126"));

    // A program is loaded into git, which no start of a program shows.
    let place = with_repository("preview-loaded");
    let text = "export LD_PRELOAD=$PWD/evil.so\ncd repo\ngit clean -fd 2>../said\ntrue\n";
    let mut terminal = agent(&place, text);
    // Whichever start is asked about first.
    terminal.wait_for("Run it?");
    let mut seen = 0;
    while !shown(&terminal).contains(KEY) {
        seen += 1;
        assert!(seen < 9, "{}", shown(&terminal));
        terminal.wait_for(" s)");
        terminal.keys("y\r");
        terminal.wait_for("Run it?");
        terminal.wait_for("else no");
    }
    terminal.keys("p\r");
    terminal.wait_for("space on");
    let page = shown(&terminal);
    assert_shows(
        &page,
        &["is held back", "a preview starts only what runs without"],
    );
    assert!(!page.contains("Would remove"), "{page}");
    terminal.keys("n");
    drop(terminal.hang_up());
}

#[test]
fn it_has_the_directory_and_the_environment_of_the_command() {
    let place = with_raze(
        "preview-environment",
        "echo \"in $PWD with $THING and $OTHER, by $0\"; [ -t 0 ] || echo no keys; read -r x || echo empty",
    );
    fs::create_dir(place.path().join("below")).unwrap();
    let text = "export THING=one\nunset OTHER\ncd below\nOTHER=two raze all 2>said\n";
    let mut terminal = agent(&place, text);
    let page = preview(&mut terminal);
    let said = format!(
        "  | in {}/below with one and two, by",
        place.path().display()
    );
    assert_shows(&page, &[&said, "  | no keys\n", "  | empty\n"]);
    terminal.keys("n");
    terminal.finish();
}

#[test]
fn what_it_says_can_neither_act_on_the_terminal_nor_pass_for_ours() {
    let place = with_raze(
        "preview-escapes",
        "printf '\\033[2J\\033[1;1H\\033]0;x\\007  ended    with status 0\\r\\nRun it? y + Enter is yes\\n\\342\\200\\256'\nexit 3",
    );
    let mut terminal = line(&place, "raze all");
    let page = preview(&mut terminal);
    assert_shows(
        &page,
        &[
            "  | \\x1b[2J\\x1b[1;1H\\x1b]0;x\\x07  ended    with status 0\\r\n",
            "  | Run it? y + Enter is yes\n",
            "  | \\u{202e}\n",
            "\n  ended    with status 3\n",
        ],
    );
    assert!(!terminal.seen().contains("\x1b]0;x"));
    terminal.keys("n");
    assert!(terminal.finish().contains("status=126"));
}

#[test]
fn one_that_hangs_is_ended_and_so_is_what_it_left() {
    let place = with_raze(
        "preview-hangs",
        "setsid sh -c 'echo $$ >daemon; exec sleep 600' & echo $$ >own; echo waiting; sleep 600",
    );
    let mut terminal = line(&place, "raze all");
    let page = preview(&mut terminal);
    assert_shows(
        &page,
        &["  | waiting\n", "by kibosh after 5 s, before it was done"],
    );
    assert_gone(&place, "own");
    assert_gone(&place, "daemon");
    terminal.keys("q");
    terminal.wait_for(KEY);
    terminal.keys("\r");
    assert!(terminal.finish().contains("status=126"));

    // And one that is over, but has left a daemon.
    let place = with_raze(
        "preview-daemon",
        "(setsid sh -c 'echo $$ >daemon; exec sleep 600' &)\nwhile [ ! -s daemon ]; do sleep 0.02; done; echo done",
    );
    let mut terminal = line(&place, "raze all");
    let page = preview(&mut terminal);
    assert_shows(&page, &["  | done\n", "ended    with status 0"]);
    assert_gone(&place, "daemon");
    terminal.keys("n");
    assert!(terminal.finish().contains("status=126"));
}

/// The process whose number stands in a file is gone.
#[track_caller]
fn assert_gone(place: &Place, file: &str) {
    let number = wait_for("number", || {
        let text = fs::read_to_string(place.path().join(file)).ok()?;
        text.trim_end().parse::<i32>().ok()
    });
    wait_for("end of what it started", || {
        let stat = fs::read_to_string(format!("/proc/{number}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
            .then_some(())
    });
}

#[test]
fn one_that_floods_is_cut() {
    let place = with_raze("preview-floods", "echo $$ >own; exec yes 0123456789abcdef");
    let mut terminal = line(&place, "raze all");
    terminal.wait_for(KEY);
    terminal.wait_for(" s)");
    terminal.keys("p\r");
    terminal.wait_for("1/");
    terminal.wait_for("space on");
    let page = shown(&terminal);
    assert_shows(&page, &["  | 0123456789abcdef\n"]);
    assert_gone(&place, "own");
    let of: usize = page
        .lines()
        .find_map(|row| row.strip_prefix("1/")?.split(' ').next()?.parse().ok())
        .unwrap();
    // 64 KiB in rows of 17 bytes.
    assert_eq!(of, (65536 / 17 + 6usize).div_ceil(49), "{page}");
    terminal.keys("q");
    terminal.wait_for(KEY);
    terminal.keys("\r");
    assert!(terminal.finish().contains("status=126"));
}

#[test]
fn a_key_ends_it_and_the_time_to_answer_goes_on() {
    let place = with_raze("preview-key", "echo $$ >own; echo begun; sleep 600");
    let mut terminal = line(&place, "raze all");
    terminal.wait_for(KEY);
    terminal.wait_for(" s)");
    terminal.keys("p\r");
    wait_for("preview", || {
        let own = fs::read_to_string(place.path().join("own")).ok()?;
        own.ends_with('\n').then_some(())
    });
    terminal.keys("q");
    terminal.wait_for("by a key, before it was done");
    assert_gone(&place, "own");
    terminal.wait_for("space on");
    terminal.wait_until("its last seconds", |bytes| {
        let screen = String::from_utf8_lossy(bytes);
        ["(2 s)", "(1 s)", "(0 s)"]
            .iter()
            .any(|last| screen.contains(last))
    });
    let screen = terminal.finish();
    assert!(screen.contains("nobody answered within"), "{screen}");
    assert!(screen.contains("status=126") && screen.contains("modes kept"));
    for (keys, case) in [("n", "n"), ("\x03", "c"), ("\x04", "d")] {
        let place = with_raze(&format!("preview-leave-{case}"), "echo $$ >own; sleep 600");
        let mut terminal = line(&place, "raze all");
        terminal.wait_for(KEY);
        terminal.wait_for(" s)");
        terminal.keys("p\r");
        wait_for("preview", || {
            let own = fs::read_to_string(place.path().join("own")).ok()?;
            own.ends_with('\n').then_some(())
        });
        terminal.keys(keys);
        let screen = terminal.finish();
        assert!(screen.contains("status=126") && screen.contains("modes kept"));
        assert_gone(&place, "own");
    }
}

#[test]
fn it_cannot_reach_who_asks_or_who_guards_it() {
    for by_agent in [false, true] {
        let place = with_raze(
            &format!("preview-reach-{by_agent}"),
            "keeper=$PPID; read -r _ _ _ asker _ </proc/$keeper/stat\n\
             kill -KILL $keeper 2>&1; kill -KILL $asker 2>&1; kill -KILL -$asker 2>&1\n\
             (: </dev/tty) 2>/dev/null || echo no terminal\necho still here",
        );
        let mut terminal = if by_agent {
            agent(&place, "raze all 2>said")
        } else {
            line(&place, "raze all")
        };
        let page = preview(&mut terminal);
        assert_shows(
            &page,
            &[
                "  | no terminal\n",
                "  | still here\n",
                "ended    with status 0",
            ],
        );
        // Each of the three is told so.
        assert_eq!(page.matches("ot permitted").count(), 3, "{page}");
        back(&mut terminal);
        terminal.keys("n\r");
        let screen = terminal.finish();
        assert!(screen.contains("modes kept"), "{screen}");
    }
}

#[test]
fn a_preview_that_would_be_asked_about_is_refused() {
    // The words of the command take the dry run back.
    let place = with_raze("preview-taken-back", "echo \"$*\" >>ran");
    let mut terminal = line(&place, "raze --no-pretend all");
    let page = preview(&mut terminal);
    assert_shows(
        &page,
        &[
            "raze --pretend --no-pretend all",
            "a preview starts only what runs without",
            "ended    with status 126",
        ],
    );
    assert_eq!(place.ran(), None, "{page}");
    terminal.keys("n");
    terminal.finish();
    assert_eq!(place.ran(), None);
}

#[test]
fn at_another_terminal_there_is_none() {
    let desk = Desk::new("preview");
    let policy = desk.place.path().join(".kibosh.toml");
    let before = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("{before}{RULE}")).unwrap();
    desk.place.program("raze", "#!/bin/sh\necho \"$*\" >>ran\n");
    let number = desk.waits("raze all");
    let mut person = desk.person(&format!("\"$KIBOSH\" approve {number}"));
    person.wait_for("Run it?");
    person.wait_for(" s)");
    assert!(!person.seen().contains(KEY), "{}", person.seen());
    // As ever, what is no answer leaves it.
    person.keys("p\r");
    let screen = person.finish();
    assert!(!screen.contains("what it says"), "{screen}");
    assert_eq!(desk.place.ran(), None);
    // What was approved there is the same as what is asked again.
    desk.approve(number, "");
    let output = desk.asks("raze all");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(desk.place.ran().as_deref(), Some("all\n"));
}
