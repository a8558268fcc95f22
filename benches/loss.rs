//! What a look at the machine costs: decisions in a repository of 50,000 files, each beside one about `true`, as
//! whole processes in turn. Run by `cargo bench --bench loss`; prints medians, what the look adds to the median and
//! to the fastest, how often the line was allowed, and the median of the command itself where it changes nothing, so that
//! it can be run as often. Last, the median of what the looks of all lines add.
//!
//! `KIBOSH` names another binary to measure, such as the static one.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be taken ends"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many directories there are, and files in each.
const FOLDERS: usize = 500;
const FILES: usize = 100;
/// How often each line is judged.
const ROUNDS: usize = 60;

/// The lines: nothing is lost by any of them. Whether they also change nothing.
const LINES: &[(&str, bool)] = &[
    ("git checkout -- d7/f7", true),
    ("rm -rf d7", false),
    ("rm -rf absent", true),
    ("git stash drop", true),
    ("git branch -D topic", false),
    ("git branch -D merged", false),
    ("git reset --hard", true),
    ("git reset --hard topic", true),
    ("git clean -fd", true),
];

fn kibosh() -> String {
    std::env::var("KIBOSH").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kibosh").to_owned())
}

fn git(place: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .current_dir(place)
        .stdout(Stdio::null())
        .status()
        .expect("git starts");
    assert!(done.success(), "git {arguments:?}");
}

/// A repository outside of what is temporary, where everything would be kept anyway.
fn repository() -> PathBuf {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid())
        .expect("users are known")
        .expect("this one is");
    let place = user
        .dir
        .join(format!("kibosh-loss-bench-{}", std::process::id()));
    for folder in 0..FOLDERS {
        let folder = place.join(format!("d{folder}"));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..FILES {
            fs::write(folder.join(format!("f{file}")), format!("{file}\n")).expect("a file");
        }
    }
    git(&place, &["init", "-q", "-b", "main"]);
    git(&place, &["add", "."]);
    git(&place, &["commit", "-qm", "first"]);
    git(&place, &["branch", "merged"]);
    git(&place, &["commit", "-q", "--allow-empty", "-m", "second"]);
    git(&place, &["branch", "topic"]);
    // What was written in the instant of the index is read again by each look.
    std::thread::sleep(Duration::from_millis(1100));
    git(&place, &["update-index", "-q", "--really-refresh"]);
    place
}

/// How long one decision takes, and whether it is an allow.
fn judged(place: &Path, line: &str) -> (Duration, bool) {
    let start = Instant::now();
    let status = Command::new(kibosh())
        .args(["check", line])
        .current_dir(place)
        .env_remove("GIT_DIR")
        .stdout(Stdio::null())
        .status()
        .expect("kibosh starts");
    (start.elapsed(), status.success())
}

/// How long the command itself takes.
fn itself(place: &Path, line: &str) -> Duration {
    let mut words = line.split(' ');
    let start = Instant::now();
    Command::new(words.next().unwrap_or_default())
        .args(words)
        .current_dir(place)
        .env_remove("GIT_DIR")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the command starts");
    start.elapsed()
}

/// The fastest and the median, in milliseconds.
fn told(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort();
    [0, times.len() / 2].map(|place| {
        let time = times.get(place).copied().unwrap_or_default();
        time.as_secs_f64() * 1e3
    })
}

fn main() {
    let place = repository();
    println!(
        "{:26} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "line", "ms", "adds", "at least", "allowed", "itself"
    );
    let mut all = Vec::new();
    for &(line, changes_nothing) in LINES {
        let (mut with, mut without, mut plain, mut allowed) =
            (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let (time, is_allowed) = judged(&place, line);
            with.push(time);
            allowed += usize::from(is_allowed);
            without.push(judged(&place, "true").0);
            if changes_nothing {
                plain.push(itself(&place, line));
            }
        }
        // Where most looks know nothing, the times are of something else.
        assert!(
            allowed > ROUNDS / 2,
            "`{line}`: {allowed} of {ROUNDS} are allowed"
        );
        let ([best, median], [best_without, without]) = (told(with), told(without));
        let (adds, least) = (median - without, best - best_without);
        let [_, own] = told(plain);
        let own = if changes_nothing {
            format!("{own:8.2}")
        } else {
            format!("{:>8}", "-")
        };
        println!("{line:26} {median:8.2} {adds:8.2} {least:8.2} {allowed:>5}/{ROUNDS} {own}");
        all.push(adds);
    }
    all.sort_by(f64::total_cmp);
    let median = all.get(all.len() / 2).copied().unwrap_or_default();
    println!("{:26} {:>8} {median:8.2}", "median of these", "");
    let _ = fs::remove_dir_all(&place);
}
