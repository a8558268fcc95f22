//! `kibosh hook`: each agent is answered in its own words, and whatever goes wrong is a no.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::desk::{ASKED, Desk, KIBOSH, number};
use crate::support::place::Place;

/// The hook of an agent in a place, with nothing set that names its shell.
fn command(place: &Place, agent: &str) -> Command {
    let mut command = place.command(KIBOSH);
    command
        .args(["hook", agent])
        .env_remove("CLAUDE_CODE_SHELL")
        .env_remove("CLAUDE_CODE_SHELL_PREFIX")
        .env("SHELL", "/bin/bash");
    command
}

/// What it says to this input.
fn answered(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read all of what is too much.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// The input of an agent for a command in a place.
fn input(agent: &str, place: &Place, command: &str) -> Value {
    let cwd = place.path().to_str().unwrap();
    let ask = |event: &str, tool: &str| {
        json!({"hook_event_name": event, "tool_name": tool, "cwd": cwd, "session_id": "s",
               "tool_input": {"command": command, "description": "d"}})
    };
    match agent {
        "claude" | "codex" => ask("PreToolUse", "Bash"),
        "gemini" => ask("BeforeTool", "run_shell_command"),
        "qwen" => ask("PreToolUse", "run_shell_command"),
        "droid" => ask("PreToolUse", "Execute"),
        "crush" => ask("PreToolUse", "bash"),
        "kiro-cli" => ask("preToolUse", "execute_bash"),
        "copilot" => {
            json!({"sessionId": "s", "cwd": cwd, "toolName": "bash", "toolArgs": {"command": command}})
        }
        "cursor" => json!({"command": command, "cwd": cwd, "conversation_id": "c"}),
        other => panic!("{other}"),
    }
}

const AGENTS: [&str; 9] = [
    "claude", "codex", "gemini", "qwen", "copilot", "droid", "crush", "cursor", "kiro-cli",
];

/// What an agent takes an answer for: its word, and the reason.
#[track_caller]
fn taken(agent: &str, output: &Output) -> (String, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    if output.status.code() == Some(2) {
        assert!(stdout.is_empty(), "{agent}: {stdout}");
        return ("deny".to_owned(), stderr);
    }
    assert_eq!(output.status.code(), Some(0), "{agent}: {stderr}");
    assert!(stderr.is_empty(), "{agent}: {stderr}");
    if stdout.is_empty() {
        return ("neutral".to_owned(), String::new());
    }
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    if answer == json!({}) {
        return ("neutral".to_owned(), String::new());
    }
    let (word, reason) = match agent {
        "gemini" | "crush" => (&answer["decision"], &answer["reason"]),
        "copilot" => (
            &answer["permissionDecision"],
            &answer["permissionDecisionReason"],
        ),
        "cursor" => (&answer["permission"], &answer["agent_message"]),
        _ => {
            let answer = &answer["hookSpecificOutput"];
            assert_eq!(answer["hookEventName"], "PreToolUse");
            (
                &answer["permissionDecision"],
                &answer["permissionDecisionReason"],
            )
        }
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(word), text(reason))
}

/// The word by which an agent takes an answer to a command in a place.
#[track_caller]
fn word(agent: &str, place: &Place, command: &str) -> (String, String) {
    let input = input(agent, place, command).to_string();
    let output = answered(&mut self::command(place, agent), input.as_bytes());
    taken(agent, &output)
}

#[test]
fn what_is_allowed_is_left_to_the_agent_and_what_is_denied_is_not_run_by_any() {
    let place = Place::new("hook-words");
    for agent in AGENTS {
        assert_eq!(word(agent, &place, "ls -l").0, "neutral", "{agent}");
        for line in ["demolish never", "ls && bash -c 'demolish never'"] {
            let (word, reason) = word(agent, &place, line);
            assert_eq!(word, "deny", "{agent}");
            assert!(
                reason.contains("kibosh: nothing was run: `demolish never`")
                    && reason.contains("test.never")
                    && reason.contains("renovate"),
                "{agent}: {reason}"
            );
        }
    }
}

#[test]
fn only_an_agent_that_can_be_relied_on_to_ask_is_told_to() {
    let desk = Desk::new("hook-asks");
    for agent in AGENTS {
        let (word, reason) = word(agent, &desk.place, ASKED);
        let asks = matches!(agent, "claude" | "qwen" | "copilot" | "cursor");
        assert_eq!(word, if asks { "ask" } else { "deny" }, "{agent}");
        assert!(reason.contains("test.ask"), "{agent}: {reason}");
    }
}

#[test]
fn what_wants_more_than_a_click_is_no_click() {
    let desk = Desk::new("hook-click");
    let two = "[[rule]]\nid = \"test.two\"\neffect = \"confirm\"\nreviewers = 2\nreason = \"needs two\"\n\
               instead = \"renovate\"\n[[rule.match]]\nprogram = [\"raze\"]\n\
               [rule.examples]\nmatches = [\"raze x\"]\npasses = [\"renovate\"]\n";
    let policy = desk.place.path().join(".kibosh.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text + two).unwrap();
    for agent in ["claude", "qwen", "copilot", "cursor"] {
        for (line, rule) in [("demolish named x", "test.name"), ("raze x", "test.two")] {
            let (word, reason) = word(agent, &desk.place, line);
            assert_eq!(word, "deny", "{agent} {line}");
            assert!(reason.contains(rule), "{agent}: {reason}");
        }
    }
}

#[test]
fn what_the_agent_is_told_to_ask_is_written_down() {
    let desk = Desk::new("hook-record");
    assert_eq!(word("claude", &desk.place, ASKED).0, "ask");
    let record = desk.place.record();
    let last = record.last().unwrap();
    assert_eq!(last["outcome"], "left-to-ask");
    assert_eq!(last["findings"][0]["rule"], "test.ask");
}

#[test]
fn what_an_agent_cannot_ask_is_approved_at_another_terminal_once() {
    let desk = Desk::new("hook-approved");
    let input = input("codex", &desk.place, ASKED).to_string();
    let asks = || answered(&mut command(&desk.place, "codex"), input.as_bytes());
    let mut told = asks();
    let (word, reason) = taken("codex", &told);
    assert_eq!(word, "deny");
    told.stderr = reason.into_bytes();
    desk.approve(number(&told), "");
    assert_eq!(taken("codex", &asks()).0, "neutral");
    assert_eq!(taken("codex", &asks()).0, "deny");
}

#[test]
fn whatever_cannot_be_read_is_refused_in_the_words_of_the_agent() {
    let place = Place::new("hook-faults");
    let whole = |agent: &str| input(agent, &place, "ls");
    for agent in AGENTS {
        let mut without_cwd = whole(agent);
        without_cwd.as_object_mut().unwrap().remove("cwd");
        let mut gone = whole(agent);
        gone["cwd"] = json!("/nonexistent/folder");
        let mut number = whole(agent);
        for holder in ["tool_input", "toolArgs"] {
            if let Some(arguments) = number.get_mut(holder) {
                arguments["command"] = json!(1);
            }
        }
        if agent == "cursor" {
            number["command"] = json!(1);
        }
        let mut inputs: Vec<Vec<u8>> = vec![
            Vec::new(),
            b"{".to_vec(),
            b"null".to_vec(),
            b"[]".to_vec(),
            b"\xff\xfe".to_vec(),
            b"{}".to_vec(),
            vec![b'x'; 5 << 20],
            format!("{}{}", whole(agent), whole(agent)).into_bytes(),
            gone.to_string().into_bytes(),
            number.to_string().into_bytes(),
        ];
        if !matches!(agent, "gemini" | "crush") {
            inputs.push(without_cwd.to_string().into_bytes());
        }
        for input in inputs {
            let output = answered(&mut command(&place, agent), &input);
            let (word, reason) = taken(agent, &output);
            let shown = String::from_utf8_lossy(&input[..input.len().min(90)]).into_owned();
            assert_eq!(word, "deny", "{agent}: {shown}");
            assert!(reason.starts_with("kibosh: "), "{agent}: {reason}");
        }
    }
}

#[test]
fn another_tool_is_left_to_the_agent_and_another_event_is_refused() {
    let place = Place::new("hook-others");
    let mut edit = input("claude", &place, "ls");
    edit["tool_name"] = json!("Edit");
    edit["tool_input"] = json!({"file_path": "demolish never"});
    let mut after = input("claude", &place, "ls");
    after["hook_event_name"] = json!("PostToolUse");
    for (input, expected) in [(edit, "neutral"), (after, "deny")] {
        let output = answered(&mut command(&place, "claude"), input.to_string().as_bytes());
        assert_eq!(taken("claude", &output).0, expected, "{input}");
    }
}

#[test]
fn without_an_agent_that_is_known_or_with_a_broken_policy_nothing_is_run() {
    let place = Place::new("hook-broken");
    let line = input("claude", &place, "ls").to_string();
    for arguments in [
        &["hook"][..],
        &["hook", "pi"],
        &["hook", "claude", "x"],
        &["hook", "--no"],
    ] {
        let mut command = place.command(KIBOSH);
        let output = answered(command.args(arguments), line.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    std::fs::write(place.path().join(".kibosh.toml"), "[[rule]\n").unwrap();
    assert_eq!(word("claude", &place, "ls").0, "deny");
    // An answer that cannot be given is a refusal, too.
    for file in ["/dev/full", "/dev/null"] {
        let full = std::fs::OpenOptions::new().write(true).open(file).unwrap();
        let mut command = command(&place, "claude");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(full)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{file}");
    }
    let never = input("claude", &place, "demolish never").to_string();
    std::fs::write(place.path().join("call.json"), never).unwrap();
    let closed = place
        .command("sh")
        .args(["-c", "\"$0\" hook claude < call.json >&-", KIBOSH])
        .output()
        .unwrap();
    assert_eq!(closed.status.code(), Some(2));
}

#[test]
fn where_the_shell_of_the_agent_is_kibosh_nobody_is_asked_twice() {
    let place = Place::new("hook-twice");
    let names = place.path().join("lib/kibosh");
    std::fs::create_dir_all(&names).unwrap();
    symlink(KIBOSH, names.join("bash")).unwrap();
    let asked = |agent: &str, variable: &str, shell: &str, line: &str| {
        let mut command = command(&place, agent);
        command.env(variable, shell);
        let input = input(agent, &place, line).to_string();
        taken(agent, &answered(&mut command, input.as_bytes())).0
    };
    let bash = names.join("bash").display().to_string();
    for (agent, variable, shell, line, expected) in [
        ("claude", "SHELL", bash.as_str(), ASKED, "neutral"),
        ("claude", "CLAUDE_CODE_SHELL", &bash, ASKED, "neutral"),
        ("claude", "SHELL", &bash, "demolish never", "deny"),
        // The first variable that is set decides, and its path must be one that Claude Code takes.
        ("claude", "CLAUDE_CODE_SHELL", "/bin/bash", ASKED, "ask"),
        ("claude", "SHELL", "/bin/sh", ASKED, "ask"),
        // These take no notice of SHELL.
        ("codex", "SHELL", &bash, ASKED, "deny"),
        ("copilot", "SHELL", &bash, ASKED, "ask"),
    ] {
        assert_eq!(
            asked(agent, variable, shell, line),
            expected,
            "{agent} {variable}={shell} {line}"
        );
    }
    // With a prefix it is not known who gets the command.
    let mut command = command(&place, "claude");
    command
        .env("SHELL", &bash)
        .env("CLAUDE_CODE_SHELL_PREFIX", "nice");
    let input = input("claude", &place, ASKED).to_string();
    let output = answered(&mut command, input.as_bytes());
    assert_eq!(taken("claude", &output).0, "ask");
}

#[test]
fn below_kibosh_run_the_gate_asks_and_below_one_shell_the_hook_does() {
    let place = Place::new("hook-gate");
    let input = input("claude", &place, ASKED).to_string();
    std::fs::write(place.path().join("call.json"), input).unwrap();
    let line = |agent| format!("kibosh hook {agent} < call.json; echo \"status $?\"");
    let said = |arguments: &[&str], agent| {
        let folder = std::path::Path::new(KIBOSH).parent().unwrap();
        let path = format!("{}:{}", folder.display(), place.search_path());
        let output = place
            .command(KIBOSH)
            .args(arguments)
            .arg(line(agent))
            .env("PATH", path)
            .env("SHELL", "/bin/sh")
            .env_remove("CLAUDE_CODE_SHELL")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let below_run = ["run", "--", "env", "SHELL=/bin/sh", "sh", "-c"];
    let above = said(&below_run, "claude");
    assert_eq!(above.trim(), "status 0");
    let beside = said(&["-c"], "claude");
    assert!(beside.contains(r#""permissionDecision":"ask""#), "{beside}");
    // It starts no shell: what it reads of a line by itself, no gate sees.
    let input = self::input("crush", &place, ASKED).to_string();
    std::fs::write(place.path().join("call.json"), input).unwrap();
    let above = said(&below_run, "crush");
    assert!(above.contains(r#""decision":"deny""#), "{above}");
}
