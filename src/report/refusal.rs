//! What is said on standard error when nothing was run.
//!
//! An agent reads it, often without the exit status, so each message says by itself that nothing ran,
//! what was stopped, by which rule, why, and what to do instead. It gives nothing that can be
//! redeemed, and it avoids the words by which agents recognise a refusal of their own confinement,
//! because they then offer to run the line again outside of it.

use std::fmt::Write as _;

use crate::decide::{Decision, Finding};

use super::escape::{cut, escape};
use super::external::{External, Unanswered};
use super::{loss, whereabouts};

/// How many characters of an action are quoted.
const SUBJECT_LIMIT: usize = 120;

/// Why a line was not cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A rule says deny: nobody is asked.
    Policy,
    /// A person said no.
    Person,
    /// Nobody could be asked.
    NoTerminal(Absence),
    /// Nobody answered in time.
    Timeout {
        /// How long was waited.
        seconds: u8,
    },
    /// The prompt was interrupted by a key or a signal.
    Interrupted,
    /// The terminal went away while the prompt was shown.
    Vanished,
    /// There is more to approve than a person can be shown at once.
    TooMuch,
    /// It belongs to a preview, in which nobody is asked.
    Preview,
    /// Nobody could be asked here, and nobody has answered elsewhere yet.
    Pending {
        /// The number of the request.
        number: u64,
        /// Why nobody could be asked here.
        absence: Absence,
    },
    /// More people must say yes than have.
    Incomplete {
        /// The number of the request.
        number: u64,
        /// The user whose request it is.
        uid: u32,
        /// How many have said yes.
        said: usize,
        /// How many must.
        of: u8,
    },
    /// Several people must say yes, and nothing is there to bring them together.
    Several(u8),
    /// A person at another terminal said no.
    Reviewer {
        /// What they gave as the reason.
        why: Option<String>,
        /// Whether they said it to the same request, a while ago.
        is_earlier: bool,
    },
    /// Somebody whom the reviewer command asked said no.
    External {
        /// Who.
        by: External,
        /// What they gave as the reason.
        why: Option<String>,
    },
    /// Nobody could be asked here, and the reviewer command gave no answer.
    Unanswered {
        /// Why nobody could be asked here.
        absence: Absence,
        /// The command's file.
        command: String,
        /// Why there was none.
        why: Unanswered,
    },
    /// Too many requests wait for a person already.
    TooMany,
    /// Nobody could be asked here, nor elsewhere.
    NoBroker {
        /// Why not here.
        absence: Absence,
        /// Why not elsewhere.
        why: String,
    },
}

/// Why nobody could be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// This process has no terminal.
    NoTerminal,
    /// Its terminal belongs to a program, as far as can be told.
    NotAPersons,
    /// It runs in the background of its terminal.
    Background,
    /// Another person is wanted besides.
    Several,
    /// A person was asked at the terminal of the agent, and did not answer for so many seconds.
    Silent(u8),
    /// It is none that a person has registered, and only those count.
    Unregistered,
    /// The broker that runs did not tell whether a person has registered it; why.
    Untold(String),
    /// It is one of a program's in which every process of the user can press keys; which.
    Shared(String),
    /// The terminal could not be used.
    Unusable(String),
}

/// How a message begins where a line was stopped.
const OF_A_LINE: &str = "kibosh: nothing was run: ";
/// How it begins where one program was, in the midst of what runs.
const OF_AN_EXEC: &str = "kibosh: not started: ";

/// The message for a line that was not run, without a newline at its end.
#[must_use]
pub fn message(decision: &Decision, refusal: &Refusal) -> String {
    worded(OF_A_LINE, decision, refusal)
}

/// The message for a program that was not started, without a newline at its end.
#[must_use]
pub fn of_exec(decision: &Decision, refusal: &Refusal) -> String {
    worded(OF_AN_EXEC, decision, refusal)
}

/// The message for a program that was not started because it could not be judged.
#[must_use]
pub fn of_trouble(why: &str) -> String {
    format!("{OF_AN_EXEC}{}", unmistaken(&escape(why)))
}

fn worded(opening: &str, decision: &Decision, refusal: &Refusal) -> String {
    let what = if *refusal == Refusal::Policy {
        "is blocked"
    } else {
        "is held back"
    };
    let Some(mut text) = found(opening, what, decision) else {
        return format!("{opening}{}", ground(refusal));
    };
    if *refusal != Refusal::Policy {
        push(&mut text, "", &ground(refusal));
    }
    text
}

/// What was found, behind an opening: `what` is done to the first of it, by which rule, why, what would be
/// lost, what else there is, and what to do instead. None where nothing was.
pub(super) fn found(opening: &str, what: &str, decision: &Decision) -> Option<String> {
    let (first, others) = decision.findings.split_first()?;
    let mut text = format!(
        "{opening}`{}` {what} by rule {}: {}",
        subject(first),
        escape(&first.rule),
        escape(&first.reason),
    );
    if let Some(environment) = whereabouts::of(first) {
        let _infallible = write!(text, ", {environment}");
    }
    if let Some(lost) = loss::of(first) {
        let _infallible = write!(text, "; it {lost}");
    }
    push_others(&mut text, first, others);
    if let Some(instead) = &first.instead {
        push(&mut text, "instead: ", &escape(instead));
    }
    Some(text)
}

/// The message where kibosh itself failed.
#[must_use]
pub fn failure(error: &dyn std::error::Error) -> String {
    unmistaken(&format!(
        "kibosh: nothing was run: {}",
        escape(&error.to_string())
    ))
}

/// The system's words for its errors that an agent takes for a refusal of its own confinement, and
/// words that say the same.
const MISTAKEN: [(&str, &str); 4] = [
    ("permission denied", "no access"),
    ("operation not permitted", "no right to"),
    (
        "read-only file system",
        "a file system that cannot be written",
    ),
    ("inappropriate ioctl for device", "no terminal"),
];

/// The text in words that an agent does not mistake.
#[must_use]
pub fn unmistaken(text: &str) -> String {
    let mut text = text.to_owned();
    for (words, others) in MISTAKEN {
        while let Some(at) = text.to_ascii_lowercase().find(words) {
            text.replace_range(at..at + words.len(), others);
        }
    }
    text
}

/// The action, cut to a length that stays readable.
fn subject(finding: &Finding) -> String {
    cut(&finding.subject, SUBJECT_LIMIT).into_owned()
}

/// Names the rules that are as strict as the first.
fn push_others(text: &mut String, first: &Finding, others: &[Finding]) {
    let mut rules: Vec<&str> = Vec::new();
    for other in others {
        let as_strict = other.effect == first.effect && other.rule != first.rule;
        if as_strict && !rules.contains(&other.rule.as_str()) {
            rules.push(&other.rule);
        }
    }
    if !rules.is_empty() {
        let _ = write!(text, " (also {})", escape(&rules.join(", ")));
    }
}

fn push(text: &mut String, label: &str, words: &str) {
    let _ = write!(text, "\nkibosh: {label}{words}");
}

/// What stood in the way of an approval, and how a person can give it.
fn ground(refusal: &Refusal) -> String {
    const HOW: &str = "a person can run the line with kibosh in a terminal of their own, \
                       or add an exception for the rule in ~/.config/kibosh";
    match refusal {
        Refusal::Policy => "the policy does not allow it".to_owned(),
        Refusal::Person => {
            "a person was asked and said no; do not try it in another form".to_owned()
        }
        Refusal::NoTerminal(absence) => {
            format!("it needs a person's yes, but {}; {HOW}", missing(absence))
        }
        Refusal::Timeout { seconds } => {
            format!("it needs a person's yes, and nobody answered within {seconds} seconds; {HOW}")
        }
        Refusal::Interrupted => {
            "the question to a person was interrupted, which is a no".to_owned()
        }
        Refusal::Vanished => {
            format!("it needs a person's yes, but the terminal went away while asking; {HOW}")
        }
        Refusal::Pending { number, absence } => format!(
            "it needs a person's yes, but {}; a person can give it in a terminal of their own with \
             `kibosh approve {number}`, and then the same line passes when it is run again",
            missing(absence)
        ),
        Refusal::Incomplete {
            number,
            uid,
            said,
            of,
        } => format!(
            "it needs the yes of {of} people and has {said} of {of}; they can give it in terminals of their own with \
             `kibosh approve {number}` (`--of {uid}` as another user), and then the same line passes when it is run \
             again"
        ),
        Refusal::Several(of) => format!(
            "it needs the yes of {of} people, and there is no broker through which a second one could give it"
        ),
        Refusal::Reviewer { why, is_earlier } => {
            let said = if *is_earlier {
                "a person said no to the same a short while ago"
            } else {
                "a person was asked and said no"
            };
            said_no(said, why.as_deref())
        }
        Refusal::External { by: _, why } => {
            said_no("a reviewer was asked and said no", why.as_deref())
        }
        Refusal::Unanswered {
            absence,
            command,
            why,
        } => format!(
            "it needs a person's yes, but {}, and the reviewer command `{}` {}; {HOW}",
            missing(absence),
            escape(command),
            unmistaken(&why.words()),
        ),
        Refusal::TooMany => "it needs a person's yes, and more requests wait for one already than \
                             anybody would read; ask the person to look at `kibosh pending`"
            .to_owned(),
        Refusal::NoBroker { absence, why } => format!(
            "it needs a person's yes, but {}, nor on another terminal: {}; {HOW}",
            missing(absence),
            unmistaken(&escape(why))
        ),
        Refusal::Preview => "a preview starts only what runs without a person's yes".to_owned(),
        Refusal::TooMuch => {
            "it needs a person's yes for more than this terminal can show at once; \
                             split the line into smaller ones, or make the terminal larger"
                .to_owned()
        }
    }
}

/// How many characters of a reason are told.
const REASON_LIMIT: usize = 500;

fn said_no(said: &str, why: Option<&str>) -> String {
    let Some(why) = why else {
        return format!("{said}; do not try it in another form");
    };
    let start: String = why.chars().take(REASON_LIMIT).collect();
    let why = unmistaken(&escape(&start));
    format!("{said}: {why}; do not try it in another form")
}

fn missing(absence: &Absence) -> String {
    match absence {
        Absence::NoTerminal => "nobody can be asked from here".to_owned(),
        Absence::NotAPersons => {
            "the terminal here was opened by a program, so nobody can be asked on it".to_owned()
        }
        Absence::Background => "nobody can be asked from a background job".to_owned(),
        Absence::Silent(seconds) => format!("nobody answered within {seconds} seconds"),
        Absence::Several => "no second one can be asked from here".to_owned(),
        Absence::Unregistered => {
            "the terminal here is none that a person has registered, so nobody is asked on it"
                .to_owned()
        }
        Absence::Untold(why) => format!(
            "the broker that runs does not tell whether a person has registered the terminal here ({}), so nobody is \
             asked on it",
            unmistaken(&escape(why))
        ),
        Absence::Shared(program) => {
            format!("the terminal here is one of {}", escape(program))
        }
        Absence::Unusable(why) => {
            format!("the terminal cannot be used ({})", unmistaken(&escape(why)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::external::Unsound;
    use super::*;
    use crate::policy::schema::{Acknowledge, Effect};
    use crate::syntax::Span;

    fn finding(rule: &str, subject: &str) -> Finding {
        Finding {
            rule: rule.into(),
            layer: "pack".into(),
            effect: Effect::Confirm,
            reason: "removes every resource of the state".into(),
            instead: Some("terraform plan -destroy".into()),
            acknowledge: Acknowledge::Key,
            reviewers: 1,
            subject: subject.into(),
            resource: None,
            words: Vec::new(),
            around: crate::decide::around::Around::default(),
            preview: None,
            origin: Span::default(),
        }
    }

    fn decision(findings: Vec<Finding>) -> Decision {
        Decision {
            effect: Effect::Confirm,
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
            findings,
        }
    }

    fn every_refusal() -> Vec<Refusal> {
        vec![
            Refusal::Policy,
            Refusal::Person,
            Refusal::NoTerminal(Absence::NoTerminal),
            Refusal::NoTerminal(Absence::NotAPersons),
            Refusal::NoTerminal(Absence::Background),
            Refusal::NoTerminal(Absence::Unregistered),
            Refusal::NoTerminal(Absence::Untold("it did not answer".into())),
            Refusal::NoTerminal(Absence::Silent(20)),
            Refusal::NoTerminal(Absence::Unusable("permission denied".into())),
            Refusal::Timeout { seconds: 20 },
            Refusal::Interrupted,
            Refusal::Vanished,
            Refusal::TooMuch,
            Refusal::Preview,
            Refusal::Pending {
                number: 7,
                absence: Absence::NoTerminal,
            },
            Refusal::Reviewer {
                why: Some("permission denied,\nuse staging".into()),
                is_earlier: true,
            },
            Refusal::External {
                by: External {
                    by: "ann".into(),
                    command: "/opt/ask".into(),
                },
                why: Some("operation not permitted\non a Friday".into()),
            },
            Refusal::Unanswered {
                absence: Absence::NoTerminal,
                command: "/opt/ask\n".into(),
                why: Unanswered::Failed("permission denied".into()),
            },
            Refusal::Unanswered {
                absence: Absence::NoTerminal,
                command: "/opt/ask".into(),
                why: Unanswered::File(Unsound::Writable),
            },
            Refusal::Incomplete {
                number: 7,
                uid: 1000,
                said: 1,
                of: 2,
            },
            Refusal::Several(2),
            Refusal::TooMany,
            Refusal::NoBroker {
                absence: Absence::Background,
                why: "read-only file system".into(),
            },
        ]
    }

    #[test]
    fn a_denial_stands_on_its_own() {
        let decision = decision(vec![
            finding("terraform.destroy", "terraform destroy -auto-approve"),
            finding("terraform.destroy", "terraform destroy"),
            finding("recreate.pair", "terraform apply"),
        ]);
        assert_eq!(
            message(&decision, &Refusal::Policy),
            "kibosh: nothing was run: `terraform destroy -auto-approve` is blocked by rule \
             terraform.destroy: removes every resource of the state (also recreate.pair)\n\
             kibosh: instead: terraform plan -destroy"
        );
    }

    #[test]
    fn without_a_terminal_it_says_how_a_person_can_approve() {
        let text = message(
            &decision(vec![finding("a.b", "x")]),
            &Refusal::NoTerminal(Absence::NoTerminal),
        );
        assert_eq!(
            text,
            "kibosh: nothing was run: `x` is held back by rule a.b: removes every resource of the state\n\
             kibosh: instead: terraform plan -destroy\n\
             kibosh: it needs a person's yes, but nobody can be asked from here; a person can run the line \
             with kibosh in a terminal of their own, or add an exception for the rule in ~/.config/kibosh"
        );
    }

    #[test]
    fn what_waits_for_another_terminal_says_how_a_person_can_approve_it() {
        let refusal = Refusal::Pending {
            number: 7,
            absence: Absence::NoTerminal,
        };
        let text = message(&decision(vec![finding("a.b", "x")]), &refusal);
        assert!(
            text.ends_with(
                "\nkibosh: it needs a person's yes, but nobody can be asked from here; a person can give it in a \
                 terminal of their own with `kibosh approve 7`, and then the same line passes when it is run again"
            ),
            "{text}"
        );
    }

    #[test]
    fn every_message_says_first_that_nothing_ran_and_stays_short() {
        for refusal in every_refusal() {
            for decision in [
                decision(vec![finding("a.b", &"x\n".repeat(500))]),
                Decision::default(),
            ] {
                let text = message(&decision, &refusal);
                assert!(text.starts_with("kibosh: nothing was run: "), "{text}");
                assert!(text.lines().count() <= 3, "{text}");
                assert!(
                    text.lines().all(|line| line.starts_with("kibosh: ")),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn errors_of_the_system_are_said_in_words_that_no_agent_mistakes() {
        for (code, said) in [
            (libc::EACCES, "no access"),
            (libc::EPERM, "no right to"),
            (libc::EROFS, "cannot be written"),
            (libc::ENOTTY, "no terminal"),
        ] {
            let text = failure(&std::io::Error::from_raw_os_error(code));
            assert!(
                text.starts_with("kibosh: nothing was run: ") && text.contains(said),
                "{text}"
            );
            for (words, _) in MISTAKEN {
                assert!(!text.to_lowercase().contains(words), "{text}");
            }
        }
        for refusal in every_refusal() {
            let text = message(&decision(vec![finding("a.b", "x")]), &refusal);
            assert_eq!(unmistaken(&text), text);
        }
    }

    #[test]
    fn a_command_cannot_act_on_the_terminal_through_a_message() {
        let text = message(
            &decision(vec![finding("a.b", "\x1b[2J\rall is well")]),
            &Refusal::Person,
        );
        assert!(text.contains("`\\x1b[2J\\rall is well`"), "{text}");
        assert!(!text.contains('\x1b'));
    }
}
