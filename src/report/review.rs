//! What reviewers read: lists of what waits and what was approved, and what came of their answers.

use std::fmt::Write as _;

use crate::broker::registering::Unfit;
use crate::broker::{Error, Granted, Listed, Scope};

use super::escape::{cut, escape};
use super::refusal::Absence;

/// How many characters of a text a list shows.
const MOST_SHOWN: usize = 100;

/// What waits.
#[must_use]
pub fn pending(list: &[Listed]) -> String {
    if list.is_empty() {
        return "nothing waits for a person".to_owned();
    }
    let mut text = String::new();
    for one in list {
        let mut waits = if one.is_awaited { ", waiting now" } else { "" }.to_owned();
        if one.reviewers > 1 {
            let _ = write!(waits, ", {} of {} people", one.said, one.reviewers);
        }
        let _ = writeln!(
            text,
            "{}  {} ago{waits}  {}\n    {}\n    in {}, from {}",
            one.number,
            time(one.age),
            escape(&one.rules.join(", ")),
            cut(&one.text, MOST_SHOWN),
            cut(&one.cwd, MOST_SHOWN),
            cut(&one.source, MOST_SHOWN),
        );
    }
    text.push_str(
        "`kibosh approve NUMBER` shows one whole and asks; `kibosh refuse NUMBER` says no",
    );
    text
}

/// What waits, at the brokers of other users too.
#[must_use]
pub fn pending_of_all(own: &[Listed], others: &[(u32, Vec<Listed>)]) -> String {
    let mut text = pending(own);
    for (user, list) in others {
        let _ = write!(
            text,
            "\nof user {user} (`kibosh approve NUMBER --of {user}`):\n{}",
            pending(list)
        );
    }
    text
}

/// What was approved.
#[must_use]
pub fn grants(list: &[Granted]) -> String {
    if list.is_empty() {
        return "nothing is approved beforehand".to_owned();
    }
    let mut text = String::new();
    for one in list {
        let left = one.left.map(|left| format!(", {} left", time(left)));
        let _ = writeln!(
            text,
            "{}  {}{}  {}\n    {}\n    in {}",
            one.number,
            reach(one.scope),
            left.unwrap_or_default(),
            escape(&one.rules.join(", ")),
            cut(&one.text, MOST_SHOWN),
            cut(&one.cwd, MOST_SHOWN),
        );
    }
    text.push_str("`kibosh grants revoke NUMBER` takes one back");
    text
}

/// That requests wait, for somebody who watches.
#[must_use]
pub fn arrived(list: &[Listed]) -> String {
    let mut text = format!("kibosh: {} waiting:", counted(list.len()));
    for one in list {
        let _ = write!(text, "\n  {}  {}", one.number, cut(&one.text, MOST_SHOWN));
    }
    text
}

/// The sound that a terminal has for a person who looks elsewhere.
pub const BELL: &str = "\x07";

/// The arguments of a program that tells the desktop: a title, and the rules that hold a request. Names of rules can
/// come from another user, so nothing is left in them that could be an option or markup.
#[must_use]
pub fn notice(rules: &[String]) -> [String; 3] {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let rules: Vec<String> = rules
        .iter()
        .map(|rule| {
            let shown = rule.chars().take(MOST_SHOWN);
            shown
                .map(|letter| if plain(letter) { letter } else { '?' })
                .collect()
        })
        .collect();
    [
        "--".to_owned(),
        "kibosh: a request waits for you".to_owned(),
        format!("rule {}", rules.join(", ")),
    ]
}

/// What a person is told when they begin to watch.
pub const WATCHING: &str = "kibosh: waiting for requests; Ctrl-C ends it";

/// How far a yes will reach.
#[must_use]
pub fn scope(number: u64, scope: Scope) -> String {
    format!(
        "kibosh: request {number}; a yes counts {}, for this very request only",
        reach(scope)
    )
}

fn reach(scope: Scope) -> String {
    match scope {
        Scope::Once => "once".to_owned(),
        Scope::Session => "while the session lives".to_owned(),
        Scope::Seconds(seconds) => format!("for {}", time(seconds.into())),
    }
}

/// A yes has been told.
#[must_use]
pub fn approved(number: u64) -> String {
    format!("kibosh: request {number} is approved: it runs now, or when it is tried again")
}

/// A yes has been told, and more people are wanted.
#[must_use]
pub fn more(number: u64, said: usize) -> String {
    format!(
        "kibosh: request {number} has the yes of {said} and waits for another person: a user of their own, \
         in the directory of the reviewers"
    )
}

/// A yes does not count.
#[must_use]
pub fn uncounted(number: u64) -> String {
    format!(
        "kibosh: request {number} waits for another person: this user has said yes already, or is not to"
    )
}

/// A no has been told.
#[must_use]
pub fn refused(number: u64) -> String {
    format!("kibosh: request {number} is refused")
}

/// An approval was taken back.
#[must_use]
pub fn revoked(number: u64) -> String {
    format!("kibosh: approval {number} counts no more")
}

/// There is no such request.
#[must_use]
pub fn no_request(number: u64) -> String {
    format!(
        "kibosh: no request {number} waits, or it is another one by now; `kibosh pending` lists what waits"
    )
}

/// There is no such approval.
#[must_use]
pub fn no_grant(number: u64) -> String {
    format!("kibosh: there is no approval {number}; `kibosh grants` lists them")
}

/// The request is of no session that is known.
#[must_use]
pub fn no_session(number: u64) -> String {
    format!(
        "kibosh: request {number} comes from no session that still runs, so it is not approved; \
         hint: `--for 10m` counts for a time"
    )
}

/// No answer was given.
#[must_use]
pub fn left(number: u64) -> String {
    format!("kibosh: request {number} waits on; `kibosh refuse {number}` says no")
}

/// It cannot be shown here.
#[must_use]
pub fn too_much(number: u64) -> String {
    format!("kibosh: request {number} has more to approve than this terminal can show at once")
}

/// Nobody can review on this terminal.
#[must_use]
pub fn no_person(absence: &Absence) -> String {
    let why = match absence {
        Absence::NoTerminal => "there is no terminal here".to_owned(),
        Absence::NotAPersons => "the terminal here was opened by a program".to_owned(),
        Absence::Background => "this is a background job".to_owned(),
        Absence::Several => "another person is wanted besides".to_owned(),
        Absence::Silent(_) => "nobody answered".to_owned(),
        Absence::Shared(program) => format!(
            "this one is inside {}, where every process of the user can press keys; use one outside of it",
            escape(program)
        ),
        Absence::Unregistered => {
            "this one is not registered: `kibosh register` in it, by a person, makes it one that counts"
                .to_owned()
        }
        Absence::Untold(why) => format!(
            "the broker that runs does not tell whether this one is registered ({}): `kibosh register` in it, by a \
             person, starts one that does",
            escape(why)
        ),
        Absence::Unusable(_) => "the terminal here cannot be used".to_owned(),
    };
    format!("kibosh: only a person at a terminal of their own can answer requests, and {why}")
}

/// Why the terminal here was not registered.
#[must_use]
pub fn unfit(why: &Unfit) -> String {
    let why = match why {
        Unfit::NoTerminal => "there is none here".to_owned(),
        Unfit::NotAPersons => "the one here was opened by a program".to_owned(),
        Unfit::Shared(program) => format!(
            "the one here is inside {}, where every process of the user can press keys",
            escape(program)
        ),
        Unfit::Leader(why) => format!("what leads its session may not take part: {}", escape(why)),
        Unfit::TooMany => "there are more already than a person has".to_owned(),
    };
    format!("kibosh: no terminal was registered: {why}")
}

/// Who registers cannot take part, or there is no broker.
#[must_use]
pub fn not_registered(error: &Error) -> String {
    super::failure("no terminal was registered", error)
}

/// The broker cannot be spoken to.
#[must_use]
pub fn failed(error: &Error) -> String {
    super::failure("there is no broker of requests to speak to", error)
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 request is".to_owned(),
        count => format!("{count} requests are"),
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Listed {
        Listed {
            number: 3,
            age: 61,
            is_awaited: true,
            said: 0,
            reviewers: 1,
            rules: vec!["git.push-force".into()],
            text: text.into(),
            source: "-c".into(),
            cwd: "/srv".into(),
        }
    }

    #[test]
    fn a_request_is_listed_with_all_that_tells_it_from_others() {
        assert_eq!(
            pending(&[listed("git push --force")]),
            "3  61 s ago, waiting now  git.push-force\n    git push --force\n    in /srv, from -c\n\
             `kibosh approve NUMBER` shows one whole and asks; `kibosh refuse NUMBER` says no"
        );
        assert_eq!(pending(&[]), "nothing waits for a person");
    }

    #[test]
    fn a_notice_holds_neither_options_nor_markup() {
        assert_eq!(
            notice(&["git.push-force".into(), "<b>\n--x".into()]),
            [
                "--",
                "kibosh: a request waits for you",
                "rule git.push-force, ?b??--x"
            ]
        );
    }

    #[test]
    fn a_command_can_neither_forge_a_row_nor_act_on_the_terminal() {
        let forged = listed(&"x\n4  1 s ago  harmless\x1b[2J\u{202e}".repeat(50));
        for text in [pending(std::slice::from_ref(&forged)), arrived(&[forged])] {
            let rows: Vec<&str> = text.lines().collect();
            assert!(rows.len() <= 4, "{text}");
            assert!(!rows.iter().any(|row| row.contains(char::is_control)));
        }
    }
}
