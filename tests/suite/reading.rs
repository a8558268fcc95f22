//! What is read against what a real shell runs.
//!
//! Each text is given to a real shell in an empty folder, where every program is a canary that only
//! writes down its words. Each command that ran must be among those that were read, or the reading
//! must say that something was not read.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kibosh::syntax::{
    AssignedValue, Command, Completeness, Compound, Dialect, Operation, Piece, Reading, Redirect,
    RedirectOperator, Script, Simple, Word, completeness, read,
};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// Stands for what cannot be known from the text.
const UNKNOWN: char = '\u{fffc}';

/// The names that are canaries.
const CANARIES: &[&str] = &[
    "rm", "cat", "ls", "xargs", "find", "touch", "tee", "a", "b", "c", "x", "y", "z", "f", "cmd",
];

/// Programs that run text or words they are given, which is not for the reading to see.
const RUNNERS: &[&str] = &[
    "eval", "trap", ".", "source", "exec", "builtin", "command", "time",
];

#[test]
fn hand_made_cases_hide_nothing_from_bash() {
    let canaries = Canaries::new("cases-bash");
    canaries.check_all(&cases(), Shell::Bash);
}

#[test]
fn hand_made_cases_hide_nothing_from_sh() {
    let canaries = Canaries::new("cases-sh");
    canaries.check_all(&cases(), Shell::Sh);
}

#[test]
fn hand_made_cases_hide_nothing_from_bash_called_as_sh() {
    let canaries = Canaries::new("cases-posix");
    canaries.check_all(&cases(), Shell::PosixBash);
}

#[test]
fn mutants_hide_nothing() {
    let canaries = Canaries::new("mutants");
    for (seed, shell) in [(1, Shell::Bash), (2, Shell::Sh), (3, Shell::PosixBash)] {
        canaries.check_all(&mutants(seed, 200), shell);
    }
}

/// The hand-made cases: a name and a text.
fn cases() -> Vec<(String, String)> {
    serde_json::from_str(include_str!("data/reading.json")).unwrap()
}

/// Texts made from the cases by small changes. None can name a file outside of its folder.
fn mutants(seed: u64, count: usize) -> Vec<(String, String)> {
    const PARTS: &[&str] = &[
        ";",
        "&",
        "|",
        "&&",
        "(",
        ")",
        "((",
        "))",
        "{",
        "}",
        " ",
        "\n",
        "\\\n",
        "\\",
        "\"",
        "'",
        "`",
        "$",
        "$(",
        "${",
        "$((",
        "<",
        ">",
        "<<E\n",
        "\nE\n",
        "<<'E'\n",
        "<<<",
        ">&",
        "<(",
        "#",
        " #",
        "=",
        "=(",
        "[",
        "]",
        "[[ ",
        " ]]",
        "!",
        "{a,b}",
        "if ",
        "then ",
        "fi",
        "do ",
        "done",
        "case x in ",
        "esac",
        "a) ",
        "time ",
        "f()",
        "${x:-",
        "$'",
        "\r",
        "rm -rf z",
        "\nrm -rf z\n",
        "$(rm -rf z)",
        "`rm -rf z`",
        "\u{e9}",
        "2>&1",
        ">&-",
        "\t",
        "*",
        "coproc ",
        "select ",
        "function f ",
    ];
    const CONTEXTS: &[(&str, &str)] = &[
        ("", ""),
        ("$(", ")"),
        ("\"$(", ")\""),
        ("(", ")"),
        ("{ ", "; }"),
        ("if a; then ", "; fi"),
        ("case x in x) ", ";; esac"),
        ("cat <<E\n$(", ")\nE"),
        ("echo ${x:-$(", ")}"),
        ("((", "); a)"),
        ("a=(", ")"),
        ("[[ $(", ") ]]"),
        ("cat <(", ")"),
        ("`", "`"),
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let bases: Vec<_> = cases()
        .into_iter()
        .filter(|(_, text)| !text.contains('/') && !text.contains("exec"))
        .collect();
    let mut mutants = Vec::new();
    while mutants.len() < count {
        let (name, base) = &bases[random(bases.len())];
        let (before, after) = CONTEXTS[random(CONTEXTS.len())];
        let mut text: Vec<char> = format!("{before}{base}{after}").chars().collect();
        for _ in 0..random(4) {
            let at = random(text.len() + 1);
            if random(4) == 0 && at < text.len() {
                text.remove(at);
            } else {
                text.splice(at..at, PARTS[random(PARTS.len())].chars());
            }
        }
        mutants.push((name.clone(), text.into_iter().collect()));
    }
    mutants
}

/// The shells that texts are given to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shell {
    Bash,
    Sh,
    PosixBash,
}

impl Shell {
    fn command(self) -> Process {
        match self {
            Self::Bash => {
                let mut bash = Process::new("/bin/bash");
                bash.args(["+o", "posix"]);
                bash
            }
            Self::Sh => Process::new("/bin/sh"),
            Self::PosixBash => {
                let mut bash = Process::new("/bin/bash");
                bash.arg0("sh");
                bash
            }
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            Self::Bash => Dialect::Bash,
            Self::Sh | Self::PosixBash => Dialect::Posix,
        }
    }
}

/// A folder of canaries.
struct Canaries {
    folder: PathBuf,
    next: AtomicUsize,
}

impl Drop for Canaries {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Canaries {
    fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("kibosh-read-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).unwrap();
        // One write for each, as those of a pipeline write at the same time.
        let script = "#!/bin/sh\nr=${0##*/}'<,>'\nfor w; do r=$r$w'<,>'; done\nprintf '%s<;>' \"$r\" >>\"$CANARY\"\n";
        for name in CANARIES {
            let file = folder.join("bin").join(name);
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self {
            folder,
            next: AtomicUsize::new(0),
        }
    }

    /// Checks texts, a few at a time, and tells all that were misread.
    fn check_all(&self, texts: &[(String, String)], shell: Shell) {
        let turn = AtomicUsize::new(0);
        let misread: Vec<String> = thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut misread = Vec::new();
                        while let Some((name, text)) =
                            texts.get(turn.fetch_add(1, Ordering::Relaxed))
                        {
                            misread.extend(self.check(name, text, shell));
                        }
                        misread
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        assert!(misread.is_empty(), "{}", misread.join("\n"));
    }

    /// What a shell runs of a text that was not read.
    fn check(&self, name: &str, text: &str, shell: Shell) -> Option<String> {
        let reading = read(text, shell.dialect());
        if !reading.unread.is_empty() || text.contains('\0') {
            return None;
        }
        let seen = commands(&reading);
        let hidden: Vec<_> = self
            .run(text, shell)
            .into_iter()
            .filter(|words| !seen.iter().any(|pattern| covers(pattern, words)))
            .collect();
        (!hidden.is_empty()).then(|| {
            format!("{name} under {shell:?}: {text:?} runs {hidden:?}, and {seen:?} was read")
        })
    }

    /// The words of every canary that a shell runs.
    fn run(&self, text: &str, shell: Shell) -> HashSet<Vec<String>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = self.folder.join(format!("{number}"));
        let log = self.folder.join(format!("{number}.log"));
        fs::create_dir(&place).unwrap();
        fs::write(&log, "").unwrap();
        let mut child = shell
            .command()
            .args(["-c", text])
            .env_clear()
            .env("PATH", self.folder.join("bin"))
            .env("HOME", "/nonexistent")
            .env("CANARY", &log)
            .current_dir(&place)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let group = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let start = Instant::now();
        // Loops without an end are part of the cases.
        while !has_ended(group)
            && start.elapsed() < Duration::from_secs(2)
            && fs::metadata(&log).is_ok_and(|log| log.len() < 4096)
        {
            thread::sleep(Duration::from_millis(2));
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = child.wait();
        let ran = read_log(&log);
        let _ = fs::remove_dir_all(&place);
        ran
    }
}

/// Whether a child has ended. It stays to be waited for, so that nobody else gets its number.
fn has_ended(child: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(
        waitid(Id::Pid(child), flags),
        Ok(WaitStatus::StillAlive) | Err(_)
    )
}

fn read_log(log: &Path) -> HashSet<Vec<String>> {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    let mut records: Vec<&str> = text.split("<;>").collect();
    // What stands after the last mark was cut off.
    records.pop();
    records
        .into_iter()
        .map(|record| {
            let record = record.strip_suffix("<,>").unwrap_or(record);
            record.split("<,>").map(str::to_owned).collect()
        })
        .collect()
}

/// Whether a command that was read is, or could become, the one that ran.
fn covers(pattern: &[String], ran: &[String]) -> bool {
    let Some((program, rest)) = pattern.split_first() else {
        return false;
    };
    if program.contains(UNKNOWN) {
        return true;
    }
    let name = program.rsplit('/').next().unwrap_or_default();
    if RUNNERS.contains(&name) {
        let reads_a_file = matches!(name, "." | "source");
        return reads_a_file
            || rest
                .iter()
                .any(|word| word.contains(ran[0].as_str()) || word.contains(UNKNOWN));
    }
    name == ran[0] && covers_words(rest, &ran[1..])
}

/// Whether words could expand to others: an unknown one to any number of words.
fn covers_words(pattern: &[String], ran: &[String]) -> bool {
    match pattern.split_first() {
        None => ran.is_empty(),
        Some((first, rest)) if first.contains([UNKNOWN, '*', '?', '[', '~']) => {
            (0..=ran.len()).any(|taken| covers_words(rest, &ran[taken..]))
        }
        Some((first, rest)) => ran
            .split_first()
            .is_some_and(|(word, more)| word == first && covers_words(rest, more)),
    }
}

/// Every simple command of a reading, as the text of its words.
fn commands(reading: &Reading) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    in_script(&reading.script, &mut found);
    found
}

fn in_script(script: &Script, found: &mut Vec<Vec<String>>) {
    for statement in &script.statements {
        in_command(&statement.command, found);
    }
}

fn in_command(command: &Command, found: &mut Vec<Vec<String>>) {
    match command {
        Command::Simple(simple) => in_simple(simple, found),
        Command::Pipeline(commands) => commands
            .iter()
            .for_each(|command| in_command(command, found)),
        Command::Compound {
            kind, redirects, ..
        } => {
            in_compound(kind, found);
            in_redirects(redirects, found);
        }
    }
}

fn in_simple(simple: &Simple, found: &mut Vec<Vec<String>>) {
    if !simple.words.is_empty() {
        found.push(simple.words.iter().map(text_of).collect());
    }
    for assignment in &simple.assignments {
        in_words(assignment.subscript.as_slice(), found);
        match &assignment.value {
            AssignedValue::Scalar(word) => in_pieces(&word.pieces, found),
            AssignedValue::Array(words) => in_words(words, found),
        }
    }
    in_words(&simple.words, found);
    in_redirects(&simple.redirects, found);
}

fn in_compound(kind: &Compound, found: &mut Vec<Vec<String>>) {
    match kind {
        Compound::Subshell(body) | Compound::Group(body) => in_script(body, found),
        Compound::If {
            branches,
            otherwise,
        } => {
            for (condition, body) in branches {
                in_script(condition, found);
                in_script(body, found);
            }
            if let Some(body) = otherwise {
                in_script(body, found);
            }
        }
        Compound::Loop { condition, body } => {
            in_script(condition, found);
            in_script(body, found);
        }
        Compound::For { words, body, .. } => {
            in_words(words.as_deref().unwrap_or_default(), found);
            in_script(body, found);
        }
        Compound::ForArithmetic { expressions, body } => {
            in_words(expressions, found);
            in_script(body, found);
        }
        Compound::Case { subject, arms } => {
            in_pieces(&subject.pieces, found);
            for (patterns, body) in arms {
                in_words(patterns, found);
                in_script(body, found);
            }
        }
        Compound::Function { body, .. } | Compound::Coprocess(body) => in_command(body, found),
        Compound::Arithmetic(word) => in_pieces(&word.pieces, found),
        Compound::Condition(words) => in_words(words, found),
    }
}

fn in_redirects(redirects: &[Redirect], found: &mut Vec<Vec<String>>) {
    for redirect in redirects {
        in_pieces(&redirect.target.pieces, found);
    }
}

fn in_words(words: &[Word], found: &mut Vec<Vec<String>>) {
    for word in words {
        in_pieces(&word.pieces, found);
    }
}

fn in_pieces(pieces: &[Piece], found: &mut Vec<Vec<String>>) {
    for piece in pieces {
        match piece {
            Piece::Command { script, .. } | Piece::Process { script, .. } => {
                in_script(script, found);
            }
            Piece::Arithmetic(pieces) => in_pieces(pieces, found),
            Piece::Parameter { operation, .. } => match operation {
                Operation::Plain => {}
                Operation::Default(word)
                | Operation::Assign(word)
                | Operation::Alternative(word) => in_pieces(&word.pieces, found),
                Operation::Other(words) => in_words(words, found),
            },
            Piece::Literal { .. } | Piece::Tilde(_) => {}
        }
    }
}

/// The text of a word, with what is not known as one character.
fn text_of(word: &Word) -> String {
    word.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal { text, .. } => text.clone(),
            Piece::Tilde(name) => format!("~{name}"),
            _ => UNKNOWN.to_string(),
        })
        .collect()
}

/// Whether a text was read whole, with this command in it.
#[track_caller]
fn sees(text: &str, command: &str) {
    let reading = read(text, Dialect::Bash);
    let wanted: Vec<String> = command.split(' ').map(str::to_owned).collect();
    assert_eq!(reading.unread, [], "{text:?}");
    assert!(
        commands(&reading).contains(&wanted),
        "{text:?} was read as {:?}",
        commands(&reading)
    );
}

/// Whether a text is said to be unread.
#[track_caller]
fn doubts(text: &str) {
    let reading = read(text, Dialect::Bash);
    assert_ne!(
        reading.unread,
        [],
        "{text:?} was read as {:?}",
        commands(&reading)
    );
}

/// Whether a text is unread where the shell is `sh`, although bash reads it plainly.
#[track_caller]
fn doubts_for_sh(text: &str) {
    assert_eq!(read(text, Dialect::Bash).unread, [], "{text:?} for bash");
    assert_ne!(read(text, Dialect::Posix).unread, [], "{text:?} for sh");
}

#[test]
fn line_continuations_in_operators_and_expansions() {
    sees("cat <\\\n<E\nx\nE\nrm -rf z", "rm -rf z");
    sees("echo a >\\\n>f rm", "echo a rm");
    sees("$\\\n'\\x72m' -rf z", "rm -rf z");
    sees("`r\\\\\\\nm -rf z`", "rm -rf z");
    sees("r\\\nm -rf z", "rm -rf z");
    sees(
        "git log \\\n  --oneline \\\n  -n 3",
        "git log --oneline -n 3",
    );
    sees("# foo \\\nrm -rf z", "rm -rf z");
    sees("i\\\nf a; then rm -rf z; fi", "rm -rf z");
}

#[test]
fn ends_of_here_documents() {
    sees("cat <<$'E'\nx\nE\nrm -rf z", "rm -rf z");
    sees("cat <<\"a\\\"b\"\nx\na\"b\nrm -rf z", "rm -rf z");
    sees("cat <<E\nx\nE \n'\nE\nrm -rf z\n: '\\'", "rm -rf z");
    sees("cat <<-E\n\tx\n\tE\nrm -rf z", "rm -rf z");
    sees("cat <<E\\\nOF\nfoo\nEOF\nrm -rf z\n", "rm -rf z");
    doubts("cat <<$(echo E)\nx\nE\nrm -rf z");
    doubts("cat <<'a\nb'\nx\na\nb\nrm -rf z");
    doubts("echo $(cat <<E)\nx\nE\nrm -rf z");
}

#[test]
fn bodies_of_here_documents_are_expanded_wherever_they_are_asked_for() {
    for text in [
        "for ((i=0;i<1;i++)); do cat <<E\n$(rm -rf z)\nE\ndone",
        "(( 1 )) <<E\n$(rm -rf z)\nE\n",
        "[[ a ]] <<E\n$(rm -rf z)\nE\n",
        "f() { cat; } <<E\n$(rm -rf z)\nE",
        "coproc cat <<E\n`rm -rf z`\nE",
        "case x in x) cat <<E;; esac\n${x:-$(rm -rf z)}\nE",
        "cat <<A <<B\nx\nA\n$(rm -rf z)\nB",
        "cat <<E\n$\\\n(rm -rf z)\nE",
    ] {
        sees(text, "rm -rf z");
    }
}

#[test]
fn bodies_with_a_quoted_end_are_text() {
    let reading = read("cat <<'E' | sh\n$(rm -rf z)\nE", Dialect::Bash);
    assert_eq!(reading.unread, []);
    let Command::Pipeline(pipeline) = &reading.script.statements[0].command else {
        panic!("{reading:?}");
    };
    let Command::Simple(cat) = &pipeline[0] else {
        panic!("{reading:?}");
    };
    assert_eq!(cat.redirects[0].operator, RedirectOperator::HereDocument);
    assert_eq!(text_of(&cat.redirects[0].target), "$(rm -rf z)\n");
}

#[test]
fn a_here_document_without_its_end_is_what_follows() {
    sees("cat <<E\n$(rm -rf z)", "rm -rf z");
    let text = "cat <<E\nx";
    assert_eq!(completeness(text, Dialect::Bash), Completeness::Incomplete);
}

#[test]
fn brackets_are_subscripts_only_in_assignments() {
    sees("echo x=1 a[ ; rm -rf z ; ]", "rm -rf z");
    sees("a[1 + 2]=3 rm -rf z", "rm -rf z");
    sees("a[\"x\"]=1 rm -rf z", "rm -rf z");
    sees(">f a[1 2]=3 rm -rf z", "rm -rf z");
    sees("x[y]z=1 rm -rf z", "x[y]z=1 rm -rf z");
    sees("echo <<<x[ rm -rf z", "echo rm -rf z");
    doubts("<f x[ rm -rf z ]");
}

#[test]
fn operators_in_arrays() {
    doubts("a=(\n&\nrm -rf z\n)");
    doubts("a=(\n1;\nrm -rf z\n)");
    doubts("a=(\n1<b\nrm -rf z\n)");
    doubts("a=(b c)xargs rm -rf z");
    sees("a=(b # )\nc); rm -rf z", "rm -rf z");
}

#[test]
fn arithmetic_knows_no_comments() {
    sees("echo $(( 1 # ))\nrm -rf z\n: $((1))", "rm -rf z");
    sees("echo $[ 1 # ]\nrm -rf z\n]", "rm -rf z");
    sees("$((a) ; (rm -rf z))", "rm -rf z");
    sees("((a); (rm -rf z))", "rm -rf z");
    doubts("(( a['$(rm -rf z)'] ))");
}

#[test]
fn what_closes_a_descriptor_ends_there() {
    sees("rm -rf >&-/", "rm -rf /");
    sees("echo >& -x", "echo x");
    sees("rm {a[0]}>f -rf z", "rm -rf z");
    sees("rm {fd}>f -rf z", "rm -rf z");
    sees("{fd}&>f", "{fd}");
    sees("rm -rf a2>f z", "rm -rf a2 z");
}

#[test]
fn words_before_a_pipeline() {
    sees("time -- rm -rf z", "rm -rf z");
    sees("time -p -- rm -rf z", "rm -rf z");
    sees("time -p ! rm -rf z", "rm -rf z");
    sees("a | time rm -rf z", "time rm -rf z");
    sees("coproc X { rm -rf z; }", "rm -rf z");
    sees("if ! rm -rf z; then a; fi", "rm -rf z");
}

#[test]
fn quotes_in_braces_in_quotes() {
    doubts("echo \"${x-'}\"; rm -rf z; echo \"'}\"");
    doubts("echo \"${x:-$'a}\"; rm -rf z; echo \"'}\"");
    sees("echo \"${x:-'plain'}\"; rm -rf z", "rm -rf z");
    sees("echo ${x-'}'}; rm -rf z", "rm -rf z");
    sees("echo \"${m['key']}\"; rm -rf z", "rm -rf z");
    sees("echo \"${x%%\\'*}\"; rm -rf z", "rm -rf z");
    doubts("echo \"${x-\\'a'b}\"; rm -rf z; echo '}\"");
}

#[test]
fn substitutions_are_found_in_every_place() {
    for text in [
        "echo ${x:-<(rm -rf z)}",
        "$(a $(b $(rm -rf z)))",
        "echo $(( $(rm -rf z) ))",
        "echo `echo \\`rm -rf z\\``",
        "echo $[ $(rm -rf z) ]",
        "echo ${#x-$(rm -rf z)}",
        "echo \"${x:-\"$(rm -rf z)\"}\"",
        "x[$(rm -rf z)]=1",
        "x=([$(rm -rf z)]=1)",
        "[[ a =~ $(rm -rf z) ]]",
        "case x in $(rm -rf z)) ;; esac",
        "for ((i=$(rm -rf z);;)); do break; done",
        "echo a>(rm -rf z)",
        "echo $(case x in x) rm -rf z;; esac)",
    ] {
        sees(text, "rm -rf z");
    }
}

#[test]
fn odd_names_and_new_syntax() {
    doubts("foo-$(rm)() { a; }");
    doubts("echo ${ rm -rf z; }");
    doubts("$'\\udc00' rm");
    sees("echo a\\", "echo a\\");
}

#[test]
fn extended_patterns_are_off() {
    sees("!(rm -rf z)", "rm -rf z");
    sees("[[ x == !(a|b) ]] && rm -rf z", "rm -rf z");
    doubts("shopt -s extglob\nls !(rm|b)");
    sees("shopt -s extglob\nrm -rf z", "rm -rf z");
}

#[test]
fn an_error_leaves_what_ran_before_it() {
    for text in ["rm -rf z\n)", "rm -rf z\n\"", "rm -rf z\nfi"] {
        let reading = read(text, Dialect::Bash);
        assert_ne!(reading.unread, []);
        assert_eq!(commands(&reading), [["rm", "-rf", "z"]]);
    }
}

#[test]
fn options_that_change_the_grammar() {
    doubts("shopt -s expand_aliases\nalias x='rm -rf z'\nx");
    doubts("set -o posix\necho \"${x-'a'}\"");
    doubts("set -o posix; alias x='rm -rf z'\nx");
    doubts("set -o posix\ntime -o f rm -rf z");
    doubts("a=shopt; $a -s expand_aliases; al''ias x='rm -rf z'\nx");
    doubts("shopt -s expand_aliases; a=alias; $a x='rm -rf z'\nx");
    doubts("shopt -s expand_aliases; eval \"$(make_aliases)\"\nx");
    doubts("alias x='rm -rf z'; shopt -s expand_aliases\nx");
    doubts("a=extglob; shopt -s $a\nls !(rm)");
    sees("set -o posix\nrm -rf z", "rm -rf z");
    doubts("POSIXLY_CORRECT=1\nrm -rf z");
    doubts("export POSIXLY_CORRECT=1; rm -rf z");
    doubts("builtin shopt -s expand_aliases; BASH_ALIASES[x]='rm -rf z'\nx");
    doubts("eval 'shopt -s expand_aliases; alias x=\"rm -rf z\"'; x");
    sees("POSIXLY_CORRECT=1 df", "df");
    sees("shopt -u extglob; ls", "ls");
    sees("set -euo pipefail; rm -rf z", "rm -rf z");
}

#[test]
fn text_that_arithmetic_would_run() {
    for text in [
        "x='a[$(rm -rf z)]'; (( x ))",
        "x='a[$(rm -rf z)]'; [[ $x -eq 1 ]]",
        "test -v 'a[$(rm -rf z)]'",
        "[ -v 'a[`rm -rf z`]' ]",
        "printf -v 'a[$(rm -rf z)]' x",
        "read 'a[$(rm -rf z)]'",
        "unset 'a[$(rm -rf z)]'",
        "declare 'a[$(rm -rf z)]=1'",
        "declare -i n='a[$(rm -rf z)]'",
        "let 'a[$(rm -rf z)]=1'",
        "[[ 'a[$(rm -rf z)]' -eq 1 ]]",
        "wait -p 'a[$(rm -rf z)]' -n",
        "echo ${x@P}",
        "PS4='$(rm -rf z)'; set -x; a",
    ] {
        doubts(text);
    }
    sees("x='$(date)'; y=$((1+2)); ls", "ls");
    sees("export PS1='\\u $(git branch) '; ls", "ls");
    assert_eq!(
        read("awk '{ print $1[0] }' f; echo $((1+1))", Dialect::Bash).unread,
        []
    );
}

#[test]
fn only_space_tab_and_newline_separate_words() {
    sees("a \r# ; rm -rf z", "rm -rf z");
    sees("rm\u{a0}-rf z", "rm\u{a0}-rf z");
    sees("if true\r\nthen\n a; fi", "a");
}

#[test]
fn braces_make_words() {
    sees("{touch,PWN}", "touch PWN");
    sees("rm -r{f,v} a{1..3}", "rm -rf -rv a1 a2 a3");
    sees("echo {01..3} {a..e..2} {3..1}", "echo 01 02 03 a c e 3 2 1");
    sees("echo {a,b{c,d}}e", "echo ae bce bde");
    sees("find . -exec rm {} +", "find . -exec rm {} +");
    sees(
        "echo {a} {a,b \"{a,b}\" \\{a,b}",
        "echo {a} {a,b {a,b} {a,b}",
    );
    sees("x={a,b} env", "env");
    doubts("echo {1..99999999}");
    // Too many to be written out, and any number of words.
    let reading = read("for i in a{1..5000}; do rm $i; done", Dialect::Bash);
    assert_eq!(reading.unread, []);
    doubts("echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}");
}

#[test]
fn quoting_is_kept_for_each_piece() {
    let reading = read("rm \"$x\"/*.o ~/a '~'/b", Dialect::Bash);
    let Command::Simple(rm) = &reading.script.statements[0].command else {
        panic!("{reading:?}");
    };
    let quoted = |name: &str| Piece::Parameter {
        name: name.to_owned(),
        operation: Operation::Plain,
        quoted: true,
    };
    let plain = |text: &str, quoted| Piece::Literal {
        text: text.to_owned(),
        quoted,
    };
    assert!(rm.words[1].pieces.contains(&quoted("x")));
    assert_eq!(rm.words[1].pieces.last(), Some(&plain("/*.o", false)));
    assert_eq!(
        rm.words[2].pieces,
        [Piece::Tilde(String::new()), plain("/a", false)]
    );
    assert_eq!(rm.words[3].pieces, [plain("~", true), plain("/b", false)]);
}

#[test]
fn spans_are_bytes_of_the_outermost_text() {
    let text = "echo é; (ls $(rm -rf ż))";
    let reading = read(text, Dialect::Bash);
    let Command::Compound {
        kind: Compound::Subshell(body),
        span,
        ..
    } = &reading.script.statements[1].command
    else {
        panic!("{reading:?}");
    };
    assert_eq!(text.get(span.start..span.end), Some("(ls $(rm -rf ż))"));
    let Command::Simple(ls) = &body.statements[0].command else {
        panic!("{reading:?}");
    };
    assert_eq!(text.get(ls.span.start..ls.span.end), Some("ls $(rm -rf ż)"));
    let Some(Piece::Command { script, .. }) = ls.words[1].pieces.first() else {
        panic!("{reading:?}");
    };
    let Command::Simple(rm) = &script.statements[0].command else {
        panic!("{reading:?}");
    };
    assert_eq!(text.get(rm.span.start..rm.span.end), Some("rm -rf ż"));
}

#[test]
fn what_agents_wrap_around_commands_is_read() {
    for text in [
        "source /tmp/snapshot.sh 2>/dev/null || true && \\builtin shopt -u extglob 2>/dev/null || true \
         && { \\builtin unalias -- 'which'; } >/dev/null 2>&1 || true && eval 'git status' < /dev/null \
         && pwd -P >| /tmp/x",
        "shopt -u promptvars nullglob extglob nocaseglob dotglob; { ls; }; __code=$?; pwd >/tmp/y; exit $__code",
        "git commit -m \"$(cat <<'EOF'\nfix: it's (done)\n\nEOF\n)\"",
        "git commit -m \"$(cat <<'EOF'\nfix: it's (done)\nEOF)\"",
        "bash -lc 'cd /src && make -j\"$(nproc)\"'",
        "cd /src \\\n  && cargo test \\\n  2>&1 | tail -n 20",
        "for f in *.rs; do echo \"$f: $(wc -l < \"$f\")\"; done",
        "python3 - <<'PY'\nprint(f\"{x['a']}\")\nPY",
    ] {
        assert_eq!(read(text, Dialect::Bash).unread, [], "{text}");
    }
}

#[test]
fn sh_is_another_language() {
    for text in [
        "ls &>f",
        "ls >&f",
        "echo $'a'",
        "echo $\"a\"",
        "cat <(ls)",
        "ls |& cat",
        "((a))",
        "[[ a < b ]]",
        "[[ a && b ]]",
        "function f { ls; }",
        "echo {a,b}",
        "cat <<<a",
        "a=(b c)",
        "case x in x) a;& y) b;; esac",
        "echo ${x//a/b}",
        "coproc a",
        "select x in a; do b; done",
        "for ((;;)); do break; done",
        "time ! rm",
        "ls 12>f",
        "echo $[1]",
        "a+=b",
    ] {
        doubts_for_sh(text);
    }
    assert_ne!(
        read("alias x='rm -rf z'\nx", Dialect::Posix).unread,
        [],
        "aliases are on in sh"
    );
    for text in [
        "set -e; cd /src && make install >/dev/null 2>&1 || exit 1",
        "[ -f x ] && . ./x; echo \"${x:-a}\" ${y%.*} $((1 + 2)) `date`",
        "cat <<EOF\n$x\nEOF",
        "while read -r x; do case $x in a|b) ;; esac; done",
    ] {
        assert_eq!(read(text, Dialect::Posix).unread, [], "{text}");
    }
}

#[test]
fn whether_a_text_is_whole() {
    let check = |text| completeness(text, Dialect::Bash);
    for text in [
        "ls",
        "ls\n",
        "if a; then b; fi",
        "cat <<E\nx\nE\n",
        "",
        "# a",
        "a &",
    ] {
        assert_eq!(check(text), Completeness::Complete, "{text:?}");
    }
    for text in [
        "if a; then b",
        "echo 'a",
        "echo \"$(a",
        "cat <<E\nx\n",
        "cat <<E",
        "a &&",
        "a |",
        "a \\",
        "{ a;",
        "for x in",
        "case x in a) b",
        "$((1",
        "x=(a",
        "f() {",
        "[[ a",
        "echo ${x:-",
        "`a",
        "a \\\n",
    ] {
        assert_eq!(check(text), Completeness::Incomplete, "{text:?}");
    }
    for text in [
        "fi",
        ")",
        "a ;; b",
        "a & ; b",
        "( )",
        "for ; do",
        "[[ a b c ]]",
    ] {
        assert_eq!(check(text), Completeness::Invalid, "{text:?}");
    }
}

#[test]
fn absurd_texts_are_decided_in_time() {
    let repeated = [
        "{",
        "{a,",
        "$(",
        "(",
        "`",
        "a;",
        "a&&",
        "[[ ( ",
        "if ",
        "${x:-",
        "\"${x:-",
        "cat <<a ",
        "((",
        "$((",
        "((a) ",
        "a=(",
        "a[",
        "time ",
        "! ",
        "f() ",
        "x",
        "'a'",
        "\"a$b\"",
        "\\\n",
        "a\\\n",
        "{a,b}",
        "{1..1000} ",
        "`\\`",
        "~:",
        "#",
        "\n",
        "$$",
        "cat <<A <<B\n1\nA\n2\nB\n",
        "\"`",
        "{ ",
        ">f ",
        "case a in a) ",
        "\"$((`${x:-$((",
        "{\"a\":[1,2]},",
    ];
    for part in repeated {
        let text = part.repeat(100_000 / part.len());
        let start = Instant::now();
        let _ = read(&text, Dialect::Bash);
        let _ = completeness(&text, Dialect::Posix);
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{part:?} repeated"
        );
    }
    assert_ne!(read(&"x".repeat((1 << 20) + 1), Dialect::Bash).unread, []);
    assert_ne!(read("a\0b", Dialect::Bash).unread, []);
}

#[test]
fn a_megabyte_of_ordinary_text_is_read() {
    let lines = "grep -rn \"$x\" src | head -n 20 > /tmp/out # why\n".repeat(20_000);
    assert_eq!(read(&lines, Dialect::Bash).unread, []);
    let document = format!("cat <<'E' >f\n{}E\n", "it's {a,b} $(x) `\n".repeat(50_000));
    assert_eq!(read(&document, Dialect::Bash).unread, []);
}
