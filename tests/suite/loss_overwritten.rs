//! What stands where something is written, and what a remote has where something is pushed, decide.

use std::fs;

use crate::support::tree::Tree;

/// The same words write over something else where a directory has come to stand there: what was allowed before does
/// not count then.
#[test]
fn a_start_that_was_allowed_is_judged_again_where_a_directory_may_take_its_file() {
    let tree = Tree::new();
    tree.make("echo data >app.db; mkdir kept");
    for (name, kept) in [("cp app.db d", "data\n"), ("install app.db d", "data\n")] {
        let again = format!("{name}; rm d; ln -s kept d; {name}; true");
        // Nothing is lost in an empty directory.
        tree.make("rm -rf d kept/*");
        tree.runs(&again, "");
        let copy = fs::read_to_string(tree.work().join("kept/app.db"));
        assert_eq!(copy.unwrap(), kept);
        tree.make("rm -f d; echo precious >kept/app.db");
        let output = tree.run(&again);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("overwrites 1 file"), "{name}: {output:?}");
        let content = fs::read_to_string(tree.work().join("kept/app.db"));
        assert_eq!(content.unwrap(), "precious\n", "{name}");
    }
    // Nor where the directory is none any more.
    tree.make("rm -rf d; mkdir d.db; echo precious >real; echo note >note");
    let output =
        tree.run("cp note d.db; rm d.db/note; rmdir d.db; mv real d.db; cp note d.db; true");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("overwrites 1 file"), "{output:?}");
    let content = fs::read_to_string(tree.work().join("d.db"));
    assert_eq!(content.unwrap(), "precious\n");
}

#[test]
fn a_copy_is_made_silently_and_written_over_only_with_a_yes() {
    const RULE: &str = "filesystem.overwrite-critical";
    const SETTINGS: &str = "filesystem.overwrite-settings";
    let base = "rm -rf ../work/*.db backups .env* other; git checkout -q . ; echo data >app.db; printf 'KEY=1\\n' >sample.txt";
    for (line, harmless, lost, rule, words) in [
        (
            "cp app.db copy.db",
            "true",
            "echo x >copy.db",
            RULE,
            "overwrites 1 file (2 bytes), untracked",
        ),
        (
            "cp app.db copy.db",
            ": >copy.db",
            "echo x >copy.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cp app.db backups/",
            "mkdir backups",
            "mkdir backups; echo x >backups/app.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cp app.db backups",
            "mkdir backups",
            "mkdir backups; echo x >backups/app.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cd src && cp -p ../app.db ../backups",
            "mkdir backups",
            "mkdir ../kept; echo x >../kept/app.db; ln -s ../kept backups",
            RULE,
            "overwrites 1 file",
        ),
        (
            "mkdir -p backups && cp app.db backups",
            "true",
            "mkdir backups; echo x >backups/app.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cp -t backups app.db",
            "mkdir backups",
            "mkdir backups; echo x >backups/app.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "mkdir -p backups && cp app.db backups/",
            "true",
            "mkdir backups; echo x >backups/app.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "mv sample.txt new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "tee new.db <sample.txt",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "dd if=sample.txt of=new.db status=none",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "sort -o new.db sample.txt",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "truncate -s 0 new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cat sample.txt >new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            ": >| new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "install -m 600 sample.txt new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "ln -sf app.db new.db",
            "true",
            "echo x >new.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "sed -i s/a/b/ kept.db",
            "echo x >kept.db; git add -f kept.db; git commit -qm db",
            "echo y >>kept.db",
            RULE,
            "overwrites 1 file",
        ),
        (
            "cp sample.txt .env",
            "true",
            "echo SECRET=1 >.env",
            SETTINGS,
            "overwrites 1 file (9 bytes), ignored by git",
        ),
        (
            "printf 'A=1\\n' >.env",
            ": >.env",
            "echo SECRET=1 >.env",
            SETTINGS,
            "overwrites 1 file (9 bytes)",
        ),
        (
            "cat sample.txt >.env.local",
            "true",
            "echo SECRET=1 >.env.local",
            SETTINGS,
            "overwrites 1 file",
        ),
        (
            "mv sample.txt .env",
            "true",
            "echo SECRET=1 >.env",
            SETTINGS,
            "overwrites 1 file",
        ),
        (
            "tee .env <sample.txt",
            "true",
            "echo SECRET=1 >.env",
            SETTINGS,
            "overwrites 1 file",
        ),
    ] {
        let tree = Tree::new();
        tree.make(&format!("{base}; {harmless}"));
        tree.runs(line, harmless);
        tree.make(&format!("{base}; {lost}"));
        tree.is_stopped(line, lost, rule);
        tree.is_stopped(line, lost, words);
    }
    let tree = Tree::new();
    tree.make("echo secret >.env; echo data >app.db; mkdir folder; ln -s ../app.db folder/link.db; mkfifo pipe.db");
    for line in [
        "echo more >>.env",
        "tee -a .env </dev/null",
        "cp -n src/a.txt .env",
        "cat .env >/dev/null",
        "cp .env .env.example",
    ] {
        tree.runs(line, "an old .env");
    }
    // What another option makes of the words is not known.
    tree.make("mkdir -p live.db new out/a a; echo x >live.db/t; echo y >new/t; echo z >a/p.db; echo old >out/a/p.db; echo ours >out/p.txt");
    for line in [
        "cp -rT new live.db",
        "cp -r --no-target-directory new live.db",
        "mv -T new live.db",
        "cp --parents a/p.db out/",
    ] {
        tree.is_stopped(line, "a directory of that name", RULE);
    }
    tree.runs("cp -rv new live.db", "a directory of that name");
    // What a link leads to is written over.
    for line in [
        "cp src/a.txt folder/link.db",
        "cp src/a.txt pipe.db",
        "cp src/*.txt new.db",
        "f=$(echo app.db); cp src/a.txt $f",
    ] {
        tree.is_stopped(line, "a link, a pipe, a pattern", RULE);
    }
}

/// A branch that was rebased or amended goes over its own old self; what somebody else has pushed stays.
#[test]
fn a_branch_of_ones_own_is_pushed_again() {
    let rule = "git.push-force";
    let start = "git init -q --bare ../origin.git 2>/dev/null || true; git remote add origin ../origin.git; git push -q -u origin main; \
                 git checkout -q -b topic; echo 1 >topic; git add topic; git commit -qm topic; git push -q -u origin topic";
    let others = "git clone -q ../origin.git ../other; cd ../other; git checkout -q topic; echo other >other; git add other; \
                  GIT_COMMITTER_EMAIL=c@d git commit -qm other; git push -q; cd ../work; git fetch -q";
    let rebase = "git checkout -q main; echo m >m; git add m; git commit -qm m; git checkout -q topic; git rebase -q main";
    let amend = "echo 2 >topic; git commit -qam topic --amend";
    for (what, state, line, is_stopped) in [
        (
            "rebased",
            rebase.to_owned(),
            "git push --force-with-lease",
            false,
        ),
        (
            "rebased",
            rebase.to_owned(),
            "git push -q --force-with-lease origin topic",
            false,
        ),
        (
            "rebased",
            rebase.to_owned(),
            "git push --force-with-lease --force-if-includes -u origin topic",
            false,
        ),
        (
            "amended",
            amend.to_owned(),
            "git push -q --force-with-lease",
            false,
        ),
        ("amended", amend.to_owned(), "git push -q --force", true),
        (
            "amended",
            amend.to_owned(),
            "git push -q --force-with-lease=topic:main",
            true,
        ),
        (
            "amended",
            amend.to_owned(),
            "git push -q --force-with-lease origin topic:other",
            true,
        ),
        (
            "amended",
            amend.to_owned(),
            "git push -q --force-with-lease origin --all",
            true,
        ),
        (
            "not fetched",
            format!("{}; git fetch -q", others.replace("; git fetch -q", "")),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "taken over",
            format!("{others}; git pull -q --rebase; git reset -q --hard HEAD~1; {amend}"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "taken over and rebased",
            format!("{others}; git pull -q --rebase; {rebase}"),
            "git push -q --force-with-lease",
            false,
        ),
        (
            "forgotten",
            format!("{amend}; git reflog expire --expire=now --all"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "all of it",
            format!("{amend}; git config push.default matching"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "mirrored",
            format!("{amend}; git config remote.origin.mirror true"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "elsewhere",
            format!("{amend}; git config url.../elsewhere.pushInsteadOf ../origin.git"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "the person's",
            format!("{amend}; printf '[push]\\n\\tdefault = matching\\n' >~/.gitconfig"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "followed by another name",
            format!("{amend}; git branch -q -u origin/main"),
            "git push -q --force-with-lease",
            true,
        ),
        (
            "the common branch",
            "git checkout -q main; git commit -q --amend -m other".to_owned(),
            "git push -q --force-with-lease origin main",
            true,
        ),
    ] {
        let tree = Tree::new();
        tree.make(&format!("{start}; {state}"));
        if is_stopped {
            tree.is_stopped(line, what, rule);
        } else {
            tree.runs(line, what);
            let output = tree.run("git rev-parse HEAD origin/topic");
            let said = String::from_utf8(output.stdout).unwrap();
            let lines: Vec<&str> = said.lines().collect();
            assert_eq!(lines.first(), lines.get(1), "{what}: {line}");
        }
        let _ = fs::remove_dir_all(tree.work().join("../other"));
    }
}
