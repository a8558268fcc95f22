//! Programs that try what no shell can: compiled from `tests/probes` by the C compiler with which cargo
//! links.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::patience::Patience;
use super::place::Place;

/// Who has no rights.
pub const NOBODY: &str = "65534";

/// The compiled program of a source; made once by all tests together.
pub fn probe(name: &str) -> PathBuf {
    static MADE: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap();
    let made = made.get_or_insert_default();
    if let Some(program) = made.get(name) {
        return program.clone();
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("probe-{name}"));
    compile(name, &program, &["-pthread"]);
    made.insert(name.to_owned(), program.clone());
    program
}

/// Compiles a source to a program.
pub fn compile(name: &str, program: &Path, options: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/probes/{name}.c"));
    // Another run of the tests may be starting the last one.
    let fresh = program.with_extension(std::process::id().to_string());
    let done = Command::new("cc")
        .arg("-O1")
        .args(options)
        .arg("-o")
        .arg(&fresh)
        .arg(&source)
        .status()
        .expect("cc compiles the probes");
    assert!(done.success(), "{}", source.display());
    fs::rename(fresh, program).unwrap();
}

/// A place in which `demolish` and `renovate` are programs that leave a mark, each one of its own, and which
/// everybody may enter.
pub fn place(test: &str) -> Place {
    let place = Place::new(test);
    for name in ["demolish", "renovate"] {
        let program = place.path().join("bin").join(name);
        fs::remove_file(&program).ok();
        let log = format!("-DWHERE=\"{}\"", place.path().join("ran").display());
        compile("program", &program, &[&log, &format!("-DNAME=\"{name}\"")]);
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    place
}

/// kibosh without a terminal, that becomes a program under its gate, by words that the line does not show.
pub fn guarded(place: &Place, words: &[&str]) -> Output {
    hide(place, words);
    line(place, "mapfile -d '' -t words <words; exec \"${words[@]}\"")
}

/// The probe `start` under kibosh, whose words nobody but it reads.
pub fn start(place: &Place, words: &[&str]) -> Output {
    hide(place, words);
    line(place, &format!("exec {} words", probe("start").display()))
}

/// The same without kibosh.
pub fn start_plainly(place: &Place, words: &[&str]) -> Output {
    hide(place, words);
    run(place.command(probe("start").to_str().unwrap()).arg("words"))
}

/// Writes words to the file `words` of a place.
pub fn hide(place: &Place, words: &[&str]) {
    let text: String = words.iter().map(|word| format!("{word}\0")).collect();
    fs::write(place.path().join("words"), text).unwrap();
}

/// A line of kibosh without a terminal.
pub fn line(place: &Place, line: &str) -> Output {
    run(place
        .command(env!("CARGO_BIN_EXE_kibosh"))
        .args(["-c", line]))
}

/// Runs a command to its end, which must come soon.
pub fn run(command: &mut Command) -> Output {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if is_done.recv_timeout(Duration::from_secs(60)).is_err() {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(id.cast_signed()),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    watch.join().unwrap();
    output
}

/// What was written to standard output.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What was written to standard error.
pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Says that an exec was refused, by words and by the mark that is not there.
pub fn assert_refused(place: &Place, output: &Output, what: &str) {
    assert!(
        told(output).contains("kibosh: not started: "),
        "{what}: {output:?}"
    );
    assert_eq!(place.ran(), None, "{what}: {output:?}");
}

/// Says what was started, and forgets it.
pub fn assert_ran(place: &Place, output: &Output, marks: &str, what: &str) {
    assert_eq!(place.ran().as_deref(), Some(marks), "{what}: {output:?}");
    fs::remove_file(place.path().join("ran")).unwrap();
}

/// The words with which a program is started as somebody without rights: the tests may be run by root.
pub fn without_rights() -> Vec<&'static str> {
    if nix::unistd::geteuid().is_root() {
        vec![
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "--",
        ]
    } else {
        Vec::new()
    }
}

/// Copies a program, by one that does only that: a child that another test makes meanwhile would hold a file open that
/// was opened for writing here, and what is open for writing cannot be started (ETXTBSY of execve(2)).
#[track_caller]
pub fn copy_program(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let mut copy = Command::new("cp");
    copy.args(["--preserve=mode", "--"])
        .arg(from.as_ref())
        .arg(to.as_ref());
    assert!(copy.status().unwrap().success(), "{copy:?}");
}

/// The program for somebody without rights, who may not look into the folder where it was built.
pub fn kibosh_for_all(place: &Place) -> PathBuf {
    copy_for_all(place, Path::new(env!("CARGO_BIN_EXE_kibosh")))
}

/// A copy of a program in a place.
pub fn copy_for_all(place: &Place, program: &Path) -> PathBuf {
    let copy = place.path().join(program.file_name().unwrap());
    copy_program(program, &copy);
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// The supervisor of the shell that leads this session: it leads a group of its own there, and is nobody's child
/// but of whoever adopts.
pub fn supervisor_of(session: u32) -> i32 {
    wait_for("supervisor", || {
        // From then on the shell is the real one, and whatever has a name is guarded by it.
        let shell = fs::read_to_string(format!("/proc/{session}/comm")).ok()?;
        (shell != "kibosh\n" && shell != "setsid\n" && shell != "setpriv\n").then_some(())?;
        // The shell itself has the name for a moment, which a slow look at all processes may see.
        let mut found = supervisors_in(session).into_iter();
        found.find(|&process| process != session.cast_signed())
    })
}

/// The supervisors of a session.
pub fn supervisors_in(session: u32) -> Vec<i32> {
    processes_in(session)
        .into_iter()
        .filter(|(process, name, state, group)| {
            name == "kibosh" && *state != 'Z' && group == process
        })
        .map(|(process, ..)| process)
        .collect()
}

/// The processes of a session: number, name, state and group (proc_pid_stat(5)).
pub fn processes_in(session: u32) -> Vec<(i32, String, char, i32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
            continue;
        };
        let (start, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').collect();
        if fields[3] == session.to_string() {
            let name = start.split_once('(').unwrap().1.to_owned();
            let state = fields[0].chars().next().unwrap();
            found.push((process, name, state, fields[2].parse().unwrap()));
        }
    }
    found
}

/// A file from which others are kept: whoever opens it waits (F_SETLEASE of fcntl(2)).
pub struct Held(Child);

impl Held {
    /// Keeps others from a file until this is dropped.
    pub fn new(file: &Path) -> Self {
        const HOLD: &str = "import fcntl, signal, sys, time\n\
            signal.signal(signal.SIGIO, signal.SIG_IGN)\n\
            file = open(sys.argv[1], 'r+')\n\
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n\
            print('held', flush=True)\n\
            time.sleep(600)\n";
        let mut child = Command::new("python3")
            .args(["-c", HOLD])
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 4];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut said)
            .unwrap();
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is there.
pub fn wait_for<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let mut patience = Patience::new(Duration::from_secs(20));
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(patience.turn().is_some(), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
