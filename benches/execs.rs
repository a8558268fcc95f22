//! What judging a program costs that is about to start: the real words of a build and of a script of git, judged in
//! one process, the first time (packs are decoded) and again, by wall time of one core. Run by
//! `cargo bench --bench execs`; `cargo bench --bench execs -- ROUNDS [FILE]` takes other numbers of rounds and other words.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be taken ends"
)]

use std::ffi::CString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kibosh::decide::Decision;
use kibosh::invocation::View;
use kibosh::judge::{self, Base, Exec, Nobody};
use kibosh::policy::Policy;

/// A path and the words of a program in each line, as an array of JSON.
const TYPICAL: &str = include_str!("data/execs.txt");
/// How often they are judged.
const ROUNDS: usize = 40;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let rounds = words.next().and_then(|word| word.parse().ok());
    let rounds: usize = rounds.unwrap_or(ROUNDS);
    let file = words.next();
    let text = file.map_or_else(
        || TYPICAL.to_owned(),
        |file| std::fs::read_to_string(file).expect("the file can be read"),
    );
    let lines: Vec<Vec<String>> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an array of words"))
        .collect();
    let environment: Vec<Vec<u8>> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}").into_bytes())
        .collect();
    let here = std::env::current_dir().ok();
    let view = |more: &[&str]| {
        let mut entries = environment.clone();
        entries.extend(more.iter().map(|entry| entry.as_bytes().to_vec()));
        View::of(PathBuf::from("/proc/self"), entries, here.clone())
    };
    let policy = Policy::shipped();
    let base = Base::of(&view(&[]), policy.limits());
    let mut first = Duration::ZERO;
    let mut stopped = 0;
    let begin = Instant::now();
    for round in 0..rounds {
        for line in &lines {
            let [path, argv @ ..] = line.as_slice() else {
                continue;
            };
            let exec = Exec {
                path: path.clone().into_bytes(),
                names: path
                    .rsplit('/')
                    .next()
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                argv: argv
                    .iter()
                    .filter_map(|word| CString::new(word.as_str()).ok())
                    .collect(),
                view: view(&["MAKEFLAGS=", "MAKELEVEL=1"]),
                interpreters: Vec::new(),
                is_kibosh: false,
            };
            let judged = judge::exec(&policy, &base, &exec, &Nobody);
            stopped += usize::from(judged.decision.effect != Decision::default().effect);
        }
        if round == 0 {
            first = begin.elapsed();
        }
    }
    let again = begin.elapsed() - first;
    let each = |time: Duration, rounds: usize| {
        time.as_secs_f64() * 1e6 / (lines.len() * rounds.max(1)) as f64
    };
    println!(
        "{} programs, {stopped} stopped in {rounds} rounds",
        lines.len()
    );
    println!("  the first time {:6.1} µs each", each(first, 1));
    println!("  again          {:6.1} µs each", each(again, rounds - 1));
}
