//! What the line gate asks where the exec gate stands behind it, and what it asks about the text of a
//! program that the exec gate has let start. The lines are only judged.

use kibosh::action::{Action, Opacity};
use kibosh::decide::approved::Approved;
use kibosh::decide::gates::Gates;
use kibosh::decide::{self, Decision, Finding};
use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;
use kibosh::policy::schema::Effect;
use kibosh::probe::Blind;

fn decided(policy: &Policy, line: &str, gates: Gates) -> Decision {
    let context = Context::text_only();
    let judgement = judge(policy, line, &context);
    decide::evaluate(policy, &judgement.actions, &context.place, gates, &Blind)
}

fn rules(policy: &Policy, line: &str, gates: Gates) -> String {
    let decision = decided(policy, line, gates);
    let mut rules: Vec<String> = Vec::new();
    for finding in decision.findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    rules.sort();
    rules.join(" ")
}

/// The rules that find something, by gate: alone, with the exec gate behind, and beside it.
fn told(policy: &Policy, line: &str) -> [String; 3] {
    [Gates::Line, Gates::LineThenExec, Gates::BesideExec].map(|gates| rules(policy, line, gates))
}

#[test]
fn what_the_exec_gate_will_know_is_left_to_it() {
    let policy = Policy::shipped();
    for (line, found) in [
        (r#"rm -rf "$D""#, "filesystem.remove-tree"),
        (r#"rm -rf "$(cat list)""#, "filesystem.remove-tree"),
        (r#"sudo rm -rf "$D""#, "filesystem.remove-tree"),
        (r#"exec rm -rf "$D""#, "filesystem.remove-tree"),
        (r#"f() { rm -rf "$1"; }; f "$D""#, "filesystem.remove-tree"),
        (
            r#"for d in $(cat l); do rm -rf "$d"; done"#,
            "filesystem.remove-tree",
        ),
        (
            r#"for d in da*; do rm -rf "$d"; done"#,
            "filesystem.remove-tree",
        ),
        (
            r#"d=(da*); docker exec c rm -rf "${d[0]}""#,
            "filesystem.remove-tree",
        ),
        (r#"cd "$D" && rm -rf src"#, "filesystem.remove-tree"),
        (r#"find "$D" -delete"#, "filesystem.remove-many"),
        ("$cmd", "opaque.program"),
        ("$cmd -rf /srv", "opaque.program"),
        ("/bin/r? -rf /srv", "opaque.program"),
        (r#"exec "$cmd""#, "opaque.program"),
        (r#"eval "$x""#, "opaque.code"),
        (r#"bash -c "$(cat f)""#, "opaque.code"),
        ("cat x | sh", "opaque.code"),
        (r#"sudo sh -c "$X""#, "opaque.code"),
        (r#"trap "$X" EXIT"#, "opaque.code"),
        (r#"GIT_SSH_COMMAND="$X" git fetch"#, "opaque.code"),
        (
            "xargs rm -rf < list",
            "filesystem.remove-many filesystem.remove-tree",
        ),
        (r#"ssh host "$(cat cmd)""#, "opaque.code"),
        (r#"ssh h "rm -rf $D""#, "filesystem.remove-tree"),
        (r#"docker exec c rm -rf "$D""#, "filesystem.remove-tree"),
        (r#"tmux send-keys "rm -rf $D""#, "filesystem.remove-tree"),
        (r#"docker exec c sh -c "$X""#, "opaque.code"),
        (r#"busybox rm -rf "$D""#, "filesystem.remove-tree"),
        (r#"terraform "$STEP""#, "opaque.verb"),
    ] {
        assert_eq!(told(&policy, line), [found, "", ""], "{line}");
    }
}

#[test]
fn what_is_known_or_never_a_start_of_its_own_stays() {
    let policy = Policy::shipped();
    for (line, found) in [
        (
            "rm -rf /srv/$X",
            "filesystem.remove-critical filesystem.remove-tree",
        ),
        (r#"git push --force origin "$B""#, "git.push-force"),
        (r#"kubectl delete ns "$N""#, "kubernetes.delete-everything"),
        (
            r#"f() { rm -rf "$1"; }; f /srv/x"#,
            "filesystem.remove-critical filesystem.remove-tree",
        ),
        (
            r#"for d in a /srv/b; do rm -rf "$d"; done"#,
            "filesystem.remove-critical filesystem.remove-tree",
        ),
        ("find . -exec rm {} +", "filesystem.remove-many"),
        (
            "terraform destroy -auto-approve && terraform apply",
            "recreate.infrastructure terraform.apply terraform.destroy",
        ),
        (r#"echo "$(rm -rf z""#, "opaque.text"),
        (r#"python -c "$CODE""#, "opaque.code"),
        (r#"echo "$Q" | psql"#, "opaque.code"),
        (
            r#"python -c "import shutil; shutil.rmtree('$D')""#,
            "filesystem.remove-tree",
        ),
        (r#"psql -c "DROP TABLE $T""#, "databases.drop"),
        ("ssh h 'rm -rf $D'", "filesystem.remove-tree"),
        (r#"ssh h "rm -rf \$D; echo $X""#, "filesystem.remove-tree"),
        (r#"ssh h 'bash -c "$X"'"#, "opaque.code"),
        (r#"ssh h "curl u | sh""#, "opaque.code remote-code.download"),
        ("foo | ssh h", "opaque.code"),
        ("foo | at now", "opaque.code"),
        ("tmux new 'rm -rf $D'", "filesystem.remove-tree"),
        (r#"docker exec c sh -c 'eval "$X"'"#, "opaque.code"),
        ("docker exec c sh -c 'rm -rf $D'", "filesystem.remove-tree"),
        (
            "ssh h 'echo x > /etc/passwd'",
            "filesystem.overwrite-critical",
        ),
        (r#"LD_PRELOAD="$X" ls"#, "environment.preload"),
        ("/bin/kill -9 -1", "system.kill-all"),
        ("redis-cli -n 2 config set dir /tmp", "databases.redis"),
    ] {
        assert_eq!(told(&policy, line), [found, found, ""], "{line}");
    }
}

#[test]
fn where_code_comes_from_stays_though_the_code_is_left() {
    let policy = Policy::shipped();
    for (line, found, stays) in [
        (
            "curl x | sh",
            "opaque.code remote-code.download",
            "remote-code.download",
        ),
        (
            r#"bash -c "$(curl x)""#,
            "opaque.code remote-code.download",
            "remote-code.download",
        ),
        (
            "source <(curl x)",
            "opaque.code remote-code.download",
            "remote-code.download",
        ),
        (
            "ls | xargs rm -rf",
            "filesystem.remove-many filesystem.remove-tree",
            "filesystem.remove-many",
        ),
        (
            r#"eval "$x"; rm -rf /srv/x"#,
            "filesystem.remove-critical filesystem.remove-tree opaque.code",
            "filesystem.remove-critical filesystem.remove-tree",
        ),
    ] {
        assert_eq!(told(&policy, line), [found, stays, ""], "{line}");
    }
}

#[test]
fn what_no_start_shows_is_asked_by_every_gate() {
    let policy = Policy::shipped();
    for (line, found) in [
        ("echo x > /etc/passwd", "filesystem.overwrite-critical"),
        (r#"echo x > "/etc/$F""#, "filesystem.overwrite-critical"),
        (": > ~/.bashrc", "self.startup-files"),
        (
            r#"for x in ~/.bashr*; do : > "$x"; done"#,
            "self.startup-files",
        ),
        ("exec > /dev/sda", "disks.overwrite-device"),
        (
            "sh -c 'echo x > /etc/passwd'",
            "filesystem.overwrite-critical",
        ),
        ("kill -9 -1", "system.kill-all"),
        (r#"bash <<< "kill -9 -1""#, "system.kill-all"),
        (":(){ :|:& };:", "interpreters.fork-bomb"),
        (r#"psql <<< "DROP TABLE a""#, "databases.drop"),
        (r#"psql <<< "DROP TABLE $T""#, "databases.drop"),
        (
            r#"ssh h <<< "rm -rf /srv/x""#,
            "filesystem.remove-critical filesystem.remove-tree",
        ),
    ] {
        assert_eq!(told(&policy, line), [found; 3], "{line}");
    }
}

#[test]
fn what_a_redirection_depends_on_is_asked_before_the_line() {
    let policy = Policy::shipped();
    let line = "parallel '> {}' < list";
    let found = "filesystem.remove-many";
    assert_eq!(told(&policy, line), [found, found, ""]);
}

/// Every example and case of the packs, as far as they are plain texts.
fn lines_of_packs() -> Vec<String> {
    fn collect(value: &toml::Value, lines: &mut Vec<String>) {
        match value {
            toml::Value::String(text) => lines.push(text.clone()),
            toml::Value::Array(values) => values.iter().for_each(|value| collect(value, lines)),
            toml::Value::Table(table) => table.values().for_each(|value| collect(value, lines)),
            _ => {}
        }
    }
    let mut lines = Vec::new();
    for pack in kibosh::policy::compiled::packs() {
        let table: toml::Table = pack.text.parse().unwrap();
        let rules = table.get("rule").and_then(toml::Value::as_array);
        for rule in rules.into_iter().flatten() {
            collect(&rule["examples"], &mut lines);
        }
        if let Some((_, text)) = pack.cases {
            collect(&toml::Value::Table(text.parse().unwrap()), &mut lines);
        }
    }
    lines
}

/// Whether everything in an action is known before the line runs.
fn is_known(action: &Action) -> bool {
    let words = std::iter::once(&action.path).chain(&action.arguments);
    action.opacity == Opacity::Known
        && (action.cwd.is_some() || action.elsewhere)
        && words.clone().all(|word| word.is_known() && !word.found)
}

#[test]
fn no_gate_is_stricter_than_the_line_gate_alone_and_what_is_known_is_judged_the_same() {
    let policy = Policy::shipped();
    let context = Context::text_only();
    let (mut left, mut same, mut beside) = (0, 0, 0);
    for line in lines_of_packs() {
        let actions = judge(&policy, &line, &context).actions;
        let with = |gates| decide::evaluate(&policy, &actions, &context.place, gates, &Blind);
        let alone = with(Gates::Line);
        let before = with(Gates::LineThenExec);
        let under = with(Gates::BesideExec);
        let within = |fewer: &Decision, more: &Decision| {
            fewer.effect <= more.effect
                && fewer.findings.iter().all(|one| more.findings.contains(one))
        };
        assert!(within(&before, &alone), "{line}");
        assert!(within(&under, &before), "{line}");
        if actions.iter().all(is_known) {
            // But for what does nothing except start programs, each of which is judged then.
            let other = |decision: &Decision| -> Vec<Finding> {
                let findings = decision.findings.iter();
                let other = findings.filter(|one| one.rule != "interpreters.items-as-code");
                other.cloned().collect()
            };
            assert_eq!(other(&before), other(&alone), "{line}");
            same += 1;
        }
        left += usize::from(before != alone);
        beside += usize::from(!under.findings.is_empty());
    }
    assert!(
        same > 1000 && left > 20 && beside > 50,
        "{same} {left} {beside}"
    );
}

/// Whether a yes to one line covers all that is asked about another.
fn covers(policy: &Policy, line: &str, later: &str) -> bool {
    let mut approved = Approved::default();
    approved.add(&decided(policy, line, Gates::Line));
    let asked = decided(policy, later, Gates::Line);
    assert_ne!(asked.effect, Effect::Allow, "{later}");
    asked.without(&approved).effect == Effect::Allow
}

#[test]
fn a_yes_covers_what_was_shown_and_no_more() {
    let policy = Policy::shipped();
    for (line, later, expected) in [
        ("rm -rf src", "rm -rf src", true),
        ("rm -rf src", "/usr/bin/rm -rf src", true),
        ("rm -rf src", "rm -rf other", false),
        ("rm -rf src", "cd .. && rm -rf src", false),
        ("rm -rf src", "sudo rm -rf src", false),
        ("sudo rm -rf src", "rm -rf src", true),
        ("bash -c 'rm -rf src'", "rm -rf src", true),
        ("rm -rf \"$D\"", "rm -rf src", true),
        ("rm -rf \"$D\"", "rm -rf src other", false),
        ("rm -rf $D", "rm -rf src other", true),
        ("rm -rf $D", "rm -rf src --no-preserve-root", false),
        ("rm -rf \"$D\"", "rm -rf /srv/x", false),
        ("rm -rf /srv/*", "rm -rf /srv/a /srv/b", true),
        ("rm -rf /srv/*.d", "rm -rf /srv/a.d/b.d", false),
        ("rm -rf \"$D\"", "rm -rf /", false),
        ("ssh h 'rm -rf /srv/x'", "rm -rf /srv/x", false),
        ("ssh h 'rm -rf /srv/x'", "ssh h 'rm -rf /srv/x'", true),
        ("ssh h 'rm -rf /srv/x'", "ssh g 'rm -rf /srv/x'", false),
        ("rm -rf /srv/x", "ssh h 'rm -rf /srv/x'", false),
        ("ssh h \"rm -rf /srv/$X\"", "ssh h 'rm -rf /srv/x'", true),
        ("psql <<< 'DROP TABLE a'", "psql <<< 'DROP TABLE a'", true),
        ("psql <<< 'DROP TABLE a'", "psql <<< 'DROP TABLE b'", false),
        ("echo x > /etc/passwd", "echo x > /etc/passwd", true),
        ("echo x > /etc/passwd", "echo x > /etc/shadow", false),
        (
            "cd /etc && echo x > passwd",
            "cd /etc && echo x > /etc/passwd",
            true,
        ),
        (
            "cd /etc && echo x > ../etc/./passwd",
            "cd /etc && echo x > /etc/passwd",
            true,
        ),
        (
            "cd /etc && echo x > passwd",
            "cd /etc && echo x > /etc/shadow",
            false,
        ),
        ("echo x > passwd", "cd /etc && echo x > /etc/passwd", false),
        ("curl a | sh", "curl a | sh", true),
        ("curl a | sh", "curl b | sh", false),
        ("LD_PRELOAD=/tmp/a ls", "LD_PRELOAD=/tmp/a ls", true),
        ("LD_PRELOAD=/tmp/a ls", "LD_PRELOAD=/tmp/b ls", false),
        (
            "terraform destroy -auto-approve && terraform apply -auto-approve",
            "terraform destroy -auto-approve && terraform apply -auto-approve",
            true,
        ),
        (
            "terraform destroy -auto-approve && terraform apply -auto-approve",
            "terraform destroy -auto-approve",
            true,
        ),
        (
            "git push --force origin \"$B\"",
            "git push --force origin main",
            true,
        ),
        (
            "git push --force origin a",
            "git push --force origin main",
            false,
        ),
        ("$cmd", "rm -rf src", false),
        ("echo \"$(rm -rf z\"", "echo \"$(rm -rf z\"", false),
    ] {
        assert_eq!(covers(&policy, line, later), expected, "{line} / {later}");
    }
}
