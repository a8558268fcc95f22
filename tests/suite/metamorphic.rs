//! Rewrites that mean the same never loosen a decision: for every example of every shipped rule, the
//! line in other quotes, behind wrappers, in another shell, by an absolute path.

use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;
use kibosh::policy::schema::Effect;

/// The ways to say a line otherwise.
fn rewrites(line: &str) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let quoted = shlex::try_quote(line).unwrap().into_owned();
    out.push(("sh -c", format!("bash -c {quoted}")));
    out.push(("eval", format!("eval {quoted}")));
    out.push(("subshell", format!("( {line}\n)")));
    out.push(("group", format!("{{ {line}\n}}")));
    out.push(("after something", format!("true && :\n{line}")));
    out.push(("function", format!("f() {{ {line}\n}}; f")));
    out.push(("if", format!("if true; then {line}\nfi")));
    out.push(("substitution", format!("echo \"$( {line}\n)\"")));
    out.push(("here-string", format!("bash <<< {quoted}")));
    out.push((
        "here-document",
        format!("bash <<'END_OF_IT'\n{line}\nEND_OF_IT\n"),
    ));
    out.push(("piped", format!("printf '%s' {quoted} | bash")));
    out.push(("variable", format!("x={quoted}; eval \"$x\"")));
    if let Some(words) = plain_words(line) {
        let (program, rest) = words.split_first().unwrap();
        let rest = rest.join(" ");
        out.push(("sudo", format!("sudo {line}")));
        out.push(("command", format!("command {line}")));
        out.push(("env", format!("env X=1 {line}")));
        out.push(("nice", format!("nice -n 5 {line}")));
        out.push(("timeout", format!("timeout 5 {line}")));
        out.push(("path", format!("/usr/bin/{line}")));
        out.push(("backslash", format!("\\{line}")));
        out.push(("quoted program", format!("\"{program}\" {rest}")));
        out.push(("program in a variable", format!("c={program}; $c {rest}")));
        out.push(("IFS", format!("{program}${{IFS}}{rest}")));
        out.push(("continued", format!("{program} \\\n {rest}")));
        out.push(("substituted program", format!("$(echo {program}) {rest}")));
        let all: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
        out.push(("all quoted", all.join(" ")));
        out.push(("xargs", format!("xargs -I@ {line} < list")));
        out.push(("background", format!("{line} &")));
        out.push(("prefix variable", format!("A=b {line}")));
    }
    out
}

/// The words of a line that is one simple command of plain words.
fn plain_words(line: &str) -> Option<Vec<&str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -./_:@+,%=".contains(c);
    let words: Vec<&str> = line.split(' ').filter(|w| !w.is_empty()).collect();
    let first = words.first()?;
    let program = !first.contains(['=', '/', ':', '.']);
    (line.chars().all(plain) && program && words.len() > 1).then_some(words)
}

#[test]
fn what_means_the_same_is_never_judged_looser() {
    let policy = Policy::shipped();
    let judged = |line: &str| judge(&policy, line, &Context::text_only()).decision.effect;
    let mut loosened = Vec::new();
    let mut tried = 0;
    for rule in policy
        .rules()
        .filter(|r| r.rule.effect > Effect::Allow && r.rule.id != "opaque.text")
    {
        for line in &rule.rule.examples.matches {
            let plain = judged(line);
            for (way, other) in rewrites(line) {
                tried += 1;
                if judged(&other) < plain {
                    loosened.push(format!("{} {way}: {other}", rule.rule.id));
                }
            }
        }
    }
    assert!(tried > 300, "only {tried} rewrites were tried");
    assert!(
        loosened.is_empty(),
        "{} of {tried}:\n{}",
        loosened.len(),
        loosened.join("\n")
    );
}
