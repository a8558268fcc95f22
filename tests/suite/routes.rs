//! The same decision by every route: what the packs say of their examples and cases is what happens when an
//! agent starts the command through a variable, an encoding, a script, a build tool, an interpreter, a hook.
//!
//! The line that kibosh is given is the same for all commands of a route. What is started stands in files
//! that are there before, where the line gate cannot see it, so that the decision is the exec gate's: the
//! stubs that were started are exactly those of allowed commands, each with exactly its words, and of every
//! other one the caller was told the rule, and failed.
//!
//! Left out are lines that are more than one simple command of known words, or depend on a place or variables
//! of their own; where a shell reads the words, builtins, which are no exec. `eval` and python take every
//! command, the other routes a share in the order of the packs, each another one: a quarter, where a command
//! costs several processes less, and of `npm run`, which takes half a second each, some thirty. With
//! `KIBOSH_ROUTES=all` every route but that takes all.

mod commands;
mod ground;

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use kibosh::policy::Policy;
use kibosh::policy::schema::Effect;

use crate::support::place::Place;
use commands::{Command, Here};
use ground::{Ground, program, tool};

/// A command with its place among all, by which its part of the output is found.
type Numbered<'a> = (usize, &'a Command);

/// A way by which a command comes to be started.
struct Route {
    name: &'static str,
    /// The line that kibosh is given, with tools in braces.
    line: &'static str,
    /// Whether a shell reads the words.
    by_shell: bool,
    /// Whether it can carry the words of a command.
    carries: fn(&Command) -> bool,
    /// Of how many commands one is taken.
    share: usize,
    /// The line as a program of the route shows it, where that is another decision.
    shown: fn(&Command) -> String,
    /// Puts its files into its folder, which is one of the working directory.
    prepare: fn(&Path, &[Numbered<'_>]),
}

const ROUTES: &[Route] = &[
    Route {
        name: "eval",
        line: r#"for f in {here}/text/*; do echo "@@${f##*/}" >&2; x=$(<"$f"); eval "$x"; echo "@@=$?" >&2; done"#,
        by_shell: true,
        carries: any,
        share: 1,
        shown: Command::line,
        prepare: texts,
    },
    Route {
        name: "two variables",
        line: r#"while read -r n a b; do echo "@@$n" >&2; $a $b </dev/null; echo "@@=$?" >&2; done <{here}/lines"#,
        by_shell: true,
        carries: is_bare,
        share: 4,
        shown: Command::line,
        prepare: lines,
    },
    Route {
        name: "an array",
        line: r#"for f in {here}/words/*; do echo "@@${f##*/}" >&2; mapfile -d '' -t c <"$f"; "${c[@]}"; echo "@@=$?" >&2; done"#,
        by_shell: true,
        carries: any,
        share: 4,
        shown: Command::line,
        prepare: words,
    },
    Route {
        name: "base64",
        line: "{sh} {here}/decode.sh",
        by_shell: true,
        carries: is_for_scripts,
        share: 8,
        shown: Command::line,
        prepare: encoded,
    },
    Route {
        name: "a shell with the text",
        line: r#"for f in {here}/text/*; do echo "@@${f##*/}" >&2; x=$(<"$f"); {sh} -c "$x"; echo "@@=$?" >&2; done"#,
        by_shell: true,
        carries: any,
        share: 4,
        shown: Command::line,
        prepare: texts,
    },
    Route {
        name: "a script for a shell",
        line: r#"for f in {here}/scripts/*; do {sh} "$f"; done"#,
        by_shell: true,
        carries: is_for_scripts,
        share: 4,
        shown: Command::line,
        prepare: scripts,
    },
    Route {
        name: "a script",
        line: r#"for f in {here}/scripts/*; do "$f"; done"#,
        by_shell: true,
        carries: is_for_scripts,
        share: 4,
        shown: Command::line,
        prepare: scripts,
    },
    Route {
        name: "make",
        line: "{make} -s -k -f {here}/Makefile",
        by_shell: true,
        carries: is_one_line,
        share: 4,
        shown: Command::line,
        prepare: makefile,
    },
    Route {
        name: "npm run",
        line: r#"while read -r n; do echo "@@$n" >&2; {node} {npm} run -s "$n"; echo "@@=$?" >&2; done <{here}/names"#,
        by_shell: true,
        carries: is_one_line,
        share: 200,
        shown: Command::line,
        prepare: package,
    },
    Route {
        name: "python's subprocess",
        line: "{python3} {here}/run.py",
        by_shell: false,
        carries: any,
        share: 2,
        shown: Command::line,
        prepare: python,
    },
    Route {
        name: "perl's exec",
        line: "{perl} {here}/run.pl",
        by_shell: false,
        carries: any,
        share: 4,
        shown: Command::line,
        prepare: perl,
    },
    Route {
        name: "node's child_process",
        line: "{node} {here}/run.js",
        by_shell: false,
        carries: any,
        share: 4,
        shown: Command::line,
        prepare: node,
    },
    Route {
        name: "awk's system",
        line: "{awk} -f {here}/run.awk {here}/lines",
        by_shell: true,
        carries: is_one_line,
        share: 4,
        shown: Command::line,
        prepare: awk,
    },
    Route {
        name: "find -exec",
        line: "{sh} {here}/find.sh",
        by_shell: false,
        carries: is_for_find,
        share: 4,
        shown: find_line,
        prepare: find,
    },
    Route {
        name: "xargs",
        line: r#"for f in {here}/words/*; do echo "@@${f##*/}" >&2; {xargs} -0 {env} <"$f"; echo "@@=$?" >&2; done"#,
        by_shell: false,
        carries: any,
        share: 4,
        shown: Command::line,
        prepare: words,
    },
    Route {
        name: "a git hook",
        line: "{git} --git-dir={here}/.git --work-tree=. checkout -q other",
        by_shell: true,
        carries: is_for_scripts,
        share: 4,
        shown: Command::line,
        prepare: hook,
    },
    Route {
        name: "a git alias",
        line: r#"while read -r n; do echo "@@$n" >&2; {git} --git-dir={here}/.git --work-tree=. "x$n"; echo "@@=$?" >&2; done <{here}/names"#,
        by_shell: true,
        carries: is_for_aliases,
        share: 8,
        shown: Command::line,
        prepare: aliases,
    },
];

/// What stands in braces in the lines.
const TOOLS: &[&str] = &[
    "sh", "make", "node", "npm", "python3", "perl", "awk", "xargs", "env", "git",
];

fn any(_: &Command) -> bool {
    true
}

fn is_one_line(command: &Command) -> bool {
    !command.words.iter().any(|word| word.contains('\n'))
}

/// Whether a shell splits the words without quotes into what they are.
fn is_bare(command: &Command) -> bool {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,%=".contains(c);
    command
        .words
        .iter()
        .all(|word| !word.is_empty() && word.chars().all(bare))
}

/// A script that holds what no start of a program shows is stopped as a whole.
fn is_for_scripts(command: &Command) -> bool {
    !command.stops_scripts
}

/// In front of `PATH` git puts its own folder, with programs that are no stubs.
fn is_for_aliases(command: &Command) -> bool {
    let program = &command.words[0];
    is_one_line(command) && !program.starts_with("git") && program != "scalar"
}

fn is_for_find(command: &Command) -> bool {
    let words = &command.words;
    is_for_scripts(command) && !words.iter().any(|word| word.contains("{}") || word == ";")
}

/// A script that starts the commands one after another, each put into words by `with`.
fn script(commands: &[Numbered<'_>], with: &dyn Fn(&Command) -> String) -> String {
    let mut text = "#!/bin/sh\n".to_owned();
    for (number, command) in commands {
        let line = with(command);
        writeln!(text, "echo @@{number:05} >&2\n{line}\necho @@=$? >&2").unwrap();
    }
    text
}

/// A folder with a file for each command.
fn files(here: &Path, name: &str, commands: &[Numbered<'_>], text: &dyn Fn(&Command) -> String) {
    let folder = here.join(name);
    fs::create_dir(&folder).unwrap();
    for (number, command) in commands {
        fs::write(folder.join(format!("{number:05}")), text(command)).unwrap();
    }
}

fn names(here: &Path, commands: &[Numbered<'_>]) {
    let names = commands.iter().map(|(number, _)| format!("{number:05}\n"));
    fs::write(here.join("names"), names.collect::<String>()).unwrap();
}

/// The words, each ended as xargs and mapfile want it.
fn ended(command: &Command) -> String {
    let words = command.words.iter();
    words.map(|word| format!("{word}\0")).collect()
}

fn texts(here: &Path, commands: &[Numbered<'_>]) {
    files(here, "text", commands, &Command::line);
}

fn words(here: &Path, commands: &[Numbered<'_>]) {
    files(here, "words", commands, &ended);
}

fn lines(here: &Path, commands: &[Numbered<'_>]) {
    let lines = commands.iter();
    let lines = lines.map(|(number, command)| format!("{number:05} {}\n", command.words.join(" ")));
    fs::write(here.join("lines"), lines.collect::<String>()).unwrap();
}

fn encoded(here: &Path, commands: &[Numbered<'_>]) {
    let with = |command: &Command| {
        let text = base64(command.line().as_bytes());
        format!("eval \"$(echo {text} | {} -d)\"", tool("base64").display())
    };
    fs::write(here.join("decode.sh"), script(commands, &with)).unwrap();
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at > three.len() { '=' } else { digit.into() });
        }
    }
    text
}

/// Scripts that are short enough to be read.
fn scripts(here: &Path, commands: &[Numbered<'_>]) {
    fs::create_dir(here.join("scripts")).unwrap();
    for part in commands.chunks(200) {
        let file = here.join(format!("scripts/{:05}", part[0].0));
        program(&file, &script(part, &Command::line));
    }
}

fn makefile(here: &Path, commands: &[Numbered<'_>]) {
    let mut text = "all:".to_owned();
    for (number, _) in commands {
        write!(text, " x{number:05}").unwrap();
    }
    for (number, command) in commands {
        let line = command.line().replace('$', "$$");
        // A colon keeps what begins with `-` or `@` a word.
        write!(text, "\nx{number:05}:\n\t$(info @@{number:05}){line}\n").unwrap();
    }
    fs::write(here.join("Makefile"), text).unwrap();
}

fn package(here: &Path, commands: &[Numbered<'_>]) {
    let scripts = commands
        .iter()
        .map(|(number, command)| (format!("{number:05}"), command.line().into()));
    let scripts: serde_json::Map<String, serde_json::Value> = scripts.collect();
    let package = serde_json::json!({ "name": "x", "version": "1.0.0", "scripts": scripts });
    let settings = "script-shell=/bin/sh\nupdate-notifier=false\n";
    let project = here.parent().unwrap();
    fs::write(project.join("package.json"), package.to_string()).unwrap();
    fs::write(project.join(".npmrc"), settings).unwrap();
    names(here, commands);
}

fn python(here: &Path, commands: &[Numbered<'_>]) {
    words(here, commands);
    let text = r"
import os, subprocess, sys
folder = sys.path[0] + '/words/'
for name in sorted(os.listdir(folder)):
    words = open(folder + name, newline='').read().split('\0')[:-1]
    os.write(2, b'@@%s\n' % name.encode())
    try:
        status = subprocess.run(words).returncode
    except OSError as error:
        status = error.errno
    os.write(2, b'@@=%d\n' % status)
";
    fs::write(here.join("run.py"), text).unwrap();
}

fn perl(here: &Path, commands: &[Numbered<'_>]) {
    words(here, commands);
    let text = r#"
$| = 1; select STDERR; $| = 1;
my $here = $0 =~ s{[^/]*$}{}r;
for my $f (sort glob "$here/words/*") {
    open my $in, '<', $f or die; local $/; my @words = split /\0/, <$in>, -1; pop @words;
    print STDERR '@@', $f =~ s{.*/}{}r, "\n";
    my $child = fork // die;
    if (!$child) { exec { $words[0] } @words; exit 126 }
    waitpid $child, 0;
    print STDERR '@@=', $? >> 8, "\n";
}
"#;
    fs::write(here.join("run.pl"), text).unwrap();
}

fn node(here: &Path, commands: &[Numbered<'_>]) {
    words(here, commands);
    let text = r"
const fs = require('fs'), { spawnSync } = require('child_process');
const folder = __dirname + '/words/';
for (const name of fs.readdirSync(folder).sort()) {
  const [program, ...words] = fs.readFileSync(folder + name, 'utf8').split('\0').slice(0, -1);
  fs.writeSync(2, `@@${name}\n`);
  const done = spawnSync(program, words, { stdio: 'inherit' });
  fs.writeSync(2, `@@=${done.error ? 126 : done.status}\n`);
}
";
    fs::write(here.join("run.js"), text).unwrap();
}

fn awk(here: &Path, commands: &[Numbered<'_>]) {
    let lines = commands.iter();
    let lines = lines.map(|(number, command)| format!("{number:05} {}\n", command.line()));
    fs::write(here.join("lines"), lines.collect::<String>()).unwrap();
    let text = r#"
{ print "@@" $1 > "/dev/stderr"; s = system(substr($0, 7)); print "@@=" s > "/dev/stderr" }
"#;
    fs::write(here.join("run.awk"), text).unwrap();
}

fn find(here: &Path, commands: &[Numbered<'_>]) {
    fs::write(here.join("find.sh"), script(commands, &find_line)).unwrap();
}

/// What find does for each file that it finds is more than the same once.
fn find_line(command: &Command) -> String {
    let find = tool("find");
    format!(
        "{} . -maxdepth 0 -exec {} \\;",
        find.display(),
        command.line()
    )
}

/// A repository with a second branch. It is made by git itself, without kibosh.
fn repository(here: &Path) {
    for words in [
        &["init", "-q"][..],
        &["commit", "-q", "--allow-empty", "-m", "x"],
        &["branch", "other"],
    ] {
        let done = std::process::Command::new(tool("git"))
            .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
            .args(words)
            .env("HOME", here)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(here)
            .status()
            .unwrap();
        assert!(done.success(), "git {words:?}");
    }
}

fn hook(here: &Path, commands: &[Numbered<'_>]) {
    repository(here);
    // git puts its own folder in front, where `git` is no stub.
    let text = script(commands, &Command::line).replacen('\n', "\nPATH=${PATH#*:}\n", 1);
    program(&here.join(".git/hooks/post-checkout"), &text);
}

fn aliases(here: &Path, commands: &[Numbered<'_>]) {
    repository(here);
    let mut text = fs::read_to_string(here.join(".git/config")).unwrap();
    text.push_str("[alias]\n");
    for (number, command) in commands {
        let line = command.line().replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(text, "\tx{number:05} = \"!{line}\"").unwrap();
    }
    fs::write(here.join(".git/config"), text).unwrap();
    names(here, commands);
}

/// What was said while each command was started, and the status of that.
fn parts(said: &str) -> HashMap<usize, (String, bool)> {
    let mut parts: HashMap<usize, (String, bool)> = HashMap::new();
    let mut number = None;
    for line in said.lines() {
        let mark = line.strip_prefix("@@");
        if let Some(begun) = mark.and_then(|mark| mark.parse().ok()) {
            number = Some(begun);
            parts.insert(begun, (String::new(), false));
        } else if let Some(part) = number.and_then(|number| parts.get_mut(&number)) {
            let status = mark.and_then(|mark| mark.strip_prefix('='));
            // make says it itself.
            part.1 |= status.is_some_and(|status| status != "0") || line.starts_with("make: ");
            part.0.push_str(line);
            part.0.push('\n');
        }
    }
    parts
}

/// What came of a route.
struct Outcome<'a> {
    route: &'a Route,
    commands: Vec<Numbered<'a>>,
    said: String,
    started: Vec<Vec<String>>,
}

/// Tries commands by a route.
fn run<'a>(ground: &Ground, route: &'a Route, commands: Vec<Numbered<'a>>) -> Outcome<'a> {
    let name = route
        .name
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let folder = ground.cwd().join(&name);
    fs::create_dir(&folder).unwrap();
    (route.prepare)(&folder, &commands);
    let mut line = route.line.replace("{here}", &format!("./{name}"));
    for name in TOOLS {
        let place = format!("{{{name}}}");
        if line.contains(&place) {
            let tool = tool(name).canonicalize().unwrap();
            line = line.replace(&place, tool.to_str().unwrap());
        }
    }
    let (said, started) = ground.run(&name, &line);
    Outcome {
        route,
        commands,
        said,
        started,
    }
}

impl Outcome<'_> {
    /// What is wrong with it, a text for each command.
    fn wrong(mut self, here: &Here<'_>) -> Vec<String> {
        let parts = parts(&self.said);
        let mut wrong = Vec::new();
        for (number, command) in &self.commands {
            let ran = self
                .started
                .iter()
                .position(|words| is_of(words, &command.words));
            let ran = ran.map(|place| self.started.swap_remove(place)).is_some();
            let line = (self.route.shown)(command);
            let (effect, rules) = if line == command.line() {
                (command.effect, command.rules.clone())
            } else {
                match here.judged(&line) {
                    (Effect::Confirm, rules)
                        if rules.iter().all(|rule| command.left_out.contains(rule)) =>
                    {
                        (Effect::Allow, Vec::new())
                    }
                    judged => judged,
                }
            };
            let Some((told, has_failed)) = parts.get(number) else {
                wrong.push(format!("was not reached: {line}"));
                continue;
            };
            let is_right = if effect == Effect::Allow {
                ran && !told.contains("kibosh:")
            } else {
                let is_told = rules.iter().any(|rule| told.contains(rule));
                !ran && is_told && *has_failed && told.contains("kibosh: not started")
            };
            if !is_right {
                wrong.push(format!(
                    "{line}: {effect:?} {rules:?}, ran: {ran}, failed: {has_failed}, told: {told}",
                ));
            }
        }
        let unasked = self.started.iter();
        wrong.extend(unasked.map(|words| format!("ran, unasked: {words:?}")));
        if parts.is_empty() {
            wrong.push(format!("all that was said: {}", self.said));
        }
        let name = self.route.name;
        wrong
            .iter()
            .map(|wrong| format!("{name}: {wrong}"))
            .collect()
    }
}

/// Whether a stub was started by the words of a command; by which path does not matter.
fn is_of(started: &[String], words: &[String]) -> bool {
    started[1..] == words[1..] && started[0].rsplit('/').next() == Some(&words[0])
}

/// What a shell does itself when it is asked for a program of this name.
fn is_of_shells(name: &str) -> bool {
    const NAMES: &str = ". : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete \
         compopt continue coproc declare dirs disown do done echo enable esac eval exec exit export false fc \
         fg fi for function getopts hash help history if in jobs kill let local logout mapfile popd printf \
         pushd pwd read readarray readonly return select set shift shopt source suspend test then time times \
         trap true type typeset ulimit umask unalias unset until wait while { }";
    NAMES.split(' ').any(|one| one == name)
}

/// How many routes are tried at once.
const AT_ONCE: usize = 2;

#[test]
fn every_route_to_a_program_meets_the_same_decision() {
    let policy = Policy::shipped();
    let ground = Ground::new();
    let (home, cwd) = (ground.home(), ground.cwd());
    let here = Here {
        policy: &policy,
        home: home.to_str().unwrap(),
        cwd: cwd.to_str().unwrap(),
    };
    let commands = here.commands();
    ground.stand_in(&commands);
    let stopped = commands.iter().filter(|one| one.effect != Effect::Allow);
    let stopped = stopped.count();
    let as_shipped = commands.iter().filter(|one| one.effect == one.shipped);
    let as_shipped = as_shipped.count();
    // Of the others most say `fd -x rm`, where the exec gate will know what is found.
    assert!(commands.len() > 6_000 && stopped > 2_500, "{stopped}");
    assert!(as_shipped * 100 > commands.len() * 96, "{as_shipped}");

    let tried = std::thread::scope(|scope| {
        let workers = (0..AT_ONCE).map(|worker| {
            let (ground, commands) = (&ground, &commands);
            let routes = ROUTES.iter().enumerate();
            let routes = routes.skip(worker).step_by(AT_ONCE);
            scope.spawn(move || -> Vec<Outcome<'_>> {
                routes
                    .map(|(place, route)| run(ground, route, taken(route, place, commands)))
                    .collect()
            })
        });
        let workers: Vec<_> = workers.collect();
        let tried = workers.into_iter().map(|worker| worker.join().unwrap());
        tried.flatten().collect::<Vec<_>>()
    });
    let wrong = tried.into_iter().flat_map(|outcome| outcome.wrong(&here));
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} are wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The commands that a route is tried with; routes that take a share take different ones.
fn taken<'a>(route: &Route, place: usize, commands: &'a [Command]) -> Vec<Numbered<'a>> {
    let fit = commands.iter().enumerate().filter(|(_, command)| {
        (route.carries)(command) && !(route.by_shell && is_of_shells(&command.words[0]))
    });
    let takes_all = std::env::var_os("KIBOSH_ROUTES").is_some_and(|routes| routes == "all");
    let share = if takes_all && route.share < 100 {
        1
    } else {
        route.share
    };
    fit.skip(place % share).step_by(share).collect()
}

#[test]
fn a_folder_that_is_called_like_a_program_is_passed_over() {
    let place = Place::bare("routes-folder");
    fs::create_dir_all(place.path().join("bin/seq")).unwrap();
    let run = |program: &str| {
        let mut command = place.command(program);
        command.args(["-c", "/usr/bin/env seq 2"]).output().unwrap()
    };
    let guarded = run(env!("CARGO_BIN_EXE_kibosh"));
    assert_eq!(guarded, run("bash"));
    assert_eq!(guarded.stdout, b"1\n2\n");
}
