//! What a decision costs: in a stream (`check --batch`) on one core, and as a whole process beside
//! `bash -c true` in the same run. Run by `cargo bench --bench decisions`.
//!
//! `KIBOSH` names another binary to measure, such as the static one.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be taken ends"
)]

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Lines an agent sends every day.
const TYPICAL: &str = include_str!("data/typical.txt");
/// How often they are asked in one stream.
const ROUNDS: usize = 400;
/// How many whole processes are started of each kind.
const PROCESSES: usize = 200;

fn kibosh() -> String {
    std::env::var("KIBOSH").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kibosh").to_owned())
}

/// The processor time of the children that were waited for.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage knows this");
    let part = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(
            u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default(),
        )
    };
    part(usage.user_time()) + part(usage.system_time())
}

/// Lines a second that one process decides, by its own processor time.
fn stream() {
    let mut questions = String::new();
    for _ in 0..ROUNDS {
        for line in TYPICAL.lines() {
            questions.push_str(&serde_json::json!({ "id": 1, "command": line }).to_string());
            questions.push('\n');
        }
    }
    let before = children();
    let start = Instant::now();
    let mut judge = Command::new(kibosh())
        .args(["check", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kibosh starts");
    let mut input = judge.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let mut answers = String::new();
    judge
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut answers)
        .expect("answers are text");
    writer
        .join()
        .expect("the writer ends")
        .expect("all is written");
    assert!(judge.wait().expect("kibosh ends").success());
    let (wall, cpu) = (start.elapsed(), children() - before);
    let count = answers.lines().count();
    let stopped = answers.lines().filter(|a| !a.contains("\"allow\"")).count();
    println!("stream: {count} lines, {stopped} stopped");
    println!(
        "  {:.0} lines a second by processor time",
        count as f64 / cpu.as_secs_f64()
    );
    println!(
        "  {:.0} lines a second by wall time",
        count as f64 / wall.as_secs_f64()
    );
}

/// The processor time of one whole process, the mean of many.
fn process(program: &str, arguments: &[&str]) -> Duration {
    let before = children();
    for _ in 0..PROCESSES {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the program starts");
    }
    (children() - before) / u32::try_from(PROCESSES).unwrap_or(1)
}

fn main() {
    stream();
    let kibosh = kibosh();
    let danger = "terraform destroy -auto-approve && terraform apply -auto-approve";
    let compound = "set -e\ncd web\nnpm ci\nfor f in src/*.ts; do echo \"$f\"; done | sort -u > files.txt\nif [ -f .env ]; then . ./.env; fi\ngit add -A && git commit -m 'build: list files'\ndocker compose up -d db\ngit push origin HEAD\nrm -rf dist";
    let bash = process("bash", &["-c", "true"]);
    println!("whole processes, processor time each:");
    println!(
        "  bash -c true                {:7.2} ms",
        bash.as_secs_f64() * 1e3
    );
    for (name, line) in [
        ("ls -la", "ls -la"),
        ("destroy and apply", danger),
        ("nine lines", compound),
    ] {
        let one = process(&kibosh, &["check", line]);
        println!(
            "  kibosh check, {name:14}{:7.2} ms, {:.2} of bash",
            one.as_secs_f64() * 1e3,
            one.as_secs_f64() / bash.as_secs_f64()
        );
    }
}
