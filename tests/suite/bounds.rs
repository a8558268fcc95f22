//! Absurd lines are answered in bounded work, and never with a yes to what was not looked at.

use std::time::{Duration, Instant};

use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;
use kibosh::policy::schema::Effect;

const MEGABYTE: usize = 1 << 20;

fn fill(part: &str) -> String {
    part.repeat(MEGABYTE / part.len())
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Lines whose every command is harmless, however many there are.
fn harmless() -> Vec<(&'static str, String)> {
    vec![
        ("one long word", "a".repeat(MEGABYTE)),
        (
            "one long argument",
            format!("echo {}", "a".repeat(MEGABYTE - 5)),
        ),
        (
            "many arguments",
            format!("echo{}", " a".repeat(MEGABYTE / 2 - 4)),
        ),
        (
            "a long here-document",
            format!("cat <<E\n{}\nE\n", "x".repeat(MEGABYTE - 20)),
        ),
        ("a long sum", format!("echo $(({}1))", "1+".repeat(300_000))),
    ]
}

/// Lines of which something is not read or not looked at, or that lose something.
fn stopped() -> Vec<(&'static str, String)> {
    let doubling = (0..20).fold("f0() { ls; };".to_owned(), |text, n| {
        format!("{text}f{}() {{ f{n}; f{n}; f{n}; f{n}; }};", n + 1)
    });
    vec![
        ("commands", fill("a;")),
        ("a list", format!("{}a", fill("a&&"))),
        ("a pipeline", format!("{}a", fill("a|"))),
        ("parentheses", "(".repeat(10_000)),
        ("balanced parentheses", nested("( ", "a", " )", 10_000)),
        ("substitutions", nested("$(echo ", "a", ")", 10_000)),
        ("backquotes", "`".repeat(9_999)),
        ("braces", format!("echo {}", "{a,b}".repeat(200_000))),
        ("open braces", "{".repeat(131_072)),
        (
            "an open quote",
            format!("echo \"{}", "x".repeat(MEGABYTE - 10)),
        ),
        (
            "an open here-document with a substitution",
            format!("cat <<E\n{}$(rm -rf /etc)", fill("x\n")),
        ),
        ("NUL", "rm\0 -rf /".to_owned()),
        ("losses", fill("rm -rf x$y\n")),
        ("functions that call each other", format!("{doubling}f20")),
        ("evals", format!("{}ls", "eval ".repeat(5000))),
        ("sudos", format!("{}rm", "sudo ".repeat(20_000))),
        (
            "arms",
            format!("case x in {} esac", "a) ls;;".repeat(50_000)),
        ),
        (
            "find",
            format!("find . {}", "-exec rm {} \\; ".repeat(20_000)),
        ),
        (
            "ifs",
            (0..8000)
                .map(|n| format!("if a; then v{n}=1; else v{n}=2; fi;"))
                .collect(),
        ),
        (
            "danger behind the bound",
            format!("{}\nrm -rf /etc", "ls;".repeat(20_000)),
        ),
    ]
}

#[test]
fn absurd_lines_are_answered_soon_and_never_allowed_unread() {
    let policy = Policy::shipped();
    // Without optimisation, and beside other tests, everything takes longer; what this would show is
    // work that grows faster than the line, which takes minutes.
    let patience = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 3 });
    let mut wrong = Vec::new();
    let lines = harmless()
        .into_iter()
        .map(|l| (l, false))
        .chain(stopped().into_iter().map(|l| (l, true)));
    for ((name, line), stops) in lines {
        let start = Instant::now();
        let effect = judge(&policy, &line, &Context::text_only()).decision.effect;
        let time = start.elapsed();
        if (effect > Effect::Allow) != stops {
            wrong.push(format!("{name}: {effect:?}"));
        }
        if time > patience {
            wrong.push(format!("{name}: {time:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
