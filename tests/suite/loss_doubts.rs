//! What a look at the machine must not be deceived by, must not run and must not wait for; and when what it
//! has found counts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kibosh::decide::approved::Approved;
use kibosh::decide::gates::Gates;
use kibosh::decide::{self, Decision};
use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;
use kibosh::policy::matcher::Facts;
use kibosh::policy::schema::Loses;
use kibosh::probe::{Content, Found, Loss, Probe};

use crate::support::probe::wait_for;
use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

#[test]
fn nothing_that_a_repository_names_is_run() {
    let tree = Tree::new();
    let mark = tree.work().join("../mark");
    let evil = tree.work().join("../evil");
    fs::write(
        &evil,
        format!("#!/bin/sh\necho \"$0 $*\" >>{}\ncat\n", mark.display()),
    )
    .unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = evil.canonicalize().unwrap();
    let evil = evil.display();
    tree.make(&format!(
        "printf '*.txt filter=evil diff=evil\\n' >.gitattributes; git add .; git commit -qm attributes\n\
         for hook in post-index-change post-checkout pre-commit reference-transaction fsmonitor-watchman; do\n\
             cp ../evil .git/hooks/$hook; done\n\
         git config filter.evil.clean {evil}; git config filter.evil.smudge {evil}; git config filter.evil.process {evil}\n\
         git config diff.evil.textconv {evil}; git config diff.external {evil}; git config diff.evil.command {evil}\n\
         git config core.fsmonitor {evil}; git config core.pager {evil}; git config core.editor {evil}\n\
         git config core.sshCommand {evil}; git config core.askPass {evil}; git config gpg.program {evil}\n\
         git config alias.status '!{evil}'; git config alias.rev-parse '!{evil}'; git config pager.status {evil}\n\
         git config credential.helper {evil}; git config core.alternateRefsCommand {evil}\n\
         git config remote.x.url ext::{evil}; git config remote.x.promisor true; git config extensions.partialClone x\n\
         printf '[include]\\n\\tpath = {evil}.config\\n' >>.git/config\n\
         printf '[core]\\n\\tfsmonitor = {evil}\\n' >{evil}.config\n\
         touch -d 2001-01-01 src/a.txt; echo x >>src/b.txt; rm -f ../mark",
    ));
    for line in [
        "git reset --hard",
        "git reset --hard HEAD~1",
        "git checkout -- src",
        "git clean -fdx",
        "git stash clear",
        "git branch -D x",
        "rm -rf src",
    ] {
        // Only judged: what git itself does once it is allowed is not what this is about.
        let line = format!("{KIBOSH} check {}", shlex::try_quote(line).unwrap());
        let output = tree.command("/bin/bash", &line).output().unwrap();
        assert!(
            !mark.exists(),
            "{line}: {:?}: {output:?}",
            fs::read_to_string(&mark)
        );
        if line.contains("hard") || line.contains("checkout") || line.contains("rm -rf") {
            assert_eq!(output.status.code(), Some(10), "{line}: {output:?}");
        }
    }
    // The same repository runs it where git is asked plainly.
    let _ = tree
        .command(
            "/bin/bash",
            "git diff-files -p >/dev/null; git status >/dev/null",
        )
        .output();
    assert!(mark.exists());
}

#[test]
fn changes_that_git_does_not_show_are_a_loss() {
    for state in [
        "git update-index --assume-unchanged src/a.txt; echo x >>src/a.txt",
        "git update-index --skip-worktree src/a.txt; echo x >>src/a.txt",
        "git config core.fsmonitor true; git config core.ignoreStat true; echo x >>src/a.txt",
        "git config status.showUntrackedFiles no; git config core.trustctime false; \
         git config core.checkStat minimal; git update-index --refresh; \
         touch -r src/a.txt ../time; echo new >src/a.txt; truncate -s 4 src/a.txt; touch -r ../time src/a.txt",
        // As long as before, in the same instant as the index: git calls it racy.
        "touch -r .git/index src/a.txt; git add src; printf 'eno\\n' >src/a.txt; touch -r .git/index src/a.txt",
        "echo n >src/n; git add -N src/n",
        "git switch -qc o; echo 1 >src/a.txt; git commit -qam 1; git switch -q main; \
         echo 2 >src/a.txt; git commit -qam 2; git merge -q o || true",
        "git config core.worktree ../home; echo x >../home/x",
        "git update-index --split-index; git config core.splitIndex true; echo x >>src/a.txt; git update-index --assume-unchanged src/a.txt",
    ] {
        let tree = Tree::new();
        tree.make(state);
        for line in ["git reset --hard", "git checkout -- src", "rm -rf src"] {
            // Only the entry that is meant to be added has nothing that a checkout overwrites.
            if state.contains("add -N") && line.contains("checkout") {
                continue;
            }
            if state.contains("core.worktree") && line.contains("rm") {
                continue;
            }
            let said = tree.stopped(line);
            assert!(said.is_some(), "`{line}` runs after `{state}`");
        }
    }
}

#[test]
fn a_repository_that_is_another_one_than_it_seems_is_a_doubt() {
    let tree = Tree::new();
    tree.make("cp -r . ../other; echo x >>../other/src/a.txt; cp .git/index ../index");
    for line in [
        "GIT_DIR=../other/.git git reset --hard",
        "GIT_WORK_TREE=../other git reset --hard",
        "GIT_INDEX_FILE=../index git reset --hard",
        "GIT_OBJECT_DIRECTORY=../other/.git/objects git checkout -- src",
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.worktree GIT_CONFIG_VALUE_0=../other git reset --hard",
        "export GIT_DIR=$PWD/../other/.git; git reset --hard",
        "git --git-dir=../other/.git reset --hard",
        "git --work-tree=../other reset --hard",
        "git -C ../other reset --hard",
        "git -C .. -C other reset --hard",
        "git -c core.worktree=../other reset --hard",
        "cd ../other; git reset --hard",
        "cd nowhere; cd ../other; git reset --hard",
        "git reset --hard --recurse-submodules",
        "git reset --hard $(echo HEAD) -- 2>/dev/null; echo x >src/a.txt; git reset --hard",
        "git checkout --pathspec-from-file=list HEAD",
        "git checkout HEAD --no-overlay -- src",
        "git clean -fd -i --exclude=x",
        "git branch -D -r main",
    ] {
        let output = tree.run(line);
        let is_stopped = output.status.code() == Some(126);
        let is_harmless = line.contains("-D -r");
        assert_eq!(is_stopped, !is_harmless, "{line}: {output:?}");
        tree.make("git checkout -q -- src");
    }
    let in_environment = tree
        .command(KIBOSH, "git reset --hard")
        .env("GIT_DIR", "../other/.git")
        .output()
        .unwrap();
    assert_eq!(in_environment.status.code(), Some(126));
    let by_others = fs::read_to_string(tree.work().join("../other/src/a.txt")).unwrap();
    assert_eq!(by_others, "one\nx\n");
}

#[test]
fn odd_repositories_and_paths_are_no_way_around() {
    for (state, line, words) in [
        // The repository of this working tree is in what goes.
        (
            "mkdir src/keep; mv .git src/keep/git; echo 'gitdir: src/keep/git' >.git",
            "rm -rf src",
            "with all history",
        ),
        // The objects of this one are in another.
        (
            "cd ..; git clone -q --shared work copy",
            "rm -rf ../work/.git",
            "",
        ),
        ("true", "rm -rf .git/refs", ""),
        ("true", "cd .. && rm -rf work", "with all history"),
        ("git init -q --bare ../bare.git", "rm -rf ../bare.git", ""),
        (
            "cd ..; mkdir far; echo 1 >far/x; ln -s ../far work/far",
            "rm -rf far/",
            "",
        ),
        (
            "cd ..; mkdir far; echo 1 >far/x; ln -s .. work/up",
            "rm -rf up/far",
            "in no repository",
        ),
        (
            "ln -s . loop; ln -s loop/loop src/loop",
            "rm -rf src",
            "1 untracked",
        ),
        (
            "git init -q ../sub; git -C ../sub commit -qm x --allow-empty; \
          git -c protocol.file.allow=always submodule --quiet add ../sub sub; git commit -qm sub",
            "git reset --hard",
            "",
        ),
        (
            "git init -q ../sub; git -C ../sub commit -qm x --allow-empty; \
          git -c protocol.file.allow=always submodule --quiet add ../sub src/sub; git commit -qm sub",
            "rm -rf src",
            "",
        ),
        (
            "mkdir -p in; cd in; git init -q --bare; git config core.bare false; git config core.worktree \"$PWD/..\"; \
          git add ../src/a.txt; git commit -qm x; echo x >>../src/a.txt",
            "cd in && git checkout -f",
            "changes to 1 file",
        ),
        (
            "git config diff.relative true; git switch -qc o; echo 1 >src/far; git add .; git commit -qm far; git switch -q main; \
          echo mine >src/far",
            "git -C src checkout -f o",
            "overwrites 1 untracked file",
        ),
        (
            "mkdir d; echo 1 >d/x.secret; echo 2 >d/plain",
            "git clean -fdX",
            "1 file (2 bytes), ignored by git",
        ),
        (
            "git switch -qc o; git commit -qm x --allow-empty; git switch -q main",
            "git branch -D @{-1}",
            "",
        ),
        (
            "git worktree add -q ../w; echo x >../w/x",
            "git worktree remove -f w",
            "",
        ),
        (
            "mkdir src/keep; mv .git src/keep/git; ln -s src/keep/git .git",
            "rm -rf src",
            "with all history",
        ),
        ("rm .git/HEAD", "rm -rf src", "deletes 2 files"),
        ("true", "echo n >src/notes; rm -f src/*", ""),
        ("true", "rm -rf *", ""),
        (
            "mkdir -p ../far; echo 1 >../far/x; ln -s ../far far",
            "rm -rf far/*",
            "in no repository",
        ),
        ("echo '[' >.git/config", "git reset --hard", ""),
    ] {
        let tree = Tree::new();
        tree.make(state);
        tree.is_stopped(line, state, words);
    }
}

/// The processes of git that have this working directory.
fn gits_in(folder: &Path) -> Vec<PathBuf> {
    let folder = folder.canonicalize().unwrap();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let is_one = |process: &PathBuf| {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        let place = fs::read_link(process.join("cwd")).unwrap_or_default();
        name == "git\n" && place.starts_with(&folder)
    };
    all.map(|entry| entry.path()).filter(is_one).collect()
}

#[test]
fn what_does_not_answer_is_not_waited_for() {
    for (state, line) in [
        ("rm .git/index; mkfifo .git/index", "git reset --hard"),
        ("rm .git/config; mkfifo .git/config", "git stash clear"),
        ("rm .git/config; mkfifo .git/config", "rm -rf src"),
        (
            "mkfifo .git/info/pipe; rm -f .git/info/exclude; ln -s pipe .git/info/exclude",
            "git clean -fd",
        ),
    ] {
        let tree = Tree::new();
        tree.make(state);
        let began = Instant::now();
        tree.is_stopped(line, state, "");
        // A look is given up after 750 ms.
        assert!(began.elapsed() < Duration::from_secs(2), "{line}");
        wait_for("end of each git", || {
            gits_in(&tree.work()).is_empty().then_some(())
        });
    }
}

#[test]
fn a_huge_directory_is_counted_to_a_bound() {
    let tree = Tree::new();
    let huge = tree.work().join("huge");
    fs::create_dir(&huge).unwrap();
    for number in 0..110_000 {
        fs::hard_link(tree.work().join("src/a.txt"), huge.join(number.to_string()))
            .or_else(|_| fs::write(huge.join(number.to_string()), ""))
            .unwrap();
    }
    let began = Instant::now();
    tree.is_stopped("rm -rf huge", "110,000 files", "it deletes at least ");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_was_allowed_because_nothing_was_lost_is_not_remembered() {
    let tree = Tree::new();
    let output = tree.run(
        "for i in 1 2; do git checkout -q -- src/a.txt; echo \"ran $?\"; echo mine >src/a.txt; done",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("ran 0\nran 126\n"), "{said}: {output:?}");
    let left = fs::read_to_string(tree.work().join("src/a.txt")).unwrap();
    assert_eq!(left, "mine\n");
    // Likewise the line of a shell below it.
    let output = tree.run(
        "git checkout -q -- src; for i in 1 2; do sh -c 'git reset -q --hard'; echo \"ran $?\"; echo mine >src/a.txt; done",
    );
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    tree.make("git checkout -q -- src");
    let output = tree.run(
        "for i in 1 2; do sh -c 'git reset -q --hard'; echo \"ran $?\"; echo mine >src/a.txt; done",
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("ran 0\nran 126\n"), "{said}: {output:?}");
}

#[test]
fn what_has_happened_is_not_asked_about_again() {
    let tree = Tree::new();
    let script = "git checkout -q -- src/a.txt\necho mine >src/a.txt\necho one\necho two\n\
                  git checkout -q -- src/a.txt\necho three\n";
    fs::write(tree.work().join("../script"), script).unwrap();
    let output = tree
        .command("/bin/bash", &format!("{KIBOSH} <../script"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("one\ntwo\n"), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.matches("is held back").count(), 1, "{told}");
    let left = fs::read_to_string(tree.work().join("src/a.txt")).unwrap();
    assert_eq!(left, "mine\n");
}

/// A machine that says the same of everything.
struct Always(Found);

impl Probe for Always {
    fn look(&self, _at: Loses, _facts: &Facts<'_>, _skip: usize) -> Found {
        self.0.clone()
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn content(&self, _path: &Path) -> Content {
        Content::None
    }
}

fn decided(policy: &Policy, line: &str, gates: Gates, found: Found) -> Decision {
    let context = Context::text_only();
    let actions = judge(policy, line, &context).actions;
    decide::evaluate(policy, &actions, &context.place, gates, &Always(found))
}

#[test]
fn nothing_lost_counts_only_where_nothing_comes_before_or_another_look_comes_after() {
    let policy = Policy::shipped();
    let rules = |line, gates, found| {
        let findings = decided(&policy, line, gates, found).findings;
        let rules: Vec<String> = findings.into_iter().map(|one| one.rule).collect();
        rules.join(" ")
    };
    for (line, before_none, before_exec) in [
        ("git reset --hard", "", ""),
        ("make; git reset --hard", "git.reset-hard", ""),
        ("git reset --hard; make", "git.reset-hard", ""),
        ("env A=1 git reset --hard", "git.reset-hard", ""),
        ("rm -rf src", "", ""),
    ] {
        assert_eq!(
            rules(line, Gates::Line, Found::Nothing),
            before_none,
            "{line}"
        );
        assert_eq!(
            rules(line, Gates::LineThenExec, Found::Nothing),
            before_exec,
            "{line}"
        );
        assert_ne!(
            rules(line, Gates::LineThenExec, Found::Unknown),
            "",
            "{line}"
        );
    }
    // What a program reads while it runs is seen by no other gate.
    let line = "sqlite3 app.db <<< 'DELETE FROM orders'";
    let asked = "databases.all-rows";
    assert_eq!(rules(line, Gates::BesideExec, Found::Unknown), asked);
    assert_eq!(rules(line, Gates::BesideExec, Found::Nothing), asked);
    assert_eq!(rules(line, Gates::Line, Found::Nothing), "");
    let denied = decided(&policy, "rm -rf /", Gates::Line, Found::Nothing);
    assert!(!denied.findings.is_empty());
    let left_out = |line| {
        decided(&policy, line, Gates::Line, Found::Nothing)
            .left_out
            .len()
    };
    assert_eq!((left_out("rm -rf src"), left_out("ls")), (1, 0));
}

#[test]
fn a_yes_counts_for_the_loss_that_was_shown() {
    let policy = Policy::shipped();
    let lost = |untracked| {
        Found::Lost(Box::new(Loss {
            deletes: true,
            files: untracked,
            untracked,
            ..Loss::default()
        }))
    };
    let line = "rm -rf src";
    for (shown, come, is_covered) in [
        (lost(3), lost(3), true),
        (lost(3), lost(2), true),
        (lost(3), lost(3000), false),
        (lost(3), Found::Unknown, false),
        (Found::Unknown, lost(3000), true),
    ] {
        let mut approved = Approved::default();
        approved.add(&decided(&policy, line, Gates::LineThenExec, shown.clone()));
        let left = decided(&policy, line, Gates::LineThenExec, come.clone()).without(&approved);
        assert_eq!(left.findings.is_empty(), is_covered, "{shown:?} / {come:?}");
    }
}
