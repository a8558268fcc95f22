//! Everyday work asks nobody: what programs of the system start by themselves is a part of what was asked of
//! them, and nobody can borrow that.

use std::process::Output;

use crate::support::place::Place;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

fn run(place: &Place, line: &str) -> Output {
    place
        .command(KIBOSH)
        .args(["-c", line])
        .env("HOME", place.path())
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@b")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@b")
        .output()
        .unwrap()
}

#[test]
fn git_may_do_what_it_was_asked_for() {
    let place = Place::bare("calm-git");
    for line in [
        "git init -q r; cd r; for i in 1 2 3; do echo $i >f$i; git add f$i; git commit -qm $i; done",
        "cd r && git gc -q",
        "cd r && git gc -q --auto",
        "cd r && git maintenance run --quiet",
        "cd r && echo more >f1 && git stash -q && git stash pop -q && git checkout -q f1",
        "git clone -q r c && cd c && echo q >q && git add q && git commit -qm q && git pull -q --rebase",
        "cd c && git push -q origin HEAD:refs/heads/new && git fetch -q --all --prune",
        "cd r && git checkout -q -b x && echo x >f1 && git commit -qam x && git checkout -q - && git merge -q x",
        "cd r && git worktree add -q ../w && git worktree remove ../w",
    ] {
        let output = run(&place, line);
        assert!(output.status.success(), "{line}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("kibosh:"), "{line}: {told}");
    }
}

/// What does nothing but start programs is left to the gate that judges each of them.
#[test]
fn a_recipe_or_an_item_from_a_pipe_is_judged_as_it_starts() {
    let place = Place::new("calm-recipes");
    // So autoconf's scripts find out what make can do.
    for (line, said) in [
        (r"printf 'all:\n\t@echo made\n' | make -f -", "made\n"),
        (
            "printf 'echo a\\necho b\\n' | tr '\\n' '\\0' | xargs -0 -n 1 sh -c",
            "a\nb\n",
        ),
    ] {
        let output = run(&place, line);
        assert_eq!(output.stdout, said.as_bytes(), "{line}: {output:?}");
        assert_eq!(output.stderr, b"", "{line}: {output:?}");
    }
    for line in [
        r"printf 'all:\n\t@demolish all\n' | make -f -",
        r"printf 'demolish all\n' | tr '\n' '\0' | xargs -0 -n 1 sh -c",
        "echo 'demolish all' | xargs -I{} sh -c {}",
    ] {
        let output = run(&place, line);
        assert!(!output.status.success(), "{line}: {output:?}");
        assert_eq!(place.ran(), None, "{line}: {output:?}");
    }
}

#[test]
fn an_alias_of_git_cannot_borrow_that() {
    let place = Place::bare("calm-alias");
    assert!(run(&place, "git init -q r").status.success());
    for (name, alias) in [
        ("x", "reflog expire --all"),
        ("stashx", "reset --hard --no-recurse-submodules --quiet"),
        ("gcx", "reflog expire --all"),
        ("y", "!git reflog expire --all"),
        (
            "z",
            "!f() { git reset --hard --no-recurse-submodules --quiet; }; f",
        ),
    ] {
        let config = place.path().join("r/.git/config");
        let text = format!("[alias]\n\t{name} = \"{}\"\n", alias.replace('"', "\\\""));
        let before = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{before}{text}")).unwrap();
        let output = run(&place, &format!("cd r && git {name}"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.contains("kibosh: not started: "),
            "{alias}: {output:?}"
        );
        assert!(!output.status.success(), "{alias}");
    }
}

#[test]
fn what_git_may_do_by_itself_is_not_remembered_for_others() {
    let place = Place::bare("calm-others");
    let line = "git init -q r; cd r; git commit -qm 1 --allow-empty";
    assert!(run(&place, line).status.success());
    // One supervisor for both: the second has the same words from somebody else.
    std::fs::write(
        place.path().join("job.sh"),
        "cd r; git gc -q; echo \"gc $?\"; $(git --exec-path)/git reflog expire --all; echo \"other $?\"\n",
    )
    .unwrap();
    let output = run(&place, "sh ./job.sh");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "gc 0\nother 126\n",
        "{output:?}"
    );
}
