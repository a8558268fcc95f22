//! How long `kibosh -c true` takes beside `bash -c true`, in one interleaved run, and how much memory.
//!
//! `benches/startup.sh` builds the binary that is shipped and calls this with its path.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Asks this program to run one command and to print its peak memory in kibibytes.
const MEMORY: &str = "--memory-of";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match (words.next(), words.next()) {
        (Some(word), Some(program)) if word == MEMORY => {
            start(&program);
            println!(
                "{}",
                getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss())
            );
            ExitCode::SUCCESS
        }
        (Some(kibosh), rounds) => compare(
            &kibosh,
            rounds.and_then(|text| text.parse().ok()).unwrap_or(1000),
        ),
        (None, _) => {
            eprintln!("usage: startup KIBOSH [ROUNDS]");
            ExitCode::FAILURE
        }
    }
}

fn compare(kibosh: &str, rounds: usize) -> ExitCode {
    let programs = ["/bin/bash", kibosh];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (program, times) in programs.iter().zip(&mut times) {
            times.push(start(program));
        }
    }
    let [bash, other] = times.map(median);
    let memory = programs.map(memory);
    println!(
        "bash    median {:>7.1} us  peak {:>6} KiB",
        micros(bash),
        memory[0]
    );
    println!(
        "kibosh  median {:>7.1} us  peak {:>6} KiB",
        micros(other),
        memory[1]
    );
    let wall = micros(other) / micros(bash);
    let peak = f64::from(memory[1]) / f64::from(memory[0].max(1));
    println!("ratio   {wall:.3} (at most 1.25)  {peak:.3} (at most 1.5)");
    if wall <= 1.25 && peak <= 1.5 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn start(program: &str) -> Duration {
    let begin = Instant::now();
    let status = Command::new(program)
        .args(["-c", "true"])
        .stdin(Stdio::null())
        .status();
    let time = begin.elapsed();
    assert!(
        status.is_ok_and(|status| status.success()),
        "`{program} -c true` failed"
    );
    time
}

fn memory(program: &str) -> u32 {
    let this = std::env::current_exe().ok();
    let output = this.and_then(|this| Command::new(this).args([MEMORY, program]).output().ok());
    output
        .and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok())
        .unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
