//! What the exec gate costs: the same work under bash and under kibosh, in turn, in one run. Prints the
//! median wall and processor time of both, and the ratios. With `--floor` also under supervisors that judge nothing
//! (`floor.rs`).
//!
//! `benches/gate.sh` builds the binary that is shipped, gets a source package, and calls this. The time of a
//! supervisor counts: it is no child of the shell, but comes to this program when the shell has ended.

mod floor;

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use floor::Floor;

/// One piece of work: its name, the text, how often it is repeated, and the most that the ratio of
/// wall and of processor time may be, where that is what counts.
struct Work {
    name: &'static str,
    text: String,
    rounds: usize,
    limits: (Option<f64>, Option<f64>),
    /// A folder that is made anew from this one before each run.
    fresh: Option<PathBuf>,
}

/// The path of a shell, and the word before `-c`, if there is one.
type Shell<'a> = (&'a str, Option<&'a str>);

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let Some((first, arguments)) = words.split_first()
        && let Some(floor) = Floor::ALL.into_iter().find(|floor| floor.option() == first)
    {
        eprintln!("{:?}", floor::become_shell(floor, arguments));
        return ExitCode::FAILURE;
    }
    let with_floor = words.iter().any(|word| word == "--floor");
    words.retain(|word| word != "--floor");
    let [kibosh, source, rest @ ..] = words.as_slice() else {
        eprintln!("usage: gate [--floor] KIBOSH FOLDER-OF-A-CONFIGURE-SCRIPT [WORK…]");
        return ExitCode::FAILURE;
    };
    let mut shells = vec![("/bin/bash", None), (kibosh.as_str(), None)];
    if with_floor {
        let floors = Floor::ALL.map(|floor| ("/proc/self/exe", Some(floor.option())));
        shells.extend(floors);
    }
    let place = std::env::temp_dir().join(format!("kibosh-gate-{}", std::process::id()));
    let ready = set_child_subreaper(true).is_ok() && fs::create_dir_all(&place).is_ok();
    assert!(ready, "there is a folder, and orphans come here");
    let mut met = true;
    for work in works(Path::new(source)) {
        if rest.is_empty() || rest.iter().any(|name| name == work.name) {
            met &= compare(&shells, &work, &place);
        }
    }
    let _ = fs::remove_dir_all(&place);
    if met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn works(source: &Path) -> Vec<Work> {
    let work = |name, text: &str, rounds, limits| Work {
        name,
        text: text.to_owned(),
        rounds,
        limits,
        fresh: None,
    };
    let git = "rm -rf r && git init -q r && cd r && git config user.name a && git config user.email a@b && \
               for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >f$i && git add f$i && git commit -qm $i; done && \
               git checkout -q -b x && git merge -q HEAD && git log --oneline | wc -l && git gc -q";
    let mut works = vec![
        work("start", "true", 400, (Some(1.25), None)),
        work(
            "loop",
            "i=0; while ((i++ < 2000)); do /bin/true; done",
            9,
            (Some(1.12), None),
        ),
        work("git", git, 15, (None, Some(1.06))),
    ];
    if source.join("configure").exists() {
        works.push(Work {
            fresh: Some(source.to_path_buf()),
            ..work(
                "configure",
                "./configure >/dev/null 2>&1",
                5,
                (None, Some(1.03)),
            )
        });
    }
    if source.join("Makefile").exists() {
        works.push(Work {
            fresh: Some(source.to_path_buf()),
            ..work(
                "make",
                "make clean >/dev/null && make >/dev/null 2>&1",
                7,
                (None, Some(1.04)),
            )
        });
    }
    works
}

/// Wall and processor time of one run.
fn run(shell: Shell<'_>, work: &Work, place: &Path) -> (f64, f64) {
    let folder = match &work.fresh {
        Some(source) => {
            let folder = place.join("source");
            let _ = fs::remove_dir_all(&folder);
            let copied = Command::new("cp")
                .arg("-a")
                .arg(source)
                .arg(&folder)
                .status();
            assert!(copied.is_ok_and(|status| status.success()));
            folder
        }
        None => place.to_path_buf(),
    };
    let before = processor_time();
    let begin = Instant::now();
    let status = Command::new(shell.0)
        .args(shell.1)
        .args(["-c", &work.text])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let wall = begin.elapsed();
    assert!(
        status.is_ok_and(|status| status.success()),
        "`{}` under {shell:?} failed",
        work.name
    );
    wait_for_the_rest(work.name);
    let processor = processor_time().saturating_sub(before);
    (wall.as_secs_f64(), processor.as_secs_f64())
}

/// Waits for what a shell leaves behind: its supervisor. What stays longer is no work of this kind, such as the
/// broker of a question.
fn wait_for_the_rest(work: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {
                assert!(
                    Instant::now() < end,
                    "`{work}` left a process behind; `kibosh log` tells whether something was asked"
                );
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// The processor time of all children that have been waited for.
fn processor_time() -> Duration {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(Duration::ZERO, |usage| {
        let time = usage.user_time() + usage.system_time();
        Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default())
    })
}

/// Runs a work under each shell in turn; whether the second one, kibosh, is within its limits beside the first.
fn compare(shells: &[Shell<'_>], work: &Work, place: &Path) -> bool {
    let mut times = vec![Vec::new(); shells.len()];
    let chance = RandomState::new();
    for round in 0..work.rounds {
        // What ran before leaves the machine in another state, so each follows each.
        let mut turn: Vec<_> = shells.iter().copied().zip(&mut times).collect();
        turn.sort_by_key(|(shell, _)| chance.hash_one((round, shell)));
        for (shell, times) in turn {
            times.push(run(shell, work, place));
        }
    }
    let medians = times.into_iter().map(|times| {
        let (wall, processor): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
        (median(wall), median(processor))
    });
    let medians: Vec<_> = medians.collect();
    let [bash, kibosh, floors @ ..] = medians.as_slice() else {
        return false;
    };
    let (wall, processor) = (kibosh.0 / bash.0, kibosh.1 / bash.1);
    let limit =
        |limit: Option<f64>| limit.map_or(String::new(), |limit| format!(" (at most {limit})"));
    println!(
        "{:<10} wall {:>9.2} ms / {:>9.2} ms = {wall:.3}{}  cpu {:>9.2} ms / {:>9.2} ms = {processor:.3}{}",
        work.name,
        kibosh.0 * 1e3,
        bash.0 * 1e3,
        limit(work.limits.0),
        kibosh.1 * 1e3,
        bash.1 * 1e3,
        limit(work.limits.1),
    );
    for (floor, times) in Floor::ALL.into_iter().zip(floors) {
        println!(
            "{:<10} wall {:>9.2} ms = {:.3}  cpu {:>9.2} ms = {:.3}",
            format!("  {floor:?}").to_lowercase(),
            times.0 * 1e3,
            times.0 / bash.0,
            times.1 * 1e3,
            times.1 / bash.1,
        );
    }
    work.limits.0.is_none_or(|limit| wall <= limit)
        && work.limits.1.is_none_or(|limit| processor <= limit)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
