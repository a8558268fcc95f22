//! The same words, where nothing would be lost and where something would: the one runs silently, the other
//! is stopped, with a sentence that says what goes.

use std::process::Command;

use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// The words, a state in which they lose nothing, one in which they lose something, and what is said then.
type Pair = (&'static str, &'static str, &'static str, &'static str);

fn pairs(pairs: &[Pair]) {
    for (line, harmless, harmful, words) in pairs {
        let tree = Tree::new();
        tree.make(harmless);
        tree.runs(line, harmless);
        let tree = Tree::new();
        tree.make(harmful);
        tree.is_stopped(line, harmful, words);
    }
}

const SECOND: &str = "echo new >new.txt; git add .; git commit -qm second";

#[test]
fn a_reset_loses_what_is_in_no_commit() {
    pairs(&[
        (
            "git reset --hard",
            "true",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file (6 bytes)",
        ),
        (
            "git reset -q --hard HEAD",
            "echo n >notes",
            "echo x >src/a.txt; git add src/a.txt",
            "it throws away the changes to 1 file (2 bytes)",
        ),
        (
            "git reset --hard",
            "rm src/a.txt",
            "echo x >src/a.txt; git add src/a.txt; rm src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git reset --hard",
            "git rm -q --cached src/a.txt; rm src/a.txt",
            "git rm -q --cached src/a.txt; echo more >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git reset --merge",
            "true",
            "git switch -qc o; echo 1 >src/a.txt; git commit -qam 1; git switch -q main; \
             echo 2 >src/a.txt; git commit -qam 2; git merge -q o || true",
            "it throws away the changes to 1 file",
        ),
        (
            "git reset --hard HEAD~1",
            "echo new >new.txt; git add .; git commit -qm second; git branch keep",
            SECOND,
            "it leaves 1 commit that no other branch, tag or remote has",
        ),
        (
            "git reset --hard origin/main",
            "git init -q --bare ../far; git remote add origin ../far; git push -q origin main; git fetch -q",
            "git init -q --bare ../far; git remote add origin ../far; git push -q origin main; \
             for i in 1 2; do echo $i >$i; git add .; git commit -qm $i; done",
            "it leaves 2 commits that no other branch, tag or remote has",
        ),
        (
            "git reset --hard HEAD~1",
            "git init -q --bare ../far; git remote add origin ../far; echo n >n; git add n; git commit -qm n; git push -q origin main",
            "git init -q --bare ../far; git remote add origin ../far; git push -q origin main; echo n >n; git add n; git commit -qm n",
            "it leaves 1 commit",
        ),
        (
            "git reset --hard other",
            "git switch -qc other; echo 1 >far.txt; git add .; git commit -qm far; git switch -q main",
            "git switch -qc other; echo 1 >far.txt; git add .; git commit -qm far; git switch -q main; echo mine >far.txt",
            "it overwrites 1 untracked file",
        ),
    ]);
}

#[test]
fn a_checkout_loses_what_it_overwrites() {
    pairs(&[
        (
            "git checkout -f",
            "true",
            "echo x >>src/b.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout -f other",
            "git branch other; echo n >notes",
            "git switch -qc other; echo 1 >far.txt; git add .; git commit -qm far; git switch -q main; echo mine >far.txt",
            "it overwrites 1 untracked file",
        ),
        (
            "git switch --discard-changes other",
            "git branch other",
            "git branch other; echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout -f main",
            "git checkout -q --detach",
            "git checkout -q --detach; echo n >n; git add n; git commit -qm n",
            "it leaves 1 commit",
        ),
        (
            "git checkout -- src/a.txt",
            "echo x >>src/b.txt",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout -- src/a.txt",
            "rm src/a.txt; mkdir src/b",
            "rm src/a.txt; mkdir src/a.txt; echo n >src/a.txt/n",
            "it overwrites 1 untracked file",
        ),
        (
            "git reset --hard",
            "rm -r src",
            "rm -r src; echo n >src",
            "",
        ),
        (
            "git checkout -- src",
            "rm -r src",
            "rm -r src; echo n >src",
            "",
        ),
        (
            "git checkout .",
            "echo n >notes",
            "echo x >>src/a.txt; echo y >>src/b.txt",
            "it throws away the changes to 2 files (12 bytes)",
        ),
        (
            "cd src && git checkout .",
            "echo x >>.gitignore",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git -C src checkout -- a.txt",
            "echo x >>src/b.txt",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout '*.txt'",
            "echo x >>.gitignore",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout HEAD -- src",
            "true",
            "echo x >src/a.txt; git add src",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout other src/a.txt",
            "git branch other",
            "git branch other; echo x >src/a.txt; git add src",
            "it throws away the changes to 1 file",
        ),
        (
            "git checkout HEAD~1 -- old.txt",
            "echo o >old.txt; git add .; git commit -qm o; git rm -q old.txt; git commit -qm gone",
            "echo o >old.txt; git add .; git commit -qm o; git rm -q old.txt; git commit -qm gone; echo mine >old.txt",
            "it overwrites 1 untracked file",
        ),
        (
            "git restore src/a.txt",
            "echo x >src/a.txt; git add src",
            "echo x >src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git restore .",
            "rm src/a.txt",
            "echo x >src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git restore -SW .",
            "true",
            "echo x >src/a.txt; git add src",
            "it throws away the changes to 1 file",
        ),
        (
            "git restore --source=HEAD~1 src",
            "echo 2 >src/a.txt; git commit -qam 2",
            "echo 2 >src/a.txt; git commit -qam 2; echo 3 >src/a.txt",
            "it throws away the changes to 1 file",
        ),
        (
            "git rm -rf src",
            "true",
            "echo x >>src/a.txt",
            "it throws away the changes to 1 file",
        ),
    ]);
}

#[test]
fn cleaning_loses_what_git_has_never_stored() {
    pairs(&[
        (
            "git clean -fd",
            "true",
            "echo n >notes; mkdir d; echo m >d/more",
            "it deletes 2 files (4 bytes), all untracked",
        ),
        (
            "git clean -fd",
            "mkdir -p node_modules/x __pycache__; echo 1 >node_modules/x/i.js; echo 2 >__pycache__/a.pyc",
            "mkdir -p node_modules/x; echo 1 >node_modules/x/i.js; echo n >notes",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "git clean -fd",
            "echo KEY=1 >.env",
            "echo KEY=1 >env",
            "it deletes 1 file (6 bytes), untracked",
        ),
        (
            "git clean -fdx",
            "mkdir build; echo 1 >build/out",
            "echo KEY=1 >.env",
            "it deletes 1 file (6 bytes), ignored by git",
        ),
        (
            "git clean -fdX",
            "echo n >notes",
            "echo n >a.secret",
            "it deletes 1 file (2 bytes), ignored by git",
        ),
        (
            "git clean -f",
            "mkdir d; echo n >d/notes",
            "echo n >src/notes",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "git clean -fd src",
            "echo n >notes",
            "echo n >src/notes",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "cd src && git clean -fd",
            "echo n >notes",
            "echo n >src/notes",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "git clean -ffd",
            "mkdir empty",
            "git init -q sub; echo 1 >sub/x",
            "it deletes 1 repository with all history",
        ),
    ]);
}

#[test]
fn stashes_branches_and_worktrees_lose_what_nothing_else_names() {
    pairs(&[
        (
            "git stash drop",
            "true",
            "echo x >src/a.txt; git stash -q",
            "it drops 1 stash",
        ),
        (
            "git stash clear",
            "true",
            "for i in 1 2; do echo $i >src/a.txt; git stash -q; done",
            "it drops 2 stashes",
        ),
        (
            "git branch -D topic",
            "git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main; git merge -q topic",
            "git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main",
            "it leaves 1 commit that no other branch, tag or remote has",
        ),
        (
            "git branch -D topic",
            "git init -q --bare ../far; git remote add origin ../far; git switch -qc topic; echo n >n; git add n; \
             git commit -qm n; git push -q origin topic; git switch -q main",
            "git init -q --bare ../far; git remote add origin ../far; git switch -qc topic; git push -q origin topic; \
             echo n >n; git add n; git commit -qm n; git switch -q main",
            "it leaves 1 commit",
        ),
        (
            "git branch -D one two",
            "git branch one; git branch two",
            "git switch -qc one; echo n >n; git add n; git commit -qm n; git branch two; git switch -q main",
            "it leaves 1 commit",
        ),
        (
            "git branch -D topic",
            "true",
            "git switch -qc topic; for i in 1 2 3; do echo $i >n; git add n; git commit -qm $i; done; git switch -q main",
            "it leaves 3 commits",
        ),
        (
            "git branch -f topic main",
            "git branch topic",
            "git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main",
            "it leaves 1 commit",
        ),
        (
            "git branch -M other topic",
            "git branch other; git branch topic",
            "git branch other; git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main",
            "it leaves 1 commit",
        ),
        (
            "git checkout -B topic main",
            "git branch topic",
            "git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main",
            "it leaves 1 commit",
        ),
        (
            "git worktree remove --force ../w",
            "git worktree add -q ../w; echo x >>src/a.txt",
            "git worktree add -q ../w; echo x >>../w/src/a.txt",
            "1 modified since the last commit, the rest is in git",
        ),
        (
            "git worktree remove -f ../w",
            "git worktree add -q ../w; mkdir ../w/build; echo 1 >../w/build/o",
            "git worktree add -q ../w; echo n >../w/notes",
            "1 untracked",
        ),
        (
            "git worktree remove -f ../w",
            "git worktree add -q --detach ../w",
            "git worktree add -q --detach ../w; cd ../w; echo n >n; git add n; git commit -qm n",
            "it leaves 1 commit",
        ),
        (
            "git worktree remove -f ../w",
            "git worktree add -q ../w",
            "git worktree add -q ../w; echo K >../w/.env",
            "1 ignored by git",
        ),
    ]);
}

#[test]
fn removing_a_directory_loses_what_is_not_in_git() {
    pairs(&[
        (
            "rm -rf src",
            "true",
            "echo x >>src/a.txt",
            "it deletes 2 files (10 bytes): 1 modified since the last commit, the rest is in git",
        ),
        (
            "rm -rf src",
            "echo x >src/a.txt; git add src",
            "echo n >src/notes; echo m >src/more; echo x >>src/a.txt",
            "it deletes 4 files (14 bytes): 2 untracked, 1 modified since the last commit, the rest is in git",
        ),
        (
            "rm -rf src",
            "mkdir src/__pycache__; echo 1 >src/__pycache__/a.pyc",
            "echo K >src/.env",
            "1 ignored by git",
        ),
        (
            "rm -rf data",
            "true",
            "mkdir data; echo 1 >data/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf data",
            "mkdir data; echo 1 >data/x; git add data; git commit -qm data",
            "mkdir data; echo 1 >data/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "d=$(ls -d [a-r]*/ v*/ 2>/dev/null); rm -rf \"$d\"",
            "mkdir -p venv/bin; echo 1 >venv/bin/python",
            "mkdir data; echo 1 >data/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "for d in da*; do rm -rf \"$d\"; done",
            "mkdir -p data/a/b",
            "mkdir data; echo 1 >data/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf data",
            "mkdir -p data/a/b",
            "mkdir -p data/a/b; echo 1 >data/a/b/c",
            "it deletes 1 file",
        ),
        (
            "rm -rf state",
            "mkdir -p state/venv/bin state/node_modules; echo 1 >state/venv/bin/python; echo 2 >state/node_modules/x",
            "mkdir -p state/pg; echo 1 >state/pg/base",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf node_modules src",
            "mkdir node_modules; echo 1 >node_modules/x",
            "mkdir node_modules; echo 1 >node_modules/x; echo x >>src/a.txt",
            "it deletes 2 files",
        ),
        (
            "rm -rf ../beside",
            "mkdir -p ../beside/empty",
            "mkdir ../beside; echo 1 >../beside/x; echo 2 >../beside/y",
            "it deletes 2 files (4 bytes), all in no repository",
        ),
        (
            "rm -rf ../beside/build",
            "mkdir -p ../beside/build; echo 1 >../beside/build/x; echo >../beside/Makefile",
            "mkdir -p ../beside/build; echo 1 >../beside/build/x",
            "it deletes 1 file (2 bytes), in no repository",
        ),
        (
            "rm -rf ../beside/output/*",
            "mkdir -p ../beside/output; echo 1 >../beside/output/x; git init -q ../beside",
            "mkdir -p ../beside/output; echo 1 >../beside/output/x",
            "it deletes 1 file (2 bytes), in no repository",
        ),
        (
            "d=../beside; rm -rf $d/a/out",
            "mkdir -p ../beside/a/out; echo 1 >../beside/a/out/x; echo >../beside/Cargo.toml",
            "mkdir -p ../beside/a/out/Makefile; echo 1 >../beside/a/out/x",
            "it deletes 1 file (2 bytes), in no repository",
        ),
        (
            "rm -rf ../beside",
            "mkdir -p ../beside/node_modules; echo 1 >../beside/node_modules/x",
            "mkdir -p ../beside/output; echo 1 >../beside/output/x",
            "it deletes 1 file (2 bytes), in no repository",
        ),
        (
            "rm -rf link",
            "ln -s ../home link",
            "mkdir link; echo 1 >link/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf notes more",
            "echo 1 >notes; echo 2 >more",
            "echo 1 >notes; mkdir more; echo 2 >more/x",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf sub",
            "mkdir sub; mkfifo sub/pipe",
            "git init -q sub",
            "it deletes 1 repository with all history",
        ),
        (
            "rm -rf src",
            "git init -q ../other",
            "mkdir src/.git; echo hidden >src/.git/data",
            "it deletes 1 repository with all history",
        ),
        (
            "rm -f app.sqlite3",
            "echo 1 >app.sqlite3; git add .; git commit -qm db",
            "echo 1 >app.sqlite3",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "d=src; rm -rf \"$d\"",
            "true",
            "echo x >>src/a.txt",
            "it deletes 2 files",
        ),
        (
            "bash -c 'rm -rf src'",
            "true",
            "echo x >>src/a.txt",
            "it deletes 2 files",
        ),
        (
            "rm -rf \"$(printf s)rc\"",
            "true",
            "echo x >>src/a.txt",
            "it deletes 2 files",
        ),
        (
            "rm -rf src",
            "touch -d 2001-01-01 src/a.txt; chmod 600 src/b.txt",
            "touch -d 2001-01-01 src/a.txt; chmod +x src/b.txt",
            "1 modified since the last commit",
        ),
        (
            "rm -rf src",
            "sleep 0.02; git commit -q --allow-empty -m x",
            "rm src/a.txt; ln -s b.txt src/a.txt",
            "1 modified since the last commit",
        ),
        (
            "rm -rf src",
            "rm src/a.txt; : >src/empty; git add .; git commit -qm x",
            "rm src/a.txt; mkdir src/a.txt; echo n >src/a.txt/n",
            "1 untracked",
        ),
        (
            "rm -rf src",
            "rm -r src; echo n >src",
            "rm -r src; mkdir src; echo n >src/n",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -f src/*",
            "true",
            "echo x >>src/a.txt",
            "it deletes 2 files",
        ),
        (
            "rm -rf data/*",
            "mkdir -p data/empty",
            "mkdir -p data/a; echo 1 >data/a/b",
            "it deletes 1 file (2 bytes), untracked",
        ),
        (
            "rm -rf docs/../src",
            "mkdir docs",
            "mkdir docs; echo x >>src/a.txt",
            "it deletes 2 files",
        ),
    ]);
}

#[test]
fn what_stands_for_files_that_a_pattern_finds_is_not_the_pattern() {
    let tree = Tree::new();
    tree.make("mkdir data; echo 1 >data/x");
    for line in [
        "for d in da*; do rm -rf \"$d\"; done",
        "for d in da*; do e=$d; rm -rf \"$e/\"; done",
        "d=(da*); rm -rf \"${d[0]}\"",
        "f() { rm -rf \"$@\"; }; f da*",
    ] {
        // Without the exec gate nobody would see what the pattern finds.
        let decision = |line: &str| {
            let mut check = Command::new(KIBOSH);
            check.args(["check", line]).current_dir(tree.work());
            String::from_utf8(check.output().unwrap().stdout).unwrap()
        };
        assert!(decision(line).starts_with("confirm"), "{line}");
        let literal = line.replace("da*", "'da*'");
        assert!(decision(&literal).starts_with("allow"), "{literal}");
    }
}

/// What a script has made a moment ago it takes away without a question, as `configure` does.
#[test]
fn what_a_script_has_just_made_is_its_own() {
    let many = "mkdir d; i=0; while [ $((i += 1)) -lt 80 ]; do echo >d/$i; done; rm -rf d";
    for (state, script, words) in [
        ("true", "mkdir d; echo 1 >d/a; rm -rf d", ""),
        (
            "true",
            "(mkdir d; cd d && mkdir b && echo 1 >b/a); (rm -r d); true",
            "",
        ),
        (
            "true",
            "echo 1 >c.c; echo 2 >c.o; rm -fr c c.c c.o c.dir",
            "",
        ),
        ("true", "git init -q n; cd n; rm -rf ../n", ""),
        (
            "mkdir d; echo old >d/a",
            "rm -rf d",
            "deletes 1 file (4 bytes)",
        ),
        (
            "echo old >o",
            "mkdir d; mv o d/a; rm -rf d",
            "deletes 1 file",
        ),
        (
            "echo old >o",
            "mkdir d; ln o d/a; rm -rf d",
            "deletes 1 file",
        ),
        (
            "echo old >o",
            "mkdir d; cp -p o d/a; rm -rf d",
            "deletes 1 file",
        ),
        ("mkdir d", "echo 1 >d/a; rm -rf d", "deletes 1 file"),
        (
            "mkdir d; echo old >d/a",
            "mkdir e; rm -rf e d",
            "deletes 1 file (4 bytes)",
        ),
        ("true", many, "deletes 79 files"),
        // Who does it is no shell, or one that reads what is piped into it: a program that stays.
        (
            "true",
            "mkdir d; echo 1 >d/a; echo d | xargs rm -rf",
            "deletes 1 file",
        ),
        (
            "true",
            "echo 'mkdir d; echo 1 >d/a; rm -rf d' >piped; cat piped | bash",
            "deletes 1 file",
        ),
    ] {
        let tree = Tree::new();
        tree.make(state);
        tree.make(&format!("cat >go.sh <<'END'\n{script}\nEND"));
        if words.is_empty() {
            tree.runs("dash go.sh", script);
            tree.make(&format!("cat >go.sh <<'END'\n{script}\nEND"));
            tree.runs("bash ./go.sh", script);
        } else {
            tree.is_stopped("bash go.sh", script, words);
        }
    }
    // The line is a script of its own.
    let tree = Tree::new();
    tree.runs("mkdir d; echo 1 >d/a; rm -rf d", "none");
    // A script that begins later has made nothing of it.
    tree.make("echo 'rm -rf d' >go.sh");
    tree.is_stopped(
        "mkdir d; echo 1 >d/a; sleep 0.1; bash go.sh; exit $?",
        "none",
        "deletes 1 file",
    );
}

/// What is put back is written anew, and looks like a script's own.
#[test]
fn known_gap_what_a_script_has_put_back_is_taken_for_its_own() {
    let tree = Tree::new();
    tree.make("mkdir d; echo old >d/a; git stash -q -u");
    tree.runs("git stash pop -q; rm -rf d", "stash");
}

#[test]
fn an_agent_is_stopped_where_something_is_lost_and_only_there() {
    let tree = Tree::new();
    let agent = "git reset -q --hard; echo \"ran $?\"; echo x >>src/a.txt; git reset -q --hard; echo \"ran $?\"; rm -rf src; echo \"ran $?\"";
    let line = format!("{KIBOSH} run -- /bin/bash -c '{agent}'");
    let output = tree.command("/bin/bash", &line).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "ran 0\nran 126\nran 126\n", "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("it throws away the changes to 1 file (6 bytes)"),
        "{told}"
    );
    assert!(
        told.contains("it deletes 2 files (10 bytes): 1 modified"),
        "{told}"
    );
}

#[test]
fn an_explanation_says_what_is_lost_or_that_nothing_is() {
    let tree = Tree::new();
    let explained = || {
        let line = format!("{KIBOSH} explain 'git reset --hard'");
        let output = tree.command("/bin/bash", &line).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let harmless = explained();
    assert!(
        harmless.contains("not confirm git.reset-hard (pack)")
            && harmless.contains("because: nothing would be lost by it now"),
        "{harmless}"
    );
    tree.make("echo x >>src/a.txt");
    let harmful = explained();
    assert!(
        harmful.contains("loses:   it throws away the changes to 1 file (6 bytes)"),
        "{harmful}"
    );
}
