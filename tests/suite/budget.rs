//! What a session deletes and writes over by small steps, about each of which nobody is asked: within its budget
//! silently, beyond it not without a person.

use std::ffi::CString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use kibosh::decide::past::Deed;
use kibosh::invocation::View;
use kibosh::judge::{self, Base, Caller, Exec, ExecJudgement, Running};
use kibosh::policy::discover::Folders;
use kibosh::policy::load::Text;
use kibosh::policy::{Layer, Policy};

use crate::support::probe::wait_for;
use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// Files that were there before, in no commit.
const OLD: &str = "mkdir notes; for i in $(seq 1 12); do echo $i >notes/$i; done";

/// A tree in which a session may delete and write over this many files, in a state.
fn tree(budget: u64, state: &str) -> Tree {
    let tree = Tree::new();
    lower(
        &tree,
        &format!("deleted-files = {budget}\noverwritten-files = {budget}"),
    );
    tree.make("echo .kibosh.toml >>.git/info/exclude");
    tree.make(state);
    tree
}

fn lower(tree: &Tree, budget: &str) {
    fs::write(
        tree.work().join(".kibosh.toml"),
        format!("[budget]\n{budget}\n"),
    )
    .unwrap();
}

/// How many files are in a directory of a tree.
fn left(tree: &Tree, folder: &str) -> usize {
    fs::read_dir(tree.work().join(folder)).unwrap().count()
}

/// How many of the old notes are as they were.
fn whole(tree: &Tree) -> usize {
    let is_whole = |number: &usize| {
        let file = tree.work().join(format!("notes/{number}"));
        fs::read_to_string(file).is_ok_and(|text| text == format!("{number}\n"))
    };
    (1..=12).filter(is_whole).count()
}

/// What is said of a line.
fn told(tree: &Tree, line: &str) -> String {
    let output = tree.run(line);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_loop_over_a_directory_ends_where_the_usual_budget_does() {
    let tree = Tree::new();
    tree.make("mkdir data; for i in $(seq 1 230); do echo $i >data/$i; done");
    let told = told(&tree, "cd data && for f in *; do rm \"$f\"; done");
    assert_eq!(left(&tree, "data"), 30, "{told}");
    assert!(told.contains("rule budget.deleted"), "{told}");
    assert!(
        told.contains("it deletes 1 file") && told.contains("after 200 files were deleted ("),
        "{told}"
    );
    // It is one question, however many steps are left.
    assert_eq!(told.matches("can be asked from here").count(), 1, "{told}");
    assert_eq!(told.matches("nobody is asked again").count(), 29, "{told}");
}

#[test]
fn each_way_to_delete_a_little_is_stopped_at_the_same_number() {
    const SCRIPT: &str = "printf 'rm \"$1\"\\n' >one.sh";
    for (line, state) in [
        ("for f in notes/*; do rm -f \"$f\"; done", "true"),
        ("for f in notes/*; do unlink \"$f\"; done", "true"),
        ("cd notes; for f in $(ls); do /bin/rm ./$f; done", "true"),
        ("for f in notes/*; do env rm \"$f\"; done", "true"),
        (
            "for f in $(ls -d notes/*); do bash -c \"rm '$f'; true\"; done",
            "true",
        ),
        ("for f in notes/*; do sh one.sh \"$f\"; done", SCRIPT),
        (
            "for f in $(ls -d notes/*); do \"$SHELL\" -c \"rm $f\"; done",
            "true",
        ),
        ("printf '%s\\0' notes/* | xargs -0 -n1 rm", "true"),
        ("printf '%s\\0' notes/* | xargs -0 -n1 -P16 rm", "true"),
        ("for f in notes/*; do rm \"$f\" & done; wait", "true"),
        (
            "for f in notes/*; do mv \"$f\" /tmp/kibosh-gone; done",
            "true",
        ),
        (
            "mkdir build; for f in notes/*; do mv \"$f\" build/; rm -f build/*; done",
            "true",
        ),
        (
            "for f in notes/*; do mv \"$f\" x && rm x || exit; done",
            "true",
        ),
        (
            "for f in notes/*; do ln \"$f\" x; rm \"$f\"; rm x; done",
            "true",
        ),
        (
            "ln -s notes build; for f in build/*; do rm \"$f\"; done",
            "true",
        ),
        ("for f in src/../notes/*; do rm \"$f\"; done", "true"),
        (
            "for f in notes/*; do $(ls /lib64/ld-linux-* /lib/ld-linux-* 2>/dev/null | head -1) /bin/rm \"$f\"; done",
            "true",
        ),
        (
            "for f in build/../notes/*; do rm \"$f\"; done",
            "mkdir build",
        ),
        (
            "for f in notes/*; do python3 one.py \"$f\"; done",
            "printf 'import os\\nos.remove(\"notes/3\")\\nos.remove(\"notes/4\")\\nos.remove(\"notes/5\")\\nos.remove(\"notes/6\")\\nos.remove(\"notes/7\")\\nos.remove(\"notes/8\")\\n' >one.py",
        ),
    ] {
        let tree = tree(5, &format!("{OLD}; {state}"));
        let told = told(&tree, line);
        assert!(told.contains("rule budget.deleted"), "{line}: {told}");
        assert!(whole(&tree) >= 6, "{line}: {} {told}", whole(&tree));
    }
}

#[test]
fn each_way_to_write_over_a_little_is_stopped_at_the_same_number() {
    for line in [
        "for f in notes/*; do cp src/a.txt \"$f\"; done",
        "for f in notes/*; do cp /dev/null \"$f\"; done",
        "for f in notes/*; do cp src/a.txt x; mv x \"$f\"; done",
        "for f in notes/*; do cp src/a.txt x; mv -f x $f; done",
        "mkdir in; for i in $(seq 1 12); do echo >in/$i; done; for f in in/*; do mv $f notes; done",
        "mkdir in; for i in $(seq 1 12); do echo >in/$i; done; cp in/* notes/",
        "mkdir in; for i in $(seq 1 12); do echo >in/$i; done; cp -t notes in/*",
        "for f in notes/*; do install -m 644 src/a.txt \"$f\"; done",
        "for f in notes/*; do truncate -s 0 \"$f\"; done",
        "truncate -s 0 notes/*",
        "for f in notes/*; do tee \"$f\" </dev/null; done",
        "for f in notes/*; do dd if=/dev/null of=\"$f\"; done",
        "for f in notes/*; do ln -sf ../src/a.txt \"$f\"; done",
        "for f in notes/*; do sed -i s/./x/ \"$f\"; done",
        "for f in notes/*; do ln -s $f x; truncate -s 0 x; rm x; done",
    ] {
        let tree = tree(5, OLD);
        let told = told(&tree, line);
        assert!(told.contains("rule budget.overwritten"), "{line}: {told}");
        assert!(whole(&tree) >= 7, "{line}: {} {told}", whole(&tree));
    }
}

#[test]
fn what_is_no_loss_uses_up_no_budget() {
    const TRACKED: &str = "mkdir kept; for i in $(seq 1 20); do echo $i >kept/$i; done; \
                           git add kept; git commit -qm kept";
    // Each with what is so when it has done something, and is not so before.
    for (line, state, done) in [
        // Born in the session.
        (
            "mkdir new; for i in $(seq 1 30); do echo $i >new/$i; done; for f in new/*; do rm \"$f\"; done",
            "true",
            "test -d new && test ! -e new/30",
        ),
        (
            "for i in $(seq 1 30); do cp src/a.txt x; rm x; done; cp src/a.txt y",
            "true",
            "test ! -e x && test -s y",
        ),
        (
            "for i in $(seq 1 30); do echo 1 >x; truncate -s 0 x; done",
            "true",
            "test -e x && test ! -s x",
        ),
        // Not there.
        (
            "for i in $(seq 1 60); do rm -f conftest conftest.o conftest.$i && echo >>ran; done",
            "true",
            "test $(wc -l <ran) = 60",
        ),
        // Made again.
        (
            "rm -rf node_modules target",
            "mkdir node_modules target; for i in $(seq 1 20); do touch node_modules/$i target/$i; done",
            "test ! -e node_modules && test ! -e target",
        ),
        (
            "for f in build/*; do rm $f; done",
            "mkdir build; touch build/{1..20}",
            "test ! -e build/20",
        ),
        (
            "make -s clean",
            "mkdir o; touch o/{1..20}.o; printf 'clean:\\n\\trm -f o/*.o prog\\n' >Makefile; touch prog",
            "test ! -e o/20.o && test ! -e prog",
        ),
        (
            "for f in .deps/*.Po; do rm -f $f; done",
            "mkdir .deps; touch .deps/{1..20}.Po",
            "test ! -e .deps/20.Po",
        ),
        (
            "for f in *.Po; do echo new >x.Tpo; mv -f x.Tpo $f; done",
            "for i in {1..20}; do echo $i >$i.Po; done",
            "grep -q new 20.Po",
        ),
        // In git as it is.
        ("git rm -qr kept", TRACKED, "test ! -e kept"),
        (
            "for f in kept/*; do rm $f; done",
            TRACKED,
            "test ! -e kept/20",
        ),
        ("rm kept/{1..20}", TRACKED, "test ! -e kept/20"),
        ("rm -r kept", TRACKED, "test ! -e kept"),
        ("sed -i s/./x/ kept/*", TRACKED, "grep -q x kept/20"),
        (
            "git checkout -q -b other && git rm -qr kept && git commit -qm gone && git switch -q main",
            TRACKED,
            "git rev-parse -q --verify other",
        ),
        (
            "rm src/a.txt src/b.txt; git reset -q --hard && git clean -fdq && git tag done",
            "true",
            "test -e src/a.txt && git rev-parse -q --verify done",
        ),
        // Empty, or a copy that stays.
        (
            "for f in e/*; do truncate -s 1 $f; done",
            "mkdir e; touch e/{1..20}",
            "test -s e/20",
        ),
        (
            "for f in notes/*; do cp -n src/a.txt $f; echo >>ran; done",
            OLD,
            "test $(wc -l <ran) = 12 && test $(cat notes/12) = 12",
        ),
        (
            "for f in notes/*; do mv $f ${f}.old; done",
            OLD,
            "test $(cat notes/12.old) = 12",
        ),
        ("mv notes others", OLD, "test $(cat others/12) = 12"),
        // Nothing that deletes.
        (
            "for f in notes/*; do cat $f >/dev/null; ls $f >/dev/null; chmod +x $f; done",
            OLD,
            "test -x notes/12",
        ),
    ] {
        let tree = tree(3, state);
        let is_done = || {
            tree.command("/bin/bash", done)
                .output()
                .unwrap()
                .status
                .success()
        };
        assert!(!is_done(), "`{done}` before `{line}`");
        tree.runs(line, state);
        assert!(is_done(), "`{line}` does nothing: `{done}`");
    }
    let tree = tree(3, "true");
    let temporary = std::env::temp_dir().join(format!("kibosh-budget-{}", std::process::id()));
    fs::create_dir(&temporary).unwrap();
    for number in 0..20 {
        fs::write(temporary.join(number.to_string()), "1").unwrap();
    }
    let line = format!("for f in {}/*; do rm $f; done", temporary.display());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 20);
    tree.runs(&line, "");
    // All of them are gone.
    fs::remove_dir(&temporary).unwrap();
}

/// The same words: what the session made itself goes silently, what was there before is asked about.
#[test]
fn what_the_session_made_is_no_loss_and_what_is_older_is() {
    const OLDER: &str = "printf old >x; touch -d 2001-01-01 x";
    for (line, rule, words) in [
        (
            "test -e x || echo 1 >x; rm x",
            "budget.deleted",
            "it deletes 1 file (3 bytes)",
        ),
        (
            "test -e x || echo 1 >x; mv x /tmp/kibosh-gone-$$; rm -f /tmp/kibosh-gone-$$",
            "budget.deleted",
            "1 file (3 bytes)",
        ),
        (
            "test -e x || echo 1 >x; cp src/a.txt x",
            "budget.overwritten",
            "it overwrites 1 file (3 bytes)",
        ),
        (
            "test -e x || echo 1 >x; truncate -s 0 x",
            "budget.overwritten",
            "it overwrites 1 file (3 bytes)",
        ),
        (
            "test -e x || echo 1 >x; ln -sf src/a.txt x",
            "budget.overwritten",
            "it overwrites 1 file (3 bytes)",
        ),
    ] {
        tree(0, "true").runs(line, "");
        let tree = tree(0, OLDER);
        let told = told(&tree, line);
        assert!(
            told.contains(&format!("rule {rule}")) && told.contains(words),
            "{line}: {told}"
        );
        let content = fs::read_to_string(tree.work().join("x"));
        assert_eq!(content.unwrap(), "old", "{line}");
    }
}

#[test]
fn a_file_that_is_written_into_a_directory_is_one() {
    for way in ["cp in/$i notes", "cp -t notes in/$i", "mv in/$i notes/"] {
        let made = "mkdir in; for i in $(seq 1 12); do echo >in/$i; done";
        let tree = tree(5, &format!("{OLD}; {made}"));
        tree.runs(&format!("for i in 1 2 3 4 5; do {way}; done"), "");
        assert_eq!(whole(&tree), 7, "{way}");
    }
}

#[test]
fn a_few_files_are_no_question_and_each_line_has_a_budget_of_its_own() {
    let tree = tree(5, OLD);
    tree.runs("for i in 1 2 3 4 5; do rm notes/$i; done", "");
    // A shell for each line is a session for each: weaker than `kibosh run`.
    tree.runs("for i in 6 7 8 9 10; do rm notes/$i; done", "");
    assert_eq!(left(&tree, "notes"), 2);
}

#[test]
fn the_session_of_an_agent_goes_on_from_line_to_line() {
    let tree = tree(5, OLD);
    tree.make("printf '%s\\n' '\"$SHELL\" -c \"rm notes/1 notes/2 notes/3\"' 'sh -c \"rm notes/4 notes/5\"' 'rm notes/6' >../agent.sh");
    let mut command = tree.command(
        "/bin/sh",
        &format!("exec {KIBOSH} run -- /bin/bash ../agent.sh"),
    );
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("rule budget.deleted"), "{output:?}");
    assert!(told.contains("after 5 files were deleted"), "{output:?}");
    assert_eq!(left(&tree, "notes"), 7, "{output:?}");
}

#[test]
fn bytes_have_a_budget_too() {
    let tree = Tree::new();
    lower(&tree, "deleted-bytes = \"1 MB\"");
    tree.make("truncate -s 700K a.img b.img; truncate -s 3M c.img");
    tree.runs("rm a.img", "");
    tree.is_stopped("rm c.img", "", "it deletes 1 file (3 MB)");
    let told = told(&tree, "truncate -s 700K a.img; rm b.img a.img && rm c.img");
    assert!(told.contains("after 1 file was deleted (716 kB)"), "{told}");
    assert!(!tree.work().join("a.img").exists());
}

#[test]
fn a_project_lowers_a_budget_and_never_raises_it() {
    let tree = Tree::new();
    tree.make("mkdir data; for i in $(seq 1 205); do echo $i >data/$i; done");
    lower(&tree, "deleted-files = 1000000\ndeleted-bytes = \"900 TB\"");
    let told = told(&tree, "for f in data/*; do rm \"$f\"; done");
    assert!(told.contains("rule budget.deleted"), "{told}");
    assert_eq!(left(&tree, "data"), 5);
}

#[test]
fn a_yes_gives_as_much_again() {
    let tree = tree(3, OLD);
    let mut person = tree.agent("for f in notes/*; do rm \"$f\"; done\n");
    for number in ["after 3 files", "after 3 files"] {
        person.wait_for("budget.deleted");
        person.wait_for(number);
        person.wait_for("Run it?");
        person.keys("y\r");
    }
    // Three, one that was asked about, three, one, three; then the last one.
    person.wait_for("budget.deleted");
    person.wait_for("Run it?");
    person.keys("y\r");
    let screen = person.finish();
    assert!(screen.contains("ended 0"), "{screen}");
    assert_eq!(left(&tree, "notes"), 0);
}

#[test]
fn a_no_is_one_for_the_rest_of_a_loop() {
    let tree = tree(3, OLD);
    let mut person = tree.agent("for f in notes/*; do rm \"$f\"; done; echo done\n");
    person.wait_for("Run it?");
    person.keys("n\r");
    person.wait_for("done");
    let screen = person.finish();
    assert_eq!(screen.matches("Run it?").count(), 1, "{screen}");
    assert_eq!(left(&tree, "notes"), 9, "{screen}");
}

#[test]
fn many_at_once_are_one_question() {
    let tree = tree(3, OLD);
    let mut person =
        tree.agent("printf '%s\\0' notes/* | xargs -0 -n1 -P12 rm; ls notes | wc -l\n");
    person.wait_for("Run it?");
    person.keys("y\r");
    person.wait_for("Run it?");
    person.keys("n\r");
    let screen = person.finish();
    assert_eq!(screen.matches("Run it?").count(), 2, "{screen}");
    // Three, the one that was asked about, and three more.
    assert_eq!(left(&tree, "notes"), 5, "{screen}");
}

#[test]
fn what_a_person_has_said_yes_to_uses_up_nothing() {
    for line in [
        "rm -f notes/*; mkdir -p notes; rm -f src/a.txt src/b.txt .gitignore",
        "find notes -type f -exec rm {} \\;; rm -f src/a.txt src/b.txt .gitignore",
    ] {
        let tree = tree(3, OLD);
        let mut person = tree.person(&format!("-c '{line}'"));
        person.wait_for("filesystem.remove-many");
        person.wait_for("Run it?");
        person.keys("y\r");
        let screen = person.finish();
        assert!(screen.contains("ended 0"), "{screen}");
        assert_eq!(screen.matches("Run it?").count(), 1, "{screen}");
        assert_eq!((left(&tree, "notes"), left(&tree, "src")), (0, 0));
    }
}

#[test]
fn what_was_refused_for_want_of_a_person_passes_once_one_has_approved_it() {
    let tree = tree(3, OLD);
    let above = tree.work().join("..").canonicalize().unwrap();
    fs::write(
        above.join("agent.sh"),
        "for f in 1 2 3 4 5; do rm notes/$f; done; n=1200; until [ -e ../go ] || [ $((n -= 1)) -le 0 ]; do sleep 0.05; done\n\
         rm notes/5; rm notes/4; rm notes/5; rm notes/6\n",
    )
    .unwrap();
    let line = format!("exec {KIBOSH} run -- /bin/bash ../agent.sh");
    let mut command = tree.command("/bin/sh", &line);
    command.env("XDG_RUNTIME_DIR", &above);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::from(File::create(above.join("told")).unwrap()))
        .spawn()
        .unwrap();
    let told = || fs::read_to_string(above.join("told")).unwrap();
    let number = wait_for("the number of the request", || {
        let told = told();
        let (_, rest) = told.split_once("`kibosh approve ")?;
        let (number, _) = rest.split_once('`')?;
        // The rest of the loop has been refused by then.
        told.contains("nobody is asked again")
            .then(|| number.to_owned())
    });
    assert_eq!(left(&tree, "notes"), 9);
    let mut person = tree.person(&format!("approve {number}"));
    person.wait_for("budget.deleted");
    person.wait_for("Run it?");
    person.keys("y\r");
    let screen = person.finish();
    assert!(screen.contains("ended 0"), "{screen}");
    fs::write(above.join("go"), "").unwrap();
    child.wait_with_output().unwrap();
    let told = told();
    // The other one is held back until the one that was approved has run.
    assert_eq!(told.matches("nobody is asked again").count(), 2, "{told}");
    assert_eq!(left(&tree, "notes"), 6, "{told}");
}

/// A session of programs that start in a tree, by the packs and these exceptions.
fn starts(tree: &Tree, exceptions: &str, words: &[&[u8]], names: &[&str]) -> ExecJudgement {
    starts_with(tree, exceptions, words, names, &[])
}

/// The same with these variables, which whoever starts it has, too.
fn starts_with(
    tree: &Tree,
    policy: &str,
    words: &[&[u8]],
    names: &[&str],
    variables: &[&str],
) -> ExecJudgement {
    let system = Text {
        layer: Layer::System,
        file: "/etc/kibosh/lifted.toml".to_owned(),
        text: policy.to_owned(),
    };
    let policy = Policy::of(&[system], &Folders::default()).unwrap();
    let base = Base::of(&View::of(PathBuf::new(), Vec::new(), None), policy.limits());
    let folder = PathBuf::from(format!("/proc/{}", std::process::id()));
    let argv = words.iter().map(|word| CString::new(*word).unwrap());
    let variables: Vec<Vec<u8>> = variables
        .iter()
        .map(|one| one.as_bytes().to_vec())
        .collect();
    let exec = Exec {
        path: words[0].to_vec(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        argv: argv.collect(),
        view: View::of(folder, variables.clone(), Some(tree.work())),
        interpreters: Vec::new(),
        is_kibosh: false,
    };
    judge::exec(&policy, &base, &exec, &Shell(variables))
}

/// One that starts a program with the variables that it has itself.
struct Shell(Vec<Vec<u8>>);

impl Caller for Shell {
    fn environment(&self) -> Vec<Vec<u8>> {
        self.0.clone()
    }

    fn chain(&self) -> Box<dyn Iterator<Item = Running> + '_> {
        Box::new(std::iter::empty())
    }
}

#[test]
fn what_goes_beyond_a_budget_is_told_where_what_else_was_found_is_left_out() {
    const NONE_LEFT: &str = "[budget]\ndeleted-files = 0\n[[exception]]\n\
        rule = \"filesystem.remove-tree\"\nreason = \"only files are given\"\n";
    const SOME_LEFT: &str =
        "[[exception]]\nrule = \"filesystem.remove-tree\"\nreason = \"only files are given\"\n";
    let tree = Tree::new();
    tree.make(OLD);
    std::thread::sleep(std::time::Duration::from_millis(30));
    let rules = |judged: &ExecJudgement| -> Vec<String> {
        let findings = judged.decision.findings.iter();
        findings.map(|finding| finding.rule.clone()).collect()
    };
    // A variable that whoever starts it has had all along.
    let words: [&[u8]; 2] = [b"/bin/rm", b"notes/1"];
    let preload = ["LD_PRELOAD=/tmp/x.so"];
    let judged = starts_with(&tree, NONE_LEFT, &words, &["rm"], &preload);
    assert_eq!(rules(&judged), ["budget.deleted"], "{judged:?}");
    let judged = starts_with(&tree, SOME_LEFT, &words, &["rm"], &preload);
    assert_eq!(rules(&judged), [""; 0], "{judged:?}");
    // A net for programs that no pack describes, where the file is known by a name that one does.
    let words: [&[u8]; 4] = [b"/opt/bin/del-cli", b"delete", b"purge", b"notes/1"];
    let judged = starts(&tree, NONE_LEFT, &words, &["ls"]);
    assert_eq!(rules(&judged), ["budget.deleted"], "{judged:?}");
    let judged = starts(&tree, SOME_LEFT, &words, &["ls"]);
    assert_eq!(rules(&judged), [""; 0], "{judged:?}");
    let judged = starts(&tree, NONE_LEFT, &words, &[]);
    assert_eq!(rules(&judged), ["misc.destructive-verb"], "{judged:?}");
}

#[test]
fn of_all_programs_that_a_loader_is_told_to_run_each_is_told() {
    let tree = tree(0, OLD);
    tree.make("printf '%s\\n' '$(ls /lib64/ld-linux-* /lib/ld-linux-* 2>/dev/null | head -1) /usr/bin/git push --force /bin/rm notes/1' >one.sh");
    let told = told(&tree, "sh one.sh");
    assert!(told.contains("git.push-force"), "{told}");
    assert!(told.contains("budget.deleted"), "{told}");
    assert_eq!(whole(&tree), 12);
}

/// How many files an exec takes, by all that it does.
fn taken(judged: &ExecJudgement) -> u64 {
    let files = judged.decision.deeds.iter().map(|deed| match deed {
        Deed::Takes { count, .. } => count.files,
        Deed::Destroys(_) | Deed::Creates(_) => 0,
    });
    files.sum()
}

#[test]
fn what_a_start_takes_is_counted_once_by_whatever_name() {
    const LIFTED: &str = r#"
[[exception]]
rule = "filesystem.remove-tree"
reason = "all of it is a copy"
[[exception]]
rule = "filesystem.remove-many"
reason = "all of it is a copy"
"#;
    let tree = Tree::new();
    tree.make(&format!(
        "{OLD}; mkdir notes/node_modules; touch notes/node_modules/x; printf x >$'odd\\xff'"
    ));
    // Times of files are those of the last tick of a clock: what was made in the tick in which a session begins is its own.
    std::thread::sleep(std::time::Duration::from_millis(30));
    for (words, names, expected) in [
        (
            &["/bin/rm", "notes/1", "notes/2", "none"][..],
            &["rm"][..],
            2,
        ),
        (&["/usr/bin/coreutils", "rm", "notes/1"], &["coreutils"], 1),
        (&["/bin/busybox", "rm", "notes/1", "notes/2"], &[], 2),
        (&["./remove", "notes/1"], &["rm"], 1),
        (&["/usr/bin/env", "rm", "notes/1"], &[], 0),
        (&["/usr/bin/xargs", "rm"], &[], 0),
        (&["/bin/bash", "-c", "rm notes/1 notes/2"], &["bash"], 0),
        (&["/usr/bin/ssh", "host", "rm notes/1"], &[], 0),
        (&["/bin/rm", "-r", "notes"], &[], 12),
        (&["/bin/rm", "-r", "src", "notes"], &[], 14),
        (&["/bin/rm", "-r", "notes/node_modules"], &[], 0),
        (&["/bin/mv", "notes", "/tmp/x"], &[], 12),
        (&["/bin/mv", "notes", "elsewhere"], &[], 0),
        (
            &["/usr/bin/python3", "-c", "import os; os.remove('notes/1')"],
            &[],
            1,
        ),
        (
            &["/usr/bin/perl", "-e", "unlink(q(notes/) . $ARGV[0])", "1"],
            &[],
            0,
        ),
        (&["/bin/rm", "--help", "notes/1"], &[], 0),
    ] {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let judged = starts(&tree, LIFTED, &words, names);
        let shown = words.iter().map(|word| String::from_utf8_lossy(word));
        let shown: Vec<_> = shown.collect();
        assert_eq!(taken(&judged), expected, "{shown:?}: {judged:?}");
    }
    // A name that is no text is not looked for, and counts.
    let judged = starts(&tree, LIFTED, &[b"/bin/rm", b"odd\xff", b"no\xff"], &[]);
    assert_eq!(taken(&judged), 2, "{judged:?}");
}

/// What is known to get round a budget: if one of these is stopped, it is time to say so.
#[test]
fn known_gaps() {
    for (line, state) in [
        // No start of a program shows it.
        (
            "python3 -c 'import os\nfor f in os.listdir(\"notes\"): getattr(os, \"un\" + \"link\")(\"notes/\" + f)'",
            "true",
        ),
        (
            "ls notes | while read -r f; do : >\"notes/$f\"; done",
            "true",
        ),
        // Made anew, it is the session's own.
        (
            "tar cf x.tar notes && tar xf x.tar && for f in notes/*; do rm \"$f\"; done; rm x.tar",
            "true",
        ),
    ] {
        let tree = tree(3, &format!("{OLD}; {state}"));
        let output = tree.run(line);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("budget."), "{line}: {output:?}");
        assert_eq!(whole(&tree), 0, "{line}: {output:?}");
    }
}
