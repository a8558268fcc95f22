//! The record: a line for every decision.

use serde_json::json;

use crate::support::place::Place;
use crate::support::pty::Terminal;

/// Runs kibosh without a terminal.
fn run(place: &Place, arguments: &[&str]) -> Option<i32> {
    let output = place
        .command(env!("CARGO_BIN_EXE_kibosh"))
        .args(arguments)
        .output()
        .unwrap();
    output.status.code()
}

#[test]
fn every_decision_leaves_a_line_that_says_what_came_of_it() {
    let place = Place::new("lines");
    assert_eq!(run(&place, &["-c", "true"]), Some(0));
    assert_eq!(run(&place, &["-c", "demolish all"]), Some(126));
    assert_eq!(run(&place, &["-c", "demolish never"]), Some(126));
    run(&place, &["--dry-run", "-c", "demolish never"]);
    let seen: Vec<_> = place
        .record()
        .iter()
        .map(|line| {
            let rule = line
                .pointer("/findings/0/rule")
                .cloned()
                .unwrap_or_default();
            json!([
                line["text"],
                line["decision"],
                line["outcome"],
                line["why"],
                rule
            ])
        })
        .collect();
    assert_eq!(
        seen,
        [
            json!(["true", "allow", "ran", null, null]),
            json!(["demolish all", "confirm", "refused", "pending", "test.ask"]),
            json!(["demolish never", "deny", "refused", "policy", "test.never"]),
            json!(["demolish never", "deny", "dry-run", null, "test.never"]),
        ]
    );
}

#[test]
fn a_persons_yes_is_recorded_as_theirs() {
    let place = Place::new("approved");
    let mut terminal = Terminal::run(&format!(
        "cd '{}' && PATH='{}' \"$KIBOSH\" -c 'demolish all'",
        place.path().display(),
        place.search_path()
    ));
    terminal.wait_for("Run it?");
    terminal.keys("y\r");
    terminal.finish();
    let record = place.record();
    assert_eq!(record.len(), 1);
    assert_eq!(record[0]["outcome"], "approved");
    assert_eq!(record[0]["decision"], "confirm");
    assert_eq!(record[0]["cwd"], place.path().to_str().unwrap());
}

#[test]
fn secrets_do_not_reach_the_record() {
    let place = Place::new("secrets");
    run(&place, &["-c", "API_TOKEN=hunter2 true --password hunter2"]);
    let text = serde_json::to_string(&place.record()).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("API_TOKEN=[redacted]"), "{text}");
}

#[test]
fn a_record_that_cannot_be_written_changes_nothing() {
    let place = Place::new("unwritable");
    // No file may grow: the write would end the process by a signal.
    let limited = |line: &str| {
        let script = format!(
            "ulimit -f 0; exec {} -c '{line}'",
            env!("CARGO_BIN_EXE_kibosh")
        );
        place
            .command("sh")
            .args(["-c", &script])
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(limited("exit 4"), Some(4));
    assert_eq!(limited("demolish never"), Some(126));
    assert_eq!(place.record().len(), 0);
}

#[test]
fn no_variable_chooses_another_record() {
    let place = Place::new("moved");
    for name in ["HOME", "XDG_STATE_HOME", "TMPDIR"] {
        let mut command = place.command(env!("CARGO_BIN_EXE_kibosh"));
        command
            .args(["-c", name])
            .env(name, place.path())
            .output()
            .unwrap();
    }
    assert_eq!(place.record().len(), 3);
}

#[test]
fn the_log_shows_what_was_decided_and_counts_it_by_rule() {
    let place = Place::new("log");
    let line = format!(": {}; demolish never", place.path().display());
    assert_eq!(run(&place, &["-c", &line]), Some(126));
    let shown = |arguments: &[&str]| {
        let output = place
            .command(env!("CARGO_BIN_EXE_kibosh"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Other tests write at the same time.
    let last = shown(&["log", "-n", "5000"]);
    let row = last.lines().find(|row| row.contains(&line)).unwrap();
    assert!(
        row.contains("refused (policy)") && row.contains("test.never"),
        "{row}"
    );
    let denied = || -> u64 {
        let noise = shown(&["log", "--noise"]);
        let mut rows = noise.lines().filter(|row| row.ends_with("  test.never"));
        let row = rows.next().unwrap().to_owned();
        row.split_whitespace().nth(3).unwrap().parse().unwrap()
    };
    let before = denied();
    assert_eq!(run(&place, &["-c", &line]), Some(126));
    assert!(denied() > before);
}
