//! What a person is shown before they decide, and what they must type to say yes.

use dialoguer::console::measure_text_width;

use crate::decide::{Decision, Finding};
use crate::policy::schema::{Acknowledge, Effect};
use crate::syntax::Span;

use super::escape::escape;
use super::excerpt::excerpt;
use super::refusal::Refusal;
use super::style::{Role, Style};
use super::{loss, whereabouts};

/// How many rules a person is shown at once. A line that meets more is not asked about: what cannot be
/// seen cannot be approved.
const MOST_RULES: usize = 10;
/// Where the words after a label start.
const LABEL: usize = 11;
/// The longest name that a person is made to type.
const LONGEST_NAME: usize = 80;

/// Where the line came from and how it is shown.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The text of the line; the origins of findings are byte ranges in it.
    pub text: &'a str,
    /// Where it came from.
    pub source: &'a str,
    /// Its working directory.
    pub cwd: &'a str,
    /// How many rows the terminal has.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// Its colours.
    pub style: Style,
}

/// What is shown and asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The rows above the line where the answer is typed.
    pub rows: Vec<String>,
    /// What must be typed, one after the other; all of them are needed.
    pub asks: Vec<Ask>,
}

/// What a person may type at a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// A yes; all else is none.
    Yes,
    /// A yes, or a yes for the session; all else is none.
    Session,
    /// A yes, a yes for the session, or a no.
    Review,
}

/// One thing to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `y`.
    Yes,
    /// This name, exactly as it is shown.
    Name(String),
}

impl Ask {
    /// A row above the place where the person types, with its newline.
    #[must_use]
    pub fn row(&self) -> Option<String> {
        match self {
            Self::Yes => None,
            Self::Name(name) => Some(format!("To run it, type its name: {name}\n")),
        }
    }

    /// The words before the place where the person types, of whom `keys` are taken; `has_preview` where there is
    /// one to be shown.
    #[must_use]
    pub fn words(&self, keys: Keys, has_preview: bool, seconds: u64) -> String {
        let more = if has_preview {
            "d details, p preview"
        } else {
            "d details"
        };
        match (self, keys) {
            (Self::Yes, Keys::Yes) => {
                format!("Run it? y + Enter is yes, {more}, else no ({seconds} s)")
            }
            (Self::Yes, Keys::Session) => {
                format!("Run it? y once, s session, {more}, else no ({seconds} s)")
            }
            (Self::Yes, Keys::Review) => {
                format!("Run it? y, s session, n, {more}; else left ({seconds} s)")
            }
            (Self::Name(_), Keys::Yes | Keys::Session) => {
                format!("Name ({more}, else no, {seconds} s)")
            }
            (Self::Name(_), Keys::Review) => format!("Name (n is no, {more}, {seconds} s)"),
        }
    }

    /// Whether `answer` is a yes.
    #[must_use]
    pub fn accepts(&self, answer: &str) -> bool {
        match self {
            Self::Yes => ["y", "Y", "yes", "Yes", "YES"].contains(&answer),
            Self::Name(name) => answer == name,
        }
    }
}

/// Whether `answer` is a no of a person who reviews.
#[must_use]
pub fn is_no(answer: &str) -> bool {
    ["n", "N", "no", "No", "NO"].contains(&answer)
}

/// Whether `answer` asks for all that is known, which answers nothing.
#[must_use]
pub fn is_details(answer: &str) -> bool {
    ["d", "D"].contains(&answer)
}

/// Whether `answer` asks for what it would do, which answers nothing.
#[must_use]
pub fn is_preview(answer: &str) -> bool {
    ["p", "P"].contains(&answer)
}

/// Whether `answer` is their yes for the session.
#[must_use]
pub fn is_session(answer: &str) -> bool {
    ["s", "S", "session"].contains(&answer)
}

/// What is shown when the conversation is over.
#[must_use]
pub fn closing(refusal: Option<&Refusal>) -> &'static str {
    match refusal {
        None => "kibosh: approved\n",
        Some(Refusal::Timeout { .. }) => "\nkibosh: no answer in time, nothing was run\n",
        Some(_) => "\nkibosh: nothing was run\n",
    }
}

/// What the title says.
const TITLE: &str = "kibosh: nothing of this has run yet, a person must decide";
/// What it says where there is hardly any room.
const SHORT_TITLE: &str = "kibosh: a person must decide";

/// How much room there is for what is typed: ` yes`, with the cursor behind it.
const LONGEST_ANSWER: usize = 5;

/// How much is told beside what must be seen: the line, the rules and why.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Detail {
    /// Everything.
    All,
    /// Not what to do instead, nor where the line comes from.
    Needed,
    /// Of the reasons the first row.
    Least,
}

/// Words the question for a decision, with as much as the terminal has room for; none where there is more
/// than a person can be shown at once.
#[must_use]
pub fn question(decision: &Decision, scene: &Scene<'_>) -> Option<Question> {
    let details = [Detail::All, Detail::Needed, Detail::Least];
    details.into_iter().find_map(|detail| {
        let question = in_detail(decision, scene, detail)?;
        let mut findings = decision.findings.iter();
        let has_preview = findings.any(|finding| finding.preview.is_some());
        let asked = question.asks.iter().map(|ask| {
            let words = [Keys::Yes, Keys::Session, Keys::Review];
            let words = words.map(|keys| ask.words(keys, has_preview, 99));
            let longest = words.iter().map(|words| words.chars().count()).max();
            let needed = longest.unwrap_or_default() + LONGEST_ANSWER;
            needed.div_ceil(scene.columns) + ask.row().iter().count()
        });
        // An empty row stands before it.
        let needed = 1 + question.rows.len() + asked.sum::<usize>();
        (needed <= scene.rows).then_some(question)
    })
}

/// Words it for a part of a screen, of as many rows as the scene has, without a title and without room for an
/// answer; none where what must be seen has no room there.
#[must_use]
pub fn part(decision: &Decision, scene: &Scene<'_>) -> Option<Question> {
    let details = [Detail::All, Detail::Needed, Detail::Least];
    details.into_iter().find_map(|detail| {
        let question = body(decision, scene, detail)?;
        let fits = |row: &String| measure_text_width(row) <= scene.columns;
        (question.rows.len() <= scene.rows && question.rows.iter().all(fits)).then_some(question)
    })
}

fn in_detail(decision: &Decision, scene: &Scene<'_>, detail: Detail) -> Option<Question> {
    let question = body(decision, scene, detail)?;
    let title = if detail == Detail::Least {
        SHORT_TITLE
    } else {
        TITLE
    };
    let title = wrapped(title, scene.columns).into_iter();
    let mut rows: Vec<String> = title
        .map(|row| scene.style.paint(Role::Title, &row))
        .collect();
    rows.extend(question.rows);
    Some(Question { rows, ..question })
}

/// The question without its title.
fn body(decision: &Decision, scene: &Scene<'_>, detail: Detail) -> Option<Question> {
    let asked: Vec<&Finding> = decision
        .findings
        .iter()
        .filter(|finding| finding.effect != Effect::Allow)
        .collect();
    let rules = by_rule(&asked);
    if rules.len() > MOST_RULES {
        return None;
    }
    let style = scene.style;
    let spans: Vec<Span> = asked.iter().map(|finding| finding.origin).collect();
    let mut rows = excerpt(scene.text, &spans, scene.columns, style)?;
    if detail == Detail::All {
        push_cut(&mut rows, "in", scene.cwd, scene);
        push_cut(&mut rows, "from", scene.source, scene);
    }
    for findings in &rules {
        push_rule(&mut rows, findings, scene, detail);
    }
    Some(Question {
        rows,
        asks: asks(&asked),
    })
}

/// Findings of the same rule together, in the order of the decision.
pub(super) fn by_rule<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut rules: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let known = rules
            .iter_mut()
            .find(|same| same.first().is_some_and(|first| first.rule == finding.rule));
        match known {
            Some(same) => same.push(finding),
            None => rules.push(vec![finding]),
        }
    }
    rules
}

fn push_rule(rows: &mut Vec<String>, findings: &[&Finding], scene: &Scene<'_>, detail: Detail) {
    let Some(first) = findings.first() else {
        return;
    };
    let times = match findings.len() {
        1 => String::new(),
        several => format!(" ({several} times)"),
    };
    push_words(
        rows,
        "rule",
        &format!("{}{times}", first.rule),
        Role::Title,
        scene,
    );
    let unseen = findings
        .iter()
        .find(|finding| !scene.text.contains(&finding.subject));
    if let Some(finding) = unseen {
        push_cut(rows, "does", &finding.subject, scene);
    }
    let environment = findings.iter().find_map(|one| whereabouts::of(one));
    let lost = loss::of_all(findings).map(|lost| format!("it {lost}"));
    if detail == Detail::Least {
        push_cut(rows, "why", &first.reason, scene);
        if let Some(environment) = environment {
            push_cut(rows, "where", &environment, scene);
        }
        if let Some(lost) = lost {
            push_cut(rows, "loses", &lost, scene);
        }
        return;
    }
    push_words(rows, "why", &first.reason, Role::Danger, scene);
    if let Some(environment) = environment {
        push_words(rows, "where", &environment, Role::Danger, scene);
    }
    if let Some(lost) = lost {
        push_words(rows, "loses", &lost, Role::Danger, scene);
    }
    if let Some(instead) = first.instead.as_ref().filter(|_| detail == Detail::All) {
        push_words(rows, "instead", instead, Role::Advice, scene);
    }
}

/// A label and foreign text on one row, its middle left out where it is too long.
fn push_cut(rows: &mut Vec<String>, label: &str, text: &str, scene: &Scene<'_>) {
    if text.is_empty() {
        return;
    }
    let width = scene.columns.saturating_sub(LABEL).max(16);
    let shown = escape(text);
    let cut = if measure_text_width(&shown) <= width {
        shown.into_owned()
    } else {
        let half = (width - 1) / 2;
        let head: String = within(shown.chars(), half).collect();
        let tail: Vec<char> = within(shown.chars().rev(), half).collect();
        let tail: String = tail.into_iter().rev().collect();
        format!("{head}…{tail}")
    };
    rows.push(format!("{}{cut}", margin(label, scene.style)));
}

/// The first of these characters, as many as have room in so many columns.
fn within(characters: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut used = 0;
    characters.take_while(move |character| {
        used += columns_of(*character);
        used <= width
    })
}

fn columns_of(character: char) -> usize {
    measure_text_width(character.encode_utf8(&mut [0; 4]))
}

/// A label and words, wrapped.
fn push_words(rows: &mut Vec<String>, label: &str, words: &str, role: Role, scene: &Scene<'_>) {
    let width = scene.columns.saturating_sub(LABEL).max(16);
    let mut label = label;
    for row in wrapped(&escape(words), width) {
        rows.push(format!(
            "{}{}",
            margin(label, scene.style),
            scene.style.paint(role, &row)
        ));
        label = "";
    }
}

fn margin(label: &str, style: Style) -> String {
    style.paint(
        Role::Margin,
        &format!("  {label:<width$}", width = LABEL - 2),
    )
}

/// Breaks text at blanks into rows of at most `width` columns; longer words are broken too.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = measure_text_width(word);
        if used > 0 && used + 1 + length > width {
            rows.push(String::new());
            used = 0;
        } else if used > 0 {
            push(&mut rows, ' ');
            used += 1;
        }
        for character in word.chars() {
            let columns = columns_of(character);
            if used + columns > width {
                rows.push(String::new());
                used = 0;
            }
            push(&mut rows, character);
            used += columns;
        }
    }
    rows
}

fn push(rows: &mut [String], character: char) {
    if let Some(row) = rows.last_mut() {
        row.push(character);
    }
}

/// What must be typed: each name that a rule wants typed, or else a yes.
fn asks(findings: &[&Finding]) -> Vec<Ask> {
    let mut asks: Vec<Ask> = Vec::new();
    for finding in findings {
        match finding.acknowledge {
            Acknowledge::Key => {}
            Acknowledge::Name => {
                let ask = Ask::Name(name(finding));
                if !asks.contains(&ask) {
                    asks.push(ask);
                }
            }
        }
    }
    if asks.is_empty() {
        asks.push(Ask::Yes);
    }
    asks
}

/// The resource, where it has a name that can be shown and typed; else the rule's id.
fn name(finding: &Finding) -> String {
    let typable = |name: &&String| {
        let shown = escape(name);
        !name.trim().is_empty()
            && name.trim() == name.as_str()
            && shown == name.as_str()
            && shown.chars().count() <= LONGEST_NAME
    };
    finding
        .resource
        .as_ref()
        .filter(typable)
        .unwrap_or(&finding.rule)
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(text: &str, part: &str, rule: &str) -> Finding {
        let start = text.find(part).unwrap();
        Finding {
            rule: rule.into(),
            layer: "pack".into(),
            effect: Effect::Confirm,
            reason: "removes every resource of the state".into(),
            instead: Some("terraform plan -destroy".into()),
            acknowledge: Acknowledge::Key,
            reviewers: 1,
            subject: part.into(),
            resource: None,
            words: Vec::new(),
            around: crate::decide::around::Around::default(),
            preview: None,
            origin: Span {
                start,
                end: start + part.len(),
            },
        }
    }

    fn ask(text: &str, findings: Vec<Finding>) -> Option<Question> {
        let decision = Decision {
            effect: Effect::Confirm,
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
            findings,
        };
        let scene = Scene {
            text,
            source: "-c",
            cwd: "/srv/infra",
            rows: 60,
            columns: 60,
            style: Style::Plain,
        };
        question(&decision, &scene)
    }

    #[test]
    fn the_prompt_shows_the_line_the_place_the_rule_and_the_alternative() {
        let text = "cd infra && terraform destroy -auto-approve";
        let mut expanded = finding(text, "terraform destroy -auto-approve", "terraform.destroy");
        expanded.subject = "terraform -chdir=/srv/infra destroy".into();
        let again = finding(text, "terraform destroy", "terraform.destroy");
        assert_eq!(
            ask(text, vec![expanded, again]).unwrap(),
            Question {
                rows: [
                    "kibosh: nothing of this has run yet, a person must decide",
                    "  | cd infra && terraform destroy -auto-approve",
                    "  |             ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
                    "  in       /srv/infra",
                    "  from     -c",
                    "  rule     terraform.destroy (2 times)",
                    "  does     terraform -chdir=/srv/infra destroy",
                    "  why      removes every resource of the state",
                    "  instead  terraform plan -destroy",
                ]
                .map(String::from)
                .to_vec(),
                asks: vec![Ask::Yes],
            }
        );
    }

    #[test]
    fn what_would_be_lost_is_said_once_for_a_rule() {
        let text = "rm -rf a; rm -rf b";
        let lost = |part: &str, untracked| {
            let mut finding = finding(text, part, "fs.rm");
            finding.around.loss = Some(crate::probe::Loss {
                deletes: true,
                files: untracked,
                untracked,
                ..crate::probe::Loss::default()
            });
            finding
        };
        let rows = ask(text, vec![lost("rm -rf a", 3), lost("rm -rf b", 2)])
            .unwrap()
            .rows;
        let said: Vec<&String> = rows.iter().filter(|row| row.contains("loses")).collect();
        assert_eq!(said, ["  loses    it deletes 5 files, all untracked"]);
    }

    #[test]
    fn rules_that_want_a_name_get_each_name_once() {
        let text = "dropdb prod; dropdb prod; dropdb x";
        let named = |name: Option<&str>| Finding {
            acknowledge: Acknowledge::Name,
            reviewers: 1,
            resource: name.map(String::from),
            ..finding(text, "dropdb prod", "db.drop")
        };
        let asks = |names: &[Option<&str>]| {
            ask(text, names.iter().map(|name| named(*name)).collect())
                .unwrap()
                .asks
        };
        assert_eq!(
            asks(&[Some("prod"), Some("prod"), Some("x")]),
            [Ask::Name("prod".into()), Ask::Name("x".into())]
        );
        let long = "x".repeat(200);
        for untypable in [
            None,
            Some(""),
            Some(" "),
            Some("a\x1b[A"),
            Some("a "),
            Some(long.as_str()),
        ] {
            assert_eq!(
                asks(&[untypable]),
                [Ask::Name("db.drop".into())],
                "{untypable:?}"
            );
        }
    }

    #[test]
    fn only_an_exact_answer_is_a_yes() {
        for (answer, yes) in [
            ("y", true),
            ("yes", true),
            ("", false),
            ("n", false),
            ("yy", false),
            (" y", false),
            ("by", false),
            ("prod", false),
        ] {
            assert_eq!(Ask::Yes.accepts(answer), yes, "{answer:?}");
        }
        let name = Ask::Name("prod".into());
        for (answer, yes) in [
            ("prod", true),
            ("PROD", false),
            ("prod ", false),
            ("y", false),
            ("", false),
        ] {
            assert_eq!(name.accepts(answer), yes, "{answer:?}");
        }
    }

    #[test]
    fn more_than_can_be_shown_is_not_asked_about() {
        let text = "x";
        let findings: Vec<Finding> = (0..=MOST_RULES)
            .map(|number| finding(text, "x", &format!("a.{number}")))
            .collect();
        assert_eq!(ask(text, findings.clone()), None);
        assert!(ask(text, findings.into_iter().skip(1).collect()).is_some());
    }

    #[test]
    fn a_small_terminal_is_told_what_must_be_seen() {
        let text = "cd infra && terraform destroy -auto-approve";
        let finding = finding(text, "terraform destroy", "terraform.destroy");
        let decision = Decision {
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
            effect: Effect::Confirm,
            findings: vec![finding],
        };
        let asked = |rows, columns| {
            let scene = Scene {
                text,
                source: "-c",
                cwd: "/srv/infra",
                rows,
                columns,
                style: Style::Plain,
            };
            question(&decision, &scene).map(|question| question.rows)
        };
        assert_eq!(asked(10, 60).unwrap().len(), 8);
        let needed = asked(9, 60).unwrap();
        assert!(!needed.iter().any(|row| row.contains("instead")));
        let least = asked(10, 40).unwrap();
        assert!(least.len() <= 7, "{least:?}");
        for words in ["terraform destroy", "terraform.destroy", "removes every"] {
            assert!(least.iter().any(|row| row.contains(words)), "{least:?}");
        }
        assert_eq!(asked(5, 40), None);
    }

    #[test]
    fn every_row_fits_and_holds_no_control_character() {
        let text = "rm -rf \x1b]0;x\x07 /";
        let mut odd = finding(text, "rm -rf", "fs.rm");
        odd.reason = "a\x1b[1A reason 大大大".repeat(30);
        odd.subject = "\r大\x1b[2K".repeat(90);
        for row in ask(text, vec![odd]).unwrap().rows {
            assert!(
                measure_text_width(&row) <= 60 && !row.contains(char::is_control),
                "{row:?}"
            );
        }
    }
}
