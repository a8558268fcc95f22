//! `kibosh init`: what it changes, that it changes nothing else, and that it takes it back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::pty::Terminal;

/// A home with kibosh installed beside it as `install.sh` does, and agents in PATH.
struct Home(Place);

impl Home {
    fn new(test: &str, agents: &[&str]) -> Self {
        let place = Place::bare(&format!("init-{test}"));
        let at = |name: &str| place.path().join(name);
        for folder in ["bin", "lib/kibosh", "home", "agents"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let built = Path::new(env!("CARGO_BIN_EXE_kibosh"));
        // By another program, as none may hold it open for writing when it is started.
        let copied = Command::new("cp").arg(built).arg(at("bin")).status();
        assert!(copied.unwrap().success());
        symlink("../../bin/kibosh", at("lib/kibosh/bash")).unwrap();
        symlink("../../bin/kibosh", at("lib/kibosh/sh")).unwrap();
        for agent in agents {
            let file = at("agents").join(agent);
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(place)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self, name: &str, text: &str) -> PathBuf {
        let file = self.at("home").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    fn search_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.at("agents").display())
    }

    /// Runs it without a terminal.
    fn init(&self, arguments: &[&str]) -> Output {
        Command::new("setsid")
            .arg("--wait")
            .arg(self.at("bin/kibosh"))
            .arg("init")
            .args(arguments)
            .env("HOME", self.at("home"))
            .env("PATH", self.search_path())
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same, which has to end so; gives all that it said.
    #[track_caller]
    fn said(&self, arguments: &[&str], status: i32) -> String {
        let output = self.init(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        said
    }

    fn command(&self, agent: &str) -> String {
        format!("{} hook {agent}", self.at("bin/kibosh").display())
    }
}

fn json_of(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Those that can be set up.
const AGENTS: [&str; 11] = [
    "claude",
    "gemini",
    "qwen",
    "codex",
    "copilot",
    "opencode",
    "kilo",
    "pi",
    "droid",
    "crush",
    "cursor-agent",
];

/// Settings that somebody has written by hand.
const FOREIGN: &str = "{\n    \"model\": \"x\",   \"env\": { \"A\": \"1\" },\n    \"hooks\": {\n        \"PreToolUse\": [\n            {\"matcher\": \"Edit\", \"hooks\": []}\n        ],\n        \"Stop\": []\n    },\n    \"é\": \"\\\"}\"\n}";

#[test]
fn claude_gets_its_shell_and_its_hook_and_loses_exactly_them() {
    let home = Home::new("claude", &["claude"]);
    let file = home.settings(".claude/settings.json", FOREIGN);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let said = home.said(&["--yes"], 0);
    assert!(
        said.contains("+   ") && said.contains("CLAUDE_CODE_SHELL") && said.contains("done"),
        "{said}"
    );
    let settings = json_of(&file);
    let shell = home.at("lib/kibosh/bash").display().to_string();
    assert_eq!(
        settings["env"],
        json!({"A": "1", "CLAUDE_CODE_SHELL": shell})
    );
    assert_eq!(
        settings["hooks"]["PreToolUse"],
        json!([
            {"matcher": "Edit", "hooks": []},
            {"matcher": "Bash", "hooks": [{"type": "command", "command": home.command("claude")}]},
        ])
    );
    assert_eq!(settings["é"], "\"}");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    let once = fs::read(&file).unwrap();
    assert!(home.said(&["--yes"], 0).contains("set up already"));
    assert_eq!(fs::read(&file).unwrap(), once);
    home.said(&["claude", "--undo", "--yes"], 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), FOREIGN);
    assert!(
        home.said(&["--undo", "--yes"], 0)
            .contains("nothing of kibosh")
    );
    let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn each_agent_is_set_up_in_its_own_file_which_goes_again_where_it_held_nothing_else() {
    let home = Home::new("each", &AGENTS);
    home.said(&["--yes"], 0);
    let shell = home.at("lib/kibosh/bash").display().to_string();
    let item = |tool: &str, agent: &str| json!([{"matcher": tool, "hooks": [{"type": "command", "command": home.command(agent)}]}]);
    let files = [
        (
            ".gemini/settings.json",
            json!({"hooks": {"BeforeTool": item("run_shell_command", "gemini")}}),
        ),
        (
            ".qwen/settings.json",
            json!({"hooks": {"PreToolUse": item("run_shell_command", "qwen")}}),
        ),
        (
            ".codex/hooks.json",
            json!({"hooks": {"PreToolUse": item("Bash", "codex")}}),
        ),
        (
            ".copilot/hooks/kibosh.json",
            json!({"version": 1, "hooks": {"preToolUse":
                [{"type": "command", "bash": home.command("copilot"), "timeoutSec": 60}]}}),
        ),
        (".config/opencode/opencode.jsonc", json!({"shell": shell})),
        (".config/kilo/kilo.jsonc", json!({"shell": shell})),
        (".pi/agent/settings.json", json!({"shellPath": shell})),
        (
            ".factory/settings.json",
            json!({"hooks": {"PreToolUse": item("Execute", "droid")}}),
        ),
        (
            ".config/crush/crush.json",
            json!({"hooks": {"PreToolUse": [{"matcher": "^bash$", "command": home.command("crush")}]}}),
        ),
        (
            ".cursor/hooks.json",
            json!({"version": 1, "hooks": {"beforeShellExecution": [{"command": home.command("cursor-agent")}]}}),
        ),
    ];
    assert_eq!(files.len(), AGENTS.len() - 1);
    for (file, expected) in &files {
        assert_eq!(json_of(&home.at("home").join(file)), *expected, "{file}");
    }
    let all = || {
        files
            .each_ref()
            .map(|(file, _)| fs::read(home.at("home").join(file)).unwrap())
    };
    let once = all();
    let said = home.said(&["--yes"], 0);
    assert_eq!(
        said.matches("set up already").count(),
        AGENTS.len(),
        "{said}"
    );
    assert_eq!(all(), once);
    home.said(&["--undo", "--yes"], 0);
    for (file, _) in &files {
        assert!(!home.at("home").join(file).exists(), "{file}");
    }
    assert!(!home.at("home/.claude/settings.json").exists());
}

#[test]
fn the_hook_that_is_put_in_is_one_that_answers() {
    let agents = ["gemini", "droid", "crush", "cursor-agent"];
    let home = Home::new("answers", &agents);
    home.said(&["--yes"], 0);
    let cwd = home.at("home").display().to_string();
    let call = |event: &str, tool: &str| {
        json!({"hook_event_name": event, "tool_name": tool, "cwd": cwd, "command": "rm -rf /",
               "tool_input": {"command": "rm -rf /"}})
    };
    for (file, command, call, answer) in [
        (
            ".gemini/settings.json",
            "/hooks/BeforeTool/0/hooks/0/command",
            call("BeforeTool", "run_shell_command"),
            "/decision",
        ),
        (
            ".factory/settings.json",
            "/hooks/PreToolUse/0/hooks/0/command",
            call("PreToolUse", "Execute"),
            "/hookSpecificOutput/permissionDecision",
        ),
        (
            ".config/crush/crush.json",
            "/hooks/PreToolUse/0/command",
            call("PreToolUse", "bash"),
            "/decision",
        ),
        (
            ".cursor/hooks.json",
            "/hooks/beforeShellExecution/0/command",
            call("beforeShellExecution", ""),
            "/permission",
        ),
    ] {
        let settings = json_of(&home.at("home").join(file));
        let command = settings.pointer(command).unwrap().as_str().unwrap();
        let output = Command::new("sh")
            .args(["-c", &format!("{command} <<'X'\n{call}\nX")])
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said.pointer(answer).unwrap(), "deny", "{file}: {said}");
    }
}

#[test]
fn comments_stay_in_the_settings_of_an_agent_that_takes_them() {
    let home = Home::new("comments", &["opencode", "kilo"]);
    let text = "{\n  // mine: do not touch\n  \"model\": \"x/y\", /* \"shell\": 1 */\n  \"permission\": {\n    \
                \"bash\": \"ask\", // always\n  },\n}\n";
    let files = [".config/opencode/opencode.jsonc", ".config/kilo/kilo.jsonc"]
        .map(|name| home.settings(name, text));
    home.said(&["--yes"], 0);
    let shell = home.at("lib/kibosh/bash").display().to_string();
    for file in &files {
        let changed = fs::read_to_string(file).unwrap();
        let put = format!("\n  \"shell\": \"{shell}\",");
        assert_eq!(changed.replacen(&put, "", 1), text);
        assert!(changed.contains(&put), "{changed}");
    }
    let once = files.each_ref().map(|file| fs::read(file).unwrap());
    assert_eq!(
        home.said(&["--yes"], 0).matches("set up already").count(),
        2
    );
    assert_eq!(files.each_ref().map(|file| fs::read(file).unwrap()), once);
    home.said(&["--undo", "--yes"], 0);
    for file in &files {
        assert_eq!(fs::read_to_string(file).unwrap(), text);
        fs::write(file, "{\n  // mine\n  \"model\" \"x\"\n}\n").unwrap();
    }
    for agent in ["opencode", "kilo"] {
        let said = home.said(&[agent, "--yes"], 1);
        assert!(
            said.contains(".jsonc:3:11: ") && said.contains("with comments at most"),
            "{said}"
        );
    }
}

#[test]
fn comments_stay_where_an_agent_that_takes_them_gets_a_hook() {
    let home = Home::new("hook-comments", &["gemini"]);
    let text = "{\n  \"hooks\": {\n    // mine\n    \"BeforeTool\": [\n      // none yet\n    ]\n  } // end\n}\n";
    let file = home.settings(".gemini/settings.json", text);
    home.said(&["--yes"], 0);
    let changed = fs::read_to_string(&file).unwrap();
    assert!(changed.contains(&home.command("gemini")), "{changed}");
    for comment in ["// mine\n", "// none yet\n", "} // end\n"] {
        assert!(changed.contains(comment), "{changed}");
    }
    assert!(home.said(&["--yes"], 0).contains("set up already"));
    home.said(&["--undo", "--yes"], 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn where_an_agent_has_several_files_the_one_that_counts_is_changed_and_all_are_taken_back() {
    let home = Home::new("several", &["opencode"]);
    let folder = ".config/opencode";
    let json = home.settings(&format!("{folder}/opencode.json"), "{\"model\": \"x\"}\n");
    home.said(&["--yes"], 0);
    assert!(json_of(&json)["shell"].is_string());
    // It is put where it counts, and stands once.
    let jsonc = home.settings(
        &format!("{folder}/opencode.jsonc"),
        "{\"share\": \"disabled\"}\n",
    );
    home.said(&["--yes"], 0);
    assert_eq!(fs::read_to_string(&json).unwrap(), "{\"model\": \"x\"}\n");
    assert!(json_of(&jsonc)["shell"].is_string());
    fs::copy(&jsonc, &json).unwrap();
    home.said(&["--undo", "--yes"], 0);
    for file in [&json, &jsonc] {
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            "{\"share\": \"disabled\"}\n"
        );
    }
    // What somebody has set in any of them stays, and is not set aside unseen.
    for (file, other) in [(&json, &jsonc), (&jsonc, &json)] {
        fs::write(file, "{\"shell\": \"/bin/zsh\"}\n").unwrap();
        let before = fs::read(other).unwrap();
        let said = home.said(&["--yes"], 1);
        assert!(said.contains("`shell` is `\"/bin/zsh\"` already"), "{said}");
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            "{\"shell\": \"/bin/zsh\"}\n"
        );
        assert_eq!(fs::read(other).unwrap(), before);
        fs::write(file, "{ no").unwrap();
        home.said(&["--yes"], 1);
        fs::write(file, "{}").unwrap();
    }
}

#[test]
fn each_agent_keeps_what_somebody_else_has_set() {
    let home = Home::new("kept", &[]);
    for (agent, file, text) in [
        (
            "opencode",
            ".config/opencode/opencode.json",
            "{\"shell\": \"/bin/zsh\"}",
        ),
        (
            "kilo",
            ".config/kilo/config.json",
            "{\"shell\": \"/bin/zsh\"}",
        ),
        (
            "pi",
            ".pi/agent/settings.json",
            "{\"shellPath\": \"/bin/zsh\"}",
        ),
        ("pi", ".pi/agent/settings.json", "{} // none"),
        (
            "droid",
            ".factory/settings.json",
            "{\"hooks\": {\"PreToolUse\": {}}}",
        ),
        ("droid", ".factory/settings.json", "{ // none\n}"),
        ("crush", ".config/crush/crush.json", "{\"hooks\": []}"),
        ("cursor-agent", ".cursor/hooks.json", "{\"version\": 2}"),
        ("cursor-agent", ".cursor/hooks.json", "{\"version\": 1,}"),
    ] {
        let path = home.settings(file, text);
        let said = home.said(&[agent, "--yes"], 1);
        assert!(
            said.contains("was not changed") && said.contains("hint: "),
            "{said}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        if serde_json::from_str::<Value>(text).is_ok() {
            home.said(&[agent, "--undo", "--yes"], 0);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::remove_file(path).unwrap();
    }
    // Hooks of others stay beside that of kibosh, and what they need stays when it goes.
    for (agent, file, text) in [
        (
            "cursor-agent",
            ".cursor/hooks.json",
            "{\"version\": 1, \"hooks\": {\"beforeShellExecution\": [{\"command\": \"./mine\"}]}}\n",
        ),
        (
            "cursor-agent",
            ".cursor/hooks.json",
            "{\n  \"version\": 1,\n  \"hooks\": {\n    \"stop\": []\n  }\n}\n",
        ),
        (
            "crush",
            ".config/crush/crush.json",
            "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\"command\": \"./mine\"}\n    ]\n  },\n  \"lsp\": {}\n}\n",
        ),
        (
            "droid",
            ".factory/settings.json",
            "{\"model\": \"x\", \"hooks\": {\"PreToolUse\": [{\"matcher\": \"Edit\", \"hooks\": []}]}}\n",
        ),
        (
            "pi",
            ".pi/agent/settings.json",
            "{\n  \"theme\": \"dark\"\n}\n",
        ),
    ] {
        let path = home.settings(file, text);
        home.said(&[agent, "--yes"], 0);
        let changed = fs::read_to_string(&path).unwrap();
        assert!(changed.contains("kibosh") && changed != text, "{changed}");
        home.said(&[agent, "--undo", "--yes"], 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{agent}");
    }
}

#[test]
fn droid_is_set_up_in_the_file_that_it_looks_into() {
    for name in [".factory/hooks.json", ".factory/hooks/hooks.json"] {
        let home = Home::new("droid", &["droid"]);
        home.said(&["--yes"], 0);
        let usual = home.at("home/.factory/settings.json");
        assert!(usual.exists());
        let text = "{\n  \"PreToolUse\": [],\n  \"Stop\": []\n}\n";
        let other = home.settings(name, text);
        home.said(&["--yes"], 0);
        assert_eq!(
            json_of(&other)["PreToolUse"],
            json!([{"matcher": "Execute", "hooks": [{"type": "command", "command": home.command("droid")}]}])
        );
        assert!(!usual.exists());
        let once = fs::read(&other).unwrap();
        assert!(home.said(&["--yes"], 0).contains("set up already"));
        assert_eq!(fs::read(&other).unwrap(), once);
        home.said(&["--undo", "--yes"], 0);
        assert_eq!(json_of(&other), json!({"Stop": []}));
        fs::write(&other, "{\"PreToolUse\": 1}").unwrap();
        home.said(&["--yes"], 1);
        assert_eq!(fs::read_to_string(&other).unwrap(), "{\"PreToolUse\": 1}");
    }
}

#[test]
fn what_is_kept_elsewhere_than_in_dot_config_is_found_there() {
    let home = Home::new("xdg", &["opencode"]);
    let run = |arguments: &[&str]| {
        let mut init = Command::new(home.at("bin/kibosh"));
        init.arg("init").args(arguments).arg("--yes");
        init.env("HOME", home.at("home"))
            .env("PATH", home.search_path())
            .env("XDG_CONFIG_HOME", home.at("xdg"));
        let output = init.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run(&[]);
    let file = home.at("xdg/opencode/opencode.jsonc");
    assert!(json_of(&file)["shell"].is_string());
    assert!(!home.at("home/.config").exists());
    run(&["--undo"]);
    assert!(!file.exists());
}

#[test]
fn what_cannot_be_read_or_is_set_otherwise_is_not_touched_and_the_place_is_named() {
    let home = Home::new("refused", &["claude"]);
    for (text, told) in [
        ("{\n  // mine\n  \"a\": 1\n}\n", "settings.json:2:3: "),
        ("{\"a\": 1,}", "settings.json:1:9: "),
        ("[]", "settings.json:1:1: "),
        (
            "{\"env\": {\"CLAUDE_CODE_SHELL\": \"/bin/zsh\"}}",
            "`env.CLAUDE_CODE_SHELL` is `\"/bin/zsh\"` already",
        ),
        ("{\"hooks\": []}", "`hooks` is `[]` already"),
        (
            "{\"env\": {}, \"env\": {}}",
            "settings.json:1:13: a second `env`",
        ),
    ] {
        let file = home.settings(".claude/settings.json", text);
        let said = home.said(&["claude", "--yes"], 1);
        assert!(said.contains(told) && said.contains("hint: "), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    let file = home.at("home/.claude/settings.json");
    fs::write(&file, b"{\"a\": \"\xff\"}").unwrap();
    home.said(&["claude", "--yes"], 1);
    fs::remove_file(&file).unwrap();
    symlink("nowhere", &file).unwrap();
    home.said(&["claude", "--yes"], 1);
    assert_eq!(fs::read_link(&file).unwrap(), Path::new("nowhere"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    home.said(&["claude", "--yes"], 1);
}

#[test]
fn a_link_stays_a_link() {
    let home = Home::new("link", &["gemini"]);
    let kept = home.settings("dotfiles/gemini.json", "{}\n");
    let link = home.at("home/.gemini/settings.json");
    fs::create_dir(home.at("home/.gemini")).unwrap();
    symlink(&kept, &link).unwrap();
    home.said(&["--yes"], 0);
    assert_eq!(fs::read_link(&link).unwrap(), kept);
    assert!(json_of(&kept)["hooks"]["BeforeTool"].is_array());
    home.said(&["--undo", "--yes"], 0);
    assert_eq!(fs::read_link(&link).unwrap(), kept);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "{}\n");
}

#[test]
fn what_an_installation_elsewhere_has_put_there_is_replaced_and_taken_back() {
    let home = Home::new("moved", &["claude", "gemini", "opencode", "cursor-agent"]);
    home.said(&["--yes"], 0);
    let old = home
        .at("")
        .to_str()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let files = [
        ".claude/settings.json",
        ".gemini/settings.json",
        ".config/opencode/opencode.jsonc",
        ".cursor/hooks.json",
    ]
    .map(|name| home.at("home").join(name));
    let moved = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let text = text.replace(&old, "/opt/elsewhere");
        assert!(text.contains("/opt/elsewhere"));
        fs::write(file, text).unwrap();
    };
    files.iter().for_each(moved);
    home.said(&["--yes"], 0);
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("/opt/elsewhere"), "{text}");
        assert_eq!(
            text.matches(&old).count(),
            if text.contains("env") { 2 } else { 1 },
            "{text}"
        );
    }
    files.iter().for_each(moved);
    // And where kibosh is no shell any more.
    fs::remove_dir_all(home.at("lib")).unwrap();
    home.said(&["--undo", "--yes"], 0);
    assert!(files.iter().all(|file| !file.exists()));
    assert!(
        home.said(&["--undo", "--yes"], 0)
            .contains("nothing of kibosh")
    );
}

#[test]
fn a_home_that_is_reached_through_a_link_is_no_link_to_a_file() {
    let home = Home::new("linked", &["gemini"]);
    fs::rename(home.at("home"), home.at("real")).unwrap();
    symlink("real", home.at("home")).unwrap();
    home.said(&["--yes"], 0);
    assert!(home.at("real/.gemini/settings.json").exists());
    home.said(&["--undo", "--yes"], 0);
    assert!(!home.at("real/.gemini/settings.json").exists());
}

#[test]
fn nothing_is_written_without_a_person_who_says_yes() {
    let home = Home::new("asks", &["gemini"]);
    let file = home.settings(".gemini/settings.json", "{}\n");
    let said = home.said(&[], 126);
    assert!(
        said.contains("BeforeTool") && said.contains("nobody can be asked"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}\n");
    let run = |keys: &str| {
        let mut person = Terminal::run(&format!(
            "export HOME='{}' PATH='{}'\n'{}' init\necho status=$?",
            home.at("home").display(),
            home.search_path(),
            home.at("bin/kibosh").display()
        ));
        person.wait_for("Run it?");
        person.keys(keys);
        person.finish()
    };
    let screen = run("n\r");
    assert!(screen.contains("status=126"), "{screen}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}\n");
    let screen = run("y\r");
    assert!(screen.contains("status=0"), "{screen}");
    assert!(json_of(&file)["hooks"]["BeforeTool"].is_array());
}

#[test]
fn agents_without_settings_are_named_with_how_they_are_started() {
    let home = Home::new("others", &["mini", "goose", "cn"]);
    let said = home.said(&["--yes"], 0);
    let shell = home.at("lib/kibosh/bash").display().to_string();
    for told in [
        "mini-swe-agent: nothing that could be set up: its shell is always `/bin/sh`\n  \
         what covers it is only `kibosh run -- mini`\n"
            .to_owned(),
        format!(
            "goose: nothing that could be set up: its shell is the one that `GOOSE_SHELL` names, else `bash` from \
             PATH\n  what covers it is `kibosh run -- goose`, or `GOOSE_SHELL={shell} goose`\n"
        ),
        format!(
            "Continue: nothing that could be set up: its shell is the one that `SHELL` names\n  \
             what covers it is `kibosh run -- cn`, or `SHELL={shell} cn`\n"
        ),
    ] {
        assert!(said.contains(&told), "{said}");
    }
    for (agent, told) in [
        (
            "aider",
            "without a terminal it takes /bin/sh\n  what covers it is only `kibosh run -- aider`",
        ),
        (
            "cline",
            "always `/bin/bash`\n  what covers it is only `kibosh run -- cline`",
        ),
        (
            "auggie",
            "starts that through /bin/sh\n  what covers it is only `kibosh run -- auggie`",
        ),
        (
            "amp",
            "not known\n  what covers it is only `kibosh run -- amp`",
        ),
        ("kiro-cli", "its hook can be set up by hand"),
    ] {
        let said = home.said(&[agent, "--yes"], 0);
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(fs::read_dir(home.at("home")).unwrap().count(), 0);
    // Where only the lines are covered, it is said what covers the rest.
    for agent in [
        "codex",
        "gemini",
        "qwen",
        "copilot",
        "droid",
        "crush",
        "cursor-agent",
    ] {
        let said = home.said(&[agent, "--yes"], 0);
        assert!(said.contains(&format!("`kibosh run -- {agent}`")), "{said}");
        home.said(&[agent, "--undo", "--yes"], 0);
    }
    assert!(
        home.said(&["nobody", "--yes"], 125)
            .contains("no agent `nobody`")
    );
    let nobody = Home::new("nobody", &[]);
    assert!(nobody.said(&[], 0).contains("no agent that kibosh knows"));
    assert_eq!(fs::read_dir(nobody.at("home")).unwrap().count(), 0);
}
