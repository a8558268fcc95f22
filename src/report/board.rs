//! The screen of who answers requests: what waits, the chosen one, and what a key does. Takes what is known; gives
//! rows that fit, each by itself, so that no text in them reaches another row.

use dialoguer::console::measure_text_width;

use crate::broker::{Listed, Scope, Shown};

use super::details::{Known, Page, details, folded};
use super::escape::escape;
use super::prompt::{Ask, Scene, part};
use super::style::{Role, Style};

/// The rows that are always there: the title, a rule, what is said, the keys.
const FIXED: usize = 4;

/// One request in the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Whose it is, where that is another user.
    pub whose: Option<u32>,
    /// What is listed of it.
    pub listed: &'a Listed,
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Choosing one.
    Choosing,
    /// Has pressed the key of a yes, which counts with the next one.
    Sure(Scope),
    /// Types the name of a thing, to say yes this far; those before it are typed.
    Naming(Scope, usize, String),
    /// Types why not.
    Refusing(String),
    /// Reads a page of all that is known.
    Reading(usize),
}

/// All that is shown.
#[derive(Clone, Debug)]
pub struct Board<'a> {
    /// What waits.
    pub entries: &'a [Entry<'a>],
    /// The place of the chosen one.
    pub chosen: Option<usize>,
    /// The chosen one, whole, and the name of the process that its session is.
    pub shown: Option<(&'a Shown, Option<String>)>,
    /// What the person does.
    pub doing: &'a Doing,
    /// What is said to them.
    pub note: &'a str,
    /// Rows and columns of the window.
    pub size: (usize, usize),
    /// Colours.
    pub style: Style,
}

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// No more than the window has, and none wider.
    pub rows: Vec<String>,
    /// Row and column of the cursor, from 0, where the person types.
    pub cursor: Option<(usize, usize)>,
    /// What must be typed for a yes; none where the chosen one is not seen whole, so that there is none.
    pub asks: Option<Vec<Ask>>,
    /// Whether this is the last page of all that is known.
    pub is_last_page: bool,
}

/// Draws it.
#[must_use]
pub fn draw(board: &Board<'_>) -> Drawn {
    let entry = board.chosen.and_then(|place| board.entries.get(place));
    let (Some(entry), Some((shown, name))) = (entry, &board.shown) else {
        return nothing(board);
    };
    let (rows, columns) = board.size;
    let asked = &shown.asked;
    if let Doing::Reading(number) = board.doing {
        let known = Known {
            decision: &asked.decision,
            text: &asked.text,
            source: &asked.source,
            cwd: &asked.cwd,
            session: shown.session.map(|session| (session, name.clone())),
            user: entry.whose,
        };
        let sheet = details(&known, columns, board.style);
        let page = Page::new(*number, sheet.len(), rows - 1);
        let mut drawn = page.rows(&sheet).to_vec();
        drawn.resize(rows - 1, String::new());
        drawn.push(clip(
            &format!("{}/{}  space on  b up  q back", page.number + 1, page.of),
            columns,
        ));
        return Drawn {
            rows: drawn,
            is_last_page: page.number + 1 == page.of,
            ..Drawn::default()
        };
    }
    let scene = Scene {
        text: &asked.text,
        source: &asked.source,
        cwd: &asked.cwd,
        rows: rows.saturating_sub(FIXED + 1),
        columns,
        style: board.style,
    };
    let Some(question) = part(&asked.decision, &scene) else {
        let room = rows.saturating_sub(FIXED + 1);
        let mut drawn = top(board, rows - FIXED - 1);
        let words = "it has more to approve than this window can show at once: only n answers it here; d shows all";
        drawn.extend(folded(words, columns).into_iter().take(room.min(2)));
        return footed(board, drawn, None);
    };
    match board.doing {
        Doing::Naming(_, place, typed) => {
            let name = match question.asks.get(*place) {
                Some(Ask::Name(name)) => name.as_str(),
                _ => "",
            };
            let words = format!("To run it, type its name: {name}");
            typing(board, question.rows, &words, typed)
        }
        Doing::Refusing(typed) => {
            let words = format!(
                "Why not, for who asked (may be empty)? request {}",
                shown.number
            );
            typing(board, question.rows, &words, typed)
        }
        _ => {
            let mut drawn = top(board, rows - FIXED - question.rows.len());
            drawn.extend(question.rows);
            footed(board, drawn, Some(question.asks))
        }
    }
}

/// The screen where nothing is chosen.
fn nothing(board: &Board<'_>) -> Drawn {
    let mut drawn = vec![title(board)];
    if board.entries.is_empty() {
        drawn.push(clip("nothing waits for a person", board.size.1));
    }
    footed(board, drawn, None)
}

/// The screen of a window that is too small.
#[must_use]
pub fn too_small((rows, columns): (usize, usize)) -> Drawn {
    let words = folded("kibosh: this window is too small; q quits", columns.max(1));
    Drawn {
        rows: words.into_iter().take(rows).collect(),
        ..Drawn::default()
    }
}

fn title(board: &Board<'_>) -> String {
    let words = match board.entries.len() {
        0 => "kibosh watch".to_owned(),
        1 => "kibosh watch: 1 request waits".to_owned(),
        several => format!("kibosh watch: {several} requests wait"),
    };
    board.style.paint(Role::Title, &clip(&words, board.size.1))
}

/// The title, as much of the list as has room in so many rows, and a rule below.
fn top(board: &Board<'_>, room: usize) -> Vec<String> {
    let columns = board.size.1;
    let mut rows = vec![title(board)];
    let room = room.max(1);
    let chosen = board.chosen.unwrap_or_default();
    let first = (chosen + 1).saturating_sub(room);
    for (place, entry) in board.entries.iter().enumerate().skip(first).take(room) {
        let mark = if place == chosen { ">" } else { " " };
        let row = clip(&format!("{mark} {}", line(entry)), columns);
        rows.push(if place == chosen {
            board.style.paint(Role::Title, &row)
        } else {
            row
        });
    }
    rows.push(board.style.paint(Role::Margin, &"-".repeat(columns)));
    rows
}

/// A request on one row.
fn line(entry: &Entry<'_>) -> String {
    let Entry { whose, listed } = entry;
    let whose = whose.map(|user| format!(" of user {user}"));
    let people = match listed.reviewers {
        0 | 1 => String::new(),
        several => format!(" ({} of {several} people)", listed.said),
    };
    let waits = if listed.is_awaited { " now" } else { "" };
    format!(
        "{}{}{waits}{people}  {}  {}",
        listed.number,
        whose.unwrap_or_default(),
        escape(&listed.rules.join(", ")),
        escape(&listed.text)
    )
}

/// What is said and what keys do, in the last rows of the window.
fn footed(board: &Board<'_>, mut rows: Vec<String>, asks: Option<Vec<Ask>>) -> Drawn {
    let (height, columns) = board.size;
    rows.resize(height - 2, String::new());
    let note = match board.doing {
        Doing::Sure(scope) => sure(*scope),
        _ => board.note.to_owned(),
    };
    rows.push(board.style.paint(Role::Advice, &clip(&note, columns)));
    let keys = match (board.doing, columns) {
        (Doing::Sure(_), _) => "Enter: yes   any other key: not",
        _ if board.entries.is_empty() => "q quit",
        (_, ..70) => "y yes s session t 10 min n no d j k q",
        _ => "y once  s session  t 10 minutes  n no  d details  j/k choose  q quit",
    };
    rows.push(board.style.paint(Role::Margin, &clip(keys, columns)));
    Drawn {
        rows,
        asks,
        ..Drawn::default()
    }
}

fn sure(scope: Scope) -> String {
    match scope {
        Scope::Once => "yes, once?".to_owned(),
        Scope::Session => "yes, while the session lives?".to_owned(),
        Scope::Seconds(seconds) => format!("yes, for {} minutes?", seconds / 60),
    }
}

/// The chosen one, and below it a line in which the person types.
fn typing(board: &Board<'_>, mut rows: Vec<String>, words: &str, typed: &str) -> Drawn {
    let (height, columns) = board.size;
    let words = folded(words, columns);
    let room = height.saturating_sub(words.len() + 2);
    rows.truncate(room);
    rows.resize(room, String::new());
    for row in words {
        rows.push(board.style.paint(Role::Title, &row));
    }
    let shown = escape(typed);
    let mut tail = shown.as_ref();
    while measure_text_width(tail) + 3 > columns {
        let mut letters = tail.chars();
        letters.next();
        tail = letters.as_str();
    }
    let cursor = (rows.len(), 2 + measure_text_width(tail));
    rows.push(format!("> {tail}"));
    rows.push(
        board
            .style
            .paint(Role::Margin, "Enter ends it, Escape goes back"),
    );
    Drawn {
        rows,
        cursor: Some(cursor),
        ..Drawn::default()
    }
}

/// As much of a row as a window has columns, with a mark where more was there.
fn clip(text: &str, columns: usize) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += measure_text_width(character.encode_utf8(&mut [0; 4]));
        if used > columns {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// A yes counts.
#[must_use]
pub fn approved(number: u64) -> String {
    format!("{number} is approved: it runs now, or when it is tried again")
}

/// A yes is noted, and more are wanted.
#[must_use]
pub fn more(number: u64, said: usize) -> String {
    format!("{number} has the yes of {said}; another person is wanted")
}

/// A yes does not count.
#[must_use]
pub fn uncounted(number: u64) -> String {
    format!("{number} waits for another person: your yes is there, or is not to count")
}

/// A no counts.
#[must_use]
pub fn refused(number: u64) -> String {
    format!("{number} is refused")
}

/// It is not there any more, or another one.
#[must_use]
pub fn gone(number: u64) -> String {
    format!("{number} waits no more, or is another one by now: nothing was answered")
}

/// It comes from no session.
#[must_use]
pub fn no_session(number: u64) -> String {
    format!("{number} comes from no session that still runs: nothing was answered")
}

/// The broker did not take it.
#[must_use]
pub fn failed(number: u64, error: &crate::broker::Error) -> String {
    format!("{number} is not answered: {}", escape(&error.to_string()))
}

/// A key came before the person can have seen what it would answer.
pub const TOO_SOON: &str = "too soon after a change or another key: press it again";
/// Several keys came at once.
pub const AT_ONCE: &str = "several keys at once count for nothing";
/// The chosen one is not seen whole.
pub const NOT_SEEN: &str = "it is not seen whole here, so there is no yes to it";
/// The name was another one.
pub const OTHER_NAME: &str = "that is not its name: nothing was answered";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Asked, Root};
    use crate::decide::{Decision, Finding, around::Around};
    use crate::policy::schema::{Acknowledge, Effect};
    use crate::syntax::Span;

    fn shown(text: &str, acknowledge: Acknowledge) -> Shown {
        let finding = Finding {
            rule: "test.ask".into(),
            layer: "pack".into(),
            effect: Effect::Confirm,
            reason: "demolishes what nobody can build again \x1b[2J".into(),
            instead: Some("renovate".into()),
            acknowledge,
            reviewers: 1,
            subject: text.into(),
            resource: Some("x".repeat(80)),
            words: Vec::new(),
            around: Around::default(),
            preview: None,
            origin: Span {
                start: 0,
                end: text.len(),
            },
        };
        Shown {
            number: 3,
            asked: Asked {
                decision: Decision {
                    effect: Effect::Confirm,
                    findings: vec![finding],
                    left_out: Vec::new(),
                    deeds: Vec::new(),
                    steps: Vec::new(),
                    beyond: Vec::new(),
                },
                text: text.into(),
                source: "-c".into(),
                cwd: "/srv".into(),
                policy: String::new(),
                program: None,
                environment: String::new(),
                call: String::new(),
            },
            session: Some(Root { id: 1, began: 1 }),
        }
    }

    fn listed(number: u64, text: &str) -> Listed {
        Listed {
            number,
            age: 1,
            is_awaited: true,
            said: 0,
            reviewers: 1,
            rules: vec!["test.ask".into()],
            text: text.into(),
            source: "-c".into(),
            cwd: "/srv".into(),
        }
    }

    #[test]
    fn every_row_fits_at_every_size_and_the_chosen_one_is_seen_whole() {
        let odd = "demolish 大\x1b[2J\u{202e}\r\n> 9 forged";
        let lists: Vec<Listed> = (1..40).map(|number| listed(number, odd)).collect();
        let entries: Vec<Entry<'_>> = lists
            .iter()
            .map(|listed| Entry {
                whose: Some(7).filter(|_| listed.number % 2 == 0),
                listed,
            })
            .collect();
        let whole = shown("demolish all", Acknowledge::Name);
        let doings = [
            Doing::Choosing,
            Doing::Sure(Scope::Once),
            Doing::Naming(Scope::Once, 0, "大x\x1b".repeat(90)),
            Doing::Refusing("not 大".repeat(90)),
            Doing::Reading(0),
            Doing::Reading(7),
        ];
        for size in [(10, 40), (24, 80), (43, 132), (60, 200)] {
            for doing in &doings {
                for chosen in [0, 20, 38] {
                    let drawn = draw(&Board {
                        entries: &entries,
                        chosen: Some(chosen),
                        shown: Some((&whole, None)),
                        doing,
                        note: &odd.repeat(9).replace(char::is_control, ""),
                        size,
                        style: Style::Plain,
                    });
                    assert_eq!(drawn.rows.len(), size.0, "{doing:?}");
                    for row in &drawn.rows {
                        assert!(measure_text_width(row) <= size.1, "{size:?} {row:?}");
                        assert!(!row.contains(char::is_control), "{row:?}");
                    }
                    let all = drawn.rows.join("\n");
                    assert!(all.contains("demolish all"), "{size:?} {doing:?}\n{all}");
                    match doing {
                        Doing::Choosing | Doing::Sure(_) => {
                            assert!(drawn.asks.is_some(), "{size:?}");
                            let mark = format!("> {} ", chosen + 1);
                            assert!(all.contains(&mark) && all.contains("test.ask"), "{all}");
                        }
                        Doing::Naming(..) => {
                            let name = all.replace('\n', "");
                            assert!(name.contains(&"x".repeat(80)), "{all}");
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    #[test]
    fn there_is_no_yes_to_what_is_not_seen_whole() {
        let text = "demolish all; ".repeat(40);
        let mut whole = shown(&text, Acknowledge::Key);
        let first = whole.asked.decision.findings.remove(0);
        for number in 0..9 {
            let mut finding = first.clone();
            finding.rule = format!("test.{number}");
            whole.asked.decision.findings.push(finding);
        }
        let list = listed(3, &text);
        let entries = [Entry {
            whose: None,
            listed: &list,
        }];
        let drawn = |size| {
            draw(&Board {
                entries: &entries,
                chosen: Some(0),
                shown: Some((&whole, None)),
                doing: &Doing::Choosing,
                note: "",
                size,
                style: Style::Plain,
            })
        };
        assert_eq!(drawn((10, 40)).asks, None);
        assert_eq!(drawn((10, 40)).rows.len(), 10);
        assert_eq!(drawn((60, 200)).asks, Some(vec![Ask::Yes]));
    }
}
