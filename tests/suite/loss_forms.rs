//! In whatever form a repository is, the same is lost with it: what is read in files of a usual one, and what git is
//! asked about another.

use crate::support::tree::Tree;

/// A form that git knows: how the repository of a new tree comes into it.
const FORMS: &[&str] = &[
    "true",
    "git pack-refs --all",
    "git gc -q",
    "git checkout -q --detach",
    "git update-index --index-version 4",
    "git config core.BARE false",
    "git config --unset core.bare",
    "printf '[core] bare = false\\n[Core]\\n\\tBare=off\\n' >>.git/config",
    "git config core.repositoryFormatVersion 1",
    "git config extensions.worktreeConfig true",
    "printf '[include]\\n\\tpath = more\\n' >>.git/config; printf '[user]\\n\\tname = x\\n' >.git/more",
    "mv .git ../own; echo 'gitdir: ../own' >.git",
    "mv .git ../own; ln -s ../own .git",
    "mv .git/refs ../refs; ln -s ../../refs .git/refs",
    "git remote add bare ../bare; git symbolic-ref refs/remotes/bare/HEAD refs/remotes/bare/main",
    "rm -r .git; git init -q -b main --object-format=sha256; git add .; git commit -qm first",
];

#[test]
fn the_same_is_lost_in_each_form_of_a_repository() {
    for form in FORMS {
        let tree = Tree::new();
        tree.make(form);
        tree.make("git branch topic; sleep 0.01");
        for line in [
            "git checkout -- src/a.txt",
            "git -C src checkout -- a.txt",
            "git reset --hard",
            "git clean -fd",
            "git stash drop || true",
            "rm -rf src/a.txt",
            "git checkout -- src",
            "git branch -D topic",
        ] {
            tree.runs(line, form);
        }
        tree.make(
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); git checkout -q -- .",
        );
        tree.is_stopped(
            "git branch -D topic",
            form,
            "it leaves 1 commit that no other",
        );
        tree.make("git branch other topic; git tag kept main");
        tree.runs("git branch -D topic", form);
        tree.make("echo x >>src/a.txt");
        for line in [
            "git checkout -- src/a.txt",
            "cd src && git checkout -- .",
            "git reset --hard",
        ] {
            tree.is_stopped(line, form, "changes to 1 file");
        }
        tree.is_stopped("rm -rf src", form, "1 modified since the last commit");
        tree.make("git add .; git stash -q");
        tree.is_stopped("git stash drop", form, "it drops 1 stash");
        tree.make("echo n >src/notes; mkdir -p new/in; echo n >new/in/n");
        tree.is_stopped("git clean -fd", form, "it deletes 2 files");
        tree.is_stopped("cd src && git clean -f", form, "it deletes 1 file");
    }
}

/// What git takes for no repository, or for another one than it seems.
#[test]
fn what_only_looks_like_the_usual_form_is_not_taken_for_it() {
    for (state, line, words) in [
        // Git goes on above.
        (
            "mkdir -p src/.git; echo x >>src/a.txt",
            "cd src && git reset --hard",
            "changes to 1 file",
        ),
        (
            "mkdir -p src/.git/objects src/.git/refs; cp .git/config src/.git; echo x >>src/a.txt",
            "cd src && git reset --hard",
            "changes to 1 file",
        ),
        (
            "mkdir -p src/.git/objects src/.git/refs; cp .git/config src/.git; echo nothing >src/.git/HEAD; \
             echo x >>src/a.txt",
            "cd src && git checkout -- .",
            "changes to 1 file",
        ),
        // It goes on elsewhere.
        (
            "git worktree add -q ../w; cp ../work/.git/worktrees/w/* .git 2>/dev/null || true; \
             echo \"$PWD/../far/.git\" >.git/commondir; echo x >>src/a.txt",
            "git reset --hard",
            "",
        ),
        (
            "printf '[CORE]\\n\\tWorkTree = ../../home\\n' >>.git/config; echo x >../home/x",
            "git clean -fd",
            "it deletes 1 file",
        ),
        (
            "printf '[core] WORKTREE=../../home\\n' >>.git/config; echo x >../home/x",
            "git clean -fd",
            "it deletes 1 file",
        ),
        // A name that is a link is gone with what it leads to.
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); ln -s topic .git/refs/heads/alias",
            "git branch -D topic",
            "",
        ),
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); printf 'ref:refs/heads/topic' >.git/refs/heads/alias",
            "git branch -D topic",
            "it leaves 1 commit",
        ),
        // Nor does what is no name, or goes with a working tree, though it says the same.
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); cp .git/refs/heads/topic .git/refs/heads/other.lock; \
             cp .git/refs/heads/topic .git/refs/heads/.hidden; \
             mkdir .git/refs/bisect; cp .git/refs/heads/topic .git/refs/bisect/bad",
            "git branch -D topic",
            "it leaves 1 commit",
        ),
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); git branch other topic; git pack-refs --all; \
             git rev-parse main >.git/refs/heads/other",
            "git branch -D topic",
            "it leaves 1 commit",
        ),
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); git branch other topic; git pack-refs --all; \
             echo 'ref: refs/heads/topic' >.git/refs/heads/other",
            "git branch -D topic",
            "it leaves 1 commit",
        ),
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); git branch other topic",
            "git branch -D topic other",
            "it leaves 1 commit",
        ),
        // Names that git reads as something else.
        (
            "git branch topic $(git commit-tree -m x -p HEAD HEAD^{tree}); git checkout -q topic; git checkout -q main",
            "git branch -D @{-1}",
            "",
        ),
    ] {
        let tree = Tree::new();
        tree.make(state);
        tree.is_stopped(line, state, words);
    }
}
