//! What an exec is called with cannot be exchanged after it was judged: each class of writer against a gate
//! that only looks once, which loses, and against kibosh, which must not lose once.
//!
//! `KIBOSH_RACES` says how often each is tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::place::Place;

/// How often each is tried where nothing says otherwise.
const TRIES: u32 = 1_000;

fn tries() -> u32 {
    std::env::var("KIBOSH_RACES")
        .map(|tries| tries.parse().unwrap())
        .unwrap_or(TRIES)
}

/// A place with the racing program, and with `demolish` and `renovate` as programs that leave a mark.
fn place(test: &str) -> Place {
    let place = Place::new(test);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/races");
    let log = place.path().join("ran");
    for name in ["demolish", "renovate"] {
        let program = place.path().join("bin").join(name);
        let _ = fs::remove_file(&program);
        compile(
            &source.join("program.c"),
            &program,
            &[
                "-static",
                &format!("-DNAME=\"{name}\""),
                &format!("-DMARK=\"{}\"", log.display()),
            ],
        );
    }
    compile(
        &source.join("race.c"),
        &place.path().join("race"),
        &["-pthread"],
    );
    place
}

/// Compiles a program; a C compiler is there wherever cargo can link.
fn compile(source: &Path, program: &Path, options: &[&str]) {
    let done = Command::new("cc")
        .arg("-O1")
        .args(options)
        .arg("-o")
        .arg(program)
        .arg(source)
        .status()
        .expect("cc compiles the racing programs");
    assert!(done.success(), "{}", source.display());
}

fn naive_gate() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_kibosh")).parent().unwrap();
    let gate = folder.join("examples/naive-gate");
    assert!(
        gate.exists(),
        "`cargo test` builds the gate to compare with; for this test alone, `cargo build --example naive-gate` does"
    );
    gate
}

/// How often each program was started with each word.
fn count(place: &Place, line: &str) -> usize {
    let ran = place.ran().unwrap_or_default();
    ran.lines().filter(|found| *found == line).count()
}

fn race(class: &str, harmless: &str) {
    let place = place(&format!("race-{class}"));
    let bin = place.path().join("bin");
    let race = |gate: &mut Command, tries: u32| {
        let done = gate
            .arg(place.path().join("race"))
            .args([class, &tries.to_string()])
            .arg(bin.join(harmless))
            .arg(bin.join("demolish"))
            .current_dir(place.path())
            .env("PATH", place.search_path())
            // Each refusal is told there.
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "{class}: {done}");
        let won = count(&place, "demolish all");
        let started = place.ran().unwrap_or_default().lines().count();
        fs::remove_file(place.path().join("ran")).unwrap();
        (won, started)
    };
    // The control: until a gate that looks once has lost.
    let mut lost = 0;
    for _ in 0..10 {
        lost += race(&mut Command::new(naive_gate()), 1_000).0;
        if lost > 0 {
            break;
        }
    }
    assert!(
        lost > 0,
        "{class}: the naive gate has lost no race in 10,000"
    );
    let mut guarded = Command::new(env!("CARGO_BIN_EXE_kibosh"));
    guarded.args(["-c", "exec \"$@\"", "race"]);
    let (won, started) = race(&mut guarded, tries());
    assert_eq!(won, 0, "{class}: {won} of {started} started unjudged");
    assert!(started > 0, "{class}: nothing harmless was started");
}

#[test]
fn a_thread_of_the_caller_exchanges_nothing() {
    race("thread", "demolish");
}

#[test]
fn a_thread_of_a_parent_that_shares_its_memory_exchanges_nothing() {
    race("vfork", "demolish");
}

#[test]
fn a_process_that_shares_a_page_exchanges_nothing() {
    race("shared", "demolish");
}

#[test]
fn a_process_that_writes_into_the_caller_exchanges_nothing() {
    race("writev", "demolish");
}

#[test]
fn a_link_that_is_led_elsewhere_exchanges_nothing() {
    race("symlink", "renovate");
}
