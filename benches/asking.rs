//! How long a person waits for a question, and the agent for what was answered: medians of an agent under
//! `kibosh run`, on a terminal, beside the same agent whose program nobody asks about.
//!
//! Run by `cargo bench --bench asking`. A rule of a project's policy asks about `demolish`; `renovate` is the
//! same program by another name. `KIBOSH_ROUNDS` says how often (30).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be taken ends"
)]

use std::time::{Duration, Instant};

#[path = "../tests/suite/support/patience.rs"]
mod patience;
#[path = "../tests/suite/support/place.rs"]
#[expect(dead_code, reason = "the suite uses more of it")]
mod place;
#[path = "../tests/suite/support/pty.rs"]
#[expect(dead_code, reason = "the suite uses more of it")]
mod pty;

use place::Place;
use pty::Terminal;

/// A person's keyboard must have been quiet for so long before an answer counts; that is no latency.
const QUIET: Duration = Duration::from_millis(400);

/// The agent: each time it is told to, it starts the program, and says that it has ended.
const AGENT: &str = "while read -r program; do \"$program\" all; printf 'ended:%s\\n' $?; done\n";

fn main() {
    let rounds: usize = std::env::var("KIBOSH_ROUNDS").map_or(30, |rounds| rounds.parse().unwrap());
    let place = Place::new("asking");
    for name in ["demolish", "renovate"] {
        place.program(name, "#!/bin/sh\nprintf 'ra''n:%s\\n' \"$1\"\n");
    }
    std::fs::write(place.path().join("agent.sh"), AGENT).unwrap();
    let mut terminal = Terminal::run(&format!(
        "cd '{}'; PATH='{}'; export PATH; stty -echo\n\
         \"$KIBOSH\" run -- /bin/bash ./agent.sh",
        place.path().display(),
        place.search_path()
    ));
    std::thread::sleep(Duration::from_secs(1));
    let (mut plain, mut shown, mut gone_on) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begin = Instant::now();
        terminal.keys("renovate\n");
        terminal.wait_for("ran:all");
        plain.push(begin.elapsed());
        terminal.wait_for("ended:0");

        let begin = Instant::now();
        terminal.keys("demolish\n");
        terminal.wait_for("a person must decide");
        shown.push(begin.elapsed());
        terminal.wait_for("Run it?");
        std::thread::sleep(QUIET);
        terminal.keys("y");
        std::thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        terminal.keys("\r");
        terminal.wait_for("ran:all");
        gone_on.push(begin.elapsed());
        terminal.wait_for("ended:0");
    }
    terminal.keys("\x04");
    let plain = median(plain);
    println!("program without a question   {}", milliseconds(plain));
    for (what, times) in [("exec to question", shown), ("key to program", gone_on)] {
        let time = median(times);
        let more = time.saturating_sub(plain);
        println!(
            "{what:<28} {}  over the plain one {} (at most 20 ms)",
            milliseconds(time),
            milliseconds(more)
        );
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap()
}

fn milliseconds(time: Duration) -> String {
    format!("{:6.2} ms", time.as_secs_f64() * 1000.0)
}
