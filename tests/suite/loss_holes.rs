//! States in which the words and the first look say that nothing is lost, and something is. Beside each stands
//! a line that is as near as can be and loses nothing.

use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// A state, a line that loses something in it, what is said then, and one that loses nothing.
type Beside = (&'static str, &'static str, &'static str, &'static str);

fn beside(cases: &[Beside]) {
    for (state, harmful, words, harmless) in cases {
        let tree = Tree::new();
        tree.make(state);
        tree.is_stopped(harmful, state, words);
        tree.runs(harmless, state);
    }
}

/// The same line in two states: in the first it loses something.
fn states(line: &str, cases: &[(&str, &str, &str)]) {
    for (harmful, words, harmless) in cases {
        let tree = Tree::new();
        tree.make(harmful);
        tree.is_stopped(line, harmful, words);
        let tree = Tree::new();
        tree.make(harmless);
        tree.runs(line, harmless);
    }
}

#[test]
fn the_folder_above_a_link_is_not_the_one_in_which_the_link_is() {
    const FAR: &str = "git init -q ../far; cd ../far; mkdir in data; echo 1 >data/x; git add .; git commit -qm 1; \
                       echo 2 >data/x; ln -s ../far/in ../work/link; mkdir -p ../work/data/empty";
    beside(&[
        (
            FAR,
            "git -C link/.. reset --hard",
            "held back",
            "git -C ../work reset --hard",
        ),
        (
            FAR,
            "git -C link/.. checkout -f",
            "held back",
            "git -C src checkout -f",
        ),
        (
            FAR,
            "git -C ./link/../data/.. stash clear",
            "held back",
            "git stash clear",
        ),
        (
            FAR,
            "cd link/.. && git reset --hard; cd -P link/.. && git reset --hard",
            "held back",
            "cd src && git -C .. reset --hard",
        ),
        (FAR, "rm -rf link/../data/*", "held back", "rm -rf data/*"),
        (
            FAR,
            "rm -rf link/*/../../data/*",
            "held back",
            "rm -rf ../work/data/*",
        ),
        // Older shells take `..` for one that begins with a dot.
        (FAR, "rm -rf data/.*/*", "held back", "rm -rf data/*"),
        (
            "mkdir -p ../far data; echo 1 >../far/x; ln -s ../../far data/link; git add data; git commit -qm link",
            "rm -rf data/*/*",
            "held back",
            "rm -rf data/*",
        ),
    ]);
}

#[test]
fn a_link_with_a_slash_is_where_it_leads() {
    const LINK: &str =
        "mkdir ../far; echo 1 >../far/x; ln -s ../far link; git add link; git commit -qm link";
    beside(&[
        (LINK, "rm -rf link/", "held back", "rm -rf link"),
        (LINK, "rm -rf src link//", "held back", "rm -rf src link"),
        (LINK, "rm -rf ./link/", "held back", "rm -rf src/"),
    ]);
}

#[test]
fn git_clean_spares_only_what_is_a_repository() {
    states(
        "git clean -fd",
        &[
            (
                "mkdir -p d/.git; echo n >d/notes",
                "untracked",
                "git init -q d; echo n >d/notes",
            ),
            (
                "git init -q d; rm d/.git/HEAD; echo n >d/notes",
                "untracked",
                "git init -q d; git -C d commit -qm x --allow-empty; git -C d checkout -q --detach; echo n >d/notes",
            ),
            (
                "mkdir d; echo 'gitdir: ../nowhere' >d/.git; echo n >d/notes",
                "untracked",
                "git worktree add -q d; echo n >d/notes",
            ),
            (
                "mkdir -p d/.git/objects; echo n >d/.git/objects/x",
                "1 repository",
                "git init -q --separate-git-dir ../kept d; echo n >d/notes",
            ),
            (
                "mkdir -p d/in/.git; echo n >d/in/.git/x",
                "1 repository",
                "mkdir -p d/in; git init -q d/in",
            ),
            (
                "git init -q d; mv d/.git .GIT; rmdir d",
                "1 repository",
                "mkdir -p d/in; echo n >d/in/a.secret",
            ),
        ],
    );
}

#[test]
fn what_git_clean_is_told_to_leave_out_may_be_more_that_goes() {
    beside(&[
        (
            "echo n >a.secret",
            "git clean -fd -e '!*.secret'",
            "held back",
            "git clean -fd -e 'x'",
        ),
        (
            "echo n >a.secret",
            "git clean -fd -e x --exclude='!*.secret'",
            "held back",
            "git clean -fd -e x --exclude='y'",
        ),
        (
            "echo n >a.secret",
            "git clean -fde '!*.secret'",
            "held back",
            "git clean -fd",
        ),
        (
            "echo n >notes",
            "git clean -fdX -e notes",
            "held back",
            "git clean -fdX",
        ),
    ]);
}

#[test]
fn a_person_may_have_git_ignore_more() {
    states(
        "git clean -fdX",
        &[
            (
                "mkdir -p ../home/.config/git; echo notes >../home/.config/git/ignore; echo n >notes",
                "1 file (2 bytes), untracked",
                "mkdir -p ../home/.config/git; : >../home/.config/git/ignore; echo n >notes",
            ),
            (
                "git config --global core.excludesFile '~/more'; echo notes >../home/more; echo n >notes",
                "1 file (2 bytes), untracked",
                "git config --global user.name a; echo n >notes",
            ),
            (
                "git config --global include.path more; git config -f ../home/more core.excludesfile '~/x'; echo n >notes",
                "1 file (2 bytes), untracked",
                "git config --global core.excludesFile '~/more'; echo notes >../home/more",
            ),
        ],
    );
    let tree = Tree::new();
    tree.make("mkdir -p ../far/git; echo notes >../far/git/ignore; echo n >notes");
    for line in [
        "XDG_CONFIG_HOME=$PWD/../far git clean -fdX",
        "HOME=/nowhere git clean -fdX",
    ] {
        tree.is_stopped(line, "a line", "");
    }
}

#[test]
fn what_is_found_through_a_link_is_not_in_the_working_tree() {
    const MOVED: &str = "mkdir src/d; echo 1 >src/d/f; git add .; git commit -qm d; \
                         mv src/d ../x; ln -s ../../x src/d; sleep 0.02; git update-index -q --refresh || true";
    const AWAY: &str = "mkdir src/d; echo 1 >src/d/f; git add .; git commit -qm d; \
                        rm -r src/d; ln -s nowhere src/d";
    beside(&[
        (MOVED, "rm -rf src", "held back", "rm -f src/a.txt"),
        (
            MOVED,
            "git checkout -- src",
            "held back",
            "git checkout -- src/a.txt",
        ),
        (
            MOVED,
            "git checkout -- src/d/f",
            "held back",
            "git checkout -- src/b.txt",
        ),
        (
            AWAY,
            "git reset --hard",
            "held back",
            "git checkout -- src/b.txt",
        ),
        (
            AWAY,
            "git checkout -- .",
            "held back",
            "git checkout -- src/b.txt",
        ),
        (
            "git switch -qc o; mkdir far; echo 1 >far/x; git add .; git commit -qm far; git switch -q main; \
             ln -s nowhere far",
            "git checkout -f o",
            "held back",
            "git checkout -f main",
        ),
    ]);
}

#[test]
fn a_name_that_leads_to_what_goes_keeps_nothing() {
    const TOPIC: &str = "git switch -qc topic; echo n >n; git add n; git commit -qm n; git switch -q main; \
                         git symbolic-ref refs/heads/alias refs/heads/topic; \
                         git symbolic-ref refs/other refs/heads/alias";
    let lost = "it leaves 1 commit that no other branch, tag or remote has";
    beside(&[
        (
            "echo n >n; git add n; git commit -qm n; git symbolic-ref refs/heads/master refs/heads/main",
            "git reset --hard HEAD~1",
            lost,
            "git branch -D master",
        ),
        (TOPIC, "git branch -D topic", lost, "git branch -D alias"),
        (
            TOPIC,
            "git branch -f alias main",
            lost,
            "git branch -f other main",
        ),
        (TOPIC, "git branch -D topic alias", lost, "git reset --hard"),
    ]);
    states(
        "git worktree remove -f ../w",
        &[
            (
                "git worktree add -q --detach ../w; cd ../w; echo n >n; git add n; git commit -qm n; \
                 git update-ref refs/bisect/bad HEAD",
                lost,
                "git worktree add -q --detach ../w; git -C ../w update-ref refs/bisect/bad HEAD",
            ),
            (
                "git worktree add -q --detach ../w; cd ../w; echo n >n; git add n; git commit -qm n; \
                 git update-ref refs/worktree/mine HEAD; git checkout -q --detach HEAD~1",
                lost,
                "git worktree add -q --detach ../w; cd ../w; echo n >n; git add n; git commit -qm n; \
                 git update-ref refs/worktree/mine HEAD; git update-ref refs/heads/mine HEAD; \
                 git checkout -q --detach HEAD~1",
            ),
        ],
    );
}

#[test]
fn a_working_tree_may_be_named_by_the_end_of_its_path() {
    beside(&[
        (
            // One that stands here is of another repository.
            "git worktree add -q ../a/w; echo n >../a/w/n; git init -q ../far; cd ../far; \
             git commit -qm x --allow-empty; git worktree add -q ../work/w; echo w >>../work/.git/info/exclude",
            "git worktree remove -f w",
            "held back",
            "git -C ../far worktree remove -f ../work/w",
        ),
        (
            // One that stands here is a link to another one.
            "git worktree add -q ../a/w; echo n >../a/w/n; git worktree add -q ../b; ln -s ../b w",
            "git worktree remove -f w",
            "held back",
            "git worktree remove -f ../b",
        ),
    ]);
}

#[test]
fn children_that_nobody_waits_for_are_waited_for_by_a_look() {
    let tree = Tree::new();
    for (state, status) in [("true", 0), ("echo x >>src/a.txt", 126)] {
        tree.make(state);
        for line in ["git reset -q --hard", "rm -rf src"] {
            let line = format!("env --ignore-signal=CHLD {KIBOSH} -c '{line}'");
            let output = tree.command("/bin/bash", &line).output().unwrap();
            assert_eq!(output.status.code(), Some(status), "{line}: {output:?}");
            if status == 0 {
                tree.make("git checkout -q -- src");
            }
        }
    }
}

#[test]
fn a_link_that_leads_each_process_elsewhere_is_not_followed() {
    for (made, line) in [
        ("mkdir src/new; echo n >src/new/n", "rm -r ../link/new"),
        (
            "sqlite3 src/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'",
            "sqlite3 ../link/app.db 'DELETE FROM t'",
        ),
    ] {
        for link in ["/proc/self/cwd", "/proc/thread-self/cwd", "/dev/fd/9"] {
            let tree = Tree::new();
            tree.make(&format!("ln -s {link} link; {made}"));
            let line = format!("cd src && exec 9<. && {line}");
            tree.is_stopped(&line, made, "held back");
        }
    }
}
